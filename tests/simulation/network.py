"""A network in memory, with the faults of a real one: delay, silence (one way or both), reset, refusal, back-pressure.

Bytes of one direction keep their order, as TCP's do. Silence holds bytes back, and they arrive when it ends unless the
connection was given up meanwhile: that is what retransmission does. Who reaches whom is in ``reach``, what a connection
does in ``transports``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from tests.simulation.hosts import NOWHERE, Host
from tests.simulation.reach import EVERYWHERE, Delay, Reach, Trouble
from tests.simulation.transports import SimTransport, virtual_loop

from unified_agent.errors import LinkNotReady
from unified_agent.network import Address

Accept = Callable[[], asyncio.BaseProtocol]
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class SimNetwork:
    """All hosts and the connections between them.

    Attributes:
        reach: who reaches whom, to be turned at will.
    """

    def __init__(self, random: Random) -> None:
        """Begin with nobody. ``random``: where delays come from."""
        self.reach = Reach(random)
        self.reach.changed.append(self._carry_on)
        self._random = random
        self._listeners: dict[tuple[str, int], tuple[Accept, Host | None]] = {}
        self._refusing: dict[str, None] = {}
        self._lost: dict[str, Trouble] = {}
        self._transports: dict[SimTransport, Host | None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._next_port = 40_000

    # --- hosts

    def at(self, host: str | Host) -> HostNetwork:
        """Return the network as a host sees it; one that is only a name never fails."""
        return HostNetwork(self, host.name, host) if isinstance(host, Host) else HostNetwork(self, host, None)

    def listen(self, host: str, port: int, accept: Accept, on: Host | None = None) -> None:
        """Take connections: ``accept`` gives the protocol of each."""
        self._listeners[host, port] = (accept, on)

    def stop_listening(self, host: str, port: int, accept: Accept) -> None:
        """Take no more connections there."""
        if self._listeners.get((host, port), (None, None))[0] is accept:
            del self._listeners[host, port]

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

    def silence(self, one: str, other: str, *, both_ways: bool = True) -> Trouble:
        """Let nothing pass from one place to the other, without closing anything; see ``reach``."""
        return self.reach.silence(one, other, both_ways=both_ways)

    def slow(self, one: str, other: str, delay: Delay) -> Trouble:
        """Let everything take longer between two places."""
        return self.reach.slow(one, other, delay)

    def heal(self) -> None:
        """End every silence, slowness and refusal; what was held back arrives. Lost machines stay lost."""
        self._refusing.clear()
        self.reach.heal(but=self._lost.values())

    def cut(self, one: str, other: str) -> None:
        """Reset every connection between two places; new ones may be made at once."""
        for transport in tuple(self._transports):
            if self.reach.is_between(transport.host, transport.peer_host, one, other):
                transport.fall(ConnectionResetError("connection reset"))

    def refuse(self, host: str) -> None:
        """Have a host refuse new connections."""
        self._refusing[host] = None

    def accept_again(self, host: str) -> None:
        """Have it take them."""
        self._refusing.pop(host, None)

    def kill(self, host: Host) -> None:
        """Kill a process: its kernel closes or resets its connections and refuses new ones."""
        host.kill()
        for transport in self._forsaken_by(host):
            transport.die(reset=self._random.random() < 0.5)

    def lose(self, host: Host) -> None:
        """Lose a machine: it says nothing more and answers nothing, until ``find``."""
        host.kill()
        self._lost[host.name] = self.reach.silence(host.name, EVERYWHERE)
        for transport in self._forsaken_by(host):
            transport.vanish()

    def find(self, name: str) -> None:
        """Have a lost machine on the network again, knowing nothing of the connections that it had."""
        trouble = self._lost.pop(name, None)
        if trouble is not None:
            trouble.end()

    # --- inside

    def _forsaken_by(self, host: Host) -> list[SimTransport]:
        self._listeners = {place: each for place, each in self._listeners.items() if each[1] is not host}
        return [transport for transport, owner in self._transports.items() if owner is host]

    def _carry_on(self) -> None:
        for transport in tuple(self._transports):
            transport.wire.carry()

    def _forget(self, transport: SimTransport) -> None:
        """A transport has ended; what it wrote, and a reset held back by silence, is carried on to the end."""
        if not transport.wire.is_under_way:
            self._transports.pop(transport, None)

    def _end(self, source: str, target: str, on: Host | None) -> SimTransport:
        context = NOWHERE if on is None else on.context()
        transport = SimTransport(self.reach, source, target, context, self._forget)
        self._transports[transport] = on
        return transport

    async def dial(
        self, source: str, on: Host | None, make: Callable[[], asyncio.Protocol], address: Address, limit_s: float
    ) -> None:
        """See ``network.Network``; TLS is not simulated."""
        target = address.host
        way_s = self.reach.delay_s(source, target) + self.reach.delay_s(target, source)
        if self.reach.are_apart(source, target) or way_s > limit_s:
            await asyncio.sleep(limit_s)
            raise LinkNotReady(f"{address} did not answer within {limit_s:g} s")
        await asyncio.sleep(way_s)
        accept, there = self._listeners.get((target, address.port), (None, None))
        if accept is None or target in self._refusing:
            raise LinkNotReady(f"{address} cannot be reached: connection refused")
        near = make()
        ours, theirs = self._end(source, target, on), self._end(target, source, there)
        ours.join(theirs)
        theirs.join(ours)
        # The other kernel has taken the connection; its process learns of it when it runs.
        virtual_loop().call_soon(_begin, theirs, accept, context=theirs.context)
        ours.begin(near)
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            ours.abort()
            raise


def _begin(transport: SimTransport, accept: Accept) -> None:
    transport.begin(accept())


class HostNetwork:
    """The network as one host sees it."""

    def __init__(self, network: SimNetwork, name: str, on: Host | None) -> None:
        self._network = network
        self._name = name
        self._on = on

    async def dial(self, make: Callable[[], asyncio.Protocol], address: Address, limit_s: float) -> None:
        """See ``network.Network``."""
        await self._network.dial(self._name, self._on, make, address, limit_s)

    async def listen(self, make: Callable[[], asyncio.Protocol], host: str, port: int, tls: Any = None) -> HostListener:
        """See ``network.TwoWayNetwork``; a host has one address, its name. TLS is not simulated."""
        return HostListener(self._network, self._name, port or self._network.free_port(), make, self._on)


class HostListener:
    """A port that takes connections."""

    def __init__(self, network: SimNetwork, name: str, port: int, make: Accept, on: Host | None) -> None:
        self._network = network
        self._name = name
        self._make = make
        self.port = port
        network.listen(name, port, make, on)

    def close(self) -> None:
        """See ``network.Listener``."""
        self._network.stop_listening(self._name, self.port, self._make)
