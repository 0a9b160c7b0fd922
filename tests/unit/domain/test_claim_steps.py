"""Nothing is done without the claim, nothing after it is lost, and it is given up in good order."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.domain.desk import AES, DIALLER, JOB, SESSION, Desk

from unified_agent.domain import commands as c
from unified_agent.domain import facts as f
from unified_agent.domain.carry import adopt, carry_of
from unified_agent.domain.claim_steps import GOES_ON, is_free, is_let_go
from unified_agent.domain.effects import AskClaim, AskDialler, AskSwitch, AskTurn, LogOutAgent
from unified_agent.domain.ids import AgentId, CallId, Secret, SessionId, StationId
from unified_agent.domain.limits import LEAVE_LIMIT_S
from unified_agent.domain.login import StepState
from unified_agent.domain.notices import LoginChanged, SessionEnded
from unified_agent.domain.session import next_wake_s
from unified_agent.domain.session_state import ClaimState, Policy, SessionState
from unified_agent.domain.states import (
    ClaimStage,
    DiallerStage,
    ItemKind,
    Phase,
    Presence,
    Side,
    SwitchMode,
    TelephonyStage,
    Wish,
)
from unified_agent.domain.view import view_of


def waiting(wish: Wish = Wish.LOGIN, **more: Any) -> Desk:
    """A session whose claim has been asked for."""
    claim = {"needs_desktop": more.pop("needs_desktop", False), "ticket_term": more.pop("ticket_term", 0)}
    return Desk(claim=ClaimState(stage=ClaimStage.ASKED, wish=wish, term=0, **claim), **more)


def granted(desk: Desk, term: int = 5, carried: SessionState | None = None) -> Desk:
    desk.give(f.ClaimGranted(session=SESSION, term=term, carried=carried))
    return desk


def asks(desk: Desk) -> list[object]:
    """All that links and their queues were ever asked."""
    return [each for each in desk.effects if isinstance(each, AskSwitch | AskDialler | AskTurn)]


def left_by_another(**changes: Any) -> SessionState:
    """What an instance leaves whose agent was ready, in a job, on a call."""
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.command(c.SetMode(mode=c.AskedMode.READY))
    desk.done("mode:ready")
    desk.reported(SwitchMode.READY)
    desk.give(f.CallEstablished(session=SESSION, call=CallId("1"), number="3001", incoming=True))
    return replace(carry_of(desk.state), **changes)


# --- asked for


def test_the_claim_is_asked_for_and_nothing_else():
    desk = waiting(Wish.RESUME, dialler=True, ticket_term=4)
    assert [each for each in desk.effects if isinstance(each, AskClaim)] == [
        AskClaim(session=SESSION, agent=AgentId("5001"), station=StationId("2001"), wish=Wish.RESUME, ticket_term=4)
    ]
    assert asks(desk) == []


def test_whatever_is_reported_meanwhile_nothing_is_asked_of_switch_or_dialler():
    desk = waiting(dialler=True, job=JOB)
    desk.give(
        f.TelephonyDown(link=AES, reason="closed"),
        f.TelephonyUp(link=AES),
        f.DiallerUp(link=DIALLER),
        f.TurnGiven(session=SESSION, side=Side.TELEPHONY),
        f.TurnGiven(session=SESSION, side=Side.DIALLER),
        f.StationUnobserved(session=SESSION, reason="monitor-ended"),
        f.MoveAsked(session=SESSION, reason="move"),
        f.Woken(session=SESSION),
    )
    desk.reported(SwitchMode.READY)
    desk.later(600)
    assert asks(desk) == []
    assert desk.state.claim.stage is ClaimStage.ASKED


def test_commands_are_refused_until_it_is_granted():
    desk = waiting()
    assert desk.command(c.MakeCall(number="3001")).error == "claim-awaited"
    assert set(view_of(desk.state).blocked.values()) == {"claim-awaited"}


def test_the_desktop_sees_what_the_claim_waits_for():
    desk = waiting()
    desk.give(f.ClaimDelayed(session=SESSION, trouble="cluster.owner-lives", detail="a1"))
    first = desk.told(LoginChanged)[0].login.steps[0]
    assert (first.name, first.state, first.doing) == ("claim", StepState.UNDER_WAY, "cluster.owner-lives")
    assert desk.state.claim.detail == "a1"
    granted(desk)
    assert desk.told(LoginChanged)[0].login.steps[0].name == "link"
    assert (desk.state.claim.trouble, desk.state.claim.detail) == ("", "")


def test_a_delay_told_late_says_nothing_any_more():
    desk = granted(waiting())
    desk.give(f.ClaimDelayed(session=SESSION, trouble="cluster.no-store"))
    assert desk.state.claim.trouble == ""


def test_a_refused_claim_ends_the_session_with_its_reason_and_asks_nobody():
    desk = waiting(dialler=True)
    desk.give(f.ClaimRefused(session=SESSION, id="station.in-use", detail="station 2001 is used by agent 5002"))
    assert desk.closed == "station.in-use"
    ended = desk.told(SessionEnded)
    assert [(each.reason, each.detail) for each in ended] == [("station.in-use", "station 2001 is used by agent 5002")]
    assert asks(desk) == []


# --- a claim that waits for its desktop


def test_a_claim_for_a_ticket_is_asked_for_only_when_its_desktop_is_there():
    desk = Desk(
        claim=ClaimState(stage=ClaimStage.ASKED, wish=Wish.RESUME, term=0, needs_desktop=True, ticket_term=3),
        desktop=False,
    )
    assert not any(isinstance(each, AskClaim) for each in desk.effects)
    desk.give(f.DesktopAttached(session=SESSION))
    assert [each.ticket_term for each in desk.latest if isinstance(each, AskClaim)] == [3]
    desk.give(f.DesktopAttached(session=SESSION))
    assert not any(isinstance(each, AskClaim) for each in desk.latest), "once"


@pytest.mark.parametrize("came", [True, False])
def test_a_desktop_that_went_on_to_another_instance_is_not_followed(came: bool):
    desk = Desk(claim=ClaimState(stage=ClaimStage.ASKED, wish=Wish.RESUME, term=0, needs_desktop=True), desktop=came)
    if came:
        desk.give(f.DesktopDetached(session=SESSION))
    else:
        desk.later(16)
    assert desk.closed == "moved"
    assert desk.told(SessionEnded) == []
    assert asks(desk) == []


def test_once_granted_it_is_kept_without_a_desktop():
    desk = granted(waiting(Wish.RESUME, needs_desktop=True))
    desk.give(f.DesktopDetached(session=SESSION))
    assert desk.closed is None


# --- granted


def test_a_granted_claim_begins_the_login():
    desk = granted(waiting(), term=7)
    assert desk.state.claim == ClaimState(stage=ClaimStage.HELD, wish=Wish.LOGIN, term=7)
    assert desk.latest[0] == AskTurn(session=SESSION, side=Side.TELEPHONY)
    assert desk.log_in().state.phase is Phase.ACTIVE


def test_a_claim_granted_while_the_switch_is_away_waits_for_it():
    desk = granted(waiting(link=False))
    assert asks(desk) == []
    desk.give(f.TelephonyUp(link=AES))
    assert asks(desk) == [AskTurn(session=SESSION, side=Side.TELEPHONY)]


@pytest.mark.parametrize("same_session", [True, False])
def test_a_login_inherits_nothing_and_proves_its_password_anew(same_session: bool):
    carried = left_by_another() if same_session else left_by_another(id=SessionId("another"))
    desk = granted(waiting(Wish.LOGIN), carried=carried)
    assert desk.closed is None
    assert not desk.state.telephony.verified
    assert (desk.state.dialler.wanted_job, desk.state.calls_before) == (None, ())
    desk.give(f.TurnGiven(session=SESSION, side=Side.TELEPHONY))
    desk.done("observe")
    desk.snapshot(agent="5001", mode=SwitchMode.READY)
    (asked,) = (each.ask for each in desk.latest if isinstance(each, AskSwitch))
    assert isinstance(asked, LogOutAgent), "somebody else's login at the switch proves nothing"


def test_after_a_ticket_the_session_goes_on_where_the_last_owner_left_it():
    desk = granted(waiting(Wish.RESUME, dialler=True), term=6, carried=left_by_another())
    state = desk.state
    assert desk.reset == "moved"
    assert (state.phase, state.telephony.verified, state.telephony.wanted) == (Phase.RESETTING, True, SwitchMode.READY)
    assert (state.dialler.wanted_job, state.dialler.stage) == (JOB, DiallerStage.WAITING)
    assert (state.claim.stage, state.claim.term) == (ClaimStage.HELD, 6)
    assert state.identity.password.value == "1234", "from the ticket"
    desk.give(f.TurnGiven(session=SESSION, side=Side.TELEPHONY))
    desk.done("observe")
    desk.snapshot(
        agent="5001",
        mode=SwitchMode.READY,
        calls=(f.CallSeen(call=CallId("1"), state=left_by_another().calls[0].state),),
    )
    assert desk.state.telephony.stage is TelephonyStage.UP
    assert "LogInAgent" not in desk.asked(), "the agent was never logged out"
    assert desk.state.calls[0].direction is not None, "what a snapshot cannot tell was carried"


def found(mode: SwitchMode, carried: SessionState, **more: Any) -> Desk:
    """An agent's way back at another instance, who is found in a mode at the switch."""
    desk = granted(waiting(Wish.RESUME), term=6, carried=carried)
    desk.give(f.TurnGiven(session=SESSION, side=Side.TELEPHONY))
    desk.done("observe")
    desk.snapshot(agent="5001", mode=mode, **more)
    return desk


