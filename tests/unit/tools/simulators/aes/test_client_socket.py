"""One socket on a transport that only remembers: what is written when, and what a client that takes nothing gets."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.links.fakes import ManualClock

from unified_agent.tools.simulators.aes import client_socket
from unified_agent.tools.simulators.aes.client_socket import ClientSocket
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.codec import decode, encode
from unified_agent.wire.csta.framing import frame_bytes, take_frame
from unified_agent.wire.csta.server_connection import RequestReceived
from unified_agent.wire.csta.values import DeviceId
from unified_agent.wire.receive_buffer import ReceiveBuffer

ASK = csta.GetAgentState(device=DeviceId("2001:CM1::0"))
ANSWER = csta.AnswerCallResponse()


class Transport:
    """Remembers what was done to it."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.done: list[str] = []
        self.unsent = 0

    def write(self, data: bytes) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def get_extra_info(self, name: str) -> Any:
        return ("10.0.0.1", 5000) if name == "peername" else None

    def __getattr__(self, name: str) -> Any:
        return lambda: self.done.append(name)


class Desk:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.transport = Transport()
        self.asked: list[RequestReceived] = []
        self.over = 0
        self.socket = ClientSocket(
            1,
            clock=self.clock,
            on_open=lambda _: None,
            on_message=lambda _, event: self.asked.append(event),
            on_over=self._count,
        )
        self.socket.connection_made(self.transport)  # type: ignore[arg-type]

    def _count(self, _: ClientSocket) -> None:
        self.over += 1

    def answer(self, invoke_id: int) -> None:
        self.socket.send(invoke_id, ANSWER)
        self.socket.flush()

    def sent(self) -> list[int]:
        """Return the invoke ids of what was written."""
        buffer, ids = ReceiveBuffer(), []
        buffer.append(bytes(self.transport.written))
        while (frame := take_frame(buffer)) is not None:
            decode(frame.payload)
            ids.append(frame.invoke_id)
        return ids


def test_requests_come_in_and_answers_and_events_go_out() -> None:
    desk = Desk()
    desk.socket.data_received(frame_bytes(7, encode(ASK)))
    assert desk.asked == [RequestReceived(7, ASK)]
    desk.answer(7)
    desk.socket.send(None, csta.MonitorStop(monitor_id="1"))  # type: ignore[arg-type]
    desk.socket.flush()
    assert desk.sent() == [7, 9999]
    assert (desk.socket.messages_in, desk.socket.messages_out, desk.socket.peer) == (1, 2, "10.0.0.1:5000")


def test_delayed_answers_keep_their_order_when_the_delay_shrinks() -> None:
    desk = Desk()
    desk.socket.set_delay(5.0)
    desk.answer(1)
    desk.clock.advance(1.0)
    desk.socket.set_delay(0.0)
    desk.answer(2)
    assert desk.sent() == []
    desk.clock.advance(4.0)
    assert desk.sent() == [1, 2]
    desk.answer(3)
    assert desk.sent() == [1, 2, 3]


def test_silence_keeps_what_comes_and_what_goes() -> None:
    desk = Desk()
    desk.socket.set_silent(silent=True)
    desk.socket.data_received(frame_bytes(7, encode(ASK)))
    desk.answer(1)
    desk.clock.advance(100.0)
    assert (desk.sent(), desk.asked, desk.transport.done) == ([], [], ["pause_reading"])
    desk.socket.set_silent(silent=False)
    assert (desk.sent(), len(desk.asked)) == ([1], 1)
    assert desk.transport.done == ["pause_reading", "resume_reading"]


def test_client_that_takes_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    desk.transport.unsent = client_socket.UNSENT_LIMIT_BYTES + 1
    desk.answer(1)
    assert desk.transport.done == ["abort"]


def test_silent_client_with_too_much_to_send_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_socket, "HELD_LIMIT", 2)
    desk = Desk()
    desk.socket.set_silent(silent=True)
    for number in range(3):
        desk.answer(number)
    assert desk.transport.done == ["pause_reading", "abort"]


def test_protocol_error_cuts_the_socket_after_what_was_complete() -> None:
    desk = Desk()
    desk.socket.data_received(frame_bytes(7, encode(ASK)) + b"\x00\x00\x00\x01xxxx")
    assert (len(desk.asked), desk.transport.done) == (1, ["abort"])


def test_end_is_told_once_and_nothing_is_written_after_it() -> None:
    desk = Desk()
    assert desk.socket.eof_received() is False
    desk.socket.set_delay(1.0)
    desk.answer(1)
    desk.socket.connection_lost(None)
    desk.socket.connection_lost(ConnectionResetError())
    desk.clock.advance(5.0)
    desk.answer(2)
    assert (desk.over, desk.sent(), desk.clock.planned) == (1, [], [])


def test_orderly_close_writes_what_was_held_back() -> None:
    desk = Desk()
    desk.socket.set_delay(9.0)
    desk.answer(1)
    desk.socket.close()
    assert (desk.sent(), desk.transport.done) == ([1], ["close"])
