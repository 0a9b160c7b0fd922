"""Fields of calling lists and of the open record; screens; callbacks and do-not-call."""

from __future__ import annotations

from unified_agent.tools.simulators.apc.callbacks import due_in_s
from unified_agent.tools.simulators.apc.floor import Floor, Job, Refused
from unified_agent.tools.simulators.apc.plan import FieldPlan
from unified_agent.tools.simulators.apc.seats import Call, Seat
from unified_agent.wire.apc.messages import Message


def _check_list(job: Job, letter: str) -> None:
    if letter not in {"I", "O"}:
        raise Refused("E28891")
    if letter not in job.lists:
        raise Refused("E28892" if letter == "I" else "E28893")


def _find_field(job: Job, letter: str, name: str) -> FieldPlan:
    _check_list(job, letter)
    for field in job.plan.fields:
        if field.name == name:
            return field
    raise Refused("E28894")


def _describe(field: FieldPlan) -> str:
    return f"{field.name},{field.length},{field.type},F"


def call_of(seat: Seat) -> Call:
    """The call or preview of a seat that has a record open."""
    assert seat.call is not None, "the stage says that a record is open"
    return seat.call


def list_call_lists(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTListCallLists: named after their jobs."""
    names = [f"{name}_{letter}" for name, job in floor.jobs.items() for letter in job.lists]
    floor.data(seat, command, *names)
    floor.done(seat, command)


def list_call_fields(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTListCallFields of a list that AGTListCallLists named."""
    name, _, letter = command.segments[0].rpartition("_")
    job = floor.jobs.get(name)
    if job is None or letter not in job.lists:
        raise Refused("E00518")
    floor.data(seat, command, *map(_describe, job.plan.fields))
    floor.done(seat, command)


def list_data_fields(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTListDataFields of one direction."""
    job = floor.job_of(seat)
    _check_list(job, command.segments[0])
    floor.data(seat, command, *map(_describe, job.plan.fields))
    floor.done(seat, command)


def set_key_field(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTSetNotifyKeyField: one for each direction; another replaces it."""
    letter, name = command.segments
    _find_field(floor.job_of(seat), letter, name)
    seat.key_fields[letter] = name
    floor.done(seat, command)


def set_data_field(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTSetDataField: adds one."""
    letter, name = command.segments
    _find_field(floor.job_of(seat), letter, name)
    names = seat.data_fields.setdefault(letter, [])
    if name not in names:
        names.append(name)
    floor.done(seat, command)


def clear_data_set(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTClearDataSet of one direction."""
    _check_list(floor.job_of(seat), command.segments[0])
    seat.data_fields.pop(command.segments[0], None)
    floor.done(seat, command)


def read_field(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTReadField: type A where the lists say C."""
    letter, name = command.segments
    field = _find_field(floor.job_of(seat), letter, name)
    if letter != call_of(seat).letter:
        raise Refused("E28912")
    kind = "A" if field.type == "C" else field.type
    floor.data(seat, command, f"{name},{kind},{field.length},{call_of(seat).record.fields.get(name, '')}")
    floor.done(seat, command)


def update_field(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTUpdateField: cut to the field's length."""
    letter, name, value = command.segments
    field = _find_field(floor.job_of(seat), letter, name)
    if letter != call_of(seat).letter:
        raise Refused("E28912")
    call_of(seat).record.fields[name] = value[: field.length]
    floor.done(seat, command)


def list_screens(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTListScreens: one for each direction."""
    _check_list(floor.job_of(seat), command.segments[0])
    floor.data(seat, command, _screen_name(seat.job, command.segments[0]))
    floor.done(seat, command)


def _screen_name(job: str, letter: str) -> str:
    return f"{job}_{'IN' if letter == 'I' else 'OUT'}"


def get_screen(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTGetScreen: a label and a field in each row."""
    job = floor.job_of(seat)
    name = command.segments[0]
    if name not in {_screen_name(seat.job, letter) for letter in job.lists}:
        raise Refused("E00518")
    elements = []
    for row, field in enumerate(job.plan.fields[:22], 1):
        locked = "Y" if field.name in {"ACCTNUM", "CURPHONE"} else "N"
        elements.append(f'L,2,{row},20,"{field.name}"')
        elements.append(f'F,24,{row},{field.length},"{field.name}:N:{locked}:{field.type}::N:"')
    floor.data(seat, command, name, *elements)
    floor.done(seat, command)


def set_callback(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTSetCallback: date, time, phone index, then perhaps a name and a number."""
    date, time, index, name, number = [*command.segments, "", ""][:5]
    job, call = floor.job_of(seat), call_of(seat)
    if call.call_type == "INBOUND":
        raise Refused("E28868")
    if not index.isdecimal() or not 1 <= int(index) <= job.plan.phones:
        raise Refused("E28841")
    if number and not number.isdecimal():
        raise Refused("E28843")
    record = call.record
    if not number and not record.fields.get(f"PHONE{int(index)}"):
        raise Refused("E28842,B")
    delay_s = due_in_s(date, time, floor.calendar(floor.now_s), floor.plan.callback_hours)
    if delay_s < job.plan.least_recall_minutes * 60:
        raise Refused("E28800", str(job.plan.least_recall_minutes))
    if number:
        record.fields[f"PHONE{int(index)}"] = number
    if name and job.plan.op_mesg_field in record.fields:
        record.fields[job.plan.op_mesg_field] = name[:20]
    record.phone = int(index)
    floor.counters["callbacks_set"] += 1
    floor.after(delay_s, lambda: job.lists[record.letter].recall(record))
    floor.done(seat, command)


def do_not_call(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTDoNotCall: the record is never dialled again."""
    call_of(seat).record.do_not_call = True
    floor.done(seat, command)
