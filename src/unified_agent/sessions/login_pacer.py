"""Lets sessions through to log in, so many a second, so that a peer that is just back is not stormed.

Switch and dialler have a line each. A session that is alone in line is let through at once; one that has to wait for
long is told when its turn comes, so that the agent can see it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from unified_agent.domain.facts import TurnGiven, TurnPlanned
from unified_agent.domain.ids import SessionId
from unified_agent.domain.ports import Clock, Timer
from unified_agent.domain.states import Side

#: A wait shorter than this is not worth telling, seconds.
TOLD_FROM_S: Final = 0.5
#: Lateness of a timer that is made good, seconds: beyond, the rate is not held, so that a loop that was stuck for long
#: does not let a storm through.
CATCH_UP_S: Final = 0.25

Report = Callable[[TurnPlanned | TurnGiven], None]


class LoginPacer:
    """Two lines of sessions. What comes of them goes out as facts through ``report``."""

    def __init__(self, clock: Clock, report: Report, *, rate_per_s: float) -> None:
        self._lines = {side: _Line(side, clock, report, 1.0 / rate_per_s) for side in Side}

    def join(self, session: SessionId, side: Side) -> None:
        """Get in line, at the end; a session that stands in it already keeps its place."""
        self._lines[side].join(session)

    def leave(self, session: SessionId) -> None:
        """Get out of both lines."""
        for line in self._lines.values():
            line.leave(session)

    def waiting(self, side: Side) -> int:
        """How many stand in line."""
        return len(self._lines[side])

    def close(self) -> None:
        """Let nobody through any more."""
        for line in self._lines.values():
            line.close()


class _Line:
    def __init__(self, side: Side, clock: Clock, report: Report, gap_s: float) -> None:
        self._side = side
        self._clock = clock
        self._report = report
        self._gap_s = gap_s
        self._order: deque[SessionId] = deque()
        self._members: set[SessionId] = set()
        self._free_s = 0.0
        self._timer: Timer | None = None

    def __len__(self) -> int:
        return len(self._members)

    def join(self, session: SessionId) -> None:
        if session in self._members:
            return
        now_s = self._clock.now_s()
        if not self._members:
            self._free_s = max(self._free_s, now_s)  # nobody waited: there is nothing to make good
        self._members.add(session)
        self._order.append(session)
        turn_s = max(now_s, self._free_s) + (len(self._members) - 1) * self._gap_s
        if turn_s - now_s >= TOLD_FROM_S:
            self._report(TurnPlanned(session=session, side=self._side, at_s=turn_s))
        self._arm()

    def leave(self, session: SessionId) -> None:
        self._members.discard(session)

    def close(self) -> None:
        self._members.clear()
        self._order.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        if self._timer is None and self._order:
            self._timer = self._clock.call_at(max(self._clock.now_s(), self._free_s), self._let_through)

    def _let_through(self) -> None:
        self._timer = None
        now_s = self._clock.now_s()
        # Timers come late under load: those whose turn has passed are let through together, so the rate holds.
        self._free_s = max(self._free_s, now_s - CATCH_UP_S)
        while self._order and self._free_s <= now_s:
            session = self._order.popleft()
            if session not in self._members:
                continue
            self._members.discard(session)
            self._free_s += self._gap_s
            self._report(TurnGiven(session=session, side=self._side))
        self._arm()
