"""After doubt the dialler is asked, and what differs is reported."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.unit.links.dialler.flow_bench import CALL, SESSION, FlowBench

from unified_agent.domain.commands import FinishItem, LeaveJob, ReconnectHeadset, TakeItems
from unified_agent.domain.facts import (
    DiallerLost,
    Fact,
    HeadsetBroke,
    HeadsetConnected,
    ItemArrived,
    ItemFinished,
    JobLeft,
    ReadyForItem,
    RequestUnknown,
)
from unified_agent.domain.states import ItemKind
from unified_agent.links.dialler.actions import End
from unified_agent.links.dialler.job_flow import ENDING_WAIT_S
from unified_agent.links.dialler.resync_flow import SETTLE_S
from unified_agent.links.dialler.seat import Place
from unified_agent.wire.apc import events
from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.events import LossReason
from unified_agent.wire.apc.readings import AgentState


def probed(bench: FlowBench, code: str, job: str = "SPRING25") -> None:
    bench.event(events.StateProbed(state=AgentState(code=code, job="" if code == "S70004" else job)))


def told_twice(bench: FlowBench, state: str) -> list[Fact]:
    """The dialler says it, and says it again a moment later."""
    bench.ok(Command.LIST_STATE, state)
    bench.wait(SETTLE_S)
    bench.ok(Command.LIST_STATE, state)
    return bench.news()


@pytest.mark.parametrize(
    ("begin", "code"),
    [
        (FlowBench.log_on, "S70004"),
        (FlowBench.join, "S70002"),
        (FlowBench.ready, "S70001"),
        (FlowBench.on_call, "S70000"),
    ],
)
def test_a_probe_that_fits_asks_nothing(begin: Callable[[FlowBench], FlowBench], code: str):
    bench = begin(FlowBench())
    probed(bench, code)
    assert not bench.waiting


@pytest.mark.parametrize(
    ("begin", "state", "kinds"),
    [
        (FlowBench.join, "S70004", [JobLeft]),
        (FlowBench.ready, "S70004", [JobLeft]),
        (FlowBench.on_call, "S70004", [ItemFinished, JobLeft]),
        (FlowBench.join, "S70001,SPRING25", [ReadyForItem]),
        (FlowBench.on_call, "S70001,SPRING25", [ItemFinished, ReadyForItem]),
        (FlowBench.on_call, "S70002,SPRING25", [ItemFinished]),
    ],
)
def test_what_the_dialler_says_twice_is_so(
    begin: Callable[[FlowBench], FlowBench], state: str, kinds: list[type[Fact]]
):
    bench = begin(FlowBench())
    code, _, job = state.partition(",")
    probed(bench, code, job)
    assert [type(each) for each in told_twice(bench, state)] == kinds
    assert [note.event for note in bench.notes if note.event == "dialler_out_of_step"]


def test_a_difference_that_settles_by_itself_is_no_news():
    bench = FlowBench().ready()
    probed(bench, "S70000")
    bench.ok(Command.LIST_STATE, "S70000,SPRING25")
    bench.event(CALL)
    bench.wait(SETTLE_S)
    bench.ok(Command.LIST_STATE, "S70000,SPRING25")
    assert [type(each) for each in bench.news()] == [ItemArrived]


def test_an_agent_who_should_be_ready_and_is_not_is_made_ready_again():
    bench = FlowBench().ready()
    probed(bench, "S70002")
    assert told_twice(bench, "S70002,SPRING25") == []
    bench.ok(Command.READY_NEXT_ITEM)
    assert bench.news() == [ReadyForItem(session=SESSION)]


def test_an_agent_who_cannot_be_made_ready_again_is_taken_out_of_the_job():
    bench = FlowBench().ready()
    probed(bench, "S70002")
    told_twice(bench, "S70002,SPRING25")
    bench.no(Command.READY_NEXT_ITEM, "E28964")
    bench.no(Command.DETACH_JOB, "E28914")
    bench.ok(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    assert bench.news() == [JobLeft(session=SESSION, why="ended")]


def test_an_agent_no_longer_available_is_taken_out_of_the_job():
    bench = FlowBench().ready()
    probed(bench, "S70003")
    told_twice(bench, "S70003,SPRING25")
    bench.ok(Command.DETACH_JOB)
    assert bench.news() == [JobLeft(session=SESSION, why="ended")]


def test_a_job_the_session_knows_nothing_of_is_undone_in_silence():
    bench = FlowBench().log_on()
    probed(bench, "S70003")
    told_twice(bench, "S70003,SPRING25")
    bench.ok(Command.DETACH_JOB)
    assert bench.news() == []
    assert bench.flow.seat.place is Place.LOGGED_ON


def test_another_job_than_the_sessions_is_left():
    bench = FlowBench().ready()
    probed(bench, "S70001", "CAREBLD")
    told_twice(bench, "S70001,CAREBLD")
    bench.no(Command.DETACH_JOB, "E28914")
    bench.ok(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    assert bench.news() == [JobLeft(session=SESSION, why="ended")]


def test_a_dialler_that_will_not_agree_is_left():
    bench = FlowBench().log_on()
    probed(bench, "S70001")
    told_twice(bench, "S70001,SPRING25")
    while bench.ended is None:
        bench.no(Command.DETACH_JOB, "E28914")
        bench.wait(ENDING_WAIT_S)
    assert (bench.ended.end, bench.ended.reason) == (End.LOST, "out-of-step")
    assert isinstance(bench.news()[-1], DiallerLost)


def test_an_open_record_we_know_nothing_of_is_read_and_shown():
    bench = FlowBench().ready()
    probed(bench, "S70000")
    told_twice(bench, "S70000,SPRING25")
    bench.ok(Command.READ_FIELD, "ACCTNUM,A,10,7001234")
    bench.no(Command.READ_FIELD, "E28894")
    bench.ok(Command.READ_FIELD, "PAYDAY,D,10,")
    (item,) = bench.news()
    assert isinstance(item, ItemArrived)
    assert (item.kind, item.key, [each.name for each in item.fields]) == (
        ItemKind.OUTBOUND,
        "ACCTNUM",
        ["ACCTNUM", "PAYDAY"],
    )
    bench.ask(FinishItem(code="20"))
    bench.ok(Command.FINISHED_ITEM)
    assert isinstance(bench.news()[0], ItemFinished)


def test_a_command_without_an_answer_makes_us_ask():
    bench = FlowBench().on_call()
    bench.ask(FinishItem(code="20"))
    bench.time_out(Command.FINISHED_ITEM)
    assert [type(each) for each in bench.news()] == [RequestUnknown]
    assert [type(each) for each in told_twice(bench, "S70002,SPRING25")] == [ItemFinished]


def test_an_answer_that_says_wrong_state_makes_us_ask():
    bench = FlowBench().on_call()
    bench.ask(FinishItem(code="20"))
    bench.no(Command.FINISHED_ITEM, "E28919")
    bench.news()
    assert [type(each) for each in told_twice(bench, "S70002,SPRING25")] == [ItemFinished]


@pytest.mark.parametrize(
    "event",
    [
        events.NoticeFailed(keyword="AGTCallNotify", code="E28906", detail=""),
        events.SystemErrorReported(code="E28864", detail="", fatal=False),
        events.UnaskedReply(keyword="AGTReadyNextItem", ok=True, code="M00000", detail=""),
        events.UnaskedReply(keyword="AGTNoFurtherWork", ok=False, code="E28917", detail=""),
    ],
)
def test_what_should_not_be_makes_us_ask(event: events.Event):
    bench = FlowBench().ready()
    bench.event(event)
    assert [each.command for each in bench.waiting] == [Command.LIST_STATE]
    bench.ok(Command.LIST_STATE, "S70001,SPRING25")
    assert bench.news() == []


def test_a_late_answer_of_ready_is_found_out():
    bench = FlowBench().join()
    request = bench.ask(TakeItems())
    bench.time_out(Command.READY_NEXT_ITEM)
    assert [type(each) for each in bench.answers(request)] == [RequestUnknown]
    bench.news()
    assert told_twice(bench, "S70001,SPRING25") == [ReadyForItem(session=SESSION)]


def test_a_broken_headset_that_took_the_call_along_is_found_out():
    bench = FlowBench().on_call()
    bench.event(events.HeadsetBroken())
    assert [type(each) for each in told_twice(bench, "S70002,SPRING25")] == [HeadsetBroke, ItemFinished]
    bench.event(events.HeadsetRestored())
    bench.ok(Command.LIST_STATE, "S70002,SPRING25")
    assert [type(each) for each in bench.news()] == [HeadsetConnected]


@pytest.mark.parametrize("asked", [False, True])
def test_a_broken_headset_that_took_readiness_along_is_made_good_when_it_is_back(asked: bool):
    bench = FlowBench().ready()
    bench.event(events.HeadsetBroken())
    bench.ok(Command.LIST_STATE, "S70002,SPRING25")
    assert [type(each) for each in bench.news()] == [HeadsetBroke]
    probed(bench, "S70002")
    assert not bench.waiting
    if asked:
        bench.ask(ReconnectHeadset())
        bench.ok(Command.CONN_HEADSET)
    else:
        bench.event(events.HeadsetRestored())
    told_twice(bench, "S70002,SPRING25")
    bench.ok(Command.READY_NEXT_ITEM)
    assert [type(each) for each in bench.news()] == [ReadyForItem]


@pytest.mark.parametrize("answer", ["nonsense", ""])
def test_a_state_that_makes_no_sense_changes_nothing(answer: str):
    bench = FlowBench().ready()
    probed(bench, "S70004")
    bench.ok(Command.LIST_STATE, *([answer] if answer else []))
    assert bench.news() == []
    assert bench.notes[-1].event == "dialler_answer_unreadable"


def test_a_refused_question_changes_nothing():
    bench = FlowBench().ready()
    probed(bench, "S70004")
    bench.no(Command.LIST_STATE, "E28865")
    assert bench.news() == []


def test_nothing_is_asked_while_something_under_way_will_show_it():
    bench = FlowBench().ready()
    bench.ask(LeaveJob())
    probed(bench, "S70003")
    assert [each.command for each in bench.waiting] == [Command.NO_FURTHER_WORK]


# --- the end of the connection


@pytest.mark.parametrize(
    ("reason", "code", "end", "word"),
    [
        (LossReason.CLOSED_BY_PEER, "", End.LOST, "closed"),
        (LossReason.SILENT, "", End.LOST, "silent"),
        (LossReason.PROTOCOL, "", End.LOST, "protocol"),
        (LossReason.SYSTEM_ERROR, "E28862", End.LOST, "dialler-error"),
        (LossReason.SYSTEM_ERROR, "E28859", End.LOST, "dialler-error"),
        (LossReason.SYSTEM_ERROR, "E29203", End.LOST, "dialler-error"),
        (LossReason.SYSTEM_ERROR, "E28921", End.SHUTTING_DOWN, "shutting-down"),
    ],
)
def test_a_lost_session_is_told_before_its_requests_and_each_is_answered(
    reason: LossReason, code: str, end: End, word: str
):
    bench = FlowBench().on_call()
    request = bench.ask(FinishItem(code="20"))
    bench.lose(reason, code)
    assert bench.ended is not None
    assert (bench.ended.end, bench.ended.logged_on) == (end, True)
    first, second = bench.news()
    assert isinstance(first, DiallerLost)
    assert first.reason == word
    assert isinstance(second, RequestUnknown)
    assert second.request == request


def test_the_end_comes_before_the_facts_that_follow_from_it():
    bench = FlowBench().ready()
    before = len(bench.told)
    bench.lose()
    assert bench.facts_at_end == before


def test_nothing_is_done_after_the_end():
    bench = FlowBench().ready()
    bench.lose()
    bench.news()
    bench.event(CALL)
    bench.wait(100.0)
    assert bench.ask(TakeItems())
    assert bench.news() == []


def test_a_dialler_that_closes_without_being_asked_is_a_loss():
    bench = FlowBench().ready()
    bench.event(events.SessionClosed())
    assert isinstance(bench.news()[0], DiallerLost)
