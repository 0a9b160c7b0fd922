"""Who waits for something to be so in the view."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
Predicate = Callable[[Json], object]


class Waiters:
    """All who wait at one desk."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], Predicate] = {}

    async def wait(self, predicate: Predicate, limit_s: float) -> None:
        """Wait until ``look`` is given a view in which it is so; what the predicate raises is raised here.

        Raises:
            TimeoutError: not within the limit.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[future] = predicate
        try:
            async with asyncio.timeout(limit_s):
                await future
        finally:
            self._waiting.pop(future, None)

    def look(self, view: Json) -> None:
        """Let everybody look at the view."""
        for future, predicate in tuple(self._waiting.items()):
            if not future.done():
                _settle(future, predicate, view)

    def fail(self, error: Exception) -> None:
        """Give everybody this error."""
        for future in tuple(self._waiting):
            if not future.done():
                future.set_exception(error)


def _settle(future: asyncio.Future[None], predicate: Predicate, view: Json) -> None:
    try:
        if predicate(view):
            future.set_result(None)
    except Exception as error:  # noqa: BLE001 - it belongs to whoever waits, not to the connection
        future.set_exception(error)
