"""The server half of the in-memory store: one order of revisions, leases, a bounded history.

Several ``MemoryStore`` handles on one engine are several instances on one store; all run in one process and one event
loop. It is as durable as that process.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from unified_agent.cluster.stores.base import (
    Changes,
    Committed,
    Conflict,
    DeleteKey,
    Entry,
    LeaseId,
    Outcome,
    PutValue,
    Removed,
    Revision,
    Snapshot,
    Write,
    check_transaction,
    keys_of,
)
from unified_agent.cluster.transactions import (
    Condition,
    CreatedAt,
    ModifiedAt,
    NoneNewerUnder,
    NoneUnder,
    NotCreatedAt,
)
from unified_agent.domain.ports import Clock, Timer


@dataclass(slots=True)
class _Held:
    """A lease and its keys. Attributes: ``ends_at_s``: on the engine's clock; ``timer``: None while it is paused."""

    ttl_s: float
    ends_at_s: float
    keys: dict[str, None] = field(default_factory=dict)
    timer: Timer | None = None


class MemoryEngine:
    """Decides as one etcd cluster would. Synchronous: each method is one atomic step.

    Args:
        clock: by which leases end.
        history_limit: revisions kept for watches that come back; older ones are compacted away.
        lease_floor_s: the shortest lease that is granted, as a real cluster has one.
        election_s: added to every lease by ``resume``, as a new leader does.
    """

    def __init__(
        self, clock: Clock, *, history_limit: int = 10_000, lease_floor_s: float = 2.0, election_s: float = 1.0
    ) -> None:
        assert history_limit > 0, "watches need some history"
        self.clock = clock
        self._history: deque[Changes] = deque()
        self._history_limit = history_limit
        self._lease_floor_s = lease_floor_s
        self._election_s = election_s
        self._revision = Revision(1)
        self._compacted = Revision(0)
        self._entries: dict[str, Entry] = {}
        self._leases: dict[LeaseId, _Held] = {}
        self._last_lease = 0
        self._listeners: dict[int, Callable[[], None]] = {}
        self._last_listener = 0
        self._paused = False

    @property
    def revision(self) -> Revision:
        """Of the last change."""
        return self._revision

    @property
    def compacted(self) -> Revision:
        """Changes after this revision can still be told."""
        return self._compacted

    @property
    def paused(self) -> bool:
        """Whether it has no quorum: nothing is answered, no lease ends."""
        return self._paused

    # --- data

    def get(self, key: str) -> Entry | None:
        """Return one entry."""
        return self._entries.get(key)

    def snapshot(self, prefix: str) -> Snapshot:
        """Return what lies below a prefix now."""
        entries = {key: self._entries[key] for key in sorted(self._entries) if key.startswith(prefix)}
        return Snapshot(prefix=prefix, revision=self._revision, entries=entries)

    def transact(self, conditions: Sequence[Condition], writes: Sequence[Write]) -> Outcome:
        """Make all writes or none."""
        check_transaction(conditions, writes)
        if not all(self._holds(condition) for condition in conditions):
            return Conflict(seen={key: self._entries.get(key) for key in keys_of(conditions)})
        if any(
            isinstance(each, PutValue) and each.lease is not None and each.lease not in self._leases for each in writes
        ):
            return Conflict(seen={}, lease_ended=True)
        revision = Revision(self._revision + 1)
        events: list[Entry | Removed] = []
        for write in writes:
            if isinstance(write, DeleteKey):
                events += self._remove(write.key, revision)
            else:
                events.append(self._put(write, revision))
        self._record(revision, events)
        return Committed(revision=self._revision)

    def _holds(self, condition: Condition) -> bool:
        if isinstance(condition, NoneUnder):
            return not any(key.startswith(condition.prefix) for key in self._entries)
        if isinstance(condition, NoneNewerUnder):
            below = (entry for key, entry in self._entries.items() if key.startswith(condition.prefix))
            return all(entry.revision <= condition.revision for entry in below)
        entry = self._entries.get(condition.key)
        if isinstance(condition, ModifiedAt):
            return (entry.revision if entry else 0) == condition.revision
        if isinstance(condition, CreatedAt):
            return (entry.created if entry else 0) == condition.revision
        assert isinstance(condition, NotCreatedAt), "every condition is judged"
        return (entry.created if entry else 0) != condition.revision

    def _put(self, write: PutValue, revision: Revision) -> Entry:
        before = self._entries.get(write.key)
        self._detach(before)
        created = before.created if before else revision
        entry = Entry(key=write.key, value=write.value, created=created, revision=revision, lease=write.lease)
        self._entries[write.key] = entry
        if write.lease is not None:
            self._leases[write.lease].keys[write.key] = None
        return entry

    def _remove(self, key: str, revision: Revision) -> list[Entry | Removed]:
        before = self._entries.pop(key, None)
        if before is None:
            return []
        self._detach(before)
        return [Removed(key=key, revision=revision)]

    def _detach(self, entry: Entry | None) -> None:
        if entry is not None and entry.lease is not None and entry.lease in self._leases:
            self._leases[entry.lease].keys.pop(entry.key, None)

    def _record(self, revision: Revision, events: list[Entry | Removed]) -> None:
        if not events:
            return
        self._revision = revision
        self._history.append(Changes(revision=revision, events=tuple(events)))
        while len(self._history) > self._history_limit:
            self._compacted = self._history.popleft().revision
        for wake in tuple(self._listeners.values()):
            wake()

    # --- history

    def changes_after(self, prefix: str, revision: Revision, limit: int) -> Changes | None:
        """Return up to ``limit`` revisions that follow, filtered; None when there is nothing after ``revision``.

        ``revision`` must not lie before ``compacted``.
        """
        assert revision >= self._compacted, "what was compacted cannot be told"
        told: list[Entry | Removed] = []
        last = revision
        for changes in self._history:
            if changes.revision <= revision:
                continue
            if limit == 0:
                break
            limit -= 1
            last = changes.revision
            told += [event for event in changes.events if event.key.startswith(prefix)]
        return Changes(revision=last, events=tuple(told)) if last > revision else None

    def compact(self, revision: Revision | None = None) -> None:
        """Forget the history up to and with a revision; None: all of it."""
        upto = self._revision if revision is None else min(revision, self._revision)
        while self._history and self._history[0].revision <= upto:
            self._history.popleft()
        self._compacted = max(self._compacted, upto)
        for wake in tuple(self._listeners.values()):
            wake()

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Have ``wake`` called after every change; returns what ends that."""
        self._last_listener += 1
        number = self._last_listener
        self._listeners[number] = wake

        def stop() -> None:
            self._listeners.pop(number, None)

        return stop

    # --- leases

    def grant(self, ttl_s: float) -> tuple[LeaseId, float]:
        """Make a lease; returns it and its time in seconds, whole ones as etcd has them."""
        self._last_lease += 1
        lease = LeaseId(self._last_lease)
        granted_s = float(math.ceil(max(ttl_s, self._lease_floor_s)))
        self._leases[lease] = _Held(ttl_s=granted_s, ends_at_s=0.0)
        self._arm(lease, granted_s)
        return lease, granted_s

    def renew(self, lease: LeaseId) -> float | None:
        """Begin its time anew; returns that time, None when it is no more."""
        held = self._leases.get(lease)
        if held is None:
            return None
        self._arm(lease, held.ttl_s)
        return held.ttl_s

    def end_lease(self, lease: LeaseId) -> None:
        """Revoke it, or let it be lost: it and its keys go in one revision."""
        held = self._leases.pop(lease, None)
        if held is None:
            return
        if held.timer is not None:
            held.timer.cancel()
        revision = Revision(self._revision + 1)
        events: list[Entry | Removed] = []
        for key in held.keys:
            events += self._remove(key, revision)
        self._record(revision, events)

    def _arm(self, lease: LeaseId, for_s: float) -> None:
        held = self._leases[lease]
        if held.timer is not None:
            held.timer.cancel()
        held.ends_at_s = self.clock.now_s() + for_s
        held.timer = None if self._paused else self.clock.call_at(held.ends_at_s, lambda: self.end_lease(lease))

    # --- the cluster as a whole

    def pause(self) -> None:
        """Lose the quorum: handles get no answer, and no lease ends, because there is no leader to end it."""
        self._paused = True
        for held in self._leases.values():
            if held.timer is not None:
                held.timer.cancel()
                held.timer = None

    def resume(self) -> None:
        """Get a new leader, which gives every lease its whole time again and the length of an election besides."""
        self._paused = False
        for lease, held in self._leases.items():
            self._arm(lease, held.ttl_s + self._election_s)
        for wake in tuple(self._listeners.values()):
            wake()
