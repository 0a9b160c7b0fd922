from __future__ import annotations

from tests.unit.links.fakes import ManualClock

from unified_agent.domain.facts import TurnGiven, TurnPlanned
from unified_agent.domain.ids import SessionId
from unified_agent.domain.states import Side
from unified_agent.sessions.login_pacer import CATCH_UP_S, LoginPacer


class LateClock(ManualClock):
    """Its timers can come late: ``set`` moves to a time first, and makes the calls that were due before then."""

    def set(self, now_s: float) -> None:
        self._now_s = now_s
        self.turn()


class Line:
    def __init__(self, rate_per_s: float) -> None:
        self.clock = LateClock(0.0)
        self.given: list[tuple[str, float]] = []
        self.planned: dict[str, float] = {}
        self.pacer = LoginPacer(self.clock, self.take, rate_per_s=rate_per_s)

    def take(self, fact: TurnPlanned | TurnGiven) -> None:
        if isinstance(fact, TurnPlanned):
            self.planned[fact.session] = fact.at_s
        else:
            self.given.append((fact.session, self.clock.now_s()))

    def join(self, *names: str, side: Side = Side.TELEPHONY) -> None:
        for name in names:
            self.pacer.join(SessionId(name), side)


def test_one_alone_is_let_through_at_once_and_never_inside_the_asking():
    line = Line(10)
    line.join("a")
    assert line.given == []
    line.clock.turn()
    assert line.given == [("a", 0.0)]
    assert line.planned == {}


def test_a_crowd_is_let_through_in_order_at_the_rate():
    line = Line(10)
    line.join(*(str(each) for each in range(1_000)))
    line.clock.advance(200)
    assert [name for name, _ in line.given] == [str(each) for each in range(1_000)]
    times = [at_s for _, at_s in line.given]
    assert times[0] == 0.0
    assert abs(times[-1] - 99.9) < 0.01
    for later in range(10, 1_000):
        assert times[later] - times[later - 10] > 0.99, "more than ten in a second"


def test_who_waits_for_long_is_told_when_the_turn_comes_and_that_is_when_it_comes():
    line = Line(10)
    line.join(*(str(each) for each in range(100)))
    line.clock.advance(20)
    given = dict(line.given)
    assert "3" not in line.planned
    assert abs(line.planned["50"] - given["50"]) < 0.01


def test_one_who_left_is_passed_over_and_one_who_asks_twice_is_let_through_once():
    line = Line(10)
    line.join("a", "b", "b", "c")
    line.pacer.leave(SessionId("a"))
    line.clock.advance(5)
    assert [name for name, _ in line.given] == ["b", "c"]
    assert line.pacer.waiting(Side.TELEPHONY) == 0


def test_switch_and_dialler_have_a_line_each():
    line = Line(1)
    line.join("a", "b")
    line.join("c", side=Side.DIALLER)
    line.clock.turn()
    assert [name for name, _ in line.given] == ["a", "c"]


def test_nobody_is_let_through_after_closing():
    line = Line(1)
    line.join("a", "b")
    line.pacer.close()
    line.clock.advance(10)
    assert line.given == []


def let_through_late(lateness_s: float) -> list[float]:
    """Let a crowd of 1,000 through at 200 a second on timers that all come late."""
    line = Line(200)
    line.join(*(str(each) for each in range(1_000)))
    for _ in range(10_000):
        if not line.clock.planned:
            break
        line.clock.set(max(line.clock.now_s(), line.clock.planned[0]) + lateness_s)
    return [at_s for _, at_s in line.given]


def test_timers_that_come_late_do_not_slow_the_crowd():
    for lateness_s in (0.001, 0.02, 0.2):
        times = let_through_late(lateness_s)
        assert len(times) == 1_000
        assert times[-1] - times[0] < 5.0 + 2 * lateness_s


def test_a_loop_that_was_stuck_for_long_lets_no_storm_through():
    times = let_through_late(3.0)
    assert max(times.count(at_s) for at_s in times) <= 200 * CATCH_UP_S + 1


def test_a_line_where_nobody_waited_has_nothing_to_make_good():
    line = Line(10)
    line.clock.advance(60)
    line.join(*(str(each) for each in range(20)))
    line.clock.turn()
    assert len(line.given) == 1
