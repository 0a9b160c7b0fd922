"""One agent's seat at one dialler: what is believed there, and what is to be done about it.

The words of ``Place`` are the states of the Agent API's own diagrams; the headset is a second machine beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from unified_agent.domain.facts import (
    DiallerStepped,
    Fact,
    ItemFinished,
    RequestDone,
    RequestRefused,
    RequestUnknown,
)
from unified_agent.domain.ids import JobName, RequestId, SessionId
from unified_agent.domain.job import CompletionKey, Job, RecordField
from unified_agent.links.dialler.actions import Action, End, Ended, Note, Report
from unified_agent.links.dialler.refusals import Refusal, refusal_of
from unified_agent.links.dialler.scripts import Signal
from unified_agent.settings import DiallerSettings, PoolSettings
from unified_agent.wire.apc import codes
from unified_agent.wire.apc.events import Outcome, Replied
from unified_agent.wire.apc.readings import DataField


class Place(StrEnum):
    """Where the dialler has the agent. Letters are those of the reference's state table."""

    CONNECTED = "connected"  #: A, not logged on
    LOGGED_ON = "logged-on"  #: B
    ATTACHED = "attached"  #: C, in a job and not available
    AVAILABLE = "available"  #: D, not ready
    READY = "ready"  #: E
    PREVIEWING = "previewing"  #: P
    ON_CALL = "on-call"  #: F
    LINE_GONE = "line-gone"  #: W, record open


#: What AGTListState says in each place.
STATE_CODES: Final = {
    Place.LOGGED_ON: codes.LOGGED_ON,
    Place.ATTACHED: codes.ATTACHED,
    Place.AVAILABLE: codes.JOINED,
    Place.READY: codes.READY,
    Place.PREVIEWING: codes.ON_CALL,
    Place.ON_CALL: codes.ON_CALL,
    Place.LINE_GONE: codes.ON_CALL,
}
ITEM_PLACES: Final = frozenset({Place.PREVIEWING, Place.ON_CALL, Place.LINE_GONE})
JOB_PLACES: Final = ITEM_PLACES | {Place.ATTACHED, Place.AVAILABLE, Place.READY}

_KINDS: Final = {"O": "outbound", "I": "inbound", "B": "blend", "M": "managed"}
_FIELD_KINDS: Final = {"C": "text", "A": "text", "N": "number", "$": "money", "D": "date", "T": "time"}


class Headset(StrEnum):
    """The voice path, as far as the dialler has told."""

    NONE = "none"
    RESERVED = "reserved"
    CONNECTED = "connected"
    BROKEN = "broken"


@dataclass(slots=True, kw_only=True)
class Leaving:
    """A job that is being left.

    Attributes:
        why: ``asked``, ``ended``, ``no-records``, ``linked`` or ``moved``.
        next_job: the dialler's name of the job to go on in.
        requests: to be answered when it is left.
        rejoin: join the same job again, not ready, and answer this request.
        by_dialler: the dialler runs "no further work" for the agent.
    """

    why: str
    next_job: str = ""
    requests: list[RequestId] = field(default_factory=list)
    rejoin: RequestId | None = None
    by_dialler: bool = False


@dataclass(slots=True, kw_only=True)
class Item:
    """The open record. Attributes: ``letter`` of its list, I or O; ``code`` the session last asked to finish with."""

    letter: str
    code: str = ""


