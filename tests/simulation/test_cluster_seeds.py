"""Whole clusters under trouble, one world for each seed: nothing false is ever shown, no two ever act for one agent,
and in the end all agree.

A failure names its seed; ``pytest tests/simulation/test_cluster_seeds.py --seed N`` repeats it.
"""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from tests.simulation import faults
from tests.simulation.cluster_checkers import ClusterSafety, disagreements
from tests.simulation.cluster_faults import CLUSTER_FAULTS, swarm, trouble
from tests.simulation.cluster_faults import heal as heal_cluster
from tests.simulation.cluster_world import ClusterWorld
from tests.simulation.transports import virtual_loop
from tests.simulation.virtual_loop import run

from unified_agent.tools.chaos.history_check import check

#: Trouble lasts so long, virtual seconds; and all must agree so long after its end.
TROUBLE_S = 120.0
AGREE_WITHIN_S = 120.0


@pytest.mark.simulation
def test_nothing_false_is_shown_and_all_agree_in_the_end(cluster_seed: int):
    run(one_cluster(cluster_seed))


async def one_cluster(seed: int) -> ClusterWorld:
    """Run one world: all the way in, work under trouble, rest; raises what was broken, with its story."""
    safety = ClusterSafety()
    world = ClusterWorld(seed, safety.watch, instances=2 + seed % 3)
    random = Random(f"trouble {seed}")
    log: list[str] = []
    loop = virtual_loop()
    try:
        async with world.running(lambda: safety.check(world)):
            await _until_agreed(world, 60.0)
            working = [each.host.spawn(each.work(TROUBLE_S)) for each in world.desktops]
            chosen, longest_peace_s = swarm(random, [*CLUSTER_FAULTS, *faults.faults_of(world)])
            await trouble(world, random, TROUBLE_S, log, chosen, longest_peace_s)
            faults.heal(world)
            heal_cluster(world)
            await asyncio.gather(*working)
            world.stop_callers()
            await _until_agreed(world, AGREE_WITHIN_S)
            safety.commands_were_asked_at_most_once(world)
            world.story = tuple(world.entries)
            told = [each for desktop in world.desktops for each in desktop.commands.told]
            surprises = [
                each for desktop in world.desktops for each in desktop.surprises if "session.ended" not in each
            ]
            assert not surprises, f"agents had to log in again, whom nobody had logged out: {'; '.join(surprises)}"
            broken = check(world.story, told)
            assert not broken, f"{broken[0].kind}: {broken[0].sentence}; {broken[0].proof}"
    except BaseException as error:
        error.add_note(f"seed {seed}, at {loop.now_s:.1f} s, after: {'; '.join(log)}")
        raise
    assert safety.turns > 1_000, "the world stood still"
    return world


async def _until_agreed(world: ClusterWorld, limit_s: float) -> None:
    """Wait until all truths agree and go on agreeing for a while."""
    loop = virtual_loop()
    until_s = loop.now_s + limit_s
    calm = 0
    while calm < 3:
        await asyncio.sleep(0.5)
        found = disagreements(world)
        calm = 0 if found else calm + 1
        assert loop.now_s < until_s, f"after {limit_s:g} s they still disagree: {'; '.join(found)}"
