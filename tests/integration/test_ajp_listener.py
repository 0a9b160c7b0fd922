"""Everything a web server may ask of us by AJP, over real sockets; it was all seen with real ones in test_apache.py."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from time import perf_counter
from typing import Any

import pytest
import uvloop
from tests.integration.ajp_node import LIMIT_S, SECRET, Node, Process, serving
from tests.unit.server.ajp_ends import Line
from tests.unit.wire.ajp13 import front

from unified_agent.observe import Metrics
from unified_agent.server import ajp_exchange, ajp_protocol
from unified_agent.tools.free_ports import find_free_ports
from unified_agent.wire.ajp13.codes import METHODS

pytestmark = pytest.mark.integration


def on_uvloop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a coroutine test on the loop that instances run on."""

    @wraps(test)
    def run(**arguments: Any) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(asyncio.wait_for(test(**arguments), LIMIT_S))

    return run


def request(method: str = "GET", path: bytes = b"/echo", *given: tuple[bytes, bytes], **changes: Any) -> bytes:
    return front.request(method, path, given, **{"secret": SECRET.encode(), **changes})


def sized(length: int) -> tuple[bytes, bytes]:
    return b"content-length", str(length).encode()


CHUNKED = (b"transfer-encoding", b"chunked")


class Place:
    def __init__(self, node: Node, port: int, metrics: Metrics) -> None:
        self.node = node
        self.port = port
        self.metrics = metrics
        self._lines: list[Line] = []

    async def connect(self) -> Line:
        self._lines.append(await Line.connect(self.port))
        return self._lines[-1]

    async def upload(self, line: Line, data: bytes, packets: list[bytes], end: bytes = b"") -> front.Answer:
        """Send a request, and each further packet when it is asked for."""
        answer = front.Answer()
        line.writer.write(data)
        waiting = [*packets, *([end] if end else [])]
        while answer.reuse is None:
            asked = len(answer.asked)
            front.take(answer, await line.packet())
            if len(answer.asked) > asked:
                line.writer.write(waiting.pop(0))
        assert waiting == []
        return answer

    async def until(self, so: Callable[[], object]) -> None:
        while not so():  # noqa: ASYNC110 - what is waited for happens on the other side of a socket
            await asyncio.sleep(0.005)

    async def close(self) -> None:
        for line in self._lines:
            await line.close()


@asynccontextmanager
async def place(**settings: Any) -> AsyncIterator[Place]:
    node, metrics = Node("here"), Metrics()
    async with serving(node, metrics=metrics, **settings) as listener:
        here = Place(node, listener.port, metrics)
        try:
            yield here
        finally:
            await here.close()


def told(answer: front.Answer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.body)
    return found


# 1
@on_uvloop
async def test_pings_are_answered_while_a_thousand_requests_are_pending() -> None:
    async with place() as here:
        lines = [await here.connect() for _ in range(1_000)]
        for line in lines:
            line.writer.write(request(path=b"/pend"))
        await here.until(lambda: here.node.begun == 1_000)
        probe = await here.connect()
        took_s = []
        for _ in range(50):
            began_s = perf_counter()
            probe.writer.write(front.CPING)
            assert await probe.packet() == b"\x09"
            took_s.append(perf_counter() - began_s)
        # 5 ms is the aim, and the median is far below it; the bound is for a machine that is busy with other work
        assert sorted(took_s)[25] < 0.05
        for line in lines:
            line.writer.close()
        await here.until(lambda: here.node.told == 1_000)


# 2
@on_uvloop
async def test_a_hundred_requests_go_over_one_connection() -> None:
    async with place() as here:
        line = await here.connect()
        for _ in range(100):
            answer = await line.ask(front.CPING[:0] + request())
            assert (answer.status, answer.reason, answer.reuse) == (200, b"OK", True)
        assert b"ua_ajp_connections 1.0" in here.metrics.render()


