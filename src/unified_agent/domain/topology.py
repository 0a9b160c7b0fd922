"""The cluster as a desktop needs to know it: where it may go, what others say of an instance that is silent."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from unified_agent.domain.ids import InstanceId
from unified_agent.domain.selection import Standing


class Next(Struct, frozen=True, kw_only=True):
    """Where a desktop is to go: an instance, and the URL at which it reaches it."""

    id: InstanceId
    url: str


class Chosen(Struct, frozen=True, kw_only=True):
    """Which instance should take an agent.

    Attributes:
        next: None when none can.
        reason: why that one, or why none, in a sentence.
        is_full: none can because all are full.
    """

    next: Next | None
    reason: str
    is_full: bool = False


class Elsewhere(Struct, frozen=True):
    """A desktop is to go to another instance, where its agent has a session or would be better off."""

    next: Next


class Passive(Struct, frozen=True):
    """This datacentre is not active, in this epoch; ``next``: where it is, None when nobody serves."""

    next: Next | None
    epoch: int


class InstanceEntry(Struct, frozen=True, kw_only=True):
    """One instance in the topology.

    Attributes:
        state: what it can do for a desktop.
        weight: how much of the load it should get; its capacity, and nothing while a link is missing that others have.
    """

    id: InstanceId
    url: str
    datacentre: str
    state: Standing
    weight: int


class Topology(Struct, frozen=True, kw_only=True):
    """All instances. One with a lower ``(epoch, version)`` never takes the place of a higher one.

    Attributes:
        cluster: its name.
        epoch: of the active datacentre; 0 before there was one.
        version: milliseconds since 1970 at which the instance that tells this last learned something new.
        active: the active datacentre, empty while none is.
        reconnect_window_ms: desktops that lose their instance come back spread over this time.
    """

    cluster: str
    epoch: int
    version: int
    active: str
    reconnect_window_ms: int
    instances: tuple[InstanceEntry, ...]


class WitnessVerdict(StrEnum):
    """What one instance thinks of another, in words for a desktop."""

    ALIVE = "alive"
    SUSPECT = "suspect"
    DEAD = "dead"
    DRAINING = "draining"
    UNKNOWN = "unknown"


class Witness(Struct, frozen=True, kw_only=True):
    """A second opinion on an instance that a desktop misses.

    Attributes:
        instance: the one asked about.
        can_take: the one that answers can take the desktop.
        next: where the desktop should go, if it should; null for nowhere.
    """

    instance: InstanceId
    verdict: WitnessVerdict
    can_take: bool
    next: Next | None
