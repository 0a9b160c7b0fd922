"""Instances of a cluster on virtual time: the real room, one store in memory, and small fakes for what stands above."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from random import Random
from typing import Any, TypeVar

from tests.simulation.hosts import Host
from tests.simulation.network import SimNetwork
from tests.simulation.reach import EVERYWHERE
from tests.simulation.virtual_loop import VirtualLoop, WorldClock, run

from unified_agent.clock import LoopClock
from unified_agent.cluster.cluster import Cluster
from unified_agent.cluster.guarded import Guarded
from unified_agent.cluster.heartbeats import Report, Stage
from unified_agent.cluster.ownership import Record
from unified_agent.cluster.peer_messages import (
    AdoptAnswer,
    AdoptQuestion,
    Answer,
    OrderAnswer,
    OrderQuestion,
    StatusAnswer,
    StatusQuestion,
)
from unified_agent.cluster.registration import Place
from unified_agent.cluster.stores.base import Outcome, StoreRefused, Write, WriteUnknown
from unified_agent.cluster.stores.memory import MemoryStore
from unified_agent.cluster.stores.memory_engine import MemoryEngine
from unified_agent.cluster.transactions import Condition, agent_key, station_key
from unified_agent.cluster.values import read_value
from unified_agent.domain.carry import carry_of
from unified_agent.domain.effects import AskClaim
from unified_agent.domain.facts import ClaimRefused, Fact, LinkFact
from unified_agent.domain.ids import AgentId, InstanceId, Secret, SessionId, StationId
from unified_agent.domain.session import new_session
from unified_agent.domain.session_state import ClaimState, Identity, Policy, SessionState
from unified_agent.domain.states import Wish
from unified_agent.history import AnyEvent, Entry, HistoryList
from unified_agent.observe import Metrics
from unified_agent.sealing import Keyring
from unified_agent.settings import ClusterSettings, PeerSettings

PORT = 7_000
AGENT, STATION = AgentId("5001"), StationId("2001")
#: Links are there, promises of a process before us have ended, and the datacentre serves.
SETTLED_S = 5.0

T = TypeVar("T")
FactT = TypeVar("FactT", bound=Fact)
EventT = TypeVar("EventT")


def play(doing: Callable[[World], Awaitable[T]]) -> T:
    """Run a test with a world of its own."""

    async def main() -> T:
        world = World()
        try:
            return await doing(world)
        finally:
            await world.close()

    return run(main())


class Contrary(MemoryStore):
    """A store that treats the next write of certain keys as told: each word is for one write.

    Words: ``lost``: it is made, and nobody here is told. ``never``: it gets lost on its way. ``late``: the same, and it
    arrives after ``late_s``. ``refused``: rights are missing.
    """

    def __init__(self, engine: MemoryEngine, clock: LoopClock) -> None:
        super().__init__(engine, clock=clock)
        self.fates: list[str] = []
        self.about = "agent/"
        self.late_s = 1.0
        self.before: Callable[[], None] | None = None  #: done just before the next of them arrives
        self.sent: list[Sequence[Write]] = []

    async def transact(self, conditions: Sequence[Condition], writes: Sequence[Write]) -> Outcome:
        if not any(each.key.startswith(self.about) for each in writes):
            return await super().transact(conditions, writes)
        self.sent.append(writes)
        if self.before is not None:
            first, self.before = self.before, None
            first()
        fate = self.fates.pop(0) if self.fates else ""
        if fate == "refused":
            raise StoreRefused("this instance may not write that")
        if not fate:
            return await super().transact(conditions, writes)
        if fate == "lost":
            self.engine.transact(conditions, writes)
        elif fate == "late":
            self._after(self.late_s, lambda: self._arrive_late(conditions, writes))
        await asyncio.sleep(0.5)
        raise WriteUnknown("no answer")

    def _arrive_late(self, conditions: Sequence[Condition], writes: Sequence[Write]) -> None:
        self.engine.transact(conditions, writes)


class Agents:
    """The live agents of one instance: they do what a session does about its claim, and remember what they heard."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.sessions: dict[AgentId, SessionId] = {}
        self.facts: list[Fact] = []
        self.asked_to_go: list[tuple[AgentId, str, str]] = []
        self.says: dict[AgentId, str] = {}  #: answers when asked to let go of an agent, instead of doing so
        self.stays: set[AgentId] = set()  #: who says that they go, and take their time
        self.lost: list[tuple[SessionId, str]] = []

    def claim(
        self,
        session: str = "s1",
        agent: AgentId = AGENT,
        station: StationId = STATION,
        *,
        wish: Wish = Wish.LOGIN,
        ticket_term: int = 0,
    ) -> SessionId:
        """Open a session and ask for its claim."""
        opened = SessionId(session)
        self.sessions[agent] = opened
        self._cluster.registry.ask(
            AskClaim(session=opened, agent=agent, station=station, wish=wish, ticket_term=ticket_term)
        )
        return opened

    def close(self, session: SessionId) -> None:
        """End a session here."""
        self.sessions = {agent: each for agent, each in self.sessions.items() if each != session}
        self._cluster.registry.forget(session)

    def of(self, kind: type[FactT]) -> list[FactT]:
        """Return what was heard of a kind."""
        return [each for each in self.facts if isinstance(each, kind)]

    # --- Reports

    def report(self, fact: Fact) -> None:
        self.facts.append(fact)
        if isinstance(fact, ClaimRefused):
            self.close(fact.session)

    def report_link(self, fact: LinkFact) -> None:
        raise AssertionError("the cluster knows of no links")

    # --- Owner

    def session_of(self, agent: AgentId) -> SessionId | None:
        return self.sessions.get(agent)

    def let_go(self, agent: AgentId, reason: str, proof: str) -> str:
        self.asked_to_go.append((agent, reason, proof))
        if agent not in self.sessions:
            return "not-here"
        if (said := self.says.get(agent, "")) == "" and agent not in self.stays:
            self.close(self.sessions[agent])
        return said

    def lose(self, sessions: Iterable[SessionId], reason: str) -> None:
        for session in sessions:
            self.lost.append((session, reason))
            self.close(session)


