"""One call as events tell of it: who is on it, and how each got there. Pure.

What events say of a connection only ever goes forwards within one life of it: nobody who speaks is rung again.

Source: aes-jtapi reference, sections 3 and 4. Assumed: terminals other than an address's own (bridged appearances) say
nothing about a station; a redirected party leaves with cause REDIRECTED.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Final, TypeVar

from msgspec import Struct, field

from unified_agent.links.telephony.jtapi.constants import CallEventId, Cause, ControlConnection, ControlTerminal, Meta
from unified_agent.links.telephony.jtapi.provider import CallEvent, CallRead

_StateT = TypeVar("_StateT", bound=IntEnum)

#: Connections kept of one call, those of parties that left counted.
LEGS_LIMIT: Final = 64

_CONNECTIONS: Final = {
    CallEventId.CONTROL_ALERTING: ControlConnection.ALERTING,
    CallEventId.CONTROL_DIALING: ControlConnection.DIALING,
    CallEventId.CONTROL_DISCONNECTED: ControlConnection.DISCONNECTED,
    CallEventId.CONTROL_ESTABLISHED: ControlConnection.ESTABLISHED,
    CallEventId.CONTROL_FAILED: ControlConnection.FAILED,
    CallEventId.CONTROL_INITIATED: ControlConnection.INITIATED,
    CallEventId.CONTROL_NETWORK_ALERTING: ControlConnection.NETWORK_ALERTING,
    CallEventId.CONTROL_NETWORK_REACHED: ControlConnection.NETWORK_REACHED,
    CallEventId.CONTROL_OFFERED: ControlConnection.OFFERED,
    CallEventId.CONTROL_QUEUED: ControlConnection.QUEUED,
    CallEventId.CONTROL_UNKNOWN: ControlConnection.UNKNOWN,
}
_TERMINALS: Final = {
    CallEventId.TERMINAL_BRIDGED: ControlTerminal.BRIDGED,
    CallEventId.TERMINAL_DROPPED: ControlTerminal.DROPPED,
    CallEventId.TERMINAL_HELD: ControlTerminal.HELD,
    CallEventId.TERMINAL_INUSE: ControlTerminal.INUSE,
    CallEventId.TERMINAL_RINGING: ControlTerminal.RINGING,
    CallEventId.TERMINAL_TALKING: ControlTerminal.TALKING,
    CallEventId.TERMINAL_UNKNOWN: ControlTerminal.UNKNOWN,
}
_DIALLING: Final = frozenset({ControlConnection.INITIATED, ControlConnection.DIALING})
_ARRIVING: Final = frozenset({ControlConnection.OFFERED, ControlConnection.ALERTING})
_LEFT: Final = frozenset({ControlConnection.IDLE, ControlConnection.DISCONNECTED})
_ON_CALL: Final = frozenset({ControlTerminal.TALKING, ControlTerminal.HELD})
_ENDED_TERMINALS: Final = frozenset({ControlTerminal.IDLE, ControlTerminal.DROPPED})

#: Causes in CSTA's words, which desktops and logs know; JTAPI's own name where CSTA has none.
_CAUSES: Final = {
    Cause.CALL_CANCELLED: "callCancelled",
    Cause.DEST_NOT_OBTAINABLE: "destNotObtainable",
    Cause.INCOMPATIBLE_DESTINATION: "incompatibleDestination",
    Cause.LOCKOUT: "lockout",
    Cause.NEW_CALL: "newCall",
    Cause.RESOURCES_NOT_AVAILABLE: "resourcesNotAvailable",
    Cause.NETWORK_CONGESTION: "networkCongestion",
    Cause.NETWORK_NOT_OBTAINABLE: "networkNotObtainable",
    Cause.BUSY: "busy",
    Cause.CONFERENCE: "conference",
    Cause.PARK: "park",
    Cause.REDIRECTED: "redirected",
    Cause.TRANSFER: "transfer",
}
_NORMAL: Final = "normalClearing"


class Joining(Enum):
    """How calls become one."""

    CONFERENCE = "conference"
    TRANSFER = "transfer"


class Leg(Struct, kw_only=True):
    """One connection of a call, through as many lives as it has.

    Attributes:
        address: whose.
        connection: its state.
        terminal: state of its terminal connection; None where none was told of.
        rang: it was called.
        dialled: it calls.
        spoken: somebody has been spoken to.
        shown: it was there when calls were joined, and counts as a party from then on, whether it has answered or not.
        failed: it was not reached; ``failure`` says why, in CSTA's words.
        unheard: nobody heard that it was not reached, because they had put the call on hold.
        redirected: it left by going elsewhere.
        cause: of its end, in CSTA's words.
        joined: it came, or ended, by calls becoming one.
    """

    address: str
    connection: ControlConnection | None = None
    terminal: ControlTerminal | None = None
    rang: bool = False
    dialled: bool = False
    spoken: bool = False
    shown: bool = False
    failed: bool = False
    failure: str = ""
    unheard: bool = False
    redirected: bool = False
    cause: str = ""
    joined: Joining | None = None

    @property
    def is_gone(self) -> bool:
        """Whether it is over."""
        return self.connection in _LEFT or self.terminal in _ENDED_TERMINALS

    @property
    def is_connected(self) -> bool:
        """Whether it can speak: it has answered, or been called for so long that it is through."""
        if self.is_gone or self.connection is ControlConnection.FAILED or self.connection in _DIALLING:
            return False
        return self.connection is ControlConnection.ESTABLISHED or self.terminal in _ON_CALL


class BookCall(Struct, kw_only=True):
    """One call. Attributes: ``legs`` by address, in the order they came; the others as in ``CallRead``.

    ``is_whole``: its parties were read, so that one who is not there is not on it. ``is_handed_on``: it was
    transferred, and the one to whom has not been told of yet.
    """

    id: str
    legs: dict[str, Leg] = field(default_factory=dict)
    calling: str = ""
    called: str = ""
    queue: str = ""
    data: str = ""
    ucid: str = ""
    is_whole: bool = False
    is_handed_on: bool = False

    def others(self, station: str) -> list[Leg]:
        """Return all legs but the station's."""
        return [each for each in self.legs.values() if each.address != station]


