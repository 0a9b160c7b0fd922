"""Calls on the floor: how they arrive, reach an agent, end; and how an agent leaves a job.

Completion codes that the dialler gives by itself: 11 busy, 13 answering machine, 15 no answer, 45 caller hung up in
the queue, 47 no agent, 49 session ended abnormally, 50 headset lost.
"""

from __future__ import annotations

from unified_agent.tools.simulators.apc.floor import Floor, Job
from unified_agent.tools.simulators.apc.plan import Arrivals
from unified_agent.tools.simulators.apc.records import Record
from unified_agent.tools.simulators.apc.seats import RECORD_STAGES, Call, Headset, Line, Seat, Stage, Transfer
from unified_agent.wire.apc import codes
from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.messages import Message, MessageType, NoticeName

CALL_TYPES = {"O": "OUTBOUND", "I": "INBOUND"}
_NOT_REACHED = (15, 15, 15, 11, 13)
#: How many numbers in a row may fail before the dialler pauses.
_DIALS_IN_A_ROW = 50


# -- arrivals


def start_arrivals(floor: Floor, job: Job) -> None:
    """Let calls arrive at the job's rate from now on; ends an earlier rate."""
    job.arrivals += 1
    traffic = job.plan.traffic
    if traffic.arrivals == Arrivals.PACED or job.plan.type == "M" or job.calls_per_minute <= 0:
        return
    burst = traffic.burst_size if traffic.arrivals == Arrivals.BURST else 1
    mean_s = 60.0 / job.calls_per_minute * burst
    turn = job.arrivals

    def arrive() -> None:
        if not job.active or job.arrivals != turn:
            return
        for _ in range(burst):
            arrive_at_job(floor, job)
        schedule()

    def schedule() -> None:
        steady = traffic.arrivals == Arrivals.STEADY
        floor.after(mean_s if steady else floor.chance.expovariate(1 / mean_s), arrive)

    schedule()


def arrive_at_job(floor: Floor, job: Job) -> None:
    """One call of a job that has a rate: to the longest ready agent; else a caller waits, a dialled one is lost."""
    letter = _choose_direction(floor, job)
    seat = longest_ready(job, letter)
    if letter == "O":
        if not floor.joined(job):
            return
        record = _dial_until_reached(floor, job, "")
        if record is None:
            return
        if seat is None:
            floor.counters["nobody_free"] += 1
            close_record(floor, record, 47)
            return
        deliver(floor, seat, new_call(floor, job, record, "OUTBOUND"))
        return
    record = job.lists["I"].take()
    if record is None:
        return
    call = new_call(floor, job, record, "INBOUND")
    if seat is not None:
        deliver(floor, seat, call)
    else:
        wait_in_queue(floor, job, call)


def wait_in_queue(floor: Floor, job: Job, call: Call) -> None:
    """A caller waits for an agent, for as long as patience lasts."""
    call.line = Line.HELD
    job.queue.append(call)

    def give_up() -> None:
        if call in job.queue:
            job.queue.remove(call)
            floor.counters["callers_gave_up"] += 1
            end_call(floor, call, 45)

    floor.after(floor.draw(job.plan.traffic.patience_s, job.plan.traffic.jitter), give_up)


def longest_ready(job: Job, letter: str) -> Seat | None:
    """The agent for the next call of that direction. Class P takes outbound calls only when no other can."""
    spare = None
    for seat in job.ready.values():
        if seat.work_class in {"B", "M"} or seat.work_class == letter:
            return seat
        if seat.work_class == "P":
            if letter == "I":
                return seat
            spare = spare or seat
    return spare


def _choose_direction(floor: Floor, job: Job, work_class: str = "B") -> str:
    if job.plan.type != "B":
        return "I" if job.plan.type == "I" else "O"
    if work_class in {"I", "O"}:
        return work_class
    return "I" if floor.chance.random() < job.plan.traffic.inbound_share else "O"


