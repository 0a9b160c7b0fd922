"""The pool of diallers: the port ``Dialler`` of ``domain.ports``.

Each session has at most one connection. A logon goes to the first dialler in order that serves; when it fails there
for a reason of the dialler's, the same ask goes on at the next one. A session that was logged on and is lost is told
so, and asks again: it is then tried once more where it was, and after that elsewhere. A dialler that is down as a
whole takes all its agents with it at once; one that is back serves new logons, and nobody is moved for it.

Facts wait until a step is over, because who hears them may ask again at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from unified_agent.domain.effects import AskDialler, DropDialler, LogOffDialler, LogOnDialler
from unified_agent.domain.facts import (
    DiallerDown,
    DiallerLoggedOff,
    DiallerLoggedOn,
    DiallerUp,
    Fact,
    JobJoined,
    LinkFact,
    RequestDone,
    RequestRefused,
    RequestUnknown,
)
from unified_agent.domain.ids import LinkId, RequestId, SessionId
from unified_agent.domain.ports import Clock, Reports
from unified_agent.links.dialler.actions import End, Ended, Note
from unified_agent.links.dialler.agent_flow import AgentFlow
from unified_agent.links.dialler.apc_link import ApcLink
from unified_agent.links.dialler.dialler_watch import LOGGER, DiallerWatch
from unified_agent.links.dialler.logon_flow import LogonPlan
from unified_agent.links.dialler.pool_state import Health
from unified_agent.links.dialler.refusals import CALLED_OFF, FULL, NONE_UP, NOT_LOGGED_ON, UNUSABLE, Refusal
from unified_agent.network import Address, Network, make_tls_context
from unified_agent.observe import Metrics, log_event
from unified_agent.settings import DiallerSettings, PoolSettings

#: One logon may lose its connection so often at one dialler before the next one is tried.
LOSSES_PER_LOGON: Final = 2
_Answer: TypeAlias = RequestDone | RequestRefused | RequestUnknown | DiallerLoggedOn | JobJoined
_OUTCOMES: Final[dict[type[Fact], str]] = {RequestRefused: "refused", RequestUnknown: "unknown"}


@dataclass(slots=True, kw_only=True)
class _Logon:
    """One LogOnDialler under way.

    Attributes:
        after_loss: a session of this name was lost lately.
        tried: diallers where it has failed.
        losses: how often the connection was lost, by dialler.
        refusal: why it failed the last time, where a dialler answered.
    """

    request: RequestId
    ask: LogOnDialler
    after_loss: bool
    tried: set[LinkId] = field(default_factory=set)
    losses: dict[LinkId, int] = field(default_factory=dict)
    refusal: Refusal | None = None


@dataclass(slots=True, kw_only=True)
class _Agent:
    """One session.

    Attributes:
        link: its connection, None while there is none.
        logon: the logon under way, None once logged on.
        lost_at: where its session was lost last, to be tried first; None once logged on again.
        lost_s: when a session of it was last lost, by dialler.
        unlucky_s: when it was lost a second time within ``stale_logon_limit_s``, by dialler.
    """

    link: ApcLink | None = None
    logon: _Logon | None = None
    lost_at: LinkId | None = None
    lost_s: dict[LinkId, float] = field(default_factory=dict)
    unlucky_s: dict[LinkId, float] = field(default_factory=dict)


class DiallerPool:
    """All diallers and all agents on them.

    Args:
        diallers: in the order in which they are preferred.
        settings: how they are watched.
        network, clock: how to get there, and when.
        reports: who hears the facts.
        metrics: what is counted.

    Raises:
        SettingsError: a dialler's TLS files cannot be used.
    """

    def __init__(
        self,
        diallers: Sequence[DiallerSettings],
        settings: PoolSettings,
        *,
        network: Network,
        clock: Clock,
        reports: Reports,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._network = network
        self._clock = clock
        self._reports = reports
        self._metrics = metrics
        self._diallers = {each.name: each for each in diallers}
        self._addresses = {
            each.name: Address(host=each.host, port=each.port, tls=make_tls_context(each.tls)) for each in diallers
        }
        self._agents: dict[SessionId, _Agent] = {}
        self._links: dict[LinkId, dict[ApcLink, None]] = {each: {} for each in self._diallers}
        self._names_left_s: dict[str, float] = {}
        self._facts: deque[Fact] = deque()
        self._link_facts: deque[LinkFact] = deque()
        self._depth = 0
        self._telling = False
        self._watch = DiallerWatch(
            diallers,
            self._addresses,
            settings,
            network=network,
            clock=clock,
            metrics=metrics,
            agents_on=self.agents_on,
            on_up=self._came_up,
            on_down=self._went_down,
        )
        metrics.before_render(self._count_agents)

    # --- life

    def start(self) -> None:
        """Begin to probe. Must be called in the running loop."""
        self._watch.start()

    async def stop(self) -> None:
        """Stop probing and close every connection. Who is still logged on is dropped: log off before."""
        links = [link for each in self._links.values() for link in each]
        for link in links:
            link.drop()
        await self._watch.stop()
        for link in links:
            await link.join()

    @property
    def status(self) -> tuple[str, ...]:
        """One sentence for each dialler, for the health page, in the order of preference."""
        return tuple(self._watch.sentence(name) for name in self._diallers)

    def health(self, dialler: LinkId) -> Health:
        """Say how a dialler is."""
        return self._watch.state[dialler].health

    def agents_on(self, dialler: LinkId) -> int:
        """Count the sessions that are logged on there."""
        return sum(link.is_logged_on for link in self._links[dialler])

    # --- the port

    def ask(self, effect: AskDialler) -> None:
        """See ``domain.ports.Dialler``."""
        session, request = effect.session, effect.request
        agent = self._agents.get(session)
        link = agent.link if agent is not None else None
        with self.step():
            match effect.ask:
                case LogOnDialler():
                    self._log_on(session, request, effect.ask)
                case DropDialler():
                    self._drop(session)
                case _ if link is not None:
                    link.ask(request, effect.ask, has_alternative=self._watch.has_other(link.dialler))
                case LogOffDialler():
                    self._facts.append(DiallerLoggedOff(session=session))
                case _:
                    self._refuse(session, request, NOT_LOGGED_ON)

    def forget(self, session: SessionId) -> None:
        """See ``domain.ports.Dialler``. An agent still logged on is logged off in good order, in silence."""
        agent = self._agents.pop(session, None)
        if agent is None or agent.link is None:
            return
        if agent.link.is_logged_on:
            agent.link.ask(RequestId(0), LogOffDialler())
        else:
            agent.link.drop()

    # --- logons

    def _log_on(self, session: SessionId, request: RequestId, ask: LogOnDialler) -> None:
        self._drop(session)
        agent = self._agents.setdefault(session, _Agent())
        left_s = self._names_left_s.get(ask.name)
        recent = left_s is not None and self._clock.now_s() - left_s <= self._settings.stale_logon_limit_s
        agent.logon = _Logon(request=request, ask=ask, after_loss=recent or ask.after_loss)
        self._try(session, agent, agent.logon)

    def _try(self, session: SessionId, agent: _Agent, logon: _Logon) -> None:
        """Go on with a logon where it has not failed yet, or refuse it."""
        now_s = self._clock.now_s()
        window_s = self._settings.stale_logon_limit_s
        avoided = [name for name, at_s in agent.unlucky_s.items() if now_s - at_s <= window_s]
        name = self._watch.state.choose(now_s, preferred=agent.lost_at, avoided=avoided, tried=logon.tried)
        if name is None:
            agent.logon = None
            self._refuse(session, logon.request, self._no_dialler(logon))
            return
        dialler = self._diallers[name]
        plan = LogonPlan(request=logon.request, ask=logon.ask, after_loss=logon.after_loss)
        agent.link = link = ApcLink(
            AgentFlow(session, dialler, self._settings, plan, now_s),
            dialler,
            self._addresses[name],
            self._settings,
            network=self._network,
            clock=self._clock,
            owner=self,
        )
        self._links[name][link] = None
        link.start()

    def _no_dialler(self, logon: _Logon) -> Refusal:
        if logon.refusal is not None:
            return logon.refusal
        if not self._watch.state.any_answers():
            return Refusal(id=NONE_UP, detail="no dialler answers")
        return Refusal(id=FULL, detail="every dialler that answers is full or cannot serve at present")

    def _after_attempt(self, session: SessionId, agent: _Agent, name: LinkId, ended: Ended) -> None:
        """A logon attempt has ended without being logged on."""
        logon = agent.logon
        if logon is None:
            return
        match ended.end:
            case End.LOGGED_OFF:  # the flow has answered
                agent.logon = None
                return
            case End.REFUSED:
                agent.logon = None
                self._refuse(session, logon.request, ended.refusal or Refusal(id=UNUSABLE, detail=ended.detail))
                return
            case End.LOST:
                logon.after_loss = True  # the dialler may hold the name already
                logon.losses[name] = logon.losses.get(name, 0) + 1
                if logon.losses[name] >= LOSSES_PER_LOGON:
                    logon.tried.add(name)
                    logon.refusal = Refusal(id=UNUSABLE, detail=f"{name} lost the connection: {ended.detail}")
            case End.UNUSABLE:
                logon.tried.add(name)
                logon.refusal = ended.refusal
            case _:
                logon.tried.add(name)
        self._try(session, agent, logon)

    def _drop(self, session: SessionId) -> None:
        """Close what is open for a session; a logon under way is called off."""
        agent = self._agents.get(session)
        if agent is None:
            return
        logon, agent.logon = agent.logon, None
        link, agent.link = agent.link, None
        if logon is not None:
            self._refuse(session, logon.request, CALLED_OFF)
        if link is not None:
            link.drop()

    def _refuse(self, session: SessionId, request: RequestId, refusal: Refusal) -> None:
        self._facts.append(
            RequestRefused(session=session, request=request, id=refusal.id, detail=refusal.detail, fatal=refusal.fatal)
        )

    # --- what links tell

    @contextmanager
    def step(self) -> Iterator[None]:
        """See ``LinkOwner``."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._tell()

    def link_greeted(self, link: ApcLink) -> None:
        """See ``LinkOwner``."""
        self._watch.greeted(link.dialler)

    def link_held_off(self, link: ApcLink, code: str) -> None:
        """See ``LinkOwner``."""
        self._watch.hold_off(link.dialler, code)

    def link_noted(self, link: ApcLink, note: Note) -> None:
        """See ``LinkOwner``."""
        if note.event == "dialler_out_of_step":
            self._metrics.link_unexpected_reports.labels(kind="dialler").inc()
        log_event(LOGGER, note.event, dialler=link.dialler, session=link.session, code=note.code, detail=note.detail)

    def link_reported(self, link: ApcLink, fact: Fact) -> None:
        """See ``LinkOwner``."""
        if isinstance(fact, (RequestDone, RequestRefused, RequestUnknown, DiallerLoggedOn, JobJoined)):
            self._count_answer(link, fact)
        agent = self._agents.get(fact.session)
        if agent is None:
            return  # forgotten
        if isinstance(fact, DiallerLoggedOn):
            if agent.logon is not None and agent.logon.after_loss:
                self._metrics.link_relogins.labels(kind="dialler", outcome="done").inc()
            agent.logon = agent.lost_at = None
        self._facts.append(fact)

    def link_ended(self, link: ApcLink, ended: Ended) -> None:
        """See ``LinkOwner``."""
        name = link.dialler
        self._links[name].pop(link, None)
        self._log_end(link, ended)
        if link.holds_name:
            self._names_left_s.pop(link.logon_name, None)
            self._names_left_s[link.logon_name] = self._clock.now_s()
            self._forget_old_names()
        agent = self._agents.get(link.session)
        current = agent if agent is not None and agent.link is link else None
        if current is not None:
            current.link = None
            if ended.logged_on and ended.end in {End.LOST, End.SHUTTING_DOWN}:
                self._note_loss(current, name)
        self._watch.judge(name, ended)
        if current is not None and not ended.logged_on:
            self._after_attempt(link.session, current, name, ended)

    def _note_loss(self, agent: _Agent, name: LinkId) -> None:
        now_s = self._clock.now_s()
        before_s = agent.lost_s.get(name)
        if before_s is not None and now_s - before_s <= self._settings.stale_logon_limit_s:
            agent.unlucky_s[name] = now_s
        agent.lost_s[name] = now_s
        agent.lost_at = name

    def _forget_old_names(self) -> None:
        """Drop, oldest first, names that no dialler can still hold for us."""
        until_s = self._clock.now_s() - self._settings.stale_logon_limit_s
        while self._names_left_s:
            name, at_s = next(iter(self._names_left_s.items()))
            if at_s >= until_s:
                return
            del self._names_left_s[name]

    def _log_end(self, link: ApcLink, ended: Ended) -> None:
        if ended.end is End.LOGGED_OFF:
            return
        down = self.health(link.dialler) is Health.DOWN
        log_event(
            LOGGER,
            "dialler_session_ended",
            level="debug" if down else "info",
            dialler=link.dialler,
            session=link.session,
            end=ended.end,
            reason=ended.reason,
            refusal=ended.refusal.id if ended.refusal is not None else "",
            detail=ended.detail,
        )

    def _count_answer(self, link: ApcLink, answer: _Answer) -> None:
        outcome = _OUTCOMES.get(type(answer), "done")
        self._metrics.link_requests.labels(kind="dialler", link=link.dialler, outcome=outcome).inc()
        took_s = link.took_s(answer.request)
        if took_s is not None:
            self._metrics.link_request_seconds.labels(kind="dialler").observe(took_s)

    def _count_agents(self) -> None:
        for name in self._diallers:
            self._metrics.dialler_agents.labels(dialler=name).set(self.agents_on(name))

    # --- whole diallers

    def _came_up(self, name: LinkId) -> None:
        with self.step():
            self._link_facts.append(DiallerUp(link=name))

    def _went_down(self, name: LinkId, reason: str) -> None:
        """Take all its agents with it: each is told, and then all are told of the dialler."""
        with self.step():
            self._link_facts.append(DiallerDown(link=name, reason=reason))
            for link in tuple(self._links[name]):
                link.lose(reason, "the dialler is down")

    def _tell(self) -> None:
        """Report what waits: first what sessions must know, then what is so of whole diallers.

        In that order, because a session whose logon has gone on elsewhere must know that before it hears that the
        dialler it came from is down.
        """
        if self._telling:
            return
        self._telling = True
        try:
            while self._facts or self._link_facts:
                if self._facts:
                    self._reports.report(self._facts.popleft())
                else:
                    self._reports.report_link(self._link_facts.popleft())
        finally:
            self._telling = False
