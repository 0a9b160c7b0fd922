"""Sessions are woken when they want it, with one timer for all of them."""

from __future__ import annotations

from msgspec.structs import replace
from tests.unit.links.fakes import ManualClock
from tests.unit.sessions.rooms import identity

from unified_agent.domain.ids import SessionId
from unified_agent.domain.limits import ABSENT_AFTER_S
from unified_agent.domain.session import new_session
from unified_agent.domain.session_state import Policy
from unified_agent.domain.states import Phase, Presence
from unified_agent.sessions.live import LiveSession
from unified_agent.sessions.wakes import Wakes

START_S = 1_000.0


class Bed:
    """Sessions that want to be woken ``ABSENT_AFTER_S`` after their desktop went."""

    def __init__(self) -> None:
        self.clock = ManualClock(START_S)
        self.woken: list[tuple[str, float]] = []
        self.wakes = Wakes(self.clock, lambda session, at_s: self.woken.append((session, at_s)))

    def session(self, name: str, wake_s: float) -> LiveSession:
        state = new_session(SessionId(name), identity(), Policy(), START_S)
        live = LiveSession(state, self.clock.now_s)
        self.want(live, wake_s)
        return live

    def want(self, live: LiveSession, wake_s: float | None) -> None:
        presence = Presence.CONNECTED if wake_s is None else Presence.SUSPECT
        since_s = START_S if wake_s is None else wake_s - ABSENT_AFTER_S
        live.state = replace(live.state, presence=presence, presence_since_s=since_s)
        self.wakes.plan(live)


def test_each_is_woken_at_its_time_in_the_order_of_times():
    bed = Bed()
    bed.session("late", 1_030.0)
    bed.session("early", 1_020.0)
    bed.clock.advance(25)
    assert bed.woken == [("early", 1_020.0)]
    bed.clock.advance(25)
    assert bed.woken == [("early", 1_020.0), ("late", 1_030.0)]


def test_there_is_one_timer_for_the_earliest():
    bed = Bed()
    for number in range(10):
        bed.session(f"s{number}", 1_030.0 - number)
    assert bed.clock.planned == [1_021.0]


def test_one_that_wants_it_earlier_than_planned_is_woken_at_both_times():
    bed = Bed()
    live = bed.session("s", 1_030.0)
    bed.want(live, 1_020.0)
    bed.clock.advance(40)
    assert bed.woken == [("s", 1_020.0), ("s", 1_030.0)], "the host passes over the one that stands no more"
    assert live.wake_s == 1_020.0


def test_one_that_wants_it_later_is_not_planned_twice():
    bed = Bed()
    live = bed.session("s", 1_020.0)
    bed.want(live, 1_030.0)
    bed.clock.advance(15)
    assert bed.woken == []
    bed.clock.advance(50)
    assert bed.woken == [("s", 1_020.0)], "it plans again when it is woken"


def test_one_that_wants_nothing_or_is_over_is_let_sleep():
    bed = Bed()
    live = LiveSession(new_session(SessionId("s"), identity(), Policy(), START_S), bed.clock.now_s)
    bed.want(live, None)
    live.state = replace(live.state, phase=Phase.CLOSED)
    bed.want(live, 1_020.0)
    assert bed.clock.planned == []


def test_those_due_at_once_are_woken_together():
    bed = Bed()
    for name in ("a", "b", "c"):
        bed.session(name, 1_020.0)
    bed.clock.advance(20)
    assert [name for name, _ in bed.woken] == ["a", "b", "c"]


def test_after_the_end_nobody_is_woken():
    bed = Bed()
    bed.session("s", 1_020.0)
    bed.wakes.close()
    bed.wakes.close()
    bed.clock.advance(100)
    assert bed.woken == []
