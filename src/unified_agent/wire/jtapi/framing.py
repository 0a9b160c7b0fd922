"""The byte stream between two processes of ours that trust each other: frames, one message each.

bytes 0-3   length of what follows, big-endian, at most FRAME_LIMIT_BYTES
bytes 4-    the message
"""

from __future__ import annotations

from collections import deque
from typing import Final

from unified_agent.errors import LocalProtocolError
from unified_agent.wire.receive_buffer import ReceiveBuffer

#: A snapshot of a station with its calls has about 1 kB.
FRAME_LIMIT_BYTES: Final = 1024 * 1024
_LENGTH_BYTES: Final = 4


class FramedStream:
    """One end. Has the doors of ``wire.doors``; its events are the messages. It has no timers and no end of its own:
    whoever owns the socket sees it close.
    """

    def __init__(self) -> None:
        self._incoming = ReceiveBuffer()
        self._outgoing: list[bytes] = []
        self._messages: deque[bytes] = deque()

    def send(self, message: bytes) -> None:
        """Queue a message.

        Raises:
            LocalProtocolError: it is longer than FRAME_LIMIT_BYTES. Nothing was queued.
        """
        if len(message) > FRAME_LIMIT_BYTES:
            raise LocalProtocolError(f"a message of {len(message)} bytes is longer than {FRAME_LIMIT_BYTES}")
        self._outgoing += (len(message).to_bytes(_LENGTH_BYTES, "big"), message)

    def receive_data(self, data: bytes, now_s: float) -> None:
        """See ``doors``.

        Raises:
            RemoteProtocolError: a length that no message of ours has.
        """
        self._incoming.append(data)
        while (
            frame := self._incoming.take_frame(
                head_bytes=_LENGTH_BYTES, total_bytes=_total_bytes, limit_bytes=_LENGTH_BYTES + FRAME_LIMIT_BYTES
            )
        ) is not None:
            self._messages.append(frame[_LENGTH_BYTES:])

    def receive_eof(self, now_s: float) -> None:
        """See ``doors``."""

    def data_to_send(self) -> bytes:
        """See ``doors``."""
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        return data

    def next_event(self) -> bytes | None:
        """See ``doors``. An event is a message."""
        return self._messages.popleft() if self._messages else None

    def next_timer(self) -> float | None:
        """See ``doors``: never."""
        return None

    def handle_timer(self, now_s: float) -> None:
        """See ``doors``."""


def _total_bytes(head: bytes) -> int:
    return _LENGTH_BYTES + int.from_bytes(head, "big")
