"""The process that holds the JVM of one AES server: ``python -m unified_agent.links.telephony.jtapi.process FD …``.

Its arguments are those of ``java_options``; FD is its end of a pair of sockets, over which it speaks ``messages``. It
logs JSON lines on its standard error. The server starts it and ends it; it ends by itself when the server is gone.

The JVM starts before the loop, in the main thread. At the end the provider is shut down, for so long, and then the
process leaves without asking Java's threads, which would keep it.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Final, TextIO, cast

import msgspec

from unified_agent.clock import LoopClock
from unified_agent.errors import LinkRefused
from unified_agent.links.telephony.jtapi import java
from unified_agent.links.telephony.jtapi.bridge import Bridge
from unified_agent.links.telephony.jtapi.java_check import check
from unified_agent.links.telephony.jtapi.java_options import CommandLine, read_arguments
from unified_agent.links.telephony.jtapi.java_provider import JavaProvider, open_provider
from unified_agent.links.telephony.jtapi.jvm import Jvm
from unified_agent.links.telephony.jtapi.messages import Open
from unified_agent.links.telephony.jtapi.provider import Event
from unified_agent.observe import configure_logging, get_logger, log_event

LOGGER = get_logger("links.jtapi.process")

#: Shutting a provider down closes a stream to AES; one that is dead may wait for ever.
SHUTDOWN_LIMIT_S: Final = 2.0


class Words(io.TextIOBase):
    """Standard error that may be gone: a server that died reads no more, and we must still end in order."""

    def write(self, text: str) -> int:
        """Write, or not."""
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what is left, or not."""
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says, and return the exit status."""
    line = read_arguments(arguments)
    configure_logging(level=line.log_level, stream=cast("TextIO", Words()))
    if line.descriptor is None:
        report = check(line.java, line.peer)
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
        sys.stdout.flush()
        return 1 if report.problem else 0
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: the server has it too, and ends us
    jvm: Jvm | None = None
    problem = ""
    try:
        jvm = java.start_jvm(line.java)
    except LinkRefused as error:
        problem = str(error)
        log_event(LOGGER, "jvm_not_started", level="error", why=problem)
    else:
        log_event(LOGGER, "jvm_started", java=jvm.version)
    with asyncio.Runner() as runner:
        runner.run(_serve(line, line.descriptor, jvm, problem))
    return 0


async def _serve(line: CommandLine, descriptor: int, jvm: Jvm | None, problem: str) -> None:
    loop = asyncio.get_running_loop()

    async def open_it(opening: Open, on_event: Callable[[Event], None]) -> JavaProvider:
        if jvm is None:
            raise LinkRefused(problem)
        return await open_provider(jvm, opening, on_event, loop)

    sign_of_life = jvm.sign_of_life if jvm is not None else bool
    bridge = Bridge(LoopClock(loop), open_it, sign_of_life, jvm.version if jvm is not None else "")
    loop.add_signal_handler(signal.SIGTERM, bridge.end, "told by a signal")
    provider = await bridge.run(descriptor)
    if isinstance(provider, JavaProvider):
        shutting_down = provider.shut_down()
        await asyncio.to_thread(shutting_down.join, SHUTDOWN_LIMIT_S)


def run() -> None:
    """Run it, and leave: without waiting for threads, Java's or ours."""
    status = 1
    try:
        status = main(sys.argv[1:])
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 1
    except BaseException as error:  # noqa: BLE001 - the process's boundary
        log_event(LOGGER, "process_failed", level="error", error=error)
    finally:
        Words().flush()
        os._exit(status)


if __name__ == "__main__":
    run()
