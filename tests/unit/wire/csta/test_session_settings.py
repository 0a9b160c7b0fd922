from __future__ import annotations

from typing import Any

import pytest

from unified_agent.errors import SettingsError
from unified_agent.wire.csta.request_table import IN_FLIGHT_LIMIT_MAXIMUM
from unified_agent.wire.csta.session_settings import SessionSettings, protocol_version_uri
from unified_agent.wire.csta.values import Secret


def settings(**changed: Any) -> SessionSettings:
    return SessionSettings(user="cti", password=Secret("hunter2"), **changed)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"requested_duration_s": 0}, "above 0"),
        ({"request_timeout_s": 0.0}, "above 0"),
        ({"heartbeat_interval_s": 0.0}, "above 0"),
        ({"silence_limit_s": 0.0}, "above 0"),
        ({"cleanup_delay_s": -1}, "cleanup_delay_s"),
        ({"in_flight_limit": 0}, "in_flight_limit must be 1 to"),
        ({"in_flight_limit": IN_FLIGHT_LIMIT_MAXIMUM + 1}, "in_flight_limit must be 1 to"),
        ({"silence_limit_s": 9.9, "heartbeat_interval_s": 5.0}, "at least twice"),
    ],
)
def test_what_contradicts_is_refused_in_a_sentence(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        settings(**changed)


@pytest.mark.parametrize(
    "changed",
    [
        {"cleanup_delay_s": 0},
        {"in_flight_limit": 1},
        {"in_flight_limit": IN_FLIGHT_LIMIT_MAXIMUM},
        {"silence_limit_s": 10.0, "heartbeat_interval_s": 5.0},
    ],
)
def test_bounds_themselves_are_good(changed: dict[str, Any]) -> None:
    settings(**changed)


def test_heartbeat_is_half_the_silence_limit_unless_it_is_given() -> None:
    assert settings(silence_limit_s=12.0).heartbeat_s == 6.0
    assert settings(silence_limit_s=12.0, heartbeat_interval_s=2.0).heartbeat_s == 2.0


def test_password_is_not_in_the_repr() -> None:
    assert "hunter2" not in repr(settings())


@pytest.mark.parametrize(
    ("version", "uri"),
    [
        ("priv7", "http://www.ecma-international.org/standards/ecma-323/csta/ed3/priv7"),
        ("ed2/priv1", "http://www.ecma-international.org/standards/ecma-323/csta/ed2/priv1"),
        ("3.0", "3.0"),
    ],
)
def test_version_is_asked_for_by_its_suffix(version: str, uri: str) -> None:
    assert protocol_version_uri(version) == uri
