"""Which changes of mode are done at once, wait for the end of the call, or are refused."""

from __future__ import annotations

import pytest

from unified_agent.tools.simulators.aes.agents import REASON_LIMIT, Agent, Change, decide_change, reported_state
from unified_agent.tools.simulators.aes.events import WorkMode
from unified_agent.tools.simulators.aes.refusals import Refused
from unified_agent.wire.csta.values import AgentState

OFF, AUX, AUTO, MANUAL, WORK = (
    WorkMode.LOGGED_OFF,
    WorkMode.AUX,
    WorkMode.AUTO_IN,
    WorkMode.MANUAL_IN,
    WorkMode.AFTER_CALL_WORK,
)
NOW, WAITS, KEEP = Change.NOW, Change.PENDING, Change.KEEP
REFUSED = None

#: from, to → idle; in a call of the agent's own; in a call of the hunt group. Waiting is not asked for.
MOVES = {
    (AUX, AUX): (KEEP, KEEP, KEEP),
    (AUX, AUTO): (NOW, NOW, REFUSED),
    (AUX, MANUAL): (NOW, NOW, REFUSED),
    (AUX, WORK): (NOW, NOW, REFUSED),
    (AUX, OFF): (NOW, REFUSED, REFUSED),
    (AUTO, AUX): (NOW, REFUSED, REFUSED),
    (AUTO, AUTO): (KEEP, KEEP, KEEP),
    (AUTO, MANUAL): (NOW, REFUSED, REFUSED),
    (AUTO, WORK): (NOW, REFUSED, REFUSED),
    (AUTO, OFF): (NOW, REFUSED, REFUSED),
    (MANUAL, AUX): (NOW, REFUSED, REFUSED),
    (MANUAL, AUTO): (NOW, REFUSED, REFUSED),
    (MANUAL, MANUAL): (KEEP, KEEP, KEEP),
    (MANUAL, WORK): (NOW, REFUSED, REFUSED),
    (MANUAL, OFF): (NOW, REFUSED, REFUSED),
    (WORK, AUX): (NOW, NOW, REFUSED),
    (WORK, AUTO): (NOW, NOW, REFUSED),
    (WORK, MANUAL): (NOW, NOW, REFUSED),
    (WORK, WORK): (KEEP, KEEP, KEEP),
    (WORK, OFF): (NOW, REFUSED, REFUSED),
}


def ask(start: WorkMode, end: WorkMode, column: int, *, enable_pending: bool, reason: int | None = None) -> Change:
    agent = Agent(agent_id="5001", password="1", groups=("100",), mode=start)
    return decide_change(agent, end, reason, in_call=column > 0, in_acd_call=column == 2, enable_pending=enable_pending)


@pytest.mark.parametrize("column", [0, 1, 2], ids=["idle", "own-call", "group-call"])
@pytest.mark.parametrize(("start", "end"), MOVES)
def test_each_change_is_done_kept_or_refused_as_the_table_says(start: WorkMode, end: WorkMode, column: int) -> None:
    expected = MOVES[start, end][column]
    if expected is None:
        with pytest.raises(Refused, match="stateIncompatibility: invalidDeviceState"):
            ask(start, end, column, enable_pending=False)
    else:
        assert ask(start, end, column, enable_pending=False) is expected


@pytest.mark.parametrize("column", [0, 1, 2], ids=["idle", "own-call", "group-call"])
@pytest.mark.parametrize(("start", "end"), MOVES)
def test_what_would_be_refused_waits_when_waiting_is_asked_for(start: WorkMode, end: WorkMode, column: int) -> None:
    expected = MOVES[start, end][column]
    assert ask(start, end, column, enable_pending=True) is (WAITS if expected is None else expected)


def test_another_reason_for_aux_is_a_change() -> None:
    assert ask(AUX, AUX, 0, enable_pending=False, reason=3) is NOW
    assert ask(AUX, AUX, 1, enable_pending=False, reason=3) is NOW


@pytest.mark.parametrize("reason", [-1, REASON_LIMIT + 1])
def test_reason_out_of_range_is_refused(reason: int) -> None:
    with pytest.raises(Refused, match="operation: valueOutOfRange"):
        ask(AUTO, AUX, 0, enable_pending=True, reason=reason)


@pytest.mark.parametrize(
    ("mode", "idle", "in_call"),
    [
        (OFF, AgentState.NULL, AgentState.NULL),
        (AUX, AgentState.NOT_READY, AgentState.NOT_READY),
        (AUTO, AgentState.READY, AgentState.BUSY),
        (MANUAL, AgentState.READY, AgentState.BUSY),
        (WORK, AgentState.WORKING_AFTER_CALL, AgentState.WORKING_AFTER_CALL),
    ],
)
def test_reported_state_follows_mode_and_call(mode: WorkMode, idle: AgentState, in_call: AgentState) -> None:
    assert reported_state(mode, in_call=False, report_busy=True) is idle
    assert reported_state(mode, in_call=True, report_busy=True) is in_call
    assert reported_state(mode, in_call=True, report_busy=False) is idle
