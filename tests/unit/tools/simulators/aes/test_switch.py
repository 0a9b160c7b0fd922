"""Callers hang up, telephones are unplugged."""

from __future__ import annotations

import pytest
from tests.unit.tools.simulators.aes.floor import (
    ANN,
    BOB,
    CALLER,
    VDN,
    Floor,
    names,
    refusal,
)

from unified_agent.tools.simulators.aes.events import WorkMode


def test_caller_who_hangs_up_ends_the_call_for_the_agent() -> None:
    floor = Floor()
    call_id = floor.talk(ANN)
    assert refusal(floor.switch.hang_up_outside, call_id, "999") == "invalidConnectionID"
    assert refusal(floor.switch.hang_up_outside, "999") == "invalidCallID"
    floor.switch.hang_up_outside(call_id)
    assert names(floor.settle(), ANN) == ["ConnectionCleared", "ConnectionCleared"]


@pytest.mark.parametrize(
    ("caller", "number", "value"),
    [
        (ANN, VDN, "invalidCallingDeviceID"),
        (CALLER, "5551234", "invalidDestination"),
        (CALLER, "1", "invalidDestination"),
    ],
)
def test_outside_call_with_wrong_numbers_is_refused(caller: str, number: str, value: str) -> None:
    assert refusal(Floor().switch.place_call, caller, number) == value


def test_unplugged_station_loses_calls_and_agent_and_comes_back_empty() -> None:
    floor = Floor()
    floor.log_on(ANN, WorkMode.AUTO_IN)
    call_id = floor.arrive()
    floor.switch.calls.answer(ANN, call_id)
    floor.settle()
    floor.switch.set_service(ANN, in_service=False)
    events = floor.settle()
    assert names(events, ANN) == ["ConnectionCleared", "AgentChanged", "ServiceChanged"]
    assert refusal(floor.switch.calls.make_call, ANN, BOB) == "deviceOutOfService"
    assert refusal(floor.switch.agents.log_on, ANN, "5001", "1234") == "deviceOutOfService"
    floor.switch.set_service(ANN, in_service=True)
    floor.switch.set_service(ANN, in_service=True)
    assert names(floor.settle(), ANN) == ["ServiceChanged"]
    assert refusal(floor.switch.set_service, "2999", in_service=True) == "invalidDeviceID"
    floor.log_on(ANN)
