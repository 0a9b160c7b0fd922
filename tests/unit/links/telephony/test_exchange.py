from __future__ import annotations

from collections.abc import Generator
from typing import Any

from tests.unit.links.fakes import ManualClock

from unified_agent.errors import LinkNotReady
from unified_agent.links.telephony import exchange as subject
from unified_agent.links.telephony.exchange import Done, Exchange, Line, Refused, Unanswered
from unified_agent.links.telephony.refusals import BUSY, LINK_DOWN, Refusal, Topic
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.connection_events import Answered, Failed, RequestTimedOut
from unified_agent.wire.csta.request_table import Token
from unified_agent.wire.csta.values import MonitorId


def question(name: str) -> csta.MonitorStop:
    return csta.MonitorStop(monitor_id=MonitorId(name))


def talk(*names: str) -> Generator[csta.Message, csta.Message, tuple[str, ...]]:
    """Ask these questions one after the other."""
    for name in names:
        yield question(name)
    return names


class Peer:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.sent: list[str] = []
        self.limits: list[float] = []
        self.counted: list[str] = []
        self.ended: list[Any] = []
        self.exchange = Exchange(
            self.send, self.clock, request_limit_s=10.0, count=lambda how, _: self.counted.append(how)
        )
        self.closed = False

    def send(self, request: csta.Message, limit_s: float) -> Token:
        if self.closed:
            raise LinkNotReady("the session is over")
        assert isinstance(request, csta.MonitorStop)
        self.sent.append(request.monitor_id)
        self.limits.append(limit_s)
        return Token(len(self.sent))

    def begin(self, *names: str, urgent: bool = True) -> None:
        self.exchange.begin(talk(*names), Topic.CALL, self.ended.append, urgent=urgent)

    def answer(self, name: str) -> bool:
        return self.exchange.answered(Answered(Token(self.sent.index(name) + 1), csta.MonitorStopResponse()))


def test_conversation_asks_one_thing_after_the_other_and_ends_once() -> None:
    peer = Peer()
    peer.begin("a", "b")
    assert peer.sent == ["a"]
    peer.answer("a")
    assert (peer.sent, peer.ended) == (["a", "b"], [])
    peer.answer("b")
    assert peer.ended == [Done(("a", "b"))]
    assert peer.counted == ["done", "done"]
    assert not peer.answer("b")


def test_conversation_without_a_question_ends_at_once() -> None:
    peer = Peer()
    peer.begin()
    assert peer.ended == [Done(())]


def test_refusal_ends_it_in_our_words_unless_the_conversation_takes_it() -> None:
    peer = Peer()
    peer.begin("a", "b")
    assert peer.exchange.failed(Failed(Token(1), "stateIncompatibility", "noHeldCall"))
    assert peer.ended == [Refusal(id="switch.no-such-call", detail="stateIncompatibility noHeldCall")]

    def lenient() -> Generator[csta.Message, csta.Message, str]:
        try:
            yield question("c")
        except Refused as refused:
            return refused.failure.error_value
        return "answered"

    peer.exchange.begin(lenient(), Topic.CALL, peer.ended.append)
    peer.exchange.failed(Failed(Token(2), "operation", "generic"))
    assert peer.ended[-1] == Done("generic")
    assert not peer.exchange.failed(Failed(Token(99), "operation", "generic"))


def test_requests_in_flight_are_bounded_and_begun_conversations_go_first(monkeypatch: Any) -> None:
    monkeypatch.setattr(subject, "IN_FLIGHT_LIMIT", 2)
    peer = Peer()
    for name in "abc":
        peer.begin(f"{name}1", f"{name}2")
    assert peer.sent == ["a1", "b1"]
    assert (peer.exchange.in_flight, peer.exchange.waiting) == (2, 1)
    peer.answer("a1")
    assert peer.sent == ["a1", "b1", "a2"]
    peer.answer("b1")
    peer.answer("a2")
    assert peer.sent == ["a1", "b1", "a2", "b2", "c1"]


def test_what_a_person_waits_for_goes_before_the_house(monkeypatch: Any) -> None:
    monkeypatch.setattr(subject, "IN_FLIGHT_LIMIT", 1)
    peer = Peer()
    peer.begin("first")
    peer.begin("poll", urgent=False)
    peer.begin("press")
    peer.answer("first")
    peer.answer("press")
    assert peer.sent == ["first", "press", "poll"]


def test_overload_keeps_fewer_in_flight_until_it_is_relieved() -> None:
    peer = Peer()
    peer.exchange.slow_down(overloaded=True)
    for number in range(30):
        peer.begin(str(number))
    assert len(peer.sent) == 10
    peer.exchange.slow_down(overloaded=False)
    assert len(peer.sent) == 30


def test_time_spent_waiting_counts_and_what_was_never_sent_is_refused_as_busy(monkeypatch: Any) -> None:
    monkeypatch.setattr(subject, "IN_FLIGHT_LIMIT", 1)
    peer = Peer()
    peer.begin("a")
    peer.begin("b")
    peer.begin("c")
    peer.clock.advance(4)
    peer.answer("a")
    assert peer.limits == [10.0, 6.0]
    peer.clock.advance(6)
    peer.exchange.timed_out(RequestTimedOut(Token(2)))
    assert peer.ended[1:] == [Unanswered("the switch did not answer MonitorStop within 10 s"), BUSY]
    assert peer.sent == ["a", "b"]


def test_too_many_waiting_are_refused_as_busy(monkeypatch: Any) -> None:
    monkeypatch.setattr(subject, "IN_FLIGHT_LIMIT", 1)
    monkeypatch.setattr(subject, "WAITING_LIMIT", 2)
    peer = Peer()
    for name in "abcd":
        peer.begin(name)
    assert peer.ended == [BUSY]


def test_abandoned_conversations_end_unanswered_and_late_answers_are_nobodys() -> None:
    peer = Peer()
    peer.begin("a", "b")
    peer.begin("c")
    peer.exchange.abandon("the connection is closed")
    assert peer.ended == [Unanswered("the connection is closed")] * 2
    assert peer.counted == ["unknown", "unknown"]
    assert not peer.answer("a")
    peer.exchange.timed_out(RequestTimedOut(Token(2)))
    assert len(peer.ended) == 2


def test_session_that_is_over_refuses_as_link_down() -> None:
    peer = Peer()
    peer.closed = True
    peer.begin("a")
    assert peer.ended == [LINK_DOWN]


def test_line_without_exchange_ends_a_conversation_unanswered() -> None:
    ended: list[Any] = []
    Line().talk(talk("a"), Topic.CALL, ended.append)
    assert ended == [Unanswered("the link was lost")]


def test_end_of_one_may_begin_another() -> None:
    peer = Peer()
    peer.exchange.begin(talk("a"), Topic.CALL, lambda _: peer.begin("b"))
    peer.answer("a")
    assert peer.sent == ["a", "b"]
