"""What is due later at the switch, in order of time."""

from __future__ import annotations

import heapq
from collections.abc import Callable


class Timers:
    """A heap of things to do. Those due at one instant are done in the order they were asked for.

    Nothing is ever cancelled: who asks must look, when the time has come, whether it is still wanted.
    """

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._asked = 0

    def at(self, due_s: float, action: Callable[[], None]) -> None:
        """Ask for ``action`` at ``due_s`` on the switch's clock."""
        self._asked += 1
        heapq.heappush(self._due, (due_s, self._asked, action))

    def next_timer(self) -> float | None:
        """Return when the next one is due, or None."""
        return self._due[0][0] if self._due else None

    def take_due(self, now_s: float) -> tuple[float, Callable[[], None]] | None:
        """Take the oldest one that is due by ``now_s``, with its time; None when none is."""
        if not self._due or self._due[0][0] > now_s:
            return None
        due_s, _, action = heapq.heappop(self._due)
        return due_s, action
