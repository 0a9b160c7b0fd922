"""Callers: when they call, how long they wait, how long they talk, and what data they bring."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from enum import StrEnum

from unified_agent.errors import SettingsError
from unified_agent.tools.simulators.aes.refusals import Refused
from unified_agent.tools.simulators.aes.switch import Switch


class Arrivals(StrEnum):
    """How the time between two calls is chosen: at random, evenly, or many at once."""

    POISSON = "poisson"
    STEADY = "steady"
    BURST = "burst"


class DurationKind(StrEnum):
    """The shape of a distribution of durations."""

    FIXED = "fixed"
    UNIFORM = "uniform"
    EXPONENTIAL = "exponential"
    LOGNORMAL = "lognormal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """A distribution of durations.

    Attributes:
        kind: FIXED is always the mean; UNIFORM is mean ± spread; EXPONENTIAL has the mean; LOGNORMAL has the mean and
            the spread as its standard deviation, as talk times do.
        mean_s: above zero.
        spread_s: zero or more.
        least_s: nothing shorter is drawn.
    """

    kind: DurationKind = DurationKind.LOGNORMAL
    mean_s: float = 30.0
    spread_s: float = 15.0
    least_s: float = 1.0

    def __post_init__(self) -> None:
        if self.mean_s <= 0 or self.spread_s < 0 or self.least_s < 0:
            raise SettingsError("a duration needs mean_s above 0, and spread_s and least_s of 0 or more")

    def draw(self, chance: random.Random) -> float:
        """Choose one duration, in seconds."""
        match self.kind:
            case DurationKind.FIXED:
                drawn = self.mean_s
            case DurationKind.UNIFORM:
                drawn = chance.uniform(self.mean_s - self.spread_s, self.mean_s + self.spread_s)
            case DurationKind.EXPONENTIAL:
                drawn = chance.expovariate(1 / self.mean_s)
            case DurationKind.LOGNORMAL:
                variance = math.log(1 + (self.spread_s / self.mean_s) ** 2)
                drawn = chance.lognormvariate(math.log(self.mean_s) - variance / 2, math.sqrt(variance))
        return max(self.least_s, drawn)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficPlan:
    """One stream of callers.

    Attributes:
        number: what they dial: a VDN, hunt group, station or agent id.
        calls_per_minute: mean rate; 0: none until the rate is set.
        arrivals: see ``Arrivals``.
        burst_size: calls that come at once with BURST; the bursts keep the mean rate.
        talk: how long callers talk before they hang up.
        patience: how long callers wait for somebody to answer.
        caller_prefix: first digits of the callers' numbers; four more follow.
        user_data: UUI of each call; ``{n}`` in it is the number of the call; empty: none.
    """

    number: str = "8000"
    calls_per_minute: float = 0.0
    arrivals: Arrivals = Arrivals.POISSON
    burst_size: int = 10
    talk: Duration = field(default_factory=Duration)
    patience: Duration = field(
        default_factory=lambda: Duration(kind=DurationKind.EXPONENTIAL, mean_s=120.0, least_s=5.0)
    )
    caller_prefix: str = "020794"
    user_data: str = "ACC={n}"

    def __post_init__(self) -> None:
        if self.calls_per_minute < 0 or self.burst_size < 1:
            raise SettingsError("traffic needs calls_per_minute of 0 or more and burst_size of 1 or more")


class Traffic:
    """Places the calls of one stream on a switch.

    Args:
        plan: rate and pattern.
        chance: every random choice comes from here.
        now_s: the time; the first call comes one interval later.

    Attributes:
        running: False while stopped.
        calls_per_minute: the present rate.
        placed: calls placed so far.
        refused: calls the switch did not take.
    """

    def __init__(self, plan: TrafficPlan, *, chance: random.Random, now_s: float = 0.0) -> None:
        self.plan = plan
        self.running = True
        self.calls_per_minute = plan.calls_per_minute
        self.placed = 0
        self.refused = 0
        self._chance = chance
        self._next_s: float | None = None
        self._plan_next(now_s)

    def next_timer(self) -> float | None:
        """Return when the next call comes, or None."""
        return self._next_s

    def advance(self, now_s: float, switch: Switch) -> None:
        """Place the calls that are due by ``now_s``, each at its own time."""
        while self._next_s is not None and self._next_s <= now_s:
            due_s = self._next_s
            switch.advance(due_s)
            for _ in range(self.plan.burst_size if self.plan.arrivals is Arrivals.BURST else 1):
                self._place(switch)
            self._plan_next(due_s)

    def set_rate(self, calls_per_minute: float, now_s: float) -> None:
        """Change the mean rate from now on.

        Raises:
            SettingsError: the rate is negative.
        """
        if calls_per_minute < 0:
            raise SettingsError("calls_per_minute must be 0 or more")
        self.calls_per_minute = calls_per_minute
        self._plan_next(now_s)

    def start(self, now_s: float) -> None:
        """Go on placing calls."""
        self.running = True
        self._plan_next(now_s)

    def stop(self) -> None:
        """Place no more calls; those that are there go on."""
        self.running = False
        self._next_s = None

    def _plan_next(self, from_s: float) -> None:
        if not self.running or self.calls_per_minute == 0:
            self._next_s = None
            return
        interval_s = 60.0 / self.calls_per_minute
        match self.plan.arrivals:
            case Arrivals.POISSON:
                interval_s = self._chance.expovariate(1 / interval_s)
            case Arrivals.BURST:
                interval_s *= self.plan.burst_size
            case Arrivals.STEADY:
                pass
        self._next_s = from_s + interval_s

    def _place(self, switch: Switch) -> None:
        self.placed += 1
        caller = f"{self.plan.caller_prefix}{self.placed % 10_000:04d}"
        user_data = self.plan.user_data.replace("{n}", str(self.placed)).encode()
        try:
            switch.place_call(
                caller,
                self.plan.number,
                user_data=user_data or None,
                patience_s=self.plan.patience.draw(self._chance),
                talk_s=self.plan.talk.draw(self._chance),
            )
        except Refused:
            self.refused += 1
