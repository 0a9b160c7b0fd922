"""One run on a world that stands: log in, work, lose and heal, rest."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from typing import Final

from unified_agent import __version__
from unified_agent.domain.view import rfc3339
from unified_agent.tools.load import usage
from unified_agent.tools.load.agents import Crowd
from unified_agent.tools.load.figures import Figures
from unified_agent.tools.load.plan import LoadPlan
from unified_agent.tools.load.recovery import become_truthful, measure
from unified_agent.tools.load.report import Machine, Report, Spread
from unified_agent.tools.load.scenarios import Scenario
from unified_agent.tools.load.world import World

#: How long all agents together may take to log in, and the last truths to agree without a loss, seconds.
LOGIN_LIMIT_S: Final = 180.0
AGREE_LIMIT_S: Final = 20.0
#: How long all rest before their truths are compared, seconds.
REST_S: Final = 1.0
#: How often it is told how things stand, seconds.
PROGRESS_S: Final = 10.0
_STEP_S: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What happens in a run.

    Attributes:
        logins_per_second: how fast agents come.
        work_s: how long they work before the first loss.
        scenarios: the losses, in this order.
        outage_s: how long a loss lasts once every desktop was told.
        settle_s: how long agents work between two losses.
    """

    logins_per_second: float
    work_s: float
    scenarios: tuple[Scenario, ...]
    outage_s: float
    settle_s: float


class Run:
    """One run."""

    def __init__(self, course: Course, plan: LoadPlan, world: World, crowd: Crowd) -> None:
        self._course = course
        self._plan = plan
        self._world = world
        self._crowd = crowd

    async def all(self) -> Report:
        """Log in, work, lose and heal, rest.

        Raises:
            ChildFailed, WorldUnreachable: a part of the world is gone.
        """
        course, plan, world, crowd = self._course, self._plan, self._world, self._crowd
        began_s = time.time()
        async with Figures(self._world, self._crowd) as logging_in:
            await crowd.come(course.logins_per_second)
            await self._until_all_at_work()
        await world.set_traffic(plan.calls_at_switch_per_minute)
        async with Figures(self._world, self._crowd) as working:
            await self._work(course.work_s, "working")
        everyone = range(plan.agents)
        agreement = await become_truthful(world, crowd, everyone, time.time() + AGREE_LIMIT_S)
        _tell_differences(agreement.open)
        recoveries = []
        for scenario in course.scenarios:
            say(f"{scenario.name}: {scenario.title}")
            recovery = await measure(scenario, world, crowd, course.outage_s)
            recoveries.append(recovery)
            say(f"{scenario.name}: {recovery.truthful} of {recovery.agents} truthful again")
            await self._work(course.settle_s, "settling")
        at_rest = await self._rest()
        return Report(
            version=__version__,
            began=rfc3339(began_s),
            machine=Machine(
                processor=usage.processor_name(),
                processors=os.cpu_count() or 1,
                memory_bytes=usage.memory_bytes(),
            ),
            agents=plan.agents,
            on_dialler=plan.on_dialler,
            calls_per_minute=plan.calls_per_minute,
            logging_in=logging_in.phase(),
            working=working.phase(),
            agreed_while_working=len(agreement.truthful_s),
            recoveries=recoveries,
            agreed_at_rest=at_rest,
            reconnects=sum(desk.connections - 1 for _, desk in crowd.logged_in()),
            gaps=sum(desk.gaps for _, desk in crowd.logged_in()),
        )

    async def _until_all_at_work(self) -> None:
        until_s = time.monotonic() + LOGIN_LIMIT_S
        while self._crowd.back_at_work < self._plan.agents and time.monotonic() < until_s:
            await self._pass(1.0, "logging in")

    async def _work(self, seconds: float, doing: str) -> None:
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            await self._pass(min(PROGRESS_S, left_s), doing)

    async def _pass(self, seconds: float, doing: str) -> None:
        """Let time pass, see that everybody lives, and say how things stand."""
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            await asyncio.sleep(min(_STEP_S, left_s))
            self._world.check()
            self._crowd.check()
        delay = Spread.of(sorted(self._crowd.delays))
        own = self._world.pids.get("instance")
        used = usage.usage_of(own) if own is not None else None
        held = f", instance {used.resident_bytes / 1e6:.0f} MB" if used is not None else ""
        tally = self._crowd.tally
        say(
            f"{doing}: {self._crowd.back_at_work} of {self._plan.agents} at work, {tally['answer-call']} calls, "
            f"{tally['finish-item']} records, {delay.count} notices p99 {delay.p99_s * 1000:.0f} ms{held}"
        )

    async def _rest(self) -> int:
        """Stop callers and agents, and count how many agents' truths agree at one moment, at best."""
        await self._world.set_traffic(0.0)
        self._crowd.working.clear()
        best = 0
        until_s = time.monotonic() + AGREE_LIMIT_S
        left: list[str] = []
        while best < self._plan.agents and time.monotonic() < until_s:
            await asyncio.sleep(REST_S)
            agreement = await become_truthful(self._world, self._crowd, range(self._plan.agents), 0.0)
            best, left = max(best, len(agreement.truthful_s)), agreement.open
        _tell_differences(left)
        return best


def _tell_differences(left: list[str]) -> None:
    for line in left[:5]:
        say(f"differs: {line}")


def say(line: str) -> None:
    """Tell a person how things stand, on standard error."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stderr.flush()
