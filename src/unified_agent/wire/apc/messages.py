"""What one message of the Agent API is made of, and the names of the events a dialler announces."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

#: Every frame begins with a header of this many bytes; offsets and widths are in ``codec``.
HEADER_BYTES: Final = 55

#: Stands before every data segment.
RECORD_SEPARATOR: Final = 0x1E
#: Ends a frame whose message continues in the next frame.
END_OF_BLOCK: Final = 0x17
#: Ends the last or only frame of a message.
END_OF_TEXT: Final = 0x03

#: What the dialler writes in the header's third field.
SERVER_NAME: Final = "Agent server"

#: The first segment of everything the dialler sends: good, or an error.
STATUS_GOOD: Final = "0"
STATUS_ERROR: Final = "1"


class MessageType(StrEnum):
    """The byte at offset 20 of a frame."""

    #: From the agent: do something.
    COMMAND = "C"
    #: Accepted, still working. Whatever it carries it means just that.
    PENDING = "P"
    #: Values that precede the response of the same command.
    DATA = "D"
    #: The final answer.
    RESPONSE = "R"
    #: The command was not processed. Assumed: may be sent again after a pause; no example is known.
    BUSY = "B"
    #: An event, never answered.
    NOTICE = "N"


class NoticeName(StrEnum):
    """Keywords of the events a dialler may announce."""

    START = "AGTSTART"
    CALL_NOTIFY = "AGTCallNotify"
    PREVIEW_RECORD = "AGTPreviewRecord"
    AUTO_RELEASE_LINE = "AGTAutoReleaseLine"
    AUTOREL_TO_READY = "AGTAutorelToReady"
    XFER_CUST_HANGUP = "AGTXferCustHangup"
    XFER_TRUNK_HANGUP = "AGTXferTrunkHangup"
    MAN_CALL_ANSWERED = "AGTManCallAnswered"
    JOB_MODE = "AGTJobMode"
    JOB_END = "AGTJobEnd"
    UNIT_END = "AGTUnitEnd"
    JOB_TRANS_LINK = "AGTJobTransLink"
    JOB_TRANS_REQUEST = "AGTJobTransRequest"
    AOR_NOTIFY = "AGTAORNotify"
    RECEIVE_MESSAGE = "AGTReceiveMessage"
    HEADSET_CONN_BROKEN = "AGTHeadsetConnBroken"
    IICB_FE_NOTIF = "AGTIicbFeNotif"
    IICB_ONLINE = "AGTIicbOnline"
    IICB_OFFLINE = "AGTIicbOffline"
    IICB_ABORT = "AGTIicbAbort"
    SYSTEM_ERROR = "AGTSystemError"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One logical message: the frames it came in, if several, are joined.

    Attributes:
        keyword: name of the command or event, up to 20 characters, case sensitive.
        type: what kind of message it is.
        segments: the data, decoded. ``()`` is no data at all, ``("",)`` one empty segment: they differ.
        client: third header field, up to 20 characters, opaque; the dialler sends ``Agent server``.
        process_id: fourth header field, up to 6 characters, opaque.
        invoke_id: fifth header field, up to 4 characters, opaque: it is echoed, and letters have been seen.
    """

    keyword: str
    type: MessageType
    segments: tuple[str, ...] = ()
    client: str = ""
    process_id: str = ""
    invoke_id: str = ""

    def __repr__(self) -> str:
        """Name the message without its data: passwords and customers do not belong in a log.

        Status and code of what a dialler sent are shown; they are never secret.
        """
        shown = "" if self.type is MessageType.COMMAND else " ".join(s[:6] for s in self.segments[:2])
        return f"<{self.keyword} {self.type.value} id={self.invoke_id} {shown} segments={len(self.segments)}>"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Status, code and what follows, of a message from the dialler.

    Attributes:
        ok: neither the status nor the code says error.
        code: a letter and five digits (``M00000``, ``S70001``, ``E28926``), or less if less was sent.
        detail: what follows the code in its own segment after a comma, then further segments, joined by
            commas. Only meaningful in errors and states.
        values: the segments after the code, untouched.
    """

    ok: bool
    code: str
    detail: str
    values: tuple[str, ...]


def read_answer(message: Message) -> Answer:
    """Split a dialler's message into status, code, detail and values.

    Error is "status 1 or a code with E": two public emulators send an E code with status 0. A message without
    any segment is an error with an empty code.

    Source: Agent API guide, message format; emulators of two public clients (measured).
    """
    if len(message.segments) < 2:
        code = message.segments[0] if message.segments else ""
        return Answer(ok=False, code=code[:6], detail="", values=())
    status, second, *rest = message.segments
    code, after = second[:6], second[6:].removeprefix(",")
    detail = ",".join([after, *rest]) if after else ",".join(rest)
    return Answer(ok=status != STATUS_ERROR and not code.startswith("E"), code=code, detail=detail, values=tuple(rest))
