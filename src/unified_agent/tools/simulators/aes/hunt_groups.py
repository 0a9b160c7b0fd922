"""Hunt groups: who serves a group, who has been idle longest, and which calls wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from unified_agent.tools.simulators.aes.agents import Agent
from unified_agent.tools.simulators.aes.calls import Leg


@dataclass(slots=True, eq=False)
class HuntGroup:
    """One group (split or skill) with its queue.

    Attributes:
        number: its extension.
        name: for people.
        waiting: the queued legs, the next to be served first. A leg keeps its place when calls are joined.
    """

    number: str
    name: str
    waiting: deque[Leg] = field(default_factory=deque)

    def join(self, leg: Leg, *, first: bool) -> int:
        """Put a leg at the end of the queue, or at its head, and return the length of the queue."""
        if first:
            self.waiting.appendleft(leg)
        else:
            self.waiting.append(leg)
        return len(self.waiting)

    def leave(self, leg: Leg) -> None:
        """Take a leg out of the queue; harmless when it is not there."""
        if leg in self.waiting:
            self.waiting.remove(leg)


@dataclass(frozen=True, slots=True)
class Vdn:
    """A number that sends its calls to a hunt group."""

    number: str
    group: str


def longest_idle(agents: Iterable[Agent], group: str) -> Agent | None:
    """Choose the available agent of a group who has been idle longest, or None when nobody is available."""
    chosen: Agent | None = None
    for agent in agents:
        if agent.idle_turn is None or group not in agent.groups:
            continue
        if chosen is None or chosen.idle_turn is None or agent.idle_turn < chosen.idle_turn:
            chosen = agent
    return chosen
