"""Keeps one link up: the only retry loop in the house.

Time and chance come in. What is dialled and what is spoken is the caller's; here is only when to try, where, and
how long to wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from unified_agent.domain.backoff import delay_s
from unified_agent.domain.ids import LinkId
from unified_agent.domain.ports import Chance, Clock
from unified_agent.errors import LinkNotReady, LinkRefused
from unified_agent.observe import get_logger, log_event
from unified_agent.settings import LinkSettings

LOGGER = get_logger("links.supervisor")

ServerT = TypeVar("ServerT")

#: Serves on one server until the link is lost, and returns the reason. It calls its second argument when the link is
#: usable. It raises LinkNotReady or LinkRefused when the server cannot be used, also after it was; the next one is
#: tried then. Cancelled, it closes and returns.
Serve = Callable[[ServerT, Callable[[], None]], Awaitable[str]]


class Plan(Struct, frozen=True, kw_only=True):
    """What to try next. Attributes: ``server`` by its place in the list; ``at_s`` when, on the caller's clock."""

    server: int
    at_s: float


class Rota:
    """Decides which server is tried next and when. Pure but for the chance it is given.

    All servers are tried in order, without a wait between them; then comes a wait with full jitter, longer after
    each round. The one that worked is tried first after a loss, because there a session may be resumed. A server
    that refused us is left alone for ``refused_retry_s``.

    Args:
        servers: how many there are.
        settings: the waits.
        chance: for the jitter.
    """

    def __init__(self, servers: int, settings: LinkSettings, chance: Chance) -> None:
        assert servers > 0, "a link needs a server"
        self._settings = settings
        self._chance = chance
        self._not_before_s = [0.0] * servers
        self._tried: set[int] = set()
        self._current = 0
        self._round = 0
        self._up_since_s: float | None = None

    def first(self, now_s: float) -> Plan:
        """Return the plan at the start: the first server, at once."""
        return Plan(server=self._current, at_s=now_s)

    def came_up(self, now_s: float) -> None:
        """Note that the server last planned serves."""
        self._up_since_s = now_s
        self._tried.clear()

    def after_loss(self, now_s: float) -> Plan:
        """Plan after a link that was up is lost: the same server first."""
        self._settle_round(now_s)
        return self._next_round(now_s)

    def after_failure(self, now_s: float) -> Plan:
        """Plan after a server could not be used: the next one."""
        self._settle_round(now_s)
        return self._next(now_s)

    def after_refusal(self, now_s: float) -> Plan:
        """Plan after the server refused us."""
        self._up_since_s = None
        self._not_before_s[self._current] = now_s + self._settings.refused_retry_s
        return self._next(now_s)

    def ask_all_again(self) -> None:
        """Forget refusals, because a person says that they mended what was refused."""
        self._not_before_s = [0.0] * len(self._not_before_s)

    def _settle_round(self, now_s: float) -> None:
        """Begin with short waits again, unless the link fails right after coming up: then it has not recovered."""
        if self._up_since_s is not None and now_s - self._up_since_s >= self._settings.backoff_cap_s:
            self._round = 0
        self._up_since_s = None

    def _next(self, now_s: float) -> Plan:
        self._tried.add(self._current)
        count = len(self._not_before_s)
        for step in range(1, count):
            candidate = (self._current + step) % count
            if candidate not in self._tried and self._not_before_s[candidate] <= now_s:
                self._current = candidate
                return Plan(server=candidate, at_s=now_s)
        self._current = (self._current + 1) % count
        return self._next_round(now_s)

    def _next_round(self, now_s: float) -> Plan:
        self._tried.clear()
        self._round += 1
        at_s = now_s + delay_s(
            self._round, self._chance, base_s=self._settings.backoff_base_s, cap_s=self._settings.backoff_cap_s
        )
        count = len(self._not_before_s)
        in_order = [(self._current + step) % count for step in range(count)]
        self._current = min(in_order, key=lambda each: max(at_s, self._not_before_s[each]))
        return Plan(server=self._current, at_s=max(at_s, self._not_before_s[self._current]))


