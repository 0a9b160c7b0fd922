"""An asyncio loop on virtual time: real tasks, futures and streams, no waiting, the same trace every run.

When nothing is ready the clock jumps to the next timer. When nothing is ready and nothing is scheduled the program is
stuck, which is an error with a name and not a test that hangs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class StuckError(RuntimeError):
    """Nothing is ready and nothing will ever be."""


class _Selector:
    """Stands where the loop waits for sockets; instead of waiting it moves the clock."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise StuckError("nothing is ready and nothing is scheduled")
        if timeout > 0:
            self._loop.now_s += timeout
        return []


class VirtualLoop(asyncio.BaseEventLoop):
    """Attributes: ``now_s``: virtual seconds since the loop was made; ``after_turn``: called after every turn."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self._selector = _Selector(self)
        self._clock_resolution = 1e-9
        self.failures: list[dict[str, Any]] = []
        self.after_turn: Callable[[], None] | None = None
        self.set_exception_handler(self._failed)

    def _failed(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Keep what nobody awaited; ``run`` fails by it."""
        self.failures.append(context)

    def _run_once(self) -> None:
        super()._run_once()  # type: ignore[misc]
        if self.after_turn is not None:
            self.after_turn()

    def time(self) -> float:
        """Return virtual seconds."""
        return self.now_s

    def _process_events(self, event_list: list[Any]) -> None:
        """There are no sockets."""

    def _write_to_self(self) -> None:
        """Nobody sleeps, so nobody needs to be woken from another thread."""

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        """Refuse: a thread has no virtual time."""
        raise RuntimeError(f"a simulated instance must not use threads: {func!r}")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end on a loop of its own. An exception that nobody awaited is raised here and not lost."""
    loop = VirtualLoop()
    try:
        asyncio.set_event_loop(loop)
        result = loop.run_until_complete(main)
        pending = asyncio.all_tasks(loop)
        for task in pending:
            task.cancel()
        if pending:
            loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    if loop.failures:
        context = loop.failures[0]
        raise AssertionError(f"{len(loop.failures)} unhandled in the loop, first: {context}") from context.get(
            "exception"
        )
    return result
