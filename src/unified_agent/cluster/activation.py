"""Pure: may this datacentre serve now?

One record in the store names the active datacentre, under an **epoch** that grows with every change of it. An instance
serves only while that record names its datacentre, and its own tenure runs. Who makes the decision of ``decide`` come
true is ``activator``; here it is only said, each time anew, from one view:

- **Serve**: the record names us; links and doors may open, stamped with the epoch.
- **Prepare**: not yet, be warm. It may carry the transaction that makes us active: when that is committed, and the
  record has been read back, the next decision is Serve.
- **Stay**: not us. What was open is closed.

The record changes in three ways, each one transaction that compares the record as it was read:

1. **Takeover**, without a person: the other side has had no live instance for ``takeover_delay_s``. The store itself
   checks at commit that no key of an instance is left on the other side, so neither silence nor an old view can make
   two active. It needs the store's quorum, which needs two of three sites: hence the witness.
2. **Planned switch**, by a person: first the record says that it is handed over, and then nobody is active. Each live
   instance of the old side stands down and says so in its own record; when all have, the new side takes it.
3. **A person's order** after a disaster: as a takeover, without the delay and where there is no witness. It still
   needs the store (the remaining members must first be told to form a quorum) and an empty other side.

The primary is preferred at a cold start only. It never takes its place back by itself: each change costs every agent
a new login.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from unified_agent.cluster.transactions import (
    ACTIVE_KEY,
    Condition,
    CreatedAt,
    ModifiedAt,
    NoneNewerUnder,
    NoneUnder,
    Put,
    Transaction,
    instance_key,
    instances_prefix,
    listing_prefix,
)
from unified_agent.domain.ids import InstanceId


class ActivationSettings(Struct, frozen=True, kw_only=True):
    """When a datacentre takes over.

    Attributes:
        primary: datacentre that begins when none was ever active.
        has_witness: whether the store has members at a third site. Without it nothing but a person changes anything.
        takeover_delay_s: the other side must have been without a live instance this long; leases already filter
            short faults, so this trades false alarms against agents' waiting.
        startup_grace_s: the side that is not primary waits this long at a cold start.
    """

    primary: str
    has_witness: bool = True
    takeover_delay_s: float = 10.0
    startup_grace_s: float = 30.0


class Active(Struct, frozen=True, kw_only=True):
    """The record: which datacentre is active.

    Attributes:
        datacentre: that serves, or served last while the record is handed over.
        epoch: grows by one with every change, also with the handing over.
        reason: of the change, in a sentence.
        by: instance that made it.
        handed_to: datacentre it is being handed to; "" in normal times. While it is set nobody is active.
    """

    datacentre: str
    epoch: int
    reason: str
    by: InstanceId
    handed_to: str = ""


class Other(Struct, frozen=True, kw_only=True):
    """A live instance of the other datacentre, as its key in the store says.

    Attributes:
        incarnation: create revision of its key.
        revision: of the last change of its key.
        stood_down_epoch: epoch of the latest handing over for which it says that it has stopped.
    """

    instance: InstanceId
    incarnation: int
    revision: int
    stood_down_epoch: int = 0


class Order(StrEnum):
    """What a person has ordered for our datacentre, and confirmed."""

    NONE = "none"
    #: Both sides live: move in good order.
    SWITCH = "switch"
    #: The other side is dead: do not wait. A person has looked, so nobody's listing stands in the way either.
    TAKE = "take"


class View(Struct, frozen=True, kw_only=True):
    """All that the decision rests on, as one instance sees it.

    Attributes:
        me: ourselves; ``datacentre``, ``incarnation``: ours.
        revision: all changes of the store up to this one are in the view.
        active: the record; None when none was ever active. ``active_revision``: of its last change, 0 for none.
        others: live instances of the other datacentre, ``other``.
        others_gone_s: since when there are none, by our clock; None while there are some.
        unlisted_by: instances of the other datacentre whose listing in the store, not proven void, lacks us.
        bound_until_s: the latest ``tenure.bound_until_s`` of all ever known on the other side.
        may_act: our own tenure has not passed (``tenure.may_act``).
        has_store: our last renewal was confirmed within a third of the lease.
        is_fresh: our watch has been heard within its watchdog's time.
        started_s: when our watch first held a whole view.
        order: a person's.
    """

    me: InstanceId
    datacentre: str
    other: str
    incarnation: int
    revision: int
    active: Active | None
    active_revision: int
    others: tuple[Other, ...]
    others_gone_s: float | None
    may_act: bool
    has_store: bool
    is_fresh: bool
    started_s: float
    unlisted_by: tuple[InstanceId, ...] = ()
    bound_until_s: float = 0.0
    order: Order = Order.NONE


class Serve(Struct, frozen=True):
    """Our datacentre is active in this epoch, and this instance may act."""

    epoch: int
    reason: str


class Prepare(Struct, frozen=True):
    """Be warm. Carry out the transaction if there is one; decide again then, or when the view changes."""

    reason: str
    transaction: Transaction | None = None
    again_s: float | None = None


class Stay(Struct, frozen=True):
    """Passive. ``ask``: the datacentre to which desktops are sent. ``stood_down_epoch``: to be written into our own
    key, once everything of ours is closed, for the handing over of that epoch."""

    reason: str
    ask: str = ""
    stood_down_epoch: int = 0


Decision = Stay | Prepare | Serve


def decide(view: View, settings: ActivationSettings, now_s: float) -> Decision:
    """Say whether our datacentre may serve now.

    Args:
        view: what is known, at one moment.
        settings: the same on every instance.
        now_s: monotonic seconds.
    """
    if not view.may_act:
        return Stay("this instance could not renew its lease and has stepped down")
    if view.revision < view.incarnation:
        return Stay("the view is older than our registration: what was active before may no longer be")
    active = view.active
    if active is None:
        return _cold_start(view, settings, now_s)
    strange = {active.datacentre, active.handed_to} - {view.datacentre, view.other, ""}
    if strange:
        return Stay(f"the record names {', '.join(sorted(strange))}, which is no datacentre of our settings")
    if active.handed_to:
        return _handed_over(view, active, settings, now_s)
    if active.datacentre == view.datacentre:
        return Serve(active.epoch, f"{view.datacentre} is active since epoch {active.epoch}: {active.reason}")
    if view.order is Order.SWITCH and view.others:
        return _hand_over(view, active, now_s)
    return _take_over(view, active, settings, now_s)


def _cold_start(view: View, settings: ActivationSettings, now_s: float) -> Decision:
    """None was ever active: the primary begins, the other one after a grace in which it saw nobody there."""
    hindered = _hindrance(view, now_s)
    if hindered is not None:
        return hindered
    if view.order is Order.NONE and view.datacentre != settings.primary:
        if view.others:
            return Stay(f"no datacentre was ever active; {view.other} is primary and has live instances", view.other)
        if not settings.has_witness:
            return Stay("without a witness only a person can make this datacentre active")
        again_s = view.started_s + settings.startup_grace_s
        if now_s < again_s:
            return Prepare(f"no datacentre was ever active; {view.other} is primary and may still start", None, again_s)
    # Both sides alive is no danger here: the record is absent, so nobody serves, and only one can write it.
    return Prepare("begin", _become_active(view, 1, "first start", ()))


def _take_over(view: View, active: Active, settings: ActivationSettings, now_s: float) -> Decision:
    """The record names the other side: take it only when nobody lives there, for long enough or by order."""
    if view.others:
        names = ", ".join(sorted(each.instance for each in view.others))
        return Stay(f"{view.other} is active in epoch {active.epoch} with {names}", view.other)
    ordered = view.order is not Order.NONE
    if not settings.has_witness and not ordered:
        return Stay(f"{view.other} has no live instance; without a witness only a person can decide", view.other)
    hindered = _hindrance(view, now_s)
    if hindered is not None:
        return hindered
    assert view.others_gone_s is not None, "no instance there, so there is a moment since when"
    again_s = view.others_gone_s + settings.takeover_delay_s
    if not ordered and now_s < again_s:
        return Prepare(f"{view.other} has no live instance for {now_s - view.others_gone_s:.1f} s", None, again_s)
    reason = "a person's order" if ordered else f"{view.other} had no live instance"
    return Prepare(f"take over: {reason}", _become_active(view, active.epoch + 1, reason, _nobody_there(view)))


def _hand_over(view: View, active: Active, now_s: float) -> Decision:
    """First half of a planned switch: say that nobody is active until the old side has stopped."""
    hindered = _hindrance(view, now_s)
    if hindered is not None:
        return hindered
    record = Active(
        datacentre=active.datacentre,
        epoch=active.epoch + 1,
        reason="a person's order",
        by=view.me,
        handed_to=view.datacentre,
    )
    return Prepare(f"ask {view.other} to hand over", Transaction(_own_conditions(view), (Put(ACTIVE_KEY, record),)))


def _handed_over(view: View, active: Active, settings: ActivationSettings, now_s: float) -> Decision:
    """Second half: the old side stands down, the new one takes the record when all have."""
    if active.handed_to != view.datacentre:
        if not view.others:  # the side that asked for it died before it took it
            return _take_over(view, active, settings, now_s)
        return Stay(f"handed over to {active.handed_to}", active.handed_to, active.epoch)
    hindered = _hindrance(view, now_s)
    if hindered is not None:
        return hindered
    serving = [each for each in view.others if each.stood_down_epoch != active.epoch]
    if serving:
        names = ", ".join(sorted(each.instance for each in serving))
        return Prepare(f"waiting for {names} to stand down")
    # One that registers there later reads the record first and finds that nobody is active. One that ended after it
    # stood down is no danger; one that ended before it did may go on with the promises of others, as in a takeover.
    stood: tuple[Condition, ...] = tuple(
        CreatedAt(instance_key(view.other, each.instance), each.incarnation) for each in view.others
    )
    listings = NoneNewerUnder(listing_prefix(view.other), view.revision)
    return Prepare(
        "take what was handed over", _become_active(view, active.epoch + 1, active.reason, (*stood, listings))
    )


def _hindrance(view: View, now_s: float) -> Stay | Prepare | None:
    """What keeps us from changing the record, whatever the reason to change it."""
    if not view.has_store or not view.is_fresh:
        return Stay("the store is out of reach here, or has no quorum: nothing can be decided", view.other)
    if view.unlisted_by and view.order is not Order.TAKE:
        names = ", ".join(sorted(view.unlisted_by))
        return Stay(f"{names} would not have asked us before going on alone: another instance must decide", view.other)
    if now_s < view.bound_until_s:
        return Prepare(f"an instance of {view.other} was promised that we wait", None, view.bound_until_s)
    return None


def _own_conditions(view: View) -> tuple[Condition, ...]:
    return (
        ModifiedAt(ACTIVE_KEY, view.active_revision),
        CreatedAt(instance_key(view.datacentre, view.me), view.incarnation),
    )


def _nobody_there(view: View) -> tuple[Condition, ...]:
    return (NoneUnder(instances_prefix(view.other)), NoneNewerUnder(listing_prefix(view.other), view.revision))


def _become_active(view: View, epoch: int, reason: str, conditions: tuple[Condition, ...]) -> Transaction:
    record = Active(datacentre=view.datacentre, epoch=epoch, reason=reason, by=view.me)
    return Transaction((*_own_conditions(view), *conditions), (Put(ACTIVE_KEY, record),))
