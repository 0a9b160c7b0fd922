"""Apache httpd in front of us, with mod_jk and with mod_proxy_ajp: the real ones, on loopback."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import httpx
import pytest
from tests.integration import apache
from tests.integration.ajp_node import SECRET, Node, Process, serving
from tests.integration.house import house
from tests.integration.test_ajp_listener import on_uvloop

from unified_agent.observe import Metrics
from unified_agent.settings import AjpSettings
from unified_agent.tools.free_ports import find_free_ports

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        bool(apache.missing("jk", "proxy_ajp", "proxy_balancer")),
        reason=apache.missing("jk", "proxy_ajp", "proxy_balancer"),
    ),
]

#: How soon a flushed event is seen through httpd, seconds. Measured: 1 to 15 ms; the bound is for a busy machine, and
#: far below the gap between two events, without which nothing would come before the end.
FLUSH_LIMIT_S = 1.0
GAP_S = 2.0

Way = Callable[..., apache.Way]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that httpd's children, which are another user's, may enter; pytest's own they may not."""
    top = Path(tempfile.mkdtemp(prefix="ua-apache-"))
    top.chmod(0o755)
    yield top / "httpd"
    shutil.rmtree(top)


both = pytest.mark.parametrize("way", [apache.jk, apache.proxy_ajp], ids=["mod_jk", "mod_proxy_ajp"])


class Front:
    def __init__(self, httpd: apache.Apache, node: Node, metrics: Metrics, client: httpx.AsyncClient) -> None:
        self.httpd = httpd
        self.node = node
        self.metrics = metrics
        self.client = client

    def count(self, line: str) -> float:
        found = [each for each in self.metrics.render().decode().splitlines() if each.startswith(f"{line} ")]
        return float(found[0].split()[-1]) if found else 0.0

    async def until(self, so: Callable[[], object]) -> None:
        while not so():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.01)


@asynccontextmanager
async def fronted(
    folder: Path, way: Way, *, size: int = 8_192, limits: str = "", **settings: Any
) -> AsyncIterator[Front]:
    node, metrics = Node("ua-1"), Metrics()
    async with (
        serving(node, metrics=metrics, packet_size_bytes=size, **settings) as listener,
        apache.started(
            folder, way({"ua-1": listener.port}, secret=SECRET, packet_size_bytes=size), limits=limits
        ) as httpd,
        httpx.AsyncClient(base_url=httpd.url, timeout=30, trust_env=False) as client,
    ):
        yield Front(httpd, node, metrics, client)


@both
@on_uvloop
async def test_every_kind_of_request_passes(way: Way, folder: Path) -> None:
    async with fronted(folder, way) as front:
        answer = await front.client.get("/echo/a%20b;jsessionid=x.ua-1?x=1&y=%20z", headers={"X-Empty": ""})
        told = answer.json()
        assert (answer.status_code, told["method"], told["path"]) == (200, "GET", "/echo/a b")
        assert told["client"][0] == "127.0.0.1"
        assert told["client"][1] > 0
        assert ["x-empty", ""] in told["headers"]
        assert front.node.scope["query_string"] == b"x=1&y=%20z"
        assert int(answer.headers["content-length"]) == len(answer.content)
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "QUERY"):
            assert (await front.client.request(method, "/echo")).json()["method"] == method
        head = await front.client.head("/size", params={"n": "1000"})
        assert (head.status_code, head.headers["content-length"], head.content) == (200, "1000", b"")
        cookies = await front.client.get("/cookies")
        assert cookies.headers.get_list("set-cookie") == ["a=1; Path=/", "b=2; Path=/"]


@both
@pytest.mark.parametrize("size", [8_192, 65_536])
@on_uvloop
async def test_uploads_and_answers_of_any_length_pass(way: Way, size: int, folder: Path) -> None:
    async with fronted(folder, way, size=size) as front:

        async def in_pieces(data: bytes) -> AsyncIterator[bytes]:
            for at in range(0, len(data), 5_000):
                yield data[at : at + 5_000]

        for length in (0, 3, 8_186, 8_187, 20_000, 200_000):
            data = os.urandom(length)
            digest = hashlib.sha256(data).hexdigest()
            for content in (data, in_pieces(data)):
                told = (await front.client.post("/echo", content=content)).json()
                assert (told["length"], told["digest"]) == (length, digest)
        for length in (0, 8_184, 8_185, 1_000_000):
            for pieces in ({}, {"pieces": "1"}):
                answer = await front.client.get("/size", params={"n": str(length), **pieces})
                assert answer.content == bytes(index % 251 for index in range(length))
        assert front.count('ua_ajp_connections_closed_total{reason="body"}') == 0


