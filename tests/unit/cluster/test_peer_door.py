"""What our door does with whoever comes, be it an instance or not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, cast

import pytest
from tests.simulation.network import SimNetwork
from tests.simulation.virtual_loop import run
from tests.unit.cluster.peer_world import PORT, SECRET, TENURE, beat
from tests.unit.wire.peer.ends import dialler

from unified_agent.clock import LoopClock
from unified_agent.cluster import peer_door
from unified_agent.cluster.peer_answers import PeerAnswers
from unified_agent.cluster.peer_door import COMPLAINT_INTERVAL_S, COMPLAINTS_LIMIT, UNPROVED_LIMIT, PeerDoor
from unified_agent.cluster.peer_identity import PeerIdentity
from unified_agent.cluster.peer_messages import TenureAnswer, write
from unified_agent.domain.ids import InstanceId
from unified_agent.network import Address
from unified_agent.pump import Pump
from unified_agent.wire.peer.connection import PeerConnection, Phase
from unified_agent.wire.peer.events import AnswerReceived, Event, Lost, Ready, Refused
from unified_agent.wire.peer.framing import FrameKind, frame_bytes

OTHER = b"the secret of another cluster, oh"
ADDRESS = Address(host="b", port=PORT)


class Caller(Pump[Event]):
    """An instance that dials, played by hand."""

    def __init__(self, clock: LoopClock, **changes: Any) -> None:
        self.link: PeerConnection = dialler(now_s=clock.now_s(), **changes)
        self.events: list[Event] = []
        self.lost: list[str] = []
        super().__init__(
            self.link, clock=clock, on_event=self.events.append, on_lost=lambda reason, _: self.lost.append(reason)
        )


class Stranger(asyncio.Protocol):
    """Somebody who knows nothing of our protocol."""

    def __init__(self) -> None:
        self.got = b""
        self.is_over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.got += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_over = True


class Scene:
    """The door of ``b``."""

    def __init__(self) -> None:
        self.network = SimNetwork(Random(1))
        self.clock = LoopClock(asyncio.get_running_loop(), wall_s=lambda: 1_000.0)
        self.heard: list[Any] = []
        self.arrived: list[str] = []
        self.callers: list[Caller] = []

        async def answer(peer: InstanceId, _: object) -> TenureAnswer:
            return TenureAnswer(promised=True, reason=f"b says so to {peer}")

        identity = PeerIdentity(
            InstanceId("b"), secrets=lambda: [SECRET], clock=self.clock, make_nonce=Random(2).randbytes
        )
        answers = PeerAnswers(answer, lambda peer, notice: self.heard.append((peer, notice)))
        self.door = PeerDoor(identity, answers, arrived=self.arrived.append)

    async def call(self, name: str = "a", **changes: Any) -> Caller:
        caller = Caller(self.clock, name=name, nonce=name.encode().ljust(32, b"."), **changes)
        self.callers.append(caller)
        await self.network.at(f"host of {name}").dial(lambda: caller, ADDRESS, 1.0)
        await asyncio.sleep(0.05)
        return caller

    async def intrude(self) -> Stranger:
        stranger = Stranger()
        await self.network.at("outside").dial(lambda: stranger, ADDRESS, 1.0)
        await asyncio.sleep(0.05)
        return stranger


def play(story: Callable[[Scene], Awaitable[None]]) -> None:
    async def main() -> None:
        scene = Scene()
        assert await scene.door.listen(scene.network.at("b"), "", PORT, None) == PORT
        await story(scene)
        for caller in scene.callers:
            caller.abort()
        await asyncio.sleep(5)
        assert scene.door.visitors == 0
        scene.door.close()

    run(main())


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    monkeypatch.setattr(peer_door, "log_event", lambda _, __, *, peer, reason, **___: lines.append((peer, reason)))
    return lines


def test_who_proves_itself_may_ask_and_tell_and_is_announced() -> None:
    async def story(scene: Scene) -> None:
        a = await scene.call()
        assert a.events == [Ready("b", 1)]
        assert scene.arrived == ["a"]
        a.link.send_notice(write(beat("a")))
        a.link.send_question(3, write(TENURE))
        a.link.send_answer(9, b"nobody asked")
        a.poke()
        await asyncio.sleep(0.05)
        assert scene.heard == [("a", beat("a"))]
        assert a.events[1:] == [AnswerReceived(3, write(TenureAnswer(promised=True, reason="b says so to a")))]

    play(story)


def test_who_does_not_is_told_why_logged_once_and_let_go(logged: list[tuple[str, str]]) -> None:
    async def story(scene: Scene) -> None:
        for _ in range(5):
            a = await scene.call(secrets=[OTHER])
            [event] = a.events
            assert isinstance(event, Refused)
            assert event.refusal.reason == "wrong-secret"
            assert scene.door.visitors == 0
        await scene.call("c", secrets=[OTHER])
        assert scene.arrived == []

    play(story)
    assert logged == [("a", "wrong-secret"), ("c", "wrong-secret")]


def test_the_same_complaint_is_made_again_after_a_while_but_never_very_many(logged: list[tuple[str, str]]) -> None:
    async def story(scene: Scene) -> None:
        for each in range(COMPLAINTS_LIMIT + 10):
            await scene.call(f"name {each}", secrets=[OTHER])
        assert len(logged) == COMPLAINTS_LIMIT
        await asyncio.sleep(COMPLAINT_INTERVAL_S)
        await scene.call("name 0", secrets=[OTHER])
        assert logged[COMPLAINTS_LIMIT:] == [("name 0", "wrong-secret")]

    play(story)


@pytest.mark.parametrize("words", [b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 9, frame_bytes(FrameKind.NOTICE, b"{}")])
def test_a_stranger_is_let_go_at_once_without_a_word(words: bytes, logged: list[tuple[str, str]]) -> None:
    async def story(scene: Scene) -> None:
        stranger = await scene.intrude()
        assert scene.door.visitors == 1
        stranger.transport.write(words)
        await asyncio.sleep(0.05)
        assert stranger.is_over
        assert stranger.got == b""
        assert scene.door.visitors == 0

    play(story)
    assert logged == []


def test_a_stranger_who_says_nothing_is_let_go_after_three_seconds() -> None:
    async def story(scene: Scene) -> None:
        stranger = await scene.intrude()
        await asyncio.sleep(2.9)
        assert not stranger.is_over
        await asyncio.sleep(0.2)
        assert stranger.is_over
        assert scene.door.visitors == 0

    play(story)


def test_strangers_cannot_take_every_place(logged: list[tuple[str, str]]) -> None:
    async def story(scene: Scene) -> None:
        (await scene.call("gone")).close()
        a = await scene.call()
        strangers = await asyncio.gather(*(scene.intrude() for _ in range(UNPROVED_LIMIT)))
        assert scene.door.visitors == UNPROVED_LIMIT + 1
        late = await scene.call("c")
        [event] = late.events
        assert isinstance(event, Refused)
        assert event.refusal.reason == "full"
        assert a.link.phase is Phase.READY
        await asyncio.sleep(3)
        assert all(stranger.is_over for stranger in strangers)
        assert (await scene.call("c")).events == [Ready("b", 1)]

    play(story)
    assert logged == [("", "full")]


def test_there_are_no_more_connections_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_door, "VISITORS_LIMIT", 3)

    async def story(scene: Scene) -> None:
        for name in "acd":
            assert (await scene.call(name)).events == [Ready("b", 1)]
        [event] = (await scene.call("e")).events
        assert isinstance(event, Refused)
        assert event.refusal.detail == "b has 3 connections"
        assert scene.door.visitors == 3
        scene.callers[0].close()
        await asyncio.sleep(0.05)
        assert (await scene.call("e")).events == [Ready("b", 1)]

    play(story)


def test_an_instance_that_dials_again_takes_the_place_of_its_older_connection() -> None:
    async def story(scene: Scene) -> None:
        older, newer = await scene.call(), await scene.call()
        assert older.events[0] == newer.events[0] == Ready("b", 1)
        assert isinstance(older.events[-1], Lost) or older.lost
        assert scene.door.visitors == 1
        newer.link.send_notice(write(beat("a")))
        newer.poke()
        await asyncio.sleep(0.05)
        assert len(scene.heard) == 1

    play(story)


def test_a_silent_instance_is_let_go_within_about_two_seconds() -> None:
    async def story(scene: Scene) -> None:
        await scene.call()
        scene.network.silence("host of a", "b")
        await asyncio.sleep(2.1)
        assert scene.door.visitors == 0

    play(story)


def test_an_instance_that_breaks_the_protocol_is_let_go_and_logged(logged: list[tuple[str, str]]) -> None:
    async def story(scene: Scene) -> None:
        a = await scene.call()
        a.link._outgoing.append(frame_bytes(FrameKind.HELLO))
        a.poke()
        await asyncio.sleep(0.05)
        assert scene.door.visitors == 0

    play(story)
    assert logged == [("a", "protocol")]


def test_closing_the_door_lets_everybody_go_and_nobody_in() -> None:
    async def story(scene: Scene) -> None:
        a, stranger = await scene.call(), await scene.intrude()
        scene.door.close()
        await asyncio.sleep(0.05)
        assert scene.door.visitors == 0
        assert isinstance(a.events[-1], Lost)
        assert stranger.is_over
        with pytest.raises(Exception, match="connection refused"):
            await scene.call("c")

    play(story)
