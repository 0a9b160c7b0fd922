"""Agents' states of JTAPI, as facts."""

from __future__ import annotations

from typing import Any

import pytest

from unified_agent.domain.facts import AgentStateReported
from unified_agent.domain.ids import AgentId, SessionId
from unified_agent.domain.states import SwitchMode
from unified_agent.links.telephony.jtapi.agent_book import TELLING, report_event, report_read
from unified_agent.links.telephony.jtapi.constants import AgentEventId, AgentState, LucentWorkMode
from unified_agent.links.telephony.jtapi.provider import AgentChanged, AgentRead

S = SessionId("s")
NOT_READY = AgentStateReported(session=S, mode=SwitchMode.NOT_READY, reason=3)
WRAP_UP = AgentStateReported(session=S, mode=SwitchMode.WRAP_UP)
READY = AgentStateReported(session=S, mode=SwitchMode.READY)


def read(state: AgentState, **fields: Any) -> AgentRead:
    return AgentRead(agent="5001", state=state, **fields)


def event(number: int, **fields: Any) -> AgentChanged:
    return AgentChanged(station="2001", id=number, found=AgentRead(agent="5001", state=AgentState.UNKNOWN, **fields))


@pytest.mark.parametrize(
    ("found", "mode", "reason", "talking"),
    [
        (None, SwitchMode.LOGGED_OUT, None, False),
        (read(AgentState.LOG_OUT), SwitchMode.LOGGED_OUT, None, False),
        (read(AgentState.NOT_READY, reason=4), SwitchMode.NOT_READY, 4, False),
        (read(AgentState.READY, reason=0, work_mode=LucentWorkMode.AUTO_IN), SwitchMode.READY, None, False),
        (read(AgentState.WORK_NOT_READY), SwitchMode.WRAP_UP, None, False),
        (read(AgentState.WORK_READY), SwitchMode.WRAP_UP, None, False),
        (read(AgentState.BUSY), SwitchMode.READY, None, True),
        (read(AgentState.BUSY, work_mode=LucentWorkMode.AUX, reason=2), SwitchMode.NOT_READY, 2, True),
        (read(AgentState.LOG_IN, work_mode=LucentWorkMode.AFTER_CALL), SwitchMode.WRAP_UP, None, False),
        (read(AgentState.LOG_IN), SwitchMode.UNKNOWN, None, False),
        (read(AgentState.UNKNOWN, work_mode=99), SwitchMode.UNKNOWN, None, False),
    ],
)
def test_what_is_read_becomes_a_report(
    found: AgentRead | None, mode: SwitchMode, reason: int | None, talking: bool
) -> None:
    report = report_read(S, found)
    assert (report.mode, report.reason, report.talking) == (mode, reason, talking)


def test_pending_mode_is_read_with_its_reason() -> None:
    report = report_read(S, read(AgentState.BUSY, pending_state=AgentState.NOT_READY, pending_reason=7))
    assert (report.pending_mode, report.pending_reason, report.agent) == (SwitchMode.NOT_READY, 7, AgentId("5001"))


def test_reason_of_nothing_pending_is_no_reason() -> None:
    report = report_read(S, read(AgentState.READY, pending_state=AgentState.UNKNOWN, pending_reason=-1))
    assert (report.pending_mode, report.pending_reason) == (None, None)


@pytest.mark.parametrize(
    ("number", "fields", "mode", "reason"),
    [
        (AgentEventId.LOGGED_OFF, {"reason": 2}, SwitchMode.LOGGED_OUT, 2),
        (AgentEventId.NOT_READY, {"reason": 3}, SwitchMode.NOT_READY, 3),
        (AgentEventId.READY, {"reason": 3}, SwitchMode.READY, None),
        (AgentEventId.WORK_NOT_READY, {}, SwitchMode.WRAP_UP, None),
        (AgentEventId.WORK_READY, {}, SwitchMode.WRAP_UP, None),
    ],
)
def test_event_becomes_a_report(
    number: AgentEventId, fields: dict[str, Any], mode: SwitchMode, reason: int | None
) -> None:
    report = report_event(S, event(number, **fields), before=None, tells_busy=False)
    assert report is not None
    assert (report.mode, report.reason, report.talking, report.agent) == (mode, reason, None, "5001")


@pytest.mark.parametrize("number", [AgentEventId.LOGGED_ON, AgentEventId.UNKNOWN, 999])
def test_event_that_tells_no_mode_gives_no_report(number: int) -> None:
    assert report_event(S, event(number), before=None, tells_busy=True) is None
    assert number not in TELLING


@pytest.mark.parametrize(
    ("before", "work_mode", "mode", "reason"),
    [
        (None, None, SwitchMode.READY, None),
        (READY, None, SwitchMode.READY, None),
        (NOT_READY, None, SwitchMode.NOT_READY, 3),
        (WRAP_UP, LucentWorkMode.NONE, SwitchMode.WRAP_UP, None),
        (NOT_READY, LucentWorkMode.AUX, SwitchMode.NOT_READY, 3),
        (NOT_READY, LucentWorkMode.AUTO_IN, SwitchMode.READY, None),
    ],
)
def test_busy_hides_the_mode_behind_it(
    before: AgentStateReported | None, work_mode: int | None, mode: SwitchMode, reason: int | None
) -> None:
    report = report_event(S, event(AgentEventId.BUSY, work_mode=work_mode), before=before, tells_busy=False)
    assert report is not None
    assert (report.mode, report.reason, report.talking) == (mode, reason, True)


def test_other_state_means_not_on_a_call_once_busy_was_told() -> None:
    report = report_event(S, event(AgentEventId.READY), before=None, tells_busy=True)
    assert report is not None
    assert report.talking is False


@pytest.mark.parametrize("number", [AgentEventId.WORK_NOT_READY, AgentEventId.LOGGED_OFF])
def test_what_follows_work_after_a_call_is_not_pending(number: AgentEventId) -> None:
    report = report_event(S, event(number, pending_state=AgentState.NOT_READY), before=None, tells_busy=False)
    assert report is not None
    assert report.pending_mode is None


def test_pending_of_a_busy_agent_is_told() -> None:
    found = event(AgentEventId.BUSY, pending_state=AgentState.NOT_READY, pending_reason=4)
    report = report_event(S, found, before=READY, tells_busy=True)
    assert report is not None
    assert (report.mode, report.pending_mode, report.pending_reason) == (SwitchMode.READY, SwitchMode.NOT_READY, 4)
