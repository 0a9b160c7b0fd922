"""Joining a job and leaving it.

    SetWorkClass ─▶ AttachJob ─▶ ListKeys, ListDataFields, SetNotifyKeyField, SetDataField … ─▶ AvailWork ─▶ joined
    joined ─▶ NoFurtherWork (its answer may come calls later) ─▶ DetachJob ─▶ left

When the dialler ends a job or moves the agent it runs "no further work" by itself; only its answer is awaited then.
Source: Agent API guide, job set-up and session states.
"""

from __future__ import annotations

from typing import Final

from unified_agent.domain.facts import JobJoined, JobLeft, JobsListed
from unified_agent.domain.ids import JobName, RequestId
from unified_agent.domain.job import CompletionKey
from unified_agent.errors import RemoteProtocolError
from unified_agent.links.dialler.actions import End, HoldOff
from unified_agent.links.dialler.logon_flow import ending_of, list_jobs, sign_off, unreadable
from unified_agent.links.dialler.refusals import no_such_job, reaction_to, refusal_of
from unified_agent.links.dialler.scripts import Script, Signal, ask, pause, wait_for
from unified_agent.links.dialler.seat import ITEM_PLACES, Leaving, Place, Seat
from unified_agent.wire.apc.codes import Reaction
from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.events import Outcome, Replied
from unified_agent.wire.apc.readings import read_data_fields, read_keys

#: Waits before a job that is active but does not dial yet is asked for again.
STARTING_WAITS_S: Final = (2.0, 4.0, 8.0, 8.0, 8.0)
#: How long the answer of a "no further work" that the dialler runs by itself is awaited before detaching is tried.
#: Assumed: an idle agent may detach at once; one recorded trace does.
ENDING_WAIT_S: Final = 2.0
#: Without the answer of "no further work" for this long, an agent with no open record asks for the calls that are
#: still queued: the last agent of a job must take them.
QUEUED_WAIT_S: Final = 1.0
#: How often the queue is asked for again while the agent's headset is broken, seconds.
HEADSET_WAIT_S: Final = 5.0
HEADSET_NOT_ACTIVE: Final = "E28896"
_DETACH_TRIES: Final = 6
_OUT: Final = frozenset({"E28913", "E28885"})
_CLASS_LETTERS: Final = frozenset("OIBM")
_LISTS: Final = {"I": "I", "B": "IO"}

OUT_OF_STEP: Final = "out-of-step"


# --- in


def join(seat: Seat, request: RequestId, job: JobName, *, may_move: bool) -> Script[bool]:
    """Attach to a job and become available for it, not ready.

    Args:
        seat: logged on, in no job.
        request: answered by JobJoined, or by the refusal.
        job: the agents' name of it.
        may_move: another dialler would take this agent, so an unusable one is left for it.

    Returns:
        True when joined. Otherwise nothing is attached any more, or the seat has ended.
    """
    name = seat.dialler_name(job)
    seat.step("attaching")
    if name not in seat.jobs:
        yield from list_jobs(seat)
    if name not in seat.jobs:
        seat.refuse(request, no_such_job(job))
        return False
    failure = (
        (yield from _attach(seat, name)) or (yield from _read_fields(seat)) or (yield from _become_available(seat))
    )
    if failure is None:
        seat.answered_by_fact(request)
        seat.report(JobJoined(session=seat.session, request=request, job=job, keys=seat.keys))
        return True
    unusable = reaction_to(failure) is Reaction.DIALLER_UNUSABLE
    if unusable and may_move:
        yield from _move_away(seat, failure)
        return False
    out = yield from back_out(seat)
    if not out:
        seat.end(End.LOST, OUT_OF_STEP, "the dialler will not let go of a job that could not be joined")
        return False
    if unusable:
        seat.actions.append(HoldOff(code=failure.code))
    refusal = refusal_of(failure)  # it has been undone: nothing changed, whatever became of the command
    seat.refuse(request, refusal)
    return False


