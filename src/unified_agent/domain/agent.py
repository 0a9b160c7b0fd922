"""The switch's work modes and their expected moves; the work mode shown.

The switch decides: any mode may follow any mode, and a report that is not among ``EXPECTED_MOVES`` is applied and
counted, never dropped. What the agent sees as one word is derived from the switch's mode, the calls and the work
item by ``shown_mode``; the axes themselves are never folded into one another.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from unified_agent.domain.call import Call
from unified_agent.domain.job import WorkItem
from unified_agent.domain.states import ItemStage, LegState, SwitchMode, WorkMode

_OUT, _AUX, _READY, _ACW, _UNKNOWN = (
    SwitchMode.LOGGED_OUT,
    SwitchMode.NOT_READY,
    SwitchMode.READY,
    SwitchMode.WRAP_UP,
    SwitchMode.UNKNOWN,
)

#: Moves seen in normal service. READY from READY is a change of reason or of auto-in to manual-in.
EXPECTED_MOVES: Final[frozenset[tuple[SwitchMode, SwitchMode]]] = frozenset(
    {
        (_OUT, _OUT),
        (_OUT, _AUX),
        (_OUT, _READY),
        (_AUX, _AUX),
        (_AUX, _READY),
        (_AUX, _ACW),
        (_AUX, _OUT),
        (_READY, _READY),
        (_READY, _AUX),
        (_READY, _ACW),
        (_READY, _OUT),
        (_ACW, _ACW),
        (_ACW, _READY),
        (_ACW, _AUX),
        (_ACW, _OUT),
        (_UNKNOWN, _OUT),
        (_UNKNOWN, _AUX),
        (_UNKNOWN, _READY),
        (_UNKNOWN, _ACW),
        (_AUX, _UNKNOWN),
        (_READY, _UNKNOWN),
        (_ACW, _UNKNOWN),
        (_OUT, _UNKNOWN),
        (_UNKNOWN, _UNKNOWN),
    }
)


class Pending(Struct, frozen=True, kw_only=True):
    """A change of mode that waits for the end of a call.

    Attributes:
        mode: what will be asked, ``logged-out`` for a log-out.
        reason: the reason code that goes with it.
        kept_by_switch: the switch holds it and will carry it out; otherwise we do.
    """

    mode: SwitchMode
    reason: int | None = None
    kept_by_switch: bool = False


class AgentState(Struct, frozen=True, kw_only=True):
    """What we know of an agent at the switch.

    Attributes:
        mode: the switch's word.
        reason: the administrator's reason code of not-ready or log-out, if the switch gave one.
        cause: a system reason (``just-logged-in``, ``switch-link-lost`` …) when not the agent's doing.
        since_s: when the switch changed it, Unix seconds.
        talking: the switch says that the agent is on a call.
        known: False while the link is down or the switch has not been asked: mode is then the last one known.
        pending: a change that waits for the end of a call.
    """

    mode: SwitchMode = SwitchMode.UNKNOWN
    reason: int | None = None
    cause: str = ""
    since_s: float = 0.0
    talking: bool = False
    known: bool = False
    pending: Pending | None = None


def is_expected(before: SwitchMode, after: SwitchMode) -> bool:
    """Say whether a report is one seen in normal service; others are applied all the same, and counted."""
    return (before, after) in EXPECTED_MOVES


def shown_mode(agent: AgentState, calls: Iterable[Call], item: WorkItem | None) -> WorkMode:
    """Derive the one word from the axes.

    A live call or item says more about what the agent is doing than the mode behind it, so it is shown first:
    talking, then holding, reserved, previewing, wrap-up, and only then the switch's own mode.
    """
    legs = {call.state for call in calls}
    if legs & {LegState.ACTIVE, LegState.DIALLING, LegState.CONFERENCED}:
        return WorkMode.TALKING
    if item is not None and item.stage in {ItemStage.ON_CALL, ItemStage.DIALLING}:
        return WorkMode.TALKING
    if item is not None and item.stage is ItemStage.ON_HOLD:
        return WorkMode.HOLDING
    if LegState.ALERTING in legs:
        return WorkMode.RESERVED
    if LegState.HELD in legs:
        return WorkMode.HOLDING
    if item is not None:
        return WorkMode.PREVIEWING if item.stage is ItemStage.PREVIEWING else WorkMode.WRAP_UP
    return WorkMode(agent.mode.value)
