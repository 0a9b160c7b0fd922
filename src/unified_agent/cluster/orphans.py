"""Finds agents whose instance is lost and whose desktop does not come, and has them taken over.

An agent may be left ready at the switch by a lost instance while the desktop was lost with it: calls would ring there.
One survivor, the first in an order that all agree on, looks some time after an instance has ended: a desktop that is
well has come back by then. Nothing is taken from the living: each claim is granted by the same rules as any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from unified_agent.cluster.activator import Activator
from unified_agent.cluster.carries import Carries
from unified_agent.cluster.detector import Verdict
from unified_agent.cluster.heartbeats import Stage
from unified_agent.cluster.members import Members
from unified_agent.cluster.ownership import Record
from unified_agent.cluster.records import Records
from unified_agent.cluster.stores.base import StoreRefused, StoreUnavailable
from unified_agent.domain.ids import AgentId
from unified_agent.domain.ports import Clock
from unified_agent.domain.selection import rank
from unified_agent.domain.session_state import SessionState
from unified_agent.errors import UnifiedAgentError
from unified_agent.observe import get_logger, log_event

LOGGER: Final = get_logger("cluster.orphans")

#: From the end of an instance to the look for those it left: as long as an absent agent stays ready, seconds.
WAIT_S: Final = 30.0
#: How often is looked whether it is time, and after a store that could not be read, seconds.
LOOK_S: Final = 5.0
#: Orphans taken over in one portion, and the pause after it: logins have the pace of their own besides.
PORTION: Final = 50
PAUSE_S: Final = 0.25


class Orphans:
    """See above. ``run`` ends by being cancelled.

    Args:
        members, activator, records, carries, clock: the parts it works with.
        take: takes over one, or raises.
    """

    def __init__(
        self,
        members: Members,
        activator: Activator,
        records: Records,
        carries: Carries,
        clock: Clock,
        take: Callable[[SessionState], None],
    ) -> None:
        self._members = members
        self._activator = activator
        self._records = records
        self._carries = carries
        self._clock = clock
        self._take = take
        self._due_s: float | None = None
        self._served = False

    def instance_ended(self) -> None:
        """Look for those it left, after a while."""
        self._due_s = self._clock.now_s() + WAIT_S

    async def run(self) -> None:
        """Look when it is time."""
        while True:
            await asyncio.sleep(LOOK_S)
            serves = self._activator.serves
            if serves and not self._served:
                self.instance_ended()  # whoever served before us may have left some
            self._served = serves
            if self._due_s is None or self._clock.now_s() < self._due_s or not serves or not self._is_first():
                continue
            due_s, self._due_s = self._due_s, None  # an instance that ends during the look has a look of its own
            try:
                await self._look()
            except (StoreUnavailable, StoreRefused):
                self._due_s = self._due_s or due_s

    async def _look(self) -> None:
        orphaned = [each for each in await self._records.all() if self._is_orphaned(each)]
        if orphaned:
            log_event(LOGGER, "orphans_found", level="warning", agents=len(orphaned))
        for number, record in enumerate(orphaned, 1):
            carried = await self._carries.read(record.agent)
            if carried is None or carried.id != record.session:
                continue
            try:
                self._take(carried)
            except UnifiedAgentError as error:
                log_event(LOGGER, "orphan_left", level="warning", agent=record.agent, why=str(error))
            if number % PORTION == 0:
                await asyncio.sleep(PAUSE_S)

    def _is_orphaned(self, record: Record) -> bool:
        if record.owner is None:
            return False
        return not self._members.owner(record.owner, record.datacentre, record.incarnation).is_live

    def _is_first(self) -> bool:
        """Whether it is for us to look: all who serve agree on who that is, as far as they see the same."""
        place = self._members.place
        ready = [place.instance]
        for each in self._members.roll.registered():
            member = self._members.member(each.instance)
            is_well = member is not None and member.verdict is Verdict.ALIVE and each.node.stage is Stage.READY
            if each.datacentre == place.datacentre and is_well:
                ready.append(each.instance)
        return min(ready, key=lambda each: rank(AgentId(""), each)) == place.instance
