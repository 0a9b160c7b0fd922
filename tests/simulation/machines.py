"""The machines of a simulated cluster: each runs one process at a time, under a guardian, and starts it again.

A machine may be paused, its process killed, the whole of it lost. The guardian is a process of its own: it kills a
process that is stuck and proves its end in the store, unless the machine is lost, which takes it along. Some have lost
their guardian before the story begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final, Protocol, cast

from tests.simulation.hosts import NOWHERE, RATES, Host, Power
from tests.simulation.network import HostNetwork, SimNetwork
from tests.simulation.reach import Span
from tests.simulation.store_weather import StoreWeather
from tests.simulation.virtual_loop import VirtualLoop, WorldClock

from unified_agent.clock import LoopClock
from unified_agent.cluster.activation import Order
from unified_agent.cluster.ending import prove_end
from unified_agent.cluster.guarded import Alive as AliveMessage
from unified_agent.cluster.guarded import Guarded, Left, Registered
from unified_agent.cluster.stores.base import LeaseId, Revision, StoreUnavailable
from unified_agent.cluster.stores.memory import MemoryStore
from unified_agent.domain.ids import InstanceId
from unified_agent.domain.ports import Clock
from unified_agent.guardian import LOOK_S, PROOF_LEASES, Ward, hear, look

#: How long a service manager takes to start a process that has ended.
RESTART_S: Final[Span] = (0.5, 4.0)
#: Between two tries to prove an end.
PROOF_RETRY_S: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What a process is made of, all of its machine.

    Attributes:
        name, site: of the machine.
        chance: for jitter and secrets, its own.
        guarded: its end of the guardian's pipe.
    """

    name: str
    site: str
    host: Host
    network: HostNetwork
    store: MemoryStore
    clock: Clock
    chance: Random
    guarded: Guarded


class Process(Protocol):
    """What a machine runs; made, and then run, on its host."""

    async def run(self) -> None:
        """Serve; returns when it has left in good order."""
        ...

    def leave(self) -> None:
        """Begin to leave, as on SIGTERM."""
        ...

    def order(self, order: Order) -> None:
        """Take a person's order for its datacentre."""
        ...


class _Pipe:
    """Between process and guardian: what is written is read at once, as from a pipe in the same machine."""

    def __init__(self, told: Callable[[Registered | AliveMessage | Left], None]) -> None:
        self._told = told

    def registered(self, *, datacentre: str, instance: InstanceId, incarnation: Revision, lease: LeaseId) -> None:
        self._told(Registered(datacentre=datacentre, instance=instance, incarnation=incarnation, lease=lease))

    def alive(self) -> None:
        self._told(AliveMessage())

    def left(self, incarnation: Revision) -> None:
        self._told(Left(incarnation=incarnation))


@dataclass(slots=True, kw_only=True)
class Life:
    """One process, from its start to its end.

    Attributes:
        ward: what its guardian knows of it.
        over: set when it has ended, in whichever way.
    """

    host: Host
    process: Process
    store: MemoryStore
    ward: Ward
    over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, kw_only=True)
class Machine:
    """One machine.

    Attributes:
        life: its process, None while none runs.
        is_guarded: its guardian has not been killed itself.
        is_wanted: a process that ends is started again.
        is_lost: it is off.
    """

    name: str
    site: str
    chance: Random
    is_guarded: bool = True
    life: Life | None = None
    is_wanted: bool = True
    is_lost: bool = False

    @property
    def has_process(self) -> bool:
        """Whether there is a process, be it paused."""
        return self.life is not None and not self.life.over.is_set()

    @property
    def runs(self) -> bool:
        """Whether its process runs now, not paused."""
        return self.life is not None and self.life.host.power is Power.RUNS


