"""The port by which sessions know who owns their agent; its parts have tests of their own."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.cluster.instances import AGENT, One, World, carry, play, until

from unified_agent.cluster.transactions import carry_key
from unified_agent.domain.ids import AgentId, SessionId, StationId
from unified_agent.history import Lost, Released

SESSION = SessionId("s1")


async def owner(world: World, *, agents: int = 1) -> One:
    (a,) = await world.of("a1")
    for number in range(1, agents + 1):
        a.agents.claim(f"s{number}", AgentId(f"500{number}"), StationId(f"200{number}"))
    await asyncio.sleep(0.1)
    return a


def test_before_the_claim_nothing_may_be_done_and_nothing_is_written():
    async def doing(world: World) -> None:
        a = await owner(world)
        nobody = SessionId("nobody")
        registry = a.cluster.registry
        assert (registry.may_act(nobody), registry.incarnation(nobody)) == (False, 0)
        registry.publish(carry("nobody", AgentId("5009")))
        registry.forget(nobody)
        await asyncio.sleep(0.5)
        assert world.engine.get(carry_key("5009")) is None

    play(doing)


def test_with_it_deeds_are_done_in_the_incarnation_that_claimed_and_what_is_left_is_written():
    async def doing(world: World) -> None:
        a = await owner(world)
        assert a.may_act()
        assert a.cluster.registry.incarnation(SESSION) == a.incarnation
        a.cluster.registry.publish(carry(note="x"))
        await asyncio.sleep(0.1)
        assert await a.cluster.carries.read(AGENT) == carry(note="x")

    play(doing)


def test_a_session_that_is_over_is_released_and_that_is_recorded_before_it_is_sent():
    async def doing(world: World) -> None:
        a = await owner(world)
        before = world.engine.revision
        a.agents.close(SESSION)
        assert world.events(Released) == [Released(agent=AGENT, term=1)]
        assert world.engine.revision == before
        await until(lambda: world.engine.revision > before)

    play(doing)


def test_claims_of_an_incarnation_are_lost_at_once_and_nothing_is_released():
    async def doing(world: World) -> None:
        a = await owner(world, agents=2)
        a.cluster.registry.lose(a.incarnation + 1, "stepped-down")
        assert a.agents.lost == []
        a.cluster.registry.lose(a.incarnation, "stepped-down")
        assert sorted(a.agents.lost) == [("s1", "stepped-down"), ("s2", "stepped-down")]
        assert not a.may_act()
        await asyncio.sleep(1.0)
        record = world.agent()
        assert record is not None
        assert record.owner == "a1", "others may have it when our lease has ended"
        assert {(each.agent, each.term, each.reason) for each in world.events(Lost)} == {
            (AGENT, 1, "stepped-down"),
            (AgentId("5002"), 1, "stepped-down"),
        }
        assert world.events(Released) == []

    play(doing)


@pytest.mark.parametrize(("every", "lost"), [(True, ["s1", "s2"]), (False, ["s1"])])
def test_those_who_still_wait_are_lost_with_all_and_not_with_an_incarnation(every: bool, lost: list[str]):
    async def doing(world: World) -> None:
        a = await owner(world)
        a.fail(down=True)
        a.agents.claim("s2", AgentId("5002"), StationId("2002"))
        a.cluster.registry.lose(None if every else a.incarnation, "passive")
        assert [session for session, _ in a.agents.lost] == lost
        assert a.cluster.claiming.sessions() == (() if every else ("s2",))

    play(doing)


def test_nothing_is_written_after_a_loss():
    async def doing(world: World) -> None:
        a = await owner(world)
        a.cluster.registry.publish(carry(note="in time"))
        await asyncio.sleep(0.5)
        before = world.engine.get(carry_key(AGENT))
        a.cluster.registry.lose(None, "passive")
        a.cluster.registry.publish(carry(note="late"))
        a.cluster.carries.write_again()
        await asyncio.sleep(0.5)
        assert world.engine.get(carry_key(AGENT)) == before

    play(doing)
