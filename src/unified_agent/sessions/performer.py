"""Performs effects through ports, in order, once.

Ports do not wait, so nothing here does: a slow switch or dialler holds up nobody, and the effects of one agent reach
their peers in the order in which the session asked for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from unified_agent.domain.commands import kebab
from unified_agent.domain.effects import (
    AskClaim,
    AskDialler,
    AskSwitch,
    AskTurn,
    CloseSession,
    CountUnexpected,
    Effect,
    RestartOutbox,
    Settle,
    Tell,
)
from unified_agent.domain.ports import Clock, Dialler, Registry, Telephony
from unified_agent.domain.session_state import Outcome
from unified_agent.domain.states import Side
from unified_agent.history import CommandSettled, History, LinkDeed
from unified_agent.observe import Metrics, get_logger, log_event
from unified_agent.sessions.live import LiveSession
from unified_agent.sessions.login_pacer import LoginPacer

LOGGER = get_logger("sessions")


class Performer:
    """Knows which port each kind of effect is for."""

    def __init__(
        self,
        *,
        telephony: Telephony,
        dialler: Dialler,
        pacer: LoginPacer,
        clock: Clock,
        metrics: Metrics,
        closed: Callable[[CloseSession], None],
        registry: Registry | None = None,
        history: History | None = None,
    ) -> None:
        self._telephony = telephony
        self._dialler = dialler
        self._pacer = pacer
        self._clock = clock
        self._metrics = metrics
        self._closed = closed
        self._registry = registry
        self._history = history

    def perform(self, live: LiveSession, effects: Iterable[Effect]) -> None:
        """Perform the effects of one step."""
        for effect in effects:
            match effect:
                case Tell():
                    live.outbox.append(effect.notice)
                case AskSwitch() | AskDialler():
                    self._ask_link(live, effect)
                case AskClaim():
                    assert self._registry is not None, "an instance that is alone asks for no claim"
                    self._registry.ask(effect)
                case AskTurn():
                    self._pacer.join(effect.session, effect.side)
                case RestartOutbox():
                    live.outbox.restart(effect.reason)
                case Settle():
                    self._settled(live, effect)
                case CountUnexpected():
                    self._unexpected(effect)
                case CloseSession():
                    self._closed(effect)
                case _:
                    raise AssertionError(f"nobody performs {type(effect).__name__}")

    def _ask_link(self, live: LiveSession, effect: AskSwitch | AskDialler) -> None:
        """Act for the agent, if we still may at this very moment."""
        if self._registry is not None and not self._registry.may_act(effect.session):
            self._metrics.fenced_writes.inc()
            log_event(LOGGER, "deed_fenced", level="warning", session=effect.session, what=type(effect.ask).__name__)
            return
        if self._history is not None:
            self._record_deed(self._history, live, effect)
        if isinstance(effect, AskSwitch):
            self._telephony.ask(effect)
        else:
            self._dialler.ask(effect)

    def _record_deed(self, history: History, live: LiveSession, effect: AskSwitch | AskDialler) -> None:
        state = live.state
        command = next((each.command for each in state.requests if each.id == effect.request), None)
        history.record(
            LinkDeed,
            agent=state.identity.agent,
            station=state.identity.station,
            term=state.claim.term,
            incarnation=0 if self._registry is None else self._registry.incarnation(effect.session),
            side=Side.TELEPHONY if isinstance(effect, AskSwitch) else Side.DIALLER,
            what=kebab(type(effect.ask).__name__),
            command=command,
            request=effect.request,
        )

    def _settled(self, live: LiveSession, effect: Settle) -> None:
        record = next((each for each in live.state.commands if each.id == effect.command), None)
        if record is None:
            return
        if self._history is not None:
            self._history.record(CommandSettled, command=record.id, outcome=record.outcome)
        self._metrics.commands.labels(command=record.type, outcome=record.outcome.value).inc()
        self._metrics.command_seconds.labels(command=record.type).observe(self._clock.now_s() - record.at_s)
        if record.outcome is Outcome.UNKNOWN:
            log_event(LOGGER, "command_unknown", level="warning", session=effect.session, command=record.type)

    def _unexpected(self, effect: CountUnexpected) -> None:
        kind = "dialler" if effect.what.startswith("item:") else "telephony"
        self._metrics.link_unexpected_reports.labels(kind=kind).inc()
        log_event(LOGGER, "report_unexpected", level="debug", session=effect.session, what=effect.what)
