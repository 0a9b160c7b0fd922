from __future__ import annotations

import asyncio

import msgspec
import pytest
from tests.unit.links.telephony.jtapi.link_world import JTAPI, LinkWorld, in_link_world

from unified_agent.domain.effects import LogInAgent, Observe, QueryAgent, Snapshot
from unified_agent.domain.facts import (
    CallAlerting,
    Fact,
    RequestDone,
    RequestRefused,
    RequestUnknown,
    StationSnapshot,
    StationUnobserved,
    TelephonyDown,
    TelephonyUp,
)
from unified_agent.domain.ids import AgentId, CallId, LinkId, RequestId, Secret, SessionId
from unified_agent.domain.states import SwitchMode
from unified_agent.errors import LinkNotReady
from unified_agent.links.telephony.jtapi import link as link_module
from unified_agent.links.telephony.jtapi import messages
from unified_agent.links.telephony.jtapi.link import JtapiLink
from unified_agent.settings import JtapiSettings

AES_1 = LinkId("aes-1")
AES_2 = LinkId("aes-2")
UP = TelephonyUp(link=AES_1)
S_1 = SessionId("s-1")
QUERY = QueryAgent(agent=AgentId("5001"))


def down(reason: str, link: LinkId = AES_1) -> TelephonyDown:
    return TelephonyDown(link=link, reason=reason)


def done(request: RequestId, session: SessionId = S_1) -> RequestDone:
    return RequestDone(session=session, request=request)


def snapshot(request: RequestId) -> StationSnapshot:
    return StationSnapshot(session=S_1, request=request, calls=(), agent=None, mode=SwitchMode.LOGGED_OUT)


# --- the way up


@in_link_world(up=False)
async def test_a_process_is_told_all_it_needs_to_open_a_provider(world: LinkWorld) -> None:
    assert world.worker.told == [
        messages.Open(
            link="aes-1",
            peer="com.avaya.jtapi.tsapi.TsapiPeer",
            service="AVAYA#CM1#CSTA#AES1",
            user="ctiuser",
            password=Secret("secret"),
            parameters={"servers": "aes-1.example:450"},
            open_limit_s=20.0,
            heartbeat_s=4,
            probe_interval_s=3.0,
            silence_limit_s=7.0,
            request_limit_s=10.0,
            poll_interval_s=10.0,
            threads=32,
            epoch=7,
        )
    ]
    assert "secret" not in repr(world.worker.told)


@in_link_world(up=False, jtapi=JtapiSettings(class_path=JTAPI.class_path, parameters={"x": "y"}))
async def test_further_parts_of_the_provider_string_go_along(world: LinkWorld) -> None:
    assert world.worker.of(messages.Open)[0].parameters == {"servers": "aes-1.example:450", "x": "y"}


@in_link_world(up=False)
async def test_link_is_up_when_the_process_says_so_and_not_before(world: LinkWorld) -> None:
    assert "connecting to aes-1" in world.link.status
    world.worker.open()
    assert not world.link.is_up
    assert world.ears.links == []
    assert world.link.status == "jtapi: connected to aes-1, which has no link to the switch"
    world.worker.come_up(2)
    assert world.link.is_up
    assert world.ears.links == [UP]
    assert world.metric("ua_link_up", kind="telephony", link="aes-1") == 1
    assert "up on aes-1" in world.link.status
    world.worker.say(messages.Load(overloaded=True, observed=3, in_flight=2, waiting=1))
    assert "3 stations observed, 2 requests under way, 1 waiting, AES is overloaded" in world.link.status


@in_link_world(up=False)
async def test_a_refusal_is_told_with_its_reason_and_not_hammered(world: LinkWorld) -> None:
    world.worker.say(messages.Failed(refused=True, detail="the class path has no peer"))
    await world.run(25)
    assert world.ears.links == [down("refused")]
    assert "the class path has no peer; a person must act" in world.link.status
    assert len(world.workers) == 1
    await world.run(10)
    assert len(world.workers) == 2


@in_link_world(up=False)
async def test_a_person_who_mended_something_need_not_wait(world: LinkWorld) -> None:
    world.worker.say(messages.Failed(refused=True, detail="password"))
    await world.run(1)
    world.link.retry_now()
    await world.run(1)
    assert len(world.workers) == 2


