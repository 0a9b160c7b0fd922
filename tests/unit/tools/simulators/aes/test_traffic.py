"""Callers come at the rate and in the pattern that was set, wait, talk, and bring their data."""

from __future__ import annotations

import itertools
import random
import statistics
from typing import Any

import pytest
from tests.unit.tools.simulators.aes.floor import VDN, Floor

from unified_agent.errors import SettingsError
from unified_agent.tools.simulators.aes.traffic import Arrivals, Duration, DurationKind, Traffic, TrafficPlan


def stream(**plan: Any) -> Traffic:
    return Traffic(TrafficPlan(**{"calls_per_minute": 60.0, **plan}), chance=random.Random(5))


def arrivals(traffic: Traffic, floor: Floor, until_s: float) -> list[float]:
    times = []
    while (next_s := traffic.next_timer()) is not None and next_s <= until_s:
        traffic.advance(next_s, floor.switch)
        floor.settle()
        times.append(next_s)
    return times


def test_steady_calls_come_evenly() -> None:
    assert arrivals(stream(arrivals=Arrivals.STEADY), Floor(), 5.0) == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_poisson_calls_keep_the_mean_rate_and_vary() -> None:
    times = arrivals(stream(), Floor(), 600.0)
    gaps = [later - sooner for sooner, later in itertools.pairwise(times)]
    assert 500 < len(times) < 700
    assert 0.8 < statistics.stdev(gaps) < 1.2


def test_bursts_come_together_and_keep_the_mean_rate() -> None:
    floor, traffic = Floor(), stream(arrivals=Arrivals.BURST, burst_size=5)
    assert arrivals(traffic, floor, 20.0) == [5.0, 10.0, 15.0, 20.0]
    assert traffic.placed == 20


def test_calls_due_at_several_times_are_each_placed_at_their_own() -> None:
    floor, traffic = Floor(), stream(arrivals=Arrivals.STEADY)
    traffic.advance(3.5, floor.switch)
    assert [call.created_s for call in floor.board.calls.values()] == [1.0, 2.0, 3.0]


def test_each_call_brings_its_number_as_user_data() -> None:
    floor, traffic = Floor(), stream(arrivals=Arrivals.STEADY, user_data="ACC={n}")
    traffic.advance(2.0, floor.switch)
    assert [call.user_data for call in floor.board.calls.values()] == [b"ACC=1", b"ACC=2"]
    assert [call.calling for call in floor.board.calls.values()] == ["0207940001", "0207940002"]


def test_callers_abandon_and_hang_up_after_talking() -> None:
    fixed = Duration(kind=DurationKind.FIXED, mean_s=20.0)
    floor = Floor()
    traffic = stream(arrivals=Arrivals.STEADY, calls_per_minute=1.0, patience=fixed, talk=fixed)
    traffic.advance(60.0, floor.switch)
    floor.settle()
    floor.wait(20.0)
    assert floor.board.counters["calls_abandoned"] == 1


def test_traffic_stops_starts_and_changes_its_rate() -> None:
    floor, traffic = Floor(), stream(arrivals=Arrivals.STEADY)
    traffic.stop()
    assert traffic.next_timer() is None
    traffic.set_rate(30.0, 10.0)
    assert traffic.next_timer() is None
    traffic.start(10.0)
    assert traffic.next_timer() == 12.0
    traffic.set_rate(0.0, 11.0)
    assert traffic.next_timer() is None
    with pytest.raises(SettingsError):
        traffic.set_rate(-1.0, 12.0)
    assert floor.board.calls == {}


def test_calls_to_a_wrong_number_are_counted_as_refused() -> None:
    traffic = stream(arrivals=Arrivals.STEADY, number="99")
    traffic.advance(3.0, Floor().switch)
    assert (traffic.placed, traffic.refused) == (3, 3)


@pytest.mark.parametrize("kind", list(DurationKind))
def test_durations_have_their_mean_and_their_least(kind: DurationKind) -> None:
    chance = random.Random(3)
    duration = Duration(kind=kind, mean_s=30.0, spread_s=10.0, least_s=2.0)
    drawn = [duration.draw(chance) for _ in range(4000)]
    assert min(drawn) >= 2.0
    assert 28.5 < statistics.mean(drawn) < 31.5
    if kind is DurationKind.FIXED:
        assert set(drawn) == {30.0}
    if kind is DurationKind.LOGNORMAL:
        assert 9.0 < statistics.stdev(drawn) < 11.0


@pytest.mark.parametrize("wrong", [{"calls_per_minute": -1.0}, {"burst_size": 0}])
def test_impossible_traffic_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        TrafficPlan(**wrong)


def test_impossible_durations_are_refused() -> None:
    with pytest.raises(SettingsError):
        Duration(mean_s=0.0)


def test_vdn_is_the_default_number() -> None:
    assert TrafficPlan().number == VDN
