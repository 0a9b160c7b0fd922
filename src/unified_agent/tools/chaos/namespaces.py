"""A network of our own: a namespace for each host, a router between them, and ways to break what is between.

Nothing of it can be seen from outside its namespaces, and it has no way out. The router forwards; a cut is a rule in it
that swallows packets of one direction without a word, as a broken line does: neither side is told anything. Needs root,
and Linux' ``ip``.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Final

from unified_agent.errors import SettingsError, UnifiedAgentError
from unified_agent.tools.chaos.places import ROUTER_ADDRESS, Host, addresses_of

Command = tuple[str, ...]
Run = Callable[[Command], Awaitable[str]]

#: What the names of all our namespaces begin with, before the id of the process that made them.
TAG: Final = "ua-chaos"
_ROUTER: Final = "router"
_NAMES: Final = Path("/run/netns")
_CUTS: Final = "100"
_FROM_LINE: Final = "150"
_TO_LINE: Final = "200"
_LINE: Final = "line"
_LINE_TABLE: Final = "7"
_CLONE_NEWNET: Final = 0x40000000


class NetworkFailed(UnifiedAgentError):
    """A command on our namespaces failed. The message carries it and its words."""

    code: ClassVar[str] = "chaos.network-failed"


def check_possible() -> None:
    """See that namespaces can be made here.

    Raises:
        SettingsError: they cannot, and why.
    """
    if os.geteuid() != 0:
        raise SettingsError(
            "network namespaces can be made by root only: run this as root, best on a machine for tests"
        )
    if shutil.which("ip") is None:
        raise SettingsError("there is no program 'ip' here; Debian has it in the package iproute2")


async def run_command(command: Command) -> str:
    """Run a command and return what it says.

    Raises:
        NetworkFailed: it ended with another status than 0.
    """
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, errors = await process.communicate()
    if process.returncode != 0:
        raise NetworkFailed(f"{' '.join(command)}: {errors.decode(errors='replace').strip()}")
    return out.decode()


class Network:
    """All namespaces of one run. ``make``, then break and mend, then ``remove``, also after a ``make`` that failed."""

    def __init__(self, hosts: Sequence[Host], *, owner: int | None = None, run: Run = run_command) -> None:
        """Prepare; nothing is made yet.

        Args:
            hosts: each gets a namespace.
            owner: id of the process to which they belong, ours when None.
            run: runs a command; tests bring their own.
        """
        self._hosts: Final = tuple(hosts)
        self._tag = f"{TAG}-{owner if owner is not None else os.getpid()}"
        self._run = run
        self._cuts: list[tuple[str, str]] = []
        self._bad: list[tuple[str, str]] = []
        self._line: asyncio.subprocess.Process | None = None

    def within(self, host: str) -> Command:
        """Return what must stand before a command so that it runs on a host."""
        return ("ip", "netns", "exec", self._name(host))

    async def make(self) -> None:
        """Make all namespaces and the links between them.

        Raises:
            NetworkFailed: something could not be made; ``remove`` takes away what was.
        """
        router = self._name(_ROUTER)
        await self._all(
            ("ip", "netns", "add", router),
            ("ip", "-n", router, "link", "set", "lo", "up"),
            (*self.within(_ROUTER), "sh", "-c", _FORWARD),
            ("ip", "-n", router, "rule", "add", "pref", _FROM_LINE, "iif", _LINE, "lookup", "main"),
            ("ip", "-n", router, "tuntap", "add", _LINE, "mode", "tun"),
            ("ip", "-n", router, "link", "set", _LINE, "up"),
            ("ip", "-n", router, "route", "add", "default", "dev", _LINE, "table", _LINE_TABLE),
        )
        for host in self._hosts:
            name = self._name(host.name)
            await self._all(
                ("ip", "netns", "add", name),
                ("ip", "-n", router, "link", "add", host.name, "type", "veth", "peer", "name", "eth0", "netns", name),
                ("ip", "-n", router, "addr", "add", f"{ROUTER_ADDRESS}/32", "dev", host.name),
                ("ip", "-n", router, "link", "set", host.name, "up"),
                ("ip", "-n", router, "route", "add", f"{host.address}/32", "dev", host.name),
                ("ip", "-n", name, "link", "set", "lo", "up"),
                ("ip", "-n", name, "addr", "add", f"{host.address}/32", "dev", "eth0"),
                ("ip", "-n", name, "link", "set", "eth0", "up"),
                ("ip", "-n", name, "route", "add", "default", "via", ROUTER_ADDRESS, "dev", "eth0", "onlink"),
            )

    async def remove(self) -> None:
        """Take all namespaces away, with whatever still runs in them. Harmless when there are none."""
        await self.repair_line()
        await remove_namespaces(self._tag, self._run)

    # --- breaking and mending

    async def cut(self, origin: str, target: str) -> None:
        """Swallow what goes from one place to another; each a host, a site, or empty for everywhere."""
        await self._run(self._rule("add", origin, target, _CUTS, "blackhole"))
        self._cuts.append((origin, target))

    async def cut_both(self, one: str, other: str) -> None:
        """Swallow what goes between two places, in both directions."""
        await self.cut(one, other)
        await self.cut(other, one)

    async def mend(self) -> None:
        """Undo every cut, and the bad line."""
        while self._cuts:
            await self._run(self._rule("del", *self._cuts.pop(), _CUTS, "blackhole"))
        await self.repair_line()

    async def spoil_line(self, one: str, other: str, *, delay_s: float, jitter_s: float, loss: float) -> None:
        """Let what goes between two places, in both directions, suffer from a bad line, until it is repaired.

        Raises:
            NetworkFailed: the line could not be set up.
        """
        assert self._line is None, "there is one bad line only"
        figures = (str(delay_s), str(jitter_s), str(loss))
        program = (sys.executable, "-m", "unified_agent.tools.chaos.bad_line", _LINE, *figures)
        self._line = await asyncio.create_subprocess_exec(
            *self.within(_ROUTER), *program, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
        )
        assert self._line.stdout is not None
        if await self._line.stdout.readline() != b"ready\n":
            raise NetworkFailed("the bad line ended before it was ready")
        for way in ((one, other), (other, one)):
            await self._run(self._rule("add", *way, _TO_LINE, "lookup", _LINE_TABLE))
            self._bad.append(way)

    async def repair_line(self) -> None:
        """Let everything go its usual way again."""
        while self._bad:
            await self._run(self._rule("del", *self._bad.pop(), _TO_LINE, "lookup", _LINE_TABLE))
        line, self._line = self._line, None
        if line is not None:
            with contextlib.suppress(ProcessLookupError):
                line.kill()
            await line.wait()

    @contextlib.contextmanager
    def entered(self, host: str) -> Iterator[None]:
        """Let this thread, and what it starts, use the network of a host; then its own again."""
        own = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        there = os.open(_NAMES / self._name(host), os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(there)
            try:
                yield
            finally:
                _enter(own)
        finally:
            os.close(there)
            os.close(own)

    # --- inside

    def _name(self, host: str) -> str:
        return f"{self._tag}-{host}"

    def _rule(self, verb: str, origin: str, target: str, priority: str, *what: str) -> Command:
        ways = ("from", addresses_of(origin), "to", addresses_of(target))
        return ("ip", "-n", self._name(_ROUTER), "rule", verb, "pref", priority, *ways, *what)

    async def _all(self, *commands: Command) -> None:
        for command in commands:
            await self._run(command)


#: A router forwards, and takes back from the bad line what it has sent there itself.
_FORWARD: Final = (
    "for each in all default; do echo 0 > /proc/sys/net/ipv4/conf/$each/rp_filter; done; "
    "echo 1 > /proc/sys/net/ipv4/ip_forward"
)


def left_behind(names: Iterable[str], is_alive: Callable[[int], bool]) -> list[str]:
    """Return the tags of runs whose process has died without removing its namespaces.

    Args:
        names: of all namespaces of this machine.
        is_alive: says whether a process is there.
    """
    tags = set()
    for name in names:
        words = name.removeprefix(f"{TAG}-").split("-")
        if name.startswith(f"{TAG}-") and words[0].isdigit() and not is_alive(int(words[0])):
            tags.add(f"{TAG}-{words[0]}")
    return sorted(tags)


async def remove_left_behind(run: Run = run_command) -> list[str]:
    """Remove the namespaces of runs that were killed, and end what runs in them; return their tags."""
    names = [each.name for each in _NAMES.iterdir()] if _NAMES.is_dir() else []
    tags = left_behind(names, lambda pid: Path(f"/proc/{pid}").exists())
    for tag in tags:
        await remove_namespaces(tag, run)
    return tags


async def remove_namespaces(tag: str, run: Run = run_command) -> None:
    """End what runs in the namespaces of a run, and remove them."""
    names = [line.split()[0] for line in (await run(("ip", "netns", "list"))).splitlines()]
    for name in [each for each in names if each.startswith(f"{tag}-")]:
        for pid in (await run(("ip", "netns", "pids", name))).split():
            if int(pid) != os.getpid():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
        await run(("ip", "netns", "del", name))


def _enter(namespace: int) -> None:
    # ``os.setns`` comes with Python 3.12.
    if ctypes.CDLL(None, use_errno=True).setns(namespace, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
