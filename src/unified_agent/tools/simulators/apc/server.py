"""The simulated dialler on the network: sockets, TLS and the faults of life around the pure model.

Sockets come from listeners of its own (``start_listening``), from ``create_server`` on any loop (``new_socket`` makes
the protocol), or as a pair of streams (``serve_connection``). Clock and chance are given, so the same code runs on a
virtual clock.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from unified_agent.domain.ports import Clock, Timer
from unified_agent.observe import get_logger, log_event
from unified_agent.tools.simulators.apc import happenings, truth
from unified_agent.tools.simulators.apc.client_socket import ClientSocket
from unified_agent.tools.simulators.apc.dialler import Dialler
from unified_agent.tools.simulators.apc.floor import Close, Effect, Floor
from unified_agent.tools.simulators.apc.plan import DiallerPlan
from unified_agent.wire.apc import codes
from unified_agent.wire.apc.codec import CodePage
from unified_agent.wire.apc.messages import Message

LOGGER = get_logger("simulators.apc")

#: The port of a real dialler, plain or TLS.
DIALLER_PORT: Final = 22700
_READ_BYTES: Final = 65_536
#: Connections that may wait to be accepted. The default of 100 is too few for a re-login of 1,000 agents at once.
_BACKLOG: Final = 4096

ResultT = TypeVar("ResultT")


class DiallerServer:
    """Serves clients from one dialler.

    Args:
        plan: what is simulated.
        clock: Unix seconds and timers.
        chance: every random choice of the simulation comes from here.

    Attributes:
        dialler: the pure model; to be read. Change it by ``act``.
        accepting: whether new sockets are let in.
    """

    def __init__(self, plan: DiallerPlan, *, clock: Clock, chance: random.Random) -> None:
        self.dialler = Dialler(plan, chance, lambda now_s: datetime.fromtimestamp(now_s, UTC), clock.now_s())
        self.accepting = True
        self._clock = clock
        self._code_page = CodePage(plan.code_page)
        self._part_size_bytes = plan.part_size_bytes
        self._sockets: dict[int, ClientSocket] = {}
        self._opened = 0
        self._silent = False
        self._delay: tuple[float, int, float] = (0.0, 0, 0.0)
        self._timer: Timer | None = None
        self._timer_at_s = 0.0
        self._restart: Timer | None = None
        self._listeners: list[asyncio.Server] = []
        self._listen_again: list[tuple[str, int, ssl.SSLContext | None]] = []
        self._starting: set[asyncio.Task[None]] = set()
        self._plan_timer()

    # Sockets

    def new_socket(self) -> ClientSocket:
        """Return the protocol of a socket that is about to be there."""
        self._opened += 1
        return ClientSocket(
            self._opened,
            clock=self._clock,
            code_page=self._code_page,
            on_open=self._on_open,
            on_command=self._on_command,
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
        listener = await loop.create_server(self.new_socket, host, port, ssl=tls, backlog=_BACKLOG)
        bound: int = listener.sockets[0].getsockname()[1]
        self._listeners.append(listener)
        self._listen_again.append((host, bound, tls))
        log_event(LOGGER, "listening", host=host, port=bound, tls=tls is not None)
        return bound

    async def set_accepting(self, *, accepting: bool) -> None:
        """Close the listeners, so that connecting is refused, or open them again on the same ports."""
        self._cancel_restart()
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
        """Close listeners and sockets in order, and stop the clock."""
        self._cancel_restart()
        self._close_listeners()
        for client in list(self._sockets.values()):
            client.set_silent(silent=False)
            client.set_delay(0.0)
            client.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def sockets(self) -> list[ClientSocket]:
        """Return the sockets that are open, oldest first."""
        return list(self._sockets.values())

    # Faults

    def cut(self, *, reset: bool, agents: Collection[str] = ()) -> int:
        """End sockets, by reset or by an orderly close, of these agents or of all. Returns how many."""
        chosen = list(self._chosen(agents))
        for client in chosen:
            if reset:
                client.abort()
            else:
                client.close()
        return len(chosen)

    def garble(self, data: bytes, *, agents: Collection[str] = ()) -> int:
        """Write bytes of no message on sockets of these agents or of all. Returns how many."""
        chosen = list(self._chosen(agents))
        for client in chosen:
            client.garble(data)
        return len(chosen)

    def set_silent(self, *, silent: bool, agents: Collection[str] = ()) -> int:
        """Go silent without closing, or speak again; without agents for all, also those to come. Returns how many."""
        if not agents:
            self._silent = silent
        chosen = list(self._chosen(agents))
        for client in chosen:
            client.set_silent(silent=silent)
        return len(chosen)

    def set_delay(
        self, delay_s: float, piece_bytes: int = 0, pause_s: float = 0.0, *, agents: Collection[str] = ()
    ) -> int:
        """Slow down as in ``ClientSocket.set_delay``; without agents for all, also those to come. Returns how many."""
        if not agents:
            self._delay = (delay_s, piece_bytes, pause_s)
        chosen = list(self._chosen(agents))
        for client in chosen:
            client.set_delay(delay_s, piece_bytes, pause_s)
        return len(chosen)

    def set_part_size(self, part_size_bytes: int) -> None:
        """Continue messages longer than this in further frames, from now on; 0: never."""
        self._part_size_bytes = part_size_bytes
        for client in self._sockets.values():
            client.set_part_size(part_size_bytes)

    async def shut_down(self, *, announce: bool, back_after_s: float | None) -> int:
        """The dialler goes down: connections end and new ones are refused.

        Args:
            announce: tell every agent E28921 first and close in order; otherwise cut, as in a crash.
            back_after_s: it comes up again after this; None: when ``set_accepting`` says so.

        Returns:
            How many connections ended.
        """
        count = len(self._sockets)
        await self.set_accepting(accepting=False)
        if announce:
            self.act(lambda floor: happenings.report_system_error(floor, floor.seats.values(), codes.SHUTTING_DOWN))
            self.cut(reset=False)
        else:
            self.cut(reset=True)
        if back_after_s is not None:
            self._restart = self._clock.call_at(self._clock.now_s() + back_after_s, self._come_back)
        return count

    def act(self, action: Callable[[Floor], ResultT]) -> ResultT:
        """Let something happen on the floor, at the present time, and tell the clients what follows.

        Raises:
            Conflict, Unknown: whatever the action raises; what happened before is told all the same.
        """
        results: list[ResultT] = []
        try:
            self._deliver(self.dialler.happen(lambda floor: results.append(action(floor)), self._clock.now_s()))
        except Exception:
            self._deliver(self.dialler.advance(self._clock.now_s()))
            raise
        return results[0]

    def truth(self) -> dict[str, Any]:
        """Describe everything as JSON values; see ``truth.tell``. Adds ``sockets`` and ``faults``."""
        told = self.act(truth.tell)
        now_s = self._clock.now_s()
        return {
            **told,
            "sockets": [
                {
                    "connection": client.number,
                    "peer": client.peer,
                    "open_s": round(now_s - client.opened_s, 3),
                    "silent": client.is_silent,
                    "delay_s": client.delay_s,
                }
                for client in self._sockets.values()
            ],
            "faults": {
                "accepting": self.accepting,
                "silent": self._silent,
                "delay_s": self._delay[0],
                "part_size_bytes": self._part_size_bytes,
                "refuse_logons": self.dialler.floor.refuse_logons,
                "slots": self.dialler.floor.slots,
                "stale_logon_s": self.dialler.floor.stale_logon_s,
                "headset_answers": self.dialler.floor.headset_answers,
            },
        }

    # Inside

    def _chosen(self, agents: Collection[str]) -> Iterator[ClientSocket]:
        """The sockets of these agents, or all. An agent who is not logged on is an error, before any is touched."""
        if not agents:
            yield from list(self._sockets.values())
            return
        for seat in happenings.seats_of(self.dialler.floor, agents):
            yield self._sockets[seat.connection]

    def _close_listeners(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()

    def _cancel_restart(self) -> None:
        if self._restart is not None:
            self._restart.cancel()
            self._restart = None

    def _come_back(self) -> None:
        self._restart = None
        task = asyncio.get_running_loop().create_task(self._start_again())
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _start_again(self) -> None:
        try:
            await self.set_accepting(accepting=True)
        except OSError as error:
            log_event(LOGGER, "port_lost", level="error", error=error)

    def _on_open(self, client: ClientSocket) -> None:
        if not self.accepting:
            client.abort()
            return
        self._sockets[client.number] = client
        client.set_part_size(self._part_size_bytes)
        client.set_delay(*self._delay)
        client.set_silent(silent=self._silent)
        log_event(LOGGER, "client_connected", level="debug", connection=client.number, peer=client.peer)
        self._deliver(self.dialler.connect(client.number, self._clock.now_s()))

    def _on_command(self, client: ClientSocket, message: Message) -> None:
        self._deliver(self.dialler.handle(client.number, message, self._clock.now_s()))

    def _on_over(self, client: ClientSocket) -> None:
        if self._sockets.pop(client.number, None) is None:
            return
        self._deliver(self.dialler.disconnect(client.number, self._clock.now_s()))
        log_event(LOGGER, "client_gone", level="debug", connection=client.number)

    def _on_timer(self) -> None:
        self._timer = None
        self._deliver(self.dialler.advance(self._clock.now_s()))

    def _deliver(self, effects: list[Effect]) -> None:
        """Perform effects in order, and wake the dialler when it next wants to be."""
        touched: dict[int, ClientSocket] = {}
        for effect in effects:
            client = self._sockets.get(effect.connection)
            if client is None:
                continue
            if isinstance(effect, Close):
                client.close()
            else:
                client.send(effect.process, effect.message)
                touched[client.number] = client
        for client in touched.values():
            client.flush()
        self._plan_timer()

    def _plan_timer(self) -> None:
        at_s = self.dialler.next_timer()
        if at_s is None or (self._timer is not None and self._timer_at_s <= at_s):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at_s = at_s
        self._timer = self._clock.call_at(at_s, self._on_timer)
