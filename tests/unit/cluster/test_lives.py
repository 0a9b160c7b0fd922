"""Registrations of one instance, one after the other, and until when something may be done in each."""

from __future__ import annotations

from functools import partial

import pytest

from unified_agent.cluster import tenure
from unified_agent.cluster.lives import Life, Lives
from unified_agent.cluster.stores.base import LeaseId
from unified_agent.cluster.tenure import Answer, Tenure, TenureSettings
from unified_agent.domain.ids import InstanceId

SETTINGS = TenureSettings(lease_s=6.0)  # to be stopped at 4 s, others are asked from 2 s on
B1, B2 = InstanceId("b1"), InstanceId("b2")


def life(incarnation: int, *, renewed_s: float = 0.0, asks: frozenset[InstanceId] | None = frozenset()) -> Life:
    state = Tenure(settings=SETTINGS, renewed_s=renewed_s, asked=asks)
    return Life(incarnation=incarnation, lease=LeaseId(incarnation), tenure=state)


def lives(*begun: Life) -> Lives:
    made = Lives()
    for each in begun:
        made.begin(each)
    return made


def test_before_the_first_there_is_none():
    none = lives()
    assert (none.current, none.latest, tuple(none)) == (None, None, ())
    assert not none.may_act(0, 0.0)
    assert none.to_ask(0.0) == frozenset()
    assert none.end_passed(0.0) == ()


def test_new_claims_are_made_in_the_latest_while_it_has_its_lease():
    first, second = life(1), life(2)
    both = lives(first, second)
    assert both.current is both.latest is second
    second.lease = None
    assert (both.current, both.latest) == (None, second)


@pytest.mark.parametrize(("at_s", "may"), [(0.0, True), (3.99, True), (4.0, False), (9.0, False)])
def test_something_may_be_done_until_two_thirds_of_the_lease_and_in_its_own_life_only(at_s: float, may: bool):
    one = lives(life(1, asks=frozenset({B1})))
    assert one.may_act(1, at_s) is may
    assert not one.may_act(2, at_s)


def test_a_claim_of_an_earlier_life_counts_as_long_as_that_life_does():
    both = lives(life(1, renewed_s=0.0, asks=frozenset({B1})), life(2, renewed_s=3.0, asks=frozenset({B1})))
    assert both.may_act(1, 3.5)
    assert not both.may_act(1, 5.0)
    assert both.may_act(2, 5.0)


def test_those_whose_time_has_passed_are_ended_and_told_once():
    first, second = life(1, asks=frozenset({B1})), life(2, renewed_s=3.0, asks=frozenset({B1}))
    both = lives(first, second)
    ((ended, why),) = both.end_passed(5.0)
    assert ended is first
    assert "the lease could not be renewed" in why
    assert tuple(both) == (second,)
    assert both.end_passed(5.0) == ()


def test_what_is_told_is_told_to_all_and_revives_nobody():
    both = lives(life(1, asks=frozenset({B1})), life(2, renewed_s=1.0, asks=frozenset({B1})))
    both.change(partial(tenure.answered, other=B1, answer=Answer(promised=True, reason=""), asked_s=3.0, now_s=3.0))
    assert both.may_act(1, 5.8)
    assert both.may_act(2, 5.8)
    (late,) = lives(life(3, asks=frozenset({B1})))
    late_lives = lives(late)
    late_lives.end_passed(6.0)
    late_lives.change(
        partial(tenure.answered, other=B1, answer=Answer(promised=True, reason=""), asked_s=6.0, now_s=6.0)
    )
    assert not late_lives.may_act(3, 6.1)


def test_all_those_are_asked_whom_any_life_would_ask():
    both = lives(life(1, asks=frozenset({B1})), life(2, asks=frozenset({B2})))
    assert both.to_ask(1.9) == frozenset()
    assert both.to_ask(2.1) == {B1, B2}


def test_one_that_is_not_needed_is_dropped_and_dropping_twice_is_harmless():
    first, second = life(1), life(2)
    both = lives(first, second)
    both.drop(first)
    both.drop(first)
    assert tuple(both) == (second,)


def test_they_can_be_dropped_while_they_are_gone_through():
    both = lives(life(1), life(2))
    for each in both:
        both.drop(each)
    assert both.latest is None
