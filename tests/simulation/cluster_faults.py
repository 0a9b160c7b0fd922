"""What can go wrong in a cluster, each with how long it lasts; then everything heals."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any, Final, Protocol

from tests.simulation.machines import Machine, Machines
from tests.simulation.network import SimNetwork
from tests.simulation.reach import EVERYWHERE, Delay, Span
from tests.simulation.store_weather import StoreWeather
from tests.simulation.transports import virtual_loop

from unified_agent.cluster.activation import Order

SITES: Final = ("dc1", "dc2", "witness")
#: Most faults are over soon; some outlast every lease, promise and limit.
SHORT_S: Final[Span] = (0.2, 4.0)
LONG_S: Final[Span] = (4.0, 25.0)


class Troubled(Protocol):
    """What faults need of a world."""

    @property
    def network(self) -> SimNetwork:
        """All that is sent."""
        ...

    @property
    def weather(self) -> StoreWeather:
        """The store."""
        ...

    @property
    def machines(self) -> Machines:
        """All that runs."""
        ...


#: Takes a world that has what it needs: ``Troubled`` here, ``Linked`` for those of ``faults``.
Fault = Callable[[Any, Random], Awaitable[None]]


def _some_time_s(random: Random) -> float:
    return random.uniform(*(SHORT_S if random.random() < 0.6 else LONG_S))


def _one(world: Troubled, random: Random) -> Machine | None:
    """Choose a machine that runs."""
    running = world.machines.running()
    return random.choice(running) if running else None


# --- machines


async def process_killed(world: Troubled, random: Random) -> None:
    """A process is killed; its guardian proves it and it is started again."""
    machine = _one(world, random)
    if machine is not None:
        world.machines.kill(machine)


async def several_killed(world: Troubled, random: Random) -> None:
    """Several processes are killed within a moment, perhaps all."""
    for machine in list(world.machines.by_name.values()):
        if random.random() < 0.6:
            world.machines.kill(machine)
            await asyncio.sleep(random.uniform(0.0, 0.3))


async def process_paused(world: Troubled, random: Random) -> None:
    """A process stands still, for less or more than its guardian bears."""
    machine = _one(world, random)
    if machine is not None:
        world.machines.pause(machine)
        await asyncio.sleep(random.choice([0.3, 1.0, 1.9, 2.6, 2.9, 3.5, 5.0, 7.0, 12.0]))
        world.machines.resume(machine)


async def machine_lost(world: Troubled, random: Random) -> None:
    """A machine is off for a while, and its guardian with it."""
    machine = _one(world, random)
    if machine is not None:
        world.machines.lose(machine)
        await asyncio.sleep(random.uniform(1.0, 30.0))
        world.machines.find(machine)


async def process_leaves(world: Troubled, random: Random) -> None:
    """A process leaves in good order, and is started again, as when a new version is installed."""
    machine = _one(world, random)
    if machine is not None:
        world.machines.leave(machine)


async def clock_jumps(world: Troubled, random: Random) -> None:
    """The wall clock of a machine is set wrong, and right again."""
    machine = _one(world, random)
    if machine is not None:
        by_s = random.choice([-3_600.0, -5.0, 5.0, 3_600.0])
        world.machines.jump_wall_clock(machine, by_s)
        await asyncio.sleep(_some_time_s(random))
        world.machines.jump_wall_clock(machine, -by_s)


# --- sites and the ways between them


async def site_cut_off(world: Troubled, random: Random) -> None:
    """A site reaches nobody outside, or is not reached, or both."""
    await _silence(world, random, random.choice(SITES), EVERYWHERE)


async def datacentres_apart(world: Troubled, random: Random) -> None:
    """The two datacentres do not reach each other, one way or both; the witness reaches both."""
    await _silence(world, random, *random.sample(SITES[:2], 2))


async def machine_cut_off(world: Troubled, random: Random) -> None:
    """One machine reaches nobody, or is not reached, or both."""
    machine = _one(world, random)
    if machine is not None:
        await _silence(world, random, machine.name, EVERYWHERE)


async def pair_apart(world: Troubled, random: Random) -> None:
    """Two machines do not reach each other, everybody else reaches both."""
    names = list(world.machines.by_name)
    if len(names) > 1:
        await _silence(world, random, *random.sample(names, 2))


async def machine_without_store(world: Troubled, random: Random) -> None:
    """One machine does not reach some or all members of the store, or does not hear them."""
    machine = _one(world, random)
    if machine is None:
        return
    members = [each for each in world.weather.members if random.random() < 0.8]
    both = random.random() < 0.6
    ways = [(machine.name, each) if random.random() < 0.5 else (each, machine.name) for each in members]
    troubles = [world.network.silence(*way, both_ways=both) for way in ways]
    await asyncio.sleep(_some_time_s(random))
    for trouble in troubles:
        trouble.end()


async def some_without_store(world: Troubled, random: Random) -> None:
    """Several machines do not reach the store, each for a time of its own."""

    async def without(machine: Machine) -> None:
        await asyncio.sleep(random.uniform(0.0, 2.0))
        troubles = [world.network.silence(machine.name, each) for each in world.weather.members]
        await asyncio.sleep(random.uniform(2.0, 15.0))
        for trouble in troubles:
            trouble.end()

    chosen = [each for each in world.machines.by_name.values() if random.random() < 0.7]
    await asyncio.gather(*map(without, chosen))


async def connections_reset(world: Troubled, random: Random) -> None:
    """Every connection between two places is reset."""
    names = [*SITES[:2], *world.machines.by_name]
    world.network.cut(*random.sample(names, 2))


async def ways_slow(world: Troubled, random: Random) -> None:
    """The way between two places is slow, or loses packets."""
    one, other = random.sample([*SITES, *world.machines.by_name], 2)
    slow = Delay(extra_s=(0.0, random.choice([0.05, 0.3, 1.0])), stall_share=random.choice([0.0, 0.05, 0.3]))
    trouble = world.network.slow(one, random.choice([other, EVERYWHERE]), slow)
    await asyncio.sleep(_some_time_s(random))
    trouble.end()


async def _silence(world: Troubled, random: Random, one: str, other: str) -> None:
    if random.random() < 0.3:
        one, other = other, one
    trouble = world.network.silence(one, other, both_ways=random.random() < 0.7)
    await asyncio.sleep(_some_time_s(random))
    trouble.end()


# --- persons


async def planned_switch(world: Troubled, random: Random) -> None:
    """A person orders that a datacentre becomes active, in good order."""
    machine = _one(world, random)
    if machine is not None:
        world.machines.order(machine, Order.SWITCH)


async def ordered_to_take(world: Troubled, random: Random) -> None:
    """A person says that the other datacentre is dead, having seen that nothing of it runs: a wrong word is obeyed."""
    machine = _one(world, random)
    if machine is not None and not any(each.has_process for each in _others_of(world, machine.site)):
        world.machines.order(machine, Order.TAKE)


async def datacentre_lost(world: Troubled, random: Random) -> None:
    """All of a datacentre is off, members of the store included; perhaps a person does not wait."""
    site = random.choice(SITES[:2])
    lost = [each for each in world.machines.by_name.values() if each.site == site]
    cut = world.network.silence(site, EVERYWHERE)
    for machine in lost:
        world.machines.lose(machine)
    await asyncio.sleep(random.uniform(2.0, 10.0))
    if random.random() < 0.5:
        await ordered_to_take(world, random)
    await asyncio.sleep(random.uniform(5.0, 40.0))
    cut.end()
    for machine in lost:
        world.machines.find(machine)
        await asyncio.sleep(random.uniform(0.0, 2.0))


def _others_of(world: Troubled, site: str) -> list[Machine]:
    return [each for each in world.machines.by_name.values() if each.site != site]


# --- the store


async def leader_changes(world: Troubled, random: Random) -> None:
    """The store's leader steps down, perhaps several times."""
    for _ in range(random.choice([1, 1, 3])):
        world.weather.change_leader()
        await asyncio.sleep(random.uniform(0.5, 3.0))


