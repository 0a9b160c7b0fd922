from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.links.fakes import ManualClock
from tests.unit.sessions.rooms import AES, AskedPort, Claims, Rooms, identity

from unified_agent.domain import commands as c
from unified_agent.domain import facts as f
from unified_agent.domain.ids import AgentId, CallId, CommandId, InstanceId, LinkId, SessionId
from unified_agent.domain.session_state import Outcome, Policy, SessionState
from unified_agent.domain.states import ClaimStage, ItemKind, Phase, Presence, SwitchMode, Wish
from unified_agent.history import HistoryList
from unified_agent.sessions.admission import OpenRefused


def logged_in(rooms: Rooms, number: int = 1) -> SessionId:
    session = rooms.host.open(identity(number))
    rooms.host.desktop_attached(session)
    rooms.clock.advance(0.1)
    return session


def test_a_session_goes_all_the_way_in_with_a_switch_that_answers_in_the_middle_of_the_asking():
    rooms = Rooms()
    session = logged_in(rooms)
    state = rooms.host.state(session)
    assert state is not None
    assert state.phase is Phase.ACTIVE
    assert rooms.switch.words() == ["Observe", "Snapshot", "LogInAgent"]


def test_a_command_is_performed_once_and_its_outcome_remembered():
    rooms = Rooms()
    session = logged_in(rooms)
    first = rooms.host.submit(session, CommandId("c1"), c.MakeCall(number="3001"))
    again = rooms.host.submit(session, CommandId("c1"), c.MakeCall(number="3001"))
    assert first is not None
    assert again is not None
    assert first.outcome is again.outcome is Outcome.DONE
    assert rooms.switch.words().count("MakeCall") == 1
    assert rooms.host.command(session, CommandId("c1")) == again
    assert rooms.host.command(session, CommandId("c2")) is None


def test_a_session_that_is_over_takes_nothing():
    rooms = Rooms()
    nobody = SessionId("nobody")
    assert rooms.host.submit(nobody, CommandId("c1"), c.MakeCall(number="1")) is None
    assert rooms.host.view(nobody) is None
    assert rooms.host.outbox(nobody) is None
    rooms.host.report(f.CallEnded(session=nobody, call=CallId("1")))


def test_the_same_agent_with_the_same_password_takes_the_running_session_over():
    rooms = Rooms()
    session = logged_in(rooms)
    assert rooms.host.open(identity()) == session
    assert len(rooms.host) == 1
    assert rooms.switch.words().count("LogInAgent") == 1


@pytest.mark.parametrize(
    ("number", "change", "reason"),
    [
        (1, {"password": "9999"}, "agent.wrong-password"),
        (1, {"station": "2999"}, "agent.already-logged-in"),
        (2, {"station": "2001"}, "station.in-use"),
    ],
)
def test_who_may_not_open_is_told_why_and_disturbs_nobody(number: int, change: dict[str, str], reason: str):
    rooms = Rooms()
    session = logged_in(rooms)
    with pytest.raises(OpenRefused) as refused:
        rooms.host.open(identity(number, **change))  # type: ignore[arg-type]
    assert refused.value.id == reason
    assert len(rooms.host) == 1
    assert rooms.host.state(session) is not None
    rooms.host.open(identity(3))


def test_a_full_instance_and_a_draining_one_say_so():
    rooms = Rooms(capacity=1)
    logged_in(rooms)
    with pytest.raises(OpenRefused) as full:
        rooms.host.open(identity(2))
    assert (full.value.id, full.value.detail) == ("instance.full", "1")
    rooms = Rooms()
    rooms.host.draining = True
    with pytest.raises(OpenRefused) as draining:
        rooms.host.open(identity(2))
    assert draining.value.id == "instance.draining"


def test_someone_who_has_not_proved_the_password_cannot_keep_the_right_person_out():
    rooms = Rooms(switch=AskedPort())
    rooms.host.open(identity(password="guess"))
    rooms.clock.advance(1)
    with pytest.raises(OpenRefused) as refused:
        rooms.host.open(identity())
    assert refused.value.id == "agent.already-logging-in"
    assert rooms.closed == [("s1", "agent.already-logging-in", "")]
    rooms.host.open(identity())


def test_closing_tells_listeners_frees_agent_and_station_and_forgets_at_the_links():
    rooms = Rooms()
    session = logged_in(rooms)
    rooms.host.submit(session, CommandId("c1"), c.LogOut())
    assert rooms.closed == [(session, "agent", "")]
    assert rooms.switch.forgotten == [session]
    assert rooms.dialler.forgotten == [session]
    assert rooms.host.open(identity()) != session


