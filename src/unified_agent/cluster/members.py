"""The other instances, and our own place among them: who is registered, who lives, until when we may act.

Four loops, none of which waits for another: **registration** (our key on its lease), **listings** (whom we would ask),
the **watch** over everything below ``CLUSTER_PREFIX`` (``roll``), and the **beat**: heartbeats to every other instance
and the verdicts that come of theirs (``detector``), promises when we have no store, and stepping down when our time has
passed (``tenure``). What is decided is decided by pure functions; this file carries it out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from unified_agent.cluster import detector, tenure
from unified_agent.cluster.guarded import Guarded
from unified_agent.cluster.heartbeats import Heartbeat, Report
from unified_agent.cluster.listings import Listings
from unified_agent.cluster.lives import Life, Lives
from unified_agent.cluster.ownership import OwnerView
from unified_agent.cluster.peer_messages import TenureAnswer, TenureQuestion
from unified_agent.cluster.peers import Peers, PeerUnreachable
from unified_agent.cluster.registration import REFUSED_RETRY_S, Place, Registration
from unified_agent.cluster.roll import Departed, Roll
from unified_agent.cluster.stores.base import Changes, Snapshot, Store, StoreRefused
from unified_agent.cluster.transactions import CLUSTER_PREFIX, listing_key, listing_prefix
from unified_agent.domain.ids import InstanceId
from unified_agent.domain.ports import Clock
from unified_agent.history import History, SteppedDown
from unified_agent.observe import Metrics, get_logger, log_event

LOGGER: Final = get_logger("cluster.members")

#: How often time itself is looked at: silence of others, our own tenure, seconds.
TICK_S: Final = 0.1
#: A watch silent for longer knows nothing new: nothing is claimed or taken on it, seconds.
FRESH_S: Final = 2.5


class Members:
    """See above. ``run`` ends by being cancelled.

    Attributes:
        registration: keeps our own key.
        roll: who is registered, as read.
        lives: our registrations and until when we may act in each.
        fresh_since_s: when the roll was first complete; None before.
    """

    def __init__(
        self,
        place: Place,
        *,
        store: Store,
        peers: Peers,
        clock: Clock,
        metrics: Metrics,
        report: Callable[[], Report],
        changed: Callable[[], None],
        stepped_down: Callable[[int, str], None],
        is_taking: Callable[[], bool],
        departed: Callable[[], None],
        tenure_settings: tenure.TenureSettings,
        detector_settings: detector.DetectorSettings,
        history: History | None = None,
        guarded: Guarded | None = None,
    ) -> None:
        """Be ready.

        Args:
            place: who we are.
            store, peers, clock, metrics: as everywhere.
            report: what we tell the others of ourselves.
            changed: called when anything here has changed that others decide on.
            stepped_down: called with an incarnation under which nothing may be done any more, and why.
            is_taking: whether a claim on a lost owner, or a change of the active datacentre, is on its way.
            departed: called when another instance's registration has ended.
            tenure_settings, detector_settings: times.
            history: what is done is recorded there.
            guarded: our end of the guardian's pipe.
        """
        self.place: Final = place
        self.roll: Final = Roll()
        self.lives: Final = Lives()
        self._store = store
        self._peers = peers
        self._clock = clock
        self._metrics = metrics
        self._report = report
        self._changed = changed
        self._stepped_down = stepped_down
        self._is_taking = is_taking
        self._tell_departed = departed
        self._tenure_settings = tenure_settings
        self._detector_settings = detector_settings
        self._history = history
        self._guarded = guarded
        self._detector: detector.Detector | None = None
        self._listings = Listings(place, self.lives, self.roll, store, clock)
        self.registration: Final = Registration(
            place,
            self.lives,
            store,
            clock,
            tenure_settings,
            began=self._registered,
            changed=changed,
            troubled=self._trouble,
            history=history,
            guarded=guarded,
        )
        self._reasons: dict[InstanceId, str] = {}
        self._promises = tenure.Promises(settings=tenure_settings, started_s=clock.now_s())
        self._asked_at_s: dict[InstanceId, float] = {}
        self._asking: set[asyncio.Task[None]] = set()
        self._watch_heard_s: Callable[[], float] = lambda: float("-inf")
        self.fresh_since_s: float | None = None

    # --- what is so

    def is_fresh(self) -> bool:
        """Whether the roll is whole and was heard of lately."""
        return self.roll.is_complete and self._clock.now_s() - self._watch_heard_s() < FRESH_S

    def watch_age_s(self) -> float:
        """Seconds since the watch was last heard."""
        return self._clock.now_s() - self._watch_heard_s()

    def has_store(self) -> bool:
        """Whether our last renewal was confirmed within the share of the lease after which others are asked."""
        life = self.lives.current
        if life is None:
            return False
        settings = self._tenure_settings
        return self._clock.now_s() - life.tenure.renewed_s < settings.ask_share * settings.lease_s

    def members(self) -> tuple[detector.Member, ...]:
        """What we know of the others by their heartbeats."""
        return tuple(self._detector.members.values()) if self._detector is not None else ()

    def member(self, instance: InstanceId) -> detector.Member | None:
        """What we know of one of them."""
        return self._detector.members.get(instance) if self._detector is not None else None

    def reason_of(self, instance: InstanceId) -> str:
        """Why the verdict on an instance is as it is, in a sentence."""
        return self._reasons.get(instance, "")

    def owner(self, instance: InstanceId, datacentre: str, incarnation: int) -> OwnerView:
        """Say what is known of the owner that a claim names."""
        found = self.roll.find(datacentre, instance)
        listing, revision = self.roll.listing(datacentre, instance)
        return OwnerView(
            is_live=found is not None and found.incarnation == incarnation,
            is_proven_ended=self.roll.ended(datacentre, instance) >= incarnation,
            listing=frozenset(listing.names) if listing is not None else None,
            listing_revision=revision,
            bound_until_s=tenure.bound_until_s(self._promises, instance),
        )

    def bound_until_s(self, instance: InstanceId) -> float:
        """Return until when we promised to take nothing from an instance."""
        return tenure.bound_until_s(self._promises, instance)

    # --- what others tell and ask

    def heard(self, sender: InstanceId, beat: Heartbeat) -> None:
        """Take a heartbeat."""
        if self._detector is not None and beat.instance == sender:
            self._move(lambda now_s, known: detector.hear(known, beat, now_s))

    def promise(self, asker: InstanceId, question: TenureQuestion) -> TenureAnswer:
        """Answer an instance that has no store."""
        del question
        self._promises, said = tenure.answer(
            self._promises,
            asker,
            has_store=self.has_store(),
            is_taking=self._is_taking(),
            now_s=self._clock.now_s(),
        )
        return TenureAnswer(promised=said.promised, reason=said.reason)

    # --- the loops

    async def run(self) -> None:
        """Run all of them."""
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self.registration.run(), name="cluster registration")
            loops.create_task(self._watch(), name="cluster watch")
            loops.create_task(self._listings.run(), name="cluster listings")
            loops.create_task(self._beat_on(), name="cluster beat")

    def _registered(self, life: Life) -> None:
        now_s = self._clock.now_s()
        if self._detector is None:
            self._detector = detector.start(
                self.place.instance, self.place.datacentre, life.incarnation, now_s, self._detector_settings
            )
        else:
            self._detector = detector.begin_anew(self._detector, life.incarnation, now_s)
        self._listings.look()
        self._changed()

    async def _watch(self) -> None:
        """Keep the roll."""
        async with self._store.watch(CLUSTER_PREFIX) as watch:
            self._watch_heard_s = lambda: watch.heard_at_s
            while True:
                try:
                    told = await watch.next()
                except StoreRefused as error:
                    log_event(LOGGER, "store_refused", level="error", why=str(error))
                    await asyncio.sleep(REFUSED_RETRY_S)
                    continue
                for departed in self.roll.take(told):
                    self._departed(departed)
                if self.fresh_since_s is None:
                    self.fresh_since_s = self._clock.now_s()
                self._take_notice(told)

    def _take_notice(self, told: Snapshot | Changes) -> None:
        """Act on what the roll has just taken.

        Of listings on our own side nothing depends but our own, and with 100 instances most of what is told is one of
        those: each instance that comes or goes has all others write theirs.
        """
        place = self.place
        keys = {each.key for each in told.events} if isinstance(told, Changes) else set(told.entries)
        if not keys or not all(key.startswith(listing_prefix(place.datacentre)) for key in keys):
            self._meet()
            self._changed()
        elif listing_key(place.datacentre, place.instance) in keys:
            self._listings.look()

    def _departed(self, departed: Departed) -> None:
        if self._detector is None or departed.instance == self.place.instance:
            return
        self._tell_departed()
        why = "the store saw its lease end"
        if self.roll.ended(departed.datacentre, departed.instance) >= departed.incarnation:
            why = "its end is proven"
        self._move(
            lambda now_s, known: detector.store_saw_end(known, departed.instance, departed.incarnation, now_s, why=why)
        )

    def _meet(self) -> None:
        """Be linked to whoever is registered, and list them."""
        others = {
            each.instance: each.node.peer_address
            for each in self.roll.registered()
            if each.instance != self.place.instance and each.node.peer_address
        }
        self._peers.know(others)
        self._listings.look()

    # --- beating, and our tenure

    async def _beat_on(self) -> None:
        """Let time pass: heartbeats, verdicts, promises, the end of our tenure."""
        try:
            while True:
                now_s = self._clock.now_s()
                if self._detector is not None:
                    self._move(lambda at_s, known: detector.tick(known, at_s))
                    self._beat(now_s)
                self._look_after_tenure(now_s)
                if self._guarded is not None:
                    self._guarded.alive()
                await asyncio.sleep(TICK_S)
        finally:
            for task in self._asking:
                task.cancel()
            await asyncio.gather(*self._asking, return_exceptions=True)

    def _beat(self, now_s: float) -> None:
        assert self._detector is not None, "beats from the registration on"
        if now_s < self._detector.beat_at_s:
            return
        self._detector, sent = detector.beat(self._detector, self._report(), now_s)
        for each in self.roll.registered():
            if each.instance != self.place.instance:
                self._peers.tell(each.instance, sent)

    def _look_after_tenure(self, now_s: float) -> None:
        for life, reason in self.lives.end_passed(now_s):
            log_event(LOGGER, "stepped_down", level="error", incarnation=life.incarnation, why=reason)
            self.registration.said = f"has stepped down: {reason}"
            if self._history is not None:
                self._history.record(SteppedDown, incarnation=life.incarnation, reason=reason)
            self._stepped_down(life.incarnation, reason)
            self._changed()
        for other in sorted(self.lives.to_ask(now_s)):
            if now_s >= self._asked_at_s.get(other, float("-inf")) + self._tenure_settings.ask_interval_s:
                self._asked_at_s[other] = now_s
                task = asyncio.get_running_loop().create_task(self._ask_for_promise(other))
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)

    async def _ask_for_promise(self, other: InstanceId) -> None:
        latest = self.lives.latest
        if latest is None:
            return
        asked_s = self._clock.now_s()
        try:
            said = await self._peers.ask(other, TenureQuestion(incarnation=latest.incarnation), self._ask_limit_s())
        except PeerUnreachable as error:
            answer = tenure.Answer(promised=False, reason=str(error))
        else:
            promised = isinstance(said, TenureAnswer) and said.promised
            reason = said.reason if isinstance(said, TenureAnswer) else "it does not understand"
            answer = tenure.Answer(promised=promised, reason=reason)
        now_s = self._clock.now_s()
        self.lives.change(lambda each: tenure.answered(each, other, answer, asked_s=asked_s, now_s=now_s))

    def _ask_limit_s(self) -> float:
        return 2 * self._tenure_settings.ask_interval_s

    def _move(self, step: Callable[[float, detector.Detector], detector.Moved]) -> None:
        assert self._detector is not None, "there is a detector from the registration on"
        self._detector, changes = step(self._clock.now_s(), self._detector)
        for each in changes:
            self._reasons[each.instance] = each.reason
            self._metrics.suspicions.labels(outcome=each.after.value).inc()
            level = "info" if each.after is detector.Verdict.ALIVE else "warning"
            log_event(LOGGER, f"instance_{each.after.value}", level=level, peer=each.instance, why=each.reason)
        if changes:
            self._changed()

    def _trouble(self) -> None:
        if self._detector is not None:
            self._detector = detector.note_own_trouble(self._detector, self._clock.now_s())
