"""What a session is told of its calls, for every happening: as the DMCC link tells it. Seen from station 2001."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.links.telephony.jtapi.desk_world import dials, leaves, on, over, rings, talks

from unified_agent.domain.call import Call
from unified_agent.domain.facts import (
    CallAlerting,
    CallDialling,
    CallDropped,
    CallEnded,
    CallEstablished,
    CallFact,
    CallFailed,
    CallHeld,
    CallRetrieved,
    CallsMerged,
    PartySeen,
)
from unified_agent.domain.ids import CallId, SessionId
from unified_agent.domain.states import LegState
from unified_agent.links.telephony.jtapi.call_book import CallBook
from unified_agent.links.telephony.jtapi.call_telling import Teller
from unified_agent.links.telephony.jtapi.constants import CallEventId, Cause, Meta
from unified_agent.links.telephony.jtapi.provider import CallEvent

S = SessionId("s")
UCID = "00001001791428242051"
HELD, TALKING = CallEventId.TERMINAL_HELD, CallEventId.TERMINAL_TALKING
TRANSFER: dict[str, Any] = {"meta": Meta.CALL_TRANSFERRING, "control_cause": Cause.TRANSFER}
CONFERENCE: dict[str, Any] = {"meta": Meta.CALL_MERGING, "control_cause": Cause.CONFERENCE}
IN: dict[str, Any] = {"calling": "3001", "called": "8000", "queue": "8000", "data": "ACC=4711", "ucid": UCID}
OUT: dict[str, Any] = {"calling": "2001", "called": "2002"}
ARRIVED = {"called": "8000", "queue": "8000", "data": "ACC=4711", "ucid": UCID}
Events = tuple[CallEvent, ...]


def fact(kind: type[CallFact], call: str = "7", **fields: Any) -> CallFact:
    return kind(session=S, call=CallId(call), **fields)


def play(*deliveries: Events, station: str = "2001") -> tuple[list[list[CallFact]], Teller]:
    """Deliver, and return what was told after each delivery."""
    book, teller = CallBook(), Teller(S, station)
    told = []
    for events in deliveries:
        delivery = book.apply(events)
        told.append(teller.tell(book, delivery))
        book.settle(delivery.calls, lambda it: it == station, 1)
    return told, teller


RINGING: Events = (*talks("7", "3001", **IN), *rings("7", "2001", **IN))
ANSWERED: Events = talks("7", "2001", **IN)
RINGING_THERE: Events = (*dials("8", "2001", **OUT), *rings("8", "2002", **OUT))
ANSWERED_THERE: Events = talks("8", "2002", **OUT)
HELD_HERE: Events = (on("7", "2001", HELD, **IN),)
#: 2001 talks to 3001 in 7, which it holds, and to 2002 in 8.
CONSULTING = (RINGING, ANSWERED, HELD_HERE, RINGING_THERE, ANSWERED_THERE)
#: 2001 is asked by 2002 in 8, which has 3001 on hold in 7.
ASKED_FIELDS: dict[str, Any] = {"calling": "2002", "called": "2001"}
ASKED: Events = (*dials("8", "2002", **ASKED_FIELDS), *rings("8", "2001", **ASKED_FIELDS))
ASKED_ANSWERED: Events = talks("8", "2001", **ASKED_FIELDS)

ROWS: list[tuple[str, tuple[Events, ...], tuple[CallFact, ...]]] = [
    ("rings here", (RINGING,), (fact(CallAlerting, number="3001", **ARRIVED),)),
    ("rings here from a withheld number", (rings("7", "2001"),), (fact(CallAlerting, number=""),)),
    (
        "rings here from outside, with a trunk in the caller's place",
        ((*talks("7", "T5#1", **IN), *rings("7", "2001", **IN)),),
        (fact(CallAlerting, number="3001", **ARRIVED),),
    ),
    (
        "rings somewhere else",
        ((*talks("7", "3001", calling="3001"), *rings("7", "2003", calling="3001")),),
        (),
    ),
    ("off hook", ((on("8", "2001", CallEventId.CONTROL_INITIATED), on("8", "2001", TALKING)),), ()),
    ("we dialled", (dials("8", "2001", **OUT),), (fact(CallDialling, "8", number="2002"),)),
    (
        "it rings there",
        (dials("8", "2001", **OUT), rings("8", "2002", ucid=UCID, **OUT)),
        (fact(CallDialling, "8", number="2002", ucid=UCID),),
    ),
    (
        "our call waits in a queue",
        (
            dials("8", "2001", calling="2001", called="8000"),
            (on("8", "100", CallEventId.CONTROL_QUEUED, calling="2001", called="8000"),),
        ),
        (),
    ),
    (
        "our call left the switch",
        (
            dials("8", "2001", calling="2001", called="90441"),
            (on("8", "T1", CallEventId.CONTROL_NETWORK_REACHED, calling="2001", called="90441"),),
        ),
        (),
    ),
    ("answered here", (RINGING, ANSWERED), (fact(CallEstablished, number="3001", incoming=True, **ARRIVED),)),
    (
        "rang and answered at once",
        ((*RINGING, *ANSWERED),),
        (fact(CallEstablished, number="3001", incoming=True, **ARRIVED),),
    ),
    (
        "answered here, without a connection of the caller",
        (rings("7", "2001", **IN), ANSWERED),
        (fact(CallEstablished, number="3001", incoming=True, **ARRIVED),),
    ),
    (
        "answered there",
        (RINGING_THERE, ANSWERED_THERE),
        (fact(CallEstablished, "8", number="2002", incoming=False, called="2002"),),
    ),
    (
        "answered by somebody else than was dialled",
        (
            (*dials("8", "2001", calling="2001", called="8000"), *rings("8", "2002", called="8000")),
            talks("8", "2002", called="8000"),
        ),
        (fact(CallEstablished, "8", number="2002", incoming=False, called="8000"),),
    ),
    (
        "answered outside, where nobody is named",
        (
            dials("8", "2001", calling="2001", called="90441"),
            (on("8", "T1", CallEventId.CONTROL_ESTABLISHED, calling="2001", called="90441"),),
        ),
        (fact(CallEstablished, "8", number="90441", incoming=False, called="90441"),),
    ),
    (
        "a further party answered while we hold",
        (RINGING, ANSWERED, HELD_HERE, talks("7", "2003", **IN)),
        (fact(CallEstablished, number="2003", incoming=False, **ARRIVED), fact(CallHeld)),
    ),
    (
        "a further party rings in our call",
        (RINGING, ANSWERED, rings("7", "2003", **IN)),
        (),
    ),
    (
        "the one whom we dialled answers while we hold",
        (RINGING_THERE, (on("8", "2001", HELD, **OUT),), ANSWERED_THERE),
        (fact(CallEstablished, "8", number="2002", incoming=False, called="2002"), fact(CallHeld, "8")),
    ),
    ("answered elsewhere while it rings here", (RINGING, talks("7", "2003", **IN)), ()),
    ("we held", (RINGING, ANSWERED, HELD_HERE), (fact(CallHeld),)),
    ("they held", (RINGING, ANSWERED, (on("7", "3001", HELD, **IN),)), (fact(CallHeld, number="3001"),)),
    (
        "we retrieved",
        (RINGING, ANSWERED, HELD_HERE, (on("7", "2001", TALKING, control_cause=Cause.UNHOLD, **IN),)),
        (fact(CallRetrieved),),
    ),
    (
        "they retrieved",
        (RINGING, ANSWERED, (on("7", "3001", HELD, **IN),), (on("7", "3001", TALKING, **IN),)),
        (fact(CallRetrieved, number="3001"),),
    ),
    (
        "we left",
        (RINGING, ANSWERED, leaves("7", "2001", cause=Cause.NORMAL)),
        (fact(CallEnded, cause="normalClearing"),),
    ),
    ("they left", (RINGING, ANSWERED, leaves("7", "3001", cause=Cause.NORMAL)), (fact(CallDropped, number="3001"),)),
    (
        "the whole call is gone",
        (RINGING, ANSWERED, (over("7", cause=Cause.NORMAL),)),
        (fact(CallEnded, cause="normalClearing"),),
    ),
    (
        "the caller hung up before we answered",
        (RINGING, (*leaves("7", "3001", cause=Cause.NORMAL), *leaves("7", "2001", cause=Cause.CALL_CANCELLED))),
        (fact(CallEnded, cause="callCancelled"),),
    ),
    (
        "it left us for elsewhere",
        (RINGING, (*leaves("7", "2001", control_cause=Cause.REDIRECTED), *rings("7", "2002", **IN))),
        (fact(CallEnded, cause="redirected"),),
    ),
    (
        "it went on from where we dialled",
        (
            RINGING_THERE,
            (on("8", "2002", CallEventId.CONTROL_DISCONNECTED, control_cause=Cause.REDIRECTED),),
            rings("8", "2003", **OUT),
        ),
        (),
    ),
    (
        "the one whom we dialled declined",
        (RINGING_THERE, leaves("8", "2002", cause=Cause.NORMAL)),
        (fact(CallDropped, "8", number="2002"),),
    ),
    (
        "busy there",
        (
            dials("8", "2001", **OUT),
            (on("8", "2002", CallEventId.CONTROL_FAILED, control_cause=Cause.BUSY, **OUT),),
        ),
        (fact(CallFailed, "8", number="2002", cause="busy"),),
    ),
    (
        "busy there while we hold",
        (
            dials("8", "2001", **OUT),
            (on("8", "2001", HELD, **OUT),),
            (on("8", "2002", CallEventId.CONTROL_FAILED, control_cause=Cause.BUSY, **OUT),),
        ),
        (fact(CallDropped, "8", number="2002"),),
    ),
    (
        "our own leg failed",
        (RINGING, (on("7", "2001", CallEventId.CONTROL_FAILED, cause=Cause.LOCKOUT, **IN),)),
        (fact(CallFailed, number="8000", cause="lockout"),),
    ),
    (
        "somebody who was to join was not reached",
        (RINGING, ANSWERED, (on("7", "2003", CallEventId.CONTROL_FAILED, control_cause=Cause.BUSY, **IN),)),
        (),
    ),
    (
        "data came late",
        (
            (*talks("7", "3001", calling="3001"), *rings("7", "2001", calling="3001")),
            rings("7", "2001", data="ACC=1"),
        ),
        (fact(CallAlerting, number="3001", data="ACC=1"),),
    ),
    (
        "data came late in a held call",
        (
            (*talks("7", "3001", calling="3001"), *rings("7", "2001", calling="3001")),
            talks("7", "2001"),
            (on("7", "2001", HELD),),
            (on("7", "2001", HELD, data="ACC=1"),),
        ),
        (fact(CallEstablished, number="3001", incoming=True, data="ACC=1"), fact(CallHeld)),
    ),
    # --- calls that become one
    (
        "we conferenced",
        (
            *CONSULTING,
            (
                *leaves("8", "2001", **CONFERENCE),
                *leaves("8", "2002", **CONFERENCE),
                over("8", **CONFERENCE),
                *talks("7", "2001", **CONFERENCE),
                *talks("7", "2002", **CONFERENCE),
            ),
        ),
        (
            fact(
                CallsMerged,
                old=(CallId("8"), CallId("7")),
                parties=(PartySeen(number="3001"), PartySeen(number="2002")),
            ),
        ),
    ),
    (
        "we transferred away",
        (
            *CONSULTING,
            (
                *leaves("8", "2001", **TRANSFER),
                *leaves("8", "2002", **TRANSFER),
                over("8", **TRANSFER),
                *talks("7", "2002", **TRANSFER),
                *leaves("7", "2001", **TRANSFER),
            ),
        ),
        (fact(CallEnded, "7", cause="transfer"), fact(CallEnded, "8", cause="transfer")),
    ),
    (
        "a call was transferred to us, under its id",
        (
            ASKED,
            ASKED_ANSWERED,
            (
                *leaves("8", "2001", **TRANSFER),
                *leaves("8", "2002", **TRANSFER),
                over("8", **TRANSFER),
                *talks("7", "3001", calling="3001", **TRANSFER),
                *talks("7", "2001", calling="3001", **TRANSFER),
            ),
        ),
        (fact(CallsMerged, old=(CallId("8"),), parties=(PartySeen(number="3001"),)),),
    ),
    (
        "a call was transferred to us, under ours",
        (
            ASKED,
            ASKED_ANSWERED,
            (*talks("8", "3001", **TRANSFER), *leaves("8", "2002", **TRANSFER)),
        ),
        (fact(CallsMerged, "8", old=(CallId("8"),), parties=(PartySeen(number="3001"),)),),
    ),
    (
        "our caller was handed on to somebody who rings still",
        (
            RINGING,
            ANSWERED,
            (*rings("7", "2003", **TRANSFER), *leaves("7", "3001", **TRANSFER)),
        ),
        (fact(CallsMerged, old=(CallId("7"),), parties=(PartySeen(number="2003"),)),),
    ),
    (
        "our caller was handed on under a new id, to somebody who rings still",
        (
            RINGING,
            ANSWERED,
            (
                *leaves("7", "2001", **TRANSFER),
                *leaves("7", "3001", **TRANSFER),
                over("7", **TRANSFER),
                *talks("9", "2001", calling="3001", **TRANSFER),
                *rings("9", "2003", calling="3001", **TRANSFER),
            ),
        ),
        (fact(CallsMerged, "9", old=(CallId("7"),), parties=(PartySeen(number="2003"),)),),
    ),
    (
        "conferenced with a new id while we hold",
        (
            RINGING,
            ANSWERED,
            HELD_HERE,
            (
                *leaves("7", "2001", **CONFERENCE),
                over("7", **CONFERENCE),
                on("9", "3001", CallEventId.CONTROL_ESTABLISHED, calling="3001", **CONFERENCE),
                on("9", "2001", CallEventId.CONTROL_ESTABLISHED, **CONFERENCE),
                on("9", "2001", HELD, **CONFERENCE),
            ),
        ),
        (fact(CallsMerged, "9", old=(CallId("7"),), parties=(PartySeen(number="3001"),)), fact(CallHeld, "9")),
    ),
    (
        "a call was transferred to us while it rings, under ours",
        (
            ASKED,
            (*talks("8", "3001", **TRANSFER), *leaves("8", "2002", **TRANSFER)),
        ),
        (
            fact(CallDropped, "8", number="2002"),
            fact(CallAlerting, "8", number="3001", called="2001"),
        ),
    ),
    (
        "a call was transferred to us while it rings, under its own id",
        (
            ASKED,
            (
                *leaves("8", "2001", **TRANSFER),
                over("8", **TRANSFER),
                *talks("7", "3001", calling="3001", **TRANSFER),
                *rings("7", "2001", **TRANSFER),
            ),
        ),
        (fact(CallEnded, "8", cause="transfer"), fact(CallAlerting, "7", number="3001")),
    ),
    (
        "we handed a call on at once",
        (RINGING, ANSWERED, (*rings("7", "2003", **TRANSFER), *leaves("7", "2001", **TRANSFER))),
        (fact(CallEnded, cause="transfer"),),
    ),
]


@pytest.mark.parametrize(("what", "deliveries", "facts"), ROWS, ids=[row[0].replace(" ", "-") for row in ROWS])
def test_last_delivery_becomes_facts(what: str, deliveries: tuple[Events, ...], facts: tuple[CallFact, ...]) -> None:
    told, _ = play(*deliveries)
    assert tuple(told[-1]) == facts


@pytest.mark.parametrize(("what", "deliveries", "facts"), ROWS, ids=[row[0].replace(" ", "-") for row in ROWS])
def test_nothing_is_told_twice(what: str, deliveries: tuple[Events, ...], facts: tuple[CallFact, ...]) -> None:
    told, _ = play(*deliveries, deliveries[-1])
    assert told[-1] == []


# --- calls that become one, told in two deliveries

GOES: Events = (*leaves("8", "2001", **TRANSFER), *leaves("8", "2002", **TRANSFER), over("8", **TRANSFER))
COMES: Events = (
    *talks("7", "3001", calling="3001", **TRANSFER),
    *talks("7", "2001", calling="3001", **TRANSFER),
)


@pytest.mark.parametrize("halves", [(GOES, COMES), (COMES, GOES)], ids=["old-one-first", "new-one-first"])
def test_transfer_to_us_in_two_halves_ends_in_one_call(halves: tuple[Events, Events]) -> None:
    told, teller = play(ASKED, ASKED_ANSWERED, *halves)
    (call,) = teller.calls
    assert (call.id, call.state, [each.number for each in call.parties]) == ("7", LegState.ACTIVE, ["3001"])
    assert isinstance(told[-1][0], CallsMerged)
    assert not any(isinstance(each, CallEnded) for facts in told for each in facts)


def test_call_that_was_to_become_another_ends_when_nothing_is_heard_of_that() -> None:
    told, teller = play(ASKED, ASKED_ANSWERED, GOES)
    assert told[-1] == []
    assert set(teller.awaits) == {"8"}
    assert teller.tell(CallBook(), patient=False) == [fact(CallEnded, "8", cause="transfer")]
    assert teller.awaits == {}


def test_call_that_was_to_become_another_ends_when_that_rings() -> None:
    told, teller = play(ASKED, ASKED_ANSWERED, GOES, rings("7", "2001", calling="3001", **TRANSFER))
    assert told[-1] == [fact(CallEnded, "8", cause="transfer"), fact(CallAlerting, "7", number="3001")]
    assert [each.id for each in teller.calls] == ["7"]


@pytest.mark.parametrize(
    "halves",
    [
        (
            (*leaves("8", "2001", **CONFERENCE), *leaves("8", "2002", **CONFERENCE), over("8", **CONFERENCE)),
            (*talks("7", "2001", **CONFERENCE), *talks("7", "2002", **CONFERENCE)),
        ),
        (
            (*talks("7", "2001", **CONFERENCE), *talks("7", "2002", **CONFERENCE)),
            (*leaves("8", "2001", **CONFERENCE), *leaves("8", "2002", **CONFERENCE), over("8", **CONFERENCE)),
        ),
    ],
    ids=["old-one-first", "new-one-first"],
)
def test_conference_in_two_halves_ends_in_one_call(halves: tuple[Events, Events]) -> None:
    _, teller = play(*CONSULTING, *halves)
    (call,) = teller.calls
    assert (call.id, call.state) == ("7", LegState.CONFERENCED)
    assert {each.number for each in call.parties} == {"3001", "2002"}
    assert call.data == "ACC=4711"


def test_transfer_by_us_in_two_halves_leaves_nothing() -> None:
    there = (*talks("7", "2002", **TRANSFER), *leaves("7", "2001", **TRANSFER))
    for halves in ((GOES, there), (there, GOES)):
        _, teller = play(*CONSULTING, *halves)
        teller.tell(CallBook(), patient=False)
        assert teller.calls == ()


def test_conference_grows_and_shrinks() -> None:
    told, teller = play(
        RINGING,
        ANSWERED,
        (*talks("7", "2003", **CONFERENCE), *talks("7", "2004", **CONFERENCE)),
        leaves("7", "2003"),
        leaves("7", "3001"),
    )
    assert [len(each) for each in told[2:]] == [1, 1, 1]
    (call,) = teller.calls
    assert (call.state, [each.number for each in call.parties]) == (LegState.ACTIVE, ["2004"])


def test_snapshot_is_what_was_believed_from_then_on() -> None:
    book, teller = CallBook(), Teller(S, "2001")
    book.apply(RINGING)
    (view,) = teller.begin(book)
    assert view.leg is LegState.ALERTING
    assert teller.tell(book) == []
    delivery = book.apply(ANSWERED)
    assert teller.tell(book, delivery) == [fact(CallEstablished, number="3001", incoming=True, **ARRIVED)]


def test_what_is_believed_is_what_the_facts_make_of_it() -> None:
    _, teller = play(*CONSULTING)
    assert all(isinstance(each, Call) for each in teller.calls)
    assert [(each.id, each.state) for each in teller.calls] == [("7", LegState.HELD), ("8", LegState.ACTIVE)]


def test_call_that_was_out_of_sight_comes_back_under_its_old_id() -> None:
    gone = (*leaves("7", "2001", control_cause=Cause.REDIRECTED, **IN), over("7", **IN))
    anew = (CallEvent(id=int(CallEventId.ACTIVE), call="7", meta=Meta.CALL_STARTING, **IN), *RINGING)
    told, teller = play(RINGING, gone, RINGING, anew)
    assert [[type(each) for each in facts] for facts in told] == [[CallAlerting], [CallEnded], [], [CallAlerting]]
    assert [each.state for each in teller.calls] == [LegState.ALERTING]


def test_telephone_that_was_busy_when_it_was_called_has_no_part_in_that_call() -> None:
    fields = {"calling": "2002", "called": "2001"}
    busy = on("9", "2001", CallEventId.CONTROL_FAILED, control_cause=Cause.BUSY, **fields)
    told, teller = play((*dials("9", "2002", **fields), busy))
    assert told == [[]]
    assert teller.calls == ()