@both
@on_uvloop
async def test_long_headers_pass_with_long_packets(way: Way, folder: Path) -> None:
    limits = f"{apache.LIMITS}\nLimitRequestFieldSize 50000"
    async with fronted(folder, way, size=65_536, limits=limits) as front:
        told = (await front.client.get("/echo", headers={"Cookie": f"c={'x' * 40_000}"})).json()
        assert ["cookie", f"c={'x' * 40_000}"] in told["headers"]


@both
@on_uvloop
async def test_an_upload_that_is_refused_or_ignored_does_not_spoil_the_connection(way: Way, folder: Path) -> None:
    async with fronted(folder, way, body_limit_bytes=100_000) as front:
        for _ in range(3):
            refused = await front.client.post("/echo", content=b"x" * 200_000)
            assert (refused.status_code, refused.json()["id"]) == (413, "request.too-large")
            ignored = await front.client.post("/ignore", content=b"\x02" * 20_000)
            assert (ignored.status_code, ignored.content) == (401, b"not you")
            assert (await front.client.post("/echo", content=b"abc")).json()["length"] == 3
        assert front.node.begun == 6, "what is too long does not reach the application"
        assert front.count('ua_ajp_refused_total{reason="too-large"}') == 3


@both
@on_uvloop
async def test_connections_are_used_again(way: Way, folder: Path) -> None:
    async with fronted(
        folder, way, limits="ThreadsPerChild 4\nServerLimit 1\nMaxRequestWorkers 4\nStartServers 1"
    ) as front:
        for _ in range(100):
            assert (await front.client.get("/echo")).status_code == 200
        assert front.count('ua_ajp_requests_total{status="2xx"}') == 100
        assert front.count("ua_ajp_connections") <= 4
        assert front.count('ua_ajp_connections_closed_total{reason="closed"}') == 0


@both
@on_uvloop
async def test_each_event_of_a_stream_is_seen_at_once(way: Way, folder: Path) -> None:
    async with fronted(folder, way) as front:
        began_s = perf_counter()
        async with front.client.stream("GET", "/stream", params={"count": "3", "gap": str(GAP_S)}) as answer:
            assert answer.headers["content-type"] == "text/event-stream"
            seen_s = [perf_counter() - began_s async for line in answer.aiter_lines() if line]
        assert len(seen_s) == 4
        for number, at_s in enumerate(seen_s):
            assert number * GAP_S - 0.1 < at_s < number * GAP_S + FLUSH_LIMIT_S


@both
@on_uvloop
async def test_a_client_that_leaves_a_stream_ends_its_handler(way: Way, folder: Path) -> None:
    async with fronted(folder, way) as front:
        async with front.client.stream("GET", "/stream", params={"count": "100000", "gap": "0.05"}) as answer:
            async for line in answer.aiter_lines():
                if line:
                    break
        await front.until(lambda: front.node.cancelled == 1)
        await front.until(lambda: front.count('ua_ajp_connections_closed_total{reason="closed"}') >= 1)
        assert (await front.client.get("/echo")).status_code == 200


@both
@on_uvloop
async def test_a_websocket_is_refused_with_the_ways_there_are(way: Way, folder: Path) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    }
    async with fronted(folder, way) as front:
        answer = await front.client.get("/v1/events", headers=upgrade)
        assert (answer.status_code, answer.json()["id"]) == (426, "request.upgrade")
        assert "POST /v1/events/poll" in answer.json()["detail"]
        assert (await front.client.get("/echo")).status_code == 200


@both
@on_uvloop
async def test_failures_reach_the_client_as_what_they_are(way: Way, folder: Path) -> None:
    async with fronted(folder, way) as front:
        failed = await front.client.get("/fail")
        assert (failed.status_code, failed.json()["id"]) == (500, "internal")
        missing = await front.client.get("/status", params={"n": "404"})
        assert (missing.status_code, missing.content) == (404, b"five!")
        broken = front.client.get("/fail", params={"late": "1"}, headers={"Connection": "close"})
        with pytest.raises(httpx.RemoteProtocolError):  # shorter than its length: what reads it can tell
            await broken
        assert front.count('ua_ajp_connections_closed_total{reason="failed"}') == 1


