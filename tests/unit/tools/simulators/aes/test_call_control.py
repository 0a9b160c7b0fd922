"""Every command on a call, in every state a station can be in with it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.unit.tools.simulators.aes.floor import (
    ANN,
    BOB,
    BUSY,
    CALLER,
    CAT,
    VDN,
    Floor,
    names,
    refusal,
    seen,
)

from unified_agent.tools.simulators.aes.events import Delivered, Diverted, Originated, WorkMode


def alerting(floor: Floor) -> str:
    return floor.ring(ANN)


def connected(floor: Floor) -> str:
    return floor.talk(ANN)


def held(floor: Floor) -> str:
    return floor.hold(ANN)


def dial(floor: Floor, number: str, *, prompt: bool = False) -> str:
    call_id = floor.switch.calls.make_call(ANN, number, prompt=prompt).call_id
    floor.settle()
    return call_id


STATES: dict[str, Callable[[Floor], str]] = {
    "alerting": alerting,
    "connected": connected,
    "held": held,
    "prompted": lambda floor: dial(floor, BOB, prompt=True),
    "dialling": lambda floor: dial(floor, BOB),
    "queued": lambda floor: dial(floor, VDN),
    "failed": lambda floor: dial(floor, BUSY),
}

COMMANDS: dict[str, Callable[[Floor, str], object]] = {
    "answer": lambda floor, call_id: floor.switch.calls.answer(ANN, call_id),
    "hold": lambda floor, call_id: floor.switch.calls.hold(ANN, call_id),
    "retrieve": lambda floor, call_id: floor.switch.calls.retrieve(ANN, call_id),
    "clear": lambda floor, call_id: floor.switch.calls.clear_connection(ANN, call_id),
    "clear call": lambda floor, call_id: floor.switch.calls.clear_call(call_id, ANN),
    "consult": lambda floor, call_id: floor.switch.calls.consult(ANN, call_id, CAT),
    "deflect": lambda floor, call_id: floor.switch.calls.deflect(ANN, call_id, CAT),
    "digits": lambda floor, call_id: floor.switch.calls.send_digits(ANN, call_id, "12#"),
    "step transfer": lambda floor, call_id: floor.switch.joining.single_step_transfer(ANN, call_id, CAT),
    "step conference": lambda floor, call_id: floor.switch.joining.single_step_conference(ANN, call_id, CAT),
    "transfer to itself": lambda floor, call_id: floor.switch.joining.transfer(ANN, call_id, call_id),
    "alternate with itself": lambda floor, call_id: floor.switch.joining.alternate(ANN, call_id, call_id),
}

#: Command → the outcome in each of STATES, in their order; an empty string: it is done.
OUTCOMES: dict[str, tuple[str, ...]] = {
    # alerting, connected, held, prompted, dialling, queued, failed
    "answer": ("", *["noCallToAnswer"] * 6),
    "hold": ("noActiveCall", "", "invalidConnectionState", "noActiveCall", "", "", ""),
    "retrieve": ("noHeldCall", "noHeldCall", "", *["noHeldCall"] * 4),
    "clear": ("noCallToClear", "", "", "", "", "", ""),
    "clear call": ("", "", "", "", "", "", ""),
    "consult": ("noActiveCall", "", "", "noActiveCall", "", "", ""),
    "deflect": ("", *["invalidConnectionState"] * 6),
    "digits": ("noActiveCall", "", "invalidConnectionState", "noActiveCall", "", "", ""),
    "step transfer": ("noActiveCall", "", "noActiveCall", "noActiveCall", *["invalidConnectionState"] * 3),
    "step conference": ("noActiveCall", "", "noActiveCall", "noActiveCall", *["invalidConnectionState"] * 3),
    "transfer to itself": ("noHeldCall", "noHeldCall", "noActiveCall", *["noHeldCall"] * 4),
    "alternate with itself": ("noHeldCall", "noHeldCall", "noActiveCall", *["noHeldCall"] * 4),
}
CELLS = [
    (command, state, outcome)
    for command, outcomes in OUTCOMES.items()
    for state, outcome in zip(STATES, outcomes, strict=True)
]


@pytest.mark.parametrize(("command", "state", "outcome"), CELLS)
def test_command_in_state_is_done_or_refused_as_the_table_says(command: str, state: str, outcome: str) -> None:
    floor = Floor()
    call_id = STATES[state](floor)
    before = floor.calls_at(ANN)
    if outcome:
        assert refusal(COMMANDS[command], floor, call_id) == outcome
        assert floor.settle() == []
        assert floor.calls_at(ANN) == before
    else:
        COMMANDS[command](floor, call_id)
        floor.settle()


@pytest.mark.parametrize("command", COMMANDS)
def test_command_on_what_does_not_exist_names_what_is_wrong(command: str) -> None:
    floor = Floor()
    elsewhere = floor.talk(BOB)
    act = COMMANDS[command]
    assert refusal(act, floor, "999") == "invalidCallID"
    assert refusal(act, floor, elsewhere) == "invalidConnectionID"
    floor.switch.set_service(ANN, in_service=False)
    floor.settle()
    assert refusal(act, floor, elsewhere) == "deviceOutOfService"
    assert refusal(floor.switch.calls.answer, "2999", elsewhere) == "invalidDeviceID"


@pytest.mark.parametrize("number", ["77", "", "abc", "+4420", ANN])
@pytest.mark.parametrize("command", ["make", "consult", "deflect", "step transfer"])
def test_numbers_that_cannot_be_called_are_refused(command: str, number: str) -> None:
    floor = Floor()
    calls, joining = floor.switch.calls, floor.switch.joining
    if command == "make":
        assert refusal(calls.make_call, ANN, number) == "invalidDestination"
    elif command == "consult":
        assert refusal(calls.consult, ANN, floor.talk(ANN), number) == "invalidDestination"
    elif command == "deflect":
        assert refusal(calls.deflect, ANN, floor.ring(ANN), number) == "invalidDestination"
    else:
        assert refusal(joining.single_step_transfer, ANN, floor.talk(ANN), number) == "invalidDestination"


@pytest.mark.parametrize("digits", ["", "1x", "12 3"])
def test_digits_that_no_telephone_has_are_refused(digits: str) -> None:
    floor = Floor()
    assert refusal(floor.switch.calls.send_digits, ANN, floor.talk(ANN), digits) == "invalidParameterValue"


def test_digits_are_remembered_with_who_sent_them() -> None:
    floor = Floor()
    call_id = floor.talk(ANN)
    floor.switch.calls.send_digits(ANN, call_id, "1*#a")
    assert floor.board.calls[call_id].digits == [(ANN, "1*#a")]


def test_incoming_call_is_answered_held_retrieved_and_cleared() -> None:
    floor = Floor()
    call_id = floor.arrive(ANN, user_data=b"ACC=1")
    calls = floor.switch.calls
    for step in (calls.answer, calls.hold, calls.retrieve, calls.clear_connection):
        step(ANN, call_id)
        floor.settle()
    assert names(floor.events, ANN) == ["Delivered", "Established", "Held", "Retrieved", "ConnectionCleared"]
    delivered = seen(floor.events, ANN, Delivered)[0]
    assert (delivered.call.calling, delivered.call.called, delivered.call.user_data) == (CALLER, ANN, b"ACC=1")
    assert floor.board.calls == {}


def test_call_between_stations_is_seen_by_both() -> None:
    floor = Floor()
    call_id = dial(floor, BOB)
    floor.switch.calls.answer(BOB, call_id)
    floor.settle()
    floor.switch.calls.clear_connection(BOB, call_id)
    floor.settle()
    cleared = ["ConnectionCleared", "ConnectionCleared"]
    assert names(floor.events, ANN) == ["ServiceInitiated", "Originated", "Delivered", "Established", *cleared]
    assert names(floor.events, BOB) == ["Delivered", "Established", "ConnectionCleared"]


def test_prompted_call_goes_out_when_the_handset_is_lifted() -> None:
    floor = Floor(lift_s=2.0)
    call_id = dial(floor, BOB, prompt=True)
    assert floor.parties(call_id) == {ANN: "initiated"}
    floor.wait(2.0)
    assert floor.parties(call_id) == {ANN: "connected", BOB: "alerting"}
    assert seen(floor.events, ANN, Originated)[0].call.called == BOB


def test_prompted_call_to_an_agent_who_logs_on_at_the_caller_meanwhile_ends() -> None:
    floor = Floor(lift_s=2.0)
    dial(floor, "5001", prompt=True)
    floor.log_on(ANN)
    floor.wait(2.0)
    assert floor.calls_at(ANN) == {}


def test_station_in_an_active_call_cannot_make_another() -> None:
    floor = Floor()
    floor.talk(ANN)
    assert refusal(floor.switch.calls.make_call, ANN, BOB) == "invalidDeviceState"


def test_station_without_a_free_appearance_is_busy_and_cannot_call() -> None:
    floor = Floor(appearances=2)
    floor.hold(ANN)
    floor.hold(ANN)
    assert refusal(floor.switch.calls.make_call, ANN, BOB) == "invalidDeviceState"
    call_id = floor.switch.calls.make_call(BOB, ANN).call_id
    floor.settle()
    assert floor.parties(call_id) == {BOB: "connected", ANN: "fail"}


def test_second_call_is_not_answered_over_an_active_one() -> None:
    floor = Floor()
    first, second = floor.talk(ANN), floor.ring(ANN)
    assert refusal(floor.switch.calls.answer, ANN, second) == "connectedCallExists"
    floor.switch.calls.hold(ANN, first)
    floor.switch.calls.answer(ANN, second)
    floor.settle()
    assert refusal(floor.switch.calls.retrieve, ANN, first) == "connectedCallExists"


def test_with_auto_hold_answering_holds_the_active_call() -> None:
    floor = Floor(auto_hold=True)
    first, second = floor.talk(ANN), floor.ring(ANN)
    floor.switch.calls.answer(ANN, second)
    floor.settle()
    assert floor.calls_at(ANN) == {first: "hold", second: "connected"}
    floor.switch.calls.retrieve(ANN, first)
    floor.settle()
    assert floor.calls_at(ANN) == {first: "connected", second: "hold"}


def test_with_auto_hold_a_call_being_dialled_cannot_be_held_away() -> None:
    floor = Floor(auto_hold=True)
    ringing = floor.ring(ANN)
    dial(floor, BOB, prompt=True)
    assert refusal(floor.switch.calls.answer, ANN, ringing) == "connectedCallExists"


def test_consultation_holds_the_first_call_and_carries_its_data() -> None:
    floor = Floor()
    call_id = floor.arrive(ANN, user_data=b"ACC=7")
    floor.switch.calls.answer(ANN, call_id)
    floor.settle()
    new_id = floor.consult(ANN, call_id, BOB, answered=False)
    assert floor.calls_at(ANN) == {call_id: "hold", new_id: "connected"}
    assert seen(floor.events, BOB, Delivered)[0].call.user_data == b"ACC=7"


def test_consultation_needs_a_free_appearance() -> None:
    floor = Floor(appearances=2)
    floor.hold(ANN)
    call_id = floor.talk(ANN)
    assert refusal(floor.switch.calls.consult, ANN, call_id, BOB) == "invalidDeviceState"
    assert floor.calls_at(ANN)[call_id] == "connected"


def test_deflected_call_rings_elsewhere_and_says_where_it_was() -> None:
    floor = Floor()
    call_id = floor.ring(ANN)
    floor.switch.calls.deflect(ANN, call_id, BOB)
    events = floor.settle()
    assert seen(events, ANN, Diverted)[0].new_destination == BOB
    assert seen(events, BOB, Delivered)[0].call.last_redirection == ANN
    assert floor.calls_at(ANN) == {}


def test_deflected_group_call_leaves_its_agent_ready() -> None:
    floor = Floor()
    floor.log_on(ANN, WorkMode.MANUAL_IN)
    call_id = floor.arrive()
    floor.switch.calls.deflect(ANN, call_id, BOB)
    floor.settle()
    assert floor.mode(ANN) is WorkMode.MANUAL_IN
    assert floor.parties(call_id) == {CALLER: "connected", BOB: "alerting"}


def test_clear_call_ends_it_for_everybody() -> None:
    floor = Floor()
    call_id = dial(floor, BOB)
    floor.switch.calls.answer(BOB, call_id)
    floor.settle()
    floor.switch.calls.clear_call(call_id)
    floor.settle()
    assert floor.board.calls == {}
    assert refusal(floor.switch.calls.clear_call, call_id) == "invalidCallID"
