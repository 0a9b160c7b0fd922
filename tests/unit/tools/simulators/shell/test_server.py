"""All sockets in front of a model: who is let in, what faults concern, when the model is woken, how it all ends."""

from __future__ import annotations

import asyncio

import pytest
from tests.simulation.virtual_loop import run
from tests.unit.links.fakes import ManualClock
from tests.unit.tools.simulators.shell.toy import EchoServer, Say, Transport


class Site:
    def __init__(self, rings_at_s: float | None = None) -> None:
        self.clock = ManualClock()
        self.server = EchoServer(self.clock, rings_at_s)

    def connect(self, *, stubborn: bool = False) -> Transport:
        client = Transport(self.server.new_socket(), stubborn=stubborn)
        client.protocol.connection_made(client)
        return client


def test_client_is_welcomed_answered_and_forgotten() -> None:
    site = Site()
    client = site.connect()
    client.protocol.data_received(b"one\nbye\nignored\n")
    assert (client.text, client.done) == ("hello\none\nbye\n", ["close"])
    assert (site.server.lost, site.server.sockets()) == ([1], [])


def test_effects_are_written_together_and_those_for_nobody_passed_over() -> None:
    site = Site()
    client = site.connect()
    client.pieces.clear()
    site.server.tell(Say(1, "a"), Say(7, "x"), Say(1, "b"))
    assert client.pieces == [b"a\nb\n"]


def test_model_is_woken_at_its_time_or_earlier_when_it_asks_so() -> None:
    site = Site(rings_at_s=1_010.0)
    client = site.connect()
    assert site.clock.planned == [1_010.0]
    site.server.rings_at_s = 1_005.0
    site.server.tell()
    assert site.clock.planned == [1_005.0]
    site.clock.advance(5.0)
    assert (client.text, site.clock.planned) == ("hello\nring\n", [])


def test_fault_of_some_leaves_the_others_alone() -> None:
    site = Site()
    one, other, third = site.connect(), site.connect(), site.connect()
    assert site.server.set_silent(silent=True, only=(1,)) == 1
    assert site.server.set_delay(5.0, only=(2,)) == 1
    assert site.server.garble(b"#", only=(3,)) == 1
    site.server.tell(Say(1, "a"), Say(2, "a"), Say(3, "a"))
    assert (one.text, other.text, third.text) == ("hello\n", "hello\n", "hello\n#a\n")
    assert site.server.cut(reset=True, only=(3,)) == 1
    assert (one.done, other.done, third.done) == (["pause"], [], ["abort"])
    assert site.server.faults() == {"accepting": True, "silent": False, "delay_s": 0.0}


def test_unknown_choice_touches_nobody_and_changes_nothing() -> None:
    site = Site()
    client = site.connect()
    with pytest.raises(KeyError):
        site.server.cut(reset=True, only=(1, 9))
    assert client.done == []


def test_fault_of_all_holds_for_those_to_come() -> None:
    site = Site()
    site.server.set_silent(silent=True)
    site.server.set_delay(2.0, 1, 0.1)
    client = site.connect()
    site.clock.advance(9.0)
    assert client.text == ""
    assert site.server.faults() == {"accepting": True, "silent": True, "delay_s": 2.0}
    assert site.server.set_silent(silent=False) == 1
    assert client.pieces == [b"h", b"e", b"l", b"l", b"o", b"\n"]


def test_orderly_cut_closes_and_reset_aborts() -> None:
    site = Site()
    one = site.connect()
    assert site.server.cut(reset=False) == 1
    other = site.connect()
    assert site.server.cut(reset=True) == 1
    assert (one.done, other.done) == (["close"], ["abort"])


def test_nobody_is_let_in_while_switched_off() -> None:
    async def main() -> None:
        site = Site()
        await site.server.set_accepting(accepting=False)
        refused = site.connect()
        assert (refused.done, refused.text, site.server.lost) == (["abort"], "", [])
        await site.server.set_accepting(accepting=True)
        await site.server.set_accepting(accepting=True)
        assert site.connect().text == "hello\n"

    run(main())


def test_stream_is_served_until_the_client_ends_it() -> None:
    async def main() -> None:
        site = Site()
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        client = Transport(protocol)
        writer = asyncio.StreamWriter(client, protocol, reader, asyncio.get_running_loop())
        reader.feed_data(b"one\n")
        reader.feed_eof()
        await site.server.serve_connection(reader, writer)
        assert (client.text, client.done, site.server.lost) == ("hello\none\n", ["close"], [1])

    run(main())


def test_end_waits_for_clients_for_a_while_and_then_cuts_them_off() -> None:
    async def main() -> None:
        site = Site(rings_at_s=2_000.0)
        good, bad = site.connect(), site.connect(stubborn=True)
        began_s = asyncio.get_running_loop().time()
        await site.server.close()
        assert (good.done, bad.done) == (["close"], ["close", "abort"])
        assert 2.0 <= asyncio.get_running_loop().time() - began_s < 2.1
        assert (site.server.sockets(), site.clock.planned) == ([], [])

    run(main())
