"""The client's end, driven by hand: every time is an argument, every byte is ours."""

from __future__ import annotations

import pytest

from unified_agent.errors import LinkNotReady, LocalProtocolError, RemoteProtocolError, SettingsError
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.codec import decode, encode
from unified_agent.wire.csta.connection import ClientConnection, Phase
from unified_agent.wire.csta.connection_events import (
    Answered,
    ClientEvent,
    EventReceived,
    Failed,
    LinkLost,
    LossReason,
    RequestTimedOut,
    SessionEnded,
    SessionRefused,
    SessionStarted,
)
from unified_agent.wire.csta.framing import frame_bytes, take_frame
from unified_agent.wire.csta.session_settings import SessionSettings, protocol_version_uri
from unified_agent.wire.csta.values import DeviceId, MonitorId, Secret, SessionId, SystemStatusValue
from unified_agent.wire.receive_buffer import ReceiveBuffer

SESSION = SessionId("70D3EC70C80B476C-1")
STATION = DeviceId("2001:CM1::0")


class Aes:
    """Reads what the client wrote, and answers as a test says."""

    def __init__(self, settings: SessionSettings | None = None) -> None:
        self.client = ClientConnection(settings or SessionSettings(user="ctiuser", password=Secret("secret")))
        self._buffer = ReceiveBuffer()

    def received(self) -> list[tuple[int, csta.Message]]:
        self._buffer.append(self.client.data_to_send())
        received = []
        while (frame := take_frame(self._buffer)) is not None:
            received.append((frame.invoke_id, decode(frame.payload)))
        return received

    def say(self, invoke_id: int, message: csta.Message, now_s: float) -> None:
        self.client.receive_data(frame_bytes(invoke_id, encode(message)), now_s)

    def events(self) -> list[ClientEvent]:
        events = []
        while (event := self.client.next_event()) is not None:
            events.append(event)
        return events

    def bring_up(self, *, duration_s: int = 180, old: SessionId | None = None) -> None:
        self.client.start(0.0, old_session_id=old)
        [(invoke_id, _)] = self.received()
        self.say(
            invoke_id,
            csta.StartApplicationSessionPosResponse(session_id=SESSION, actual_duration_s=duration_s),
            0.0,
        )
        assert self.events() == [SessionStarted(SESSION, old == SESSION, duration_s)]


def snapshot() -> csta.SnapshotDevice:
    return csta.SnapshotDevice(device=STATION)


def settings(**changes: float) -> SessionSettings:
    return SessionSettings(user="ctiuser", password=Secret("secret"), **changes)  # type: ignore[arg-type]


def test_start_asks_for_the_session_with_every_setting() -> None:
    aes = Aes(SessionSettings(user="ctiuser", password=Secret("secret"), application_id="ua-server-1"))
    aes.client.start(0.0)
    assert aes.received() == [
        (
            1,
            csta.StartApplicationSession(
                application_id="ua-server-1",
                user_name="ctiuser",
                password=Secret("secret"),
                protocol_versions=("http://www.ecma-international.org/standards/ecma-323/csta/ed3/priv7",),
                requested_duration_s=180,
                cleanup_delay_s=60,
            ),
        )
    ]
    assert aes.client.phase is Phase.STARTING


@pytest.mark.parametrize(
    ("version", "ending"), [("priv7", "csta/ed3/priv7"), ("ed2/priv1", "csta/ed2/priv1"), ("3.0", "3.0")]
)
def test_protocol_version_is_given_by_its_suffix(version: str, ending: str) -> None:
    assert protocol_version_uri(version).endswith(ending)


def test_password_is_not_in_the_repr_of_settings_or_request() -> None:
    aes = Aes()
    aes.client.start(0.0)
    assert "secret" not in repr(settings())
    assert "secret" not in repr(aes.received())


def test_old_session_that_is_granted_again_is_resumed() -> None:
    aes = Aes()
    aes.bring_up(old=SESSION)
    assert aes.client.session_id == SESSION


def test_another_session_than_the_old_one_is_not_resumed() -> None:
    aes = Aes()
    aes.client.start(0.0, old_session_id=SessionId("old"))
    assert isinstance(aes.received()[0][1], csta.StartApplicationSession)
    aes.say(1, csta.StartApplicationSessionPosResponse(session_id=SESSION), 0.1)
    assert aes.events() == [SessionStarted(SESSION, resumed=False, duration_s=180)]


