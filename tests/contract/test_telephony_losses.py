"""What is lost on the way to the switch, how every link tells it, and that afterwards the switch's truth holds.

``process`` stories are for links with a process of their own.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.contract.telephony_world import TelephonyWorld, agent_of
from tests.contract.telephony_worlds import KINDS, USUAL, Story, play

from unified_agent.domain import commands
from unified_agent.domain.effects import ChangeMode, LogInAgent, Observe, Snapshot
from unified_agent.domain.facts import (
    RequestDone,
    RequestRefused,
    RequestUnknown,
    StationSnapshot,
    StationUnobserved,
    TelephonyDown,
    TelephonyUp,
)
from unified_agent.domain.ids import AgentId, CallId, LinkId, Secret
from unified_agent.domain.states import LegState, SwitchMode
from unified_agent.wire.csta.session_messages import SessionError
from unified_agent.wire.csta.values import SystemStatusValue

Played = Callable[..., None]

AES = LinkId("aes-1")
ONE, TWO = (AgentId(agent_of(each)) for each in (1, 2))
CUSTOMER = "0207940001"


@pytest.fixture(params=USUAL)
def played(request: pytest.FixtureRequest) -> Played:
    """Play a story on one kind of link."""

    def tell(story: Story, **rules: object) -> None:
        play(request.param, story, **rules)  # type: ignore[arg-type]

    return tell


@pytest.fixture(params=list(KINDS))
def played_by_any(request: pytest.FixtureRequest) -> Played:
    """Play a story on every kind of link, those with an awkward peer among them."""

    def tell(story: Story, **rules: object) -> None:
        play(request.param, story, **rules)  # type: ignore[arg-type]

    return tell


@pytest.fixture(params=[name for name in USUAL if KINDS[name].is_jtapi])
def process_played(request: pytest.FixtureRequest) -> Played:
    """Play a story on a link with a process of its own."""

    def tell(story: Story, **rules: object) -> None:
        play(request.param, story, **rules)  # type: ignore[arg-type]

    return tell


async def _working(world: TelephonyWorld) -> CallId:
    """Agent 1 is ready and talks with a customer; agent 2 is there, not ready. Returns the call."""
    await world.log_in(1, ready=True)
    await world.log_in(2)
    call = world.place_call("8000")
    await world.until_call(LegState.ALERTING)
    await world.do(commands.AnswerCall(call=call))
    await world.until_call(LegState.ACTIVE)
    return call


async def _until_up_again(world: TelephonyWorld, downs: int = 1) -> None:
    def true() -> bool:
        seen = sum(isinstance(each, TelephonyDown) for each in world.links)
        return seen >= downs and isinstance(world.links[-1], TelephonyUp)

    await world.until(true, f"the link is up again: {world.links}")
    assert world.link.is_up


async def _all_is_as_at_the_switch(world: TelephonyWorld) -> None:
    """Look at both stations again: what is seen is what is so, and what happens from now on is told."""
    truth = world.truth()
    for number in (1, 2):
        found = await world.observe(number)
        at_switch = truth["agents"].get(agent_of(number))
        assert found.agent == (agent_of(number) if at_switch else None)
        assert {each.call for each in found.calls} == set(at_switch["calls"] if at_switch else ())
    for number in (1, 2):
        for each in world.calls(number):
            if each.state is LegState.ALERTING:
                await world.do(commands.AnswerCall(call=each.id), number)
            await world.do(commands.HangUpCall(call=each.id), number)
        await world.until_calls(number=number)
    new = world.place_call("2002")
    ringing = await world.until_call(LegState.ALERTING, 2, parties={CUSTOMER})
    assert ringing.id == new
    await world.do(commands.AnswerCall(call=new), 2)
    await world.do(commands.HangUpCall(call=new), 2)
    await world.until_calls(number=2)
    await world.do(ChangeMode(agent=TWO, mode=SwitchMode.NOT_READY, reason=8), 2)
    await world.until_mode(SwitchMode.NOT_READY, 2, reason=8)


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_cut_connection_is_found_again_with_everything_as_the_switch_has_it(played_by_any: Played, reset: bool) -> None:
    async def story(world: TelephonyWorld) -> None:
        call = await _working(world)
        world.aes.cut(reset=reset)
        world.aes.act(lambda it: it.switch.calls.hold("2001", call))
        await _until_up_again(world)
        assert world.links[1] == TelephonyDown(link=AES, reason="closed")
        await world.do(Observe())
        found = await world.do(Snapshot(agent=ONE))
        assert isinstance(found, StationSnapshot)
        assert (found.agent, found.mode) == ("5001", SwitchMode.READY)
        assert [(each.call, each.state) for each in found.calls] == [(call, LegState.HELD)]
        await _all_is_as_at_the_switch(world)

    played_by_any(story)


def test_silent_aes_is_lost_and_found_again(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        await _working(world)
        world.aes.set_silent(silent=True)
        request = world.ask_now(commands.MakeCall(number="2002"), 2)
        await world.until(lambda: len(world.links) == 2, "the silence is noticed")
        lost = world.links[1]
        assert isinstance(lost, TelephonyDown)
        # A client library that notices it before we do shuts its provider down, and does not say why.
        assert lost.reason in ({"silent", "closed"} if world.is_jtapi else {"silent"})
        await world.until(lambda: world.answers(request), "what was under way is told to be unknown")
        assert isinstance(world.answers(request)[0], RequestUnknown)
        world.aes.set_silent(silent=False)
        await _until_up_again(world)
        await _all_is_as_at_the_switch(world)

    played(story)


def test_switch_link_goes_down_and_comes_back(played_by_any: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        await _working(world)
        world.set_switch_link(up=False)
        await world.until_links(TelephonyUp, TelephonyDown)
        assert world.links[1] == TelephonyDown(link=AES, reason="switch-link-down")
        assert not world.link.is_up
        assert (await world.refused(Observe())).id == "switch.link-down"
        await world.rest()
        world.set_switch_link(up=True)
        await world.until_links(TelephonyUp, TelephonyDown, TelephonyUp)
        assert world.links[2] == TelephonyUp(link=AES)
        await _all_is_as_at_the_switch(world)

    played_by_any(story)


def test_agent_who_was_logged_out_meanwhile_really_logs_in_again(played_by_any: Played) -> None:
    """A client that keeps agent objects would give the old one back and ask nobody."""

    async def story(world: TelephonyWorld) -> None:
        await world.log_in(1, ready=True)
        world.set_switch_link(up=False)
        await world.until_links(TelephonyUp, TelephonyDown)
        world.aes.act(lambda it: it.switch.agents.force_off(it.switch.board.stations["2001"]))
        world.set_switch_link(up=True)
        await world.until_links(TelephonyUp, TelephonyDown, TelephonyUp)
        found = await world.observe()
        assert (found.agent, found.mode) == (None, SwitchMode.LOGGED_OUT)
        await world.do(LogInAgent(agent=ONE, password=Secret("1234"), reason=2))
        await world.until_mode(SwitchMode.NOT_READY, reason=2)
        truth = world.agent_truth()
        assert truth is not None
        assert (truth["station"], truth["reason"]) == ("2001", 2)
        await world.do(ChangeMode(agent=ONE, mode=SwitchMode.READY))
        await world.until(lambda: (world.agent_truth() or {})["work_mode"] == "autoIn", "ready at the switch")

    played_by_any(story)


def test_agent_who_is_still_logged_in_is_set_to_what_is_asked_for(played_by_any: Played) -> None:
    """A client that keeps an agent's state would find it set already and ask nobody."""

    async def story(world: TelephonyWorld) -> None:
        await world.log_in(1, ready=True)
        world.set_switch_link(up=False)
        await world.until_links(TelephonyUp, TelephonyDown)
        world.aes.act(lambda it: it.switch.agents.no_answer(it.switch.board.stations["2001"]))
        world.set_switch_link(up=True)
        await world.until_links(TelephonyUp, TelephonyDown, TelephonyUp)
        found = await world.observe()
        assert (found.agent, found.mode) == ("5001", SwitchMode.NOT_READY)
        await world.do(ChangeMode(agent=ONE, mode=SwitchMode.READY))
        await world.until(lambda: (world.agent_truth() or {})["work_mode"] == "autoIn", "ready at the switch")

    played_by_any(story)


