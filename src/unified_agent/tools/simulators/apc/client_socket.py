"""One client's socket at the simulated dialler, and what can go wrong with it.

Frames are the wire connection's; this adds what life adds: answers that come late or byte by byte, a peer that has
gone silent without closing, a socket that is cut.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, cast

from unified_agent.domain.ports import Clock, Timer
from unified_agent.errors import RemoteProtocolError
from unified_agent.observe import get_logger, log_event
from unified_agent.wire.apc import server_connection as frames
from unified_agent.wire.apc.codec import CodePage
from unified_agent.wire.apc.messages import Message, NoticeName

LOGGER = get_logger("simulators.apc")

#: Unsent bytes at which a client that takes nothing is cut off.
UNSENT_LIMIT_BYTES: Final = 4 * 1024 * 1024
#: Pieces kept while silent or slow; a client behind more than that is cut off.
HELD_LIMIT: Final = 100_000

_BADLY_FORMED: Final = "E70001"


class ClientSocket(asyncio.Protocol):
    """One socket. Give it to ``create_server``, or to any transport of asyncio's shape.

    Args:
        number: names it towards the dialler.
        clock: where time comes from.
        code_page: of customers' data.
        on_open, on_command, on_over: told of the socket's life; ``on_over`` comes once, after everything else.
    """

    def __init__(
        self,
        number: int,
        *,
        clock: Clock,
        code_page: CodePage,
        on_open: Callable[[ClientSocket], None],
        on_command: Callable[[ClientSocket, Message], None],
        on_over: Callable[[ClientSocket], None],
    ) -> None:
        self.number = number
        self.peer = ""
        self.opened_s = clock.now_s()
        self._clock = clock
        self._on_open = on_open
        self._on_command = on_command
        self._on_over = on_over
        self._wire = frames.ServerConnection(process_id="0", code_page=code_page)
        self._transport: asyncio.Transport | None = None
        self._over = False
        self._silent = False
        self._closing = False
        self._delay_s = 0.0
        self._piece_bytes = 0
        self._pause_s = 0.0
        #: Pieces with the time at which they may go, oldest first.
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

    # What the dialler does

    def send(self, process: int, message: Message) -> None:
        """Send a message of the agent's process; ``flush`` writes it."""
        self._wire.process_id = str(process)
        self._wire.send(message)

    def flush(self) -> None:
        """Write what was sent, now or when delay and silence allow."""
        data = self._wire.data_to_send()
        if not data or self._over:
            return
        if not (self._silent or self._delay_s > 0 or self._piece_bytes or self._held):
            self._write(data)
            return
        due_s = self._clock.now_s() + self._delay_s
        if self._held:
            due_s = max(due_s, self._held[-1][0] + self._pause_s)
        size = self._piece_bytes or len(data)
        for start in range(0, len(data), size):
            self._held.append((due_s, data[start : start + size]))
            due_s += self._pause_s
        if len(self._held) > HELD_LIMIT:
            self.abort()
        else:
            self._plan()

    def close(self) -> None:
        """Close in order, after what is to be sent. A silent socket closes when it speaks again."""
        self.flush()
        if self._held or self._silent:
            self._closing = True
        elif self._transport is not None:
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

    def set_delay(self, delay_s: float, piece_bytes: int = 0, pause_s: float = 0.0) -> None:
        """Hold back everything that is sent from now on, and send it in small pieces; order is kept.

        Args:
            delay_s: how long everything waits.
            piece_bytes: size of a piece; 0: whole.
            pause_s: between two pieces.
        """
        self._delay_s, self._piece_bytes, self._pause_s = delay_s, piece_bytes, pause_s

    def set_part_size(self, part_size_bytes: int) -> None:
        """Continue longer messages in further frames; 0: never."""
        self._wire.part_size_bytes = part_size_bytes or None

    # Called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self.peer = f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else str(peer or "")
        self._on_open(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes of the client. What is no command is answered as badly formed, and the socket closed.

        Assumed: a real dialler sends E70001 as a system error; the guide names the code, not its bearer.
        """
        if self._silent:  # what the transport had read already
            self._unread.append(data)
            return
        if self._closing:
            return
        try:
            self._wire.receive_data(data, self._clock.now_s())
        except RemoteProtocolError as error:
            self._take_events()
            log_event(LOGGER, "client_broke_protocol", level="warning", connection=self.number, detail=str(error))
            self._wire.send(frames.notice(NoticeName.SYSTEM_ERROR, "1", _BADLY_FORMED))
            self.close()
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
        if self._timer is not None:
            self._timer.cancel()
        self._on_over(self)

    def _take_events(self) -> None:
        while not self._over and isinstance(event := self._wire.next_event(), frames.CommandReceived):
            self._on_command(self, event.message)

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
        if self._closing and not self._held and not self._silent and self._transport is not None:
            self._transport.close()
        self._plan()

    def _write(self, data: bytes) -> None:
        if self._transport is None or self._over:
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > UNSENT_LIMIT_BYTES:
            log_event(LOGGER, "client_too_slow", level="warning", connection=self.number)
            self._transport.abort()
