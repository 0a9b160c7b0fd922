"""May this datacentre serve now? Each way to Stay, Prepare and Serve, with its reason and its transaction."""

from __future__ import annotations

import msgspec
import pytest

from unified_agent.cluster.activation import (
    ActivationSettings,
    Active,
    Order,
    Other,
    Prepare,
    Serve,
    Stay,
    View,
    decide,
)
from unified_agent.cluster.transactions import CreatedAt, ModifiedAt, NoneNewerUnder, NoneUnder
from unified_agent.domain.ids import InstanceId

EAST, WEST = "east", "west"
SETTINGS = ActivationSettings(primary=EAST)
NO_WITNESS = ActivationSettings(primary=EAST, has_witness=False)
A1, B1 = InstanceId("a1"), InstanceId("b1")
THERE = Other(instance=A1, incarnation=30, revision=31)
OWN = (ModifiedAt("cluster/active", 50), CreatedAt("cluster/node/west/b1", 40))
EMPTY = (NoneUnder("cluster/node/east/"), NoneNewerUnder("cluster/listing/east/", 90))
NOW_S = 1000.0
EAST_ACTIVE = Active(datacentre=EAST, epoch=4, reason="first start", by=A1)

#: The west looks at an east that is active in epoch 4 and has been gone for a minute.
VIEW = View(
    me=B1, datacentre=WEST, other=EAST, incarnation=40, revision=90,
    active=EAST_ACTIVE, active_revision=50,
    others=(), others_gone_s=940.0, may_act=True, has_store=True, is_fresh=True, started_s=900.0,
)  # fmt: skip


def view(**changes) -> View:
    return msgspec.structs.replace(VIEW, **changes)


def record(**changes) -> Active:
    return msgspec.structs.replace(EAST_ACTIVE, **changes)


def never(**changes) -> View:
    return view(active=None, active_revision=0, **changes)


HANDED_TO_US = {"active": record(epoch=5, handed_to=WEST)}
OURS = {"active": record(datacentre=WEST)}

STAYS = {
    "own tenure passed": (view(may_act=False), SETTINGS, "stepped down"),
    "own tenure passed, though active": (view(may_act=False, **OURS), SETTINGS, "stepped down"),
    "view older than registration": (view(revision=39, **OURS), SETTINGS, "older than our registration"),
    "a datacentre that nobody knows": (view(active=record(datacentre="north")), SETTINGS, "north"),
    "handed to one that nobody knows": (view(active=record(handed_to="north")), SETTINGS, "north"),
    "the other side lives": (view(others=(THERE,), others_gone_s=None), SETTINGS, "with a1"),
    "ordered to take while it lives": (view(others=(THERE,), order=Order.TAKE), SETTINGS, "with a1"),
    "no witness": (VIEW, NO_WITNESS, "only a person"),
    "no store": (view(has_store=False), SETTINGS, "no quorum"),
    "no store, ordered": (view(has_store=False, order=Order.TAKE), SETTINGS, "no quorum"),
    "stale watch": (view(is_fresh=False), SETTINGS, "no quorum"),
    "not listed": (view(unlisted_by=(A1,)), SETTINGS, "a1 would not have asked us"),
    "handed over, other half": (
        view(active=record(datacentre=WEST, handed_to=EAST), others=(THERE,)),
        SETTINGS,
        "handed over to east",
    ),
    "handed to us, no store": (view(has_store=False, **HANDED_TO_US), SETTINGS, "no quorum"),
    "switch ordered, no store": (
        view(others=(THERE,), order=Order.SWITCH, has_store=False),
        SETTINGS,
        "no quorum",
    ),
    "cold start, no store": (never(has_store=False), SETTINGS, "no quorum"),
    "cold start, primary lives": (never(others=(THERE,)), SETTINGS, "primary and has live"),
    "cold start, no witness": (never(), NO_WITNESS, "only a person"),
}

WAITS = {
    "delay runs": (view(others_gone_s=995.0), SETTINGS, 1005.0, "for 5.0 s"),
    "we promised": (view(bound_until_s=1002.0), SETTINGS, 1002.0, "promised"),
    "we promised, ordered": (view(bound_until_s=1002.0, order=Order.TAKE), SETTINGS, 1002.0, "promised"),
    "handed to us, one still serves": (view(others=(THERE,), **HANDED_TO_US), SETTINGS, None, "waiting for a1"),
    "handed to us, an old word": (
        view(others=(msgspec.structs.replace(THERE, stood_down_epoch=3),), **HANDED_TO_US),
        SETTINGS,
        None,
        "waiting for a1",
    ),
    "handed to us, we promised": (view(bound_until_s=1002.0, **HANDED_TO_US), SETTINGS, 1002.0, "promised"),
    "cold start, grace runs": (never(started_s=990.0), SETTINGS, 1020.0, "may still start"),
}

