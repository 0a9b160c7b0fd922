"""An instance that is nothing but its part in the cluster: the real ``Cluster``, and a house without telephones.

A hundred of them fit into one process, where a hundred whole instances do not. Heartbeats go nowhere unless a network
is given: two hundred links for each of a hundred instances are measured by ``peer_mesh``.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from secrets import token_bytes
from typing import Final

from unified_agent import __version__
from unified_agent.clock import LoopClock
from unified_agent.cluster.cluster import Cluster
from unified_agent.cluster.heartbeats import Report, Stage
from unified_agent.cluster.peer_messages import AdoptQuestion, Answer, NotUnderstood, OrderQuestion, StatusQuestion
from unified_agent.cluster.registration import Place
from unified_agent.cluster.stores.base import Store
from unified_agent.domain.effects import AskClaim
from unified_agent.domain.facts import ClaimDelayed, ClaimGranted, Fact, LinkFact
from unified_agent.domain.ids import AgentId, InstanceId, SessionId, StationId
from unified_agent.domain.session_state import SessionState
from unified_agent.domain.states import Wish
from unified_agent.errors import LinkNotReady
from unified_agent.network import Address, TwoWayNetwork
from unified_agent.observe import Metrics
from unified_agent.sealing import Keyring
from unified_agent.settings import ClusterSettings, PeerSettings, StoreSettings

DATACENTRE: Final = "dc1"
#: How long all may take to register and to know each other.
MEET_LIMIT_S: Final = 120.0


class NoNetwork:
    """Nobody is ever reached: who lives is dialled for ever, at no cost; who has ended refuses, or is silent."""

    def __init__(self) -> None:
        self._ended: dict[str, bool] = {}
        self._news: dict[str, asyncio.Event] = {}
        self._next_port = 0

    def end(self, address: str, *, refuses: bool) -> None:
        """Have a process ended: its host refuses connections, or was lost with it and says nothing."""
        self._ended[address] = refuses
        self._news.setdefault(address, asyncio.Event()).set()

    async def dial(self, make: Callable[[], asyncio.Protocol], address: Address, limit_s: float) -> None:
        """See ``network.Network``."""
        del make
        place = f"{address.host}:{address.port}"
        await self._news.setdefault(place, asyncio.Event()).wait()
        if not self._ended[place]:
            await asyncio.sleep(limit_s)
        raise LinkNotReady(f"{address} is not there")

    async def listen(
        self, make: Callable[[], asyncio.Protocol], host: str, port: int, tls: ssl.SSLContext | None = None
    ) -> NoNetwork.Port:
        """See ``network.TwoWayNetwork``."""
        del make, host, port, tls
        self._next_port += 1
        return NoNetwork.Port(self._next_port)

    class Port:
        """A port at which nobody ever arrives."""

        def __init__(self, port: int) -> None:
            self.port: Final = port

        def close(self) -> None:
            """There is nothing to close."""


class _Door:
    """By which facts come in."""

    def __init__(self, take: Callable[[Fact], None]) -> None:
        self.report: Final = take

    def report_link(self, fact: LinkFact) -> None:
        """There are no links."""


class BareInstance:
    """One instance.

    Attributes:
        granted_s: when each session's claim was granted, by its loop's clock.
        delays: how often a claim was told to wait.
        lost: sessions that were lost.
    """

    def __init__(
        self,
        name: str,
        store: Store,
        keyring: Keyring,
        network: TwoWayNetwork,
        *,
        gather_s: float = 0.03,
        lease_s: float = 4.0,
        peers: PeerSettings | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.clock: Final = LoopClock(loop)
        self.name: Final = InstanceId(name)
        self.granted_s: Final[dict[SessionId, float]] = {}
        self.delays = 0
        self.lost = 0
        self._agents: dict[AgentId, SessionId] = {}
        place = Place(
            instance=self.name,
            datacentre=DATACENTRE,
            other="",
            process=token_bytes(8).hex(),
            url=f"https://{name}.contact-centre.example.com",
            peer_address="",
            version=__version__,
            capacity=1_200,
        )
        settings = ClusterSettings(
            datacentre=DATACENTRE,
            store=StoreSettings(endpoints=("store:2379",)),
            keys_file=Path("keys"),
            publish_gather_s=gather_s,
            lease_s=lease_s,
            stuck_s=lease_s,
            peers=peers or PeerSettings(),
        )
        self.cluster: Final = Cluster(
            settings,
            place,
            store=store,
            keyring=keyring,
            network=network,
            clock=self.clock,
            chance=Random(name),
            metrics=Metrics(),
            make_nonce=token_bytes,
        )
        self.cluster.join(self, _Door(self.take), self, self)
        # Without heartbeats each holds itself for the first of those who should look for orphans.
        self.cluster.orphans.run = _for_ever  # type: ignore[method-assign]

    def claim(self, agent: AgentId, station: StationId, wish: Wish = Wish.LOGIN, *, session: SessionId) -> None:
        """Ask for an agent."""
        self._agents[agent] = session
        self.cluster.registry.ask(AskClaim(session=session, agent=agent, station=station, wish=wish, ticket_term=99))

    @property
    def knows(self) -> int:
        """How many are registered, as it knows; 0 while it does not serve."""
        serves = self.cluster.holdings.serving is not None
        return len(self.cluster.members.roll.registered()) if serves else 0

    # --- what the cluster reports and asks

    def take(self, fact: Fact) -> None:
        """Take what came of a claim."""
        if isinstance(fact, ClaimGranted):
            self.granted_s[fact.session] = self.clock.now_s()
        elif isinstance(fact, ClaimDelayed):
            self.delays += 1

    def report(self) -> Report:
        """See ``House``."""
        return Report(
            stage=Stage.READY,
            address=self.cluster.members.place.url,
            peer_address=self.cluster.members.place.peer_address,
            version=__version__,
            sessions=len(self._agents),
            capacity=1_200,
            has_store=self.cluster.members.has_store(),
            epoch=self.cluster.activator.epoch,
        )

    def session_of(self, agent: AgentId) -> SessionId | None:
        """See ``Owner``."""
        return self._agents.get(agent)

    def let_go(self, agent: AgentId, reason: str, proof: str) -> str:
        """See ``Owner``; nobody is let go."""
        del agent, reason, proof
        return "later"

    def lose(self, sessions: Iterable[SessionId], reason: str) -> None:
        """See ``Owner``."""
        del reason
        self.lost += len(tuple(sessions))

    async def begin(self, epoch: int) -> None:
        """See ``Service``."""

    async def stand_down(self, reason: str) -> None:
        """See ``Service``."""

    def prove(self, session: SessionId) -> str:
        """See ``House``."""
        return f"proof of {session}"

    def adopt_orphan(self, carried: SessionState) -> None:
        """See ``House``; orphans are left."""

    async def adopt(self, question: AdoptQuestion) -> Answer:
        """See ``House``."""
        del question
        return NotUnderstood()

    async def obey(self, question: OrderQuestion) -> Answer:
        """See ``House``."""
        del question
        return NotUnderstood()

    async def tell(self, question: StatusQuestion) -> Answer:
        """See ``House``."""
        del question
        return NotUnderstood()


class Running:
    """Instances that run, each of which can be killed: it does nothing more, and says goodbye to nobody."""

    def __init__(self) -> None:
        self._tasks: dict[BareInstance, asyncio.Task[None]] = {}

    async def start(self, instances: Sequence[BareInstance], *, at_once: int = 10, knowing: int = 0) -> None:
        """Start them in portions, as in a restart of a cluster, each when all before it know each other.

        Args:
            instances: not started yet.
            at_once: how many in one portion.
            knowing: so many are known in the end, when there are others than those started here.
        """
        for first in range(0, len(instances), at_once):
            for each in instances[first : first + at_once]:
                self._tasks[each] = asyncio.ensure_future(_run(each))
            await self.all_know(knowing or len(self._tasks))

    async def all_know(self, count: int, limit_s: float = MEET_LIMIT_S) -> None:
        """Wait until each serves and knows so many to be registered, itself among them."""
        async with asyncio.timeout(limit_s):
            while any(each.knows != count for each in self._tasks):
                self.check()
                await asyncio.sleep(0.05)

    def check(self) -> None:
        """Raise what ended one of them."""
        for task in self._tasks.values():
            if task.done():
                task.result()

    async def kill(self, instance: BareInstance) -> None:
        """Cut one off from everything at once."""
        task = self._tasks.pop(instance)
        instance.cluster.members.registration.leave = _nothing  # type: ignore[method-assign]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def stop(self, instance: BareInstance) -> None:
        """Have one leave in good order."""
        task = self._tasks.pop(instance)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def end(self) -> None:
        """Kill all that are left."""
        await asyncio.gather(*(self.kill(each) for each in tuple(self._tasks)))


@asynccontextmanager
async def running() -> AsyncIterator[Running]:
    """Have what is started within this block end with it."""
    found = Running()
    try:
        yield found
    finally:
        await found.end()


async def _run(instance: BareInstance) -> None:
    async with instance.cluster.running():
        await _for_ever()


async def _for_ever() -> None:
    await asyncio.Event().wait()


async def _nothing() -> None:
    """Say goodbye to nobody."""
