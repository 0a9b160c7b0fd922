from __future__ import annotations

from collections import deque

import pytest
from tests.unit.links.fakes import FakeTransport, ManualClock

from unified_agent.errors import RemoteProtocolError
from unified_agent.pump import Pump


class Lines:
    """A wire connection of lines. ``?`` is answered, ``!`` breaks the protocol; silence for 10 s is an event."""

    def __init__(self) -> None:
        self.buffer = b""
        self.events: deque[str] = deque()
        self.out = b"hello\n"
        self.silent_at_s: float | None = None
        self.timers: list[float] = []
        self.eofs = 0

    def receive_data(self, data: bytes, now_s: float) -> None:
        self.silent_at_s = now_s + 10
        self.buffer += data
        while b"\n" in self.buffer:
            line, _, self.buffer = self.buffer.partition(b"\n")
            if line == b"!":
                raise RemoteProtocolError("an exclamation")
            if line == b"?":
                self.out += b"yes\n"
            self.events.append(line.decode())

    def receive_eof(self, now_s: float) -> None:
        self.eofs += 1
        self.events.append("(eof)")

    def send(self, line: bytes) -> None:
        self.out += line + b"\n"

    def data_to_send(self) -> bytes:
        data, self.out = self.out, b""
        return data

    def next_event(self) -> str | None:
        return self.events.popleft() if self.events else None

    def next_timer(self) -> float | None:
        return self.silent_at_s

    def handle_timer(self, now_s: float) -> None:
        self.timers.append(now_s)
        if self.silent_at_s is not None and now_s >= self.silent_at_s:
            self.silent_at_s = None
            self.events.append("(silent)")


class Owner:
    def __init__(self, *, connect: bool = True) -> None:
        self.clock = ManualClock()
        self.lines = Lines()
        self.transport = FakeTransport()
        self.events: list[str] = []
        self.lost: list[tuple[str, str]] = []
        self.pump = Pump(
            self.lines,
            clock=self.clock,
            on_event=self.take,
            on_lost=lambda reason, detail: self.lost.append((reason, detail)),
        )
        if connect:
            self.pump.connection_made(self.transport)

    def take(self, event: str) -> None:
        self.events.append(event)
        if event == "close":
            self.pump.close()


def test_what_the_connection_says_first_is_written_when_the_transport_is_there() -> None:
    owner = Owner()
    assert owner.transport.written == b"hello\n"
    assert owner.pump.is_open


def test_bytes_become_events_in_order_and_answers_are_written_in_the_same_step() -> None:
    owner = Owner()
    owner.pump.data_received(b"one\n?\ntw")
    owner.pump.data_received(b"o\n")
    assert owner.events == ["one", "?", "two"]
    assert owner.transport.writes == [b"hello\n", b"yes\n"]


def test_several_pokes_in_one_turn_make_one_write() -> None:
    owner = Owner()
    for line in (b"a", b"b", b"c"):
        owner.lines.send(line)
        owner.pump.poke()
    assert owner.transport.writes == [b"hello\n"]
    owner.clock.turn()
    assert owner.transport.writes == [b"hello\n", b"a\nb\nc\n"]


def test_poke_before_the_transport_is_there_waits_for_it() -> None:
    owner = Owner(connect=False)
    owner.lines.send(b"early")
    owner.pump.poke()
    owner.clock.turn()
    owner.pump.connection_made(owner.transport)
    assert owner.transport.written == b"hello\nearly\n"


def test_timer_of_the_connection_fires_at_its_time_even_when_it_was_moved_later() -> None:
    owner = Owner()
    owner.pump.data_received(b"one\n")
    owner.clock.advance(9)
    owner.pump.data_received(b"two\n")
    owner.clock.advance(9)
    assert owner.events == ["one", "two"]
    owner.clock.advance(1)
    assert owner.events == ["one", "two", "(silent)"]


def test_timer_moved_earlier_is_kept() -> None:
    owner = Owner()
    owner.pump.data_received(b"one\n")
    owner.lines.silent_at_s = owner.clock.now_s() + 1
    owner.pump.poke()
    owner.clock.advance(1)
    assert owner.events == ["one", "(silent)"]


