"""Requests under way: conversations of one or more requests each, bounded in flight, each with exactly one outcome.

A conversation is a generator: it yields a request and gets the answer; a refusal is raised in it as ``Refused``. It
returns what came of it. Conversations that serve a person who waits go before those of the house (polls, releases).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from typing import Any, Final, Generic, TypeVar

from msgspec import Struct

from unified_agent.domain.ports import Clock
from unified_agent.errors import LinkNotReady, LocalProtocolError
from unified_agent.links.telephony.refusals import BUSY, LINK_DOWN, Refusal, Topic, refusal_of
from unified_agent.wire.csta.connection_events import Answered, Failed, RequestTimedOut
from unified_agent.wire.csta.request_table import Token
from unified_agent.wire.csta.shapes import Message

ResultT = TypeVar("ResultT")
AnswerT = TypeVar("AnswerT", bound=Message)

Conversation = Generator[Message, Message, ResultT]

#: Requests unanswered at AES at once. Its own limit is not known; 200 in flight at 20 ms each are 10,000 a second,
#: far above the 1,200 that 200 log-ins a second need.
IN_FLIGHT_LIMIT: Final = 200
#: The same while AES says that it is overloaded.
OVERLOADED_IN_FLIGHT_LIMIT: Final = 10
#: Conversations that wait for a place; beyond it they are refused as busy.
WAITING_LIMIT: Final = 10_000


class Refused(Exception):
    """A request of a conversation was refused. A conversation may catch it and go on."""

    def __init__(self, failure: Failed) -> None:
        super().__init__(f"{failure.error_class} {failure.error_value}")
        self.failure = failure


class Done(Struct, Generic[ResultT], frozen=True):
    """The conversation came to its end. Attributes: ``result``: what it returned."""

    result: ResultT


class Unanswered(Struct, frozen=True):
    """A request was sent and not answered: it may or may not have been carried out. ``detail``: for people."""

    detail: str


Outcome = Done[ResultT] | Refusal | Unanswered


def expect(answer: Message, kind: type[AnswerT]) -> AnswerT:
    """Check the type of an answer.

    Raises:
        Refused: the peer answered with something else.
    """
    if not isinstance(answer, kind):
        raise Refused(Failed(Token(0), "unexpected", f"answer {type(answer).__name__} instead of {kind.__name__}"))
    return answer


class Talk:
    """One conversation under way."""

    __slots__ = ("conversation", "deadline_s", "end", "request", "sent_s", "started", "topic", "urgent")

    def __init__(
        self, conversation: Conversation[Any], topic: Topic, end: Callable[[Any], None], *, urgent: bool
    ) -> None:
        self.conversation = conversation
        self.topic = topic
        self.end = end
        self.urgent = urgent
        self.request: Message | None = None
        self.deadline_s = 0.0
        self.sent_s = 0.0
        self.started = False


class Exchange:
    """All conversations on one connection.

    Args:
        send: writes a request with the seconds that its answer may take, and returns its token.
        clock: for deadlines.
        request_limit_s: how long one request may take, waiting for a place included.
        count: told how each request ended (``done``, ``refused``, ``unknown``) and after how many seconds.
    """

    def __init__(
        self,
        send: Callable[[Message, float], Token],
        clock: Clock,
        *,
        request_limit_s: float,
        count: Callable[[str, float], None],
    ) -> None:
        self._send = send
        self._clock = clock
        self._request_limit_s = request_limit_s
        self._count = count
        self._in_flight: dict[Token, Talk] = {}
        self._urgent: deque[Talk] = deque()
        self._patient: deque[Talk] = deque()
        self._limit = IN_FLIGHT_LIMIT
        self._filling = False

    @property
    def in_flight(self) -> int:
        """Requests sent and not answered."""
        return len(self._in_flight)

    @property
    def waiting(self) -> int:
        """Requests that wait for a place."""
        return len(self._urgent) + len(self._patient)

    def slow_down(self, *, overloaded: bool) -> None:
        """Keep fewer requests in flight while AES is overloaded."""
        self._limit = OVERLOADED_IN_FLIGHT_LIMIT if overloaded else IN_FLIGHT_LIMIT
        self._fill()

    def begin(
        self,
        conversation: Conversation[ResultT],
        topic: Topic,
        end: Callable[[Outcome[ResultT]], None],
        *,
        urgent: bool = True,
    ) -> None:
        """Hold a conversation.

        Args:
            conversation: see the module.
            topic: how its refusals are to be read.
            end: called once with the outcome; at once when nothing has to be asked.
            urgent: somebody waits for it.
        """
        talk = Talk(conversation, topic, end, urgent=urgent)
        if self.waiting >= WAITING_LIMIT:
            conversation.close()
            end(BUSY)
            return
        self._go_on(talk, lambda: next(talk.conversation))

    def answered(self, event: Answered) -> bool:
        """Take an answer. Returns False when it belongs to none of ours."""
        talk = self._in_flight.pop(event.token, None)
        if talk is None:
            return False
        self._tell("done", talk)
        self._go_on(talk, lambda: talk.conversation.send(event.message))
        self._fill()
        return True

    def failed(self, event: Failed) -> bool:
        """Take a refusal. Returns False when it belongs to none of ours."""
        talk = self._in_flight.pop(event.token, None)
        if talk is None:
            return False
        self._tell("refused", talk)
        self._go_on(talk, lambda: talk.conversation.throw(Refused(event)))
        self._fill()
        return True

    def timed_out(self, event: RequestTimedOut) -> None:
        """Take the news that no answer came."""
        talk = self._in_flight.pop(event.token, None)
        if talk is None:
            return
        self._tell("unknown", talk)
        name = type(talk.request).__name__
        talk.conversation.close()
        talk.end(Unanswered(f"the switch did not answer {name} within {self._request_limit_s:g} s"))
        self._fill()

    def abandon(self, detail: str) -> None:
        """End every conversation: what was sent may have happened, what was not sent is unknown all the same."""
        talks = [*self._in_flight.values(), *self._urgent, *self._patient]
        for talk in self._in_flight.values():
            self._tell("unknown", talk)
        self._in_flight.clear()
        self._urgent.clear()
        self._patient.clear()
        for talk in talks:
            talk.conversation.close()
            talk.end(Unanswered(detail))

    def _go_on(self, talk: Talk, step: Callable[[], Message]) -> None:
        try:
            talk.request = step()
        except StopIteration as stop:
            talk.end(Done(stop.value))
        except Refused as refused:
            talk.end(refusal_of(refused.failure, talk.topic))
        except LocalProtocolError as error:
            talk.end(Refusal(id="switch.refused", detail=str(error)))
        else:
            talk.deadline_s = self._clock.now_s() + self._request_limit_s
            # A conversation that has begun goes before those that have not, so that few are half-way at a time.
            queue = self._urgent if talk.urgent else self._patient
            if talk.started:
                queue.appendleft(talk)
            else:
                talk.started = True
                queue.append(talk)
            self._fill()

    def _fill(self) -> None:
        """Send what has a place. Outcomes may begin new conversations, which this same loop then sends."""
        if self._filling:
            return
        self._filling = True
        try:
            while self.waiting and len(self._in_flight) < self._limit:
                talk = self._urgent.popleft() if self._urgent else self._patient.popleft()
                now_s = self._clock.now_s()
                if now_s >= talk.deadline_s:
                    talk.conversation.close()
                    talk.end(BUSY)
                    continue
                assert talk.request is not None, "a conversation that waits has a request"
                talk.sent_s = now_s
                try:
                    token = self._send(talk.request, talk.deadline_s - now_s)
                except LinkNotReady:
                    talk.conversation.close()
                    talk.end(LINK_DOWN)
                except LocalProtocolError as error:  # a text that XML cannot carry
                    talk.conversation.close()
                    talk.end(Refusal(id="switch.refused", detail=str(error)))
                else:
                    self._in_flight[token] = talk
        finally:
            self._filling = False

    def _tell(self, how: str, talk: Talk) -> None:
        self._count(how, self._clock.now_s() - talk.sent_s)


class Line:
    """The way to the switch, while there is one. Attributes: ``exchange``: None while the link is down."""

    def __init__(self) -> None:
        self.exchange: Exchange | None = None

    def talk(
        self,
        conversation: Conversation[ResultT],
        topic: Topic,
        end: Callable[[Outcome[ResultT]], None],
        *,
        urgent: bool = True,
    ) -> None:
        """Hold a conversation, see ``Exchange.begin``; while the link is down it ends at once, unanswered."""
        if self.exchange is None:
            conversation.close()
            end(Unanswered("the link was lost"))
        else:
            self.exchange.begin(conversation, topic, end, urgent=urgent)
