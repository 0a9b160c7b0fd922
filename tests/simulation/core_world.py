"""A cluster without telephones: the real ``Cluster`` on every machine, and beside it a made-up house that acts.

Claims, promises, listings, carries, activation: all that decides who may act for whom is real. What is done under a
claim is only written down, many times a second, and held at once against what stands in the store. So thousands of
seeds can be played in the time that a hundred take with whole instances.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final, cast

from msgspec.structs import replace
from tests.simulation.machines import Kit, Machines
from tests.simulation.network import SimNetwork
from tests.simulation.ownership_truth import OwnershipTruth
from tests.simulation.reach import Span
from tests.simulation.store_weather import StoreWeather
from tests.simulation.transports import virtual_loop

from unified_agent import __version__
from unified_agent.cluster.activation import Order
from unified_agent.cluster.cluster import Cluster
from unified_agent.cluster.heartbeats import Report, Stage
from unified_agent.cluster.peer_messages import (
    AdoptQuestion,
    Answer,
    NotUnderstood,
    OrderQuestion,
    StatusQuestion,
)
from unified_agent.cluster.registration import Place
from unified_agent.domain.effects import AskClaim
from unified_agent.domain.facts import ClaimGranted, ClaimRefused, Fact, LinkFact
from unified_agent.domain.ids import AgentId, InstanceId, RequestId, Secret, SessionId, StationId
from unified_agent.domain.session_state import Identity, Message, SessionState
from unified_agent.domain.states import Side, Wish
from unified_agent.history import Entry, HistoryList, LinkDeed
from unified_agent.observe import Metrics
from unified_agent.sealing import Keyring
from unified_agent.settings import ClusterSettings, PeerSettings, StoreSettings

DATACENTRES: Final = ("dc1", "dc2")
#: How often a house does something for each agent, and how long it takes to let one go, seconds.
DEED_S: Final[Span] = (0.02, 0.2)
LEAVE_S: Final[Span] = (0.0, 1.5)
#: Telephones, of which every agent may take any: more than agents.
STATIONS: Final = 12
#: Where the agents are.
OFFICE: Final = "office-1"
EPOCH_S: Final = 1_767_225_600.0


#: Keys are handed in.
_NO_FILE: Final = Path("keys")


def settings(datacentre: str) -> ClusterSettings:
    """Return the settings of an instance in a datacentre, with short delays before another one begins."""
    return ClusterSettings(
        datacentre=datacentre,
        datacentres=DATACENTRES,
        store=StoreSettings(endpoints=("store:2379",)),
        keys_file=_NO_FILE,
        takeover_delay_s=3.0,
        startup_grace_s=5.0,
    )


@dataclass(slots=True, kw_only=True)
class Served:
    """A session of the made-up house. Attributes: ``term``: 0 until the claim is granted."""

    session: SessionId
    agent: AgentId
    station: StationId
    term: int = 0
    is_leaving: bool = False
    deeds: int = 0


class _Reports:
    """The door by which facts come in."""

    def __init__(self, take: Callable[[Fact], None]) -> None:
        self.report: Final = take

    def report_link(self, fact: LinkFact) -> None:
        """There are no links."""


class CoreProcess:
    """One instance: its cluster, and a house that knows nothing of telephones.

    Attributes:
        served: by agent.
        refused: ids by which the last claim on an agent was refused.
    """

    def __init__(self, kit: Kit, keyring: Keyring, truth: OwnershipTruth, entries: list[Entry]) -> None:
        self.served: Final[dict[AgentId, Served]] = {}
        self.refused: Final[dict[AgentId, str]] = {}
        self.name: Final = InstanceId(kit.name)
        self._kit = kit
        self._truth = truth
        self._done = asyncio.Event()
        self._stage = Stage.READY
        loop = virtual_loop()
        self.history: Final = HistoryList(self.name, kit.clock, monotonic_s=lambda: loop.now_s, entries=entries)
        other = next(each for each in DATACENTRES if each != kit.site)
        place = Place(
            instance=self.name,
            datacentre=kit.site,
            other=other,
            process=kit.chance.randbytes(8).hex(),
            url=f"http://{kit.name}",
            peer_address="",
            version=__version__,
            capacity=100,
        )
        self.cluster: Final = Cluster(
            replace(settings(kit.site), peers=PeerSettings(host=kit.name)),
            place,
            store=kit.store,
            keyring=keyring,
            network=kit.network,
            clock=kit.clock,
            chance=kit.chance,
            metrics=Metrics(),
            make_nonce=kit.chance.randbytes,
            history=self.history,
            guarded=kit.guarded,
        )
        self.cluster.join(self, _Reports(self.take), self, self)

    async def run(self) -> None:
        """Serve until ``leave``."""
        async with self.cluster.running(), asyncio.TaskGroup() as tasks:
            acting = tasks.create_task(self._act())
            await self._done.wait()
            acting.cancel()

    def leave(self) -> None:
        """Go in good order."""
        self._done.set()

    def order(self, order: Order) -> None:
        """Take a person's order."""
        self.cluster.order(order)

    def want(self, agent: AgentId, station: StationId, session: SessionId, wish: Wish, ticket_term: int) -> None:
        """Somebody wants to be served here, in a session that began here or elsewhere."""
        if agent in self.served:
            return
        if station in {each.station for each in self.served.values()}:
            self.refused[agent] = "station.in-use"
            return
        self.served[agent] = Served(session=session, agent=agent, station=station)
        self.refused.pop(agent, None)
        self.cluster.registry.ask(
            AskClaim(session=session, agent=agent, station=station, wish=wish, ticket_term=ticket_term)
        )

    def serves(self, agent: AgentId) -> bool:
        """Whether an agent's work is done here now."""
        served = self.served.get(agent)
        return served is not None and served.term > 0 and self.cluster.registry.may_act(served.session)

    async def _act(self) -> None:
        """Do something for everybody served, again and again, if it may be done."""
        while True:
            await asyncio.sleep(self._kit.chance.uniform(*DEED_S))
            for each in tuple(self.served.values()):
                if each.term and not each.is_leaving and self.cluster.registry.may_act(each.session):
                    self._do(each)

    def _do(self, served: Served) -> None:
        served.deeds += 1
        incarnation = self.cluster.registry.incarnation(served.session)
        self._truth.check_deed(self.name, self._kit.site, served.agent, served.station, served.term, incarnation)
        self.history.record(
            LinkDeed,
            agent=served.agent,
            station=served.station,
            term=served.term,
            incarnation=incarnation,
            side=Side.TELEPHONY,
            what="deed",
            command=None,
            request=RequestId(served.deeds),
        )
        if served.deeds % 10 == 1:
            self.cluster.registry.publish(_carry(served))

    # --- what the cluster reports and asks

    def report(self) -> Report:
        """See ``House``."""
        return Report(
            stage=self._stage,
            address=f"http://{self.name}",
            peer_address="",
            version=__version__,
            sessions=len(self.served),
            capacity=100,
            has_store=self.cluster.members.has_store(),
            epoch=self.cluster.activator.epoch,
        )

    def take(self, fact: Fact) -> None:
        """Take what came of a claim."""
        served = next((each for each in self.served.values() if each.session == fact.session), None)
        if served is None:
            return
        if isinstance(fact, ClaimGranted):
            served.term = fact.term
        elif isinstance(fact, ClaimRefused):
            self.refused[served.agent] = fact.id
            self._close(served)

    def session_of(self, agent: AgentId) -> SessionId | None:
        """See ``Owner``."""
        served = self.served.get(agent)
        return served.session if served is not None else None

    def let_go(self, agent: AgentId, reason: str, proof: str) -> str:
        """See ``Owner``."""
        served = self.served.get(agent)
        if served is None or (reason == "taken-over" and not proof):
            return "not-here"
        if self._kit.chance.random() < 0.2:
            return "later"
        if not served.is_leaving:
            served.is_leaving = True
            virtual_loop().call_later(self._kit.chance.uniform(*LEAVE_S), self._close, served)
        return ""

    def lose(self, sessions: Iterable[SessionId], reason: str) -> None:
        """See ``Owner``."""
        gone = set(sessions)
        for served in [each for each in self.served.values() if each.session in gone]:
            del self.served[served.agent]
            self.cluster.registry.forget(served.session)

    def _close(self, served: Served) -> None:
        if self.served.get(served.agent) is served:
            del self.served[served.agent]
            self.cluster.registry.publish(_carry(served))
            self.cluster.registry.forget(served.session)

    async def begin(self, epoch: int) -> None:
        """See ``Service``."""

    async def stand_down(self, reason: str) -> None:
        """See ``Service``."""
        await asyncio.sleep(self._kit.chance.uniform(0.0, 0.5))

    def prove(self, session: SessionId) -> str:
        """See ``House``."""
        return "proof"

    def adopt_orphan(self, carried: SessionState) -> None:
        """See ``House``."""
        self.want(carried.identity.agent, carried.identity.station, carried.id, Wish.SPREAD, 0)

    async def adopt(self, question: AdoptQuestion) -> Answer:
        """See ``House``; nothing is adopted here."""
        return NotUnderstood()

    async def obey(self, question: OrderQuestion) -> Answer:
        """See ``House``; orders are given by the world."""
        return NotUnderstood()

    async def tell(self, question: StatusQuestion) -> Answer:
        """See ``House``."""
        return NotUnderstood()


