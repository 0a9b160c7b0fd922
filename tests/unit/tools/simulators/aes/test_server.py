"""The server shell on a virtual clock and a network in memory: streams, protocols, timers, faults."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.simulation.network import SimNetwork
from tests.simulation.virtual_loop import run

from unified_agent.clock import LoopClock
from unified_agent.network import Address
from unified_agent.tools.simulators.aes.plan import numbered_plan
from unified_agent.tools.simulators.aes.server import AesServer
from unified_agent.tools.simulators.aes.simulator import SimulatorPlan
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.codec import decode, encode
from unified_agent.wire.csta.framing import frame_bytes, take_frame
from unified_agent.wire.csta.session_messages import PROTOCOL_VERSION_BASE
from unified_agent.wire.csta.shapes import Message
from unified_agent.wire.csta.values import DeviceId, Secret
from unified_agent.wire.receive_buffer import ReceiveBuffer

AES = Address(host="aes", port=4721)
ANN = DeviceId("2001:CM1::0")
START = csta.StartApplicationSession(
    application_id="test",
    user_name="ctiuser",
    password=Secret("secret"),
    protocol_versions=(PROTOCOL_VERSION_BASE + "ed3/priv7",),
    requested_duration_s=180,
    cleanup_delay_s=60,
)


class Peer(asyncio.Protocol):
    """A client that writes requests and remembers answers and events with the time at which they came."""

    def __init__(self) -> None:
        self.got: list[tuple[float, Message]] = []
        self.lost = False
        self._buffer = ReceiveBuffer()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer.append(data)
        while (frame := take_frame(self._buffer)) is not None:
            self.got.append((asyncio.get_running_loop().time(), decode(frame.payload)))

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True

    def ask(self, *requests: Message) -> None:
        for request in requests:
            self._transport.write(frame_bytes(1, encode(request)))

    def names(self) -> list[str]:
        return [type(message).__name__ for _, message in self.got]


class Site:
    def __init__(self, *, streams: bool) -> None:
        chance = random.Random(2)
        self.network = SimNetwork(chance)
        clock = LoopClock(asyncio.get_running_loop(), wall_s=lambda: 1_700_000_000.0)
        plan = SimulatorPlan(switch=numbered_plan(agents=2))
        self.server = AesServer(plan, clock=clock, chance=chance)
        if streams:
            self.network.serve_streams("aes", 4721, self.server.serve_connection)
        else:
            self.network.listen("aes", 4721, self.server.new_socket)

    async def connect(self) -> Peer:
        peer = Peer()
        await self.network.at("client").dial(lambda: peer, AES, 5.0)
        return peer

    async def ready(self) -> Peer:
        """Connect, with a session that monitors 2001; what was answered is forgotten."""
        peer = await self.connect()
        device = csta.GetThirdPartyDeviceId(switch_name="CM1", extension="2001")
        peer.ask(START, device, csta.MonitorStart(device=ANN))
        await asyncio.sleep(1)
        assert len(peer.got) == 3
        peer.got.clear()
        return peer


def on_virtual_time(test: Callable[[Site], Awaitable[None]]) -> Callable[[bool], None]:
    """Run a test on a loop of virtual time, over streams and over protocols."""

    @pytest.mark.parametrize("streams", [False, True], ids=["protocol", "streams"])
    def start(streams: bool) -> None:
        async def main() -> None:
            site = Site(streams=streams)
            await test(site)
            await site.server.close()
            assert site.server.sockets() == []

        run(main())

    return start


@on_virtual_time
async def test_requests_are_answered_and_events_told(site: Site) -> None:
    peer = await site.ready()
    site.server.act(lambda sim: sim.switch.place_call("5550100", "2001"))
    peer.ask(csta.GetAgentState(device=ANN))
    await asyncio.sleep(1)
    assert peer.names() == ["DeliveredEvent", "GetAgentStateResponse"]


@on_virtual_time
async def test_what_is_due_at_the_switch_is_told_at_its_time(site: Site) -> None:
    peer = await site.ready()
    loop = asyncio.get_running_loop()
    site.server.act(lambda sim: sim.switch.place_call("5550100", "2001", patience_s=7.0))
    began_s = loop.time()
    await asyncio.sleep(20)
    assert peer.names() == ["DeliveredEvent", "ConnectionClearedEvent", "ConnectionClearedEvent"]
    assert 7.0 <= peer.got[-1][0] - began_s < 7.01


@on_virtual_time
async def test_silence_holds_both_ways_and_loses_nothing(site: Site) -> None:
    peer = await site.ready()
    assert site.server.set_silent(silent=True) == 1
    peer.ask(csta.GetAgentState(device=ANN))
    site.server.act(lambda sim: sim.switch.place_call("5550100", "2001"))
    newcomer = await site.connect()
    newcomer.ask(START)
    await asyncio.sleep(60)
    assert (peer.got, newcomer.got, peer.lost) == ([], [], False)
    site.server.set_silent(silent=False)
    site.server.set_silent(silent=False)
    await asyncio.sleep(1)
    assert peer.names() == ["DeliveredEvent", "GetAgentStateResponse"]
    assert newcomer.names() == ["StartApplicationSessionPosResponse"]


@on_virtual_time
async def test_one_socket_can_be_silent_slow_or_cut_while_the_other_is_well(site: Site) -> None:
    one, other = await site.ready(), await site.ready()
    ask = csta.GetAgentState(device=ANN)
    site.server.set_silent(silent=True, only=1)
    one.ask(ask)
    other.ask(ask)
    await asyncio.sleep(1)
    assert (one.names(), other.names()) == ([], ["GetAgentStateResponse"])
    site.server.set_silent(silent=False, only=1)
    site.server.set_delay(5.0, only=2)
    other.ask(ask)
    await asyncio.sleep(1)
    assert (len(one.got), len(other.got)) == (1, 1)
    assert site.server.cut(reset=True, only=1) == 1
    await asyncio.sleep(5)
    assert (one.lost, other.lost, len(other.got)) == (True, False, 2)
    assert site.server.cut(reset=True, only=1) == 0


@on_virtual_time
async def test_delay_holds_everything_back_and_keeps_the_order_when_it_ends(site: Site) -> None:
    peer = await site.ready()
    loop = asyncio.get_running_loop()
    site.server.set_delay(3.0)
    began_s = loop.time()
    peer.ask(csta.GetAgentState(device=ANN))
    await asyncio.sleep(1)
    site.server.set_delay(0.0)
    peer.ask(csta.SnapshotDevice(device=ANN))
    await asyncio.sleep(10)
    assert peer.names() == ["GetAgentStateResponse", "SnapshotDeviceResponse"]
    assert 3.0 <= peer.got[0][0] - began_s < 3.1


@on_virtual_time
async def test_orderly_close_sends_what_was_held_back_and_reset_does_not(site: Site) -> None:
    slow, broken = await site.ready(), await site.ready()
    site.server.set_delay(60.0)
    for peer in (slow, broken):
        peer.ask(csta.GetAgentState(device=ANN))
    await asyncio.sleep(1)
    site.server.cut(reset=False, only=1)
    site.server.cut(reset=True, only=2)
    await asyncio.sleep(1)
    assert (slow.names(), broken.names()) == (["GetAgentStateResponse"], [])
    assert slow.lost
    assert broken.lost


@on_virtual_time
async def test_silent_socket_is_closed_without_a_word(site: Site) -> None:
    peer = await site.ready()
    site.server.set_silent(silent=True)
    site.server.act(lambda sim: sim.switch.place_call("5550100", "2001"))
    site.server.cut(reset=False)
    await asyncio.sleep(1)
    assert peer.lost
    assert peer.got == []


@on_virtual_time
async def test_sockets_are_not_let_in_while_switched_off(site: Site) -> None:
    await site.server.set_accepting(accepting=False)
    peer = await site.connect()
    await asyncio.sleep(1)
    assert peer.lost
    await site.server.set_accepting(accepting=True)
    await site.ready()


@on_virtual_time
async def test_bytes_that_are_no_message_end_that_socket_only(site: Site) -> None:
    good, bad = await site.ready(), await site.connect()
    bad.ask(START)
    bad._transport.write(b"\x00\x00\x00\x03....")
    await asyncio.sleep(1)
    assert bad.lost
    good.ask(csta.GetAgentState(device=ANN))
    await asyncio.sleep(1)
    assert good.names() == ["GetAgentStateResponse"]


@on_virtual_time
async def test_session_of_a_lost_socket_is_kept_for_the_cleanup_delay(site: Site) -> None:
    peer = await site.ready()
    peer._transport.abort()
    await asyncio.sleep(59)
    assert len(site.server.truth()["sessions"]) == 1
    await asyncio.sleep(2)
    truth = site.server.truth()
    assert (truth["sessions"], truth["aes"]["monitors"], truth["connections"]) == ({}, 0, {})


@on_virtual_time
async def test_truth_tells_of_sockets_and_faults(site: Site) -> None:
    await site.ready()
    site.server.set_delay(0.5)
    truth = site.server.truth()
    (connection,) = truth["connections"].values()
    assert (connection["messages_in"], connection["messages_out"], connection["delay_s"]) == (3, 3, 0.5)
    assert truth["faults"] == {"accepting": True, "silent": False, "delay_s": 0.5}
    assert truth["now_s"] > 1_700_000_000
