"""The simulated AES as a product: over real sockets, plain and TLS, steered by its control port, run as a program."""

from __future__ import annotations

import asyncio
import inspect
import random
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from tests.integration.aes_client import AesClient, Refusal, part

from unified_agent.clock import LoopClock
from unified_agent.tools.simulators.aes.control import ControlPort
from unified_agent.tools.simulators.aes.plan import numbered_plan
from unified_agent.tools.simulators.aes.server import AesServer
from unified_agent.tools.simulators.aes.sessions import AesSettings
from unified_agent.tools.simulators.aes.simulator import SimulatorPlan
from unified_agent.tools.simulators.shell.certificate import self_signed
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.connection_events import (
    LinkLost,
    LossReason,
    SessionEnded,
    SessionRefused,
    SessionStarted,
)
from unified_agent.wire.csta.values import DeviceId, StatusKind, SystemStatusValue, WorkMode

pytestmark = pytest.mark.integration


class Site:
    """A simulator in this loop, its control port without a socket, and the clients of a test."""

    def __init__(self, server: AesServer, control: httpx.AsyncClient) -> None:
        self.server = server
        self.control = control
        self.clients: list[AesClient] = []
        self.plain = 0
        self.tls = 0
        self.trust: ssl.SSLContext | None = None

    async def client(self, *, tls: bool = False, **rest: Any) -> AesClient:
        """Connect a client; its session is up."""
        client = AesClient(**rest)
        self.clients.append(client)
        started = await client.connect(self.tls if tls else self.plain, tls=self.trust if tls else None)
        assert isinstance(started, SessionStarted)
        return client

    async def do(self, path: str, **body: Any) -> Any:
        """Make something happen by the control port."""
        answer = await self.control.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def truth(self) -> Any:
        """Ask the control port for the truth."""
        return (await self.control.get("/truth")).json()


@asynccontextmanager
async def site(agents: int = 4, **aes: Any) -> AsyncIterator[Site]:
    plan = SimulatorPlan(switch=replace(numbered_plan(agents=agents), no_answer_s=0.0), aes=AesSettings(**aes))
    clock = LoopClock(asyncio.get_running_loop())
    server = AesServer(plan, clock=clock, chance=random.Random(4))
    context, pem = self_signed("localhost", now_s=clock.now_s())
    application: Any = ControlPort(server, shut_down=lambda: None, certificate=pem).application()
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://control") as control:
        it = Site(server, control)
        it.plain = await server.start_listening("127.0.0.1", 0)
        it.tls = await server.start_listening("127.0.0.1", 0, context)
        it.trust = ssl.create_default_context(cadata=pem)
        try:
            yield it
        finally:
            for client in it.clients:
                await client.close()
            await server.close()
            assert server.sockets() == []


def in_loop(test: Callable[..., Any]) -> Callable[..., None]:
    """Run a coroutine test."""

    def run(**arguments: Any) -> None:
        asyncio.run(test(**arguments))

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    run.__signature__ = inspect.signature(test)  # type: ignore[attr-defined]
    return run


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@in_loop
async def test_agents_day_goes_through_over_real_sockets(tls: bool) -> None:
    async with site() as here:
        client = await here.client(tls=tls)
        ann, bob = await client.observe("2001"), await client.observe("2002")
        await client.log_on(ann, "5001")
        assert (await client.told(csta.AgentLoggedOnEvent)).agent_id == "5001"
        await client.told(csta.AgentReadyEvent)

        placed = await here.do("/calls", number="8000", user_data="ACC=4711")
        delivered = await client.told(csta.DeliveredEvent)
        assert (delivered.user_data, delivered.ucid) == (b"ACC=4711", placed["ucid"])
        await client.ask(csta.AnswerCall(call=part(placed["call_id"], ann)))
        await client.told(csta.EstablishedEvent)
        consulted = await client.ask(csta.ConsultationCall(existing_call=delivered.connection, consulted_device=bob))
        assert isinstance(consulted, csta.ConsultationCallResponse)
        assert consulted.call is not None
        await here.do("/telephones", station="2002", key="answer")
        await client.ask(csta.TransferCall(held_call=delivered.connection, active_call=consulted.call))
        transferred = await client.told(csta.TransferedEvent)
        assert [item.new for item in transferred.connections][-1] == part(consulted.call.call_id, bob)

        truth = await here.truth()
        assert truth["agents"]["5001"]["work_mode"] == "autoIn"
        assert [leg["device"] for leg in truth["calls"][consulted.call.call_id]["legs"]] == ["02079460000", "2002"]
        await here.do("/calls/hang-up", call_id=consulted.call.call_id)
        await client.told(csta.ConnectionClearedEvent)
        client.wire.stop(asyncio.get_running_loop().time())
        client._flush()
        assert await client.ended() == SessionEnded("stopped")
        assert (await here.truth())["sessions"] == {}