@pytest.mark.parametrize(
    ("left", "now"), [(SwitchMode.NOT_READY, SwitchMode.READY), (SwitchMode.READY, SwitchMode.NOT_READY)]
)
def test_a_mode_changed_since_the_last_owner_wrote_of_it_is_the_agents_wish(left: SwitchMode, now: SwitchMode):
    before = left_by_another(calls=())
    carried = replace(before, agent=replace(before.agent, mode=left), telephony=replace(before.telephony, wanted=left))
    desk = found(now, carried, reason=3 if now is SwitchMode.NOT_READY else None)
    assert (desk.state.agent.mode, desk.asked()) == (now, [])
    assert desk.state.telephony.wanted is now


def test_a_wish_that_waited_is_carried_out_when_the_switch_has_not_changed_since():
    before = left_by_another(calls=())
    carried = replace(
        before,
        agent=replace(before.agent, mode=SwitchMode.NOT_READY),
        telephony=replace(before.telephony, wanted=SwitchMode.READY),
    )
    assert found(SwitchMode.NOT_READY, carried).asked() == ["ChangeMode"]


def test_a_login_that_was_granted_nothing_before_inherits_nothing_of_the_session_before_it():
    before = left_by_another(id=SessionId("before"), claim=ClaimState(term=4))
    desk = granted(waiting(Wish.RESUME, ticket_term=0), carried=before)
    assert desk.closed is None
    assert desk.state.claim.stage is ClaimStage.HELD
    assert desk.state.calls == ()


