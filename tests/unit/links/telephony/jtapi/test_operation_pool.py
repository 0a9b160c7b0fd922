import threading
from collections.abc import Iterator

import pytest

from unified_agent.links.telephony.jtapi.operation_pool import STUCK_S, OperationPool
from unified_agent.links.telephony.jtapi.provider import OperationFailed

LONG_S = 30.0


class Work:
    """Operations that end when they are let go."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.begun: list[str] = []
        self.change = threading.Condition()
        self.let_go: set[str] = set()
        self.outcomes: dict[str, object] = {}
        self.pools: list[OperationPool] = []

    def pool(self, threads: int = 2, limit: int = 100, patience_s: float = 60.0) -> OperationPool:
        pool = OperationPool(
            self.perform, threads=threads, limit=limit, patience_s=patience_s, name="t", now_s=lambda: self.now_s
        )
        self.pools.append(pool)
        return pool

    def perform(self, operation: str) -> str:
        with self.change:
            self.begun.append(operation)
            self.change.notify_all()
            assert self.change.wait_for(lambda: operation in self.let_go or "all" in self.let_go, LONG_S)
        if operation.startswith("fail"):
            raise OperationFailed("InvalidStateException", "no")
        if operation.startswith("break"):
            raise ValueError("broken")
        return operation.upper()

    def submit(self, pool: OperationPool, station: str, operation: str) -> None:
        def tell(outcome: object) -> None:
            with self.change:
                self.outcomes[operation] = outcome
                self.change.notify_all()

        pool.submit(station, operation, tell)

    def end(self, *operations: str) -> None:
        with self.change:
            self.let_go.update(operations)
            self.change.notify_all()

    def wait(self, so: object) -> None:
        with self.change:
            assert self.change.wait_for(so, LONG_S), (self.begun, self.outcomes)  # type: ignore[arg-type]


@pytest.fixture
def work() -> Iterator[Work]:
    made = Work()
    yield made
    made.end("all")
    for pool in made.pools:
        pool.close()


def test_operations_of_one_station_run_one_after_the_other(work):
    pool = work.pool(threads=4)
    for each in ("a1", "a2", "a3"):
        work.submit(pool, "a", each)
    work.wait(lambda: work.begun == ["a1"])
    assert (pool.in_flight, pool.waiting) == (1, 2)
    work.end("a2", "a3")
    assert work.begun == ["a1"]
    work.end("a1")
    work.wait(lambda: len(work.outcomes) == 3)
    assert work.begun == ["a1", "a2", "a3"]
    assert list(work.outcomes) == ["a1", "a2", "a3"]


def test_operations_of_several_stations_run_at_the_same_time_up_to_the_threads(work):
    pool = work.pool(threads=2)
    for each in ("a", "b", "c"):
        work.submit(pool, each, each)
    work.wait(lambda: len(work.begun) == 2)
    assert set(work.begun) == {"a", "b"}
    assert pool.waiting == 1
    work.end("b")
    work.wait(lambda: "c" in work.begun)


def test_a_failure_is_an_outcome_and_what_breaks_is_one_too(work):
    work.end("all")
    pool = work.pool()
    work.submit(pool, "a", "fail")
    work.submit(pool, "b", "break")
    work.wait(lambda: len(work.outcomes) == 2)
    failed, broken = work.outcomes["fail"], work.outcomes["break"]
    assert isinstance(failed, OperationFailed)
    assert failed.kind == "InvalidStateException"
    assert isinstance(broken, OperationFailed)
    assert (broken.kind, broken.detail) == ("ValueError", "broken")


def test_more_than_the_limit_is_refused_at_once(work):
    pool = work.pool(threads=1, limit=2)
    work.submit(pool, "a", "a1")
    work.wait(lambda: work.begun == ["a1"])
    work.submit(pool, "a", "a2")
    work.submit(pool, "b", "b1")
    with pytest.raises(OperationFailed) as refused:
        work.submit(pool, "c", "c1")
    assert refused.value.kind == "QueueFull"


def test_threads_that_hang_are_replaced_up_to_a_bound(work):
    pool = work.pool(threads=1)
    work.submit(pool, "a", "hangs 1")
    work.wait(lambda: len(work.begun) == 1)
    work.submit(pool, "b", "next")
    assert pool.waiting == 1
    for count in range(2, 5):
        work.now_s += STUCK_S + 1
        work.submit(pool, f"c{count}", f"hangs {count}")
        work.wait(lambda count=count: len(work.begun) == count)
    work.now_s += STUCK_S + 1
    work.submit(pool, "d", "one more")
    assert len(work.begun) == 4, "four times the wanted threads are the most"
    work.end("all")
    work.wait(lambda: len(work.outcomes) == 6)
    assert pool.in_flight == 0


def test_what_waited_too_long_is_not_begun(work):
    pool = work.pool(threads=1, patience_s=10.0)
    work.submit(pool, "a", "first")
    work.wait(lambda: work.begun == ["first"])
    work.submit(pool, "a", "late")
    work.now_s += 11.0
    work.end("all")
    work.wait(lambda: len(work.outcomes) == 2)
    late = work.outcomes["late"]
    assert isinstance(late, OperationFailed)
    assert late.kind == "NotBegun"
    assert work.begun == ["first"]


def test_a_closed_pool_begins_nothing_and_tells_nothing(work):
    pool = work.pool(threads=1)
    work.submit(pool, "a", "first")
    work.wait(lambda: work.begun == ["first"])
    work.submit(pool, "a", "second")
    pool.close()
    work.end("all")
    with pytest.raises(OperationFailed):
        work.submit(pool, "a", "third")
    for thread in threading.enumerate():
        if thread.name.startswith("t-"):
            thread.join(LONG_S)
    assert work.begun == ["first"]
    assert work.outcomes == {}


def test_a_machine_without_more_threads_works_with_those_that_there_are(work, monkeypatch):
    work.end("all")
    pool = work.pool(threads=2)
    work.submit(pool, "a", "first")
    work.wait(lambda: "first" in work.outcomes)

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    for station in ("b", "c", "d"):
        work.submit(pool, station, station)
    work.wait(lambda: len(work.outcomes) == 4)
