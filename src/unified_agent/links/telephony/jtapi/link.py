"""The switch by the vendor's Java client: the port ``Telephony``, kept up over several AES servers.

Each try to connect starts a process, which opens one provider and holds everything that is known of the switch; here is
the link's own life. Two kinds of loss are told apart. The process ends, hangs, or says that its provider is dead: it is
ended and the supervisor starts another. Or it lives and the switch is gone: it says so, and says when the switch is
back, with a higher generation.

What the process tells carries its generation; of an older one it is dropped. Each ask is remembered until it has its
one answer, so a loss answers what was under way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from unified_agent.domain.effects import AskSwitch
from unified_agent.domain.facts import Fact, RequestRefused, RequestUnknown
from unified_agent.domain.ids import LinkId, RequestId, Secret, SessionId
from unified_agent.domain.ports import Chance, Clock, Reports
from unified_agent.errors import LinkNotReady, LinkRefused, RemoteProtocolError, UnifiedAgentError
from unified_agent.links.supervisor import Supervisor
from unified_agent.links.telephony.jtapi import messages
from unified_agent.links.telephony.jtapi.liveness import Liveness
from unified_agent.links.telephony.jtapi.worker import StartWorker, Worker
from unified_agent.links.telephony.link_life import (
    SWITCH_DOWN_LIMIT_S,
    News,
    Patience,
    at_work,
    read_password,
    request_counter,
    without_switch,
)
from unified_agent.links.telephony.refusals import BUSY, LINK_DOWN, Refusal
from unified_agent.observe import Metrics, get_logger, log_event
from unified_agent.settings import AesServerSettings, TelephonySettings

LOGGER: Final = get_logger("links.jtapi")

#: Asks under way at once. 1,000 agents logged in again at once have a few each; more is a process that answers none.
ASKS_LIMIT: Final = 20_000
#: A process that says nothing for this long after the time in which it had to have opened its provider hangs.
OPEN_GRACE_S: Final = 5.0
_KIND: Final = "telephony"


class JtapiLink:
    """Implements ``Telephony``. Make it, join it to ``Reports``, ``start`` it in the running loop, ``stop`` it.

    Args:
        settings: of the switch.
        reports: where facts go.
        start_worker: how a process is started.
        clock, chance: where time and jitter come from.
        metrics: the instance's.

    Raises:
        SettingsError: the password's file cannot be read.
    """

    def __init__(
        self,
        settings: TelephonySettings,
        reports: Reports,
        *,
        start_worker: StartWorker,
        clock: Clock,
        chance: Chance,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._reports = reports
        self._start_worker = start_worker
        self._clock = clock
        self._metrics = metrics
        self._password = Secret(read_password(settings))
        self._supervisor = Supervisor(
            LinkId(settings.kind),
            [(each.name, each) for each in settings.servers],
            self._serve,
            settings=settings.link,
            clock=clock,
            chance=chance,
        )
        self._news = News(reports, metrics, [each.name for each in settings.servers])
        self._patience = Patience(clock, len(settings.servers), self._lose_patience)
        self._visit: _Visit | None = None
        self._generation: int | None = None
        self._load: messages.Load | None = None
        self._asked: dict[tuple[SessionId, RequestId], float] = {}
        self._sessions: set[SessionId] = set()
        self._epoch = 0

    # --- the port

    @property
    def is_up(self) -> bool:
        """Whether the switch can be asked now."""
        return self._generation is not None

    def ask(self, effect: AskSwitch) -> None:
        """See ``Telephony``."""
        if self._visit is None or self._generation is None:
            self._refuse(effect, LINK_DOWN)
        elif len(self._asked) >= ASKS_LIMIT:
            self._refuse(effect, BUSY)
        else:
            self._sessions.add(effect.session)
            self._asked[effect.session, effect.request] = self._clock.now_s()
            self._visit.worker.send(messages.ask_of(self._generation, effect))

    def forget(self, session: SessionId) -> None:
        """See ``Telephony``."""
        if session not in self._sessions:
            return
        self._sessions.remove(session)
        for key in [each for each in self._asked if each[0] == session]:
            del self._asked[key]
        if self._visit is not None:
            self._visit.worker.send(messages.Forget(session=session))

    # --- its life

    def start(self, epoch: int = 0) -> None:
        """Begin to keep the link up, also after a stop. In the running loop.

        Args:
            epoch: of the active datacentre, with which the link is stamped; 0 for an instance that is alone.
        """
        self._epoch = epoch
        self._supervisor.start()

    async def stop(self) -> None:
        """Have the provider shut down, end the process, and stop."""
        await self._supervisor.stop()

    def retry_now(self) -> None:
        """Try again without waiting: a person mended something."""
        self._supervisor.retry_now()

    @property
    def status(self) -> str:
        """What the link is doing, for the health page."""
        visit, load = self._visit, self._load
        if visit is None or not visit.opened:
            return self._supervisor.status
        if not self.is_up:
            return without_switch(self._supervisor.link, visit.server.name)
        if load is None:
            return self._supervisor.status
        return at_work(
            self._supervisor.status,
            observed=load.observed,
            in_flight=load.in_flight,
            waiting=load.waiting,
            overloaded=load.overloaded,
        )

    async def _serve(self, server: AesServerSettings, came_up: Callable[[], None]) -> str:
        """Serve on one AES until the link is lost. See ``supervisor.Serve``."""
        try:
            return await self._serve_by_process(server, came_up)
        except LinkRefused:
            self._news.absent(server.name, "refused")
            raise
        except LinkNotReady:
            self._news.absent(server.name, "unreachable")
            raise

    async def _serve_by_process(self, server: AesServerSettings, came_up: Callable[[], None]) -> str:
        visit = _Visit(server, came_up, request_counter(self._metrics, server.name))
        worker = await self._start_worker(
            server.name,
            on_message=lambda message: self._take(visit, message),
            on_lost=lambda reason, detail: self._lose(visit, reason, f"the process for JTAPI is lost: {detail}"),
        )
        visit.worker = worker
        link = self._settings.link
        liveness = Liveness(
            self._clock,
            interval_s=link.heartbeat_interval_s,
            silence_limit_s=link.silence_limit_s,
            ping=lambda number: worker.send(messages.Ping(number=number)),
            on_silence=lambda silent_s: self._lose(
                visit, "silent", f"the process for JTAPI said nothing for {silent_s:.1f} s", hangs=True
            ),
        )
        visit.liveness = liveness
        self._visit = visit
        try:
            worker.send(self._open(server))
            liveness.expect(self._settings.jtapi.open_limit_s + OPEN_GRACE_S)
            await asyncio.wait([visit.ended])
        except asyncio.CancelledError:
            self._leave(visit, "closed", "we end the link")
            raise
        finally:
            self._leave(visit, "closed", "we left the process")
            how = await _ended(worker, at_once=visit.hangs)
        return visit.outcome(how)

    def _open(self, server: AesServerSettings) -> messages.Open:
        settings, jtapi = self._settings, self._settings.jtapi
        addresses = {"servers": f"{server.host}:{server.port}"} if server.host else {}
        return messages.Open(
            link=server.name,
            peer=jtapi.peer,
            service=server.service,
            user=settings.user,
            password=self._password,
            parameters={**addresses, **jtapi.parameters},
            open_limit_s=jtapi.open_limit_s,
            heartbeat_s=jtapi.heartbeat_s,
            probe_interval_s=jtapi.probe_interval_s,
            # A question that is not answered was asked up to an interval after the last answer.
            silence_limit_s=settings.link.silence_limit_s - jtapi.probe_interval_s,
            request_limit_s=settings.link.request_limit_s,
            poll_interval_s=settings.poll_interval_s,
            threads=jtapi.threads,
            epoch=self._epoch,
        )

    # --- told by the process

    def _take(self, visit: _Visit, message: messages.FromProcess) -> None:
        if visit is not self._visit:
            return
        match message:
            case messages.Told():
                self._take_told(visit, message)
            case messages.Pong(number=number):
                visit.liveness.take_pong(number)
            case messages.Load():
                self._load = message
            case messages.Opened():
                self._opened(visit, message)
            case messages.Failed(refused=refused, detail=detail):
                self._give_up(visit, LinkRefused(detail) if refused else LinkNotReady(detail))
            case messages.Up(generation=generation):
                self._up(visit, generation)
            case messages.Down():
                self._down(visit, message)

    def _opened(self, visit: _Visit, message: messages.Opened) -> None:
        if message.version != messages.VERSION:
            self._give_up(visit, LinkRefused(f"the process speaks version {message.version} of our protocol"))
            return
        visit.opened = True
        visit.liveness.begin()
        self._patience.begin()
        log_event(LOGGER, "jtapi_opened", link=visit.server.name, java=message.java, agents=message.agents)
        for each in message.missing:
            log_event(LOGGER, "jtapi_cannot", level="warning", link=visit.server.name, what=each)

    def _up(self, visit: _Visit, generation: int) -> None:
        if generation <= visit.generation or not visit.opened:
            self._lose(visit, "protocol", f"the process for JTAPI came up with generation {generation}", hangs=True)
            return
        if self.is_up:  # what it had said before is void
            self._go_down(visit, "session-ended", "the provider began anew")
        visit.generation = self._generation = generation
        self._patience.end()
        visit.came_up()
        self._news.up(visit.server.name, resumed=False)

    def _down(self, visit: _Visit, message: messages.Down) -> None:
        if message.lost:
            self._lose(visit, message.reason, message.detail or "the provider is shut down")
        elif self.is_up:
            if message.generation == self._generation:
                self._go_down(visit, message.reason, message.detail)
                self._patience.begin()
        else:
            self._news.absent(visit.server.name, message.reason)

    def _take_told(self, visit: _Visit, message: messages.Told) -> None:
        if message.generation != self._generation:
            self._count_unexpected()
            return
        try:
            fact = messages.fact_of(message)
        except RemoteProtocolError as error:
            self._lose(visit, "protocol", f"the process for JTAPI: {error}", hangs=True)
            return
        if fact.session not in self._sessions:
            return
        request: RequestId | None = getattr(fact, "request", None)
        if request is not None and not self._is_answer(visit, fact, request):
            self._count_unexpected()
            return
        self._reports.report(fact)

    def _is_answer(self, visit: _Visit, fact: Fact, request: RequestId) -> bool:
        """Whether it answers what waits for an answer; then it no longer does."""
        asked_s = self._asked.pop((fact.session, request), None)
        if asked_s is None:
            return False
        outcome = {RequestRefused: "refused", RequestUnknown: "unknown"}.get(type(fact), "done")
        visit.count(outcome, self._clock.now_s() - asked_s)
        return True

    # --- the end of a visit

    def _give_up(self, visit: _Visit, error: UnifiedAgentError) -> None:
        """No provider can be had from this AES, or no longer."""
        if not visit.ended.done():
            visit.ended.set_result(error)
        self._leave(visit, "closed", str(error))

    def _lose(self, visit: _Visit, reason: str, detail: str, *, hangs: bool = False) -> None:
        """The process, or its provider, is lost."""
        visit.hangs = visit.hangs or hangs
        if not visit.ended.done():
            visit.ended.set_result(f"{reason}, {detail}")
        self._leave(visit, reason, detail)

    def _leave(self, visit: _Visit, reason: str, detail: str) -> None:
        """Nothing is asked of this process any more, and nothing it says is heard."""
        if visit is not self._visit:
            return
        if self.is_up:
            self._go_down(visit, reason, detail)
        self._visit = self._load = None
        self._patience.end()
        visit.liveness.end()

    def _go_down(self, visit: _Visit, reason: str, detail: str) -> None:
        self._generation = None
        asked, self._asked = self._asked, {}
        # First the link, so that each session gives up what it asked in one step; then the answers that nobody waits
        # for any more.
        self._news.down(visit.server.name, reason, detail)
        now_s = self._clock.now_s()
        for (session, request), asked_s in asked.items():
            visit.count("unknown", now_s - asked_s)
            if session in self._sessions:
                self._reports.report(RequestUnknown(session=session, request=request, detail=detail))

    def _lose_patience(self) -> None:
        if self._visit is not None and not self.is_up:
            self._give_up(self._visit, LinkNotReady(f"its link to the switch is down for {SWITCH_DOWN_LIMIT_S:g} s"))

    # --- common

    def _refuse(self, effect: AskSwitch, refusal: Refusal) -> None:
        self._reports.report(
            RequestRefused(session=effect.session, request=effect.request, id=refusal.id, detail=refusal.detail)
        )

    def _count_unexpected(self) -> None:
        self._metrics.link_unexpected_reports.labels(kind=_KIND).inc()


async def _ended(worker: Worker, *, at_once: bool) -> str:
    """End a worker, and return how it ended; also when we are called off meanwhile, so that it is gone by then."""
    ending = asyncio.ensure_future(worker.end(at_once=at_once))
    try:
        return await asyncio.shield(ending)
    except asyncio.CancelledError:
        await asyncio.wait([ending])
        raise


class _Visit:
    """One process on one AES, for as long as it serves.

    Attributes:
        server: the AES.
        came_up: to be called when the switch can be asked.
        count: counts a request by outcome and seconds.
        worker, liveness: given once the process is started.
        opened: it has a provider.
        generation: the last one it came up with.
        hangs: it need not be asked to end.
        ended: with words when it is lost, with the error for the supervisor when it is given up.
    """

    worker: Worker
    liveness: Liveness

    def __init__(
        self, server: AesServerSettings, came_up: Callable[[], None], count: Callable[[str, float], None]
    ) -> None:
        self.server: Final = server
        self.came_up: Final = came_up
        self.count: Final = count
        self.opened = False
        self.generation = 0
        self.hangs = False
        self.ended: Final[asyncio.Future[str | UnifiedAgentError]] = asyncio.get_running_loop().create_future()

    def outcome(self, how: str) -> str:
        """Return why the link was lost, or raise why there was none.

        Args:
            how: the process ended.

        Raises:
            LinkNotReady, LinkRefused: as ``_give_up`` was told, or it was lost before it ever came up.
        """
        ended = self.ended.result()
        if not isinstance(ended, str):
            raise ended
        lost = f"{ended}; the process {how}"
        if not self.generation:
            raise LinkNotReady(lost)
        return lost
