"""The listener for web servers: whom it lets in, what it refuses by itself, what it counts, how it stops."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.unit.server.ajp_ends import LIMIT_S, Line
from tests.unit.wire.ajp13 import front

from unified_agent.errors import SettingsError
from unified_agent.observe import Metrics
from unified_agent.server import ajp_listener
from unified_agent.server.ajp_listener import AjpListener
from unified_agent.settings import AjpSettings
from unified_agent.wire.ajp13 import connection

SECRET = b"s3cr3t"


async def hello(scope: Any, receive: Any, send: Any) -> None:
    body = json.dumps(scope["path"]).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


class Served:
    def __init__(self, listener: AjpListener, metrics: Metrics, task: asyncio.Task[None]) -> None:
        self.listener = listener
        self.metrics = metrics
        self.task = task
        self._lines: list[Line] = []

    def counted(self, line: str) -> float:
        found = [each for each in self.metrics.render().decode().splitlines() if each.startswith(f"{line} ")]
        return float(found[0].split()[-1]) if found else 0.0

    async def connect(self) -> Line:
        self._lines.append(await Line.connect(self.listener.port))
        return self._lines[-1]

    async def close(self) -> None:
        for line in self._lines:
            await line.close()

    async def until(self, so: Callable[[], object]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not so():  # noqa: ASYNC110 - what is waited for happens on the other side of a socket
                await asyncio.sleep(0.005)


@asynccontextmanager
async def serving(
    application: Any = hello, *, usable: Callable[[], bool] = lambda: True, **settings: Any
) -> AsyncIterator[Served]:
    metrics = Metrics()
    given = {"port": 0, "secret": SECRET.decode(), **settings}
    listener = AjpListener(
        AjpSettings(**given), application, metrics, usable=usable, make_correlation=lambda: "correlation-1"
    )
    task = asyncio.create_task(listener.serve())
    try:
        await listener.wait_started()
        served = Served(listener, metrics, task)
        yield served
        await served.close()
    finally:
        listener.stop()
        await asyncio.wait_for(task, LIMIT_S)


GET = front.request(path=b"/a", secret=SECRET)


@pytest.mark.asyncio
async def test_requests_are_answered_and_counted_and_the_connection_used_again() -> None:
    async with serving() as served:
        line = await served.connect()
        for _ in range(3):
            assert (await line.ask(GET)).body == b'"/a"'
        assert served.counted('ua_ajp_requests_total{status="2xx"}') == 3
        assert served.counted("ua_ajp_connections") == 1
        line.writer.close()
        await served.until(lambda: served.counted("ua_ajp_connections") == 0)
        assert served.counted('ua_ajp_connections_closed_total{reason="closed"}') == 1
        assert served.listener.address == f"127.0.0.1:{served.listener.port}"


@pytest.mark.asyncio
async def test_a_wrong_secret_is_refused_counted_and_the_connection_closed() -> None:
    async with serving() as served:
        line = await served.connect()
        answer = await line.ask(front.request(secret=b"other"))
        assert (answer.status, answer.reuse) == (403, False)
        assert await line.is_closed()
        assert served.counted('ua_ajp_refused_total{reason="secret"}') == 1
        assert served.counted('ua_ajp_connections_closed_total{reason="secret"}') == 1


@pytest.mark.asyncio
async def test_of_many_ends_for_one_reason_few_are_told_and_all_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    monkeypatch.setattr(ajp_listener, "QUIET_S", 1_000.0)
    monkeypatch.setattr(ajp_listener, "log_event", lambda *_, **fields: told.append(fields))
    async with serving() as served:
        for _ in range(3):
            assert (await (await served.connect()).ask(front.request(secret=b"other"))).status == 403
        first = [fields for fields in told if "reason" in fields]
        assert [(fields["reason"], fields["untold"]) for fields in first] == [("secret", 0)]
        monkeypatch.setattr(ajp_listener, "QUIET_S", 0.0)
        assert (await (await served.connect()).ask(front.request(secret=b"other"))).status == 403
        assert (told[-1]["reason"], told[-1]["untold"]) == ("secret", 2)
        assert served.counted('ua_ajp_refused_total{reason="secret"}') == 4


@pytest.mark.asyncio
async def test_an_upgrade_is_answered_with_the_ways_there_are() -> None:
    async with serving() as served:
        line = await served.connect()
        upgrade = [(b"connection", b"Upgrade"), (b"upgrade", b"websocket")]
        answer = await line.ask(front.request(path=b"/v1/events", headers=upgrade, secret=SECRET))
        problem = json.loads(answer.body)
        assert (answer.status, answer.reuse, problem["id"]) == (426, True, "request.upgrade")
        assert answer.values(b"content-type") == [b"application/problem+json"]
        assert answer.values(b"x-correlation-id") == [b"correlation-1"]
        for way in ("POST /v1/events", "POST /v1/events/poll", "/v1/topology"):
            assert way in problem["detail"]
        assert (await line.ask(GET)).status == 200
        assert served.counted('ua_ajp_refused_total{reason="upgrade"}') == 1


@pytest.mark.asyncio
async def test_a_body_longer_than_the_limit_is_refused_unread_and_the_connection_goes_on() -> None:
    async with serving(body_limit_bytes=100) as served:
        line = await served.connect()
        data = b"x" * 20_000
        first, _ = front.upload(data)
        headers = [(b"content-length", b"20000")]
        answer = await line.ask(front.request("POST", headers=headers, secret=SECRET) + first)
        assert (answer.status, answer.reuse, json.loads(answer.body)["id"]) == (413, True, "request.too-large")
        assert answer.asked == []
        assert (await line.ask(GET)).status == 200
        assert served.counted('ua_ajp_refused_total{reason="too-large"}') == 1
        assert served.counted('ua_ajp_requests_total{status="4xx"}') == 1


@pytest.mark.asyncio
async def test_an_application_that_fails_is_answered_for_with_a_problem() -> None:
    async def fails(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("boom")

    async with serving(fails) as served:
        answer = await (await served.connect()).ask(GET)
        assert (answer.status, answer.reuse, json.loads(answer.body)["id"]) == (500, True, "internal")
        assert b"boom" not in answer.body


@pytest.mark.asyncio
async def test_more_connections_than_allowed_are_closed_at_once() -> None:
    async with serving(max_connections=2) as served:
        lines = [await served.connect() for _ in range(2)]
        for line in lines:
            assert (await line.ask(GET)).status == 200
        assert await (await served.connect()).is_closed()
        assert served.counted('ua_ajp_refused_total{reason="full"}') == 1
        assert served.counted("ua_ajp_connections") == 2
        lines[0].writer.close()
        await served.until(lambda: served.counted("ua_ajp_connections") == 1)
        assert (await (await served.connect()).ask(GET)).status == 200


@pytest.mark.asyncio
async def test_a_connection_is_closed_when_it_was_idle_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ajp_listener, "SWEEP_S", 0.02)
    async with serving(idle_timeout_s=0.1, read_timeout_s=0.1) as served:
        idle, partial = await served.connect(), await served.connect()
        partial.writer.write(GET[:9])
        assert await idle.is_closed()
        assert await partial.is_closed()
        assert served.counted('ua_ajp_connections_closed_total{reason="idle"}') == 1
        assert served.counted('ua_ajp_connections_closed_total{reason="slow"}') == 1


@pytest.mark.asyncio
async def test_stopping_closes_the_idle_and_lets_the_running_finish() -> None:
    release, begun = asyncio.Event(), asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        begun.set()
        await release.wait()
        await hello(scope, receive, send)

    async with serving(slow) as served:
        idle, busy = await served.connect(), await served.connect()
        busy.writer.write(GET)
        await begun.wait()
        served.listener.stop()
        assert await idle.is_closed()
        with pytest.raises(ConnectionRefusedError):
            await served.connect()
        assert not served.task.done()
        release.set()
        answer = await busy.answer()
        assert (answer.status, answer.reuse) == (200, False)
        await asyncio.wait_for(served.task, LIMIT_S)
        assert served.counted('ua_ajp_connections_closed_total{reason="stopped"}') == 2


@pytest.mark.asyncio
async def test_stopping_waits_for_requests_that_a_ping_has_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "REQUEST_FOLLOWS_S", 3_600.0)
    monkeypatch.setattr(ajp_listener, "GRACE_S", 3_600.0)
    async with serving() as served:
        follows, asks_again = await served.connect(), await served.connect()
        for line in (follows, asks_again):
            line.writer.write(front.CPING)
            assert await line.packet() == front.CPONG[4:]
        served.listener.stop()
        asks_again.writer.write(front.CPING)
        assert await asks_again.is_closed()
        assert not served.task.done()
        answer = await follows.ask(GET)
        assert (answer.status, answer.reuse) == (200, False)
        await asyncio.wait_for(served.task, LIMIT_S)


@pytest.mark.asyncio
async def test_requests_that_were_announced_and_do_not_come_hold_nothing_up_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "REQUEST_FOLLOWS_S", 0.05)
    monkeypatch.setattr(ajp_listener, "GRACE_S", 3_600.0)
    async with serving() as served:
        line = await served.connect()
        line.writer.write(front.CPING)
        assert await line.packet() == front.CPONG[4:]
        served.listener.stop()
        assert await line.is_closed()
        await asyncio.wait_for(served.task, LIMIT_S)


@pytest.mark.asyncio
async def test_what_does_not_finish_in_time_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ajp_listener, "GRACE_S", 0.05)
    ends = []
    begun = asyncio.Event()

    async def never(scope: Any, receive: Any, send: Any) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ends.append("cancelled")

    async with serving(never) as served:
        line = await served.connect()
        line.writer.write(GET)
        await begun.wait()
        served.listener.stop()
        assert await line.is_closed()
        await asyncio.wait_for(served.task, LIMIT_S)
        assert ends == ["cancelled"]


@pytest.mark.asyncio
async def test_an_instance_that_may_not_be_found_does_not_listen_until_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ajp_listener, "SWEEP_S", 0.02)
    usable = [False]
    async with serving(usable=lambda: usable[0]) as served:
        with pytest.raises(ConnectionRefusedError):
            await served.connect()
        usable[0] = True
        await served.until(lambda: served.listener.is_listening)
        line = await served.connect()
        assert (await line.ask(GET)).status == 200
        usable[0] = False
        assert await line.is_closed()
        with pytest.raises(ConnectionRefusedError):
            await served.connect()
        usable[0] = True
        await served.until(lambda: served.listener.is_listening)
        assert (await (await served.connect()).ask(GET)).status == 200


@pytest.mark.asyncio
async def test_who_becomes_usable_is_told_to_listen_at_once_and_is_opening_until_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ajp_listener, "SWEEP_S", 3_600.0)
    usable = [False]
    async with serving(usable=lambda: usable[0]) as served:
        served.listener.look_again()
        await asyncio.sleep(0)
        assert (served.listener.is_listening, served.listener.is_opening) == (False, False)
        usable[0] = True
        assert served.listener.is_opening
        served.listener.look_again()
        await served.until(lambda: served.listener.is_listening)
        assert not served.listener.is_opening
        assert (await (await served.connect()).ask(GET)).status == 200
        served.listener.stop()
        assert not served.listener.is_opening, "nothing is to open any more"


@pytest.mark.asyncio
async def test_news_do_not_have_connections_looked_after_more_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ajp_listener, "SWEEP_S", 3_600.0)
    sweeps: list[float] = []
    monkeypatch.setattr(ajp_listener.AjpListener, "_sweep", lambda _, now_s: sweeps.append(now_s))
    usable = [False]
    async with serving(usable=lambda: usable[0]) as served:
        usable[0] = True
        for _ in range(5):
            served.listener.look_again()
            await asyncio.sleep(0)
        await served.until(lambda: served.listener.is_listening)
    assert sweeps == []


@pytest.mark.asyncio
async def test_a_port_that_another_took_meanwhile_is_had_again_when_that_one_gives_it_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ajp_listener, "SWEEP_S", 0.02)
    usable = [True]
    async with serving(usable=lambda: usable[0]) as served:
        usable[0] = False
        await served.until(lambda: not served.listener.is_listening)
        with socket.create_server(("127.0.0.1", served.listener.port)):
            usable[0] = True
            await asyncio.sleep(0.1)
            assert not served.listener.is_listening
            assert served.listener.is_opening
            assert not served.task.done()
        await served.until(lambda: served.listener.is_listening)
        assert (await (await served.connect()).ask(GET)).status == 200


def test_a_port_that_is_taken_stops_the_start_with_a_sentence() -> None:
    first = AjpListener(AjpSettings(port=0, secret="s"), hello, Metrics())
    first._socket.listen()  # type: ignore[union-attr]
    try:
        with pytest.raises(SettingsError, match=r"another ajp\.port"):
            AjpListener(AjpSettings(port=first.port, secret="s"), hello, Metrics())
    finally:
        first.close()


def test_an_address_of_ipv6_is_written_in_brackets() -> None:
    listener = AjpListener(AjpSettings(host="::1", port=0, secret="s"), hello, Metrics())
    listener.close()
    assert listener.address == f"[::1]:{listener.port}"
