"""The processes of the demo: a simulated AES, two simulated diallers, one instance; and how they are.

A simulator that ends by itself is started again where it was, as a machine in a real centre would be; what it knew is
lost. When the instance ends, or a simulator does not stay, the demo is over.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx

from unified_agent.tools.demo.plan import AWAY_S, DIALLER_NAMES, DIALLER_WAIT_S, aes_file, instance_file
from unified_agent.tools.demo.ports import HOST, Ports
from unified_agent.tools.load.processes import Child, ChildFailed

Json = dict[str, Any]

AES: Final = "aes"
INSTANCE: Final = "instance"
#: How long instance and links may take until they are up, seconds, and how often they are asked.
READY_LIMIT_S: Final = 30.0
_ASK_EVERY_S: Final = 0.05
#: How often the processes are looked at, seconds.
_LOOK_EVERY_S: Final = 0.2
#: A simulator that ends so often is not started again.
_ENDS_LIMIT: Final = 5


class Centre:
    """All processes. ``start``, ``watch``, ``end``; ``end`` also after a ``start`` that failed or was cancelled.

    Attributes:
        children: the processes that were started, by name.
    """

    def __init__(self, folder: Path, http: httpx.AsyncClient, say: Callable[[str], None]) -> None:
        """Prepare; nothing runs yet.

        Args:
            folder: where settings and logs go.
            http: for asking the instance.
            say: told what happens to the processes, in lines for a person.
        """
        self._folder = folder
        self._http = http
        self._say = say
        self.children: Final[dict[str, Child]] = {}
        self._ends: dict[str, int] = {}
        self._arguments: dict[str, list[str]] = {}
        self._ending = False

    @property
    def url(self) -> str:
        """The page's address, without a slash at its end."""
        return self.children[INSTANCE].told["http"].rstrip("/")

    @property
    def controls(self) -> dict[str, str]:
        """Addresses of the simulators' control ports, by name."""
        return {name: self.children[name].told["control"] for name in (AES, *DIALLER_NAMES)}

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the simulators, by name."""
        return {name: self.children[name].pid for name in (AES, *DIALLER_NAMES)}

    async def start(self, ports: Ports) -> None:
        """Start everything and wait until the instance is ready and its links are up.

        Raises:
            ChildFailed: a process did not start, or the instance did not become ready; with the end of its log.
        """
        aes_toml, instance_toml = self._folder / "aes.toml", self._folder / "instance.toml"
        aes_toml.write_text(aes_file())
        dialler_ports = ((ports.dialler_1, ports.dialler_1_control), (ports.dialler_2, ports.dialler_2_control))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._begin(AES, ["aes", "--config", str(aes_toml)], ports.aes, ports.aes_control))
            for name, (port, control) in zip(DIALLER_NAMES, dialler_ports, strict=True):
                tasks.create_task(self._begin(name, ["apc", "--wait-s", str(DIALLER_WAIT_S)], port, control))
        diallers = tuple(self.children[name].address("plain") for name in DIALLER_NAMES)
        instance_toml.write_text(instance_file(ports.page, self.children[AES].address("plain"), diallers))
        self.children[INSTANCE] = await Child.start(INSTANCE, ["serve", str(instance_toml)], self._folder)
        await self._wait_ready()

    async def watch(self) -> None:
        """Look after the processes until the demo cannot go on.

        Raises:
            ChildFailed: the instance ended, or a simulator again and again; with the end of its log.
        """
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            for name, child in tuple(self.children.items()):
                if not child.alive and not self._ending:
                    await self._replace(name, child)

    async def status(self) -> Json | None:
        """Ask the instance for its status, None when it does not answer."""
        return await self._ask(f"{self.url}/v1/status")

    async def truth(self, name: str) -> Json | None:
        """Ask a simulator for what is true there, None when it does not answer."""
        return await self._ask(f"{self.controls[name]}/truth")

    async def end(self, *, at_once: bool = False) -> None:
        """End all processes, the instance first, so that it logs its agents out. Harmless when repeated.

        Args:
            at_once: kill them.
        """
        self._ending = True
        instance = self.children.get(INSTANCE)
        others = [child for name, child in self.children.items() if name != INSTANCE]
        if at_once:
            await asyncio.gather(*(child.kill() for child in self.children.values()))
            return
        if instance is not None:
            await instance.end()
        await asyncio.gather(*(child.end() for child in others))

    async def _begin(self, name: str, arguments: list[str], port: int, control: int) -> None:
        where = ["--host", HOST, "--port", str(port), "--control-port", str(control)]
        self.children[name] = await Child.start(name, ["simulate", *arguments, *where], self._folder)
        # Wherever it listens now, there it is to be found again.
        plain, told = self.children[name].address("plain"), self.children[name].told["control"]
        again = ["--host", HOST, "--port", str(plain[1]), "--control-port", told.rpartition(":")[2]]
        self._arguments[name] = ["simulate", *arguments, *again]

    async def _replace(self, name: str, child: Child) -> None:
        self._ends[name] = self._ends.get(name, 0) + 1
        if name == INSTANCE or self._ends[name] >= _ENDS_LIMIT:
            child.check()
        try:
            child.check()
        except ChildFailed as error:
            self._say(f"{error}\n")
        child.log.rename(child.log.with_suffix(f".{self._ends[name]}.log"))
        self._say(f"{name} is started again in {AWAY_S:.0f} s.")
        await asyncio.sleep(AWAY_S)
        self.children[name] = await Child.start(name, self._arguments[name], self._folder)
        self._say(f"{name} is back.")

    async def _wait_ready(self) -> None:
        instance = self.children[INSTANCE]
        until_s = time.monotonic() + READY_LIMIT_S
        while time.monotonic() < until_s:
            instance.check()
            if await self._ask(f"{self.url}/readyz") is not None:
                status = await self.status()
                if status is not None and all(link["state"] == "up" for link in status["links"]):
                    return
            await asyncio.sleep(_ASK_EVERY_S)
        raise ChildFailed(f"{INSTANCE} was not ready, or its links were not up, within {READY_LIMIT_S:.0f} s")

    async def _ask(self, url: str) -> Json | None:
        try:
            answer = await self._http.get(url, timeout=5.0)
            content: Json = answer.json()
        except (httpx.HTTPError, ValueError):
            return None
        return content if answer.is_success else None
