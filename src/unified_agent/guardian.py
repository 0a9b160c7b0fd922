"""The guardian: parent of the serving process, which does nothing else but prove its end.

When an instance is killed, crashes or is stuck, its key would live in the store for a whole lease, and after it others
would still have to wait for promises. The guardian sees the end at once and may say so, because it has waited for the
process: nothing acts under that registration any more. A stuck process it kills first.

It starts the serving process (by exec, before it has any connection itself), passes signals on, and ends with its
status, so that whoever started us sees no difference. If the guardian dies first, the instance serves on without.

``Ward`` and the functions beside it decide; ``Guardian`` does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from unified_agent.clock import LoopClock
from unified_agent.cluster.ending import prove_end
from unified_agent.cluster.guarded import (
    FD_VARIABLE,
    LINE_LIMIT_BYTES,
    Alive,
    Left,
    Message,
    Registered,
    read_line,
)
from unified_agent.cluster.stores.base import Store, StoreRefused, StoreUnavailable
from unified_agent.cluster.stores.open import store_from
from unified_agent.cluster.transactions import ACTIVE_KEY
from unified_agent.domain.backoff import delay_s
from unified_agent.domain.ports import Chance, Clock
from unified_agent.observe import get_logger, log_event
from unified_agent.settings import ClusterSettings

LOGGER: Final = get_logger("guardian")

#: How often the guardian looks whether it has heard something, seconds.
LOOK_S: Final = 0.25
#: A look that comes later than this, seconds, means that the guardian itself was held up.
LOOK_LATE_S: Final = 1.0
#: How often the guardian asks the store for its ward's key, seconds, so that its connection stands, its token lasts,
#: and missing rights are known before they are needed.
WARM_S: Final = 60.0
#: So many leases long a proof is tried. After an election each lease gets its whole time anew, and the proof spares
#: others their promises even when the key is gone.
PROOF_LEASES: Final = 3.0
#: Bounds of the wait between two tries, seconds; after a refusal, which a person must mend, the second one.
PROOF_BACKOFF_S: Final = (0.1, 1.0)
#: How long the store's connections may take to close, seconds.
CLOSE_LIMIT_S: Final = 1.0
#: How often it is said that a killed process does not end (it hangs in the kernel), seconds.
LINGER_S: Final = 10.0
#: Signals that are passed on.
FORWARDED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


# --- what the guardian knows, and decides


class Ward(Struct, frozen=True, kw_only=True):
    """What is known of the guarded process.

    Attributes:
        registered: what is to be proven when it ends; None: nothing.
        heard_s: when it was last heard, None while it need not be: before its first word, and after it has left.
        looked_s: when this was last looked at.
        has_left: it has ended its registration in order, and has not registered anew.
        is_condemned: it was found stuck.
    """

    registered: Registered | None = None
    heard_s: float | None = None
    looked_s: float
    has_left: bool = False
    is_condemned: bool = False


def hear(ward: Ward, message: Message, now_s: float) -> Ward:
    """Take what the process has said."""
    match message:
        case Registered():
            return replace(ward, registered=message, heard_s=now_s, has_left=False)
        case Left(incarnation=incarnation):
            if ward.registered is not None and incarnation < ward.registered.incarnation:
                return replace(ward, heard_s=now_s)
            return replace(ward, registered=None, heard_s=None, has_left=True)
        case Alive():
            return ward if ward.has_left else replace(ward, heard_s=now_s)


def look(ward: Ward, now_s: float, stuck_s: float) -> Ward:
    """Judge by the time that has passed; to be called each ``LOOK_S``, after everything that was said has been heard.

    Time in which the guardian did not run counts as nobody's silence: the machine may have stood still for both.
    """
    late_s = now_s - ward.looked_s
    ward = replace(ward, looked_s=now_s)
    if ward.heard_s is None:
        return ward
    if late_s > LOOK_LATE_S:
        ward = replace(ward, heard_s=min(now_s, ward.heard_s + late_s))
    assert ward.heard_s is not None, "it was heard"
    return replace(ward, is_condemned=ward.is_condemned or now_s - ward.heard_s >= stuck_s)


def exit_status(returncode: int) -> int:
    """Return what to end with: the process's status, or as a shell says it, 128 and the number of its signal."""
    return returncode if returncode >= 0 else 128 - returncode


