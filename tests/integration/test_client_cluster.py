"""Desks of ``unified_agent.client`` on three real instances with a real store: killed, stopped, frozen, drained."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.contract.etcd_servers import PROGRAM, Servers
from tests.integration.house import play

from unified_agent.client import Desk, Loss, Settled
from unified_agent.client.rest import LIMITS
from unified_agent.sealing import make_key, write_keys
from unified_agent.tools.load.agents import Crowd
from unified_agent.tools.load.failovers import Failover
from unified_agent.tools.load.plan import LoadPlan, aes_file, instance_file
from unified_agent.tools.load.processes import Child

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

Json = dict[str, Any]
NAMES = ("a", "b", "c")
AGENTS = 9
READY = {"type": "set-mode", "mode": "ready"}
#: Real time that a test waits for anything on a busy machine.
LIMIT_S = 40.0
#: From the end of a command until the view shows what is so.
TRUE_LIMIT_S = 10.0
_NUMBERS = count(1)


@pytest.fixture(scope="module")
def etcd() -> Iterator[Servers]:
    if PROGRAM is None:
        pytest.skip("there is no etcd here: `packaging/setup/system.sh etcd` installs it")
    with tempfile.TemporaryDirectory(prefix="ua-etcd-") as folder:
        servers = Servers(Path(folder))
        try:
            servers.start()
            yield servers
        finally:
            servers.stop()


class Cluster:
    """Three instances, and agents at them who take calls of the switch and press nothing."""

    def __init__(self, instances: dict[str, Child], crowd: Crowd) -> None:
        self.instances = instances
        self.crowd = crowd

    def url(self, name: str) -> str:
        return self.instances[name].told["http"].rstrip("/")

    def served_by(self, name: str) -> set[int]:
        """Agents whom an instance serves now, by index."""
        return {agent.index for agent, desk in self.crowd.logged_in() if desk.server == self.url(name)}

    def desk(self, index: int) -> Desk:
        desk = self.crowd.agents[index].desk
        assert desk is not None
        return desk

    def busiest(self) -> tuple[str, set[int]]:
        return max(((name, self.served_by(name)) for name in NAMES), key=lambda each: len(each[1]))

    def signal_serving(self, name: str, number: signal.Signals) -> None:
        """Send a signal to the serving process of an instance, whose parent is its guardian."""
        _signal_children(self.instances[name], number)

    async def until_all_back(self, agents: set[int]) -> dict[int, Failover]:
        """Wait until these have moved and every agent shows everything as known; return their moves, by agent."""
        async with asyncio.timeout(LIMIT_S):
            while self.crowd.back_at_work < AGENTS or not self._moved(agents):
                self.crowd.check()
                await asyncio.sleep(0.05)
        return {each.agent: each for each in self.crowd.take_failovers()}

    def _moved(self, agents: set[int]) -> bool:
        return all(self.crowd.agents[index].failovers for index in agents)


@asynccontextmanager
async def cluster(etcd: Servers, folder: Path) -> AsyncIterator[Cluster]:
    """Run a cluster in which every agent works; end all of it."""
    plan = LoadPlan(agents=AGENTS, share_on_dialler=0.0)
    keys = folder / "keys.toml"
    write_keys(keys, [make_key(datetime.now(UTC))], replace=False)
    (folder / "aes.toml").write_text(aes_file(plan))
    children: dict[str, Child] = {}
    prefix = f"/ua/test-{next(_NUMBERS)}/"
    async with httpx.AsyncClient(limits=LIMITS) as http:
        try:
            ports = ["--port", "0", "--control-port", "0", "--log-level", "warning"]
            config = ["--config", str(folder / "aes.toml")]
            children["aes"] = await Child.start("aes", ["simulate", "aes", *config, *ports], folder)
            aes = children["aes"].address("plain")
            instances = await asyncio.gather(*(_start(name, plan, aes, keys, etcd, prefix, folder) for name in NAMES))
            children |= dict(zip(NAMES, instances, strict=True))
            urls = [child.told["http"].rstrip("/") for child in instances]
            crowd = Crowd(urls, plan, http, random.Random(1))
            crowd.working.clear()
            running = Cluster({name: children[name] for name in NAMES}, crowd)
            await _until_all_are_ready(http, urls)
            await crowd.come(50.0)
            await running.until_all_back(set())
            yield running
            await crowd.go(log_out=False)
        finally:
            for child in children.values():
                _signal_children(child, signal.SIGKILL)  # a guardian's; before it, so that none is left behind
            await asyncio.gather(*(child.kill() for child in children.values()))


def _signal_children(parent: Child, number: signal.Signals) -> None:
    if parent.alive:
        known = Path("/proc") / str(parent.pid) / "task" / str(parent.pid) / "children"
        for pid in known.read_text().split():
            os.kill(int(pid), number)


async def _start(
    name: str, plan: LoadPlan, aes: tuple[str, int], keys: Path, etcd: Servers, prefix: str, folder: Path
) -> Child:
    settings = folder / f"{name}.toml"
    text = instance_file(plan, aes, []).replace('instance = "load"', f'instance = "{name}"')
    settings.write_text(f"""{text}