def _dial_until_reached(floor: Floor, job: Job, agent: str) -> Record | None:
    """Dial numbers until somebody answers. None: the list is used up, or it was not this time."""
    for _ in range(_DIALS_IN_A_ROW):
        record = job.lists["O"].take(agent)
        if record is None:
            return None
        floor.counters["numbers_dialled"] += 1
        if record.is_recall or floor.chance.random() < job.plan.traffic.answer_share:
            return record
        close_record(floor, record, floor.chance.choice(_NOT_REACHED))
    return None


def new_call(floor: Floor, job: Job, record: Record, call_type: str, line: Line = Line.TALKING) -> Call:
    """A call, or with ``Line.NONE`` a preview, that no agent has yet."""
    call = Call(
        number=floor.next_call_number(),
        job=job.plan.name,
        record=record,
        call_type=call_type,
        line=line,
        since_s=floor.now_s,
    )
    if call_type == "INBOUND":
        call.op_mesg = "INBOUND CALL"
    elif record.is_recall and record.recall_owner:
        call.op_mesg = f"Agent {record.recall_owner} Owned Recall"
    floor.calls[call.number] = call
    return call


# -- an agent who is ready


def become_ready(floor: Floor, seat: Seat) -> None:
    """The agent waits for a call from now on."""
    job = floor.jobs[seat.job]
    floor.enter(seat, Stage.READY)
    if seat.move_to:
        target, seat.move_to = seat.move_to, ""
        announce_job(floor, seat, NoticeName.JOB_TRANS_REQUEST, target)
        leave(floor, seat, None)
        return
    if job.queue and seat.work_class != "O":
        deliver(floor, seat, job.queue.popleft())
        return
    traffic = job.plan.traffic
    if traffic.arrivals == Arrivals.PACED or job.plan.type == "M":
        turn = seat.ready_turn
        floor.after(
            floor.draw(traffic.wait_s, traffic.jitter),
            lambda: _serve_paced(floor, seat, turn),
            seat,
        )


def _serve_paced(floor: Floor, seat: Seat, turn: int) -> None:
    if seat.stage is not Stage.READY or seat.ready_turn != turn:
        return
    job = floor.jobs[seat.job]
    if not serve_now(floor, job, seat):
        if not job.plan.recycle:
            end_job(floor, job)
        else:
            floor.after(1.0, lambda: _serve_paced(floor, seat, turn), seat)


def serve_now(floor: Floor, job: Job, seat: Seat) -> bool:
    """Give a ready agent a call or a preview at once. False: there is none to give."""
    if job.plan.type == "M":
        record = job.lists["O"].take(seat.name)
        if record is not None:
            preview(floor, seat, new_call(floor, job, record, "MANAGED", Line.NONE))
        return record is not None
    letter = _choose_direction(floor, job, seat.work_class)
    record = job.lists["I"].take() if letter == "I" else _dial_until_reached(floor, job, seat.name)
    if record is not None:
        deliver(floor, seat, new_call(floor, job, record, CALL_TYPES[letter]))
    return record is not None


def deliver(floor: Floor, seat: Seat, call: Call) -> None:
    """Put a call through to an agent, with the fields that were asked for."""
    floor.enter(seat, Stage.ON_CALL)
    floor.counters["calls_delivered"] += 1
    waited_s = floor.now_s - call.since_s
    call.line = Line.TALKING
    call.record.attempts += 1
    seat.call = call
    op_mesg = call.op_mesg or call.record.fields.get(floor.jobs[call.job].plan.op_mesg_field, "")
    if call.op_mesg == "INBOUND CALL" and waited_s >= 1:
        op_mesg += f"*{int(waited_s)} SECS. WAITING"
    announce_record(floor, seat, NoticeName.CALL_NOTIFY, op_mesg, call)
    start_talk(floor, seat, call)


