"""The doors that every wire connection has, whatever it speaks, so that one pump runs them all.

Time comes in as an argument (``now_s``: seconds on any clock that never goes back), a heartbeat is a timer of
the protocol, and nothing here waits. The pump's loop is: give bytes, take events, write what is to be sent,
sleep until ``next_timer`` or more bytes.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

EventT_co = TypeVar("EventT_co", covariant=True)


class Connection(Protocol[EventT_co]):
    """One end of one protocol on one byte stream. After it reported its end it must not be fed again."""

    def receive_data(self, data: bytes, now_s: float) -> None:
        """Take bytes that arrived, oldest first; they may end anywhere.

        Raises:
            RemoteProtocolError: the peer broke the protocol; the connection is to be closed. Events that were
                complete before the fault can still be taken.
        """
        ...

    def receive_eof(self, now_s: float) -> None:
        """Take the news that the peer will send no more, or that the transport is gone."""
        ...

    def data_to_send(self) -> bytes:
        """Return what is to be written now, and forget it. Empty when there is nothing."""
        ...

    def next_event(self) -> EventT_co | None:
        """Return the oldest event that was not taken yet, or None."""
        ...

    def next_timer(self) -> float | None:
        """Return when ``handle_timer`` wants to be called next (same clock as ``now_s``), or None."""
        ...

    def handle_timer(self, now_s: float) -> None:
        """Do what is due by ``now_s``. Harmless when called early or late."""
        ...
