"""One instance as a process: its settings turned into what it is made of, signals, the drain at the end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import resource
import secrets
import signal
import sys
from collections.abc import Callable
from random import Random
from typing import Final

import uvloop

from unified_agent.assembly.instance import Instance
from unified_agent.clock import LoopClock
from unified_agent.cluster.guarded import Guarded
from unified_agent.cluster.stores.open import store_from
from unified_agent.errors import SettingsError
from unified_agent.history import HistoryFile
from unified_agent.network import TcpNetwork
from unified_agent.observe import get_logger, log_event
from unified_agent.sealing import Keyring
from unified_agent.settings import Settings

LOGGER: Final = get_logger("assembly")

#: Thresholds of the garbage collector. With Python's own it stops the loop for long in every storm of logins: 1,000
#: long polls a second cost 285 µs each instead of 78, 10,000 logins 2.1 s instead of 1.7.
GC_THRESHOLDS: Final = (50_000, 20, 1_000)
#: File descriptors besides two for each session (desktop, dialler) and one for each connection of a web server.
SPARE_DESCRIPTORS: Final = 256


def serve(settings: Settings, announce: Callable[[str], None], *, with_uvloop: bool = True) -> int:
    """Run one instance until SIGTERM or SIGINT, then drain. A second signal hurries.

    Args:
        settings: checked.
        announce: told ``http URL``, ``ajp HOST:PORT`` if there is one, and ``ready`` when the instance serves.
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
    clock = LoopClock(loop)
    chance = Random(secrets.randbits(64))  # noqa: S311 - jitter, not secrets
    cluster = settings.cluster
    keyring = Keyring.random() if cluster.keys_file is None else Keyring.load(cluster.keys_file)
    history = None
    if cluster.history_file is not None:
        history = HistoryFile(cluster.history_file, settings.instance, clock)
    instance = Instance(
        settings,
        clock=clock,
        chance=chance,
        network=TcpNetwork(),
        keyring=keyring,
        store=None if cluster.is_alone else store_from(cluster.store, clock, chance),
        history=history,
        guarded=Guarded.from_environment(os.environ),
    )
    stop, hurry = asyncio.Event(), asyncio.Event()

    def stop_asked() -> None:
        (hurry if stop.is_set() else stop).set()

    async with instance.running():
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop_asked)
        if instance.listener is not None:
            loop.add_signal_handler(signal.SIGHUP, lambda: _reload(instance, keyring))
            announce(f"http {instance.listener.url}")
        if instance.listeners is not None and instance.listeners.ajp is not None:
            announce(f"ajp {instance.listeners.ajp.address}")
        gc.collect()
        gc.freeze()
        announce("ready")
        await stop.wait()
        await instance.drain(hurry)


def _reload(instance: Instance, keyring: Keyring) -> None:
    """Take the certificate and the cluster's keys from their files again."""
    if instance.listener is not None:
        instance.listener.reload_certificate()
    try:
        keyring.reload()
    except SettingsError as error:
        log_event(LOGGER, "keys_not_taken", level="error", why=str(error))
    else:
        if instance.cluster is not None:
            instance.cluster.carries.write_again()


def _check_descriptors(settings: Settings) -> None:
    """Take as many descriptors as we may, and say how many sessions they allow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            soft = hard
    spare = SPARE_DESCRIPTORS + (0 if settings.ajp.port is None else settings.ajp.max_connections)
    allowed = (soft - spare) // 2 if soft != resource.RLIM_INFINITY else sys.maxsize
    if allowed < settings.sessions.capacity:
        log_event(
            LOGGER,
            "descriptors_short",
            level="warning",
            capacity=settings.sessions.capacity,
            allowed=allowed,
            advice="raise LimitNOFILE in the service's unit, or lower sessions.capacity or ajp.max_connections",
        )
