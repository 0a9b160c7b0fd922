"""The server's end of one connection, as a simulated AES needs it: requests in, answers and events out.

It knows framing and messages, and nothing of sessions: who is logged in and when that ends is the server's business,
and so are its timers.
"""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from unified_agent.wire.csta.codec import decode, encode
from unified_agent.wire.csta.framing import EVENT_INVOKE_ID, frame_bytes, take_frame
from unified_agent.wire.csta.shapes import Message
from unified_agent.wire.receive_buffer import ReceiveBuffer


class RequestReceived(Struct, frozen=True):
    """A client sent a message, in general a request; give the invoke id back with the answer."""

    invoke_id: int
    message: Message


class PeerClosed(Struct, frozen=True):
    """The client sends no more. The last event."""


ServerEvent = RequestReceived | PeerClosed


class ServerConnection:
    """The server's end, with the doors of ``wire.doors``. It has no timer."""

    def __init__(self) -> None:
        self._buffer = ReceiveBuffer()
        self._outgoing: list[bytes] = []
        self._events: deque[ServerEvent] = deque()
        self._is_over = False

    def send_answer(self, invoke_id: int, message: Message) -> None:
        """Answer the request with this invoke id.

        Raises:
            LocalProtocolError: the message cannot be written, or is too long.
        """
        self._outgoing.append(frame_bytes(invoke_id, encode(message)))

    def send_event(self, message: Message) -> None:
        """Send what no request asked for, with invoke id 9999. Errors as in ``send_answer``.

        Assumed: also a server-started MonitorStop carries 9999; an AES's own bytes would prove it.
        """
        self._outgoing.append(frame_bytes(EVENT_INVOKE_ID, encode(message)))

    def receive_data(self, data: bytes, now_s: float) -> None:
        """See ``doors``."""
        if self._is_over:
            return
        self._buffer.append(data)
        while (frame := take_frame(self._buffer)) is not None:
            self._events.append(RequestReceived(frame.invoke_id, decode(frame.payload)))

    def receive_eof(self, now_s: float) -> None:
        """See ``doors``."""
        if not self._is_over:
            self._is_over = True
            self._events.append(PeerClosed())

    def data_to_send(self) -> bytes:
        """See ``doors``."""
        data = b"".join(self._outgoing)
        self._outgoing.clear()
        return data

    def next_event(self) -> ServerEvent | None:
        """See ``doors``."""
        return self._events.popleft() if self._events else None

    def next_timer(self) -> float | None:
        """See ``doors``."""
        return None

    def handle_timer(self, now_s: float) -> None:
        """See ``doors``."""