def joining_of(event: CallEvent) -> Joining | None:
    """Say whether an event belongs to calls becoming one."""
    causes = {event.cause, event.control_cause}
    if event.meta == Meta.CALL_TRANSFERRING or Cause.TRANSFER in causes:
        return Joining.TRANSFER
    if event.meta == Meta.CALL_MERGING or Cause.CONFERENCE in causes:
        return Joining.CONFERENCE
    return None


def cause_of(event: CallEvent) -> str:
    """Say an event's cause in CSTA's words, empty for none: call control's before the core's, which says less."""
    return _CAUSES.get(_cause(event.control_cause)) or _CAUSES.get(_cause(event.cause)) or ""


def _cause(number: int) -> Cause:
    try:
        return Cause(number)
    except ValueError:
        return Cause.UNKNOWN


def write(call: BookCall, event: CallEvent) -> None:
    """Write one event down that tells of this call."""
    call.calling = event.calling or call.calling
    call.called = event.called or call.called
    call.queue = event.queue or call.queue
    call.data = event.data or call.data
    call.ucid = event.ucid or call.ucid
    if event.id == CallEventId.INVALID:
        for each in call.legs.values():
            if not each.is_gone:
                _leave(each, event)
        return
    if event.id == CallEventId.ACTIVE:
        return
    if event.terminal and event.address and event.terminal != event.address:
        return  # another telephone with an appearance of that address
    leg = call.legs.get(event.address)
    is_end = event.id in {CallEventId.CONTROL_DISCONNECTED, CallEventId.TERMINAL_DROPPED}
    if leg is None:
        if len(call.legs) >= LEGS_LIMIT and not _make_room(call):
            return
        leg = call.legs[event.address] = _begun(call, event.address)
    elif leg.is_gone and not is_end:
        leg = call.legs[event.address] = _begun(call, event.address)
    if event.id in _CONNECTIONS:
        _connect(call, leg, _CONNECTIONS[CallEventId(event.id)], event)
    else:
        _take_terminal(leg, _TERMINALS[CallEventId(event.id)], event)
    _note_speech(call, leg, joining_of(event))


def _begun(call: BookCall, address: str) -> Leg:
    """Begin a leg. Whoever comes to a call just handed on, with one other left in it, is the one to whom."""
    live = sum(not each.is_gone for each in call.legs.values())
    shown, call.is_handed_on = call.is_handed_on and live == 1, False
    return Leg(address=address, shown=shown)