class Lines:
    """Bytes of a pipe, taken apart into messages."""

    def __init__(self) -> None:
        self._rest = b""

    def receive(self, data: bytes) -> list[Message]:
        """Take bytes; return the messages that are complete with them. What is none is passed over."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._rest = self._rest[-LINE_LIMIT_BYTES:]
        return [message for message in map(read_line, lines) if message is not None]


# --- the store


async def prove(store: Store, ended: Registered, *, clock: Clock, chance: Chance, limit_s: float) -> bool:
    """Prove an end and end the lease, again and again until it is done or the time is over.

    Args:
        store: where to.
        ended: a registration of a process that has been waited for.
        clock: the time.
        chance: for jitter.
        limit_s: for all tries together.

    Returns:
        Whether the end is proven. A lease that could not be ended ends by itself, with nothing of weight on it.
    """
    began_s = clock.now_s()
    said: list[str] = []

    async def insist(deed: Callable[[], Awaitable[None]]) -> None:
        base_s, cap_s = PROOF_BACKOFF_S
        attempt = 0
        while True:
            attempt += 1
            try:
                await deed()
            except StoreRefused as error:
                said[:] = [str(error)]
                await asyncio.sleep(cap_s)
            except StoreUnavailable as error:
                said[:] = [str(error)]
                await asyncio.sleep(delay_s(attempt, chance, base_s=base_s, cap_s=cap_s))
            else:
                return

    proven = False
    try:
        async with asyncio.timeout(limit_s):
            await insist(lambda: prove_end(store, ended.datacentre, ended.instance, ended.incarnation))
            proven = True
            took_s = round(clock.now_s() - began_s, 3)
            log_event(LOGGER, "end_proven", instance=ended.instance, incarnation=ended.incarnation, took_s=took_s)
            await insist(lambda: store.revoke(ended.lease))
    except TimeoutError:
        log_event(
            LOGGER,
            "lease_not_ended" if proven else "end_not_proven",
            level="warning" if proven else "error",
            tried_s=limit_s,
            said="".join(said),
        )
    return proven


async def keep_warm(store: Store) -> None:
    """Ask the store for something now and then, so that a connection stands when it is needed, for ever."""
    well = True
    while True:
        try:
            await store.get(ACTIVE_KEY)
        except (StoreUnavailable, StoreRefused) as error:
            if well:
                log_event(LOGGER, "guardian_without_store", level="warning", said=str(error))
            well = False
        else:
            well = True
        await asyncio.sleep(WARM_S)


# --- the process


class Guardian:
    """Guards one process from its start to its end."""

    def __init__(
        self, command: Sequence[str], settings: ClusterSettings, *, store: Store, clock: Clock, chance: Chance
    ) -> None:
        """Start nothing yet.

        Args:
            command: the program to serve with, and its arguments.
            settings: of the cluster.
            store: that has not been asked anything yet, because a process with connections must not beget another.
            clock: the time.
            chance: for jitter.
        """
        self._command = command
        self._settings = settings
        self._store = store
        self._clock = clock
        self._chance = chance
        self._ward = Ward(looked_s=clock.now_s())
        self._lines = Lines()
        self._asked: list[signal.Signals] = []
        self._process: asyncio.subprocess.Process | None = None

    async def run(self) -> int:
        """Start the process, guard it, prove its end.

        Returns:
            What to end with.
        """
        loop = asyncio.get_running_loop()
        for number in FORWARDED:
            loop.add_signal_handler(number, self._forward, number)
        hearing, telling = os.pipe()
        os.set_blocking(hearing, False)
        try:
            process = await self._start(telling)
        finally:
            os.close(telling)
        warming = asyncio.ensure_future(keep_warm(self._store))
        try:
            status = exit_status(await self._watch(process, hearing))
            ended = self._ward.registered
            level = "info" if status == 0 else "error"
            log_event(LOGGER, "guarded_ended", level=level, status=status, proof_due=ended is not None)
            if ended is not None:
                limit_s = PROOF_LEASES * self._settings.lease_s
                await prove(self._store, ended, clock=self._clock, chance=self._chance, limit_s=limit_s)
        finally:
            os.close(hearing)
            warming.cancel()
            await asyncio.wait([warming])
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_LIMIT_S):
                    await self._store.close()
        return status

    async def _start(self, telling: int) -> asyncio.subprocess.Process:
        """Start it in a process group of its own, so that Ctrl-C reaches it once, through us."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=subprocess.DEVNULL,
            pass_fds=(telling,),
            env={**os.environ, FD_VARIABLE: str(telling)},
            process_group=0,
        )
        self._process = process
        log_event(LOGGER, "guarded_started", pid=process.pid)
        for number in self._asked:
            self._forward(number)
        return process

    def _forward(self, number: signal.Signals) -> None:
        if self._process is None:
            self._asked.append(number)
        elif self._process.returncode is None:
            self._process.send_signal(number)

    async def _watch(self, process: asyncio.subprocess.Process, hearing: int) -> int:
        """Wait for its end, and bring it about when it is stuck."""
        loop = asyncio.get_running_loop()
        ended = asyncio.ensure_future(process.wait())
        loop.add_reader(hearing, self._hear, hearing)
        say_again_s = 0.0
        try:
            while not ended.done():
                await asyncio.wait([ended], timeout=LOOK_S)
                self._hear(hearing)  # what was said while we were held up counts
                now_s = self._clock.now_s()
                self._ward = look(self._ward, now_s, self._settings.stuck_s)
                if self._ward.is_condemned and not ended.done() and now_s >= say_again_s:
                    say_again_s = now_s + LINGER_S
                    log_event(LOGGER, "guarded_stuck", level="error", pid=process.pid, stuck_s=self._settings.stuck_s)
                    process.kill()
        finally:
            loop.remove_reader(hearing)
        self._hear(hearing)
        return ended.result()

    def _hear(self, hearing: int) -> None:
        """Read everything that is in the pipe."""
        while True:
            try:
                data = os.read(hearing, 65_536)
            except BlockingIOError:
                return
            if not data:
                asyncio.get_running_loop().remove_reader(hearing)
                return
            for message in self._lines.receive(data):
                self._ward = hear(self._ward, message, self._clock.now_s())


def guard(command: Sequence[str], settings: ClusterSettings) -> int:
    """Run a serving process under guard until it ends.

    Args:
        command: the program, which uses ``cluster.guarded``, and its arguments.
        settings: of the cluster, with a store.

    Returns:
        The exit status.

    Raises:
        SettingsError: the store's settings contradict each other.
    """

    async def main() -> int:
        clock = LoopClock(asyncio.get_running_loop())
        chance = Random()  # noqa: S311 - jitter, not secrets
        store = store_from(settings.store, clock, chance)
        return await Guardian(command, settings, store=store, clock=clock, chance=chance).run()

    return asyncio.run(main())
