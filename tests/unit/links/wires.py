"""A network without sockets: two protocols joined by transports whose bytes travel on a clock set by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.unit.links.fakes import ManualClock

from unified_agent.errors import LinkNotReady
from unified_agent.network import Address


class WireEnd(asyncio.Transport):
    """One end. Bytes and the end arrive at the other one ``delay_s`` later, in order."""

    def __init__(self, clock: ManualClock, delay_s: float) -> None:
        super().__init__()
        self._clock = clock
        self._delay_s = delay_s
        self.protocol: asyncio.Protocol | None = None
        self.peer: WireEnd | None = None
        self._closing = False
        self.gone = False
        self.cut_off = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._closing and not self.cut_off:
            peer, sent = self.peer, bytes(data)
            assert peer is not None
            self._later(lambda: peer.arrive(sent))

    def arrive(self, data: bytes) -> None:
        if not self.gone and self.protocol is not None:
            self.protocol.data_received(data)

    def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        self._later(self.lose)
        if self.peer is not None and not self.cut_off:
            self._later(self.peer.lose)

    def abort(self) -> None:
        self.close()

    def lose(self) -> None:
        """The end has come to this side."""
        if self.gone:
            return
        self.gone = self._closing = True
        if self.protocol is not None:
            self.protocol.connection_lost(None)

    def is_closing(self) -> bool:
        return self._closing

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str, default: object = None) -> object:
        return default

    def _later(self, call: Callable[[], None]) -> None:
        self._clock.call_at(self._clock.now_s() + self._delay_s, call)


class WireNetwork:
    """Implements ``Network``. Who listens is given by port; an unknown one refuses."""

    def __init__(self, clock: ManualClock, delay_s: float = 0.001) -> None:
        self._clock = clock
        self._delay_s = delay_s
        self.listeners: dict[int, Callable[[], asyncio.Protocol]] = {}
        self.failures: list[Exception] = []
        self.dialled: list[Address] = []
        self.ends: list[WireEnd] = []

    async def dial(self, make: Callable[[], asyncio.Protocol], address: Address, limit_s: float) -> None:
        self.dialled.append(address)
        if self.failures:
            raise self.failures.pop(0)
        if address.port not in self.listeners:
            raise LinkNotReady(f"{address} cannot be reached: nobody listens")
        ours, theirs = WireEnd(self._clock, self._delay_s), WireEnd(self._clock, self._delay_s)
        ours.peer, theirs.peer = theirs, ours
        ours.protocol, theirs.protocol = make(), self.listeners[address.port]()
        theirs.protocol.connection_made(theirs)
        ours.protocol.connection_made(ours)
        self.ends.append(ours)