def test_refused_recovery_may_start_afresh_on_the_same_connection() -> None:
    aes = Aes()
    aes.client.start(0.0, old_session_id=SESSION)
    aes.received()
    aes.say(1, csta.StartApplicationSessionNegResponse(error="invalidApplicationInfo"), 0.1)
    assert aes.events() == [SessionRefused("invalidApplicationInfo", was_recovery=True)]
    aes.client.start(0.2)
    [(invoke_id, request)] = aes.received()
    assert isinstance(request, csta.StartApplicationSession)
    assert request.old_session_id is None
    aes.say(invoke_id, csta.StartApplicationSessionPosResponse(session_id=SESSION), 0.3)
    assert aes.events() == [SessionStarted(SESSION, resumed=False, duration_s=180)]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (csta.StartApplicationSessionNegResponse(error="maxNumberSessions"), "maxNumberSessions"),
        (csta.StartApplicationSessionNegResponse(text="go away"), "go away"),
        (csta.CSTAErrorCode(csta.ErrorClass.SECURITY, "generic"), "generic"),
        (csta.CSTAErrorCode(csta.ErrorClass.UNSPECIFIED), "unspecified"),
        (csta.CSTAException(exception_class="LoginException"), "LoginException"),
    ],
)
def test_refused_first_start_says_why(answer: csta.Message, error: str) -> None:
    aes = Aes()
    aes.client.start(0.0)
    aes.say(1, answer, 0.1)
    assert aes.events() == [SessionRefused(error, was_recovery=False)]
    assert aes.client.next_timer() is None


def test_start_answered_by_something_else_is_the_peers_fault() -> None:
    aes = Aes()
    aes.client.start(0.0)
    with pytest.raises(RemoteProtocolError, match="StartApplicationSession"):
        aes.say(1, csta.AnswerCallResponse(), 0.1)


def test_start_without_answer_is_a_lost_link_after_the_request_timeout() -> None:
    aes = Aes()
    aes.client.start(5.0)
    assert aes.client.next_timer() == 15.0
    aes.client.handle_timer(14.9)
    assert aes.events() == []
    aes.client.handle_timer(15.0)
    assert aes.events() == [LinkLost(LossReason.START_UNANSWERED)]


def test_session_is_started_once() -> None:
    aes = Aes()
    aes.bring_up()
    with pytest.raises(LocalProtocolError):
        aes.client.start(1.0)


def test_request_before_the_session_is_up_is_not_ready() -> None:
    with pytest.raises(LinkNotReady):
        Aes().client.send(snapshot(), 0.0)


def test_only_requests_can_be_sent() -> None:
    aes = Aes()
    aes.bring_up()
    with pytest.raises(LocalProtocolError, match="not a request"):
        aes.client.send(csta.AnswerCallResponse(), 0.0)


def test_request_that_is_too_long_is_our_fault_and_sends_nothing() -> None:
    aes = Aes()
    aes.bring_up()
    with pytest.raises(LocalProtocolError, match="longer"):
        aes.client.send(csta.SnapshotDevice(device=DeviceId("x" * 65_535)), 0.0)
    assert aes.received() == []


def test_answers_are_matched_by_invoke_id_in_whatever_order() -> None:
    aes = Aes()
    aes.bring_up()
    first = aes.client.send(snapshot(), 1.0)
    second = aes.client.send(csta.MonitorStart(device=STATION), 1.0)
    [(first_id, _), (second_id, _)] = aes.received()
    started = csta.MonitorStartResponse(monitor_id=MonitorId("1"))
    aes.say(second_id, started, 1.1)
    aes.say(first_id, csta.SnapshotDeviceResponse(), 1.2)
    assert aes.events() == [Answered(second, started), Answered(first, csta.SnapshotDeviceResponse())]
    assert aes.client.in_flight == 0


