"""A desktop's page over each transport, on real sockets, and a server whose clock stands still for it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
from msgspec.structs import replace
from tests.unit.server.serving import SETTINGS, World
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from unified_agent.domain.ids import SessionId
from unified_agent.server.http_listener import HttpListener
from unified_agent.server.websocket_protocol import WebSocketLimits
from unified_agent.settings import HttpSettings, JsonpSettings, Settings

Frame = dict[str, Any]
Position = tuple[int | None, int | None]
#: Real time that a test waits for anything; loopback needs milliseconds.
LIMIT_S = 20.0
#: The page that may ask for scripts.
CALLER = "https://crm.example"
WITH_SCRIPTS = replace(SETTINGS, jsonp=JsonpSettings(enabled=True, callers=(CALLER,)))
NOWHERE: Position = (None, None)


class Place:
    """A server on a socket; time passes when a test says so."""

    def __init__(self, world: World, url: str) -> None:
        self.world = world
        self.url = url

    def look_after(self) -> None:
        """Do what is done once each ``beat_s``."""
        now_s = self.world.clock.now_s()
        for portion in self.world.desks._portions:
            for connection in tuple(portion):
                connection.look_after(now_s, msgspec.json.encode({"type": "beat", "now": ""}))

    async def pass_time(self, seconds: int) -> None:
        """Let time pass, looking after connections each second; what is due gets its turn."""
        for _ in range(seconds):
            self.world.clock.advance(1.0)
            self.look_after()
            for _ in range(10):
                await asyncio.sleep(0)

    def sent(self, transport: str) -> float:
        """How many notices were written to desktops."""
        return float(self.world.metrics.events_sent.labels(transport=transport)._value.get())

    def last_seq(self, session: SessionId) -> int:
        outbox = self.world.host.outbox(session)
        assert outbox is not None
        return outbox.seq


@asynccontextmanager
async def place(settings: Settings = WITH_SCRIPTS) -> AsyncIterator[Place]:
    """Serve for a while."""
    world = World(settings)
    desktop = settings.desktop
    limits = WebSocketLimits(
        write_high_bytes=desktop.write_high_bytes, write_low_bytes=desktop.write_low_bytes, slow_s=desktop.slow_s
    )
    listener = HttpListener(HttpSettings(port=0), world.server.application, world.desks.route, limits)
    task = asyncio.create_task(listener.serve())
    try:
        await listener.wait_started()
        yield Place(world, listener.url.rstrip("/"))
    finally:
        listener.stop()
        world.desks.close_all(1012, "restart")
        async with asyncio.timeout(LIMIT_S):
            await task


class Page(ABC):
    """What a page has been told.

    Attributes:
        frames: all but beats, in order, as they came.
        beats: how many.
        closed: the code with which the server closed, None while it has not.
    """

    transport = ""

    def __init__(self, at: Place, token: str, client: str = "c1") -> None:
        self.at = at
        self.token = token
        self.client = client
        self.frames: list[Frame] = []
        self.beats = 0
        self.closed: int | None = None
        self.takes = asyncio.Event()
        self.takes.set()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def hello(self, position: Position) -> Frame:
        epoch, seq = position
        return {"type": "hello", "token": self.token, "epoch": epoch, "seq": seq, "client": self.client}

    async def open(self, position: Position = NOWHERE) -> None:
        """Connect, say hello, and wait until it is answered."""
        await self._open(position)
        self._task = asyncio.create_task(self._run())
        await self.until(lambda: self.of("ticket") or self.closed)

    async def cut(self) -> None:
        """Lose the connection without a word."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @abstractmethod
    async def _open(self, position: Position) -> None: ...

    @abstractmethod
    async def _run(self) -> None: ...

    @abstractmethod
    async def say(self, *frames: Frame) -> None:
        """Say something."""

    def take(self, frame: Frame) -> None:
        if frame["type"] == "beat":
            self.beats += 1
        else:
            self.frames.append(frame)
        self._changed.set()

    def take_end(self, code: int) -> None:
        self.closed = code
        self._changed.set()

    async def until(self, true: Callable[[], Any]) -> None:
        """Wait for something to have been told."""
        async with asyncio.timeout(LIMIT_S):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    def of(self, word: str) -> list[Frame]:
        return [each for each in self.frames if each["type"] == word]

    @property
    def envelopes(self) -> list[Frame]:
        """Envelopes, each once: a page passes over what it has."""
        seen: set[tuple[int, int, str]] = set()
        fresh = []
        for each in self.frames:
            if "data" in each and (key := (each["epoch"], each["seq"], each["type"])) not in seen:
                seen.add(key)
                fresh.append(each)
        return fresh

    @property
    def texts(self) -> list[str]:
        return [each["data"]["message"]["text"] for each in self.envelopes if each["type"] == "message-arrived"]

    @property
    def position(self) -> Position:
        last = self.envelopes[-1]
        return last["epoch"], last["seq"]