[cluster]
name = "test"
keys_file = "{keys}"

[cluster.store]
endpoints = ["{etcd.endpoints[0]}"]
prefix = "{prefix}"
""")
    return await Child.start(name, ["serve", str(settings)], folder)


async def _until_all_are_ready(http: httpx.AsyncClient, urls: list[str]) -> None:
    async with asyncio.timeout(LIMIT_S):
        for url in urls:
            ready: list[str] = []
            while len(ready) < len(NAMES):
                told = (await http.get(f"{url}/v1/topology")).json()
                ready = [each["id"] for each in told["instances"] if each["state"] == "ready" and told["active"]]
                await asyncio.sleep(0.1)


async def is_true(desk: Desk, settled: Settled) -> None:
    """See that what was said of a wish to be ready, asked just before its instance was killed, is what is so.

    One that was done may have been too late for the record that the next instance goes on from. The agent is not ready
    then, and is told the cause.
    """
    assert settled.done or settled.error == "command.not-performed", settled

    def agrees(view: Json) -> bool:
        agent: dict[str, str] = view["agent"]
        if settled.done and agent["mode"] == "ready":
            return True
        return agent["mode"] == "not-ready" and (agent["cause"] != "" or not settled.done)

    try:
        await desk.until(agrees, TRUE_LIMIT_S)
    except TimeoutError:
        raise AssertionError(f"{settled}, and so it is: {desk.view['agent']}") from None


def test_agents_of_a_killed_instance_go_on_elsewhere_and_nobody_else_notices(etcd: Servers, tmp_path: Path):
    async def steps() -> None:
        async with cluster(etcd, tmp_path) as running:
            victim, struck = running.busiest()
            assert len(struck) >= 3
            asked = {index: asyncio.create_task(running.desk(index).command(READY, LIMIT_S)) for index in struck}
            await asyncio.sleep(0.002)
            running.signal_serving(victim, signal.SIGKILL)
            failovers = await running.until_all_back(struck)
            for index, task in asked.items():
                await is_true(running.desk(index), await task)
            assert failovers.keys() == struck
            for each in failovers.values():
                assert each.move.is_elsewhere
                assert each.move.reason == Loss.CLOSED
                assert each.back_after_s is not None
                assert each.outage_s <= each.back_after_s < 15.0
            assert not running.served_by(victim)
            assert not any(desk.gaps or desk.stale for _, desk in running.crowd.logged_in())
            assert not [what for what in running.crowd.tally if what.startswith("session ended")]

    play(steps())


def test_agents_of_a_frozen_instance_leave_it_when_others_call_it_dead(etcd: Servers, tmp_path: Path):
    async def steps() -> None:
        async with cluster(etcd, tmp_path) as running:
            victim, struck = running.busiest()
            running.signal_serving(victim, signal.SIGSTOP)
            failovers = await running.until_all_back(struck)
            assert failovers.keys() == struck
            for each in failovers.values():
                assert each.move.is_elsewhere
                assert each.move.reason in {Loss.WITNESSED, Loss.SILENT}
                assert 1.0 < each.noticed_after_s < 7.0
            assert not [what for what in running.crowd.tally if what.startswith("session ended")]

    play(steps())


def test_agents_of_an_instance_that_is_stopped_in_good_order_miss_nothing(etcd: Servers, tmp_path: Path):
    async def steps() -> None:
        async with cluster(etcd, tmp_path) as running:
            leaving, moved = running.busiest()
            ending = asyncio.create_task(running.instances[leaving].end())
            failovers = await running.until_all_back(moved)
            await ending
            assert failovers.keys() == moved
            for each in failovers.values():
                assert each.move.reason == "drain"
                assert each.move.is_elsewhere
                assert each.outage_s == 0.0
            assert not [what for what in running.crowd.tally if what.startswith("session ended")]

    play(steps())
