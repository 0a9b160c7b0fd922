"""Things to be done a little later, in the order in which they were given: timers of one moment come in none."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from unified_agent.domain.ports import Clock


class InOrder:
    """A queue on a clock. Nothing is done any more once it is ``over``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._to_do: deque[tuple[float, Callable[[], None]]] = deque()
        self.over = False

    def later(self, late_s: float, act: Callable[[], None]) -> None:
        """Do something so much later, or when what is before it has been done."""
        before_s = self._to_do[-1][0] if self._to_do else 0.0
        self._to_do.append((max(before_s, self._clock.now_s() + late_s), act))
        if len(self._to_do) == 1:
            self._clock.call_at(self._to_do[0][0], self._do)

    def _do(self) -> None:
        if self.over:
            self._to_do.clear()
            return
        self._to_do[0][1]()
        self._to_do.popleft()
        if self._to_do:
            self._clock.call_at(self._to_do[0][0], self._do)
