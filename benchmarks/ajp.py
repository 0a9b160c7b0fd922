"""What a request by AJP costs us, and how our rate compares with Tomcat's behind the same mod_jk.

    PYTHONPATH=src:. .venv/bin/python benchmarks/ajp.py [SECONDS] [ROUNDS]

First without sockets: the packets that mod_jk sends for a request with a browser's headers are given to the listener's
connection, which parses, runs a bare ASGI application that answers 200 bytes of JSON, and frames the answer; the same
packet again and again, and each time another. Then with everything: one httpd with mod_jk (ping_mode A, one balancer
for each node) in front of a bare application on our listener, Tomcat's AJP connector with a servlet that answers the
same bytes, both also with the priority that our unit gives an instance (for which this must be run as root), and a
whole instance asked for /healthz. Tomcat is asked for WARM_S before anything counts, until its compiler is through.
`wrk -t1 -c32` asks each in turn, SECONDS (6) at a time, ROUNDS (3) times. Medians; CPU of the node's process from
/proc, of httpd from all its processes, and of all together with wrk. They share the machine, so only ratios count. A
round counts when others had at most a tenth of it meanwhile (``others`` is the most there was).
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import uvloop
from benchmarks.measuring import begin, cpu_s, settle_memory
from tests.integration import apache
from tests.unit.server.ajp_ends import Transport
from tests.unit.wire.ajp13 import front

from unified_agent.observe import Metrics, configure_logging
from unified_agent.server.ajp_listener import AjpListener
from unified_agent.server.ajp_protocol import AjpProtocol
from unified_agent.settings import AjpSettings
from unified_agent.tools.free_ports import find_free_ports

SECRET = "s3cr3t-Ajp"
BODY = json.dumps({"ok": True, "filler": "x" * 175}).encode()
HEADERS = [
    (b"cache-control", b"no-store"),
    (b"content-type", b"application/json"),
    (b"content-length", str(len(BODY)).encode()),
]
START = {"type": "http.response.start", "status": 200, "headers": HEADERS}
LAST = {"type": "http.response.body", "body": BODY}
BROWSER = [
    (b"host", b"desk.example.com"),
    (
        b"user-agent",
        b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537",
    ),
    (b"accept", b"*/*"),
    (b"accept-language", b"en-GB,en;q=0.9,hu;q=0.8"),
    (b"accept-encoding", b"gzip, deflate, br"),
    (b"authorization", b"Bearer 0123456789abcdef0123456789abcdef0123456789a"),
    (b"connection", b"keep-alive"),
    (b"sec-fetch-site", b"same-origin"),
    (b"sec-fetch-mode", b"cors"),
    (b"content-length", b"0"),
]
#: As mod_jk sends it; and what wrk asks through it.
ATTRIBUTES = (
    front.attribute(6, b"ua-1")
    + front.request_attribute(b"AJP_REMOTE_PORT", b"53176")
    + front.request_attribute(b"AJP_LOCAL_ADDR", b"127.0.0.1")
    + front.request_attribute(b"JK_LB_ACTIVATION", b"ACT")
)
NODE_SETTINGS = """
instance = "ua-1"
[http]
port = 0
[ajp]
port = {port}
secret = "{secret}"
[[telephony.servers]]
name = "aes-1"
host = "127.0.0.1"
port = 9
[log]
level = "error"
"""
JARS = Path("/usr/share/java")
#: A round counts when others had at most this share of the machine, or when this long was waited for that, seconds.
OTHERS_SHARE, PATIENCE_S = 0.1, 60.0
#: As packaging/unified-agent.service has it.
NICE = ("nice", "-n", "-10")
#: So long every node is asked before anything counts, seconds: the first compiler of Java takes most of it.
WARM_S = 12
#: Asks for another address each time.
DIFFERING = """
local count = 0
request = function()
  count = count + 1
  return wrk.format("GET", wrk.path .. "?count=" .. count)
