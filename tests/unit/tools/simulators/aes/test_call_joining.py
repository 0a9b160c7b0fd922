"""Two calls become one, or change places; new ids are told, and timers and queue places survive."""

from __future__ import annotations

import pytest
from tests.unit.tools.simulators.aes.floor import (
    ABSENT,
    ANN,
    BOB,
    BUSY,
    CALLER,
    CAT,
    DAN,
    FRIEND,
    GROUP,
    HASTY,
    VDN,
    Floor,
    names,
    refusal,
    seen,
)

from unified_agent.tools.simulators.aes.events import (
    Conferenced,
    Connection,
    Delivered,
    Diverted,
    Established,
    Transferred,
    WorkMode,
)
from unified_agent.tools.simulators.aes.plan import MergedCallId
from unified_agent.wire.csta.values import Cause


def pair(floor: Floor, *, answered: bool = True, number: str = BOB) -> tuple[str, str]:
    """Ann talks to a caller and consults; return the ids of the held and the active call."""
    held = floor.arrive(ANN)
    floor.switch.calls.answer(ANN, held)
    floor.settle()
    return held, floor.consult(ANN, held, number, answered=answered)


def test_transfer_leaves_caller_and_colleague_under_the_active_calls_id() -> None:
    floor = Floor()
    held, active = pair(floor)
    left = floor.switch.joining.transfer(ANN, held, active)
    events = floor.settle()
    assert left == (Connection(active, CALLER), Connection(active, BOB))
    assert floor.parties(active) == {CALLER: "connected", BOB: "connected"}
    assert held not in floor.board.calls
    for station in (ANN, BOB):
        (event,) = seen(events, station, Transferred)
        assert (event.primary_old, event.secondary_old) == (Connection(held, ANN), Connection(active, ANN))
        assert (event.by, event.to, event.connections, event.cause) == (ANN, BOB, left, Cause.TRANSFER)
        assert (event.call.calling, event.call.last_redirection) == (CALLER, ANN)
    assert floor.calls_at(ANN) == {}


@pytest.mark.parametrize("rule", list(MergedCallId))
def test_id_after_transfer_and_conference_follows_the_rule(rule: MergedCallId) -> None:
    for act in ("transfer", "conference"):
        floor = Floor(merged_call_id=rule)
        held, active = pair(floor)
        ucids = {name: floor.board.calls[name].ucid for name in (held, active)}
        parties = getattr(floor.switch.joining, act)(ANN, held, active)
        floor.settle()
        (call_id,) = floor.board.calls
        assert {item.call_id for item in parties} == {call_id}
        match rule:
            case MergedCallId.ACTIVE:
                assert call_id == active
            case MergedCallId.HELD:
                assert call_id == held
            case MergedCallId.NEW:
                assert call_id not in {held, active}
        assert floor.board.calls[call_id].ucid == ucids.get(call_id, floor.board.calls[call_id].ucid)


def test_blind_transfer_lets_the_other_station_ring_for_the_caller() -> None:
    floor = Floor()
    held, active = pair(floor, answered=False)
    floor.switch.joining.transfer(ANN, held, active)
    floor.settle()
    assert floor.parties(active) == {CALLER: "connected", BOB: "alerting"}
    floor.switch.calls.answer(BOB, active)
    (event,) = seen(floor.settle(), BOB, Established)
    assert (event.call.calling, event.connection.call_id) == (CALLER, active)


def test_transfer_to_a_waiting_queue_keeps_the_place_in_it() -> None:
    floor = Floor()
    waiting = floor.arrive(caller="3009")
    held, active = pair(floor, answered=False, number=VDN)
    floor.switch.joining.transfer(ANN, held, active)
    floor.settle()
    assert [leg.call.call_id for leg in floor.board.groups[GROUP].waiting] == [waiting, active]
    floor.log_on(BOB, WorkMode.AUTO_IN)
    floor.log_on(CAT, WorkMode.AUTO_IN)
    assert floor.parties(active) == {CALLER: "connected", CAT: "alerting"}


