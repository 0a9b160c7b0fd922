"""Any bytes either parse or are refused, whatever was said before; whatever two instances say arrives as it was."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.wire.peer.ends import acceptor, dialler, events_of, exchange, ready_pair

from unified_agent.cluster.heartbeats import Heartbeat, Sighting
from unified_agent.cluster.peer_messages import (
    AdoptQuestion,
    OrderQuestion,
    Question,
    ReleaseQuestion,
    StatusQuestion,
    TenureQuestion,
    read_answer,
    read_notice,
    read_question,
    write,
)
from unified_agent.errors import RemoteProtocolError
from unified_agent.wire.peer.connection import PeerConnection, Phase
from unified_agent.wire.peer.events import AnswerReceived, Event, NoticeReceived, QuestionReceived, Ready
from unified_agent.wire.peer.framing import LAST_NUMBER, FrameKind, frame_bytes

#: Broken bytes are cheap to try.
MANY = settings(max_examples=settings().max_examples * 5)

numbers = st.integers(1, LAST_NUMBER)
payloads = st.binary(max_size=300)
said = st.one_of(
    st.builds(NoticeReceived, payloads),
    st.builds(QuestionReceived, numbers, payloads),
    st.builds(AnswerReceived, numbers, payloads),
)
frames = st.builds(frame_bytes, st.sampled_from(list(FrameKind)) | st.integers(0, 255), payloads)


def say(end: PeerConnection, event: Event) -> None:
    match event:
        case NoticeReceived(payload):
            end.send_notice(payload)
        case QuestionReceived(number, payload):
            end.send_question(number, payload)
        case AnswerReceived(number, payload):
            end.send_answer(number, payload)


def pieces(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    at = 0
    for cut in cuts:
        yield data[at : at + cut]
        at += cut
    yield data[at:]


@given(st.lists(said, max_size=10), st.lists(st.integers(1, 50), max_size=30))
def test_what_is_said_arrives_in_order_however_the_stream_is_cut(events: list[Event], cuts: list[int]) -> None:
    one, other = ready_pair()
    for event in events:
        say(one, event)
    for piece in pieces(one.data_to_send(), cuts):
        other.receive_data(piece, 0.0)
    assert events_of(other) == events


def feed(end: PeerConnection, data: bytes, cuts: list[int]) -> None:
    try:
        for piece in pieces(data, cuts):
            end.receive_data(piece, 0.0)
    except RemoteProtocolError:
        assert end.phase is Phase.OVER
    end.data_to_send()


@MANY
@given(
    st.sampled_from(["dialler", "acceptor"]),
    st.integers(0, 3),
    st.binary(max_size=60) | st.lists(frames, max_size=6).map(b"".join),
    st.lists(st.integers(1, 20), max_size=5),
)
def test_any_bytes_at_any_moment_are_read_or_refused(role: str, step: int, data: bytes, cuts: list[int]) -> None:
    one, other = dialler(), acceptor()
    for _ in range(step):
        other.receive_data(one.data_to_send(), 0.0)
        one.receive_data(other.data_to_send(), 0.0)
    victim = one if role == "dialler" else other
    was_ready = victim.phase is Phase.READY
    events_of(victim)
    feed(victim, data, cuts)
    assert was_ready or not any(isinstance(event, Ready) for event in events_of(victim))


@MANY
@given(st.data())
def test_nobody_is_ready_when_a_byte_of_a_handshake_was_changed(data: st.DataObject) -> None:
    one, other = dialler(), acceptor()
    there, back = exchange(one, other)
    to_dialler = data.draw(st.booleans())
    recorded = bytearray(back if to_dialler else there)
    at = data.draw(st.integers(0, len(recorded) - 1))
    recorded[at] ^= data.draw(st.integers(1, 255))
    victim = dialler() if to_dialler else acceptor()
    feed(victim, bytes(recorded), [])
    assert not any(isinstance(event, Ready) for event in events_of(victim))


#: JSON has neither infinity nor "not a number".
ages = st.floats(0, allow_infinity=False)
sightings = st.builds(Sighting, st.text(max_size=9), st.integers(0, 2**62), st.integers(0, 2**62), ages)
heartbeats = st.builds(
    Heartbeat,
    instance=st.text(max_size=9),
    missed=st.lists(sightings, max_size=3).map(tuple),
    seen=st.lists(sightings, max_size=3).map(tuple),
)
#: As many as a second may see; Hypothesis does not read the bounds of a message's fields.
rates = st.none() | st.floats(0, 1_000_000, exclude_min=True)
questions = st.one_of(
    st.from_type(TenureQuestion),
    st.from_type(ReleaseQuestion),
    st.from_type(AdoptQuestion),
    st.from_type(StatusQuestion),
    st.builds(OrderQuestion, rate_per_s=rates),
)


@given(questions)
def test_any_question_comes_back_as_it_was(question: Question) -> None:
    assert read_question(write(question)) == question


@given(heartbeats)
def test_any_heartbeat_comes_back_as_it_was(heartbeat: Heartbeat) -> None:
    assert read_notice(write(heartbeat)) == heartbeat


@MANY
@given(st.binary(max_size=200))
def test_any_payload_is_understood_or_not(payload: bytes) -> None:
    for read in (read_question, read_answer, read_notice):
        try:
            read(payload)
        except RemoteProtocolError:
            continue


@MANY
@given(questions, st.data())
def test_a_question_with_bytes_changed_is_understood_or_not(question: Question, data: st.DataObject) -> None:
    payload = bytearray(write(question))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(payload) - 1))
        payload[at] = data.draw(st.integers(0, 255))
    try:
        read_question(bytes(payload))
    except RemoteProtocolError:
        return
