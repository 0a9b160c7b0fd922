"""The client's end of one connection to AES: the session, its keep-alive, and requests matched with answers.

    NEW ──start──▶ STARTING ──positive──▶ UP ──stop──▶ STOPPING ──answer──▶ OVER
                     │   ▲                │
            negative ▼   │ start          └── loss, or end of the session ──▶ OVER
                    REFUSED

A silent AES is found within ``silence_limit_s``: when no byte came for ``heartbeat_interval_s`` the keep-alive is sent
early, for it is the cheapest question there is, and any byte counts as a sign of life.

Source: aes-dmcc reference, sections 1 and 3.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import Final

from unified_agent.errors import LinkNotReady, LocalProtocolError, RemoteProtocolError
from unified_agent.wire.csta.codec import decode, encode, role_of
from unified_agent.wire.csta.connection_events import (
    Answered,
    ClientEvent,
    EventReceived,
    Failed,
    LinkLost,
    LocalFailure,
    LossReason,
    RequestTimedOut,
    SessionEnded,
    SessionRefused,
    SessionStarted,
    failure_of,
)
from unified_agent.wire.csta.framing import FRAME_LIMIT_BYTES, HEADER_BYTES, frame_bytes, take_frame
from unified_agent.wire.csta.request_table import RequestTable, Token
from unified_agent.wire.csta.session_messages import (
    ApplicationSessionTerminated,
    ResetApplicationSessionTimer,
    ResetApplicationSessionTimerPosResponse,
    StartApplicationSession,
    StartApplicationSessionPosResponse,
    StopApplicationSession,
)
from unified_agent.wire.csta.session_settings import SessionSettings, protocol_version_uri
from unified_agent.wire.csta.shapes import Message, Role
from unified_agent.wire.csta.values import SessionId
from unified_agent.wire.receive_buffer import ReceiveBuffer

#: The keep-alive is due when this part of the granted duration has passed, and a dead link is this many unanswered.
KEEP_ALIVES_PER_DURATION: Final = 3
UNANSWERED_LIMIT: Final = 3


class Phase(Enum):
    """Where the session is."""

    NEW = "new"
    STARTING = "starting"
    UP = "up"
    REFUSED = "refused"
    STOPPING = "stopping"
    OVER = "over"


class ClientConnection:
    """The client's end, with the doors of ``wire.doors``."""

    def __init__(self, settings: SessionSettings) -> None:
        self._settings = settings
        self._requests = RequestTable(in_flight_limit=settings.in_flight_limit, queue_limit=settings.queue_limit)
        self._phase = Phase.NEW
        self._session_id: SessionId | None = None
        self._old_session_id: SessionId | None = None
        self._duration_s = settings.requested_duration_s
        self._last_byte_s = 0.0
        self._last_keep_alive_s = 0.0
        self._unanswered_keep_alives = 0
        self._start_token: Token | None = None
        self._stop_token: Token | None = None
        self._keep_alive_tokens: set[Token] = set()
        self._buffer = ReceiveBuffer()
        self._outgoing: list[bytes] = []
        self._events: deque[ClientEvent] = deque()
        #: Answers to requests that had timed out, or were never made.
        self.late_answers = 0

    @property
    def phase(self) -> Phase:
        """Where the session is."""
        return self._phase

    @property
    def _is_over(self) -> bool:
        return self._phase is Phase.OVER

    @property
    def session_id(self) -> SessionId | None:
        """The session's id once it is up, also after it is lost: give it to the next connection's ``start``."""
        return self._session_id

    @property
    def in_flight(self) -> int:
        """How many requests are unanswered at AES, our own keep-alives included."""
        return self._requests.in_flight

    @property
    def waiting(self) -> int:
        """How many requests wait for a place."""
        return self._requests.waiting

    def start(self, now_s: float, *, old_session_id: SessionId | None = None) -> None:
        """Ask for a session, or for the old one.

        Raises:
            LocalProtocolError: it was started already.
        """
        if self._phase not in (Phase.NEW, Phase.REFUSED):
            raise LocalProtocolError(f"a session that is {self._phase.value} cannot be started")
        settings = self._settings
        self._phase = Phase.STARTING
        self._old_session_id = old_session_id
        self._last_byte_s = now_s
        self._start_token = self._send_urgent(
            StartApplicationSession(
                application_id=settings.application_id,
                user_name=settings.user,
                password=settings.password,
                protocol_versions=(protocol_version_uri(settings.protocol_version),),
                requested_duration_s=settings.requested_duration_s,
                cleanup_delay_s=settings.cleanup_delay_s,
                old_session_id=old_session_id,
            ),
            now_s,
        )

    def send(self, request: Message, now_s: float, *, timeout_s: float | None = None) -> Token:
        """Send a request, or queue it when many are unanswered.

        The token gets exactly one of Answered, Failed and RequestTimedOut, unless the connection ends before.

        Args:
            request: any message of role REQUEST but those of the session.
            now_s: the time.
            timeout_s: how long the answer may take, waiting here included; None: as set.

        Raises:
            LinkNotReady: the session is not up.
            LocalProtocolError: not a request, or one that cannot be written or is too long.
        """
        if self._phase is not Phase.UP:
            raise LinkNotReady(f"the session is {self._phase.value}")
        if role_of(request) is not Role.REQUEST:
            raise LocalProtocolError(f"{type(request).__name__} is not a request")
        document = encode(request)
        if HEADER_BYTES + len(document) > FRAME_LIMIT_BYTES:
            raise LocalProtocolError(f"{type(request).__name__} is longer than {FRAME_LIMIT_BYTES} bytes")
        if self._requests.is_full:
            token = self._requests.new_token()
            self._events.append(Failed(token, LocalFailure.QUEUE_FULL, ""))
            return token
        deadline_s = now_s + (self._settings.request_timeout_s if timeout_s is None else timeout_s)
        token = self._requests.add(document, deadline_s)
        self._send_waiting()
        return token

    def stop(self, now_s: float) -> None:
        """End the session in order; ``SessionEnded`` follows. Nothing happens when there is none."""
        if self._phase is not Phase.UP or self._session_id is None:
            return
        self._phase = Phase.STOPPING
        self._stop_token = self._send_urgent(StopApplicationSession(session_id=self._session_id), now_s)

    def receive_data(self, data: bytes, now_s: float) -> None:
        """See ``doors``."""
        if self._is_over:
            return
        self._last_byte_s = max(self._last_byte_s, now_s)
        self._buffer.append(data)
        try:
            while not self._is_over and (frame := take_frame(self._buffer)) is not None:
                self._take_message(frame.invoke_id, decode(frame.payload), now_s)
        except RemoteProtocolError:
            self._phase = Phase.OVER
            raise
        if not self._is_over:
            self._send_waiting()

    def receive_eof(self, now_s: float) -> None:
        """See ``doors``."""
        if self._phase is Phase.STOPPING:
            self._end(SessionEnded("stopped"))
        else:
            self._end(LinkLost(LossReason.CLOSED_BY_PEER))

    def data_to_send(self) -> bytes:
        """See ``doors``."""
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        return data

    def next_event(self) -> ClientEvent | None:
        """See ``doors``."""
        return self._events.popleft() if self._events else None

    def next_timer(self) -> float | None:
        """See ``doors``."""
        if self._phase not in (Phase.STARTING, Phase.UP, Phase.STOPPING):
            return None
        times = [self._requests.next_deadline()]
        if self._phase is not Phase.STARTING:
            times.append(self._silent_at_s())
        if self._phase is Phase.UP:
            times.append(self._keep_alive_due_s())
        return min((time for time in times if time is not None), default=None)

    def handle_timer(self, now_s: float) -> None:
        """See ``doors``."""
        if self._phase not in (Phase.STARTING, Phase.UP, Phase.STOPPING):
            return
        if self._phase is not Phase.STARTING and now_s >= self._silent_at_s():
            self._end(LinkLost(LossReason.SILENT))
            return
        for token in self._requests.take_expired(now_s):
            self._time_out(token)
            if self._is_over:
                return
        if self._phase is Phase.UP and now_s >= self._keep_alive_due_s():
            self._send_keep_alive(now_s)
        self._send_waiting()

    def _silent_at_s(self) -> float:
        # One sum for asking and for deciding: a difference rounds otherwise, and the timer would come again at once.
        return self._last_byte_s + self._settings.silence_limit_s

    def _keep_alive_due_s(self) -> float:
        by_duration = self._last_keep_alive_s + self._duration_s / KEEP_ALIVES_PER_DURATION
        by_silence = max(self._last_byte_s, self._last_keep_alive_s) + self._settings.heartbeat_s
        return min(by_duration, by_silence)

    def _send_keep_alive(self, now_s: float) -> None:
        if self._session_id is None:
            return
        request = ResetApplicationSessionTimer(
            session_id=self._session_id, requested_duration_s=self._settings.requested_duration_s
        )
        self._last_keep_alive_s = now_s
        self._keep_alive_tokens.add(self._send_urgent(request, now_s))

    def _send_urgent(self, request: Message, now_s: float) -> Token:
        token, invoke_id = self._requests.add_urgent(now_s + self._settings.request_timeout_s)
        self._outgoing.append(frame_bytes(invoke_id, encode(request)))
        return token

    def _send_waiting(self) -> None:
        for invoke_id, document in self._requests.take_sendable():
            self._outgoing.append(frame_bytes(invoke_id, document))

    def _take_message(self, invoke_id: int, message: Message, now_s: float) -> None:
        role = role_of(message)
        if isinstance(message, ApplicationSessionTerminated):
            self._take_termination(message)
            return
        if role in (Role.EVENT, Role.REQUEST):
            self._events.append(EventReceived(message))
            return
        token = self._requests.take_answered(invoke_id)
        if token is not None:
            self._take_answer(token, message, now_s)
        elif role is None:
            self._events.append(EventReceived(message))
        else:
            self.late_answers += 1

    def _take_termination(self, message: ApplicationSessionTerminated) -> None:
        if message.session_id in (None, self._session_id):
            self._end(SessionEnded(message.reason or message.text or "terminated"))

    def _take_answer(self, token: Token, message: Message, now_s: float) -> None:
        if token == self._start_token:
            self._take_start_answer(message, now_s)
        elif token == self._stop_token:
            self._end(SessionEnded("stopped"))
        elif token in self._keep_alive_tokens:
            self._keep_alive_tokens.discard(token)
            self._take_keep_alive_answer(message)
        elif role_of(message) is Role.REFUSAL:
            self._events.append(failure_of(token, message))
        else:
            self._events.append(Answered(token, message))

    def _take_start_answer(self, message: Message, now_s: float) -> None:
        if role_of(message) is Role.REFUSAL:
            self._phase = Phase.REFUSED
            failure = failure_of(Token(0), message)
            error = failure.error_value or failure.error_class
            self._events.append(SessionRefused(error, was_recovery=self._old_session_id is not None))
            return
        if not isinstance(message, StartApplicationSessionPosResponse):
            raise RemoteProtocolError(f"StartApplicationSession was answered by {type(message).__name__}")
        self._phase = Phase.UP
        self._session_id = message.session_id
        self._take_duration(message.actual_duration_s)
        self._last_keep_alive_s = now_s
        self._events.append(
            SessionStarted(
                message.session_id,
                resumed=message.session_id == self._old_session_id,
                duration_s=self._duration_s,
                protocol_version=message.actual_protocol_version,
            )
        )

    def _take_keep_alive_answer(self, message: Message) -> None:
        self._unanswered_keep_alives = 0
        if isinstance(message, ResetApplicationSessionTimerPosResponse):
            self._take_duration(message.actual_duration_s)
        elif role_of(message) is Role.REFUSAL:
            failure = failure_of(Token(0), message)
            self._end(SessionEnded(failure.error_value or failure.error_class))

    def _take_duration(self, duration_s: int | None) -> None:
        if duration_s is None:
            return
        if duration_s <= 0:
            raise RemoteProtocolError(f"a session duration of {duration_s} s")
        self._duration_s = duration_s

    def _time_out(self, token: Token) -> None:
        if token == self._start_token:
            self._end(LinkLost(LossReason.START_UNANSWERED))
        elif token == self._stop_token:
            self._end(SessionEnded("stopped"))
        elif token in self._keep_alive_tokens:
            self._keep_alive_tokens.discard(token)
            self._unanswered_keep_alives += 1
            if self._unanswered_keep_alives >= UNANSWERED_LIMIT:
                self._end(LinkLost(LossReason.KEEP_ALIVE_UNANSWERED))
        else:
            self._events.append(RequestTimedOut(token))

    def _end(self, event: SessionEnded | LinkLost) -> None:
        if not self._is_over:
            self._phase = Phase.OVER
            self._events.append(event)
