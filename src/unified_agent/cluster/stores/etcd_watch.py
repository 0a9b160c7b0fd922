"""A watch on etcd that neither loses nor repeats anything, whatever happens to its member.

The place to go on from is the revision of the last event of a **complete** answer. It is never taken from answers to
our own requests for a sign of life: on 3.4.23 such an answer overtook an event of the same revision (seen). Events
from before that place are dropped, because a member that lags, and some old servers, send them again.

Two guards find a watch that is open and dead: the leader we demand (a member cut off from the majority ends the
watch), and silence (a frozen member says nothing).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio

from unified_agent.cluster.stores import etcd_messages as pb
from unified_agent.cluster.stores.base import (
    Changes,
    Entry,
    Removed,
    Revision,
    Snapshot,
    StoreRefused,
    StoreUnavailable,
    Watch,
)
from unified_agent.cluster.stores.etcd_errors import Compacted, TokenEnded, map_error, words_of
from unified_agent.cluster.stores.etcd_keys import Keys
from unified_agent.cluster.stores.etcd_lanes import Endpoint
from unified_agent.cluster.stores.etcd_rpc import Rpc, open_stream
from unified_agent.cluster.stores.etcd_settings import EtcdSettings
from unified_agent.domain.backoff import delay_s
from unified_agent.domain.ports import Chance, Clock
from unified_agent.observe import get_logger, log_event

LOGGER = get_logger("cluster.etcd")


class EtcdWatch(Watch):
    """Pulled by ``next``; between two calls only gRPC's own window is filled."""

    def __init__(
        self,
        *,
        prefix: str,
        after: Revision | None,
        take_snapshot: Callable[[str], Awaitable[Snapshot]],
        rpc: Rpc,
        keys: Keys,
        settings: EtcdSettings,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self._prefix = prefix
        self._after = after
        self._take_snapshot = take_snapshot
        self._rpc = rpc
        self._keys = keys
        self._settings = settings
        self._clock = clock
        self._chance = chance
        self._heard_at_s = clock.now_s()
        self._asked_at_s = clock.now_s()
        self._quiet_from_s = clock.now_s()
        self._fresh_at_s = self._choose_fresh_at_s()
        self._failures = 0
        self._was_refused = False
        self._token = ""
        self._cluster = 0
        self._endpoint: Endpoint | None = None
        self._call: Any = None
        self._reading: asyncio.Task[Any] | None = None
        self._part: list[Entry | Removed] = []

    @property
    def heard_at_s(self) -> float:
        """When the store was last heard here."""
        return self._heard_at_s

    async def next(self) -> Snapshot | Changes:
        """Wait for what comes next."""
        while True:
            try:
                told = await self._step()
            except StoreUnavailable as error:
                await self._drop(str(error))
            except Compacted:
                self._after = None
            else:
                if told is not None:
                    return told

    async def close(self) -> None:
        """End the stream."""
        await self._end_stream()

    async def _step(self) -> Snapshot | Changes | None:
        """Do one thing that may wait."""
        if self._after is None or self._clock.now_s() >= self._fresh_at_s:
            return await self._refresh()
        if self._call is None:
            await self._open()
            return None
        answer = await self._read()
        return None if answer is None else self._take(answer)

    async def _refresh(self) -> Snapshot | None:
        try:
            snapshot = await self._take_snapshot(self._prefix)
        except StoreUnavailable:
            if self._after is None:
                raise
            # It was for safety only; the stream goes on.
            self._fresh_at_s = self._choose_fresh_at_s()
            return None
        # The stream has not got further than the snapshot in what was told; what it still brings of that is dropped.
        if self._after is None:
            await self._end_stream()
        self._heard()
        self._fresh_at_s = self._choose_fresh_at_s()
        self._after = snapshot.revision
        self._part = []
        return snapshot

    def _choose_fresh_at_s(self) -> float:
        return self._clock.now_s() + self._chance.uniform(*self._settings.resnapshot_s)

    async def _open(self) -> None:
        metadata = await self._rpc.metadata()
        self._token = self._rpc.token
        endpoint = await self._rpc.watches.ready(self._clock.now_s() + self._settings.total_limit_s)
        assert self._after is not None, "a watch goes on from somewhere"
        first, end = self._keys.span(self._prefix)
        create = pb.WatchCreateRequest(
            key=first, range_end=end, start_revision=self._after + 1, progress_notify=True, fragment=True
        )
        self._part = []
        self._endpoint = endpoint
        self._call = open_stream(endpoint, "Watch/Watch", pb.WatchRequest, pb.WatchResponse, metadata)
        self._asked_at_s = self._quiet_from_s = self._clock.now_s()
        await self._write(pb.WatchRequest(create_request=create))

    async def _write(self, request: Any) -> None:
        """Send on the stream; a member that takes nothing is as good as silent."""
        try:
            async with asyncio.timeout(self._settings.watch_silence_s):
                await self._call.write(request)
        except TimeoutError as error:
            raise StoreUnavailable("a watch's member takes nothing") from error
        except grpc.aio.AioRpcError as error:
            raise self._lost(error) from error
        except asyncio.InvalidStateError as error:
            raise StoreUnavailable("a watch's stream has ended") from error

    async def _read(self) -> Any:
        """Wait for an answer; None after a while without one, in which a sign of life was asked for."""
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._call.read())
            self._quiet_from_s = self._clock.now_s()
        now_s = self._clock.now_s()
        wait_s = max(0.0, self._asked_at_s + self._settings.watch_ping_s - now_s)
        # asyncio.wait leaves the read alone when it is over; wait_for would cancel it, and the stream with it.
        await asyncio.wait({self._reading}, timeout=wait_s)
        if not self._reading.done():
            return await self._ask_for_life()
        reading, self._reading = self._reading, None
        if reading.cancelled():
            raise StoreUnavailable("a watch's stream was given up")
        try:
            answer = reading.result()
        except grpc.aio.AioRpcError as error:
            raise self._lost(error) from error
        if answer is grpc.aio.EOF:
            raise StoreUnavailable("etcd ended a watch's stream")
        self._heard()
        return answer

    async def _ask_for_life(self) -> None:
        now_s = self._clock.now_s()
        if now_s - self._quiet_from_s >= self._settings.watch_silence_s:
            raise StoreUnavailable(f"a watch's member was silent for {now_s - self._quiet_from_s:.1f} s")
        if now_s - self._asked_at_s >= self._settings.watch_ping_s:
            self._asked_at_s = now_s
            await self._write(pb.WatchRequest(progress_request=pb.WatchProgressRequest()))

    def _take(self, answer: Any) -> Changes | None:
        """Take one answer; returns changes when it completes any."""
        assert self._after is not None, "a watch that is open goes on from somewhere"
        if answer.compact_revision:
            log_event(LOGGER, "store_watch_compacted", prefix=self._prefix, after=self._after)
            raise Compacted
        if answer.canceled:
            raise self._cancelled(answer.cancel_reason)
        if self._cluster and answer.header.cluster_id != self._cluster:
            # The store was set up anew or put back from a copy: its revisions are others.
            log_event(LOGGER, "store_replaced", level="warning", prefix=self._prefix)
            self._cluster = answer.header.cluster_id
            raise Compacted
        self._cluster = answer.header.cluster_id
        self._failures = 0
        self._was_refused = False
        if not answer.events:
            return None
        fresh = (self._keys.event(event) for event in answer.events if event.kv.mod_revision > self._after)
        self._part += fresh
        if answer.fragment or not self._part:
            return None
        events, self._part = tuple(self._part), []
        self._after = events[-1].revision
        return Changes(revision=self._after, events=events)

    def _cancelled(self, reason: str) -> Exception:
        """Say what a watch that etcd ended means: rights, or something that passes."""
        if "permission denied" not in reason and "auth token" not in reason:
            return StoreUnavailable(f"etcd ended a watch: {reason or 'without a reason'}")
        # etcd says the same of a token that ended and of rights that are missing, so a new token is tried once.
        if self._rpc.forget_token(self._token) and not self._was_refused:
            self._was_refused = True
            return StoreUnavailable(f"etcd refused a watch: {reason}")
        self._was_refused = False
        self._forget_stream()
        return StoreRefused(f"etcd refused a watch: {reason}")

    def _lost(self, error: grpc.aio.AioRpcError) -> Exception:
        mapped = map_error(error, is_write=False)
        if isinstance(mapped, StoreRefused):
            self._forget_stream()
            return mapped
        if isinstance(mapped, TokenEnded):
            self._rpc.forget_token(self._token)
        return StoreUnavailable(f"a watch was lost: {words_of(error)}")

    def _heard(self) -> None:
        self._heard_at_s = self._quiet_from_s = self._rpc.heard()

    async def _drop(self, reason: str) -> None:
        """Leave the member and wait before the next one, longer when all of them failed."""
        log_event(LOGGER, "store_watch_interrupted", level="debug", prefix=self._prefix, reason=reason)
        if self._endpoint is not None:
            self._rpc.watches.turn_away(self._endpoint, reason)
        await self._end_stream()
        self._failures += 1
        await asyncio.sleep(self._settings.retry_pause_s)
        rounds = self._failures // len(self._settings.endpoints)
        if rounds:
            await asyncio.sleep(
                delay_s(rounds, self._chance, base_s=self._settings.retry_pause_s, cap_s=self._settings.retry_cap_s)
            )

    def _forget_stream(self) -> None:
        """Cancel the stream without waiting for its end."""
        if self._call is not None:
            self._call.cancel()
        self._call = None
        self._endpoint = None
        self._part = []

    async def _end_stream(self) -> None:
        self._forget_stream()
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
            # Not awaited itself: its cancellation would look like ours.
            await asyncio.wait({reading})
            if not reading.cancelled():
                reading.exception()
