"""The link to AES on real sockets, plain and TLS, with the simulated AES behind them."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
import uvloop

from unified_agent.clock import LoopClock
from unified_agent.domain import call as calls_at_station
from unified_agent.domain import commands
from unified_agent.domain.call import Calls
from unified_agent.domain.commands import CallCommand
from unified_agent.domain.effects import AskSwitch, ChangeMode, LogInAgent, Observe, ReleaseStation, Snapshot, SwitchAsk
from unified_agent.domain.facts import (
    AgentStateReported,
    CallFact,
    Fact,
    LinkFact,
    RequestDone,
    RequestRefused,
    StationSnapshot,
    TelephonyDown,
    TelephonyUp,
)
from unified_agent.domain.ids import AgentId, CallId, InstanceId, LinkId, RequestId, Secret, SessionId, StationId
from unified_agent.domain.states import LegState, SwitchMode
from unified_agent.links.telephony.dmcc_link import DmccLink
from unified_agent.network import TcpNetwork
from unified_agent.observe import Metrics
from unified_agent.settings import AesServerSettings, LinkSettings, TelephonySettings, TlsSettings
from unified_agent.tools.simulators.aes.plan import NumberPlan, SwitchPlan, fill_plan
from unified_agent.tools.simulators.aes.server import AesServer
from unified_agent.tools.simulators.aes.simulator import SimulatorPlan

pytestmark = pytest.mark.integration

#: Real time that a test waits for anything; loopback needs milliseconds.
LIMIT_S = 10.0
PLAN = SimulatorPlan(switch=fill_plan(SwitchPlan(), NumberPlan(agents=3)), traffic=())
QUICK = LinkSettings(
    heartbeat_interval_s=0.2, silence_limit_s=0.6, request_limit_s=1.0, backoff_base_s=0.05, backoff_cap_s=0.2
)


class Desk:
    """Listens to one link and asks it, awaited."""

    def __init__(self, aes: AesServer) -> None:
        self.aes = aes
        self.link: DmccLink = None  # type: ignore[assignment]  # made with us as its ears
        self.facts: list[Fact] = []
        self.links: list[LinkFact] = []
        self._news = asyncio.Event()
        self._requests = 0

    def report(self, fact: Fact) -> None:
        self.facts.append(fact)
        self._news.set()

    def report_link(self, fact: LinkFact) -> None:
        self.links.append(fact)
        self._news.set()

    async def until(self, true: Callable[[], Any]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def ask(self, ask: SwitchAsk | CallCommand, number: int = 1) -> Fact:
        """Ask for station 2000 + number and return the answer."""
        self._requests += 1
        station, request = str(2000 + number), RequestId(self._requests)
        self.link.ask(AskSwitch(session=SessionId(station), station=StationId(station), request=request, ask=ask))
        await self.until(lambda: self._answers(request))
        (answer,) = self._answers(request)
        return answer

    async def log_in(self, number: int = 1) -> None:
        agent = AgentId(str(5000 + number))
        for ask in (Observe(), Snapshot(agent=agent), LogInAgent(agent=agent, password=Secret("1234"))):
            answer = await self.ask(ask, number)
            assert isinstance(answer, RequestDone | StationSnapshot), answer

    def calls(self, number: int = 1) -> Calls:
        believed: Calls = ()
        for fact in self.facts:
            if isinstance(fact, CallFact) and fact.session == str(2000 + number):
                believed = calls_at_station.apply(believed, fact, 0.0)
        return believed

    async def until_calls(self, *legs: LegState, number: int = 1) -> Calls:
        await self.until(lambda: [each.state for each in self.calls(number)] == list(legs))
        return self.calls(number)

    def mode(self, number: int = 1) -> SwitchMode | None:
        of = [
            each for each in self.facts if isinstance(each, AgentStateReported) and each.session == str(2000 + number)
        ]
        return of[-1].mode if of else None

    def _answers(self, request: RequestId) -> list[Fact]:
        return [each for each in self.facts if getattr(each, "request", None) == request]


@asynccontextmanager
async def joined(
    tmp_path: Path, *, tls: bool = False, link: LinkSettings = QUICK, user: str = "ctiuser"
) -> AsyncIterator[Desk]:
    """Run a simulated AES and a link to it."""
    clock = LoopClock(asyncio.get_running_loop())
    aes = AesServer(PLAN, clock=clock, chance=random.Random(1))
    context, client_tls = None, TlsSettings()
    if tls:
        authority = trustme.CA()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        client_tls = TlsSettings(enabled=True, ca_file=tmp_path / "ca.pem")
    port = await aes.start_listening("127.0.0.1", 0, context)
    desk = Desk(aes)
    desk.link = DmccLink(
        TelephonySettings(
            servers=(AesServerSettings(name=LinkId("aes-1"), host="127.0.0.1", port=port, tls=client_tls),),
            user=user,
            password="secret",
            link=QUICK,
        ),
        InstanceId("ua-1"),
        desk,
        network=TcpNetwork(),
        clock=clock,
        chance=random.Random(1),
        metrics=Metrics(),
    )
    desk.link.start()
    try:
        yield desk
    finally:
        await desk.link.stop()
        assert aes.truth()["sessions"] == {}, "something is left open at AES"
        await aes.close()


def play(steps: Coroutine[Any, Any, None], *, with_uvloop: bool = False) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if with_uvloop else None) as runner:
        runner.run(steps)


@pytest.mark.parametrize("with_uvloop", [False, True], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_agent_works_a_day(tmp_path: Path, tls: bool, with_uvloop: bool) -> None:
    async def day() -> None:
        async with joined(tmp_path, tls=tls) as desk:
            await desk.until(lambda: desk.links)
            assert desk.links == [TelephonyUp(link=LinkId("aes-1"))]
            await desk.log_in(1)
            await desk.log_in(2)
            await desk.ask(ChangeMode(agent=AgentId("5001"), mode=SwitchMode.READY))
            await desk.until(lambda: desk.mode() is SwitchMode.READY)

            call = CallId(desk.aes.act(lambda it: it.switch.place_call("0207940001", "8000", user_data=b"ACC=1")))
            (alerting,) = await desk.until_calls(LegState.ALERTING)
            assert (alerting.id, alerting.data, alerting.queue) == (call, "ACC=1", "8000")
            await desk.ask(commands.AnswerCall(call=call))
            await desk.until_calls(LegState.ACTIVE)
            await desk.ask(commands.HoldCall(call=call))
            await desk.until_calls(LegState.HELD)
            await desk.ask(commands.RetrieveCall(call=call))
            await desk.until_calls(LegState.ACTIVE)

            await desk.ask(commands.ConsultCall(call=call, number="2002"))
            held, consult = await desk.until_calls(LegState.HELD, LegState.DIALLING)
            await desk.until_calls(LegState.ALERTING, number=2)
            await desk.ask(commands.AnswerCall(call=consult.id), 2)
            await desk.until_calls(LegState.HELD, LegState.ACTIVE)
            await desk.ask(commands.ConferenceCalls(held=held.id, active=consult.id))
            (conference,) = await desk.until_calls(LegState.CONFERENCED)
            await desk.ask(commands.HangUpCall(call=conference.id), 2)
            await desk.until_calls(number=2)
            (call_again,) = await desk.until_calls(LegState.ACTIVE)

            await desk.ask(commands.ConsultCall(call=call_again.id, number="2002"))
            held, consult = await desk.until_calls(LegState.HELD, LegState.DIALLING)
            await desk.until_calls(LegState.ALERTING, number=2)
            await desk.ask(commands.AnswerCall(call=consult.id), 2)
            await desk.until_calls(LegState.HELD, LegState.ACTIVE)
            await desk.ask(commands.TransferCall(held=held.id, active=consult.id))
            await desk.until_calls()
            (transferred,) = await desk.until_calls(LegState.ACTIVE, number=2)
            assert [each.number for each in transferred.parties] == ["0207940001"]
            await desk.ask(commands.HangUpCall(call=transferred.id), 2)
            await desk.until_calls(number=2)

            for number in (1, 2):
                await desk.ask(ReleaseStation(), number)
                desk.link.forget(SessionId(str(2000 + number)))
            (session,) = desk.aes.truth()["sessions"].values()
            assert (session["devices"], session["monitors"]) == (0, {})

    play(day(), with_uvloop=with_uvloop)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_cut_connection_is_resumed_and_the_agent_found_as_left(tmp_path: Path, tls: bool, reset: bool) -> None:
    async def cut() -> None:
        async with joined(tmp_path, tls=tls) as desk:
            await desk.until(lambda: desk.links)
            await desk.log_in()
            desk.aes.cut(reset=reset)
            await desk.until(lambda: len(desk.links) == 3)
            assert desk.links[1:] == [
                TelephonyDown(link=LinkId("aes-1"), reason="closed"),
                TelephonyUp(link=LinkId("aes-1"), resumed=True),
            ]
            assert isinstance(await desk.ask(Observe()), RequestDone)
            found = await desk.ask(Snapshot(agent=AgentId("5001")))
            assert isinstance(found, StationSnapshot)
            assert (found.agent, found.mode) == ("5001", SwitchMode.NOT_READY)
            desk.aes.act(lambda it: it.switch.place_call("0207940001", "2001"))
            await desk.until_calls(LegState.ALERTING)

    play(cut())


def test_silent_aes_is_lost_within_the_limit_and_found_again(tmp_path: Path) -> None:
    async def silence() -> None:
        async with joined(tmp_path) as desk:
            await desk.until(lambda: desk.links)
            await desk.log_in()
            began_s = asyncio.get_running_loop().time()
            desk.aes.set_silent(silent=True)
            await desk.until(lambda: len(desk.links) == 2)
            assert desk.links[1] == TelephonyDown(link=LinkId("aes-1"), reason="silent")
            assert asyncio.get_running_loop().time() - began_s < QUICK.silence_limit_s + 0.2
            desk.aes.set_silent(silent=False)
            await desk.until(lambda: isinstance(desk.links[-1], TelephonyUp))
            assert isinstance(await desk.ask(Observe()), RequestDone)

    play(silence())


def test_switch_link_goes_down_and_comes_back_on_one_socket(tmp_path: Path) -> None:
    async def down_and_up() -> None:
        async with joined(tmp_path) as desk:
            await desk.until(lambda: desk.links)
            await desk.log_in()
            desk.aes.act(lambda it: it.aes.set_link(up=False))
            await desk.until(lambda: len(desk.links) == 2)
            assert desk.links[1] == TelephonyDown(link=LinkId("aes-1"), reason="switch-link-down")
            refused = await desk.ask(Observe())
            assert isinstance(refused, RequestRefused)
            assert refused.id == "switch.link-down"
            desk.aes.act(lambda it: it.aes.set_link(up=True))
            await desk.until(lambda: len(desk.links) == 3)
            assert len(desk.aes.truth()["connections"]) == 1
            await desk.ask(Observe())
            desk.aes.act(lambda it: it.switch.place_call("0207940001", "2001"))
            await desk.until_calls(LegState.ALERTING)

    play(down_and_up())


def test_refusals_leave_nothing_half_open(tmp_path: Path) -> None:
    async def refused() -> None:
        async with joined(tmp_path) as desk:
            await desk.until(lambda: desk.links)
            await desk.ask(Observe())
            wrong = await desk.ask(LogInAgent(agent=AgentId("5001"), password=Secret("9999")))
            unknown = await desk.ask(Observe(), 7999)
            assert [(each.id, each.fatal) for each in (wrong, unknown) if isinstance(each, RequestRefused)] == [
                ("switch.wrong-password", True),
                ("switch.unknown-station", True),
            ]
            for station in ("2001", "9999"):
                desk.link.forget(SessionId(station))
            await desk.ask(Observe(), 2)  # asked later, and of as many steps: when it is done, so are the releases
            (session,) = desk.aes.truth()["sessions"].values()
            assert list(session["monitors"].values()) == ["2002"]
            assert session["devices"] == 1

    play(refused())


def test_wrong_cti_user_is_told_and_waits_for_a_person(tmp_path: Path) -> None:
    async def refused() -> None:
        async with joined(tmp_path, user="stranger") as desk:
            await desk.until(lambda: desk.links)
            assert desk.links == [TelephonyDown(link=LinkId("aes-1"), reason="refused")]
            assert "check user, password" in desk.link.status

    play(refused())