def _carry(served: Served) -> SessionState:
    identity = Identity(agent=served.agent, station=served.station, password=Secret(""))
    message = Message(text=f"deed {served.deeds}", sender="", at_s=0.0)
    return SessionState(id=served.session, identity=identity, messages=(message,))


class Person:
    """An agent who wants to be served, wherever that may be.

    Attributes:
        home: name of the machine asked last.
        session: the present one, which began with the last login.
        term: the highest they were told in it, as a ticket has it.
    """

    def __init__(self, number: int, world: CoreWorld, random: Random) -> None:
        self.agent: Final = AgentId(f"{5000 + number}")
        self.station = StationId(f"{2000 + number}")
        self.home = ""
        self.session = SessionId("")
        self.term = 0
        self._logins = 0
        self._world = world
        self._random = random

    async def live(self) -> None:
        """Ask where one seems to be served, now and then elsewhere. Runs until it is cancelled."""
        patience_s = 0.0
        while True:
            await asyncio.sleep(self._random.uniform(0.2, 1.0))
            process = self._world.process_seen_from(OFFICE, self.home)
            if process is not None and process.serves(self.agent) and self._is_mine(process.served[self.agent]):
                self.term = max(self.term, process.served[self.agent].term)
                if self._random.random() < self._world.restlessness:
                    self._ask_elsewhere()
                patience_s = 3.0
                continue
            patience_s -= 0.6
            if patience_s < 0 or (process is not None and self.agent not in process.served):
                self._ask_elsewhere()
                patience_s = self._random.uniform(2.0, 8.0)

    def _is_mine(self, served: Served) -> bool:
        return served.session == self.session

    def _ask_elsewhere(self) -> None:
        running = [each for each in self._world.machines.running() if self._world.process_seen_from(OFFICE, each.name)]
        able = [each for each in running if each.site == self._world.truth.active and self._random.random() < 0.95]
        if not running:
            return
        machine = self._random.choice(able or running)
        before = self._world.process(self.home)
        refused = before.refused.pop(self.agent, "") if before is not None else ""
        log_in = not self.session or bool(refused) or self._random.random() < 0.3
        if log_in and (refused == "station.in-use" or self._random.random() < 0.1):
            self.station = StationId(f"{2000 + self._random.randint(1, STATIONS)}")
        if log_in:
            self._logins += 1
            self.session, self.term = SessionId(f"{self.agent}-{self._logins}"), 0
        wish = Wish.LOGIN if log_in else Wish.RESUME
        self.home = machine.name
        assert machine.life is not None, "it runs"
        process = cast("CoreProcess", machine.life.process)
        machine.life.host.call(process.want, self.agent, self.station, self.session, wish, self.term)


