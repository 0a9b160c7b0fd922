"""What operators ask of the cluster through this instance: the port ``ClusterOperations`` of
``server.cluster_ports``.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from unified_agent.cluster import activation
from unified_agent.cluster.cluster import Cluster
from unified_agent.cluster.detector import Member
from unified_agent.cluster.detector import Verdict as Heard
from unified_agent.cluster.heartbeats import Report, Stage
from unified_agent.cluster.peer_messages import OrderAnswer, OrderQuestion, StatusAnswer, StatusQuestion
from unified_agent.cluster.peers import PeerUnreachable
from unified_agent.cluster.roll import Registered
from unified_agent.cluster.stores.base import StoreRefused, StoreUnavailable
from unified_agent.domain.ids import AgentId, InstanceId
from unified_agent.domain.view import rfc3339
from unified_agent.sealing import Keyring
from unified_agent.server.cluster_ports import (
    ActivationPlan,
    ActivationStatus,
    Affected,
    ClusterStatus,
    Decision,
    DrainStatus,
    InstanceState,
    InstanceStatus,
    KeysStatus,
    Kind,
    Moving,
    StoreStatus,
    Verdict,
    confirmation,
)
from unified_agent.server.failures import RequestRefused

if TYPE_CHECKING:
    from unified_agent.assembly.instance import Instance

#: How long another instance may take to answer an order, or to tell how it is, seconds.
ORDER_LIMIT_S: Final = 5.0
STATUS_LIMIT_S: Final = 1.0

_STATES: Final = {
    Stage.READY: InstanceState.READY,
    Stage.DRAINING: InstanceState.DRAINING,
    Stage.JOINING: InstanceState.JOINING,
    Stage.FENCED: InstanceState.FENCED,
}
_VERDICTS: Final = {Heard.ALIVE: Verdict.ALIVE, Heard.SUSPECT: Verdict.SUSPECT, Heard.DEAD: Verdict.DEAD}


class Operations:
    """See above."""

    def __init__(self, instance: Instance, cluster: Cluster, keyring: Keyring) -> None:
        self._instance = instance
        self._cluster = cluster
        self._keyring = keyring

    # --- status

    async def status(self) -> ClusterStatus:
        """See ``ClusterOperations``."""
        cluster, now_s = self._cluster, self._instance.clock.now_s()
        settings = self._instance.settings.cluster
        members = cluster.members
        active, _ = members.roll.active()
        health = cluster.store.health()
        keys = self._keyring.keys
        since_s = cluster.activator.epoch_since_s
        return ClusterStatus(
            cluster=settings.name,
            now=rfc3339(now_s),
            datacentre=settings.datacentre,
            datacentres=settings.datacentres or (settings.datacentre,),
            epoch=active.epoch if active is not None else 0,
            active=active.datacentre if active is not None and not active.handed_to else "",
            active_since="" if since_s is None else rfc3339(since_s),
            active_reason=active.reason if active is not None else "",
            handed_to=active.handed_to if active is not None else "",
            has_witness=settings.has_witness,
            activation=self._activation(),
            store=StoreStatus(
                up=members.has_store(),
                said=f"{members.registration.said}; {health.said}",
                heard_s=None if health.heard_at_s is None else round(now_s - health.heard_at_s, 1),
            ),
            instances=tuple([each async for each in self._instances(now_s)]),
            keys=KeysStatus(current=self._keyring.sealing_key.id, known=tuple(each.id for each in keys)),
        )

    def _activation(self) -> ActivationStatus:
        decision = self._cluster.activator.decision
        word = {activation.Stay: Decision.STAY, activation.Prepare: Decision.PREPARE, activation.Serve: Decision.SERVE}
        return ActivationStatus(decision=word[type(decision)], reason=decision.reason)

    async def _instances(self, now_s: float) -> Any:
        members = self._cluster.members
        registered = {each.instance: each for each in members.roll.registered()}
        for each in registered.values():
            yield await self._registered(each, now_s)
        for member in sorted(members.members(), key=lambda one: one.instance):
            if member.instance not in registered:
                yield self._gone(member, now_s)

    async def _registered(self, each: Registered, now_s: float) -> InstanceStatus:
        place = self._cluster.members.place
        is_me = each.instance == place.instance
        member = None if is_me else self._cluster.members.member(each.instance)
        report = self._cluster.report() if is_me else member.report if member is not None else None
        state = _STATES[report.stage if report is not None else each.node.stage]
        if each.node.stage is Stage.JOINING:
            state = InstanceState.JOINING  # registered, and not serving: passive, or fenced
        drain = await self._drain(each.instance, is_me=is_me) if state is InstanceState.DRAINING else None
        return InstanceStatus(
            id=each.instance,
            datacentre=each.datacentre,
            state=state,
            verdict=_VERDICTS[member.verdict] if member is not None else Verdict.ALIVE,
            verdict_reason=self._cluster.members.reason_of(each.instance),
            since=rfc3339(member.since_s) if member is not None else "",
            heard_s=round(now_s - member.heard_s, 2) if member is not None else None,
            version=each.node.version,
            sessions=report.sessions if report is not None else 0,
            capacity=each.node.capacity,
            has_store=report.has_store if report is not None else True,
            links_down=report.links_down if report is not None else (),
            url=each.node.url,
            incarnation=each.incarnation,
            epoch=report.epoch if report is not None else 0,
            is_me=is_me,
            drain=drain,
        )

    def _gone(self, member: Member, now_s: float) -> InstanceStatus:
        report: Report = member.report
        return InstanceStatus(
            id=member.instance,
            datacentre=member.datacentre,
            state=InstanceState.DOWN,
            verdict=_VERDICTS[member.verdict],
            verdict_reason=self._cluster.members.reason_of(member.instance),
            since=rfc3339(member.since_s),
            heard_s=round(now_s - member.heard_s, 2),
            version=report.version,
            sessions=0,
            capacity=report.capacity,
            has_store=report.has_store,
            url=report.address,
            incarnation=member.incarnation,
            epoch=report.epoch,
        )

    async def _drain(self, name: InstanceId, *, is_me: bool) -> DrainStatus | None:
        if is_me:
            return self._instance.moving.status()
        try:
            said = await self._cluster.peers.ask(name, StatusQuestion(), STATUS_LIMIT_S)
        except PeerUnreachable:
            return None
        if not isinstance(said, StatusAnswer):
            return None
        told = said.status
        return DrainStatus(
            left=int(told.get("left", 0)),
            moved=int(told.get("moved", 0)),
            waiting_for_items=int(told.get("waiting_for_items", 0)),
        )

    # --- orders

    async def drain(self, name: InstanceId, rate_per_s: float | None) -> None:
        """See ``ClusterOperations``."""
        await self._order(name, OrderQuestion(order="drain", rate_per_s=rate_per_s))

    async def resume(self, name: InstanceId) -> None:
        """See ``ClusterOperations``."""
        await self._order(name, OrderQuestion(order="resume"))

    async def move(self, agent: AgentId, to: InstanceId | None) -> Moving:
        """See ``ClusterOperations``."""
        if to is not None and to not in self._names():
            raise RequestRefused("cluster.no-such-instance", to)
        try:
            record = (await self._cluster.records.agent(agent)).record
        except (StoreUnavailable, StoreRefused) as error:
            raise RequestRefused("cluster.unreachable", f"the store: {error}") from error
        if record is None or record.owner is None:
            raise RequestRefused("agent.not-logged-in", agent)
        said = await self._order(record.owner, OrderQuestion(order="move", agent=agent, to=to or InstanceId("")))
        return Moving(agent=agent, source=record.owner, target=InstanceId(said.detail))

    async def _order(self, name: InstanceId, order: OrderQuestion) -> OrderAnswer:
        if name not in self._names():
            raise RequestRefused("cluster.no-such-instance", name)
        if name == self._cluster.members.place.instance:
            said = await self._cluster.house.obey(order)
        else:
            try:
                said = await self._cluster.peers.ask(name, order, ORDER_LIMIT_S)
            except PeerUnreachable as error:
                raise RequestRefused("cluster.unreachable", str(error)) from error
        if not isinstance(said, OrderAnswer):
            raise RequestRefused("cluster.unreachable", f"{name} does not understand the order")
        if not said.done:
            raise RequestRefused(said.id, said.detail)
        return said

    def _names(self) -> frozenset[InstanceId]:
        return frozenset(each.instance for each in self._cluster.members.roll.registered())

    # --- datacentres

    async def plan_activation(self, datacentre: str) -> ActivationPlan:
        """See ``ClusterOperations``."""
        settings = self._instance.settings.cluster
        known = settings.datacentres or (settings.datacentre,)
        if datacentre not in known:
            raise RequestRefused("cluster.no-such-datacentre", f"{datacentre}; there are {', '.join(known)}")
        active, _ = self._cluster.members.roll.active()
        now_active = active.datacentre if active is not None and not active.handed_to else ""
        living = tuple(self._cluster.members.roll.registered())
        ours = [each for each in living if each.datacentre == datacentre]
        theirs = [each for each in living if each.datacentre != datacentre]
        kind = Kind.SWITCH if theirs else Kind.TAKE_OVER
        if active is None:
            kind = Kind.FIRST
        if now_active == datacentre:
            kind = Kind.NOTHING
        affected = tuple(self._affected(each, datacentre, kind) for each in living)
        epoch = active.epoch if active is not None else 0
        return ActivationPlan(
            datacentre=datacentre,
            kind=kind,
            epoch=epoch,
            active=now_active,
            says=_SAYS[kind].format(datacentre=datacentre, other=now_active or "nobody"),
            hinders=tuple(self._hinders(ours, datacentre)),
            agents=sum(each.sessions for each in affected if each.datacentre == now_active),
            instances=affected,
            confirm="" if kind is Kind.NOTHING else confirmation(datacentre, kind, epoch, affected),
        )

    async def activate(self, datacentre: str, confirm: str) -> None:
        """See ``ClusterOperations``."""
        plan = await self.plan_activation(datacentre)
        if plan.kind is Kind.NOTHING:
            return
        if plan.hinders:
            raise RequestRefused("activation.refused", "; ".join(plan.hinders))
        if not hmac.compare_digest(confirm.encode(), plan.confirm.encode()):
            raise RequestRefused("activation.confirm", "the situation has changed: look at it again")
        order = OrderQuestion(order="switch" if plan.kind is Kind.SWITCH else "take")
        for name in self._candidates(datacentre):
            try:
                await self._order(name, order)
            except RequestRefused as refused:
                if refused.id != "cluster.unreachable":
                    raise
                continue
            return
        raise RequestRefused("cluster.unreachable", f"no instance of {datacentre} answers")

    def _candidates(self, datacentre: str) -> tuple[InstanceId, ...]:
        """Instances of a datacentre, ourselves first."""
        me = self._cluster.members.place.instance
        names = [each.instance for each in self._cluster.members.roll.registered() if each.datacentre == datacentre]
        return tuple(sorted(names, key=lambda each: (each != me, each)))

    def _hinders(self, ours: list[Registered], datacentre: str) -> Iterator[str]:
        if not ours:
            yield f"no instance of {datacentre} is registered: start one there first"
        if not self._cluster.members.has_store():
            yield "this instance does not reach the store: nothing can be decided without it"
        elif not self._cluster.members.is_fresh():
            yield "this instance's view of the store is old: wait a moment"

    def _affected(self, each: Registered, datacentre: str, kind: Kind) -> Affected:
        me = self._cluster.members.place.instance
        member = self._cluster.members.member(each.instance)
        sessions = len(self._instance.host) if each.instance == me else member.report.sessions if member else 0
        if kind is Kind.NOTHING:
            becomes = "stays as it is"
        elif each.datacentre == datacentre:
            becomes = "begins to serve"
        else:
            becomes = f"stands down; {sessions} agents log in anew at {datacentre}"
        return Affected(
            id=each.instance,
            datacentre=each.datacentre,
            state=_STATES[each.node.stage],
            incarnation=each.incarnation,
            sessions=sessions,
            becomes=becomes,
        )


_SAYS: Final = {
    Kind.NOTHING: "{datacentre} is active already; nothing is to be done.",
    Kind.SWITCH: (
        "A planned switch: {other} hands over, closes all it has and says so; then {datacentre} serves. Calls go on, "
        "every agent is logged in anew, records open at a dialler are closed."
    ),
    Kind.TAKE_OVER: "{other} has no live instance: {datacentre} takes its place at once, if the store confirms that.",
    Kind.FIRST: "No datacentre was ever active: {datacentre} begins.",
}
