"""Whether a process answers: asked again and again, and given up when it has not for too long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from unified_agent.domain.ports import Clock, Timer

#: A timer that comes later than this, seconds, means that we were held up ourselves: the process may have answered.
LATE_S: Final = 1.0


class Liveness:
    """Asks and waits, on the clock that is given.

    Args:
        clock: the time.
        interval_s: how often it is asked.
        silence_limit_s: without an answer for this long it hangs.
        ping: asks, with a number that the answer repeats.
        on_silence: told once, with the seconds.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        interval_s: float,
        silence_limit_s: float,
        ping: Callable[[int], None],
        on_silence: Callable[[float], None],
    ) -> None:
        self._clock = clock
        self._interval_s = interval_s
        self._silence_limit_s = silence_limit_s
        self._ping = ping
        self._on_silence = on_silence
        self._limit_s = silence_limit_s
        self._heard_s = 0.0
        self._number = 0
        self._timer: Timer | None = None
        self._due_s = 0.0

    def expect(self, limit_s: float) -> None:
        """Wait for its first word for so long, without asking."""
        self._limit_s = limit_s
        self._heard_s = self._clock.now_s()
        self._wake_at(self._heard_s + limit_s)

    def begin(self) -> None:
        """It has said its first word: ask from now on."""
        self._limit_s = self._silence_limit_s
        self._heard_s = self._clock.now_s()
        self._ask()

    def take_pong(self, number: int) -> None:
        """It has answered. An answer to what was not asked is none."""
        if 0 < number <= self._number:
            self._heard_s = self._clock.now_s()

    def end(self) -> None:
        """Ask no more. Harmless when repeated."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ask(self) -> None:
        self._number += 1
        self._ping(self._number)
        self._wake_at(min(self._clock.now_s() + self._interval_s, self._heard_s + self._limit_s))

    def _wake_at(self, at_s: float) -> None:
        self.end()
        self._due_s = at_s
        self._timer = self._clock.call_at(at_s, self._wake)

    def _wake(self) -> None:
        self._timer = None
        now_s = self._clock.now_s()
        late_s = now_s - self._due_s
        if late_s > LATE_S:  # what it said meanwhile waits too: hear it first
            self._heard_s = min(now_s, self._heard_s + late_s)
            self._wake_at(now_s + LATE_S)
        elif now_s >= self._heard_s + self._limit_s:
            self._on_silence(now_s - self._heard_s)
        else:
            self._ask()
