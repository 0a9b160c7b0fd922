"""Servers that the test plays, on virtual time: nothing here opens a socket, and nobody waits."""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
from tests.simulation.virtual_loop import run

from unified_agent.client.attachment import Keys
from unified_agent.client.connection import TextHandler
from unified_agent.client.desk import Desk
from unified_agent.client.rest import Rest
from unified_agent.client.servers import Servers

Json = dict[str, Any]
AT = "2026-11-22T15:40:51.123Z"


def on_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Have a test run on a loop whose clock jumps."""

    @functools.wraps(test)
    def played(*args: Any, **kwargs: Any) -> None:
        run(test(*args, **kwargs))

    return played


def now_s() -> float:
    return asyncio.get_running_loop().time()


class Halfway:
    """Chance that always takes the middle; ``asked`` notes the bounds."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, float]] = []

    def uniform(self, a: float, b: float) -> float:
        self.asked.append((a, b))
        return (a + b) / 2


class Wire:
    """One connection as its server sees it."""

    def __init__(self, server: Server, handler: TextHandler) -> None:
        self.server = server
        self.handler = handler
        self.heard: list[Json] = []
        self.open = True
        self.answers_close = True

    # --- the desk's end

    def send(self, text: bytes) -> None:
        frame = msgspec.json.decode(text)
        self.heard.append(frame)
        if frame["type"] == "hello":
            self.server.greet(self, frame)

    def close(self) -> None:
        if self.answers_close and self.server.state == "up":
            self.lose(1000)

    def abort(self) -> None:
        self.lose()

    # --- the server's end

    def lose(self, code: int = 1006, reason: str = "") -> None:
        if self.open:
            self.open = False
            self.handler.connection_lost(code, reason)

    def say(self, frame: Any) -> None:
        if self.open:
            self.handler.text_received(frame if isinstance(frame, bytes) else msgspec.json.encode(frame))

    def tell(self, seq: int, word: str, data: Json, **more: Any) -> None:
        """Send an envelope of the server's epoch and term."""
        server = self.server
        self.say({"epoch": server.epoch, "seq": seq, "term": server.term, "at": AT, "type": word, "data": data, **more})

    def commands(self) -> list[str]:
        return [frame["id"] for frame in self.heard if frame["type"] == "command"]


class Server:
    """One server. It greets everybody whose token it gave, and takes every ticket, unless it is told otherwise.

    Attributes:
        state: ``up``; ``gone``, which refuses connections; ``frozen``, which takes them and says nothing.
        resumes: answers a hello with ``resumed`` instead of a snapshot.
        refusal: what a ticket is refused with: status and problem.
        retry_after: of the refusal.
        hello_refusal: id that a hello is refused with.
        opinions: what it says as a witness, by instance.
        standings: what it says of commands to be resolved; None for nothing but a refusal.
        asked: every request over HTTP: time, path and body.
    """

    def __init__(self, site: Site, name: str) -> None:
        self.site = site
        self.name = name
        self.url = f"http://{name}"
        self.state = "up"
        self.tokens: set[str] = set()
        self.epoch, self.seq, self.term = 1, 0, 1
        self.view: Json = {"at": name}
        self.resumes = False
        self.beats = True
        self.refusal: tuple[int, Json] | None = None
        self.retry_after: str | None = None
        self.hello_refusal = ""
        self.opinions: dict[str, Json] = {}
        self.standings: dict[str, Json] = {}
        self.asked: list[tuple[float, str, Any]] = []
        self.wires: list[Wire] = []

    @property
    def wire(self) -> Wire:
        """The newest connection."""
        return self.wires[-1]

    def requests(self, path: str) -> list[Any]:
        """Bodies of the requests for a path."""
        return [body for _, asked, body in self.asked if asked == path]

    def issue(self) -> Json:
        """Make a token and a ticket."""
        token = f"{self.name}-{len(self.tokens) + 1}"
        self.tokens.add(token)
        return {"session": "s1", "token": token, "ticket": f"ticket of {token}", "now": AT}

    def crash(self) -> None:
        """Be gone, with every connection."""
        self.state = "gone"
        self.tokens.clear()
        for wire in self.wires:
            wire.lose()

    def freeze(self) -> None:
        """Say nothing from now on."""
        self.state = "frozen"

    # --- inside

    def greet(self, wire: Wire, hello: Json) -> None:
        if self.state == "up":
            asyncio.get_running_loop().call_soon(self._answer_hello, wire, hello)

    def _answer_hello(self, wire: Wire, hello: Json) -> None:
        refusal = self.hello_refusal or ("" if hello["token"] in self.tokens else "session.unknown")
        if refusal:
            wire.say({"type": "refused", "id": refusal, "reason": "", "detail": ""})
            wire.lose({"session.unknown": 4401, "session.moved": 4420, "taken-over": 4409}.get(refusal, 4410), refusal)
            return
        outcome = "resumed" if self.resumes else "snapshot"
        place = {"epoch": self.epoch, "seq": self.seq, "term": self.term}
        wire.say(
            {
                "type": "welcome",
                "outcome": outcome,
                **place,
                "now": AT,
                "beat_s": 1.0,
                "silent_s": 15.0,
                "instance": self.name,
            }
        )
        if not self.resumes:
            wire.tell(self.seq, "snapshot", {"view": dict(self.view), "reason": "hello"})
        self._beat(wire)

    def _beat(self, wire: Wire) -> None:
        if wire.open and self.state == "up" and self.beats:
            wire.say({"type": "beat", "now": AT})
            asyncio.get_running_loop().call_later(1.0, self._beat, wire)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        path, body = request.url.path, msgspec.json.decode(request.content) if request.content else None
        self.asked.append((now_s(), path, body))
        if self.state == "gone":
            raise httpx.ConnectError("refused", request=request)
        if self.state == "frozen":
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(0.01)
        if path == "/v1/topology":
            return httpx.Response(200, json=self.site.topology) if self.site.topology else httpx.Response(404)
        if path == "/v1/entry":
            return self._initiate(request.url.params["agent"])
        if path == "/v1/witness":
            said = self.opinions.get(request.url.params["instance"])
            return httpx.Response(404) if said is None else httpx.Response(200, json=said)
        if path.endswith("/resolve"):
            said = self.standings.get(path.split("/")[-2])
            return httpx.Response(404, json={"id": "request.path"}) if said is None else httpx.Response(200, json=said)
        if self.refusal is not None:
            status, problem = self.refusal
            headers = {} if self.retry_after is None else {"Retry-After": self.retry_after}
            return httpx.Response(status, json=problem, headers=headers)
        return httpx.Response(201 if path == "/v1/session" else 200, json=self.issue())

    def _initiate(self, agent: str) -> httpx.Response:
        named = self.site.named
        if not named:
            return httpx.Response(503, json={"id": "cluster.not-serving", "retry": "later"})
        told = {"instance": {"id": named, "url": f"{self.site[named].url}/"}, "ticket": f"{agent}@{named}"}
        return httpx.Response(200, json={**told, "topology": self.site.topology})


