"""The switch's side of a session: the way in, the way back after a loss, reports, the way out."""

from __future__ import annotations

from typing import Final

from unified_agent.domain import call as calls_at_station
from unified_agent.domain.agent import Pending, is_expected
from unified_agent.domain.effects import (
    AskTurn,
    ChangeMode,
    CountUnexpected,
    LogInAgent,
    LogOutAgent,
    Observe,
    QueryAgent,
    RestartOutbox,
    Snapshot,
)
from unified_agent.domain.facts import (
    AgentStateReported,
    CallFact,
    ModePending,
    StationSnapshot,
    StationUnobserved,
    TelephonyDown,
    TelephonyUp,
)
from unified_agent.domain.move import INSTANCE_LOST, Move, on_the_way_back
from unified_agent.domain.reconcile import Verdict, calls_accounted_for, judge, mode_to_restore
from unified_agent.domain.session_state import OpenRequest, Outcome
from unified_agent.domain.states import Phase, Side, SwitchMode, TelephonyStage

_ENTERING: Final = frozenset(
    {TelephonyStage.QUEUED, TelephonyStage.OBSERVING, TelephonyStage.CHECKING, TelephonyStage.LOGGING_IN}
)
#: Stages in which the station is observed; a report in any other is of a time that has passed.
_SEEING: Final = frozenset(
    {TelephonyStage.CHECKING, TelephonyStage.LOGGING_IN, TelephonyStage.UP, TelephonyStage.LOGGING_OUT}
)

# --- the link


def link_up(move: Move, fact: TelephonyUp) -> None:
    """The switch can be asked: queue for a turn to log in."""
    move.set_telephony(link=fact.link, trouble=on_the_way_back(move.state.telephony.trouble), detail="")
    if move.state.telephony.stage is TelephonyStage.WAITING:
        queue(move)


def link_down(move: Move, fact: TelephonyDown) -> None:
    """The switch cannot be asked: the desktop is reset, and what it showed of the telephone is void."""
    state = move.state
    stage = state.telephony.stage
    if stage in {TelephonyStage.OUT, TelephonyStage.REFUSED} and state.phase in {Phase.CLOSING, Phase.CLOSED}:
        return
    move.lose_requests(Side.TELEPHONY, fact.reason)
    if stage is TelephonyStage.WAITING:
        move.set_telephony(link=None, trouble=fact.reason)
        return
    reset(move, fact.reason)
    move.set_telephony(link=None)


def unobserved(move: Move, fact: StationUnobserved) -> None:
    """The switch ended this station's monitor alone: set it up again, the link is there."""
    if move.state.telephony.stage is not TelephonyStage.UP:
        return
    move.lose_requests(Side.TELEPHONY, fact.reason)
    reset(move, "station-unobserved")
    queue(move)


def reset(move: Move, reason: str) -> None:
    """Begin the way back: what was shown of the telephone is void, what the agent wanted is kept."""
    state = move.state
    pending = state.agent.pending
    wanted = {}
    if pending is not None and pending.mode in {SwitchMode.READY, SwitchMode.NOT_READY}:
        wanted = {"wanted": pending.mode, "wanted_reason": pending.reason}
    was_in = state.telephony.verified
    move.set_telephony(
        stage=TelephonyStage.WAITING,
        lost_s=(state.telephony.lost_s or move.now_s) if was_in else None,
        turn_at_s=None,
        trouble=reason,
        detail="",
        retry_at_s=None,
        **wanted,
    )
    _lose_sight(move)
    if state.phase is Phase.ACTIVE or (state.phase is Phase.CLOSING and was_in):
        move.set(phase=Phase.RESETTING, close_reason="")
    move.effects.append(RestartOutbox(session=state.id, reason="telephony-lost"))


def _lose_sight(move: Move) -> None:
    """Nothing of the telephone is shown while it cannot be seen; the mode stays, as the last one known."""
    move.set_agent(known=False, pending=None, talking=False)
    move.set(calls=(), calls_before=move.state.calls or move.state.calls_before)


# --- the way in


def queue(move: Move) -> None:
    """Ask for a turn to log in, if this instance may act for the agent; else that follows the claim."""
    if not move.may_act:
        return
    move.set_telephony(stage=TelephonyStage.QUEUED, turn_at_s=None, retry_at_s=None)
    move.effects.append(AskTurn(session=move.state.id, side=Side.TELEPHONY))


