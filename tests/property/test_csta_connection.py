"""Client and server joined by a fake wire that cuts, delays and goes silent as a drawn history says."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.connection import ClientConnection, Phase
from unified_agent.wire.csta.connection_events import (
    Answered,
    EventReceived,
    Failed,
    LinkLost,
    LossReason,
    RequestTimedOut,
    SessionEnded,
    SessionStarted,
)
from unified_agent.wire.csta.request_table import Token
from unified_agent.wire.csta.server_connection import RequestReceived, ServerConnection
from unified_agent.wire.csta.session_settings import SessionSettings
from unified_agent.wire.csta.values import DeviceId, MonitorId, Secret, SessionId

SILENCE_LIMIT_S = 10.0
REQUEST_TIMEOUT_S = 7.0
IN_FLIGHT_LIMIT = 3
QUEUE_LIMIT = 4
#: Three keep-alives can go unanswered only when at least two heartbeats and one time-out have passed.
KEEP_ALIVES_UNANSWERED_AFTER_S = 2 * SILENCE_LIMIT_S / 2 + REQUEST_TIMEOUT_S


class JoinedEnds(RuleBasedStateMachine):
    """Each request names its own device; the server answers with what it was asked, so a mix-up shows."""

    def __init__(self) -> None:
        super().__init__()
        self.client = ClientConnection(
            SessionSettings(
                user="user",
                password=Secret("secret"),
                silence_limit_s=SILENCE_LIMIT_S,
                request_timeout_s=REQUEST_TIMEOUT_S,
                requested_duration_s=30,
                in_flight_limit=IN_FLIGHT_LIMIT,
                queue_limit=QUEUE_LIMIT,
            )
        )
        self.server = ServerConnection()
        self.now_s = 0.0
        self.last_byte_s = 0.0
        self.to_client = b""
        self.asked: dict[Token, str] = {}
        self.settled: set[Token] = set()
        self.unanswered: list[tuple[int, csta.Message]] = []
        self.sent_events = 0
        self.received_events = 0
        self.is_over = False
        self.was_stopped = False
        self.client.start(0.0)
        self._pass_to_server()
        [(invoke_id, _)] = self.unanswered
        self.unanswered.clear()
        self.server.send_answer(
            invoke_id, csta.StartApplicationSessionPosResponse(session_id=SessionId("1"), actual_duration_s=30)
        )
        self._pass_to_client(None)

    def _pass_to_server(self) -> None:
        self.server.receive_data(self.client.data_to_send(), self.now_s)
        while (event := self.server.next_event()) is not None:
            assert isinstance(event, RequestReceived)
            assert 1 <= event.invoke_id <= 9998
            self.unanswered.append((event.invoke_id, event.message))

    def _pass_to_client(self, count: int | None) -> None:
        self.to_client += self.server.data_to_send()
        piece, self.to_client = self.to_client[:count], self.to_client[len(self.to_client[:count]) :]
        if piece and not self.is_over:
            self.last_byte_s = self.now_s
            self.client.receive_data(piece, self.now_s)
        self._take_events()

    def _take_events(self) -> None:
        while (event := self.client.next_event()) is not None:
            assert not self.is_over, f"{event} after the end"
            match event:
                case Answered(token, message):
                    self._settle(token)
                    assert isinstance(message, csta.GetThirdPartyDeviceIdResponse)
                    assert message.device == self.asked[token]
                case Failed(token, "queue-full"):
                    self.settled.add(token)
                case Failed(token, "operation", value):
                    self._settle(token)
                    assert value == self.asked[token]
                case RequestTimedOut(token):
                    self._settle(token)
                case EventReceived(csta.MonitorStop(monitor_id=monitor_id)):
                    self.received_events += 1
                    assert monitor_id == str(self.received_events)
                case LinkLost(LossReason.SILENT):
                    self.is_over = True
                    assert self.now_s - self.last_byte_s >= SILENCE_LIMIT_S - 1e-6
                case LinkLost(LossReason.KEEP_ALIVE_UNANSWERED):
                    self.is_over = True
                    assert self.now_s >= KEEP_ALIVES_UNANSWERED_AFTER_S
                case SessionEnded("stopped"):
                    self.is_over = True
                    assert self.was_stopped
                case SessionStarted():
                    pass
                case _:
                    raise AssertionError(f"unexpected {event}")

    def _settle(self, token: Token) -> None:
        assert token in self.asked
        assert token not in self.settled, "a request was settled twice"
        self.settled.add(token)

    @precondition(lambda self: self.client.phase is Phase.UP)
    @rule()
    def ask(self) -> None:
        name = f"device-{len(self.asked)}"
        token = self.client.send(csta.GetThirdPartyDeviceId(switch_name="CM1", extension=name), self.now_s)
        assert token not in self.asked
        self.asked[token] = name
        self._take_events()

    @rule()
    def requests_arrive(self) -> None:
        self._pass_to_server()

    @precondition(lambda self: self.unanswered)
    @rule(which=st.integers(0, 30), refuse=st.booleans())
    def server_answers_one(self, which: int, refuse: bool) -> None:
        invoke_id, request = self.unanswered.pop(which % len(self.unanswered))
        answer: csta.Message
        match request:
            case csta.GetThirdPartyDeviceId(extension=name) if refuse:
                answer = csta.CSTAErrorCode(csta.ErrorClass.OPERATION, name)
            case csta.GetThirdPartyDeviceId(extension=name):
                answer = csta.GetThirdPartyDeviceIdResponse(device=DeviceId(name))
            case csta.ResetApplicationSessionTimer():
                answer = csta.ResetApplicationSessionTimerPosResponse(actual_duration_s=30)
            case _:
                answer = csta.StopApplicationSessionPosResponse()
        self.server.send_answer(invoke_id, answer)

    @rule(asks=st.integers(0, 3))
    def all_goes_well(self, asks: int) -> None:
        """Without this nearly every history ends early in silence."""
        for _ in range(asks):
            if self.client.phase is Phase.UP:
                self.ask()
        self._pass_to_server()
        while self.unanswered:
            self.server_answers_one(0, refuse=False)
        self._pass_to_client(None)
        self._pass_to_server()

    @rule()
    def server_tells_an_event(self) -> None:
        self.sent_events += 1
        self.server.send_event(csta.MonitorStop(monitor_id=MonitorId(str(self.sent_events))))

    @rule(count=st.none() | st.integers(1, 300))
    def bytes_arrive(self, count: int | None) -> None:
        self._pass_to_client(count)

    @rule(seconds=st.floats(0.0, 6.0))
    def time_passes(self, seconds: float) -> None:
        until_s = self.now_s + seconds
        for _ in range(100):
            due_s = self.client.next_timer()
            if due_s is None or due_s > until_s:
                break
            assert due_s >= self.now_s - 1e-9, "a timer in the past was not dealt with"
            self.now_s = max(self.now_s, due_s)
            self.client.handle_timer(self.now_s)
            self._take_events()
        else:
            raise AssertionError("the timer spins")
        self.now_s = until_s

    @rule()
    def timer_comes_early(self) -> None:
        self.client.handle_timer(self.now_s)
        self._take_events()

    @precondition(lambda self: self.client.phase is Phase.UP and len(self.asked) > 10)
    @rule()
    def stop(self) -> None:
        self.client.stop(self.now_s)
        self.was_stopped = True

    @invariant()
    def nothing_passes_its_bound(self) -> None:
        # Start, stop and keep-alives go past the limit; at 7 s of patience and 5 s of heartbeat few are open at once.
        assert self.client.in_flight <= IN_FLIGHT_LIMIT + 4
        assert self.client.waiting <= QUEUE_LIMIT

    @invariant()
    def silence_is_noticed_in_time(self) -> None:
        if not self.is_over:
            assert self.now_s - self.last_byte_s <= SILENCE_LIMIT_S + 1e-6

    @invariant()
    def what_is_open_is_known(self) -> None:
        if self.client.phase is Phase.UP:
            open_requests = len(self.asked) - len(self.settled)
            assert open_requests <= self.client.in_flight + self.client.waiting


TestJoinedEnds = JoinedEnds.TestCase