STOOD_DOWN = msgspec.structs.replace(THERE, stood_down_epoch=5)
FIRST = (ModifiedAt("cluster/active", 0), CreatedAt("cluster/node/west/b1", 40))

CHANGES = {
    "takeover": (VIEW, SETTINGS, (*OWN, *EMPTY), (WEST, 5, "")),
    "takeover at the very end of the delay": (view(others_gone_s=990.0), SETTINGS, (*OWN, *EMPTY), (WEST, 5, "")),
    "ordered, no delay": (view(others_gone_s=1000.0, order=Order.TAKE), SETTINGS, (*OWN, *EMPTY), (WEST, 5, "")),
    "ordered, no witness": (view(order=Order.TAKE), NO_WITNESS, (*OWN, *EMPTY), (WEST, 5, "")),
    "ordered, not listed": (view(unlisted_by=(A1,), order=Order.TAKE), SETTINGS, (*OWN, *EMPTY), (WEST, 5, "")),
    "switch with nobody there": (view(order=Order.SWITCH), NO_WITNESS, (*OWN, *EMPTY), (WEST, 5, "")),
    "switch, first half": (
        view(others=(THERE,), others_gone_s=None, order=Order.SWITCH), SETTINGS, OWN, (EAST, 5, WEST),
    ),
    "switch, second half": (
        view(others=(STOOD_DOWN,), others_gone_s=None, **HANDED_TO_US),
        SETTINGS,
        (*OWN, CreatedAt("cluster/node/east/a1", 30), NoneNewerUnder("cluster/listing/east/", 90)),
        (WEST, 6, ""),
    ),
    "switch, nobody left there": (
        view(**HANDED_TO_US), SETTINGS, (*OWN, NoneNewerUnder("cluster/listing/east/", 90)), (WEST, 6, ""),
    ),
    "handed to the other side, which died": (
        view(active=record(datacentre=WEST, epoch=5, handed_to=EAST)), SETTINGS, (*OWN, *EMPTY), (WEST, 6, ""),
    ),
    "cold start, grace over": (never(), SETTINGS, FIRST, (WEST, 1, "")),
    "cold start, ordered": (never(started_s=999.0, order=Order.TAKE), NO_WITNESS, FIRST, (WEST, 1, "")),
    "cold start, primary": (
        never(started_s=999.0), ActivationSettings(primary=WEST, has_witness=False), FIRST, (WEST, 1, ""),
    ),
    "cold start, primary, other lives": (
        never(others=(THERE,), others_gone_s=None), ActivationSettings(primary=WEST), FIRST, (WEST, 1, ""),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("seen", "settings", "word"), STAYS.values(), ids=STAYS)
def test_stays_and_says_why(seen, settings, word):
    said = decide(seen, settings, NOW_S)
    assert isinstance(said, Stay)
    assert word in said.reason


@pytest.mark.parametrize(("seen", "settings", "again_s", "word"), WAITS.values(), ids=WAITS)
def test_prepares_without_changing_anything_and_says_when_to_ask_again(seen, settings, again_s, word):
    said = decide(seen, settings, NOW_S)
    assert isinstance(said, Prepare)
    assert said.transaction is None
    assert said.again_s == again_s
    assert word in said.reason


@pytest.mark.parametrize(("seen", "settings", "conditions", "written"), CHANGES.values(), ids=CHANGES)
def test_changes_the_record_only_on_its_conditions(seen, settings, conditions, written):
    said = decide(seen, settings, NOW_S)
    assert isinstance(said, Prepare)
    assert said.transaction is not None
    assert said.transaction.conditions == conditions
    (put,) = said.transaction.writes
    assert put.key == "cluster/active"
    assert isinstance(put.value, Active)
    assert (put.value.datacentre, put.value.epoch, put.value.handed_to) == written
    assert put.value.by == B1


@pytest.mark.parametrize(
    "how",
    [{}, {"has_store": False, "is_fresh": False}, {"others": (THERE,)}, {"unlisted_by": (A1,)}, {"bound_until_s": 2e3}],
)
def test_serves_while_the_record_names_us_and_our_tenure_runs(how):
    """A store that is out of reach ends the tenure, not the record."""
    assert decide(view(**OURS, **how), SETTINGS, NOW_S) == Serve(4, "west is active since epoch 4: first start")


def test_primary_that_returns_does_not_take_its_place_back():
    said = decide(view(others=(THERE,)), ActivationSettings(primary=WEST), NOW_S)
    assert isinstance(said, Stay)
    assert said.ask == EAST


def test_old_side_of_a_switch_is_told_for_which_epoch_to_stand_down():
    said = decide(view(active=record(datacentre=WEST, epoch=5, handed_to=EAST), others=(THERE,)), SETTINGS, NOW_S)
    assert said == Stay("handed over to east", EAST, 5)
