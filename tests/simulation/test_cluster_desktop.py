"""The simulated desktop keeps the client library's rules, against made-up instances that say what they are told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from random import Random
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest
from tests.simulation.cluster_desktop import ClusterDesktop
from tests.simulation.desktop import Breach
from tests.simulation.front_door import open_door, url_of
from tests.simulation.hosts import Host
from tests.simulation.network import SimNetwork
from tests.simulation.transports import virtual_loop
from tests.simulation.virtual_loop import run
from websockets.http11 import Request

from unified_agent.server.text_connection import TextConnection, TextHandler
from unified_agent.server.websocket_protocol import WebSocketLimits

AGENT = "5001"


class Scripted:
    """An instance that serves one agent's session, if it has it, and otherwise says who does.

    Attributes:
        token: that it knows; empty for none.
        elsewhere: name of the instance that has the session.
        verdicts: what it thinks of others.
        asked: requests, in order.
        entries: tickets of session initiation that logins brought, empty for none.
        connection: the desktop's, None while there is none.
        forgets: it does not know commands of other instances.
    """

    def __init__(self, world: Script, name: str) -> None:
        self.name = name
        self.host = Host(name, now_s=0.0)
        self.token = ""
        self.elsewhere = ""
        self.verdicts: dict[str, str] = {}
        self.asked: list[str] = []
        self.entries: list[str] = []
        self.connection: TextConnection | None = None
        self.epoch = 1
        self.seq = 0
        self.hellos: list[dict[str, Any]] = []
        self.commands: dict[str, str] = {}
        self._world = world

    # --- HTTP

    async def application(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        body = msgspec.json.decode(message["body"]) if message.get("body") else {}
        self.asked.append(f"{scope['method']} {scope['path']}")
        status, answer = self._answer(scope["method"], scope["path"], scope["query_string"].decode(), body)
        content = msgspec.json.encode(answer)
        headers = [(b"content-length", str(len(content)).encode()), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _answer(self, method: str, path: str, query: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if path == "/v1/topology":
            return 200, self._world.topology()
        if path == "/v1/entry":
            named = self._world.named or self.name
            told = {"instance": {"id": named, "url": url_of(named)}, "ticket": f"for {named}"}
            return 200, {**told, "topology": self._world.topology()}
        if path == "/v1/witness":
            return 200, {"verdict": self.verdicts.get(parse_qs(query)["instance"][0], "alive"), "can_take": True}
        if self.elsewhere:
            return 421, {"id": "instance.elsewhere", "next": {"id": self.elsewhere, "url": url_of(self.elsewhere)}}
        if (method, path) == ("POST", "/v1/session"):
            self.entries.append(body.get("entry", ""))
            return 201, self._issue()
        if path == "/v1/session/resume":
            good = body["ticket"].startswith("ticket") and self._world.term >= 0
            return (200, self._issue()) if good else (401, {"id": "ticket.invalid"})
        command_id = path.removeprefix("/v1/session/commands/").removesuffix("/resolve")
        if path.endswith("/resolve"):
            self.commands[command_id] = "done"
        outcome = self.commands.get(command_id)
        return (404, {"id": "command.unknown"}) if outcome is None else (200, {"outcome": outcome})

    def _issue(self) -> dict[str, Any]:
        self._world.tokens += 1
        self.token = f"token-{self._world.tokens}"
        return {"session": "s", "token": self.token, "ticket": f"ticket-{self._world.tokens}", "now": ""}

    # --- WebSocket

    def route(self, request: Request) -> TextHandler | tuple[HTTPStatus, str]:
        return self

    def opened(self, connection: TextConnection) -> None:
        self.connection = connection

    def text_received(self, data: bytes) -> None:
        frame = msgspec.json.decode(data)
        if frame["type"] == "hello":
            self.hellos.append(frame)
            if frame["token"] != self.token:
                self.say(type="refused", id="session.unknown")
                self.close(4401)
                return
            resumed = frame["epoch"] == self.epoch
            self.say(
                type="welcome", outcome="resumed" if resumed else "snapshot",
                epoch=self.epoch, seq=self.seq, beat_s=1.0, term=self._world.term,
            )  # fmt: skip
            if not resumed:
                self.snapshot()
        elif frame["type"] == "command":
            self.commands[frame["id"]] = "accepted"
            self.say(type="answer", id=frame["id"], outcome="accepted")

    def writable_again(self, skipped: int) -> None:
        pass

    def closed(self, code: int, *, slow: bool) -> None:
        self.connection = None

    def say(self, **frame: Any) -> None:
        if self.connection is not None:
            self.connection.send(msgspec.json.encode(frame))

    def close(self, code: int) -> None:
        if self.connection is not None:
            self.connection.close(code)

    def snapshot(self) -> None:
        view: dict[str, Any] = {"by": self.name, "calls": [], "messages": [], "blocked": {}, "item": None}
        self._envelope("snapshot", {"view": view, "reason": "hello"})

    def notice(self, word: str, **data: Any) -> None:
        self.seq += 1
        self._envelope(word, data)

    def _envelope(self, word: str, data: dict[str, Any]) -> None:
        self.say(epoch=self.epoch, seq=self.seq, at="", type=word, data=data, term=self._world.term)

    async def beat(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self.say(type="beat", now="")


class Script:
    """Three instances and a desktop.

    Attributes:
        term: of the claim, as all of them say it.
        named: the instance that all of them name for an agent; empty: each itself.
    """

    def __init__(self) -> None:
        self.named = ""
        self.network = SimNetwork(Random(1))
        self.term = 1
        self.tokens = 0
        self.version = 1
        self.states: dict[str, str] = {}
        self.instances = {name: Scripted(self, name) for name in ("ua-1", "ua-2", "ua-3")}
        host = Host("desk", now_s=0.0)
        seeds = [url_of("ua-1")]
        self.desktop = ClusterDesktop(host, self.network.at(host), 1, Random(2), seeds=seeds, dialler=False)

    async def begin(self) -> Scripted:
        """Open all doors, and have the agent log in; returns the instance where it did."""
        for each in self.instances.values():
            await each.host.spawn(
                open_door(self.network.at(each.host), each.application, each.route, WebSocketLimits())
            )
            each.host.spawn(each.beat())
        self.running = self.desktop.host.spawn(self.desktop.run())
        await asyncio.sleep(2.0)
        return self.at()

    def topology(self) -> dict[str, Any]:
        listed = [
            {"id": name, "url": url_of(name), "datacentre": "dc1", "state": self.states.get(name, "ready"), "weight": 1}
            for name in self.instances
        ]
        return {
            "cluster": "c", "epoch": 1, "version": self.version, "active": "dc1",
            "reconnect_window_ms": 2000, "instances": listed,
        }  # fmt: skip

    def at(self) -> Scripted:
        """Return the instance whose session is shown."""
        assert self.desktop.connected
        assert self.desktop.view is not None
        return self.instances[self.desktop.view["by"]]

    def others(self, than: Scripted) -> list[Scripted]:
        return [each for each in self.instances.values() if each is not than]


def play(scene: Callable[[Script], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        script = Script()
        await scene(script)
        assert not script.running.done(), "the page fell over"
        script.running.cancel()
        await asyncio.wait([script.running])

    run(main())


def test_it_logs_in_at_the_instance_that_is_named_with_the_ticket_for_it():
    async def scene(script: Script) -> None:
        script.named = "ua-3"
        assert (await script.begin()).entries == ["for ua-3"]

    play(scene)


def test_it_learns_who_is_there_and_logs_in_where_it_is_sent():
    async def scene(script: Script) -> None:
        for name in ("ua-1", "ua-3"):
            script.instances[name].elsewhere = "ua-2"
        assert (await script.begin()).name == "ua-2"
        assert sum(each.asked.count("POST /v1/session") for each in script.instances.values()) <= 3

    play(scene)


def test_a_killed_instance_is_left_for_another_with_the_ticket():
    async def scene(script: Script) -> None:
        first = await script.begin()
        script.network.kill(first.host)
        await asyncio.sleep(6.0)
        second = script.at()
        assert second is not first
        assert "POST /v1/session/resume" in second.asked
        assert second.hellos[-1]["epoch"] is None, "another instance numbers its own stream"
        assert not script.desktop.surprises

    play(scene)


def test_a_lost_connection_to_an_instance_that_lives_is_resumed_there():
    async def scene(script: Script) -> None:
        first = await script.begin()
        script.network.cut("desk", first.name)
        await asyncio.sleep(4.0)
        assert script.at() is first
        assert first.hellos[-1]["epoch"] == 1
        assert "POST /v1/session/resume" not in first.asked

    play(scene)


async def _seconds_until_elsewhere(script: Script, first: Scripted, limit_s: float) -> float:
    began_s = virtual_loop().now_s
    for _ in range(int(limit_s * 20)):
        await asyncio.sleep(0.05)
        if script.desktop.connected and script.desktop.view is not None and script.desktop.view["by"] != first.name:
            return virtual_loop().now_s - began_s
    raise AssertionError(f"it did not move within {limit_s:g} s")


@pytest.mark.parametrize(
    ("verdict", "at_least_s", "at_most_s"), [("dead", 1.5, 3.6), ("suspect", 6.0, 8.6), ("alive", 9.9, 12.6)]
)
def test_a_frozen_instance_is_left_as_soon_as_witnesses_say_so(verdict: str, at_least_s: float, at_most_s: float):
    async def scene(script: Script) -> None:
        first = await script.begin()
        for each in script.others(first):
            each.verdicts[first.name] = verdict
        first.host.pause()
        took_s = await _seconds_until_elsewhere(script, first, 20.0)
        assert at_least_s - 1.0 <= took_s <= at_most_s

    play(scene)


def test_a_planned_move_opens_the_new_connection_before_the_old_one_is_let_go():
    async def scene(script: Script) -> None:
        first = await script.begin()
        second, third = script.others(first)
        shown: list[bool] = []

        async def look() -> None:
            while True:
                shown.append(script.desktop.connected)
                await asyncio.sleep(0.01)

        looking = asyncio.ensure_future(look())
        first.say(type="goodbye", reason="drain", next={"id": third.name, "url": url_of(third.name)}, after_ms=4000)
        await asyncio.sleep(3.0)
        looking.cancel()
        assert script.at() is third
        assert all(shown), "there was a moment without a session"
        assert first.connection is None, "the old one was let go"
        assert second.asked == [each for each in second.asked if "resume" not in each]

    play(scene)


def test_who_is_told_to_move_and_finds_nobody_stays():
    async def scene(script: Script) -> None:
        first = await script.begin()
        for each in script.others(first):
            script.network.kill(each.host)
        first.say(type="goodbye", reason="move", next=None, after_ms=4000)
        await asyncio.sleep(15.0)
        assert script.at() is first

    play(scene)


def test_an_owner_that_is_none_any_more_is_not_listened_to():
    async def scene(script: Script) -> None:
        script.term = 7
        first = await script.begin()
        script.term = 6
        first.notice("agent-changed", by="nobody")
        await asyncio.sleep(0.1)
        assert script.desktop.view is not None
        assert script.desktop.view["by"] == first.name
        assert not script.desktop.connected

    play(scene)


def test_the_new_topology_and_ticket_are_used():
    async def scene(script: Script) -> None:
        first = await script.begin()
        second, third = script.others(first)
        script.states[second.name], script.version = "down", 2
        first.say(type="topology", **script.topology())
        first.say(type="ticket", ticket="ticket-fresh")
        await asyncio.sleep(0.1)
        assert script.desktop.home is not None
        assert script.desktop.home.ticket == "ticket-fresh"
        script.network.kill(first.host)
        await asyncio.sleep(5.0)
        assert script.at() is third

    play(scene)


def test_what_became_of_a_command_is_found_out_elsewhere_and_not_asked_again():
    async def scene(script: Script) -> None:
        first = await script.begin()
        line = script.desktop.line
        assert line is not None
        script.desktop.commands.send(line, {"type": "make-call", "number": "1"})
        await asyncio.sleep(0.2)
        (command_id,) = script.desktop.commands.sent
        assert script.desktop.commands.outcomes[command_id] == "accepted"
        script.network.kill(first.host)
        await asyncio.sleep(10.0)
        second = script.at()
        assert script.desktop.commands.outcomes[command_id] == "done"
        assert script.desktop.line is not None
        assert not script.desktop.commands.in_doubt(script.desktop.line)
        assert f"POST /v1/session/commands/{command_id}/resolve" in second.asked
        assert [each.outcome for each in script.desktop.commands.told] == ["accepted", "done"]

    play(scene)


def test_a_session_that_ended_by_its_agent_is_no_surprise_and_a_ticket_refused_is_one():
    async def scene(script: Script) -> None:
        first = await script.begin()
        first.notice("session-ended", reason="agent", detail="")
        await asyncio.sleep(6.0)
        assert script.at().asked.count("POST /v1/session") >= 1
        assert not script.desktop.surprises
        second = script.at()
        second.say(type="ticket", ticket="worthless")
        await asyncio.sleep(0.1)
        script.network.kill(second.host)
        await asyncio.sleep(10.0)
        assert script.at() is not second
        assert [each.split()[-1] for each in script.desktop.surprises] == ["ticket.invalid"]

    play(scene)


def _skip_a_notice(first: Scripted) -> None:
    first.seq += 1
    first.notice("agent-changed")


def _speak_of_another_epoch(first: Scripted) -> None:
    first.epoch += 1
    first.notice("agent-changed")


@pytest.mark.parametrize(
    ("speak", "words"), [(_skip_a_notice, "a gap"), (_speak_of_another_epoch, "epoch 2 while showing 1")]
)
def test_a_stream_that_breaks_its_promise_is_told(speak: Callable[[Scripted], None], words: str):
    async def main() -> None:
        script = Script()
        speak(await script.begin())
        await asyncio.sleep(1.0)

    with pytest.raises(Breach, match=words):
        run(main())


def test_a_refreshed_page_finds_its_session_and_takes_a_snapshot():
    async def scene(script: Script) -> None:
        first = await script.begin()
        script.desktop.refresh()
        await asyncio.sleep(4.0)
        assert script.at() is first
        assert first.hellos[-1]["epoch"] is None
        assert first.hellos[-1]["token"] == first.hellos[0]["token"]

    play(scene)
