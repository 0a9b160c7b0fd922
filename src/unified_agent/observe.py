"""One vocabulary for logs and counters.

A log line is one event with a fixed name and fields: ``log_event(LOGGER, "link_down", link="aes-1", reason="silent")``.
What is logged is also counted, in one ``Metrics`` object that is made by ``assembly`` and passed down. Label values
come from closed sets: never an agent, a station, a number or a token.
"""

from __future__ import annotations

import logging
import platform
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, TextIO, cast

import msgspec
import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

#: What ``get_logger`` gives and ``log_event`` takes.
Logger = FilteringBoundLogger

#: A field of such a name is hidden, in case somebody passes one all the same.
HIDDEN_FIELDS: Final = frozenset(
    {"password", "passwd", "secret", "token", "authorization", "number", "phone", "called", "caller", "value", "data"}
)
_HIDDEN: Final = "(hidden)"

#: Times that a person waits for, seconds.
USER_BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
#: Times within the process, seconds.
LAG_BUCKETS_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
#: Times to get over a loss, seconds.
OUTAGE_BUCKETS_S: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0)


# --- logs


def get_logger(room: str) -> Logger:
    """Return the logger of a room or file, to be kept in a module constant: ``LOGGER = get_logger("links.apc")``."""
    return cast("Logger", structlog.get_logger(room=room))


def log_event(
    logger: Logger, event: str, *, level: str = "info", error: BaseException | None = None, **fields: object
) -> None:
    """Write one line.

    Args:
        logger: from ``get_logger``.
        event: fixed name, snake case, past tense or state: ``link_down``.
        level: ``info``: an operator would tell a colleague; ``warning``: someone should look today; ``error``: now;
            ``debug``: the bytes.
        error: an exception whose stack goes with it.
        fields: plain values; never a password, a token or a customer's number. Calls are named by their ids.
    """
    if error is not None:
        fields["exc_info"] = error
    getattr(logger, level)(event, **fields)


