"""What became of a command is found out from what is so now; nothing is asked twice."""

from __future__ import annotations

import typing
from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.domain.desk import JOB, SESSION, Desk

from unified_agent.domain import commands as c
from unified_agent.domain import facts as f
from unified_agent.domain.agent import AgentState, Pending
from unified_agent.domain.call import Call
from unified_agent.domain.doubts import NO_TRACE, NOT_PERFORMED, find_out
from unified_agent.domain.effects import Settle
from unified_agent.domain.ids import CallId, CommandId, JobName
from unified_agent.domain.job import DiallerState, Draft, WorkItem
from unified_agent.domain.limits import DOUBTS_KEPT
from unified_agent.domain.notices import CommandSettled
from unified_agent.domain.session_state import ClaimState, CommandRecord, Outcome, SessionState
from unified_agent.domain.states import ClaimStage, Direction, ItemKind, ItemStage, LegState, SwitchMode, Wish

ONE, TWO = CallId("1"), CallId("2")
DONE = (Outcome.DONE, "")
NOT = (Outcome.REFUSED, NOT_PERFORMED)
GONE = (Outcome.REFUSED, NO_TRACE)

UP: SessionState = Desk(dialler=True, job=JOB).log_in().state


def call(
    call_id: CallId = ONE, state: LegState = LegState.ACTIVE, direction: Direction | None = Direction.IN, **more: Any
) -> Call:
    return Call(id=call_id, state=state, direction=direction, **more)


def calls(*present: Call) -> dict[str, Any]:
    return {"calls": present}


def mode(now: SwitchMode, pending: SwitchMode | None = None) -> dict[str, Any]:
    waits = None if pending is None else Pending(mode=pending, reason=None)
    return {"agent": AgentState(mode=now, known=True, pending=waits)}


def dialler(**more: Any) -> dict[str, Any]:
    return {"dialler": DiallerState(**more)}


def item(**more: Any) -> WorkItem:
    return WorkItem(number=1, kind=ItemKind.OUTBOUND, stage=ItemStage.LINE_GONE, **more)


PARTY = (f.PartySeen(number="3001"),)
READY, NOT_READY = c.SetMode(mode=c.AskedMode.READY), c.SetMode(mode=c.AskedMode.NOT_READY)
HELD, ALERTING, DIALLING, CONFERENCED = LegState.HELD, LegState.ALERTING, LegState.DIALLING, LegState.CONFERENCED
PAIR: dict[str, Any] = {"held": ONE, "active": TWO}
TYPED = Draft(notes="called twice", code="20")

