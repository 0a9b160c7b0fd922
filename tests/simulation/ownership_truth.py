"""Who owns whom in truth: what stands in the store, read by the world itself, without travelling.

A deed is held against it in the moment in which it is done. That is stricter than comparing histories afterwards: it
finds an owner whose claim was taken before anybody else has acted. What is found ends the world at once, and does not
rely on whoever does the deed to let an error pass.
"""

from __future__ import annotations

from typing import Final

from tests.simulation.transports import virtual_loop

from unified_agent.cluster.activation import Active
from unified_agent.cluster.ownership import Record
from unified_agent.cluster.stores.base import Entry, Removed
from unified_agent.cluster.stores.memory_engine import MemoryEngine
from unified_agent.cluster.transactions import ACTIVE_KEY, agent_key, instance_key, station_key
from unified_agent.cluster.values import read_value
from unified_agent.domain.ids import AgentId, InstanceId, StationId

_CLAIMS: Final = (agent_key(""), station_key(""))


class OwnershipTruth:
    """Looks at every change of the store, and at every deed.

    Attributes:
        deeds: how many were looked at.
        claims: how often a claim changed hands.
        epochs: how often the active datacentre changed.
    """

    def __init__(self, engine: MemoryEngine) -> None:
        self.deeds = 0
        self.claims = 0
        self.epochs = 0
        self._loop = virtual_loop()
        self._engine = engine
        self._read = engine.revision
        self._records: dict[str, Record] = {}
        self._active: Active | None = None
        engine.listen(self._changed)

    @property
    def active(self) -> str:
        """The active datacentre; empty while there is none, or it is being handed over."""
        return self._active.datacentre if self._active is not None and not self._active.handed_to else ""

    def owner_of(self, agent: AgentId) -> Record | None:
        """Return the claim on an agent, None when nobody has it."""
        record = self._records.get(agent_key(agent))
        return record if record is not None and record.owner is not None else None

    def check_deed(
        self, instance: InstanceId, datacentre: str, agent: AgentId, station: StationId, term: int, incarnation: int
    ) -> None:
        """Hold something that is about to be done against what stands in the store.

        A claim made anew by the same instance, of which it has not heard yet, is as good.
        """
        self.deeds += 1
        with self._loop.at_once():
            self._check_deed(instance, datacentre, agent, station, term, incarnation)

    def _check_deed(
        self, instance: InstanceId, datacentre: str, agent: AgentId, station: StationId, term: int, incarnation: int
    ) -> None:
        mine = f"{instance} acts for agent {agent} in term {term} of incarnation {incarnation}"
        for key in (agent_key(agent), station_key(station)):
            record = self._records.get(key)
            assert record is not None, f"{mine}, and nothing stands under {key}"
            assert record.owner == instance, f"{mine}, and {key} is owned by {record.owner} in term {record.term}"
            assert (record.term, record.incarnation) >= (term, incarnation), f"{mine}, beyond {record}"
        assert self._active is not None, f"{mine}, and no datacentre was ever active"
        assert self._active.datacentre == datacentre, f"{mine} in {datacentre}, and {self._active.datacentre} is active"

    def _changed(self) -> None:
        if self._read < self._engine.compacted:
            self._read = self._engine.revision  # compacted by the change that told us
            return
        told = self._engine.changes_after("", self._read, 1_000)
        if told is None:
            return
        self._read = told.revision
        with self._loop.at_once():
            for event in told.events:
                if event.key == ACTIVE_KEY:
                    self._active_changed(event)
                elif event.key.startswith(_CLAIMS):
                    self._claim_changed(event)

    def _active_changed(self, event: Entry | Removed) -> None:
        assert isinstance(event, Entry), "the record of the active datacentre is never removed"
        now, before = read_value(Active, event), self._active
        assert now.epoch == (before.epoch if before is not None else 0) + 1, f"{now} follows {before}"
        self._active = now
        self.epochs += 1

    def _claim_changed(self, event: Entry | Removed) -> None:
        assert isinstance(event, Entry), "claims are never removed"
        now, before = read_value(Record, event), self._records.get(event.key)
        self._records[event.key] = now
        if before is None:
            return
        assert now.term >= before.term, f"the term falls: {now} follows {before}"
        if now.owner is None:
            return
        self.claims += 1
        assert now.term > before.term, f"claimed without a new term: {now} follows {before}"
        if before.owner in {None, now.owner} or before.epoch < now.epoch:
            return
        assert before.owner is not None
        there = self._engine.get(instance_key(before.datacentre, before.owner))
        lives = there is not None and there.created == before.incarnation
        assert not lives, f"taken from the living: {now} follows {before}"
