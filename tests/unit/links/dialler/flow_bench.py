"""A bench for one agent's flow: made-up answers in, facts and commands out, time by hand."""

from __future__ import annotations

from collections import deque

from unified_agent.domain.commands import DiallerCommand, JoinJob, TakeItems
from unified_agent.domain.effects import DiallerAsk, LogOnDialler
from unified_agent.domain.facts import DiallerLoggedOn, Fact, JobJoined, RequestDone, RequestRefused, RequestUnknown
from unified_agent.domain.ids import JobName, LinkId, RequestId, Secret, SessionId
from unified_agent.links.dialler.actions import Ended, HoldOff, Note, Report, Send
from unified_agent.links.dialler.agent_flow import AgentFlow
from unified_agent.links.dialler.logon_flow import LogonPlan
from unified_agent.settings import DiallerSettings, PoolSettings
from unified_agent.wire.apc import events
from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.events import Outcome, Replied
from unified_agent.wire.apc.readings import FieldValue

SESSION = SessionId("s-1")
DIALLER = LinkId("pc-1")
LOGON = RequestId(1)
ASK = LogOnDialler(name="jsmith", password=Secret("Pa55word"), headset="52001")
JOBS = ("O,SPRING25,A", "B,CAREBLD,A", "M,PREVW01,I", "I,HELP,A")
KEYS = ("19,Recall release,call_complete", "20,Promise to pay,call_complete")
FIELDS = ("ACCTNUM,10,C,F", "BAL,9,$,F", "PAYDAY,10,D,F", "PHONE1,10,N,F")
SETTINGS = DiallerSettings(
    name=DIALLER,
    host="dialler",
    fields=("ACCTNUM", "BAL", "PAYDAY", "NOSUCH"),
    editable_fields=("PAYDAY",),
    key_field="ACCTNUM",
    job_names={"Spring": "SPRING25"},
)
SPRING = JobName("Spring")


