"""Setting stations up and tearing them down: device ids and monitors, one thing at a time for each station.

In order for each station, because a device id that is given back late would take a new user's away.
"""

from __future__ import annotations

from collections.abc import Callable

from unified_agent.links.telephony import conversations
from unified_agent.links.telephony.exchange import Conversation, Done, Line, Outcome
from unified_agent.links.telephony.refusals import Topic
from unified_agent.links.telephony.stations import Station, Stations
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.values import MonitorId

End = Callable[[Outcome[None]], None]


class Observing:
    """Who is observed.

    Args:
        stations: all in use.
        line: to the switch.
        on_unobserved: told of a station whose events may have been missed.
    """

    def __init__(self, stations: Stations, line: Line, on_unobserved: Callable[[Station], None]) -> None:
        self._stations = stations
        self._line = line
        self._on_unobserved = on_unobserved
        self._switch_name = ""
        self._stopping: set[MonitorId] = set()

    def link_up(self, switch_name: str, *, resumed: bool) -> None:
        """The switch can be asked. What nobody uses any more is given back.

        Args:
            switch_name: as AES calls it.
            resumed: monitors of before are there, if the switch has not ended them while we could not hear it.
        """
        self._switch_name = switch_name
        self._stopping.clear()
        for station in self._stations:
            station.doubtful = resumed and station.monitor is not None
            if station.session is None:
                self.give_back(station)

    def observe(self, station: Station, end: End) -> None:
        """Have a station observed. One whose monitor is of before the loss counts as observed at once, and the
        monitor is replaced behind that: were it checked first, 1,000 agents would wait for 2,000 answers.
        """

        def begin() -> None:
            conversation = conversations.observe(self._stations, station, self._switch_name)
            self._line.talk(conversation, Topic.STATION, ended)

        def ended(outcome: Outcome[None]) -> None:
            if station.doubtful and isinstance(outcome, Done):
                station.set_ups.append(lambda: self._renew(station))
            end(outcome)
            self._next(station)

        self._queue(station, begin)

    def release(self, station: Station, end: End) -> None:
        """End a station's monitor and give its device id back."""

        def ended(outcome: Outcome[None]) -> None:
            end(outcome)
            self._next(station)

        self._queue(station, lambda: self._line.talk(self._releasing(station), Topic.STATION, ended))

    def give_back(self, station: Station) -> None:
        """Release a station that nobody uses, unless somebody has taken it by the time its turn comes."""

        def begin() -> None:
            if station.session is not None or self._line.exchange is None:
                self._next(station)
            else:
                conversation = self._releasing(station)
                self._line.talk(conversation, Topic.STATION, lambda _: self._next(station), urgent=False)

        self._queue(station, begin)

    def is_stopping(self, monitor: MonitorId) -> bool:
        """Say whether a monitor is being ended by us; what it still tells is of no interest."""
        return monitor in self._stopping

    def stop_stray(self, monitor: MonitorId) -> None:
        """End a monitor that tells of no station of ours, once."""
        if monitor in self._stopping or self._line.exchange is None:
            return
        self._stopping.add(monitor)
        conversation = conversations.stop_stray(csta.MonitorStop(monitor_id=monitor))
        self._line.talk(conversation, Topic.STATION, lambda _: self._stopping.discard(monitor), urgent=False)

    def monitor_ended(self, monitor: MonitorId) -> Station | None:
        """AES ended a monitor by itself. Returns the station, None when the monitor was not ours any more."""
        self._stopping.discard(monitor)
        station = self._stations.of_monitor(monitor)
        if station is not None:
            self._stations.monitor_ended(station)
        return station

    def _renew(self, station: Station) -> None:
        old = station.monitor
        if old is not None:
            self._stopping.add(old)

        def ended(outcome: Outcome[bool]) -> None:
            if old is not None:
                self._stopping.discard(old)
            if self._line.exchange is not None and not (isinstance(outcome, Done) and outcome.result):
                self._on_unobserved(station)
            self._next(station)

        self._line.talk(conversations.renew(self._stations, station), Topic.STATION, ended, urgent=False)

    def _releasing(self, station: Station) -> Conversation[None]:
        monitor = station.monitor
        if monitor is not None:
            self._stopping.add(monitor)
        try:
            yield from conversations.release(self._stations, station)
        finally:
            if monitor is not None:
                self._stopping.discard(monitor)

    def _queue(self, station: Station, begin: Callable[[], None]) -> None:
        station.set_ups.append(begin)
        if len(station.set_ups) == 1:
            begin()

    def _next(self, station: Station) -> None:
        station.set_ups.popleft()
        if station.set_ups:
            station.set_ups[0]()
        else:
            self._stations.drop_if_unused(station)
