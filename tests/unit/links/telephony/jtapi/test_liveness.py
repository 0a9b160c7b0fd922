from __future__ import annotations

import pytest
from tests.unit.links.fakes import ManualClock

from unified_agent.links.telephony.jtapi.liveness import Liveness


class Watched:
    """A process that answers while ``answers``; ``pings`` and ``silences`` are what was asked and told."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.answers = True
        self.pings: list[int] = []
        self.silences: list[float] = []
        self.liveness = Liveness(
            self.clock, interval_s=4.5, silence_limit_s=9.0, ping=self._ping, on_silence=self.silences.append
        )

    def _ping(self, number: int) -> None:
        self.pings.append(number)
        if self.answers:
            self.liveness.take_pong(number)


def test_a_process_that_answers_is_asked_again_and_again() -> None:
    watched = Watched()
    watched.liveness.begin()
    watched.clock.advance(45)
    assert watched.pings == list(range(1, 12))
    assert watched.silences == []


def test_a_process_that_answers_no_more_is_told_once_at_the_limit() -> None:
    watched = Watched()
    watched.liveness.begin()
    watched.answers = False
    watched.clock.advance(8.9)
    assert watched.silences == []
    watched.clock.advance(100)
    assert watched.silences == [pytest.approx(9.0)]
    assert watched.clock.planned == []


@pytest.mark.parametrize("number", [0, -1, 3])
def test_an_answer_to_what_was_not_asked_is_none(number: int) -> None:
    watched = Watched()
    watched.answers = False
    watched.liveness.begin()
    watched.clock.advance(8)
    watched.liveness.take_pong(number)
    watched.clock.advance(1.1)
    assert len(watched.silences) == 1


def test_its_first_word_is_waited_for_without_asking() -> None:
    watched = Watched()
    watched.liveness.expect(25)
    watched.clock.advance(24.9)
    assert (watched.pings, watched.silences) == ([], [])
    watched.clock.advance(0.2)
    assert watched.silences == [pytest.approx(25)]


def test_a_first_word_in_time_begins_the_asking() -> None:
    watched = Watched()
    watched.liveness.expect(25)
    watched.clock.advance(20)
    watched.liveness.begin()
    watched.clock.advance(30)
    assert watched.silences == []
    assert len(watched.pings) == 7


def test_time_in_which_we_stood_still_is_nobodys_silence() -> None:
    watched = Watched()
    watched.answers = False
    watched.liveness.begin()
    (due_s,) = watched.clock.planned
    watched.clock._now_s = due_s + 60
    watched.clock.turn()
    assert watched.silences == []
    watched.liveness.take_pong(1)
    watched.clock.advance(8.9)
    assert watched.silences == []
    watched.clock.advance(0.2)
    assert len(watched.silences) == 1


def test_nothing_is_asked_or_told_after_the_end() -> None:
    watched = Watched()
    watched.liveness.begin()
    watched.liveness.end()
    watched.liveness.end()
    watched.clock.advance(100)
    assert (watched.pings, watched.silences) == ([1], [])
