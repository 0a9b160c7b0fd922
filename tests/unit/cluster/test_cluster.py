"""All parts of an instance's place in the cluster together: what others ask, what it tells, and how it goes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.cluster.instances import AGENT, STATION, One, World, carry, play, until

from unified_agent.cluster.activation import Order
from unified_agent.cluster.cluster import Cluster
from unified_agent.cluster.peer_messages import (
    AdoptAnswer,
    AdoptQuestion,
    Answer,
    OrderAnswer,
    OrderQuestion,
    Question,
    ReleaseAnswer,
    ReleaseOutcome,
    ReleaseQuestion,
    StatusAnswer,
    StatusQuestion,
    TenureAnswer,
    TenureQuestion,
)
from unified_agent.cluster.transactions import ended_key
from unified_agent.cluster.values import Carried, read_value
from unified_agent.domain.states import Wish
from unified_agent.history import Ended
from unified_agent.settings import ClusterSettings, PeerSettings

QUESTIONS: list[tuple[Question, Answer]] = [
    (TenureQuestion(incarnation=1), TenureAnswer(promised=False, reason="we have a store")),
    (
        ReleaseQuestion(agent=AGENT, station=STATION, term=1, wish=Wish.RESUME),
        ReleaseAnswer(outcome=ReleaseOutcome.NOT_HERE),
    ),
    (AdoptQuestion(ticket="a ticket"), AdoptAnswer(done=True, detail="a ticket")),
    (OrderQuestion(order="resume"), OrderAnswer(done=True)),
    (StatusQuestion(), StatusAnswer(status={"instance": "a1"})),
]


@pytest.mark.parametrize(("question", "answer"), QUESTIONS, ids=lambda each: type(each).__name__)
def test_every_question_of_another_instance_finds_its_part(question: Question, answer: Answer):
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")
        asking = b.host.spawn(b.cluster.peers.ask(a.name, question, 1.0))
        assert await asking == answer

    play(doing)


def test_an_operator_s_order_reaches_the_decision_about_the_datacentre():
    async def doing(world: World) -> None:
        (a,) = await world.of("a1")
        a.cluster.order(Order.TAKE)
        view = a.cluster.activator.view()
        assert view is not None
        assert view.order is Order.TAKE

    play(doing)


def test_whoever_listens_is_told_whenever_something_was_learned():
    async def doing(world: World) -> None:
        (a,) = await world.of("a1")
        told: list[int] = []
        a.cluster.on_change(lambda: told.append(len(a.cluster.members.roll.registered())))
        b = world.add("b1")
        await until(lambda: 2 in told)
        await b.leave()
        await until(lambda: told[-1] == 1)

    play(doing)


def test_the_others_are_counted_by_how_they_are():
    async def doing(world: World) -> None:
        a, b, c = await world.of("a1", "b1", "c1")
        world.network.lose(c.host)
        await until(lambda: a.cluster.members.member(c.name).verdict.value == "dead")  # type: ignore[union-attr]
        a.metrics.render()
        read = a.metrics.registry.get_sample_value
        counts = {state: read("ua_cluster_members", {"state": state}) for state in ("alive", "suspect", "dead")}
        assert counts == {"alive": 1.0, "suspect": 0.0, "dead": 1.0}
        del b

    play(doing)


@pytest.mark.parametrize(("address", "told"), [("", "a1:7000"), ("ua-1.example.com:9000", "ua-1.example.com:9000")])
def test_the_others_are_told_where_to_reach_us(address: str, told: str):
    async def doing(world: World) -> None:
        one = world.add("a1")
        one.cluster._settings = ClusterSettings(peers=PeerSettings(host="a1", port=7_000, address=address))
        await asyncio.sleep(1.0)
        (registered,) = one.cluster.members.roll.registered()
        assert registered.node.peer_address == told

    play(doing)


def test_in_a_new_life_what_sessions_leave_is_written_on():
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")
        a.agents.claim()
        await asyncio.sleep(0.1)
        for one in (a, b):
            one.fail(down=True)
        a.cluster.registry.publish(carry(note="meanwhile"))
        await asyncio.sleep(10.0)
        for one in (a, b):
            one.fail(down=False)
        await asyncio.sleep(5.0)
        assert await a.cluster.carries.read(AGENT) == carry(note="meanwhile")
        entry = world.engine.get(f"carry/{AGENT}")
        assert entry is not None
        assert read_value(Carried, entry).term == 2

    play(doing)


# --- the end


async def busy(world: World) -> One:
    (a,) = await world.of("a1")
    a.agents.claim()
    await asyncio.sleep(0.1)
    return a


def test_whoever_leaves_stands_down_first_and_proves_its_end_last():
    async def doing(world: World) -> None:
        a = await busy(world)
        await a.leave()
        assert a.whole.did[-1] == "stand down: stepped-down"
        assert a.agents.lost == [("s1", "stepped-down")]
        assert world.engine.get(a.place.key) is None
        assert world.engine.get(ended_key("east", a.name)) is not None
        assert isinstance(world.history[-1].event, Ended)
        assert a.cluster.peers.connected() == frozenset()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    play(doing)


def test_what_is_being_released_is_released_before_it_goes():
    async def doing(world: World) -> None:
        a = await busy(world)
        a.store.fates = ["never"]  # so that the release takes a second
        a.agents.close(a.agents.sessions[AGENT])
        await a.leave()
        record = world.agent()
        assert record is not None
        assert record.owner is None
        assert a.agents.lost == []

    play(doing)


def test_it_leaves_in_bounded_time_without_a_store():
    async def doing(world: World) -> float:
        a = await busy(world)
        a.fail(down=True)
        a.agents.close(a.agents.sessions[AGENT])
        began_s = world.loop.now_s
        await a.leave()
        return world.loop.now_s - began_s

    assert play(doing) <= 4.0 + 3.0 + 2.0


def test_a_part_that_fails_ends_all_of_it(monkeypatch: pytest.MonkeyPatch):
    async def doing(world: World) -> None:
        (a,) = await world.of("a1")

        def fail(*_: Any) -> None:
            raise RuntimeError("a defect")

        monkeypatch.setattr(a.cluster.members.roll, "take", fail)
        world.add("b1")
        with pytest.raises(ExceptionGroup) as caught:
            await a.running
        assert caught.group_contains(RuntimeError, match="a defect")
        assert a.agents.lost == []
        assert not a.cluster.activator.serves, "it has stood down"

    play(doing)


def test_it_is_of_no_use_before_it_is_joined():
    async def doing(world: World) -> None:
        one = world.add("a1")
        unjoined = Cluster.__new__(Cluster)
        unjoined._house = None
        with pytest.raises(AssertionError, match="joined"):
            unjoined.report()
        assert one.cluster.report() == one.whole.report()

    play(doing)
