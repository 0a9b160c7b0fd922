"""The pool's decisions, cell by cell."""

from __future__ import annotations

import pytest

from unified_agent.domain.ids import LinkId
from unified_agent.links.dialler.pool_state import Health, PoolState
from unified_agent.settings import PoolSettings

A, B, C = LinkId("a"), LinkId("b"), LinkId("c")
SETTINGS = PoolSettings(lost_sessions=3, lost_window_s=2.0, hold_off_s=30.0)


def pool(*up: LinkId) -> PoolState:
    state = PoolState((A, B, C), SETTINGS, 0.0)
    for each in up:
        state.greeted(each, 0.0)
    return state


def put(state: PoolState, dialler: LinkId, health: Health) -> None:
    if health is Health.UP:
        state.greeted(dialler, 0.0)
    elif health is Health.SUSPECT:
        state.not_reached(dialler, "x", 1, 0.0)
    elif health is Health.DOWN:
        state.shut_down(dialler, 0.0)


@pytest.mark.parametrize("health", Health)
def test_only_diallers_that_are_up_or_unknown_are_chosen(health: Health):
    state = pool(B)
    put(state, A, health)
    assert state.choose(0.0) == (A if health in {Health.UP, Health.UNKNOWN} else B)


def test_order_preference_luck_and_hold_off_decide_in_turn():
    state = pool(A, B, C)
    assert state.choose(0.0) == A
    assert state.choose(0.0, preferred=B) == B
    assert state.choose(0.0, preferred=B, avoided=[B]) == A
    assert state.choose(0.0, preferred=B, tried=[B]) == A
    assert state.choose(0.0, avoided=[A, B, C]) == A, "unlucky, but there is no other"
    assert state.choose(0.0, tried=[A, B, C]) is None
    state.hold_off(A, 0.0)
    assert state.choose(29.9) == B
    assert state.choose(30.0) == A


_FAILED = {  # health before, agents there: health after, told down
    (Health.UNKNOWN, 0): (Health.DOWN, True),
    (Health.UNKNOWN, 1): (Health.SUSPECT, False),
    (Health.UP, 0): (Health.DOWN, True),
    (Health.UP, 1): (Health.SUSPECT, False),
    (Health.SUSPECT, 0): (Health.DOWN, True),
    (Health.SUSPECT, 1): (Health.SUSPECT, False),
    (Health.DOWN, 0): (Health.DOWN, False),
    (Health.DOWN, 1): (Health.DOWN, False),
}


@pytest.mark.parametrize(("before", "after"), _FAILED.items())
def test_a_failed_probe_in_every_state(before: tuple[Health, int], after: tuple[Health, bool]):
    state = pool()
    put(state, A, before[0])
    told = state.not_reached(A, "not-reached", before[1], 5.0)
    assert (state[A].health, told) == after


@pytest.mark.parametrize("before", Health)
def test_a_greeting_in_every_state(before: Health):
    state = pool()
    put(state, A, before)
    assert state.greeted(A, 5.0) is (before is not Health.UP)
    assert state[A].health is Health.UP


@pytest.mark.parametrize("before", Health)
def test_its_own_word_in_every_state(before: Health):
    state = pool()
    put(state, A, before)
    assert state.shut_down(A, 5.0) is (before is not Health.DOWN)
    assert state[A].health is Health.DOWN


@pytest.mark.parametrize("before", Health)
def test_the_last_agent_gone_in_every_state(before: Health):
    state = pool()
    put(state, A, before)
    assert not state.agent_left(A, 1, 5.0)
    assert state.agent_left(A, 0, 5.0) is (before is Health.SUSPECT)


def test_lost_sessions_count_only_within_the_window():
    state = pool(A)
    assert not state.session_lost(A, "closed", 9, 10.0)
    assert not state.session_lost(A, "closed", 9, 11.0)
    assert not state.session_lost(A, "closed", 9, 12.5)  # the first is too old
    assert state.session_lost(A, "closed", 9, 12.9)
    assert not state.session_lost(A, "closed", 9, 12.9), "told once"


def test_what_was_lost_before_it_came_back_does_not_count():
    state = pool(A)
    for _ in range(3):
        state.session_lost(A, "closed", 9, 10.0)
    state.greeted(A, 10.5)
    assert not state.session_lost(A, "closed", 9, 10.6)
    assert state[A].health is Health.UP


def test_a_suspect_dialler_is_down_with_its_last_agent():
    state = pool(A)
    state.not_reached(A, "not-reached", 2, 1.0)
    assert not state.session_lost(A, "closed", 1, 20.0)
    assert state.session_lost(A, "closed", 0, 40.0)


def test_probes_are_quicker_while_it_is_not_up():
    state = pool(A)
    assert state.probe_after_s(A) == SETTINGS.probe_interval_s
    assert state.probe_after_s(B) == SETTINGS.probe_down_interval_s


def test_any_answers_says_whether_waiting_for_one_makes_sense():
    state = pool()
    assert state.any_answers()
    for each in (A, B, C):
        state.shut_down(each, 0.0)
    assert not state.any_answers()
