"""One instance among the others: who lives, until when it may act, and what it promises."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from tests.unit.cluster.instances import SETTLED_S, One, World, play, until

from unified_agent.cluster.detector import Verdict
from unified_agent.cluster.heartbeats import Heartbeat, Report, Stage
from unified_agent.cluster.members import FRESH_S
from unified_agent.cluster.ownership import OwnerView
from unified_agent.cluster.peer_messages import TenureQuestion
from unified_agent.cluster.stores.base import DeleteKey, PutValue
from unified_agent.cluster.tenure import Listing
from unified_agent.cluster.transactions import instance_key, listing_key
from unified_agent.cluster.values import read_value, write_value
from unified_agent.domain.ids import InstanceId
from unified_agent.history import SteppedDown

LEASE_S = 4.0
STOPS_S = LEASE_S * 2 / 3
ASK = TenureQuestion(incarnation=1)


async def serving(world: World, *names: str) -> list[One]:
    """Instances that each act for one agent."""
    ones = await world.of(*names)
    for number, one in enumerate(ones, 1):
        one.agents.claim(f"s{number}", f"500{number}", f"200{number}")  # type: ignore[arg-type]
    await asyncio.sleep(1.0)
    assert all(acts(one, number) for number, one in enumerate(ones, 1))
    return ones


def acts(one: One, number: int) -> bool:
    return one.may_act(f"s{number}")


def verdict(one: One, other: One) -> Verdict:
    member = one.cluster.members.member(other.name)
    assert member is not None, f"{one.name} has not heard of {other.name}"
    return member.verdict


# --- until when it may act


def test_an_instance_that_is_cut_off_stops_at_two_thirds_of_its_lease_and_the_others_go_on():
    async def doing(world: World) -> None:
        a, b, c = await serving(world, "a1", "b1", "c1")
        world.cut_off(a)
        took_s = await until(lambda: not acts(a, 1))
        assert STOPS_S - 0.6 <= took_s <= STOPS_S
        await asyncio.sleep(0.2)
        assert a.agents.lost == [("s1", "stepped-down")]
        (stepped,) = world.events(SteppedDown, "a1")
        assert stepped.reason.startswith("the lease could not be renewed, and not all promised to wait")
        assert "has stepped down" in a.cluster.members.registration.said
        assert acts(b, 2)
        assert acts(c, 3)

    play(doing)


def test_while_the_store_is_down_for_all_all_go_on():
    async def doing(world: World) -> None:
        ones = await serving(world, "a1", "b1", "c1")
        world.engine.pause()
        for _ in range(600):
            await asyncio.sleep(0.1)
            assert all(acts(one, number) for number, one in enumerate(ones, 1))
        world.engine.resume()
        await asyncio.sleep(30.0)
        assert all(acts(one, number) for number, one in enumerate(ones, 1))
        assert world.events(SteppedDown) == []

    play(doing)


@pytest.mark.parametrize("how", ["killed", "silent"])
def test_one_other_that_does_not_promise_ends_it_for_those_without_a_store(how: str):
    async def doing(world: World) -> None:
        a, b, c = await serving(world, "a1", "b1", "c1")
        world.engine.pause()
        await asyncio.sleep(20.0)
        if how == "killed":
            world.kill(c)
        else:
            world.network.silence("c1", "a1")
            world.network.silence("c1", "b1")
        promise_s = 3.0
        await asyncio.sleep(promise_s + 0.7)
        assert not acts(a, 1)
        assert not acts(b, 2)
        assert {each.reason.partition("(")[2].partition(":")[0] for each in world.events(SteppedDown, "a1")} == {"c1"}

    play(doing)


def test_those_without_a_store_do_not_go_on_beside_one_that_has_it():
    async def doing(world: World) -> None:
        a, b, c = await serving(world, "a1", "b1", "c1")
        for one in (a, b):
            one.fail(down=True)
        await asyncio.sleep(LEASE_S)
        assert (acts(a, 1), acts(b, 2), acts(c, 3)) == (False, False, True)
        assert "c1: we have a store" in world.events(SteppedDown, "a1")[0].reason

    play(doing)


def test_an_instance_that_has_nobody_to_ask_goes_on_without_a_store():
    async def doing(world: World) -> None:
        (a,) = await serving(world, "a1")
        a.fail(down=True)
        await asyncio.sleep(60.0)
        assert acts(a, 1)

    play(doing)


def test_a_slow_store_stops_nobody():
    async def doing(world: World) -> None:
        a, b = await serving(world, "a1", "b1")
        a.fail(delay_s=1.0)
        for _ in range(300):
            await asyncio.sleep(0.1)
            assert acts(a, 1)
        assert acts(b, 2)

    play(doing)


def test_an_instance_that_was_frozen_past_its_time_wakes_up_and_does_nothing():
    async def doing(world: World) -> None:
        a, _ = await serving(world, "a1", "b1")
        a.host.pause()
        await asyncio.sleep(10.0)
        a.host.resume()
        assert not a.host.call(acts, a, 1), "before any of its loops has run"
        await asyncio.sleep(SETTLED_S)
        assert a.agents.lost == [("s1", "stepped-down")]
        assert a.cluster.members.lives.current is not None, "it has registered anew"

    play(doing)


def test_after_stepping_down_it_begins_anew_and_tells_the_others():
    async def doing(world: World) -> None:
        a, b = await serving(world, "a1", "b1")
        before = a.incarnation
        world.cut_off(a)
        await asyncio.sleep(10.0)
        assert verdict(b, a) is Verdict.DEAD
        a.fail(down=False)
        world.network.heal()
        await asyncio.sleep(SETTLED_S)
        assert a.incarnation > before
        member = b.cluster.members.member(a.name)
        assert member is not None
        assert (member.verdict, member.incarnation) == (Verdict.ALIVE, a.incarnation)
        assert a.cluster.holdings.serving is not None

    play(doing)


# --- what it promises


def test_nothing_is_promised_with_a_store_nor_soon_after_the_start_nor_with_a_claim_on_its_way():
    async def doing(world: World) -> None:
        a, b = (world.add(name) for name in ("a1", "b1"))
        await asyncio.sleep(1.0)
        members = a.cluster.members
        assert members.promise(b.name, ASK).reason == "we have a store"
        a.fail(down=True)
        await asyncio.sleep(1.7)
        assert members.promise(b.name, ASK).reason == "we have just started"
        await asyncio.sleep(2.0)
        members._is_taking = lambda: True
        assert members.promise(b.name, ASK).reason == "a claim of ours may have been granted"
        members._is_taking = lambda: False
        assert members.promise(b.name, ASK).promised
        assert members.bound_until_s(b.name) == pytest.approx(a.clock.now_s() + 3.0)

    play(doing)


# --- who lives


def test_all_that_are_registered_are_heard_and_linked():
    async def doing(world: World) -> None:
        ones = await world.of("a1", "b1", "c1")
        a = ones[0]
        assert [each.instance for each in a.cluster.members.members()] == ["b1", "c1"]
        assert {verdict(a, each) for each in ones[1:]} == {Verdict.ALIVE}
        assert a.cluster.peers.connected() == {"b1", "c1"}
        assert a.cluster.members.reason_of(InstanceId("b1")) == "it joined"

    play(doing)


def test_listings_of_others_on_our_side_are_known_and_nothing_is_done_about_them():
    async def doing(world: World) -> None:
        (a,) = await world.of("a1")
        changes: list[float] = []
        a.cluster.on_change(lambda: changes.append(a.clock.now_s()))
        listing = write_value(Listing(7, (a.name,)))
        world.engine.transact([], [PutValue(listing_key("east", InstanceId("b1")), listing)])
        await asyncio.sleep(1.0)
        assert changes == []
        assert a.cluster.members.roll.listing("east", InstanceId("b1"))[0] == Listing(7, (a.name,))
        world.engine.transact([], [PutValue(listing_key("west", InstanceId("w1")), listing)])
        await asyncio.sleep(1.0)
        assert len(changes) == 1, "whether the other side may be followed rests on its listings"

    play(doing)


def test_our_own_listing_is_looked_after_when_somebody_has_changed_it():
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")
        key = listing_key("east", a.name)
        world.engine.transact([], [PutValue(key, write_value(Listing(a.incarnation, ())))])
        await asyncio.sleep(1.0)
        entry = world.engine.get(key)
        assert entry is not None
        assert read_value(Listing, entry) == Listing(a.incarnation, (b.name,), "http://a1")

    play(doing)


def test_one_that_falls_silent_is_suspect_then_dead_and_known_dead_when_its_lease_ends():
    async def doing(world: World) -> None:
        a, b, c = await world.of("a1", "b1", "c1")
        world.network.lose(c.host)
        took_s = await until(lambda: verdict(a, c) is Verdict.SUSPECT)
        assert 0.7 <= took_s <= 2.0
        await until(lambda: verdict(a, c) is Verdict.DEAD)
        assert verdict(b, c) in {Verdict.SUSPECT, Verdict.DEAD}
        gone_s = await until(lambda: a.cluster.members.roll.find("east", c.name) is None)
        assert took_s + gone_s <= LEASE_S + 1.0
        assert a.cluster.peers.connected() == {"b1"}

    play(doing)


def test_one_that_leaves_in_good_order_is_dead_at_once_and_its_end_proven():
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")
        incarnation = b.incarnation
        await b.leave()
        await asyncio.sleep(0.05)
        assert verdict(a, b) is Verdict.DEAD
        assert a.cluster.members.reason_of(b.name) == "its end is proven"
        assert a.cluster.members.owner(b.name, "east", incarnation).is_proven_ended

    play(doing)


def test_one_whose_key_is_gone_is_dead_because_the_store_says_so():
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")
        world.kill(b)
        world.engine.transact([], [DeleteKey(instance_key("east", b.name))])
        await asyncio.sleep(0.05)
        assert verdict(a, b) is Verdict.DEAD
        assert a.cluster.members.reason_of(b.name) == "the store saw its lease end"

    play(doing)


def test_a_heartbeat_in_another_s_name_is_not_believed():
    async def doing(world: World) -> None:
        a, b, c = await world.of("a1", "b1", "c1")
        world.kill(c)
        await asyncio.sleep(10.0)
        assert verdict(a, c) is Verdict.DEAD
        report = Report(stage=Stage.READY, address="", peer_address="", version="1", sessions=0, capacity=1)
        forged = Heartbeat(
            instance=c.name, datacentre="east", incarnation=c.incarnation + 100, number=9_999, report=report
        )
        a.cluster.members.heard(b.name, forged)
        assert verdict(a, c) is Verdict.DEAD

    play(doing)


def test_every_instance_tells_of_itself_what_it_does():
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")
        b.whole.stage, b.whole.links_down = Stage.DRAINING, ("dmcc",)
        await asyncio.sleep(1.0)
        member = a.cluster.members.member(b.name)
        assert member is not None
        assert (member.report.stage, member.report.links_down) == (Stage.DRAINING, ("dmcc",))

    play(doing)


# --- what is known of an owner


def test_an_owner_is_known_by_its_incarnation_its_listing_and_what_was_promised_to_it():
    async def doing(world: World) -> None:
        a, b, c = await world.of("a1", "b1", "c1")
        members = a.cluster.members
        _, listing_revision = members.roll.listing("east", b.name)
        live = members.owner(b.name, "east", b.incarnation)
        assert live == OwnerView(
            is_live=True,
            listing=frozenset({a.name, c.name}),
            listing_revision=listing_revision,
            bound_until_s=members.bound_until_s(b.name),
        )
        assert not members.owner(b.name, "east", b.incarnation - 1).is_live
        assert not members.owner(b.name, "west", b.incarnation).is_live
        nobody = members.owner(InstanceId("z9"), "east", 1)
        assert (nobody.is_live, nobody.listing, nobody.listing_revision) == (False, None, 0)

    play(doing)


# --- the view of the store


def test_a_watch_that_is_silent_for_long_knows_nothing_new():
    async def doing(world: World) -> None:
        (a,) = await world.of("a1")
        assert a.cluster.members.is_fresh()
        assert a.cluster.members.fresh_since_s is not None
        a.fail(down=True)
        await until(lambda: not a.cluster.members.is_fresh())
        assert a.cluster.members.watch_age_s() == pytest.approx(FRESH_S, abs=0.05)
        a.fail(down=False)
        await asyncio.sleep(0.05)
        assert a.cluster.members.is_fresh()

    play(doing)


def test_before_anything_is_known_nothing_is_fresh_and_there_is_no_store():
    async def doing(world: World) -> None:
        a = world.add("a1")
        a.fail(down=True)
        await asyncio.sleep(1.0)
        members = a.cluster.members
        assert (members.is_fresh(), members.has_store(), members.members()) == (False, False, ())
        assert members.member(InstanceId("b1")) is None

    play(doing)


def test_a_store_is_had_for_a_third_of_the_lease_after_the_last_renewal():
    async def doing(world: World) -> None:
        (a,) = await world.of("a1")
        assert a.cluster.members.has_store()
        a.fail(down=True)
        took_s = await until(lambda: not a.cluster.members.has_store())
        assert LEASE_S / 3 - 0.55 <= took_s <= LEASE_S / 3

    play(doing)


def test_a_store_that_refuses_the_watch_is_tried_again():
    async def doing(world: World) -> None:
        (a,) = await world.of("a1")
        a.fail(refused=True)
        await asyncio.sleep(20.0)
        assert not a.running.done()
        a.fail(refused=False)
        await asyncio.sleep(6.0)
        assert a.cluster.members.is_fresh()

    play(doing)


def test_the_guardian_is_told_that_the_loop_runs_as_long_as_it_does():
    async def doing(world: World) -> None:
        alive: list[float] = []

        class Pipe:
            def alive(self) -> None:
                alive.append(world.loop.now_s)

            def registered(self, **_: object) -> None:
                pass

        one = world.add("a1", guarded=Pipe())
        await asyncio.sleep(10.0)
        assert max(after - before for before, after in pairwise(alive)) <= 0.11
        one.host.pause()
        await asyncio.sleep(5.0)
        assert alive[-1] <= 10.0

    play(doing)


def test_nothing_is_left_running_when_it_has_left():
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")
        world.engine.pause()
        await asyncio.sleep(2.0)  # they ask each other for promises
        world.engine.resume()
        for one in (a, b):
            await one.leave()
        await asyncio.sleep(5.0)
        left: set[Any] = asyncio.all_tasks() - {asyncio.current_task()}
        assert left == set()

    play(doing)
