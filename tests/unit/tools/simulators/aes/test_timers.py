"""What is due comes in order of time, then of asking."""

from __future__ import annotations

from unified_agent.tools.simulators.aes.timers import Timers


def test_due_things_come_in_order_and_once() -> None:
    timers, done = Timers(), list[str]()
    for due_s, name in ((2.0, "b"), (1.0, "a"), (2.0, "c"), (9.0, "z")):
        timers.at(due_s, lambda name=name: done.append(name))  # type: ignore[misc]
    assert timers.next_timer() == 1.0
    times = []
    while (due := timers.take_due(5.0)) is not None:
        times.append(due[0])
        due[1]()
    assert (done, times) == (["a", "b", "c"], [1.0, 2.0, 2.0])
    assert timers.next_timer() == 9.0


def test_without_anything_due_there_is_no_time() -> None:
    assert Timers().next_timer() is None
    assert Timers().take_due(1e9) is None
