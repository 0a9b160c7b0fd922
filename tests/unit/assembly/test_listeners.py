"""The ports of an instance: which there are, when each opens, and when web servers may find it."""

from __future__ import annotations

import asyncio
import socket
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.unit.server.ajp_ends import LIMIT_S, Line
from tests.unit.server.serving import SETTINGS
from tests.unit.wire.ajp13 import front

from unified_agent.assembly.instance import Instance
from unified_agent.assembly.listeners import Listeners
from unified_agent.errors import SettingsError
from unified_agent.observe import Metrics
from unified_agent.server import ajp_listener
from unified_agent.server.websocket_protocol import WebSocketLimits
from unified_agent.settings import AjpSettings, HttpSettings, Settings

AJP = AjpSettings(port=0, secret="s")


async def hello(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


def instance(ajp: AjpSettings, http_port: int = 0) -> Any:
    """As much of an instance as its listeners look at."""
    settings = Settings(http=HttpSettings(port=http_port), ajp=ajp, telephony=SETTINGS.telephony)
    desks = SimpleNamespace(route=lambda request: (404, "no"))
    return SimpleNamespace(
        settings=settings,
        server=SimpleNamespace(application=hello, desks=desks),
        limits=WebSocketLimits(),
        metrics=Metrics(),
        cluster=None,
        whereabouts=SimpleNamespace(serves=True),
    )


def listeners_of(it: Any) -> Listeners:
    return Listeners(cast("Instance", it))


@pytest.mark.asyncio
async def test_web_servers_are_refused_until_the_instance_is_started_and_after_it_stopped() -> None:
    listeners = listeners_of(instance(AJP))
    assert listeners.ajp is not None
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as tasks:
        await listeners.open_http(tasks)
        with pytest.raises(ConnectionRefusedError):
            await Line.connect(listeners.ajp.port)
        await listeners.open_ajp(tasks)
        line = await Line.connect(listeners.ajp.port)
        assert (await line.ask(front.request(secret=b"s"))).body == b"hello"
        listeners.stop()
        await listeners.wait_closed()
        assert await line.is_closed()
        await line.close()
        with pytest.raises(ConnectionRefusedError):
            await Line.connect(listeners.ajp.port)
    listeners.close()


@pytest.mark.asyncio
async def test_web_servers_get_through_as_soon_as_the_instance_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ajp_listener, "SWEEP_S", 3_600.0)
    it = instance(AJP)
    it.cluster = SimpleNamespace(members=SimpleNamespace(has_store=lambda: False))
    it.whereabouts.serves = False
    listeners = listeners_of(it)
    assert listeners.ajp is not None
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as tasks:
        await listeners.open_http(tasks)
        await listeners.open_ajp(tasks)
        assert not listeners.is_opening
        it.whereabouts.serves = True
        assert listeners.is_opening
        listeners.look_again()
        while listeners.is_opening:  # noqa: ASYNC110 - the listener tells nobody
            await asyncio.sleep(0)
        line = await Line.connect(listeners.ajp.port)
        assert (await line.ask(front.request(secret=b"s"))).body == b"hello"
        await line.close()
        listeners.stop()
        await listeners.wait_closed()


@pytest.mark.asyncio
async def test_without_a_port_there_is_no_ajp() -> None:
    listeners = listeners_of(instance(AjpSettings()))
    assert listeners.ajp is None
    assert not listeners.is_opening
    listeners.look_again()
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as tasks:
        await listeners.open_http(tasks)
        await listeners.open_ajp(tasks)
        listeners.stop()
        await listeners.wait_closed()


def test_ports_on_which_nobody_served_are_given_back() -> None:
    listeners = listeners_of(instance(AJP))
    assert listeners.ajp is not None
    ports = listeners.http.port, listeners.ajp.port
    listeners.close()
    for port in ports:
        socket.create_server(("127.0.0.1", port)).close()


def test_when_one_port_cannot_be_had_the_other_is_given_back() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as chosen:
        port = chosen.getsockname()[1]
        chosen.close()
        with pytest.raises(SettingsError, match=r"another ajp\.port"):
            listeners_of(instance(AjpSettings(port=taken.getsockname()[1], secret="s"), http_port=port))
        socket.create_server(("127.0.0.1", port)).close()


@pytest.mark.parametrize(
    ("serves", "has_store", "found"),
    [(True, True, True), (True, False, True), (False, True, True), (False, False, False)],
)
def test_web_servers_find_whoever_serves_or_knows_who_does(serves: bool, has_store: bool, found: bool) -> None:
    it = instance(AJP)
    it.cluster = SimpleNamespace(members=SimpleNamespace(has_store=lambda: has_store))
    it.whereabouts.serves = serves
    listeners = listeners_of(it)
    listeners.close()
    assert listeners._may_be_found() is found
    it.cluster = None
    assert listeners._may_be_found()
