"""A web server's end: over a socket, or by a transport that remembers, with the listener's part played by hand."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from tests.unit.wire.ajp13 import front

from unified_agent.server.ajp_exchange import Exchange
from unified_agent.server.ajp_protocol import AjpProtocol
from unified_agent.server.edge import Application
from unified_agent.wire.ajp13.connection import AjpConnection
from unified_agent.wire.ajp13.events import Ended
from unified_agent.wire.ajp13.limits import AjpLimits

#: Nothing takes this long, seconds, however busy the machine is.
LIMIT_S = 30.0


class Line:
    """A web server's connection over a real socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, port: int) -> Line:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, data: bytes) -> front.Answer:
        self.writer.write(data)
        return await self.answer()

    async def packet(self) -> bytes:
        """Return what is in our next packet."""
        async with asyncio.timeout(LIMIT_S):
            head = await self.reader.readexactly(4)
            assert head[:2] == b"AB"
            return await self.reader.readexactly(int.from_bytes(head[2:], "big"))

    async def answer(self) -> front.Answer:
        answer = front.Answer()
        while answer.reuse is None:
            front.take(answer, await self.packet())
        return answer

    async def is_closed(self) -> bool:
        async with asyncio.timeout(LIMIT_S):
            try:
                return await self.reader.read(1) == b""
            except ConnectionResetError:
                return True

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


class Transport(asyncio.Transport):
    """Keeps what is written, in the portions in which it was."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.ends: list[str] = []
        self.unsent_bytes = 0

    def write(self, data: Any) -> None:
        self.writes.append(bytes(data))

    def take(self) -> bytes:
        taken = b"".join(self.writes)
        self.writes.clear()
        return taken

    def close(self) -> None:
        self.ends.append("close")

    def abort(self) -> None:
        self.ends.append("abort")

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ends.append("eof")

    def get_write_buffer_size(self) -> int:
        return self.unsent_bytes

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("198.51.100.1", 40_000) if name == "peername" else default


class Listener:
    """The listener's part: has everything answered by one application, and remembers what it is told."""

    trust_remote_user = False
    body_limit_bytes = 1_000

    def __init__(self, application: Application, **limits: Any) -> None:
        self.application = application
        self.limits = AjpLimits(**limits)
        self.full = False
        self.statuses: list[int] = []
        self.ends: list[Ended] = []
        self.forgotten = 0
        self.exchanges: list[Exchange] = []
        self.running: set[Exchange] = set()

    def make_connection(self, now_s: float) -> AjpConnection:
        return AjpConnection(self.limits, b"", now_s)

    def opened(self, protocol: AjpProtocol) -> bool:
        return not self.full

    def begin(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        self.running.add(exchange)
        exchange.start(self.application, self.running.discard)

    def answered(self, status: int) -> None:
        self.statuses.append(status)

    def refuse_body(self, exchange: Exchange) -> None:
        exchange.answer(413, [(b"content-length", b"3")], b"big")

    def refuse_failure(self, exchange: Exchange) -> None:
        exchange.answer(500, [(b"content-length", b"4")], b"oops")

    def closed(self, protocol: AjpProtocol, ended: Ended) -> None:
        self.ends.append(ended)

    def forget(self, protocol: AjpProtocol) -> None:
        self.forgotten += 1


class WebServer:
    """One connection and its other end."""

    def __init__(self, application: Application, *, full: bool = False, **limits: Any) -> None:
        self.listener = Listener(application, **limits)
        self.listener.full = full
        self.protocol = AjpProtocol(self.listener, asyncio.get_running_loop())
        self.transport = Transport()
        self.protocol.connection_made(self.transport)

    def send(self, data: bytes) -> None:
        self.protocol.data_received(data)

    async def idle(self) -> None:
        """Let everything run that can."""
        for _ in range(10):
            await asyncio.sleep(0)

    async def ask(self, data: bytes) -> front.Answer:
        """Send a request, and read its whole answer."""
        self.send(data)
        await self.idle()
        (answer,) = front.answers(self.transport.take())
        return answer
