"""The whole cluster running: store, switch, diallers and four instances with their guardians, each on its own host.

Made for being broken: whatever is here can be killed, frozen, cut off and started again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx

from unified_agent.client.rest import LIMITS
from unified_agent.history import Entry, read_history
from unified_agent.sealing import make_key, write_keys
from unified_agent.tools.chaos import namespaces
from unified_agent.tools.chaos.namespaces import Network
from unified_agent.tools.chaos.places import AES, DESKS, DIALLERS, HOSTS, INSTANCES, MEMBERS, Host, at
from unified_agent.tools.chaos.plan import (
    AES_PORT,
    CONTROL_PORT,
    DIALLER_PORT,
    KEYS_FILE,
    TOKEN_FILE,
    dialler_file,
    history_file,
    instance_file,
    url_of,
)
from unified_agent.tools.chaos.store import StoreCluster
from unified_agent.tools.load.plan import DIALLER_NAMES, LoadPlan, aes_file
from unified_agent.tools.load.processes import Child, ChildFailed
from unified_agent.tools.load.usage import children_of
from unified_agent.tools.load.world import World, WorldUnreachable

Json = dict[str, Any]

#: How long the whole cluster may take until it serves, or is whole again, seconds.
WHOLE_LIMIT_S: Final = 90.0
#: How long one instance may take to say that it is ready on a busy machine, seconds.
START_LIMIT_S: Final = 60.0
_LOOK_S: Final = 0.25


class ClusterWorld(World):
    """Everything that runs, seen from where the desks are.

    Attributes:
        network: of namespaces.
        store: its members.
        instances: the processes of each instance that was started, by host: the guardian's, under which it serves.
    """

    def __init__(self, network: Network, plan: LoadPlan, folder: Path, http: httpx.AsyncClient) -> None:
        """Prepare; nothing runs yet.

        Args:
            network: made, and entered where the desks are.
            plan: the agents.
            folder: where settings, logs, data and histories go.
            http: for all requests.
        """
        control = {name: _control(host) for name, host in zip(DIALLER_NAMES, DIALLERS, strict=True)}
        super().__init__([url_of(host) for host in INSTANCES], _control(AES), control, http)
        self.network: Final = network
        self.store: Final = StoreCluster(network, MEMBERS, folder, http)
        self.instances: Final[dict[str, Child]] = {}
        self._plan = plan
        self._folder = folder
        self._starts = dict.fromkeys((host.name for host in INSTANCES), 0)
        self._token = secrets.token_urlsafe(32)

    # --- starting and ending

    async def start(self) -> None:
        """Start everything, and wait until the cluster serves.

        Raises:
            ChildFailed: something did not start.
            WorldUnreachable: the cluster does not come to serve.
        """
        now = datetime.now(UTC)
        write_keys(self._folder / KEYS_FILE, [make_key(now)], replace=False)
        token = self._folder / TOKEN_FILE
        token.touch(mode=0o600)
        token.write_text(self._token)
        await asyncio.gather(self.store.start(), self._start_peers())
        await asyncio.gather(*(self.start_instance(host) for host in INSTANCES))
        await self.until_whole()

    async def start_instance(self, host: Host) -> None:
        """Start an instance under its guardian, unless it runs.

        Raises:
            ChildFailed: it did not become ready.
        """
        running = self.instances.get(host.name)
        if running is not None and running.alive:
            return
        self._starts[host.name] += 1
        name = f"{host.name}-{self._starts[host.name]}"
        settings = self._folder / f"{host.name}.toml"
        settings.write_text(instance_file(host, self._plan, self._folder))
        self.instances[host.name] = await Child.start(
            name, ["serve", str(settings)], self._folder, START_LIMIT_S, self.network.within(host.name)
        )

    async def end(self) -> None:
        """End everything at once; nobody is waited for who has to be told first."""
        for host in INSTANCES:
            self.signal_host(host.name, signal.SIGKILL)
        await asyncio.gather(*(child.kill() for child in self.instances.values()))
        await asyncio.gather(*(child.kill() for child in self.children.values()))
        await self.store.stop()

    async def _start_peers(self) -> None:
        """Start the switch and the diallers."""
        aes_toml, apc_toml = self._folder / "aes.toml", self._folder / "apc.toml"
        aes_toml.write_text(aes_file(self._plan))
        apc_toml.write_text(dialler_file(self._plan))
        await asyncio.gather(
            self._start_peer("aes", "aes", AES, AES_PORT, aes_toml),
            *(
                self._start_peer(name, "apc", host, DIALLER_PORT, apc_toml)
                for name, host in zip(DIALLER_NAMES, DIALLERS, strict=True)
            ),
        )

    async def _start_peer(self, name: str, kind: str, host: Host, port: int, settings: Path) -> None:
        ports = ["--host", host.address, "--port", str(port), "--control-port", str(CONTROL_PORT)]
        arguments = ["simulate", kind, "--config", str(settings), *ports, "--log-level", "warning"]
        self.children[name] = await Child.start(
            name, arguments, self._folder, START_LIMIT_S, self.network.within(host.name)
        )

    # --- what is so

    async def active(self) -> str:
        """Ask which datacentre serves; empty while none does, or nobody answers."""
        told = (await self._topologies()).values()
        latest = max(told, key=lambda each: (each["epoch"], each["version"]), default=None)
        return latest["active"] if latest is not None else ""

    async def until_whole(self) -> None:
        """Wait until all instances agree who serves, those call all of them ready, and the store has a leader.

        Raises:
            WorldUnreachable: it did not come to be so.
        """
        loop = asyncio.get_running_loop()
        until_s = loop.time() + WHOLE_LIMIT_S
        while not self._is_whole(told := await self._topologies()) or await self.store.leader() is None:
            if loop.time() > until_s:
                raise WorldUnreachable(f"the cluster is not whole after {WHOLE_LIMIT_S:.0f} s; it says {told}")
            await asyncio.sleep(_LOOK_S)

    async def _topologies(self) -> dict[str, Json]:
        """Ask all instances for what they know of the cluster; those that do not answer are left out."""
        asked = (self._read(f"{url_of(host)}/v1/topology") for host in INSTANCES)
        told = await asyncio.gather(*asked, return_exceptions=True)
        return {host.name: each for host, each in zip(INSTANCES, told, strict=True) if isinstance(each, dict)}

    def _is_whole(self, told: Mapping[str, Json]) -> bool:
        """Those who serve are asked about all; in the passive datacentre an instance is not called ready."""
        active = {each["active"] for each in told.values()}
        if len(told) < len(INSTANCES) or len(active) != 1 or active == {""}:
            return False
        site = active.pop()
        well = [{"ready"} if host.site == site else {"ready", "joining"} for host in INSTANCES]
        for host in at(site, INSTANCES):
            states = {each["id"]: each["state"] for each in told[host.name]["instances"]}
            if not all(states.get(each.name) in good for each, good in zip(INSTANCES, well, strict=True)):
                return False
        return True

    def histories(self) -> list[Entry]:
        """Read what all instances have recorded so far, in the order of time for each."""
        entries: list[Entry] = []
        for host in INSTANCES:
            file = history_file(self._folder, host)
            entries += read_history(file)[0] if file.exists() else []
        return entries

    # --- orders of a person

    async def order(self, host: Host, path: str, body: Json | None = None) -> Json:
        """Order something of an instance, as an operator.

        Raises:
            WorldUnreachable: it does not answer, or refuses.
        """
        headers = {"Authorization": f"Bearer {self._token}"}
        return await self._request("POST", f"{url_of(host)}{path}", json=body or {}, headers=headers)

    # --- breaking

    def serving_pid(self, host: str) -> int | None:
        """Find the serving process of an instance, which is its guardian's child; None while it does not run."""
        guardian = self.instances.get(host)
        if guardian is None or not guardian.alive:
            return None
        return next(iter(children_of(guardian.pid)), None)

    def signal_serving(self, host: str, number: signal.Signals) -> None:
        """Send a signal to the serving process of an instance, and not to its guardian."""
        pid = self.serving_pid(host)
        if pid is not None:
            _send(pid, number)

    def signal_host(self, host: str, number: signal.Signals) -> None:
        """Send a signal to all processes of an instance, as if the whole machine stopped."""
        guardian = self.instances.get(host)
        if guardian is None or not guardian.alive:
            return
        serving = children_of(guardian.pid)
        java = [pid for each in serving for pid in children_of(each)]
        for pid in (*java, *serving, guardian.pid):
            _send(pid, number)

    async def kill_site(self, site: str) -> None:
        """Kill everything of ours at a site, all at once."""
        for host in at(site, INSTANCES):
            self.signal_host(host.name, signal.SIGKILL)
        await asyncio.gather(*(self.store.members[host.name].kill() for host in at(site, MEMBERS)))

    async def start_missing(self) -> None:
        """Start whatever does not run: members of the store and instances."""
        await self.store.start()
        for host in INSTANCES:
            await self._until_gone(host)
        await asyncio.gather(*(self.start_instance(host) for host in INSTANCES))

    async def _until_gone(self, host: Host) -> None:
        """Wait for a guardian whose serving process has ended: it may still be proving that."""
        guardian = self.instances.get(host.name)
        loop = asyncio.get_running_loop()
        until_s = loop.time() + START_LIMIT_S
        while guardian is not None and guardian.alive and not children_of(guardian.pid):
            if loop.time() > until_s:
                raise ChildFailed(f"the guardian of {host.name} does not end")
            await asyncio.sleep(_LOOK_S)


@contextlib.asynccontextmanager
async def started_cluster(plan: LoadPlan, folder: Path) -> AsyncIterator[ClusterWorld]:
    """Make the network, start everything in it, enter it where the desks are; end and remove it all afterwards.

    Args:
        plan: the agents.
        folder: where settings, logs, data and histories go.

    Raises:
        NetworkFailed, ChildFailed, WorldUnreachable: something could not be made or started.
    """
    await namespaces.remove_left_behind()
    network = Network(HOSTS)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(network.remove)
        await network.make()
        stack.enter_context(network.entered(DESKS.name))
        http = await stack.enter_async_context(httpx.AsyncClient(limits=LIMITS, trust_env=False))
        world = ClusterWorld(network, plan, folder, http)
        stack.push_async_callback(world.end)
        await world.start()
        yield world


def _control(host: Host) -> str:
    return f"http://{host.address}:{CONTROL_PORT}"


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
