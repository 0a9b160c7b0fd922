"""One frame on the wire: how long it is, what it is, and its content.

bytes 0-3   length of all that follows, big-endian
byte  4     kind
bytes 5-    content; of a question and of an answer the first four bytes are its number, big-endian
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from msgspec import Struct

from unified_agent.errors import LocalProtocolError, RemoteProtocolError
from unified_agent.wire.receive_buffer import ReceiveBuffer

HEAD_BYTES: Final = 5
NUMBER_BYTES: Final = 4
#: The longest frame, head included: far above any status of 1,000 agents, far below what hurts an instance.
FRAME_LIMIT_BYTES: Final = 1024 * 1024
#: The longest frame of somebody who has not proved anything yet.
UNPROVED_LIMIT_BYTES: Final = 4096
#: The longest content of a notice, a question or an answer.
PAYLOAD_LIMIT_BYTES: Final = FRAME_LIMIT_BYTES - HEAD_BYTES - NUMBER_BYTES
#: Numbers of questions go from 1 to this and then begin again.
LAST_NUMBER: Final = 2**32 - 1

_LENGTH_BYTES: Final = 4


class FrameKind(IntEnum):
    """What a frame is. A number that is not here is of a later version: ignored once both have proved themselves."""

    HELLO = 1
    PROOF = 2
    REFUSAL = 3
    PING = 4
    PONG = 5
    NOTICE = 16
    QUESTION = 17
    ANSWER = 18


class Frame(Struct, frozen=True):
    """One frame. Attributes: ``kind``: a ``FrameKind`` or a number unknown to us; ``content``: without the head."""

    kind: int
    content: bytes


def frame_bytes(kind: int, content: bytes = b"") -> bytes:
    """Put the head before a content.

    Raises:
        LocalProtocolError: the frame is longer than FRAME_LIMIT_BYTES.
    """
    total = HEAD_BYTES + len(content)
    if total > FRAME_LIMIT_BYTES:
        raise LocalProtocolError(f"a frame of {total} bytes is longer than {FRAME_LIMIT_BYTES}")
    return b"%b%c%b" % ((total - _LENGTH_BYTES).to_bytes(_LENGTH_BYTES, "big"), kind, content)


def numbered_frame_bytes(kind: int, number: int, payload: bytes) -> bytes:
    """Put head and number before a payload.

    Raises:
        LocalProtocolError: the number is not 1 to LAST_NUMBER, or the payload is longer than PAYLOAD_LIMIT_BYTES.
    """
    if not 1 <= number <= LAST_NUMBER:
        raise LocalProtocolError(f"number {number} is not 1 to {LAST_NUMBER}")
    return frame_bytes(kind, number.to_bytes(NUMBER_BYTES, "big") + payload)


def take_frame(buffer: ReceiveBuffer, *, limit_bytes: int = FRAME_LIMIT_BYTES) -> Frame | None:
    """Take the next frame out of the buffer.

    Returns:
        The frame, or None while it is not complete.

    Raises:
        RemoteProtocolError: the length is 0, or beyond the limit (head included).
    """
    data = buffer.take_frame(head_bytes=HEAD_BYTES, total_bytes=_total_bytes, limit_bytes=limit_bytes)
    return None if data is None else Frame(data[_LENGTH_BYTES], data[HEAD_BYTES:])


def split_number(content: bytes) -> tuple[int, bytes]:
    """Return the number and the payload of a question or an answer.

    Raises:
        RemoteProtocolError: there is no number, or it is 0.
    """
    number = int.from_bytes(content[:NUMBER_BYTES], "big")
    if len(content) < NUMBER_BYTES or number == 0:
        raise RemoteProtocolError(f"a frame that wants a number begins with {content[:NUMBER_BYTES]!r}")
    return number, content[NUMBER_BYTES:]


def _total_bytes(head: bytes) -> int:
    return _LENGTH_BYTES + int.from_bytes(head[:_LENGTH_BYTES], "big")
