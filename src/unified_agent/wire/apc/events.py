"""What the agent's end of a connection reports to its owner.

The last event of every connection is ``SessionClosed`` or ``SessionLost``; before it each command that was
still on its way has got its ``Replied``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec

from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.readings import AgentState, FieldValue


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Root of all events."""


class Greeted(Event, frozen=True):
    """The dialler has a slot for us: commands may go out. ``process_id`` names its process for this agent."""

    process_id: str


class GreetingRefused(Event, frozen=True):
    """The dialler greeted with an error, usually E28858 (no slot left). ``SessionLost`` follows."""

    code: str
    detail: str


class Outcome(StrEnum):
    """How a command ended."""

    #: Done.
    ANSWERED = "answered"
    #: The dialler answered with an error, or with S28814: a transfer runs, try again after it.
    REFUSED = "refused"
    #: A system error ended it in place of an answer.
    KILLED = "killed"
    #: No answer in time, though the dialler answers other things.
    TIMED_OUT = "timed-out"
    #: The dialler said "busy" twice.
    BUSY = "busy"
    #: The session was lost before an answer came.
    LOST = "lost"


class Replied(Event, frozen=True):
    """A command of ours has ended, in whatever way.

    Attributes:
        token: what the command's sender gave.
        command: which it was.
        outcome: how it ended.
        code: the code of the final answer or of the system error; empty when none came.
        detail: what stood behind the code.
        data: one tuple for each data message, in order, without status and ``M00001``. Another code
            (``S70003,SPRING25``) is kept as the first value.
        final_values: what the final answer carried behind its code; normally nothing.
    """

    token: str
    command: Command
    outcome: Outcome
    code: str = ""
    detail: str = ""
    data: tuple[tuple[str, ...], ...] = ()
    final_values: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the command was done."""
        return self.outcome is Outcome.ANSWERED

    @property
    def values(self) -> tuple[str, ...]:
        """All values of all data messages, as the functions of ``readings`` take them."""
        return tuple(value for row in self.data for value in row)


class CommandPending(Event, frozen=True):
    """The dialler took a command and works on it: a headset rings, a record is dialled."""

    token: str
    command: Command


class UnaskedReply(Event, frozen=True):
    """An answer to nothing we asked, or to what we gave up.

    Expected: AGTNoFurtherWork, which the dialler runs for the agent when a job ends or moves, and
    AGTManagedCall when the preview time has run out.
    """

    keyword: str
    ok: bool
    code: str
    detail: str
    data: tuple[tuple[str, ...], ...] = ()


class StateProbed(Event, frozen=True):
    """The answer to a question of the connection itself, asked to see whether the dialler still lives."""

    state: AgentState


class PendingRecall(Event, frozen=True):
    """An own recall of this agent is near: the notice that stands behind a bar in a call's message."""

    name: str
    job: str
    unit: str
    time: str


class CallArrived(Event, frozen=True):
    """A call is put through to the agent, with what is known of its record.

    Attributes:
        op_mesg: a field of the record that the site chose (usually the name), or a special text.
        wait_msg: what stood behind an asterisk: how long an inbound caller waited. May be empty.
        call_type: ``OUTBOUND``, ``INBOUND`` or ``MANAGED``. In a blend job this, not the job, says which list
            the record is from.
        key: the key field, if one was set for that direction. Its value may begin with blanks.
        fields: the fields asked for, in the order they were asked for.
        recall: an own recall that is near, if the message says so.
    """

    op_mesg: str
    wait_msg: str
    call_type: str
    key: FieldValue | None = None
    fields: tuple[FieldValue, ...] = ()
    recall: PendingRecall | None = None

    @property
    def list_letter(self) -> str:
        """I or O, as the field commands take it."""
        return "I" if self.call_type == "INBOUND" else "O"

    @property
    def is_transfer(self) -> bool:
        """Whether another agent passed on voice and record."""
        return self.op_mesg == "TRANSFER CALL"

    @property
    def current_phone(self) -> int | None:
        """Number of the phone field that was dialled, if CURPHONE was asked for: ``01`` is PHONE1."""
        for field in self.fields:
            value = field.value.strip()
            if field.name == "CURPHONE" and value.isdecimal() and len(value) <= 3:
                return int(value)
        return None


class PreviewArrived(CallArrived, frozen=True):
    """A managed job shows a record before dialling it. ``op_mesg`` comes without its `` (Preview)``."""


