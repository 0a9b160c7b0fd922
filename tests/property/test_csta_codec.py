from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.property.csta_strategies import messages, messages_of

from unified_agent.errors import RemoteProtocolError
from unified_agent.wire.csta.codec import decode, encode
from unified_agent.wire.csta.framing import Frame, frame_bytes, take_frame
from unified_agent.wire.csta.markup import DECLARATION
from unified_agent.wire.csta.shapes import SHAPES_BY_CLASS, Message
from unified_agent.wire.receive_buffer import ReceiveBuffer

VECTORS = sorted((Path(__file__).parents[1] / "vectors" / "csta").glob("*.xml"))
#: One share of the profile's examples for each of ninety message types.
FEW = settings(max_examples=max(10, settings().max_examples // 4))
#: Broken bytes are cheap to try.
MANY = settings(max_examples=settings().max_examples * 5)


@pytest.mark.parametrize("struct", SHAPES_BY_CLASS, ids=lambda struct: str(struct.__name__))
@FEW
@given(data=st.data())
def test_every_message_comes_back_as_it_was(struct: type[Message], data: st.DataObject) -> None:
    message = data.draw(messages_of(struct))
    document = encode(message)
    assert decode(document) == message
    assert document.startswith(DECLARATION.encode())


@given(messages(), st.integers(0, 9999), st.lists(st.integers(1, 400), min_size=1, max_size=20))
def test_frames_come_out_of_the_stream_however_it_is_cut(message: Message, invoke_id: int, cuts: list[int]) -> None:
    payload = encode(message)
    data = frame_bytes(invoke_id, payload) * 2
    buffer, frames, at = ReceiveBuffer(), [], 0
    for cut in [*cuts, len(data)]:
        buffer.append(data[at : at + cut])
        at += cut
        while (frame := take_frame(buffer)) is not None:
            frames.append(frame)
    assert frames == [Frame(invoke_id, payload)] * 2


@MANY
@given(st.binary(max_size=200))
@example(b"<?xml version='1.0' encoding='nonsense'?><x/>")
@example(b"<x xmlns:a=''/>")
def test_any_document_is_read_or_refused(document: bytes) -> None:
    try:
        decode(document)
    except RemoteProtocolError:
        return


@MANY
@given(st.binary(max_size=100))
def test_any_stream_is_framed_or_refused(data: bytes) -> None:
    buffer = ReceiveBuffer()
    buffer.append(data)
    try:
        while take_frame(buffer) is not None:
            pass
    except RemoteProtocolError:
        return


@MANY
@given(st.sampled_from(VECTORS), st.data())
def test_an_example_with_bytes_changed_is_read_or_refused(vector: Path, data: st.DataObject) -> None:
    document = bytearray(vector.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(document) - 1))
        match data.draw(st.sampled_from(["set", "delete", "insert", "swap"])):
            case "set":
                document[at] = data.draw(st.integers(0, 255))
            case "delete":
                del document[at : at + data.draw(st.integers(1, 30))]
            case "insert":
                document[at:at] = data.draw(st.sampled_from([b"<", b">", b"&", b"</x>", b"<x>", b" ", b"\x00", b"]]>"]))
            case _:
                other = data.draw(st.integers(0, len(document) - 1))
                document[at], document[other] = document[other], document[at]
        if not document:
            break
    try:
        decode(bytes(document))
    except RemoteProtocolError:
        return


def _element_names() -> list[str]:
    names = set()
    for path in VECTORS:
        for piece in path.read_text().split("<")[2:]:
            names.add(piece.lstrip("/").split(">")[0].split(" ")[0].rstrip("/").rpartition(":")[2])
    return sorted(names)


ELEMENTS = _element_names()


@st.composite
def trees(draw: st.DrawFn, depth: int = 4) -> str:
    """Any tree of the names that the protocol uses, in whatever place."""
    name = draw(st.sampled_from(ELEMENTS))
    if depth == 0 or draw(st.booleans()):
        return f"<{name}>{draw(st.sampled_from(['', '1', 'true', 'x', '3132', '-5', ' 7 ']))}</{name}>"
    inner = "".join(draw(st.lists(trees(depth=depth - 1), max_size=3)))
    return f"<{name}>{inner}</{name}>"


@MANY
@given(trees())
def test_elements_in_the_wrong_place_are_read_or_refused(document: str) -> None:
    try:
        decode(document.encode())
    except RemoteProtocolError:
        return
