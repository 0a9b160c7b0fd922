"""Agents of a lost instance whose desktop does not come are found and taken over, by one of the survivors."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from tests.unit.cluster.instances import AGENT, One, World, carry, play, until

from unified_agent.cluster import orphans
from unified_agent.cluster.orphans import LOOK_S, PAUSE_S, WAIT_S
from unified_agent.cluster.stores.base import PutValue
from unified_agent.cluster.transactions import agent_key
from unified_agent.domain.ids import AgentId, StationId
from unified_agent.domain.session_state import SessionState
from unified_agent.domain.states import Wish
from unified_agent.errors import UnifiedAgentError

#: By then the lease has ended, it has been waited, and looked.
FOUND_S = 5.0 + WAIT_S + LOOK_S + 1.0


async def abandoned(world: World, *survivors: str, agents: int = 1) -> tuple[One, list[One]]:
    """An instance that is lost with its agents and all their desktops; and those that are left."""
    lost, *others = await world.of("a1", *survivors)
    for number in range(1, agents + 1):
        agent = AgentId(f"500{number}")
        lost.agents.claim(f"s{number}", agent, StationId(f"200{number}"))
    await asyncio.sleep(0.2)
    for number in range(1, agents + 1):
        lost.cluster.registry.publish(carry(f"s{number}", AgentId(f"500{number}")))
    await asyncio.sleep(0.2)
    world.network.lose(lost.host)
    return lost, others


def taken(ones: Sequence[One]) -> list[str]:
    return sorted(each.identity.agent for one in ones for each in one.whole.orphans)


def test_each_is_taken_over_by_one_survivor_after_a_while_and_not_before():
    async def doing(world: World) -> None:
        _, others = await abandoned(world, "b1", "c1", agents=3)
        await asyncio.sleep(WAIT_S)
        assert taken(others) == []
        await asyncio.sleep(FOUND_S - WAIT_S)
        assert taken(others) == ["5001", "5002", "5003"]
        assert len([one for one in others if one.whole.orphans]) == 1, "all agree on who looks"
        await asyncio.sleep(2 * FOUND_S)
        assert len(taken(others)) == 3, "once"

    play(doing)


def test_they_are_taken_in_portions(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(orphans, "PORTION", 2)

    async def doing(world: World) -> None:
        _, (b,) = await abandoned(world, "b1", agents=5)
        times: list[float] = []
        b.cluster.orphans._take = lambda _: times.append(b.clock.now_s())
        await asyncio.sleep(FOUND_S)
        assert [round(each - times[0], 2) for each in times] == [0.0, 0.0, PAUSE_S, PAUSE_S, 2 * PAUSE_S]

    play(doing)


def test_whoever_has_been_served_elsewhere_since_is_no_orphan():
    async def doing(world: World) -> None:
        _, (b, c) = await abandoned(world, "b1", "c1", agents=2)
        b.agents.claim("s1", AGENT, wish=Wish.RESUME, ticket_term=1)
        await until(lambda: b.may_act())
        await asyncio.sleep(FOUND_S)
        assert taken([b, c]) == ["5002"]

    play(doing)


def test_nobody_is_looked_for_while_all_live_or_left_in_good_order():
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")
        a.agents.claim()
        await asyncio.sleep(2 * FOUND_S)
        assert taken([a, b]) == []
        a.agents.close(a.agents.sessions[AGENT])
        await asyncio.sleep(0.2)
        await a.leave()
        await asyncio.sleep(FOUND_S)
        assert taken([b]) == []

    play(doing)


def test_those_whom_somebody_left_before_we_served_are_looked_for_when_we_begin():
    async def doing(world: World) -> None:
        await abandoned(world)
        await asyncio.sleep(10.0)
        (b,) = await world.of("b1")
        await asyncio.sleep(FOUND_S)
        assert taken([b]) == ["5001"]

    play(doing)


def test_one_whose_session_cannot_be_read_is_left_and_so_is_one_that_is_refused():
    class Refused(UnifiedAgentError):
        """It is not taken."""

    async def doing(world: World) -> None:
        _, (b,) = await abandoned(world, "b1", agents=3)
        world.engine.transact([], [PutValue("carry/5001", b"nonsense"), PutValue(agent_key("5009"), b"nonsense")])
        asked: list[str] = []

        def take(carried: SessionState) -> None:
            asked.append(carried.identity.agent)
            if carried.identity.agent == "5002":
                raise Refused("full")

        b.cluster.orphans._take = take
        await asyncio.sleep(FOUND_S)
        assert asked == ["5002", "5003"]
        assert not b.running.done()

    play(doing)


def test_a_store_that_is_away_is_waited_for():
    async def doing(world: World) -> None:
        _, (b,) = await abandoned(world, "b1")
        await asyncio.sleep(WAIT_S)
        b.fail(refused=True)
        await asyncio.sleep(20.0)
        assert taken([b]) == []
        b.fail(refused=False)
        await asyncio.sleep(60.0)
        assert taken([b]) == ["5001"]

    play(doing)


def test_an_instance_that_ends_during_the_look_has_a_look_of_its_own():
    async def doing(world: World) -> None:
        _, (b,) = await abandoned(world, "b1")
        looks: list[float] = []
        look = b.cluster.orphans._look

        async def interrupted() -> None:
            looks.append(b.clock.now_s())
            await look()
            if len(looks) == 1:
                b.cluster.orphans.instance_ended()

        b.cluster.orphans._look = interrupted  # type: ignore[method-assign]
        await asyncio.sleep(2 * FOUND_S)
        assert len(looks) == 2
        assert looks[1] - looks[0] >= WAIT_S

    play(doing)


def test_an_instance_of_the_passive_datacentre_takes_nobody_over():
    async def doing(world: World) -> None:
        settings = {"datacentres": ("east", "west")}
        a, w = await world.of("a1", "w1", **settings)
        a.agents.claim()
        await asyncio.sleep(0.1)
        b = world.add("b1", **settings)
        await asyncio.sleep(5.0)
        a.cluster.registry.publish(carry())
        await asyncio.sleep(0.2)
        world.network.lose(a.host)
        await asyncio.sleep(FOUND_S)
        assert taken([w]) == []
        assert taken([b]) == ["5001"]

    play(doing)
