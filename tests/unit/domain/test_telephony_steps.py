from __future__ import annotations

import pytest
from tests.unit.domain.desk import AES, SESSION, Desk

from unified_agent.domain import commands as c
from unified_agent.domain import facts as f
from unified_agent.domain.effects import AskSwitch, ChangeMode
from unified_agent.domain.ids import AgentId, CallId
from unified_agent.domain.notices import CommandSettled, SessionEnded
from unified_agent.domain.session_state import Outcome, Policy
from unified_agent.domain.states import LegState, Phase, Side, SwitchMode, TelephonyStage


def refused(desk: Desk, what: str, reason: str, *, fatal: bool) -> None:
    desk.give(f.RequestRefused(session=SESSION, request=desk.request(what), id=reason, detail="words", fatal=fatal))


def down(desk: Desk, reason: str = "closed") -> None:
    desk.give(f.TelephonyDown(link=AES, reason=reason))


def asked_mode(desk: Desk) -> ChangeMode:
    return next(e.ask for e in desk.latest if isinstance(e, AskSwitch) and isinstance(e.ask, ChangeMode))


def test_login_observes_then_asks_for_the_truth_then_logs_in_and_shows_each_step():
    desk = Desk()
    assert desk.state.telephony.stage is TelephonyStage.QUEUED
    desk.give(f.TurnGiven(session=SESSION, side=Side.TELEPHONY))
    assert desk.asked() == ["Observe"]
    desk.done("observe")
    assert desk.asked() == ["Snapshot"]
    desk.snapshot()
    assert desk.asked() == ["LogInAgent"]
    desk.done("log-in-agent")
    assert desk.state.phase is Phase.ACTIVE
    assert desk.state.telephony.stage is TelephonyStage.UP
    assert desk.state.agent.mode is SwitchMode.NOT_READY
    assert desk.state.agent.cause == "just-logged-in"


def test_login_waits_for_a_link_that_is_down_and_goes_on_when_it_is_up():
    desk = Desk(link=False)
    assert desk.state.telephony.stage is TelephonyStage.WAITING
    desk.give(f.TelephonyUp(link=AES))
    assert desk.state.telephony.stage is TelephonyStage.QUEUED


@pytest.mark.parametrize("what", ["observe", "log-in-agent"])
def test_a_first_login_refused_for_good_ends_the_session_and_leaves_nothing_behind(what: str):
    desk = Desk()
    desk.give(f.TurnGiven(session=SESSION, side=Side.TELEPHONY))
    if what == "log-in-agent":
        desk.done("observe")
        desk.snapshot()
    refused(desk, what, "switch.wrong-password", fatal=True)
    assert desk.closed == "switch.wrong-password"
    assert desk.asked() == ["ReleaseStation"]
    assert desk.told(SessionEnded)[0].detail == "words"


def test_a_first_login_refused_for_now_is_tried_again():
    desk = Desk()
    desk.give(f.TurnGiven(session=SESSION, side=Side.TELEPHONY))
    refused(desk, "observe", "switch.busy", fatal=False)
    assert desk.state.telephony.stage is TelephonyStage.REFUSED
    desk.later(20)
    assert desk.state.telephony.stage is TelephonyStage.QUEUED


def test_another_agent_at_the_station_is_named_and_ends_the_login():
    desk = Desk()
    desk.give(f.TurnGiven(session=SESSION, side=Side.TELEPHONY))
    desk.done("observe")
    desk.snapshot(agent="5009", mode=SwitchMode.READY)
    assert desk.closed == "switch.station-in-use"
    assert desk.state.close_detail == "5009"


def test_an_agent_found_logged_in_must_prove_the_password_by_logging_in_again():
    desk = Desk()
    desk.give(f.TurnGiven(session=SESSION, side=Side.TELEPHONY))
    desk.done("observe")
    desk.snapshot(agent="5001", mode=SwitchMode.READY)
    assert desk.asked() == ["LogOutAgent"]
    desk.done("prove")
    assert desk.asked() == ["LogInAgent"]


