"""Desks of ``unified_agent.client`` on a real server, with sessions whose switch and dialler only remember."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop
from tests.unit.server.serving import Asked, Whole, with_http

from unified_agent.client import Desk, DiallerLogin, LoginRefused, SessionOver
from unified_agent.clock import LoopClock
from unified_agent.domain.ids import SessionId
from unified_agent.domain.notices import MessageArrived
from unified_agent.domain.view import MessageView
from unified_agent.observe import Metrics
from unified_agent.sealing import Keyring
from unified_agent.server.alone import Alone
from unified_agent.server.app import Server
from unified_agent.server.http_listener import HttpListener
from unified_agent.server.websocket_protocol import WebSocketLimits
from unified_agent.sessions.host import Host
from unified_agent.settings import Settings

pytestmark = pytest.mark.integration

LOGIN: dict[str, Any] = {"agent": "5001", "station": "2001", "password": "1234"}


class Served:
    def __init__(self, settings: Settings) -> None:
        clock, metrics = LoopClock(asyncio.get_running_loop()), Metrics()
        names = (SessionId(f"s{number}") for number in range(10_000))
        self.host = Host(settings=settings.sessions, clock=clock, metrics=metrics, mint_session_id=lambda: next(names))
        self.host.join(Asked(), Asked())
        self.server = Server(
            settings=settings,
            host=self.host,
            instance=Whole(),
            whereabouts=self._alone(settings),
            keyring=Keyring.random(now_s=clock.now_s),
            clock=clock,
            metrics=metrics,
        )
        self.listener = HttpListener(settings.http, self.server.application, self.server.desks.route, WebSocketLimits())

    @property
    def url(self) -> str:
        return self.listener.url

    def _alone(self, settings: Settings) -> Alone:
        return Alone(
            "test",
            settings.instance,
            "dc1",
            lambda: self.url,
            capacity=settings.sessions.capacity,
            reconnect_window_ms=200,
            is_draining=lambda: False,
        )

    def tell(self, desk: Desk, text: str) -> None:
        outbox = self.host.outbox(SessionId(desk.session))
        assert outbox is not None
        outbox.append(MessageArrived(message=MessageView(text=text, sender="supervisor", at="")))


@asynccontextmanager
async def serving(**http: Any) -> AsyncIterator[Served]:
    served = Served(with_http(port=0, login_rate_per_min=10_000, **http))
    task = asyncio.create_task(served.listener.serve())
    caring = asyncio.create_task(served.server.desks.look_after())
    try:
        await served.listener.wait_started()
        yield served
    finally:
        served.listener.stop()
        async with asyncio.timeout(10.0):
            await task
        caring.cancel()
        await asyncio.gather(caring, return_exceptions=True)
        served.host.close()


def on_uvloop(test: Any) -> Any:
    def run() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(test())

    run.__name__ = test.__name__
    return run


@on_uvloop
async def test_a_desk_sees_its_session_and_hears_of_changes():
    async with serving() as served, await Desk.log_in(served.url, **LOGIN) as desk:
        assert desk.view["session"]["agent"] == "5001"
        assert desk.connected
        delays: list[float] = []
        desk.on_notice(lambda _, delay_s: delays.append(delay_s if delay_s is not None else 99.0))
        served.tell(desk, "hello")
        view = await desk.until(lambda view: view["messages"], 5.0)
        assert view["messages"][0]["text"] == "hello"
        assert -0.05 < delays[0] < 5.0


@on_uvloop
async def test_a_cut_connection_is_resumed_without_loss():
    async with serving() as served, await Desk.log_in(served.url, **LOGIN) as desk:
        for number in range(5):
            served.tell(desk, str(number))
            desk.cut()
        await desk.until(lambda view: len(view["messages"]) == 5, 20.0)
        assert [each["text"] for each in desk.view["messages"]] == ["0", "1", "2", "3", "4"]
        assert desk.gaps == 0
        assert desk.connections >= 2


@on_uvloop
async def test_a_refused_command_says_why():
    async with serving() as served, await Desk.log_in(served.url, **LOGIN) as desk:
        settled = await desk.command({"type": "set-mode", "mode": "ready"}, limit_s=5.0)
        assert (settled.outcome, settled.error, settled.type) == ("refused", "telephony-down", "set-mode")
        settled = await desk.command({"type": "fly"}, limit_s=5.0)
        assert (settled.outcome, settled.error) == ("refused", "command.invalid")


@on_uvloop
async def test_a_second_desktop_takes_the_session_over():
    async with (
        serving() as served,
        await Desk.log_in(served.url, **LOGIN) as first,
        await Desk.log_in(served.url, **LOGIN) as second,
    ):
        assert second.session == first.session
        with pytest.raises(SessionOver, match="taken-over"):
            await first.until(lambda _: False, 5.0)


@on_uvloop
async def test_a_login_that_is_not_taken_says_why():
    dialler = DiallerLogin(name="agent0001", password="secret", headset="301")
    async with serving() as served, await Desk.log_in(served.url, **LOGIN, dialler=dialler):
        with pytest.raises(LoginRefused) as caught:
            await Desk.log_in(served.url, agent="5002", station="2001", password="1234")
        assert caught.value.id == "station.in-use"


@on_uvloop
async def test_logging_out_ends_the_session():
    async with serving() as served, await Desk.log_in(served.url, **LOGIN) as desk:
        assert (await desk.log_out(10.0)).reason == "agent"
        assert len(served.host) == 0


@on_uvloop
async def test_a_desk_outlives_its_instance_only_as_long_as_nobody_closes_it():
    async with serving() as served:
        desk = await Desk.log_in(served.url, **LOGIN)
    assert desk.over is None
    await desk.close()
    assert not desk.connected
