"""The calls that a client library for JTAPI keeps, and the events that it makes of what AES tells.

AES tells each event once for every station that sees it; a client library keeps one object for each call and tells what
changes there. Several events come of one: of the connection, of its terminal, of the call. Pure.

Source: aes-jtapi reference, sections 3, 4 and 6. Assumed: after a transfer or conference the call goes on under the id
that AES tells, and the other one is invalid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct, field

from unified_agent.links.telephony.call_facts import number_of, text_of
from unified_agent.links.telephony.jtapi.constants import CallEventId, Cause, ControlConnection, ControlTerminal, Meta
from unified_agent.links.telephony.jtapi.provider import CallEvent, CallRead, LegRead
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta import values
from unified_agent.wire.csta.values import LocalState, extension_of

_CONNECTION_EVENTS = {
    ControlConnection.INITIATED: CallEventId.CONTROL_INITIATED,
    ControlConnection.ALERTING: CallEventId.CONTROL_ALERTING,
    ControlConnection.QUEUED: CallEventId.CONTROL_QUEUED,
    ControlConnection.ESTABLISHED: CallEventId.CONTROL_ESTABLISHED,
    ControlConnection.FAILED: CallEventId.CONTROL_FAILED,
    ControlConnection.NETWORK_REACHED: CallEventId.CONTROL_NETWORK_REACHED,
}
_TERMINAL_EVENTS = {
    ControlTerminal.RINGING: CallEventId.TERMINAL_RINGING,
    ControlTerminal.TALKING: CallEventId.TERMINAL_TALKING,
    ControlTerminal.HELD: CallEventId.TERMINAL_HELD,
}
_CAUSES = {
    values.Cause.BUSY: Cause.BUSY,
    values.Cause.DESTINATION_NOT_OBTAINABLE: Cause.DEST_NOT_OBTAINABLE,
    values.Cause.DESTINATION_OUT_OF_ORDER: Cause.DEST_NOT_OBTAINABLE,
    values.Cause.CALL_CANCELLED: Cause.CALL_CANCELLED,
    values.Cause.NEW_CALL: Cause.NEW_CALL,
}
#: What a snapshot's states are here. On the way somewhere nobody is told of it by call control.
_SNAPSHOTS: dict[LocalState, tuple[ControlConnection, ControlTerminal | None]] = {
    LocalState.INITIATED: (ControlConnection.INITIATED, ControlTerminal.TALKING),
    LocalState.ALERTING: (ControlConnection.ALERTING, ControlTerminal.RINGING),
    LocalState.CONNECTED: (ControlConnection.ESTABLISHED, ControlTerminal.TALKING),
    LocalState.HOLD: (ControlConnection.ESTABLISHED, ControlTerminal.HELD),
    LocalState.QUEUED: (ControlConnection.QUEUED, None),
    LocalState.FAIL: (ControlConnection.FAILED, None),
}


class ClientLeg(Struct, kw_only=True):
    """One connection and its terminal's part. ``UNKNOWN`` is on its way, and nobody was told of it."""

    connection: ControlConnection = ControlConnection.UNKNOWN
    terminal: ControlTerminal | None = None


class ClientCall(Struct, kw_only=True):
    """One call as the library has it. Attributes as in ``CallRead``."""

    id: str
    legs: dict[str, ClientLeg] = field(default_factory=dict)
    calling: str = ""
    called: str = ""
    last_redirected: str = ""
    queue: str = ""
    data: str = ""
    ucid: str = ""


