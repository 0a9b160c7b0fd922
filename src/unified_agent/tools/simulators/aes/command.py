"""``unified-agent simulate aes``: options, and the simulator run from them until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import signal
import socket
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from cyclopts import Parameter

from unified_agent.clock import LoopClock
from unified_agent.errors import SettingsError
from unified_agent.observe import configure_logging, get_logger, log_event
from unified_agent.tools.simulators.aes.certificate import load_context, self_signed
from unified_agent.tools.simulators.aes.control import ControlPort
from unified_agent.tools.simulators.aes.plan_file import PlanFile, print_plan, read_plan_file
from unified_agent.tools.simulators.aes.server import PLAIN_PORT, TLS_PORT, AesServer

LOGGER = get_logger("simulators.aes")

CONTROL_PORT = 4780
#: How long open HTTP requests may take when the simulator ends.
_CONTROL_GRACE_S = 2


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
    of_numbers = _given(agents=options.agents, password=options.password, auto_answer=options.auto_answer)
    if of_numbers and plan.switch.stations:
        raise SettingsError(
            f"{options.config} lists its stations and agents, so {', '.join(of_numbers)} must be set there"
        )
    of_aes = _given(agent_events=options.agent_events, user_name=options.user, password=options.user_password)
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
    configure_logging(level=options.log_level, as_json=False)
    seed = options.seed if options.seed is not None else secrets.randbits(32)
    clock = LoopClock(asyncio.get_running_loop())
    server = AesServer(plan_file.plan(), clock=clock, chance=random.Random(seed))  # noqa: S311 - repeatable by seed
    log_event(LOGGER, "simulator_started", seed=seed, agents=len(server.simulator.switch.board.agents))
    stop = asyncio.Event()
    context, certificate = _tls(options, clock.now_s())
    try:
        if options.plain:
            await _listen(server, "plain", options.host, options.port, None)
        if context is not None:
            await _listen(server, "tls", options.host, options.tls_port, context)
        listener = _bind("control", options.host, options.control_port)
        _say(f"control http://{options.host}:{listener.getsockname()[1]}")
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        _say("ready")
        control = ControlPort(server, shut_down=stop.set, certificate=certificate)
        with listener:
            await _run_control(control, listener, stop)
    finally:
        await server.close()
    log_event(LOGGER, "simulator_stopped")


async def _listen(server: AesServer, name: str, host: str, port: int, context: ssl.SSLContext | None) -> None:
    try:
        bound = await server.start_listening(host, port, context)
    except OSError as error:
        raise _cannot_have(name, host, port, error) from error
    _say(f"{name} {host}:{bound}")


async def _run_control(control: ControlPort, listener: socket.socket, stop: asyncio.Event) -> None:
    """Serve the control port until it is time to stop."""
    http = _HttpServer(
        uvicorn.Config(
            control.application(),
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=_CONTROL_GRACE_S,
            log_config=None,
        )
    )
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(http.serve(sockets=[listener]))
        waiting = tasks.create_task(stop.wait())
        await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        http.should_exit = True
        waiting.cancel()


def _bind(name: str, host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise _cannot_have(name, host, port, error) from error


def _cannot_have(name: str, host: str, port: int, error: OSError) -> SettingsError:
    return SettingsError(f"{name} port {host}:{port} cannot be had: {error.strerror or error}")


class _HttpServer(uvicorn.Server):
    """Leaves signals to us: the simulator ends in order, not the HTTP port alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _tls(options: AesOptions, now_s: float) -> tuple[ssl.SSLContext | None, str | None]:
    """Return what the TLS port needs, and the certificate that was made, if one was."""
    if options.tls_self_signed:
        return self_signed(options.host, now_s=now_s)
    if options.tls_cert is None and options.tls_key is None:
        return None, None
    if options.tls_cert is None or options.tls_key is None:
        raise SettingsError("--tls-cert and --tls-key belong together")
    return load_context(options.tls_cert, options.tls_key), None


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
