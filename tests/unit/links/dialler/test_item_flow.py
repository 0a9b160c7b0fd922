"""Work items: being ready, the line, the record, and closing it."""

from __future__ import annotations

import pytest
from tests.unit.links.dialler.flow_bench import CALL, PREVIEW, SESSION, SPRING, FlowBench

from unified_agent.domain.commands import (
    DialItem,
    DiallerCommand,
    DialLineDigit,
    FinishItem,
    HoldLine,
    LeaveJob,
    ReconnectHeadset,
    ReleaseLine,
    SendMessage,
    SetCallback,
    TakeItems,
    UnholdLine,
    UpdateField,
)
from unified_agent.domain.facts import (
    FieldsRead,
    HeadsetBroke,
    HeadsetConnected,
    ItemArrived,
    ItemDialled,
    ItemFinished,
    LineGone,
    LineHeld,
    LineRetrieved,
    MessageReceived,
    ReadyForItem,
    RequestDone,
    RequestRefused,
    RequestUnknown,
)
from unified_agent.domain.job import RecordField
from unified_agent.domain.states import ItemKind
from unified_agent.links.dialler.item_flow import CTI_RETRY_S, write_date
from unified_agent.links.dialler.seat import Place
from unified_agent.wire.apc import events
from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.events import Outcome, Replied

CALLBACK = SetCallback(date="2026-12-01", time="17:30", phone=2, name="J. Lee")


def refusal(bench: FlowBench, request: int) -> str:
    (answer,) = bench.answers(request)  # type: ignore[arg-type]
    assert isinstance(answer, RequestRefused)
    return answer.id


# --- ready


def test_ready_is_reported_before_the_answer():
    bench = FlowBench().join()
    request = bench.ask(TakeItems())
    bench.ok(Command.READY_NEXT_ITEM)
    assert bench.news() == [ReadyForItem(session=SESSION), RequestDone(session=SESSION, request=request)]


def test_ready_already_is_ready():
    bench = FlowBench().ready()
    request = bench.ask(TakeItems())
    bench.no(Command.READY_NEXT_ITEM, "E28903")
    assert [type(each) for each in bench.answers(request)] == [RequestDone]


def test_a_call_that_comes_before_the_answer_is_not_followed_by_ready():
    bench = FlowBench().join()
    request = bench.ask(TakeItems())
    bench.event(CALL)
    bench.ok(Command.READY_NEXT_ITEM)
    assert [type(each) for each in bench.news()] == [ItemArrived, RequestDone]
    assert bench.answers(request)
    assert bench.flow.seat.place is Place.ON_CALL


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("E28902", "dialler.record-open"),
        ("E28904", "dialler.leaving-job"),
        ("E28905", "dialler.leaving-job"),
        ("E28964", "dialler.phone-busy"),
        ("E28885", "dialler.not-in-job"),
        ("E99999", "dialler.refused"),
    ],
)
def test_a_refused_ready_says_why(code: str, expected: str):
    bench = FlowBench().join()
    request = bench.ask(TakeItems())
    bench.no(Command.READY_NEXT_ITEM, code)
    assert refusal(bench, request) == expected


def test_ready_without_a_headset_tells_that_it_broke():
    bench = FlowBench().join()
    request = bench.ask(TakeItems())
    bench.no(Command.READY_NEXT_ITEM, "E28896")
    assert refusal(bench, request) == "dialler.headset-broken"
    assert bench.news()[-1] == HeadsetBroke(session=SESSION)


def test_while_the_dialler_has_no_switch_the_agent_is_told_and_ready_is_tried_again():
    bench = FlowBench().join()
    request = bench.ask(TakeItems())
    bench.no(Command.READY_NEXT_ITEM, "E28965")
    assert refusal(bench, request) == "dialler.cti-down"
    bench.wait(CTI_RETRY_S)
    bench.no(Command.READY_NEXT_ITEM, "E28965")
    bench.news()
    bench.wait(CTI_RETRY_S)
    bench.ok(Command.READY_NEXT_ITEM)
    assert bench.news() == [ReadyForItem(session=SESSION)]
    assert bench.ended is None