class FlowBench:
    """One flow with everything it said so far."""

    def __init__(
        self, settings: DiallerSettings = SETTINGS, *, after_loss: bool = False, pool: PoolSettings | None = None
    ) -> None:
        self.now_s = 1000.0
        self.facts: list[Fact] = []
        self.told: list[Fact] = []
        self.notes: list[Note] = []
        self.hold_offs: list[HoldOff] = []
        self.ended: Ended | None = None
        self.facts_at_end: int | None = None
        self.waiting: deque[Send] = deque()
        self.sent: list[tuple[Command, tuple[str, ...]]] = []
        self._next_request = 2
        plan = LogonPlan(request=LOGON, ask=ASK, after_loss=after_loss)
        self.flow = AgentFlow(SESSION, settings, pool or PoolSettings(), plan, self.now_s)
        self._take()

    def _take(self) -> None:
        for action in self.flow.take_actions():
            match action:
                case Send():
                    self.waiting.append(action)
                    self.sent.append((action.command, action.segments))
                case Report():
                    self.facts.append(action.fact)
                    self.told.append(action.fact)
                case Note():
                    self.notes.append(action)
                case HoldOff():
                    self.hold_offs.append(action)
                case Ended():
                    assert self.ended is None, "it ended twice"
                    self.ended = action
                    self.facts_at_end = len(self.told)

    def news(self) -> list[Fact]:
        """Facts since the last call, without the steps."""
        facts, self.facts = self.facts, []
        return [each for each in facts if type(each).__name__ != "DiallerStepped"]

    def steps(self) -> list[str]:
        """Every step told so far."""
        return [getattr(each, "step", "") for each in self.told if type(each).__name__ == "DiallerStepped"]

    def answers(self, request: RequestId) -> list[Fact]:
        """Every fact that answers a request."""
        kinds = (RequestDone, RequestRefused, RequestUnknown, DiallerLoggedOn, JobJoined)
        return [each for each in self.told if isinstance(each, kinds) and each.request == request]

    def event(self, event: events.Event) -> None:
        """Let the wire report something."""
        self.flow.take(event, self.now_s)
        self._take()

    def _reply(self, command: Command, outcome: Outcome, code: str, detail: str, data: tuple[str, ...]) -> None:
        waiting = next((each for each in self.waiting if each.command is command), None)
        assert waiting is not None, f"{command} was not sent; on the way: {[each.command for each in self.waiting]}"
        self.waiting.remove(waiting)
        rows = (data,) if data else ()
        self.event(Replied(token=waiting.token, command=command, outcome=outcome, code=code, detail=detail, data=rows))

    def ok(self, command: Command, *values: str) -> None:
        """Answer a command that is on its way: done, with these values."""
        self._reply(command, Outcome.ANSWERED, "M00000", "", values)

    def no(self, command: Command, code: str, detail: str = "") -> None:
        """Answer with an error."""
        self._reply(command, Outcome.REFUSED, code, detail, ())

    def kill(self, command: Command, code: str = "E70002") -> None:
        """A system error ends the command."""
        self._reply(command, Outcome.KILLED, code, f"{command}_RESP(STEP)", ())

    def time_out(self, command: Command) -> None:
        """No answer in time, though the dialler lives."""
        self._reply(command, Outcome.TIMED_OUT, "", "", ())

    def unasked(self, command: Command, *values: str) -> None:
        """An answer to nothing we asked."""
        data = (values,) if values else ()
        self.event(events.UnaskedReply(keyword=command, ok=True, code="M00000", detail="", data=data))

    def lose(self, reason: events.LossReason = events.LossReason.CLOSED_BY_PEER, code: str = "") -> None:
        """The connection ends, with everything on its way."""
        for each in tuple(self.waiting):
            self.event(Replied(token=each.token, command=each.command, outcome=Outcome.LOST))
        self.waiting.clear()
        self.event(events.SessionLost(reason=reason, code=code, detail="gone"))

    def ask(self, ask: DiallerAsk | DiallerCommand) -> RequestId:
        """Let the session ask."""
        request = RequestId(self._next_request)
        self._next_request += 1
        self.flow.ask(request, ask, self.now_s)
        self._take()
        return request

    def wait(self, seconds: float) -> None:
        """Let time pass, with every timer on the way."""
        until_s = self.now_s + seconds
        while (at_s := self.flow.next_timer()) is not None and at_s <= until_s:
            self.now_s = max(at_s, self.now_s)
            self.flow.handle_timer(self.now_s)
            self._take()
        self.now_s = until_s

    # --- the ways to the states that tests begin in

    def log_on(self) -> FlowBench:
        """Greeting to job list."""
        self.event(events.Greeted(process_id="20817"))
        self.ok(Command.LOGON)
        self.ok(Command.RESERVE_HEADSET)
        self.ok(Command.CONN_HEADSET)
        self.ok(Command.LIST_JOBS, *JOBS)
        self.facts.clear()
        return self

    def join(self, job: JobName = SPRING) -> FlowBench:
        """Logged on to available."""
        self.log_on()
        self.ask(JoinJob(job=job))
        self.answer_join()
        self.facts.clear()
        return self

    def answer_join(self) -> None:
        """Answer every command of joining."""
        values = {Command.LIST_KEYS: KEYS, Command.LIST_DATA_FIELDS: FIELDS}
        while self.waiting and self.waiting[0].command is not Command.READY_NEXT_ITEM:
            command = self.waiting[0].command
            self.ok(command, *values.get(command, ()))

    def ready(self, job: JobName = SPRING) -> FlowBench:
        """Joined to ready."""
        self.join(job)
        self.ask(TakeItems())
        self.ok(Command.READY_NEXT_ITEM)
        self.facts.clear()
        return self

    def on_call(self) -> FlowBench:
        """Ready to on a call."""
        self.ready()
        self.event(CALL)
        self.facts.clear()
        return self

    def previewing(self) -> FlowBench:
        """Ready to a record shown."""
        self.ready(JobName("PREVW01"))
        self.event(PREVIEW)
        self.facts.clear()
        return self


def _field(name: str, value: str) -> FieldValue:
    return FieldValue(name=name, value=value)


CALL = events.CallArrived(
    op_mesg="PAT LEE",
    wait_msg="",
    call_type="OUTBOUND",
    key=_field("ACCTNUM", " 7001234"),
    fields=(_field("BAL", "118.20"), _field("PAYDAY", "")),
)
PREVIEW = events.PreviewArrived(
    op_mesg="PAT LEE", wait_msg="", call_type="MANAGED", key=_field("ACCTNUM", "7001234"), fields=()
)
