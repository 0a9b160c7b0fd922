"""One client's socket at the simulated AES, and what can go wrong with it.

Framing and messages are the wire connection's; this adds what life adds: answers that come late, a peer that has gone
silent without closing, a socket that is cut.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

from unified_agent.domain.ports import Clock, Timer
from unified_agent.errors import RemoteProtocolError
from unified_agent.observe import get_logger, log_event
from unified_agent.wire.csta.server_connection import PeerClosed, RequestReceived, ServerConnection
from unified_agent.wire.csta.shapes import Message

LOGGER = get_logger("simulators.aes")

#: Unsent bytes at which a client that takes nothing is cut off. Above any burst: 1,000 monitors take 1.5 MB of events.
UNSENT_LIMIT_BYTES = 32 * 1024 * 1024
#: Frames kept while silent or slow; a client behind more than that is cut off.
HELD_LIMIT = 100_000


class ClientSocket(asyncio.Protocol):
    """One socket. Give it to ``create_server``, or to any transport of asyncio's shape.

    Args:
        number: names it towards the AES.
        clock: where time comes from.
        on_open, on_message, on_over: told of the socket's life; ``on_over`` comes once, after everything else.
    """

    def __init__(
        self,
        number: int,
        *,
        clock: Clock,
        on_open: Callable[[ClientSocket], None],
        on_message: Callable[[ClientSocket, RequestReceived], None],
        on_over: Callable[[ClientSocket], None],
    ) -> None:
        self.number = number
        self.peer = ""
        self.opened_s = clock.now_s()
        self.messages_in = 0
        self.messages_out = 0
        self._clock = clock
        self._on_open = on_open
        self._on_message = on_message
        self._on_over = on_over
        self._wire = ServerConnection()
        self._transport: asyncio.Transport | None = None
        self._over = False
        self._silent = False
        self._delay_s = 0.0
        #: Bytes with the time at which they may go, oldest first.
        self._held: deque[tuple[float, bytes]] = deque()
        self._unread: list[bytes] = []
        self._timer: Timer | None = None

    @property
    def is_silent(self) -> bool:
        """Whether nothing is read and nothing is sent."""
        return self._silent

    @property
    def delay_s(self) -> float:
        """How long everything that is sent is held back."""
        return self._delay_s

    # What the AES does

    def send(self, invoke_id: int | None, message: Message) -> None:
        """Send an answer, or an event when there is no invoke id; ``flush`` writes it."""
        self.messages_out += 1
        if invoke_id is None:
            self._wire.send_event(message)
        else:
            self._wire.send_answer(invoke_id, message)

    def flush(self) -> None:
        """Write what was sent, now or when delay and silence allow."""
        data = self._wire.data_to_send()
        if not data or self._over:
            return
        if self._silent or self._delay_s > 0 or self._held:
            self._held.append((self._clock.now_s() + self._delay_s, data))
            if len(self._held) > HELD_LIMIT:
                self.abort()
            else:
                self._plan()
        else:
            self._write(data)

    def close(self) -> None:
        """Write what is left and close in order. A silent socket closes without a word."""
        if self._silent:
            self.abort()
            return
        self.flush()
        while self._held:
            self._write(self._held.popleft()[1])
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Cut the socket at once; the client sees a reset."""
        if self._transport is not None:
            self._transport.abort()

    # What life does

    def garble(self, data: bytes) -> None:
        """Write bytes of no message, as a broken peer does."""
        if self._transport is not None:
            self._transport.write(data)

    def set_silent(self, *, silent: bool) -> None:
        """Go silent without closing, or speak again. What came and what was to be sent meanwhile is not lost."""
        if silent is self._silent or self._transport is None:
            return
        self._silent = silent
        if silent:
            self._transport.pause_reading()
            return
        self._transport.resume_reading()
        self._write_due()
        unread, self._unread = self._unread, []
        for data in unread:
            self.data_received(data)

    def set_delay(self, delay_s: float) -> None:
        """Hold back everything that is sent from now on by ``delay_s`` seconds; order is kept."""
        self._delay_s = delay_s

    # Called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self.peer = f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else str(peer or "")
        self._on_open(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes of the client."""
        if self._silent:  # what the transport had read already
            self._unread.append(data)
            return
        try:
            self._wire.receive_data(data, self._clock.now_s())
        except RemoteProtocolError as error:
            self._take_events()
            log_event(LOGGER, "client_broke_protocol", level="warning", connection=self.number, detail=str(error))
            self.abort()
            return
        self._take_events()

    def eof_received(self) -> bool:
        """Take the news that the client sends no more, and let the transport close."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone."""
        if self._over:
            return
        self._over = True
        self._wire.receive_eof(self._clock.now_s())
        if self._timer is not None:
            self._timer.cancel()
        self._on_over(self)

    def _take_events(self) -> None:
        while not self._over and (event := self._wire.next_event()) is not None:
            if isinstance(event, PeerClosed):
                return
            self.messages_in += 1
            self._on_message(self, event)

    def _plan(self) -> None:
        if self._timer is None and self._held and not self._silent:
            self._timer = self._clock.call_at(self._held[0][0], self._write_due)

    def _write_due(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now_s = self._clock.now_s()
        while self._held and not self._silent and self._held[0][0] <= now_s:
            self._write(self._held.popleft()[1])
        self._plan()

    def _write(self, data: bytes) -> None:
        if self._transport is None or self._over:
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > UNSENT_LIMIT_BYTES:
            log_event(LOGGER, "client_too_slow", level="warning", connection=self.number)
            self._transport.abort()
