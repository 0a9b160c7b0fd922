"""One XML document on the wire: an 8-byte header, then the document in UTF-8.

    bytes 0-1   version, 00 00 for "XML without SOAP"
    bytes 2-3   total length, big-endian, header included
    bytes 4-7   invoke id, four ASCII digits

Source: aes-dmcc reference, section 1 (four independent clients agree on all but the version).
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from unified_agent.errors import LocalProtocolError, RemoteProtocolError
from unified_agent.wire.receive_buffer import ReceiveBuffer

HEADER_BYTES: Final = 8
#: The length is an unsigned 16-bit number, header included.
FRAME_LIMIT_BYTES: Final = 65_535
#: What a request may carry. 0000 is left alone: one known client uses it, another does not.
FIRST_INVOKE_ID: Final = 1
LAST_INVOKE_ID: Final = 9_998
#: Events from the server, to which no answer is expected.
EVENT_INVOKE_ID: Final = 9_999

_VERSION: Final = b"\x00\x00"


class Frame(Struct, frozen=True):
    """One document with its invoke id (0 to 9999)."""

    invoke_id: int
    payload: bytes


def frame_bytes(invoke_id: int, payload: bytes) -> bytes:
    """Put the header before a document.

    Raises:
        LocalProtocolError: the invoke id is not 0 to 9999, or header and payload exceed FRAME_LIMIT_BYTES.
    """
    if not 0 <= invoke_id <= EVENT_INVOKE_ID:
        raise LocalProtocolError(f"invoke id {invoke_id} is not 0 to {EVENT_INVOKE_ID}")
    total = HEADER_BYTES + len(payload)
    if total > FRAME_LIMIT_BYTES:
        raise LocalProtocolError(f"a message of {total} bytes is longer than {FRAME_LIMIT_BYTES}")
    return b"%b%b%04d%b" % (_VERSION, total.to_bytes(2, "big"), invoke_id, payload)


def take_frame(buffer: ReceiveBuffer) -> Frame | None:
    """Take the next frame out of the buffer.

    The version is not looked at: one known client sends ASCII ``30 30`` there.

    Returns:
        The frame, or None while it is not complete.

    Raises:
        RemoteProtocolError: the length is below HEADER_BYTES, or the invoke id is not four ASCII digits.
    """
    frame = buffer.take_frame(head_bytes=HEADER_BYTES, total_bytes=_total_bytes, limit_bytes=FRAME_LIMIT_BYTES)
    if frame is None:
        return None
    return Frame(int(frame[4:HEADER_BYTES]), frame[HEADER_BYTES:])


def _total_bytes(header: bytes) -> int:
    if not header[4:].isdigit():
        raise RemoteProtocolError(f"invoke id {header[4:]!r} is not four digits")
    return int.from_bytes(header[2:4], "big")
