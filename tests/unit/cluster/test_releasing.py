"""Claims are given up in good order: first what the session leaves, then the claim."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace
from tests.unit.cluster.instances import AGENT, STATION, One, World, carry, play, until

from unified_agent.cluster.claiming import RELEASE_LIMIT_S, STORE_RETRY_S
from unified_agent.cluster.peer_messages import ReleaseAnswer, ReleaseOutcome, ReleaseQuestion
from unified_agent.cluster.stores.base import Outcome, StoreUnavailable
from unified_agent.cluster.transactions import Transaction, agent_key, carry_key
from unified_agent.domain.facts import ClaimGranted
from unified_agent.domain.ids import AgentId, InstanceId, SessionId, StationId
from unified_agent.domain.states import Wish

B1 = InstanceId("b1")
SESSION = SessionId("s1")
QUESTION = ReleaseQuestion(agent=AGENT, station=STATION, term=1, wish=Wish.RESUME)


async def owner(world: World) -> One:
    """An instance that has the agent."""
    (a,) = await world.of("a1")
    a.agents.claim()
    await asyncio.sleep(0.1)
    assert a.may_act()
    return a


async def ask(one: One, question: ReleaseQuestion = QUESTION) -> ReleaseAnswer:
    return await one.cluster.releasing.answer(B1, question)


def owner_of(world: World) -> str | None:
    record = world.agent()
    assert record is not None
    return record.owner


# --- the order


@pytest.mark.parametrize("delay_s", [0.0, 0.3])
def test_what_the_session_leaves_is_written_before_the_claim_is_released(delay_s: float):
    async def doing(world: World) -> None:
        a = await owner(world)
        a.fail(delay_s=delay_s)
        a.cluster.registry.publish(carry(note="the last word"))
        a.agents.close(SESSION)
        assert not a.may_act(), "from here on nothing is done"
        assert owner_of(world) == "a1"
        await until(lambda: owner_of(world) is None)
        left, released = world.engine.get(carry_key(AGENT)), world.engine.get(agent_key(AGENT))
        assert left is not None
        assert released is not None
        assert left.revision < released.revision
        read = await a.cluster.carries.read(AGENT)
        assert read == carry(note="the last word")

    play(doing)


def test_a_released_claim_keeps_its_term_at_both_keys():
    async def doing(world: World) -> None:
        a = await owner(world)
        a.agents.close(SESSION)
        await until(lambda: owner_of(world) is None)
        record = world.agent()
        assert record is not None
        assert record == world.station()
        assert (record.term, record.session) == (1, SESSION)

    play(doing)


def test_a_session_that_comes_back_while_its_claim_is_released_still_leaves_something():
    async def doing(world: World) -> None:
        a = await owner(world)
        a.store.about, a.store.fates = "carry/", ["never", "never"]  # so that the release is a long time coming
        a.cluster.registry.publish(carry(note="before"))
        a.agents.close(SESSION)
        a.agents.claim("s2")
        took_s = await until(lambda: a.may_act("s2"))
        assert took_s < 0.5
        await asyncio.sleep(5.0)
        assert a.may_act("s2")
        a.cluster.registry.publish(carry("s2", note="after"))
        await asyncio.sleep(1.0)
        left = await a.cluster.carries.read(AGENT)
        assert left is not None
        assert left.close_detail == "after"

    play(doing)


# --- asked by another instance


def test_a_desktop_with_the_ticket_of_another_session_is_refused_for_one_that_lives():
    async def doing(world: World) -> None:
        a = await owner(world)
        later = replace(QUESTION, session=SessionId("s0"))
        assert await ask(a, later) == ReleaseAnswer(outcome=ReleaseOutcome.REFUSED, id="taken-over")
        assert a.may_act()
        assert await ask(a, replace(QUESTION, session=SESSION)) == ReleaseAnswer(outcome=ReleaseOutcome.RELEASED)

    play(doing)


def test_a_login_takes_an_agent_from_whatever_session_there_is():
    async def doing(world: World) -> None:
        a = await owner(world)
        login = replace(QUESTION, session=SessionId("s2"), wish=Wish.LOGIN)
        assert await ask(a, login) == ReleaseAnswer(outcome=ReleaseOutcome.RELEASED)

    play(doing)


def test_an_agent_who_goes_at_once_is_released_when_the_answer_is_given():
    async def doing(world: World) -> None:
        a = await owner(world)
        assert await ask(a) == ReleaseAnswer(outcome=ReleaseOutcome.RELEASED)
        assert owner_of(world) is None
        assert a.agents.asked_to_go == [(AGENT, "move", "")]

    play(doing)


def test_a_login_is_handed_on_with_its_proof():
    async def doing(world: World) -> None:
        a = await owner(world)
        await ask(a, ReleaseQuestion(agent=AGENT, station=STATION, term=1, wish=Wish.LOGIN, proof="a proof"))
        assert a.agents.asked_to_go == [(AGENT, "taken-over", "a proof")]

    play(doing)


@pytest.mark.parametrize(
    ("said", "outcome", "why"),
    [
        ("later", ReleaseOutcome.LATER, "cluster.owner-lives"),
        ("agent.wrong-password", ReleaseOutcome.REFUSED, "agent.wrong-password"),
    ],
)
def test_what_the_session_says_is_passed_on_and_nothing_released(said: str, outcome: ReleaseOutcome, why: str):
    async def doing(world: World) -> None:
        a = await owner(world)
        a.agents.says[AGENT] = said
        assert await ask(a) == ReleaseAnswer(outcome=outcome, id=why)
        assert a.may_act()

    play(doing)


def test_one_who_takes_time_to_leave_is_waited_for_within_the_asker_s_patience():
    async def doing(world: World) -> None:
        a = await owner(world)
        a.agents.stays.add(AGENT)
        asked = asyncio.ensure_future(ask(a))
        await asyncio.sleep(1.0)
        assert not asked.done()
        a.agents.close(SESSION)
        assert (await asked).outcome is ReleaseOutcome.RELEASED
        assert owner_of(world) is None

    play(doing)


def test_one_who_takes_longer_is_released_later():
    async def doing(world: World) -> None:
        a = await owner(world)
        a.agents.stays.add(AGENT)
        began_s = a.clock.now_s()
        assert (await ask(a)).outcome is ReleaseOutcome.LATER
        assert a.clock.now_s() - began_s < RELEASE_LIMIT_S, "the asker still listens"

    play(doing)


def test_one_whose_claim_is_being_released_is_not_asked_to_go_again():
    async def doing(world: World) -> None:
        a = await owner(world)
        a.fail(delay_s=0.5)
        a.agents.close(SESSION)
        assert (await ask(a)).outcome is ReleaseOutcome.RELEASED
        assert a.agents.asked_to_go == []
        assert owner_of(world) is None

    play(doing)


# --- claims that stand in our name for nobody


def test_a_claim_that_nobody_here_uses_is_released_when_it_is_asked_for():
    async def doing(world: World) -> None:
        a = await owner(world)
        a.cluster.holdings.take(SESSION)
        a.agents.sessions.clear()
        assert (await ask(a)).outcome is ReleaseOutcome.RELEASED
        assert owner_of(world) is None

    play(doing)


def test_only_the_agent_is_released_where_another_has_claimed_the_station_since():
    async def doing(world: World) -> None:
        a = await owner(world)
        a.cluster.holdings.take(SESSION)
        a.agents.sessions.clear()
        a.agents.claim("s2", AgentId("5002"), STATION)
        await until(lambda: a.may_act("s2"))
        assert (await ask(a)).outcome is ReleaseOutcome.RELEASED
        assert owner_of(world) is None
        station = world.station()
        assert station is not None
        assert (station.owner, station.agent) == ("a1", "5002")
        assert a.may_act("s2")

    play(doing)


def test_a_claim_that_is_not_ours_is_not_released():
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")
        never = ReleaseQuestion(agent=AgentId("5009"), station=StationId("2009"), term=1, wish=Wish.RESUME)
        assert (await ask(a, never)).outcome is ReleaseOutcome.NOT_HERE
        b.agents.claim()
        await asyncio.sleep(0.1)
        assert (await ask(a)).outcome is ReleaseOutcome.NOT_HERE
        assert b.may_act()

    play(doing)


def test_a_claim_of_an_earlier_life_of_ours_is_not_released():
    async def doing(world: World) -> None:
        a = await owner(world)
        a.fail(down=True)
        await asyncio.sleep(1.0)
        before = world.agent()
        a.cluster.holdings.take(SESSION)
        a.agents.sessions.clear()
        life = a.cluster.members.lives.current
        assert life is not None
        assert life.lease is not None
        world.engine.end_lease(life.lease)
        a.fail(down=False)
        await asyncio.sleep(3.0)
        assert a.cluster.members.lives.current is not life
        assert (await ask(a)).outcome is ReleaseOutcome.NOT_HERE
        assert world.agent() == before

    play(doing)


def test_a_claim_that_is_held_while_its_session_is_unknown_is_not_taken_away():
    async def doing(world: World) -> None:
        a = await owner(world)
        a.agents.sessions.clear()
        assert (await ask(a)).outcome is ReleaseOutcome.LATER
        assert a.may_act()

    play(doing)


# --- trouble


def test_a_release_waits_for_the_store():
    async def doing(world: World) -> None:
        a = await owner(world)
        a.fail(down=True)
        a.agents.close(SESSION)
        await asyncio.sleep(2.0)
        assert owner_of(world) == "a1"
        a.fail(down=False)
        await until(lambda: owner_of(world) is None, 5.0)

    play(doing)


def test_a_release_whose_answer_was_lost_is_not_made_twice():
    async def doing(world: World) -> None:
        a = await owner(world)
        a.store.fates = ["lost"]
        a.agents.close(SESSION)
        await until(lambda: owner_of(world) is None)
        before = world.engine.get(agent_key(AGENT))
        await asyncio.sleep(3.0)
        assert world.engine.get(agent_key(AGENT)) == before

    play(doing)


def test_without_a_store_a_claim_left_over_is_released_later():
    async def doing(world: World) -> None:
        a = await owner(world)
        a.cluster.holdings.take(SESSION)
        a.agents.sessions.clear()
        a.fail(down=True)
        assert await ask(a) == ReleaseAnswer(outcome=ReleaseOutcome.LATER, id="cluster.no-store")

    play(doing)


def test_a_release_is_given_up_when_our_registration_has_ended():
    async def doing(world: World) -> None:
        a, _ = await world.of("a1", "b1")
        a.agents.claim()
        await asyncio.sleep(0.1)
        world.cut_off(a)
        a.agents.close(SESSION)
        await asyncio.sleep(6.0)  # it has stepped down
        assert owner_of(world) == "a1", "whoever claims it next finds that its owner has ended"
        assert not a.cluster.releasing._tasks
        assert not a.running.done()

    play(doing)


def test_a_release_that_fails_for_long_is_tried_until_it_is_made(monkeypatch: pytest.MonkeyPatch):
    async def doing(world: World) -> None:
        a = await owner(world)
        commit = a.cluster.records.commit

        async def fail(change: Transaction) -> Outcome:
            raise StoreUnavailable("no quorum")

        monkeypatch.setattr(a.cluster.records, "commit", fail)
        a.agents.close(SESSION)
        await asyncio.sleep(600.0)
        assert owner_of(world) == "a1"
        assert (await ask(a)).outcome is ReleaseOutcome.LATER
        monkeypatch.setattr(a.cluster.records, "commit", commit)
        await until(lambda: owner_of(world) is None, STORE_RETRY_S + 0.1)

    play(doing)


def test_a_defect_costs_one_release_and_not_the_instance(monkeypatch: pytest.MonkeyPatch):
    async def doing(world: World) -> None:
        a = await owner(world)

        async def fail(change: Transaction) -> Outcome:
            raise RuntimeError("a defect")

        monkeypatch.setattr(a.cluster.records, "commit", fail)
        a.agents.close(SESSION)
        await asyncio.sleep(1.0)
        assert not a.running.done()
        assert owner_of(world) == "a1"

    play(doing)


def test_at_the_end_what_is_under_way_is_waited_for():
    async def doing(world: World) -> None:
        a = await owner(world)
        a.fail(delay_s=0.4)
        a.agents.close(SESSION)
        await a.cluster.releasing.close()
        assert owner_of(world) is None

    play(doing)


def test_the_next_owner_is_granted_what_was_released():
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")
        a.agents.claim()
        await asyncio.sleep(0.1)
        a.agents.close(SESSION)
        await until(lambda: owner_of(world) is None)
        b.agents.claim("s2")
        await asyncio.sleep(0.1)
        assert [each.term for each in b.agents.of(ClaimGranted)] == [2]
        assert a.agents.asked_to_go == []

    play(doing)
