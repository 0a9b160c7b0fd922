"""Reads of single keys, gathered: what is wanted while others are on their way is asked for in one request.

After an instance is lost hundreds of agents are claimed within seconds, each after three or four reads. One by one
these cost more CPU, here and at the members, than all else about a claim. A read that waits for two others to come
back goes out after it was wanted, so it is as current as one that goes alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from unified_agent.cluster.stores.base import Entry, StoreUnavailable

#: Requests on their way at a time, each for so many keys at most; etcd takes up to 128 in one (``--max-txn-ops``).
REQUESTS_AT_ONCE: Final = 2
KEYS_A_REQUEST: Final = 64

#: Reads keys in one request, as of one revision; returns them in the same order. Limited in time.
ReadAll = Callable[[Sequence[str]], Awaitable[Sequence[Entry | None]]]


class GatheredReads:
    """Keys that are wanted, and the requests on their way for them.

    Args:
        read_all: sends a request. Raises StoreUnavailable and StoreRefused, for whoever wanted one of its keys.
        waiting_limit: reads beyond this many are turned away.
    """

    def __init__(self, read_all: ReadAll, waiting_limit: int) -> None:
        self._read_all = read_all
        self._waiting_limit = waiting_limit
        self._wanted: dict[str, list[asyncio.Future[Entry | None]]] = {}
        self._requests: set[asyncio.Task[None]] = set()
        self._sending = 0
        self.waiting = 0

    async def get(self, key: str) -> Entry | None:
        """Read one key; safe to cancel.

        Raises:
            StoreUnavailable: too many wait already, or the store did not answer.
            StoreRefused: the store does not let us read it, or another key in the same request.
        """
        if self.waiting >= self._waiting_limit:
            raise StoreUnavailable(f"{self.waiting} reads wait for etcd already")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Entry | None] = loop.create_future()
        self._wanted.setdefault(key, []).append(answer)
        if self._sending < REQUESTS_AT_ONCE:
            self._sending += 1
            # It starts when whoever runs now has finished, and so takes along what they want besides.
            request = loop.create_task(self._ask(), name="read keys")
            self._requests.add(request)
            request.add_done_callback(self._requests.discard)
        self.waiting += 1
        try:
            return await answer
        finally:
            self.waiting -= 1

    async def close(self) -> None:
        """End what is on its way; whoever waits is cancelled."""
        requests = tuple(self._requests)
        for request in requests:
            request.cancel()
        await asyncio.gather(*requests, return_exceptions=True)
        for answer in (each for answers in self._wanted.values() for each in answers):
            answer.cancel()
        self._wanted.clear()

    async def _ask(self) -> None:
        """Send requests until nothing is wanted."""
        try:
            while taken := self._take():
                await self._send(taken)
        finally:
            # In the same step in which nothing was found: whoever wants something from now on begins another. The task
            # itself counts as running for a moment longer, in which those that it answered may read on.
            self._sending -= 1

    async def _send(self, taken: dict[str, list[asyncio.Future[Entry | None]]]) -> None:
        try:
            entries = await self._read_all(list(taken))
        except asyncio.CancelledError:
            for answer in _waiting(taken.values()):
                answer.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            for answer in _waiting(taken.values()):
                answer.set_exception(error)
        else:
            for answers, entry in zip(taken.values(), entries, strict=True):
                for answer in _waiting([answers]):
                    answer.set_result(entry)

    def _take(self) -> dict[str, list[asyncio.Future[Entry | None]]]:
        """Take what is wanted next; whoever was cancelled meanwhile wants nothing."""
        taken: dict[str, list[asyncio.Future[Entry | None]]] = {}
        for key in tuple(self._wanted):
            if len(taken) == KEYS_A_REQUEST:
                break
            answers = _waiting([self._wanted.pop(key)])
            if answers:
                taken[key] = answers
        return taken


def _waiting(wanted: Iterable[Sequence[asyncio.Future[Entry | None]]]) -> list[asyncio.Future[Entry | None]]:
    return [answer for answers in wanted for answer in answers if not answer.done()]