def test_trying_again_stops_when_the_job_is_left():
    bench = FlowBench().join()
    bench.ask(TakeItems())
    bench.no(Command.READY_NEXT_ITEM, "E28965")
    bench.ask(LeaveJob())
    bench.ok(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    bench.wait(60.0)
    assert bench.sent[-1] == (Command.DETACH_JOB, ())


def test_a_new_ask_takes_over_from_one_that_tries_again():
    bench = FlowBench().join()
    bench.ask(TakeItems())
    bench.no(Command.READY_NEXT_ITEM, "E28965")
    request = bench.ask(TakeItems())
    bench.ok(Command.READY_NEXT_ITEM)
    bench.wait(60.0)
    assert [type(each) for each in bench.answers(request)] == [RequestDone]
    assert [command for command, _ in bench.sent].count(Command.READY_NEXT_ITEM) == 2


# --- the item arrives


def test_a_call_brings_its_record_with_the_key_first():
    bench = FlowBench().ready()
    bench.event(CALL)
    assert bench.news() == [
        ItemArrived(
            session=SESSION,
            kind=ItemKind.OUTBOUND,
            title="PAT LEE",
            preview=False,
            key="ACCTNUM",
            fields=(
                RecordField(name="ACCTNUM", value="7001234", kind="text", length=10),
                RecordField(name="BAL", value="118.20", kind="money", length=9),
                RecordField(name="PAYDAY", value="", kind="date", length=10, editable=True),
            ),
        )
    ]


def test_an_inbound_call_says_how_long_the_caller_waited():
    bench = FlowBench().ready()
    bench.event(events.CallArrived(op_mesg="INBOUND CALL", wait_msg="11-20 SECS. WAITING", call_type="INBOUND"))
    (item,) = bench.news()
    assert isinstance(item, ItemArrived)
    assert (item.kind, item.waited, item.key, item.fields) == (ItemKind.INBOUND, "11-20 SECS. WAITING", "", ())


def test_a_record_to_preview_is_a_managed_item():
    bench = FlowBench().ready()
    bench.event(PREVIEW)
    (item,) = bench.news()
    assert isinstance(item, ItemArrived)
    assert (item.kind, item.preview) == (ItemKind.MANAGED, True)


def test_a_recall_that_is_near_becomes_a_message():
    bench = FlowBench().ready()
    recall = events.PendingRecall(name="SAM OYE", job="SPRING25", unit="", time="15.30.00")
    bench.event(events.CallArrived(op_mesg="PAT LEE", wait_msg="", call_type="OUTBOUND", recall=recall))
    message = bench.news()[-1]
    assert isinstance(message, MessageReceived)
    assert "SAM OYE" in message.text
    assert "Spring" in message.text


def test_a_new_call_closes_a_record_that_we_believed_open():
    bench = FlowBench().on_call()
    bench.event(CALL)
    assert [type(each) for each in bench.news()] == [ItemFinished, ItemArrived]


# --- managed


def test_dialling_a_previewed_record():
    bench = FlowBench().previewing()
    request = bench.ask(DialItem())
    bench.ok(Command.MANAGED_CALL, "(CONNECT)")
    assert bench.news() == [
        ItemDialled(session=SESSION, connected=True, result="CONNECT"),
        RequestDone(session=SESSION, request=request),
    ]
    assert bench.flow.seat.place is Place.ON_CALL


def test_a_customer_who_is_not_reached_leaves_the_record_open():
    bench = FlowBench().previewing()
    bench.ask(DialItem())
    bench.ok(Command.MANAGED_CALL, "(BUSY)")
    assert bench.news()[0] == ItemDialled(session=SESSION, connected=False, result="BUSY")
    assert bench.flow.seat.place is Place.LINE_GONE


def test_when_the_preview_time_is_over_the_dialler_dials_by_itself():
    bench = FlowBench().previewing()
    bench.unasked(Command.MANAGED_CALL, "(CONNECT)")
    assert bench.news() == [ItemDialled(session=SESSION, connected=True, result="CONNECT")]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("E28907", "dialler.not-managed"),
        ("E28908", "dialler.no-record"),
        ("E28909", "dialler.already-dialled"),
        ("E28965", "dialler.cti-down"),
        ("E28964", "dialler.phone-busy"),
        ("E28900", "dialler.refused"),
    ],
)
def test_a_refused_dial_says_why(code: str, expected: str):
    bench = FlowBench().previewing()
    request = bench.ask(DialItem())
    bench.no(Command.MANAGED_CALL, code)
    assert refusal(bench, request) == expected


