"""Has what another instance would need of a session written whenever it has changed."""

from __future__ import annotations

from msgspec.structs import replace

from unified_agent.domain.carry import carry_of
from unified_agent.domain.ids import SessionId
from unified_agent.domain.ports import Registry
from unified_agent.domain.session_state import SessionState
from unified_agent.domain.states import ClaimStage


class Publisher:
    """Remembers what was handed to the registry last. ``registry``: None for an instance that is alone."""

    def __init__(self, registry: Registry | None) -> None:
        self._registry = registry
        self._last: dict[SessionId, SessionState] = {}

    def look(self, state: SessionState) -> None:
        """Hand a session's carry on if it differs from the last."""
        if self._registry is None or state.claim.stage is ClaimStage.ASKED:
            return
        carry, last = carry_of(state), self._last.get(state.id)
        if last is not None and state.claim.stage is ClaimStage.LEAVING:
            carry = replace(carry, dialler=last.dialler)  # what the agent had there, not that it is left for the move
        if carry != last:
            self._last[state.id] = carry
            self._registry.publish(carry)

    def forget(self, session: SessionId) -> None:
        """Know that a session is over here."""
        self._last.pop(session, None)
