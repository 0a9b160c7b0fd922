"""Agents: who they are, in which work mode, and which changes the switch allows.

    mode                request during a call for the hunt group    reported state
    LOGGED_OFF          -                                           agentNull
    AUX                 at once                                     agentNotReady
    AUTO_IN, MANUAL_IN  pending if asked for, else refused          agentReady, agentBusy while the station is in a call
    AFTER_CALL_WORK     at once                                     agentWorkingAfterCall

Which moves are allowed is decided by ``decide_change``; it changes nothing, so its table can be tested by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from unified_agent.tools.simulators.aes import refusals
from unified_agent.tools.simulators.aes.events import (
    WorkMode,
)
from unified_agent.wire.csta.values import AgentState

READY_MODES = frozenset({WorkMode.AUTO_IN, WorkMode.MANUAL_IN})
#: Reason codes of two digits; releases before private version 7 have one digit.
REASON_LIMIT = 99


class Change(StrEnum):
    """What becomes of a request for another mode."""

    NOW = "now"
    PENDING = "pending"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChange:
    """A mode that follows when the call ends."""

    mode: WorkMode
    reason: int | None


@dataclass(slots=True, kw_only=True, eq=False)
class Agent:
    """One agent.

    Attributes:
        agent_id: the login id.
        password: digits.
        groups: numbers of the hunt groups served.
        mode: present work mode.
        reason: reason code of AUX, or of the last log-off.
        since_s: when mode or reason last changed.
        station: where the agent is logged on, or None.
        pending: what follows the call, or None.
        idle_turn: grows with each time the agent became available; the smallest has been idle longest. None while
            not available.
        reported: what the last event said, so that an event is sent for changes only.
        work_ends_s: when timed after-call work ends, or None.
    """

    agent_id: str
    password: str
    groups: tuple[str, ...]
    mode: WorkMode = WorkMode.LOGGED_OFF
    reason: int | None = None
    since_s: float = 0.0
    station: str | None = None
    pending: PendingChange | None = None
    idle_turn: int | None = None
    reported: tuple[AgentState, WorkMode, int | None] = field(default=(AgentState.NULL, WorkMode.LOGGED_OFF, None))
    work_ends_s: float | None = None


def reported_state(mode: WorkMode, *, in_call: bool, report_busy: bool) -> AgentState:
    """Return the state that the switch tells for a mode.

    Args:
        mode: the work mode.
        in_call: the agent's station has a call that is more than ringing.
        report_busy: tell ``agentBusy`` for a ready agent in a call; without it ``agentReady`` (the talk state of the
            private data then tells the difference). Both are seen in the field.
    """
    match mode:
        case WorkMode.LOGGED_OFF:
            return AgentState.NULL
        case WorkMode.AUX:
            return AgentState.NOT_READY
        case WorkMode.AFTER_CALL_WORK:
            return AgentState.WORKING_AFTER_CALL
        case _:
            return AgentState.BUSY if in_call and report_busy else AgentState.READY


def decide_change(
    agent: Agent,
    mode: WorkMode,
    reason: int | None,
    *,
    in_call: bool,
    in_acd_call: bool,
    enable_pending: bool,
) -> Change:
    """Decide what becomes of a request for ``mode`` by an agent who is logged on.

    Args:
        agent: who asks; not changed.
        mode: what is asked for.
        reason: reason code, for AUX and for logging off.
        in_call: the agent's station has a leg in any call.
        in_acd_call: one of them came by a hunt group.
        enable_pending: the request may wait for the end of the call.

    Returns:
        NOW, PENDING, or KEEP for the mode the agent has (which also takes a pending change back).

    Raises:
        Refused: the reason code is out of range, or the agent is busy and the change may not wait.
            Assumed: stateIncompatibility invalidDeviceState for the latter.
    """
    if reason is not None and not 0 <= reason <= REASON_LIMIT:
        raise refusals.operation("valueOutOfRange")
    if mode is agent.mode and (mode is not WorkMode.AUX or reason == agent.reason):
        return Change.KEEP
    ready_and_busy = in_call and agent.mode in READY_MODES
    leaving_in_call = in_call and mode is WorkMode.LOGGED_OFF
    if not (in_acd_call or ready_and_busy or leaving_in_call):
        return Change.NOW
    if enable_pending:
        return Change.PENDING
    raise refusals.state("invalidDeviceState")
