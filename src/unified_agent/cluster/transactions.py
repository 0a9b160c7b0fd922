"""One change of the store as data: what must still be true when it commits, and what is then written.

A decision is made on a view, and a view is always a little old. So each decision carries the conditions it rests on;
the store checks them and writes in one step, and a decision overtaken by events is refused rather than carried out.

Revisions are the store's: one integer that grows with each change anywhere; 0 stands for "the key is absent".

Source: the patterns of the store that was measured: comparing several keys, and an empty range, in one transaction.
"""

from __future__ import annotations

from msgspec import Struct

from unified_agent.domain.ids import InstanceId


class ModifiedAt(Struct, frozen=True, tag="modified-at"):
    """The key was last changed at this revision: nobody touched it since it was read. 0: it is absent."""

    key: str
    revision: int


class CreatedAt(Struct, frozen=True, tag="created-at"):
    """The key was created at this revision: that incarnation of an instance still lives. 0: it is absent."""

    key: str
    revision: int


class NotCreatedAt(Struct, frozen=True, tag="not-created-at"):
    """The key was not created at this revision: that incarnation has ended, by being gone or by another after it."""

    key: str
    revision: int


class NoneUnder(Struct, frozen=True, tag="none-under"):
    """No key begins with this prefix: seen by the store when it commits, not in anybody's view."""

    prefix: str


class NoneNewerUnder(Struct, frozen=True, tag="none-newer-under"):
    """No key that begins with this prefix changed after this revision. A prefix without keys is well."""

    prefix: str
    revision: int


Condition = ModifiedAt | CreatedAt | NotCreatedAt | NoneUnder | NoneNewerUnder


class Put(Struct, frozen=True, tag="put"):
    """Write a value. No record written by a decision is on a lease: it must outlive its writer."""

    key: str
    value: Struct


class Transaction(Struct, frozen=True):
    """All conditions and all writes, or nothing.

    A transaction whose outcome is unknown (the time limit passed) is never repeated: read the keys, decide anew.
    """

    conditions: tuple[Condition, ...]
    writes: tuple[Put, ...]


# Keys, below the one prefix that an installation has in its store.

#: All that every instance watches begins so; claims do not, because they are read when they are wanted.
CLUSTER_PREFIX = "cluster/"
#: Which datacentre is active, and under which epoch.
ACTIVE_KEY = "cluster/active"


def instances_prefix(datacentre: str) -> str:
    """Return what the keys of all live instances of a datacentre begin with."""
    return f"{CLUSTER_PREFIX}node/{datacentre}/"


def instance_key(datacentre: str, instance: InstanceId) -> str:
    """Return the key that lives on an instance's lease; its create revision is the instance's incarnation."""
    return f"{CLUSTER_PREFIX}node/{datacentre}/{instance}"


def listing_prefix(datacentre: str) -> str:
    """Return what the keys of all listings of a datacentre begin with."""
    return f"{CLUSTER_PREFIX}listing/{datacentre}/"


def listing_key(datacentre: str, instance: InstanceId) -> str:
    """Return the key, on no lease, under which an instance lists whom it would ask when it has no store."""
    return f"{CLUSTER_PREFIX}listing/{datacentre}/{instance}"


def ended_prefix(datacentre: str) -> str:
    """Return what the keys of all proofs of a datacentre begin with."""
    return f"{CLUSTER_PREFIX}ended/{datacentre}/"


def ended_key(datacentre: str, instance: InstanceId) -> str:
    """Return the key, on no lease, of the proof that an instance's process has ended; its value is an ``Ended``."""
    return f"{CLUSTER_PREFIX}ended/{datacentre}/{instance}"


class Ended(Struct, frozen=True):
    """All incarnations of an instance up to this one have ended: said by its guardian, or by itself on leaving."""

    incarnation: int


#: What the keys of the claims on all agents begin with.
AGENTS_PREFIX = "agent/"


def agent_key(agent: str) -> str:
    """Return the key of the claim on an agent."""
    return f"{AGENTS_PREFIX}{agent}"


def carry_key(agent: str) -> str:
    """Return the key of what an agent's session leaves to its next owner."""
    return f"carry/{agent}"


def station_key(station: str) -> str:
    """Return the key of the claim on a station."""
    return f"station/{station}"
