"""What the benchmarks of the cluster share: costs of processes, percentiles, a store of three members, a headline."""

from __future__ import annotations

import gc
import os
import platform
import re
import resource
import subprocess
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import monotonic, process_time
from typing import Final

from tests.contract.etcd_servers import PROGRAM, Member, Servers

from unified_agent.assembly import GC_THRESHOLDS
from unified_agent.observe import configure_logging

_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
MB: Final = 1_000_000
#: Of etcd's members. Ten times what hosts of their own have: on a busy machine they would elect all the time.
HEARTBEAT_MS: Final = 500
ELECTION_MS: Final = 5_000


def begin(method: str, *packages: str) -> None:
    """Print what is measured how, with which versions, on what, beside what other work; set up this process."""
    configure_logging(level="error", stream=Path(os.devnull).open("w"))  # noqa: SIM115 - to the end
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    versions = ", ".join(f"{each} {version(each)}" for each in packages)
    load = "/".join(f"{each:.1f}" for each in os.getloadavg())
    print(method.strip())
    print(f"CPython {platform.python_version()}, {versions}; Linux {platform.release()};", end=" ")
    print(f"{os.cpu_count()} cores, load {load} before\n")


def settle_memory() -> None:
    """Have the collector work as in an instance, and what there is now not be looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def microseconds(act: Callable[[], object], *, times: int = 400, batches: int = 9) -> float:
    """Return the CPU time of one call: the median of batches."""
    spent = []
    for _ in range(batches):
        began = process_time()
        for _ in range(times):
            act()
        spent.append(process_time() - began)
    return median(spent) / times * 1e6


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which that share of them lies; not a number for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def cpu_s(pid: int) -> float:
    """Return the CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def child_of(pid: int) -> int | None:
    """Return the first process that a process has started, None for none."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(found[0]) if found else None


def resident_bytes(pid: int) -> int:
    """Return the memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES


def written_bytes(pid: int) -> int:
    """Return what a process has had written to the disk."""
    found = re.search(r"^write_bytes: (\d+)$", Path(f"/proc/{pid}/io").read_text(), re.MULTILINE)
    assert found is not None, "Linux counts it"
    return int(found[1])


class Store:
    """Three members of etcd on loopback, which end with the block that ``three_members`` makes."""

    def __init__(self, servers: Servers) -> None:
        self.endpoints: Final = servers.endpoints
        self._members: Final[list[Member]] = servers.members

    def cpu_s(self) -> float:
        """CPU time of all members together."""
        return sum(map(cpu_s, self._pids()))

    def resident_bytes(self) -> int:
        """Memory of the largest member."""
        return max(map(resident_bytes, self._pids()))

    def written_bytes(self) -> float:
        """What one member has had written to its disk."""
        return sum(map(written_bytes, self._pids())) / len(self._members)

    def database_bytes(self) -> float:
        """Size of the largest member's database: what counts against its quota."""
        return max(self._gauge(each, "etcd_mvcc_db_total_size_in_bytes") for each in self._members)

    def in_use_bytes(self) -> float:
        """How much of that is in use; what is not is used again after a compaction."""
        return max(self._gauge(each, "etcd_mvcc_db_total_size_in_use_in_bytes") for each in self._members)

    def synced(self) -> tuple[float, float]:
        """How long one member waited for its disk in all, and how often."""
        first = self._members[0]
        name = "etcd_disk_wal_fsync_duration_seconds"
        return self._gauge(first, f"{name}_sum"), self._gauge(first, f"{name}_count")

    def sent_bytes(self) -> float:
        """What all members together have sent to clients."""
        return sum(self._gauge(each, "etcd_network_client_grpc_sent_bytes_total") for each in self._members)

    def _pids(self) -> Iterator[int]:
        for each in self._members:
            assert each.process is not None, "members run to the end"
            yield each.process.pid

    @staticmethod
    def _gauge(member: Member, name: str) -> float:
        with urllib.request.urlopen(f"http://127.0.0.1:{member.health_port}/metrics", timeout=5) as answer:
            found = re.search(rf"^{name} (\S+)$", answer.read().decode(), re.MULTILINE)
        assert found is not None, f"etcd counts {name}"
        return float(found[1])


@contextmanager
def three_members(*options: str) -> Iterator[Store]:
    """Have a store of three members within this block."""
    if PROGRAM is None:
        raise SystemExit("etcd is not installed: packaging/setup/system.sh etcd")
    said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout
    print(f"{said.splitlines()[0]}, three members, heartbeat {HEARTBEAT_MS} ms, election {ELECTION_MS} ms")
    with tempfile.TemporaryDirectory(prefix="ua-etcd-") as folder:
        quota = ("--quota-backend-bytes", str(8 * 1024**3))
        patience = ("--heartbeat-interval", str(HEARTBEAT_MS), "--election-timeout", str(ELECTION_MS))
        servers = Servers(Path(folder), count=3, options=(*quota, *patience, *options))
        try:
            servers.start()
            yield Store(servers)
        finally:
            servers.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a stretch of time cost, each second.

    Attributes:
        took_s: how long it was.
        ours, members: CPU of this process, and of all members together: cores.
        written, grown, sent: bytes that one member had written to its disk, by which its database grew, and that all
            members sent to clients.
        fsync_s: how long one member waited each time for its disk, on average.
    """

    took_s: float
    ours: float
    members: float
    written: float
    grown: float
    sent: float
    fsync_s: float


class Meter:
    """Measures from its making to ``read``."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._before = self._now()

    def read(self) -> Cost:
        """Say what it cost so far."""
        was, now = self._before, self._now()
        took_s, ours, members, written, grown, sent, waited_s, waits = (b - a for a, b in zip(was, now, strict=True))
        rates = (each / took_s for each in (ours, members, written, grown, sent))
        ours, members, written, grown, sent = rates
        fsync_s = waited_s / max(1.0, waits)
        return Cost(took_s=took_s, ours=ours, members=members, written=written, grown=grown, sent=sent, fsync_s=fsync_s)

    def _now(self) -> tuple[float, ...]:
        store = self._store
        disk = (store.written_bytes(), store.in_use_bytes(), store.sent_bytes(), *store.synced())
        return (monotonic(), process_time(), store.cpu_s(), *disk)
