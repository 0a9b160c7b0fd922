"""What happens to the floor without an agent's doing: supervisors, customers, faults, shutdown.

Each function is one thing that the control port can inject. They raise Conflict when it cannot happen now.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from unified_agent.errors import UnifiedAgentError
from unified_agent.tools.simulators.apc import calls
from unified_agent.tools.simulators.apc.floor import Floor, Job
from unified_agent.tools.simulators.apc.item_desk import give_back
from unified_agent.tools.simulators.apc.logon_desk import set_acquired
from unified_agent.tools.simulators.apc.records import Record
from unified_agent.tools.simulators.apc.seats import JOINED_STAGES, Headset, Line, Seat, Stage
from unified_agent.wire.apc import codes
from unified_agent.wire.apc import server_connection as frames
from unified_agent.wire.apc.messages import NoticeName


class Conflict(UnifiedAgentError):
    """What was asked for cannot happen in the present state."""

    code: ClassVar[str] = "simulator-conflict"


class Unknown(UnifiedAgentError):
    """No such agent or job."""

    code: ClassVar[str] = "simulator-unknown"


def find_agent(floor: Floor, name: str) -> Seat:
    """The seat of an agent who is logged on.

    Raises:
        Unknown: nobody of that name is.
    """
    seat = floor.agents.get(name)
    if seat is None:
        raise Unknown(f"agent {name!r} is not logged on")
    return seat


def find_job(floor: Floor, name: str) -> Job:
    """A job by its name.

    Raises:
        Unknown: there is none.
    """
    job = floor.jobs.get(name)
    if job is None:
        raise Unknown(f"there is no job {name!r}; there are {', '.join(floor.jobs)}")
    return job


def seats_of(floor: Floor, names: Iterable[str]) -> list[Seat]:
    """The seats of these agents; all connections when no name is given."""
    chosen = [find_agent(floor, name) for name in names]
    return chosen or list(floor.seats.values())


# -- supervisors


def send_supervisor_message(floor: Floor, seats: Iterable[Seat], text: str) -> int:
    """Show a text, cut to 79 characters, to agents who are logged on."""
    told = [seat for seat in seats if seat.name]
    for seat in told:
        floor.notify(seat, NoticeName.RECEIVE_MESSAGE, codes.DATA_FOLLOWS, text[:79])
        floor.notify(seat, NoticeName.RECEIVE_MESSAGE, codes.DONE)
    return len(told)


def move_agent(floor: Floor, seat: Seat, target: str) -> None:
    """Move an agent to another job: at once while ready, else after the next AGTReadyNextItem."""
    find_job(floor, target)
    if seat.stage not in JOINED_STAGES or seat.leaving:
        raise Conflict(f"agent {seat.name!r} does not work in a job now")
    if seat.stage is Stage.READY:
        calls.announce_job(floor, seat, NoticeName.JOB_TRANS_REQUEST, target)
        calls.leave(floor, seat, None)
    else:
        seat.move_to = target


def end_job(floor: Floor, job: Job, linked_to: str = "") -> int:
    """Stop a job, or link it to another one. Returns how many agents were told."""
    if not job.active:
        raise Conflict(f"job {job.plan.name} is not active")
    if linked_to and not find_job(floor, linked_to).active:
        raise Conflict(f"job {linked_to} is not active")
    return calls.end_job(floor, job, linked_to)


def start_job(floor: Floor, job: Job) -> None:
    """Start a job that was stopped."""
    job.active = job.dialling = True
    calls.start_arrivals(floor, job)


def end_unit(floor: Floor, job: Job) -> int:
    """The units of a job have no records left. Returns how many agents were told."""
    told = floor.joined(job)
    for seat in told:
        floor.notify(seat, NoticeName.UNIT_END, codes.DONE)
        calls.leave(floor, seat, None)
    return len(told)


def set_rate(floor: Floor, job: Job, calls_per_minute: float) -> None:
    """Let calls of a job with a rate arrive at another one from now on."""
    job.calls_per_minute = calls_per_minute
    if job.active:
        calls.start_arrivals(floor, job)


# -- customers


def place_call(floor: Floor, seat: Seat, direction: str, fields: dict[str, str]) -> int:
    """Put a call through to a ready agent now. Returns the call's number.

    Args:
        floor: where.
        seat: to whom.
        direction: O or I; empty for what suits the job.
        fields: values of the record that are to be different.
    """
    if seat.stage is not Stage.READY:
        raise Conflict(f"agent {seat.name!r} is not ready but in stage {seat.stage.value}")
    job = floor.jobs[seat.job]
    letter = direction or job.plan.lists[0]
    if letter not in job.lists:
        raise Conflict(f"job {seat.job} has no list {letter}")
    record = job.lists[letter].take(seat.name)
    if record is None:
        raise Conflict(f"job {seat.job} has no record left")
    record.fields.update({name: value for name, value in fields.items() if name in record.fields})
    return _give(floor, seat, job, record, letter)


def _give(floor: Floor, seat: Seat, job: Job, record: Record, letter: str) -> int:
    if job.plan.type == "M":
        call = calls.new_call(floor, job, record, "MANAGED", Line.NONE)
        calls.preview(floor, seat, call)
    else:
        call = calls.new_call(floor, job, record, calls.CALL_TYPES[letter])
        calls.deliver(floor, seat, call)
    return call.number


def call_in(floor: Floor, job: Job, count: int) -> int:
    """Let callers or answered numbers arrive at a job now, as its own traffic would."""
    if not job.active:
        raise Conflict(f"job {job.plan.name} is not active")
    for _ in range(count):
        calls.arrive_at_job(floor, job)
    return count


def hang_up_customer(floor: Floor, seat: Seat) -> None:
    """The customer of an agent's call hangs up now."""
    if seat.call is None or seat.stage is not Stage.ON_CALL:
        raise Conflict(f"agent {seat.name!r} is not on a call")
    calls.customer_hangs_up(floor, seat, seat.call)


