"""What operators ask of the cluster through any instance of it, and what they are told; made by ``assembly``.

The records are the JSON of ``cluster_api`` and of ``unified-agent cluster`` at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, Protocol

from msgspec import Struct

from unified_agent.domain.ids import AgentId, InstanceId

#: Letters of a digest in a confirmation: enough that a word of yesterday never fits by chance.
_DIGEST_LETTERS: Final = 8


class InstanceState(StrEnum):
    """What an instance does: what it says itself, or ``down`` for one that is known and gone."""

    READY = "ready"
    DRAINING = "draining"
    JOINING = "joining"
    FENCED = "fenced"
    DOWN = "down"


class Verdict(StrEnum):
    """What the answering instance thinks of another, by the heartbeats it hears."""

    ALIVE = "alive"
    SUSPECT = "suspect"
    DEAD = "dead"


class Decision(StrEnum):
    """What the answering instance has decided about its own datacentre."""

    STAY = "stay"
    PREPARE = "prepare"
    SERVE = "serve"


class Kind(StrEnum):
    """How a datacentre becomes active: nothing to do, both sides live, the other side is dead, none ever was active."""

    NOTHING = "nothing"
    SWITCH = "switch"
    TAKE_OVER = "take-over"
    FIRST = "first"


class DrainStatus(Struct, kw_only=True, frozen=True):
    """How far an instance is with its agents.

    Attributes:
        left: agents it still has.
        moved: agents that others have taken since the drain began.
        waiting_for_items: of those left, agents who finish a dialler's record first.
    """

    left: int
    moved: int
    waiting_for_items: int


class InstanceStatus(Struct, kw_only=True, frozen=True):
    """One instance, as the answering one sees it.

    Attributes:
        state: what it does.
        verdict: what its heartbeats say; ``alive`` for the answering instance itself.
        verdict_reason: in a sentence; empty when there is nothing to say.
        since: RFC 3339, when the verdict was reached; empty when not known.
        heard_s: seconds since its last sign of life; null for the answering instance, and for one never heard.
        version: of the program.
        sessions: agents served now.
        capacity: agents served at most.
        has_store: its last renewal was confirmed within a third of its lease.
        links_down: links that it should have and has not.
        url: where desktops reach it.
        incarnation: grows with each start and each lost lease.
        epoch: of the active datacentre, as it knows it.
        is_me: it is the answering instance.
        drain: how far its drain is; null when it is not draining.
    """

    id: InstanceId
    datacentre: str
    state: InstanceState
    verdict: Verdict
    version: str
    sessions: int
    capacity: int
    url: str
    incarnation: int
    epoch: int
    verdict_reason: str = ""
    since: str = ""
    heard_s: float | None = None
    has_store: bool = True
    links_down: tuple[str, ...] = ()
    is_me: bool = False
    drain: DrainStatus | None = None


class StoreStatus(Struct, kw_only=True, frozen=True):
    """The shared store, as the answering instance reaches it.

    Attributes:
        up: it answers.
        said: in a sentence, what it said last.
        heard_s: seconds since it was last heard; null for never, and where there is none.
    """

    up: bool
    said: str
    heard_s: float | None = None


class ActivationStatus(Struct, kw_only=True, frozen=True):
    """What the answering instance has decided about its own datacentre, and why, in a sentence."""

    decision: Decision
    reason: str


class KeysStatus(Struct, kw_only=True, frozen=True):
    """The cluster's keys by their ids: the one that seals, and all that open."""

    current: str = ""
    known: tuple[str, ...] = ()


class ClusterStatus(Struct, kw_only=True, frozen=True):
    """The cluster, as one instance sees it.

    Attributes:
        cluster: its name.
        now: RFC 3339, the answering instance's clock.
        datacentre: where the answering instance runs.
        datacentres: all of them, the primary first.
        epoch: of the active datacentre; grows by one with every change of it.
        active: the active datacentre; empty while there is none, and while it is being handed over.
        active_since: RFC 3339, when the answering instance first saw that epoch; empty when not known.
        active_reason: why it became active, in a sentence.
        handed_to: datacentre it is being handed to; empty in normal times.
        has_witness: the store has members at a third site, so that a lost datacentre is replaced without a person.
        activation: what the answering instance has decided.
        store: how the answering instance reaches it.
        instances: all that are known, the answering one among them.
        keys: of the answering instance.
    """

    cluster: str
    now: str
    datacentre: str
    epoch: int
    active: str
    activation: ActivationStatus
    store: StoreStatus
    instances: tuple[InstanceStatus, ...]
    datacentres: tuple[str, ...] = ()
    active_since: str = ""
    active_reason: str = ""
    handed_to: str = ""
    has_witness: bool = True
    keys: KeysStatus = KeysStatus()


