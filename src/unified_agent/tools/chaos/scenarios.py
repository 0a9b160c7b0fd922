"""The faults that are measured, with what is aimed at."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Final

from unified_agent.tools.chaos import faults
from unified_agent.tools.chaos.faults import Scene, Struck

#: From the fault until 99 of 100 agents work again on another instance, seconds: aimed at.
CRASH_AIM_S: Final = 10.0
SILENCE_AIM_S: Final = 15.0
DATACENTRE_AIM_S: Final = 30.0
#: The same for a move in good order.
PLANNED_AIM_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One fault.

    Attributes:
        name: for the option.
        title: for people.
        begin: makes it happen; returns the instances that serve nobody any more.
        heal: undoes it, and waits until all is whole.
        hold_s: how long it lasts at least, seconds: long enough to see what must not happen.
        back_aim_s: until 99 of 100 agents work again, from the fault; None when nobody may notice anything.
        planned: nothing fails, so desktops are hardly ever out of step.
    """

    name: str
    title: str
    begin: Callable[[Scene], Coroutine[None, None, Struck]]
    heal: Callable[[Scene], Coroutine[None, None, None]] = faults.heal
    hold_s: float = 0.0
    back_aim_s: float | None = None
    planned: bool = False


SCENARIOS: Final = {
    each.name: each
    for each in (
        Scenario(name="kill", title="a serving process is killed", begin=faults.kill, back_aim_s=CRASH_AIM_S),
        Scenario(
            name="freeze", title="a serving process stops running", begin=faults.freeze, back_aim_s=SILENCE_AIM_S
        ),
        Scenario(
            name="pause", title="a host stops, and goes on after its lease", begin=faults.pause, hold_s=15.0,
            back_aim_s=SILENCE_AIM_S,
        ),
        Scenario(
            name="host-lost", title="a host loses its network", begin=faults.lose_host, back_aim_s=SILENCE_AIM_S
        ),
        Scenario(
            name="host-mute", title="what a host sends is lost", begin=faults.mute_host, back_aim_s=SILENCE_AIM_S
        ),
        Scenario(
            name="store-cut", title="an instance loses the store alone", begin=faults.cut_from_store,
            back_aim_s=SILENCE_AIM_S,
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
            begin=faults.kill_datacentre, back_aim_s=DATACENTRE_AIM_S,
        ),
        Scenario(
            name="datacentre-cut", title="the active datacentre loses the two other sites",
            begin=faults.cut_active_off, back_aim_s=DATACENTRE_AIM_S,
        ),
        Scenario(
            name="drain", title="a person drains an instance", begin=faults.drain, heal=faults.resume,
            back_aim_s=PLANNED_AIM_S, planned=True,
        ),
        Scenario(
            name="switch", title="a person makes the other datacentre active", begin=faults.switch,
            back_aim_s=PLANNED_AIM_S,
        ),
    )
}  # fmt: skip
