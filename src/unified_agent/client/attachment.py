"""One connection of a desk to one server, from its hello on, and what proves whose desk it is."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from unified_agent.client.connection import Connection, Opener
from unified_agent.client.silence import BEAT_S

#: One try to connect, handshake included, seconds.
OPEN_LIMIT_S: Final = 2.0
#: How long a server may take to answer our close, seconds.
CLOSE_LIMIT_S: Final = 1.0

#: Ids that close codes stand for.
END_IDS: Final = {
    4400: "protocol.frame",
    4401: "session.unknown",
    4409: "taken-over",
    4410: "session.ended",
    4420: "session.moved",
}
#: Of these, and of ``refused`` frames: there may be a session elsewhere; a ticket finds it.
NOT_HERE_IDS: Final = frozenset({"session.unknown", "session.moved"})


@dataclass(slots=True, kw_only=True)
class Keys:
    """What proves whose desk this is.

    Attributes:
        number: counts the servers that gave us a token, from 0.
        url: the server that gave the token, and takes it.
        session: the session's id.
        token: the secret.
        ticket: what another server goes on with, together with the token; empty when there is none.
        refused: the server at ``url`` does not know the token any more.
    """

    number: int
    url: str
    session: str
    token: str
    ticket: str = ""
    refused: bool = False

    def need_ticket(self, url: str) -> bool:
        """Say whether the token alone will not do at a server."""
        return bool(self.ticket) and (url != self.url or self.refused)

    def __repr__(self) -> str:
        return f"Keys(number={self.number}, url={self.url!r}, session={self.session!r})"


class End(Struct, frozen=True, kw_only=True):
    """How a connection ended.

    Attributes:
        id: of the reason; empty when it was merely lost.
        code: of the close frame, 1006 without one.
        reason: of the session's end, where ``id`` says that it has ended.
        detail: for people.
    """

    id: str = ""
    code: int = 1006
    reason: str = ""
    detail: str = ""


#: Epoch and number of an envelope; None before the first.
Place = tuple[int | None, int | None]


class Owner(Protocol):
    """Whoever has attachments."""

    def frame_received(self, attachment: Attachment, data: bytes) -> None:
        """Take a frame."""
        ...

    def attachment_ended(self, attachment: Attachment, end: End) -> None:
        """Know that the server serves us no more on this connection; told once."""
        ...

    def attachment_gone(self, attachment: Attachment) -> None:
        """Know that the connection is closed; told once, at last."""
        ...


class Attachment:
    """One connection to one server.

    Attributes:
        url: of the server.
        keys: that the server knows us by; set by ``greet``.
        instance: the server's name, empty before its welcome.
        beat_s: how often it promised to say something.
        heard_s, said_s: when something came last, and when we said something last.
        attached_s: when the server welcomed us; None before.
        live_s: when the view was in step; None before.
        end: how it ended; None while it has not.
    """

    __slots__ = (
        "_connection",
        "_loop",
        "_owner",
        "_settled",
        "attached_s",
        "beat_s",
        "end",
        "heard_s",
        "instance",
        "keys",
        "live_s",
        "said_s",
        "url",
    )

    def __init__(self, url: str, owner: Owner) -> None:
        self.url: Final = url
        self.keys: Keys | None = None
        self.instance = ""
        self.beat_s = BEAT_S
        self.heard_s = self.said_s = 0.0
        self.attached_s: float | None = None
        self.live_s: float | None = None
        self.end: End | None = None
        self._owner = owner
        self._loop = asyncio.get_running_loop()
        self._connection: Connection | None = None
        self._settled: asyncio.Future[None] | None = None

    @classmethod
    async def open(cls, url: str, owner: Owner, opener: Opener) -> Attachment:
        """Connect, and say nothing yet.

        Raises:
            OSError: the connection could not be made, or was not taken.
            TimeoutError: not within ``OPEN_LIMIT_S``.
        """
        attachment = cls(url, owner)
        connection = await opener(f"ws{url.removeprefix('http')}/v1/events", attachment, OPEN_LIMIT_S)
        if attachment.end is not None:
            raise ConnectionResetError(f"{url} closed at once")
        attachment._connection = connection
        return attachment

    async def greet(self, keys: Keys, place: Place, client: str) -> bool:
        """Say hello, and wait until the view is in step or the server serves us no more.

        Returns:
            Whether the view is in step.
        """
        if self.end is None:
            self.keys = keys
            epoch, seq = place
            hello = {"type": "hello", "token": keys.token, "epoch": epoch, "seq": seq, "client": client}
            self.heard_s = self._loop.time()
            self.send(msgspec.json.encode(hello))
            self._settled = self._loop.create_future()
            try:
                await self._settled
            finally:
                self._settled = None
        return self.live_s is not None

    def settle(self) -> None:
        """Let ``greet`` return."""
        if self._settled is not None and not self._settled.done():
            self._settled.set_result(None)

    def send(self, frame: bytes) -> None:
        """Send one frame; lost when the connection is on its way out."""
        if self._connection is not None:
            self.said_s = self._loop.time()
            self._connection.send(frame)

    def let_go(self) -> bool:
        """Close it in good order, and cut it when the server does not answer.

        Returns:
            Whether it was open; ``Owner.attachment_gone`` then comes.
        """
        if self._connection is None:
            return False
        self._loop.call_later(CLOSE_LIMIT_S, self._connection.abort)
        self._connection.close()
        return self._connection is not None

    def cut(self) -> None:
        """Cut it as a lost network would."""
        if self._connection is not None:
            self._connection.abort()

    def finish(self, end: End) -> None:
        """Know that the server serves us no more on this connection."""
        if self.end is None:
            self.end = end
            self._owner.attachment_ended(self, end)
            self.settle()

    # --- told by the connection

    def text_received(self, data: bytes) -> None:
        """Take one frame."""
        self.heard_s = self._loop.time()
        self._owner.frame_received(self, data)

    def connection_lost(self, code: int, reason: str) -> None:
        """Know that it is closed."""
        self._connection = None
        self.finish(End(id=END_IDS.get(code, ""), code=code, reason=reason))
        self._owner.attachment_gone(self)
