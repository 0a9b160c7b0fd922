"""Runs the checks of ``make check`` and ``make test``, each with a limit, and sums up at the end.

Every step runs even when an earlier one failed, so that one run tells everything. The exit status is 0
only when every step passed. Only the standard library is used here.
"""

# ruff: noqa: T201, S603 - printing is the purpose of this program, and every command it runs is written in it.

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent

#: ``make test`` as a whole; a step gets what is left of it, if that is less than its own limit.
TOTAL_LIMIT_S: Final = 25 * 60.0

#: What ``make check`` should take on two cores. Passing it is said, not punished: machines differ.
CHECK_BUDGET_S: Final = 90.0

#: How long an interrupted step may take to stop what it started before it is killed.
STOP_LIMIT_S: Final = 15.0

#: pytest's exit status when it collected nothing.
PYTEST_NOTHING_RAN: Final = 5

WORKERS: Final = str(min(4, os.cpu_count() or 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to run.

    Attributes:
        name: as shown in the summary.
        command: program and arguments, run at the top of the repository with .venv/bin on the path.
        limit_s: after this long it is stopped and counts as failed.
        tests: the folder of tests it runs, if any; without tests in it the step fails and says so.
    """

    name: str
    command: tuple[str, ...]
    limit_s: float
    tests: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one step ended: ``problem`` is empty when it passed."""

    step: Step
    took_s: float
    problem: str


def pytest_step(folder: str, *options: str, limit_s: float, parallel: bool = True, profile: str = "ci") -> Step:
    """Run the tests of ``tests/<folder>``, with a bounded, repeatable Hypothesis profile of ``tests/conftest.py``."""
    workers = ("-n", WORKERS) if parallel and WORKERS != "1" else ()
    command = ("python", "-m", "pytest", f"tests/{folder}", *workers, "-rsfE", f"--hypothesis-profile={profile}")
    return Step(name=f"{folder} tests", command=(*command, *options), limit_s=limit_s, tests=f"tests/{folder}")


def check_steps(profile: str = "check") -> tuple[Step, ...]:
    """Everything that needs no socket and no browser, quickest answer first."""
    return (
        Step(name="ruff check", command=("ruff", "check", "."), limit_s=60),
        Step(name="ruff format", command=("ruff", "format", "--check", "."), limit_s=60),
        Step(name="room contract", command=("lint-imports",), limit_s=60),
        Step(name="types of the pages", command=("npm", "--prefix", "web", "run", "-s", "check"), limit_s=60),
        Step(name="types", command=("mypy", "src", "tests", "packaging"), limit_s=240),
        pytest_step("unit", limit_s=240, profile=profile),
        pytest_step("property", limit_s=240, profile=profile),
    )


def test_steps(seeds: int) -> tuple[Step, ...]:
    """All of it: what ``check_steps`` runs, with more examples; pages, simulation, sockets, a browser, a cluster."""
    return (
        *check_steps(profile="ci"),
        Step(name="unit tests of the pages", command=("npm", "--prefix", "web", "run", "-s", "test"), limit_s=120),
        Step(name="size of the pages", command=("npm", "--prefix", "web", "run", "-s", "size"), limit_s=30),
        *optional_steps(),
        simulation_step(seeds, first_seed=0, limit_s=600),
        # Most of them wait for others. A file's tests share what they start, and stay together.
        pytest_step("integration", "--dist", "loadfile", limit_s=600),
        pytest_step("browser", limit_s=600, parallel=False),
        pytest_step("chaos", limit_s=300, parallel=False),
    )


def optional_steps() -> tuple[Step, ...]:
    """Contract tests, once there is a second thing that must keep a contract."""
    step = pytest_step("contract", limit_s=540)
    return (step,) if has_tests("tests/contract") else ()


def simulation_step(seeds: int, first_seed: int, limit_s: float) -> Step:
    """Whole instances on the virtual clock, once for each seed."""
    options = ("--seeds", str(seeds), "--first-seed", str(first_seed))
    return pytest_step("simulation", *options, limit_s=limit_s)


def has_tests(folder: str) -> bool:
    """Whether any file below the folder looks to pytest like a file of tests."""
    return any((ROOT / folder).rglob("test_*.py"))


def folders_nobody_runs(steps: Sequence[Step]) -> list[str]:
    """Name the folders of tests that hold tests which none of the steps would run."""
    run = {step.tests for step in steps}
    folders = sorted(f"tests/{folder.name}" for folder in (ROOT / "tests").iterdir() if folder.is_dir())
    return [folder for folder in folders if folder not in run and has_tests(folder)]


def run_step(step: Step, time_left_s: float) -> Outcome:
    """Run one step to its end or its limit, its output going straight to ours."""
    print(f"\n── {step.name}: {shlex.join(step.command)}", flush=True)
    began_s = time.monotonic()
    if step.tests is not None and not has_tests(step.tests):
        problem = f"{step.tests} has no tests"
    elif time_left_s <= 0:
        problem = "not run: no time left"
    else:
        problem = run_command(step, min(step.limit_s, time_left_s))
    took_s = time.monotonic() - began_s
    print(f"── {step.name}: {problem or 'ok'}, {took_s:.1f} s", flush=True)
    return Outcome(step=step, took_s=took_s, problem=problem)


def run_command(step: Step, limit_s: float) -> str:
    """Return what went wrong, or an empty string."""
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    # A session of its own, so that servers and browsers the step leaves behind end with it.
    process = subprocess.Popen(step.command, cwd=ROOT, env=os.environ | {"PATH": path}, start_new_session=True)
    try:
        status = process.wait(timeout=limit_s)
    except subprocess.TimeoutExpired:
        return f"stopped after its limit of {limit_s:.0f} s"
    finally:
        stop_group(process)
    if step.tests is not None and status == PYTEST_NOTHING_RAN:
        return f"{step.tests} has no tests that ran"
    return f"failed with exit status {status}" if status != 0 else ""


def stop_group(process: subprocess.Popen[bytes]) -> None:
    """End what is left of the step: first as Ctrl-C would, so that it can tidy up, then for certain."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=STOP_LIMIT_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def summarise(outcomes: Sequence[Outcome], strays: Sequence[str], took_s: float) -> None:
    """Print one line for each step and one for all."""
    print("\n── summary")
    width = max(len(outcome.step.name) for outcome in outcomes)
    for outcome in outcomes:
        print(f"  {outcome.step.name:<{width}}  {outcome.took_s:6.1f} s  {outcome.problem or 'ok'}")
    for folder in strays:
        print(f"  {folder} holds tests that no step of packaging/checks.py runs")
    failed = sum(1 for outcome in outcomes if outcome.problem) + len(strays)
    verdict = "all passed" if failed == 0 else f"{failed} failed"
    print(f"  {verdict}, {took_s:.0f} s in all", flush=True)


def main(arguments: Sequence[str]) -> int:
    """Run the steps of one target; return the exit status."""
    parser = argparse.ArgumentParser(description="Run a set of checks; see `make help`.")
    parser.add_argument("target", choices=["check", "test", "simulate"])
    parser.add_argument("--seeds", type=int, default=200, help="how many simulated worlds")
    parser.add_argument("--first-seed", type=int, help="the first seed of `simulate`; by default from the clock")
    options = parser.parse_args(arguments)

    limit_s = TOTAL_LIMIT_S
    if options.target == "check":
        steps = check_steps()
    elif options.target == "test":
        steps = test_steps(options.seeds)
    else:
        limit_s = float("inf")
        first_seed = options.first_seed if options.first_seed is not None else int(time.time())
        steps = (simulation_step(options.seeds, first_seed, limit_s=24 * 3600),)

    began_s = time.monotonic()
    outcomes = [run_step(step, limit_s - (time.monotonic() - began_s)) for step in steps]
    took_s = time.monotonic() - began_s
    strays = folders_nobody_runs(steps) if options.target == "test" else []
    summarise(outcomes, strays, took_s)
    if options.target == "check" and took_s > CHECK_BUDGET_S:
        print(f"  note: check should take under {CHECK_BUDGET_S:.0f} s on two cores")
    return 1 if strays or any(outcome.problem for outcome in outcomes) else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
