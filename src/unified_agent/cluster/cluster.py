"""One instance's whole part in the cluster: the parts of this room joined, and what the rooms above ask of them.

``running`` keeps all loops; a part that fails ends it with its exception, and the process with it: others then take
over, which is what they are for.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final, Protocol

from unified_agent.cluster.activation import ActivationSettings, Order
from unified_agent.cluster.activator import Activator, Service
from unified_agent.cluster.carries import Carries
from unified_agent.cluster.claiming import Claiming
from unified_agent.cluster.detector import DetectorSettings, Verdict
from unified_agent.cluster.guarded import Guarded
from unified_agent.cluster.heartbeats import Heartbeat, Report
from unified_agent.cluster.holdings import Holdings
from unified_agent.cluster.members import Members
from unified_agent.cluster.orphans import Orphans
from unified_agent.cluster.peer_messages import (
    AdoptQuestion,
    Answer,
    NotUnderstood,
    OrderQuestion,
    Question,
    ReleaseQuestion,
    StatusQuestion,
    TenureQuestion,
)
from unified_agent.cluster.peer_tls import peer_tls_contexts
from unified_agent.cluster.peers import Peers
from unified_agent.cluster.records import Records
from unified_agent.cluster.registration import Place
from unified_agent.cluster.registry import Registry
from unified_agent.cluster.releasing import Releasing
from unified_agent.cluster.stores.base import Store, StoreRefused, StoreUnavailable
from unified_agent.cluster.stores.batch import BatchSettings
from unified_agent.cluster.tenure import TenureSettings
from unified_agent.domain.ids import InstanceId, SessionId
from unified_agent.domain.ports import Chance, Clock, Owner, Reports
from unified_agent.domain.session_state import SessionState
from unified_agent.history import History
from unified_agent.network import TwoWayNetwork
from unified_agent.observe import Metrics
from unified_agent.sealing import Keyring
from unified_agent.settings import ClusterSettings

#: What the proof between instances is derived for.
PEER_SECRET: Final = "peer-link"  # noqa: S105 - a purpose, not a secret

#: After a store that failed while claims were made anew, seconds.
CLAIM_ANEW_RETRY_S: Final = 0.25


class House(Protocol):
    """What the cluster asks of this instance as a whole."""

    def report(self) -> Report:
        """Return what we tell the others of ourselves."""
        ...

    def prove(self, session: SessionId) -> str:
        """Return the proof of a session's password."""
        ...

    def adopt_orphan(self, carried: SessionState) -> None:
        """Take over a session whose instance is lost and whose desktop does not come; raises when it cannot."""
        ...

    async def adopt(self, question: AdoptQuestion) -> Answer:
        """Take over a session from another instance."""
        ...

    async def obey(self, question: OrderQuestion) -> Answer:
        """Do what an operator ordered at another instance."""
        ...

    async def tell(self, question: StatusQuestion) -> Answer:
        """Tell all about ourselves."""
        ...


