"""Commands about the line of a call: hold, dial, transfer, conference, headset volume."""

from __future__ import annotations

import re

from unified_agent.tools.simulators.apc import calls
from unified_agent.tools.simulators.apc.field_desk import call_of
from unified_agent.tools.simulators.apc.floor import Floor, Job, Refused
from unified_agent.tools.simulators.apc.seats import Call, Line, Seat, Stage, Transfer
from unified_agent.wire.apc import codes
from unified_agent.wire.apc import server_connection as frames
from unified_agent.wire.apc.messages import Message, MessageType, NoticeName

_OFF_HOOK = {Line.TALKING, Line.OPEN, Line.DIALLING}


def _check_off_hook(call: Call) -> None:
    if call.line not in _OFF_HOOK:
        raise Refused("E28867")


def hang_up(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTHangupCall: cancels a transfer, else hangs up the customer; the line stays open."""
    call = call_of(seat)
    if call.transfer is not Transfer.NONE:
        call.transfer, call.transfer_job = Transfer.NONE, ""
        call.line = Line.TALKING
    else:
        call.line = Line.OPEN
    floor.done(seat, command)


def hold(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTHoldCall; S28814 while a transfer is under way."""
    call = call_of(seat)
    if _is_in_transfer(floor, seat, command, call):
        return
    if call.line is not Line.TALKING:
        raise Refused("E28867")
    call.line = Line.HELD
    floor.done(seat, command)


def unhold(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTUnholdCall."""
    call = call_of(seat)
    if _is_in_transfer(floor, seat, command, call):
        return
    if call.line is not Line.HELD:
        raise Refused("E28867")
    call.line = Line.TALKING
    floor.done(seat, command)


def _is_in_transfer(floor: Floor, seat: Seat, command: Message, call: Call) -> bool:
    if call.transfer is not Transfer.CONSULTING:
        return False
    floor.send(seat, frames.reply_to(command, MessageType.RESPONSE, "0", codes.TRANSFER_IN_PROGRESS))
    return True


def manual_call(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTManualCall: hangs up the customer first, then dials."""
    call = call_of(seat)
    if not command.segments[0].isdecimal():
        raise Refused("E28843")
    call.line, call.transfer = Line.DIALLING, Transfer.NONE
    floor.counters["manual_calls"] += 1
    floor.done(seat, command)

    def answered() -> None:
        if seat.call is call and call.line is Line.DIALLING:
            call.line = Line.TALKING
            if floor.jobs[call.job].plan.type == "M":
                floor.notify(seat, NoticeName.MAN_CALL_ANSWERED, codes.DONE)
            calls.start_talk(floor, seat, call)

    floor.after(floor.plan.dial_s, answered, seat)


def dial_digit(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTDialDigit: one tone."""
    if not re.fullmatch(r"[0-9*#]", command.segments[0]):
        raise Refused("E28843")
    _check_off_hook(call_of(seat))
    floor.done(seat, command)


def hook_flash(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTHookflashLine."""
    _check_off_hook(call_of(seat))
    floor.done(seat, command)


def transfer(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTTransferCall: first a number, to talk to; then nothing, or an empty segment, for the conference."""
    call = call_of(seat)
    number = command.segments[0] if command.segments else ""
    if number:
        if call.transfer is not Transfer.NONE:
            _is_in_transfer(floor, seat, command, call)
            return
        if not number.isdecimal():
            raise Refused("E28628")
        _check_off_hook(call)
        call.transfer = Transfer.CONSULTING
    elif call.transfer is not Transfer.CONSULTING:
        raise Refused("E28628")
    else:
        call.transfer = Transfer.CONFERENCE
        call.line = Line.TALKING
    floor.counters["transfers"] += 1
    floor.done(seat, command)


def _target_job(floor: Floor, call: Call, name: str) -> Job:
    if call.call_type == "INBOUND":
        raise Refused("E70007")
    name = name or floor.jobs[call.job].plan.transfer_job
    if not name:
        raise Refused("E70008")
    job = floor.jobs.get(name)
    if job is None or not job.active or job.plan.type not in {"I", "B"}:
        raise Refused("E28942")
    return job


def flash_blind(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTMoFlashBlind: customer and record go to an inbound or blend job; the agent still finishes here."""
    call = call_of(seat)
    _check_off_hook(call)
    if call.line is not Line.TALKING:
        raise Refused("E28985")
    job = _target_job(floor, call, command.segments[0] if command.segments else "")

    def finish() -> None:
        move_customer(floor, call, job)
        if seat.call is call:
            call.line = Line.GONE
            floor.enter(seat, Stage.WRAPPING)
        floor.done(seat, command)

    floor.later(seat, command, floor.plan.step_s, finish)


def flash_supervised(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTMoFlashSupv: the first time to a job, with the customer on hold; the second time makes the conference."""
    call = call_of(seat)
    name = command.segments[0] if command.segments else ""
    if call.transfer is Transfer.CONFERENCE:
        raise Refused("E70010")
    if call.transfer is Transfer.CONSULTING and not name:

        def join() -> None:
            call.transfer, call.line = Transfer.CONFERENCE, Line.TALKING
            floor.done(seat, command)

        floor.later(seat, command, floor.plan.step_s, join)
        return
    job = _target_job(floor, call, name)
    if calls.longest_ready(job, "I") is None:
        raise Refused("E28868")

    def consult() -> None:
        call.transfer, call.transfer_job, call.line = Transfer.CONSULTING, job.plan.name, Line.HELD
        floor.done(seat, command)

    floor.later(seat, command, floor.plan.step_s, consult)


def complete_transfer(floor: Floor, call: Call) -> None:
    """The agent leaves a transfer or conference: the others stay connected, in the target job if there is one."""
    job = floor.jobs.get(call.transfer_job)
    if call.transfer is not Transfer.NONE and job is not None:
        move_customer(floor, call, job)
    call.transfer, call.transfer_job = Transfer.NONE, ""


def move_customer(floor: Floor, call: Call, job: Job) -> None:
    """Let a customer arrive in another job, with the same data, as ``TRANSFER CALL``."""
    record = job.lists["I"].take()
    if record is None:
        return
    record.fields.update({name: value for name, value in call.record.fields.items() if name in record.fields})
    moved = calls.new_call(floor, job, record, "INBOUND")
    moved.op_mesg = "TRANSFER CALL"
    floor.counters["transfers"] += 1
    seat = calls.longest_ready(job, "I")
    if seat is not None:
        calls.deliver(floor, seat, moved)
    else:
        calls.wait_in_queue(floor, job, moved)


def adjust_headset(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTAdjustHeadset: E or M, 1 to 8."""
    part, volume = command.segments
    if part not in {"E", "M"} or volume not in set("12345678"):
        raise Refused("E28869")
    if part == "E":
        seat.ear = int(volume)
    else:
        seat.mouth = int(volume)
    floor.done(seat, command)


def headset_volume(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTGetHeadsetVol: ear, mouth."""
    floor.data(seat, command, str(seat.ear), str(seat.mouth))
    floor.done(seat, command)


def manual_phone(floor: Floor, seat: Seat, command: Message) -> None:
    """AGTManualPhone: the number as a third party would dial it."""
    digits = re.sub(r"[ ()./-]", "", command.segments[0])
    if not digits.isdecimal():
        raise Refused("E28843")
    floor.data(seat, command, digits if len(digits) < 10 else f"1{digits[-10:]}")
    floor.done(seat, command)
