"""Real Apache, HAProxy, nginx and dnsmasq, from our files as they are written, before a real cluster that is broken.

The story of ``failing_balanced_cluster`` is played once; each test looks at one balancer and one fault in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import json
import shutil
import socket
import ssl
import time
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest
import uvloop
from tests.contract.etcd_servers import PROGRAM as ETCD
from tests.integration.balanced_cluster import (
    HOLD_S,
    HOSTS,
    NAME,
    SECRET,
    Balanced,
    Front,
    ask,
    balanced_cluster,
    resolve,
    status_of,
)
from tests.integration.failing_balanced_cluster import (
    AGENTS_EACH,
    BALANCER,
    DRAIN,
    FREEZE,
    KILL,
    Outcome,
    tell_story,
)
from tests.integration.initiations import AGENT
from tests.unit.tools.balancer.described import certificates

from unified_agent.tools.balancer.mod_jk import ALL
from unified_agent.tools.balancer.products import KINDS
from unified_agent.tools.cli import main
from unified_agent.tools.load.plan import LoadPlan

FRONTS = {
    "apache-mod-jk-1": "mod-jk",
    "apache-mod-jk-2": "mod-jk",
    "apache-proxy-ajp": "proxy-ajp",
    "haproxy": "haproxy",
    "nginx": "nginx",
    "dns": "dns",
}
PROXIES = [name for name, kind in FRONTS.items() if kind != "dns"]
FAULTS = (KILL, FREEZE, DRAIN, BALANCER)
#: Agents beyond those of the story, one for each balancer.
AGENTS = (AGENTS_EACH + 1) * len(FRONTS)
ENTRY = f"GET /v1/entry HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode()
#: For one answer on a busy machine, seconds.
CALL_LIMIT_S = 20.0
MISSING = sorted(
    {
        kind.product.program
        for kind in KINDS.values()
        if shutil.which(kind.product.program, path="/usr/local/sbin:/usr/sbin:/usr/bin") is None
    }
)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    pytest.mark.skipif(ETCD is None, reason="there is no etcd here: `packaging/setup/system.sh etcd` installs it"),
    pytest.mark.skipif(
        bool(MISSING), reason=f"{', '.join(MISSING)}: not here; `packaging/setup/system.sh balancers` installs them"
    ),
]
each_proxy = pytest.mark.parametrize("name", PROXIES)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Balanced]:
    with balanced_cluster(LoadPlan(agents=AGENTS), FRONTS) as running:
        yield running


@pytest.fixture(scope="module")
def told(cluster: Balanced) -> Outcome:
    """What became of everybody when all faults had been made."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(tell_story(cluster, "apache-mod-jk-1"))


# --- while all is well


@each_proxy
def test_session_initiation_through_a_balancer_names_an_instance_that_is_reached_directly(cluster: Balanced, name: str):
    answer = ask(f"{cluster.fronts[name].url}/v1/entry")
    url = answer["instance"]["url"].rstrip("/")
    assert url == cluster.urls[answer["instance"]["id"]]
    assert ask(f"{url}/healthz")["instance"] == answer["instance"]["id"]
    assert {each["id"] for each in answer["topology"]["instances"]} == set(HOSTS)


@each_proxy
@pytest.mark.parametrize("how", ["cookie", "path"])
def test_a_session_s_route_leads_to_its_instance_every_time(cluster: Balanced, name: str, how: str):
    for instance in HOSTS:
        path = f"/healthz;jsessionid=x.{instance}" if how == "path" else "/healthz"
        headers = {"Cookie": f"other=1; JSESSIONID=abc.{instance}"} if how == "cookie" else {}
        answers = [ask(f"{cluster.fronts[name].url}{path}", headers=headers) for _ in range(5)]
        assert {each["instance"] for each in answers} == {instance}


@each_proxy
def test_requests_without_a_route_go_to_all_instances(cluster: Balanced, name: str):
    answers = [ask(f"{cluster.fronts[name].url}/healthz")["instance"] for _ in range(30)]
    assert set(answers) == set(HOSTS)


@each_proxy
def test_an_unknown_route_is_served_by_any_instance(cluster: Balanced, name: str):
    assert ask(f"{cluster.fronts[name].url}/healthz", headers={"Cookie": "JSESSIONID=x.gone"})["instance"] in HOSTS


