"""Any bytes are read or refused with a reason, and what a web server means arrives as it was meant."""

from __future__ import annotations

import contextlib
import string

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.wire.ajp13 import front

from unified_agent.errors import LocalProtocolError
from unified_agent.wire.ajp13.codec import Fault, chunk_packets, headers_packet, read_body, read_forward_request
from unified_agent.wire.ajp13.codes import HOP_BY_HOP, METHODS, NOT_SENT, REQUEST_HEADERS

#: Broken bytes are cheap to try.
MANY = settings(max_examples=settings().max_examples * 10)

names = st.text(string.ascii_letters + string.digits + "-_!", min_size=1, max_size=20).map(str.encode)
known = st.sampled_from(REQUEST_HEADERS)
values = st.binary(max_size=60).map(lambda value: value.translate(None, b"\r\n\0"))
framing = frozenset({b"content-length", b"transfer-encoding"})
headers = st.lists(st.tuples(names | known, values), max_size=12).map(
    lambda given: [each for each in given if each[0].lower() not in framing]
)
methods = st.sampled_from(METHODS) | st.text(string.ascii_uppercase, min_size=1, max_size=10)
paths = st.text(string.ascii_letters + string.digits + "/%;=.~-", max_size=40).map(lambda text: f"/{text}".encode())
lengths = st.none() | st.integers(0, 10**12)


@given(
    methods,
    paths,
    headers,
    st.none() | st.binary(max_size=40),
    st.none() | st.binary(max_size=40),
    lengths,
    st.booleans(),
    st.integers(0, 65_535),
    st.booleans(),
)
def test_what_a_web_server_means_arrives(
    method: str,
    path: bytes,
    headers: list[tuple[bytes, bytes]],
    query: bytes | None,
    secret: bytes | None,
    length: int | None,
    tls: bool,
    port: int,
    coded: bool,
) -> None:
    sent = headers if length is None else [*headers, (b"Content-Length", str(length).encode())]
    packet = front.request(method, path, sent, query=query, secret=secret, tls=tls, port=port, coded=coded)
    request, proof = read_forward_request(packet[4:], 100)
    assert (request.method, request.path, request.query) == (method, path, query or b"")
    assert request.headers == [(name.lower(), value) for name, value in sent if name.lower() not in HOP_BY_HOP]
    assert (request.content_length, request.is_chunked) == (length, False)
    assert (request.is_tls, request.server_port, proof) == (tls, port, secret or b"")


@MANY
@given(st.binary(max_size=200).map(lambda data: b"\x02" + data))
@example(b"\x02")
@example(b"\x02\xff" + b"\xff\xff" * 4 + b"\0\0\0\0\0")
def test_any_bytes_are_read_or_refused(payload: bytes) -> None:
    with contextlib.suppress(Fault):
        read_forward_request(payload, 100)


@MANY
@given(st.data())
def test_a_request_with_bytes_changed_is_read_or_refused(data: st.DataObject) -> None:
    sent = [(b"host", b"a"), (b"content-length", b"3"), (b"x-own", b"value")]
    payload = bytearray(front.request("POST", b"/a", sent, query=b"q", secret=b"s")[4:])
    for _ in range(data.draw(st.integers(1, 4))):
        payload[data.draw(st.integers(1, len(payload) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Fault):
        read_forward_request(bytes(payload), 100)


@MANY
@given(st.binary(max_size=50))
def test_any_packet_of_body_is_read_or_refused(payload: bytes) -> None:
    try:
        data = read_body(payload)
    except Fault:
        return
    assert data in payload
    assert not payload or len(data) == int.from_bytes(payload[:2], "big")


@given(st.integers(200, 599), st.lists(st.tuples(names, st.binary(max_size=60)), max_size=12))
def test_headers_arrive_or_are_refused_and_never_break_out_of_their_line(
    status: int, headers: list[tuple[bytes, bytes]]
) -> None:
    bad = any(set(value) & {0, 10, 13} for name, value in headers if name.lower() not in NOT_SENT)
    try:
        packet = headers_packet(status, headers, 8_192)
    except LocalProtocolError:
        assert bad
        return
    assert not bad
    found_status, _, found = front.read_headers(packet[4:])
    assert int.from_bytes(packet[2:4], "big") == len(packet) - 4
    assert found_status == status
    assert found == [(name.lower(), value) for name, value in headers if name.lower() not in NOT_SENT]


@given(st.integers(0, 300_000), st.sampled_from([8_192, 9_216, 65_536]))
def test_a_body_of_any_length_arrives_in_packets_that_fit(length: int, size: int) -> None:
    data = bytes(range(256)) * (length // 256 + 1)
    data = data[:length]
    answer = front.Answer(status=200)
    payloads, left = front.split(b"".join(chunk_packets(data, size)))
    for payload in payloads:
        assert len(payload) + 4 <= size
        front.take(answer, payload)
    assert (answer.body, answer.flushes, left) == (data, 0, b"")
