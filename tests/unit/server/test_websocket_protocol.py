"""One connection on a transport that remembers, with the client side of ``websockets`` as the peer."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from unified_agent.server.text_connection import TextConnection
from unified_agent.server.websocket_protocol import (
    WebSocketLimits,
    WebSocketProtocol,
    websocket_class,
)

LIMITS = WebSocketLimits(message_limit_bytes=1_000, write_high_bytes=4_096, write_low_bytes=1_024, slow_s=5.0)


class Pipe(asyncio.Transport):
    """Keeps what is written; how much of it counts as unsent is set by the test."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.unsent_bytes = 0
        self.limits: tuple[int | None, int | None] = (None, None)
        self.ended = ""

    def write(self, data: Any) -> None:
        self.written += data

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.limits = (high, low)

    def get_write_buffer_size(self) -> int:
        return self.unsent_bytes

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = self.ended or "eof"

    def close(self) -> None:
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "aborted"

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default


class Handler:
    def __init__(self) -> None:
        self.connection: TextConnection | None = None
        self.texts: list[bytes] = []
        self.told: list[Any] = []

    def opened(self, connection: TextConnection) -> None:
        self.connection = connection
        self.told.append("opened")

    def text_received(self, data: bytes) -> None:
        if data == b"boom":
            raise RuntimeError("boom")
        self.texts.append(data)

    def writable_again(self, skipped: int) -> None:
        self.told.append(("writable", skipped))

    def closed(self, code: int, *, slow: bool) -> None:
        self.told.append(("closed", code, slow))


class Timers:
    """Stands for the loop's ``call_later``."""

    def __init__(self) -> None:
        self.waiting: list[tuple[float, Callable[[], None], Any]] = []

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Any:
        timers = self

        class Handle:
            def cancel(self) -> None:
                timers.waiting = [each for each in timers.waiting if each[2] is not self]

        handle = Handle()
        self.waiting.append((seconds, callback, handle))
        return handle

    def ring(self) -> None:
        _, callback, _ = self.waiting.pop(0)
        callback()


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> Timers:
    timers = Timers()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: timers)
    return timers


class Met:
    """A server side and its peer."""

    def __init__(self, decision: Any = None) -> None:
        self.handler = Handler()
        self.open_connections: set[Any] = set()
        decision = self.handler if decision is None else decision
        self.server = WebSocketProtocol(lambda request: decision, LIMITS, self.open_connections)
        self.pipe = Pipe()
        self.server.connection_made(self.pipe)
        self.peer = ClientProtocol(parse_uri("ws://ua.test/v1/events"))
        self.peer.send_request(self.peer.connect())
        self.carry()

    def carry(self) -> list[Any]:
        """Carry bytes both ways until nothing moves; returns what the peer received."""
        events: list[Any] = []
        while True:
            out = b"".join(self.peer.data_to_send())
            back, self.pipe.written = bytes(self.pipe.written), bytearray()
            if not out and not back:
                return events
            if out:
                self.server.data_received(out)
            if back:
                self.peer.receive_data(back)
                events += self.peer.events_received()

    def close_code(self) -> int | None:
        self.carry()
        return self.peer.close_rcvd.code if self.peer.close_rcvd else None


def test_a_good_handshake_opens_and_a_text_arrives_whole(timers):
    met = Met()
    assert met.peer.state is State.OPEN
    assert met.handler.told == ["opened"]
    met.peer.send_text(b"hello")
    met.peer.send_text(b"wo", fin=False)
    met.peer.send_continuation(b"", fin=False)
    met.peer.send_continuation(b"rld", fin=True)
    met.carry()
    assert met.handler.texts == [b"hello", b"world"]


def test_bytes_may_come_one_by_one(timers):
    met = Met()
    met.peer.send_text("árvíztűrő".encode())
    for byte in b"".join(met.peer.data_to_send()):
        met.server.data_received(bytes((byte,)))
    assert met.handler.texts == ["árvíztűrő".encode()]


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536, 100_000])
def test_what_we_frame_is_what_the_peer_reads(length, timers):
    met = Met()
    assert met.server.send(b"x" * length)
    (frame,) = met.carry()
    assert (frame.opcode, frame.data) == (Opcode.TEXT, b"x" * length)


def test_a_refused_handshake_is_a_plain_answer_and_opens_nothing(timers):
    met = Met((HTTPStatus.FORBIDDEN, "pages of that origin may not call us"))
    assert met.peer.handshake_exc is not None
    assert met.handler.told == []
    assert met.pipe.ended == "eof"
    met.server.connection_lost(None)
    assert met.open_connections == set()


