"""WebSocket without ASGI, task, queue or timer per connection: one object on the sans-I/O API of ``websockets``.

uvicorn hands us the connection when a request asks for the upgrade (its ``ws`` class), so the port, the TLS context and
the drain are those of HTTP. The handshake and inbound frames are parsed by ``websockets``; outbound text is framed by
``frame_text`` and written straight to the transport.

Measured with ``benchmarks/push.py``, 1,000 desktops on a busy machine of two cores: 13 to 15 µs of CPU for a notice
(numbered, encoded, kept, framed, written) and 9 kB for a connection. A prototype of this shape needed 0.6 times the CPU
and a third of the memory of the same server through ASGI.

Compression (permessage-deflate) is never negotiated: a notice has a few hundred bytes, the compressor 38 kB.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final, cast

from msgspec import Struct
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from unified_agent.domain.limits import COMMAND_LIMIT_BYTES
from unified_agent.observe import get_logger, log_event
from unified_agent.server.sockets import cut_off, find_vanished
from unified_agent.server.text_connection import (
    ABNORMAL,
    INTERNAL_ERROR,
    INVALID_DATA,
    NORMAL,
    RESTART,
    UNSUPPORTED,
    TextHandler,
)

LOGGER: Final = get_logger("server.websocket")
_LIBRARY_LOGGER: Final = logging.getLogger("unified_agent.websockets")
_LIBRARY_LOGGER.setLevel(logging.WARNING)

#: How long a peer may take to answer our close, seconds.
CLOSE_LIMIT_S: Final = 2.0


class WebSocketLimits(Struct, frozen=True, kw_only=True):
    """What one connection may use.

    Attributes:
        message_limit_bytes: longest message taken, over all its fragments.
        write_high_bytes, write_low_bytes: unsent bytes at which nothing more is written, and at which it goes on.
        slow_s: a peer that takes nothing for this long is cut off.
    """

    message_limit_bytes: int = COMMAND_LIMIT_BYTES + 1024
    write_high_bytes: int = 65_536
    write_low_bytes: int = 16_384
    slow_s: float = 5.0


#: Decides about a handshake: a handler, or the status and words to refuse it with.
Router = Callable[[Request], TextHandler | tuple[HTTPStatus, str]]


def frame_text(data: bytes) -> bytes:
    """Frame one message (RFC 6455 section 5.2: FIN, opcode 1, no mask)."""
    length = len(data)
    if length < 126:
        return bytes((0x81, length)) + data
    if length < 65_536:
        return bytes((0x81, 126, length >> 8, length & 0xFF)) + data
    return b"\x81\x7f" + length.to_bytes(8, "big") + data


def websocket_class(router: Router, limits: WebSocketLimits) -> type[asyncio.Protocol]:
    """Make what ``uvicorn.Config(ws=...)`` wants: called with ``config``, ``server_state`` and ``app_state``."""

    def make(config: object, server_state: Any, app_state: object) -> WebSocketProtocol:
        return WebSocketProtocol(router, limits, server_state.connections)

    return cast("type[asyncio.Protocol]", make)


class WebSocketProtocol(asyncio.Protocol):
    """One connection, from uvicorn's handing over to its end.

    After the end it holds nothing: handler, transport and parser are let go, so no reference cycle waits for the
    garbage collector (with the collector off, closed connections were freed at once).
    """

    __slots__ = (
        "__weakref__",
        "_close_timer",
        "_handler",
        "_limits",
        "_open_connections",
        "_parts",
        "_paused",
        "_protocol",
        "_router",
        "_skipped",
        "_slow",
        "_slow_timer",
        "_transport",
        "_unsent_bytes",
    )

    def __init__(self, router: Router, limits: WebSocketLimits, open_connections: set[WebSocketProtocol]) -> None:
        """Be ready.

        Args:
            router: decides about the handshake.
            limits: what the connection may use.
            open_connections: uvicorn's set of those whose ``shutdown`` it calls when it drains.
        """
        self._router = router
        self._limits = limits
        self._open_connections = open_connections
        self._protocol: ServerProtocol | None = ServerProtocol(
            max_size=limits.message_limit_bytes, logger=_LIBRARY_LOGGER
        )
        self._transport: asyncio.Transport | None = None
        self._handler: TextHandler | None = None
        self._parts: list[bytes] = []
        self._paused = False
        self._skipped = 0
        self._unsent_bytes = 0
        self._slow = False
        self._slow_timer: asyncio.TimerHandle | None = None
        self._close_timer: asyncio.TimerHandle | None = None

    # --- called by the loop and by uvicorn

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the transport of the request."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=self._limits.write_high_bytes, low=self._limits.write_low_bytes)
        find_vanished(self._transport)
        self._open_connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the handler and let everything go."""
        self._open_connections.discard(self)
        for timer in (self._slow_timer, self._close_timer):
            if timer is not None:
                timer.cancel()
        self._slow_timer = self._close_timer = None
        protocol, handler = self._protocol, self._handler
        self._protocol = self._handler = self._transport = None
        if protocol is None:
            return
        code = protocol.close_rcvd.code if protocol.close_rcvd else ABNORMAL
        with contextlib.suppress(EOFError):
            protocol.receive_eof()  # ends its parser, which refers back to it
        if handler is not None:
            handler.closed(code, slow=self._slow)

    def eof_received(self) -> bool:
        """Let the transport close: a half-closed WebSocket is of no use."""
        return False

    def data_received(self, data: bytes) -> None:
        """Parse what came and act on it."""
        protocol = self._protocol
        if protocol is None:
            return
        protocol.receive_data(data)
        for event in protocol.events_received():
            if isinstance(event, Request):
                self._open(event)
            elif isinstance(event, Frame):
                self._take_frame(event)
        self._flush()

    def pause_writing(self) -> None:
        """Stop writing, and give the peer ``slow_s`` to take something."""
        self._paused = True
        self._watch_slowness()

    def resume_writing(self) -> None:
        """Write again; the handler makes good what was skipped."""
        self._paused = False
        if self._slow_timer is not None:
            self._slow_timer.cancel()
            self._slow_timer = None
        if self._handler is not None:
            skipped, self._skipped = self._skipped, 0
            self._handler.writable_again(skipped)

    def shutdown(self) -> None:
        """Close for a restart. Called by uvicorn when it drains."""
        if self._protocol is not None and self._protocol.state is State.CONNECTING:
            self.abort()
        else:
            self.close(RESTART, "restart")

    # --- called by the handler

    def send(self, data: bytes) -> bool:
        """Frame a message and write it; see ``TextConnection``."""
        if not self._write(data):
            self._skipped += 1
            return False
        return True

    def beat(self, data: bytes) -> None:
        """Write a sign of life; a peer that takes nothing gets none, and misses none."""
        self._write(data)

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Begin the closing handshake, which the peer has ``CLOSE_LIMIT_S`` to complete."""
        if self._protocol is not None and self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason)
            self._flush()

    def abort(self) -> None:
        """Cut the connection, with all that is unsent here and in the kernel."""
        if self._transport is not None:
            cut_off(self._transport)

    # --- inside

    def _write(self, data: bytes) -> bool:
        if self._paused or self._transport is None or self._protocol is None or self._protocol.state is not State.OPEN:
            return False
        self._transport.write(frame_text(data))
        return True

    def _open(self, request: Request) -> None:
        if self._protocol is None:
            return
        decision = self._router(request)
        if isinstance(decision, tuple):
            self._protocol.send_response(self._protocol.reject(*decision))
            self._flush()
            return
        response = self._protocol.accept(request)
        self._protocol.send_response(response)
        self._flush()
        if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            self._handler = decision
            decision.opened(self)

    def _take_frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.BINARY:
            self._fail(UNSUPPORTED, "text only")
        elif frame.opcode is Opcode.TEXT or frame.opcode is Opcode.CONT:
            if frame.data:
                self._parts.append(bytes(frame.data))
            if frame.fin:
                parts, self._parts = self._parts, []
                self._take_text(parts[0] if len(parts) == 1 else b"".join(parts))

    def _take_text(self, data: bytes) -> None:
        if self._handler is None or self._protocol is None or self._protocol.state is not State.OPEN:
            return
        try:
            if not data.isascii():
                data.decode()
        except UnicodeDecodeError:
            self._fail(INVALID_DATA, "not UTF-8")
            return
        try:
            self._handler.text_received(data)
        except Exception as error:  # noqa: BLE001 - one connection's boundary: the others go on
            log_event(LOGGER, "desktop_handler_failed", level="error", error=error)
            self._fail(INTERNAL_ERROR, "internal")

    def _fail(self, code: int, reason: str) -> None:
        if self._protocol is not None:
            self._protocol.fail(code, reason)

    def _flush(self) -> None:
        protocol, transport = self._protocol, self._transport
        if protocol is None or transport is None:
            return
        # To a peer that takes nothing only a close is written: answers to its pings would pile up without a bound.
        silent = self._paused and protocol.state is State.OPEN
        for data in protocol.data_to_send():
            if data:
                if not silent:
                    transport.write(data)
            elif transport.can_write_eof():
                transport.write_eof()
            else:
                transport.close()
        if self._close_timer is None and protocol.close_expected():
            self._close_timer = asyncio.get_running_loop().call_later(CLOSE_LIMIT_S, self.abort)

    def _watch_slowness(self) -> None:
        if self._transport is not None:
            self._unsent_bytes = self._transport.get_write_buffer_size()
            self._slow_timer = asyncio.get_running_loop().call_later(self._limits.slow_s, self._judge_slowness)

    def _judge_slowness(self) -> None:
        if self._transport is not None and self._transport.get_write_buffer_size() < self._unsent_bytes:
            self._watch_slowness()  # it took something: nothing was written meanwhile, so it can only shrink
            return
        self._slow = True
        self.abort()
