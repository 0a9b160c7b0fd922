"""One client's socket at the simulated AES: requests in, answers and events out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unified_agent.domain.ports import Clock
from unified_agent.observe import get_logger
from unified_agent.tools.simulators.shell.faulty_socket import FaultySocket
from unified_agent.wire.csta.server_connection import RequestReceived, ServerConnection
from unified_agent.wire.csta.shapes import Message

#: Unsent bytes at which a client that takes nothing is cut off. Above any burst: 1,000 monitors take 1.5 MB of events.
UNSENT_LIMIT_BYTES = 32 * 1024 * 1024


class ClientSocket(FaultySocket[ServerConnection]):
    """One socket.

    Args:
        number: names it towards the AES.
        clock: where time comes from.
        on_open, on_message, on_over: told of the socket's life; ``on_over`` comes once, after everything else.
    """

    logger = get_logger("simulators.aes")
    unsent_limit_bytes = UNSENT_LIMIT_BYTES

    def __init__(
        self,
        number: int,
        *,
        clock: Clock,
        on_open: Callable[[ClientSocket], None],
        on_message: Callable[[ClientSocket, RequestReceived], None],
        on_over: Callable[[ClientSocket], None],
    ) -> None:
        super().__init__(number, wire=ServerConnection(), clock=clock, on_open=on_open, on_over=on_over)
        self.messages_in = 0
        self.messages_out = 0
        self._on_message = on_message

    def describe(self) -> dict[str, Any]:
        """Return what is true of the socket now; adds ``messages_in`` and ``messages_out``."""
        return {**super().describe(), "messages_in": self.messages_in, "messages_out": self.messages_out}

    def send(self, invoke_id: int | None, message: Message) -> None:
        """Send an answer, or an event when there is no invoke id; ``flush`` writes it."""
        self.messages_out += 1
        if invoke_id is None:
            self._wire.send_event(message)
        else:
            self._wire.send_answer(invoke_id, message)

    def close(self) -> None:
        """Write what is left at once and close in order. A silent socket closes without a word."""
        if self._silent:
            self.abort()
            return
        self.flush()
        while self._held:
            self._write(self._held.popleft()[1])
        super().close()

    def _take_events(self) -> None:
        while not self._over and isinstance(event := self._wire.next_event(), RequestReceived):
            self.messages_in += 1
            self._on_message(self, event)