def _attach(seat: Seat, name: str) -> Script[Replied | None]:
    letter = seat.jobs[name]
    if letter in _CLASS_LETTERS:
        reply = yield from ask(Command.SET_WORK_CLASS, letter)
        if not reply.ok:
            return reply
    reply = yield from ask(Command.ATTACH_JOB, name)
    if reply.code == "E28889":  # attached already: to what, we do not know
        yield from back_out(seat)
        reply = yield from ask(Command.ATTACH_JOB, name)
    if not reply.ok:
        return reply
    seat.job, seat.place = name, Place.ATTACHED
    return None


def _read_fields(seat: Seat) -> Script[Replied | None]:
    seat.step("reading-fields")
    reply = yield from ask(Command.LIST_KEYS)
    if not reply.ok and reply.code != "E00518":  # no keys file: the job can be worked all the same
        return reply
    try:
        seat.keys = tuple(CompletionKey(code=str(each.code), text=each.text) for each in read_keys(reply.values))
    except RemoteProtocolError as error:
        return unreadable(reply, error)
    for letter in _LISTS.get(seat.jobs[seat.job], "O"):
        failure = yield from _choose_fields(seat, letter)
        if failure is not None:
            return failure
    return None


def _choose_fields(seat: Seat, letter: str) -> Script[Replied | None]:
    """Ask for the configured fields of one list; those that the list does not have are left out, and noted."""
    reply = yield from ask(Command.LIST_DATA_FIELDS, letter)
    if reply.code in {"E28892", "E28893"}:  # the job has no such list
        return None
    if not reply.ok:
        return reply
    try:
        shapes = {each.name: each for each in read_data_fields(reply.values)}
    except RemoteProtocolError as error:
        return unreadable(reply, error)
    seat.shapes |= {(letter, name): shape for name, shape in shapes.items()}
    key = seat.settings.key_field
    wanted = [(Command.SET_NOTIFY_KEY_FIELD, key)] if key else []
    wanted += [(Command.SET_DATA_FIELD, name) for name in seat.settings.fields if name != key]
    for command, name in wanted:
        if name not in shapes:
            seat.note("dialler_field_missing", detail=f"{seat.job} has no field {name} in list {letter}")
            continue
        reply = yield from ask(command, letter, name)
        if reply.code == "E28894":
            seat.note("dialler_field_missing", code=reply.code, detail=f"{seat.job} refuses field {name}")
        elif not reply.ok:
            return reply
    return None


def _become_available(seat: Seat) -> Script[Replied | None]:
    seat.step("becoming-available")
    for wait_s in (*STARTING_WAITS_S, None):
        reply = yield from ask(Command.AVAIL_WORK)
        if reply.ok or reply.code == "E28895":  # available already
            seat.place = Place.AVAILABLE
            return None
        if reply.code != "E28805" or wait_s is None:
            return reply
        yield from pause(wait_s)
    raise AssertionError("the last wait returns")


def _move_away(seat: Seat, failure: Replied) -> Script[None]:
    """Leave an unusable dialler for another. The request stays open: the session learns that it lost its dialler."""
    seat.closing = ending_of(failure)
    yield from back_out(seat)
    yield from sign_off(seat)


# --- out


def leave(seat: Seat) -> Script[bool]:
    """Leave the job for the reason in ``seat.leaving``.

    Returns:
        True when it was left, False when the dialler refused or the seat has ended.
    """
    leaving = seat.leaving
    assert leaving is not None
    if leaving.by_dialler:
        yield from _await_dialler(seat)
    elif not (yield from _end_work(seat, leaving)):
        return False
    if not (yield from _detach(seat)):
        seat.end(End.LOST, OUT_OF_STEP, "the dialler will not let go of the job")
        return False
    return True


