"""``unified-agent simulate apc``: options, and the simulator run from them until it is told to stop."""

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
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import uvicorn
from cyclopts import Parameter

from unified_agent.clock import LoopClock
from unified_agent.errors import SettingsError
from unified_agent.observe import configure_logging, get_logger, log_event
from unified_agent.tools.simulators.aes.certificate import load_context, self_signed
from unified_agent.tools.simulators.apc.control import ControlPort
from unified_agent.tools.simulators.apc.plan import SAMPLE, DiallerPlan, load_plan
from unified_agent.tools.simulators.apc.server import DIALLER_PORT, DiallerServer

LOGGER = get_logger("simulators.apc")

CONTROL_PORT: Final = 22780
#: How long open HTTP requests may take when the simulator ends.
_CONTROL_GRACE_S: Final = 2


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
    of_traffic = _given(calls_per_minute=options.calls_per_minute, wait_s=options.wait_s, talk_s=options.talk_s)
    if options.calls_per_minute is not None:
        of_traffic["arrivals"] = "poisson"
    changed = {
        **msgspec.to_builtins(plan),
        **_given(
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
    configure_logging(level=options.log_level, as_json=False)
    seed = options.seed if options.seed is not None else secrets.randbits(32)
    clock = LoopClock(asyncio.get_running_loop())
    context, certificate = _tls(options, clock.now_s())
    server = DiallerServer(plan, clock=clock, chance=random.Random(seed))  # noqa: S311 - repeatable by seed
    log_event(LOGGER, "simulator_started", seed=seed, jobs=[job.name for job in plan.jobs])
    stop = asyncio.Event()
    try:
        name = "plain" if context is None else "tls"
        try:
            bound = await server.start_listening(options.host, options.port, context)
        except OSError as error:
            raise _cannot_have(name, options.host, options.port, error) from error
        _say(f"{name} {options.host}:{bound}")
        listener = _bind("control", options.host, options.control_port)
        _say(f"control http://{options.host}:{listener.getsockname()[1]}")
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        _say("ready")
        with listener:
            await _run_control(ControlPort(server, shut_down=stop.set, certificate=certificate), listener, stop)
    finally:
        await server.close()
    log_event(LOGGER, "simulator_stopped")


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


def _tls(options: ApcOptions, now_s: float) -> tuple[ssl.SSLContext | None, str | None]:
    """Return what TLS needs, and the certificate that was made, if one was."""
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