async def members_stop(world: Troubled, random: Random) -> None:
    """One to three of five members of the store are down."""
    stopped = [world.weather.stop(each) for each in random.sample(world.weather.members, random.choice([1, 2, 3]))]
    await asyncio.sleep(_some_time_s(random))
    for each in stopped:
        each.end()


async def store_outage(world: Troubled, random: Random) -> None:
    """The store is down for all."""
    outage = world.weather.outage()
    await asyncio.sleep(random.choice([0.5, 2.0, 5.0, 12.0, 40.0]))
    outage.end()


async def store_slow(world: Troubled, random: Random) -> None:
    """The store answers late, or so late that nobody knows what was done."""
    slow = world.weather.slow(random.choice([(0.05, 0.3), (0.3, 0.8), (1.0, 4.0)]))
    await asyncio.sleep(_some_time_s(random))
    slow.end()


async def answers_lost(world: Troubled, random: Random) -> None:
    """One machine's requests reach the store, and it does not hear what became of them."""
    machine = _one(world, random)
    if machine is not None:
        fault = world.weather.lose_answers(machine.name)
        await asyncio.sleep(random.uniform(0.1, 3.0))
        fault.end()


async def store_compacted(world: Troubled, random: Random) -> None:
    """The store forgets its history, while somebody perhaps is away from it."""
    await asyncio.sleep(random.uniform(0.0, 2.0))
    world.weather.compact()


