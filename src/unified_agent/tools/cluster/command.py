"""``unified-agent cluster``: the commands. Each asks one instance, which answers for all.

Exit status: 0 well, 1 it failed or was refused, 2 something given is wrong.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter, validators
from msgspec.structs import replace

from unified_agent.server.cluster_ports import ClusterStatus, InstanceState
from unified_agent.tools.cluster.access import NO_OPTIONS, AccessOptions, find_access
from unified_agent.tools.cluster.course import Step, follow_activation, follow_drain, write_plan
from unified_agent.tools.cluster.door import ClusterFailed, Door
from unified_agent.tools.cluster.screen import Line, Page
from unified_agent.tools.cluster.table import Look, choose_look, write_status

#: How often the picture of --watch is drawn, and how often progress is asked for, seconds.
WATCH_S: Final = 1.0
PROGRESS_S: Final = 0.5
#: What was ordered and does not begin within this is called failed, seconds.
BEGIN_LIMIT_S: Final = 20.0
#: Ended by Ctrl-C, as a shell says it.
INTERRUPTED: Final = 130

_Yes = Annotated[bool, Parameter(negative=())]


def status(*, watch: _Yes = False, json: _Yes = False, access: AccessOptions = NO_OPTIONS) -> int:
    """Tell how the cluster is: every instance, which datacentre is active, the store, and what needs a person.

    Parameters
    ----------
    watch
        Draw it again each second until Ctrl-C; where there is no terminal, print it once per change.
    json
        As JSON; with --watch one line per change.
    access
        Which instance to ask.
    """
    return _with_door(access, lambda door: _watch(door, as_json=json) if watch else _tell(door, as_json=json))


def drain(
    name: str,
    *,
    rate: Annotated[float | None, Parameter(validator=validators.Number(gt=0, lte=1_000))] = None,
    wait: bool = True,
    access: AccessOptions = NO_OPTIONS,
) -> int:
    """Have an instance move its agents to others and take no new ones; show how far it is until it is empty.

    An agent with a dialler's record open is moved once it is closed. Ctrl-C ends the showing, not the drain.

    Parameters
    ----------
    name
        The instance.
    rate
        Agents moved a second; as its settings say when left out.
    wait
        Show how far it is until it is over.
    access
        Which instance to ask.
    """

    def work(door: Door) -> int:
        now = door.drain(name, rate)
        if not wait:
            print(f"{follow_drain(now, name, has_begun=False).says}.")
            return 0
        return _follow(door, Drain(name), f"{name} drains on; unified-agent cluster resume {name} ends that.")

    return _with_door(access, work)


def resume(name: str, *, access: AccessOptions = NO_OPTIONS) -> int:
    """Have an instance take agents again. Those who have left stay where they are.

    Parameters
    ----------
    name
        The instance.
    access
        Which instance to ask.
    """

    def work(door: Door) -> int:
        door.resume(name)
        print(f"{name} takes agents again.")
        return 0

    return _with_door(access, work)


def move(agent: str, *, to: str | None = None, access: AccessOptions = NO_OPTIONS) -> int:
    """Move one agent to another instance, without a log-out at the switch; calls go on.

    Parameters
    ----------
    agent
        The agent's number.
    to
        Instance that gets the agent; the cluster chooses when left out.
    access
        Which instance to ask.
    """

    def work(door: Door) -> int:
        moving = door.move(agent, to)
        print(f"Agent {moving.agent} goes from {moving.source} to {moving.target}; the desktop has been told.")
        return 0

    return _with_door(access, work)


def activate(
    datacentre: str,
    *,
    dry_run: _Yes = False,
    confirm: str = "",
    wait: bool = True,
    access: AccessOptions = NO_OPTIONS,
) -> int:
    """Make a datacentre the active one. Without --confirm it only says what would happen, and how to order it.

    Parameters
    ----------
    datacentre
        That is to be active.
    dry_run
        Only say what would happen, also with --confirm.
    confirm
        The word of the answer without it. It is good for that situation only.
    wait
        Show how far it is until it is active.
    access
        Which instance to ask.
    """

    def work(door: Door) -> int:
        told = door.activate(datacentre, dry_run=dry_run, confirm=confirm)
        if not told.ordered:
            print("\n".join(write_plan(told.plan, door.url)))
            return 1 if told.plan.hinders else 0
        if not wait:
            print(f"{datacentre} has the order.")
            return 0
        return _follow(door, Activation(datacentre), "The order stands; 'unified-agent cluster status' tells of it.")

    return _with_door(access, work)


class Drain:
    """A drain, looked at again and again."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.has_begun = False

    def look(self, now: ClusterStatus) -> Step:
        """Say how far it is."""
        step = follow_drain(now, self._name, has_begun=self.has_begun)
        self.has_begun = self.has_begun or any(
            each.id == self._name and each.state is InstanceState.DRAINING for each in now.instances
        )
        return step