@each_proxy
def test_a_whole_session_may_pass_through_a_balancer(cluster: Balanced, name: str):
    """For sites where instances cannot be reached: the cookie of session initiation leads to the right one."""
    with logged_in(cluster, name) as caller:
        for _ in range(10):
            assert caller.agent in json.dumps(caller.ask("GET", "/v1/session")["view"])
        without = {raw_status(cluster.fronts[name].port, "/v1/session", caller.headers) for _ in range(10)}
        assert without != {200}, "it was the cookie that led there"


@each_proxy
def test_long_polls_pass_and_are_held(cluster: Balanced, name: str):
    with logged_in(cluster, name) as caller:
        opened = caller.ask("POST", "/v1/events/poll", {"hello": caller.hello})
        assert [each["type"] for each in opened["frames"]][:2] == ["welcome", "snapshot"]
        last, held_s = opened, 0.0
        for _ in range(50):
            began_s = time.monotonic()
            poll = {"connection": opened["connection"], "ack": last["reply"], "frames": []}
            reply = caller.ask("POST", "/v1/events/poll", poll)
            assert reply["reply"] == last["reply"] + 1
            last, held_s = reply, time.monotonic() - began_s
            if [each["type"] for each in reply["frames"]] == ["beat"]:
                break
        assert held_s > 0.9 * HOLD_S, "a poll is answered when there is something to tell, or has been held"


@each_proxy
def test_a_stream_of_events_passes_as_it_comes_and_commands_go_beside_it(cluster: Balanced, name: str):
    with logged_in(cluster, name) as caller, caller.stream("/v1/events", caller.hello) as events:
        opened = next(events)
        assert opened["type"] == "opened"
        assert next(events)["type"] == "welcome"
        # A balancer that kept events back would give them at the end of the answer, which does not come.
        assert next(each for each in events if each["type"] == "beat")
        frame = {"type": "command", "id": "0" * 26, "command": {"type": "set-mode", "mode": "ready"}}
        caller.ask("POST", "/v1/events/frames", {"connection": opened["connection"], "frames": [frame]})
        assert next(each for each in events if each["type"] == "answer")["id"] == frame["id"]


@each_proxy
def test_scripts_pass_as_they_are(cluster: Balanced, name: str):
    with urllib.request.urlopen(f"{cluster.fronts[name].url}/v1/jsonp/entry?callback=a.b", timeout=5.0) as answer:
        body = answer.read().decode()
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert body.startswith("/**/typeof a.b==='function'&&a.b({")
    assert raw_status(cluster.fronts[name].port, "/v1/jsonp/entry?callback=a(b") == 400


@each_proxy
def test_a_websocket_passes_or_is_refused_with_what_to_do_instead(cluster: Balanced, name: str):
    upgrade = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    }
    passes = not KINDS[FRONTS[name]].speaks_ajp
    assert raw_status(cluster.fronts[name].port, "/v1/events", upgrade) == (101 if passes else 426)


@each_proxy
@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "//metrics",
        "/%6detrics",
        "/metrics;x=1",
        "/;x/metrics",
        "/v1/status",
        "/v1;x/status",
        "/v1/cluster",
        "/v1/cluster/instances/a",
        "/v1/entry/../status",
        "/v1/x;/../status",
        "/v1/x/..;/status",
    ],
)
def test_nothing_for_operators_is_reached_through_a_balancer(cluster: Balanced, name: str, path: str):
    assert raw_status(cluster.fronts[name].port, path) in {400, 403, 404}


@each_proxy
def test_pages_and_probes_pass(cluster: Balanced, name: str):
    for path in ("/healthz", "/readyz", "/v1/config", "/v1/topology"):
        assert status_of(f"{cluster.fronts[name].url}{path}") == 200


@each_proxy
def test_a_page_of_the_balancer_s_own_name_may_call_through_it(cluster: Balanced, name: str):
    port = cluster.fronts[name].port
    own = {"Host": "ua.example", "Origin": "http://ua.example"}
    assert raw_status(port, "/v1/config", own) == 200
    assert raw_status(port, "/v1/config", own | {"Origin": "http://evil.example"}) == 403


