"""Desktops and a cluster that only remember, for what works on them."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable
from typing import Any, cast

from tests.unit.tools.load.views import Json, view

from unified_agent.client import ConnectionState, Move, Settled
from unified_agent.client.moves import ConnectionStatus
from unified_agent.tools.chaos.faults import Scene
from unified_agent.tools.chaos.places import INSTANCES, Host
from unified_agent.tools.chaos.plan import url_of
from unified_agent.tools.chaos.world import ClusterWorld
from unified_agent.tools.load.agents import Crowd
from unified_agent.tools.load.world import Truths

URLS = {host.name: url_of(host) for host in INSTANCES}


class FakeDesk:
    """A desktop that is where it is put, and shows what it is given."""

    def __init__(self, agent: str, host: str, shown: Json) -> None:
        self.agent = agent
        self.server = URLS[host]
        self.view = shown
        self.moves: list[Move] = []
        self.gaps = 0
        self.state = ConnectionState.LIVE
        self.position = (1, 1)

    @property
    def connection(self) -> ConnectionStatus:
        return ConnectionStatus(state=self.state, reason="", server=self.server, at_s=0.0)

    def go(self, host: str, *, at_s: float, noticed_s: float | None) -> None:
        """Be served by another instance, in good order or after a loss."""
        self.moves.append(
            Move(
                source=self.server,
                target=URLS[host],
                reason="closed",
                lost_at_s=noticed_s,
                noticed_at_s=noticed_s,
                attached_at_s=at_s,
                live_at_s=at_s,
            )
        )
        self.server = URLS[host]


class FakeAgent:
    def __init__(self, index: int, host: str) -> None:
        self.index = index
        self.dialler_name = ""
        self.desk: FakeDesk | None = FakeDesk(str(50_001 + index), host, view())

    @property
    def view(self) -> Json:
        return self.desk.view if self.desk is not None else {}


class FakeCrowd:
    """Agents in a row, each at a host."""

    def __init__(self, *hosts: str) -> None:
        self.agents = [FakeAgent(index, host) for index, host in enumerate(hosts)]
        self.tally: Counter[str] = Counter()
        self.listeners: list[Callable[[Any, Json], None]] = []
        self.end_listeners: list[Callable[[Any, Settled], None]] = []

    def desk(self, index: int) -> FakeDesk:
        desk = self.agents[index].desk
        assert desk is not None
        return desk

    def tell(self, index: int, envelope: Json) -> None:
        for listener in self.listeners:
            listener(self.agents[index], envelope)

    def listen(self, listener: Callable[[Any, Json], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def listen_to_ends(self, listener: Callable[[Any, Settled], None]) -> Callable[[], None]:
        self.end_listeners.append(listener)
        return lambda: self.end_listeners.remove(listener)

    def logged_in(self) -> list[tuple[FakeAgent, FakeDesk]]:
        return [(agent, agent.desk) for agent in self.agents if agent.desk is not None]

    def as_crowd(self) -> Crowd:
        return cast("Crowd", self)


class FakeNetwork:
    def __init__(self) -> None:
        self.did: list[str] = []

    async def cut(self, origin: str, target: str) -> None:
        self.did.append(f"cut {origin or 'all'} -> {target or 'all'}")

    async def cut_both(self, one: str, other: str) -> None:
        self.did.append(f"cut {one or 'all'} <-> {other or 'all'}")

    async def spoil_line(self, one: str, other: str, **figures: float) -> None:
        self.did.append(f"spoil {one} <-> {other}")

    async def mend(self) -> None:
        self.did.append("mend")


class FakeMember:
    def __init__(self, host: Host, did: list[str]) -> None:
        self.host = host
        self._did = did

    async def kill(self) -> None:
        self._did.append(f"kill {self.host.name}")

    def freeze(self) -> None:
        self._did.append(f"freeze {self.host.name}")

    def thaw(self) -> None:
        self._did.append(f"thaw {self.host.name}")


class FakeStore:
    def __init__(self, hosts: tuple[Host, ...]) -> None:
        self.did: list[str] = []
        self.members = {host.name: FakeMember(host, self.did) for host in hosts}
        self.leads = hosts[1].name

    async def leader(self) -> FakeMember:
        return self.members[self.leads]


class FakeWorld:
    """Remembers what was done to it."""

    def __init__(self, members: tuple[Host, ...] = ()) -> None:
        self.network = FakeNetwork()
        self.store = FakeStore(members) if members else None
        self.did: list[str] = []
        self.orders: list[tuple[str, str, Json]] = []
        self.answer: Json = {}

    def signal_serving(self, host: str, number: signal.Signals) -> None:
        self.did.append(f"{number.name} serving {host}")

    def signal_host(self, host: str, number: signal.Signals) -> None:
        self.did.append(f"{number.name} host {host}")

    async def kill_site(self, site: str) -> None:
        self.did.append(f"kill {site}")

    async def start_missing(self) -> None:
        self.did.append("start")

    async def until_whole(self) -> None:
        self.did.append("whole")

    async def order(self, host: Host, path: str, body: Json | None = None) -> Json:
        self.orders.append((host.name, path, body or {}))
        return self.answer

    async def truths(self) -> Truths:
        return Truths({}, {})


def scene(world: FakeWorld, crowd: FakeCrowd) -> Scene:
    return Scene(cast("ClusterWorld", world), crowd.as_crowd())
