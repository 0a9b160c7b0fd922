"""What the cluster asks of a store, whichever engine is behind it: the contract that ``tests/contract`` reads out.

A store is a map from keys to values with one growing **revision**: every change has a place in one order, and a
change that touches several keys has one revision for all. Keys are text (``node/dc1/a``); values are bytes, which the
store does not look into. Nothing secret goes in: whoever can read the store can read everything.

Errors say who must act; what can be expected to happen (a lost race, a lease that ended) is a value, not an error::

    UnifiedAgentError
    ├── StoreUnavailable        nobody: try again later; a read, or a write that was certainly not made
    │   └── WriteUnknown        the caller: read the keys again, the write may or may not have been made, or still be
    ├── StoreRefused            a person: credentials or rights; do not hammer
    └── LocalProtocolError      we asked for what no store can do: our bug
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import ClassVar, Final, NewType, Self

from unified_agent.cluster.transactions import Condition, ModifiedAt, NoneNewerUnder, NoneUnder
from unified_agent.errors import LocalProtocolError, UnifiedAgentError

#: A place in the order of all changes; grows by each change, also by changes of others.
Revision = NewType("Revision", int)
#: Names a lease; never used again once it ended.
LeaseId = NewType("LeaseId", int)

#: The revision of a key that is not there.
ABSENT: Final = Revision(0)
#: Writes, and conditions, of one transaction. etcd refuses more than 128 of each; room is left for guards.
TRANSACTION_LIMIT: Final = 100
#: A value. etcd refuses requests beyond 1.5 MiB.
VALUE_LIMIT_BYTES: Final = 256 * 1024


class StoreUnavailable(UnifiedAgentError):
    """Temporary: the store cannot be reached, has no quorum, or is overloaded. What was asked was not done."""

    code = "store-unavailable"


class WriteUnknown(StoreUnavailable):
    """The answer to a write is missing: it was made, was not made, or is still on its way and will be made.

    Read the keys and compare with what was meant; never send the same write again without a condition that fails when
    the first one arrives after all.
    """

    code = "store-write-unknown"


class StoreRefused(UnifiedAgentError):
    """Credentials, certificate or rights: a person must act, so do not hammer."""

    code = "store-refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One key as it is.

    Attributes:
        key: without the prefix of the installation.
        value: what was put last.
        created: revision of the change that made the key. It stays while the key lives, and is another one when the key
            is made again: the incarnation of whatever the key stands for.
        revision: of the last change of this key.
        lease: the lease with whose end the key goes, or None.
    """

    key: str
    value: bytes = field(repr=False)
    created: Revision
    revision: Revision
    lease: LeaseId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A key went, by a delete or with its lease. Attributes: ``revision``: of the change that removed it."""

    key: str
    revision: Revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything below a prefix at one revision; it takes the place of whatever the reader believed before.

    Attributes:
        prefix: what was asked.
        revision: all changes up to this one are in it, and no later one is.
        entries: by key, in the order of keys.
    """

    prefix: str
    revision: Revision
    entries: Mapping[str, Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What happened next below a prefix.

    Attributes:
        revision: all changes up to this one are told; whole revisions only, so a transaction is never seen by halves.
        events: in the order in which they happened.
    """

    revision: Revision
    events: tuple[Entry | Removed, ...]


# --- what a transaction does and how it ends; its conditions are those of ``cluster.transactions``


@dataclass(frozen=True, slots=True)
class PutValue:
    """Set a key. With a lease the key goes when that ends; without one a lease it had is taken off it."""

    key: str
    value: bytes = field(repr=False)
    lease: LeaseId | None = None


@dataclass(frozen=True, slots=True)
class DeleteKey:
    """Remove a key; harmless when it is not there."""

    key: str


Write = PutValue | DeleteKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """All writes were made, together. Attributes: ``revision``: of all keys put by it."""

    revision: Revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Nothing was written.

    Attributes:
        seen: the keys named in the conditions as they were at the moment of the decision (None: absent), read in the
            same atomic step. Prefixes are not among them.
        lease_ended: a put named a lease that is no more; ``seen`` is then empty.
    """

    seen: Mapping[str, Entry | None]
    lease_ended: bool = False


Outcome = Committed | Conflict


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A lease as last confirmed.

    Attributes:
        lease: its name.
        ttl_s: what the store granted, which may be more than was asked (etcd: at least 1.5 × its election timeout).
        sent_at_s: on the caller's clock, when the request was **sent** that the store confirmed. The store cannot have
            begun to count earlier, so the holder is safe until ``sent_at_s + ttl_s``, less a margin for its own pauses.
    """

    lease: LeaseId
    ttl_s: float
    sent_at_s: float

    @property
    def ends_at_s(self) -> float:
        """The earliest moment, on the caller's clock, at which the store may let others have its keys."""
        return self.sent_at_s + self.ttl_s


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreHealth:
    """For the health page.

    Attributes:
        up: whether the last request was answered.
        heard_at_s: when the store last answered anything, on the store's clock; None: never.
        server: the endpoint that is asked now.
        failovers: how often another endpoint was turned to.
        waiting: requests on their way or waiting for their turn.
        said: one sentence.
    """

    up: bool
    heard_at_s: float | None
    server: str
    failovers: int
    waiting: int
    said: str


class Watch(ABC):
    """Tells what happens below a prefix, from one revision on, without gap and without repeating anything.

    Reading is pulled: nothing is buffered here beyond one answer, and a reader that stops reading makes the store keep
    the rest. A reader that stays away too long finds a snapshot. An outage of any length is survived inside.
    """

    @property
    @abstractmethod
    def heard_at_s(self) -> float:
        """When the store was last heard on this watch, by the store's clock, with or without news.

        While somebody reads, a value older than the watchdog means that what is known is stale: claim nothing, take
        over nothing. Before the first sign it is the moment at which the watch was made.
        """

    @abstractmethod
    async def next(self) -> Snapshot | Changes:
        """Wait for what comes next; safe to cancel, nothing is lost then.

        Returns:
            ``Changes`` that follow on what was told before; or a ``Snapshot`` that takes its place: at the beginning,
            unless a revision was given; when the store forgot what lies between; and now and then for safety.

        Raises:
            StoreRefused: rights are missing. The watch is intact: calling again tries again, so wait before.
        """

    @abstractmethod
    async def close(self) -> None:
        """Let go of it; ``next`` must not be waiting."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        await self.close()


class Store(ABC):
    """One store. Every method is limited in time by the store's settings and may be cancelled.

    Every method raises StoreUnavailable and StoreRefused; methods that write raise WriteUnknown besides. A read that
    fails is repeated inside, on other endpoints, until its limit; a write is sent again only when it is certain that
    the first one was not made.
    """

    name: ClassVar[str]

    @abstractmethod
    async def get(self, key: str) -> Entry | None:
        """Read one key.

        Atomic: the answer holds every change that was confirmed to anybody before this was called (linearizable).
        """

    @abstractmethod
    async def snapshot(self, prefix: str) -> Snapshot:
        """Read everything below a prefix ("" for all), however much it is.

        Atomic: all of it as of one revision, not older than any change confirmed before this was called.
        """

    @abstractmethod
    async def transact(self, conditions: Sequence[Condition], writes: Sequence[Write]) -> Outcome:
        """Make all writes if all conditions hold, else none.

        Atomic: conditions are judged and writes made in one step, in which nobody else can write; all writes get the
        same revision. Without conditions it is always made.

        Raises:
            WriteUnknown: see there.
            LocalProtocolError: a key is written twice, a value or the list is too long (TRANSACTION_LIMIT).
        """

    async def put_if(self, key: str, value: bytes, revision: Revision, lease: LeaseId | None = None) -> Outcome:
        """Put a key if its last change is ``revision`` (ABSENT: if it is not there). Atomic as ``transact``."""
        return await self.transact([ModifiedAt(key, revision)], [PutValue(key, value, lease)])

    async def delete_if(self, key: str, revision: Revision) -> Outcome:
        """Delete a key if its last change is ``revision``. Atomic as ``transact``."""
        return await self.transact([ModifiedAt(key, revision)], [DeleteKey(key)])

    @abstractmethod
    async def grant_lease(self, ttl_s: float) -> Lease:
        """Make a lease of at least ``ttl_s``, rounded up to what the store can do.

        Atomic: the lease is there before the answer comes. When the answer is lost, a lease that nobody knows is left,
        which ends by itself.
        """

    @abstractmethod
    async def keep_alive(self, lease: LeaseId) -> Lease | None:
        """Begin the lease's time anew; None when it is no more: stop acting at once.

        Goes by its own connections, so that no other traffic holds it up; each attempt has a short limit and the next
        endpoint is tried then. After StoreUnavailable the lease may or may not have been renewed: go by the last one
        that was confirmed.
        """

    @abstractmethod
    async def revoke(self, lease: LeaseId) -> None:
        """End a lease now; harmless when it ended already. StoreUnavailable: it may have ended or not.

        Atomic: the lease and all keys on it go in one revision.
        """

    @abstractmethod
    def watch(self, prefix: str, after: Revision | None = None) -> Watch:
        """Follow a prefix.

        Args:
            prefix: "" for everything.
            after: tell what happened after this revision, usually that of a snapshot; None begins with a snapshot.
        """

    @abstractmethod
    def health(self) -> StoreHealth:
        """How it stands, from what was seen last; asks nobody."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of every connection; nothing may be asked afterwards. Leases are left to end by themselves."""


def check_transaction(conditions: Sequence[Condition], writes: Sequence[Write]) -> None:
    """Refuse what no store can do, before it is sent.

    Raises:
        LocalProtocolError: see ``Store.transact``.
    """
    if len(writes) > TRANSACTION_LIMIT or len(conditions) > TRANSACTION_LIMIT:
        raise LocalProtocolError(
            f"a transaction of {len(conditions)} conditions and {len(writes)} writes; the limit is {TRANSACTION_LIMIT}"
        )
    keys = [write.key for write in writes]
    if len(set(keys)) != len(keys):
        raise LocalProtocolError("a transaction that writes a key twice")
    for write in writes:
        if not write.key:
            raise LocalProtocolError("a key must not be empty")
        if isinstance(write, PutValue) and len(write.value) > VALUE_LIMIT_BYTES:
            raise LocalProtocolError(f"a value of {len(write.value)} bytes at {write.key}")


def keys_of(conditions: Sequence[Condition]) -> tuple[str, ...]:
    """Return the single keys that conditions name, each once, in order: what ``Conflict.seen`` tells of."""
    return tuple(dict.fromkeys(each.key for each in conditions if not isinstance(each, NoneUnder | NoneNewerUnder)))
