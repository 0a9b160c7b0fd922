"""Each kind of link in a world of its own; what may be done there is in ``telephony_world``.

``dmcc`` and ``jtapi`` use real sockets (and a real JVM with the test peer); those with ``simulated`` in their name run
on a virtual clock.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, ClassVar

import pytest
from msgspec import structs
from tests.contract.telephony_world import INSTANCE, TelephonyWorld, plan_of
from tests.jtapi_peer.build import PEER_CLASS, Family, NoCompilerError, class_path
from tests.simulation import virtual_loop
from tests.simulation.jtapi_worker import SimulatedWorkers
from tests.simulation.network import SimNetwork

from unified_agent.domain.ids import LinkId
from unified_agent.links.telephony.dmcc_link import DmccLink
from unified_agent.links.telephony.jtapi.java_options import JavaSettings
from unified_agent.links.telephony.jtapi.link import JtapiLink
from unified_agent.links.telephony.jtapi.worker import ProcessStarter, ProcessWorker
from unified_agent.network import Network, TcpNetwork
from unified_agent.settings import AesServerSettings, JtapiSettings, LinkSettings, TelephonySettings
from unified_agent.tools.simulators.aes.simulator import SimulatorPlan

SERVICE = "AVAYA#CM1#CSTA#AES1"


# --- on sockets


class RealWorld(TelephonyWorld):
    """On sockets of this machine."""

    def __init__(self, plan: SimulatorPlan, **more: Any) -> None:
        super().__init__(plan, **more)
        self.ports: list[int] = []

    async def _listen(self) -> None:
        self.ports = [await each.start_listening("127.0.0.1", 0) for each in self.servers]

    async def refuse(self) -> None:
        await self.aes.set_accepting(accepting=False)
        self.aes.cut(reset=True)

    async def accept_again(self) -> None:
        await self.aes.set_accepting(accepting=True)

    def telephony(self, **more: Any) -> TelephonySettings:
        """Return the settings of the link."""
        servers = tuple(
            AesServerSettings(name=LinkId(f"aes-{place}"), host="127.0.0.1", port=port)
            for place, port in enumerate(self.ports, 1)
        )
        return TelephonySettings(servers=servers, user="ctiuser", password="secret", link=self.link_settings, **more)


class DmccWorld(RealWorld):
    """By DMCC."""

    kind = "dmcc"
    link_settings = LinkSettings(
        heartbeat_interval_s=0.4, silence_limit_s=1.0, request_limit_s=5.0, backoff_base_s=0.05, backoff_cap_s=0.2
    )

    def make_link(self) -> DmccLink:
        return _dmcc_link(self, self.telephony(), TcpNetwork())


class JtapiWorld(RealWorld):
    """By JTAPI: a process, a JVM, and the test peer in the place of the vendor's client."""

    kind = "jtapi"
    is_jtapi = True
    limit_s = 60.0
    family: ClassVar[Family] = Family.VENDOR
    parameters: ClassVar[dict[str, str]] = {}
    link_settings = LinkSettings(
        heartbeat_interval_s=0.7, silence_limit_s=2.5, request_limit_s=10.0, backoff_base_s=0.05, backoff_cap_s=0.2
    )

    def make_link(self) -> JtapiLink:
        try:
            java = JavaSettings(class_path=class_path(self.family))
        except NoCompilerError as error:
            pytest.skip(str(error))
        self.workers: list[ProcessWorker] = []
        start = ProcessStarter(self.clock, java)

        async def start_worker(link: LinkId, **told: Any) -> ProcessWorker:
            worker = await start(link, **told)
            self.workers.append(worker)
            return worker

        settings = _by_jtapi(
            self.telephony(),
            class_path=tuple(map(Path, java.class_path)),
            peer=PEER_CLASS,
            open_limit_s=30.0,
            heartbeat_s=1,
            probe_interval_s=0.5,
            parameters=self.parameters,
        )
        return _jtapi_link(self, settings, start_worker)

    async def _close(self) -> None:
        await super()._close()
        left = [each.pid for each in self.workers if _is_there(each.pid)]
        assert left == [], f"processes are left behind: {left}"

    def kill_process(self) -> None:
        os.kill(self.workers[-1].pid, signal.SIGKILL)

    def hang_process(self) -> None:
        os.kill(self.workers[-1].pid, signal.SIGSTOP)


