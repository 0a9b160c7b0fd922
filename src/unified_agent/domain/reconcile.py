"""What we believed and a fresh snapshot, brought together. Pure questions and answers for ``telephony_steps``."""

from __future__ import annotations

from enum import StrEnum

from unified_agent.domain.call import Calls
from unified_agent.domain.facts import StationSnapshot
from unified_agent.domain.session_state import SessionState
from unified_agent.domain.states import Presence, SwitchMode


class Verdict(StrEnum):
    """What a snapshot of the station means for its session.

    LOG_IN: nobody is logged in there. TAKE_OVER: our agent is, and the password has been proved. PROVE: our agent is,
    but nobody has proved the password in this session: log out and in again. ON_A_CALL: the same, but a call is up and
    must not be disturbed. TAKEN: somebody else is logged in.
    """

    LOG_IN = "log-in"
    TAKE_OVER = "take-over"
    PROVE = "prove"
    ON_A_CALL = "on-a-call"
    TAKEN = "taken"


def judge(state: SessionState, snapshot: StationSnapshot) -> Verdict:
    """Say what to do about the agent found at the station."""
    if snapshot.agent is None or snapshot.mode is SwitchMode.LOGGED_OUT:
        return Verdict.LOG_IN
    if snapshot.agent != state.identity.agent:
        return Verdict.TAKEN
    if state.telephony.verified:
        return Verdict.TAKE_OVER
    return Verdict.ON_A_CALL if snapshot.calls or snapshot.talking else Verdict.PROVE


def calls_accounted_for(before: Calls, after: Calls) -> bool:
    """Say whether every call we knew is still up; one that ended while we could not see leaves a doubt about what
    the agent was doing, and they are then not put on new calls by surprise.
    """
    present = {each.id for each in after}
    return all(each.id in present for each in before)


def mode_to_restore(
    state: SessionState, *, found: SwitchMode, outage_s: float, accounted: bool
) -> tuple[SwitchMode, str] | None:
    """Choose the mode to ask for after a loss.

    Args:
        state: the session, with the mode the agent wanted.
        found: the mode the switch has now (after logging in again: not ready).
        outage_s: how long nobody could ask the switch.
        accounted: see ``calls_accounted_for``.

    Returns:
        The mode and the system reason to show with it, or None when the switch already has what is right.
    """
    short = outage_s < state.policy.hold_s
    wants_ready = state.telephony.wanted is SwitchMode.READY and state.presence is not Presence.ABSENT
    if wants_ready and short and accounted:
        return None if found is SwitchMode.READY else (SwitchMode.READY, "")
    if found is SwitchMode.READY:
        return SwitchMode.NOT_READY, "switch-link-lost" if state.presence is not Presence.ABSENT else "desktop-absent"
    return None
