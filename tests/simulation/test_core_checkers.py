"""The simulated cluster itself: a seed tells one story, and each rule that is broken on purpose is found."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.simulation.cluster_faults import (
    Fault,
    machine_cut_off,
    process_killed,
    process_paused,
    site_cut_off,
    some_without_store,
)
from tests.simulation.test_core_seeds import one_core_world
from tests.simulation.virtual_loop import run

from unified_agent.cluster import activation, ownership, tenure
from unified_agent.cluster.activator import Activator
from unified_agent.cluster.lives import Lives
from unified_agent.cluster.members import Members
from unified_agent.cluster.ownership import Claim, OwnerView
from unified_agent.cluster.transactions import NotCreatedAt, Transaction
from unified_agent.domain.ids import InstanceId

pytestmark = pytest.mark.simulation


def found(seeds: range, words: str, *, instances: int, faults: Sequence[Fault]) -> bool:
    """Run worlds until one breaks by what the words say."""
    for seed in seeds:
        try:
            run(one_core_world(seed, instances=instances, faults=faults))
        except BaseException as error:
            if words in "".join(_words(error)):
                return True
    return False


def _words(error: BaseException) -> list[str]:
    inner = [word for each in getattr(error, "exceptions", ()) for word in _words(each)]
    return [str(error), *inner]


def _story(seed: int) -> str:
    return hashlib.sha256("\n".join(map(repr, run(one_core_world(seed)).story)).encode()).hexdigest()


def test_a_seed_tells_one_story_whatever_the_order_of_python_s_sets():
    stories = [_story(5)]
    play = "from tests.simulation import test_core_checkers as t; print(t._story(5))"
    for number in ("0", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": number, "PYTHONPATH": os.pathsep.join(sys.path)}
        played = subprocess.run(
            [sys.executable, "-c", play],
            env=environment, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=110, check=True,
        )  # fmt: skip
        stories.append(played.stdout.split()[-1])
    assert len(set(stories)) == 1


def test_an_owner_that_acts_on_after_its_lease_is_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tenure, "_lease_until_s", lambda held: held.renewed_s + 2 * held.settings.lease_s)
    assert found(range(6), "is owned by", instances=3, faults=[machine_cut_off])


def test_a_deed_that_is_not_checked_just_before_it_is_found(monkeypatch: pytest.MonkeyPatch):
    def may_always_act(self: Lives, incarnation: int, now_s: float) -> bool:
        return any(life.incarnation == incarnation for life in self)

    monkeypatch.setattr(Lives, "may_act", may_always_act)
    assert found(range(10, 30), "is owned by", instances=3, faults=[process_paused])


def test_a_claim_taken_from_the_living_is_found(monkeypatch: pytest.MonkeyPatch):
    decide = ownership.decide_claim
    see = Members.owner

    def never_mind_its_life(*given, **named):
        decision = decide(*given, **named)
        if not isinstance(decision, Claim):
            return decision
        conditions = tuple(each for each in decision.transaction.conditions if not isinstance(each, NotCreatedAt))
        return Claim(decision.term, Transaction(conditions, decision.transaction.writes), decision.reason)

    def see_it_dead(self: Members, instance: InstanceId, datacentre: str, incarnation: int) -> OwnerView:
        return replace(see(self, instance, datacentre, incarnation), is_live=False, is_proven_ended=True)

    monkeypatch.setattr(ownership, "decide_claim", never_mind_its_life)
    monkeypatch.setattr(Members, "owner", see_it_dead)
    assert found(range(4), "taken from the living", instances=4, faults=[process_killed])


def test_a_promise_that_does_not_bind_is_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tenure, "bound_until_s", lambda promises, owner: 0.0)
    assert found(range(12), "is owned by", instances=4, faults=[some_without_store])


def test_an_owner_that_carries_on_without_promises_is_found(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        tenure, "_promised_until_s", lambda held: float("inf") if held.asked is not None else float("-inf")
    )
    assert found(range(6), "is owned by", instances=3, faults=[machine_cut_off])


def test_a_datacentre_that_takes_over_because_the_other_is_silent_is_found(monkeypatch: pytest.MonkeyPatch):
    seen = Activator.view

    def see_only_who_is_heard(self: Activator) -> activation.View | None:
        view = seen(self)
        if view is None:
            return None
        heard = tuple(each for each in view.others if _is_heard(self._members, each.instance))
        return replace(view, others=heard, others_gone_s=0.0 if not heard else None)

    monkeypatch.setattr(activation, "_nobody_there", lambda view: ())
    monkeypatch.setattr(Activator, "view", see_only_who_is_heard)
    assert found(range(4), "is active", instances=4, faults=[site_cut_off])


def _is_heard(members: Members, instance: InstanceId) -> bool:
    member = members.member(instance)
    return member is not None and member.verdict.value == "alive"


def test_a_term_that_does_not_grow_is_found(monkeypatch: pytest.MonkeyPatch):
    decide = ownership.decide_claim

    def in_the_same_term(*given, **named):
        decision = decide(*given, **named)
        if not isinstance(decision, Claim):
            return decision
        writes = tuple(
            type(each)(each.key, replace(each.value, term=1)) if hasattr(each.value, "term") else each
            for each in decision.transaction.writes
        )
        return Claim(1, Transaction(decision.transaction.conditions, writes), decision.reason)

    monkeypatch.setattr(ownership, "decide_claim", in_the_same_term)
    assert found(range(2), "claimed without a new term", instances=3, faults=[process_killed])


@pytest.mark.parametrize(
    "fault",
    [machine_cut_off, process_paused, process_killed, some_without_store, site_cut_off],
    ids=lambda it: it.__name__,
)
def test_a_rule_holds_under_the_fault_that_finds_it_broken(fault: Fault):
    run(one_core_world(1, instances=4, faults=[fault]))
