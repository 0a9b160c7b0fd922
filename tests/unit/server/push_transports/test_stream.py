"""An event stream without a network: what is sent in which order, slow peers, each way it ends."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.unit.server.push_transports.test_held import hello
from tests.unit.server.serving import SETTINGS, World

from unified_agent.server.push_transports.held import HeldConnections
from unified_agent.server.push_transports.stream import CLOSE_LIMIT_S, TRANSPORT_EXTENSION, StreamAnswer

pytestmark = pytest.mark.asyncio


class Peer:
    """Both ends of one request: what the application sends, and a peer that takes it or not."""

    def __init__(self, world: World, token: str, **desktop: Any) -> None:
        self.world = world
        self.connections = HeldConnections(lambda: "c1")
        self.events: list[bytes] = []
        self.headers: dict[bytes, bytes] = {}
        self.takes = asyncio.Event()
        self.takes.set()
        self.gone = asyncio.Event()
        self.unsent_bytes = 0
        self.was_cut_off = False
        settings = replace(SETTINGS.desktop, **desktop)
        answer = StreamAnswer(
            world.desks.connection("stream"),
            hello(token),
            token,
            connections=self.connections,
            settings=settings,
            clock=world.clock,
        )
        scope = {"type": "http", "extensions": {TRANSPORT_EXTENSION: self}}
        self.task = asyncio.get_running_loop().create_task(answer(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        await self.takes.wait()
        if message["type"] == "http.response.start":
            self.headers = dict(message["headers"])
        elif not self.gone.is_set():
            self.events += [each + b"\n\n" for each in message["body"].split(b"\n\n") if each]

    # --- the transport of its connection

    def get_extra_info(self, name: str) -> None:
        return None

    def get_write_buffer_size(self) -> int:
        return self.unsent_bytes

    def abort(self) -> None:
        self.was_cut_off = True
        self.gone.set()
        self.takes.set()

    @property
    def frames(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(each.removeprefix(b"data: ")) for each in self.events]

    def types(self) -> list[str]:
        return [each["type"] for each in self.frames]


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def streaming(world: World, **desktop: Any) -> tuple[Peer, Any, str]:
    session, token = await world.log_in()
    peer = Peer(world, token, **desktop)
    await settle()
    return peer, session, token


async def test_it_opens_with_its_id_and_then_says_what_a_websocket_says():
    peer, session, token = await streaming(world := World())
    assert peer.headers[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert peer.headers[b"cache-control"] == b"no-store"
    assert peer.headers[b"x-accel-buffering"] == b"no"
    assert peer.types() == ["opened", "welcome", "snapshot", "topology", "ticket"]
    assert peer.frames[0]["connection"] == "c1"
    world.tell(session, "one")
    await settle()
    assert peer.events[-1].startswith(b'data: {"epoch":')
    found = peer.connections.find("c1", token)
    assert found is not None
    found.take_texts([msgspec.json.encode({"type": "command", "id": "c-1", "command": {"type": "refresh-jobs"}})])
    await settle()
    assert "answer" in peer.types()


async def test_a_beat_is_said_unless_something_else_waits():
    peer, session, _ = await streaming(world := World())
    handler = next(iter(world.desks._shown.values()))
    handler.look_after(world.clock.now_s(), b'{"type":"beat"}')
    await settle()
    assert peer.types()[-1] == "beat"
    world.tell(session, "one")
    handler.look_after(world.clock.now_s(), b'{"type":"beat"}')
    await settle()
    assert peer.types()[-1] == "message-arrived"


@pytest.mark.parametrize(
    ("end", "last"),
    [
        (lambda world, session: world.desks.close_all(1012, "restart"), ["closed"]),
        (lambda world, session: world.desks.take_over(session), ["refused", "closed"]),
    ],
)
async def test_our_end_is_the_last_event_and_ends_the_answer(end, last):
    peer, session, _ = await streaming(world := World())
    end(world, session)
    await peer.task
    assert peer.types()[-len(last) :] == last
    assert len(peer.connections) == 0
    assert peer.was_cut_off is False
    world.clock.advance(100.0)
    assert peer.was_cut_off is False


async def test_a_refused_hello_is_answered_in_the_stream():
    peer = Peer(World(), "no token of ours")
    await peer.task
    assert peer.types() == ["opened", "refused", "closed"]
    assert (peer.frames[-1]["code"], peer.frames[-1]["reason"]) == (4401, "session.unknown")


async def test_a_peer_that_goes_away_is_let_go_at_once():
    peer, session, _ = await streaming(world := World())
    peer.gone.set()
    await peer.task
    assert not world.desks.is_shown(session)
    assert len(peer.connections) == 0
    assert 'ua_disconnects_total{reason="lost",transport="stream"} 1.0' in world.metrics.render().decode()


async def test_a_slow_peer_misses_notices_and_gets_a_snapshot_when_it_takes_again():
    peer, session, _ = await streaming(world := World(), write_high_bytes=4_096, write_low_bytes=1_024)
    peer.takes.clear()
    for number in range(200):
        world.tell(session, f"{number} " + "x" * 100)
        await asyncio.sleep(0)
    peer.takes.set()
    await settle()
    snapshot = peer.frames[-1]
    assert (snapshot["type"], snapshot["data"]["reason"]) == ("snapshot", "slow")
    outbox = world.host.outbox(session)
    assert outbox is not None
    assert snapshot["seq"] == outbox.seq
    assert len(peer.frames) < 100
    world.tell(session, "on")
    await settle()
    assert peer.frames[-1]["seq"] == snapshot["seq"] + 1


async def test_a_peer_that_takes_something_gets_more_time_and_one_that_takes_nothing_is_cut_off():
    peer, session, _ = await streaming(world := World(), write_high_bytes=4_096, write_low_bytes=1_024)
    peer.takes.clear()
    peer.unsent_bytes = 60_000
    for _ in range(100):
        world.tell(session, "x" * 100)
        await asyncio.sleep(0)
    peer.unsent_bytes = 50_000
    world.clock.advance(SETTINGS.desktop.slow_s + 0.1)
    await settle()
    assert not peer.was_cut_off
    world.clock.advance(SETTINGS.desktop.slow_s + 0.1)
    await peer.task
    assert peer.was_cut_off
    text = world.metrics.render().decode()
    assert "ua_slow_clients_closed_total 1.0" in text
    assert 'ua_disconnects_total{reason="slow",transport="stream"} 1.0' in text


async def test_a_peer_that_does_not_take_our_last_word_is_cut_off():
    peer, session, _ = await streaming(world := World())
    peer.takes.clear()
    world.tell(session, "one")
    world.desks.close_all(1012, "restart")
    await settle()
    assert not peer.was_cut_off
    world.clock.advance(CLOSE_LIMIT_S + 0.1)
    await peer.task
    assert peer.was_cut_off
