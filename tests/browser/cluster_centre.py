"""A whole cluster as processes: instances with their guardians, a real etcd, a simulated switch and two diallers.

The stories kill, freeze and order about what they like by process id; ``Cluster.mend`` puts everything right again.
"""

from __future__ import annotations

import contextlib
import json
import signal
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.browser.centre import Peers, settings_text, start_peers
from tests.browser.programs import COMMAND, Program, Programs, programs
from tests.contract.etcd_servers import Member, Servers

from unified_agent.sealing import make_key, write_keys
from unified_agent.tools.free_ports import find_free_ports

#: All instances must know each other, with all links up, within this, seconds.
READY_LIMIT_S: Final = 40.0

#: Lease, beats and reconnect window are what a site has if it says nothing. One thing alone is not, because it would
#: make the test long: a datacentre takes over when the active one had no instance for 2 s, and not for 10.
CLUSTER: Final = """\
[cluster]
name = "browser"
datacentre = "{datacentre}"
datacentres = {datacentres}
url = "{url}"
keys_file = "{keys_file}"
takeover_delay_s = 2.0
[cluster.store]
endpoints = ["{store}"]
prefix = "/ua/browser/"
[jsonp]
enabled = true
callers = {urls}
"""


class Cluster:
    """What runs.

    Attributes:
        logs: what each process said, for the one who looks into a failure.
    """

    def __init__(self, running: Programs, peers: Peers, store: Member, urls: Mapping[str, str]) -> None:
        self.logs: Final = running.folder
        self._running = running
        self._peers = peers
        self._store = store
        self._urls = urls
        self._instances: dict[str, Program] = {}

    def as_json(self) -> str:
        """Tell a story where everything is: of an instance the guardian's process id, whose child serves."""
        assert self._store.process is not None
        instances = {name: {"url": url, "guardian": self._instances[name].pid} for name, url in self._urls.items()}
        return json.dumps(
            {
                "desktop": next(iter(self._urls.values())),
                "aes": self._peers.aes_control,
                "diallers": self._peers.dialler_controls,
                "instances": instances,
                "store": self._store.process.pid,
                "program": COMMAND,
            }
        )

    def mend(self) -> None:
        """Have everything run, and all instances take agents.

        Raises:
            AssertionError: it cannot be had.
        """
        self._store.signal(signal.SIGCONT)
        ended = [name for name in self._urls if name not in self._instances or not self._instances[name].is_running]
        for name in ended:
            self._instances[name] = self._running.begin(name, "serve", str(self.logs / f"{name}.toml"))
        for name in ended:
            self._instances[name].wait_until_ready()
        until_s = time.monotonic() + READY_LIMIT_S
        while (missing := self._missing()) != "":
            assert time.monotonic() < until_s, f"not within {READY_LIMIT_S:.0f} s: {missing}"
            time.sleep(0.1)

    def _missing(self) -> str:
        """Say what is not as it should be, empty when all is."""
        for name, url in self._urls.items():
            told = _ask(f"{url}/v1/cluster")
            if told is None:
                return f"an answer of {name}"
            if len(told["instances"]) != len(self._urls) or told["active"] == "":
                return f"{name} knows all others, and who is active"
            for each in told["instances"]:
                if each["state"] == "draining":
                    _ask(f"{url}/v1/cluster/instances/{each['id']}/resume", b"{}")
                serves = each["datacentre"] == told["active"]
                is_well = each["state"] == "ready" if serves else each["epoch"] == told["epoch"]
                if not is_well or each["links_down"] or each["verdict"] != "alive":
                    return f"{each['id']} is well, as {name} sees it: {each}"
        return ""


@contextlib.contextmanager
def cluster_centre(folder: Path, datacentres: Mapping[str, Sequence[str]]) -> Iterator[Cluster]:
    """Run a cluster; stop all of it whatever happens.

    Args:
        folder: where settings, logs and the store's data go.
        datacentres: names of the instances by datacentre, the primary first.
    """
    names = [(datacentre, name) for datacentre, instances in datacentres.items() for name in instances]
    urls = {
        name: f"http://127.0.0.1:{port}" for (_, name), port in zip(names, find_free_ports(len(names)), strict=True)
    }
    keys_file = folder / "cluster.keys"
    write_keys(keys_file, [make_key(datetime.now(UTC))], replace=False)
    with _etcd(folder) as store, programs(folder) as running:
        peers = start_peers(running)
        for datacentre, name in names:
            cluster = CLUSTER.format(
                datacentre=datacentre,
                datacentres=json.dumps(list(datacentres)),
                url=urls[name],
                keys_file=keys_file,
                store=store.endpoints[0],
                urls=json.dumps(list(urls.values())),
            )
            port = int(urls[name].rpartition(":")[2])
            (folder / f"{name}.toml").write_text(settings_text(name, port, peers) + cluster)
        (member,) = store.members
        try:
            whole = Cluster(running, peers, member, urls)
            whole.mend()
            yield whole
        finally:
            member.signal(signal.SIGCONT)


@contextlib.contextmanager
def _etcd(folder: Path) -> Iterator[Servers]:
    servers = Servers(folder)
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()


def _ask(url: str, body: bytes | None = None) -> Any:
    """Ask an instance; None when it does not answer, or does not want to."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=5.0) as answer:
            return json.load(answer)
    except OSError:
        return None
