"""A whole instance in a simulated world, on one virtual loop, all chance from one seed.

Real: assembly, links, sessions, application. Simulated: AES, diallers, network, desktops; where the switch is reached
by JTAPI, also the client library with its process.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, cast

from tests.simulation.desktop import Desktop
from tests.simulation.jtapi_worker import SimulatedWorkers
from tests.simulation.network import SimNetwork
from tests.simulation.sites import AES, DIALLERS, aes_site, dialler_site
from tests.simulation.telephones import hang_up
from tests.simulation.virtual_loop import VirtualLoop

from unified_agent.assembly import Instance
from unified_agent.clock import LoopClock
from unified_agent.domain.ids import LinkId
from unified_agent.sealing import Keyring
from unified_agent.settings import (
    AesServerSettings,
    DiallerSettings,
    HttpSettings,
    JtapiSettings,
    PoolSettings,
    SessionsSettings,
    Settings,
    TelephonySettings,
)
from unified_agent.tools.simulators.aes.server import AesServer
from unified_agent.tools.simulators.apc.happenings import set_rate
from unified_agent.tools.simulators.apc.server import DiallerServer

INSTANCE = "ua-1"
#: 2026-01-01, so that times in a failure are readable.
EPOCH_S = 1_767_225_600.0
AES_PORT = 4721


def telephony_of(seed: int) -> str:
    """Say how the switch is reached in the world of a seed: in every third by JTAPI."""
    return "jtapi" if seed % 3 == 2 else "dmcc"


def settings(telephony: str = "dmcc") -> Settings:
    """Return the settings of the simulated instance: two AES in front of one switch, two diallers.

    Args:
        telephony: the kind of link to the switch.
    """
    aes = tuple(AesServerSettings(name=LinkId(name), host=name, port=AES_PORT) for name in AES)
    return Settings(
        http=HttpSettings(login_rate_per_min=100_000),
        telephony=TelephonySettings(
            kind=telephony,
            servers=aes,
            user="ctiuser",
            password="secret",
            jtapi=JtapiSettings(class_path=(Path("no.jar"),)),  # there is no Java in a simulation
        ),
        diallers=tuple(
            DiallerSettings(
                name=LinkId(name), host=name, fields=("NAME", "BAL"), editable_fields=("BAL",), key_field="ACCTNUM"
            )
            for name in DIALLERS
        ),
        pool=PoolSettings(stale_logon_limit_s=20.0),
        sessions=SessionsSettings(),
    )


class World:
    """Everything, and the faults that can befall it. Make it in the running ``VirtualLoop``.

    Attributes:
        aes: the simulated AES; both names lead to it, as two AES servers lead to one switch.
        diallers: by name.
        desktops: every agent's.
        after_each_turn: called after every turn of the loop: what must always hold.
    """

    def __init__(self, seed: int, *, agents: int = 4) -> None:
        loop = cast("VirtualLoop", asyncio.get_running_loop())
        self.loop = loop
        self.random = Random(seed)
        self.clock = LoopClock(loop, wall_s=lambda: EPOCH_S)
        self.network = SimNetwork(Random(self.random.random()))
        self.settings = settings(telephony_of(seed))
        self.aes = self._make_aes(agents)
        self.dialler_plan = dialler_site(self.random)
        self.diallers = {name: self._make_dialler(name) for name in DIALLERS}
        secrets = Random(self.random.random())
        #: Client libraries of JTAPI, in worlds where it is used.
        self.jtapi: SimulatedWorkers | None = None
        if self.settings.telephony.kind == "jtapi":
            self.jtapi = self._make_workers()
        self.instance = Instance(
            self.settings,
            clock=self.clock,
            chance=Random(self.random.random()),
            network=self.network.at(INSTANCE),
            start_worker=self.jtapi,
            keyring=Keyring.random(now_s=self.clock.now_s, make_bytes=secrets.randbytes),
            make_bytes=secrets.randbytes,
            make_secret=lambda size: secrets.randbytes(size).hex(),
            listen=False,
        )
        self.desktops = [self._make_desktop(number) for number in range(1, agents + 1)]

    def _make_desktop(self, number: int) -> Desktop:
        return Desktop(
            self.instance,
            number,
            Random(self.random.random()),
            dialler=number % 2 == 0,
            polls=number % 4 in {0, 3},
            hang_up=lambda: hang_up(self.aes, f"{2000 + number}"),
        )

    def _make_aes(self, agents: int) -> AesServer:
        plan = aes_site(self.random, agents=agents)
        server = AesServer(plan, clock=self.clock, chance=Random(self.random.random()))
        for name in AES:
            self.network.listen(name, AES_PORT, server.new_socket)
        return server

    def _make_workers(self) -> SimulatedWorkers:
        stations = self.aes.simulator.switch.board.stations
        return SimulatedWorkers(
            network=self.network.at(INSTANCE),
            clock=self.clock,
            random=Random(self.random.random()),
            is_station=stations.__contains__,
        )

    def _make_dialler(self, name: str) -> DiallerServer:
        server = DiallerServer(self.dialler_plan, clock=self.clock, chance=Random(self.random.random()))
        self.network.listen(name, 22700, server.new_socket)
        return server

    @asynccontextmanager
    async def running(self, check: Callable[[], None]) -> AsyncIterator[None]:
        """Run instance and desktops within this block, and ``check`` after every turn of the loop."""
        async with self.instance.running():
            tasks = [self.loop.create_task(each.run()) for each in self.desktops]
            self.loop.after_turn = check
            try:
                yield
                for task in tasks:
                    if task.done():
                        task.result()
            finally:
                self.loop.after_turn = None
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                for desktop in self.desktops:
                    await desktop.close()
        await self.aes.close()
        for dialler in self.diallers.values():
            await dialler.close()

    # --- truths

    def switch_truth(self) -> dict[str, Any]:
        """What the switch says."""
        return self.aes.truth()

    def dialler_truth(self, name: str) -> dict[str, dict[str, Any]]:
        """What a dialler says of each agent logged on there, by name."""
        return {each["name"]: each for each in self.diallers[name].truth()["agents"]}

    def stop_callers(self) -> None:
        """Let nobody call any more, so that the truth comes to rest."""
        stop_callers(self.aes, self.diallers.values())


def stop_callers(aes: AesServer, diallers: Iterable[DiallerServer]) -> None:
    """Let nobody call any more."""

    def stop(simulator: Any) -> None:
        for stream in simulator.traffic:
            stream.set_rate(0.0, simulator.now_s)

    aes.act(stop)
    for dialler in diallers:
        dialler.act(_stop_jobs)


def _stop_jobs(floor: Any) -> None:
    for job in floor.jobs.values():
        set_rate(floor, job, 0.0)
