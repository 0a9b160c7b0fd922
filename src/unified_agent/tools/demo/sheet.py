"""What a person reads: where to go, as whom, what to try; and how things are."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from unified_agent.tools.demo.plan import (
    AWAY_S,
    DIALLER_NAMES,
    DIALLER_PASSWORD,
    INSTANCE_NAMES,
    LOGINS,
    PASSWORD,
    foreign_origin,
)
from unified_agent.tools.demo.tricks import OF_THE_CLUSTER, TRICKS, Stage, Trick, cluster_command, kill_command

Json = dict[str, Any]

_HEAD: Final = ("work", "agent", "station", "password", "dialler name", "password", "headset", "job")
_SAMPLES: Final = (
    ("jsonp", "one script tag, plain functions"),
    ("module", "the library as a module"),
    ("rest", "without the library"),
)
_BOLD: Final = "\x1b[1m"
_FAINT: Final = "\x1b[2m"
_PLAIN: Final = "\x1b[0m"


def write_sheet(stage: Stage, *, cluster: bool, keys: bool, colour: bool) -> str:
    """Write what is printed once everything runs.

    Args:
        stage: what runs.
        cluster: there are several instances.
        keys: single keys can be pressed.
        colour: the terminal can show bold and faint letters.
    """
    look = _Look(keys=keys, colour=colour)
    url, *others = stage.urls.values()
    parts = [
        f"\n  Open  {look.bold(f'{url}/')}  and log in as one of these, each in a tab of its own:\n",
        _logins(),
        "\n  On the page, Ready brings calls of the switch, Take calls those of the dialler.",
    ]
    if cluster:
        parts += [
            f"  {' and '.join(f'{each}/' for each in others)} are the other two instances: any will do.",
            f"  In another terminal:  {look.faint(cluster_command(stage, 'status --watch'))}",
        ]
    parts += list(_samples(url, look, cluster=cluster))
    parts += ["  Then try" + (" (press a key, or copy the command):" if keys else ":")]
    groups = (
        {"The instances and their store": OF_THE_CLUSTER, "Switch and diallers": TRICKS} if cluster else {"": TRICKS}
    )
    number = 0
    for title, tricks in groups.items():
        parts.append(f"\n  {look.bold(title)}" if title else "")
        for group in tricks:
            number += 1
            parts += _group(number, group, stage, look)
    number += 1
    parts.append(f"  {number:>2}. {look.margin}a simulator's process dies; it is started again after {AWAY_S:.0f} s")
    parts += [f"      {look.margin}{look.faint(kill_command(stage, each, signal.SIGKILL))}" for each in stage.controls]
    second = DIALLER_NAMES[1]
    where = stage.controls[second]
    parts.append(
        f"\n  For an agent who is at {second}, the commands go to {where}" + ("; keys find it." if keys else ".")
    )
    if cluster:
        parts.append(f"  For another instance than {INSTANCE_NAMES[0]}, put its name in; keys find the busiest.")
    if keys:
        further = (("i", "how things are"), ("?", "this again"), ("q", "quit"))
        parts.append("\n      " + "     ".join(f"{look.bold(key)}  {words}" for key, words in further))
    else:
        parts.append("\n  It ends with Ctrl-C or SIGTERM.")
    parts.append(f"\n  Settings and logs: {stage.folder}\n")
    return "\n".join(parts)


class _Look:
    """How a terminal shows it."""

    def __init__(self, *, keys: bool, colour: bool) -> None:
        self.keys: Final = keys
        self.margin: Final = "   " if keys else ""
        self._colour = colour

    def bold(self, text: str) -> str:
        return f"{_BOLD}{text}{_PLAIN}" if self._colour else text

    def faint(self, text: str) -> str:
        return f"{_FAINT}{text}{_PLAIN}" if self._colour else text


def _samples(url: str, look: _Look, *, cluster: bool) -> Iterator[str]:
    """Yield where the pages are that show how a page of one's own is written."""
    yield "\n  Pages of your own may do the same. Samples, for agents 5005, 5006 … at 2005, 2006 …:"
    for name, words in _SAMPLES:
        yield f"      {look.faint(f'{url}/samples/{name}/index.html')}  {words}"
    if cluster:
        foreign = f"{foreign_origin(urlsplit(url).port or 80)}/samples/jsonp/index.html?servers={url}"
        yield f"      {look.faint(foreign)}"
        yield "      the first again, to its server a page of somebody else's"
    yield ""


def _group(number: int, group: Sequence[Trick], stage: Stage, look: _Look) -> Iterator[str]:
    for index, trick in enumerate(group):
        place = f"{number:>2}." if index == 0 else "   "
        key = f"{look.bold(trick.key)}  " if look.keys else ""
        yield f"  {place} {key}{trick.title}"
        yield f"      {look.margin}{look.faint(trick.command(stage))}"


def _logins() -> str:
    rows = [_HEAD]
    for each in LOGINS:
        of_dialler = (each.dialler_name, DIALLER_PASSWORD, each.station, each.job) if each.dialler_name else ("–",) * 4
        rows.append((each.work, each.agent, each.station, PASSWORD, *of_dialler))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ["    " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def write_status(instances: Mapping[str, Json | None], switch: Json | None, diallers: Mapping[str, Json | None]) -> str:
    """Write how things are, as the instances, the switch and each dialler say themselves.

    Args:
        instances: the status of each, by name. None: it does not answer.
        switch: the truth of the simulated AES.
        diallers: the truth of each simulated dialler, by name.
    """
    lines = []
    for name, status in instances.items():
        if status is None:
            lines.append(f"{name:<11}does not answer")
            continue
        ready = "yes" if status["ready"] else f"no, {', '.join(status['reasons'])}"
        lines.append(f"{name:<11}{_count(status['sessions'], 'session')}, ready: {ready}")
        if len(instances) == 1 or any(link["state"] != "up" for link in status["links"]):
            lines += [f"           {link['doing']}" for link in status["links"]]
    if switch is None:
        lines.append("switch     does not answer")
    else:
        agents = [f"{name} {agent['work_mode']}" for name, agent in switch["agents"].items()]
        lines.append(f"switch     {_count(len(switch['calls']), 'call')}; {_list(agents)}")
    for name, truth in diallers.items():
        if truth is None:
            lines.append(f"{name:<11}does not answer")
            continue
        agents = [f"{agent['name']} {agent['job'] or 'without a job'}" for agent in by_name(truth)]
        lines.append(f"{name:<11}{_list(agents)}")
    return "\n".join(f"    {line}" for line in lines)


def by_name(truth: Json) -> list[Json]:
    """Return the agents who are logged on to a dialler."""
    agents = truth["agents"]
    found: Sequence[Json] = list(agents.values()) if isinstance(agents, dict) else agents
    return [agent for agent in found if agent.get("name")]


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _list(names: Sequence[str]) -> str:
    return f"logged on: {', '.join(names)}" if names else "nobody is logged on"