end
"""
#: What is asked behind mod_jk: the node is the first word.
CALLED = {
    "bare": "our listener, bare application",
    "bare differing": "the same, each request another",
    "bare-nice": "the same, nice -10",
    "tomcat": "Tomcat 10, servlet",
    "tomcat-nice": "the same, nice -10",
    "logged": "Tomcat 10 with its access log",
    "instance": "a whole instance, GET /healthz",
}


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """Answer every request with the same bytes."""
    await send(START)
    await send(LAST)


# --- without sockets


def alone(times: int = 20_000, batches: int = 7) -> None:
    """Measure the layer by itself."""
    few = front.request("GET", b"/a", BROWSER[:1], secret=SECRET.encode(), attributes=ATTRIBUTES)
    many = front.request("GET", b"/v1/session", BROWSER, query=b"x=1", secret=SECRET.encode(), attributes=ATTRIBUTES)
    loop_us = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    print("without sockets, µs of CPU                      median  lowest")
    with loop_us as runner:
        turn = runner.run(_turns(None, times, batches))
        _say("a turn of the loop with nothing to do", turn)
        _say("a ping", runner.run(_turns(front.CPING, times, batches)), turn)
        _say("a request with one header", runner.run(_turns(few, times, batches)), turn)
        _say("a request with a browser's ten headers", runner.run(_turns(many, times, batches)), turn)
        _say("the same, each another", runner.run(_turns(many, times, batches, differing=True)), turn)
    print("(the turn is taken off what stands below it; a request's task is in)\n")


def _say(what: str, took_us: list[float], off_us: list[float] | None = None) -> None:
    off = (median(off_us), min(off_us)) if off_us else (0.0, 0.0)
    print(f"{what:46} {median(took_us) - off[0]:7.1f} {min(took_us) - off[1]:7.1f}")


async def _turns(data: bytes | None, times: int, batches: int, *, differing: bool = False) -> list[float]:
    listener = AjpListener(AjpSettings(port=0, secret=SECRET), bare, Metrics())
    listener.close()
    protocol = AjpProtocol(listener, asyncio.get_running_loop())
    listener._is_open = True  # without a port
    transport = Transport()
    protocol.connection_made(transport)
    took = []
    for batch in range(batches):
        given = [data] * times
        if differing and data is not None:  # by the token; the length stays
            given = [data.replace(b"er 0123456789", b"er %010d" % (batch * times + each)) for each in range(times)]
        began = process_time()
        for packet in given:
            if packet is not None:
                protocol.data_received(packet)
            await asyncio.sleep(0)
        took.append((process_time() - began) / times * 1e6)
        if data is not None:
            answers = len(transport.writes)
            assert answers == times, f"{answers} of {times}"
            transport.writes.clear()
    return took


# --- behind mod_jk


@dataclass
class Measured:
    """One node's figures, a value for each round."""

    rate: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    node_us: list[float] = field(default_factory=list)
    httpd_us: list[float] = field(default_factory=list)
    all_us: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)

    def add(self, other: Measured, others: float) -> None:
        """Take over another's one round."""
        for name in ("rate", "p50_ms", "p99_ms", "node_us", "httpd_us", "all_us"):
            getattr(self, name).append(getattr(other, name)[0])
        self.others.append(others)


@asynccontextmanager
async def process(*command: str, until: str = "ready") -> AsyncIterator[int]:
    """Run a program within this block, which begins when it says that it is ready."""
    running = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert running.stdout is not None
    try:
        while (line := await asyncio.wait_for(running.stdout.readline(), 60)).decode().strip() != until:
            assert line, f"{command[0]} ended"
        yield running.pid
    finally:
        if running.returncode is None:
            running.send_signal(signal.SIGTERM)
        await running.wait()


def three_nodes(ports: dict[str, int]) -> apache.Way:
    """One balancer for each node, and a path for each."""
    way = apache.jk(ports, secret=SECRET, maintain_s=60)
    lines = [line for line in way.files["workers.properties"].splitlines() if not line.startswith("worker.ua.")]
    lines[0] = f"worker.list={','.join(f'lb-{name}' for name in ports)}"
    for name in ports:
        lines += [f"worker.lb-{name}.type=lb", f"worker.lb-{name}.balance_workers={name}"]
    mounts = "\n".join(f"JkMount /{name}/* lb-{name}" for name in ports) + "\nJkMount /healthz lb-instance"
    kept = [line for line in way.directives.splitlines() if not line.startswith("JkMount ")]
    return apache.Way(way.modules, "\n".join([*kept, mounts]), {"workers.properties": "\n".join(lines) + "\n"})


