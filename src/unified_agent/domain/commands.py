"""What a desktop may ask. Imperative; each is one JSON object whose ``type`` is the name in kebab-case.

A command never changes the truth by itself: it becomes an effect, and the truth changes when the switch or the
dialler has reported. Every command travels with an id made by the desktop, so that a repeat is answered from memory.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from typing import Annotated, Final

from msgspec import Meta, Struct

from unified_agent.domain.ids import CallId, JobName
from unified_agent.domain.limits import FIELD_LIMIT_CHARS, NOTES_LIMIT_CHARS, NUMBER_LIMIT_CHARS

#: The end of a pattern. Python's ``$`` alone also stands before a last line feed, which no peer would understand; in
#: JSON Schema, which is read by the same patterns, the rest changes nothing.
END: Final = r"$(?!\n)"
Number = Annotated[str, Meta(min_length=1, max_length=NUMBER_LIMIT_CHARS, pattern=r"^[0-9*#+(). /-]+" + END)]
Digits = Annotated[str, Meta(min_length=1, max_length=NUMBER_LIMIT_CHARS, pattern=r"^[0-9*#]+" + END)]
ReasonCode = Annotated[int, Meta(ge=0, le=99)]
CompletionCode = Annotated[str, Meta(pattern=r"^[0-9]{1,3}" + END)]
FieldName = Annotated[str, Meta(min_length=1, max_length=19)]
FieldValue = Annotated[str, Meta(max_length=FIELD_LIMIT_CHARS)]
Notes = Annotated[str, Meta(max_length=NOTES_LIMIT_CHARS)]
MessageText = Annotated[str, Meta(min_length=1, max_length=79)]


@cache
def kebab(name: str) -> str:
    """Turn a class name into the word that stands for it in JSON: ``SetMode`` becomes ``set-mode``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


class Command(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag=kebab):
    """Root of everything a desktop may ask."""


class SwitchCommand(Command, frozen=True, kw_only=True):
    """Asked of the switch."""


class CallCommand(SwitchCommand, frozen=True, kw_only=True):
    """Asked of the switch about calls at the agent's station."""


class DiallerCommand(Command, frozen=True, kw_only=True):
    """Asked of the dialler."""


# --- work mode


class AskedMode(StrEnum):
    """The work modes an agent can ask the switch for."""

    READY = "ready"
    NOT_READY = "not-ready"
    WRAP_UP = "wrap-up"


class SetMode(SwitchCommand, frozen=True, kw_only=True):
    """Change the work mode; during a call not-ready becomes pending.

    Attributes:
        mode: what is wanted.
        reason: the administrator's reason code, only with not-ready.
    """

    mode: AskedMode
    reason: ReasonCode | None = None


class CancelPending(Command, frozen=True, kw_only=True):
    """Take back whatever is pending: a mode, a log-out, leaving the job."""


class LogOut(Command, frozen=True, kw_only=True):
    """Leave the job, the dialler and the switch, and end the session; during a call or item it becomes pending."""

    reason: ReasonCode | None = None


# --- calls at the switch


class MakeCall(CallCommand, frozen=True, kw_only=True):
    """Dial a number from the agent's station."""

    number: Number


class AnswerCall(CallCommand, frozen=True, kw_only=True):
    """Answer an alerting call."""

    call: CallId


class HoldCall(CallCommand, frozen=True, kw_only=True):
    """Put an active call on hold."""

    call: CallId


class RetrieveCall(CallCommand, frozen=True, kw_only=True):
    """Take a held call back."""

    call: CallId


class HangUpCall(CallCommand, frozen=True, kw_only=True):
    """Drop the agent's own leg of a call; an alerting call is refused."""

    call: CallId


class ConsultCall(CallCommand, frozen=True, kw_only=True):
    """Hold a call and dial somebody to ask."""

    call: CallId
    number: Number


class SwapCalls(CallCommand, frozen=True, kw_only=True):
    """Hold the active call and take the held one."""

    held: CallId
    active: CallId


class ReconnectCall(CallCommand, frozen=True, kw_only=True):
    """Drop the active (consult) call and take the held one back."""

    held: CallId
    active: CallId


class TransferCall(CallCommand, frozen=True, kw_only=True):
    """Join the held call's caller with the active call's party, and leave."""

    held: CallId
    active: CallId


class ConferenceCalls(CallCommand, frozen=True, kw_only=True):
    """Join held and active call into one, and stay."""

    held: CallId
    active: CallId


class BlindTransferCall(CallCommand, frozen=True, kw_only=True):
    """Send an active call to a number without asking (CSTA single-step transfer)."""

    call: CallId
    number: Number


