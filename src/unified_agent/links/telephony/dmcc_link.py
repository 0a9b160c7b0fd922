"""The telephone switch through AES: the port ``Telephony``, kept up over several AES servers.

Two kinds of loss are told apart. The connection to AES is gone, silent, or its session has ended: the supervisor
dials again, and within the clean-up delay the old session is resumed with its monitors. Or the connection lives and
the switch behind AES is gone: everything is unobserved, and ``SwitchWatch`` sees it come back.

``desk`` holds what sessions ask and hear; here is only the link's own life.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from unified_agent.domain.effects import AskSwitch
from unified_agent.domain.ids import InstanceId, LinkId, SessionId
from unified_agent.domain.ports import Chance, Clock, Reports
from unified_agent.errors import LinkNotReady, LinkRefused
from unified_agent.links.supervisor import Supervisor
from unified_agent.links.telephony.aes_session import AesSession
from unified_agent.links.telephony.desk import Desk
from unified_agent.links.telephony.link_life import (
    SWITCH_DOWN_LIMIT_S,
    News,
    Patience,
    at_work,
    read_password,
    request_counter,
    without_switch,
)
from unified_agent.links.telephony.stations import Station
from unified_agent.links.telephony.switch_watch import SwitchWatch
from unified_agent.network import Address, Network, make_tls_context
from unified_agent.observe import Metrics, get_logger, log_event
from unified_agent.settings import AesServerSettings, TelephonySettings
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.session_settings import SessionSettings
from unified_agent.wire.csta.values import Secret
from unified_agent.wire.csta.values import SessionId as AesSessionId

LOGGER = get_logger("links.telephony")


class DmccLink:
    """Implements ``Telephony``. Make it, join it to ``Reports``, ``start`` it in the running loop, ``stop`` it.

    Args:
        settings: of the switch.
        instance: names us in the lists of AES.
        reports: where facts go.
        network: how AES is dialled.
        clock, chance: where time and jitter come from.
        metrics: the instance's.

    Raises:
        SettingsError: a password or TLS file cannot be read.
    """

    def __init__(
        self,
        settings: TelephonySettings,
        instance: InstanceId,
        reports: Reports,
        *,
        network: Network,
        clock: Clock,
        chance: Chance,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._instance = instance
        self._network = network
        self._clock = clock
        self._metrics = metrics
        self._password = Secret(read_password(settings))
        self._tls: dict[LinkId, ssl.SSLContext | None] = {
            each.name: make_tls_context(each.tls) for each in settings.servers
        }
        self._desk = Desk(reports, clock, metrics, poll_interval_s=settings.poll_interval_s)
        self._supervisor = Supervisor(
            LinkId(settings.kind),
            [(each.name, each) for each in settings.servers],
            self._serve,
            settings=settings.link,
            clock=clock,
            chance=chance,
        )
        self._server: AesServerSettings = settings.servers[0]
        self._aes: AesSession | None = None
        self._watch: SwitchWatch | None = None
        self._came_up: Callable[[], None] = _nothing
        self._resumed = False
        self._resumable: tuple[LinkId, AesSessionId, float] | None = None
        self._epoch = 0
        self._news = News(reports, metrics, [each.name for each in settings.servers])
        self._patience = Patience(clock, len(settings.servers), self._lose_patience)

    # --- the port

    @property
    def is_up(self) -> bool:
        """Whether the switch can be asked now."""
        return self._watch is not None and self._watch.is_up

    def ask(self, effect: AskSwitch) -> None:
        """See ``Telephony``."""
        self._desk.ask(effect)

    def forget(self, session: SessionId) -> None:
        """See ``Telephony``."""
        self._desk.forget(session)

    # --- its life

    def start(self, epoch: int = 0) -> None:
        """Begin to keep the link up, also after a stop. In the running loop.

        Args:
            epoch: of the active datacentre, with which the link is stamped; 0 for an instance that is alone.
        """
        self._epoch = epoch
        self._supervisor.start()

    async def stop(self) -> None:
        """End the session with AES in order, and stop."""
        await self._supervisor.stop()

    def retry_now(self) -> None:
        """Dial again without waiting: a person mended something."""
        self._supervisor.retry_now()

    @property
    def status(self) -> str:
        """What the link is doing, for the health page."""
        if self._aes is None or self._watch is None:
            return self._supervisor.status
        if not self._watch.is_up:
            return without_switch(self._supervisor.link, self._server.name)
        return at_work(
            self._supervisor.status,
            observed=self._desk.observed,
            in_flight=self._aes.exchange.in_flight,
            waiting=self._aes.exchange.waiting,
            overloaded=self._watch.is_overloaded,
        )

    async def _serve(self, server: AesServerSettings, came_up: Callable[[], None]) -> str:
        """Serve on one AES until the link is lost. See ``supervisor.Serve``."""
        try:
            return await self._visit(server, came_up)
        except LinkRefused:
            self._news.absent(server.name, "refused")
            raise
        except LinkNotReady:
            self._news.absent(server.name, "unreachable")
            raise

    async def _visit(self, server: AesServerSettings, came_up: Callable[[], None]) -> str:
        aes = AesSession(
            self._session_settings(),
            clock=self._clock,
            on_started=self._on_started,
            on_message=self._on_message,
            on_stray_monitor=self._desk.observing.stop_stray,
            on_lost=self._on_lost,
            count=request_counter(self._metrics, server.name),
        )
        self._server = server
        self._came_up = came_up
        address = Address(host=server.host, port=server.port, tls=self._tls[server.name])
        try:
            await self._network.dial(lambda: aes.pump, address, self._settings.link.connect_limit_s)
            self._aes = aes
            aes.start(self._session_to_resume(server))
            await asyncio.wait([aes.ended])
            return aes.ended.result()
        except asyncio.CancelledError:
            self._resumable = None
            self._ask_no_more("closed", "we end the session")
            await aes.stop()
            raise
        finally:
            aes.close()
            self._leave()

    def _session_settings(self) -> SessionSettings:
        settings, link = self._settings, self._settings.link
        return SessionSettings(
            user=settings.user,
            password=self._password,
            application_id=f"{self._instance}/epoch-{self._epoch}" if self._epoch else self._instance,
            protocol_version=settings.protocol_version,
            requested_duration_s=settings.session_duration_s,
            cleanup_delay_s=settings.cleanup_delay_s,
            silence_limit_s=link.silence_limit_s,
            heartbeat_interval_s=link.heartbeat_interval_s,
            request_timeout_s=link.request_limit_s,
        )

    def _session_to_resume(self, server: AesServerSettings) -> AesSessionId | None:
        """Return the old session while AES keeps it. Another server, or a long time, and it is worth nothing."""
        if self._resumable is not None:
            name, session, lost_s = self._resumable
            if name == server.name and self._clock.now_s() - lost_s < self._settings.cleanup_delay_s:
                return session
        self._forget_session()
        return None

    # --- told by the session with AES

    def _on_started(self, resumed: bool) -> None:
        assert self._aes is not None, "a session starts on a connection"
        if not resumed:
            self._forget_session()
        self._resumed = resumed
        self._watch = SwitchWatch(self, self._aes.exchange, self._clock, self._server.switch_name)
        self._watch.begin()
        self._patience.begin()

    def _on_message(self, message: csta.Message) -> None:
        if self._watch is None:
            return
        match message:
            case csta.SystemStatus():
                self._watch.take_status(message)
            case csta.MonitorStop(monitor_id=monitor):
                monitored = self._desk.observed
                station = self._desk.observing.monitor_ended(monitor)
                if station is not None:
                    self._watch.monitor_ended(station, monitored)
            case _:
                self._desk.take_event(message)

    def _on_lost(self, reason: str, detail: str) -> None:
        assert self._aes is not None, "a session is lost on a connection"
        session = self._aes.session_id
        if session is not None and reason != "session-ended":
            self._resumable = (self._server.name, session, self._clock.now_s())
        else:
            self._resumable = None
        self._ask_no_more(reason, detail)

    def _ask_no_more(self, reason: str, detail: str) -> None:
        """The session with AES is over, or about to be: nothing is sent by it any more."""
        if self.is_up:
            self._go_down(reason, detail)
        if self._watch is not None:
            self._watch.close()
            self._watch = None
        self._patience.end()

    def _leave(self) -> None:
        """The connection is closed."""
        self._ask_no_more("closed", "we closed the connection")
        self._aes = None
        if self._resumable is None:
            self._desk.stations.aes_session_ended()

    def _forget_session(self) -> None:
        self._resumable = None
        self._desk.stations.aes_session_ended()

    # --- told by the watch on the switch

    def switch_up(self) -> None:
        """The switch can be asked."""
        assert self._aes is not None, "the switch is asked on a connection"
        self._patience.end()
        server, resumed = self._server, self._resumed
        self._resumed = False
        self._came_up()
        self._desk.link_up(self._aes.exchange, server, resumed=resumed, on_suspicion=self._suspect)
        self._news.up(server.name, resumed=resumed)

    def switch_down(self) -> None:
        """The switch cannot be asked; the connection to AES lives."""
        self._go_down("switch-link-down", "AES has no link to the switch")
        self._desk.stations.all_monitors_ended()
        self._patience.begin()

    def switch_absent(self) -> None:
        """It cannot be asked from the start of this session: monitors of before did not survive that."""
        self._resumed = False
        self._desk.stations.all_monitors_ended()
        self._news.absent(self._server.name, "switch-link-down")

    def stations_unobserved(self, stations: list[Station], reason: str) -> None:
        """AES ended the monitors of single stations."""
        self._desk.report_unobserved(stations, reason)

    def messages_lost(self) -> None:
        """AES lost events: every station is looked at again; its monitor goes on."""
        log_event(LOGGER, "events_lost", level="warning", link=self._server.name)
        self._desk.report_unobserved(list(self._desk.stations), "messages-lost")

    # --- common

    def _go_down(self, reason: str, detail: str) -> None:
        assert self._watch is not None, "what goes down was up"
        self._watch.is_up = False
        self._resumed = False
        self._desk.link_down()
        # First the link, so that each session gives up what it asked in one step; then the answers that nobody waits
        # for any more.
        self._news.down(self._server.name, reason, detail)
        if self._aes is not None:
            self._aes.exchange.abandon(detail)

    def _suspect(self) -> None:
        if self._watch is not None:
            self._watch.suspect()

    def _lose_patience(self) -> None:
        if self._aes is not None and not self.is_up:
            self._resumable = None
            self._ask_no_more("switch-link-down", "another AES is tried")
            self._aes.give_up(LinkNotReady(f"its link to the switch is down for {SWITCH_DOWN_LIMIT_S:g} s"))


def _nothing() -> None:
    """Do nothing."""