def tell_left(seat: Seat) -> None:
    """Report the job that was left, then answer who asked for it: an answer first would look like "still in it"."""
    leaving = seat.leaving
    assert leaving is not None
    seat.leaving = None
    next_job = seat.known_as(leaving.next_job) if leaving.next_job else None
    seat.report(JobLeft(session=seat.session, why=leaving.why, next_job=next_job))
    for request in (*leaving.requests, *([leaving.rejoin] if leaving.rejoin is not None else [])):
        seat.done(request)


def _end_work(seat: Seat, leaving: Leaving) -> Script[bool]:
    """Ask for no further work. Never bounded: the answer comes when the calls that were on their way are done."""
    if seat.place is Place.ATTACHED:
        return True
    reply = yield from _no_further_work(seat)
    if reply.ok or reply.code in {"E28917", "E28918"}:  # no job; attached and not available
        return True
    refusal = refusal_of(reply)
    requests = [*leaving.requests, *([leaving.rejoin] if leaving.rejoin is not None else [])]
    seat.leaving = None
    for request in requests:
        seat.refuse(request, refusal)
    return False


def _no_further_work(seat: Seat) -> Script[Replied]:
    seat.work_ends = True
    reply = yield from ask(Command.NO_FURTHER_WORK)
    seat.work_ends = False
    if reply.ok and seat.place in {Place.AVAILABLE, Place.READY}:
        seat.place = Place.ATTACHED
    return reply


def _await_dialler(seat: Seat) -> Script[None]:
    while seat.item is not None:
        yield from wait_for(Signal.ITEM_CLOSED)
    if seat.work_ends:
        yield from wait_for(Signal.WORK_ENDED, ENDING_WAIT_S)
    seat.work_ends = False


def _detach(seat: Seat) -> Script[bool]:
    for _ in range(_DETACH_TRIES):
        reply = yield from ask(Command.DETACH_JOB)
        if reply.ok or reply.code in _OUT:
            seat.leave_job()
            return True
        if reply.code == "E28914":  # still available: no further work has not been asked yet
            yield from _no_further_work(seat)
        elif reply.code == "E28915":  # its answer is still to come
            seat.work_ends = True
            yield from wait_for(Signal.WORK_ENDED, ENDING_WAIT_S)
        else:
            yield from pause(1.0)
        while seat.place in ITEM_PLACES:  # one more call came
            yield from wait_for(Signal.ITEM_CLOSED)
    return False


def back_out(seat: Seat) -> Script[bool]:
    """Let go of whatever the dialler believes we joined, without a word to the session."""
    for _ in range(3):
        reply = yield from ask(Command.DETACH_JOB)
        if reply.ok or reply.code in _OUT:
            seat.leave_job()
            return True
        if reply.outcome is Outcome.TIMED_OUT:
            continue
        yield from ask(Command.NO_FURTHER_WORK, limit_s=ENDING_WAIT_S)
    return False


def take_queued(seat: Seat) -> Script[None]:
    """While leaving: take a call that is still queued for the last agent of a job, if the answer is held back.

    An error says that the queue is empty, but for one: with a broken headset the queue waits as we do.
    """
    wait_s = QUEUED_WAIT_S
    while True:
        yield from pause(wait_s)
        if seat.leaving is None or not seat.work_ends or seat.place is not Place.AVAILABLE:
            return
        reply = yield from ask(Command.READY_NEXT_ITEM)
        if reply.ok and seat.place is Place.AVAILABLE:
            seat.place = Place.READY
        if reply.code != HEADSET_NOT_ACTIVE:
            return
        wait_s = HEADSET_WAIT_S


def refresh_jobs(seat: Seat, request: RequestId) -> Script[None]:
    """Read the list of jobs again."""
    jobs, failure = yield from list_jobs(seat)
    if failure is not None:
        seat.failed(request, failure)
        return
    seat.report(JobsListed(session=seat.session, jobs=jobs))
    seat.done(request)
