"""Whatever a web server says, in whatever pieces: it is answered in order, or the connection ends with a reason."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.wire.ajp13 import front

from unified_agent.errors import LocalProtocolError
from unified_agent.wire.ajp13.connection import AjpConnection
from unified_agent.wire.ajp13.events import BodyReceived, Ended, Phase, RequestReceived
from unified_agent.wire.ajp13.limits import AjpLimits
from unified_agent.wire.ajp13.reasons import CloseReason

SECRET = b"s3cr3t"
MANY = settings(max_examples=settings().max_examples * 5)


@dataclass(frozen=True)
class Asked:
    """One request as a browser meant it, and what the application does with it."""

    body: bytes | None
    is_chunked: bool
    answer: bytes
    reads: bool
    pinged: bool
    end: bytes


asked = st.builds(
    Asked,
    st.none() | st.integers(0, 20_000).map(lambda length: b"\x02\x02" * (length // 2) + b"x" * (length % 2)),
    st.booleans(),
    st.integers(0, 20_000).map(lambda length: b"a" * length),
    st.booleans(),
    st.booleans(),
    st.sampled_from([front.JK_BODY_END, front.PROXY_BODY_END]),
)


@dataclass
class Application:
    """Answers what a connection reports, and remembers the bodies that it read."""

    connection: AjpConnection
    plans: list[Asked]
    bodies: list[bytes] = field(default_factory=list)
    paths: list[bytes] = field(default_factory=list)
    ends: list[CloseReason] = field(default_factory=list)

    def act(self) -> None:
        connection = self.connection
        while (event := connection.next_event()) is not None:
            match event:
                case RequestReceived(request, has_body):
                    self.paths.append(request.path)
                    self.bodies.append(b"")
                    if has_body and self.plans[0].reads:
                        connection.ask_body(0.0)
                    else:
                        self.answer()
                case BodyReceived(data, more):
                    self.bodies[-1] += data
                    if not self.plans[0].reads:
                        continue
                    if more:
                        connection.ask_body(0.0)
                    else:
                        self.answer()
                case Ended(reason, _):
                    self.ends.append(reason)

    def answer(self) -> None:
        body = self.plans.pop(0).answer
        self.connection.send_headers(200, [(b"content-length", str(len(body)).encode())])
        self.connection.send_body(body)
        self.connection.send_end(0.0)


class WebServer:
    """Says what mod_jk and mod_proxy_ajp say, and answers GET_BODY_CHUNK as they do."""

    def __init__(self, plans: list[Asked], cuts: Iterator[int]) -> None:
        self.connection = AjpConnection(AjpLimits(), SECRET, 0.0)
        self.application = Application(self.connection, list(plans))
        self._cuts = cuts
        self._received = b""
        self.pongs = 0

    def send(self, data: bytes) -> None:
        while data:
            cut = next(self._cuts, len(data))
            self.connection.receive_data(data[:cut], 0.0)
            self.application.act()
            data = data[cut:]

    def receive(self) -> list[bytes]:
        self._received += self.connection.data_to_send()
        payloads, self._received = front.split(self._received)
        return payloads

    def ask(self, number: int, plan: Asked) -> front.Answer:
        if plan.pinged:
            self.send(front.CPING)
            assert self.receive() == [b"\x09"]
            self.pongs += 1
        headers: list[tuple[bytes, bytes]] = []
        first, rest = b"", [plan.end]
        if plan.body is not None and plan.is_chunked:
            pieces = front.upload(plan.body)
            headers.append((b"transfer-encoding", b"chunked"))
            rest = [*([pieces[0]] if pieces[0] else []), *pieces[1], plan.end]
        elif plan.body is not None:
            headers.append((b"content-length", str(len(plan.body)).encode()))
            first, rest = front.upload(plan.body)
            rest.append(plan.end)
        path = f"/{number}".encode()
        self.send(front.request("POST", path, headers, secret=SECRET) + first)
        answer = front.Answer()
        while answer.reuse is None:
            payloads = self.receive()
            assert payloads, "nobody waits for the other"
            for payload in payloads:
                asked_before = len(answer.asked)
                front.take(answer, payload)
                if len(answer.asked) > asked_before:
                    self.send(rest.pop(0))
        return answer


@given(st.lists(asked, min_size=1, max_size=6), st.lists(st.integers(1, 9_000), max_size=40))
def test_every_request_of_a_connection_is_answered_in_order_however_the_stream_is_cut(
    plans: list[Asked], cuts: list[int]
) -> None:
    server = WebServer(plans, iter(cuts))
    for number, plan in enumerate(plans):
        answer = server.ask(number, plan)
        assert (answer.status, answer.body, answer.reuse) == (200, plan.answer, True)
    assert server.application.paths == [f"/{number}".encode() for number in range(len(plans))]
    for plan, body in zip(plans, server.application.bodies, strict=True):
        if plan.reads:
            assert body == (plan.body or b"")
    assert server.connection.phase is Phase.IDLE
    assert server.application.ends == []


kinds = st.sampled_from([0, 1, 2, 3, 5, 7, 8, 9, 10, 255])
junk = st.binary(max_size=60)
packets = st.one_of(
    junk,
    st.tuples(kinds, junk).map(lambda each: front.packet(bytes((each[0],)) + each[1])),
    st.just(front.CPING),
    st.just(front.JK_BODY_END),
    st.just(front.PROXY_BODY_END),
    st.just(front.request(secret=SECRET)),
    st.just(front.request(secret=b"other")),
    st.integers(0, 20).map(lambda n: front.request("POST", b"/p", [(b"content-length", b"%d" % n)], secret=SECRET)),
    st.just(front.request("POST", b"/p", [(b"transfer-encoding", b"chunked")], secret=SECRET)),
    junk.map(front.body),
)
doings = st.sampled_from(["headers", "body", "flush", "end", "ask", "stop", "timer", "nothing"])


@MANY
@given(st.lists(st.tuples(packets, doings), max_size=25), st.lists(st.integers(1, 30), max_size=30))
def test_any_bytes_and_any_doings_are_lived_through(steps: list[tuple[bytes, str]], cuts: list[int]) -> None:
    """No bytes raise, the owner is refused only as its own fault, and the connection ends once, with a reason."""
    connection = AjpConnection(AjpLimits(), SECRET, 0.0)
    sizes = iter(cuts)
    ends: list[Ended] = []
    requests, answers = 0, b""
    for number, (data, doing) in enumerate(steps):
        while data:
            cut = next(sizes, len(data))
            connection.receive_data(data[:cut], float(number))
            data = data[cut:]
        with contextlib.suppress(LocalProtocolError):
            do(connection, doing, number)
        while (event := connection.next_event()) is not None:
            assert not ends, "nothing follows the end"
            if isinstance(event, Ended):
                ends.append(event)
            elif isinstance(event, RequestReceived):
                requests += 1
        answers += connection.data_to_send()
        due_s = connection.next_timer()
        assert due_s is None or due_s >= number
    assert (connection.phase is Phase.OVER) == bool(ends)
    payloads, left = front.split(answers)
    assert left == b"", "we send whole packets"
    ended = sum(payload[0] == 5 for payload in payloads)
    assert ended <= requests + len(ends)


def do(connection: AjpConnection, doing: str, number: int) -> None:
    match doing:
        case "headers":
            connection.send_headers(200, [])
        case "body":
            connection.send_body(b"x")
        case "flush":
            connection.send_flush()
        case "end":
            connection.send_end(float(number))
        case "ask":
            connection.ask_body(float(number))
        case "stop":
            connection.stop(float(number))
        case "timer":
            connection.handle_timer(float(number))


@MANY
@given(st.binary(min_size=1, max_size=100))
def test_without_the_secret_no_bytes_are_taken_for_a_request(data: bytes) -> None:
    connection = AjpConnection(AjpLimits(), SECRET, 0.0)
    connection.receive_data(front.request("POST", b"/p", [(b"content-length", b"5")]) + data, 0.0)
    event = connection.next_event()
    assert isinstance(event, Ended)
    assert event.reason is CloseReason.SECRET
    assert connection.next_event() is None
