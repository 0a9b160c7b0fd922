"""Jobs: lists of them, attaching, joining, leaving, units and completion codes."""

from __future__ import annotations

from unified_agent.tools.simulators.apc import calls
from unified_agent.tools.simulators.apc.floor import Floor, Job, Refused
from unified_agent.tools.simulators.apc.seats import Headset, Seat, Stage
from unified_agent.wire.apc import codes
from unified_agent.wire.apc.messages import Message, NoticeName

#: Which classes may work in a job; the error for the others. Class M is looked at first.
_CLASSES = {"O": ("OP", "E28817"), "I": ("IP", "E28816"), "B": ("BOIP", "E28818")}


def list_jobs(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTListJobs: of one type or A for all; an optional second parameter A or I is taken as the status."""
    kind, status = [*command.segments, ""][:2]
    if kind not in {"A", "I", "B", "O", "M"}:
        raise Refused("E70003")
    entries = [
        f"{job.plan.type},{job.plan.name},{'A' if job.active else 'I'}"
        for job in floor.jobs.values()
        if kind in {"A", job.plan.type} and status in {"", "A" if job.active else "I"}
    ]
    floor.data(seat, command, *entries)
    floor.done(seat, command)


def set_work_class(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTSetWorkClass: a letter, or a whole word as a log in the guide shows it."""
    letter = command.segments[0][:1].upper()
    if letter not in {"I", "O", "B", "P", "M"}:
        raise Refused("E28883")
    seat.work_class = letter
    floor.done(seat, command)


def attach_job(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTAttachJob."""
    if floor.plan.tenants and not seat.tenant:
        raise Refused("E58021")
    job = floor.jobs.get(command.segments[0])
    if job is None or not job.active:
        raise Refused("E28804")
    seat.job = job.plan.name
    floor.enter(seat, Stage.ATTACHED)
    floor.done(seat, command)


def detach_job(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTDetachJob: forgets unit, key and data fields."""
    detach_now(floor, seat)
    floor.done(seat, command)


def detach_now(floor: Floor, seat: Seat) -> None:
    """Take the job away from a seat that is out of it."""
    floor.enter(seat, Stage.LOGGED_ON)
    seat.job = seat.unit = seat.move_to = ""
    seat.key_fields.clear()
    seat.data_fields.clear()


def avail_work(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTAvailWork: join the job. A wrong class is refused only here."""
    if command.keyword in seat.steps:
        raise Refused("E28897")
    job = floor.job_of(seat)

    def finish() -> None:
        _check_joining(floor, seat, job)
        floor.enter(seat, Stage.AVAILABLE)
        floor.done(seat, command)
        if job.plan.manual_mode:
            floor.notify(seat, NoticeName.JOB_MODE, codes.JOB_IS_MANUAL, "1", "0")

    floor.later(seat, command, floor.plan.step_s, finish)


def _check_joining(floor: Floor, seat: Seat, job: Job) -> None:
    if seat.stage is not Stage.ATTACHED:
        raise Refused("E28899")
    if seat.headset is not Headset.CONNECTED:
        raise Refused("E28896")
    if not job.active:
        raise Refused("E28898")
    if not job.dialling:
        raise Refused("E28805")
    check_class(seat.work_class, job.plan.type)
    if job.plan.units and not seat.unit:
        raise Refused("E70006")
    if seat.acd and not seat.acquired:
        raise Refused("E28946")
    same = [other for other in floor.joined(job) if other.work_class == seat.work_class]
    if job.plan.agents_limit is not None and len(same) >= job.plan.agents_limit:
        raise Refused("E28813")


def check_class(work_class: str, job_type: str) -> None:
    """Refuse a class that cannot work in such a job.

    Raises:
        Refused: E29000 in a managed job without class M; E28814 for class M elsewhere; else the error that names
            who may. Assumed: which of E28816 to E28819 stands for which job.
    """
    if job_type == "M":
        if work_class != "M":
            raise Refused("E29000")
        return
    if work_class == "M":
        raise Refused("E28814")
    allowed, otherwise = _CLASSES[job_type]
    if work_class not in allowed:
        raise Refused(otherwise)


def no_further_work(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTNoFurtherWork: "pending" now, the answer when no record is open.

    When the dialler runs it already for the agent (job ended, agent moved), the agent's own command takes over its
    answer. Assumed: a real dialler might refuse it instead.
    """
    if seat.leave_command is not None:
        raise Refused("E28904")
    floor.pending(seat, command)
    calls.leave(floor, seat, command)


def list_keys(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTListKeys: completion codes of the attached job."""
    keys = floor.job_of(seat).plan.keys
    floor.data(seat, command, *(f"{key.code},{key.text},{key.script}" for key in keys))
    floor.done(seat, command)


def list_units(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTListUnits: one segment with commas."""
    units = floor.job_of(seat).plan.units
    if not units:
        raise Refused("E28886")
    floor.data(seat, command, ",".join(units))
    floor.done(seat, command)


def set_unit(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTSetUnit: one, or several joined with a bar."""
    units = floor.job_of(seat).plan.units
    if not units:
        raise Refused("E28886")
    if not all(unit in units for unit in command.segments[0].split("|")):
        raise Refused("E28888")
    seat.unit = command.segments[0]
    floor.done(seat, command)


def list_callback_format(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTListCallbackFmt."""
    floor.data(seat, command, "CCYY/MM/DD", str(floor.job_of(seat).plan.phones))
    floor.done(seat, command)
