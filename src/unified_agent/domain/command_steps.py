"""What a desktop's command sets in motion. Refused, answered from memory, done at once, or asked of a link."""

from __future__ import annotations

from unified_agent.domain.agent import Pending
from unified_agent.domain.commands import (
    AnyCommand,
    AskedMode,
    CallCommand,
    CancelPending,
    DialItem,
    DiallerCommand,
    DismissLeftItem,
    JoinJob,
    LeaveJob,
    LogOut,
    PauseItems,
    SaveDraft,
    SetMode,
    TakeItems,
    kebab,
)
from unified_agent.domain.doubts import find_out
from unified_agent.domain.effects import ChangeMode
from unified_agent.domain.facts import CommandDoubted, CommandReceived
from unified_agent.domain.ids import CommandId
from unified_agent.domain.job import Draft, leaves_after_item
from unified_agent.domain.limits import DOUBTS_KEPT
from unified_agent.domain.move import INSTANCE_LOST, Move
from unified_agent.domain.permissions import refusal
from unified_agent.domain.session_state import CommandRecord, Doubt, Outcome
from unified_agent.domain.states import DiallerStage, ItemStage, SwitchMode


def received(move: Move, fact: CommandReceived) -> None:
    """Take a command: a repeat finds its record, and is not performed again."""
    if any(each.id == fact.id for each in move.state.commands):
        return
    word = kebab(type(fact.command).__name__)
    reason = refusal(move.state, fact.command)
    outcome = Outcome.REFUSED if reason else Outcome.ACCEPTED
    move.record(CommandRecord(id=fact.id, type=word, outcome=outcome, error=reason, at_s=move.now_s))
    if not reason:
        _perform(move, fact.id, fact.command)


def doubted(move: Move, fact: CommandDoubted) -> None:
    """Remember a command that was asked of another instance, to find out what became of it; never perform it."""
    known = next((each for each in move.state.commands if each.id == fact.id), None)
    if known is None:
        word = kebab(type(fact.command).__name__)
        move.record(CommandRecord(id=fact.id, type=word, outcome=Outcome.UNKNOWN, error=INSTANCE_LOST, at_s=move.now_s))
    elif known.outcome is not Outcome.UNKNOWN:
        return
    doubts = (*(each for each in move.state.doubts if each.id != fact.id), Doubt(id=fact.id, command=fact.command))
    move.set(doubts=doubts[-DOUBTS_KEPT:])


def recall(move: Move) -> None:
    """Tell how doubted commands ended of which the last owner knew it: we know now what it left."""
    for each in move.state.doubts:
        move.tell_again(each.id)
    ended = {each.id for each in move.state.commands if each.outcome in {Outcome.DONE, Outcome.REFUSED}}
    move.set(doubts=tuple(each for each in move.state.doubts if each.id not in ended))


def settle_doubts(move: Move) -> None:
    """Find out what became of doubted commands, as soon as what we believe is in line with the switch."""
    if not move.state.doubts or not move.telephony_is_up:
        return
    doubts = move.state.doubts
    move.set(doubts=())
    for each in doubts:
        outcome, error = find_out(move.state, each.command)
        move.settle(each.id, outcome, error)


def _perform(move: Move, command_id: CommandId, command: AnyCommand) -> None:
    match command:
        case SetMode():
            _set_mode(move, command_id, command)
        case CancelPending():
            _cancel_pending(move, command_id)
        case LogOut():
            move.set(log_out="agent", log_out_reason=command.reason)
            move.settle(command_id, Outcome.DONE)
        case SaveDraft():
            move.set_item(draft=Draft(notes=command.notes, code=command.code))
            move.settle(command_id, Outcome.DONE)
        case DismissLeftItem():
            move.set(left_item=None)
            move.settle(command_id, Outcome.DONE)
        case CallCommand():
            move.ask_switch(command, command=command_id)
        case JoinJob():
            move.set_dialler(stage=DiallerStage.JOINING, step="attaching", wanted_job=command.job, take_items=False)
            move.ask_dialler(command, command=command_id)
        case LeaveJob():
            _leave_job(move, command_id, command)
        case TakeItems():
            move.set_dialler(take_items=True, trouble="", detail="")
            if move.state.dialler.stage is DiallerStage.JOINED:
                move.ask_dialler(command, command=command_id)
            else:
                move.settle(command_id, Outcome.DONE)
        case PauseItems():
            move.set_dialler(take_items=False)
            move.settle(command_id, Outcome.DONE)
        case DialItem():
            move.set_item(stage=ItemStage.DIALLING)
            move.ask_dialler(command, command=command_id)
        case DiallerCommand():
            move.ask_dialler(command, command=command_id)


def _set_mode(move: Move, command_id: CommandId, command: SetMode) -> None:
    mode = {
        AskedMode.READY: SwitchMode.READY,
        AskedMode.NOT_READY: SwitchMode.NOT_READY,
        AskedMode.WRAP_UP: SwitchMode.WRAP_UP,
    }[command.mode]
    move.set_telephony(next_cause="")
    if mode is not SwitchMode.WRAP_UP:
        move.set_telephony(wanted=mode, wanted_reason=command.reason)
    pending = move.state.agent.pending
    if pending is not None and not pending.kept_by_switch:
        move.set_agent(pending=None)
    ask = ChangeMode(agent=move.state.identity.agent, mode=mode, reason=command.reason, may_wait=bool(move.state.calls))
    move.ask_switch(ask, what=f"mode:{command.mode}", command=command_id)


def _cancel_pending(move: Move, command_id: CommandId) -> None:
    state = move.state
    if state.log_out:
        move.set(log_out="", log_out_reason=None)
        if state.dialler.stage is DiallerStage.OFF and state.identity.dialler is not None:
            move.set_dialler(stage=DiallerStage.WAITING)  # it was left already
    if leaves_after_item(state.dialler):
        move.set_dialler(wanted_job=state.dialler.job)
    pending: Pending | None = state.agent.pending
    if pending is None:
        move.settle(command_id, Outcome.DONE)
    elif not pending.kept_by_switch:
        move.set_agent(pending=None)
        move.settle(command_id, Outcome.DONE)
    else:
        # Assumed: asking for the present mode again takes the switch's pending change back, as at the telephone.
        # A real switch would prove it; the pending mode stays on screen until the switch has answered.
        agent = state.agent
        move.set_telephony(wanted=agent.mode, wanted_reason=agent.reason)
        ask = ChangeMode(agent=state.identity.agent, mode=agent.mode, reason=agent.reason, may_wait=True)
        move.ask_switch(ask, what="cancel-pending", command=command_id)


def _leave_job(move: Move, command_id: CommandId, command: LeaveJob) -> None:
    move.set_dialler(wanted_job=None, take_items=False)
    if move.state.dialler.stage is DiallerStage.WORKING:
        move.settle(command_id, Outcome.DONE)  # it waits for the end of the item, and shows as pending
    elif not move.is_asked("leave-job"):
        move.set_dialler(stage=DiallerStage.LEAVING)
        move.ask_dialler(command, command=command_id)
    else:
        move.settle(command_id, Outcome.DONE)
