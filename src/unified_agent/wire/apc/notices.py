"""Messages of one announcement gathered into one event.

A call comes in up to three messages: basic part, field part (only if fields were asked for), terminator. They
are told apart by position, never by content: the first message with data since the last terminator is the
basic part. Other announcements come in one message or in two, and a few are documented as one and recorded as
two; both are read.

Source: Agent API guide, notification events; logs quoted in it; two public clients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from unified_agent.errors import RemoteProtocolError
from unified_agent.wire.apc import codes, events
from unified_agent.wire.apc.messages import Message, NoticeName, read_answer
from unified_agent.wire.apc.readings import read_field_value

#: A real call has two parts; more than this is a peer that never ends its announcement.
PARTS_LIMIT: Final = 64

_PREVIEW_MARK: Final = " (Preview)"
_WAIT_MESSAGE_LIMIT: Final = 30

_SINGLE: Final[Mapping[str, Callable[[], events.NoticeEvent]]] = {
    NoticeName.AUTO_RELEASE_LINE: events.LineAutoReleased,
    NoticeName.XFER_CUST_HANGUP: events.CustomerHungUpInTransfer,
    NoticeName.XFER_TRUNK_HANGUP: events.ThirdPartyHungUpInTransfer,
    NoticeName.MAN_CALL_ANSWERED: events.ManualCallAnswered,
    NoticeName.JOB_END: events.JobEnded,
    NoticeName.UNIT_END: events.UnitEnded,
    NoticeName.IICB_ONLINE: events.BlendAcquired,
    NoticeName.IICB_OFFLINE: events.BlendReleased,
    NoticeName.IICB_ABORT: events.BlendFailed,
}

Parts = list[tuple[str, ...]]


class NoticeAssembler:
    """Keeps the parts of announcements that are not complete yet."""

    def __init__(self) -> None:
        self._parts: dict[str, Parts] = {}

    def add(self, message: Message) -> events.NoticeEvent | None:
        """Take one message of type N, other than the greeting and system errors.

        Returns:
            The event, when the announcement is complete.

        Raises:
            RemoteProtocolError: an announcement has more than PARTS_LIMIT parts.
        """
        keyword = message.keyword
        answer = read_answer(message)
        if keyword == NoticeName.HEADSET_CONN_BROKEN:
            return _headset_event(answer.code, answer.detail)
        if not answer.ok:
            self._parts.pop(keyword, None)
            return events.NoticeFailed(keyword=keyword, code=answer.code, detail=answer.detail)
        if keyword == NoticeName.JOB_MODE:
            return _job_mode(answer.code, message.segments)
        if keyword == NoticeName.IICB_FE_NOTIF:
            return events.StandBy(outbound=answer.code == codes.STAND_BY_OUTBOUND)
        single = _SINGLE.get(keyword)
        if single is not None:
            return single()
        build = _MULTIPLE.get(keyword)
        if build is None:
            return events.UnknownNotice(keyword=keyword, segments=message.segments)
        if answer.code == codes.DATA_FOLLOWS:
            parts = self._parts.setdefault(keyword, [])
            parts.append(answer.values)
            if len(parts) > PARTS_LIMIT:
                raise RemoteProtocolError(f"{keyword} has more than {PARTS_LIMIT} parts")
            return None
        parts = self._parts.pop(keyword, [])
        if answer.values:
            parts.append(answer.values)
        return build(parts)


def _first(parts: Parts, place: int = 0) -> str:
    return parts[0][place] if parts and len(parts[0]) > place else ""


def _headset_event(code: str, detail: str) -> events.NoticeEvent:
    if code == codes.HEADSET_BROKEN:
        return events.HeadsetBroken()
    if code == codes.HEADSET_BACK:
        return events.HeadsetRestored()
    return events.NoticeFailed(keyword=NoticeName.HEADSET_CONN_BROKEN, code=code, detail=detail)


def _job_mode(code: str, segments: tuple[str, ...]) -> events.JobModeTold:
    """Read S28996 with two flags, behind commas or as segments of their own; or S28997.

    Assumed: a flag is set when it is neither empty, 0 nor N. The guide shows no example.
    """
    if code == codes.JOB_PREVIEWS_EMPTY:
        return events.JobModeTold(previews_empty_records=True)
    flags = [flag.strip() not in {"", "0", "N", "n"} for flag in ",".join(segments[1:]).split(",")[1:3]]
    manual, click = [*flags, False, False][:2]
    return events.JobModeTold(manual_mode=manual, click_to_dial=click)


CallT = TypeVar("CallT", bound=events.CallArrived)


def _read_call(kind: type[CallT], parts: Parts) -> CallT:
    basic = parts[0] if parts else ()
    text, recall = _split_recall(basic[0] if basic else "")
    op_mesg, star, wait_msg = text.rpartition("*")
    if not star or len(wait_msg.strip()) > _WAIT_MESSAGE_LIMIT:
        op_mesg, wait_msg = text, ""
    op_mesg = op_mesg.rstrip()
    return kind(
        op_mesg=op_mesg.removesuffix(_PREVIEW_MARK) if kind is events.PreviewArrived else op_mesg,
        wait_msg=wait_msg.strip(),
        call_type=basic[1] if len(basic) > 1 else "",
        key=read_field_value(basic[2]) if len(basic) > 2 else None,
        fields=tuple(read_field_value(value) for part in parts[1:] for value in part),
        recall=recall,
    )


def _split_recall(text: str) -> tuple[str, events.PendingRecall | None]:
    """Take ``| AOR: <name> J: <job> U: <unit> T: HH.MM.SS`` off the end of a call's message."""
    before, _, behind = text.partition("|")
    name, found_job, rest = behind.partition(" J:")
    job, found_unit, rest = rest.partition(" U:")
    unit, found_time, time = rest.partition(" T:")
    name = name.strip()
    if not (name.startswith("AOR:") and found_job and found_unit and found_time):
        return text, None
    recall = events.PendingRecall(
        name=name.removeprefix("AOR:").strip(), job=job.strip(), unit=unit.strip(), time=time.strip()
    )
    return before.rstrip(), recall


def _autorel(parts: Parts) -> events.AutoReleasedToReady:
    code = _first(parts).strip()
    return events.AutoReleasedToReady(completion_code=int(code) if code.isdecimal() and len(code) <= 3 else None)


def _own_recall(parts: Parts) -> events.OwnRecallAnnounced:
    return events.OwnRecallAnnounced(
        customer=_first(parts, 0),
        target_job=_first(parts, 1),
        unit=_first(parts, 2),
        original_job=_first(parts, 3),
    )


_MULTIPLE: Final[Mapping[str, Callable[[Parts], events.NoticeEvent]]] = {
    NoticeName.CALL_NOTIFY: lambda parts: _read_call(events.CallArrived, parts),
    NoticeName.PREVIEW_RECORD: lambda parts: _read_call(events.PreviewArrived, parts),
    NoticeName.AUTOREL_TO_READY: _autorel,
    NoticeName.AOR_NOTIFY: _own_recall,
    NoticeName.JOB_TRANS_LINK: lambda parts: events.JobLinked(job=_first(parts)),
    NoticeName.JOB_TRANS_REQUEST: lambda parts: events.JobTransferRequested(job=_first(parts)),
    NoticeName.RECEIVE_MESSAGE: lambda parts: events.MessageReceived(text=_first(parts)),
}
