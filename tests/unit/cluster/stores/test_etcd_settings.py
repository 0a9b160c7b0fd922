from pathlib import Path
from typing import Any

import pytest

from unified_agent.cluster.stores.etcd_settings import EtcdSettings
from unified_agent.errors import SettingsError


@pytest.mark.parametrize(
    "values",
    [
        {"endpoints": ()},
        {"prefix": "/ua/one"},
        {"client_cert_file": Path("c.pem"), "ca_file": Path("ca.pem")},
        {"client_cert_file": Path("c.pem"), "client_key_file": Path("c.key")},
        {"user": "ua", "ca_file": Path("ca.pem")},
        {"user": "ua", "password": "x"},
        {"watch_ping_s": 2.0},
        {"keepalive_s": 5.0},
    ],
)
def test_settings_that_contradict_each_other_stop_the_start(values: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        EtcdSettings(**({"endpoints": ("a:2379",)} | values))


def test_a_password_is_not_shown() -> None:
    settings = EtcdSettings(endpoints=("a:2379",), ca_file=Path("ca.pem"), user="ua", password="hush")
    assert "hush" not in repr(settings)
