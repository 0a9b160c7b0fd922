import asyncio

from tests.unit.cluster.stores.store_on_virtual_time import on_virtual_time

from unified_agent.cluster.stores.base import Changes, Committed, DeleteKey, PutValue, Removed, Revision
from unified_agent.cluster.stores.memory_engine import MemoryEngine


def test_a_lease_is_of_whole_seconds_and_not_shorter_than_a_cluster_grants() -> None:
    async def play(engine: MemoryEngine) -> None:
        assert engine.grant(0.5)[1] == 2.0
        assert engine.grant(3.2)[1] == 4.0

    on_virtual_time(play)


def test_no_two_leases_have_the_same_name() -> None:
    async def play(engine: MemoryEngine) -> None:
        first, _ = engine.grant(3)
        engine.end_lease(first)
        assert engine.grant(3)[0] != first
        assert engine.renew(first) is None

    on_virtual_time(play)


def test_the_end_of_a_lease_takes_its_keys_in_one_revision() -> None:
    async def play(engine: MemoryEngine) -> None:
        lease, _ = engine.grant(2)
        engine.transact([], [PutValue("a", b"", lease), PutValue("b", b"", lease), PutValue("c", b"")])
        before = engine.revision
        await asyncio.sleep(2.1)
        told = engine.changes_after("", before, 10)
        gone = Revision(before + 1)
        assert told == Changes(revision=gone, events=(Removed(key="a", revision=gone), Removed(key="b", revision=gone)))

    on_virtual_time(play)


def test_a_key_deleted_before_its_lease_ends_is_not_removed_again() -> None:
    async def play(engine: MemoryEngine) -> None:
        lease, _ = engine.grant(2)
        engine.transact([], [PutValue("a", b"", lease)])
        engine.transact([], [DeleteKey("a")])
        engine.transact([], [PutValue("a", b"mine")])
        before = engine.revision
        await asyncio.sleep(3)
        assert engine.revision == before
        assert engine.get("a") is not None

    on_virtual_time(play)


def test_history_is_bounded_and_says_from_where_it_can_be_told() -> None:
    async def play(engine: MemoryEngine) -> None:
        for number in range(5):
            assert isinstance(engine.transact([], [PutValue("a", bytes([number]))]), Committed)
        assert engine.compacted == engine.revision - 3
        told = engine.changes_after("", engine.compacted, 2)
        assert told is not None
        assert len(told.events) == 2
        assert engine.changes_after("", engine.revision, 2) is None
        engine.compact()
        assert engine.compacted == engine.revision

    on_virtual_time(play, history_limit=3)


def test_who_listens_no_more_is_not_woken() -> None:
    async def play(engine: MemoryEngine) -> None:
        woken: list[int] = []
        stop = engine.listen(lambda: woken.append(1))
        engine.transact([], [PutValue("a", b"")])
        stop()
        engine.transact([], [PutValue("a", b"")])
        assert woken == [1]

    on_virtual_time(play)
