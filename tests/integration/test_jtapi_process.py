"""The process that holds the JVM, spoken to directly: real Java, the test peer for JTAPI, a simulated AES behind it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from msgspec import structs
from tests.jtapi_peer.build import Family, class_path

from unified_agent.clock import LoopClock
from unified_agent.domain.commands import AnswerCall, CallCommand, HangUpCall, MakeCall
from unified_agent.domain.effects import AskSwitch, ChangeMode, LogInAgent, LogOutAgent, Observe, Snapshot, SwitchAsk
from unified_agent.domain.facts import (
    AgentStateReported,
    CallAlerting,
    CallDialling,
    CallEnded,
    CallEstablished,
    Fact,
    RequestRefused,
    StationSnapshot,
)
from unified_agent.domain.ids import AgentId, CallId, RequestId, Secret, SessionId, StationId
from unified_agent.domain.states import SwitchMode
from unified_agent.links.telephony.jtapi import messages
from unified_agent.links.telephony.jtapi.java_check import check_apart
from unified_agent.links.telephony.jtapi.java_options import CommandLine, JavaSettings, arguments_of
from unified_agent.tools.simulators.aes.plan import NumberPlan, SwitchPlan, fill_plan
from unified_agent.tools.simulators.aes.server import AesServer
from unified_agent.tools.simulators.aes.simulator import SimulatorPlan
from unified_agent.wire.jtapi.framing import FramedStream

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("javac") is None, reason="the test peer is compiled with javac"),
]

#: Real time that a test waits for anything. A JVM starts in half a second, on a busy machine in several.
LIMIT_S = 60.0
PEER = "org.unifiedagent.testpeer.TestPeer"
SERVICE = "AVAYA#CM1#CSTA#AES1"
PLAN = SimulatorPlan(switch=fill_plan(SwitchPlan(), NumberPlan(agents=3)), traffic=())
AGENT, STATION = AgentId("5001"), StationId("2001")
AWKWARD = {
    "x-repeat": "3",
    "x-snapshot": "calling",
    "x-array": "one",
    "x-get-state": "ask",
    "x-agent-cache": "on",
}

MessageT = TypeVar("MessageT", bound=messages.FromProcess)
FactT = TypeVar("FactT", bound=Fact)


class Process:
    """One process, and all that it said.

    Args:
        process: that runs.
        ours: our end of the pair of sockets.
    """

    def __init__(self, process: asyncio.subprocess.Process, ours: socket.socket) -> None:
        self.process = process
        self.said: list[messages.FromProcess] = []
        self.facts: list[Fact] = []
        self.words: list[str] = []
        self.generation = 0
        self._loop = asyncio.get_running_loop()
        self._ours = ours
        self._stream = FramedStream()
        self._change = asyncio.Event()
        self._requests = 0
        self._tasks = [asyncio.ensure_future(self._hear()), asyncio.ensure_future(self._read_words())]

    async def say(self, message: messages.FromServer) -> None:
        self._stream.send(messages.write(message))
        await self._loop.sock_sendall(self._ours, self._stream.data_to_send())

    async def _hear(self) -> None:
        while data := await self._loop.sock_recv(self._ours, 65_536):
            self._stream.receive_data(data, 0.0)
            while (content := self._stream.next_event()) is not None:
                message = messages.read_from_process(content)
                self.said.append(message)
                if isinstance(message, messages.Told):
                    self.facts.append(messages.fact_of(message))
                elif isinstance(message, messages.Up):
                    self.generation = message.generation
            self._change.set()

    async def _read_words(self) -> None:
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            self.words.append(line.decode())

    async def until(self, true: Callable[[], Any]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LIMIT_S):
                while not true():
                    self._change.clear()
                    await self._change.wait()
        assert true(), f"not within {LIMIT_S:g} s; it said {self.said}; {''.join(self.words[-20:])}"

    async def hear(self, kind: type[MessageT], number: int = 1) -> MessageT:
        """Return the so-manieth message of a kind."""

        def found() -> list[MessageT]:
            return [each for each in self.said if isinstance(each, kind)]

        await self.until(lambda: len(found()) >= number)
        return found()[number - 1]

    async def fact(self, kind: type[FactT], number: int = 1, **fields: Any) -> FactT:
        """Return the so-manieth fact of a kind with these fields."""

        def found() -> list[FactT]:
            return [
                each
                for each in self.facts
                if isinstance(each, kind) and all(getattr(each, name) == value for name, value in fields.items())
            ]

        await self.until(lambda: len(found()) >= number)
        return found()[number - 1]

    async def ask(self, ask: SwitchAsk | CallCommand, *, generation: int | None = None) -> Fact:
        """Ask for the session at the station, and return the answer."""
        self._requests += 1
        request = RequestId(self._requests)
        effect = AskSwitch(session=SessionId("s1"), station=STATION, request=request, ask=ask)
        await self.say(messages.ask_of(self.generation if generation is None else generation, effect))
        await self.until(lambda: self._answers(request))
        (answer,) = self._answers(request)
        return answer

    async def do(self, ask: SwitchAsk | CallCommand) -> Fact:
        answer = await self.ask(ask)
        assert not isinstance(answer, RequestRefused), answer
        return answer

    def _answers(self, request: RequestId) -> list[Fact]:
        return [each for each in self.facts if getattr(each, "request", None) == request]

    async def ended(self) -> int:
        async with asyncio.timeout(LIMIT_S):
            return await self.process.wait()

    async def close(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        self._ours.close()

    def let_go(self) -> None:
        """Close our end, as a server that dies does."""
        self._tasks[0].cancel()
        self._ours.close()


class World:
    """A simulated AES that is reached, and processes in front of it."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.aes = AesServer(PLAN, clock=LoopClock(loop), chance=random.Random(1))
        self.port = 0
        self.processes: list[Process] = []

    async def start(self, java: JavaSettings) -> Process:
        ours, its = socket.socketpair()
        ours.setblocking(False)
        with its:
            line = CommandLine(descriptor=its.fileno(), java=java)
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "unified_agent.links.telephony.jtapi.process",
                *arguments_of(line),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                pass_fds=(its.fileno(),),
            )
        self.processes.append(Process(process, ours))
        return self.processes[-1]

    def opening(self, **changes: Any) -> messages.Open:
        opening = messages.Open(
            link="aes-1",
            peer=PEER,
            service=SERVICE,
            user="ctiuser",
            password=Secret("secret"),
            parameters={"servers": f"127.0.0.1:{self.port}"},
            open_limit_s=LIMIT_S,
            heartbeat_s=5.0,
            probe_interval_s=0.5,
            silence_limit_s=3.0,
            request_limit_s=20.0,
            poll_interval_s=5.0,
            threads=8,
        )
        return structs.replace(opening, **changes)

    async def open(self, java: JavaSettings, parameters: dict[str, str] | None = None, **changes: Any) -> Process:
        process = await self.start(java)
        opening = self.opening(**changes)
        await process.say(structs.replace(opening, parameters={**opening.parameters, **(parameters or {})}))
        return process

    async def up(self, java: JavaSettings, parameters: dict[str, str] | None = None, **changes: Any) -> Process:
        process = await self.open(java, parameters, **changes)
        await process.hear(messages.Up)
        return process

    def sessions(self) -> dict[str, Any]:
        found: dict[str, Any] = self.aes.truth()["sessions"]
        return found


