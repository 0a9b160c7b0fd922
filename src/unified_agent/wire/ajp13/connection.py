"""One connection that a web server made to us: requests in, answers out, one at a time.

    web server   CPING ───────────▶ us             before a request, or while nothing is going on
                 ◀─────────── CPONG
                 FORWARD_REQUEST ─▶                RequestReceived
                 body ────────────▶                with a content length one packet comes unasked: BodyReceived
                 ◀─ GET_BODY_CHUNK                 ask_body; the rest, and all of an unknown length, only so
                 body ────────────▶                BodyReceived
                 ◀─── SEND_HEADERS                 send_headers, once
                 ◀ SEND_BODY_CHUNK                 send_body, send_flush
                 ◀─── END_RESPONSE                 send_end; says whether the connection is used again

A packet of body has no kind: whether one is due is known from what was announced and asked, and only from that. One
that nobody wants any more is still due, and thrown away before the next request is read.

Everything that a web server may do wrong either is answered and ends the connection, or ends it without a word, with a
reason out of ``CloseReason``; nothing raises RemoteProtocolError.
"""

from __future__ import annotations

import hmac
from collections import deque
from typing import Final

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
from unified_agent.wire.ajp13.codes import (
    BODY_AROUND_BYTES,
    FRONT_MAGIC,
    HEAD_BYTES,
    Kind,
    has_no_body,
)
from unified_agent.wire.ajp13.events import BodyReceived, Ended, Event, Phase, RequestReceived
from unified_agent.wire.ajp13.limits import REQUEST_FOLLOWS_S, AjpLimits
from unified_agent.wire.ajp13.reasons import CloseReason

_FIRST_BYTE, _SECOND_BYTE = FRONT_MAGIC
#: A ping as it nearly always comes: alone.
_CPING: Final = FRONT_MAGIC + b"\x00\x01\x0a"


#: The phases, found faster than members of an enumeration.
_IDLE, _ANSWERING, _OVER = Phase
_FORWARD_REQUEST, _PING = int(Kind.FORWARD_REQUEST), int(Kind.CPING)


