from __future__ import annotations

import pytest
from tests.unit.links.dialler.flow_bench import SESSION, SETTINGS, SPRING

from unified_agent.domain.facts import Fact, ItemFinished, RequestDone, RequestRefused, RequestUnknown
from unified_agent.domain.ids import RequestId
from unified_agent.domain.job import CompletionKey
from unified_agent.links.dialler.actions import End, Report
from unified_agent.links.dialler.refusals import NOT_IN_JOB
from unified_agent.links.dialler.scripts import Signal
from unified_agent.links.dialler.seat import Item, Place, Seat, field_kind
from unified_agent.settings import PoolSettings
from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.events import Outcome, Replied
from unified_agent.wire.apc.readings import DataField

ONE = RequestId(1)


def seat() -> Seat:
    made = Seat(session=SESSION, settings=SETTINGS, pool=PoolSettings(), now_s=100.0)
    made.open_requests[ONE] = None
    return made


def told(of: Seat) -> list[Fact]:
    return [each.fact for each in of.actions if isinstance(each, Report)]


def test_each_request_is_answered_once_with_the_first_answer() -> None:
    it = seat()
    it.refuse(ONE, NOT_IN_JOB)
    it.done(ONE)
    it.unknown(ONE, "late")
    assert told(it) == [
        RequestRefused(session=SESSION, request=ONE, id=NOT_IN_JOB.id, detail=NOT_IN_JOB.detail, fatal=False)
    ]
    assert not it.is_open(ONE)


def test_a_request_answered_by_a_fact_gets_no_other_answer() -> None:
    it = seat()
    it.answered_by_fact(ONE)
    it.done(ONE)
    assert told(it) == []


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        (Outcome.TIMED_OUT, RequestUnknown),
        (Outcome.LOST, RequestUnknown),
        (Outcome.REFUSED, RequestRefused),
        (Outcome.BUSY, RequestRefused),
    ],
)
def test_what_may_have_happened_is_unknown_and_only_a_clear_no_is_refused(outcome: Outcome, answer: type[Fact]) -> None:
    it = seat()
    it.failed(ONE, Replied(token="1", command=Command.ATTACH_JOB, outcome=outcome, code="E28804"))
    assert [type(each) for each in told(it)] == [answer]


def test_done_is_told_as_done() -> None:
    it = seat()
    it.done(ONE)
    assert told(it) == [RequestDone(session=SESSION, request=ONE)]


def test_only_the_first_end_counts() -> None:
    it = seat()
    it.end(End.LOST, "silent")
    it.end(End.LOGGED_OFF, "asked")
    assert it.over is not None
    assert (it.over.end, it.over.reason, it.over.logged_on) == (End.LOST, "silent", False)


def test_jobs_have_the_agents_names_above_and_the_diallers_below() -> None:
    it = seat()
    assert it.dialler_name(SPRING) == "SPRING25"
    assert it.known_as("SPRING25") == "Spring"
    assert it.known_as("OTHER") == "OTHER"
    jobs = it.job_list({"SPRING25": ("O", True), "HELP": ("I", False), "NEW": ("X", True)})
    assert [(each.name, each.kind, each.active) for each in jobs] == [
        ("Spring", "outbound", True),
        ("HELP", "inbound", False),
        ("NEW", "X", True),
    ]


def test_a_field_has_the_type_and_length_of_the_jobs_list_and_plain_text_without() -> None:
    it = seat()
    it.shapes["O", "PAYDAY"] = DataField(name="PAYDAY", length=10, type="D")
    payday = it.record_field("O", "PAYDAY", " 2026-11-23 ")
    assert (payday.value, payday.kind, payday.length, payday.editable) == ("2026-11-23", "date", 10, True)
    unknown = it.record_field("I", "PAYDAY", "x")
    assert (unknown.kind, unknown.length) == ("text", 0)
    assert not it.record_field("O", "BAL", "1").editable
    assert field_kind("?") == "text"


def test_a_closed_record_is_told_once_and_leaves_the_agent_available() -> None:
    it = seat()
    it.place, it.item = Place.LINE_GONE, Item(letter="O")
    it.close_item()
    it.close_item()
    assert told(it) == [ItemFinished(session=SESSION)]
    assert (it.place, it.signals) == (Place.AVAILABLE, [Signal.ITEM_CLOSED])


def test_nothing_of_a_job_is_left_when_it_is_left() -> None:
    it = seat()
    it.place, it.job, it.item = Place.ON_CALL, "SPRING25", Item(letter="O")
    it.keys, it.date_format = (CompletionKey(code="20", text="Promise"),), "CCYY/MM/DD"
    it.wants_items = it.work_ends = True
    it.leave_job()
    assert (it.place, it.job, it.keys, it.date_format, it.item) == (Place.LOGGED_ON, "", (), "", None)
    assert not it.shapes
    assert not it.wants_items
    assert not it.work_ends