class Whole:
    """One instance as its cluster sees it."""

    def __init__(self, one: One) -> None:
        self._one = one
        self.stage = Stage.READY
        self.links_down: tuple[str, ...] = ()
        self.capacity = 1_000
        self.did: list[str] = []
        self.orphans: list[SessionState] = []
        self.orders: list[OrderQuestion] = []

    # --- Service

    async def begin(self, epoch: int) -> None:
        self.did.append(f"begin {epoch}")

    async def stand_down(self, reason: str) -> None:
        self.did.append(f"stand down: {reason}")

    # --- House

    def report(self) -> Report:
        one = self._one
        return Report(
            stage=self.stage if one.cluster.activator.serves else Stage.JOINING,
            address=one.place.url,
            peer_address=one.place.peer_address,
            version="1",
            sessions=len(one.agents.sessions),
            capacity=self.capacity,
            has_store=one.cluster.members.has_store(),
            links_down=self.links_down,
            epoch=one.cluster.activator.epoch,
        )

    def prove(self, session: SessionId) -> str:
        return f"proof of {session}"

    def adopt_orphan(self, carried: SessionState) -> None:
        self.orphans.append(carried)

    async def adopt(self, question: AdoptQuestion) -> Answer:
        return AdoptAnswer(done=True, detail=question.ticket)

    async def obey(self, question: OrderQuestion) -> Answer:
        self.orders.append(question)
        return OrderAnswer(done=True)

    async def tell(self, question: StatusQuestion) -> Answer:
        del question
        return StatusAnswer(status={"instance": self._one.name})


