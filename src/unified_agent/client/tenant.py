"""What a lifeline asks of the desk that it keeps attached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from unified_agent.client.attachment import Keys, Place
from unified_agent.client.errors import SessionOver
from unified_agent.client.stream import Taken

Json = dict[str, Any]


class Tenant(Protocol):
    """Whom a lifeline serves: the desk."""

    @property
    def place(self) -> Place:
        """Epoch and number of the last envelope taken."""
        ...

    @property
    def term(self) -> int:
        """The highest term seen."""
        ...

    def take(self, envelope: Json, first: Callable[[], None] | None = None) -> Taken:
        """Take an envelope.

        Args:
            envelope: of the server that serves us; or the first one, a snapshot, of another that is about to.
            first: with that one: called when it was taken, before anybody is told of it.
        """
        ...

    def answered(self, answer: Json) -> None:
        """Take an answer to a command."""
        ...

    def attached(self, keys: Keys, resent_until: int) -> None:
        """Know that a server serves us from now on; envelopes up to that number are old news."""
        ...

    def detached(self) -> None:
        """Know that none does."""
        ...

    def ended(self, over: SessionOver) -> None:
        """Know that there is no session any more; told once."""
        ...