@in_link_world(up=False)
async def test_what_may_go_by_itself_is_tried_again_soon_in_a_new_process(world: LinkWorld) -> None:
    world.worker.say(messages.Failed(refused=False, detail="nobody answers"))
    await world.run(1)
    assert world.ears.links == [down("unreachable")]
    assert len(world.workers) >= 2
    assert world.workers[0].ended is False
    world.worker.come_up()
    assert world.ears.links == [down("unreachable"), UP]


@in_link_world(up=False)
async def test_a_process_that_ends_before_it_is_up_says_how(world: LinkWorld) -> None:
    world.worker.lose("closed", "it has gone")
    await world.run(0.1)
    assert "it has gone; the process ended with status 7" in world.link.status
    assert world.ears.links == [down("unreachable")]


@in_link_world(up=False)
async def test_a_process_that_never_opens_its_provider_is_killed(world: LinkWorld) -> None:
    await world.run(24.5, 0.5)
    assert world.workers[0].ended is None
    await world.run(1.5, 0.5)
    assert world.workers[0].ended is True
    assert len(world.workers) == 2
    assert world.workers[0].of(messages.Ping) == []


@in_link_world(up=False)
async def test_a_process_of_another_version_is_refused(world: LinkWorld) -> None:
    world.worker.open(version=2)
    await world.run(1)
    assert world.ears.links == [down("refused")]
    assert "speaks version 2" in world.link.status


@in_link_world(up=False)
async def test_no_process_can_be_started_now(world: LinkWorld) -> None:
    world.worker.lose("closed", "")
    world.start_error = LinkNotReady("no memory")
    await world.run(1)
    assert "aes-1 is not ready: no memory" in world.link.status
    world.start_error = None
    await world.run(5)
    assert len(world.workers) == 2


# --- asks and answers


@in_link_world()
async def test_an_ask_goes_to_the_process_with_its_generation_and_its_answer_comes_back(world: LinkWorld) -> None:
    ask = LogInAgent(agent=AgentId("5001"), password=Secret("1234"))
    request = world.ask(ask)
    (sent,) = world.worker.of(messages.Ask)
    assert (sent.generation, sent.session, sent.request) == (1, S_1, request)
    assert messages.effect_of(sent).ask == ask
    await world.run(2)
    world.worker.tell(done(request))
    assert world.ears.take() == [done(request)]
    assert world.metric("ua_link_requests_total", kind="telephony", link="aes-1", outcome="done") == 1
    assert world.metric("ua_link_request_seconds_sum", kind="telephony") == pytest.approx(2, abs=0.1)


@in_link_world()
async def test_an_answer_that_comes_twice_is_told_once(world: LinkWorld) -> None:
    request = world.ask(Observe())
    world.worker.tell(done(request))
    world.worker.tell(done(request))
    world.worker.tell(RequestUnknown(session=S_1, request=request))
    assert world.ears.take() == [done(request)]
    assert world.metric("ua_link_unexpected_reports_total", kind="telephony") == 2


@in_link_world()
async def test_refusals_and_the_unknown_are_counted_as_such(world: LinkWorld) -> None:
    world.worker.tell(RequestRefused(session=S_1, request=world.ask(Observe()), id="switch.busy"))
    world.worker.tell(RequestUnknown(session=S_1, request=world.ask(Observe())))
    world.worker.tell(snapshot(world.ask(Snapshot(agent=AgentId("5001")))))
    counts = [
        world.metric("ua_link_requests_total", kind="telephony", link="aes-1", outcome=each)
        for each in ("refused", "unknown", "done")
    ]
    assert counts == [1, 1, 1]
    assert len(world.ears.facts) == 3


@in_link_world(up=False)
async def test_asks_are_refused_at_once_while_the_link_is_down(world: LinkWorld) -> None:
    world.worker.open()
    request = world.ask(Observe())
    (answer,) = world.ears.take()
    assert isinstance(answer, RequestRefused)
    assert (answer.request, answer.id, answer.fatal) == (request, "switch.link-down", False)
    assert world.worker.of(messages.Ask) == []


@in_link_world()
async def test_asks_under_way_have_a_bound(world: LinkWorld) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(link_module, "ASKS_LIMIT", 1)
        first, second = world.ask(Observe()), world.ask(Observe())
    (answer,) = world.ears.take()
    assert isinstance(answer, RequestRefused)
    assert (answer.request, answer.id) == (second, "switch.busy")
    assert [each.request for each in world.worker.of(messages.Ask)] == [first]


