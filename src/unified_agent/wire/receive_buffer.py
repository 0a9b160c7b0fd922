"""Bytes so far: take a length-prefixed frame, or a line, when all of it has come.

Bounded by use: the longest frame or line is stated by the caller, a longer one is refused as soon as its length is
known, and so what waits here between two reads is always shorter than that limit.
"""

from __future__ import annotations

from collections.abc import Callable

from unified_agent.errors import RemoteProtocolError


class ReceiveBuffer:
    """Bytes that arrived and were not taken yet, oldest first."""

    __slots__ = ("_unread",)

    def __init__(self) -> None:
        self._unread = bytearray()

    def __len__(self) -> int:
        return len(self._unread)

    def append(self, data: bytes) -> None:
        """Add bytes that arrived. Take everything that is complete before appending again."""
        self._unread += data

    def take_frame(self, *, head_bytes: int, total_bytes: Callable[[bytes], int], limit_bytes: int) -> bytes | None:
        """Take one frame whose head says how long it is.

        Args:
            head_bytes: how many bytes ``total_bytes`` needs to see.
            total_bytes: the length of the whole frame, head included, from its head. May raise
                RemoteProtocolError itself.
            limit_bytes: the longest frame that is accepted, head included.

        Returns:
            The whole frame, head included, or None while it is not complete.

        Raises:
            RemoteProtocolError: the head names a length below ``head_bytes`` or above ``limit_bytes``.
        """
        unread = self._unread
        if len(unread) < head_bytes:
            return None
        length = total_bytes(bytes(unread[:head_bytes]))
        if length < head_bytes or length > limit_bytes:
            raise RemoteProtocolError(f"frame length {length} is outside {head_bytes} to {limit_bytes} bytes")
        if len(unread) < length:
            return None
        frame = bytes(unread[:length])
        del unread[:length]
        return frame

    def take_line(self, *, end: bytes, limit_bytes: int) -> bytes | None:
        """Take everything up to and including ``end``.

        Returns:
            The line with its end, or None while the end has not come.

        Raises:
            RemoteProtocolError: more than ``limit_bytes`` (end included) came without an end.
        """
        at = self._unread.find(end, 0, limit_bytes)
        if at < 0:
            if len(self._unread) >= limit_bytes:
                raise RemoteProtocolError(f"no end of line within {limit_bytes} bytes")
            return None
        length = at + len(end)
        line = bytes(self._unread[:length])
        del self._unread[:length]
        return line
