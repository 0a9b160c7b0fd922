"""What every link to the switch does alike, whatever it speaks: telling that it is up or down, counting, patience."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from unified_agent.domain.facts import TelephonyDown, TelephonyUp
from unified_agent.domain.ids import LinkId
from unified_agent.domain.ports import Clock, Reports, Timer
from unified_agent.errors import SettingsError
from unified_agent.observe import Metrics, get_logger, log_event
from unified_agent.settings import TelephonySettings

LOGGER = get_logger("links.telephony")

#: With several AES servers, one whose switch stays away for this long is left for the next.
SWITCH_DOWN_LIMIT_S: Final = 10.0
_KIND: Final = "telephony"
_OUTCOMES: Final = ("done", "refused", "unknown")


class News:
    """Tells sessions, log and counters that the link is up or down, each once.

    Args:
        reports: where it is told.
        metrics: the instance's.
        links: names of all AES servers.
    """

    def __init__(self, reports: Reports, metrics: Metrics, links: Iterable[LinkId]) -> None:
        self._reports = reports
        self._metrics = metrics
        self._told_down = ""
        for link in links:
            metrics.link_up.labels(kind=_KIND, link=link).set(0)

    def up(self, link: LinkId, *, resumed: bool) -> None:
        """The switch can be asked by this AES."""
        self._told_down = ""
        log_event(LOGGER, "link_up", link=link, resumed=resumed)
        self._count(link, "up")
        self._reports.report_link(TelephonyUp(link=link, resumed=resumed))

    def down(self, link: LinkId, reason: str, detail: str) -> None:
        """It was up, and no longer is."""
        self._told_down = reason
        log_event(LOGGER, "link_down", level="warning", link=link, reason=reason, why=detail)
        self._count(link, "down")
        self._reports.report_link(TelephonyDown(link=link, reason=reason))

    def absent(self, link: LinkId, reason: str) -> None:
        """It does not come up; told once for each reason."""
        if self._told_down != reason:
            self._told_down = reason
            self._reports.report_link(TelephonyDown(link=link, reason=reason))

    def _count(self, link: LinkId, to: str) -> None:
        self._metrics.link_up.labels(kind=_KIND, link=link).set(int(to == "up"))
        self._metrics.link_transitions.labels(kind=_KIND, link=link, to=to).inc()


class Patience:
    """Gives the switch behind an AES time to come back, if there is another AES to go to.

    Args:
        clock: the time.
        servers: how many AES servers there are.
        on_lost: told when it has not come back in time.
    """

    def __init__(self, clock: Clock, servers: int, on_lost: Callable[[], None]) -> None:
        self._clock = clock
        self._has_other = servers > 1
        self._on_lost = on_lost
        self._timer: Timer | None = None

    def begin(self) -> None:
        """The switch is away, or may be. Harmless when repeated."""
        if self._has_other and self._timer is None:
            self._timer = self._clock.call_at(self._clock.now_s() + SWITCH_DOWN_LIMIT_S, self._lose)

    def end(self) -> None:
        """It is back, or this AES is left. Harmless when repeated."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _lose(self) -> None:
        self._timer = None
        self._on_lost()


def without_switch(link: LinkId, server: LinkId) -> str:
    """Say that an AES is there and its switch is not, for the health page."""
    return f"{link}: connected to {server}, which has no link to the switch"


def at_work(doing: str, *, observed: int, in_flight: int, waiting: int, overloaded: bool) -> str:
    """Say how a link that is up does, for the health page.

    Args:
        doing: the supervisor's word.
        observed: stations.
        in_flight, waiting: requests.
        overloaded: AES says so.
    """
    overload = ", AES is overloaded" if overloaded else ""
    return f"{doing}; {observed} stations observed, {in_flight} requests under way, {waiting} waiting{overload}"


def request_counter(metrics: Metrics, link: LinkId) -> Callable[[str, float], None]:
    """Return what counts a request by its outcome (``done``, ``refused``, ``unknown``) and the seconds it took."""
    seconds = metrics.link_request_seconds.labels(kind=_KIND)
    outcomes = {each: metrics.link_requests.labels(kind=_KIND, link=link, outcome=each) for each in _OUTCOMES}

    def count(outcome: str, took_s: float) -> None:
        outcomes[outcome].inc()
        seconds.observe(took_s)

    return count


def read_password(settings: TelephonySettings) -> str:
    """Read the CTI user's password, from its file if there is one.

    Raises:
        SettingsError: the file cannot be read.
    """
    if settings.password_file is None:
        return settings.password
    try:
        return settings.password_file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"telephony.password_file {settings.password_file} cannot be read: {error}") from error