#: Command, what is so, what became of it.
TABLE: list[tuple[c.AnyCommand, dict[str, Any], tuple[Outcome, str]]] = [
    (READY, mode(SwitchMode.READY), DONE),
    (READY, mode(SwitchMode.NOT_READY), NOT),
    (NOT_READY, mode(SwitchMode.READY, SwitchMode.NOT_READY), DONE),
    (NOT_READY, mode(SwitchMode.READY), NOT),
    (c.LogOut(), {"log_out": "agent"}, DONE),
    (c.LogOut(), {}, NOT),
    (c.CancelPending(), {}, DONE),
    (c.CancelPending(), {"log_out": "agent"}, NOT),
    (c.CancelPending(), mode(SwitchMode.READY, SwitchMode.NOT_READY), NOT),
    # calls
    (c.MakeCall(number="3001"), calls(call(direction=Direction.OUT, called="3001")), DONE),
    (c.MakeCall(number="3001"), calls(call(direction=Direction.OUT, parties=PARTY)), DONE),
    (c.MakeCall(number="3001"), calls(call(direction=None, parties=PARTY)), DONE),
    (c.MakeCall(number="3001"), calls(call(direction=Direction.IN, parties=PARTY)), GONE),
    (c.MakeCall(number="3001"), calls(call(direction=Direction.OUT, called="3002")), GONE),
    (c.MakeCall(number="3001"), {}, GONE),
    (c.ConsultCall(call=ONE, number="3001"), calls(call(state=HELD), call(TWO, DIALLING, None, parties=PARTY)), DONE),
    (c.ConsultCall(call=ONE, number="3001"), calls(call()), GONE),
    (c.AnswerCall(call=ONE), calls(call()), DONE),
    (c.AnswerCall(call=ONE), calls(call(state=ALERTING)), NOT),
    (c.AnswerCall(call=ONE), {}, GONE),
    (c.HoldCall(call=ONE), calls(call(state=HELD)), DONE),
    (c.HoldCall(call=ONE), calls(call()), NOT),
    (c.HoldCall(call=ONE), calls(call(TWO, HELD)), GONE),
    (c.RetrieveCall(call=ONE), calls(call()), DONE),
    (c.RetrieveCall(call=ONE), calls(call(state=HELD)), NOT),
    (c.RetrieveCall(call=ONE), {}, GONE),
    (c.HangUpCall(call=ONE), {}, DONE),
    (c.HangUpCall(call=ONE), calls(call()), NOT),
    (c.TransferCall(**PAIR), {}, DONE),
    (c.TransferCall(**PAIR), calls(call(state=HELD), call(TWO)), NOT),
    (c.TransferCall(**PAIR), calls(call(TWO)), NOT),
    (c.ConferenceCalls(**PAIR), calls(call(TWO, CONFERENCED)), DONE),
    (c.ConferenceCalls(**PAIR), calls(call(state=HELD), call(TWO)), NOT),
    (c.SwapCalls(**PAIR), calls(call(), call(TWO, HELD)), DONE),
    (c.SwapCalls(**PAIR), calls(call(state=HELD), call(TWO)), NOT),
    (c.SwapCalls(**PAIR), {}, NOT),
    (c.ReconnectCall(**PAIR), calls(call()), DONE),
    (c.ReconnectCall(**PAIR), calls(call(state=HELD)), NOT),
    (c.ReconnectCall(**PAIR), calls(call(state=HELD), call(TWO)), NOT),
    (c.BlindTransferCall(call=ONE, number="3001"), {}, GONE),
    (c.AddToCall(call=ONE, number="3001"), calls(call(parties=PARTY)), GONE),
    (c.DeflectCall(call=ONE, number="3001"), {}, GONE),
    (c.SendDigits(call=ONE, digits="1"), calls(call()), GONE),
    # the dialler's job
    (c.JoinJob(job=JOB), dialler(wanted_job=JOB), DONE),
    (c.JoinJob(job=JOB), dialler(wanted_job=JobName("CAREBLD")), NOT),
    (c.LeaveJob(), dialler(), DONE),
    (c.LeaveJob(), dialler(wanted_job=JOB), NOT),
    (c.TakeItems(), dialler(take_items=True), DONE),
    (c.TakeItems(), dialler(), NOT),
    (c.PauseItems(), dialler(), DONE),
    (c.PauseItems(), dialler(take_items=True), NOT),
    (c.RefreshJobs(), {}, NOT),
    # the work item
    (c.SaveDraft(notes="called twice", code="20"), {"item": item(draft=TYPED)}, DONE),
    (c.SaveDraft(notes="called twice", code="20"), {"left_item": item(draft=TYPED)}, DONE),
    (c.SaveDraft(notes="called twice", code="22"), {"item": item(draft=TYPED)}, NOT),
    (c.SaveDraft(notes="called twice", code="20"), {}, NOT),
    (c.DismissLeftItem(), {}, DONE),
    (c.DismissLeftItem(), {"left_item": item()}, NOT),
    *(
        (command, {"left_item": item()}, GONE)
        for command in (
            c.ReconnectHeadset(),
            c.DialItem(),
            c.ReleaseLine(),
            c.HoldLine(),
            c.UnholdLine(),
            c.DialLineDigit(digit="1"),
            c.FinishItem(code="20"),
            c.UpdateField(field="BAL", value="2"),
            c.SetCallback(date="2026-12-01", time="10:30", phone=1),
            c.SendMessage(text="hello"),
        )
    ),
]


@pytest.mark.parametrize(
    ("command", "so", "found"), TABLE, ids=[f"{n}-{type(row[0]).__name__}" for n, row in enumerate(TABLE)]
)
def test_what_became_of_a_command(command: c.AnyCommand, so: dict[str, Any], found: tuple[Outcome, str]):
    assert find_out(replace(UP, **so), command) == found


