"""Where an agent should be at the dialler, decided again after every step from what is wanted and what is possible.

Nothing is remembered as a plan: join the wanted job, take items, leave, ask for a turn to log on. So a loss in the
middle of anything needs no case of its own.
"""

from __future__ import annotations

from unified_agent.domain.commands import JoinJob, LeaveJob, TakeItems
from unified_agent.domain.effects import AskTurn
from unified_agent.domain.ids import JobName
from unified_agent.domain.move import Move
from unified_agent.domain.states import ClaimStage, DiallerStage, HeadsetState, Presence, Side, TelephonyStage


def steer(move: Move) -> None:
    """Do what is wanted and possible now, one ask at a time; nothing while an answer is awaited."""
    state = move.state
    dialler = state.dialler
    match dialler.stage:
        case DiallerStage.WAITING:
            _steer_waiting(move)
        case DiallerStage.LOGGED_ON:
            if _may_work(move) and dialler.wanted_job is not None:
                _join(move, dialler.wanted_job)
        case DiallerStage.JOINED | DiallerStage.READY:
            _steer_in_job(move)
        case DiallerStage.WORKING:
            if state.item is None:
                move.set_dialler(stage=DiallerStage.JOINED)
                _steer_in_job(move)
        case _:
            pass


def _may_work(move: Move) -> bool:
    """New work is taken only by an agent who is there, whose telephone we can see, and who is not leaving."""
    state = move.state
    if state.claim.stage is not ClaimStage.HELD or state.claim.going:
        return False
    return move.telephony_is_up and not state.log_out and state.presence is not Presence.ABSENT


def _steer_waiting(move: Move) -> None:
    state = move.state
    if state.claim.stage is not ClaimStage.HELD or state.orphaned:
        return
    if state.log_out or state.dialler_queued or state.telephony.stage is not TelephonyStage.UP:
        return
    if state.dialler_retry_at_s is not None:
        return
    move.set(dialler_queued=True, dialler_turn_at_s=None)
    move.effects.append(AskTurn(session=state.id, side=Side.DIALLER))


def _steer_in_job(move: Move) -> None:
    state = move.state
    dialler = state.dialler
    if move.is_asked("leave-job", "take-items"):
        return
    if state.dialler_retry_at_s is not None:
        return
    if state.presence is Presence.ABSENT and dialler.take_items:
        move.set_dialler(take_items=False)
    stop = not _may_work(move) or dialler.wanted_job != dialler.job
    if stop or (dialler.stage is DiallerStage.READY and not move.state.dialler.take_items):
        _leave_job(move)
    elif dialler.stage is DiallerStage.JOINED and dialler.take_items and dialler.headset is HeadsetState.CONNECTED:
        move.ask_dialler(TakeItems())


def _join(move: Move, job: JobName) -> None:
    """Attach to a job on the session's own account."""
    move.set_dialler(stage=DiallerStage.JOINING, step="attaching", wanted_job=job)
    move.ask_dialler(JoinJob(job=job))


def _leave_job(move: Move) -> None:
    """Take no further work and detach, on the session's own account."""
    move.set(dialler_retry_at_s=None)
    move.set_dialler(stage=DiallerStage.LEAVING)
    move.ask_dialler(LeaveJob())
