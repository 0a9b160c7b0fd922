"""One connection: every rule about what may come when, and what is answered."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.unit.wire.ajp13 import front

from unified_agent.errors import LocalProtocolError
from unified_agent.wire.ajp13.codes import KNOWN_ATTRIBUTES
from unified_agent.wire.ajp13.connection import AjpConnection
from unified_agent.wire.ajp13.events import BodyReceived, Ended, Event, Phase, RequestReceived
from unified_agent.wire.ajp13.limits import REQUEST_FOLLOWS_S, AjpLimits
from unified_agent.wire.ajp13.reasons import CloseReason

CAPTURED = Path(__file__).parents[3] / "vectors" / "ajp13" / "captured.toml"
SECRET = b"s3cr3t"
GET = front.request("GET", b"/a", secret=SECRET)


def connected(secret: bytes = SECRET, **limits: Any) -> AjpConnection:
    return AjpConnection(AjpLimits(**limits), secret, 0.0)


def events_of(connection: AjpConnection) -> list[Event]:
    found = []
    while (event := connection.next_event()) is not None:
        found.append(event)
    return found


def feed(connection: AjpConnection, data: bytes, now_s: float = 0.0) -> list[Event]:
    connection.receive_data(data, now_s)
    return events_of(connection)


def answer(
    connection: AjpConnection, body: bytes = b"ok", status: int = 200, headers: list[tuple[bytes, bytes]] | None = None
) -> front.Answer:
    length = [(b"content-length", str(len(body)).encode())]
    connection.send_headers(status, length if headers is None else headers)
    connection.send_body(body)
    connection.send_end(0.0)
    (found,) = front.answers(connection.data_to_send())
    return found


def post(body: bytes, **changes: Any) -> bytes:
    headers = [(b"content-length", str(len(body)).encode())]
    return front.request("POST", b"/p", headers, secret=SECRET, **changes)


def chunked() -> bytes:
    return front.request("POST", b"/p", [(b"transfer-encoding", b"chunked")], secret=SECRET)


def ended(connection: AjpConnection) -> Ended:
    (event,) = [each for each in events_of(connection) if isinstance(each, Ended)]
    assert connection.phase is Phase.OVER
    return event


# --- pings and requests


def test_a_ping_is_answered_at_once_as_often_as_it_comes() -> None:
    connection = connected()
    assert feed(connection, front.CPING) == []
    assert connection.data_to_send() == front.CPONG
    feed(connection, front.CPING * 3)
    assert connection.data_to_send() == front.CPONG * 3


def test_a_ping_needs_no_secret_as_probes_carry_none() -> None:
    connection = connected()
    feed(connection, front.CPING + GET)
    assert connection.data_to_send() == front.CPONG
    assert connection.phase is Phase.ANSWERING


def test_a_request_is_answered_and_the_connection_used_again_a_hundred_times() -> None:
    connection = connected()
    for _ in range(100):
        (event,) = feed(connection, GET)
        assert isinstance(event, RequestReceived)
        assert (event.request.path, event.has_body) == (b"/a", False)
        found = answer(connection)
        assert (found.status, found.body, found.reuse) == (200, b"ok", True)
        assert connection.phase is Phase.IDLE


def test_an_empty_packet_between_requests_means_nothing() -> None:
    connection = connected()
    assert len(feed(connection, front.JK_BODY_END + GET + front.JK_BODY_END)) == 1


def test_requests_that_come_too_early_wait_for_their_turn() -> None:
    connection = connected()
    assert len(feed(connection, GET + front.CPING + GET)) == 1
    connection.send_headers(200, [])
    connection.send_end(0.0)
    assert len(events_of(connection)) == 1
    assert connection.data_to_send().endswith(front.END_REUSE + front.CPONG)


def test_what_comes_too_early_is_not_kept_without_a_bound() -> None:
    connection = connected()
    feed(connection, GET)
    feed(connection, b"\x12\x34" + b"x" * 8190)
    assert connection.phase is Phase.ANSWERING
    feed(connection, b"x")
    assert connection.phase is Phase.OVER


@pytest.mark.parametrize("packets", [front.CPING + GET, GET, post(b"abc") + front.body(b"abc"), chunked()])
def test_packets_may_be_cut_at_every_byte(packets: bytes) -> None:
    whole = connected()
    expected = feed(whole, packets), whole.data_to_send()
    for one, other in front.every_cut(packets):
        cut = connected()
        assert (feed(cut, one) + feed(cut, other), cut.data_to_send()) == expected
    slow = connected()
    found = [event for byte in packets for event in feed(slow, bytes((byte,)))]
    assert (found, slow.data_to_send()) == expected


@pytest.mark.parametrize("front_name", ["mod_jk", "mod_proxy_ajp"])
def test_what_we_said_to_the_web_servers_installed_with_us_is_said_again(front_name: str) -> None:
    conversations = tomllib.loads(CAPTURED.read_text())[front_name]
    assert len(conversations) == 15
    for each in conversations:
        if each["what"] == "a websocket":
            continue  # answered by the listener
        connection = connected(b"s3cr3t-Ajp")
        said, wanted = b"", b""
        more = False
        for who, data in each["packets"]:
            if who == "node":
                wanted += bytes.fromhex(data)
                continue
            for event in feed(connection, bytes.fromhex(data)):
                more = event.has_body if isinstance(event, RequestReceived) else event.more  # type: ignore[union-attr]
                if more:
                    connection.ask_body(0.0)
                else:
                    connection.send_headers(200, [(b"content-length", b"2")])
                    connection.send_body(b"ok")
                    connection.send_end(0.0)
            said += connection.data_to_send()
        assert said == wanted, each["what"]
        assert connection.phase is Phase.IDLE


# --- bodies


@pytest.mark.parametrize("size", [8_192, 65_536])
@pytest.mark.parametrize("length", [1, 3, 8_186, 8_187, 20_000, 65_530, 65_531, 200_000])
def test_a_body_of_known_length_comes_unasked_first_and_asked_for_then(size: int, length: int) -> None:
    data = bytes(index % 253 for index in range(length))
    connection = connected(packet_size_bytes=size)
    first, rest = front.upload(data, size)
    events = feed(connection, post(data) + first)
    for packet in rest:
        assert not connection.is_body_due
        connection.ask_body(0.0)
        connection.ask_body(0.0)  # harmless
        assert connection.data_to_send() == b"AB\x00\x03\x06" + (size - 6).to_bytes(2, "big")
        events += feed(connection, packet)
    request, *pieces = events
    assert isinstance(request, RequestReceived)
    assert request.has_body
    bodies = [each for each in pieces if isinstance(each, BodyReceived)]
    assert b"".join(each.data for each in bodies) == data
    assert [each.more for each in bodies] == [True] * len(rest) + [False]
    connection.ask_body(0.0)
    assert connection.data_to_send() == b"", "nothing is asked for after the end"
    assert answer(connection).reuse


@pytest.mark.parametrize("end", [front.JK_BODY_END, front.PROXY_BODY_END])
@pytest.mark.parametrize("length", [0, 1, 8_186, 20_000])
def test_a_body_of_unknown_length_is_asked_for_to_its_end(end: bytes, length: int) -> None:
    data = b"c" * length
    first, rest = front.upload(data)
    packets = [each for each in (first, *rest) if each]
    connection = connected()
    (event,) = feed(connection, chunked())
    assert event.has_body  # type: ignore[union-attr]
    assert not connection.is_body_due, "nothing comes by itself"
    found = b""
    for packet in packets:
        connection.ask_body(0.0)
        (piece,) = feed(connection, packet)
        assert isinstance(piece, BodyReceived)
        assert piece.more
        found += piece.data
    connection.ask_body(0.0)
    assert feed(connection, end) == [BodyReceived(b"", more=False)]
    connection.data_to_send()
    connection.ask_body(0.0)
    assert connection.data_to_send() == b"", "mod_proxy_ajp takes us for broken when asked again"
    assert found == data


@pytest.mark.parametrize("length", [3, 8_186, 20_000])
def test_a_body_that_nobody_wants_is_thrown_away_up_to_the_one_packet_that_comes_unasked(length: int) -> None:
    data = b"\x02" * length  # would be a request, were it taken for one
    connection = connected()
    feed(connection, post(data))
    assert answer(connection, status=401).reuse
    assert connection.phase is Phase.IDLE
    assert connection.is_body_due
    first, _ = front.upload(data)
    assert feed(connection, first) == []
    (event,) = feed(connection, front.CPING + GET)
    assert isinstance(event, RequestReceived)
    assert answer_after_ping(connection).reuse


def answer_after_ping(connection: AjpConnection) -> front.Answer:
    assert connection.data_to_send() == front.CPONG
    return answer(connection)


def test_a_piece_that_was_asked_for_and_not_waited_for_is_thrown_away_too() -> None:
    connection = connected()
    feed(connection, chunked())
    connection.ask_body(0.0)
    connection.data_to_send()
    answer(connection)
    assert feed(connection, front.body(b"\x02\x02late")) == []
    assert len(feed(connection, GET)) == 1


def test_a_body_that_came_with_its_request_is_not_reported_after_the_answer() -> None:
    connection = connected()
    connection.receive_data(post(b"abc") + front.body(b"abc"), 0.0)
    assert isinstance(connection.next_event(), RequestReceived)
    answer(connection)
    assert events_of(connection) == []


def test_a_packet_that_came_before_it_was_asked_for_is_taken_when_it_is() -> None:
    connection = connected()
    first, rest = front.upload(b"d" * 10_000)
    feed(connection, post(b"d" * 10_000) + first + rest[0])
    assert connection.phase is Phase.ANSWERING
    connection.ask_body(0.0)
    assert [each.more for each in events_of(connection) if isinstance(each, BodyReceived)] == [False]


def test_a_surplus_byte_behind_a_body_is_let_pass_as_tomcat_does() -> None:
    connection = connected()
    events = feed(connection, post(b"abc") + front.packet(b"\x00\x03abc\x00"))
    assert events[-1] == BodyReceived(b"abc", more=False)


@pytest.mark.parametrize(
    ("packets", "why"),
    [
        (post(b"abcd") + front.body(b"abcde"), "longer"),
        (post(b"abcd") + front.JK_BODY_END, "early"),
        (post(b"abcd") + front.PROXY_BODY_END, "early"),
        (post(b"abcd") + front.packet(b"\x00\x05abcd"), "announces"),
        (post(b"abcd") + front.packet(b"\x00"), "no length"),
    ],
)
def test_a_body_that_is_not_as_announced_ends_the_connection_with_400(packets: bytes, why: str) -> None:
    connection = connected()
    connection.receive_data(packets, 0.0)
    event = ended(connection)
    assert event.reason is CloseReason.BODY
    assert why in event.detail
    (found,) = front.answers(connection.data_to_send())
    assert (found.status, found.reuse) == (400, False)


def test_after_the_answer_has_begun_a_broken_body_is_not_answered_any_more() -> None:
    connection = connected()
    feed(connection, post(b"abcd"))
    connection.send_headers(200, [])
    before = connection.data_to_send()
    connection.receive_data(front.JK_BODY_END, 0.0)
    assert ended(connection).reason is CloseReason.BODY
    assert (front.split(before)[0][0][0], connection.data_to_send()) == (4, b"")


# --- answers


@pytest.mark.parametrize("length", [0, 1, 8_184, 8_185, 1_000_000])
def test_an_answer_of_any_length_arrives(length: int) -> None:
    connection = connected()
    feed(connection, GET)
    found = answer(connection, b"z" * length)
    assert (len(found.body), found.flushes, found.reuse) == (length, 0, True)


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 205), ("GET", 304)])
def test_an_answer_without_a_body_keeps_its_length_and_has_none(method: str, status: int) -> None:
    connection = connected()
    feed(connection, front.request(method, secret=SECRET))
    found = answer(connection, b"x" * 10, status)
    assert (found.values(b"content-length"), found.body, found.reuse) == ([b"10"], b"", True)


def test_a_stream_is_flushed_only_behind_its_headers() -> None:
    connection = connected()
    feed(connection, GET)
    connection.send_flush()
    assert connection.data_to_send() == b""
    connection.send_headers(200, [])
    connection.send_body(b"one")
    connection.send_flush()
    assert connection.data_to_send().endswith(b"one\0" + front.FLUSH)
    connection.send_body(b"two")
    connection.send_end(0.0)
    assert connection.data_to_send().endswith(b"two\0" + front.END_REUSE)
    connection.send_flush()
    assert connection.data_to_send() == b""


def test_an_answer_out_of_order_is_our_fault_and_sends_nothing() -> None:
    connection = connected()
    for early in (
        lambda: connection.send_headers(200, []),
        lambda: connection.send_body(b"x"),
        lambda: connection.send_end(0.0),
        lambda: connection.ask_body(0.0),
    ):
        with pytest.raises(LocalProtocolError):
            early()
    feed(connection, GET)
    for headless in (lambda: connection.send_body(b"x"), lambda: connection.send_end(0.0)):
        with pytest.raises(LocalProtocolError):
            headless()
    for header in ((b"x", b"y" * 8_192), (b"content-length", b"three")):
        with pytest.raises(LocalProtocolError):
            connection.send_headers(200, [header])
    assert connection.data_to_send() == b""
    assert not connection.headers_sent
    connection.send_headers(500, [])
    with pytest.raises(LocalProtocolError):
        connection.send_headers(200, [])


def test_a_length_that_is_not_kept_is_our_fault_and_leaves_only_breaking_off() -> None:
    connection = connected()
    feed(connection, GET)
    connection.send_headers(200, [(b"Content-Length", b"3")])
    with pytest.raises(LocalProtocolError, match="longer"):
        connection.send_body(b"four")
    connection.send_body(b"tw")
    with pytest.raises(LocalProtocolError, match="1 bytes shorter"):
        connection.send_end(0.0)
    connection.fail("too short")
    assert ended(connection).reason is CloseReason.FAILED
    assert not connection.data_to_send().endswith((front.END_REUSE, front.END_CLOSE))


# --- what is refused


@pytest.mark.parametrize("given", [None, b"", b"wrong", b"s3cr3", b"s3cr3tx"])
def test_a_wrong_or_missing_secret_is_answered_with_403_and_the_end(given: bytes | None) -> None:
    connection = connected()
    connection.receive_data(front.request("POST", b"/p", [(b"content-length", b"3")], secret=given), 0.0)
    event = ended(connection)
    assert event.reason is CloseReason.SECRET
    (found,) = front.answers(connection.data_to_send())
    assert (found.status, found.reuse) == (403, False)
    assert SECRET not in found.body


def test_the_secret_is_asked_for_with_every_request_also_of_a_connection_that_knew_it() -> None:
    connection = connected()
    feed(connection, GET)
    answer(connection)
    connection.receive_data(front.request("GET", b"/a"), 0.0)
    assert ended(connection).reason is CloseReason.SECRET


def test_without_a_secret_none_is_asked_for_and_any_is_let_pass() -> None:
    connection = connected(b"")
    for request in (front.request(), front.request(secret=b"x")):
        assert len(feed(connection, request)) == 1
        answer(connection)


@pytest.mark.parametrize(
    "name", [b"javax.servlet.include.request_uri", b"jakarta.servlet.include.path_info", b"X", b"ajp_remote_port", b""]
)
def test_a_request_attribute_that_nobody_allowed_is_answered_with_403_and_the_end(name: bytes) -> None:
    connection = connected(allowed_attributes=KNOWN_ATTRIBUTES | {b"UA_SITE"})
    connection.receive_data(front.request(secret=SECRET, attributes=front.request_attribute(name, b"/WEB-INF")), 0.0)
    assert ended(connection).reason is CloseReason.ATTRIBUTE
    (found,) = front.answers(connection.data_to_send())
    assert (found.status, found.reuse) == (403, False)


def test_attributes_that_web_servers_always_send_and_allowed_ones_are_taken() -> None:
    connection = connected(allowed_attributes=KNOWN_ATTRIBUTES | {b"UA_SITE"})
    names = (b"AJP_REMOTE_PORT", b"AJP_LOCAL_ADDR", b"AJP_SSL_PROTOCOL", b"JK_LB_ACTIVATION", b"UA_SITE")
    attributes = b"".join(front.request_attribute(name, b"1") for name in names)
    (event,) = feed(connection, front.request(secret=SECRET, attributes=attributes))
    assert isinstance(event, RequestReceived)
    assert event.request.attributes == dict.fromkeys(names, b"1")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", CloseReason.NOT_AJP),
        (b"\x16\x03\x01\x02\x00", CloseReason.NOT_AJP),
        (b"\x12\x35", CloseReason.NOT_AJP),
        (b"AB\x00\x01\x09", CloseReason.NOT_AJP),
        (front.packet(b"\x07"), CloseReason.UNEXPECTED),  # SHUTDOWN
        (front.packet(b"\x08"), CloseReason.UNEXPECTED),  # PING
        (front.packet(b"\x03\x00\x00\x00"), CloseReason.UNEXPECTED),
        (front.packet(b"\x00\x03abc"), CloseReason.UNEXPECTED),  # a body that nobody announced
        (front.packet(b"\xff"), CloseReason.UNEXPECTED),
    ],
)
def test_what_is_no_packet_of_a_web_server_ends_the_connection_without_a_word(data: bytes, reason: CloseReason) -> None:
    connection = connected()
    connection.receive_data(data, 0.0)
    assert ended(connection).reason is reason
    assert connection.data_to_send() == b""
    connection.receive_data(GET, 0.0)
    assert events_of(connection) == []


@pytest.mark.parametrize(("size", "length"), [(8_192, 8_189), (8_192, 65_535), (65_536, 65_533)])
def test_a_packet_longer_than_agreed_is_refused_as_soon_as_it_says_so(size: int, length: int) -> None:
    connection = connected(packet_size_bytes=size)
    connection.receive_data(b"\x12\x34" + length.to_bytes(2, "big"), 0.0)
    assert ended(connection).reason is CloseReason.TOO_LONG
    (found,) = front.answers(connection.data_to_send())
    assert (found.status, found.reuse) == (400, False)


@pytest.mark.parametrize("size", [8_192, 65_536])
def test_a_request_may_fill_its_packet(size: int) -> None:
    around = len(front.request(headers=[(b"cookie", b"")], secret=SECRET))
    value = b"c" * (size - around)
    (event,) = feed(connected(packet_size_bytes=size), front.request(headers=[(b"cookie", value)], secret=SECRET))
    assert isinstance(event, RequestReceived)
    assert event.request.headers == [(b"cookie", value)]


def test_a_head_request_that_is_refused_gets_no_body() -> None:
    connection = connected()
    connection.receive_data(front.request("HEAD", secret=b"x"), 0.0)
    (found,) = front.answers(connection.data_to_send())
    assert (found.status, found.body) == (403, b"")


def test_a_malformed_request_after_a_good_one_is_answered_too() -> None:
    connection = connected()
    feed(connection, GET)
    answer(connection)
    connection.receive_data(front.packet(b"\x02\x02\x00"), 0.0)
    assert ended(connection).reason is CloseReason.MALFORMED
    (found,) = front.answers(connection.data_to_send())
    assert (found.status, found.reuse) == (400, False)


# --- ends and times


def test_the_web_servers_leaving_ends_the_connection_whatever_goes_on() -> None:
    for packets in (b"", GET, GET[:10], post(b"abc")):
        connection = connected()
        connection.receive_data(packets, 0.0)
        connection.receive_eof(0.0)
        connection.receive_eof(0.0)
        assert ended(connection).reason is CloseReason.CLOSED
        assert connection.next_timer() is None


def test_stopping_ends_an_idle_connection_at_once_and_a_busy_one_with_its_answer() -> None:
    idle, busy = connected(), connected()
    idle.stop(0.0)
    assert ended(idle).reason is CloseReason.STOPPED
    feed(busy, GET)
    busy.stop(0.0)
    assert events_of(busy) == []
    found = answer(busy)
    assert (found.status, found.reuse) == (200, False)
    assert ended(busy).reason is CloseReason.STOPPED


def pinged(at_s: float) -> AjpConnection:
    connection = connected()
    connection.receive_data(front.CPING, at_s)
    assert connection.data_to_send() == front.CPONG
    return connection


@pytest.mark.parametrize("parts", [(GET,), (GET[:9], GET[9:]), tuple(bytes((b,)) for b in GET)])
def test_a_request_whose_ping_was_answered_before_the_stop_is_the_last_one(parts: tuple[bytes, ...]) -> None:
    connection = pinged(100.0)
    connection.stop(100.0 + REQUEST_FOLLOWS_S - 0.1)
    assert events_of(connection) == []
    assert connection.next_timer() == 100.0 + REQUEST_FOLLOWS_S
    for part in parts:
        connection.receive_data(part, 101.0)
    assert isinstance(connection.next_event(), RequestReceived)
    assert connection.next_timer() is None
    found = answer(connection)
    assert (found.status, found.reuse) == (200, False)
    assert ended(connection).reason is CloseReason.STOPPED


def test_a_request_of_which_a_part_has_come_before_the_stop_is_the_last_one() -> None:
    connection = connected()
    connection.receive_data(GET[:-1], 100.0)
    connection.stop(100.5)
    connection.receive_data(GET[-1:], 101.0)
    assert isinstance(connection.next_event(), RequestReceived)
    assert not answer(connection).reuse


def test_a_request_that_was_announced_and_does_not_come_is_not_waited_for_long() -> None:
    connection = pinged(100.0)
    connection.stop(100.0)
    connection.handle_timer(100.0 + REQUEST_FOLLOWS_S - 0.1)
    assert events_of(connection) == []
    connection.handle_timer(100.0 + REQUEST_FOLLOWS_S)
    assert ended(connection).reason is CloseReason.STOPPED


def test_after_the_stop_no_ping_is_answered_so_that_the_web_server_goes_elsewhere() -> None:
    for packets in (front.CPING, front.CPING + GET):
        connection = pinged(100.0)
        connection.stop(100.0)
        connection.receive_data(packets, 100.1)
        assert connection.data_to_send() == b""
        assert ended(connection).reason is CloseReason.STOPPED
        assert connection.next_timer() is None


def test_stopping_does_not_wait_where_no_request_is_announced() -> None:
    long_ago, served = pinged(100.0), pinged(100.0)
    long_ago.stop(100.0 + REQUEST_FOLLOWS_S)
    assert ended(long_ago).reason is CloseReason.STOPPED
    served.receive_data(GET, 100.0)
    assert isinstance(served.next_event(), RequestReceived)
    assert answer(served).reuse
    served.stop(100.0)
    assert ended(served).reason is CloseReason.STOPPED


def test_the_owner_may_end_it_for_reasons_of_its_own_once() -> None:
    connection = connected()
    connection.give_up(CloseReason.SLOW, "took nothing")
    connection.give_up(CloseReason.STOPPED, "")
    assert ended(connection) == Ended(CloseReason.SLOW, "took nothing")


def test_a_connection_without_a_request_is_closed_after_its_time_and_a_ping_counts() -> None:
    connection = connected(idle_timeout_s=75.0)
    assert connection.next_timer() == 75.0
    feed(connection, front.CPING, 50.0)
    connection.handle_timer(75.0)
    assert connection.next_timer() == 125.0
    connection.handle_timer(125.0)
    assert ended(connection).reason is CloseReason.IDLE


def test_while_we_are_busy_nothing_is_expected_of_the_web_server() -> None:
    connection = connected()
    feed(connection, GET, 1.0)
    assert connection.next_timer() is None
    connection.handle_timer(1e9)
    assert connection.phase is Phase.ANSWERING
    connection.send_headers(200, [])
    connection.send_end(5.0)
    assert connection.next_timer() == 80.0


def test_a_packet_that_does_not_get_complete_ends_the_connection() -> None:
    connection = connected(read_timeout_s=10.0)
    feed(connection, GET[:1], 1.0)
    assert connection.next_timer() == 11.0
    for now_s, byte in enumerate(GET[1:12], 2):  # a byte a second keeps nobody alive
        feed(connection, bytes((byte,)), float(now_s))
    assert connection.next_timer() is not None
    connection.handle_timer(20.0)
    assert ended(connection).reason is CloseReason.SLOW


def test_a_packet_of_body_that_does_not_come_ends_the_connection() -> None:
    connection = connected(idle_timeout_s=75.0)
    feed(connection, post(b"abc"), 1.0)
    assert connection.next_timer() == 76.0
    connection.handle_timer(76.0)
    assert ended(connection).reason is CloseReason.SLOW
