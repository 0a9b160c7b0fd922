from __future__ import annotations

import msgspec
import pytest

from unified_agent.cluster.heartbeats import Heartbeat, Report, Sighting, Stage
from unified_agent.cluster.peer_messages import (
    ANSWERS,
    AdoptAnswer,
    AdoptQuestion,
    Answer,
    NotAnswered,
    NotUnderstood,
    OrderAnswer,
    OrderQuestion,
    Question,
    ReleaseAnswer,
    ReleaseOutcome,
    ReleaseQuestion,
    StatusAnswer,
    StatusQuestion,
    TenureAnswer,
    TenureQuestion,
    Unanswered,
    read_answer,
    read_notice,
    read_question,
    write,
)
from unified_agent.domain.ids import AgentId, InstanceId, SessionId, StationId
from unified_agent.domain.states import Wish
from unified_agent.errors import LocalProtocolError, RemoteProtocolError

HEARTBEAT = Heartbeat(
    instance=InstanceId("a"),
    datacentre="dc1",
    incarnation=7,
    number=3,
    report=Report(
        stage=Stage.READY, address="https://a", peer_address="a:7000", version="0.1", sessions=5, capacity=1200
    ),
    missed=(Sighting(InstanceId("b"), 4, 9, 1.5),),
)
RELEASE = ReleaseQuestion(
    agent=AgentId("5001"),
    station=StationId("2001"),
    term=4,
    wish=Wish.LOGIN,
    proof="hush",
    session=SessionId("s"),
)
QUESTIONS: list[tuple[Question, bytes]] = [
    (TenureQuestion(incarnation=7), b'{"type":"tenure-question","incarnation":7}'),
    (
        RELEASE,
        b'{"type":"release-question","agent":"5001","station":"2001","term":4,"wish":"login","proof":"hush","by_url":"","session":"s"}',
    ),
    (AdoptQuestion(ticket="sealed"), b'{"type":"adopt-question","ticket":"sealed"}'),
    (
        OrderQuestion(order="move", agent=AgentId("5001"), to=InstanceId("b")),
        b'{"type":"order-question","order":"move","agent":"5001","to":"b","rate_per_s":null}',
    ),
    (StatusQuestion(), b'{"type":"status-question"}'),
]
ANSWERED: list[tuple[Answer, bytes]] = [
    (
        TenureAnswer(promised=True, reason="we have no store either"),
        b'{"type":"tenure-answer","promised":true,"reason":"we have no store either"}',
    ),
    (
        ReleaseAnswer(outcome=ReleaseOutcome.NOT_HERE),
        b'{"type":"release-answer","outcome":"not-here","id":"","detail":""}',
    ),
    (
        AdoptAnswer(done=False, id="ticket.invalid"),
        b'{"type":"adopt-answer","done":false,"id":"ticket.invalid","detail":""}',
    ),
    (OrderAnswer(done=True), b'{"type":"order-answer","done":true,"id":"","detail":""}'),
    (StatusAnswer(status={"sessions": 3}), b'{"type":"status-answer","status":{"sessions":3}}'),
    (NotUnderstood(), b'{"type":"not-understood","detail":""}'),
    (NotAnswered(reason=Unanswered.BUSY), b'{"type":"not-answered","reason":"busy","detail":""}'),
]


@pytest.mark.parametrize(("question", "payload"), QUESTIONS)
def test_a_question_is_written_as_the_reference_says_and_read_back(question: Question, payload: bytes) -> None:
    assert write(question) == payload
    assert read_question(payload) == question


@pytest.mark.parametrize(("answer", "payload"), ANSWERED)
def test_an_answer_is_written_as_the_reference_says_and_read_back(answer: Answer, payload: bytes) -> None:
    assert write(answer) == payload
    assert read_answer(payload) == answer


def test_a_heartbeat_is_written_and_read_back() -> None:
    payload = write(HEARTBEAT)
    assert payload.startswith(b'{"type":"heartbeat","instance":"a",')
    assert read_notice(payload) == HEARTBEAT


def test_every_question_has_an_answer_of_its_own() -> None:
    assert list(ANSWERS) == [type(question) for question, _ in QUESTIONS]
    assert list(ANSWERS.values()) == [type(answer) for answer, _ in ANSWERED[:5]]


def test_fields_of_a_later_version_are_ignored_and_missing_ones_have_their_default() -> None:
    assert read_question(b'{"type":"status-question","deep":{"x":[1]}}') == StatusQuestion()
    assert read_question(b'{"type":"order-question","order":"drain"}') == OrderQuestion(order="drain")
    assert read_answer(b'{"type":"adopt-answer","done":true,"by":"b"}') == AdoptAnswer(done=True)
    written = msgspec.json.decode(write(HEARTBEAT))
    written["report"]["mood"] = "fine"
    assert read_notice(msgspec.json.encode(written)) == HEARTBEAT


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        b"null",
        b"{}",
        b'{"type":"later-question"}',
        b'{"type":"tenure-question"}',
        b'{"type":"tenure-question","incarnation":"7"}',
        b'{"type":"order-question","order":"explode"}',
        b'{"type":"order-question","order":"drain","rate_per_s":0}',
        b'{"type":"\x80"}',
        b'{"type":"status-question","x":' + b"[" * 100_000,
    ],
)
def test_what_is_not_understood_is_said_to_be_so(payload: bytes) -> None:
    for read in (read_question, read_answer, read_notice):
        with pytest.raises(RemoteProtocolError, match="not understood"):
            read(payload)


def test_a_message_longer_than_a_frame_is_our_fault() -> None:
    with pytest.raises(LocalProtocolError, match="StatusAnswer of"):
        write(StatusAnswer(status={"x": "y" * 1024 * 1024}))


def test_a_ticket_and_a_proof_do_not_show_in_a_repr() -> None:
    assert repr(AdoptQuestion(ticket="sealed")) == "AdoptQuestion(ticket=…)"
    assert "hush" not in repr(RELEASE)
    assert "agent='5001'" in repr(RELEASE)
