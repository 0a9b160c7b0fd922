"""Frames as events of a stream."""

import json

import pytest

from unified_agent.wire.push import write_event


def test_a_frame_is_one_event():
    assert write_event(b'{"type":"beat"}') == b'data: {"type":"beat"}\n\n'


@pytest.mark.parametrize("gap", [b"\n", b"\r", b"\r\n", b"\n\n"])
def test_no_line_end_within_a_frame_can_end_its_event(gap):
    frame = b'{"a":' + gap + b'"x\\ny"}'
    event = write_event(frame)
    assert event.count(b"\n") == 2
    assert event.endswith(b"\n\n")
    assert b"\r" not in event
    assert json.loads(event.removeprefix(b"data: ")) == {"a": "x\ny"}