class AddToCall(CallCommand, frozen=True, kw_only=True):
    """Bring a number into an active call at once (CSTA single-step conference)."""

    call: CallId
    number: Number


class DeflectCall(CallCommand, frozen=True, kw_only=True):
    """Send an alerting call elsewhere without answering it."""

    call: CallId
    number: Number


class SendDigits(CallCommand, frozen=True, kw_only=True):
    """Send touch tones into an active call."""

    call: CallId
    digits: Digits


# --- the dialler's job


class JoinJob(DiallerCommand, frozen=True, kw_only=True):
    """Attach to a job and become available for it, not yet ready."""

    job: JobName


class LeaveJob(DiallerCommand, frozen=True, kw_only=True):
    """Take no further work and detach; with an open item it becomes pending and can be taken back."""


class TakeItems(DiallerCommand, frozen=True, kw_only=True):
    """Be ready for the next work item, and after each finished one again."""


class PauseItems(DiallerCommand, frozen=True, kw_only=True):
    """Take no next item after the open one. The dialler has no way back from ready but leaving the job:
    an agent who waits for an item leaves it and joins it again, not ready.
    """


class RefreshJobs(DiallerCommand, frozen=True, kw_only=True):
    """Ask for the list of jobs again."""


class ReconnectHeadset(DiallerCommand, frozen=True, kw_only=True):
    """Have the dialler ring the agent's headset again after the voice path broke."""


# --- the work item


class DialItem(DiallerCommand, frozen=True, kw_only=True):
    """Release a previewed record to be dialled (managed call)."""


class ReleaseLine(DiallerCommand, frozen=True, kw_only=True):
    """Hang up the customer and keep the record open."""


class HoldLine(DiallerCommand, frozen=True, kw_only=True):
    """Put the customer's line on hold at the dialler."""


class UnholdLine(DiallerCommand, frozen=True, kw_only=True):
    """Take the customer's line back from hold."""


class DialLineDigit(DiallerCommand, frozen=True, kw_only=True):
    """Send one touch tone on the customer's line."""

    digit: Annotated[str, Meta(pattern=r"^[0-9*#]" + END)]


class FinishItem(DiallerCommand, frozen=True, kw_only=True):
    """Close the record with a completion code of the job; a line still up is hung up."""

    code: CompletionCode


class UpdateField(DiallerCommand, frozen=True, kw_only=True):
    """Write one field of the open record."""

    field: FieldName
    value: FieldValue


class SetCallback(DiallerCommand, frozen=True, kw_only=True):
    """Have the customer called back.

    Attributes:
        date: ``YYYY-MM-DD`` in the dialler's own calendar.
        time: ``HH:MM``, 24 hours, local time at the dialler.
        phone: which phone of the record, counted from 1.
        name: whom to ask for.
        number: another number instead of the record's.
    """

    date: Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}" + END)]
    time: Annotated[str, Meta(pattern=r"^[0-9]{2}:[0-9]{2}" + END)]
    phone: Annotated[int, Meta(ge=1, le=10)]
    name: Annotated[str, Meta(max_length=30)] = ""
    number: Annotated[str, Meta(max_length=NUMBER_LIMIT_CHARS)] = ""


class SaveDraft(Command, frozen=True, kw_only=True):
    """Keep what the agent typed for the open record, so that a refresh or a lost link loses nothing.

    Attributes:
        notes: free text.
        code: the completion code chosen but not yet sent.
    """

    notes: Notes = ""
    code: Annotated[str, Meta(max_length=3)] = ""


class DismissLeftItem(Command, frozen=True, kw_only=True):
    """Take the record that a lost dialler closed off the desktop, with what was typed for it."""


class SendMessage(DiallerCommand, frozen=True, kw_only=True):
    """Send a text to the supervisor at the dialler (79 characters at most)."""

    text: MessageText


AnyCommand = (
    SetMode
    | CancelPending
    | LogOut
    | MakeCall
    | AnswerCall
    | HoldCall
    | RetrieveCall
    | HangUpCall
    | ConsultCall
    | SwapCalls
    | ReconnectCall
    | TransferCall
    | ConferenceCalls
    | BlindTransferCall
    | AddToCall
    | DeflectCall
    | SendDigits
    | JoinJob
    | LeaveJob
    | TakeItems
    | PauseItems
    | RefreshJobs
    | ReconnectHeadset
    | DialItem
    | ReleaseLine
    | HoldLine
    | UnholdLine
    | DialLineDigit
    | FinishItem
    | UpdateField
    | SetCallback
    | SaveDraft
    | DismissLeftItem
    | SendMessage
)