def test_connection_that_finds_nothing_due_at_its_time_is_woken_a_little_later() -> None:
    owner = Owner()
    owner.lines.silent_at_s = owner.clock.now_s() + 1
    owner.pump.poke()
    owner.clock.turn()
    rounded = owner.lines.silent_at_s
    owner.lines.handle_timer = lambda now_s: owner.lines.timers.append(now_s)  # type: ignore[method-assign]
    owner.clock.advance(1.0035)
    assert owner.lines.timers == pytest.approx([rounded, rounded + 0.001, rounded + 0.002, rounded + 0.003])


def test_moving_the_silence_limit_with_each_packet_plans_one_call_only() -> None:
    owner = Owner()
    for _ in range(50):
        owner.clock.advance(0.01)
        owner.pump.data_received(b"x\n")
    assert len(owner.clock.planned) == 1


def test_broken_protocol_gives_the_events_before_it_and_ends_with_that_reason() -> None:
    owner = Owner()
    owner.pump.data_received(b"one\n!\n")
    assert owner.events == ["one"]
    assert owner.lost == [("protocol", "an exclamation")]
    assert owner.transport.closed == "aborted"
    owner.pump.connection_lost(None)
    assert len(owner.lost) == 1


def test_peer_that_closes_is_told_to_the_connection_once_and_then_to_the_owner() -> None:
    owner = Owner()
    owner.pump.eof_received()
    owner.pump.connection_lost(None)
    assert owner.events == ["(eof)"]
    assert owner.lines.eofs == 1
    assert owner.lost == [("closed", "the peer closed the connection")]


def test_nothing_is_reported_after_close() -> None:
    owner = Owner()
    owner.lines.send(b"bye")
    owner.pump.close()
    assert owner.transport.written == b"hello\nbye\n"
    assert owner.transport.closed == "closed"
    owner.pump.data_received(b"late\n")
    owner.pump.connection_lost(None)
    owner.clock.advance(100)
    assert owner.events == []
    assert owner.lost == []
    assert owner.clock.planned == []


def test_abort_writes_nothing_more() -> None:
    owner = Owner()
    owner.lines.send(b"bye")
    owner.pump.abort()
    assert owner.transport.written == b"hello\n"
    assert owner.transport.closed == "aborted"


def test_owner_that_closes_while_taking_an_event_gets_no_further_one() -> None:
    owner = Owner()
    owner.pump.data_received(b"close\nafter\n")
    assert owner.events == ["close"]
    assert owner.lost == []


def test_transport_that_comes_after_close_is_aborted() -> None:
    owner = Owner(connect=False)
    owner.pump.close()
    owner.pump.connection_made(owner.transport)
    assert owner.transport.closed == "aborted"
    assert owner.transport.written == b""


def test_peer_that_takes_nothing_for_too_long_is_lost() -> None:
    owner = Owner()
    owner.pump.pause_writing()
    owner.clock.advance(9.9)
    assert owner.lost == []
    owner.clock.advance(0.2)
    assert [reason for reason, _ in owner.lost] == ["stalled"]
    assert owner.transport.closed == "aborted"


def test_peer_that_takes_bytes_again_in_time_is_kept() -> None:
    owner = Owner()
    owner.pump.pause_writing()
    owner.clock.advance(9)
    owner.pump.resume_writing()
    owner.clock.advance(60)
    assert owner.lost == []


def test_unsent_bytes_are_bounded() -> None:
    owner = Owner()
    owner.transport.unsent = 5 * 1024 * 1024
    owner.lines.send(b"one more")
    owner.pump.poke()
    owner.clock.turn()
    assert [reason for reason, _ in owner.lost] == ["stalled"]


@pytest.mark.parametrize("again", [lambda o: o.pump.close(), lambda o: o.pump.abort(), lambda o: o.pump.poke()])
def test_doors_are_harmless_after_the_end(again) -> None:
    owner = Owner()
    owner.pump.close()
    again(owner)
    owner.clock.turn()
    assert owner.transport.writes == [b"hello\n"]
