"""One story for all balancers at once: agents work, initiations go on, and instances and a balancer are lost.

Each fault is made once and looked at through every balancer, so that all have met the same.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import httpx
from tests.integration.balanced_cluster import Balanced, resolve
from tests.integration.initiations import ATTEMPT_LIMIT_S, Attempt, Figures, Stream, through, through_name

from unified_agent.client.rest import LIMITS
from unified_agent.tools.load.agents import SESSION_ENDED, Crowd
from unified_agent.tools.load.plan import LoadPlan, Numbers

KILL, FREEZE, DRAIN, BALANCER = "kill -9", "freeze", "drain", "balancer killed"
#: Long enough for a frozen instance to be given up by whoever gives it up at all, seconds.
FREEZE_S: Final = 8.0
#: How long initiations are looked at after a fault that is over at once, seconds.
LOOK_S: Final = 4.0
#: Agents, and how many of them behind each balancer.
AGENTS_EACH: Final = 6
#: Everybody must be at work again within this on a busy machine, seconds.
BACK_LIMIT_S: Final = 60.0


@dataclass(slots=True)
class Outcome:
    """What was seen.

    Attributes:
        figures: by fault and balancer.
        named: instances that initiations through a balancer named while all was well, by balancer.
        moved: how many desktops changed their instance, by fault.
        ended: sessions that ended and what went wrong with pressing and logging in, by what.
        pressed: what agents did, and how often.
        served: instance that serves an agent after login, by balancer.
    """

    figures: dict[tuple[str, str], Figures] = field(default_factory=dict)
    named: dict[str, set[str]] = field(default_factory=dict)
    moved: dict[str, int] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    pressed: dict[str, int] = field(default_factory=dict)
    logged_in: dict[str, int] = field(default_factory=dict)


class Story:
    """The cluster, its agents, and the streams of initiations."""

    def __init__(self, cluster: Balanced, crowds: Mapping[str, Crowd], streams: Mapping[str, Stream]) -> None:
        self.outcome: Final = Outcome()
        self._cluster = cluster
        self._crowds = crowds
        self._streams = streams

    async def until_all_work(self) -> None:
        """Wait until every agent has a desktop that shows everything as known."""
        async with asyncio.timeout(BACK_LIMIT_S):
            while any(crowd.back_at_work < len(crowd.agents) for crowd in self._crowds.values()):
                for crowd in self._crowds.values():
                    crowd.check()
                await asyncio.sleep(0.05)

    async def look(self, fault: str, fault_at_s: float, look_s: float) -> None:
        """Look at what initiations meet from a fault on, and how many agents it moved."""
        await asyncio.sleep(look_s)
        until_s = asyncio.get_running_loop().time()
        await asyncio.sleep(2 * ATTEMPT_LIMIT_S if fault == FREEZE else 1.0)
        for name, stream in self._streams.items():
            self.outcome.figures[fault, name] = stream.figures(fault_at_s, until_s)

    async def settle(self, fault: str) -> None:
        """Wait until all is well again, and count whom the fault moved."""
        await asyncio.to_thread(self._cluster.wait_until_well)
        await self.until_all_work()
        self.outcome.moved[fault] = sum(len(crowd.take_failovers()) for crowd in self._crowds.values())

    def sum_up(self) -> None:
        """Count what happened to the agents in all of it."""
        for crowd in self._crowds.values():
            for what, times in crowd.tally.items():
                if what.startswith((SESSION_ENDED, "login ")):
                    self.outcome.ended.append(f"{what}, {times} times")
                else:
                    self.outcome.pressed[what] = self.outcome.pressed.get(what, 0) + times

    def busiest(self, without: Sequence[str] = ()) -> str:
        """The instance that serves the most agents."""
        desks = [desk.server for crowd in self._crowds.values() for _, desk in crowd.logged_in()]
        names = [name for name in self._cluster.urls if name not in without]
        return max(names, key=lambda name: desks.count(self._cluster.urls[name]))


async def tell_story(cluster: Balanced, balancer_to_kill: str) -> Outcome:
    """Play it from the first login to the end."""
    now = asyncio.get_running_loop().time
    async with _story(cluster, balancer_to_kill) as story:
        victim = story.busiest()
        at_s = now()
        cluster.send_signal(victim, signal.SIGKILL)
        await story.look(KILL, at_s, LOOK_S)
        await story.settle(KILL)

        frozen = story.busiest([victim])
        at_s = now()
        cluster.signal_all(frozen, signal.SIGSTOP)
        await story.look(FREEZE, at_s, FREEZE_S)
        cluster.signal_all(frozen, signal.SIGCONT)
        await story.settle(FREEZE)

        drained = story.busiest([frozen])
        at_s = now()
        await asyncio.to_thread(cluster.order, drained, "drain")
        await story.look(DRAIN, at_s, LOOK_S)
        await asyncio.to_thread(cluster.order, drained, "resume")
        await story.settle(DRAIN)

        at_s = now()
        cluster.kill_front(balancer_to_kill)
        await story.look(BALANCER, at_s, LOOK_S)
        cluster.start_front(balancer_to_kill)
        await story.settle(BALANCER)
        story.sum_up()
        return story.outcome


@asynccontextmanager
async def _story(cluster: Balanced, balancer_to_kill: str) -> AsyncIterator[Story]:
    """Have all agents log in, each through a balancer, and initiations begin."""
    async with httpx.AsyncClient(limits=LIMITS) as http, asyncio.TaskGroup() as group:
        crowds = {name: Crowd(urls, plan, http, random.Random(1)) for name, urls, plan in _crowds(cluster)}
        streams = {name: Stream(attempt) for name, attempt in _attempts(cluster, balancer_to_kill).items()}
        story = Story(cluster, crowds, streams)
        running = [group.create_task(each.run()) for each in streams.values()]
        try:
            for crowd in crowds.values():
                await crowd.come(50.0)
            await story.until_all_work()
            await asyncio.sleep(1.0)
            for name, crowd in crowds.items():
                story.outcome.logged_in[name] = sum(1 for _ in crowd.logged_in())
                story.outcome.named[name] = {each.instance for each in streams[name].done}
                crowd.take_failovers()
            yield story
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            for crowd in crowds.values():
                await crowd.go(log_out=False)


def _crowds(cluster: Balanced) -> Iterator[tuple[str, list[str], LoadPlan]]:
    """Plan each balancer's agents: numbers of their own, and every second one on the dialler's job."""
    numbers = cluster.plan.numbers
    for place, (name, front) in enumerate(cluster.fronts.items()):
        first = place * AGENTS_EACH
        # A name server of a test is not the one that this machine asks; its addresses are what it would have told.
        port = cluster.instance_port
        urls = [f"http://{each}:{port}" for each in resolve(front.port)] if front.kind == "dns" else [front.url]
        own = Numbers(
            first_agent=numbers.first_agent + first,
            first_station=numbers.first_station + first,
            dialler_pattern=f"agent{place}{{n:03d}}",
        )
        yield name, urls, LoadPlan(agents=AGENTS_EACH, numbers=own)


def _attempts(cluster: Balanced, balancer_to_kill: str) -> dict[str, Attempt]:
    """How initiations are made through each balancer; those through the one to be killed know its twin too."""
    fronts = cluster.fronts
    twins = [each.port for each in fronts.values() if each.kind == fronts[balancer_to_kill].kind]
    made = {}
    for name, front in fronts.items():
        if front.kind == "dns":
            made[name] = through_name(partial(resolve, front.port), cluster.instance_port)
        else:
            others = [port for port in twins if port != front.port] if front.port in twins else []
            made[name] = through([front.port, *others])
    return made
