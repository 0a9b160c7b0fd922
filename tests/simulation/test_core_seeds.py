"""Clusters under trouble, one for each seed: no two act for one agent, and in the end everybody is served.

A failure names its seed; ``pytest tests/simulation/test_core_seeds.py --seed N`` repeats it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random

import pytest
from tests.simulation.cluster_faults import Fault, swarm, trouble
from tests.simulation.core_world import CoreWorld
from tests.simulation.transports import virtual_loop
from tests.simulation.virtual_loop import run

from unified_agent.tools.chaos.history_check import check

#: Trouble lasts so long, virtual seconds; and all must be served so long after its end.
TROUBLE_S = 120.0
AGREE_WITHIN_S = 60.0


@pytest.mark.simulation
def test_no_two_act_for_one_agent_and_everybody_is_served_in_the_end(world_seed: int):
    run(one_core_world(world_seed))


async def one_core_world(seed: int, *, instances: int = 0, faults: Sequence[Fault] = ()) -> CoreWorld:
    """Run one world; raises what was broken, with its story.

    Args:
        seed: of all chance.
        instances: how many; 0 for as many as the seed says.
        faults: what goes wrong; none for what the seed says.
    """
    world = CoreWorld(seed, instances=instances or 2 + seed % 6)
    random = Random(f"trouble {seed}")
    chosen, longest_peace_s = swarm(random) if not faults else (faults, 6.0)
    log: list[str] = []
    loop = virtual_loop()
    try:
        async with world.running():
            await _until_agreed(world, 30.0)
            await trouble(world, random, TROUBLE_S, log, chosen, longest_peace_s)
            await _until_agreed(world, AGREE_WITHIN_S)
            world.story = tuple(world.entries)
            found = check(world.story)
            assert not found, f"{found[0].kind}: {found[0].sentence}; {found[0].proof}"
    except BaseException as error:
        error.add_note(f"seed {seed}, at {loop.now_s:.1f} s, after: {'; '.join(log)}")
        raise
    assert world.truth.deeds > 1_000, "the world stood still"
    return world


async def _until_agreed(world: CoreWorld, limit_s: float) -> None:
    """Wait until everybody is served, and goes on being served for a while."""
    loop = virtual_loop()
    until_s = loop.now_s + limit_s
    calm = 0
    while calm < 3:
        await asyncio.sleep(0.5)
        found = world.disagreements()
        calm = 0 if found else calm + 1
        assert loop.now_s < until_s, f"after {limit_s:g} s: {'; '.join(found)}"
