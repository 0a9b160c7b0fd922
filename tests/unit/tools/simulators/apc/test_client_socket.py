"""One socket: what is held back, what ends it, and in which order. The server's own tests play the rest through it."""

from __future__ import annotations

import pytest
from tests.unit.tools.simulators.apc.fake_network import Net

from unified_agent.tools.simulators.apc import client_socket


def test_an_orderly_close_waits_for_what_is_held_back() -> None:
    net = Net()
    client = net.connect()
    client.socket.set_delay(5.0)
    client.say("Logon", "agent0001", "pw")
    client.socket.close()
    assert not client.transport.closed
    net.clock.wait(5.0)
    assert client.lines()[-1] == "R Logon 0 M00000"
    assert client.transport.closed


def test_a_silent_socket_closes_only_when_it_speaks_again() -> None:
    net = Net()
    client = net.connect()
    client.socket.set_silent(silent=True)
    client.socket.close()
    net.clock.wait(60.0)
    assert not client.transport.closed
    client.socket.set_silent(silent=False)
    assert client.transport.closed


def test_a_client_behind_more_than_is_held_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_socket, "HELD_LIMIT", 3)
    client = Net().connect()
    client.socket.set_delay(60.0, piece_bytes=1)
    client.say("Logon", "agent0001", "pw")
    assert client.transport.aborted


def test_what_comes_after_the_end_is_neither_written_nor_told_twice() -> None:
    net = Net()
    client = net.connect()
    client.socket.set_delay(1.0)
    client.say("Logon", "agent0001", "pw")
    client.socket.connection_lost(ConnectionResetError())
    client.transport.pieces.clear()
    client.socket.connection_lost(None)
    net.clock.wait(5.0)
    assert client.transport.pieces == []
    assert net.server.truth()["connections"] == 0


def test_a_closing_socket_takes_no_further_command() -> None:
    net = Net()
    client = net.connect()
    client.socket.set_delay(5.0)
    client.say("Logon", "agent0001", "pw")
    client.socket.close()
    assert client.say("ListState", wait_s=10.0)[-1] == "R Logon 0 M00000"


def test_garbled_bytes_are_written_as_they_are() -> None:
    client = Net().connect()
    client.transport.pieces.clear()
    client.socket.garble(b"\x00\xff")
    assert client.transport.pieces == [b"\x00\xff"]
