import asyncio
import random
from collections.abc import Sequence

import pytest
from tests.unit.cluster.stores.store_on_virtual_time import on_virtual_time

from unified_agent.cluster.stores.base import (
    Committed,
    LeaseId,
    Outcome,
    PutValue,
    StoreUnavailable,
    Write,
    WriteUnknown,
)
from unified_agent.cluster.stores.batch import BatchedWriter, BatchSettings
from unified_agent.cluster.stores.memory import MemoryStore
from unified_agent.cluster.stores.memory_engine import MemoryEngine
from unified_agent.cluster.transactions import Condition, CreatedAt
from unified_agent.errors import SettingsError


class CountingStore(MemoryStore):
    """Counts transactions; the next ones can be made to lose their answer, before or after they are made."""

    def __init__(self, engine: MemoryEngine) -> None:
        super().__init__(engine)
        self.batches: list[list[str]] = []
        self.faults_to_come: list[str] = []

    async def transact(self, conditions: Sequence[Condition], writes: Sequence[Write]) -> Outcome:
        self.batches.append([write.key for write in writes])
        fault = self.faults_to_come.pop(0) if self.faults_to_come else ""
        if fault == "lost before":
            raise WriteUnknown("lost")
        if fault == "not made":
            raise StoreUnavailable("down")
        outcome = await super().transact(conditions, writes)
        if fault == "lost after":
            raise WriteUnknown("lost")
        return outcome


class Bench:
    """One writer at work."""

    def __init__(self, engine: MemoryEngine, **settings: int) -> None:
        self.engine = engine
        self.store = CountingStore(engine)
        made = engine.transact([], [PutValue("node/me", b"")])
        assert isinstance(made, Committed)
        self.lost: list[tuple[str, bytes | None]] = []
        self.fenced = 0
        self.writer = BatchedWriter(
            self.store,
            [CreatedAt("node/me", made.revision)],
            BatchSettings(**settings),
            random.Random(1),
            lost=lambda key, seen: self.lost.append((key, seen.value if seen else None)),
            fenced=self._fenced,
        )
        self.running = asyncio.ensure_future(self.writer.run())

    def _fenced(self) -> None:
        self.fenced += 1

    def value(self, key: str) -> bytes | None:
        entry = self.engine.get(key)
        return entry.value if entry else None

    async def settle(self) -> None:
        async with asyncio.timeout(60):
            await self.writer.settled()

    async def close(self) -> None:
        self.running.cancel()
        await asyncio.wait({self.running})


def test_writes_that_come_together_go_together_and_only_the_last_of_a_key_is_sent() -> None:
    async def play(engine: MemoryEngine) -> None:
        bench = Bench(engine)
        for number in range(3):
            for key in ("a", "b", "c"):
                assert bench.writer.put(key, str(number).encode())
        assert bench.writer.waiting == 3
        await bench.settle()
        assert bench.store.batches == [["a", "b", "c"]]
        assert bench.value("a") == b"2"
        bench.writer.put("a", b"3")
        bench.writer.delete("b")
        await bench.settle()
        assert (bench.value("a"), bench.value("b")) == (b"3", None)
        await bench.close()

    on_virtual_time(play)


def test_much_goes_in_several_batches_each_within_its_limit() -> None:
    async def play(engine: MemoryEngine) -> None:
        bench = Bench(engine, keys_limit=10)
        for number in range(95):
            bench.writer.put(f"k{number:02}", b"")
        await bench.settle()
        assert max(len(batch) for batch in bench.store.batches) == 10
        assert len(bench.store.batches) == 10
        assert len(engine.snapshot("k").entries) == 95
        await bench.close()

    on_virtual_time(play)


@pytest.mark.parametrize("fault", ["lost before", "lost after", "not made"])
def test_a_batch_without_an_answer_ends_up_made_once_and_newer_values_follow(fault: str) -> None:
    async def play(engine: MemoryEngine) -> None:
        bench = Bench(engine)
        bench.store.faults_to_come = [fault, fault, ""]
        bench.writer.put("a", b"1")
        bench.writer.put("b", b"1")
        await asyncio.sleep(0.05)
        bench.writer.put("a", b"2")
        await bench.settle()
        assert (bench.value("a"), bench.value("b")) == (b"2", b"1")
        assert bench.lost == []
        bench.writer.put("a", b"3")
        await bench.settle()
        assert bench.value("a") == b"3"
        await bench.close()

    on_virtual_time(play)


@pytest.mark.parametrize("fault", ["lost before", "lost after"])
def test_a_removal_without_an_answer_is_made(fault: str) -> None:
    async def play(engine: MemoryEngine) -> None:
        bench = Bench(engine)
        bench.writer.put("a", b"1")
        await bench.settle()
        bench.store.faults_to_come = [fault]
        bench.writer.delete("a")
        await bench.settle()
        assert bench.value("a") is None
        assert bench.lost == []
        await bench.close()

    on_virtual_time(play)


