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
        self._main: asyncio.Task[Any] | None = None
        self.after_turn: Callable[[], None] | None = None
        self.broken: BaseException | None = None
        self.set_exception_handler(self._unhandled)

    def break_off(self, error: BaseException) -> None:
        """End the run by an error; the first one counts. What runs is cancelled, so that it can clean up."""
        if self.broken is None:
            self.broken = error
            if self._main is not None:
                self._main.cancel()

    def play(self, main: Coroutine[Any, Any, T]) -> T:
        """Run to the end; see ``run``."""
        self._main = self.create_task(main)
        try:
            result: T = self.run_until_complete(self._main)
        finally:
            self.after_turn = None
            pending = asyncio.all_tasks(self)
            for task in pending:
                task.cancel()
            if pending:
                self.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
            self.run_until_complete(self.shutdown_asyncgens())
        return result

    def _unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An exception that nobody awaits is not lost: it ends the run."""
        self.break_off(context.get("exception") or AssertionError(context["message"]))

    def _run_once(self) -> None:
        super()._run_once()  # type: ignore[misc]
        if self.after_turn is not None and self.broken is None:
            try:
                self.after_turn()
            except AssertionError as error:
                self.break_off(error)

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
    """Run to the end on a loop of its own.

    Raises:
        BaseException: what ``main`` raised; or first of all what ``after_turn`` or a callback did, which nobody awaits.
    """
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        result = loop.play(main)
    except BaseException as error:
        if loop.broken is not None and loop.broken is not error:
            raise loop.broken from error
        raise
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    if loop.broken is not None:
        raise loop.broken
    return result
