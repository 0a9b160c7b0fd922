"""Who owns which agent: the port ``Registry`` of ``domain.ports``, put together of its parts.

A claim that is held counts only while the incarnation that made it may act and our datacentre serves in the epoch in
which it was made (``holdings``); that is asked directly before each deed. Claims are asked for in ``claiming``, given
up in ``releasing``; what a session leaves to its next owner is written by ``carries``.
"""

from __future__ import annotations

from unified_agent.cluster.carries import Carries
from unified_agent.cluster.claiming import Claiming
from unified_agent.cluster.holdings import Holdings
from unified_agent.cluster.releasing import Releasing
from unified_agent.domain.effects import AskClaim
from unified_agent.domain.ids import SessionId
from unified_agent.domain.ports import Owner, Reports
from unified_agent.domain.session_state import SessionState
from unified_agent.history import History, Lost, Released


class Registry:
    """All claims of this instance; ``join`` comes before anything else."""

    def __init__(
        self,
        holdings: Holdings,
        claiming: Claiming,
        releasing: Releasing,
        carries: Carries,
        history: History | None = None,
    ) -> None:
        self._holdings = holdings
        self._claiming = claiming
        self._releasing = releasing
        self._carries = carries
        self._history = history
        self._owner: Owner | None = None

    def join(self, owner: Owner, reports: Reports) -> None:
        """Know the live agents, and who hears what comes of their claims."""
        self._owner = owner
        self._claiming.join(reports)
        self._releasing.join(owner)

    # --- the port

    def ask(self, effect: AskClaim) -> None:
        """See ``domain.ports.Registry``."""
        self._claiming.begin(effect)

    def may_act(self, session: SessionId) -> bool:
        """See ``domain.ports.Registry``."""
        return self._holdings.may_act(session)

    def incarnation(self, session: SessionId) -> int:
        """See ``domain.ports.Registry``."""
        held = self._holdings.get(session)
        return held.record.incarnation if held is not None else 0

    def publish(self, carry: SessionState) -> None:
        """See ``domain.ports.Registry``."""
        held = self._holdings.get(carry.id)
        if held is not None:
            self._carries.put(carry, held.record.term)

    def forget(self, session: SessionId) -> None:
        """See ``domain.ports.Registry``."""
        self._claiming.call_off(session)
        held = self._holdings.take(session)
        if held is None:
            return
        if self._history is not None:
            self._history.record(Released, agent=held.record.agent, term=held.record.term)
        self._releasing.begin(held)

    # --- what the cluster asks

    def lose(self, incarnation: int | None, reason: str) -> None:
        """Stop acting under the claims of an incarnation, or under all and for those waiting too (None).

        At once, and nothing is released: others may have them when our lease has ended.
        """
        lost = []
        for session, held in self._holdings.items():
            if incarnation is None or held.record.incarnation == incarnation:
                self._holdings.take(session)
                self._carries.forget(held.record.agent)
                lost.append(session)
                if self._history is not None:
                    self._history.record(Lost, agent=held.record.agent, term=held.record.term, reason=reason)
        if incarnation is None:
            lost += self._claiming.sessions()
        assert self._owner is not None, "joined"
        self._owner.lose(lost, reason)