def test_cancelling_the_dial_keeps_the_record():
    bench = FlowBench().previewing()
    bench.ask(ReleaseLine())
    bench.ok(Command.RELEASE_LINE)
    assert bench.news()[0] == LineGone(session=SESSION, by="agent")


# --- the line


def test_the_agent_hangs_up_and_the_record_stays():
    bench = FlowBench().on_call()
    request = bench.ask(ReleaseLine())
    bench.ok(Command.RELEASE_LINE)
    assert bench.news() == [LineGone(session=SESSION, by="agent"), RequestDone(session=SESSION, request=request)]
    assert bench.flow.seat.place is Place.LINE_GONE


def test_the_customer_hangs_up_and_the_record_stays():
    bench = FlowBench().on_call()
    bench.event(events.LineAutoReleased())
    assert bench.news() == [LineGone(session=SESSION, by="customer")]


def test_a_line_the_dialler_does_not_have_is_gone():
    bench = FlowBench().on_call()
    request = bench.ask(ReleaseLine())
    bench.no(Command.RELEASE_LINE, "E28866")
    assert refusal(bench, request) == "dialler.no-line"
    assert isinstance(bench.news()[0], LineGone)


@pytest.mark.parametrize("refused", [False, True])
def test_a_machine_releases_the_line_and_suggests_the_code(refused: bool):
    bench = FlowBench().on_call()
    bench.event(events.AutoReleasedToReady(completion_code=13))
    if refused:
        bench.no(Command.RELEASE_LINE, "E28866")
    else:
        bench.ok(Command.RELEASE_LINE)
    assert bench.news()[0] == LineGone(session=SESSION, by="dialler", suggested_code="13")


def test_a_release_the_dialler_gave_up_is_refused_and_the_record_can_be_finished():
    bench = FlowBench().on_call()
    request = bench.ask(ReleaseLine())
    bench.kill(Command.RELEASE_LINE)
    assert refusal(bench, request) == "dialler.gave-up"
    finish = bench.ask(FinishItem(code="20"))
    bench.ok(Command.FINISHED_ITEM)
    assert isinstance(bench.answers(finish)[0], RequestDone)


def test_hold_and_back():
    bench = FlowBench().on_call()
    bench.ask(HoldLine())
    bench.ok(Command.HOLD_CALL)
    bench.ask(UnholdLine())
    bench.ok(Command.UNHOLD_CALL)
    kinds = [type(each) for each in bench.news()]
    assert kinds == [LineHeld, RequestDone, LineRetrieved, RequestDone]


@pytest.mark.parametrize(
    ("ask", "command", "code", "expected"),
    [
        (HoldLine(), Command.HOLD_CALL, "E29950", "dialler.not-supported"),
        (HoldLine(), Command.HOLD_CALL, "E28867", "dialler.no-line"),
        (UnholdLine(), Command.UNHOLD_CALL, "S28814", "dialler.line-busy"),
        (DialLineDigit(digit="5"), Command.DIAL_DIGIT, "E28866", "dialler.no-line"),
        (SendMessage(text="hello"), Command.SEND_MESSAGE, "E70000", "dialler.refused"),
    ],
)
def test_a_refused_line_command_says_why(ask: DiallerCommand, command: Command, code: str, expected: str):
    bench = FlowBench().on_call()
    request = bench.ask(ask)
    bench.no(command, code)
    assert refusal(bench, request) == expected


def test_digits_and_messages_go_out_as_they_are():
    bench = FlowBench().on_call()
    first = bench.ask(DialLineDigit(digit="#"))
    bench.ok(Command.DIAL_DIGIT)
    second = bench.ask(SendMessage(text="need help"))
    bench.ok(Command.SEND_MESSAGE)
    assert bench.sent[-2:] == [(Command.DIAL_DIGIT, ("#",)), (Command.SEND_MESSAGE, ("need help",))]
    assert isinstance(bench.answers(first)[0], RequestDone)
    assert isinstance(bench.answers(second)[0], RequestDone)