def turn_given(move: Move) -> None:
    """Begin: have the station observed."""
    if move.state.telephony.stage is TelephonyStage.QUEUED:
        trouble = on_the_way_back(move.state.telephony.trouble)
        move.set_telephony(stage=TelephonyStage.OBSERVING, turn_at_s=None, trouble=trouble, detail="")
        move.ask_switch(Observe())


def request_done(move: Move, request: OpenRequest) -> None:
    """Go on after an answered request of ours."""
    stage = move.state.telephony.stage
    match request.what:
        case "observe" if stage is TelephonyStage.OBSERVING:
            move.set_telephony(stage=TelephonyStage.CHECKING)
            move.ask_switch(Snapshot(agent=move.state.identity.agent))
        case "prove" if stage is TelephonyStage.LOGGING_IN:
            _log_in(move)
        case "log-in-agent" if stage is TelephonyStage.LOGGING_IN:
            move.set_telephony(verified=True)
            move.set_agent(
                mode=SwitchMode.NOT_READY,
                reason=move.state.policy.reason_after_login,
                cause="switch-link-lost" if move.state.telephony.lost_s is not None else "just-logged-in",
                since_s=move.now_s,
                known=True,
            )
            _arrive(move)
        case "log-out-agent" if stage is TelephonyStage.LOGGING_OUT:
            _logged_out(move)
        case "cancel-pending":
            move.set_agent(pending=None)
        case what if what.startswith("mode:") and (move.state.calls or move.state.agent.talking):
            doubt_mode(move)  # on a call the switch may report only "busy", which hides the mode behind it
        case _:
            pass


def request_failed(move: Move, request: OpenRequest, error: str, detail: str, *, fatal: bool) -> None:
    """Deal with a refused or unanswered request of ours.

    Before the first login succeeded a fatal refusal ends the session; later it stays, says so, and waits for a
    person. What is not fatal is tried again after a while.
    """
    stage = move.state.telephony.stage
    if request.what in {"observe", "snapshot", "prove", "log-in-agent"} and stage in _ENTERING:
        _entry_failed(move, error, detail, fatal=fatal)
    elif request.what == "snapshot" and stage is TelephonyStage.UP:
        move.set_telephony(retry_at_s=move.now_s + move.state.policy.retry_refused_s)
    elif request.what == "log-out-agent" and stage is TelephonyStage.LOGGING_OUT:
        _log_out_failed(move)
    elif request.what == "mode:not-ready" and move.state.calls and move.telephony_is_up:
        # The switch does not hold the change for the end of the call, so we do.
        wanted = move.state.telephony
        move.set_agent(pending=Pending(mode=SwitchMode.NOT_READY, reason=wanted.wanted_reason))


def _log_out_failed(move: Move) -> None:
    """The switch did not log the agent out, because of a call that came meanwhile or for a reason of its own.

    The agent is still in, so the session goes on: they can work the call, see the log-out pending, and take it back.
    """
    if move.state.log_out_now:
        end(move, move.state.log_out)
        return
    move.set_telephony(stage=TelephonyStage.UP, retry_at_s=move.now_s + move.state.policy.retry_refused_s)
    move.set(phase=Phase.ACTIVE, close_reason="")
    doubt(move)


def _entry_failed(move: Move, error: str, detail: str, *, fatal: bool) -> None:
    _lose_sight(move)
    if fatal and not move.state.telephony.verified:
        move.set_telephony(stage=TelephonyStage.REFUSED, trouble=error, detail=detail)
        move.set(close_detail=detail)
        end(move, error)
        return
    again_at_s = None if fatal else move.now_s + move.state.policy.retry_refused_s
    move.set_telephony(stage=TelephonyStage.REFUSED, trouble=error, detail=detail, retry_at_s=again_at_s)


def snapshot_taken(move: Move, fact: StationSnapshot) -> None:
    """Bring what we believe in line with the switch, and choose how to go on."""
    move.close_request(fact.request)
    stage = move.state.telephony.stage
    if stage not in {TelephonyStage.CHECKING, TelephonyStage.UP}:
        return
    before = move.state.calls or move.state.calls_before
    move.set(calls=calls_at_station.from_snapshot(before, fact.calls, move.now_s))
    if stage is TelephonyStage.UP:
        _believe(move, fact)
        return
    verdict = judge(move.state, fact)
    if move.state.orphaned and verdict is not Verdict.TAKE_OVER:
        end(move, "desktop-absent")  # logged out meanwhile, or somebody else is there: nothing is to be looked after
        return
    match verdict:
        case Verdict.LOG_IN:
            _log_in(move)
        case Verdict.TAKE_OVER:
            _heed(move, fact)
            _believe(move, fact)
            _arrive(move)
        case Verdict.PROVE:
            move.set_telephony(stage=TelephonyStage.LOGGING_IN)
            identity = move.state.identity
            move.ask_switch(LogOutAgent(agent=identity.agent, password=identity.password), what="prove")
        case Verdict.ON_A_CALL:
            _entry_failed(move, "agent.on-a-call", "", fatal=True)
        case Verdict.TAKEN:
            _entry_failed(move, "switch.station-in-use", str(fact.agent), fatal=True)


