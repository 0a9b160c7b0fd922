"""A connection that is no socket: bounds, order, ends, and who may fetch from it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.unit.server.serving import SETTINGS, World

from unified_agent.server.push_transports.held import FRAME_LIMIT_BYTES, Closed, Held, HeldConnections

pytestmark = pytest.mark.asyncio


class Fetched(Held):
    """Lets a test fetch."""

    def fetch(self, count: int | None = None) -> list[dict[str, Any]]:
        frames = list(self._frames)[:count]
        self._drop(len(frames))
        return [msgspec.json.decode(each) for each in frames]

    @property
    def waiting_bytes(self) -> int:
        assert self._waiting_bytes == sum(map(len, self._frames))
        return self._waiting_bytes


def held(world: World, token: str = "", **desktop: Any) -> Fetched:
    settings = replace(SETTINGS.desktop, **desktop)
    return Fetched(world.desks.connection("poll"), connection_id="c", token=token, settings=settings, clock=world.clock)


def hello(token: str, client: str = "c1") -> bytes:
    return msgspec.json.encode({"type": "hello", "token": token, "epoch": None, "seq": None, "client": client})


async def greeted(world: World, **desktop: Any) -> tuple[Fetched, Any, str]:
    session, token = await world.log_in()
    connection = held(world, token, **desktop)
    connection.begin(hello(token))
    return connection, session, token


def types(frames: list[dict[str, Any]]) -> list[str]:
    return [each["type"] for each in frames]


async def test_what_is_said_waits_in_order_until_it_is_fetched():
    world = World()
    connection, session, _ = await greeted(world)
    world.tell(session, "one")
    world.tell(session, "two")
    frames = connection.fetch()
    assert types(frames) == ["welcome", "snapshot", "topology", "ticket", "message-arrived", "message-arrived"]
    assert [each["data"]["message"]["text"] for each in frames[-2:]] == ["one", "two"]
    assert connection.waiting_bytes == 0


async def test_no_more_waits_than_the_high_mark_and_what_was_missed_comes_as_a_snapshot():
    world = World()
    connection, session, _ = await greeted(world, write_high_bytes=4_096, write_low_bytes=1_024)
    connection.fetch()
    most = 0
    for number in range(100):
        world.tell(session, f"{number} " + "x" * 200)
        most = max(most, connection.waiting_bytes)
    assert 4_096 <= most < 4_096 + 600
    connection.fetch(1)
    world.tell(session, "still full")
    assert "still full" not in str(list(connection._frames))
    connection.fetch(connection.waiting_bytes)
    (snapshot,) = [each for each in connection.fetch() if each["type"] == "snapshot"]
    assert snapshot["data"]["reason"] == "slow"
    outbox = world.host.outbox(session)
    assert outbox is not None
    assert snapshot["seq"] == outbox.seq
    world.tell(session, "and on")
    (frame,) = connection.fetch()
    assert frame["seq"] == snapshot["seq"] + 1


async def test_a_desktop_that_missed_nothing_while_it_was_full_gets_no_snapshot():
    world = World()
    connection, session, _ = await greeted(world, write_high_bytes=3_000, write_low_bytes=10)
    while not connection._is_full:
        world.tell(session, "x" * 100)
    connection.fetch()
    assert connection.fetch() == []


async def test_answers_that_were_missed_are_given_when_there_is_room():
    world = World()
    connection, session, _ = await greeted(world, write_high_bytes=8_192, write_low_bytes=512)
    while not connection._is_full:
        world.tell(session, "x" * 100)
    connection.take_texts([msgspec.json.encode({"type": "command", "id": "c-1", "command": {"type": "refresh-jobs"}})])
    connection.fetch()
    assert [each["id"] for each in connection.fetch() if each["type"] == "answer"] == ["c-1"]


@pytest.mark.parametrize(
    ("said", "end"),
    [
        (b"nonsense", Closed(4400, "protocol.frame")),
        (b'{"type":"hello","token":"x"}', Closed(4400, "protocol.hello")),
        (b'{"type":"beat","x":"' + b"x" * FRAME_LIMIT_BYTES + b'"}', Closed(1009, "too-big")),
    ],
)
async def test_what_closes_a_websocket_closes_it_with_the_same_code(said, end):
    world = World()
    connection, session, _ = await greeted(world)
    connection.take_texts([b'{"type":"beat"}', said, b'{"type":"beat"}'])
    assert connection.end == end
    assert not connection.is_open
    assert not world.desks.is_shown(session)
    assert not connection.send(b"{}")


async def test_our_own_fault_closes_it_and_leaves_the_others(monkeypatch):
    world = World()
    connection, _, _ = await greeted(world)

    def fail(*_: Any) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(world.host, "submit", fail)
    connection.take_texts([msgspec.json.encode({"type": "command", "id": "c-1", "command": {"type": "refresh-jobs"}})])
    assert connection.end == Closed(1011, "internal")


async def test_a_refused_hello_waits_with_its_reason_and_its_end():
    connection = held(World())
    connection.begin(hello("no token of ours"))
    assert [(each["type"], each["id"]) for each in connection.fetch()] == [("refused", "session.unknown")]
    assert connection.end == Closed(4401, "session.unknown")


async def test_its_end_is_counted_once_with_its_reason():
    world = World()
    connection, session, _ = await greeted(world)
    world.tell(session)
    connection.close(1000)
    connection.close(4409, "taken-over")
    connection.lost()
    assert connection.end == Closed(1000, "")
    assert types(connection.fetch())[-1] == "message-arrived"
    text = world.metrics.render().decode()
    assert 'ua_disconnects_total{reason="closed",transport="poll"} 1.0' in text
    assert 'ua_connections{transport="poll"} 0.0' in text


async def test_one_that_is_lost_or_cut_off_holds_nothing_more():
    world = World()
    connection, _, _ = await greeted(world)
    connection.lost(slow=True)
    assert connection.waiting_bytes == 0
    assert 'ua_disconnects_total{reason="slow",transport="poll"} 1.0' in world.metrics.render().decode()
    other, _, _ = await greeted(world)
    other.abort()
    assert (other.waiting_bytes, other.end) == (0, Closed(1006, ""))


async def test_only_the_token_of_its_hello_finds_it():
    world = World()
    connection, _, token = await greeted(world)
    connections = HeldConnections(lambda: "c")
    assert connections.new_id() == "c"
    connections.add(connection)
    assert connections.find("c", token) is connection
    assert connections.find("c", token + "x") is None
    assert connections.find("d", token) is None
    connections.forget(connection)
    connections.forget(connection)
    assert connections.find("c", token) is None
    assert len(connections) == 0
