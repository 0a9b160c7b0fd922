"""Agents are sent to other instances at a pace, those on no call first, and nobody with a record open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.server.serving import Desktop, World
from tests.unit.sessions.rooms import Claims

from unified_agent.domain import facts as f
from unified_agent.domain.carry import carry_of
from unified_agent.domain.commands import AnyCommand, JoinJob, TakeItems
from unified_agent.domain.ids import AgentId, CallId, CommandId, InstanceId, JobName, LinkId, RequestId, SessionId
from unified_agent.domain.job import Job
from unified_agent.domain.states import DiallerStage, ItemKind, Side, SwitchMode
from unified_agent.domain.topology import Next
from unified_agent.server.failures import RequestRefused
from unified_agent.server.moving import STEP_S, TELL_AGAIN_S, Moving

pytestmark = pytest.mark.asyncio

JOB = JobName("DEMO_OUT")
UA2, UA3 = Next(id=InstanceId("ua-2"), url="http://ua-2"), Next(id=InstanceId("ua-3"), url="http://ua-3")


class Centre:
    """An instance with agents, and others that take them."""

    def __init__(self) -> None:
        self.world = World(claims=Claims())
        self.world.where.others = [UA2, UA3]
        self.handed: list[tuple[str, str, str]] = []
        self.takes_over = True
        tokens = (f"token-{number}" for number in range(1_000))
        self.moving = Moving(
            host=self.world.host,
            desks=self.world.desks,
            tickets=self.world.server.tickets,
            whereabouts=self.world.where,
            clock=self.world.clock,
            me=InstanceId("ua-1"),
            make_token=lambda: next(tokens),
            hand_over=self._hand_over,
        )
        self.desktops: dict[SessionId, Desktop] = {}
        self._commands = 0

    async def _hand_over(self, to: InstanceId, ticket: str, token: str) -> bool:
        self.handed.append((to, ticket, token))
        return self.takes_over

    async def agent(self, number: int, *, desktop: bool = True, **login: Any) -> SessionId:
        """Log an agent in, whom we own."""
        session, token = await self.world.log_in(agent=f"20{number:02}", station=f"40{number:02}", **login)
        self.world.grant(session)
        if desktop:
            self.desktops[session] = Desktop(self.world)
            self.desktops[session].hello(token)
        return session

    async def agents(self, count: int) -> list[SessionId]:
        return [await self.agent(number) for number in range(count)]

    def report(self, fact: f.Fact) -> None:
        self.world.host.report(fact)

    def work(self, session: SessionId) -> None:
        """Put a record before an agent."""
        self.report(f.ItemArrived(session=session, kind=ItemKind.OUTBOUND, title="PAT", preview=False))

    async def at_the_dialler(self, number: int) -> SessionId:
        """Log an agent in who is in a job at a dialler."""
        session = await self.agent(number, dialler={"name": "agent1", "password": "pw", "headset": "1"})
        world = self.world
        world.host.report_link(f.TelephonyUp(link=LinkId("aes-1")))
        world.clock.advance(0.01)
        for answer in ("observe", "snapshot", "log-in-agent"):
            request = next(each.id for each in world.state(session).requests if each.what == answer)
            if answer == "snapshot":
                self.report(
                    f.StationSnapshot(
                        session=session, request=request, calls=(), agent=None, mode=SwitchMode.LOGGED_OUT
                    )
                )
            else:
                self.report(f.RequestDone(session=session, request=request))
        self.report(f.TurnGiven(session=session, side=Side.DIALLER))
        request = next(each.id for each in world.state(session).requests if each.what == "log-on-dialler")
        self.report(f.DiallerLoggedOn(session=session, request=request, dialler=LinkId("d-1"), jobs=()))
        return session

    async def in_a_job(self, number: int) -> SessionId:
        """Log an agent in who waits for the next customer."""
        session = await self.at_the_dialler(number)
        self.report(f.JobsListed(session=session, jobs=(Job(name=JOB, kind="outbound", active=True),)))
        self._command(session, JoinJob(job=JOB))
        self.report(f.JobJoined(session=session, request=self._open(session, "join-job"), job=JOB, keys=()))
        self._command(session, TakeItems())
        self.report(f.RequestDone(session=session, request=self._open(session, "take-items")))
        self.report(f.ReadyForItem(session=session))
        return session

    def leave_job(self, session: SessionId) -> None:
        """The dialler lets the agent out of the job."""
        self.report(f.RequestDone(session=session, request=self._open(session, "leave-job")))
        self.report(f.JobLeft(session=session, why="asked"))

    def dialler(self, session: SessionId) -> DiallerStage:
        return self.world.state(session).dialler.stage

    def _command(self, session: SessionId, command: AnyCommand) -> None:
        self._commands += 1
        self.report(f.CommandReceived(session=session, id=CommandId(f"c{self._commands}"), command=command))

    def _open(self, session: SessionId, what: str) -> RequestId:
        return next(each.id for each in self.world.state(session).requests if each.what == what)

    def told(self) -> list[SessionId]:
        """Those whose desktops were told to go, in that order."""
        return [session for session, each in self.desktops.items() if each.of_type("goodbye")]

    def go(self, session: SessionId) -> None:
        """The desktop has gone to the other instance, which then asks us to give the agent up."""
        self.world.host.let_go(self.world.state(session).identity.agent, "move", "")


class Time:
    """Lets a drain run step by step."""

    def __init__(self, centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
        self.centre = centre
        self.steps = 0
        self.limit = 200
        self.each: list[Any] = []
        monkeypatch.setattr(asyncio, "sleep", self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.steps += 1
        for doing in self.each:
            doing()
        self.centre.world.clock.advance(seconds)
        if self.steps >= self.limit:
            raise asyncio.CancelledError

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Do something once, so long from now."""
        due = self.steps + round(seconds / STEP_S)
        self.each.append(lambda: do() if self.steps == due else None)

    async def ends_after(self, rate_per_s: float, seconds: float, holds: Callable[[], bool]) -> None:
        """Drain for so long, and see that something holds in the last step."""
        seen: list[bool] = []

        def look() -> None:
            seen.append(holds())

        self.each.append(look)
        await self.drain(rate_per_s, seconds)
        self.each.remove(look)
        assert seen[-1]

    async def drain(self, rate_per_s: float, seconds: float | None = None) -> None:
        """Drain to the end, or for so long."""
        self.limit = 10_000 if seconds is None else self.steps + round(seconds / STEP_S)
        if seconds is None:
            await self.centre.moving.drain(rate_per_s)
            return
        with pytest.raises(asyncio.CancelledError):
            await self.centre.moving.drain(rate_per_s)


