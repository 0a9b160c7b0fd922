"""One protocol over every transport: the same stories on each of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from tests.integration.house import house, play
from tests.integration.pages import LIMIT_S, PAGES, WITH_SCRIPTS, Page, PollPage, page, place

from unified_agent.domain.states import Presence

pytestmark = pytest.mark.integration

over_each = pytest.mark.parametrize("transport", PAGES)


def texts(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last + 1)]


@over_each
def test_a_hello_is_answered_with_welcome_snapshot_topology_and_ticket(transport: str) -> None:
    async def story() -> None:
        async with place() as at:
            session, token = await at.world.log_in()
            async with page(transport, at, token) as shown:
                await shown.open()
                assert [each["type"] for each in shown.frames] == ["welcome", "snapshot", "topology", "ticket"]
                assert shown.frames[1]["data"]["view"]["session"]["presence"] == "connected"
                assert at.world.state(session).presence is Presence.CONNECTED
                assert f'ua_connections{{transport="{transport}"}} 1.0' in at.world.metrics.render().decode()

    play(story())


@over_each
def test_a_hello_that_is_refused_is_told_why_before_the_end(transport: str) -> None:
    async def story() -> None:
        async with place() as at, page(transport, at, "no token of ours") as shown:
            await shown.open()
            await shown.until(lambda: shown.closed)
            assert [(each["type"], each["id"]) for each in shown.frames] == [("refused", "session.unknown")]
            assert shown.closed == 4401

    play(story())


@over_each
def test_notices_come_in_order(transport: str) -> None:
    async def story() -> None:
        async with place() as at:
            session, token = await at.world.log_in()
            async with page(transport, at, token) as shown:
                await shown.open()
                for text in texts(1, 300):
                    at.world.tell(session, text)
                    if int(text) % 7 == 0:
                        await asyncio.sleep(0)
                await shown.until(lambda: shown.texts[-1:] == ["300"])
                assert shown.texts == texts(1, 300)
                assert at.sent(transport) == 301

    play(story())


@over_each
def test_after_a_lost_connection_nothing_is_missed_and_nothing_told_twice(transport: str) -> None:
    async def story() -> None:
        async with place() as at:
            session, token = await at.world.log_in()
            async with page(transport, at, token) as first, page(transport, at, token) as second:
                await first.open()
                for text in texts(1, 20):
                    at.world.tell(session, text)
                await first.until(lambda: first.texts[-1:] == ["20"])
                await first.cut()
                for text in texts(21, 40):
                    at.world.tell(session, text)
                await second.open(first.position)
                await second.until(lambda: second.texts[-1:] == ["40"])
                assert second.of("welcome")[0]["outcome"] == "resumed"
                assert second.of("snapshot") == []
                assert first.texts + second.texts == texts(1, 40)

    play(story())


def test_a_reply_that_is_lost_on_the_way_is_given_again() -> None:
    async def story() -> None:
        async with place() as at:
            session, token = await at.world.log_in()
            async with page("poll", at, token) as shown:
                assert isinstance(shown, PollPage)
                await shown.open()
                for text in texts(1, 30):
                    shown.loses_reply = int(text) % 3 == 0
                    at.world.tell(session, text)
                    await asyncio.sleep(0.002)
                await shown.until(lambda: shown.texts[-1:] == ["30"])
                assert shown.texts == texts(1, 30)
                numbers = [each["reply"] for each in shown.replies]
                assert numbers == sorted(set(numbers))
                assert len(numbers) < numbers[-1], "some replies were lost"

    play(story())


@over_each
def test_a_slow_desktop_misses_notices_and_gets_a_snapshot_instead(transport: str) -> None:
    async def story() -> None:
        async with place() as at:
            session, token = await at.world.log_in()
            async with page(transport, at, token) as shown:
                await shown.open()
                shown.takes.clear()
                told = 0
                while at.sent(transport) > told - 200:
                    at.world.tell(session, "x" * 20_000)
                    told += 1
                    await asyncio.sleep(0)
                    assert told < 10_000
                shown.takes.set()
                await shown.until(lambda: len(shown.of("snapshot")) > 1)
                slow = shown.of("snapshot")[1]
                assert slow["data"]["reason"] == "slow"
                assert slow["seq"] == at.last_seq(session)
                at.world.tell(session, "again")
                await shown.until(lambda: shown.texts[-1:] == ["again"])
                seqs = [each["seq"] for each in shown.envelopes]
                assert seqs == sorted(set(seqs))

    play(story())


def test_a_stream_that_is_not_taken_at_all_is_cut_off() -> None:
    async def story() -> None:
        async with place() as at:
            session, token = await at.world.log_in()
            async with page("stream", at, token) as shown:
                await shown.open()
                shown.takes.clear()
                told = 0
                while at.sent("stream") > told - 200:
                    at.world.tell(session, "x" * 20_000)
                    told += 1
                    await asyncio.sleep(0)
                    assert told < 10_000
                slow_s = WITH_SCRIPTS.desktop.slow_s
                for _ in range(2):  # once to see that nothing is taken any more, if something still was
                    at.world.clock.advance(slow_s + 0.1)
                assert "ua_slow_clients_closed_total 1.0" in at.world.metrics.render().decode()
                assert not at.world.desks.is_shown(session)
                shown.takes.set()
                await shown.until(lambda: shown.closed)
                assert shown.closed == 1006

    play(story())


@over_each
def test_another_desktop_takes_over(transport: str) -> None:
    async def story() -> None:
        async with place() as at:
            _, token = await at.world.log_in()
            async with page(transport, at, token) as shown:
                await shown.open()
                _, newer = await at.world.log_in()
                assert newer != token
                await shown.until(lambda: shown.closed)
                assert (shown.closed, shown.frames[-1]["id"]) == (4409, "taken-over")

    play(story())


@pytest.mark.parametrize("after", PAGES)
@pytest.mark.parametrize("before", PAGES)
def test_a_page_that_changes_its_transport_replaces_itself_silently(before: str, after: str) -> None:
    async def story() -> None:
        async with place() as at:
            session, token = await at.world.log_in()
            async with page(before, at, token) as old, page(after, at, token) as new:
                await old.open()
                at.world.tell(session, "1")
                await old.until(lambda: old.texts == ["1"])
                await new.open(old.position)
                await old.until(lambda: old.closed)
                assert (old.closed, old.of("refused")) == (1000, [])
                assert at.world.state(session).presence is Presence.CONNECTED
                at.world.tell(session, "2")
                await new.until(lambda: new.texts)
                assert (old.texts, new.texts) == (["1"], ["2"])

    play(story())


@over_each
def test_the_end_of_the_session_is_told_before_the_connection_ends(transport: str) -> None:
    async def story() -> None:
        async with place() as at:
            session, token = await at.world.log_in()
            async with page(transport, at, token) as shown:
                await shown.open()
                at.world.host.force_log_out(session, "supervisor-logged-out", now=True)
                await shown.until(lambda: shown.closed)
                assert shown.closed == 4410
                assert shown.frames[-1]["type"] == "session-ended"
                assert shown.frames[-1]["data"]["reason"] == "supervisor-logged-out"

    play(story())


@over_each
def test_a_command_is_answered_and_its_repeat_is_not_performed(transport: str) -> None:
    async def story() -> None:
        async with place() as at:
            session, token = await at.world.log_in()
            async with page(transport, at, token) as shown:
                await shown.open()
                command = {"type": "command", "id": "c1-1", "command": {"type": "set-mode", "mode": "ready"}}
                await shown.say(command)
                await shown.until(lambda: shown.of("answer"))
                await shown.say(command, {"type": "beat"})
                await shown.until(lambda: len(shown.of("answer")) == 2)
                first, again = shown.of("answer")
                assert first == again
                assert first["command_type"] == "set-mode"
                assert [each.id for each in at.world.state(session).commands] == ["c1-1"]
                await shown.say({"type": "command", "id": "c1-2", "command": {"type": "nonsense"}})
                await shown.until(lambda: len(shown.of("answer")) == 3)
                assert shown.of("answer")[2]["error"] == "command.invalid"
                assert shown.closed is None

    play(story())


@over_each
def test_a_frame_that_is_not_as_described_ends_the_connection(transport: str) -> None:
    async def story() -> None:
        async with place() as at:
            _, token = await at.world.log_in()
            async with page(transport, at, token) as shown:
                await shown.open()
                await shown.say({"type": "nonsense"})
                await shown.until(lambda: shown.closed)
                assert (shown.closed, shown.frames[-1]["id"]) == (4400, "protocol.frame")

    play(story())


@over_each
def test_an_instance_that_stops_says_goodbye_and_closes(transport: str) -> None:
    async def story() -> None:
        async with place() as at:
            _, token = await at.world.log_in()
            async with page(transport, at, token) as shown, page(transport, at, token) as late:
                await shown.open()
                await at.world.desks.say_goodbye(1_000.0, 1.0)
                await shown.until(lambda: shown.of("goodbye"))
                at.world.desks.close_all(1012, "restart")
                await shown.until(lambda: shown.closed)
                assert (shown.closed, shown.frames[-1]["reason"]) == (1012, "drain")
                await late.open()
                await late.until(lambda: late.closed)
                assert late.closed == 1012

    play(story())


@over_each
def test_a_silent_desktop_is_closed_and_one_that_says_something_is_not(transport: str) -> None:
    async def story() -> None:
        async with place() as at:
            _, token = await at.world.log_in()
            _, other = await at.world.log_in(agent="2002", station="4002")
            async with page(transport, at, token) as silent, page(transport, at, other) as alive:
                await silent.open()
                await alive.open()
                silent.takes.clear()
                for _ in range(6):
                    await at.pass_time(5)
                    await alive.say({"type": "beat"})
                silent.takes.set()
                await silent.until(lambda: silent.closed)
                assert (silent.closed, alive.closed) == (4408, None)

    play(story())


@over_each
def test_a_desktop_hears_signs_of_life(transport: str) -> None:
    async def story() -> None:
        async with place() as at:
            _, token = await at.world.log_in()
            async with page(transport, at, token) as shown:
                await shown.open()
                async with asyncio.timeout(LIMIT_S):
                    while not shown.beats:
                        await asyncio.sleep(0.1)  # polls are asked again meanwhile
                        await at.pass_time(1)

    play(story())


def test_a_whole_instance_that_stops_does_not_wait_for_streams_and_polls(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        pages: list[Page] = []
        async with house(tmp_path, tls=False) as home:
            at: Any = SimpleNamespace(url=home.url.rstrip("/"))
            for number, transport in enumerate(("websocket", "stream", "poll"), 1):
                login = {"agent": f"{5000 + number}", "station": f"{2000 + number}", "password": "1234"}
                async with httpx.AsyncClient() as client:
                    token = (await client.post(f"{at.url}/v1/session", json=login)).json()["token"]
                pages.append(PAGES[transport](at, token))
                await pages[-1].open()
        for each in pages:
            await each.until(lambda each=each: each.closed)  # type: ignore[misc]
            await each.cut()
        assert [each.closed for each in pages] == [1012, 1012, 1012]

    play(story())
    assert [each.getMessage() for each in caplog.records if each.levelname in {"WARNING", "ERROR"}] == []