class ClientCalls:
    """All calls of one provider.

    Args:
        is_station: whether a number has a terminal.
        is_observed: whether a station is observed.
        says_invalid: a call that no observed station is in any more is told as invalid; else nothing is told.
    """

    def __init__(
        self, is_station: Callable[[str], bool], is_observed: Callable[[str], bool], *, says_invalid: bool
    ) -> None:
        self._is_station = is_station
        self._is_observed = is_observed
        self._says_invalid = says_invalid
        self._calls: dict[str, ClientCall] = {}
        self._told: list[CallEvent] = []
        self._meta = Meta.UNKNOWN
        self._cause = Cause.NORMAL
        self._control_cause = 0

    def clear(self) -> None:
        """Know nothing any more."""
        self._calls.clear()

    def at(self, station: str) -> tuple[CallRead, ...]:
        """Return the calls at a station, from memory."""
        return tuple(_read(each) for each in self._calls.values() if _has_part(each, station))

    def leg_of(self, station: str, call: str) -> ClientLeg | None:
        """Return a station's part in a call."""
        known = self._calls.get(call)
        return known.legs[station] if known is not None and _has_part(known, station) else None

    def take(self, event: csta.Message) -> list[CallEvent]:
        """Take what AES tells, and return what is told of it: nothing if that was known."""
        take = _TAKE.get(type(event))
        if take is None:
            return []
        cause = _CAUSES.get(getattr(event, "cause", None))  # type: ignore[arg-type]
        self._meta, self._cause, self._control_cause = Meta.CALL_PROGRESS, cause or Cause.NORMAL, 0
        take(self, event)
        return self._taken()

    def snapshot(self, call: str, answer: csta.SnapshotCallResponse) -> list[CallEvent]:
        """Take what AES answered of a call, and return the events that tell it, whatever was known."""
        self._meta, self._cause, self._control_cause = Meta.SNAPSHOT, Cause.SNAPSHOT, 0
        known = self._calls.get(call)
        if known is None:
            known = self._calls[call] = ClientCall(id=call)
        known.calling = number_of(answer.calling) or known.calling
        known.called = number_of(answer.called) or known.called
        known.legs.clear()
        for entry in answer.parties:
            number = number_of(entry.device)
            if entry.local_state is not None:
                connection, terminal = _SNAPSHOTS[entry.local_state]
                self._move(known, number, connection, terminal)
        return self._taken()

    def look_away(self) -> None:
        """Forget what is out of sight now that a station is observed no more; nobody is there to be told."""
        for call in tuple(self._calls.values()):
            self._forget(call)
        self._told.clear()

    def _taken(self) -> list[CallEvent]:
        told, self._told = self._told, []
        return told

    # --- telling

    def _tell(self, call: ClientCall, what: int, address: str = "", terminal: str = "") -> None:
        self._told.append(
            CallEvent(
                id=what,
                call=call.id,
                cause=self._cause,
                control_cause=self._control_cause,
                meta=self._meta,
                address=address,
                terminal=terminal,
                calling=call.calling,
                called=call.called,
                last_redirected=call.last_redirected,
                queue=call.queue,
                data=call.data,
                ucid=call.ucid,
            )
        )

    def _move(
        self, call: ClientCall, number: str, connection: ControlConnection, terminal: ControlTerminal | None
    ) -> None:
        """Bring a leg into a state, and tell what changed."""
        leg = call.legs.setdefault(number, ClientLeg())
        if leg.connection is not connection:
            leg.connection = connection
            if connection in _CONNECTION_EVENTS:
                self._tell(call, _CONNECTION_EVENTS[connection], number)
        if not self._is_station(number) or terminal is leg.terminal or terminal is None:
            return
        leg.terminal = terminal
        self._tell(call, _TERMINAL_EVENTS[terminal], number, number)

    def _end(self, call: ClientCall, number: str) -> None:
        leg = call.legs.pop(number, None)
        if leg is None or leg.connection is ControlConnection.UNKNOWN:
            return
        if leg.terminal is not None:
            self._tell(call, CallEventId.TERMINAL_DROPPED, number, number)
        self._tell(call, CallEventId.CONTROL_DISCONNECTED, number)

    def _forget(self, call: ClientCall) -> None:
        """Forget a call that is out of sight."""
        if self._calls.get(call.id) is not call or any(
            self._is_observed(each) and _has_part(call, each) for each in call.legs
        ):
            return
        del self._calls[call.id]
        if not call.legs or self._says_invalid:
            for number in list(call.legs):
                self._end(call, number)
            self._tell(call, CallEventId.INVALID)

    # --- what AES tells

    def _call(self, event: Any) -> ClientCall:
        """Return the call of an event, known from now on, with what the event tells of it."""
        name = str(event.connection.call_id)
        call = self._calls.get(name)
        if call is None:
            self._meta = Meta.CALL_STARTING
            call = self._calls[name] = ClientCall(id=name)
            self._describe(call, event)
            self._tell(call, CallEventId.ACTIVE)
            caller = number_of(getattr(event, "calling", None))
            if caller and caller != extension_of(event.connection.device_id):
                # A monitor that begins to see a call late learns of its caller so, and of nobody else.
                self._move(call, caller, ControlConnection.ESTABLISHED, ControlTerminal.TALKING)
        else:
            self._describe(call, event)
        return call

    def _describe(self, call: ClientCall, event: Any) -> None:
        group = getattr(event, "acd_group", None)
        call.calling = number_of(getattr(event, "calling", None)) or call.calling
        call.called = number_of(getattr(event, "called", None)) or call.called
        call.last_redirected = number_of(getattr(event, "last_redirection", None)) or call.last_redirected
        vdn = number_of(getattr(event, "distributing_vdn", None))
        call.queue = vdn or (extension_of(group) if group else "") or call.queue
        call.data = text_of(getattr(event, "user_data", None)) or call.data
        call.ucid = event.ucid or call.ucid

    def _reached(self, event: Any, connection: ControlConnection, terminal: ControlTerminal | None) -> None:
        """The call is at the event's device, and on its way nowhere else, nor waiting."""
        call = self._call(event)
        number = extension_of(event.connection.device_id)
        if connection is not ControlConnection.ESTABLISHED:
            for each in [name for name, leg in call.legs.items() if leg.connection in _ON_THE_WAY and name != number]:
                self._end(call, each)
        self._move(call, number, connection, terminal)

    def _initiated(self, event: csta.ServiceInitiatedEvent) -> None:
        call = self._call(event)
        number = extension_of(event.connection.device_id)
        if number not in call.legs:
            self._move(call, number, ControlConnection.INITIATED, ControlTerminal.TALKING)

    def _originated(self, event: csta.OriginatedEvent) -> None:
        call = self._call(event)
        number = extension_of(event.connection.device_id)
        leg = call.legs.get(number)
        if leg is None or leg.connection is ControlConnection.INITIATED:
            self._tell(call, CallEventId.CONTROL_DIALING, number)
            self._move(call, number, ControlConnection.ESTABLISHED, ControlTerminal.TALKING)

    def _delivered(self, event: csta.DeliveredEvent) -> None:
        self._reached(event, ControlConnection.ALERTING, ControlTerminal.RINGING)

    def _queued(self, event: csta.QueuedEvent) -> None:
        self._reached(event, ControlConnection.QUEUED, None)

    def _failed(self, event: csta.FailedEvent) -> None:
        self._control_cause = self._cause
        self._reached(event, ControlConnection.FAILED, None)

    def _network_reached(self, event: csta.NetworkReachedEvent) -> None:
        self._reached(event, ControlConnection.NETWORK_REACHED, None)

    def _established(self, event: csta.EstablishedEvent) -> None:
        self._reached(event, ControlConnection.ESTABLISHED, ControlTerminal.TALKING)

    def _held(self, event: csta.HeldEvent) -> None:
        self._change(event, ControlTerminal.HELD)

    def _retrieved(self, event: csta.RetrievedEvent) -> None:
        self._control_cause = Cause.UNHOLD
        self._change(event, ControlTerminal.TALKING)

    def _change(self, event: csta.HeldEvent | csta.RetrievedEvent, terminal: ControlTerminal) -> None:
        number = extension_of(event.connection.device_id)
        call = self._calls.get(str(event.connection.call_id))
        if call is not None and number in call.legs:
            self._move(call, number, call.legs[number].connection, terminal)

    def _cleared(self, event: csta.ConnectionClearedEvent | csta.DivertedEvent) -> None:
        call = self._calls.get(str(event.connection.call_id))
        if call is None:
            return
        if isinstance(event, csta.DivertedEvent):
            self._control_cause = Cause.REDIRECTED
        self._meta = Meta.REMOVING_PARTY
        self._end(call, extension_of(event.connection.device_id))
        self._forget(call)

    def _merged(self, event: csta.ConferencedEvent | csta.TransferedEvent) -> None:
        transfer = isinstance(event, csta.TransferedEvent)
        self._meta = Meta.CALL_TRANSFERRING if transfer else Meta.CALL_MERGING
        self._control_cause = Cause.TRANSFER if transfer else Cause.CONFERENCE
        now = [each.new for each in event.connections if each.new is not None]
        if not now:
            return
        name = str(now[0].call_id)
        olds = [str(each.call_id) for each in (event.primary_old_call, event.secondary_old_call) if each is not None]
        known = {each: self._calls[each] for each in dict.fromkeys([*olds, name]) if each in self._calls}
        numbers = [extension_of(each.device_id) for each in now]
        gone = [each for each in known if each != name]
        call = known.get(name)
        if call is not None and not gone and set(call.legs) == set(numbers):
            return  # another monitor told it before
        if call is None:
            if not known:
                return  # none of its stations is seen any more
            first = next(iter(known.values()))
            call = self._calls[name] = ClientCall(id=name, called=first.called, queue=first.queue, data=first.data)
            self._describe(call, event)
            self._tell(call, CallEventId.ACTIVE)
        self._describe(call, event)
        before = _states(known.values(), numbers)
        for number in numbers:
            if number not in call.legs:
                leg = before.get(number, ClientLeg())
                if leg.connection is ControlConnection.UNKNOWN:
                    call.legs[number] = ClientLeg()
                else:
                    self._move(call, number, leg.connection, leg.terminal)
            elif number in before and before[number].terminal is not None:
                self._move(call, number, before[number].connection, before[number].terminal)
        for number in [each for each in call.legs if each not in numbers]:
            self._end(call, number)
        for each in gone:
            over = self._calls.pop(each)
            for number in list(over.legs):
                self._end(over, number)
            self._tell(over, CallEventId.INVALID)
        self._forget(call)


