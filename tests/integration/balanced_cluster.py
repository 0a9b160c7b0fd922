"""A cluster of three real instances, each at an address of its own, and real balancers before it from our files."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.browser.programs import Program, Programs, programs
from tests.contract.etcd_servers import Servers
from tests.unit.wire.ajp13.front import CPING, CPONG

from unified_agent.sealing import make_key, write_keys
from unified_agent.tools.balancer.check import find_program
from unified_agent.tools.balancer.products import KINDS
from unified_agent.tools.balancer.topology import BalancedInstance, BalancerTopology, write_toml
from unified_agent.tools.cli import main
from unified_agent.tools.free_ports import find_free_ports
from unified_agent.tools.load.plan import LoadPlan, aes_file, apc_file, instance_file

#: Instances and their addresses: behind one name all must have the same port.
HOSTS: Final = {"a": "127.0.1.1", "b": "127.0.1.2", "c": "127.0.1.3"}
ONE_DATACENTRE: Final = dict.fromkeys(HOSTS, "dc1")
NAME: Final = "ua.example"
SECRET: Final = "balanced-cluster-secret"
#: All must know each other, and every balancer must answer, within this on a busy machine, seconds.
READY_LIMIT_S: Final = 60.0
STOP_LIMIT_S: Final = 10.0
#: Of each log, so many lines are shown when a test has failed.
TAIL_LINES: Final = 40
#: How long an instance holds a poll, seconds.
HOLD_S: Final = 2.0

CLUSTER: Final = """\
[jsonp]
enabled = true
allow_unknown_callers = true
[desktop]
poll_hold_s = {hold_s}
[ajp]
host = "{host}"
port = {ajp_port}
secret = "{secret}"
[cluster]
name = "balanced"
datacentre = "{datacentre}"
datacentres = {datacentres}
takeover_delay_s = 2.0
url = "{url}"
keys_file = "{keys_file}"
[cluster.store]
endpoints = ["{store}"]
prefix = "/ua/balanced/"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """One balancer.

    Attributes:
        name: for people.
        kind: of ``products.KINDS``.
        port, status_port: its own; of a name server where it answers, and nothing.
    """

    name: str
    kind: str
    port: int
    status_port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Balanced:
    """What runs.

    Attributes:
        folder: files and logs of everything.
        urls: the instances' own, by name.
        fronts: the balancers, by name.
    """

    def __init__(
        self, running: Programs, urls: Mapping[str, str], ajp_port: int, plan: LoadPlan, homes: Mapping[str, str]
    ) -> None:
        self.folder: Final = running.folder
        self.urls: Final = urls
        self.plan: Final = plan
        self.homes: Final = homes
        self.fronts: Final[dict[str, Front]] = {}
        self._ajp_port = ajp_port
        self._running = running
        self._instances: dict[str, Program] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    # --- instances

    def begin(self, name: str) -> None:
        """Start an instance, also again; it is not ready yet."""
        self._instances[name] = self._running.begin(name, "serve", str(self.folder / f"{name}.toml"))

    def send_signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to the serving process of an instance, whose parent is its guardian."""
        pid = self._instances[name].pid
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            os.kill(int(child), number)

    def signal_all(self, name: str, number: signal.Signals) -> None:
        """Send a signal to an instance and its guardian, as if it were to their machine."""
        with contextlib.suppress(OSError):
            self.send_signal(name, number)
        with contextlib.suppress(OSError):
            os.kill(self._instances[name].pid, number)

    def wait_until_well(self) -> None:
        """Start instances that have ended (a guardian ends one that was frozen), and wait until each sees all ready.

        Raises:
            AssertionError: not within the limit.
        """
        for name, instance in list(self._instances.items()):
            if not instance.is_running:
                self.begin(name)
        until_s = time.monotonic() + READY_LIMIT_S
        while missing := [name for name in self.urls if not self._is_well(name)]:
            told = [ask(f"{self.urls[name]}/v1/topology") for name in missing]
            assert time.monotonic() < until_s, f"not ready: {missing}, who tell {told}"
            time.sleep(0.1)

    def _is_well(self, name: str) -> bool:
        url = self.urls[name]
        told = ask(f"{url}/v1/topology")
        return (
            told is not None
            and bool(told["active"])
            and len(told["instances"]) == len(self.urls)
            # One of a passive datacentre is called joining.
            and all(each["state"] == "ready" or each["datacentre"] != told["active"] for each in told["instances"])
            and not any(each["state"] == "down" for each in told["instances"])
            and status_of(f"{url}/readyz") == (200 if self.homes[name] == told["active"] else 503)
            and answers_by_ajp(HOSTS[name], self._ajp_port)
        )

    def order(self, name: str, what: str) -> None:
        """Have an instance drained or resumed."""
        assert ask(f"{self.urls[name]}/v1/cluster/instances/{name}/{what}", b"{}") is not None

    # --- balancers

    def topology(self, kind: str, port: int, status_port: int, tls: tuple[str, str]) -> BalancerTopology:
        """Describe the cluster for one balancer."""
        instances = tuple(
            BalancedInstance(
                name=name,
                host=HOSTS[name],
                http_port=self.instance_port,
                ajp_port=self._ajp_port,
                datacentre=self.homes[name],
            )
            for name in HOSTS
        )
        return BalancerTopology(
            cluster="balanced",
            name=NAME,
            listen="127.0.0.1",
            port=self.instance_port if kind == "dns" else port,
            dns_port=port,
            status_port=status_port,
            tls_cert_file=tls[0],
            tls_key_file=tls[1],
            agents=300,
            hold_s=HOLD_S,
            ajp_secret_file=self.folder / "ajp.secret",
            ajp_secret=SECRET,
            instances=instances,
        )

    @property
    def instance_port(self) -> int:
        """The HTTP port of all instances."""
        return int(next(iter(self.urls.values())).rpartition(":")[2])

    def front(self, name: str, kind: str, tls: tuple[str, str] = ("", "")) -> Front:
        """Write a balancer's files by the command, have its program check them, and run exactly those.

        Args:
            name: for people.
            kind: of ``products.KINDS``.
            tls: certificate and key.
        """
        port, status_port = find_free_ports(2)
        folder = self.folder / name
        for each in (folder, folder / "run", folder / "log"):
            each.mkdir(mode=0o755)
        source = folder / "topology.toml"
        source.write_text(write_toml(self.topology(kind, port, status_port, tls)))
        places = ["--run-dir", f"{folder}/run", "--log-dir", f"{folder}/log"]
        user = [] if os.geteuid() == 0 else ["--user", ""]
        arguments = ["balancer", kind, "--from", f"{source}", "--out", f"{folder}/conf", *places, *user, "--check"]
        assert main(arguments) == 0
        made = Front(name=name, kind=kind, port=port, status_port=status_port, folder=folder)
        self.fronts[name] = made
        self.start_front(name)
        return made

    def start_front(self, name: str) -> None:
        """Run a balancer's program, also again."""
        front = self.fronts[name]
        product = KINDS[front.kind].product
        command = [find_program(product), *product.run, f"{front.folder}/conf/{product.file}"]
        with (front.folder / "output.log").open("ab") as output:
            self._processes[name] = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)

    def wait_until_fronted(self) -> None:
        """Wait until every balancer has an answer.

        Raises:
            AssertionError: not within the limit.
        """
        until_s = time.monotonic() + READY_LIMIT_S
        for name, front in self.fronts.items():
            while (resolve(front.port) == [] if front.kind == "dns" else ask(f"{front.url}/v1/entry") is None) or (
                self._processes[name].poll() is not None
            ):
                assert time.monotonic() < until_s, f"{name} does not answer; logs are in {front.folder}"
                time.sleep(0.1)

    def told_lately(self) -> str:
        """Return the ends of all that instances and balancers have written down."""
        logs = [*sorted(self.folder.glob("?.log")), *sorted(self.folder.glob("*/output.log"))]
        logs += sorted(self.folder.glob("*/log/*"))
        tails = {log: log.read_text(errors="replace").splitlines()[-TAIL_LINES:] for log in logs if log.is_file()}
        return "\n".join(line for log, tail in tails.items() for line in (f"--- {log.relative_to(self.folder)}", *tail))

    def kill_front(self, name: str) -> None:
        """End all processes of a balancer at once, as a lost machine would."""
        process = self._processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def reload_front(self, name: str) -> None:
        """Have a balancer read its files anew, as its systemd unit would."""
        front, process = self.fronts[name], self._processes[name]
        product = KINDS[front.kind].product
        file = f"{front.folder}/conf/{product.file}"
        words = product.reload_service.format(program=find_program(product), file=file)
        subprocess.run(shlex.split(words.replace("$MAINPID", f"{process.pid}")), check=True, timeout=STOP_LIMIT_S)

    def is_running(self, name: str) -> bool:
        """Whether a balancer's first process is there."""
        return self._processes[name].poll() is None

    def logs_of(self, name: str) -> str:
        """Return all that a balancer has written down."""
        folder = self.fronts[name].folder
        files = [folder / "output.log", *(folder / "log").iterdir()]
        return "".join(file.read_text(errors="replace") for file in files)

    def close(self) -> None:
        """End what was started here; instances and simulators are the caller's."""
        for name in self._instances:
            self.signal_all(name, signal.SIGCONT)
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextlib.contextmanager
def balanced_cluster(
    plan: LoadPlan, fronts: Mapping[str, str], homes: Mapping[str, str] = ONE_DATACENTRE
) -> Iterator[Balanced]:
    """Run it all; end all of it whatever happens.

    Args:
        plan: the agents that may log in.
        fronts: balancers, name to kind.
        homes: datacentre of each instance, the first one's is the primary.
    """
    # Not pytest's folder: that is closed to the users as whom balancers serve.
    folder = Path(tempfile.mkdtemp(prefix="ua-balanced-"))
    folder.chmod(0o755)
    try:
        with _etcd(folder) as store, programs(folder) as running:
            aes = _start_aes(running, plan)
            dialler = _start_dialler(running, plan)
            http_port, ajp_port = _shared_ports(2)
            urls = {name: f"http://{host}:{http_port}" for name, host in HOSTS.items()}
            write_keys(folder / "cluster.keys", [make_key(datetime.now(UTC))], replace=False)
            (folder / "ajp.secret").write_text(SECRET)
            whole = Balanced(running, urls, ajp_port, plan, homes)
            try:
                for name, host in HOSTS.items():
                    text = instance_file(plan, ("127.0.0.1", aes.port("plain")), [("127.0.0.1", dialler.port("plain"))])
                    text = text.replace('instance = "load"', f'instance = "{name}"')
                    text = text.replace('host = "127.0.0.1"\nport = 0', f'host = "{host}"\nport = {http_port}', 1)
                    # Initiations count as agents for a while, and many more are made than there are agents.
                    text = text.replace(f"capacity = {plan.agents + 100}", "capacity = 10000")
                    text = text.replace("login_rate_per_min", 'trusted_proxies = ["127.0.0.1"]\nlogin_rate_per_min', 1)
                    text += CLUSTER.format(
                        datacentre=homes[name],
                        datacentres=json.dumps(list(dict.fromkeys(homes.values()))),
                        hold_s=HOLD_S,
                        host=host,
                        ajp_port=ajp_port,
                        secret=SECRET,
                        url=urls[name],
                        keys_file=folder / "cluster.keys",
                        store=store.endpoints[0],
                    )
                    (folder / f"{name}.toml").write_text(text)
                    whole.begin(name)
                try:
                    whole.wait_until_well()
                    for name, kind in fronts.items():
                        whole.front(name, kind)
                    whole.wait_until_fronted()
                except AssertionError as error:
                    error.add_note(whole.told_lately())
                    raise
                yield whole
            finally:
                whole.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def ask(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Any:
    """Ask for JSON; None when nobody answers, or refuses."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=5.0) as answer:
            return json.load(answer)
    except OSError:
        return None


def status_of(url: str, headers: Mapping[str, str] | None = None) -> int:
    """Return the status with which a GET is answered, 0 when nobody answers."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=dict(headers or {})), timeout=5.0) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def answers_by_ajp(host: str, port: int) -> bool:
    """Whether web servers reach an instance: they leave one whose port is closed alone for seconds."""
    try:
        with socket.create_connection((host, port), timeout=5.0) as line:
            line.sendall(CPING)
            return line.makefile("rb").read(len(CPONG)) == CPONG
    except OSError:
        return False


def resolve(port: int, name: str = NAME, limit_s: float = 2.0) -> list[str]:
    """Ask a name server on this machine for the IPv4 addresses of a name, in its order; empty when there is none."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\x00\x00\x01\x00\x01"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        asked.settimeout(limit_s)
        try:
            asked.connect(("127.0.0.1", port))
            asked.send(query)
            answer = asked.recv(4_096)
        except OSError:
            return []
    found, at = [], len(query)
    for _ in range(int.from_bytes(answer[6:8], "big")):
        # The name is a pointer of two bytes; then type, class, time to live and length.
        length = int.from_bytes(answer[at + 10 : at + 12], "big")
        if answer[at + 2 : at + 4] == b"\x00\x01":
            found.append(socket.inet_ntoa(answer[at + 12 : at + 16]))
        at += 12 + length
    return found


@contextlib.contextmanager
def _etcd(folder: Path) -> Iterator[Servers]:
    servers = Servers(folder)
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()


def _start_aes(running: Programs, plan: LoadPlan) -> Program:
    (running.folder / "aes.toml").write_text(aes_file(plan))
    return running.start("aes", "simulate", "aes", "--config", f"{running.folder}/aes.toml", *_PORTS)


def _start_dialler(running: Programs, plan: LoadPlan) -> Program:
    (running.folder / "apc.toml").write_text(apc_file(plan))
    return running.start("dialler-1", "simulate", "apc", "--config", f"{running.folder}/apc.toml", *_PORTS)


_PORTS: Final = ("--port", "0", "--control-port", "0", "--log-level", "warning")


def _shared_ports(count: int) -> Sequence[int]:
    """Find ports that are free at every instance's address."""
    found: list[int] = []
    while len(found) < count:
        (port,) = find_free_ports(1)
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            for host in HOSTS.values():
                held.enter_context(socket.create_server((host, port)))
            found.append(port)
    return found
