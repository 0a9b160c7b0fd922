"""Whatever is cut, stopped or late: one owner an agent, one active datacentre an epoch; and after healing, service.

Then the proof of the proof: each rule is broken on purpose, and the same checks must notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from tests.property import cluster_walk as walks
from tests.property.cluster_world import AGENTS, CALL_LIMIT_S, STATIONS, TENURE, Instance, Store, Violated, World

from unified_agent.cluster import activation, ownership, tenure
from unified_agent.cluster import transactions as tx
from unified_agent.domain.states import Wish

NAMES = ("a1", "a2", "b1", "b2")
WISHES = st.sampled_from(list(Wish))


@pytest.mark.parametrize("block", range(10))
def test_no_walk_through_faults_breaks_a_rule_and_all_are_served_after_healing(block):
    for seed in range(block * 20, block * 20 + 20):
        try:
            world = walks.walk(seed)
            walks.heal(world)
            assert walks.settle(world) <= 10.0
        except AssertionError as failure:
            raise AssertionError(f"seed {seed}: {failure}") from failure


def test_walks_meet_what_they_are_for():
    """Changes of the active datacentre, claims on lost owners, and serving on promises do occur."""
    epochs, promised = 0, 0
    with mock.patch.object(walks, "step", side_effect=walks.step) as steps:
        for seed in range(60):
            world = walks.walk(seed)
            epochs += len(world.served) > 1
            now = [(life.tenure, world.clock(one)) for one in world.instances.values() for life in one.lives]
            promised += sum(
                tenure.may_act(each, at_s) and at_s > each.renewed_s + TENURE.lease_s * TENURE.step_down_share
                for each, at_s in now
            )
    assert steps.call_count == 60 * 150
    assert epochs >= 3
    assert promised >= 1


class Cluster(RuleBasedStateMachine):
    """The same world driven by hypothesis, so that a failure shrinks to a short story."""

    @initialize()
    def begin(self) -> None:
        self.world = World()
        walks.heal(self.world)
        walks.settle(self.world)

    def one(self, name: str) -> Instance:
        return self.world.instances[name]

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.0, 2.5]))
    def time_passes(self, seconds: float) -> None:
        self.world.advance(seconds)

    @rule(name=st.sampled_from(NAMES))
    def turn(self, name: str) -> None:
        walks.turn(self.world, self.one(name))
        self.world.check()

    @rule(name=st.sampled_from(NAMES), delay_s=st.sampled_from([0.0, 0.7, 2.0]))
    def renew(self, name: str, delay_s: float) -> None:
        self.world.renew(self.one(name), delay_s)

    @rule(name=st.sampled_from(NAMES), other=st.sampled_from(NAMES), delay_s=st.sampled_from([0.0, 0.4]))
    def ask(self, name: str, other: str, delay_s: float) -> None:
        if name != other:
            self.world.ask(self.one(name), self.one(other), delay_s, delay_s)

    @rule(name=st.sampled_from(NAMES), agent=st.sampled_from(AGENTS), at=st.sampled_from(STATIONS), wish=WISHES)
    def claim(self, name: str, agent: str, at: str, wish: Wish) -> None:
        self.world.claim(self.one(name), agent, at, wish, 1)

    @rule(name=st.sampled_from(NAMES), order=st.sampled_from([activation.Order.NONE, activation.Order.SWITCH]))
    def activate(self, name: str, order: activation.Order) -> None:
        self.world.activate(self.one(name), order)

    @rule(name=st.sampled_from(NAMES), what=st.sampled_from(["kill", "start", "freeze", "thaw", "cut", "mend"]))
    def fault(self, name: str, what: str) -> None:
        one = self.one(name)
        if what == "kill":
            self.world.kill(one, guarded=False)
        elif what == "start":
            self.world.start(one)
        elif what in {"freeze", "thaw"}:
            one.is_frozen = what == "freeze"
        elif what == "cut":
            self.world.cut.add((name, "store"))
        else:
            self.world.cut.discard((name, "store"))
        self.world.check()

    @rule(is_up=st.booleans())
    def store(self, is_up: bool) -> None:
        self.world.store_down(is_up=is_up)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            walks.heal(self.world)
            walks.settle(self.world)


Cluster.TestCase.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
TestCluster = Cluster.TestCase


# --- stories that chance seldom tells


def served_by_a1() -> World:
    """Return a healed world in which a1 serves agent 100, and everybody lists everybody."""
    world = World()
    walks.heal(world)
    for _ in range(16):
        for one in world.instances.values():
            walks.turn(world, one)
        world.advance(0.25)
    a1 = world.instances["a1"]
    world.claim(a1, AGENTS[0], STATIONS[0], Wish.LOGIN)
    assert AGENTS[0] in a1.lives[-1].claims
    return world


def try_to_take(world: World, name: str = "a2") -> None:
    one = world.instances[name]
    walks.turn(world, one)
    world.claim(one, AGENTS[0], STATIONS[0], Wish.RESUME)
    world.sync(one)
    world.check()


def owner_whose_renewal_was_answered_late() -> None:
    world = served_by_a1()
    world.renew(world.instances["a1"], 2.0)
    world.cut.add(("a1", "store"))
    for _ in range(60):
        world.advance(0.05)
        try_to_take(world)


def owner_that_only_one_other_can_replace() -> None:
    """All are cut off from a store that lives, then one gets it back while the others go on promising."""
    world = served_by_a1()
    world.cut |= {(name, "store") for name in NAMES}
    for turn in range(120):
        world.advance(0.1)
        for name in NAMES:
            for other in NAMES:
                if name != other:
                    world.ask(world.instances[name], world.instances[other])
        if turn == 55:
            assert AGENTS[0] in world.instances["a1"].lives[-1].claims
            assert tenure.may_act(world.instances["a1"].lives[-1].tenure, world.clock(world.instances["a1"]))
            world.cut.discard(("a2", "store"))
        if turn >= 55:
            try_to_take(world)


def datacentre_that_returns_while_the_other_is_about_to_take_over() -> None:
    world = served_by_a1()
    a1, b1 = world.instances["a1"], world.instances["b1"]
    for name in ("a1", "a2", "b2"):
        world.kill(world.instances[name], guarded=False)
    for _ in range(70):
        world.advance(0.1)
        world.renew(b1)
        if b1.others_gone_s is None or world.clock(b1) < b1.others_gone_s + 1.9:
            world.sync(b1)
    world.start(a1)
    world.renew(a1)
    world.sync(a1)
    world.activate(a1)
    world.advance(0.05)
    world.renew(b1)
    world.activate(b1)
    world.sync(b1)
    world.activate(b1)


def newcomer_whom_nobody_lists() -> None:
    """a1 is alone, lists nobody, and loses the store; another comes up who can reach it."""
    world = World()
    a1, a2 = world.instances["a1"], world.instances["a2"]
    world.start(a1)
    for _ in range(20):
        walks.turn(world, a1)
        world.advance(0.25)
    world.claim(a1, AGENTS[0], STATIONS[0], Wish.LOGIN)
    assert AGENTS[0] in a1.lives[-1].claims
    world.cut.add(("a1", "store"))
    world.start(a2)
    for _ in range(40):
        world.advance(0.25)
        try_to_take(world)


STORIES = (
    owner_whose_renewal_was_answered_late,
    owner_that_only_one_other_can_replace,
    datacentre_that_returns_while_the_other_is_about_to_take_over,
    newcomer_whom_nobody_lists,
)


@pytest.mark.parametrize("story", STORIES, ids=lambda each: each.__name__)
def test_no_story_breaks_a_rule(story):
    story()


# --- planted faults


def walks_of(count: int) -> Callable[[], None]:
    def run() -> None:
        for seed in range(count):
            walks.walk(seed)

    return run


def blind_to(kind: type) -> Any:
    honest = Store.holds
    return mock.patch.object(Store, "holds", lambda store, each: isinstance(each, kind) or honest(store, each))


def wrapped(place: Any, name: str, wrap: Callable[[Any], Any]) -> Any:
    return mock.patch.object(place, name, wrap(getattr(place, name)))


def believe_old_view(honest: Any) -> Any:
    return lambda view, *rest: honest(
        msgspec.structs.replace(view, revision=max(view.revision, view.incarnation)), *rest
    )


def believe_all_stood_down(honest: Any) -> Any:
    def decide(view: activation.View, *rest: Any) -> Any:
        epoch = view.active.epoch if view.active else 0
        others = tuple(msgspec.structs.replace(each, stood_down_epoch=epoch) for each in view.others)
        return honest(msgspec.structs.replace(view, others=others), *rest)

    return decide


def any_promise_is_enough(one: tenure.Tenure) -> float:
    return max(one.promised.values(), default=float("-inf"))


def owners_without_listing(honest: Any) -> Any:
    return lambda *args: {who: msgspec.structs.replace(owner, listing=None) for who, owner in honest(*args).items()}


FAULTS: dict[str, tuple[list[Any], Callable[[], None]]] = {
    "records are overwritten unread": ([blind_to(tx.ModifiedAt)], walks_of(40)),
    "the other side is not looked at when committing": (
        [blind_to(tx.NoneUnder)],
        datacentre_that_returns_while_the_other_is_about_to_take_over,
    ),
    "acts beyond its lease": (
        [mock.patch.object(tenure, "_lease_until_s", lambda one: one.renewed_s + 1.3 * TENURE.lease_s)],
        walks_of(150),
    ),
    "a renewal counts from its answer": (
        [wrapped(tenure, "renewal_confirmed", lambda f: lambda one, sent_s, now_s: f(one, sent_s=now_s, now_s=now_s))],
        owner_whose_renewal_was_answered_late,
    ),
    "steps down and comes back": ([mock.patch.object(tenure, "_end_if_past", lambda one, now_s: one)], walks_of(200)),
    "one promise is enough": (
        [mock.patch.object(tenure, "_promised_until_s", any_promise_is_enough)],
        owner_that_only_one_other_can_replace,
    ),
    "a promise does not bind": (
        [mock.patch.object(tenure, "bound_until_s", return_value=0.0)],
        owner_that_only_one_other_can_replace,
    ),
    "anybody may claim": (
        [wrapped(World, "owners", owners_without_listing)],
        newcomer_whom_nobody_lists,
    ),
    "believes a view from before its registration": (
        [wrapped(activation, "decide", believe_old_view)],
        walks_of(200),
    ),
    "does not wait until the other side stood down": (
        [wrapped(activation, "decide", believe_all_stood_down)],
        walks_of(100),
    ),
    "takes from the living": (
        [mock.patch.object(ownership, "_from_the_living", return_value=())],
        walks_of(60),
    ),
    "a term is not raised": ([mock.patch.object(ownership, "max", return_value=0, create=True)], walks_of(60)),
}


@contextmanager
def planted(faults: list[Any]) -> Iterator[None]:
    with ExitStack() as stack:
        for each in faults:
            stack.enter_context(each)
        yield


@pytest.mark.parametrize(("faults", "run"), FAULTS.values(), ids=FAULTS)
def test_planted_fault_is_caught(faults, run):
    with planted(faults), pytest.raises(Violated):
        run()


@given(st.lists(st.integers(0, 6), max_size=30))
def test_lower_term_is_refused_and_the_highest_only_grows(terms):
    known = ownership.Terms()
    highest = 0
    for term in terms:
        known, passes = ownership.admit(known, "100", term)
        assert passes == (term >= highest)
        highest = max(highest, term)
        assert known.highest.get("100", 0) == highest


def test_what_a_dead_process_sent_arrives_before_its_successor_promises():
    assert TENURE.promise_s >= 2 * CALL_LIMIT_S
