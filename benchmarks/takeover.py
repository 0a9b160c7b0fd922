"""How long it takes until the agents of ten instances that end at once are claimed by the others.

    .venv/bin/python -m benchmarks.takeover [INSTANCES AGENTS] [--simulated]

The real claiming, against a real etcd of three members on loopback. First ten of INSTANCES (40) claim AGENTS (500)
each, as at a shift's begin, and write their records. Then they end. Once as by the loss of their processes: guardians
prove the end at once, desktops come back within their window of 2 s. Once as by the loss of their hosts: nothing is
proven, desktops are sent on by witnesses after 2.1 to 3.1 s and wait until the leases end, which are of 15 s here. Each
agent is claimed where the rendezvous hash says; what is read for its desktop is read. All instances share one process,
and its one core with the members: the CPU of all survivors counts on one, and the seconds are an upper bound. A hundred
instances are too many for that.

With --simulated 100 instances and 1,000 agents on virtual time: a store in memory whose answers take 3 ms, and a
network on which every instance has its real links, heartbeats and detector. Work takes no time there, so the seconds
are those of the protocol alone. It takes three minutes of CPU.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random
from time import monotonic, process_time
from typing import Final

import uvloop
from benchmarks.bare_instances import DATACENTRE, BareInstance, NoNetwork, Running, running
from benchmarks.measuring import Store, begin, percentile, settle_memory, three_members
from benchmarks.timed_store import TimedStore, Times
from benchmarks.working_minute import watch_agents
from msgspec.structs import replace
from tests.simulation.network import SimNetwork
from tests.simulation.reach import EVERYWHERE
from tests.simulation.virtual_loop import run

from unified_agent.clock import LoopClock
from unified_agent.cluster.detector import Verdict
from unified_agent.cluster.ending import prove_end
from unified_agent.cluster.stores.base import Store as AnyStore
from unified_agent.cluster.stores.base import StoreUnavailable
from unified_agent.cluster.stores.memory import MemoryStore
from unified_agent.cluster.stores.memory_engine import MemoryEngine
from unified_agent.domain.ids import AgentId, InstanceId, SessionId, StationId
from unified_agent.domain.selection import Candidate, Standing, choose_instance
from unified_agent.domain.session_state import SessionState
from unified_agent.domain.states import Wish
from unified_agent.sealing import Keyring
from unified_agent.settings import PeerSettings

LOST: Final = 10
#: Instances, and agents of each of those that end: of the real store, and simulated.
REAL: Final = (40, 500)
SIMULATED: Final = (100, 1_000)
#: Of the real store's instances: longer than in service, because a hundred in one process renew late.
LEASE_S: Final = 15.0
#: When desktops are back, from the end of their instance: after the loss of a process, and of a host, seconds.
BACK_PROCESS_S: Final = (0.05, 2.0)
BACK_HOST_S: Final = (2.1, 3.1)
LIMIT_S: Final = 60.0
#: Promises of a process before the first are over.
CALM_S: Final = 3.5


class Agent:
    """One agent and the session."""

    def __init__(self, number: int, carry: SessionState) -> None:
        self.agent: Final = AgentId(f"{500_000 + number}")
        self.station: Final = StationId(f"{200_000 + number}")
        self.session: Final = SessionId(f"session-{number}")
        identity = replace(carry.identity, agent=self.agent, station=self.station)
        self.carry: Final = replace(carry, id=self.session, identity=identity)


class World:
    """Where instances live: what differs between a real store and a simulation."""

    def __init__(self) -> None:
        self.keyring: Final = Keyring.random()
        self.times: Final = Times()

    def instance(self, number: int) -> BareInstance:
        raise NotImplementedError

    def store(self) -> AnyStore:
        raise NotImplementedError

    def cut_off(self, instance: BareInstance, *, host: bool) -> None:
        raise NotImplementedError

    def members_cpu_s(self) -> float:
        return 0.0


class RealWorld(World):
    """A real etcd, no links."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self._network = NoNetwork()

    def instance(self, number: int) -> BareInstance:
        store = TimedStore(self._store.endpoints, number, self.times)
        return BareInstance(f"ua-{number}", store, self.keyring, self._network, lease_s=LEASE_S)

    def store(self) -> AnyStore:
        return TimedStore(self._store.endpoints, 0, Times())

    def cut_off(self, instance: BareInstance, *, host: bool) -> None:
        self._network.end(instance.cluster.members.place.peer_address, refuses=not host)

    def members_cpu_s(self) -> float:
        return self._store.cpu_s()


