"""One packet: a web server's bytes to what they say, and our answers to bytes.

Lengths are u16, big-endian. A string is its length, its bytes, and a zero that does not count; a length of FF FF is the
null string, which has neither. Nothing here knows what went before: that is ``connection``.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import starmap
from typing import Final

from msgspec import Struct

from unified_agent.errors import LocalProtocolError, RemoteProtocolError
from unified_agent.wire.ajp13.codes import (
    ACTIVATION,
    CHUNK_AROUND_BYTES,
    CODED_NAME,
    HEAD_BYTES,
    HOP_BY_HOP,
    METHOD_STORED,
    METHODS,
    NOT_SENT,
    NULL_LENGTH,
    OUR_MAGIC,
    REMOTE_PORT,
    REQUEST_HEADERS,
    RESPONSE_HEADERS,
    Attribute,
    Kind,
    reason_phrase,
)
from unified_agent.wire.ajp13.reasons import CloseReason

#: Packets of ours that are always the same.
CPONG: Final = OUR_MAGIC + b"\x00\x01\x09"
#: The zero at the end counts: without it mod_proxy_ajp breaks the answer off.
FLUSH: Final = OUR_MAGIC + b"\x00\x04\x03\x00\x00\x00"
END_AND_REUSE: Final = OUR_MAGIC + b"\x00\x02\x05\x01"
END_AND_CLOSE: Final = OUR_MAGIC + b"\x00\x02\x05\x00"

_U16: Final = struct.Struct(">H").pack
_HEAD: Final = struct.Struct(">2sH").pack
_CHUNK: Final = struct.Struct(">2sHBH").pack
#: What would break out of a header's line.
_BREAKING: Final = re.compile(rb"[\r\n\0]")
_TOKEN: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: What a path may consist of: visible ASCII, everything else comes percent-encoded.
_PATH: Final = re.compile(rb"/[!-~]*|\*")
_HEADER_NAMES: Final = dict(enumerate(REQUEST_HEADERS, 1))
_RESPONSE_CODES: Final = {name: bytes((CODED_NAME, code)) for code, name in enumerate(RESPONSE_HEADERS, 1)}
_FRAMING_HEADERS: Final = frozenset({b"content-length", b"transfer-encoding"})
#: Protocol, path, address and name of the browser, name of the server.
_HEAD_STRINGS: Final = range(5)
#: As plain numbers, which are faster to compare.
_END: Final = int(Attribute.END)
_QUERY_STRING: Final = int(Attribute.QUERY_STRING)
_REQUEST_ATTRIBUTE: Final = int(Attribute.REQUEST_ATTRIBUTE)
_ROUTE: Final = int(Attribute.ROUTE)
_SECRET: Final = int(Attribute.SECRET)
_SSL_KEY_SIZE: Final = int(Attribute.SSL_KEY_SIZE)
_STORED_METHOD: Final = int(Attribute.STORED_METHOD)
_SEND_BODY_CHUNK: Final = int(Kind.SEND_BODY_CHUNK)
#: So many requests are remembered, of a browser some 3 kB each, and none that is longer.
_REMEMBERED_REQUESTS: Final = 512
_REMEMBERED_BYTES: Final = 2_048
#: Longer numbers of bytes there are none.
_LENGTH_DIGITS: Final = 18


class Fault(RemoteProtocolError):
    """A packet that is not taken.

    Attributes:
        reason: why.
        status: what the browser is told, 0 for nothing.
    """

    def __init__(self, reason: CloseReason, detail: str, status: int = 400) -> None:
        super().__init__(detail)
        self.reason = reason
        self.status = status


class ForwardRequest(Struct, frozen=True, gc=False):
    """What a web server passes on of a request. All of it is as true as the web server is trusted.

    Attributes:
        method: in capitals.
        protocol: between browser and web server, usually ``HTTP/1.1``.
        path: as it came, percent-encoded, with path parameters.
        query: as it came, without the question mark; empty for none.
        remote_address, remote_port: of the browser, as the web server sees it; empty and 0 when not told.
        server_name, server_port: which the browser asked for. Not ours, and not to be believed.
        is_tls: between browser and web server.
        headers: names in lower case; without those of the connection between browser and web server.
        content_length: as announced, None for nothing announced.
        is_chunked: a body of unknown length can be had.
        strings: attributes of the protocol by their code, without the secret.
        attributes: request attributes by their name.
        route: which the balancer chose or the session named; empty for none.
        activation: of this instance at mod_jk's balancer: ``ACT``, ``DIS``, ``STP``, or empty.
        upgrade: which protocol the browser would rather speak; empty for none.
    """

    method: str
    protocol: bytes
    path: bytes
    query: bytes
    remote_address: str
    remote_port: int
    server_name: str
    server_port: int
    is_tls: bool
    headers: list[tuple[bytes, bytes]]
    content_length: int | None
    is_chunked: bool
    strings: dict[int, bytes]
    attributes: dict[bytes, bytes]
    route: str
    activation: str
    upgrade: bytes

    def text(self, code: Attribute) -> str:
        """Return an attribute of the protocol, empty for none. Of a user only for those who trust the web server."""
        return self.strings.get(code, b"").decode("latin-1")


# --- from the web server


def read_forward_request(payload: bytes, header_limit: int) -> tuple[ForwardRequest, bytes]:
    """Read a request. Nobody may change what it holds: whoever asks again in the same bytes is given the same.

    Args:
        payload: all of the packet behind its length; it begins with FORWARD_REQUEST.
        header_limit: how many headers are taken.

    Returns:
        The request, and the secret that came with it, empty for none: it is kept apart so that no log can show it.

    Raises:
        Fault: it cannot be read, or it is ambiguous whether and how long a body follows.

    Source: section 5 of our AJP/1.3 reference, taken from captures of mod_jk and mod_proxy_ajp: tests/vectors/ajp13.
    """
    read = _read_remembering if len(payload) <= _REMEMBERED_BYTES else _read_request
    try:
        return read(payload, header_limit)
    except IndexError:
        raise Fault(CloseReason.MALFORMED, "a request ends before it is complete") from None


def read_body(payload: bytes) -> bytes:
    """Read a packet of body; empty at its end, which mod_jk and mod_proxy_ajp write in two ways.

    Raises:
        Fault: it says that it has more than it has.
    """
    if not payload:
        return b""
    if len(payload) < 2:
        raise Fault(CloseReason.BODY, "a packet of body has no length")
    length = payload[0] << 8 | payload[1]
    if length > len(payload) - 2:
        raise Fault(CloseReason.BODY, f"a packet of body announces {length} bytes and has {len(payload) - 2}")
    return payload[2 : 2 + length]


# Strings are read where they stand, not by a function: a request has twenty or more of them, and they are most of what
# a request costs us.


def _read_request(payload: bytes, header_limit: int) -> tuple[ForwardRequest, bytes]:
    at = 2
    texts = []
    for _ in _HEAD_STRINGS:
        length = payload[at] << 8 | payload[at + 1]
        at += 2
        if length == NULL_LENGTH:
            texts.append(b"")
            continue
        end = at + length
        if payload[end]:
            raise _unended()
        texts.append(payload[at:end])
        at = end + 1
    protocol, path, remote_address, _, server_name = texts
    if not _PATH.fullmatch(path):
        raise Fault(CloseReason.MALFORMED, "the path is none")
    count = payload[at + 3] << 8 | payload[at + 4]
    if count > header_limit:
        raise Fault(CloseReason.MALFORMED, f"{count} headers, of which {header_limit} are taken")
    headers, framing, behind = _read_headers(payload, at + 5, count)
    strings, attributes = _read_attributes(payload, behind)
    content_length, is_chunked = _read_framing(framing) if framing else (None, False)
    port = attributes.get(REMOTE_PORT, b"")
    secret = strings.pop(_SECRET, b"")
    request = ForwardRequest(
        _read_method(payload[1], strings),
        protocol,
        path,
        strings.get(_QUERY_STRING, b""),
        remote_address.decode("latin-1"),
        int(port) if port.isdigit() and len(port) < 6 else 0,
        server_name.decode("latin-1"),
        payload[at] << 8 | payload[at + 1],
        payload[at + 2] != 0,
        [each for each in headers if each[0] not in HOP_BY_HOP],
        content_length,
        is_chunked,
        strings,
        attributes,
        strings.get(_ROUTE, b"").decode("latin-1"),
        attributes.get(ACTIVATION, b"").decode("latin-1"),
        dict(headers).get(b"upgrade", b""),
    )
    return request, secret


#: A browser that polls, and a probe, ask in the same bytes each time. What cannot be read is never remembered.
_read_remembering: Final = lru_cache(maxsize=_REMEMBERED_REQUESTS)(_read_request)


def _unended() -> Fault:
    return Fault(CloseReason.MALFORMED, "a string does not end where it should")


def _read_method(code: int, strings: dict[int, bytes]) -> str:
    if code == METHOD_STORED:
        stored = strings.get(_STORED_METHOD, b"")
        if not _TOKEN.fullmatch(stored):
            raise Fault(CloseReason.MALFORMED, "the method is none")
        return stored.decode("ascii")
    if not 0 < code <= len(METHODS):
        raise Fault(CloseReason.MALFORMED, f"there is no method {code}")
    return METHODS[code - 1]


def _read_headers(
    payload: bytes, at: int, count: int
) -> tuple[list[tuple[bytes, bytes]], list[tuple[bytes, bytes]], int]:
    """Read all headers, those of them that tell of a body, and where what follows begins."""
    headers, framing, values = [], [], []
    for _ in range(count):
        if payload[at] == CODED_NAME:
            name = _HEADER_NAMES.get(payload[at + 1], b"")
            if not name:
                raise Fault(CloseReason.MALFORMED, f"there is no header {payload[at + 1]}")
            at += 2
        else:
            end = at + 2 + (payload[at] << 8 | payload[at + 1])
            if payload[end]:
                raise _unended()
            name = _lower_name(payload[at + 2 : end])
            at = end + 1
        length = payload[at] << 8 | payload[at + 1]
        at += 2
        if length == NULL_LENGTH:
            value = b""
        else:
            end = at + length
            if payload[end]:
                raise _unended()
            value = payload[at:end]
            at = end + 1
            values.append(value)
        headers.append((name, value))
        if name in _FRAMING_HEADERS:
            framing.append((name, value))
    together = b"".join(values)
    if b"\n" in together or b"\r" in together or b"\0" in together:
        raise Fault(CloseReason.MALFORMED, "a header has a line feed in it, or a zero")
    return headers, framing, at


@lru_cache(maxsize=256)
def _lower_name(name: bytes) -> bytes:
    if not _TOKEN.fullmatch(name):
        raise Fault(CloseReason.MALFORMED, "the name of a header is none")
    return name.lower()


def _read_attributes(payload: bytes, at: int) -> tuple[dict[int, bytes], dict[bytes, bytes]]:
    """Read what stands behind the headers: strings by their code, and request attributes by their name."""
    strings: dict[int, bytes] = {}
    attributes: dict[bytes, bytes] = {}
    name: bytes | None = None
    while (code := payload[at]) != _END or name is not None:
        if name is None:
            at += 1
            if code == _SSL_KEY_SIZE:
                at += 2
                continue
            if not 0 < code <= _STORED_METHOD:  # nobody knows how long it is
                raise Fault(CloseReason.MALFORMED, f"there is no attribute {code}")
        length = payload[at] << 8 | payload[at + 1]
        at += 2
        value = b""
        if length != NULL_LENGTH:
            end = at + length
            if payload[end]:
                raise _unended()
            value = payload[at:end]
            at = end + 1
        if name is not None:
            attributes[name], name = value, None
        elif code == _REQUEST_ATTRIBUTE:
            name = value
        elif code in strings:
            raise Fault(CloseReason.MALFORMED, f"attribute {code} comes twice")
        else:
            strings[code] = value
    if at + 1 != len(payload):
        raise Fault(CloseReason.MALFORMED, "something follows the end of a request")
    return strings, attributes


def _read_framing(framing: Sequence[tuple[bytes, bytes]]) -> tuple[int | None, bool]:
    """Say how long a body was announced, and whether it is one of unknown length.

    Raises:
        Fault: the headers leave it open: what we then take for a packet of body might be a request, or the reverse.
    """
    if len(framing) > 1:
        raise Fault(CloseReason.FRAMING, "the length of the body is announced twice")
    name, value = framing[0]
    if name == b"content-length":
        if not value.isdigit() or len(value) > _LENGTH_DIGITS:
            raise Fault(CloseReason.FRAMING, "the length of the body is no number")
        return int(value), False
    if value.lower() != b"chunked":
        raise Fault(CloseReason.FRAMING, "the transfer encoding is unknown")
    return None, True


# --- to the web server


def headers_packet(status: int, headers: Iterable[tuple[bytes, bytes]], packet_size_bytes: int) -> bytes:
    """Write SEND_HEADERS. Headers of the connection between browser and web server are left out.

    Args:
        status: 100 to 999.
        headers: names in any case; several of one name stay several.
        packet_size_bytes: as agreed with the web server.

    Raises:
        LocalProtocolError: they do not fit into one packet, or would break out of their line.
    """
    written = [each for each in starmap(_header_bytes, headers) if each]
    payload = b"".join((_status_bytes(status), _U16(len(written)), *written))
    if len(payload) > packet_size_bytes - HEAD_BYTES:
        raise LocalProtocolError(f"headers of {len(payload)} bytes do not fit into one packet")
    return _HEAD(OUR_MAGIC, len(payload)) + payload


def chunk_packets(data: bytes, packet_size_bytes: int) -> list[bytes]:
    """Write a piece of body as SEND_BODY_CHUNK, as many as it takes: parts to be written one after another."""
    most = packet_size_bytes - CHUNK_AROUND_BYTES
    length = len(data)
    if length <= most:
        return [_CHUNK(OUR_MAGIC, length + 4, _SEND_BODY_CHUNK, length), data, b"\0"] if length else []
    parts: list[bytes] = []
    for at in range(0, length, most):
        piece = data[at : at + most]
        parts += (_CHUNK(OUR_MAGIC, len(piece) + 4, _SEND_BODY_CHUNK, len(piece)), piece, b"\0")
    return parts


def get_body_packet(wanted_bytes: int) -> bytes:
    """Write GET_BODY_CHUNK: ask for the next piece of the request's body."""
    return OUR_MAGIC + b"\x00\x03\x06" + _U16(wanted_bytes)


@lru_cache(maxsize=128)
def _status_bytes(status: int) -> bytes:
    phrase = reason_phrase(status)
    return bytes((Kind.SEND_HEADERS,)) + _U16(status) + _U16(len(phrase)) + phrase + b"\0"


@lru_cache(maxsize=512)
def _header_bytes(name: bytes, value: bytes) -> bytes:
    """Return how a header is written; empty for one that is not sent. Most of an answer's are those of the last."""
    name = name.lower()
    if name in NOT_SENT:
        return b""
    if not _TOKEN.fullmatch(name) or len(name) >> 8 >= CODED_NAME:
        raise LocalProtocolError("the name of a header is none")
    if len(value) >= NULL_LENGTH:
        raise LocalProtocolError(f"a header has {len(value)} bytes")
    if _BREAKING.search(value):
        raise LocalProtocolError("a header has a line feed in it, or a zero")
    coded = _RESPONSE_CODES.get(name) or _U16(len(name)) + name + b"\0"
    return coded + _U16(len(value)) + value + b"\0"