def test_a_session_that_began_after_the_ticket_was_written_wins():
    desk = granted(
        waiting(Wish.RESUME, ticket_term=3), carried=left_by_another(id=SessionId("later"), claim=ClaimState(term=4))
    )
    assert desk.closed == "taken-over"
    assert asks(desk) == []


@pytest.mark.parametrize(
    "carried",
    [
        {"id": SessionId("earlier"), "claim": ClaimState(term=2)},
        {"id": SessionId("later"), "claim": ClaimState(term=4), "phase": Phase.CLOSED},
    ],
    ids=["older-than-the-ticket", "over"],
)
def test_what_another_session_left_is_passed_over_when_it_has_not_won(carried: dict[str, Any]):
    desk = granted(waiting(Wish.RESUME, ticket_term=3), carried=left_by_another(**carried))
    assert desk.closed is None
    assert desk.state.claim.stage is ClaimStage.HELD
    assert desk.state.calls_before == ()


def test_without_a_carry_the_session_goes_on_with_what_the_ticket_says():
    desk = granted(waiting(Wish.RESUME))
    assert desk.state.claim.stage is ClaimStage.HELD
    assert desk.reset is None


def test_a_claim_made_anew_changes_the_term_and_nothing_else():
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    before = desk.state
    granted(desk, term=9, carried=left_by_another())
    assert desk.state == replace(before, claim=replace(before.claim, term=9))
    assert desk.latest == []


