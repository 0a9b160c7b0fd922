"""Where agents live and where desktops may go, as one instance knows it: the port ``Whereabouts`` of
``server.ports``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from unified_agent.cluster.cluster import Cluster
from unified_agent.cluster.detector import Member, Verdict
from unified_agent.cluster.heartbeats import Stage
from unified_agent.cluster.roll import Registered
from unified_agent.cluster.stores.base import StoreRefused, StoreUnavailable
from unified_agent.domain.ids import AgentId, InstanceId
from unified_agent.domain.ports import Clock
from unified_agent.domain.selection import Candidate, Standing, choose_instance
from unified_agent.domain.session_state import SessionState
from unified_agent.domain.topology import (
    Chosen,
    Elsewhere,
    InstanceEntry,
    Next,
    Passive,
    Topology,
    Witness,
    WitnessVerdict,
)

#: A desktop that arrives waits for what the store knows of its agent for so long, seconds; its claim asks again.
READ_LIMIT_S: Final = 1.0

#: Where only the store is missing nobody is sent to an instance that has been silent for so long, seconds.
HEARD_S: Final = 1.25

_STANDINGS: Final = {
    Stage.READY: Standing.READY,
    Stage.DRAINING: Standing.DRAINING,
    Stage.JOINING: Standing.JOINING,
    Stage.FENCED: Standing.JOINING,
}


class Whereabouts:
    """See above."""

    def __init__(self, cluster: Cluster, name: str, reconnect_window_ms: int, clock: Clock) -> None:
        self._cluster = cluster
        self._name = name
        self._window_ms = reconnect_window_ms
        self._clock = clock
        self._version = 0
        self._told: tuple[object, ...] = ()

    @property
    def epoch(self) -> int:
        """Of the active datacentre, as known here; 0 for none."""
        return self._cluster.activator.epoch

    @property
    def serves(self) -> bool:
        """Whether this instance's datacentre is active and it may act."""
        return self._cluster.holdings.serving is not None

    def why_not(self) -> str:
        """Say why this instance does not serve, in a sentence; empty while it does."""
        return "" if self.serves else self._cluster.activator.decision.reason

    def urls(self) -> frozenset[str]:
        """Where desktops reach instances: pages of theirs may call us, and most of all when theirs is gone."""
        return self._cluster.members.roll.urls()

    def topology(self) -> Topology:
        """Tell desktops where they may go."""
        instances = tuple(self._entries())
        active = self._active()
        told = (self.epoch, active, instances)
        if told != self._told:
            self._told, self._version = told, int(self._clock.now_s() * 1_000)
        return Topology(
            cluster=self._name,
            epoch=self.epoch,
            version=self._version,
            active=active,
            reconnect_window_ms=self._window_ms,
            instances=instances,
        )

    def witness(self, instance: InstanceId, agent: AgentId | None) -> Witness:
        """Say what is thought here of an instance that a desktop misses."""
        place = self._cluster.members.place
        registered = {each.instance: each for each in self._cluster.members.roll.registered()}
        member = self._cluster.members.member(instance)
        verdict = self._verdict(registered.get(instance), member)
        can_take = self.serves and self._cluster.report().stage is Stage.READY and instance != place.instance
        mine = Next(id=place.instance, url=place.url) if can_take else None
        best = self.best_for(agent, without=frozenset({instance})) if agent is not None else None
        return Witness(instance=instance, verdict=verdict, can_take=can_take, next=best or mine)

    def best_for(self, agent: AgentId, *, without: frozenset[InstanceId] = frozenset()) -> Next | None:
        """Choose the instance that should take an agent, among all but some; None when no other can."""
        urls = {each.instance: each.node.url for each in self._cluster.members.roll.registered()}
        candidates = [each for each in self._candidates() if each.instance not in without and urls.get(each.instance)]
        choice = choose_instance(agent, candidates, active_datacentre=self._active())
        if choice.instance is None:
            return None
        return Next(id=choice.instance, url=urls[choice.instance])

    async def choose(self, agent: AgentId, promised: Mapping[InstanceId, int], *, is_known: bool) -> Chosen:
        """Choose the instance that should take an agent: the one that has it while that is sound, else by load.

        Without the store nobody knows who has it, and whoever is chosen finds out by its claim.
        """
        members = self._cluster.members
        urls = {each.instance: each.node.url for each in members.roll.registered()}
        silent = self._silent() if self._wants_store() else frozenset[InstanceId]()
        owner = await self._live_owner(agent) if is_known and members.has_store() else None
        candidates = [
            replace(each, promised=promised.get(each.instance, 0))
            for each in self._candidates()
            if urls.get(each.instance) and each.instance not in silent
        ]
        choice = choose_instance(agent, candidates, active_datacentre=self._active(), owner=owner)
        following = None if choice.instance is None else Next(id=choice.instance, url=urls[choice.instance])
        return Chosen(next=following, reason=choice.reason, is_full=choice.is_full)

    def find(self, instance: InstanceId) -> Next | None:
        """Return an instance that can take agents now; None for any other."""
        for each in self._candidates():
            if each.instance == instance and each.standing is Standing.READY and each.datacentre == self._active():
                registered = self._cluster.members.roll.find(each.datacentre, instance)
                return Next(id=instance, url=registered.node.url) if registered is not None else None
        return None

    async def home_of(self, agent: AgentId) -> Elsewhere | Passive | None:
        """Say where an agent that logs in here should go instead; None: it is welcome here.

        An agent stays where it is while that instance is sound. One whose owner cannot be found out is let in here, and
        its claim waits; so is everybody while nobody can serve for want of a store.
        """
        place = self._cluster.members.place
        if not self.serves:
            return self._not_here(agent)
        if self._cluster.report().stage is not Stage.READY:
            better = self.best_for(agent, without=frozenset({place.instance}))
            return Elsewhere(better) if better is not None else None
        owner = await self._live_owner(agent)
        if owner is None or owner == place.instance:
            return None
        member, there = self._cluster.members.member(owner), self.find(owner)
        if there is None or member is None or member.verdict is not Verdict.ALIVE:
            return None
        return Elsewhere(there)

    def not_serving(self, agent: AgentId) -> Elsewhere | Passive | None:
        """Say where a desktop that arrives with a ticket should go instead; None: here, if only to wait."""
        return None if self.serves else self._not_here(agent)

    async def carried(self, agent: AgentId) -> SessionState | None:
        """Read what an agent's last owner left; None when nothing is there or the store does not say it soon."""
        try:
            async with asyncio.timeout(READ_LIMIT_S):
                return await self._cluster.carries.read(agent)
        except (StoreUnavailable, StoreRefused, TimeoutError):
            return None

    # --- inside

    async def _live_owner(self, agent: AgentId) -> InstanceId | None:
        """Read who has an agent; None for nobody, for one that is gone, and when the store does not say it soon."""
        try:
            async with asyncio.timeout(READ_LIMIT_S):
                record = (await self._cluster.records.agent(agent)).record
        except (StoreUnavailable, StoreRefused, TimeoutError):
            return None
        if record is None or record.owner is None:
            return None
        owner = self._cluster.members.owner(record.owner, record.datacentre, record.incarnation)
        return record.owner if owner.is_live else None

    def _not_here(self, agent: AgentId) -> Elsewhere | Passive | None:
        place = self._cluster.members.place
        if self._wants_store():
            better = self.best_for(agent, without=frozenset({place.instance}) | self._silent())
            return Elsewhere(better) if better is not None else None
        better = self.best_for(agent, without=frozenset({place.instance}))
        if better is None or self._active() not in {"", place.datacentre}:
            return Passive(better, self.epoch)
        return Elsewhere(better)

    def _wants_store(self) -> bool:
        """Say whether only the store is missing for us to serve.

        With another datacentre nobody can say so: it may serve by now, and a desktop finds it only by looking on.
        """
        place = self._cluster.members.place
        return place.other == "" and self._active() == place.datacentre and not self._cluster.members.has_store()

    def _silent(self) -> frozenset[InstanceId]:
        """Name those that were not heard lately. Whose renewals fail is slow to call one of them dead."""
        heard_since_s = self._clock.now_s() - HEARD_S
        return frozenset(each.instance for each in self._cluster.members.members() if each.heard_s < heard_since_s)

    def _active(self) -> str:
        active, _ = self._cluster.members.roll.active()
        return active.datacentre if active is not None and not active.handed_to else ""

    def _entries(self) -> Iterator[InstanceEntry]:
        for each in self._candidates():
            registered = self._cluster.members.roll.find(each.datacentre, each.instance)
            member = self._cluster.members.member(each.instance)
            url = registered.node.url if registered is not None else member.report.address if member is not None else ""
            weight = 0 if each.lacks_link or each.standing is not Standing.READY else each.capacity
            yield InstanceEntry(
                id=each.instance, url=url, datacentre=each.datacentre, state=each.standing, weight=weight
            )

    def _candidates(self) -> Iterator[Candidate]:
        """All instances known: those registered, and those that were heard and are gone."""
        members = self._cluster.members
        registered = {each.instance: each for each in members.roll.registered()}
        for each in registered.values():
            yield self._candidate(each, members.member(each.instance))
        for member in sorted(members.members(), key=lambda one: one.instance):
            if member.instance not in registered:
                yield Candidate(
                    instance=member.instance,
                    datacentre=member.datacentre,
                    standing=Standing.DOWN,
                    sessions=0,
                    capacity=max(1, member.report.capacity),
                )

    def _candidate(self, each: Registered, member: Member | None) -> Candidate:
        place = self._cluster.members.place
        report = self._cluster.report() if each.instance == place.instance else member.report if member else None
        stage = report.stage if report is not None else each.node.stage
        standing = _STANDINGS.get(stage, Standing.JOINING)
        if member is not None and member.verdict is Verdict.DEAD:
            standing = Standing.DOWN
        return Candidate(
            instance=each.instance,
            datacentre=each.datacentre,
            standing=standing,
            sessions=report.sessions if report is not None else 0,
            capacity=max(1, each.node.capacity),
            lacks_link=report is not None and bool(report.links_down),
            is_suspect=member is not None and member.verdict is Verdict.SUSPECT,
        )

    @staticmethod
    def _verdict(registered: Registered | None, member: Member | None) -> WitnessVerdict:
        if registered is None:
            return WitnessVerdict.DEAD if member is not None else WitnessVerdict.UNKNOWN
        if member is None:
            return WitnessVerdict.UNKNOWN
        if member.verdict is Verdict.ALIVE and member.report.stage is Stage.DRAINING:
            return WitnessVerdict.DRAINING
        return WitnessVerdict(member.verdict.value)
