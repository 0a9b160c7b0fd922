"""One connection of a simulated desktop to one instance, from its hello to its end."""

from __future__ import annotations

import asyncio
from typing import Any, Final, Protocol

import msgspec
from tests.simulation.front_door import Events, open_events
from tests.simulation.network import HostNetwork

from unified_agent.client.silence import BEAT_S

Frame = dict[str, Any]

#: One try to open it, and from its hello to the first frame that makes it live, seconds.
OPEN_LIMIT_S: Final = 2.0
HELLO_LIMIT_S: Final = 6.0
#: After so long without an answer to our close it is cut.
CLOSE_LIMIT_S: Final = 1.0
#: What close codes mean to a desktop, as ids of ``refused`` frames do.
ENDS: Final = {
    1012: "restart",
    4400: "protocol.frame",
    4401: "session.unknown",
    4408: "slow",
    4409: "taken-over",
    4410: "session.ended",
    4420: "session.moved",
}
#: Ends after which a ticket finds the session.
NOT_HERE: Final = frozenset({"session.unknown", "session.moved"})


class Page(Protocol):
    """Whoever has lines."""

    def frame_received(self, line: Line, frame: Frame) -> None:
        """Take a frame."""
        ...


class Line:
    """One connection.

    Attributes:
        url: of the instance.
        token: with which it said hello.
        beat_s: how often the instance promised to say something.
        heard_s: when something came last, by our own clock.
        term: the highest it was told.
        goodbye: the instance's, None while it has said none.
        is_live: it shows the session.
        live_s: since when, by our own clock.
        end: why it is over, empty while it is not.
        reason: why the session has ended, if the instance said so when it refused us.
        changed: set by a goodbye, and at the end.
    """

    def __init__(self, page: Page, url: str, token: str, term: int) -> None:
        loop = asyncio.get_running_loop()
        self.url: Final = url
        self.token: Final = token
        self.beat_s = BEAT_S
        self.heard_s = loop.time()
        self.term = term
        self.goodbye: Frame | None = None
        self.is_live = False
        self.live_s = 0.0
        self.end = ""
        self.reason = ""
        self.changed: Final = asyncio.Event()
        self._page = page
        self._loop = loop
        self._settled: asyncio.Future[None] = loop.create_future()
        self._connection: Events | None = None

    async def open(self, network: HostNetwork) -> None:
        """Connect.

        Raises:
            OSError, TimeoutError: it cannot be had.
        """
        self._connection = await open_events(network, self.url, self, OPEN_LIMIT_S)
        self.heard_s = self._loop.time()

    async def greet(self, place: tuple[int | None, int | None], client: str) -> bool:
        """Say hello; returns whether it became live."""
        epoch, seq = place
        self.send({"type": "hello", "token": self.token, "epoch": epoch, "seq": seq, "client": client})
        try:
            async with asyncio.timeout(HELLO_LIMIT_S):
                await self._settled
        except TimeoutError:
            self.lose("no-welcome")
        return self.is_live

    def become_live(self) -> None:
        """It shows the session from now on."""
        self.is_live = True
        self.live_s = self._loop.time()
        self._settle()

    def send(self, frame: Frame) -> None:
        """Send a frame; nothing happens when the line is over."""
        if self._connection is not None and not self.end:
            self._connection.send(msgspec.json.encode(frame))

    def lose(self, why: str) -> None:
        """Give it up."""
        if self.end:
            return
        self.end = why
        self.is_live = False
        if self._connection is not None:
            self._loop.call_later(CLOSE_LIMIT_S, self._connection.abort)
            self._connection.close()
        self.changed.set()
        self._settle()

    def stall(self) -> None:
        """Take nothing more from it, as a frozen browser does."""
        if self._connection is not None:
            self._connection.stall()

    # --- told by the connection

    def text_received(self, data: bytes) -> None:
        """Take a frame, unless it is of an owner that is none any more."""
        if self.end:
            return
        self.heard_s = self._loop.time()
        frame: Frame = msgspec.json.decode(data)
        term = frame.get("term", self.term)
        if term < self.term:
            self.lose("old-term")
            return
        self.term = term
        if frame["type"] == "refused":
            self.reason = frame.get("reason", "")
            self.lose(frame["id"])
        elif frame["type"] == "goodbye":
            self.goodbye = frame
            self.changed.set()
        else:
            if frame["type"] == "welcome":
                self.beat_s = frame["beat_s"]
            self._page.frame_received(self, frame)

    def connection_lost(self, code: int, reason: str) -> None:
        """Know that it is over."""
        del reason
        self.lose(ENDS.get(code, "closed"))

    def _settle(self) -> None:
        if not self._settled.done():
            self._settled.set_result(None)
