"""What the book makes of events that come repeatedly, late, or never."""

from __future__ import annotations

import pytest
from tests.unit.links.telephony.jtapi.desk_world import leaves, on, over, rings, talks

from unified_agent.links.telephony.jtapi.call_book import (
    CALLS_OF_STATION_LIMIT,
    OVER_LIMIT,
    STRANGERS_LIMIT,
    CallBook,
)
from unified_agent.links.telephony.jtapi.call_legs import LEGS_LIMIT
from unified_agent.links.telephony.jtapi.constants import CallEventId, ControlConnection, ControlTerminal
from unified_agent.links.telephony.jtapi.provider import CallEvent, CallRead, LegRead

RINGING = (*talks("7", "3001", calling="3001", ucid="u1"), *rings("7", "2001", calling="3001", ucid="u1"))


def own(station: str) -> bool:
    return station == "2001"


def book_of(*deliveries: tuple[CallEvent, ...]) -> CallBook:
    book = CallBook()
    for events in deliveries:
        book.settle(book.apply(events).calls, own, 1)
    return book


def test_leg_that_speaks_is_not_rung_again_by_a_late_event() -> None:
    book = book_of(RINGING, talks("7", "2001"), rings("7", "2001"))
    call = book.find("7")
    assert call is not None
    assert call.legs["2001"].terminal is ControlTerminal.TALKING
    assert call.legs["2001"].connection is ControlConnection.ESTABLISHED


def test_leg_that_left_may_be_rung_anew() -> None:
    book = book_of((*RINGING, *talks("7", "2001")))
    book.apply((*leaves("7", "2001"), *rings("7", "2001")))
    call = book.find("7")
    assert call is not None
    assert (call.legs["2001"].rang, call.legs["2001"].spoken, call.legs["2001"].is_gone) == (True, False, False)


def test_call_that_is_over_is_not_begun_again_by_repeated_events() -> None:
    book = book_of(RINGING, (over("7"),), RINGING)
    assert book.find("7") is None
    assert len(book) == 0


@pytest.mark.parametrize(
    "again",
    [
        (CallEvent(id=CallEventId.ACTIVE, call="7", ucid="u1"), *RINGING),
        (*talks("7", "3001", ucid="u2"), *rings("7", "2001", ucid="u2")),
    ],
    ids=["active-again", "another-universal-id"],
)
def test_id_of_a_call_that_is_over_may_be_used_again(again: tuple[CallEvent, ...]) -> None:
    assert book_of(RINGING, (over("7"),), again).find("7") is not None


def test_call_is_forgotten_when_our_station_leaves_it() -> None:
    assert len(book_of(RINGING, leaves("7", "2001"))) == 0


def test_events_before_those_of_our_station_are_kept() -> None:
    book = book_of(talks("7", "3001", calling="3001"), rings("7", "2001"))
    call = book.find("7")
    assert call is not None
    assert (call.calling, list(call.legs)) == ("3001", ["3001", "2001"])


def test_calls_and_legs_and_ids_are_bounded() -> None:
    book = CallBook()
    for number in range(2000):
        book.settle(book.apply(talks(f"c{number}", "3001")).calls, own, 1)
    assert len(book) == STRANGERS_LIMIT + CALLS_OF_STATION_LIMIT
    for number in range(200):
        book.apply(talks("x", f"4{number}"))
    call = book.find("x")
    assert call is not None
    assert len(call.legs) == LEGS_LIMIT
    for number in range(2 * OVER_LIMIT):
        book.apply((over(f"o{number}"),))
    assert len(book._over) == OVER_LIMIT


def test_room_is_made_by_those_who_left() -> None:
    book = CallBook()
    for number in range(200):
        book.apply((*talks("x", f"4{number}"), *leaves("x", f"4{number}")))
    book.apply(talks("x", "2001"))
    call = book.find("x")
    assert call is not None
    assert not call.legs["2001"].is_gone


def test_events_that_tell_nothing_touch_nothing() -> None:
    book = CallBook()
    core = CallEvent(id=105, call="7", address="2001")
    assert book.apply((core, CallEvent(id=601, call="7"), CallEvent(id=CallEventId.ACTIVE, call=""))).calls == ()
    assert len(book) == 0


def test_another_telephone_s_appearance_says_nothing_of_the_address() -> None:
    book = book_of(RINGING, (on("7", "2001", CallEventId.TERMINAL_BRIDGED, terminal="2005"),))
    call = book.find("7")
    assert call is not None
    assert call.legs["2001"].terminal is ControlTerminal.RINGING


def test_what_is_read_is_the_whole_truth_of_a_station() -> None:
    book = book_of(RINGING, rings("8", "2001"), talks("9", "2002"))
    read = CallRead(
        call="7",
        legs=(LegRead(address="2001", connection=88, terminal=98), LegRead(address="3005", connection=88)),
        ucid="u1",
    )
    assert set(book.read("2001", (read,))) == {"7", "8"}
    call = book.find("7")
    assert call is not None
    assert [address for address, leg in call.legs.items() if not leg.is_gone] == ["2001", "3005"]
    assert call.legs["2001"].spoken
    assert [each.id for each in book.calls_of("2001")] == ["7"]


def test_unknown_numbers_are_no_state() -> None:
    book = CallBook()
    book.read("2001", (CallRead(call="7", legs=(LegRead(address="2001", connection=999, terminal=999),)),))
    call = book.find("7")
    assert call is not None
    assert (call.legs["2001"].connection, call.legs["2001"].terminal) == (None, None)


def test_call_that_is_read_after_its_end_was_told_is_there() -> None:
    book = book_of(RINGING, (over("7"),))
    book.read("2001", (CallRead(call="7", legs=(LegRead(address="2001", connection=88, terminal=98),)),))
    book.apply(leaves("7", "2001"))
    assert book.calls_of("2001") == []
