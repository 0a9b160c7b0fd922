"""Calls at one station: what the station's own leg does, who else is on, and how reports move both.

The reports follow CSTA Phase III (ECMA-269), which JTAPI's call model is close to, so both links give the same
facts. Answers and reports come in either order and may repeat: a repeated report changes nothing more, and one
for a call that we did not know begins it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from unified_agent.domain.facts import (
    CallAlerting,
    CallDialling,
    CallDropped,
    CallEnded,
    CallEstablished,
    CallFact,
    CallFailed,
    CallHeld,
    CallRetrieved,
    CallSeen,
    CallsMerged,
    PartySeen,
)
from unified_agent.domain.ids import CallId
from unified_agent.domain.limits import CALLS_PER_STATION, PARTIES_PER_CALL
from unified_agent.domain.states import Direction, LegState


class Call(Struct, frozen=True, kw_only=True):
    """One call in which the station has a leg.

    Attributes:
        id: the switch's id of it.
        state: the station's own leg.
        direction: who began it, seen from the station; None after a snapshot that could not tell.
        parties: the others on it, in the order they came.
        called: the number that was called, empty when unknown.
        queue: VDN or hunt group that distributed it, empty when none.
        data: user-to-user information, as text.
        ucid: universal call id.
        since_s: when the call began for us, Unix seconds.
        state_since_s: when the own leg last changed, Unix seconds.
        cause: why a FAILED leg failed, the switch's word.
    """

    id: CallId
    state: LegState
    direction: Direction | None = None
    parties: tuple[PartySeen, ...] = ()
    called: str = ""
    queue: str = ""
    data: str = ""
    ucid: str = ""
    since_s: float = 0.0
    state_since_s: float = 0.0
    cause: str = ""


Calls = tuple[Call, ...]

#: The leg a station can have before each report that moves it; anything else is unexpected: applied, and counted.
EXPECTED: Final[dict[type[CallFact], frozenset[LegState | None]]] = {
    CallAlerting: frozenset({None, LegState.ALERTING}),
    CallDialling: frozenset({None, LegState.DIALLING}),
    CallEstablished: frozenset({None, LegState.ALERTING, LegState.DIALLING, LegState.ACTIVE, LegState.CONFERENCED}),
    CallHeld: frozenset({LegState.ACTIVE, LegState.HELD, LegState.CONFERENCED}),
    CallRetrieved: frozenset({LegState.HELD, LegState.ACTIVE, LegState.CONFERENCED}),
    CallDropped: frozenset(LegState),
    CallEnded: frozenset(LegState) | {None},
    CallFailed: frozenset({LegState.DIALLING, LegState.ACTIVE, LegState.FAILED, None}),
    CallsMerged: frozenset({LegState.ACTIVE, LegState.HELD, LegState.CONFERENCED, LegState.DIALLING, None}),
}


def find(calls: Calls, call: CallId) -> Call | None:
    """Return the call with that id, or None."""
    return next((each for each in calls if each.id == call), None)


def is_expected(calls: Calls, fact: CallFact) -> bool:
    """Say whether a report fits what we believed; one that does not is applied all the same."""
    known = find(calls, fact.call)
    return (known.state if known else None) in EXPECTED[type(fact)]


def apply(calls: Calls, fact: CallFact, now_s: float) -> Calls:
    """Apply one report about a call at the station.

    Args:
        calls: what we believe, oldest first.
        fact: the report.
        now_s: Unix seconds.

    Returns:
        The calls after it, oldest first, at most ``CALLS_PER_STATION``: beyond that the newest are dropped,
        because a station cannot have them and a peer that says so is confused.
    """
    if isinstance(fact, CallEnded):
        return tuple(each for each in calls if each.id != fact.call)
    if isinstance(fact, CallsMerged):
        return _merge(calls, fact, now_s)
    known = find(calls, fact.call)
    if known is None:
        if isinstance(fact, (CallHeld, CallRetrieved, CallDropped)):
            return calls  # says too little to begin a call with; the next snapshot will show it
        begun = _move(Call(id=fact.call, state=LegState.ACTIVE, since_s=now_s, state_since_s=now_s), fact, now_s)
        return (*calls, begun)[:CALLS_PER_STATION]
    moved = _move(known, fact, now_s)
    return tuple(moved if each.id == fact.call else each for each in calls)


def from_snapshot(calls: Calls, seen: Iterable[CallSeen], now_s: float) -> Calls:
    """Bring the calls we believed in line with those the switch has now.

    What a snapshot cannot tell (direction, data, queue, since when) is kept from a call that we knew.
    """
    current = []
    for each in seen:
        known = find(calls, each.call)
        base = known or Call(id=each.call, state=each.state, since_s=now_s, state_since_s=now_s)
        same = known is not None and known.state is each.state
        current.append(
            replace(
                base,
                state=each.state,
                direction=each.direction or base.direction,
                parties=each.parties or base.parties,
                state_since_s=base.state_since_s if same else now_s,
            )
        )
    return tuple(current[:CALLS_PER_STATION])


def _move(call: Call, fact: CallFact, now_s: float) -> Call:
    match fact:
        case CallAlerting():
            return _leg(
                replace(
                    call,
                    direction=Direction.IN,
                    parties=_joined(call.parties, fact.number, LegState.ACTIVE),
                    called=fact.called or call.called,
                    queue=fact.queue or call.queue,
                    data=fact.data or call.data,
                    ucid=fact.ucid or call.ucid,
                ),
                LegState.ALERTING,
                now_s,
            )
        case CallDialling():
            return _leg(
                replace(
                    call,
                    direction=Direction.OUT,
                    parties=_joined(call.parties, fact.number, LegState.ALERTING),
                    called=fact.number or call.called,
                    ucid=fact.ucid or call.ucid,
                ),
                LegState.DIALLING,
                now_s,
            )
        case CallEstablished():
            parties = _answered(call, fact)
            return _leg(
                replace(
                    call,
                    direction=call.direction or (Direction.IN if fact.incoming else Direction.OUT),
                    parties=parties,
                    called=fact.called or call.called,
                    queue=fact.queue or call.queue,
                    data=fact.data or call.data,
                    ucid=fact.ucid or call.ucid,
                ),
                LegState.CONFERENCED if len(parties) > 1 else LegState.ACTIVE,
                now_s,
            )
        case CallHeld(number=None):
            return _leg(call, LegState.HELD, now_s)
        case CallRetrieved(number=None):
            return _leg(call, LegState.CONFERENCED if len(call.parties) > 1 else LegState.ACTIVE, now_s)
        case CallHeld(number=str(number)):
            return replace(call, parties=_joined(call.parties, number, LegState.HELD))
        case CallRetrieved(number=str(number)):
            return replace(call, parties=_joined(call.parties, number, LegState.ACTIVE))
        case CallDropped():
            parties = tuple(each for each in call.parties if each.number != fact.number)
            left = replace(call, parties=parties)
            alone = call.state is LegState.CONFERENCED and len(parties) <= 1
            return _leg(left, LegState.ACTIVE, now_s) if alone else left
        case CallFailed():
            failed = replace(call, cause=fact.cause, called=call.called or fact.number)
            return _leg(failed, LegState.FAILED, now_s)
        case _:
            raise AssertionError(f"no row for {type(fact).__name__}")


def _merge(calls: Calls, fact: CallsMerged, now_s: float) -> Calls:
    gone = {*fact.old, fact.call}
    sources = [each for each in calls if each.id in gone]
    base = sources[0] if sources else Call(id=fact.call, state=LegState.ACTIVE, since_s=now_s, state_since_s=now_s)
    state = LegState.CONFERENCED if len(fact.parties) > 1 else LegState.ACTIVE
    merged = _leg(replace(base, id=fact.call, parties=fact.parties[:PARTIES_PER_CALL]), state, now_s)
    kept = [each for each in calls if each.id not in gone]
    place = next((index for index, each in enumerate(calls) if each.id in gone), len(kept))
    kept.insert(min(place, len(kept)), merged)
    return tuple(kept)


def _leg(call: Call, state: LegState, now_s: float) -> Call:
    return call if call.state is state else replace(call, state=state, state_since_s=now_s)


def _answered(call: Call, fact: CallEstablished) -> tuple[PartySeen, ...]:
    """Return the parties once somebody has answered.

    Who was dialled need not be who answers (a VDN, a forwarded telephone): who was rung in vain makes room, or would
    be counted as a second party. And when the station itself answers, whoever rang it is known already, better than
    by the report: after a transfer while it rang, that may still name the one who handed the call on.
    """
    if fact.incoming and call.state is LegState.ALERTING and any(each.number for each in call.parties):
        return call.parties
    parties = call.parties
    if fact.number and all(each.state is LegState.ALERTING for each in parties):
        parties = tuple(each for each in parties if each.number == fact.number)
    return _joined(parties, fact.number, LegState.ACTIVE)


def _joined(parties: tuple[PartySeen, ...], number: str, state: LegState) -> tuple[PartySeen, ...]:
    """Add a party, or move the one with that number; a number withheld by the switch adds nobody twice."""
    if any(each.number == number for each in parties):
        return tuple(replace(each, state=state) if each.number == number else each for each in parties)
    if not number and parties:
        return parties
    return (*parties, PartySeen(number=number, state=state))[:PARTIES_PER_CALL]
