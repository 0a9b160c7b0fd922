"""``unified-agent demo``: options, and the demo from its first line to its last."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
from cyclopts import Parameter

from unified_agent.errors import SettingsError
from unified_agent.server.pages import STATIC
from unified_agent.tools.demo import keyboard, tricks
from unified_agent.tools.demo.centre import SIMULATORS, Centre
from unified_agent.tools.demo.plan import DIALLER_NAMES
from unified_agent.tools.demo.ports import FREE_PORTS, OF_A_CLUSTER, Ports, choose_ports
from unified_agent.tools.demo.sheet import write_sheet, write_status
from unified_agent.tools.demo.store import find_etcd
from unified_agent.tools.load.processes import ChildFailed
from unified_agent.tools.switch_choice import BY_DMCC, Kind, SwitchChoice, choose_switch


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """A contact centre on this machine.

    Attributes:
        port: of the page, at the first instance.
        free_ports: take free ports for everything else, and for the page unless its port is given.
        single: one instance that is alone, without a store; otherwise three that share etcd.
        exit_after: end by itself after so many seconds, counted from when it is ready.
        telephony: by what instances reach the switch. JTAPI needs a client library that reaches the simulated AES.
        class_path: of that library, with a colon between entries.
        peer: class name of its peer.
    """

    port: int | None = None
    free_ports: Annotated[bool, Parameter(negative=())] = False
    single: Annotated[bool, Parameter(negative=())] = False
    exit_after: float | None = None
    telephony: Kind = "dmcc"
    class_path: str = ""
    peer: str = ""


_DEFAULTS: Final = DemoOptions()


async def demo(options: DemoOptions = _DEFAULTS) -> int:
    """Start a whole contact centre here: switch, diallers, store, three instances; and say what to try."""
    return await run(options)


def wanted_ports(options: DemoOptions) -> Ports:
    """Return the ports that are tried first.

    Raises:
        SettingsError: the given port is none.
    """
    ports = FREE_PORTS if options.free_ports else Ports()
    if options.port is None:
        return ports
    if not 0 <= options.port <= 65_535:
        raise SettingsError("--port must be 0 to 65535; 0 takes a free one")
    return replace(ports, page=options.port)


def check_pages(static: Path = STATIC) -> None:
    """See that the desktop was built.

    Raises:
        SettingsError: it was not.
    """
    if not (static / "desktop" / "index.html").is_file():
        raise SettingsError(
            "the pages are not built; run `make setup` (or just `make demo`, which does it) and try again"
        )


async def run(options: DemoOptions) -> int:
    """Run the demo until q, Ctrl-C, SIGTERM or the end of its time.

    Returns:
        0 when it was ended by somebody or by its time, 1 when a process failed.

    Raises:
        SettingsError: an option is wrong, the pages are not built, or etcd is not installed.
    """
    wanted = wanted_ports(options)
    if options.exit_after is not None and options.exit_after < 0:
        raise SettingsError("--exit-after must not be negative")
    switch = choose_switch(options.telephony, options.class_path, options.peer)
    check_pages()
    etcd = None if options.single else find_etcd()
    folder = Path(tempfile.mkdtemp(prefix="unified-agent-demo-"))
    async with httpx.AsyncClient(trust_env=False) as http:
        status = await Demo(options, folder, http, etcd, switch).run(wanted)
    if status == 0:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        say(f"\n  Settings and logs are kept in {folder}")
    return status


class Demo:
    """One run. What it is told comes by keys and signals; what it does is done one thing at a time."""

    def __init__(
        self,
        options: DemoOptions,
        folder: Path,
        http: httpx.AsyncClient,
        etcd: str | None,
        switch: SwitchChoice = BY_DMCC,
    ) -> None:
        self._options = options
        self._centre = Centre(folder, http, lambda text: say(_indented(text)), etcd, switch)
        self._player = tricks.Player(self._centre, http, cluster=etcd is not None)
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._keys: asyncio.Queue[str] = asyncio.Queue(maxsize=20)
        self._with_keys = keyboard.is_ours(sys.stdin.fileno()) if sys.stdin is not None else False

    async def run(self, wanted: Ports) -> int:
        """Start, work, end.

        Returns:
            The exit status.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._asked_to_stop)
        keys = keyboard.single_keys(sys.stdin.fileno(), self._pressed) if self._with_keys else contextlib.nullcontext()
        status = 0
        with keys:
            try:
                await self._until_stopped(self._work(wanted))
            except ChildFailed as error:
                status = 1
                say(_indented(f"\n{error}"))
            finally:
                await self._end()
        return status

    async def _work(self, wanted: Ports) -> None:
        """Start everything, print the sheet, do what keys ask.

        Raises:
            ChildFailed: a process failed.
        """
        ports, taken = choose_ports(wanted, but=OF_A_CLUSTER if self._options.single else ())
        for number in taken:
            say(f"  Port {number} is taken; a free one is used instead.")
        by = ", reached over JTAPI" if self._options.telephony == "jtapi" else ""
        what = "two diallers and an instance" if self._options.single else "two diallers, a store and three instances"
        say(f"  Starting a switch{by}, {what} …")
        began_s = time.monotonic()
        try:
            await self._centre.start(ports)
            say(f"  Ready after {time.monotonic() - began_s:.1f} s.")
            self._print_sheet()
            await self._look_after()
        except ExceptionGroup as group:
            raise _first_failure(group) from group

    async def _look_after(self) -> None:
        """Do what keys ask, until the demo's time is over or a process does not stay."""
        playing = asyncio.ensure_future(self._play())
        try:
            async with asyncio.timeout(self._options.exit_after):
                await self._centre.watch()
        except TimeoutError:
            say(f"  {self._options.exit_after:g} s are over.")
        finally:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)

    async def _play(self) -> None:
        while True:
            key = await self._keys.get()
            if key == "?":
                self._print_sheet()
            elif key == "i":
                say(f"\n{await self._tell_status()}\n")
            elif (trick := self._player.by_key.get(key)) is not None:
                say(f"  {key}  {await self._player.play(trick)}")

    async def _tell_status(self) -> str:
        centre = self._centre
        instances = await asyncio.gather(*(centre.status(name) for name in centre.names))
        switch, *diallers = await asyncio.gather(*(centre.truth(name) for name in SIMULATORS))
        return write_status(
            dict(zip(centre.names, instances, strict=True)), switch, dict(zip(DIALLER_NAMES, diallers, strict=True))
        )

    def _print_sheet(self) -> None:
        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        say(write_sheet(self._centre, cluster=not self._options.single, keys=self._with_keys, colour=colour))

    async def _end(self) -> None:
        say("  Ending: agents are logged out, then everything stops …")
        ending, hurry = asyncio.ensure_future(self._centre.end()), asyncio.ensure_future(self._hurry.wait())
        await asyncio.wait([ending, hurry], return_when=asyncio.FIRST_COMPLETED)
        if not ending.done():
            await self._centre.end(at_once=True)
        await ending
        hurry.cancel()
        await asyncio.gather(hurry, return_exceptions=True)
        say("  All ended.")

    async def _until_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something to its end, or until we are asked to stop; then what it raises is of no interest any more."""
        working, stopped = asyncio.ensure_future(work), asyncio.ensure_future(self._stop.wait())
        await asyncio.wait([working, stopped], return_when=asyncio.FIRST_COMPLETED)
        interrupted = self._stop.is_set()
        for each in (working, stopped):
            each.cancel()
        outcome, _ = await asyncio.gather(working, stopped, return_exceptions=True)
        if isinstance(outcome, BaseException) and not interrupted:
            raise outcome

    def _pressed(self, key: str) -> None:
        if key in keyboard.END_KEYS:
            self._asked_to_stop()
        else:
            with contextlib.suppress(asyncio.QueueFull):
                self._keys.put_nowait(key)

    def _asked_to_stop(self) -> None:
        (self._hurry if self._stop.is_set() else self._stop).set()


def say(text: str) -> None:
    """Print at once; a terminal that is gone hears nothing, and the processes are ended all the same."""
    with contextlib.suppress(OSError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line else "" for line in text.splitlines())


def _first_failure(group: ExceptionGroup[Exception]) -> Exception:
    """Return what a person should hear of several failures at once: the first that is a process's own."""
    failed, _ = group.split(ChildFailed)
    first: Exception = group if failed is None else failed.exceptions[0]
    return first
