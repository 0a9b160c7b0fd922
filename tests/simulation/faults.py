"""What can go wrong with links, diallers and desktops, each with how long it lasts; then everything heals.

Each ends what it began and nothing else, so that the faults of a cluster can go on beside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any, Protocol

from tests.simulation.network import SimNetwork
from tests.simulation.reach import EVERYWHERE
from tests.simulation.sites import AES, DIALLERS

from unified_agent.tools.simulators.aes.server import AesServer
from unified_agent.tools.simulators.apc import happenings
from unified_agent.tools.simulators.apc.floor import Floor
from unified_agent.tools.simulators.apc.seats import Headset
from unified_agent.wire.csta.values import SystemStatusValue


class Page(Protocol):
    """A desktop, whichever it is."""

    def go_away(self) -> None:
        """Close the page."""
        ...

    def come_back(self) -> None:
        """Open it again."""
        ...

    def stall(self) -> None:
        """Take nothing more."""
        ...


class Workers(Protocol):
    """The processes for JTAPI."""

    def kill(self) -> None:
        """Kill every one."""
        ...

    def hang(self) -> None:
        """Have every one do nothing more."""
        ...


class Linked(Protocol):
    """What these faults need of a world."""

    @property
    def network(self) -> SimNetwork:
        """All that is sent."""
        ...

    @property
    def aes(self) -> AesServer:
        """The switch with its AES."""
        ...

    @property
    def jtapi(self) -> Workers | None:
        """The processes for JTAPI, None where the switch is reached by DMCC."""
        ...

    @property
    def diallers(self) -> dict[str, Any]:
        """By name."""
        ...

    @property
    def desktops(self) -> Sequence[Page]:
        """Every agent's."""
        ...


Fault = Callable[[Linked, Random], Awaitable[None]]


async def aes_cut(world: Linked, random: Random) -> None:
    """The connection to AES is reset, or closed in order."""
    world.aes.cut(reset=random.random() < 0.5)


async def aes_silent(world: Linked, random: Random) -> None:
    """Nothing passes between instances and both AES servers, one way or both."""
    both = random.random() < 0.7
    silences = [world.network.silence(name, EVERYWHERE, both_ways=both) for name in AES]
    await asyncio.sleep(random.uniform(2.0, 30.0))
    for silence in silences:
        silence.end()


async def aes_refuses_sockets(world: Linked, random: Random) -> None:
    """AES is restarted: what is open is reset, and nothing new is taken for a while."""
    for name in AES:
        world.network.refuse(name)
        world.network.cut(name, EVERYWHERE)
    await asyncio.sleep(random.uniform(1.0, 40.0))
    for name in AES:
        world.network.accept_again(name)


async def first_aes_dies(world: Linked, random: Random) -> None:
    """One of two AES servers is gone for good (until all heals)."""
    world.network.refuse(AES[0])
    world.network.cut(AES[0], EVERYWHERE)
    await asyncio.sleep(random.uniform(1.0, 20.0))


async def switch_link_down(world: Linked, random: Random) -> None:
    """The socket lives, and AES says that its link to the switch is down and all monitoring ended."""
    world.aes.act(lambda sim: sim.aes.set_link(up=False))
    await asyncio.sleep(random.uniform(0.2, 35.0))
    world.aes.act(lambda sim: sim.aes.set_link(up=True))


async def aes_slow(world: Linked, random: Random) -> None:
    """AES answers late."""
    world.aes.set_delay(random.uniform(0.5, 3.0))
    await asyncio.sleep(random.uniform(2.0, 15.0))
    world.aes.set_delay(0.0)


async def aes_overloaded(world: Linked, random: Random) -> None:
    """AES says that it is overloaded, and after a while that it is not: no loss."""
    world.aes.act(lambda sim: sim.aes.set_status(SystemStatusValue.OVERLOAD_REACHED))
    await asyncio.sleep(random.uniform(1.0, 5.0))
    world.aes.act(lambda sim: sim.aes.set_status(SystemStatusValue.OVERLOAD_RELIEVED))


async def jtapi_killed(world: Linked, random: Random) -> None:
    """The process that holds the JVM crashes, perhaps again right after its start."""
    assert world.jtapi is not None, "there are such processes"
    for _ in range(random.choice([1, 1, 2])):
        world.jtapi.kill()
        await asyncio.sleep(random.uniform(0.1, 3.0))


async def jtapi_hangs(world: Linked, random: Random) -> None:
    """The process that holds the JVM does nothing more, and what it has open stays open."""
    assert world.jtapi is not None, "there are such processes"
    world.jtapi.hang()


async def dialler_cut(world: Linked, random: Random) -> None:
    """Every agent's connection to a dialler is closed."""
    world.diallers[random.choice(DIALLERS)].cut(reset=random.random() < 0.5)


