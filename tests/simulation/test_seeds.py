"""Whole instances under trouble, one world for each seed: nothing false is ever shown, and in the end all agree.

A failure names its seed; ``pytest tests/simulation --seed N`` repeats it.
"""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from tests.simulation.checkers import Safety, disagreements
from tests.simulation.faults import trouble
from tests.simulation.virtual_loop import run
from tests.simulation.world import World

#: Trouble lasts so long, virtual seconds; and all must agree so long after its end.
TROUBLE_S = 120.0
AGREE_WITHIN_S = 90.0


@pytest.mark.simulation
def test_nothing_false_is_shown_and_all_agree_in_the_end(world_seed: int):
    run(one_world(world_seed))


async def one_world(seed: int) -> None:
    """Run one world: all the way in, work under trouble, rest; raises what was broken, with its story."""
    world = World(seed)
    random = Random(f"trouble {seed}")
    safety = Safety(world)
    log: list[str] = []
    loop = asyncio.get_running_loop()
    try:
        async with world.running(safety.check):
            await _until_agreed(world, 60.0)
            working = [loop.create_task(each.work(TROUBLE_S)) for each in world.desktops]
            await trouble(world, random, TROUBLE_S, log)
            await asyncio.gather(*working)
            world.stop_callers()
            await _until_agreed(world, AGREE_WITHIN_S)
            safety.commands_were_asked_at_most_once()
    except BaseException as error:
        error.add_note(f"seed {seed}, at {loop.time():.1f} s, after: {'; '.join(log)}")
        raise
    assert safety.turns > 1_000, "the world stood still"


async def _until_agreed(world: World, limit_s: float) -> None:
    """Wait until all truths agree and go on agreeing for a while."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + limit_s
    calm = 0
    found: list[str] = []
    while calm < 3:
        await asyncio.sleep(0.5)
        found = disagreements(world)
        calm = 0 if found else calm + 1
        assert loop.time() < until_s, f"after {limit_s:g} s they still disagree: {'; '.join(found)}"