@each_proxy
def test_the_answer_has_its_length_and_tells_nothing_of_the_servers(cluster: Balanced, name: str):
    with urllib.request.urlopen(f"{cluster.fronts[name].url}/v1/topology", timeout=5.0) as answer:
        assert answer.headers["Transfer-Encoding"] is None
        assert int(answer.headers["Content-Length"]) == len(answer.read())
        assert not any(sign in f"{answer.headers}" for sign in ("2.4.", "1.22", "mod_jk", "uvicorn"))


@pytest.mark.parametrize("kind", KINDS)
def test_any_running_instance_is_description_enough(cluster: Balanced, kind: str, tmp_path: Path):
    for each in ("run", "log"):
        (tmp_path / each).mkdir()
    (tmp_path / "secret").write_text(SECRET)
    source = ["--server", cluster.urls["b"], "--name", NAME, "--ajp-port", "8009"]
    places = ["--run-dir", f"{tmp_path}/run", "--log-dir", f"{tmp_path}/log", "--user", ""]
    secret = ["--ajp-secret-file", f"{tmp_path}/secret"]
    assert main(["balancer", kind, *source, *secret, *places, "--out", f"{tmp_path}/conf", "--check"]) == 0
    written = "".join(file.read_text() for file in (tmp_path / "conf").iterdir())
    assert all(host in written for host in HOSTS.values())


def test_who_was_passed_on_is_nobody_of_the_instance_s_machine(cluster: Balanced):
    url = f"{cluster.urls['a']}/v1/status"
    assert status_of(url) == 200
    assert status_of(url, {"X-Forwarded-For": "127.0.0.1"}) == 401


@pytest.mark.parametrize("name", [name for name, kind in FRONTS.items() if kind == "mod-jk"])
def test_an_instance_is_taken_out_by_hand_at_mod_jk_and_keeps_its_sessions(cluster: Balanced, name: str):
    front = cluster.fronts[name]
    status = f"http://127.0.0.1:{front.status_port}/?mime=txt&w={ALL}&sw=a&cmd=update&vwa="
    assert status_of(f"{front.url}/?cmd=list&mime=prop") == 200  # a page of ours, not mod_jk's
    with urllib.request.urlopen(f"{status}d", timeout=5.0) as answer:
        assert b"type=OK" in answer.read()
    try:
        assert "a" not in {ask(f"{front.url}/healthz")["instance"] for _ in range(30)}
        assert ask(f"{front.url}/healthz", headers={"Cookie": "JSESSIONID=x.a"})["instance"] == "a"
    finally:
        with urllib.request.urlopen(f"{status}a", timeout=5.0) as answer:
            assert b"type=OK" in answer.read()
    recover = f"http://127.0.0.1:{front.status_port}/?cmd=recover&mime=txt&w={ALL}&sw=a"
    with urllib.request.urlopen(recover, timeout=5.0) as answer:
        assert b"type=" in answer.read()


def test_a_draining_instance_keeps_its_agents_behind_haproxy_and_gets_no_new_ones(cluster: Balanced):
    front = cluster.fronts["haproxy"]

    def standing() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{front.status_port}/;csv", timeout=5.0) as answer:
            rows = csv.DictReader(answer.read().decode().removeprefix("# ").splitlines())
        return next(row["status"] for row in rows if (row["pxname"], row["svname"]) == ("ua", "a"))

    def wait_for(wanted: str) -> None:
        until_s = time.monotonic() + CALL_LIMIT_S
        while (now := standing()) != wanted:
            assert time.monotonic() < until_s, now
            time.sleep(0.1)

    cluster.order("a", "drain")
    try:
        wait_for("NOLB")
        assert "a" not in {ask(f"{front.url}/healthz")["instance"] for _ in range(30)}
        assert ask(f"{front.url}/healthz", headers={"Cookie": "JSESSIONID=x.a"})["instance"] == "a"
    finally:
        cluster.order("a", "resume")
    wait_for("UP")


def test_an_instance_is_drained_by_hand_at_haproxy(cluster: Balanced):
    front = cluster.fronts["haproxy"]
    assert haproxy_says(front, "set server ua/b state drain").strip() == ""
    try:
        assert "b" not in {ask(f"{front.url}/healthz")["instance"] for _ in range(30)}
        assert ask(f"{front.url}/healthz", headers={"Cookie": "JSESSIONID=x.b"})["instance"] == "b"
    finally:
        assert haproxy_says(front, "set server ua/b state ready").strip() == ""


