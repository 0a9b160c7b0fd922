"""What instances tell each other of themselves and of others, twice a second."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from unified_agent.domain.ids import InstanceId


class Stage(StrEnum):
    """What an instance says of itself."""

    JOINING = "joining"
    READY = "ready"
    DRAINING = "draining"
    FENCED = "fenced"


class Report(Struct, frozen=True, kw_only=True):
    """What an instance tells the others about itself.

    Attributes:
        stage: what it does now.
        address: where desktops reach it, a URL.
        peer_address: where other instances reach it, a URL.
        version: of the program.
        sessions: agents served now.
        capacity: agents it will serve at most.
        has_store: whether its last renewal was confirmed within a third of its lease.
        links_down: links that it should have and has not.
        epoch: of the active datacentre, as it knows it.
    """

    stage: Stage
    address: str
    peer_address: str
    version: str
    sessions: int
    capacity: int
    has_store: bool = True
    links_down: tuple[str, ...] = ()
    epoch: int = 0


class Sighting(Struct, frozen=True):
    """The last sign of life that somebody has of an instance: its incarnation, its heartbeat's number, how old."""

    instance: InstanceId
    incarnation: int
    number: int
    age_s: float


class Heartbeat(Struct, frozen=True, kw_only=True, tag="heartbeat"):
    """What an instance sends to every other each ``beat_interval_s``.

    Attributes:
        instance: the sender.
        datacentre: where it runs.
        incarnation: revision at which its key was created in the store: grows with each start.
        number: 1 for the first of the incarnation, then one more each time.
        report: about itself.
        missed: instances it suspects, with the last it heard of each.
        seen: what it heard later of instances that others miss.
    """

    instance: InstanceId
    datacentre: str
    incarnation: int
    number: int
    report: Report
    missed: tuple[Sighting, ...] = ()
    seen: tuple[Sighting, ...] = ()
