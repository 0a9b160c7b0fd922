"""Fakes for the links: time that is set by hand, chance that is given, a transport that only remembers."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count


class ManualTimer:
    def __init__(self, callback: Callable[[], None]) -> None:
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        self.callback = None


class ManualClock:
    """The Clock port, moved by ``advance``; calls due are made in the order of their times."""

    def __init__(self, now_s: float = 1_000.0) -> None:
        self._now_s = now_s
        self._order = count()
        self._due: list[tuple[float, int, ManualTimer]] = []

    def now_s(self) -> float:
        return self._now_s

    def call_at(self, at_s: float, callback: Callable[[], None]) -> ManualTimer:
        timer = ManualTimer(callback)
        heapq.heappush(self._due, (at_s, next(self._order), timer))
        return timer

    @property
    def planned(self) -> list[float]:
        """Times of the calls to come."""
        return sorted(at_s for at_s, _, timer in self._due if timer.callback is not None)

    def advance(self, seconds: float) -> None:
        """Move on, calling back whatever falls due on the way, at its own time."""
        until_s = self._now_s + seconds
        while self._due and self._due[0][0] <= until_s:
            at_s, _, timer = heapq.heappop(self._due)
            self._now_s = max(self._now_s, at_s)
            if timer.callback is not None:
                callback, timer.callback = timer.callback, None
                callback()
        self._now_s = until_s

    def turn(self) -> None:
        """Make the calls that are due now."""
        self.advance(0.0)


class FixedChance:
    """Always the same place between the bounds: 1.0 is the upper one."""

    def __init__(self, place: float = 1.0) -> None:
        self.place = place
        self.asked: list[tuple[float, float]] = []

    def uniform(self, a: float, b: float) -> float:
        self.asked.append((a, b))
        return a + (b - a) * self.place


class FakeTransport(asyncio.Transport):
    """Remembers what was written; ``unsent`` is what it says of its buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.unsent = 0
        self.closed = ""

    @property
    def written(self) -> bytes:
        return b"".join(self.writes)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def close(self) -> None:
        self.closed = self.closed or "closed"

    def abort(self) -> None:
        self.closed = self.closed or "aborted"

    def is_closing(self) -> bool:
        return bool(self.closed)


async def settle(turns: int = 10) -> None:
    """Let the tasks of the running loop come to their next wait."""
    for _ in range(turns):
        await asyncio.sleep(0)
