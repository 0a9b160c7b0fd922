"""One run on a cluster that stands: log in, work, break and heal, look into the histories."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass
from typing import Final

import msgspec

from unified_agent import __version__
from unified_agent.client import Desk
from unified_agent.domain.view import rfc3339
from unified_agent.history import Entry
from unified_agent.tools.chaos.faults import Scene
from unified_agent.tools.chaos.history_check import Told, Violation, check
from unified_agent.tools.chaos.measure import Telling, is_at_work, measure
from unified_agent.tools.chaos.places import INSTANCES, Host, at
from unified_agent.tools.chaos.plan import LEASE_S
from unified_agent.tools.chaos.report import Broken, ChaosReport, Reaction
from unified_agent.tools.chaos.scenarios import Scenario
from unified_agent.tools.chaos.store import ELECTION_MS
from unified_agent.tools.load import usage
from unified_agent.tools.load.agents import VirtualAgent
from unified_agent.tools.load.plan import LoadPlan
from unified_agent.tools.load.report import Machine
from unified_agent.tools.load.run import say
from unified_agent.tools.load.world import WorldUnreachable

#: How long all agents together may take to be at work, and to be spread over the instances, seconds.
AT_WORK_LIMIT_S: Final = 90.0
SPREAD_LIMIT_S: Final = 60.0
#: How long moves that were ordered are given before it is looked again, seconds.
SPREAD_STEP_S: Final = 5.0
#: Agents told of who do not come to work.
TOLD_KEPT: Final = 5
#: Broken rules told in full.
BROKEN_KEPT: Final = 20
_LOOK_S: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What happens in a run.

    Attributes:
        logins_per_second: how fast agents come.
        work_s: how long they work before the first fault and between two.
        scenarios: the faults, in this order.
    """

    logins_per_second: float
    work_s: float
    scenarios: tuple[Scenario, ...]


class ChaosRun:
    """One run."""

    def __init__(self, course: Course, plan: LoadPlan, scene: Scene) -> None:
        self._course = course
        self._plan = plan
        self._scene = scene
        self._telling = Telling()
        self._began: list[tuple[float, str]] = [(0.0, "the start")]

    async def all(self) -> ChaosReport:
        """Log in, work, break and heal, look into the histories.

        Raises:
            ChildFailed, WorldUnreachable: a part of the world is gone, or is not whole again after healing.
        """
        course, plan, scene = self._course, self._plan, self._scene
        began_s = time.time()
        ends = scene.crowd.listen(self._telling.heard), scene.crowd.listen_to_ends(self._telling.ended)
        try:
            await scene.crowd.come(course.logins_per_second)
            await self._until_at_work()
            await scene.world.set_traffic(plan.calls_at_switch_per_minute)
            reactions = [await self._react(scenario) for scenario in course.scenarios]
        finally:
            for end in ends:
                end()
        entries = scene.world.histories()
        return ChaosReport(
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
            lease_s=LEASE_S,
            election_s=ELECTION_MS / 1_000,
            reactions=reactions,
            broken=[self._broken(each) for each in check(entries, self._telling.told)[:BROKEN_KEPT]],
            recorded=len(entries),
        )

    async def _react(self, scenario: Scenario) -> Reaction:
        await self._until_at_work()
        await self._spread()
        await self._work(self._course.work_s)
        say(f"{scenario.name}: {scenario.title}; desktops on {dict(self._scene.served())}")
        self._began.append((time.monotonic(), scenario.name))
        reaction = await measure(scenario, self._scene, self._telling)
        say(
            f"{scenario.name}: {reaction.agents} agents, 99 of 100 back after {reaction.back.p99_s:.1f} s, "
            f"{reaction.others_disturbed} others disturbed, whole again after {reaction.healing_s:.1f} s more"
        )
        return reaction

    async def _until_at_work(self) -> None:
        until_s = time.monotonic() + AT_WORK_LIMIT_S
        while (left := self._not_at_work()) and time.monotonic() < until_s:
            await self._pass(_LOOK_S)
        for agent in left[:TOLD_KEPT]:
            say(f"agent {agent.index} is not at work: {how_it_is(agent.desk)}")

    def _not_at_work(self) -> list[VirtualAgent]:
        return [agent for agent in self._scene.crowd.agents if not is_at_work(agent.desk)]

    async def _spread(self) -> None:
        """Have the agents served by both instances of the active datacentre, half by half, as after a long day."""
        until_s = time.monotonic() + SPREAD_LIMIT_S
        while (surplus := self._surplus()) is not None and time.monotonic() < until_s:
            origin, target, count = surplus
            say(f"moving {count} agents from {origin.name} to {target.name}")
            ordered = 0
            for agent in [desk.agent for host, desk in self._scene.desks() if host == origin.name]:
                if ordered < count:
                    ordered += await self._move(agent, origin, target)
            await self._pass(SPREAD_STEP_S)
        await self._until_at_work()

    async def _move(self, agent: str, origin: Host, target: Host) -> bool:
        """Order an agent to another instance; not one who has a record open, which a move would close."""
        try:
            await self._scene.world.order(origin, f"/v1/cluster/agents/{agent}/move", {"to": target.name})
        except WorldUnreachable:
            return False
        return True

    def _surplus(self) -> tuple[Host, Host, int] | None:
        """Return how many agents should go from where to where; None when they are spread well enough."""
        scene = self._scene
        served, busiest = scene.served(), scene.busiest()
        idlest = min(at(busiest.site, INSTANCES), key=lambda host: served[host.name])
        count = (served[busiest.name] - served[idlest.name]) // 2
        return (busiest, idlest, count) if count > max(2, len(scene.crowd.agents) // 10) else None

    async def _work(self, seconds: float) -> None:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            await self._pass(_LOOK_S)

    async def _pass(self, seconds: float) -> None:
        """Let time pass, and see that everybody lives."""
        await asyncio.sleep(seconds)
        self._scene.world.check()
        self._scene.crowd.check()

    def _broken(self, violation: Violation) -> Broken:
        at_s = violation.proof[-1].mono_s
        during = [name for began_s, name in self._began if began_s <= at_s]
        return Broken(
            kind=violation.kind.value,
            sentence=violation.sentence,
            scenario=during[-1],
            proof=[_in_words(each) for each in violation.proof],
        )


def how_it_is(desk: Desk | None) -> str:
    """Say in words where a desktop stands."""
    if desk is None:
        return "logged out"
    connection, view = desk.connection, desk.view
    where = f"{connection.state} {connection.reason} at {connection.server} since {connection.at_s:.1f}"
    if not view:
        return f"{where}, and nothing shown"
    agent, dialler = view["agent"], view["dialler"]
    return (
        f"{where}, session {view['session']['phase']}, telephony {view['links']['telephony']['state']}, "
        f"agent {agent['switch_mode']} {'known' if agent['known'] else 'greyed'}, "
        f"dialler {dialler['stage']} {dialler.get('trouble', '')}".rstrip()
    )


def _in_words(shown: Entry | Told) -> str:
    if isinstance(shown, Told):
        outcome = shown.outcome.value if shown.outcome is not None else "not known"
        return f"{shown.mono_s:.3f} the desktop of {shown.agent} was told that {shown.command} is {outcome}"
    return f"{shown.mono_s:.3f} {shown.instance} {msgspec.json.encode(shown.event).decode()}"
