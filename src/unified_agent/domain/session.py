"""The session machine: one agent's whole state, one input at a time.

``step`` is the only way a state changes. It is synchronous and pure: time comes in, effects go out. The parts are
``telephony_steps`` (the switch), ``dialler_steps`` and ``dialler_steering`` (the dialler), ``command_steps`` (the
desktop's wishes) and what stands here: presence, the end, and the order of it all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from unified_agent.domain import claim_steps, command_steps, dialler_steering, dialler_steps, telephony_steps
from unified_agent.domain.effects import (
    CloseSession,
    CountUnexpected,
    Effect,
    ReleaseStation,
    RestartOutbox,
    Tell,
)
from unified_agent.domain.facts import (
    AgentStateReported,
    CallFact,
    ClaimDelayed,
    ClaimGranted,
    ClaimLost,
    ClaimRefused,
    CommandDoubted,
    CommandReceived,
    DesktopAttached,
    DesktopDetached,
    DiallerDown,
    DiallerLoggedOn,
    DiallerLost,
    DiallerStepped,
    DiallerUp,
    Fact,
    IdentityShown,
    JobJoined,
    LinkFact,
    LogOutForced,
    ModePending,
    MoveAsked,
    MovePlanned,
    RequestDone,
    RequestRefused,
    RequestUnknown,
    SessionOpened,
    StationSnapshot,
    StationUnobserved,
    TelephonyDown,
    TelephonyUp,
    TurnGiven,
    TurnPlanned,
    Woken,
)
from unified_agent.domain.ids import JobName, SessionId
from unified_agent.domain.job import DiallerState
from unified_agent.domain.limits import ABSENT_AFTER_S
from unified_agent.domain.move import Move
from unified_agent.domain.notices import Notice, SessionEnded, changes
from unified_agent.domain.session_state import ClaimState, Identity, OpenRequest, Outcome, Policy, SessionState
from unified_agent.domain.states import DiallerStage, Phase, Presence, Side, SwitchMode, TelephonyStage
from unified_agent.domain.view import view_of

Input = Fact | LinkFact

_ALONE: Final = ClaimState()

#: Requests that may stay open for as long as it takes: leaving a job waits for the end of an item and of the dialler's
#: queue, logging on for somebody to pick up the headset; the link says when they have failed.
_UNLIMITED: Final = frozenset({"leave-job", "log-on-dialler"})


def new_session(
    session: SessionId, identity: Identity, policy: Policy, now_s: float, claim: ClaimState = _ALONE
) -> SessionState:
    """Make the state of a session that has just been accepted; its first input is ``SessionOpened``.

    Args:
        claim: held already, as by an instance that is alone; or to be asked for.
    """
    dialler = DiallerState(since_s=now_s)
    if identity.dialler is not None:
        job = JobName(identity.dialler.job) if identity.dialler.job else None
        dialler = replace(dialler, stage=DiallerStage.WAITING, wanted_job=job)
    return SessionState(
        id=session,
        identity=identity,
        policy=policy,
        opened_s=now_s,
        presence_since_s=now_s,
        dialler=dialler,
        claim=claim,
    )


def step(state: SessionState, fact: Input, now_s: float) -> tuple[SessionState, tuple[Effect, ...]]:
    """Apply one input.

    Args:
        state: what we know and believe.
        fact: what was reported or asked.
        now_s: Unix seconds.

    Returns:
        The new state, and the effects to perform, in order. Notices are derived from what of the view changed; after
        a ``RestartOutbox`` there are none, because a snapshot follows. A closed session takes nothing any more.
    """
    if state.phase is Phase.CLOSED:
        return state, ()
    move = Move(state, now_s)
    _take(move, fact)
    for follow in _FOLLOWING:
        if move.state.phase is Phase.CLOSED:
            break  # nobody is asked for anything any more, whatever else has fallen due
        follow(move)
    if not any(isinstance(each, RestartOutbox) for each in move.effects):
        session = move.state.id
        told: list[Notice] = list(changes(view_of(state), view_of(move.state)))
        if move.state.phase is Phase.CLOSED and move.state.close_reason not in claim_steps.GOES_ON:
            told.append(SessionEnded(reason=move.state.close_reason, detail=move.state.close_detail))
        at = next((i for i, each in enumerate(move.effects) if isinstance(each, CloseSession)), len(move.effects))
        move.effects[at:at] = [Tell(session=session, notice=each) for each in told]
    return move.state, tuple(move.effects)


def next_wake_s(state: SessionState) -> float | None:
    """Say when the session wants to be woken at the latest, Unix seconds; None for not at all.

    Only what ``step`` will act on at that time counts: a time that has come and changes nothing would be asked for
    again and again.
    """
    times = [
        state.telephony.retry_at_s,
        state.dialler_retry_at_s,
        *(each.asked_s + state.policy.command_limit_s for each in state.requests if each.what not in _UNLIMITED),
        _absent_at_s(state),
        _not_ready_at_s(state),
        _log_out_at_s(state),
        claim_steps.leave_at_s(state),
    ]
    return min((each for each in times if each is not None), default=None)


# --- inputs


def _take(move: Move, fact: Input) -> None:
    if isinstance(fact, CallFact):
        telephony_steps.call_reported(move, fact)
    elif (handler := _HANDLERS.get(type(fact))) is not None:
        handler(move, fact)
    elif not (isinstance(fact, Fact) and dialler_steps.reported(move, fact)):
        move.effects.append(CountUnexpected(session=move.state.id, what=type(fact).__name__))


def _from_house(
    move: Move, fact: SessionOpened | TurnPlanned | TurnGiven | DesktopAttached | DesktopDetached | LogOutForced
) -> None:
    match fact:
        case SessionOpened():
            move.set_telephony(link=fact.link)
            claim_steps.opened(move)
            if fact.link is not None:
                telephony_steps.queue(move)
        case TurnPlanned(side=Side.TELEPHONY):
            move.set_telephony(turn_at_s=fact.at_s)
        case TurnPlanned():
            move.set(dialler_turn_at_s=fact.at_s)
        case TurnGiven(side=Side.TELEPHONY):
            telephony_steps.turn_given(move)
        case TurnGiven():
            dialler_steps.turn_given(move)
        case DesktopAttached():
            first = move.state.presence is not Presence.CONNECTED
            move.set(presence=Presence.CONNECTED, presence_since_s=move.now_s)
            if first:
                claim_steps.desktop_came(move)
        case DesktopDetached():
            if move.state.presence is Presence.CONNECTED:
                move.set(presence=Presence.SUSPECT, presence_since_s=move.now_s)
                claim_steps.desktop_went(move)
        case LogOutForced():
            move.set(log_out=fact.cause, log_out_now=fact.now)


def _answered(move: Move, fact: RequestDone | RequestRefused | RequestUnknown) -> None:
    request = move.close_request(fact.request)
    if request is None:
        return
    match fact:
        case RequestDone():
            if request.command is not None:
                move.settle(request.command, Outcome.DONE)
            _DONE[request.side](move, request)
        case RequestRefused():
            if request.command is not None:
                move.settle(request.command, Outcome.REFUSED, fact.id, fact.detail)
            _FAILED[request.side](move, request, fact.id, fact.detail, fatal=fact.fatal)
        case RequestUnknown():
            _unanswered(move, request, fact.detail)


def _unanswered(move: Move, request: OpenRequest, detail: str) -> None:
    if request.command is not None:
        move.settle(request.command, Outcome.UNKNOWN, "no-answer", detail)
    _FAILED[request.side](move, request, "no-answer", detail, fatal=False)
    if request.side is Side.TELEPHONY and request.what not in {"snapshot", "query-agent"}:
        telephony_steps.doubt(move)


def _expire_requests(move: Move) -> None:
    """Call unknown what a link never answered; links have shorter limits, so this catches only what they missed."""
    limit_s = move.state.policy.command_limit_s
    for each in move.state.requests:
        if each.asked_s + limit_s <= move.now_s and each.what not in _UNLIMITED:
            move.close_request(each.id)
            _unanswered(move, each, "time-limit")


# --- presence


def _watch_presence(move: Move) -> None:
    if _is_due(_absent_at_s(move.state), move.now_s):
        move.set(presence=Presence.ABSENT, presence_since_s=move.now_s)
        claim_steps.desktop_went(move)
    policy = move.state.policy
    if _is_due(_not_ready_at_s(move.state), move.now_s):
        reason = policy.reasons_of_system.get("desktop-absent")
        telephony_steps.change_mode(
            move, SwitchMode.NOT_READY, reason=reason, cause="desktop-absent", may_wait=bool(move.state.calls)
        )
    if _is_due(_log_out_at_s(move.state), move.now_s):
        move.set(log_out="desktop-absent")


def _try_dialler_again(move: Move) -> None:
    if _is_due(move.state.dialler_retry_at_s, move.now_s):
        move.set(dialler_retry_at_s=None)


def _steer_dialler(move: Move) -> None:
    if move.state.phase is not Phase.CLOSING:
        dialler_steering.steer(move)


def _is_due(at_s: float | None, now_s: float) -> bool:
    return at_s is not None and at_s <= now_s


def _absent_at_s(state: SessionState) -> float | None:
    """When somebody who went away is called absent."""
    return state.presence_since_s + ABSENT_AFTER_S if state.presence is Presence.SUSPECT else None


def _not_ready_at_s(state: SessionState) -> float | None:
    """When an absent agent is made not ready; None once it was asked for, or while the switch cannot be asked."""
    agent = state.agent
    if state.presence is not Presence.ABSENT or state.telephony.stage is not TelephonyStage.UP or state.log_out:
        return None
    if agent.mode is not SwitchMode.READY or agent.pending is not None:
        return None
    if state.telephony.next_cause == "desktop-absent" or any(each.what == "mode:not-ready" for each in state.requests):
        return None
    return state.presence_since_s - ABSENT_AFTER_S + state.policy.absent_not_ready_s


def _log_out_at_s(state: SessionState) -> float | None:
    """When an absent agent is logged out; never during a call or item."""
    if state.presence is not Presence.ABSENT or state.log_out or _is_working(state):
        return None
    return state.presence_since_s - ABSENT_AFTER_S + state.policy.absent_log_out_s


def _is_working(state: SessionState) -> bool:
    return bool(state.calls) or state.agent.talking or state.item is not None


# --- the end


def _steer_out(move: Move) -> None:
    """Go the way out as far as it is free: the dialler first, then the switch."""
    state = move.state
    if not state.log_out or (state.phase is not Phase.CLOSING and _is_working(state) and not state.log_out_now):
        return
    if state.phase is not Phase.CLOSING and state.telephony.verified and not _can_leave_switch(state):
        return  # the switch cannot be asked now, or has just refused; the log-out waits, and shows as pending
    if state.phase is not Phase.CLOSING:
        move.set(phase=Phase.CLOSING, close_reason=state.log_out)
    if dialler_steps.leave(move) and state.telephony.stage is not TelephonyStage.LOGGING_OUT:
        telephony_steps.leave(move)


def _can_leave_switch(state: SessionState) -> bool:
    telephony = state.telephony
    if telephony.stage is TelephonyStage.UP:
        return telephony.retry_at_s is None
    return telephony.stage in {TelephonyStage.REFUSED, TelephonyStage.OUT}


def _close_when_left(move: Move) -> None:
    state = move.state
    if state.phase is not Phase.CLOSING or state.dialler.stage is not DiallerStage.OFF:
        return
    if state.telephony.stage not in {TelephonyStage.OUT, TelephonyStage.REFUSED}:
        return
    if state.telephony.link is not None and move.may_act:
        move.ask_switch(ReleaseStation())
    move.set(phase=Phase.CLOSED)
    move.effects.append(CloseSession(session=state.id, reason=state.close_reason))


def _woken(move: Move, fact: Woken) -> None:
    """What is due is found by the watches that follow every input."""


#: What follows on every input, in this order.
_FOLLOWING: Final[tuple[Callable[[Move], None], ...]] = (
    _expire_requests,
    _watch_presence,
    telephony_steps.steer,
    command_steps.settle_doubts,
    _try_dialler_again,
    _steer_out,
    claim_steps.steer,
    _steer_dialler,
    _close_when_left,
)

_DONE: Final = {Side.TELEPHONY: telephony_steps.request_done, Side.DIALLER: dialler_steps.request_done}
_FAILED: Final = {Side.TELEPHONY: telephony_steps.request_failed, Side.DIALLER: dialler_steps.request_failed}

#: Who takes which input; reports about calls and about job and item have tables of their own.
_HANDLERS: Final[dict[type[Input], Callable[[Move, Any], None]]] = {
    RequestDone: _answered,
    RequestRefused: _answered,
    RequestUnknown: _answered,
    CommandReceived: command_steps.received,
    CommandDoubted: command_steps.doubted,
    ClaimGranted: claim_steps.granted,
    ClaimDelayed: claim_steps.delayed,
    ClaimRefused: claim_steps.refused,
    ClaimLost: claim_steps.lost,
    MovePlanned: claim_steps.move_planned,
    MoveAsked: claim_steps.move_asked,
    IdentityShown: claim_steps.identity_shown,
    AgentStateReported: telephony_steps.agent_reported,
    ModePending: telephony_steps.mode_pending,
    StationSnapshot: telephony_steps.snapshot_taken,
    StationUnobserved: telephony_steps.unobserved,
    TelephonyUp: telephony_steps.link_up,
    TelephonyDown: telephony_steps.link_down,
    DiallerUp: dialler_steps.dialler_up,
    DiallerDown: dialler_steps.dialler_down,
    DiallerLost: dialler_steps.lost,
    DiallerStepped: dialler_steps.stepped,
    DiallerLoggedOn: dialler_steps.logged_on,
    JobJoined: dialler_steps.joined,
    SessionOpened: _from_house,
    TurnPlanned: _from_house,
    TurnGiven: _from_house,
    DesktopAttached: _from_house,
    DesktopDetached: _from_house,
    LogOutForced: _from_house,
    Woken: _woken,
}