@both
@on_uvloop
async def test_another_secret_lets_nothing_through(way: Way, folder: Path) -> None:
    node = Node()
    async with (
        serving(node, secret="another") as listener,
        apache.started(folder, way({"ua-1": listener.port}, secret=SECRET)) as httpd,
        httpx.AsyncClient(base_url=httpd.url, trust_env=False) as client,
    ):
        assert (await client.get("/echo")).status_code == 403
        assert node.begun == 0


@on_uvloop
async def test_mod_jk_tells_whether_the_instance_is_being_drained(folder: Path) -> None:
    async with fronted(folder, apache.jk) as front:
        await front.client.get("/echo", headers={"Cookie": "JSESSIONID=a.ua-1"})
        assert front.node.scope["extensions"]["ajp"]["activation"] == "ACT"
        drained = await front.client.get("/jk-status?cmd=update&mime=txt&w=ua&sw=ua-1&vwa=d")
        assert "type=OK" in drained.text
        answer = await front.client.get("/echo", headers={"Cookie": "JSESSIONID=a.ua-1"})
        assert answer.status_code == 200
        assert front.node.scope["extensions"]["ajp"] == {"route": "ua-1", "activation": "DIS", "attributes": {}}


@both
@on_uvloop
async def test_an_agent_works_through_the_web_server(way: Way, folder: Path, tmp_path: Path) -> None:
    login = {"agent": "5001", "station": "2001", "password": "1234"}
    async with house(tmp_path, ajp=AjpSettings(port=0, secret=SECRET), tls=False) as whole:
        assert whole.instance.listeners is not None
        assert whole.instance.listeners.ajp is not None
        nodes = {"ua-1": whole.instance.listeners.ajp.port}
        async with (
            apache.started(folder, way(nodes, secret=SECRET)) as httpd,
            httpx.AsyncClient(base_url=httpd.url, timeout=30, trust_env=False) as client,
        ):
            ready = await client.get("/readyz")
            assert (ready.status_code, ready.json()["instance"]) == (200, "ua-1")
            refused = await client.post("/v1/session", json={**login, "agent": ""})
            assert (refused.status_code, refused.json()["id"]) == (400, "request.invalid")
            long = await client.post("/v1/session", json={**login, "agent": "5" * 200_000})
            assert (long.status_code, long.json()["id"]) == (413, "request.too-large")
            token = (await client.post("/v1/session", json=login)).json()["token"]
            client.headers["Authorization"] = f"Bearer {token}"

            async def until(phase: str, mode: str) -> None:
                while True:
                    view = (await client.get("/v1/session")).json()["view"]
                    if view["session"]["phase"] == phase and (not mode or view["agent"]["mode"] == mode):
                        return
                    await asyncio.sleep(0.02)

            await until("active", "")
            command = {"id": "00000000-0000-4000-8000-000000000001", "command": {"type": "set-mode", "mode": "ready"}}
            assert (await client.post("/v1/session/commands", json=command)).status_code in {200, 202}
            await until("active", "ready")
            assert (await client.delete("/v1/session")).status_code == 202
        while whole.left_behind():  # noqa: ASYNC110 - the switch logs out in its own time
            await asyncio.sleep(0.02)


@both
@on_uvloop
async def test_an_agent_is_told_by_stream_and_by_poll_through_the_web_server(
    way: Way, folder: Path, tmp_path: Path
) -> None:
    login = {"agent": "5001", "station": "2001", "password": "1234"}
    async with house(tmp_path, ajp=AjpSettings(port=0, secret=SECRET), tls=False) as whole:
        assert whole.instance.listeners is not None
        assert whole.instance.listeners.ajp is not None
        nodes = {"ua-1": whole.instance.listeners.ajp.port}
        async with (
            apache.started(folder, way(nodes, secret=SECRET)) as httpd,
            httpx.AsyncClient(base_url=httpd.url, timeout=30, trust_env=False) as client,
        ):
            token = (await client.post("/v1/session", json=login)).json()["token"]
            hello = {"type": "hello", "token": token}
            client.headers["Authorization"] = f"Bearer {token}"
            seen: list[str] = []
            accept = {"Accept": "text/event-stream"}
            async with client.stream("POST", "/v1/events", json=hello, headers=accept) as stream:
                assert (stream.status_code, stream.headers["x-accel-buffering"]) == (200, "no")
                async for line in stream.aiter_lines():
                    if line.startswith("data: "):
                        seen.append(json.loads(line.removeprefix("data: "))["type"])
                    if seen.count("beat") == 2:
                        break
            assert seen[0:2] == ["opened", "welcome"]
            polled = (await client.post("/v1/events/poll", json={"hello": hello})).json()
            assert (polled["reply"], polled["frames"][0]["type"]) == (1, "welcome")
            waiting = {"connection": polled["connection"], "ack": 1}
            pending = asyncio.create_task(client.post("/v1/events/poll", json=waiting))
            command = {"id": "00000000-0000-4000-8000-000000000001", "command": {"type": "set-mode", "mode": "ready"}}
            await client.post("/v1/session/commands", json=command)
            told = (await pending).json()
            assert told["reply"] == 2
            assert told["frames"][0]["type"] != "beat", "it was answered before its time"
            await client.delete("/v1/session")
        while whole.left_behind():  # noqa: ASYNC110 - the switch logs out in its own time
            await asyncio.sleep(0.02)


