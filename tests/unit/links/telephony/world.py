"""A DmccLink, a listener to its facts, and an AES on a clock set by hand: a scripted one, or the simulator."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any, TypeVar

from tests.unit.links.fakes import FixedChance, ManualClock, settle
from tests.unit.links.wires import WireNetwork

from unified_agent.domain.commands import CallCommand
from unified_agent.domain.effects import AskSwitch, SwitchAsk
from unified_agent.domain.facts import Fact, LinkFact
from unified_agent.domain.ids import InstanceId, LinkId, RequestId, SessionId, StationId
from unified_agent.links.telephony.dmcc_link import DmccLink
from unified_agent.observe import Metrics
from unified_agent.settings import AesServerSettings, LinkSettings, TelephonySettings
from unified_agent.tools.simulators.aes.server import AesServer
from unified_agent.tools.simulators.aes.simulator import SimulatorPlan
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta import values
from unified_agent.wire.csta.server_connection import RequestReceived, ServerConnection

MessageT = TypeVar("MessageT", bound=csta.Message)
FactT = TypeVar("FactT", bound=Fact)


class Ears:
    """Implements ``Reports`` and remembers."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.links: list[LinkFact] = []

    def report(self, fact: Fact) -> None:
        self.facts.append(fact)

    def report_link(self, fact: LinkFact) -> None:
        self.links.append(fact)

    def take(self) -> list[Fact]:
        """Return the facts since the last time."""
        facts, self.facts = self.facts, []
        return facts

    def of(self, kind: type[FactT]) -> list[FactT]:
        return [each for each in self.facts if isinstance(each, kind)]


class ScriptedSocket(asyncio.Protocol):
    def __init__(self, aes: ScriptedAes) -> None:
        self._aes = aes
        self._wire = ServerConnection()
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._aes.sockets.append(self)

    def data_received(self, data: bytes) -> None:
        self._wire.receive_data(data, 0.0)
        while (event := self._wire.next_event()) is not None:
            if isinstance(event, RequestReceived):
                self._aes.take(self, event.invoke_id, event.message)

    def connection_lost(self, exc: Exception | None) -> None:
        self._aes.sockets.remove(self)

    def answer(self, invoke_id: int, message: csta.Message) -> None:
        self._wire.send_answer(invoke_id, message)
        self.transport.write(self._wire.data_to_send())

    def event(self, message: csta.Message) -> None:
        self._wire.send_event(message)
        self.transport.write(self._wire.data_to_send())


class ScriptedAes:
    """Answers as an AES in good order would; ``replies`` changes the answer to a kind of request.

    A reply is a message, None for no answer at all, or a function of the request that gives either.
    """

    def __init__(self) -> None:
        self.sockets: list[ScriptedSocket] = []
        self.requests: list[csta.Message] = []
        self.replies: dict[type[csta.Message], Any] = {}
        self.unanswered: list[tuple[ScriptedSocket, int, csta.Message]] = []
        self._sessions = 0
        self._monitors = 0
        self.switch_up = True

    def take(self, socket: ScriptedSocket, invoke_id: int, request: csta.Message) -> None:
        self.requests.append(request)
        reply = self.replies.get(type(request), self._usual)
        answer = reply(request) if callable(reply) else reply
        if answer is None:
            self.unanswered.append((socket, invoke_id, request))
        else:
            socket.answer(invoke_id, answer)

    def answer_now(self, kind: type[csta.Message], answer: csta.Message | None = None) -> None:
        """Answer the oldest unanswered request of a kind."""
        found = next(each for each in self.unanswered if isinstance(each[2], kind))
        self.unanswered.remove(found)
        socket, invoke_id, request = found
        socket.answer(invoke_id, answer if answer is not None else self._usual(request))

    def tell(self, event: csta.Message) -> None:
        for socket in self.sockets:
            socket.event(event)

    def tell_status(self, status: values.SystemStatusValue, tlink: values.TlinkStatus | None) -> None:
        self.switch_up = tlink is values.TlinkStatus.UP
        links = (values.SwitchLink("CM1", tlink),) if tlink is not None else ()
        self.tell(csta.SystemStatus(status=status, register_id="r1", links=links))

    def of(self, kind: type[MessageT]) -> list[MessageT]:
        return [each for each in self.requests if isinstance(each, kind)]

    def _usual(self, request: csta.Message) -> csta.Message:
        match request:
            case csta.StartApplicationSession():
                if request.old_session_id is None:
                    self._sessions += 1
                session = values.SessionId(f"S{self._sessions}")
                return csta.StartApplicationSessionPosResponse(
                    session_id=request.old_session_id or session, actual_duration_s=180
                )
            case csta.RequestSystemStatus():
                status = values.SystemStatusValue.NORMAL if self.switch_up else values.SystemStatusValue.DISABLED
                tlink = values.TlinkStatus.UP if self.switch_up else values.TlinkStatus.DOWN
                return csta.RequestSystemStatusResponse(status=status, links=(values.SwitchLink("CM1", tlink),))
            case csta.GetThirdPartyDeviceId():
                return csta.GetThirdPartyDeviceIdResponse(device=device(request.extension))
            case csta.MonitorStart():
                self._monitors += 1
                return csta.MonitorStartResponse(monitor_id=values.MonitorId(str(self._monitors)))
            case _:
                return _USUAL[type(request)]


