"""One client's socket at the simulated dialler: commands in, answers and announcements out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from unified_agent.domain.ports import Clock
from unified_agent.observe import get_logger
from unified_agent.tools.simulators.shell.faulty_socket import FaultySocket
from unified_agent.wire.apc import server_connection as frames
from unified_agent.wire.apc.codec import CodePage
from unified_agent.wire.apc.messages import Message, NoticeName

#: Unsent bytes at which a client that takes nothing is cut off.
UNSENT_LIMIT_BYTES: Final = 4 * 1024 * 1024

_BADLY_FORMED: Final = "E70001"


class ClientSocket(FaultySocket[frames.ServerConnection]):
    """One socket.

    Args:
        number: names it towards the dialler.
        clock: where time comes from.
        code_page: of customers' data.
        on_open, on_command, on_over: told of the socket's life; ``on_over`` comes once, after everything else.
    """

    logger = get_logger("simulators.apc")
    unsent_limit_bytes = UNSENT_LIMIT_BYTES

    def __init__(
        self,
        number: int,
        *,
        clock: Clock,
        code_page: CodePage,
        on_open: Callable[[ClientSocket], None],
        on_command: Callable[[ClientSocket, Message], None],
        on_over: Callable[[ClientSocket], None],
    ) -> None:
        wire = frames.ServerConnection(process_id="0", code_page=code_page)
        super().__init__(number, wire=wire, clock=clock, on_open=on_open, on_over=on_over)
        self._on_command = on_command

    def send(self, process: int, message: Message) -> None:
        """Send a message of the agent's process; ``flush`` writes it."""
        self._wire.process_id = str(process)
        self._wire.send(message)

    def set_part_size(self, part_size_bytes: int) -> None:
        """Continue longer messages in further frames; 0: never."""
        self._wire.part_size_bytes = part_size_bytes or None

    def _take_events(self) -> None:
        while not self._over and isinstance(event := self._wire.next_event(), frames.CommandReceived):
            self._on_command(self, event.message)

    def _end_broken(self) -> None:
        """Answer what is no command as badly formed, and close.

        Assumed: a real dialler sends E70001 as a system error; the guide names the code, not its bearer.
        """
        self._wire.send(frames.notice(NoticeName.SYSTEM_ERROR, "1", _BADLY_FORMED))
        self.close()