def test_the_table_has_every_command():
    assert {type(command) for command, _, _ in TABLE} == set(typing.get_args(c.AnyCommand))


# --- in a session


@pytest.mark.parametrize(
    "command", {type(row[0]): row[0] for row in TABLE}.values(), ids=lambda each: type(each).__name__
)
def test_no_command_is_performed_for_being_doubted(command: c.AnyCommand):
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    before = replace(desk.state, commands=())
    desk.give(f.CommandDoubted(session=SESSION, id=CommandId("x"), command=command))
    assert desk.asked() == []
    assert desk.record("x").outcome in {Outcome.DONE, Outcome.REFUSED}
    assert replace(desk.state, commands=()) == before, "nor is anything believed that was not so"


def test_it_is_unknown_until_the_switch_has_been_asked_and_settled_then():
    desk = Desk()
    desk.give(f.CommandDoubted(session=SESSION, id=CommandId("x"), command=c.MakeCall(number="3001")))
    record = desk.record("x")
    assert (record.type, record.outcome, record.error) == ("make-call", Outcome.UNKNOWN, "instance-lost")
    desk.log_in()
    assert desk.record("x").outcome is Outcome.REFUSED
    assert desk.state.doubts == ()
    told = [each for each in desk.effects if isinstance(each, Settle)]
    assert [each.command for each in told] == ["x", "x"], "once unknown, once found out"


def test_how_it_ended_is_told_to_the_desktop():
    desk = Desk().log_in()
    desk.give(f.CommandDoubted(session=SESSION, id=CommandId("x"), command=c.HangUpCall(call=ONE)))
    (told,) = desk.told(CommandSettled)
    assert (told.command, told.command_type, told.outcome, told.error) == ("x", "hang-up-call", "done", "")


def test_a_command_that_is_remembered_here_is_not_doubted():
    desk = Desk().log_in()
    asked = desk.command(c.MakeCall(number="3001"), "x")
    desk.give(f.CommandDoubted(session=SESSION, id=CommandId("x"), command=c.MakeCall(number="3001")))
    assert desk.record("x") == asked
    assert desk.state.doubts == ()


def test_a_command_without_an_answer_can_be_doubted_here_too():
    desk = Desk().log_in()
    desk.command(c.HoldCall(call=ONE), "refused")
    desk.command(c.MakeCall(number="3001"), "x")
    desk.give(f.RequestUnknown(session=SESSION, request=desk.request("make-call")))
    assert desk.record("x").outcome is Outcome.UNKNOWN
    desk.give(f.CommandDoubted(session=SESSION, id=CommandId("x"), command=c.MakeCall(number="3001")))
    assert desk.record("x").error == NO_TRACE


def test_doubts_are_bounded_and_one_asked_twice_counts_once():
    desk = Desk()
    for number in range(DOUBTS_KEPT + 3):
        for _ in range(2):
            desk.give(f.CommandDoubted(session=SESSION, id=CommandId(f"x{number}"), command=c.LogOut()))
    assert [each.id for each in desk.state.doubts] == [f"x{number}" for number in range(3, DOUBTS_KEPT + 3)]


def test_what_the_last_owner_knew_is_told_as_soon_as_we_know_what_it_left():
    desk = Desk(claim=ClaimState(stage=ClaimStage.ASKED, wish=Wish.RESUME, term=0))
    for name in ("known", "lost"):
        desk.give(f.CommandDoubted(session=SESSION, id=CommandId(name), command=c.MakeCall(number="3001")))
    commands = (
        CommandRecord(id=CommandId("known"), type="make-call", outcome=Outcome.REFUSED, error="switch.busy", at_s=1.0),
        CommandRecord(id=CommandId("lost"), type="make-call", outcome=Outcome.ACCEPTED, at_s=1.0),
    )
    desk.give(f.ClaimGranted(session=SESSION, term=2, carried=replace(UP, commands=commands)))
    assert [(each.command, each.error) for each in desk.told(CommandSettled)] == [("known", "switch.busy")]
    assert [each.id for each in desk.state.doubts] == ["lost"]
