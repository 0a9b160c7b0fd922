"""Virtual agents: each logs in, presses what is to be pressed, and logs in again should its session end."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import httpx

from unified_agent.client import (
    ConnectionState,
    ConnectionStatus,
    Desk,
    InstanceUnreachable,
    LoginRefused,
    Move,
    Rest,
    SessionOver,
    Settled,
)
from unified_agent.tools.load.failovers import Failover
from unified_agent.tools.load.plan import LoadPlan
from unified_agent.tools.load.presses import next_press
from unified_agent.tools.load.truths import back_at_work

Json = dict[str, Any]
#: Told of each envelope that reached a desktop: which agent's, and the envelope.
Listener = Callable[["VirtualAgent", Json], None]
#: Told how each press ended: whose, and how.
EndListener = Callable[["VirtualAgent", Settled], None]

#: A person who is not let in tries again after this, seconds, unless the instance said when.
TRY_AGAIN_S: Final = 2.0
#: What a session that the system ended is counted under, with the reason it gave.
SESSION_ENDED: Final = "session ended: "
LOGIN_LIMIT_S: Final = 30.0
#: How long an agent waits for the end of a press, seconds.
ANSWER_LIMIT_S: Final = 20.0
#: After a press that was not done the agent looks again for this long, seconds, before pressing once more.
AFTER_REFUSAL_S: Final = 1.0
_NO_LIMIT_S: Final = 86_400.0


class VirtualAgent:
    """One agent.

    Attributes:
        index: from 0; gives the numbers.
        dialler_name: name at the dialler, empty for an agent who takes calls of the switch only.
        desk: the desktop, None while logged out.
        failovers: how each loss of an instance went, oldest first; emptied by ``Crowd.take_failovers``.
    """

    def __init__(self, index: int, crowd: Crowd) -> None:
        self.index: Final = index
        plan = crowd.plan
        self.dialler_name: Final = plan.numbers.dialler_login(index).name if plan.uses_dialler(index) else ""
        self.desk: Desk | None = None
        self.failovers: list[Failover] = []
        self._last_move: Move | None = None
        self._crowd = crowd

    @property
    def view(self) -> Json:
        """What the desktop shows, empty while logged out."""
        return self.desk.view if self.desk is not None else {}

    @property
    def back_at_work(self) -> bool:
        """Whether the desktop shows everything as known and in its place."""
        return bool(self.view) and back_at_work(self.view)

    async def live(self) -> None:
        """Log in and work, again and again. Ends by being cancelled."""
        while True:
            self.desk = await self._log_in()
            ends = self.desk.on_notice(self._heard), self.desk.on_connection(self._connected)
            try:
                await self._work(self.desk)
            except SessionOver as over:
                self._crowd.tally[f"{SESSION_ENDED}{over.reason}"] += 1
            finally:
                for end in ends:
                    end()
                desk, self.desk = self.desk, None
                await desk.close()
            await asyncio.sleep(TRY_AGAIN_S)

    async def _log_in(self) -> Desk:
        numbers = self._crowd.plan.numbers
        while True:
            wait_s = TRY_AGAIN_S
            try:
                return await Desk.log_in(
                    self._crowd.urls,
                    agent=numbers.agent(self.index),
                    station=numbers.station(self.index),
                    password=numbers.password,
                    dialler=numbers.dialler_login(self.index) if self.dialler_name else None,
                    limit_s=LOGIN_LIMIT_S,
                    rest=self._crowd.rest,
                )
            except LoginRefused as refused:
                self._crowd.tally[f"login refused: {refused.id}"] += 1
                wait_s = refused.retry_after_s or TRY_AGAIN_S
            except (InstanceUnreachable, TimeoutError, SessionOver) as error:
                self._crowd.tally[f"login failed: {type(error).__name__}"] += 1
            await asyncio.sleep(wait_s * self._crowd.chance.uniform(0.5, 1.5))

    async def _work(self, desk: Desk) -> None:
        crowd = self._crowd
        while True:
            await desk.until(next_press, _NO_LIMIT_S)
            await crowd.working.wait()
            press = next_press(desk.view)
            if press is None:
                continue
            await asyncio.sleep(crowd.chance.uniform(*press.after_s))
            still = next_press(desk.view)
            if still is None or still.what != press.what or not crowd.working.is_set():
                continue
            word = press.what.partition(" ")[0]
            try:
                settled = await desk.command(press.command, crowd.answer_limit_s)
            except TimeoutError:
                crowd.tally[f"{word}: no answer"] += 1
                continue
            crowd.tell_end(self, settled)
            crowd.tally[word if settled.done else f"{word}: {settled.outcome} {settled.error}"] += 1
            if not settled.done:
                await asyncio.sleep(AFTER_REFUSAL_S)

    def _connected(self, status: ConnectionStatus) -> None:
        moves = self.desk.moves if self.desk is not None and status.state is ConnectionState.LIVE else ()
        if moves and moves[-1] is not self._last_move:
            self._last_move = moves[-1]
            self.failovers.append(Failover(agent=self.index, move=moves[-1]))

    def _heard(self, envelope: Json, delay_s: float | None) -> None:
        if self.failovers and self.failovers[-1].back_at_s is None and self.back_at_work:
            self.failovers[-1].back_at_s = asyncio.get_running_loop().time()
        if delay_s is not None:
            self._crowd.delays.append(delay_s)
        self._crowd.tell(self, envelope)


class Crowd:
    """All agents.

    Attributes:
        urls: of the instances.
        plan: who they are.
        rest: shared by all desks.
        chance: how long each takes for what.
        agents: in the order of their indexes.
        tally: how often was pressed what, refused what, and so on.
        delays: seconds from an envelope's ``at`` to its receipt; emptied by ``take_delays``.
        answer_limit_s: how long an agent waits for the end of a press.
        working: cleared, nobody presses anything.
    """

    def __init__(
        self,
        urls: str | Sequence[str],
        plan: LoadPlan,
        http: httpx.AsyncClient,
        chance: random.Random,
        *,
        answer_limit_s: float = ANSWER_LIMIT_S,
    ) -> None:
        self.urls: Final = urls
        self.plan: Final = plan
        self.rest: Final = Rest(http)
        self.chance: Final = chance
        self.answer_limit_s: Final = answer_limit_s
        self.agents: Final = [VirtualAgent(index, self) for index in range(plan.agents)]
        self.tally: Final[Counter[str]] = Counter()
        self.delays: list[float] = []
        self.working: Final = asyncio.Event()
        self.working.set()
        self._listeners: list[Listener] = []
        self._end_listeners: list[EndListener] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def come(self, rate_per_s: float) -> None:
        """Let all agents log in, so many a second; returns when the last has begun."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        for number, agent in enumerate(self.agents):
            self._tasks.append(loop.create_task(agent.live(), name=f"agent-{agent.index}"))
            await asyncio.sleep(max(0.0, began_s + (number + 1) / rate_per_s - loop.time()))

    async def go(self, *, log_out: bool) -> None:
        """Let all go home.

        Args:
            log_out: in good order; otherwise the desktops are only switched off.
        """
        desks = [agent.desk for agent in self.agents if agent.desk is not None]
        if log_out:
            await asyncio.gather(*(desk.log_out() for desk in desks), return_exceptions=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def check(self) -> None:
        """Raise what an agent's task has failed with, which is a defect of ours."""
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Have a listener told of every envelope at every desktop; returns a function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def listen_to_ends(self, listener: EndListener) -> Callable[[], None]:
        """Have a listener told how each press ended, as its desktop was told; returns a function that ends it."""
        self._end_listeners.append(listener)
        return lambda: self._end_listeners.remove(listener)

    def tell_end(self, agent: VirtualAgent, settled: Settled) -> None:
        """Tell all listeners how a press ended."""
        for listener in self._end_listeners:
            listener(agent, settled)

    def tell(self, agent: VirtualAgent, envelope: Json) -> None:
        """Tell all listeners of an envelope."""
        for listener in self._listeners:
            listener(agent, envelope)

    def take_delays(self) -> list[float]:
        """Return the delays since the last time, sorted, and forget them."""
        delays, self.delays = self.delays, []
        return sorted(delays)

    def take_failovers(self) -> list[Failover]:
        """Return how each loss of an instance went for each agent since the last time, and forget it."""
        taken = [each for agent in self.agents for each in agent.failovers]
        for agent in self.agents:
            agent.failovers = []
        return taken

    def logged_in(self) -> Iterator[tuple[VirtualAgent, Desk]]:
        """All agents who have a desktop now, with it."""
        return ((agent, agent.desk) for agent in self.agents if agent.desk is not None)

    @property
    def back_at_work(self) -> int:
        """How many desktops show everything as known and in its place."""
        return sum(agent.back_at_work for agent in self.agents)
