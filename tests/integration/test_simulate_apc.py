"""The simulated dialler over real sockets, plain and TLS, as a process of its own and inside this one."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
import trustme
from msgspec import structs
from tests.unit.wire.apc.vectors import FOLDER, frames

from unified_agent.clock import LoopClock
from unified_agent.tools.simulators.apc.plan import load_plan
from unified_agent.tools.simulators.apc.server import DiallerServer
from unified_agent.tools.simulators.shell.server import notice_dead_clients
from unified_agent.wire.apc import events as ev
from unified_agent.wire.apc.codec import MessageDecoder
from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.connection import AgentConnection, AgentConnectionSettings

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]


@asynccontextmanager
async def canonical_dialler(tls: ssl.SSLContext | None) -> AsyncIterator[int]:
    clock = LoopClock(asyncio.get_running_loop())
    server = DiallerServer(load_plan(FOLDER / "canonical.toml"), clock=clock, chance=random.Random(1))
    port = await server.start_listening("127.0.0.1", 0, tls)
    try:
        yield port
    finally:
        await server.close()


class Client:
    """An agent's connection over a real socket; keeps what the dialler said, byte for byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, **settings: Any) -> None:
        self.reader, self.writer = reader, writer
        self.connection = AgentConnection(AgentConnectionSettings(**settings), now_s=0.0)
        self.received = bytearray()
        self.events: list[ev.Event] = []

    @classmethod
    async def open(cls, port: int, tls: ssl.SSLContext | None = None, **settings: Any) -> Client:
        server_name = "127.0.0.1" if tls else None
        streams = await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname=server_name)
        return cls(*streams, **settings)

    async def read(self) -> None:
        """Wait for bytes, or the end."""
        async with asyncio.timeout(5):
            data = await self.reader.read(65536)
        self.received += data
        if data:
            self.connection.receive_data(data, 0.0)
        else:
            self.connection.receive_eof(0.0)
        while (event := self.connection.next_event()) is not None:
            self.events.append(event)
        self.flush()

    def flush(self) -> None:
        self.writer.write(self.connection.data_to_send())

    async def until(self, kind: type[ev.Event]) -> Any:
        """Read until such an event has come; forget it and those before it."""
        while True:
            for place, event in enumerate(self.events):
                if isinstance(event, kind):
                    del self.events[: place + 1]
                    return event
            await self.read()

    async def ask(self, command: Command, *segments: str) -> ev.Replied:
        self.connection.send_command(command, *segments, now_s=0.0)
        self.flush()
        replied: ev.Replied = await self.until(ev.Replied)
        return replied

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await self.writer.wait_closed()


async def hold_canonical_session(client: Client) -> None:
    """Send the example's commands; compare what comes with the example's bytes."""
    for frame in frames("session"):
        if frame.from_server:
            while len(client.received) < frame.length:
                await client.read()
            assert bytes(client.received[: frame.length]) == frame.data, frame.origin
            del client.received[: frame.length]
            continue
        decoder = MessageDecoder(from_server=False)
        decoder.feed(frame.data)
        message = decoder.next_message()
        assert message is not None
        client.connection.send_command(Command(message.keyword), *message.segments, now_s=0.0)
        client.flush()
    async with asyncio.timeout(5):
        assert await client.reader.read() == b""
    assert client.events[-1] == ev.SessionClosed()


async def test_canonical_session_over_tcp() -> None:
    async with canonical_dialler(None) as port:
        client = await Client.open(port, process_id="4711")
        await hold_canonical_session(client)
        await client.close()


async def test_canonical_session_over_tls() -> None:
    authority = trustme.CA()
    server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server_tls)
    client_tls = ssl.create_default_context()
    authority.configure_trust(client_tls)
    async with canonical_dialler(server_tls) as port:
        client = await Client.open(port, client_tls, process_id="4711")
        await hold_canonical_session(client)
        await client.close()


