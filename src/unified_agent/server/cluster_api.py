"""For operators: how the cluster is, and what they may have it do.

Any instance answers for all. What cannot be taken back by asking again is asked for twice: the first call says what
would happen, and the second brings the word of that answer, which no longer fits once the situation has changed.
"""

from __future__ import annotations

import hmac
from typing import Annotated, Final

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED
from msgspec import Meta, Struct

from unified_agent import __version__
from unified_agent.domain.ids import AgentId, InstanceId
from unified_agent.domain.view import rfc3339
from unified_agent.server.cluster_ports import (
    ActivationPlan,
    ActivationStatus,
    ClusterOperations,
    ClusterStatus,
    Decision,
    InstanceState,
    InstanceStatus,
    Moving,
    StoreStatus,
    Verdict,
)
from unified_agent.server.desk_api import DeskRequest, problems
from unified_agent.server.failures import RequestRefused
from unified_agent.server.ops_api import Operations
from unified_agent.server.ports import Instance

_SECURITY: Final[list[dict[str, list[str]]]] = [{"operator": []}]
_ORDER_FAILURES: Final = ("operator.unauthorised", "origin.refused", "cluster.alone", "cluster.unreachable")
_BODY_FAILURES: Final = ("request.invalid", "request.too-large", "request.media-type")

InstanceName = Annotated[str, Meta(min_length=1, max_length=64)]


class DrainBody(Struct, kw_only=True, frozen=True):
    """How fast: agents moved a second; without it as the instance's settings say."""

    rate_per_s: Annotated[float, Meta(gt=0.0, le=1_000.0)] | None = None


class MoveBody(Struct, kw_only=True, frozen=True):
    """Where to; without it the cluster chooses."""

    to: InstanceName | None = None


class ActivateBody(Struct, kw_only=True, frozen=True):
    """Which datacentre, and the word of the answer to the first call.

    Attributes:
        datacentre: that is to be active.
        dry_run: only say what would happen, whatever else is given.
        confirm: the word; empty in the first call.
    """

    datacentre: Annotated[str, Meta(min_length=1, max_length=64)]
    dry_run: bool = False
    confirm: Annotated[str, Meta(max_length=128)] = ""


class Activation(Struct, kw_only=True, frozen=True):
    """What would happen; with ``ordered`` it is happening, and ``GET /v1/cluster`` tells how far it is."""

    ordered: bool
    plan: ActivationPlan


class ClusterDesk:
    """What the handlers below work with; made by ``app``."""

    def __init__(self, operations: Operations, cluster: ClusterOperations | None) -> None:
        self._operations = operations
        self._cluster = cluster

    def admit(self, request: DeskRequest) -> None:
        """Let operators in.

        Raises:
            RequestRefused: it is none.
        """
        self._operations.admit(request)

    @property
    def orders(self) -> ClusterOperations:
        """Who carries orders out.

        Raises:
            RequestRefused: this instance is alone.
        """
        if self._cluster is None:
            raise RequestRefused("cluster.alone", "its settings name no store: see cluster.store.endpoints")
        return self._cluster

    async def status(self) -> ClusterStatus:
        """Tell how the cluster is; an instance alone tells of itself."""
        return self._alone() if self._cluster is None else await self._cluster.status()

    def _alone(self) -> ClusterStatus:
        operations = self._operations
        settings = operations.settings
        instance = operations.instance
        me = InstanceStatus(
            id=settings.instance,
            datacentre=settings.cluster.datacentre,
            state=_state(instance),
            verdict=Verdict.ALIVE,
            version=__version__,
            sessions=len(operations.host),
            capacity=settings.sessions.capacity,
            has_store=False,
            links_down=tuple(each.name for each in instance.links() if each.state == "down"),
            url=settings.cluster.url,
            incarnation=0,
            epoch=0,
            is_me=True,
        )
        return ClusterStatus(
            cluster=settings.cluster.name,
            now=rfc3339(operations.clock.now_s()),
            datacentre=settings.cluster.datacentre,
            datacentres=(settings.cluster.datacentre,),
            epoch=0,
            active=settings.cluster.datacentre,
            activation=ActivationStatus(decision=Decision.SERVE, reason="this instance is alone"),
            store=StoreStatus(up=False, said="there is none: this instance is alone"),
            instances=(me,),
        )


