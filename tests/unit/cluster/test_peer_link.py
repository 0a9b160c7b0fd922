"""What a dialled link does with whoever is at the other end, be it an instance or not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest
from tests.simulation.network import SimNetwork
from tests.simulation.virtual_loop import run
from tests.unit.cluster.peer_world import PORT, SECRET, TENURE, beat, now_s
from tests.unit.links.fakes import FakeTransport, FixedChance
from tests.unit.wire.peer.ends import acceptor

from unified_agent.clock import LoopClock
from unified_agent.cluster import peer_link
from unified_agent.cluster.peer_answers import PeerAnswers
from unified_agent.cluster.peer_identity import PeerIdentity
from unified_agent.cluster.peer_link import PeerLink, PeerUnreachable, parse_address
from unified_agent.cluster.peer_messages import TenureAnswer, write
from unified_agent.domain.ids import InstanceId
from unified_agent.errors import LinkRefused
from unified_agent.network import Address, Network
from unified_agent.pump import Pump
from unified_agent.wire.peer.connection import PeerConnection
from unified_agent.wire.peer.events import AnswerReceived, Event, QuestionReceived
from unified_agent.wire.peer.framing import LAST_NUMBER, FrameKind, frame_bytes
from unified_agent.wire.peer.handshake import RefusalReason


class Acceptor(Pump[Event]):
    """The other instance, played by hand."""

    def __init__(self, clock: LoopClock) -> None:
        self.link: PeerConnection = acceptor(now_s=clock.now_s())
        self.events: list[Event] = []
        super().__init__(self.link, clock=clock, on_event=self.events.append, on_lost=lambda *_: None)


class Mute(asyncio.Protocol):
    """Takes the connection and says nothing, or what it is given."""

    def __init__(self, words: bytes = b"") -> None:
        self.words = words

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self.words)  # type: ignore[attr-defined]


class Scene:
    """A link of ``a`` to ``b``; each connection that it makes is an Acceptor unless told otherwise."""

    def __init__(self, dials: Network | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.network = SimNetwork(Random(1))
        self.clock = LoopClock(loop, wall_s=lambda: 1_000.0)
        self.chance = FixedChance()
        self.taken: list[Acceptor] = []
        self.dialled_s: list[float] = []
        self.accept: Callable[[], asyncio.BaseProtocol] = self.take
        self.network.listen("b", PORT, self._accept)
        self.heard: list[Any] = []
        identity = PeerIdentity(
            InstanceId("a"), secrets=lambda: [SECRET], clock=self.clock, make_nonce=Random(2).randbytes
        )

        async def answer(*_: object) -> TenureAnswer:
            return TenureAnswer(promised=True, reason="a says so")

        self.link = PeerLink(
            InstanceId("b"),
            f"b:{PORT}",
            identity=identity,
            network=dials or self.network.at("a"),
            tls=None,
            chance=self.chance,
            answers=PeerAnswers(answer, lambda peer, notice: self.heard.append((peer, notice))),
        )
        self.task = loop.create_task(self.link.keep_up())

    def _accept(self) -> asyncio.BaseProtocol:
        self.dialled_s.append(now_s())
        return self.accept()

    def take(self) -> Acceptor:
        self.taken.append(Acceptor(self.clock))
        return self.taken[-1]

    async def end(self) -> None:
        self.link.stop("the scene is over")
        self.task.cancel()
        await asyncio.wait([self.task])
        for each in self.taken:
            each.abort()


def play(story: Callable[[Scene], Awaitable[None]]) -> None:
    async def main() -> None:
        scene = Scene()
        try:
            await story(scene)
        finally:
            await scene.end()

    run(main())


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    monkeypatch.setattr(peer_link, "log_event", lambda _, event, *, level="info", **__: lines.append((event, level)))
    return lines


def test_a_question_gets_the_answer_with_its_number() -> None:
    async def story(scene: Scene) -> None:
        asking = [asyncio.ensure_future(scene.link.ask(each, 1.0)) for each in (b"one", b"two")]
        await asyncio.sleep(0.1)
        [there] = scene.taken
        numbers = {each.payload: each.number for each in there.events if isinstance(each, QuestionReceived)}
        there.link.send_answer(numbers[b"two"], b"2")
        there.link.send_answer(99, b"to nobody")
        there.link.send_answer(numbers[b"one"], b"1")
        there.poke()
        assert await asyncio.gather(*asking) == [b"1", b"2"]
        there.link.send_answer(numbers[b"one"], b"once more")
        there.poke()
        await asyncio.sleep(0.1)
        assert scene.link.is_up

    play(story)


def test_numbers_begin_again_at_one() -> None:
    async def story(scene: Scene) -> None:
        scene.link._number = LAST_NUMBER - 1
        for payload in (b"last", b"first"):
            with pytest.raises(PeerUnreachable):
                await scene.link.ask(payload, 0.1)
        asked = [(each.number, each.payload) for each in scene.taken[0].events if isinstance(each, QuestionReceived)]
        assert asked == [(LAST_NUMBER, b"last"), (1, b"first")]

    play(story)


def test_whoever_is_asked_may_ask_and_tell_on_the_same_connection() -> None:
    async def story(scene: Scene) -> None:
        await asyncio.sleep(0.1)
        [there] = scene.taken
        there.link.send_question(5, write(TENURE))
        there.link.send_notice(write(beat("b")))
        there.poke()
        await asyncio.sleep(0.1)
        assert there.events[-1] == AnswerReceived(5, write(TenureAnswer(promised=True, reason="a says so")))
        assert scene.heard == [("b", beat("b"))]

    play(story)


def test_a_peer_that_says_nothing_is_left_after_three_seconds_and_tried_again(logged: list[tuple[str, str]]) -> None:
    async def story(scene: Scene) -> None:
        scene.accept = Mute
        await asyncio.sleep(60)
        gaps = [later - sooner for sooner, later in zip(scene.dialled_s, scene.dialled_s[1:], strict=False)]
        assert all(3.9 < gap < 4.1 for gap in gaps), "3 s of waiting, and 1 s between two tries"
        with pytest.raises(PeerUnreachable, match="b cannot be reached: late: no handshake within 3 s"):
            await scene.link.ask(b"", 9.0)

    play(story)
    assert logged == [("peer_link_not_ready", "info")]


class OneTransport:
    """A network on which every connection is one transport that only remembers."""

    def __init__(self) -> None:
        self.transport = FakeTransport()

    async def dial(self, make: Callable[[], asyncio.Protocol], address: Address, limit_s: float) -> None:
        make().connection_made(self.transport)


def test_nothing_more_is_written_to_a_peer_that_says_nothing() -> None:
    async def main() -> None:
        network = OneTransport()
        scene = Scene(network)
        await asyncio.sleep(3.1)
        assert network.transport.closed == "aborted"
        assert len(network.transport.writes) == 1
        await scene.end()

    run(main())


@pytest.mark.parametrize(
    "words", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\0\x05\x01oops", frame_bytes(FrameKind.PING)]
)
def test_a_peer_of_another_kind_is_left_at_once(words: bytes) -> None:
    async def story(scene: Scene) -> None:
        scene.accept = lambda: Mute(words)
        with pytest.raises(PeerUnreachable, match="b cannot be reached: protocol: "):
            await scene.link.ask(b"", 9.0)
        assert not scene.link.is_up
        assert not scene.link.tell(b"")

    play(story)


def test_a_peer_that_breaks_the_protocol_later_is_left_and_dialled_again(logged: list[tuple[str, str]]) -> None:
    async def story(scene: Scene) -> None:
        await asyncio.sleep(0.1)
        scene.taken[0].link._outgoing.append(frame_bytes(FrameKind.HELLO))
        scene.taken[0].poke()
        await asyncio.sleep(0.1)
        assert not scene.link.is_up
        await asyncio.sleep(1.1)
        assert scene.link.is_up
        assert len(scene.taken) == 2

    play(story)
    assert logged == [("peer_link_up", "info"), ("peer_link_lost", "warning"), ("peer_link_up", "info")]


def test_a_peer_that_is_full_is_tried_again_soon_and_one_that_refuses_us_is_not(
    logged: list[tuple[str, str]],
) -> None:
    async def story(scene: Scene) -> None:
        reason = RefusalReason.FULL

        def refusing() -> asyncio.BaseProtocol:
            other = scene.take()
            other.link.refuse(reason, "no")
            return other

        scene.accept = refusing
        await asyncio.sleep(4.5)
        assert len(scene.dialled_s) == 5
        reason = RefusalReason.WRONG_SECRET
        await asyncio.sleep(60)
        assert len(scene.dialled_s) == 5 + 6

    play(story)
    assert logged == [("peer_link_not_ready", "info"), ("peer_link_refused", "warning")]


def test_waits_between_tries_are_drawn_anew_each_time() -> None:
    async def story(scene: Scene) -> None:
        scene.network.refuse("b")
        scene.network.cut("a", "b")
        await asyncio.sleep(0.5)
        scene.chance.place = 0.0
        await asyncio.sleep(1.6)
        assert set(scene.chance.asked) == {(0.1, 1.0)}
        assert len(scene.chance.asked) > 5

    play(story)


def test_a_hint_that_the_peer_is_there_ends_the_wait() -> None:
    async def story(scene: Scene) -> None:
        await asyncio.sleep(0.1)
        scene.network.cut("a", "b")
        await asyncio.sleep(0.01)
        scene.link.hurry()
        await asyncio.sleep(0.05)
        assert scene.link.is_up

    play(story)


def test_a_question_asked_in_the_very_moment_of_the_loss_does_not_wait_for_the_next_try() -> None:
    async def story(scene: Scene) -> None:
        async def ask_and_ask_again() -> None:
            for payload in (b"lost", b"again"):
                with pytest.raises(PeerUnreachable):
                    await scene.link.ask(payload, 0.5)

        asking = asyncio.ensure_future(ask_and_ask_again())
        await asyncio.sleep(0.1)
        scene.taken[0].abort()
        await asyncio.sleep(0.05)
        assert scene.link.is_up
        assert scene.taken[1].events[-1] == QuestionReceived(2, b"again")
        await asking

    play(story)


def test_a_defect_of_ours_is_logged_and_does_not_end_the_link(
    logged: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(scene: Scene) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(peer_link, "parse_address", lambda *_: 1 / 0)
            with pytest.raises(PeerUnreachable, match="by a defect of ours"):
                await scene.link.ask(b"", 1.0)
        await asyncio.sleep(1.1)
        assert scene.link.is_up

    play(story)
    assert logged[0] == ("peer_link_defect", "error")


def test_an_address_is_a_host_or_ipv6_in_brackets_and_a_port() -> None:
    assert parse_address("ua-1.example.com:7000", None) == Address(host="ua-1.example.com", port=7000)
    assert parse_address("[::1]:7000", None) == Address(host="::1", port=7000)
    for wrong in ("", "b", "b:", ":7000", "b:port", "b:0", "b:70000", "b:-1", "b:²"):
        with pytest.raises(LinkRefused, match="is not host:port"):
            parse_address(wrong, None)
