"""What a connection reports to its owner, and what is going on on it."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from unified_agent.wire.ajp13.codec import ForwardRequest
from unified_agent.wire.ajp13.reasons import CloseReason


class Phase(Enum):
    """What is going on: nothing, a request that is not answered yet, or nothing ever again."""

    IDLE = "idle"
    ANSWERING = "answering"
    OVER = "over"


class RequestReceived(Struct, frozen=True, gc=False):
    """A request begins. Attributes: ``request``: what it says; ``has_body``: whether BodyReceived will follow."""

    request: ForwardRequest
    has_body: bool


class BodyReceived(Struct, frozen=True, gc=False):
    """A piece of the request's body. Attributes: ``data``: empty only at the end; ``more``: whether it is not all."""

    data: bytes
    more: bool


class Ended(Struct, frozen=True, gc=False):
    """The connection is over as soon as what is to be sent has been sent.

    Attributes:
        reason: why.
        detail: for people and logs; without secrets.
    """

    reason: CloseReason
    detail: str


Event = RequestReceived | BodyReceived | Ended
