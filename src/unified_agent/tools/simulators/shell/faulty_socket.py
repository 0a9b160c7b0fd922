"""One client's socket, and what can go wrong with it.

Frames and messages are the wire connection's; this adds what life adds: answers that come late or byte by byte, a peer
that has gone silent without closing, bytes that mean nothing, a socket that is cut.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar, Final, Generic, Self, TypeVar, cast

from unified_agent.domain.ports import Clock, Timer
from unified_agent.errors import RemoteProtocolError
from unified_agent.observe import Logger, log_event
from unified_agent.wire.doors import Connection

#: Pieces kept while silent or slow; a client behind more than that is cut off.
HELD_LIMIT: Final = 100_000

WireT = TypeVar("WireT", bound=Connection[Any])


class FaultySocket(asyncio.Protocol, Generic[WireT]):
    """One socket. Give it to ``create_server``, or to any transport of asyncio's shape.

    Args:
        number: names it towards the simulator.
        wire: the server's end of the protocol.
        clock: where time comes from.
        on_open, on_over: told of the socket's life; ``on_over`` comes once, after everything else.

    Attributes:
        logger: where what happens to the socket is told.
        unsent_limit_bytes: unsent bytes at which a client that takes nothing is cut off.
        peer: the client's address, as text; empty before the socket is open.
        opened_s: Unix seconds.
    """

    logger: ClassVar[Logger]
    unsent_limit_bytes: ClassVar[int]

    def __init__(
        self,
        number: int,
        *,
        wire: WireT,
        clock: Clock,
        on_open: Callable[[Self], None],
        on_over: Callable[[Self], None],
    ) -> None:
        self.number = number
        self.peer = ""
        self.opened_s = clock.now_s()
        self._wire = wire
        self._clock = clock
        self._on_open = on_open
        self._on_over = on_over
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

    @abstractmethod
    def _take_events(self) -> None:
        """Pass on what the wire has read, unless the socket is over."""

    def describe(self) -> dict[str, Any]:
        """Return what is true of the socket now, as JSON values: ``peer``, ``open_s``, ``silent``, ``delay_s``."""
        return {
            "peer": self.peer,
            "open_s": round(self._clock.now_s() - self.opened_s, 3),
            "silent": self._silent,
            "delay_s": self._delay_s,
        }

    # What the simulator does

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

    # Called by the transport

    def connection_made(self: Self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self.peer = f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else str(peer or "")
        self._on_open(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes of the client. What breaks the protocol ends the socket; what was complete before it counts."""
        if self._over or self._closing:
            return
        if self._silent:  # what the transport had read already
            self._unread.append(data)
            return
        try:
            self._wire.receive_data(data, self._clock.now_s())
        except RemoteProtocolError as error:
            self._take_events()
            log_event(self.logger, "client_broke_protocol", level="warning", connection=self.number, detail=str(error))
            self._end_broken()
            return
        self._take_events()

    def eof_received(self) -> bool:
        """Take the news that the client sends no more, and let the transport close."""
        return False

    def connection_lost(self: Self, exc: Exception | None) -> None:
        """The transport is gone."""
        if self._over:
            return
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        self._on_over(self)

    # Inside

    def _end_broken(self) -> None:
        """End the socket of a client that broke the protocol."""
        self.abort()

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
        if self._transport.get_write_buffer_size() > self.unsent_limit_bytes:
            log_event(self.logger, "client_too_slow", level="warning", connection=self.number)
            self._transport.abort()
