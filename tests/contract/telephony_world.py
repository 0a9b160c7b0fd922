"""A link to the switch to hold to the contract, and what a test may do to it and behind it: the same words for each.

``dmcc`` and ``jtapi`` use real sockets (and a real JVM); those with ``simulated`` in their name run on a virtual clock.
"""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, ClassVar, TypeVar

from unified_agent.clock import LoopClock
from unified_agent.domain import call as calls_at_station
from unified_agent.domain.call import Call, Calls
from unified_agent.domain.commands import CallCommand
from unified_agent.domain.effects import AskSwitch, ChangeMode, LogInAgent, Observe, Snapshot, SwitchAsk
from unified_agent.domain.facts import (
    AgentStateReported,
    CallFact,
    Fact,
    LinkFact,
    ModePending,
    RequestDone,
    RequestRefused,
    RequestUnknown,
    StationSnapshot,
    TelephonyDown,
    TelephonyUp,
)
from unified_agent.domain.ids import AgentId, CallId, InstanceId, RequestId, Secret, SessionId, StationId
from unified_agent.domain.states import LegState, SwitchMode
from unified_agent.observe import Metrics
from unified_agent.settings import LinkSettings
from unified_agent.tools.simulators.aes.plan import NumberPlan, OutsideBehaviour, OutsideRule, SwitchPlan, fill_plan
from unified_agent.tools.simulators.aes.server import AesServer
from unified_agent.tools.simulators.aes.sessions import AesSettings
from unified_agent.tools.simulators.aes.simulator import SimulatorPlan

FactT = TypeVar("FactT", bound=Fact)

INSTANCE = InstanceId("ua-1")
#: Outside numbers that are busy, do not answer, cannot be had, and answer soon.
BUSY, SILENT, NOWHERE, SOON = "02079460001", "02079460002", "02079460003", "02079460009"
OUTSIDE_RULES = (
    OutsideRule(ends_with="0001", behaviour=OutsideBehaviour.BUSY),
    OutsideRule(ends_with="0002", behaviour=OutsideBehaviour.NO_ANSWER),
    OutsideRule(ends_with="0003", behaviour=OutsideBehaviour.UNOBTAINABLE),
    OutsideRule(ends_with="", ring_s=(0.1, 0.1)),
)
#: Answers to asks. Only of these may anything come while the link is down.
ANSWERS = (RequestDone, RequestRefused, RequestUnknown, ModePending, StationSnapshot)


