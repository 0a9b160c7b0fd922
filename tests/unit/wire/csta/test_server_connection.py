from __future__ import annotations

import pytest

from unified_agent.errors import RemoteProtocolError
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.codec import encode
from unified_agent.wire.csta.framing import frame_bytes
from unified_agent.wire.csta.server_connection import PeerClosed, RequestReceived, ServerConnection
from unified_agent.wire.csta.values import DeviceId, MonitorId

ASK = csta.SnapshotDevice(device=DeviceId("2001:CM1::0"))


def test_requests_come_with_their_invoke_ids_however_they_arrive() -> None:
    server = ServerConnection()
    data = frame_bytes(3, encode(ASK)) + frame_bytes(4, b"<Novelty/>")
    for byte in data:
        server.receive_data(bytes([byte]), 0.0)
    assert server.next_event() == RequestReceived(3, ASK)
    assert server.next_event() == RequestReceived(4, csta.UnknownMessage("Novelty"))
    assert server.next_event() is None


def test_answer_carries_the_invoke_id_of_its_request_and_an_event_carries_9999() -> None:
    server = ServerConnection()
    stopped = csta.MonitorStop(monitor_id=MonitorId("1"))
    server.send_answer(3, csta.SnapshotDeviceResponse())
    server.send_event(stopped)
    assert server.data_to_send() == (
        frame_bytes(3, encode(csta.SnapshotDeviceResponse())) + frame_bytes(9999, encode(stopped))
    )
    assert server.data_to_send() == b""


def test_requests_before_a_malformed_frame_can_still_be_taken() -> None:
    server = ServerConnection()
    with pytest.raises(RemoteProtocolError):
        server.receive_data(frame_bytes(3, encode(ASK)) + b"\x00\x00\x00\x070001", 0.0)
    assert server.next_event() == RequestReceived(3, ASK)


def test_closing_is_told_once_and_ends_reading() -> None:
    server = ServerConnection()
    server.receive_eof(0.0)
    server.receive_eof(0.0)
    server.receive_data(frame_bytes(3, encode(ASK)), 0.0)
    assert server.next_event() == PeerClosed()
    assert server.next_event() is None


def test_it_has_no_timer() -> None:
    server = ServerConnection()
    server.handle_timer(0.0)
    assert server.next_timer() is None