class AjpConnection:
    """One connection; the doors are those of ``wire.doors.Connection``.

    Args:
        limits: what it may use.
        secret: that every request must carry; empty for none.
        now_s: the present.
    """

    __slots__ = (
        "_answer_left_bytes",
        "_body_left_bytes",
        "_body_more",
        "_due",
        "_events",
        "_headers_sent",
        "_limits",
        "_need_bytes",
        "_outgoing",
        "_partial_s",
        "_phase",
        "_ponged_s",
        "_request",
        "_secret",
        "_stopping",
        "_unread",
        "_waiting_s",
        "_without_body",
    )

    def __init__(self, limits: AjpLimits, secret: bytes, now_s: float) -> None:
        self._limits = limits
        self._secret = secret
        self._phase = _IDLE
        self._stopping = False
        self._unread = bytearray()
        #: So many bytes must have come before it is worth looking at them again.
        self._need_bytes = HEAD_BYTES
        self._partial_s = now_s
        self._waiting_s = now_s
        #: When a ping was answered that no request has followed yet.
        self._ponged_s = -REQUEST_FOLLOWS_S
        self._outgoing: list[bytes] = []
        self._events: deque[Event] = deque()
        # of the request that is being answered
        self._request: ForwardRequest | None = None
        self._due = False
        self._body_more = False
        self._body_left_bytes: int | None = None
        self._headers_sent = False
        self._without_body = False
        self._answer_left_bytes: int | None = None

    @property
    def phase(self) -> Phase:
        """What is going on."""
        return self._phase

    @property
    def headers_sent(self) -> bool:
        """Whether the request that is being answered has got its headers."""
        return self._headers_sent

    @property
    def is_body_due(self) -> bool:
        """Whether a packet of body is on its way to us, unasked or asked for."""
        return self._due

    # --- what the owner asks for

    def ask_body(self, now_s: float) -> None:
        """Ask for the next piece of the body; BodyReceived follows. Harmless when one is on its way, or none is left.

        Raises:
            LocalProtocolError: nothing is being answered.
        """
        self._check_answering()
        # Asked once more after the end, mod_proxy_ajp takes us for broken (measured).
        if self._body_more and not self._due:
            self._due = True
            self._waiting_s = now_s
            self._outgoing.append(get_body_packet(self._limits.packet_size_bytes - BODY_AROUND_BYTES))
            self._take_kept(now_s)

    def send_headers(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Begin the answer. Headers that do not concern us are left out: the web server frames the answer itself.

        Raises:
            LocalProtocolError: nothing is being answered, the answer has begun, or the headers do not fit into one
                packet, would break out of their line, or announce no number. Nothing was sent then.
        """
        self._check_answering()
        if self._headers_sent:
            raise LocalProtocolError("the headers were sent already")
        packet = headers_packet(status, headers, self._limits.packet_size_bytes)
        assert self._request is not None, "somebody is being answered"
        self._without_body = has_no_body(self._request.method, status)
        if not self._without_body:
            for name, value in headers:
                if len(name) == 14 and name.lower() == b"content-length":
                    if not value.isdigit():
                        raise LocalProtocolError("the length of the body is no number")
                    self._answer_left_bytes = int(value)
        self._outgoing.append(packet)
        self._headers_sent = True

    def send_body(self, data: bytes) -> None:
        """Send a piece of the answer's body; nothing, when this answer has none.

        Raises:
            LocalProtocolError: no headers were sent, or it is more than they announced.
        """
        self._check_answering()
        if not self._headers_sent:
            raise LocalProtocolError("the body comes after the headers")
        if self._without_body or not data:
            return
        if self._answer_left_bytes is not None:
            if len(data) > self._answer_left_bytes:
                raise LocalProtocolError("the body is longer than announced")
            self._answer_left_bytes -= len(data)
        self._outgoing += chunk_packets(data, self._limits.packet_size_bytes)

    def send_flush(self) -> None:
        """Have the web server pass on what it has: by itself it waits for the end. Nothing before the headers."""
        if self._phase is _ANSWERING and self._headers_sent:
            self._outgoing.append(FLUSH)

    def send_end(self, now_s: float) -> None:
        """End the answer. What came meanwhile is read then.

        Raises:
            LocalProtocolError: no headers were sent, or less than they announced: ``fail`` is all that is left.
        """
        self._check_answering()
        if not self._headers_sent:
            raise LocalProtocolError("an answer has headers")
        if self._answer_left_bytes:
            raise LocalProtocolError(f"the body is {self._answer_left_bytes} bytes shorter than announced")
        if self._stopping:
            self._outgoing.append(END_AND_CLOSE)
            self._end(CloseReason.STOPPED, "the last answer was given")
            return
        self._outgoing.append(END_AND_REUSE)
        self._events.clear()  # pieces of a body that nobody wants any more
        self._phase = _IDLE
        self._request = None
        self._headers_sent = False
        self._waiting_s = now_s
        self._take_kept(now_s)

    def stop(self, now_s: float) -> None:
        """Take no more requests: end now, when the present one is answered, or when the one that was announced is.

        Announced is one of which a part has come, and one whose ping was answered just now. For that one
        ``next_timer`` waits; nothing more is answered to pings.
        """
        self._stopping = True
        if self._phase is _IDLE and now_s >= self._announced_until_s():
            self._end(CloseReason.STOPPED, "nothing was going on")

    def fail(self, detail: str) -> None:
        """End without completing the answer: the only way to say that what was sent is not all."""
        self._end(CloseReason.FAILED, detail)

    def give_up(self, reason: CloseReason, detail: str) -> None:
        """End for a reason that only the owner sees."""
        self._end(reason, detail)

    # --- the doors

    def receive_data(self, data: bytes, now_s: float) -> None:
        """Take bytes from the web server. After ``Ended`` they are ignored."""
        if self._phase is _OVER:
            return
        unread = self._unread
        if unread:
            unread += data
            if len(unread) < self._need_bytes:
                return
            data = bytes(unread)
            unread.clear()
        elif data == _CPING and self._phase is _IDLE and not self._due:
            self._take_ping(now_s)
            return
        self._take(data, now_s)

    def receive_eof(self, now_s: float) -> None:
        """See ``doors``. In the middle of a request it means that nobody waits for the answer any more."""
        self._end(CloseReason.CLOSED, "the web server closed the connection")

    def data_to_send(self) -> bytes:
        """See ``doors``."""
        outgoing = self._outgoing
        if not outgoing:
            return b""
        data = outgoing[0] if len(outgoing) == 1 else b"".join(outgoing)
        outgoing.clear()
        return data

    def next_event(self) -> Event | None:
        """See ``doors``."""
        return self._events.popleft() if self._events else None

    def next_timer(self) -> float | None:
        """See ``doors``. While we are busy answering, nothing is expected of the web server."""
        if self._phase is _OVER or (self._phase is _ANSWERING and not self._due):
            return None
        if self._stopping and self._phase is _IDLE:
            return self._announced_until_s()
        if self._unread:
            return self._partial_s + self._limits.read_timeout_s
        return self._waiting_s + self._limits.idle_timeout_s

    def handle_timer(self, now_s: float) -> None:
        """End the connection when what is expected did not come in time."""
        due_s = self.next_timer()
        if due_s is None or now_s < due_s:
            return
        if self._stopping and self._phase is _IDLE:
            self._end(CloseReason.STOPPED, "the request that was announced did not come")
        elif self._unread:
            self._end(CloseReason.SLOW, f"a packet was not complete within {self._limits.read_timeout_s:g} s")
        elif self._due:
            self._end(CloseReason.SLOW, f"no packet of body within {self._limits.idle_timeout_s:g} s")
        else:
            self._end(CloseReason.IDLE, f"no request within {self._limits.idle_timeout_s:g} s")

    # --- inside

    def _take_kept(self, now_s: float) -> None:
        """Take what came before its time."""
        if self._unread:
            data = bytes(self._unread)
            self._unread.clear()
            self._take(data, now_s)

    def _take(self, data: bytes, now_s: float) -> None:
        """Take all whole packets that are due, and keep the rest."""
        at, size = 0, len(data)
        need = HEAD_BYTES
        try:
            while at < size:
                if self._phase is _ANSWERING and not self._due:
                    self._check_early(size - at)
                    break
                need = self._packet_bytes(data, at, size)
                if size - at < need:
                    break
                payload = data[at + HEAD_BYTES : at + need]
                at += need
                if self._due:
                    self._take_body(payload, now_s)
                else:
                    self._take_idle(payload, now_s)
                if self._phase is _OVER:
                    return
        except Fault as fault:
            self._refuse(fault)
            return
        if at < size:
            self._unread += data[at:] if at else data
            self._need_bytes = need
            self._partial_s = now_s

    def _packet_bytes(self, data: bytes, at: int, size: int) -> int:
        """Return how long a packet is, or how much of it must have come before that is known."""
        if data[at] != _FIRST_BYTE or (at + 1 < size and data[at + 1] != _SECOND_BYTE):
            raise Fault(CloseReason.NOT_AJP, "what came does not begin as packets do", 0)
        if size - at < HEAD_BYTES:
            return HEAD_BYTES
        length = HEAD_BYTES + (data[at + 2] << 8 | data[at + 3])
        if length > self._limits.packet_size_bytes:
            raise Fault(CloseReason.TOO_LONG, f"a packet of {length} bytes")
        return length

    def _check_early(self, count: int) -> None:
        """Keep what comes before its time, but not without a bound: web servers wait for the answer."""
        if count > self._limits.packet_size_bytes:
            raise Fault(CloseReason.TOO_LONG, "too much came before the answer was given")

    def _take_idle(self, payload: bytes, now_s: float) -> None:
        kind = payload[0] if payload else None
        if kind == _FORWARD_REQUEST:
            request, secret = read_forward_request(payload, self._limits.header_limit)
            self._begin(request, secret, now_s)
        elif kind == _PING:
            self._take_ping(now_s)
        elif kind is not None:
            raise Fault(CloseReason.UNEXPECTED, f"a packet of kind {kind}", 0)

    def _take_ping(self, now_s: float) -> None:
        if self._stopping:  # without an answer the web server goes elsewhere, and loses nothing
            self._end(CloseReason.STOPPED, "a ping came after the stop")
            return
        self._waiting_s = self._ponged_s = now_s
        self._outgoing.append(CPONG)

    def _announced_until_s(self) -> float:
        """Return until when a request may be on its way to us, while nothing is going on."""
        since_s = max(self._ponged_s, self._partial_s) if self._unread else self._ponged_s
        return since_s + REQUEST_FOLLOWS_S

    def _begin(self, request: ForwardRequest, secret: bytes, now_s: float) -> None:
        self._request = request
        self._headers_sent = False
        self._answer_left_bytes = None
        self._phase = _ANSWERING
        self._ponged_s = -REQUEST_FOLLOWS_S
        if self._secret and not hmac.compare_digest(secret, self._secret):
            detail = "the secret is not ours" if secret else "there is no secret"
            raise Fault(CloseReason.SECRET, detail, 403)
        if not request.attributes.keys() <= self._limits.allowed_attributes:
            raise Fault(CloseReason.ATTRIBUTE, "a request attribute is not allowed", 403)
        length = request.content_length
        self._body_more = request.is_chunked or bool(length)
        self._body_left_bytes = length
        self._due = bool(length)
        self._waiting_s = now_s
        self._events.append(RequestReceived(request, self._body_more))

    def _take_body(self, payload: bytes, now_s: float) -> None:
        self._due = False
        self._waiting_s = now_s
        data = read_body(payload) if self._phase is _ANSWERING else b""
        if self._phase is _IDLE:  # nobody wants it any more
            return
        left = self._body_left_bytes
        if left is None:
            self._body_more = bool(data)
        elif not data:
            raise Fault(CloseReason.BODY, f"the body ended {left} bytes early")
        elif len(data) > left:
            raise Fault(CloseReason.BODY, f"the body is longer than announced by {len(data) - left} bytes")
        else:
            self._body_left_bytes = left - len(data)
            self._body_more = len(data) < left
        self._events.append(BodyReceived(data, self._body_more))

    def _refuse(self, fault: Fault) -> None:
        """Answer what was wrong if anybody can be answered, and end."""
        if fault.status and not self._headers_sent:
            detail = f"{fault}\n".encode("latin-1", "replace")
            headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(detail)).encode())]
            self._outgoing.append(headers_packet(fault.status, headers, self._limits.packet_size_bytes))
            if self._request is None or self._request.method != "HEAD":
                self._outgoing += chunk_packets(detail, self._limits.packet_size_bytes)
            self._outgoing.append(END_AND_CLOSE)
        self._end(fault.reason, str(fault))

    def _check_answering(self) -> None:
        if self._phase is not _ANSWERING:
            raise LocalProtocolError("no request is being answered")

    def _end(self, reason: CloseReason, detail: str) -> None:
        if self._phase is not _OVER:
            self._phase = _OVER
            self._request = None
            self._unread.clear()
            self._events.append(Ended(reason, detail))