def test_transfer_of_a_group_call_begins_after_call_work_of_the_one_who_leaves_only() -> None:
    floor = Floor()
    floor.log_on(ANN, WorkMode.MANUAL_IN)
    floor.log_on(BOB, WorkMode.MANUAL_IN)
    held = floor.arrive()
    floor.switch.calls.answer(ANN, held)
    floor.settle()
    active = floor.consult(ANN, held, BOB)
    floor.switch.joining.transfer(ANN, held, active)
    floor.settle()
    assert floor.mode(ANN) is WorkMode.AFTER_CALL_WORK
    floor.switch.hang_up_outside(active)
    floor.settle()
    assert floor.mode(BOB) is WorkMode.MANUAL_IN


def test_outside_party_keeps_its_talk_time_through_a_transfer() -> None:
    floor = Floor()
    held, active = pair(floor, answered=False, number=HASTY)
    floor.wait(1.0)
    floor.switch.joining.transfer(ANN, held, active)
    floor.settle()
    floor.wait(4.9)
    assert active in floor.board.calls
    floor.wait(0.1)
    assert active not in floor.board.calls


def test_unanswered_group_call_still_goes_back_after_the_transfer_that_brought_it() -> None:
    floor = Floor(no_answer_s=10.0)
    floor.log_on(BOB, WorkMode.AUTO_IN)
    held, active = pair(floor, answered=False, number=VDN)
    floor.switch.joining.transfer(ANN, held, active)
    floor.settle()
    events = floor.wait(10.0)
    assert seen(events, BOB, Diverted)[0].connection == Connection(active, BOB)
    assert floor.parties(active) == {CALLER: "connected", GROUP: "queued"}


@pytest.mark.parametrize("act", ["transfer", "conference"])
def test_a_failed_consultation_cannot_be_joined(act: str) -> None:
    floor = Floor()
    held, active = pair(floor, answered=False, number=BUSY)
    assert refusal(getattr(floor.switch.joining, act), ANN, held, active) == "invalidConnectionState"
    floor.switch.joining.reconnect(ANN, held, active)
    floor.settle()
    assert floor.calls_at(ANN) == {held: "connected"}


def test_two_calls_that_nobody_answered_cannot_be_joined() -> None:
    floor = Floor()
    first = floor.switch.calls.make_call(ANN, ABSENT).call_id
    second = floor.consult(ANN, first, BOB, answered=False)
    assert refusal(floor.switch.joining.transfer, ANN, first, second) == "invalidConnectionState"


def test_one_device_in_both_calls_cannot_be_joined() -> None:
    floor = Floor()
    first = floor.switch.calls.make_call(ANN, BOB).call_id
    floor.switch.calls.answer(BOB, first)
    second = floor.consult(ANN, first, BOB, answered=False)
    assert refusal(floor.switch.joining.transfer, ANN, first, second) == "invalidConnectionState"


def test_conference_waits_for_the_answer() -> None:
    floor = Floor()
    held, active = pair(floor, answered=False)
    assert refusal(floor.switch.joining.conference, ANN, held, active) == "invalidConnectionState"


def test_calls_given_the_wrong_way_round_are_refused() -> None:
    floor = Floor()
    held, active = pair(floor)
    for act in ("transfer", "conference", "alternate", "reconnect"):
        assert refusal(getattr(floor.switch.joining, act), ANN, active, held) == "noHeldCall"
    floor.switch.calls.hold(ANN, active)
    floor.settle()
    for act in ("transfer", "conference", "alternate", "reconnect"):
        assert refusal(getattr(floor.switch.joining, act), ANN, held, active) == "noActiveCall"