# --- lost


@pytest.mark.parametrize("reason", sorted(GOES_ON))
def test_a_lost_claim_closes_at_once_and_asks_nobody_and_the_agents_session_is_not_over(reason: str):
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.give(f.CallEstablished(session=SESSION, call=CallId("1"), number="3001", incoming=True))
    desk.give(f.ClaimLost(session=SESSION, reason=reason))
    assert desk.state.phase is Phase.CLOSED
    assert desk.closed == reason
    assert desk.asked() == []
    assert desk.told(SessionEnded) == []


def test_nothing_that_falls_due_with_the_loss_is_done_any_more():
    desk = Desk(policy=Policy(absent_not_ready_s=30)).log_in()
    desk.command(c.SetMode(mode=c.AskedMode.READY))
    desk.done("mode:ready")
    desk.reported(SwitchMode.READY)
    desk.command(c.MakeCall(number="3001"))
    desk.give(f.DesktopDetached(session=SESSION))
    desk.later(16)
    desk.now_s += 1_000  # not-ready, the time limit of the call, and the log-out have come
    desk.give(f.ClaimLost(session=SESSION, reason="stepped-down"))
    assert desk.asked() == []
    assert desk.state.phase is Phase.CLOSED


# --- given up


def test_a_session_without_a_dialler_is_given_up_at_once_and_its_calls_go_on():
    desk = Desk().log_in()
    desk.give(f.CallEstablished(session=SESSION, call=CallId("1"), number="3001", incoming=True))
    desk.give(f.MoveAsked(session=SESSION, reason="move"))
    assert desk.closed == "moved"
    assert desk.asked() == []
    assert desk.told(SessionEnded) == []
    assert desk.state.telephony.stage is TelephonyStage.UP, "nobody was logged out"


def test_the_dialler_is_left_first():
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.give(f.MoveAsked(session=SESSION, reason="drain"))
    assert desk.asked() == ["LogOffDialler"]
    assert desk.closed is None
    assert desk.command(c.MakeCall(number="3001")).error == "moving"
    desk.give(f.DiallerLoggedOff(session=SESSION))
    assert desk.closed == "moved"
    assert desk.asked() == []


def test_before_the_desktop_is_sent_elsewhere_the_job_is_left_and_the_wish_for_it_kept():
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.give(f.MovePlanned(session=SESSION, going=True))
    assert desk.asked() == ["LeaveJob"]
    assert not is_free(desk.state)
    desk.done("leave-job")
    desk.give(f.JobLeft(session=SESSION, why="asked"))
    assert is_free(desk.state)
    assert desk.asked() == [], "the agent is in no job while the desktop goes"
    assert desk.state.dialler.wanted_job == JOB
    assert desk.state.telephony.stage is TelephonyStage.UP


def test_a_plan_that_is_dropped_lets_the_agent_work_on():
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.give(f.MovePlanned(session=SESSION, going=True))
    desk.done("leave-job")
    desk.give(f.JobLeft(session=SESSION, why="asked"), f.MovePlanned(session=SESSION, going=False))
    assert desk.asked() == ["JoinJob"]


