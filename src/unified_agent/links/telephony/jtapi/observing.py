"""Setting stations up and tearing them down, one thing at a time for each station.

In order for each station, because observers that are removed late would be a new user's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unified_agent.links.telephony.exchange import Done, Outcome
from unified_agent.links.telephony.jtapi.dispatcher import Dispatcher
from unified_agent.links.telephony.jtapi.observed_stations import Station, Stations
from unified_agent.links.telephony.jtapi.provider import ObserveStation, UnobserveStation
from unified_agent.links.telephony.refusals import Topic

End = Callable[[Outcome[Any]], None]


class Observing:
    """Who is observed.

    Args:
        stations: all in use.
        dispatcher: to the provider.
        on_began: told of a station that is observed from now on.
    """

    def __init__(self, stations: Stations, dispatcher: Dispatcher, on_began: Callable[[Station], None]) -> None:
        self._stations = stations
        self._dispatcher = dispatcher
        self._on_began = on_began

    def observe(self, station: Station, end: End) -> None:
        """Have a station observed; nothing is asked when it is."""

        def begin() -> None:
            if station.is_observed:
                ended(Done(None))
            else:
                self._dispatcher.begin(ObserveStation(station=station.number), Topic.STATION, ended)

        def ended(outcome: Outcome[Any]) -> None:
            if isinstance(outcome, Done):
                self._began(station)
            end(outcome)
            self._next(station)

        self._queue(station, begin)

    def release(self, station: Station, end: End) -> None:
        """End a station's observation. What JTAPI says against it changes nothing: it counts as ended."""

        def ended(outcome: Outcome[Any]) -> None:
            end(Done(None) if not isinstance(outcome, Done) else outcome)
            self._next(station)

        self._queue(station, lambda: self._release(station, ended, urgent=True))

    def give_back(self, station: Station) -> None:
        """Release a station that nobody uses, unless somebody has taken it by the time its turn comes."""

        def begin() -> None:
            if station.session is not None:
                self._next(station)
            else:
                self._release(station, lambda _: self._next(station), urgent=False)

        self._queue(station, begin)

    def began_late(self, number: str, *, is_void: bool) -> None:
        """A station is observed after all, when that was given up: whoever uses it has it, or it is given back.

        Args:
            number: which.
            is_void: the switch was lost meanwhile, so that the observers may be gone again.
        """
        station = self._stations.of_number(number)
        if station is None:
            self._dispatcher.begin(UnobserveStation(station=number), Topic.STATION, lambda _: None, urgent=False)
        elif not station.set_ups and not is_void:
            self._began(station)
            if station.session is None:
                self.give_back(station)

    def _began(self, station: Station) -> None:
        if not station.is_observed:
            self._stations.observation_began(station)
        self._on_began(station)

    def _release(self, station: Station, ended: End, *, urgent: bool) -> None:
        was_set_up, station.is_set_up = station.is_set_up, False
        self._stations.observation_ended(station)
        if was_set_up:
            self._dispatcher.begin(UnobserveStation(station=station.number), Topic.STATION, ended, urgent=urgent)
        else:
            ended(Done(None))

    def _queue(self, station: Station, begin: Callable[[], None]) -> None:
        station.set_ups.append(begin)
        if len(station.set_ups) == 1:
            begin()

    def _next(self, station: Station) -> None:
        if not station.set_ups:
            return  # everything was given up meanwhile
        station.set_ups.popleft()
        if station.set_ups:
            station.set_ups[0]()
        else:
            self._stations.drop_if_unused(station)
