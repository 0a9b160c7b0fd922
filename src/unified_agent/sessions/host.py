"""Every live session of this instance: open, submit, report, drain.

The only room where sessions change. It gives each session its inputs one at a time, performs the effects before the
next, and keeps one heap of the times at which sessions want to be woken.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from typing import ClassVar, Final

from unified_agent.domain.commands import AnyCommand
from unified_agent.domain.effects import CloseSession
from unified_agent.domain.facts import (
    CommandReceived,
    DesktopAttached,
    DesktopDetached,
    Fact,
    LinkFact,
    LogOutForced,
    SessionOpened,
    TelephonyDown,
    TelephonyUp,
    Woken,
)
from unified_agent.domain.ids import AgentId, CommandId, LinkId, SessionId, StationId
from unified_agent.domain.ports import Clock, Dialler, Telephony, Timer
from unified_agent.domain.session import Input, new_session, next_wake_s, step
from unified_agent.domain.session_state import CommandRecord, Identity, SessionState
from unified_agent.domain.states import Phase, TelephonyStage
from unified_agent.domain.view import View, view_of
from unified_agent.errors import UnifiedAgentError
from unified_agent.observe import Metrics, get_logger, log_event
from unified_agent.sessions.live import LiveSession
from unified_agent.sessions.login_pacer import LoginPacer
from unified_agent.sessions.outbox import Outbox
from unified_agent.sessions.performer import Performer
from unified_agent.settings import SessionsSettings

LOGGER = get_logger("sessions")

#: Sessions here have nothing more to do since the link's return, or cannot until a person acts.
_IN_LINE: Final = frozenset({TelephonyStage.UP, TelephonyStage.REFUSED, TelephonyStage.OUT})

Closed = Callable[[SessionId, str, str], None]


class OpenRefused(UnifiedAgentError):
    """A login that this instance does not take.

    Attributes:
        id: stable id of the reason: ``agent.wrong-password``, ``agent.already-logging-in``,
            ``agent.already-logged-in``, ``agent.logging-out``, ``station.in-use``, ``instance.full`` or
            ``instance.draining``.
        detail: what goes with it, for people.
    """

    code: ClassVar[str] = "open-refused"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason} {detail}".strip())
        self.id = reason
        self.detail = detail


class Host:
    """All sessions of one instance. Not for more than one thread.

    ``Reports`` of ``domain.ports`` is implemented here: it is the one door by which facts come in.
    """

    def __init__(
        self,
        *,
        settings: SessionsSettings,
        clock: Clock,
        metrics: Metrics,
        mint_session_id: Callable[[], SessionId],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._mint = mint_session_id
        self._live: dict[SessionId, LiveSession] = {}
        self._agents: dict[AgentId, SessionId] = {}
        self._stations: dict[StationId, SessionId] = {}
        self._pacer = LoginPacer(clock, self.report, rate_per_s=settings.relogin_rate_per_s)
        self._performer: Performer | None = None
        self._telephony: Telephony | None = None
        self._dialler: Dialler | None = None
        self._link: LinkId | None = None
        self._wakes: list[tuple[float, SessionId]] = []
        self._timer: Timer | None = None
        self._timer_s = 0.0
        self._returned_s = 0.0
        self._behind: set[SessionId] = set()
        self._closed_listeners: list[Closed] = []
        self.draining = False
        metrics.session_capacity.set(settings.capacity)
        metrics.before_render(self._count)

    def join(self, telephony: Telephony, dialler: Dialler) -> None:
        """Join the ports; once, before anything else (links need the host to be made, and the host the links)."""
        assert self._performer is None, "joined twice"
        self._telephony = telephony
        self._dialler = dialler
        self._performer = Performer(
            telephony=telephony,
            dialler=dialler,
            pacer=self._pacer,
            clock=self._clock,
            metrics=self._metrics,
            closed=self._close,
        )

    # --- opening

    def open(self, identity: Identity) -> SessionId:
        """Open a session, or hand over the one the same agent has here.

        Returns:
            The session's id. It is the id of the running session when the agent, station and password are those of
            one: the new desktop takes it over, nothing happens at switch or dialler.

        Raises:
            OpenRefused: see its ids. Nothing was opened.
        """
        try:
            session = self._running(identity)
            if session is not None:
                self._metrics.takeovers.labels(cause="login").inc()
                return session
            session = self._begin(identity)
        except OpenRefused as refused:
            self._metrics.logins.labels(outcome=refused.id).inc()
            raise
        self._metrics.logins.labels(outcome="accepted").inc()
        return session

    def _running(self, identity: Identity) -> SessionId | None:
        session = self._agents.get(identity.agent)
        if session is None:
            return None
        state = self._live[session].state
        same = hmac.compare_digest(state.identity.password.value.encode(), identity.password.value.encode())
        if not same and not state.telephony.verified:
            # Nobody has proved who they are yet. The first must not shut the second out for long: neither goes on.
            self.report(LogOutForced(session=session, cause="agent.already-logging-in", now=True))
            raise OpenRefused("agent.already-logging-in")
        if not same:
            raise OpenRefused("agent.wrong-password")
        if state.phase in {Phase.CLOSING, Phase.CLOSED}:
            raise OpenRefused("agent.logging-out")
        if state.identity.station != identity.station:
            raise OpenRefused("agent.already-logged-in", state.identity.station)
        return session

    def _begin(self, identity: Identity) -> SessionId:
        if self.draining:
            raise OpenRefused("instance.draining")
        if len(self._live) >= self._settings.capacity:
            raise OpenRefused("instance.full", str(self._settings.capacity))
        if identity.station in self._stations:
            raise OpenRefused("station.in-use", identity.station)
        now_s = self._clock.now_s()
        session = self._mint()
        state = new_session(session, identity, self._settings.policy, now_s)
        self._live[session] = LiveSession(state, self._clock.now_s)
        self._agents[identity.agent] = session
        self._stations[identity.station] = session
        log_event(LOGGER, "session_opened", session=session, agent=identity.agent, station=identity.station)
        self.report(SessionOpened(session=session, link=self._link))
        return session

    # --- what the server asks

    def state(self, session: SessionId) -> SessionState | None:
        """Return a session's state, None when it is over."""
        live = self._live.get(session)
        return live.state if live is not None else None

    def view(self, session: SessionId) -> View | None:
        """Return what its desktop may see, None when it is over."""
        live = self._live.get(session)
        return view_of(live.state) if live is not None else None

    def outbox(self, session: SessionId) -> Outbox | None:
        """Return its stream of notices, None when it is over."""
        live = self._live.get(session)
        return live.outbox if live is not None else None

    def received_s(self, session: SessionId) -> float | None:
        """Say when the input came that its notices now come of, Unix seconds; None when it is over."""
        live = self._live.get(session)
        return live.received_s if live is not None else None

    def sessions(self) -> Iterator[SessionState]:
        """All sessions, in the order of their opening."""
        return (live.state for live in tuple(self._live.values()))

    def __len__(self) -> int:
        return len(self._live)

    def submit(self, session: SessionId, command_id: CommandId, command: AnyCommand) -> CommandRecord | None:
        """Take a command of a desktop; a repeat is answered from memory.

        Returns:
            How it stands now, None when the session is over. ``accepted`` is followed by a ``CommandSettled`` notice.
        """
        live = self._live.get(session)
        if live is None:
            return None
        self._give(live, CommandReceived(session=session, id=command_id, command=command), self._clock.now_s())
        return _record(live.state, command_id)

    def command(self, session: SessionId, command_id: CommandId) -> CommandRecord | None:
        """Say how a command stands, None when it is not remembered."""
        live = self._live.get(session)
        return _record(live.state, command_id) if live is not None else None

    def desktop_attached(self, session: SessionId) -> None:
        """Somebody looks at this session."""
        self.report(DesktopAttached(session=session))

    def desktop_detached(self, session: SessionId) -> None:
        """Nobody does any more."""
        self.report(DesktopDetached(session=session))

    def force_log_out(self, session: SessionId, cause: str, *, now: bool) -> None:
        """End a session on the house's account; without ``now`` an open call or item is let come to its end."""
        self._metrics.forced_logouts.labels(cause=cause).inc()
        self.report(LogOutForced(session=session, cause=cause, now=now))

    def on_closed(self, listener: Closed) -> None:
        """Tell a listener of every session that is over: its id, the reason's id, words that go with it."""
        self._closed_listeners.append(listener)

    def close(self) -> None:
        """Stop at once: nothing is asked, told or woken any more. What is logged in stays so at the switch."""
        self._pacer.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # --- facts

    def report(self, fact: Fact) -> None:
        """Take a fact about one session; one that is over is passed over."""
        live = self._live.get(fact.session)
        if live is not None:
            self._give(live, fact, self._clock.now_s())

    def report_link(self, fact: LinkFact) -> None:
        """Take a fact about a whole link: every session hears it."""
        now_s = self._clock.now_s()
        if isinstance(fact, TelephonyUp):
            self._link = fact.link
            self._returned_s = now_s
            self._behind = set(self._live)
        elif isinstance(fact, TelephonyDown):
            self._link = None
            self._behind.clear()
        log_event(LOGGER, "link_reported", link=fact.link, fact=type(fact).__name__, sessions=len(self._live))
        for live in tuple(self._live.values()):
            self._give(live, fact, now_s)

    def _give(self, live: LiveSession, fact: Input, received_s: float) -> None:
        live.inbox.append((fact, received_s))
        if live.stepping:
            return
        assert self._performer is not None, "not joined to ports"
        live.stepping = True
        try:
            while live.inbox:
                given, live.received_s = live.inbox.popleft()
                live.state, effects = step(live.state, given, self._clock.now_s())
                self._performer.perform(live, effects)
        finally:
            live.stepping = False
        if self._behind and live.state.telephony.stage in _IN_LINE:
            self._caught_up(live.state.id)
        self._plan_wake(live)

    def _caught_up(self, session: SessionId) -> None:
        """Know that a session is in line with the switch again, or over."""
        if session in self._behind:
            self._behind.discard(session)
            if not self._behind:
                took_s = self._clock.now_s() - self._returned_s
                self._metrics.link_resync.labels(kind="telephony").observe(took_s)

    # --- waking

    def _plan_wake(self, live: LiveSession) -> None:
        at_s = next_wake_s(live.state) if live.state.phase is not Phase.CLOSED else None
        if at_s is None or (live.wake_s is not None and live.wake_s <= at_s):
            return  # woken early it finds nothing due, and plans again
        live.wake_s = at_s
        heappush(self._wakes, (at_s, live.state.id))
        self._arm()

    def _arm(self) -> None:
        if not self._wakes:
            return
        at_s = self._wakes[0][0]
        if self._timer is not None:
            if self._timer_s <= at_s:
                return
            self._timer.cancel()
        self._timer_s = at_s
        self._timer = self._clock.call_at(at_s, self._wake)

    def _wake(self) -> None:
        self._timer = None
        now_s = self._clock.now_s()
        while self._wakes and self._wakes[0][0] <= now_s:
            at_s, session = heappop(self._wakes)
            live = self._live.get(session)
            if live is not None and live.wake_s == at_s:
                live.wake_s = None
                self._give(live, Woken(session=session), now_s)
        self._arm()

    # --- the end

    def _close(self, effect: CloseSession) -> None:
        live = self._live.pop(effect.session, None)
        if live is None:
            return
        assert self._telephony is not None
        assert self._dialler is not None
        state = live.state
        self._agents.pop(state.identity.agent, None)
        self._stations.pop(state.identity.station, None)
        self._pacer.leave(effect.session)
        self._caught_up(effect.session)
        self._dialler.forget(effect.session)
        self._telephony.forget(effect.session)
        log_event(LOGGER, "session_closed", session=effect.session, agent=state.identity.agent, reason=effect.reason)
        for listener in self._closed_listeners:
            listener(effect.session, effect.reason, state.close_detail)

    def _count(self) -> None:
        presence: dict[str, int] = {}
        modes: dict[str, int] = {}
        for live in self._live.values():
            state = live.state
            presence[state.presence.value] = presence.get(state.presence.value, 0) + 1
            mode = view_of(state).agent.mode.value
            modes[mode] = modes.get(mode, 0) + 1
        self._metrics.sessions.clear()
        self._metrics.agents.clear()
        for word, number in presence.items():
            self._metrics.sessions.labels(presence=word).set(number)
        for word, number in modes.items():
            self._metrics.agents.labels(mode=word).set(number)


def _record(state: SessionState, command_id: CommandId) -> CommandRecord | None:
    return next((each for each in reversed(state.commands) if each.id == command_id), None)
