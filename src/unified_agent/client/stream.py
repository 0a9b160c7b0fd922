"""The view of one session and its place in the stream of notices. Pure: envelopes in, verdicts out.

Source: ``docs/reference/desktop-protocol.md``. ``seq`` counts from 1 in an epoch without gaps; a snapshot carries the
``seq`` that it includes and makes everything before it void. ``term`` counts the owners of a session: what comes with a
lower one was said by somebody who has lost it. Another instance's stream is another one, so its first snapshot is taken
whatever its epoch.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from unified_agent.domain.limits import MESSAGES_KEPT

Json = dict[str, Any]


class Taken(StrEnum):
    """What became of an envelope.

    APPLIED: it was the next one. DUPLICATE: it was there before; nothing changed. GAP: something before it is missing,
    so nothing was changed: connect again and say the last place. STALE: a former owner said it; nothing changed.
    """

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    GAP = "gap"
    STALE = "stale"


class Stream:
    """What one desktop has been told so far.

    Attributes:
        epoch, seq: the last envelope taken; None before the first snapshot.
        view: everything a desktop may see, as in JSON; empty before the first snapshot. Slices are replaced whole and
            never changed in place, so a kept slice stays as it was.
        term: the highest one seen, 0 before the first.
        duplicates, gaps, stale: how many envelopes were so.
    """

    __slots__ = ("duplicates", "epoch", "gaps", "seq", "stale", "term", "view")

    def __init__(self) -> None:
        self.epoch: int | None = None
        self.seq: int | None = None
        self.view: Json = {}
        self.term = 0
        self.duplicates = 0
        self.gaps = 0
        self.stale = 0

    def take(self, envelope: Json, *, fresh: bool = False) -> Taken:
        """Take one envelope.

        Args:
            envelope: ``{epoch, seq, term, at, type, data}``; one without a term is of the present one.
            fresh: it is the first of another connection.
        """
        epoch, seq, term = envelope["epoch"], envelope["seq"], envelope.get("term", self.term)
        if term < self.term:
            self.stale += 1
            return Taken.STALE
        if envelope["type"] == "snapshot":
            if not fresh and self._is_older(epoch, seq):
                self.duplicates += 1
                return Taken.DUPLICATE
            self.view = envelope["data"]["view"]
        elif epoch != self.epoch or self.seq is None or seq > self.seq + 1:
            self.gaps += 1
            return Taken.GAP
        elif seq <= self.seq:
            self.duplicates += 1
            return Taken.DUPLICATE
        else:
            self._apply(envelope)
        self.epoch, self.seq, self.term = epoch, seq, term
        return Taken.APPLIED

    def _is_older(self, epoch: int, seq: int) -> bool:
        return self.epoch is not None and self.seq is not None and (epoch, seq) < (self.epoch, self.seq)

    def _apply(self, envelope: Json) -> None:
        word: str = envelope["type"]
        if word.endswith("-changed"):
            self.view.update(envelope["data"])
        elif word == "message-arrived":
            messages = [*self.view.get("messages", ()), envelope["data"]["message"]]
            self.view["messages"] = messages[-MESSAGES_KEPT:]
