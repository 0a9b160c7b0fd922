"""What happened to calls at a station, as facts.

Everything is seen from the station: its own part in a call is told from another party's by the device id. Numbers
are what stands before the first colon of a device id.

Source: aes-dmcc reference, section 8. Ids after a transfer or conference are taken from the list of connections in
the event, never computed.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any, Final

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
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.values import DeviceId, LocalState, Party, extension_of, same_device

Facts = tuple[CallFact, ...]


class Viewpoint:
    """Translates the events of one station for one session.

    Args:
        session: whose facts they become.
        device: the station's device id.
        answered: the station's calls in which somebody has been spoken to. Another's leg that rings or fails in one
            of those is somebody further, and does not make the station wait again.
    """

    __slots__ = ("answered", "device", "session")

    def __init__(self, session: SessionId, device: DeviceId, answered: Container[CallId] = ()) -> None:
        self.session = session
        self.device = device
        self.answered = answered

    def facts(self, event: csta.Message) -> Facts | None:
        """Translate one call event.

        Returns:
            The facts in order, perhaps none; None for a message that is no call event.
        """
        translate = _EVENTS.get(type(event))
        return translate(self, event) if translate is not None else None

    def is_own(self, device: DeviceId | None) -> bool:
        """Say whether a device is this station."""
        return same_device(device, self.device)


def number_of(party: Party | None) -> str:
    """Return a party's number, empty when the switch withholds it."""
    return extension_of(party.device) if party is not None and party.device is not None else ""


def text_of(data: bytes | None) -> str:
    """Read user-to-user information as text: UTF-8, or Latin-1 where it is not; without what cannot be shown."""
    if not data:
        return ""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return "".join(each for each in text if each.isprintable()).strip()


def _arrival(event: csta.DeliveredEvent | csta.EstablishedEvent) -> dict[str, str]:
    group = extension_of(event.acd_group) if event.acd_group else ""
    return {
        "called": number_of(event.called),
        "queue": number_of(event.distributing_vdn) or group,
        "data": text_of(event.user_data),
        "ucid": event.ucid or "",
    }


def _calls_out(own: Viewpoint, event: Any) -> bool:
    """Say whether the station is calling. A caller who is not told is the station when its leg is no answer's.

    With its leg held the station waits for nobody: the other party has moved on to somebody who is being rung now.
    """
    if event.local_state not in {None, LocalState.INITIATED, LocalState.CONNECTED}:
        return False
    if event.connection.call_id in own.answered:
        return False
    return event.calling.device is None or own.is_own(event.calling.device)


def _originated(own: Viewpoint, event: csta.OriginatedEvent) -> Facts:
    if not own.is_own(event.connection.device_id):
        return ()
    return (_dialling(own, event),)


def _dialling(own: Viewpoint, event: Any) -> CallDialling:
    return CallDialling(
        session=own.session,
        call=CallId(event.connection.call_id),
        number=number_of(event.called),
        ucid=event.ucid or "",
    )


def _delivered(own: Viewpoint, event: csta.DeliveredEvent) -> Facts:
    if own.is_own(event.connection.device_id):
        return (
            CallAlerting(
                session=own.session,
                call=CallId(event.connection.call_id),
                number=number_of(event.calling),
                **_arrival(event),
            ),
        )
    return (_dialling(own, event),) if _calls_out(own, event) else ()


def _under_way(own: Viewpoint, event: csta.QueuedEvent | csta.NetworkReachedEvent) -> Facts:
    """Our call waits in a queue, or left the switch; anybody else's is none of ours."""
    ours = own.is_own(event.calling.device) and _calls_out(own, event)
    return (_dialling(own, event),) if ours else ()


def _established(own: Viewpoint, event: csta.EstablishedEvent) -> Facts:
    session, call = own.session, CallId(event.connection.call_id)
    if own.is_own(event.connection.device_id):
        # A call that came back to the one who began it names the station itself as the caller.
        number = "" if own.is_own(event.calling.device) else number_of(event.calling)
        return (CallEstablished(session=session, call=call, number=number, incoming=True, **_arrival(event)),)
    if event.local_state is LocalState.ALERTING:
        return ()  # somebody else answered a call that still rings here too
    number = number_of(event.answering) or extension_of(event.connection.device_id) or number_of(event.called)
    answered = CallEstablished(session=session, call=call, number=number, incoming=False, **_arrival(event))
    if event.local_state is LocalState.HOLD:
        return (answered, CallHeld(session=session, call=call))
    return (answered,)


def _held(own: Viewpoint, event: csta.HeldEvent) -> Facts:
    number = _other(own, event.connection.device_id, event.holding)
    return (CallHeld(session=own.session, call=CallId(event.connection.call_id), number=number),)


