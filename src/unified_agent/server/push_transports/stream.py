"""Notices as a ``text/event-stream``: an answer that does not end, for networks that let no WebSocket through.

Frames go down in it as they are, each as one event; what the desktop says comes by requests of its own. The answer's
own task is the only one, besides one that waits for the peer to go away.
"""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any, Final, Protocol, cast

import msgspec
from msgspec import Struct

from unified_agent.domain.ports import Clock, Timer
from unified_agent.server.push_transports.desk_connection import DeskConnection
from unified_agent.server.push_transports.held import Held, HeldConnections
from unified_agent.server.sockets import cut_off, find_vanished
from unified_agent.server.text_connection import ABNORMAL
from unified_agent.settings import DesktopSettings
from unified_agent.wire.push import write_event

#: In a request's scope: the transport of its connection, if the server hands it out.
TRANSPORT_EXTENSION: Final = "unified_agent.transport"
#: After our last word the peer has this long to take it, seconds.
CLOSE_LIMIT_S: Final = 2.0
HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)

Receive = Any
Send = Any
_ENCODER: Final = msgspec.json.Encoder()


class Opened(Struct, kw_only=True, frozen=True, tag_field="type", tag="opened"):
    """The first event: by which id the desktop's own frames find this stream."""

    connection: str


class ClosedFrame(Struct, kw_only=True, frozen=True, tag_field="type", tag="closed"):
    """The last event: how the stream was closed by us."""

    code: int
    reason: str


class Pipe(Protocol):
    """What carries an answer, as far as it is known."""

    def unsent_bytes(self) -> int:
        """Return how much the peer has not taken."""
        ...

    def cut_off(self) -> None:
        """Cut the connection."""
        ...


class _Socket:
    """The pipe of a server that hands out its transport."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        find_vanished(transport)

    def unsent_bytes(self) -> int:
        return self._transport.get_write_buffer_size()

    def cut_off(self) -> None:
        cut_off(self._transport)


class _Unknown:
    """The pipe of a server that tells nothing of it."""

    def unsent_bytes(self) -> int:
        return 0

    def cut_off(self) -> None:
        pass


class Stream(Held):
    """One desktop's stream."""

    def __init__(
        self,
        handler: DeskConnection,
        pipe: Pipe,
        *,
        connection_id: str,
        token: str,
        settings: DesktopSettings,
        clock: Clock,
    ) -> None:
        super().__init__(handler, connection_id=connection_id, token=token, settings=settings, clock=clock)
        self._pipe = pipe
        self._awaited: asyncio.Future[None] | None = None
        self._taken_bytes = 0
        self._timer: Timer | None = None
        self._said_end = False

    async def next_events(self) -> bytes | None:
        """Wait for what there is to say, and return a portion of it as events; None after the last one."""
        while not self._frames and self.end is None:
            self._awaited = asyncio.get_running_loop().create_future()
            await self._awaited
        if self._frames:
            return self._next_portion()
        if self._said_end or self.end is None or self.end.code == ABNORMAL:
            return None
        self._said_end = True
        return write_event(_ENCODER.encode(ClosedFrame(code=self.end.code, reason=self.end.reason)))

    def done(self) -> None:
        """Know that the answer is over."""
        self.lost()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def beat(self, data: bytes) -> None:
        """Say it, unless something else waits to be said."""
        if not self._frames:
            self.send(data)

    def abort(self) -> None:
        """Cut the connection too."""
        super().abort()
        self._pipe.cut_off()

    def _next_portion(self) -> bytes:
        count, size = 0, 0
        for frame in self._frames:
            count, size = count + 1, size + len(frame)
            if size >= self._settings.write_low_bytes:
                break
        events = b"".join(write_event(self._frames[index]) for index in range(count))
        self._taken_bytes += size
        self._drop(count)
        return events

    def _changed(self) -> None:
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_result(None)
        if self.end is not None and self._handler is None:
            self._watch(CLOSE_LIMIT_S)

    def _filled(self) -> None:
        self._watch(self._settings.slow_s)

    def _watch(self, limit_s: float) -> None:
        """Look after ``limit_s`` whether the peer has taken anything."""
        if self._timer is not None:
            self._timer.cancel()
        taken = self._taken_bytes, self._pipe.unsent_bytes()
        self._timer = self._clock.call_at(self._clock.now_s() + limit_s, lambda: self._judge(taken, limit_s))

    def _judge(self, taken_then: tuple[int, int], limit_s: float) -> None:
        self._timer = None
        taken_bytes, unsent_bytes = taken_then
        took = self._taken_bytes > taken_bytes or self._pipe.unsent_bytes() < unsent_bytes
        if self.end is not None:
            self._pipe.cut_off()
        elif self._is_full and took:
            self._watch(limit_s)
        elif self._is_full:
            self.lost(slow=True)
            self._pipe.cut_off()


class StreamAnswer:
    """The ASGI application that answers one request with a stream."""

    def __init__(
        self,
        handler: DeskConnection,
        hello: bytes,
        token: str,
        *,
        connections: HeldConnections,
        settings: DesktopSettings,
        clock: Clock,
    ) -> None:
        self._handler = handler
        self._hello = hello
        self._token = token
        self._connections = connections
        self._settings = settings
        self._clock = clock

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer until one of both has had enough."""
        stream = Stream(
            self._handler,
            _pipe_of(scope),
            connection_id=self._connections.new_id(),
            token=self._token,
            settings=self._settings,
            clock=self._clock,
        )
        self._connections.add(stream)
        leaving = asyncio.get_running_loop().create_task(_wait_until_gone(receive, stream))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": list(HEADERS)})
            stream.send(_ENCODER.encode(Opened(connection=stream.id)))
            stream.begin(self._hello)
            while (events := await stream.next_events()) is not None:
                await send({"type": "http.response.body", "body": events, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._connections.forget(stream)
            stream.done()
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)


async def _wait_until_gone(receive: Receive, stream: Stream) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.lost()


def _pipe_of(scope: MutableMapping[str, Any]) -> Pipe:
    transport = (scope.get("extensions") or {}).get(TRANSPORT_EXTENSION)
    return _Unknown() if transport is None else _Socket(cast("asyncio.Transport", transport))
