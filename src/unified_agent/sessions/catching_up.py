"""How long it takes until all sessions are in line with a switch that is back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from unified_agent.domain.ids import SessionId
from unified_agent.domain.ports import Clock
from unified_agent.domain.session_state import SessionState
from unified_agent.domain.states import TelephonyStage
from unified_agent.observe import Metrics

#: Sessions here have nothing more to do since the link's return, or cannot until a person acts.
_IN_LINE: Final = frozenset({TelephonyStage.UP, TelephonyStage.REFUSED, TelephonyStage.OUT})


class CatchingUp:
    """Measures from the link's return to the last of the sessions that waited."""

    def __init__(self, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self._behind: set[SessionId] = set()
        self._returned_s = 0.0

    def link_returned(self, sessions: Iterable[SessionId]) -> None:
        """All of these have to be brought in line."""
        self._returned_s = self._clock.now_s()
        self._behind = set(sessions)

    def link_lost(self) -> None:
        """There is nothing to be in line with."""
        self._behind.clear()

    def look(self, state: SessionState) -> None:
        """See whether a session is in line by now."""
        if self._behind and state.telephony.stage in _IN_LINE:
            self.done(state.id)

    def done(self, session: SessionId) -> None:
        """Know that a session is in line again, or over."""
        if session in self._behind:
            self._behind.discard(session)
            if not self._behind:
                took_s = self._clock.now_s() - self._returned_s
                self._metrics.link_resync.labels(kind="telephony").observe(took_s)