@each_proxy
def test_reading_its_files_anew_costs_no_request(cluster: Balanced, name: str):
    front = cluster.fronts[name]
    before = cluster.logs_of(name).count("/healthz")
    cluster.reload_front(name)
    assert [status_of(f"{front.url}/healthz") for _ in range(100)] == [200] * 100
    assert cluster.is_running(name)
    assert cluster.logs_of(name).count("/healthz") >= before + 100 - 1


@each_proxy
def test_the_balancer_s_own_status_is_there_for_this_machine(cluster: Balanced, name: str):
    with urllib.request.urlopen(f"http://127.0.0.1:{cluster.fronts[name].status_port}/", timeout=5.0) as answer:
        page = answer.read().decode()
    sign = {"nginx": "Active connections", "haproxy": 'href="#ua_entry/a"'}
    assert sign.get(name, "127.0.1.1") in page


def test_one_name_has_all_instances_in_turn_and_each_has_its_own(cluster: Balanced):
    port = cluster.fronts["dns"].port
    answers = [resolve(port) for _ in range(6)]
    assert {frozenset(each) for each in answers} == {frozenset(HOSTS.values())}
    assert {each[0] for each in answers} == set(HOSTS.values())
    for name, host in HOSTS.items():
        assert resolve(port, f"{name}.ua.example") == [host]
    assert resolve(port, "other.example") == []


def test_an_address_that_is_taken_out_is_not_told_any_more(cluster: Balanced):
    front = cluster.fronts["dns"]
    hosts = front.folder / "conf" / "instances.hosts"
    whole = hosts.read_text()
    try:
        hosts.write_text("".join(line for line in whole.splitlines(keepends=True) if HOSTS["b"] not in line))
        cluster.reload_front("dns")
        until_s = time.monotonic() + CALL_LIMIT_S
        while HOSTS["b"] in (told := resolve(front.port)) or not told:
            assert time.monotonic() < until_s, told
            time.sleep(0.05)
        assert set(told) == {HOSTS["a"], HOSTS["c"]}
    finally:
        hosts.write_text(whole)
        cluster.reload_front("dns")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "dns"])
def test_agents_are_served_by_tls_and_instances_are_told_so(cluster: Balanced, kind: str):
    folder = cluster.folder / f"tls-{kind}"
    folder.mkdir(mode=0o755)
    cert, key = certificates(folder)
    front = cluster.front(f"by-tls-{kind}", kind, (cert, key))
    context = ssl.create_default_context(cafile=cert)
    try:
        answer, until_s = b"", time.monotonic() + CALL_LIMIT_S
        while b" 200 " not in answer.partition(b"\r\n")[0]:
            assert time.monotonic() < until_s, answer
            answer = exchange(front.port, ENTRY, context)
        cookie = next(line for line in answer.splitlines() if line.lower().startswith(b"set-cookie"))
        assert cookie.endswith(b"; Secure"), "the instance knows that the agent came by TLS"
        assert b" 200 " not in exchange(front.port, ENTRY).partition(b"\r\n")[0]
    finally:
        cluster.kill_front(front.name)
        del cluster.fronts[front.name]


# --- when instances and a balancer are lost


@pytest.mark.parametrize("name", FRONTS)
def test_agents_who_came_through_a_balancer_work(told: Outcome, name: str):
    assert told.logged_in[name] == AGENTS_EACH
    assert told.named[name] >= set(HOSTS) or len(told.named[name]) > 1


def test_agents_have_pressed_and_no_session_has_ended(told: Outcome):
    assert told.ended == []
    assert told.pressed.get("set-mode", 0) > 0
    assert told.pressed.get("take-items", 0) > 0
    assert all(told.moved[fault] > 0 for fault in (KILL, FREEZE, DRAIN))
    assert told.moved[BALANCER] == 0


@pytest.mark.parametrize("name", FRONTS)
@pytest.mark.parametrize("fault", FAULTS)
def test_every_initiation_is_answered_at_the_second_attempt_at_the_latest(told: Outcome, name: str, fault: str):
    figures = told.figures[fault, name]
    assert figures.asked > 20
    assert figures.lost == 0, figures


