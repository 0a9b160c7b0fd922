"""Until when an instance may act: the lease, then promises, and never again after stepping down."""

from __future__ import annotations

import math

import pytest

from unified_agent.cluster import tenure
from unified_agent.cluster.tenure import Answer, AskOthers, CarryOn, Promises, StepDown, Tenure, TenureSettings
from unified_agent.cluster.transactions import CreatedAt, ModifiedAt
from unified_agent.domain.ids import InstanceId
from unified_agent.errors import SettingsError

SETTINGS = TenureSettings(lease_s=6.0, promise_s=3.0, margin_s=0.1)
B, C = InstanceId("b"), InstanceId("c")
YES, NO = Answer(promised=True, reason="we have no store either"), Answer(promised=False, reason="we have a store")


def holding(*names: InstanceId) -> Tenure:
    return Tenure(settings=SETTINGS, renewed_s=100.0, asked=frozenset(names))


def ask(one: Tenure, name: InstanceId, asked_s: float, said: Answer = YES) -> Tenure:
    return tenure.answered(one, name, said, asked_s=asked_s, now_s=asked_s)


@pytest.mark.parametrize(
    ("now_s", "kind"), [(100.0, CarryOn), (101.9, CarryOn), (102.0, AskOthers), (103.9, AskOthers), (104.0, StepDown)]
)
def test_a_third_of_the_lease_asks_the_others_and_two_thirds_step_down(now_s, kind):
    after, step = tenure.decide(holding(B, C), now_s)
    assert isinstance(step, kind)
    assert bool(after.ended) == (kind is StepDown)


def test_a_renewal_counts_from_when_it_was_sent():
    one = tenure.renewal_confirmed(holding(B), sent_s=102.0, now_s=103.5)
    assert tenure.act_until_s(one) == pytest.approx(106.0)
    late = tenure.renewal_confirmed(one, sent_s=101.0, now_s=103.6)
    assert tenure.act_until_s(late) == pytest.approx(106.0)


def test_nothing_revives_one_that_stepped_down():
    past = 104.0
    for revived in (
        tenure.renewal_confirmed(holding(B), sent_s=103.9, now_s=past),
        tenure.answered(holding(B), B, YES, asked_s=103.9, now_s=past),
        tenure.listing_confirmed(holding(B), frozenset(), past),
        tenure.lease_lost(holding(B), past),
    ):
        assert revived.ended
        assert not tenure.may_act(revived, 103.0)
        assert tenure.listing_confirmed(revived, frozenset(), 103.0).ended


def test_all_must_promise_for_an_instance_to_go_on_without_a_store():
    one = ask(ask(holding(B, C), B, 103.0), C, 103.5)
    assert tenure.act_until_s(one) == pytest.approx(105.9)
    _, step = tenure.decide(one, 105.0)
    assert isinstance(step, AskOthers)
    assert step.until_s == pytest.approx(105.9)
    assert step.others == (B, C)
    assert step.reason == "no renewal for a third of the lease; 2 of 2 others have no store either"
    assert tenure.act_until_s(ask(holding(B, C), B, 103.0)) == pytest.approx(104.0)


def test_one_with_a_store_lets_the_last_promise_run_out_and_is_named():
    one = ask(ask(ask(holding(B, C), B, 103.0), C, 103.0), C, 104.0, NO)
    one = ask(one, B, 105.0)
    assert tenure.may_act(one, 105.8)
    _, step = tenure.decide(one, 106.0)
    assert step == StepDown("the lease could not be renewed, and not all promised to wait (c: we have a store)")


def test_a_silent_one_is_named():
    _, step = tenure.decide(ask(holding(B, C), B, 103.0), 104.0)
    assert step == StepDown("the lease could not be renewed, and not all promised to wait (c: silent)")


