"""Operations under way at the provider: bounded, each with one outcome in good time.

Those that serve a person who waits go before those of the house (polls, releases). One that has no outcome in time is
called unanswered and keeps its place until JTAPI lets go of it: its thread is taken.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final

from unified_agent.domain.ports import Clock, Timer
from unified_agent.links.telephony.exchange import OVERLOADED_IN_FLIGHT_LIMIT, Done, Outcome, Unanswered
from unified_agent.links.telephony.jtapi.operation_refusals import is_unanswered, refusal_of_operation
from unified_agent.links.telephony.jtapi.provider import Operation, OperationFailed, Provider
from unified_agent.links.telephony.refusals import BUSY, LINK_DOWN, Topic

#: Operations that wait for a place; beyond it they are refused as busy.
WAITING_LIMIT: Final = 10_000
#: Places left free for the question whether AES is there.
PROBE_PLACES: Final = 1

End = Callable[[Outcome[Any]], None]


class _Job:
    """One operation. ``end`` is None once its outcome is told, or nobody wants it any more."""

    __slots__ = ("end", "is_late", "is_void", "on_failure", "operation", "timer", "topic")

    def __init__(
        self, operation: Operation, topic: Topic, end: End, on_failure: Callable[[OperationFailed], bool] | None
    ) -> None:
        self.operation = operation
        self.topic = topic
        self.end: End | None = end
        self.on_failure = on_failure
        self.timer: Timer | None = None
        self.is_late = False
        self.is_void = False


class Dispatcher:
    """All operations of one provider.

    Args:
        clock: for deadlines.
        request_limit_s: how long an operation may take, waiting for a place included.
        in_flight_limit: operations at the provider at the same time.
        on_late: told of an operation that was carried out after all, when nobody waits for it any more, and whether
            everything had been abandoned meanwhile.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        request_limit_s: float,
        in_flight_limit: int,
        on_late: Callable[[Operation, bool], None],
    ) -> None:
        self._clock = clock
        self._request_limit_s = request_limit_s
        self._usual_limit = self._limit = max(in_flight_limit - PROBE_PLACES, 1)
        self._on_late = on_late
        self._provider: Provider | None = None
        self._in_flight: set[_Job] = set()
        self._urgent: deque[_Job] = deque()
        self._patient: deque[_Job] = deque()
        self._filling = False

    @property
    def in_flight(self) -> int:
        """Operations at the provider."""
        return len(self._in_flight)

    @property
    def waiting(self) -> int:
        """Operations that wait for a place."""
        return len(self._urgent) + len(self._patient)

    def open(self, provider: Provider) -> None:
        """Have this provider do the operations."""
        self._provider = provider

    def slow_down(self, *, overloaded: bool) -> None:
        """Keep fewer operations in flight while AES is overloaded."""
        self._limit = min(OVERLOADED_IN_FLIGHT_LIMIT, self._usual_limit) if overloaded else self._usual_limit
        self._fill()

    def begin(
        self,
        operation: Operation,
        topic: Topic,
        end: End,
        *,
        urgent: bool = True,
        on_failure: Callable[[OperationFailed], bool] | None = None,
    ) -> None:
        """Have an operation done.

        Args:
            operation: what.
            topic: how its refusals are to be read.
            end: called once with the outcome, unless everything is abandoned before.
            urgent: somebody waits for it.
            on_failure: looks at a failure first; ``end`` is not called when it returns True.
        """
        if self._provider is None:
            end(LINK_DOWN)
            return
        if self.waiting >= WAITING_LIMIT:
            end(BUSY)
            return
        job = _Job(operation, topic, end, on_failure)
        job.timer = self._clock.call_at(self._clock.now_s() + self._request_limit_s, lambda: self._time_out(job))
        (self._urgent if urgent else self._patient).append(job)
        self._fill()

    def abandon(self) -> None:
        """Want no outcome any more; what waits is not begun."""
        for job in (*self._in_flight, *self._urgent, *self._patient):
            self._let_go(job)
            job.is_late = job.is_void = True
        self._urgent.clear()
        self._patient.clear()

    def _fill(self) -> None:
        """Submit what has a place. Outcomes may begin new operations, which this same loop then submits."""
        if self._filling or self._provider is None:
            return
        self._filling = True
        try:
            while self.waiting and len(self._in_flight) < self._limit:
                job = self._urgent.popleft() if self._urgent else self._patient.popleft()
                if job.end is None:
                    continue
                self._in_flight.add(job)
                self._submit(self._provider, job)
        finally:
            self._filling = False

    def _submit(self, provider: Provider, job: _Job) -> None:
        def ended(result: Any) -> None:
            self._ended(job, result)

        try:
            provider.submit(job.operation, ended)
        except OperationFailed as failure:
            self._ended(job, failure)

    def _ended(self, job: _Job, result: Any) -> None:
        if job not in self._in_flight:
            return  # told twice
        self._in_flight.discard(job)
        if job.is_late:
            if not isinstance(result, OperationFailed):
                self._on_late(job.operation, job.is_void)
        else:
            self._tell(job, result)
        self._fill()

    def _tell(self, job: _Job, result: Any) -> None:
        end = self._let_go(job)
        if end is None:
            return
        if not isinstance(result, OperationFailed):
            end(Done(result))
        elif is_unanswered(result):
            end(Unanswered(result.detail))
        elif job.on_failure is None or not job.on_failure(result):
            end(refusal_of_operation(result, job.topic))

    def _time_out(self, job: _Job) -> None:
        end = self._let_go(job)
        if end is None:
            return
        if job in self._in_flight:
            job.is_late = True
            name = type(job.operation).__name__
            end(Unanswered(f"the switch did not answer {name} within {self._request_limit_s:g} s"))
        else:
            for queue in (self._urgent, self._patient):
                if job in queue:
                    queue.remove(job)
            end(BUSY)  # it was not begun

    def _let_go(self, job: _Job) -> End | None:
        end, job.end = job.end, None
        if job.timer is not None:
            job.timer.cancel()
            job.timer = None
        return end
