"""The ports the demo would like, and free ones where those are taken."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

from unified_agent.tools.free_ports import find_free_ports

#: All ports of the demo are on this address.
HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """One port for each thing that listens; 0 takes a free one.

    The defaults are the products' own: etcd on 2379, DMCC on 4721, the Agent API on 22700; control ports as the
    simulators have them.
    """

    page: int = 8080
    page_2: int = 8081
    page_3: int = 8082
    store: int = 2379
    store_peer: int = 2380
    aes: int = 4721
    aes_control: int = 4780
    dialler_1: int = 22700
    dialler_1_control: int = 22780
    dialler_2: int = 22701
    dialler_2_control: int = 22781

    @property
    def pages(self) -> tuple[int, ...]:
        """Of the instances of a cluster, in order."""
        return self.page, self.page_2, self.page_3


#: What an instance alone has no use for.
OF_A_CLUSTER: Final = ("page_2", "page_3", "store", "store_peer")
#: What is told to others before it listens, so that it must be a number from the beginning.
_KNOWN_BEFORE: Final = ("page", *OF_A_CLUSTER)
#: Every port a free one.
FREE_PORTS: Final = Ports(**dict.fromkeys((each.name for each in fields(Ports)), 0))


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


def choose_ports(
    wanted: Ports, free: Callable[[int], bool] = is_free, *, but: Sequence[str] = ()
) -> tuple[Ports, tuple[int, ...]]:
    """Replace the ports that are taken.

    Args:
        wanted: what we would like.
        free: says whether a port can be had.
        but: names of ports that nobody will listen on.

    Returns:
        The ports with 0 in the place of each taken one, and the numbers that were taken, in order.
    """
    numbers = {each.name: getattr(wanted, each.name) for each in fields(Ports)}
    taken = tuple(number for name, number in numbers.items() if name not in but and not free(number))
    return Ports(**{name: 0 if number in taken else number for name, number in numbers.items()}), taken


def number_ports(ports: Ports) -> Ports:
    """Give a number to each port left open that others are told before it listens."""
    open_ones = [name for name in _KNOWN_BEFORE if getattr(ports, name) == 0]
    return replace(ports, **dict(zip(open_ones, find_free_ports(len(open_ones), HOST), strict=True)))
