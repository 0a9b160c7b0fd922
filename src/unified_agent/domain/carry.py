"""What of a session outlives its instance: packed by its owner after each change, adopted by the next.

The carry is the session's own state without what nobody else may know (passwords), what others know better (requests
that were under way) and what is read anew (lists of jobs). To adopt one is to treat both links as just lost: the way
back from there is the same that every session goes after a link's loss. Whatever had been asked and not answered is
unknown, and stays so until switch and dialler have been asked; nothing is asked twice.

Bytes are MessagePack. Fields are never renamed and always have a default, so that instances of neighbouring versions
read each other's; what an older one does not know it leaves out.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import replace

from unified_agent.domain import dialler_steps, telephony_steps
from unified_agent.domain.ids import Secret
from unified_agent.domain.limits import CARRIED_COMMANDS
from unified_agent.domain.move import INSTANCE_LOST, Move
from unified_agent.domain.session_state import CommandRecord, DiallerLogin, Identity, Outcome, Policy, SessionState
from unified_agent.domain.states import Phase
from unified_agent.errors import RemoteProtocolError

_NO_SECRET: Final = Secret("")
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(SessionState)


def carry_of(state: SessionState) -> SessionState:
    """Return what is to be carried of a state. Equal carries need not be written again."""
    return replace(
        state,
        identity=_without_secrets(state.identity),
        policy=_NO_POLICY,
        commands=_carried(state.commands),
        requests=(),
        doubts=(),
        dialler=replace(state.dialler, jobs=(), keys=(), step=""),
        dialler_turn_at_s=None,
        dialler_queued=False,
        telephony=replace(state.telephony, turn_at_s=None),
    )


def pack(carry: SessionState) -> bytes:
    """Write a carry."""
    return _ENCODER.encode(carry)


def unpack(data: bytes) -> SessionState:
    """Read a carry.

    Raises:
        RemoteProtocolError: it is none, or one of a version that is no neighbour.
    """
    try:
        return _DECODER.decode(data)
    except msgspec.DecodeError as error:
        raise RemoteProtocolError(f"not a session's carry: {error}") from error


def adopt(carried: SessionState, state: SessionState, now_s: float) -> SessionState:
    """Go on with what another instance left. Both links count as lost from the first time that it is adopted here.

    Args:
        carried: unpacked.
        state: the session as opened here: its id, identity with passwords, policy, claim, presence and known link.
        now_s: Unix seconds.
    """
    left, here = carried.telephony, state.telephony
    verified = left.verified or here.verified  # the ticket may be newer than the carry
    adopted = replace(
        carried,
        id=state.id,
        identity=state.identity,
        policy=state.policy,
        claim=state.claim,
        phase=Phase.RESETTING if verified else Phase.LOGGING_IN,
        telephony=replace(left, verified=verified, lost_s=left.lost_s or here.lost_s),
        dialler_lost_s=carried.dialler_lost_s or state.dialler_lost_s,
        presence=state.presence,
        presence_since_s=state.presence_since_s,
        doubts=state.doubts,
        orphaned=state.orphaned,
        commands=_in_doubt(carried, state),
        close_reason="",
        close_detail="",
    )
    move = Move(adopted, now_s)
    telephony_steps.reset(move, INSTANCE_LOST)
    if move.dialler_is_reached:
        dialler_steps.reset(move, INSTANCE_LOST)
    move.set_telephony(link=here.link)
    return move.state


def adopt_unread(state: SessionState, now_s: float) -> SessionState:
    """Go on with a session that the switch has accepted, while what another instance left of it cannot be read."""
    move = Move(replace(state, phase=Phase.RESETTING), now_s)
    telephony_steps.reset(move, INSTANCE_LOST)
    return move.state


def _in_doubt(carried: SessionState, state: SessionState) -> tuple[CommandRecord, ...]:
    """Nobody knows what became of commands that were under way; those asked here meanwhile stand as they are."""
    known = {each.id for each in carried.commands}
    fresh = tuple(each for each in state.commands if each.id not in known)
    return (
        *(
            replace(each, outcome=Outcome.UNKNOWN, error=INSTANCE_LOST) if each.outcome is Outcome.ACCEPTED else each
            for each in carried.commands
        ),
        *fresh,
    )


def _carried(commands: tuple[CommandRecord, ...]) -> tuple[CommandRecord, ...]:
    """Leave out what ended long ago: ten minutes of it would be most of what is written, at each change."""
    older, latest = commands[:-CARRIED_COMMANDS], commands[-CARRIED_COMMANDS:]
    return (*(each for each in older if each.outcome is Outcome.ACCEPTED), *latest)


def _without_secrets(identity: Identity) -> Identity:
    dialler = identity.dialler
    bare = (
        None
        if dialler is None
        else DiallerLogin(name=dialler.name, password=_NO_SECRET, headset=dialler.headset, job=dialler.job)
    )
    return replace(identity, password=_NO_SECRET, dialler=bare)


_NO_POLICY: Final = Policy()
