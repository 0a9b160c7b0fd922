"""One call of the book as one station sees it: its own leg, and who else counts as being on. Pure.

What counts follows what the DMCC link tells of the same happening (``links.telephony.call_facts``): a call that we
dial names who was dialled, whoever it is that rings; one that rings here names who calls; of a call in which somebody
has been spoken to, those who answered are on.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from unified_agent.domain.facts import CallSeen, PartySeen
from unified_agent.domain.ids import CallId
from unified_agent.domain.limits import PARTIES_PER_CALL
from unified_agent.domain.states import Direction, LegState
from unified_agent.links.telephony.jtapi.call_legs import BookCall, Leg
from unified_agent.links.telephony.jtapi.constants import ControlConnection, ControlTerminal

_ARRIVING: Final = frozenset({ControlConnection.OFFERED, ControlConnection.ALERTING})
_ELSEWHERE: Final = frozenset({ControlTerminal.BRIDGED, ControlTerminal.INUSE})
_OFF_HOOK: Final = frozenset({ControlConnection.INITIATED, ControlConnection.QUEUED})
_NUMBER: Final = re.compile(r"[0-9*#+]+")


class View(Struct, frozen=True, kw_only=True):
    """A call at a station.

    Attributes:
        call: its id.
        leg: the station's own, never CONFERENCED: how many are on says that.
        incoming: the station was called, as far as can be told.
        spoken: somebody has been spoken to.
        parties: the others, ALERTING for one who is dialled.
        ringing: numbers of parties who count as being on and have not answered.
        number: the one who calls, or is dialled, as told of the call as a whole.
        failure: why it failed.
        unheard: it failed while the station had it on hold.
        direction: who began it, None where that was not told.
        joined: it came by calls becoming one.
        others: as in ``CallRead``.
    """

    call: CallId
    leg: LegState
    incoming: bool
    spoken: bool
    parties: tuple[PartySeen, ...]
    ringing: frozenset[str]
    number: str
    failure: str = ""
    unheard: bool = False
    direction: Direction | None = None
    joined: bool = False
    called: str = ""
    queue: str = ""
    data: str = ""
    ucid: str = ""


def view_of(call: BookCall, station: str) -> View | None:
    """Look at a call from a station; None when it has no part in it (any more, or yet)."""
    own = call.legs.get(station)
    if own is None or own.is_gone or own.terminal in _ELSEWHERE:
        return None
    others = call.others(station)
    leg = _leg(own, others)
    if leg is None:
        return None
    handed_on = leg is LegState.ALERTING and own.joined is not None
    incoming = own.rang or not (own.dialled or call.calling in {"", station})
    failed = next((each.failure for each in (own, *others) if each.failed), "")
    return View(
        call=CallId(call.id),
        leg=leg,
        incoming=incoming,
        spoken=own.spoken,
        parties=_parties(call, own, others, leg, incoming=incoming),
        ringing=frozenset(each.address for each in others if each.shown and not each.is_gone and not each.is_connected),
        number=call.calling if incoming else _dialled(call, station, others),
        failure=failed if leg is LegState.FAILED else "",
        unheard=not own.spoken and any(each.unheard for each in others),
        direction=_direction(call, own),
        # Handed on while it rings: who was called, and by which queue, is not told with that.
        called="" if handed_on else call.called,
        queue="" if handed_on else call.queue,
        joined=own.joined is not None,
        data=call.data,
        ucid=call.ucid,
    )


def seen_of(view: View) -> CallSeen:
    """Say a view as a snapshot does."""
    conference = view.leg is LegState.ACTIVE and len(view.parties) > 1
    return CallSeen(
        call=view.call,
        state=LegState.CONFERENCED if conference else view.leg,
        direction=view.direction,
        parties=view.parties,
    )


def _direction(call: BookCall, own: Leg) -> Direction | None:
    if own.rang:
        return Direction.IN
    if own.dialled or call.calling == own.address:
        return Direction.OUT
    return Direction.IN if call.calling else None


def _leg(own: Leg, others: list[Leg]) -> LegState | None:
    if own.connection is ControlConnection.FAILED:
        # A telephone that was busy when it was called has a connection that failed, and no part in the call.
        return LegState.FAILED if own.dialled or own.rang or own.terminal is not None else None
    if own.terminal is ControlTerminal.HELD:
        return LegState.HELD
    talks = own.terminal is ControlTerminal.TALKING
    if not talks and (own.connection in _ARRIVING or own.terminal is ControlTerminal.RINGING):
        return LegState.ALERTING
    if own.connection is None and not talks:
        return None
    if own.spoken:
        return LegState.ACTIVE
    if own.connection in _OFF_HOOK and not others:
        return None  # a telephone off hook has no call yet, and one that waits in a queue none either
    if own.connection is ControlConnection.UNKNOWN and not talks:
        return None
    waiting = [each for each in others if not each.is_gone and not each.failed]
    return LegState.FAILED if not waiting and any(each.failed for each in others) else LegState.DIALLING


def _dialled(call: BookCall, station: str, others: list[Leg]) -> str:
    if call.called and call.called != station:
        return call.called
    return next((each.address for each in others if each.address and not each.is_gone), call.called)


def _parties(call: BookCall, own: Leg, others: list[Leg], leg: LegState, *, incoming: bool) -> tuple[PartySeen, ...]:
    on = [each for each in others if each.is_connected or (each.shown and not each.is_gone and not each.failed)]
    if leg is LegState.ALERTING:
        talking = [each for each in on if each.is_connected]
        if not talking or any(each.address == call.calling for each in talking):
            return (PartySeen(number=call.calling),)  # who calls, even where there is no leg of theirs
        return _seen(call, talking, incoming=True)
    if not own.spoken:
        if incoming:
            return (PartySeen(number=call.calling),)
        counted = [each for each in others if not each.redirected]
        if counted and all(each.is_gone or each.unheard for each in counted):
            return ()
        return (PartySeen(number=_dialled(call, own.address, others), state=LegState.ALERTING),)
    if not others and not call.is_whole:
        # Assumed: somebody outside may have no connection of their own.
        outside = call.calling if incoming else call.called
        return (PartySeen(number=outside),) if outside != own.address else ()
    return _seen(call, on, incoming=incoming)


def _seen(call: BookCall, legs: list[Leg], *, incoming: bool) -> tuple[PartySeen, ...]:
    seen: dict[str, PartySeen] = {}
    for each in legs:
        held = each.terminal is ControlTerminal.HELD
        number = _number(call, each.address, incoming=incoming)
        seen.setdefault(number, PartySeen(number=number, state=LegState.HELD if held else LegState.ACTIVE))
    if len(seen) > 1:
        seen.pop("", None)  # nobody can tell whether that is one of the others
    return tuple(seen.values())[:PARTIES_PER_CALL]


def _number(call: BookCall, address: str, *, incoming: bool) -> str:
    """Name a party. A trunk, or nothing, stands for whoever is outside: that is who calls, or was called."""
    if _NUMBER.fullmatch(address):
        return address
    outside = call.calling if incoming else call.called
    return outside if outside and outside not in call.legs else address