@pytest.mark.parametrize("name", FRONTS)
@pytest.mark.parametrize("fault", [KILL, DRAIN, BALANCER])
def test_a_loss_that_can_be_seen_at_once_costs_what_was_under_way_at_most(told: Outcome, name: str, fault: str):
    figures = told.figures[fault, name]
    assert figures.next_good_s is not None
    assert figures.failed <= figures.asked // 10, figures


@each_proxy
def test_no_log_holds_a_query_string_or_a_secret(cluster: Balanced, told: Outcome, name: str):
    assert told.figures[KILL, name].asked
    written = cluster.logs_of(name)
    assert "/v1/entry" in written
    assert AGENT not in written
    assert SECRET not in written


class Caller:
    """A program that keeps the cookie that it was given last, on connections of its own."""

    def __init__(self, port: int, agent: str) -> None:
        self.agent = agent
        self.cookie = ""
        self.headers = {"Content-Type": "application/json"}
        self.hello: dict[str, Any] = {}
        self._port = port

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Return the JSON of an answer that must be good."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=CALL_LIMIT_S)
        try:
            answer = self._send(connection, method, path, body)
            content = answer.read()
            assert answer.status in {200, 201, 202, 204}, (method, path, answer.status, content)
            self.cookie = answer.getheader("Set-Cookie", self.cookie).partition(";")[0]
            return json.loads(content) if content else None
        finally:
            connection.close()

    @contextlib.contextmanager
    def stream(self, path: str, body: dict[str, Any]) -> Iterator[Iterator[Any]]:
        """Read events while they come."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=CALL_LIMIT_S)
        try:
            answer = self._send(connection, "POST", path, body)
            assert answer.status == 200
            lines = iter(answer.readline, b"")
            yield (json.loads(line.removeprefix(b"data: ")) for line in lines if line.startswith(b"data: "))
        finally:
            connection.close()

    def _send(self, connection: HTTPConnection, method: str, path: str, body: dict[str, Any] | None) -> HTTPResponse:
        cookie = {"Cookie": self.cookie} if self.cookie else {}
        connection.request(method, path, None if body is None else json.dumps(body), self.headers | cookie)
        return connection.getresponse()


@contextlib.contextmanager
def logged_in(cluster: Balanced, name: str) -> Iterator[Caller]:
    """Log an agent in through a balancer, and out again; everything goes through it."""
    place = AGENTS_EACH * len(FRONTS) + list(FRONTS).index(name)
    agent, station = cluster.plan.numbers.agent(place), cluster.plan.numbers.station(place)
    caller = Caller(cluster.fronts[name].port, agent)
    named = caller.ask("GET", f"/v1/entry?agent={agent}")
    login = {"agent": agent, "station": station, "password": "1234", "entry": named["ticket"]}
    session = caller.ask("POST", "/v1/session", login)
    assert caller.cookie.endswith(f".{named['instance']['id']}")
    caller.headers["Authorization"] = f"Bearer {session['token']}"
    caller.hello = {"type": "hello", "token": session["token"], "epoch": None, "seq": None, "client": "balanced"}
    try:
        yield caller
    finally:
        caller.ask("DELETE", "/v1/session")


def haproxy_says(front: Front, order: str) -> str:
    """Give HAProxy an order by its socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(CALL_LIMIT_S)
        line.connect(f"{front.folder}/run/haproxy.sock")
        line.sendall(f"{order}\n".encode())
        return line.makefile().read()


def exchange(port: int, request: bytes, context: ssl.SSLContext | None = None) -> bytes:
    """Send bytes and return all that comes back; nothing when that cannot be."""
    with contextlib.suppress(OSError), contextlib.ExitStack() as held:
        line = held.enter_context(socket.create_connection(("127.0.0.1", port), CALL_LIMIT_S))
        if context is not None:
            line = held.enter_context(context.wrap_socket(line, server_hostname=NAME))
        line.sendall(request)
        return held.enter_context(line.makefile("rb")).read()
    return b""


def raw_status(port: int, path: str, headers: dict[str, str] | None = None) -> int:
    """Ask for a path exactly as it is written."""
    connection = HTTPConnection("127.0.0.1", port, timeout=CALL_LIMIT_S)
    try:
        connection.putrequest("GET", path, skip_host="Host" in (headers or {}))
        for key, value in (headers or {}).items():
            connection.putheader(key, value)
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()
