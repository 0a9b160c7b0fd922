"""Chance drives the world: steps that a cluster takes by itself, and faults, in any order; then everything heals."""

from __future__ import annotations

import random

from tests.property.cluster_world import AGENTS, STATIONS, Instance, World

from unified_agent.cluster import activation, ownership
from unified_agent.domain.states import Wish

FATES = ("now", "now", "now", "now", "later", "lost")


def step(world: World, chance: random.Random) -> None:
    """Take one step: mostly what instances do by themselves, sometimes a fault."""
    instances = list(world.instances.values())
    one, other = chance.sample(instances, 2)
    kind = chance.choices(
        ("time", "round", "renew", "sync", "list", "ask", "activate", "claim", "release", "deliver", "fault", "order"),
        (10, 14, 8, 8, 4, 14, 8, 10, 2, 4, 7, 1),
    )[0]
    fate = chance.choice(FATES)
    match kind:
        case "time":
            world.advance(chance.choice((0.05, 0.2, 0.4, 1.0)))
        case "round":
            turn(world, one)
            world.advance(0.1)
        case "renew":
            world.renew(one, chance.choice((0.0, 0.1, 0.7, 2.0)))
        case "sync":
            world.sync(one)
        case "list":
            world.write_listing(one, fate)
        case "ask":
            world.ask(one, other, chance.choice((0.0, 0.1, 0.4)), chance.choice((0.0, 0.1, 0.4)))
        case "activate":
            world.activate(one, fate=fate)
        case "claim":
            wish = chance.choice(list(Wish))
            world.claim(one, chance.choice(AGENTS), chance.choice(STATIONS), wish, chance.randrange(4), fate)
        case "release":
            world.release(one, chance.choice(AGENTS), fate)
        case "deliver" if world.flights:
            world.deliver(chance.choice(world.flights))
        case "fault":
            fault(world, chance, one, other)
        case "order":
            world.activate(one, activation.Order.SWITCH, fate)
    world.check()


def fault(world: World, chance: random.Random, one: Instance, other: Instance) -> None:
    """Break something, or mend it."""
    match chance.choice(("kill", "start", "freeze", "thaw", "thaw", "cut", "cut", "side", "mend", "down", "up", "up")):
        case "kill":
            world.kill(one, guarded=chance.random() < 0.5)
        case "start":
            world.start(one)
        case "freeze":
            one.is_frozen = True
        case "thaw":
            one.is_frozen = False
        case "cut":
            world.cut.add((one.name, chance.choice((other.name, "store", "store"))))
        case "side":  # a whole datacentre from the other, or from the store
            for each in world.instances.values():
                if each.datacentre == one.datacentre:
                    world.cut.add((each.name, "store"))
                    if chance.random() < 0.5:
                        world.cut |= {(each.name, far.name) for far in world.instances.values() if far is not each}
        case "mend" if world.cut:
            world.cut -= set(chance.sample(sorted(world.cut), (len(world.cut) + 1) // 2))
        case "down":
            world.store_down(is_up=False)
        case "up":
            world.store_down(is_up=True)


def turn(world: World, one: Instance) -> None:
    """Do once what an instance does all the time."""
    world.renew(one)
    if not world.has_store(one):
        for other in world.instances.values():
            if other is not one:
                world.ask(one, other)
    world.sync(one)
    world.write_listing(one)
    world.sync(one)
    world.activate(one)


def heal(world: World) -> None:
    """Mend everything; what is still on its way arrives."""
    world.cut.clear()
    world.store_down(is_up=True)
    for one in world.instances.values():
        one.is_frozen = False
        world.start(one)
    for flight in list(world.flights):
        world.deliver(flight)


def settle(world: World, limit_s: float = 30.0) -> float:
    """Let a healed world run until each agent is served by exactly one instance; return how long that took.

    Agents come in turn to each live instance until one takes them; an owner that is asked for them gives them up.
    """
    begun_s = world.now_s
    while world.now_s - begun_s < limit_s:
        for one in world.instances.values():
            turn(world, one)
            for agent, station in zip(AGENTS, STATIONS, strict=True):
                if one.life is not None and agent not in one.life.claims:
                    said = world.claim(one, agent, station, Wish.SPREAD)
                    if isinstance(said, ownership.Refuse) and said.code is ownership.Refusal.STATION_IN_USE:
                        for life in one.lives:
                            for held in [a for a, r in life.claims.items() if r.station == station]:
                                world.release(one, held)
                world.sync(one)
        # An agent that sits at the other's station gives it up, as a person would.
        for one in world.instances.values():
            for life in one.lives:
                for agent, record in list(life.claims.items()):
                    if record.station != dict(zip(AGENTS, STATIONS, strict=True))[agent]:
                        world.release(one, agent)
        world.advance(0.25)
        acting = world.acting()
        if all(sum(agent in life.claims for _, life in acting) == 1 for agent in AGENTS):
            return world.now_s - begun_s
    raise AssertionError(f"nobody serves all agents {limit_s} s after everything healed")


def walk(seed: int, steps: int = 150) -> World:
    """Begin well, walk by chance."""
    chance = random.Random(seed)
    world = World()
    heal(world)
    settle(world)
    for _ in range(steps):
        step(world, chance)
    return world
