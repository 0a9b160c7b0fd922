"""Calls at the desk: deliveries go into the book, and each observed station's session is told what changed for it.

While a snapshot of a station is taken, its session is told nothing: what is delivered meanwhile goes into the book at
once, and again after what was read, which may be of before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from unified_agent.domain.effects import AskSwitch
from unified_agent.domain.facts import CallFact, StationSnapshot
from unified_agent.domain.ids import SessionId
from unified_agent.domain.ports import Clock, Timer
from unified_agent.links.telephony.exchange import Done, Outcome
from unified_agent.links.telephony.jtapi.agent_book import report_read
from unified_agent.links.telephony.jtapi.call_book import CallBook, Delivery
from unified_agent.links.telephony.jtapi.call_telling import Teller
from unified_agent.links.telephony.jtapi.call_views import View, seen_of
from unified_agent.links.telephony.jtapi.dispatcher import Dispatcher
from unified_agent.links.telephony.jtapi.observed_stations import Station, Stations
from unified_agent.links.telephony.jtapi.provider import CallEvents, CallRead, ReadAgent, ReadCalls
from unified_agent.links.telephony.refusals import Topic

#: Deliveries kept for a station while its snapshot is taken; a station has far fewer in so short a time.
HELD_BACK_LIMIT: Final = 200
#: A call that became one with another is over when nothing is heard of the other for so long.
JOIN_WAIT_S: Final = 0.1


class CallDesk:
    """All calls.

    Args:
        stations: all in use.
        dispatcher: to the provider.
        clock: for calls that become one.
        report: takes what a station's session is to be told.
    """

    def __init__(
        self,
        stations: Stations,
        dispatcher: Dispatcher,
        clock: Clock,
        report: Callable[[Station, list[CallFact]], None],
    ) -> None:
        self._stations = stations
        self._dispatcher = dispatcher
        self._clock = clock
        self._report = report
        self._book = CallBook()
        self._joins: Timer | None = None

    def begin(self, station: Station) -> None:
        """A station is observed from now on: what the book has of it is not told, a snapshot will."""
        if station.teller is not None:
            station.teller.begin(self._book)

    def stop(self) -> None:
        """Forget all calls."""
        self._book.clear()
        if self._joins is not None:
            self._joins.cancel()
            self._joins = None

    def deliver(self, events: CallEvents) -> None:
        """Take one delivery."""
        delivery = self._book.apply(events.events)
        for station in self._at(delivery.calls):
            if not station.snapshots:
                self._tell(station, delivery)
            elif len(station.held_back) < HELD_BACK_LIMIT:
                station.held_back.append((events, delivery))
        self._settle(delivery.calls)

    def take_snapshot(
        self, station: Station, effect: AskSwitch, end: Callable[[Outcome[StationSnapshot]], None]
    ) -> None:
        """Read a station's calls and its agent.

        Args:
            station: which.
            effect: the ask.
            end: told the snapshot, or why there is none.
        """
        station.snapshots += 1

        def calls_read(outcome: Outcome[Any]) -> None:
            if not isinstance(outcome, Done):
                self._end_snapshot(station)
                end(outcome)
                return
            self._dispatcher.begin(
                ReadAgent(station=station.number), Topic.AGENT, lambda it: agent_read(outcome.result, it)
            )

        def agent_read(calls: tuple[CallRead, ...], outcome: Outcome[Any]) -> None:
            if not isinstance(outcome, Done):
                self._end_snapshot(station)
                end(outcome)
                return
            views = self._take_read(station, effect.session, calls)
            told = station.reported = report_read(effect.session, outcome.result)
            end(
                Done(
                    StationSnapshot(
                        session=effect.session,
                        request=effect.request,
                        calls=tuple(seen_of(each) for each in views),
                        agent=told.agent,
                        mode=told.mode,
                        reason=told.reason,
                        talking=bool(told.talking),
                        pending_mode=told.pending_mode,
                        pending_reason=told.pending_reason,
                    )
                )
            )

        self._dispatcher.begin(ReadCalls(station=station.number), Topic.STATION, calls_read)

    def _take_read(self, station: Station, session: SessionId, calls: tuple[CallRead, ...]) -> tuple[View, ...]:
        """Put what was read into the book, and what was delivered meanwhile again; return what the station has."""
        held_back, station.held_back = station.held_back, []
        touched = dict.fromkeys(self._book.read(station.number, calls))
        for events, _ in held_back:
            touched.update(dict.fromkeys(self._book.apply(events.events).calls))
        station.snapshots -= 1
        teller = station.teller or Teller(session, station.number)  # observed no more, but the truth all the same
        views = teller.begin(self._book)
        everything = Delivery(calls=tuple(touched), joining={})
        for other in self._at(everything.calls):
            if other is not station and not other.snapshots:
                self._tell(other, everything)
        self._settle(everything.calls)
        return views

    def _end_snapshot(self, station: Station) -> None:
        """There is no snapshot: the session is told what was held back for it."""
        station.snapshots -= 1
        if station.snapshots:
            return
        held_back, station.held_back = station.held_back, []
        touched = dict.fromkeys(call for _, delivery in held_back for call in delivery.calls)
        joining = {call: how for _, delivery in held_back for call, how in delivery.joining.items()}
        self._tell(station, Delivery(calls=tuple(touched), joining=joining))

    def _at(self, calls: Iterable[str]) -> list[Station]:
        """Return the observed stations that are, or were, on these calls."""
        found: dict[str, Station] = {}
        for name in calls:
            call = self._book.find(name)
            for address in call.legs if call is not None else ():
                station = self._stations.of_number(address)
                if station is not None and station.teller is not None:
                    found[address] = station
        return list(found.values())

    def _tell(self, station: Station, delivery: Delivery, *, patient: bool = True) -> None:
        if station.teller is None:
            return
        facts = station.teller.tell(self._book, delivery, patient=patient)
        if station.teller.awaits and self._joins is None:
            self._joins = self._clock.call_at(self._clock.now_s() + JOIN_WAIT_S, self._end_joins)
        if facts:
            self._report(station, facts)

    def _end_joins(self) -> None:
        self._joins = None
        for station in self._stations:
            if station.teller is not None and station.teller.awaits and not station.snapshots:
                self._tell(station, Delivery(calls=(), joining={}), patient=False)

    def _settle(self, calls: Iterable[str]) -> None:
        self._book.settle(calls, self._stations.is_observed, self._stations.observed)
