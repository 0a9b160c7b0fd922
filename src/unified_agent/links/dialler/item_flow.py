"""Work items: being ready, the customer's line, the record, and closing it.

Facts come before the answer of the ask that brought them about, so that who hears "done" finds the truth moved.
Source: Agent API guide, work commands.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from unified_agent.domain.commands import (
    DialItem,
    DiallerCommand,
    DialLineDigit,
    FinishItem,
    HoldLine,
    ReconnectHeadset,
    RefreshJobs,
    ReleaseLine,
    SendMessage,
    SetCallback,
    TakeItems,
    UnholdLine,
    UpdateField,
)
from unified_agent.domain.facts import (
    FieldsRead,
    HeadsetBroke,
    HeadsetConnected,
    ItemArrived,
    ItemDialled,
    LineGone,
    LineHeld,
    LineRetrieved,
    ReadyForItem,
)
from unified_agent.domain.ids import RequestId
from unified_agent.domain.job import RecordField
from unified_agent.domain.states import ItemKind
from unified_agent.errors import RemoteProtocolError
from unified_agent.links.dialler.job_flow import refresh_jobs
from unified_agent.links.dialler.logon_flow import unreadable
from unified_agent.links.dialler.refusals import NO_RECORD
from unified_agent.links.dialler.scripts import Script, ask, pause
from unified_agent.links.dialler.seat import ITEM_PLACES, Headset, Item, Place, Seat, field_kind
from unified_agent.wire.apc import events
from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.events import Replied
from unified_agent.wire.apc.readings import read_callback_format, read_field

#: Between two tries to be ready while the dialler has lost its own link to the switch.
CTI_RETRY_S: Final = 5.0

_KINDS: Final = {"OUTBOUND": ItemKind.OUTBOUND, "INBOUND": ItemKind.INBOUND, "MANAGED": ItemKind.MANAGED}
_DATE_PARTS: Final = re.compile("CCYY|YYYY|YY|MM|DD")


# --- what the dialler tells


def item_arrived(seat: Seat, event: events.CallArrived) -> None:
    """A call is put through, or a record shown. A record that we believed open is closed, then."""
    seat.close_item()
    preview = isinstance(event, events.PreviewArrived)
    letter = event.list_letter
    fields = [seat.record_field(letter, each.name, each.value) for each in event.fields]
    if event.key is not None:
        key = event.key.name
        fields = [
            seat.record_field(letter, key, event.key.value),
            *(each for each in fields if each.name != key),
        ]
    seat.item = Item(letter=letter)
    seat.place = Place.PREVIEWING if preview else Place.ON_CALL
    seat.wants_items = False
    seat.report(
        ItemArrived(
            session=seat.session,
            kind=ItemKind.MANAGED if preview else _KINDS.get(event.call_type, ItemKind.OUTBOUND),
            title=event.op_mesg.strip(),
            preview=preview,
            waited=event.wait_msg,
            key=event.key.name if event.key is not None else "",
            fields=tuple(fields),
        )
    )


def line_gone(seat: Seat, by: str, suggested_code: str = "") -> None:
    """Nobody is on the line; the record is open."""
    if seat.place in ITEM_PLACES:
        seat.place = Place.LINE_GONE
        seat.report(LineGone(session=seat.session, by=by, suggested_code=suggested_code))


def dialled(seat: Seat, data: tuple[tuple[str, ...], ...]) -> None:
    """A managed call was placed, by the agent or because the preview time ran out.

    Assumed: any text but ``(CONNECT)`` means that the customer was not reached; one public client takes it so.
    """
    result = " ".join(value.strip("() ") for row in data for value in row) or "CONNECT"
    connected = result.upper() == "CONNECT"
    if seat.place is Place.PREVIEWING:
        seat.place = Place.ON_CALL if connected else Place.LINE_GONE
        seat.report(ItemDialled(session=seat.session, connected=connected, result=result))


def release_machine(seat: Seat, code: int | None) -> Script[None]:
    """The dialler reached a machine: it wants the line released and the record finished with this code."""
    yield from ask(Command.RELEASE_LINE)
    line_gone(seat, "dialler", "" if code is None else str(code))


def read_unknown_item(seat: Seat) -> Script[None]:
    """A record is open that we know nothing of: read the configured fields and show it, so that it can be closed."""
    letter = "I" if seat.jobs.get(seat.job) == "I" else "O"
    seat.item = Item(letter=letter)
    seat.place = Place.ON_CALL
    seat.wants_items = False
    key = seat.settings.key_field
    names = [each for each in dict.fromkeys((key, *seat.settings.fields)) if (letter, each) in seat.shapes]
    fields: list[RecordField] = []
    for name in names:
        found = yield from _read(seat, letter, name)
        if found is not None:
            fields.append(found)
    if seat.item is None:
        return  # closed meanwhile
    seat.report(
        ItemArrived(
            session=seat.session,
            kind={"I": ItemKind.INBOUND, "M": ItemKind.MANAGED}.get(seat.jobs.get(seat.job, ""), ItemKind.OUTBOUND),
            title="",
            preview=False,
            key=key if key in names else "",
            fields=tuple(fields),
        )
    )


# --- what the session asks


def take_items(seat: Seat, request: RequestId) -> Script[None]:
    """Be ready for the next item.

    While the dialler has lost its own link to the switch the ask is refused, so that the agent is told, and tried
    again every CTI_RETRY_S until it succeeds or something else is wanted: then ReadyForItem comes by itself.
    """
    seat.wants_items = True
    while True:
        reply = yield from ask(Command.READY_NEXT_ITEM)
        if reply.ok or reply.code == "E28903":  # ready already
            become_ready(seat)
            seat.done(request)
            return
        seat.failed(request, reply)
        if reply.code == "E28896" and seat.headset is Headset.CONNECTED:
            seat.headset = Headset.BROKEN
            seat.report(HeadsetBroke(session=seat.session))
        if reply.code != "E28965":
            seat.wants_items = False
            return
        yield from pause(CTI_RETRY_S)
        if not seat.wants_items or seat.place is not Place.AVAILABLE or seat.leaving is not None:
            return


def become_ready(seat: Seat) -> None:
    """The dialler counts the agent as ready; an item may have come before it said so."""
    if seat.place in {Place.AVAILABLE, Place.READY}:
        seat.place = Place.READY
        seat.report(ReadyForItem(session=seat.session))


def dial_item(seat: Seat, request: RequestId) -> Script[None]:
    """Release a previewed record to be dialled."""
    reply = yield from ask(Command.MANAGED_CALL)
    if not reply.ok:
        seat.failed(request, reply)
        return
    dialled(seat, reply.data)
    seat.done(request)


def release_line(seat: Seat, request: RequestId) -> Script[None]:
    """Hang up the customer and keep the record."""
    reply = yield from ask(Command.RELEASE_LINE)
    if reply.ok:
        line_gone(seat, "agent")
        seat.done(request)
        return
    if reply.code == "E28866" and seat.place is Place.ON_CALL:
        line_gone(seat, "dialler")
    seat.failed(request, reply)


def hold_line(seat: Seat, request: RequestId) -> Script[None]:
    """Put the customer on hold."""
    reply = yield from ask(Command.HOLD_CALL)
    if not reply.ok:
        seat.failed(request, reply)
        return
    seat.report(LineHeld(session=seat.session))
    seat.done(request)


def unhold_line(seat: Seat, request: RequestId) -> Script[None]:
    """Take the customer back from hold."""
    reply = yield from ask(Command.UNHOLD_CALL)
    if not reply.ok:
        seat.failed(request, reply)
        return
    seat.report(LineRetrieved(session=seat.session))
    seat.done(request)


def finish_item(seat: Seat, request: RequestId, code: str) -> Script[None]:
    """Close the record; a line still up is hung up by the dialler."""
    if seat.item is not None:
        seat.item.code = code
    reply = yield from ask(Command.FINISHED_ITEM, code)
    if not reply.ok:
        seat.failed(request, reply)
        return
    seat.close_item()
    seat.done(request)


def update_field(seat: Seat, request: RequestId, name: str, value: str) -> Script[None]:
    """Write a field, then read it back: what the dialler holds is the truth."""
    if seat.item is None:
        seat.refuse(request, NO_RECORD)
        return
    letter = seat.item.letter
    reply = yield from ask(Command.UPDATE_FIELD, letter, name, value)
    if not reply.ok:
        seat.failed(request, reply)
        return
    found = yield from _read(seat, letter, name)
    if found is not None and seat.item is not None:
        seat.report(FieldsRead(session=seat.session, fields=(found,)))
    seat.done(request)


def _read(seat: Seat, letter: str, name: str) -> Script[RecordField | None]:
    reply = yield from ask(Command.READ_FIELD, letter, name)
    if not reply.ok:
        return None
    try:
        reading = read_field(reply.values)
    except RemoteProtocolError as error:
        seat.note("dialler_answer_unreadable", detail=str(error))
        return None
    return RecordField(
        name=reading.name,
        value=reading.value.strip(),
        kind=field_kind(reading.type),
        length=reading.length,
        editable=reading.name in seat.settings.editable_fields,
    )


def set_callback(seat: Seat, request: RequestId, wanted: SetCallback) -> Script[None]:
    """Have the customer called back; the date is written as the job's list wants it.

    Assumed: a time of four digits without a letter is read as 24 hours; the guide lists ``HHMM`` beside forms with A,
    P and +. A dialler's answer to ``1730`` would prove it.
    """
    if not seat.date_format:
        reply = yield from ask(Command.LIST_CALLBACK_FMT)
        if not reply.ok:
            seat.failed(request, reply)
            return
        try:
            seat.date_format = read_callback_format(reply.values).date_format
        except RemoteProtocolError as error:
            seat.failed(request, unreadable(reply, error))
            return
    segments = [write_date(wanted.date, seat.date_format), wanted.time.replace(":", ""), str(wanted.phone)]
    segments += [wanted.name, wanted.number] if wanted.number else [wanted.name] if wanted.name else []
    yield from _plain(seat, request, Command.SET_CALLBACK, *segments)


def write_date(date: str, style: str) -> str:
    """Write ``YYYY-MM-DD`` in the dialler's style (``CCYY/MM/DD``, ``MM/DD/YY`` …)."""
    year, month, day = date.split("-")
    parts = {"CCYY": year, "YYYY": year, "YY": year[-2:], "MM": month, "DD": day}
    return _DATE_PARTS.sub(lambda found: parts[found.group()], style.upper())


