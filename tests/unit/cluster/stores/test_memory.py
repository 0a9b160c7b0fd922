"""What the contract does not say: the faults of the in-memory store, on the virtual clock."""

import asyncio

import pytest
from tests.unit.cluster.stores.store_on_virtual_time import connect, on_virtual_time

from unified_agent.clock import LoopClock
from unified_agent.cluster.stores.base import (
    ABSENT,
    Changes,
    Committed,
    PutValue,
    Snapshot,
    StoreRefused,
    StoreUnavailable,
    WriteUnknown,
)
from unified_agent.cluster.stores.memory import MemoryStore
from unified_agent.cluster.stores.memory_engine import MemoryEngine


def test_a_store_that_is_down_is_unavailable_after_the_limit_and_nothing_was_written() -> None:
    async def play(engine: MemoryEngine) -> None:
        store = connect(engine)
        store.faults.down = True
        began_s = engine.clock.now_s()
        with pytest.raises(StoreUnavailable) as failed:
            await store.put_if("k", b"", ABSENT)
        assert not isinstance(failed.value, WriteUnknown)
        assert engine.clock.now_s() - began_s == pytest.approx(1.5)
        assert not store.health().up
        store.faults.down = False
        assert await store.get("k") is None
        assert store.health().up

    on_virtual_time(play)


def test_a_deaf_instance_writes_without_knowing() -> None:
    async def play(engine: MemoryEngine) -> None:
        store, other = connect(engine), connect(engine)
        store.faults.deaf = True
        with pytest.raises(WriteUnknown):
            await store.put_if("k", b"made", ABSENT)
        entry = await other.get("k")
        assert entry is not None
        assert entry.value == b"made"

    on_virtual_time(play)


def test_a_slow_write_arrives_after_its_sender_gave_up() -> None:
    async def play(engine: MemoryEngine) -> None:
        store, other = connect(engine), connect(engine)
        store.faults.delay_s = 8.0
        with pytest.raises(WriteUnknown):
            await store.put_if("k", b"late", ABSENT)
        assert await other.get("k") is None
        await asyncio.sleep(3.0)
        assert await other.get("k") is not None

    on_virtual_time(play)


def test_a_write_that_is_made_in_time_and_answered_late_is_unknown() -> None:
    async def play(engine: MemoryEngine) -> None:
        store, other = connect(engine), connect(engine)
        store.faults.delay_s = 2.0
        with pytest.raises(WriteUnknown):
            await store.put_if("k", b"", ABSENT)
        assert await other.get("k") is not None
        store.faults.delay_s = 0.5
        began_s = engine.clock.now_s()
        await store.get("k")
        assert engine.clock.now_s() - began_s == pytest.approx(0.5)

    on_virtual_time(play)


def test_a_write_that_was_sent_is_made_although_its_sender_is_no_more() -> None:
    async def play(engine: MemoryEngine) -> None:
        store, other = connect(engine), connect(engine)
        store.faults.delay_s = 0.2
        sending = asyncio.ensure_future(store.put_if("k", b"sent", ABSENT))
        await asyncio.sleep(0.05)
        sending.cancel()
        assert await other.get("k") is None
        await asyncio.sleep(0.1)
        assert await other.get("k") is not None

    on_virtual_time(play)


def test_an_instance_counts_its_lease_by_its_own_clock() -> None:
    async def play(engine: MemoryEngine) -> None:
        own = LoopClock(asyncio.get_running_loop(), wall_s=lambda: 5_000.0)
        lease = await MemoryStore(engine, clock=own).grant_lease(3)
        assert lease.sent_at_s == pytest.approx(5_000.0)

    on_virtual_time(play)


def test_a_lease_that_cannot_be_renewed_ends_for_all_but_its_holder_knows_when() -> None:
    async def play(engine: MemoryEngine) -> None:
        store, other = connect(engine), connect(engine)
        lease = await store.grant_lease(3)
        await store.put_if("node/me", b"", ABSENT, lease.lease)
        store.faults.down = True
        while await other.get("node/me") is not None:
            assert engine.clock.now_s() < lease.ends_at_s + 0.2
            await asyncio.sleep(0.1)
        assert engine.clock.now_s() >= lease.ends_at_s
        store.faults.down = False
        assert await store.keep_alive(lease.lease) is None

    on_virtual_time(play)


def test_without_a_quorum_no_lease_ends_and_a_new_leader_gives_them_their_whole_time() -> None:
    async def play(engine: MemoryEngine) -> None:
        store = connect(engine)
        lease = await store.grant_lease(3)
        await store.put_if("node/me", b"", ABSENT, lease.lease)
        engine.pause()
        with pytest.raises(StoreUnavailable):
            await store.get("node/me")
        await asyncio.sleep(60)
        engine.resume()
        await asyncio.sleep(3.9)
        assert await store.get("node/me") is not None
        await asyncio.sleep(0.2)
        assert await store.get("node/me") is None

    on_virtual_time(play)


def test_a_watch_survives_an_outage_of_any_length_and_tells_what_was_missed() -> None:
    async def play(engine: MemoryEngine) -> None:
        store, other = connect(engine), connect(engine)
        async with store.watch("") as watch:
            assert isinstance(await watch.next(), Snapshot)
            store.faults.down = True
            heard_s = watch.heard_at_s
            waiting = asyncio.ensure_future(watch.next())
            await asyncio.sleep(3600)
            await other.put_if("k", b"", ABSENT)
            await asyncio.sleep(3600)
            assert not waiting.done()
            assert watch.heard_at_s == heard_s
            store.faults.down = False
            store.woken()
            told = await waiting
            assert isinstance(told, Changes)
            assert [event.key for event in told.events] == ["k"]

    on_virtual_time(play)


def test_a_watch_that_was_away_too_long_finds_a_snapshot() -> None:
    async def play(engine: MemoryEngine) -> None:
        store = connect(engine)
        async with store.watch("") as watch:
            assert isinstance(await watch.next(), Snapshot)
            for number in range(12):
                await store.transact([], [PutValue("k", str(number).encode())])
            told = await watch.next()
            assert isinstance(told, Snapshot)
            assert told.entries["k"].value == b"11"

    on_virtual_time(play, history_limit=10)


def test_whoever_is_refused_is_told_so_and_may_come_back() -> None:
    async def play(engine: MemoryEngine) -> None:
        store = connect(engine)
        store.faults.refused = True
        with pytest.raises(StoreRefused):
            await store.get("k")
        async with store.watch("") as watch:
            with pytest.raises(StoreRefused):
                await watch.next()
            store.faults.refused = False
            assert isinstance(await watch.next(), Snapshot)
        assert isinstance(await store.put_if("k", b"", ABSENT), Committed)

    on_virtual_time(play)


def test_a_store_that_is_closed_leaves_no_watch_behind() -> None:
    async def play(engine: MemoryEngine) -> None:
        store = connect(engine)
        watch = store.watch("")
        await watch.next()
        await store.close()
        await connect(engine).put_if("k", b"", ABSENT)

    on_virtual_time(play)
