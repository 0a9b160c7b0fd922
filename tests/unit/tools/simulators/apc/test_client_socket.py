"""A client's socket at the dialler: how it ends. The server's own tests play the rest through it."""

from __future__ import annotations

from tests.unit.tools.simulators.apc.fake_network import Net


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
