"""Whether a login is let in to a session that the agent has here already."""

from __future__ import annotations

import hmac
from typing import ClassVar

from unified_agent.domain.session_state import Identity, SessionState
from unified_agent.domain.states import Phase
from unified_agent.errors import UnifiedAgentError


class OpenRefused(UnifiedAgentError):
    """A login that this instance does not take.

    Attributes:
        id: stable id of the reason: ``agent.wrong-password``, ``agent.already-logging-in``,
            ``agent.already-logged-in``, ``agent.logging-out``, ``station.in-use``, ``taken-over``, ``instance.full`` or
            ``instance.draining``.
        detail: what goes with it, for people.
    """

    code: ClassVar[str] = "open-refused"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason} {detail}".strip())
        self.id = reason
        self.detail = detail


def refusal_to_take_over(state: SessionState, identity: Identity) -> OpenRefused | None:
    """Say why a login does not get the running session of the same agent; None when it does.

    With ``agent.already-logging-in`` the running session must be ended too: nobody has proved who they are yet, and the
    first must not shut the second out for long.
    """
    same = hmac.compare_digest(state.identity.password.value.encode(), identity.password.value.encode())
    if not same:
        return OpenRefused("agent.wrong-password" if state.telephony.verified else "agent.already-logging-in")
    if state.phase in {Phase.CLOSING, Phase.CLOSED}:
        return OpenRefused("agent.logging-out")
    if state.identity.station != identity.station:
        return OpenRefused("agent.already-logged-in", state.identity.station)
    return None
