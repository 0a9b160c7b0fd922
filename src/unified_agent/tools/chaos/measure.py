"""One fault, measured at the desktops: when they knew, when another instance served them, when all was true again."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from unified_agent.client import ConnectionState, Desk, Move, Settled
from unified_agent.domain.ids import AgentId, CommandId
from unified_agent.domain.session_state import Outcome
from unified_agent.tools.chaos.faults import Scene, Struck
from unified_agent.tools.chaos.history_check import Told
from unified_agent.tools.chaos.places import INSTANCES
from unified_agent.tools.chaos.plan import url_of
from unified_agent.tools.chaos.report import Reaction, Times
from unified_agent.tools.chaos.scenarios import Scenario
from unified_agent.tools.load.agents import SESSION_ENDED, Crowd, VirtualAgent
from unified_agent.tools.load.recovery import become_truthful
from unified_agent.tools.load.truths import back_at_work

Json = dict[str, Any]

#: How long agents may take to be at work elsewhere before the measurement gives up, seconds.
BACK_LIMIT_S: Final = 90.0
#: How long the truths may take to agree once all desktops show everything in its place, seconds.
AGREE_LIMIT_S: Final = 20.0
#: How long a desktop may be left not knowing what became of a command, once its agent is at work again, seconds.
UNKNOWN_LIMIT_S: Final = 5.0
#: Desktops are looked at this often, seconds.
LOOK_S: Final = 0.05
#: So many differences are kept for the report.
DIFFERENCES_KEPT: Final = 5

_URLS: Final = {host.name: url_of(host) for host in INSTANCES}


@dataclass(slots=True)
class Track:
    """What was seen of one agent since the fault. Times are monotonic.

    Attributes:
        desk: the desktop at that time.
        server: that served it then.
        attached_s: when another instance had first shown it something; ``greyed``: the agent was not known then.
        out_s: when it first did not show its agent at work; None while it always did.
        back_s: since when it does again.
        has_ended: its session has ended.
    """

    desk: Desk
    server: str
    attached_s: float | None = None
    greyed: bool = False
    out_s: float | None = None
    back_s: float | None = None
    has_ended: bool = False

    @property
    def is_elsewhere(self) -> bool:
        """Whether another instance serves it now."""
        return self.desk.server != self.server


@dataclass(slots=True)
class Watch:
    """Looks at all desktops from just before a fault.

    Attributes:
        tracks: by agent's index.
    """

    tracks: dict[int, Track] = field(default_factory=dict)

    @classmethod
    def begin(cls, crowd: Crowd) -> Watch:
        """Take down how every desktop is now."""
        return cls({agent.index: Track(desk, desk.server) for agent, desk in crowd.logged_in()})

    def heard(self, agent: VirtualAgent, envelope: Json) -> None:
        """Look at what reached a desktop."""
        track = self.tracks.get(agent.index)
        if track is None or track.attached_s is not None or agent.desk is not track.desk or not track.is_elsewhere:
            return
        track.attached_s = time.monotonic()
        track.greyed = not agent.view["agent"]["known"]

    def look(self, crowd: Crowd, now_s: float) -> None:
        """Look at every desktop."""
        for index, track in self.tracks.items():
            agent = crowd.agents[index]
            if agent.desk is not track.desk:
                track.has_ended = True
            if is_at_work(agent.desk):
                if track.out_s is not None and track.back_s is None:
                    track.back_s = now_s
            else:
                track.out_s = now_s if track.out_s is None else track.out_s
                track.back_s = None

    def of(self, struck: Struck) -> dict[int, Track]:
        """Those who were served by these instances."""
        urls = {_URLS[name] for name in struck}
        return {index: track for index, track in self.tracks.items() if track.server in urls}

    def waiting(self, indexes: Iterable[int]) -> list[int]:
        """Those of the agents who are not at work elsewhere."""
        return [index for index in indexes if not self._is_through(self.tracks[index])]

    def _is_through(self, track: Track) -> bool:
        is_at_work_now = track.out_s is None or track.back_s is not None
        return is_at_work_now and (track.is_elsewhere or track.has_ended)


@dataclass(slots=True)
class Telling:
    """What desktops were told of their commands.

    Attributes:
        told: in the order of hearing.
    """

    told: list[Told] = field(default_factory=list)

    def heard(self, agent: VirtualAgent, envelope: Json) -> None:
        """Keep what a notice says about a command."""
        if envelope["type"] == "command-settled":
            self._keep(agent, envelope["data"]["command"], envelope["data"]["outcome"])

    def ended(self, agent: VirtualAgent, settled: Settled) -> None:
        """Keep how a press ended for its desktop, by whichever way it heard."""
        self._keep(agent, settled.id, settled.outcome)

    def _keep(self, agent: VirtualAgent, command: str, outcome: str) -> None:
        if agent.desk is not None:
            self.told.append(
                Told(
                    mono_s=time.monotonic(),
                    agent=AgentId(agent.desk.agent),
                    command=CommandId(command),
                    outcome=Outcome(outcome),
                )
            )


def is_at_work(desk: Desk | None) -> bool:
    """Say whether a desktop is in step and shows its agent at work, everything known and in its place."""
    if desk is None or desk.connection.state is not ConnectionState.LIVE or not desk.view:
        return False
    return back_at_work(desk.view)


def left_unknown(
    told: Iterable[Told], limit_s: float, now_s: float, back_s: Mapping[str, float] = MappingProxyType({})
) -> int:
    """Count the commands whose desktop was left not knowing for longer than the limit.

    Args:
        told: what desktops were told, in the order of hearing.
        limit_s: see above.
        now_s: until when it was listened.
        back_s: by agent's id, when it was at work again: before that nobody could find out what became of a command.
    """
    left = 0
    since_s: dict[CommandId, float] = {}
    for each in told:
        if each.outcome is Outcome.UNKNOWN:
            since_s.setdefault(each.command, max(each.mono_s, back_s.get(each.agent, each.mono_s)))
        elif each.mono_s - since_s.pop(each.command, each.mono_s) > limit_s:
            left += 1
    return left + sum(now_s - began_s > limit_s for began_s in since_s.values())


async def measure(scenario: Scenario, scene: Scene, telling: Telling) -> Reaction:
    """Let a fault happen, measure, heal it, and see that all is whole.

    Args:
        scenario: which fault.
        scene: where; the agents go on working.
        telling: hears what desktops are told of their commands, for the whole run.

    Raises:
        ChildFailed, WorldUnreachable: the cluster does not become whole again.
    """
    crowd, world = scene.crowd, scene.world
    everyone = range(len(crowd.agents))
    tally, gaps, told_before = Counter(crowd.tally), _gaps(crowd), len(telling.told)
    async with _watched(crowd) as watch:
        began_s = time.monotonic()
        struck = await scenario.begin(scene)
        concerned = watch.of(struck)
        while _goes_on(watch, concerned, scenario.hold_s, time.monotonic() - began_s):  # noqa: ASYNC110 - 1,000 desktops
            await asyncio.sleep(LOOK_S)
        lost = watch.waiting(concerned)
        agreement = await become_truthful(world, crowd, everyone, time.time() + AGREE_LIMIT_S)
    async with _watched(crowd) as healing:
        healing_s = time.monotonic()
        await scenario.heal(scene)
        healed_s = time.monotonic()
        after = await become_truthful(world, crowd, everyone, time.time() + AGREE_LIMIT_S)
    others = [track for index, track in watch.tracks.items() if index not in concerned]
    happened = crowd.tally - tally
    back_s = {track.desk.agent: track.back_s for track in watch.tracks.values() if track.back_s is not None}
    return Reaction(
        scenario=scenario.name,
        title=scenario.title,
        struck=sorted(struck),
        agents=len(concerned),
        others=len(others),
        noticed=_times((_noticed(track, began_s) for track in concerned.values()), began_s),
        attached=_times((track.attached_s for track in concerned.values()), began_s),
        greyed=sum(track.greyed for track in concerned.values()),
        back=_times((track.back_s for track in concerned.values()), began_s),
        lost=len(lost),
        truthful=len(agreement.truthful_s),
        moved_in_order=sum(track.is_elsewhere and _noticed(track, began_s) is None for track in concerned.values()),
        outage=Times.of(each.outage_s for track in concerned.values() for each in _losses(track, began_s)),
        others_disturbed=sum(track.out_s is not None for track in others),
        others_out=Times.of(track.back_s - track.out_s for track in others if track.out_s and track.back_s),
        disturbed_by_healing=sum(track.out_s is not None for track in healing.tracks.values()),
        sessions_ended={
            what.removeprefix(SESSION_ENDED): count
            for what, count in happened.items()
            if what.startswith(SESSION_ENDED)
        },
        gaps=_gaps(crowd) - gaps,
        commands_unknown=left_unknown(telling.told[told_before:], UNKNOWN_LIMIT_S, time.monotonic(), back_s)
        + sum(count for what, count in happened.items() if what.endswith(": no answer")),
        healing_s=round(healed_s - healing_s, 3),
        truthful_after_healing=len(after.truthful_s),
        differences=[*agreement.open[:DIFFERENCES_KEPT], *after.open[:DIFFERENCES_KEPT]],
        back_limit_s=scenario.back_limit_s,
        aims=scenario.aims,
        planned=scenario.planned,
    )


@contextlib.asynccontextmanager
async def _watched(crowd: Crowd) -> AsyncIterator[Watch]:
    """Have all desktops looked at all the time."""
    watch = Watch.begin(crowd)
    end = crowd.listen(watch.heard)
    looking = asyncio.get_running_loop().create_task(_look_on(watch, crowd), name="looks at desktops")
    try:
        yield watch
    finally:
        end()
        looking.cancel()
        await asyncio.wait([looking])
        watch.look(crowd, time.monotonic())


async def _look_on(watch: Watch, crowd: Crowd) -> None:
    while True:
        watch.look(crowd, time.monotonic())
        await asyncio.sleep(LOOK_S)


def _goes_on(watch: Watch, concerned: Iterable[int], hold_s: float, after_s: float) -> bool:
    return after_s < hold_s or (after_s < BACK_LIMIT_S and bool(watch.waiting(concerned)))


def _losses(track: Track, began_s: float) -> list[Move]:
    """Return the moves since the fault in which the view was out of step."""
    return [each for each in track.desk.moves if each.attached_at_s >= began_s and each.lost_at_s is not None]


def _noticed(track: Track, began_s: float) -> float | None:
    """When a desktop knew that its instance was gone: the first loss since the fault, if there was one."""
    losses = _losses(track, began_s)
    return losses[0].noticed_at_s if losses else None


def _times(times_s: Iterable[float | None], from_s: float) -> Times:
    return Times.of(each - from_s for each in times_s if each is not None)


def _gaps(crowd: Crowd) -> int:
    return sum(desk.gaps for _, desk in crowd.logged_in())
