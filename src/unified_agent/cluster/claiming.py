"""Claims being asked for: one task each, which decides, carries out, and decides anew until it is settled.

A change whose answer is lost is never repeated: the records are read again. An owner that lives is asked to release;
one that has ended is waited for as long as ``ownership`` says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from unified_agent.cluster import ownership
from unified_agent.cluster.carries import Carries
from unified_agent.cluster.holdings import Held, Holdings
from unified_agent.cluster.members import Members
from unified_agent.cluster.ownership import AskOwner, Claim, Claimer, Holding, Record, Refuse, Request, Seen, Wait
from unified_agent.cluster.peer_messages import ReleaseAnswer, ReleaseOutcome, ReleaseQuestion
from unified_agent.cluster.peers import Peers, PeerUnreachable
from unified_agent.cluster.records import Records, record_of
from unified_agent.cluster.stores.base import Committed, StoreRefused, StoreUnavailable, WriteUnknown
from unified_agent.domain.effects import AskClaim
from unified_agent.domain.facts import ClaimDelayed, ClaimGranted, ClaimRefused
from unified_agent.domain.ids import SessionId, StationId
from unified_agent.domain.ports import Clock, Reports
from unified_agent.domain.states import Wish
from unified_agent.history import Claimed, History
from unified_agent.observe import Metrics, get_logger, log_event

LOGGER: Final = get_logger("cluster.claiming")

#: Between two looks at a claim that has to wait, seconds; a change of the roll brings it forward.
LOOK_AGAIN_S: Final = 0.25
#: The longest time between two looks at a claim whose owner does not answer, seconds. Most likely it has ended, and the
#: roll will tell: ten that end at once leave 10,000 claims, each look at one is two reads of the store.
SILENT_OWNER_S: Final = 2.0
#: Claims under way at the store, and of those made anew, which have 3 s; others wait for their turn. So few that the
#: reads of 100 instances are answered within a request's limit: with 32 nothing came to its end on a slow store.
CLAIMS_AT_ONCE: Final = 8
CLAIMS_ANEW_AT_ONCE: Final = 16
#: After a change that the store did not make, seconds: it may know what our watch has yet to tell, that we have lost
#: our lease for instance, and decided anew at once it would be refused again, by hundreds a second.
CONFLICT_PAUSE_S: Final = 0.05
#: After a store that could not be reached, or whose answer was lost: what was sent has landed by then, or never will.
STORE_RETRY_S: Final = 0.5
WRITE_LANDS_S: Final = 1.5
#: An owner that is asked to release answers within this, seconds: leaving a dialler takes up to ``LEAVE_LIMIT_S``.
RELEASE_LIMIT_S: Final = 4.0

_REFUSALS: Final = {
    ownership.Refusal.TAKEN_OVER: "taken-over",
    ownership.Refusal.STATION_IN_USE: "station.in-use",
    ownership.Refusal.OWNER_LIVES: "agent.already-logged-in",
}


@dataclass(slots=True, eq=False)
class _Wish:
    """One claim being asked for.

    Attributes:
        effect: what is wanted.
        began_s: when it was asked for.
        is_writing: it is on its way to the store, or may have been granted by it.
        is_called_off: nobody wants it any more. What the store has granted is given up again, because it would keep the
            station from everybody else.
        unanswered: how often in a row its owner did not answer.
    """

    effect: AskClaim
    began_s: float
    is_writing: bool = False
    is_called_off: bool = False
    unanswered: int = 0
    task: asyncio.Task[None] | None = None


class Claiming:
    """All claims being asked for."""

    def __init__(
        self,
        members: Members,
        holdings: Holdings,
        records: Records,
        carries: Carries,
        peers: Peers,
        clock: Clock,
        metrics: Metrics,
        *,
        prove: Callable[[SessionId], str],
        give_up: Callable[[Held], None],
        history: History | None = None,
    ) -> None:
        """Ask for nothing yet; ``join`` comes before anything else.

        Args:
            members, holdings, records, carries, peers, clock, metrics: the parts it works with.
            prove: gives the proof of a session's password, for an owner that is asked to release.
            give_up: releases a claim that was granted when nobody wanted it any more.
            history: what is done is recorded there.
        """
        self._members = members
        self._holdings = holdings
        self._records = records
        self._carries = carries
        self._peers = peers
        self._clock = clock
        self._metrics = metrics
        self._prove = prove
        self._give_up = give_up
        self._history = history
        self._reports: Reports | None = None
        self._wishes: dict[SessionId, _Wish] = {}
        self._tasks: dict[asyncio.Task[None], None] = {}
        self._news = asyncio.Event()
        self._turns, self._turns_anew = asyncio.Semaphore(CLAIMS_AT_ONCE), asyncio.Semaphore(CLAIMS_ANEW_AT_ONCE)
        self._in_flight = 0

    def join(self, reports: Reports) -> None:
        """Know who hears what comes of claims."""
        self._reports = reports

    @property
    def is_in_flight(self) -> bool:
        """Whether a claim is on its way to the store, or may still land."""
        return self._in_flight > 0

    def sessions(self) -> tuple[SessionId, ...]:
        """For whom claims are being asked for."""
        return tuple(self._wishes)

    def begin(self, effect: AskClaim) -> None:
        """Ask for a claim."""
        wish = _Wish(effect, self._clock.now_s())
        task = asyncio.get_running_loop().create_task(self._claim(wish), name=f"claim {effect.agent}")
        wish.task = task
        self._wishes[effect.session] = wish
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._ended(wish, done))

    def call_off(self, session: SessionId) -> None:
        """Ask no more."""
        wish = self._wishes.pop(session, None)
        if wish is None or wish.task is None:
            return
        wish.is_called_off = True
        if not wish.is_writing:
            wish.task.cancel()

    def look_again(self) -> None:
        """Something has changed that claims wait for."""
        self._news.set()
        self._news = asyncio.Event()  # whoever begins to look from now on waits for the next change

    async def close(self) -> None:
        """Let all tasks end."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- one claim

    async def _claim(self, wish: _Wish) -> None:
        effect = wish.effect
        while not wish.is_called_off:
            news = self._news
            try:
                pause_s = await self._try(wish)
            except StoreUnavailable:
                self._delay(effect, "cluster.no-store")
                pause_s = STORE_RETRY_S
            except StoreRefused as error:
                self._delay(effect, "cluster.no-store", str(error))
                pause_s = STORE_RETRY_S
            if pause_s is None:
                return
            await self._pause(pause_s, news)

    async def _try(self, wish: _Wish) -> float | None:
        """Go one step; returns how long to wait before the next, None when it is settled."""
        effect = wish.effect
        if not self._members.has_store():
            self._delay(effect, "cluster.no-store")  # asking takes its time, and somebody looks at a desktop meanwhile
        async with self._turns:
            claimer = self._holdings.claimer()
            if claimer is None:
                return LOOK_AGAIN_S
            decision, record, now_s = await self._decide(effect, claimer)
            if isinstance(decision, Claim):
                return await self._carry_out(wish, decision)
        match decision:
            case AskOwner():
                return await self._ask_owner(wish, decision, record)
            case Wait():
                trouble = "cluster.no-store" if decision.until_s is None else "cluster.waiting"
                self._delay(effect, trouble, decision.reason)
                left_s = LOOK_AGAIN_S if decision.until_s is None else decision.until_s - now_s
                return min(max(left_s, 0.01), LOOK_AGAIN_S)
            case Refuse(code=code) if code in _REFUSALS:
                self._refuse(effect, _REFUSALS[code], decision.reason)
                return None
            case Refuse(code=ownership.Refusal.NOT_SERVING) if self._members.roll.others_serve(claimer.datacentre):
                self._refuse(effect, "passive", decision.reason)
                return None
            case Refuse():
                self._delay(effect, "cluster.waiting", decision.reason)
                return LOOK_AGAIN_S
            case Holding():
                raise AssertionError("a session that holds its claim does not ask for it")

    async def _decide(self, effect: AskClaim, claimer: Claimer) -> tuple[ownership.Decision, Record | None, float]:
        """Read the records and decide; returns also the record that stands in the way, if any, and when that was."""
        agent, station = await self._records.both(effect.agent, effect.station)
        former = await self._former_station(agent, effect.station)
        owners = {
            (each.record.owner, each.record.incarnation): self._members.owner(
                each.record.owner, each.record.datacentre, each.record.incarnation
            )
            for each in (agent, station)
            if each.record is not None and each.record.owner is not None
        }
        request = Request(
            wish=effect.wish,
            agent=effect.agent,
            station=effect.station,
            session=effect.session,
            ticket_term=effect.ticket_term,
        )
        now_s = self._clock.now_s()
        decision = ownership.decide_claim(request, agent, station, owners, claimer, now_s, former_station=former)
        return decision, agent.record or station.record, now_s

    async def _carry_out(self, wish: _Wish, claim: Claim) -> float | None:
        wish.is_writing = True
        try:
            held = await self._write(claim)
            if held is None:
                return CONFLICT_PAUSE_S
            await self._grant(wish, held)
        finally:
            wish.is_writing = False
        return None

    async def _write(self, claim: Claim) -> Held | None:
        """Have a claim written; None when it was not."""
        record = record_of(claim)
        self._in_flight += 1
        try:
            outcome = await self._records.commit(claim.transaction)
        except WriteUnknown:
            await asyncio.sleep(WRITE_LANDS_S)
            agent, station = await self._records.both(record.agent, record.station)
            is_written = agent.record == station.record == record
            return Held(record=record, revisions=(agent.revision, station.revision)) if is_written else None
        finally:
            self._in_flight -= 1
        if not isinstance(outcome, Committed):
            return None
        return Held(record=record, revisions=(outcome.revision, outcome.revision))

    async def _grant(self, wish: _Wish, held: Held) -> None:
        effect, record = wish.effect, held.record
        carried = await self._carries.take(record.agent, record.term)
        if wish.is_called_off:
            self._give_up(held)
            return
        self._holdings.put(effect.session, held)
        if not self._holdings.may_act(effect.session):
            # Our time passed meanwhile. The record stands in our name; when we may act again it is claimed anew.
            self._holdings.take(effect.session)
            raise StoreUnavailable("our time passed while the claim was granted")
        self._record(record, effect.wish)
        self._metrics.ownership_moves.labels(cause=effect.wish.value).inc()
        self._metrics.claim_seconds.observe(self._clock.now_s() - wish.began_s)
        log_event(LOGGER, "claimed", agent=record.agent, term=record.term, wish=effect.wish.value)
        assert self._reports is not None, "joined"
        self._reports.report(ClaimGranted(session=effect.session, term=record.term, carried=carried))

    async def _ask_owner(self, wish: _Wish, decision: AskOwner, record: Record | None) -> float | None:
        assert record is not None, "an owner stands in a record"
        effect = wish.effect
        self._delay(effect, "cluster.owner-lives", decision.owner)
        proof = self._prove(effect.session) if effect.wish is Wish.LOGIN else ""
        question = ReleaseQuestion(
            agent=effect.agent,
            station=effect.station,
            term=record.term,
            wish=effect.wish,
            proof=proof,
            session=effect.session,
        )
        try:
            said = await self._peers.ask(decision.owner, question, RELEASE_LIMIT_S)
        except PeerUnreachable:
            wish.unanswered += 1
            return min(LOOK_AGAIN_S * 2.0**wish.unanswered, SILENT_OWNER_S)
        wish.unanswered = 0
        if not isinstance(said, ReleaseAnswer) or said.outcome is ReleaseOutcome.LATER:
            return LOOK_AGAIN_S
        if said.outcome is ReleaseOutcome.REFUSED:
            self._refuse(effect, said.id, said.detail)
            return None
        return 0.0 if said.outcome is ReleaseOutcome.RELEASED else LOOK_AGAIN_S

    async def _former_station(self, agent: Seen, wanted: StationId) -> Seen:
        if agent.record is None or agent.record.station == wanted:
            return ownership.NEVER
        return await self._records.station(agent.record.station)

    # --- claims of an earlier life

    async def claim_anew(self) -> bool:
        """Claim in the present life what is held under earlier ones, which only promises carry.

        Returns:
            Whether that is done: False while something is only to be waited for, as a watch that is not heard yet when
            a store has come back. Try again then, while the promises last.

        Raises:
            StoreUnavailable, StoreRefused: not all could be claimed; try again while the promises last.
        """
        life = self._members.lives.current
        if life is None:
            return True
        # Many at once, for promises last 3 s: one after the other 1,000 agents took that many times three round trips.
        wanted = [each for each in self._holdings.items() if each[1].record.incarnation != life.incarnation]
        outcomes = await asyncio.gather(*(self._claim_one_anew(*each) for each in wanted), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        for each in self._members.lives:
            used = any(held.record.incarnation == each.incarnation for _, held in self._holdings.items())
            if each is not life and not used:
                self._members.lives.drop(each)
        return all(outcomes)

    async def _claim_one_anew(self, session: SessionId, held: Held) -> bool:
        async with self._turns_anew:
            return await self._claim_in_turn(session, held)

    async def _claim_in_turn(self, session: SessionId, held: Held) -> bool:
        """Claim one anew; False when that is to be tried again."""
        record = held.record
        agent, station = await self._records.both(record.agent, record.station)
        claimer = self._holdings.claimer()
        if claimer is None or agent.record != station.record or agent.record is None:
            return True  # somebody has it already; our tenure ends with the promises
        if self._holdings.get(session) is not held:
            return True  # the session is over
        if agent.record != record and not ownership.is_anew(agent.record, record, claimer):
            return True
        fresh, revisions = agent.record, (agent.revision, station.revision)
        if fresh == record:
            decision = ownership.decide_claim(
                ownership.request_anew(record), agent, station, {}, claimer, self._clock.now_s()
            )
            if not isinstance(decision, Claim):
                return isinstance(decision, Refuse) and decision.code is not ownership.Refusal.NOT_SERVING
            outcome = await self._records.commit(decision.transaction)
            if not isinstance(outcome, Committed):
                return False
            fresh, revisions = record_of(decision), (outcome.revision, outcome.revision)
        await self._carries.take(fresh.agent, fresh.term)
        if self._holdings.get(session) is not held:
            self._give_up(Held(record=fresh, revisions=revisions))
            return True
        # In one step, so that nothing is done in the new life under the old term.
        self._holdings.put(session, Held(record=fresh, revisions=revisions))
        self._record(fresh, Wish.RESUME)
        assert self._reports is not None, "joined"
        self._reports.report(ClaimGranted(session=session, term=fresh.term))
        return True

    # --- inside

    def _record(self, record: Record, wish: Wish) -> None:
        if self._history is not None:
            self._history.record(
                Claimed, agent=record.agent, station=record.station, term=record.term, incarnation=record.incarnation,
                epoch=record.epoch, wish=wish.value,
            )  # fmt: skip

    @staticmethod
    async def _pause(pause_s: float, news: asyncio.Event) -> None:
        """Wait so long, or until something has changed since the last look."""
        if pause_s <= 0:
            await asyncio.sleep(0)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await news.wait()

    def _delay(self, effect: AskClaim, trouble: str, detail: str = "") -> None:
        assert self._reports is not None, "joined"
        self._reports.report(ClaimDelayed(session=effect.session, trouble=trouble, detail=detail))

    def _refuse(self, effect: AskClaim, why: str, detail: str) -> None:
        assert self._reports is not None, "joined"
        self._reports.report(ClaimRefused(session=effect.session, id=why, detail=detail))

    def _ended(self, wish: _Wish, task: asyncio.Task[None]) -> None:
        session = wish.effect.session
        self._tasks.pop(task, None)
        if self._wishes.get(session) is wish:
            del self._wishes[session]
        if not task.cancelled() and (error := task.exception()) is not None:
            log_event(LOGGER, "claim_failed", level="error", error=error, session=session)
            assert self._reports is not None, "joined"
            self._reports.report(ClaimRefused(session=session, id="internal"))
