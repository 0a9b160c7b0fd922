"""The claims that this instance holds, and whether they count at this very moment."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from unified_agent.cluster.members import Members
from unified_agent.cluster.ownership import Claimer, Record
from unified_agent.domain.ids import AgentId, SessionId
from unified_agent.domain.ports import Clock


class Serving(Struct, frozen=True):
    """Our datacentre is active: in which epoch, and the revision of the record that says so."""

    epoch: int
    active_revision: int


class Held(Struct, frozen=True, kw_only=True):
    """One claim of ours. ``revisions``: of the last change of the agent's record and of the station's; see
    ``ownership.release``.
    """

    record: Record
    revisions: tuple[int, int | None]


class Holdings:
    """All claims held. Attributes: ``serving``: None while our datacentre does not serve, and nothing may be done."""

    def __init__(self, members: Members, clock: Clock) -> None:
        self._members = members
        self._clock = clock
        self._held: dict[SessionId, Held] = {}
        self.serving: Serving | None = None

    def get(self, session: SessionId) -> Held | None:
        """Return a session's claim."""
        return self._held.get(session)

    def items(self) -> Iterator[tuple[SessionId, Held]]:
        """All of them, as they are now."""
        return iter(tuple(self._held.items()))

    def put(self, session: SessionId, held: Held) -> None:
        """Hold a claim."""
        self._held[session] = held

    def take(self, session: SessionId) -> Held | None:
        """Hold a claim no more; returns it."""
        return self._held.pop(session, None)

    def agents(self) -> frozenset[AgentId]:
        """Whom we hold."""
        return frozenset(held.record.agent for held in self._held.values())

    def may_act(self, session: SessionId) -> bool:
        """Say whether something may be done now for a session's agent."""
        held, serving = self._held.get(session), self.serving
        if held is None or serving is None or held.record.epoch != serving.epoch:
            return False
        return self._members.lives.may_act(held.record.incarnation, self._clock.now_s())

    def claimer(self, of: int | None = None) -> Claimer | None:
        """Say who we are to a decision; None while we are registered nowhere, or not in the incarnation ``of``."""
        life, serving = self._members.lives.current, self.serving
        if life is None or (of is not None and life.incarnation != of):
            return None
        place = self._members.place
        return Claimer(
            instance=place.instance,
            datacentre=place.datacentre,
            incarnation=life.incarnation,
            may_act=self._members.lives.may_act(life.incarnation, self._clock.now_s()),
            view_is_fresh=self._members.is_fresh(),
            serves=serving is not None,
            epoch=serving.epoch if serving is not None else 0,
            active_revision=serving.active_revision if serving is not None else 0,
            acts_for=self.agents(),
        )