CLUSTER_FAULTS: Final[tuple[Fault, ...]] = (
    process_killed,
    process_killed,
    several_killed,
    process_paused,
    process_paused,
    process_leaves,
    machine_lost,
    datacentre_lost,
    clock_jumps,
    site_cut_off,
    datacentres_apart,
    machine_cut_off,
    pair_apart,
    machine_without_store,
    some_without_store,
    connections_reset,
    ways_slow,
    planned_switch,
    ordered_to_take,
    leader_changes,
    members_stop,
    store_outage,
    store_slow,
    answers_lost,
    store_compacted,
)

#: While one of these lasts hardly anybody is served, or no lease of a dead owner ends, and another one changes little.
#: They come one at a time, and what they leave behind is seen in the rest after each.
HEAVY: Final = frozenset({datacentre_lost, leader_changes, store_outage, members_stop})
REST_S: Final[Span] = (5.0, 20.0)


def swarm(random: Random, faults: Sequence[Fault] = CLUSTER_FAULTS) -> tuple[Sequence[Fault], float]:
    """Choose what can go wrong in one world, and the longest time between two faults.

    A world in which few kinds of faults come often reaches states that one with all of them seldom does.
    """
    kinds = random.choice([2, 4, 8, len(faults)])
    return random.sample(faults, kinds), random.choice([3.0, 6.0, 12.0])


async def trouble(
    world: Troubled, random: Random, until_s: float, log: list[str], faults: Sequence[Fault], longest_peace_s: float
) -> None:
    """Let faults befall a world, one after another and now and then several at a time, until a time; then heal all."""
    loop = virtual_loop()
    running: dict[asyncio.Task[None], None] = {}
    heavy = asyncio.Lock()
    while loop.now_s < until_s:
        await asyncio.sleep(random.uniform(0.2, longest_peace_s))
        fault = random.choice(faults)
        if fault in HEAVY and heavy.locked():
            continue
        log.append(f"{loop.now_s:.1f} {fault.__name__}")
        task = loop.create_task(_befall(fault, world, random, heavy))
        running[task] = None
        task.add_done_callback(running.pop)
        if random.random() < 0.6:
            await asyncio.wait([task], timeout=longest_peace_s)
    await asyncio.gather(*running)
    heal(world)
    log.append(f"{loop.now_s:.1f} healed")


async def _befall(fault: Fault, world: Troubled, random: Random, heavy: asyncio.Lock) -> None:
    if fault not in HEAVY:
        await fault(world, random)
        return
    async with heavy:
        await fault(world, random)
        await asyncio.sleep(random.uniform(*REST_S))


def heal(world: Troubled) -> None:
    """End every fault that has not ended."""
    world.network.heal()
    world.weather.heal()
    for machine in world.machines.by_name.values():
        world.machines.resume(machine)
        world.machines.find(machine)