@in_loop
async def test_two_clients_hear_only_their_own_stations() -> None:
    async with site() as here:
        one, other = await here.client(), await here.client(tls=True)
        await one.observe("2001")
        await other.observe("2002")
        await here.do("/calls", number="2002")
        await other.told(csta.DeliveredEvent)
        await here.do("/calls", number="2001", caller="5550100")
        assert (await one.told(csta.DeliveredEvent)).calling.device == "5550100:CM1::0"
        assert one.events == [] == other.events


@in_loop
async def test_refused_login_says_so() -> None:
    async with site() as here:
        client = AesClient(password="wrong")
        here.clients.append(client)
        assert await client.connect(here.plain) == SessionRefused("invalidApplicationInfo", was_recovery=False)
        await here.do("/logins", refuse=True)
        second = AesClient()
        here.clients.append(second)
        assert await second.connect(here.plain) == SessionRefused("serverResourcesBusy", was_recovery=False)
        await here.do("/logins", refuse=False)
        await here.client()


@pytest.mark.parametrize("how", ["reset", "close"])
@in_loop
async def test_cut_client_resumes_its_session_with_its_monitors(how: str) -> None:
    async with site() as here:
        client = await here.client()
        await client.observe("2001")
        assert await here.do("/connections/cut", how=how) == {"connections": 1}
        assert await client.ended() == LinkLost(LossReason.CLOSED_BY_PEER)
        again = AesClient()
        here.clients.append(again)
        started = await again.connect(here.plain, old_session_id=client.wire.session_id)
        assert isinstance(started, SessionStarted)
        assert started.resumed
        await here.do("/calls", number="2001")
        await again.told(csta.DeliveredEvent)


@in_loop
async def test_silent_server_closes_nothing_and_loses_nothing() -> None:
    async with site() as here:
        client = await here.client()
        ann = await client.observe("2001")
        await here.do("/connections/silence", silent=True)
        asking = asyncio.create_task(client.ask(csta.GetAgentState(device=ann)))
        await here.do("/calls", number="2001")
        await asyncio.sleep(0.05)
        assert not asking.done()
        assert client.events == []
        assert client.over is None
        late = asyncio.create_task(here.client())
        await asyncio.sleep(0.05)
        assert not late.done()
        await here.do("/connections/silence", silent=False)
        await asking
        await client.told(csta.DeliveredEvent)
        await late


@in_loop
async def test_slow_server_answers_late_and_in_order() -> None:
    async with site() as here:
        client = await here.client()
        ann = await client.observe("2001")
        loop = asyncio.get_running_loop()
        await here.do("/connections/delay", delay_s=0.1)
        began_s = loop.time()
        await asyncio.gather(*(client.ask(csta.GetAgentState(device=ann)) for _ in range(3)))
        assert 0.1 <= loop.time() - began_s < 1.0
        await here.do("/connections/delay", delay_s=0)
        await client.ask(csta.GetAgentState(device=ann))


@in_loop
async def test_link_down_and_up_is_told_and_refused_in_between() -> None:
    async with site() as here:
        client = await here.client()
        ann = await client.observe("2001")
        await client.ask(csta.SystemRegister(switch_name="CM1"))
        await here.do("/link", up=False)
        assert (await client.told(csta.SystemStatus)).status is SystemStatusValue.DISABLED
        await client.told(csta.MonitorStop)
        with pytest.raises(Refusal, match="systemResourceAvailibility resourceOutOfService"):
            await client.ask(csta.GetAgentState(device=ann))
        await here.do("/link", up=True)
        assert (await client.told(csta.SystemStatus)).status is SystemStatusValue.NORMAL
        assert (await here.truth())["aes"]["monitors"] == 0
        await client.observe("2001")


