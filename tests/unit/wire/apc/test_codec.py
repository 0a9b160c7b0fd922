"""Frames of the Agent API, against every worked example."""

from __future__ import annotations

import msgspec
import pytest
from tests.unit.wire.apc.vectors import Frame, every_frame, frames, hex_frames

from unified_agent.errors import LocalProtocolError, RemoteProtocolError, SettingsError
from unified_agent.wire.apc.codec import CodePage, MessageDecoder, encode_frames, encode_message
from unified_agent.wire.apc.messages import Message, MessageType

HEAD = b"AGTListJobs         DAgent server        20817 81  4   "


def decode(data: bytes, *, from_server: bool = True, step: int | None = None) -> list[Message]:
    decoder = MessageDecoder(from_server=from_server)
    found = []
    for start in range(0, len(data), step or len(data)):
        decoder.feed(data[start : start + (step or len(data))])
        while (message := decoder.next_message()) is not None:
            found.append(message)
    return found


def of_one_side(name: str, *, from_server: bool) -> bytes:
    return b"".join(frame.data for frame in frames(name) if frame.from_server is from_server)


@pytest.mark.parametrize("frame", every_frame(), ids=lambda frame: frame.origin)
def test_every_example_has_the_length_it_states(frame: Frame) -> None:
    assert len(frame.data) == frame.length


@pytest.mark.parametrize(
    "frame", [f for f in every_frame() if not f.data.endswith(b"\x17")], ids=lambda frame: frame.origin
)
def test_every_example_is_written_again_byte_for_byte(frame: Frame) -> None:
    [message] = decode(frame.data, from_server=frame.from_server)
    assert encode_message(message) == frame.data


@pytest.mark.parametrize("name", ["session", "calls", "answers"])
@pytest.mark.parametrize("from_server", [True, False])
def test_examples_read_alike_whole_byte_by_byte_and_with_trailing_bytes(name: str, from_server: bool) -> None:
    data = of_one_side(name, from_server=from_server)
    whole = decode(data, from_server=from_server)
    assert whole
    assert decode(data, from_server=from_server, step=1) == whole
    assert decode(data, from_server=from_server, step=7) == whole
    assert decode(data + b"AGTLo", from_server=from_server) == whole


def test_hexadecimal_examples_are_read_by_offset() -> None:
    greeting, key_field, headset = hex_frames()
    [message] = decode(greeting)
    assert message == Message(
        keyword="AGTSTART",
        type=MessageType.NOTICE,
        segments=("0", "AGENT_STARTUP"),
        client="Agent server",
        process_id="20817",
        invoke_id="0",
    )
    [message] = decode(key_field, from_server=False)
    assert (message.keyword, message.type, message.segments) == (
        "AGTSetNotifyKeyField",
        MessageType.COMMAND,
        ("O", "ACCTNUM"),
    )
    [message] = decode(headset, from_server=False)
    assert message.segments == ()
    for data, side in ((greeting, True), (key_field, False), (headset, False)):
        assert encode_message(decode(data, from_server=side)[0]) == data


def test_one_empty_segment_is_not_the_same_as_none() -> None:
    none = Message(keyword="AGTTransferCall", type=MessageType.COMMAND, invoke_id="64")
    empty = Message(keyword="AGTTransferCall", type=MessageType.COMMAND, invoke_id="64", segments=("",))
    assert len(encode_message(none)) == 56
    assert len(encode_message(empty)) == 57
    assert decode(encode_message(none) + encode_message(empty), from_server=False) == [none, empty]


def test_continued_message_is_joined() -> None:
    [jobs, done] = decode(of_one_side("answers", from_server=True))[-2:]
    assert jobs.segments == ("0", "M00001", "O,JOB1,A", "O,JOB2,A", "B,JOB3,I", "I,JOB4,A")
    assert done.segments == ("0", "M00000")


def test_status_and_code_repeated_in_a_continuing_frame_are_left_out() -> None:
    first = HEAD + b"\x1e0\x1eM00001\x1eA\x17"
    assert decode(first + HEAD + b"\x1e0\x1eM00001\x1eB\x03")[0].segments == ("0", "M00001", "A", "B")


def test_event_between_the_parts_of_a_continued_message_is_delivered_first() -> None:
    event = frames("calls")[1].data
    parts = [HEAD + b"\x1e0\x1eM00001\x1eA\x17", event, HEAD + b"\x1eB\x03"]
    assert [message.keyword for message in decode(b"".join(parts))] == ["AGTCallNotify", "AGTListJobs"]


@pytest.mark.parametrize("part_size_bytes", [1, 70, 80, 90, 4096])
def test_split_message_reads_as_it_was(part_size_bytes: int) -> None:
    message = Message(
        keyword="AGTListJobs",
        type=MessageType.DATA,
        segments=("0", "M00001", "O,JOB1,A", "", "O,JOB2,A", "x" * 40),
        invoke_id="7",
    )
    parts = encode_frames(message, part_size_bytes=part_size_bytes)
    assert all(part.endswith(b"\x17") for part in parts[:-1])
    assert parts[-1].endswith(b"\x03")
    assert all(len(part) <= part_size_bytes or part.count(b"\x1e") <= 2 for part in parts)
    assert decode(b"".join(parts)) == [message]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n", id="another protocol"),
        pytest.param(b"AGTSTART\x03", id="shorter than a header"),
        pytest.param(HEAD.replace(b"D", b"X", 1) + b"\x03", id="unknown type"),
        pytest.param(HEAD.replace(b"DA", b"CA", 1) + b"\x03", id="a command from the dialler"),
        pytest.param(HEAD[:51] + b"x   " + b"\x03", id="count is no number"),
        pytest.param(HEAD[:51] + b"    " + b"\x03", id="no count"),
        pytest.param(HEAD + b"0\x1e0\x03", id="header one byte too long, as one emulator does after 9999"),
        pytest.param(HEAD[:40] + b"\x1e" + HEAD[41:] + b"\x03", id="segment inside the header"),
        pytest.param(b" " * 20 + HEAD[20:] + b"\x03", id="no keyword"),
        pytest.param(HEAD + b"\x17" + HEAD.replace(b"81", b"82") + b"\x17", id="two continued messages"),
    ],
)
@pytest.mark.parametrize("step", [None, 1])
def test_what_is_no_frame_is_refused_and_stays_refused(data: bytes, step: int | None) -> None:
    decoder = MessageDecoder(from_server=True)
    with pytest.raises(RemoteProtocolError):  # noqa: PT012 - whichever byte it is
        for start in range(0, len(data), step or len(data)):
            decoder.feed(data[start : start + (step or len(data))])
            while decoder.next_message() is not None:
                pass
    decoder.feed(hex_frames()[0])
    with pytest.raises(RemoteProtocolError):
        decoder.next_message()


