"""What each fault does, where, and who is struck by it. That it hurts: tests/chaos."""

from __future__ import annotations

import pytest
from tests.unit.tools.chaos.fakes import FakeCrowd, FakeWorld, scene

from unified_agent.tools.chaos import faults
from unified_agent.tools.chaos.faults import Scene
from unified_agent.tools.chaos.places import MEMBERS

pytestmark = pytest.mark.asyncio


def at_a2() -> tuple[Scene, FakeWorld]:
    """Most agents are at a2."""
    world = FakeWorld(MEMBERS)
    return scene(world, FakeCrowd("a1", "a2", "a2")), world


async def test_the_busiest_instance_is_killed_frozen_or_stopped_with_its_host() -> None:
    there, world = at_a2()
    struck = [await fault(there) for fault in (faults.kill, faults.freeze, faults.pause)]
    assert struck == [{"a2"}] * 3
    assert world.did == ["SIGKILL serving a2", "SIGSTOP serving a2", "SIGSTOP host a2"]
    assert world.network.did == ["cut a2 <-> all"]  # of the host alone


async def test_a_lost_host_is_cut_both_ways_and_a_mute_one_in_what_it_sends() -> None:
    there, world = at_a2()
    assert await faults.lose_host(there) == await faults.mute_host(there) == {"a2"}
    assert world.network.did == ["cut a2 <-> all", "cut a2 -> all"]


async def test_an_instance_cut_from_the_store_is_cut_from_every_member_and_nobody_else() -> None:
    there, world = at_a2()
    assert await faults.cut_from_store(there) == {"a2"}
    assert world.network.did == [f"cut a2 <-> {member.name}" for member in MEMBERS]


async def test_a_cut_or_bad_line_between_the_datacentres_strikes_nobody() -> None:
    there, world = at_a2()
    for fault in (faults.cut_datacentres, faults.cut_one_way, faults.spoil_line):
        assert await fault(there) == faults.NOBODY
    assert world.network.did == ["cut east <-> west", "cut west -> east", "spoil east <-> west"]


async def test_the_active_datacentre_is_where_agents_are_served() -> None:
    world = FakeWorld(MEMBERS)
    there = scene(world, FakeCrowd("b1", "b2", "b2"))
    assert await faults.cut_active_off(there) == await faults.kill_datacentre(there) == {"b1", "b2"}
    assert world.network.did == ["cut west <-> east", "cut west <-> third"]
    assert world.did == ["kill west"]


async def test_the_stores_leader_is_killed_or_frozen_and_three_members_are_no_store() -> None:
    there, world = at_a2()
    for fault in (faults.kill_store_leader, faults.freeze_store_leader, faults.lose_store):
        assert await fault(there) == faults.NOBODY
    assert world.store is not None
    assert world.store.did[:2] == ["kill store-a2", "freeze store-a2"]
    assert len(world.store.did[2:]) == 3


async def test_a_drain_is_ordered_through_another_instance() -> None:
    there, world = at_a2()
    assert await faults.drain(there) == {"a2"}
    assert world.orders == [("a1", "/v1/cluster/instances/a2/drain", {})]


async def test_a_switch_is_asked_for_first_and_then_confirmed() -> None:
    there, world = at_a2()
    world.answer = {"plan": {"confirm": "sure"}}
    assert await faults.switch(there) == {"a1", "a2"}
    assert world.orders == [
        ("b1", "/v1/cluster/activate", {"datacentre": "west"}),
        ("b1", "/v1/cluster/activate", {"datacentre": "west", "confirm": "sure"}),
    ]


async def test_healing_undoes_everything_and_waits_until_all_is_whole() -> None:
    there, world = at_a2()
    await faults.heal(there)
    assert world.network.did == ["mend"]
    assert world.store is not None
    assert world.store.did == [f"thaw {member.name}" for member in MEMBERS]
    assert world.did == [*(f"SIGCONT host {name}" for name in ("a1", "a2", "b1", "b2")), "start", "whole"]


async def test_every_instance_takes_agents_again_after_a_drain() -> None:
    there, world = at_a2()
    await faults.resume(there)
    assert [path for _, path, _ in world.orders] == [
        f"/v1/cluster/instances/{name}/resume" for name in ("a1", "a2", "b1", "b2")
    ]
    assert world.did == ["whole"]
