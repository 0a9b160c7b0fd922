"""The port ``Whereabouts`` of an instance that is alone: every agent lives here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from unified_agent.domain.ids import AgentId, InstanceId
from unified_agent.domain.selection import Standing
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


class Alone:
    """One instance, for ever ready.

    Args:
        name: of the cluster that it would be part of.
        instance, datacentre: itself.
        url: gives where desktops reach it.
        capacity: sessions it takes.
        reconnect_window_ms: desktops that lose it come back spread over this time.
        is_draining: whether it is on its way out.
        sessions: gives how many agents it serves.
    """

    epoch = 0
    serves = True

    def __init__(
        self,
        name: str,
        instance: InstanceId,
        datacentre: str,
        url: Callable[[], str],
        *,
        capacity: int,
        reconnect_window_ms: int,
        is_draining: Callable[[], bool],
        sessions: Callable[[], int] = lambda: 0,
    ) -> None:
        self._name = name
        self._instance = instance
        self._datacentre = datacentre
        self._url = url
        self._capacity = capacity
        self._window_ms = reconnect_window_ms
        self._is_draining = is_draining
        self._sessions = sessions

    def why_not(self) -> str:
        """It always serves."""
        return ""

    def urls(self) -> frozenset[str]:
        """Only our own pages may call us, which they may anyhow."""
        return frozenset()

    def topology(self) -> Topology:
        """Tell of ourselves."""
        draining = self._is_draining()
        entry = InstanceEntry(
            id=self._instance,
            url=self._url(),
            datacentre=self._datacentre,
            state=Standing.DRAINING if draining else Standing.READY,
            weight=self._capacity,
        )
        return Topology(
            cluster=self._name,
            epoch=self.epoch,
            version=int(draining),
            active=self._datacentre,
            reconnect_window_ms=self._window_ms,
            instances=(entry,),
        )

    def witness(self, instance: InstanceId, agent: AgentId | None) -> Witness:
        """We know of nobody else."""
        del agent
        verdict = WitnessVerdict.ALIVE if instance == self._instance else WitnessVerdict.UNKNOWN
        return Witness(instance=instance, verdict=verdict, can_take=False, next=None)

    def best_for(self, agent: AgentId, *, without: frozenset[InstanceId] = frozenset()) -> Next | None:
        """There is nobody else."""
        del agent, without
        return None

    async def choose(self, agent: AgentId, promised: Mapping[InstanceId, int], *, is_known: bool) -> Chosen:
        """Choose ourselves, unless we cannot."""
        del agent, promised, is_known
        if self._is_draining():
            return Chosen(next=None, reason="the only instance is being stopped")
        if self._sessions() >= self._capacity:
            return Chosen(next=None, reason="the only instance is full", is_full=True)
        return Chosen(next=Next(id=self._instance, url=self._url()), reason="it is the only one")

    def find(self, instance: InstanceId) -> Next | None:
        """There is nobody else."""
        del instance
        return None

    async def home_of(self, agent: AgentId) -> Elsewhere | Passive | None:
        """Everybody is welcome here."""
        del agent
        return None

    def not_serving(self, agent: AgentId) -> Elsewhere | Passive | None:
        """We serve."""
        del agent
        return None

    async def carried(self, agent: AgentId) -> SessionState | None:
        """Nobody left anything."""
        del agent
        return None
