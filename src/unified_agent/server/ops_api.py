"""For operators and their tools: is it alive, may it take agents, what is so, how much of everything.

A lost switch or dialler does not make an instance unready: if all lose it, taking all from the balancer would take
away the page that explains.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from msgspec import Struct
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from unified_agent import __version__
from unified_agent.domain.ports import Clock
from unified_agent.domain.view import rfc3339
from unified_agent.observe import Metrics
from unified_agent.server.auth import Operators
from unified_agent.server.desk_api import BUSY_LAG_S, DeskRequest, problems
from unified_agent.server.failures import RequestRefused
from unified_agent.server.ports import Instance, LinkStatus, Whereabouts
from unified_agent.sessions.host import Host
from unified_agent.settings import Settings

#: A loop that came this late to its last probe is called stuck, seconds.
STUCK_LAG_S: Final = 5.0


class Health(Struct, kw_only=True, frozen=True):
    """An answer to a probe. ``reasons`` is empty when ``status`` is ``ok``."""

    status: str
    reasons: tuple[str, ...]
    instance: str
    version: str
    sessions: int
    capacity: int


class Status(Struct, kw_only=True, frozen=True):
    """The full truth, for people and dashboards.

    Attributes:
        phases, modes, presence: how many sessions are so.
    """

    instance: str
    version: str
    now: str
    started: bool
    draining: bool
    ready: bool
    reasons: tuple[str, ...]
    sessions: int
    capacity: int
    loop_lag_s: float
    phases: dict[str, int]
    presence: dict[str, int]
    links: tuple[LinkStatus, ...]


class Operations:
    """What the handlers below work with; made by ``app``."""

    def __init__(
        self,
        *,
        host: Host,
        instance: Instance,
        whereabouts: Whereabouts,
        operators: Operators,
        metrics: Metrics,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self.host: Final = host
        self.instance: Final = instance
        self.whereabouts: Final = whereabouts
        self.operators: Final = operators
        self.metrics: Final = metrics
        self.clock: Final = clock
        self.settings: Final = settings

    def admit(self, request: DeskRequest) -> None:
        """Let operators in.

        Raises:
            RequestRefused: it is none.
        """
        address = request.client.host if request.client else None
        if not self.operators.accepts(request.headers.get("authorization"), address):
            raise RequestRefused("operator.unauthorised", "see the setting http.operators_token_file")

    def unready(self) -> tuple[str, ...]:
        """Say why no new agent should come here: ``starting``, ``draining``, ``full``, ``busy``, ``not-active``; or
        nothing.
        """
        reasons = (
            ("not-active", not self.whereabouts.serves),
            ("starting", not self.instance.started or self.instance.opening),
            ("draining", self.instance.draining),
            ("full", len(self.host) >= self.settings.sessions.capacity),
            ("busy", self.instance.loop_lag_s() > BUSY_LAG_S),
        )
        return tuple(word for word, so in reasons if so)

    def health(self, reasons: tuple[str, ...], status_code: int | None = None) -> Response[Health]:
        """Answer a probe: with a status, or with 200, and 503 when there are reasons."""
        body = Health(
            status="failing" if reasons else "ok",
            reasons=reasons,
            instance=self.settings.instance,
            version=__version__,
            sessions=len(self.host),
            capacity=self.settings.sessions.capacity,
        )
        return Response(body, status_code=status_code or (503 if reasons else 200))


def readiness(reasons: Iterable[str]) -> int:
    """Return what a balancer is told: 200, send desktops here; 404, only those you have sent before; 503, none.

    An instance that is full or busy is ready all the same: it sends newcomers to others, and only an instance can say
    that all are full. Taken from the balancer it could not.
    """
    if not {"not-active", "starting"}.isdisjoint(reasons):
        return 503
    return 404 if "draining" in reasons else 200


_NOT_WELL: Final = {503: ResponseSpec(Health, generate_examples=False, description="No; `reasons` says why.")}


class OpsController(Controller):
    """Probes, status and metrics."""

    tags = ("operations",)

    @get(
        "/healthz",
        operation_id="isAlive",
        summary="Whether the process answers",
        response_description="Yes.",
        responses=_NOT_WELL,
        sync_to_thread=False,
    )
    def alive(self, operations: NamedDependency[Operations]) -> Response[Health]:
        """Touch nothing else; 503 only when the event loop was stuck."""
        return operations.health(("stuck",) if operations.instance.loop_lag_s() > STUCK_LAG_S else ())

    @get(
        "/readyz",
        operation_id="isReady",
        summary="Whether to send desktops here",
        response_description="Yes; with `reasons` they will be sent on.",
        responses={
            **_NOT_WELL,
            404: ResponseSpec(Health, generate_examples=False, description="Only those that are here."),
        },
        sync_to_thread=False,
    )
    def ready(self, operations: NamedDependency[Operations]) -> Response[Health]:
        """For balancers: 404 while it is being stopped, 503 while it starts or must not serve."""
        reasons = operations.unready()
        return operations.health(reasons, readiness(reasons))

    @get(
        "/startupz",
        operation_id="isStarted",
        summary="Whether the start is complete",
        response_description="Yes.",
        responses=_NOT_WELL,
        sync_to_thread=False,
    )
    def started(self, operations: NamedDependency[Operations]) -> Response[Health]:
        """503 until then."""
        return operations.health(() if operations.instance.started else ("starting",))

    @get(
        "/v1/status",
        operation_id="readStatus",
        summary="The full truth, for operators",
        security=[{"operator": []}],
        responses=problems("operator.unauthorised"),
        response_description="All of it.",
        sync_to_thread=False,
    )
    def status(self, operations: NamedDependency[Operations], request: DeskRequest) -> Status:
        """Always 200 for those who may: a status that hides behind errors helps nobody."""
        operations.admit(request)
        states = tuple(operations.host.sessions())
        reasons = operations.unready()
        return Status(
            instance=operations.settings.instance,
            version=__version__,
            now=rfc3339(operations.clock.now_s()),
            started=operations.instance.started,
            draining=operations.instance.draining,
            ready=not reasons,
            reasons=reasons,
            sessions=len(states),
            capacity=operations.settings.sessions.capacity,
            loop_lag_s=round(operations.instance.loop_lag_s(), 6),
            phases=_count(state.phase.value for state in states),
            presence=_count(state.presence.value for state in states),
            links=tuple(operations.instance.links()),
        )

    @get(
        "/metrics",
        operation_id="readMetrics",
        summary="Prometheus metrics",
        media_type="text/plain",
        response_description="Prometheus' text format.",
        sync_to_thread=False,
    )
    def metrics(self, operations: NamedDependency[Operations]) -> Response[bytes]:
        """Tell how much of everything; no agent, number or token is in it."""
        return Response(operations.metrics.render(), media_type=CONTENT_TYPE_LATEST)


def _count(words: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    return counts
