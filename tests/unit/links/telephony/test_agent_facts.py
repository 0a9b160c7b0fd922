from __future__ import annotations

from typing import Any

import pytest
from tests.unit.links.telephony.world import party

from unified_agent.domain.facts import AgentStateReported
from unified_agent.domain.ids import AgentId, SessionId
from unified_agent.domain.states import SwitchMode
from unified_agent.links.telephony.agent_facts import AgentFound, agent_found, report_event, report_found
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.values import AfterCallPendingState, AgentState, MonitorId, TalkState, WorkMode

S = SessionId("s")
US = AgentId("5001")
OUT, AUX, READY, ACW = SwitchMode.LOGGED_OUT, SwitchMode.NOT_READY, SwitchMode.READY, SwitchMode.WRAP_UP


def told(kind: type[csta.Message], **fields: Any) -> Any:
    return kind(monitor_id=MonitorId("1"), device=party("2001"), agent_id="5001", **fields)


def report(mode: SwitchMode, **fields: Any) -> AgentStateReported:
    return AgentStateReported(session=S, agent=US, mode=mode, **fields)


@pytest.mark.parametrize(
    ("event", "fact"),
    [
        (told(csta.AgentLoggedOnEvent), None),
        (told(csta.AgentLoggedOffEvent, reason_code=4), report(OUT, reason=4)),
        (told(csta.AgentNotReadyEvent, reason_code=3), report(AUX, reason=3)),
        (
            told(csta.AgentNotReadyEvent, pending_work_mode=WorkMode.MANUAL_IN),
            report(AUX, pending_mode=READY),
        ),
        (told(csta.AgentReadyEvent, reason_code=9), report(READY)),
        (
            told(csta.AgentReadyEvent, pending_work_mode=WorkMode.AUX_WORK, pending_reason_code=3),
            report(READY, pending_mode=AUX, pending_reason=3),
        ),
        (told(csta.AgentReadyEvent, pending_reason_code=3), report(READY)),
        (told(csta.AgentWorkingAfterCallEvent), report(ACW)),
        (told(csta.AgentWorkingAfterCallEvent, pending_state=AfterCallPendingState.READY), report(ACW)),
        (
            told(csta.AgentWorkingAfterCallEvent, pending_work_mode=WorkMode.AFTER_CALL_WORK),
            report(ACW, pending_mode=ACW),
        ),
        (told(csta.AgentBusyEvent), report(READY, talking=True)),
        (
            told(csta.AgentBusyEvent, pending_state=AgentState.NOT_READY),
            report(READY, talking=True, pending_mode=AUX),
        ),
    ],
)
def test_agent_event_becomes_a_report_of_the_mode(event: Any, fact: AgentStateReported | None) -> None:
    assert report_event(S, event, before=None, tells_busy=False) == fact


def test_busy_keeps_the_mode_behind_it() -> None:
    aux = report(AUX, reason=3)
    assert report_event(S, told(csta.AgentBusyEvent), before=aux, tells_busy=False) == report(
        AUX, reason=3, talking=True
    )
    assert report_event(S, told(csta.AgentBusyEvent), before=report(OUT), tells_busy=False) == report(
        READY, talking=True
    )


def test_where_busy_is_told_any_other_state_means_not_on_a_call() -> None:
    assert report_event(S, told(csta.AgentReadyEvent), before=None, tells_busy=True) == report(READY, talking=False)


def answer(state: AgentState | None, pending: AgentState | None = None, **fields: Any) -> csta.GetAgentStateResponse:
    group = csta.AgentGroupState(state=state, pending_state=pending)
    entry = csta.AgentEntry(logged_on=True, agent_id="5001", groups=(group,))
    return csta.GetAgentStateResponse(agents=(entry,), **fields)


@pytest.mark.parametrize(
    ("message", "found"),
    [
        (csta.GetAgentStateResponse(), AgentFound(agent=None, mode=OUT)),
        (
            csta.GetAgentStateResponse(agents=(csta.AgentEntry(logged_on=False),), talk_state=TalkState.ON_CALL),
            AgentFound(agent=None, mode=OUT, talking=True),
        ),
        (
            answer(AgentState.NOT_READY, work_mode=WorkMode.AUX_WORK, talk_state=TalkState.IDLE, reason_code=3),
            AgentFound(agent=US, mode=AUX, reason=3, talking=False),
        ),
        (
            answer(AgentState.READY, work_mode=WorkMode.AUTO_IN, talk_state=TalkState.ON_CALL, reason_code=3),
            AgentFound(agent=US, mode=READY, talking=True),
        ),
        (
            answer(AgentState.READY, AgentState.NOT_READY, pending_reason_code=5),
            AgentFound(agent=US, mode=READY, pending_mode=AUX, pending_reason=5),
        ),
        (answer(AgentState.WORKING_AFTER_CALL), AgentFound(agent=US, mode=ACW)),
        (answer(AgentState.BUSY), AgentFound(agent=US, mode=READY, talking=True)),
        (
            answer(AgentState.BUSY, work_mode=WorkMode.AUX_WORK, reason_code=2),
            AgentFound(agent=US, mode=AUX, reason=2, talking=True),
        ),
        (answer(None), AgentFound(agent=US, mode=SwitchMode.UNKNOWN)),
        (answer(None, work_mode=WorkMode.MANUAL_IN), AgentFound(agent=US, mode=READY)),
    ],
)
def test_answer_tells_who_is_there_and_how(message: csta.GetAgentStateResponse, found: AgentFound) -> None:
    assert agent_found(message) == found


def test_second_entry_counts_when_the_first_is_logged_off() -> None:
    entries = (csta.AgentEntry(logged_on=False, agent_id="4999"), answer(AgentState.READY).agents[0])
    assert agent_found(csta.GetAgentStateResponse(agents=entries)).agent == US


def test_what_was_found_is_reported_whole() -> None:
    found = AgentFound(agent=US, mode=READY, talking=True, pending_mode=AUX, pending_reason=5)
    assert report_found(S, found) == report(READY, talking=True, pending_mode=AUX, pending_reason=5)
