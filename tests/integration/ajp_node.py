"""An application behind AJP that does all that web servers may meet, and a process that serves nothing else.

    python -m tests.integration.ajp_node PORT [SECRET [PACKET_SIZE]]

It says ``ready``, and stops in good order at SIGTERM.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any, Final
from urllib.parse import parse_qsl

import uvloop

from unified_agent.observe import Metrics, configure_logging
from unified_agent.server.ajp_listener import AjpListener
from unified_agent.settings import AjpSettings

SECRET: Final = "s3cr3t-Ajp"
#: Nothing takes this long, seconds, however busy the machine is.
LIMIT_S: Final = 60.0


class Node:
    """The application.

    Attributes:
        name: told in each answer.
        begun, done, told, cancelled: how many requests there were, how many came to their end, and how many handlers
            were told, or had to be told the hard way, that nobody waits any more.
    """

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.begun = 0
        self.done = 0
        self.told = 0
        self.cancelled = 0
        self.scope: dict[str, Any] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer by the first word of the path."""
        self.begun += 1
        self.scope = scope
        word = scope["path"].split("/")[1]
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        try:
            await getattr(self, f"answer_{word}")(query, receive, send)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        self.done += 1

    async def answer_echo(self, query: dict[str, str], receive: Any, send: Any) -> None:
        """Say what came; after ``wait`` seconds."""
        body = await read(receive)
        await asyncio.sleep(float(query.get("wait", 0)))
        told = {
            "node": self.name,
            "method": self.scope["method"],
            "path": self.scope["path"],
            "length": len(body),
            "digest": hashlib.sha256(body).hexdigest(),
            "client": self.scope["client"],
            "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in self.scope["headers"]],
        }
        await answer(send, json.dumps(told).encode(), headers=[(b"content-type", b"application/json")])

    async def answer_size(self, query: dict[str, str], receive: Any, send: Any) -> None:
        """Answer with ``n`` bytes, in one piece with its length, or in pieces without."""
        body = bytes(index % 251 for index in range(int(query["n"])))
        if "pieces" not in query:
            await answer(send, body)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for at in range(0, len(body), 10_000):
            await send({"type": "http.response.body", "body": body[at : at + 10_000], "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def answer_status(self, query: dict[str, str], receive: Any, send: Any) -> None:
        """Answer with status ``n`` and a body of five bytes, as a careless application does."""
        await answer(send, b"five!", status=int(query["n"]))

    async def answer_ignore(self, query: dict[str, str], receive: Any, send: Any) -> None:
        """Answer without having looked at the body."""
        await answer(send, b"not you", status=401)

    async def answer_cookies(self, query: dict[str, str], receive: Any, send: Any) -> None:
        """Set two cookies."""
        await answer(send, b"", headers=[(b"set-cookie", b"a=1; Path=/"), (b"set-cookie", b"b=2; Path=/")])

    async def answer_stream(self, query: dict[str, str], receive: Any, send: Any) -> None:
        """Send ``count`` events, each when the one before was sent and ``gap`` seconds have passed."""
        head = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        for number in range(int(query["count"])):
            event = b"data: %d\n\n" % number
            await send({"type": "http.response.body", "body": event, "more_body": True})
            await asyncio.sleep(float(query["gap"]))
        await send({"type": "http.response.body", "body": b"data: end\n\n"})

    async def answer_pend(self, query: dict[str, str], receive: Any, send: Any) -> None:
        """Wait until nobody waits for the answer any more."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.told += 1

    async def answer_fail(self, query: dict[str, str], receive: Any, send: Any) -> None:
        """Fail, in the middle of the answer or before it."""
        if "late" in query:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
            await send({"type": "http.response.body", "body": b"partial-", "more_body": True})
        raise RuntimeError("boom")


async def read(receive: Any) -> bytes:
    """Read a whole body."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("the web server left")
        body, more = body + message["body"], message["more_body"]
    return body


async def answer(send: Any, body: bytes, status: int = 200, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    """Answer with a body and its length."""
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*(headers or ()), length]})
    await send({"type": "http.response.body", "body": body})


@contextlib.asynccontextmanager
async def serving(node: Any, *, secret: str = SECRET, **settings: Any) -> AsyncIterator[AjpListener]:
    """Serve an application in this process within this block."""
    metrics = settings.pop("metrics", None) or Metrics()
    given = {"port": 0, "secret": secret, "allow_without_secret": not secret, "body_limit_bytes": 300_000, **settings}
    listener = AjpListener(AjpSettings(**given), node, metrics)
    task = asyncio.create_task(listener.serve())
    try:
        await listener.wait_started()
        yield listener
    finally:
        listener.stop()
        await asyncio.wait_for(task, LIMIT_S)


class Process:
    """A node as a process of its own."""

    def __init__(self, port: int, *options: str) -> None:
        self.port = port
        self._command = [sys.executable, "-m", "tests.integration.ajp_node", str(port), *options]
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "it was started"
        return self._process.pid

    def start(self) -> None:
        """Start it, and return when it is ready."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == "ready"

    def end(self, number: signal.Signals) -> int:
        """End it by a signal, and return its status."""
        assert self._process is not None, "it was started"
        if self._process.poll() is None:
            self._process.send_signal(number)
        self._process.wait(LIMIT_S)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return self._process.returncode


async def _serve(port: int, secret: str, packet_size_bytes: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    node = Node(f"{port}")
    async with serving(node, secret=secret, port=port, packet_size_bytes=packet_size_bytes):
        print("ready", flush=True)
        await stop.wait()


def main() -> None:
    """Serve until SIGTERM."""
    arguments = dict(enumerate(sys.argv))
    configure_logging(level="error")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(int(sys.argv[1]), arguments.get(2, SECRET), int(arguments.get(3, "8192"))))


if __name__ == "__main__":
    os.setpgid(0, 0)
    main()
