"""Application sessions: who is logged in to the AES, until when, and what each has asked to be told.

Source: aes-dmcc reference, section 3. Assumed throughout: how AES treats what the reference marks as not known; each
such choice is named where it is made.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from unified_agent.errors import SettingsError
from unified_agent.wire.csta.session_messages import PROTOCOL_VERSION_BASE, SessionError, StartApplicationSession
from unified_agent.wire.csta.values import (
    AgentEventKind,
    CallEventKind,
    DeviceId,
    MonitorId,
    SessionId,
    StatusKind,
)

#: Versions by age, as StartApplicationSession asks for them.
KNOWN_VERSIONS = (
    "3.0",
    *(PROTOCOL_VERSION_BASE + suffix for suffix in ("ed2/priv1", *(f"ed3/priv{n}" for n in "123456789A"))),
)
#: From this version on reason codes have two digits (aes-dmcc reference, section 7).
TWO_DIGIT_REASONS_FROM = KNOWN_VERSIONS.index(PROTOCOL_VERSION_BASE + "ed3/priv7")


@dataclass(frozen=True, slots=True, kw_only=True)
class AesSettings:
    """How the AES treats its clients.

    Attributes:
        user_name, password: the CTI user; an empty user name lets everybody in.
        newest_version: suffix of the newest protocol version known, ``priv1`` to ``privA``.
        default_duration_s: session duration for who asks for none.
        duration_limits_s: shortest and longest duration granted; what is asked beyond is cut to it.
        cleanup_limit_s: longest cleanup delay granted, also the one for who asks for none.
        session_limit: more are refused with maxNumberSessions.
        monitor_limit: over all sessions; more are refused with overallMonitorLimitExceeded.
        agent_events: tell agent state changes to monitors; without, clients must ask (older releases).
        strict_devices: a device must have been asked for by GetThirdPartyDeviceId in the session before it is used.
            Assumed: AES insists.
        events_first: probability that the events of a command overtake its answer; both orders are legal.
        close_refused: close the socket after a refused start. Assumed: AES leaves it open.
    """

    user_name: str = "ctiuser"
    password: str = "secret"  # noqa: S105 - the reference's own example
    newest_version: str = "privA"
    default_duration_s: int = 180
    duration_limits_s: tuple[int, int] = (10, 7200)
    cleanup_limit_s: int = 7200
    session_limit: int = 1000
    monitor_limit: int = 32_000
    agent_events: bool = True
    strict_devices: bool = True
    events_first: float = 0.0
    close_refused: bool = False

    def __post_init__(self) -> None:
        if PROTOCOL_VERSION_BASE + f"ed3/{self.newest_version}" not in KNOWN_VERSIONS:
            raise SettingsError(f"newest_version {self.newest_version!r} is not one of priv1 to priv9, privA")
        if not 0 <= self.events_first <= 1:
            raise SettingsError("events_first is a probability, 0 to 1")
        if not 0 < self.duration_limits_s[0] <= self.duration_limits_s[1]:
            raise SettingsError("duration_limits_s must be two numbers above 0, the smaller first")


@dataclass(slots=True, kw_only=True, eq=False)
class Monitor:
    """One client's wish to be told of one device.

    Attributes:
        monitor_id: its cross reference.
        session: whose it is.
        number: the device's extension; None for a monitor of the session itself, which tells nothing.
        call_events, agent_events: the kinds that are told.
    """

    monitor_id: MonitorId
    session: Session
    number: str | None
    call_events: frozenset[CallEventKind]
    agent_events: frozenset[AgentEventKind]


@dataclass(slots=True, kw_only=True, eq=False)
class Session:
    """One application session.

    Attributes:
        session_id: names it.
        user_name: who logged in.
        application_id: what the client calls itself.
        version: index in ``KNOWN_VERSIONS``.
        duration_s: granted.
        expires_s: when it ends unless it is kept alive.
        cleanup_delay_s: how long it outlives its socket.
        connection: its socket, or None while that is lost.
        gone_s: when it ends because its socket is lost; None while it has one.
        devices: ids given out, folded.
        monitors: by cross reference.
        registrations: kinds of system status told, by registration id.
    """

    session_id: SessionId
    user_name: str
    application_id: str
    version: int
    duration_s: int
    expires_s: float
    cleanup_delay_s: int
    connection: int | None
    gone_s: float | None = None
    devices: set[str] = field(default_factory=set)
    monitors: dict[MonitorId, Monitor] = field(default_factory=dict)
    registrations: dict[str, frozenset[StatusKind]] = field(default_factory=dict)

    def ends_s(self) -> float:
        """Return when it ends if nothing happens."""
        return self.expires_s if self.gone_s is None else min(self.expires_s, self.gone_s)

    def knows(self, device: DeviceId) -> bool:
        """Tell whether this device id was given to this session."""
        return device.casefold() in self.devices


class Sessions:
    """Every session of one AES.

    Args:
        settings: limits and login.
        chance: session ids are drawn from it.
    """

    def __init__(self, settings: AesSettings, *, chance: random.Random) -> None:
        self.settings = settings
        self._chance = chance
        self._by_id: dict[SessionId, Session] = {}
        self._by_connection: dict[int, Session] = {}
        self._started = 0

    def __iter__(self) -> Iterator[Session]:
        """Go over all sessions, oldest first, also those whose socket is lost."""
        return iter(list(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def of_connection(self, connection: int) -> Session | None:
        """Return the session that uses this socket."""
        return self._by_connection.get(connection)

    def by_id(self, session_id: SessionId) -> Session | None:
        """Return the session of this name."""
        return self._by_id.get(session_id)

    def start(self, request: StartApplicationSession, connection: int, now_s: float) -> Session | SessionError:
        """Begin a session, or give the old one to a new socket.

        Args:
            request: what the client asks.
            connection: its socket, which must have no session yet (Assumed: a second start is refused).
            now_s: the time.

        Returns:
            The session, or why there is none. An old session that still has a socket is taken from it.
        """
        refusal, version = self._check(request, connection)
        if refusal is not None:
            return refusal
        duration_s = self.granted_duration(request.requested_duration_s)
        if request.old_session_id is not None:
            old = self._by_id.get(request.old_session_id)
            if old is None or old.user_name != request.user_name:
                return SessionError.INVALID_APPLICATION_INFO
            if old.connection is not None:
                del self._by_connection[old.connection]
            old.connection, old.gone_s = connection, None
            old.duration_s, old.expires_s = duration_s, now_s + duration_s
            self._by_connection[connection] = old
            return old
        if len(self._by_id) >= self.settings.session_limit:
            return SessionError.TOO_MANY_SESSIONS
        self._started += 1
        asked_s = request.cleanup_delay_s
        limit_s = self.settings.cleanup_limit_s
        session = Session(
            session_id=SessionId(f"{self._chance.getrandbits(64):016X}-{self._started}"),
            user_name=request.user_name,
            application_id=request.application_id,
            version=version,
            duration_s=duration_s,
            expires_s=now_s + duration_s,
            cleanup_delay_s=limit_s if asked_s is None else max(0, min(asked_s, limit_s)),
            connection=connection,
        )
        self._by_id[session.session_id] = session
        self._by_connection[connection] = session
        return session

    def granted_duration(self, asked_s: int | None) -> int:
        """Return the duration granted to who asks for ``asked_s``."""
        shortest_s, longest_s = self.settings.duration_limits_s
        return max(shortest_s, min(asked_s if asked_s is not None else self.settings.default_duration_s, longest_s))

    def lose(self, connection: int, now_s: float) -> Session | None:
        """Note that a socket is gone; its session lives on for the cleanup delay."""
        session = self._by_connection.pop(connection, None)
        if session is not None:
            session.connection = None
            session.gone_s = now_s + session.cleanup_delay_s
        return session

    def end(self, session: Session) -> None:
        """Forget a session."""
        self._by_id.pop(session.session_id, None)
        if session.connection is not None:
            self._by_connection.pop(session.connection, None)

    def due(self, now_s: float) -> list[Session]:
        """Return the sessions whose time is over by ``now_s``, the earliest first."""
        return sorted((item for item in self if item.ends_s() <= now_s), key=Session.ends_s)

    def next_timer(self) -> float | None:
        """Return when the next session ends if nothing happens."""
        return min((session.ends_s() for session in self._by_id.values()), default=None)

    def _check(self, request: StartApplicationSession, connection: int) -> tuple[SessionError | None, int]:
        """Return why a start is refused (None: it is not), and the version agreed to.

        Assumed: a wrong password gives invalidApplicationInfo.
        """
        newest = KNOWN_VERSIONS.index(PROTOCOL_VERSION_BASE + f"ed3/{self.settings.newest_version}")
        asked = [KNOWN_VERSIONS.index(version) for version in request.protocol_versions if version in KNOWN_VERSIONS]
        version = next((known for known in asked if known <= newest), None)
        if version is None:
            return SessionError.VERSION_NOT_SUPPORTED, 0
        wanted = (self.settings.user_name, self.settings.password)
        if self.settings.user_name and (request.user_name, request.password.value) != wanted:
            return SessionError.INVALID_APPLICATION_INFO, version
        if connection in self._by_connection:
            return SessionError.INVALID_APPLICATION_INFO, version
        return None, version


class Monitors:
    """Every monitor of one AES, by the device it is on."""

    def __init__(self) -> None:
        self._by_number: dict[str, list[Monitor]] = {}
        self._count = 0
        self._started = 0

    def __len__(self) -> int:
        return self._count

    def start(
        self,
        session: Session,
        number: str | None,
        *,
        call_events: frozenset[CallEventKind],
        agent_events: frozenset[AgentEventKind],
    ) -> Monitor:
        """Begin a monitor under the next cross reference."""
        self._started += 1
        self._count += 1
        monitor = Monitor(
            monitor_id=MonitorId(str(self._started)),
            session=session,
            number=number,
            call_events=call_events,
            agent_events=agent_events,
        )
        session.monitors[monitor.monitor_id] = monitor
        if number is not None:
            self._by_number.setdefault(number, []).append(monitor)
        return monitor

    def end(self, monitor: Monitor) -> None:
        """End a monitor that lives."""
        del monitor.session.monitors[monitor.monitor_id]
        self._count -= 1
        if monitor.number is not None:
            listening = self._by_number[monitor.number]
            listening.remove(monitor)
            if not listening:
                del self._by_number[monitor.number]

    def of_device(self, number: str) -> tuple[Monitor, ...]:
        """Return the monitors on a device, oldest first."""
        return tuple(self._by_number.get(number, ()))