class SimulatedWorld(World):
    """A store in memory and links over a simulated network."""

    def __init__(self) -> None:
        super().__init__()
        self._engine = MemoryEngine(LoopClock(asyncio.get_running_loop()))
        self._network = SimNetwork(Random(1))

    def instance(self, number: int) -> BareInstance:
        name = f"ua-{number}"
        return BareInstance(name, self.store(), self.keyring, self._network.at(name), peers=PeerSettings(host=name))

    def store(self) -> AnyStore:
        store = MemoryStore(self._engine)
        store.faults.delay_s = 0.003
        return store

    def cut_off(self, instance: BareInstance, *, host: bool) -> None:
        if host:
            self._network.reach.silence(instance.name, EVERYWHERE)


class Takeover:
    """One loss of ten instances."""

    def __init__(self, world: World, count: int, agents: int, carries: Sequence[SessionState], *, host: bool) -> None:
        self._world = world
        self._host = host
        self._chance = Random(1)
        self._instances = [world.instance(number) for number in range(1, count + 1)]
        self._lost, self._others = self._instances[:LOST], self._instances[LOST:]
        self._agents = [Agent(number, carries[number % len(carries)]) for number in range(LOST * agents)]

    async def play(self) -> None:
        """Start all, have ten of them get their agents, and lose them."""
        async with running() as all_of_them:
            began_s, used_s = monotonic(), process_time()
            await all_of_them.start(self._instances)
            await asyncio.sleep(CALM_S)
            settle_memory()
            took_s, cpu_s = monotonic() - began_s, process_time() - used_s
            print(f"{len(self._instances)} instances are up after {took_s:.0f} s, {cpu_s:.0f} s of CPU", flush=True)
            await self._log_in()
            await self._lose(all_of_them)

    async def _log_in(self) -> None:
        loop = asyncio.get_running_loop()
        began_s, used_s, members_s = loop.time(), process_time(), self._world.members_cpu_s()
        self._world.times.clear()
        for number, each in enumerate(self._agents):
            self._lost[number % LOST].claim(each.agent, each.station, session=each.session)
        await _until(lambda: sum(len(each.granted_s) for each in self._lost) == len(self._agents))
        took_s = loop.time() - began_s
        for number, each in enumerate(self._agents):
            self._lost[number % LOST].cluster.registry.publish(each.carry)
        self._tell_work("all at once, logins", took_s, process_time() - used_s, self._world.members_cpu_s() - members_s)
        await asyncio.sleep(2.0)

    async def _lose(self, all_of_them: Running) -> None:
        loop = asyncio.get_running_loop()
        homes = self._homes()
        self._world.times.clear()
        used_s, members_s = process_time(), self._world.members_cpu_s()
        for each in self._lost:
            self._world.cut_off(each, host=self._host)
            await all_of_them.kill(each)
        ended_s = loop.time()
        watching = asyncio.ensure_future(self._gone_s())
        knowing = asyncio.ensure_future(self._known_dead_s())
        if not self._host:
            await self._prove()
        span = BACK_HOST_S if self._host else BACK_PROCESS_S
        coming = [
            asyncio.ensure_future(self._come_back(each, home, self._chance.uniform(*span) - (loop.time() - ended_s)))
            for each, home in zip(self._agents, homes, strict=True)
        ]
        back_s = await asyncio.gather(*coming)
        await _until(lambda: sum(len(each.granted_s) for each in self._others) == len(self._agents))
        took_s = loop.time() - ended_s
        gone_s = await watching
        granted_s = {session: at for each in self._others for session, at in each.granted_s.items()}
        offset_s = self._others[0].clock.now_s() - loop.time()
        since_end = [granted_s[each.session] - offset_s - ended_s for each in self._agents]
        since_free = [
            at - max(gone_s[number % LOST] - ended_s, back - ended_s)
            for number, (at, back) in enumerate(zip(since_end, back_s, strict=True))
        ]
        self._tell_work("takeover", took_s, process_time() - used_s, self._world.members_cpu_s() - members_s)
        known = await knowing
        print(f"  keys of the lost gone after {min(gone_s) - ended_s:.2f} to {max(gone_s) - ended_s:.2f} s", end="")
        print(f"; called dead by all after {known - ended_s:.2f} s" if known else "")
        print(f"  last desktop there after {max(back_s) - ended_s:.2f} s, last claim after {max(since_end):.2f} s")
        print(f"  from when an agent was free and the desktop there: p50 {percentile(since_free, 0.5):.2f} s,", end=" ")
        print(f"p95 {percentile(since_free, 0.95):.2f} s, last {max(since_free):.2f} s")
        lost = sum(each.lost for each in self._others)
        print(
            f"  waits told {sum(each.delays for each in self._others):,}; sessions lost by survivors: {lost}\n",
            flush=True,
        )

    def _homes(self) -> list[BareInstance]:
        """Where each agent's desktop goes, as every witness would say."""
        by_name = {each.name: each for each in self._others}
        candidates = [
            Candidate(
                instance=each.name, datacentre=DATACENTRE, standing=Standing.READY, sessions=1_000, capacity=1_200
            )
            for each in self._others
        ]
        homes = []
        for each in self._agents:
            choice = choose_instance(each.agent, candidates, active_datacentre=DATACENTRE)
            assert choice.instance is not None, "they are ready"
            homes.append(by_name[choice.instance])
        return homes

    async def _prove(self) -> None:
        """Do what guardians do."""
        store = self._world.store()
        ended = [(each.name, each.cluster.members.lives.latest) for each in self._lost]
        await asyncio.gather(*(prove_end(store, DATACENTRE, name, life.incarnation) for name, life in ended if life))
        await store.close()

    async def _come_back(self, agent: Agent, home: BareInstance, after_s: float) -> float:
        await asyncio.sleep(max(0.0, after_s))
        with suppress(StoreUnavailable):  # it is shown when the claim is granted
            await home.cluster.carries.read(agent.agent)
        home.claim(agent.agent, agent.station, Wish.RESUME, session=agent.session)
        return asyncio.get_running_loop().time()

    async def _gone_s(self) -> list[float]:
        """When the key of each lost instance was gone in the eyes of one that lives."""
        loop, roll = asyncio.get_running_loop(), self._others[0].cluster.members.roll
        gone: dict[InstanceId, float] = {}
        while len(gone) < LOST:
            for each in self._lost:
                if each.name not in gone and roll.find(DATACENTRE, each.name) is None:
                    gone[each.name] = loop.time()
            await asyncio.sleep(0.005)
        return [gone[each.name] for each in self._lost]

    async def _known_dead_s(self) -> float:
        """When all that live called all that are lost dead, by heartbeats; 0 without links."""
        if not isinstance(self._world, SimulatedWorld):
            return 0.0
        await _until(lambda: all(map(self._knows, self._others)), step_s=0.05)
        return asyncio.get_running_loop().time()

    def _knows(self, one: BareInstance) -> bool:
        members = [one.cluster.members.member(each.name) for each in self._lost]
        return all(each is not None and each.verdict is Verdict.DEAD for each in members)

    def _tell_work(self, words: str, took_s: float, ours_s: float, members_s: float) -> None:
        counts, claims = self._world.times.counts, len(self._agents)
        print(f"{words}: {claims:,} claims in {took_s:.1f} s; each {ours_s / claims * 1e3:.2f} ms of our CPU", end="")
        if members_s:
            print(
                f", {members_s / claims * 1e3:.2f} ms of the members', {counts['reads'] / claims:.1f} reads,", end=" "
            )
            print(f"{counts['writes'] / claims:.1f} transactions of which {counts['Conflict']} conflicts;", end=" ")
            print(f"a read p99 {percentile(self._world.times.reads_s, 0.99) * 1e3:.0f} ms,", end=" ")
            print(f"a renewal p99 {percentile(self._world.times.renewals_s, 0.99) * 1e3:.0f} ms", end="")
        print(flush=True)


async def _until(is_so: Callable[[], bool], step_s: float = 0.01) -> None:
    async with asyncio.timeout(LIMIT_S):
        while True:
            if is_so():
                return
            await asyncio.sleep(step_s)


def main() -> None:
    simulated = "--simulated" in sys.argv
    numbers = [int(each) for each in sys.argv[1:] if each.isdigit()]
    count, agents = numbers or (SIMULATED if simulated else REAL)
    begin(str(__doc__), "grpcio", "uvloop")
    carries = list({each.carry.identity.agent: each.carry for each in run(watch_agents(20, 60.0)).published}.values())

    async def simulate(host: bool) -> None:
        await Takeover(SimulatedWorld(), count, agents, carries, host=host).play()

    async def measure(host: bool) -> None:
        with three_members() as store:
            await Takeover(RealWorld(store), count, agents, carries, host=host).play()

    for host in (False, True):
        print("hosts lost" if host else "processes killed, ends proven")
        if simulated:
            run(simulate(host))
        else:
            uvloop.run(measure(host))


if __name__ == "__main__":
    main()