# 3
@on_uvloop
async def test_null_and_empty_strings_are_taken() -> None:
    async with place() as here:
        line = await here.connect()
        for remote, host, query in ((None, None, None), (b"", b"", b""), (b"192.0.2.1", b"pc7", b"x=1")):
            answer = await line.ask(request("GET", b"/echo", (b"x-empty", b""), remote=remote, host=host, query=query))
            assert (answer.status, told(answer)["headers"]) == (200, [["x-empty", ""]])


# 4
@on_uvloop
async def test_every_method_arrives() -> None:
    async with place() as here:
        line = await here.connect()
        for method in (*METHODS, "PATCH", "QUERY"):
            answer = await line.ask(request(method))
            assert answer.status == 200
            assert here.node.scope["method"] == method


# 5
@pytest.mark.parametrize("size", [8_192, 65_536])
@on_uvloop
async def test_bodies_of_known_length_arrive_whole(size: int) -> None:
    async with place(packet_size_bytes=size) as here:
        line = await here.connect()
        for length in (0, 3, 8_186, 8_187, 20_000, 65_530, 65_531, 200_000):
            data = os.urandom(length)
            first, rest = front.upload(data, size)
            answer = await here.upload(line, request("POST", b"/echo", sized(length)) + first, rest)
            assert (told(answer)["length"], answer.reuse) == (length, True)
            assert told(answer)["digest"] == hashlib.sha256(data).hexdigest()
            assert answer.asked == [size - 6] * len(rest), "no packet more than needed is asked for"


# 5, 7
@pytest.mark.parametrize("end", [front.JK_BODY_END, front.PROXY_BODY_END], ids=["mod_jk", "mod_proxy_ajp"])
@on_uvloop
async def test_bodies_of_unknown_length_arrive_whole(end: bytes) -> None:
    async with place() as here:
        line = await here.connect()
        for length in (0, 1, 8_186, 20_000):
            data = os.urandom(length)
            first, rest = front.upload(data)
            packets = [each for each in (first, *rest) if each]
            answer = await here.upload(line, request("POST", b"/echo", CHUNKED), packets, end)
            assert (told(answer)["length"], answer.reuse) == (length, True)
            assert told(answer)["digest"] == hashlib.sha256(data).hexdigest()


# 6
@on_uvloop
async def test_a_body_that_the_handler_ignores_does_not_spoil_the_next_request() -> None:
    async with place() as here:
        line = await here.connect()
        for length in (3, 8_186, 20_000):
            first, _ = front.upload(b"\x02" * length)
            answer = await line.ask(request("POST", b"/ignore", sized(length)) + first)
            assert (answer.status, answer.reuse, answer.asked) == (401, True, [])
            assert (await line.ask(front.JK_BODY_END + request())).status == 200
        assert (await line.ask(request("POST", b"/ignore", CHUNKED))).status == 401
        assert (await line.ask(request())).status == 200


# 7
@on_uvloop
async def test_a_surplus_byte_behind_a_body_is_let_pass() -> None:
    async with place() as here:
        line = await here.connect()
        answer = await line.ask(request("POST", b"/echo", sized(3)) + front.packet(b"\x00\x03abc\x00"))
        assert told(answer)["length"] == 3
        assert (await line.ask(request())).status == 200


# 8
@pytest.mark.parametrize("pieces", ["", "&pieces=1"], ids=["whole", "in pieces"])
@on_uvloop
async def test_answers_of_any_length_arrive_whole(pieces: str) -> None:
    async with place() as here:
        line = await here.connect()
        for length in (0, 1, 8_184, 8_185, 1_000_000):
            answer = await line.ask(request("GET", b"/size", query=f"n={length}{pieces}".encode()))
            assert answer.body == bytes(index % 251 for index in range(length))
            assert answer.reuse
            if not pieces:
                assert answer.values(b"content-length") == [str(length).encode()]


