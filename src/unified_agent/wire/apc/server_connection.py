"""The dialler's end of one connection: commands in, answers and announcements out.

For the simulator and for tests. It knows frames, not states: what is legal when is the dialler's business.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from unified_agent.wire.apc import codes
from unified_agent.wire.apc.codec import LATIN_1, CodePage, MessageDecoder, encode_message
from unified_agent.wire.apc.messages import SERVER_NAME, STATUS_ERROR, STATUS_GOOD, Message, MessageType

#: A command of this many bytes is broken; the longest real one is a field update.
COMMAND_LIMIT_BYTES: Final = 64 * 1024


def reply_to(command: Message, kind: MessageType, *segments: str) -> Message:
    """Build a P, D, R or B message for a command, echoing its invoke ID as it came."""
    return Message(
        keyword=command.keyword,
        type=kind,
        segments=segments,
        client=SERVER_NAME,
        invoke_id=command.invoke_id,
    )


def pending(command: Message) -> Message:
    """Accepted, still working."""
    return reply_to(command, MessageType.PENDING, STATUS_GOOD, codes.PENDING)


def data(command: Message, *values: str, code: str = codes.DATA_FOLLOWS) -> Message:
    """Values that precede the response. ``code`` is another one only in states and search positions."""
    return reply_to(command, MessageType.DATA, STATUS_GOOD, code, *values)


def done(command: Message) -> Message:
    """The final answer, good."""
    return reply_to(command, MessageType.RESPONSE, STATUS_GOOD, codes.DONE)


def refused(command: Message, code: str, *details: str) -> Message:
    """The final answer, an error. ``code`` may carry a detail after a comma (``E28842,B``)."""
    return reply_to(command, MessageType.RESPONSE, STATUS_ERROR, code, *details)


def notice(keyword: str, *segments: str) -> Message:
    """An announcement; its invoke ID is 0."""
    return Message(keyword=keyword, type=MessageType.NOTICE, segments=segments, client=SERVER_NAME, invoke_id="0")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandReceived:
    """A client sent a command."""

    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientGone:
    """The client closed its end."""


class ServerConnection:
    """Frames of one connection, seen from the dialler; the doors are those of ``wire.doors.Connection``."""

    def __init__(self, *, process_id: str, code_page: CodePage = LATIN_1, part_size_bytes: int | None = 4096) -> None:
        """Begin.

        Args:
            process_id: written into every message, up to 6 characters; may be changed.
            code_page: for the data segments.
            part_size_bytes: longer messages are continued in further frames; None never splits. May be changed.
        """
        self.process_id = process_id
        self.part_size_bytes = part_size_bytes
        self._code_page = code_page
        self._decoder = MessageDecoder(from_server=False, code_page=code_page, limit_bytes=COMMAND_LIMIT_BYTES)
        self._out = bytearray()
        self._events: deque[CommandReceived | ClientGone] = deque()

    def receive_data(self, data: bytes, now_s: float) -> None:
        """Take bytes from the client.

        Raises:
            RemoteProtocolError: they are no commands. Those before the fault can still be taken.
        """
        self._decoder.feed(data)
        while (message := self._decoder.next_message()) is not None:
            self._events.append(CommandReceived(message=message))

    def receive_eof(self, now_s: float) -> None:
        """Take the news that the client closed."""
        self._events.append(ClientGone())

    def data_to_send(self) -> bytes:
        """Return what is to be written, and forget it."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def next_event(self) -> CommandReceived | ClientGone | None:
        """Return the oldest event that was not taken yet."""
        return self._events.popleft() if self._events else None

    def next_timer(self) -> float | None:
        """Frames need no timer."""
        return None

    def handle_timer(self, now_s: float) -> None:
        """Frames need no timer."""

    def send(self, message: Message) -> None:
        """Send any message, with this connection's process ID.

        Raises:
            LocalProtocolError: it cannot be encoded.
        """
        whole = Message(
            keyword=message.keyword,
            type=message.type,
            segments=message.segments,
            client=message.client,
            process_id=self.process_id,
            invoke_id=message.invoke_id,
        )
        self._out += encode_message(whole, code_page=self._code_page, part_size_bytes=self.part_size_bytes)
