"""What a station's calls are, from the answers to SnapshotDevice and SnapshotCall.

Source: aes-dmcc reference, section 10. Assumed: the values of ``simpleCallState`` are those of ECMA-269; an AES is
expected to send ``compoundCallState``.
"""

from __future__ import annotations

from typing import Final

from unified_agent.domain.facts import CallSeen, PartySeen
from unified_agent.domain.ids import CallId
from unified_agent.domain.states import Direction, LegState
from unified_agent.links.telephony.call_facts import number_of
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.values import DeviceId, LocalState, extension_of, same_device

_LEGS: Final = {
    LocalState.INITIATED: LegState.DIALLING,
    LocalState.ALERTING: LegState.ALERTING,
    LocalState.CONNECTED: LegState.ACTIVE,
    LocalState.HOLD: LegState.HELD,
    LocalState.QUEUED: LegState.DIALLING,
    LocalState.FAIL: LegState.FAILED,
}
_SIMPLE: Final = {
    "callPending": LegState.DIALLING,
    "callOriginated": LegState.DIALLING,
    "callDelivered": LegState.DIALLING,
    "callDeliveredHold": LegState.HELD,
    "callReceived": LegState.ALERTING,
    "callEstablished": LegState.ACTIVE,
    "callEstablishedHold": LegState.ACTIVE,
    "callReceivedOnHold": LegState.HELD,
    "callQueued": LegState.DIALLING,
    "callFailed": LegState.FAILED,
    "callBlocked": LegState.FAILED,
}
_NOT_REACHED: Final = frozenset({LocalState.ALERTING, LocalState.INITIATED, LocalState.QUEUED})


def call_seen(entry: csta.SnapshotDeviceEntry, answer: csta.SnapshotCallResponse | None, own: DeviceId) -> CallSeen:
    """Bring together what the device's and the call's snapshot say of one call.

    Args:
        entry: from SnapshotDevice.
        answer: of SnapshotCall; None where it could not be had, and the parties are then not known.
        own: the station.
    """
    told = answer.parties if answer is not None else ()
    mine = next((each for each in told if same_device(each.device.device, own)), None)
    others = [each for each in told if each is not mine]
    direction = None
    if answer is not None and answer.calling is not None and answer.calling.device is not None:
        direction = Direction.OUT if same_device(answer.calling.device, own) else Direction.IN
    states = [each.local_state for each in others if each.local_state is not None] or list(entry.states[1:])
    state = _own_leg(entry, mine, states)
    called = number_of(answer.called) if answer is not None else ""
    if direction is Direction.OUT and state in {LegState.DIALLING, LegState.FAILED} and len(others) == 1 and called:
        # As events tell it: who was dialled, whoever it is that rings.
        parties: tuple[PartySeen, ...] = (PartySeen(number=called, state=_party(others[0]).state),)
    else:
        parties = tuple(_party(each) for each in others)
    return CallSeen(call=CallId(entry.connection.call_id), state=state, direction=direction, parties=parties)


def is_answered(call: CallSeen) -> bool:
    """Say whether somebody has been spoken to in a call, as far as a snapshot shows."""
    if call.state is LegState.HELD:
        return any(each.state in {LegState.ACTIVE, LegState.HELD} for each in call.parties)
    return call.state in {LegState.ACTIVE, LegState.CONFERENCED}


def _own_leg(
    entry: csta.SnapshotDeviceEntry, mine: csta.SnapshotCallEntry | None, others: list[LocalState]
) -> LegState:
    told = mine.local_state if mine is not None else None
    if told is None and entry.states:
        told = entry.states[0]
    if told is None:
        return _SIMPLE.get(entry.simple_state or "", LegState.ACTIVE)
    leg = _LEGS[told]
    if leg is not LegState.ACTIVE:
        return leg
    if others and all(each in _NOT_REACHED for each in others):
        return LegState.DIALLING  # the own leg of a call that is ringing is connected, to the ringing tone
    if others and all(each is LocalState.FAIL for each in others):
        return LegState.FAILED  # connected to the busy tone
    return LegState.CONFERENCED if sum(each is not LocalState.FAIL for each in others) > 1 else LegState.ACTIVE


def _party(entry: csta.SnapshotCallEntry) -> PartySeen:
    number = number_of(entry.device)
    if not number and entry.connection is not None:
        number = extension_of(entry.connection.device_id)
    return PartySeen(number=number, state=_LEGS[entry.local_state] if entry.local_state else LegState.ACTIVE)
