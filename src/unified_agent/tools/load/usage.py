"""CPU and memory of processes, as Linux tells of them in /proc."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used so far.

    Attributes:
        cpu_s: CPU time in user and kernel, since its start.
        resident_bytes: memory it holds now.
        peak_bytes: the most it ever held.
    """

    cpu_s: float
    resident_bytes: int
    peak_bytes: int


def usage_of(pid: int, proc: Path = _PROC) -> Usage | None:
    """Read what a process has used; None when there is no such process any more.

    Source: proc(5): utime and stime are fields 14 and 15 of /proc/PID/stat, in clock ticks; VmRSS and VmHWM of
        /proc/PID/status are in kB.
    """
    try:
        stat = (proc / str(pid) / "stat").read_text()
        status = (proc / str(pid) / "status").read_text()
    except OSError:
        return None
    after_name = stat.rpartition(")")[2].split()
    ticks = int(after_name[11]) + int(after_name[12])
    sizes = {
        name: int(value.split()[0]) * 1024
        for name, _, value in (line.partition(":") for line in status.splitlines())
        if name in {"VmRSS", "VmHWM"}
    }
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), sizes.get("VmRSS", 0), sizes.get("VmHWM", 0))


def children_of(pid: int, proc: Path = _PROC) -> list[int]:
    """Return the processes that a process has started and that still run.

    Source: proc(5): /proc/PID/task/TID/children, on kernels with CONFIG_PROC_CHILDREN.
    """
    try:
        words = (proc / str(pid) / "task" / str(pid) / "children").read_text().split()
    except OSError:
        return []
    return [int(word) for word in words]


def machine_busy_s(proc: Path = _PROC) -> float:
    """Read for how long the machine's processors were busy since its start, over all of them, seconds.

    Source: proc(5): the first line of /proc/stat; idle and iowait, its 4th and 5th number, are not busy.
    """
    numbers = [int(each) for each in (proc / "stat").read_text().splitlines()[0].split()[1:]]
    busy = sum(numbers[:8]) - numbers[3] - numbers[4]
    return busy / os.sysconf("SC_CLK_TCK")


def processor_name(proc: Path = _PROC) -> str:
    """Read what the first processor is called, or say that it is not known."""
    try:
        lines = (proc / "cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "unknown processor")


def memory_bytes(proc: Path = _PROC) -> int:
    """Read how much memory the machine has, 0 when that is not known."""
    try:
        lines = (proc / "meminfo").read_text().splitlines()
    except OSError:
        lines = []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemTotal")), 0)