async def measure(url: str, seconds: int, node: int, httpd: apache.Apache, into: Measured, *options: str) -> float:
    """Ask for some seconds, and add the figures; returns what share of the machine others had meanwhile."""
    before = cpu_s(node), sum(map(cpu_s, httpd.pids()))
    asking_s, busy_s, began_s = _ended_cpu_s(), _busy_s(), perf_counter()
    wrk = await asyncio.create_subprocess_exec(
        "wrk", "-t1", "-c32", f"-d{seconds}s", "--latency", *options, url, stdout=asyncio.subprocess.PIPE
    )
    said = (await wrk.communicate())[0].decode()
    took_s, busy_s, asking_s = perf_counter() - began_s, _busy_s() - busy_s, _ended_cpu_s() - asking_s
    after = cpu_s(node), sum(map(cpu_s, httpd.pids()))
    assert "Non-2xx" not in said, said
    assert "Socket errors" not in said, said
    count = int(_find(r"(\d+) requests in", said))
    ours_s = after[0] - before[0], after[1] - before[1], asking_s
    into.rate.append(float(_find(r"Requests/sec:\s+([\d.]+)", said)))
    into.p50_ms.append(_ms(_find(r"\n\s+50%\s+(\S+)", said)))
    into.p99_ms.append(_ms(_find(r"\n\s+99%\s+(\S+)", said)))
    into.node_us.append(ours_s[0] / count * 1e6)
    into.httpd_us.append(ours_s[1] / count * 1e6)
    into.all_us.append(sum(ours_s) / count * 1e6)
    return max(0.0, (busy_s - sum(ours_s)) / took_s / (os.cpu_count() or 1))


async def measure_alone(url: str, seconds: int, node: int, httpd: apache.Apache, into: Measured, *options: str) -> None:
    """The same, again and again until others had little of the machine; in the end with what there is."""
    until_s = perf_counter() + PATIENCE_S
    while True:
        while await _others_share() > OTHERS_SHARE and perf_counter() < until_s:
            pass
        now = Measured()
        others = await measure(url, seconds, node, httpd, now, *options)
        if others <= OTHERS_SHARE or perf_counter() >= until_s:
            into.add(now, others)
            return


async def _others_share() -> float:
    began_s, busy_s = perf_counter(), _busy_s()
    await asyncio.sleep(1.0)
    return (_busy_s() - busy_s) / (perf_counter() - began_s) / (os.cpu_count() or 1)


def _busy_s() -> float:
    """CPU that all processes of the machine have used, and the kernel for them."""
    user, nice, system, _idle, _waiting, irq, softirq = Path("/proc/stat").read_text().splitlines()[0].split()[1:8]
    return sum(map(int, (user, nice, system, irq, softirq))) / os.sysconf("SC_CLK_TCK")


