"""A JtapiLink, a listener to its facts, and processes that are played by the test, on a clock set by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from typing import Any

from tests.unit.links.fakes import FixedChance, ManualClock, settle
from tests.unit.links.telephony.world import LINK, Ears

from unified_agent.domain.commands import CallCommand
from unified_agent.domain.effects import AskSwitch, SwitchAsk
from unified_agent.domain.facts import Fact
from unified_agent.domain.ids import LinkId, RequestId, SessionId, StationId
from unified_agent.errors import UnifiedAgentError
from unified_agent.links.telephony.jtapi import messages
from unified_agent.links.telephony.jtapi.link import JtapiLink
from unified_agent.observe import Metrics
from unified_agent.settings import AesServerSettings, JtapiSettings, TelephonySettings

JTAPI = JtapiSettings(class_path=(Path("peer.jar"),), open_limit_s=20.0)


class PlayedWorker:
    """Implements ``Worker``: remembers what it is told, answers pings unless it is to hang, says what the test says."""

    def __init__(
        self,
        link: LinkId,
        on_message: Callable[[messages.FromProcess], None],
        on_lost: Callable[[str, str], None],
    ) -> None:
        self.link = link
        self.say = on_message
        self.lose = on_lost
        self.told: list[messages.FromServer] = []
        self.hangs = False
        self.ended: bool | None = None

    def send(self, message: messages.FromServer) -> None:
        self.told.append(message)
        if isinstance(message, messages.Ping) and not self.hangs:
            self.say(messages.Pong(number=message.number))

    async def end(self, *, at_once: bool = False) -> str:
        self.ended = at_once
        return "ended with status 7"

    def of(self, kind: type[Any]) -> list[Any]:
        return [each for each in self.told if isinstance(each, kind)]

    # --- what it says

    def open(self, **other: Any) -> None:
        self.say(messages.Opened(**{"java": "17.0.1", "agents": "vendor", **other}))

    def come_up(self, generation: int = 1) -> None:
        if generation == 1:
            self.open()
        self.say(messages.Up(generation=generation))

    def go_down(self, reason: str = "switch-link-down", generation: int = 1, *, lost: bool = False) -> None:
        self.say(messages.Down(generation=generation, reason=reason, detail="because", lost=lost))

    def tell(self, fact: Fact, generation: int = 1) -> None:
        self.say(messages.told_of(generation, fact))


class LinkWorld:
    """One link with AES servers aes-1, aes-2 …; ``workers`` are all processes that it has started."""

    def __init__(self, servers: int = 1, **settings: Any) -> None:
        self.clock = ManualClock()
        self.ears = Ears()
        self.metrics = Metrics()
        self.workers: list[PlayedWorker] = []
        self.start_error: UnifiedAgentError | None = None
        names = [f"aes-{number}" for number in range(1, servers + 1)]
        given = {
            "kind": "jtapi",
            "servers": tuple(
                AesServerSettings(name=LinkId(each), host=f"{each}.example", service="AVAYA#CM1#CSTA#AES1")
                for each in names
            ),
            "user": "ctiuser",
            "password": "secret",
            "jtapi": JTAPI,
            "link": LINK,
        }
        self.link = JtapiLink(
            TelephonySettings(**{**given, **settings}),
            self.ears,
            start_worker=self._start_worker,
            clock=self.clock,
            chance=FixedChance(),
            metrics=self.metrics,
        )
        self._next_request = 0

    async def _start_worker(
        self,
        link: LinkId,
        *,
        on_message: Callable[[messages.FromProcess], None],
        on_lost: Callable[[str, str], None],
    ) -> PlayedWorker:
        if self.start_error is not None:
            raise self.start_error
        self.workers.append(PlayedWorker(link, on_message, on_lost))
        return self.workers[-1]

    @property
    def worker(self) -> PlayedWorker:
        """The process started last."""
        return self.workers[-1]

    async def run(self, seconds: float, step_s: float = 0.05) -> None:
        """Let time pass, and with it tasks and timers."""
        until_s = self.clock.now_s() + seconds
        await settle()
        while (left_s := until_s - self.clock.now_s()) > 1e-9:
            self.clock.advance(min(step_s, left_s))
            await settle(4)

    def ask(self, ask: SwitchAsk | CallCommand, session: str = "s-1") -> RequestId:
        self._next_request += 1
        request = RequestId(self._next_request)
        self.link.ask(AskSwitch(session=SessionId(session), station=StationId("2001"), request=request, ask=ask))
        return request

    def metric(self, name: str, **labels: str) -> float:
        value = self.metrics.registry.get_sample_value(name, labels)
        return 0.0 if value is None else value


def in_link_world(
    *, up: bool = True, **settings: Any
) -> Callable[[Callable[[LinkWorld], Awaitable[None]]], Callable[[], None]]:
    """Make a play a test, in a world whose link is started, and up unless told otherwise."""

    def make(play: Callable[[LinkWorld], Awaitable[None]]) -> Callable[[], None]:
        async def go() -> None:
            world = LinkWorld(**settings)
            world.link.start(epoch=7)
            await world.run(0.1)
            if up:
                world.worker.come_up()
            try:
                await play(world)
            finally:
                stopping = asyncio.ensure_future(world.link.stop())
                while not stopping.done():
                    await world.run(0.1)
                await stopping

        @wraps(play)
        def test() -> None:
            asyncio.run(go())

        del test.__wrapped__  # or pytest takes ``world`` for a fixture
        return test

    return make
