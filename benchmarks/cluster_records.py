"""What the records of agents cost an instance: how often they change, how big they are, CPU to pack, seal and hand on.

    .venv/bin/python -m benchmarks.cluster_records [AGENTS]

AGENTS work for ten minutes on virtual time, after ten others of which their commands are remembered: real sessions and
links, simulated AES and dialler that answer after 20 to 100 ms, half of them on records of a job, each about one call a
minute. All that is published is kept, then measured: how many writes are left when changes are gathered for some time,
and how big values are. CPU is the median of nine batches over the largest open record of each kind.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from functools import partial
from random import Random
from statistics import mean
from typing import Final

from benchmarks.measuring import begin, microseconds
from benchmarks.working_minute import Published, Work, watch_agents
from tests.simulation.virtual_loop import run

from unified_agent.clock import LoopClock
from unified_agent.cluster.carries import PURPOSE, Carries, deflate, inflate
from unified_agent.cluster.lives import Life
from unified_agent.cluster.stores.base import Revision
from unified_agent.cluster.stores.batch import BatchSettings
from unified_agent.cluster.stores.memory import MemoryStore
from unified_agent.cluster.stores.memory_engine import MemoryEngine
from unified_agent.cluster.tenure import Tenure, TenureSettings
from unified_agent.cluster.values import Carried, write_value
from unified_agent.domain.carry import carry_of, pack, unpack
from unified_agent.domain.session_state import SessionState
from unified_agent.observe import Metrics
from unified_agent.sealing import Keyring

WATCHED_S: Final = 600.0
GATHERED_S: Final = (0.03, 0.25, 1.0)
KINDS: Final = ("telephone only", "with a dialler")


def writes_left(published: Iterable[Published], gather_s: float) -> int:
    """Return how many writes are left when an agent's changes within a time become one."""
    due_s: dict[str, float] = {}
    writes = 0
    for each in published:
        agent = each.carry.identity.agent
        if each.at_s >= due_s.get(agent, float("-inf")):
            writes += 1
            due_s[agent] = each.at_s + gather_s
    return writes


def value_of(keyring: Keyring, carry: SessionState) -> bytes:
    """Return what stands in the store for a carry."""
    sealed = keyring.seal(PURPOSE, deflate(pack(carry)), about=b"50001 1")
    return write_value(Carried(term=1, sealed=sealed))


def print_changes(work: Work, keyring: Keyring) -> tuple[float, float, list[float]]:
    """Print how often records change and how big they are; returns the means of both kinds, for one call."""
    print("                        telephone only   with a dialler")
    kinds: Sequence[list[Published]] = ([], [])
    for each in work.published:
        kinds[each.carry.identity.dialler is not None].append(each)
    calls = work.calls
    rows: list[tuple[str, list[float], str]] = [
        ("calls a minute", [calls[i] / work.agents[i] / work.seconds * 60 for i in (0, 1)], ".2f"),
        ("changes a call", [len(kinds[i]) / calls[i] for i in (0, 1)], ".1f"),
    ]
    left = []
    for gather_s in GATHERED_S:
        by_kind = [writes_left(kinds[i], gather_s) / calls[i] for i in (0, 1)]
        rows.append((f"writes, {gather_s:g} s gathered", by_kind, ".1f"))
        left.append(mean(by_kind))
    packed = [[len(pack(each.carry)) for each in kind] for kind in kinds]
    values = [[len(value_of(keyring, each.carry)) for each in kind] for kind in kinds]
    rows.append(("packed, bytes", [mean(each) for each in packed], ".0f"))
    rows.append(("in the store, bytes", [mean(each) for each in values], ".0f"))
    rows.append(("the largest, bytes", [max(each) for each in values], ".0f"))
    for words, (first, second), form in rows:
        print(f"{words:24}{first:14{form}}{second:17{form}}")
    return mean(len(kinds[i]) / calls[i] for i in (0, 1)), mean(mean(each) for each in values), left


def print_costs(work: Work, keyring: Keyring) -> float:
    """Print what each step costs; returns the mean of handing one change on, µs."""
    both = [
        [each.carry for each in work.published if bool(each.carry.identity.dialler) is uses] for uses in (False, True)
    ]
    largest = [max(carries, key=lambda carry: len(pack(carry))) for carries in both]
    carries = _carries(keyring)
    print("\nCPU, µs                 telephone only   with a dialler")
    rows = []
    for carry in largest:
        packed = pack(carry)
        deflated = deflate(packed)
        sealed = keyring.seal(PURPOSE, deflated, about=b"50001 1")
        rows.append(
            {
                "carry and compare": microseconds(partial(_is_unchanged, carry)),
                "pack": microseconds(partial(pack, carry)),
                "deflate": microseconds(partial(deflate, packed)),
                "seal": microseconds(partial(keyring.seal, PURPOSE, deflated, about=b"50001 1")),
                "write the value": microseconds(partial(write_value, Carried(term=1, sealed=sealed))),
                "all, and put in a batch": microseconds(partial(carries.put, carry, 1)),
                "inflate and unpack": microseconds(partial(_read, deflated)),
            }
        )
    for words in rows[0]:
        print(f"{words:24}{rows[0][words]:14.1f}{rows[1][words]:17.1f}")
    return mean(each["carry and compare"] + each["all, and put in a batch"] for each in rows)


def _is_unchanged(carry: SessionState) -> bool:
    return carry_of(carry) == carry


def _read(deflated: bytes) -> SessionState:
    return unpack(inflate(deflated))


def _carries(keyring: Keyring) -> Carries:
    """Make the real ones; nothing is sent, because they do not run."""
    clock = LoopClock(_NoLoop())  # type: ignore[arg-type]
    carries = Carries("me", MemoryStore(MemoryEngine(clock)), keyring, Random(1), BatchSettings(), Metrics())
    tenure = Tenure(settings=TenureSettings(), renewed_s=0.0)
    carries.begin(Life(incarnation=Revision(1), lease=None, tenure=tenure))
    return carries


class _NoLoop:
    """Time stands still."""

    def time(self) -> float:
        return 0.0


def main() -> None:
    agents = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    begin(str(__doc__), "msgspec", "cryptography")
    keyring = Keyring.random()
    work = run(watch_agents(agents, WATCHED_S))
    changes, size, writes = print_changes(work, keyring)
    cost_us = print_costs(work, keyring)
    print("\n1,000 agents, half of each kind, one call a minute each (arithmetic on the above):")
    print(f"changes {changes * 1_000 / 60:.0f}/s, CPU {changes * 1_000 / 60 * cost_us / 1e6:.1%} of a core")
    for gather_s, left in zip(GATHERED_S, writes, strict=True):
        rate = left * 1_000 / 60
        print(f"gathered for {gather_s:g} s: {rate:.0f} writes/s, {rate * size / 1e6:.2f} MB/s;", end=" ")
        print(f"100 instances: {rate * 100:,.0f} writes/s, {rate * size / 1e4:.0f} MB/s")


if __name__ == "__main__":
    main()
