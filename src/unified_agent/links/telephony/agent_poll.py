"""Asks for agents' states on a link that never told one by itself: each at most once per interval, evenly spread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

from unified_agent.domain.ports import Clock, Timer

StationT = TypeVar("StationT")

#: No more than 200 questions a second, whatever the number of agents.
SHORTEST_STEP_S: Final = 0.005


class AgentPoll(Generic[StationT]):
    """A round through all stations that takes one interval, again and again.

    Args:
        clock: for the steps.
        stations: those to ask about; read anew at the start of each round.
        ask: asks about one.
        interval_s: the time of a round, longer for more than ``interval_s / SHORTEST_STEP_S`` stations.
    """

    def __init__(
        self, clock: Clock, stations: Iterable[StationT], ask: Callable[[StationT], None], interval_s: float
    ) -> None:
        self._clock = clock
        self._stations = stations
        self._ask = ask
        self._interval_s = interval_s
        self._round: deque[StationT] = deque()
        self._step_s = interval_s
        self._timer: Timer | None = None

    def start(self) -> None:
        """Begin, one interval from now at the latest; harmless when begun."""
        if self._timer is None:
            self._round.clear()
            self._plan(self._interval_s)

    def stop(self) -> None:
        """Ask no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _plan(self, wait_s: float) -> None:
        self._timer = self._clock.call_at(self._clock.now_s() + wait_s, self._step)

    def _step(self) -> None:
        if not self._round:
            self._round.extend(self._stations)
            self._step_s = max(self._interval_s / max(len(self._round), 1), SHORTEST_STEP_S)
        self._plan(self._step_s)
        if self._round:
            self._ask(self._round.popleft())