def test_a_lost_link_resets_every_session_and_its_return_is_paced():
    rooms = Rooms(relogin_rate_per_s=10.0)
    sessions = [logged_in(rooms, number) for number in range(1, 31)]
    rooms.clock.advance(10)
    epochs = [rooms.host.outbox(each).epoch for each in sessions]  # type: ignore[union-attr]
    rooms.host.report_link(f.TelephonyDown(link=AES, reason="closed"))
    assert {each.phase for each in rooms.host.sessions()} == {Phase.RESETTING}
    assert [rooms.host.outbox(each).epoch for each in sessions] == [each + 1 for each in epochs]  # type: ignore[union-attr]
    rooms.host.report_link(f.TelephonyUp(link=AES))
    rooms.clock.advance(1.05)
    back = sum(each.phase is Phase.ACTIVE for each in rooms.host.sessions())
    assert 10 <= back <= 12
    rooms.clock.advance(3)
    assert {each.phase for each in rooms.host.sessions()} == {Phase.ACTIVE}


def test_a_login_while_the_link_is_down_waits_for_it():
    rooms = Rooms()
    rooms.host.report_link(f.TelephonyDown(link=AES, reason="silent"))
    session = logged_in(rooms)
    assert rooms.switch.words() == []
    rooms.host.report_link(f.TelephonyUp(link=AES))
    rooms.clock.advance(0.1)
    state = rooms.host.state(session)
    assert state is not None
    assert state.phase is Phase.ACTIVE


def test_sessions_are_woken_when_they_asked_for_it():
    rooms = Rooms(policy=Policy(absent_log_out_s=100.0))
    session = logged_in(rooms)
    rooms.host.desktop_detached(session)
    rooms.clock.advance(14)
    assert next(rooms.host.sessions()).presence is Presence.SUSPECT
    rooms.clock.advance(2)
    assert next(rooms.host.sessions()).presence is Presence.ABSENT
    rooms.clock.advance(100)
    assert rooms.closed == [(session, "desktop-absent", "")]


def test_counts_are_of_what_is_so_when_they_are_read():
    rooms = Rooms()
    logged_in(rooms)
    text = rooms.metrics.render().decode()
    assert 'ua_sessions{presence="connected"} 1.0' in text
    assert 'ua_agents{mode="not-ready"} 1.0' in text
    assert 'ua_logins_total{outcome="accepted"} 1.0' in text


def resyncs(rooms: Rooms) -> tuple[float | None, float | None]:
    read = rooms.metrics.registry.get_sample_value
    labels = {"kind": "telephony"}
    return read("ua_link_resync_seconds_count", labels), read("ua_link_resync_seconds_sum", labels)


def test_the_time_from_a_links_return_until_the_last_session_is_in_line_is_observed_once():
    rooms = Rooms(relogin_rate_per_s=10.0)
    for number in range(1, 31):
        logged_in(rooms, number)
    rooms.clock.advance(10)
    assert resyncs(rooms) == (None, None), "nobody waited for the first coming of the link"
    rooms.host.report_link(f.TelephonyDown(link=AES, reason="closed"))
    rooms.clock.advance(5)
    rooms.host.report_link(f.TelephonyUp(link=AES))
    rooms.clock.advance(2)
    assert resyncs(rooms) == (None, None)
    rooms.clock.advance(2)
    logged_in(rooms, 31)
    count, seconds = resyncs(rooms)
    assert count == 1.0
    assert seconds == pytest.approx(2.9, abs=0.15)


def test_a_link_lost_again_before_all_are_in_line_begins_anew():
    rooms = Rooms(relogin_rate_per_s=10.0)
    for number in range(1, 31):
        logged_in(rooms, number)
    rooms.clock.advance(10)
    for _ in range(2):
        rooms.host.report_link(f.TelephonyDown(link=AES, reason="closed"))
        rooms.host.report_link(f.TelephonyUp(link=AES))
        rooms.clock.advance(2)
    rooms.clock.advance(2)
    count, seconds = resyncs(rooms)
    assert count == 1.0
    assert seconds is not None
    assert seconds < 4.0


def test_a_link_that_returns_to_sessions_that_all_end_is_in_line():
    rooms = Rooms(switch=AskedPort())
    rooms.host.report_link(f.TelephonyDown(link=AES, reason="closed"))
    session = rooms.host.open(identity())
    rooms.host.report_link(f.TelephonyUp(link=AES))
    rooms.clock.advance(1)
    assert resyncs(rooms)[0] is None
    rooms.host.force_log_out(session, "operator", now=True)
    rooms.clock.advance(1_000)
    assert len(rooms.host) == 0
    assert resyncs(rooms)[0] == 1.0


