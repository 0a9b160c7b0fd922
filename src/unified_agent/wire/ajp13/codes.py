"""The numbers of AJP/1.3: kinds of packets, methods, coded header names, attributes, and the bounds of a packet."""

from __future__ import annotations

from enum import IntEnum
from http import HTTPStatus
from typing import Final

#: What packets begin with: those of the web server, and ours.
FRONT_MAGIC: Final = b"\x12\x34"
OUR_MAGIC: Final = b"AB"
#: Magic and length.
HEAD_BYTES: Final = 4

#: Bounds of the packet size, envelope included, which is set by hand on both sides; both fronts round it to a multiple.
PACKET_LEAST_BYTES: Final = 8_192
PACKET_MOST_BYTES: Final = 65_536
PACKET_STEP_BYTES: Final = 1_024
#: What a packet of request body has around its data: head, and the length of the data.
BODY_AROUND_BYTES: Final = 6
#: What a packet of response body has around its data: head, kind, length, and a zero. mod_jk takes packets with 4 more,
#: mod_proxy_ajp does not (measured).
CHUNK_AROUND_BYTES: Final = 8

#: Length of a string that is null: neither bytes nor a zero follow.
NULL_LENGTH: Final = 0xFFFF
#: First byte of a coded header name; no name is long enough to have it in its length.
CODED_NAME: Final = 0xA0
#: Method that travels as the attribute ``STORED_METHOD``.
METHOD_STORED: Final = 0xFF


class Kind(IntEnum):
    """First byte of a packet. A packet of request body has none."""

    FORWARD_REQUEST = 2
    SEND_BODY_CHUNK = 3
    SEND_HEADERS = 4
    END_RESPONSE = 5
    GET_BODY_CHUNK = 6
    SHUTDOWN = 7
    PING = 8
    CPONG = 9
    CPING = 10


class Attribute(IntEnum):
    """What may follow the headers of a request."""

    CONTEXT = 0x01
    SERVLET_PATH = 0x02
    REMOTE_USER = 0x03
    AUTH_TYPE = 0x04
    QUERY_STRING = 0x05
    ROUTE = 0x06
    SSL_CERT = 0x07
    SSL_CIPHER = 0x08
    SSL_SESSION = 0x09
    REQUEST_ATTRIBUTE = 0x0A
    SSL_KEY_SIZE = 0x0B
    SECRET = 0x0C
    STORED_METHOD = 0x0D
    END = 0xFF


#: By code less one.
METHODS: Final = (
    "OPTIONS",
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "TRACE",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "ACL",
    "REPORT",
    "VERSION-CONTROL",
    "CHECKIN",
    "CHECKOUT",
    "UNCHECKOUT",
    "SEARCH",
    "MKWORKSPACE",
    "UPDATE",
    "LABEL",
    "MERGE",
    "BASELINE-CONTROL",
    "MKACTIVITY",
)

#: By the low byte of the code less one; lower case, as applications want them.
REQUEST_HEADERS: Final = (
    b"accept",
    b"accept-charset",
    b"accept-encoding",
    b"accept-language",
    b"authorization",
    b"connection",
    b"content-type",
    b"content-length",
    b"cookie",
    b"cookie2",
    b"host",
    b"pragma",
    b"referer",
    b"user-agent",
)

#: What our coded header names mean, by the low byte of the code less one.
RESPONSE_HEADERS: Final = (
    b"content-type",
    b"content-language",
    b"content-length",
    b"date",
    b"last-modified",
    b"location",
    b"set-cookie",
    b"set-cookie2",
    b"servlet-engine",
    b"status",
    b"www-authenticate",
)

#: Headers that say something about the connection between browser and web server, and nothing to us.
HOP_BY_HOP: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"upgrade", b"expect"}
)
#: The same in answers: the web server frames them itself.
NOT_SENT: Final = HOP_BY_HOP | {b"transfer-encoding"}

#: Names of request attributes that fronts send by themselves. JK_LB_ACTIVATION comes from mod_jk only, always.
REMOTE_PORT: Final = b"AJP_REMOTE_PORT"
LOCAL_ADDRESS: Final = b"AJP_LOCAL_ADDR"
TLS_PROTOCOL: Final = b"AJP_SSL_PROTOCOL"
ACTIVATION: Final = b"JK_LB_ACTIVATION"
KNOWN_ATTRIBUTES: Final = frozenset({REMOTE_PORT, LOCAL_ADDRESS, TLS_PROTOCOL, ACTIVATION})


def reason_phrase(status: int) -> bytes:
    """Return the standard words of a status, or its number: mod_proxy_ajp would pass empty words on to the browser."""
    try:
        return HTTPStatus(status).phrase.encode("ascii")
    except ValueError:
        return str(status).encode("ascii")


def has_no_body(method: str, status: int) -> bool:
    """Whether an answer has no body, whatever its headers say."""
    return method == "HEAD" or status in {204, 205, 304} or status < 200
