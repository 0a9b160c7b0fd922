"""What the cluster's parts add to a whole instance: memory for each agent and of its own, and CPU at work.

    .venv/bin/python -m benchmarks.instance_memory [AGENTS]

AGENTS (400) virtual agents of the load tool log in at an instance in a process of its own, beside a simulated AES and
dialler, and work for 40 s at about a call a minute, half of them on records of a job. Once the instance is alone, once
it is in a cluster of itself, with a store of three members of etcd. Memory is what the process holds; what it holds
before the first login is told apart, as is its guardian, a process of its own. CPU is that of the 40 s.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
from benchmarks.measuring import MB, Store, begin, child_of, cpu_s, resident_bytes, three_members

from unified_agent.sealing import make_key, write_keys
from unified_agent.tools.load.agents import Crowd
from unified_agent.tools.load.plan import DIALLER_NAMES, LoadPlan, aes_file, apc_file, instance_file
from unified_agent.tools.load.processes import Child
from unified_agent.tools.load.world import World

LOGINS_PER_S: Final = 50.0
COME_LIMIT_S: Final = 120.0
WORK_S: Final = 40.0
PORTS: Final = ("--port", "0", "--control-port", "0", "--log-level", "warning")


@asynccontextmanager
async def _started(plan: LoadPlan, folder: Path, cluster: str, http: httpx.AsyncClient) -> AsyncIterator[World]:
    async with AsyncExitStack() as ends:

        async def start(name: str, *arguments: str) -> Child:
            child = await Child.start(name, list(arguments), folder)
            ends.push_async_callback(child.end)
            return child

        aes_toml, apc_toml, instance_toml = (folder / f"{name}.toml" for name in ("aes", "apc", "instance"))
        aes_toml.write_text(aes_file(plan))
        apc_toml.write_text(apc_file(plan))
        aes = await start("aes", "simulate", "aes", "--config", str(aes_toml), *PORTS)
        dialler = await start("dialler", "simulate", "apc", "--config", str(apc_toml), *PORTS)
        instance_toml.write_text(instance_file(plan, aes.address("plain"), [dialler.address("plain")]) + cluster)
        instance = await start("instance", "serve", str(instance_toml))
        diallers = {DIALLER_NAMES[0]: dialler.told["control"]}
        yield World(instance.told["http"], aes.told["control"], diallers, http, {"instance": instance})


async def measure(agents: int, store: Store | None) -> tuple[float, float, float, float]:
    """Return memory before the first login, for each agent, and of the guardian, bytes; and CPU at work, cores."""
    plan = LoadPlan(agents=agents)
    async with AsyncExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="ua-memory-")))
        http = await ends.enter_async_context(httpx.AsyncClient())
        cluster = "" if store is None else _cluster_section(folder, store)
        world = await ends.enter_async_context(_started(plan, folder, cluster, http))
        parent = world.pids["instance"]
        await asyncio.sleep(6.0)
        pid = child_of(parent) or parent
        before = resident_bytes(pid)
        crowd = Crowd(world.urls, plan, http, random.Random(1))
        ends.push_async_callback(crowd.go, log_out=False)
        await crowd.come(LOGINS_PER_S)
        async with asyncio.timeout(COME_LIMIT_S):
            while crowd.back_at_work < agents:
                crowd.check()
                await asyncio.sleep(0.1)
        await world.set_traffic(plan.calls_at_switch_per_minute)
        used, began_s = cpu_s(pid), time.monotonic()
        await asyncio.sleep(WORK_S)
        cores = (cpu_s(pid) - used) / (time.monotonic() - began_s)
        guardian = resident_bytes(parent) if parent != pid else 0
        return before, (resident_bytes(pid) - before) / agents, guardian, cores


def _cluster_section(folder: Path, store: Store) -> str:
    keys = folder / "keys.toml"
    write_keys(keys, [make_key(datetime.now(UTC))], replace=False)
    endpoints = ", ".join(f'"{each}"' for each in store.endpoints)
    return f'\n[cluster]\nkeys_file = "{keys}"\n\n[cluster.store]\nendpoints = [{endpoints}]\nprefix = "/ua/memory/"\n'


def main() -> None:
    agents = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    begin(str(__doc__), "uvloop", "grpcio")
    with three_members() as store:
        rows = [("alone", asyncio.run(measure(agents, None))), ("in a cluster", asyncio.run(measure(agents, store)))]
    print("\n               before logins   each agent   guardian   CPU at work")
    for words, (before, each, guardian, cores) in rows:
        print(f"{words:14}{before / MB:11.1f} MB {each / 1e3:9.1f} kB {guardian / MB:7.1f} MB {cores:10.1%}")
    added = [two - one for one, two in zip(rows[0][1], rows[1][1], strict=True)]
    print(f"{'added':14}{added[0] / MB:11.1f} MB {added[1] / 1e3:9.1f} kB {added[2] / MB:7.1f} MB {added[3]:10.1%}")


if __name__ == "__main__":
    main()
