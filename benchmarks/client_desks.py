"""What a desk of ``unified_agent.client`` costs: bytes of memory each, CPU to connect and for a notice.

    .venv/bin/python benchmarks/client_desks.py [DESKS] [NOTICES]

A child process plays the instance: it welcomes DESKS desks, gives each a snapshot, then sends each NOTICES
``agent-changed`` of 330 bytes, at 5,000 a second in all, and goes. This process is measured: resident memory before
and with all desks, and its CPU time while they connect and while the notices come.
"""

import asyncio
import multiprocessing
import os
import sys
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

import msgspec
import uvloop
from websockets.asyncio.server import ServerConnection, serve

from unified_agent.client import Desk, Rest
from unified_agent.client.attachment import Keys
from unified_agent.client.servers import Servers

AGENT = {
    "mode": "ready",
    "switch_mode": "ready",
    "reason": None,
    "cause": "",
    "since": "2026-11-22T15:40:51.123Z",
    "known": True,
    "asked": None,
    "pending": [],
}
VIEW = {"agent": AGENT, "calls": [], "messages": [], "blocked": {f"action-{n}": "telephony-down" for n in range(25)}}
RATE_PER_S = 5_000


def envelope(seq: int, word: str, data: object) -> str:
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return msgspec.json.encode({"epoch": 1, "seq": seq, "at": at, "type": word, "data": data}).decode()


async def play_instance(desks: int, notices: int, pipe: Connection) -> None:
    connected: list[ServerConnection] = []
    go, done = asyncio.Event(), asyncio.Event()

    async def greet(connection: ServerConnection) -> None:
        await connection.recv()
        welcome = {"type": "welcome", "outcome": "snapshot", "epoch": 1, "seq": 0, "beat_s": 60, "silent_s": 60}
        await connection.send(msgspec.json.encode(welcome).decode())
        await connection.send(envelope(0, "snapshot", {"view": VIEW, "reason": "hello"}))
        connected.append(connection)
        if len(connected) == desks:
            go.set()
        await done.wait()

    async with serve(greet, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        pipe.send(server.sockets[0].getsockname()[1])
        await go.wait()
        await asyncio.to_thread(pipe.recv)
        began = time.monotonic()
        sent = 0
        for seq in range(1, notices + 1):
            for connection in connected:
                await connection.send(envelope(seq, "agent-changed", {"agent": AGENT}))
                sent += 1
                if sent % 50 == 0:
                    await asyncio.sleep(max(0.0, began + sent / RATE_PER_S - time.monotonic()))
        await asyncio.to_thread(pipe.recv)
        done.set()


def run_instance(desks: int, notices: int, pipe: Connection) -> None:
    asyncio.run(play_instance(desks, notices, pipe))


def seated(url: str, agent: str, rest: Rest) -> Desk:
    keys = Keys(number=0, url=url, session=agent, token="t" * 43, ticket=agent.rjust(800, "x"))
    return Desk(Servers([url], agent), keys, agent=agent, rest=rest)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def measure(desks: int, notices: int, port: int, pipe: Connection) -> None:
    url = f"http://127.0.0.1:{port}"
    before = resident_bytes()
    rest = Rest()
    all_desks = [seated(url, str(number), rest) for number in range(desks)]
    cpu = time.process_time()
    for start in range(0, desks, 50):
        some = all_desks[start : start + 50]
        for desk in some:
            desk.start()
        for desk in some:
            await desk.until(lambda _: True, 30.0)
    cpu = time.process_time() - cpu
    print(f"{desks} desks: {(resident_bytes() - before) / desks / 1000:.1f} kB each,", end=" ")
    print(f"{cpu / desks * 1000:.2f} ms of CPU each to connect")
    delays: list[float] = []
    for desk in all_desks:
        desk.on_notice(lambda _, delay_s: delays.append(delay_s or 0.0))
    cpu, wall = time.process_time(), time.monotonic()
    pipe.send("go")
    for desk in all_desks:
        await desk.until(lambda _, desk=desk: desk.position == (1, notices), 600.0)
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    delays.sort()
    print(f"{len(delays)} notices in {wall:.1f} s: {cpu / len(delays) * 1e6:.1f} µs of CPU each,", end=" ")
    print(f"delay p50 {delays[len(delays) // 2] * 1000:.1f} ms, p99 {delays[len(delays) * 99 // 100] * 1000:.1f} ms")
    for desk in all_desks:
        await desk.close()
    pipe.send("done")


def main() -> None:
    desks, notices = (int(each) for each in (*sys.argv[1:], *("1000", "50")[len(sys.argv) - 1 :]))
    ours, its = multiprocessing.get_context("spawn").Pipe()
    child = multiprocessing.get_context("spawn").Process(target=run_instance, args=(desks, notices, its))
    child.start()
    try:
        uvloop.run(measure(desks, notices, ours.recv(), ours))
    finally:
        child.join(10.0)
        if child.is_alive():
            child.kill()


if __name__ == "__main__":
    main()