def announce_record(floor: Floor, seat: Seat, keyword: NoticeName, op_mesg: str, call: Call) -> None:
    """Send the parts of a call's or preview's announcement."""
    values = call.record.fields
    values["CURPHONE"] = f"{call.record.phone_to_dial():02}" if "CURPHONE" in values else ""
    key = seat.key_fields.get(call.letter)
    basic = [op_mesg, call.call_type, *([f"{key},{values.get(key, '')}"] if key else [])]
    floor.notify(seat, keyword, codes.DATA_FOLLOWS, *basic)
    if asked := seat.data_fields.get(call.letter):
        floor.notify(seat, keyword, codes.DATA_FOLLOWS, *(f"{name},{values.get(name, '')}" for name in asked))
    floor.notify(seat, keyword, codes.DONE)


def preview(floor: Floor, seat: Seat, call: Call) -> None:
    """Show a managed agent a record; when the preview time is over, the dialler places the call."""
    floor.enter(seat, Stage.PREVIEWING)
    floor.counters["previews"] += 1
    seat.call = call
    job = floor.jobs[call.job]
    name = call.record.fields.get(job.plan.op_mesg_field, "")
    announce_record(floor, seat, NoticeName.PREVIEW_RECORD, f"{name} (Preview)", call)

    def time_is_over() -> None:
        if seat.call is call and seat.stage is Stage.PREVIEWING and call.line is Line.NONE:
            invoke_id = seat.last_invoke_id
            floor.unasked(seat, Command.MANAGED_CALL, MessageType.PENDING, "0", codes.PENDING, invoke_id=invoke_id)
            place_managed_call(floor, seat, call, None)

    if job.plan.preview_limit_s:
        floor.after(job.plan.preview_limit_s, time_is_over, seat)


def place_managed_call(floor: Floor, seat: Seat, call: Call, command: Message | None) -> None:
    """Dial the previewed record; "pending" was sent before. ``command`` None: the dialler does it by itself."""
    call.line = Line.DIALLING
    traffic = floor.jobs[call.job].plan.traffic

    def answer(kind: MessageType, *segments: str) -> None:
        if command is not None and kind is MessageType.DATA:
            floor.data(seat, command, *segments[2:])
        elif command is not None:
            floor.done(seat, command)
        else:
            floor.unasked(seat, Command.MANAGED_CALL, kind, *segments, invoke_id=seat.last_invoke_id)

    def outcome() -> None:
        if seat.call is not call or call.line is not Line.DIALLING:
            return
        reached = floor.chance.random() < traffic.answer_share
        answer(MessageType.DATA, "0", codes.DATA_FOLLOWS, "(CONNECT)" if reached else "(NO ANSWER)")
        answer(MessageType.RESPONSE, "0", codes.DONE)
        if reached:
            floor.enter(seat, Stage.ON_CALL)
            floor.counters["calls_delivered"] += 1
            call.line = Line.TALKING
            call.record.attempts += 1
            start_talk(floor, seat, call)
        else:
            call.line = Line.GONE
            floor.enter(seat, Stage.WRAPPING)

    floor.after(floor.draw(floor.plan.dial_s, traffic.jitter), outcome, seat)


# -- the customer


def start_talk(floor: Floor, seat: Seat, call: Call) -> None:
    """The customer hangs up some day."""
    traffic = floor.jobs[call.job].plan.traffic
    if traffic.talk_s:
        floor.after(floor.draw(traffic.talk_s, traffic.jitter), lambda: customer_hangs_up(floor, seat, call), seat)


def customer_hangs_up(floor: Floor, seat: Seat, call: Call) -> None:
    """The customer is gone. A job that drops lines by itself says so; otherwise the agent hears silence."""
    if call.is_over or seat.call is not call or call.line not in {Line.TALKING, Line.HELD}:
        return
    floor.counters["customers_hung_up"] += 1
    if call.transfer is not Transfer.NONE:
        floor.notify(seat, NoticeName.XFER_CUST_HANGUP, codes.DONE)
        return
    if floor.jobs[call.job].plan.auto_release_line:
        call.line = Line.GONE
        floor.enter(seat, Stage.WRAPPING)
        floor.notify(seat, NoticeName.AUTO_RELEASE_LINE, codes.DONE)
    else:
        call.line = Line.OPEN


