"""What one connection of a web server may use."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from unified_agent.errors import LocalProtocolError
from unified_agent.wire.ajp13.codes import KNOWN_ATTRIBUTES, PACKET_LEAST_BYTES, PACKET_MOST_BYTES

#: A request that was asked for by a ping comes within this after our answer, seconds. It leaves the web server at once,
#: but that one and we may both be late: closed in between, a POST is lost, as no web server sends it twice.
REQUEST_FOLLOWS_S: Final = 2.0


class AjpLimits(Struct, frozen=True, kw_only=True):
    """What one connection may use.

    Attributes:
        packet_size_bytes: of a packet with its head, as the web server has it.
        header_limit: headers of a request.
        allowed_attributes: names of request attributes that are taken.
        idle_timeout_s: without a request for this long the connection is over; also without a packet of body that is
            due, for which the web server may wait for its browser.
        read_timeout_s: from the first byte of a packet to its last.
    """

    packet_size_bytes: int = PACKET_LEAST_BYTES
    header_limit: int = 128
    allowed_attributes: frozenset[bytes] = KNOWN_ATTRIBUTES
    idle_timeout_s: float = 75.0
    read_timeout_s: float = 10.0

    def __post_init__(self) -> None:
        if not PACKET_LEAST_BYTES <= self.packet_size_bytes <= PACKET_MOST_BYTES:
            raise LocalProtocolError(f"packets have {PACKET_LEAST_BYTES} to {PACKET_MOST_BYTES} bytes")
