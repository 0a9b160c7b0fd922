"""The ECMA-354 application session: start or resume it, keep it alive, stop it, and be told of its end.

Source: aes-dmcc reference, section 3.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from unified_agent.wire.csta.kinds import INTEGER, SECRET_TEXT, TEXT, TOKEN
from unified_agent.wire.csta.layout import AvayaElement, Field, Inside, ListOf
from unified_agent.wire.csta.markup import CSTA_NAMESPACE, SCHEMA_INSTANCE_NAMESPACE
from unified_agent.wire.csta.shapes import Message, Namespace, Role, message
from unified_agent.wire.csta.values import Secret, SessionId

#: What stands before ``ed3/priv7`` in the URI of a protocol version.
PROTOCOL_VERSION_BASE: Final = CSTA_NAMESPACE.removesuffix("ed3")


class SessionError(StrEnum):
    """definedError of the negative answers."""

    INVALID_APPLICATION_INFO = "invalidApplicationInfo"
    VERSION_NOT_SUPPORTED = "requestedProtocolVersionNotSupported"
    SERVER_RESOURCES_BUSY = "serverResourcesBusy"
    TOO_MANY_SESSIONS = "maxNumberSessions"
    INVALID_SESSION_ID = "invalidSessionID"
    CANNOT_RESET_TIMER = "serverCannotResetSessionTimer"


class TerminationReason(StrEnum):
    """Why the server ended a session by itself."""

    RESOURCE_LIMITATION = "resourceLimitation"
    TIMER_EXPIRED = "sessionTimerExpired"


class EndReason(StrEnum):
    """Why the client ends its session."""

    NORMAL = "normal"


@message(
    Role.REQUEST,
    Namespace.SESSION,
    Inside(
        "applicationInfo",
        Field("applicationID", "application_id", TEXT),
        Inside(
            "applicationSpecificInfo",
            AvayaElement(
                "SessionLoginInfo",
                Field("userName", "user_name", TEXT),
                Field("password", "password", SECRET_TEXT),
                Field("sessionCleanupDelay", "cleanup_delay_s", INTEGER),
                Field("sessionID", "old_session_id", TOKEN),
                attributes=' xsi:type="a:SessionLoginInfo"',
            ),
        ),
    ),
    Field("requestedProtocolVersions", "protocol_versions", ListOf("protocolVersion", TOKEN), keep_empty=True),
    Field("requestedSessionDuration", "requested_duration_s", INTEGER),
    root_attributes=f' xmlns:xsi="{SCHEMA_INSTANCE_NAMESPACE}"',
)
class StartApplicationSession(Message, frozen=True, kw_only=True):
    """Log in, or resume a session whose socket was lost.

    Attributes:
        application_id: names us in the server's lists.
        user_name: the CTI user.
        password: its password.
        protocol_versions: URIs, best first: ``PROTOCOL_VERSION_BASE + "ed3/priv7"``.
        requested_duration_s: how long the session may live without a keep-alive.
        cleanup_delay_s: how long the server keeps session, device ids and monitors after the socket is lost.
        old_session_id: the session to resume.
    """

    application_id: str
    user_name: str
    password: Secret
    protocol_versions: tuple[str, ...]
    requested_duration_s: int | None = None
    cleanup_delay_s: int | None = None
    old_session_id: SessionId | None = None


@message(
    Role.ANSWER,
    Namespace.SESSION,
    Field("sessionID", "session_id", TOKEN),
    Field("actualProtocolVersion", "actual_protocol_version", TOKEN),
    Field("actualSessionDuration", "actual_duration_s", INTEGER),
)
class StartApplicationSessionPosResponse(Message, frozen=True, kw_only=True):
    """The session lives. With the id that was to be resumed, its monitors and device ids live too."""

    session_id: SessionId
    actual_protocol_version: str | None = None
    actual_duration_s: int | None = None


@message(
    Role.REFUSAL,
    Namespace.SESSION,
    Inside("errorCode", Field("applError", "text", TEXT, unless="error"), Field("definedError", "error", TOKEN)),
)
class StartApplicationSessionNegResponse(Message, frozen=True, kw_only=True):
    """The session is refused.

    Attributes:
        error: a ``SessionError``, or what else the server says. Assumed: a wrong password gives
            INVALID_APPLICATION_INFO; an AES's answer would prove it.
        text: the server's own words, where it names no error.
    """

    error: str | None = None
    text: str | None = None


@message(
    Role.REQUEST,
    Namespace.SESSION,
    Field("sessionID", "session_id", TOKEN),
    Field("requestedSessionDuration", "requested_duration_s", INTEGER),
)
class ResetApplicationSessionTimer(Message, frozen=True, kw_only=True):
    """The keep-alive."""

    session_id: SessionId
    requested_duration_s: int | None = None


@message(Role.ANSWER, Namespace.SESSION, Field("actualSessionDuration", "actual_duration_s", INTEGER))
class ResetApplicationSessionTimerPosResponse(Message, frozen=True, kw_only=True):
    """The session lives on for the actual duration, in seconds."""

    actual_duration_s: int | None = None


@message(
    Role.REFUSAL,
    Namespace.SESSION,
    Inside("errorCode", Field("applError", "text", TEXT, unless="error"), Field("definedError", "error", TOKEN)),
)
class ResetApplicationSessionTimerNegResponse(Message, frozen=True, kw_only=True):
    """The session is gone: start again. Attributes as in StartApplicationSessionNegResponse."""

    error: str | None = None
    text: str | None = None


@message(
    Role.EVENT,
    Namespace.SESSION,
    Field("sessionID", "session_id", TOKEN),
    Inside(
        "sessionTermReason",
        Field("definedTermReason", "reason", TOKEN),
        Field("serverTermReason", "text", TEXT, unless="reason"),
    ),
)
class ApplicationSessionTerminated(Message, frozen=True, kw_only=True):
    """The server ended the session by itself.

    Attributes:
        session_id: the session that ended.
        reason: a ``TerminationReason``, or what else the server says.
        text: the server's own words, where it names no reason.
    """

    session_id: SessionId | None = None
    reason: str | None = None
    text: str | None = None


@message(
    Role.REQUEST,
    Namespace.SESSION,
    Field("sessionID", "session_id", TOKEN),
    Inside(
        "sessionEndReason",
        Field("appEndReason", "text", TEXT, unless="reason"),
        Field("definedEndReason", "reason", TOKEN),
    ),
)
class StopApplicationSession(Message, frozen=True, kw_only=True):
    """End the session in order.

    Attributes:
        session_id: the session to end.
        reason: an ``EndReason``.
        text: our own words, where no reason is named.
    """

    session_id: SessionId
    reason: str | None = EndReason.NORMAL
    text: str | None = None


@message(Role.ANSWER, Namespace.SESSION)
class StopApplicationSessionPosResponse(Message, frozen=True, kw_only=True):
    """The session is ended."""


@message(
    Role.REFUSAL,
    Namespace.SESSION,
    Inside("errorCode", Field("applError", "text", TEXT, unless="error"), Field("definedError", "error", TOKEN)),
)
class StopApplicationSessionNegResponse(Message, frozen=True, kw_only=True):
    """There was no such session. Attributes as in StartApplicationSessionNegResponse."""

    error: str | None = None
    text: str | None = None