def test_an_input_counts_from_when_it_came_and_not_from_when_it_was_worked_on():
    rooms = Rooms()
    session = logged_in(rooms)
    rooms.clock.advance(10)
    rooms.host.desktop_detached(session)
    assert rooms.host.received_s(session) == rooms.clock.now_s()
    rooms.clock.advance(1)
    assert rooms.host.received_s(session) == rooms.clock.now_s() - 1
    assert rooms.host.received_s(SessionId("nobody")) is None


def test_a_command_is_counted_once_for_how_it_ended():
    rooms = Rooms()
    session = logged_in(rooms)
    for _ in range(2):
        rooms.host.submit(session, CommandId("c1"), c.MakeCall(number="3001"))
    lines = rooms.metrics.render().decode().splitlines()
    assert [each for each in lines if each.startswith("ua_commands_total{")] == [
        'ua_commands_total{command="make-call",outcome="done"} 1.0'
    ]


def test_a_closed_host_wakes_nobody():
    rooms = Rooms()
    session = logged_in(rooms)
    rooms.host.desktop_detached(session)
    rooms.host.close()
    rooms.clock.advance(1_000)
    assert next(rooms.host.sessions()).presence is Presence.SUSPECT


def test_a_desktop_that_comes_with_a_ticket_is_told_everything_in_the_latest_term_known():
    rooms = Rooms()
    session = rooms.host.adopt(
        identity(), session=SessionId("s9"), ticket_term=7, verified=True, carried=None, desktop_follows=True
    )
    state, outbox = rooms.host.state(session), rooms.host.outbox(session)
    assert state is not None
    assert outbox is not None
    assert state.claim.term == 7
    assert b'"term":7' in outbox.snapshot("attached")


# --- one of several instances


def claimed(rooms: Rooms, number: int = 1) -> SessionId:
    """Log somebody in who is granted to us."""
    session = rooms.host.open(identity(number))
    rooms.host.desktop_attached(session)
    rooms.grant(session)
    assert rooms.state(session).phase is Phase.ACTIVE
    return session


def resumed(rooms: Rooms, carried: SessionState | None = None, **more: Any) -> SessionId:
    given: dict[str, Any] = {"ticket_term": 3, "verified": True, "desktop_follows": False, **more}
    return rooms.host.adopt(identity(), session=SessionId("from-elsewhere"), carried=carried, **given)


def left(**changes: Any) -> SessionState:
    """What another instance wrote of an agent who was ready."""
    other = Rooms(claims=Claims())
    session = claimed(other)
    other.host.report(f.AgentStateReported(session=session, mode=SwitchMode.READY))
    assert other.claims is not None
    return replace(other.claims.published[-1], id=SessionId("from-elsewhere"), **changes)


def test_a_login_asks_for_its_claim_and_begins_when_that_is_granted():
    rooms = Rooms(claims=Claims())
    session = rooms.host.open(identity())
    rooms.clock.advance(60)
    assert rooms.switch.words() == []
    assert rooms.claims is not None
    assert [(each.session, each.agent, each.wish) for each in rooms.claims.asked] == [(session, "5001", Wish.LOGIN)]
    rooms.grant(session)
    assert rooms.switch.words() == ["Observe", "Snapshot", "LogInAgent"]


def test_what_another_instance_left_is_shown_at_once_and_nothing_done_before_the_claim():
    rooms = Rooms(claims=Claims())
    session = resumed(rooms, left())
    rooms.clock.advance(60)
    view = rooms.host.view(session)
    assert view is not None
    assert (view.agent.switch_mode, view.agent.known, view.session.phase) == (SwitchMode.READY, False, Phase.RESETTING)
    assert view.login.steps[0].name == "claim"
    assert rooms.switch.words() == []
    rooms.grant(session, 4, left())
    assert rooms.state(session).phase is Phase.ACTIVE


def test_while_nothing_can_be_read_of_what_was_left_the_link_counts_as_lost_with_the_instance():
    rooms = Rooms(claims=Claims())
    session = resumed(rooms)
    view = rooms.host.view(session)
    assert view is not None
    assert (view.session.phase, view.links.telephony.trouble) == (Phase.RESETTING, "instance-lost")
    assert view.links.telephony.lost is not None


def test_what_an_adopted_session_tells_is_of_a_later_epoch_than_all_before():
    rooms = Rooms(claims=Claims())
    outbox = rooms.host.outbox(resumed(rooms))
    assert outbox is not None
    assert outbox.epoch >= int(rooms.clock.now_s()) * 1_000


