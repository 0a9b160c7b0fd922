"""What sessions ask of JTAPI and are told: each ask gets exactly one answer. Lives as long as one provider.

A generation is a time in which the provider is in service. With its end all that was asked is answered by ``Down``,
nothing is observed any more, and what was known of calls is void.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

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
    CallFact,
    Fact,
    ModePending,
    RequestDone,
    RequestRefused,
    RequestUnknown,
    StationUnobserved,
)
from unified_agent.domain.ids import SessionId
from unified_agent.domain.ports import Clock
from unified_agent.errors import LocalProtocolError
from unified_agent.links.telephony.exchange import Done, Outcome, Unanswered
from unified_agent.links.telephony.jtapi import messages, provider
from unified_agent.links.telephony.jtapi.agent_desk import AgentDesk
from unified_agent.links.telephony.jtapi.call_desk import CallDesk
from unified_agent.links.telephony.jtapi.call_operations import call_operation, change_mode, log_in, log_out
from unified_agent.links.telephony.jtapi.dispatcher import Dispatcher
from unified_agent.links.telephony.jtapi.observed_stations import Station, Stations
from unified_agent.links.telephony.jtapi.observing import Observing
from unified_agent.links.telephony.jtapi.operation_refusals import STALE_AGENT
from unified_agent.links.telephony.jtapi.provider import OperationFailed
from unified_agent.links.telephony.jtapi.service_watch import ServiceWatch
from unified_agent.links.telephony.refusals import LINK_DOWN, Refusal, Topic

#: A provider that has never lost the switch is not replaced for a stale agent before it is so old: what is stale in a
#: fresh one is so for another reason, and replacing it again and again would serve nobody.
STALE_AGE_S: Final = 300.0
#: Events taken before the desk is opened.
EARLY_LIMIT: Final = 1000
_NOT_OBSERVED: Final = Refusal(id="switch.invalid-state", detail="the station is not observed")


class DeskSettings(Struct, frozen=True, kw_only=True):
    """How long things may take; see ``messages.Open``.

    Attributes:
        request_limit_s: one operation without an outcome for this long is called unknown.
        probe_interval_s: how often AES is asked for its status.
        silence_limit_s: an AES that has not answered for this long is lost.
        poll_interval_s: how often an agent's state is read where no event ever told one.
        overload_grace_s: out of service for an untold reason, with nothing observed, is a loss after this long.
        in_flight_limit: operations at the provider at the same time, probes counted.
    """

    request_limit_s: float
    probe_interval_s: float
    silence_limit_s: float
    poll_interval_s: float
    overload_grace_s: float = 3.0
    in_flight_limit: int = 64


class JtapiDesk:
    """All sessions' business with one provider, in one loop.

    Args:
        settings: limits.
        clock: for deadlines, probes and polls.
        say: sends ``Up``, ``Down`` and ``Told`` to the server.
        on_lost: called once, after ``Down(lost=True)`` was said: the provider is of no more use, and nothing more is
            said.

    Attributes:
        generation: 0 until the provider is first in service, then one higher with each time.
    """

    def __init__(
        self,
        settings: DeskSettings,
        clock: Clock,
        say: Callable[[messages.FromProcess], None],
        on_lost: Callable[[], None],
    ) -> None:
        self.generation = 0
        self._clock = clock
        self._say = say
        self._on_lost = on_lost
        self._stations = Stations()
        self._dispatcher = Dispatcher(
            clock,
            request_limit_s=settings.request_limit_s,
            in_flight_limit=settings.in_flight_limit,
            on_late=self._late,
        )
        self._calls = CallDesk(self._stations, self._dispatcher, clock, self._report_calls)
        self._observing = Observing(self._stations, self._dispatcher, self._calls.begin)
        self._agents = AgentDesk(self._stations, self._dispatcher, clock, settings.poll_interval_s, self._report)
        self._watch = ServiceWatch(
            self,
            clock,
            probe_interval_s=settings.probe_interval_s,
            silence_limit_s=settings.silence_limit_s,
            overload_grace_s=settings.overload_grace_s,
        )
        self._early: list[provider.Event] = []
        self._is_open = False
        self._is_over = False
        self._opened_s = 0.0

    @property
    def is_up(self) -> bool:
        """Whether the switch can be asked."""
        return self._watch.is_up

    @property
    def is_overloaded(self) -> bool:
        """Whether AES says that it has too much to do."""
        return self._watch.is_overloaded

    @property
    def observed(self) -> int:
        """How many stations are observed."""
        return self._stations.observed

    @property
    def in_flight(self) -> int:
        """Operations at the provider."""
        return self._dispatcher.in_flight

    @property
    def waiting(self) -> int:
        """Operations that wait for a place."""
        return self._dispatcher.waiting

    def open(self, provider: provider.Provider) -> None:
        """Begin to serve, after ``Opened`` was said. ``Up`` follows when it is in service, which is probed at once.

        Events taken before count: ``Up`` may be said from within.
        """
        self._is_open = True
        self._opened_s = self._clock.now_s()
        self._dispatcher.open(provider)
        self._watch.begin(provider)
        early, self._early = self._early, []
        for event in early:
            self.take_event(event)

    def close(self) -> None:
        """Serve no more and say nothing more. The provider is the caller's to close."""
        self._is_over = True
        self._watch.close()
        self._stop()

    # --- asks

    def ask(self, message: messages.Ask) -> None:
        """Ask the switch; answered by ``Told``, perhaps from within, or by ``Down`` for all.

        The answer to an ask of another generation carries that one's number: for the server it is void, because the
        ``Down`` that it has been told already answered it.

        Raises:
            RemoteProtocolError: it is no ask of this version.
        """
        effect = messages.effect_of(message)
        if self._is_over:
            return
        if not self.is_up or message.generation != self.generation:
            refused = _refused(effect, LINK_DOWN)
            self._say(messages.told_of(message.generation, refused))
            return
        station = self._stations.take(effect.session, effect.station)
        ask = effect.ask
        if isinstance(ask, Observe):
            self._observing.observe(station, lambda it: self._answer(effect, it, lambda _: self._done(effect)))
        elif isinstance(ask, ReleaseStation):
            self._observing.release(station, lambda it: self._answer(effect, it, lambda _: self._done(effect)))
        elif not station.is_set_up:
            self._refuse(effect, _NOT_OBSERVED)
        else:
            try:
                self._ask_station(effect, station)
            except LocalProtocolError as error:
                self._refuse(effect, Refusal(id="switch.refused", detail=str(error)))

    def _ask_station(self, effect: AskSwitch, station: Station) -> None:
        ask = effect.ask
        number = station.number
        if isinstance(ask, (Snapshot, QueryAgent, LogInAgent, LogOutAgent, ChangeMode)):
            station.agent = ask.agent
        if isinstance(ask, (LogInAgent, LogOutAgent, ChangeMode)):
            station.mode_changes += 1
            station.out_reason = ask.reason if isinstance(ask, LogOutAgent) else None
        match ask:
            case Snapshot():
                self._calls.take_snapshot(station, effect, lambda it: self._answer(effect, it, self._report))
            case QueryAgent():
                self._agents.query(station, lambda it: self._answer(effect, it, lambda _: self._done(effect)))
            case LogInAgent():
                self._begin(effect, log_in(number, ask), Topic.LOG_IN, lambda _: self._mode_asked(effect, station))
            case LogOutAgent():
                self._begin(effect, log_out(number, ask), Topic.AGENT, lambda _: self._mode_asked(effect, station))
            case ChangeMode():
                changing = change_mode(number, ask)
                self._begin(effect, changing, Topic.AGENT, lambda it: self._mode_taken(effect, ask, station, it))
            case CallCommand():
                self._begin(effect, call_operation(number, ask), Topic.CALL, lambda _: self._done(effect))
            case _:
                raise AssertionError(f"no row for {type(ask).__name__}")

    def forget(self, session: SessionId) -> None:
        """Report nothing more for this session; its station is given back."""
        station = self._stations.leave(session)
        if station is None:
            return
        if self.is_up:
            self._observing.give_back(station)
        else:
            self._stations.drop_if_unused(station)

    def _mode_asked(self, effect: AskSwitch, station: Station, *, surely: bool = False) -> None:
        """Answer, and look where no event may come: the library asks nobody for a mode that it believes to be set, and
        then the one that the switch holds is still pending.
        """
        self._done(effect)
        if surely:
            self._agents.query(station, only_pending=True)
        self._agents.query_if_never_told(station)

    def _mode_taken(self, effect: AskSwitch, ask: ChangeMode, station: Station, waits: bool) -> None:
        was_pending, station.is_mode_pending = station.is_mode_pending, waits is True
        if waits is not True:
            told = station.reported
            self._mode_asked(effect, station, surely=was_pending and told is not None and told.mode is ask.mode)
            return
        self._report(ModePending(session=effect.session, request=effect.request, mode=ask.mode, reason=ask.reason))

    # --- events

    def take_event(self, event: provider.Event) -> None:
        """Take what the provider tells, in the order in which it does; also before ``open``."""
        if self._is_over:
            return
        if not self._is_open:
            if len(self._early) < EARLY_LIMIT:
                self._early.append(event)
            return
        match event:
            case provider.ProviderChanged():
                self._watch.take_provider(event)
            case provider.ObservationEnded():
                self._observation_ended(event)
            case provider.CallEvents():
                self._watch.heard()
                if self.is_up:
                    self._calls.deliver(event)
            case provider.AgentChanged():
                self._watch.heard()
                if self.is_up:
                    self._agents.take_event(event)

    def _observation_ended(self, event: provider.ObservationEnded) -> None:
        station = self._stations.of_number(event.station)
        if station is None or not station.is_observed:
            return
        observed = self._stations.observed
        self._stations.observation_ended(station)
        self._watch.observation_ended(station, observed)

    def _report_calls(self, station: Station, facts: list[CallFact]) -> None:
        for fact in facts:
            self._report(fact)
        if any(isinstance(each, CallEnded) for each in facts):
            self._agents.query_if_never_told(station)

    # --- told by the watch

    def switch_up(self) -> None:
        """See ``service_watch.Watched``."""
        self.generation += 1
        self._say(messages.Up(generation=self.generation))
        self._agents.start()

    def switch_down(self, detail: str) -> None:
        """See ``service_watch.Watched``."""
        self._say(messages.Down(generation=self.generation, reason="switch-link-down", detail=detail))
        self._stop()

    def provider_lost(self, reason: str, detail: str) -> None:
        """See ``service_watch.Watched``."""
        if self._is_over:
            return
        self.close()
        self._say(messages.Down(generation=self.generation, reason=reason, detail=detail, lost=True))
        self._on_lost()

    def stations_unobserved(self, stations: list[Station]) -> None:
        """See ``service_watch.Watched``."""
        for station in stations:
            if station.session is not None and not station.is_observed:
                self._report(StationUnobserved(session=station.session, reason="monitor-ended"))
            elif station.session is None:
                self._observing.give_back(station)

    def load_changed(self) -> None:
        """See ``service_watch.Watched``."""
        self._dispatcher.slow_down(overloaded=self._watch.is_overloaded)

    def _stop(self) -> None:
        self._agents.stop()
        self._dispatcher.abandon()
        self._calls.stop()
        self._stations.all_ended()

    def _late(self, operation: provider.Operation, is_void: bool) -> None:
        """An operation was carried out when nobody waited for it any more."""
        if self.is_up and isinstance(operation, provider.ObserveStation):
            self._observing.began_late(operation.station, is_void=is_void)

    # --- answers

    def _begin(
        self, effect: AskSwitch, operation: provider.Operation, topic: Topic, done: Callable[[Any], None]
    ) -> None:
        self._dispatcher.begin(
            operation, topic, lambda outcome: self._answer(effect, outcome, done), on_failure=self._look_at
        )

    def _look_at(self, failure: OperationFailed) -> bool:
        """Replace the provider for an agent that only its memory has; say whether that was done."""
        if failure.kind != STALE_AGENT:
            return False
        if self.generation < 2 and self._clock.now_s() - self._opened_s < STALE_AGE_S:
            return False
        self.provider_lost("stale-agent", failure.detail)
        return True

    def _answer(self, effect: AskSwitch, outcome: Outcome[Any], done: Callable[[Any], None]) -> None:
        """Give an ask its one answer, unless its session is forgotten."""
        station = self._stations.of_session(effect.session)
        if station is not None and station.number == effect.station:
            match outcome:
                case Done(result=result):
                    done(result)
                case Refusal():
                    self._refuse(effect, outcome)
                case Unanswered(detail=detail):
                    self._report(RequestUnknown(session=effect.session, request=effect.request, detail=detail))
        if isinstance(outcome, Refusal) and outcome.id == LINK_DOWN.id:
            self._watch.refused()

    def _done(self, effect: AskSwitch) -> None:
        self._report(RequestDone(session=effect.session, request=effect.request))

    def _refuse(self, effect: AskSwitch, refusal: Refusal) -> None:
        self._report(_refused(effect, refusal))

    def _report(self, fact: Fact) -> None:
        self._say(messages.told_of(self.generation, fact))


def _refused(effect: AskSwitch, refusal: Refusal) -> RequestRefused:
    return RequestRefused(
        session=effect.session,
        request=effect.request,
        id=refusal.id,
        detail=refusal.detail,
        fatal=refusal.fatal,
    )
