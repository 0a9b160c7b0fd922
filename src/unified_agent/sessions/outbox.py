"""Numbered notices for one desktop, kept for a while so that one that was away misses nothing.

One ordered stream in epochs: ``seq`` counts from 1 without a gap; a new epoch means that continuity cannot be
promised and a snapshot follows. An envelope is encoded once, when it is appended, for whoever reads it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Raw, Struct

from unified_agent.domain.limits import OUTBOX_AGE_S, OUTBOX_NOTICES
from unified_agent.domain.notices import Notice
from unified_agent.domain.view import View, rfc3339

Subscriber = Callable[[bytes], None]
_ENCODER: Final = msgspec.json.Encoder()


class Envelope(Struct, frozen=True, kw_only=True):
    """What travels: ``type`` is the notice's word or ``snapshot``, ``data`` its fields, ``term`` that of the claim."""

    epoch: int
    seq: int
    at: str
    type: str
    data: Raw
    term: int


class Snapshot(Struct, frozen=True, kw_only=True):
    """The data of a snapshot envelope.

    Attributes:
        view: everything a desktop may see.
        reason: ``hello``, ``gap``, ``slow``, ``telephony-lost``, ``dialler-lost`` or ``request``.
    """

    view: View
    reason: str


class Outbox:
    """One session's stream. The session's view is fetched when a snapshot is wanted, not kept.

    Attributes:
        epoch: grows with each restart.
        seq: number of the last envelope of this epoch, 0 for none.
    """

    def __init__(
        self,
        view: Callable[[], View],
        now_s: Callable[[], float],
        *,
        term: Callable[[], int] = lambda: 1,
        first_epoch: int = 1,
    ) -> None:
        """Begin.

        Args:
            view: gives what the desktop may see.
            now_s: gives the time, Unix seconds.
            term: gives the term under which the agent is served.
            first_epoch: higher than any that another instance gave to this session.
        """
        self._term = term
        self._view = view
        self._now_s = now_s
        self._kept: deque[tuple[int, float, bytes]] = deque()
        self._subscribers: list[Subscriber] = []
        self.epoch = first_epoch
        self.seq = 0

    def append(self, notice: Notice) -> None:
        """Number a notice, keep it, and hand it to whoever reads now."""
        self.seq += 1
        now_s = self._now_s()
        line = self._encode(notice.type, Raw(_ENCODER.encode(notice)), now_s)
        self._kept.append((self.seq, now_s, line))
        while len(self._kept) > OUTBOX_NOTICES or self._kept[0][1] < now_s - OUTBOX_AGE_S:
            self._kept.popleft()
        for subscriber in tuple(self._subscribers):
            subscriber(line)

    def restart(self, reason: str) -> None:
        """Begin a new epoch: what was told before is void. Readers get a snapshot at once."""
        self.epoch += 1
        self.seq = 0
        self._kept.clear()
        if self._subscribers:
            line = self.snapshot(reason)
            for subscriber in tuple(self._subscribers):
                subscriber(line)

    def since(self, epoch: int | None, seq: int | None) -> list[bytes] | None:
        """Return the envelopes after a position, oldest first.

        Returns:
            None when the position is of another epoch, in the future, or older than what is kept: the reader needs
            a snapshot.
        """
        if epoch != self.epoch or seq is None or not 0 <= seq <= self.seq:
            return None
        if seq == self.seq:
            return []
        if not self._kept or self._kept[0][0] > seq + 1:
            return None
        return [line for number, _, line in self._kept if number > seq]

    def snapshot(self, reason: str) -> bytes:
        """Encode a snapshot as of now; it carries the ``seq`` that it includes. Always correct to send."""
        data = _ENCODER.encode(Snapshot(view=self._view(), reason=reason))
        return self._encode("snapshot", Raw(data), self._now_s())

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Hand every further envelope to a reader, at once.

        Returns:
            A function that ends it; harmless when called twice.
        """
        self._subscribers.append(subscriber)

        def unsubscribe() -> None:
            if subscriber in self._subscribers:
                self._subscribers.remove(subscriber)

        return unsubscribe

    def _encode(self, word: str, data: Raw, now_s: float) -> bytes:
        return _ENCODER.encode(
            Envelope(epoch=self.epoch, seq=self.seq, at=rfc3339(now_s), type=word, data=data, term=self._term())
        )