# --- the record


def test_finishing_closes_the_record_before_the_answer():
    bench = FlowBench().on_call()
    request = bench.ask(FinishItem(code="20"))
    assert bench.sent[-1] == (Command.FINISHED_ITEM, ("20",))
    bench.ok(Command.FINISHED_ITEM)
    assert bench.news() == [ItemFinished(session=SESSION), RequestDone(session=SESSION, request=request)]
    assert bench.flow.seat.place is Place.AVAILABLE


def test_a_bad_completion_code_keeps_the_record_open():
    bench = FlowBench().on_call()
    request = bench.ask(FinishItem(code="999"))
    bench.no(Command.FINISHED_ITEM, "E28947")
    assert refusal(bench, request) == "dialler.bad-completion-code"
    assert bench.flow.seat.item is not None


def test_a_written_field_is_read_back():
    bench = FlowBench().on_call()
    request = bench.ask(UpdateField(field="PAYDAY", value="2026/12/15"))
    assert bench.sent[-1] == (Command.UPDATE_FIELD, ("O", "PAYDAY", "2026/12/15"))
    bench.ok(Command.UPDATE_FIELD)
    bench.ok(Command.READ_FIELD, "PAYDAY,D,10,2026/12/15")
    assert bench.news() == [
        FieldsRead(
            session=SESSION,
            fields=(RecordField(name="PAYDAY", value="2026/12/15", kind="date", length=10, editable=True),),
        ),
        RequestDone(session=SESSION, request=request),
    ]


def test_a_field_that_cannot_be_read_back_was_written_all_the_same():
    bench = FlowBench().on_call()
    first = bench.ask(UpdateField(field="PAYDAY", value="x"))
    bench.ok(Command.UPDATE_FIELD)
    bench.no(Command.READ_FIELD, "E28894")
    second = bench.ask(UpdateField(field="PAYDAY", value="x"))
    bench.ok(Command.UPDATE_FIELD)
    bench.ok(Command.READ_FIELD, "nonsense")
    assert [type(each) for each in bench.news()] == [RequestDone, RequestDone]
    assert bench.answers(first)
    assert bench.answers(second)


@pytest.mark.parametrize(("code", "expected"), [("E28894", "dialler.no-such-field"), ("E28912", "dialler.no-record")])
def test_a_refused_field_says_why(code: str, expected: str):
    bench = FlowBench().on_call()
    request = bench.ask(UpdateField(field="PAYDAY", value="x"))
    bench.no(Command.UPDATE_FIELD, code)
    assert refusal(bench, request) == expected


def test_a_field_without_a_record_is_refused_here():
    bench = FlowBench().join()
    assert refusal(bench, bench.ask(UpdateField(field="PAYDAY", value="x"))) == "dialler.no-record"


def test_what_the_code_page_does_not_have_is_refused_and_not_sent():
    bench = FlowBench().on_call()
    request = bench.ask(UpdateField(field="PAYDAY", value="\u4e16"))
    token = bench.waiting[-1].token
    bench.event(
        Replied(token=token, command=Command.UPDATE_FIELD, outcome=Outcome.REFUSED, detail="a character does not exist")
    )
    assert refusal(bench, request) == "dialler.not-sent"


# --- callbacks


def test_a_callback_is_written_in_the_format_of_the_job():
    bench = FlowBench().on_call()
    request = bench.ask(CALLBACK)
    bench.ok(Command.LIST_CALLBACK_FMT, "CCYY/MM/DD", "3")
    assert bench.sent[-1] == (Command.SET_CALLBACK, ("2026/12/01", "1730", "2", "J. Lee"))
    bench.ok(Command.SET_CALLBACK)
    assert isinstance(bench.answers(request)[0], RequestDone)
    bench.ask(SetCallback(date="2026-12-01", time="09:05", phone=1, number="2025550143"))
    assert bench.sent[-1] == (Command.SET_CALLBACK, ("2026/12/01", "0905", "1", "", "2025550143"))


