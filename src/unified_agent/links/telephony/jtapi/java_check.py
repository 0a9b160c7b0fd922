"""Says whether Java can be used as it is set, without asking AES: for ``doctor``, in a process that then ends.

Run as ``process --check PEER`` it writes a ``Report`` on its standard output.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from unified_agent.errors import LinkRefused
from unified_agent.links.telephony.jtapi import java
from unified_agent.links.telephony.jtapi.java_options import CommandLine, JavaSettings, arguments_of
from unified_agent.links.telephony.jtapi.java_provider import abilities

#: A JVM starts in 0.2 to 0.4 s; a busy machine takes longer.
LIMIT_S: Final = 30.0
PROCESS: Final = (sys.executable, "-P", "-m", "unified_agent.links.telephony.jtapi.process")


class Report(Struct, frozen=True, kw_only=True):
    """What was found.

    Attributes:
        problem: a sentence on what must be done first; empty when Java can be used.
        java: version of the JVM.
        agents, missing: see ``provider.Provider``.
    """

    problem: str = ""
    java: str = ""
    agents: str = ""
    missing: tuple[str, ...] = ()


def check(settings: JavaSettings, peer: str) -> Report:
    """Start the JVM of this process and look for the peer. Only once in the process's life."""
    try:
        jvm = java.start_jvm(settings)
        jvm.peer(peer)
    except LinkRefused as error:
        return Report(problem=str(error))
    agents, missing = abilities(jvm)
    return Report(java=jvm.version, agents=agents, missing=missing)


async def check_apart(
    settings: JavaSettings, peer: str, *, command: Sequence[str] = PROCESS, limit_s: float = LIMIT_S
) -> Report:
    """Check in a process of its own.

    Args:
        settings: of Java.
        peer: class name of the JTAPI peer.
        command: the process's program; its arguments are added.
        limit_s: it is given up after this long.
    """
    line = CommandLine(descriptor=None, java=settings, peer=peer, log_level="error")
    process = await asyncio.create_subprocess_exec(
        *command,
        *arguments_of(line),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(limit_s):
            said, words = await process.communicate()
    except TimeoutError:
        return Report(problem=f"Java has not started within {limit_s:g} s: see whether this machine is out of memory")
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    last = (words.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1][:300]
    try:
        report = msgspec.json.decode(said.splitlines()[-1] if said else b"", type=Report)
    except msgspec.DecodeError:
        return Report(problem=f"the process for Java ended with status {process.returncode}: {last}")
    if report.problem and words:  # why a JVM does not start it says there alone
        return msgspec.structs.replace(report, problem=f"{report.problem} ({last})")
    return report