@dataclass(slots=True, kw_only=True)
class Seat:
    """What is believed of one agent at one dialler. Changed by scripts and events, one at a time.

    Attributes:
        session: whose seat it is.
        settings: of this dialler.
        pool: limits.
        now_s: time of the present step.
        logged_on: the session was told so.
        jobs: the list as it was last read, dialler's own letters and names.
        job: the dialler's name of the joined job, or empty.
        keys: its completion codes.
        shapes: type and length of record fields, by list letter and name.
        wants_items: the session asked for an item and has got none since.
        work_ends: "no further work" has been sent, or the dialler runs it, and its answer has not come.
        closing: how it will have ended when the goodbyes are said, or their time is up.
        stop_at_s: when their time is up.
    """

    session: SessionId
    settings: DiallerSettings
    pool: PoolSettings
    now_s: float
    logged_on: bool = False
    place: Place = Place.CONNECTED
    headset: Headset = Headset.NONE
    jobs: dict[str, str] = field(default_factory=dict)
    job: str = ""
    keys: tuple[CompletionKey, ...] = ()
    shapes: dict[tuple[str, str], DataField] = field(default_factory=dict)
    item: Item | None = None
    wants_items: bool = False
    leaving: Leaving | None = None
    work_ends: bool = False
    date_format: str = ""
    closing: Ended | None = None
    stop_at_s: float | None = None
    over: Ended | None = None
    actions: list[Action] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    open_requests: dict[RequestId, None] = field(default_factory=dict)

    # --- telling

    def report(self, fact: Fact) -> None:
        """Tell the session."""
        self.actions.append(Report(fact=fact))

    def step(self, name: str) -> None:
        """Tell the session how far a logon or joining is."""
        self.report(DiallerStepped(session=self.session, dialler=self.settings.name, step=name))

    def note(self, event: str, *, code: str = "", detail: str = "") -> None:
        """Have something logged and counted."""
        self.actions.append(Note(event=event, code=code, detail=detail))

    # --- answering, each request once

    def is_open(self, request: RequestId) -> bool:
        """Whether a request still waits for its answer."""
        return request in self.open_requests

    def answered_by_fact(self, request: RequestId) -> None:
        """Take a request off the list: a fact that carries its number answers it."""
        self.open_requests.pop(request, None)

    def done(self, request: RequestId) -> None:
        """Answer: carried out."""
        if self.is_open(request):
            self.answered_by_fact(request)
            self.report(RequestDone(session=self.session, request=request))

    def refuse(self, request: RequestId, refusal: Refusal) -> None:
        """Answer: refused, nothing changed."""
        if self.is_open(request):
            self.answered_by_fact(request)
            self.report(
                RequestRefused(
                    session=self.session,
                    request=request,
                    id=refusal.id,
                    detail=refusal.detail,
                    fatal=refusal.fatal,
                )
            )

    def unknown(self, request: RequestId, detail: str) -> None:
        """Answer: it may or may not have happened."""
        if self.is_open(request):
            self.answered_by_fact(request)
            self.report(RequestUnknown(session=self.session, request=request, detail=detail))

    def failed(self, request: RequestId, reply: Replied) -> None:
        """Answer with what came of a command that was not done."""
        if reply.outcome in {Outcome.TIMED_OUT, Outcome.LOST}:
            self.unknown(request, refusal_of(reply).detail)
        else:
            self.refuse(request, refusal_of(reply))

    # --- ending

    def end(self, end: End, reason: str, detail: str = "", refusal: Refusal | None = None) -> None:
        """It is over now; only the first end counts."""
        if self.over is None:
            self.over = Ended(end=end, reason=reason, detail=detail, refusal=refusal, logged_on=self.logged_on)

    # --- what jobs and fields are called, by the dialler and by agents

    def known_as(self, job: str) -> JobName:
        """Return the agents' name of a job."""
        names = {theirs: ours for ours, theirs in self.settings.job_names.items()}
        return JobName(names.get(job, job))

    def dialler_name(self, job: JobName) -> str:
        """Return the dialler's name of a job."""
        return self.settings.job_names.get(job, job)

    def job_list(self, entries: dict[str, tuple[str, bool]]) -> tuple[Job, ...]:
        """Turn the dialler's job list (name to letter and "active") into the agents'."""
        return tuple(
            Job(name=self.known_as(name), kind=_KINDS.get(letter, letter), active=active)
            for name, (letter, active) in entries.items()
        )

    def record_field(self, letter: str, name: str, value: str) -> RecordField:
        """Make one field of a record, with type and length as the job's field list gave them."""
        shape = self.shapes.get((letter, name))
        return RecordField(
            name=name,
            value=value.strip(),
            kind=field_kind(shape.type) if shape else "text",
            length=shape.length if shape else 0,
            editable=name in self.settings.editable_fields,
        )

    # --- moves that several scripts make

    def close_item(self) -> None:
        """The record is closed; the agent is available, not ready."""
        if self.place in ITEM_PLACES:
            self.place = Place.AVAILABLE
        if self.item is not None:
            self.item = None
            self.report(ItemFinished(session=self.session))
            self.signals.append(Signal.ITEM_CLOSED)

    def leave_job(self) -> None:
        """Nothing is attached any more. Key and data fields went with the job."""
        self.close_item()
        self.place = Place.LOGGED_ON
        self.job, self.keys, self.date_format = "", (), ""
        self.shapes.clear()
        self.wants_items = self.work_ends = False


def field_kind(letter: str) -> str:
    """Return our word for the dialler's type of a field; lists write C for text, readings A."""
    return _FIELD_KINDS.get(letter.strip(), "text")
