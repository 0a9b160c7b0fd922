"""What sessions ask of the switch, and what they are told: each ask gets exactly one answer.

Lives as long as the link; the exchange with AES comes and goes with ``link_up`` and ``link_down``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from unified_agent.domain.commands import CallCommand
from unified_agent.domain.effects import (
    AskSwitch,
    ChangeMode,
    LogInAgent,
    LogOutAgent,
    Observe,
    QueryAgent,
    ReleaseStation,
    Snapshot,
)
from unified_agent.domain.facts import (
    CallEnded,
    CallEstablished,
    CallsMerged,
    Fact,
    ModePending,
    RequestDone,
    RequestRefused,
    RequestUnknown,
    StationSnapshot,
    StationUnobserved,
)
from unified_agent.domain.ids import LinkId, SessionId
from unified_agent.domain.ports import Clock, Reports
from unified_agent.links.telephony import conversations, requests
from unified_agent.links.telephony.agent_facts import AgentEvent, AgentFound, report_event, report_found
from unified_agent.links.telephony.agent_poll import AgentPoll
from unified_agent.links.telephony.call_facts import Viewpoint
from unified_agent.links.telephony.conversations import ModeAnswer, SnapshotTaken
from unified_agent.links.telephony.exchange import Conversation, Done, Exchange, Line, Outcome, Unanswered
from unified_agent.links.telephony.observing import Observing
from unified_agent.links.telephony.refusals import LINK_DOWN, Refusal, Topic
from unified_agent.links.telephony.snapshots import is_answered
from unified_agent.links.telephony.stations import Station, Stations
from unified_agent.observe import Metrics
from unified_agent.settings import AesServerSettings
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.values import DeviceId

ResultT = TypeVar("ResultT")

#: Events kept for a station while its snapshot is taken; a station has far fewer in so short a time.
HELD_BACK_LIMIT: Final = 200
_KIND: Final = "telephony"
_NOT_OBSERVED: Final = Refusal(id="switch.invalid-state", detail="the station is not observed")


class Desk:
    """All sessions' business with the switch.

    Args:
        reports: where facts go.
        clock: for polls.
        metrics: the instance's.
        poll_interval_s: see ``TelephonySettings``.

    Attributes:
        stations: all in use.
        observing: who is observed.
    """

    def __init__(self, reports: Reports, clock: Clock, metrics: Metrics, *, poll_interval_s: float) -> None:
        self._reports = reports
        self._metrics = metrics
        self.stations = Stations()
        self._poll = AgentPoll(clock, self.stations, self._poll_agent, poll_interval_s)
        self._line = Line()
        self.observing = Observing(self.stations, self._line, lambda it: self.report_unobserved([it], "monitor-ended"))
        self._server = LinkId("")
        self._switch_name = ""
        self._on_suspicion: Callable[[], None] | None = None
        self._tells_agents: set[LinkId] = set()

    @property
    def observed(self) -> int:
        """How many stations are observed."""
        return self.stations.monitored

    # --- the link

    def link_up(
        self, exchange: Exchange, server: AesServerSettings, *, resumed: bool, on_suspicion: Callable[[], None]
    ) -> None:
        """The switch can be asked.

        Args:
            exchange: by which.
            server: the AES that is.
            resumed: the session with AES is that of before, and so are its monitors.
            on_suspicion: told when an answer looks as if the switch were gone.
        """
        self._line.exchange = exchange
        self._server = server.name
        self._switch_name = server.switch_name
        self._on_suspicion = on_suspicion
        if server.name not in self._tells_agents:
            self._poll.start()
        self.observing.link_up(server.switch_name, resumed=resumed)

    def link_down(self) -> None:
        """The switch cannot be asked."""
        self._line.exchange = None
        self._poll.stop()

    def report_unobserved(self, stations: list[Station], reason: str) -> None:
        """Tell the sessions at these stations that they have to look again."""
        for station in stations:
            if station.session is not None:
                self._reports.report(StationUnobserved(session=station.session, reason=reason))

    # --- asks

    def ask(self, effect: AskSwitch) -> None:
        """Ask the switch; the answer comes as a fact."""
        if self._line.exchange is None:
            self._refuse(effect, LINK_DOWN)
            return
        station = self.stations.take(effect.session, effect.station)
        ask = effect.ask
        if isinstance(ask, Observe):
            self.observing.observe(station, lambda it: self._answer(effect, it, lambda _: self._done(effect)))
        elif isinstance(ask, ReleaseStation):
            self.observing.release(station, lambda it: self._answer(effect, it, lambda _: self._done(effect)))
        elif station.device is None:
            self._refuse(effect, _NOT_OBSERVED)
        else:
            self._ask_station(effect, station, station.device)

    def _ask_station(self, effect: AskSwitch, station: Station, device: DeviceId) -> None:
        ask = effect.ask
        if isinstance(ask, (Snapshot, QueryAgent, LogInAgent, LogOutAgent, ChangeMode)):
            station.agent = ask.agent
        if isinstance(ask, (LogInAgent, LogOutAgent, ChangeMode)):
            station.mode_changes += 1
        match ask:
            case Snapshot():
                self._take_snapshot(effect, station, device)
            case QueryAgent():
                self._query(station, device, effect)
            case LogInAgent():
                conversation = conversations.set_agent_state(requests.log_in(device, ask))
                self._begin(effect, conversation, Topic.LOG_IN, lambda _: self._mode_asked(effect, station))
            case LogOutAgent():
                conversation = conversations.set_agent_state(requests.log_out(device, ask))
                self._begin(effect, conversation, Topic.AGENT, lambda _: self._mode_asked(effect, station))
            case ChangeMode():
                changing = conversations.set_mode(device, ask)
                self._begin(effect, changing, Topic.AGENT, lambda it: self._mode_taken(effect, ask, station, it))
            case CallCommand():
                calling = conversations.call_command(device, self._switch_name, ask)
                self._begin(effect, calling, Topic.CALL, lambda _: self._done(effect))
            case _:
                raise AssertionError(f"no row for {type(ask).__name__}")

    def forget(self, session: SessionId) -> None:
        """Report nothing more for this session; what is open for its station is given back."""
        station = self.stations.leave(session)
        if station is not None:
            self.observing.give_back(station)

    # --- snapshots and agents

    def _take_snapshot(self, effect: AskSwitch, station: Station, device: DeviceId) -> None:
        station.snapshots += 1

        def end(outcome: Outcome[SnapshotTaken]) -> None:
            self._answer(effect, outcome, lambda taken: self._report_snapshot(effect, station, taken))
            station.snapshots -= 1
            if not station.snapshots:
                held_back, station.held_back = station.held_back, []
                for event in held_back:
                    self._deliver(station, event)

        self._line.talk(conversations.snapshot(device), Topic.STATION, end)

    def _report_snapshot(self, effect: AskSwitch, station: Station, taken: SnapshotTaken) -> None:
        found = taken.found
        station.reported = report_found(effect.session, found)
        station.answered = {each.call for each in taken.calls if is_answered(each)}
        self._reports.report(
            StationSnapshot(
                session=effect.session,
                request=effect.request,
                calls=taken.calls,
                agent=found.agent,
                mode=found.mode,
                reason=found.reason,
                talking=bool(found.talking),
                pending_mode=found.pending_mode,
                pending_reason=found.pending_reason,
            )
        )

    def _query(self, station: Station, device: DeviceId, effect: AskSwitch | None = None, urgent: bool = True) -> None:
        """Ask for the agent's mode; an answer that an own change of mode has overtaken is not reported."""
        session, changes = station.session, station.mode_changes

        def report(found: AgentFound) -> None:
            if session is not None and station.session == session and station.mode_changes == changes:
                station.reported = report_found(session, found)
                self._reports.report(station.reported)
            if effect is not None:
                self._done(effect)

        def end(outcome: Outcome[AgentFound]) -> None:
            if effect is not None:
                self._answer(effect, outcome, report)
            elif isinstance(outcome, Done):
                report(outcome.result)

        self._line.talk(conversations.agent_state(device), Topic.AGENT, end, urgent=urgent)

    def _mode_asked(self, effect: AskSwitch, station: Station) -> None:
        self._done(effect)
        self._query_if_never_told(station)

    def _mode_taken(self, effect: AskSwitch, ask: ChangeMode, station: Station, answer: ModeAnswer) -> None:
        if answer.pending is None:
            self._mode_asked(effect, station)
            return
        self._reports.report(
            ModePending(session=effect.session, request=effect.request, mode=answer.pending, reason=ask.reason)
        )

    def _query_if_never_told(self, station: Station) -> None:
        if self._server not in self._tells_agents and station.session is not None and station.device is not None:
            self._query(station, station.device)

    def _poll_agent(self, station: Station) -> None:
        if station.session is not None and station.device is not None and station.agent is not None:
            self._query(station, station.device, urgent=False)

    # --- events

    def take_event(self, event: csta.Message) -> None:
        """Take whatever AES tells by itself about a station."""
        monitor = getattr(event, "monitor_id", None)
        if monitor is None:
            self._count_unexpected()
            return
        if isinstance(event, AgentEvent) and self._server not in self._tells_agents:
            self._tells_agents.add(self._server)
            self._poll.stop()
        station = self.stations.of_monitor(monitor)
        if station is None:
            if not self.observing.is_stopping(monitor):
                self._count_unexpected()
                self.observing.stop_stray(monitor)
        elif station.snapshots and len(station.held_back) < HELD_BACK_LIMIT:
            station.held_back.append(event)
        else:
            self._deliver(station, event)

    def _deliver(self, station: Station, event: csta.Message) -> None:
        session, device = station.session, station.device
        if session is None or device is None:
            return
        if isinstance(event, AgentEvent):
            self._deliver_agent_event(station, session, event)
            return
        facts = Viewpoint(session, device, station.answered).facts(event)
        if facts is None:
            self._count_unexpected()
            return
        for fact in facts:
            if isinstance(fact, CallEnded):
                station.answered.discard(fact.call)
            elif isinstance(fact, (CallEstablished, CallsMerged)):
                station.answered.add(fact.call)
            self._reports.report(fact)
        if any(isinstance(each, CallEnded) for each in facts):
            self._query_if_never_told(station)

    def _deliver_agent_event(self, station: Station, session: SessionId, event: AgentEvent) -> None:
        report = report_event(session, event, before=station.reported, tells_busy=station.tells_busy)
        station.tells_busy = station.tells_busy or isinstance(event, csta.AgentBusyEvent)
        if report is not None:
            station.reported = report
            self._reports.report(report)

    def _count_unexpected(self) -> None:
        self._metrics.link_unexpected_reports.labels(kind=_KIND).inc()

    # --- answers

    def _begin(
        self,
        effect: AskSwitch,
        conversation: Conversation[ResultT],
        topic: Topic,
        done: Callable[[ResultT], None],
    ) -> None:
        self._line.talk(conversation, topic, lambda outcome: self._answer(effect, outcome, done))

    def _answer(self, effect: AskSwitch, outcome: Outcome[ResultT], done: Callable[[ResultT], None]) -> None:
        """Give an ask its one answer, unless its session is forgotten."""
        if isinstance(outcome, Refusal) and outcome.id == LINK_DOWN.id and self._on_suspicion is not None:
            self._on_suspicion()
        station = self.stations.of_session(effect.session)
        if station is None or station.number != effect.station:
            return
        match outcome:
            case Done(result=result):
                done(result)
            case Refusal():
                self._refuse(effect, outcome)
            case Unanswered(detail=detail):
                self._report(RequestUnknown(session=effect.session, request=effect.request, detail=detail))

    def _done(self, effect: AskSwitch) -> None:
        self._report(RequestDone(session=effect.session, request=effect.request))

    def _refuse(self, effect: AskSwitch, refusal: Refusal) -> None:
        self._report(
            RequestRefused(
                session=effect.session,
                request=effect.request,
                id=refusal.id,
                detail=refusal.detail,
                fatal=refusal.fatal,
            )
        )

    def _report(self, fact: Fact) -> None:
        self._reports.report(fact)