def _retrieved(own: Viewpoint, event: csta.RetrievedEvent) -> Facts:
    number = _other(own, event.connection.device_id, event.retrieving)
    return (CallRetrieved(session=own.session, call=CallId(event.connection.call_id), number=number),)


def _other(own: Viewpoint, device: DeviceId, party: Party) -> str | None:
    """Name the party that did something, None when it was the station."""
    acting = device or party.device
    if own.is_own(acting):
        return None
    return extension_of(acting) if acting else ""


def _cleared(own: Viewpoint, event: csta.ConnectionClearedEvent) -> Facts:
    call = CallId(event.connection.call_id)
    number = _other(own, event.connection.device_id, event.releasing)
    if number is None:
        return (CallEnded(session=own.session, call=call, cause=event.cause or ""),)
    return (CallDropped(session=own.session, call=call, number=number),)


def _call_cleared(own: Viewpoint, event: csta.CallClearedEvent) -> Facts:
    return (CallEnded(session=own.session, call=CallId(event.connection.call_id), cause=event.cause or ""),)


def _diverted(own: Viewpoint, event: csta.DivertedEvent) -> Facts:
    call = CallId(event.connection.call_id)
    number = _other(own, event.connection.device_id, event.diverting)
    if number is None:
        return (CallEnded(session=own.session, call=call, cause=event.cause or "diverted"),)
    return (CallDropped(session=own.session, call=call, number=number),) if call in own.answered else ()


def _failed(own: Viewpoint, event: csta.FailedEvent) -> Facts:
    call = CallId(event.connection.call_id)
    own_leg = own.is_own(event.connection.device_id)
    number = number_of(event.called) or number_of(event.failing)
    if own_leg or _calls_out(own, event):
        return (CallFailed(session=own.session, call=call, number=number, cause=event.cause or ""),)
    return (CallDropped(session=own.session, call=call, number=extension_of(event.connection.device_id) or number),)


def _merged(own: Viewpoint, event: csta.ConferencedEvent | csta.TransferedEvent) -> Facts:
    session = own.session
    old = [CallId(each.call_id) for each in (event.primary_old_call, event.secondary_old_call) if each is not None]
    legs = [each.new for each in event.connections if each.new is not None]
    mine = next((each for each in legs if own.is_own(each.device_id)), None)
    left = isinstance(event, csta.TransferedEvent) and own.is_own(event.transferring.device)
    if mine is None and (left or legs):
        return tuple(CallEnded(session=session, call=each, cause=event.cause or "") for each in dict.fromkeys(old))
    # A list without our leg but not empty ended it; an empty list says nothing, and the secondary call lives on.
    call = CallId(mine.call_id) if mine is not None else old[-1]
    others = tuple(extension_of(each.device_id) for each in legs if each is not mine and each.device_id)
    if event.local_state is LocalState.ALERTING:
        return _handed_on_while_ringing(own, event, call, old, others)
    parties = tuple(PartySeen(number=each) for each in others)
    merged = CallsMerged(session=session, call=call, old=tuple(dict.fromkeys(old)), parties=parties)
    if event.local_state is LocalState.HOLD:
        return (merged, CallHeld(session=session, call=call))
    return (merged,)


def _handed_on_while_ringing(
    own: Viewpoint,
    event: csta.ConferencedEvent | csta.TransferedEvent,
    call: CallId,
    old: list[CallId],
    others: tuple[str, ...],
) -> Facts:
    """Somebody handed a call on to the station while it still rings there: it rings on, for another caller."""
    by = event.transferring if isinstance(event, csta.TransferedEvent) else event.conferencing
    facts: list[CallFact] = [CallEnded(session=own.session, call=each) for each in dict.fromkeys(old) if each != call]
    if not isinstance(event, csta.ConferencedEvent):
        facts.append(CallDropped(session=own.session, call=call, number=number_of(by)))
    facts.extend(
        CallAlerting(session=own.session, call=call, number=each, data=text_of(event.user_data), ucid=event.ucid or "")
        for each in others or ("",)
    )
    return tuple(facts)


def _nothing(own: Viewpoint, event: csta.Message) -> Facts:
    """Say nothing: a telephone off hook has no call yet."""
    return ()


_EVENTS: Final[dict[type[csta.Message], Callable[[Viewpoint, Any], Facts]]] = {
    csta.ServiceInitiatedEvent: _nothing,
    csta.OriginatedEvent: _originated,
    csta.DeliveredEvent: _delivered,
    csta.QueuedEvent: _under_way,
    csta.NetworkReachedEvent: _under_way,
    csta.EstablishedEvent: _established,
    csta.HeldEvent: _held,
    csta.RetrievedEvent: _retrieved,
    csta.ConnectionClearedEvent: _cleared,
    csta.CallClearedEvent: _call_cleared,
    csta.DivertedEvent: _diverted,
    csta.FailedEvent: _failed,
    csta.ConferencedEvent: _merged,
    csta.TransferedEvent: _merged,
}
