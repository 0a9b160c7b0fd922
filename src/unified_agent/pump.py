"""Runs any wire connection over any transport: bytes in, events out, timers, bytes written after every step.

One object per connection and no task. The wire connection decides; the pump only carries.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Generic, TypeVar, cast

from unified_agent.domain.ports import Clock, Timer
from unified_agent.errors import RemoteProtocolError
from unified_agent.wire.doors import Connection

EventT = TypeVar("EventT")

#: A peer that took nothing for this long, while we had something for it, is lost.
STALL_LIMIT_S: Final = 10.0
#: Unsent bytes at which a peer is lost at once: far above any burst (1,000 log-ins of 550 bytes), far below what
#: hurts an instance.
UNSENT_LIMIT_BYTES: Final = 4 * 1024 * 1024
#: A wire connection that, woken at its time, still finds nothing due is woken again after this long. Sums and
#: differences of times round differently, and on a clock that stands still it would be woken for ever.
SHORTEST_SLEEP_S: Final = 0.001


class Pump(asyncio.Protocol, Generic[EventT]):
    """One wire connection on its transport.

    Give it to ``Network.dial``. Events come by ``on_event`` in the order they arose. When the transport is gone
    without ``close`` having been called ``on_lost`` comes, once, and nothing after it; reasons are ``closed``,
    ``protocol`` (the peer broke the protocol) and ``stalled`` (it takes no more bytes). A wire connection that
    reports its end as an event leaves it to the owner to call ``close``.

    Args:
        connection: the wire connection; the owner calls its ``send_…`` methods and then ``poke``.
        clock: where time comes from.
        on_event: takes each event. It may call ``send_…``, ``poke`` and ``close``.
        on_lost: takes the reason and words for people.
        stall_limit_s: see ``STALL_LIMIT_S``.
        unsent_limit_bytes: see ``UNSENT_LIMIT_BYTES``.
    """

    def __init__(
        self,
        connection: Connection[EventT],
        *,
        clock: Clock,
        on_event: Callable[[EventT], None],
        on_lost: Callable[[str, str], None],
        stall_limit_s: float = STALL_LIMIT_S,
        unsent_limit_bytes: int = UNSENT_LIMIT_BYTES,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._on_event = on_event
        self._on_lost = on_lost
        self._stall_limit_s = stall_limit_s
        self._unsent_limit_bytes = unsent_limit_bytes
        self._transport: asyncio.Transport | None = None
        self._over = False
        self._ended = False
        self._stepping = False
        self._poked: Timer | None = None
        self._timer: Timer | None = None
        self._timer_at_s = 0.0
        self._woken_s = float("-inf")
        self._stall: Timer | None = None

    @property
    def is_open(self) -> bool:
        """Whether bytes can go out: connected, and neither lost nor closed."""
        return self._transport is not None and not self._over

    def poke(self) -> None:
        """Have what the owner asked the wire connection to send written, in this turn of the loop.

        Several pokes in one turn make one write. Harmless when there is nothing, or nobody to send it to.
        """
        if self._poked is None and not self._stepping and self.is_open:
            self._poked = self._clock.call_at(self._clock.now_s(), self._on_poke)

    def close(self) -> None:
        """Write what is left and close. Nothing is reported afterwards. Harmless when repeated."""
        if self._over:
            return
        if self._transport is not None:
            self._write()
        if not self._over:  # writing may have found that the peer takes nothing
            self._end()
            if self._transport is not None:
                self._transport.close()

    def abort(self) -> None:
        """Close without writing what is left and without waiting for the peer. Nothing is reported afterwards."""
        if not self._over:
            self._end()
            if self._transport is not None:
                self._transport.abort()

    # --- called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport, and write what the wire connection says first."""
        self._transport = cast("asyncio.Transport", transport)
        if self._over:
            self._transport.abort()
            return
        self._after_step()

    def data_received(self, data: bytes) -> None:
        """Take bytes from the peer."""
        self._step(lambda now_s: self._connection.receive_data(data, now_s))

    def eof_received(self) -> bool:
        """Take the news that the peer will send no more, and let the transport close."""
        self._end_input()
        return False

    def pause_writing(self) -> None:
        """Start the time within which the peer must take what it was sent."""
        if self._stall is None and not self._over:
            self._stall = self._clock.call_at(self._clock.now_s() + self._stall_limit_s, self._on_stalled)

    def resume_writing(self) -> None:
        """The peer takes bytes again."""
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone."""
        if self._over:
            return
        self._end_input()
        self._lose("closed", str(exc) if exc else "the peer closed the connection")

    # --- steps

    def _end_input(self) -> None:
        """Tell the wire connection, once, that nothing follows; a transport may say so twice."""
        if not self._ended:
            self._ended = True
            self._step(self._connection.receive_eof)

    def _step(self, act: Callable[[float], None]) -> None:
        """Do one thing to the wire connection, then events, bytes, timer."""
        if self._over:
            return
        try:
            act(self._clock.now_s())
        except RemoteProtocolError as error:
            self._take_events()
            self._lose("protocol", str(error))
            return
        self._after_step()

    def _after_step(self) -> None:
        self._take_events()
        if not self._over:
            self._write()
        if not self._over:
            self._plan_timer()

    def _take_events(self) -> None:
        self._stepping = True
        try:
            while not self._over and (event := self._connection.next_event()) is not None:
                self._on_event(event)
        finally:
            self._stepping = False

    def _write(self) -> None:
        data = self._connection.data_to_send()
        if not data or self._transport is None:
            return
        self._transport.write(data)
        unsent = self._transport.get_write_buffer_size()
        if unsent > self._unsent_limit_bytes:
            self._lose("stalled", f"{unsent} bytes wait for a peer that takes none")

    def _plan_timer(self) -> None:
        """Wake no later than the wire connection wants.

        Silence timers move later with every byte. Waking at the old time and looking again costs one call per
        limit; moving the timer each time would cost two operations on the loop's heap per packet.
        """
        at_s = self._connection.next_timer()
        if at_s is None:
            return
        if at_s <= self._woken_s:
            at_s = self._woken_s + SHORTEST_SLEEP_S
        if self._timer is not None and self._timer_at_s <= at_s:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at_s = at_s
        self._timer = self._clock.call_at(at_s, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._woken_s = self._clock.now_s()
        self._step(self._connection.handle_timer)

    def _on_poke(self) -> None:
        self._poked = None
        if not self._over:
            self._after_step()

    def _on_stalled(self) -> None:
        self._stall = None
        self._lose("stalled", f"the peer took nothing for {self._stall_limit_s:g} s")

    # --- the end

    def _lose(self, reason: str, detail: str) -> None:
        if self._over:
            return
        self._end()
        if self._transport is not None:
            self._transport.abort()
        self._on_lost(reason, detail)

    def _end(self) -> None:
        self._over = True
        for timer in (self._poked, self._timer, self._stall):
            if timer is not None:
                timer.cancel()
        self._poked = self._timer = self._stall = None