@in_link_world()
async def test_facts_that_answer_nothing_are_told_as_they_are(world: LinkWorld) -> None:
    world.worker.tell(done(world.ask(Observe())))
    world.ears.take()
    fact: Fact = StationUnobserved(session=S_1, reason="monitor-ended")
    world.worker.tell(fact)
    assert world.ears.take() == [fact]


@in_link_world()
async def test_nothing_is_told_of_a_forgotten_session(world: LinkWorld) -> None:
    request = world.ask(Observe())
    other = world.ask(Observe(), session="s-2")
    world.link.forget(S_1)
    assert world.worker.told[-1] == messages.Forget(session=S_1)
    world.worker.tell(done(request))
    world.worker.tell(StationUnobserved(session=S_1, reason="monitor-ended"))
    world.worker.go_down()
    assert [each.request for each in world.ears.of(RequestUnknown)] == [other]
    assert {each.session for each in world.ears.facts} == {SessionId("s-2")}


@in_link_world()
async def test_a_session_that_never_asked_anything_needs_no_forgetting(world: LinkWorld) -> None:
    world.link.forget(SessionId("nobody"))
    assert world.worker.of(messages.Forget) == []


# --- losses


@in_link_world()
async def test_the_switch_goes_and_comes_back_behind_the_same_process(world: LinkWorld) -> None:
    request = world.ask(QUERY)
    world.worker.go_down("switch-link-down")
    assert world.ears.links == [UP, down("switch-link-down")]
    assert world.ears.take() == [RequestUnknown(session=S_1, request=request, detail="because")]
    assert not world.link.is_up
    assert world.metric("ua_link_up", kind="telephony", link="aes-1") == 0
    assert "which has no link to the switch" in world.link.status
    await world.run(60, 1)
    world.worker.come_up(2)
    assert world.ears.links == [UP, down("switch-link-down"), UP]
    assert len(world.workers) == 1
    world.ask(QUERY)
    assert world.worker.of(messages.Ask)[-1].generation == 2


@in_link_world()
async def test_sessions_are_told_of_the_loss_before_their_asks_are_answered(world: LinkWorld) -> None:
    order: list[object] = []
    world.ask(QUERY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.ears, "report", order.append)
        patch.setattr(world.ears, "report_link", order.append)
        world.worker.go_down()
    assert [type(each) for each in order] == [TelephonyDown, RequestUnknown]


@in_link_world()
async def test_what_comes_with_an_older_generation_is_void(world: LinkWorld) -> None:
    request = world.ask(QUERY)
    world.worker.go_down()
    world.worker.come_up(2)
    world.ears.take()
    late = CallAlerting(session=S_1, call=CallId("1"), number="0170")
    world.worker.tell(late, generation=1)
    world.worker.tell(done(request), generation=1)
    world.worker.go_down(generation=1)
    assert world.ears.take() == []
    assert world.link.is_up
    assert world.metric("ua_link_unexpected_reports_total", kind="telephony") == 2


@in_link_world()
async def test_a_dead_provider_costs_its_process_and_another_one_is_started(world: LinkWorld) -> None:
    request = world.ask(QUERY)
    world.worker.go_down("session-ended", lost=True)
    assert world.ears.links == [UP, down("session-ended")]
    assert [each.request for each in world.ears.of(RequestUnknown)] == [request]
    await world.run(1)
    assert len(world.workers) == 2
    assert world.workers[0].ended is False
    assert world.worker.link == "aes-1"
    world.worker.come_up()
    assert world.ears.links == [UP, down("session-ended"), UP]


@in_link_world()
async def test_a_process_that_ends_is_a_loss_like_any_other(world: LinkWorld) -> None:
    request = world.ask(QUERY)
    world.worker.lose("closed", "gone")
    assert world.ears.links == [UP, down("closed")]
    assert [each.request for each in world.ears.of(RequestUnknown)] == [request]
    await world.run(0.05, 0.01)
    assert "lost aes-1: closed, the process for JTAPI is lost: gone; the process ended with status 7" in (
        world.link.status
    )
    await world.run(1)
    assert len(world.workers) == 2


