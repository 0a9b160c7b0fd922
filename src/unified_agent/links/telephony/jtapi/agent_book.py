"""What JTAPI says of agents, as facts. Pure.

Busy tells that the agent is on a call and hides the mode behind it: that is the work mode where it is told, else the
last mode that was told, or ready. Log-on gives no fact of its own, as with DMCC: a report of the mode follows it.

Source: aes-jtapi reference, sections 3 and 5. Assumed: WORK_READY is work after a call, as WORK_NOT_READY is; what is
pending with either of them follows that work and not a call.
"""

from __future__ import annotations

from typing import Final

from unified_agent.domain.facts import AgentStateReported
from unified_agent.domain.ids import AgentId, SessionId
from unified_agent.domain.states import SwitchMode
from unified_agent.links.telephony.jtapi.constants import AgentEventId, AgentState, LucentWorkMode
from unified_agent.links.telephony.jtapi.provider import AgentChanged, AgentRead

_STATES: Final[dict[int, SwitchMode]] = {
    AgentState.LOG_OUT: SwitchMode.LOGGED_OUT,
    AgentState.NOT_READY: SwitchMode.NOT_READY,
    AgentState.READY: SwitchMode.READY,
    AgentState.WORK_NOT_READY: SwitchMode.WRAP_UP,
    AgentState.WORK_READY: SwitchMode.WRAP_UP,
}
_WORK_MODES: Final[dict[int, SwitchMode]] = {
    LucentWorkMode.AUX: SwitchMode.NOT_READY,
    LucentWorkMode.AFTER_CALL: SwitchMode.WRAP_UP,
    LucentWorkMode.AUTO_IN: SwitchMode.READY,
    LucentWorkMode.MANUAL_IN: SwitchMode.READY,
}
_EVENTS: Final[dict[int, SwitchMode]] = {
    AgentEventId.LOGGED_OFF: SwitchMode.LOGGED_OUT,
    AgentEventId.NOT_READY: SwitchMode.NOT_READY,
    AgentEventId.READY: SwitchMode.READY,
    AgentEventId.WORK_NOT_READY: SwitchMode.WRAP_UP,
    AgentEventId.WORK_READY: SwitchMode.WRAP_UP,
}
#: Events after which nobody has to ask for the mode. Log-on and log-off come on links that tell nothing else.
TELLING: Final = frozenset({AgentEventId.BUSY, *_EVENTS} - {AgentEventId.LOGGED_OFF})
#: Modes in which an agent can be on a call and stay in them.
_KEPT_WHILE_BUSY: Final = frozenset({SwitchMode.NOT_READY, SwitchMode.WRAP_UP})
_WITH_REASON: Final = frozenset({SwitchMode.NOT_READY, SwitchMode.LOGGED_OUT})


def mode_of(state: int | None) -> SwitchMode | None:
    """Say a state of JTAPI in our words; None for busy, and for one that says no mode."""
    return _STATES.get(state) if state is not None else None


def report_read(session: SessionId, found: AgentRead | None) -> AgentStateReported:
    """Report what was read of a station's agent; None for nobody."""
    if found is None or found.state == AgentState.LOG_OUT:
        return AgentStateReported(session=session, mode=SwitchMode.LOGGED_OUT, talking=False)
    busy = found.state == AgentState.BUSY
    mode = mode_of(found.state) or _work_mode(found) or (SwitchMode.READY if busy else SwitchMode.UNKNOWN)
    return _report(session, found, mode, found.reason, talking=busy, pending=mode_of(found.pending_state))


def report_event(
    session: SessionId, event: AgentChanged, *, before: AgentStateReported | None, tells_busy: bool
) -> AgentStateReported | None:
    """Report an agent event.

    Args:
        session: whose station it is.
        event: of the station's terminal.
        before: what was last reported for the station, None for nothing.
        tells_busy: this station's busy state was told before, so that any other state means "not on a call".

    Returns:
        The fact, or None when the event says nothing of the mode.
    """
    found = event.found
    pending = mode_of(found.pending_state)
    if event.id == AgentEventId.BUSY:
        told = _work_mode(found)
        behind = before if before is not None and before.mode in _KEPT_WHILE_BUSY and told is None else None
        if behind is not None:
            return _report(session, found, behind.mode, behind.reason, talking=True, pending=pending)
        reason = found.reason
        if reason is None and before is not None and before.mode is told:
            reason = before.reason
        return _report(session, found, told or SwitchMode.READY, reason, talking=True, pending=pending)
    mode = _EVENTS.get(event.id)
    if mode is None:
        return None
    if mode in {SwitchMode.WRAP_UP, SwitchMode.LOGGED_OUT}:
        pending = None
    return _report(session, found, mode, found.reason, talking=False if tells_busy else None, pending=pending)


def _report(
    session: SessionId,
    found: AgentRead,
    mode: SwitchMode,
    reason: int | None,
    *,
    talking: bool | None,
    pending: SwitchMode | None,
) -> AgentStateReported:
    return AgentStateReported(
        session=session,
        mode=mode,
        reason=reason if mode in _WITH_REASON else None,
        talking=talking,
        agent=AgentId(found.agent) if found.agent else None,
        pending_mode=pending,
        pending_reason=found.pending_reason if pending is not None else None,
    )


def _work_mode(found: AgentRead) -> SwitchMode | None:
    return _WORK_MODES.get(found.work_mode) if found.work_mode is not None else None