class Site:
    """All servers, and what leads to them.

    Attributes:
        named: the instance that every server names for an agent, empty when none can.
        topology: what every server tells, None for a server that knows of none.
        opened: every try to connect: time and server.
        told: every delay that was drawn.
    """

    def __init__(self, *names: str) -> None:
        self.servers = {name: Server(self, name) for name in names}
        self.named = ""
        self.topology: Json | None = None
        self.opened: list[tuple[float, str]] = []
        self.chance = Halfway()
        self.http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer), verify=False)
        self.rest = Rest(self.http)

    def __getitem__(self, name: str) -> Server:
        return self.servers[name]

    def in_one_cluster(self, window_ms: int = 2_000, **states: str) -> Json:
        """Have all servers tell of each other, every one ready unless told otherwise."""
        version = 1 if self.topology is None else self.topology["version"] + 1
        instances = [
            {"id": name, "url": each.url, "datacentre": "east", "state": states.get(name, "ready"), "weight": 1}
            for name, each in self.servers.items()
        ]
        self.topology = {
            "cluster": "c",
            "epoch": 1,
            "version": version,
            "active": "east",
            "reconnect_window_ms": window_ms,
            "instances": instances,
        }
        return {"type": "topology", **self.topology}

    def desk(self, at: str, *others: str, agent: str = "5001", ticket: bool = True) -> Desk:
        """Seat an agent whose session is at a server."""
        opened = self[at].issue()
        keys = Keys(
            number=0,
            url=self[at].url,
            session=opened["session"],
            token=opened["token"],
            ticket=opened["ticket"] if ticket else "",
        )
        servers = Servers([self[at].url, *(self[each].url for each in others)], agent)
        return Desk(servers, keys, agent=agent, rest=self.rest, opener=self.open, chance=self.chance)

    async def live(self, at: str, *others: str, **more: Any) -> Desk:
        """Seat an agent and wait for the view."""
        desk = self.desk(at, *others, **more)
        desk.start()
        await desk.until(lambda _: True, 10.0)
        if self.topology is not None:
            self[at].wire.say({"type": "topology", **self.topology})
        return desk

    async def open(self, url: str, handler: TextHandler, limit_s: float) -> Wire:
        parts = urlsplit(url)
        assert (parts.scheme, parts.path) == ("ws", "/v1/events")
        server = self.servers[parts.netloc]
        self.opened.append((now_s(), server.name))
        if server.state == "frozen":
            await asyncio.sleep(limit_s)
            raise TimeoutError
        await asyncio.sleep(0.01)
        if server.state == "gone":
            raise ConnectionRefusedError(url)
        server.wires.append(Wire(server, handler))
        return server.wire

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        return await self.servers[request.url.netloc.decode()].answer(request)


def at_server(name: str) -> Callable[[Json], bool]:
    """Whether a view came from a server."""
    return lambda view: view["at"] == name


def chance_of(seed: int) -> random.Random:
    return random.Random(seed)
