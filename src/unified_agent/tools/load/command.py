"""``unified-agent load``: options, and a whole run from them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import resource
import secrets
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import httpx
from cyclopts import Parameter

from unified_agent.client.rest import LIMITS
from unified_agent.errors import SettingsError
from unified_agent.tools.load.agents import Crowd
from unified_agent.tools.load.plan import JOB, LoadPlan, Numbers
from unified_agent.tools.load.processes import ChildFailed
from unified_agent.tools.load.report import Report, as_json, as_table, missed_aims
from unified_agent.tools.load.run import Course, Run, say
from unified_agent.tools.load.scenarios import SCENARIOS
from unified_agent.tools.load.world import World, WorldUnreachable, attached_world, started_world
from unified_agent.tools.switch_choice import Kind, choose_switch

#: Asks for no loss at all.
NO_SCENARIO: Final = "none"
#: Open files besides those of the agents: logs, control ports, processes.
SPARE_DESCRIPTORS: Final = 256
#: Exit status of a process that was told to end, as a shell says it.
TERMINATED: Final = 128 + signal.SIGTERM


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOptions:
    """Virtual agents on one instance, and what they see when links are lost.

    Attributes:
        agents: how many.
        minutes: how long they work before the first loss.
        calls_per_minute: of each agent.
        share_on_dialler: how many of them work on a dialler's job, 0 to 1; the others take calls of the switch.
        scenario: losses to measure, in this order; all when left out; "none" for none.
        outage_s: how long a loss lasts once every desktop was told.
        settle_s: how long agents work between two losses.
        logins_per_second: how fast agents come.
        json: write the figures to this file.
        folder: keep settings and logs of the processes here; otherwise they are thrown away.
        url: attach to this instance instead of starting everything; then both control ports are needed. Of a cluster
            give several, so that one of them may be lost.
        aes_control: URL of the AES simulator's control port.
        dialler_control: URLs of the dialler simulators' control ports, in the order of the instance's settings.
        first_agent: number of the first agent at the switch, when attached.
        first_station: number of the first telephone, when attached.
        password: of every agent at the switch, when attached.
        dialler_password: of every agent at the dialler, when attached.
        job: what agents at the dialler join, when attached.
        telephony: by what instances reach the switch. JTAPI needs a client library that reaches the simulated AES.
        class_path: of that library, with a colon between entries.
        peer: class name of its peer.
        seed: of what agents do; a new one each time, told at the start, when left out.
    """

    agents: int = 1_000
    minutes: float = 5.0
    calls_per_minute: float = 1.0
    share_on_dialler: float = 0.5
    scenario: Annotated[tuple[str, ...], Parameter(negative=())] = ()
    outage_s: float = 3.0
    settle_s: float = 15.0
    logins_per_second: float = 50.0
    json: Path | None = None
    folder: Path | None = None
    url: Annotated[tuple[str, ...], Parameter(negative=())] = ()
    aes_control: str | None = None
    dialler_control: Annotated[tuple[str, ...], Parameter(negative=())] = ()
    first_agent: int = 5_001
    first_station: int = 2_001
    password: str = "1234"  # noqa: S105 - a simulator's
    dialler_password: str = "secret"  # noqa: S105 - a simulator's
    job: str = JOB
    telephony: Kind = "dmcc"
    class_path: str = ""
    peer: str = ""
    seed: int | None = None


def plan_of(options: LoadOptions) -> LoadPlan:
    """Return what is put on the instance.

    Raises:
        SettingsError: an option is wrong, or one that belongs to another is missing.
    """
    unknown = [name for name in options.scenario if name not in {*SCENARIOS, NO_SCENARIO}]
    if unknown:
        raise SettingsError(
            f"--scenario {unknown[0]} is not known; there are {', '.join(SCENARIOS)}, and {NO_SCENARIO}"
        )
    if options.minutes < 0 or options.outage_s < 0 or options.settle_s < 0 or options.logins_per_second <= 0:
        raise SettingsError("times must not be negative, and --logins-per-second must be above 0")
    numbers = Numbers()
    if options.url:
        if options.aes_control is None:
            raise SettingsError("--url needs --aes-control, and --dialler-control for each dialler")
        numbers = Numbers(
            first_agent=options.first_agent,
            first_station=options.first_station,
            password=options.password,
            dialler_password=options.dialler_password,
            job=options.job,
        )
    return LoadPlan(
        agents=options.agents,
        share_on_dialler=options.share_on_dialler,
        calls_per_minute=options.calls_per_minute,
        numbers=numbers,
        switch=choose_switch(options.telephony, options.class_path, options.peer),
    )


def course_of(options: LoadOptions) -> Course:
    """Return what happens; the options were checked by ``plan_of``."""
    chosen = options.scenario or tuple(SCENARIOS)
    return Course(
        logins_per_second=options.logins_per_second,
        work_s=options.minutes * 60.0,
        scenarios=tuple(SCENARIOS[name] for name in chosen if name != NO_SCENARIO),
        outage_s=options.outage_s,
        settle_s=options.settle_s,
    )


async def run(options: LoadOptions) -> int:
    """Measure, and print the figures.

    Returns:
        0 when all aims were met, 1 when one was missed or the run could not be finished, 143 after SIGTERM.

    Raises:
        SettingsError: see ``plan_of``.
    """
    plan = plan_of(options)
    take_descriptors(plan.agents)
    loop, running = asyncio.get_running_loop(), asyncio.current_task()
    assert running is not None
    told_to_end = asyncio.Event()

    def end() -> None:  # instead of dying at once: our processes have to be ended
        told_to_end.set()
        running.cancel()

    loop.add_signal_handler(signal.SIGTERM, end)
    try:
        report = await _run(options, plan)
    except (ChildFailed, WorldUnreachable) as error:
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
    return 1 if missed_aims(report) else 0


async def _run(options: LoadOptions, plan: LoadPlan) -> Report:
    seed = options.seed if options.seed is not None else secrets.randbits(32)
    say(f"seed {seed}")
    async with contextlib.AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(limits=LIMITS))
        world = await stack.enter_async_context(_world(options, plan, http))
        crowd = Crowd(world.urls, plan, http, random.Random(seed))  # noqa: S311 - what agents do, no secrets
        gc.collect()
        gc.freeze()
        try:
            return await Run(course_of(options), plan, world, crowd).all()
        finally:
            await crowd.go(log_out=not world.children)


_DEFAULTS: Final = LoadOptions()


async def load(options: LoadOptions = _DEFAULTS) -> int:
    """Put virtual agents on an instance, break its links, and measure."""
    return await run(options)


@contextlib.asynccontextmanager
async def _world(options: LoadOptions, plan: LoadPlan, http: httpx.AsyncClient) -> AsyncIterator[World]:
    if options.url and options.aes_control is not None:
        yield await attached_world(options.url, options.aes_control, options.dialler_control, http)
        return
    with contextlib.ExitStack() as stack:
        folder = options.folder
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="unified-agent-load-")))
        folder.mkdir(parents=True, exist_ok=True)
        async with started_world(plan, folder, http) as world:
            yield world


def take_descriptors(agents: int) -> None:
    """See that this process may have a socket for each agent, and three while agents move.

    Raises:
        SettingsError: it may not even have one, and who can change that.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    least, wanted = agents + SPARE_DESCRIPTORS, 3 * agents + SPARE_DESCRIPTORS
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if allowed < least:
        raise SettingsError(f"{agents} agents need {least} open files; the limit is {hard} (see ulimit -n)")
    if soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
