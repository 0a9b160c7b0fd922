"""The listener and our WebSocket on real sockets, on both event loops."""

import asyncio
import contextlib
import gc
import inspect
import socket
import ssl
import time
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import httpx
import pytest
import trustme
import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Request

from unified_agent.errors import SettingsError
from unified_agent.server.http_listener import HttpListener
from unified_agent.server.text_connection import TextConnection, TextHandler
from unified_agent.server.websocket_protocol import WebSocketLimits, frame_text
from unified_agent.settings import HttpSettings

pytestmark = pytest.mark.integration

UPGRADE = (
    b"GET /echo HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def on_both_loops(test: Callable[..., Any]) -> Callable[..., Any]:
    """Run a coroutine test on asyncio's own loop and on uvloop."""

    def run(new_loop: Callable[[], asyncio.AbstractEventLoop], **arguments: Any) -> None:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(test(**arguments))

    own = inspect.signature(test)
    extra = inspect.Parameter("new_loop", inspect.Parameter.KEYWORD_ONLY)
    run.__signature__ = own.replace(parameters=[*own.parameters.values(), extra])  # type: ignore[attr-defined]
    run.__name__ = test.__name__
    run.pytestmark = [  # type: ignore[attr-defined]
        *getattr(test, "pytestmark", []),
        pytest.mark.parametrize(
            "new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
        ).mark,
    ]
    return run


class Echo:
    """Sends back what it gets; ``boom`` makes it fail."""

    def __init__(self, log: list[Any]) -> None:
        self.connection: TextConnection | None = None
        self._log = log

    def opened(self, connection: TextConnection) -> None:
        self.connection = connection
        self._log.append(weakref.ref(self))
        connection.send(b"welcome")

    def text_received(self, data: bytes) -> None:
        if data == b"boom":
            raise RuntimeError("boom")
        assert self.connection is not None
        self.connection.send(data)

    def writable_again(self, skipped: int) -> None:
        self._log.append(("writable", skipped))
        if skipped and self.connection is not None:
            self.connection.send(b"snapshot")

    def closed(self, code: int, *, slow: bool) -> None:
        self._log.append(("closed", code, slow))
        self.connection = None


class Served:
    def __init__(self, listener: HttpListener, log: list[Any], handlers: list[Echo]) -> None:
        self.listener = listener
        self.log = log
        self.handlers = handlers
        self.url = listener.url.replace("http", "ws") + "echo"

    async def until(self, so: Callable[[], object], limit_s: float = 5.0) -> None:
        async with asyncio.timeout(limit_s):
            while not so():  # noqa: ASYNC110 - what is waited for happens on the other side of a socket
                await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(limits: WebSocketLimits | None = None, **settings: Any) -> AsyncIterator[Served]:
    log: list[Any] = []
    handlers: list[Echo] = []

    def router(request: Request) -> TextHandler | tuple[HTTPStatus, str]:
        if request.path != "/echo":
            return HTTPStatus.NOT_FOUND, "no"
        if request.headers.get("Origin") == "http://evil.example":
            return HTTPStatus.FORBIDDEN, "no"
        handlers.append(Echo(log))
        return handlers[-1]

    async def hello(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})

    listener = HttpListener(
        HttpSettings(host="127.0.0.1", port=0, **settings), hello, router, limits or WebSocketLimits()
    )
    task = asyncio.create_task(listener.serve())
    try:
        await listener.wait_started()
        yield Served(listener, log, handlers)
    finally:
        listener.stop()
        async with asyncio.timeout(10.0):
            await task


async def opened(served: Served, **options: Any) -> ClientConnection:
    client = await connect(served.url, **options)
    assert await client.recv() == "welcome"
    return client


async def close_code(client: ClientConnection) -> int | None:
    async with asyncio.timeout(5.0):
        with contextlib.suppress(ConnectionClosed):
            while True:
                await client.recv()
    return client.close_code


@on_both_loops
async def test_texts_of_every_frame_size_come_back():
    async with serving(WebSocketLimits(message_limit_bytes=100_000)) as served:
        client = await opened(served)
        for size in (0, 1, 125, 126, 65_535, 65_536, 99_999):
            await client.send("x" * size)
            assert await client.recv() == "x" * size
        await client.send(["ab", "", "cd", "ef"])
        assert await client.recv() == "abcdef"
        await client.send("árvíztűrő tükörfúrógép")
        assert await client.recv() == "árvíztűrő tükörfúrógép"
        await (await client.ping())
        await client.close()
        await served.until(lambda: ("closed", 1000, False) in served.log)


@on_both_loops
async def test_http_and_websocket_share_the_port():
    async with serving() as served, httpx.AsyncClient() as client:
        await opened(served)
        answer = await client.get(served.listener.url)
        assert answer.text == "hello"
        assert "server" not in answer.headers


@on_both_loops
async def test_compression_is_not_negotiated():
    async with serving() as served:
        client = await opened(served)
        assert client.response is not None
        assert "Sec-WebSocket-Extensions" not in client.response.headers


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (["x" * 100_001], 1009),
        ([["x" * 60_000, "x" * 60_000]], 1009),
        ([b"binary"], 1003),
        (["boom"], 1011),
    ],
)
@on_both_loops
async def test_what_we_do_not_take_closes_with_the_right_code(frames, code):
    async with serving(WebSocketLimits(message_limit_bytes=100_000)) as served:
        client = await opened(served)
        bystander = await opened(served)
        for frame in frames:
            await client.send(frame)
        assert await close_code(client) == code
        await bystander.send("still here")
        assert await bystander.recv() == "still here"


