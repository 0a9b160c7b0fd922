"""One application session with one AES on one connection: begun, resumed, ended, and its end told once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from unified_agent.domain.ports import Clock
from unified_agent.errors import LinkNotReady, LinkRefused
from unified_agent.links.telephony.exchange import Exchange
from unified_agent.pump import Pump
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
from unified_agent.wire.csta.monitor_messages import MonitorStartResponse
from unified_agent.wire.csta.request_table import Token
from unified_agent.wire.csta.session_messages import SessionError
from unified_agent.wire.csta.session_settings import SessionSettings
from unified_agent.wire.csta.shapes import Message
from unified_agent.wire.csta.values import MonitorId, SessionId

#: An orderly goodbye waits so long for AES's answer.
STOP_LIMIT_S: Final = 1.0

_REASONS: Final = {
    LossReason.CLOSED_BY_PEER: "closed",
    LossReason.SILENT: "silent",
    LossReason.START_UNANSWERED: "silent",
    LossReason.KEEP_ALIVE_UNANSWERED: "silent",
}
#: A refused start that time may mend by itself. Any other needs a person.
_TEMPORARY: Final = frozenset({SessionError.SERVER_RESOURCES_BUSY})


class AesSession:
    """One session on one connection. Give ``pump`` to the network, then ``start``, then wait for ``ended``.

    Args:
        settings: of the session; its request limit also bounds ours.
        clock: where time comes from.
        on_started: the session is up; told whether it is the one that was to be resumed.
        on_message: takes everything that AES sends by itself.
        on_stray_monitor: a monitor was started for nobody: its request had been given up.
        on_lost: told the reason and words, at once, when a session that was up is lost without ``stop``.
        count: see ``Exchange``.
    """

    def __init__(
        self,
        settings: SessionSettings,
        *,
        clock: Clock,
        on_started: Callable[[bool], None],
        on_message: Callable[[Message], None],
        on_stray_monitor: Callable[[MonitorId], None],
        on_lost: Callable[[str, str], None],
        count: Callable[[str, float], None],
    ) -> None:
        self._clock = clock
        self._connection = ClientConnection(settings)
        self.pump: Pump[ClientEvent] = Pump(self._connection, clock=clock, on_event=self._take, on_lost=self._pump_lost)
        self.exchange = Exchange(self._send, clock, request_limit_s=settings.request_timeout_s, count=count)
        self._on_started = on_started
        self._on_message = on_message
        self._on_stray_monitor = on_stray_monitor
        self._on_lost = on_lost
        #: Set to the reason when a session that was up is over, to an error when it could not be had.
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.ended.add_done_callback(_retrieve)
        self._was_up = False
        self._stopping = False

    @property
    def session_id(self) -> SessionId | None:
        """The session's id, also after its end, by which a new connection may resume it."""
        return self._connection.session_id

    def start(self, old: SessionId | None) -> None:
        """Ask for a session, for the old one if there is one."""
        if self.pump.is_open:
            self._connection.start(self._clock.now_s(), old_session_id=old)
            self.pump.poke()

    async def stop(self) -> None:
        """End the session in order, or after ``STOP_LIMIT_S`` without; then nothing of it is left at AES."""
        self._stopping = True
        if self._connection.phase is Phase.UP and self.pump.is_open:
            self._connection.stop(self._clock.now_s())
            self.pump.poke()
            timer = self._clock.call_at(self._clock.now_s() + STOP_LIMIT_S, lambda: self._finish("stopped"))
            await asyncio.wait([self.ended])
            timer.cancel()
        self.close()

    def close(self) -> None:
        """Close the connection. Without ``stop`` before, AES keeps session and monitors for the clean-up delay."""
        self.pump.close()
        self._finish("closed")

    def give_up(self, error: LinkNotReady | LinkRefused) -> None:
        """End the session in order, because of us; ``ended`` gets the error."""
        if self._connection.phase is Phase.UP:
            self._connection.stop(self._clock.now_s())
        self._stopping = True
        self.pump.close()
        self._fail(error)

    def _send(self, request: Message, timeout_s: float) -> Token:
        token = self._connection.send(request, self._clock.now_s(), timeout_s=timeout_s)
        self.pump.poke()
        return token

    def _take(self, event: ClientEvent) -> None:
        match event:
            case Answered():
                if not self.exchange.answered(event) and isinstance(event.message, MonitorStartResponse):
                    self._on_stray_monitor(event.message.monitor_id)
            case Failed():
                self.exchange.failed(event)
            case RequestTimedOut():
                self.exchange.timed_out(event)
            case EventReceived(message=message):
                self._on_message(message)
            case SessionStarted(resumed=resumed):
                self._was_up = True
                self._on_started(resumed)
            case SessionRefused(was_recovery=True):
                self._connection.start(self._clock.now_s())  # the old one is gone; a fresh one on the same connection
            case SessionRefused(error=error):
                self._refused(error)
            case SessionEnded(reason=reason):
                self.pump.close()
                self._over("session-ended", f"AES ended the session: {reason}")
            case LinkLost(reason=reason):
                self.pump.abort()
                self._over(_REASONS[reason], f"the connection is {reason}")

    def _refused(self, error: str) -> None:
        self.pump.close()
        if error in _TEMPORARY:
            self._fail(LinkNotReady(f"AES has no session to give now: {error}"))
        else:
            self._fail(LinkRefused(f"AES refuses the session ({error}): check user, password, version and licence"))

    def _pump_lost(self, reason: str, detail: str) -> None:
        self._over(reason, detail)

    def _over(self, reason: str, detail: str) -> None:
        if self.ended.done():
            return
        if not self._was_up and not self._stopping:
            self._fail(LinkNotReady(f"no session could be begun: {detail}"))
            return
        if not self._stopping:
            self._on_lost(reason, detail)
        self._finish(reason)

    def _finish(self, reason: str) -> None:
        if not self.ended.done():
            self.ended.set_result(reason)

    def _fail(self, error: LinkNotReady | LinkRefused) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)


def _retrieve(ended: asyncio.Future[str]) -> None:
    """Look at an error that nobody may come to fetch, or asyncio complains of it."""
    if not ended.cancelled():
        ended.exception()