def test_without_a_confirmed_listing_there_is_no_going_on():
    one = Tenure(settings=SETTINGS, renewed_s=100.0)
    one = ask(one, B, 103.0)
    assert tenure.act_until_s(one) == pytest.approx(104.0)
    _, step = tenure.decide(one, 103.0)
    assert isinstance(step, CarryOn)
    assert "our listing is not in the store" in step.reason
    _, step = tenure.decide(one, 104.0)
    assert isinstance(step, StepDown)


def test_one_that_listed_nobody_goes_on_alone():
    one = holding()
    assert tenure.act_until_s(one) == math.inf
    assert isinstance(tenure.decide(one, 500.0)[1], CarryOn)


def test_a_lost_lease_leaves_only_promises():
    assert tenure.lease_lost(holding(B), 101.0).ended
    one = tenure.lease_lost(ask(holding(B), B, 100.5), 101.0)
    assert not one.ended
    assert tenure.act_until_s(one) == pytest.approx(103.4)


def test_a_listing_that_may_be_in_the_store_is_asked_until_another_is_confirmed():
    one = tenure.listing_sent(holding(B), frozenset({C}))
    assert one.asked == {B, C}
    assert tenure.listing_confirmed(one, frozenset({C}), 101.0).asked == {C}
    assert tenure.listing_sent(Tenure(settings=SETTINGS, renewed_s=100.0), frozenset({C})).asked is None


def test_a_listing_rests_on_our_incarnation_and_on_the_listing_before():
    change = tenure.listing_transaction(B, "east", tenure.Listing(7, (C,)), revision=5)
    assert change.conditions == (CreatedAt("cluster/node/east/b", 7), ModifiedAt("cluster/listing/east/b", 5))
    assert change.writes[0].value == tenure.Listing(7, (C,))


@pytest.mark.parametrize(
    ("has_store", "is_taking", "now_s", "promised"),
    [
        (False, False, 53.0, True),
        (True, False, 53.0, False),
        (False, True, 53.0, False),
        (True, True, 53.0, False),
        (False, False, 52.9, False),
    ],
)
def test_who_has_a_store_or_takes_or_has_just_started_promises_nothing(has_store, is_taking, now_s, promised):
    mine = Promises(settings=SETTINGS, started_s=50.0)
    after, said = tenure.answer(mine, B, has_store=has_store, is_taking=is_taking, now_s=now_s)
    assert said.promised is promised
    assert tenure.bound_until_s(after, B) == (now_s + 3.0 if promised else 53.0)
    assert tenure.bound_until_s(after, C) == 53.0


def test_promises_that_ended_are_forgotten():
    mine, _ = tenure.answer(Promises(settings=SETTINGS, started_s=0.0), B, has_store=False, is_taking=False, now_s=10.0)
    mine, _ = tenure.answer(mine, C, has_store=False, is_taking=False, now_s=13.5)
    assert set(mine.made) == {C}


def test_the_asker_stops_before_the_promiser_may_take():
    asked_s, answered_s = 103.0, 103.4
    one = tenure.answered(holding(B), B, YES, asked_s=asked_s, now_s=103.8)
    mine, _ = tenure.answer(
        Promises(settings=SETTINGS, started_s=0.0), InstanceId("a"), has_store=False, is_taking=False, now_s=answered_s
    )
    assert tenure.act_until_s(one) < tenure.bound_until_s(mine, InstanceId("a"))


def test_the_lease_covers_the_longest_measured_interruption_of_renewals():
    assert tenure.lease_needed_s(0.5) == pytest.approx(3.6)
    assert tenure.lease_needed_s(0.5) * 2 / 3 > 1.86
    assert tenure.lease_needed_s(1.0) * 2 / 3 > 3.43
    assert TenureSettings().lease_s >= tenure.lease_needed_s(0.5)


@pytest.mark.parametrize(
    "wrong", [{"step_down_share": 1.0}, {"ask_share": 0.7}, {"ask_share": 0.0}, {"promise_s": 2.0}]
)
def test_settings_that_contradict_each_other_stop_the_start(wrong):
    with pytest.raises(SettingsError):
        TenureSettings(**wrong)
