"""One WebSocket connection on the running event loop, on the sans-I/O API of ``websockets``.

No task, queue or timer of its own: texts are handed on as they come. The caller watches over silence.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, cast

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake, InvalidURI
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

_LIBRARY_LOGGER: Final = logging.getLogger("unified_agent.client.websockets")
_LIBRARY_LOGGER.setLevel(logging.WARNING)

#: Longest message taken, bytes: a snapshot with a long list of jobs has some ten thousand.
MESSAGE_LIMIT_BYTES: Final = 1_048_576
#: What a connection that ended without a close frame is said to have ended with (RFC 6455 section 7.1.5).
ABNORMAL: Final = 1006


class TextHandler(Protocol):
    """Whoever wants to know what a connection brings."""

    def text_received(self, data: bytes) -> None:
        """Take one whole message."""
        ...

    def connection_lost(self, code: int, reason: str) -> None:
        """Know that the connection is over; told once, and nothing after it."""
        ...


class Connection(Protocol):
    """What can be done with an open connection."""

    def send(self, text: bytes) -> None:
        """Send one message, UTF-8; lost when the connection is on its way out."""
        ...

    def close(self) -> None:
        """Begin the closing handshake; the end is told to the handler."""
        ...

    def abort(self) -> None:
        """Cut the connection; the end is told to the handler."""
        ...


class WebSocketConnection(asyncio.Protocol):
    """A client's end of one connection."""

    __slots__ = ("_handler", "_opened", "_parts", "_protocol", "_transport")

    def __init__(self, url: str, handler: TextHandler, opened: asyncio.Future[None]) -> None:
        """Be ready.

        Args:
            url: ``ws://`` or ``wss://``.
            handler: told of texts and of the end.
            opened: done when the handshake is, or given the exception that ended it.
        """
        self._protocol = ClientProtocol(parse_uri(url), max_size=MESSAGE_LIMIT_BYTES, logger=_LIBRARY_LOGGER)
        self._handler: TextHandler | None = handler
        self._opened = opened
        self._transport: asyncio.Transport | None = None
        self._parts: list[bytes] = []

    # --- called by the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the handshake."""
        self._transport = cast("asyncio.Transport", transport)
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Hand on what came."""
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._take_frame(event)
            elif isinstance(event, Response):
                self._settle_handshake()
        self._flush()

    def eof_received(self) -> bool:
        """Let the transport close."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the handler, once, and let everything go."""
        handler, self._handler, self._transport = self._handler, None, None
        with contextlib.suppress(EOFError):
            self._protocol.receive_eof()
        if not self._opened.done():
            self._opened.set_exception(exc or self._protocol.handshake_exc or ConnectionResetError("closed"))
        elif handler is not None:
            received = self._protocol.close_rcvd
            handler.connection_lost(received.code if received else ABNORMAL, received.reason if received else "")

    # --- called by the desk

    def send(self, text: bytes) -> None:
        """Send one message; see ``Connection``."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_text(text)
            self._flush()

    def close(self) -> None:
        """Begin the closing handshake."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(1000)
            self._flush()

    def abort(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()

    def drop(self) -> None:
        """Cut the connection, and tell nobody."""
        self._handler = None
        self.abort()

    # --- inside

    def _settle_handshake(self) -> None:
        if self._opened.done():
            self.drop()  # whoever waited has given up
        elif self._protocol.handshake_exc is not None:
            self._opened.set_exception(self._protocol.handshake_exc)
            self.drop()
        else:
            self._opened.set_result(None)

    def _take_frame(self, frame: Frame) -> None:
        if frame.opcode is not Opcode.TEXT and frame.opcode is not Opcode.CONT:
            return
        self._parts.append(bytes(frame.data))
        if frame.fin and self._handler is not None:
            parts, self._parts = self._parts, []
            self._handler.text_received(parts[0] if len(parts) == 1 else b"".join(parts))

    def _flush(self) -> None:
        if self._transport is None:
            return
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            else:
                self._transport.close()


#: Opens a connection to a URL within so many seconds; raises ``OSError`` or ``TimeoutError`` when it cannot.
Opener = Callable[[str, TextHandler, float], Awaitable[Connection]]


async def open_websocket(
    url: str, handler: TextHandler, limit_s: float, tls: ssl.SSLContext | None = None
) -> Connection:
    """Connect and shake hands.

    Args:
        url: ``ws://`` or ``wss://``.
        handler: told of texts and of the end; of nothing when this raises.
        limit_s: for all of it.
        tls: for ``wss://``; None for the system's trust.

    Raises:
        OSError: the connection could not be made, or was not taken.
        TimeoutError: not within the limit.
    """
    loop = asyncio.get_running_loop()
    opened: asyncio.Future[None] = loop.create_future()
    connection: WebSocketConnection | None = None
    try:
        uri = parse_uri(url)
        async with asyncio.timeout(limit_s):
            _, connection = await loop.create_connection(
                lambda: WebSocketConnection(url, handler, opened),
                uri.host,
                uri.port,
                ssl=(tls or ssl.create_default_context()) if uri.secure else None,
            )
            await opened
    except (InvalidHandshake, InvalidURI) as error:
        raise ConnectionRefusedError(f"{url}: {error}") from error
    except BaseException:
        if connection is not None:
            connection.drop()
        raise
    return connection
