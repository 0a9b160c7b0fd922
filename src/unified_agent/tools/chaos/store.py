"""The store: five real etcd members, two at each datacentre and one at a third site, each on a host of its own."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx

from unified_agent.errors import SettingsError
from unified_agent.tools.chaos.namespaces import Network
from unified_agent.tools.chaos.places import Host
from unified_agent.tools.load.processes import ChildFailed

CLIENT_PORT: Final = 2379
_PEER_PORT: Final = 2380
#: As advised for members at two sites: docs/explanation/one-owner.md.
HEARTBEAT_MS: Final = 100
ELECTION_MS: Final = 1_000
#: How long members may take to find each other on a busy machine, and to answer one question, seconds.
_START_LIMIT_S: Final = 60.0
_ASK_LIMIT_S: Final = 1.0
_ASK_EVERY_S: Final = 0.1

_OPTIONS: Final = (
    *("--heartbeat-interval", str(HEARTBEAT_MS), "--election-timeout", str(ELECTION_MS), "--pre-vote"),
    *("--logger", "zap", "--log-level", "warn", "--log-outputs", "stderr"),
)


def check_possible() -> None:
    """See that there is an etcd here.

    Raises:
        SettingsError: there is none.
    """
    if shutil.which("etcd") is None:
        raise SettingsError("there is no etcd here: packaging/setup/system.sh etcd installs it")


def endpoint(host: Host) -> str:
    """Return where a member is asked."""
    return f"{host.address}:{CLIENT_PORT}"


def member_command(host: Host, hosts: Sequence[Host], folder: Path) -> tuple[str, ...]:
    """Return the command that runs one member.

    Args:
        host: where it runs.
        hosts: of all members.
        folder: where its data goes.
    """
    client, peer = f"http://{endpoint(host)}", f"http://{host.address}:{_PEER_PORT}"
    cluster = ",".join(f"{each.name}=http://{each.address}:{_PEER_PORT}" for each in hosts)
    return (
        "etcd",
        *("--name", host.name, "--data-dir", str(folder / host.name)),
        *("--listen-client-urls", client, "--advertise-client-urls", client),
        *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
        *("--initial-cluster", cluster, "--initial-cluster-token", "ua-chaos"),
        *_OPTIONS,
    )


class Member:
    """One etcd process. Killed, it can be started again with the data it had.

    Attributes:
        host: where it runs.
    """

    def __init__(self, host: Host, command: Sequence[str], log: Path) -> None:
        self.host: Final = host
        self._command = tuple(command)
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def alive(self) -> bool:
        """Whether it runs, frozen or not."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start it, unless it runs; it is not ready then."""
        if self.alive:
            return
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )

    def freeze(self) -> None:
        """Stop it where it is."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    async def kill(self) -> None:
        """End it at once. Harmless when it has ended."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            await self._process.wait()

    def words(self) -> str:
        """Return the end of what it said."""
        return self._log.read_text(errors="replace")[-1_000:]

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)


class StoreCluster:
    """All members.

    Attributes:
        members: by the names of their hosts.
    """

    def __init__(self, network: Network, hosts: Sequence[Host], folder: Path, http: httpx.AsyncClient) -> None:
        """Prepare; nothing runs yet.

        Args:
            network: in which the hosts are.
            hosts: one for each member.
            folder: where data and logs go.
            http: for asking members; used on a host from which all can be reached.
        """
        self.members: Final = {
            host.name: Member(
                host,
                (*network.within(host.name), *member_command(host, hosts, folder)),
                folder / f"{host.name}.log",
            )
            for host in hosts
        }
        self._http = http

    async def start(self) -> None:
        """Start all members that do not run, and wait until each has a leader.

        Raises:
            ChildFailed: one has ended, or has no leader within the limit.
        """
        for member in self.members.values():
            await member.start()
        loop = asyncio.get_running_loop()
        until_s = loop.time() + _START_LIMIT_S
        for member in self.members.values():
            while not await self._is_healthy(member):
                if not member.alive or loop.time() > until_s:
                    raise ChildFailed(f"{member.host.name} did not start\n{member.words()}")
                await asyncio.sleep(_ASK_EVERY_S)

    async def leader(self) -> Member | None:
        """Find the member that leads; None while there is none that answers."""
        members = tuple(self.members.values())
        answers = await asyncio.gather(*(self._ask(member) for member in members))
        told = [(member, answer) for member, answer in zip(members, answers, strict=True) if answer is not None]
        by_id = {answer["header"]["member_id"]: member for member, answer in told}
        latest = max((answer for _, answer in told), key=lambda answer: int(answer["raftTerm"]), default=None)
        return by_id.get(latest.get("leader", "0")) if latest is not None else None

    async def stop(self) -> None:
        """End all members at once."""
        await asyncio.gather(*(member.kill() for member in self.members.values()))

    async def _is_healthy(self, member: Member) -> bool:
        told = await self._ask(member)
        return told is not None and told.get("leader", "0") != "0"

    async def _ask(self, member: Member) -> dict[str, Any] | None:
        """Ask a member for its status; None when it does not answer.

        Source: etcd 3.4, ``MaintenanceStatus`` through its JSON gateway. Checked against 3.4.23: numbers of 64 bits
            come as text, and ``leader`` is left out by a member that has none.
        """
        if not member.alive:
            return None
        url = f"http://{endpoint(member.host)}/v3/maintenance/status"
        try:
            answer = await self._http.post(url, json={}, timeout=_ASK_LIMIT_S)
            answer.raise_for_status()
            told: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError):
            return None
        return told
