"""What a connected desktop costs the server: memory each, CPU for a login, CPU for a notice to its socket.

    .venv/bin/python benchmarks/push.py [DESKTOPS] [NOTICES] [websocket|stream|poll]

A child process runs listener, application, host and outboxes with ports that answer nothing, and is measured; this
process opens DESKTOPS connections, says hello on each and counts bytes. Logging in is not by REST: sessions are opened
at the host, so that the figure is that of handshake, hello, snapshot. Then NOTICES notices of about 240 bytes are
appended, each to the next desktop's outbox, in portions of 100 with a turn of the loop between. Polls are asked again
as soon as they are answered, so each costs a whole request and carries what has gathered meanwhile.
"""

import asyncio
import gc
import multiprocessing
import resource
import sys
import time
from collections.abc import Iterable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import cast

import msgspec
import uvloop

from unified_agent.assembly import GC_THRESHOLDS
from unified_agent.clock import LoopClock
from unified_agent.domain.effects import AskDialler, AskSwitch
from unified_agent.domain.ids import AgentId, LinkId, Secret, SessionId, StationId
from unified_agent.domain.notices import AgentChanged
from unified_agent.domain.session_state import Identity
from unified_agent.observe import Metrics, configure_logging
from unified_agent.sealing import Keyring
from unified_agent.server.alone import Alone
from unified_agent.server.app import Server
from unified_agent.server.http_listener import HttpListener
from unified_agent.server.ports import LinkStatus
from unified_agent.server.websocket_protocol import WebSocketLimits
from unified_agent.sessions.host import Host
from unified_agent.settings import AesServerSettings, HttpSettings, SessionsSettings, Settings, TelephonySettings

