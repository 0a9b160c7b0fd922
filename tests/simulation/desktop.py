"""A simulated desktop: logs in over REST, shows a session over its WebSocket handler or by polls, acts as agents do.

It keeps the rules that the client library keeps (one ordered stream, snapshot voids what was, a gap is an error) and
reports a breach at once: those are promises of the server.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

import httpx
from tests.simulation.habits import next_command
from tests.simulation.poll_link import PollLink
from websockets.datastructures import Headers
from websockets.http11 import Request

from unified_agent.assembly import Instance
from unified_agent.server.text_connection import TextConnection, TextHandler

#: One way between desktop and instance, seconds.
DELAY_S = (0.001, 0.02)
BEAT_S = 5.0


class Breach(AssertionError):
    """The server broke a promise of its stream."""


class Desktop:
    """One agent's page.

    Args:
        hang_up: puts the telephone's handset down; a person does who cannot log in while on a call.

    Attributes:
        view: as told, None before the first snapshot.
        ended: the reason of the last session's end, None while one runs.
        commands: every command sent, by id.
        outcomes: how each stood last, by id.
        resets: reasons of the snapshots got.
    """

    def __init__(
        self,
        instance: Instance,
        number: int,
        random: Random,
        *,
        dialler: bool,
        polls: bool = False,
        hang_up: Callable[[], None] = lambda: None,
    ) -> None:
        self.instance = instance
        self._hang_up = hang_up
        self.agent = f"{5000 + number}"
        self.station = f"{2000 + number}"
        self.dialler = {"name": f"agent{number:04}", "password": "secret", "headset": self.station, "job": "SPRING25"}
        self.uses_dialler = dialler
        self.polls = polls
        self.random = random
        self.view: dict[str, Any] | None = None
        self.ended: str | None = None
        self.commands: dict[str, dict[str, Any]] = {}
        self.outcomes: dict[str, str] = {}
        self.resets: list[str] = []
        self.away = False
        self._token: str | None = None
        self._epoch: int | None = None
        self._seq = 0
        self._link: _Link | PollLink | None = None
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=instance.server.application),
            base_url="http://ua-1",
        )

    @property
    def connected(self) -> bool:
        """Whether it shows what the server has."""
        return self._link is not None and self._link.live and self.view is not None

    # --- life

    async def run(self) -> None:
        """Stay logged in, whatever happens, until it is cancelled."""
        while True:
            if self._token is None and not await self._log_in():
                await asyncio.sleep(self.random.uniform(1.0, 3.0))
                continue
            if not self.away:
                self._link = PollLink(self._client, self.random, self.hello(), self.take) if self.polls else _Link(self)
                await self._link.run()
            await asyncio.sleep(self.random.uniform(0.05, 1.0))

    async def close(self) -> None:
        """Let the connection go."""
        if self._link is not None:
            self._link.drop()
        await self._client.aclose()

    def go_away(self) -> None:
        """Close the page."""
        self.away = True
        if self._link is not None:
            self._link.drop()

    def come_back(self) -> None:
        """Open it again."""
        self.away = False

    def stall(self) -> None:
        """Take nothing more from the connection, as a frozen browser does."""
        if self._link is not None:
            self._link.stall()

    def send(self, command: dict[str, Any]) -> None:
        """Ask for something."""
        if self._link is None or not self._link.live:
            return
        command_id = f"d{self.agent}-{len(self.commands) + 1}"
        self.commands[command_id] = command
        self._link.send({"type": "command", "id": command_id, "command": command})

    async def _log_in(self) -> bool:
        body = {
            "agent": self.agent,
            "station": self.station,
            "password": "1234",
            "dialler": self.dialler if self.uses_dialler else None,
        }
        answer = await self._client.post("/v1/session", json=body)
        if answer.status_code != 201:
            return False
        self._token = answer.json()["token"]
        self._epoch, self._seq, self.view, self.ended = None, 0, None, None
        return True

    # --- the stream

    def hello(self) -> dict[str, Any]:
        """Return the first frame."""
        seq = self._seq if self._epoch is not None else None
        return {"type": "hello", "token": self._token, "epoch": self._epoch, "seq": seq, "client": f"d{self.agent}"}

    def take(self, frame: dict[str, Any]) -> None:
        """Take one message of the server."""
        match frame["type"]:
            case "welcome" | "beat" | "goodbye" | "topology" | "ticket":
                pass
            case "refused":
                self._over(frame["id"])
            case "answer":
                self._settle(frame["id"], frame["outcome"])
            case _:
                self._take_envelope(frame)

    def _take_envelope(self, frame: dict[str, Any]) -> None:
        epoch, seq = frame["epoch"], frame["seq"]
        if frame["type"] == "snapshot":
            if self._epoch is not None and epoch < self._epoch:
                raise Breach(f"snapshot of epoch {epoch} after {self._epoch}")
            self._epoch, self._seq, self.view = epoch, seq, frame["data"]["view"]
            self.resets.append(frame["data"]["reason"])
            return
        if epoch != self._epoch:
            raise Breach(f"notice of epoch {epoch} while showing {self._epoch}")
        if seq <= self._seq:
            return
        if seq != self._seq + 1:
            raise Breach(f"notice {seq} after {self._seq}: a gap")
        self._seq = seq
        assert self.view is not None
        data = frame["data"]
        if frame["type"].endswith("-changed"):
            self.view.update(data)
        elif frame["type"] == "message-arrived":
            self.view["messages"] = [*self.view["messages"], data["message"]][-20:]
        elif frame["type"] == "command-settled":
            self._settle(data["command"], data["outcome"])
        elif frame["type"] == "session-ended":
            self._over(data["reason"])

    def _over(self, reason: str) -> None:
        self._token, self.ended = None, reason
        if reason == "agent.on-a-call":
            self._hang_up()

    def _settle(self, command_id: str, outcome: str) -> None:
        before = self.outcomes.get(command_id)
        if before in {"done", "refused"} and outcome != before:
            raise Breach(f"command {command_id} was {before} and is now {outcome}")
        self.outcomes[command_id] = outcome

    # --- acting

    async def work(self, until_s: float) -> None:
        """Do what an agent does, until a time: mostly sensible things, now and then an odd one."""
        loop = asyncio.get_running_loop()
        while loop.time() < until_s:
            await asyncio.sleep(self.random.uniform(0.3, 2.0))
            if self.connected and self.view is not None:
                command = next_command(self.view, self.random)
                if command is not None:
                    self.send(command)


class _Line:
    """One direction: what is put in comes out later, in order (timers of one instant come in any)."""

    def __init__(self, loop: asyncio.AbstractEventLoop, random: Random, out: Callable[[bytes], None]) -> None:
        self._loop = loop
        self._random = random
        self._out = out
        self._queue: deque[bytes] = deque()
        self.last_s = loop.time()

    def put(self, data: bytes) -> None:
        self.last_s = max(self.last_s, self._loop.time() + self._random.uniform(*DELAY_S))
        self._queue.append(data)
        self._loop.call_at(self.last_s, self._come_out)

    def _come_out(self) -> None:
        self._out(self._queue.popleft())


class _Link:
    """One connection between a desktop and the instance, with delay; it can stall and it can be dropped."""

    def __init__(self, desktop: Desktop) -> None:
        self._desktop = desktop
        self._loop = asyncio.get_running_loop()
        self._done = asyncio.Event()
        self._handler: TextHandler | None = None
        self._stalled = False
        self._skipped = 0
        self._down = _Line(self._loop, desktop.random, self._arrive_down)
        self._up = _Line(self._loop, desktop.random, self._arrive_up)
        self.live = False

    async def run(self) -> None:
        desks = self._desktop.instance.server.desks
        decision = desks.route(Request("/v1/events", Headers([("Host", "ua-1")])))
        assert not isinstance(decision, tuple)
        self._handler = decision
        self.live = True
        decision.opened(self._connection())
        self.send(self._desktop.hello())
        beats = self._loop.create_task(self._beat())
        try:
            await self._done.wait()
        finally:
            beats.cancel()

    def _connection(self) -> TextConnection:
        return self  # ``send`` is the desktop's; the server's end is below

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            self.send({"type": "beat"})

    # --- the desktop's end

    def send(self, message: dict[str, Any] | bytes) -> bool:
        """Send a frame up (the desktop gives a dict) or down (the server gives bytes)."""
        if isinstance(message, bytes):
            return self._send_down(message)
        if not self.live or self._stalled:
            return False
        self._up.put(json.dumps(message).encode())
        return True

    def stall(self) -> None:
        """Take nothing more; the server cuts the connection off in the end."""
        self._stalled = True
        slow_s = self._desktop.instance.settings.desktop.slow_s
        self._loop.call_later(slow_s, lambda: self._over(1006, slow=True))

    def drop(self) -> None:
        """Close the page's end."""
        self._over(1001, slow=False)

    # --- the server's end

    def beat(self, data: bytes) -> None:
        """Called by the server."""
        if self.live and not self._stalled:
            self._down.put(data)

    def _send_down(self, data: bytes) -> bool:
        if self._stalled or not self.live:
            self._skipped += 1
            return False
        self._down.put(data)
        return True

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Called by the server; what it sent before arrives before."""
        del reason
        self._loop.call_at(self._down.last_s + DELAY_S[1], lambda: self._over(code, slow=False))

    def abort(self) -> None:
        """Called by the server."""
        self._loop.call_soon(lambda: self._over(1006, slow=False))

    def _arrive_up(self, data: bytes) -> None:
        if self.live and self._handler is not None:
            self._handler.text_received(data)

    def _arrive_down(self, payload: bytes) -> None:
        if self.live:
            self._desktop.take(json.loads(payload))

    def _over(self, code: int, *, slow: bool) -> None:
        if not self.live:
            return
        self.live = False
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.closed(code, slow=slow)
        self._done.set()
