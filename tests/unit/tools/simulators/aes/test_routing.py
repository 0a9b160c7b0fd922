"""Calls reach stations, agents, groups and outside numbers, which do what their pattern says."""

from __future__ import annotations

import pytest
from tests.unit.tools.simulators.aes.floor import (
    ABSENT,
    ANN,
    BOB,
    BUSY,
    FRIEND,
    GROUP,
    HASTY,
    NOWHERE,
    Floor,
    names,
    seen,
)

from unified_agent.tools.simulators.aes.events import Delivered, Established, Failed, WorkMode
from unified_agent.wire.csta.values import Cause


def dial(floor: Floor, number: str, *, prompt: bool = False) -> str:
    call_id = floor.switch.calls.make_call(ANN, number, prompt=prompt).call_id
    floor.settle()
    return call_id


def test_call_to_an_agent_id_rings_where_the_agent_is() -> None:
    floor = Floor()
    floor.log_on(BOB)
    call_id = dial(floor, "5002")
    assert floor.parties(call_id) == {ANN: "connected", BOB: "alerting"}


def test_call_to_an_agent_who_is_off_fails() -> None:
    floor = Floor()
    call_id = dial(floor, "5002")
    assert floor.parties(call_id) == {ANN: "connected", "5002": "fail"}


@pytest.mark.parametrize(("number", "cause"), [(BUSY, Cause.BUSY), (NOWHERE, Cause.DESTINATION_NOT_OBTAINABLE)])
def test_outside_number_that_fails_is_heard_as_a_tone_for_a_while(number: str, cause: Cause) -> None:
    floor = Floor(tone_s=30.0)
    call_id = dial(floor, number)
    assert seen(floor.events, ANN, Failed)[0].cause is cause
    floor.wait(29)
    assert floor.parties(call_id) == {ANN: "connected", number: "fail"}
    floor.wait(1)
    assert floor.calls_at(ANN) == {}


def test_outside_number_rings_and_answers() -> None:
    floor = Floor()
    call_id = dial(floor, FRIEND)
    assert names(floor.events, ANN)[-1] == "Delivered"
    floor.wait(4.0)
    assert floor.parties(call_id) == {ANN: "connected", FRIEND: "connected"}
    assert seen(floor.events, ANN, Established)[0].connection.device == FRIEND
    floor.wait(3600)
    assert call_id in floor.board.calls


def test_outside_number_that_never_answers_rings_on() -> None:
    floor = Floor()
    call_id = dial(floor, ABSENT)
    floor.wait(600)
    assert floor.parties(call_id) == {ANN: "connected", ABSENT: "alerting"}


def test_outside_party_hangs_up_after_its_talk_time() -> None:
    floor = Floor()
    call_id = dial(floor, HASTY)
    floor.wait(5.9)
    assert call_id in floor.board.calls
    floor.wait(0.1)
    assert floor.calls_at(ANN) == {}


def test_talk_time_begins_when_somebody_talks_not_when_the_agent_held_first() -> None:
    floor = Floor()
    call_id = dial(floor, HASTY)
    floor.switch.calls.hold(ANN, call_id)
    floor.wait(100)
    assert floor.parties(call_id) == {ANN: "hold", HASTY: "connected"}
    floor.switch.calls.retrieve(ANN, call_id)
    floor.wait(5)
    assert floor.calls_at(ANN) == {}


def test_station_in_auto_answer_answers_group_calls_only() -> None:
    floor = Floor(auto_answer=True, auto_answer_s=1.0)
    floor.log_on(ANN, WorkMode.AUTO_IN)
    call_id = floor.arrive()
    floor.wait(1.0)
    assert floor.calls_at(ANN) == {call_id: "connected"}
    own = floor.ring(BOB)
    floor.wait(10.0)
    assert floor.calls_at(BOB) == {own: "alerting"}


def test_auto_answer_waits_for_nobody_who_began_another_call() -> None:
    floor = Floor(auto_answer=True, auto_answer_s=1.0)
    floor.log_on(ANN, WorkMode.AUTO_IN)
    call_id = floor.arrive()
    dial(floor, BOB)
    floor.wait(1.0)
    assert floor.calls_at(ANN)[call_id] == "alerting"


def test_call_to_a_station_out_of_service_fails() -> None:
    floor = Floor()
    floor.switch.set_service(BOB, in_service=False)
    floor.settle()
    dial(floor, BOB)
    assert seen(floor.events, ANN, Failed)[0].cause is Cause.DESTINATION_OUT_OF_ORDER


def test_call_to_the_hunt_group_itself_needs_no_vdn() -> None:
    floor = Floor()
    floor.log_on(BOB, WorkMode.AUTO_IN)
    call_id = dial(floor, GROUP)
    delivered = seen(floor.events, BOB, Delivered)[0]
    assert (delivered.call.vdn, delivered.call.group) == (None, GROUP)
    assert floor.parties(call_id)[BOB] == "alerting"
