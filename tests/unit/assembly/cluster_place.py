"""Whole instances of a cluster on one virtual loop, with nobody at the switch and the diallers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from random import Random
from typing import Any

import httpx
from msgspec.structs import replace
from tests.simulation.network import SimNetwork
from tests.simulation.sites import AES, aes_site
from tests.simulation.world import EPOCH_S, settings

from unified_agent.assembly import Instance
from unified_agent.clock import LoopClock
from unified_agent.cluster.stores.memory import MemoryStore
from unified_agent.cluster.stores.memory_engine import MemoryEngine
from unified_agent.domain.ids import InstanceId
from unified_agent.sealing import Keyring
from unified_agent.settings import ClusterSettings, PeerSettings
from unified_agent.tools.simulators.aes.server import AesServer


def _text(secrets: Random, size: int) -> str:
    return secrets.randbytes(size).hex()


LOGIN = {"agent": "5001", "station": "2001", "password": "1234", "dialler": None}


class ClusterPlace:
    """Instances by name; those whose names begin with ``w`` are in the datacentre ``west``, all others in ``east``."""

    def __init__(self, *names: str) -> None:
        clock = LoopClock(asyncio.get_running_loop(), wall_s=lambda: EPOCH_S)
        network = SimNetwork(Random(1))
        self.engine = MemoryEngine(clock)
        self.aes = AesServer(aes_site(Random(2), agents=4), clock=clock, chance=Random(3))
        for name in AES:
            network.listen(name, 4721, self.aes.new_socket)
        keyring = Keyring.random(now_s=clock.now_s)
        both = ("east", "west") if any(name.startswith("w") for name in names) else ()
        self.instances: dict[str, Instance] = {}
        for name in names:
            secrets = Random(name)
            cluster = ClusterSettings(
                datacentre="west" if name.startswith("w") else "east",
                datacentres=both,
                url=f"http://{name}",
                peers=PeerSettings(host=name, port=7_000),
            )
            self.instances[name] = Instance(
                replace(settings(), instance=InstanceId(name), cluster=cluster, diallers=()),
                clock=clock,
                chance=Random(name),
                network=network.at(name),
                keyring=keyring,
                store=MemoryStore(self.engine),
                make_secret=partial(_text, secrets),
                make_bytes=secrets.randbytes,
                listen=False,
            )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run all, and wait until one datacentre serves and all know each other."""
        async with AsyncExitStack() as stack:
            for instance in self.instances.values():
                await stack.enter_async_context(instance.running())
            await asyncio.sleep(5.0)
            yield
        await self.aes.close()

    async def ask(self, name: str, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """Ask an instance, as a caller on its own machine."""
        transport = httpx.ASGITransport(self.instances[name].server.application, client=("127.0.0.1", 40_000))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{name}") as client:
            return await client.request(method, path, json=body, **options)

    async def log_in(self, name: str) -> dict[str, Any]:
        """Log an agent in at an instance, and wait until the switch has it."""
        answer = await self.ask(name, "POST", "/v1/session", LOGIN)
        assert answer.status_code == 201, answer.text
        await asyncio.sleep(3.0)
        told: dict[str, Any] = answer.json()
        return told

    def agents(self, name: str) -> list[str]:
        """Whom an instance serves."""
        return [state.identity.agent for state in self.instances[name].host.sessions()]