def _log_in(move: Move) -> None:
    move.set_telephony(stage=TelephonyStage.LOGGING_IN)
    identity = move.state.identity
    reason = move.state.policy.reason_after_login
    move.ask_switch(LogInAgent(agent=identity.agent, password=identity.password, reason=reason))


def _heed(move: Move, fact: StationSnapshot) -> None:
    """Take a mode that is another one than was left for the agent's later wish.

    Our end does nothing at the switch, so whoever changed it did so after the last owner had written for the last time;
    while the store is away that can be long before its end.
    """
    telephony, agent = move.state.telephony, move.state.agent
    if telephony.trouble != INSTANCE_LOST or fact.mode is agent.mode:
        return
    if fact.mode in {SwitchMode.READY, SwitchMode.NOT_READY}:
        move.set_telephony(wanted=fact.mode, wanted_reason=fact.reason)


def _believe(move: Move, fact: StationSnapshot) -> None:
    same = fact.mode is move.state.agent.mode and fact.reason == move.state.agent.reason
    pending = None
    if fact.pending_mode is not None:
        pending = Pending(mode=fact.pending_mode, reason=fact.pending_reason, kept_by_switch=True)
    move.set_agent(
        mode=fact.mode,
        reason=fact.reason,
        talking=fact.talking,
        known=True,
        cause=move.state.agent.cause if same else "",
        since_s=move.state.agent.since_s if same else move.now_s,
        pending=pending,
    )


def _arrive(move: Move) -> None:
    """The agent is in, and the switch and we agree: commands are accepted, the mode of before is brought back."""
    state = move.state
    lost_s = state.telephony.lost_s
    accounted = calls_accounted_for(state.calls_before, state.calls)
    move.set_telephony(stage=TelephonyStage.UP, lost_s=None, trouble="", detail="", retry_at_s=None)
    move.set(calls_before=())
    if state.phase in {Phase.LOGGING_IN, Phase.RESETTING}:
        move.set(phase=Phase.ACTIVE)
    if lost_s is None or state.log_out:
        return
    outage_s = move.now_s - lost_s
    if outage_s >= state.policy.hold_s:
        move.set_dialler(take_items=False)
    restore = mode_to_restore(move.state, found=state.agent.mode, outage_s=outage_s, accounted=accounted)
    if restore is not None:
        mode, cause = restore
        change_mode(move, mode, cause=cause, reason=state.policy.reasons_of_system.get(cause))


# --- reports


def agent_reported(move: Move, fact: AgentStateReported) -> None:
    """The switch said in which mode the agent is."""
    state = move.state
    if state.telephony.stage not in _SEEING:
        return
    if fact.agent is not None and fact.agent != state.identity.agent:
        return
    agent = state.agent
    if not is_expected(agent.mode, fact.mode):
        move.effects.append(CountUnexpected(session=state.id, what=f"mode:{agent.mode}>{fact.mode}"))
    same = fact.mode is agent.mode and fact.reason == agent.reason
    cause = agent.cause if same else ""
    if fact.mode is SwitchMode.NOT_READY and state.telephony.next_cause:
        cause = state.telephony.next_cause
        move.set_telephony(next_cause="")
    since_s = fact.since_s if fact.since_s is not None else (agent.since_s if same else move.now_s)
    move.set_agent(
        mode=fact.mode,
        reason=fact.reason,
        cause=cause,
        since_s=since_s,
        known=True,
        talking=agent.talking if fact.talking is None else fact.talking,
        pending=_pending_after(move, fact),
    )
    if state.telephony.stage is not TelephonyStage.UP:
        return
    if fact.talking and same and fact.mode is not SwitchMode.READY:
        doubt_mode(move)  # "busy" hides the mode behind it, which may have changed: timed wrap-up ends during a call
    if fact.mode in {SwitchMode.READY, SwitchMode.NOT_READY} and not cause:
        move.set_telephony(wanted=fact.mode, wanted_reason=fact.reason)
    if fact.mode is SwitchMode.LOGGED_OUT and not state.log_out:
        move.set(log_out="logged-out-at-phone")