@asynccontextmanager
async def a_world() -> AsyncIterator[World]:
    world = World()
    world.port = await world.aes.start_listening("127.0.0.1", 0)
    try:
        yield world
    finally:
        for each in world.processes:
            await each.close()
        await world.aes.close()


@pytest.fixture(scope="module")
def java() -> JavaSettings:
    return JavaSettings(class_path=class_path(Family.VENDOR))


async def log_in(process: Process, *, ready: bool = True) -> None:
    await process.do(Observe())
    taken = await process.do(Snapshot(agent=AGENT))
    assert isinstance(taken, StationSnapshot)
    await process.do(LogInAgent(agent=AGENT, password=Secret("1234"), reason=1))
    await process.fact(AgentStateReported, mode=SwitchMode.NOT_READY)
    if ready:
        await process.do(ChangeMode(agent=AGENT, mode=SwitchMode.READY))
        await process.fact(AgentStateReported, mode=SwitchMode.READY)


@pytest.mark.parametrize("parameters", [{}, AWKWARD], ids=["plain", "awkward"])
@pytest.mark.asyncio
async def test_an_agent_logs_in_takes_a_call_makes_one_and_logs_out(java, parameters):
    async with a_world() as world:
        process = await world.up(java, parameters)
        opened = await process.hear(messages.Opened)
        assert (opened.version, opened.agents) == (messages.VERSION, "vendor")
        assert opened.java
        await log_in(process)
        assert world.aes.truth()["agents"]["5001"]["state"] == "agentReady"

        call = CallId(world.aes.act(lambda it: it.switch.place_call("0207940001", "8000")))
        rings = await process.fact(CallAlerting, call=call)
        assert (rings.number, rings.called) == ("0207940001", "8000")
        await process.do(AnswerCall(call=call))
        await process.fact(CallEstablished, call=call)
        await process.do(HangUpCall(call=call))
        await process.fact(CallEnded, call=call)

        await process.do(MakeCall(number="2002"))
        dialled = await process.fact(CallDialling)
        await process.do(HangUpCall(call=dialled.call))
        await process.fact(CallEnded, call=dialled.call)
        await process.do(LogOutAgent(agent=AGENT, password=Secret("1234"), reason=None))
        await process.fact(AgentStateReported, mode=SwitchMode.LOGGED_OUT)
        ended = [each for each in process.facts if isinstance(each, CallEnded)]
        assert len(ended) == 2, "what was told three times is one fact"

        await process.say(messages.Ping(number=7))
        assert (await process.hear(messages.Pong)).number == 7
        await process.say(messages.Close())
        assert await process.ended() == 0
        assert world.sessions() == {}, "the provider was shut down"


