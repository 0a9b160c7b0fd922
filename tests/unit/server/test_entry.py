"""How a desktop comes to its session: by a login, by a ticket, or by being sent to where it should be."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.server.serving import LOGIN, Desktop, World, with_sessions
from tests.unit.sessions.rooms import Claims

from unified_agent.domain.carry import carry_of
from unified_agent.domain.claim_steps import GOES_ON
from unified_agent.domain.facts import ClaimLost
from unified_agent.domain.ids import AgentId, InstanceId, SessionId
from unified_agent.domain.session_state import ClaimState, SessionState
from unified_agent.domain.states import ClaimStage, Phase, Wish
from unified_agent.domain.topology import Elsewhere, Next, Passive
from unified_agent.sealing import Keyring
from unified_agent.server.failures import RequestRefused
from unified_agent.sessions.admission import OpenRefused

pytestmark = pytest.mark.asyncio

THERE = Next(id=InstanceId("ua-2"), url="http://ua-2")
THERE_AS_JSON = {"id": "ua-2", "url": "http://ua-2"}


class Two:
    """Two instances of one cluster, as far as tickets go."""

    def __init__(self, **settings: Any) -> None:
        keyring = Keyring.random()
        self.first = World(claims=Claims(), keyring=keyring)
        self.second = World(with_sessions(**settings), claims=Claims(), keyring=keyring)

    async def left(self) -> tuple[SessionId, str, str, SessionState]:
        """Log in at the first, whose session is then to go on at the second: its id, token, ticket, carry."""
        session, token = await self.first.log_in()
        self.first.grant(session, 4)
        desktop = Desktop(self.first)
        desktop.hello(token)
        return session, token, desktop.ticket, carry_of(self.first.state(session))


async def logged_in(world: World, **changed: Any) -> Any:
    async with world.client() as client:
        return await client.post("/v1/session", json={**LOGIN, **changed})


# --- a login


async def test_a_login_is_answered_with_session_token_ticket_and_time():
    world = World(claims=Claims())
    answer = (await logged_in(world)).json()
    content = world.server.tickets.read(answer["ticket"], answer["token"])
    assert answer["session"] == content.session == "s1"
    assert (content.agent, content.station, content.password.value) == ("2001", "4001", "1234")
    assert (content.epoch, content.verified) == (3, False)
    assert answer["now"].endswith("Z")


@pytest.mark.parametrize(
    ("where", "failure", "more"),
    [
        (Elsewhere(THERE), "instance.elsewhere", {"next": THERE_AS_JSON}),
        (Passive(THERE, 7), "datacentre.passive", {"next": THERE_AS_JSON, "epoch": 7}),
        (Passive(None, 7), "datacentre.passive", {"epoch": 7}),
    ],
)
async def test_an_agent_who_lives_elsewhere_is_sent_there_and_nothing_opened(
    where: Elsewhere | Passive, failure: str, more: dict[str, Any]
):
    world = World(claims=Claims())
    world.where.home = where
    answer = await logged_in(world)
    assert answer.status_code == 421
    problem = answer.json()
    assert (problem["id"], problem["retry"]) == (failure, "elsewhere")
    assert {key: problem[key] for key in ("next", "epoch") if key in problem} == more
    assert len(world.host) == 0


async def test_the_same_login_takes_the_session_over_with_a_token_of_its_own():
    world = World(claims=Claims())
    first = (await logged_in(world)).json()
    desktop = Desktop(world)
    desktop.hello(first["token"])
    second = (await logged_in(world)).json()
    assert second["session"] == first["session"]
    assert second["token"] != first["token"]
    assert desktop.close_code == 4409


async def test_an_instance_that_is_full_names_one_that_is_not():
    world = World(with_sessions(capacity=1), claims=Claims())
    await world.log_in(agent="2009", station="4009")
    alone = (await logged_in(world)).json()
    assert (alone["id"], "next" in alone) == ("instance.full", False)
    world.where.others = [THERE]
    answer = await logged_in(world)
    assert (answer.status_code, answer.json()["id"], answer.json()["next"]) == (503, "instance.full", THERE_AS_JSON)
    assert "retry-after" in answer.headers


# --- a ticket


async def test_a_desktop_with_a_ticket_gets_its_session_at_another_instance():
    two = Two()
    session, token, ticket, carry = await two.left()
    two.second.where.left = carry
    answer = await two.second.resume(ticket, token)
    assert answer.status_code == 200
    told = answer.json()
    assert told["session"] == session
    assert told["token"] != token
    state = two.second.state(session)
    assert (state.claim.stage, state.claim.wish, state.claim.ticket_term) == (ClaimStage.ASKED, Wish.RESUME, 4)
    assert state.claim.needs_desktop
    assert state.identity == two.first.state(session).identity
    fresh = two.second.server.tickets.read(told["ticket"], told["token"])
    assert (fresh.session, fresh.term) == (session, 4)
    assert two.second.claims is not None
    assert two.second.claims.asked == [], "the desktop is not there yet"
    Desktop(two.second).hello(told["token"])
    assert [each.session for each in two.second.claims.asked] == [session]


async def test_it_is_shown_what_was_left_before_the_claim_is_granted():
    two = Two()
    _, token, ticket, carry = await two.left()
    telephony = replace(carry.telephony, verified=True)
    two.second.where.left = replace(carry, telephony=telephony, log_out="agent")
    told = (await two.second.resume(ticket, token)).json()
    desktop = Desktop(two.second)
    desktop.hello(told["token"])
    welcome, snapshot = desktop.frames[:2]
    assert welcome["term"] == snapshot["term"] == 4
    view = snapshot["data"]["view"]
    assert view["login"]["steps"][0] == {"name": "claim", "state": "under-way", "doing": ""}
    assert [each["what"] for each in view["agent"]["pending"]] == ["log-out"]
    assert set(view["blocked"].values()) == {"claim-awaited"}


async def test_without_what_was_left_the_ticket_alone_brings_it_back():
    two = Two()
    session, token, ticket, _ = await two.left()
    assert (await two.second.resume(ticket, token)).status_code == 200
    assert two.second.state(session).identity == two.first.state(session).identity


async def test_an_answer_that_was_lost_is_asked_for_again():
    two = Two()
    session, token, ticket, carry = await two.left()
    two.second.where.left = carry
    first = (await two.second.resume(ticket, token)).json()
    second = (await two.second.resume(ticket, token)).json()
    assert first["session"] == second["session"] == session
    assert len(two.second.host) == 1


async def test_an_instance_that_was_started_again_takes_its_own_sessions_back():
    two = Two()
    session, token, ticket, carry = await two.left()
    two.first.host.report(ClaimLost(session=session, reason="stepped-down"))
    two.first.where.left = carry
    answer = await two.first.resume(ticket, token)
    assert answer.status_code == 200
    assert two.first.state(session).claim.stage is ClaimStage.ASKED


@pytest.mark.parametrize("wrong", ["token", "ticket"])
async def test_a_ticket_is_good_with_its_token_only(wrong: str):
    two = Two()
    _, token, ticket, _ = await two.left()
    answer = await two.second.resume(ticket[:-4] + "AAAA" if wrong == "ticket" else ticket, f"{token}x")
    assert (answer.status_code, answer.json()["id"]) == (401, "ticket.invalid")
    assert len(two.second.host) == 0


@pytest.mark.parametrize(
    ("where", "failure", "more"),
    [
        (Passive(THERE, 7), "datacentre.passive", {"next": THERE_AS_JSON, "epoch": 7}),
        (Passive(None, 7), "datacentre.passive", {"epoch": 7}),
        (Elsewhere(THERE), "instance.elsewhere", {"next": THERE_AS_JSON}),
    ],
)
async def test_a_desktop_is_sent_on_from_an_instance_that_does_not_serve(
    where: Elsewhere | Passive, failure: str, more: dict[str, Any]
):
    two = Two()
    _, token, ticket, _ = await two.left()
    two.second.where.away = where
    answer = await two.second.resume(ticket, token)
    problem = answer.json()
    assert (answer.status_code, problem["id"]) == (421, failure)
    assert {key: problem[key] for key in ("next", "epoch") if key in problem} == more
    assert len(two.second.host) == 0


async def test_an_instance_that_stands_down_while_it_asks_the_store_takes_nobody_in(monkeypatch: pytest.MonkeyPatch):
    two = Two()
    _, token, ticket, _ = await two.left()
    where = two.second.where

    async def stands_down(agent: AgentId) -> None:
        where.away = Passive(THERE, 7)

    monkeypatch.setattr(where, "carried", stands_down)
    assert (await two.second.resume(ticket, token)).json()["id"] == "datacentre.passive"
    where.away = None
    monkeypatch.setattr(where, "home_of", stands_down)
    assert (await logged_in(two.second)).json()["id"] == "datacentre.passive"
    assert len(two.second.host) == 0


async def test_a_session_that_has_ended_since_is_not_brought_back():
    two = Two()
    _, token, ticket, carry = await two.left()
    two.second.where.left = replace(carry, phase=Phase.CLOSED, close_reason="supervisor-logged-out")
    answer = await two.second.resume(ticket, token)
    assert (answer.status_code, answer.json()["id"]) == (410, "session.ended")
    assert answer.json()["detail"] == "supervisor-logged-out"
    assert len(two.second.host) == 0


@pytest.mark.parametrize("reason", sorted(GOES_ON))
async def test_one_that_went_elsewhere_is(reason: str):
    two = Two()
    _, token, ticket, carry = await two.left()
    two.second.where.left = replace(carry, phase=Phase.CLOSED, close_reason=reason)
    assert (await two.second.resume(ticket, token)).status_code == 200


async def test_the_instance_that_ended_it_knows_that_without_a_store():
    two = Two()
    session, token, ticket, _ = await two.left()
    two.first.host.force_log_out(session, "operator", now=True)
    assert two.first.host.state(session) is None
    answer = await two.first.resume(ticket, token)
    assert (answer.status_code, answer.json()["id"], answer.json()["detail"]) == (410, "session.ended", "operator")


async def test_a_login_that_has_won_since_is_not_undone():
    two = Two()
    _, token, ticket, carry = await two.left()
    two.second.where.left = replace(carry, id=SessionId("later"), claim=ClaimState(term=5))
    answer = await two.second.resume(ticket, token)
    assert (answer.status_code, answer.json()["id"]) == (423, "taken-over")
    assert len(two.second.host) == 0


async def test_what_an_earlier_session_left_is_not_taken_for_this_one_s():
    two = Two()
    session, token, ticket, carry = await two.left()
    earlier = replace(carry, id=SessionId("earlier"), claim=ClaimState(term=3), log_out="agent")
    two.second.where.left = earlier
    assert (await two.second.resume(ticket, token)).status_code == 200
    assert two.second.state(session).log_out == ""


async def test_a_login_that_was_granted_nothing_before_its_instance_was_lost_goes_on_elsewhere():
    two = Two()
    session, token = await two.first.log_in()
    desktop = Desktop(two.first)
    desktop.hello(token)
    two.second.where.left = replace(
        carry_of(two.first.state(session)), id=SessionId("before"), claim=ClaimState(term=5), log_out="agent"
    )
    assert (await two.second.resume(desktop.ticket, token)).status_code == 200
    state = two.second.state(session)
    assert state.log_out == ""
    assert state.claim.ticket_term == 0


@pytest.mark.parametrize("why", ["instance.full", "instance.draining", "station.in-use"])
async def test_an_instance_that_cannot_take_it_says_so(why: str):
    two = Two(capacity=1 if why == "instance.full" else 10)
    _, token, ticket, _ = await two.left()
    if why == "instance.draining":
        two.second.host.draining = True
    else:
        await two.second.log_in(agent="2002", station="4001" if why == "station.in-use" else "4002")
    answer = await two.second.resume(ticket, token)
    assert answer.json()["id"] == why


async def test_a_resume_is_counted_and_logged_without_a_secret(capsys: pytest.CaptureFixture[str]):
    two = Two()
    _, token, ticket, carry = await two.left()
    two.second.where.left = carry
    capsys.readouterr()
    await two.second.resume(ticket, token)
    assert two.second.metrics.registry.get_sample_value("ua_takeovers_total", {"cause": "resume"}) == 1.0
    said = capsys.readouterr().out
    assert "session_resumed" in said
    for secret in (token, ticket, "1234"):
        assert secret not in said


# --- handed over without its desktop


async def test_a_session_whose_desktop_is_away_is_taken_in_and_claimed_at_once():
    two = Two()
    session, token, ticket, carry = await two.left()
    content = two.second.server.tickets.read(ticket, token)
    two.second.server.entry.adopt(content, carry)
    assert two.second.claims is not None
    assert [(each.session, each.ticket_term) for each in two.second.claims.asked] == [(session, 4)]


async def test_one_that_has_ended_or_was_overtaken_is_not_taken_in():
    two = Two()
    _, token, ticket, carry = await two.left()
    entry, content = two.second.server.entry, two.second.server.tickets.read(ticket, token)
    with pytest.raises(RequestRefused) as refused:
        entry.adopt(content, replace(carry, phase=Phase.CLOSED, close_reason="agent"))
    assert refused.value.id == "session.ended"
    with pytest.raises(RequestRefused) as refused:
        entry.adopt(content, replace(carry, id=SessionId("later"), claim=ClaimState(term=9)))
    assert refused.value.id == "taken-over"
    two.second.where.away = Passive(None, 7)
    with pytest.raises(RequestRefused) as refused:
        entry.adopt(content, carry)
    assert refused.value.id == "datacentre.passive"
    two.second.where.away = None
    two.second.host.draining = True
    with pytest.raises(OpenRefused) as closed:
        entry.adopt(content, carry)
    assert closed.value.id == "instance.draining"
