import random
import socket
from pathlib import Path

import pytest

from unified_agent.tools.free_ports import find_free_ports, outgoing_ports, outside

HOST = "127.0.0.1"


def test_ports_that_are_found_are_free_and_all_different() -> None:
    found = find_free_ports(3)
    assert len(set(found)) == 3
    for port in found:
        socket.create_server((HOST, port)).close()


def test_no_outgoing_connection_gets_one_of_them() -> None:
    first, last = outgoing_ports()
    assert not any(first <= port <= last for port in find_free_ports(20))


def test_a_port_that_somebody_listens_on_is_passed_over() -> None:
    (port,) = find_free_ports(1, chance=random.Random(7))
    with socket.create_server((HOST, port)):
        assert find_free_ports(1, chance=random.Random(7)) != (port,)


@pytest.mark.parametrize(
    ("outgoing", "offered"),
    [
        ((32_768, 60_999), range(10_240, 32_768)),
        ((1_024, 40_000), range(40_001, 65_536)),
        ((1_024, 65_535), range(10_240, 65_536)),
    ],
)
def test_ports_come_from_beside_the_outgoing_ones_where_there_is_room(
    outgoing: tuple[int, int], offered: range
) -> None:
    assert outside(outgoing) == offered


def test_a_system_that_does_not_say_is_taken_for_a_usual_one(tmp_path: Path) -> None:
    assert outgoing_ports(tmp_path / "nothing") == (32_768, 60_999)
