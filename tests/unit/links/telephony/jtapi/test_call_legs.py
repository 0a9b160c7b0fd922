"""How legs end, and which events belong to calls becoming one."""

from __future__ import annotations

import pytest
from tests.unit.links.telephony.jtapi.desk_world import on, rings, talks

from unified_agent.links.telephony.jtapi.call_book import CallBook
from unified_agent.links.telephony.jtapi.call_legs import Joining, cause_of, joining_of
from unified_agent.links.telephony.jtapi.constants import CallEventId, Cause, Meta
from unified_agent.links.telephony.jtapi.provider import CallEvent

RINGING = (*talks("7", "3001", calling="3001"), *rings("7", "2001", calling="3001"))


@pytest.mark.parametrize(
    ("first", "second", "cause"),
    [
        ({"cause": Cause.NORMAL}, {"control_cause": Cause.REDIRECTED}, "redirected"),
        ({"control_cause": Cause.REDIRECTED}, {"cause": Cause.NORMAL}, "redirected"),
        ({"cause": Cause.NORMAL}, {}, "normalClearing"),
        ({"cause": Cause.UNKNOWN}, {}, ""),
    ],
)
def test_end_is_told_with_the_cause_that_says_most(first: dict[str, int], second: dict[str, int], cause: str) -> None:
    book = CallBook()
    book.apply(RINGING)
    book.apply(
        (
            on("7", "2001", CallEventId.TERMINAL_DROPPED, **first),
            on("7", "2001", CallEventId.CONTROL_DISCONNECTED, **second),
        )
    )
    call = book.find("7")
    assert call is not None
    assert call.legs["2001"].cause == cause


def test_causes_are_said_in_the_words_of_csta() -> None:
    assert cause_of(CallEvent(id=207, call="7", cause=Cause.NORMAL, control_cause=Cause.BUSY)) == "busy"
    assert cause_of(CallEvent(id=207, call="7", cause=Cause.DEST_NOT_OBTAINABLE)) == "destNotObtainable"
    assert cause_of(CallEvent(id=207, call="7", cause=9999)) == ""


def test_joining_is_known_by_meta_code_or_cause() -> None:
    assert joining_of(CallEvent(id=206, call="7", meta=Meta.CALL_TRANSFERRING)) is Joining.TRANSFER
    assert joining_of(CallEvent(id=206, call="7", control_cause=Cause.TRANSFER)) is Joining.TRANSFER
    assert joining_of(CallEvent(id=206, call="7", meta=Meta.CALL_MERGING)) is Joining.CONFERENCE
    assert joining_of(CallEvent(id=206, call="7", control_cause=Cause.CONFERENCE)) is Joining.CONFERENCE
    assert joining_of(CallEvent(id=206, call="7", meta=Meta.CALL_PROGRESS)) is None