def test_conference_keeps_all_and_ends_when_one_is_left() -> None:
    floor = Floor()
    held, active = pair(floor)
    parties = floor.switch.joining.conference(ANN, held, active)
    events = floor.settle()
    assert [item.device for item in parties] == [ANN, CALLER, BOB]
    for station in (ANN, BOB):
        (event,) = seen(events, station, Conferenced)
        assert (event.by, event.added, event.connections) == (ANN, BOB, parties)
    floor.switch.calls.clear_connection(ANN, active)
    floor.settle()
    assert floor.parties(active) == {CALLER: "connected", BOB: "connected"}
    floor.switch.hang_up_outside(active)
    floor.settle()
    assert floor.board.calls == {}


def test_conference_of_a_group_call_is_followed_by_after_call_work_once_left() -> None:
    floor = Floor()
    floor.log_on(ANN, WorkMode.MANUAL_IN)
    held = floor.arrive()
    floor.switch.calls.answer(ANN, held)
    floor.settle()
    active = floor.consult(ANN, held, BOB)
    floor.switch.joining.conference(ANN, held, active)
    floor.settle()
    assert floor.mode(ANN) is WorkMode.MANUAL_IN
    floor.switch.calls.clear_connection(ANN, active)
    floor.settle()
    assert floor.mode(ANN) is WorkMode.AFTER_CALL_WORK


def test_conference_has_a_limit_of_six() -> None:
    floor = Floor()
    held, active = pair(floor)
    floor.switch.joining.conference(ANN, held, active)
    floor.settle()
    for index in range(3):
        other = floor.consult(ANN, active, f"555700{index}", answered=False)
        floor.wait(4)
        floor.switch.joining.conference(ANN, active, other)
        floor.settle()
        active = other
    assert len(floor.parties(active)) == 6
    assert refusal(floor.switch.joining.single_step_conference, ANN, active, CAT) == "conferenceMemberLimitExceeded"
    other = floor.consult(ANN, active, FRIEND, answered=False)
    floor.wait(4)
    assert refusal(floor.switch.joining.conference, ANN, active, other) == "conferenceMemberLimitExceeded"


def test_alternate_changes_places() -> None:
    floor = Floor()
    held, active = pair(floor)
    floor.switch.joining.alternate(ANN, held, active)
    events = floor.settle()
    assert floor.calls_at(ANN) == {held: "connected", active: "hold"}
    assert names(events, ANN) == ["Held", "Retrieved"]


def test_reconnect_drops_the_consultation_and_goes_back() -> None:
    floor = Floor()
    held, active = pair(floor)
    floor.switch.joining.reconnect(ANN, held, active)
    events = floor.settle()
    assert names(events, ANN) == ["ConnectionCleared", "Retrieved"]
    assert floor.calls_at(ANN) == {held: "connected"}
    assert floor.calls_at(BOB) == {}


@pytest.mark.parametrize(
    ("number", "reached", "state"),
    [(BOB, BOB, "alerting"), (VDN, GROUP, "queued"), (FRIEND, FRIEND, "alerting"), (BUSY, BUSY, "fail")],
)
def test_single_step_transfer_sends_the_caller_on(number: str, reached: str, state: str) -> None:
    floor = Floor()
    call_id = floor.arrive(ANN)
    floor.switch.calls.answer(ANN, call_id)
    floor.settle()
    left = floor.switch.joining.single_step_transfer(ANN, call_id, number)
    events = floor.settle()
    assert floor.parties(call_id) == {CALLER: "connected", reached: state}
    assert left == (Connection(call_id, CALLER), Connection(call_id, reached))
    (event,) = seen(events, ANN, Transferred)
    assert (event.secondary_old, event.to, event.cause) == (None, number, Cause.SINGLE_STEP_TRANSFER)
    if number == BOB:
        assert seen(events, BOB, Delivered)[0].call.last_redirection == ANN


