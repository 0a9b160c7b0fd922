"""Agents log on and off, change mode, and go where they must when a call ends."""

from __future__ import annotations

import pytest
from tests.unit.tools.simulators.aes.floor import ANN, BOB, GROUP, VDN, Floor, names, refusal, seen, states

from unified_agent.tools.simulators.aes.events import AgentChanged, Diverted, WorkMode
from unified_agent.tools.simulators.aes.plan import AfterCallWork
from unified_agent.wire.csta.values import AgentState

AUX, AUTO, MANUAL, WORK, OFF = (
    WorkMode.AUX,
    WorkMode.AUTO_IN,
    WorkMode.MANUAL_IN,
    WorkMode.AFTER_CALL_WORK,
    WorkMode.LOGGED_OFF,
)


@pytest.mark.parametrize("mode", [AUX, AUTO, MANUAL, WORK])
def test_agent_logs_on_in_the_mode_asked_for(mode: WorkMode) -> None:
    floor = Floor()
    floor.log_on(ANN, mode, 2 if mode is AUX else None)
    (event,) = [item.event for item in floor.events]
    assert isinstance(event, AgentChanged)
    assert (event.mode, event.logged_on, event.agent_id) == (mode, True, "5001")


@pytest.mark.parametrize(
    ("station", "agent", "password", "mode", "value"),
    [
        ("2999", "5001", "1234", AUX, "invalidDeviceID"),
        (ANN, "5999", "1234", AUX, "invalidAgentIdentifier"),
        (ANN, "5001", "4321", AUX, "invalidAgentPassword"),
        (ANN, "5001", "", AUX, "invalidAgentPassword"),
        (ANN, "5001", "1234", OFF, "invalidAgentState"),
        (ANN, "5002", "1234", AUX, "invalidDeviceState"),  # somebody else is there, after Ann's log-on below
        (ANN, "5001", "1234", AUX, "generic"),
        (BOB, "5001", "1234", AUX, "invalidObjectState"),
    ],
)
def test_log_on_is_refused_with_the_value_for_its_fault(
    station: str, agent: str, password: str, mode: WorkMode, value: str
) -> None:
    floor = Floor()
    if value in {"invalidDeviceState", "generic", "invalidObjectState"}:
        floor.log_on(ANN)
    assert refusal(floor.switch.agents.log_on, station, agent, password, mode=mode) == value
    assert floor.settle() == []


def test_log_on_at_the_telephone_asks_no_password() -> None:
    floor = Floor()
    floor.switch.agents.log_on(ANN, "5001", None)
    floor.settle()
    assert floor.mode(ANN) is AUX


def test_log_off_tells_the_reason_and_frees_the_station() -> None:
    floor = Floor()
    floor.log_on(ANN)
    floor.set_mode(ANN, OFF, reason=4)
    event = floor.events[-1].event
    assert isinstance(event, AgentChanged)
    assert (event.state, event.reason) == (AgentState.NULL, 4)
    assert floor.board.stations[ANN].agent is None
    assert refusal(floor.switch.agents.set_mode, ANN, AUX) == "invalidAgentState"
    floor.log_on(ANN)


@pytest.mark.parametrize(("agent", "value"), [("5002", "invalidAgentIdentifier"), ("5999", "invalidAgentIdentifier")])
def test_a_change_for_somebody_else_is_refused(agent: str, value: str) -> None:
    floor = Floor()
    floor.log_on(ANN)
    assert refusal(floor.switch.agents.set_mode, ANN, AUTO, agent_id=agent) == value


def test_the_same_mode_again_tells_nothing() -> None:
    floor = Floor()
    floor.log_on(ANN, AUX, 2)
    floor.events.clear()
    assert floor.set_mode(ANN, AUX, reason=2) is False
    assert floor.events == []
    floor.set_mode(ANN, AUX, reason=3)
    assert states(floor.events, ANN) == ["agentNotReady"]


def test_ready_agent_is_told_busy_from_answer_to_end() -> None:
    floor = Floor()
    floor.log_on(ANN, AUTO)
    floor.events.clear()
    call_id = floor.arrive()
    assert states(floor.events, ANN) == []
    floor.switch.calls.answer(ANN, call_id)
    floor.settle()
    floor.switch.hang_up_outside(call_id)
    floor.settle()
    assert states(floor.events, ANN) == ["agentBusy", "agentReady"]


def test_without_report_busy_a_ready_agent_stays_ready_in_a_call() -> None:
    floor = Floor(report_busy=False)
    floor.log_on(ANN, AUTO)
    floor.events.clear()
    floor.switch.calls.answer(ANN, floor.arrive())
    assert states(floor.settle(), ANN) == []


@pytest.mark.parametrize(
    ("rule", "mode", "after"),
    [
        (AfterCallWork.MANUAL_IN, MANUAL, WORK),
        (AfterCallWork.MANUAL_IN, AUTO, AUTO),
        (AfterCallWork.ALWAYS, AUTO, WORK),
        (AfterCallWork.ALWAYS, MANUAL, WORK),
        (AfterCallWork.NEVER, MANUAL, MANUAL),
        (AfterCallWork.NEVER, AUTO, AUTO),
    ],
)
def test_after_call_work_follows_the_rule(rule: AfterCallWork, mode: WorkMode, after: WorkMode) -> None:
    floor = Floor(after_call_work=rule)
    floor.log_on(ANN, mode)
    call_id = floor.arrive()
    floor.switch.calls.answer(ANN, call_id)
    floor.settle()
    floor.switch.calls.clear_connection(ANN, call_id)
    floor.settle()
    assert floor.mode(ANN) is after


