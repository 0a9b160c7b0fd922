"""One connection: transport, machine and application joined."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.server.ajp_ends import WebServer
from tests.unit.wire.ajp13 import front

from unified_agent.server import ajp_protocol
from unified_agent.wire.ajp13.reasons import CloseReason

START = {"type": "http.response.start", "status": 200, "headers": []}


async def ok(scope: Any, receive: Any, send: Any) -> None:
    await send(START)
    await send({"type": "http.response.body", "body": scope["path"].encode()})


async def pends(scope: Any, receive: Any, send: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@pytest.mark.asyncio
async def test_a_ping_is_answered_without_anybodys_help() -> None:
    server = WebServer(ok)
    server.send(front.CPING)
    assert server.transport.take() == front.CPONG


@pytest.mark.asyncio
async def test_a_request_that_came_too_early_is_answered_next() -> None:
    server = WebServer(ok)
    server.send(front.request(path=b"/1") + front.request(path=b"/2") + front.request(path=b"/3"))
    await server.idle()
    await server.idle()
    assert [each.body for each in front.answers(server.transport.take())] == [b"/1", b"/2", b"/3"]
    assert server.listener.statuses == [200, 200, 200]


@pytest.mark.asyncio
async def test_one_that_is_not_let_in_is_cut_off_and_counted_nowhere() -> None:
    server = WebServer(ok, full=True)
    server.send(front.request())
    server.protocol.connection_lost(None)
    assert (server.transport.ends, server.listener.ends, server.transport.take()) == (["abort"], [], b"")


@pytest.mark.asyncio
async def test_an_answer_that_ends_the_connection_is_given_time_to_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ajp_protocol, "LINGER_S", 0.0)
    server = WebServer(ok)
    server.send(front.packet(b"\x02\x02"))
    (answer,) = front.answers(server.transport.take())
    assert (answer.status, answer.reuse, server.transport.ends) == (400, False, ["eof"])
    server.send(front.request())  # what still comes is thrown away
    await asyncio.sleep(0.01)
    assert (server.transport.take(), server.transport.ends) == (b"", ["eof", "close"])


@pytest.mark.asyncio
async def test_what_is_no_ajp_is_closed_without_a_word() -> None:
    server = WebServer(ok)
    server.send(b"GET / HTTP/1.1\r\n")
    assert (server.transport.take(), server.transport.ends) == (b"", ["close"])
    assert [each.reason for each in server.listener.ends] == [CloseReason.NOT_AJP]


@pytest.mark.asyncio
async def test_a_lost_connection_is_told_once_and_forgotten() -> None:
    server = WebServer(pends)
    server.send(front.request())
    await server.idle()
    assert server.protocol.eof_received() is False
    server.protocol.connection_lost(None)
    await server.idle()
    assert [each.reason for each in server.listener.ends] == [CloseReason.CLOSED]
    assert (server.listener.forgotten, server.listener.running) == (1, set())


@pytest.mark.asyncio
async def test_a_body_that_passes_the_limit_is_refused_while_it_comes() -> None:
    server = WebServer(pends)
    server.send(front.request("POST", b"/p", [(b"transfer-encoding", b"chunked")]))
    await server.idle()
    server.send(front.body(b"x" * 1_001))
    await server.idle()
    answer = front.Answer()
    payloads, _ = front.split(server.transport.take())
    for payload in payloads:
        front.take(answer, payload)
    assert (answer.status, answer.asked, answer.reuse) == (413, [8186], True)
    assert server.listener.running == set(), "the application was told"
    server.listener.application = ok
    assert (await server.ask(front.request())).status == 200


@pytest.mark.asyncio
async def test_a_body_that_passes_the_limit_after_the_answer_began_ends_the_connection() -> None:
    async def early(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        await pends(scope, receive, send)

    server = WebServer(early)
    server.send(front.request("POST", b"/p", [(b"transfer-encoding", b"chunked")]))
    await server.idle()
    server.send(front.body(b"x" * 1_001))
    assert [each.reason for each in server.listener.ends] == [CloseReason.FAILED]


@pytest.mark.asyncio
async def test_a_web_server_that_takes_nothing_has_the_application_wait_and_is_cut_off_in_the_end() -> None:
    sent = []

    async def much(scope: Any, receive: Any, send: Any) -> None:
        await send(START)
        for number in range(3):
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            sent.append(number)

    server = WebServer(much)
    now_s = asyncio.get_running_loop().time()
    server.transport.unsent_bytes = 100
    server.protocol.pause_writing()
    server.protocol.look_after(now_s)
    server.send(front.request())
    await server.idle()
    assert sent == []
    server.protocol.look_after(now_s + 1)
    server.transport.unsent_bytes = 99  # it takes something, if slowly
    server.protocol.look_after(now_s + 29)
    server.protocol.look_after(now_s + 31)
    assert server.transport.ends == []
    server.protocol.look_after(now_s + 60)
    assert server.transport.ends == ["close", "abort"]
    assert [each.reason for each in server.listener.ends] == [CloseReason.SLOW]
    await server.idle()
    assert sent == [0, 1, 2], "what nobody takes is dropped"


@pytest.mark.asyncio
async def test_the_application_goes_on_when_the_web_server_takes_again() -> None:
    server = WebServer(ok)
    server.protocol.pause_writing()
    server.send(front.request())
    await server.idle()
    assert len(server.listener.running) == 1
    server.protocol.resume_writing()
    await server.idle()
    assert not server.listener.running


@pytest.mark.asyncio
async def test_an_idle_connection_is_closed_when_its_time_has_come() -> None:
    server = WebServer(ok, idle_timeout_s=75.0)
    now_s = asyncio.get_running_loop().time()
    server.protocol.look_after(now_s + 70)
    assert server.transport.ends == []
    server.protocol.look_after(now_s + 80)
    assert server.transport.ends == ["close"]
    assert [each.reason for each in server.listener.ends] == [CloseReason.IDLE]


@pytest.mark.asyncio
async def test_a_last_answer_that_did_not_need_the_body_is_given_time_to_arrive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ajp_protocol, "LINGER_S", 0.0)
    server = WebServer(ok)
    server.send(front.request("POST", headers=[(b"content-length", b"3")]))
    server.protocol.stop()
    await server.idle()
    (answer,) = front.answers(server.transport.take())
    server.send(front.body(b"abc"))
    await server.idle()
    assert (answer.status, answer.reuse, server.transport.ends) == (200, False, ["eof", "close"])


@pytest.mark.asyncio
async def test_stopping_lets_a_running_answer_be_the_last() -> None:
    release = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await release.wait()
        await ok(scope, receive, send)

    busy, idle = WebServer(slow), WebServer(ok)
    busy.send(front.request())
    await busy.idle()
    busy.protocol.stop()
    idle.protocol.stop()
    assert (busy.transport.ends, idle.transport.ends) == ([], ["close"])
    release.set()
    await busy.idle()
    (answer,) = front.answers(busy.transport.take())
    assert (answer.status, answer.reuse, busy.transport.ends) == (200, False, ["close"])
