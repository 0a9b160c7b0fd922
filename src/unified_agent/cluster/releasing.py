"""Claims being given up: what the session leaves is written first, then the claim is released in the store."""

from __future__ import annotations

import asyncio
from typing import Final

from unified_agent.cluster import ownership
from unified_agent.cluster.carries import Carries
from unified_agent.cluster.claiming import RELEASE_LIMIT_S, STORE_RETRY_S
from unified_agent.cluster.holdings import Held, Holdings
from unified_agent.cluster.members import Members
from unified_agent.cluster.peer_messages import ReleaseAnswer, ReleaseOutcome, ReleaseQuestion
from unified_agent.cluster.records import Records
from unified_agent.cluster.stores.base import Committed, StoreRefused, StoreUnavailable
from unified_agent.domain.ids import AgentId, InstanceId
from unified_agent.domain.ports import Clock, Owner
from unified_agent.domain.states import Wish
from unified_agent.observe import get_logger, log_event

LOGGER: Final = get_logger("cluster.releasing")

#: How often is looked whether a session that was asked to leave has left, seconds.
_LOOK_S: Final = 0.02
_LATER: Final = ReleaseAnswer(outcome=ReleaseOutcome.LATER, id="cluster.owner-lives")


class Releasing:
    """All claims being given up."""

    def __init__(self, members: Members, holdings: Holdings, records: Records, carries: Carries, clock: Clock) -> None:
        self._members = members
        self._holdings = holdings
        self._records = records
        self._carries = carries
        self._clock = clock
        self._owner: Owner | None = None
        self._tasks: dict[AgentId, asyncio.Task[bool]] = {}

    def join(self, owner: Owner) -> None:
        """Know the live agents; before anything else."""
        self._owner = owner

    def begin(self, held: Held) -> None:
        """Release a claim for which nothing is done any more."""
        agent = held.record.agent
        task = asyncio.get_running_loop().create_task(self._release(held), name=f"release {agent}")
        self._tasks[agent] = task
        task.add_done_callback(lambda done: self._ended(agent, done))

    async def answer(self, asker: InstanceId, question: ReleaseQuestion) -> ReleaseAnswer:
        """Give an agent up to another instance that asks for it."""
        assert self._owner is not None, "joined"
        agent = question.agent
        if agent not in self._tasks:
            if self._is_overtaken(question):
                return ReleaseAnswer(outcome=ReleaseOutcome.REFUSED, id="taken-over")
            reason = "taken-over" if question.wish is Wish.LOGIN else "move"
            said = self._owner.let_go(agent, reason, question.proof)
            if said == "later":
                return _LATER
            if said == "not-here":
                return await self._release_leftover(question)
            if said:
                return ReleaseAnswer(outcome=ReleaseOutcome.REFUSED, id=said)
            log_event(LOGGER, "release_asked", agent=agent, peer=asker, wish=question.wish.value)
        until_s = self._clock.now_s() + RELEASE_LIMIT_S - STORE_RETRY_S
        while self._owner.session_of(agent) is not None or agent in self._tasks:
            if self._clock.now_s() >= until_s:
                return _LATER
            await asyncio.sleep(_LOOK_S)
        return ReleaseAnswer(outcome=ReleaseOutcome.RELEASED)

    def _is_overtaken(self, question: ReleaseQuestion) -> bool:
        """Say whether a desktop comes back with a ticket of another session than the one that lives here."""
        assert self._owner is not None, "joined"
        here = self._owner.session_of(question.agent)
        asked_for = question.session or here
        return question.wish is Wish.RESUME and here is not None and here != asked_for

    async def close(self) -> None:
        """Wait for what is under way, shortly."""
        tasks = tuple(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=RELEASE_LIMIT_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _release(self, held: Held) -> bool:
        """Release a claim. False when our registration ended first: nobody need ask us for it then.

        It is tried for as long as that takes, because a claim that stands in the name of the living keeps its station
        from everybody else.
        """
        while (claimer := self._holdings.claimer(of=held.record.incarnation)) is not None:
            try:
                await self._carries.settle(held.record.agent)
                outcome = await self._records.commit(ownership.release(held.record, held.revisions, claimer))
            except (StoreUnavailable, StoreRefused):
                await asyncio.sleep(STORE_RETRY_S)
                continue
            if not isinstance(outcome, Committed):
                log_event(LOGGER, "release_overtaken", agent=held.record.agent, term=held.record.term)
            if held.record.agent not in self._holdings.agents():  # who may be back already, in another term
                self._carries.forget(held.record.agent)
            return True
        return False

    async def _release_leftover(self, question: ReleaseQuestion) -> ReleaseAnswer:
        """Release a claim that stands in our name though nobody serves the agent here."""
        try:
            agent = await self._records.agent(question.agent)
            record = agent.record
            station = await self._records.station(record.station if record is not None else question.station)
        except (StoreUnavailable, StoreRefused):
            return ReleaseAnswer(outcome=ReleaseOutcome.LATER, id="cluster.no-store")
        life = self._members.lives.current
        ours = (self._members.place.instance, life.incarnation if life is not None else 0)
        if record is None or (record.owner, record.incarnation) != ours:
            return ReleaseAnswer(outcome=ReleaseOutcome.NOT_HERE)
        if question.agent in self._holdings.agents():
            return _LATER
        revisions = (agent.revision, station.revision if station.record == record else None)
        released = await self._release(Held(record=record, revisions=revisions))
        return ReleaseAnswer(outcome=ReleaseOutcome.RELEASED) if released else _LATER

    def _ended(self, agent: AgentId, task: asyncio.Task[bool]) -> None:
        if self._tasks.get(agent) is task:
            del self._tasks[agent]
        if not task.cancelled() and (error := task.exception()) is not None:
            log_event(LOGGER, "release_failed", level="error", error=error, agent=agent)
