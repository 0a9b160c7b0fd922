"""A store that notes how long each request to it takes, and how many there are."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from random import Random
from time import monotonic

from unified_agent.clock import LoopClock
from unified_agent.cluster.stores.base import Entry, Lease, LeaseId, Outcome, Write
from unified_agent.cluster.stores.etcd import EtcdStore
from unified_agent.cluster.stores.etcd_settings import EtcdSettings
from unified_agent.cluster.transactions import Condition


class Times:
    """Shared by all stores of a run.

    Attributes:
        writes_s, reads_s, renewals_s: how long each took that was answered.
        counts: requests, keys written, conflicts.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.writes_s: list[float] = []
        self.reads_s: list[float] = []
        self.renewals_s: list[float] = []

    def clear(self) -> None:
        """Begin anew."""
        self.counts.clear()
        for each in (self.writes_s, self.reads_s, self.renewals_s):
            each.clear()


class TimedStore(EtcdStore):
    """One instance's connection, with the member that is nearest to it."""

    def __init__(self, endpoints: Sequence[str], number: int, times: Times) -> None:
        first = number % len(endpoints)
        settings = EtcdSettings(endpoints=(*endpoints[first:], *endpoints[:first]))
        super().__init__(settings, LoopClock(asyncio.get_running_loop()), Random(number))
        self._times = times

    async def get(self, key: str) -> Entry | None:
        """See ``Store``."""
        self._times.counts["reads"] += 1
        began_s = monotonic()
        entry = await super().get(key)
        self._times.reads_s.append(monotonic() - began_s)
        return entry

    async def transact(self, conditions: Sequence[Condition], writes: Sequence[Write]) -> Outcome:
        """See ``Store``."""
        self._times.counts["writes"] += 1
        self._times.counts["keys"] += len(writes)
        began_s = monotonic()
        outcome = await super().transact(conditions, writes)
        self._times.writes_s.append(monotonic() - began_s)
        self._times.counts[type(outcome).__name__] += 1
        return outcome

    async def keep_alive(self, lease: LeaseId) -> Lease | None:
        """See ``Store``."""
        self._times.counts["renewals"] += 1
        began_s = monotonic()
        renewed = await super().keep_alive(lease)
        self._times.renewals_s.append(monotonic() - began_s)
        return renewed
