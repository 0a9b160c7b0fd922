"""What instances say to each other over their links, as JSON: a notice, questions, and the answer to each.

Neighbouring versions of the program talk to each other while a cluster is brought up to date. Therefore: unknown fields
are ignored, every new field has a default, a notice that is not understood is passed over, and a question that is not
understood is answered ``NotUnderstood``. A field is never given another meaning; that is a new message.

What may be secret (a ticket, a proof) does not show in a repr.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, TypeAlias, cast

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import fields as fields_of

from unified_agent.cluster.heartbeats import Heartbeat
from unified_agent.domain.ids import AgentId, InstanceId, SessionId, StationId
from unified_agent.domain.states import Wish
from unified_agent.errors import LocalProtocolError, RemoteProtocolError
from unified_agent.wire.peer.framing import PAYLOAD_LIMIT_BYTES

_HIDDEN: Final = frozenset({"ticket", "proof"})


class _Message(Struct, frozen=True, kw_only=True):
    """What all have in common: a repr that hides what may be secret."""

    def __repr__(self) -> str:
        shown = (
            f"{each.name}={'…' if each.name in _HIDDEN else repr(getattr(self, each.name))}"
            for each in fields_of(type(self))
        )
        return f"{type(self).__name__}({', '.join(shown)})"


# --- questions


class TenureQuestion(_Message, frozen=True, tag="tenure-question"):
    """I have no store. Have you one, and will you leave me my agents? Attributes: ``incarnation``: of the asker."""

    incarnation: int


class ReleaseQuestion(_Message, frozen=True, tag="release-question"):
    """Stop serving this agent and release its claim, so that I can have it.

    Attributes:
        agent: whose claim.
        station: the one it is claimed with.
        term: of the claim, as the asker read it.
        wish: why the asker wants it.
        proof: that the person is who they say, as the kind of wish needs it; empty for none.
        by_url: where the desktop is to go.
        session: that the desktop's ticket is of; empty from an older version.
    """

    agent: AgentId
    station: StationId
    term: int
    wish: Wish
    proof: str = ""
    by_url: str = ""
    session: SessionId = SessionId("")


class AdoptQuestion(_Message, frozen=True, tag="adopt-question"):
    """Take over the session of this ticket. Attributes: ``ticket``: sealed."""

    ticket: str


class OrderQuestion(_Message, frozen=True, tag="order-question"):
    """Do what an operator ordered at another instance.

    Attributes:
        order: drain yourself, resume service, move one agent; make your datacentre active while the other lives
            (switch) or when it is dead (take).
        agent: to be moved.
        to: where to; empty for wherever is best.
        rate_per_s: agents moved per second while draining; None for as set.
    """

    order: Literal["drain", "resume", "move", "switch", "take"]
    agent: AgentId = AgentId("")
    to: InstanceId = InstanceId("")
    rate_per_s: Annotated[float, Meta(gt=0, le=1_000_000)] | None = None


class StatusQuestion(_Message, frozen=True, tag="status-question"):
    """Tell the whole truth about yourself."""


# --- answers


class TenureAnswer(_Message, frozen=True, tag="tenure-answer"):
    """To ``TenureQuestion``. Attributes: ``promised``: see ``cluster.tenure``; ``reason``: a sentence."""

    promised: bool
    reason: str


class ReleaseOutcome(StrEnum):
    """What became of a claim that was asked for.

    RELEASED: it is released in the store. REFUSED: it stays, for good. NOT_HERE: this instance does not own it. LATER:
    it will be released, or may be; ask again.
    """

    RELEASED = "released"
    REFUSED = "refused"
    NOT_HERE = "not-here"
    LATER = "later"


class ReleaseAnswer(_Message, frozen=True, tag="release-answer"):
    """To ``ReleaseQuestion``. Attributes: ``id``: of the error, if any; ``detail``: a sentence."""

    outcome: ReleaseOutcome
    id: str = ""
    detail: str = ""


class AdoptAnswer(_Message, frozen=True, tag="adopt-answer"):
    """To ``AdoptQuestion``. Attributes: ``id``: of the error when it was not done; ``detail``: a sentence."""

    done: bool
    id: str = ""
    detail: str = ""


class OrderAnswer(_Message, frozen=True, tag="order-answer"):
    """To ``OrderQuestion``. Attributes: ``id``: of the error when it was not done; ``detail``: a sentence."""

    done: bool
    id: str = ""
    detail: str = ""


class StatusAnswer(_Message, frozen=True, tag="status-answer"):
    """To ``StatusQuestion``. Attributes: ``status``: what ``GET /v1/status`` answers."""

    status: dict[str, Any]


class NotUnderstood(_Message, frozen=True, tag="not-understood"):
    """To any question whose type or content this version does not know. Attributes: ``detail``: a sentence."""

    detail: str = ""


class Unanswered(StrEnum):
    """Why a question was not answered.

    BUSY: too many are being answered for the asker. FAILED: a defect. LATE: it took too long. TOO_LONG: the answer is
    longer than a frame may be.
    """

    BUSY = "busy"
    FAILED = "failed"
    LATE = "late"
    TOO_LONG = "too-long"


class NotAnswered(_Message, frozen=True, tag="not-answered"):
    """To any question that was understood and got no answer.

    Attributes:
        reason: an ``Unanswered``, or a word of a later version.
        detail: a sentence.
    """

    reason: str
    detail: str = ""


Notice: TypeAlias = Heartbeat
Question: TypeAlias = TenureQuestion | ReleaseQuestion | AdoptQuestion | OrderQuestion | StatusQuestion
Answer: TypeAlias = (
    TenureAnswer | ReleaseAnswer | AdoptAnswer | OrderAnswer | StatusAnswer | NotUnderstood | NotAnswered
)

#: Which answer belongs to which question; the last two answers belong to all.
ANSWERS: Final[Mapping[type[Question], type[Answer]]] = MappingProxyType(
    {
        TenureQuestion: TenureAnswer,
        ReleaseQuestion: ReleaseAnswer,
        AdoptQuestion: AdoptAnswer,
        OrderQuestion: OrderAnswer,
        StatusQuestion: StatusAnswer,
    }
)

_ENCODER: Final = msgspec.json.Encoder()
_NOTICES: Final = msgspec.json.Decoder(Notice)
_QUESTIONS: Final = msgspec.json.Decoder(Question)
_ANSWERS: Final = msgspec.json.Decoder(Answer)


def write(message: Notice | Question | Answer) -> bytes:
    """Turn a message into the payload of a frame.

    Raises:
        LocalProtocolError: it is longer than PAYLOAD_LIMIT_BYTES.
    """
    payload = _ENCODER.encode(message)
    if len(payload) > PAYLOAD_LIMIT_BYTES:
        raise LocalProtocolError(f"{type(message).__name__} of {len(payload)} bytes is longer than a frame may be")
    return payload


def read_notice(payload: bytes) -> Notice:
    """Read a notice.

    Raises:
        RemoteProtocolError: it is none that this version knows. That is no reason to close the link.
    """
    return cast("Notice", _read(_NOTICES, payload))


def read_question(payload: bytes) -> Question:
    """Read a question. Raises as ``read_notice``; it is then to be answered with ``NotUnderstood``."""
    return cast("Question", _read(_QUESTIONS, payload))


def read_answer(payload: bytes) -> Answer:
    """Read an answer. Raises as ``read_notice``."""
    return cast("Answer", _read(_ANSWERS, payload))


def _read(decoder: msgspec.json.Decoder[Any], payload: bytes) -> object:
    try:
        return decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RemoteProtocolError(f"not understood: {error}") from error
