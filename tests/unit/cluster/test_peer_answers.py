from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.simulation.virtual_loop import run
from tests.unit.cluster.peer_world import TENURE, beat
from tests.unit.wire.peer.ends import events_of, exchange, ready_pair

from unified_agent.cluster import peer_answers
from unified_agent.cluster.peer_answers import ANSWER_LIMIT_S, ANSWERS_LIMIT, PeerAnswers, reply_over
from unified_agent.cluster.peer_messages import (
    Answer,
    NotAnswered,
    NotUnderstood,
    Question,
    StatusAnswer,
    TenureAnswer,
    read_answer,
    write,
)
from unified_agent.domain.ids import InstanceId
from unified_agent.wire.peer.events import AnswerReceived
from unified_agent.wire.peer.framing import PAYLOAD_LIMIT_BYTES

A, B = InstanceId("a"), InstanceId("b")
YES = TenureAnswer(promised=True, reason="")
ASKED = write(TENURE)


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(peer_answers, "log_event", lambda _, event, **__: lines.append(event))
    return lines


class Desk:
    """Answers, and what was replied to each instance, in order."""

    def __init__(self, answer: Callable[[Question], Awaitable[Answer]]) -> None:
        async def answered(_: InstanceId, question: Question) -> Answer:
            return await answer(question)

        self.heard: list[tuple[str, Any]] = []
        self.answers = PeerAnswers(answered, lambda peer, notice: self.heard.append((peer, notice)))
        self.replies: dict[str, list[Answer]] = {A: [], B: []}

    def ask(self, peer: InstanceId = A, payload: bytes = ASKED) -> None:
        self.answers.take_question(peer, payload, lambda reply: self.replies[peer].append(read_answer(reply)))


async def at_once(_: Question) -> Answer:
    return YES


async def never(_: Question) -> Answer:
    await asyncio.Event().wait()
    raise AssertionError


def test_a_question_is_answered() -> None:
    async def main() -> None:
        desk = Desk(at_once)
        desk.ask()
        assert desk.replies[A] == []
        await asyncio.sleep(0.001)
        assert desk.replies[A] == [YES]

    run(main())


def test_a_question_that_is_not_understood_is_answered_so_at_once() -> None:
    desk = Desk(at_once)
    desk.ask(payload=b'{"type":"later-question"}')
    [answer] = desk.replies[A]
    assert isinstance(answer, NotUnderstood)
    assert "later-question" in answer.detail


def test_too_many_answers_for_one_instance_are_refused_and_those_for_another_are_not() -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def when_opened(_: Question) -> Answer:
            await gate.wait()
            return YES

        desk = Desk(when_opened)
        for _ in range(ANSWERS_LIMIT + 1):
            desk.ask(A)
        desk.ask(B)
        assert desk.replies == {
            A: [NotAnswered(reason="busy", detail=f"{ANSWERS_LIMIT} answers for a are under way")],
            B: [],
        }
        gate.set()
        await asyncio.sleep(0.001)
        assert desk.replies[A][1:] == [YES] * ANSWERS_LIMIT
        desk.ask(A)
        await asyncio.sleep(0.001)
        assert desk.replies[A][-1] == YES, "there is room again"

    run(main())


def test_an_answer_that_takes_too_long_is_broken_off(logged: list[str]) -> None:
    async def main() -> None:
        desk = Desk(never)
        desk.ask()
        await asyncio.sleep(ANSWER_LIMIT_S - 0.1)
        assert desk.replies[A] == []
        await asyncio.sleep(0.2)
        assert desk.replies[A] == [NotAnswered(reason="late", detail="TenureQuestion took longer than 60 s")]

    run(main())
    assert logged == ["peer_answer_late"]


def test_a_defect_in_one_answer_is_logged_and_told_without_its_words(logged: list[str]) -> None:
    async def broken(_: Question) -> Answer:
        raise ValueError("the agent's password")

    async def main() -> None:
        desk = Desk(broken)
        desk.ask()
        await asyncio.sleep(0.001)
        [answer] = desk.replies[A]
        assert isinstance(answer, NotAnswered)
        assert answer.reason == "failed"
        assert "password" not in answer.detail

    run(main())
    assert logged == ["peer_answer_defect"]


def test_an_answer_longer_than_a_frame_is_told_to_be_so(logged: list[str]) -> None:
    async def endless(_: Question) -> Answer:
        return StatusAnswer(status={"x": "y" * PAYLOAD_LIMIT_BYTES})

    async def main() -> None:
        desk = Desk(endless)
        desk.ask()
        await asyncio.sleep(0.001)
        [answer] = desk.replies[A]
        assert isinstance(answer, NotAnswered)
        assert answer.reason == "too-long"

    run(main())
    assert logged == ["peer_answer_too_long"]


def test_notices_are_handed_on_and_what_is_not_understood_is_counted() -> None:
    desk = Desk(at_once)
    desk.answers.take_notice(A, write(beat("a")))
    desk.answers.take_notice(A, b'{"type":"later-notice"}')
    assert desk.heard == [("a", beat("a"))]
    assert desk.answers.notices_passed_over == 1


def test_a_defect_in_hearing_is_logged_and_goes_no_further(logged: list[str]) -> None:
    def deaf(*_: object) -> None:
        raise ValueError

    async def answer(*_: object) -> Answer:
        return YES

    PeerAnswers(answer, deaf).take_notice(A, write(beat("a")))
    assert logged == ["peer_notice_defect"]


def test_stopping_breaks_off_what_is_under_way_and_waits_for_it() -> None:
    async def main() -> None:
        tidied = []

        async def tidy(question: Question) -> Answer:
            try:
                return await never(question)
            finally:
                await asyncio.sleep(0.5)
                tidied.append(question)

        desk = Desk(tidy)
        desk.ask()
        await asyncio.sleep(0.1)
        await desk.answers.stop()
        assert tidied == [TENURE]
        assert desk.replies[A] == []

    run(main())


class FakePump:
    def __init__(self) -> None:
        self.is_open = True
        self.pokes = 0

    def poke(self) -> None:
        self.pokes += 1


def test_a_reply_goes_over_the_connection_of_the_question_as_long_as_that_is_there() -> None:
    one, other = ready_pair()
    pump: Any = FakePump()
    reply = reply_over(one, pump, 7)
    reply(b"yes")
    exchange(one, other)
    assert events_of(other) == [AnswerReceived(7, b"yes")]
    assert pump.pokes == 1


@pytest.mark.parametrize("closed", ["pump", "connection"])
def test_a_reply_to_somebody_who_has_gone_is_dropped(closed: str) -> None:
    one, _ = ready_pair()
    pump: Any = FakePump()
    reply = reply_over(one, pump, 7)
    if closed == "pump":
        pump.is_open = False
    else:
        one.receive_eof(0.0)
    reply(b"yes")
    assert one.data_to_send() == b""
    assert pump.pokes == 0