# 9
@on_uvloop
async def test_answers_without_a_body_have_none() -> None:
    async with place() as here:
        line = await here.connect()
        answer = await line.ask(request("HEAD", b"/size", query=b"n=1000"))
        assert (answer.status, answer.values(b"content-length"), answer.body) == (200, [b"1000"], b"")
        for status in (204, 205, 304):
            answer = await line.ask(request("GET", b"/status", query=f"n={status}".encode()))
            assert (answer.status, answer.body, answer.reuse) == (status, b"", True)
        answer = await line.ask(request("GET", b"/status", query=b"n=404"))
        assert (answer.status, answer.reason, answer.body) == (404, b"Not Found", b"five!")


# 10
@on_uvloop
async def test_each_event_of_a_stream_is_flushed() -> None:
    async with place() as here:
        line = await here.connect()
        line.writer.write(request("GET", b"/stream", query=b"count=2&gap=0.05"))
        kinds = [(await line.packet())[0:3] for _ in range(7)]
        assert kinds[0][:1] == b"\x04"
        assert kinds[1] == b"\x03\x00\x09"
        assert kinds[2] == b"\x03\x00\x00"
        assert kinds[4] == b"\x03\x00\x00"
        assert kinds[6] == b"\x05\x01"


# 11
@on_uvloop
async def test_packets_may_be_cut_anywhere_and_come_together() -> None:
    async with place() as here:
        line = await here.connect()
        data = front.CPING + request("POST", b"/echo", sized(3)) + front.body(b"abc")
        for at in range(1, len(data), 7):
            line.writer.write(data[:at])
            await asyncio.sleep(0)
            line.writer.write(data[at:])
            assert await line.packet() == b"\x09"
            assert told(await line.answer())["length"] == 3
        line.writer.write(data * 3)
        for _ in range(3):
            assert await line.packet() == b"\x09"
            assert told(await line.answer())["length"] == 3


# 12, 18
@pytest.mark.parametrize(
    ("data", "status", "reason"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 0, "not-ajp"),
        (front.packet(b"\x07"), 0, "unexpected"),
        (front.packet(b"\x08"), 0, "unexpected"),
        (front.packet(b"\x00\x03abc"), 0, "unexpected"),
        (b"\x12\x34\x1f\xfd" + b"\x02" * 8_189, 400, "too-long"),
        (request()[:4] + b"\x02\x02\x00", 0, "slow"),
        (front.packet(request()[4:-1]), 400, "malformed"),
        (request().replace(b"\x02\x02\x00\x08", b"\x02\x63\x00\x08"), 400, "malformed"),
        (request(attributes=b"\x0e\x00\x00\x00"), 400, "malformed"),
        (request("POST", b"/echo", sized(3), sized(3)), 400, "framing"),
        (request("POST", b"/echo", (b"content-length", b"three")), 400, "framing"),
        (request("POST", b"/echo", sized(3), CHUNKED), 400, "framing"),
        (request("POST", b"/echo", (b"transfer-encoding", b"gzip")), 400, "framing"),
        (request(attributes=front.request_attribute(b"javax.servlet.include.path_info", b"x")), 403, "attribute"),
        (request(secret=b"wrong"), 403, "secret"),
        (request(secret=None), 403, "secret"),
        (request("POST", b"/echo", sized(30)) + front.JK_BODY_END, 400, "body"),
        (request("POST", b"/echo", sized(2)) + front.body(b"abc"), 400, "body"),
    ],
)
@on_uvloop
async def test_whatever_is_wrong_ends_the_connection_and_is_counted(data: bytes, status: int, reason: str) -> None:
    async with place(read_timeout_s=0.5) as here:
        line = await here.connect()
        assert (await line.ask(request())).status == 200, "it began well"
        line.writer.write(data)
        if status:
            answer = await line.answer()
            assert (answer.status, answer.reuse) == (status, False)
        assert await line.is_closed()
        expected = f'ua_ajp_connections_closed_total{{reason="{reason}"}} 1.0'
        assert expected.encode() in here.metrics.render()
        assert here.node.done == 1, "nothing of it reached the end of a handler"