PORTION = 100
UPGRADE = (
    b"GET /v1/events HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Nobody:
    """Ports that answer nothing, and an instance that is well."""

    is_up = started = True
    opening = draining = False

    def ask(self, effect: AskSwitch | AskDialler) -> None: ...

    def forget(self, session: SessionId) -> None: ...

    def loop_lag_s(self) -> float:
        return 0.0

    def links(self) -> Iterable[LinkStatus]:
        return ()


def resident_kb() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() // 1024


def cpu_s() -> float:
    return time.process_time()


async def serve(desktops: int, notices: int, pipe: Connection) -> None:
    settings = Settings(
        http=HttpSettings(port=0),
        telephony=TelephonySettings(servers=(AesServerSettings(name=LinkId("a"), host="a"),)),
        sessions=SessionsSettings(capacity=desktops),
    )
    clock, metrics = LoopClock(asyncio.get_running_loop()), Metrics()
    numbers = iter(range(desktops))
    host = Host(
        settings=settings.sessions,
        clock=clock,
        metrics=metrics,
        mint_session_id=lambda: SessionId(f"s{next(numbers)}"),
    )
    host.join(Nobody(), Nobody())
    whereabouts = Alone(
        "benchmark",
        settings.instance,
        "dc1",
        lambda: "http://127.0.0.1",
        capacity=desktops,
        reconnect_window_ms=2_000,
        is_draining=lambda: False,
    )
    server = Server(
        settings=settings,
        host=host,
        instance=Nobody(),
        clock=clock,
        metrics=metrics,
        whereabouts=whereabouts,
        keyring=Keyring.random(),
    )
    listener = HttpListener(settings.http, server.application, server.desks.route, WebSocketLimits())
    task = asyncio.create_task(listener.serve())
    await listener.wait_started()
    sessions = [
        host.open(Identity(agent=AgentId(f"{n}"), station=StationId(f"{n}"), password=Secret("x")))
        for n in range(desktops)
    ]
    tokens = [server.desks.tokens.issue(session) for session in sessions]
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    before_kb, before_s = resident_kb(), cpu_s()
    pipe.send((listener.port, tokens))
    await asyncio.to_thread(pipe.recv)
    connected_s, connected_kb = cpu_s() - before_s, resident_kb() - before_kb
    outboxes = [outbox for each in sessions if (outbox := host.outbox(each)) is not None]
    view = host.view(sessions[0])
    assert view is not None
    notice = AgentChanged(agent=view.agent)
    order = Random(1)
    began_s, began_cpu = time.perf_counter(), cpu_s()
    for _ in range(notices // PORTION):
        for _ in range(PORTION):
            outboxes[order.randrange(desktops)].append(notice)
        await asyncio.sleep(0)
    took_s, took_cpu = time.perf_counter() - began_s, cpu_s() - began_cpu
    size = len(outboxes[0].since(1, outboxes[0].seq - 1)[0])  # type: ignore[index]
    print(f"desktops                 {desktops}")
    print(f"notices                  {notices} of {size} bytes")
    print(f"memory each, connected   {connected_kb / desktops:.1f} kB (besides the session)")
    print(f"CPU to connect one       {connected_s / desktops * 1e6:.0f} us (handshake, hello, snapshot)")
    print(f"CPU for a notice         {took_cpu / notices * 1e6:.1f} us (number, encode, keep, frame, write)")
    print(f"notices per second       {notices / took_s:.0f}")
    pipe.send(notices)
    listener.stop()
    server.desks.close_all(1012, "restart")
    await task


class Page(asyncio.Protocol):
    """Says hello and counts bytes."""

    greeted = 0
    received_bytes = 0

    def __init__(self, token: str) -> None:
        self._token = token
        self._upgraded = False

    def hello(self) -> dict[str, object]:
        return {"type": "hello", "token": self._token, "client": "bench"}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class
        self.begin()

    def begin(self) -> None:
        self._transport.write(UPGRADE)

    def post(self, path: str, body: object) -> None:
        content = msgspec.json.encode(body)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {self._token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        self._transport.write(head.encode() + content)

    def data_received(self, data: bytes) -> None:
        if not self._upgraded:
            self._upgraded = True
            hello = msgspec.json.encode(self.hello())
            self._transport.write(bytes((0x81, 0x80 | 126, len(hello) >> 8, len(hello) & 255, 0, 0, 0, 0)) + hello)
            return
        if b'"snapshot","data"' in data:
            Page.greeted += 1
        Page.received_bytes += len(data)


class StreamPage(Page):
    """The same over an event stream."""

    def begin(self) -> None:
        self._upgraded = True
        self.post("/v1/events", self.hello())


class PollPage(Page):
    """The same by polls."""

    def begin(self) -> None:
        self._upgraded = True
        self._answer = b""
        self._connection = ""
        self.post("/v1/events/poll", {"hello": self.hello()})

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._answer += data
        head, _, body = self._answer.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 1 << 30)
        if len(body) >= length:
            self._answer = b""
            reply = msgspec.json.decode(body)
            self._connection = reply.get("connection", self._connection)
            self.post("/v1/events/poll", {"connection": self._connection, "ack": reply["reply"]})


PAGES = {"websocket": Page, "stream": StreamPage, "poll": PollPage}


def _same(page: Page) -> Page:
    return page


async def desktops_of(port: int, tokens: list[str], pipe: Connection, transport: str) -> None:
    loop = asyncio.get_running_loop()
    began_s = time.perf_counter()
    pages = [PAGES[transport](token) for token in tokens]
    for first in range(0, len(pages), 500):
        portion = pages[first : first + 500]
        await asyncio.gather(*(loop.create_connection(partial(_same, each), "127.0.0.1", port) for each in portion))
    async with asyncio.timeout(60.0):
        while Page.greeted < len(tokens):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    print(f"all connected after      {time.perf_counter() - began_s:.2f} s")
    pipe.send("go")
    await asyncio.to_thread(pipe.recv)


def child(desktops: int, notices: int, pipe: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    configure_logging(level="warning")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(desktops, notices, pipe))


def main() -> None:
    desktops = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    notices = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    transport = sys.argv[3] if len(sys.argv) > 3 else "websocket"
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=child, args=(desktops, notices, theirs), daemon=True)
    process.start()
    port, tokens = ours.recv()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(desktops_of(port, tokens, ours, transport))
    process.join()


if __name__ == "__main__":
    main()