@pytest.mark.parametrize(
    ("answer", "error_class", "value"),
    [
        (csta.CSTAErrorCode(csta.ErrorClass.STATE, "noCallToAnswer"), "stateIncompatibility", "noCallToAnswer"),
        (
            csta.CSTAException(code=csta.CSTAErrorCode(csta.ErrorClass.OPERATION, "generic")),
            "operation",
            "generic",
        ),
        (csta.CSTAException(exception_class="ch.ecma.X"), "exception", "ch.ecma.X"),
        (csta.CSTAException(text="words"), "exception", "words"),
    ],
)
def test_refusal_is_reported_with_class_and_value(answer: csta.Message, error_class: str, value: str) -> None:
    aes = Aes()
    aes.bring_up()
    token = aes.client.send(snapshot(), 1.0)
    [(invoke_id, _)] = aes.received()
    aes.say(invoke_id, answer, 1.1)
    assert aes.events() == [Failed(token, error_class, value, answer)]


def test_events_and_server_started_requests_are_events_whatever_their_invoke_id() -> None:
    aes = Aes()
    aes.bring_up()
    token = aes.client.send(snapshot(), 1.0)
    [(invoke_id, _)] = aes.received()
    ended = csta.MonitorStop(monitor_id=MonitorId("1"))
    down = csta.SystemStatus(status=SystemStatusValue.DISABLED)
    aes.say(9999, down, 1.1)
    aes.say(invoke_id, ended, 1.1)
    aes.say(invoke_id, csta.SnapshotDeviceResponse(), 1.2)
    assert aes.events() == [
        EventReceived(down),
        EventReceived(ended),
        Answered(token, csta.SnapshotDeviceResponse()),
    ]


def test_unknown_message_is_an_answer_when_its_invoke_id_is_awaited_and_an_event_otherwise() -> None:
    aes = Aes()
    aes.bring_up()
    token = aes.client.send(snapshot(), 1.0)
    [(invoke_id, _)] = aes.received()
    aes.client.receive_data(frame_bytes(9999, b"<Novelty/>"), 1.1)
    aes.client.receive_data(frame_bytes(invoke_id, b"<Novelty/>"), 1.2)
    assert aes.events() == [
        EventReceived(csta.UnknownMessage("Novelty")),
        Answered(token, csta.UnknownMessage("Novelty")),
    ]


def test_request_without_answer_times_out_and_its_late_answer_is_dropped() -> None:
    aes = Aes(settings(silence_limit_s=60.0))
    aes.bring_up()
    token = aes.client.send(snapshot(), 1.0)
    [(invoke_id, _)] = aes.received()
    assert aes.client.next_timer() == 11.0
    aes.client.handle_timer(11.0)
    assert aes.events() == [RequestTimedOut(token)]
    aes.say(invoke_id, csta.SnapshotDeviceResponse(), 12.0)
    assert aes.events() == []
    assert aes.client.late_answers == 1


def test_a_request_may_have_a_timeout_of_its_own() -> None:
    aes = Aes(settings(silence_limit_s=60.0))
    aes.bring_up()
    token = aes.client.send(snapshot(), 1.0, timeout_s=0.5)
    aes.client.handle_timer(1.5)
    assert aes.events() == [RequestTimedOut(token)]


def test_requests_beyond_the_limit_wait_and_go_when_answers_come() -> None:
    aes = Aes(settings(in_flight_limit=2))
    aes.bring_up()
    for _ in range(3):
        aes.client.send(snapshot(), 1.0)
    [(first_id, _), _] = aes.received()
    assert (aes.client.in_flight, aes.client.waiting) == (2, 1)
    aes.say(first_id, csta.SnapshotDeviceResponse(), 1.1)
    assert len(aes.received()) == 1
    assert (aes.client.in_flight, aes.client.waiting) == (2, 0)


def test_request_that_times_out_while_it_waits_is_never_sent() -> None:
    aes = Aes(settings(in_flight_limit=1, silence_limit_s=60.0))
    aes.bring_up()
    aes.client.send(snapshot(), 1.0)
    waiting = aes.client.send(snapshot(), 1.0, timeout_s=2.0)
    aes.received()
    aes.client.handle_timer(3.0)
    assert aes.events() == [RequestTimedOut(waiting)]
    aes.say(2, csta.SnapshotDeviceResponse(), 4.0)
    assert aes.received() == []


