"""What a session leaves is read by its next owner only, and written by nobody who has not the claim."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from random import Random

from msgspec.structs import replace
from tests.unit.cluster.stores.store_on_virtual_time import connect, on_virtual_time

from unified_agent.cluster.carries import PURPOSE, Carries
from unified_agent.cluster.lives import Life
from unified_agent.cluster.stores.base import ABSENT, Committed, Entry, LeaseId, PutValue, Revision
from unified_agent.cluster.stores.batch import BatchSettings
from unified_agent.cluster.stores.memory import MemoryStore
from unified_agent.cluster.stores.memory_engine import MemoryEngine
from unified_agent.cluster.tenure import Tenure, TenureSettings
from unified_agent.cluster.transactions import carry_key
from unified_agent.cluster.values import Carried, read_value, write_value
from unified_agent.domain.carry import carry_of, pack
from unified_agent.domain.ids import AgentId, CommandId, Secret, SessionId, StationId
from unified_agent.domain.session import new_session
from unified_agent.domain.session_state import CommandRecord, Identity, Message, Outcome, Policy, SessionState
from unified_agent.observe import Metrics
from unified_agent.sealing import Keyring

AGENT = AgentId("5001")
KEY = carry_key(AGENT)
KEYRING = Keyring.random()


def carry(text: str = "hello", agent: AgentId = AGENT) -> SessionState:
    """A session as it is carried, told apart by the text of a message."""
    identity = Identity(agent=agent, station=StationId("2001"), password=Secret("1"))
    state = new_session(SessionId("s"), identity, Policy(), 1_000.0)
    return carry_of(replace(state, messages=(Message(text=text, sender="", at_s=0.0),)))


class One:
    """One instance's carries, and its key in the store."""

    def __init__(self, engine: MemoryEngine, name: str, keyring: Keyring = KEYRING) -> None:
        self.store = connect(engine)
        self.metrics = Metrics()
        self.key = f"cluster/node/dc1/{name}"
        self.carries = Carries(self.key, self.store, keyring, Random(1), BatchSettings(), self.metrics)

    async def register(self) -> None:
        outcome = await self.store.put_if(self.key, b"here", ABSENT)
        assert isinstance(outcome, Committed)
        self.carries.begin(_life(outcome.revision))


def _life(incarnation: Revision) -> Life:
    return Life(incarnation=incarnation, lease=LeaseId(1), tenure=Tenure(settings=TenureSettings(), renewed_s=0.0))


def play(doing: Callable[[One, One], Awaitable[None]]) -> None:
    """Run a test with two registered instances that write."""

    async def main(engine: MemoryEngine) -> None:
        both = One(engine, "a1"), One(engine, "a2")
        for each in both:
            await each.register()
        writing = [asyncio.ensure_future(each.carries.run()) for each in both]
        await doing(*both)
        for task in writing:
            task.cancel()
        await asyncio.gather(*writing, return_exceptions=True)

    on_virtual_time(main)


async def entry_of(store: MemoryStore, key: str = KEY) -> Entry:
    entry = await store.get(key)
    assert entry is not None
    return entry


def test_the_next_owner_reads_what_was_written_last():
    async def doing(a1: One, a2: One) -> None:
        a1.carries.put(carry("first"), term=1)
        a1.carries.put(carry("second"), term=1)
        await a1.carries.settle(AGENT)
        assert await a2.carries.read(AGENT) == carry("second")
        assert await a2.carries.read(AgentId("5002")) is None

    play(doing)


def test_nothing_of_it_can_be_read_in_the_store():
    async def doing(a1: One, a2: One) -> None:
        a1.carries.put(carry("balance 118.20"), term=1)
        await a1.carries.settle(AGENT)
        value = (await entry_of(a2.store)).value
        for known in (b"balance", b"2001", pack(carry("balance 118.20"))[:20]):
            assert known not in value

    play(doing)


def test_ten_minutes_of_commands_take_little_room():
    async def doing(a1: One, a2: One) -> None:
        commands = tuple(
            CommandRecord(id=CommandId(f"{number:032x}"), type="save-draft", outcome=Outcome.DONE, at_s=float(number))
            for number in range(16)
        )
        long = replace(carry(), commands=commands)
        a1.carries.put(long, term=1)
        await a1.carries.settle(AGENT)
        entry = await entry_of(a2.store)
        assert len(entry.value) < len(pack(long)) / 2
        assert await a2.carries.read(AGENT) == long

    play(doing)


