from __future__ import annotations

import pytest

from unified_agent.errors import RemoteProtocolError
from unified_agent.wire.receive_buffer import ReceiveBuffer


def take(buffer: ReceiveBuffer, limit_bytes: int = 20) -> bytes | None:
    return buffer.take_frame(head_bytes=2, total_bytes=lambda head: head[1], limit_bytes=limit_bytes)


def test_frame_is_taken_when_its_last_byte_has_come() -> None:
    buffer = ReceiveBuffer()
    for byte in b"\x00\x05ab":
        buffer.append(bytes([byte]))
        assert take(buffer) is None
    buffer.append(b"c")
    assert take(buffer) == b"\x00\x05abc"
    assert len(buffer) == 0


def test_frames_are_taken_one_by_one_and_the_rest_stays() -> None:
    buffer = ReceiveBuffer()
    buffer.append(b"\x00\x03a\x00\x04bb\x00")
    assert take(buffer) == b"\x00\x03a"
    assert take(buffer) == b"\x00\x04bb"
    assert take(buffer) is None
    assert len(buffer) == 1


def test_frame_as_long_as_the_limit_is_taken() -> None:
    buffer = ReceiveBuffer()
    buffer.append(b"\x00\x05abc")
    assert take(buffer, limit_bytes=5) == b"\x00\x05abc"


@pytest.mark.parametrize("head", [b"\x00\x15", b"\x00\x01", b"\x00\x00"])
def test_length_outside_the_limits_is_refused_before_the_frame_has_come(head: bytes) -> None:
    buffer = ReceiveBuffer()
    buffer.append(head)
    with pytest.raises(RemoteProtocolError, match="length"):
        take(buffer)


def test_line_is_taken_with_its_end() -> None:
    buffer = ReceiveBuffer()
    buffer.append(b"one\r")
    assert buffer.take_line(end=b"\r\n", limit_bytes=10) is None
    buffer.append(b"\ntwo")
    assert buffer.take_line(end=b"\r\n", limit_bytes=10) == b"one\r\n"
    assert buffer.take_line(end=b"\r\n", limit_bytes=10) is None


def test_line_as_long_as_the_limit_is_taken_and_a_longer_one_is_refused() -> None:
    buffer = ReceiveBuffer()
    buffer.append(b"abc\n")
    assert buffer.take_line(end=b"\n", limit_bytes=4) == b"abc\n"
    buffer.append(b"abcd\n")
    with pytest.raises(RemoteProtocolError, match="no end of line"):
        buffer.take_line(end=b"\n", limit_bytes=4)
