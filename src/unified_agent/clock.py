"""Unix seconds that never step, from the event loop's monotonic clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from unified_agent.domain.ports import Timer


class LoopClock:
    """The running loop's time, anchored to the wall clock once, when it is made.

    Anchored once, so that a step of the wall clock neither fires timers nor turns back what the desktop counts
    from. Drift against the wall clock is that of the machine's oscillator undisciplined: seconds a month.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, wall_s: Callable[[], float] = time.time) -> None:
        self._loop = loop
        self._offset_s = wall_s() - loop.time()

    def now_s(self) -> float:
        """Return the present, Unix seconds."""
        return self._loop.time() + self._offset_s

    def call_at(self, at_s: float, callback: Callable[[], None]) -> Timer:
        """Call back at that time, or soon when it has passed."""
        return self._loop.call_at(at_s - self._offset_s, callback)
