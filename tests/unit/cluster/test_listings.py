"""Our listing in the store is as the roll is, and the tenure asks all that may stand in it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from tests.unit.cluster.stores.store_on_virtual_time import connect, on_virtual_time

from unified_agent.clock import LoopClock
from unified_agent.cluster.heartbeats import Stage
from unified_agent.cluster.listings import PACE_S, Listings
from unified_agent.cluster.lives import Life, Lives
from unified_agent.cluster.registration import Place
from unified_agent.cluster.roll import Roll
from unified_agent.cluster.stores.base import Committed, DeleteKey, LeaseId, PutValue, Revision, Snapshot
from unified_agent.cluster.stores.memory_engine import MemoryEngine
from unified_agent.cluster.tenure import Listing, Tenure, TenureSettings
from unified_agent.cluster.transactions import CLUSTER_PREFIX, instance_key, listing_key
from unified_agent.cluster.values import Node, write_value
from unified_agent.domain.ids import InstanceId

A1, B1, B2 = InstanceId("a1"), InstanceId("b1"), InstanceId("b2")
KEY = listing_key("east", A1)


class Writer:
    """The listing of a1, in an engine where the test registers whom it likes."""

    def __init__(self, engine: MemoryEngine) -> None:
        self.engine = engine
        self.store = connect(engine)
        self.clock = LoopClock(asyncio.get_running_loop(), wall_s=lambda: 0.0)
        self.lives, self.roll = Lives(), Roll()
        self.place = Place(
            instance=A1,
            datacentre="east",
            other="west",
            process="p",
            url="",
            peer_address="",
            version="1",
            capacity=1,
        )
        self.listings = Listings(self.place, self.lives, self.roll, self.store, self.clock)
        self.running = asyncio.get_running_loop().create_task(self.listings.run())

    def register(self, name: InstanceId, datacentre: str = "east") -> Revision:
        node = Node(process="p", url="", peer_address="", version="1", capacity=1, stage=Stage.READY)
        made = self.engine.transact([], [PutValue(instance_key(datacentre, name), write_value(node))])
        assert isinstance(made, Committed)
        return made.revision

    def begin(self) -> Life:
        incarnation = self.register(A1)
        life = Life(
            incarnation=incarnation,
            lease=LeaseId(1),
            tenure=Tenure(settings=TenureSettings(), renewed_s=self.clock.now_s()),
        )
        self.lives.begin(life)
        return life

    async def look(self, for_s: float = PACE_S + 0.01) -> None:
        """Read the roll as the watch would, and let the listing be written."""
        self.roll.take(self.engine.snapshot(CLUSTER_PREFIX))
        self.listings.look()
        await asyncio.sleep(for_s)

    @property
    def listed(self) -> Listing | None:
        roll = Roll()
        roll.take(self.engine.snapshot(CLUSTER_PREFIX))
        return roll.listing("east", A1)[0]


def test_all_others_are_listed_of_both_datacentres_and_never_ourselves() -> None:
    async def play(engine: MemoryEngine) -> None:
        writer = Writer(engine)
        life = writer.begin()
        writer.register(B2)
        writer.register(B1, "west")
        await writer.look()
        assert writer.listed == Listing(life.incarnation, (B1, B2))
        assert life.tenure.asked == {B1, B2}

    on_virtual_time(play)


def test_without_a_registration_or_a_whole_roll_nothing_is_written() -> None:
    async def play(engine: MemoryEngine) -> None:
        writer = Writer(engine)
        await writer.look()
        assert writer.listed is None
        life = writer.begin()
        writer.listings.look()
        await asyncio.sleep(1.0)
        assert writer.listed == Listing(life.incarnation, ()), "the roll had been read before it began"
        other = Writer(engine)
        other.lives.begin(life)
        other.register(B1)
        other.listings.look()
        await asyncio.sleep(1.0)
        assert writer.listed == Listing(life.incarnation, ()), "nothing follows from a roll that was never read"

    on_virtual_time(play)


def test_who_comes_and_goes_is_followed_and_nothing_written_without_need() -> None:
    async def play(engine: MemoryEngine) -> None:
        writer = Writer(engine)
        life = writer.begin()
        await writer.look()
        writer.register(B1)
        await writer.look()
        assert life.tenure.asked == {B1}
        before = engine.revision
        await writer.look()
        assert engine.revision == before
        engine.transact([], [DeleteKey(instance_key("east", B1))])
        await writer.look()
        assert (writer.listed, life.tenure.asked) == (Listing(life.incarnation, ()), frozenset())

    on_virtual_time(play)


def test_from_the_moment_it_is_sent_the_old_and_the_new_ones_are_asked() -> None:
    async def play(engine: MemoryEngine) -> None:
        writer = Writer(engine)
        life = writer.begin()
        writer.register(B1)
        await writer.look()
        engine.transact([], [DeleteKey(instance_key("east", B1))])
        writer.register(B2)
        writer.store.faults.delay_s = 0.4
        await writer.look(0.1)
        assert life.tenure.asked == {B1, B2}
        await asyncio.sleep(0.4)
        assert life.tenure.asked == {B2}

    on_virtual_time(play)


def test_before_the_first_listing_is_confirmed_none_counts() -> None:
    async def play(engine: MemoryEngine) -> None:
        writer = Writer(engine)
        life = writer.begin()
        writer.store.faults.deaf = True
        await writer.look(1.6)
        assert writer.listed == Listing(life.incarnation, ())
        assert life.tenure.asked is None, "nobody has told us"
        writer.store.faults.deaf = False
        writer.roll.take(engine.snapshot(CLUSTER_PREFIX))
        await asyncio.sleep(1.0)
        assert life.tenure.asked == frozenset()

    on_virtual_time(play)


def test_a_listing_that_had_changed_since_it_was_read_is_written_when_the_roll_has_told() -> None:
    async def play(engine: MemoryEngine) -> None:
        writer = Writer(engine)
        life = writer.begin()
        await writer.look()
        writer.register(B1)
        engine.transact([], [PutValue(KEY, b"nonsense")])  # of an earlier process, arriving late
        engine.transact([], [PutValue(KEY, b"later nonsense")])
        writer.roll.take(stale_snapshot(engine, KEY))
        writer.listings.look()
        await asyncio.sleep(1.0)
        assert life.tenure.asked == {B1}, "whoever may be listed is asked"
        assert writer.listed is None
        writer.roll.take(engine.snapshot(CLUSTER_PREFIX))
        await asyncio.sleep(0.2)
        assert writer.listed == Listing(life.incarnation, (B1,))

    on_virtual_time(play)


def test_while_the_watch_lags_it_goes_by_what_it_wrote_itself() -> None:
    async def play(engine: MemoryEngine) -> None:
        writer = Writer(engine)
        life = writer.begin()
        await writer.look()
        for name in (B1, B2):
            writer.register(name)
            writer.roll.take(as_of_old(engine, KEY))
            before = engine.revision
            writer.listings.look()
            await asyncio.sleep(PACE_S + 0.01)
            assert engine.revision == before + 1
        assert writer.listed == Listing(life.incarnation, (B1, B2))

    on_virtual_time(play)


def test_many_that_go_at_once_are_taken_off_together() -> None:
    async def play(engine: MemoryEngine) -> None:
        writer = Writer(engine)
        life = writer.begin()
        others = [InstanceId(f"c{number}") for number in range(10)]
        for each in others:
            writer.register(each)
        await writer.look()
        before = engine.revision
        for each in others:
            engine.transact([], [DeleteKey(instance_key("east", each))])
            await writer.look(PACE_S / 20)
        await writer.look()
        assert (writer.listed, life.tenure.asked) == (Listing(life.incarnation, ()), frozenset())
        assert engine.revision - before == len(others) + 2

    on_virtual_time(play)


def test_a_listing_of_an_earlier_life_is_written_anew() -> None:
    async def play(engine: MemoryEngine) -> None:
        writer = Writer(engine)
        first = writer.begin()
        await writer.look()
        first.lease = None
        engine.transact([], [DeleteKey(instance_key("east", A1))])
        second = writer.begin()
        await writer.look()
        assert writer.listed == Listing(second.incarnation, ())

    on_virtual_time(play)


def test_an_outage_is_waited_out() -> None:
    async def play(engine: MemoryEngine) -> None:
        writer = Writer(engine)
        life = writer.begin()
        writer.store.faults.down = True
        await writer.look(10.0)
        assert writer.listed is None
        writer.store.faults.down = False
        await asyncio.sleep(2.5)
        assert writer.listed == Listing(life.incarnation, ())

    on_virtual_time(play)


def as_of_old(engine: MemoryEngine, key: str) -> Snapshot:
    """Everything as it is, but for one key, which is as it was when it was made."""
    now = engine.snapshot(CLUSTER_PREFIX)
    made = replace(now.entries[key], revision=now.entries[key].created, value=write_value(Listing(1, ())))
    return replace(now, entries={**now.entries, key: made})


def stale_snapshot(engine: MemoryEngine, key: str) -> Snapshot:
    """Everything as it is, but for one key, which is as it was a change ago."""
    now = engine.snapshot(CLUSTER_PREFIX)
    entry = now.entries[key]
    older = replace(entry, revision=Revision(entry.revision - 1))
    return replace(now, revision=Revision(now.revision - 1), entries={**now.entries, key: older})