async def dialler_dies(world: Linked, random: Random) -> None:
    """A dialler is gone: reset and refused, for a while."""
    name = random.choice(DIALLERS)
    world.network.refuse(name)
    world.network.cut(name, EVERYWHERE)
    await asyncio.sleep(random.uniform(1.0, 60.0))
    world.network.accept_again(name)


async def dialler_silent(world: Linked, random: Random) -> None:
    """A dialler says nothing more, without closing anything."""
    name = random.choice(DIALLERS)
    silence = world.network.silence(name, EVERYWHERE)
    await asyncio.sleep(random.uniform(5.0, 60.0))
    silence.end()


async def dialler_says_goodbye(world: Linked, random: Random) -> None:
    """A dialler shuts down and says so (E28921)."""
    dialler = world.diallers[random.choice(DIALLERS)]
    dialler.act(lambda floor: happenings.report_system_error(floor, list(floor.seats.values()), "E28921"))


async def headset_breaks(world: Linked, random: Random) -> None:
    """One agent's voice path breaks, and comes back."""
    dialler = world.diallers[random.choice(DIALLERS)]
    names = [each["name"] for each in dialler.truth()["agents"] if each["headset"]["state"] == "connected"]
    if not names:
        return
    name = random.choice(names)
    dialler.act(lambda floor: happenings.break_headset(floor, happenings.find_agent(floor, name)))


async def job_ends(world: Linked, random: Random) -> None:
    """A job is stopped, or linked to another, and started again later."""
    dialler = world.diallers[random.choice(DIALLERS)]
    if not happenings.find_job(dialler.dialler.floor, "SPRING25").active:
        return
    linked = random.choice(["", "CAREBLD"])
    dialler.act(lambda floor: happenings.end_job(floor, happenings.find_job(floor, "SPRING25"), linked))
    await asyncio.sleep(random.uniform(1.0, 20.0))
    dialler.act(lambda floor: happenings.start_job(floor, happenings.find_job(floor, "SPRING25")))


async def desktop_closed(world: Linked, random: Random) -> None:
    """A page is closed and opened again, soon or late."""
    desktop = random.choice(world.desktops)
    desktop.go_away()
    await asyncio.sleep(random.choice([1.0, 10.0, 20.0, 50.0]))
    desktop.come_back()


async def desktop_frozen(world: Linked, random: Random) -> None:
    """A page takes nothing more."""
    random.choice(world.desktops).stall()


FAULTS: tuple[Fault, ...] = (
    aes_cut,
    aes_silent,
    aes_refuses_sockets,
    first_aes_dies,
    switch_link_down,
    aes_slow,
    aes_overloaded,
    dialler_cut,
    dialler_dies,
    dialler_silent,
    dialler_says_goodbye,
    headset_breaks,
    job_ends,
    desktop_closed,
    desktop_frozen,
)


#: Those of a link that has a process of its own.
JTAPI_FAULTS: tuple[Fault, ...] = (jtapi_killed, jtapi_hangs)


def faults_of(world: Linked) -> tuple[Fault, ...]:
    """Return what can go wrong in a world."""
    return FAULTS if world.jtapi is None else (*FAULTS, *JTAPI_FAULTS)


async def trouble(world: Linked, random: Random, until_s: float, log: list[str]) -> None:
    """Let faults befall the world, one after another and now and then two at a time, until a time; then heal all."""
    running: set[asyncio.Task[None]] = set()
    loop = asyncio.get_running_loop()
    while loop.time() < until_s:
        await asyncio.sleep(random.uniform(0.5, 15.0))
        fault = random.choice(faults_of(world))
        log.append(f"{loop.time():.1f} {fault.__name__}")
        task = loop.create_task(_befall(fault, world, random))
        running.add(task)
        task.add_done_callback(running.discard)
        if random.random() < 0.7:
            await asyncio.wait([task], timeout=30.0)
    await asyncio.gather(*running)
    heal(world)
    log.append(f"{loop.time():.1f} healed")


async def _befall(fault: Fault, world: Linked, random: Random) -> None:
    await fault(world, random)


def heal(world: Linked) -> None:
    """End every fault that has not ended."""
    world.network.heal()
    world.aes.set_delay(0.0)
    world.aes.act(lambda sim: sim.aes.set_link(up=True))
    for desktop in world.desktops:
        desktop.come_back()
    for dialler in world.diallers.values():
        dialler.act(_restore_headsets)


def _restore_headsets(floor: Floor) -> None:
    for seat in list(floor.agents.values()):
        if seat.headset is Headset.BROKEN:
            happenings.restore_headset(floor, seat)