class One:
    """One instance, from its start to its end."""

    def __init__(self, world: World, name: str, *, guarded: Guarded | None = None, **settings: Any) -> None:
        self.name = InstanceId(name)
        self.host = Host(name, now_s=world.loop.now_s)
        self.clock = LoopClock(world.loop, wall_s=lambda: world.loop.now_s)
        self.store = Contrary(world.engine, self.clock)
        self.metrics = Metrics()
        self.place = Place(
            instance=self.name,
            datacentre="west" if name.startswith("w") else "east",
            other="",
            process=f"process {world.count()}",
            url=f"http://{name}",
            peer_address="",
            version="1",
            capacity=1_000,
        )
        given: dict[str, Any] = {"datacentre": self.place.datacentre, "publish_gather_s": 0.03, **settings}
        others = [each for each in given.get("datacentres", ()) if each != self.place.datacentre]
        self.place.other = others[0] if others else ""
        self.history = HistoryList(self.name, self.clock, entries=world.history)
        self.cluster = Cluster(
            ClusterSettings(peers=PeerSettings(host=name, port=PORT), **given),
            self.place,
            store=self.store,
            keyring=world.keyring,
            network=world.network.at(self.host),
            clock=self.clock,
            chance=Random(name),
            metrics=self.metrics,
            make_nonce=Random(f"nonces of {name}").randbytes,
            history=self.history,
            guarded=guarded,
        )
        self.agents = Agents(self.cluster)
        self.whole = Whole(self)
        self.cluster.join(self.agents, self.agents, self.whole, self.whole)
        self._stop = asyncio.Event()
        self.running: asyncio.Task[None] = self.host.spawn(self._run())

    async def _run(self) -> None:
        async with self.cluster.running():
            await self._stop.wait()

    async def leave(self) -> None:
        """Leave in good order."""
        self._stop.set()
        await self.running

    def fail(self, **faults: Any) -> None:
        """Turn the faults between it and the store."""
        for name, value in faults.items():
            setattr(self.store.faults, name, value)
        self.store.woken()

    def may_act(self, session: str = "s1") -> bool:
        return self.cluster.registry.may_act(SessionId(session))

    @property
    def incarnation(self) -> int:
        life = self.cluster.members.lives.latest
        return life.incarnation if life is not None else 0


class World:
    """Instances by name, on one network and one store."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.loop = loop
        self.clock = WorldClock(loop)
        self.engine = MemoryEngine(self.clock)
        self.network = SimNetwork(Random(1))
        self.keyring = Keyring.random(now_s=self.clock.now_s)
        self.history: list[Entry] = []
        self.ones: list[One] = []
        self._count = 0

    def count(self) -> int:
        self._count += 1
        return self._count

    def add(self, name: str, **settings: Any) -> One:
        """Start an instance."""
        one = One(self, name, **settings)
        self.ones.append(one)
        return one

    async def of(self, *names: str, **settings: Any) -> list[One]:
        """Start instances, and let them settle."""
        ones = [self.add(name, **settings) for name in names]
        await asyncio.sleep(SETTLED_S)
        return ones

    def cut_off(self, one: One) -> None:
        """Let an instance run on without the network, and without the store."""
        one.fail(down=True)
        self.network.silence(one.name, EVERYWHERE)

    def kill(self, one: One) -> None:
        """End its process; nobody proves that."""
        self.network.kill(one.host)

    def agent(self, agent: AgentId = AGENT) -> Record | None:
        """Read the claim on an agent."""
        return self._read(agent_key(agent))

    def station(self, station: StationId = STATION) -> Record | None:
        """Read the claim on a station."""
        return self._read(station_key(station))

    def _read(self, key: str) -> Record | None:
        entry = self.engine.get(key)
        return None if entry is None else read_value(Record, entry)

    def events(self, kind: type[EventT], name: str = "") -> list[EventT]:
        """Return what the history of one instance, or of all, has of a kind."""
        found: list[AnyEvent] = [each.event for each in self.history if name in {"", each.instance}]
        return [each for each in found if isinstance(each, kind)]

    async def close(self) -> None:
        for one in self.ones:
            if not one.running.done():
                one.running.cancel()
        await asyncio.gather(
            *(one.running for one in self.ones if one.host.power.value == "runs"), return_exceptions=True
        )


async def until(so: Callable[[], object], limit_s: float = 60.0) -> float:
    """Wait until something is so; returns how long that took, seconds."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    while not so():
        assert loop.time() < began_s + limit_s, "it did not become so"
        await asyncio.sleep(0.01)
    return loop.time() - began_s


def carry(session: str = "s1", agent: AgentId = AGENT, note: str = "") -> SessionState:
    """Make what a session would leave; ``note`` tells one from another."""
    identity = Identity(agent=agent, station=STATION, password=Secret("secret"))
    state = new_session(SessionId(session), identity, Policy(), 1_000.0, ClaimState())
    return carry_of(state) if not note else carry_of(type(state)(id=state.id, identity=identity, close_detail=note))