@pytest.mark.asyncio
async def test_an_agent_works_by_the_standard_alone_where_terminals_have_no_more(java):
    async with a_world() as world:
        process = await world.up(java, {"x-family": "standard"})
        await log_in(process)
        assert world.aes.truth()["agents"]["5001"]["state"] == "agentReady"
        await process.do(LogOutAgent(agent=AGENT, password=Secret("1234"), reason=4))
        await process.fact(AgentStateReported, mode=SwitchMode.LOGGED_OUT)
        assert world.aes.truth()["agents"] == {}


@pytest.mark.asyncio
async def test_the_switchs_link_lost_and_back_is_a_new_generation_of_the_same_process(java):
    async with a_world() as world:
        process = await world.up(java)
        await log_in(process)
        world.aes.act(lambda it: it.aes.set_link(up=False))
        down = await process.hear(messages.Down)
        assert (down.generation, down.lost) == (1, False)
        world.aes.act(lambda it: it.aes.set_link(up=True))
        assert (await process.hear(messages.Up, 2)).generation == 2
        old = await process.ask(Observe(), generation=1)
        assert isinstance(old, RequestRefused)
        assert old.id == "switch.link-down"
        await process.do(Observe())
        taken = await process.do(Snapshot(agent=AGENT))
        assert isinstance(taken, StationSnapshot)
        assert taken.mode is SwitchMode.READY, "the switch kept the log-in"


@pytest.mark.parametrize(
    ("how", "parameters", "changes"),
    [
        ("cut", {}, {}),
        ("silent", {"x-get-state": "ask"}, {"heartbeat_s": 0.0}),
        ("silent", {}, {"heartbeat_s": 1.0, "silence_limit_s": LIMIT_S}),
    ],
    ids=["cut", "silent to probes", "silent to heartbeats"],
)
@pytest.mark.asyncio
async def test_an_aes_that_is_gone_ends_the_process_after_it_has_said_so(java, how, parameters, changes):
    async with a_world() as world:
        process = await world.up(java, parameters, **changes)
        await log_in(process, ready=False)
        if how == "cut":
            world.aes.cut(reset=True)
        else:
            world.aes.set_silent(silent=True)
        down = await process.hear(messages.Down)
        assert down.lost
        assert await process.ended() == 0