def test_timed_after_call_work_ends_by_itself() -> None:
    floor = Floor(timed_work_s=10.0)
    floor.log_on(ANN, AUTO)
    call_id = floor.arrive()
    floor.switch.calls.answer(ANN, call_id)
    floor.settle()
    floor.switch.hang_up_outside(call_id)
    floor.settle()
    assert floor.mode(ANN) is WORK
    floor.wait(9.9)
    assert floor.mode(ANN) is WORK
    assert states(floor.wait(0.1), ANN) == ["agentReady"]


def test_timed_after_call_work_does_not_end_a_later_one() -> None:
    floor = Floor(timed_work_s=10.0)
    floor.log_on(ANN, AUTO)
    call_id = floor.arrive()
    floor.switch.calls.answer(ANN, call_id)
    floor.settle()
    floor.switch.hang_up_outside(call_id)
    floor.settle()
    floor.set_mode(ANN, AUX)
    floor.set_mode(ANN, WORK)
    floor.wait(20)
    assert floor.mode(ANN) is WORK


def test_own_call_is_followed_by_no_after_call_work() -> None:
    floor = Floor()
    floor.log_on(ANN, MANUAL)
    call_id = floor.talk(ANN)
    floor.switch.hang_up_outside(call_id)
    floor.settle()
    assert floor.mode(ANN) is MANUAL


def test_abandoned_ringing_is_followed_by_no_after_call_work() -> None:
    floor = Floor()
    floor.log_on(ANN, MANUAL)
    floor.switch.hang_up_outside(floor.arrive())
    floor.settle()
    assert floor.mode(ANN) is MANUAL


def test_pending_change_comes_with_the_end_of_the_call_and_replaces_after_call_work() -> None:
    floor = Floor()
    floor.log_on(ANN, MANUAL)
    call_id = floor.arrive()
    floor.switch.calls.answer(ANN, call_id)
    floor.settle()
    assert floor.set_mode(ANN, AUX, reason=3, enable_pending=True) is True
    assert floor.mode(ANN) is MANUAL
    floor.events.clear()
    floor.switch.hang_up_outside(call_id)
    floor.settle()
    assert floor.mode(ANN) is AUX
    assert states(floor.events, ANN) == ["agentNotReady"]


def test_pending_change_is_taken_back_by_asking_for_the_present_mode() -> None:
    floor = Floor()
    floor.log_on(ANN, AUTO)
    call_id = floor.arrive()
    floor.switch.calls.answer(ANN, call_id)
    floor.settle()
    floor.set_mode(ANN, OFF, enable_pending=True)
    assert floor.set_mode(ANN, AUTO, enable_pending=True) is False
    floor.switch.hang_up_outside(call_id)
    floor.settle()
    assert floor.mode(ANN) is AUTO


def test_pending_log_off_is_done_after_the_call() -> None:
    floor = Floor()
    floor.log_on(ANN, AUTO)
    call_id = floor.talk(ANN)
    assert floor.set_mode(ANN, OFF, reason=1, enable_pending=True) is True
    floor.switch.calls.clear_connection(ANN, call_id)
    assert states(floor.settle(), ANN) == ["agentNull"]


def test_agent_who_lets_a_group_call_ring_goes_to_aux_and_the_call_to_the_next() -> None:
    floor = Floor(no_answer_s=12.0, no_answer_reason=7)
    floor.log_on(ANN, AUTO)
    floor.log_on(BOB, AUTO)
    call_id = floor.arrive()
    assert floor.calls_at(ANN) == {call_id: "alerting"}
    events = floor.wait(12.0)
    assert (floor.mode(ANN), floor.board.agents["5001"].reason) == (AUX, 7)
    assert seen(events, ANN, Diverted)[0].new_destination == VDN
    assert floor.calls_at(BOB) == {call_id: "alerting"}
    assert floor.board.calls[call_id].last_redirection == ANN


def test_unanswered_group_call_waits_at_the_head_of_the_queue() -> None:
    floor = Floor(no_answer_s=12.0)
    floor.log_on(ANN, AUTO)
    first, second = floor.arrive(), floor.arrive(caller="3002")
    floor.wait(12.0)
    assert [leg.call.call_id for leg in floor.board.groups[GROUP].waiting] == [first, second]


def test_ringing_that_is_answered_in_time_is_left_alone() -> None:
    floor = Floor(no_answer_s=12.0)
    floor.log_on(ANN, AUTO)
    call_id = floor.arrive()
    floor.wait(11)
    floor.switch.calls.answer(ANN, call_id)
    floor.wait(5)
    assert floor.calls_at(ANN) == {call_id: "connected"}
    assert "Diverted" not in names(floor.events, ANN)
