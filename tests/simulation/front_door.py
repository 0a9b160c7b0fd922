"""The HTTP port of an instance in the simulated network, and how a desktop reaches it.

Both ends are the real ones: uvicorn's protocol with our WebSocket at the instance, the client library's WebSocket at
the desktop. Only the sockets are simulated, so whatever befalls hosts and network befalls requests and notices too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import urlsplit

import httptools
import msgspec
import uvicorn
from tests.simulation.network import HostNetwork
from uvicorn.server import ServerState
from websockets.exceptions import InvalidHandshake

from unified_agent.client.connection import TextHandler, WebSocketConnection
from unified_agent.errors import LinkNotReady
from unified_agent.network import Address, Listener
from unified_agent.server.edge import Application
from unified_agent.server.websocket_protocol import Router, WebSocketLimits, websocket_class

PORT: Final = 443


async def open_door(
    network: HostNetwork, application: Application, router: Router, limits: WebSocketLimits
) -> Listener:
    """Serve an instance's application and WebSocket at its port; to be called on its host."""
    config = uvicorn.Config(
        cast("Any", application),
        http="httptools",
        ws=websocket_class(router, limits),
        interface="asgi3",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
    )
    config.load()
    state, loop = ServerState(), asyncio.get_running_loop()

    def accept() -> asyncio.Protocol:
        return config.http_protocol_class(config=config, server_state=state, app_state={}, _loop=loop)  # type: ignore[call-arg]

    return await network.listen(accept, "", PORT)


def url_of(name: str) -> str:
    """Return where desktops reach an instance."""
    return f"http://{name}"


@dataclass(slots=True)
class Answer:
    """What came back. Attributes: ``body``: of JSON, empty for none."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str]


class _Asking(asyncio.Protocol):
    """One request on one connection."""

    def __init__(self, request: bytes) -> None:
        self.answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._request = request
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._headers: dict[str, str] = {}
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.answered.done():
            self.answered.set_exception(exc or ConnectionResetError("closed before it was answered"))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode().lower()] = value.decode()

    def on_body(self, data: bytes) -> None:
        self._body += data

    def on_message_complete(self) -> None:
        if not self.answered.done():
            is_json = "json" in self._headers.get("content-type", "")
            body = msgspec.json.decode(self._body) if self._body and is_json else {}
            self.answered.set_result(Answer(self._parser.get_status_code(), body, self._headers))
        self.give_up()

    def give_up(self) -> None:
        if self._transport is not None:
            self._transport.close()


async def ask(
    network: HostNetwork, url: str, method: str, path: str, limit_s: float, *, body: object = None, token: str = ""
) -> Answer:
    """Make one request.

    Raises:
        OSError: nobody is there, or the connection broke before the answer came.
        TimeoutError: no answer within the limit; what was asked may be done all the same.
    """
    host = urlsplit(url).hostname or ""
    content = b"" if body is None else msgspec.json.encode(body)
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", f"Content-Length: {len(content)}"]
    lines += ["Content-Type: application/json"] if content else []
    lines += [f"Authorization: Bearer {token}"] if token else []
    request = "\r\n".join([*lines, "\r\n"]).encode() + content
    asking = _Asking(request)
    try:
        async with asyncio.timeout(limit_s):
            await _dial(network, asking, url, limit_s)
            return await asking.answered
    except BaseException:
        asking.give_up()
        raise


class Events(WebSocketConnection):
    """The desktop's end of the WebSocket."""

    __slots__ = ()

    def stall(self) -> None:
        """Take nothing more, as a frozen browser does."""
        if self._transport is not None:
            self._transport.pause_reading()


async def open_events(network: HostNetwork, url: str, handler: TextHandler, limit_s: float) -> Events:
    """Open the WebSocket of an instance.

    Raises:
        OSError: nobody is there, or it was not taken.
        TimeoutError: not within the limit.
    """
    opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    connection = Events(f"ws{url.removeprefix('http')}/v1/events", handler, opened)
    try:
        async with asyncio.timeout(limit_s):
            await _dial(network, connection, url, limit_s)
            await opened
    except InvalidHandshake as error:  # cut off in the midst of it
        connection.drop()
        raise ConnectionError(str(error)) from error
    except BaseException:
        connection.drop()
        raise
    return connection


async def _dial(network: HostNetwork, protocol: asyncio.Protocol, url: str, limit_s: float) -> None:
    address = Address(host=urlsplit(url).hostname or "", port=PORT)
    try:
        await network.dial(lambda: protocol, address, limit_s)
    except LinkNotReady as error:
        raise ConnectionRefusedError(str(error)) from error
