"""Where agents live and desktops may go, as one instance knows it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.cluster.instances import AGENT, One, World, carry, play, until

from unified_agent.cluster.detector import Verdict
from unified_agent.cluster.heartbeats import Stage
from unified_agent.cluster.whereabouts import READ_LIMIT_S, Whereabouts
from unified_agent.domain.ids import AgentId, InstanceId, SessionId
from unified_agent.domain.selection import Standing
from unified_agent.domain.topology import Elsewhere, Next, Passive, WitnessVerdict

BOTH: dict[str, Any] = {"datacentres": ("east", "west")}
A1, B1 = Next(id=InstanceId("a1"), url="http://a1"), Next(id=InstanceId("b1"), url="http://b1")


def of(one: One) -> Whereabouts:
    return Whereabouts(one.cluster, "test", 2_000, one.clock)


async def owned(world: World, *names: str, **settings: Any) -> list[One]:
    """Instances, of which the first has the agent."""
    ones = await world.of(*names, **settings)
    ones[0].agents.claim()
    await asyncio.sleep(0.1)
    return ones


def standings(one: One) -> dict[str, tuple[Standing, int]]:
    return {each.id: (each.state, each.weight) for each in of(one).topology().instances}


# --- the topology


def test_every_instance_is_in_the_topology_with_what_it_can_do():
    async def doing(world: World) -> None:
        a, _, w = await world.of("a1", "b1", "w1", **BOTH)
        topology = of(a).topology()
        assert (topology.cluster, topology.epoch, topology.active) == ("test", 1, "east")
        assert topology.reconnect_window_ms == 2_000
        assert [(each.id, each.url, each.datacentre) for each in topology.instances] == [
            ("a1", "http://a1", "east"),
            ("b1", "http://b1", "east"),
            ("w1", "http://w1", "west"),
        ]
        assert (
            standings(a)
            == standings(w)
            == {
                "a1": (Standing.READY, 1_000),
                "b1": (Standing.READY, 1_000),
                "w1": (Standing.JOINING, 0),
            }
        )

    play(doing)


def test_one_that_drains_or_lacks_a_link_gets_no_weight_and_one_that_is_gone_is_down():
    async def doing(world: World) -> None:
        a, b, c, d = await world.of("a1", "b1", "c1", "d1")
        b.whole.stage, c.whole.links_down = Stage.DRAINING, ("dmcc",)
        world.network.lose(d.host)
        await asyncio.sleep(8.0)
        assert standings(a) == {
            "a1": (Standing.READY, 1_000),
            "b1": (Standing.DRAINING, 0),
            "c1": (Standing.READY, 0),
            "d1": (Standing.DOWN, 0),
        }

    play(doing)


def test_its_version_grows_with_what_is_told_and_only_then():
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")
        whereabouts = of(a)
        first = whereabouts.topology()
        assert first.version == int(a.clock.now_s() * 1_000)
        await asyncio.sleep(5.0)
        assert whereabouts.topology() == first
        b.whole.stage = Stage.DRAINING
        await asyncio.sleep(1.0)
        second = whereabouts.topology()
        assert (second.epoch, second.version) > (first.epoch, first.version)

    play(doing)


def test_before_a_datacentre_is_active_none_is_named():
    async def doing(world: World) -> None:
        (w,) = await world.of("w1", **BOTH)
        topology = of(w).topology()
        assert (topology.active, topology.epoch) == ("", 0)
        assert [each.state for each in topology.instances] == [Standing.JOINING]

    play(doing)


def test_pages_of_an_instance_that_is_gone_may_still_call_us():
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")
        whereabouts = of(a)
        assert whereabouts.urls() == {"http://a1", "http://b1"}
        await b.leave()
        await asyncio.sleep(0.1)
        assert whereabouts.urls() == {"http://a1", "http://b1"}
        (c,) = await world.of("c1")
        assert of(c).urls() == {"http://a1", "http://b1", "http://c1"}, "to one that started after its end as well"

    play(doing)


# --- whether it serves


def test_it_says_whether_it_serves_and_if_not_why():
    async def doing(world: World) -> None:
        a, w = await world.of("a1", "w1", **BOTH)
        assert (of(a).serves, of(a).why_not(), of(a).epoch) == (True, "", 1)
        assert of(w).serves is False
        assert "east is active in epoch 1" in of(w).why_not()

    play(doing)


# --- where an agent who logs in should go


def test_an_agent_whom_nobody_has_is_welcome():
    async def doing(world: World) -> None:
        a, _ = await world.of("a1", "b1")
        assert await of(a).home_of(AGENT) is None
        assert of(a).not_serving(AGENT) is None

    play(doing)


def test_an_agent_stays_where_it_is_while_that_instance_is_sound():
    async def doing(world: World) -> None:
        a, b = await owned(world, "a1", "b1")
        assert await of(a).home_of(AGENT) is None
        assert await of(b).home_of(AGENT) == Elsewhere(A1)
        assert await of(b).home_of(AgentId("5009")) is None

    play(doing)


def test_one_that_is_released_lives_nowhere():
    async def doing(world: World) -> None:
        a, b = await owned(world, "a1", "b1")
        a.agents.close(a.agents.sessions[AGENT])
        await asyncio.sleep(0.2)
        assert await of(b).home_of(AGENT) is None

    play(doing)


@pytest.mark.parametrize("how", ["draining", "suspect", "dead", "ended"])
def test_nobody_is_sent_to_an_instance_that_is_not_sound(how: str):
    async def doing(world: World) -> None:
        a, b = await owned(world, "a1", "b1")
        if how == "draining":
            a.whole.stage = Stage.DRAINING
            await asyncio.sleep(1.0)
        elif how == "ended":
            await a.leave()
        else:
            world.network.lose(a.host)
            await until(lambda: b.cluster.members.member(a.name).verdict is Verdict(how))  # type: ignore[union-attr]
        assert await of(b).home_of(AGENT) is None

    play(doing)


def test_an_instance_that_drains_sends_those_who_log_in_to_another():
    async def doing(world: World) -> None:
        a, _ = await world.of("a1", "b1")
        a.whole.stage = Stage.DRAINING
        assert await of(a).home_of(AGENT) == Elsewhere(B1)

    play(doing)


def test_one_that_drains_alone_lets_them_in_and_is_refused_by_the_host():
    async def doing(world: World) -> None:
        (a,) = await world.of("a1")
        a.whole.stage = Stage.DRAINING
        assert await of(a).home_of(AGENT) is None

    play(doing)


def test_when_the_owner_cannot_be_found_out_the_agent_is_let_in_and_the_claim_waits():
    async def doing(world: World) -> None:
        _, b = await owned(world, "a1", "b1")
        b.fail(refused=True)
        assert await of(b).home_of(AGENT) is None

    play(doing)


def test_a_passive_datacentre_sends_everybody_to_the_active_one():
    async def doing(world: World) -> None:
        _, w = await world.of("a1", "w1", **BOTH)
        passive = Passive(A1, 1)
        assert await of(w).home_of(AGENT) == passive
        assert of(w).not_serving(AGENT) == passive

    play(doing)


def test_while_nobody_serves_nobody_is_named():
    async def doing(world: World) -> None:
        (w,) = await world.of("w1", **BOTH)
        assert of(w).not_serving(AGENT) == Passive(None, 0)

    play(doing)


def test_one_that_has_stepped_down_in_the_active_datacentre_sends_on_to_a_neighbour():
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")
        a.fail(down=True)
        await until(lambda: not a.cluster.activator.serves)
        assert of(a).not_serving(AGENT) == Elsewhere(Next(id=b.name, url="http://b1"))

    play(doing)


async def stepped_down_without_a_store(world: World, **settings: Any) -> Whereabouts:
    """One that has stepped down because the store is down for all and its neighbour, who might have it, died."""
    a, b = await world.of("a1", "b1", **settings)
    for each in (a, b):
        each.fail(down=True)
    world.kill(b)
    await until(lambda: not a.cluster.activator.serves)
    return of(a)


def test_where_only_the_store_is_missing_everybody_is_let_in_and_the_claim_waits():
    async def doing(world: World) -> None:
        here = await stepped_down_without_a_store(world)
        assert here.not_serving(AGENT) is None
        assert await here.home_of(AGENT) is None

    play(doing)


def test_where_another_datacentre_may_serve_by_now_nobody_is_kept():
    async def doing(world: World) -> None:
        here = await stepped_down_without_a_store(world, **BOTH)
        await until(lambda: here.best_for(AGENT, without=frozenset({InstanceId("a1")})) is None)
        assert here.not_serving(AGENT) == Passive(None, 1)
        assert await here.home_of(AGENT) == Passive(None, 1)

    play(doing)


# --- where to send somebody


def test_the_best_is_chosen_among_those_that_are_ready_here_and_everywhere_alike():
    async def doing(world: World) -> None:
        a, b, c = await world.of("a1", "b1", "c1")
        agents = [AgentId(f"5{number:03}") for number in range(60)]
        choices = [of(a).best_for(each) for each in agents]
        assert choices == [of(b).best_for(each) for each in agents]
        assert {each.id for each in choices if each is not None} == {"a1", "b1", "c1"}
        without = [of(a).best_for(each, without=frozenset({c.name})) for each in agents]
        assert {each.id for each in without if each is not None} == {"a1", "b1"}
        assert of(a).best_for(AGENT, without=frozenset({a.name, b.name, c.name})) is None

    play(doing)


def test_initiation_leads_to_the_instance_that_has_the_agent_from_everywhere():
    async def doing(world: World) -> None:
        a, b, w = await owned(world, "a1", "b1", "w1", **BOTH)
        for each in (a, b, w):
            chosen = await of(each).choose(AGENT, {}, is_known=True)
            assert (chosen.next, chosen.reason) == (A1, "it has the agent already")
        a.whole.stage = Stage.DRAINING
        await asyncio.sleep(1.0)
        for each in (a, b, w):
            assert (await of(each).choose(AGENT, {}, is_known=True)).next == B1

    play(doing)


def test_initiation_spreads_agents_and_passes_over_who_was_promised_more():
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")
        agents = [AgentId(f"5{number:03}") for number in range(40)]
        chosen = [(await of(a).choose(each, {}, is_known=True)).next for each in agents]
        assert chosen == [(await of(b).choose(each, {}, is_known=False)).next for each in agents]
        assert {each.id for each in chosen if each is not None} == {"a1", "b1"}
        promised = {a.name: 900}
        assert {(await of(a).choose(each, promised, is_known=True)).next for each in agents} == {B1}

    play(doing)


def test_initiation_says_when_all_are_full_or_nobody_serves():
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")
        assert (await of(a).choose(AGENT, {a.name: 2_000, b.name: 2_000}, is_known=True)).next is not None, "promises"
        for each in (a, b):
            each.agents.sessions = {AgentId(f"6{number:03}"): SessionId(f"s{number}") for number in range(1_000)}
        await asyncio.sleep(1.0)
        full = await of(a).choose(AGENT, {}, is_known=True)
        assert (full.next, full.is_full) == (None, True)
        a.whole.stage = b.whole.stage = Stage.DRAINING
        await asyncio.sleep(1.0)
        none = await of(a).choose(AGENT, {}, is_known=True)
        assert (none.next, none.is_full) == (None, False)
        assert "draining" in none.reason

    play(doing)


def test_initiation_needs_no_store():
    async def doing(world: World) -> None:
        a, _ = await owned(world, "a1", "b1")
        a.fail(down=True)
        began_s = a.clock.now_s()
        assert (await of(a).choose(AgentId("5009"), {}, is_known=True)).next is not None
        assert a.clock.now_s() - began_s <= READ_LIMIT_S

    play(doing)


def test_only_one_that_can_take_agents_now_is_found_by_name():
    async def doing(world: World) -> None:
        a, b, w = await world.of("a1", "b1", "w1", **BOTH)
        assert of(a).find(b.name) == B1
        assert of(a).find(w.name) is None, "its datacentre is passive"
        assert of(a).find(InstanceId("z9")) is None
        b.whole.stage = Stage.DRAINING
        await asyncio.sleep(1.0)
        assert of(a).find(b.name) is None

    play(doing)


# --- what a witness says


@pytest.mark.parametrize("verdict", ["alive", "draining", "suspect", "dead", "unknown"])
def test_a_witness_says_what_is_thought_of_an_instance_and_whether_we_take_its_desktops(verdict: str):
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")
        asked = b.name
        if verdict == "draining":
            b.whole.stage = Stage.DRAINING
            await asyncio.sleep(1.0)
        elif verdict == "unknown":
            asked = InstanceId("z9")
        elif verdict != "alive":
            world.network.lose(b.host)
            await until(lambda: a.cluster.members.member(b.name).verdict is Verdict(verdict))  # type: ignore[union-attr]
        said = of(a).witness(asked, None)
        assert (said.instance, said.verdict) == (asked, WitnessVerdict(verdict))
        assert (said.can_take, said.next) == (True, A1)

    play(doing)


def test_one_whose_registration_is_gone_is_dead():
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")
        await b.leave()
        await asyncio.sleep(0.1)
        assert of(a).witness(b.name, None).verdict is WitnessVerdict.DEAD

    play(doing)


def test_a_witness_that_cannot_take_desktops_says_so_and_names_another_for_an_agent():
    async def doing(world: World) -> None:
        a, b, _ = await world.of("a1", "b1", "c1")
        a.whole.stage = Stage.DRAINING
        await asyncio.sleep(1.0)
        said = of(a).witness(b.name, None)
        assert (said.can_take, said.next) == (False, None)
        said = of(a).witness(b.name, AGENT)
        assert said.next == Next(id=InstanceId("c1"), url="http://c1")

    play(doing)


def test_nobody_is_a_witness_for_itself():
    async def doing(world: World) -> None:
        (a,) = await world.of("a1")
        said = of(a).witness(a.name, None)
        assert (said.can_take, said.next) == (False, None)

    play(doing)


# --- what an agent's last owner left


def test_what_was_left_is_read_and_nothing_when_it_cannot_be():
    async def doing(world: World) -> None:
        a, b = await owned(world, "a1", "b1")
        assert await of(b).carried(AGENT) is None
        a.cluster.registry.publish(carry(note="x"))
        await asyncio.sleep(0.2)
        assert await of(b).carried(AGENT) == carry(note="x")
        b.fail(refused=True)
        assert await of(b).carried(AGENT) is None

    play(doing)


def test_nobody_waits_long_for_a_store_that_does_not_answer():
    async def doing(world: World) -> None:
        a, b = await owned(world, "a1", "b1")
        a.cluster.registry.publish(carry(note="x"))
        await asyncio.sleep(0.2)
        b.fail(delay_s=60.0)
        asked_s = b.clock.now_s()
        assert await of(b).carried(AGENT) is None
        assert await of(b).home_of(AGENT) is None
        assert b.clock.now_s() - asked_s <= 2 * READ_LIMIT_S

    play(doing)