# --- two nodes, and the loss of one


class Load:
    """Clients that post one request after another, each with a connection of its own."""

    def __init__(self, url: str, clients: int = 10) -> None:
        self._url = url
        self._clients = clients
        self.statuses: dict[str, int] = {}
        self.by_node: dict[str, int] = {}
        self._stop = False

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(self._clients):
                tasks.create_task(self._one(number))

    def stop(self) -> None:
        self._stop = True

    async def _one(self, number: int) -> None:
        async with httpx.AsyncClient(base_url=self._url, timeout=60, trust_env=False) as client:
            while not self._stop:
                answer = await client.post("/echo", params={"wait": "0.02"}, content=b"command")
                word = str(answer.status_code)
                if answer.status_code == 200:
                    told = json.loads(answer.content)
                    self.by_node[told["node"]] = self.by_node.get(told["node"], 0) + 1
                    assert told["length"] == 7
                self.statuses[word] = self.statuses.get(word, 0) + 1

    async def until_served_by(self, name: str, more: int) -> None:
        wanted = self.by_node.get(name, 0) + more
        while self.by_node.get(name, 0) < wanted:  # noqa: ASYNC110 - other processes serve
            await asyncio.sleep(0.02)


@asynccontextmanager
async def two_nodes(folder: Path, way: Way) -> AsyncIterator[tuple[Process, Process, Load]]:
    first, second = (Process(port) for port in find_free_ports(2))
    for each in (first, second):
        await asyncio.to_thread(each.start)
    try:
        nodes = {"ua-1": first.port, "ua-2": second.port}
        async with apache.started(folder, way(nodes)) as httpd:
            load = Load(httpd.url)
            running = asyncio.create_task(load.run())
            await load.until_served_by(str(first.port), 50)
            await load.until_served_by(str(second.port), 50)
            try:
                yield first, second, load
            finally:
                load.stop()
                await running
    finally:
        for each in (first, second):
            await asyncio.to_thread(each.end, signal.SIGKILL)


def quick_jk(nodes: dict[str, int]) -> apache.Way:
    return apache.jk(nodes, secret=SECRET, balancer={"recover_time": 1}, maintain_s=1)


def quick_proxy_ajp(nodes: dict[str, int]) -> apache.Way:
    return apache.proxy_ajp(nodes, secret=SECRET, member="ping=10 retry=1 connectiontimeout=5 timeout=60 ttl=60")


@pytest.mark.parametrize("way", [quick_jk, quick_proxy_ajp], ids=["mod_jk", "mod_proxy_ajp"])
@on_uvloop
async def test_a_node_that_stops_in_good_order_loses_no_request(way: Way, folder: Path) -> None:
    async with two_nodes(folder, way) as (first, second, load):
        assert await asyncio.to_thread(first.end, signal.SIGTERM) == 0
        await load.until_served_by(str(second.port), 200)
        await asyncio.to_thread(first.start)
        await load.until_served_by(str(first.port), 50)
    assert set(load.statuses) == {"200"}, load.statuses


@on_uvloop
async def test_a_node_that_is_killed_loses_no_more_than_what_was_in_flight(folder: Path) -> None:
    async with two_nodes(folder, quick_jk) as (first, second, load):
        await asyncio.to_thread(first.end, signal.SIGKILL)
        await load.until_served_by(str(second.port), 200)
    failed = sum(count for status, count in load.statuses.items() if status != "200")
    assert failed <= 10, load.statuses
