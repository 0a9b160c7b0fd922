"""A desk on connections that the test plays."""

import asyncio
import random
from typing import Any

import msgspec
import pytest
from tests.unit.client.test_stream import envelope, snapshot

from unified_agent.client.connection import TextHandler
from unified_agent.client.desk import Desk
from unified_agent.client.errors import SessionOver

pytestmark = pytest.mark.asyncio

READY = {"type": "set-mode", "mode": "ready"}


class Wire:
    """One connection as the instance sees it."""

    def __init__(self, handler: TextHandler) -> None:
        self.handler = handler
        self.heard: list[dict[str, Any]] = []
        self.open = True
        self.answers_close = True

    def send(self, text: bytes) -> None:
        self.heard.append(msgspec.json.decode(text))

    def close(self) -> None:
        if self.answers_close:
            self.lose(1000)

    def abort(self) -> None:
        self.lose()

    def lose(self, code: int = 1006, reason: str = "") -> None:
        if self.open:
            self.open = False
            self.handler.connection_lost(code, reason)

    def say(self, frame: Any) -> None:
        self.handler.text_received(frame if isinstance(frame, bytes) else msgspec.json.encode(frame))

    def welcome(self, outcome: str = "snapshot", epoch: int = 1, seq: int = 4) -> None:
        self.say({"type": "welcome", "outcome": outcome, "epoch": epoch, "seq": seq, "beat_s": 2.0, "silent_s": 15.0})

    def commands(self) -> list[str]:
        return [frame["id"] for frame in self.heard if frame["type"] == "command"]


class Instance:
    """Takes connections; ``refusals`` of them fail first."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.tries = 0
        self.wires: list[Wire] = []
        self._came = asyncio.Event()
        self.now_s = 1_795_362_051.123
        self.desk = Desk(
            "http://ua:8080/",
            agent="5001",
            session="s1",
            token="t",
            opener=self._opened,
            chance=random.Random(1),
            wall_s=lambda: self.now_s,
        )

    async def _opened(self, url: str, handler: TextHandler, limit_s: float) -> Wire:
        assert url == "ws://ua:8080/v1/events"
        self.tries += 1
        if self.refusals >= self.tries:
            raise ConnectionRefusedError
        self.wires.append(Wire(handler))
        self._came.set()
        return self.wires[-1]

    async def next_wire(self) -> Wire:
        async with asyncio.timeout(10.0):
            await self._came.wait()
        self._came.clear()
        await asyncio.sleep(0)
        return self.wires[-1]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let reconnecting take no time, and note which try each wait was for."""
    tries: list[int] = []

    def delay_s(attempt: int, chance: random.Random) -> float:
        tries.append(attempt)
        return 0.0

    monkeypatch.setattr("unified_agent.client.desk.delay_s", delay_s)
    return tries


async def greeted(**view: Any) -> tuple[Instance, Wire]:
    instance = Instance()
    instance.desk.start()
    wire = await instance.next_wire()
    wire.welcome()
    wire.say(snapshot(1, 4, **(view or {"calls": []})))
    return instance, wire


async def test_the_first_hello_has_no_place_and_the_snapshot_is_the_view():
    instance, wire = await greeted(agent={"mode": "ready"})
    desk = instance.desk
    hello = wire.heard[0]
    assert (hello["type"], hello["token"], hello["epoch"], hello["seq"]) == ("hello", "t", None, None)
    assert hello["client"]
    assert (desk.view, desk.position, desk.connected) == ({"agent": {"mode": "ready"}}, (1, 4), True)
    await desk.close()


async def test_a_lost_connection_is_made_again_and_resumed():
    instance, wire = await greeted()
    wire.lose()
    assert not instance.desk.connected
    wire = await instance.next_wire()
    assert (wire.heard[0]["epoch"], wire.heard[0]["seq"]) == (1, 4)
    wire.welcome("resumed", seq=5)
    wire.say(envelope(1, 5, "calls-changed", {"calls": [1]}))
    assert instance.desk.view == {"calls": [1]}
    assert instance.desk.connections == 2
    await instance.desk.close()


