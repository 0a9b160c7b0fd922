"""Every live session of this instance: open, submit, report, drain.

The only room where sessions change. It gives each session its inputs one at a time, performs the effects before the
next, and keeps one heap of the times at which sessions want to be woken.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from unified_agent.domain.carry import adopt, adopt_unread
from unified_agent.domain.claim_steps import is_let_go
from unified_agent.domain.commands import AnyCommand, kebab
from unified_agent.domain.effects import CloseSession
from unified_agent.domain.facts import (
    ClaimLost,
    CommandDoubted,
    CommandReceived,
    DesktopAttached,
    DesktopDetached,
    Fact,
    IdentityShown,
    LinkFact,
    LogOutForced,
    MoveAsked,
    MovePlanned,
    SessionOpened,
    TelephonyDown,
    TelephonyUp,
    Woken,
)
from unified_agent.domain.ids import AgentId, CommandId, LinkId, Secret, SessionId, StationId
from unified_agent.domain.ports import Clock, Dialler, Registry, Telephony
from unified_agent.domain.session import Input, new_session, step
from unified_agent.domain.session_state import ClaimState, CommandRecord, Identity, SessionState
from unified_agent.domain.states import ClaimStage, Phase, Wish
from unified_agent.domain.view import View, view_of
from unified_agent.history import CommandAnswered, History
from unified_agent.history import CommandReceived as HistoricalCommand
from unified_agent.observe import Metrics, get_logger, log_event
from unified_agent.sessions.admission import OpenRefused, refusal_to_take_over
from unified_agent.sessions.catching_up import CatchingUp
from unified_agent.sessions.census import take_census
from unified_agent.sessions.live import LiveSession
from unified_agent.sessions.login_pacer import LoginPacer
from unified_agent.sessions.outbox import Outbox
from unified_agent.sessions.performer import Performer
from unified_agent.sessions.publisher import Publisher
from unified_agent.sessions.wakes import Wakes
from unified_agent.settings import SessionsSettings

LOGGER = get_logger("sessions")


def _no_proof(_: AgentId, password: Secret) -> str:
    return password.value


Closed = Callable[[SessionId, str, str], None]


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
        registry: Registry | None = None,
        prove: Callable[[AgentId, Secret], str] = _no_proof,
        history: History | None = None,
    ) -> None:
        """Have no sessions.

        Args:
            settings, clock, metrics: as everywhere.
            mint_session_id: makes an unguessable id.
            registry: who owns which agent; None for an instance that is alone.
            prove: turns a password into what can be compared with another instance's without telling it.
            history: what is done is recorded there.
        """
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._mint = mint_session_id
        self._registry = registry
        self._prove = prove
        self._history = history
        self._publisher = Publisher(registry)
        self._live: dict[SessionId, LiveSession] = {}
        self._agents: dict[AgentId, SessionId] = {}
        self._stations: dict[StationId, SessionId] = {}
        self._pacer = LoginPacer(clock, self.report, rate_per_s=settings.relogin_rate_per_s)
        self._performer: Performer | None = None
        self._telephony: Telephony | None = None
        self._dialler: Dialler | None = None
        self._link: LinkId | None = None
        self._wakes = Wakes(clock, self._wake)
        self._catching_up = CatchingUp(clock, metrics)
        self._closed_listeners: list[Closed] = []
        self.draining = False
        metrics.session_capacity.set(settings.capacity)
        metrics.before_render(lambda: take_census(self.sessions(), metrics))

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
            registry=self._registry,
            history=self._history,
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

    def adopt(
        self,
        identity: Identity,
        *,
        session: SessionId,
        ticket_term: int,
        verified: bool,
        carried: SessionState | None,
        desktop_follows: bool,
    ) -> SessionId:
        """Take a session in that another instance had, or this one before it was started again.

        What is carried is shown at once, greyed; nothing is done for the agent before the claim is granted.

        Args:
            identity: with what a new login needs, from the desktop's ticket.
            session: its id, which it keeps.
            ticket_term: term in the ticket.
            verified: the switch has accepted the password in this session.
            carried: what its last owner wrote, ``carry.unpack``ed; None when that cannot be read now.
            desktop_follows: the desktop that brought the ticket will be connected; the claim is asked for while it is.

        Raises:
            OpenRefused: see its ids. Nothing was opened.
        """
        running = self._agents.get(identity.agent)
        if running is not None:
            if running == session:
                self.report(IdentityShown(session=session, identity=identity))
                return running
            raise OpenRefused("taken-over")
        state = self._new_state(identity, session, Wish.RESUME)
        # Until the claim is granted all is told in the latest term known: a desktop takes nothing from an earlier one.
        term = ticket_term if carried is None else max(ticket_term, carried.claim.term)
        claim = replace(state.claim, term=term, ticket_term=ticket_term, needs_desktop=desktop_follows)
        state = replace(state, claim=claim, telephony=replace(state.telephony, verified=verified))
        if carried is not None:
            state = adopt(carried, state, self._clock.now_s())
        elif verified:
            state = adopt_unread(state, self._clock.now_s())
        # Milliseconds: higher than any epoch that another instance gave to this session.
        self._enter(state, first_epoch=int(self._clock.now_s() * 1_000))
        return session

    def adopt_orphan(self, carried: SessionState) -> None:
        """Take over a session of a lost instance whose desktop has not come, so that nobody is called there.

        Raises:
            OpenRefused: see its ids. Nothing was opened.
        """
        identity = carried.identity
        if identity.agent in self._agents:
            raise OpenRefused("agent.already-logged-in", identity.agent)
        state = replace(self._new_state(identity, carried.id, Wish.SPREAD), orphaned=True)
        state = adopt(carried, state, self._clock.now_s())
        self._enter(state, first_epoch=int(self._clock.now_s() * 1_000))

    def _running(self, identity: Identity) -> SessionId | None:
        session = self._agents.get(identity.agent)
        if session is None:
            return None
        if self._live[session].state.orphaned:
            self.report(ClaimLost(session=session, reason="superseded"))
            return None
        refused = refusal_to_take_over(self._live[session].state, identity)
        if refused is not None:
            if refused.id == "agent.already-logging-in":
                self.report(LogOutForced(session=session, cause=refused.id, now=True))
            raise refused
        return session

    def _begin(self, identity: Identity) -> SessionId:
        session = self._mint()
        self._enter(self._new_state(identity, session, Wish.LOGIN))
        return session

    def _new_state(self, identity: Identity, session: SessionId, wish: Wish) -> SessionState:
        if self.draining:
            raise OpenRefused("instance.draining")
        if len(self._live) >= self._settings.capacity:
            raise OpenRefused("instance.full", str(self._settings.capacity))
        if identity.station in self._stations:
            raise OpenRefused("station.in-use", identity.station)
        claim = ClaimState() if self._registry is None else ClaimState(stage=ClaimStage.ASKED, wish=wish, term=0)
        return new_session(session, identity, self._settings.policy, self._clock.now_s(), claim)

    def _enter(self, state: SessionState, *, first_epoch: int = 1) -> None:
        identity, session = state.identity, state.id
        self._live[session] = LiveSession(state, self._clock.now_s, first_epoch=first_epoch)
        self._agents[identity.agent] = session
        self._stations[identity.station] = session
        log_event(
            LOGGER,
            "session_opened",
            session=session,
            agent=identity.agent,
            station=identity.station,
            wish=state.claim.wish.value,
        )
        self.report(SessionOpened(session=session, link=self._link))

    # --- what the registry asks

    def session_of(self, agent: AgentId) -> SessionId | None:
        """See ``Owner``."""
        return self._agents.get(agent)

    def let_go(self, agent: AgentId, reason: str, proof: str) -> str:
        """See ``Owner``."""
        session = self._agents.get(agent)
        if session is None:
            return "not-here"
        state = self._live[session].state
        proven = state.orphaned or hmac.compare_digest(proof, self._prove(agent, state.identity.password))
        if reason == "taken-over" and not proven:
            return "agent.wrong-password" if state.telephony.verified else "agent.already-logging-in"
        if not is_let_go(state):
            return "later"
        self.report(MoveAsked(session=session, reason=reason))
        return ""

    def plan_move(self, session: SessionId, *, going: bool) -> None:
        """Give a session no new work because its desktop is to be sent elsewhere, or again."""
        self.report(MovePlanned(session=session, going=going))

    def lose(self, sessions: Iterable[SessionId], reason: str) -> None:
        """See ``Owner``."""
        for session in tuple(sessions):
            self.report(ClaimLost(session=session, reason=reason))

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
        if self._history is not None and _record(live.state, command_id) is None:
            self._history.record(
                HistoricalCommand,
                agent=live.state.identity.agent,
                command=command_id,
                type=kebab(type(command).__name__),
                term=live.state.claim.term,
            )
        self._give(live, CommandReceived(session=session, id=command_id, command=command), self._clock.now_s())
        record = _record(live.state, command_id)
        if self._history is not None and record is not None:
            self._history.record(CommandAnswered, command=command_id, outcome=record.outcome)
        return record

    def resolve(self, session: SessionId, command_id: CommandId, command: AnyCommand) -> CommandRecord | None:
        """Find out what became of a command that its desktop had asked of another instance; it is not performed.

        Returns:
            How it stands now, None when the session is over. ``unknown`` is followed by a ``CommandSettled`` notice.
        """
        live = self._live.get(session)
        if live is None:
            return None
        self._give(live, CommandDoubted(session=session, id=command_id, command=command), self._clock.now_s())
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
        self._wakes.close()

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
            self._catching_up.link_returned(self._live)
        elif isinstance(fact, TelephonyDown):
            self._link = None
            self._catching_up.link_lost()
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
        self._catching_up.look(live.state)
        if live.state.phase is not Phase.CLOSED:
            self._publisher.look(live.state)
        self._wakes.plan(live)

    def _wake(self, session: SessionId, at_s: float) -> None:
        live = self._live.get(session)
        if live is not None and live.wake_s == at_s:
            live.wake_s = None
            self._give(live, Woken(session=session), self._clock.now_s())

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
        self._catching_up.done(effect.session)
        self._dialler.forget(effect.session)
        self._telephony.forget(effect.session)
        self._publisher.look(state)  # whoever comes with its ticket finds that it is over, or that it goes on
        self._publisher.forget(effect.session)
        if self._registry is not None:
            self._registry.forget(effect.session)
        log_event(LOGGER, "session_closed", session=effect.session, agent=state.identity.agent, reason=effect.reason)
        for listener in self._closed_listeners:
            listener(effect.session, effect.reason, state.close_detail)


def _record(state: SessionState, command_id: CommandId) -> CommandRecord | None:
    return next((each for each in reversed(state.commands) if each.id == command_id), None)