@pytest.fixture
def centre() -> Centre:
    return Centre()


@pytest.fixture
def time(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> Time:
    return Time(centre, monkeypatch)


# --- a drain


async def test_they_are_sent_at_the_rate_that_was_ordered(centre: Centre, time: Time):
    await centre.agents(20)
    counts: list[int] = []
    time.each.append(lambda: counts.append(len(centre.told())))
    await time.drain(5.0, 3.0)
    assert counts[0] == 1, "the first at once"
    for at_s in (1.0, 2.0, 3.0):
        assert abs(counts[round(at_s / STEP_S) - 1] - 5.0 * at_s) <= 1
    assert max(after - before for before, after in pairwise(counts)) == 1


async def test_a_rate_below_one_in_a_second_is_a_rate_too(centre: Centre, time: Time):
    await centre.agents(3)
    await time.drain(0.5, 3.9)
    assert len(centre.told()) == 2


async def test_desktops_are_told_where_to_go_and_how_long_they_may_take(centre: Centre, time: Time):
    (session,) = await centre.agents(1)
    await time.drain(10.0, 0.5)
    (goodbye,) = centre.desktops[session].of_type("goodbye")
    assert goodbye == {
        "type": "goodbye",
        "reason": "drain",
        "next": {"id": "ua-2", "url": "http://ua-2"},
        "after_ms": int(TELL_AGAIN_S * 1_000),
    }
    assert centre.desktops[session].close_code is None, "it stays until it is connected there"


async def test_those_on_a_call_come_last(centre: Centre, time: Time):
    sessions = [await centre.at_the_dialler(number) for number in range(4)]
    for session in sessions[:2]:
        centre.report(f.CallEstablished(session=session, call=CallId("1"), number="3001", incoming=True))
    order: list[SessionId] = []
    time.each.append(lambda: order.extend(each for each in centre.told() if each not in order))
    await time.drain(10.0, 1.0)
    assert order == [*sessions[2:], *sessions[:2]]


async def test_an_agent_in_a_job_is_taken_off_new_work_before_the_desktop_is_told(centre: Centre, time: Time):
    session = await centre.in_a_job(1)
    await time.ends_after(10.0, 1.0, lambda: [centre.dialler(session), centre.told()] == [DiallerStage.LEAVING, []])
    time.after(0.5, lambda: centre.leave_job(session))
    await time.ends_after(10.0, 1.0, lambda: centre.told() == [session])


async def test_an_agent_with_a_record_open_goes_when_it_is_closed_and_gets_no_next(centre: Centre, time: Time):
    session = await centre.in_a_job(1)
    centre.work(session)

    def finish() -> None:
        assert centre.told() == []
        assert centre.moving.status().waiting_for_items == 1
        centre.report(f.ItemFinished(session=session))
        assert centre.dialler(session) is DiallerStage.LEAVING
        centre.leave_job(session)

    time.after(2.0, finish)
    await time.ends_after(10.0, 2.5, lambda: centre.told() == [session])


async def test_whoever_has_not_gone_when_it_is_called_off_gets_work_again(centre: Centre, time: Time):
    session = await centre.in_a_job(1)
    time.after(0.5, lambda: centre.leave_job(session))
    await time.ends_after(10.0, 1.0, lambda: centre.dialler(session) is DiallerStage.LOGGED_ON)
    assert centre.dialler(session) is DiallerStage.JOINING


async def test_one_whose_claim_is_not_ours_yet_or_is_being_given_up_is_not_sent(centre: Centre, time: Time):
    waiting, _ = await centre.world.log_in()
    leaving = await centre.at_the_dialler(2)
    centre.go(leaving)
    assert centre.world.state(leaving).claim.stage.value == "leaving"
    await time.drain(10.0, 2.0)
    assert centre.told() == []
    assert waiting in {each.id for each in centre.world.host.sessions()}


async def test_it_is_over_when_nobody_is_left(centre: Centre, time: Time):
    sessions = await centre.agents(3)

    def follow() -> None:
        for session in centre.told():
            if centre.world.host.state(session) is not None:
                centre.go(session)

    time.each.append(follow)
    seen: list[bool] = []
    time.each.append(lambda: seen.append(centre.moving.is_draining))
    await time.drain(10.0)
    assert all(seen)
    assert not centre.moving.is_draining
    assert len(centre.world.host) == 0
    status = centre.moving.status()
    assert (status.left, status.moved, status.waiting_for_items) == (0, len(sessions), 0)


async def test_a_desktop_that_has_not_gone_is_told_again_and_not_all_the_time(centre: Centre, time: Time):
    (session,) = await centre.agents(1)
    await time.drain(10.0, 2.5 * TELL_AGAIN_S)
    assert len(centre.desktops[session].of_type("goodbye")) == 3


async def test_while_there_is_nobody_to_go_to_all_stay(centre: Centre, time: Time):
    (session,) = await centre.agents(1)
    centre.world.where.others = []
    await time.drain(10.0, 2.0)
    assert centre.told() == []
    centre.world.where.others = [UA3]
    await time.drain(10.0, 0.5)
    assert centre.told() == [session]


async def test_a_second_order_changes_the_rate_of_the_one_under_way(centre: Centre, time: Time):
    await centre.agents(20)
    before: list[int] = []

    def hurry() -> None:
        if time.steps == 10:
            before.append(len(centre.told()))
            with pytest.raises(StopIteration):  # it does not wait
                centre.moving.drain(100.0).send(None)

    time.each.append(hurry)
    await time.drain(1.0, 2.0)
    assert before[0] <= 2
    assert len(centre.told()) == 20


async def test_a_drain_that_is_called_off_can_begin_anew(centre: Centre, time: Time):
    (session,) = await centre.agents(1)
    await time.drain(10.0, 0.2)
    assert not centre.moving.is_draining
    await time.drain(10.0, 0.2)
    assert len(centre.desktops[session].of_type("goodbye")) == 2, "it is told at once again"


# --- desktops that are away


async def test_a_session_whose_desktop_is_away_is_handed_over_with_a_ticket_of_its_own(centre: Centre, time: Time):
    session = await centre.agent(1, desktop=False)
    await time.drain(10.0, 0.3)
    ((to, ticket, token),) = centre.handed
    assert to == "ua-2"
    content = centre.world.server.tickets.read(ticket, token)
    assert (content.session, content.term, content.epoch) == (session, 1, 3)
    assert content.identity == centre.world.state(session).identity


async def test_one_that_is_not_taken_is_offered_again_later(centre: Centre, time: Time):
    await centre.agent(1, desktop=False)
    centre.takes_over = False
    await time.drain(10.0, TELL_AGAIN_S + 0.5)
    assert len(centre.handed) == 2


async def test_a_desktop_that_takes_nothing_at_the_moment_is_not_away(centre: Centre, time: Time):
    (session,) = await centre.agents(1)
    centre.desktops[session].slow = True
    await time.drain(10.0, 1.0)
    assert centre.handed == []
    centre.desktops[session].slow = False
    await time.drain(10.0, 0.5)
    assert centre.told() == [session]


async def test_an_orphan_is_handed_to_nobody_because_nobody_has_its_passwords(centre: Centre, time: Time):
    session = await centre.agent(1, desktop=False)
    carried = replace(carry_of(centre.world.state(session)), id=SessionId("orphan"))
    centre.world.host.lose([session], "stepped-down")
    centre.world.host.adopt_orphan(carried)
    centre.world.grant(SessionId("orphan"), 2, carried)
    await time.drain(10.0)
    assert centre.handed == []
    assert len(centre.world.host) == 0


# --- one agent


async def test_one_agent_is_sent_where_the_operator_says_or_where_is_best(centre: Centre):
    session = await centre.agent(1)
    assert await centre.moving.move(AgentId("2001"), UA3.id) == UA3
    assert await centre.moving.move(AgentId("2001"), None) == UA2
    told = centre.desktops[session].of_type("goodbye")
    assert [(each["reason"], each["next"]["id"]) for each in told] == [("move", "ua-3"), ("move", "ua-2")]


async def test_one_who_is_there_already_stays(centre: Centre):
    session = await centre.agent(1)
    here = Next(id=InstanceId("ua-1"), url="http://ua-1")
    centre.world.where.others = [here]
    assert await centre.moving.move(AgentId("2001"), here.id) == here
    assert centre.desktops[session].of_type("goodbye") == []


async def test_an_agent_who_cannot_go_is_not_sent_and_the_operator_told_why(centre: Centre):
    async def refusal(agent: str, to: str | None = None) -> str:
        with pytest.raises(RequestRefused) as refused:
            await centre.moving.move(AgentId(agent), None if to is None else InstanceId(to))
        return refused.value.id

    assert await refusal("2009") == "agent.not-logged-in"
    session = await centre.at_the_dialler(1)
    centre.work(session)
    assert await refusal("2001") == "agent.in-item"
    centre.report(f.ItemFinished(session=session))
    assert await refusal("2001", "ua-9") == "cluster.no-such-instance"
    centre.world.where.others = []
    assert await refusal("2001") == "instance.full"
    centre.world.where.others = [UA2]
    centre.desktops[session].gone()
    assert await refusal("2001") == "agent.not-logged-in"
    assert centre.told() == []


async def test_one_agent_in_a_job_is_told_once_the_dialler_gives_no_more_work(centre: Centre, time: Time):
    session = await centre.in_a_job(1)
    time.after(0.5, lambda: centre.leave_job(session))
    assert await centre.moving.move(AgentId("2001"), UA3.id) == UA3
    assert centre.told() == [session]
    assert centre.dialler(session) is DiallerStage.LOGGED_ON, "nobody is put through before the desktop has gone"


async def test_one_agent_who_gets_a_customer_at_this_moment_stays_and_works_on(centre: Centre, time: Time):
    session = await centre.in_a_job(1)
    time.after(0.5, lambda: centre.work(session))
    with pytest.raises(RequestRefused) as refused:
        await centre.moving.move(AgentId("2001"), UA3.id)
    assert refused.value.id == "agent.in-item"
    assert centre.told() == []
    assert not centre.world.state(session).claim.going


async def test_one_agent_whom_the_dialler_keeps_in_the_job_stays(centre: Centre, time: Time):
    session = await centre.in_a_job(1)
    with pytest.raises(RequestRefused) as refused:
        await centre.moving.move(AgentId("2001"), UA3.id)
    assert "3 s" in refused.value.detail
    assert not centre.world.state(session).claim.going
