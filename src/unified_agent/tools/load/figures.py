"""Figures of a time in which nothing is lost: CPU, memory, delays, what was pressed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from typing import Final

from unified_agent.tools.load import usage
from unified_agent.tools.load.agents import Crowd
from unified_agent.tools.load.report import Phase, ProcessFigures, Spread
from unified_agent.tools.load.world import World, WorldUnreachable

#: What a process that was started meanwhile had used before.
_NOTHING: Final = usage.Usage(0.0, 0, 0)
#: How often the instance is asked how late its loop is, seconds.
_LAG_STEP_S: Final = 2.0


class Figures:
    """Takes the figures of a phase between entering and leaving it."""

    def __init__(self, world: World, crowd: Crowd) -> None:
        self._world = world
        self._crowd = crowd
        self._lag_s = 0.0
        self._phase: Phase | None = None
        self._lag_task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Figures:
        self._crowd.take_delays()
        self._tally = self._crowd.tally.copy()
        self._before = {pid: used for pid in self._world.pids.values() if (used := usage.usage_of(pid)) is not None}
        self._busy_s = usage.machine_busy_s()
        self._began_s = time.monotonic()
        self._lag_task = asyncio.create_task(self._watch_lag())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._lag_task is not None
        self._lag_task.cancel()
        await asyncio.gather(self._lag_task, return_exceptions=True)
        seconds = time.monotonic() - self._began_s
        processes = []
        for name, pid in self._world.pids.items():
            before, after = self._before.get(pid, _NOTHING), usage.usage_of(pid)
            if after is not None:
                processes.append(
                    ProcessFigures(
                        name=name,
                        cpu_share=round((after.cpu_s - before.cpu_s) / seconds, 4),
                        resident_bytes=after.resident_bytes,
                        peak_bytes=after.peak_bytes,
                    )
                )
        self._phase = Phase(
            seconds=round(seconds, 1),
            notice_delay=Spread.of(self._crowd.take_delays()),
            processes=tuple(processes),
            machine_busy=round((usage.machine_busy_s() - self._busy_s) / seconds / (os.cpu_count() or 1), 4),
            loop_lag_s=self._lag_s,
            pressed=dict(self._crowd.tally - self._tally),
        )

    def phase(self) -> Phase:
        """Return them, once the phase is left."""
        assert self._phase is not None
        return self._phase

    async def _watch_lag(self) -> None:
        while True:
            with contextlib.suppress(WorldUnreachable):
                self._lag_s = max(self._lag_s, (await self._world.status())["loop_lag_s"])
            await asyncio.sleep(_LAG_STEP_S)
