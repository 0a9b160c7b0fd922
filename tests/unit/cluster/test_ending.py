"""An end is proven once and for all, and nothing of a later life is touched."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from tests.unit.cluster.stores.store_on_virtual_time import connect, on_virtual_time

from unified_agent.cluster.ending import prove_end
from unified_agent.cluster.stores.base import (
    ABSENT,
    Committed,
    Outcome,
    PutValue,
    Revision,
    StoreRefused,
    StoreUnavailable,
    Write,
    WriteUnknown,
)
from unified_agent.cluster.stores.memory import MemoryStore
from unified_agent.cluster.stores.memory_engine import MemoryEngine
from unified_agent.cluster.transactions import Condition, Ended, ended_key, instance_key
from unified_agent.cluster.values import read_value
from unified_agent.domain.ids import InstanceId

ME = InstanceId("a1")
NODE, PROOF = instance_key("dc1", ME), ended_key("dc1", ME)


async def register(store: MemoryStore) -> Revision:
    lease = await store.grant_lease(4.0)
    made = await store.put_if(NODE, b"here", ABSENT, lease.lease)
    assert isinstance(made, Committed)
    return made.revision


async def proven(store: MemoryStore) -> int | None:
    entry = await store.get(PROOF)
    return None if entry is None else read_value(Ended, entry).incarnation


def test_proof_and_removal_are_one_change_and_the_proof_outlives_every_lease() -> None:
    async def play(engine: MemoryEngine) -> None:
        store = connect(engine)
        incarnation = await register(store)
        before = engine.revision
        await prove_end(store, "dc1", ME, incarnation)
        assert engine.revision == before + 1
        assert await store.get(NODE) is None
        await asyncio.sleep(60.0)
        assert await proven(store) == incarnation

    on_virtual_time(play)


def test_an_end_is_proven_also_when_the_lease_has_ended_before() -> None:
    async def play(engine: MemoryEngine) -> None:
        store = connect(engine)
        incarnation = await register(store)
        await asyncio.sleep(60.0)
        assert await store.get(NODE) is None
        await prove_end(store, "dc1", ME, incarnation)
        assert await proven(store) == incarnation

    on_virtual_time(play)


def test_a_later_incarnation_keeps_its_registration_and_the_earlier_is_proven_ended() -> None:
    async def play(engine: MemoryEngine) -> None:
        store = connect(engine)
        earlier = await register(store)
        await asyncio.sleep(60.0)
        later = await register(store)
        await prove_end(store, "dc1", ME, earlier)
        node = await store.get(NODE)
        assert node is not None
        assert node.created == later
        assert await proven(store) == earlier

    on_virtual_time(play)


def test_a_proof_is_never_lowered_and_repeating_it_changes_nothing() -> None:
    async def play(engine: MemoryEngine) -> None:
        store = connect(engine)
        earlier = await register(store)
        await asyncio.sleep(60.0)
        later = await register(store)
        await prove_end(store, "dc1", ME, later)
        before = engine.revision
        await prove_end(store, "dc1", ME, earlier)
        await prove_end(store, "dc1", ME, later)
        assert engine.revision == before
        assert await proven(store) == later

    on_virtual_time(play)


def test_what_nobody_can_read_gives_way_to_a_proof() -> None:
    async def play(engine: MemoryEngine) -> None:
        store = connect(engine)
        await store.put_if(PROOF, b"nonsense", ABSENT)
        await prove_end(store, "dc1", ME, 7)
        assert await proven(store) == 7

    on_virtual_time(play)


def test_an_answer_that_was_lost_is_made_up_for_by_asking_again() -> None:
    async def play(engine: MemoryEngine) -> None:
        store = connect(engine)
        incarnation = await register(store)
        store.faults.deaf = True
        with pytest.raises(WriteUnknown):
            await prove_end(store, "dc1", ME, incarnation)
        store.faults.deaf = False
        before = engine.revision
        await prove_end(store, "dc1", ME, incarnation)
        assert engine.revision == before
        assert await proven(store) == incarnation

    on_virtual_time(play)


def test_a_proof_that_arrives_late_does_no_harm_to_the_next_life() -> None:
    async def play(engine: MemoryEngine) -> None:
        store, other = connect(engine), connect(engine)
        incarnation = await register(other)
        store.faults.delay_s = 20.0
        with pytest.raises(WriteUnknown):
            await prove_end(store, "dc1", ME, incarnation)
        await asyncio.sleep(6.0)
        later = await register(other)
        await asyncio.sleep(3.0)  # 10.5 s have passed, and the proof has arrived after 10
        node = await other.get(NODE)
        assert node is not None
        assert node.created == later
        assert await proven(other) is None

    on_virtual_time(play)


def test_refusals_and_outages_are_the_callers() -> None:
    async def play(engine: MemoryEngine) -> None:
        store = connect(engine)
        store.faults.refused = True
        with pytest.raises(StoreRefused):
            await prove_end(store, "dc1", ME, 7)
        store.faults.refused = False
        store.faults.down = True
        with pytest.raises(StoreUnavailable):
            await prove_end(store, "dc1", ME, 7)

    on_virtual_time(play)


class Contested(MemoryStore):
    """Somebody else writes the proof before each of our transactions."""

    async def transact(self, conditions: Sequence[Condition], writes: Sequence[Write]) -> Outcome:
        self.engine.transact([], [PutValue(PROOF, b"nonsense")])
        return await super().transact(conditions, writes)


def test_a_proof_that_others_change_all_the_time_is_given_up() -> None:
    async def play(engine: MemoryEngine) -> None:
        with pytest.raises(StoreUnavailable, match="is being changed by others all the time"):
            await prove_end(Contested(engine), "dc1", ME, 7)

    on_virtual_time(play)
