"""The agent's round: ready, record, release, finish; managed calls."""

from __future__ import annotations

from unified_agent.tools.simulators.apc import calls
from unified_agent.tools.simulators.apc.field_desk import call_of
from unified_agent.tools.simulators.apc.floor import Floor, Refused
from unified_agent.tools.simulators.apc.line_desk import complete_transfer
from unified_agent.tools.simulators.apc.logon_desk import set_acquired
from unified_agent.tools.simulators.apc.seats import Headset, Line, Seat, Stage
from unified_agent.wire.apc.messages import Message

OWN_RECALL = 98


def ready_next_item(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTReadyNextItem. The last agent of a job, while leaving, is given the callers who still wait."""
    if seat.headset is not Headset.CONNECTED:
        raise Refused("E28896")
    job = floor.job_of(seat)
    if not seat.leaving:
        floor.done(seat, command)
        calls.become_ready(floor, seat)
    elif job.queue:
        floor.done(seat, command)
        calls.deliver(floor, seat, job.queue.popleft())
    else:
        floor.refuse(seat, command, Refused("E28904"))
        calls.finish_leaving(floor, seat)


def managed_call(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTManagedCall: "pending", how it went, answer."""
    call = call_of(seat)
    if call.line is Line.GONE:
        raise Refused("E28911")
    if call.line is not Line.NONE:
        raise Refused("E28909")
    seat.searching = None
    floor.pending(seat, command)
    calls.place_managed_call(floor, seat, call, command)


def release_line(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTReleaseLine: hangs up, or cancels the dialling of a preview; the record stays open."""
    call = call_of(seat)
    if call.line is Line.RELEASING:
        raise Refused("E28866")

    def finish() -> None:
        if seat.call is call:
            complete_transfer(floor, call)
            call.line = Line.GONE
            floor.enter(seat, Stage.WRAPPING)
        floor.done(seat, command)

    call.line = Line.RELEASING
    floor.later(seat, command, floor.plan.step_s, finish)


def finished_item(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTFinishedItem: hangs up if needed and closes the record with one of the job's completion codes."""
    text = command.segments[0].strip()
    job = floor.job_of(seat)
    if not text.isdecimal() or int(text) not in {key.code for key in job.plan.keys}:
        raise Refused("E28947")
    if floor.plan.quirks.pending_on_finish:
        floor.pending(seat, command)
    call = call_of(seat)
    completion = int(text)
    call.record.recall_owner = seat.name if completion == OWN_RECALL else ""
    complete_transfer(floor, call)
    seat.call = seat.searching = None
    seat.finished += 1
    calls.end_call(floor, call, completion)
    floor.enter(seat, Stage.AVAILABLE)
    floor.done(seat, command)
    if seat.leaving and not calls.drains_queue(floor, job, seat):
        calls.finish_leaving(floor, seat)


def give_back(floor: Floor, seat: Seat) -> None:
    """Return a blending agent to the ACD; one who is joined leaves the job first."""
    if seat.stage in {Stage.AVAILABLE, Stage.READY}:
        calls.leave(floor, seat, None)
    set_acquired(floor, seat, acquired=False)
