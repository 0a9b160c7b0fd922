"""AJP/1.3 for web servers in front of us: the same application as by HTTP, on a port of its own.

Pings are answered by the protocol object itself, before anything is queued, for as long as we listen. An instance that
may not serve does not withhold answers, it stops listening: a refused connection has the web server go elsewhere in
under a millisecond, a missing answer costs it the whole limit of its ping (measured with mod_jk).

One task runs for each request and none for a connection; one timer looks after all of them. A short answer leaves in
one write: headers, body and end.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections.abc import Callable
from typing import Final

from unified_agent.errors import SettingsError
from unified_agent.observe import Metrics, get_logger, log_event
from unified_agent.server.ajp_exchange import Exchange
from unified_agent.server.ajp_protocol import ANSWERED, AjpProtocol
from unified_agent.server.ajp_scope import wants_websocket
from unified_agent.server.binding import bind_port
from unified_agent.server.edge import Application
from unified_agent.server.failures import FAILURES, PROBLEM_TYPE, encode_problem, problem
from unified_agent.settings import AjpSettings
from unified_agent.wire.ajp13.codec import ForwardRequest
from unified_agent.wire.ajp13.codes import KNOWN_ATTRIBUTES
from unified_agent.wire.ajp13.connection import AjpConnection
from unified_agent.wire.ajp13.events import Ended
from unified_agent.wire.ajp13.limits import AjpLimits
from unified_agent.wire.ajp13.reasons import CloseReason

LOGGER: Final = get_logger("server.ajp")
#: Connections that the kernel holds for us while we are busy.
BACKLOG: Final = 4_096
#: How often connections are looked after, seconds.
SWEEP_S: Final = 0.5
#: A sweep that comes later than this finds connections silent that we have not read from: it lets them be.
LATE_SWEEP_S: Final = 2.0
#: A web server with a wrong secret tries with every request; of ends for the same reason one is told in this time,
#: seconds.
QUIET_S: Final = 1.0
#: At the stop, running requests get this long, seconds.
GRACE_S: Final = 5.0
#: Reasons that are nobody's fault.
_USUAL: Final = frozenset({CloseReason.CLOSED, CloseReason.IDLE, CloseReason.STOPPED})
#: Reasons for which a web server, or whoever it is, is cut off without a word.
_SILENT: Final = frozenset({CloseReason.NOT_AJP, CloseReason.UNEXPECTED})
_NO_WEBSOCKET: Final = (
    "this web server passes requests on by AJP, which carries no WebSocket; use the event stream (POST /v1/events), "
    "the long poll (POST /v1/events/poll), or a WebSocket to the instance's own address, which /v1/topology tells"
)


class AjpListener:
    """One listening port for web servers.

    Attributes:
        application: answers the requests.
        trust_remote_user, body_limit_bytes: from the settings.
    """

    def __init__(
        self,
        settings: AjpSettings,
        application: Application,
        metrics: Metrics,
        *,
        usable: Callable[[], bool] = lambda: True,
        make_correlation: Callable[[], str] = lambda: secrets.token_urlsafe(9),
    ) -> None:
        """Bind the port; connections are taken from ``serve`` on.

        Args:
            settings: with a port.
            application: answers the requests.
            metrics: to count with.
            usable: whether this instance may be talked to at all; asked all the time.
            make_correlation: makes the word by which a request that is refused here is found in the logs.

        Raises:
            SettingsError: the port cannot be had; the sentence says what to do.
        """
        assert settings.port is not None, "without a port there is no listener"
        self._settings = settings
        self.application: Final = application
        self.trust_remote_user: Final = settings.trust_remote_user
        self.body_limit_bytes: Final = settings.body_limit_bytes
        self._metrics = metrics
        self._usable = usable
        self._make_correlation = make_correlation
        self._secret = settings.secret.encode()
        self._limits = AjpLimits(
            packet_size_bytes=settings.packet_size_bytes,
            header_limit=settings.header_limit,
            allowed_attributes=KNOWN_ATTRIBUTES | {name.encode() for name in settings.attributes},
            idle_timeout_s=settings.idle_timeout_s,
            read_timeout_s=settings.read_timeout_s,
        )
        self._socket: socket.socket | None = bind_port(settings.host, settings.port, "ajp")
        self._port: int = self._socket.getsockname()[1]
        self._server: asyncio.Server | None = None
        #: Whether new connections are taken: from just before the port is open, so that the first is not too early.
        self._is_open = False
        self._connections: set[AjpProtocol] = set()
        self._exchanges: set[Exchange] = set()
        #: By reason: when an end was told last, and how many ends were not told since.
        self._told: dict[CloseReason, tuple[float, int]] = {}
        self._started = asyncio.Event()
        self._stop = asyncio.Event()
        #: There is a reason to look whether we may be talked to, before the next sweep.
        self._news = asyncio.Event()
        self._was_usable = False
        self._empty = asyncio.Event()
        self._empty.set()
        #: By the first digit of their status, since the metrics were read last.
        self._answers = [0] * 10
        metrics.before_render(self._count)

    @property
    def port(self) -> int:
        """The port, also when the settings left it to the system."""
        return self._port

    @property
    def address(self) -> str:
        """Where web servers reach it, ``host:port``."""
        host = self._settings.host or "::"
        return f"[{host}]:{self._port}" if ":" in host else f"{host}:{self._port}"

    @property
    def is_listening(self) -> bool:
        """Whether connections are taken now."""
        return self._server is not None

    @property
    def is_opening(self) -> bool:
        """Whether we may be talked to, and web servers are refused nevertheless: not yet open, or the port is lost."""
        return self._server is None and not self._stop.is_set() and self._usable()

    # --- life

    async def serve(self) -> None:
        """Take connections until ``stop``; then answer what is running, for at most ``GRACE_S``, and return."""
        loop = asyncio.get_running_loop()
        due_s = loop.time() + SWEEP_S
        try:
            while not self._stop.is_set():
                self._news.clear()
                await self._listen_if_usable()
                self._started.set()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(due_s):
                        await self._news.wait()
                now_s = loop.time()
                if now_s >= due_s:
                    if now_s < due_s + LATE_SWEEP_S:
                        self._sweep(now_s)
                    due_s = now_s + SWEEP_S
        finally:
            self._shut("stopping")
            await self._finish()
            self.close()

    async def wait_started(self) -> None:
        """Return once connections are taken, or once it is clear that they may not be."""
        await self._started.wait()

    def stop(self) -> None:
        """Take no more connections, close the idle ones, and have ``serve`` return within about ``GRACE_S``."""
        self._stop.set()
        self._news.set()
        self._shut("stopping")

    def look_again(self) -> None:
        """Open the port now if we have become usable: who is sent here meanwhile would find it closed."""
        if not self._was_usable and self._usable():
            self._news.set()

    def close(self) -> None:
        """Give the port back without having served."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    # --- asked by connections

    def make_connection(self, now_s: float) -> AjpConnection:
        """Make the protocol's end of a new connection."""
        return AjpConnection(self._limits, self._secret, now_s)

    def opened(self, protocol: AjpProtocol) -> bool:
        """Take a connection in; False when there are too many, or we are stopping."""
        if len(self._connections) >= self._settings.max_connections or not self._is_open:
            self._refused("full" if self._is_open else "stopped")
            return False
        self._connections.add(protocol)
        self._empty.clear()
        return True

    def closed(self, protocol: AjpProtocol, ended: Ended) -> None:
        """Know that a connection is over; of ends for the same reason one a second is told, all are counted."""
        reason = ended.reason
        self._metrics.ajp_connections_closed.labels(reason=reason.value).inc()
        if reason in ANSWERED or reason in _SILENT:
            self._refused(reason.value)
        if reason in _USUAL:
            return
        now_s = protocol.loop.time()
        told_s, untold = self._told.get(reason, (-QUIET_S, 0))
        if now_s < told_s + QUIET_S:
            self._told[reason] = (told_s, untold + 1)
            return
        self._told[reason] = (now_s, 0)
        log_event(
            LOGGER,
            "ajp_connection_ended",
            level="warning",
            reason=reason,
            detail=ended.detail,
            peer=protocol.peer,
            untold=untold,
        )

    def forget(self, protocol: AjpProtocol) -> None:
        """Know that a connection's transport is gone."""
        self._connections.discard(protocol)
        if not self._connections:
            self._empty.set()

    def answered(self, status: int) -> None:
        """Count an answer."""
        self._answers[status // 100 % 10] += 1

    def begin(self, exchange: Exchange) -> None:
        """Have the application answer a request, or refuse it."""
        request = exchange.request
        if request.upgrade and wants_websocket(request):
            self._refused("upgrade")
            exchange.answer(*self._problem("request.upgrade", _NO_WEBSOCKET, request))
        elif (request.content_length or 0) > self.body_limit_bytes:
            self.refuse_body(exchange)
        else:
            self._exchanges.add(exchange)
            exchange.start(self.application, self._exchanges.discard)

    def refuse_body(self, exchange: Exchange) -> None:
        """Answer that a body is too long."""
        self._refused("too-large")
        detail = f"the body of a request has at most {self.body_limit_bytes} bytes"
        exchange.answer(*self._problem("request.too-large", detail, exchange.request))

    def refuse_failure(self, exchange: Exchange) -> None:
        """Answer that the application failed."""
        exchange.answer(*self._problem("internal", "tell an operator the correlation", exchange.request))

    # --- inside

    def _problem(
        self, failure: str, detail: str, request: ForwardRequest
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        correlation = self._make_correlation()
        status = FAILURES[failure].status.value
        log_event(
            LOGGER,
            "ajp_request_refused",
            level="error" if status >= 500 else "debug",
            id=failure,
            method=request.method,
            correlation=correlation,
        )
        body = encode_problem(problem(failure, detail, correlation))
        headers = [
            (b"content-type", PROBLEM_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            (b"x-correlation-id", correlation.encode()),
        ]
        return status, headers, body

    def _refused(self, reason: str) -> None:
        self._metrics.ajp_refused.labels(reason=reason).inc()

    def _count(self) -> None:
        self._metrics.ajp_connections.set(len(self._connections))
        for first, count in enumerate(self._answers):
            if count:
                self._metrics.ajp_requests.labels(status=f"{first}xx").inc(count)
        self._answers = [0] * 10

    async def _listen_if_usable(self) -> None:
        usable = self._was_usable = self._usable()
        if usable and self._server is None:
            loop = asyncio.get_running_loop()
            try:
                if self._socket is None:
                    self._socket = bind_port(self._settings.host, self._port, "ajp")
                self._is_open = True
                self._server = await loop.create_server(
                    lambda: AjpProtocol(self, loop), sock=self._socket, backlog=BACKLOG
                )
            except (SettingsError, OSError) as error:  # somebody else has taken it; perhaps he gives it back
                log_event(LOGGER, "ajp_port_not_had", level="error", why=str(error))
                self._is_open = False
                self.close()
                return
            self._socket = None
            log_event(LOGGER, "ajp_listening", address=self.address)
        elif not usable and self._server is not None:
            self._shut("not usable")

    def _shut(self, why: str) -> None:
        """Stop listening, close what is idle, and have what is running be the last of its connection."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        self._is_open = False
        log_event(LOGGER, "ajp_listener_closed", address=self.address, why=why, running=len(self._exchanges))
        for protocol in tuple(self._connections):
            protocol.stop()

    async def _finish(self) -> None:
        """Wait for what is running, then cut it off."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), GRACE_S)
        tasks = [each.task for each in self._exchanges if each.task is not None]
        for protocol in tuple(self._connections):
            protocol.cut("the instance stopped")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _sweep(self, now_s: float) -> None:
        for protocol in tuple(self._connections):
            protocol.look_after(now_s)
