"""The claim on an agent: until it is held nothing is asked of switch or dialler; once it is lost, nothing ever again.

One instance alone holds every claim from the start. In a cluster a session is opened, or adopted from another instance,
with its claim asked for; its desktop meanwhile sees the last record, greyed. A claim ends in two ways. It is **lost**:
the session is over here at once, and nothing is asked of anybody. Or it is **given up** to another instance: no new
work is taken (before its desktop is sent there, if we send it), the dialler is left in good order, and only then is the
claim released. The switch is asked for nothing, so
calls go on. Who may claim, and when, is decided in ``cluster.ownership``.
"""

from __future__ import annotations

from msgspec.structs import replace

from unified_agent.domain import command_steps, dialler_steps, telephony_steps
from unified_agent.domain.carry import adopt
from unified_agent.domain.effects import AskClaim, CloseSession, RestartOutbox
from unified_agent.domain.facts import (
    ClaimDelayed,
    ClaimGranted,
    ClaimLost,
    ClaimRefused,
    IdentityShown,
    MoveAsked,
    MovePlanned,
)
from unified_agent.domain.limits import LEAVE_LIMIT_S
from unified_agent.domain.move import Move
from unified_agent.domain.session_state import SessionState
from unified_agent.domain.states import ClaimStage, DiallerStage, Phase, Presence, TelephonyStage, Wish

#: What a session that went to another instance ends with here.
MOVED = "moved"
#: Ends that are none for the agent: the session goes on elsewhere, and its desktop goes after it.
GOES_ON = frozenset({MOVED, "stepped-down", "passive", "taken-over"})

#: Where the dialler may put a customer through.
_IN_A_JOB = frozenset(
    {DiallerStage.JOINING, DiallerStage.JOINED, DiallerStage.READY, DiallerStage.WORKING, DiallerStage.LEAVING}
)


def has_ended(carried: SessionState) -> bool:
    """Say whether what was left is of a session that is over for the agent too."""
    return carried.phase is Phase.CLOSED and carried.close_reason not in GOES_ON


def identity_shown(move: Move, fact: IdentityShown) -> None:
    """An orphan's desktop is here: all can be done for the agent again."""
    if move.state.orphaned:
        move.set(orphaned=False, identity=fact.identity)


def may_leave(state: SessionState) -> bool:
    """Say whether the session may go to another instance now: a record open at the dialler would be closed by it."""
    return state.item is None and state.phase not in {Phase.CLOSING, Phase.CLOSED}


def is_free(state: SessionState) -> bool:
    """Say whether the session may go, and nobody can be put through meanwhile."""
    return may_leave(state) and state.dialler.stage not in _IN_A_JOB


def is_let_go(state: SessionState) -> bool:
    """Say whether the session is given up to an instance that asks for it.

    With a record open only when its desktop has gone there: nobody can finish the record here then, and until the claim
    is given up nobody can work there.
    """
    if state.phase in {Phase.CLOSING, Phase.CLOSED}:
        return False
    return may_leave(state) or state.presence is not Presence.CONNECTED


def opened(move: Move) -> None:
    """Ask for the claim, unless the desktop must be there first."""
    if move.state.claim.stage is ClaimStage.ASKED and not move.state.claim.needs_desktop:
        _ask(move)


def desktop_came(move: Move) -> None:
    """The desktop that brought the ticket is here."""
    if move.state.claim.stage is ClaimStage.ASKED and move.state.claim.needs_desktop:
        _ask(move)


def desktop_went(move: Move) -> None:
    """Nobody waits for the claim any more: whoever brought the ticket may be at another instance by now."""
    if move.state.claim.stage is ClaimStage.ASKED and move.state.claim.needs_desktop:
        _close(move, MOVED)


def granted(move: Move, fact: ClaimGranted) -> None:
    """We may act. What the last owner left takes the place of what was shown meanwhile.

    Not after a login: whoever logs in proves the password anew, and inherits nothing before.
    """
    state = move.state
    if state.claim.stage is ClaimStage.HELD:
        move.set(claim=replace(state.claim, term=fact.term))  # claimed anew, after our lease was lost
        return
    if state.claim.stage is not ClaimStage.ASKED:
        return
    if fact.carried is not None and state.claim.wish is not Wish.LOGIN:
        if fact.carried.id == state.id and has_ended(fact.carried):
            _close(move, fact.carried.close_reason)  # it could not be read when the ticket came
            return
        if fact.carried.id == state.id:
            move.state = adopt(fact.carried, state, move.now_s)
            move.effects.append(RestartOutbox(session=state.id, reason="moved"))
            command_steps.recall(move)
        elif fact.carried.phase is not Phase.CLOSED and 0 < state.claim.ticket_term < fact.carried.claim.term:
            _close(move, "taken-over")  # a login has won since the ticket was written, which bore a term
            return
    move.set_claim(stage=ClaimStage.HELD, term=fact.term, trouble="", detail="")
    if move.state.telephony.link is not None and move.state.telephony.stage is TelephonyStage.WAITING:
        telephony_steps.queue(move)


def delayed(move: Move, fact: ClaimDelayed) -> None:
    """Tell what the claim waits for."""
    if move.state.claim.stage is ClaimStage.ASKED:
        move.set_claim(trouble=fact.trouble, detail=fact.detail)


def refused(move: Move, fact: ClaimRefused) -> None:
    """The claim is not to be had: the session is over, without a word to switch or dialler."""
    if move.state.claim.stage is ClaimStage.ASKED:
        move.set(close_detail=fact.detail)
        _close(move, fact.id)


def lost(move: Move, fact: ClaimLost) -> None:
    """Others may act for the agent: stop at once."""
    _close(move, fact.reason)


def move_planned(move: Move, fact: MovePlanned) -> None:
    """Take no new work while the desktop is on its way elsewhere."""
    move.set_claim(going=fact.going)


def move_asked(move: Move, fact: MoveAsked) -> None:
    """Begin to give the claim up."""
    state = move.state
    if state.claim.stage is ClaimStage.HELD and is_let_go(state):
        move.set_claim(stage=ClaimStage.LEAVING, leaving_since_s=move.now_s, leaving_for=fact.reason)


def steer(move: Move) -> None:
    """Leave the dialler, then give the claim up; a dialler that does not answer in time is left without ceremony."""
    claim = move.state.claim
    if claim.stage is not ClaimStage.LEAVING:
        return
    assert claim.leaving_since_s is not None, "leaving began at some time"
    if move.now_s >= claim.leaving_since_s + LEAVE_LIMIT_S and move.dialler_is_reached:
        dialler_steps.drop(move)
    if move.dialler_is_reached and not dialler_steps.leave(move):
        return
    _close(move, MOVED if claim.leaving_for != "taken-over" else claim.leaving_for)


def leave_at_s(state: SessionState) -> float | None:
    """Say when the dialler is left without ceremony, None while nothing is left."""
    if state.claim.stage is not ClaimStage.LEAVING or state.claim.leaving_since_s is None:
        return None
    return state.claim.leaving_since_s + LEAVE_LIMIT_S


def _ask(move: Move) -> None:
    state = move.state
    move.effects.append(
        AskClaim(
            session=state.id,
            agent=state.identity.agent,
            station=state.identity.station,
            wish=state.claim.wish,
            ticket_term=state.claim.ticket_term,
        )
    )


def _close(move: Move, reason: str) -> None:
    """End the session here and ask nobody for anything."""
    move.set(phase=Phase.CLOSED, close_reason=reason)
    move.effects.append(CloseSession(session=move.state.id, reason=reason))
