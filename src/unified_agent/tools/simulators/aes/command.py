"""``unified-agent simulate aes``: options, and the simulator run from them until it is told to stop."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from unified_agent.errors import SettingsError
from unified_agent.observe import get_logger, log_event
from unified_agent.tools.simulators.aes.control import ControlPort
from unified_agent.tools.simulators.aes.plan_file import PlanFile, print_plan, read_plan_file
from unified_agent.tools.simulators.aes.server import PLAIN_PORT, TLS_PORT, AesServer
from unified_agent.tools.simulators.shell.process import Port, given, prepare, run_until_told

LOGGER = get_logger("simulators.aes")

CONTROL_PORT = 4780


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class AesOptions:
    """A simulated AES with a switch behind it.

    Attributes:
        config: TOML file with numbers, switch, AES and traffic; options given here win over it.
        agents: how many agents, each with a station (2001… and 5001…).
        password: password of every agent; {id} in it stands for the agent's id.
        auto_answer: stations answer calls of the hunt group by themselves.
        agent_events: tell agent state changes; without, clients must ask, as with older releases.
        user: CTI user that clients log in as.
        user_password: its password.
        calls_per_minute: calls that arrive at the VDN, on average.
        host: address to listen on.
        port: plain port; 0 chooses a free one.
        plain: listen on the plain port at all.
        tls_port: TLS port; 0 chooses a free one. Listens only with a certificate.
        tls_cert: certificate chain in PEM form.
        tls_key: its key in PEM form, unencrypted.
        tls_self_signed: make a certificate; clients get it from the control port, /certificate.
        control_port: HTTP control port, on the same address; 0 chooses a free one.
        seed: of all chance; a new one each time, told at the start, when it is left out.
        log_level: debug, info, warning or error.
        print_config: print what would be simulated as a TOML file, and end.
    """

    config: Path | None = None
    agents: int | None = None
    password: str | None = None
    auto_answer: bool | None = None
    agent_events: bool | None = None
    user: str | None = None
    user_password: str | None = None
    calls_per_minute: float | None = None
    host: str = "127.0.0.1"
    port: int = PLAIN_PORT
    plain: bool = True
    tls_port: int = TLS_PORT
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_self_signed: Annotated[bool, Parameter(negative=())] = False
    control_port: int = CONTROL_PORT
    seed: int | None = None
    log_level: str = "info"
    print_config: Annotated[bool, Parameter(negative=())] = False


def plan_of(options: AesOptions) -> PlanFile:
    """Return what is to be simulated: the file, or the defaults, with the options over it.

    Raises:
        SettingsError: the file is wrong, or an option has nothing in the file to change.
    """
    plan = read_plan_file(options.config) if options.config is not None else PlanFile()
    of_numbers = given(agents=options.agents, password=options.password, auto_answer=options.auto_answer)
    if of_numbers and plan.switch.stations:
        raise SettingsError(
            f"{options.config} lists its stations and agents, so {', '.join(of_numbers)} must be set there"
        )
    of_aes = given(agent_events=options.agent_events, user_name=options.user, password=options.user_password)
    traffic = plan.traffic
    if options.calls_per_minute is not None:
        if not traffic:
            raise SettingsError(f"{options.config} has no [[traffic]], so there is no calls_per_minute to set")
        traffic = (replace(traffic[0], calls_per_minute=options.calls_per_minute), *traffic[1:])
    return replace(
        plan,
        numbers=replace(plan.numbers, **of_numbers),
        aes=replace(plan.aes, **of_aes),
        traffic=traffic,
    )


async def run(options: AesOptions) -> None:
    """Simulate until SIGINT, SIGTERM or ``/shut-down``.

    The first lines on standard output name the ports, one a line: ``plain HOST:PORT``, ``tls HOST:PORT``,
    ``control http://HOST:PORT``, then ``ready``.

    Raises:
        SettingsError: something in the options or the file is wrong, or a port cannot be had.
    """
    plan_file = plan_of(options)
    if options.print_config:
        sys.stdout.write(print_plan(plan_file))
        return
    start = prepare(options)
    server = AesServer(plan_file.plan(), clock=start.clock, chance=start.chance)
    log_event(LOGGER, "simulator_started", seed=start.seed, agents=len(server.simulator.switch.board.agents))
    ports = [Port("plain", options.port, None)] if options.plain else []
    if start.tls is not None:
        ports.append(Port("tls", options.tls_port, start.tls))
    await run_until_told(
        server, ports, options, lambda stop: ControlPort(server, shut_down=stop, certificate=start.certificate)
    )
    log_event(LOGGER, "simulator_stopped")
