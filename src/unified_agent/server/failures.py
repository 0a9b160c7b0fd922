"""Our errors as HTTP: status, stable id, problem details (RFC 9457).

``FAILURES`` is the one table; ``docs/reference/errors.md`` lists it for people and a test holds the two together.
"""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus
from typing import ClassVar, Final

import msgspec
from msgspec import Struct

from unified_agent.domain.topology import Next
from unified_agent.errors import UnifiedAgentError

PROBLEM_TYPE: Final = "application/problem+json"


class Retry(StrEnum):
    """Whether asking again makes sense: never (mend the request), later, or at another instance."""

    NEVER = "never"
    LATER = "later"
    ELSEWHERE = "elsewhere"


class Failure(Struct, frozen=True):
    """One row: status, title for people, and whether asking again makes sense."""

    status: HTTPStatus
    title: str
    retry: Retry


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a refused request is answered with.

    Attributes:
        type: a link to the description of the id.
        title: the same for every problem of this id.
        status: the HTTP status.
        detail: about this case.
        id: stable; programs go by it.
        retry: whether asking again makes sense.
        correlation: to be read out to whoever looks into the logs.
        next: where to ask instead, with 421 and `instance.full`; absent when nobody serves.
        epoch: with ``datacentre.passive``: of the active datacentre.
    """

    type: str
    title: str
    status: int
    detail: str
    id: str
    retry: Retry
    correlation: str
    next: Next | None = None
    epoch: int | None = None


_S = HTTPStatus
#: Every id that REST answers with.
FAILURES: Final[dict[str, Failure]] = {
    "request.invalid": Failure(_S.BAD_REQUEST, "The request is not as described", Retry.NEVER),
    "request.too-large": Failure(_S.REQUEST_ENTITY_TOO_LARGE, "The request is too large", Retry.NEVER),
    "request.media-type": Failure(_S.UNSUPPORTED_MEDIA_TYPE, "The request is not JSON", Retry.NEVER),
    "request.method": Failure(_S.METHOD_NOT_ALLOWED, "This path does not take that method", Retry.NEVER),
    "request.path": Failure(_S.NOT_FOUND, "There is no such path", Retry.NEVER),
    "request.upgrade": Failure(_S.UPGRADE_REQUIRED, "No WebSocket passes this way", Retry.NEVER),
    "origin.refused": Failure(_S.FORBIDDEN, "Pages of that origin may not call us", Retry.NEVER),
    "login.too-many": Failure(_S.TOO_MANY_REQUESTS, "Too many logins from this address", Retry.LATER),
    "agent.wrong-password": Failure(
        _S.UNAUTHORIZED, "The agent has a session here, with another password", Retry.NEVER
    ),
    "station.in-use": Failure(_S.CONFLICT, "Another agent works at this station", Retry.NEVER),
    "agent.already-logged-in": Failure(_S.CONFLICT, "The agent has a session here, at another station", Retry.NEVER),
    "agent.already-logging-in": Failure(
        _S.CONFLICT, "Two logins of this agent with different passwords at once; both were ended", Retry.LATER
    ),
    "agent.logging-out": Failure(_S.CONFLICT, "The agent's session here is just ending", Retry.LATER),
    "instance.full": Failure(_S.SERVICE_UNAVAILABLE, "This instance takes no more agents", Retry.ELSEWHERE),
    "instance.draining": Failure(_S.SERVICE_UNAVAILABLE, "This instance is being stopped", Retry.ELSEWHERE),
    "instance.busy": Failure(_S.SERVICE_UNAVAILABLE, "This instance is too busy for new logins", Retry.LATER),
    "instance.elsewhere": Failure(
        _S.MISDIRECTED_REQUEST, "The agent has a session at another instance", Retry.ELSEWHERE
    ),
    "datacentre.passive": Failure(_S.MISDIRECTED_REQUEST, "Another datacentre serves now", Retry.ELSEWHERE),
    "ticket.invalid": Failure(_S.UNAUTHORIZED, "The ticket is not good here", Retry.NEVER),
    "session.no-token": Failure(_S.UNAUTHORIZED, "The request carries no token", Retry.NEVER),
    "session.unknown": Failure(_S.UNAUTHORIZED, "The token is not known here", Retry.NEVER),
    "session.ended": Failure(_S.GONE, "The session has ended", Retry.NEVER),
    "session.moved": Failure(_S.MISDIRECTED_REQUEST, "Another instance has the session now", Retry.ELSEWHERE),
    "taken-over": Failure(_S.LOCKED, "Another desktop has taken the session over", Retry.NEVER),
    "connection.unknown": Failure(_S.NOT_FOUND, "This instance has no such push connection", Retry.LATER),
    "jsonp.off": Failure(_S.NOT_FOUND, "No scripts are answered here", Retry.NEVER),
    "jsonp.callback": Failure(_S.BAD_REQUEST, "The callback is no name that may be called", Retry.NEVER),
    "jsonp.caller": Failure(_S.FORBIDDEN, "That page may not ask for scripts", Retry.NEVER),
    "jsonp.token": Failure(_S.UNAUTHORIZED, "The short token is not good", Retry.NEVER),
    "jsonp.nonce": Failure(_S.CONFLICT, "The nonce was used, or is none of ours", Retry.NEVER),
    "jsonp.too-long": Failure(_S.REQUEST_URI_TOO_LONG, "The URL is too long", Retry.NEVER),
    "jsonp.too-many": Failure(_S.TOO_MANY_REQUESTS, "Too many requests of that page or address", Retry.LATER),
    "command.invalid": Failure(_S.BAD_REQUEST, "The command is not as described", Retry.NEVER),
    "command.unknown": Failure(_S.NOT_FOUND, "No such command is remembered", Retry.NEVER),
    "operator.unauthorised": Failure(_S.UNAUTHORIZED, "This is for operators", Retry.NEVER),
    "cluster.alone": Failure(_S.CONFLICT, "This instance is alone: there is no cluster", Retry.NEVER),
    "cluster.no-such-instance": Failure(_S.NOT_FOUND, "The cluster knows no such instance", Retry.NEVER),
    "cluster.no-such-datacentre": Failure(_S.NOT_FOUND, "The cluster knows no such datacentre", Retry.NEVER),
    "cluster.unreachable": Failure(
        _S.SERVICE_UNAVAILABLE, "Another instance had to be asked and is silent", Retry.LATER
    ),
    "cluster.full": Failure(_S.SERVICE_UNAVAILABLE, "No instance can take another agent", Retry.LATER),
    "cluster.not-serving": Failure(_S.SERVICE_UNAVAILABLE, "No instance can take agents now", Retry.LATER),
    "agent.not-logged-in": Failure(_S.NOT_FOUND, "The agent is not logged in", Retry.NEVER),
    "agent.in-item": Failure(_S.CONFLICT, "The agent has a record of a dialler open", Retry.LATER),
    "activation.refused": Failure(_S.CONFLICT, "The datacentre cannot be made active now", Retry.LATER),
    "activation.confirm": Failure(_S.CONFLICT, "The confirmation is not of the present situation", Retry.NEVER),
    "desktop.not-built": Failure(_S.NOT_FOUND, "The desktop's files are not installed", Retry.NEVER),
    "internal": Failure(_S.INTERNAL_SERVER_ERROR, "Something is wrong with us", Retry.LATER),
}


class RequestRefused(UnifiedAgentError):
    """A request cannot be answered as asked. Raised by handlers, made into a ``Problem`` by the edge."""

    code: ClassVar[str] = "request-refused"

    def __init__(
        self,
        failure: str,
        detail: str = "",
        *,
        retry_after_s: float | None = None,
        next_instance: Next | None = None,
        epoch: int | None = None,
    ) -> None:
        """Name the row.

        Args:
            failure: a key of ``FAILURES``.
            detail: about this case, for people; no secret.
            retry_after_s: when asking again makes sense.
            next_instance: where to ask instead.
            epoch: of the active datacentre.
        """
        super().__init__(failure, detail)
        self.id = failure
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.next_instance = next_instance
        self.epoch = epoch


def problem(
    failure: str, detail: str, correlation: str, *, next_instance: Next | None = None, epoch: int | None = None
) -> Problem:
    """Fill in the row of an id; one without a row is an internal fault."""
    row = FAILURES.get(failure)
    if row is None:
        failure, row = "internal", FAILURES["internal"]
    return Problem(
        type=f"/docs/errors#{failure}",
        title=row.title,
        status=row.status.value,
        detail=detail or row.title,
        id=failure,
        retry=row.retry,
        correlation=correlation,
        next=next_instance,
        epoch=epoch,
    )


def encode_problem(it: Problem) -> bytes:
    """Write it as JSON."""
    return msgspec.json.encode(it)