@on_both_loops
async def test_invalid_utf8_and_invalid_frames_are_refused():
    async with serving() as served:
        client = await opened(served)
        await client.send(b"\xff\xfe", text=True)
        assert await close_code(client) == 1007
        reader, writer = await asyncio.open_connection("127.0.0.1", served.listener.port)
        writer.write(UPGRADE)
        await reader.readuntil(b"welcome")
        writer.write(b"\x81\x01x")  # not masked, as a client's frames must be
        rest = await asyncio.wait_for(reader.read(), 5.0)
        assert rest[:1] == b"\x88"
        assert int.from_bytes(rest[2:4], "big") == 1002
        writer.close()


@pytest.mark.parametrize(
    ("path", "headers", "status"), [("nope", {}, 404), ("echo", {"Origin": "http://evil.example"}, 403)]
)
@on_both_loops
async def test_a_refused_handshake_is_a_plain_answer(path, headers, status):
    async with serving() as served:
        with pytest.raises(InvalidStatus) as caught:
            await connect(served.url.replace("echo", path), additional_headers=headers)
    assert caught.value.response.status_code == status


@on_both_loops
async def test_a_desktop_that_takes_nothing_costs_its_water_mark_and_is_cut_off():
    limits = WebSocketLimits(write_high_bytes=65_536, write_low_bytes=16_384, slow_s=0.5)
    async with serving(limits) as served:
        _, writer = await asyncio.open_connection("127.0.0.1", served.listener.port, limit=1)
        writer.write(UPGRADE)
        await served.until(lambda: served.handlers)
        handler = served.handlers[0]
        bystander = await opened(served)
        assert handler.connection is not None
        protocol: Any = handler.connection
        own_socket = protocol._transport.get_extra_info("socket")
        assert own_socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000
        message = b"x" * 280
        written = sum(protocol.send(message) for _ in range(200_000))
        unsent = protocol._transport.get_write_buffer_size()
        assert written < 200_000
        assert unsent <= limits.write_high_bytes + len(frame_text(message))
        began = time.monotonic()
        await served.until(
            lambda: any(each[0] == "closed" and each[2] for each in served.log if isinstance(each, tuple))
        )
        assert time.monotonic() - began < 5.0
        await bystander.send("undisturbed")
        assert await bystander.recv() == "undisturbed"
        writer.close()


@on_both_loops
async def test_a_desktop_that_takes_again_hears_what_it_missed():
    limits = WebSocketLimits(write_high_bytes=65_536, write_low_bytes=16_384, slow_s=5.0)
    async with serving(limits) as served:
        client = await opened(served, max_queue=1)
        handler = served.handlers[0]
        assert handler.connection is not None
        written = True
        while written:
            written = handler.connection.send(b"x" * 10_000)
            await asyncio.sleep(0)
        async with asyncio.timeout(5.0):
            while await client.recv() != "snapshot":
                pass
        skipped = [each[1] for each in served.log if isinstance(each, tuple) and each[0] == "writable"]
        assert skipped == [1]


@on_both_loops
async def test_a_peer_that_vanishes_without_answering_our_close_is_let_go():
    async with serving() as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.listener.port)
        writer.write(UPGRADE)
        await reader.readuntil(b"welcome")
        handler = served.handlers[0]
        assert handler.connection is not None
        handler.connection.close(4408, "silent")
        await served.until(lambda: ("closed", 1006, False) in served.log)
        writer.close()


@on_both_loops
async def test_a_stop_closes_with_1012_and_finishes_what_runs():
    async with serving() as served:
        client = await opened(served)
        served.listener.stop()
        assert await close_code(client) == 1012


@on_both_loops
async def test_closed_connections_leave_nothing_for_the_collector():
    async with serving() as served:
        clients = [await opened(served) for _ in range(20)]
        references = [each for each in served.log if isinstance(each, weakref.ref)]
        protocols = [weakref.ref(each.connection) for each in served.handlers if each.connection is not None]
        assert len(protocols) == 20
        served.handlers.clear()
        gc.collect()
        gc.disable()
        try:
            for client in clients:
                await client.close()
            await served.until(lambda: sum(isinstance(each, tuple) for each in served.log) == 20)
            await asyncio.sleep(0.05)
            assert sum(each() is not None for each in protocols) <= 1
            assert sum(each() is not None for each in references) <= 1
        finally:
            gc.enable()


@on_both_loops
async def test_tls_serves_both(tmp_path):
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "both.pem"))
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    async with serving(tls_cert_file=tmp_path / "both.pem", tls_key_file=tmp_path / "both.pem") as served:
        assert served.listener.url.startswith("https://")
        client = await opened(served, ssl=trust)
        await client.send("over TLS")
        assert await client.recv() == "over TLS"
        async with httpx.AsyncClient(verify=trust) as http:
            assert (await http.get(served.listener.url)).text == "hello"


@on_both_loops
async def test_a_port_in_use_is_told_with_what_to_do():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port} on 127.0.0.1 is in use by another program"):
            HttpListener(HttpSettings(port=port), None, None, WebSocketLimits())  # type: ignore[arg-type]


@on_both_loops
async def test_an_address_that_is_not_ours_and_a_bad_certificate_are_told(tmp_path):
    with pytest.raises(SettingsError, match="not an address of this machine"):
        HttpListener(HttpSettings(host="192.0.2.1", port=0), None, None, WebSocketLimits())  # type: ignore[arg-type]
    (tmp_path / "bad.pem").write_text("nonsense")
    with pytest.raises(SettingsError, match="are not a certificate and its unencrypted key"):
        HttpListener(
            HttpSettings(port=0, tls_cert_file=tmp_path / "bad.pem", tls_key_file=tmp_path / "bad.pem"),
            None,  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]
            WebSocketLimits(),
        )
