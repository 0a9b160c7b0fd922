"""Notices to desktops and commands from them over WebSocket; the wire is ``docs/reference/desktop-protocol.md``.

One desktop shows a session at a time: the newest connection has it. No queue here: what a slow desktop does not take is
left in the session's outbox, and when it takes again it gets a snapshot.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import msgspec
from websockets.http11 import Request

from unified_agent.domain.commands import kebab
from unified_agent.domain.ids import CommandId, SessionId
from unified_agent.domain.ports import Clock
from unified_agent.domain.session_state import Outcome, SessionState
from unified_agent.domain.view import rfc3339
from unified_agent.observe import Metrics, get_logger, log_event
from unified_agent.server.auth import Origins, TokenRefusal, Tokens
from unified_agent.server.desk_messages import (
    CLOSED_BAD_FRAME,
    CLOSED_ENDED,
    CLOSED_SILENT,
    CLOSED_TAKEN_OVER,
    CLOSED_TOKEN,
    COMMANDS,
    FRAMES,
    Answer,
    Beat,
    CommandFrame,
    Goodbye,
    Hello,
    Refused,
    Welcome,
)
from unified_agent.server.websocket_protocol import NORMAL, TextConnection, WebSocketHandler, frame_text
from unified_agent.sessions.host import Host
from unified_agent.settings import DesktopSettings

LOGGER: Final = get_logger("server.push")
PATH: Final = "/v1/events"
TRANSPORT: Final = "websocket"
#: All connections are looked after once each ``beat_s``, in this many portions, so that no moment has all the work.
PORTIONS: Final = 20
#: Commands whose answer a slow desktop could not be given, kept until it takes again.
ANSWERS_KEPT: Final = 64
#: Goodbyes are said in portions of this length, seconds.
_GOODBYE_STEP_S: Final = 0.1

_ENCODER: Final = msgspec.json.Encoder()
_CLOSE_CODES: Final = {
    TokenRefusal.UNKNOWN: CLOSED_TOKEN,
    TokenRefusal.TAKEN_OVER: CLOSED_TAKEN_OVER,
    TokenRefusal.ENDED: CLOSED_ENDED,
}


class Desks:
    """Every desktop connected here."""

    def __init__(
        self,
        *,
        host: Host,
        tokens: Tokens,
        origins: Origins,
        settings: DesktopSettings,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self.host: Final = host
        self.tokens: Final = tokens
        self.settings: Final = settings
        self.clock: Final = clock
        self.metrics: Final = metrics
        self._origins = origins
        self._shown: dict[SessionId, DeskConnection] = {}
        self._portions: list[dict[DeskConnection, None]] = [{} for _ in range(PORTIONS)]
        self._next_portion = 0
        self._open = metrics.connections.labels(transport=TRANSPORT)
        self.events_sent: Final = metrics.events_sent.labels(transport=TRANSPORT)
        host.on_closed(self._session_closed)

    def route(self, request: Request) -> WebSocketHandler | tuple[HTTPStatus, str]:
        """Decide about a handshake."""
        if request.path.partition("?")[0] != PATH:
            return HTTPStatus.NOT_FOUND, f"there is no such path; desktops connect to {PATH}\n"
        origin, host = request.headers.get("Origin"), request.headers.get("Host")
        if not self._origins.accepts(origin, host):
            self.metrics.connects.labels(transport=TRANSPORT, outcome="origin.refused").inc()
            log_event(LOGGER, "origin_refused", level="warning", origin=origin, host=host)
            return HTTPStatus.FORBIDDEN, "pages of that origin may not call us; see the setting http.allowed_origins\n"
        return DeskConnection(self)

    def take_over(self, session: SessionId) -> None:
        """Close the connection that shows a session, if any: another desktop has it now."""
        connection = self._shown.get(session)
        if connection is not None:
            connection.refuse(TokenRefusal.TAKEN_OVER, CLOSED_TAKEN_OVER)

    async def look_after(self) -> None:
        """Give every connection its beat, and close those that are silent. Runs until it is cancelled."""
        step_s = self.settings.beat_s / PORTIONS
        next_s = self.clock.now_s()
        index = 0
        while True:
            next_s = max(next_s + step_s, self.clock.now_s())
            await asyncio.sleep(next_s - self.clock.now_s())
            now_s = self.clock.now_s()
            beat = frame_text(_ENCODER.encode(Beat(now=rfc3339(now_s))))
            for connection in tuple(self._portions[index]):
                connection.look_after(now_s, beat)
            index = (index + 1) % PORTIONS

    async def say_goodbye(self, rate_per_s: float, limit_s: float) -> None:
        """Tell every desktop that this instance stops, those of agents who are on no call first.

        Args:
            rate_per_s: so many a second, so that they do not all arrive elsewhere at once.
            limit_s: faster if need be, to be through with all of them by then.
        """
        waiting = sorted(self._shown.values(), key=lambda each: each.is_on_call())
        if not waiting:
            return
        rate_per_s = max(rate_per_s, len(waiting) / limit_s)
        began_s = self.clock.now_s()
        end_s = began_s + len(waiting) / rate_per_s
        said = 0
        while said < len(waiting):
            due = int((self.clock.now_s() - began_s) * rate_per_s) + 1
            for connection in waiting[said:due]:
                left_s = max(0.0, end_s - self.clock.now_s())
                connection.say(_ENCODER.encode(Goodbye(reason="drain", after_ms=int(left_s * 1000))))
            said = max(said, due)
            await asyncio.sleep(_GOODBYE_STEP_S)

    def close_all(self, code: int, reason: str) -> None:
        """Close every connection."""
        for portion in self._portions:
            for connection in tuple(portion):
                connection.end(code, reason)

    # --- called by connections

    def began(self, connection: DeskConnection) -> int:
        """Count a connection; returns its portion."""
        portion, self._next_portion = self._next_portion, (self._next_portion + 1) % PORTIONS
        self._portions[portion][connection] = None
        self._open.inc()
        self.metrics.connects.labels(transport=TRANSPORT, outcome="opened").inc()
        return portion

    def ended(self, connection: DeskConnection, reason: str) -> None:
        """Forget a connection."""
        self._portions[connection.portion].pop(connection, None)
        self._open.dec()
        self.metrics.disconnects.labels(transport=TRANSPORT, reason=reason).inc()
        self.release(connection)

    def show(self, session: SessionId, connection: DeskConnection) -> None:
        """Let a connection have a session; the one that had it is closed."""
        other = self._shown.get(session)
        self._shown[session] = connection
        if other is None:
            self.host.desktop_attached(session)
        elif other.client == connection.client and other.client:
            other.end(NORMAL, "replaced")  # the same page, back before we missed it
        else:
            other.refuse(TokenRefusal.TAKEN_OVER, CLOSED_TAKEN_OVER)

    def release(self, connection: DeskConnection) -> None:
        """Know that a connection shows nothing any more."""
        session = connection.session
        if session is not None and self._shown.get(session) is connection:
            del self._shown[session]
            self.host.desktop_detached(session)

    def _session_closed(self, session: SessionId, reason: str, detail: str) -> None:
        self.tokens.end(session, reason, detail)
        connection = self._shown.pop(session, None)
        if connection is not None:
            connection.end(CLOSED_ENDED, reason)


class DeskConnection:
    """One desktop's connection: hello first, then notices one way and commands the other.

    Attributes:
        session: the one shown, None before the hello.
        client: what the page calls itself.
        portion: which of ``Desks``' portions it is looked after with.
    """

    __slots__ = (
        "_connection",
        "_desks",
        "_ending",
        "_heard_s",
        "_opened_s",
        "_unanswered",
        "_unsubscribe",
        "client",
        "portion",
        "session",
    )

    def __init__(self, desks: Desks) -> None:
        self._desks = desks
        self._connection: TextConnection | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._unanswered: list[CommandId] = []
        self._opened_s = self._heard_s = 0.0
        self._ending = ""
        self.session: SessionId | None = None
        self.client = ""
        self.portion = 0

    # --- told by the protocol

    def opened(self, connection: TextConnection) -> None:
        """Take the connection and wait for the hello."""
        self._connection = connection
        self._opened_s = self._heard_s = self._desks.clock.now_s()
        self.portion = self._desks.began(self)

    def text_received(self, data: bytes) -> None:
        """Act on a frame."""
        self._heard_s = self._desks.clock.now_s()
        if self._ending:
            return
        try:
            frame = FRAMES.decode(data)
        except msgspec.DecodeError as error:
            self.refuse("protocol.frame" if self.session else "protocol.hello", CLOSED_BAD_FRAME, str(error))
            return
        if isinstance(frame, CommandFrame) and self.session is not None:
            self._submit(self.session, frame)
        elif isinstance(frame, Hello) and self.session is None:
            self._greet(frame)
        elif self.session is None or isinstance(frame, Hello):
            self.refuse("protocol.hello", CLOSED_BAD_FRAME, "the first frame, and only that, is a hello")

    def writable_again(self, skipped: int) -> None:
        """Make good what was not written while the desktop took nothing."""
        outbox = self._desks.host.outbox(self.session) if self.session is not None else None
        if not skipped or outbox is None or self.session is None:
            return
        self._deliver(outbox.snapshot("slow"))
        unanswered, self._unanswered = self._unanswered, []
        for command_id in unanswered:
            self._answer_from_memory(self.session, command_id)

    def closed(self, code: int, *, slow: bool) -> None:
        """Let everything go."""
        self._stop_delivery()
        self._connection = None
        reason = "slow" if slow else self._ending or ("closed" if code in {1000, 1001, 1005} else "lost")
        if slow:
            self._desks.metrics.slow_clients_closed.inc()
            log_event(LOGGER, "slow_desktop_cut_off", level="warning", session=self.session)
        self._desks.ended(self, reason)

    # --- told by Desks

    def look_after(self, now_s: float, beat: bytes) -> None:
        """Say something, or close a desktop that says nothing."""
        settings = self._desks.settings
        if self._connection is None or self._ending:
            return
        if self.session is None:
            if now_s - self._opened_s > settings.hello_limit_s:
                self.refuse("protocol.hello", CLOSED_BAD_FRAME, "no hello came")
        elif now_s - self._heard_s > settings.silent_s:
            log_event(LOGGER, "silent_desktop_closed", session=self.session, silent_s=now_s - self._heard_s)
            self.end(CLOSED_SILENT, "silent")
        else:
            self._connection.send(beat)

    def is_on_call(self) -> bool:
        """Say whether the agent has a call or a record open."""
        state = self._state()
        return state is not None and (bool(state.calls) or state.item is not None)

    def say(self, message: bytes) -> bool:
        """Write one message; False when the desktop takes nothing now."""
        return self._connection is not None and self._connection.send(frame_text(message))

    def refuse(self, why: str, code: int, detail: str = "") -> None:
        """Say why, and close."""
        if not self._ending:
            self.say(_ENCODER.encode(Refused(id=why, detail=detail)))
            self.end(code, why)

    def end(self, code: int, why: str) -> None:
        """Close, and stop showing the session at once."""
        if self._ending:
            return
        self._ending = why
        self._stop_delivery()
        self._desks.release(self)
        if self._connection is not None:
            self._connection.close(code, why)

    # --- inside

    def _greet(self, hello: Hello) -> None:
        desks = self._desks
        found = desks.tokens.find(hello.token)
        outbox = None if isinstance(found, TokenRefusal) else desks.host.outbox(SessionId(found))
        if isinstance(found, TokenRefusal) or outbox is None:
            why = found if isinstance(found, TokenRefusal) else TokenRefusal.ENDED
            desks.metrics.resumes.labels(outcome="refused").inc()
            self._refuse_token(hello.token, why)
            return
        self.session, self.client = found, hello.client
        desks.show(found, self)
        missed = None if hello.epoch is None or hello.seq is None else outbox.since(hello.epoch, hello.seq)
        outcome = "snapshot" if missed is None else "resumed"
        desks.metrics.resumes.labels(outcome=outcome).inc()
        welcome = Welcome(
            outcome=outcome,
            epoch=outbox.epoch,
            seq=outbox.seq,
            now=rfc3339(desks.clock.now_s()),
            beat_s=desks.settings.beat_s,
            silent_s=desks.settings.silent_s,
        )
        self.say(_ENCODER.encode(welcome))
        for envelope in [outbox.snapshot("hello" if hello.epoch is None else "gap")] if missed is None else missed:
            self._deliver(envelope)
        self._unsubscribe = outbox.subscribe(self._tell)

    def _refuse_token(self, token: str, why: TokenRefusal) -> None:
        reason, detail = self._desks.tokens.ending(token)
        self.say(_ENCODER.encode(Refused(id=why, reason=reason, detail=detail)))
        self.end(_CLOSE_CODES[why], why)

    def _deliver(self, envelope: bytes) -> None:
        if self.say(envelope):
            self._desks.events_sent.inc()

    def _tell(self, envelope: bytes) -> None:
        """Deliver what has just come about, and observe how long it was on its way through us."""
        self._deliver(envelope)
        received_s = self._desks.host.received_s(self.session) if self.session is not None else None
        if received_s is not None:
            self._desks.metrics.event_delay.observe(self._desks.clock.now_s() - received_s)

    def _stop_delivery(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _submit(self, session: SessionId, frame: CommandFrame) -> None:
        try:
            command = COMMANDS.decode(frame.command)
        except msgspec.DecodeError as error:
            self._answer(CommandId(frame.id), "", Outcome.REFUSED, "command.invalid", str(error))
            return
        record = self._desks.host.submit(session, CommandId(frame.id), command)
        if record is None:
            word = kebab(type(command).__name__)
            self._answer(CommandId(frame.id), word, Outcome.REFUSED, "session-ending", "")
        else:
            self._answer(record.id, record.type, record.outcome, record.error, record.detail)

    def _answer_from_memory(self, session: SessionId, command_id: CommandId) -> None:
        record = self._desks.host.command(session, command_id)
        if record is not None:
            self._answer(record.id, record.type, record.outcome, record.error, record.detail)

    def _answer(self, command_id: CommandId, word: str, outcome: Outcome, error: str, detail: str) -> None:
        answer = Answer(id=command_id, command_type=word, outcome=outcome, error=error, detail=detail)
        if not self.say(_ENCODER.encode(answer)):
            self._unanswered = [*self._unanswered, command_id][-ANSWERS_KEPT:]

    def _state(self) -> SessionState | None:
        return self._desks.host.state(self.session) if self.session is not None else None
