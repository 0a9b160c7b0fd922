"""One desktop's connection as the server sees it, whatever carries it: whole texts both ways, then one end.

The carriers are ``websocket_protocol`` and those of ``push_transports``; a simulated desktop brings its own.
"""

from __future__ import annotations

from typing import Final, Protocol

#: Close codes of RFC 6455, used by every carrier.
NORMAL, UNSUPPORTED, INVALID_DATA, TOO_BIG, INTERNAL_ERROR, RESTART = 1000, 1003, 1007, 1009, 1011, 1012
#: What a connection that ended without a word is said to have ended with.
ABNORMAL: Final = 1006


class TextConnection(Protocol):
    """What a handler may do with its connection."""

    def send(self, data: bytes) -> bool:
        """Write one message, JSON in UTF-8; False when it was not written: closing, or the peer is too slow."""
        ...

    def beat(self, data: bytes) -> None:
        """Write a sign of life, if this kind of connection wants any; one that is not written is not missed."""
        ...

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Begin to close; harmless when that has begun."""
        ...

    def abort(self) -> None:
        """Cut the connection, with all that is unsent."""
        ...


class TextHandler(Protocol):
    """What one accepted connection is told, in this order: opened, then texts, then closed once."""

    def opened(self, connection: TextConnection) -> None:
        """Take the connection; it is open."""
        ...

    def text_received(self, data: bytes) -> None:
        """Take one whole message, valid UTF-8. An exception closes the connection with 1011."""
        ...

    def writable_again(self, skipped: int) -> None:
        """Know that the peer took what was unsent; ``skipped`` messages were not written meanwhile."""
        ...

    def closed(self, code: int, *, slow: bool) -> None:
        """Know that the connection is over. ``slow``: cut off because the peer took nothing."""
        ...
