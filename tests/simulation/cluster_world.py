"""Whole instances in two datacentres, on one virtual loop, all chance from one seed.

Real: assembly, cluster, links, sessions, application and its HTTP and WebSocket protocols. Simulated: AES, diallers,
the store, the machines with their guardians, the network, desktops.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, Final, cast

from msgspec.structs import replace
from tests.simulation.cluster_desktop import ClusterDesktop
from tests.simulation.front_door import open_door, url_of
from tests.simulation.hosts import Host, Power
from tests.simulation.jtapi_worker import SimulatedWorkers
from tests.simulation.machines import Kit, Machines
from tests.simulation.network import SimNetwork
from tests.simulation.ownership_truth import OwnershipTruth
from tests.simulation.sites import AES, DIALLERS, aes_site, dialler_site
from tests.simulation.store_weather import StoreWeather
from tests.simulation.telephones import hang_up
from tests.simulation.transports import virtual_loop
from tests.simulation.virtual_loop import WorldClock
from tests.simulation.world import AES_PORT, EPOCH_S, settings, stop_callers, telephony_of

from unified_agent.assembly import Instance
from unified_agent.cluster.activation import Order
from unified_agent.domain.ids import InstanceId
from unified_agent.history import Entry, HistoryList
from unified_agent.sealing import Keyring
from unified_agent.settings import ClusterSettings, PeerSettings, Settings, StoreSettings
from unified_agent.tools.simulators.aes.server import AesServer
from unified_agent.tools.simulators.apc.server import DiallerServer

DATACENTRES: Final = ("dc1", "dc2")
#: Where AES and diallers are, and where desktops.
SWITCH_ROOM: Final = "switch-room"
OFFICE: Final = "office"


def cluster_settings(name: str, datacentre: str, telephony: str = "dmcc") -> Settings:
    """Return the settings of one instance: those of the instance alone, and its place in the cluster."""
    alone = settings(telephony)
    return replace(
        alone,
        instance=InstanceId(name),
        http=replace(alone.http, drain_wait_s=1.0, drain_limit_s=20.0),
        cluster=ClusterSettings(
            name="simulated",
            datacentre=datacentre,
            datacentres=DATACENTRES,
            keys_file=Path("handed-in"),
            url=url_of(name),
            takeover_delay_s=3.0,
            startup_grace_s=5.0,
            store=StoreSettings(endpoints=("store:2379",)),
            peers=PeerSettings(host=name),
        ),
    )


class InstanceProcess:
    """One instance with its port. Attributes: ``instance``: the real one; ``jtapi``: its processes for JTAPI."""

    def __init__(
        self,
        kit: Kit,
        keyring: Keyring,
        entries: list[Entry],
        watch: Callable[[InstanceProcess], None],
        make_workers: Callable[[Kit], SimulatedWorkers] | None,
    ) -> None:
        loop = virtual_loop()
        given = cluster_settings(kit.name, kit.site, "dmcc" if make_workers is None else "jtapi")
        self.jtapi: Final = make_workers(kit) if make_workers is not None else None
        self.datacentre: Final = kit.site
        self.instance: Final = Instance(
            given,
            clock=kit.clock,
            chance=kit.chance,
            network=kit.network,
            keyring=keyring,
            store=kit.store,
            history=HistoryList(given.instance, kit.clock, monotonic_s=lambda: loop.now_s, entries=entries),
            guarded=kit.guarded,
            start_worker=self.jtapi,
            make_secret=lambda size: kit.chance.randbytes(size).hex(),
            make_bytes=kit.chance.randbytes,
            listen=False,
        )
        self._network = kit.network
        self._leaving = asyncio.Event()
        watch(self)

    async def run(self) -> None:
        """Serve until ``leave``, then drain."""
        instance = self.instance
        async with instance.running():
            desks = instance.server.desks
            door = await open_door(self._network, instance.server.application, desks.route, instance.limits)
            await self._leaving.wait()
            await instance.drain()
            door.close()

    def leave(self) -> None:
        """Drain, and go."""
        self._leaving.set()

    def order(self, order: Order) -> None:
        """Take a person's order."""
        assert self.instance.cluster is not None, "it is part of a cluster"
        self.instance.cluster.order(order)


class AllWorkers:
    """The processes for JTAPI of all machines."""

    def __init__(self, machines: Machines) -> None:
        self._machines = machines

    def kill(self) -> None:
        """Kill every one."""
        self._do(SimulatedWorkers.kill)

    def hang(self) -> None:
        """Have every one do nothing more."""
        self._do(SimulatedWorkers.hang)

    def _do(self, what: Callable[[SimulatedWorkers], None]) -> None:
        """Do it where they run, so that what follows from it runs there too."""
        for machine in self._machines.running():
            assert machine.life is not None, "it runs"
            workers = cast("InstanceProcess", machine.life.process).jtapi
            if workers is not None and machine.life.host.power is Power.RUNS:
                machine.life.host.call(what, workers)


