"""One loss, measured: when the instance noticed, when every desktop was told, when all was true again.

Noticed is the time at which the instance says that it lost the link (``links.*.lost`` in the views). Told is when an
envelope at the desktop said so. Truthful is an agent from the moment at which the desktop shows everything as known
and in its place, and switch and dialler were asked and said the same; the session is asked for right after that and
has to say the same as the desktop, at the same place of the stream. Agents go on working meanwhile, so a desktop may
change while the others are asked: what it showed before or after the asking counts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from unified_agent.domain.states import Side
from unified_agent.tools.load.agents import Crowd, VirtualAgent
from unified_agent.tools.load.report import Recovery, Spread
from unified_agent.tools.load.scenarios import Scenario
from unified_agent.tools.load.truths import back_at_work, between_views, differences
from unified_agent.tools.load.usage import usage_of
from unified_agent.tools.load.world import Truths, World, WorldUnreachable

Json = dict[str, Any]

#: How long a loss may take to be told, and all to come back, before the measurement gives up, seconds.
TOLD_LIMIT_S: Final = 30.0
BACK_LIMIT_S: Final = 90.0
#: Desktops are looked at this often while they come back, and the truths asked for this often then, seconds.
LOOK_S: Final = 0.05
ASK_S: Final = 0.2
#: So many sessions are asked for at a time.
SESSIONS_AT_ONCE: Final = 8
#: How often a session is asked for when a notice to its desktop is under way just then.
SESSION_TRIES: Final = 5
#: So many differences are kept for the report.
DIFFERENCES_KEPT: Final = 10
LATE_KEPT: Final = 3


@dataclass(slots=True)
class LossWatch:
    """Notes when each desktop is told of a loss and when it is back.

    Attributes:
        side: which half is lost.
        expected: agents who have to be told.
        lost_s: when the instance says that it lost the link, the earliest; None until a desktop says so.
        told_s: by agent's index, when the desktop was told.
        back_s: by agent's index, when the desktop showed everything in its place again.
    """

    side: Side
    expected: set[int]
    lost_s: float | None = None
    told_s: dict[int, float] = field(default_factory=dict)
    back_s: dict[int, float] = field(default_factory=dict)

    def heard(self, agent: VirtualAgent, envelope: Json) -> None:
        """Look at what reached a desktop."""
        if agent.index not in self.expected or agent.desk is None:
            return
        self.saw(agent.index, agent.desk.view, time.time())

    def saw(self, index: int, view: Json, now_s: float) -> None:
        """Look at what a desktop shows now."""
        link = view["links"][self.side.value]
        if link["lost"] is not None and link["state"] != "up":
            if index not in self.told_s:
                self.told_s[index] = now_s
                lost_s = datetime.fromisoformat(link["lost"]).timestamp()
                self.lost_s = lost_s if self.lost_s is None else min(self.lost_s, lost_s)
            self.back_s.pop(index, None)
        elif index in self.told_s and index not in self.back_s and back_at_work(view):
            self.back_s[index] = now_s

    @property
    def all_told(self) -> bool:
        """Whether every desktop was told."""
        return len(self.told_s) == len(self.expected)

    @property
    def all_back(self) -> bool:
        """Whether every desktop shows everything in its place again."""
        return len(self.back_s) == len(self.expected)


@dataclass(slots=True)
class Agreement:
    """How agents came to be truthful.

    Attributes:
        truthful_s: when each was, Unix seconds by index.
        open: sentences about those who were not, after the last asking.
        late: sentences about those who were the last to become it, as of the asking before.
    """

    truthful_s: dict[int, float] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)


async def measure(scenario: Scenario, world: World, crowd: Crowd, outage_s: float) -> Recovery:
    """Let a loss happen, heal it, and measure.

    Args:
        scenario: which loss.
        world: where.
        crowd: the agents; they go on working.
        outage_s: from when all are told until it is healed.
    """
    crowd.take_delays()
    watch = LossWatch(scenario.side, set())
    end = crowd.listen(watch.heard)
    try:
        watch.expected.update(agent.index for agent, _ in crowd.logged_in() if _is_concerned(agent, scenario.side))
        began_s, cpu_s = time.time(), _instance_cpu_s(world)
        lost = await scenario.begin(world)
        acted_s = time.time()
        if lost:
            there = {agent.index for agent, desk in crowd.logged_in() if desk.view["dialler"]["dialler"] != lost}
            watch.expected -= there - watch.told_s.keys()
        await _until(lambda: watch.all_told, began_s + TOLD_LIMIT_S)
        healed_s = began_s
        if scenario.heal is not None:
            await asyncio.sleep(outage_s)
            healed_s = time.time()
            await scenario.heal(world)
        await _until(lambda: watch.all_back, healed_s + BACK_LIMIT_S)
        agreement = await become_truthful(world, crowd, watch.expected, healed_s + BACK_LIMIT_S)
    finally:
        end()
    noticed_s = watch.lost_s if watch.lost_s is not None else began_s
    # What was asked of a control port over HTTP has happened at the latest when it answers.
    happened_s = acted_s if noticed_s > acted_s else began_s
    return Recovery(
        scenario=scenario.name,
        title=scenario.title,
        agents=len(watch.expected),
        told=len(watch.told_s),
        truthful=len(agreement.truthful_s),
        noticed_after_s=round(noticed_s - happened_s, 3) if watch.lost_s is not None else None,
        told_after_s=_after(watch.told_s.values(), noticed_s),
        outage_s=round(healed_s - began_s, 3),
        back_after_s=_after(watch.back_s.values(), healed_s),
        truthful_after_s=_after(agreement.truthful_s.values(), healed_s).most_s,
        notice_delay=Spread.of(crowd.take_delays()),
        instance_cpu_share=round((_instance_cpu_s(world) - cpu_s) / (time.time() - began_s), 4),
        differences=agreement.open[:DIFFERENCES_KEPT],
        late=agreement.late[:LATE_KEPT],
        noticed_aim_s=scenario.noticed_aim_s,
        back_aim_s=scenario.back_aim_s,
    )


async def become_truthful(world: World, crowd: Crowd, wanted: Iterable[int], until_s: float) -> Agreement:
    """Ask until desktop, session, switch and dialler have agreed about each agent.

    Args:
        world: whom to ask.
        crowd: whose desktops.
        wanted: agents by index.
        until_s: Unix seconds at which to give up.
    """
    waiting = {index: crowd.agents[index] for index in wanted}
    agreement = Agreement()
    while waiting:
        before = {index: dict(agent.view) for index, agent in waiting.items()}
        truths = await world.truths()
        asked_s = time.time()
        found = {
            index: min(_differences(agent, before[index], truths), _differences(agent, agent.view, truths), key=len)
            for index, agent in waiting.items()
        }
        found |= await _sessions_differ(world, [waiting[index] for index, each in found.items() if not each])
        for index in [index for index, each in found.items() if not each]:
            agreement.truthful_s[index] = asked_s
            del waiting[index]
        agreement.late = agreement.open
        agreement.open = [f"agent {index}: {'; '.join(each)}" for index, each in found.items() if each]
        if time.time() > until_s:
            break
        if waiting:
            await asyncio.sleep(ASK_S)
    return agreement


def _differences(agent: VirtualAgent, view: Json, truths: Truths) -> list[str]:
    if not view:
        return ["logged out"]
    found = differences(view, truths.switch, truths.diallers, agent.dialler_name)
    return found if back_at_work(view) else [*found, "not back at work"]


async def _sessions_differ(world: World, agents: list[VirtualAgent]) -> dict[int, list[str]]:
    """Compare desktops with what the instance says of their sessions; by agent's index what differs."""
    turn = asyncio.Semaphore(SESSIONS_AT_ONCE)

    async def ask(agent: VirtualAgent) -> list[str]:
        desk = agent.desk
        if desk is None:
            return ["logged out"]
        async with turn:
            for _ in range(SESSION_TRIES):
                try:
                    answer = await world.session(desk)
                except WorldUnreachable as error:
                    return [f"the session does not answer: {error}"]
                if desk.position == (answer["epoch"], answer["seq"]):
                    return between_views(desk.view, answer["view"])
                await asyncio.sleep(LOOK_S)  # a notice is under way
        return ["the session is elsewhere in the stream"]

    found = await asyncio.gather(*(ask(agent) for agent in agents))
    return {agent.index: each for agent, each in zip(agents, found, strict=True)}


def _is_concerned(agent: VirtualAgent, side: Side) -> bool:
    return side is Side.TELEPHONY or bool(agent.dialler_name)


def _instance_cpu_s(world: World) -> float:
    pid = world.pids.get("instance")
    used = usage_of(pid) if pid is not None else None
    return used.cpu_s if used is not None else 0.0


def _after(times_s: Iterable[float], from_s: float) -> Spread:
    return Spread.of(sorted(each - from_s for each in times_s))


async def _until(so: Callable[[], bool], until_s: float) -> None:
    while not so() and time.time() < until_s:  # noqa: ASYNC110 - 1,000 desktops set no event together
        await asyncio.sleep(LOOK_S)
