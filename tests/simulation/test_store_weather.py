"""Who reaches the simulated store, and when: quorum, leaders, doubt."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest
from tests.simulation.network import SimNetwork
from tests.simulation.reach import EVERYWHERE
from tests.simulation.store_weather import ELECTION_S, StoreWeather
from tests.simulation.transports import virtual_loop
from tests.simulation.virtual_loop import WorldClock, run

from unified_agent.cluster.stores.base import ABSENT, Committed, Snapshot, StoreUnavailable, WriteUnknown
from unified_agent.cluster.stores.memory import MemoryStore

SITES = {"a1": "dc1", "a2": "dc1", "b1": "dc2"}


class Played:
    """A store of five members and three hosts."""

    def __init__(self, seed: int = 1) -> None:
        loop = virtual_loop()
        self.network = SimNetwork(Random(seed))
        for host, site in SITES.items():
            self.network.reach.place(host, site)
        self.weather = StoreWeather(loop, self.network, Random(seed))
        self.handles = {host: self.weather.connect(host, WorldClock(loop)) for host in SITES}

    async def who_reaches_it(self, after_s: float = 5.0) -> set[str]:
        """Return whom the store answers, once an election and a change of member had their time."""
        await asyncio.sleep(after_s)
        found = await asyncio.gather(*(self._is_answered(store) for store in self.handles.values()))
        reached = {host for host, answered in zip(self.handles, found, strict=True) if answered}
        assert reached == {host for host in SITES if self.weather.reaches(host)}
        return reached

    @staticmethod
    async def _is_answered(store: MemoryStore) -> bool:
        try:
            await store.get("k")
        except StoreUnavailable:
            return False
        return True


def play(scene: Callable[[Played], Awaitable[Any]], seed: int = 1) -> Any:
    async def main() -> Any:
        return await scene(Played(seed))

    return run(main())


async def seconds_until(reached: Callable[[], bool]) -> float:
    """Look again and again, for 10 s at most; returns how long it took, to a hundredth."""
    for count in range(1_000):
        if reached():
            return count / 100
        await asyncio.sleep(0.01)
    raise AssertionError("it never came")


EVERYBODY = set(SITES)


def test_everybody_reaches_it_in_fair_weather():
    assert play(lambda world: world.who_reaches_it()) == EVERYBODY


@pytest.mark.parametrize("lost", ["dc1", "dc2", "witness"])
def test_two_sites_go_on_when_the_third_is_cut_off_and_nobody_there_reaches_it(lost: str):
    async def scene(world: Played) -> set[str]:
        world.network.silence(lost, EVERYWHERE)
        return await world.who_reaches_it()

    assert play(scene) == {host for host, site in SITES.items() if site != lost}


def test_datacentres_that_are_cut_apart_both_reach_it_by_a_witness_that_is_cut_from_neither():
    async def scene(world: Played) -> set[str]:
        world.network.silence("dc1", "dc2")
        return await world.who_reaches_it()

    assert play(scene) == EVERYBODY


def test_of_datacentres_that_are_cut_apart_the_one_that_reaches_the_witness_goes_on():
    async def scene(world: Played) -> set[str]:
        world.network.silence("dc1", "dc2")
        world.network.silence("dc1", "witness", both_ways=False)
        return await world.who_reaches_it()

    assert play(scene) == {"b1"}


def test_without_the_witness_a_cut_between_datacentres_leaves_nobody_a_store():
    async def scene(world: Played) -> set[str]:
        world.weather.stop("store-witness-1")
        world.network.silence("dc1", "dc2")
        return await world.who_reaches_it()

    assert play(scene) == set()


def test_one_host_cut_off_from_all_members_is_alone():
    async def scene(world: Played) -> set[str]:
        world.network.silence("a1", EVERYWHERE)
        return await world.who_reaches_it()

    assert play(scene) == {"a2", "b1"}


def test_a_host_goes_to_another_member_when_its_own_is_gone():
    async def scene(world: Played) -> tuple[bool, set[str]]:
        for member in ("store-dc1-1", "store-dc1-2"):
            world.network.silence("a1", member)
        await asyncio.sleep(0.01)
        during = world.handles["a1"].reachable
        return during, await world.who_reaches_it()

    assert play(scene) == (False, EVERYBODY)


def test_a_host_that_hears_nobody_but_is_heard_writes_without_knowing():
    async def scene(world: Played) -> bytes:
        for member in world.weather.members:
            world.network.silence(member, "a1", both_ways=False)
        with pytest.raises(WriteUnknown):
            await world.handles["a1"].put_if("k", b"made", ABSENT)
        entry = await world.handles["b1"].get("k")
        assert entry is not None
        return entry.value

    assert play(scene) == b"made"


def test_answers_may_be_lost_for_one_host_alone():
    async def scene(world: Played) -> None:
        fault = world.weather.lose_answers("a2")
        with pytest.raises(WriteUnknown):
            await world.handles["a2"].put_if("k", b"", ABSENT)
        assert await world.handles["a1"].get("k") is not None
        fault.end()
        assert await world.handles["a2"].get("k") is not None

    play(scene)


@pytest.mark.parametrize("seed", range(5))
def test_a_new_leader_takes_its_time_and_gives_every_lease_its_whole_time_again(seed: int):
    async def scene(world: Played) -> tuple[float, float]:
        engine, store = world.weather.engine, world.handles["a1"]
        lease = await store.grant_lease(4)
        await store.put_if("node/a1", b"", ABSENT, lease.lease)
        await asyncio.sleep(3.5)
        world.weather.change_leader()
        election_s = await seconds_until(lambda: world.weather.leader is not None)
        return election_s, await seconds_until(lambda: engine.get("node/a1") is None)

    election_s, lease_s = play(scene, seed)
    assert ELECTION_S[0] - 0.02 < election_s < ELECTION_S[1] + 0.02
    assert 4.9 < lease_s < 5.1, "the whole lease and an election"


def test_an_outage_lasts_until_it_is_ended_and_no_lease_ends_in_it():
    async def scene(world: Played) -> set[str]:
        store = world.handles["a1"]
        lease = await store.grant_lease(4)
        await store.put_if("node/a1", b"", ABSENT, lease.lease)
        outage, other = world.weather.outage(), world.weather.outage()
        assert await world.who_reaches_it(3_600.0) == set()
        outage.end()
        outage.end()
        assert await world.who_reaches_it() == set()
        other.end()
        reached = await world.who_reaches_it(2.5)
        assert world.weather.engine.get("node/a1") is not None
        return reached

    assert play(scene) == EVERYBODY


def test_a_slow_store_answers_late_and_one_that_is_too_slow_leaves_writes_in_doubt():
    async def scene(world: Played) -> float:
        loop, store = virtual_loop(), world.handles["a1"]
        slow = world.weather.slow((0.5, 0.5))
        began_s = loop.now_s
        assert isinstance(await store.put_if("k", b"1", ABSENT), Committed)
        took_s = loop.now_s - began_s
        slow.end()
        slow = world.weather.slow((4.0, 4.0))
        with pytest.raises(WriteUnknown):
            await store.put_if("late", b"1", ABSENT)
        assert world.weather.engine.get("late") is None
        slow.end()
        await asyncio.sleep(1.0)
        assert world.weather.engine.get("late") is not None
        return took_s

    assert 0.5 < play(scene) < 0.6


def test_two_members_may_stop_and_the_third_takes_the_store_with_it():
    async def scene(world: Played) -> list[set[str]]:
        stopped = [world.weather.stop(member) for member in ("store-dc1-1", "store-dc2-1")]
        seen = [await world.who_reaches_it()]
        stopped.append(world.weather.stop("store-dc1-2"))
        seen.append(await world.who_reaches_it())
        for each in stopped:
            each.end()
        seen.append(await world.who_reaches_it())
        return seen

    assert play(scene) == [EVERYBODY, set(), EVERYBODY]


def test_a_watch_that_was_away_during_a_compaction_finds_a_snapshot():
    async def scene(world: Played) -> None:
        store = world.handles["a1"]
        async with store.watch("") as watch:
            assert isinstance(await watch.next(), Snapshot)
            cut = world.network.silence("a1", EVERYWHERE)
            await world.handles["b1"].put_if("k", b"", ABSENT)
            world.weather.compact()
            cut.end()
            told = await watch.next()
        assert isinstance(told, Snapshot)
        assert "k" in told.entries

    play(scene)


def test_all_faults_are_healed_at_once_and_a_forgotten_handle_is_left_as_it_is():
    async def scene(world: Played) -> set[str]:
        world.weather.stop("store-dc1-1")
        world.weather.outage()
        world.weather.slow((1.0, 1.0))
        world.weather.lose_answers("a1")
        gone = world.weather.connect("a1", WorldClock(virtual_loop()))
        world.weather.forget(gone)
        world.weather.heal()
        reached = await world.who_reaches_it(2.5)
        assert not gone.reachable
        return reached

    assert play(scene) == EVERYBODY