class LineAutoReleased(Event, frozen=True):
    """The customer hung up and the job dropped the line; the record is open and must be finished."""


class AutoReleasedToReady(Event, frozen=True):
    """A machine was reached: release the line, finish with this completion code, be ready again."""

    completion_code: int | None


class CustomerHungUpInTransfer(Event, frozen=True):
    """During a trunk transfer the customer hung up; the line is not released."""


class ThirdPartyHungUpInTransfer(Event, frozen=True):
    """During a trunk transfer the third party hung up; the line is not released."""


class ManualCallAnswered(Event, frozen=True):
    """A manual call of a managed job was answered."""


class JobModeTold(Event, frozen=True):
    """What kind of job was joined.

    Attributes:
        manual_mode: the agent dials by hand.
        click_to_dial: and may do so with a button.
        previews_empty_records: the job shows records without a number, too.
    """

    manual_mode: bool = False
    click_to_dial: bool = False
    previews_empty_records: bool = False


class JobEnded(Event, frozen=True):
    """The job stopped: finish an open record, detach, choose another. The dialler runs NoFurtherWork."""


class UnitEnded(Event, frozen=True):
    """The agent's units have no records left: as ``JobEnded``."""


class JobLinked(Event, frozen=True):
    """The job ended and names the one to go on in. The dialler runs NoFurtherWork."""

    job: str


class JobTransferRequested(Event, frozen=True):
    """A supervisor moves the agent: wait for the answer of NoFurtherWork, detach, attach ``job``."""

    job: str


class OwnRecallAnnounced(Event, frozen=True):
    """The agent will be moved for an own recall."""

    customer: str
    target_job: str
    unit: str
    original_job: str


class MessageReceived(Event, frozen=True):
    """A supervisor's message, up to 79 characters."""

    text: str


class HeadsetBroken(Event, frozen=True):
    """The voice path is lost: calls end with code 50, ready and available are refused until it is back."""


class HeadsetRestored(Event, frozen=True):
    """The voice path is back."""


class StandBy(Event, frozen=True):
    """Agent blending: the agent is about to be acquired for outbound (True) or given back (False)."""

    outbound: bool


class BlendAcquired(Event, frozen=True):
    """Agent blending: acquired for outbound calls; AGTAvailWork is legal now."""


class BlendReleased(Event, frozen=True):
    """Agent blending: given back to the ACD."""


class BlendFailed(Event, frozen=True):
    """Agent blending: acquiring or releasing failed."""


class NoticeFailed(Event, frozen=True):
    """An announcement carried an error in place of its data (a call at the wrong moment). Ask for the state."""

    keyword: str
    code: str
    detail: str


class UnknownNotice(Event, frozen=True):
    """An announcement this version does not know."""

    keyword: str
    segments: tuple[str, ...]


class SystemErrorReported(Event, frozen=True):
    """The dialler reported an error outside any answer.

    Attributes:
        fatal: the agent's process ends; ``SessionLost`` follows.
        killed: the command that ended by it, if one did: its ``Replied`` came before.
    """

    code: str
    detail: str
    fatal: bool
    killed: Command | None = None


class LossReason(StrEnum):
    """Why a session was lost."""

    NO_GREETING = "no-greeting"
    GREETING_REFUSED = "greeting-refused"
    CLOSED_BY_PEER = "closed-by-peer"
    SILENT = "silent"
    SYSTEM_ERROR = "system-error"
    PROTOCOL = "protocol"


class SessionLost(Event, frozen=True):
    """The session is over, and nobody asked for it. Close the transport.

    ``code`` is the dialler's error code for GREETING_REFUSED and SYSTEM_ERROR; ``detail`` is a sentence.
    """

    reason: LossReason
    code: str = ""
    detail: str = ""


class SessionClosed(Event, frozen=True):
    """The agent logged off and the dialler closed the connection."""


#: Whatever an announcement can become.
NoticeEvent: TypeAlias = (
    CallArrived
    | PreviewArrived
    | LineAutoReleased
    | AutoReleasedToReady
    | CustomerHungUpInTransfer
    | ThirdPartyHungUpInTransfer
    | ManualCallAnswered
    | JobModeTold
    | JobEnded
    | UnitEnded
    | JobLinked
    | JobTransferRequested
    | OwnRecallAnnounced
    | MessageReceived
    | HeadsetBroken
    | HeadsetRestored
    | StandBy
    | BlendAcquired
    | BlendReleased
    | BlendFailed
    | NoticeFailed
    | UnknownNotice
)
