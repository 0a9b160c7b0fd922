"""The simulated AES on the network: sockets, TLS and the faults of life around the pure simulator.

Sockets come from listeners of its own (``start_listening``), from ``create_server`` on any loop (``new_socket`` makes
the protocol), or as a pair of streams (``serve_connection``). Clock and chance are given, so the same code runs on a
virtual clock.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TypeVar

from unified_agent.domain.ports import Clock, Timer
from unified_agent.observe import get_logger, log_event
from unified_agent.tools.simulators.aes.aes import HangUp
from unified_agent.tools.simulators.aes.client_socket import ClientSocket
from unified_agent.tools.simulators.aes.simulator import Simulator, SimulatorPlan
from unified_agent.tools.simulators.aes.truth import Json
from unified_agent.wire.csta.server_connection import RequestReceived

LOGGER = get_logger("simulators.aes")

#: Ports of a real AES.
PLAIN_PORT = 4721
TLS_PORT = 4722
#: How long clients get to take what is left when the simulator ends.
CLOSE_LIMIT_S = 2.0
_READ_BYTES = 65_536

ResultT = TypeVar("ResultT")


class AesServer:
    """Serves clients from one simulator.

    Args:
        plan: what is simulated.
        clock: Unix seconds and timers.
        chance: every random choice of the simulation comes from here.

    Attributes:
        simulator: the pure part; to be read. Change it by ``act``.
        accepting: whether new sockets are let in.
    """

    def __init__(self, plan: SimulatorPlan, *, clock: Clock, chance: random.Random) -> None:
        self.simulator = Simulator(plan, chance=chance, now_s=clock.now_s())
        self.accepting = True
        self._clock = clock
        self._sockets: dict[int, ClientSocket] = {}
        self._nobody = asyncio.Event()
        self._nobody.set()
        self._opened = 0
        self._silent = False
        self._delay_s = 0.0
        self._timer: Timer | None = None
        self._timer_at_s = 0.0
        self._listeners: list[asyncio.Server] = []
        self._listen_again: list[tuple[str, int, ssl.SSLContext | None]] = []
        self._plan_timer()

    # Sockets

    def new_socket(self) -> ClientSocket:
        """Return the protocol of a socket that is about to be there."""
        self._opened += 1
        return ClientSocket(
            self._opened,
            clock=self._clock,
            on_open=self._on_open,
            on_message=self._on_message,
            on_over=self._on_over,
        )

    async def serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client on a pair of streams until it or we close. The writer's transport is used directly."""
        client = self.new_socket()
        client.connection_made(writer.transport)
        try:
            with suppress(ConnectionError):
                while data := await reader.read(_READ_BYTES):
                    client.data_received(data)
        finally:
            client.connection_lost(None)
            writer.close()

    async def start_listening(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listen on a port of our own; 0 chooses one.

        Returns:
            The port.

        Raises:
            OSError: the port cannot be had.
        """
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(self.new_socket, host, port, ssl=tls)
        bound: int = listener.sockets[0].getsockname()[1]
        self._listeners.append(listener)
        self._listen_again.append((host, bound, tls))
        log_event(LOGGER, "listening", host=host, port=bound, tls=tls is not None)
        return bound

    async def set_accepting(self, *, accepting: bool) -> None:
        """Close the listeners, so that connecting is refused, or open them again on the same ports."""
        if accepting is self.accepting:
            return
        self.accepting = accepting
        if not accepting:
            self._close_listeners()
            return
        again, self._listen_again = self._listen_again, []
        for host, port, tls in again:
            await self.start_listening(host, port, tls)

    async def close(self) -> None:
        """Close listeners and sockets in order, and stop the clock. A client that does not close is cut off."""
        self._close_listeners()
        for client in list(self._sockets.values()):
            client.close()
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                await self._nobody.wait()
        except TimeoutError:
            self.cut(reset=True)
            await self._nobody.wait()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def sockets(self) -> list[ClientSocket]:
        """Return the sockets that are open, oldest first."""
        return list(self._sockets.values())

    # Faults

    def cut(self, *, reset: bool, connection: int | None = None) -> int:
        """End sockets, by reset or by an orderly close.

        Args:
            reset: at once and without a word, instead of after what was to be sent.
            connection: which; None for all.

        Returns:
            How many.
        """
        chosen = list(self._chosen(connection))
        for client in chosen:
            if reset:
                client.abort()
            else:
                client.close()
        return len(chosen)

    def garble(self, data: bytes, *, connection: int | None = None) -> int:
        """Write bytes of no message on sockets; None for all. Returns how many."""
        chosen = list(self._chosen(connection))
        for client in chosen:
            client.garble(data)
        return len(chosen)

    def set_silent(self, *, silent: bool, connection: int | None = None) -> int:
        """Go silent without closing, or speak again; for all sockets, also those to come, or for one.

        Returns:
            How many are concerned now.
        """
        if connection is None:
            self._silent = silent
        chosen = list(self._chosen(connection))
        for client in chosen:
            client.set_silent(silent=silent)
        return len(chosen)

    def set_delay(self, delay_s: float, *, connection: int | None = None) -> int:
        """Hold back everything that is sent by ``delay_s``; for all sockets, also those to come, or for one.

        Returns:
            How many are concerned now.
        """
        if connection is None:
            self._delay_s = delay_s
        chosen = list(self._chosen(connection))
        for client in chosen:
            client.set_delay(delay_s)
        return len(chosen)

    def act(self, action: Callable[[Simulator], ResultT]) -> ResultT:
        """Let something happen in the simulation, at the present time, and tell the clients what follows.

        Raises:
            Refused: whatever the action raises; what happened before is told all the same.
        """
        self.simulator.advance(self._clock.now_s())
        try:
            return action(self.simulator)
        finally:
            self._deliver()

    def truth(self) -> Json:
        """Describe everything as JSON values; see ``Simulator.truth``. Adds ``connections`` and ``faults``."""
        self.act(lambda _: None)
        return {
            **self.simulator.truth(),
            "connections": {
                str(client.number): {
                    "peer": client.peer,
                    "open_s": round(self._clock.now_s() - client.opened_s, 3),
                    "silent": client.is_silent,
                    "delay_s": client.delay_s,
                    "messages_in": client.messages_in,
                    "messages_out": client.messages_out,
                }
                for client in self._sockets.values()
            },
            "faults": {"accepting": self.accepting, "silent": self._silent, "delay_s": self._delay_s},
        }

    # Inside

    def _chosen(self, connection: int | None) -> Iterator[ClientSocket]:
        for client in list(self._sockets.values()):
            if connection is None or client.number == connection:
                yield client

    def _close_listeners(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()

    def _on_open(self, client: ClientSocket) -> None:
        if not self.accepting:
            client.abort()
            return
        self._sockets[client.number] = client
        self._nobody.clear()
        client.set_delay(self._delay_s)
        client.set_silent(silent=self._silent)
        log_event(LOGGER, "client_connected", connection=client.number, peer=client.peer)

    def _on_message(self, client: ClientSocket, event: RequestReceived) -> None:
        self.simulator.receive(client.number, event.invoke_id, event.message, self._clock.now_s())
        self._deliver()

    def _on_over(self, client: ClientSocket) -> None:
        if self._sockets.pop(client.number, None) is None:
            return
        now_s = self._clock.now_s()
        self.simulator.advance(now_s)
        self.simulator.aes.lose(client.number, now_s)
        self._deliver()
        log_event(LOGGER, "client_gone", connection=client.number)
        if not self._sockets:
            self._nobody.set()

    def _on_timer(self) -> None:
        self._timer = None
        self.simulator.advance(self._clock.now_s())
        self._deliver()

    def _deliver(self) -> None:
        """Do what the simulator wants done on sockets, and wake it when it next wants to be."""
        touched: dict[int, ClientSocket] = {}
        for item in self.simulator.take_outgoing():
            client = self._sockets.get(item.connection)
            if client is None:
                continue
            if isinstance(item, HangUp):
                client.close()
            else:
                client.send(item.invoke_id, item.message)
                touched[client.number] = client
        for client in touched.values():
            client.flush()
        self._plan_timer()

    def _plan_timer(self) -> None:
        at_s = self.simulator.next_timer()
        if at_s is None or (self._timer is not None and self._timer_at_s <= at_s):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at_s = at_s
        self._timer = self._clock.call_at(at_s, self._on_timer)
