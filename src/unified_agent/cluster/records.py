"""Claims as they stand in the store: read, and written by the transactions that ``ownership`` decides on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Final

from unified_agent.cluster import ownership
from unified_agent.cluster.ownership import Claim, Record, Seen
from unified_agent.cluster.stores.base import Entry, Outcome, PutValue, Store
from unified_agent.cluster.transactions import AGENTS_PREFIX, Transaction, agent_key, station_key
from unified_agent.cluster.values import read_value, write_value
from unified_agent.domain.ids import AgentId, StationId
from unified_agent.errors import RemoteProtocolError
from unified_agent.observe import get_logger, log_event

LOGGER: Final = get_logger("cluster.records")


class Records:
    """One store's records. Every method raises StoreUnavailable and StoreRefused."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def agent(self, agent: AgentId) -> Seen:
        """Read the claim on an agent."""
        return await self._see(agent_key(agent))

    async def station(self, station: StationId) -> Seen:
        """Read the claim on a station."""
        return await self._see(station_key(station))

    async def both(self, agent: AgentId, station: StationId) -> tuple[Seen, Seen]:
        """Read both claims."""
        of_agent, of_station = await asyncio.gather(self.agent(agent), self.station(station))
        return of_agent, of_station

    async def all(self) -> tuple[Record, ...]:
        """Read the claims on all agents, but for those that cannot be read; much, and seldom needed."""
        found = await self._store.snapshot(AGENTS_PREFIX)
        return tuple(_readable(found.entries.values()))

    async def commit(self, change: Transaction) -> Outcome:
        """Carry a change out, or not.

        Raises:
            WriteUnknown: it may have been made; read again, never repeat it.
        """
        return await self._store.transact(
            change.conditions, [PutValue(each.key, write_value(each.value)) for each in change.writes]
        )

    async def _see(self, key: str) -> Seen:
        entry = await self._store.get(key)
        return ownership.NEVER if entry is None else Seen(read_value(Record, entry), entry.revision)


def _readable(entries: Iterable[Entry]) -> Iterator[Record]:
    for entry in entries:
        try:
            yield read_value(Record, entry)
        except RemoteProtocolError as error:
            log_event(LOGGER, "record_not_read", level="error", key=entry.key, why=str(error))


def record_of(claim: Claim) -> Record:
    """Return the record that a claim writes, under the agent's key first."""
    record = claim.transaction.writes[0].value
    assert isinstance(record, Record), "a claim writes records"
    return record