@in_link_world()
async def test_a_process_that_hangs_is_killed_within_the_limit(world: LinkWorld) -> None:
    await world.run(30, 0.5)
    assert world.ears.links == [UP]
    assert 5 <= len(world.worker.of(messages.Ping)) <= 8
    world.worker.hangs = True
    await world.run(10.1, 0.1)
    assert world.ears.links == [UP, down("silent")]
    assert world.workers[0].ended is True
    await world.run(1)
    assert len(world.workers) == 2


@in_link_world()
async def test_what_a_process_says_after_it_was_left_is_not_heard(world: LinkWorld) -> None:
    old = world.worker
    old.lose("closed", "gone")
    await world.run(1)
    world.worker.come_up()
    world.ears.links.clear()
    request = world.ask(QUERY)
    old.tell(done(request))
    old.go_down(lost=True)
    old.come_up(5)
    old.lose("closed", "again")
    assert world.ears.facts == []
    assert world.ears.links == []
    assert world.link.is_up


@in_link_world()
async def test_a_process_that_breaks_the_protocol_is_killed(world: LinkWorld) -> None:
    world.ask(QUERY)
    world.worker.say(messages.Told(generation=1, what="Surprise", fact=msgspec.Raw(b"{}")))
    await world.run(0.1)
    assert world.ears.links == [UP, down("protocol")]
    assert world.workers[0].ended is True


@in_link_world()
async def test_a_generation_that_does_not_rise_breaks_the_protocol(world: LinkWorld) -> None:
    world.worker.go_down()
    world.worker.say(messages.Up(generation=1))
    await world.run(0.1)
    assert not world.link.is_up
    assert world.workers[0].ended is True


@in_link_world()
async def test_a_provider_that_begins_anew_without_a_word_was_lost_meanwhile(world: LinkWorld) -> None:
    request = world.ask(QUERY)
    world.worker.come_up(2)
    assert world.ears.links == [UP, down("session-ended"), UP]
    assert [each.request for each in world.ears.of(RequestUnknown)] == [request]


# --- several AES servers


@in_link_world(up=False, servers=2)
async def test_the_next_aes_is_tried_at_once_when_one_cannot_be_had(world: LinkWorld) -> None:
    world.worker.say(messages.Failed(refused=False, detail="nobody answers"))
    await world.run(0.1)
    assert [each.link for each in world.workers] == ["aes-1", "aes-2"]
    world.worker.come_up()
    assert world.ears.links == [down("unreachable"), TelephonyUp(link=AES_2)]


@in_link_world(servers=2)
async def test_an_aes_whose_switch_stays_away_is_left_for_the_next(world: LinkWorld) -> None:
    world.worker.go_down()
    await world.run(9.5, 0.5)
    assert len(world.workers) == 1
    await world.run(1)
    assert [each.link for each in world.workers] == ["aes-1", "aes-2"]
    assert world.workers[0].ended is False


@in_link_world(servers=2)
async def test_an_aes_whose_switch_comes_back_in_time_is_kept(world: LinkWorld) -> None:
    world.worker.go_down()
    await world.run(9, 0.5)
    world.worker.come_up(2)
    await world.run(20, 0.5)
    assert len(world.workers) == 1


@in_link_world(up=False, servers=2)
async def test_an_aes_that_opens_and_never_has_its_switch_is_left_too(world: LinkWorld) -> None:
    world.worker.open()
    world.worker.say(messages.Down(generation=0, reason="switch-link-down"))
    assert world.ears.links == [down("switch-link-down")]
    await world.run(11, 0.5)
    assert [each.link for each in world.workers] == ["aes-1", "aes-2"]


# --- the end


def test_stopping_ends_the_process_in_order_and_it_can_be_started_again() -> None:
    async def play() -> None:
        world = LinkWorld()
        world.link.start()
        await world.run(0.1)
        world.worker.come_up()
        request = world.ask(QUERY)
        await world.link.stop()
        assert world.workers[0].ended is False
        assert world.ears.links == [UP, down("closed")]
        assert [each.request for each in world.ears.of(RequestUnknown)] == [request]
        assert world.clock.planned == []
        world.link.start()
        await world.run(0.1)
        world.worker.come_up()
        assert world.ears.links == [UP, down("closed"), UP]
        await world.link.stop()
        assert world.clock.planned == []

    asyncio.run(play())


def test_the_link_is_what_sessions_expect() -> None:
    from unified_agent.assembly.switch import SwitchLink

    link: type[SwitchLink] = JtapiLink
    assert link is JtapiLink
