"""Which of several servers answers: tried in their order, a little overlapping, so that a silent one costs little."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")

#: The next server is tried when the one before has not answered for so long, seconds: the pace of browsers.
STAGGER_S: Final = 0.3
#: So many are tried at a time.
AT_ONCE: Final = 2


@dataclass(frozen=True, slots=True)
class Reached(Generic[T]):
    """What came of it.

    Attributes:
        what: what the first server that answered gave, None when none did.
        failed: who was tried and did not answer.
        rest: who was not tried, or was too slow, in the order given.
    """

    what: T | None
    failed: tuple[str, ...]
    rest: tuple[str, ...]


async def reach(
    urls: Sequence[str],
    ask: Callable[[str], Coroutine[Any, Any, T]],
    drop: Callable[[T], None],
    *,
    first_s: float = STAGGER_S,
) -> Reached[T]:
    """Ask servers until one answers.

    Args:
        urls: in the order in which they are to be tried.
        ask: asks one, within a limit of its own; raises ``OSError`` or ``TimeoutError`` when it does not answer.
        drop: lets go of an answer that came just after the first.
        first_s: how long the first one may be silent before the second is asked.

    Raises:
        BaseException: what else ``ask`` raised.
    """
    waiting = deque(urls)
    running: dict[asyncio.Task[T], str] = {}
    failed: list[str] = []
    loop = asyncio.get_running_loop()
    try:
        while waiting or running:
            if waiting and len(running) < AT_ONCE:
                url = waiting.popleft()
                running[loop.create_task(ask(url), name=f"reach {url}")] = url
            more = bool(waiting) and len(running) < AT_ONCE
            stagger_s = first_s if url == urls[0] else STAGGER_S
            await asyncio.wait(running, timeout=stagger_s if more else None, return_when=asyncio.FIRST_COMPLETED)
            for task in [each for each in running if each.done()]:
                url = running.pop(task)
                if not isinstance(task.exception(), OSError | TimeoutError):
                    return Reached(task.result(), tuple(failed), _in_order(urls, [*running.values(), *waiting]))
                failed.append(url)
        return Reached(None, tuple(failed), ())
    finally:
        for task in running:
            task.cancel()
        for late in await asyncio.gather(*running, return_exceptions=True):
            if not isinstance(late, BaseException):
                drop(late)


def _in_order(urls: Sequence[str], some: Sequence[str]) -> tuple[str, ...]:
    return tuple(url for url in urls if url in some)
