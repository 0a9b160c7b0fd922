"""Session initiations at a steady pace, whatever becomes of the earlier ones, each counted with when it was answered.

One attempt is what a desktop does: ask, and wait. One that fails is tried once more, as desktops do too. A desktop
waits for 2 s, which a busy machine alone may need; what takes longer than that is counted.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from unified_agent.client.reaching import reach

#: One attempt, and what a desktop would wait for, seconds.
ATTEMPT_LIMIT_S: Final = 5.0
PATIENCE_S: Final = 2.0
#: For an agent whom nobody has; what only the query string holds must be in no log.
AGENT: Final = "590417"
REQUEST: Final = f"GET /v1/entry?agent={AGENT} HTTP/1.1\r\nHost: ua.example\r\nConnection: close\r\n\r\n".encode()
#: Asks once and returns the name of the instance; raises ``OSError`` or ``TimeoutError``.
Attempt = Callable[[], Awaitable[str]]


class NotInitiated(OSError):
    """It was answered, and not with an instance."""


@dataclass(slots=True, kw_only=True)
class Initiation:
    """One. Times are the loop's, seconds.

    Attributes:
        asked_at_s, answered_at_s: ``answered_at_s`` is that of the last attempt.
        instance: that was named; empty when no attempt was answered.
        attempts: how many there were.
        why: what the first attempt failed by.
    """

    asked_at_s: float
    answered_at_s: float = 0.0
    instance: str = ""
    attempts: int = 1
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a fault did to the initiations through one balancer.

    Attributes:
        asked: how many began while it was looked at.
        slow, late: those that took more than a second, and more than desktops wait for.
        failed: those whose first attempt came to nothing.
        lost: those that no second attempt cured either.
        longest_s: from the first attempt to the answer.
        next_good_s: from the fault until one that began after it was answered.
        why: what attempts failed by.
    """

    asked: int
    slow: int
    late: int
    failed: int
    lost: int
    longest_s: float
    next_good_s: float | None
    why: tuple[str, ...]


@dataclass(slots=True)
class Stream:
    """A steady stream of initiations through one balancer."""

    attempt: Attempt
    rate_per_s: float = 20.0
    done: list[Initiation] = field(default_factory=list)
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Begin one after the other until cancelled; then wait for those that have begun."""
        loop = asyncio.get_running_loop()
        began_s, number = loop.time(), 0
        try:
            while True:
                task = loop.create_task(self._one())
                self._running.add(task)
                task.add_done_callback(self._running.discard)
                number += 1
                await asyncio.sleep(max(0.0, began_s + number / self.rate_per_s - loop.time()))
        finally:
            await asyncio.gather(*self._running)

    async def _one(self) -> None:
        loop = asyncio.get_running_loop()
        one = Initiation(asked_at_s=loop.time())
        for attempt in (1, 2):
            one.attempts = attempt
            try:
                async with asyncio.timeout(ATTEMPT_LIMIT_S):
                    one.instance = await self.attempt()
                break
            except (OSError, TimeoutError) as error:
                one.why = one.why or f"{type(error).__name__} {error}".strip()
        one.answered_at_s = loop.time()
        self.done.append(one)

    def figures(self, fault_at_s: float, until_s: float) -> Figures:
        """Sum up what began between two moments, the first of them that of the fault; it must all have ended."""
        asked = [each for each in self.done if fault_at_s - ATTEMPT_LIMIT_S <= each.asked_at_s < until_s]
        asked = [each for each in asked if each.answered_at_s >= fault_at_s]
        after = [each.answered_at_s for each in asked if each.instance and each.asked_at_s >= fault_at_s]
        return Figures(
            asked=len(asked),
            slow=sum(each.answered_at_s - each.asked_at_s > 1.0 for each in asked),
            late=sum(each.answered_at_s - each.asked_at_s > PATIENCE_S for each in asked),
            failed=sum(each.attempts > 1 for each in asked),
            lost=sum(not each.instance for each in asked),
            longest_s=max((each.answered_at_s - each.asked_at_s for each in asked), default=0.0),
            next_good_s=min(after) - fault_at_s if after else None,
            why=tuple(sorted({each.why for each in asked if each.why})),
        )


def through(ports: Sequence[int], host: str = "127.0.0.1") -> Attempt:
    """Ask a balancer; of several the next when one refuses the connection."""

    async def attempt() -> str:
        problem: OSError = NotInitiated("no balancer")
        for port in ports:
            try:
                return await initiate(host, port)
            except ConnectionError as error:
                problem = error
        raise problem

    return attempt


def through_name(resolve: Callable[[], list[str]], port: int) -> Attempt:
    """Ask the addresses of a name in their order, a little overlapping, as the clients do with a list of servers."""

    async def attempt() -> str:
        addresses = await asyncio.get_running_loop().run_in_executor(None, resolve)
        reached = await reach(addresses, lambda address: initiate(address, port), lambda _: None)
        if reached.what is None:
            raise NotInitiated(f"none of {addresses}")
        return reached.what

    return attempt


async def initiate(host: str, port: int, limit_s: float = ATTEMPT_LIMIT_S) -> str:
    """Ask once, on a connection of its own, and return the instance that is named.

    Raises:
        OSError: nobody is there, the connection breaks, or the answer names none.
        TimeoutError: no answer in time.
    """
    async with asyncio.timeout(limit_s):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(REQUEST)
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head.split(b" ", 2)[1])
            body = await reader.read()
        except (asyncio.IncompleteReadError, IndexError, ValueError) as error:
            raise NotInitiated(f"broken off ({type(error).__name__})") from error
        finally:
            writer.transport.abort()
    if status != 200:
        raise NotInitiated(f"status {status}: {body[-200:]!r}")
    if b"transfer-encoding: chunked" in head.lower():
        body = b"".join(body.split(b"\r\n")[1::2])
    try:
        named: str = json.loads(body)["instance"]["id"]
    except (ValueError, KeyError) as error:
        raise NotInitiated(f"half an answer of {len(body)} bytes") from error
    return named
