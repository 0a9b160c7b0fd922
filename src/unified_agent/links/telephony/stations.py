"""The stations that sessions use: which session, device id and monitor belong together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from unified_agent.domain.facts import AgentStateReported
from unified_agent.domain.ids import AgentId, CallId, SessionId, StationId
from unified_agent.wire.csta.shapes import Message
from unified_agent.wire.csta.values import DeviceId, MonitorId


class Station:
    """One station and what is open for it at AES.

    Attributes:
        number: its extension.
        session: who uses it, None when nobody does any more.
        agent: who works there, as far as we asked for somebody.
        device: AES's id of it in the present session with AES.
        monitor: tells its events, None while nobody does.
        doubtful: the monitor is of before a lost connection; it may have ended while we could not hear of it.
        reported: the agent's state as last told.
        tells_busy: its agent's busy state was told before.
        answered: its calls in which somebody has been spoken to.
        mode_changes: how many changes of mode were asked; an older answer about the mode is void.
        snapshots: how many are being taken.
        held_back: events that came while they are.
        set_ups: setting up and tearing down of the station, one at a time, the first under way.
    """

    __slots__ = (
        "agent",
        "answered",
        "device",
        "doubtful",
        "held_back",
        "mode_changes",
        "monitor",
        "number",
        "reported",
        "session",
        "set_ups",
        "snapshots",
        "tells_busy",
    )

    def __init__(self, number: StationId) -> None:
        self.number = number
        self.session: SessionId | None = None
        self.agent: AgentId | None = None
        self.device: DeviceId | None = None
        self.monitor: MonitorId | None = None
        self.doubtful = False
        self.reported: AgentStateReported | None = None
        self.tells_busy = False
        self.answered: set[CallId] = set()
        self.mode_changes = 0
        self.snapshots = 0
        self.held_back: list[Message] = []
        self.set_ups: deque[Callable[[], None]] = deque()


class Stations:
    """All stations in use. One session each; a session that takes a station ends what the one before had there."""

    def __init__(self) -> None:
        self._by_number: dict[StationId, Station] = {}
        self._by_session: dict[SessionId, Station] = {}
        self._by_monitor: dict[MonitorId, Station] = {}

    def __iter__(self) -> Iterator[Station]:
        return iter(tuple(self._by_number.values()))

    def __len__(self) -> int:
        return len(self._by_number)

    @property
    def monitored(self) -> int:
        """How many stations have a monitor."""
        return len(self._by_monitor)

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
            station.answered.clear()
            self._by_session[session] = station
        return station

    def of_session(self, session: SessionId) -> Station | None:
        """Return the station that a session uses."""
        return self._by_session.get(session)

    def of_monitor(self, monitor: MonitorId) -> Station | None:
        """Return the station that a monitor tells of."""
        return self._by_monitor.get(monitor)

    def leave(self, session: SessionId) -> Station | None:
        """Free a session's station and return it; None when it has none. What is open for it stays open."""
        station = self._by_session.pop(session, None)
        if station is not None:
            station.session = station.agent = station.reported = None
            station.held_back.clear()
        return station

    def monitor_started(self, station: Station, monitor: MonitorId) -> None:
        """Note a station's monitor."""
        self.monitor_ended(station)
        station.monitor = monitor
        station.doubtful = False
        self._by_monitor[monitor] = station

    def monitor_ended(self, station: Station) -> MonitorId | None:
        """Note that a station is not observed any more, and return the monitor that it had."""
        monitor, station.monitor = station.monitor, None
        if monitor is not None:
            self._by_monitor.pop(monitor, None)
        return monitor

    def drop_if_unused(self, station: Station) -> None:
        """Forget a station for which nothing is open and that nobody uses."""
        if station.session is None and station.monitor is None and station.device is None and not station.set_ups:
            self._by_number.pop(station.number, None)

    def all_monitors_ended(self) -> None:
        """Note that nothing is observed any more; device ids stay good."""
        for station in self:
            self.monitor_ended(station)

    def aes_session_ended(self) -> None:
        """Note that the session with AES is gone, with all monitors and device ids."""
        self.all_monitors_ended()
        for station in self:
            station.device = None
            self.drop_if_unused(station)
