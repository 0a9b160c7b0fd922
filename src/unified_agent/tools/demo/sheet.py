"""What a person reads: where to go, as whom, what to try; and how things are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from unified_agent.tools.demo.plan import AWAY_S, DIALLER_NAMES, DIALLER_PASSWORD, LOGINS, PASSWORD
from unified_agent.tools.demo.tricks import TRICKS

Json = dict[str, Any]

_HEAD: Final = ("work", "agent", "station", "password", "dialler name", "password", "headset", "job")
_BOLD: Final = "\x1b[1m"
_FAINT: Final = "\x1b[2m"
_PLAIN: Final = "\x1b[0m"


def write_sheet(
    url: str, controls: Mapping[str, str], pids: Mapping[str, int], folder: Path, *, keys: bool, colour: bool
) -> str:
    """Write what is printed once everything runs.

    Args:
        url: of the page.
        controls: URLs of the control ports by the names of the simulators.
        pids: process ids of the simulators, by name; the same names.
        folder: where settings and logs are.
        keys: single keys can be pressed.
        colour: the terminal can show bold and faint letters.
    """
    bold = (_BOLD, _PLAIN) if colour else ("", "")
    faint = (_FAINT, _PLAIN) if colour else ("", "")
    margin = "   " if keys else ""
    parts = [
        f"\n  Open  {bold[0]}{url}/{bold[1]}  and log in as one of these, each in a tab of its own:\n",
        _logins(),
        "\n  On the page, Ready brings calls of the switch, Take calls those of the dialler.",
        "  Then try" + (" (press a key, or copy the command):" if keys else ":"),
        "",
    ]
    for number, group in enumerate(TRICKS, 1):
        for index, trick in enumerate(group):
            place = f"{number}." if index == 0 else ""
            key = f"{bold[0]}{trick.key}{bold[1]}  " if keys else ""
            parts.append(f"  {place:<3} {key}{trick.title}")
            parts.append(f"      {margin}{faint[0]}{trick.command(controls)}{faint[1]}")
    parts.append(f"  {len(TRICKS) + 1}.  {margin}a simulator's process dies; it is started again after {AWAY_S:.0f} s")
    parts += [f"      {margin}{faint[0]}kill -9 {pid}{faint[1]}   # {name}" for name, pid in pids.items()]
    second = DIALLER_NAMES[1]
    where = controls[second]
    parts.append(
        f"\n  For an agent who is at {second}, the commands go to {where}" + ("; keys find it." if keys else ".")
    )
    if keys:
        others = (("i", "how things are"), ("?", "this again"), ("q", "quit"))
        parts.append("\n      " + "     ".join(f"{bold[0]}{key}{bold[1]}  {words}" for key, words in others))
    else:
        parts.append("\n  It ends with Ctrl-C or SIGTERM.")
    parts.append(f"\n  Settings and logs: {folder}\n")
    return "\n".join(parts)


def _logins() -> str:
    rows = [_HEAD]
    for each in LOGINS:
        of_dialler = (each.dialler_name, DIALLER_PASSWORD, each.station, each.job) if each.dialler_name else ("–",) * 4
        rows.append((each.work, each.agent, each.station, PASSWORD, *of_dialler))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ["    " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def write_status(status: Json | None, switch: Json | None, diallers: Mapping[str, Json | None]) -> str:
    """Write how things are, as the instance, the switch and each dialler say themselves.

    Args:
        status: of the instance.
        switch: the truth of the simulated AES.
        diallers: the truth of each simulated dialler, by name. None: it does not answer.
    """
    lines = []
    if status is None:
        lines.append("instance   does not answer")
    else:
        lines.append(f"instance   {_count(status['sessions'], 'session')}, ready: {'yes' if status['ready'] else 'no'}")
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