def configure_logging(
    *,
    level: str = "info",
    as_json: bool = True,
    stream: TextIO | None = None,
    now_s: Callable[[], float] = time.time,
) -> None:
    """Set up logging for the whole process, that of foreign libraries included (from ``warning`` on).

    Args:
        level: least urgent line written: ``debug``, ``info``, ``warning`` or ``error``.
        as_json: JSON lines; otherwise for a person at a terminal.
        stream: where to, stderr by default.
        now_s: Unix seconds for the time of a line.
    """
    target = stream or sys.stderr

    def stamp(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["at"] = datetime.fromtimestamp(now_s(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return event

    processors: list[Any] = [structlog.stdlib.add_log_level, stamp, _hide]
    if as_json:
        processors += [structlog.processors.format_exc_info, _write_json]
    else:
        console = structlog.dev.ConsoleRenderer(colors=target.isatty(), timestamp_key="at")
        processors.append(console)
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=target),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.addHandler(_ForeignLines())
    root.setLevel(logging.WARNING)


class _ForeignLines(logging.Handler):
    """Lines of foreign libraries, brought into our form."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._logger = get_logger("foreign")

    def emit(self, record: logging.LogRecord) -> None:
        level = "error" if record.levelno >= logging.ERROR else "warning"
        error = record.exc_info[1] if record.exc_info else None
        log_event(
            self._logger, "library_said", level=level, error=error, library=record.name, words=record.getMessage()
        )


def _hide(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for name in event:
        if name in HIDDEN_FIELDS:
            event[name] = _HIDDEN
    return event


def _write_json(_: WrappedLogger, __: str, event: EventDict) -> str:
    ordered = {"at": event.pop("at"), "level": event.pop("level"), "event": event.pop("event"), **event}
    return msgspec.json.encode({name: _plain(value) for name, value in ordered.items()}).decode()


def _plain(value: object) -> object:
    """Leave plain values, write everything else by its repr, which hides secrets; an Enum by its word."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return round(value, 6)
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    return repr(value)


# --- counters


class Metrics:
    """Every metric of an instance, on a registry of its own. Labels are given with ``.labels(...)``.

    Gauges of what is so (sessions, agents) are brought up to date by callbacks just before a reading, so that
    nothing has to keep count twice.

    Attributes:
        registry: what ``render`` writes.
        loop_lag: how late the event loop came to a timer.
        sessions: ``presence``.
        agents: ``mode``, the word shown.
        session_capacity: from the settings.
        logins: ``outcome``: accepted, or the error's id.
        initiations: ``outcome``: ``chosen``, ``full`` or ``not-serving``.
        takeovers: ``cause``.
        forced_logouts: ``cause``, a system reason.
        connections: ``transport``, open now.
        connects: ``transport``, ``outcome``: opened, or the refusal's id.
        disconnects: ``transport``, ``reason``.
        resumes: ``outcome``: resumed, snapshot, refused.
        events_sent: ``transport``.
        event_delay: from the receipt of a report or command to the socket of the desktop that is told.
        slow_clients_closed: desktops cut off because they took nothing.
        jsonp_rejected: ``cause``, the id with which a request for a script was refused.
        commands: ``command``, ``outcome``; counted when they end: done, refused, unknown.
        command_seconds: ``command``; from its receipt to its end.
        fenced_writes: deeds and writes withheld because the claim, the term or the time to act had passed.
        cluster_members: ``state``: alive, suspect, dead.
        cluster_epoch: of the active datacentre, as this instance knows it.
        cluster_is_active: 1 while this instance's datacentre serves.
        suspicions: ``outcome``: suspect, dead, alive again.
        ownership_moves: ``cause``: login, resume, drain, move, stepped-down …
        claim_seconds: from asking for a claim to its being granted.
        link_up: ``kind`` (telephony, dialler), ``link``; 1 or 0.
        link_transitions: ``kind``, ``link``, ``to``.
        link_resync: ``kind``, always telephony; from the link's return until the last of the sessions that waited is in
            line again. Agents of a lost dialler go to another one, so there is no such moment there.
        link_requests: ``kind``, ``link``, ``outcome``: done, refused, unknown.
        link_request_seconds: ``kind``.
        link_unexpected_reports: ``kind``.
        dialler_agents: ``dialler``, connections open there.
        link_relogins: ``kind``, ``outcome``.
        ajp_requests: ``status``: the class of the answer, 2xx to 5xx.
        ajp_refused: ``reason``: requests and connections that the AJP listener refused by itself, with the word of
            ``wire.ajp13.CloseReason``, or upgrade, too-large, full.
        ajp_connections: from web servers, open now.
        ajp_connections_closed: ``reason``, a word of ``wire.ajp13.CloseReason``.
        peer_links: other instances to which a link is up.
        peer_questions: ``question``, ``outcome``: answered, not-understood, unreachable.
    """

    def __init__(self, registry: CollectorRegistry | None = None, *, version: str = "", started_s: float = 0.0) -> None:
        """Make them all.

        Args:
            registry: None for a new one.
            version: ours, for ``ua_build_info``.
            started_s: Unix seconds at which the process began.
        """
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry if registry is not None else CollectorRegistry()
        self._before_render: list[Callable[[], None]] = []

        build = self._gauge("ua_build_info", "What runs here.", "version", "python")
        build.labels(version=version, python=platform.python_version()).set(1)
        self._gauge("ua_start_time_seconds", "When the process began, Unix seconds.").set(started_s)
        self.loop_lag = self._histogram("ua_loop_lag_seconds", "Lateness of the event loop.", LAG_BUCKETS_S)

        self.sessions = self._gauge("ua_sessions", "Sessions by presence of a desktop.", "presence")
        self.agents = self._gauge("ua_agents", "Agents by work mode.", "mode")
        self.session_capacity = self._gauge("ua_session_capacity", "Sessions this instance takes.")
        self.logins = self._counter("ua_logins_total", "Logins.", "outcome")
        self.initiations = self._counter("ua_initiations_total", "Desktops that asked for an instance.", "outcome")
        self.takeovers = self._counter("ua_takeovers_total", "Sessions taken over by another desktop.", "cause")
        self.forced_logouts = self._counter("ua_forced_logouts_total", "Agents logged out by the system.", "cause")

        self.connections = self._gauge("ua_connections", "Desktop connections open.", "transport")
        self.connects = self._counter("ua_connects_total", "Desktop connections begun.", "transport", "outcome")
        self.disconnects = self._counter("ua_disconnects_total", "Desktop connections ended.", "transport", "reason")
        self.resumes = self._counter("ua_resumes_total", "How streams were taken up again.", "outcome")
        self.events_sent = self._counter("ua_events_sent_total", "Notices written to desktops.", "transport")
        self.event_delay = self._histogram(
            "ua_event_delay_seconds", "From a report's receipt to the desktop's socket.", LAG_BUCKETS_S
        )
        self.slow_clients_closed = self._counter(
            "ua_slow_clients_closed_total", "Desktops cut off because they took nothing."
        )

        self.jsonp_rejected = self._counter("ua_jsonp_rejected_total", "Requests for scripts refused.", "cause")

        self.commands = self._counter("ua_commands_total", "Commands of desktops.", "command", "outcome")
        self.command_seconds = self._histogram(
            "ua_command_seconds", "From a command to its settlement.", USER_BUCKETS_S, "command"
        )

        self.fenced_writes = self._counter("ua_fenced_writes_total", "Deeds and writes withheld: the claim had passed.")
        self.cluster_members = self._gauge("ua_cluster_members", "Other instances by what we think of them.", "state")
        self.cluster_epoch = self._gauge("ua_cluster_epoch", "Epoch of the active datacentre.")
        self.cluster_is_active = self._gauge("ua_cluster_is_active_datacentre", "Whether our datacentre serves.")
        self.suspicions = self._counter("ua_suspicions_total", "Verdicts on other instances.", "outcome")
        self.ownership_moves = self._counter("ua_ownership_moves_total", "Agents that changed their owner.", "cause")
        self.claim_seconds = self._histogram(
            "ua_claim_seconds", "From asking for a claim to its being granted.", USER_BUCKETS_S
        )

        self.link_up = self._gauge("ua_link_up", "Whether a link is up.", "kind", "link")
        self.link_transitions = self._counter(
            "ua_link_transitions_total", "Changes of a link's state.", "kind", "link", "to"
        )
        self.link_resync = self._histogram(
            "ua_link_resync_seconds", "From a link's return to all sessions in line.", OUTAGE_BUCKETS_S, "kind"
        )
        self.link_requests = self._counter("ua_link_requests_total", "Requests to a peer.", "kind", "link", "outcome")
        self.link_request_seconds = self._histogram(
            "ua_link_request_seconds", "Time to a peer's answer.", USER_BUCKETS_S, "kind"
        )
        self.link_unexpected_reports = self._counter(
            "ua_link_unexpected_reports_total", "Reports that did not fit what was believed.", "kind"
        )
        self.dialler_agents = self._gauge("ua_dialler_agents", "Agents on a dialler.", "dialler")
        self.link_relogins = self._counter("ua_link_relogins_total", "Agents logged in again.", "kind", "outcome")

        self.ajp_requests = self._counter("ua_ajp_requests_total", "Requests of web servers by AJP.", "status")
        self.ajp_refused = self._counter("ua_ajp_refused_total", "Refused by the AJP listener itself.", "reason")
        self.ajp_connections = self._gauge("ua_ajp_connections", "AJP connections of web servers open.")
        self.ajp_connections_closed = self._counter(
            "ua_ajp_connections_closed_total", "AJP connections that ended.", "reason"
        )

        self.peer_links = self._gauge("ua_peer_links", "Links to other instances that are up.")
        self.peer_questions = self._counter(
            "ua_peer_questions_total", "Questions to other instances.", "question", "outcome"
        )

    def before_render(self, callback: Callable[[], None]) -> None:
        """Have a callback set its gauges just before each reading."""
        self._before_render.append(callback)

    def render(self) -> bytes:
        """Write all of them in Prometheus' text format."""
        for callback in self._before_render:
            callback()
        return generate_latest(self.registry)

    def _counter(self, name: str, help_line: str, *labels: str) -> Counter:
        return Counter(name, help_line, labels, registry=self.registry)

    def _gauge(self, name: str, help_line: str, *labels: str) -> Gauge:
        return Gauge(name, help_line, labels, registry=self.registry)

    def _histogram(self, name: str, help_line: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, help_line, labels, registry=self.registry, buckets=buckets)
