"""The pool against two simulated diallers on real sockets, plain and TLS."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trustme
from prometheus_client import CollectorRegistry

from unified_agent.clock import LoopClock
from unified_agent.domain.commands import (
    DialItem,
    DiallerCommand,
    DialLineDigit,
    FinishItem,
    HoldLine,
    JoinJob,
    LeaveJob,
    PauseItems,
    ReconnectHeadset,
    RefreshJobs,
    ReleaseLine,
    SendMessage,
    SetCallback,
    TakeItems,
    UnholdLine,
    UpdateField,
)
from unified_agent.domain.effects import AskDialler, DiallerAsk, LogOffDialler, LogOnDialler
from unified_agent.domain.facts import (
    DiallerDown,
    DiallerLoggedOff,
    DiallerLoggedOn,
    DiallerLost,
    DiallerStepped,
    DiallerUp,
    Fact,
    FieldsRead,
    HeadsetBroke,
    HeadsetConnected,
    ItemArrived,
    ItemDialled,
    ItemFinished,
    JobEnding,
    JobJoined,
    JobLeft,
    JobsListed,
    LineGone,
    LineHeld,
    LineRetrieved,
    LinkFact,
    MessageReceived,
    ReadyForItem,
    RequestDone,
    RequestRefused,
    RequestUnknown,
)
from unified_agent.domain.ids import JobName, LinkId, RequestId, Secret, SessionId
from unified_agent.links.dialler.pool import DiallerPool
from unified_agent.links.dialler.pool_state import Health
from unified_agent.network import TcpNetwork
from unified_agent.observe import Metrics
from unified_agent.settings import DiallerSettings, PoolSettings, TlsSettings
from unified_agent.tools.simulators.apc import happenings
from unified_agent.tools.simulators.apc.floor import Floor
from unified_agent.tools.simulators.apc.plan import DiallerPlan, JobPlan, TrafficPlan
from unified_agent.tools.simulators.apc.server import DiallerServer

pytestmark = [pytest.mark.integration, pytest.mark.asyncio]

FactT = TypeVar("FactT")
ANSWERS = (RequestDone, RequestRefused, RequestUnknown, DiallerLoggedOn, JobJoined)
#: Calls come only when a test lets them.
QUIET = TrafficPlan(wait_s=3_600.0, talk_s=0.0, calls_per_minute=0.0, jitter=0.0)
PLAN = DiallerPlan(
    headset_ring_s=0.01,
    step_s=0.002,
    dial_s=0.01,
    jobs=(
        JobPlan(name="SPRING25", traffic=QUIET),
        JobPlan(name="CAREBLD", type="B", traffic=QUIET),
        JobPlan(name="PREVW01", type="M", traffic=QUIET),
        JobPlan(name="STOPPED", active=False, traffic=QUIET),
    ),
)
POOL = PoolSettings(
    probe_interval_s=0.5,
    probe_down_interval_s=0.2,
    greeting_limit_s=1.0,
    idle_probe_s=0.3,
    command_limit_s=2.0,
    headset_limit_s=2.0,
    hold_off_s=1.0,
)
FIELDS = ("ACCTNUM", "BAL", "PAYDAY")
SPRING = JobName("SPRING25")


class House:
    """A pool, its diallers, and what the pool reported."""

    def __init__(self, *names: str, plan: DiallerPlan = PLAN, tls: bool = False, folder: Path | None = None) -> None:
        self.clock = LoopClock(asyncio.get_running_loop())
        self.servers = {
            name: DiallerServer(plan, clock=self.clock, chance=random.Random(7)) for name in names or ("a", "b")
        }
        self.facts: list[Fact | LinkFact] = []
        self._heard = asyncio.Event()
        self._tls = tls
        self._folder = folder
        self._next_request = 1
        self.pool: DiallerPool

    async def open(self) -> None:
        server_context, tls = None, TlsSettings()
        if self._tls and self._folder is not None:
            authority = trustme.CA()
            server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert("dialler.invalid").configure_cert(server_context)
            pem = self._folder / "ca.pem"
            authority.cert_pem.write_to_path(pem)
            tls = TlsSettings(enabled=True, ca_file=pem, check_hostname=False)
        diallers = []
        for name, server in self.servers.items():
            port = await server.start_listening("127.0.0.1", 0, server_context)
            diallers.append(
                DiallerSettings(
                    name=LinkId(name),
                    host="127.0.0.1",
                    port=port,
                    fields=FIELDS,
                    editable_fields=("PAYDAY",),
                    key_field="ACCTNUM",
                    tls=tls,
                )
            )
        self.pool = DiallerPool(
            diallers,
            POOL,
            network=TcpNetwork(),
            clock=self.clock,
            reports=self,
            metrics=Metrics(CollectorRegistry()),
        )
        self.pool.start()
        await self.until(lambda: sum(isinstance(each, DiallerUp) for each in self.facts) == len(self.servers))
        self.facts.clear()

    async def close(self) -> None:
        await self.pool.stop()
        for server in self.servers.values():
            await server.close()
        await asyncio.sleep(0.05)

    def report(self, fact: Fact) -> None:
        self.facts.append(fact)
        self._heard.set()

    def report_link(self, fact: LinkFact) -> None:
        self.facts.append(fact)
        self._heard.set()

    async def until(self, so: Callable[[], bool], limit_s: float = 10.0) -> None:
        """Wait until something is so; it is looked at with each fact and every 10 ms."""
        async with asyncio.timeout(limit_s):
            while not so():
                self._heard.clear()
                try:
                    async with asyncio.timeout(0.01):
                        await self._heard.wait()
                except TimeoutError:
                    pass

    async def hear(self, kind: type[FactT], session: str = "agent0001") -> FactT:
        """Wait for a fact about a session, and take it off the list."""

        def at() -> int | None:
            fits = (
                index
                for index, each in enumerate(self.facts)
                if isinstance(each, kind) and getattr(each, "session", "") == session
            )
            return next(fits, None)

        await self.until(lambda: at() is not None)
        index = at()
        assert index is not None
        fact = self.facts.pop(index)
        assert isinstance(fact, kind)
        return fact

    def ask(self, ask: DiallerAsk | DiallerCommand, session: str = "agent0001") -> RequestId:
        request = RequestId(self._next_request)
        self._next_request += 1
        self.pool.ask(AskDialler(session=SessionId(session), request=request, ask=ask))
        return request

    async def answer(self, request: RequestId, limit_s: float = 10.0) -> Fact:
        """Wait for the one answer of a request."""

        def answers() -> list[Fact]:
            return [each for each in self.facts if isinstance(each, ANSWERS) and each.request == request]

        await self.until(lambda: bool(answers()), limit_s)
        (answer,) = answers()
        return answer

    async def done(self, ask: DiallerAsk | DiallerCommand, session: str = "agent0001") -> None:
        answer = await self.answer(self.ask(ask, session))
        assert isinstance(answer, RequestDone), answer

    async def refused(self, ask: DiallerAsk | DiallerCommand, session: str = "agent0001") -> RequestRefused:
        answer = await self.answer(self.ask(ask, session))
        assert isinstance(answer, RequestRefused), answer
        return answer

    def log_on(self, session: str = "agent0001", password: str = "secret") -> RequestId:
        return self.ask(LogOnDialler(name=session, password=Secret(password), headset=f"5{session[-4:]}"), session)

    async def logged_on(self, session: str = "agent0001", limit_s: float = 10.0) -> str:
        """Log on, and name the dialler."""
        answer = await self.answer(self.log_on(session), limit_s)
        assert isinstance(answer, DiallerLoggedOn), answer
        return answer.dialler

    async def joined(self, job: JobName = SPRING, session: str = "agent0001") -> JobJoined:
        answer = await self.answer(self.ask(JoinJob(job=job), session))
        assert isinstance(answer, JobJoined), answer
        return answer

    async def on_call(self, session: str = "agent0001", **fields: str) -> ItemArrived:
        """Be ready, and get a call."""
        await self.done(TakeItems(), session)
        self.act("a", lambda floor: happenings.place_call(floor, happenings.find_agent(floor, session), "", fields))
        return await self.hear(ItemArrived, session)

    def act(self, server: str, action: Callable[[Floor], Any]) -> None:
        self.servers[server].act(action)

    def agents(self, server: str) -> set[str]:
        """Names of those who are logged on, as the dialler has it."""
        return set(self.servers[server].dialler.floor.agents)

    def kinds(self) -> list[str]:
        return [type(each).__name__ for each in self.facts if not isinstance(each, DiallerStepped)]


@asynccontextmanager
async def house(*names: str, **more: Any) -> AsyncIterator[House]:
    opened = House(*names, **more)
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_a_whole_day_of_an_agent(tls: bool, tmp_path: Path):
    async with house(tls=tls, folder=tmp_path) as here:
        assert await here.logged_on() == "a"
        steps = [each.step for each in here.facts if isinstance(each, DiallerStepped)]
        assert steps == ["connecting", "logging-on", "reserving-headset", "ringing-headset", "listing-jobs"]
        joined = await here.joined()
        assert "20" in {key.code for key in joined.keys}

        item = await here.on_call(BAL="118.20", ACCTNUM="7001234")
        assert (item.key, [each.name for each in item.fields]) == ("ACCTNUM", list(FIELDS))
        assert (item.fields[0].value, item.fields[1].value, item.fields[1].kind) == ("7001234", "118.20", "money")
        await here.done(HoldLine())
        await here.hear(LineHeld)
        await here.done(UnholdLine())
        await here.hear(LineRetrieved)
        await here.done(DialLineDigit(digit="5"))
        await here.done(UpdateField(field="PAYDAY", value="2026/12/15"))
        read = await here.hear(FieldsRead)
        assert (read.fields[0].value, read.fields[0].editable) == ("2026/12/15", True)
        await here.done(SetCallback(date="2099-12-01", time="17:30", phone=1, name="J. Lee"))
        await here.done(SendMessage(text="please listen in"))
        await here.done(ReleaseLine())
        assert (await here.hear(LineGone)).by == "agent"
        assert (await here.refused(FinishItem(code="199"))).id == "dialler.bad-completion-code"
        await here.done(FinishItem(code="20"))
        await here.hear(ItemFinished)

        await here.on_call()
        leave = here.ask(LeaveJob())
        await here.done(FinishItem(code="22"))
        assert isinstance(await here.answer(leave), RequestDone)
        assert (await here.hear(JobLeft)).why == "asked"
        await here.done(RefreshJobs())
        await here.hear(JobsListed)
        here.ask(LogOffDialler())
        await here.hear(DiallerLoggedOff)
        await here.until(lambda: not here.agents("a"))
        assert not here.servers["a"].dialler.floor.headsets


async def test_customer_machine_and_supervisor():
    async with house() as here:
        await here.logged_on()
        await here.joined()
        await here.on_call()
        here.act("a", lambda floor: happenings.hang_up_customer(floor, happenings.find_agent(floor, "agent0001")))
        assert (await here.hear(LineGone)).by == "customer"
        await here.done(FinishItem(code="20"))
        await here.hear(ItemFinished)

        await here.on_call()
        here.act("a", lambda floor: happenings.reach_machine(floor, happenings.find_agent(floor, "agent0001"), 13))
        gone = await here.hear(LineGone)
        assert (gone.by, gone.suggested_code) == ("dialler", "13")
        await here.done(FinishItem(code="13"))

        here.act(
            "a", lambda floor: happenings.send_supervisor_message(floor, floor.seats.values(), "Team meeting at 15:00")
        )
        message = await here.hear(MessageReceived)
        assert (message.text, message.sender) == ("Team meeting at 15:00", "supervisor")


@pytest.mark.parametrize("by_time", [False, True], ids=["dialled", "preview-time-over"])
async def test_managed_records(by_time: bool):
    job = JobPlan(name="PREVW01", type="M", traffic=QUIET, preview_limit_s=0.1 if by_time else 0.0)
    async with house("a", plan=DiallerPlan(headset_ring_s=0.01, dial_s=0.01, jobs=(job,))) as here:
        await here.logged_on()
        await here.joined(JobName("PREVW01"))
        connected = False
        for _ in range(20):  # the plan lets only a share of the numbers answer
            item = await here.on_call()
            assert item.preview
            if not by_time:
                await here.answer(here.ask(DialItem()))
            connected = (await here.hear(ItemDialled)).connected
            if connected:
                break
            await here.done(FinishItem(code="35"))
        assert connected
        await here.done(FinishItem(code="20"))


async def test_pausing_takes_an_agent_who_waits_out_and_in_again():
    async with house("a") as here:
        await here.logged_on()
        await here.joined()
        await here.done(TakeItems())
        await here.hear(ReadyForItem)
        assert isinstance(await here.answer(here.ask(PauseItems())), JobJoined)
        assert here.servers["a"].dialler.floor.agents["agent0001"].stage.value == "D"


async def test_bad_input_is_refused_with_a_reason_and_leaves_nothing_behind():
    async with house() as here:
        wrong = await here.answer(here.log_on(password="nonsense"))
        assert isinstance(wrong, RequestRefused)
        assert (wrong.id, wrong.fatal) == ("dialler.wrong-password", True)
        assert not here.agents("b"), "no failover for a person's mistake"
        await here.until(lambda: not any(seat.name for seat in here.servers["a"].dialler.floor.seats.values()))

        assert await here.logged_on() == "a"
        assert (await here.refused(JoinJob(job=JobName("NOSUCH")))).id == "dialler.no-such-job"
        assert (await here.refused(JoinJob(job=JobName("STOPPED")))).id == "dialler.job-not-running"
        assert here.servers["a"].dialler.floor.agents["agent0001"].stage.value == "B"
        assert isinstance(await here.joined(), JobJoined)


async def test_a_headset_in_use_and_one_that_nobody_answers():
    async with house("a") as here:
        await here.logged_on("agent0001")
        request = here.ask(
            LogOnDialler(name="agent0002", password=Secret("secret"), headset="50001"), session="agent0002"
        )
        answer = await here.answer(request)
        assert isinstance(answer, RequestRefused)
        assert answer.id == "dialler.headset-in-use"
        here.servers["a"].dialler.floor.headset_answers = False
        ringing = await here.answer(here.log_on("agent0003"))
        assert isinstance(ringing, RequestRefused)
        assert ringing.id == "dialler.headset-not-answered"
        await here.until(lambda: here.agents("a") == {"agent0001"})


@pytest.mark.parametrize("asked", [False, True], ids=["by-itself", "asked"])
async def test_a_headset_that_breaks_and_comes_back(asked: bool):
    async with house("a") as here:
        await here.logged_on()
        await here.joined()
        here.act("a", lambda floor: happenings.break_headset(floor, happenings.find_agent(floor, "agent0001")))
        await here.hear(HeadsetBroke)
        assert (await here.refused(TakeItems())).id == "dialler.headset-broken"
        if asked:
            await here.done(ReconnectHeadset())
        else:
            here.act("a", lambda floor: happenings.restore_headset(floor, happenings.find_agent(floor, "agent0001")))
        await here.hear(HeadsetConnected)
        await here.done(TakeItems())


async def test_a_headset_that_breaks_on_a_call_ends_the_call_and_the_pool_finds_out():
    async with house("a") as here:
        await here.logged_on()
        await here.joined()
        await here.on_call()
        here.act("a", lambda floor: happenings.break_headset(floor, happenings.find_agent(floor, "agent0001")))
        await here.hear(HeadsetBroke)
        stage = here.servers["a"].dialler.floor.agents["agent0001"].stage.value
        if stage == "D":
            await here.hear(ItemFinished)
        else:
            await here.done(FinishItem(code="20"))


# --- jobs that end


async def test_a_job_that_ends_while_the_agent_waits():
    async with house("a") as here:
        await here.logged_on()
        await here.joined()
        await here.done(TakeItems())
        here.act("a", lambda floor: happenings.end_job(floor, floor.jobs["SPRING25"]))
        assert (await here.hear(JobEnding)).why == "ended"
        assert (await here.hear(JobLeft)).why == "ended"
        assert here.servers["a"].dialler.floor.agents["agent0001"].stage.value == "B"


async def test_a_job_that_is_linked_to_another_while_on_a_call():
    async with house("a") as here:
        await here.logged_on()
        await here.joined()
        await here.on_call()
        here.act("a", lambda floor: happenings.end_job(floor, floor.jobs["SPRING25"], "CAREBLD"))
        assert (await here.hear(JobEnding)).next_job == "CAREBLD"
        await asyncio.sleep(0.1)
        assert "JobLeft" not in here.kinds()
        await here.done(FinishItem(code="20"))
        left = await here.hear(JobLeft)
        assert (left.why, left.next_job) == ("linked", "CAREBLD")
        await here.joined(JobName("CAREBLD"))


async def test_a_supervisor_moves_an_agent():
    async with house("a") as here:
        await here.logged_on()
        await here.joined()
        await here.done(TakeItems())
        here.act("a", lambda floor: happenings.move_agent(floor, happenings.find_agent(floor, "agent0001"), "CAREBLD"))
        left = await here.hear(JobLeft)
        assert (left.why, left.next_job) == ("moved", "CAREBLD")
        await here.joined(JobName("CAREBLD"))


# --- failures


async def test_killing_a_dialler_moves_its_agents_to_the_next():
    async with house() as here:
        agents = [f"agent{number:04d}" for number in range(20)]
        for agent in agents:
            assert await here.logged_on(agent) == "a"
        here.facts.clear()
        await here.servers["a"].shut_down(announce=False, back_after_s=None)
        for agent in agents:
            await here.hear(DiallerLost, agent)
        await here.until(lambda: any(isinstance(each, DiallerDown) for each in here.facts))
        assert sum(isinstance(each, DiallerDown) for each in here.facts) == 1
        assert {await here.logged_on(agent) for agent in agents} == {"b"}

        await here.servers["a"].set_accepting(accepting=True)
        await here.until(lambda: here.pool.health(LinkId("a")) is Health.UP)
        assert here.agents("b") == set(agents), "nobody is moved off a working one"
        assert await here.logged_on("agent0100") == "a"


async def test_a_dialler_that_announces_its_end_is_left_at_once():
    async with house() as here:
        await here.logged_on()
        await here.servers["a"].shut_down(announce=True, back_after_s=None)
        assert (await here.hear(DiallerLost)).reason == "shutting-down"
        assert await here.logged_on() == "b"


async def test_a_silent_dialler_is_noticed_and_left():
    async with house() as here:
        for number in range(4):
            await here.logged_on(f"agent000{number}")
        here.servers["a"].set_silent(silent=True)
        began_s = here.clock.now_s()
        for number in range(4):
            assert (await here.hear(DiallerLost, f"agent000{number}")).reason == "silent"
        assert here.clock.now_s() - began_s < POOL.idle_probe_s + 5.0 + 1.0
        assert await here.logged_on("agent0000") == "b"


async def test_one_connection_cut_is_brought_back_at_the_same_dialler():
    async with house() as here:
        await here.logged_on("agent0001")
        await here.logged_on("agent0002")
        here.servers["a"].dialler.floor.stale_logon_s = 1.0
        here.servers["a"].cut(reset=True, only=["agent0001"])
        await here.hear(DiallerLost, "agent0001")
        assert await here.logged_on("agent0001") == "a"
        steps = [each.step for each in here.facts if isinstance(each, DiallerStepped)]
        assert "waiting-for-old-session" in steps
        assert here.agents("a") == {"agent0001", "agent0002"}


async def test_a_full_dialler_is_passed_over():
    async with house() as here:
        here.servers["a"].dialler.floor.slots = 0
        assert await here.logged_on() == "b"
        assert here.pool.health(LinkId("a")) is Health.UP


async def test_an_agent_limit_is_passed_over_too():
    plan = DiallerPlan(agents_limit=1, headset_ring_s=0.01, jobs=(JobPlan(name="SPRING25", traffic=QUIET),))
    async with house(plan=plan) as here:
        assert await here.logged_on("agent0001") == "a"
        assert await here.logged_on("agent0002") == "b"
        third = await here.answer(here.log_on("agent0003"))
        assert isinstance(third, RequestRefused)
        assert (third.id, third.fatal) == ("dialler.full", False)


async def test_no_dialler_at_all_is_said_and_the_first_one_back_is_told():
    async with house() as here:
        for server in here.servers.values():
            await server.set_accepting(accepting=False)
        answer = await here.answer(here.log_on())
        assert isinstance(answer, RequestRefused)
        assert answer.id == "dialler.none-up"
        here.facts.clear()
        await here.servers["b"].set_accepting(accepting=True)
        await here.until(lambda: any(isinstance(each, DiallerUp) and each.link == "b" for each in here.facts))
        assert await here.logged_on() == "b"


async def test_a_dialler_that_speaks_plain_where_tls_is_expected_is_passed_over(tmp_path: Path):
    async with house("a", tls=True, folder=tmp_path) as here:
        address = here.pool._addresses[LinkId("a")]
        plain = DiallerServer(PLAN, clock=here.clock, chance=random.Random(1))
        port = await plain.start_listening("127.0.0.1", 0)
        pool = DiallerPool(
            [
                DiallerSettings(
                    name=LinkId("plain"),
                    host="127.0.0.1",
                    port=port,
                    tls=TlsSettings(enabled=True, ca_file=tmp_path / "ca.pem", check_hostname=False),
                ),
                DiallerSettings(
                    name=LinkId("good"),
                    host="127.0.0.1",
                    port=address.port,
                    tls=TlsSettings(enabled=True, ca_file=tmp_path / "ca.pem", check_hostname=False),
                ),
            ],
            POOL,
            network=TcpNetwork(),
            clock=here.clock,
            reports=here,
            metrics=Metrics(CollectorRegistry()),
        )
        here.pool, old = pool, here.pool
        try:
            assert await here.logged_on() == "good"
        finally:
            await pool.stop()
            await plain.close()
            here.pool = old


async def test_a_dialler_that_sends_rubbish_loses_the_session_and_nothing_else():
    async with house() as here:
        await here.logged_on()
        for client in here.servers["a"].sockets():
            transport = client._transport
            assert transport is not None
            transport.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 4)
        assert (await here.hear(DiallerLost)).reason == "protocol"
        assert await here.logged_on() == "a"


async def test_parts_bytes_and_quirks_of_other_peers_change_nothing():
    async with house("a") as here:
        server = here.servers["a"]
        server.set_part_size(80)
        server.set_delay(0.0, 7, 0.0)
        await here.logged_on()
        await here.joined()
        item = await here.on_call()
        assert [each.name for each in item.fields] == list(FIELDS)
        await here.done(FinishItem(code="20"))


async def test_a_thousand_agents_log_on_and_off():
    async with house("a") as here:
        agents = [f"agent{number:04d}" for number in range(1_000)]
        began_s = here.clock.now_s()
        for agent in agents:
            here.log_on(agent)
        await here.until(lambda: here.pool.agents_on(LinkId("a")) == 1_000, 60.0)
        assert here.clock.now_s() - began_s < 30.0
        for agent in agents:
            here.ask(LogOffDialler(), agent)
        await here.until(lambda: not here.agents("a"), 60.0)