def test_an_agent_found_on_a_call_is_not_disturbed_to_prove_a_password():
    desk = Desk()
    desk.give(f.TurnGiven(session=SESSION, side=Side.TELEPHONY))
    desk.done("observe")
    desk.snapshot(agent="5001", mode=SwitchMode.READY, calls=(f.CallSeen(call=CallId("1"), state=LegState.ACTIVE),))
    assert desk.closed == "agent.on-a-call"
    assert desk.asked() == ["ReleaseStation"]


def test_a_lost_link_resets_the_desktop_and_shows_nothing_of_the_telephone():
    desk = Desk().log_in()
    desk.give(f.CallAlerting(session=SESSION, call=CallId("1"), number="3001"))
    down(desk)
    assert desk.reset == "telephony-lost"
    assert desk.state.phase is Phase.RESETTING
    assert desk.state.calls == ()
    assert not desk.state.agent.known
    desk.give(f.CallEstablished(session=SESSION, call=CallId("1"), number="3001", incoming=True))
    assert desk.state.calls == (), "a report from before the reset was shown after it"


def test_a_command_under_way_when_the_link_is_lost_is_unknown_and_never_repeated():
    desk = Desk().log_in()
    desk.command(c.MakeCall(number="3001"), "dial")
    down(desk)
    assert desk.record("dial").outcome is Outcome.UNKNOWN
    desk.give(f.TelephonyUp(link=AES), f.TurnGiven(session=SESSION, side=Side.TELEPHONY))
    desk.command(c.MakeCall(number="3001"), "dial")
    assert desk.asked() == []


def come_back(desk: Desk, *, agent: str | None, mode: SwitchMode, calls: tuple[f.CallSeen, ...] = ()) -> None:
    desk.give(f.TelephonyUp(link=AES), f.TurnGiven(session=SESSION, side=Side.TELEPHONY))
    desk.done("observe")
    desk.snapshot(agent=agent, mode=mode, calls=calls)


def make_ready(desk: Desk) -> None:
    desk.command(c.SetMode(mode=c.AskedMode.READY))
    desk.done("mode:ready")
    desk.reported(SwitchMode.READY)


def test_after_a_short_outage_a_ready_agent_who_was_logged_out_is_made_ready_again():
    desk = Desk().log_in()
    make_ready(desk)
    down(desk)
    come_back(desk, agent=None, mode=SwitchMode.LOGGED_OUT)
    desk.done("log-in-agent")
    assert asked_mode(desk).mode is SwitchMode.READY
    assert desk.state.phase is Phase.ACTIVE


def test_after_a_short_outage_an_agent_still_ready_is_left_alone():
    desk = Desk().log_in()
    make_ready(desk)
    down(desk)
    come_back(desk, agent="5001", mode=SwitchMode.READY)
    assert desk.asked() == []
    assert desk.state.agent.mode is SwitchMode.READY
    assert desk.state.agent.known


def test_after_a_long_outage_nobody_is_put_on_calls_by_surprise():
    desk = Desk(policy=Policy(hold_s=30, reasons_of_system={"switch-link-lost": 9})).log_in()
    make_ready(desk)
    down(desk)
    desk.now_s += 31
    come_back(desk, agent="5001", mode=SwitchMode.READY)
    assert asked_mode(desk).mode is SwitchMode.NOT_READY
    assert asked_mode(desk).reason == 9
    desk.reported(SwitchMode.NOT_READY, reason=9)
    assert desk.state.agent.cause == "switch-link-lost"


def test_a_call_that_ended_unseen_leaves_the_agent_not_ready():
    desk = Desk().log_in()
    make_ready(desk)
    desk.give(f.CallEstablished(session=SESSION, call=CallId("1"), number="3001", incoming=True))
    down(desk)
    come_back(desk, agent="5001", mode=SwitchMode.READY)
    assert asked_mode(desk).mode is SwitchMode.NOT_READY


