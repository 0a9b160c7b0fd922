"""uvicorn as a library, in our loop: HTTP to the application, WebSocket to our own protocol, one port for both.

Signals are ours (``assembly``), so uvicorn's own handling of them is switched off; so are its logging, which
``observe`` brings into our form, and its pings, which ``push_transports`` replaces by beats that pages can see.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterator
from typing import Any, Final, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from unified_agent.errors import SettingsError
from unified_agent.observe import get_logger, log_event
from unified_agent.server.binding import bind_port
from unified_agent.server.edge import Application
from unified_agent.server.forwarded import behind_proxies
from unified_agent.server.push_transports.stream import TRANSPORT_EXTENSION
from unified_agent.server.websocket_protocol import Router, WebSocketLimits, websocket_class
from unified_agent.settings import HttpSettings

LOGGER: Final = get_logger("server.http")
#: Connections that the kernel holds for us while we are busy; lost ones come back only after 1 s.
BACKLOG: Final = 4_096
#: At the stop, running requests get this long, seconds.
GRACE_S: Final = 5
#: An idle HTTP connection is closed after this long, seconds; longer than balancers keep theirs is safest for them.
KEEP_ALIVE_S: Final = 75


class _OurSignals(uvicorn.Server):
    """uvicorn without its signal handlers."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _HttpProtocol(HttpToolsProtocol):
    """uvicorn's, which lets a streamed answer see how much its peer has not taken, and cut it off."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT_EXTENSION: self.transport}  # type: ignore[dict-item]


class HttpListener:
    """One listening port."""

    def __init__(
        self, settings: HttpSettings, application: Application, router: Router, limits: WebSocketLimits
    ) -> None:
        """Bind the port; connections are taken from ``serve`` on.

        Raises:
            SettingsError: the port cannot be had, or a TLS file is not good; the sentence says what to do.
        """
        context = None if settings.tls_cert_file is None else _tls_context(settings)
        self._settings = settings
        self._context = context
        self._socket = bind_port(settings.host, settings.port, "http")
        self._port: int = self._socket.getsockname()[1]
        self._scheme = "http" if context is None else "https"
        config = uvicorn.Config(
            cast("Any", behind_proxies(application, settings.trusted_proxies)),
            http=_HttpProtocol,
            ws=websocket_class(router, limits),
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # uvicorn would believe everybody on this machine, and an environment variable
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACE_S,
            ssl_context_factory=None if context is None else (lambda _config, _default: context),
        )
        self._server = _OurSignals(config)

    @property
    def port(self) -> int:
        """The port, also when the settings left it to the system."""
        return self._port

    @property
    def url(self) -> str:
        """Where people reach it."""
        host = self._settings.host
        host = "localhost" if host in {"", "0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
        return f"{self._scheme}://{f'[{host}]' if ':' in host else host}:{self._port}/"

    async def serve(self) -> None:
        """Take connections until ``stop``; then close what is open (WebSockets with 1012) and return."""
        log_event(LOGGER, "listening", url=self.url)
        await self._server.serve(sockets=[self._socket])
        log_event(LOGGER, "listener_closed", url=self.url)

    async def wait_started(self) -> None:
        """Return once connections are taken."""
        while not self._server.started:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(0.005)

    def stop(self) -> None:
        """Take no more connections, and have ``serve`` return within about ``GRACE_S``."""
        self._server.should_exit = True

    def reload_certificate(self) -> None:
        """Take the certificate from its file again, for handshakes from now on; a bad one is told and not taken."""
        if self._context is None:
            return
        try:
            _tls_context(self._settings)  # a pair that does not fit would spoil the one in use
            _load_certificate(self._context, self._settings)
        except SettingsError as error:
            log_event(LOGGER, "certificate_not_taken", level="error", why=str(error))
        else:
            log_event(LOGGER, "certificate_taken", file=str(self._settings.tls_cert_file))

    def close(self) -> None:
        """Give the port back without having served."""
        self._socket.close()


def _tls_context(settings: HttpSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load_certificate(context, settings)
    return context


def _load_certificate(context: ssl.SSLContext, settings: HttpSettings) -> None:
    # Without a password function OpenSSL would ask for one at the terminal, and wait.
    try:
        context.load_cert_chain(str(settings.tls_cert_file), settings.tls_key_file, password=lambda: "")
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "reason", None) or error.strerror or error
        raise SettingsError(
            f"http.tls_cert_file {settings.tls_cert_file} and http.tls_key_file {settings.tls_key_file} are not a "
            f"certificate and its unencrypted key in PEM form ({reason})"
        ) from error
