"""What the switch says of agents, as facts.

``agentBusy`` tells that the agent is on a call and hides the mode behind it, which is then the last one told, or
ready. Log-on gives no fact of its own: it does not tell the mode, and a report of the mode follows it (Assumed:
always; where none does, the mode is the one that was asked for with the log-in).

Source: aes-dmcc reference, section 7.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from unified_agent.domain.facts import AgentStateReported
from unified_agent.domain.ids import AgentId, SessionId
from unified_agent.domain.states import SwitchMode
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.values import AgentState, TalkState, WorkMode

#: Events about agents.
AgentEvent = (
    csta.AgentBusyEvent
    | csta.AgentLoggedOffEvent
    | csta.AgentLoggedOnEvent
    | csta.AgentNotReadyEvent
    | csta.AgentReadyEvent
    | csta.AgentWorkingAfterCallEvent
)

_STATES: Final = {
    AgentState.NOT_READY: SwitchMode.NOT_READY,
    AgentState.READY: SwitchMode.READY,
    AgentState.WORKING_AFTER_CALL: SwitchMode.WRAP_UP,
    AgentState.NULL: SwitchMode.LOGGED_OUT,
}
_WORK_MODES: Final = {
    WorkMode.AUX_WORK: SwitchMode.NOT_READY,
    WorkMode.AUTO_IN: SwitchMode.READY,
    WorkMode.MANUAL_IN: SwitchMode.READY,
    WorkMode.AFTER_CALL_WORK: SwitchMode.WRAP_UP,
}
#: Modes in which an agent can be on a call and stay in them.
_KEPT_WHILE_BUSY: Final = frozenset({SwitchMode.NOT_READY, SwitchMode.WRAP_UP})
_WITH_REASON: Final = frozenset({SwitchMode.NOT_READY, SwitchMode.LOGGED_OUT})


class AgentFound(Struct, frozen=True, kw_only=True):
    """Who is at a station and in which mode, as GetAgentState tells. Fields as in ``StationSnapshot``."""

    agent: AgentId | None
    mode: SwitchMode
    reason: int | None = None
    talking: bool | None = None
    pending_mode: SwitchMode | None = None
    pending_reason: int | None = None


def mode_of(state: AgentState | None) -> SwitchMode | None:
    """Say a CSTA state in our words; None for busy, and for one that we do not know."""
    return _STATES.get(state) if state is not None else None


def agent_found(answer: csta.GetAgentStateResponse) -> AgentFound:
    """Read an answer to GetAgentState."""
    entry = next((each for each in answer.agents if each.logged_on), None)
    if entry is None:
        return AgentFound(agent=None, mode=SwitchMode.LOGGED_OUT, talking=_talking(answer.talk_state))
    work_mode = _WORK_MODES.get(answer.work_mode) if answer.work_mode is not None else None
    busy = entry.state is AgentState.BUSY
    mode = mode_of(entry.state) or work_mode or (SwitchMode.READY if busy else SwitchMode.UNKNOWN)
    pending = mode_of(entry.groups[0].pending_state) if entry.groups else None
    return AgentFound(
        agent=AgentId(entry.agent_id) if entry.agent_id else None,
        mode=mode,
        reason=answer.reason_code if mode in _WITH_REASON else None,
        talking=True if busy else _talking(answer.talk_state),
        pending_mode=pending,
        pending_reason=answer.pending_reason_code if pending is not None else None,
    )


def report_found(session: SessionId, found: AgentFound) -> AgentStateReported:
    """Report what GetAgentState told."""
    return AgentStateReported(
        session=session,
        mode=found.mode,
        reason=found.reason,
        talking=found.talking,
        agent=found.agent,
        pending_mode=found.pending_mode,
        pending_reason=found.pending_reason,
    )


def report_event(
    session: SessionId, event: AgentEvent, *, before: AgentStateReported | None, tells_busy: bool
) -> AgentStateReported | None:
    """Report an agent event.

    Args:
        session: whose station it is.
        event: from the station's monitor.
        before: what was last reported for the station, None for nothing.
        tells_busy: this station's busy state was told before, so that any other state means "not on a call".

    Returns:
        The fact, or None when the event says nothing of the mode. ``agent`` is whoever the event names, also with a
        log-off, so that somebody else's can be told from ours.
    """
    match event:
        case csta.AgentLoggedOnEvent():
            return None
        case csta.AgentLoggedOffEvent():
            mode, reason, pending, pending_reason = SwitchMode.LOGGED_OUT, event.reason_code, None, None
        case csta.AgentBusyEvent():
            behind = before if before is not None and before.mode in _KEPT_WHILE_BUSY else None
            mode, reason = (behind.mode, behind.reason) if behind else (SwitchMode.READY, None)
            pending, pending_reason = mode_of(event.pending_state), None
        case csta.AgentNotReadyEvent():
            mode, reason = SwitchMode.NOT_READY, event.reason_code
            pending, pending_reason = _pending(event.pending_work_mode), event.pending_reason_code
        case csta.AgentReadyEvent():
            mode, reason = SwitchMode.READY, None
            pending, pending_reason = _pending(event.pending_work_mode), event.pending_reason_code
        case csta.AgentWorkingAfterCallEvent():
            mode, reason = SwitchMode.WRAP_UP, None
            # ``pending_state`` is not looked at: it names what follows this work, not what follows a call.
            pending, pending_reason = _pending(event.pending_work_mode), event.pending_reason_code
    busy = isinstance(event, csta.AgentBusyEvent)
    return AgentStateReported(
        session=session,
        mode=mode,
        reason=reason,
        talking=True if busy else (False if tells_busy else None),
        agent=AgentId(event.agent_id) if event.agent_id else None,
        pending_mode=pending,
        pending_reason=pending_reason if pending is not None else None,
    )


def _pending(work_mode: WorkMode | None) -> SwitchMode | None:
    return _WORK_MODES.get(work_mode) if work_mode is not None else None


def _talking(talk_state: TalkState | None) -> bool | None:
    return None if talk_state is None else talk_state is TalkState.ON_CALL
