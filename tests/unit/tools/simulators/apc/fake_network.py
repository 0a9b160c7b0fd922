"""A clock that is moved by hand, and sockets that keep what was written."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Callable
from typing import Any

from tests.unit.tools.simulators.apc.bench import plan

from unified_agent.domain.ports import Timer
from unified_agent.tools.simulators.apc.client_socket import ClientSocket
from unified_agent.tools.simulators.apc.server import DiallerServer
from unified_agent.wire.apc.codec import MessageDecoder, encode_message
from unified_agent.wire.apc.messages import Message, MessageType

NOON_S = 1_795_435_200.0  # 2026-11-23 12:00 UTC


class _Timer:
    def __init__(self, at_s: float, callback: Callable[[], None]) -> None:
        self.at_s, self.callback, self.cancelled = at_s, callback, False

    def cancel(self) -> None:
        self.cancelled = True


class FakeClock:
    """Stands still until told."""

    def __init__(self) -> None:
        self.time_s = NOON_S
        self._due: list[tuple[float, int, _Timer]] = []
        self._asked = 0

    def now_s(self) -> float:
        return self.time_s

    def call_at(self, at_s: float, callback: Callable[[], None]) -> Timer:
        timer = _Timer(at_s, callback)
        self._asked += 1
        heapq.heappush(self._due, (at_s, self._asked, timer))
        return timer

    def wait(self, seconds: float) -> None:
        until_s = self.time_s + seconds
        while self._due and self._due[0][0] <= until_s:
            at_s, _, timer = heapq.heappop(self._due)
            self.time_s = max(self.time_s, at_s)
            if not timer.cancelled:
                timer.callback()
        self.time_s = until_s


class FakeTransport(asyncio.Transport):
    """Keeps what was written, in pieces; ends its protocol when closed."""

    def __init__(self, protocol: ClientSocket) -> None:
        super().__init__()
        self.protocol = protocol
        self.pieces: list[bytes] = []
        self.closed = self.aborted = self.paused = False
        self.unsent_bytes = 0

    def write(self, data: Any) -> None:
        self.pieces.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return self.unsent_bytes

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.protocol.connection_lost(None)

    def abort(self) -> None:
        self.aborted = True
        self.close()


class Net:
    """A server with its clock and clients."""

    def __init__(self, **changes: Any) -> None:
        self.clock = FakeClock()
        self.server = DiallerServer(plan(**changes), clock=self.clock, chance=random.Random(1))

    def connect(self) -> NetClient:
        return NetClient(self)


class NetClient:
    """One client, seen from its wire."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.socket = net.server.new_socket()
        self.transport = FakeTransport(self.socket)
        self._decoder = MessageDecoder(from_server=True)
        self._asked = 0
        self.socket.connection_made(self.transport)

    def say(self, command: str, *segments: str, wait_s: float = 0.01) -> list[str]:
        self._asked += 1
        message = Message(
            keyword=f"AGT{command}", type=MessageType.COMMAND, segments=segments, invoke_id=str(self._asked)
        )
        self.socket.data_received(encode_message(message))
        self.net.clock.wait(wait_s)
        return self.lines()

    def lines(self) -> list[str]:
        """What came since, as short lines."""
        self._decoder.feed(b"".join(self.transport.pieces))
        self.transport.pieces.clear()
        found = []
        while (message := self._decoder.next_message()) is not None:
            found.append(" ".join([message.type.value, message.keyword.removeprefix("AGT"), *message.segments]))
        return found

    def log_on(self, name: str) -> NetClient:
        assert self.say("Logon", name, "pw")[-1] == "R Logon 0 M00000"
        return self