def reconnect_headset(seat: Seat, request: RequestId) -> Script[None]:
    """Have the dialler ring the headset again."""
    reply = yield from ask(Command.CONN_HEADSET)
    if not reply.ok and reply.code != "E28872":  # connected already
        seat.failed(request, reply)
        return
    headset_back(seat)
    seat.done(request)


def headset_back(seat: Seat) -> None:
    """The voice path is up again."""
    seat.headset = Headset.CONNECTED
    seat.report(HeadsetConnected(session=seat.session))


def _plain(seat: Seat, request: RequestId, command: Command, *segments: str) -> Script[None]:
    """Ask for something that changes nothing we keep."""
    reply: Replied = yield from ask(command, *segments)
    if reply.ok:
        seat.done(request)
    else:
        seat.failed(request, reply)


def script_for(seat: Seat, request: RequestId, command: DiallerCommand) -> Script[None]:
    """Return the script that carries out a command on items, headset, messages or the list of jobs."""
    match command:
        case FinishItem():
            return finish_item(seat, request, command.code)
        case UpdateField():
            return update_field(seat, request, command.field, command.value)
        case SetCallback():
            return set_callback(seat, request, command)
        case DialLineDigit():
            return _plain(seat, request, Command.DIAL_DIGIT, command.digit)
        case SendMessage():
            return _plain(seat, request, Command.SEND_MESSAGE, command.text)
        case _:
            return _SIMPLE[type(command)](seat, request)


_SIMPLE: Final[dict[type[DiallerCommand], Callable[[Seat, RequestId], Script[None]]]] = {
    TakeItems: take_items,
    DialItem: dial_item,
    ReleaseLine: release_line,
    HoldLine: hold_line,
    UnholdLine: unhold_line,
    ReconnectHeadset: reconnect_headset,
    RefreshJobs: refresh_jobs,
}
