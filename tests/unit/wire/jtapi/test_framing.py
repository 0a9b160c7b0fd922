"""Frames come out as they went in, wherever the bytes are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unified_agent.errors import LocalProtocolError, RemoteProtocolError
from unified_agent.wire.jtapi.framing import FRAME_LIMIT_BYTES, FramedStream


def taken(stream: FramedStream) -> list[bytes]:
    found = []
    while (message := stream.next_event()) is not None:
        found.append(message)
    return found


@given(messages=st.lists(st.binary(max_size=50)), cut=st.integers(1, 20))
def test_messages_arrive_whole_however_the_bytes_are_cut(messages: list[bytes], cut: int) -> None:
    one, other = FramedStream(), FramedStream()
    for message in messages:
        one.send(message)
    data = one.data_to_send()
    found: list[bytes] = []
    for start in range(0, len(data), cut):
        other.receive_data(data[start : start + cut], 0.0)
        found += taken(other)
    assert found == messages
    assert one.data_to_send() == b""


def test_the_longest_message_passes_and_a_longer_one_is_refused_by_both_ends() -> None:
    one, other = FramedStream(), FramedStream()
    one.send(bytes(FRAME_LIMIT_BYTES))
    with pytest.raises(LocalProtocolError):
        one.send(bytes(FRAME_LIMIT_BYTES + 1))
    other.receive_data(one.data_to_send(), 0.0)
    assert [len(each) for each in taken(other)] == [FRAME_LIMIT_BYTES]
    with pytest.raises(RemoteProtocolError):
        other.receive_data((FRAME_LIMIT_BYTES + 1).to_bytes(4, "big"), 0.0)


def test_it_has_no_timers() -> None:
    stream = FramedStream()
    stream.handle_timer(1.0)
    stream.receive_eof(1.0)
    assert stream.next_timer() is None
    assert stream.next_event() is None
