"""What ``activation`` decides is carried out: one datacentre serves, and the other only when that one has stopped."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.cluster.instances import SETTLED_S, One, World, play, until

from unified_agent.cluster.activation import Active, Order, Prepare, Serve, Stay
from unified_agent.cluster.activator import ORDER_LIMIT_S
from unified_agent.cluster.heartbeats import Stage
from unified_agent.cluster.members import FRESH_S
from unified_agent.cluster.stores.base import Entry, PutValue, Revision
from unified_agent.cluster.transactions import ACTIVE_KEY
from unified_agent.cluster.values import Node, read_value, write_value
from unified_agent.domain.facts import ClaimGranted
from unified_agent.domain.ids import InstanceId
from unified_agent.history import Serving, StoodDown

BOTH: dict[str, Any] = {"datacentres": ("east", "west")}
LEASE_S, DELAY_S = 4.0, 10.0


def active(world: World) -> Active:
    entry = world.engine.get(ACTIVE_KEY)
    assert entry is not None
    return read_value(Active, entry)


def serves(one: One) -> bool:
    return one.cluster.activator.serves


def node(world: World, one: One) -> Node:
    entry = world.engine.get(one.place.key)
    assert entry is not None
    return read_value(Node, entry)


def said_to_have_stood_down(world: World, one: One) -> set[int]:
    """All epochs for which an instance ever said so in its key."""
    told = world.engine.changes_after(one.place.key, Revision(1), 10_000)
    assert told is not None
    return {read_value(Node, each).stood_down_epoch for each in told.events if isinstance(each, Entry)}


async def two_sites(world: World) -> tuple[One, One, One]:
    """Two instances in the east, which serve, and one in the west, which does not."""
    a1, a2, w1 = await world.of("a1", "a2", "w1", **BOTH)
    assert (serves(a1), serves(a2), serves(w1)) == (True, True, False)
    return a1, a2, w1


# --- the first time


def test_the_primary_begins_and_the_other_says_where_to_go():
    async def doing(world: World) -> None:
        a1, a2, w1 = await two_sites(world)
        assert (active(world).datacentre, active(world).epoch) == ("east", 1)
        assert (a1.whole.did, a2.whole.did, w1.whole.did) == (["begin 1"], ["begin 1"], [])
        decision = w1.cluster.activator.decision
        assert isinstance(decision, Stay)
        assert decision.ask == "east"
        assert [a1.cluster.activator.epoch, w1.cluster.activator.epoch] == [1, 1]

    play(doing)


def test_the_other_one_begins_only_after_a_grace_in_which_nobody_of_the_primary_came():
    async def doing(world: World) -> None:
        (w1,) = await world.of("w1", **BOTH)
        assert isinstance(w1.cluster.activator.decision, Prepare)
        await asyncio.sleep(30.0 - SETTLED_S - 1.0)
        assert not serves(w1)
        await asyncio.sleep(2.0)
        assert serves(w1)
        assert active(world).datacentre == "west"

    play(doing)


def test_what_an_instance_does_stands_in_its_key_and_counts_in_the_metrics():
    async def doing(world: World) -> None:
        a1, _, w1 = await two_sites(world)
        assert node(world, a1).stage is Stage.READY
        assert node(world, w1).stage is Stage.JOINING
        a1.whole.stage = Stage.DRAINING
        await asyncio.sleep(1.0)
        assert node(world, a1).stage is Stage.DRAINING
        read = a1.metrics.registry.get_sample_value
        assert (read("ua_cluster_epoch"), read("ua_cluster_is_active_datacentre")) == (1.0, 1.0)
        assert w1.metrics.registry.get_sample_value("ua_cluster_is_active_datacentre") == 0.0

    play(doing)


def test_claims_that_waited_for_service_look_again_when_it_begins():
    async def doing(world: World) -> None:
        (w1,) = await world.of("w1", **BOTH)
        w1.agents.claim()
        await asyncio.sleep(1.0)
        assert w1.agents.of(ClaimGranted) == []
        await until(lambda: serves(w1))
        await asyncio.sleep(0.05)
        assert len(w1.agents.of(ClaimGranted)) == 1

    play(doing)


# --- taken over


def test_a_lost_datacentre_is_taken_over_after_its_leases_and_the_delay():
    async def doing(world: World) -> None:
        a1, a2, w1 = await two_sites(world)
        for one in (a1, a2):
            world.network.lose(one.host)
        took_s = await until(lambda: serves(w1))
        assert LEASE_S - 0.6 + DELAY_S <= took_s <= LEASE_S + DELAY_S + 1.0
        assert (active(world).datacentre, active(world).epoch, active(world).by) == ("west", 2, "w1")
        assert w1.whole.did == ["begin 2"]
        assert world.events(Serving, "w1") == [Serving(epoch=2, datacentre="west")]

    play(doing)


def test_nothing_is_taken_over_while_one_instance_of_the_other_side_lives():
    async def doing(world: World) -> None:
        a1, a2, w1 = await two_sites(world)
        world.network.lose(a1.host)
        await asyncio.sleep(60.0)
        assert (serves(a2), serves(w1)) == (True, False)

    play(doing)


def test_silence_between_the_sites_takes_nothing_over():
    async def doing(world: World) -> None:
        a1, a2, w1 = await two_sites(world)
        for one in (a1, a2):
            world.network.silence(one.name, "w1")
        await asyncio.sleep(60.0)
        assert (serves(a1), serves(w1), active(world).epoch) == (True, False, 1)

    play(doing)


def test_a_site_without_the_store_stops_before_the_other_begins_and_finds_itself_passive_when_it_is_back():
    async def doing(world: World) -> None:
        a1, a2, w1 = await two_sites(world)
        a1.agents.claim()
        await asyncio.sleep(0.1)
        for one in (a1, a2):
            one.fail(down=True)
        stopped_s = await until(lambda: not serves(a1) and not serves(a2))
        assert stopped_s <= LEASE_S
        assert a1.whole.did == ["begin 1", "stand down: stepped-down"]
        assert a1.agents.lost == [("s1", "stepped-down")]
        await until(lambda: serves(w1))
        for one in (a1, a2):
            one.fail(down=False)
        await asyncio.sleep(60.0)
        assert (serves(a1), serves(a2), serves(w1)) == (False, False, True), "the primary does not take its place back"
        assert active(world).epoch == 2

    play(doing)


def test_without_a_witness_only_a_person_takes_over_and_then_at_once():
    async def doing(world: World) -> None:
        a1, w1 = await world.of("a1", "w1", has_witness=False, **BOTH)
        world.network.lose(a1.host)
        await asyncio.sleep(60.0)
        assert not serves(w1)
        w1.cluster.order(Order.TAKE)
        await asyncio.sleep(0.1)
        assert serves(w1)

    play(doing)


def test_an_order_to_take_does_not_pass_over_the_living():
    async def doing(world: World) -> None:
        a1, _, w1 = await two_sites(world)
        w1.cluster.order(Order.TAKE)
        await asyncio.sleep(10.0)
        assert (serves(a1), serves(w1), active(world).epoch) == (True, False, 1)

    play(doing)


# --- handed over


def test_a_planned_switch_goes_by_way_of_nobody():
    async def doing(world: World) -> None:
        a1, a2, w1 = await two_sites(world)
        a1.agents.claim()
        await asyncio.sleep(0.1)
        w1.cluster.order(Order.SWITCH)
        while not serves(w1):
            await asyncio.sleep(0)
            assert not (serves(w1) and (serves(a1) or serves(a2)))
        assert 2 in said_to_have_stood_down(world, a1)
        assert a1.whole.did == a2.whole.did == ["begin 1", "stand down: passive"]
        assert a1.agents.lost == [("s1", "passive")]
        assert (active(world).datacentre, active(world).epoch, active(world).handed_to) == ("west", 3, "")
        assert world.events(StoodDown, "a1") == [StoodDown(epoch=1)]
        await asyncio.sleep(ORDER_LIMIT_S + 5.0)
        assert serves(w1), "the order has been carried out"

    play(doing)


def test_the_new_side_waits_until_all_of_the_old_one_is_closed():
    async def doing(world: World) -> None:
        a1, _, w1 = await two_sites(world)
        closed = asyncio.Event()
        stand_down = a1.whole.stand_down

        async def slow(reason: str) -> None:
            await closed.wait()
            await stand_down(reason)

        a1.whole.stand_down = slow  # type: ignore[method-assign]
        w1.cluster.order(Order.SWITCH)
        await asyncio.sleep(5.0)
        assert not serves(a1), "nothing may be done from the first moment on"
        assert not serves(w1)
        assert node(world, a1).stood_down_epoch == 0
        closed.set()
        await until(lambda: serves(w1), 2.0)

    play(doing)


def test_an_instance_that_ends_instead_of_standing_down_is_waited_for_until_its_lease_has_ended():
    async def doing(world: World) -> None:
        a1, a2, w1 = await two_sites(world)
        world.network.lose(a1.host)
        await asyncio.sleep(0.5)
        w1.cluster.order(Order.SWITCH)
        took_s = await until(lambda: serves(w1))
        assert LEASE_S - 1.1 <= took_s <= LEASE_S + 3.0
        assert not serves(a2)

    play(doing)


def test_an_order_that_cannot_be_carried_out_in_time_is_forgotten():
    async def doing(world: World) -> None:
        a1, _, w1 = await two_sites(world)
        w1.fail(down=True)
        w1.cluster.order(Order.SWITCH)
        await asyncio.sleep(ORDER_LIMIT_S + 1.0)
        w1.fail(down=False)
        await asyncio.sleep(20.0)
        assert (serves(a1), serves(w1), active(world).epoch) == (True, False, 1)

    play(doing)


# --- in doubt


@pytest.mark.parametrize("fate", ["lost", "never", "late"])
def test_a_change_whose_answer_was_lost_ends_well(fate: str):
    async def doing(world: World) -> None:
        w1 = world.add("w1")
        w1.store.about, w1.store.fates = "cluster/active", [fate]
        for _ in range(2):
            await asyncio.sleep(0.45)
            assert w1.cluster.activator.is_taking, "it may still land"
        await asyncio.sleep(SETTLED_S)
        assert serves(w1)
        assert active(world).epoch == 1
        assert not w1.cluster.activator.is_taking

    play(doing)


def test_a_store_that_does_not_let_us_change_it_is_asked_again():
    async def doing(world: World) -> None:
        w1 = world.add("w1")
        w1.store.about, w1.store.fates = "cluster/active", ["refused"] * 3
        await asyncio.sleep(SETTLED_S)
        assert serves(w1)
        assert len(w1.store.sent) == 4

    play(doing)


def test_a_change_is_refused_by_the_store_as_long_as_somebody_has_registered_on_the_other_side_unseen():
    async def doing(world: World) -> None:
        a1, w1 = await world.of("a1", "w1", **BOTH)
        world.network.lose(a1.host)
        w1.store.about = "cluster/active"

        def register() -> None:
            value = Node(process="p", url="", peer_address="", version="1", capacity=1)
            world.engine.transact([], [PutValue("cluster/node/east/a9", write_value(value))])

        w1.store.before = register
        await until(lambda: w1.store.sent)
        await asyncio.sleep(20.0)
        assert not serves(w1)
        assert active(world).epoch == 1

    play(doing)


# --- a store that comes back


async def back_after_an_outage(world: World, watch_lag_s: float) -> One:
    """An instance with an agent, carried by another one's promise while the store was away for two leases; their
    registrations are answered now, and their watches are heard later.
    """
    ones = await world.of("a1", "b1")
    ones[0].agents.claim()
    await asyncio.sleep(LEASE_S)
    for each in ones:
        each.fail(down=True)
    await asyncio.sleep(2 * LEASE_S)
    assert [serves(each) for each in ones] == [True, True]
    for each in ones:
        each.fail(down=False, watch_lag_s=watch_lag_s)
    return ones[0]


@pytest.mark.parametrize("watch_lag_s", [0.0, 0.3, 1.0, 2.0])
def test_nobody_is_logged_out_because_a_registration_is_answered_before_the_watch_is_heard_again(watch_lag_s: float):
    async def doing(world: World) -> None:
        a1 = await back_after_an_outage(world, watch_lag_s)
        await asyncio.sleep(3 * LEASE_S)
        assert a1.whole.did == ["begin 1"]
        assert a1.agents.lost == []
        assert a1.may_act()

    play(doing)


def test_an_instance_whose_watch_is_not_heard_again_stands_down():
    async def doing(world: World) -> None:
        a1 = await back_after_an_outage(world, 60.0)
        first = a1.incarnation
        await until(lambda: a1.incarnation != first)
        await asyncio.sleep(FRESH_S - 0.2)
        assert serves(a1)
        await asyncio.sleep(0.5)
        assert not serves(a1)

    play(doing)


# --- standing down


def test_a_later_epoch_of_our_own_datacentre_begins_with_everything_closed():
    async def doing(world: World) -> None:
        (a1,) = await world.of("a1")
        a1.agents.claim()
        await asyncio.sleep(0.1)
        record = Active(datacentre="east", epoch=7, reason="there and back", by=InstanceId("w1"))
        world.engine.transact([], [PutValue(ACTIVE_KEY, write_value(record))])
        await asyncio.sleep(0.2)
        assert a1.whole.did == ["begin 1", "stand down: passive", "begin 7"]
        assert a1.agents.lost == [("s1", "passive")]
        a1.agents.claim("s2")
        await asyncio.sleep(0.1)
        assert a1.may_act("s2")

    play(doing)


def test_a_record_of_a_datacentre_that_nobody_knows_stops_everything():
    async def doing(world: World) -> None:
        (a1,) = await world.of("a1")
        record = Active(datacentre="moon", epoch=7, reason="a mistake", by=InstanceId("m1"))
        world.engine.transact([], [PutValue(ACTIVE_KEY, write_value(record))])
        await asyncio.sleep(0.2)
        assert not serves(a1)
        assert "which is no datacentre of our settings" in a1.cluster.activator.decision.reason

    play(doing)


def test_a_new_registration_does_not_interrupt_the_service():
    async def doing(world: World) -> None:
        a1, a2 = await world.of("a1", "a2")
        for one in (a1, a2):
            one.agents.claim(f"of {one.name}", f"50{one.name}", f"20{one.name}")  # type: ignore[arg-type]
        await asyncio.sleep(0.1)
        for one in (a1, a2):
            one.fail(down=True)
        await asyncio.sleep(10.0)
        for one in (a1, a2):
            one.fail(down=False)
        await asyncio.sleep(SETTLED_S)
        assert a1.whole.did == a2.whole.did == ["begin 1"]
        assert a1.agents.lost == a2.agents.lost == []

    play(doing)


def test_before_the_first_registration_it_says_what_it_waits_for():
    async def doing(world: World) -> None:
        a1 = world.add("a1")
        a1.fail(down=True)
        await asyncio.sleep(2.4)
        assert "cannot reach the store" in a1.cluster.activator.decision.reason
        assert a1.cluster.activator.view() is None
        assert a1.cluster.activator.epoch == 0

    play(doing)


def test_stopped_for_good_it_has_stood_down_once():
    async def doing(world: World) -> None:
        (a1,) = await world.of("a1")
        a1.agents.claim()
        await asyncio.sleep(0.1)
        await a1.leave()
        assert a1.whole.did == ["begin 1", "stand down: stepped-down"]
        assert a1.agents.lost == [("s1", "stepped-down")]
        assert isinstance(a1.cluster.activator.decision, Serve)

    play(doing)
