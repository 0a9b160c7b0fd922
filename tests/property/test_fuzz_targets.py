"""The fuzzer's targets, with what means something and is then broken: bounded, and the same in every run."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fuzz.targets import TARGETS, Target

#: One change: where, how many bytes of the old go, and what comes instead.
changes = st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 8), st.binary(max_size=6)), max_size=4)
#: Each target gets a share of the profile's examples.
MANY = settings(max_examples=settings().max_examples * 2)


def changed(seed: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for place, gone, instead in edits:
        at = place % (len(seed) + 1)
        seed = seed[:at] + instead + seed[at + gone :]
    return seed


@cache
def seeds_of(name: str) -> list[bytes]:
    return list(TARGETS[name].seeds())


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_what_is_meant_is_taken(target: Target) -> None:
    seeds = seeds_of(target.name)
    assert len(seeds) > 5
    for seed in seeds:
        target.run(seed)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@MANY
@given(data=st.data())
def test_what_is_broken_is_refused_in_order(target: Target, data: st.DataObject) -> None:
    seeds = seeds_of(target.name)
    first, second = data.draw(st.sampled_from(seeds)), data.draw(st.sampled_from([b"", *seeds]))
    target.run(changed(first, data.draw(changes)) + changed(second, data.draw(changes)))


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@given(anything=st.binary(max_size=300))
def test_any_bytes_at_all(target: Target, anything: bytes) -> None:
    target.run(anything)
