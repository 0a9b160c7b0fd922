"""A store in memory on the virtual clock, for the tests of this folder."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.simulation.virtual_loop import run

from unified_agent.clock import LoopClock
from unified_agent.cluster.stores.memory import MemoryStore
from unified_agent.cluster.stores.memory_engine import MemoryEngine

T = TypeVar("T")


def on_virtual_time(play: Callable[[MemoryEngine], Awaitable[T]], **options: float) -> T:
    """Run a test with an engine whose clock begins at 0 s."""

    async def main() -> T:
        clock = LoopClock(asyncio.get_running_loop(), wall_s=lambda: 0.0)
        return await play(MemoryEngine(clock, **options))  # type: ignore[arg-type]

    return run(main())


def connect(engine: MemoryEngine) -> MemoryStore:
    return MemoryStore(engine)
