from __future__ import annotations

from random import Random

import pytest
from tests.unit.links.fakes import FixedChance

from unified_agent.domain.backoff import delay_s


@pytest.mark.parametrize(("attempt", "bound_s"), [(1, 0.25), (2, 0.5), (3, 1.0), (5, 4.0), (6, 5.0), (10_000, 5.0)])
def test_the_bound_doubles_up_to_the_cap(attempt: int, bound_s: float):
    assert delay_s(attempt, FixedChance(1.0)) == bound_s
    assert delay_s(attempt, FixedChance(0.0)) == 0.0


def test_many_that_lost_the_same_peer_come_back_spread():
    chance = Random(1)
    delays = sorted(delay_s(6, chance) for _ in range(1_000))
    busiest = max(sum(1 for each in delays if at <= each < at + 0.1) for at in delays)
    assert busiest < 50