def test_request_fails_at_once_when_the_queue_is_full() -> None:
    aes = Aes(settings(in_flight_limit=1, queue_limit=1))
    aes.bring_up()
    for _ in range(2):
        aes.client.send(snapshot(), 1.0)
    token = aes.client.send(snapshot(), 1.0)
    assert aes.events() == [Failed(token, "queue-full", "")]


def test_keep_alive_goes_at_a_third_of_the_granted_duration() -> None:
    aes = Aes(settings(silence_limit_s=1000.0))
    aes.bring_up(duration_s=90)
    assert aes.client.next_timer() == 30.0
    aes.client.handle_timer(29.9)
    assert aes.received() == []
    aes.client.handle_timer(30.0)
    [(invoke_id, request)] = aes.received()
    assert request == csta.ResetApplicationSessionTimer(session_id=SESSION, requested_duration_s=180)
    aes.say(invoke_id, csta.ResetApplicationSessionTimerPosResponse(actual_duration_s=30), 30.1)
    assert aes.events() == []
    assert aes.client.next_timer() == 40.0


def test_keep_alive_passes_a_full_queue() -> None:
    aes = Aes(settings(in_flight_limit=1, silence_limit_s=1000.0, request_timeout_s=500.0))
    aes.bring_up(duration_s=30)
    aes.client.send(snapshot(), 1.0)
    aes.client.send(snapshot(), 1.0)
    aes.received()
    aes.client.handle_timer(10.0)
    assert isinstance(aes.received()[0][1], csta.ResetApplicationSessionTimer)


def test_three_unanswered_keep_alives_are_a_lost_link_though_events_still_come() -> None:
    aes = Aes(settings(silence_limit_s=1000.0))
    aes.bring_up(duration_s=60)
    now_s = 0.0
    sent = 0
    while not (events := [e for e in aes.events() if isinstance(e, LinkLost)]):
        due_s = aes.client.next_timer()
        assert due_s is not None
        now_s = due_s
        aes.client.handle_timer(now_s)
        sent += len(aes.received())
        aes.say(9999, csta.LinkUpEvent(link_name="x"), now_s)
    assert events == [LinkLost(LossReason.KEEP_ALIVE_UNANSWERED)]
    assert (sent, now_s) == (3, 70.0)


def test_refused_keep_alive_ends_the_session() -> None:
    aes = Aes(settings(silence_limit_s=1000.0))
    aes.bring_up()
    aes.client.handle_timer(60.0)
    [(invoke_id, _)] = aes.received()
    aes.say(invoke_id, csta.ResetApplicationSessionTimerNegResponse(error="invalidSessionID"), 60.1)
    assert aes.events() == [SessionEnded("invalidSessionID")]
    assert aes.client.phase is Phase.OVER


def test_silent_aes_is_asked_after_half_the_limit_and_lost_at_the_limit() -> None:
    aes = Aes()
    aes.bring_up()
    assert aes.client.next_timer() == 5.0
    aes.client.handle_timer(5.0)
    assert isinstance(aes.received()[0][1], csta.ResetApplicationSessionTimer)
    assert aes.client.next_timer() == 10.0
    aes.client.handle_timer(10.0)
    assert aes.events() == [LinkLost(LossReason.SILENT)]
    assert aes.client.next_timer() is None


def test_silence_is_decided_at_the_very_time_that_the_timer_named() -> None:
    aes = Aes()
    aes.bring_up()
    last_byte_s = 8.94156123578526  # plus 10.0 minus itself is below 10.0
    assert last_byte_s + 10.0 - last_byte_s < 10.0
    aes.client.receive_data(b"\x00", last_byte_s)
    aes.client.handle_timer(last_byte_s + 5.0)
    due_s = aes.client.next_timer()
    assert due_s is not None
    aes.client.handle_timer(due_s)
    assert aes.events() == [LinkLost(LossReason.SILENT)]


def test_any_byte_is_a_sign_of_life() -> None:
    aes = Aes()
    aes.bring_up()
    aes.client.handle_timer(5.0)
    aes.client.receive_data(b"\x00", 9.9)
    aes.client.handle_timer(10.0)
    assert aes.events() == []
    assert aes.client.next_timer() == 14.9