def _has_part(call: ClientCall, station: str) -> bool:
    """Whether a station's terminal is in a call. One that was busy has only a connection, which has failed."""
    leg = call.legs.get(station)
    return leg is not None and leg.terminal is not None


_ON_THE_WAY = frozenset({ControlConnection.UNKNOWN, ControlConnection.QUEUED})


def _states(calls: Iterable[ClientCall], numbers: Iterable[str]) -> dict[str, ClientLeg]:
    """Return each number's leg in the calls before, the active one where it has two."""
    found: dict[str, ClientLeg] = {}
    for number in numbers:
        legs = [each.legs[number] for each in calls if number in each.legs]
        if legs:
            best = next((each for each in legs if each.terminal is ControlTerminal.TALKING), legs[0])
            found[number] = ClientLeg(connection=best.connection, terminal=best.terminal)
    return found


def _read(call: ClientCall) -> CallRead:
    return CallRead(
        call=call.id,
        legs=tuple(
            LegRead(address=number, connection=leg.connection, terminal=leg.terminal)
            for number, leg in call.legs.items()
            if leg.connection is not ControlConnection.UNKNOWN
        ),
        calling=call.calling,
        called=call.called,
        last_redirected=call.last_redirected,
        queue=call.queue,
        data=call.data,
        ucid=call.ucid,
    )


_TAKE: dict[type[csta.Message], Callable[[ClientCalls, Any], None]] = {
    csta.ServiceInitiatedEvent: ClientCalls._initiated,
    csta.OriginatedEvent: ClientCalls._originated,
    csta.DeliveredEvent: ClientCalls._delivered,
    csta.QueuedEvent: ClientCalls._queued,
    csta.NetworkReachedEvent: ClientCalls._network_reached,
    csta.EstablishedEvent: ClientCalls._established,
    csta.FailedEvent: ClientCalls._failed,
    csta.HeldEvent: ClientCalls._held,
    csta.RetrievedEvent: ClientCalls._retrieved,
    csta.ConnectionClearedEvent: ClientCalls._cleared,
    csta.DivertedEvent: ClientCalls._cleared,
    csta.ConferencedEvent: ClientCalls._merged,
    csta.TransferedEvent: ClientCalls._merged,
}
