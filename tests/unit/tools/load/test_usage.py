"""CPU and memory, read from a /proc of our own making."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from unified_agent.tools.load.usage import children_of, machine_busy_s, memory_bytes, processor_name, usage_of

TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_text("7 (a (b) c) S 1 7 7 0 -1 4194560 1 2 3 4 150 50 9 9 20 0 1 0 5 6 7")
    (tmp_path / "7" / "status").write_text("Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n")
    (tmp_path / "stat").write_text("cpu  100 0 50 1000 200 0 10 0 0 0\ncpu0 1 1 1 1\n")
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Some Processor\n")
    (tmp_path / "meminfo").write_text("MemTotal:  1000 kB\nMemFree: 1 kB\n")
    return tmp_path


def test_a_process_is_read_whatever_its_name(proc):
    used = usage_of(7, proc)
    assert used is not None
    assert used.cpu_s == pytest.approx(200 * TICK_S)
    assert (used.resident_bytes, used.peak_bytes) == (1_048_576, 2_097_152)


def test_a_process_that_is_gone_has_used_nothing_we_know_of(proc):
    assert usage_of(8, proc) is None


def test_the_machine_is_busy_but_for_idle_and_waiting(proc):
    assert machine_busy_s(proc) == pytest.approx(160 * TICK_S)


def test_the_machine_is_named(proc, tmp_path):
    assert processor_name(proc) == "Some Processor"
    assert memory_bytes(proc) == 1_024_000
    assert processor_name(tmp_path / "none") == "unknown processor"
    assert memory_bytes(tmp_path / "none") == 0


def test_our_own_process_can_be_read():
    used = usage_of(os.getpid())
    assert used is not None
    assert used.cpu_s > 0
    assert used.resident_bytes > 1_000_000
    assert machine_busy_s() > 0


def test_the_children_of_a_process_are_found_and_a_dead_one_has_none() -> None:
    program = (
        "import subprocess, sys; c = subprocess.Popen(['sleep', '60']); print(c.pid, flush=True); input(); c.kill()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert children_of(parent.pid) == [child]
        parent.communicate("\n")
    assert children_of(parent.pid) == []
