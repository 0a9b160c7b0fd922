"""A simulated desktop's connection by long polls: requests and replies take their time, and some replies are lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import httpx

#: Of replies that are lost on their way.
LOST_SHARE = 0.1
#: One way between desktop and instance, seconds.
DELAY_S = (0.001, 0.02)
#: A frozen page wakes after so long, seconds: by then the instance has closed its connection.
FROZEN_S = 40.0


class PollLink:
    """One connection, opened by ``run`` and over when it returns.

    Attributes:
        live: it is not over.
    """

    def __init__(
        self, client: httpx.AsyncClient, random: Random, hello: dict[str, Any], take: Callable[[dict[str, Any]], None]
    ) -> None:
        self._client = client
        self._random = random
        self._hello = hello
        self._take = take
        self._headers = {"Authorization": f"Bearer {hello['token']}"}
        self._connection = ""
        self._ack = 0
        self._is_frozen = False
        self._polling: asyncio.Task[None] | None = None
        self._saying: set[asyncio.Task[None]] = set()
        self.live = False

    async def run(self) -> None:
        self.live = True
        self._polling = asyncio.get_running_loop().create_task(self._poll())
        try:
            await asyncio.wait([self._polling])
            if not self._polling.cancelled():
                self._polling.result()
        finally:
            self.drop()

    def send(self, frame: dict[str, Any]) -> bool:
        """Say something."""
        if not self.live or self._is_frozen or not self._connection:
            return False
        self._spawn(self._say(frame))
        return True

    def stall(self) -> None:
        """Ask for nothing more, as a frozen page does."""
        self._is_frozen = True

    def drop(self) -> None:
        """Close the page's end."""
        self.live = False
        if self._polling is not None:
            self._polling.cancel()

    # --- inside

    async def _poll(self) -> None:
        reply = await self._ask("/v1/events/poll", {"hello": self._hello})
        while self.live and reply is not None:
            self._connection = reply.get("connection", self._connection)
            if self._random.random() < LOST_SHARE and self._ack:
                reply = await self._ask_again()
                continue
            self._ack = reply["reply"]
            for frame in reply["frames"]:
                self._take(frame)
            if "closed" in reply:
                return
            if self._is_frozen:
                await asyncio.sleep(FROZEN_S)
                self._is_frozen = False
            reply = await self._ask_again()

    async def _ask_again(self) -> dict[str, Any] | None:
        return await self._ask("/v1/events/poll", {"connection": self._connection, "ack": self._ack})

    async def _say(self, frame: dict[str, Any]) -> None:
        await self._ask("/v1/events/frames", {"connection": self._connection, "frames": [frame]})

    async def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Ask, and return the answer; None for a connection that is not known."""
        await asyncio.sleep(self._random.uniform(*DELAY_S))
        answer = await self._client.post(path, json=body, headers=self._headers)
        await asyncio.sleep(self._random.uniform(*DELAY_S))
        assert answer.status_code in {200, 404}, answer.text
        return answer.json() if answer.status_code == 200 else None

    def _spawn(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(doing)
        self._saying.add(task)
        task.add_done_callback(self._saying.discard)
