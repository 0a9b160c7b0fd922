"""Bounds that no web server could be set to are our fault."""

import pytest

from unified_agent.errors import LocalProtocolError
from unified_agent.wire.ajp13.limits import AjpLimits


@pytest.mark.parametrize("size", [0, 8_191, 65_537])
def test_a_packet_size_that_no_web_server_can_have_is_our_fault(size: int) -> None:
    with pytest.raises(LocalProtocolError):
        AjpLimits(packet_size_bytes=size)


def test_sizes_that_web_servers_can_have_are_taken() -> None:
    assert [AjpLimits(packet_size_bytes=size).packet_size_bytes for size in (8_192, 65_536)] == [8_192, 65_536]
