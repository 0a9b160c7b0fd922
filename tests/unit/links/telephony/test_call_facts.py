"""Every row of the translation of call events, seen from station 2001."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.links.telephony.world import device, leg, party

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
from unified_agent.links.telephony.call_facts import Viewpoint, text_of
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.values import ConnectionListItem, DeviceId, LocalState, MonitorId

OWN = Viewpoint(SessionId("s"), device("2001"))
UCID = "00001001791428242051"


def event(kind: type[csta.Message], *, call: str = "7", at: str = "2001", **fields: Any) -> csta.Message:
    """Make an event about the connection of a device in a call; parties left out are not known."""
    filled: dict[str, Any] = {"monitor_id": MonitorId("1"), "cause": None, "connection": leg(call, at)}
    for name in kind.__struct_fields__:
        if name in _PARTIES:
            filled[name] = party(fields.pop(name, None))
    return kind(**{**filled, **fields})


_PARTIES = {
    "added_party",
    "alerting",
    "answering",
    "called",
    "calling",
    "conferencing",
    "diverting",
    "failing",
    "holding",
    "initiating",
    "last_redirection",
    "network_interface",
    "new_destination",
    "queue",
    "releasing",
    "retrieving",
    "transferred_to",
    "transferring",
}


def joined(kind: type[csta.Message], *legs: tuple[str, str], old: tuple[str, ...] = ("7", "8"), **fields: Any) -> Any:
    """Make a Conferenced or Transfered event with the legs that there are after it."""
    filled: dict[str, Any] = {"monitor_id": MonitorId("1"), "cause": None}
    for name in kind.__struct_fields__:
        if name in _PARTIES:
            filled[name] = party(fields.pop(name, None))
    by = fields.pop("by", "2001")
    items = tuple(ConnectionListItem(new=leg(*each)) for each in legs)
    return kind(
        **{
            **filled,
            "primary_old_call": leg(old[0], by),
            "secondary_old_call": leg(old[1], by) if len(old) > 1 else None,
            "connections": items,
            **fields,
        }
    )


def fact(kind: type[CallFact], call: str = "7", **fields: Any) -> CallFact:
    return kind(session=SessionId("s"), call=CallId(call), **fields)


def merged(call: str, *numbers: str, old: tuple[str, ...] = ("7", "8")) -> CallFact:
    return fact(
        CallsMerged,
        call,
        old=tuple(CallId(each) for each in old),
        parties=tuple(PartySeen(number=each) for each in numbers),
    )


ARRIVED = {"called": "8000", "queue": "8000", "data": "ACC=4711", "ucid": UCID}
ARRIVING: dict[str, Any] = {
    "called": "8000",
    "user_data": b"ACC=4711",
    "ucid": UCID,
    "acd_group": device("100"),
    "distributing_vdn": party("8000"),
}
D, E, C = csta.DeliveredEvent, csta.EstablishedEvent, csta.ConnectionClearedEvent
TRANSFERRED, CONFERENCED = csta.TransferedEvent, csta.ConferencedEvent

ROWS: list[tuple[str, csta.Message, tuple[CallFact, ...]]] = [
    ("rings here", event(D, calling="3001", **ARRIVING), (fact(CallAlerting, number="3001", **ARRIVED),)),
    (
        "rings here by a hunt group without VDN",
        event(D, calling="3001", acd_group=device("100")),
        (fact(CallAlerting, number="3001", queue="100"),),
    ),
    ("rings here from a withheld number", event(D), (fact(CallAlerting, number=""),)),
    (
        "rings there for us",
        event(D, at="2002", calling="2001", called="2002", ucid=UCID),
        (fact(CallDialling, number="2002", ucid=UCID),),
    ),
    (
        "rings there for us, who are not named",
        event(D, at="2002", called="2002", local_state=LocalState.CONNECTED),
        (fact(CallDialling, number="2002"),),
    ),
    ("rings at somebody else in a call that is not ours to dial", event(D, at="2003", calling="3001"), ()),
    (
        "we dialled",
        event(csta.OriginatedEvent, calling="2001", called="2002"),
        (fact(CallDialling, number="2002"),),
    ),
    ("somebody else dialled", event(csta.OriginatedEvent, at="2002", calling="2002", called="2001"), ()),
    ("off hook", event(csta.ServiceInitiatedEvent), ()),
    (
        "our call waits in a queue",
        event(csta.QueuedEvent, at="100", calling="2001", called="8000", queue="100"),
        (fact(CallDialling, number="8000"),),
    ),
    ("another's call waits in a queue", event(csta.QueuedEvent, at="100", calling="3001", called="8000"), ()),
    (
        "our call left the switch",
        event(csta.NetworkReachedEvent, at="T1", calling="2001", called="90441"),
        (fact(CallDialling, number="90441"),),
    ),
    (
        "answered here",
        event(E, answering="2001", calling="3001", **ARRIVING),
        (fact(CallEstablished, number="3001", incoming=True, **ARRIVED),),
    ),
    (
        "answered there",
        event(E, at="2002", answering="2002", calling="2001", called="2002"),
        (fact(CallEstablished, number="2002", incoming=False, called="2002"),),
    ),
    (
        "answered by somebody else than was dialled",
        event(E, at="2002", answering="2002", calling="2001", called="8000"),
        (fact(CallEstablished, number="2002", incoming=False, called="8000"),),
    ),
    (
        "answered by somebody who is not named",
        event(E, at="", calling="2001", called="90441"),
        (fact(CallEstablished, number="90441", incoming=False, called="90441"),),
    ),
    (
        "a further party answered while we hold",
        event(E, at="2003", answering="2003", calling="3001", local_state=LocalState.HOLD),
        (fact(CallEstablished, number="2003", incoming=False), fact(CallHeld)),
    ),
    (
        "answered elsewhere while it rings here",
        event(E, at="2003", answering="2003", calling="3001", local_state=LocalState.ALERTING),
        (),
    ),
    (
        "our own call came back to us and is answered",
        event(E, answering="2001", calling="2001", called="2002"),
        (fact(CallEstablished, number="", incoming=True, called="2002"),),
    ),
    ("we held", event(csta.HeldEvent, holding="2001"), (fact(CallHeld),)),
    ("they held", event(csta.HeldEvent, at="2002", holding="2002"), (fact(CallHeld, number="2002"),)),
    ("somebody held", event(csta.HeldEvent, at=""), (fact(CallHeld, number=""),)),
    ("we retrieved", event(csta.RetrievedEvent, retrieving="2001"), (fact(CallRetrieved),)),
    (
        "they retrieved",
        event(csta.RetrievedEvent, at="2002", retrieving="2002"),
        (fact(CallRetrieved, number="2002"),),
    ),
    (
        "we left",
        event(C, releasing="2001", cause="normalClearing"),
        (fact(CallEnded, cause="normalClearing"),),
    ),
    ("they left", event(C, at="3001", releasing="3001"), (fact(CallDropped, number="3001"),)),
    ("we dropped somebody", event(C, at="3001", releasing="2001"), (fact(CallDropped, number="3001"),)),
    ("we left, told by the releasing device alone", event(C, at="", releasing="2001"), (fact(CallEnded),)),
    (
        "the whole call is gone",
        event(csta.CallClearedEvent, at="", cause="normalClearing"),
        (fact(CallEnded, cause="normalClearing"),),
    ),
    (
        "it left us for elsewhere",
        event(csta.DivertedEvent, diverting="2001", new_destination="2002", cause="redirected"),
        (fact(CallEnded, cause="redirected"),),
    ),
    ("it left us unexplained", event(csta.DivertedEvent, diverting="2001"), (fact(CallEnded, cause="diverted"),)),
    ("it left somebody else", event(csta.DivertedEvent, at="2002", diverting="2002", calling="2001"), ()),
    (
        "busy there",
        event(csta.FailedEvent, at="2002", failing="2002", calling="2001", called="2002", cause="busy"),
        (fact(CallFailed, number="2002", cause="busy"),),
    ),
    (
        "our own leg failed",
        event(csta.FailedEvent, failing="2001", calling="3001", called="2001", cause="forcedPause"),
        (fact(CallFailed, number="2001", cause="forcedPause"),),
    ),
    (
        "somebody who was to join was not reached",
        event(csta.FailedEvent, at="2003", failing="2003", calling="3001", local_state=LocalState.CONNECTED),
        (fact(CallDropped, number="2003"),),
    ),
    (
        "we conferenced",
        joined(CONFERENCED, ("8", "2001"), ("8", "3001"), ("8", "2002"), conferencing="2001"),
        (merged("8", "3001", "2002"),),
    ),
    (
        "we were conferenced",
        joined(CONFERENCED, ("8", "3001"), ("8", "2002"), ("8", "2001"), by="2002", conferencing="2002"),
        (merged("8", "3001", "2002"),),
    ),
    (
        "a party was added at once",
        joined(CONFERENCED, ("7", "2001"), ("7", "3001"), ("7", "2003"), old=("7",), conferencing="2001"),
        (merged("7", "3001", "2003", old=("7",)),),
    ),
    (
        "conferenced with a new id while we hold",
        joined(
            CONFERENCED,
            ("9", "2001"),
            ("9", "3001"),
            by="3001",
            conferencing="3001",
            local_state=LocalState.HOLD,
        ),
        (merged("9", "3001"), fact(CallHeld, "9")),
    ),
    (
        "we transferred away",
        joined(TRANSFERRED, ("8", "3001"), ("8", "2002"), transferring="2001", cause="transfer"),
        (fact(CallEnded, "7", cause="transfer"), fact(CallEnded, "8", cause="transfer")),
    ),
    (
        "we transferred away, and nobody is listed",
        joined(TRANSFERRED, transferring="2001"),
        (fact(CallEnded, "7"), fact(CallEnded, "8")),
    ),
    (
        "a call was transferred to us",
        joined(TRANSFERRED, ("8", "3001"), ("8", "2001"), by="2002", transferring="2002", transferred_to="2001"),
        (merged("8", "3001"),),
    ),
    (
        "our caller was transferred under a new id",
        joined(TRANSFERRED, ("9", "2003"), ("9", "2001"), by="2002", transferring="2002"),
        (merged("9", "2003"),),
    ),
    (
        "we are not among those who are left",
        joined(TRANSFERRED, ("8", "3001"), ("8", "2003"), by="2002", transferring="2002"),
        (fact(CallEnded, "7"), fact(CallEnded, "8")),
    ),
    (
        "transferred by somebody, and nobody is listed",
        joined(TRANSFERRED, by="2002", transferring="2002"),
        (merged("8"),),
    ),
    (
        "transferred to us while it rings",
        joined(
            TRANSFERRED,
            ("8", "3001"),
            ("8", "2001"),
            by="2002",
            transferring="2002",
            local_state=LocalState.ALERTING,
            ucid=UCID,
        ),
        (
            fact(CallEnded, "7"),
            fact(CallDropped, "8", number="2002"),
            fact(CallAlerting, "8", number="3001", ucid=UCID),
        ),
    ),
]


@pytest.mark.parametrize(("what", "told", "facts"), ROWS, ids=[row[0].replace(" ", "-") for row in ROWS])
def test_event_becomes_facts(what: str, told: csta.Message, facts: tuple[CallFact, ...]) -> None:
    assert OWN.facts(told) == facts


def test_every_call_event_has_a_row() -> None:
    told = {type(row[1]) for row in ROWS}
    events = {
        kind
        for name, kind in vars(csta).items()
        if name.endswith("Event") and not name.startswith(("Agent", "Link", "Service"))
    }
    assert events <= told


def test_message_that_is_no_call_event_is_left_to_others() -> None:
    assert OWN.facts(csta.MonitorStop(monitor_id=MonitorId("1"))) is None


def test_own_device_is_recognised_whatever_its_case() -> None:
    own = Viewpoint(SessionId("s"), DeviceId("2001:cm1::0"))
    assert own.facts(event(csta.HeldEvent, holding="2001")) == (fact(CallHeld),)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (None, ""),
        (b"", ""),
        (b"ACC=4711", "ACC=4711"),
        ("Zoë".encode(), "Zoë"),
        ("Zoë".encode("latin-1"), "Zoë"),
        (b"\x00\x04ACC\x00", "ACC"),
    ],
)
def test_user_to_user_information_is_read_as_text(data: bytes | None, text: str) -> None:
    assert text_of(data) == text
