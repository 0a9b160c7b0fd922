"""Figures of a time in which nothing is lost."""

import asyncio
import os
from collections import Counter
from typing import Any, cast

import pytest

from unified_agent.tools.load import figures
from unified_agent.tools.load.figures import Figures
from unified_agent.tools.load.world import WorldUnreachable

pytestmark = pytest.mark.asyncio


class Watched:
    """World and crowd in one."""

    def __init__(self) -> None:
        self.pids = {"load": os.getpid(), "gone": 0}
        self.tally: Counter[str] = Counter({"answer-call": 3, "hang-up-call": 1})
        self.delays = [9.0]
        self.lags: list[float | None] = [0.01, None, 0.03, 0.02]

    async def status(self) -> dict[str, Any]:
        lag_s = self.lags.pop(0) if self.lags else 0.0
        if lag_s is None:
            raise WorldUnreachable("no")
        return {"loop_lag_s": lag_s}

    def take_delays(self) -> list[float]:
        delays, self.delays = self.delays, []
        return sorted(delays)


async def test_only_what_happened_meanwhile_counts(monkeypatch):
    monkeypatch.setattr(figures, "_LAG_STEP_S", 0.0)
    watched = Watched()
    async with Figures(cast("Any", watched), cast("Any", watched)) as taken:
        watched.tally["answer-call"] += 2
        watched.delays += [0.02, 0.01]
        while watched.lags:  # noqa: ASYNC110 - the task that empties it sets no event
            await asyncio.sleep(0)
    phase = taken.phase()
    assert phase.pressed == {"answer-call": 2}
    assert (phase.notice_delay.count, phase.notice_delay.most_s) == (2, 0.02)
    assert phase.loop_lag_s == 0.03
    assert [each.name for each in phase.processes] == ["load"]
    assert phase.processes[0].resident_bytes > 0
    assert phase.machine_busy >= 0


async def test_a_process_that_was_started_meanwhile_has_used_nothing_before(monkeypatch):
    monkeypatch.setattr(figures, "_LAG_STEP_S", 0.0)
    watched = Watched()
    watched.lags.clear()
    watched.pids = {"java": 0}
    async with Figures(cast("Any", watched), cast("Any", watched)) as taken:
        watched.pids = {"java": os.getpid()}
        await asyncio.sleep(0)
    (java,) = taken.phase().processes
    assert java.name == "java"
    assert java.cpu_share > 0