@pytest.mark.parametrize(
    ("send", "code"),
    [
        (lambda peer: peer.send_binary(b"x"), 1003),
        (lambda peer: peer.send_text(b"\xff"), 1007),
        (lambda peer: peer.send_text(b"x" * 1_001), 1009),
        (lambda peer: (peer.send_text(b"x" * 600, fin=False), peer.send_continuation(b"x" * 600, fin=True)), 1009),
        (lambda peer: peer.send_text(b"boom"), 1011),
        (lambda peer: peer.send_frame(Frame(Opcode.CONT, b"x")), 1002),
        (lambda peer: peer.send_close(1000), 1000),
        (lambda peer: peer.send_close(), 1005),
    ],
)
def test_each_fault_closes_with_its_code(send, code, timers):
    met = Met()
    send(met.peer)
    assert met.close_code() == code
    assert met.pipe.ended == "eof"


def test_what_comes_after_our_close_is_passed_over(timers):
    met = Met()
    met.server.close(4409, "taken-over")
    met.server.close(1000)
    met.peer.send_text(b"late")
    met.server.data_received(b"".join(met.peer.data_to_send()))
    assert met.handler.texts == []
    assert not met.server.send(b"x")
    assert met.close_code() == 4409


def test_a_peer_that_does_not_answer_our_close_is_cut_off(timers):
    met = Met()
    met.server.close(4408, "silent")
    assert [each[0] for each in timers.waiting] == [2.0]
    timers.ring()
    assert met.pipe.ended == "aborted"


def test_a_restart_closes_with_1012_and_an_unfinished_handshake_at_once(timers):
    met = Met()
    met.server.shutdown()
    assert met.close_code() == 1012
    raw = WebSocketProtocol(lambda request: Handler(), LIMITS, set())
    pipe = Pipe()
    raw.connection_made(pipe)
    raw.shutdown()
    assert pipe.ended == "aborted"


def test_a_slow_peer_is_written_nothing_more_and_told_of_when_it_takes_again(timers):
    met = Met()
    assert met.pipe.limits == (4_096, 1_024)
    met.pipe.unsent_bytes = 5_000
    met.server.pause_writing()
    assert [met.server.send(b"x") for _ in range(3)] == [False] * 3
    assert met.pipe.written == b""
    met.server.resume_writing()
    assert met.handler.told[-1] == ("writable", 3)
    assert timers.waiting == []
    assert met.server.send(b"x")


def test_a_slow_peer_gets_no_signs_of_life_and_misses_none(timers):
    met = Met()
    met.server.pause_writing()
    met.server.beat(b"beat")
    assert met.pipe.written == b""
    met.server.resume_writing()
    assert met.handler.told[-1] == ("writable", 0)
    met.server.beat(b"beat")
    (frame,) = met.carry()
    assert (frame.opcode, frame.data) == (Opcode.TEXT, b"beat")


def test_a_slow_peer_that_takes_something_gets_more_time_and_one_that_takes_nothing_is_cut_off(timers):
    met = Met()
    met.pipe.unsent_bytes = 5_000
    met.server.pause_writing()
    met.pipe.unsent_bytes = 4_000
    timers.ring()
    assert met.pipe.ended == ""
    timers.ring()
    assert met.pipe.ended == "aborted"
    met.server.connection_lost(None)
    assert met.handler.told[-1] == ("closed", 1006, True)


def test_a_peer_that_takes_nothing_cannot_make_us_pile_up_answers_to_its_pings(timers):
    met = Met()
    met.server.pause_writing()
    for _ in range(1_000):
        met.peer.send_ping(b"x" * 125)
        met.server.data_received(b"".join(met.peer.data_to_send()))
    assert met.pipe.written == b""
    met.server.close(4408)
    assert 0 < len(met.pipe.written) < 200


def test_the_end_lets_everything_go_and_is_told_once(timers):
    met = Met()
    assert met.open_connections == {met.server}
    met.server.connection_lost(ConnectionResetError())
    met.server.connection_lost(None)
    assert met.handler.told == ["opened", ("closed", 1006, False)]
    assert met.open_connections == set()
    assert not met.server.send(b"x")
    met.server.data_received(b"late")
    met.server.close()
    met.server.abort()
    met.server.resume_writing()


def test_uvicorn_gets_a_class_it_can_call(timers):
    class State:
        connections: set[Any] = set()

    make: Any = websocket_class(lambda request: Handler(), LIMITS)
    assert isinstance(make(config=None, server_state=State(), app_state={}), WebSocketProtocol)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=20))
def test_any_bytes_either_parse_or_close(chunks):
    """No sequence of bytes after the handshake raises, and what is kept of it stays within the limit."""
    timers = Timers()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "get_running_loop", lambda: timers)
        met = Met()
        for chunk in chunks:
            met.server.data_received(chunk)
        assert sum(map(len, met.server._parts)) <= LIMITS.message_limit_bytes
        met.server.connection_lost(None)
        assert met.handler.told[-1][0] == "closed"