@on_uvloop
async def test_a_handler_that_fails_is_answered_for_or_broken_off() -> None:
    async with place() as here:
        line = await here.connect()
        answer = await line.ask(request("GET", b"/fail"))
        assert (answer.status, answer.reuse) == (500, True)
        line.writer.write(request("GET", b"/fail", query=b"late=1"))
        payloads, left = front.split(await line.reader.read())
        assert [each[0] for each in payloads] == [4, 3, 3], "headers, what was sent, a flush, and no end"
        assert left == b""


# 13
@on_uvloop
async def test_a_web_server_that_leaves_has_the_handler_told_or_cancelled() -> None:
    async with place() as here:
        waiting, streaming = await here.connect(), await here.connect()
        waiting.writer.write(request("GET", b"/pend"))
        streaming.writer.write(request("GET", b"/stream", query=b"count=1000000&gap=0.01"))
        await streaming.packet()
        await here.until(lambda: here.node.begun == 2)
        waiting.writer.close()
        streaming.writer.close()
        await here.until(lambda: here.node.told == 1)
        await here.until(lambda: here.node.cancelled == 1)
    assert ajp_exchange.CANCEL_AFTER_S == 1.0


# 14
@on_uvloop
async def test_stopping_in_good_order_loses_no_answer() -> None:
    (port,) = find_free_ports(1)
    process = Process(port)
    await asyncio.to_thread(process.start)
    answered, refused, torn = 0, 0, b""

    async def ask_on() -> None:
        nonlocal answered, refused, torn
        while True:
            try:
                line = await Line.connect(port)
            except ConnectionRefusedError:
                refused += 1
                return
            while True:
                line.writer.write(request("POST", b"/echo", sized(3), query=b"wait=0.01") + front.body(b"abc"))
                try:
                    answer = await line.answer()
                except (asyncio.IncompleteReadError, ConnectionResetError) as error:
                    # closed between two requests, which a web server sees by its ping
                    torn += getattr(error, "partial", b"")
                    break
                answered += 1
                if not answer.reuse:
                    break
            await line.close()

    asking = [asyncio.create_task(ask_on()) for _ in range(20)]
    await asyncio.sleep(0.5)
    assert await asyncio.to_thread(process.end, signal.SIGTERM) == 0
    await asyncio.gather(*asking)
    assert refused == 20
    assert answered > 20
    assert torn == b"", "no answer was begun and not ended"


# 17
@on_uvloop
async def test_two_cookies_stay_two() -> None:
    async with place() as here:
        answer = await (await here.connect()).ask(request("GET", b"/cookies"))
        assert answer.values(b"set-cookie") == [b"a=1; Path=/", b"b=2; Path=/"]


@on_uvloop
async def test_a_web_server_that_does_not_read_has_the_handler_wait_and_is_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ajp_protocol, "STALLED_S", 1.0)
    async with place() as here:
        line = await here.connect()
        line.reader._transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(8):
            line.writer.write(request("GET", b"/size", query=b"n=4000000"))
        await here.until(lambda: b'closed_total{reason="slow"} 1.0' in here.metrics.render())
        assert here.node.begun < 8


@on_uvloop
async def test_a_body_over_the_limit_is_refused_with_413() -> None:
    async with place(body_limit_bytes=200_000) as here:
        line = await here.connect()
        first, rest = front.upload(b"x" * 200_001)
        answer = await line.ask(request("POST", b"/echo", sized(200_001)) + first)
        assert (answer.status, answer.reuse) == (413, True)
        answer = front.Answer()
        packets = [first, *rest]
        line.writer.write(request("POST", b"/echo", CHUNKED))
        while answer.reuse is None:
            asked = len(answer.asked)
            front.take(answer, await line.packet())
            if len(answer.asked) > asked:
                line.writer.write(packets.pop(0))
        assert (answer.status, answer.reuse) == (413, True)
        assert (await line.ask(request())).status == 200