class ClusterWorld:
    """Everything, and the faults that can befall it. Make it in the running ``VirtualLoop``.

    Attributes:
        network, weather, machines: what faults turn.
        aes: the simulated AES; both names lead to it, as two AES servers lead to one switch.
        diallers: by name.
        desktops: every agent's.
        truth: what stands in the store.
        entries: the history of all instances.
        story: as much of it as was told before the world was taken down, which happens in no order.
    """

    def __init__(
        self,
        seed: int,
        watch: Callable[[InstanceProcess, OwnershipTruth], None],
        *,
        instances: int = 3,
        agents: int = 4,
    ) -> None:
        """Make it, and start the machines.

        Args:
            seed: of all chance.
            watch: called with each instance that is made, before it runs.
            instances: how many, in turns in both datacentres.
            agents: how many; every other one takes work of the dialler.
        """
        loop = virtual_loop()
        random = Random(seed)
        self.random: Final = random
        self._by_jtapi: Final = telephony_of(seed) == "jtapi"
        self.clock: Final = WorldClock(loop, EPOCH_S)
        self.network: Final = SimNetwork(Random(random.random()))
        self.weather: Final = StoreWeather(loop, self.network, Random(random.random()), epoch_s=EPOCH_S)
        self.truth: Final = OwnershipTruth(self.weather.engine)
        self.entries: Final[list[Entry]] = []
        self.story: tuple[Entry, ...] = ()
        self.aes: Final = self._make_aes(agents)
        plan = dialler_site(random)
        self.diallers: Final = {name: self._make_dialler(name, plan) for name in DIALLERS}
        secrets = Random(random.random())
        keyring = Keyring.random(now_s=self.clock.now_s, make_bytes=secrets.randbytes)
        given = cluster_settings("ua-0", DATACENTRES[0]).cluster
        self.machines: Final = Machines(
            loop,
            self.network,
            self.weather,
            lambda kit: InstanceProcess(
                kit,
                keyring,
                self.entries,
                lambda process: watch(process, self.truth),
                self._make_workers if self._by_jtapi else None,
            ),
            lease_s=given.lease_s,
            stuck_s=given.stuck_s,
            epoch_s=EPOCH_S,
        )
        names = [f"ua-{number}" for number in range(1, instances + 1)]
        self.desktops: Final = [
            self._make_desktop(number, names, Random(random.random())) for number in range(1, agents + 1)
        ]
        for number, name in enumerate(names):
            is_guarded = random.random() < 0.8
            self.machines.add(name, DATACENTRES[number % 2], Random(random.random()), is_guarded=is_guarded)

    def _make_aes(self, agents: int) -> AesServer:
        plan = aes_site(self.random, agents=agents)
        server = AesServer(plan, clock=self.clock, chance=Random(self.random.random()))
        for name in AES:
            self.network.reach.place(name, SWITCH_ROOM)
            self.network.listen(name, AES_PORT, server.new_socket)
        return server

    def _make_workers(self, kit: Kit) -> SimulatedWorkers:
        """Return what starts processes for JTAPI on a machine; they live and die with what runs there."""
        return SimulatedWorkers(
            network=kit.network,
            clock=kit.clock,
            random=Random(kit.chance.random()),
            is_station=self.aes.simulator.switch.board.stations.__contains__,
        )

    @property
    def jtapi(self) -> AllWorkers | None:
        """All processes for JTAPI, None where the switch is reached by DMCC."""
        return AllWorkers(self.machines) if self._by_jtapi else None

    def _make_dialler(self, name: str, plan: Any) -> DiallerServer:
        server = DiallerServer(plan, clock=self.clock, chance=Random(self.random.random()))
        self.network.reach.place(name, SWITCH_ROOM)
        self.network.listen(name, 22700, server.new_socket)
        return server

    def _make_desktop(self, number: int, names: list[str], random: Random) -> ClusterDesktop:
        host = Host(f"desk-{number}", now_s=virtual_loop().now_s)
        self.network.reach.place(host.name, OFFICE)
        seeds = [url_of(name) for name in random.sample(names, min(2, len(names)))]
        station = f"{2000 + number}"
        return ClusterDesktop(
            host,
            self.network.at(host),
            number,
            random,
            seeds=seeds,
            dialler=number % 2 == 0,
            hang_up=lambda: hang_up(self.aes, station),
        )

    @asynccontextmanager
    async def running(self, check: Callable[[], None]) -> AsyncIterator[None]:
        """Have desktops at work within this block, and ``check`` after every turn of the loop."""
        loop = virtual_loop()
        tasks = [each.host.spawn(each.run()) for each in self.desktops]
        for task in tasks:
            task.add_done_callback(_told_if_it_failed)
        loop.after_turn = check
        try:
            yield
        finally:
            loop.after_turn = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.aes.close()
            for dialler in self.diallers.values():
                await dialler.close()

    # --- what is so

    def processes(self) -> Iterator[InstanceProcess]:
        """All that run now."""
        for machine in self.machines.running():
            assert machine.life is not None, "it runs"
            yield cast("InstanceProcess", machine.life.process)

    def switch_truth(self) -> dict[str, Any]:
        """What the switch says."""
        return self.aes.truth()

    def dialler_truth(self, name: str) -> dict[str, dict[str, Any]]:
        """What a dialler says of each agent logged on there, by name."""
        return {each["name"]: each for each in self.diallers[name].truth()["agents"]}

    def stop_callers(self) -> None:
        """Let nobody call any more, so that the truth comes to rest."""
        stop_callers(self.aes, self.diallers.values())


def _told_if_it_failed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        virtual_loop().call_exception_handler({"message": "a desktop fell over", "exception": error})
