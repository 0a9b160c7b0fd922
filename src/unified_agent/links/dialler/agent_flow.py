"""One agent at one dialler, without I/O: asks of the session and events of the wire in, commands and facts out.

Sequences are scripts (``logon_flow``, ``job_flow``, ``item_flow``, ``resync_flow``); here they are run, one step for
each answer, signal or time. One of them at a time holds the *lane*: logging on, joining, leaving, logging off.
Commands on items run beside it, because leaving a job can last several calls.
"""

from __future__ import annotations

from typing import Final

from unified_agent.domain.commands import DiallerCommand, JoinJob, LeaveJob, PauseItems, TakeItems
from unified_agent.domain.effects import DiallerAsk, LogOffDialler
from unified_agent.domain.facts import (
    DiallerLoggedOff,
    DiallerLost,
    HeadsetBroke,
    JobEnding,
)
from unified_agent.domain.ids import JobName, RequestId, SessionId
from unified_agent.links.dialler import item_flow, job_flow, logon_flow, resync_flow
from unified_agent.links.dialler.actions import Action, End, Ended
from unified_agent.links.dialler.announcements import announced
from unified_agent.links.dialler.logon_flow import LogonPlan
from unified_agent.links.dialler.refusals import (
    ALREADY_IN_JOB,
    BUSY,
    CALLED_OFF,
    LEAVING_JOB,
    NOT_IN_JOB,
    NOT_LOGGED_ON,
    refusal_of,
)
from unified_agent.links.dialler.script_runner import ScriptRunner
from unified_agent.links.dialler.scripts import Script, Signal
from unified_agent.links.dialler.seat import ITEM_PLACES, JOB_PLACES, Headset, Leaving, Place, Seat
from unified_agent.settings import DiallerSettings, PoolSettings
from unified_agent.wire.apc import codes, events
from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.events import LossReason, Outcome, Replied

#: What ended a connection, in the words of DiallerLost.
_LOSS_WORDS: Final = {
    LossReason.CLOSED_BY_PEER: "closed",
    LossReason.SILENT: "silent",
    LossReason.PROTOCOL: "protocol",
    LossReason.SYSTEM_ERROR: "dialler-error",
}
_ENDING_WORDS: Final[dict[type[events.Event], str]] = {
    events.JobEnded: "ended",
    events.UnitEnded: "no-records",
    events.JobLinked: "linked",
    events.JobTransferRequested: "moved",
}


