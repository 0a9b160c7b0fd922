"""The dialler's floor: every seat and job, the clock's heap, and how a seat is answered."""

from __future__ import annotations

import heapq
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, TypeAlias

import msgspec

from unified_agent.errors import UnifiedAgentError
from unified_agent.tools.simulators.apc.plan import DiallerPlan, JobPlan
from unified_agent.tools.simulators.apc.records import CallList
from unified_agent.tools.simulators.apc.seats import JOINED_STAGES, Call, Seat, Stage
from unified_agent.wire.apc import server_connection as frames
from unified_agent.wire.apc.messages import STATUS_ERROR, STATUS_GOOD, Message, MessageType


class Refused(UnifiedAgentError):
    """A command that the dialler does not perform; nothing was changed.

    Attributes:
        answer: error code, with a detail after a comma if it has one there.
        details: further segments.
    """

    code: ClassVar[str] = "dialler-refused"

    def __init__(self, answer: str, *details: str) -> None:
        super().__init__(answer)
        self.answer = answer
        self.details = details


@dataclass(frozen=True, slots=True)
class Send:
    """Send this to that connection; ``process`` is to be written into its header."""

    connection: int
    process: int
    message: Message


@dataclass(frozen=True, slots=True)
class Close:
    """Close that connection, after what was sent."""

    connection: int


Effect: TypeAlias = Send | Close


@dataclass(slots=True)
class Job:
    """One job as it runs.

    Attributes:
        plan: what it is.
        active: it runs.
        dialling: it has begun to dial.
        lists: calling lists, by letter.
        queue: inbound callers who wait, longest first.
        ready: seats that wait for a call, longest first, by connection.
        arrivals: counts up when the rate changes; a timer of an earlier count is void.
        calls_per_minute: of its traffic; may be changed while it runs.
    """

    plan: JobPlan
    active: bool
    dialling: bool
    lists: dict[str, CallList]
    queue: deque[Call] = field(default_factory=deque)
    ready: dict[int, Seat] = field(default_factory=dict)
    arrivals: int = 0
    calls_per_minute: float = 0.0


