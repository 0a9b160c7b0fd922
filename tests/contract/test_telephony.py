"""What everything above ``domain.ports.Telephony`` relies on, as stories that every link must tell alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.contract.telephony_world import BUSY, NOWHERE, SILENT, SOON, TelephonyWorld, agent_of
from tests.contract.telephony_worlds import KINDS, USUAL, Story, play

from unified_agent.domain import commands
from unified_agent.domain.effects import (
    ChangeMode,
    LogInAgent,
    LogOutAgent,
    Observe,
    QueryAgent,
    ReleaseStation,
    Snapshot,
)
from unified_agent.domain.facts import CallAlerting, ModePending, RequestDone, StationSnapshot, TelephonyUp
from unified_agent.domain.ids import AgentId, CallId, LinkId, Secret
from unified_agent.domain.states import Direction, LegState, SwitchMode
from unified_agent.tools.simulators.aes.plan import AfterCallWork, MergedCallId
from unified_agent.tools.simulators.aes.sessions import AesSettings

Played = Callable[..., None]

ONE, TWO, THREE = (AgentId(agent_of(each)) for each in (1, 2, 3))
#: The one who calls in.
CUSTOMER = "0207940001"


@pytest.fixture(params=USUAL)
def played(request: pytest.FixtureRequest) -> Played:
    """Play a story on one kind of link."""

    def tell(story: Story, **rules: Any) -> None:
        play(request.param, story, **rules)

    return tell


@pytest.fixture(params=list(KINDS))
def played_by_any(request: pytest.FixtureRequest) -> Played:
    """Play a story on every kind of link, those with an awkward peer among them."""

    def tell(story: Story, **rules: Any) -> None:
        play(request.param, story, **rules)

    return tell


# --- agents


def test_agent_works_a_day(played_by_any: Played) -> None:
    async def day(world: TelephonyWorld) -> None:
        assert world.links == [TelephonyUp(link=LinkId("aes-1"))]
        found = await world.observe()
        assert (found.agent, found.mode, found.calls) == (None, SwitchMode.LOGGED_OUT, ())
        await world.do(LogInAgent(agent=ONE, password=Secret("1234"), reason=1))
        await world.until_mode(SwitchMode.NOT_READY, reason=1)
        await world.do(ChangeMode(agent=ONE, mode=SwitchMode.READY))
        await world.until_mode(SwitchMode.READY, reason=None)

        call = world.place_call("8000", user_data=b"ACC=4711")
        ringing = await world.until_call(LegState.ALERTING, parties={CUSTOMER})
        assert (ringing.id, ringing.direction) == (call, Direction.IN)
        alerting = world.of(CallAlerting)[-1]
        assert (alerting.called, alerting.queue, alerting.data) == ("8000", "8000", "ACC=4711")
        assert len(alerting.ucid) == 20
        await world.do(commands.AnswerCall(call=call))
        await world.until_call(LegState.ACTIVE, parties={CUSTOMER})
        await world.until_mode(SwitchMode.READY, talking=True)
        await world.do(commands.HoldCall(call=call))
        await world.until_call(LegState.HELD)
        await world.do(commands.RetrieveCall(call=call))
        await world.until_call(LegState.ACTIVE)
        await world.do(commands.HangUpCall(call=call))
        await world.until_calls()

        await world.until_mode(SwitchMode.WRAP_UP)
        await world.do(ChangeMode(agent=ONE, mode=SwitchMode.NOT_READY, reason=3))
        await world.until_mode(SwitchMode.NOT_READY, reason=3, talking=False)
        await world.do(LogOutAgent(agent=ONE, password=Secret("1234"), reason=5))
        told = await world.until_mode(SwitchMode.LOGGED_OUT)
        assert told.reason in {5, None}  # not every client library tells it
        assert world.agent_truth() is None
        await world.do(ReleaseStation())
        world.forget(1)
        await world.until(lambda: world.truth()["aes"]["monitors"] == 0, "nothing is observed any more")

    played_by_any(day, after_call_work=AfterCallWork.ALWAYS)


def test_change_of_mode_waits_for_the_end_of_the_call(played_by_any: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        await world.log_in(ready=True)
        call = world.place_call("8000")
        await world.until_call(LegState.ALERTING)
        await world.do(commands.AnswerCall(call=call))
        await world.until_call(LegState.ACTIVE)
        waiting = await world.do(ChangeMode(agent=ONE, mode=SwitchMode.NOT_READY, reason=4, may_wait=True))
        assert isinstance(waiting, ModePending)
        assert (waiting.mode, waiting.reason) == (SwitchMode.NOT_READY, 4)
        seen = await world.do(Snapshot(agent=ONE))
        assert isinstance(seen, StationSnapshot)
        assert (seen.mode, seen.talking) == (SwitchMode.READY, True)
        assert (seen.pending_mode, seen.pending_reason) == (SwitchMode.NOT_READY, 4)
        await world.do(commands.HangUpCall(call=call))
        await world.until_calls()
        told = await world.until_mode(SwitchMode.NOT_READY, reason=4, talking=False)
        assert told.pending_mode is None

    played_by_any(story)


def test_change_of_mode_that_may_not_wait_is_refused_during_a_call(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        await world.log_in(ready=True)
        call = world.place_call("8000")
        await world.until_call(LegState.ALERTING)
        await world.do(commands.AnswerCall(call=call))
        refused = await world.refused(ChangeMode(agent=ONE, mode=SwitchMode.NOT_READY, reason=4))
        assert (refused.id, refused.fatal) == ("switch.invalid-state", False)
        await world.do(commands.HangUpCall(call=call))
        await world.until_mode(SwitchMode.READY, talking=False)

    played(story)


def test_agent_at_the_telephone_by_hand_is_told(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        await world.observe()
        world.aes.act(lambda it: it.switch.agents.log_on("2001", "5001", None, reason=7))
        await world.until_mode(SwitchMode.NOT_READY, reason=7, agent=ONE)
        world.aes.act(lambda it: it.switch.agents.force_off(it.switch.board.stations["2001"]))
        await world.until_mode(SwitchMode.LOGGED_OUT)

    played(story)


def test_agents_are_asked_about_on_a_release_without_agent_events(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        await world.log_in(ready=True)
        call = world.place_call("8000")
        await world.until_call(LegState.ALERTING)
        await world.do(commands.AnswerCall(call=call))
        await world.do(commands.HangUpCall(call=call))
        await world.until_mode(SwitchMode.READY, talking=False)
        world.aes.act(lambda it: it.switch.agents.force_off(it.switch.board.stations["2001"]))
        await world.until_mode(SwitchMode.LOGGED_OUT)

    played(story, aes=AesSettings(agent_events=False))


def test_log_in_again_after_logging_out_at_the_telephone_really_logs_in(played_by_any: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        await world.log_in()
        world.aes.act(lambda it: it.switch.agents.force_off(it.switch.board.stations["2001"]))
        await world.until_mode(SwitchMode.LOGGED_OUT)
        await world.do(LogInAgent(agent=ONE, password=Secret("1234"), reason=2))
        await world.until_mode(SwitchMode.NOT_READY, reason=2)
        truth = world.agent_truth()
        assert truth is not None
        assert truth["station"] == "2001"

    played_by_any(story)


@pytest.mark.parametrize(
    ("number", "agent", "password", "refusal"),
    [
        (1, "5001", "9999", "switch.wrong-password"),
        (1, "7777", "1234", "switch.unknown-agent"),
        (2, "5001", "1234", "switch.station-in-use"),
        (1, "5002", "1234", "switch.agent-elsewhere"),
    ],
)
def test_refused_log_in_says_what_is_wrong(
    played: Played, number: int, agent: str, password: str, refusal: str
) -> None:
    async def story(world: TelephonyWorld) -> None:
        await world.log_in(2)
        await world.do(Observe(), number)
        refused = await world.refused(LogInAgent(agent=AgentId(agent), password=Secret(password)), number)
        assert (refused.id, refused.fatal) == (refusal, True)

    played(story)


def test_log_in_that_was_refused_can_be_tried_again(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        await world.observe()
        await world.refused(LogInAgent(agent=ONE, password=Secret("9999")))
        await world.do(LogInAgent(agent=ONE, password=Secret("1234"), reason=1))
        await world.until_mode(SwitchMode.NOT_READY, reason=1)
        assert world.agent_truth() is not None

    played(story)


def test_unknown_station_is_refused_and_leaves_nothing_at_the_switch(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        await world.log_in(2)
        refused = await world.refused(Observe(), 999)
        assert (refused.id, refused.fatal) == ("switch.unknown-station", True)
        world.forget(999)
        await world.do(QueryAgent(agent=TWO), 2)
        (session,) = world.truth()["sessions"].values()
        assert list(session["monitors"].values()) == ["2002"]

    played(story)


def test_station_that_is_not_observed_cannot_be_used(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        refused = await world.refused(commands.MakeCall(number="2002"))
        assert refused.id == "switch.invalid-state"

    played(story)


# --- calls


def test_station_calls_another_and_each_sees_its_side(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        for number in (1, 2):
            await world.observe(number)
        await world.do(commands.MakeCall(number="2002"))
        out = await world.until_call(LegState.DIALLING, parties={"2002"})
        inward = await world.until_call(LegState.ALERTING, 2, parties={"2001"})
        assert out.id == inward.id
        assert (out.direction, inward.direction) == (Direction.OUT, Direction.IN)
        await world.do(commands.AnswerCall(call=out.id), 2)
        await world.until_call(LegState.ACTIVE, parties={"2002"})
        await world.until_call(LegState.ACTIVE, 2, parties={"2001"})
        await world.do(commands.SendDigits(call=out.id, digits="12#"))
        await world.until(
            lambda: [each["digits"] for each in world.truth()["calls"][out.id]["digits"]] == ["12#"], "tones"
        )
        await world.do(commands.HoldCall(call=out.id), 2)
        await world.until_call(LegState.HELD, 2)
        await world.until(lambda: world.calls()[0].parties[0].state is LegState.HELD, "the other's hold")
        await world.do(commands.RetrieveCall(call=out.id), 2)
        await world.until(lambda: world.calls()[0].parties[0].state is LegState.ACTIVE, "the other's return")
        await world.do(commands.HangUpCall(call=out.id))
        await world.until_calls()
        await world.until_calls(number=2)

    played(story)


@pytest.mark.parametrize("number", [BUSY, NOWHERE])
def test_number_that_cannot_be_reached_is_told(played: Played, number: str) -> None:
    async def story(world: TelephonyWorld) -> None:
        await world.observe()
        await world.do(commands.MakeCall(number=number))
        failed = await world.until_call(LegState.FAILED)
        assert failed.called == number
        await world.do(commands.HangUpCall(call=failed.id))
        await world.until_calls()

    played(story)


def test_outside_number_answers_and_hangs_up(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        await world.observe()
        await world.do(commands.MakeCall(number=SOON))
        call = await world.until_call(LegState.ACTIVE, parties={SOON})
        assert call.direction is Direction.OUT
        world.aes.act(lambda it: it.switch.hang_up_outside(call.id))
        await world.until_calls()
        await world.do(commands.MakeCall(number=SILENT))
        await world.until_call(LegState.DIALLING, parties={SILENT})

    played(story)


def test_number_that_nobody_can_dial_is_refused(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        await world.observe()
        assert (await world.refused(commands.MakeCall(number="77"))).id == "switch.bad-number"
        assert (await world.refused(commands.AnswerCall(call=CallId("4711")))).id == "switch.no-such-call"

    played(story)


def test_ringing_call_is_deflected(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        for number in (1, 2):
            await world.observe(number)
        call = world.place_call("2001")
        await world.until_call(LegState.ALERTING)
        await world.do(commands.DeflectCall(call=call, number="2002"))
        await world.until_calls()
        await world.until_call(LegState.ALERTING, 2, parties={CUSTOMER})

    played(story)


def test_caller_who_gives_up_is_told(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        await world.observe()
        call = world.place_call("2001")
        await world.until_call(LegState.ALERTING)
        world.aes.act(lambda it: it.switch.hang_up_outside(call))
        await world.until_calls()

    played(story)


async def _consulting(world: TelephonyWorld) -> tuple[Any, Any]:
    """A customer's call is held at station 1, whose agent calls station 2 about it, which rings."""
    for number in (1, 2):
        await world.observe(number)
    call = world.place_call("2001", user_data=b"ACC=1")
    await world.until_call(LegState.ALERTING)
    await world.do(commands.AnswerCall(call=call))
    await world.until_call(LegState.ACTIVE)
    await world.do(commands.ConsultCall(call=call, number="2002"))
    held, consult = await world.until_calls(LegState.HELD, LegState.DIALLING)
    await world.until_call(LegState.ALERTING, 2, parties={"2001"})
    return held, consult


