"""One connection of a web server: bytes from the transport to AJP's machine, what it finds to the application."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol, cast

from unified_agent.observe import get_logger, log_event
from unified_agent.server.ajp_exchange import Exchange
from unified_agent.server.sockets import find_vanished
from unified_agent.wire.ajp13.connection import AjpConnection
from unified_agent.wire.ajp13.events import BodyReceived, Ended, RequestReceived
from unified_agent.wire.ajp13.reasons import CloseReason

LOGGER: Final = get_logger("server.ajp")
#: A web server that takes nothing of an answer for this long is cut off, seconds.
STALLED_S: Final = 30.0
#: After an answer that ends a connection, what still comes is thrown away for this long, seconds: closing at once would
#: have the kernel take the answer back.
LINGER_S: Final = 1.0
#: Unsent bytes at which the application waits, and at which it goes on.
_WRITE_HIGH_BYTES, _WRITE_LOW_BYTES = 65_536, 16_384
#: Reasons for which the connection has said something, and the web server may still be sending.
ANSWERED: Final = frozenset(
    {
        CloseReason.MALFORMED,
        CloseReason.FRAMING,
        CloseReason.ATTRIBUTE,
        CloseReason.SECRET,
        CloseReason.BODY,
        CloseReason.TOO_LONG,
    }
)


class Owner(Protocol):
    """What a connection needs of its listener."""

    @property
    def trust_remote_user(self) -> bool:
        """Whether the application is told whom the web server has found the user to be."""
        ...

    @property
    def body_limit_bytes(self) -> int:
        """Longest body of a request that is read."""
        ...

    def make_connection(self, now_s: float) -> AjpConnection:
        """Make the protocol's end of a new connection."""
        ...

    def opened(self, protocol: AjpProtocol) -> bool:
        """Take a connection in; False when it is to be cut off."""
        ...

    def begin(self, exchange: Exchange) -> None:
        """Have the application answer a request, or refuse it."""
        ...

    def answered(self, status: int) -> None:
        """Count an answer."""
        ...

    def refuse_body(self, exchange: Exchange) -> None:
        """Answer that a body is too long."""
        ...

    def refuse_failure(self, exchange: Exchange) -> None:
        """Answer that the application failed."""
        ...

    def closed(self, protocol: AjpProtocol, ended: Ended) -> None:
        """Know that a connection is over."""
        ...

    def forget(self, protocol: AjpProtocol) -> None:
        """Know that a connection's transport is gone."""
        ...