def test_what_was_moved_to_another_key_or_term_or_sealed_by_strangers_is_not_read():
    async def doing(a1: One, a2: One) -> None:
        a1.carries.put(carry(), term=3)
        await a1.carries.settle(AGENT)
        entry = await entry_of(a1.store)
        carried = read_value(Carried, entry)
        await a1.store.transact([], [PutValue(carry_key("5002"), entry.value)])
        assert await a2.carries.read(AgentId("5002")) is None
        await a1.store.transact([], [PutValue(KEY, write_value(replace(carried, term=4)))])
        assert await a2.carries.read(AGENT) is None
        strange = One(a1.store.engine, "a3", Keyring.random())
        await a1.store.transact([], [PutValue(KEY, entry.value)])
        assert await strange.carries.read(AGENT) is None
        assert await a2.carries.read(AGENT) == carry()

    play(doing)


def test_what_was_sealed_but_is_no_carry_is_not_read():
    async def doing(a1: One, a2: One) -> None:
        bomb = zlib.compress(bytes(50_000_000))
        whole = zlib.compress(pack(carry()))
        for content in (b"", b"nonsense", pack(carry()), zlib.compress(b"nonsense"), whole[:-5], bomb):
            sealed = KEYRING.seal(PURPOSE, content, about=b"5001 1")
            await a1.store.transact([], [PutValue(KEY, write_value(Carried(term=1, sealed=sealed)))])
            assert await a2.carries.read(AGENT) is None

    play(doing)


def test_whoever_takes_it_goes_on_writing_and_the_last_owner_does_not():
    async def doing(a1: One, a2: One) -> None:
        a1.carries.put(carry("of a1"), term=1)
        await a1.carries.settle(AGENT)
        assert await a2.carries.take(AGENT, 2) == carry("of a1")
        a2.carries.put(carry("of a2"), term=2)
        await a2.carries.settle(AGENT)
        a1.carries.put(carry("too late"), term=1)
        await a1.carries.settle(AGENT)
        assert await a1.carries.read(AGENT) == carry("of a2")
        assert a1.metrics.fenced_writes._value.get() == 1

    play(doing)


def test_an_instance_whose_registration_has_ended_writes_nothing_more():
    async def doing(a1: One, a2: One) -> None:
        del a2
        await a1.store.delete_if(a1.key, (await entry_of(a1.store, a1.key)).revision)
        a1.carries.put(carry(), term=1)
        await a1.carries.settle(AGENT)
        assert await a1.store.get(KEY) is None
        assert a1.metrics.fenced_writes._value.get() == 1

    play(doing)


def test_after_a_new_registration_what_is_taken_anew_is_written_in_its_new_term():
    async def doing(a1: One, a2: One) -> None:
        a1.carries.put(carry("before"), term=1)
        await a1.carries.settle(AGENT)
        await a1.store.delete_if(a1.key, (await entry_of(a1.store, a1.key)).revision)
        await a1.register()
        assert await a1.carries.take(AGENT, 2) == carry("before")
        await a1.carries.settle(AGENT)
        entry = await entry_of(a2.store)
        assert read_value(Carried, entry).term == 2
        assert await a2.carries.read(AGENT) == carry("before")

    play(doing)


def test_what_was_forgotten_is_not_written_again():
    async def doing(a1: One, a2: One) -> None:
        a1.carries.put(carry("one"), term=1)
        a1.carries.put(carry("two", AgentId("5002")), term=1)
        a1.carries.forget(AGENT)
        await a1.carries.settle(AgentId("5002"))
        before = await entry_of(a2.store, carry_key("5002"))
        a1.carries.write_again()
        await a1.carries.settle(AgentId("5002"))
        assert (await entry_of(a2.store, carry_key("5002"))).revision > before.revision
        assert await a2.carries.read(AgentId("5002")) == carry("two", AgentId("5002"))
        assert await a2.carries.read(AGENT) is None

    play(doing)
