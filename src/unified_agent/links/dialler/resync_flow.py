"""After doubt: ask the dialler where it has the agent, and bring both sides together.

Doubt comes from a command without an answer, an announcement that carried an error, an answer that says "wrong
state", a broken headset, or a probe of the connection whose answer does not fit.
"""

from __future__ import annotations

from typing import Final

from unified_agent.domain.facts import JobLeft
from unified_agent.errors import RemoteProtocolError
from unified_agent.links.dialler.actions import End
from unified_agent.links.dialler.item_flow import become_ready, read_unknown_item
from unified_agent.links.dialler.job_flow import OUT_OF_STEP, back_out
from unified_agent.links.dialler.scripts import Script, ask, pause
from unified_agent.links.dialler.seat import ITEM_PLACES, JOB_PLACES, STATE_CODES, Headset, Place, Seat
from unified_agent.wire.apc import codes
from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.readings import AgentState, read_state

#: A difference must still be there after this: an announcement may be on its way in parts.
SETTLE_S: Final = 1.0


def agrees(seat: Seat, told: AgentState) -> bool:
    """Say whether the dialler has the agent where we believe.

    Without a headset nobody is ready: a ready agent whose voice path broke is made ready again when it is back.
    """
    if seat.place is Place.READY and seat.headset is not Headset.CONNECTED and told.code == codes.JOINED:
        return not told.job or told.job == seat.job
    if STATE_CODES.get(seat.place) != told.code:
        return False
    return seat.place not in JOB_PLACES or not told.job or told.job == seat.job


def check(seat: Seat) -> Script[None]:
    """Ask twice, and when both answers differ from what we believe, report what is so."""
    for patience_s in (SETTLE_S, None):
        reply = yield from ask(Command.LIST_STATE)
        if not reply.ok:
            return
        try:
            told = read_state(reply.values)
        except RemoteProtocolError as error:
            seat.note("dialler_answer_unreadable", detail=str(error))
            return
        if agrees(seat, told):
            return
        if patience_s is not None:
            yield from pause(patience_s)
    seat.note("dialler_out_of_step", code=told.code, detail=f"we believed {seat.place}")
    yield from _bring_together(seat, told)


def _bring_together(seat: Seat, told: AgentState) -> Script[None]:
    if seat.place not in JOB_PLACES or (told.job and told.job != seat.job):
        # The session knows of no such job: whatever the dialler believes, it is undone.
        yield from _undo(seat)
        return
    match told.code:
        case codes.LOGGED_ON:
            _lose_job(seat)
        case codes.ATTACHED:
            yield from _undo(seat)
        case codes.JOINED:
            was_ready = seat.place is Place.READY
            seat.close_item()
            seat.place = Place.AVAILABLE
            if was_ready:
                yield from _ready_again(seat)
        case codes.READY:
            seat.close_item()
            seat.place = Place.AVAILABLE
            become_ready(seat)
        case _ if seat.place not in ITEM_PLACES:
            yield from read_unknown_item(seat)
        case _:
            pass


def _ready_again(seat: Seat) -> Script[None]:
    """The session believes the agent to be ready: make it so, or take the agent out of the job, to join it again."""
    reply = yield from ask(Command.READY_NEXT_ITEM)
    if reply.ok or reply.code == "E28903":
        become_ready(seat)
    else:
        yield from _undo(seat)


def _undo(seat: Seat) -> Script[None]:
    was_in_job = seat.place in JOB_PLACES
    if not (yield from back_out(seat)):
        seat.end(End.LOST, OUT_OF_STEP, "the dialler and we do not agree where the agent is")
    elif was_in_job:
        seat.report(JobLeft(session=seat.session, why="ended"))


def _lose_job(seat: Seat) -> None:
    seat.leave_job()
    seat.report(JobLeft(session=seat.session, why="ended"))