def test_messages_before_a_fault_are_delivered() -> None:
    decoder = MessageDecoder(from_server=True)
    decoder.feed(hex_frames()[0] + b"\x03")
    assert decoder.next_message() is not None
    with pytest.raises(RemoteProtocolError):
        decoder.next_message()


def test_command_must_not_be_continued() -> None:
    command = hex_frames()[2]
    with pytest.raises(RemoteProtocolError):
        decode(command[:-1] + b"\x17", from_server=False)
    long = Message(keyword="AGTReadField", type=MessageType.COMMAND, segments=("a", "b", "c" * 99))
    with pytest.raises(LocalProtocolError):
        encode_frames(long, part_size_bytes=80)


@pytest.mark.parametrize("step", [None, 50])
def test_message_longer_than_the_limit_is_refused(step: int | None) -> None:
    data = HEAD + b"\x1e" + b"x" * 2000 + b"\x03"
    decoder = MessageDecoder(from_server=True, limit_bytes=1024)
    with pytest.raises(RemoteProtocolError, match="longer than 1024"):  # noqa: PT012
        for start in range(0, len(data), step or len(data)):
            decoder.feed(data[start : start + (step or len(data))])
            decoder.next_message()


def test_limit_counts_the_parts_of_a_continued_message_together() -> None:
    decoder = MessageDecoder(from_server=True, limit_bytes=1024)
    decoder.feed((HEAD + b"\x1e" + b"x" * 400 + b"\x17") * 3)
    with pytest.raises(RemoteProtocolError, match="longer than 1024"):
        decoder.next_message()


def test_many_small_messages_in_one_read_may_exceed_the_limit_of_one() -> None:
    assert len(decode(hex_frames()[0] * 20000)) == 20000


@pytest.mark.parametrize("control", ["\x03", "\x17", "\x1e"])
@pytest.mark.parametrize("place", ["keyword", "client", "process_id", "invoke_id"])
def test_bytes_that_structure_a_frame_are_refused_in_the_header(control: str, place: str) -> None:
    message = Message(keyword="AGTLogon", type=MessageType.COMMAND)
    with pytest.raises(LocalProtocolError):
        encode_message(msgspec.structs.replace(message, **{place: f"a{control}"}))


@pytest.mark.parametrize("value", ["Pa55\x03", "Pa55\x17", "Pa55\x1e", "Pa55€"])
def test_refused_value_is_not_named_in_the_error(value: str) -> None:
    message = Message(keyword="AGTLogon", type=MessageType.COMMAND, segments=("jsmith", value))
    with pytest.raises(LocalProtocolError, match="AGTLogon, segment 1") as refused:
        encode_message(message)
    assert "Pa55" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("keyword", "A" * 21),
        ("keyword", " "),
        ("client", "A" * 21),
        ("process_id", "1234567"),
        ("invoke_id", "10000"),
    ],
)
def test_header_field_that_does_not_fit_is_refused(place: str, value: str) -> None:
    message = Message(keyword="AGTLogon", type=MessageType.COMMAND)
    with pytest.raises(LocalProtocolError):
        encode_message(msgspec.structs.replace(message, **{place: value}))


def test_more_segments_than_four_digits_can_count_are_refused() -> None:
    many = Message(keyword="AGTListJobs", type=MessageType.DATA, segments=("",) * 10_000)
    with pytest.raises(LocalProtocolError):
        encode_message(many)


def test_customer_data_use_the_code_page_of_the_site() -> None:
    message = Message(keyword="AGTReadField", type=MessageType.DATA, segments=("0", "M00001", "Иванов"))
    page = CodePage("cp1251")
    data = encode_message(message, code_page=page)
    assert b"\xc8\xe2\xe0\xed\xee\xe2" in data
    decoder = MessageDecoder(from_server=True, code_page=page)
    decoder.feed(data)
    assert decoder.next_message() == message


def test_byte_that_the_code_page_does_not_define_is_read_as_a_mark() -> None:
    assert CodePage("cp1252").decode(b"a\x81b") == "a\ufffdb"


@pytest.mark.parametrize("name", ["utf-16", "cp037", "no-such-page", "rot13", "base64"])
def test_code_page_that_cannot_carry_a_frame_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        CodePage(name)


def test_message_shows_no_data_when_printed() -> None:
    [logon] = [f for f in frames("session") if b"AGTLogon " in f.data and not f.from_server]
    [message] = decode(logon.data, from_server=False)
    assert "Pa55word" not in repr(message)
    assert "jsmith" not in repr(message)
    [call] = [f for f in frames("session") if b"PAT LEE" in f.data]
    assert "PAT LEE" not in repr(decode(call.data)[0])
