"""What the values of an answer mean. Every reader takes values as ``Replied.values`` gives them.

A reader raises RemoteProtocolError when a value cannot be what it should be; the session itself is not harmed
by that, the command's owner decides. Values may contain commas, so each is split at its first ones only.

Source: Agent API guide, command reference; a job list recorded from a live system.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from unified_agent.errors import RemoteProtocolError
from unified_agent.wire.apc import codes


class JobType(StrEnum):
    """The first column of a job list; also what ``AGTListJobs`` takes, with A for all."""

    OUTBOUND = "O"
    INBOUND = "I"
    BLEND = "B"
    MANAGED = "M"


class JobEntry(msgspec.Struct, frozen=True):
    """One job of a dialler. ``type`` is a ``JobType`` letter; another would be passed on as it came."""

    type: str
    name: str
    active: bool


class CompletionCode(msgspec.Struct, frozen=True):
    """One way to finish a record. ``code`` is a number: leading zeros come and go."""

    code: int
    text: str
    script: str


class DataField(msgspec.Struct, frozen=True):
    """One field of a calling list. ``type``: C text, N number, $ money, D date, T time."""

    name: str
    length: int
    type: str


class FieldReading(msgspec.Struct, frozen=True):
    """One field of the open record. ``type`` has A where ``DataField`` has C."""

    name: str
    type: str
    length: int
    value: str


class FieldValue(msgspec.Struct, frozen=True):
    """A field of a record as an event carries it; the value may be empty and may begin with blanks."""

    name: str
    value: str


class AgentState(msgspec.Struct, frozen=True):
    """Where the dialler has the agent. ``code`` is one of ``codes.STATES``; ``job`` is empty without a job."""

    code: str
    job: str = ""


class CallbackFormat(msgspec.Struct, frozen=True):
    """How a callback's date is to be written (``CCYY/MM/DD`` style), and how many phones a record has."""

    date_format: str
    phones: int


class HeadsetVolume(msgspec.Struct, frozen=True):
    """Ear and mouth, each 1 to 8."""

    ear: int
    mouth: int


class SearchPosition(msgspec.Struct, frozen=True):
    """Which of how many records a preview search stands at."""

    total: int
    current: int


class ScreenElement(msgspec.Struct, frozen=True):
    """A field or a label of an agent's screen.

    Attributes:
        is_field: a field shows data; otherwise it is a label.
        column: 0 to 79, ``row`` 0 to 23, ``width`` in characters.
        text: a label's text, or the field's description ``name:cursor:locked:format:choices:required:dots``.
    """

    is_field: bool
    column: int
    row: int
    width: int
    text: str