def close_record(floor: Floor, record: Record, completion: int) -> None:
    """Put a record back into its list with a completion code."""
    record.completion = completion
    record.held = False
    record.is_recall = False
    floor.counters[f"completion_{completion}"] += 1


def end_call(floor: Floor, call: Call, completion: int) -> None:
    """A call and its record are done with."""
    if not call.is_over:
        call.is_over = True
        call.line = Line.GONE
        floor.calls.pop(call.number, None)
        close_record(floor, call.record, completion)


# -- leaving


def leave(floor: Floor, seat: Seat, command: Message | None) -> None:
    """Run AGTNoFurtherWork: at once when no record is open, else after it is finished.

    ``command`` is the agent's own, with "pending" sent before; None when the dialler does it for them.
    """
    seat.leave_command = command or seat.leave_command
    seat.leaving = True
    if seat.stage in RECORD_STAGES:
        return
    job = floor.jobs[seat.job]
    one_more = command is not None and seat.stage is Stage.READY and floor.chance.random() < floor.plan.late_call_share
    if one_more and serve_now(floor, job, seat):
        return
    if command is not None and drains_queue(floor, job, seat):
        floor.enter(seat, Stage.AVAILABLE)
        return
    finish_leaving(floor, seat)


def drains_queue(floor: Floor, job: Job, seat: Seat) -> bool:
    """Whether this is the last agent of a job in whose queue callers still wait."""
    return bool(job.queue) and seat.work_class != "O" and floor.joined(job) == [seat]


def finish_leaving(floor: Floor, seat: Seat) -> None:
    """The agent is out of the job; it stays attached. Answers the agent's own command, or says so unasked."""
    floor.enter(seat, Stage.ATTACHED)
    seat.leaving = False
    command, seat.leave_command = seat.leave_command, None
    if command is None:
        floor.unasked(seat, Command.NO_FURTHER_WORK, MessageType.RESPONSE, "0", codes.DONE)
    elif floor.plan.quirks.detached_leave_id:
        seat.steps.discard(command.keyword)
        floor.unasked(seat, Command.NO_FURTHER_WORK, MessageType.RESPONSE, "0", codes.DONE)
    else:
        floor.done(seat, command)


def announce_job(floor: Floor, seat: Seat, keyword: NoticeName, target: str) -> None:
    """Name the job to go on in, in two messages, or in one as the guide's table has it."""
    if floor.plan.quirks.one_frame_links:
        floor.notify(seat, keyword, codes.DONE, target)
    else:
        floor.notify(seat, keyword, codes.DATA_FOLLOWS, target)
        floor.notify(seat, keyword, codes.DONE)


def end_job(floor: Floor, job: Job, linked_to: str = "") -> int:
    """Stop a job; its agents are told and leave. Returns how many were told."""
    job.active = False
    job.arrivals += 1
    while job.queue:
        end_call(floor, job.queue.popleft(), 45)
    told = floor.joined(job)
    for seat in told:
        if linked_to:
            announce_job(floor, seat, NoticeName.JOB_TRANS_LINK, linked_to)
        else:
            floor.notify(seat, NoticeName.JOB_END, codes.DONE)
        if not seat.leaving or seat.stage not in RECORD_STAGES:
            leave(floor, seat, None)
    return len(told)


def break_headset(floor: Floor, seat: Seat) -> None:
    """The voice path is lost. Assumed: an open record stays open with code 50 and the agent still finishes it."""
    seat.headset = Headset.BROKEN
    floor.notify_error(seat, NoticeName.HEADSET_CONN_BROKEN, codes.HEADSET_BROKEN)
    call = seat.call
    if call is not None and seat.stage is Stage.ON_CALL:
        call.line = Line.GONE
        call.record.completion = 50
        floor.counters["completion_50"] += 1
        floor.enter(seat, Stage.WRAPPING)
    elif seat.stage is Stage.READY:
        floor.enter(seat, Stage.AVAILABLE)
