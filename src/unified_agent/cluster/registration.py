"""Our own key in the store: made, renewed twice a second, changed with what we do, made anew when its lease is lost.

One loop, which waits for nothing else and shares no connection with other traffic, so that nothing keeps a renewal
waiting. A lease that is lost is never used again: the next registration begins a new life (``lives``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from unified_agent.cluster import tenure
from unified_agent.cluster.ending import prove_end
from unified_agent.cluster.guarded import Guarded
from unified_agent.cluster.heartbeats import Stage
from unified_agent.cluster.lives import Life, Lives
from unified_agent.cluster.stores.base import (
    ABSENT,
    Committed,
    Conflict,
    PutValue,
    Revision,
    Store,
    StoreRefused,
    StoreUnavailable,
)
from unified_agent.cluster.transactions import CreatedAt, instance_key
from unified_agent.cluster.values import Node, read_value, write_value
from unified_agent.domain.ids import InstanceId
from unified_agent.domain.ports import Clock
from unified_agent.errors import RemoteProtocolError
from unified_agent.history import Ended, History, Registered
from unified_agent.observe import get_logger, log_event

LOGGER: Final = get_logger("cluster.registration")

#: Between two renewals of the lease; it counts fully against the time that may pass without one.
RENEWAL_INTERVAL_S: Final = 0.5
#: After a failed renewal; the attempt itself has had its limit.
RENEWAL_RETRY_S: Final = 0.1
#: After a failed registration, and after the store has refused us.
RETRY_S: Final = 0.5
REFUSED_RETRY_S: Final = 5.0
#: Leaving in good order may take so long.
_LEAVE_LIMIT_S: Final = 3.0


@dataclass(slots=True, kw_only=True)
class Place:
    """Where and what this instance is, for as long as its process runs.

    Attributes:
        other: the other datacentre, empty when there is none.
        process: random; see ``values.Node``.
        url: where desktops reach it.
        peer_address: ``host:port`` where other instances do; set once, when we listen.
    """

    instance: InstanceId
    datacentre: str
    other: str
    process: str
    url: str
    peer_address: str
    version: str
    capacity: int

    @property
    def key(self) -> str:
        """Our key in the store."""
        return instance_key(self.datacentre, self.instance)


class Registration:
    """Keeps us registered. ``run`` is the loop; it ends by being cancelled."""

    def __init__(
        self,
        place: Place,
        lives: Lives,
        store: Store,
        clock: Clock,
        settings: tenure.TenureSettings,
        *,
        began: Callable[[Life], None],
        changed: Callable[[], None],
        troubled: Callable[[], None],
        history: History | None = None,
        guarded: Guarded | None = None,
    ) -> None:
        """Be ready.

        Args:
            place: who we are.
            lives: what is begun here.
            store, clock, settings: where, when, for how long.
            began: told of each new life.
            changed: told that a lease was lost.
            troubled: told of each renewal that failed.
            history: what is done is recorded there.
            guarded: our end of the guardian's pipe.
        """
        self._place = place
        self._lives = lives
        self._store = store
        self._clock = clock
        self._settings = settings
        self._began = began
        self._changed = changed
        self._troubled = troubled
        self._history = history
        self._guarded = guarded
        self._stage = Stage.JOINING
        self._stood_down_epoch = 0
        self._written: Node | None = None
        self._news = asyncio.Event()
        self.said = "has not registered yet"

    @property
    def stage(self) -> Stage:
        """What we say that we do."""
        return self._stage

    def say(self, stage: Stage, stood_down_epoch: int = 0) -> None:
        """Say what we do, in our key: soon, and as soon as the store can be reached."""
        if (stage, stood_down_epoch) != (self._stage, self._stood_down_epoch):
            self._stage, self._stood_down_epoch = stage, stood_down_epoch
            self._news.set()

    async def run(self) -> None:
        """Be registered, and stay so."""
        while True:
            pause_s = await self._once()
            try:
                async with asyncio.timeout(pause_s):
                    await self._news.wait()
            except TimeoutError:
                continue
            finally:
                self._news.clear()

    async def leave(self) -> None:
        """Go in good order: our end is proven and our key gone, so that nobody has to wait for the lease."""
        for life in self._lives:
            try:
                async with asyncio.timeout(_LEAVE_LIMIT_S):
                    await prove_end(self._store, self._place.datacentre, self._place.instance, life.incarnation)
                    if life.lease is not None:
                        await self._store.revoke(life.lease)
            except (TimeoutError, StoreUnavailable, StoreRefused) as error:
                log_event(LOGGER, "left_without_store", level="warning", why=str(error))
            else:
                if self._guarded is not None:
                    self._guarded.left(Revision(life.incarnation))
            if self._history is not None:
                self._history.record(Ended, incarnation=life.incarnation)
            self._lives.drop(life)

    async def _once(self) -> float:
        """Do what is next; returns how long to pause, seconds."""
        life = self._lives.current
        try:
            if life is None:
                await self._register()
            else:
                await self._renew(life)
                await self._write_node(life)
        except StoreUnavailable as error:
            self.said = f"cannot reach the store: {error}"
            self._troubled()
            return RETRY_S if life is None else RENEWAL_RETRY_S
        except StoreRefused as error:
            self.said = f"the store refuses us: {error}; a person must act"
            log_event(LOGGER, "store_refused", level="error", why=str(error))
            return REFUSED_RETRY_S if life is None else RENEWAL_INTERVAL_S
        return RENEWAL_INTERVAL_S

    async def _register(self) -> None:
        lease = await self._store.grant_lease(self._settings.lease_s)
        node = self._node()
        outcome = await self._store.transact(
            [CreatedAt(self._place.key, ABSENT)], [PutValue(self._place.key, write_value(node), lease.lease)]
        )
        if isinstance(outcome, Conflict):
            await self._store.revoke(lease.lease)
            await self._clear_predecessor(outcome)
            return
        life = Life(
            incarnation=outcome.revision,
            lease=lease.lease,
            tenure=tenure.Tenure(settings=self._settings, renewed_s=lease.sent_at_s),
        )
        self._written = node
        if self._guarded is not None:
            self._guarded.registered(
                datacentre=self._place.datacentre,
                instance=self._place.instance,
                incarnation=outcome.revision,
                lease=lease.lease,
            )
        if self._history is not None:
            self._history.record(Registered, incarnation=life.incarnation)
        log_event(LOGGER, "registered", incarnation=life.incarnation, lease_s=lease.ttl_s)
        self.said = f"is registered as incarnation {life.incarnation}"
        self._lives.begin(life)
        self._began(life)

    async def _clear_predecessor(self, conflict: Conflict) -> None:
        """Our name is taken: a key that this very process left is removed, another's lease must end first."""
        entry = conflict.seen.get(self._place.key)
        if entry is None:
            return
        try:
            is_ours = read_value(Node, entry).process == self._place.process
        except RemoteProtocolError:
            is_ours = False
        if is_ours and entry.lease is not None:
            await self._store.revoke(entry.lease)
        else:
            self.said = f"waits until an earlier process of the name {self._place.instance} has lost its lease"

    async def _renew(self, life: Life) -> None:
        assert life.lease is not None, "only a life with a lease is renewed"
        renewed = await self._store.keep_alive(life.lease)
        now_s = self._clock.now_s()
        if renewed is not None:
            life.tenure = tenure.renewal_confirmed(life.tenure, sent_s=renewed.sent_at_s, now_s=now_s)
            return
        log_event(LOGGER, "lease_lost", level="warning", incarnation=life.incarnation)
        self.said = "has lost its lease, and registers anew"
        life.lease = None
        life.tenure = tenure.lease_lost(life.tenure, now_s)
        self._news.set()
        self._changed()

    async def _write_node(self, life: Life) -> None:
        node = self._node()
        if node == self._written or life.lease is None:
            return
        outcome = await self._store.transact(
            [CreatedAt(self._place.key, life.incarnation)], [PutValue(self._place.key, write_value(node), life.lease)]
        )
        if isinstance(outcome, Committed):
            self._written = node

    def _node(self) -> Node:
        place = self._place
        return Node(
            process=place.process,
            url=place.url,
            peer_address=place.peer_address,
            version=place.version,
            capacity=place.capacity,
            stage=self._stage,
            stood_down_epoch=self._stood_down_epoch,
        )