async def test_tries_are_spread_and_begin_anew_after_a_welcome(no_waiting):
    instance = Instance(refusals=3)
    instance.desk.start()
    wire = await instance.next_wire()
    assert no_waiting == [1, 2, 3]
    wire.welcome()
    wire.lose()
    wire = await instance.next_wire()
    wire.lose()
    await instance.next_wire()
    assert no_waiting == [1, 2, 3, 1, 2]
    await instance.desk.close()


async def test_a_gap_closes_the_connection_and_resumes_from_the_last_place():
    instance, wire = await greeted()
    wire.say(envelope(1, 6, "calls-changed", {"calls": [2]}))
    assert not wire.open
    wire = await instance.next_wire()
    assert (wire.heard[0]["epoch"], wire.heard[0]["seq"]) == (1, 4)
    assert instance.desk.gaps == 1
    await instance.desk.close()


async def test_a_frame_that_is_no_json_cuts_the_connection():
    instance, wire = await greeted()
    wire.say(b"nonsense")
    await instance.next_wire()
    assert instance.desk.over is None
    await instance.desk.close()


async def test_a_command_is_done_when_its_notice_says_so():
    instance, wire = await greeted()
    task = asyncio.create_task(instance.desk.command(READY))
    await asyncio.sleep(0)
    name = wire.commands()[0]
    end = {"command_type": "set-mode", "error": "", "detail": ""}
    wire.say({"type": "answer", "id": name, "outcome": "accepted", **end})
    await asyncio.sleep(0)
    assert not task.done()
    wire.say(envelope(1, 5, "command-settled", {"command": name, "outcome": "done", **end}))
    assert (await task).done
    await instance.desk.close()


@pytest.mark.parametrize("outcome", ["snapshot", "resumed"])
async def test_a_command_without_an_end_is_asked_again_with_its_id_after_a_reconnect(outcome):
    instance, wire = await greeted()
    task = asyncio.create_task(instance.desk.command(READY))
    await asyncio.sleep(0)
    name = wire.commands()[0]
    wire.lose()
    wire = await instance.next_wire()
    wire.welcome(outcome)
    if outcome == "snapshot":
        wire.say(snapshot(2, 0))
    assert wire.commands() == [name]
    wire.say({"type": "answer", "id": name, "command_type": "x", "outcome": "refused", "error": "e", "detail": ""})
    assert (await task).error == "e"
    await instance.desk.close()


async def test_a_command_asked_while_away_is_sent_on_connecting():
    instance = Instance(refusals=1)
    instance.desk.start()
    task = asyncio.create_task(instance.desk.command(READY))
    wire = await instance.next_wire()
    wire.welcome()
    wire.say(snapshot(1, 0))
    assert len(wire.commands()) == 1
    await instance.desk.close()
    with pytest.raises(SessionOver):
        await task


async def test_until_looks_after_each_notice_and_at_what_is_so_already():
    instance, wire = await greeted(calls=[])
    desk = instance.desk
    assert await desk.until(lambda view: view["calls"] == [], 1.0) == {"calls": []}
    task = asyncio.create_task(desk.until(lambda view: len(view["calls"]) == 2, 1.0))
    await asyncio.sleep(0)
    wire.say(envelope(1, 5, "calls-changed", {"calls": [1]}))
    wire.say(envelope(1, 6, "calls-changed", {"calls": [1, 2]}))
    assert await task == {"calls": [1, 2]}
    await desk.close()


