"""Carries out what ``activation`` decides for our datacentre: begins to serve, prepares, or stands down.

One loop. Each round takes one view, decides, acts on it, and remembers the sentence that says why, for the health
page. To begin and to stand down is asked of whoever owns the links and sessions (``Service``); standing down is only
over when everything is closed, and only then is it said in our own key that the other side may begin.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from unified_agent.cluster import activation
from unified_agent.cluster.activation import ActivationSettings, Active, Order, Other, Prepare, Serve, Stay, View
from unified_agent.cluster.heartbeats import Stage
from unified_agent.cluster.holdings import Holdings, Serving
from unified_agent.cluster.members import FRESH_S, Members
from unified_agent.cluster.registry import Registry
from unified_agent.cluster.stores.base import Committed, PutValue, Store, StoreRefused, StoreUnavailable
from unified_agent.cluster.transactions import Transaction
from unified_agent.cluster.values import write_value
from unified_agent.domain.ids import InstanceId
from unified_agent.domain.ports import Clock
from unified_agent.history import History, StoodDown
from unified_agent.history import Serving as ServingEvent
from unified_agent.observe import Metrics, get_logger, log_event

LOGGER: Final = get_logger("cluster.activator")

#: How soon it is looked again whether our view has reached our registration, seconds.
CATCH_UP_S: Final = 0.05
#: Decided anew at least this often, seconds; changes bring it forward.
LOOK_AGAIN_S: Final = 0.5
#: After a store that did not answer: what was sent has landed by then or never will.
UNKNOWN_PAUSE_S: Final = 1.5
#: A person's order is carried out within this time or forgotten, seconds.
ORDER_LIMIT_S: Final = 60.0


class Service(Protocol):
    """Links and sessions of this instance."""

    async def begin(self, epoch: int) -> None:
        """Open links and doors."""
        ...

    async def stand_down(self, reason: str) -> None:
        """Close every session and link; returns when all is closed."""
        ...


class Activator:
    """See above. ``run`` ends by being cancelled.

    Attributes:
        decision: the last one.
        epoch_since_s: when the present epoch was first seen here; None before any was.
    """

    def __init__(
        self,
        members: Members,
        holdings: Holdings,
        registry: Registry,
        service: Service,
        *,
        store: Store,
        clock: Clock,
        metrics: Metrics,
        settings: ActivationSettings,
        stage: Callable[[], Stage],
        began: Callable[[], None],
        history: History | None = None,
    ) -> None:
        """Serve nobody yet.

        Args:
            members: who lives, on both sides.
            holdings: told whether we serve.
            registry: loses all claims when we stand down.
            service: opened and closed here.
            store, clock, metrics, settings: as everywhere.
            stage: what we do while we serve: ready or draining.
            began: told when we serve, so that claims that wait look again.
            history: what is done is recorded there.
        """
        self._members = members
        self._holdings = holdings
        self._registry = registry
        self._service = service
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._settings = settings
        self._stage = stage
        self._began = began
        self._history = history
        self._news = asyncio.Event()
        self._others_gone_s: float | None = None
        self._order = Order.NONE
        self._ordered_s = 0.0
        self._stood_down_epoch = 0
        self._in_flight = False
        self._epoch_seen = 0
        self._waits_for = 0  # the incarnation that our view has not reached yet
        self._waits_since_s = 0.0
        self.epoch_since_s: float | None = None
        self.decision: activation.Decision = Stay("has not looked yet")

    @property
    def is_taking(self) -> bool:
        """Whether a change of the active datacentre is on its way."""
        return self._in_flight

    @property
    def serves(self) -> bool:
        """Whether this instance serves now."""
        return self._holdings.serving is not None

    @property
    def epoch(self) -> int:
        """Of the active datacentre, as we know it; 0 for none."""
        active, _ = self._members.roll.active()
        return active.epoch if active is not None else 0

    def look_again(self) -> None:
        """Something has changed that the decision rests on."""
        self._news.set()

    def order(self, order: Order) -> None:
        """Take a person's order for our datacentre."""
        self._order, self._ordered_s = order, self._clock.now_s()
        log_event(LOGGER, "activation_ordered", level="warning", order=order.value)
        self._news.set()

    def view(self) -> View | None:
        """Return what a decision rests on now; None before the first registration."""
        life, place, roll = self._members.lives.latest, self._members.place, self._members.roll
        if life is None:
            return None
        now_s = self._clock.now_s()
        active, revision = roll.active()
        others = tuple(
            Other(
                instance=each.instance,
                incarnation=each.incarnation,
                revision=each.revision,
                stood_down_epoch=each.node.stood_down_epoch,
            )
            for each in roll.registered()
            if each.datacentre == place.other
        )
        if others or not roll.is_complete:
            self._others_gone_s = None
        elif self._others_gone_s is None:
            self._others_gone_s = now_s
        listings = tuple(roll.listings(place.other))
        unlisted = tuple(name for name, listing in listings if self._would_not_ask(name, listing.names))
        bounds = [self._members.bound_until_s(name) for name, _ in listings]
        return View(
            me=place.instance,
            datacentre=place.datacentre,
            other=place.other,
            incarnation=life.incarnation,
            revision=roll.revision,
            active=active,
            active_revision=revision,
            others=others,
            others_gone_s=self._others_gone_s,
            may_act=self._members.lives.may_act(life.incarnation, now_s),
            has_store=self._members.has_store(),
            is_fresh=self._members.is_fresh(),
            started_s=self._members.fresh_since_s if self._members.fresh_since_s is not None else now_s,
            unlisted_by=unlisted,
            bound_until_s=max(bounds, default=0.0),
            order=self._present_order(now_s),
        )

    async def run(self) -> None:
        """Decide and act, again and again."""
        while True:
            self._news.clear()
            pause_s = await self._once()
            try:
                async with asyncio.timeout(pause_s):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def stop(self) -> None:
        """Stand down for good."""
        await self._stand_down("stepped-down")

    # --- one round

    async def _once(self) -> float:
        view, now_s = self.view(), self._clock.now_s()
        if view is None:
            await self._stand_down("stepped-down")
            self._note(Stay(self._members.registration.said))
            return LOOK_AGAIN_S
        decision = activation.decide(view, self._settings, now_s)
        self._note(decision)
        match decision:
            case Serve():
                await self._serve(decision, view)
            case Prepare():
                await self._stand_down("passive" if view.may_act else "stepped-down")
                self._say(0)
                if decision.transaction is not None:
                    return await self._carry_out(decision.transaction)
                if decision.again_s is not None:
                    return min(LOOK_AGAIN_S, max(0.01, decision.again_s - now_s))
            case Stay() if self._waits_for_view(view, now_s):
                return CATCH_UP_S
            case Stay():
                await self._stand_down("passive" if view.may_act else "stepped-down")
                self._stood_down_epoch = decision.stood_down_epoch
                self._say(self._stood_down_epoch)
        return LOOK_AGAIN_S

    def _waits_for_view(self, view: View, now_s: float) -> bool:
        """Say whether we have been serving, and only our view lags behind a new registration.

        So it is for a moment when a store comes back that was away for longer than a lease: the registration may be
        answered before the watch is heard again, for which we wait as long as one may be silent. No harm comes of
        waiting: claims of before are good for as long as others promised, and one made anew is committed only while
        the record is as we knew it. Standing down would log everybody out for nothing.
        """
        if not (self.serves and view.may_act and view.revision < view.incarnation):
            return False
        if self._waits_for != view.incarnation:
            self._waits_for, self._waits_since_s = view.incarnation, now_s
        return view.is_fresh or now_s < self._waits_since_s + FRESH_S

    async def _serve(self, decision: Serve, view: View) -> None:
        self._order = Order.NONE
        serving = Serving(decision.epoch, view.active_revision)
        before = self._holdings.serving
        if before is not None and before.epoch != serving.epoch:
            await self._stand_down("passive")
        if self._holdings.serving is None:
            if self._history is not None:
                self._history.record(ServingEvent, epoch=serving.epoch, datacentre=view.datacentre)
            log_event(LOGGER, "serving", epoch=serving.epoch, why=decision.reason)
            self._holdings.serving = serving
            await self._service.begin(serving.epoch)
        self._holdings.serving = serving
        if serving != before:
            self._began()
        self._say(0)

    async def _stand_down(self, reason: str) -> None:
        serving = self._holdings.serving
        if serving is None:
            return
        log_event(LOGGER, "standing_down", level="warning", epoch=serving.epoch, reason=reason)
        self._holdings.serving = None  # from here on nothing may be done
        self._registry.lose(None, reason)
        await self._service.stand_down(reason)
        if self._history is not None:
            self._history.record(StoodDown, epoch=serving.epoch)

    async def _carry_out(self, change: Transaction) -> float:
        self._in_flight = True
        writes = [PutValue(each.key, write_value(each.value)) for each in change.writes]
        try:
            outcome = await self._store.transact(change.conditions, writes)
        except StoreRefused:
            return LOOK_AGAIN_S
        except StoreUnavailable:
            await asyncio.sleep(UNKNOWN_PAUSE_S)
            return LOOK_AGAIN_S
        finally:
            self._in_flight = False
        if isinstance(outcome, Committed):
            record = change.writes[0].value
            assert isinstance(record, Active), "the record of the active datacentre is all that is written"
            log_event(LOGGER, "activation_written", level="warning", epoch=record.epoch, why=record.reason)
        return LOOK_AGAIN_S

    # --- inside

    def _note(self, decision: activation.Decision) -> None:
        if decision.reason != self.decision.reason:
            log_event(LOGGER, "activation_decided", decision=type(decision).__name__.lower(), why=decision.reason)
        self.decision = decision
        if self.epoch != self._epoch_seen:
            self._epoch_seen, self.epoch_since_s = self.epoch, self._clock.now_s()
        self._metrics.cluster_epoch.set(self.epoch)
        self._metrics.cluster_is_active.set(isinstance(decision, Serve))

    def _say(self, stood_down_epoch: int) -> None:
        """Say in our key what we do."""
        serves = self._holdings.serving is not None
        self._members.registration.say(self._stage() if serves else Stage.JOINING, stood_down_epoch)

    def _present_order(self, now_s: float) -> Order:
        if self._order is not Order.NONE and now_s > self._ordered_s + ORDER_LIMIT_S:
            self._order = Order.NONE
        return self._order

    def _would_not_ask(self, name: InstanceId, names: tuple[InstanceId, ...]) -> bool:
        """Whether an instance of the other side may go on alone without asking us: then we must not take its place."""
        place, roll = self._members.place, self._members.roll
        if place.instance in names:
            return False
        listing, _ = roll.listing(place.other, name)
        return listing is not None and roll.ended(place.other, name) < listing.incarnation