class WebSocketPage(Page):
    """Over the WebSocket."""

    transport = "websocket"
    _connection: ClientConnection

    async def _open(self, position: Position) -> None:
        self._connection = await connect(f"ws{self.at.url.removeprefix('http')}/v1/events", max_queue=1)
        with contextlib.suppress(ConnectionClosed):  # by an instance that stops, before we could say anything
            await self.say(self.hello(position))

    async def _run(self) -> None:
        try:
            while True:
                await self.takes.wait()
                self.take(msgspec.json.decode(await self._connection.recv()))
        except ConnectionClosed as error:
            self.take_end(error.rcvd.code if error.rcvd else 1006)

    async def say(self, *frames: Frame) -> None:
        for each in frames:
            await self._connection.send(msgspec.json.encode(each).decode())

    async def cut(self) -> None:
        await super().cut()
        self._connection.transport.abort()


class _HttpPage(Page):
    """Over requests."""

    def __init__(self, at: Place, token: str, client: str = "c1") -> None:
        super().__init__(at, token, client)
        self.id = ""
        self._http = httpx.AsyncClient(base_url=at.url, timeout=LIMIT_S)

    @property
    def bearing(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def say(self, *frames: Frame) -> None:
        body = {"connection": self.id, "frames": frames}
        answer = await self._http.post("/v1/events/frames", json=body, headers=self.bearing)
        assert answer.status_code == 200, answer.text

    async def cut(self) -> None:
        await super().cut()
        await self._http.aclose()


class StreamPage(_HttpPage):
    """Over an event stream."""

    transport = "stream"

    async def _open(self, position: Position) -> None:
        request = self._http.build_request("POST", "/v1/events", json=self.hello(position))
        self._answer = await self._http.send(request, stream=True)
        assert self._answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        self._lines = self._answer.aiter_lines()
        opened = msgspec.json.decode((await anext(self._lines)).removeprefix("data: "))
        assert opened["type"] == "opened"
        self.id = opened["connection"]

    async def _run(self) -> None:
        try:
            async for line in self._lines:
                await self.takes.wait()
                if line:
                    frame = msgspec.json.decode(line.removeprefix("data: "))
                    if frame["type"] == "closed":
                        self.take_end(frame["code"])
                        return
                    self.take(frame)
            self.take_end(1006)
        except httpx.HTTPError:
            self.take_end(1006)
        finally:
            await self._answer.aclose()


class PollPage(_HttpPage):
    """Over polls.

    Attributes:
        loses_reply: the next reply does not come through.
    """

    transport = "poll"

    def __init__(self, at: Place, token: str, client: str = "c1") -> None:
        super().__init__(at, token, client)
        self.ack = 0
        self.loses_reply = False
        self.replies: list[Frame] = []

    async def _open(self, position: Position) -> None:
        answer = await self._http.post("/v1/events/poll", json={"hello": self.hello(position)})
        assert answer.status_code == 200, answer.text
        self.id = answer.json()["connection"]
        self._take_reply(answer.json())

    async def _run(self) -> None:
        while self.closed is None:
            await self.takes.wait()
            reply = await self._ask()
            if self.loses_reply and reply["frames"]:
                self.loses_reply = False
            else:
                self._take_reply(reply)

    async def _ask(self) -> Frame:
        body = {"connection": self.id, "ack": self.ack}
        answer = await self._http.post("/v1/events/poll", json=body, headers=self.bearing)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def _take_reply(self, reply: Frame) -> None:
        self.replies.append(reply)
        self.ack = reply["reply"]
        for frame in reply["frames"]:
            self.take(frame)
        if reply.get("closed"):
            self.take_end(reply["closed"]["code"])


class Script:
    """What a script element would have run: which function was called, and with what."""

    def __init__(self, body: str) -> None:
        found = re.fullmatch(r"/\*\*/typeof ([\w$.]+)==='function'&&\1\((\{.*\})\);", body)
        assert found is not None, body
        self.callback = found[1]
        self.envelope: Frame = msgspec.json.decode(found[2])


class ScriptPage(_HttpPage):
    """Over scripts. It asks one thing at a time; what it wants to say calls off the poll that is held."""

    transport = "jsonp"

    def __init__(self, at: Place, token: str, client: str = "c1") -> None:
        super().__init__(at, token, client)
        self.ack = 0
        self.short = self.nonce = ""
        self._said: list[Frame] = []
        self._asking: asyncio.Task[Frame] | None = None

    async def _open(self, position: Position) -> None:
        bearing = {**self.bearing, "Origin": CALLER}
        answer = await self._http.post("/v1/session/jsonp", json={"client": self.client}, headers=bearing)
        if answer.status_code != 200:
            self.take({"type": "refused", "id": answer.json()["id"]})
            self.take_end(4401)
            return
        self.short, self.nonce = answer.json()["token"], answer.json()["nonce"]
        epoch, seq = ("" if each is None else str(each) for each in position)
        self._take_envelope(await self.ask("poll", ack="0", epoch=epoch, seq=seq))

    async def ask(self, path: str, **parameters: str) -> Frame:
        """Have a script loaded."""
        query = {"callback": "__ua_1", "client": self.client, "token": self.short, **parameters}
        headers = {"Referer": f"{CALLER}/", "Sec-Fetch-Dest": "script", "Sec-Fetch-Site": "cross-site"}
        answer = await self._http.get(f"/v1/jsonp/{path}", params=query, headers=headers)
        assert answer.status_code == 200, answer.text
        script = Script(answer.text)
        assert script.callback == "__ua_1"
        self.nonce = script.envelope["next_nonce"] or self.nonce
        self.short = script.envelope["next_token"] or self.short
        return script.envelope

    async def _run(self) -> None:
        while self.closed is None:
            await self.takes.wait()
            said = {} if not self._said else {"nonce": self.nonce, "frames": msgspec.json.encode(self._said).decode()}
            self._said = []
            self._asking = asyncio.create_task(self.ask("poll", ack=str(self.ack), **said))
            with contextlib.suppress(asyncio.CancelledError):
                self._take_envelope(await self._asking)

    async def say(self, *frames: Frame) -> None:
        self._said += frames
        if self._asking is not None:
            self._asking.cancel()

    async def cut(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self.closed = self.closed or 1006
        await super().cut()

    def _take_envelope(self, envelope: Frame) -> None:
        assert envelope["ok"], envelope
        self.ack = envelope["reply"]
        for frame in envelope["events"]:
            self.take(frame)
        if self.envelopes:
            assert envelope["position"] == dict(zip(("epoch", "seq"), self.position, strict=True))
        if envelope["closed"]:
            self.take_end(envelope["closed"]["code"])


PAGES: dict[str, type[Page]] = {each.transport: each for each in (WebSocketPage, StreamPage, PollPage, ScriptPage)}


@asynccontextmanager
async def page(transport: str, at: Place, token: str, client: str = "c1") -> AsyncIterator[Page]:
    """Have a page that is let go in the end."""
    made = PAGES[transport](at, token, client)
    try:
        yield made
    finally:
        with contextlib.suppress(Exception):
            await made.cut()
