"""Announcements gathered into events."""

from __future__ import annotations

import pytest
from tests.unit.wire.apc.vectors import frames

from unified_agent.errors import RemoteProtocolError
from unified_agent.wire.apc import events as ev
from unified_agent.wire.apc.codec import MessageDecoder
from unified_agent.wire.apc.notices import NoticeAssembler
from unified_agent.wire.apc.readings import FieldValue
from unified_agent.wire.apc.server_connection import notice

CALL = "AGTCallNotify"


def gather(*parts: tuple[str, ...], keyword: str = CALL) -> list[ev.NoticeEvent]:
    assembler = NoticeAssembler()
    found = (assembler.add(notice(keyword, *part)) for part in parts)
    return [event for event in found if event is not None]


def call(op_mesg: str, *more: str) -> ev.CallArrived:
    [event] = gather(("0", "M00001", op_mesg, "OUTBOUND", *more), ("0", "M00000"))
    assert isinstance(event, ev.CallArrived)
    return event


def test_examples_of_calls_and_previews() -> None:
    assembler = NoticeAssembler()
    decoder = MessageDecoder(from_server=True)
    decoder.feed(b"".join(f.data for f in frames("calls")[:7]))
    found = []
    while (message := decoder.next_message()) is not None:
        found.append(assembler.add(message))
    inbound, transfer, preview = (event for event in found if event is not None)
    assert inbound == ev.CallArrived(op_mesg="INBOUND CALL", wait_msg="11-20 SECS. WAITING", call_type="INBOUND")
    assert isinstance(inbound, ev.CallArrived)
    assert inbound.list_letter == "I"
    assert transfer == ev.CallArrived(
        op_mesg="TRANSFER CALL", wait_msg="", call_type="INBOUND", key=FieldValue("ACCTNUM", "7009999")
    )
    assert isinstance(transfer, ev.CallArrived)
    assert transfer.is_transfer
    assert preview == ev.PreviewArrived(
        op_mesg="PAT LEE",
        wait_msg="",
        call_type="MANAGED",
        key=FieldValue("ACCTNUM", "7001234"),
        fields=(FieldValue("BAL", "118.20"),),
    )


def test_call_is_reported_only_when_it_is_complete() -> None:
    basic = ("0", "M00001", "PAT LEE", "OUTBOUND")
    assert gather(basic) == []
    assert gather(basic, ("0", "M00001", "BAL,1")) == []
    assert len(gather(basic, ("0", "M00000"))) == 1


def test_parts_are_told_apart_by_position_not_by_content() -> None:
    [event] = gather(
        ("0", "M00001", "NAME,WITH COMMA", "OUTBOUND", "KEY, 7"),
        ("0", "M00001", "OUTBOUND,x", "ADNUM,"),
        ("0", "M00000"),
    )
    assert event == ev.CallArrived(
        op_mesg="NAME,WITH COMMA",
        wait_msg="",
        call_type="OUTBOUND",
        key=FieldValue("KEY", " 7"),
        fields=(FieldValue("OUTBOUND", "x"), FieldValue("ADNUM", "")),
    )


def test_message_of_a_call_with_everything_in_it() -> None:
    event = call("PAT LEE * 11-20 SECS | AOR: SAM OYE J: SPRING25 U: NORTH T: 14.30.00")
    assert (event.op_mesg, event.wait_msg) == ("PAT LEE", "11-20 SECS")
    assert event.recall == ev.PendingRecall(name="SAM OYE", job="SPRING25", unit="NORTH", time="14.30.00")


def test_bar_and_asterisk_of_a_customer_are_left_alone() -> None:
    assert call("A|B").op_mesg == "A|B"
    long = "A*" + "x" * 31
    assert call(long).op_mesg == long


@pytest.mark.parametrize(("value", "number"), [("01", 1), ("10", 10), ("", None), ("x", None), ("9" * 5000, None)])
def test_number_of_the_phone_field_that_was_dialled(value: str, number: int | None) -> None:
    [event] = gather(("0", "M00001", "X", "OUTBOUND"), ("0", "M00001", f"CURPHONE,{value}"), ("0", "M00000"))
    assert isinstance(event, ev.CallArrived)
    assert event.current_phone == number


def test_call_at_the_wrong_moment_is_an_error_and_forgets_the_parts() -> None:
    failed, event = gather(
        ("0", "M00001", "OLD", "OUTBOUND"),
        ("1", "E28906"),
        ("0", "M00001", "NEW", "OUTBOUND"),
        ("0", "M00000"),
    )
    assert failed == ev.NoticeFailed(keyword=CALL, code="E28906", detail="")
    assert isinstance(event, ev.CallArrived)
    assert event.op_mesg == "NEW"


@pytest.mark.parametrize("keyword", ["AGTJobTransLink", "AGTJobTransRequest"])
def test_job_is_named_in_one_message_or_in_two(keyword: str) -> None:
    two = gather(("0", "M00001", "SUMMER25"), ("0", "M00000"), keyword=keyword)
    one = gather(("0", "M00000", "SUMMER25"), keyword=keyword)
    assert one == two
    assert len(one) == 1


@pytest.mark.parametrize(
    ("keyword", "segments", "event"),
    [
        ("AGTJobMode", ("0", "S28996", "1", "0"), ev.JobModeTold(manual_mode=True)),
        ("AGTJobMode", ("0", "S28996,Y,Y"), ev.JobModeTold(manual_mode=True, click_to_dial=True)),
        ("AGTJobMode", ("0", "S28997"), ev.JobModeTold(previews_empty_records=True)),
        ("AGTUnitEnd", ("0", "M00000"), ev.UnitEnded()),
        ("AGTXferCustHangup", ("0", "M00000"), ev.CustomerHungUpInTransfer()),
        ("AGTXferTrunkHangup", ("0", "M00000"), ev.ThirdPartyHungUpInTransfer()),
        ("AGTManCallAnswered", ("0", "M00000"), ev.ManualCallAnswered()),
        ("AGTIicbAbort", ("0", "M00000"), ev.BlendFailed()),
        (
            "AGTHeadsetConnBroken",
            ("1", "E28900", "text"),
            ev.NoticeFailed(keyword="AGTHeadsetConnBroken", code="E28900", detail="text"),
        ),
        ("AGTNew", ("0", "M00001", "x"), ev.UnknownNotice(keyword="AGTNew", segments=("0", "M00001", "x"))),
    ],
)
def test_announcements_of_one_message(keyword: str, segments: tuple[str, ...], event: ev.NoticeEvent) -> None:
    assert gather(segments, keyword=keyword) == [event]


def test_own_recall() -> None:
    parts = (("0", "M00001", "PAT LEE", "SPRING25", "NORTH", "CAREBLD"), ("0", "M00000"))
    assert gather(*parts, keyword="AGTAORNotify") == [
        ev.OwnRecallAnnounced(customer="PAT LEE", target_job="SPRING25", unit="NORTH", original_job="CAREBLD")
    ]


def test_announcement_that_never_ends_is_refused() -> None:
    with pytest.raises(RemoteProtocolError):
        gather(*[("0", "M00001", "x")] * 65)
