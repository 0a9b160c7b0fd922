"""A toy to play the shell with: lines in, lines out; a line of question marks breaks the protocol."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from unified_agent.domain.ports import Clock
from unified_agent.errors import RemoteProtocolError
from unified_agent.observe import get_logger
from unified_agent.tools.simulators.shell.faulty_socket import FaultySocket
from unified_agent.tools.simulators.shell.server import SimulatorServer

UNSENT_LIMIT_BYTES = 100


class Lines:
    """The wire connection: each line is an event."""

    def __init__(self) -> None:
        self._events: deque[str] = deque()
        self._unread = b""
        self._out = b""

    def send(self, line: str) -> None:
        self._out += line.encode() + b"\n"

    def receive_data(self, data: bytes, now_s: float) -> None:
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            if line.startswith(b"?"):
                raise RemoteProtocolError("that is no line")
            self._events.append(line.decode())

    def receive_eof(self, now_s: float) -> None:
        raise AssertionError("a socket tells its owner, not the wire")

    def data_to_send(self) -> bytes:
        data, self._out = self._out, b""
        return data

    def next_event(self) -> str | None:
        return self._events.popleft() if self._events else None

    def next_timer(self) -> float | None:
        return None

    def handle_timer(self, now_s: float) -> None: ...


class LineSocket(FaultySocket[Lines]):
    logger = get_logger("simulators.toy")
    unsent_limit_bytes = UNSENT_LIMIT_BYTES

    def __init__(
        self,
        number: int,
        *,
        clock: Clock,
        on_open: Callable[[LineSocket], None],
        on_line: Callable[[LineSocket, str], None],
        on_over: Callable[[LineSocket], None],
    ) -> None:
        super().__init__(number, wire=Lines(), clock=clock, on_open=on_open, on_over=on_over)
        self._on_line = on_line

    def send(self, line: str) -> None:
        self._wire.send(line)

    def _take_events(self) -> None:
        while not self._over and (line := self._wire.next_event()) is not None:
            self._on_line(self, line)


@dataclass(frozen=True)
class Say:
    """Send a line; None: hang up."""

    connection: int
    line: str | None


class EchoServer(SimulatorServer[LineSocket, Say, tuple[int, ...]]):
    """Greets, echoes, hangs up on ``bye``, and rings every socket at ``rings_at_s``."""

    logger = get_logger("simulators.toy")

    def __init__(self, clock: Clock, rings_at_s: float | None = None) -> None:
        self.rings_at_s = rings_at_s
        self.lost: list[int] = []
        super().__init__(clock=clock)

    def tell(self, *effects: Say) -> None:
        self._deliver(effects)

    def _make_socket(self, number: int) -> LineSocket:
        return LineSocket(
            number, clock=self._clock, on_open=self._on_open, on_line=self._on_line, on_over=self._on_over
        )

    def _choose(self, only: tuple[int, ...]) -> Iterable[LineSocket]:
        return [self._sockets[number] for number in only]

    def _perform(self, client: LineSocket, effect: Say) -> None:
        if effect.line is None:
            client.close()
        else:
            client.send(effect.line)

    def _next_timer(self) -> float | None:
        return self.rings_at_s

    def _wake(self) -> None:
        self.rings_at_s = None
        self.tell(*(Say(client.number, "ring") for client in self.sockets()))

    def _welcome(self, client: LineSocket) -> None:
        self.tell(Say(client.number, "hello"))

    def _lose(self, client: LineSocket) -> None:
        self.lost.append(client.number)
        self.tell(Say(client.number, "too late"))

    def _on_line(self, client: LineSocket, line: str) -> None:
        self.tell(Say(client.number, line), *([Say(client.number, None)] if line == "bye" else []))


class Transport(asyncio.Transport):
    """Remembers what was done to it, and ends its protocol when closed."""

    def __init__(self, protocol: asyncio.Protocol, *, stubborn: bool = False) -> None:
        super().__init__()
        self.protocol = protocol
        self.stubborn = stubborn
        self.pieces: list[bytes] = []
        self.done: list[str] = []
        self.unsent_bytes = 0

    @property
    def text(self) -> str:
        return b"".join(self.pieces).decode()

    def write(self, data: Any) -> None:
        self.pieces.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return self.unsent_bytes

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("10.0.0.1", 5000) if name == "peername" else default

    def is_closing(self) -> bool:
        return bool({"close", "abort"} & set(self.done))

    def pause_reading(self) -> None:
        self.done.append("pause")

    def resume_reading(self) -> None:
        self.done.append("resume")

    def close(self) -> None:
        self.done.append("close")
        if not self.stubborn:
            self.protocol.connection_lost(None)

    def abort(self) -> None:
        self.done.append("abort")
        self.protocol.connection_lost(None)
