"""The second datacentre behind every balancer: nobody is sent there while it is passive, all once it serves."""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest
from tests.contract.etcd_servers import PROGRAM as ETCD
from tests.integration.balanced_cluster import Balanced, Front, balanced_cluster, resolve

from unified_agent.tools.balancer.products import KINDS
from unified_agent.tools.load.plan import LoadPlan

HOMES = {"a": "near", "b": "near", "c": "far"}
#: All of the first datacentre is lost, and the second takes over: within this on a busy machine, seconds.
TAKEOVER_LIMIT_S = 60.0
MISSING = sorted(
    {
        kind.product.program
        for kind in KINDS.values()
        if shutil.which(kind.product.program, path="/usr/local/sbin:/usr/sbin:/usr/bin") is None
    }
)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(240),
    pytest.mark.skipif(ETCD is None, reason="there is no etcd here: `packaging/setup/system.sh etcd` installs it"),
    pytest.mark.skipif(
        bool(MISSING), reason=f"{', '.join(MISSING)}: not here; `packaging/setup/system.sh balancers` installs them"
    ),
]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Balanced]:
    with balanced_cluster(LoadPlan(agents=20), {name: name for name in KINDS}, HOMES) as running:
        yield running


def named(front: Front, port: int) -> str:
    """Ask where to go; return the instance that is named, empty when none is."""
    hosts = [(host, port) for host in resolve(front.port)] if front.kind == "dns" else [("127.0.0.1", front.port)]
    for host, at in hosts:
        connection = HTTPConnection(host, at, timeout=5.0)
        try:
            connection.request("GET", "/v1/entry", headers={"Host": "ua.example"})
            answer = connection.getresponse()
            content = answer.read()
            if answer.status == 200:
                instance: str = json.loads(content)["instance"]["id"]
                return instance
        except OSError:
            continue
        finally:
            connection.close()
    return ""


def answered_by(front: Front, cookie: str = "") -> str:
    """Ask something that the instance answers for itself, and return which one did."""
    connection = HTTPConnection("127.0.0.1", front.port, timeout=10.0)
    try:
        connection.request("GET", "/healthz", headers={"Cookie": cookie} if cookie else {})
        name: str = json.loads(connection.getresponse().read())["instance"]
        return name
    finally:
        connection.close()


def test_a_second_datacentre_gets_nobody_while_it_is_passive_and_everybody_when_it_serves(cluster: Balanced):
    proxies = [front for front in cluster.fronts.values() if front.kind != "dns"]
    for front in proxies:
        assert {answered_by(front) for _ in range(20)} == {"a", "b"}, front.name
    for front in cluster.fronts.values():
        assert {named(front, cluster.instance_port) for _ in range(10)} <= {"a", "b"}, front.name
    for name in ("a", "b"):
        cluster.send_signal(name, signal.SIGKILL)
    waiting = dict(cluster.fronts)
    began_s = time.monotonic()
    while waiting:
        assert time.monotonic() - began_s < TAKEOVER_LIMIT_S, f"nobody is served through {sorted(waiting)}"
        for name, front in list(waiting.items()):
            if named(front, cluster.instance_port) == "c":
                print(f"{name}: after {time.monotonic() - began_s:.1f} s")
                del waiting[name]
        time.sleep(0.1)
    for front in cluster.fronts.values():
        assert [named(front, cluster.instance_port) for _ in range(10)] == ["c"] * 10, front.name