def _pending_after(move: Move, fact: AgentStateReported) -> Pending | None:
    if fact.pending_mode is not None:
        return Pending(mode=fact.pending_mode, reason=fact.pending_reason, kept_by_switch=True)
    pending = move.state.agent.pending
    if pending is None or pending.mode is fact.mode:
        return None
    still_talking = bool(move.state.calls)
    return pending if still_talking or not pending.kept_by_switch else None


def mode_pending(move: Move, fact: ModePending) -> None:
    """The switch holds the change until the call ends."""
    request = move.close_request(fact.request)
    if request is not None and request.command is not None:
        move.settle(request.command, Outcome.DONE)
    if move.telephony_is_up:
        move.set_agent(pending=Pending(mode=fact.mode, reason=fact.reason, kept_by_switch=True))


def call_reported(move: Move, fact: CallFact) -> None:
    """A call at the station moved."""
    if move.state.telephony.stage not in _SEEING:
        return
    if not calls_at_station.is_expected(move.state.calls, fact):
        what = f"call:{type(fact).__name__}"
        move.effects.append(CountUnexpected(session=move.state.id, what=what))
    move.set(calls=calls_at_station.apply(move.state.calls, fact, move.now_s))
    if not move.state.calls and move.state.agent.talking:
        move.set_agent(talking=False)


# --- asking, and the way out


def change_mode(
    move: Move, mode: SwitchMode, *, reason: int | None = None, cause: str = "", may_wait: bool = False
) -> None:
    """Ask for a work mode on the house's own account; ``cause`` is shown with it once the switch reports it."""
    if move.is_asked(f"mode:{mode}"):
        return
    move.set_telephony(next_cause=cause)
    ask = ChangeMode(agent=move.state.identity.agent, mode=mode, reason=reason, may_wait=may_wait)
    move.ask_switch(ask, what=f"mode:{mode}")


def doubt(move: Move) -> None:
    """Something asked of the switch was not answered: ask for the truth, never ask the thing again."""
    if move.telephony_is_up and not move.is_asked("snapshot"):
        move.ask_switch(Snapshot(agent=move.state.identity.agent))


def doubt_mode(move: Move) -> None:
    """A change of mode was not answered: ask for the mode."""
    if move.telephony_is_up and not move.is_asked("query-agent"):
        move.ask_switch(QueryAgent(agent=move.state.identity.agent))


def steer(move: Move) -> None:
    """Do what the state calls for and no fact will: our own pending mode, retries that are due, the way out."""
    state = move.state
    telephony = state.telephony
    pending = state.agent.pending
    if move.telephony_is_up and pending is not None and not pending.kept_by_switch and not state.calls:
        move.set_agent(pending=None)
        change_mode(move, pending.mode, reason=pending.reason)
    if telephony.retry_at_s is not None and telephony.retry_at_s <= move.now_s:
        move.set_telephony(retry_at_s=None)
        if telephony.stage is TelephonyStage.REFUSED and telephony.link is not None:
            queue(move)
        elif telephony.stage is TelephonyStage.REFUSED:
            move.set_telephony(stage=TelephonyStage.WAITING)
        else:
            doubt(move)


def leave(move: Move) -> None:
    """Log out at the switch, as far as we are in; called when the dialler is left and nothing is open."""
    state = move.state
    stage = state.telephony.stage
    if state.orphaned:
        end(move, state.log_out)  # the switch wants a password for a log-out; the agent stays in, not ready
    elif stage is TelephonyStage.UP and state.agent.mode is not SwitchMode.LOGGED_OUT:
        move.set_telephony(stage=TelephonyStage.LOGGING_OUT)
        identity = state.identity
        ask = LogOutAgent(agent=identity.agent, password=identity.password, reason=state.log_out_reason)
        move.ask_switch(ask)
    elif stage is TelephonyStage.UP or not state.telephony.verified or stage is TelephonyStage.REFUSED:
        end(move, state.log_out)


def _logged_out(move: Move) -> None:
    move.set_agent(mode=SwitchMode.LOGGED_OUT, reason=move.state.log_out_reason, since_s=move.now_s, talking=False)
    end(move, move.state.log_out)


def end(move: Move, reason: str) -> None:
    """Mark the session as over; ``session.step`` releases what is left and says so."""
    if move.state.telephony.stage is not TelephonyStage.REFUSED:
        move.set_telephony(stage=TelephonyStage.OUT)
    move.set(phase=Phase.CLOSING, close_reason=reason, log_out=move.state.log_out or reason)