class AjpProtocol(asyncio.Protocol):
    """One connection: bytes from the transport to the protocol's machine, its events to the application."""

    __slots__ = (
        "_closing",
        "_exchange",
        "_listener",
        "_stalled",
        "_waiters",
        "connection",
        "loop",
        "paused",
        "transport",
    )

    def __init__(self, listener: Owner, loop: asyncio.AbstractEventLoop) -> None:
        self._listener = listener
        #: Where it runs.
        self.loop: Final = loop
        #: What carries it, None when it is gone.
        self.transport: asyncio.Transport | None = None
        self._exchange: Exchange | None = None
        self._closing = False
        self.connection: Final = listener.make_connection(loop.time())
        #: Whether the application is to wait before it sends more.
        self.paused = False
        self._waiters: list[asyncio.Future[None]] = []
        #: How many bytes were unsent when, while the web server takes nothing.
        self._stalled = (0, 0.0)

    @property
    def peer(self) -> str:
        """The web server's address, for people."""
        address = None if self.transport is None else self.transport.get_extra_info("peername")
        return f"{address[0]}:{address[1]}" if address else ""

    # --- called by the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport, or refuse it."""
        self.transport = cast("asyncio.Transport", transport)
        if not self._listener.opened(self):
            self._closing = True
            self.connection.give_up(CloseReason.STOPPED, "")
            self.connection.next_event()  # it was never counted as open
            self.transport.abort()
            return
        self.transport.set_write_buffer_limits(high=_WRITE_HIGH_BYTES, low=_WRITE_LOW_BYTES)
        find_vanished(self.transport)

    def data_received(self, data: bytes) -> None:
        """Parse what came and act on it."""
        self.connection.receive_data(data, self.loop.time())
        self.act()

    def eof_received(self) -> bool:
        """In the middle of a request it means that nobody waits for the answer."""
        self.connection.receive_eof(self.loop.time())
        self.act()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Let everything go."""
        self.connection.receive_eof(self.loop.time())
        self.act()
        self.transport = None
        self._listener.forget(self)
        self._wake()

    def pause_writing(self) -> None:
        """Have the application wait."""
        self.paused = True
        if self.transport is not None:
            self._stalled = (self.transport.get_write_buffer_size(), self.loop.time())

    def resume_writing(self) -> None:
        """Have the application go on."""
        self.paused = False
        self._wake()

    # --- called by the listener and by exchanges

    def act(self) -> None:
        """Hand on what the machine has found, and write what it wants to say."""
        connection = self.connection
        while (event := connection.next_event()) is not None:
            if isinstance(event, RequestReceived):
                trusted = self._listener.trust_remote_user
                self._exchange = exchange = Exchange(self, event, trust_remote_user=trusted)
                self._listener.begin(exchange)
            elif isinstance(event, BodyReceived):
                self._take_body(event)
            else:
                self._end(event)
        self.write()

    def write(self) -> None:
        """Write what the machine wants to say."""
        data = self.connection.data_to_send()
        if data and self.transport is not None:
            self.transport.write(data)

    async def drained(self) -> None:
        """Return once the application may send more."""
        while self.paused and not self._closing:
            waiter: asyncio.Future[None] = self.loop.create_future()
            self._waiters.append(waiter)
            await waiter

    def exchange_over(self, exchange: Exchange) -> None:
        """Know that an answer is complete; the next request may have come already."""
        self._listener.answered(exchange.status)
        if self._exchange is exchange:
            self._exchange = None
        self.act()

    def failed(self, exchange: Exchange, error: BaseException | None) -> None:
        """Say that the application did not answer to the end: as 500, or by breaking off."""
        log_event(
            LOGGER, "ajp_handler_failed", level="error", error=error, path=exchange.request.path.decode("latin-1")
        )
        if self.connection.headers_sent:
            self.connection.fail("the application failed in the middle of its answer")
            self.act()
        else:
            self._listener.refuse_failure(exchange)

    def stop(self) -> None:
        """Close when idle, or after the present answer, or that to a request that is on its way."""
        self.connection.stop(self.loop.time())
        self.act()
        self._end_when_due()

    def cut(self, why: str, reason: CloseReason = CloseReason.STOPPED) -> None:
        """End at once, with all that is unsent."""
        self.connection.give_up(reason, why)
        self.act()
        if self.transport is not None:
            self.transport.abort()

    def look_after(self, now_s: float) -> None:
        """Do what is due by now."""
        due_s = self.connection.next_timer()
        if due_s is not None and now_s >= due_s:
            self.connection.handle_timer(now_s)
            self.act()
        elif self.paused and self.transport is not None:
            unsent, since_s = self._stalled
            size = self.transport.get_write_buffer_size()
            if size < unsent:
                self._stalled = (size, now_s)
            elif now_s - since_s > STALLED_S:
                self.cut(f"the web server took nothing for {STALLED_S:g} s", CloseReason.SLOW)

    # --- inside

    def _end_when_due(self) -> None:
        """After the stop nobody may look after us any more."""
        self.look_after(self.loop.time())
        due_s = self.connection.next_timer()
        if due_s is not None:
            self.loop.call_at(due_s, self._end_when_due)

    def _take_body(self, event: BodyReceived) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        exchange.take_body(event)
        if exchange.received_bytes > self._listener.body_limit_bytes:
            exchange.abandon()
            if self.connection.headers_sent:
                self.connection.fail("the body is too long, and the answer has begun")
            else:
                self._listener.refuse_body(exchange)

    def _end(self, ended: Ended) -> None:
        self._listener.closed(self, ended)
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.abandon()
        self.write()
        was_closing, self._closing = self._closing, True
        self._wake()
        if self.transport is None or was_closing:
            return
        # The last answer may have been given before the body that it does not need has come.
        is_last = ended.reason is CloseReason.STOPPED and self.connection.is_body_due
        if (ended.reason in ANSWERED or is_last) and self.transport.can_write_eof():
            self.transport.write_eof()
            self.loop.call_later(LINGER_S, self.transport.close)
        else:
            self.transport.close()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