_USUAL: dict[type[csta.Message], csta.Message] = {
    csta.ResetApplicationSessionTimer: csta.ResetApplicationSessionTimerPosResponse(actual_duration_s=180),
    csta.StopApplicationSession: csta.StopApplicationSessionPosResponse(),
    csta.SystemRegister: csta.SystemRegisterResponse(register_id="r1"),
    csta.ReleaseDeviceId: csta.ReleaseDeviceIdResponse(),
    csta.MonitorStop: csta.MonitorStopResponse(),
    csta.SetAgentState: csta.SetAgentStateResponse(is_pending=False),
    csta.GetAgentState: csta.GetAgentStateResponse(),
    csta.SnapshotDevice: csta.SnapshotDeviceResponse(),
    csta.HoldCall: csta.HoldCallResponse(),
    csta.AnswerCall: csta.AnswerCallResponse(),
}


def party(number: str | None) -> values.Party:
    return values.Party(device(number)) if number else values.NOT_KNOWN


def leg(call: str, number: str) -> values.ConnectionId:
    return values.ConnectionId(values.CallId(call), device(number) if number else values.DeviceId(""))


def device(number: str) -> values.DeviceId:
    return values.third_party_device_id(number, "CM1")


def refusal(error_class: csta.ErrorClass, value: str) -> csta.CSTAErrorCode:
    return csta.CSTAErrorCode(error_class, value)


LINK = LinkSettings(
    heartbeat_interval_s=5.0, silence_limit_s=10.0, request_limit_s=10.0, backoff_base_s=0.25, backoff_cap_s=5.0
)


class World:
    """One link with AES servers at ports 1, 2 …, named aes-1, aes-2 …"""

    def __init__(self, *servers: ScriptedAes, poll_interval_s: float = 10.0, **settings: Any) -> None:
        self.clock = ManualClock()
        self.network = WireNetwork(self.clock)
        self.ears = Ears()
        self.metrics = Metrics()
        self.aes = servers[0] if servers else ScriptedAes()
        for port, aes in enumerate(servers or (self.aes,), start=1):
            self.listen(port, aes)
        count = max(len(servers), 1)
        names = [AesServerSettings(name=LinkId(f"aes-{port}"), host="aes", port=port) for port in range(1, count + 1)]
        self.link = DmccLink(
            TelephonySettings(
                servers=tuple(names),
                user="ctiuser",
                password="secret",
                poll_interval_s=poll_interval_s,
                link=LINK,
                **settings,
            ),
            InstanceId("ua-1"),
            self.ears,
            network=self.network,
            clock=self.clock,
            chance=FixedChance(),
            metrics=self.metrics,
        )
        self._next_request = 0

    def listen(self, port: int, aes: ScriptedAes) -> None:
        self.network.listeners[port] = lambda: ScriptedSocket(aes)

    async def start(self) -> None:
        self.link.start()
        await self.run(0.1)

    async def stop(self) -> None:
        """Stop the link. Not doing so leaves a task that waits for a clock that nobody moves."""
        stopping = asyncio.ensure_future(self.link.stop())
        while not stopping.done():
            await self.run(0.1)
        await stopping

    async def run(self, seconds: float, step_s: float = 0.05) -> None:
        """Let time pass, and with it tasks, bytes and timers."""
        until_s = self.clock.now_s() + seconds
        await settle()
        while (left_s := until_s - self.clock.now_s()) > 1e-9:
            self.clock.advance(min(step_s, left_s))
            await settle(4)

    def ask_now(self, ask: SwitchAsk | CallCommand, station: str = "2001", session: str = "") -> RequestId:
        """Ask for a session of a station, ``s-<station>`` unless named."""
        self._next_request += 1
        request = RequestId(self._next_request)
        self.link.ask(
            AskSwitch(
                session=SessionId(session or f"s-{station}"),
                station=StationId(station),
                request=request,
                ask=ask,
            )
        )
        return request

    async def ask(self, ask: SwitchAsk | CallCommand, station: str = "2001", session: str = "") -> RequestId:
        """Ask, and let the answer come."""
        request = self.ask_now(ask, station, session)
        await self.run(0.05, 0.01)
        return request

    def answers(self, request: RequestId) -> list[Fact]:
        """All answers that an ask has had."""
        return [each for each in self.ears.facts if getattr(each, "request", None) == request]

    def metric(self, name: str, **labels: str) -> float:
        value = self.metrics.registry.get_sample_value(name, labels)
        return 0.0 if value is None else value


def run_world(play: Callable[[World], Any], *servers: ScriptedAes, **settings: Any) -> World:
    """Play something in a world whose link is up, and stop the link."""

    async def go() -> World:
        world = World(*servers, **settings)
        await world.start()
        try:
            await play(world)
        finally:
            await world.stop()
        return world

    return asyncio.run(go())


class SimulatedWorld(World):
    """The same with the simulated AES in the place of the scripted one."""

    def __init__(self, plan: SimulatorPlan, seed: int = 1, **settings: Any) -> None:
        super().__init__(**settings)
        self.simulator = AesServer(plan, clock=self.clock, chance=random.Random(seed))
        self.network.listeners[1] = self.simulator.new_socket
