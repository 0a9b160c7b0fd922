"""What an application gets and gives through the two doors of ASGI."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.server.ajp_ends import WebServer
from tests.unit.wire.ajp13 import front

from unified_agent.errors import LocalProtocolError
from unified_agent.server import ajp_exchange
from unified_agent.server.push_transports.stream import TRANSPORT_EXTENSION

START = {"type": "http.response.start", "status": 200, "headers": []}


def with_length(body: bytes) -> dict[str, Any]:
    return {**START, "headers": [(b"content-length", str(len(body)).encode())]}


def post(length: int) -> bytes:
    return front.request("POST", b"/p", [(b"content-length", str(length).encode())])


async def echo(scope: Any, receive: Any, send: Any) -> None:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    await send(with_length(body))
    await send({"type": "http.response.body", "body": body})


@pytest.mark.asyncio
async def test_a_short_answer_leaves_in_one_write() -> None:
    server = WebServer(echo)
    server.send(post(3) + front.body(b"abc"))
    await server.idle()
    assert len(server.transport.writes) == 1
    (answer,) = front.answers(server.transport.take())
    assert (answer.status, answer.body, answer.flushes, answer.reuse) == (200, b"abc", 0, True)


@pytest.mark.asyncio
async def test_the_application_finds_what_carries_its_answer_as_by_http() -> None:
    found = []

    async def looks(scope: Any, receive: Any, send: Any) -> None:
        found.append(scope["extensions"][TRANSPORT_EXTENSION])
        await echo(scope, receive, send)

    server = WebServer(looks)
    await server.ask(front.request())
    assert found == [server.transport]


@pytest.mark.asyncio
async def test_the_rest_of_a_body_is_asked_for_as_the_application_wants_it() -> None:
    server = WebServer(echo)
    server.listener.body_limit_bytes = 100_000
    first, rest = front.upload(b"u" * 20_000)
    server.send(post(20_000) + first)
    for packet in rest:
        await server.idle()
        assert server.transport.take() == bytes.fromhex("41420003061ffa")
        server.send(packet)
    await server.idle()
    (answer,) = front.answers(server.transport.take())
    assert len(answer.body) == 20_000


@pytest.mark.asyncio
async def test_a_body_of_unknown_length_is_asked_for_to_its_end() -> None:
    server = WebServer(echo)
    server.send(front.request("POST", b"/p", [(b"transfer-encoding", b"chunked")]))
    for packet in (front.body(b"one"), front.body(b"two"), front.PROXY_BODY_END):
        await server.idle()
        assert server.transport.take() == bytes.fromhex("41420003061ffa")
        server.send(packet)
    await server.idle()
    (answer,) = front.answers(server.transport.take())
    assert answer.body == b"onetwo"


@pytest.mark.asyncio
async def test_a_stream_is_flushed_piece_by_piece_and_its_headers_before_the_first() -> None:
    go_on = asyncio.Event()

    async def stream(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await go_on.wait()
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await send({"type": "http.response.body", "body": b"two"})

    server = WebServer(stream)
    server.send(front.request())
    await server.idle()
    headers = server.transport.take()
    assert headers.endswith(front.FLUSH)
    go_on.set()
    await server.idle()
    first, last = server.transport.writes
    assert first.endswith(b"one\0" + front.FLUSH)
    assert last.endswith(b"two\0" + front.END_REUSE)


@pytest.mark.asyncio
async def test_after_its_answer_the_application_is_told_that_nobody_waits() -> None:
    seen = []

    async def curious(scope: Any, receive: Any, send: Any) -> None:
        seen.append(await receive())
        await echo(scope, curious_receive(receive), send)
        seen.append(await receive())
        with pytest.raises(LocalProtocolError):
            await send({"type": "http.response.body", "body": b"more"})

    def curious_receive(receive: Any) -> Any:
        async def once() -> Any:
            return seen[0]

        return once

    answer = await WebServer(curious).ask(front.request())
    assert (answer.status, [each["type"] for each in seen]) == (200, ["http.request", "http.disconnect"])


@pytest.mark.asyncio
async def test_an_application_that_waits_is_told_when_the_web_server_leaves_and_what_it_says_then_is_dropped() -> None:
    seen = []

    async def waits(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        seen.append(await receive())
        await send(START)
        await send({"type": "http.response.body", "body": b"late"})
        seen.append(await receive())

    server = WebServer(waits)
    server.send(front.request())
    await server.idle()
    server.protocol.connection_lost(None)
    await server.idle()
    assert [each["type"] for each in seen] == ["http.disconnect"] * 2
    assert server.transport.take() == b""
    assert not server.listener.running


@pytest.mark.asyncio
async def test_an_application_that_does_not_listen_is_cancelled_some_time_after_the_web_server_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ajp_exchange, "CANCEL_AFTER_S", 0.01)
    cancelled = asyncio.Event()

    async def deaf(scope: Any, receive: Any, send: Any) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    server = WebServer(deaf)
    server.send(front.request())
    await server.idle()
    server.protocol.eof_received()
    await server.idle()
    assert not cancelled.is_set(), "it may have something to end"
    await asyncio.wait_for(cancelled.wait(), 10)
    await server.idle()
    assert not server.listener.running


@pytest.mark.parametrize("fault", ["raises", "says nothing", "begins twice", "only begins", "headers too long"])
@pytest.mark.asyncio
async def test_an_application_that_fails_before_its_answer_began_is_answered_for(fault: str) -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        if fault == "raises":
            raise RuntimeError("boom")
        if fault == "begins twice":
            await send(START)
            await send(START)
        if fault == "only begins":
            await send(START)
        if fault == "headers too long":
            await send({**START, "headers": [(b"x", b"y" * 9_000)]})
            await send({"type": "http.response.body", "body": b""})

    server = WebServer(fails)
    answer = await server.ask(front.request())
    assert (answer.status, answer.body, answer.reuse) == (500, b"oops", True)
    assert server.listener.statuses == [500]
    assert (await server.ask(front.request())).status == 500, "the connection goes on"


@pytest.mark.asyncio
async def test_an_application_that_fails_in_the_middle_of_its_answer_has_the_connection_broken_off() -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        await send(with_length(b"ten bytes."))
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError("boom")

    server = WebServer(fails)
    server.send(front.request())
    await server.idle()
    assert not server.transport.take().endswith((front.END_REUSE, front.END_CLOSE))
    assert server.transport.ends == ["close"]
    assert [each.reason for each in server.listener.ends] == ["failed"]


@pytest.mark.asyncio
async def test_an_answer_shorter_than_its_length_has_the_connection_broken_off() -> None:
    async def short(scope: Any, receive: Any, send: Any) -> None:
        await send(with_length(b"four"))
        await send({"type": "http.response.body", "body": b"two"})

    server = WebServer(short)
    server.send(front.request())
    await server.idle()
    assert not server.transport.take().endswith((front.END_REUSE, front.END_CLOSE))
    assert [each.reason for each in server.listener.ends] == ["failed"]


@pytest.mark.asyncio
async def test_headers_that_cannot_be_sent_and_whose_body_takes_its_time_are_answered_for_too() -> None:
    async def late(scope: Any, receive: Any, send: Any) -> None:
        await send({**START, "headers": [(b"x", b"a\nb")]})
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await receive()

    assert (await WebServer(late).ask(front.request())).status == 500
