"""Which instance should take this agent: its present owner if that will do, else one that many choosers agree on.

Everybody who chooses (an instance asked at its door, the survivors of a dead one, a desktop looking for a new home)
ranks the instances by the same **rendezvous hash** of agent and instance. So they agree without talking, agents
spread evenly, and when an instance goes only its own agents move, evenly to all others.

A hash knows nothing of load, so one that is fuller than ``LOAD_SPREAD`` times the average is passed over, as long as
another is not. The order of the kinds of instances is that of the desktop's own list of tries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from msgspec import Struct

from unified_agent.domain.ids import AgentId, InstanceId

#: Above this many times the average load an instance is passed over. With 1.25 few agents leave the place that the
#: hash gives them, and no instance gets more than a quarter above its share.
LOAD_SPREAD: Final = 1.25


class Standing(StrEnum):
    """What an instance can do for a new agent, as the chooser sees it."""

    READY = "ready"
    DRAINING = "draining"
    JOINING = "joining"
    DOWN = "down"


class Candidate(Struct, frozen=True, kw_only=True):
    """One instance among which to choose.

    Attributes:
        sessions: agents it serves now.
        capacity: agents it serves at most; at least 1.
        promised: agents sent there lately, who may not be among its ``sessions`` yet. They count as load and never make
            an instance full: whoever only asks where to go takes nobody's place.
        lacks_link: it has lost a link that others have: taken only when no other will do.
        is_suspect: it has not been heard for a while: the same.
    """

    instance: InstanceId
    datacentre: str
    standing: Standing
    sessions: int
    capacity: int
    promised: int = 0
    lacks_link: bool = False
    is_suspect: bool = False


class Choice(Struct, frozen=True):
    """The instance to take the agent, or None, and why, in a sentence.

    Attributes:
        is_full: none was chosen because every instance that is ready has as many agents as it takes.
    """

    instance: InstanceId | None
    reason: str
    is_full: bool = False


def choose_instance(
    agent: AgentId, candidates: Iterable[Candidate], *, active_datacentre: str, owner: InstanceId | None = None
) -> Choice:
    """Choose the instance that should take an agent.

    Args:
        agent: who comes.
        candidates: all instances known, in any order.
        active_datacentre: where agents are served; none elsewhere is ever chosen.
        owner: instance that has the agent now. It keeps it while it is ready, even when full: the agent is counted
            there already, and moving costs a login.

    Returns:
        The choice. Equal for all who see the same candidates, whatever their order.
    """
    here = [each for each in candidates if each.datacentre == active_datacentre]
    kept = next((each for each in here if each.instance == owner and each.standing is Standing.READY), None)
    if kept is not None and not kept.is_suspect and not kept.lacks_link:
        return Choice(kept.instance, "it has the agent already")
    ready = [each for each in here if each.standing is Standing.READY]
    free = [each for each in ready if each.sessions < each.capacity]
    if not free:
        return Choice(None, _why_none(here, ready, active_datacentre), is_full=bool(ready))
    sound = [each for each in free if not each.is_suspect and not each.lacks_link]
    pool = sound or free
    limit = LOAD_SPREAD * sum(map(_load, pool)) / sum(each.capacity for each in pool)
    ranked = sorted(pool, key=lambda each: (-rank(agent, each.instance), each.instance))
    for place, each in enumerate(ranked):
        if _load(each) <= limit * each.capacity:
            reason = "it is first in the agent's order" if place == 0 else "those before it in the order are fuller"
            return Choice(each.instance, reason if sound else f"{reason}, though no instance is sound")
    raise AssertionError("one of them has at most the average load")


def order_instances(
    agent: AgentId, candidates: Iterable[Candidate], *, active_datacentre: str
) -> tuple[InstanceId, ...]:
    """Return all instances in the order in which a desktop tries them.

    Ready ones of the active datacentre in the agent's order, then those there that lack something, then draining ones,
    then the other datacentre, whose answer at least says where to go. Those that are down or joining come last.
    """

    def place(each: Candidate) -> tuple[int, int, InstanceId]:
        if each.standing in {Standing.DOWN, Standing.JOINING}:
            kind = 4
        elif each.datacentre != active_datacentre:
            kind = 3
        elif each.standing is Standing.DRAINING:
            kind = 2
        else:
            kind = 1 if each.is_suspect or each.lacks_link or each.sessions >= each.capacity else 0
        return kind, -rank(agent, each.instance), each.instance

    return tuple(each.instance for each in sorted(candidates, key=place))


def rank(agent: AgentId, instance: InstanceId) -> int:
    """Return the rendezvous hash of a pair: the first 8 bytes of SHA-256 of ``agent NUL instance``, big-endian.

    SHA-256 because browsers have it too, so that a desktop can order instances as we do.
    """
    return int.from_bytes(hashlib.sha256(f"{agent}\0{instance}".encode()).digest()[:8], "big")


def _load(candidate: Candidate) -> int:
    return candidate.sessions + candidate.promised


def _why_none(here: list[Candidate], ready: list[Candidate], datacentre: str) -> str:
    if ready:
        return f"all {len(ready)} ready instances of {datacentre} are full"
    if here:
        return f"no instance of {datacentre} is ready ({', '.join(sorted({each.standing.value for each in here}))})"
    return f"no instance of {datacentre} is known"
