"""The other side: what a web server says by AJP, and how it reads our answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from unified_agent.wire.ajp13.codes import METHODS, REQUEST_HEADERS, RESPONSE_HEADERS

CPING = bytes.fromhex("123400010a")
CPONG = bytes.fromhex("4142000109")
FLUSH = bytes.fromhex("4142000403000000")
END_REUSE = bytes.fromhex("414200020501")
END_CLOSE = bytes.fromhex("414200020500")
#: Both ways to say that a body is over.
JK_BODY_END = bytes.fromhex("12340000")
PROXY_BODY_END = bytes.fromhex("123400020000")


def u16(number: int) -> bytes:
    return number.to_bytes(2, "big")


def string(value: bytes | None) -> bytes:
    return b"\xff\xff" if value is None else u16(len(value)) + value + b"\0"


def packet(payload: bytes) -> bytes:
    return b"\x12\x34" + u16(len(payload)) + payload


def body(data: bytes) -> bytes:
    return packet(u16(len(data)) + data)


def attribute(code: int, value: bytes) -> bytes:
    return bytes((code,)) + string(value)


def request_attribute(name: bytes, value: bytes) -> bytes:
    return b"\x0a" + string(name) + string(value)


def header(name: bytes, value: bytes, *, coded: bool = True) -> bytes:
    lower = name.lower()
    if coded and lower in REQUEST_HEADERS:
        return bytes((0xA0, REQUEST_HEADERS.index(lower) + 1)) + string(value)
    return string(name) + string(value)


def request(
    method: str = "GET",
    path: bytes = b"/",
    headers: Iterable[tuple[bytes, bytes]] = (),
    *,
    query: bytes | None = None,
    secret: bytes | None = None,
    protocol: bytes = b"HTTP/1.1",
    remote: bytes | None = b"192.0.2.7",
    host: bytes | None = None,
    server: bytes = b"desk.example.com",
    port: int = 443,
    tls: bool = True,
    attributes: bytes = b"",
    coded: bool = True,
) -> bytes:
    """Write FORWARD_REQUEST as one packet."""
    code = METHODS.index(method) + 1 if method in METHODS else 0xFF
    given = [header(name, value, coded=coded) for name, value in headers]
    parts = [
        bytes((2, code)),
        string(protocol),
        string(path),
        string(remote),
        string(host),
        string(server),
        u16(port),
        bytes((tls,)),
        u16(len(given)),
        *given,
    ]
    if secret is not None:
        parts.append(attribute(0x0C, secret))
    if query is not None:
        parts.append(attribute(0x05, query))
    if code == 0xFF:
        parts.append(attribute(0x0D, method.encode()))
    return packet(b"".join([*parts, attributes, b"\xff"]))


def upload(data: bytes, packet_size_bytes: int = 8192) -> tuple[bytes, list[bytes]]:
    """Cut a body as web servers do: the packet that comes unasked, and those that must be asked for."""
    most = packet_size_bytes - 6
    pieces = [body(data[at : at + most]) for at in range(0, len(data), most)]
    return (pieces[0] if pieces else b""), pieces[1:]


@dataclass
class Answer:
    """What we answered to one request, as a web server reads it."""

    status: int = 0
    reason: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    chunks: list[bytes] = field(default_factory=list)
    flushes: int = 0
    asked: list[int] = field(default_factory=list)
    reuse: bool | None = None

    def values(self, name: bytes) -> list[bytes]:
        return [value for each, value in self.headers if each.lower() == name]


def split(data: bytes) -> tuple[list[bytes], bytes]:
    """Split our bytes into payloads and what is left, which is not a whole packet yet."""
    payloads = []
    while len(data) >= 4:
        assert data[:2] == b"AB", data[:16]
        length = int.from_bytes(data[2:4], "big")
        if len(data) < 4 + length:
            break
        payloads.append(data[4 : 4 + length])
        data = data[4 + length :]
    return payloads, data


def take(answer: Answer, payload: bytes) -> None:
    """Add one packet of ours to an answer, as strictly as mod_proxy_ajp."""
    assert answer.reuse is None, "nothing follows END_RESPONSE"
    match payload[0]:
        case 3:
            assert answer.status, "the headers come first"
            length = int.from_bytes(payload[1:3], "big")
            assert len(payload) == length + 4
            assert payload[-1] == 0
            if length:
                answer.chunks.append(payload[3:-1])
                answer.body += payload[3:-1]
            else:
                answer.flushes += 1
        case 4:
            assert not answer.status, "the headers come once"
            answer.status, answer.reason, answer.headers = read_headers(payload)
        case 5:
            assert answer.status, "the headers come first"
            assert len(payload) == 2
            answer.reuse = payload[1] == 1
        case 6:
            answer.asked.append(int.from_bytes(payload[1:], "big"))
        case kind:
            raise AssertionError(f"a packet of kind {kind}")


def read_headers(payload: bytes) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
    """Read SEND_HEADERS, to its last byte."""
    assert payload[0] == 4
    status, at = int.from_bytes(payload[1:3], "big"), 3
    reason, at = read_string(payload, at)
    count, at = int.from_bytes(payload[at : at + 2], "big"), at + 2
    headers = []
    for _ in range(count):
        if payload[at] == 0xA0:
            name, at = RESPONSE_HEADERS[payload[at + 1] - 1], at + 2
        else:
            name, at = read_string(payload, at)
        value, at = read_string(payload, at)
        headers.append((name, value))
    assert at == len(payload)
    return status, reason, headers


def read_string(payload: bytes, at: int) -> tuple[bytes, int]:
    length = int.from_bytes(payload[at : at + 2], "big")
    end = at + 2 + length
    assert payload[end] == 0
    return payload[at + 2 : end], end + 1


def answers(data: bytes) -> list[Answer]:
    """Read whole answers, one after another."""
    payloads, left = split(data)
    assert left == b""
    found: list[Answer] = []
    for payload in payloads:
        if payload == b"\x09":
            continue
        if not found or found[-1].reuse is not None:
            found.append(Answer())
        take(found[-1], payload)
    return found


def every_cut(data: bytes) -> Sequence[tuple[bytes, bytes]]:
    """Cut bytes in two at every place."""
    return [(data[:at], data[at:]) for at in range(1, len(data))]
