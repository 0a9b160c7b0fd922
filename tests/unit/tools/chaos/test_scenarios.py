"""The faults that can be asked for."""

from __future__ import annotations

from unified_agent.tools.chaos import faults
from unified_agent.tools.chaos.scenarios import SCENARIOS


def test_every_fault_there_is_can_be_asked_for() -> None:
    strikes = {
        each
        for name, each in vars(faults).items()
        if callable(each) and getattr(each, "__module__", "") == faults.__name__
    }
    by_hand = {faults.Scene, faults.heal, faults.resume}
    assert {scenario.begin for scenario in SCENARIOS.values()} == strikes - by_hand


def test_what_nobody_may_notice_lasts_long_enough_to_be_noticed() -> None:
    for scenario in SCENARIOS.values():
        assert scenario.back_limit_s is not None or scenario.hold_s >= 10.0


def test_only_a_move_in_good_order_is_held_to_lose_nobody() -> None:
    assert [scenario.name for scenario in SCENARIOS.values() if scenario.planned] == ["drain"]
