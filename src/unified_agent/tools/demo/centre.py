"""The processes of the demo: a simulated AES, two simulated diallers, a store, instances; and how they are.

A process that ends by itself is started again after a while where it was, as systemd would do in a real centre; what
it knew is lost. When one does not stay, the demo is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx

from unified_agent.sealing import make_key, write_keys
from unified_agent.tools.demo.plan import (
    AWAY_S,
    DIALLER_NAMES,
    DIALLER_WAIT_S,
    INSTANCE_NAMES,
    ClusterPlan,
    aes_file,
    instance_file,
    url_at,
)
from unified_agent.tools.demo.ports import HOST, Ports, number_ports
from unified_agent.tools.demo.store import STORE, etcd_command, start_store
from unified_agent.tools.load.processes import Child, ChildFailed
from unified_agent.tools.load.usage import children_of
from unified_agent.tools.switch_choice import BY_DMCC, SwitchChoice

Json = dict[str, Any]

AES: Final = "aes"
SIMULATORS: Final = (AES, *DIALLER_NAMES)
#: How long instances and links may take until they are up, seconds, and how often they are asked.
READY_LIMIT_S: Final = 60.0
_ASK_EVERY_S: Final = 0.05
#: How often the processes are looked at, seconds.
_LOOK_EVERY_S: Final = 0.2
#: One that ended so often, each time within so many seconds of its start, is not started again.
_ENDS_LIMIT: Final = 5
_STAYED_S: Final = 10.0
#: In the command line of the process that an instance starts for JTAPI.
_HOLDS_JAVA: Final = b"unified_agent.links.telephony.jtapi.process"
#: Exit statuses of a process that was killed: our child, and the child of its guardian as a shell would say it.
_KILLED: Final = frozenset({-signal.SIGKILL, 128 + signal.SIGKILL})


class Centre:
    """All processes. ``start``, ``watch``, ``end``; ``end`` also after a ``start`` that failed or was cancelled.

    Attributes:
        names: of the instances.
        children: the processes that were started, by name; of an instance its guardian where there is one.
        folder: where settings and logs are, and NAME.pid of each process that runs.
    """

    def __init__(
        self,
        folder: Path,
        http: httpx.AsyncClient,
        say: Callable[[str], None],
        etcd: str | None,
        switch: SwitchChoice = BY_DMCC,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            folder: where settings and logs go.
            http: for asking the instances.
            say: told what happens to the processes, in lines for a person.
            etcd: the program; None for one instance that is alone.
            switch: by what the instances reach it.
        """
        self.names: Final = INSTANCE_NAMES[:1] if etcd is None else INSTANCE_NAMES
        self.folder: Final = folder
        self.children: Final[dict[str, Child]] = {}
        self._http = http
        self._say = say
        self._etcd = etcd
        self._switch = switch
        self._recipes: dict[str, Callable[[], Coroutine[Any, Any, Child]]] = {}
        self._started_s: dict[str, float] = {}
        self._ends: dict[str, int] = {}
        self._quick_ends: dict[str, int] = {}
        self._away: set[str] = set()
        self._ending = False

    # --- what tricks are played on

    @property
    def controls(self) -> dict[str, str]:
        """Addresses of the simulators' control ports, by name."""
        return {name: self.children[name].told["control"] for name in SIMULATORS}

    @property
    def urls(self) -> dict[str, str]:
        """The pages' addresses by instance, without a slash at their ends."""
        return {name: self.children[name].told["http"].rstrip("/") for name in self.names}

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of all that run now, by name; of an instance that of the process that serves."""
        return {name: serving_pid(child.pid) for name, child in self.children.items() if child.alive}

    @property
    def program(self) -> str:
        """How our own command is called in a shell here."""
        return our_program(sys.argv[0], sys.executable)

    # --- life

    async def start(self, ports: Ports) -> None:
        """Start everything and wait until all instances are ready and their links are up.

        Raises:
            ChildFailed: a process did not start, or an instance did not become ready; with the end of its log.
        """
        (self.folder / "aes.toml").write_text(aes_file())
        async with asyncio.TaskGroup() as tasks:
            for each in self._peers(ports := number_ports(ports)):
                tasks.create_task(each)
        cluster = None if self._etcd is None else self._plan_cluster(ports)
        aes = self.children[AES].address("plain")
        diallers = tuple(self.children[name].address("plain") for name in DIALLER_NAMES)
        async with asyncio.TaskGroup() as tasks:
            for name, port in zip(self.names, ports.pages, strict=False):
                file = self.folder / f"{name}.toml"
                file.write_text(instance_file(name, port, aes, diallers, cluster, ports.page, self._switch))
                tasks.create_task(self._begin(name, ["serve", str(file)]))
        await self._wait_ready()

    async def watch(self) -> None:
        """Look after the processes until the demo cannot go on.

        Raises:
            ChildFailed: a process ended again and again; with the end of its log.
        """
        async with asyncio.TaskGroup() as tasks:
            while True:
                await asyncio.sleep(_LOOK_EVERY_S)
                for name, child in tuple(self.children.items()):
                    if not child.alive and name not in self._away and not self._ending:
                        self._away.add(name)
                        tasks.create_task(self._replace(name, child))

    async def end(self, *, at_once: bool = False) -> None:
        """End all processes, instances first, so that they log their agents out. Harmless when repeated.

        Args:
            at_once: kill them.
        """
        self._ending = True
        for pid in self.pids.values():  # one that was frozen would not hear that it is to end
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if at_once else signal.SIGCONT)
        instances = [child for name, child in self.children.items() if name in self.names]
        others = [child for name, child in self.children.items() if name not in self.names]
        if at_once:
            await asyncio.gather(*(child.kill() for child in (*instances, *others)))
            return
        await asyncio.gather(*(child.end() for child in instances))
        await asyncio.gather(*(child.end() for child in others))

    # --- asking

    async def status(self, name: str) -> Json | None:
        """Ask an instance for its status, None when it does not answer."""
        return await self._ask(f"{self.urls[name]}/v1/status")

    async def truth(self, name: str) -> Json | None:
        """Ask a simulator for what is true there, None when it does not answer."""
        return await self._ask(f"{self.controls[name]}/truth")

    # --- parts

    def _peers(self, ports: Ports) -> Iterable[Coroutine[Any, Any, None]]:
        """Yield what starts all that instances are linked to."""
        plan = str(self.folder / "aes.toml")
        yield self._begin_simulator(AES, ["aes", "--config", plan], ports.aes, ports.aes_control)
        where = ((ports.dialler_1, ports.dialler_1_control), (ports.dialler_2, ports.dialler_2_control))
        for name, (port, control) in zip(DIALLER_NAMES, where, strict=True):
            yield self._begin_simulator(name, ["apc", "--wait-s", str(DIALLER_WAIT_S)], port, control)
        if self._etcd is not None:
            command = etcd_command(self._etcd, self.folder / STORE, ports.store, ports.store_peer)
            self._recipes[STORE] = lambda: start_store(command, ports.store, self.folder, self._http)
            yield self._run(STORE)

    def _plan_cluster(self, ports: Ports) -> ClusterPlan:
        keys_file = self.folder / "cluster.keys"
        write_keys(keys_file, [make_key(datetime.now(UTC))], replace=False)
        urls = {name: url_at(port) for name, port in zip(self.names, ports.pages, strict=True)}
        return ClusterPlan(urls=urls, store=ports.store, keys_file=keys_file)

    async def _begin_simulator(self, name: str, arguments: list[str], port: int, control: int) -> None:
        where = ["--host", HOST, "--port", str(port), "--control-port", str(control)]
        await self._begin(name, ["simulate", *arguments, *where])
        # Wherever it listens now, there it is to be found again.
        plain, told = self.children[name].address("plain"), self.children[name].told["control"]
        again = ["--host", HOST, "--port", str(plain[1]), "--control-port", told.rpartition(":")[2]]
        self._remember(name, ["simulate", *arguments, *again])

    async def _begin(self, name: str, arguments: list[str]) -> None:
        self._remember(name, arguments)
        await self._run(name)

    def _remember(self, name: str, arguments: list[str]) -> None:
        self._recipes[name] = lambda: Child.start(name, arguments, self.folder)

    async def _run(self, name: str) -> None:
        """Start a process as it was started before."""
        self.children[name] = child = await self._recipes[name]()
        self._started_s[name] = time.monotonic()
        (self.folder / f"{name}.pid").write_text(f"{serving_pid(child.pid)}\n")

    async def _replace(self, name: str, child: Child) -> None:
        """Tell of a process that has ended, and start it again after a while."""
        stayed = time.monotonic() - self._started_s[name] >= _STAYED_S
        self._quick_ends[name] = 0 if stayed else self._quick_ends.get(name, 0) + 1
        if self._quick_ends[name] >= _ENDS_LIMIT:
            child.check()
        self._ends[name] = self._ends.get(name, 0) + 1
        kept = child.log.with_suffix(f".{self._ends[name]}.log")
        self._say(_told_of(child, kept))
        child.log.rename(kept)
        await asyncio.sleep(AWAY_S)
        await self._run(name)
        self._away.discard(name)
        self._say(f"{name} is back.")

    async def _wait_ready(self) -> None:
        until_s = time.monotonic() + READY_LIMIT_S
        for name in self.names:
            while not await self._is_ready(name):
                self.children[name].check()
                if time.monotonic() > until_s:
                    raise ChildFailed(f"{name} was not ready, or its links were not up, within {READY_LIMIT_S:.0f} s")
                await asyncio.sleep(_ASK_EVERY_S)

    async def _is_ready(self, name: str) -> bool:
        """Say whether an instance takes agents, has its links, and knows all others to do so."""
        if await self._ask(f"{self.urls[name]}/readyz") is None:
            return False
        status, cluster = await self.status(name), await self._ask(f"{self.urls[name]}/v1/cluster")
        if status is None or cluster is None:
            return False
        ready = [each for each in cluster["instances"] if each["state"] == "ready"]
        return len(ready) == len(self.names) and all(link["state"] == "up" for link in status["links"])

    async def _ask(self, url: str) -> Json | None:
        try:
            answer = await self._http.get(url, timeout=5.0)
            content: Json = answer.json()
        except (httpx.HTTPError, ValueError):
            return None
        return content if answer.is_success else None


def serving_pid(pid: int) -> int:
    """Return the process that serves: the child of a guardian, or the process itself where there is none.

    An instance that is its own may have a child too, for JTAPI.
    """
    with contextlib.suppress(OSError):  # it ends just now
        for child in children_of(pid):
            if _HOLDS_JAVA not in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
                return child
    return pid


def our_program(called: str, python: str) -> str:
    """Return how ``unified-agent`` is called in a shell.

    Args:
        called: as this process was.
        python: that runs us; our command stands beside it.
    """
    return called if Path(called).name == "unified-agent" else str(Path(python).with_name("unified-agent"))


def _told_of(child: Child, kept: Path) -> str:
    """Say that a process has ended; with the end of its log, unless somebody killed it."""
    try:
        child.check()
    except ChildFailed as failed:
        first, _, tail = str(failed).partition("\n")
        more = f"\n{tail}\n" if tail and child.status not in _KILLED else ""
        return f"{first}; its log is kept as {kept.name}; it is started again in {AWAY_S:.0f} s.{more}"
    raise AssertionError(f"{child.name} runs")
