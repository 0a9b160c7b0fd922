"""Builds one running instance from its settings: makes the parts, joins the ports, starts, drains, stops.

The only file that knows every room. Clock, chance, network and secrets come in, so that a whole instance also runs on
a virtual loop without sockets: ``Instance`` with ``listen=False``.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
import secrets
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from random import Random
from typing import Final

import uvloop

from unified_agent import __version__
from unified_agent.clock import LoopClock
from unified_agent.domain.ids import SessionId
from unified_agent.domain.ports import Chance, Clock
from unified_agent.errors import SettingsError
from unified_agent.links.dialler.pool import DiallerPool
from unified_agent.links.telephony.dmcc_link import DmccLink
from unified_agent.network import TcpNetwork, TwoWayNetwork
from unified_agent.observe import Metrics, get_logger, log_event
from unified_agent.server.app import Server
from unified_agent.server.http_listener import HttpListener
from unified_agent.server.ports import LinkStatus
from unified_agent.server.websocket_protocol import WebSocketLimits
from unified_agent.sessions.host import Host
from unified_agent.settings import Settings

LOGGER: Final = get_logger("assembly")

#: How often the lateness of the event loop is measured, seconds, and over how many measurements the worst one counts.
LAG_PROBE_S: Final = 0.5
LAG_PROBES_KEPT: Final = 4
#: Thresholds of the garbage collector. With Python's own it stops the loop for long in every storm of logins: 1,000
#: long polls a second cost 285 µs each instead of 78, 10,000 logins 2.1 s instead of 1.7.
GC_THRESHOLDS: Final = (50_000, 20, 1_000)
#: File descriptors besides two for each session (desktop, dialler).
SPARE_DESCRIPTORS: Final = 256
#: What a session that is ended by the drain is told.
DRAIN_CAUSE: Final = "instance.draining"
#: How often the drain looks whether it is through, seconds; and how long the ends it forced may take.
_DRAIN_STEP_S: Final = 0.25
_DRAIN_FORCED_S: Final = 5.0


class Instance:
    """One instance. ``async with instance.running():`` starts it, and stops it at the end without a drain.

    Attributes:
        settings, clock, metrics: what it was made of.
        host: its live sessions.
        telephony, diallers: its links.
        server: its HTTP application and the connected desktops.
        listener: its port, None without.
        started, draining: how far its life is.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock,
        chance: Chance,
        network: TwoWayNetwork,
        make_secret: Callable[[int], str] = secrets.token_urlsafe,
        listen: bool = True,
    ) -> None:
        """Make all parts and join them; nothing runs yet, but the port is bound.

        Args:
            settings: checked.
            clock: the time.
            chance: for jitter.
            network: how links are dialled.
            make_secret: gives a text of so many random bytes, for session ids, tokens and correlations.
            listen: take desktops' connections; a simulation brings its own.

        Raises:
            SettingsError: the port cannot be had, or a file named by the settings is not good.
        """
        self.settings: Final = settings
        self.clock: Final = clock
        self.metrics: Final = Metrics(version=__version__, started_s=clock.now_s())
        self.host: Final = Host(
            settings=settings.sessions,
            clock=clock,
            metrics=self.metrics,
            mint_session_id=lambda: SessionId(make_secret(16)),
        )
        self.telephony: Final = DmccLink(
            settings.telephony,
            settings.instance,
            self.host,
            network=network,
            clock=clock,
            chance=chance,
            metrics=self.metrics,
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
        self.server: Final = Server(
            settings=settings,
            host=self.host,
            instance=self,
            clock=clock,
            metrics=self.metrics,
            make_secret=make_secret,
        )
        self.limits: Final = WebSocketLimits(
            write_high_bytes=settings.desktop.write_high_bytes,
            write_low_bytes=settings.desktop.write_low_bytes,
            slow_s=settings.desktop.slow_s,
        )
        self.listener: Final = (
            HttpListener(settings.http, self.server.application, self.server.desks.route, self.limits)
            if listen
            else None
        )
        self.started = False
        self.draining = False
        self._lags: deque[float] = deque([0.0], maxlen=LAG_PROBES_KEPT)

    # --- what the server asks

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

    # --- life

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run within this block. A part that fails ends the block with its exception."""
        listening: asyncio.Task[None] | None = None
        try:
            async with asyncio.TaskGroup() as tasks:
                looking = [tasks.create_task(self.server.desks.look_after()), tasks.create_task(self._probe_lag())]
                self.telephony.start()
                self.diallers.start()
                if self.listener is not None:
                    listening = tasks.create_task(self.listener.serve())
                    await self.listener.wait_started()
                self.started = True
                log_event(LOGGER, "instance_started", instance=self.settings.instance, version=__version__)
                try:
                    yield
                finally:
                    await self._stop(listening)
                    for task in looking:
                        task.cancel()
        finally:
            if self.listener is not None and listening is None:
                self.listener.close()

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
        await self._hurried(self.server.desks.say_goodbye(settings.drain_rate_per_s, settings.drain_limit_s / 2), hurry)
        await self._hurried(self._log_out_all(), hurry)
        await self._until_empty(until_s, hurry)
        left = tuple(self.host.sessions())
        for state in left:  # what was in a hurry, or is still on a call
            self.host.force_log_out(state.id, DRAIN_CAUSE, now=True)
        await self._until_empty(self.clock.now_s() + _DRAIN_FORCED_S, asyncio.Event())
        log_event(LOGGER, "drain_ended", forced=len(left), left=len(self.host))

    async def _stop(self, listening: asyncio.Task[None] | None) -> None:
        """Close the port and what is open on it (with 1012), then the links, last."""
        self.draining = self.host.draining = True
        if self.listener is not None and listening is not None:
            self.listener.stop()
            await asyncio.wait([listening])
        self.server.desks.close_all(1012, "restart")
        self.host.close()
        await self.diallers.stop()
        await self.telephony.stop()
        log_event(LOGGER, "instance_stopped", instance=self.settings.instance)

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


# --- one instance as a process


def serve(settings: Settings, announce: Callable[[str], None], *, with_uvloop: bool = True) -> int:
    """Run one instance until SIGTERM or SIGINT, then drain. A second signal hurries.

    Args:
        settings: checked.
        announce: told ``http URL`` and ``ready`` when the instance serves.
        with_uvloop: uvloop, or asyncio's own loop (which takes 287 kB for each TLS connection: for tests only).

    Returns:
        The process's exit status.

    Raises:
        SettingsError: see ``Instance``.
    """
    _check_descriptors(settings)
    gc.set_threshold(*GC_THRESHOLDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop if with_uvloop else None) as runner:
        try:
            runner.run(_serve(settings, announce))
        except SettingsError:
            raise
        except Exception as error:  # noqa: BLE001 - the process's boundary: a part has failed, and all ends
            log_event(LOGGER, "instance_failed", level="error", error=error)
            return 1
    return 0


async def _serve(settings: Settings, announce: Callable[[str], None]) -> None:
    loop = asyncio.get_running_loop()
    instance = Instance(
        settings,
        clock=LoopClock(loop),
        chance=Random(secrets.randbits(64)),  # noqa: S311 - jitter, not secrets
        network=TcpNetwork(),
    )
    stop, hurry = asyncio.Event(), asyncio.Event()

    def stop_asked() -> None:
        (hurry if stop.is_set() else stop).set()

    async with instance.running():
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop_asked)
        if instance.listener is not None:
            loop.add_signal_handler(signal.SIGHUP, instance.listener.reload_certificate)
            announce(f"http {instance.listener.url}")
        gc.collect()
        gc.freeze()
        announce("ready")
        await stop.wait()
        await instance.drain(hurry)


def _check_descriptors(settings: Settings) -> None:
    """Take as many descriptors as we may, and say how many sessions they allow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    allowed = (soft - SPARE_DESCRIPTORS) // 2 if soft != resource.RLIM_INFINITY else sys.maxsize
    if allowed < settings.sessions.capacity:
        log_event(
            LOGGER,
            "descriptors_short",
            level="warning",
            capacity=settings.sessions.capacity,
            allowed=allowed,
            advice="raise LimitNOFILE in the service's unit, or lower sessions.capacity",
        )
