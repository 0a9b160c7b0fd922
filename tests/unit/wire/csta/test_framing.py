from __future__ import annotations

import pytest

from unified_agent.errors import LocalProtocolError, RemoteProtocolError
from unified_agent.wire.csta.framing import FRAME_LIMIT_BYTES, Frame, frame_bytes, take_frame
from unified_agent.wire.receive_buffer import ReceiveBuffer


def filled(data: bytes) -> ReceiveBuffer:
    buffer = ReceiveBuffer()
    buffer.append(data)
    return buffer


def test_header_is_version_total_length_and_four_digits() -> None:
    assert frame_bytes(7, b"<x/>") == b"\x00\x00\x00\x0c0007<x/>"


def test_length_counts_bytes_and_not_characters() -> None:
    assert frame_bytes(1, "<n>Søren</n>".encode())[2:4] == bytes([0, 8 + 13])


def test_longest_frame_is_written_and_read() -> None:
    data = frame_bytes(9999, b"x" * (FRAME_LIMIT_BYTES - 8))
    assert data[2:4] == b"\xff\xff"
    assert take_frame(filled(data)) == Frame(9999, b"x" * (FRAME_LIMIT_BYTES - 8))


def test_payload_beyond_the_limit_is_our_fault() -> None:
    with pytest.raises(LocalProtocolError, match="65536"):
        frame_bytes(1, b"x" * (FRAME_LIMIT_BYTES - 7))


@pytest.mark.parametrize("invoke_id", [-1, 10_000])
def test_invoke_id_that_is_not_four_digits_is_our_fault(invoke_id: int) -> None:
    with pytest.raises(LocalProtocolError, match="invoke id"):
        frame_bytes(invoke_id, b"")


@pytest.mark.parametrize("length", range(8))
def test_length_below_the_header_is_refused(length: int) -> None:
    with pytest.raises(RemoteProtocolError, match="length"):
        take_frame(filled(bytes([0, 0, 0, length]) + b"0001"))


@pytest.mark.parametrize("digits", [b"00a1", b"-001", b" 001", b"\xb2\xb2\xb2\xb2", b"+001"])
def test_invoke_id_of_other_bytes_than_digits_is_refused(digits: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="invoke id"):
        take_frame(filled(b"\x00\x00\x00\x0c" + digits + b"<x/>"))


def test_version_of_ascii_zeros_is_accepted() -> None:
    assert take_frame(filled(b"00\x00\x0c0001<x/>")) == Frame(1, b"<x/>")


def test_incomplete_header_waits() -> None:
    assert take_frame(filled(b"\x00\x00\x00\x0c000")) is None
