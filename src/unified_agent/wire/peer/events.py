"""What one end of a connection reports to its owner."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from unified_agent.wire.peer.handshake import Refusal


class LossReason(StrEnum):
    """Why a connection is over.

    CLOSED: the other side, or the network, closed it. SILENT: nothing came for too long. LATE: the two had not proved
    themselves in time.
    """

    CLOSED = "closed"
    SILENT = "silent"
    LATE = "late"


class Ready(Struct, frozen=True):
    """Both have proved themselves. Attributes: ``peer``: the other's name; ``version``: spoken from here on."""

    peer: str
    version: int


class NoticeReceived(Struct, frozen=True):
    """The other side tells something."""

    payload: bytes


class QuestionReceived(Struct, frozen=True):
    """The other side asks; give the number back with the answer."""

    number: int
    payload: bytes


class AnswerReceived(Struct, frozen=True):
    """The other side answers the question of this number."""

    number: int
    payload: bytes


class Refused(Struct, frozen=True, kw_only=True):
    """The two will not talk to each other. The last event.

    Attributes:
        refusal: why.
        by_us: whether we refuse the other, or the other us.
        peer: the other's name as it says, "" when it has not said any; proved by nothing.
    """

    refusal: Refusal
    by_us: bool
    peer: str = ""


class Lost(Struct, frozen=True):
    """The connection is over. The last event. Attributes: ``detail``: a sentence for people."""

    reason: LossReason
    detail: str


Event = Ready | NoticeReceived | QuestionReceived | AnswerReceived | Refused | Lost
