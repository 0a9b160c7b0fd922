"""JTAPI's process without a process: the real desk over a simulated provider, in the loop of whoever starts it.

What is said goes by way of the protocol's bytes, a little late. It can be killed, and it can hang.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from tests.simulation.in_order import InOrder
from tests.simulation.simulated_jtapi import Habits, SimulatedJtapi

from unified_agent.domain.ids import LinkId
from unified_agent.domain.ports import Clock, Timer
from unified_agent.errors import LinkNotReady, LinkRefused
from unified_agent.links.telephony.jtapi import messages
from unified_agent.links.telephony.jtapi.desk import DeskSettings, JtapiDesk
from unified_agent.network import Network

#: A JVM needs about so long to start, seconds.
START_S = (0.2, 0.5)
LATE_S = 0.002


class SimulatedWorkers:
    """Implements ``StartWorker``.

    Args:
        network: as the process sees it.
        clock, random: where time and chance come from.
        is_station: whether a number has a terminal.
        choose_habits: of each process's client library.

    Attributes:
        running: those that have not ended.
    """

    def __init__(
        self,
        *,
        network: Network,
        clock: Clock,
        random: Random,
        is_station: Callable[[str], bool],
        choose_habits: Callable[[Random], Habits] = Habits.chosen,
    ) -> None:
        self.running: list[SimulatedWorker] = []
        self._network = network
        self._clock = clock
        self._random = random
        self._is_station = is_station
        self._choose_habits = choose_habits

    async def __call__(
        self,
        link: LinkId,
        *,
        on_message: Callable[[messages.FromProcess], None],
        on_lost: Callable[[str, str], None],
    ) -> SimulatedWorker:
        """See ``StartWorker``."""
        await asyncio.sleep(self._random.uniform(*START_S))
        random = Random(self._random.random())

        def make_provider(opening: messages.Open, on_event: Callable[..., None]) -> SimulatedJtapi:
            return SimulatedJtapi(
                opening,
                network=self._network,
                clock=self._clock,
                random=random,
                is_station=self._is_station,
                habits=self._choose_habits(random),
                on_event=on_event,
            )

        worker = SimulatedWorker(self._clock, make_provider, on_message, on_lost, self._ended)
        self.running.append(worker)
        return worker

    def _ended(self, worker: SimulatedWorker) -> None:
        if worker in self.running:
            self.running.remove(worker)

    def kill(self) -> None:
        """Kill every process."""
        for each in list(self.running):
            each.kill()

    def hang(self) -> None:
        """Have every process do nothing more."""
        for each in self.running:
            each.hang()


class SimulatedWorker:
    """Implements ``Worker``: what ``bridge`` does in a process of its own."""

    def __init__(
        self,
        clock: Clock,
        make_provider: Callable[..., SimulatedJtapi],
        on_message: Callable[[messages.FromProcess], None],
        on_lost: Callable[[str, str], None],
        on_end: Callable[[SimulatedWorker], None],
    ) -> None:
        self._clock = clock
        self._make_provider = make_provider
        self._on_message = on_message
        self._on_lost = on_lost
        self._on_end = on_end
        self._desk: JtapiDesk | None = None
        self._provider: SimulatedJtapi | None = None
        self._opening: asyncio.Task[None] | None = None
        self._limit: Timer | None = None
        self._in_order = InOrder(clock)
        self._deaf = False
        self._mute = False
        self._hangs = False

    # --- Worker

    def send(self, message: messages.FromServer) -> None:
        """See ``Worker``."""
        content = messages.write(message)
        self._soon(lambda: None if self._deaf else self._obey(messages.read_from_server(content)))

    async def end(self, *, at_once: bool = False) -> str:
        """See ``Worker``."""
        self._mute = True
        self._on_end(self)
        self._stop()
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait([self._opening])
        if self._provider is not None:
            if at_once or self._hangs:
                self._provider.vanish()
            else:
                self._provider.close()
                await self._provider.closed()
        return "was ended by SIGKILL" if at_once else "ended with status 0"

    # --- faults

    def kill(self) -> None:
        """End as if by a signal."""
        if self._provider is not None:
            self._provider.vanish()
        self._hangs = True
        self._stop()
        self._soon(self._lose)

    def hang(self) -> None:
        """Say and do nothing more; what it has open stays so."""
        self._hangs = self._deaf = self._mute = True

    # --- inside

    def _stop(self) -> None:
        self._deaf = True
        if self._desk is not None:
            self._desk.close()
        if self._limit is not None:
            self._limit.cancel()

    def _lose(self) -> None:
        if not self._mute:
            self._mute = True
            self._on_lost("closed", "the process closed its socket")

    def _soon(self, act: Callable[[], None]) -> None:
        self._in_order.later(LATE_S, act)

    def _say(self, message: messages.FromProcess) -> None:
        content = messages.write(message)
        self._soon(lambda: None if self._mute else self._on_message(messages.read_from_process(content)))

    def _obey(self, message: messages.FromServer) -> None:
        match message:
            case messages.Open():
                self._opening = asyncio.ensure_future(self._open(message))
            case messages.Ping(number=number):
                self._say(messages.Pong(number=number))
            case messages.Ask():
                assert self._desk is not None, "nothing is asked before it is open"
                self._desk.ask(message)
            case messages.Forget(session=session):
                if self._desk is not None:
                    self._desk.forget(session)
            case messages.Close():
                self._stop()
                self._soon(self._lose)

    async def _open(self, opening: messages.Open) -> None:
        settings = DeskSettings(
            request_limit_s=opening.request_limit_s,
            probe_interval_s=opening.probe_interval_s,
            silence_limit_s=opening.silence_limit_s,
            poll_interval_s=opening.poll_interval_s,
            in_flight_limit=opening.threads,
        )
        desk = self._desk = JtapiDesk(settings, self._clock, self._say, self._provider_lost)
        self._provider = self._make_provider(opening, lambda event: None if self._deaf else desk.take_event(event))
        self._limit = self._clock.call_at(self._clock.now_s() + opening.open_limit_s, self._open_too_long)
        try:
            await self._provider.open()
        except (LinkNotReady, LinkRefused) as error:
            self._say(messages.Failed(refused=isinstance(error, LinkRefused), detail=str(error)))
            self._stop()
            self._soon(self._lose)
            return
        self._say(messages.Opened(java="none", agents=self._provider.agents, missing=self._provider.missing))
        desk.open(self._provider)

    def _open_too_long(self) -> None:
        if self._desk is not None and self._desk.generation == 0 and not self._deaf:
            self._say(messages.Failed(refused=False, detail="the switch is not in service"))
            self._stop()
            self._soon(self._lose)

    def _provider_lost(self) -> None:
        self._stop()
        self._soon(self._lose)
