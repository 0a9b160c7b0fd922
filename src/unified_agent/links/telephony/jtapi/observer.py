"""The one observer of a provider and all its stations: reads event data and hands it over, nothing else.

Its methods are called by threads of the client library, which drops what they raise and waits for them to return: so
each catches everything, asks nobody, and only hands over.

Source: aes-jtapi reference, sections 4 and 6.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

from unified_agent.links.telephony.jtapi.constants import CallEventId, EndedEvent, ProviderEvent, ProviderState
from unified_agent.links.telephony.jtapi.java_calls import CallNames
from unified_agent.links.telephony.jtapi.java_reading import (
    STATE_OF_EVENT,
    agent_event,
    ask_if_there,
    call_event,
    each,
    has,
    name_of,
)
from unified_agent.links.telephony.jtapi.provider import (
    AgentChanged,
    CallEvents,
    Event,
    ObservationEnded,
    ProviderChanged,
)
from unified_agent.observe import get_logger, log_event

LOGGER = get_logger("links.jtapi.observer")

_STATES: Final[dict[int, ProviderState]] = {
    ProviderEvent.IN_SERVICE: ProviderState.IN_SERVICE,
    ProviderEvent.OUT_OF_SERVICE: ProviderState.OUT_OF_SERVICE,
    ProviderEvent.SHUTDOWN: ProviderState.SHUTDOWN,
    #: Nobody asked for it, and nothing is told any more.
    ProviderEvent.OBSERVATION_ENDED: ProviderState.SHUTDOWN,
}
#: Core events besides these tell what call-control events tell too.
_CALL_EVENTS: Final = frozenset(int(each_id) for each_id in CallEventId)


class Observed:
    """Which of our observers are at which station. Locks: it is changed by the pool and by threads of Java."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kinds: dict[str, set[str]] = {}

    def __len__(self) -> int:
        with self._lock:
            return len(self._kinds)

    def has(self, station: str, kind: str) -> bool:
        """Say whether an observer is there."""
        with self._lock:
            return kind in self._kinds.get(station, ())

    def add(self, station: str, kind: str) -> bool:
        """Note that an observer is being added; False when it is there already."""
        with self._lock:
            kinds = self._kinds.setdefault(station, set())
            if kind in kinds:
                return False
            kinds.add(kind)
            return True

    def drop(self, station: str, kind: str) -> bool:
        """Note that an observer is gone; False when it was not known."""
        with self._lock:
            kinds = self._kinds.get(station)
            if kinds is None or kind not in kinds:
                return False
            kinds.remove(kind)
            if not kinds:
                del self._kinds[station]
            return True

    def leave(self, station: str) -> set[str]:
        """Forget a station, and return which observers it had: their ends are asked for from now on."""
        with self._lock:
            return self._kinds.pop(station, set())


class Observer:
    """The callbacks of all four kinds of observer.

    Args:
        tell: takes each event, in any thread.
        names: of calls.
        observed: who is.
    """

    def __init__(self, tell: Callable[[Event], None], names: CallNames, observed: Observed) -> None:
        self._tell = tell
        self._names = names
        self._observed = observed

    # --- called by Java, by these names

    def providerChangedEvent(self, events: Any) -> None:  # noqa: N802 - Java's name
        """Take events of the provider."""
        self._take(events, self._of_provider)

    def addressChangedEvent(self, events: Any) -> None:  # noqa: N802 - Java's name
        """Take events of addresses."""
        self._take(events, self._of_address)

    def terminalChangedEvent(self, events: Any) -> None:  # noqa: N802 - Java's name
        """Take events of terminals and their agents."""
        self._take(events, self._of_terminal)

    def callChangedEvent(self, events: Any) -> None:  # noqa: N802 - Java's name
        """Take events of calls: what comes together is told together."""
        taken: list[Any] = []
        self._take(events, lambda event: self._of_call(event, taken))
        if taken:
            self._tell(CallEvents(events=tuple(taken)))

    # --- each event

    def _take(self, events: Any, take: Callable[[Any], None]) -> None:
        try:
            for event in each(events):
                try:
                    take(event)
                except Exception as error:  # noqa: BLE001 - Java would drop it, and the events behind it
                    log_event(LOGGER, "event_not_read", level="error", error=error, of=type(event).__name__)
        except Exception as error:  # noqa: BLE001 - see above
            log_event(LOGGER, "events_not_read", level="error", error=error)

    def _of_provider(self, event: Any) -> None:
        state = _STATES.get(int(event.getID()))
        if state is not None:
            self._tell(ProviderChanged(state=int(state), overload=_overload(event)))

    def _of_address(self, event: Any) -> None:
        if int(event.getID()) == EndedEvent.ADDRESS:
            self._ended(name_of(event.getAddress()), "address")

    def _of_terminal(self, event: Any) -> None:
        number = int(event.getID())
        if number == EndedEvent.TERMINAL:
            self._ended(name_of(event.getTerminal()), "terminal")
        elif number in STATE_OF_EVENT:
            self._tell(AgentChanged(station=name_of(event.getTerminal()), id=number, found=agent_event(event)))

    def _of_call(self, event: Any, taken: list[Any]) -> None:
        number = int(event.getID())
        if number == EndedEvent.CALL:
            # For a call it only says that this call is over here; for a terminal, that we hear of no call any more.
            ended = ask_if_there(event, "getEndedObject")
            if ended is not None and has(ended, "getName"):
                self._ended(name_of(ended), "call")
        elif number in _CALL_EVENTS:
            taken.append(call_event(event, self._names.name_of))
            if number == CallEventId.INVALID:
                self._names.over(event.getCall())

    def _ended(self, station: str, kind: str) -> None:
        if self._observed.drop(station, kind):
            self._tell(ObservationEnded(station=station))


def _overload(event: Any) -> bool | None:
    """Say whether AES is overloaded. Assumed: private data with ``isOverload``; release 6.2 of the vendor's client
    tells it by nothing public, and then it is not told.
    """
    found = ask_if_there(ask_if_there(event, "getPrivateData"), "isOverload")
    return None if found is None else bool(found)
