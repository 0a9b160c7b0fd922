"""Real etcd members on loopback, in a folder of their own, ended by their process ids."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from unified_agent.tools.free_ports import find_free_ports

PROGRAM = shutil.which("etcd")

#: How long members may take to find each other on a busy machine.
START_LIMIT_S = 30.0


@dataclass
class Member:
    """One etcd process."""

    command: list[str]
    port: int
    health_port: int
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health_port}/health", timeout=1) as answer:
                return b'"true"' in answer.read()
        except OSError:
            return False


@dataclass
class Servers:
    """One cluster of one or three members."""

    folder: Path
    count: int = 1
    options: Sequence[str] = ()
    scheme: str = "http"
    members: list[Member] = field(default_factory=list)

    @property
    def endpoints(self) -> tuple[str, ...]:
        return tuple(member.endpoint for member in self.members)

    def start(self) -> None:
        assert PROGRAM is not None
        ports = find_free_ports(3 * self.count)
        clients, peers, health = ports[: self.count], ports[self.count : 2 * self.count], ports[2 * self.count :]
        cluster = ",".join(f"m{number}=http://127.0.0.1:{port}" for number, port in enumerate(peers))
        for number in range(self.count):
            client = f"{self.scheme}://127.0.0.1:{clients[number]}"
            peer = f"http://127.0.0.1:{peers[number]}"
            command = [
                PROGRAM,
                *("--name", f"m{number}", "--data-dir", str(self.folder / f"m{number}")),
                *("--listen-client-urls", client, "--advertise-client-urls", client),
                *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
                *("--listen-metrics-urls", f"http://127.0.0.1:{health[number]}"),
                *("--initial-cluster", cluster, "--initial-cluster-token", self.folder.name),
                *("--heartbeat-interval", "50", "--election-timeout", "500", "--pre-vote"),
                *("--logger", "zap", "--log-level", "warn", "--log-outputs", "stderr"),
                *self.options,
            ]
            member = Member(command, clients[number], health[number], self.folder / f"m{number}.log")
            self.members.append(member)
            member.start()
        self.wait_until_healthy()

    def wait_until_healthy(self, members: Sequence[Member] | None = None) -> None:
        until_s = time.monotonic() + START_LIMIT_S
        for member in members if members is not None else self.members:
            while not member.is_healthy():
                if member.process is None or member.process.poll() is not None or time.monotonic() > until_s:
                    raise RuntimeError(f"etcd did not start: {member.log.read_text()[-2000:]}")
                time.sleep(0.05)

    def stop(self) -> None:
        for member in self.members:
            member.kill()