class Affected(Struct, kw_only=True, frozen=True):
    """A live instance, and what becoming active or passive means for it, in a sentence."""

    id: InstanceId
    datacentre: str
    state: InstanceState
    incarnation: int
    sessions: int
    becomes: str


class ActivationPlan(Struct, kw_only=True, frozen=True):
    """What would happen if a datacentre were made active now.

    Attributes:
        datacentre: that would be active.
        kind: how.
        epoch: in force now.
        active: the active datacentre now; empty for none.
        says: what would happen, in a sentence.
        hinders: what stands in the way, each in a sentence; empty when it can be ordered.
        agents: how many would be logged in anew.
        instances: every live instance.
        confirm: the word to send back. It stands for exactly this situation; empty when there is nothing to confirm.
    """

    datacentre: str
    kind: Kind
    epoch: int
    active: str
    says: str
    hinders: tuple[str, ...]
    agents: int
    instances: tuple[Affected, ...]
    confirm: str


class Moving(Struct, kw_only=True, frozen=True):
    """An agent is being moved: the desktop has been told where to go, and goes there."""

    agent: AgentId
    source: InstanceId
    target: InstanceId


class ClusterOperations(Protocol):
    """What an instance that is part of a cluster does for operators. Each raises ``RequestRefused`` instead.

    An order that concerns another instance is sent there: ``cluster.unreachable`` when no answer comes.
    """

    async def status(self) -> ClusterStatus:
        """Tell how the cluster is, as seen from here. Never refused."""
        ...

    async def drain(self, name: InstanceId, rate_per_s: float | None) -> None:
        """Have an instance move all its agents to others and take no new ones. Returns once it has begun.

        Args:
            name: the instance. One that drains already goes on, at the new rate.
            rate_per_s: agents moved a second; None for the setting.

        Raises:
            RequestRefused: ``cluster.no-such-instance``, ``cluster.unreachable``.
        """
        ...

    async def resume(self, name: InstanceId) -> None:
        """Have an instance take agents again; those who have left stay where they are.

        Raises:
            RequestRefused: ``cluster.no-such-instance``, ``cluster.unreachable``.
        """
        ...

    async def move(self, agent: AgentId, to: InstanceId | None) -> Moving:
        """Have one agent moved. Returns once the desktop has been told.

        Args:
            agent: who.
            to: the instance that gets the agent; None leaves the choice to the cluster.

        Raises:
            RequestRefused: ``agent.not-logged-in``, ``agent.in-item``, ``cluster.no-such-instance``,
                ``cluster.unreachable``, ``instance.full``, ``instance.draining``.
        """
        ...

    async def plan_activation(self, datacentre: str) -> ActivationPlan:
        """Say what would happen if a datacentre were made active; nothing is changed.

        Raises:
            RequestRefused: ``cluster.no-such-datacentre``.
        """
        ...

    async def activate(self, datacentre: str, confirm: str) -> None:
        """Order it. Returns once an instance of that datacentre has taken the order.

        Args:
            datacentre: that is to be active.
            confirm: the word of the plan that a person has seen; what carries the order out may check it again.

        Raises:
            RequestRefused: ``activation.refused``, ``activation.confirm``, ``cluster.no-such-datacentre``,
                ``cluster.unreachable``.
        """
        ...


def confirmation(datacentre: str, kind: Kind, epoch: int, instances: Iterable[Affected]) -> str:
    """Make the word that stands for one situation, and for no other.

    Args:
        datacentre: that would be active.
        kind: how.
        epoch: in force now.
        instances: every live instance, in any order. How many agents each has is left out: it changes by the second.
    """
    living = sorted(f"{each.id} {each.datacentre} {each.incarnation} {each.state}" for each in instances)
    digest = hashlib.sha256("\n".join((kind, *living)).encode()).hexdigest()
    return f"{datacentre}-{epoch}-{digest[:_DIGEST_LETTERS]}"
