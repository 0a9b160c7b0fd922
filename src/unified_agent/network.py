"""The port to the network: how a peer is reached and how peers reach us, and the real network behind it.

Transports and protocols are asyncio's own shapes, not streams: one object per connection and no task, which is what
lets an instance hold a dialler connection for each of 1,000 agents. A simulated network implements ``Network`` with
transports of its own. Foreign exceptions are mapped here and nowhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import ssl
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

from msgspec import Struct

from unified_agent.errors import LinkNotReady, LinkRefused, SettingsError
from unified_agent.observe import get_logger, log_event
from unified_agent.settings import TlsSettings

LOGGER: Final = get_logger("network")
#: Idle seconds before the kernel asks a silent peer, seconds between questions, and how many: a peer that vanished
#: without a word is found after 35 s even on a connection that nothing is sent on.
KEEPALIVE_IDLE_S: Final = 20
KEEPALIVE_INTERVAL_S: Final = 5
KEEPALIVE_COUNT: Final = 3
#: Sent bytes that stay unacknowledged for this long end a connection. Without it Linux retransmits for 15 minutes.
#: It also replaces the keepalive count, so it is no longer than the three questions take.
USER_TIMEOUT_S: Final = KEEPALIVE_INTERVAL_S * KEEPALIVE_COUNT
#: Connections that the kernel holds for us while we are busy: all other instances dial at the same moment.
BACKLOG: Final = 128
#: When the system gives us no more connections we try again after this long, seconds.
ACCEPT_RETRY_S: Final = 1.0
#: From a connection taken to the end of its TLS handshake.
TLS_ACCEPT_LIMIT_S: Final = 5.0
#: A TLS peer that does not answer our goodbye in this time is left without one.
TLS_SHUTDOWN_LIMIT_S: Final = 2.0
#: OpenSSL's SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS, which ``ssl`` does not name and CPython clears. Old diallers
#: cut off a TLS 1.0 client that splits its records, as the BEAST counter-measure does (apc-agent-api section 1).
DO_NOT_SPLIT_RECORDS: Final = 0x800

_VERSIONS: Final = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}

#: TLS failures that the same two peers will repeat until a person changes a setting. Names are OpenSSL's reasons.
_LASTING_TLS_FAILURES: Final = frozenset(
    {
        "CERTIFICATE_VERIFY_FAILED",
        "DH_KEY_TOO_SMALL",
        "EE_KEY_TOO_SMALL",
        "CA_MD_TOO_WEAK",
        "HTTP_REQUEST",
        "NO_PROTOCOLS_AVAILABLE",
        "NO_SHARED_CIPHER",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "TLSV1_ALERT_UNKNOWN_CA",
        "UNSUPPORTED_PROTOCOL",
        "WRONG_VERSION_NUMBER",
    }
)


class Address(Struct, frozen=True, kw_only=True):
    """Where a peer listens, and how it proves itself.

    Attributes:
        host: name or IP address; also the name its certificate must bear, if that is checked.
        port: TCP.
        tls: from ``make_tls_context``, None for plain TCP.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" + (" (TLS)" if self.tls else "")


class Network(Protocol):
    """Connects to peers."""

    async def dial(self, make: Callable[[], asyncio.Protocol], address: Address, limit_s: float) -> None:
        """Connect, TLS included, and hand the transport to the protocol that ``make`` gives.

        When this returns ``connection_made`` has been called; ``data_received`` may have been, too, for a peer
        that speaks first.

        Args:
            make: called once, when the connection is there.
            address: the peer.
            limit_s: for all of it, name resolution included.

        Raises:
            LinkNotReady: nobody answers there now.
            LinkRefused: they answer, but the two do not agree on TLS: a setting must change.
        """
        ...


class TwoWayNetwork(Network, Protocol):
    """Connects to peers, and takes connections of theirs."""

    async def listen(
        self, make: Callable[[], asyncio.Protocol], host: str, port: int, tls: ssl.SSLContext | None = None
    ) -> Listener:
        """Take connections, each handed to a protocol of its own, until the listener is closed.

        Args:
            make: called for each connection.
            host: an address of this machine; empty for all.
            port: 0 takes a free one.
            tls: for a server; None for plain TCP.

        Raises:
            SettingsError: the port cannot be had; the sentence says why.
        """
        ...


class Listener(Protocol):
    """A port that takes connections."""

    @property
    def port(self) -> int:
        """The port, also when it was left to the system."""
        ...

    def close(self) -> None:
        """Take no more, and end what is still being handed over; connections that their protocols have live on."""
        ...


