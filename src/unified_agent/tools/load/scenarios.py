"""The losses that are measured, each by the control ports of the simulators."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Final

from unified_agent.domain.states import Side
from unified_agent.tools.load.world import World

#: From a loss until every desktop was told, seconds: aimed at.
TOLD_AIM_S: Final = 1.0
#: From the beginning of silence until it is noticed, seconds: aimed at.
SILENCE_AIM_S: Final = 10.0
#: From the return of the link, or the loss of the dialler, until the last agent's truths agree, seconds: aimed at.
TELEPHONY_BACK_AIM_S: Final = 10.0
DIALLER_BACK_AIM_S: Final = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One kind of loss.

    Attributes:
        name: for the option.
        title: for people.
        side: which half of the desktop is lost.
        begin: makes it happen; returns the dialler that is lost, or an empty string.
        heal: ends it; None when the instance has to help itself from the beginning.
        noticed_aim_s: from the loss until it is noticed; None for no aim of its own.
        back_aim_s: from healing, or without it from the loss, until the last agent's truths agree.
    """

    name: str
    title: str
    side: Side
    begin: Callable[[World], Coroutine[None, None, str]]
    heal: Callable[[World], Coroutine[None, None, None]] | None = None
    noticed_aim_s: float | None = None
    back_aim_s: float = TELEPHONY_BACK_AIM_S


async def _cut(world: World) -> str:
    await world.act(world.aes, "/connections/cut", {"how": "reset"})
    return ""


async def _cut_and_refuse(world: World) -> str:
    await world.act(world.aes, "/connections/accept", {"accept": False})
    return await _cut(world)


async def _accept(world: World) -> None:
    await world.act(world.aes, "/connections/accept", {"accept": True})


async def _fall_silent(world: World) -> str:
    await world.act(world.aes, "/connections/silence", {"silent": True})
    return ""


async def _speak(world: World) -> None:
    await world.act(world.aes, "/connections/silence", {"silent": False})


async def _link_down(world: World) -> str:
    await world.act(world.aes, "/link", {"up": False})
    return ""


async def _link_up(world: World) -> None:
    await world.act(world.aes, "/link", {"up": True})


async def _kill_dialler(world: World) -> str:
    """Kill the dialler on which most agents are."""
    diallers = (await world.truths()).diallers
    active = max(diallers, key=lambda name: len(diallers[name]))
    await world.kill_dialler(active)
    return active


SCENARIOS: Final = {
    each.name: each
    for each in (
        Scenario(
            name="aes-blip",
            title="the connection to AES is reset",
            side=Side.TELEPHONY,
            begin=_cut,
        ),
        Scenario(
            name="aes-cut",
            title="AES is gone: connection reset, new ones refused",
            side=Side.TELEPHONY,
            begin=_cut_and_refuse,
            heal=_accept,
        ),
        Scenario(
            name="aes-silence",
            title="AES falls silent without closing",
            side=Side.TELEPHONY,
            begin=_fall_silent,
            heal=_speak,
            noticed_aim_s=SILENCE_AIM_S,
        ),
        Scenario(
            name="aes-link-down",
            title="AES loses its switch",
            side=Side.TELEPHONY,
            begin=_link_down,
            heal=_link_up,
        ),
        Scenario(
            name="dialler-kill",
            title="the active dialler is killed",
            side=Side.DIALLER,
            begin=_kill_dialler,
            back_aim_s=DIALLER_BACK_AIM_S,
        ),
    )
}
