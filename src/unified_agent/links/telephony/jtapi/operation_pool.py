"""Threads that perform operations which wait for AES.

Operations of one station run one after the other, those of several stations at the same time. A thread that hangs
keeps its station waiting and nobody else: one that has been at it for ``STUCK_S`` is replaced, up to a bound.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from unified_agent.links.telephony.jtapi.provider import OperationFailed
from unified_agent.observe import get_logger, log_event

LOGGER = get_logger("links.jtapi.pool")

#: A thread that has been at one operation for this long counts no more among those that serve.
STUCK_S: Final = 5.0
#: So many times the wanted threads there are at most, those that hang among them.
REPLACED_TIMES: Final = 4

#: Performs one operation, and returns the result or raises.
Perform = Callable[[Any], Any]
#: Told the result or an ``OperationFailed``, in whatever thread.
Tell = Callable[[Any], None]


class _Waiting(Struct):
    """An operation that waits for its station's turn."""

    station: str
    operation: Any
    tell: Tell
    since_s: float


class OperationPool:
    """Performs operations. Its methods may be called in any thread.

    Args:
        perform: does one operation; an ``OperationFailed`` that it raises is its outcome.
        threads: that serve.
        limit: operations that may wait.
        patience_s: an operation that has waited longer than this is not begun any more: whoever asked has given up.
        name: of the threads.
        now_s: monotonic seconds.
    """

    def __init__(
        self,
        perform: Perform,
        *,
        threads: int,
        limit: int,
        patience_s: float,
        name: str,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._perform = perform
        self._wanted = threads
        self._limit = limit
        self._patience_s = patience_s
        self._name = name
        self._now_s = now_s
        self._change = threading.Condition()
        #: Every station that has work, with what waits; the first to be served is in ``_turn`` unless one is running.
        self._stations: dict[str, deque[_Waiting]] = {}
        self._turn: deque[str] = deque()
        self._running: dict[int, float] = {}
        self._idle = 0
        self._alive = 0
        self._waiting = 0
        self._started = 0
        self._closed = False

    @property
    def in_flight(self) -> int:
        """Operations under way."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Operations that have not begun."""
        return self._waiting

    def submit(self, station: str, operation: Any, tell: Tell) -> None:
        """Have an operation performed in its station's turn.

        Raises:
            OperationFailed: too many wait (``QueueFull``), or the pool is closed.
        """
        with self._change:
            if self._closed:
                raise OperationFailed("ProviderUnavailableException", "the provider is closed")
            if self._waiting >= self._limit:
                raise OperationFailed("QueueFull", f"{self._waiting} operations wait already")
            waiting = _Waiting(station, operation, tell, self._now_s())
            line = self._stations.get(station)
            if line is None:
                self._stations[station] = deque([waiting])
                self._turn.append(station)
            else:
                line.append(waiting)
            self._waiting += 1
            self._see_to_threads()
            self._change.notify()

    def close(self) -> None:
        """Begin nothing more; what waits is forgotten, what is under way goes on and tells nobody."""
        with self._change:
            self._closed = True
            self._stations.clear()
            self._turn.clear()
            self._waiting = 0
            self._change.notify_all()

    def _see_to_threads(self) -> None:
        """Start threads for the stations whose turn it is, besides those that hang. Called with the lock."""
        long_ago_s = self._now_s() - STUCK_S
        stuck = sum(since_s < long_ago_s for since_s in self._running.values())
        most = min(self._wanted + stuck, self._wanted * REPLACED_TIMES)
        while self._alive < most and self._idle < len(self._turn):
            self._started += 1
            thread = threading.Thread(target=self._serve, name=f"{self._name}-{self._started}", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # the machine has no more: those that there are do the work
                log_event(LOGGER, "thread_not_started", level="error", why=str(error), alive=self._alive)
                return
            self._alive += 1
            self._idle += 1

    def _serve(self) -> None:
        own = threading.get_ident()
        while (waiting := self._next(own)) is not None:
            outcome = self._outcome(waiting)
            with self._change:
                self._running.pop(own, None)
                self._idle += 1
                self._end_turn(waiting.station)
                closed = self._closed
            if not closed:
                waiting.tell(outcome)

    def _next(self, own: int) -> _Waiting | None:
        with self._change:
            while not self._turn:
                if self._closed or self._alive > self._wanted + len(self._running):
                    self._alive -= 1
                    self._idle -= 1
                    return None
                self._change.wait()
            waiting = self._stations[self._turn.popleft()].popleft()
            self._waiting -= 1
            self._idle -= 1
            self._running[own] = self._now_s()
            return waiting

    def _end_turn(self, station: str) -> None:
        line = self._stations.get(station)
        if line:
            self._turn.append(station)
            self._change.notify()
        elif line is not None:
            del self._stations[station]

    def _outcome(self, waiting: _Waiting) -> Any:
        waited_s = self._now_s() - waiting.since_s
        if waited_s > self._patience_s:
            return OperationFailed("NotBegun", f"it waited {waited_s:.1f} s for its turn")
        try:
            return self._perform(waiting.operation)
        except OperationFailed as failure:
            return failure
        except Exception as error:  # noqa: BLE001 - the boundary of a thread: whoever asked must get an answer
            log_event(LOGGER, "operation_broke", level="error", error=error, what=type(waiting.operation).__name__)
            return OperationFailed(type(error).__name__, str(error))