@in_loop
async def test_overload_is_told() -> None:
    async with site() as here:
        client = await here.client()
        await client.ask(csta.SystemRegister(status_filter=frozenset(StatusKind), switch_name="CM1"))
        await here.do("/status", status="overloadReached")
        assert (await client.told(csta.SystemStatus)).status is SystemStatusValue.OVERLOAD_REACHED


@in_loop
async def test_session_ended_by_the_server_is_told() -> None:
    async with site() as here:
        client = await here.client()
        assert await here.do("/sessions/end", text="maintenance") == {"sessions": 1}
        assert await client.ended() == SessionEnded("maintenance")


@in_loop
async def test_agent_changed_at_the_telephone_is_told() -> None:
    async with site() as here:
        client = await here.client()
        await client.observe("2001")
        await here.do("/agents/log-on", station="2001", agent_id="5001", work_mode="manualIn")
        await client.told(csta.AgentReadyEvent)
        await here.do("/agents/set", agent_id="5001", work_mode="auxWork", reason=4)
        assert (await client.told(csta.AgentNotReadyEvent)).reason_code == 4
        await here.do("/agents/set", agent_id="5001", work_mode="loggedOff", force=True)
        await client.told(csta.AgentLoggedOffEvent)


@in_loop
async def test_station_out_of_service_is_refused_and_comes_back() -> None:
    async with site() as here:
        client = await here.client()
        ann = await client.observe("2001")
        await here.do("/stations", station="2001", in_service=False)
        with pytest.raises(Refusal, match="systemResourceAvailibility deviceOutOfService"):
            await client.log_on(ann, "5001")
        await here.do("/stations", station="2001", in_service=True)
        await client.log_on(ann, "5001", WorkMode.AUX_WORK)


@in_loop
async def test_switched_off_server_refuses_connections_until_it_is_back() -> None:
    async with site() as here:
        await here.do("/connections/accept", accept=False)
        with pytest.raises(ConnectionRefusedError):
            await AesClient().connect(here.plain)
        await here.do("/connections/accept", accept=True)
        await here.client()


@in_loop
async def test_traffic_is_started_and_stopped_by_the_control_port() -> None:
    async with site() as here:
        client = await here.client()
        await client.log_on(await client.observe("2001"), "5001")
        await here.do("/traffic", calls_per_minute=60_000)
        await client.told(csta.DeliveredEvent)
        assert (await here.do("/traffic", running=False))["running"] is False
        placed = (await here.truth())["traffic"][0]["placed"]
        assert placed > 0
        await asyncio.sleep(0.02)
        assert (await here.truth())["traffic"][0]["placed"] == placed


@pytest.mark.parametrize(
    ("path", "body", "status", "word"),
    [
        ("/calls", {"number": "77"}, 409, "invalidDestination"),
        ("/calls", {"nummer": "8000"}, 400, "nummer"),
        ("/calls/hang-up", {"call_id": "9"}, 409, "invalidCallID"),
        ("/telephones", {"station": "2001", "key": "answer"}, 409, "invalidConnectionState"),
        ("/telephones", {"station": "2999", "key": "answer"}, 409, "invalidDeviceID"),
        ("/telephones", {"station": "2001", "key": "smash"}, 400, "smash"),
        ("/agents/set", {"agent_id": "5999", "work_mode": "auxWork"}, 409, "invalidAgentIdentifier"),
        ("/agents/set", {"agent_id": "5001", "work_mode": "auxWork"}, 409, "invalidAgentState"),
        ("/traffic", {"stream": 7}, 409, "invalidParameterValue"),
        ("/traffic", {"calls_per_minute": -1}, 400, ""),
        ("/status", {"status": "sleepy"}, 400, "sleepy"),
        ("/nowhere", {}, 404, ""),
    ],
)
@in_loop
async def test_control_port_says_what_is_wrong(path: str, body: dict[str, Any], status: int, word: str) -> None:
    async with site() as here:
        answer = await here.control.post(path, json=body)
        assert answer.status_code == status
        assert word in answer.text


