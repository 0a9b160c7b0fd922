"""What is asked of a cluster, and of whom. That it starts, breaks and ends: tests/chaos."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from unified_agent.domain.ids import InstanceId
from unified_agent.history import Entry, HistoryFile, Registered
from unified_agent.tools.chaos import world as worlds
from unified_agent.tools.chaos.namespaces import Network
from unified_agent.tools.chaos.places import HOSTS, INSTANCES
from unified_agent.tools.chaos.plan import history_file
from unified_agent.tools.chaos.store import Member, StoreCluster
from unified_agent.tools.chaos.world import ClusterWorld
from unified_agent.tools.load.plan import LoadPlan
from unified_agent.tools.load.world import WorldUnreachable

ALL_READY = ["ready"] * len(INSTANCES)


class Instances(httpx.AsyncBaseTransport):
    """Instances that say of the cluster what they were told to; others do not answer."""

    def __init__(self) -> None:
        self.topologies: dict[str, dict[str, Any]] = {}
        self.requests: list[httpx.Request] = []

    def know(self, name: str, active: str, states: list[str], *, epoch: int = 1) -> None:
        address = next(host.address for host in INSTANCES if host.name == name)
        instances = [{"id": host.name, "state": state} for host, state in zip(INSTANCES, states, strict=False)]
        self.topologies[address] = {"active": active, "epoch": epoch, "version": 1, "instances": instances}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        told = self.topologies.get(request.url.host)
        if told is None:
            raise httpx.ConnectTimeout("silent", request=request)
        return httpx.Response(200, json=told)


@pytest.fixture
def instances() -> Instances:
    return Instances()


@pytest_asyncio.fixture
async def world(instances: Instances, tmp_path: Path) -> AsyncIterator[ClusterWorld]:
    async with httpx.AsyncClient(transport=instances) as http:
        yield ClusterWorld(Network(HOSTS), LoadPlan(agents=4), tmp_path, http)


@pytest.mark.asyncio
async def test_the_active_datacentre_is_what_the_latest_epoch_says(instances: Instances, world: ClusterWorld) -> None:
    assert await world.active() == ""
    instances.know("a1", "east", ALL_READY, epoch=1)
    instances.know("b1", "west", ALL_READY, epoch=2)
    assert await world.active() == "west"


@pytest.mark.asyncio
async def test_a_cluster_is_whole_when_all_say_that_all_are_ready_and_who_serves(
    instances: Instances, world: ClusterWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def leader(_: StoreCluster) -> Member:
        return next(iter(world.store.members.values()))

    monkeypatch.setattr(StoreCluster, "leader", leader)
    monkeypatch.setattr(worlds, "WHOLE_LIMIT_S", 0.01)
    monkeypatch.setattr(worlds, "_LOOK_S", 0.0)
    for host in INSTANCES:
        instances.know(host.name, "east", ALL_READY)
    await world.until_whole()
    instances.know("b2", "east", ["down"] * 4)  # the passive side is not asked about states
    instances.know("a1", "east", ["ready", "ready", "ready", "joining"])  # and is not called ready
    await world.until_whole()
    for name, active, states in (
        ("a1", "east", ["ready", "ready", "ready", "down"]),
        ("a1", "east", ["ready", "joining", "ready", "ready"]),
        ("a2", "east", ["ready"] * 3),
        ("b2", "", ALL_READY),
        ("b2", "west", ALL_READY),
    ):
        instances.know(name, active, states)
        with pytest.raises(WorldUnreachable, match="not whole after"):
            await world.until_whole()
        instances.know(name, "east", ALL_READY)
    del instances.topologies[INSTANCES[-1].address]
    with pytest.raises(WorldUnreachable):
        await world.until_whole()


@pytest.mark.asyncio
async def test_an_order_is_proved_by_the_operators_token(instances: Instances, world: ClusterWorld) -> None:
    instances.know("a1", "east", ALL_READY)
    await world.order(INSTANCES[0], "/v1/cluster/instances/a2/drain")
    asked = instances.requests[-1]
    assert (asked.method, asked.url.path) == ("POST", "/v1/cluster/instances/a2/drain")
    assert len(asked.headers["authorization"].removeprefix("Bearer ")) >= 32


@pytest.mark.asyncio
async def test_histories_of_all_instances_are_read_as_far_as_they_are_there(
    world: ClusterWorld, tmp_path: Path
) -> None:
    class Clock:
        def now_s(self) -> float:
            return 1.0

        def call_at(self, at_s: float, callback: object) -> Any:
            raise AssertionError("nobody waits")

    for host in INSTANCES[:2]:
        kept = HistoryFile(history_file(tmp_path, host), InstanceId(host.name), Clock(), monotonic_s=lambda: 2.0)
        kept.record(Registered, incarnation=3)
        kept.close()
    assert world.histories() == [
        Entry(at_s=1.0, mono_s=2.0, instance=InstanceId(name), event=Registered(incarnation=3)) for name in ("a1", "a2")
    ]


@pytest.mark.asyncio
async def test_an_instance_that_was_never_started_has_no_process(world: ClusterWorld) -> None:
    assert world.serving_pid("a1") is None