class CoreWorld:
    """Machines in two datacentres, five members of a store, and agents.

    Attributes:
        network, weather, machines: what faults turn.
        truth: what stands in the store.
        entries: the history of all instances.
        story: as much of it as was told before the world was taken down, which happens in no order.
        restlessness: how likely an agent who is served asks to be served elsewhere, each time.
    """

    def __init__(self, seed: int, *, instances: int = 4, agents: int = 6) -> None:
        loop = virtual_loop()
        random = Random(seed)
        self.network: Final = SimNetwork(Random(random.random()))
        self.weather: Final = StoreWeather(loop, self.network, Random(random.random()), epoch_s=EPOCH_S)
        self.truth: Final = OwnershipTruth(self.weather.engine)
        self.entries: Final[list[Entry]] = []
        self.story: tuple[Entry, ...] = ()
        given = settings(DATACENTRES[0])
        secrets = Random(random.random())
        keyring = Keyring.random(now_s=lambda: EPOCH_S + loop.now_s, make_bytes=secrets.randbytes)
        self.machines: Final = Machines(
            loop,
            self.network,
            self.weather,
            lambda kit: CoreProcess(kit, keyring, self.truth, self.entries),
            lease_s=given.lease_s,
            stuck_s=given.stuck_s,
            epoch_s=EPOCH_S,
        )
        self.restlessness = random.choice([0.02, 0.1, 0.3])
        self.network.reach.place(OFFICE, "office")
        for number in range(instances):
            name, site, chance = f"ua-{number + 1}", DATACENTRES[number % 2], Random(random.random())
            self.machines.add(name, site, chance, is_guarded=random.random() < 0.7)
        self.people: Final = [Person(number, self, Random(random.random())) for number in range(1, agents + 1)]

    def process_seen_from(self, host: str, name: str) -> CoreProcess | None:
        """Return the process on a machine, if it runs and can be reached."""
        return None if self.network.reach.are_apart(host, name) else self.process(name)

    def process(self, name: str) -> CoreProcess | None:
        """Return the process that runs on a machine, None for none."""
        machine = self.machines.by_name.get(name)
        if machine is None or machine.life is None or not machine.runs:
            return None
        return cast("CoreProcess", machine.life.process)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Have the people live within this block."""
        tasks = [asyncio.ensure_future(person.live()) for person in self.people]
        try:
            yield
            for task in tasks:
                if task.done():
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def disagreements(self) -> list[str]:
        """Say who is not served by just one instance, of the active datacentre, as the store has it."""
        found = []
        for person in self.people:
            serving = [each.name for each in self._processes() if each.serves(person.agent)]
            owner = self.truth.owner_of(person.agent)
            if owner is None or serving != [owner.owner] or owner.datacentre != self.truth.active:
                found.append(f"{person.agent} is served by {serving}, {owner}, {self.truth.active!r} is active")
        return found

    def _processes(self) -> list[CoreProcess]:
        found = [self.process(name) for name in self.machines.by_name]
        return [each for each in found if each is not None]
