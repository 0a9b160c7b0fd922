"""Builds one running instance from its settings: makes the parts, joins the ports, starts, drains, stops.

Clock, chance, network, store, keys and secrets come in, so that a whole instance also runs on a virtual loop without
sockets: ``Instance`` with ``listen=False``. With a store it is part of a cluster, and its links are open only while its
datacentre serves; without one it is alone and serves from its start.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Final

from unified_agent import __version__
from unified_agent.assembly.house import House, prover
from unified_agent.assembly.listeners import Listeners
from unified_agent.assembly.neighbours import whereabouts_of
from unified_agent.assembly.operations import Operations
from unified_agent.assembly.switch import switch_link
from unified_agent.cluster.cluster import Cluster
from unified_agent.cluster.guarded import Guarded
from unified_agent.cluster.peer_messages import AdoptAnswer, AdoptQuestion
from unified_agent.cluster.peers import PeerUnreachable
from unified_agent.cluster.registration import Place
from unified_agent.cluster.stores.base import Store
from unified_agent.domain.ids import AgentId, InstanceId, SessionId
from unified_agent.domain.ports import Chance, Clock
from unified_agent.history import History
from unified_agent.links.dialler.pool import DiallerPool
from unified_agent.links.dialler.pool_state import Health
from unified_agent.links.telephony.jtapi.worker import StartWorker
from unified_agent.network import TwoWayNetwork
from unified_agent.observe import Metrics, get_logger, log_event
from unified_agent.sealing import Keyring
from unified_agent.server.app import Server
from unified_agent.server.http_listener import HttpListener
from unified_agent.server.moving import Moving
from unified_agent.server.ports import LinkStatus
from unified_agent.server.websocket_protocol import WebSocketLimits
from unified_agent.sessions.host import Host
from unified_agent.settings import ClusterSettings, Settings

LOGGER: Final = get_logger("assembly")

#: How often the lateness of the event loop is measured, seconds, and over how many measurements the worst one counts.
LAG_PROBE_S: Final = 0.5
LAG_PROBES_KEPT: Final = 4
#: What a session that is ended by the drain is told.
DRAIN_CAUSE: Final = "instance.draining"
#: How often the drain looks whether it is through, seconds; and how long the ends it forced may take.
_DRAIN_STEP_S: Final = 0.25
_DRAIN_FORCED_S: Final = 5.0
#: How long another instance may take to say that it takes a session over, seconds.
_HAND_OVER_LIMIT_S: Final = 2.0


class Instance:
    """One instance. ``async with instance.running():`` starts it, and stops it at the end without a drain.

    Attributes:
        settings, clock, metrics: what it was made of.
        host: its live sessions.
        telephony, diallers: its links.
        server, listeners: its application with the connected desktops; its ports, None without.
        started, draining: how far its life is.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        chance: Chance,
        network: TwoWayNetwork,
        keyring: Keyring | None = None,
        store: Store | None = None,
        history: History | None = None,
        guarded: Guarded | None = None,
        start_worker: StartWorker | None = None,
        make_secret: Callable[[int], str] = secrets.token_urlsafe,
        make_bytes: Callable[[int], bytes] = secrets.token_bytes,
        listen: bool = True,
    ) -> None:
        """Make all parts and join them; nothing runs yet, but the port is bound.

        Args:
            settings: checked.
            clock: the time.
            chance: for jitter.
            network: how links are dialled, and instances reach each other.
            keyring: tickets and records are sealed with it; None for one that ends with this instance.
            store: that the cluster shares; None for an instance that is alone.
            history: what is claimed, asked and done is recorded there.
            guarded: our end of the guardian's pipe.
            start_worker: how JTAPI's process is started; None for a real process.
            make_secret: gives a text of so many random bytes, for session ids, tokens and correlations.
            make_bytes: gives so many random bytes, for proofs between instances.
            listen: take desktops' connections; a simulation brings its own.

        Raises:
            SettingsError: the port cannot be had, or a file named by the settings is not good.
        """
        self.started = False
        self.draining = False
        self.settings: Final = settings
        self.clock: Final = clock
        self.metrics: Final = Metrics(version=__version__, started_s=clock.now_s())
        keyring = keyring or Keyring.random()
        place = Place(
            instance=settings.instance,
            datacentre=settings.cluster.datacentre,
            other=_other(settings.cluster),
            process=make_secret(16),
            url=settings.cluster.url.rstrip("/"),
            peer_address="",
            version=__version__,
            capacity=settings.sessions.capacity,
        )
        self.cluster: Final = (
            None
            if store is None
            else Cluster(
                settings.cluster,
                place,
                store=store,
                keyring=keyring,
                network=network,
                clock=clock,
                chance=chance,
                metrics=self.metrics,
                make_nonce=make_bytes,
                history=history,
                guarded=guarded,
            )
        )
        self.host: Final = Host(
            settings=settings.sessions,
            clock=clock,
            metrics=self.metrics,
            mint_session_id=lambda: SessionId(make_secret(16)),
            registry=None if self.cluster is None else self.cluster.registry,
            prove=prover(keyring),
            history=history,
        )
        self.telephony: Final = switch_link(
            settings,
            self.host,
            network=network,
            clock=clock,
            chance=chance,
            metrics=self.metrics,
            start_worker=start_worker,
        )
        self.diallers: Final = DiallerPool(
            settings.diallers,
            settings.pool,
            network=network,
            clock=clock,
            reports=self.host,
            metrics=self.metrics,
        )
        self.host.join(self.telephony, self.diallers)
        self.whereabouts: Final = whereabouts_of(self, place)
        operations = None if self.cluster is None else Operations(self, self.cluster, keyring)
        self.server: Final = Server(
            settings=settings,
            host=self.host,
            instance=self,
            clock=clock,
            metrics=self.metrics,
            whereabouts=self.whereabouts,
            keyring=keyring,
            cluster=operations,
            make_secret=make_secret,
        )
        self.moving: Final = Moving(
            host=self.host,
            desks=self.server.desks,
            tickets=self.server.tickets,
            whereabouts=self.whereabouts,
            clock=clock,
            me=settings.instance,
            make_token=lambda: make_secret(16),
            hand_over=self._hand_over,
        )
        self.limits: Final = WebSocketLimits(
            write_high_bytes=settings.desktop.write_high_bytes,
            write_low_bytes=settings.desktop.write_low_bytes,
            slow_s=settings.desktop.slow_s,
        )
        self.listeners: Final = Listeners(self) if listen else None
        if not place.url and self.listeners is not None:
            place.url = self.listeners.http.url.rstrip("/")
        self.place: Final = place
        self._draining_by_order: asyncio.Task[None] | None = None
        if self.cluster is not None:
            house = House(self, keyring)
            self.cluster.join(self.host, self.host, house, house)
            self.cluster.on_change(self.server.desks.topology_changed)
            if self.listeners is not None:
                self.cluster.on_change(self.listeners.look_again)
        self._lags: deque[float] = deque([0.0], maxlen=LAG_PROBES_KEPT)

    @property
    def listener(self) -> HttpListener | None:
        """Its port for desktops, None without."""
        return None if self.listeners is None else self.listeners.http

    # --- what the server asks

    @property
    def opening(self) -> bool:
        """Whether a port that should be open is not."""
        return self.listeners is not None and self.listeners.is_opening

    def loop_lag_s(self) -> float:
        """Return the worst lateness of the event loop in the last two seconds."""
        return max(self._lags)

    def links(self) -> Iterator[LinkStatus]:
        """Tell how each link is."""
        yield LinkStatus(
            kind="telephony",
            name=self.settings.telephony.kind,
            state="up" if self.telephony.is_up else "down",
            doing=self.telephony.status,
        )
        for dialler, doing in zip(self.settings.diallers, self.diallers.status, strict=True):
            yield LinkStatus(
                kind="dialler", name=dialler.name, state=self.diallers.health(dialler.name).value, doing=doing
            )

    def links_down(self) -> tuple[str, ...]:
        """Name the links that this instance should have and has not."""
        down = [] if self.telephony.is_up else [self.settings.telephony.kind]
        if self.settings.diallers and all(
            self.diallers.health(each.name) is Health.DOWN for each in self.settings.diallers
        ):
            down.append("diallers")
        return tuple(down)

    # --- life

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run within this block. A part that fails ends the block with its exception."""
        try:
            async with asyncio.TaskGroup() as tasks:
                looking = [tasks.create_task(self.server.desks.look_after()), tasks.create_task(self._probe_lag())]
                if self.listeners is not None:
                    await self.listeners.open_http(tasks)
                async with self._in_cluster():
                    self.started = True
                    if self.listeners is not None:
                        await self.listeners.open_ajp(tasks)
                    log_event(LOGGER, "instance_started", instance=self.settings.instance, version=__version__)
                    try:
                        yield
                    finally:
                        await self._stop_listening()
                self.host.close()
                await self.stop_links()
                for task in looking:
                    task.cancel()
                log_event(LOGGER, "instance_stopped", instance=self.settings.instance)
        finally:
            if self.listeners is not None:
                self.listeners.close()

    async def drain(self, hurry: asyncio.Event | None = None) -> None:
        """Leave in good order: unready, no new logins, goodbyes, log-outs as calls end. Returns within the limits.

        Args:
            hurry: set, it ends every wait: what is left is ended at once.
        """
        settings = self.settings.http
        hurry = hurry or asyncio.Event()
        log_event(LOGGER, "drain_began", instance=self.settings.instance, sessions=len(self.host))
        self.draining = True  # /readyz says so; balancers need a period to see it
        if len(self.host):
            await self._wait(settings.drain_wait_s, hurry)
        self.host.draining = True
        until_s = self.clock.now_s() + settings.drain_limit_s
        if self.cluster is not None:
            await self._move_all(until_s, hurry)
        await self._hurried(self.server.desks.say_goodbye(settings.drain_rate_per_s, settings.drain_limit_s / 2), hurry)
        await self._hurried(self._log_out_all(), hurry)
        await self._until_empty(until_s, hurry)
        left = tuple(self.host.sessions())
        for state in left:  # what was in a hurry, or is still on a call
            self.host.force_log_out(state.id, DRAIN_CAUSE, now=True)
        await self._until_empty(self.clock.now_s() + _DRAIN_FORCED_S, asyncio.Event())
        log_event(LOGGER, "drain_ended", forced=len(left), left=len(self.host))

    def drain_by_order(self, rate_per_s: float) -> None:
        """Send all agents elsewhere and take no new ones, until ``resume``; for an instance of a cluster."""
        self.draining = self.host.draining = True
        if self._draining_by_order is None or self._draining_by_order.done() or self.moving.is_draining:
            drain = self.moving.drain(rate_per_s)
            self._draining_by_order = asyncio.get_running_loop().create_task(drain, name="drain by order")

    def resume(self) -> None:
        """Take agents again."""
        if self._draining_by_order is not None:
            self._draining_by_order.cancel()
            self._draining_by_order = None
        self.draining = self.host.draining = False

    def start_links(self, epoch: int = 0) -> None:
        """Open the links, stamped with the epoch of the active datacentre."""
        self.telephony.start(epoch)
        self.diallers.start()

    async def stop_links(self) -> None:
        """Close the links."""
        await self.diallers.stop()
        await self.telephony.stop()

    # --- inside

    @contextlib.asynccontextmanager
    async def _in_cluster(self) -> AsyncIterator[None]:
        """Be part of the cluster within this block; alone, have the links open."""
        if self.cluster is None:
            self.start_links()
            yield
            return
        async with self.cluster.running():
            yield

    async def _stop_listening(self) -> None:
        """Close the ports and what is open on them (with 1012); the links come last."""
        self.draining = self.host.draining = True
        if self._draining_by_order is not None:
            self._draining_by_order.cancel()
            await asyncio.gather(self._draining_by_order, return_exceptions=True)
        if self.listeners is not None:
            self.listeners.stop()
        self.server.desks.close_all(1012, "restart")  # or streams and polls would hold the listeners up
        if self.listeners is not None:
            await self.listeners.wait_closed()

    async def _move_all(self, until_s: float, hurry: asyncio.Event) -> None:
        """Send everybody elsewhere, as long as there is an elsewhere and time for it."""
        moving = asyncio.get_running_loop().create_task(self.moving.drain(self.settings.http.drain_rate_per_s))
        try:
            while not moving.done() and self.clock.now_s() < until_s and not hurry.is_set():
                if not self._has_elsewhere():
                    break
                await self._wait(_DRAIN_STEP_S, hurry)
        finally:
            moving.cancel()
            await asyncio.gather(moving, return_exceptions=True)

    def _has_elsewhere(self) -> bool:
        """Whether another instance can take agents."""
        anybody = AgentId("")
        return self.whereabouts.best_for(anybody, without=frozenset({self.settings.instance})) is not None

    async def _hand_over(self, to: InstanceId, ticket: str, token: str) -> bool:
        """Ask another instance to take over a session whose desktop is away."""
        if self.cluster is None:
            return False
        try:
            said = await self.cluster.peers.ask(to, AdoptQuestion(ticket=f"{token}.{ticket}"), _HAND_OVER_LIMIT_S)
        except PeerUnreachable:
            return False
        return isinstance(said, AdoptAnswer) and said.done

    async def _probe_lag(self) -> None:
        """Measure how late the loop comes to a timer."""
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + LAG_PROBE_S
            await asyncio.sleep(LAG_PROBE_S)
            lag_s = max(0.0, loop.time() - due_s)
            self._lags.append(lag_s)
            self.metrics.loop_lag.observe(lag_s)

    async def _log_out_all(self) -> None:
        """Have every session logged out when its call ends, no faster than logins are let through."""
        portion = max(1, int(self.settings.sessions.relogin_rate_per_s * _DRAIN_STEP_S))
        for index, state in enumerate(tuple(self.host.sessions()), 1):
            self.host.force_log_out(state.id, DRAIN_CAUSE, now=False)
            if index % portion == 0:
                await asyncio.sleep(_DRAIN_STEP_S)

    async def _until_empty(self, until_s: float, hurry: asyncio.Event) -> None:
        while len(self.host) and self.clock.now_s() < until_s and not hurry.is_set():
            await self._wait(_DRAIN_STEP_S, hurry)

    @staticmethod
    async def _wait(seconds: float, hurry: asyncio.Event) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await hurry.wait()

    @staticmethod
    async def _hurried(doing: Coroutine[None, None, None], hurry: asyncio.Event) -> None:
        """Do something to its end, or until there is a hurry."""
        task, called = asyncio.ensure_future(doing), asyncio.ensure_future(hurry.wait())
        try:
            await asyncio.wait([task, called], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in (task, called):
                each.cancel()
            outcome, _ = await asyncio.gather(task, called, return_exceptions=True)
        if isinstance(outcome, Exception):
            raise outcome


def _other(settings: ClusterSettings) -> str:
    """Return the datacentre that is not ours, empty when there is none."""
    return next((each for each in settings.datacentres if each != settings.datacentre), "")