class Activation:
    """A change of the active datacentre, looked at again and again."""

    def __init__(self, datacentre: str) -> None:
        self._datacentre = datacentre
        self.has_begun = False

    def look(self, now: ClusterStatus) -> Step:
        """Say how far it is."""
        self.has_begun = self.has_begun or bool(now.handed_to)
        return follow_activation(now, self._datacentre)


def _with_door(access: AccessOptions, work: Callable[[Door], int]) -> int:
    """Do something with an instance; a failure is a sentence on standard error, and the exit status."""
    try:
        with Door(find_access(access, os.environ)) as door:
            return work(door)
    except ClusterFailed as failure:
        print(failure, file=sys.stderr)
        return failure.exit_status


def _tell(door: Door, *, as_json: bool) -> int:
    told = door.status()
    print("\n".join(_as_json(told, indent=2) if as_json else write_status(told, _look(), asked=door.url)))
    return 0


def _watch(door: Door, *, as_json: bool, wait: Callable[[float], None] = time.sleep) -> int:
    look = _look()
    lines = _as_json(door.status(), indent=-1) if as_json else write_status(door.status(), look, asked=door.url)
    with Page(sys.stdout, is_terminal=sys.stdout.isatty() and not as_json) as page:
        try:
            while True:
                try:
                    told = door.status()
                except ClusterFailed as failure:
                    if not failure.is_silent:
                        raise
                    page.show([f"{look.odd} {failure}", "", "What was told last:", "", *lines], str(failure))
                else:
                    lines = _as_json(told, indent=-1) if as_json else write_status(told, look, asked=door.url)
                    page.show(lines, msgspec.json.encode(without_ages(told)))
                wait(WATCH_S)
        except KeyboardInterrupt:
            return 0


def _follow(door: Door, order: Drain | Activation, when_left: str, wait: Callable[[float], None] = time.sleep) -> int:
    """Show how far an order is until it is over."""
    try:
        with Line(sys.stdout, is_terminal=sys.stdout.isatty()) as line:
            step = _until_over(door, order, line, wait)
    except KeyboardInterrupt:
        print(when_left)
        return INTERRUPTED
    if not step.is_over:
        print(f"It has not begun within {BEGIN_LIMIT_S:g} s. {when_left}", file=sys.stderr)
        return 1
    print(step.then, file=sys.stderr if step.has_failed else sys.stdout)
    return int(step.has_failed)


def _until_over(door: Door, order: Drain | Activation, line: Line, wait: Callable[[float], None]) -> Step:
    """Look until it is over, or has not even begun within the limit."""
    waited_s = 0.0
    while True:
        step = order.look(door.status())
        line.show(step.says)
        if step.is_over or (not order.has_begun and waited_s >= BEGIN_LIMIT_S):
            return step
        wait(PROGRESS_S)
        waited_s += PROGRESS_S


def without_ages(told: ClusterStatus) -> ClusterStatus:
    """Take out what is another with each answer although nothing has changed."""
    return replace(
        told,
        now="",
        store=replace(told.store, heard_s=None),
        instances=tuple(replace(each, heard_s=None) for each in told.instances),
    )


def _as_json(told: ClusterStatus, *, indent: int) -> list[str]:
    return msgspec.json.format(msgspec.json.encode(told), indent=indent).decode().splitlines()


def _look() -> Look:
    return choose_look(sys.stdout.encoding, colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
