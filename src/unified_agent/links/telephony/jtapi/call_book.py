"""All calls that JTAPI told of. Pure: a book that events are written into.

Events are JTAPI's call-control ones. They may be repeated, come for several stations at once, or in one array with
others; a call that has become invalid does not come back by repeated events.

Source: aes-jtapi reference, sections 3, 4 and 6.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

from unified_agent.links.telephony.jtapi.call_legs import (
    BookCall,
    Joining,
    joining_of,
    overwrite,
    tells_of_leg,
    vanish,
    write,
)
from unified_agent.links.telephony.jtapi.constants import CallEventId
from unified_agent.links.telephony.jtapi.provider import CallEvent, CallRead

#: Calls kept in which no observed station is or was: their events come before the station's own do.
STRANGERS_LIMIT: Final = 512
#: Calls kept for each observed station, about four times the appearances that one has.
CALLS_OF_STATION_LIMIT: Final = 40
#: Ids of calls that became invalid, remembered against repeated events. A switch uses an id again only much later.
OVER_LIMIT: Final = 256


class Delivery(Struct, frozen=True, kw_only=True):
    """What a delivery of events touched.

    Attributes:
        calls: ids, in the order they came.
        joining: those in which calls became one.
    """

    calls: tuple[str, ...]
    joining: dict[str, Joining]


class CallBook:
    """All calls, those of no observed station among them until they prove to be none of ours."""

    def __init__(self) -> None:
        self._calls: OrderedDict[str, BookCall] = OrderedDict()
        self._over: OrderedDict[str, str] = OrderedDict()

    def __len__(self) -> int:
        return len(self._calls)

    def find(self, call: str) -> BookCall | None:
        """Return a call, None for one that is not known or over."""
        return self._calls.get(call)

    def calls_of(self, station: str) -> list[BookCall]:
        """Return the calls in which a station has a leg that is not over."""
        return [each for each in self._calls.values() if station in each.legs and not each.legs[station].is_gone]

    def clear(self) -> None:
        """Forget everything: nothing of before can be told of any more."""
        self._calls.clear()
        self._over.clear()

    def apply(self, events: Iterable[CallEvent]) -> Delivery:
        """Write one delivery down."""
        touched: dict[str, None] = {}
        joining: dict[str, Joining] = {}
        for event in events:
            call = self._call_of(event)
            if call is None:
                continue
            touched[call.id] = None
            if (how := joining_of(event)) is not None:
                joining[call.id] = how
            write(call, event)
        return Delivery(calls=tuple(touched), joining=joining)

    def read(self, station: str, reads: Iterable[CallRead]) -> tuple[str, ...]:
        """Write down what was read of a station: its calls are these and no others. Returns the calls touched."""
        found = {each.call: each for each in reads}
        touched = dict.fromkeys(found)
        for read in found.values():
            self._over.pop(read.call, None)
            call = self._calls.setdefault(read.call, BookCall(id=read.call))
            self._calls.move_to_end(read.call)
            overwrite(call, read)
        for call in self.calls_of(station):
            if call.id not in found:
                touched[call.id] = None
                vanish(call.legs[station])
        return tuple(touched)

    def settle(self, calls: Iterable[str], is_observed: Callable[[str], bool], observed: int) -> None:
        """Forget those calls that no observed station is in any more, and the oldest when there are too many.

        Args:
            calls: that were touched.
            is_observed: says so of an address.
            observed: how many stations are.
        """
        for name in calls:
            call = self._calls.get(name)
            if call is None:
                continue
            live = [each for each in call.legs.values() if not each.is_gone]
            ours = [each for each in call.legs.values() if is_observed(each.address)]
            if name in self._over or (call.legs and not live) or (ours and all(each.is_gone for each in ours)):
                del self._calls[name]
        while len(self._calls) > STRANGERS_LIMIT + CALLS_OF_STATION_LIMIT * observed:
            self._calls.popitem(last=False)

    def _call_of(self, event: CallEvent) -> BookCall | None:
        """Return the call of an event, a new one where it has none; None for an event that tells nothing.

        Of a call that is over only the id is remembered here; the call goes when it is settled.
        """
        if not event.call or not (tells_of_leg(event) or event.id in {CallEventId.ACTIVE, CallEventId.INVALID}):
            return None
        call = self._calls.get(event.call)
        ended = self._over.get(event.call)
        if ended is not None:
            same = not event.ucid or not ended or event.ucid == ended
            if same and event.id != CallEventId.ACTIVE:
                return None  # a repeated event: the call is not begun again
            # Another call of that id; or the same, which was out of our sight and comes back to one of our stations.
            del self._over[event.call]
            self._calls.pop(event.call, None)
            call = None
        if event.id == CallEventId.INVALID:
            self._over[event.call] = (call.ucid if call is not None else "") or event.ucid
            if len(self._over) > OVER_LIMIT:
                self._over.popitem(last=False)
            return call
        if call is None:
            call = self._calls[event.call] = BookCall(id=event.call)
        self._calls.move_to_end(event.call)
        return call
