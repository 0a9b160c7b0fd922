"""Time from a loop's clock, both set by hand."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from tests.unit.links.fakes import ManualClock

from unified_agent.clock import LoopClock


class Loop:
    """As much of an event loop as a clock uses; its time began with the machine."""

    def __init__(self) -> None:
        self.hand = ManualClock(50.0)
        self.time = self.hand.now_s
        self.call_at = self.hand.call_at


def clock_on(loop: Loop, wall: list[float]) -> LoopClock:
    return LoopClock(cast("asyncio.AbstractEventLoop", cast("Any", loop)), lambda: wall[0])


def test_it_shows_unix_seconds_and_goes_with_the_loop() -> None:
    loop = Loop()
    clock = clock_on(loop, [1_763_829_000.0])
    assert clock.now_s() == 1_763_829_000.0
    loop.hand.advance(2.5)
    assert clock.now_s() == 1_763_829_002.5


def test_a_step_of_the_wall_clock_changes_nothing() -> None:
    loop, wall = Loop(), [1_763_829_000.0]
    clock = clock_on(loop, wall)
    called: list[float] = []
    clock.call_at(1_763_829_010.0, lambda: called.append(clock.now_s()))
    wall[0] -= 3_600.0
    loop.hand.advance(9.9)
    assert called == []
    loop.hand.advance(0.2)
    assert called == [1_763_829_010.0]


def test_a_time_that_has_passed_is_called_soon_but_never_before_the_asking_returns() -> None:
    loop = Loop()
    clock = clock_on(loop, [1_763_829_000.0])
    called: list[str] = []
    clock.call_at(0.0, lambda: called.append("late"))
    assert called == []
    loop.hand.turn()
    assert called == ["late"]


def test_a_call_can_be_called_off() -> None:
    loop = Loop()
    clock = clock_on(loop, [1_763_829_000.0])
    called: list[str] = []
    clock.call_at(1_763_829_001.0, lambda: called.append("called")).cancel()
    loop.hand.advance(2)
    assert called == []