def test_end_of_one_station_s_monitor_is_that_station_s_alone(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        for number in (1, 2, 3, 4):
            await world.log_in(number)
        assert world.aes.act(lambda it: it.aes.end_monitors("2001")) == 1
        await world.until(lambda: world.of(StationUnobserved, 1), "its session is told")
        assert world.of(StationUnobserved, 2) == []
        assert len(world.links) == 1
        await world.observe()
        world.place_call("2001")
        await world.until_call(LegState.ALERTING)

    played(story)


def test_overload_is_no_loss(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        call = await _working(world)
        for status in (SystemStatusValue.OVERLOAD_IMMINENT, SystemStatusValue.OVERLOAD_REACHED):
            world.aes.act(lambda it, status=status: it.aes.set_status(status))  # type: ignore[misc]
            await world.rest()
        answer = await world.ask(commands.HoldCall(call=call))
        if world.is_jtapi and isinstance(answer, RequestRefused):  # as a client library may while AES is overloaded
            assert not answer.fatal
        else:
            await world.until_call(LegState.HELD)
        for status in (SystemStatusValue.OVERLOAD_RELIEVED, SystemStatusValue.NORMAL):
            world.aes.act(lambda it, status=status: it.aes.set_status(status))  # type: ignore[misc]
            await world.rest()
        if isinstance(answer, RequestRefused):
            await world.do(commands.HoldCall(call=call))
            await world.until_call(LegState.HELD)
        await world.do(commands.RetrieveCall(call=call))
        await world.until_call(LegState.ACTIVE)
        assert len(world.links) == 1
        assert world.of(StationUnobserved) == []

    played(story)


def test_aes_that_takes_nobody_for_a_while_is_found_when_it_does(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        await _working(world)
        await world.refuse()
        await world.until(lambda: world.links[-1] == TelephonyDown(link=AES, reason="unreachable"), "unreachable")
        assert (await world.refused(Observe())).id == "switch.link-down"
        await world.accept_again()
        await _until_up_again(world, downs=2)
        await _all_is_as_at_the_switch(world)

    played(story)


def test_log_ins_that_aes_refuses_wait_for_a_person(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        await world.log_in()

        def refuse(simulator) -> None:
            simulator.aes.refuse_logins = SessionError.INVALID_APPLICATION_INFO
            for session in list(simulator.aes.sessions):
                simulator.aes.terminate(session.session_id, "restart")

        world.aes.act(refuse)
        world.aes.cut(reset=True)
        await world.until(lambda: world.links[-1] == TelephonyDown(link=AES, reason="refused"), "refused")
        world.aes.act(lambda it: setattr(it.aes, "refuse_logins", None))
        world.link.retry_now()
        await _until_up_again(world, downs=2)
        found = await world.observe()
        assert (found.agent, found.mode) == ("5001", SwitchMode.NOT_READY)

    played(story)


def test_next_aes_is_taken_when_the_first_is_gone(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        await world.log_in()
        await world.refuse()
        await world.until(lambda: world.links[-1] == TelephonyUp(link=LinkId("aes-2")), f"the next AES: {world.links}")
        assert world.links[1].link == AES
        answer = await world.ask(Observe(), 3)
        assert isinstance(answer, RequestDone)
        await world.accept_again()

    played(story, servers=2)


def test_asks_under_way_are_answered_once_whatever_is_lost(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        await world.log_in(1)
        await world.log_in(2)
        world.aes.set_delay(0.2)
        requests = [world.ask_now(Snapshot(agent=ONE), 1), world.ask_now(Snapshot(agent=TWO), 2)]
        requests += [world.ask_now(ChangeMode(agent=ONE, mode=SwitchMode.READY), 1), world.ask_now(Observe(), 3)]
        world.aes.cut(reset=True)
        world.aes.set_delay(0.0)
        await _until_up_again(world)
        await world.rest()
        for request in requests:
            answers = world.answers(request)
            assert len(answers) <= 1
            assert all(isinstance(each, RequestUnknown | RequestRefused) for each in answers)
        await world.observe(3)

    played(story)


@pytest.mark.parametrize("how", ["kill_process", "hang_process"])
def test_process_that_is_killed_or_hangs_is_a_loss_like_any_other(process_played: Played, how: str) -> None:
    async def story(world: TelephonyWorld) -> None:
        await _working(world)
        getattr(world, how)()
        request = world.ask_now(commands.MakeCall(number="2002"), 2)
        await _until_up_again(world)
        assert all(isinstance(each, RequestUnknown | RequestRefused) for each in world.answers(request))
        await _all_is_as_at_the_switch(world)

    process_played(story)


def test_link_that_is_stopped_right_after_a_loss_leaves_nothing_behind(process_played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        await world.log_in()
        world.aes.cut(reset=True)
        await world.until(lambda: len(world.links) > 1, "the loss is noticed")

    process_played(story)