@pytest.mark.parametrize(
    ("style", "expected"),
    [("CCYY/MM/DD", "2026/12/01"), ("MM/DD/YY", "12/01/26"), ("dd.mm.yyyy", "01.12.2026"), ("YYMMDD", "261201")],
)
def test_dates_are_written_as_the_dialler_wants_them(style: str, expected: str):
    assert write_date("2026-12-01", style) == expected


@pytest.mark.parametrize(
    ("code", "detail", "expected"),
    [
        ("E28800", "", "dialler.callback-too-early"),
        ("E28833", "", "dialler.callback-date"),
        ("E28840", "", "dialler.callback-time"),
        ("E28841", "", "dialler.callback-phone"),
        ("E28842", "Z", "dialler.callback-phone"),
        ("E28843", "", "dialler.callback-number"),
        ("E28847", "", "dialler.callback-past"),
        ("E28848", "", "dialler.callback-hours"),
        ("E28849", "", "dialler.callback-zone"),
        ("E28868", "", "dialler.callback-not-here"),
    ],
)
def test_a_refused_callback_says_why(code: str, detail: str, expected: str):
    bench = FlowBench().on_call()
    request = bench.ask(CALLBACK)
    bench.ok(Command.LIST_CALLBACK_FMT, "CCYY/MM/DD,3")
    bench.no(Command.SET_CALLBACK, code, detail)
    assert refusal(bench, request) == expected


def test_a_callback_whose_format_cannot_be_had_is_refused():
    bench = FlowBench().on_call()
    first = bench.ask(CALLBACK)
    bench.no(Command.LIST_CALLBACK_FMT, "E28868")
    assert refusal(bench, first) == "dialler.callback-not-here"
    second = bench.ask(CALLBACK)
    bench.ok(Command.LIST_CALLBACK_FMT, "nonsense")
    assert refusal(bench, second) == "dialler.not-sent"


# --- headset and messages


def test_a_broken_headset_is_told_and_can_be_reconnected():
    bench = FlowBench().join()
    bench.event(events.HeadsetBroken())
    bench.ok(Command.LIST_STATE, "S70002,SPRING25")
    request = bench.ask(ReconnectHeadset())
    bench.ok(Command.CONN_HEADSET)
    assert bench.sent[-1] == (Command.LIST_STATE, ())
    assert bench.news() == [
        HeadsetBroke(session=SESSION),
        HeadsetConnected(session=SESSION),
        RequestDone(session=SESSION, request=request),
    ]


def test_a_headset_that_comes_back_by_itself_is_told():
    bench = FlowBench().join()
    bench.event(events.HeadsetBroken())
    bench.ok(Command.LIST_STATE, "S70002,SPRING25")
    bench.event(events.HeadsetRestored())
    assert bench.news() == [HeadsetBroke(session=SESSION), HeadsetConnected(session=SESSION)]


def test_a_headset_that_nobody_answers_stays_broken():
    bench = FlowBench().join()
    bench.event(events.HeadsetBroken())
    bench.ok(Command.LIST_STATE, "S70002,SPRING25")
    request = bench.ask(ReconnectHeadset())
    bench.kill(Command.CONN_HEADSET)
    assert refusal(bench, request) == "dialler.headset-not-answered"
    again = bench.ask(ReconnectHeadset())
    bench.no(Command.CONN_HEADSET, "E28872")
    assert isinstance(bench.answers(again)[0], RequestDone)


def test_messages_of_the_supervisor_and_of_the_dialler():
    bench = FlowBench().join()
    bench.event(events.MessageReceived(text="Team meeting at 15:00"))
    bench.event(events.OwnRecallAnnounced(customer="SAM OYE", target_job="SPRING25", unit="", original_job="CAREBLD"))
    first, second = bench.news()
    assert first == MessageReceived(session=SESSION, text="Team meeting at 15:00", sender="supervisor")
    assert isinstance(second, MessageReceived)
    assert (second.sender, str(SPRING) in second.text) == ("dialler", True)


def test_a_command_without_an_answer_is_unknown():
    bench = FlowBench().on_call()
    request = bench.ask(FinishItem(code="20"))
    bench.time_out(Command.FINISHED_ITEM)
    assert [type(each) for each in bench.answers(request)] == [RequestUnknown]
