"""How a session with AES is begun and kept alive."""

from __future__ import annotations

from dataclasses import dataclass

from unified_agent.errors import SettingsError
from unified_agent.wire.csta.request_table import IN_FLIGHT_LIMIT_MAXIMUM
from unified_agent.wire.csta.session_messages import PROTOCOL_VERSION_BASE
from unified_agent.wire.csta.values import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """How a session with AES is begun and kept.

    Attributes:
        user: the CTI user.
        password: its password.
        application_id: names us in the lists of AES.
        protocol_version: what to ask for: ``priv7``, ``ed2/priv1``, or ``3.0`` for the oldest. AES 6.3 and later
            know ``priv7``; a later one brings nothing that we use.
        requested_duration_s: how long the session may live without a keep-alive. AES may grant another.
        cleanup_delay_s: how long AES keeps session and monitors for a resumption. Longer forgives longer network
            trouble, at the price of monitors that nobody hears.
        silence_limit_s: without a byte for this long the link is lost.
        heartbeat_interval_s: without a byte for this long we ask. None: half the silence limit. Lower finds a dead
            peer no sooner, but gives it more chances to answer.
        request_timeout_s: how long an answer may take, from ``send`` on.
        in_flight_limit: how many requests may be unanswered at AES; its own limit is not known.
        queue_limit: how many more may wait here; beyond it a request fails at once.
    """

    user: str
    password: Secret
    application_id: str = "unified-agent"
    protocol_version: str = "priv7"
    requested_duration_s: int = 180
    cleanup_delay_s: int = 60
    silence_limit_s: float = 10.0
    heartbeat_interval_s: float | None = None
    request_timeout_s: float = 10.0
    in_flight_limit: int = 2_000
    queue_limit: int = 10_000

    def __post_init__(self) -> None:
        if min(self.requested_duration_s, self.heartbeat_s, self.request_timeout_s) <= 0:
            raise SettingsError("durations, intervals and time-outs of a session must be above 0")
        if self.cleanup_delay_s < 0:
            raise SettingsError("cleanup_delay_s must not be below 0")
        if not 1 <= self.in_flight_limit <= IN_FLIGHT_LIMIT_MAXIMUM:
            raise SettingsError(f"in_flight_limit must be 1 to {IN_FLIGHT_LIMIT_MAXIMUM}")
        if self.silence_limit_s < 2 * self.heartbeat_s:
            raise SettingsError("silence_limit_s must be at least twice heartbeat_interval_s")

    @property
    def heartbeat_s(self) -> float:
        """The heartbeat interval in force."""
        return self.silence_limit_s / 2 if self.heartbeat_interval_s is None else self.heartbeat_interval_s


def protocol_version_uri(version: str) -> str:
    """Return what StartApplicationSession asks for: ``priv7`` becomes ``…/csta/ed3/priv7``, ``3.0`` stays."""
    if not version.startswith(("priv", "ed")):
        return version
    return PROTOCOL_VERSION_BASE + (version if "/" in version else f"ed3/{version}")