class Machines:
    """All of them.

    Attributes:
        by_name: in the order of their making.
        starts: how often a process was started.
    """

    def __init__(
        self,
        loop: VirtualLoop,
        network: SimNetwork,
        weather: StoreWeather,
        make: Callable[[Kit], Process],
        *,
        lease_s: float,
        stuck_s: float,
        epoch_s: float,
    ) -> None:
        self.by_name: Final[dict[str, Machine]] = {}
        self.starts = 0
        self._loop = loop
        self._network = network
        self._weather = weather
        self._make = make
        self._proof_limit_s = PROOF_LEASES * lease_s
        self._stuck_s = stuck_s
        self._epoch_s = epoch_s
        self._clock = WorldClock(loop, epoch_s)
        self._guardians: dict[str, asyncio.Task[None]] = {}

    def add(self, name: str, site: str, chance: Random, *, is_guarded: bool = True) -> Machine:
        """Have one more, and start it."""
        machine = self.by_name[name] = Machine(name=name, site=site, chance=chance, is_guarded=is_guarded)
        self._network.reach.place(name, site)
        self.start(machine)
        return machine

    def running(self) -> list[Machine]:
        """Those whose process runs now."""
        return [each for each in self.by_name.values() if each.runs]

    # --- what befalls them

    def start(self, machine: Machine) -> None:
        """Start a process; harmless while one is there, or the machine is off."""
        if machine.life is not None or machine.is_lost or not machine.is_wanted:
            return
        host = Host(machine.name, now_s=self._loop.now_s, rate=machine.chance.uniform(*RATES))
        clock = host.call(LoopClock, self._loop, lambda: self._epoch_s + self._loop.now_s + host.wall_jump_s)
        store = self._weather.connect(machine.name, clock)
        kit = Kit(
            name=machine.name,
            site=machine.site,
            host=host,
            network=self._network.at(host),
            store=store,
            clock=clock,
            chance=Random(machine.chance.random()),
            guarded=cast("Guarded", _Pipe(lambda message: self._told(life, message))),
        )
        life = Life(host=host, process=host.call(self._make, kit), store=store, ward=Ward(looked_s=self._loop.now_s))
        machine.life = life
        self.starts += 1
        main = host.spawn(life.process.run())
        main.add_done_callback(lambda task: self._ended_by_itself(life, task), context=NOWHERE)
        self._guardians[machine.name] = self._loop.create_task(self._guard(machine, life), context=NOWHERE.copy())

    def kill(self, machine: Machine) -> None:
        """Kill the process, as ``kill -9`` does."""
        if machine.life is not None:
            self._network.kill(machine.life.host)
            machine.life.over.set()

    def pause(self, machine: Machine) -> None:
        """Stop the process, as ``kill -STOP`` does."""
        if machine.life is not None:
            machine.life.host.pause()

    def resume(self, machine: Machine) -> None:
        """Let it run on, as ``kill -CONT`` does."""
        if machine.life is not None:
            machine.life.host.resume()

    def lose(self, machine: Machine) -> None:
        """Lose the machine, with process and guardian, as by loss of power; harmless when it is lost."""
        if machine.is_lost:
            return
        machine.is_lost = True
        self._guardians[machine.name].cancel()
        host = machine.life.host if machine.life is not None else Host(machine.name, now_s=self._loop.now_s)
        self._network.lose(host)
        self._forget(machine)

    def find(self, machine: Machine) -> None:
        """Have a lost machine come up again, and start its process."""
        if machine.is_lost:
            machine.is_lost = False
            self._network.find(machine.name)
            self.start(machine)

    def leave(self, machine: Machine) -> None:
        """Ask the process to leave in good order; it is started again."""
        if machine.life is not None and machine.runs:
            machine.life.host.call(machine.life.process.leave)

    def order(self, machine: Machine, order: Order) -> None:
        """Give the process a person's order."""
        if machine.life is not None and machine.runs:
            machine.life.host.call(machine.life.process.order, order)

    def jump_wall_clock(self, machine: Machine, by_s: float) -> None:
        """Set its wall clock by so much."""
        if machine.life is not None:
            machine.life.host.wall_jump_s += by_s

    # --- inside

    def _told(self, life: Life, message: Registered | AliveMessage | Left) -> None:
        life.ward = hear(life.ward, message, self._loop.now_s)

    def _ended_by_itself(self, life: Life, task: asyncio.Task[None]) -> None:
        if life.host.power is Power.KILLED:
            return
        if not task.cancelled() and (error := task.exception()) is not None:
            self._loop.call_exception_handler({"message": f"{life.host.name} fell over", "exception": error})
        self._network.kill(life.host)
        life.over.set()

    def _forget(self, machine: Machine) -> None:
        if machine.life is not None:
            self._weather.forget(machine.life.store)
            machine.life = None

    async def _guard(self, machine: Machine, life: Life) -> None:
        """Wait for the end of a process, bring it about when it is stuck, prove it, and start another."""
        while not life.over.is_set():
            try:
                async with asyncio.timeout(LOOK_S):
                    await life.over.wait()
            except TimeoutError:
                life.ward = look(life.ward, self._loop.now_s, self._stuck_s)
            if machine.is_guarded and life.ward.is_condemned:
                self.kill(machine)
        self._forget(machine)
        if machine.is_guarded and life.ward.registered is not None:
            await self._prove(machine, life.ward.registered)
        await asyncio.sleep(machine.chance.uniform(*RESTART_S))
        self.start(machine)

    async def _prove(self, machine: Machine, ended: Registered) -> None:
        store = self._weather.connect(machine.name, self._clock)
        try:
            async with asyncio.timeout(self._proof_limit_s):
                while True:
                    try:
                        await prove_end(store, ended.datacentre, ended.instance, ended.incarnation)
                        await store.revoke(ended.lease)
                    except StoreUnavailable:
                        await asyncio.sleep(PROOF_RETRY_S)
                    else:
                        return
        except TimeoutError:
            return
        finally:
            self._weather.forget(store)