class Floor:
    """State that the desks share. Each desk is a module of functions that take the floor first."""

    def __init__(
        self, plan: DiallerPlan, chance: random.Random, calendar: Callable[[float], datetime], now_s: float
    ) -> None:
        """Open the floor.

        Args:
            plan: what the dialler is.
            chance: all randomness.
            now_s: the present.
            calendar: local date and time at a moment of the dialler's clock; callbacks need it.
        """
        self.plan = plan
        self.chance = chance
        self.calendar = calendar
        self.now_s = now_s
        self.seats: dict[int, Seat] = {}
        self.agents: dict[str, Seat] = {}
        self.headsets: dict[str, Seat] = {}
        self.stale_until_s: dict[str, float] = {}
        self.refuse_logons = ""
        self.slots = plan.slots
        self.stale_logon_s = plan.stale_logon_s
        self.headset_answers = plan.headset_answers
        self.counters: Counter[str] = Counter()
        self.agent_messages: deque[tuple[str, str]] = deque(maxlen=100)
        self.calls: dict[int, Call] = {}
        self.jobs = {
            job.name: Job(
                plan=job,
                active=job.active,
                dialling=job.dialling,
                lists={letter: CallList(job, letter, chance) for letter in job.lists},
                calls_per_minute=job.traffic.calls_per_minute,
            )
            for job in plan.jobs
        }
        self._processes = plan.process_number
        self._call_numbers = 0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._asked = 0
        self._effects: list[Effect] = []

    # -- numbers, time and chance

    def next_process(self) -> int:
        """Number of the process for a new connection; it has six digits at most."""
        number = self._processes
        self._processes = number % 999_999 + 1
        return number

    def next_call_number(self) -> int:
        """Number of a new call."""
        self._call_numbers += 1
        return self._call_numbers

    def draw(self, mean_s: float, jitter: float) -> float:
        """A time around a mean."""
        return mean_s if jitter == 0 else self.chance.uniform(mean_s * (1 - jitter), mean_s * (1 + jitter))

    def after(self, delay_s: float, action: Callable[[], None], seat: Seat | None = None) -> None:
        """Do something later; not if the seat is gone by then. Who asks must look whether it is still wanted."""

        def act() -> None:
            if seat is None or not seat.gone:
                action()

        self._asked += 1
        heapq.heappush(self._due, (self.now_s + delay_s, self._asked, act))

    def next_timer(self) -> float | None:
        """When the next thing is due."""
        return self._due[0][0] if self._due else None

    def do_due(self, until_s: float) -> None:
        """Do everything that is due, each at its own time."""
        while self._due and self._due[0][0] <= until_s:
            due_s, _, action = heapq.heappop(self._due)
            self.now_s = max(self.now_s, due_s)
            action()
        self.now_s = max(self.now_s, until_s)

    def take_effects(self) -> list[Effect]:
        """What is to be done outside, in order; forgotten here."""
        effects, self._effects = self._effects, []
        return effects

    # -- answers

    def send(self, seat: Seat, message: Message) -> None:
        """Send a message to a seat, unless its connection is gone."""
        if seat.gone:
            return
        quirks = self.plan.quirks
        if quirks.zero_invoke_ids:
            message = msgspec.structs.replace(message, invoke_id="0")
        if quirks.good_status_on_errors and message.segments[:1] == (STATUS_ERROR,):
            message = msgspec.structs.replace(message, segments=(STATUS_GOOD, *message.segments[1:]))
        self._effects.append(Send(seat.connection, seat.process, message))

    def close(self, seat: Seat) -> None:
        """Close a seat's connection after what was sent."""
        self._effects.append(Close(seat.connection))

    def pending(self, seat: Seat, command: Message) -> None:
        """Say that a command is accepted and works."""
        seat.steps.add(command.keyword)
        self.send(seat, frames.pending(command))

    def data(self, seat: Seat, command: Message, *values: str, code: str = "M00001") -> None:
        """Send values that precede the answer."""
        self.send(seat, frames.data(command, *values, code=code))

    def done(self, seat: Seat, command: Message) -> None:
        """Answer a command: done."""
        self._answer(seat, command, frames.done(command))

    def refuse(self, seat: Seat, command: Message, refused: Refused) -> None:
        """Answer a command: an error."""
        self.counters["commands_refused"] += 1
        self._answer(seat, command, frames.refused(command, refused.answer, *refused.details))

    def _answer(self, seat: Seat, command: Message, message: Message) -> None:
        seat.steps.discard(command.keyword)
        if seat.drop_answers:
            seat.drop_answers -= 1
            self.counters["answers_dropped"] += 1
        elif seat.answer_delay_s:
            self.after(seat.answer_delay_s, lambda: self.send(seat, message), seat)
        else:
            self.send(seat, message)

    def later(self, seat: Seat, command: Message, delay_s: float, action: Callable[[], None]) -> None:
        """Say "pending" now; act after a delay, and answer with what the action raises, if it does."""
        self.pending(seat, command)

        def act() -> None:
            try:
                action()
            except Refused as refused:
                self.refuse(seat, command, refused)

        self.after(delay_s, act, seat)

    def notify(self, seat: Seat, keyword: str, *segments: str) -> None:
        """Announce something: status 0 and ``segments``."""
        self.send(seat, frames.notice(keyword, STATUS_GOOD, *segments))

    def notify_error(self, seat: Seat, keyword: str, *segments: str) -> None:
        """Announce something bad: status 1 and ``segments``."""
        self.send(seat, frames.notice(keyword, STATUS_ERROR, *segments))

    def unasked(self, seat: Seat, keyword: str, kind: MessageType, *segments: str, invoke_id: str = "0") -> None:
        """Send an answer to a command that the dialler ran by itself."""
        command = Message(keyword=keyword, type=MessageType.COMMAND, invoke_id=invoke_id)
        self.send(seat, frames.reply_to(command, kind, *segments))

    # -- seats and jobs

    def enter(self, seat: Seat, stage: Stage) -> None:
        """Move a seat to a stage, and keep the job's list of ready agents."""
        if seat.stage is Stage.READY and seat.job:
            self.jobs[seat.job].ready.pop(seat.connection, None)
        if stage is Stage.READY:
            seat.ready_turn += 1
            self.jobs[seat.job].ready[seat.connection] = seat
        seat.stage = stage
        seat.since_s = self.now_s

    def job_of(self, seat: Seat) -> Job:
        """The attached job.

        Raises:
            Refused: E28885, none is.
        """
        job = self.jobs.get(seat.job)
        if job is None:
            raise Refused("E28885")
        return job

    def joined(self, job: Job) -> list[Seat]:
        """Agents available for work in a job, in order of connection."""
        return [seat for seat in self.seats.values() if seat.job == job.plan.name and seat.stage in JOINED_STAGES]
