"""One socket: what is held back, what ends it, and in which order."""

from __future__ import annotations

import pytest
from tests.unit.links.fakes import ManualClock
from tests.unit.tools.simulators.shell.toy import UNSENT_LIMIT_BYTES, LineSocket, Transport

from unified_agent.tools.simulators.shell import faulty_socket


class Desk:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.heard: list[str] = []
        self.over = 0
        self.socket = LineSocket(
            1,
            clock=self.clock,
            on_open=lambda _: None,
            on_line=lambda _, line: self.heard.append(line),
            on_over=self._count,
        )
        self.transport = Transport(self.socket)
        self.socket.connection_made(self.transport)

    def _count(self, _: LineSocket) -> None:
        self.over += 1

    def say(self, *lines: str) -> None:
        for line in lines:
            self.socket.send(line)
        self.socket.flush()


def test_lines_come_in_and_what_was_sent_goes_out_in_one_piece() -> None:
    desk = Desk()
    desk.socket.data_received(b"one\ntw")
    desk.socket.data_received(b"o\n")
    desk.say("a", "b")
    assert (desk.heard, desk.transport.pieces) == (["one", "two"], [b"a\nb\n"])


def test_delay_keeps_the_order_when_it_shrinks() -> None:
    desk = Desk()
    desk.socket.set_delay(5.0)
    desk.say("first")
    desk.clock.advance(1.0)
    desk.socket.set_delay(0.0)
    desk.say("second")
    assert desk.transport.text == ""
    desk.clock.advance(4.0)
    assert desk.transport.text == "first\nsecond\n"
    desk.say("third")
    assert desk.transport.text == "first\nsecond\nthird\n"


def test_pieces_come_with_their_pauses_also_from_one_message_to_the_next() -> None:
    desk = Desk()
    desk.socket.set_delay(1.0, piece_bytes=2, pause_s=0.5)
    desk.say("abc")
    desk.say("d")
    desk.clock.advance(1.0)
    assert desk.transport.pieces == [b"ab"]
    desk.clock.advance(0.5)
    assert desk.transport.pieces == [b"ab", b"c\n"]
    desk.clock.advance(0.5)
    assert desk.transport.pieces == [b"ab", b"c\n", b"d\n"]


def test_silence_keeps_what_comes_and_what_goes() -> None:
    desk = Desk()
    desk.socket.set_silent(silent=True)
    desk.socket.set_silent(silent=True)
    desk.socket.data_received(b"one\n")
    desk.say("a")
    desk.clock.advance(100.0)
    assert (desk.transport.text, desk.heard, desk.transport.done) == ("", [], ["pause"])
    desk.socket.set_silent(silent=False)
    assert (desk.transport.text, desk.heard, desk.transport.done) == ("a\n", ["one"], ["pause", "resume"])


def test_orderly_close_waits_for_what_is_held_back_and_hears_nothing_more() -> None:
    desk = Desk()
    desk.socket.set_delay(5.0)
    desk.say("a")
    desk.socket.close()
    desk.socket.data_received(b"one\n")
    assert desk.transport.done == []
    desk.clock.advance(5.0)
    assert (desk.transport.text, desk.transport.done, desk.heard) == ("a\n", ["close"], [])


def test_silent_socket_closes_when_it_speaks_again() -> None:
    desk = Desk()
    desk.socket.set_silent(silent=True)
    desk.say("a")
    desk.socket.close()
    desk.clock.advance(60.0)
    assert desk.transport.done == ["pause"]
    desk.socket.set_silent(silent=False)
    assert (desk.transport.text, desk.transport.done) == ("a\n", ["pause", "resume", "close"])


def test_client_that_takes_nothing_is_cut_off() -> None:
    desk = Desk()
    desk.transport.unsent_bytes = UNSENT_LIMIT_BYTES
    desk.say("a")
    assert desk.transport.done == []
    desk.transport.unsent_bytes += 1
    desk.say("b")
    assert desk.transport.done == ["abort"]


def test_client_behind_more_than_is_held_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faulty_socket, "HELD_LIMIT", 3)
    desk = Desk()
    desk.socket.set_delay(60.0, piece_bytes=1)
    desk.say("ab")
    assert desk.transport.done == []
    desk.say("c")
    assert desk.transport.done == ["abort"]


def test_broken_protocol_cuts_the_socket_after_what_was_complete() -> None:
    desk = Desk()
    desk.socket.data_received(b"one\n???\ntwo\n")
    assert (desk.heard, desk.transport.done) == (["one"], ["abort"])


def test_end_is_told_once_and_nothing_is_written_or_heard_after_it() -> None:
    desk = Desk()
    assert desk.socket.eof_received() is False
    desk.socket.set_delay(1.0)
    desk.say("a")
    desk.socket.connection_lost(None)
    desk.socket.connection_lost(ConnectionResetError())
    desk.clock.advance(5.0)
    desk.say("b")
    desk.socket.data_received(b"one\n")
    assert (desk.over, desk.transport.text, desk.heard, desk.clock.planned) == (1, "", [], [])


def test_garbled_bytes_are_written_as_they_are_whatever_the_delay() -> None:
    desk = Desk()
    desk.socket.set_delay(9.0)
    desk.socket.garble(b"\x00\xff")
    assert desk.transport.pieces == [b"\x00\xff"]


def test_socket_describes_itself() -> None:
    desk = Desk()
    desk.clock.advance(3.0)
    desk.socket.set_delay(0.5)
    assert desk.socket.describe() == {"peer": "10.0.0.1:5000", "open_s": 3.0, "silent": False, "delay_s": 0.5}
    assert (desk.socket.is_silent, desk.socket.delay_s) == (False, 0.5)
