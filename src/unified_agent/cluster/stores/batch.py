"""Many small writes of one instance in few transactions, each write still under its own condition.

Ten thousand single writes a second are beyond what etcd takes one by one (2,300 to 3,700/s measured), and easy for it
a hundred at a time (20,000/s and more). A batch is one transaction, so it needs care:

- Of several values for a key that wait, only the last is sent.
- Every key carries the condition that it is as this instance left it, and every batch the guard of the instance ("my
  incarnation lives"). So a batch that arrives late, from before its sender was fenced or behind its own repetition,
  changes nothing.
- One key that somebody else has changed must not hold up the others: it is reported as lost, and they are sent again.
- After a write whose outcome is unknown the **same** write is sent again, under the same condition. Either it goes
  through, and the first one never will; or the key is found to hold just that, and the first one had gone through.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from unified_agent.cluster.stores.base import (
    ABSENT,
    TRANSACTION_LIMIT,
    Committed,
    Conflict,
    DeleteKey,
    Entry,
    LeaseId,
    PutValue,
    Revision,
    Store,
    StoreRefused,
    StoreUnavailable,
    Write,
    WriteUnknown,
)
from unified_agent.cluster.transactions import CreatedAt, ModifiedAt
from unified_agent.domain.backoff import delay_s
from unified_agent.domain.ports import Chance
from unified_agent.errors import SettingsError
from unified_agent.observe import get_logger, log_event

LOGGER = get_logger("cluster.batch")

#: What may guard a batch: conditions on single keys, which a conflict tells about.
Guard = Sequence[CreatedAt | ModifiedAt]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSettings:
    """How writes are gathered.

    Attributes:
        gather_s: how long the first of a batch waits for others; with jitter of a half, so that instances do not fall
            into step.
        keys_limit: keys in one transaction; with the guard at most TRANSACTION_LIMIT.
        in_flight_limit: transactions on their way at once; more than four brought nothing.
        waiting_limit: keys that wait; beyond it a write to a further key is not taken.
        retry_base_s, retry_cap_s: bounds of the wait after a failure, see ``domain.backoff``.
    """

    gather_s: float = 0.03
    keys_limit: int = 80
    in_flight_limit: int = 4
    waiting_limit: int = 10_000
    retry_base_s: float = 0.1
    retry_cap_s: float = 2.0

    def __post_init__(self) -> None:
        if not 1 <= self.keys_limit <= TRANSACTION_LIMIT - 4:
            raise SettingsError(
                f"keys_limit must be 1 to {TRANSACTION_LIMIT - 4}: conditions of the guard come besides"
            )


class BatchedWriter:
    """Takes writes at once and makes them soon. One task runs ``run``; everything else does not wait.

    Args:
        store: where to.
        guard: conditions of every batch; at most four.
        settings: how writes are gathered.
        chance: for jitter.
        lost: told of a key that is not as we left it (None: it is gone); what waited for it is dropped.
        fenced: told once when the guard failed or a lease ended: this instance must not write any more.
    """

    def __init__(
        self,
        store: Store,
        guard: Guard,
        settings: BatchSettings,
        chance: Chance,
        *,
        lost: Callable[[str, Entry | None], None],
        fenced: Callable[[], None],
    ) -> None:
        assert len(guard) <= 4, "the guard leaves room for the keys"
        self._store = store
        self._guard = tuple(guard)
        self._settings = settings
        self._chance = chance
        self._lost = lost
        self._fenced = fenced
        self._known: dict[str, Revision] = {}
        self._waiting: dict[str, Write] = {}
        self._again: dict[str, Write] = {}
        self._sent: dict[str, Write] = {}
        self._uncertain: set[str] = set()
        self._failures = 0
        self._stopped = False
        self._news = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()

    @property
    def waiting(self) -> int:
        """Keys with something to be written, on its way or not."""
        return len(self._waiting.keys() | self._again.keys() | self._sent.keys())

    def is_waiting(self, key: str) -> bool:
        """Whether something is still to be written for a key."""
        return not self._stopped and (key in self._waiting or key in self._again or key in self._sent)

    def own(self, key: str, revision: Revision) -> None:
        """From now on the key is ours to write, as of that revision: a claim was won. Unknown keys must be absent."""
        self._known[key] = revision

    def forget(self, key: str) -> None:
        """The key is not ours any more: nothing further is sent for it; what is on its way may still be made."""
        self._known.pop(key, None)
        self._uncertain.discard(key)
        for queue in (self._waiting, self._again, self._sent):
            queue.pop(key, None)
        self._look_whether_settled()

    def put(self, key: str, value: bytes, lease: LeaseId | None = None) -> bool:
        """Write a key soon; False: too much waits already, it was not taken."""
        return self._take(PutValue(key, value, lease))

    def delete(self, key: str) -> bool:
        """Remove a key soon; False: too much waits already, it was not taken."""
        return self._take(DeleteKey(key))

    async def settled(self) -> None:
        """Wait until nothing waits, or the writer has stopped."""
        await self._settled.wait()

    async def run(self) -> None:
        """Write what comes, until cancelled or fenced. What was not written then stays unwritten."""
        turns = asyncio.Semaphore(self._settings.in_flight_limit)
        try:
            async with asyncio.TaskGroup() as group:
                while not self._stopped:
                    await self._gather()
                    await turns.acquire()
                    batch = self._next_batch()
                    if not batch or self._stopped:
                        turns.release()
                        continue
                    group.create_task(self._write(batch)).add_done_callback(lambda _: turns.release())
        finally:
            self._stopped = True
            self._settled.set()

    def _take(self, write: Write) -> bool:
        if self._stopped or (self.waiting >= self._settings.waiting_limit and write.key not in self._waiting):
            return False
        self._waiting[write.key] = write
        self._settled.clear()
        self._news.set()
        return True

    async def _gather(self) -> None:
        """Wait until there is something to send and others had time to join it."""
        self._news.clear()
        if not self._sendable() and not self._stopped:
            await self._news.wait()
        if self._failures:
            bounds = {"base_s": self._settings.retry_base_s, "cap_s": self._settings.retry_cap_s}
            await asyncio.sleep(delay_s(self._failures, self._chance, **bounds))
        if self._sendable() < self._settings.keys_limit:
            await asyncio.sleep(self._settings.gather_s * self._chance.uniform(0.75, 1.25))

    def _sendable(self) -> int:
        return len(self._again) + sum(1 for key in self._waiting if key not in self._again and key not in self._sent)

    def _next_batch(self) -> tuple[Write, ...]:
        """Take what is sent next: first what must be repeated, and never a key that is on its way."""
        limit = self._settings.keys_limit
        batch = [self._again.pop(key) for key in list(self._again)[:limit]]
        taken = {write.key for write in batch}
        for key in list(self._waiting):
            if len(batch) == limit:
                break
            if not (key in self._sent or key in self._again or key in taken):
                batch.append(self._waiting.pop(key))
        self._sent.update((write.key, write) for write in batch)
        return tuple(batch)

    async def _write(self, batch: Sequence[Write]) -> None:
        conditions = [*self._guard, *(ModifiedAt(each.key, self._known.get(each.key, ABSENT)) for each in batch)]
        try:
            outcome = await self._store.transact(conditions, batch)
        except WriteUnknown as error:
            self._failed(error)
            writes = self._returned(batch)
            self._uncertain.update(write.key for write in writes)
            self._put_back(writes)
        except (StoreUnavailable, StoreRefused) as error:
            self._failed(error)
            self._put_back(self._returned(batch))
        else:
            self._failures = 0
            if isinstance(outcome, Committed):
                for write in self._returned(batch):
                    self._made(write, outcome.revision)
            else:
                self._sort_out(self._returned(batch), outcome)
        self._look_whether_settled()
        self._news.set()

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        if self._failures == 1:
            log_event(LOGGER, "store_batch_delayed", level="debug", reason=str(error))

    def _returned(self, batch: Sequence[Write]) -> list[Write]:
        """Take a batch off the way; returns those of its writes that were not forgotten meanwhile."""
        writes = [write for write in batch if self._sent.get(write.key) is write]
        for write in writes:
            del self._sent[write.key]
        return writes

    def _put_back(self, writes: Sequence[Write]) -> None:
        """Keep what was not made, or may not have been: as it is when in doubt, else unless something newer waits."""
        for write in writes:
            if write.key in self._uncertain:
                self._again[write.key] = write
            else:
                self._waiting.setdefault(write.key, write)

    def _made(self, write: Write, revision: Revision) -> None:
        """Remember how we left a key."""
        self._uncertain.discard(write.key)
        if isinstance(write, PutValue):
            self._known[write.key] = revision
        else:
            self._known.pop(write.key, None)

    def _sort_out(self, writes: Sequence[Write], conflict: Conflict) -> None:
        """Find out which keys a refused batch was refused for."""
        if conflict.lease_ended or not all(self._guard_holds(each, conflict) for each in self._guard):
            log_event(LOGGER, "store_batch_fenced", level="warning", keys=len(writes))
            self._stopped = True
            self._fenced()
            return
        for write in writes:
            seen = conflict.seen[write.key]
            if (seen.revision if seen else ABSENT) == self._known.get(write.key, ABSENT):
                self._put_back([write])
            elif self._is_done(write, seen):
                self._made(write, seen.revision if seen else ABSENT)
            else:
                log_event(LOGGER, "store_key_lost", level="debug", key=write.key)
                self.forget(write.key)
                self._lost(write.key, seen)

    def _is_done(self, write: Write, seen: Entry | None) -> bool:
        """Whether a key that is not as we left it is as this write would have left it, by an earlier try of it."""
        if isinstance(write, DeleteKey):
            return seen is None
        return write.key in self._uncertain and seen is not None and seen.value == write.value

    @staticmethod
    def _guard_holds(condition: CreatedAt | ModifiedAt, conflict: Conflict) -> bool:
        seen = conflict.seen[condition.key]
        if isinstance(condition, CreatedAt):
            return (seen.created if seen else ABSENT) == condition.revision
        return (seen.revision if seen else ABSENT) == condition.revision

    def _look_whether_settled(self) -> None:
        if self._stopped or not self.waiting:
            self._settled.set()