def test_a_dialler_that_does_not_answer_is_left_without_ceremony():
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.give(f.MoveAsked(session=SESSION, reason="move"))
    assert next_wake_s(desk.state) == desk.now_s + LEAVE_LIMIT_S
    desk.later(LEAVE_LIMIT_S - 0.2)
    assert desk.closed is None
    desk.later(0.2)
    assert desk.asked() == ["DropDialler"]
    assert desk.closed == "moved"


def test_a_dialler_that_is_being_logged_on_to_is_left_too():
    desk = Desk(dialler=True).log_in()
    desk.give(f.TurnGiven(session=SESSION, side=Side.DIALLER))
    desk.give(f.MoveAsked(session=SESSION, reason="move"))
    assert desk.asked() == ["LogOffDialler"]


def with_open_record() -> Desk:
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.command(c.TakeItems())
    desk.done("take-items")
    desk.give(f.ItemArrived(session=SESSION, kind=ItemKind.OUTBOUND, title="PAT", preview=False))
    return desk


def test_a_session_with_an_open_record_is_given_up_once_its_desktop_has_gone_to_who_asks():
    desk = with_open_record()
    desk.give(f.DesktopDetached(session=SESSION))
    desk.give(f.MoveAsked(session=SESSION, reason="move"))
    assert desk.asked() == ["LogOffDialler"]
    desk.give(f.DiallerLoggedOff(session=SESSION))
    assert desk.closed == "moved"


def test_a_session_with_an_open_record_is_not_given_up_while_its_desktop_is_here():
    desk = with_open_record()
    desk.give(f.MoveAsked(session=SESSION, reason="move"))
    desk.later(600)
    assert desk.state.claim.stage is ClaimStage.HELD
    assert desk.state.item is not None


def test_an_agent_who_has_logged_in_elsewhere_is_given_up_as_taken_over():
    desk = Desk().log_in()
    desk.give(f.MoveAsked(session=SESSION, reason="taken-over"))
    assert desk.closed == "taken-over"


def test_a_second_wish_changes_nothing():
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.give(f.MoveAsked(session=SESSION, reason="move"))
    before = desk.state
    desk.give(f.MoveAsked(session=SESSION, reason="taken-over"), f.ClaimGranted(session=SESSION, term=99))
    assert desk.state == before


def test_a_lost_claim_does_not_wait_for_the_dialler():
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.give(f.MoveAsked(session=SESSION, reason="move"))
    desk.give(f.ClaimLost(session=SESSION, reason="stepped-down"))
    assert desk.closed == "stepped-down"
    assert desk.asked() == []


def test_a_session_that_is_found_to_have_ended_ends_here_too():
    over = left_by_another(phase=Phase.CLOSED, close_reason="agent")
    desk = granted(waiting(Wish.RESUME, ticket_term=3), carried=over)
    assert desk.closed == "agent"
    assert [each.reason for each in desk.told(SessionEnded)] == ["agent"]
    assert asks(desk) == []


@pytest.mark.parametrize("reason", sorted(GOES_ON))
def test_a_session_that_went_on_goes_on_here(reason: str):
    left = left_by_another(phase=Phase.CLOSED, close_reason=reason)
    desk = granted(waiting(Wish.RESUME, ticket_term=3), carried=left)
    assert (desk.closed, desk.state.phase) == (None, Phase.RESETTING)


def test_a_record_that_was_open_when_the_session_was_given_up_stays_to_be_read_with_its_notes():
    desk = with_open_record()
    desk.command(c.SaveDraft(notes="called twice"))
    desk.give(f.DesktopDetached(session=SESSION))
    desk.give(f.MoveAsked(session=SESSION, reason="move"))
    desk.give(f.DiallerLoggedOff(session=SESSION))
    left = carry_of(desk.state)
    assert left.item is None
    assert left.left_item is not None
    assert (left.left_item.title, left.left_item.draft.notes) == ("PAT", "called twice")


def test_so_does_one_that_came_while_the_dialler_was_being_left():
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.give(f.MoveAsked(session=SESSION, reason="move"))
    desk.give(f.ItemArrived(session=SESSION, kind=ItemKind.OUTBOUND, title="PAT", preview=False))
    desk.later(LEAVE_LIMIT_S)
    assert desk.closed == "moved"
    assert desk.state.left_item is not None


