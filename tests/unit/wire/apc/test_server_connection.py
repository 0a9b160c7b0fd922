"""The dialler's end of a connection."""

from __future__ import annotations

import pytest
from tests.unit.wire.apc.vectors import frames

from unified_agent.errors import RemoteProtocolError
from unified_agent.wire.apc import server_connection as server
from unified_agent.wire.apc.codec import encode_message
from unified_agent.wire.apc.messages import Message, MessageType


def test_dialler_echoes_the_invoke_id_whatever_it_is() -> None:
    connection = server.ServerConnection(process_id="20817")
    connection.receive_data(
        encode_message(Message(keyword="AGTListState", type=MessageType.COMMAND, client="OrigID", invoke_id="InID")),
        0.0,
    )
    received = connection.next_event()
    assert isinstance(received, server.CommandReceived)
    for message in (
        server.pending(received.message),
        server.data(received.message, code="S70004"),
        server.done(received.message),
        server.refused(received.message, "E28885"),
        server.notice("AGTJobEnd", "0", "M00000"),
    ):
        connection.send(message)
    assert connection.data_to_send() == (
        b"AGTListState        PAgent server        20817 InID2   \x1e0\x1eS28833\x03"
        b"AGTListState        DAgent server        20817 InID2   \x1e0\x1eS70004\x03"
        b"AGTListState        RAgent server        20817 InID2   \x1e0\x1eM00000\x03"
        b"AGTListState        RAgent server        20817 InID2   \x1e1\x1eE28885\x03"
        b"AGTJobEnd           NAgent server        20817 0   2   \x1e0\x1eM00000\x03"
    )
    assert connection.data_to_send() == b""
    connection.receive_eof(0.0)
    assert connection.next_event() == server.ClientGone()
    assert connection.next_event() is None
    assert connection.next_timer() is None


def test_dialler_refuses_what_is_no_command() -> None:
    connection = server.ServerConnection(process_id="1")
    with pytest.raises(RemoteProtocolError):
        connection.receive_data(frames("session")[0].data, 0.0)