@asynccontextmanager
async def simulator_process(*options: str) -> AsyncIterator[dict[str, str]]:
    """``python -m …simulators.apc`` on free ports; gives what it prints, by name."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "unified_agent.tools.simulators.apc",
        *("--port", "0", "--control-port", "0", "--log-level", "warning", "--seed", "7", *options),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    told = {}
    try:
        async with asyncio.timeout(20):
            while (line := (await process.stdout.readline()).decode().strip()) != "ready":
                assert line, "the simulator ended before it was ready"
                name, _, value = line.partition(" ")
                told[name] = value
        yield told
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(10):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_process_serves_tls_and_its_control_port_and_ends_in_order() -> None:
    async with (
        simulator_process("--tls-self-signed", "--wait-s", "0.1") as told,
        httpx.AsyncClient(base_url=told["control"]) as control,
    ):
        tls = ssl.create_default_context(cadata=(await control.get("/certificate")).text)
        client = await Client.open(int(told["tls"].rpartition(":")[2]), tls)
        assert (await client.ask(Command.LOGON, "agent0001", "secret", "PCAPI_5.1.0.0.4")).ok
        assert (await client.ask(Command.RESERVE_HEADSET, "52001")).ok
        assert (await client.ask(Command.CONN_HEADSET)).ok
        assert (await client.ask(Command.ATTACH_JOB, "SPRING25")).ok
        assert (await client.ask(Command.AVAIL_WORK)).ok
        assert (await client.ask(Command.READY_NEXT_ITEM)).ok
        call = await client.until(ev.CallArrived)

        [agent] = (await control.get("/truth")).json()["agents"]
        assert (agent["name"], agent["state"], agent["job"]) == ("agent0001", "S70000", "SPRING25")
        assert agent["call"]["record"]["fields"]["NAME"] == call.op_mesg

        said = await control.post("/agents/message", json={"text": "Team meeting"})
        assert said.json() == {"agents": 1}
        assert (await client.until(ev.MessageReceived)).text == "Team meeting"

        assert (await control.post("/calls/hang-up", json={"agent": "agent0001"})).status_code == 200
        await client.until(ev.LineAutoReleased)

        assert (await control.post("/dialler/down", json={"back_after_s": 0.2})).json() == {"connections": 1}
        lost = await client.until(ev.SessionLost)
        assert (lost.reason, lost.code) == (ev.LossReason.SYSTEM_ERROR, "E28921")
        await client.close()

        async with asyncio.timeout(5):
            while not (await control.get("/health")).json()["accepting"]:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        again = await Client.open(int(told["tls"].rpartition(":")[2]), tls)
        assert (await again.ask(Command.LOGON, "agent0001", "secret", "PCAPI_5.1.0.0.4")).ok
        await again.close()


async def test_port_that_is_taken_is_named_in_the_error() -> None:
    taken = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    port = taken.sockets[0].getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "unified_agent.tools.simulators.apc",
        *("--port", str(port), "--control-port", "0", "--log-level", "warning"),
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(20):
        _, errors = await process.communicate()
    taken.close()
    await taken.wait_closed()
    assert process.returncode == 2
    assert f"plain port 127.0.0.1:{port} cannot be had" in errors.decode()


async def test_each_connection_inherits_from_its_listener_how_soon_a_dead_client_is_noticed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        notice_dead_clients(listener.fileno(), 6.0)
        with socket.create_connection(listener.getsockname()):
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 6_000
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 2


async def test_a_dialler_that_notices_dead_clients_serves_living_ones_as_any_other() -> None:
    plan = structs.replace(load_plan(FOLDER / "canonical.toml"), dead_client_s=1.0)
    server = DiallerServer(plan, clock=LoopClock(asyncio.get_running_loop()), chance=random.Random(1))
    port = await server.start_listening("127.0.0.1", 0)
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(5):
            assert b"AGTSTART" in await reader.read(100)
        await asyncio.sleep(1.5)
        assert not reader.at_eof()
        writer.close()
    finally:
        await server.close()
