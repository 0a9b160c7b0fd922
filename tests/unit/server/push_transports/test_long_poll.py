"""Replies: their numbers, what is given again, how long a poll is held."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from tests.unit.server.push_transports.test_held import hello
from tests.unit.server.serving import SETTINGS, Desktop, World

from unified_agent.server.push_transports.held import HeldConnections
from unified_agent.server.push_transports.long_poll import FRAMES_LIMIT, KEEP_S, AckUnknown, Poll, PollReply
from unified_agent.settings import DesktopSettings

pytestmark = pytest.mark.asyncio
HOLD_S = SETTINGS.desktop.poll_hold_s


class Polled:
    """A world with a connection by polls."""

    def __init__(self, settings: DesktopSettings = SETTINGS.desktop) -> None:
        self.world = World()
        self.connections = HeldConnections(lambda: f"c{len(self.connections)}")
        self.settings = settings

    async def open(self) -> PollReply:
        self.session, self.token = await self.world.log_in()
        handler = self.world.desks.connection("poll")
        self.poll = Poll(handler, self.connections, token=self.token, settings=self.settings, clock=self.world.clock)
        self.handler = handler
        self.poll.begin(hello(self.token))
        return self.poll.first_reply()

    def ask(self, ack: int, *texts: bytes) -> asyncio.Task[PollReply]:
        return asyncio.get_running_loop().create_task(self.poll.next_reply(ack, texts))

    def look_after(self) -> None:
        self.handler.look_after(self.world.clock.now_s(), b'{"type":"beat"}')


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def frames(reply: PollReply) -> list[dict[str, Any]]:
    return [msgspec.json.decode(each) for each in reply.frames]


def texts(reply: PollReply) -> list[str]:
    return [each["data"]["message"]["text"] for each in frames(reply) if each["type"] == "message-arrived"]


async def test_the_first_reply_says_who_it_is_and_what_there_is_at_once():
    reply = await Polled().open()
    assert (reply.reply, reply.connection, reply.hold_s) == (1, "c0", HOLD_S)
    assert [each["type"] for each in frames(reply)] == ["welcome", "snapshot", "topology", "ticket"]


async def test_a_poll_is_held_until_there_is_a_frame_and_frames_of_one_moment_come_together():
    polled = Polled()
    await polled.open()
    asked = polled.ask(1)
    await settle()
    assert not asked.done()
    polled.world.tell(polled.session, "one")
    polled.world.tell(polled.session, "two")
    reply = await asked
    assert (reply.reply, texts(reply), reply.connection) == (2, ["one", "two"], "")


async def test_with_nothing_to_tell_it_is_answered_with_a_beat_after_the_hold():
    polled = Polled()
    await polled.open()
    timers = len(polled.world.clock._timers)
    asked = polled.ask(1)
    await settle()
    polled.world.clock.advance(HOLD_S - 0.01)
    await settle()
    assert not asked.done()
    polled.world.clock.advance(0.02)
    (beat,) = frames(await asked)
    assert beat["type"] == "beat"
    assert beat["now"].startswith("2025-11-22")
    assert len(polled.world.clock._timers) == timers


async def test_a_reply_that_was_lost_is_given_again_with_what_came_since_and_nothing_is_lost_or_doubled():
    polled = Polled()
    await polled.open()
    polled.world.tell(polled.session, "one")
    assert texts(await polled.ask(1)) == ["one"]
    polled.world.tell(polled.session, "two")
    again = await polled.ask(1)
    assert (again.reply, texts(again)) == (3, ["one", "two"])
    polled.world.tell(polled.session, "three")
    assert texts(await polled.ask(3)) == ["three"]
    polled.world.tell(polled.session, "four")
    assert texts(await polled.ask(2)) == ["three", "four"]


async def test_an_acknowledgement_of_something_never_given_is_refused_and_changes_nothing():
    polled = Polled()
    await polled.open()
    polled.world.tell(polled.session, "one")
    for ack in (2, -1):
        with pytest.raises(AckUnknown):
            await polled.ask(ack)
    assert texts(await polled.ask(1)) == ["one"]


async def test_a_repeated_poll_performs_its_commands_once():
    polled = Polled()
    await polled.open()
    command = msgspec.json.encode({"type": "command", "id": "c-1", "command": {"type": "set-mode", "mode": "ready"}})
    first = frames(await polled.ask(1, command))
    again = frames(await polled.ask(1, command))
    outcomes = [each["outcome"] for each in (*first, *again) if each["type"] == "answer"]
    assert len(outcomes) == 3  # the first one's, given again, and the repeat's
    assert len(set(outcomes)) == 1
    assert len(polled.world.state(polled.session).commands) == 1


async def test_of_two_polls_the_first_is_superseded():
    polled = Polled()
    await polled.open()
    first = polled.ask(1)
    await settle()
    second = polled.ask(1)
    await settle()
    assert await first == PollReply(reply=1, frames=(), superseded=True)
    polled.world.tell(polled.session, "one")
    assert texts(await second) == ["one"]


async def test_a_superseded_poll_leaves_the_hold_of_the_second_alone():
    polled = Polled()
    await polled.open()
    polled.ask(1)
    await settle()
    polled.world.clock.advance(HOLD_S / 2)
    second = polled.ask(1)
    await settle()
    polled.world.clock.advance(HOLD_S * 0.75)
    await settle()
    assert not second.done()
    polled.world.tell(polled.session, "one")
    assert texts(await second) == ["one"]


async def test_a_reply_has_a_bounded_number_of_frames_and_says_that_there_are_more():
    polled = Polled()
    await polled.open()
    for number in range(FRAMES_LIMIT + 50):
        polled.world.tell(polled.session, str(number))
    first = await polled.ask(1)
    assert (len(first.frames), first.more) == (FRAMES_LIMIT, True)
    second = await polled.ask(2)
    assert second.more is False
    assert texts(first) + texts(second) == [str(number) for number in range(FRAMES_LIMIT + 50)]


async def test_a_reply_has_a_bounded_size():
    settings = msgspec.structs.replace(SETTINGS.desktop, write_high_bytes=1_000_000)
    polled = Polled(settings)
    await polled.open()
    for _ in range(60):
        polled.world.tell(polled.session, "x" * 10_000)
    got, ack = 0, 1
    more = True
    while more:
        reply = await polled.ask(ack)
        assert len(msgspec.json.encode(reply)) <= 262_144
        got, ack, more = got + len(reply.frames), reply.reply, reply.more
    assert got == 60


async def test_the_end_is_told_after_the_last_frames_again_and_again_and_forgotten_after_a_while():
    polled = Polled()
    await polled.open()
    held = polled.ask(1)
    await settle()
    polled.world.tell(polled.session, "last")
    polled.poll.close(4410, "agent")
    reply = await held
    assert texts(reply) == ["last"]
    assert reply.closed is not None
    assert (reply.closed.code, reply.closed.reason) == (4410, "agent")
    assert (await polled.ask(1)).closed == (await polled.ask(2)).closed == reply.closed
    assert polled.connections.find("c0", polled.token) is polled.poll
    polled.world.clock.advance(HOLD_S + KEEP_S + 0.01)
    assert len(polled.connections) == 0


async def test_one_that_is_refused_is_kept_for_nobody():
    polled = Polled()
    handler = polled.world.desks.connection("poll")
    timers = len(polled.world.clock._timers)
    poll = Poll(handler, polled.connections, token="x", settings=polled.settings, clock=polled.world.clock)
    poll.begin(hello("x"))
    assert poll.first_reply().closed is not None
    assert len(polled.connections) == 0
    assert len(polled.world.clock._timers) == timers


async def test_with_more_to_fetch_the_end_is_not_told_yet():
    polled = Polled()
    await polled.open()
    for number in range(FRAMES_LIMIT + 1):
        polled.world.tell(polled.session, str(number))
    polled.poll.close(4410, "agent")
    assert (await polled.ask(1)).closed is None
    assert (await polled.ask(2)).closed is not None


async def test_a_poll_that_is_held_is_a_sign_of_life_and_silence_counts_from_its_reply():
    polled = Polled(msgspec.structs.replace(SETTINGS.desktop, poll_hold_s=25.0))
    await polled.open()
    asked = polled.ask(1)
    await settle()
    for _ in range(24):
        polled.world.clock.advance(1.0)
        polled.look_after()
    assert not asked.done()
    polled.world.clock.advance(1.0)
    await asked
    polled.world.clock.advance(SETTINGS.desktop.silent_s - 0.5)
    polled.look_after()
    assert polled.poll.is_open
    polled.world.clock.advance(1.0)
    polled.look_after()
    assert polled.poll.end is not None
    assert polled.poll.end.code == 4408


async def test_beats_do_not_wait_for_a_desktop():
    polled = Polled()
    await polled.open()
    polled.look_after()
    polled.world.tell(polled.session, "one")
    assert [each["type"] for each in frames(await polled.ask(1))] == ["message-arrived"]


async def test_a_websocket_of_the_same_page_replaces_it_silently_and_one_of_another_takes_over():
    polled = Polled()
    await polled.open()
    Desktop(polled.world).hello(polled.token, client="c1")
    assert polled.poll.end is not None
    assert polled.poll.end.code == 1000
    reply = await polled.ask(1)
    assert [each["type"] for each in frames(reply)] == []

    other = Polled()
    await other.open()
    Desktop(other.world).hello(other.token, client="another")
    reply = await other.ask(1)
    assert [each["type"] for each in frames(reply)] == ["refused"]
    assert reply.closed is not None
    assert reply.closed.code == 4409
