"""A desktop's connection that is no socket: what is said to it waits, bounded, until a request comes for it.

The rules are those of the WebSocket: nothing more is taken for a desktop once ``write_high_bytes`` wait, and when it
has fetched them down to ``write_low_bytes`` it gets a snapshot instead of what it missed.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

from unified_agent.domain.limits import COMMAND_LIMIT_BYTES
from unified_agent.domain.ports import Clock
from unified_agent.observe import get_logger, log_event
from unified_agent.server.push_transports.desk_connection import DeskConnection
from unified_agent.server.text_connection import ABNORMAL, INTERNAL_ERROR, NORMAL, TOO_BIG
from unified_agent.settings import DesktopSettings

LOGGER: Final = get_logger("server.push")
#: Longest frame of a desktop, bytes, as on the WebSocket.
FRAME_LIMIT_BYTES: Final = COMMAND_LIMIT_BYTES + 1_024


class Closed(Struct, frozen=True):
    """How a connection was closed by us: a close code of the WebSocket, and why."""

    code: int
    reason: str


class Held:
    """One desktop's connection, held for it between requests.

    Attributes:
        id: by which its desktop asks for it. It opens nothing without the token.
        end: how it was closed, None while it is open.
    """

    def __init__(
        self, handler: DeskConnection, *, connection_id: str, token: str, settings: DesktopSettings, clock: Clock
    ) -> None:
        """Be ready for ``begin``.

        Args:
            handler: who speaks over it.
            connection_id: unguessable.
            token: with which the hello came; later requests must bring it too.
            settings: bounds and times.
            clock: for timers.
        """
        self.id: Final = connection_id
        self.end: Closed | None = None
        self._handler: DeskConnection | None = handler
        self._token_digest = _digest(token)
        self._settings: Final = settings
        self._clock: Final = clock
        self._frames: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._is_full = False
        self._skipped = 0

    @property
    def is_open(self) -> bool:
        """Whether anybody speaks over it."""
        return self._handler is not None

    def begin(self, hello: bytes) -> None:
        """Open it, and hand over its first frame."""
        assert self._handler is not None
        self._handler.opened(self)
        self.take_texts((hello,))

    def belongs_to(self, token: str) -> bool:
        """Say whether a token is that of its hello."""
        return hmac.compare_digest(_digest(token), self._token_digest)

    def take_texts(self, frames: Iterable[bytes]) -> None:
        """Take what the desktop says, as far as the connection stays open over it."""
        for frame in frames:
            handler = self._handler
            if handler is None:
                return
            if len(frame) > FRAME_LIMIT_BYTES:
                handler.end(TOO_BIG, "too-big")
                return
            try:
                handler.text_received(frame)
            except Exception as error:  # noqa: BLE001 - one connection's boundary: the others go on
                log_event(LOGGER, "desktop_handler_failed", level="error", error=error)
                handler.end(INTERNAL_ERROR, "internal")

    def heard(self) -> None:
        """Know that the desktop lives."""
        if self._handler is not None:
            self._handler.heard()

    # --- what the handler may do: TextConnection

    def send(self, data: bytes) -> bool:
        """Keep a frame for the desktop; False when too much waits for it already."""
        if self.end is not None or self._is_full:
            self._skipped += 1
            return False
        self._frames.append(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes >= self._settings.write_high_bytes:
            self._is_full = True
            self._filled()
        self._changed()
        return True

    def beat(self, data: bytes) -> None:
        """Know that a sign of life is due; a held connection needs none while its desktop does not ask."""

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Take nothing more; what waits can still be fetched, and then how it ended."""
        if self.end is None:
            self.end = Closed(code, reason)
            self._let_go(code)
            self._changed()

    def abort(self) -> None:
        """End it, with all that waits."""
        self._discard()
        self.close(ABNORMAL)

    def lost(self, *, slow: bool = False) -> None:
        """Know that the desktop is gone, or took nothing for too long."""
        if self.end is None:
            self._discard()
            self.end = Closed(ABNORMAL, "slow" if slow else "lost")
            self._let_go(ABNORMAL, slow=slow)
            self._changed()

    # --- for those who fetch

    def _drop(self, count: int) -> None:
        """Forget the oldest frames: the desktop has them."""
        for _ in range(count):
            self._waiting_bytes -= len(self._frames.popleft())
        if self._is_full and self._waiting_bytes <= self._settings.write_low_bytes:
            self._is_full = False
            skipped, self._skipped = self._skipped, 0
            if self._handler is not None:
                self._handler.writable_again(skipped)

    def _discard(self) -> None:
        self._frames.clear()
        self._waiting_bytes, self._is_full = 0, False

    def _changed(self) -> None:
        """Know that there is a frame, or the end."""

    def _filled(self) -> None:
        """Know that nothing more is taken for now."""

    def _let_go(self, code: int, *, slow: bool = False) -> None:
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.closed(code, slow=slow)


class HeldConnections:
    """Every held connection of this instance, by its id."""

    def __init__(self, make_id: Callable[[], str]) -> None:
        self._make_id = make_id
        self._held: dict[str, Held] = {}

    def __len__(self) -> int:
        return len(self._held)

    def new_id(self) -> str:
        """Make an id that nobody can guess."""
        return self._make_id()

    def add(self, held: Held) -> None:
        """Remember a connection."""
        self._held[held.id] = held

    def forget(self, held: Held) -> None:
        """Forget it; harmless when it is forgotten."""
        self._held.pop(held.id, None)

    def find(self, connection_id: str, token: str) -> Held | None:
        """Return a connection to somebody with its token; None when there is none, or the token is another one."""
        held = self._held.get(connection_id)
        return held if held is not None and held.belongs_to(token) else None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