class Supervisor(Generic[ServerT]):
    """Keeps one link up until it is stopped.

    Args:
        link: its name in logs and status.
        servers: in the order in which they are tried, each with its name.
        serve: see ``Serve``.
        settings: waits.
        clock, chance: where time and jitter come from.
    """

    def __init__(
        self,
        link: LinkId,
        servers: Sequence[tuple[LinkId, ServerT]],
        serve: Serve[ServerT],
        *,
        settings: LinkSettings,
        clock: Clock,
        chance: Chance,
    ) -> None:
        self.link = link
        self._servers = servers
        self._serve = serve
        self._clock = clock
        self._rota = Rota(len(servers), settings, chance)
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._hurry = asyncio.Event()
        self._doing = "has not been started"
        self._since_s = clock.now_s()
        self._tries = 0

    @property
    def status(self) -> str:
        """What it is doing, as a sentence for the health page, with the seconds since it began."""
        return f"{self.link}: {self._doing} (for {self._clock.now_s() - self._since_s:.0f} s)"

    @property
    def tries(self) -> int:
        """Attempts to connect since the link last was up."""
        return self._tries

    def start(self) -> None:
        """Begin to keep the link up, also after a stop. Must be called in the running loop."""
        assert self._task is None, "started, and not stopped since"
        self._stopping = False
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"supervisor {self.link}")

    async def stop(self) -> None:
        """Close the link and stop. Returns when all has ended."""
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        self._say("stopped")

    def retry_now(self) -> None:
        """Try again without waiting, refused servers too: a person mended something."""
        self._rota.ask_all_again()
        self._hurry.set()

    async def _run(self) -> None:
        plan = self._rota.first(self._clock.now_s())
        while not self._stopping:  # a defect while closing takes the place of the cancellation
            await self._wait_until(plan.at_s)
            plan = await self._try(plan.server)

    async def _try(self, index: int) -> Plan:
        name, server = self._servers[index]
        self._tries += 1
        self._say(f"connecting to {name}, try {self._tries}")
        try:
            reason = await self._serve(server, lambda: self._came_up(name))
        except LinkRefused as error:
            self._say(f"{name} refused us: {error}; a person must act")
            log_event(LOGGER, "link_refused", level="error", link=self.link, server=name, why=str(error))
            return self._rota.after_refusal(self._clock.now_s())
        except LinkNotReady as error:
            self._say(f"{name} is not ready: {error}")
            log_event(LOGGER, "link_not_ready", level="warning", link=self.link, server=name, why=str(error))
            return self._rota.after_failure(self._clock.now_s())
        except Exception as error:  # noqa: BLE001 - a defect of ours must not leave every agent without a link
            self._say(f"{name} failed us by a defect of ours, see the log: {error!r}")
            log_event(LOGGER, "link_defect", level="error", error=error, link=self.link, server=name)
            return self._rota.after_failure(self._clock.now_s())
        self._say(f"lost {name}: {reason}")
        return self._rota.after_loss(self._clock.now_s())

    def _came_up(self, name: LinkId) -> None:
        self._tries = 0
        self._rota.came_up(self._clock.now_s())
        self._say(f"up on {name}")

    async def _wait_until(self, at_s: float) -> None:
        """Wait, on the clock that was given, or until ``retry_now``."""
        self._hurry.clear()
        if at_s <= self._clock.now_s():
            return
        self._doing = f"{self._doing}; next try in {at_s - self._clock.now_s():.1f} s"
        timer = self._clock.call_at(at_s, self._hurry.set)
        try:
            await self._hurry.wait()
        finally:
            timer.cancel()

    def _say(self, doing: str) -> None:
        self._doing = doing
        self._since_s = self._clock.now_s()
