"""The in-memory store: for a single instance, and for simulation, where its ``Faults`` are turned at will.

It keeps the same contract as the real one, the unpleasant parts included: a write whose answer is lost, a write that
arrives long after its sender gave up, a watch that finds its history gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from unified_agent.cluster.stores.base import (
    Changes,
    Entry,
    Lease,
    LeaseId,
    Outcome,
    Revision,
    Snapshot,
    Store,
    StoreHealth,
    StoreRefused,
    StoreUnavailable,
    Watch,
    Write,
    WriteUnknown,
    check_transaction,
)
from unified_agent.cluster.stores.memory_engine import MemoryEngine
from unified_agent.cluster.transactions import Condition
from unified_agent.domain.ports import Clock

AnswerT = TypeVar("AnswerT")

#: Revisions told by one ``Watch.next``.
REVISIONS_AT_ONCE = 1_000


@dataclass(slots=True, kw_only=True)
class Faults:
    """What is wrong between one instance and the store. Change the values at any time; ``MemoryStore.woken`` must be
    called after, so that a watch that waits takes notice.

    Attributes:
        down: nothing arrives, nothing comes back.
        deaf: requests arrive, answers do not come back: writes are made, and nobody here knows.
        delay_s: a request's way there and back together. Longer than the store's limit: the sender gives up, and what
            was on its way is done all the same when it arrives.
        refused: the store knows us no more.
        watch_lag_s: watches hear everything so much later than requests are answered, as after a connection that had
            to be made anew.
    """

    down: bool = False
    deaf: bool = False
    delay_s: float = 0.0
    refused: bool = False
    watch_lag_s: float = 0.0


class MemoryStore(Store):
    """One instance's handle on an engine.

    Args:
        engine: shared by all instances of the process.
        clock: the instance's own; None for the engine's.
        request_limit_s: how long a request waits for its answer.
        watch_heartbeat_s: how often a watch without news hears from the store.
    """

    name: ClassVar[str] = "memory"

    def __init__(
        self,
        engine: MemoryEngine,
        *,
        clock: Clock | None = None,
        request_limit_s: float = 1.5,
        watch_heartbeat_s: float = 1.0,
    ) -> None:
        self.engine = engine
        self.clock = clock or engine.clock
        self.faults = Faults()
        self.watch_heartbeat_s = watch_heartbeat_s
        self._request_limit_s = request_limit_s
        self._heard_at_s: float | None = None
        self._up = True
        self._waiting = 0
        self._watches: dict[int, MemoryWatch] = {}

    @property
    def reachable(self) -> bool:
        """Whether an answer would come back now."""
        return not (self.faults.down or self.faults.deaf or self.engine.paused)

    def woken(self) -> None:
        """Have watches look at the faults again."""
        for watch in self._watches.values():
            watch.wake()

    async def get(self, key: str) -> Entry | None:
        """Read one key."""
        return await self._ask(lambda: self.engine.get(key), StoreUnavailable)

    async def snapshot(self, prefix: str) -> Snapshot:
        """Read everything below a prefix."""
        return await self._ask(lambda: self.engine.snapshot(prefix), StoreUnavailable)

    async def transact(self, conditions: Sequence[Condition], writes: Sequence[Write]) -> Outcome:
        """Make all writes if all conditions hold."""
        check_transaction(conditions, writes)
        return await self._ask(lambda: self.engine.transact(conditions, writes), WriteUnknown)

    async def grant_lease(self, ttl_s: float) -> Lease:
        """Make a lease."""
        sent_at_s = self.clock.now_s()
        lease, granted_s = await self._ask(lambda: self.engine.grant(ttl_s), StoreUnavailable)
        return Lease(lease=lease, ttl_s=granted_s, sent_at_s=sent_at_s)

    async def keep_alive(self, lease: LeaseId) -> Lease | None:
        """Begin the lease's time anew."""
        sent_at_s = self.clock.now_s()
        ttl_s = await self._ask(lambda: self.engine.renew(lease), StoreUnavailable)
        return None if ttl_s is None else Lease(lease=lease, ttl_s=ttl_s, sent_at_s=sent_at_s)

    async def revoke(self, lease: LeaseId) -> None:
        """End a lease now."""
        await self._ask(lambda: self.engine.end_lease(lease), StoreUnavailable)

    def watch(self, prefix: str, after: Revision | None = None) -> Watch:
        """Follow a prefix."""
        watch = MemoryWatch(self, prefix, after)
        self._watches[id(watch)] = watch
        return watch

    def health(self) -> StoreHealth:
        """How it stands."""
        said = "the store is this process" if self._up else "the store did not answer"
        return StoreHealth(
            up=self._up,
            heard_at_s=self._heard_at_s,
            server="memory",
            failovers=0,
            waiting=self._waiting,
            said=said,
        )

    async def close(self) -> None:
        """Let go of watches."""
        for watch in list(self._watches.values()):
            await watch.close()

    def heard(self) -> float:
        """Note a sign of the store; returns the moment."""
        self._heard_at_s = self.clock.now_s()
        return self._heard_at_s

    def dropped(self, watch: MemoryWatch) -> None:
        """Forget a watch that was closed."""
        self._watches.pop(id(watch), None)

    async def _ask(self, act: Callable[[], AnswerT], unanswered: type[StoreUnavailable]) -> AnswerT:
        """Travel, act in one step, travel back. ``unanswered``: raised when the request may have been acted on."""
        self._waiting += 1
        self._up = False
        try:
            answer = await self._travel(act, unanswered)
        finally:
            self._waiting -= 1
        self._up = True
        self.heard()
        return answer

    async def _travel(self, act: Callable[[], AnswerT], unanswered: type[StoreUnavailable]) -> AnswerT:
        limit_s = self._request_limit_s
        if self.faults.down or self.engine.paused:
            await asyncio.sleep(limit_s)
            raise StoreUnavailable("the store cannot be reached")
        answered: asyncio.Future[AnswerT] = asyncio.get_running_loop().create_future()
        self._after(self.faults.delay_s / 2, lambda: self._arrive(act, answered))
        try:
            async with asyncio.timeout(limit_s):
                return await answered
        except TimeoutError:
            raise unanswered(f"no answer within {limit_s:.1f} s") from None

    def _arrive(self, act: Callable[[], AnswerT], answered: asyncio.Future[AnswerT]) -> None:
        """Do what was asked, although perhaps nobody waits any more, and send the answer back."""
        if self.faults.down or self.engine.paused:
            return
        if self.faults.refused:
            if not answered.done():
                answered.set_exception(StoreRefused("the store does not know this instance"))
            return
        answer = act()
        self._after(self.faults.delay_s / 2, lambda: self._come_back(answer, answered))

    def _come_back(self, answer: AnswerT, answered: asyncio.Future[AnswerT]) -> None:
        if self.reachable and not answered.done():
            answered.set_result(answer)

    def _after(self, delay_s: float, call: Callable[[], None]) -> None:
        """Call after a way through the network, which takes its time whether or not the instance still runs."""
        self.engine.clock.call_at(self.engine.clock.now_s() + delay_s, call)