def test_aes_that_answers_stays_up_for_an_hour_at_one_question_per_interval() -> None:
    aes = Aes()
    aes.bring_up()
    now_s, asked = 0.0, 0
    while now_s < 3600.0:
        due_s = aes.client.next_timer()
        assert due_s is not None
        now_s = due_s
        aes.client.handle_timer(now_s)
        for invoke_id, _ in aes.received():
            asked += 1
            aes.say(invoke_id, csta.ResetApplicationSessionTimerPosResponse(actual_duration_s=180), now_s)
    assert aes.events() == []
    assert asked == 720


def test_termination_by_the_server_ends_the_session() -> None:
    aes = Aes()
    aes.bring_up()
    aes.say(9999, csta.ApplicationSessionTerminated(session_id=SESSION, reason="sessionTimerExpired"), 1.0)
    assert aes.events() == [SessionEnded("sessionTimerExpired")]


def test_termination_of_another_session_is_not_ours() -> None:
    aes = Aes()
    aes.bring_up()
    aes.say(9999, csta.ApplicationSessionTerminated(session_id=SessionId("other")), 1.0)
    assert aes.events() == []
    assert aes.client.phase is Phase.UP


def test_stop_ends_the_session_in_order() -> None:
    aes = Aes()
    aes.bring_up()
    aes.client.stop(1.0)
    [(invoke_id, request)] = aes.received()
    assert request == csta.StopApplicationSession(session_id=SESSION)
    with pytest.raises(LinkNotReady):
        aes.client.send(snapshot(), 1.0)
    aes.say(invoke_id, csta.StopApplicationSessionPosResponse(), 1.1)
    assert aes.events() == [SessionEnded("stopped")]


def test_stop_that_is_answered_by_closing_is_stopped_too() -> None:
    aes = Aes()
    aes.bring_up()
    aes.client.stop(1.0)
    aes.client.receive_eof(1.1)
    assert aes.events() == [SessionEnded("stopped")]


def test_stop_without_answer_ends_all_the_same() -> None:
    aes = Aes(settings(silence_limit_s=60.0))
    aes.bring_up()
    aes.client.stop(1.0)
    assert aes.client.next_timer() == 11.0
    aes.client.handle_timer(11.0)
    assert aes.events() == [SessionEnded("stopped")]


def test_stop_without_a_session_does_nothing() -> None:
    aes = Aes()
    aes.client.stop(0.0)
    assert aes.received() == []


def test_closed_socket_is_a_lost_link_and_told_once() -> None:
    aes = Aes()
    aes.bring_up()
    aes.client.receive_eof(1.0)
    aes.client.receive_eof(1.0)
    aes.client.receive_data(b"\x00\x00", 1.0)
    assert aes.events() == [LinkLost(LossReason.CLOSED_BY_PEER)]
    assert aes.client.next_timer() is None


def test_events_before_a_malformed_frame_can_still_be_taken() -> None:
    aes = Aes()
    aes.bring_up()
    up = csta.LinkUpEvent(link_name="x")
    with pytest.raises(RemoteProtocolError):
        aes.client.receive_data(frame_bytes(9999, encode(up)) + frame_bytes(9999, b"<broken"), 1.0)
    assert aes.events() == [EventReceived(up)]
    assert aes.client.phase is Phase.OVER
    assert aes.client.next_timer() is None


@pytest.mark.parametrize("duration_s", [0, -5])
def test_impossible_duration_is_the_peers_fault(duration_s: int) -> None:
    aes = Aes()
    aes.client.start(0.0)
    with pytest.raises(RemoteProtocolError, match="duration"):
        aes.say(1, csta.StartApplicationSessionPosResponse(session_id=SESSION, actual_duration_s=duration_s), 0.1)


@pytest.mark.parametrize(
    "changes",
    [
        {"silence_limit_s": 10.0, "heartbeat_interval_s": 6.0},
        {"silence_limit_s": 0.0},
        {"requested_duration_s": 0},
        {"cleanup_delay_s": -1},
        {"in_flight_limit": 0},
        {"in_flight_limit": 5_001},
    ],
)
def test_settings_that_contradict_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(SettingsError):
        settings(**changes)