def _ended_cpu_s() -> float:
    """CPU of children that have ended: of wrk, as all others still run."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _find(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found is not None, text
    return found[1]


def _ms(text: str) -> float:
    number, unit = float(_find(r"([\d.]+)", text)), _find(r"([a-z]+)", text)
    return number * {"us": 0.001, "ms": 1.0, "s": 1_000.0}[unit]


def compile_tomcat(folder: Path) -> str:
    """Compile the servlet into the folder, and return where Java finds all classes."""
    classes = ":".join(str(each) for each in JARS.glob("tomcat10-*.jar") if not re.search(r"10\.1|i18n", each.name))
    source = Path(__file__).with_name("AjpTomcat.java")
    subprocess.run(["javac", "-nowarn", "-cp", classes, "-d", str(folder), str(source)], check=True)
    return f"{classes}:{folder}"


async def behind(folder: Path, classes: str, seconds: int, rounds: int) -> None:
    """Start everything, and ask each node in turn."""
    names = list(dict.fromkeys(called.split()[0] for called in CALLED))
    ports = dict(zip(names, find_free_ports(len(names)), strict=True))
    settings = folder / "settings.toml"
    settings.write_text(NODE_SETTINGS.format(port=ports["instance"], secret=SECRET))
    script = folder / "differing.lua"
    script.write_text(DIFFERING)
    figures = {called: Measured() for called in CALLED}
    limits = "ThreadsPerChild 64\nServerLimit 1\nStartServers 1\nMaxRequestWorkers 64"
    async with AsyncExitStack() as stack:
        pids = {}
        for name in names:
            command = _command(name, ports[name], classes, settings)
            pids[name] = await stack.enter_async_context(process(*command))
        httpd = await stack.enter_async_context(apache.started(folder / "httpd", three_nodes(ports), limits=limits))

        urls = {name: f"{httpd.url}/{name}/a" for name in names} | {"instance": f"{httpd.url}/healthz"}
        for name in names:
            await measure(urls[name], WARM_S, pids[name], httpd, Measured())
        for _ in range(rounds):
            for called, into in figures.items():
                name, *differing = called.split()
                options = ("-s", str(script)) if differing else ()
                await measure_alone(urls[name], seconds, pids[name], httpd, into, *options)
    report(figures)


def _command(name: str, port: int, classes: str, settings: Path) -> tuple[str, ...]:
    """Return what starts a node."""
    kind, _, nice = name.partition("-")
    before = NICE if nice else ()
    if kind == "bare":
        return (*before, sys.executable, __file__, "--serve", str(port))
    if kind == "instance":
        return (sys.executable, "-m", "unified_agent.tools.cli", "serve", str(settings), "--no-guardian")
    logged = ("logged",) if kind == "logged" else ()
    return (*before, "java", "-Xmx256m", "-cp", classes, "AjpTomcat", str(port), SECRET, BODY.decode(), *logged)


def report(figures: dict[str, Measured]) -> None:
    """Print medians and ratios."""
    print("behind mod_jk                             requests/s  p50 ms  p99 ms  node µs  httpd µs  all µs  others")
    for name, it in figures.items():
        print(
            f"{CALLED[name]:41} {median(it.rate):10.0f} {median(it.p50_ms):7.2f} {median(it.p99_ms):7.2f}"
            f" {median(it.node_us):8.0f} {median(it.httpd_us):9.0f} {median(it.all_us):7.0f}"
            f" {max(it.others):7.0%}"
        )
    for one, other in (("bare", "tomcat"), ("bare-nice", "tomcat"), ("bare-nice", "tomcat-nice"), ("bare", "logged")):
        ours, theirs = figures[one], figures[other]
        rates = [a / b for a, b in zip(ours.rate, theirs.rate, strict=True)]
        costs = [b / a for a, b in zip(ours.all_us, theirs.all_us, strict=True)]
        print(f"{one} to {other}: rate {_list(rates)}; by CPU of all {_list(costs)}")


def _list(ratios: list[float]) -> str:
    return f"{median(ratios):.2f} ({', '.join(f'{each:.2f}' for each in ratios)})"


async def serve(port: int) -> None:
    """Be the bare node."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    listener = AjpListener(AjpSettings(port=port, secret=SECRET), bare, Metrics())
    serving = asyncio.create_task(listener.serve())
    await listener.wait_started()
    settle_memory()
    print("ready", flush=True)
    await stop.wait()
    listener.stop()
    await serving


def main() -> None:
    """Measure, or be measured."""
    if sys.argv[1:2] == ["--serve"]:
        configure_logging(level="error")
        uvloop.run(serve(int(sys.argv[2])))
        return
    seconds, rounds = (int(each) for each in (sys.argv[1:] + ["6", "3"][len(sys.argv) - 1 :]))
    begin(__doc__ or "", "uvloop", "litestar")
    began = perf_counter()
    alone()
    if apache.missing("jk") or not shutil.which("wrk") or not shutil.which("javac"):
        sys.exit(apache.missing("jk") or "wrk or javac is not installed")
    with tempfile.TemporaryDirectory(prefix="ua-ajp-") as top:
        Path(top).chmod(0o755)
        subprocess.run([str(apache.PROGRAM), "-v"], check=True)
        asyncio.run(behind(Path(top), compile_tomcat(Path(top)), seconds, rounds))
    print(f"took {perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
