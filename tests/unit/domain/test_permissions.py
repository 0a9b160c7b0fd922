"""What may be asked in which state: one table for the check of a command and the greying of a button."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.unit.domain.desk import AES, DIALLER, JOB, SESSION, Desk

from unified_agent.domain import commands as c
from unified_agent.domain import facts as f
from unified_agent.domain.call import Call
from unified_agent.domain.ids import CallId
from unified_agent.domain.job import RecordField
from unified_agent.domain.permissions import CALL_STATES, PAIR_COMMANDS, blocked_actions, blocked_call_actions, refusal
from unified_agent.domain.session_state import Policy, SessionState
from unified_agent.domain.states import DiallerStage, ItemKind, ItemStage, LegState, Phase, Presence

ONE, TWO = CallId("1"), CallId("2")


def with_calls(*legs: LegState) -> SessionState:
    state = Desk().log_in().state
    return replace(state, calls=tuple(Call(id=CallId(str(n)), state=leg) for n, leg in enumerate(legs, 1)))


ON_ONE_CALL: dict[type[c.CallCommand], c.CallCommand] = {
    c.AnswerCall: c.AnswerCall(call=ONE),
    c.DeflectCall: c.DeflectCall(call=ONE, number="1"),
    c.HoldCall: c.HoldCall(call=ONE),
    c.RetrieveCall: c.RetrieveCall(call=ONE),
    c.HangUpCall: c.HangUpCall(call=ONE),
    c.ConsultCall: c.ConsultCall(call=ONE, number="1"),
    c.BlindTransferCall: c.BlindTransferCall(call=ONE, number="1"),
    c.AddToCall: c.AddToCall(call=ONE, number="1"),
    c.SendDigits: c.SendDigits(call=ONE, digits="1"),
}
TALKING = {LegState.ACTIVE, LegState.CONFERENCED}
POSSIBLE: dict[type[c.CallCommand], set[LegState]] = {
    c.AnswerCall: {LegState.ALERTING},
    c.DeflectCall: {LegState.ALERTING},
    c.HoldCall: TALKING,
    c.RetrieveCall: {LegState.HELD},
    c.HangUpCall: set(LegState) - {LegState.ALERTING},
    c.ConsultCall: TALKING,
    c.BlindTransferCall: TALKING,
    c.AddToCall: TALKING,
    c.SendDigits: TALKING,
}


@pytest.mark.parametrize("leg", LegState)
@pytest.mark.parametrize("kind", CALL_STATES)
def test_every_action_on_a_call_in_every_state_of_its_leg(kind: type[c.CallCommand], leg: LegState):
    state = with_calls(leg)
    reason = refusal(state, ON_ONE_CALL[kind])  # type: ignore[arg-type]
    assert (reason == "") == (leg in POSSIBLE[kind])
    assert blocked_call_actions(state, state.calls[0]).get(c.kebab(kind.__name__), "") == reason


@pytest.mark.parametrize("kind", PAIR_COMMANDS)
def test_joining_two_calls_needs_one_held_and_one_active(kind: type[c.TransferCall]):
    both = with_calls(LegState.HELD, LegState.ACTIVE)
    word = c.kebab(kind.__name__)
    assert refusal(both, kind(held=ONE, active=TWO)) == ""
    assert word not in blocked_call_actions(both, both.calls[0])
    assert refusal(both, kind(held=TWO, active=ONE)) == "needs-held-call"
    assert refusal(both, kind(held=ONE, active=CallId("9"))) == "no-such-call"
    alone = with_calls(LegState.HELD)
    assert blocked_call_actions(alone, alone.calls[0])[word] == "needs-active-call"
    active = with_calls(LegState.ACTIVE)
    assert blocked_call_actions(active, active.calls[0])[word] == "needs-held-call"


def test_while_the_switch_cannot_be_asked_nothing_is_asked_of_it():
    desk = Desk().log_in()
    desk.give(f.TelephonyDown(link=AES, reason="closed"))
    assert desk.command(c.MakeCall(number="1")).error == "telephony-down"
    assert desk.command(c.SetMode(mode=c.AskedMode.READY)).error == "telephony-down"
    desk.give(f.TelephonyUp(link=AES))
    assert desk.command(c.MakeCall(number="1")).error == "telephony-checking"
    assert desk.asked() == []


def test_a_mode_that_is_so_already_or_asked_already_is_not_asked_again():
    desk = Desk().log_in()
    assert desk.command(c.SetMode(mode=c.AskedMode.READY)).error == ""
    assert desk.command(c.SetMode(mode=c.AskedMode.READY)).error == "already-asked"
    assert desk.command(c.SetMode(mode=c.AskedMode.NOT_READY)).error == "already-so"
    assert desk.command(c.SetMode(mode=c.AskedMode.NOT_READY, reason=4)).error == ""


def test_a_site_may_require_a_reason():
    desk = Desk(policy=Policy(reason_required=True)).log_in()
    assert desk.command(c.SetMode(mode=c.AskedMode.NOT_READY)).error == "reason-required"
    assert "set-mode:not-ready" not in blocked_actions(desk.state), "the button opens the menu of reasons"


@pytest.mark.parametrize(
    ("legs", "reason"),
    [
        ([], ""),
        ([LegState.HELD], ""),
        ([LegState.ACTIVE], "call-active"),
        ([LegState.FAILED], "call-active"),
        ([LegState.ALERTING], "call-alerting"),
    ],
)
def test_a_number_is_dialled_only_by_one_who_is_not_talking(legs: list[LegState], reason: str):
    state = with_calls(*legs)
    assert refusal(state, c.MakeCall(number="1")) == reason
    assert blocked_actions(state).get("make-call", "") == reason


def in_job(stage: ItemStage | None = None) -> Desk:
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    if stage is not None:
        fields = (
            RecordField(name="BAL", value="1", editable=True, length=3),
            RecordField(name="NAME", value="PAT"),
        )
        desk.give(
            f.ItemArrived(session=SESSION, kind=ItemKind.MANAGED, title="x", preview=True, fields=fields),
        )
        assert desk.state.item is not None
        desk.state = replace(desk.state, item=replace(desk.state.item, stage=stage))
    return desk


S = ItemStage
LINE: dict[type[c.Command], set[ItemStage]] = {
    c.DialItem: {S.PREVIEWING},
    c.ReleaseLine: {S.ON_CALL, S.ON_HOLD, S.DIALLING},
    c.HoldLine: {S.ON_CALL},
    c.UnholdLine: {S.ON_HOLD},
    c.FinishItem: set(S),
    c.SetCallback: set(S),
    c.SaveDraft: set(S),
    c.UpdateField: set(S),
    c.DialLineDigit: {S.ON_CALL},
}
ON_ITEM = [
    c.DialItem(),
    c.ReleaseLine(),
    c.HoldLine(),
    c.UnholdLine(),
    c.DialLineDigit(digit="1"),
    c.FinishItem(code="20"),
    c.SetCallback(date="2026-12-01", time="10:00", phone=1),
    c.SaveDraft(),
    c.UpdateField(field="BAL", value="2"),
]


@pytest.mark.parametrize("stage", ItemStage)
@pytest.mark.parametrize("command", ON_ITEM, ids=lambda each: type(each).__name__)
def test_every_action_on_an_item_in_every_state_of_its_line(command: c.Command, stage: ItemStage):
    desk = in_job(stage)
    possible = stage in LINE[type(command)]
    assert (refusal(desk.state, command) == "") == possible  # type: ignore[arg-type]
    assert (c.kebab(type(command).__name__) not in blocked_actions(desk.state)) == possible


@pytest.mark.parametrize("command", ON_ITEM, ids=lambda each: type(each).__name__)
def test_without_an_item_there_is_nothing_to_do_on_one(command: c.Command):
    assert refusal(in_job().state, command) == "no-item"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("BAL", "123", ""),
        ("BAL", "1234", "value-too-long"),
        ("NAME", "x", "field-read-only"),
        ("X", "x", "no-such-field"),
    ],
)
def test_a_field_is_changed_only_where_and_as_the_dialler_takes_it(field: str, value: str, reason: str):
    assert refusal(in_job(S.ON_CALL).state, c.UpdateField(field=field, value=value)) == reason


def test_completion_codes_are_compared_as_numbers():
    state = in_job(S.ON_CALL).state
    assert refusal(state, c.FinishItem(code="020")) == ""
    assert refusal(state, c.FinishItem(code="2")) == "unknown-completion-code"


@pytest.mark.parametrize(
    ("stage", "join", "leave", "take"),
    [
        (DiallerStage.OFF, "no-dialler", "no-dialler", "no-dialler"),
        (DiallerStage.WAITING, "dialler-down", "dialler-down", "dialler-down"),
        (DiallerStage.LOGGING_ON, "dialler-down", "dialler-down", "dialler-down"),
        (DiallerStage.REFUSED, "dialler-down", "dialler-down", "dialler-down"),
        (DiallerStage.LOGGED_ON, "", "not-in-job", "not-in-job"),
        (DiallerStage.JOINING, "dialler-busy", "not-in-job", "not-in-job"),
        (DiallerStage.JOINED, "already-in-job", "", ""),
        (DiallerStage.READY, "already-in-job", "", ""),
        (DiallerStage.WORKING, "already-in-job", "", ""),
        (DiallerStage.LEAVING, "dialler-busy", "not-in-job", "not-in-job"),
        (DiallerStage.LOGGING_OFF, "dialler-down", "dialler-down", "dialler-down"),
    ],
)
def test_the_job_commands_in_every_stage(stage: DiallerStage, join: str, leave: str, take: str):
    state = in_job().state
    state = replace(state, dialler=replace(state.dialler, stage=stage))
    assert refusal(state, c.JoinJob(job=JOB)) == join
    assert refusal(state, c.LeaveJob()) == leave
    assert refusal(state, c.TakeItems()) == take
    assert refusal(state, c.PauseItems()) == (leave or "already-so")


def test_nobody_is_put_on_calls_who_is_not_there():
    state = replace(in_job().state, presence=Presence.ABSENT)
    assert refusal(state, c.TakeItems()) == "nobody-at-desktop"
    assert refusal(state, c.SetMode(mode=c.AskedMode.READY)) == "nobody-at-desktop"


def test_a_session_on_its_way_out_takes_no_command():
    state = replace(in_job(S.ON_CALL).state, phase=Phase.CLOSING)
    for command in (c.MakeCall(number="1"), c.LogOut(), *ON_ITEM):
        assert refusal(state, command) == "session-ending"  # type: ignore[arg-type]
    assert set(blocked_actions(state).values()) == {"session-ending"}


def test_every_command_is_on_the_table():
    state = Desk(dialler=True).state
    samples: list[c.AnyCommand] = [
        *(ON_ONE_CALL.values()),  # type: ignore[list-item]
        *ON_ITEM,  # type: ignore[list-item]
        *(kind(held=ONE, active=TWO) for kind in PAIR_COMMANDS),
        c.SetMode(mode=c.AskedMode.READY),
        c.CancelPending(),
        c.LogOut(),
        c.MakeCall(number="1"),
        c.JoinJob(job=JOB),
        c.LeaveJob(),
        c.TakeItems(),
        c.PauseItems(),
        c.RefreshJobs(),
        c.ReconnectHeadset(),
        c.DismissLeftItem(),
        c.SendMessage(text="x"),
    ]
    assert {type(each) for each in samples} == set(c.AnyCommand.__args__)
    for command in samples:
        refusal(state, command)


def test_a_dialler_lost_takes_its_actions_with_it():
    desk = in_job(S.ON_CALL)
    desk.give(f.DiallerLost(session=SESSION, dialler=DIALLER, reason="closed"))
    assert desk.command(c.FinishItem(code="20")).error == "dialler-down"
