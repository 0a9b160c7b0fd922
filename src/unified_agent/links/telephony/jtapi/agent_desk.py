"""Agents at the desk: whose mode is read and when, and what their events tell.

While no event ever told a mode, each agent's is read now and then, and after whatever may have changed it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from unified_agent.domain.facts import AgentStateReported
from unified_agent.domain.ports import Clock
from unified_agent.links.telephony.agent_poll import AgentPoll
from unified_agent.links.telephony.exchange import Done, Outcome
from unified_agent.links.telephony.jtapi.agent_book import TELLING, report_event, report_read
from unified_agent.links.telephony.jtapi.constants import AgentEventId
from unified_agent.links.telephony.jtapi.dispatcher import Dispatcher
from unified_agent.links.telephony.jtapi.observed_stations import Station, Stations
from unified_agent.links.telephony.jtapi.provider import AgentChanged, ReadAgent
from unified_agent.links.telephony.refusals import Topic


class AgentDesk:
    """All agents.

    Args:
        stations: all in use.
        dispatcher: to the provider.
        clock: for polls.
        poll_interval_s: see ``desk.DeskSettings``.
        report: takes what is to be told.
    """

    def __init__(
        self,
        stations: Stations,
        dispatcher: Dispatcher,
        clock: Clock,
        poll_interval_s: float,
        report: Callable[[AgentStateReported], None],
    ) -> None:
        self._stations = stations
        self._dispatcher = dispatcher
        self._report = report
        self._poll = AgentPoll(clock, stations, self._poll_agent, poll_interval_s)
        self._tells_modes = False

    def start(self) -> None:
        """Read modes from time to time, if nothing ever told one."""
        if not self._tells_modes:
            self._poll.start()

    def stop(self) -> None:
        """Read none any more."""
        self._poll.stop()

    def take_event(self, event: AgentChanged) -> None:
        """Take what was told of an agent."""
        if event.id in TELLING and not self._tells_modes:
            self._tells_modes = True
            self._poll.stop()
        station = self._stations.of_number(event.station)
        if station is None or station.session is None or not station.is_observed:
            return
        found = event.found
        if event.id == AgentEventId.LOGGED_OFF and found.reason is None:
            event = replace(event, found=replace(found, reason=station.out_reason))
        told = report_event(station.session, event, before=station.reported, tells_busy=station.tells_busy)
        station.tells_busy = station.tells_busy or event.id == AgentEventId.BUSY
        if told is None:
            return
        if event.id == AgentEventId.NOT_READY and found.reason is None and found.work_mode is None:
            # The event does not say why, which another report would have to correct: it is read first.
            self.query(station, otherwise=told)
            return
        station.reported = told
        self._report(told)

    def query(
        self,
        station: Station,
        end: Callable[[Outcome[Any]], None] | None = None,
        *,
        urgent: bool = True,
        otherwise: AgentStateReported | None = None,
        only_pending: bool = False,
    ) -> None:
        """Read the agent's mode and report it, unless an own change of mode has overtaken it.

        Args:
            station: where.
            end: told the outcome afterwards.
            urgent: somebody waits for it.
            otherwise: reported when nothing can be read.
            only_pending: report only a mode that the switch holds until the call ends.
        """
        session, changes = station.session, station.mode_changes

        def read(outcome: Outcome[Any]) -> None:
            told = otherwise
            if isinstance(outcome, Done) and session is not None:
                told = report_read(session, outcome.result)
            if only_pending and told is not None and told.pending_mode is None:
                told = None
            if told is not None and station.session == session and station.mode_changes == changes:
                station.reported = told
                self._report(told)
            if end is not None:
                end(outcome)

        self._dispatcher.begin(ReadAgent(station=station.number), Topic.AGENT, read, urgent=urgent)

    def query_if_never_told(self, station: Station) -> None:
        """Read the mode where nothing else would tell it."""
        if not self._tells_modes and station.session is not None and station.is_set_up:
            self.query(station)

    def _poll_agent(self, station: Station) -> None:
        if station.session is not None and station.is_set_up and station.agent is not None:
            self.query(station, urgent=False)
