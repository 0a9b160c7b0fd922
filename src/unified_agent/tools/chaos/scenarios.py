"""The faults that are measured, with what is aimed at."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Final

from unified_agent.tools.chaos import faults
from unified_agent.tools.chaos.faults import Scene, Struck
from unified_agent.tools.chaos.report import NO_AIMS, Aims

#: Until 99 of 100 agents work again on another instance, seconds from the fault; later is wrong on any machine.
CRASH_LIMIT_S: Final = 10.0
SILENCE_LIMIT_S: Final = 15.0
DATACENTRE_LIMIT_S: Final = 30.0
#: The same for a move in good order.
PLANNED_LIMIT_S: Final = 60.0

#: What agents should see where instances, store and agents have processors of their own.
CRASH_AIMS: Final = Aims(back_p50_s=1.5, back_p95_s=3.0, back_p99_s=5.0)
SILENCE_AIMS: Final = Aims(back_p95_s=9.0)
HOST_AIMS: Final = Aims(back_p95_s=9.0, attached_p95_s=3.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One fault.

    Attributes:
        name: for the option.
        title: for people.
        begin: makes it happen; returns the instances that serve nobody any more.
        heal: undoes it, and waits until all is whole.
        hold_s: how long it lasts at least, seconds: long enough to see what must not happen.
        back_limit_s: until 99 of 100 agents must work again, from the fault; None when nobody may notice anything.
        aims: what is hoped for besides.
        planned: nothing fails, so desktops are hardly ever out of step.
    """

    name: str
    title: str
    begin: Callable[[Scene], Coroutine[None, None, Struck]]
    heal: Callable[[Scene], Coroutine[None, None, None]] = faults.heal
    hold_s: float = 0.0
    back_limit_s: float | None = None
    aims: Aims = NO_AIMS
    planned: bool = False


SCENARIOS: Final = {
    each.name: each
    for each in (
        Scenario(
            name="kill", title="a serving process is killed", begin=faults.kill, back_limit_s=CRASH_LIMIT_S,
            aims=CRASH_AIMS,
        ),
        Scenario(
            name="freeze", title="a serving process stops running", begin=faults.freeze, back_limit_s=SILENCE_LIMIT_S,
            aims=SILENCE_AIMS,
        ),
        Scenario(
            name="pause", title="a host stops, and goes on after its lease", begin=faults.pause, hold_s=15.0,
            back_limit_s=SILENCE_LIMIT_S,
        ),
        Scenario(
            name="host-lost", title="a host loses its network", begin=faults.lose_host, back_limit_s=SILENCE_LIMIT_S,
            aims=HOST_AIMS,
        ),
        Scenario(
            name="host-mute", title="what a host sends is lost", begin=faults.mute_host, back_limit_s=SILENCE_LIMIT_S
        ),
        Scenario(
            name="store-cut", title="an instance loses the store alone", begin=faults.cut_from_store,
            back_limit_s=SILENCE_LIMIT_S,
        ),
        Scenario(
            name="line-cut", title="the line between the datacentres is cut", begin=faults.cut_datacentres, hold_s=15.0
        ),
        Scenario(
            name="line-one-way", title="one direction of it is cut", begin=faults.cut_one_way, hold_s=15.0
        ),
        Scenario(
            name="line-bad", title="it delays by 40 to 60 ms and loses 2 %", begin=faults.spoil_line, hold_s=15.0
        ),
        Scenario(
            name="store-leader-killed", title="the store's leader is killed", begin=faults.kill_store_leader,
            hold_s=10.0,
        ),
        Scenario(
            name="store-leader-frozen", title="the store's leader stops running", begin=faults.freeze_store_leader,
            hold_s=10.0,
        ),
        Scenario(
            name="store-lost", title="three of five members of the store are killed", begin=faults.lose_store,
            hold_s=15.0,
        ),
        Scenario(
            name="datacentre-killed", title="everything in the active datacentre is killed",
            begin=faults.kill_datacentre, back_limit_s=DATACENTRE_LIMIT_S,
        ),
        Scenario(
            name="datacentre-cut", title="the active datacentre loses the two other sites",
            begin=faults.cut_active_off, back_limit_s=DATACENTRE_LIMIT_S,
        ),
        Scenario(
            name="drain", title="a person drains an instance", begin=faults.drain, heal=faults.resume,
            back_limit_s=PLANNED_LIMIT_S, planned=True,
        ),
        Scenario(
            name="switch", title="a person makes the other datacentre active", begin=faults.switch,
            back_limit_s=PLANNED_LIMIT_S,
        ),
    )
}  # fmt: skip
