"""``unified-agent chaos``: options, and a whole run from them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import secrets
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter

from unified_agent.errors import SettingsError
from unified_agent.tools.chaos import namespaces, store
from unified_agent.tools.chaos.faults import Scene
from unified_agent.tools.chaos.namespaces import NetworkFailed
from unified_agent.tools.chaos.report import ChaosReport, as_json, as_table, wrong
from unified_agent.tools.chaos.run import ChaosRun, Course
from unified_agent.tools.chaos.scenarios import SCENARIOS
from unified_agent.tools.chaos.world import started_cluster
from unified_agent.tools.load.agents import Crowd
from unified_agent.tools.load.command import TERMINATED, take_descriptors
from unified_agent.tools.load.plan import LoadPlan
from unified_agent.tools.load.processes import ChildFailed
from unified_agent.tools.load.run import say
from unified_agent.tools.load.world import WorldUnreachable
from unified_agent.tools.switch_choice import Kind, choose_switch

#: How long an agent waits for the end of a press, seconds: longer than a datacentre is lost, for after that it is told.
ANSWER_LIMIT_S: Final = 90.0


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosOptions:
    """A whole cluster in network namespaces of its own, broken in every way, with virtual agents on it. Needs root.

    Attributes:
        agents: how many.
        scenario: faults to measure, in this order; all when left out.
        list: only list the faults there are.
        seconds: how long agents work before each fault.
        calls_per_minute: of each agent.
        share_on_dialler: how many of them work on a dialler's job, 0 to 1; the others take calls of the switch.
        logins_per_second: how fast agents come.
        json: write the figures to this file.
        keep: keep settings, logs and histories in this folder; otherwise they are thrown away.
        telephony: by what instances reach the switch. JTAPI needs a client library that reaches the simulated AES.
        class_path: of that library, with a colon between entries.
        peer: class name of its peer.
        seed: of what agents do; a new one each time, told at the start, when left out.
    """

    agents: int = 1_000
    scenario: Annotated[tuple[str, ...], Parameter(negative=())] = ()
    list: Annotated[bool, Parameter(negative=())] = False
    seconds: float = 10.0
    calls_per_minute: float = 1.0
    share_on_dialler: float = 0.5
    logins_per_second: float = 50.0
    json: Path | None = None
    keep: Path | None = None
    telephony: Kind = "dmcc"
    class_path: str = ""
    peer: str = ""
    seed: int | None = None


def course_of(options: ChaosOptions) -> Course:
    """Return what happens.

    Raises:
        SettingsError: an option is wrong.
    """
    unknown = [name for name in options.scenario if name not in SCENARIOS]
    if unknown:
        raise SettingsError(f"--scenario {unknown[0]} is not known; --list lists them all")
    if options.seconds < 0 or options.logins_per_second <= 0:
        raise SettingsError("--seconds must not be negative, and --logins-per-second must be above 0")
    return Course(
        logins_per_second=options.logins_per_second,
        work_s=options.seconds,
        scenarios=tuple(SCENARIOS[name] for name in options.scenario or SCENARIOS),
    )


def plan_of(options: ChaosOptions) -> LoadPlan:
    """Return what is put on the cluster.

    Raises:
        SettingsError: an option is wrong.
    """
    return LoadPlan(
        agents=options.agents,
        share_on_dialler=options.share_on_dialler,
        calls_per_minute=options.calls_per_minute,
        switch=choose_switch(options.telephony, options.class_path, options.peer),
    )


async def run(options: ChaosOptions) -> int:
    """Break, measure, and print the figures.

    Returns:
        0 when nothing went wrong, be it that an aim was missed; 1 when something did or the run could not be finished;
        143 after SIGTERM.

    Raises:
        SettingsError: an option is wrong, or this machine cannot do it.
    """
    course, plan = course_of(options), plan_of(options)
    if options.list:
        sys.stdout.writelines(f"{each.name:20} {each.title}\n" for each in SCENARIOS.values())
        return 0
    namespaces.check_possible()
    store.check_possible()
    take_descriptors(plan.agents)
    loop, running = asyncio.get_running_loop(), asyncio.current_task()
    assert running is not None
    told_to_end = asyncio.Event()

    def end() -> None:  # instead of dying at once: processes and namespaces have to be removed
        told_to_end.set()
        running.cancel()

    loop.add_signal_handler(signal.SIGTERM, end)
    try:
        report = await _run(options, course, plan)
    except (ChildFailed, NetworkFailed, WorldUnreachable) as error:
        say(f"the run could not be finished: {error}")
        return 1
    except asyncio.CancelledError:
        if told_to_end.is_set():
            return TERMINATED
        raise
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
    sys.stdout.write(as_table(report))
    if options.json is not None:
        options.json.write_bytes(as_json(report))
    return 1 if wrong(report) else 0


async def _run(options: ChaosOptions, course: Course, plan: LoadPlan) -> ChaosReport:
    seed = options.seed if options.seed is not None else secrets.randbits(32)
    say(f"seed {seed}")
    with _folder(options.keep) as folder:
        async with started_cluster(plan, folder) as world:
            say("the cluster stands")
            chance = random.Random(seed)  # noqa: S311 - what agents do
            crowd = Crowd(world.urls, plan, world.http, chance, answer_limit_s=ANSWER_LIMIT_S)
            gc.collect()
            gc.freeze()
            try:
                return await ChaosRun(course, plan, Scene(world, crowd)).all()
            finally:
                await crowd.go(log_out=False)


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="unified-agent-chaos-") as folder:
            yield Path(folder)
    elif keep.exists() and any(keep.iterdir()):
        raise SettingsError(f"--keep {keep} is not empty: histories of two runs would be mixed")
    else:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()


_DEFAULTS: Final = ChaosOptions()


async def chaos(options: ChaosOptions = _DEFAULTS) -> int:
    """Break a whole cluster in every way, and measure what its agents see."""
    return await run(options)
