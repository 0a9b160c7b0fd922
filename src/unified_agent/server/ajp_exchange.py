"""One request that came by AJP and its answer, with the two doors that ASGI gives an application."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from unified_agent.errors import LocalProtocolError
from unified_agent.server.ajp_scope import scope_of
from unified_agent.server.edge import Application, Message
from unified_agent.server.push_transports.stream import TRANSPORT_EXTENSION
from unified_agent.wire.ajp13.connection import AjpConnection
from unified_agent.wire.ajp13.events import BodyReceived, Phase, RequestReceived

#: A handler whose web server has gone is told so at its next ``receive``, and cancelled after this long, seconds: most
#: are through by then, and what they have begun they had better end.
CANCEL_AFTER_S: Final = 1.0
_NO_BODY: Final = BodyReceived(b"", more=False)


class Line(Protocol):
    """What an exchange needs of its connection."""

    @property
    def connection(self) -> AjpConnection:
        """The machine that knows what may be said."""
        ...

    @property
    def paused(self) -> bool:
        """Whether the application is to wait before it sends more."""
        ...

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """Where it runs."""
        ...

    @property
    def transport(self) -> asyncio.Transport | None:
        """What carries it, None when it is gone."""
        ...

    def write(self) -> None:
        """Write what the machine wants to say."""
        ...

    def act(self) -> None:
        """The same, and hand on what the machine has found."""
        ...

    async def drained(self) -> None:
        """Return once more may be sent."""
        ...

    def exchange_over(self, exchange: Exchange) -> None:
        """Know that the answer is complete."""
        ...

    def failed(self, exchange: Exchange, error: BaseException | None) -> None:
        """Know that the application did not answer to the end."""
        ...


class Exchange:
    """One request and its answer.

    Attributes:
        request: what was asked.
        status: what was answered, 0 before.
        received_bytes: of the request's body, so far.
        task: in which the application runs, None for none.
    """

    __slots__ = (
        "_head",
        "_is_gone",
        "_is_over",
        "_line",
        "_loop",
        "_on_end",
        "_pieces",
        "_scope",
        "_waiters",
        "received_bytes",
        "request",
        "status",
        "task",
    )

    def __init__(self, line: Line, event: RequestReceived, *, trust_remote_user: bool) -> None:
        self._line = line
        self._loop: Final = line.loop
        self.request: Final = event.request
        self._scope = scope_of(event.request, trust_remote_user=trust_remote_user)
        self._scope["extensions"][TRANSPORT_EXTENSION] = line.transport
        self._pieces = [] if event.has_body else [_NO_BODY]
        self._waiters: list[asyncio.Future[None]] = []
        #: Status and headers that the application gave and that were not sent yet.
        self._head: tuple[int, list[tuple[bytes, bytes]]] | None = None
        self._is_over = False
        self._is_gone = False
        self._on_end: Callable[[Exchange], None] | None = None
        self.status = 0
        self.received_bytes = 0
        self.task: asyncio.Task[None] | None = None

    def start(self, application: Application, on_end: Callable[[Exchange], None]) -> None:
        """Have the application answer; ``on_end`` is called when it has returned."""
        self._on_end = on_end
        self.task = self._loop.create_task(self._run(application), name="ajp request")

    def take_body(self, event: BodyReceived) -> None:
        """Take a piece of the request's body."""
        self.received_bytes += len(event.data)
        self._pieces.append(event)
        self._wake()

    def answer(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """Answer without the application, or instead of it."""
        connection = self._line.connection
        if self._is_over or connection.phase is not Phase.ANSWERING:
            return
        self.status = status
        connection.send_headers(status, headers)
        connection.send_body(body)
        self._end()

    def abandon(self) -> None:
        """Tell the application that nobody waits for its answer any more."""
        self._is_gone = True
        self._wake()
        if self.task is not None and not self.task.done():
            self._loop.call_later(CANCEL_AFTER_S, self.task.cancel)

    # --- the doors of the application

    async def receive(self) -> Message:
        """Give the next piece of the body, or the news that nobody waits any more."""
        while not self._pieces:
            if self._is_gone or self._is_over:
                return {"type": "http.disconnect"}
            self._line.connection.ask_body(self._loop.time())
            self._line.act()
            if not self._pieces:
                waiter: asyncio.Future[None] = self._loop.create_future()
                self._waiters.append(waiter)
                await waiter
        if self._is_gone:
            return {"type": "http.disconnect"}
        piece = self._pieces.pop(0)
        return {"type": "http.request", "body": piece.data, "more_body": piece.more}

    async def send(self, message: Message) -> None:
        """Take a part of the answer, when the web server takes it; what nobody waits for any more is dropped."""
        if self._line.paused:
            await self._line.drained()
        if self._is_gone:
            return
        if self._is_over:
            raise LocalProtocolError("the answer is complete")
        kind = message["type"]
        if kind == "http.response.start":
            self._begin(message["status"], message.get("headers", ()))
        elif kind == "http.response.body":
            self._send_body(message.get("body", b""), more=message.get("more_body", False))

    # --- inside

    async def _run(self, application: Application) -> None:
        try:
            await application(self._scope, self.receive, self.send)
        except Exception as error:  # noqa: BLE001 - one request's boundary: the others go on
            self._fail(error)
        else:
            if not self._is_over:
                self._fail(None)
        finally:
            if self._on_end is not None:
                self._on_end(self)

    def _fail(self, error: BaseException | None) -> None:
        if not self._is_gone and not self._is_over:
            self._line.failed(self, error)

    def _begin(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        if self._head is not None or self.status:
            raise LocalProtocolError("the answer has begun already")
        self._head = (status, list(headers))
        # The body nearly always follows at once, and then all goes in one write.
        self._loop.call_soon(self._send_late_head)

    def _send_head(self, head: tuple[int, list[tuple[bytes, bytes]]]) -> None:
        status, headers = head
        self._line.connection.send_headers(status, headers)
        self._head = None
        self.status = status

    def _send_late_head(self) -> None:
        """Let the browser have the headers of an answer whose body takes its time."""
        if self._head is None or self._is_gone or self._is_over:
            return
        try:
            self._send_head(self._head)
        except LocalProtocolError as error:
            self._head = None
            self._line.failed(self, error)
            return
        self._line.connection.send_flush()
        self._line.write()

    def _send_body(self, data: bytes, *, more: bool) -> None:
        connection = self._line.connection
        if self._head is not None:
            self._send_head(self._head)
        connection.send_body(data)
        if more:
            connection.send_flush()
            self._line.write()
        else:
            self._end()

    def _end(self) -> None:
        self._line.connection.send_end(self._loop.time())
        self._is_over = True
        if self._waiters:
            self._wake()
        self._line.exchange_over(self)

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
