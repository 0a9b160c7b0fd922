"""What the server asks of the instance as a whole; made by ``assembly``. Live agents it knows as ``sessions.Host``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct


class LinkStatus(Struct, frozen=True, kw_only=True):
    """One link for people.

    Attributes:
        kind: ``telephony`` or ``dialler``.
        name: from the settings.
        state: ``up``, ``checking`` or ``down``.
        doing: a sentence: what its loop did last.
        since: RFC 3339, when the state began; empty when not known.
    """

    kind: str
    name: str
    state: str
    doing: str
    since: str = ""


class Instance(Protocol):
    """What is so of this instance as a whole. Made by ``assembly``."""

    @property
    def started(self) -> bool:
        """Whether the start is complete."""
        ...

    @property
    def draining(self) -> bool:
        """Whether it is on its way out."""
        ...

    def loop_lag_s(self) -> float:
        """Return the latest lateness of the event loop, seconds."""
        ...

    def links(self) -> Iterable[LinkStatus]:
        """Return how each link is."""
        ...