class TelephonyWorld(ABC):
    """One link, its listener, and the simulated AES servers that it is told of, each with a switch of its own.

    Args:
        plan: of every simulated AES.
        servers: how many there are.
        seed: of all chance.

    Attributes:
        kind: names it in tests.
        limit_s: how long anything may take that a test waits for.
        is_jtapi: by a process that can be killed.
        news: facts and link facts, in their order.
        links: the link facts among them.
        aes: the first of ``servers``.
    """

    kind: ClassVar[str]
    limit_s: ClassVar[float] = 30.0
    is_jtapi: ClassVar[bool] = False
    is_virtual: ClassVar[bool] = False
    link_settings: ClassVar[LinkSettings] = LinkSettings()

    def __init__(self, plan: SimulatorPlan, *, servers: int = 1, seed: int = 1) -> None:
        self.loop = asyncio.get_running_loop()
        self.clock = LoopClock(self.loop)
        self.chance = random.Random(seed)
        self.servers = [AesServer(plan, clock=self.clock, chance=random.Random(seed + each)) for each in range(servers)]
        self.aes = self.servers[0]
        self.news: list[Fact | LinkFact] = []
        self.links: list[LinkFact] = []
        self.metrics = Metrics()
        self.link: Any = None
        self._asked: dict[RequestId, tuple[SessionId, int]] = {}
        self._forgotten: set[SessionId] = set()

    # --- its life

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Have the link up within this block; afterwards nothing of it is left at AES and every ask was answered."""
        await self._listen()
        self.link = self.make_link()
        try:
            self.link.start()
            await self.until(lambda: self.links, "the link is up")
            yield
            self._check_answers()
            self._check_silence_while_down()
        finally:
            await self.link.stop()
            self.heal()
            await self._close()
        assert not self.link.is_up
        ups = [each.link for each in self.links if isinstance(each, TelephonyUp)]
        last = self.servers[int(ups[-1].removeprefix("aes-")) - 1] if ups else self.aes
        assert last.truth()["sessions"] == {}, "something is left open at AES"

    def heal(self) -> None:
        """End what was done to AES, so that the link can say goodbye."""
        for each in self.servers:
            each.set_silent(silent=False)

    @abstractmethod
    async def _listen(self) -> None:
        """Let the simulated AES servers be reached."""

    async def _close(self) -> None:
        for each in self.servers:
            await each.close()

    @abstractmethod
    def make_link(self) -> Any:
        """Return a link that has not been started."""

    @abstractmethod
    async def refuse(self) -> None:
        """Have the first AES take no new connections, and end those that there are."""

    @abstractmethod
    async def accept_again(self) -> None:
        """End ``refuse``."""

    def kill_process(self) -> None:
        """Kill the process that holds the provider."""
        raise NotImplementedError

    def hang_process(self) -> None:
        """Have it do nothing more."""
        raise NotImplementedError

    # --- Reports

    def report(self, fact: Fact) -> None:
        self.news.append(fact)

    def report_link(self, fact: LinkFact) -> None:
        self.news.append(fact)
        self.links.append(fact)

    def of(self, kind: type[FactT], number: int | None = None) -> list[FactT]:
        """Return the facts of a kind so far, of one session or all."""
        session = None if number is None else session_of(number)
        return [each for each in self.news if isinstance(each, kind) and session in {None, each.session}]

    # --- asking and waiting

    def ask_now(self, ask: SwitchAsk | CallCommand, number: int = 1, station: str = "") -> RequestId:
        """Ask for the session at station 2000 + number."""
        request = RequestId(len(self._asked) + 1)
        session = session_of(number)
        self._asked[request] = (session, len(self.links))
        self._forgotten.discard(session)
        station = station or station_of(number)
        self.link.ask(AskSwitch(session=session, station=StationId(station), request=request, ask=ask))
        return request

    async def ask(self, ask: SwitchAsk | CallCommand, number: int = 1, station: str = "") -> Fact:
        """Ask, and return the answer."""
        request = self.ask_now(ask, number, station)
        await self.until(lambda: self.answers(request), f"{ask} is answered")
        return self.answers(request)[0]

    async def do(self, ask: SwitchAsk | CallCommand, number: int = 1) -> Fact:
        """Ask for something that is not refused."""
        answer = await self.ask(ask, number)
        assert isinstance(answer, RequestDone | StationSnapshot | ModePending), answer
        return answer

    async def refused(self, ask: SwitchAsk | CallCommand, number: int = 1, station: str = "") -> RequestRefused:
        """Ask for something that is refused."""
        answer = await self.ask(ask, number, station)
        assert isinstance(answer, RequestRefused), answer
        return answer

    def answers(self, request: RequestId) -> list[Fact]:
        return [each for each in self.news if isinstance(each, Fact) and getattr(each, "request", None) == request]

    def forget(self, number: int) -> None:
        self._forgotten.add(session_of(number))
        self.link.forget(session_of(number))

    async def until(self, true: Callable[[], Any], what: str = "") -> None:
        until_s = self.loop.time() + self.limit_s
        while not true():
            assert self.loop.time() < until_s, f"not within {self.limit_s:g} s: {what}; the last of: {self.news[-8:]}"
            await asyncio.sleep(0.01)

    async def rest(self) -> None:
        """Wait until everything has arrived that is under way. On a real clock a long time, so use it seldom."""
        await asyncio.sleep(2.0 if self.is_virtual else 0.5)

    async def until_links(self, *kinds: type[LinkFact]) -> None:
        """Wait until the link facts so far are of these kinds."""
        await self.until(
            lambda: [type(each) for each in self.links] == list(kinds), f"link facts {kinds}: {self.links}"
        )

    # --- what sessions would believe

    def calls(self, number: int = 1, *, looked: bool = True) -> Calls:
        """Return the calls as a session would believe them from the facts, with or without those of snapshots."""
        believed: Calls = ()
        session = session_of(number)
        for fact in self.news:
            if isinstance(fact, CallFact) and fact.session == session:
                believed = calls_at_station.apply(believed, fact, 0.0)
            elif looked and isinstance(fact, StationSnapshot) and fact.session == session:
                believed = calls_at_station.from_snapshot(believed, fact.calls, 0.0)
        return believed

    async def until_calls(self, *legs: LegState, number: int = 1) -> Calls:
        """Wait until the calls have these states."""
        await self.until(
            lambda: [each.state for each in self.calls(number)] == list(legs),
            f"calls {legs} at {station_of(number)}",
        )
        return self.calls(number)

    async def until_call(self, leg: LegState, number: int = 1, parties: set[str] | None = None) -> Call:
        """Wait until there is one call in this state, with these others in it."""

        def true() -> bool:
            calls = self.calls(number)
            if [each.state for each in calls] != [leg]:
                return False
            return parties is None or {each.number for each in calls[0].parties} == parties

        await self.until(true, f"one call, {leg} with {parties}, at {station_of(number)}: {self.calls(number)}")
        return self.calls(number)[0]

    def reported(self, number: int = 1) -> AgentStateReported | StationSnapshot | None:
        """Return what was last told of the agent."""
        session = session_of(number)
        for fact in reversed(self.news):
            if isinstance(fact, AgentStateReported | StationSnapshot) and fact.session == session:
                return fact
        return None

    async def until_mode(self, mode: SwitchMode, number: int = 1, **more: Any) -> AgentStateReported | StationSnapshot:
        """Wait until the agent is reported in this mode."""

        def true() -> bool:
            told = self.reported(number)
            return (
                told is not None
                and told.mode is mode
                and all(getattr(told, name) == value for name, value in more.items())
            )

        await self.until(true, f"{mode} {more} at {station_of(number)}")
        told = self.reported(number)
        assert told is not None
        return told

    # --- the world behind the link

    def place_call(self, number: str, caller: str = "0207940001", **how: Any) -> CallId:
        return CallId(self.aes.act(lambda it: it.switch.place_call(caller, number, **how)))

    def truth(self) -> dict[str, Any]:
        return self.aes.truth()

    def agent_truth(self, number: int = 1) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.truth()["agents"].get(agent_of(number))
        return found

    def set_switch_link(self, *, up: bool) -> None:
        self.aes.act(lambda it: it.aes.set_link(up=up))

    # --- ways through

    async def observe(self, number: int = 1) -> StationSnapshot:
        """Observe the station and look at it."""
        await self.do(Observe(), number)
        taken = await self.do(Snapshot(agent=AgentId(agent_of(number))), number)
        assert isinstance(taken, StationSnapshot)
        return taken

    async def log_in(self, number: int = 1, *, ready: bool = False, reason: int | None = 1) -> None:
        """Observe, and log the agent in."""
        agent = AgentId(agent_of(number))
        await self.observe(number)
        await self.do(LogInAgent(agent=agent, password=Secret("1234"), reason=reason), number)
        await self.until_mode(SwitchMode.NOT_READY, number)
        if ready:
            await self.do(ChangeMode(agent=agent, mode=SwitchMode.READY), number)
            await self.until_mode(SwitchMode.READY, number)

    # --- what always holds

    def _check_answers(self) -> None:
        """No ask was answered twice, and each was answered once unless the link was lost or its session forgotten."""
        for request, (session, links) in self._asked.items():
            answers = self.answers(request)
            assert len(answers) <= 1, answers
            if session not in self._forgotten and not any(isinstance(it, TelephonyDown) for it in self.links[links:]):
                assert answers, f"{request} was never answered"

    def _check_silence_while_down(self) -> None:
        """What comes while the link is down is old: only answers that say so may come then."""
        is_up = False
        for each in self.news:
            if isinstance(each, TelephonyUp):
                is_up = True
            elif isinstance(each, TelephonyDown):
                is_up = False
            else:
                assert is_up or isinstance(each, RequestRefused | RequestUnknown), f"{each} came while the link is down"


def session_of(number: int) -> SessionId:
    return SessionId(f"s-{station_of(number)}")


def station_of(number: int) -> str:
    return str(2000 + number)


def agent_of(number: int) -> str:
    return str(5000 + number)


def plan_of(*, aes: AesSettings | None = None, **rules: Any) -> SimulatorPlan:
    """Return a switch with four agents and these rules."""
    given = {"outside_rules": OUTSIDE_RULES, **rules}
    switch = fill_plan(SwitchPlan(**given), NumberPlan(agents=4))
    return SimulatorPlan(switch=switch, aes=aes or AesSettings(), traffic=())
