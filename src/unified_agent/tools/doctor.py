"""``unified-agent doctor``: tries what an instance with these settings would need, before it is started.

It knocks at AES and diallers without logging in anywhere, and for JTAPI starts a Java of its own.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from msgspec import Struct

from unified_agent.errors import LinkNotReady, LinkRefused, SettingsError
from unified_agent.links.telephony.jtapi.java_check import Report, check_apart
from unified_agent.links.telephony.jtapi.java_options import JavaSettings
from unified_agent.links.telephony.jtapi.requirements import check_requirements
from unified_agent.network import Address, Network, TcpNetwork, make_tls_context
from unified_agent.settings import JtapiSettings, Settings
from unified_agent.settings_file import read_settings

#: Starts a Java and looks for the peer in it; ``check_apart`` does.
CheckJava: TypeAlias = Callable[[JavaSettings, str], Awaitable[Report]]

GOOD: Final = "good"
NOTE: Final = "note"
PROBLEM: Final = "problem"


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that was tried.

    Attributes:
        verdict: ``good``, ``note`` or ``problem``.
        of: what was tried, in a word.
        words: what was found; for a problem also what to do.
    """

    verdict: str
    of: str
    words: str


async def doctor(file: Path) -> int:
    """Try Java and JTAPI, AES and diallers as the settings name them; nothing is logged in.

    Parameters
    ----------
    file:
        Settings.
    """
    settings = read_settings(file, os.environ).settings
    problems = 0
    async for each in examine(settings, TcpNetwork(), os.environ):
        problems += each.verdict == PROBLEM
        print(f"{each.verdict:8} {each.of:12} {each.words}", flush=True)
    return 1 if problems else 0


async def examine(
    settings: Settings, network: Network, environment: Mapping[str, str], check_java: CheckJava = check_apart
) -> AsyncIterator[Finding]:
    """Try everything, one after the other.

    Args:
        settings: checked.
        network: how peers are reached.
        environment: where JAVA_HOME may be.
        check_java: see ``CheckJava``.
    """
    telephony = settings.telephony
    if telephony.kind == "jtapi":
        async for finding in _examine_java(telephony.jtapi, environment, check_java):
            yield finding
    limit_s = telephony.link.connect_limit_s
    for server in telephony.servers:
        if not server.host:
            yield Finding(verdict=NOTE, of=server.name, words="TSAPI.PRO says where it is: not tried")
            continue
        tls = None if telephony.kind == "jtapi" else make_tls_context(server.tls)
        yield await _knock(network, server.name, Address(host=server.host, port=server.port, tls=tls), limit_s)
    for dialler in settings.diallers:
        address = Address(host=dialler.host, port=dialler.port, tls=make_tls_context(dialler.tls))
        yield await _knock(network, dialler.name, address, settings.pool.link.connect_limit_s)


async def _examine_java(
    jtapi: JtapiSettings, environment: Mapping[str, str], check_java: CheckJava
) -> AsyncIterator[Finding]:
    try:
        java = check_requirements(jtapi, environment)
    except SettingsError as error:
        yield Finding(verdict=PROBLEM, of="jtapi", words=str(error))
        return
    report = await check_java(java, jtapi.peer)
    if report.problem:
        yield Finding(verdict=PROBLEM, of="jtapi", words=report.problem)
        return
    agents = _AGENTS.get(report.agents, report.agents)
    yield Finding(verdict=GOOD, of="jtapi", words=f"Java {report.java} has the peer {jtapi.peer}; agents: {agents}")
    for each in report.missing:
        yield Finding(verdict=NOTE, of="jtapi", words=each)


_AGENTS: Final = {
    "vendor": "by the vendor's own classes",
    "standard": "by javax.telephony.callcenter alone",
    "none": "cannot be logged in",
}


async def _knock(network: Network, name: str, address: Address, limit_s: float) -> Finding:
    visitor = _Visitor()
    try:
        await network.dial(lambda: visitor, address, limit_s)
    except (LinkNotReady, LinkRefused) as error:
        return Finding(verdict=PROBLEM, of=name, words=str(error))
    visitor.leave()
    return Finding(verdict=GOOD, of=name, words=f"{address} takes connections")


class _Visitor(asyncio.Protocol):
    """Comes and goes."""

    _transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def leave(self) -> None:
        if self._transport is not None:
            self._transport.close()
