"""Logging on to a dialler, and saying goodbye.

    greeting ─▶ Logon ─▶ ReserveHeadset ─▶ ConnHeadset (the phone rings) ─▶ ListJobs ─▶ logged on
                  └─ name still occupied by the lost session: wait 2, 4, 8, 8 … s and ask again

A step that fails ends the attempt in good order, so that neither name nor headset stays occupied.
Source: Agent API guide, session sequence; failure classes of our reference.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from unified_agent.domain.effects import LogOnDialler
from unified_agent.domain.facts import DiallerLoggedOn, HeadsetBroke
from unified_agent.domain.ids import RequestId
from unified_agent.domain.job import Job
from unified_agent.errors import RemoteProtocolError
from unified_agent.links.dialler.actions import End, Ended
from unified_agent.links.dialler.refusals import Refusal, reaction_to, refusal_of
from unified_agent.links.dialler.scripts import Script, Signal, ask, pause, wait_for
from unified_agent.links.dialler.seat import ITEM_PLACES, JOB_PLACES, Headset, Place, Seat
from unified_agent.wire.apc.codes import Reaction
from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.events import Outcome, Replied
from unified_agent.wire.apc.readings import read_jobs

#: Waits before a name, or headset, that a lost session still occupies is asked for again; the last one repeats.
STALE_WAITS_S: Final = (2.0, 4.0, 8.0)
#: All goodbyes together; beyond, the connection is just closed.
SIGN_OFF_LIMIT_S: Final = 5.0
#: "No further work" of an agent who logs off: with calls queued for the last agent of a job it takes longer.
_WORK_ENDS_LIMIT_S: Final = 3.0
_MONITOR_PAUSE_S: Final = 1.0
_MONITOR_TROUBLE: Final = frozenset({"E28850", "E28851"})
_TAKEN_HEADSET: Final = frozenset({"E28870", "E28923", "E50611"})


class LogonPlan(Struct, frozen=True, kw_only=True):
    """One attempt at one dialler.

    Attributes:
        request: to be answered when the session is logged on; a failed attempt is the pool's to answer.
        after_loss: a session of this name was lost a moment ago, so the dialler may still hold it.
    """

    request: RequestId
    ask: LogOnDialler
    after_loss: bool = False


def log_on(seat: Seat, plan: LogonPlan) -> Script[None]:
    """Log on, step by step; after a failure say goodbye, and end."""
    failure = (yield from _claim_name(seat, plan)) or (yield from _connect_headset(seat, plan))
    if failure is None:
        seat.step("listing-jobs")
        jobs, failure = yield from list_jobs(seat)
        if failure is None:
            seat.logged_on = True
            seat.answered_by_fact(plan.request)
            seat.report(
                DiallerLoggedOn(session=seat.session, request=plan.request, dialler=seat.settings.name, jobs=jobs)
            )
            if seat.headset is Headset.BROKEN:  # meanwhile; "logged on" has just said that it is connected
                seat.report(HeadsetBroke(session=seat.session))
            return
    seat.closing = ending_of(failure)
    yield from sign_off(seat)


def _claim_name(seat: Seat, plan: LogonPlan) -> Script[Replied | None]:
    version = (seat.settings.version,) if seat.settings.version else ()
    seat.step("logging-on")
    reply = yield from _insist(
        seat, plan, Command.LOGON, (plan.ask.name, plan.ask.password.value, *version), frozenset({"E28812"})
    )
    if not reply.ok:
        return reply
    seat.place = Place.LOGGED_ON
    return None


def _connect_headset(seat: Seat, plan: LogonPlan) -> Script[Replied | None]:
    seat.step("reserving-headset")
    reply = yield from _insist(seat, plan, Command.RESERVE_HEADSET, (plan.ask.headset,), _TAKEN_HEADSET)
    if not reply.ok:
        return reply
    seat.headset = Headset.RESERVED
    seat.step("ringing-headset")
    reply = yield from ask(Command.CONN_HEADSET)
    if not reply.ok and reply.code != "E28872":  # connected already
        return reply
    seat.headset = Headset.CONNECTED
    return None


def _insist(
    seat: Seat, plan: LogonPlan, command: Command, segments: tuple[str, ...], stale: frozenset[str]
) -> Script[Replied]:
    """Ask, and ask again while a lost session of ours may still be in the way.

    A refusal by the dialler's operator monitor is asked about once more: only a repeated one counts.

    Assumed: a lost session holds its headset as it holds its name; a dialler's answer after one would prove it.
    """
    began_s = seat.now_s
    waits = 0
    trouble = False
    while True:
        reply = yield from ask(command, *segments)
        if reply.code in _MONITOR_TROUBLE and not trouble:
            trouble = True
            yield from pause(_MONITOR_PAUSE_S)
            continue
        if reply.ok or reply.code not in stale or not plan.after_loss:
            return reply
        wait_s = STALE_WAITS_S[min(waits, len(STALE_WAITS_S) - 1)]
        if seat.now_s + wait_s - began_s > seat.pool.stale_logon_limit_s:
            return reply
        waits += 1
        seat.step("waiting-for-old-session")
        yield from pause(wait_s)


def list_jobs(seat: Seat) -> Script[tuple[tuple[Job, ...], Replied | None]]:
    """Read the list of jobs.

    Returns:
        The jobs, and the reply when they could not be read.
    """
    reply = yield from ask(Command.LIST_JOBS, "A")
    if not reply.ok:
        return (), reply
    try:
        entries = {each.name: (each.type, each.active) for each in read_jobs(reply.values)}
    except RemoteProtocolError as error:
        return (), unreadable(reply, error)
    seat.jobs = {name: letter for name, (letter, _) in entries.items()}
    return seat.job_list(entries), None


def unreadable(reply: Replied, error: RemoteProtocolError) -> Replied:
    """Turn an answer that makes no sense into a refusal of the command."""
    return Replied(token=reply.token, command=reply.command, outcome=Outcome.REFUSED, detail=str(error))


def ending_of(reply: Replied) -> Ended:
    """Decide how an attempt has ended by the reply that ended it."""
    refusal = refusal_of(reply)
    if reply.outcome is Outcome.TIMED_OUT and reply.command is not Command.CONN_HEADSET:
        return Ended(end=End.LOST, reason="no-answer", detail=refusal.detail, refusal=refusal)
    if reply.outcome is Outcome.TIMED_OUT:
        refusal = Refusal(id="dialler.headset-not-answered", detail="nobody answered the headset")
    full = reaction_to(reply) is Reaction.DIALLER_UNUSABLE or reply.outcome is Outcome.BUSY
    end = End.UNUSABLE if full else End.REFUSED
    return Ended(end=end, reason="full" if full else "refused", detail=refusal.detail, refusal=refusal)


def sign_off(seat: Seat) -> Script[None]:
    """Disconnect and free the headset, log off. Ends by the dialler closing the connection, or by time."""
    assert seat.closing is not None
    if seat.stop_at_s is None:
        seat.stop_at_s = seat.now_s + SIGN_OFF_LIMIT_S
    if seat.place is Place.LOGGED_ON:
        if seat.headset in {Headset.CONNECTED, Headset.BROKEN}:
            yield from ask(Command.DISCONN_HEADSET)
        if seat.headset is not Headset.NONE:
            yield from ask(Command.FREE_HEADSET)
        seat.headset = Headset.NONE
        reply = yield from ask(Command.LOGOFF)
        if reply.ok:
            seat.place = Place.CONNECTED
    _end_as_planned(seat)


def log_off(seat: Seat) -> Script[None]:
    """Leave in good order from whatever place, within SIGN_OFF_LIMIT_S.

    An open record is finished only with a code that the session gave for it. Without one its line is released and
    the connection closed, and the dialler books it as "agent session ended abnormally" (49), which is the truth;
    we invent no code for a customer's record.
    """
    seat.stop_at_s = seat.now_s + SIGN_OFF_LIMIT_S
    if seat.place in JOB_PLACES and not (yield from _out_of_job(seat)):
        _end_as_planned(seat)
        return
    yield from sign_off(seat)


def _out_of_job(seat: Seat) -> Script[bool]:
    if not (yield from _close_record(seat)):
        return False
    if seat.place is not Place.ATTACHED:
        if seat.work_ends:
            yield from wait_for(Signal.WORK_ENDED, _WORK_ENDS_LIMIT_S)
        else:
            yield from ask(Command.NO_FURTHER_WORK, limit_s=_WORK_ENDS_LIMIT_S)
        if not (yield from _close_record(seat)):  # one more call may have come
            return False
    reply = yield from ask(Command.DETACH_JOB)
    if not reply.ok and reply.code not in {"E28913", "E28885"}:
        return False
    seat.leave_job()
    return True


def _close_record(seat: Seat) -> Script[bool]:
    if seat.place not in ITEM_PLACES:
        return True
    if seat.item is not None and seat.item.code:
        reply = yield from ask(Command.FINISHED_ITEM, seat.item.code)
        if reply.ok:
            seat.close_item()
            return True
    if seat.place is not Place.LINE_GONE:
        yield from ask(Command.RELEASE_LINE)
    return False


def _end_as_planned(seat: Seat) -> None:
    planned = seat.closing
    assert planned is not None
    seat.end(planned.end, planned.reason, planned.detail, planned.refusal)
