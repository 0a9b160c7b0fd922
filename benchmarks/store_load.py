"""What a large cluster asks of its store: renewals, watches, changes of the roll, agents' records, compaction.

    .venv/bin/python -m benchmarks.store_load [INSTANCES]

A real etcd of three members on loopback, and INSTANCES (100) instances in this process: the real cluster parts with
their own connections to it, without links to each other (see peer_mesh). First all are idle; then one leaves and comes
back; then some of them write the records of 1,000 agents each at a call a minute, as recorded from real sessions (see
cluster_records), through the real Carries and BatchedWriter; then as many records as the store will take; then the
history is compacted; then the claims of 100,000 agents are read as the look for orphans does. CPU of the members is
that of all three together. Members, instances and disk share this machine's cores, so times are longer than on hosts
of their own: CPU, bytes and counts are what can be carried over.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from random import Random
from time import monotonic
from typing import Final

import uvloop
from benchmarks.bare_instances import DATACENTRE, BareInstance, NoNetwork, Running, running
from benchmarks.cluster_records import value_of
from benchmarks.measuring import MB, Cost, Meter, Store, begin, percentile, settle_memory, three_members
from benchmarks.timed_store import TimedStore, Times
from benchmarks.working_minute import Work, watch_agents
from msgspec.structs import replace
from tests.simulation.virtual_loop import run

from unified_agent.cluster.ownership import Record
from unified_agent.cluster.records import Records
from unified_agent.cluster.stores.base import Entry, PutValue
from unified_agent.cluster.stores.batch import BatchedWriter, BatchSettings
from unified_agent.cluster.transactions import agent_key, carry_key
from unified_agent.cluster.values import write_value
from unified_agent.domain.ids import AgentId, InstanceId, SessionId, StationId
from unified_agent.domain.session_state import SessionState
from unified_agent.sealing import Keyring

AGENTS: Final = 1_000
#: Longer than in service, because a hundred instances in one process on a busy machine renew late.
LEASE_S: Final = 15.0
LOADS: Final = ((2, 0.03), (5, 0.03), (10, 0.03), (10, 0.25))
RECORDED_S: Final = 120.0
IDLE_S: Final = 6.0
#: Keys are made in the first seconds, before measuring.
FIRST_S: Final = 2.0
LOAD_S: Final = 8.0
FLAT_OUT_S: Final = 5.0
FLAT_OUT_WRITERS: Final = 8
FLAT_OUT_WAITING: Final = 320
FLAT_OUT_VALUES: Final = 500
TICK_S: Final = 0.005
ORPHANS: Final = 100_000
PORTION: Final = 100


class Bench:
    """All phases, one after the other."""

    def __init__(self, store: Store, work: Work, count: int) -> None:
        self._store = store
        self._work = work
        self._count = count
        self._times = Times()
        self._keyring = Keyring.random()
        self._network = NoNetwork()
        self._made = 0

    async def play(self) -> None:
        async with running() as all_of_them:
            instances = [self._instance() for _ in range(self._count)]
            began_s, meter = monotonic(), Meter(self._store)
            await all_of_them.start(instances)
            cost = meter.read()
            print(f"{self._count} instances started, ten at a time: {monotonic() - began_s:.1f} s,", end=" ")
            print(f"CPU ours {cost.ours * cost.took_s:.1f} s, members {cost.members * cost.took_s:.1f} s,", end=" ")
            print(f"sent to watches {cost.sent * cost.took_s / MB:.0f} MB\n")
            settle_memory()
            await self._idle()
            await self._restart_one(all_of_them)
            print(
                "\nloaded  gather    keys/s  txns/s   p50      p99    members    ours    fsync   disk    database",
                end="",
            )
            print("   renewals p99")
            for loaded, gather_s in LOADS:
                await self._load(all_of_them, loaded, gather_s)
            await self._flat_out()
            await self._compact()
        await self._read_orphans()

    def _instance(self, gather_s: float = 0.03) -> BareInstance:
        self._made += 1
        store = TimedStore(self._store.endpoints, self._made, self._times)
        return BareInstance(f"ua-{self._made}", store, self._keyring, self._network, gather_s=gather_s, lease_s=LEASE_S)

    async def _measured(self, seconds: float) -> Cost:
        self._times.clear()
        meter = Meter(self._store)
        await asyncio.sleep(seconds)
        return meter.read()

    # --- the roll

    async def _idle(self) -> None:
        cost = await self._measured(IDLE_S)
        renewals = self._times.renewals_s
        print(
            f"idle: renewals {len(renewals) / cost.took_s:.0f}/s, p50 {percentile(renewals, 0.5) * 1e3:.1f} ms,",
            end=" ",
        )
        print(f"p99 {percentile(renewals, 0.99) * 1e3:.0f} ms; CPU of the members {cost.members:.2f} cores,", end=" ")
        print(f"of one instance {cost.ours / self._count:.2%}; sent {cost.sent / 1e3:.0f} kB/s", flush=True)

    async def _restart_one(self, all_of_them: Running) -> None:
        one = self._instance()
        self._times.clear()
        meter = Meter(self._store)
        await all_of_them.start([one])
        joined = meter.read()
        meter = Meter(self._store)
        await all_of_them.stop(one)
        await all_of_them.all_know(self._count)
        await asyncio.sleep(0.5)
        left = meter.read()
        for words, cost in (("joins", joined), ("leaves", left)):
            ours_ms = cost.ours * cost.took_s / self._count * 1e3
            print(
                f"one {words}: all know after {cost.took_s:.2f} s; CPU of each other instance {ours_ms:.1f} ms,",
                end=" ",
            )
            print(f"of the members {cost.members * cost.took_s * 1e3:.0f} ms;", end=" ")
            print(f"sent to watches {cost.sent * cost.took_s / MB:.1f} MB", flush=True)

    # --- agents' records

    async def _load(self, all_of_them: Running, loaded: int, gather_s: float) -> None:
        """Have some instances write, beside all that are idle."""
        writers = [self._instance(gather_s) for _ in range(loaded)]
        await all_of_them.start(writers)
        chance = Random(loaded)
        writing = [asyncio.ensure_future(self._replay(each, chance)) for each in writers]
        await asyncio.sleep(FIRST_S)
        cost = await self._measured(LOAD_S)
        times = self._times
        keys, txns = times.counts["keys"] / cost.took_s, times.counts["writes"] / cost.took_s
        print(
            f"{loaded:6} {gather_s * 1e3:4.0f} ms {keys:9.0f} {txns:7.0f}"
            f" {percentile(times.writes_s, 0.5) * 1e3:5.1f} ms {percentile(times.writes_s, 0.99) * 1e3:5.0f} ms"
            f" {cost.members:8.2f} {cost.ours:8.2f} {cost.fsync_s * 1e3:6.1f} ms {cost.written / MB:5.1f} MB/s"
            f" {cost.grown / MB:5.2f} MB/s {percentile(times.renewals_s, 0.99) * 1e3:7.0f} ms",
            flush=True,
        )
        for each in writing:
            each.cancel()
        await asyncio.gather(*writing, return_exceptions=True)
        for one in writers:
            await all_of_them.stop(one)

    async def _replay(self, instance: BareInstance, chance: Random) -> None:
        """Publish what was recorded, by copies of its agents, each at a place of its own in the recording."""
        due = sorted(self._shifted(instance.name, chance), key=lambda each: each[0])
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        for at_s, carry in due:
            wait_s = began_s + at_s - loop.time()
            if wait_s > TICK_S:
                await asyncio.sleep(wait_s)
            instance.cluster.carries.put(carry, 1)

    def _shifted(self, name: str, chance: Random) -> Iterator[tuple[float, SessionState]]:
        recorded = [each.identity.agent for each in self._work.first]
        for copy in range(AGENTS // len(recorded)):
            shift_s = {agent: chance.uniform(0.0, RECORDED_S) for agent in recorded}
            for each in self._work.published:
                at_s = (each.at_s + shift_s[each.carry.identity.agent]) % RECORDED_S
                if at_s < FIRST_S + LOAD_S + 1.0:
                    yield at_s, self._copy(each.carry, f"{name}-{copy}")

    @staticmethod
    def _copy(carry: SessionState, copy: str) -> SessionState:
        agent = AgentId(f"{carry.identity.agent}-{copy}")
        return replace(carry, identity=replace(carry.identity, agent=agent))

    async def _flat_out(self) -> None:
        """Have a few writers put as many records as the store will take, sealed before."""
        values = [value_of(self._keyring, each.carry) for each in self._work.published[:FLAT_OUT_VALUES]]
        stores = [TimedStore(self._store.endpoints, number, self._times) for number in range(FLAT_OUT_WRITERS)]
        pressing = [asyncio.ensure_future(_press(each, number, values)) for number, each in enumerate(stores)]
        await asyncio.sleep(1.0)
        cost = await self._measured(FLAT_OUT_S)
        for each in pressing:
            each.cancel()
        await asyncio.gather(*pressing, return_exceptions=True)
        keys, writes_s, renewals_s = (
            self._times.counts["keys"] / cost.took_s,
            self._times.writes_s,
            self._times.renewals_s,
        )
        print(f"\nas much as it takes: {keys:,.0f} records/s, {cost.grown / MB:.0f} MB/s into the database;", end=" ")
        print(f"p50 {percentile(writes_s, 0.5) * 1e3:.0f} ms, p99 {percentile(writes_s, 0.99) * 1e3:.0f} ms;", end=" ")
        print(f"CPU ours {cost.ours:.2f} cores, members {cost.members:.2f};", end=" ")
        print(f"disk {cost.written / MB:.0f} MB/s, fsync {cost.fsync_s * 1e3:.1f} ms;", end=" ")
        print(f"renewals p99 {percentile(renewals_s, 0.99) * 1e3:.0f} ms", flush=True)
        for store in stores:
            await store.close()

    # --- what is kept

    async def _compact(self) -> None:
        one = TimedStore(self._store.endpoints, 0, self._times)
        before, size, began_s = self._store.in_use_bytes(), self._store.database_bytes(), monotonic()
        await one.compact()
        took_s = monotonic() - began_s
        print(
            f"compacted in {took_s:.1f} s: {before / MB:.0f} MB in use before, {self._store.in_use_bytes() / MB:.0f}",
            end=" ",
        )
        print(f"after; the file has {size / MB:.0f} MB; memory of a member {self._store.resident_bytes() / MB:.0f} MB")
        await one.close()

    async def _read_orphans(self) -> None:
        """Read the claims on 100,000 agents, as one survivor does after the end of an instance."""
        one = TimedStore(self._store.endpoints, 0, self._times)
        for first in range(0, ORPHANS, PORTION):
            records = [self._record(number) for number in range(first, first + PORTION)]
            await one.transact([], [PutValue(agent_key(each.agent), write_value(each)) for each in records])
        slow = asyncio.ensure_future(_latest())
        began_s = monotonic()
        found = await Records(one).all()
        took_s = monotonic() - began_s
        await asyncio.sleep(0.05)
        slow.cancel()
        with suppress(asyncio.CancelledError):
            await slow
        print(f"all claims on {len(found):,} agents read in {took_s:.2f} s; the loop stood still for {Latest.s:.2f} s")
        await one.close()

    @staticmethod
    def _record(number: int) -> Record:
        return Record(
            agent=AgentId(f"{1_000_000 + number}"),
            station=StationId(f"{2_000_000 + number}"),
            owner=InstanceId(f"ua-{number % 100}"),
            datacentre=DATACENTRE,
            incarnation=number,
            term=3,
            epoch=1,
            session=SessionId("x" * 22),
        )


async def _press(store: TimedStore, number: int, values: Sequence[bytes]) -> None:
    """Keep some records waiting to be written, always others."""
    writer = BatchedWriter(store, [], BatchSettings(), Random(number), lost=_lost, fenced=_fenced)
    writing = asyncio.ensure_future(writer.run())
    put = 0
    try:
        while True:
            while writer.waiting < FLAT_OUT_WAITING:
                put += 1
                writer.put(carry_key(f"{number}-{put % (4 * FLAT_OUT_WAITING)}"), values[put % len(values)])
            await asyncio.sleep(TICK_S)
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)


def _lost(key: str, seen: Entry | None) -> None:
    raise AssertionError(f"nobody else writes {key}: {seen}")


def _fenced() -> None:
    raise AssertionError("there is no guard")


class Latest:
    """How late the loop came to a timer at worst."""

    s = 0.0


async def _latest() -> None:
    loop = asyncio.get_running_loop()
    while True:
        due_s = loop.time() + 0.005
        await asyncio.sleep(0.005)
        Latest.s = max(Latest.s, loop.time() - due_s)


async def _play(work: Work, count: int) -> None:
    with three_members() as store:
        await Bench(store, work, count).play()


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    begin(str(__doc__), "grpcio", "protobuf", "uvloop")
    uvloop.run(_play(run(watch_agents(20, RECORDED_S)), count))


if __name__ == "__main__":
    main()