def test_a_ticket_brought_twice_finds_the_one_session():
    rooms = Rooms(claims=Claims())
    assert resumed(rooms) == resumed(rooms)
    assert len(rooms.host) == 1


def test_a_ticket_does_not_get_past_a_session_that_a_login_has_opened_here():
    rooms = Rooms(claims=Claims())
    claimed(rooms)
    with pytest.raises(OpenRefused) as refused:
        resumed(rooms)
    assert refused.value.id == "taken-over"


@pytest.mark.parametrize("why", ["instance.draining", "instance.full", "station.in-use"])
def test_a_ticket_is_no_key_to_an_instance_that_cannot_take_its_holder(why: str):
    rooms = Rooms(claims=Claims(), capacity=1 if why == "instance.full" else 10)
    rooms.host.draining = why == "instance.draining"
    if why != "instance.draining":
        rooms.host.open(identity(2, station="2001" if why == "station.in-use" else ""))
    before = len(rooms.host)
    with pytest.raises(OpenRefused) as refused:
        resumed(rooms)
    assert refused.value.id == why
    assert len(rooms.host) == before


def test_an_instance_that_is_alone_takes_its_own_sessions_back_after_a_restart():
    rooms = Rooms()
    session = resumed(rooms)
    rooms.clock.advance(0.1)
    assert rooms.state(session).phase is Phase.ACTIVE


# --- asked to give agents up


def test_an_agent_is_given_up_when_the_dialler_is_left_what_it_leaves_first():
    rooms = Rooms(claims=Claims())
    session = claimed(rooms)
    assert rooms.claims is not None
    rooms.claims.told.clear()
    assert rooms.host.session_of(AgentId("5001")) == session
    assert rooms.host.let_go(AgentId("5001"), "move", "") == ""
    assert rooms.host.session_of(AgentId("5001")) is None
    assert rooms.closed == [(session, "moved", "")]
    assert rooms.claims.told == [("publish", session), ("forget", session)]
    assert (rooms.claims.published[-1].phase, rooms.claims.published[-1].close_reason) == (Phase.CLOSED, "moved")


def test_nobody_is_given_up_who_is_not_here():
    assert Rooms(claims=Claims()).host.let_go(AgentId("5001"), "move", "") == "not-here"


def test_an_agent_who_logs_in_elsewhere_is_given_up_for_the_same_password_only():
    rooms = Rooms(claims=Claims())
    session = claimed(rooms)
    assert rooms.host.let_go(AgentId("5001"), "taken-over", "5001 knows 9999") == "agent.wrong-password"
    assert rooms.state(session).claim.stage is ClaimStage.HELD
    assert rooms.host.let_go(AgentId("5001"), "taken-over", "5001 knows 1234") == ""
    assert rooms.closed == [(session, "taken-over", "")]


def test_a_password_that_nobody_has_proved_yet_is_not_called_the_right_one():
    rooms = Rooms(switch=AskedPort(), claims=Claims())
    session = rooms.host.open(identity(password="guess"))
    rooms.grant(session)
    assert rooms.host.let_go(AgentId("5001"), "taken-over", "5001 knows 1234") == "agent.already-logging-in"


def test_an_agent_with_an_open_record_or_on_the_way_out_is_given_up_later():
    rooms = Rooms(claims=Claims())
    session = rooms.host.open(identity(dialler=True))
    rooms.grant(session)
    rooms.host.report(
        f.DiallerLoggedOn(
            session=session, request=rooms.state(session).requests[0].id, dialler=LinkId("dialler-1"), jobs=()
        )
    )
    rooms.host.report(f.ItemArrived(session=session, kind=ItemKind.OUTBOUND, title="PAT", preview=False))
    rooms.host.desktop_attached(session)
    assert rooms.host.let_go(AgentId("5001"), "move", "") == "later"
    rooms.host.report(f.ItemFinished(session=session))
    rooms.host.force_log_out(session, "operator", now=True)
    assert rooms.state(session).phase is Phase.CLOSING, "it waits for the dialler"
    assert rooms.host.let_go(AgentId("5001"), "move", "") == "later"


def test_sessions_that_are_lost_close_at_once_and_nobody_is_asked():
    rooms = Rooms(claims=Claims())
    sessions = [claimed(rooms, number) for number in (1, 2, 3)]
    asked = rooms.switch.words()
    rooms.host.lose(sessions[:2], "stepped-down")
    assert rooms.closed == [(session, "stepped-down", "") for session in sessions[:2]]
    assert [each.id for each in rooms.host.sessions()] == sessions[2:]
    assert rooms.switch.words() == asked


