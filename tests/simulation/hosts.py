"""Machines that can be stopped, killed and lost while others run on, all in one process and on one loop.

Whatever an instance runs (tasks, callbacks, timers) runs in a context that names its host, since asyncio hands the
context on: to the tasks that a task makes, to the timers that it sets. ``VirtualLoop`` looks at it just before a
callback runs, and leaves it lying while the host does not run.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from enum import Enum
from typing import Any, Final, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

#: On which host the present callback runs; None: nowhere, as the world itself and the peers that never fail.
HOST: Final[ContextVar[Host | None]] = ContextVar("HOST", default=None)
#: What runs nowhere.
NOWHERE: Final = Context()
#: How slow and how fast a host's clock may run.
RATES: Final = (0.99, 1.01)


class Power(Enum):
    """How a host stands."""

    RUNS = "runs"
    PAUSED = "paused"
    KILLED = "killed"


class Host:
    """One process on one machine, from its start to its end; a process that is started again is another ``Host``.

    Attributes:
        name: as the network knows it; the same for all processes that follow each other there.
        power: whether it runs.
        wall_jump_s: added to its wall clock; ``asyncio`` never looks at that.
        tasks: that have not ended, in the order of their making.
    """

    def __init__(self, name: str, *, now_s: float, rate: float = 1.0) -> None:
        """Start.

        Args:
            name: of the machine.
            now_s: the world's time.
            rate: how fast its clock runs; 1.01 is a hundredth too fast.
        """
        assert RATES[0] <= rate <= RATES[1], "clocks are not as bad as that"
        self.name: Final = name
        self.power = Power.RUNS
        self.wall_jump_s = 0.0
        self.tasks: dict[asyncio.Task[Any], None] = {}
        self._rate = rate
        self._began_s = now_s
        self._waiting: deque[asyncio.Handle] = deque()
        self._release: Callable[[deque[asyncio.Handle]], None] = lambda handles: None
        self._context = Context()
        self._context.run(HOST.set, self)

    def __repr__(self) -> str:
        return f"<{self.name} {self.power.value}>"

    # --- what runs there

    def context(self) -> Context:
        """Return a context of its own for something that runs there."""
        return self._context.copy()

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function there, at once."""
        assert self.power is Power.RUNS, f"{self.name} does not run"
        return self.context().run(function, *args, **kwargs)

    def spawn(self, doing: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run something there."""
        return asyncio.get_running_loop().create_task(doing, context=self.context())

    # --- power

    def pause(self) -> None:
        """Stop it as SIGSTOP does: what falls due waits."""
        if self.power is Power.RUNS:
            self.power = Power.PAUSED

    def resume(self) -> None:
        """Let it run on as SIGCONT does: all that waited runs now, in its order."""
        if self.power is Power.PAUSED:
            self._run_on()

    def kill(self) -> None:
        """End it as SIGKILL does: nothing of it runs any more. Its connections are the network's to reset."""
        self.power = Power.KILLED

    def dissolve(self) -> None:
        """Let it run after all, when the world is over: only so do its tasks end in order."""
        self._run_on()

    def _run_on(self) -> None:
        self.power = Power.RUNS
        waiting, self._waiting = self._waiting, deque()
        self._release(waiting)

    # --- the loop's side

    def keep(self, handle: asyncio.Handle, release: Callable[[deque[asyncio.Handle]], None]) -> None:
        """Take a callback that would run now; ``release`` gets it when the host runs again."""
        self._release = release
        self._waiting.append(handle)

    def local_s(self, now_s: float) -> float:
        """Return what its clock shows at a time of the world."""
        return self._began_s + (now_s - self._began_s) * self._rate

    def world_s(self, local_s: float) -> float:
        """Return when, in the world's time, its clock shows this."""
        return self._began_s + (local_s - self._began_s) / self._rate


def running_host(context: Context | None = None) -> Host | None:
    """Return the host that a context names, the present one if none is given."""
    return (copy_context() if context is None else context).get(HOST)
