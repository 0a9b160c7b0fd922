"""A network in memory, with the faults of a real one: delay, silence (one way or both), reset, refusal, back-pressure.

Bytes of one direction keep their order, as TCP's do. Silence holds bytes back, and they arrive when it ends unless the
connection was given up meanwhile: that is what retransmission does.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from unified_agent.errors import LinkNotReady
from unified_agent.network import Address

#: One way from host to host, seconds.
DELAY_S = (0.0002, 0.002)
WRITE_HIGH_BYTES = 65_536

Accept = Callable[[], asyncio.BaseProtocol]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class SimNetwork:
    """All hosts and the connections between them. ``random``: where delays come from."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._listeners: dict[tuple[str, int], Accept] = {}
        self._silent: set[tuple[str, str]] = set()
        self._refusing: set[str] = set()
        self._transports: list[SimTransport] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._next_port = 40_000

    # --- hosts

    def at(self, host: str) -> HostNetwork:
        """Return the dialling port of a host."""
        return HostNetwork(self, host)

    def listen(self, host: str, port: int, accept: Accept) -> None:
        """Take connections: ``accept`` gives the protocol of each."""
        self._listeners[host, port] = accept

    def stop_listening(self, host: str, port: int) -> None:
        """Take no more connections there."""
        self._listeners.pop((host, port), None)

    def free_port(self) -> int:
        """Give a port that nobody has."""
        self._next_port += 1
        return self._next_port

    def serve_streams(self, host: str, port: int, handler: Handler) -> None:
        """Take connections as ``asyncio.start_server`` does."""

        def accept() -> asyncio.BaseProtocol:
            loop = asyncio.get_running_loop()
            reader = asyncio.StreamReader(loop=loop)

            def connected(stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                task = loop.create_task(self._handled(handler, stream, writer))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

            return asyncio.StreamReaderProtocol(reader, connected, loop=loop)

        self.listen(host, port, accept)

    @staticmethod
    async def _handled(handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except ConnectionError:
            pass  # the other host is gone; a real server's handler ends in the same way
        finally:
            writer.close()

    # --- faults

    def silence(self, one: str, other: str, *, both_ways: bool = True) -> None:
        """Let nothing pass from one host to the other, without closing anything."""
        self._silent.add((one, other))
        if both_ways:
            self._silent.add((other, one))

    def heal(self) -> None:
        """End every silence and refusal; what was held back arrives."""
        self._silent.clear()
        self._refusing.clear()
        for transport in tuple(self._transports):
            transport.wire.carry()

    def cut(self, one: str, other: str) -> None:
        """Reset every connection between two hosts; new ones may be made at once."""
        for transport in tuple(self._transports):
            if {transport.host, transport.peer_host} == {one, other}:
                transport.fall(ConnectionResetError("connection reset"))

    def refuse(self, host: str) -> None:
        """Have a host refuse new connections."""
        self._refusing.add(host)

    # --- inside

    def is_silent(self, source: str, target: str) -> bool:
        """Whether nothing passes that way now."""
        return (source, target) in self._silent

    def delay_s(self) -> float:
        """Draw how long one way takes."""
        return self._random.uniform(*DELAY_S)

    def forget(self, transport: SimTransport) -> None:
        """A transport has ended and nothing that it wrote is under way; a reset held back by silence still is."""
        if transport in self._transports and not transport.wire.is_under_way:
            self._transports.remove(transport)

    async def dial(self, source: str, make: Callable[[], asyncio.Protocol], address: Address, limit_s: float) -> None:
        """See ``network.Network``; TLS is not simulated."""
        target = address.host
        if self.is_silent(source, target) or self.is_silent(target, source):
            await asyncio.sleep(limit_s)
            raise LinkNotReady(f"{address} did not answer within {limit_s:g} s")
        await asyncio.sleep(2 * self.delay_s())
        accept = self._listeners.get((target, address.port))
        if accept is None or target in self._refusing:
            raise LinkNotReady(f"{address} cannot be reached: connection refused")
        near, far = make(), accept()
        ours, theirs = SimTransport(self, source, target, near), SimTransport(self, target, source, far)
        ours.join(theirs)
        theirs.join(ours)
        self._transports += [ours, theirs]
        far.connection_made(theirs)
        near.connection_made(ours)


class HostNetwork:
    """The dialling port of one host."""

    def __init__(self, network: SimNetwork, host: str) -> None:
        self._network = network
        self._host = host

    async def dial(self, make: Callable[[], asyncio.Protocol], address: Address, limit_s: float) -> None:
        """See ``network.Network``."""
        await self._network.dial(self._host, make, address, limit_s)

    async def listen(self, make: Callable[[], asyncio.Protocol], host: str, port: int, tls: Any = None) -> HostListener:
        """See ``network.TwoWayNetwork``; a host has one address, its name. TLS is not simulated."""
        return HostListener(self._network, self._host, port or self._network.free_port(), make)


class HostListener:
    """A port that takes connections."""

    def __init__(self, network: SimNetwork, host: str, port: int, make: Callable[[], asyncio.Protocol]) -> None:
        self._network = network
        self._host = host
        self.port = port
        network.listen(host, port, make)

    def close(self) -> None:
        """See ``network.Listener``."""
        self._network.stop_listening(self._host, self.port)


class _Wire:
    """One direction: what was written and has not arrived. An item of None is the end of the stream."""

    def __init__(self, sender: SimTransport) -> None:
        self._sender = sender
        self._queue: deque[bytes | Exception | None] = deque()
        self._arrival_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.unsent_bytes = 0

    def put(self, item: bytes | Exception | None) -> None:
        self._queue.append(item)
        if isinstance(item, bytes):
            self.unsent_bytes += len(item)
        self.carry()

    def drop(self) -> None:
        self._queue.clear()
        self.unsent_bytes = 0

    def carry(self) -> None:
        sender = self._sender
        if self._timer is not None or not self._queue or sender.network.is_silent(sender.host, sender.peer_host):
            return
        loop = asyncio.get_running_loop()
        self._arrival_s = max(self._arrival_s, loop.time() + sender.network.delay_s())
        self._timer = loop.call_at(self._arrival_s, self._arrive, len(self._queue))

    def _arrive(self, count: int) -> None:
        self._timer = None
        sender = self._sender
        if sender.network.is_silent(sender.host, sender.peer_host):
            return
        peer = sender.peer
        for _ in range(min(count, len(self._queue))):
            if peer.reading_paused:
                break
            item = self._queue.popleft()
            if isinstance(item, bytes):
                self.unsent_bytes -= len(item)
                peer.take(item)
            elif item is None:
                peer.take_end()
            else:
                peer.fall(item)
        sender.wrote()
        self.carry()

    @property
    def is_under_way(self) -> bool:
        return bool(self._queue)


class SimTransport(asyncio.Transport):
    """One end of a connection."""

    def __init__(self, network: SimNetwork, host: str, peer_host: str, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self.network = network
        self.host = host
        self.peer_host = peer_host
        self.wire = _Wire(self)
        self.reading_paused = False
        self._protocol = protocol
        self._high = WRITE_HIGH_BYTES
        self._low = WRITE_HIGH_BYTES // 4
        self._writing_paused = False
        self._closing = False
        self._over = False
        self.peer: SimTransport = self

    def join(self, peer: SimTransport) -> None:
        """Know the other end."""
        self.peer = peer

    # --- asyncio's side

    def write(self, data: Any) -> None:
        """See ``asyncio.WriteTransport``."""
        if self._closing or self._over or not data:
            return
        self.wire.put(bytes(data))
        if self.wire.unsent_bytes > self._high and not self._writing_paused:
            self._writing_paused = True
            self._protocol.pause_writing()

    def can_write_eof(self) -> bool:
        """Half-closing is simulated as closing."""
        return False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """See ``asyncio.WriteTransport``."""
        self._high = WRITE_HIGH_BYTES if high is None else high
        self._low = self._high // 4 if low is None else low

    def get_write_buffer_size(self) -> int:
        """See ``asyncio.WriteTransport``."""
        return self.wire.unsent_bytes

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Only the peer's name is known."""
        return (self.peer_host, 0) if name == "peername" else default

    def is_closing(self) -> bool:
        """See ``asyncio.BaseTransport``."""
        return self._closing or self._over

    def pause_reading(self) -> None:
        """See ``asyncio.ReadTransport``."""
        self.reading_paused = True

    def resume_reading(self) -> None:
        """See ``asyncio.ReadTransport``."""
        self.reading_paused = False
        self.peer.wire.carry()

    def close(self) -> None:
        """Write what is left, then close."""
        if self._closing or self._over:
            return
        self._closing = True
        self.wire.put(None)
        asyncio.get_running_loop().call_soon(self._end, None)

    def abort(self) -> None:
        """Reset the connection."""
        if self._over:
            return
        self._closing = True
        self.wire.drop()
        self.wire.put(ConnectionResetError("connection reset by peer"))
        asyncio.get_running_loop().call_soon(self._end, None)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """See ``asyncio.BaseTransport``."""
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """See ``asyncio.BaseTransport``."""
        self._protocol = protocol

    # --- the network's side

    def take(self, data: bytes) -> None:
        """Bytes arrive."""
        if not self._over and not self._closing:
            self._protocol.data_received(data)  # type: ignore[attr-defined]

    def take_end(self) -> None:
        """The other end closed."""
        if self._over or self._closing:
            return
        keep = self._protocol.eof_received()  # type: ignore[attr-defined]
        if not keep:
            self.close()

    def wrote(self) -> None:
        """Some of what was unsent has arrived."""
        if self._over:
            self.network.forget(self)
        if self._writing_paused and self.wire.unsent_bytes <= self._low:
            self._writing_paused = False
            if not self._over:
                self._protocol.resume_writing()

    def fall(self, error: Exception) -> None:
        """The connection breaks under us."""
        self._closing = True
        asyncio.get_running_loop().call_soon(self._end, error)

    def _end(self, error: Exception | None) -> None:
        if self._over:
            return
        self._over = True
        self.network.forget(self)
        self._protocol.connection_lost(error)
