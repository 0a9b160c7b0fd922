"""The ports the demo would like, and free ones where those are taken."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Final

#: All ports of the demo are on this address.
HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """One port for each thing that listens; 0 takes a free one.

    The defaults are the products' own: DMCC on 4721, the Agent API on 22700; control ports as the simulators have them.
    """

    page: int = 8080
    aes: int = 4721
    aes_control: int = 4780
    dialler_1: int = 22700
    dialler_1_control: int = 22780
    dialler_2: int = 22701
    dialler_2_control: int = 22781


#: Every port a free one.
FREE_PORTS: Final = Ports(
    page=0, aes=0, aes_control=0, dialler_1=0, dialler_1_control=0, dialler_2=0, dialler_2_control=0
)


def is_free(port: int) -> bool:
    """Say whether we can listen there."""
    if port == 0:
        return True
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            return False
        raise
    return True


def choose_ports(wanted: Ports, free: Callable[[int], bool] = is_free) -> tuple[Ports, tuple[int, ...]]:
    """Replace the ports that are taken.

    Args:
        wanted: what we would like.
        free: says whether a port can be had.

    Returns:
        The ports with 0 in the place of each taken one, and the numbers that were taken, in order.
    """
    numbers = {each.name: getattr(wanted, each.name) for each in fields(Ports)}
    taken = tuple(number for number in numbers.values() if not free(number))
    return Ports(**{name: 0 if number in taken else number for name, number in numbers.items()}), taken
