"""What a session initiation costs: ``GET /v1/entry`` at a real instance of a real cluster, as fast as it answers.

    .venv/bin/python -m benchmarks.initiation

The demo's cluster (three instances, etcd, switch and diallers, each a process of its own) is started on free ports; wrk
(Debian: wrk) asks one instance over 16 kept connections, three times for a second each: without an agent, for
agents nobody has (a read of the store each), and the topology for comparison. CPU is that of the instance's process.
The median of three is printed.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.integration.test_demo import Shown, started

ROUNDS: Final = 3
#: Short, because one address may ask a thousand times a second in the long run (``INITIATION_RATE_PER_MIN``).
SECONDS: Final = 1
CONNECTIONS: Final = 16
SCRIPT: Final = """
local number = 0
request = function()
  number = number + 1
  return wrk.format("GET", PATH .. (AGENTS and string.format("?agent=7%05d", number % 100000) or ""))
end
done = function(summary, latency, requests)
  io.write(string.format("told %d %d %d %d\\n", summary.requests, summary.errors.status, latency:percentile(50),
    latency:percentile(99)))
end
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """One way to ask: which path, and whether each request is for another agent."""

    name: str
    path: str
    agents: bool = False


WAYS: Final = (
    Asked("entry, nobody named", "/v1/entry"),
    Asked("entry, each another agent", "/v1/entry", agents=True),
    Asked("topology", "/v1/topology"),
)


def cpu_s(pid: int) -> float:
    """Return what a process has used, seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def ask(url: str, pid: int, way: Asked, folder: Path) -> tuple[float, float, float, float]:
    """Ask for a while; return requests a second, p50 and p99 (ms), and CPU of the instance (µs a request)."""
    script = folder / "ask.lua"
    script.write_text(f'PATH = "{way.path}"\nAGENTS = {str(way.agents).lower()}\n{SCRIPT}')
    before_s = cpu_s(pid)
    wrk = await asyncio.create_subprocess_exec(
        "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", str(script), url, stdout=asyncio.subprocess.PIPE
    )
    said = (await wrk.communicate())[0].decode()
    used_s = cpu_s(pid) - before_s
    told = re.search(r"told (\d+) (\d+) (\d+) (\d+)", said)
    assert told is not None, said
    requests, errors, p50_us, p99_us = map(int, told.groups())
    assert errors == 0, said
    return requests / SECONDS, p50_us / 1_000, p99_us / 1_000, used_s / requests * 1e6


async def measure(demo: Shown) -> None:
    """Measure each way at the first instance."""
    url, pid = demo.url, demo.pids()["ua-1"]
    print(f"{'':28} {'requests/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'CPU µs':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for way in WAYS:
            rounds = [await ask(url, pid, way, Path(folder)) for _ in range(ROUNDS)]
            rate, p50, p99, cpu = (statistics.median(column) for column in zip(*rounds, strict=True))
            print(f"{way.name:28} {rate:10.0f} {p50:8.2f} {p99:8.2f} {cpu:8.0f}", flush=True)


async def main() -> int:
    if shutil.which("wrk") is None:
        print("wrk is not installed: apt-get install wrk", file=sys.stderr)
        return 1
    async with started() as demo:
        await measure(demo)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
