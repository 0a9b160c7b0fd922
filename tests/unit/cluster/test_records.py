"""Claims are read as they stand, and written by one transaction or not at all."""

from __future__ import annotations

import pytest
from tests.unit.cluster.stores.store_on_virtual_time import connect, on_virtual_time

from unified_agent.cluster.ownership import NEVER, Claim, Claimer, Record, Request, Seen, decide_claim
from unified_agent.cluster.records import Records, record_of
from unified_agent.cluster.stores.base import ABSENT, Committed, Conflict, PutValue, StoreUnavailable, WriteUnknown
from unified_agent.cluster.stores.memory_engine import MemoryEngine
from unified_agent.cluster.transactions import agent_key, instance_key, station_key
from unified_agent.domain.ids import AgentId, InstanceId, SessionId, StationId
from unified_agent.domain.states import Wish
from unified_agent.errors import RemoteProtocolError

AGENT, STATION, ME = AgentId("5001"), StationId("2001"), InstanceId("a1")


def claim(incarnation: int, agent: Seen = NEVER, station: Seen = NEVER) -> Claim:
    claimer = Claimer(
        instance=ME,
        datacentre="east",
        incarnation=incarnation,
        may_act=True,
        view_is_fresh=True,
        serves=True,
        epoch=1,
        active_revision=0,
    )
    request = Request(wish=Wish.LOGIN, agent=AGENT, station=STATION, session=SessionId("s1"))
    decision = decide_claim(request, agent, station, {}, claimer, 0.0)
    assert isinstance(decision, Claim)
    return decision


async def registered(engine: MemoryEngine) -> int:
    made = engine.transact([], [PutValue(instance_key("east", ME), b"here")])
    assert isinstance(made, Committed)
    return made.revision


def test_what_never_was_is_never_seen():
    async def play(engine: MemoryEngine) -> None:
        records = Records(connect(engine))
        assert await records.both(AGENT, STATION) == (NEVER, NEVER)
        assert await records.all() == ()

    on_virtual_time(play)


def test_a_claim_is_written_under_both_keys_and_read_back():
    async def play(engine: MemoryEngine) -> None:
        records = Records(connect(engine))
        decision = claim(await registered(engine))
        outcome = await records.commit(decision.transaction)
        assert isinstance(outcome, Committed)
        seen = Seen(record_of(decision), outcome.revision)
        assert await records.both(AGENT, STATION) == (seen, seen)
        assert await records.all() == (record_of(decision),)
        assert record_of(decision).session == "s1"

    on_virtual_time(play)


def test_a_claim_whose_conditions_have_passed_is_not_written():
    async def play(engine: MemoryEngine) -> None:
        records = Records(connect(engine))
        decision = claim(await registered(engine))
        await records.commit(decision.transaction)
        assert isinstance(await records.commit(decision.transaction), Conflict)

    on_virtual_time(play)


def test_outages_are_the_callers():
    async def play(engine: MemoryEngine) -> None:
        store = connect(engine)
        records = Records(store)
        decision = claim(await registered(engine))
        store.faults.deaf = True
        with pytest.raises(WriteUnknown):
            await records.commit(decision.transaction)
        store.faults.deaf, store.faults.down = False, True
        for asking in (records.agent(AGENT), records.station(STATION), records.both(AGENT, STATION), records.all()):
            with pytest.raises(StoreUnavailable):
                await asking

    on_virtual_time(play)


def test_a_record_that_cannot_be_read_is_not_taken_for_none():
    async def play(engine: MemoryEngine) -> None:
        store = connect(engine)
        await store.put_if(agent_key(AGENT), b"nonsense", ABSENT)
        with pytest.raises(RemoteProtocolError, match="agent/5001 holds no Record"):
            await Records(store).agent(AGENT)

    on_virtual_time(play)


def test_among_all_records_one_that_cannot_be_read_hides_no_other():
    async def play(engine: MemoryEngine) -> None:
        store = connect(engine)
        records = Records(store)
        decision = claim(await registered(engine))
        await records.commit(decision.transaction)
        await store.put_if(agent_key("5002"), b"nonsense", ABSENT)
        assert await records.all() == (record_of(decision),)

    on_virtual_time(play)


def test_the_record_of_a_claim_is_the_agent_s_own():
    decision = claim(7)
    record = record_of(decision)
    assert isinstance(record, Record)
    assert (record.agent, record.station, record.owner, record.incarnation) == (AGENT, STATION, ME, 7)
    assert {each.key for each in decision.transaction.writes} == {agent_key(AGENT), station_key(STATION)}