def test_a_key_that_somebody_else_changed_is_reported_and_holds_up_no_other() -> None:
    async def play(engine: MemoryEngine) -> None:
        bench = Bench(engine)
        bench.writer.put("ours", b"1")
        bench.writer.put("taken", b"1")
        await bench.settle()
        engine.transact([], [PutValue("taken", b"theirs")])
        bench.writer.put("ours", b"2")
        bench.writer.put("taken", b"2")
        bench.writer.put("new", b"2")
        await bench.settle()
        assert bench.lost == [("taken", b"theirs")]
        assert [bench.value(key) for key in ("ours", "taken", "new")] == [b"2", b"theirs", b"2"]
        assert bench.fenced == 0
        await bench.close()

    on_virtual_time(play)


def test_a_key_that_is_there_already_is_only_written_by_who_owns_it() -> None:
    async def play(engine: MemoryEngine) -> None:
        made = engine.transact([], [PutValue("sess/1", b"claimed"), PutValue("sess/2", b"claimed")])
        assert isinstance(made, Committed)
        bench = Bench(engine)
        bench.writer.own("sess/1", made.revision)
        bench.writer.put("sess/1", b"published")
        bench.writer.put("sess/2", b"published")
        await bench.settle()
        assert bench.value("sess/1") == b"published"
        assert bench.value("sess/2") == b"claimed"
        assert bench.lost == [("sess/2", b"claimed")]
        await bench.close()

    on_virtual_time(play)


def test_once_the_guard_fails_nothing_is_written_any_more() -> None:
    async def play(engine: MemoryEngine) -> None:
        bench = Bench(engine)
        engine.transact([], [PutValue("node/other", b"")])
        node = engine.get("node/me")
        assert node is not None
        lease, _ = engine.grant(2)
        engine.transact([], [PutValue("node/me", b"", lease)])
        engine.end_lease(lease)
        engine.transact([], [PutValue("node/me", b"again")])
        bench.writer.put("a", b"1")
        await bench.running
        assert bench.fenced == 1
        assert bench.value("a") is None
        assert not bench.writer.put("b", b"1")
        await bench.settle()

    on_virtual_time(play)


def test_a_lease_that_ended_fences_too() -> None:
    async def play(engine: MemoryEngine) -> None:
        bench = Bench(engine)
        bench.writer.put("st/me/1", b"", LeaseId(99))
        await bench.running
        assert bench.fenced == 1

    on_virtual_time(play)


def test_what_waits_is_bounded_but_a_newer_value_always_has_room() -> None:
    async def play(engine: MemoryEngine) -> None:
        bench = Bench(engine, waiting_limit=2)
        bench.store.faults.down = True
        assert bench.writer.put("a", b"1")
        assert bench.writer.put("b", b"1")
        assert not bench.writer.put("c", b"1")
        assert bench.writer.put("a", b"2")
        await asyncio.sleep(600)
        bench.store.faults.down = False
        await bench.settle()
        assert (bench.value("a"), bench.value("c")) == (b"2", None)
        await bench.close()

    on_virtual_time(play)


def test_a_key_that_was_given_up_is_not_written_any_more() -> None:
    async def play(engine: MemoryEngine) -> None:
        bench = Bench(engine)
        bench.writer.put("a", b"1")
        await bench.settle()
        bench.writer.put("a", b"2")
        bench.writer.forget("a")
        await bench.settle()
        assert bench.value("a") == b"1"
        await bench.close()

    on_virtual_time(play)


def test_an_hour_without_a_store_costs_few_tries() -> None:
    async def play(engine: MemoryEngine) -> None:
        bench = Bench(engine)
        bench.store.faults.down = True
        bench.writer.put("a", b"1")
        await asyncio.sleep(3600)
        assert len(bench.store.batches) < 3600
        bench.store.faults.down = False
        await bench.settle()
        assert bench.value("a") == b"1"
        await bench.close()

    on_virtual_time(play)


def test_a_batch_leaves_room_for_its_guard() -> None:
    with pytest.raises(SettingsError):
        BatchSettings(keys_limit=97)


def test_random_faults_and_rivals_end_in_the_last_value_or_a_reported_loss() -> None:
    async def play(engine: MemoryEngine) -> None:
        chance = random.Random(7)
        bench = Bench(engine)
        wanted: dict[str, bytes] = {}
        lost: set[str] = set()
        for number in range(400):
            key = f"k{chance.randrange(6)}"
            bench.store.faults_to_come = [chance.choice(["", "", "lost before", "lost after", "not made"])]
            if key not in lost and bench.writer.put(key, str(number).encode()):
                wanted[key] = str(number).encode()
            if number == 200:
                engine.transact([], [PutValue("k0", b"rival")])
            await asyncio.sleep(chance.uniform(0, 0.2))
            lost = {key for key, _ in bench.lost}
        bench.store.faults_to_come = []
        await bench.settle()
        assert lost == {"k0"}
        assert bench.value("k0") == b"rival"
        for key in wanted.keys() - lost:
            assert bench.value(key) == wanted[key]
        await bench.close()

    on_virtual_time(play)
