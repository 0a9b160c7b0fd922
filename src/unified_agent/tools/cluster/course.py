"""Pure: how far what a person has ordered is, and what an order would mean, in sentences."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from unified_agent.server.cluster_ports import (
    ActivationPlan,
    Affected,
    ClusterStatus,
    InstanceState,
    InstanceStatus,
    Verdict,
)
from unified_agent.tools.cluster.advice import serving_still
from unified_agent.tools.cluster.table import write_drain

_WIDTH: Final = 100


class Step(Struct, frozen=True, kw_only=True):
    """How far it is.

    Attributes:
        says: in a sentence without a full stop.
        is_over: nothing more is to be waited for.
        has_failed: it did not come to what was wanted.
        then: what to do next, when it is over.
    """

    says: str
    is_over: bool = False
    has_failed: bool = False
    then: str = ""


def follow_drain(status: ClusterStatus, name: str, *, has_begun: bool) -> Step:
    """Say how far a drain is.

    Args:
        status: as told now.
        name: the instance that drains.
        has_begun: it was seen draining before. Another instance than the drained one hears of it by a heartbeat.
    """
    one = next((each for each in status.instances if each.id == name), None)
    if one is None:
        return Step(says=f"{name} is no longer known: it was stopped", is_over=True, has_failed=True, then=_SEE)
    if one.state is InstanceState.DOWN or one.verdict is Verdict.DEAD:
        why = f": {one.verdict_reason}" if one.verdict_reason else ""
        return Step(says=f"{name} is down{why}", is_over=True, has_failed=True, then=_SEE)
    if one.state is not InstanceState.DRAINING:
        if has_begun:
            return Step(says=f"somebody had {name} take agents again", is_over=True, has_failed=True, then=_SEE)
        return Step(says=f"{name} has been told")
    if _left(one):
        told = write_drain(one) if one.drain is not None else f"{one.sessions:,} left"
        return Step(says=f"{name}: {told}{'' if _takers(status, one) else '; no other instance takes agents'}")
    return Step(
        says=f"{name} has no agents any more",
        is_over=True,
        then=f"Stop or upgrade it now. To have it take agents again: unified-agent cluster resume {name}",
    )


def follow_activation(status: ClusterStatus, datacentre: str) -> Step:
    """Say how far a change of the active datacentre is."""
    if status.active == datacentre and not status.handed_to:
        return Step(
            says=f"{datacentre} is active in epoch {status.epoch}",
            is_over=True,
            then="Its instances log the agents in; 'unified-agent cluster status --watch' shows them come.",
        )
    if status.handed_to == datacentre:
        serving = serving_still(status)
        waits = f"; {', '.join(serving)} still {'has' if len(serving) == 1 else 'have'} agents" if serving else ""
        return Step(says=f"{datacentre} is taking over (epoch {status.epoch}){waits}")
    return Step(says=f"{status.active or 'no datacentre'} is active; {datacentre} has the order")


def write_plan(plan: ActivationPlan, url: str) -> list[str]:
    """Write what making a datacentre active would mean, and how it is ordered.

    Args:
        plan: as an instance told it.
        url: of that instance.
    """
    lines = _wrapped(f"{plan.says.rstrip('.')}.")
    now = f"{plan.active} is active" if plan.active else "no datacentre is active"
    lines += ["", f"Now: {now}, epoch {plan.epoch}. {_agents(plan)} logged in anew."]
    if plan.instances:
        width = max(len(each.id) for each in plan.instances)
        lines += ["", "Live instances:", *(line for each in plan.instances for line in _affected(each, width))]
    if plan.hinders:
        lines += ["", "It cannot be ordered now:"]
        lines += [line for each in plan.hinders for line in _wrapped(f"- {each}", "  ")]
    elif plan.confirm:
        lines += ["", "Nothing has been done. To do it, while it is so:", ""]
        lines += [f"  unified-agent cluster activate {plan.datacentre} --confirm {plan.confirm} --url {url}"]
    return lines


_SEE: Final = "See 'unified-agent cluster status'."


def _takers(status: ClusterStatus, one: InstanceStatus) -> bool:
    return any(
        each.state is InstanceState.READY and each.verdict is Verdict.ALIVE and each.datacentre == one.datacentre
        for each in status.instances
    )


def _left(one: InstanceStatus) -> int:
    return one.sessions if one.drain is None else one.drain.left


def _agents(plan: ActivationPlan) -> str:
    return "1 agent would be" if plan.agents == 1 else f"{plan.agents:,} agents would be"


def _affected(one: Affected, width: int) -> Iterator[str]:
    head = f"  {one.id:<{width}}  {one.datacentre}, {one.state}, {one.sessions:,} agents: "
    yield from _wrapped(f"{head}{one.becomes}", " " * (width + 4))


def _wrapped(text: str, further: str = "") -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, subsequent_indent=further, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
