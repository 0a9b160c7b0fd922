from __future__ import annotations

import pytest
from tests.unit.sessions.rooms import AES, AskedPort, Rooms, identity

from unified_agent.domain import commands as c
from unified_agent.domain import facts as f
from unified_agent.domain.ids import CallId, CommandId, SessionId
from unified_agent.domain.session_state import Outcome, Policy
from unified_agent.domain.states import Phase, Presence
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
