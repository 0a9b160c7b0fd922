"""A simulator as a program: its ports, its first lines on standard output, and the way it ends."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import uvicorn

from unified_agent.clock import LoopClock
from unified_agent.errors import SettingsError
from unified_agent.observe import configure_logging
from unified_agent.tools.simulators.shell.certificate import load_context, self_signed
from unified_agent.tools.simulators.shell.control import ControlFrame

#: How long open HTTP requests may take when the simulator ends.
_CONTROL_GRACE_S: Final = 2


class Options(Protocol):
    """The options that every simulator has; their meanings stand where they are declared."""

    @property
    def host(self) -> str:
        """Address to listen on."""
        ...

    @property
    def tls_cert(self) -> Path | None:
        """Certificate chain in PEM form."""
        ...

    @property
    def tls_key(self) -> Path | None:
        """Its key in PEM form, unencrypted."""
        ...

    @property
    def tls_self_signed(self) -> bool:
        """Make a certificate."""
        ...

    @property
    def control_port(self) -> int:
        """HTTP control port; 0 chooses a free one."""
        ...

    @property
    def seed(self) -> int | None:
        """Of all chance; None: a new one each time."""
        ...

    @property
    def log_level(self) -> str:
        """The least urgent line that is written."""
        ...


class Listening(Protocol):
    """What a server must do to be run."""

    async def start_listening(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listen on a port, 0 chooses one, and return it."""
        ...

    async def close(self) -> None:
        """End in order."""
        ...


class Port(NamedTuple):
    """A port for clients: its name in the first lines, its number (0 chooses a free one), and TLS if it speaks it."""

    name: str
    number: int
    tls: ssl.SSLContext | None


class Start(NamedTuple):
    """What a simulator starts with.

    ``certificate`` is in PEM form, when one was made; ``tls`` is None when no certificate was given or made.
    """

    clock: LoopClock
    seed: int
    chance: random.Random
    tls: ssl.SSLContext | None
    certificate: str | None


def prepare(options: Options) -> Start:
    """Begin to log, and return the clock of the running loop, chance and TLS as the options want them.

    Raises:
        SettingsError: the certificate or its key is missing, or they do not fit.
    """
    configure_logging(level=options.log_level, as_json=False)
    seed = options.seed if options.seed is not None else secrets.randbits(32)
    clock = LoopClock(asyncio.get_running_loop())
    context, certificate = _tls(options, clock.now_s())
    return Start(clock, seed, random.Random(seed), context, certificate)  # noqa: S311 - repeatable by seed


async def run_until_told(
    server: Listening, ports: Sequence[Port], options: Options, control: Callable[[Callable[[], None]], ControlFrame]
) -> None:
    """Serve until SIGINT, SIGTERM or ``/shut-down``, and close the server.

    The first lines on standard output name the ports, one a line: ``NAME HOST:PORT`` for each of ``ports``,
    ``control http://HOST:PORT``, then ``ready``.

    Args:
        server: not listening yet.
        ports: for clients, in the order in which they are told.
        options: where to listen.
        control: makes the control port; given what ends the program.

    Raises:
        SettingsError: a port cannot be had.
    """
    stop = asyncio.Event()
    try:
        for name, number, tls in ports:
            try:
                bound = await server.start_listening(options.host, number, tls)
            except OSError as error:
                raise _cannot_have(name, options.host, number, error) from error
            _say(f"{name} {options.host}:{bound}")
        listener = _bind("control", options.host, options.control_port)
        _say(f"control http://{options.host}:{listener.getsockname()[1]}")
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        _say("ready")
        with listener:
            await _run_control(control(stop.set), listener, stop)
    finally:
        await server.close()


def run_alone(running: Coroutine[Any, Any, None]) -> None:
    """Run a whole program. Settings that are wrong are told on standard error, and end it with status 2."""
    try:
        asyncio.run(running)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None


def given(**values: Any) -> dict[str, Any]:
    """Return the options that were given; None stands for one that was left out."""
    return {name: value for name, value in values.items() if value is not None}


async def _run_control(control: ControlFrame, listener: socket.socket, stop: asyncio.Event) -> None:
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


def _tls(options: Options, now_s: float) -> tuple[ssl.SSLContext | None, str | None]:
    """Return what TLS needs, and the certificate that was made, if one was."""
    if options.tls_self_signed:
        return self_signed(options.host, now_s=now_s)
    if options.tls_cert is None and options.tls_key is None:
        return None, None
    if options.tls_cert is None or options.tls_key is None:
        raise SettingsError("--tls-cert and --tls-key belong together")
    return load_context(options.tls_cert, options.tls_key), None


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
