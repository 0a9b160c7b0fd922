"""Any history that keeps the rules passes; any single fault planted in one is found."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.property.history_walk import FAULTS, Floor

CHANCES = st.randoms(use_true_random=False)


def walked(chance: random.Random, steps: int) -> Floor:
    floor = Floor(chance)
    for _ in range(steps):
        floor.step()
    return floor


@given(chance=CHANCES, steps=st.integers(0, 120))
def test_any_history_that_keeps_the_rules_passes(chance, steps):
    assert walked(chance, steps).story.check() == []


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.__name__ for fault in FAULTS])
@given(chance=CHANCES, before=st.integers(0, 60), after=st.integers(0, 30))
def test_any_single_fault_in_it_is_found(fault, chance, before, after):
    floor = walked(chance, before)
    assert floor.story.check() == []
    planted_from = len(floor.story.entries) + len(floor.story.told)
    fault(floor)
    assert len(floor.story.entries) + len(floor.story.told) > planted_from
    for _ in range(after):
        floor.step()
    assert FAULTS[fault] in {each.kind for each in floor.story.check()}


def test_walks_meet_what_they_are_for():
    """Claims on the dead, changes of the active datacentre and whole commands do occur."""
    epochs, terms, commands = 0, 0, 0
    for seed in range(20):
        floor = walked(random.Random(seed), 120)
        epochs = max(epochs, floor.epoch)
        terms = max(terms, *floor.terms.values())
        commands += len(floor.performed)
    assert epochs >= 3
    assert terms >= 5
    assert commands >= 20