@in_loop
async def test_telephone_keys_do_what_they_say() -> None:
    async with site() as here:
        call_id = (await here.do("/telephones", station="2001", key="dial", number="2002"))["call_id"]
        for station, key, state in (
            ("2002", "answer", "connected"),
            ("2002", "hold", "hold"),
            ("2002", "retrieve", "connected"),
        ):
            await here.do("/telephones", station=station, key=key)
            assert (await here.truth())["stations"][station]["calls"] == {call_id: state}
        assert (await here.control.get(f"/truth/calls/{call_id}")).json()["called"] == "2002"
        await here.do("/telephones", station="2001", key="hang-up")
        assert (await here.truth())["calls"] == {}
        assert (await here.control.get(f"/truth/calls/{call_id}")).status_code == 409


@in_loop
async def test_control_port_describes_itself() -> None:
    async with site() as here:
        document = (await here.control.get("/openapi.json")).json()
        assert document["openapi"].startswith("3.1")
        assert {"/truth", "/connections/cut", "/link", "/traffic"} <= set(document["paths"])
        assert (await here.control.get("/health")).json()["status"] == "ok"
        assert "BEGIN CERTIFICATE" in (await here.control.get("/certificate")).text


@in_loop
async def test_client_that_breaks_the_protocol_is_cut_off_and_others_are_not() -> None:
    async with site() as here:
        client = await here.client()
        reader, writer = await asyncio.open_connection("127.0.0.1", here.plain)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        try:
            assert await reader.read() == b""
        except ConnectionResetError:
            pass
        finally:
            writer.close()
        await client.observe("2001")


@in_loop
async def test_a_thousand_stations_are_monitored_and_logged_on() -> None:
    async with site(agents=1000) as here:
        client = await here.client()

        async def station(index: int) -> None:
            device: DeviceId = await client.observe(str(2001 + index))
            await client.log_on(device, str(5001 + index))

        await asyncio.gather(*(station(index) for index in range(1000)))
        truth = await here.truth()
        assert len(truth["agents"]) == truth["aes"]["monitors"] == 1000
        assert truth["groups"]["100"]["agents_available"] == 1000


@in_loop
async def test_program_starts_serves_and_ends_on_a_signal() -> None:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "unified_agent.tools.simulators.aes", "--agents", "2", "--port", "0"),
        *("--control-port", "0", "--tls-port", "0", "--tls-self-signed", "--seed", "1"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert program.stdout is not None
    places: dict[str, str] = {}
    async with asyncio.timeout(30):
        while (line := (await program.stdout.readline()).decode().strip()) != "ready":
            name, place = line.split()
            places[name] = place
        client = AesClient()
        assert isinstance(await client.connect(int(places["plain"].rpartition(":")[2])), SessionStarted)
        async with httpx.AsyncClient(base_url=places["control"]) as control:
            trust = ssl.create_default_context(cadata=(await control.get("/certificate")).text)
            assert len((await control.get("/truth")).json()["sessions"]) == 1
        secure = AesClient()
        tls_port = int(places["tls"].rpartition(":")[2])
        assert isinstance(await secure.connect(tls_port, tls=trust), SessionStarted)
        program.send_signal(signal.SIGTERM)
        assert await client.ended() == LinkLost(LossReason.CLOSED_BY_PEER)
        _, errors = await program.communicate()
    await client.close()
    await secure.close()
    assert program.returncode == 0, errors.decode()


@in_loop
async def test_port_in_use_stops_the_start_with_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for option in ("--port", "--control-port"):
            rest = {"--port": "0", "--control-port": "0", option: str(port)}
            program = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "unified_agent.tools.simulators.aes"),
                *(word for pair in rest.items() for word in pair),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            async with asyncio.timeout(30):
                _, errors = await program.communicate()
            assert program.returncode == 2
            assert f"port 127.0.0.1:{port} cannot be had" in errors.decode()
