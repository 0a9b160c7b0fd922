"""``unified-agent simulate apc``: options, and the simulator run from them until it is told to stop."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter

from unified_agent.errors import SettingsError
from unified_agent.observe import get_logger, log_event
from unified_agent.tools.simulators.apc.control import ControlPort
from unified_agent.tools.simulators.apc.plan import SAMPLE, DiallerPlan, load_plan
from unified_agent.tools.simulators.apc.server import DIALLER_PORT, DiallerServer
from unified_agent.tools.simulators.shell.process import Port, given, prepare, run_until_told

LOGGER = get_logger("simulators.apc")

CONTROL_PORT: Final = 22780


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class ApcOptions:
    """A simulated Proactive Contact dialler.

    Attributes:
        config: TOML file with agents, jobs, customers and traffic; options given here win over it.
        accept_any: any agent name with any password may log on.
        password: of every agent whose name matches the plan's pattern (agent0000 to agent9999).
        calls_per_minute: let calls arrive at every job at this rate, at random, instead of one for each ready agent.
        wait_s: mean wait of a ready agent in every job whose calls are paced.
        talk_s: mean time until a customer hangs up, in every job; 0: never.
        stale_logon_s: a name stays logged on for so long after its connection was lost.
        part_size_bytes: longer messages are continued in further frames; 0: never.
        host: address to listen on.
        port: for agents, plain or TLS; 0 chooses a free one.
        tls_cert: certificate chain in PEM form; the port then speaks TLS.
        tls_key: its key in PEM form, unencrypted.
        tls_self_signed: make a certificate; clients get it from the control port, /certificate.
        control_port: HTTP control port, on the same address; 0 chooses a free one.
        seed: of all chance; a new one each time, told at the start, when it is left out.
        log_level: debug, info, warning or error.
        print_config: check and print the TOML file, or the sample that is used without one, and end.
    """

    config: Path | None = None
    accept_any: bool | None = None
    password: str | None = None
    calls_per_minute: float | None = None
    wait_s: float | None = None
    talk_s: float | None = None
    stale_logon_s: float | None = None
    part_size_bytes: int | None = None
    host: str = "127.0.0.1"
    port: int = DIALLER_PORT
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_self_signed: Annotated[bool, Parameter(negative=())] = False
    control_port: int = CONTROL_PORT
    seed: int | None = None
    log_level: str = "info"
    print_config: Annotated[bool, Parameter(negative=())] = False


def plan_of(options: ApcOptions) -> DiallerPlan:
    """Return what is to be simulated: the file, or the sample, with the options over it.

    Raises:
        SettingsError: the file or an option is wrong.
    """
    plan = load_plan(options.config or SAMPLE)
    of_traffic = given(calls_per_minute=options.calls_per_minute, wait_s=options.wait_s, talk_s=options.talk_s)
    if options.calls_per_minute is not None:
        of_traffic["arrivals"] = "poisson"
    changed = {
        **msgspec.to_builtins(plan),
        **given(
            accept_any=options.accept_any,
            password=options.password,
            stale_logon_s=options.stale_logon_s,
            part_size_bytes=options.part_size_bytes,
        ),
    }
    for job in changed["jobs"]:
        job["traffic"].update(of_traffic)
    try:
        return msgspec.convert(changed, DiallerPlan)
    except msgspec.ValidationError as error:
        raise SettingsError(f"options: {error}") from error


async def run(options: ApcOptions) -> None:
    """Simulate until SIGINT, SIGTERM or ``/shut-down``.

    The first lines on standard output name the ports, one a line: ``plain HOST:PORT`` or ``tls HOST:PORT``,
    ``control http://HOST:PORT``, then ``ready``.

    Raises:
        SettingsError: something in the options or the file is wrong, or a port cannot be had.
    """
    plan = plan_of(options)
    if options.print_config:
        sys.stdout.write((options.config or SAMPLE).read_text("utf-8"))
        return
    start = prepare(options)
    server = DiallerServer(plan, clock=start.clock, chance=start.chance)
    log_event(LOGGER, "simulator_started", seed=start.seed, jobs=[job.name for job in plan.jobs])
    port = Port("plain" if start.tls is None else "tls", options.port, start.tls)
    await run_until_told(
        server, [port], options, lambda stop: ControlPort(server, shut_down=stop, certificate=start.certificate)
    )
    log_event(LOGGER, "simulator_stopped")