class TcpListener:
    """A real port.

    A connection is ours until its protocol has it. asyncio's own server loses one that it has just taken when it is
    closed (https://github.com/python/cpython/issues/109564), and leaves one in its TLS handshake to itself: both would
    stay open, with nobody who knows them.
    """

    def __init__(
        self, sockets: Sequence[socket.socket], make: Callable[[], asyncio.Protocol], tls: ssl.SSLContext | None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._sockets = sockets
        self._make = make
        self._tls = tls
        #: What is being handed over; with its socket, while no transport has that.
        self._arriving: dict[asyncio.Task[None], socket.socket | None] = {}
        self.port: Final[int] = sockets[0].getsockname()[1]
        for each in sockets:
            self._loop.add_reader(each, self._take, each)

    def close(self) -> None:
        """See ``Listener``."""
        for each in self._sockets:
            self._loop.remove_reader(each)
            each.close()
        self._sockets = ()
        for task in tuple(self._arriving):
            task.cancel()

    def _take(self, listening: socket.socket) -> None:
        """Take what has come."""
        for _ in range(BACKLOG):
            try:
                taken, _ = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # usually: too many open files
                log_event(LOGGER, "connection_not_taken", level="error", why=_words(error))
                self._loop.remove_reader(listening)
                self._loop.call_later(ACCEPT_RETRY_S, self._take_again, listening)
                return
            taken.setblocking(False)
            task = self._loop.create_task(self._hand_over(taken), name="connection arriving")
            self._arriving[task] = taken
            task.add_done_callback(self._has_arrived)

    def _take_again(self, listening: socket.socket) -> None:
        if listening in self._sockets:
            self._loop.add_reader(listening, self._take, listening)

    async def _hand_over(self, taken: socket.socket) -> None:
        task = asyncio.current_task()
        assert task is not None, "this runs in a task"
        self._arriving[task] = None
        encrypted = self._tls is not None
        with contextlib.suppress(OSError):  # a handshake that fails is told to whoever dialled
            await self._loop.connect_accepted_socket(
                self._make,
                taken,
                ssl=self._tls,
                ssl_handshake_timeout=TLS_ACCEPT_LIMIT_S if encrypted else None,
                ssl_shutdown_timeout=TLS_SHUTDOWN_LIMIT_S if encrypted else None,
            )

    def _has_arrived(self, task: asyncio.Task[None]) -> None:
        taken = self._arriving.pop(task)
        if taken is not None:  # cancelled before it began
            taken.close()


class TcpNetwork:
    """The real network."""

    async def listen(
        self, make: Callable[[], asyncio.Protocol], host: str, port: int, tls: ssl.SSLContext | None = None
    ) -> Listener:
        """See ``Network``."""
        try:
            sockets = await _bind(host, port)
        except OSError as error:
            raise SettingsError(f"cannot listen on {host or 'all addresses'} port {port}: {_words(error)}") from error
        return TcpListener(sockets, make, tls)

    async def dial(self, make: Callable[[], asyncio.Protocol], address: Address, limit_s: float) -> None:
        """See ``Network``."""
        loop = asyncio.get_running_loop()
        encrypted = address.tls is not None
        try:
            async with asyncio.timeout(limit_s):
                transport, _ = await loop.create_connection(
                    make,
                    address.host,
                    address.port,
                    ssl=address.tls,
                    server_hostname=address.host if encrypted else None,
                    ssl_handshake_timeout=limit_s if encrypted else None,
                    ssl_shutdown_timeout=TLS_SHUTDOWN_LIMIT_S if encrypted else None,
                )
        except ssl.SSLError as error:
            raise _tls_failure(error, address) from error
        except TimeoutError as error:
            raise LinkNotReady(f"{address} did not answer within {limit_s:g} s") from error
        except socket.gaierror as error:
            raise LinkNotReady(f"the name {address.host} cannot be resolved: {error.strerror}") from error
        except OSError as error:
            raise LinkNotReady(f"{address} cannot be reached: {_words(error)}") from error
        set_socket_options(transport)


def set_socket_options(transport: asyncio.BaseTransport) -> None:
    """Make a dead peer known soon and a small message leave at once.

    ``TcpNetwork.dial`` does it; for a connection that was taken its protocol does, when it is made. Nothing happens on
    a transport without a socket.
    """
    own_socket = transport.get_extra_info("socket")
    if own_socket is not None:
        _set_options(own_socket)


def make_tls_context(settings: TlsSettings) -> ssl.SSLContext | None:
    """Turn settings into what a connection needs.

    Versions below 1.2 are forbidden by OpenSSL 3 at every security level but 0, so asking for one without naming a
    level means 0.

    Returns:
        The context, or None when TLS is not enabled.

    Raises:
        SettingsError: a file cannot be read or does not hold what it should; the sentence names file and setting.
    """
    if not settings.enabled:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = settings.check_hostname
    _set_version(context, settings)
    if settings.ca_file is None:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    else:
        _load_ca(context, settings.ca_file)
    if settings.client_cert_file is not None and settings.client_key_file is not None:
        _load_own_certificate(context, settings.client_cert_file, settings.client_key_file)
    return context


def _set_version(context: ssl.SSLContext, settings: TlsSettings) -> None:
    old = settings.minimum_version in {"1.0", "1.1"}
    with warnings.catch_warnings():
        # Python warns of TLS below 1.2; the administrator asked for it, and diallers speak nothing else.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = _VERSIONS[settings.minimum_version]
    level = settings.security_level if settings.security_level is not None else (0 if old else None)
    if level is not None:
        try:
            context.set_ciphers(f"DEFAULT:@SECLEVEL={level}")
        except ssl.SSLError as error:
            raise SettingsError(f"tls.security_level = {level}: OpenSSL knows levels 0 to 5") from error
    if old:
        context.options |= DO_NOT_SPLIT_RECORDS


def _load_ca(context: ssl.SSLContext, path: Path) -> None:
    _check_readable(path, "tls.ca_file")
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        raise SettingsError(
            f"tls.ca_file {path} holds no usable certificate in PEM form ({_words(error)}){_level_hint(error)}"
        ) from error


def _load_own_certificate(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    _check_readable(certificate, "tls.client_cert_file")
    _check_readable(key, "tls.client_key_file")
    try:
        # Without a password function OpenSSL would ask for one at the terminal, and wait.
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        raise SettingsError(
            f"tls.client_cert_file {certificate} and tls.client_key_file {key} are not a certificate and its "
            f"unencrypted key in PEM form ({_words(error)}){_level_hint(error)}"
        ) from error


def _no_password() -> str:
    return ""


def _level_hint(error: ssl.SSLError) -> str:
    weak = (error.reason or "").endswith(("TOO_SMALL", "TOO_WEAK"))
    return "; tls.security_level = 0 allows certificates this weak" if weak else ""


def _check_readable(path: Path, setting: str) -> None:
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise SettingsError(f"{setting} {path} cannot be read: {_words(error)}") from error


def _tls_failure(error: ssl.SSLError, address: Address) -> LinkNotReady | LinkRefused:
    if isinstance(error, ssl.SSLCertVerificationError):
        return LinkRefused(f"the certificate of {address} is not trusted: {error.verify_message}")
    if error.reason in _LASTING_TLS_FAILURES:
        hint = "; does it speak plain TCP there?" if error.reason == "WRONG_VERSION_NUMBER" else ""
        return LinkRefused(f"{address} and we do not agree on TLS: {_words(error)}{hint}")
    return LinkNotReady(f"the TLS handshake with {address} failed: {_words(error)}")


async def _bind(host: str, port: int) -> list[socket.socket]:
    """Listen at all addresses that a name has; of all of this machine, when it is empty.

    Raises:
        OSError: the port cannot be had at each of them.
    """
    found = await asyncio.get_running_loop().getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    sockets: list[socket.socket] = []
    with contextlib.ExitStack() as held:
        for family, _, _, _, address in dict.fromkeys(found):
            try:
                listening = held.enter_context(socket.socket(family, socket.SOCK_STREAM))
            except OSError:  # a kind of address that this machine does not have
                continue
            sockets.append(listening)
            listening.setblocking(False)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:  # or it would take the IPv4 addresses, too
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listening.bind(address)
            listening.listen(BACKLOG)
        held.pop_all()
    if not sockets:
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
    return sockets


def _words(error: OSError) -> str:
    reason = getattr(error, "reason", None)
    if isinstance(reason, str):
        return reason.replace("_", " ").lower()
    return error.strerror or str(error) or type(error).__name__


def _set_options(own_socket: socket.socket) -> None:
    """Set them; a transport gives its socket in a wrapper that takes only these calls."""
    for level, option, value in (
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_S),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_COUNT),
        (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_S * 1_000),
    ):
        own_socket.setsockopt(level, option, value)
