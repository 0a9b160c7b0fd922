"""The course of a run, on a world and a crowd that only remember."""

import asyncio
from collections import Counter
from typing import Any, cast

import pytest
from tests.unit.tools.load.fakes import FakeCrowd, FakeDesk, FakeWorld, at_switch
from tests.unit.tools.load.test_report import RECOVERY
from tests.unit.tools.load.views import diallers, on_call, switch

from unified_agent.tools.load import run
from unified_agent.tools.load.plan import LoadPlan
from unified_agent.tools.load.processes import ChildFailed
from unified_agent.tools.load.run import Course, Run
from unified_agent.tools.load.scenarios import SCENARIOS
from unified_agent.tools.load.world import Truths

pytestmark = pytest.mark.asyncio

COURSE = Course(
    logins_per_second=100.0,
    work_s=0.01,
    scenarios=(SCENARIOS["aes-cut"], SCENARIOS["aes-blip"]),
    outage_s=0.0,
    settle_s=0.0,
)


class RunWorld(FakeWorld):
    def __init__(self, log: list[str], *truths: Truths) -> None:
        super().__init__(*truths)
        self.log = log
        self.defect: Exception | None = None

    async def set_traffic(self, calls_per_minute: float) -> None:
        self.log.append(f"traffic {calls_per_minute:g}")

    async def status(self) -> dict[str, Any]:
        return {"loop_lag_s": 0.0}

    def check(self) -> None:
        if self.defect is not None:
            raise self.defect


class RunCrowd(FakeCrowd):
    def __init__(self, log: list[str]) -> None:
        super().__init__(at_switch())
        self.log = log
        self.tally: Counter[str] = Counter()
        self.delays: list[float] = []
        self.working = asyncio.Event()
        self.working.set()
        self.back_at_work = 0
        FakeDesk.connections, FakeDesk.gaps = 3, 1  # type: ignore[attr-defined]

    async def come(self, rate_per_s: float) -> None:
        self.log.append(f"come {rate_per_s:g}")
        self.back_at_work = 1

    def check(self) -> None:
        pass


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    log: list[str] = []

    async def measured(scenario: Any, *_: Any) -> Any:
        log.append(scenario.name)
        return RECOVERY

    monkeypatch.setattr(run, "measure", measured)
    monkeypatch.setattr(run, "REST_S", 0.0)
    monkeypatch.setattr(run, "AGREE_LIMIT_S", 0.05)
    return log


def all_of(log: list[str], *truths: Truths) -> tuple[Run, RunWorld, RunCrowd]:
    world, crowd = RunWorld(log, *truths), RunCrowd(log)
    plan = LoadPlan(agents=1, share_on_dialler=0.0, calls_per_minute=2.0)
    return Run(COURSE, plan, cast("Any", world), cast("Any", crowd)), world, crowd


async def test_agents_come_callers_ring_links_are_lost_in_order_and_all_rest(log):
    whole, _, crowd = all_of(log)
    report = await whole.all()
    assert log == ["come 100", "traffic 2", "aes-cut", "aes-blip", "traffic 0"]
    assert not crowd.working.is_set()
    assert (report.agents, report.agreed_while_working, report.agreed_at_rest) == (1, 1, 1)
    assert report.recoveries == [RECOVERY, RECOVERY]
    assert (report.reconnects, report.gaps) == (2, 1)


async def test_truths_that_never_agree_are_counted(log, capsys):
    whole, _, _ = all_of(log, Truths(on_call(), diallers(None)))
    report = await whole.all()
    assert (report.agreed_while_working, report.agreed_at_rest) == (0, 0)
    assert "differs: agent 0: call 7" in capsys.readouterr().err


async def test_a_process_that_is_gone_ends_the_run(log):
    whole, world, _ = all_of(log, Truths(switch(), diallers(None)))
    world.defect = ChildFailed("instance ended")
    with pytest.raises(ChildFailed):
        await whole.all()
