"""Asks one dialler, without an agent, whether it answers: connect, wait for the greeting, close.

That tests process start, TLS and free slots. Assumed: a dialler bears such connections; whether it counts or logs
them nobody could check, so they are at least 15 s apart by default while it is up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from unified_agent.domain.ports import Clock, Timer
from unified_agent.errors import LinkNotReady, LinkRefused
from unified_agent.network import Address, Network
from unified_agent.pump import Pump
from unified_agent.wire.apc.connection import AgentConnection, AgentConnectionSettings
from unified_agent.wire.apc.events import Event, Greeted, GreetingRefused, SessionLost

#: A probe asked for because a session was lost comes no sooner after the last one than this.
HURRY_GAP_S: Final = 1.0


class Prober:
    """Probes one dialler again and again, one probe at a time.

    Args:
        address: the dialler.
        wire: limits, the greeting's among them.
        connect_limit_s: for connecting.
        network, clock: how to get there, and when.
        on_greeted: it answers.
        on_full: it answers, and has no slot: takes its code.
        on_failed: it does not answer: takes a word and a sentence.
        wait_s: says how long to wait until the next probe.
    """

    def __init__(
        self,
        address: Address,
        wire: AgentConnectionSettings,
        connect_limit_s: float,
        *,
        network: Network,
        clock: Clock,
        on_greeted: Callable[[], None],
        on_full: Callable[[str], None],
        on_failed: Callable[[str, str], None],
        wait_s: Callable[[], float],
    ) -> None:
        self._address = address
        self._wire = wire
        self._limit_s = connect_limit_s
        self._network = network
        self._clock = clock
        self._on_greeted = on_greeted
        self._on_full = on_full
        self._on_failed = on_failed
        self._wait_s = wait_s
        self._timer: Timer | None = None
        self._timer_at_s = 0.0
        self._began_s = clock.now_s()
        self._pump: Pump[Event] | None = None
        self._dialling: asyncio.Task[None] | None = None
        self._stopped = False

    def start(self) -> None:
        """Begin with the first probe, also after a stop. Must be called in the running loop."""
        self._stopped = False
        self._plan(0.0)

    def hurry(self) -> None:
        """Probe soon: something happened that makes one wonder."""
        if self._timer is not None:
            self._plan(max(0.0, self._began_s + HURRY_GAP_S - self._clock.now_s()))

    async def stop(self) -> None:
        """Stop, with a probe under way."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pump is not None:
            self._pump.abort()
        if self._dialling is not None:
            self._dialling.cancel()
            await asyncio.wait({self._dialling})

    def _plan(self, wait_s: float) -> None:
        at_s = self._clock.now_s() + wait_s
        if self._stopped or (self._timer is not None and self._timer_at_s <= at_s):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at_s = at_s
        self._timer = self._clock.call_at(at_s, self._probe)

    def _probe(self) -> None:
        self._timer = None
        self._began_s = self._clock.now_s()
        self._dialling = asyncio.get_running_loop().create_task(self._dial(), name=f"probe {self._address}")

    async def _dial(self) -> None:
        try:
            await self._network.dial(self._make, self._address, self._limit_s)
        except (LinkNotReady, LinkRefused) as error:
            words = str(error)
            self._end(lambda: self._on_failed("not-reached", words))

    def _make(self) -> asyncio.Protocol:
        connection = AgentConnection(self._wire, self._clock.now_s())
        self._pump = Pump(
            connection,
            clock=self._clock,
            on_event=self._on_event,
            on_lost=lambda reason, detail: self._end(lambda: self._on_failed(reason, detail)),
        )
        return self._pump

    def _on_event(self, event: Event) -> None:
        match event:
            case Greeted():
                self._end(self._on_greeted)
            case GreetingRefused():
                self._end(lambda: self._on_full(event.code))
            case SessionLost():
                self._end(lambda: self._on_failed(event.reason.value, event.detail))
            case _:
                pass

    def _end(self, tell: Callable[[], None]) -> None:
        """One probe has ended. What is told first decides how long to wait."""
        if self._pump is not None:
            self._pump.close()
            self._pump = None
        if not self._stopped:
            tell()
            self._plan(self._wait_s())