def _state(instance: Instance) -> InstanceState:
    if instance.draining:
        return InstanceState.DRAINING
    return InstanceState.READY if instance.started else InstanceState.JOINING


class ClusterController(Controller):
    """The cluster, for operators."""

    path = "/v1/cluster"
    tags = ("cluster",)

    @get(
        operation_id="readCluster",
        summary="How the cluster is, as this instance sees it",
        security=_SECURITY,
        responses=problems("operator.unauthorised"),
        response_description="All of it.",
    )
    async def status(self, cluster: NamedDependency[ClusterDesk], request: DeskRequest) -> ClusterStatus:
        """Every instance, which datacentre is active and why, the store. An instance alone tells of itself."""
        cluster.admit(request)
        return await cluster.status()

    @post(
        "/instances/{name:str}/drain",
        operation_id="drainInstance",
        summary="Have an instance move its agents to others",
        response_description="It has begun; this is how the cluster stands.",
        security=_SECURITY,
        status_code=HTTP_202_ACCEPTED,
        responses=problems(*_ORDER_FAILURES, *_BODY_FAILURES, "cluster.no-such-instance"),
    )
    async def drain(
        self,
        cluster: NamedDependency[ClusterDesk],
        request: DeskRequest,
        name: FromPath[str],
        data: JSONBody[DrainBody],
    ) -> ClusterStatus:
        """Take no new agents and move those that are there, each after its open record of a dialler is closed."""
        cluster.admit(request)
        await cluster.orders.drain(InstanceId(name), data.rate_per_s)
        return await cluster.status()

    @post(
        "/instances/{name:str}/resume",
        operation_id="resumeInstance",
        summary="Have an instance take agents again",
        response_description="It does; this is how the cluster stands.",
        security=_SECURITY,
        status_code=HTTP_202_ACCEPTED,
        responses=problems(*_ORDER_FAILURES, "request.invalid", "cluster.no-such-instance"),
    )
    async def resume(
        self, cluster: NamedDependency[ClusterDesk], request: DeskRequest, name: FromPath[str]
    ) -> ClusterStatus:
        """End a drain. Agents who have left stay where they are."""
        cluster.admit(request)
        await cluster.orders.resume(InstanceId(name))
        return await cluster.status()

    @post(
        "/agents/{agent:str}/move",
        operation_id="moveAgent",
        summary="Have one agent moved to another instance",
        response_description="The desktop has been told, and goes.",
        security=_SECURITY,
        status_code=HTTP_202_ACCEPTED,
        responses=problems(
            *_ORDER_FAILURES,
            *_BODY_FAILURES,
            "agent.not-logged-in",
            "agent.in-item",
            "cluster.no-such-instance",
            "instance.full",
            "instance.draining",
        ),
    )
    async def move(
        self,
        cluster: NamedDependency[ClusterDesk],
        request: DeskRequest,
        agent: FromPath[str],
        data: JSONBody[MoveBody],
    ) -> Moving:
        """Move one agent; refused while the agent has a record of a dialler open."""
        cluster.admit(request)
        return await cluster.orders.move(AgentId(agent), None if data.to is None else InstanceId(data.to))

    @post(
        "/activate",
        operation_id="activateDatacentre",
        summary="Say what making a datacentre active would mean; with the word of that answer, do it",
        security=_SECURITY,
        status_code=HTTP_200_OK,
        response_description="What would happen, or is happening.",
        responses=problems(
            *_ORDER_FAILURES,
            *_BODY_FAILURES,
            "cluster.no-such-datacentre",
            "activation.refused",
            "activation.confirm",
        ),
    )
    async def activate(
        self, cluster: NamedDependency[ClusterDesk], request: DeskRequest, data: JSONBody[ActivateBody]
    ) -> Activation:
        """Ask twice: without ``confirm`` nothing happens. A word of another situation than the present one is void."""
        cluster.admit(request)
        plan = await cluster.orders.plan_activation(data.datacentre)
        if data.dry_run or not data.confirm:
            return Activation(ordered=False, plan=plan)
        if plan.hinders:
            raise RequestRefused("activation.refused", "; ".join(plan.hinders))
        if not hmac.compare_digest(plan.confirm.encode(), data.confirm.encode()):
            raise RequestRefused("activation.confirm", f"now it would be so: {plan.says}")
        await cluster.orders.activate(data.datacentre, data.confirm)
        return Activation(ordered=True, plan=plan)
