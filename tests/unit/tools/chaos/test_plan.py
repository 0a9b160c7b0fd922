"""The settings of the instances are ones that an instance takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from unified_agent.settings import Settings
from unified_agent.settings_file import read_settings
from unified_agent.tools.chaos.places import INSTANCES, Host
from unified_agent.tools.chaos.plan import KEYS_FILE, TOKEN_FILE, dialler_file, history_file, instance_file, url_of
from unified_agent.tools.load.plan import LoadPlan
from unified_agent.tools.simulators.apc.plan import read_plan
from unified_agent.tools.switch_choice import SwitchChoice


def settings_of(host: Host, folder: Path) -> Settings:
    file = folder / f"{host.name}.toml"
    for name in (KEYS_FILE, TOKEN_FILE):
        (folder / name).write_text("secret")
    file.write_text(instance_file(host, LoadPlan(agents=60), folder))
    return read_settings(file, {}).settings


@pytest.mark.parametrize("host", INSTANCES, ids=[host.name for host in INSTANCES])
def test_an_instance_stands_in_its_datacentre_and_asks_the_members_there_first(host: Host, tmp_path: Path) -> None:
    settings = settings_of(host, tmp_path)
    cluster = settings.cluster
    assert (settings.instance, cluster.datacentre, cluster.url) == (host.name, host.site, url_of(host))
    near = {endpoint.rpartition(".")[0] for endpoint in cluster.store.endpoints[:2]}
    assert near == {host.address.rpartition(".")[0]}
    assert len(set(cluster.store.endpoints)) == 5
    assert cluster.history_file == history_file(tmp_path, host)


def test_any_instance_could_serve_all_agents(tmp_path: Path) -> None:
    assert settings_of(INSTANCES[0], tmp_path).sessions.capacity > 60


def test_all_instances_share_the_keys_and_the_name(tmp_path: Path) -> None:
    shared = {
        (each.cluster.name, each.cluster.keys_file, each.cluster.store.prefix, each.cluster.datacentres)
        for each in (settings_of(host, tmp_path) for host in INSTANCES)
    }
    assert len(shared) == 1


def test_diallers_notice_when_an_instances_host_is_gone() -> None:
    plan = read_plan(dialler_file(LoadPlan(agents=60)), "made up")
    assert plan.dead_client_s > 0
    assert plan.jobs[0].name == "LOAD"


def test_instances_over_jtapi_have_the_client_library_that_was_given(tmp_path):
    switch = SwitchChoice(kind="jtapi", class_path=("/sdk/peer.jar",), peer="org.example.Peer")
    text = instance_file(next(iter(INSTANCES)), LoadPlan(switch=switch), tmp_path)
    assert 'kind = "jtapi"' in text
    assert 'class_path = ["/sdk/peer.jar"]' in text
