"""Notices by requests that are answered when there is something to tell, for networks that let no stream through.

A reply's frames are kept until a later poll acknowledges its number, so a reply that is lost costs nothing: the desktop
asks again with the number it has, and gets all since.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from enum import StrEnum
from itertools import islice
from typing import Final

import msgspec
from msgspec import Raw, Struct

from unified_agent.domain.ports import Clock
from unified_agent.domain.view import rfc3339
from unified_agent.server.desk_messages import Beat
from unified_agent.server.push_transports.desk_connection import DeskConnection
from unified_agent.server.push_transports.held import Closed, Held, HeldConnections
from unified_agent.settings import DesktopSettings

#: Of one reply.
FRAMES_LIMIT: Final = 100
REPLY_LIMIT_BYTES: Final = 262_144
#: What a reply has besides its frames, bytes.
_AROUND_BYTES: Final = 1_024
#: A closed connection is kept for the hold and this, seconds, so that its desktop hears how it ended.
KEEP_S: Final = 5.0
#: Replies that may still be acknowledged one by one; an acknowledgement of an older one frees nothing.
_REPLIES_REMEMBERED: Final = 32

_ENCODER: Final = msgspec.json.Encoder()


class PollReply(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a poll.

    Attributes:
        reply: its number, for ``ack`` of the next poll.
        frames: as on the WebSocket, in order. All that were not acknowledged before.
        connection: with the first reply: its id.
        hold_s: with the first reply: a poll is answered within this time, seconds.
        more: there are more frames already: ask at once.
        superseded: another poll of the same connection came meanwhile and is answered instead.
        closed: the server has closed the connection; these are its last frames.
    """

    reply: int
    frames: tuple[Raw, ...]
    connection: str = ""
    hold_s: float = 0.0
    more: bool = False
    superseded: bool = False
    closed: Closed | None = None


class AckUnknown(ValueError):
    """A poll acknowledges a reply that was never given."""


class _Wake(StrEnum):
    """Why a poll is answered now."""

    NEWS = "news"
    TIME = "time"
    SUPERSEDED = "superseded"


class Poll(Held):
    """One desktop's connection by polls.

    Attributes:
        number: of the last reply.
    """

    def __init__(
        self,
        handler: DeskConnection,
        connections: HeldConnections,
        *,
        token: str,
        settings: DesktopSettings,
        clock: Clock,
    ) -> None:
        """See ``Held``; it is among ``connections`` until its end has been kept for long enough."""
        super().__init__(handler, connection_id=connections.new_id(), token=token, settings=settings, clock=clock)
        self.number = 0
        self._connections = connections
        self._awaited: asyncio.Future[_Wake] | None = None
        self._given: deque[tuple[int, int]] = deque()  # numbers of replies, and how many frames went before their ends
        self._dropped = 0
        connections.add(self)

    def first_reply(self) -> PollReply:
        """Answer the poll that opened it. One that is over with it is kept for nobody."""
        reply = self._reply()
        if reply.closed is not None:
            self._connections.forget(self)
        elif self.end is not None:
            self._forget_later()
        return msgspec.structs.replace(reply, connection=self.id, hold_s=self._settings.poll_hold_s)

    async def next_reply(self, ack: int, texts: Iterable[bytes] = ()) -> PollReply:
        """Wait until there is something to tell, or for ``poll_hold_s``.

        Args:
            ack: number of the last reply that the desktop has.
            texts: what it says.

        Raises:
            AckUnknown: there was no such reply.
        """
        if not 0 <= ack <= self.number:
            raise AckUnknown(f"ack is {ack}, and the last reply was {self.number}")
        self.heard()
        self._wake(_Wake.SUPERSEDED)
        self._acknowledge(ack)
        self.take_texts(texts)
        wake = _Wake.NEWS
        if not self._frames and self.end is None:
            wake = await self._hold()
        if wake is _Wake.SUPERSEDED:
            return PollReply(reply=self.number, frames=(), superseded=True)
        self.heard()
        return self._reply()

    # --- TextConnection

    def beat(self, data: bytes) -> None:
        """Count a poll that is being held as a sign of life; the desktop is told the time when its poll is answered."""
        if self._awaited is not None:
            self.heard()

    # --- inside

    async def _hold(self) -> _Wake:
        loop = asyncio.get_running_loop()
        awaited: asyncio.Future[_Wake] = loop.create_future()
        self._awaited = awaited
        until_s = self._clock.now_s() + self._settings.poll_hold_s
        timer = self._clock.call_at(until_s, lambda: self._wake(_Wake.TIME))
        try:
            return await awaited
        finally:
            timer.cancel()
            if self._awaited is awaited:
                self._awaited = None

    def _wake(self, why: _Wake) -> None:
        awaited, self._awaited = self._awaited, None
        if awaited is not None and not awaited.done():
            awaited.set_result(why)

    def _acknowledge(self, number: int) -> None:
        end = self._dropped
        while self._given and self._given[0][0] <= number:
            end = self._given.popleft()[1]
        if end > self._dropped:
            count, self._dropped = end - self._dropped, end
            self._drop(count)

    def _reply(self) -> PollReply:
        self.number += 1
        count, size = 0, _AROUND_BYTES
        for frame in islice(self._frames, FRAMES_LIMIT):
            size += len(frame) + 1
            if count and size > REPLY_LIMIT_BYTES:
                break
            count += 1
        frames = tuple(Raw(frame) for frame in islice(self._frames, count))
        self._given.append((self.number, self._dropped + count))
        while len(self._given) > _REPLIES_REMEMBERED:
            self._given.popleft()
        more = count < len(self._frames)
        if not frames and self.end is None:
            frames = (Raw(_ENCODER.encode(Beat(now=rfc3339(self._clock.now_s())))),)
        return PollReply(reply=self.number, frames=frames, more=more, closed=None if more else self.end)

    def _changed(self) -> None:
        self._wake(_Wake.NEWS)
        if self.end is not None and self.number:
            self._forget_later()

    def _forget_later(self) -> None:
        until_s = self._clock.now_s() + self._settings.poll_hold_s + KEEP_S
        self._clock.call_at(until_s, lambda: self._connections.forget(self))