class MemoryWatch(Watch):
    """Reads the engine's history from where it stands; waits while the store cannot be reached."""

    def __init__(self, store: MemoryStore, prefix: str, after: Revision | None) -> None:
        self._store = store
        self._prefix = prefix
        self._after = after
        self._heard_at_s = store.clock.now_s()
        self._news = asyncio.Event()
        self._stop_listening = store.engine.listen(self._news.set)

    @property
    def heard_at_s(self) -> float:
        """When the store was last heard here."""
        return self._heard_at_s

    def wake(self) -> None:
        """Look again."""
        self._news.set()

    async def next(self) -> Snapshot | Changes:
        """Wait for what comes next."""
        while True:
            self._news.clear()
            if self._store.reachable and self._store.faults.watch_lag_s:
                await asyncio.sleep(self._store.faults.watch_lag_s)
            if self._store.reachable:
                self._heard_at_s = self._store.heard()
                if self._store.faults.refused:
                    raise StoreRefused("the store does not know this instance")
                told = self._look()
                if told is not None:
                    self._after = told.revision
                    return told
            try:
                async with asyncio.timeout(self._store.watch_heartbeat_s):
                    await self._news.wait()
            except TimeoutError:
                continue
            # Also lets others run when a change follows on a change.
            await asyncio.sleep(self._store.faults.delay_s / 2)

    def _look(self) -> Snapshot | Changes | None:
        engine = self._store.engine
        if self._after is None or self._after < engine.compacted:
            return engine.snapshot(self._prefix)
        while True:
            changes = engine.changes_after(self._prefix, self._after, REVISIONS_AT_ONCE)
            if changes is None or changes.events:
                return changes
            self._after = changes.revision

    async def close(self) -> None:
        """Let go of it."""
        self._stop_listening()
        self._store.dropped(self)
