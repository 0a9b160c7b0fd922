"""One packet: what web servers sent, byte by byte, and what we write."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.unit.wire.ajp13 import front

from unified_agent.errors import LocalProtocolError
from unified_agent.wire.ajp13.codec import (
    CPONG,
    END_AND_CLOSE,
    END_AND_REUSE,
    FLUSH,
    Fault,
    ForwardRequest,
    chunk_packets,
    get_body_packet,
    headers_packet,
    read_body,
    read_forward_request,
)
from unified_agent.wire.ajp13.codes import HOP_BY_HOP, KNOWN_ATTRIBUTES, METHODS, REQUEST_HEADERS, Attribute
from unified_agent.wire.ajp13.reasons import CloseReason

VECTORS = Path(__file__).parents[3] / "vectors" / "ajp13"
REFERENCE: dict[str, Any] = tomllib.loads((VECTORS / "reference.toml").read_text())
CAPTURED: dict[str, Any] = tomllib.loads((VECTORS / "captured.toml").read_text())


def vector(name: str) -> bytes:
    return bytes.fromhex(REFERENCE[name]["hex"])


def read(packet: bytes) -> ForwardRequest:
    return read_forward_request(packet[4:], 100)[0]


def fault(packet: bytes) -> Fault:
    with pytest.raises(Fault) as caught:
        read_forward_request(packet[4:], 100)
    return caught.value


# --- requests


def test_a_request_of_mod_jk_is_read_to_its_last_byte() -> None:
    request, secret = read_forward_request(vector("jk-get")[4:], 100)
    assert secret == b"s3cr3t-Ajp"
    assert request == ForwardRequest(
        method="GET",
        protocol=b"HTTP/1.1",
        path=b"/ua/ping",
        query=b"x=1&y=%20z",
        remote_address="127.0.0.1",
        remote_port=53176,
        server_name="127.0.0.1",
        server_port=18080,
        is_tls=False,
        headers=[
            (b"host", b"127.0.0.1:18080"),
            (b"accept", b"*/*"),
            (b"user-agent", b"t"),
            (b"cookie", b"JSESSIONID=abc.node1"),
            (b"x-emp2", b""),
            (b"content-length", b"0"),
        ],
        content_length=0,
        is_chunked=False,
        strings={5: b"x=1&y=%20z", 6: b"node1"},
        attributes={
            b"AJP_REMOTE_PORT": b"53176",
            b"AJP_LOCAL_ADDR": b"127.0.0.1",
            b"JK_LB_ACTIVATION": b"ACT",
            b"UA_SITE": b"dc1",
        },
        route="node1",
        activation="ACT",
        upgrade=b"",
    )


def test_the_same_request_of_mod_proxy_ajp_differs_as_it_is_known_to() -> None:
    request, secret = read_forward_request(vector("proxy-get")[4:], 100)
    assert secret == b"s3cr3t-Ajp"
    assert (request.server_port, request.remote_port) == (18090, 34474)
    assert [name for name, _ in request.headers] == [b"host", b"accept", b"user-agent", b"cookie", b"x-emp2"]
    assert (request.content_length, request.activation, request.route) == (None, "", "node1")
    assert request.attributes.keys() == {b"AJP_REMOTE_PORT", b"AJP_LOCAL_ADDR", b"UA_SITE"}


def test_the_builder_of_our_tests_writes_what_mod_jk_wrote() -> None:
    written = front.request(
        "GET",
        b"/ua/ping",
        [
            (b"host", b"127.0.0.1:18080"),
            (b"accept", b"*/*"),
            (b"user-agent", b"t"),
            (b"cookie", b"JSESSIONID=abc.node1"),
            (b"X-Emp2", b""),
            (b"content-length", b"0"),
        ],
        query=b"x=1&y=%20z",
        secret=b"s3cr3t-Ajp",
        remote=b"127.0.0.1",
        server=b"127.0.0.1",
        port=18080,
        tls=False,
        attributes=front.attribute(6, b"node1")
        + front.request_attribute(b"AJP_REMOTE_PORT", b"53176")
        + front.request_attribute(b"AJP_LOCAL_ADDR", b"127.0.0.1")
        + front.request_attribute(b"JK_LB_ACTIVATION", b"ACT")
        + front.request_attribute(b"UA_SITE", b"dc1"),
    )
    assert written == vector("jk-get")


def test_whom_and_what_the_web_server_has_found_is_kept() -> None:
    request = read(front.request(attributes=vector("user-attributes") + vector("tls-attributes")))
    assert (request.text(Attribute.REMOTE_USER), request.text(Attribute.AUTH_TYPE)) == ("agent1000", "Basic")
    assert request.text(Attribute.SSL_CIPHER) == "TLS_AES_256_GCM_SHA384"
    assert request.text(Attribute.SSL_KEY_SIZE) == "", "which is no string, and nobody needs it"
    assert request.attributes == {b"AJP_SSL_PROTOCOL": b"TLSv1.3"}
    pem = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    assert read(front.request(attributes=front.attribute(7, pem))).text(Attribute.SSL_CERT) == pem.decode()


@pytest.mark.parametrize(("code", "method"), list(enumerate(METHODS, 1)))
def test_every_method_has_its_code(code: int, method: str) -> None:
    packet = bytearray(front.request(method))
    assert packet[5] == code
    assert read(bytes(packet)).method == method


@pytest.mark.parametrize("method", ["PATCH", "QUERY", "X-OUR_OWN"])
def test_any_other_method_comes_as_an_attribute(method: str) -> None:
    assert read(front.request(method)).method == method


@pytest.mark.parametrize("name", REQUEST_HEADERS)
def test_a_header_means_the_same_coded_and_spelt_out(name: bytes) -> None:
    value = b"7" if name == b"content-length" else b"caf\xe9"
    coded, spelt = (read(front.request(headers=[(name, value)], coded=coded)) for coded in (True, False))
    shouted = read(front.request(headers=[(name.upper(), value)], coded=False))
    kept = [] if name in HOP_BY_HOP else [(name, value)]
    assert coded.headers == spelt.headers == shouted.headers == kept
    assert coded.content_length == spelt.content_length == shouted.content_length


def test_null_and_empty_are_both_taken_wherever_a_string_stands() -> None:
    nothing = read(front.request(remote=None, host=None))
    empty = read(front.request(remote=b"", host=b"", query=b""))
    assert (nothing.remote_address, empty.remote_address, empty.query) == ("", "", b"")
    assert read(front.request(query=None)).query == b""


def test_bytes_of_path_and_query_are_left_as_they_came() -> None:
    request = read(front.request(path=b"/ua/a%20b;jsessionid=x.n1", query=b"b=\xc3\xa9&c=%C3"))
    assert (request.path, request.query) == (b"/ua/a%20b;jsessionid=x.n1", b"b=\xc3\xa9&c=%C3")
    assert read(front.request("OPTIONS", b"*")).path == b"*"


def test_a_port_that_is_no_number_is_none() -> None:
    for port in (b"", b"x", b"-1", b"999999"):
        assert read(front.request(attributes=front.request_attribute(b"AJP_REMOTE_PORT", port))).remote_port == 0


CHUNKED = (b"Transfer-Encoding", b"chunked")
LENGTH = (b"content-length", b"3")


@pytest.mark.parametrize(
    ("headers", "length", "chunked"),
    [
        ([], None, False),
        ([LENGTH], 3, False),
        ([(b"content-length", b"0")], 0, False),
        ([(b"content-length", b"007")], 7, False),
        ([CHUNKED], None, True),
        ([(b"transfer-encoding", b"CHUNKED")], None, True),
    ],
)
def test_whether_a_body_follows_is_read_from_the_headers(
    headers: list[tuple[bytes, bytes]], length: int | None, chunked: bool
) -> None:
    request = read(front.request("POST", headers=headers))
    assert (request.content_length, request.is_chunked) == (length, chunked)


@pytest.mark.parametrize(
    "headers",
    [
        [LENGTH, LENGTH],
        [LENGTH, (b"Content-Length", b"4")],
        [LENGTH, CHUNKED],
        [CHUNKED, CHUNKED],
        [(b"content-length", b"")],
        [(b"content-length", b"-3")],
        [(b"content-length", b"+3")],
        [(b"content-length", b"3, 3")],
        [(b"content-length", b"0x3")],
        [(b"content-length", b" 3")],
        [(b"content-length", b"\xb3")],
        [(b"content-length", b"1" * 19)],
        [(b"transfer-encoding", b"gzip, chunked")],
        [(b"transfer-encoding", b"identity")],
        [(b"transfer-encoding", b"")],
    ],
)
@pytest.mark.parametrize("coded", [True, False])
def test_a_length_that_two_could_read_differently_is_refused(headers: list[tuple[bytes, bytes]], coded: bool) -> None:
    refused = fault(front.request("POST", headers=headers, coded=coded))
    assert (refused.reason, refused.status) == (CloseReason.FRAMING, 400)


def broken() -> dict[str, bytes]:
    whole = front.request(headers=[LENGTH], secret=b"s", query=b"q=1")
    payload = whole[4:]
    at = payload.index(b"\xa0\x08")
    coded = front.packet(payload[:at] + b"\xa0\x0f" + payload[at + 2 :])
    method = front.packet(payload[:1] + b"\x1c" + payload[2:])
    return {
        "a header code that there is not": coded,
        "a header code of nought": front.packet(payload[:at] + b"\xa0\x00" + payload[at + 2 :]),
        "a method code that there is not": method,
        "method code nought": front.packet(payload[:1] + b"\x00" + payload[2:]),
        "a method that is only announced": front.packet(payload[:1] + b"\xff" + payload[2:]),
        "a method of two words": front.request("GET /", attributes=b""),
        "an attribute that there is not": front.request(attributes=b"\x0e\x00\x01x\x00"),
        "an attribute nought": front.request(attributes=b"\x00\x00\x01x\x00"),
        "an attribute twice": front.request(secret=b"s", attributes=front.attribute(0x0C, b"t")),
        "no end": front.packet(payload[:-1]),
        "something behind the end": front.packet(payload + b"\x00"),
        "a string without its zero": front.packet(payload.replace(b"HTTP/1.1\x00", b"HTTP/1.1\x01")),
        "a string longer than the packet": front.packet(b"\x02\x02\x7f\xffHTTP/1.1\x00"),
        "a header without a name": front.request(headers=[(b"", b"x")]),
        "a header whose name is two words": front.request(headers=[(b"x y", b"x")]),
        "a header with a line feed": front.request(headers=[(b"x", b"a\nb: c")]),
        "a header with a carriage return": front.request(headers=[(b"x", b"a\rb: c")]),
        "a header with a zero": front.request(headers=[(b"x", b"a\0b")]),
        "a path that does not begin as one": front.request(path=b"http://evil.example/"),
        "no path": front.request(path=b""),
        "a path with a blank": front.request(path=b"/a b"),
        "a path with a letter that is not ASCII": front.request(path=b"/caf\xe9"),
        "too many headers": front.request(headers=[(b"x", b"")] * 101),
        "nothing": b"\x12\x34\x00\x01\x02",
    }


@pytest.mark.parametrize("what", broken())
def test_what_cannot_be_read_is_refused_with_400(what: str) -> None:
    refused = fault(broken()[what])
    assert (refused.reason, refused.status) == (CloseReason.MALFORMED, 400)


def test_a_request_that_was_cut_anywhere_is_refused() -> None:
    payload = vector("jk-get")[4:]
    for length in range(1, len(payload)):
        assert fault(front.packet(payload[:length])).reason is CloseReason.MALFORMED


def test_who_asks_again_in_the_same_bytes_is_given_the_same_but_not_beyond_other_limits() -> None:
    def packet(token: bytes) -> bytes:
        return front.request("GET", b"/again", [(b"authorization", token), (b"x-own", b"1")], secret=b"s")

    first, again = (read_forward_request(packet(b"Bearer a")[4:], 100) for _ in range(2))
    assert again[0] is first[0]
    assert (again[1], again[0].headers[0]) == (b"s", (b"authorization", b"Bearer a"))
    assert read(packet(b"Bearer b")).headers[0] == (b"authorization", b"Bearer b")
    for _ in range(2):  # what is refused is refused again
        with pytest.raises(Fault, match="2 headers, of which 1 are taken"):
            read_forward_request(packet(b"Bearer a")[4:], 1)


def test_a_long_request_is_not_remembered() -> None:
    packet = front.request("GET", b"/again", [(b"cookie", b"c" * 2_048)])
    assert read(packet) == read(packet)
    assert read(packet) is not read(packet)


def test_no_fault_repeats_the_secret() -> None:
    packet = front.request(secret=b"s3cr3t", attributes=front.attribute(0x0C, b"s3cr3t"))
    assert "s3cr3t" not in str(fault(packet))
    assert "s3cr3t" not in repr(read(front.request(secret=b"s3cr3t")))


# --- bodies


@pytest.mark.parametrize(
    ("packet", "data"),
    [
        (vector("jk-post-body"), b"user=a&pw=b"),
        (vector("chunked-body"), b"hello-chunked-body"),
        (vector("jk-body-end"), b""),
        (vector("proxy-body-end"), b""),
        (front.packet(b"\x00\x03abc\x00"), b"abc"),  # as Tomcat's own test client ends it
        (front.packet(b"\x00\x00abc"), b""),
    ],
)
def test_a_packet_of_body_has_what_its_inner_length_says(packet: bytes, data: bytes) -> None:
    assert read_body(packet[4:]) == data


@pytest.mark.parametrize("payload", [b"\x00", b"\x00\x01", b"\x00\x04abc", b"\xff\xff"])
def test_a_packet_of_body_that_has_less_than_it_says_is_refused(payload: bytes) -> None:
    with pytest.raises(Fault) as caught:
        read_body(payload)
    assert caught.value.reason is CloseReason.BODY


# --- answers


def test_what_is_always_the_same_is_as_tomcat_and_the_fronts_have_it() -> None:
    assert vector("cpong") == CPONG
    assert vector("flush") == FLUSH
    assert vector("answer-end") == END_AND_REUSE
    assert vector("answer-end-close") == END_AND_CLOSE
    assert get_body_packet(8186) == vector("get-body")


def test_an_answer_is_written_as_both_fronts_took_it() -> None:
    assert headers_packet(200, [(b"Content-Length", b"2")], 8192) == vector("answer-headers")
    assert b"".join(chunk_packets(b"ok", 8192)) == vector("answer-chunk")


def test_headers_of_tomcat_are_the_same_as_ours_but_for_case_and_words() -> None:
    ours = headers_packet(
        200,
        [(b"Cache-Control", b"no-store"), (b"Content-Type", b"application/json"), (b"Content-Length", b"200")],
        8192,
    )
    status, words, headers = front.read_headers(ours[4:])
    tomcat = front.read_headers(vector("tomcat-headers")[4:])
    assert (status, [(name.lower(), value) for name, value in tomcat[2]]) == (200, headers)
    assert (words, tomcat[1]) == (b"OK", b"200")


def test_headers_of_the_connection_are_left_out_and_several_of_one_name_kept() -> None:
    given = [
        (b"Connection", b"close"),
        (b"Set-Cookie", b"a=1"),
        (b"transfer-encoding", b"chunked"),
        (b"set-cookie", b"b=2"),
        (b"Keep-Alive", b"timeout=5"),
        (b"X-Empty", b""),
        (b"Upgrade", b"h2c"),
    ]
    _, _, headers = front.read_headers(headers_packet(200, given, 8192)[4:])
    assert headers == [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"x-empty", b"")]


@pytest.mark.parametrize(
    "header",
    [
        (b"x", b"a\r\nset-cookie: b"),
        (b"x", b"a\nb"),
        (b"x", b"a\0b"),
        (b"x y", b"a"),
        (b"x\n", b"a"),
        (b"", b"a"),
        (b"x", b"a" * 65_535),
        (b"x" * 0xA000, b""),
    ],
)
def test_a_header_that_would_break_out_of_its_place_is_our_fault(header: tuple[bytes, bytes]) -> None:
    with pytest.raises(LocalProtocolError):
        headers_packet(200, [header], 65_536)


def test_headers_fill_a_packet_and_no_more() -> None:
    around = len(headers_packet(200, [(b"x", b"")], 8192))
    assert len(headers_packet(200, [(b"x", b"a" * (8192 - around))], 8192)) == 8192
    with pytest.raises(LocalProtocolError):
        headers_packet(200, [(b"x", b"a" * (8193 - around))], 8192)
    assert len(headers_packet(200, [(b"x", b"a" * (65_535 - around))], 65_536)) == 65_535


@pytest.mark.parametrize("size", [8_192, 65_536])
@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_a_body_is_cut_where_mod_proxy_ajp_wants_it(size: int, extra: int) -> None:
    most = size - 8
    data = bytes(index % 251 for index in range(most + extra))
    payloads, left = front.split(b"".join(chunk_packets(data, size)))
    answer = front.Answer(status=200)
    for payload in payloads:
        front.take(answer, payload)
    assert (answer.body, left, answer.flushes) == (data, b"", 0)
    assert len(answer.chunks) == (2 if extra > 0 else 1)
    assert max(map(len, payloads)) <= size - 4


def test_no_body_is_no_packet_as_an_empty_one_means_flush() -> None:
    assert chunk_packets(b"", 8192) == []


# --- what the web servers installed with us said


@pytest.mark.parametrize("front_name", ["mod_jk", "mod_proxy_ajp"])
def test_what_was_recorded_is_read_as_the_browser_sent_it(front_name: str) -> None:
    is_jk = front_name == "mod_jk"
    seen = {}
    for what, (request, secret) in recorded(front_name).items():
        assert secret == b"s3cr3t-Ajp", what
        assert request.remote_port > 0
        assert request.activation == ("ACT" if is_jk else "")
        assert request.attributes.keys() <= KNOWN_ATTRIBUTES
        seen[what] = request
    assert (seen["get"].path, seen["get"].query) == (b"/ua/ping", b"x=1&y=%20z")
    assert (b"x-emp2", b"") in seen["get"].headers
    assert seen["get"].content_length == (0 if is_jk else None)
    assert (seen["head"].method, seen["patch"].method, seen["post"].method) == ("HEAD", "PATCH", "POST")
    assert (seen["post"].content_length, seen["post, chunked"].is_chunked) == (11, True)
    old = seen["http/1.0 without a host"]
    assert (old.protocol, old.server_name) == (b"HTTP/1.0", "localhost")
    assert b"host" not in dict(old.headers)
    assert seen["an address for a path"].path == b"/ua/x"
    assert dict(seen["a header twice"].headers)[b"x-a"] == b"1, 2"
    assert dict(seen["a header twice"].headers)[b"cookie"] == b"a=1, b=2"
    assert seen["bytes above ASCII"].query == b"b=\xc3\xa9"
    assert dict(seen["bytes above ASCII"].headers)[b"x-l1"] == b"caf\xe9"
    assert seen["a websocket"].upgrade == b"websocket"
    assert b"upgrade" not in dict(seen["a websocket"].headers)
    user, tls = seen["a user"], seen["tls"]
    assert (user.text(Attribute.REMOTE_USER), user.text(Attribute.AUTH_TYPE)) == ("agent1000", "Basic")
    assert (tls.is_tls, tls.attributes[b"AJP_SSL_PROTOCOL"]) == (True, b"TLSv1.3")
    assert tls.text(Attribute.SSL_CIPHER) == "TLS_AES_256_GCM_SHA384"
    assert tls.text(Attribute.SSL_CERT).startswith("-----BEGIN CERTIFICATE-----\n")


def recorded(front_name: str) -> dict[str, tuple[ForwardRequest, bytes]]:
    found = {}
    for each in CAPTURED[front_name]:
        packets = [bytes.fromhex(data) for who, data in each["packets"] if who == "front"]
        (request,) = [packet for packet in packets if packet[4:5] == b"\x02" and len(packet) > 100]
        found[each["what"]] = read_forward_request(request[4:], 100)
    return found
