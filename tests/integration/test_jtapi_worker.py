"""Processes for JTAPI, real ones: started, talked to, hung, killed, and none of them left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop
from structlog.testing import capture_logs

from unified_agent.clock import LoopClock
from unified_agent.domain.effects import AskSwitch, Observe
from unified_agent.domain.facts import Fact, LinkFact, RequestDone, RequestUnknown, TelephonyDown, TelephonyUp
from unified_agent.domain.ids import LinkId, RequestId, Secret, SessionId, StationId
from unified_agent.errors import LinkNotReady
from unified_agent.links.telephony.jtapi import messages
from unified_agent.links.telephony.jtapi.java_options import JavaSettings
from unified_agent.links.telephony.jtapi.link import JtapiLink
from unified_agent.links.telephony.jtapi.worker import ProcessStarter, ProcessWorker
from unified_agent.observe import Metrics
from unified_agent.settings import AesServerSettings, JtapiSettings, LinkSettings, TelephonySettings

pytestmark = pytest.mark.integration

CHILD = Path(__file__).parent / "jtapi_child.py"
#: A process of Python on a busy machine needs its time.
LIMIT_S = 60.0
AES_1 = LinkId("aes-1")
OPEN = messages.Open(
    link="aes-1",
    peer="Peer",
    service="",
    user="ctiuser",
    password=Secret("secret"),
    parameters={},
    open_limit_s=30.0,
    heartbeat_s=5,
    probe_interval_s=3,
    silence_limit_s=9,
    request_limit_s=10,
    poll_interval_s=10,
    threads=4,
)


class Watched:
    """One process and what it said."""

    def __init__(self) -> None:
        self.worker: ProcessWorker = None  # type: ignore[assignment]  # made with us as its ears
        self.said: list[messages.FromProcess] = []
        self.lost: list[tuple[str, str]] = []

    async def until(self, what: Callable[[], Any]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not what():  # noqa: ASYNC110 - what is waited for is not ours to tell
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def started(how: str, **limits: Any) -> AsyncIterator[Watched]:
    watched = Watched()
    start = ProcessStarter(
        LoopClock(asyncio.get_running_loop()),
        JavaSettings(class_path=("peer.jar",)),
        command=(sys.executable, "-P", str(CHILD), how),
        **limits,
    )
    watched.worker = await start(AES_1, on_message=watched.said.append, on_lost=lambda *why: watched.lost.append(why))
    try:
        yield watched
    finally:
        await watched.worker.end(at_once=True)
        assert is_gone(watched.worker.pid)


def is_gone(pid: int) -> bool:
    """Whether there is no such process any more, not even as a zombie."""
    return not Path(f"/proc/{pid}").exists()


def shown_of(pid: int) -> list[bytes]:
    """Return what others may see of a process."""
    return [Path(f"/proc/{pid}/{what}").read_bytes() for what in ("cmdline", "environ")]


@pytest.fixture(params=[uvloop.new_event_loop, None], ids=["uvloop", "asyncio"])
def run(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, None]], None]:
    def run_it(play: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(play)

    return run_it


def test_a_process_is_started_asked_and_ended_in_order(run):
    async def play() -> None:
        async with started("well") as watched:
            watched.worker.send(OPEN)
            await watched.until(lambda: len(watched.said) == 2)
            assert watched.said == [
                messages.Opened(java=str(watched.worker.pid), agents="none"),
                messages.Up(generation=1),
            ]
            for number in range(1, 501):
                watched.worker.send(messages.Ping(number=number))
            await watched.until(lambda: len(watched.said) == 502)
            assert watched.said[-1] == messages.Pong(number=500)
            assert await watched.worker.end() == "ended with status 0"
            assert is_gone(watched.worker.pid)
            assert watched.lost == []
            watched.worker.send(messages.Ping(number=501))
            assert await watched.worker.end() == "ended with status 0"

    run(play())


def test_no_password_is_in_the_process_s_arguments_or_environment(run, monkeypatch):
    monkeypatch.setenv("UA_TELEPHONY__PASSWORD", "secret")

    async def play() -> None:
        async with started("well") as watched:
            watched.worker.send(OPEN)
            await watched.until(lambda: watched.said)
            assert all(b"secret" not in each for each in shown_of(watched.worker.pid))
            await watched.worker.end()

    with capture_logs() as logs:
        run(play())
    assert "opening with (hidden)" in [each.get("words") for each in logs]
    assert "secret" not in repr(logs)


def test_a_process_that_ends_by_itself_is_lost_with_its_last_words(run):
    async def play() -> None:
        async with started("fails") as watched:
            watched.worker.send(OPEN)
            await watched.until(lambda: watched.lost)
            assert watched.lost[0][0] == "closed"
            how = await watched.worker.end()
            assert how == "ended with status 1; its last words: there is no Java here; passwd=(hidden)"
            assert len(watched.lost) == 1

    run(play())


def test_a_process_that_crashes_is_lost_at_once_and_waited_for(run):
    async def play() -> None:
        async with started("well") as watched:
            watched.worker.send(OPEN)
            await watched.until(lambda: watched.said)
            os.kill(watched.worker.pid, signal.SIGSEGV)
            await watched.until(lambda: watched.lost)
            assert await watched.worker.end() == "was ended by SIGSEGV"

    run(play())


@pytest.mark.parametrize("how", ["stubborn", "deaf"])
def test_a_process_that_does_not_end_when_asked_is_made_to(run, how):
    async def play() -> None:
        async with started(how, close_limit_s=0.2, terminate_limit_s=0.2) as watched:
            watched.worker.send(OPEN)
            await watched.until(lambda: watched.said)
            ended = "SIGTERM" if how == "stubborn" else "SIGKILL"
            assert await watched.worker.end() == f"was ended by {ended}"
            assert watched.lost == []

    run(play())


def test_a_frozen_process_is_killed_at_once(run):
    async def play() -> None:
        async with started("well") as watched:
            watched.worker.send(OPEN)
            await watched.until(lambda: watched.said)
            os.kill(watched.worker.pid, signal.SIGSTOP)
            assert await watched.worker.end(at_once=True) == "was ended by SIGKILL"

    run(play())


def test_a_process_that_breaks_the_frames_is_lost(run):
    async def play() -> None:
        async with started("garbage") as watched:
            watched.worker.send(OPEN)
            await watched.until(lambda: watched.lost)
            assert watched.lost[0][0] == "protocol"

    run(play())


def test_a_program_that_is_not_there_is_no_link(run):
    async def play() -> None:
        start = ProcessStarter(LoopClock(asyncio.get_running_loop()), JavaSettings(), command=("/nowhere/python",))
        with pytest.raises(LinkNotReady, match="no process for JTAPI can be started"):
            await start(AES_1, on_message=lambda _: None, on_lost=lambda *_: None)

    run(play())


def test_a_start_that_is_called_off_leaves_no_process(run):
    async def play() -> None:
        with capture_logs() as logs:
            start = ProcessStarter(
                LoopClock(asyncio.get_running_loop()),
                JavaSettings(),
                command=(sys.executable, "-P", str(CHILD), "well"),
            )
            starting = asyncio.ensure_future(start(AES_1, on_message=lambda _: None, on_lost=lambda *_: None))
            await asyncio.sleep(0)
            starting.cancel()
            await asyncio.wait([starting])
            assert starting.cancelled()
        (pid,) = [each["pid"] for each in logs if each["event"] == "jtapi_process_started"]
        assert is_gone(pid)

    run(play())


# --- the link on real processes


class Ears:
    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.links: list[LinkFact] = []

    def report(self, fact: Fact) -> None:
        self.facts.append(fact)

    def report_link(self, fact: LinkFact) -> None:
        self.links.append(fact)


def test_a_link_gets_over_the_crash_and_the_freeze_of_its_process(run):
    async def play() -> None:
        ears, watched = Ears(), Watched()
        clock = LoopClock(asyncio.get_running_loop())
        settings = TelephonySettings(
            kind="jtapi",
            servers=(AesServerSettings(name=AES_1, host="aes.example"),),
            user="ctiuser",
            password="secret",
            jtapi=JtapiSettings(class_path=(Path("peer.jar"),), probe_interval_s=1.0),
            link=LinkSettings(heartbeat_interval_s=0.5, silence_limit_s=5.0, backoff_base_s=0.05, backoff_cap_s=0.1),
        )
        pids: list[int] = []
        start = ProcessStarter(clock, JavaSettings(), command=(sys.executable, "-P", str(CHILD), "well"))

        async def start_and_note(*args: Any, **kwargs: Any) -> ProcessWorker:
            worker = await start(*args, **kwargs)
            pids.append(worker.pid)
            return worker

        link = JtapiLink(settings, ears, start_worker=start_and_note, clock=clock, chance=Upper(), metrics=Metrics())

        def ask(number: int) -> None:
            link.ask(
                AskSwitch(
                    session=SessionId("s-1"),
                    station=StationId("2001"),
                    request=RequestId(number),
                    ask=Observe(),
                )
            )

        link.start()
        for number, (harm, reason) in enumerate(((signal.SIGKILL, "closed"), (signal.SIGSTOP, "silent")), start=1):
            await watched.until(lambda: link.is_up)
            ask(2 * number)
            await watched.until(lambda: ears.facts)
            assert ears.facts == [RequestDone(session=SessionId("s-1"), request=RequestId(2 * number))]
            os.kill(pids[-1], harm)
            if harm is signal.SIGSTOP:
                ask(2 * number + 1)
            await watched.until(lambda: not link.is_up)
            assert ears.links == [TelephonyUp(link=AES_1), TelephonyDown(link=AES_1, reason=reason)]
            assert len([each for each in ears.facts if isinstance(each, RequestUnknown)]) == int(reason == "silent")
            ears.links.clear()
            ears.facts.clear()
        await watched.until(lambda: link.is_up)
        await link.stop()
        assert len(pids) == 3
        assert [is_gone(each) for each in pids] == [True] * 3

    run(play())


class Upper:
    """Implements ``Chance``: always the longest wait."""

    def uniform(self, a: float, b: float) -> float:
        return b
