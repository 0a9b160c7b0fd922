"""The course of a run, on a cluster and a crowd that only remember."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.tools.chaos.fakes import FakeCrowd, FakeWorld, scene
from tests.unit.tools.chaos.stories import Story
from tests.unit.tools.chaos.test_report import WELL

from unified_agent.client import ConnectionState
from unified_agent.history import Entry
from unified_agent.tools.chaos import run as running
from unified_agent.tools.chaos.places import Host
from unified_agent.tools.chaos.report import ChaosReport, Reaction
from unified_agent.tools.chaos.run import ChaosRun, Course
from unified_agent.tools.chaos.scenarios import SCENARIOS, Scenario
from unified_agent.tools.load.plan import LoadPlan
from unified_agent.tools.load.processes import ChildFailed
from unified_agent.tools.load.world import WorldUnreachable

pytestmark = pytest.mark.asyncio


class RunWorld(FakeWorld):
    def __init__(self, crowd: RunCrowd) -> None:
        super().__init__()
        self.crowd = crowd
        self.recorded: list[Entry] = []
        self.defect: Exception | None = None
        self.busy: set[int] = set()

    async def set_traffic(self, calls_per_minute: float) -> None:
        self.did.append(f"traffic {calls_per_minute:g}")

    def check(self) -> None:
        if self.defect is not None:
            raise self.defect

    def histories(self) -> list[Entry]:
        return self.recorded

    async def order(self, host: Host, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Move the agent at once."""
        assert body is not None
        index = int(path.split("/")[4]) - 50_001
        if index in self.busy:
            raise WorldUnreachable("a record is open")
        self.crowd.desk(index).go(body["to"], at_s=0.0, noticed_s=None)
        return await super().order(host, path, body)


class RunCrowd(FakeCrowd):
    def __init__(self, *hosts: str) -> None:
        super().__init__(*hosts)
        self.came: list[float] = []

    async def come(self, rate_per_s: float) -> None:
        self.came.append(rate_per_s)

    def check(self) -> None:
        pass


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    async def measured(scenario: Scenario, *_: object) -> Reaction:
        return WELL

    monkeypatch.setattr(running, "measure", measured)
    monkeypatch.setattr(running, "_LOOK_S", 0.0)
    monkeypatch.setattr(running, "SPREAD_STEP_S", 0.0)


async def run(world: RunWorld, *names: str) -> ChaosReport:
    course = Course(logins_per_second=100.0, work_s=0.0, scenarios=tuple(SCENARIOS[name] for name in names))
    crowd = world.crowd
    return await ChaosRun(course, LoadPlan(agents=len(crowd.agents)), scene(world, crowd)).all()


async def test_agents_come_callers_ring_and_each_fault_is_measured() -> None:
    world = RunWorld(RunCrowd("a1", "a2"))
    told = await run(world, "kill", "drain")
    assert world.crowd.came == [100.0]
    assert world.did == ["traffic 1"]
    assert told.reactions == [WELL, WELL]
    assert world.crowd.listeners == world.crowd.end_listeners == []


async def test_agents_are_spread_over_both_instances_before_a_fault() -> None:
    world = RunWorld(RunCrowd(*["a2"] * 9, "a1"))
    await run(world, "kill")
    assert scene(world, world.crowd).served() == {"a1": 5, "a2": 5}
    assert {(host, body["to"]) for host, _, body in world.orders} == {("a2", "a1")}


async def test_agents_who_cannot_be_moved_now_stay_and_others_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "SPREAD_LIMIT_S", 0.05)
    world = RunWorld(RunCrowd(*["a2"] * 9, "a1"))
    world.busy = {0, 1, 2}
    await run(world, "kill")
    assert scene(world, world.crowd).served() == {"a1": 5, "a2": 5}
    assert [world.crowd.desk(index).server for index in world.busy] == [world.crowd.desk(8).server] * 3


async def test_agents_who_are_spread_already_are_left_where_they_are() -> None:
    world = RunWorld(RunCrowd("a1", "a1", "a1", "a2"))
    await run(world, "kill")
    assert world.orders == []


async def test_who_never_comes_to_work_is_told_and_does_not_stop_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(running, "AT_WORK_LIMIT_S", 0.01)
    world = RunWorld(RunCrowd("a1", "a2"))
    world.crowd.desk(1).state = ConnectionState.CONNECTING
    await run(world, "kill")
    assert "agent 1 is not at work: connecting  at http://10.77.1.2:8080" in capsys.readouterr().err
    world.crowd.agents[1].desk = None
    await run(world, "kill")
    assert "agent 1 is not at work: logged out" in capsys.readouterr().err


async def test_a_simulator_that_ends_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    world = RunWorld(RunCrowd("a1"))
    world.crowd.desk(0).state = ConnectionState.CONNECTING
    world.defect = ChildFailed("aes ended")
    with pytest.raises(ChildFailed):
        await run(world, "kill")


async def test_what_the_histories_show_is_told_with_the_fault_during_which_it_was() -> None:
    world = RunWorld(RunCrowd("a1"))
    story = Story()
    story.registered("a1", 11)
    story.now_s = 1e9  # long after the fault began
    story.deed("a1", 1, 11)
    world.recorded = story.entries
    told = await run(world, "kill")
    assert told.recorded == 2
    assert [(each.kind, each.scenario) for each in told.broken] == [("acted-unclaimed", "kill")]
    assert told.broken[0].proof[0].startswith('1000000000.100 a1 {"kind":"link-deed","agent":"5001"')