def tells_of_leg(event: CallEvent) -> bool:
    """Say whether an event tells of somebody on its call."""
    return event.id in _CONNECTIONS or event.id in _TERMINALS


def _make_room(call: BookCall) -> bool:
    gone = next((address for address, each in call.legs.items() if each.is_gone), None)
    if gone is None:
        return False
    del call.legs[gone]
    return True


def _connect(call: BookCall, leg: Leg, state: ControlConnection, event: CallEvent) -> None:
    if state in _LEFT:
        _leave(leg, event)
        return
    leg.rang = leg.rang or state in _ARRIVING
    leg.dialled = leg.dialled or state in _DIALLING
    settled = leg.connection in {ControlConnection.ESTABLISHED, ControlConnection.FAILED}
    if state is ControlConnection.FAILED:
        if not leg.failed:
            leg.unheard = any(each.terminal is ControlTerminal.HELD for each in call.others(leg.address))
        leg.failed = True
        leg.failure = leg.failure or cause_of(event)
        leg.connection = state
    elif state is ControlConnection.UNKNOWN:
        leg.connection = leg.connection or state
    elif not settled:
        leg.connection = state


def _take_terminal(leg: Leg, state: ControlTerminal, event: CallEvent) -> None:
    if state in _ENDED_TERMINALS:
        _leave(leg, event)
        return
    leg.rang = leg.rang or state is ControlTerminal.RINGING
    if state is ControlTerminal.UNKNOWN:
        leg.terminal = leg.terminal or state
    elif not (state is ControlTerminal.RINGING and leg.terminal in _ON_CALL):
        leg.terminal = state


def _leave(leg: Leg, event: CallEvent) -> None:
    """End a leg. Several events tell it; the one that says why counts, and normal is said by all that know no more."""
    cause = cause_of(event) or (_NORMAL if Cause.NORMAL in {event.cause, event.control_cause} else "")
    if not leg.is_gone or leg.cause in {"", _NORMAL}:
        leg.cause = cause or leg.cause
    leg.connection = ControlConnection.DISCONNECTED
    leg.redirected = leg.redirected or Cause.REDIRECTED in {event.cause, event.control_cause}
    leg.joined = joining_of(event) or leg.joined


def _note_speech(call: BookCall, moved: Leg, joining: Joining | None) -> None:
    """Note who has spoken to somebody, which they cannot have done again later for the first time."""
    connected = [each for each in call.legs.values() if each.is_connected]
    for each in connected:
        called = each.rang or (not each.dialled and call.calling not in {"", each.address})
        # Who is called speaks when it has answered; who calls, when somebody else has.
        each.spoken = each.spoken or called or len(connected) > 1
    if joining is not None:
        call.is_handed_on = call.is_handed_on or joining is Joining.TRANSFER
        if not moved.is_gone:
            moved.joined = joining
            moved.spoken = moved.spoken or moved.is_connected
        for each in call.legs.values():
            each.shown = each.shown or not each.is_gone


def vanish(leg: Leg) -> None:
    """End a leg that is not there any more when its call is read; why, nobody said."""
    leg.connection = ControlConnection.DISCONNECTED


def overwrite(call: BookCall, read: CallRead) -> None:
    """Write down what was read of this call: that is all there is."""
    call.calling = read.calling or call.calling
    call.called = read.called or call.called
    call.queue = read.queue or call.queue
    call.data = read.data or call.data
    call.ucid = read.ucid or call.ucid
    call.is_whole = True
    there = {each.address: each for each in read.legs[:LEGS_LIMIT]}
    for leg in call.legs.values():
        if leg.address not in there and not leg.is_gone:
            vanish(leg)
    for address, found in there.items():
        known = call.legs.get(address)
        if known is None or known.is_gone:
            known = call.legs[address] = Leg(address=address)
        known.connection = _known(ControlConnection, found.connection)
        known.terminal = _known(ControlTerminal, found.terminal)
        known.rang = known.rang or known.connection in _ARRIVING or known.terminal is ControlTerminal.RINGING
        known.dialled = known.dialled or known.connection in _DIALLING
        known.failed = known.failed or known.connection is ControlConnection.FAILED
        _note_speech(call, known, None)


def _known(kind: type[_StateT], number: int | None) -> _StateT | None:
    try:
        return kind(number) if number is not None else None
    except ValueError:
        return None