def _number(text: str, what: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise RemoteProtocolError(f"{what} is not a number") from None


def _parts(value: str, count: int, what: str) -> list[str]:
    """Split at the first commas only; the last part keeps the others."""
    parts = value.split(",", count - 1)
    if len(parts) < count:
        raise RemoteProtocolError(f"{what} has {len(parts)} of {count} parts")
    return parts


def _only(values: Sequence[str], what: str) -> str:
    if not values:
        raise RemoteProtocolError(f"{what} is missing")
    return values[0]


def read_jobs(values: Sequence[str]) -> tuple[JobEntry, ...]:
    """Read the answer of AGTListJobs: ``type,name,status`` each; no job at all is fine."""
    entries = []
    for value in values:
        kind, name, status = _parts(value, 3, "a job")
        entries.append(JobEntry(type=kind, name=name, active=status.strip() == "A"))
    return tuple(entries)


def read_keys(values: Sequence[str]) -> tuple[CompletionCode, ...]:
    """Read the answer of AGTListKeys: ``code,text,script`` each. Placeholder rows have no code: left out."""
    found = []
    for value in values:
        code, text, script = [*value.split(",", 2), "", ""][:3]
        if code.strip():
            found.append(CompletionCode(code=_number(code, "a completion code"), text=text, script=script))
    return tuple(found)


def read_data_fields(values: Sequence[str]) -> tuple[DataField, ...]:
    """Read the answer of AGTListDataFields or AGTListCallFields: ``field,length,type,F`` each."""
    fields = []
    for value in values:
        name, length, kind = _parts(value, 3, "a field")
        fields.append(DataField(name=name, length=_number(length, "a field's length"), type=kind.split(",")[0]))
    return tuple(fields)


def read_field(values: Sequence[str]) -> FieldReading:
    """Read the answer of AGTReadField: ``field,type,length,value``."""
    name, kind, length, value = _parts(_only(values, "the field"), 4, "the field")
    return FieldReading(name=name, type=kind, length=_number(length, "the field's length"), value=value)


def read_field_value(value: str) -> FieldValue:
    """Read ``NAME,value`` of an event; without a comma the value is empty."""
    name, _, content = value.partition(",")
    return FieldValue(name=name, value=content)


def read_state(values: Sequence[str]) -> AgentState:
    """Read the answer of AGTListState: ``S7000x`` with the job after a comma.

    Raises:
        RemoteProtocolError: it is none of the five states.
    """
    code, _, job = _only(values, "the state").partition(",")
    if code not in codes.STATES:
        raise RemoteProtocolError(f"{code[:6]!r} is no state of an agent")
    return AgentState(code=code, job=job or (values[1] if len(values) > 1 else ""))


def read_callback_format(values: Sequence[str]) -> CallbackFormat:
    """Read the answer of AGTListCallbackFmt: the date's format and the number of phones.

    Assumed: as two segments, or as one with a comma; the guide shows only what is said.
    """
    date_format, phones = _parts(",".join(values), 2, "the callback format")
    return CallbackFormat(date_format=date_format, phones=_number(phones, "the number of phones"))


def read_headset_volume(values: Sequence[str]) -> HeadsetVolume:
    """Read the answer of AGTGetHeadsetVol: ear, mouth; as two segments or one with a comma."""
    ear, mouth = _parts(",".join(values), 2, "the headset volume")
    return HeadsetVolume(ear=_number(ear, "the ear volume"), mouth=_number(mouth, "the mouth volume"))


def read_search_position(values: Sequence[str]) -> SearchPosition:
    """Read ``S12153,total,current`` of a preview search."""
    code, total, current = _parts(",".join(values), 3, "the search position")
    if code != codes.SEARCH_POSITION:
        raise RemoteProtocolError(f"{code[:6]!r} is not a search position")
    return SearchPosition(total=_number(total, "the total"), current=_number(current, "the position"))


def read_managed_result(values: Sequence[str]) -> str:
    """Read how a managed call went, without its brackets: ``CONNECT``, or another text: not reached."""
    return _only(values, "the result of the call").strip().removeprefix("(").removesuffix(")")


def read_dialler_mode(values: Sequence[str]) -> str:
    """Read ``SOFTDIALER`` (voice by CTI) or ``DIGITAL``, wherever it stands: the guide does not show the place."""
    for value in values:
        for mode in ("SOFTDIALER", "DIGITAL"):
            if mode in value.upper():
                return mode
    raise RemoteProtocolError("the dialler's mode is missing")


def read_names(values: Sequence[str]) -> tuple[str, ...]:
    """Read lists, screens, tenants or units: as segments, comma-joined, or both; empty ones are left out."""
    return tuple(name.strip() for value in values for name in value.split(",") if name.strip())


def read_screen(values: Sequence[str]) -> tuple[str, tuple[ScreenElement, ...]]:
    """Read the answer of AGTGetScreen: the name, then ``F,x,y,width,"text"`` or ``L,…`` elements.

    x is the column of 80 and y the row of 24; the guide swaps the two totals.
    """
    elements = []
    for value in values[1:]:
        kind, column, row, width, text = _parts(value, 5, "an element of the screen")
        if kind.strip() not in {"F", "L"}:
            raise RemoteProtocolError("an element of the screen is neither field nor label")
        elements.append(
            ScreenElement(
                is_field=kind.strip() == "F",
                column=_number(column, "a column"),
                row=_number(row, "a row"),
                width=_number(width, "a width"),
                text=text.strip().removeprefix('"').removesuffix('"'),
            )
        )
    return _only(values, "the screen"), tuple(elements)
