"""A pool with made-up diallers on a clock that is moved by hand: real flow, wire and pump, no socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from prometheus_client import CollectorRegistry
from tests.unit.links.fakes import FakeTransport, ManualClock, settle

from unified_agent.domain.commands import DiallerCommand
from unified_agent.domain.effects import AskDialler, DiallerAsk, LogOnDialler
from unified_agent.domain.facts import (
    DiallerDown,
    DiallerLoggedOn,
    DiallerLost,
    DiallerUp,
    Fact,
    JobJoined,
    LinkFact,
    RequestDone,
    RequestRefused,
    RequestUnknown,
)
from unified_agent.domain.ids import LinkId, RequestId, Secret, SessionId
from unified_agent.errors import LinkNotReady
from unified_agent.links.dialler.pool import DiallerPool
from unified_agent.network import Address
from unified_agent.observe import Metrics
from unified_agent.settings import DiallerSettings, PoolSettings
from unified_agent.wire.apc import server_connection as server
from unified_agent.wire.apc.messages import Message

ANSWERS = (RequestDone, RequestRefused, RequestUnknown, DiallerLoggedOn, JobJoined)
VALUES = {
    "AGTListJobs": ("O,SPRING25,A",),
    "AGTListKeys": ("20,Promise to pay,call_complete",),
    "AGTListDataFields": ("ACCTNUM,10,C,F",),
}


class Line(FakeTransport):
    """The dialler's end of one connection: answers every command with success, or as its dialler says."""

    def __init__(self, dialler: FakeDialler, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.dialler = dialler
        self.protocol = protocol
        self.wire = server.ServerConnection(process_id=str(len(dialler.lines)))
        self.heard: list[str] = []
        self.name = ""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        super().write(data)
        self.wire.receive_data(bytes(data), 0.0)
        while isinstance(event := self.wire.next_event(), server.CommandReceived):
            self.answer(event.message)

    def answer(self, command: Message) -> None:
        keyword = command.keyword
        self.heard.append(keyword)
        if keyword == "AGTLogon":
            self.name = command.segments[0]
        if self.dialler.mode == "mute" or keyword in self.dialler.unanswered:
            return
        refusals = self.dialler.refusals.get(keyword)
        if refusals:
            self.say(server.refused(command, refusals.pop(0)))
            return
        if keyword == "AGTListState":
            self.say(server.data(command, code="S70004"))
        elif keyword in VALUES:
            self.say(server.data(command, *VALUES[keyword]))
        self.say(server.done(command))

    def say(self, message: Message) -> None:
        self.wire.send(message)
        self.dialler.clock.call_at(self.dialler.clock.now_s(), self._deliver)

    def _deliver(self) -> None:
        data = self.wire.data_to_send()
        if data and not self.closed:
            self.protocol.data_received(data)

    def cut(self) -> None:
        """The connection breaks."""
        if not self.closed:
            self.closed = "cut"
            self.protocol.connection_lost(None)


class FakeDialler:
    """One dialler: up, refusing (nobody listens), mute (takes connections and says nothing) or full."""

    def __init__(self, name: str, clock: ManualClock) -> None:
        self.name = LinkId(name)
        self.clock = clock
        self.mode = "up"
        self.refusals: dict[str, list[str]] = {}
        self.unanswered: set[str] = set()
        self.lines: list[Line] = []
        self.dials = 0

    def connect(self, make: Callable[[], asyncio.Protocol]) -> None:
        self.dials += 1
        if self.mode == "refuse":
            raise LinkNotReady(f"{self.name} cannot be reached: connection refused")
        protocol = make()
        line = Line(self, protocol)
        self.lines.append(line)
        protocol.connection_made(line)
        if self.mode == "full":
            line.say(server.notice("AGTSTART", "1", "E28858,jsmith"))
        elif self.mode == "up":
            line.say(server.notice("AGTSTART", "0", "AGENT_STARTUP"))

    @property
    def agents(self) -> list[Line]:
        """Lines of agents that are connected."""
        return [line for line in self.lines if not line.closed and line.name]

    def die(self) -> None:
        """Nobody listens any more, and every connection breaks."""
        self.mode = "refuse"
        for line in self.lines:
            line.cut()


class World:
    """Pool, diallers, and what the pool reported."""

    def __init__(self, *names: str, settings: PoolSettings | None = None) -> None:
        self.clock = ManualClock()
        self.diallers = {LinkId(name): FakeDialler(name, self.clock) for name in names or ("a", "b")}
        self.settings = settings or PoolSettings()
        self.facts: list[Fact | LinkFact] = []
        self.on_fact: Callable[[Fact], None] = lambda fact: None
        self.metrics = Metrics(CollectorRegistry())
        self.pool = DiallerPool(
            [DiallerSettings(name=name, host=name) for name in self.diallers],
            self.settings,
            network=self,
            clock=self.clock,
            reports=self,
            metrics=self.metrics,
        )
        self._next_request = 1
        self._start_s = self.clock.now_s()

    def __getitem__(self, name: str) -> FakeDialler:
        return self.diallers[LinkId(name)]

    async def dial(self, make: Callable[[], asyncio.Protocol], address: Address, limit_s: float) -> None:
        await asyncio.sleep(0)
        self[address.host].connect(make)

    def report(self, fact: Fact) -> None:
        self.facts.append(fact)
        self.on_fact(fact)

    def report_link(self, fact: LinkFact) -> None:
        self.facts.append(fact)

    async def run(self, seconds: float = 0.0) -> None:
        """Let time pass, with all that happens on the way."""
        until_s = self.clock.now_s() + seconds
        while True:
            await settle()
            due = [at_s for at_s in self.clock.planned if at_s <= until_s]
            if not due:
                break
            self.clock.advance(max(0.0, due[0] - self.clock.now_s()))
        self.clock.advance(until_s - self.clock.now_s())

    def ask(self, session: str, ask: DiallerAsk | DiallerCommand) -> RequestId:
        request = RequestId(self._next_request)
        self._next_request += 1
        self.pool.ask(AskDialler(session=SessionId(session), request=request, ask=ask))
        return request

    def log_on(self, session: str) -> RequestId:
        return self.ask(session, LogOnDialler(name=session, password=Secret("pw"), headset="52001"))

    async def logged_on(self, *sessions: str) -> World:
        """Probe once, and log these sessions on."""
        self.pool.start()
        await self.run()
        for session in sessions:
            self.log_on(session)
        await self.run()
        self.facts.clear()
        return self

    def answers(self, request: RequestId) -> list[Fact]:
        return [each for each in self.facts if isinstance(each, ANSWERS) and each.request == request]

    def where(self, request: RequestId) -> str:
        """Name the dialler a logon ended at."""
        (answer,) = self.answers(request)
        assert isinstance(answer, DiallerLoggedOn), answer
        return answer.dialler

    def refusal(self, request: RequestId) -> RequestRefused:
        (answer,) = self.answers(request)
        assert isinstance(answer, RequestRefused), answer
        return answer

    def news(self) -> list[str]:
        """Facts so far in short, without steps."""
        short = []
        for fact in self.facts:
            match fact:
                case DiallerLost():
                    short.append(f"lost {fact.session} at {fact.dialler}: {fact.reason}")
                case DiallerDown():
                    short.append(f"down {fact.link}: {fact.reason}")
                case DiallerUp():
                    short.append(f"up {fact.link}")
                case DiallerLoggedOn():
                    short.append(f"on {fact.session} at {fact.dialler}")
                case RequestRefused():
                    short.append(f"refused {fact.session}: {fact.id}")
                case RequestUnknown():
                    short.append(f"unknown {fact.session}")
                case _ if type(fact).__name__ != "DiallerStepped":
                    short.append(type(fact).__name__)
        self.facts.clear()
        return short
