"""Preview search: a managed agent looks for records before dialling one."""

from __future__ import annotations

from unified_agent.tools.simulators.apc.field_desk import call_of
from unified_agent.tools.simulators.apc.floor import Floor, Refused
from unified_agent.tools.simulators.apc.records import Record
from unified_agent.tools.simulators.apc.seats import Line, Seat
from unified_agent.wire.apc import codes
from unified_agent.wire.apc.messages import Message


def _check_search(floor: Floor, seat: Seat) -> None:
    if not floor.job_of(seat).plan.search:
        raise Refused("E29953")
    if call_of(seat).line is not Line.NONE:
        raise Refused("E28909")


def find_first(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTFindFirstRecord: records whose key field, or any field if none is set, has the value."""
    _check_search(floor, seat)
    value = command.segments[0]
    if not value:
        raise Refused("E29955")
    if seat.searching is not None:
        raise Refused("E29956")
    key = seat.key_fields.get("O")
    own = call_of(seat).record
    found = [
        record
        for record in floor.job_of(seat).lists["O"].records
        if (not record.held or record is own)
        and (record.fields.get(key) == value if key else value in record.fields.values())
    ]
    if not found:
        raise Refused("E12156")

    def finish() -> None:
        _show(floor, seat, command, (value, found, 0))

    floor.later(seat, command, floor.plan.step_s, finish)


def find_next(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTFindNextRecord: N or P."""
    _check_search(floor, seat)
    if seat.searching is None:
        raise Refused("E29954")
    value, found, place = seat.searching
    place += 1 if command.segments[0] == "N" else -1
    if place < 0:
        raise Refused("E12152")
    if place >= len(found):
        raise Refused("E12153")
    floor.later(seat, command, floor.plan.step_s, lambda: _show(floor, seat, command, (value, found, place)))


def cancel_search(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTCancelSearch."""
    if seat.searching is None:
        raise Refused("E29954")

    def finish() -> None:
        seat.searching = None
        floor.done(seat, command)

    floor.later(seat, command, floor.plan.step_s, finish)


def _show(floor: Floor, seat: Seat, command: Message, search: tuple[str, list[Record], int]) -> None:
    """Open the record found in place of the one shown, as position, basic part, fields."""
    _, found, place = search
    call = call_of(seat)
    if found[place].held and found[place] is not call.record:
        raise Refused("E12156")
    call.record.held = False
    call.record = found[place]
    call.record.held = True
    seat.searching = search
    values = call.record.fields
    floor.data(seat, command, code=f"{codes.SEARCH_POSITION},{len(found)},{place + 1}")
    name = values.get(floor.job_of(seat).plan.op_mesg_field, "")
    key = seat.key_fields.get("O")
    floor.data(seat, command, f"{name} (Preview)", call.call_type, *([f"{key},{values.get(key, '')}"] if key else []))
    if asked := seat.data_fields.get("O"):
        floor.data(seat, command, *(f"{field},{values.get(field, '')}" for field in asked))
    floor.done(seat, command)
