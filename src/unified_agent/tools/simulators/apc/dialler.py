"""The door to the simulated dialler: connections and messages go in, effects come out.

Pure: time comes in with every call, chance with the constructor. A shell performs the effects in order, and calls
``advance`` when ``next_timer`` says so.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from unified_agent.tools.simulators.apc import (
    calls,
    field_desk,
    item_desk,
    job_desk,
    line_desk,
    logon_desk,
    search_desk,
)
from unified_agent.tools.simulators.apc.floor import Effect, Floor, Refused
from unified_agent.tools.simulators.apc.legality import refusal
from unified_agent.tools.simulators.apc.plan import DiallerPlan
from unified_agent.tools.simulators.apc.seats import Seat, Stage
from unified_agent.wire.apc import codes
from unified_agent.wire.apc import server_connection as frames
from unified_agent.wire.apc.commands import COMMAND_SHAPES, Command
from unified_agent.wire.apc.messages import Message, MessageType, NoticeName

Desk = Callable[[Floor, Seat, Message], None]

DESKS: Final[Mapping[Command, Desk]] = {
    Command.LOGON: logon_desk.logon,
    Command.LOGOFF: logon_desk.logoff,
    Command.RESERVE_HEADSET: logon_desk.reserve_headset,
    Command.CONN_HEADSET: logon_desk.connect_headset,
    Command.DISCONN_HEADSET: logon_desk.disconnect_headset,
    Command.FREE_HEADSET: logon_desk.free_headset,
    Command.LOGON_ACD: logon_desk.logon_acd,
    Command.LOGOFF_ACD: logon_desk.logoff_acd,
    Command.LIST_STATE: logon_desk.list_state,
    Command.DIALER_MODE: logon_desk.dialler_mode,
    Command.SEND_MESSAGE: logon_desk.send_message,
    Command.SET_PASSWORD: logon_desk.set_password,
    Command.LIST_TENANTS: logon_desk.list_tenants,
    Command.SET_TENANT: logon_desk.set_tenant,
    Command.DUMP_DATA: logon_desk.accept,
    Command.LOG_IO_START: logon_desk.accept,
    Command.LOG_IO_STOP: logon_desk.accept,
    Command.ECHO_ON: logon_desk.accept,
    Command.ECHO_OFF: logon_desk.accept,
    Command.LIST_JOBS: job_desk.list_jobs,
    Command.SET_WORK_CLASS: job_desk.set_work_class,
    Command.ATTACH_JOB: job_desk.attach_job,
    Command.DETACH_JOB: job_desk.detach_job,
    Command.LIST_KEYS: job_desk.list_keys,
    Command.LIST_UNITS: job_desk.list_units,
    Command.SET_UNIT: job_desk.set_unit,
    Command.AVAIL_WORK: job_desk.avail_work,
    Command.NO_FURTHER_WORK: job_desk.no_further_work,
    Command.LIST_CALLBACK_FMT: job_desk.list_callback_format,
    Command.LIST_CALL_LISTS: field_desk.list_call_lists,
    Command.LIST_CALL_FIELDS: field_desk.list_call_fields,
    Command.LIST_DATA_FIELDS: field_desk.list_data_fields,
    Command.SET_NOTIFY_KEY_FIELD: field_desk.set_key_field,
    Command.SET_DATA_FIELD: field_desk.set_data_field,
    Command.CLEAR_DATA_SET: field_desk.clear_data_set,
    Command.READ_FIELD: field_desk.read_field,
    Command.UPDATE_FIELD: field_desk.update_field,
    Command.LIST_SCREENS: field_desk.list_screens,
    Command.GET_SCREEN: field_desk.get_screen,
    Command.SET_CALLBACK: field_desk.set_callback,
    Command.DO_NOT_CALL: field_desk.do_not_call,
    Command.READY_NEXT_ITEM: item_desk.ready_next_item,
    Command.MANAGED_CALL: item_desk.managed_call,
    Command.RELEASE_LINE: item_desk.release_line,
    Command.FINISHED_ITEM: item_desk.finished_item,
    Command.FIND_FIRST_RECORD: search_desk.find_first,
    Command.FIND_NEXT_RECORD: search_desk.find_next,
    Command.CANCEL_SEARCH: search_desk.cancel_search,
    Command.HANGUP_CALL: line_desk.hang_up,
    Command.HOLD_CALL: line_desk.hold,
    Command.UNHOLD_CALL: line_desk.unhold,
    Command.MANUAL_CALL: line_desk.manual_call,
    Command.DIAL_DIGIT: line_desk.dial_digit,
    Command.TRANSFER_CALL: line_desk.transfer,
    Command.HOOKFLASH_LINE: line_desk.hook_flash,
    Command.MO_FLASH_BLIND: line_desk.flash_blind,
    Command.MO_FLASH_SUPV: line_desk.flash_supervised,
    Command.ADJUST_HEADSET: line_desk.adjust_headset,
    Command.GET_HEADSET_VOL: line_desk.headset_volume,
    Command.MANUAL_PHONE: line_desk.manual_phone,
}

_BY_KEYWORD: Final[Mapping[str, Command]] = {command.value: command for command in Command}


class Dialler:
    """One simulated dialler."""

    def __init__(
        self, plan: DiallerPlan, chance: random.Random, calendar: Callable[[float], datetime], now_s: float
    ) -> None:
        """Open it; jobs that are active begin to run.

        Args:
            plan: what it is.
            chance: all randomness.
            calendar: local date and time at a moment of the clock that is passed in; callbacks need it.
            now_s: the present, on that clock.
        """
        self.floor = Floor(plan, chance, calendar, now_s)
        for job in self.floor.jobs.values():
            if job.active:
                calls.start_arrivals(self.floor, job)

    def connect(self, connection: int, now_s: float) -> list[Effect]:
        """A client connected: greet it, or refuse it when no slot is left.

        ``connection`` is the shell's number, never used before.
        """
        floor = self.floor
        floor.do_due(now_s)
        seat = Seat(connection=connection, process=floor.next_process(), since_s=floor.now_s)
        floor.counters["connections"] += 1
        if len(floor.seats) >= floor.slots:
            floor.counters["greetings_refused"] += 1
            floor.notify_error(seat, NoticeName.START, f"{codes.NO_SLOT},{seat.process}")
            floor.close(seat)
        else:
            floor.seats[connection] = seat
            floor.notify(seat, NoticeName.START, codes.GREETING)
        return floor.take_effects()

    def handle(self, connection: int, message: Message, now_s: float) -> list[Effect]:
        """A client sent a command. One from a connection without a seat is ignored."""
        floor = self.floor
        floor.do_due(now_s)
        seat = floor.seats.get(connection)
        if seat is not None:
            floor.counters["commands"] += 1
            seat.last_invoke_id = message.invoke_id
            self._take(seat, message)
        return floor.take_effects()

    def _take(self, seat: Seat, message: Message) -> None:
        floor = self.floor
        command = _BY_KEYWORD.get(message.keyword)
        if seat.stage is Stage.CONNECTED and command is not Command.LOGON:
            floor.counters["commands_refused"] += 1
            floor.notify_error(seat, NoticeName.SYSTEM_ERROR, codes.LOG_ON_FIRST)
        elif seat.busy_answers:
            seat.busy_answers -= 1
            floor.send(seat, frames.reply_to(message, MessageType.BUSY))
        elif command is None:
            floor.refuse(seat, message, Refused(codes.UNKNOWN_COMMAND))
        else:
            try:
                self._check(seat, command, message)
                DESKS[command](floor, seat, message)
            except Refused as refused:
                floor.refuse(seat, message, refused)

    def _check(self, seat: Seat, command: Command, message: Message) -> None:
        """Refuse what cannot be, before a desk sees it: parameters first, then the stage."""
        shape = COMMAND_SHAPES[command]
        if not shape.required <= len(message.segments) <= len(shape.longest):
            raise Refused("E70000")
        if shape.analogue_only and self.floor.plan.soft_dialler:
            raise Refused("E29950")
        job = self.floor.jobs.get(seat.job)
        code = refusal(command, seat, managed=job is not None and job.plan.type == "M")
        if command is Command.DETACH_JOB and seat.leaving:
            code = "E28915"
        if code is not None:
            raise Refused(code)

    def disconnect(self, connection: int, now_s: float) -> list[Effect]:
        """A connection ended, by whomever. An open record gets code 49; the name may stay logged on for a while."""
        floor = self.floor
        floor.do_due(now_s)
        seat = floor.seats.pop(connection, None)
        if seat is None:
            return floor.take_effects()
        seat.gone = True
        if seat.job:
            floor.jobs[seat.job].ready.pop(connection, None)
        if seat.call is not None:
            calls.end_call(floor, seat.call, 49)
        logon_desk.free_headset_now(floor, seat)
        if seat.name:
            floor.agents.pop(seat.name, None)
            floor.counters["sessions_lost"] += 1
            if floor.stale_logon_s:
                floor.stale_until_s[seat.name] = floor.now_s + floor.stale_logon_s
        return floor.take_effects()

    def advance(self, now_s: float) -> list[Effect]:
        """Do everything that is due by now."""
        self.floor.do_due(now_s)
        return self.floor.take_effects()

    def happen(self, action: Callable[[Floor], object], now_s: float) -> list[Effect]:
        """Let something of ``happenings`` happen.

        Raises:
            Conflict, Unknown: it cannot.
        """
        self.floor.do_due(now_s)
        action(self.floor)
        return self.floor.take_effects()

    def next_timer(self) -> float | None:
        """When ``advance`` wants to be called next."""
        return self.floor.next_timer()