class AgentFlow:
    """The machine. Give it asks, events and the time; take actions after each; wake it at ``next_timer``.

    Args:
        session: whose agent it is.
        dialler: which one.
        pool: limits.
        plan: the logon to be answered.
        now_s: the caller's clock.

    Attributes:
        has_alternative: another dialler would take this agent; kept up to date by the pool.
    """

    def __init__(
        self,
        session: SessionId,
        dialler: DiallerSettings,
        pool: PoolSettings,
        plan: LogonPlan,
        now_s: float,
    ) -> None:
        self.seat = Seat(session=session, settings=dialler, pool=pool, now_s=now_s)
        self.has_alternative = False
        self._plan = plan
        self._scripts = ScriptRunner(self.seat)
        self._deferred: Leaving | None = None
        self._paused: tuple[RequestId, JobName] | None = None
        self._ended = False
        self.seat.open_requests[plan.request] = None
        self.seat.step("connecting")

    # --- doors

    @property
    def ended(self) -> bool:
        """Whether it is over; asks are refused and events ignored."""
        return self._ended

    @property
    def logon_name(self) -> str:
        """The agent's name at the dialler."""
        return self._plan.ask.name

    def take_actions(self) -> list[Action]:
        """Return what is to be done, in order, and forget it."""
        actions, self.seat.actions = self.seat.actions, []
        return actions

    def next_timer(self) -> float | None:
        """Say when ``handle_timer`` is wanted, or None."""
        times = (self._scripts.next_timer(), self.seat.stop_at_s)
        return None if self._ended else min((each for each in times if each is not None), default=None)

    def handle_timer(self, now_s: float) -> None:
        """Do what is due. Harmless when early or late."""
        if self._begin(now_s):
            return
        seat = self.seat
        if seat.stop_at_s is not None and now_s >= seat.stop_at_s and seat.closing is not None:
            seat.end(seat.closing.end, seat.closing.reason, seat.closing.detail, seat.closing.refusal)
        else:
            self._scripts.handle_timer(now_s)
        self._settle()

    def ask(self, request: RequestId, ask: DiallerAsk | DiallerCommand, now_s: float) -> None:
        """Take an ask of the session, other than LogOnDialler and DropDialler, which are the pool's."""
        if self._begin(now_s):
            return
        self.seat.open_requests[request] = None
        self._take_ask(request, ask)
        self._settle()

    def take(self, event: events.Event, now_s: float) -> None:
        """Take an event of the wire."""
        if self._begin(now_s):
            return
        if isinstance(event, Replied):
            self._replied(event)
        elif not announced(self.seat, event):
            self._happened(event)
        self._settle()

    def not_reached(self, detail: str, now_s: float) -> None:
        """Take the news that no connection could be made."""
        if not self._begin(now_s):
            self.seat.end(End.UNREACHABLE, "not-reached", detail)
            self._settle()

    def lose(self, reason: str, detail: str, now_s: float) -> None:
        """End, because the connection is gone or the whole dialler is."""
        if not self._begin(now_s):
            self._lose(End.LOST, reason, detail)
            self._settle()

    def drop(self, now_s: float) -> None:
        """End at once, because the session asked for it: nothing is lost, open requests are unknown."""
        if not self._begin(now_s):
            self.seat.end(End.LOGGED_OFF, "dropped")
            self._settle()

    # --- asks

    def _take_ask(self, request: RequestId, ask: DiallerAsk | DiallerCommand) -> None:
        seat = self.seat
        if isinstance(ask, LogOffDialler):
            seat.answered_by_fact(request)  # by DiallerLoggedOff
            self._log_off()
        elif not seat.logged_on or seat.closing is not None or not isinstance(ask, DiallerCommand):
            seat.refuse(request, NOT_LOGGED_ON)
        elif isinstance(ask, JoinJob):
            self._join(request, ask)
        elif isinstance(ask, LeaveJob):
            self._leave(request)
        elif isinstance(ask, PauseItems):
            self._pause(request)
        elif isinstance(ask, TakeItems):
            self._take_items(request, ask)
        else:
            self._scripts.start(item_flow.script_for(seat, request, ask), type(ask).__name__, request)

    def _join(self, request: RequestId, ask: JoinJob) -> None:
        seat = self.seat
        if seat.leaving is not None:
            seat.refuse(request, LEAVING_JOB)
        elif self._scripts.lane:
            seat.refuse(request, BUSY)
        elif seat.place is not Place.LOGGED_ON:
            seat.refuse(request, ALREADY_IN_JOB)
        else:
            self._scripts.start_in_lane(self._join_script(request, ask.job), "join", request)

    def _join_script(self, request: RequestId, job: JobName) -> Script[None]:
        joined = yield from job_flow.join(self.seat, request, job, may_move=self.has_alternative)
        if not joined and self._deferred is not None:
            requests = self._deferred.requests
            self._deferred = Leaving(why="asked", requests=requests) if requests else None

    def _leave(self, request: RequestId) -> None:
        seat = self.seat
        if seat.leaving is not None:
            seat.leaving.requests.append(request)
            if seat.leaving.rejoin is not None:
                seat.leaving.requests.append(seat.leaving.rejoin)
                seat.leaving.rejoin = None
        elif self._scripts.lane:  # joining: as soon as that is done
            self._deferred = self._deferred or Leaving(why="asked")
            self._deferred.requests.append(request)
        else:
            self._begin_leaving(Leaving(why="asked", requests=[request]))

    def _pause(self, request: RequestId) -> None:
        seat = self.seat
        if seat.place not in JOB_PLACES:
            seat.refuse(request, NOT_IN_JOB)
        elif seat.place is Place.READY and seat.leaving is None and not self._scripts.lane:
            self._begin_leaving(Leaving(why="asked", rejoin=request))
        else:
            seat.wants_items = False
            seat.done(request)

    def _take_items(self, request: RequestId, ask: TakeItems) -> None:
        seat = self.seat
        if seat.leaving is not None:
            seat.refuse(request, LEAVING_JOB)
            return
        for task in self._scripts.named("TakeItems"):
            if task.request is None or not seat.is_open(task.request):
                self._scripts.stop(task)  # it only tries again; this one does so from here on
        self._scripts.start(item_flow.script_for(seat, request, ask), "TakeItems", request)

    def _log_off(self) -> None:
        seat = self.seat
        if seat.closing is not None:
            seat.refuse(self._plan.request, CALLED_OFF)  # saying goodbye already; now it was asked for
            seat.closing = Ended(end=End.LOGGED_OFF, reason="asked")
            return
        seat.refuse(self._plan.request, CALLED_OFF)
        self._scripts.stop_all()
        seat.closing = Ended(end=End.LOGGED_OFF, reason="asked")
        seat.leaving = self._deferred = self._paused = None
        self._scripts.start_in_lane(logon_flow.log_off(seat), "log-off")

    def _begin_leaving(self, leaving: Leaving) -> None:
        seat = self.seat
        seat.leaving = leaving
        if leaving.by_dialler:
            seat.work_ends = True
        if seat.place is Place.LOGGED_ON:
            job_flow.tell_left(seat)
            return
        seat.wants_items = False
        self._scripts.start_in_lane(self._leave_script(), "leave")
        self._scripts.start(job_flow.take_queued(seat), "take-queued")

    def _leave_script(self) -> Script[None]:
        seat = self.seat
        job = seat.known_as(seat.job)
        left = yield from job_flow.leave(seat)
        leaving = seat.leaving
        if not left or leaving is None:
            return
        if leaving.rejoin is None or leaving.why != "asked":
            job_flow.tell_left(seat)
            return
        seat.leaving = None
        self._paused = (leaving.rejoin, job)

    def _rejoin_script(self, request: RequestId, job: JobName) -> Script[None]:
        """Join the job again that was left to pause; if that fails, say that it was left."""
        yield from self._join_script(request, job)
        if self.seat.place is Place.LOGGED_ON and self.seat.over is None:
            self.seat.leaving = Leaving(why="asked")
            job_flow.tell_left(self.seat)

    # --- events

    def _replied(self, reply: Replied) -> None:
        if reply.outcome is Outcome.LOST:
            return  # the end of the connection follows, and answers everything
        if reply.command is Command.NO_FURTHER_WORK:
            self._work_ended()
        self._scripts.answer(reply)
        headset_is_back = reply.ok and reply.command is Command.CONN_HEADSET
        if headset_is_back or reply.outcome is Outcome.TIMED_OUT or (not reply.ok and _is_out_of_step(reply)):
            self._doubt()

    def _happened(self, event: events.Event) -> None:  # noqa: C901 - one row for each event
        seat = self.seat
        match event:
            case events.Greeted():
                self._scripts.start_in_lane(logon_flow.log_on(seat, self._plan), "log-on")
            case events.AutoReleasedToReady():
                self._scripts.start(item_flow.release_machine(seat, event.completion_code), "release-machine")
            case events.JobEnded() | events.UnitEnded():
                self._job_ends(Leaving(why=_ENDING_WORDS[type(event)], by_dialler=True))
            case events.JobLinked() | events.JobTransferRequested():
                self._job_ends(Leaving(why=_ENDING_WORDS[type(event)], next_job=event.job, by_dialler=True))
            case events.HeadsetBroken():
                seat.headset = Headset.BROKEN
                seat.report(HeadsetBroke(session=seat.session))
                self._doubt()
            case events.HeadsetRestored():
                item_flow.headset_back(seat)
                self._doubt()
            case events.UnaskedReply():
                self._unasked(event)
            case events.StateProbed():
                if not resync_flow.agrees(seat, event.state):
                    self._doubt()
            case events.NoticeFailed():
                seat.note("dialler_notice_failed", code=event.code, detail=event.keyword)
                self._doubt()
            case events.SystemErrorReported():
                seat.note("dialler_system_error", code=event.code, detail=event.detail)
                if not event.fatal and event.killed is None:
                    self._doubt()
            case events.SessionLost():
                self._session_lost(event)
            case events.SessionClosed():
                self._lose(End.LOST, "closed", "the dialler logged the agent off")
            case events.CommandPending() | events.GreetingRefused():
                pass
            case _:
                seat.note("dialler_notice", detail=type(event).__name__)

    def _job_ends(self, leaving: Leaving) -> None:
        """The dialler stops the job or moves the agent."""
        seat = self.seat
        if self._scripts.lane == "join":
            if self._deferred is not None:
                leaving.requests += self._deferred.requests
            self._deferred = leaving
            return
        if seat.place not in JOB_PLACES or seat.closing is not None:
            return
        self._tell_ending(leaving)
        if seat.leaving is None:
            self._begin_leaving(leaving)
        else:  # on the way out already; what was asked is answered all the same
            seat.leaving.why, seat.leaving.next_job = leaving.why, leaving.next_job

    def _tell_ending(self, leaving: Leaving) -> None:
        seat = self.seat
        next_job = seat.known_as(leaving.next_job) if leaving.next_job else None
        seat.report(JobEnding(session=seat.session, why=leaving.why, next_job=next_job))

    def _unasked(self, event: events.UnaskedReply) -> None:
        if event.keyword == Command.NO_FURTHER_WORK:
            if not event.ok:
                self._doubt()
                return
            if self.seat.leaving is None and self.seat.place in JOB_PLACES and not self._scripts.lane:
                self._job_ends(Leaving(why="ended", by_dialler=True))
            self._work_ended()
        elif event.keyword == Command.MANAGED_CALL and event.ok:
            item_flow.dialled(self.seat, event.data)
        else:
            self.seat.note("dialler_unasked_reply", code=event.code, detail=event.keyword)
            self._doubt()

    def _work_ended(self) -> None:
        seat = self.seat
        seat.work_ends = False
        if seat.place in {Place.AVAILABLE, Place.READY} and seat.leaving is not None and seat.leaving.by_dialler:
            seat.place = Place.ATTACHED
        seat.signals.append(Signal.WORK_ENDED)

    def _session_lost(self, event: events.SessionLost) -> None:
        if event.reason is LossReason.NO_GREETING:
            self._lose(End.UNREACHABLE, "no-greeting", event.detail)
        elif event.reason is LossReason.GREETING_REFUSED:
            reply = Replied(token="", command=Command.LOGON, outcome=Outcome.REFUSED, code=event.code)
            self.seat.end(End.UNUSABLE, "full", event.detail, refusal_of(reply))
        elif event.code == codes.SHUTTING_DOWN:
            self._lose(End.SHUTTING_DOWN, "shutting-down", event.detail)
        else:
            self._lose(End.LOST, _LOSS_WORDS.get(event.reason, "closed"), event.detail)

    def _lose(self, end: End, reason: str, detail: str) -> None:
        planned = self.seat.closing
        if planned is not None and end is not End.SHUTTING_DOWN:
            self.seat.end(planned.end, planned.reason, planned.detail, planned.refusal)
        else:
            self.seat.end(end, reason, detail)

    def _doubt(self) -> None:
        """Ask where the dialler has the agent, unless something under way will show it anyway."""
        seat = self.seat
        scripts = self._scripts
        busy = scripts.lane or scripts.awaits_answer or scripts.named("check")
        if seat.logged_on and not busy and seat.closing is None:
            scripts.start(resync_flow.check(seat), "check")

    # --- every step

    def _begin(self, now_s: float) -> bool:
        self.seat.now_s = now_s
        return self._ended

    def _settle(self) -> None:
        """After every step: deliver signals, begin what had to wait, and end when it is over."""
        seat = self.seat
        while seat.signals and seat.over is None:
            signal = seat.signals.pop(0)
            self._scripts.deliver(signal)
            if signal is Signal.ITEM_CLOSED and seat.leaving is not None and seat.place not in ITEM_PLACES:
                self._scripts.start(job_flow.take_queued(seat), "take-queued")
        if seat.over is None and not self._scripts.lane and self._paused is not None:
            (request, job), self._paused = self._paused, None
            self._scripts.start_in_lane(self._rejoin_script(request, job), "join", request)
        if seat.over is None and not self._scripts.lane and self._deferred is not None:
            leaving, self._deferred = self._deferred, None
            if leaving.by_dialler:
                self._tell_ending(leaving)
            self._begin_leaving(leaving)
            self._settle()
        if seat.over is not None and not self._ended:
            self._end(seat.over)

    def _end(self, over: Ended) -> None:
        """Say the end first, then what the session must know, then answer what is open.

        The loss is told before the requests that were lost with it: for the session they went with the link, and
        must not look refused one by one.
        """
        self._ended = True
        self._scripts.stop_all()
        seat = self.seat
        seat.open_requests.pop(self._plan.request, None)  # a logon that did not come about is the pool's to answer
        seat.actions.append(over)
        if over.end is End.LOGGED_OFF:
            if over.reason == "asked":
                seat.report(DiallerLoggedOff(session=seat.session))
        elif over.logged_on:
            seat.report(DiallerLost(session=seat.session, dialler=seat.settings.name, reason=over.reason))
        for request in tuple(seat.open_requests):
            seat.unknown(request, over.detail or over.reason)


def _is_out_of_step(reply: Replied) -> bool:
    return codes.error_meaning(reply.code).reaction is codes.Reaction.OUT_OF_STEP