def test_a_session_that_has_ended_says_so_to_whoever_comes_with_its_ticket():
    rooms = Rooms(claims=Claims())
    session = claimed(rooms)
    rooms.host.submit(session, CommandId("c1"), c.LogOut())
    assert rooms.claims is not None
    assert (rooms.claims.published[-1].phase, rooms.claims.published[-1].close_reason) == (Phase.CLOSED, "agent")
    assert rooms.claims.told[-2:] == [("publish", session), ("forget", session)]


def test_a_session_that_never_had_its_claim_leaves_nothing():
    rooms = Rooms(claims=Claims())
    session = rooms.host.open(identity())
    rooms.host.report(f.ClaimRefused(session=session, id="station.in-use"))
    assert rooms.claims is not None
    assert rooms.claims.told == [("forget", session)]


def test_a_command_asked_of_another_instance_is_found_out_and_not_performed():
    rooms = Rooms(claims=Claims())
    session = resumed(rooms, left())
    record = rooms.host.resolve(session, CommandId("c1"), c.MakeCall(number="3001"))
    assert record is not None
    assert record.outcome is Outcome.UNKNOWN
    rooms.grant(session, 4, left())
    found = rooms.host.command(session, CommandId("c1"))
    assert found is not None
    assert (found.outcome, found.error) == (Outcome.REFUSED, "command.no-trace")
    assert "MakeCall" not in rooms.switch.words()
    assert rooms.host.resolve(SessionId("nobody"), CommandId("c1"), c.LogOut()) is None


# --- agents of a lost instance whose desktop does not come


def test_an_agent_whose_desktop_does_not_come_is_kept_off_new_work_without_a_password():
    rooms = Rooms(claims=Claims(), switch=AskedPort())
    rooms.host.adopt_orphan(left())
    rooms.grant(SessionId("from-elsewhere"), 4, left())
    state = rooms.state(SessionId("from-elsewhere"))
    assert (state.orphaned, state.identity.password.value) == (True, "")
    rooms.clock.advance(1)
    rooms.host.report(f.RequestDone(session=state.id, request=state.requests[0].id))
    snapshot = rooms.state(state.id).requests[0].id
    rooms.host.report(
        f.StationSnapshot(session=state.id, request=snapshot, calls=(), agent=AgentId("5001"), mode=SwitchMode.READY)
    )
    rooms.clock.advance(60)
    assert rooms.switch.words() == ["Observe", "Snapshot", "ChangeMode"]
    assert "LogInAgent" not in rooms.switch.words()


def test_a_ticket_makes_an_orphan_whole_again():
    rooms = Rooms(claims=Claims())
    rooms.host.adopt_orphan(left())
    session = resumed(rooms, left())
    assert (rooms.state(session).orphaned, rooms.state(session).identity) == (False, identity())


def test_a_login_takes_an_orphan_s_place():
    rooms = Rooms(claims=Claims())
    rooms.host.adopt_orphan(left())
    session = rooms.host.open(identity())
    assert [each.id for each in rooms.host.sessions()] == [session]


def test_an_orphan_is_given_up_to_whoever_logs_in_elsewhere_and_proves_it_at_the_switch():
    rooms = Rooms(claims=Claims(), switch=AskedPort())
    rooms.host.adopt_orphan(left())
    rooms.grant(SessionId("from-elsewhere"), 4, left())
    assert rooms.host.let_go(AgentId("5001"), "taken-over", "5001 knows 1234") == ""
    assert len(rooms.host) == 0


def test_an_orphan_is_not_taken_in_beside_a_session_of_its_agent():
    rooms = Rooms(claims=Claims())
    claimed(rooms)
    with pytest.raises(OpenRefused) as refused:
        rooms.host.adopt_orphan(left())
    assert refused.value.id == "agent.already-logged-in"


# --- for proof


def test_a_command_and_its_answer_are_in_the_history_and_a_repeat_is_answered_only():
    clock = ManualClock()
    history = HistoryList(InstanceId("a1"), clock)
    rooms = Rooms(history=history)
    session = logged_in(rooms)
    history.entries.clear()
    for _ in range(2):
        rooms.host.submit(session, CommandId("c1"), c.MakeCall(number="3001"))
    words = [type(each.event).__name__ for each in history.entries]
    assert words == ["CommandReceived", "LinkDeed", "CommandSettled", "CommandAnswered", "CommandAnswered"]