@pytest.mark.asyncio
async def test_a_process_that_is_killed_is_seen_by_the_socket_and_leaves_nothing(java):
    async with a_world() as world:
        process = await world.up(java)
        process.process.send_signal(signal.SIGKILL)
        assert await process.ended() == -signal.SIGKILL


@pytest.mark.asyncio
async def test_a_process_that_hangs_answers_no_ping_and_goes_on_afterwards(java):
    async with a_world() as world:
        process = await world.up(java, silence_limit_s=LIMIT_S)
        process.process.send_signal(signal.SIGSTOP)
        await process.say(messages.Ping(number=1))
        await asyncio.sleep(1.0)
        assert not [each for each in process.said if isinstance(each, messages.Pong)]
        process.process.send_signal(signal.SIGCONT)
        assert (await process.hear(messages.Pong)).number == 1


@pytest.mark.asyncio
async def test_a_process_outlives_no_server_and_obeys_sigterm(java):
    async with a_world() as world:
        orphan = await world.up(java)
        orphan.let_go()
        assert await orphan.ended() == 0
        told = await world.up(java)
        told.process.send_signal(signal.SIGTERM)
        assert await told.ended() == 0
        assert world.sessions() == {}


@pytest.mark.parametrize(
    ("changes", "refused", "says"),
    [
        ({"password": Secret("wrong")}, True, "ctiuser"),
        ({"password": Secret("wr;ong")}, True, "cannot carry"),
        ({"peer": "com.example.Nowhere"}, True, "com.example.Nowhere"),
        ({"peer": "java.lang.Object"}, True, "no JTAPI peer"),
        ({"parameters": {"servers": "127.0.0.1:9"}}, False, ""),
    ],
    ids=["password", "separator", "no-peer", "no-jtapi-peer", "unreachable"],
)
@pytest.mark.asyncio
async def test_why_there_is_no_provider_is_said_in_a_sentence(java, changes, refused, says):
    async with a_world() as world:
        process = await world.start(java)
        await process.say(world.opening(**changes))
        failed = await process.hear(messages.Failed)
        assert failed.refused is refused, failed
        assert says in failed.detail
        assert "wrong" not in failed.detail
        assert await process.ended() == 0


@pytest.mark.asyncio
async def test_a_class_path_without_jtapi_and_a_bad_option_are_said_in_a_sentence(java, tmp_path):
    async with a_world() as world:
        for settings, says in (
            (JavaSettings(class_path=(str(tmp_path / "gone.jar"),)), "gone.jar, which is not there"),
            (JavaSettings(class_path=(str(tmp_path),)), "no javax.telephony."),
            (structs.replace(java, options=("-Xmx1x",)), "-Xmx1x"),
            (structs.replace(java, java_home=str(tmp_path)), "there is no Java in"),
        ):
            process = await world.open(settings)
            failed = await process.hear(messages.Failed)
            assert failed.refused
            assert says in failed.detail
            assert await process.ended() == 0


@pytest.mark.parametrize(("family", "missing"), [("standard", "work mode"), ("none", "logged in")])
@pytest.mark.asyncio
async def test_what_a_client_library_without_the_vendors_families_lacks_is_said(family, missing):
    settings = JavaSettings(class_path=class_path(Family(family)))
    async with a_world() as world:
        process = await world.up(settings)
        opened = await process.hear(messages.Opened)
        assert opened.agents == family
        assert any(missing in each for each in opened.missing), opened.missing
        await process.do(Observe())
        await process.say(messages.Close())
        await process.ended()
    report = await check_apart(settings, PEER, limit_s=LIMIT_S)
    assert (report.problem, report.agents) == ("", family)


@pytest.mark.asyncio
async def test_the_check_says_what_a_jvm_says_only_on_its_standard_error(java, tmp_path: Path):
    report = await check_apart(structs.replace(java, options=("-Xmx1x",)), PEER, limit_s=LIMIT_S)
    assert "Invalid maximum heap size" in report.problem
    report = await check_apart(java, PEER, limit_s=LIMIT_S)
    assert (report.problem, report.agents, report.missing) == ("", "vendor", ()), report
