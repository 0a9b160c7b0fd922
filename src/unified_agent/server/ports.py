"""What the server asks of the instance as a whole; made by ``assembly``. Live agents it knows as ``sessions.Host``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from msgspec import Struct

from unified_agent.domain.ids import AgentId, InstanceId
from unified_agent.domain.session_state import SessionState
from unified_agent.domain.topology import Chosen, Elsewhere, Next, Passive, Topology, Witness


class LinkStatus(Struct, frozen=True, kw_only=True):
    """One link for people.

    Attributes:
        kind: ``telephony`` or ``dialler``.
        name: from the settings.
        state: ``up``, ``checking`` or ``down``.
        doing: a sentence: what its loop did last.
        since: RFC 3339, when the state began; empty when not known.
    """

    kind: str
    name: str
    state: str
    doing: str
    since: str = ""


class Whereabouts(Protocol):
    """Where agents live and where desktops may go: made by the cluster's room, or by ``alone``."""

    @property
    def epoch(self) -> int:
        """Of the active datacentre, as known here; 0 for none, and for an instance alone."""
        ...

    @property
    def serves(self) -> bool:
        """Whether this instance may serve agents now."""
        ...

    def why_not(self) -> str:
        """Say why it does not, in a sentence; empty while it does."""
        ...

    def urls(self) -> frozenset[str]:
        """Where desktops reach the other instances: their pages may call us, ours may call them."""
        ...

    def topology(self) -> Topology:
        """Tell desktops where they may go."""
        ...

    def witness(self, instance: InstanceId, agent: AgentId | None) -> Witness:
        """Say what is thought here of an instance that a desktop misses."""
        ...

    def best_for(self, agent: AgentId, *, without: frozenset[InstanceId] = frozenset()) -> Next | None:
        """Choose the instance that should take an agent, among all but some; None when none can."""
        ...

    async def choose(self, agent: AgentId, promised: Mapping[InstanceId, int], *, is_known: bool) -> Chosen:
        """Choose the instance that should take an agent, ours among them: the one that has it, if that will do.

        Args:
            agent: who comes; for somebody who does not say, any text of chance.
            is_known: whether it was said.
            promised: so many agents were sent to an instance lately and may not be counted there yet.
        """
        ...

    def find(self, instance: InstanceId) -> Next | None:
        """Return an instance that can take agents now; None for any other."""
        ...

    async def home_of(self, agent: AgentId) -> Elsewhere | Passive | None:
        """Say where an agent that logs in here should go instead; None: it is welcome here."""
        ...

    def not_serving(self, agent: AgentId) -> Elsewhere | Passive | None:
        """Say where a desktop that arrives with a ticket should go instead; None: it is welcome here."""
        ...

    async def carried(self, agent: AgentId) -> SessionState | None:
        """Read what an agent's last owner left; None when nothing is there, or nobody can be asked."""
        ...


class Instance(Protocol):
    """What is so of this instance as a whole. Made by ``assembly``."""

    @property
    def started(self) -> bool:
        """Whether the start is complete."""
        ...

    @property
    def opening(self) -> bool:
        """Whether a port that should be open is not: the start is complete, but not everybody gets through."""
        ...

    @property
    def draining(self) -> bool:
        """Whether it is on its way out."""
        ...

    def loop_lag_s(self) -> float:
        """Return the latest lateness of the event loop, seconds."""
        ...

    def links(self) -> Iterable[LinkStatus]:
        """Return how each link is."""
        ...
