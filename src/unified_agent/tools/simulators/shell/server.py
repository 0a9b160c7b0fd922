"""Sockets, TLS, timers and the faults of life around a pure model: what every simulator's server does alike.

Sockets come from listeners of its own (``start_listening``), from ``create_server`` on any loop (``new_socket`` makes
the protocol), or as a pair of streams (``serve_connection``). Clock and chance are given, so the same code runs on a
virtual clock.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, ClassVar, Final, Generic, Protocol, TypeVar

from unified_agent.domain.ports import Clock, Timer
from unified_agent.observe import Logger, log_event
from unified_agent.tools.simulators.shell.faulty_socket import FaultySocket

#: How long clients get to take what is left when the simulator ends.
CLOSE_LIMIT_S: Final = 2.0
#: Connections that may wait to be accepted. The default of 100 is too few for a re-login of 1,000 agents at once.
_BACKLOG: Final = 4096
_READ_BYTES: Final = 65_536


class Effect(Protocol):
    """Something that the model wants done on one socket."""

    @property
    def connection(self) -> int:
        """Number of the socket; one that is gone is passed over."""
        ...


SocketT = TypeVar("SocketT", bound=FaultySocket[Any])
EffectT = TypeVar("EffectT", bound=Effect)
#: What names some of the sockets, when a fault is not for all.
ChoiceT = TypeVar("ChoiceT")


class SimulatorServer(ABC, Generic[SocketT, EffectT, ChoiceT]):
    """Serves clients from one model. A subclass makes the model before it begins this class.

    Args:
        clock: Unix seconds and timers.

    Attributes:
        logger: where clients' comings and goings are told.
        client_level: how urgent they are.
        accepting: whether new sockets are let in.
        dead_client_s: a client whose host is gone without a word is noticed after so long; 0: as late as TCP does.
            Counts for listeners that begin later.
    """

    logger: ClassVar[Logger]
    client_level: ClassVar[str] = "info"

    def __init__(self, *, clock: Clock) -> None:
        self.accepting = True
        self.dead_client_s = 0.0
        self._clock = clock
        self._sockets: dict[int, SocketT] = {}
        self._nobody = asyncio.Event()
        self._nobody.set()
        self._opened = 0
        self._silent = False
        #: What ``set_delay`` of a socket takes.
        self._delay: tuple[float, int, float] = (0.0, 0, 0.0)
        self._timer: Timer | None = None
        self._timer_at_s = 0.0
        self._listeners: list[asyncio.Server] = []
        self._listen_again: list[tuple[str, int, ssl.SSLContext | None]] = []
        self._plan_timer()

    # What a simulator says

    @abstractmethod
    def _make_socket(self, number: int) -> SocketT:
        """Make the protocol of a socket, which tells ``_on_open`` and ``_on_over``."""

    @abstractmethod
    def _choose(self, only: ChoiceT) -> Iterable[SocketT]:
        """Return the sockets that are meant, or raise before any is touched."""

    @abstractmethod
    def _perform(self, client: SocketT, effect: EffectT) -> None:
        """Do on a socket what the model wants done there; written it is afterwards."""

    @abstractmethod
    def _next_timer(self) -> float | None:
        """Return when the model wants to be woken next, in Unix seconds."""

    @abstractmethod
    def _wake(self) -> None:
        """Tell the model the time, and deliver."""

    @abstractmethod
    def _welcome(self, client: SocketT) -> None:
        """Do what follows when a socket is there; it can be written to."""

    @abstractmethod
    def _lose(self, client: SocketT) -> None:
        """Tell the model that a socket is gone, and deliver."""

    # Sockets

    def new_socket(self) -> SocketT:
        """Return the protocol of a socket that is about to be there."""
        self._opened += 1
        return self._make_socket(self._opened)

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
        if self.dead_client_s > 0:
            for each in listener.sockets:
                notice_dead_clients(each.fileno(), self.dead_client_s)
        self._listeners.append(listener)
        self._listen_again.append((host, bound, tls))
        log_event(self.logger, "listening", host=host, port=bound, tls=tls is not None)
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
        for client in self.sockets():
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

    def sockets(self) -> list[SocketT]:
        """Return the sockets that are open, oldest first."""
        return list(self._sockets.values())

    # Faults. Each is for all sockets, or ``only`` for some, and returns how many are concerned now.

    def cut(self, *, reset: bool, only: ChoiceT | None = None) -> int:
        """End sockets, by reset (at once and without a word) or by an orderly close (after what was to be sent)."""
        chosen = self._chosen(only)
        for client in chosen:
            if reset:
                client.abort()
            else:
                client.close()
        return len(chosen)

    def garble(self, data: bytes, *, only: ChoiceT | None = None) -> int:
        """Write bytes of no message."""
        chosen = self._chosen(only)
        for client in chosen:
            client.garble(data)
        return len(chosen)

    def set_silent(self, *, silent: bool, only: ChoiceT | None = None) -> int:
        """Go silent without closing, or speak again; for all means also for those to come."""
        chosen = self._chosen(only)
        if only is None:
            self._silent = silent
        for client in chosen:
            client.set_silent(silent=silent)
        return len(chosen)

    def set_delay(
        self, delay_s: float, piece_bytes: int = 0, pause_s: float = 0.0, *, only: ChoiceT | None = None
    ) -> int:
        """Slow down as in ``FaultySocket.set_delay``; for all means also for those to come."""
        chosen = self._chosen(only)
        if only is None:
            self._delay = (delay_s, piece_bytes, pause_s)
        for client in chosen:
            client.set_delay(delay_s, piece_bytes, pause_s)
        return len(chosen)

    def faults(self) -> dict[str, Any]:
        """Return the faults that hold for all, as JSON values: ``accepting``, ``silent``, ``delay_s``."""
        return {"accepting": self.accepting, "silent": self._silent, "delay_s": self._delay[0]}

    # Inside

    def _chosen(self, only: ChoiceT | None) -> list[SocketT]:
        return self.sockets() if only is None else list(self._choose(only))

    def _close_listeners(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()

    def _on_open(self, client: SocketT) -> None:
        if not self.accepting:
            client.abort()
            return
        self._sockets[client.number] = client
        self._nobody.clear()
        client.set_delay(*self._delay)
        client.set_silent(silent=self._silent)
        log_event(self.logger, "client_connected", level=self.client_level, connection=client.number, peer=client.peer)
        self._welcome(client)

    def _on_over(self, client: SocketT) -> None:
        if self._sockets.pop(client.number, None) is None:
            return
        self._lose(client)
        log_event(self.logger, "client_gone", level=self.client_level, connection=client.number)
        if not self._sockets:
            self._nobody.set()

    def _on_timer(self) -> None:
        self._timer = None
        self._wake()

    def _deliver(self, effects: Iterable[EffectT]) -> None:
        """Perform effects in order, write what they sent, and wake the model when it next wants to be."""
        touched: dict[int, SocketT] = {}
        for effect in effects:
            client = self._sockets.get(effect.connection)
            if client is not None:
                self._perform(client, effect)
                touched[client.number] = client
        for client in touched.values():
            client.flush()
        self._plan_timer()

    def _plan_timer(self) -> None:
        at_s = self._next_timer()
        if at_s is None or (self._timer is not None and self._timer_at_s <= at_s):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at_s = at_s
        self._timer = self._clock.call_at(at_s, self._on_timer)


def notice_dead_clients(listener: int, limit_s: float) -> None:
    """Have the kernel end the connections of a listener whose other host has not been heard for so long.

    Args:
        listener: descriptor of a listening socket; Linux hands its options on to what it accepts.
        limit_s: of silence, to data and to the probes of an idle connection alike.
    """
    probe_s = max(1, round(limit_s / 3))
    with socket.socket(fileno=os.dup(listener)) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        same.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, probe_s)
        same.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, probe_s)
        same.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(limit_s * 1_000))
