"""The store of a cluster: etcd v3, by our own thin client on ``grpc.aio``.

Why our own: of the published asyncio clients none passed the fault tests; one loses events after a cut, another loses
leases on a frozen member, a third has no TLS.

Lanes (``etcd_lanes``) keep renewals and watches away from other traffic. Requests beyond ``in_flight_limit`` wait for
their turn; beyond ``waiting_limit`` they are turned away, so that an outage does not fill the memory with waiting.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar

from unified_agent.cluster.stores import etcd_messages as pb
from unified_agent.cluster.stores.base import (
    Committed,
    Conflict,
    DeleteKey,
    Entry,
    Lease,
    LeaseId,
    Outcome,
    PutValue,
    Revision,
    Snapshot,
    Store,
    StoreHealth,
    StoreUnavailable,
    Watch,
    Write,
    check_transaction,
    keys_of,
)
from unified_agent.cluster.stores.etcd_errors import Compacted, LeaseNotFound
from unified_agent.cluster.stores.etcd_keys import Keys
from unified_agent.cluster.stores.etcd_reads import GatheredReads
from unified_agent.cluster.stores.etcd_rpc import Rpc
from unified_agent.cluster.stores.etcd_settings import EtcdSettings
from unified_agent.cluster.stores.etcd_watch import EtcdWatch
from unified_agent.cluster.transactions import (
    Condition,
    CreatedAt,
    ModifiedAt,
    NoneNewerUnder,
    NoneUnder,
    NotCreatedAt,
)
from unified_agent.domain.ports import Chance, Clock

#: A snapshot during which the history is compacted is begun anew, so often.
SNAPSHOT_TRIES = 5


class EtcdStore(Store):
    """One instance's connection to etcd. Made in the loop in which it is used.

    Args:
        settings: endpoints, credentials, limits.
        clock: by which everything is timed.
        chance: for jitter.
    """

    name: ClassVar[str] = "etcd"

    def __init__(self, settings: EtcdSettings, clock: Clock, chance: Chance) -> None:
        self._settings = settings
        self._clock = clock
        self._chance = chance
        self._keys = Keys(settings.prefix)
        self._rpc = Rpc(settings, clock)
        self._reads = GatheredReads(self._read_all, settings.waiting_limit)
        self._turn = asyncio.Semaphore(settings.in_flight_limit)
        self._waiting = 0

    async def get(self, key: str) -> Entry | None:
        """Read one key, with others that are wanted at the same time."""
        return await self._reads.get(key)

    async def _read_all(self, keys: Sequence[str]) -> list[Entry | None]:
        """Read keys in one request, as of one revision."""
        ranges = [pb.RangeRequest(key=self._keys.out(key)) for key in keys]
        async with self._turn_taken():
            if len(ranges) == 1:
                answers = [await self._rpc.read("KV/Range", ranges[0], pb.RangeResponse)]
            else:
                # etcd reads what a transaction without writes names as currently as a single key, and writes no log.
                request = pb.TxnRequest(success=[pb.RequestOp(request_range=each) for each in ranges])
                answer = await self._rpc.read("KV/Txn", request, pb.TxnResponse)
                answers = [each.response_range for each in answer.responses]
        return [self._keys.entry(each.kvs[0]) if each.kvs else None for each in answers]

    async def snapshot(self, prefix: str) -> Snapshot:
        """Read everything below a prefix, page by page, all pages as of the first one's revision."""
        for _ in range(SNAPSHOT_TRIES):
            try:
                return await self._snapshot_once(prefix)
            except Compacted:
                continue
        raise StoreUnavailable("the history is compacted faster than a snapshot can be read")

    async def _snapshot_once(self, prefix: str) -> Snapshot:
        first, end = self._keys.span(prefix)
        entries: dict[str, Entry] = {}
        revision = 0
        while True:
            request = pb.RangeRequest(key=first, range_end=end, limit=self._settings.page_keys, revision=revision)
            async with self._turn_taken():
                answer = await self._rpc.read(
                    "KV/Range", request, pb.RangeResponse, attempt_limit_s=self._settings.page_limit_s
                )
            revision = revision or answer.header.revision
            for kv in answer.kvs:
                entry = self._keys.entry(kv)
                entries[entry.key] = entry
            if not answer.more:
                return Snapshot(prefix=prefix, revision=Revision(revision), entries=entries)
            first = answer.kvs[-1].key + b"\0"

    async def transact(self, conditions: Sequence[Condition], writes: Sequence[Write]) -> Outcome:
        """Make all writes if all conditions hold; tells otherwise what the keys were at that moment."""
        check_transaction(conditions, writes)
        keys = keys_of(conditions)
        request = pb.TxnRequest(
            compare=[self._comparison(condition) for condition in conditions],
            success=[self._operation(write) for write in writes],
            failure=[pb.RequestOp(request_range=pb.RangeRequest(key=self._keys.out(key))) for key in keys],
        )
        async with self._turn_taken():
            try:
                answer = await self._rpc.write("KV/Txn", request, pb.TxnResponse)
            except LeaseNotFound:
                return Conflict(seen={}, lease_ended=True)
        if answer.succeeded:
            return Committed(revision=Revision(answer.header.revision))
        ranges = [response.response_range.kvs for response in answer.responses]
        return Conflict(
            seen={key: self._keys.entry(kvs[0]) if kvs else None for key, kvs in zip(keys, ranges, strict=True)}
        )

    async def grant_lease(self, ttl_s: float) -> Lease:
        """Make a lease of whole seconds."""
        request = pb.LeaseGrantRequest(TTL=max(1, math.ceil(ttl_s)))
        async with self._turn_taken():
            # When an attempt was answered late, its lease is left to end by itself; the last one's time counts.
            sent_at_s = self._clock.now_s()
            answer = await self._rpc.read("Lease/LeaseGrant", request, pb.LeaseGrantResponse)
        return Lease(lease=LeaseId(answer.ID), ttl_s=float(answer.TTL), sent_at_s=sent_at_s)

    async def keep_alive(self, lease: LeaseId) -> Lease | None:
        """Begin the lease's time anew, by the lane of renewals."""
        ttl_s, sent_at_s = await self._rpc.keep_alive(lease)
        return Lease(lease=lease, ttl_s=float(ttl_s), sent_at_s=sent_at_s) if ttl_s > 0 else None

    async def revoke(self, lease: LeaseId) -> None:
        """End a lease now."""
        async with self._turn_taken():
            try:
                await self._rpc.read("Lease/LeaseRevoke", pb.LeaseRevokeRequest(ID=lease), pb.LeaseRevokeResponse)
            except LeaseNotFound:
                return

    def watch(self, prefix: str, after: Revision | None = None) -> Watch:
        """Follow a prefix."""
        return EtcdWatch(
            prefix=prefix,
            after=after,
            take_snapshot=self.snapshot,
            rpc=self._rpc,
            keys=self._keys,
            settings=self._settings,
            clock=self._clock,
            chance=self._chance,
        )

    async def compact(self) -> None:
        """Have etcd forget its history up to now. Servers do that by themselves; this is for tests of watches."""
        latest = await self._rpc.read("KV/Range", pb.RangeRequest(key=self._keys.out("-")), pb.RangeResponse)
        request = pb.CompactionRequest(revision=latest.header.revision, physical=True)
        try:
            await self._rpc.read("KV/Compact", request, pb.CompactionResponse)
        except Compacted:
            return

    def health(self) -> StoreHealth:
        """How it stands, from what was seen last."""
        rpc = self._rpc
        up = rpc.heard_at_s is not None and not rpc.problem
        return StoreHealth(
            up=up,
            heard_at_s=rpc.heard_at_s,
            server=rpc.requests.current,
            failovers=sum(lane.failovers for lane in (rpc.requests, rpc.renewals, rpc.watches)),
            waiting=self._waiting + self._reads.waiting,
            said=rpc.problem or ("etcd answers" if up else "etcd was not asked yet"),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._reads.close()
        await self._rpc.close()

    @asynccontextmanager
    async def _turn_taken(self) -> AsyncIterator[None]:
        if self._waiting >= self._settings.waiting_limit + self._settings.in_flight_limit:
            raise StoreUnavailable(f"{self._waiting} requests wait for etcd already")
        self._waiting += 1
        try:
            try:
                async with asyncio.timeout(self._settings.total_limit_s):
                    await self._turn.acquire()
            except TimeoutError as error:
                raise StoreUnavailable(f"{self._waiting} requests wait for etcd") from error
            try:
                yield
            finally:
                self._turn.release()
        finally:
            self._waiting -= 1

    def _comparison(self, condition: Condition) -> Any:
        match condition:
            case ModifiedAt(key, revision):
                return pb.Compare(key=self._keys.out(key), target=pb.MOD, result=pb.EQUAL, mod_revision=revision)
            case CreatedAt(key, revision):
                return pb.Compare(key=self._keys.out(key), target=pb.CREATE, result=pb.EQUAL, create_revision=revision)
            case NotCreatedAt(key, revision):
                # An absent key counts as made at 0, so this holds for "gone" and for "another one" alike.
                return pb.Compare(
                    key=self._keys.out(key), target=pb.CREATE, result=pb.NOT_EQUAL, create_revision=revision
                )
            case NoneUnder(prefix):
                # Every key of the range must have been made at 0, which none was: holds for an empty range only.
                first, end = self._keys.span(prefix)
                return pb.Compare(key=first, range_end=end, target=pb.CREATE, result=pb.EQUAL, create_revision=0)
            case NoneNewerUnder(prefix, revision):
                first, end = self._keys.span(prefix)
                return pb.Compare(key=first, range_end=end, target=pb.MOD, result=pb.LESS, mod_revision=revision + 1)

    def _operation(self, write: Write) -> Any:
        if isinstance(write, DeleteKey):
            return pb.RequestOp(request_delete_range=pb.DeleteRangeRequest(key=self._keys.out(write.key)))
        assert isinstance(write, PutValue), "there are two kinds of writes"
        put = pb.PutRequest(key=self._keys.out(write.key), value=write.value, lease=write.lease or 0)
        return pb.RequestOp(request_put=put)