class AwkwardJtapiWorld(JtapiWorld):
    """The same with a client library that does all that one may do."""

    kind = "jtapi-awkward"
    parameters: ClassVar[dict[str, str]] = {
        "x-repeat": "2",
        "x-snapshot": "calling",
        "x-array": "one",
        "x-delay-ms": "20",
        "x-get-state": "ask",
        "x-agent-cache": "on",
        "x-loss": "ended-first",
    }


# --- on a virtual clock


class SimulatedWorld(TelephonyWorld):
    """On a virtual clock and a network in memory."""

    limit_s = 120.0
    is_virtual = True
    link_settings = LinkSettings()

    def __init__(self, plan: SimulatorPlan, **more: Any) -> None:
        super().__init__(plan, **more)
        self.network = SimNetwork(random.Random(self.chance.random()))

    async def _listen(self) -> None:
        for place, each in enumerate(self.servers, 1):
            self.network.listen(f"aes-{place}", 4721, each.new_socket)

    async def refuse(self) -> None:
        self.network.refuse("aes-1")
        self.aes.cut(reset=True)

    async def accept_again(self) -> None:
        self.network.accept_again("aes-1")

    def telephony(self, **more: Any) -> TelephonySettings:
        """Return the settings of the link."""
        names = [f"aes-{place}" for place, _ in enumerate(self.servers, 1)]
        servers = tuple(AesServerSettings(name=LinkId(each), host=each) for each in names)
        return TelephonySettings(servers=servers, user="ctiuser", password="secret", link=self.link_settings, **more)


class SimulatedDmccWorld(SimulatedWorld):
    """By DMCC."""

    kind = "dmcc-simulated"

    def make_link(self) -> DmccLink:
        return _dmcc_link(self, self.telephony(), self.network.at(INSTANCE))


class SimulatedJtapiWorld(SimulatedWorld):
    """By JTAPI, with a client library of ours that has no Java, in this process."""

    kind = "jtapi-simulated"
    is_jtapi = True

    def make_link(self) -> JtapiLink:
        board = self.aes.simulator.switch.board
        self.workers = SimulatedWorkers(
            network=self.network.at(INSTANCE),
            clock=self.clock,
            random=random.Random(self.chance.random()),
            is_station=lambda number: number in board.stations,
        )
        settings = _by_jtapi(self.telephony(), class_path=(Path("none.jar"),))
        return _jtapi_link(self, settings, self.workers)

    def kill_process(self) -> None:
        self.workers.kill()

    def hang_process(self) -> None:
        self.workers.hang()


def _dmcc_link(world: TelephonyWorld, settings: TelephonySettings, network: Network) -> DmccLink:
    return DmccLink(
        settings,
        INSTANCE,
        world,
        network=network,
        clock=world.clock,
        chance=random.Random(1),
        metrics=world.metrics,
    )


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _by_jtapi(settings: TelephonySettings, **jtapi: Any) -> TelephonySettings:
    servers = tuple(structs.replace(each, service=SERVICE) for each in settings.servers)
    return structs.replace(settings, kind="jtapi", servers=servers, jtapi=JtapiSettings(**jtapi))


def _jtapi_link(world: TelephonyWorld, settings: TelephonySettings, start_worker: Any) -> JtapiLink:
    return JtapiLink(
        settings,
        world,
        start_worker=start_worker,
        clock=world.clock,
        chance=random.Random(1),
        metrics=world.metrics,
    )


# --- playing

KINDS: dict[str, type[TelephonyWorld]] = {
    each.kind: each
    for each in (
        DmccWorld,
        SimulatedDmccWorld,
        SimulatedJtapiWorld,
        JtapiWorld,
        AwkwardJtapiWorld,
    )
}

#: For every story; some are told with an awkward peer too.
USUAL = [name for name in KINDS if name != AwkwardJtapiWorld.kind]

Story = Callable[[Any], Awaitable[None]]


def play(kind: str, story: Story, *, servers: int = 1, seed: int = 1, **rules: Any) -> None:
    """Play a story in a world of a kind."""
    world_class = KINDS[kind]

    async def go() -> None:
        world = world_class(plan_of(**rules), servers=servers, seed=seed)
        async with world.running():
            await story(world)

    run(world_class, go())


def run(world_class: type[TelephonyWorld], main: Coroutine[Any, Any, None]) -> None:
    """Run on the kind of loop that a world needs."""
    if world_class.is_virtual:
        virtual_loop.run(main)
    else:
        asyncio.run(main)