def test_a_call_that_goes_on_keeps_what_only_we_knew_of_it():
    desk = Desk().log_in()
    alerting = f.CallAlerting(session=SESSION, call=CallId("1"), number="3001", queue="8000", data="ACC=4711")
    desk.give(alerting, f.CallEstablished(session=SESSION, call=CallId("1"), number="3001", incoming=True))
    began_s = desk.state.calls[0].since_s
    down(desk)
    seen = f.CallSeen(call=CallId("1"), state=LegState.HELD, parties=(f.PartySeen(number="3001"),))
    come_back(desk, agent="5001", mode=SwitchMode.NOT_READY, calls=(seen,))
    call = desk.state.calls[0]
    assert (call.state, call.data, call.queue, call.since_s) == (LegState.HELD, "ACC=4711", "8000", began_s)


def test_a_relogin_refused_for_good_keeps_the_session_and_says_why():
    desk = Desk().log_in()
    down(desk)
    come_back(desk, agent="5009", mode=SwitchMode.READY)
    assert desk.closed is None
    assert desk.state.telephony.trouble == "switch.station-in-use"
    assert desk.command(c.LogOut()).outcome is Outcome.DONE
    assert desk.closed == "agent"


def test_not_ready_during_a_call_is_pending_at_the_switch_and_can_be_taken_back():
    desk = Desk().log_in()
    make_ready(desk)
    desk.give(f.CallEstablished(session=SESSION, call=CallId("1"), number="3001", incoming=True))
    desk.command(c.SetMode(mode=c.AskedMode.NOT_READY, reason=3), "lunch")
    assert asked_mode(desk).may_wait
    request = desk.request("mode:not-ready")
    desk.give(f.ModePending(session=SESSION, request=request, mode=SwitchMode.NOT_READY, reason=3))
    assert desk.record("lunch").outcome is Outcome.DONE
    assert desk.state.agent.pending is not None
    desk.command(c.CancelPending())
    assert asked_mode(desk).mode is SwitchMode.READY
    desk.done("cancel-pending")
    assert desk.state.agent.pending is None


def test_a_switch_that_keeps_nothing_pending_has_it_kept_by_us_until_the_call_ends():
    desk = Desk().log_in()
    make_ready(desk)
    desk.give(f.CallEstablished(session=SESSION, call=CallId("1"), number="3001", incoming=True))
    desk.command(c.SetMode(mode=c.AskedMode.NOT_READY, reason=3))
    refused(desk, "mode:not-ready", "switch.invalid-state", fatal=False)
    assert desk.state.agent.pending is not None
    desk.give(f.CallEnded(session=SESSION, call=CallId("1")))
    assert asked_mode(desk) == ChangeMode(agent=AgentId("5001"), mode=SwitchMode.NOT_READY, reason=3)


def test_an_unanswered_command_makes_us_ask_for_the_truth():
    desk = Desk().log_in()
    desk.command(c.MakeCall(number="3001"), "dial")
    desk.give(f.RequestUnknown(session=SESSION, request=desk.request("make-call")))
    assert desk.record("dial").outcome is Outcome.UNKNOWN
    assert desk.told(CommandSettled)[0].outcome == "unknown"
    assert desk.asked() == ["Snapshot"]


def test_a_monitor_ended_for_one_station_is_set_up_again_at_once():
    desk = Desk().log_in()
    desk.give(f.StationUnobserved(session=SESSION, reason="monitor-ended"))
    assert desk.reset == "telephony-lost"
    assert desk.state.telephony.stage is TelephonyStage.QUEUED


def test_an_agent_logged_out_at_the_telephone_is_logged_out_here():
    desk = Desk().log_in()
    desk.reported(SwitchMode.LOGGED_OUT)
    assert desk.closed == "logged-out-at-phone"
    assert desk.asked() == ["ReleaseStation"]


