"""Presence, waking, answers, the end: what of the session machine stands in ``session.py`` itself."""

from __future__ import annotations

from tests.unit.domain.desk import AES, DIALLER, JOB, SESSION, Desk

from unified_agent.domain import commands as c
from unified_agent.domain import facts as f
from unified_agent.domain.effects import AskSwitch, ChangeMode, CountUnexpected
from unified_agent.domain.ids import CallId, RequestId
from unified_agent.domain.notices import AgentChanged, SessionChanged
from unified_agent.domain.session import next_wake_s, step
from unified_agent.domain.session_state import Outcome, Policy
from unified_agent.domain.states import DiallerStage, ItemKind, Phase, Presence, SwitchMode


def ready(desk: Desk) -> Desk:
    desk.command(c.SetMode(mode=c.AskedMode.READY))
    desk.done("mode:ready")
    desk.reported(SwitchMode.READY)
    return desk


def test_a_desktop_that_goes_is_suspect_at_once_and_absent_after_a_refreshs_time():
    desk = Desk().log_in()
    desk.give(f.DesktopDetached(session=SESSION))
    assert desk.state.presence is Presence.SUSPECT
    assert desk.told(SessionChanged)[0].session.presence is Presence.SUSPECT
    desk.later(10)
    desk.give(f.DesktopAttached(session=SESSION))
    assert desk.state.presence is Presence.CONNECTED
    desk.give(f.DesktopDetached(session=SESSION))
    desk.later(16)
    assert desk.state.presence is Presence.ABSENT


def test_an_absent_agent_is_made_not_ready_with_a_system_reason_and_finally_logged_out():
    desk = ready(Desk(policy=Policy(reasons_of_system={"desktop-absent": 8})).log_in())
    desk.give(f.DesktopDetached(session=SESSION))
    desk.later(16)
    assert desk.asked() == []
    desk.later(15)
    asked = next(e.ask for e in desk.latest if isinstance(e, AskSwitch))
    assert isinstance(asked, ChangeMode)
    assert (asked.mode, asked.reason) == (SwitchMode.NOT_READY, 8)
    desk.done("mode:not-ready")
    desk.reported(SwitchMode.NOT_READY, reason=8)
    assert desk.state.agent.cause == "desktop-absent"
    desk.later(600)
    assert desk.asked() == ["LogOutAgent"]
    desk.done("log-out-agent")
    assert desk.closed == "desktop-absent"


def test_an_absent_agent_on_a_call_is_never_logged_out():
    desk = Desk().log_in()
    desk.give(f.CallEstablished(session=SESSION, call=CallId("1"), number="3001", incoming=True))
    desk.give(f.DesktopDetached(session=SESSION))
    desk.later(16)
    desk.later(2_000)
    assert desk.closed is None
    assert "LogOutAgent" not in desk.asked()


def test_an_absent_agent_is_taken_out_of_the_job_before_the_next_call_is_offered():
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.command(c.TakeItems())
    desk.done("take-items")
    desk.give(f.DesktopDetached(session=SESSION))
    desk.later(16)
    assert desk.asked() == ["LeaveJob"]
    desk.give(f.JobLeft(session=SESSION, why="asked"))
    desk.done("leave-job")
    desk.give(f.DesktopAttached(session=SESSION))
    assert desk.asked() == ["JoinJob"], "back at the desk the agent is in the job again"
    desk.join()
    assert desk.asked() == [], "but takes items only when they say so"


def test_the_session_says_when_it_wants_to_be_woken():
    desk = Desk().log_in()
    assert next_wake_s(desk.state) is None
    desk.give(f.DesktopDetached(session=SESSION))
    assert next_wake_s(desk.state) == desk.now_s + 15
    desk.give(f.DesktopAttached(session=SESSION))
    desk.command(c.MakeCall(number="1"))
    assert next_wake_s(desk.state) == desk.now_s + desk.state.policy.command_limit_s


def test_a_repeated_command_is_answered_and_not_performed_again():
    desk = Desk().log_in()
    desk.command(c.MakeCall(number="3001"), "x")
    desk.command(c.MakeCall(number="3001"), "x")
    assert desk.asked() == []
    assert sum(each.id == "x" for each in desk.state.commands) == 1


def test_a_request_that_a_link_forgot_is_called_unknown_in_the_end():
    desk = Desk().log_in()
    desk.command(c.MakeCall(number="3001"), "x")
    desk.later(91)
    assert desk.record("x").outcome is Outcome.UNKNOWN
    assert desk.asked() == ["Snapshot"]


def test_an_answer_to_nothing_asked_changes_nothing():
    desk = Desk().log_in()
    before = desk.state
    desk.give(f.RequestDone(session=SESSION, request=RequestId(99)))
    desk.give(f.RequestRefused(session=SESSION, request=RequestId(99), id="switch.refused", fatal=True))
    assert desk.state == before


def test_a_report_that_does_not_fit_is_applied_and_counted():
    desk = Desk().log_in()
    desk.give(f.CallHeld(session=SESSION, call=CallId("1")))
    assert any(isinstance(each, CountUnexpected) for each in desk.latest)
    desk.give(f.ItemArrived(session=SESSION, kind=ItemKind.INBOUND, title="x", preview=False))
    assert desk.state.item is None, "there is no dialler to have sent it"


def test_a_forced_log_out_waits_for_the_call_unless_told_not_to():
    desk = Desk().log_in()
    desk.give(f.CallEstablished(session=SESSION, call=CallId("1"), number="3001", incoming=True))
    desk.give(f.LogOutForced(session=SESSION, cause="supervisor-logged-out"))
    assert desk.asked() == []
    assert [each.what for each in desk.told(AgentChanged)[0].agent.pending] == ["log-out"]
    desk.give(f.LogOutForced(session=SESSION, cause="supervisor-logged-out", now=True))
    assert desk.asked() == ["LogOutAgent"]


def test_a_closed_session_takes_nothing_any_more():
    desk = Desk().log_in()
    desk.command(c.LogOut())
    desk.done("log-out-agent")
    assert desk.state.phase is Phase.CLOSED
    assert step(desk.state, f.TelephonyUp(link=AES), desk.now_s) == (desk.state, ())


def test_a_dialler_that_goes_while_the_session_closes_holds_nothing_up():
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.command(c.LogOut())
    desk.give(f.DiallerLost(session=SESSION, dialler=DIALLER, reason="closed"))
    assert desk.state.dialler.stage is DiallerStage.OFF
    assert desk.asked() == ["LogOutAgent"]
