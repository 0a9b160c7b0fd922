"""Answers what other instances ask and hands on what they tell: bounded for each, and never fatal to a link."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from unified_agent.cluster.peer_messages import (
    Answer,
    NotAnswered,
    Notice,
    NotUnderstood,
    Question,
    Unanswered,
    read_notice,
    read_question,
    write,
)
from unified_agent.domain.ids import InstanceId
from unified_agent.errors import LocalProtocolError, RemoteProtocolError
from unified_agent.observe import get_logger, log_event
from unified_agent.pump import Pump
from unified_agent.wire.peer.connection import PeerConnection, Phase
from unified_agent.wire.peer.events import Event

LOGGER = get_logger("cluster.peers")

#: Answers for one other instance that may be under way. A drain asks for 50 agents a second, each for a few seconds.
ANSWERS_LIMIT: Final = 256
#: An answer that takes longer is broken off: whoever asked has given up long since.
ANSWER_LIMIT_S: Final = 60.0

#: Sends the payload of an answer to whoever asked, if it is still there.
Reply: TypeAlias = Callable[[bytes], None]


def reply_over(connection: PeerConnection, pump: Pump[Event], number: int) -> Reply:
    """Return what answers the question of this number, on the connection it came over and on no other."""

    def reply(payload: bytes) -> None:
        if pump.is_open and connection.phase is Phase.READY:
            connection.send_answer(number, payload)
            pump.poke()

    return reply


class PeerAnswers:
    """Runs one task for each question under way.

    Args:
        answer: gives the answer to a question of an instance that has proved who it is.
        heard: takes a notice of such an instance.
    """

    def __init__(
        self,
        answer: Callable[[InstanceId, Question], Awaitable[Answer]],
        heard: Callable[[InstanceId, Notice], None],
    ) -> None:
        self._answer = answer
        self._heard = heard
        self._running: Counter[InstanceId] = Counter()
        self._tasks: dict[asyncio.Task[None], None] = {}
        #: Notices that this version does not understand.
        self.notices_passed_over = 0

    def take_notice(self, peer: InstanceId, payload: bytes) -> None:
        """Hand on a notice; what is not understood is passed over and counted."""
        try:
            notice = read_notice(payload)
        except RemoteProtocolError:
            self.notices_passed_over += 1
            return
        try:
            self._heard(peer, notice)
        except Exception as error:  # noqa: BLE001 - a defect in hearing must not cost the link
            log_event(LOGGER, "peer_notice_defect", level="error", error=error, peer=peer)

    def take_question(self, peer: InstanceId, payload: bytes, reply: Reply) -> None:
        """Begin to answer a question; ``reply`` is called once, now or later, unless ``stop`` comes first."""
        try:
            question = read_question(payload)
        except RemoteProtocolError as error:
            reply(write(NotUnderstood(detail=str(error))))
            return
        if self._running[peer] >= ANSWERS_LIMIT:
            full = f"{ANSWERS_LIMIT} answers for {peer} are under way"
            reply(write(NotAnswered(reason=Unanswered.BUSY, detail=full)))
            return
        self._running[peer] += 1
        task = asyncio.get_running_loop().create_task(self._run(peer, question, reply), name=f"answer to {peer}")
        self._tasks[task] = None
        task.add_done_callback(lambda task: self._ended(task, peer))

    async def stop(self) -> None:
        """Break off what is under way; returns when all of it has ended."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None], peer: InstanceId) -> None:
        del self._tasks[task]
        self._running[peer] -= 1
        if not self._running[peer]:
            del self._running[peer]

    async def _run(self, peer: InstanceId, question: Question, reply: Reply) -> None:
        name = type(question).__name__
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                payload = write(await self._answer(peer, question))
        except TimeoutError:
            late = NotAnswered(reason=Unanswered.LATE, detail=f"{name} took longer than {ANSWER_LIMIT_S:g} s")
            log_event(LOGGER, "peer_answer_late", level="warning", peer=peer, question=name)
            payload = write(late)
        except LocalProtocolError as error:
            log_event(LOGGER, "peer_answer_too_long", level="error", peer=peer, question=name, why=str(error))
            payload = write(NotAnswered(reason=Unanswered.TOO_LONG, detail=str(error)))
        except Exception as error:  # noqa: BLE001 - a defect in one answer must not cost the link, nor the asker its time
            log_event(LOGGER, "peer_answer_defect", level="error", error=error, peer=peer, question=name)
            payload = write(NotAnswered(reason=Unanswered.FAILED, detail=f"{name} failed by a defect, see the log"))
        reply(payload)