class Cluster:
    """See above. ``join`` comes before ``running``.

    Attributes:
        store, members, holdings, registry, activator, records, carries, claiming, releasing, peers: the parts.
    """

    def __init__(
        self,
        settings: ClusterSettings,
        place: Place,
        *,
        store: Store,
        keyring: Keyring,
        network: TwoWayNetwork,
        clock: Clock,
        chance: Chance,
        metrics: Metrics,
        make_nonce: Callable[[int], bytes],
        history: History | None = None,
        guarded: Guarded | None = None,
    ) -> None:
        """Join the parts; nothing runs yet.

        Args:
            settings: with a store.
            place: who and where we are.
            store, keyring, network, clock, chance, metrics: as everywhere.
            make_nonce: gives so many random bytes.
            history: what is done is recorded there.
            guarded: our end of the guardian's pipe.

        Raises:
            SettingsError: a file named by the settings is not good.
        """
        self._settings = settings
        self._house: House | None = None
        server_tls, client_tls = peer_tls_contexts(settings.peers)
        self.peers: Final = Peers(
            place.instance,
            secret=lambda: keyring.secrets(PEER_SECRET),
            network=network,
            clock=clock,
            chance=chance,
            answer=self._answer,
            heard=self._heard,
            server_tls=server_tls,
            client_tls=client_tls,
            metrics=metrics,
            make_nonce=make_nonce,
        )
        tenure_settings = TenureSettings(lease_s=settings.lease_s)
        self.members: Final = Members(
            place,
            store=store,
            peers=self.peers,
            clock=clock,
            metrics=metrics,
            report=self.report,
            changed=self._changed,
            stepped_down=lambda incarnation, reason: self.registry.lose(incarnation, "stepped-down"),
            is_taking=lambda: self.claiming.is_in_flight or self.activator.is_taking,
            departed=self._departed,
            tenure_settings=tenure_settings,
            detector_settings=DetectorSettings(),
            history=history,
            guarded=guarded,
        )
        self.holdings: Final = Holdings(self.members, clock)
        self.records: Final = Records(store)
        batch = BatchSettings(gather_s=settings.publish_gather_s)
        self.carries: Final = Carries(place.key, store, keyring, chance, batch, metrics)
        self.releasing: Final = Releasing(self.members, self.holdings, self.records, self.carries, clock)
        self.claiming: Final = Claiming(
            self.members,
            self.holdings,
            self.records,
            self.carries,
            self.peers,
            clock,
            metrics,
            prove=self._prove,
            give_up=self.releasing.begin,
            history=history,
        )
        self.registry: Final = Registry(self.holdings, self.claiming, self.releasing, self.carries, history)
        self.store: Final = store
        self._clock = clock
        self._metrics = metrics
        self._history = history
        self._incarnation = 0
        self._claims_wanted = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []
        metrics.before_render(lambda: self._count(metrics))

    def join(self, owner: Owner, reports: Reports, service: Service, house: House) -> None:
        """Know the rest of the instance; once, before ``running``."""
        self._house = house
        self.registry.join(owner, reports)
        settings = self._settings
        self.activator: Activator = Activator(
            self.members,
            self.holdings,
            self.registry,
            service,
            store=self.store,
            clock=self._clock,
            metrics=self._metrics,
            settings=ActivationSettings(
                primary=settings.datacentres[0] if settings.datacentres else settings.datacentre,
                has_witness=settings.has_witness,
                takeover_delay_s=settings.takeover_delay_s,
                startup_grace_s=settings.startup_grace_s,
            ),
            stage=lambda: house.report().stage,
            began=self.claiming.look_again,
            history=self._history,
        )

        self.orphans: Orphans = Orphans(
            self.members, self.activator, self.records, self.carries, self._clock, house.adopt_orphan
        )

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call back whenever something was learned of the cluster."""
        self._listeners.append(listener)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Be a member within this block; at its end stand down, release what is held, and leave in good order."""
        peers = self._settings.peers
        port = await self.peers.listen(peers.host, peers.port)
        self.members.place.peer_address = peers.address or f"{peers.host}:{port}"
        try:
            async with asyncio.TaskGroup() as loops:
                running = [
                    loops.create_task(self.members.run(), name="cluster members"),
                    loops.create_task(self.carries.run(), name="cluster carries"),
                    loops.create_task(self.activator.run(), name="cluster activator"),
                    loops.create_task(self._keep_claims(), name="cluster claims"),
                    loops.create_task(self.orphans.run(), name="cluster orphans"),
                ]
                try:
                    yield
                finally:
                    await self._leave(running)
        finally:
            await self.peers.close()
            await self.store.close()

    @property
    def house(self) -> House:
        """This instance as a whole."""
        assert self._house is not None, "joined"
        return self._house

    def report(self) -> Report:
        """Return what we tell the others of ourselves."""
        return self.house.report()

    def order(self, order: Order) -> None:
        """Take a person's order for our datacentre."""
        self.activator.order(order)

    # --- inside

    async def _leave(self, loops: list[asyncio.Task[None]]) -> None:
        activating = loops[2]
        activating.cancel()
        await asyncio.gather(activating, return_exceptions=True)
        await self.releasing.close()
        await self.activator.stop()
        await self.claiming.close()
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        await self.members.registration.leave()

    def _changed(self) -> None:
        life = self.members.lives.current
        if life is not None and life.incarnation != self._incarnation:
            self._incarnation = life.incarnation
            self.carries.begin(life)
            self._claims_wanted.set()
        self.claiming.look_again()
        self.activator.look_again()
        for listener in self._listeners:
            listener()

    def _departed(self) -> None:
        self.orphans.instance_ended()

    async def _keep_claims(self) -> None:
        """After a new registration, claim anew what only promises carry."""
        while True:
            await self._claims_wanted.wait()
            self._claims_wanted.clear()
            try:
                is_done = await self.claiming.claim_anew()
            except (StoreUnavailable, StoreRefused):
                is_done = False
            if not is_done:
                await asyncio.sleep(CLAIM_ANEW_RETRY_S)
                self._claims_wanted.set()

    def _prove(self, session: SessionId) -> str:
        return self.house.prove(session)

    def _heard(self, sender: InstanceId, notice: Heartbeat) -> None:
        self.members.heard(sender, notice)

    async def _answer(self, asker: InstanceId, question: Question) -> Answer:
        match question:
            case TenureQuestion():
                return self.members.promise(asker, question)
            case ReleaseQuestion():
                return await self.releasing.answer(asker, question)
            case AdoptQuestion():
                return await self.house.adopt(question)
            case OrderQuestion():
                return await self.house.obey(question)
            case StatusQuestion():
                return await self.house.tell(question)
        return NotUnderstood()

    def _count(self, metrics: Metrics) -> None:
        verdicts = [each.verdict for each in self.members.members()]
        for verdict in Verdict:
            metrics.cluster_members.labels(state=verdict.value).set(verdicts.count(verdict))
