"""One connection to the dialler, with its agent, headset, job and call."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from unified_agent.tools.simulators.apc.records import Record
from unified_agent.wire.apc import codes
from unified_agent.wire.apc.messages import Message


class Stage(StrEnum):
    """Where an agent is; the letters are those of our protocol reference."""

    CONNECTED = "A"
    LOGGED_ON = "B"
    ATTACHED = "C"
    AVAILABLE = "D"
    READY = "E"
    PREVIEWING = "P"
    ON_CALL = "F"
    WRAPPING = "W"


#: What AGTListState reports. S70000 while previewing and wrapping: seen in an emulator, and inferred.
STATE_CODES = {
    Stage.LOGGED_ON: codes.LOGGED_ON,
    Stage.ATTACHED: codes.ATTACHED,
    Stage.AVAILABLE: codes.JOINED,
    Stage.READY: codes.READY,
    Stage.PREVIEWING: codes.ON_CALL,
    Stage.ON_CALL: codes.ON_CALL,
    Stage.WRAPPING: codes.ON_CALL,
}

JOINED_STAGES = frozenset({Stage.AVAILABLE, Stage.READY, Stage.PREVIEWING, Stage.ON_CALL, Stage.WRAPPING})
RECORD_STAGES = frozenset({Stage.PREVIEWING, Stage.ON_CALL, Stage.WRAPPING})


class Headset(StrEnum):
    """The second machine of an agent, independent of the stage."""

    NONE = "none"
    RESERVING = "reserving"
    RESERVED = "reserved"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    DISCONNECTING = "disconnecting"
    BROKEN = "broken"


class Line(StrEnum):
    """The agent's line to the customer."""

    #: No call was placed yet: a record is previewed.
    NONE = "none"
    DIALLING = "dialling"
    TALKING = "talking"
    HELD = "held"
    #: The line is off-hook, and nobody is at the other end.
    OPEN = "open"
    RELEASING = "releasing"
    GONE = "gone"


class Transfer(StrEnum):
    """A third party on the agent's line."""

    NONE = "none"
    CONSULTING = "consulting"
    CONFERENCE = "conference"


@dataclass(slots=True)
class Call:
    """One call, or one record that is previewed.

    Attributes:
        number: unique in this dialler's life.
        job: name of the job it belongs to.
        record: whose it is.
        call_type: OUTBOUND, INBOUND or MANAGED.
        line: see ``Line``.
        transfer: see ``Transfer``.
        transfer_job: target of a supervised transfer to a job; empty for one to a number.
        op_mesg: text that introduces it, if not from the record.
        since_s: when it arrived at the dialler.
        is_over: it has ended; timers that still know it do nothing.
    """

    number: int
    job: str
    record: Record
    call_type: str
    line: Line
    since_s: float
    transfer: Transfer = Transfer.NONE
    transfer_job: str = ""
    op_mesg: str = ""
    is_over: bool = False

    @property
    def letter(self) -> str:
        """List letter of its direction."""
        return "I" if self.call_type == "INBOUND" else "O"


@dataclass(slots=True)
class Seat:
    """One connection.

    Attributes:
        connection: the shell's number of it.
        process: written into every message.
        name: of the agent; empty before logon.
        stage: see ``Stage``; ``since_s`` is when it was entered.
        steps: commands that work on their answer, by keyword.
        leaving: the agent leaves the job when the record is finished.
        leave_command: the agent's own AGTNoFurtherWork, None when the dialler leaves for them.
        move_to: job a supervisor moves the agent to; announced after the next AGTReadyNextItem.
        headset: see ``Headset``; ``headset_id`` is what was reserved.
        acd: logged in for blending; ``acquired``: lent to outbound.
        work_class: I O B P M.
        job: name of the attached job; empty without.
        key_fields, data_fields: asked for, by list letter.
        unit: chosen units.
        call: call or preview.
        last_invoke_id: of the last command.
        tenant: set by logon or AGTSetTenant.
        searching: value of a running preview search, with the records found and the place among them.
        ready_turn: counts how often the agent became ready; a timer of an earlier turn is void.
        finished: records finished.
        ear, mouth: headset volume.
        gone: the connection is closed; timers that still know the seat do nothing.
        drop_answers, busy_answers: so many commands get no final answer, or "busy".
        answer_delay_s: added to every answer.
    """

    connection: int
    process: int
    name: str = ""
    stage: Stage = Stage.CONNECTED
    since_s: float = 0.0
    steps: set[str] = field(default_factory=set)
    leaving: bool = False
    leave_command: Message | None = None
    move_to: str = ""
    headset: Headset = Headset.NONE
    headset_id: str = ""
    acd: bool = False
    acquired: bool = False
    work_class: str = "O"
    job: str = ""
    key_fields: dict[str, str] = field(default_factory=dict)
    data_fields: dict[str, list[str]] = field(default_factory=dict)
    unit: str = ""
    call: Call | None = None
    last_invoke_id: str = "0"
    tenant: str = ""
    searching: tuple[str, list[Record], int] | None = None
    ready_turn: int = 0
    finished: int = 0
    ear: int = 4
    mouth: int = 4
    gone: bool = False
    drop_answers: int = 0
    busy_answers: int = 0
    answer_delay_s: float = 0.0
