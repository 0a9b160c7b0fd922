"""Why a connection ends: the one list of words for events, logs and counters."""

from __future__ import annotations

from enum import StrEnum


class CloseReason(StrEnum):
    """Why a connection is over.

    Attributes:
        CLOSED: the web server closed it, or the network did.
        NOT_AJP: a packet does not begin as AJP packets do.
        TOO_LONG: a packet is longer than the packet size, or too much came before it was due.
        UNEXPECTED: a kind of packet that is not taken where it came; SHUTDOWN is never taken.
        MALFORMED: a request cannot be read.
        FRAMING: it is ambiguous whether and how long a body follows; the first step of request smuggling.
        ATTRIBUTE: a request attribute whose name nobody allowed.
        SECRET: the shared secret is missing or wrong.
        BODY: a packet of body contradicts what was announced, or the body ended early.
        IDLE: no request for too long.
        SLOW: the rest of a packet, or a packet that was due, did not come in time; or an answer was not taken.
        STOPPED: we are stopping, or may not serve.
        FAILED: an answer could not be completed, and breaking off is the only way to say so.
    """

    CLOSED = "closed"
    NOT_AJP = "not-ajp"
    TOO_LONG = "too-long"
    UNEXPECTED = "unexpected"
    MALFORMED = "malformed"
    FRAMING = "framing"
    ATTRIBUTE = "attribute"
    SECRET = "secret"  # noqa: S105 - a word, not one
    BODY = "body"
    IDLE = "idle"
    SLOW = "slow"
    STOPPED = "stopped"
    FAILED = "failed"