def test_single_step_transfer_takes_a_new_id_when_the_plan_says_so() -> None:
    floor = Floor(merged_call_id=MergedCallId.NEW)
    call_id = floor.talk(ANN)
    left = floor.switch.joining.single_step_transfer(ANN, call_id, BOB)
    floor.settle()
    assert call_id not in floor.board.calls
    assert {item.call_id for item in left} == set(floor.board.calls)


def test_single_step_transfer_by_the_one_who_called_makes_the_other_the_caller() -> None:
    floor = Floor()
    call_id = floor.switch.calls.make_call(ANN, BOB).call_id
    floor.switch.calls.answer(BOB, call_id)
    floor.switch.joining.single_step_transfer(ANN, call_id, CAT)
    events = floor.settle()
    assert seen(events, CAT, Delivered)[0].call.calling == BOB


def test_single_step_transfer_to_a_party_of_the_call_is_refused() -> None:
    floor = Floor()
    call_id = floor.switch.calls.make_call(ANN, BOB).call_id
    floor.switch.calls.answer(BOB, call_id)
    assert refusal(floor.switch.joining.single_step_transfer, ANN, call_id, BOB) == "invalidDestination"


def test_single_step_conference_adds_a_station_at_once() -> None:
    floor = Floor()
    call_id = floor.talk(ANN)
    parties = floor.switch.joining.single_step_conference(ANN, call_id, BOB)
    events = floor.settle()
    assert parties[-1] == Connection(call_id, BOB)
    assert names(events, BOB) == ["Conferenced", "Established"]
    assert floor.calls_at(BOB) == {call_id: "connected"}


def test_silent_listener_does_not_keep_a_call_alive() -> None:
    floor = Floor()
    call_id = floor.talk(ANN)
    floor.switch.joining.single_step_conference(ANN, call_id, BOB, silent=True)
    floor.settle()
    floor.switch.hang_up_outside(call_id)
    floor.settle()
    assert floor.board.calls == {}


@pytest.mark.parametrize("number", [FRIEND, VDN, CAT, DAN])
def test_single_step_conference_takes_only_a_free_working_station(number: str) -> None:
    floor = Floor()
    call_id = floor.talk(ANN)
    floor.talk(CAT)
    floor.switch.set_service(DAN, in_service=False)
    floor.settle()
    assert refusal(floor.switch.joining.single_step_conference, ANN, call_id, number) == "invalidDestination"


def test_single_step_conference_needs_a_free_appearance() -> None:
    floor = Floor(appearances=1)
    call_id = floor.talk(ANN)
    floor.ring(BOB)
    assert refusal(floor.switch.joining.single_step_conference, ANN, call_id, BOB) == "invalidDestination"


def test_call_that_waits_for_a_group_is_not_sent_to_the_groups_vdn_again() -> None:
    floor = Floor()
    call_id = floor.talk(ANN)
    floor.switch.joining.single_step_conference(ANN, call_id, BOB)
    floor.switch.joining.single_step_transfer(ANN, call_id, VDN)
    floor.settle()
    assert refusal(floor.switch.joining.single_step_transfer, BOB, call_id, VDN) == "invalidDestination"
    assert refusal(floor.switch.joining.single_step_transfer, BOB, call_id, GROUP) == "invalidDestination"


def test_unanswered_group_call_that_waits_for_the_group_already_waits_once() -> None:
    floor = Floor(no_answer_s=10.0)
    floor.log_on(BOB, WorkMode.AUTO_IN)
    call_id = floor.talk(ANN)
    floor.switch.joining.single_step_conference(ANN, call_id, CAT)
    floor.switch.joining.single_step_transfer(ANN, call_id, VDN)
    floor.settle()
    assert floor.parties(call_id)[BOB] == "alerting"
    floor.switch.joining.single_step_transfer(CAT, call_id, VDN)
    floor.settle()
    floor.wait(10.0)
    assert sorted(floor.parties(call_id).values()) == ["connected", "queued"]
    assert floor.mode(BOB) is WorkMode.AUX
