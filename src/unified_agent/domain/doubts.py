"""What became of a command that nobody answered, found out from what switch and dialler say now.

Nothing is asked again: a second "dial" would call the customer twice. The truth decides, and where it leaves no trace
that is said: ``command.not-performed`` when it can be seen that it was not, ``command.no-trace`` when nothing is left
to tell by (the call is over, the record is closed).
"""

from __future__ import annotations

from unified_agent.domain.call import Call, find
from unified_agent.domain.commands import (
    AnswerCall,
    AnyCommand,
    CallCommand,
    CancelPending,
    ConferenceCalls,
    ConsultCall,
    DismissLeftItem,
    HangUpCall,
    HoldCall,
    JoinJob,
    LeaveJob,
    LogOut,
    MakeCall,
    PauseItems,
    ReconnectCall,
    RefreshJobs,
    RetrieveCall,
    SaveDraft,
    SetMode,
    SwapCalls,
    TakeItems,
    TransferCall,
)
from unified_agent.domain.session_state import Outcome, SessionState
from unified_agent.domain.states import Direction, LegState

NOT_PERFORMED = "command.not-performed"
NO_TRACE = "command.no-trace"

Finding = tuple[Outcome, str]

_DONE: Finding = (Outcome.DONE, "")
_NOT_DONE: Finding = (Outcome.REFUSED, NOT_PERFORMED)
_NO_TRACE: Finding = (Outcome.REFUSED, NO_TRACE)


def find_out(state: SessionState, command: AnyCommand) -> Finding:
    """Say how a command ended, by what is so now.

    Args:
        state: with its telephony side just brought in line with the switch.
        command: what had been asked.

    Returns:
        The outcome, done or refused, and the id that goes with a refusal.
    """
    if isinstance(command, CallCommand):
        return _of_call(state, command)
    match command:
        case SetMode():
            pending = state.agent.pending
            wanted = command.mode.value
            return _seen(state.agent.mode.value == wanted or (pending is not None and pending.mode.value == wanted))
        case LogOut():
            return _seen(bool(state.log_out))
        case CancelPending():
            return _seen(state.agent.pending is None and not state.log_out)
        case JoinJob():
            return _seen(state.dialler.wanted_job == command.job)
        case LeaveJob():
            return _seen(state.dialler.wanted_job is None)
        case TakeItems():
            return _seen(state.dialler.take_items)
        case PauseItems():
            return _seen(not state.dialler.take_items)
        case SaveDraft():
            items = [each for each in (state.item, state.left_item) if each is not None]
            return _seen(any((each.draft.notes, each.draft.code) == (command.notes, command.code) for each in items))
        case DismissLeftItem():
            return _seen(state.left_item is None)
        case RefreshJobs():
            return _NOT_DONE
        case _:
            return _NO_TRACE  # about a record or line of the dialler, which closed both with the connection


def _of_call(state: SessionState, command: CallCommand) -> Finding:
    match command:
        case MakeCall() | ConsultCall():
            return _seen(any(_is_to(call, command.number) for call in state.calls), otherwise=_NO_TRACE)
        case TransferCall() | ConferenceCalls() | SwapCalls() | ReconnectCall():
            return _of_pair(state, command)
        case HangUpCall():
            return _seen(find(state.calls, command.call) is None)
        case AnswerCall() | HoldCall() | RetrieveCall():
            call = find(state.calls, command.call)
            return _NO_TRACE if call is None else _seen(_is_as_asked(call, command))
        case _:
            return _NO_TRACE


def _is_as_asked(call: Call, command: AnswerCall | HoldCall | RetrieveCall) -> bool:
    match command:
        case AnswerCall():
            return call.state is not LegState.ALERTING
        case HoldCall():
            return call.state is LegState.HELD
        case RetrieveCall():
            return call.state is not LegState.HELD


def _of_pair(state: SessionState, command: TransferCall | ConferenceCalls | SwapCalls | ReconnectCall) -> Finding:
    held, active = find(state.calls, command.held), find(state.calls, command.active)
    match command:
        case TransferCall():
            return _seen(held is None and active is None)
        case ConferenceCalls():
            return _seen(held is None or active is None)
        case SwapCalls():
            return _seen(active is not None and active.state is LegState.HELD)
        case ReconnectCall():
            return _seen(active is None and held is not None and held.state is not LegState.HELD)


def _is_to(call: Call, number: str) -> bool:
    return call.direction is not Direction.IN and number in {call.called, *(each.number for each in call.parties)}


def _seen(so: bool, *, otherwise: Finding = _NOT_DONE) -> Finding:
    return _DONE if so else otherwise