def test_log_out_waits_for_the_end_of_a_call_and_can_be_taken_back():
    desk = Desk().log_in()
    desk.give(f.CallEstablished(session=SESSION, call=CallId("1"), number="3001", incoming=True))
    desk.command(c.LogOut(reason=2))
    assert desk.state.phase is Phase.ACTIVE
    desk.command(c.CancelPending())
    desk.give(f.CallEnded(session=SESSION, call=CallId("1")))
    assert desk.asked() == []
    desk.command(c.LogOut(reason=2))
    assert desk.asked() == ["LogOutAgent"]
    desk.done("log-out-agent")
    assert desk.closed == "agent"


def test_log_out_while_the_link_is_down_waits_for_the_switch():
    desk = Desk().log_in()
    down(desk)
    desk.command(c.LogOut())
    assert desk.closed is None
    come_back(desk, agent="5001", mode=SwitchMode.NOT_READY)
    assert desk.asked() == ["LogOutAgent"]
    desk.done("log-out-agent")
    assert desk.closed == "agent"


def test_a_mode_changed_during_a_call_is_asked_for_because_busy_hides_it():
    desk = Desk().log_in()
    desk.give(f.CallEstablished(session=SESSION, call=CallId("1"), number="3001", incoming=True))
    desk.command(c.SetMode(mode=c.AskedMode.READY))
    desk.done("mode:ready")
    assert desk.asked() == ["QueryAgent"]


def test_busy_while_in_wrap_up_may_hide_its_end_and_is_asked_about_once():
    desk = Desk().log_in()
    desk.give(f.CallEstablished(session=SESSION, call=CallId("1"), number="3001", incoming=True))
    desk.reported(SwitchMode.WRAP_UP)
    desk.reported(SwitchMode.WRAP_UP, talking=True)
    assert desk.asked() == ["QueryAgent"]
    desk.reported(SwitchMode.READY, talking=True)
    desk.done("query-agent")
    assert desk.state.agent.mode is SwitchMode.READY
    assert desk.asked() == []


def test_a_log_out_refused_for_a_call_that_came_meanwhile_waits_for_its_end():
    desk = Desk().log_in()
    desk.command(c.LogOut())
    desk.give(f.CallAlerting(session=SESSION, call=CallId("1"), number="3001"))
    refused(desk, "log-out-agent", "switch.invalid-state", fatal=False)
    assert desk.closed is None
    assert desk.state.phase is Phase.ACTIVE
    assert desk.command(c.AnswerCall(call=CallId("1"))).outcome is Outcome.ACCEPTED
    desk.give(f.CallEnded(session=SESSION, call=CallId("1")))
    desk.later(16)
    assert "LogOutAgent" in desk.asked()
    desk.done("log-out-agent")
    assert desk.closed == "agent"


def test_a_link_lost_while_logging_out_is_come_back_from_before_the_log_out_goes_on():
    desk = Desk().log_in()
    desk.command(c.LogOut())
    down(desk)
    assert desk.state.phase is Phase.RESETTING
    seen = f.CallSeen(call=CallId("1"), state=LegState.ACTIVE)
    come_back(desk, agent="5001", mode=SwitchMode.READY, calls=(seen,))
    assert desk.asked() == []
    assert desk.state.phase is Phase.ACTIVE
    desk.give(f.CallEnded(session=SESSION, call=CallId("1")))
    assert desk.asked() == ["LogOutAgent"]


def test_a_second_loss_on_the_way_back_keeps_the_time_of_the_first():
    desk = Desk().log_in()
    make_ready(desk)
    down(desk)
    lost_s = desk.state.telephony.lost_s
    desk.give(f.TelephonyUp(link=AES), f.TurnGiven(session=SESSION, side=Side.TELEPHONY))
    down(desk, "silent")
    assert desk.state.telephony.lost_s == lost_s
    assert desk.state.telephony.wanted is SwitchMode.READY
