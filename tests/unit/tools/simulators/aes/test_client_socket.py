"""One socket on a transport that only remembers: what is written when, and what a client that takes nothing gets."""

from __future__ import annotations

from typing import Any

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
        self.socket = ClientSocket(
            1,
            clock=self.clock,
            on_open=lambda _: None,
            on_message=lambda _, event: self.asked.append(event),
            on_over=lambda _: None,
        )
        self.socket.connection_made(self.transport)  # type: ignore[arg-type]

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


def test_client_that_takes_nothing_is_cut_off() -> None:
    desk = Desk()
    desk.transport.unsent = client_socket.UNSENT_LIMIT_BYTES + 1
    desk.answer(1)
    assert desk.transport.done == ["abort"]


def test_protocol_error_cuts_the_socket_after_what_was_complete() -> None:
    desk = Desk()
    desk.socket.data_received(frame_bytes(7, encode(ASK)) + b"\x00\x00\x00\x01xxxx")
    assert (len(desk.asked), desk.transport.done) == (1, ["abort"])


def test_orderly_close_writes_what_was_held_back() -> None:
    desk = Desk()
    desk.socket.set_delay(9.0)
    desk.answer(1)
    desk.socket.close()
    assert (desk.sent(), desk.transport.done) == ([1], ["close"])


def test_silent_socket_closes_without_a_word() -> None:
    desk = Desk()
    desk.socket.set_silent(silent=True)
    desk.answer(1)
    desk.socket.close()
    assert (desk.sent(), desk.transport.done) == ([], ["pause_reading", "abort"])


def test_socket_describes_itself_with_its_messages() -> None:
    desk = Desk()
    desk.answer(1)
    told = desk.socket.describe()
    assert (told["peer"], told["messages_in"], told["messages_out"]) == ("10.0.0.1:5000", 0, 1)
