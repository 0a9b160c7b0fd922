"""What is measured: an instance with a simulated AES and simulated diallers, started by us or attached to."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import httpx

from unified_agent.client import Desk
from unified_agent.errors import UnifiedAgentError
from unified_agent.tools.load.plan import DIALLER_NAMES, LoadPlan, aes_file, apc_file, instance_file
from unified_agent.tools.load.processes import Child
from unified_agent.tools.load.truths import by_name
from unified_agent.tools.load.usage import children_of

Json = dict[str, Any]

#: One request to a control port or the instance, seconds.
REQUEST_LIMIT_S: Final = 20.0


class WorldUnreachable(UnifiedAgentError):
    """The instance or a control port does not answer as it should."""

    code: ClassVar[str] = "load.world-unreachable"


@dataclass(frozen=True, slots=True)
class Truths:
    """What is true at the switch, and of the agents at each dialler that can be asked, by dialler and name."""

    switch: Json
    diallers: Mapping[str, Mapping[str, Json]]


class World:
    """One instance or several, and the surroundings.

    Attributes:
        aes: URL of the AES simulator's control port.
        diallers: URLs of the dialler simulators' control ports, by the diallers' names in the instance's settings.
        http: for all requests.
        children: our own processes by name, empty when attached.
    """

    def __init__(
        self,
        urls: str | Sequence[str],
        aes: str,
        diallers: Mapping[str, str],
        http: httpx.AsyncClient,
        children: Mapping[str, Child] | None = None,
    ) -> None:
        self._urls = tuple(each.rstrip("/") for each in ([urls] if isinstance(urls, str) else urls))
        self.aes: Final = aes.rstrip("/")
        self.diallers: Final = {name: each.rstrip("/") for name, each in diallers.items()}
        self.http: Final = http
        self.children: Final = dict(children or {})

    @property
    def urls(self) -> tuple[str, ...]:
        """Where desktops reach the instances; with one of several they learn of the others."""
        return self._urls

    @property
    def pids(self) -> dict[str, int]:
        """Processes that can be watched, by name; ``load`` is our own, ``java`` that of the instance for JTAPI."""
        ours = {name: child.pid for name, child in self.children.items() if child.alive}
        java = children_of(ours["instance"]) if "instance" in ours else []
        return {**ours, **dict(zip(["java"], java, strict=False)), "load": os.getpid()}

    def check(self) -> None:
        """Raise when a process of ours has ended by itself.

        Raises:
            ChildFailed: one has.
        """
        for child in self.children.values():
            child.check()

    async def truths(self) -> Truths:
        """Ask switch and diallers, all at once; a dialler that cannot be asked is left out.

        Raises:
            WorldUnreachable: the AES simulator cannot be asked.
        """
        asked = [self._read(f"{url}/truth") for url in (self.aes, *self.diallers.values())]
        switch, *diallers = await asyncio.gather(*asked, return_exceptions=True)
        if isinstance(switch, BaseException):
            raise switch
        return Truths(
            switch,
            {
                name: by_name(told)
                for name, told in zip(self.diallers, diallers, strict=True)
                if not isinstance(told, BaseException)
            },
        )

    async def session(self, desk: Desk) -> Json:
        """Ask the instance that serves a desk for its session: ``{epoch, seq, at, view}``.

        Raises:
            WorldUnreachable: it does not answer, or the session is not known.
        """
        return await self._read(f"{desk.server}/v1/session", desk.headers)

    async def status(self) -> Json:
        """Ask for the status of the first instance that answers.

        Raises:
            WorldUnreachable: none does.
        """
        for url in self.urls[:-1]:
            with contextlib.suppress(WorldUnreachable):
                return await self._read(f"{url}/v1/status")
        return await self._read(f"{self.urls[-1]}/v1/status")

    async def act(self, url: str, path: str, body: Json) -> Json:
        """Ask something of a control port.

        Raises:
            WorldUnreachable: it does not answer, or refuses.
        """
        return await self._request("POST", f"{url}{path}", json=body)

    async def set_traffic(self, calls_per_minute: float) -> None:
        """Let so many callers ring in at the switch."""
        body = {"running": calls_per_minute > 0, "calls_per_minute": calls_per_minute}
        await self.act(self.aes, "/traffic", body)

    async def kill_dialler(self, name: str) -> None:
        """Let a dialler crash: our own child is killed, another's is told to go down without a word."""
        child = self.children.get(name)
        if child is not None:
            del self.children[name]
            await child.kill()
        else:
            await self.act(self.diallers[name], "/dialler/down", {"announce": False})

    async def _read(self, url: str, headers: Mapping[str, str] | None = None) -> Json:
        return await self._request("GET", url, headers=headers)

    async def _request(self, method: str, url: str, **options: Any) -> Json:
        try:
            answer = await self.http.request(method, url, timeout=REQUEST_LIMIT_S, **options)
            answer.raise_for_status()
            content: Json = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise WorldUnreachable(f"{method} {url}: {error!r}") from error
        return content


@contextlib.asynccontextmanager
async def started_world(plan: LoadPlan, folder: Path, http: httpx.AsyncClient) -> AsyncIterator[World]:
    """Start everything on free ports of this machine, each in a process of its own; end it all afterwards.

    Args:
        plan: what is put on it.
        folder: where settings and logs go.
        http: for all requests.

    Raises:
        ChildFailed: a process did not start.
    """
    children: dict[str, Child] = {}
    try:
        ports = ["--port", "0", "--control-port", "0", "--log-level", "warning"]
        aes_toml, apc_toml, instance_toml = (folder / f"{name}.toml" for name in ("aes", "apc", "instance"))
        aes_toml.write_text(aes_file(plan))
        apc_toml.write_text(apc_file(plan))
        children["aes"] = await Child.start("aes", ["simulate", "aes", "--config", str(aes_toml), *ports], folder)
        for name in DIALLER_NAMES:
            children[name] = await Child.start(name, ["simulate", "apc", "--config", str(apc_toml), *ports], folder)
        diallers = [children[name].address("plain") for name in DIALLER_NAMES]
        instance_toml.write_text(instance_file(plan, children["aes"].address("plain"), diallers))
        children["instance"] = await Child.start("instance", ["serve", str(instance_toml)], folder)
        world = World(
            children["instance"].told["http"],
            children["aes"].told["control"],
            {name: children[name].told["control"] for name in DIALLER_NAMES},
            http,
            children,
        )
        yield world
    finally:
        for name in ("instance", "aes", *DIALLER_NAMES):  # the instance first: it leaves in good order
            if name in children:
                await children[name].end()


async def attached_world(
    urls: str | Sequence[str], aes: str, diallers: Sequence[str], http: httpx.AsyncClient
) -> World:
    """Attach to instances and simulators that run already.

    Args:
        urls: of the instances; they must let us read their status.
        aes: URL of the AES simulator's control port.
        diallers: URLs of the dialler simulators' control ports, in the order of the instances' settings.
        http: for all requests.

    Raises:
        WorldUnreachable: no instance does tell its status, or it has another number of diallers.
    """
    world = World(urls, aes, {}, http)
    names = [link["name"] for link in (await world.status())["links"] if link["kind"] == "dialler"]
    if len(names) != len(diallers):
        raise WorldUnreachable(f"there are {len(names)} diallers; give as many --dialler-control, in their order")
    return World(urls, aes, dict(zip(names, diallers, strict=True)), http)
