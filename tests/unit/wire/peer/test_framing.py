from __future__ import annotations

import pytest

from unified_agent.errors import LocalProtocolError, RemoteProtocolError
from unified_agent.wire.peer.framing import (
    FRAME_LIMIT_BYTES,
    LAST_NUMBER,
    PAYLOAD_LIMIT_BYTES,
    Frame,
    FrameKind,
    frame_bytes,
    numbered_frame_bytes,
    split_number,
    take_frame,
)
from unified_agent.wire.receive_buffer import ReceiveBuffer

#: Bytes, what they are.
VECTORS = [
    (b"\0\0\0\x01\x04", Frame(FrameKind.PING, b"")),
    (b"\0\0\0\x05\x10text", Frame(FrameKind.NOTICE, b"text")),
    (b"\0\0\0\x08\x11\0\0\x01\x02ask", Frame(FrameKind.QUESTION, b"\0\0\x01\x02ask")),
    (b"\0\0\0\x02\xffx", Frame(255, b"x")),
]


def filled(data: bytes) -> ReceiveBuffer:
    buffer = ReceiveBuffer()
    buffer.append(data)
    return buffer


@pytest.mark.parametrize(("data", "frame"), VECTORS)
def test_a_frame_is_read_whole_byte_by_byte_and_with_bytes_after_it(data: bytes, frame: Frame) -> None:
    assert take_frame(filled(data)) == frame
    buffer = ReceiveBuffer()
    for at in range(len(data)):
        assert take_frame(buffer) is None
        buffer.append(data[at : at + 1])
    assert take_frame(buffer) == frame
    trailed = filled(data + data[:3])
    assert take_frame(trailed) == frame
    assert len(trailed) == 3


@pytest.mark.parametrize(("data", "frame"), VECTORS)
def test_a_frame_is_written_as_it_is_read(data: bytes, frame: Frame) -> None:
    assert frame_bytes(frame.kind, frame.content) == data


def test_a_number_goes_before_the_payload() -> None:
    assert numbered_frame_bytes(FrameKind.ANSWER, 258, b"yes") == b"\0\0\0\x08\x12\0\0\x01\x02yes"
    assert split_number(b"\0\0\x01\x02yes") == (258, b"yes")
    assert split_number(b"\xff\xff\xff\xff") == (LAST_NUMBER, b"")


@pytest.mark.parametrize("number", [0, -1, LAST_NUMBER + 1])
def test_a_number_that_does_not_fit_is_our_fault(number: int) -> None:
    with pytest.raises(LocalProtocolError, match="number"):
        numbered_frame_bytes(FrameKind.ANSWER, number, b"")


@pytest.mark.parametrize("content", [b"", b"\0\0\x01", b"\0\0\0\0text"])
def test_a_missing_number_is_the_peers_fault(content: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="number"):
        split_number(content)


def test_longest_payload_is_written_and_read_and_one_byte_more_is_refused() -> None:
    data = numbered_frame_bytes(FrameKind.QUESTION, 1, b"x" * PAYLOAD_LIMIT_BYTES)
    assert len(data) == FRAME_LIMIT_BYTES
    frame = take_frame(filled(data))
    assert frame is not None
    assert split_number(frame.content) == (1, b"x" * PAYLOAD_LIMIT_BYTES)
    with pytest.raises(LocalProtocolError, match=str(FRAME_LIMIT_BYTES + 1)):
        numbered_frame_bytes(FrameKind.QUESTION, 1, b"x" * (PAYLOAD_LIMIT_BYTES + 1))


@pytest.mark.parametrize("length", [0, FRAME_LIMIT_BYTES - 3, 2**32 - 1])
def test_a_length_out_of_bounds_is_refused_before_the_content_comes(length: int) -> None:
    with pytest.raises(RemoteProtocolError, match="length"):
        take_frame(filled(length.to_bytes(4, "big") + b"\x10"))


def test_a_lower_limit_is_kept() -> None:
    with pytest.raises(RemoteProtocolError, match="length"):
        take_frame(filled(frame_bytes(FrameKind.HELLO, b"x" * 4092)), limit_bytes=4096)