def reach_machine(floor: Floor, seat: Seat, completion: int) -> None:
    """The call turns out to be a machine: the agent is told to release, finish with this code, and go on."""
    if seat.stage is not Stage.ON_CALL:
        raise Conflict(f"agent {seat.name!r} is not on a call")
    floor.notify(seat, NoticeName.AUTOREL_TO_READY, codes.DATA_FOLLOWS, str(completion))
    floor.notify(seat, NoticeName.AUTOREL_TO_READY, codes.DONE)


def announce_own_recall(floor: Floor, seat: Seat, customer: str, target: str, unit: str) -> None:
    """Tell an agent that they will be moved for an own recall."""
    floor.notify(seat, NoticeName.AOR_NOTIFY, codes.DATA_FOLLOWS, customer, target, unit, seat.job)
    floor.notify(seat, NoticeName.AOR_NOTIFY, codes.DONE)


# -- headsets and blending


def break_headset(floor: Floor, seat: Seat) -> None:
    """The voice path of an agent is lost."""
    if seat.headset is not Headset.CONNECTED:
        raise Conflict(f"the headset of agent {seat.name!r} is {seat.headset.value}, not connected")
    calls.break_headset(floor, seat)


def restore_headset(floor: Floor, seat: Seat) -> None:
    """The voice path is back by itself."""
    if seat.headset is not Headset.BROKEN:
        raise Conflict(f"the headset of agent {seat.name!r} is {seat.headset.value}, not broken")
    seat.headset = Headset.CONNECTED
    floor.notify_error(seat, NoticeName.HEADSET_CONN_BROKEN, codes.HEADSET_BACK)


def blend(floor: Floor, seat: Seat, *, acquired: bool) -> None:
    """Lend a blending agent to outbound, or give them back to the ACD."""
    if not seat.acd:
        raise Conflict(f"agent {seat.name!r} has not logged on to the ACD")
    if acquired:
        set_acquired(floor, seat, acquired=True)
    else:
        give_back(floor, seat)


# -- faults


def report_system_error(floor: Floor, seats: Iterable[Seat], error: str) -> int:
    """Send AGTSystemError; a fatal one closes the connection, too. ``error`` may carry a detail after a comma."""
    told = list(seats)
    for seat in told:
        floor.notify_error(seat, NoticeName.SYSTEM_ERROR, error)
        if error[:6] in codes.FATAL_SYSTEM_ERRORS:
            floor.close(seat)
    return len(told)


def announce(floor: Floor, seat: Seat, keyword: str, segments: Iterable[str]) -> None:
    """Send any announcement, to try out what a client makes of it."""
    floor.send(seat, frames.notice(keyword, *segments))