@pytest.mark.parametrize("merged", list(MergedCallId))
def test_consult_and_transfer_are_seen_rightly_by_all_three(played_by_any: Played, merged: MergedCallId) -> None:
    async def story(world: TelephonyWorld) -> None:
        held, consult = await _consulting(world)
        await world.do(commands.AnswerCall(call=consult.id), 2)
        await world.until_calls(LegState.HELD, LegState.ACTIVE)
        await world.do(commands.TransferCall(held=held.id, active=consult.id))
        await world.until_calls()
        transferred = await world.until_call(LegState.ACTIVE, 2, parties={CUSTOMER})
        assert transferred.id in world.truth()["calls"]
        world.aes.act(lambda it: it.switch.hang_up_outside(transferred.id))
        await world.until_calls(number=2)

    played_by_any(story, merged_call_id=merged)


def test_transfer_while_the_other_still_rings(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        held, consult = await _consulting(world)
        await world.do(commands.TransferCall(held=held.id, active=consult.id))
        await world.until_calls()
        ringing = await world.until_call(LegState.ALERTING, 2, parties={CUSTOMER})
        await world.do(commands.AnswerCall(call=ringing.id), 2)
        await world.until_call(LegState.ACTIVE, 2, parties={CUSTOMER})

    played(story)


@pytest.mark.parametrize("merged", list(MergedCallId))
def test_conference_grows_and_shrinks(played_by_any: Played, merged: MergedCallId) -> None:
    async def story(world: TelephonyWorld) -> None:
        held, consult = await _consulting(world)
        await world.do(commands.AnswerCall(call=consult.id), 2)
        await world.until_calls(LegState.HELD, LegState.ACTIVE)
        await world.do(commands.ConferenceCalls(held=held.id, active=consult.id))
        conference = await world.until_call(LegState.CONFERENCED, parties={CUSTOMER, "2002"})
        await world.until_call(LegState.CONFERENCED, 2, parties={CUSTOMER, "2001"})
        await world.do(commands.HangUpCall(call=conference.id), 2)
        await world.until_calls(number=2)
        await world.until_call(LegState.ACTIVE, parties={CUSTOMER})

    played_by_any(story, merged_call_id=merged)


def test_calls_are_swapped_and_the_first_is_taken_back(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        held, consult = await _consulting(world)
        await world.do(commands.AnswerCall(call=consult.id), 2)
        await world.until_calls(LegState.HELD, LegState.ACTIVE)
        await world.do(commands.SwapCalls(held=held.id, active=consult.id))
        await world.until_calls(LegState.ACTIVE, LegState.HELD)
        await world.do(commands.SwapCalls(held=consult.id, active=held.id))
        await world.until_calls(LegState.HELD, LegState.ACTIVE)
        await world.do(commands.ReconnectCall(held=held.id, active=consult.id))
        await world.until_call(LegState.ACTIVE, parties={CUSTOMER})
        await world.until_calls(number=2)

    played(story)


def test_call_is_transferred_without_asking(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        for number in (1, 2):
            await world.observe(number)
        call = world.place_call("2001")
        await world.until_call(LegState.ALERTING)
        await world.do(commands.AnswerCall(call=call))
        await world.until_call(LegState.ACTIVE)
        await world.do(commands.BlindTransferCall(call=call, number="2002"))
        await world.until_calls()
        await world.until_call(LegState.ALERTING, 2, parties={CUSTOMER})

    played(story)


def test_party_is_brought_into_a_call(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        for number in (1, 2):
            await world.observe(number)
        call = world.place_call("2001")
        await world.until_call(LegState.ALERTING)
        await world.do(commands.AnswerCall(call=call))
        await world.until_call(LegState.ACTIVE)
        await world.do(commands.AddToCall(call=call, number="2002"))
        await world.until_call(LegState.CONFERENCED, parties={CUSTOMER, "2002"})
        await world.until_call(LegState.CONFERENCED, 2, parties={CUSTOMER, "2001"})

    played(story)


def test_keys_pressed_at_the_telephone_are_told(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        await world.observe()
        call = world.place_call("2001")
        await world.until_call(LegState.ALERTING)
        for press, leg in (
            (world.aes.simulator.switch.calls.answer, LegState.ACTIVE),
            (world.aes.simulator.switch.calls.hold, LegState.HELD),
            (world.aes.simulator.switch.calls.retrieve, LegState.ACTIVE),
        ):
            world.aes.act(lambda _, press=press: press("2001", call))  # type: ignore[misc]
            await world.until_call(leg)
        world.aes.act(lambda it: it.switch.calls.clear_connection("2001", call))
        await world.until_calls()
        world.aes.act(lambda it: it.switch.calls.make_call("2001", SILENT))
        out = await world.until_call(LegState.DIALLING, parties={SILENT})
        assert out.direction is Direction.OUT

    played(story)


def test_call_that_was_there_before_is_found_and_can_be_worked_with(played_by_any: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        call = world.place_call("2001")
        world.aes.act(lambda it: it.switch.calls.answer("2001", call))
        found = await world.observe()
        (seen,) = found.calls
        assert (seen.call, seen.state, [each.number for each in seen.parties]) == (call, LegState.ACTIVE, [CUSTOMER])
        await world.do(commands.HoldCall(call=call))
        await world.until_call(LegState.HELD)
        answer = await world.ask(commands.HangUpCall(call=call))
        assert isinstance(answer, RequestDone)
        await world.until_calls()

    played_by_any(story)


def test_forgotten_session_is_told_nothing_more(played: Played) -> None:
    async def story(world: TelephonyWorld) -> None:
        for number in (1, 2):
            await world.observe(number)
        world.forget(1)
        await world.until(lambda: world.truth()["aes"]["monitors"] == 1, "the station is given back")
        told = len(world.news)
        call = world.place_call("2001")
        world.aes.act(lambda it: it.switch.hang_up_outside(call))
        world.place_call("2002")
        await world.until_call(LegState.ALERTING, 2)
        assert {each.session for each in world.news[told:] if not isinstance(each, TelephonyUp)} == {"s-2002"}  # type: ignore[union-attr]
        await world.observe()

    played(story)
