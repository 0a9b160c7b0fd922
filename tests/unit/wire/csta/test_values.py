from __future__ import annotations

import pytest

from unified_agent.wire.csta.values import (
    ConnectionId,
    DeviceId,
    Secret,
    extension_of,
    same_device,
    third_party_device_id,
)


def test_third_party_device_id_is_extension_switch_address_and_instance() -> None:
    device = third_party_device_id("2001", "CM1")
    assert device == "2001:CM1::0"
    assert extension_of(device) == "2001"


@pytest.mark.parametrize(("device", "extension"), [("2001", "2001"), ("", ""), (":CM1::0", "")])
def test_extension_is_what_stands_before_the_first_colon(device: str, extension: str) -> None:
    assert extension_of(DeviceId(device)) == extension


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:CM1::0", "2001:cm1::0", True),
        ("2001:CM1::0", "2001:CM1::1", False),
        ("2001:CM1::0", None, False),
        (None, None, False),
    ],
)
def test_devices_are_compared_without_regard_to_case_and_nothing_equals_nothing(
    one: str | None, other: str | None, same: bool
) -> None:
    assert same_device(one and DeviceId(one), other and DeviceId(other)) is same  # type: ignore[arg-type]


def test_secret_is_equal_by_value_and_shown_nowhere() -> None:
    secret = Secret("hunter2")
    assert secret == Secret("hunter2")
    assert secret != Secret("other")
    assert f"{secret} {secret!r} {[secret]}" == "Secret(***) Secret(***) [Secret(***)]"


def test_connection_of_a_peer_that_named_only_the_call_has_no_device() -> None:
    assert ConnectionId("179").device_id == ""  # type: ignore[arg-type]