# --- taken over without a desktop


def orphan(*, carried: SessionState | None = None) -> Desk:
    """A session of a lost instance whose desktop has not come: nobody has its passwords."""
    left = carried or left_by_another()
    desk = Desk(claim=ClaimState(stage=ClaimStage.ASKED, wish=Wish.SPREAD, term=0), dialler=True, desktop=False)
    bare = replace(left.identity, password=Secret(""))
    desk.state = adopt(left, replace(desk.state, orphaned=True, identity=bare), desk.now_s)
    desk.state = replace(desk.state, telephony=replace(desk.state.telephony, link=AES))
    granted(desk, carried=left)
    desk.give(f.TurnGiven(session=SESSION, side=Side.TELEPHONY))
    desk.done("observe")
    return desk


def test_an_orphan_that_is_still_ready_is_made_not_ready_and_nothing_else_is_asked():
    desk = orphan()
    desk.snapshot(agent="5001", mode=SwitchMode.READY)
    assert desk.state.phase is Phase.ACTIVE
    asked = [each.ask for each in desk.latest if isinstance(each, AskSwitch | AskDialler)]
    desk.later(60)
    asked += [each.ask for each in desk.latest if isinstance(each, AskSwitch | AskDialler)]
    assert [(type(each).__name__, getattr(each, "mode", None)) for each in asked] == [
        ("ChangeMode", SwitchMode.NOT_READY)
    ]
    assert not any(isinstance(each, AskTurn) and each.side is Side.DIALLER for each in desk.effects)


@pytest.mark.parametrize("found", [None, "5009"])
def test_an_orphan_who_is_not_there_any_more_needs_nobody(found: str | None):
    desk = orphan()
    desk.snapshot(agent=found, mode=SwitchMode.READY if found else SwitchMode.LOGGED_OUT)
    assert desk.closed == "desktop-absent"
    assert not {"LogInAgent", "LogOutAgent"} & set(desk.asked())


def test_an_orphan_cannot_be_logged_out_and_is_let_go_in_time():
    desk = orphan()
    desk.snapshot(agent="5001", mode=SwitchMode.NOT_READY)
    desk.later(16)
    desk.later(600)
    assert desk.closed == "desktop-absent"
    assert "LogOutAgent" not in desk.asked()


def test_an_orphan_whose_desktop_comes_is_whole_again():
    desk = orphan()
    desk.snapshot(agent="5001", mode=SwitchMode.NOT_READY)
    whole = replace(desk.state.identity, password=Secret("1234"))
    desk.give(f.IdentityShown(session=SESSION, identity=whole), f.DesktopAttached(session=SESSION))
    assert (desk.state.orphaned, desk.state.identity) == (False, whole)
    assert any(isinstance(each, AskTurn) and each.side is Side.DIALLER for each in desk.latest)


def test_nobody_else_s_identity_is_changed_by_a_ticket():
    desk = Desk().log_in()
    before = desk.state
    desk.give(f.IdentityShown(session=SESSION, identity=replace(before.identity, password=Secret("other"))))
    assert desk.state == before


# --- whom an instance that asks is given


@pytest.mark.parametrize(
    ("is_open", "desktop", "phase", "goes"),
    [
        (False, True, Phase.ACTIVE, True),
        (False, False, Phase.RESETTING, True),
        (True, True, Phase.ACTIVE, False),
        (True, False, Phase.ACTIVE, True),
        (False, False, Phase.CLOSING, False),
        (False, True, Phase.CLOSED, False),
    ],
)
def test_a_session_is_let_go_unless_it_is_ending_or_its_agent_is_at_work_here(
    is_open: bool, desktop: bool, phase: Phase, goes: bool
):
    state = (with_open_record() if is_open else Desk().log_in()).state
    presence = Presence.CONNECTED if desktop else Presence.SUSPECT
    assert is_let_go(replace(state, phase=phase, presence=presence)) is goes
