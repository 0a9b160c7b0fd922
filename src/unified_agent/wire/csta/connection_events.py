"""What the client's end of a connection reports."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from unified_agent.wire.csta.error_messages import CSTAErrorCode, CSTAException
from unified_agent.wire.csta.request_table import Token
from unified_agent.wire.csta.session_messages import (
    ResetApplicationSessionTimerNegResponse,
    StartApplicationSessionNegResponse,
    StopApplicationSessionNegResponse,
)
from unified_agent.wire.csta.shapes import Message
from unified_agent.wire.csta.values import SessionId


class LossReason(StrEnum):
    """Why the link is lost."""

    CLOSED_BY_PEER = "closed-by-peer"
    SILENT = "silent"
    START_UNANSWERED = "start-unanswered"
    KEEP_ALIVE_UNANSWERED = "keep-alive-unanswered"


class LocalFailure(StrEnum):
    """Classes of ``Failed`` that are no CSTA error classes."""

    #: The request was not sent: too many wait. The value is empty.
    QUEUE_FULL = "queue-full"
    #: AES answered CSTAException without a CSTA error; the value is the exception's class.
    EXCEPTION = "exception"
    #: A negative answer of the session protocol; the value is its error.
    SESSION = "session"


class SessionStarted(Struct, frozen=True):
    """The session is up.

    Attributes:
        session_id: keep it, to resume after a lost socket.
        resumed: it is the old one, with its monitors and device ids.
        duration_s: how long it lives without a keep-alive.
        protocol_version: what the server agreed to, where it said.
    """

    session_id: SessionId
    resumed: bool
    duration_s: int
    protocol_version: str | None = None


class SessionRefused(Struct, frozen=True):
    """The start was refused.

    Attributes:
        error: a ``SessionError``, or the server's own words.
        was_recovery: the old session is gone: ``start`` again without it, on this connection or a new one.
            Otherwise credentials, version or licence are at fault and a person must act.
    """

    error: str
    was_recovery: bool


class Answered(Struct, frozen=True):
    """A request was carried out."""

    token: Token
    message: Message


class Failed(Struct, frozen=True):
    """A request was refused.

    Attributes:
        token: of the request.
        error_class: an ``ErrorClass`` or a ``LocalFailure``.
        error_value: what exactly; empty where the class says all.
        message: the refusal itself; None when we did not send the request.
    """

    token: Token
    error_class: str
    error_value: str
    message: Message | None = None


class RequestTimedOut(Struct, frozen=True):
    """A request was not answered in time. Whether it was carried out is not known."""

    token: Token


class EventReceived(Struct, frozen=True):
    """The server sent something that we did not ask for just now: an event, a MonitorStop, an UnknownMessage."""

    message: Message


class SessionEnded(Struct, frozen=True):
    """The session is gone, though the socket may live. The last event: close, and begin anew.

    Attributes:
        reason: ``stopped`` after our own ``stop``; else a ``TerminationReason``, a ``SessionError`` or the server's
            own words.
    """

    reason: str


class LinkLost(Struct, frozen=True):
    """The socket is dead or as good as dead. The last event: close, and try to resume on a new one.

    Open requests get no outcome of their own.
    """

    reason: LossReason


ClientEvent = (
    SessionStarted | SessionRefused | Answered | Failed | RequestTimedOut | EventReceived | SessionEnded | LinkLost
)


def failure_of(token: Token, message: Message) -> Failed:
    """Say in one shape why a request was refused."""
    match message:
        case CSTAErrorCode(error_class=error_class, value=value):
            return Failed(token, error_class, value, message)
        case CSTAException(code=CSTAErrorCode(error_class=error_class, value=value)):
            return Failed(token, error_class, value, message)
        case CSTAException():
            return Failed(token, LocalFailure.EXCEPTION, message.exception_class or message.text or "", message)
        case (
            StartApplicationSessionNegResponse()
            | ResetApplicationSessionTimerNegResponse()
            | StopApplicationSessionNegResponse()
        ):
            return Failed(token, LocalFailure.SESSION, message.error or message.text or "", message)
        case _:
            return Failed(token, LocalFailure.SESSION, type(message).__name__, message)
