"""An asyncio loop on virtual time: real tasks, futures and streams, no waiting, the same trace every run.

When nothing is ready the clock jumps to the next timer. When nothing is ready and nothing is scheduled the program is
stuck, which is an error with a name and not a test that hangs. What runs on a host (``hosts``) waits while that is
stopped, and sees that host's clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextvars import Context
from typing import Any, TypeVar

from tests.simulation.hosts import HOST, NOWHERE, Host, Power, running_host

T = TypeVar("T")

#: What is cancelled at the end must have ended after so many seconds; it is cancelled so often.
END_WITHIN_S = 60.0
CANCEL_TIMES = 3


class StuckError(RuntimeError):
    """Nothing is ready and nothing will ever be."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Attributes: ``now_s``: virtual seconds since the loop was made; ``after_turn``: called after every turn."""

    # What asyncio keeps for itself and this loop runs.
    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]
    _timer_cancelled_count: int

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self._clock_resolution = 1e-9
        self._main: asyncio.Task[Any] | None = None
        self._hosts: dict[Host, None] = {}
        self._is_over = False
        self.after_turn: Callable[[], None] | None = None
        self.broken: BaseException | None = None
        self.set_exception_handler(self._unhandled)

    def break_off(self, error: BaseException) -> None:
        """End the run by an error; the first one counts. What runs is cancelled, so that it can clean up.

        What a dead host's tasks do when the world is over, to end in order, is no error of anybody's.
        """
        if self.broken is None and not self._is_over:
            self.broken = error
            if self._main is not None:
                self._main.cancel()

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Have what is asserted within this block end the run, whoever catches it on its way."""
        try:
            yield
        except AssertionError as error:
            self.break_off(error)
            raise

    def play(self, main: Coroutine[Any, Any, T]) -> T:
        """Run to the end; see ``run``."""
        self._main = self.create_task(main)
        try:
            result: T = self.run_until_complete(self._main)
        finally:
            self.after_turn = None
            self.run_until_complete(self._end_all())
            self.run_until_complete(self.shutdown_asyncgens())
        return result

    async def _end_all(self) -> None:
        """Cancel what is left. A killed host's tasks run once more for it; what they have to say interests nobody.

        Whose main task ends is killed with it, so those that are left there must be let run each time.
        """
        self._is_over = bool(self._hosts)
        me = asyncio.current_task()
        left = [task for task in asyncio.all_tasks(self) if task is not me]
        for _ in range(CANCEL_TIMES):
            if not left:
                return
            for host in self._hosts:
                host.dissolve()
            for task in left:
                task.cancel()
            ended, _ = await asyncio.wait(left, timeout=END_WITHIN_S)
            for task in ended:
                if not task.cancelled():
                    task.exception()  # looked at: it came of being cancelled
            left = [task for task in asyncio.all_tasks(self) if task is not me]
        raise AssertionError(f"these cannot be ended: {left}")

    def _unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An exception that nobody awaits is not lost: it ends the run."""
        if not self._is_over:
            self.break_off(context.get("exception") or AssertionError(context["message"]))

    # --- time

    def time(self) -> float:
        """Return virtual seconds, as the clock of the present host shows them."""
        host = HOST.get()
        return self.now_s if host is None else host.local_s(self.now_s)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call back when the present host's clock shows ``when``."""
        host = HOST.get()
        at_s = when if host is None else host.world_s(when)
        return super().call_at(at_s, callback, *args, context=context)

    def call_at_world(
        self, at_s: float, callback: Callable[..., object], *args: Any, context: Context = NOWHERE
    ) -> asyncio.TimerHandle:
        """Call back at a time of the world, on the host that ``context`` names."""
        return super().call_at(at_s, callback, *args, context=context)

    # --- running

    def create_task(self, coro: Any, *, context: Context | None = None, **options: Any) -> asyncio.Task[Any]:
        """Make a task, known to its host."""
        task: asyncio.Task[Any] = super().create_task(coro, context=context, **options)
        host = running_host(context)
        if host is not None:
            self._hosts[host] = None
            host.tasks[task] = None
            task.add_done_callback(host.tasks.pop, context=NOWHERE)
        return task

    def _run_once(self) -> None:
        """Move the clock if nothing is ready, then run what is; asyncio's own method without sockets and with hosts."""
        while self._scheduled and self._scheduled[0].cancelled():
            self._unschedule()
            self._timer_cancelled_count -= 1
        if not self._ready and not self._stopping:  # type: ignore[attr-defined]
            if not self._scheduled:
                raise StuckError("nothing is ready and nothing is scheduled")
            self.now_s = max(self.now_s, self._scheduled[0].when())
        while self._scheduled and self._scheduled[0].when() < self.now_s + self._clock_resolution:
            self._ready.append(self._unschedule())
        for _ in range(len(self._ready)):
            self._run_on_its_host(self._ready.popleft())
        if self.after_turn is not None and self.broken is None:
            try:
                self.after_turn()
            except AssertionError as error:
                self.break_off(error)

    def _unschedule(self) -> asyncio.TimerHandle:
        handle = heapq.heappop(self._scheduled)
        handle._scheduled = False  # type: ignore[attr-defined]
        return handle

    def _run_on_its_host(self, handle: asyncio.Handle) -> None:
        if handle.cancelled():
            return
        host: Host | None = handle._context.get(HOST)  # type: ignore[attr-defined]
        if host is None or host.power is Power.RUNS:
            handle._run()
        else:
            host.keep(handle, self._ready.extend)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Count, and sweep when most of what is scheduled was cancelled."""
        super()._timer_handle_cancelled(handle)  # type: ignore[misc]
        if len(self._scheduled) > 100 and self._timer_cancelled_count > len(self._scheduled) // 2:
            for each in self._scheduled:
                each._scheduled = not each.cancelled()  # type: ignore[attr-defined]
            self._scheduled = [each for each in self._scheduled if not each.cancelled()]
            heapq.heapify(self._scheduled)
            self._timer_cancelled_count = 0

    def _write_to_self(self) -> None:
        """Nobody sleeps, so nobody needs to be woken from another thread."""

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        """Refuse: a thread has no virtual time."""
        raise RuntimeError(f"a simulated instance must not use threads: {func!r}")


class WorldClock:
    """The world's own time, whoever asks, for peers that run on no host: their timers run nowhere too."""

    def __init__(self, loop: VirtualLoop, epoch_s: float = 0.0) -> None:
        self._loop = loop
        self._epoch_s = epoch_s

    def now_s(self) -> float:
        """Return Unix seconds."""
        return self._epoch_s + self._loop.now_s

    def call_at(self, at_s: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        """See ``domain.ports.Clock``."""
        return self._loop.call_at_world(at_s - self._epoch_s, callback)


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
