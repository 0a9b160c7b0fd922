"""Keeps in the store whom we would ask when we have none: what others may claim from us rests on it (``tenure``)."""

from __future__ import annotations

import asyncio
from typing import Final

from unified_agent.cluster import tenure
from unified_agent.cluster.lives import Lives
from unified_agent.cluster.registration import Place
from unified_agent.cluster.roll import Roll
from unified_agent.cluster.stores.base import Committed, PutValue, Revision, Store, StoreRefused, StoreUnavailable
from unified_agent.cluster.values import write_value
from unified_agent.domain.ids import InstanceId
from unified_agent.domain.ports import Clock

#: After a store that cannot be reached, and after a listing that had changed since it was read, seconds.
RETRY_S: Final = 0.5
_AGAIN_S: Final = 0.1
#: From one writing to the next, seconds. When ten of 100 instances end at once, each of the others writes two or three
#: times and not ten times what all have to read.
PACE_S: Final = 0.25


class Listings:
    """Our listing. ``run`` is the loop; it ends by being cancelled."""

    def __init__(self, place: Place, lives: Lives, roll: Roll, store: Store, clock: Clock) -> None:
        self._place = place
        self._lives = lives
        self._roll = roll
        self._store = store
        self._clock = clock
        self._wanted = asyncio.Event()
        self._sent_s = float("-inf")
        self._written: tuple[tenure.Listing, Revision] | None = None

    def look(self) -> None:
        """The roll or our registration has changed."""
        self._wanted.set()

    async def run(self) -> None:
        """Keep it as the roll is."""
        while True:
            await self._wanted.wait()
            await asyncio.sleep(max(0.0, self._sent_s + PACE_S - self._clock.now_s()))
            self._wanted.clear()
            try:
                is_done = await self._write()
                pause_s = 0.0 if is_done else _AGAIN_S
            except (StoreUnavailable, StoreRefused):
                is_done, pause_s = False, RETRY_S
            if not is_done:
                await asyncio.sleep(pause_s)
                self._wanted.set()

    async def _write(self) -> bool:
        """Write it if need be; False when it had changed since it was read, of which the roll will tell."""
        life, place = self._lives.current, self._place
        if life is None or not self._roll.is_complete:
            return True
        names = frozenset(each.instance for each in self._roll.registered() if each.instance != place.instance)
        listing = tenure.Listing(life.incarnation, tuple(sorted(names)), place.url)
        present, revision = self._present()
        if present != listing:
            # From the moment it is sent it may stand in the store: the old ones and the new ones must be asked.
            self._lives.change(lambda each: tenure.listing_sent(each, names))
            self._sent_s = self._clock.now_s()
            change = tenure.listing_transaction(place.instance, place.datacentre, listing, revision=revision)
            outcome = await self._store.transact(
                change.conditions, [PutValue(each.key, write_value(each.value)) for each in change.writes]
            )
            if not isinstance(outcome, Committed):
                self._written = None
                return False
            self._written = listing, outcome.revision
        self._confirm(names)
        return True

    def _present(self) -> tuple[tenure.Listing | None, Revision]:
        """Return our listing as we wrote it last, or as the roll has it when that is later: a watch may lag."""
        listing, revision = self._roll.listing(self._place.datacentre, self._place.instance)
        if self._written is not None and self._written[1] > revision:
            return self._written
        return listing, revision

    def _confirm(self, names: frozenset[InstanceId]) -> None:
        now_s = self._clock.now_s()
        self._lives.change(lambda each: tenure.listing_confirmed(each, names, now_s))
