"""When sessions want to be woken: one heap of times, one timer of the clock."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

from unified_agent.domain.ids import SessionId
from unified_agent.domain.ports import Clock, Timer
from unified_agent.domain.session import next_wake_s
from unified_agent.domain.states import Phase
from unified_agent.sessions.live import LiveSession


class Wakes:
    """Wakes sessions at the times they want. ``wake`` is called with each that is due; it passes over those that are
    gone.
    """

    def __init__(self, clock: Clock, wake: Callable[[SessionId, float], None]) -> None:
        self._clock = clock
        self._wake_one = wake
        self._heap: list[tuple[float, SessionId]] = []
        self._timer: Timer | None = None
        self._timer_s = 0.0

    def plan(self, live: LiveSession) -> None:
        """Look when a session wants to be woken next."""
        at_s = next_wake_s(live.state) if live.state.phase is not Phase.CLOSED else None
        if at_s is None or (live.wake_s is not None and live.wake_s <= at_s):
            return  # woken early it finds nothing due, and plans again
        live.wake_s = at_s
        heappush(self._heap, (at_s, live.state.id))
        self._arm()

    def close(self) -> None:
        """Wake nobody any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        if not self._heap:
            return
        at_s = self._heap[0][0]
        if self._timer is not None:
            if self._timer_s <= at_s:
                return
            self._timer.cancel()
        self._timer_s = at_s
        self._timer = self._clock.call_at(at_s, self._ring)

    def _ring(self) -> None:
        self._timer = None
        now_s = self._clock.now_s()
        while self._heap and self._heap[0][0] <= now_s:
            at_s, session = heappop(self._heap)
            self._wake_one(session, at_s)
        self._arm()
