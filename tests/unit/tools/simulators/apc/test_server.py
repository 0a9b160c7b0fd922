"""The simulated dialler's sockets, and the faults of life."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.tools.simulators.apc.bench import job
from tests.unit.tools.simulators.apc.fake_network import Net

from unified_agent.tools.simulators.apc import happenings
from unified_agent.tools.simulators.apc.client_socket import UNSENT_LIMIT_BYTES

GREETING = ["N START 0 AGENT_STARTUP"]


def test_client_is_greeted_with_its_own_process_number() -> None:
    net = Net(process_number=20817)
    first, second = net.connect(), net.connect()
    assert b"Agent server        20817 0   " in first.transport.pieces[0]
    assert b"Agent server        20818 0   " in second.transport.pieces[0]


def test_client_that_closes_is_forgotten() -> None:
    net = Net()
    client = net.connect().log_on("ann")
    client.transport.close()
    assert net.server.truth()["agents"] == []
    assert net.server.truth()["sockets"] == []


def test_what_is_no_command_is_answered_and_closed() -> None:
    client = Net().connect()
    client.lines()
    client.socket.data_received(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert client.lines() == ["N SystemError 1 E70001"]
    assert client.transport.closed


def test_commands_before_a_broken_one_are_answered() -> None:
    net = Net()
    client = net.connect().log_on("ann")
    good = b"AGTListState        CUAgent              4711  4   0   \x03"
    client.socket.data_received(good + b"\x03")
    assert client.lines()[:2] == ["D ListState 0 S70004", "R ListState 0 M00000"]


def test_silent_connection_answers_later_and_loses_nothing() -> None:
    net = Net()
    client = net.connect().log_on("ann")
    assert net.server.set_silent(silent=True, only=["ann"]) == 1
    assert client.transport.paused
    assert client.say("ListState") == []
    net.clock.wait(100.0)
    assert client.lines() == []
    assert net.server.truth()["sockets"][0]["silent"]
    net.server.set_silent(silent=False, only=["ann"])
    assert client.lines() == ["D ListState 0 S70004", "R ListState 0 M00000"]


def test_silence_of_all_holds_for_connections_to_come() -> None:
    net = Net()
    net.server.set_silent(silent=True)
    client = net.connect()
    net.clock.wait(60.0)
    assert client.lines() == []
    net.server.set_silent(silent=False)
    assert client.lines() == GREETING


def test_delay_holds_everything_back_in_order() -> None:
    net = Net()
    client = net.connect()
    client.lines()
    net.server.set_delay(2.0)
    assert client.say("Logon", "ann", "pw", wait_s=1.9) == []
    net.clock.wait(0.1)
    assert client.lines() == ["P Logon 0 S28833"]
    net.clock.wait(0.1)
    assert client.lines() == ["R Logon 0 M00000"]


def test_bytes_can_come_one_by_one() -> None:
    net = Net()
    client = net.connect()
    client.lines()
    net.server.set_delay(0.0, 1, 0.001)
    client.say("Logon", "ann", "pw", wait_s=0.0)  # the first byte has come
    net.clock.wait(0.0645)
    assert [len(piece) for piece in client.transport.pieces] == [1] * 64
    net.clock.wait(0.1)
    assert client.lines() == ["P Logon 0 S28833", "R Logon 0 M00000"]


def test_order_is_kept_when_the_delay_ends() -> None:
    net = Net()
    client = net.connect().log_on("ann")
    net.server.set_delay(1.0)
    client.say("ListState", wait_s=0.0)
    net.server.set_delay(0.0)
    assert client.say("ListJobs", "X", wait_s=0.5) == []
    net.clock.wait(0.5)
    assert [line[:11] for line in client.lines()] == ["D ListState", "R ListState", "R ListJobs "]


def test_cut_ends_the_chosen_connections() -> None:
    net = Net()
    ann, bob = net.connect().log_on("ann"), net.connect().log_on("bob")
    assert net.server.cut(reset=True, only=["ann"]) == 1
    assert ann.transport.aborted
    assert not bob.transport.closed
    assert net.server.cut(reset=False) == 1
    assert bob.transport.closed
    assert not bob.transport.aborted


def test_agent_who_is_not_logged_on_is_unknown_and_nobody_else_is_touched() -> None:
    net = Net()
    ann = net.connect().log_on("ann")
    with pytest.raises(happenings.Unknown):
        net.server.cut(reset=True, only=["ann", "bob"])
    assert not ann.transport.closed


def test_part_size_applies_to_open_connections() -> None:
    net = Net()
    client = net.connect().log_on("ann")
    net.server.set_part_size(80)
    client.socket.data_received(b"AGTListJobs         CUAgent              4711  4   1   \x1eA\x03")
    assert b"\x17" in b"".join(client.transport.pieces)
    assert client.lines()[0].startswith("D ListJobs 0 M00001 O,SPRING25,A B,CAREBLD,A")
    net.server.set_part_size(0)
    client.socket.data_received(b"AGTListJobs         CUAgent              4711  4   1   \x1eA\x03")
    assert b"\x17" not in b"".join(client.transport.pieces)


def test_client_that_takes_nothing_is_cut_off() -> None:
    client = Net().connect()
    client.transport.unsent_bytes = UNSENT_LIMIT_BYTES + 1
    client.say("Logon", "ann", "pw")
    assert client.transport.aborted


@pytest.mark.asyncio
async def test_announced_shutdown_tells_everybody_refuses_and_comes_back() -> None:
    net = Net()
    ann = net.connect().log_on("ann")
    fresh = net.connect()
    fresh.lines()
    assert await net.server.shut_down(announce=True, back_after_s=30.0) == 2
    assert ann.lines() == fresh.lines() == ["N SystemError 1 E28921"]
    assert ann.transport.closed
    assert not ann.transport.aborted
    assert net.connect().transport.aborted
    net.clock.wait(30.0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert net.connect().lines() == GREETING


@pytest.mark.asyncio
async def test_crash_cuts_without_a_word() -> None:
    net = Net()
    ann = net.connect().log_on("ann")
    await net.server.shut_down(announce=False, back_after_s=None)
    assert ann.transport.aborted
    assert ann.lines() == []
    await net.server.set_accepting(accepting=True)
    assert net.connect().lines() == GREETING


def test_calls_arrive_by_the_servers_own_timer() -> None:
    net = Net(jobs=(job("HELPIN", traffic={"arrivals": "steady", "calls_per_minute": 60.0, "patience_s": 1e6}),))
    net.clock.wait(10.5)
    assert net.server.truth()["jobs"][0]["queue"] == 10


def test_happening_that_fails_raises_and_the_clock_goes_on() -> None:
    net = Net()
    client = net.connect()
    client.lines()
    client.say("Logon", "ann", "pw", wait_s=0.0)
    with pytest.raises(happenings.Unknown):
        net.server.act(lambda floor: happenings.find_agent(floor, "bob"))
    net.clock.wait(0.01)
    assert client.lines() == ["R Logon 0 M00000"]


@pytest.mark.asyncio
async def test_streams_are_served_until_the_client_closes() -> None:
    net = Net()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    client = net.connect()
    writer = asyncio.StreamWriter(client.transport, protocol, reader, asyncio.get_running_loop())
    reader.feed_data(b"AGTListState        CUAgent              4711  1   0   \x03")
    reader.feed_eof()
    await net.server.serve_connection(reader, writer)
    assert GREETING[0] in client.lines()


@pytest.mark.asyncio
async def test_closing_the_server_closes_all_even_silent_ones() -> None:
    net = Net()
    ann = net.connect().log_on("ann")
    net.server.set_silent(silent=True)
    net.server.set_delay(5.0)
    await net.server.close()
    assert ann.transport.closed
