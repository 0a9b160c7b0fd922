"""What sessions leave: only instances of the cluster can read it, and only its owner writes it."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from random import Random

import pytest
from tests.unit.cluster.instances import AGENT, Contrary, carry
from tests.unit.cluster.stores.store_on_virtual_time import on_virtual_time

from unified_agent.clock import LoopClock
from unified_agent.cluster.carries import Carries
from unified_agent.cluster.lives import Life
from unified_agent.cluster.stores.base import (
    Committed,
    DeleteKey,
    Entry,
    LeaseId,
    PutValue,
    StoreRefused,
    StoreUnavailable,
)
from unified_agent.cluster.stores.batch import BatchSettings
from unified_agent.cluster.stores.memory_engine import MemoryEngine
from unified_agent.cluster.tenure import Tenure, TenureSettings
from unified_agent.cluster.transactions import carry_key, instance_key
from unified_agent.cluster.values import Carried, read_value, write_value
from unified_agent.domain.carry import pack
from unified_agent.domain.ids import AgentId, InstanceId
from unified_agent.observe import Metrics
from unified_agent.sealing import KEY_BYTES, ClusterKey, Keyring

KEY = carry_key(AGENT)
GATHERED_S = 0.1


def key(number: int, seals_from_s: float = 0.0) -> ClusterKey:
    at = datetime.fromtimestamp(seals_from_s, UTC)
    return ClusterKey(id=f"{number:08x}", made=at, seals_from=at, secret=bytes([number]) * KEY_BYTES)


class Writer:
    """One instance that is registered, with its carries."""

    def __init__(self, engine: MemoryEngine, name: str = "a1", *keys: ClusterKey) -> None:
        self.engine = engine
        self.clock = LoopClock(asyncio.get_running_loop(), wall_s=lambda: 0.0)
        self.store = Contrary(engine, self.clock)
        self.store.about = "carry/"
        self.own_key = instance_key("east", InstanceId(name))
        self.metrics = Metrics()
        self.keyring = Keyring(keys or (key(1),), now_s=self.clock.now_s)
        self.carries = Carries(
            self.own_key, self.store, self.keyring, Random(name), BatchSettings(gather_s=0.03), self.metrics
        )
        self.running = asyncio.get_running_loop().create_task(self.carries.run())

    def register(self) -> None:
        self.engine.transact([], [DeleteKey(self.own_key)])
        made = self.engine.transact([], [PutValue(self.own_key, b"here")])
        assert isinstance(made, Committed)
        state = Tenure(settings=TenureSettings(), renewed_s=self.clock.now_s())
        self.carries.begin(Life(incarnation=made.revision, lease=LeaseId(1), tenure=state))

    @property
    def fenced(self) -> float | None:
        return self.metrics.registry.get_sample_value("ua_fenced_writes_total")

    def entry(self) -> Entry:
        entry = self.engine.get(KEY)
        assert entry is not None
        return entry

    async def note(self) -> str | None:
        """Return what tells the carry in the store from others, as this instance reads it."""
        read = await self.carries.read(AGENT)
        return None if read is None else read.close_detail


async def owner(engine: MemoryEngine, name: str = "a1", term: int = 1) -> Writer:
    """An instance that was granted the agent."""
    writer = Writer(engine, name)
    writer.register()
    await writer.carries.take(AGENT, term)
    return writer


def plays(doing: Callable[[MemoryEngine], Awaitable[None]]) -> None:
    on_virtual_time(doing)


# --- written


def test_what_a_session_leaves_is_read_by_every_instance_of_the_cluster() -> None:
    async def play(engine: MemoryEngine) -> None:
        a = await owner(engine)
        a.carries.put(carry(note="ready, in a job"), 1)
        await asyncio.sleep(GATHERED_S)
        assert await Writer(engine, "b1").carries.read(AGENT) == carry(note="ready, in a job")

    plays(play)


def test_whoever_reads_the_store_learns_nothing_from_it() -> None:
    async def play(engine: MemoryEngine) -> None:
        a = await owner(engine)
        a.carries.put(carry(note="PAT owes 100"), 1)
        await asyncio.sleep(GATHERED_S)
        value = a.entry().value
        sealed = read_value(Carried, a.entry()).sealed
        for secret in (b"PAT", b"2001", b"secret"):
            assert secret not in value
            assert secret not in sealed

    plays(play)


def test_of_many_changes_in_a_moment_only_the_last_is_written() -> None:
    async def play(engine: MemoryEngine) -> None:
        a = await owner(engine)
        for number in range(50):
            a.carries.put(carry(note=f"{number}"), 1)
        await asyncio.sleep(GATHERED_S)
        assert await a.note() == "49"
        assert len(a.store.sent) == 1

    plays(play)


def test_a_write_whose_answer_was_lost_is_made_good() -> None:
    async def play(engine: MemoryEngine) -> None:
        a = await owner(engine)
        a.store.fates = ["lost", "never"]
        a.carries.put(carry(note="one"), 1)
        await asyncio.sleep(0.3)
        a.carries.put(carry(note="two"), 1)
        await asyncio.sleep(5.0)
        assert await a.note() == "two"
        assert a.fenced == 0.0

    plays(play)


def test_before_a_registration_nothing_is_written_and_nothing_forgotten() -> None:
    async def play(engine: MemoryEngine) -> None:
        a = Writer(engine)
        a.carries.put(carry(note="early"), 1)
        await asyncio.sleep(1.0)
        assert engine.get(KEY) is None
        a.register()
        await a.carries.take(AGENT, 1)
        await asyncio.sleep(GATHERED_S)
        assert await a.note() == "early"

    plays(play)


# --- who may write it


def test_without_the_claim_nobody_s_carry_is_written_over() -> None:
    async def play(engine: MemoryEngine) -> None:
        a = await owner(engine)
        a.carries.put(carry(note="of a1"), 1)
        await asyncio.sleep(GATHERED_S)
        b = Writer(engine, "b1")
        b.register()
        b.carries.put(carry(note="of b1"), 2)
        await asyncio.sleep(GATHERED_S)
        assert await b.note() == "of a1"
        assert b.fenced == 1.0

    plays(play)


def test_the_change_of_another_owner_ends_our_writing() -> None:
    async def play(engine: MemoryEngine) -> None:
        a = await owner(engine)
        a.carries.put(carry(note="of a1"), 1)
        await asyncio.sleep(GATHERED_S)
        b = await owner(engine, "b1", 2)
        b.carries.put(carry(note="of b1"), 2)
        await asyncio.sleep(GATHERED_S)
        for note in ("late", "later"):
            a.carries.put(carry(note=note), 1)
            await asyncio.sleep(GATHERED_S)
        assert await a.note() == "of b1"
        assert a.fenced == 2.0

    plays(play)


def test_an_instance_whose_registration_has_ended_writes_nothing_more() -> None:
    async def play(engine: MemoryEngine) -> None:
        a = await owner(engine)
        a.carries.put(carry(note="in time"), 1)
        await asyncio.sleep(GATHERED_S)
        engine.transact([], [DeleteKey(a.own_key)])
        a.carries.put(carry(note="too late"), 1)
        await asyncio.sleep(GATHERED_S)
        a.carries.put(carry(note="later still"), 1)
        await asyncio.sleep(GATHERED_S)
        assert await a.note() == "in time"
        assert a.fenced == 2.0
        assert not a.running.done()

    plays(play)


def test_in_a_new_registration_it_goes_on_with_what_was_so_last() -> None:
    async def play(engine: MemoryEngine) -> None:
        a = await owner(engine)
        engine.transact([], [DeleteKey(a.own_key)])
        a.carries.put(carry(note="meanwhile"), 1)
        await asyncio.sleep(GATHERED_S)
        a.register()
        await a.carries.take(AGENT, 5)
        await asyncio.sleep(GATHERED_S)
        assert await a.note() == "meanwhile"
        assert read_value(Carried, a.entry()).term == 5
        a.carries.put(carry(note="after"), 5)
        await asyncio.sleep(GATHERED_S)
        assert await a.note() == "after"

    plays(play)


def test_whoever_takes_it_over_learns_what_was_left_and_writes_in_its_place() -> None:
    async def play(engine: MemoryEngine) -> None:
        a = await owner(engine)
        a.carries.put(carry(note="of a1"), 1)
        await asyncio.sleep(GATHERED_S)
        b = Writer(engine, "b1")
        b.register()
        assert await b.carries.take(AGENT, 2) == carry(note="of a1")
        b.carries.put(carry(note="of b1"), 2)
        await asyncio.sleep(GATHERED_S)
        assert await a.note() == "of b1"

    plays(play)


def test_nothing_is_written_for_somebody_who_was_forgotten() -> None:
    async def play(engine: MemoryEngine) -> None:
        a = await owner(engine)
        a.carries.put(carry(note="x"), 1)
        a.carries.forget(AGENT)
        a.carries.write_again()
        await asyncio.sleep(GATHERED_S)
        assert engine.get(KEY) is None

    plays(play)


# --- keys


def test_a_carry_under_another_agent_s_key_or_in_another_term_does_not_open() -> None:
    async def play(engine: MemoryEngine) -> None:
        a = await owner(engine)
        a.carries.put(carry(note="x"), 1)
        await asyncio.sleep(GATHERED_S)
        entry = a.entry()
        engine.transact([], [PutValue(carry_key("5002"), entry.value)])
        assert await a.carries.read(AgentId("5002")) is None
        sealed = read_value(Carried, entry).sealed
        engine.transact([], [PutValue(KEY, write_value(Carried(term=2, sealed=sealed)))])
        assert await a.carries.read(AGENT) is None

    plays(play)


def test_another_cluster_cannot_read_it() -> None:
    async def play(engine: MemoryEngine) -> None:
        a = await owner(engine)
        a.carries.put(carry(note="x"), 1)
        await asyncio.sleep(GATHERED_S)
        assert await Writer(engine, "z1", key(9)).carries.read(AGENT) is None

    plays(play)


@pytest.mark.parametrize("value", [b"nonsense", b"", write_value(Carried(term=1, sealed=b"nonsense"))])
def test_what_nobody_can_read_is_as_good_as_nothing(value: bytes) -> None:
    async def play(engine: MemoryEngine) -> None:
        engine.transact([], [PutValue(KEY, value)])
        a = Writer(engine)
        a.register()
        assert await a.carries.take(AGENT, 1) is None
        a.carries.put(carry(note="new"), 1)
        await asyncio.sleep(GATHERED_S)
        assert await a.note() == "new", "it is written over"

    plays(play)


@pytest.mark.parametrize(
    "content",
    [
        b"not deflated",
        zlib.compress(b"no carry"),
        zlib.compress(pack(carry()))[:-8],
        zlib.compress(bytes(2 * 1024 * 1024)),
    ],
    ids=["plain", "something-else", "cut-off", "endless"],
)
def test_what_is_no_carry_under_a_good_seal_is_as_good_as_nothing(content: bytes) -> None:
    async def play(engine: MemoryEngine) -> None:
        a = Writer(engine)
        sealed = a.keyring.seal("carry", content, about=f"{AGENT} 1".encode())
        engine.transact([], [PutValue(KEY, write_value(Carried(term=1, sealed=sealed)))])
        assert await a.carries.read(AGENT) is None

    plays(play)


def test_after_a_change_of_keys_all_is_sealed_anew_and_the_old_key_can_go() -> None:
    async def play(engine: MemoryEngine) -> None:
        old, new = key(1), key(2, seals_from_s=10.0)
        a, b = Writer(engine, "a1", new, old), Writer(engine, "b1", new)
        a.register()
        await a.carries.take(AGENT, 1)
        a.carries.put(carry(note="x"), 1)
        await asyncio.sleep(GATHERED_S)
        assert await b.carries.read(AGENT) is None
        await asyncio.sleep(10.0)
        a.carries.write_again()
        await asyncio.sleep(GATHERED_S)
        assert await b.carries.read(AGENT) == carry(note="x")

    plays(play)


# --- waiting, and trouble


def test_one_can_wait_until_the_last_change_is_written() -> None:
    async def play(engine: MemoryEngine) -> None:
        a = await owner(engine)
        a.store.faults.delay_s = 0.5
        a.carries.put(carry(note="last"), 1)
        await a.carries.settle(AGENT)
        assert engine.get(KEY) is not None
        began_s = a.clock.now_s()
        await a.carries.settle(AGENT)
        assert a.clock.now_s() == began_s

    plays(play)


def test_nobody_waits_for_ever_for_a_store_that_is_away() -> None:
    async def play(engine: MemoryEngine) -> None:
        a = await owner(engine)
        a.store.faults.down = True
        a.carries.put(carry(note="last"), 1)
        began_s = a.clock.now_s()
        await a.carries.settle(AGENT)
        assert a.clock.now_s() - began_s == pytest.approx(1.5, abs=0.05)
        a.store.faults.down = False
        await asyncio.sleep(5.0)
        assert await a.note() == "last"

    plays(play)


def test_that_the_store_cannot_be_asked_is_not_taken_for_nothing_left() -> None:
    async def play(engine: MemoryEngine) -> None:
        a = Writer(engine)
        a.store.faults.down = True
        with pytest.raises(StoreUnavailable):
            await a.carries.read(AGENT)
        a.store.faults.down, a.store.faults.refused = False, True
        with pytest.raises(StoreRefused):
            await a.carries.take(AGENT, 1)

    plays(play)


def test_the_loop_ends_when_it_is_cancelled() -> None:
    async def play(engine: MemoryEngine) -> None:
        a = await owner(engine)
        await asyncio.sleep(GATHERED_S)
        a.running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await a.running
        assert asyncio.all_tasks() == {asyncio.current_task()}

    plays(play)
