"""No history of asks, answers and announcements breaks one agent's flow, or the pool."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.links.dialler.flow_bench import CALL, PREVIEW, SPRING, FlowBench
from tests.unit.links.dialler.pool_world import ANSWERS, World

from unified_agent.domain.commands import (
    DialItem,
    FinishItem,
    JoinJob,
    LeaveJob,
    PauseItems,
    ReconnectHeadset,
    RefreshJobs,
    ReleaseLine,
    SendMessage,
    TakeItems,
    UpdateField,
)
from unified_agent.domain.effects import DropDialler, LogOffDialler
from unified_agent.domain.facts import (
    DiallerDown,
    DiallerLoggedOff,
    DiallerLoggedOn,
    DiallerLost,
    DiallerUp,
    ItemArrived,
    ItemFinished,
    JobJoined,
    JobLeft,
)
from unified_agent.domain.ids import JobName, SessionId
from unified_agent.wire.apc import events
from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.events import LossReason
from unified_agent.wire.apc.readings import AgentState

ASKS = st.sampled_from(
    [
        JoinJob(job=SPRING),
        JoinJob(job=JobName("PREVW01")),
        JoinJob(job=JobName("NOSUCH")),
        LeaveJob(),
        TakeItems(),
        PauseItems(),
        RefreshJobs(),
        ReconnectHeadset(),
        DialItem(),
        ReleaseLine(),
        FinishItem(code="20"),
        UpdateField(field="PAYDAY", value="x"),
        SendMessage(text="hello"),
        LogOffDialler(),
    ]
)
EVENTS = st.sampled_from(
    [
        CALL,
        PREVIEW,
        events.LineAutoReleased(),
        events.AutoReleasedToReady(completion_code=13),
        events.JobEnded(),
        events.UnitEnded(),
        events.JobLinked(job="CAREBLD"),
        events.JobTransferRequested(job="SPRING25"),
        events.HeadsetBroken(),
        events.HeadsetRestored(),
        events.MessageReceived(text="hello"),
        events.NoticeFailed(keyword="AGTCallNotify", code="E28906", detail=""),
        events.SystemErrorReported(code="E28864", detail="", fatal=False),
        events.UnaskedReply(keyword="AGTNoFurtherWork", ok=True, code="M00000", detail=""),
        events.UnaskedReply(keyword="AGTManagedCall", ok=True, code="M00000", detail="", data=(("(CONNECT)",),)),
        events.StateProbed(state=AgentState(code="S70004")),
        events.StateProbed(state=AgentState(code="S70002", job="SPRING25")),
        events.StandBy(outbound=True),
    ]
)
CODES = st.sampled_from(
    ["E28812", "E28850", "E28866", "E28885", "E28896", "E28902", "E28914", "E28915", "E28919", "E28965", "E29952"]
)
STATES = st.sampled_from(
    ["S70000,SPRING25", "S70001,SPRING25", "S70002,SPRING25", "S70003,SPRING25", "S70004", "S70001,CAREBLD", "odd"]
)
VALUES = {
    Command.LIST_JOBS: ("O,SPRING25,A", "M,PREVW01,A"),
    Command.LIST_KEYS: ("20,Promise to pay,call_complete",),
    Command.LIST_DATA_FIELDS: ("ACCTNUM,10,C,F", "PAYDAY,10,D,F"),
    Command.MANAGED_CALL: ("(CONNECT)",),
    Command.READ_FIELD: ("PAYDAY,D,10,x",),
}
STEPS = st.one_of(
    st.tuples(st.just("ok"), STATES),
    st.tuples(st.just("ok"), STATES),
    st.tuples(st.just("ok"), STATES),
    st.tuples(st.just("no"), CODES),
    st.tuples(st.just("kill"), st.none()),
    st.tuples(st.just("late"), st.none()),
    st.tuples(st.just("ask"), ASKS),
    st.tuples(st.just("ask"), ASKS),
    st.tuples(st.just("event"), EVENTS),
    st.tuples(st.just("wait"), st.sampled_from([0.5, 3.0, 30.0])),
)


def _perform(bench: FlowBench, kind: str, value: object) -> None:
    match kind, value:
        case "ask", _:
            bench.ask(value)  # type: ignore[arg-type]
        case "event", events.Event():
            bench.event(value)
        case "wait", float():
            bench.wait(value)
        case _ if not bench.waiting:
            pass
        case "ok", str():
            command = bench.waiting[0].command
            values = (value,) if command is Command.LIST_STATE else VALUES.get(command, ())
            bench.ok(command, *values)
        case "no", str():
            bench.no(bench.waiting[0].command, value)
        case "kill", _:
            bench.kill(bench.waiting[0].command)
        case "late", _:
            bench.time_out(bench.waiting[0].command)


def _check_truth(bench: FlowBench) -> None:
    """What the session is told makes one story."""
    item = job = False  # what a session that believed every fact would show
    for fact in bench.told:
        match fact:
            case ItemArrived():
                assert not item, "an item came while one was open"
                item = True
            case ItemFinished():
                assert item, "an item was finished that was not open"
                item = False
            case JobJoined():
                job = True
            case JobLeft():
                assert not item, "a job was left with an item open"
                job = False
            case DiallerLost() | DiallerLoggedOff():
                item = job = False
    quiet = bench.ended is None and not bench.waiting and bench.flow.next_timer() is None
    if quiet:
        seat = bench.flow.seat
        assert (item, job) == (seat.item is not None, bool(seat.job))


@settings(max_examples=300, deadline=None)
@given(begin=st.sampled_from(["new", "log_on", "join", "ready", "on_call"]), steps=st.lists(STEPS, max_size=40))
def test_any_history_answers_every_ask_once_and_tells_one_story(begin: str, steps: list[tuple[str, object]]):
    bench = FlowBench()
    if begin == "new":
        bench.event(events.Greeted(process_id="1"))
    else:
        getattr(bench, begin)()
    for kind, value in steps:
        if bench.ended is not None:
            break
        _perform(bench, kind, value)
        _check_truth(bench)
    if bench.ended is None:
        bench.lose(LossReason.CLOSED_BY_PEER)
    assert bench.ended is not None
    log_offs = sum(isinstance(each, DiallerLoggedOff) for each in bench.told)
    assert log_offs + sum(isinstance(each, DiallerLost) for each in bench.told) <= 1
    unanswered = 0
    for number in range(2, bench._next_request):
        answers = bench.answers(number)  # type: ignore[arg-type]
        assert len(answers) <= 1
        unanswered += not answers
    asked_off = sum(kind == "ask" and isinstance(value, LogOffDialler) for kind, value in steps)
    assert unanswered <= asked_off, "only logging off has an answer without a number"
    assert "Pa55word" not in repr(bench.told) + repr(bench.notes)


POOL_STEPS = st.one_of(
    st.tuples(st.just("log_on"), st.sampled_from(["s1", "s2", "s3", "s4"])),
    st.tuples(st.just("log_on"), st.sampled_from(["s1", "s2", "s3", "s4"])),
    st.tuples(st.just("log_off"), st.sampled_from(["s1", "s2", "s3"])),
    st.tuples(st.just("drop"), st.sampled_from(["s1", "s2"])),
    st.tuples(st.just("forget"), st.sampled_from(["s1", "s2"])),
    st.tuples(st.just("ask"), st.sampled_from(["s1", "s2", "s3"])),
    st.tuples(st.just("mode"), st.sampled_from(["a:up", "a:refuse", "a:mute", "a:full", "b:up", "b:refuse", "b:full"])),
    st.tuples(st.just("die"), st.sampled_from(["a", "b"])),
    st.tuples(st.just("cut"), st.sampled_from(["a", "b"])),
    st.tuples(st.just("wait"), st.sampled_from(["0", "1", "10"])),
)


def _change(world: World, kind: str, value: str) -> None:
    """Do something to the diallers."""
    match kind:
        case "mode":
            name, _, mode = value.partition(":")
            world[name].mode = mode
        case "die":
            world[value].die()
        case "cut" if world[value].agents:
            world[value].agents[0].cut()


async def _run_pool(steps: list[tuple[str, str]]) -> None:
    world = World()
    world.pool.start()
    await world.run()
    asked = {}
    for kind, value in steps:
        match kind:
            case "log_on":
                asked[world.log_on(value)] = value
            case "log_off":
                world.ask(value, LogOffDialler())
            case "drop":
                world.ask(value, DropDialler())
            case "forget":
                world.pool.forget(SessionId(value))
                asked = {request: session for request, session in asked.items() if session != value}
            case "ask":
                asked[world.ask(value, SendMessage(text="hello"))] = value
            case "wait":
                await world.run(float(value))
            case _:
                _change(world, kind, value)
    for dialler in world.diallers.values():
        dialler.mode = "up"
    await world.run(120.0)
    for request, session in asked.items():
        assert len(world.answers(request)) == 1, f"{session}, request {request}"
    _check_links(world)
    for name, dialler in world.diallers.items():
        connected = [line.name for line in dialler.agents]
        assert len(connected) == len(set(connected)) == world.pool.agents_on(name), "one connection for each agent"
    final = world.log_on("s9")
    await world.run()
    assert world.where(final) == "a", "everything works again once everything is up"
    await world.pool.stop()


def _check_links(world: World) -> None:
    """Up and down alternate for each dialler, but for one that was suspect and never called down."""
    for name in world.diallers:
        down = False
        for fact in world.facts:
            if isinstance(fact, DiallerDown) and fact.link == name:
                assert not down, "down was told twice"
                down = True
            elif isinstance(fact, DiallerUp) and fact.link == name:
                down = False
    logged_on = {}
    for fact in world.facts:
        match fact:
            case DiallerLoggedOn():
                logged_on[fact.session] = fact.dialler
            case DiallerLost():
                assert logged_on.pop(fact.session, None) == fact.dialler, "lost where it was not logged on"
            case _ if isinstance(fact, ANSWERS):
                pass


@settings(max_examples=150, deadline=None)
@given(steps=st.lists(POOL_STEPS, max_size=25))
def test_any_history_of_diallers_leaves_the_pool_whole(steps: list[tuple[str, str]]):
    asyncio.run(_run_pool(steps))