async def test_listeners_hear_each_envelope_once_with_its_delay_and_none_for_what_was_resent():
    instance, wire = await greeted()
    told: list[tuple[int, float | None]] = []
    end = instance.desk.on_notice(
        lambda each, delay_s: told.append((each["seq"], None if delay_s is None else round(delay_s, 6)))
    )
    instance.now_s += 0.020
    wire.say(envelope(1, 5, "calls-changed", {"calls": [1]}))
    wire.say(envelope(1, 5, "calls-changed", {"calls": [1]}))
    wire.lose()
    wire = await instance.next_wire()
    wire.welcome("resumed", seq=6)
    wire.say(envelope(1, 6, "calls-changed", {"calls": []}))
    wire.say(envelope(1, 7, "calls-changed", {"calls": []}))
    end()
    wire.say(envelope(1, 8, "calls-changed", {"calls": []}))
    end()
    assert told == [(5, 0.02), (6, None), (7, 0.02)]
    assert instance.desk.duplicates == 1
    await instance.desk.close()


@pytest.mark.parametrize(
    ("frame", "code", "reason"),
    [
        ({"type": "refused", "id": "taken-over", "detail": ""}, 4409, "taken-over"),
        (None, 4401, "session.unknown"),
        (None, 4410, "session.ended"),
        (
            envelope(1, 5, "session-ended", {"reason": "switch.wrong-password", "detail": "d"}),
            4410,
            "switch.wrong-password",
        ),
    ],
)
async def test_the_end_of_a_session_is_told_to_all_who_wait_and_nothing_connects_again(frame, code, reason):
    instance, wire = await greeted()
    desk = instance.desk
    waiting = [
        asyncio.create_task(desk.command(READY)),
        asyncio.create_task(desk.until(lambda _: False, 5.0)),
    ]
    await asyncio.sleep(0)
    if frame is not None:
        wire.say(frame)
    wire.lose(code)
    for result in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(result, SessionOver)
        assert result.reason == reason
    assert desk.over is not None
    with pytest.raises(SessionOver):
        await desk.command(READY)
    with pytest.raises(SessionOver):
        await desk.until(lambda _: False, 1.0)
    await desk.close()
    assert instance.tries == 1


async def test_a_close_by_the_instance_for_a_restart_is_not_the_end():
    instance, wire = await greeted()
    wire.say({"type": "goodbye", "reason": "drain", "after_ms": 0})
    wire.lose(1012, "restart")
    await instance.next_wire()
    assert instance.desk.over is None
    await instance.desk.close()


async def test_log_out_waits_for_the_end():
    instance, wire = await greeted()
    task = asyncio.create_task(instance.desk.log_out())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert wire.heard[-1]["command"] == {"type": "log-out"}
    wire.say(envelope(1, 5, "session-ended", {"reason": "agent", "detail": ""}))
    assert (await task).reason == "agent"
    await instance.desk.close()


async def test_a_closed_desk_is_gone_whatever_it_was_doing():
    instance = Instance(refusals=10**9)
    async with instance.desk as desk:
        desk.start()
        await asyncio.sleep(0)
    assert instance.desk.over is not None
    assert str(instance.desk.over) == "closed"


async def test_an_instance_that_does_not_answer_our_close_is_let_go(monkeypatch):
    monkeypatch.setattr("unified_agent.client.desk.CLOSE_LIMIT_S", 0.0)
    instance, wire = await greeted()
    wire.answers_close = False
    await instance.desk.close()
    assert not wire.open


async def test_signs_of_life_go_out_and_a_silent_instance_is_cut(monkeypatch):
    instance, wire = await greeted()
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    monkeypatch.setattr(loop, "time", lambda: began_s + 6.0)
    instance.desk._look_after()
    assert wire.heard[-1] == {"type": "beat"}
    assert wire.open
    wire.say({"type": "beat", "now": ""})
    monkeypatch.setattr(loop, "time", lambda: began_s + 13.9)
    instance.desk._look_after()
    assert wire.open
    monkeypatch.setattr(loop, "time", lambda: began_s + 14.1)
    instance.desk._look_after()
    assert not wire.open
    monkeypatch.undo()
    await instance.desk.close()
