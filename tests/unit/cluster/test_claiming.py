"""A claim that is asked for is granted by the rules of ``ownership``, whatever becomes of the answers."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.cluster.instances import AGENT, STATION, One, World, carry, play, until

from unified_agent.cluster.claiming import (
    CLAIMS_AT_ONCE,
    LOOK_AGAIN_S,
    SILENT_OWNER_S,
    STORE_RETRY_S,
    WRITE_LANDS_S,
)
from unified_agent.cluster.ending import prove_end
from unified_agent.cluster.stores.base import PutValue
from unified_agent.cluster.transactions import agent_key
from unified_agent.domain.facts import ClaimDelayed, ClaimGranted, ClaimRefused
from unified_agent.domain.ids import AgentId, SessionId, StationId
from unified_agent.domain.states import Wish
from unified_agent.history import Claimed

OTHER, ELSEWHERE = AgentId("5002"), StationId("2002")
LEASE_S = 4.0


def terms(one: One) -> list[int]:
    return [each.term for each in one.agents.of(ClaimGranted)]


def delays(one: One) -> list[str]:
    """Words of what a claim waited for, each once."""
    return list(dict.fromkeys(each.trouble for each in one.agents.of(ClaimDelayed)))


async def owned(world: World, *names: str) -> list[One]:
    """Instances, of which the first has the agent."""
    ones = await world.of(*names)
    ones[0].agents.claim()
    await asyncio.sleep(0.1)
    assert ones[0].may_act()
    return ones


# --- nobody has it


def test_an_agent_whom_nobody_has_is_granted_at_once():
    async def doing(world: World) -> None:
        (a,) = await world.of("a1")
        session = a.agents.claim()
        await asyncio.sleep(0.01)
        assert a.agents.facts == [ClaimGranted(session=session, term=1, carried=None)]
        assert a.may_act()
        record = world.agent()
        assert record is not None
        assert record == world.station()
        assert (record.owner, record.incarnation, record.epoch, record.session) == (a.name, a.incarnation, 1, session)
        (claimed,) = world.events(Claimed)
        assert (claimed.agent, claimed.term, claimed.wish) == (AGENT, 1, "login")
        assert a.metrics.registry.get_sample_value("ua_ownership_moves_total", {"cause": "login"}) == 1.0

    play(doing)


def test_what_was_left_comes_with_the_claim():
    async def doing(world: World) -> None:
        a, b = await owned(world, "a1", "b1")
        a.cluster.registry.publish(carry(note="on a call"))
        await asyncio.sleep(0.1)
        b.agents.claim(wish=Wish.RESUME, ticket_term=1)
        await asyncio.sleep(0.5)
        (granted,) = b.agents.of(ClaimGranted)
        assert granted.term == 2
        assert granted.carried == carry(note="on a call")

    play(doing)


def test_a_thousand_that_come_at_once_take_turns_at_the_store():
    async def doing(world: World) -> None:
        (a,) = await world.of("a1")
        a.fail(delay_s=0.01)
        asked = [0]

        async def look() -> None:
            while True:
                asked.append(a.store.health().waiting)
                await asyncio.sleep(0.002)

        looking = asyncio.ensure_future(look())
        for number in range(1_000):
            a.agents.claim(f"s{number}", AgentId(f"{6000 + number}"), StationId(f"{3000 + number}"))
        await until(lambda: len(terms(a)) == 1_000)
        looking.cancel()
        assert CLAIMS_AT_ONCE < max(asked) <= 2 * CLAIMS_AT_ONCE + 5, "what keeps the instance registered comes besides"

    play(doing)


# --- somebody else has it, and lives


def test_a_living_owner_is_asked_and_shown_the_proof_of_a_login():
    async def doing(world: World) -> None:
        a, b = await owned(world, "a1", "b1")
        b.agents.claim("s2")
        await asyncio.sleep(0.2)
        assert a.agents.asked_to_go == [(AGENT, "taken-over", "proof of s2")]
        assert (delays(b), terms(b)) == (["cluster.owner-lives"], [2])
        assert b.agents.of(ClaimDelayed)[0].detail == "a1"
        assert (a.may_act(), b.may_act("s2")) == (False, True)

    play(doing)


def test_a_ticket_needs_no_proof():
    async def doing(world: World) -> None:
        a, b = await owned(world, "a1", "b1")
        b.agents.claim(wish=Wish.RESUME, ticket_term=1)
        await asyncio.sleep(0.2)
        assert a.agents.asked_to_go == [(AGENT, "move", "")]
        assert terms(b) == [2]

    play(doing)


def test_an_owner_that_refuses_is_believed():
    async def doing(world: World) -> None:
        a, b = await owned(world, "a1", "b1")
        a.agents.says[AGENT] = "agent.wrong-password"
        b.agents.claim("s2")
        await asyncio.sleep(0.2)
        assert [each.id for each in b.agents.of(ClaimRefused)] == ["agent.wrong-password"]
        assert a.may_act()
        assert b.cluster.claiming.sessions() == ()

    play(doing)


def test_an_owner_that_cannot_yet_is_asked_again():
    async def doing(world: World) -> None:
        a, b = await owned(world, "a1", "b1")
        a.agents.says[AGENT] = "later"
        b.agents.claim("s2")
        await asyncio.sleep(3.0)
        assert terms(b) == []
        assert 5 <= len(a.agents.asked_to_go) <= 3.0 / LOOK_AGAIN_S + 1
        del a.agents.says[AGENT]
        await asyncio.sleep(1.0)
        assert terms(b) == [2]

    play(doing)


def test_an_owner_that_does_not_answer_is_asked_again_until_it_has_ended():
    async def doing(world: World) -> None:
        _, b = await owned(world, "a1", "b1")
        world.network.silence("a1", "b1")
        b.agents.claim("s2")
        await asyncio.sleep(10.0)
        assert terms(b) == [], "the store says that it lives"
        assert delays(b) == ["cluster.owner-lives"]
        world.network.heal()
        await asyncio.sleep(5.0)
        assert terms(b) == [2]

    play(doing)


def test_an_owner_that_knows_nothing_of_it_is_not_asked_without_a_pause():
    async def doing(world: World) -> None:
        a, b = await owned(world, "a1", "b1")
        record = world.agent()
        assert record is not None
        a.agents.says[AGENT] = "not-here"  # it holds the claim, and its session is just being closed
        b.agents.claim("s2")
        await asyncio.sleep(3.0)
        assert len(a.agents.asked_to_go) <= 3.0 / LOOK_AGAIN_S + 2

    play(doing)


# --- somebody had it, and has ended


def test_an_owner_that_was_lost_is_waited_for_until_its_lease_has_ended():
    async def doing(world: World) -> None:
        a, b = await owned(world, "a1", "b1")
        world.network.lose(a.host)
        b.agents.claim("s2")
        took_s = await until(lambda: terms(b))
        assert LEASE_S - 0.6 <= took_s <= LEASE_S + 0.6
        assert terms(b) == [2]

    play(doing)


def test_an_end_that_is_proven_need_not_be_waited_for():
    async def doing(world: World) -> None:
        a, b = await owned(world, "a1", "b1")
        world.kill(a)
        b.agents.claim("s2")
        await asyncio.sleep(0.3)
        assert terms(b) == []
        await prove_end(b.store, "east", a.name, a.incarnation)
        took_s = await until(lambda: terms(b))
        assert took_s <= LOOK_AGAIN_S

    play(doing)


def test_all_that_wait_for_an_owner_look_as_soon_as_its_end_is_known():
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")
        agents = [(f"s{number}", AgentId(f"{6000 + number}"), StationId(f"{3000 + number}")) for number in range(20)]
        for session, agent, station in agents:
            a.agents.claim(session, agent, station)
        await asyncio.sleep(0.1)
        world.kill(a)
        for session, agent, station in agents:
            b.agents.claim(session, agent, station, wish=Wish.RESUME, ticket_term=1)
        await asyncio.sleep(1.0)
        assert terms(b) == []
        await prove_end(b.store, "east", a.name, a.incarnation)
        took_s = await until(lambda: len(terms(b)) == len(agents))
        assert took_s < LOOK_AGAIN_S / 2

    play(doing)


def test_the_store_is_spared_while_an_owner_does_not_answer():
    async def doing(world: World) -> None:
        a, b = await owned(world, "a1", "b1")
        world.kill(a)
        b.agents.claim("s2")
        await until(lambda: terms(b))
        looks = [each.trouble for each in b.agents.of(ClaimDelayed)]
        assert 2 <= len(looks) <= 2 + LEASE_S / SILENT_OWNER_S + 2

    play(doing)


def test_what_was_promised_to_an_owner_is_kept_after_its_end():
    async def doing(world: World) -> None:
        a, b = await owned(world, "a1", "b1")
        world.engine.pause()
        await asyncio.sleep(4.0)  # by now each has the other's promise
        world.network.lose(a.host)
        promised_until_s = b.cluster.members.bound_until_s(a.name)
        world.engine.resume()
        lease = a.cluster.members.lives.current
        assert lease is not None
        assert lease.lease is not None
        world.engine.end_lease(lease.lease)
        b.agents.claim("s2")
        await until(lambda: terms(b))
        assert promised_until_s <= b.clock.now_s() <= promised_until_s + LOOK_AGAIN_S
        assert "cluster.waiting" in delays(b)

    play(doing)


def test_one_whom_the_owner_would_not_have_asked_waits_for_somebody_else():
    async def doing(world: World) -> None:
        (a,) = await owned(world, "a1")
        a.fail(down=True)  # it goes on alone, since nobody is in its listing
        await asyncio.sleep(0.5)
        (b,) = await world.of("b1")
        await asyncio.sleep(10.0)
        b.agents.claim("s2")
        await asyncio.sleep(10.0)
        assert a.may_act()
        assert (terms(b), delays(b)) == ([], ["cluster.waiting"])
        assert "would not have asked us" in b.agents.of(ClaimDelayed)[-1].detail

    play(doing)


def test_who_asks_an_instance_of_the_passive_datacentre_is_sent_elsewhere():
    async def doing(world: World) -> None:
        _, w1 = await world.of("a1", "w1", datacentres=("east", "west"))
        await asyncio.sleep(1.0)
        w1.agents.claim()
        await asyncio.sleep(0.1)
        assert [each.id for each in w1.agents.of(ClaimRefused)] == ["passive"]

    play(doing)


def test_a_survivor_takes_nothing_from_the_living():
    async def doing(world: World) -> None:
        _, b = await owned(world, "a1", "b1")
        b.agents.claim(wish=Wish.SPREAD)
        await asyncio.sleep(0.5)
        assert [each.id for each in b.agents.of(ClaimRefused)] == ["agent.already-logged-in"]

    play(doing)


# --- who may not


def test_a_ticket_is_refused_when_a_login_has_won_since():
    async def doing(world: World) -> None:
        _, b = await owned(world, "a1", "b1")
        b.agents.claim("s2")
        await asyncio.sleep(0.3)
        (c,) = await world.of("c1")
        c.agents.claim("s1", wish=Wish.RESUME, ticket_term=1)
        await asyncio.sleep(0.3)
        assert [each.id for each in c.agents.of(ClaimRefused)] == ["taken-over"]
        assert b.may_act("s2")

    play(doing)


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_a_station_that_another_agent_uses_is_refused(where: str):
    async def doing(world: World) -> None:
        ones = await owned(world, "a1", "b1")
        one = ones[0] if where == "here" else ones[1]
        one.agents.claim("s2", OTHER, STATION)
        await asyncio.sleep(0.3)
        (refused,) = one.agents.of(ClaimRefused)
        assert (refused.id, "2001" in refused.detail) == ("station.in-use", True)
        assert ones[0].may_act()

    play(doing)


def test_an_agent_that_comes_to_another_station_gives_the_first_one_up():
    async def doing(world: World) -> None:
        _, b = await owned(world, "a1", "b1")
        b.agents.claim("s2", AGENT, ELSEWHERE)
        await asyncio.sleep(0.3)
        assert terms(b) == [2]
        former = world.station(STATION)
        assert former is not None
        assert former.owner is None
        b.agents.claim("s3", OTHER, STATION)
        await asyncio.sleep(0.3)
        assert b.may_act("s3")

    play(doing)


# --- races, and answers that are lost


def test_of_two_that_want_an_agent_at_once_one_gets_it_and_the_other_asks_it():
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")
        a.agents.stays.add(AGENT)
        b.agents.stays.add(AGENT)
        a.agents.claim("s1")
        b.agents.claim("s2")
        await asyncio.sleep(1.0)
        winner, loser = (a, b) if terms(a) else (b, a)
        assert (terms(winner), terms(loser)) == ([1], [])
        assert len(winner.agents.asked_to_go) == 1
        assert not loser.may_act("s1" if loser is a else "s2")

    play(doing)


def test_a_record_that_changed_since_it_was_read_is_read_again():
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")

        def overtake() -> None:
            b.agents.claim("s2", OTHER, STATION)

        a.store.before = lambda: b.host.call(overtake)
        a.store.faults.delay_s = 0.5
        a.agents.claim("s1")
        await asyncio.sleep(3.0)
        assert b.may_act("s2")
        assert [each.id for each in a.agents.of(ClaimRefused)] == ["station.in-use"]

    play(doing)


def test_a_claim_whose_answer_was_lost_is_found_granted_and_not_made_again():
    async def doing(world: World) -> None:
        (a,) = await world.of("a1")
        a.store.fates = ["lost"]
        a.agents.claim()
        await asyncio.sleep(0.5 + WRITE_LANDS_S + 0.1)
        assert terms(a) == [1]
        assert a.may_act()
        assert len(a.store.sent) == 1

    play(doing)


def test_a_claim_that_never_arrived_is_decided_anew():
    async def doing(world: World) -> None:
        (a,) = await world.of("a1")
        a.store.fates = ["never"]
        a.agents.claim()
        await asyncio.sleep(0.5 + WRITE_LANDS_S - 0.1)
        assert terms(a) == []
        assert a.cluster.claiming.is_in_flight
        await asyncio.sleep(0.2)
        assert terms(a) == [1]
        assert not a.cluster.claiming.is_in_flight

    play(doing)


def test_a_claim_that_arrives_late_is_found_as_long_as_it_may_arrive():
    async def doing(world: World) -> None:
        (a,) = await world.of("a1")
        a.store.fates, a.store.late_s = ["late"], 1.0
        a.agents.claim()
        await asyncio.sleep(0.5 + WRITE_LANDS_S + 0.1)
        assert terms(a) == [1]
        assert len(a.store.sent) == 1

    play(doing)


def test_while_a_claim_may_still_land_nothing_is_promised():
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")
        a.store.fates = ["never"]
        a.agents.claim()
        await asyncio.sleep(1.0)
        assert a.cluster.claiming.is_in_flight
        a.fail(down=True)
        await asyncio.sleep(0.9)
        assert a.cluster.claiming.is_in_flight
        del b

    play(doing)


def test_without_a_store_a_claim_waits_and_says_so():
    async def doing(world: World) -> None:
        (a,) = await world.of("a1")
        a.fail(down=True)
        a.agents.claim()
        await asyncio.sleep(5.0)
        assert (terms(a), delays(a)) == ([], ["cluster.no-store"])
        a.fail(down=False)
        await asyncio.sleep(STORE_RETRY_S + 2.5)
        assert terms(a) == [1]

    play(doing)


def test_that_the_store_has_been_silent_is_said_before_it_is_asked():
    async def doing(world: World) -> None:
        (a,) = await world.of("a1")
        a.fail(delay_s=60.0)
        await until(lambda: not a.cluster.members.has_store())
        asked_s = a.clock.now_s()
        a.agents.claim()
        await until(lambda: delays(a) == ["cluster.no-store"])
        assert a.clock.now_s() - asked_s < 0.1

    play(doing)


def test_a_store_that_refuses_us_is_told_of():
    async def doing(world: World) -> None:
        (a,) = await world.of("a1")
        a.fail(refused=True)
        a.agents.claim()
        await asyncio.sleep(1.0)
        (delayed, *_) = a.agents.of(ClaimDelayed)
        assert (delayed.trouble, "does not know" in delayed.detail) == ("cluster.no-store", True)

    play(doing)


def test_a_claim_granted_after_our_time_has_passed_is_not_used():
    async def doing(world: World) -> None:
        a, _ = await world.of("a1", "b1")
        a.store.fates = ["lost"]
        a.agents.claim()
        await asyncio.sleep(0.1)
        world.cut_off(a)
        await asyncio.sleep(10.0)
        assert terms(a) == []
        assert not a.may_act()

    play(doing)


# --- called off


def test_a_claim_that_is_called_off_is_not_asked_for_any_more():
    async def doing(world: World) -> None:
        a, b = await owned(world, "a1", "b1")
        a.agents.says[AGENT] = "later"
        session = b.agents.claim("s2")
        await asyncio.sleep(1.0)
        b.agents.close(session)
        asked = len(a.agents.asked_to_go)
        await asyncio.sleep(5.0)
        assert len(a.agents.asked_to_go) == asked
        assert b.cluster.claiming.sessions() == ()
        b.cluster.claiming.call_off(SessionId("nobody"))

    play(doing)


@pytest.mark.parametrize("fate", ["", "lost"])
@pytest.mark.parametrize("moment", ["sent", "written"])
def test_one_that_is_granted_when_nobody_wants_it_any_more_is_given_up_again(fate: str, moment: str):
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")
        a.fail(delay_s=0.2)
        a.store.fates = [fate]
        session = a.agents.claim()
        await until(lambda: a.store.sent if moment == "sent" else world.agent())
        if moment == "written" and not fate:
            await asyncio.sleep(0.15)  # the answer has come, and what was left is being read
        a.agents.close(session)
        await asyncio.sleep(5.0)
        assert terms(a) == []
        record = world.agent()
        assert record is not None
        assert (record.owner, record.term) == (None, 1)
        b.agents.claim("s2", OTHER, STATION)
        await asyncio.sleep(1.0)
        assert b.may_act("s2"), "nobody sits at that station"

    play(doing)


def test_a_session_that_comes_again_is_not_taken_for_the_one_that_was_called_off():
    async def doing(world: World) -> None:
        (a,) = await world.of("a1")
        a.fail(delay_s=0.2)
        session = a.agents.claim()
        await until(lambda: a.store.sent)
        a.agents.close(session)
        a.agents.claim()
        await asyncio.sleep(5.0)
        assert a.may_act()
        record = world.agent()
        assert record is not None
        assert record.owner == a.name

    play(doing)


def test_all_claims_end_with_the_instance():
    async def doing(world: World) -> None:
        a, b = await owned(world, "a1", "b1")
        a.agents.says[AGENT] = "later"
        b.agents.claim("s2")
        await asyncio.sleep(1.0)
        await b.leave()
        assert b.agents.lost == [("s2", "stepped-down")]
        assert b.cluster.claiming.sessions() == ()

    play(doing)


# --- claimed anew


def test_after_an_outage_what_only_promises_carried_is_claimed_anew_in_a_higher_term():
    async def doing(world: World) -> None:
        a, b = await owned(world, "a1", "b1")
        first = a.incarnation
        life = a.cluster.members.lives.current
        assert life is not None
        assert life.lease is not None
        for one in (a, b):
            one.fail(down=True)
        await asyncio.sleep(10.0)  # its lease has ended; b1 has promised
        assert a.may_act()
        for one in (a, b):
            one.fail(down=False)
        await until(lambda: terms(a) == [1, 2])
        assert a.incarnation > first
        assert a.may_act()
        record = world.agent()
        assert record is not None
        assert (record.term, record.incarnation) == (2, a.incarnation)
        await asyncio.sleep(5.0)
        assert [each.incarnation for each in a.cluster.members.lives] == [a.incarnation], "the old life is not needed"
        assert a.agents.lost == []

    play(doing)


def test_many_are_claimed_anew_while_promises_last():
    async def doing(world: World) -> None:
        a, b = await world.of("a1", "b1")
        sessions = [
            a.agents.claim(f"s{number}", AgentId(f"{6000 + number}"), StationId(f"{3000 + number}"))
            for number in range(100)
        ]
        await asyncio.sleep(0.1)
        for one in (a, b):
            one.fail(down=True)
        await asyncio.sleep(10.0)
        for one in (a, b):
            one.fail(down=False, delay_s=0.03)
        await asyncio.sleep(5.0)
        assert a.agents.lost == []
        assert all(a.may_act(each) for each in sessions)
        assert terms(a) == [1] * len(sessions) + [2] * len(sessions)

    play(doing)


async def outage(world: World, a: One, b: One) -> None:
    """Both lose the store for longer than a lease, and promise each other to wait."""
    for one in (a, b):
        one.fail(down=True)
    await asyncio.sleep(10.0)
    assert a.may_act()


def back(*ones: One) -> None:
    for one in ones:
        one.fail(down=False)


@pytest.mark.parametrize("fate", ["lost", "never"])
def test_one_made_anew_whose_answer_was_lost_ends_well_and_nobody_is_interrupted(fate: str):
    async def doing(world: World) -> None:
        a, b = await owned(world, "a1", "b1")
        await outage(world, a, b)
        a.store.fates = [fate]
        back(a, b)
        for _ in range(500):
            await asyncio.sleep(0.01)
            assert a.may_act()
        assert terms(a) == [1, 2]
        record = world.agent()
        assert record is not None
        assert (record.term, record.incarnation) == (2, a.incarnation)

    play(doing)


@pytest.mark.parametrize("moment", ["read", "sent"])
def test_a_session_that_ends_while_its_claim_is_made_anew_leaves_it_to_nobody(moment: str):
    async def doing(world: World) -> None:
        a, b = await owned(world, "a1", "b1")
        await outage(world, a, b)
        before, asked = a.incarnation, len(a.store.sent)
        back(a, b)
        a.fail(delay_s=0.2)
        await until(lambda: a.incarnation != before if moment == "read" else len(a.store.sent) > asked)
        a.agents.close(a.agents.sessions[AGENT])
        await asyncio.sleep(5.0)
        assert terms(a) == [1]
        b.agents.claim("s2", OTHER, STATION)
        await asyncio.sleep(1.0)
        assert b.may_act("s2"), "nobody sits at that station"

    play(doing)


def test_what_somebody_else_has_by_then_is_not_claimed_anew():
    async def doing(world: World) -> None:
        a, b = await owned(world, "a1", "b1")
        for one in (a, b):
            one.fail(down=True)
        await asyncio.sleep(10.0)
        record = world.agent()
        assert record is not None
        world.engine.transact([], [PutValue(agent_key(AGENT), b"nonsense of an operator")])
        for one in (a, b):
            one.fail(down=False)
        await asyncio.sleep(20.0)
        assert terms(a) == [1]

    play(doing)


def test_a_defect_ends_the_session_and_not_the_instance(monkeypatch: pytest.MonkeyPatch):
    async def doing(world: World) -> None:
        (a,) = await world.of("a1")

        async def fail(*_: object) -> None:
            raise RuntimeError("a defect")

        monkeypatch.setattr(a.cluster.records, "both", fail)
        a.agents.claim()
        await asyncio.sleep(0.1)
        assert [each.id for each in a.agents.of(ClaimRefused)] == ["internal"]
        assert not a.running.done()

    play(doing)
