"""Any message survives the wire; any bytes either parse or are refused."""

from __future__ import annotations

import itertools
import string

from hypothesis import given
from hypothesis import strategies as st

from unified_agent.errors import RemoteProtocolError
from unified_agent.wire.apc.codec import MessageDecoder, encode_frames, encode_message
from unified_agent.wire.apc.connection import AgentConnection, AgentConnectionSettings
from unified_agent.wire.apc.events import SessionLost
from unified_agent.wire.apc.messages import Message, MessageType

BAD = "\x03\x17\x1e"
values = st.text(st.characters(max_codepoint=255, exclude_characters=BAD), max_size=30)
header = st.text(string.ascii_letters + string.digits, max_size=4)
FRAME = b"AGTCallNotify       NAgent server        20817 0   2   \x1e0\x1eM00000\x03"


def messages(kinds: str) -> st.SearchStrategy[Message]:
    return st.builds(
        Message,
        keyword=st.text(string.ascii_letters, min_size=1, max_size=20),
        type=st.sampled_from([MessageType(kind) for kind in kinds]),
        segments=st.lists(values, max_size=8).map(tuple),
        client=header,
        process_id=header,
        invoke_id=header,
    )


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """The same bytes in pieces."""
    borders = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(borders)]


def read(pieces: list[bytes], *, from_server: bool) -> tuple[list[Message], bool]:
    """All messages, and whether the bytes were refused in the end."""
    decoder = MessageDecoder(from_server=from_server, limit_bytes=4096)
    found = []
    for piece in pieces:
        decoder.feed(piece)
        try:
            while (message := decoder.next_message()) is not None:
                found.append(message)
        except RemoteProtocolError:
            return found, True
    return found, False


cuts = st.lists(st.integers(0, 10_000), max_size=8)


@given(st.lists(messages("PDRBN"), max_size=5), cuts)
def test_messages_of_a_dialler_survive_the_wire_however_it_is_cut(sent: list[Message], places: list[int]) -> None:
    data = b"".join(map(encode_message, sent))
    assert read(cut(data, places), from_server=True) == (sent, False)


@given(st.lists(messages("C"), max_size=5), cuts)
def test_commands_survive_the_wire_however_it_is_cut(sent: list[Message], places: list[int]) -> None:
    data = b"".join(map(encode_message, sent))
    assert read(cut(data, places), from_server=False) == (sent, False)


@given(messages("PDRN"), st.integers(1, 200), cuts)
def test_continued_message_reads_as_it_was(message: Message, part_size_bytes: int, places: list[int]) -> None:
    parts = encode_frames(message, part_size_bytes=part_size_bytes)
    # A part that happens to begin like a data message cannot be told from a repeated status and code.
    if not any(b"\x1e0\x1eM00001" in part for part in parts[1:]):
        assert read(cut(b"".join(parts), places), from_server=True) == ([message], False)


mangled = st.one_of(
    st.binary(max_size=300),
    st.lists(
        st.one_of(st.sampled_from([FRAME, b"\x03", b"\x17", b"\x1e", FRAME[:-1] + b"\x17"]), st.binary(max_size=60)),
        max_size=8,
    ).map(b"".join),
    st.tuples(st.integers(0, len(FRAME) - 1), st.binary(max_size=3)).map(
        lambda change: FRAME[: change[0]] + change[1] + FRAME[change[0] + 1 :]
    ),
)


@given(mangled, cuts, st.booleans())
def test_any_bytes_parse_or_are_refused_alike_however_they_are_cut(
    data: bytes, places: list[int], from_server: bool
) -> None:
    whole = read([data], from_server=from_server)
    assert read(cut(data, places), from_server=from_server) == whole
    assert read([data[i : i + 1] for i in range(len(data))], from_server=from_server) == whole


@given(mangled)
def test_connection_takes_any_bytes_or_reports_its_end(data: bytes) -> None:
    connection = AgentConnection(AgentConnectionSettings(), now_s=0.0)
    try:
        connection.receive_data(data, 1.0)
        refused = False
    except RemoteProtocolError:
        refused = True
    found = []
    while (event := connection.next_event()) is not None:
        found.append(event)
    if refused:
        assert isinstance(found[-1], SessionLost)
    assert sum(isinstance(event, SessionLost) for event in found) == connection.ended
