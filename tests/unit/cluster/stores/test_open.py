"""What a site chose becomes a store."""

from __future__ import annotations

import random
from dataclasses import asdict
from pathlib import Path

import msgspec
import pytest
from tests.unit.cluster.stores.store_on_virtual_time import on_virtual_time

from unified_agent.cluster.stores.etcd import EtcdStore
from unified_agent.cluster.stores.memory_engine import MemoryEngine
from unified_agent.cluster.stores.open import etcd_settings_from, store_from
from unified_agent.errors import SettingsError
from unified_agent.settings import StoreSettings

EVERYTHING = StoreSettings(
    endpoints=("etcd-1:2379", "etcd-2:2379"),
    prefix="/ua/here/",
    ca_file=Path("ca.pem"),
    client_cert_file=Path("client.pem"),
    client_key_file=Path("client.key"),
    server_name="etcd.example.com",
    user="ua",
    password="s3cret",
)


def test_everything_that_a_site_chose_is_taken_over() -> None:
    chosen = msgspec.structs.asdict(EVERYTHING)
    chosen.pop("password_file")
    assert asdict(etcd_settings_from(EVERYTHING)).items() >= chosen.items()


def test_the_password_is_read_from_its_file_unless_it_was_already(tmp_path) -> None:
    file = tmp_path / "password"
    file.write_text("from-the-file\n")
    settings = msgspec.structs.replace(EVERYTHING, password="", password_file=file)
    assert etcd_settings_from(settings).password == "from-the-file"
    assert etcd_settings_from(msgspec.structs.replace(settings, password="given")).password == "given"


def test_a_password_that_cannot_be_read_is_told(tmp_path) -> None:
    settings = msgspec.structs.replace(EVERYTHING, password="", password_file=tmp_path / "nowhere")
    with pytest.raises(SettingsError, match=r"cluster\.store\.password_file cannot be read"):
        etcd_settings_from(settings)


def test_choices_that_contradict_each_other_are_told() -> None:
    with pytest.raises(SettingsError, match="prefix must end with /"):
        etcd_settings_from(msgspec.structs.replace(EVERYTHING, prefix="/ua"))


def test_a_store_is_made_without_asking_anybody() -> None:
    async def play(engine: MemoryEngine) -> None:
        store = store_from(EVERYTHING, engine.clock, random.Random(1))
        assert isinstance(store, EtcdStore)
        assert store.health().server == "etcd-1:2379"
        assert store.health().heard_at_s is None
        await store.close()

    on_virtual_time(play)
