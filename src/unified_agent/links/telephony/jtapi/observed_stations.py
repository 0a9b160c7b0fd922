"""The stations that sessions use over JTAPI: which session uses which, and what is known of each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from unified_agent.domain.facts import AgentStateReported
from unified_agent.domain.ids import AgentId, SessionId, StationId
from unified_agent.links.telephony.jtapi.call_book import Delivery
from unified_agent.links.telephony.jtapi.call_telling import Teller
from unified_agent.links.telephony.jtapi.provider import CallEvents


class Station:
    """One station.

    Attributes:
        number: its extension.
        session: who uses it, None when nobody does any more.
        agent: who works there, as far as we asked for somebody.
        is_set_up: it was observed in this generation, and is not given back; requests for it are of use.
        is_observed: our observers are there.
        teller: tells its session of calls; None while it is not observed.
        reported: the agent's state as last told.
        tells_busy: its agent's busy state was told before.
        out_reason: reason code of the log-out last asked for; events may not tell it.
        is_mode_pending: the switch holds a mode that we asked for until the call ends, as far as we know.
        mode_changes: how many changes of mode were asked; an older answer about the mode is void.
        snapshots: how many are being taken.
        held_back: what was delivered while they are.
        set_ups: setting up and tearing down of the station, one at a time, the first under way.
    """

    __slots__ = (
        "agent",
        "held_back",
        "is_mode_pending",
        "is_observed",
        "is_set_up",
        "mode_changes",
        "number",
        "out_reason",
        "reported",
        "session",
        "set_ups",
        "snapshots",
        "teller",
        "tells_busy",
    )

    def __init__(self, number: StationId) -> None:
        self.number = number
        self.session: SessionId | None = None
        self.agent: AgentId | None = None
        self.is_set_up = False
        self.is_observed = False
        self.teller: Teller | None = None
        self.reported: AgentStateReported | None = None
        self.tells_busy = False
        self.out_reason: int | None = None
        self.is_mode_pending = False
        self.mode_changes = 0
        self.snapshots = 0
        self.held_back: list[tuple[CallEvents, Delivery]] = []
        self.set_ups: deque[Callable[[], None]] = deque()


class Stations:
    """All stations in use. One session each; a session that takes a station ends what the one before had there."""

    def __init__(self) -> None:
        self._by_number: dict[str, Station] = {}
        self._by_session: dict[SessionId, Station] = {}
        self._observed = 0

    def __iter__(self) -> Iterator[Station]:
        return iter(tuple(self._by_number.values()))

    def __len__(self) -> int:
        return len(self._by_number)

    @property
    def observed(self) -> int:
        """How many stations are observed."""
        return self._observed

    def take(self, session: SessionId, number: StationId) -> Station:
        """Return the station for a session, which uses it from now on."""
        station = self._by_number.get(number)
        if station is None:
            station = self._by_number[number] = Station(number)
        if station.session != session:
            self.leave(session)
            if station.session is not None:
                del self._by_session[station.session]
            station.session = session
            station.agent = station.reported = None
            station.teller = Teller(session, number) if station.is_observed else None
            self._by_session[session] = station
        return station

    def of_session(self, session: SessionId) -> Station | None:
        """Return the station that a session uses."""
        return self._by_session.get(session)

    def of_number(self, number: str) -> Station | None:
        """Return a station in use."""
        return self._by_number.get(number)

    def is_observed(self, number: str) -> bool:
        """Say whether a number is that of an observed station."""
        station = self._by_number.get(number)
        return station is not None and station.is_observed

    def leave(self, session: SessionId) -> Station | None:
        """Free a session's station and return it; None when it has none. What is open for it stays open."""
        station = self._by_session.pop(session, None)
        if station is not None:
            station.session = station.agent = station.reported = station.teller = None
            station.held_back.clear()
        return station

    def observation_began(self, station: Station) -> None:
        """Note that our observers are at a station."""
        station.is_set_up = True
        if not station.is_observed:
            station.is_observed = True
            self._observed += 1
            station.teller = Teller(station.session, station.number) if station.session is not None else None

    def observation_ended(self, station: Station) -> None:
        """Note that they are not any more."""
        if station.is_observed:
            station.is_observed = False
            self._observed -= 1
        station.teller = None
        station.held_back.clear()

    def drop_if_unused(self, station: Station) -> None:
        """Forget a station for which nothing is open and that nobody uses."""
        is_unused = station.session is None and not station.is_set_up and not station.set_ups
        if is_unused and self._by_number.get(station.number) is station:
            del self._by_number[station.number]

    def all_ended(self) -> None:
        """Note that the switch cannot be asked: nothing is observed, and nothing under way will end."""
        for station in self:
            self.observation_ended(station)
            station.is_set_up = False
            station.snapshots = 0
            station.reported = None
            station.set_ups.clear()
            self.drop_if_unused(station)
