"""The connections of the simulated network: two ends, and a wire each way.

Each end runs in the context of its host. So bytes that arrive at a paused host wait, as in its kernel's buffer; the
kernel of a killed one closes or resets what it had open.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any, cast

from tests.simulation.hosts import NOWHERE
from tests.simulation.reach import Reach
from tests.simulation.virtual_loop import VirtualLoop

WRITE_HIGH_BYTES = 65_536
#: A kernel finds out after so many seconds that the machine at the other end is gone, although nobody says anything:
#: 20 s idle, then three questions 5 s apart, as ``network`` sets it. Assumed of AES and diallers too.
KEEPALIVE_S = 35.0


def virtual_loop() -> VirtualLoop:
    """Return the running loop, which is a virtual one."""
    return cast("VirtualLoop", asyncio.get_running_loop())


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

    def turn(self) -> None:
        """Carry what is under way to another context: the process at the other end is no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.carry()

    def carry(self) -> None:
        sender = self._sender
        if self._timer is not None or not self._queue or sender.is_silent:
            return
        loop = virtual_loop()
        self._arrival_s = max(self._arrival_s, loop.now_s + sender.reach.delay_s(sender.host, sender.peer_host))
        count, context = len(self._queue), sender.peer.context
        self._timer = loop.call_at_world(self._arrival_s, self._arrive, count, context=context)

    def _arrive(self, count: int) -> None:
        self._timer = None
        sender = self._sender
        if sender.is_silent:
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
    """One end of a connection.

    Args:
        reach: which way is open.
        host: where this end is.
        peer_host: where the other is.
        context: in which its protocol is called.
        forget: told when it has ended and nothing that it wrote is under way.
    """

    def __init__(
        self, reach: Reach, host: str, peer_host: str, context: Context, forget: Callable[[SimTransport], None]
    ) -> None:
        super().__init__()
        self.reach = reach
        self.host = host
        self.peer_host = peer_host
        self.context = context
        self.wire = _Wire(self)
        self.reading_paused = False
        self._forget = forget
        self._protocol = asyncio.BaseProtocol()
        self._high = WRITE_HIGH_BYTES
        self._low = WRITE_HIGH_BYTES // 4
        self._writing_paused = False
        self._closing = False
        self._over = False
        self._gone = False
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
        self._end_soon(None)

    def abort(self) -> None:
        """Reset the connection."""
        if self._over:
            return
        self._closing = True
        self.wire.drop()
        self.wire.put(ConnectionResetError("connection reset by peer"))
        self._end_soon(None)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """See ``asyncio.BaseTransport``."""
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """See ``asyncio.BaseTransport``."""
        self._protocol = protocol

    # --- the network's side

    @property
    def is_silent(self) -> bool:
        """Whether nothing that is written here arrives now."""
        return self.reach.is_silent(self.host, self.peer_host)

    def begin(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand the connection over."""
        self._protocol = protocol
        if not self._over:
            protocol.connection_made(self)

    def take(self, data: bytes) -> None:
        """Bytes arrive; a kernel that knows nothing of the connection answers with a reset."""
        if self._gone:
            self.peer.fall(ConnectionResetError("connection reset by peer"))
        elif not self._over and not self._closing:
            self._protocol.data_received(data)  # type: ignore[attr-defined]

    def take_end(self) -> None:
        """The other end closed."""
        if self._over or self._closing:
            return
        keep = self._protocol.eof_received()  # type: ignore[attr-defined]
        if not keep:
            self.close()

    def wrote(self) -> None:
        """Some of what was unsent has arrived; called on the other end's host."""
        if self._over:
            self._forget(self)
        if self._writing_paused and self.wire.unsent_bytes <= self._low:
            self._writing_paused = False
            virtual_loop().call_soon(self._write_on, context=self.context)

    def _write_on(self) -> None:
        if not self._over and not self._writing_paused:
            self._protocol.resume_writing()

    def fall(self, error: Exception) -> None:
        """The connection breaks under us."""
        self._closing = True
        self._end_soon(error)

    def die(self, *, reset: bool) -> None:
        """Our process was killed; its kernel closes the connection, or resets it if something was left unread."""
        if self._over:
            return
        if reset:
            self.wire.drop()
        if reset or not self._closing:
            self.wire.put(ConnectionResetError("connection reset by peer") if reset else None)
        self._be_gone()

    def vanish(self) -> None:
        """Our machine is gone: nothing comes from it any more, nobody takes what is sent."""
        self._be_gone()
        loop, peer = virtual_loop(), self.peer
        loop.call_at_world(loop.now_s + KEEPALIVE_S, peer.fall, TimeoutError("no answer to keepalive"))

    def _be_gone(self) -> None:
        self._closing = self._over = self._gone = True
        self.context = NOWHERE
        self.peer.wire.turn()
        self._forget(self)

    def _end_soon(self, error: Exception | None) -> None:
        virtual_loop().call_soon(self._end, error, context=self.context)

    def _end(self, error: Exception | None) -> None:
        if self._over:
            return
        self._over = True
        self._forget(self)
        self._protocol.connection_lost(error)
