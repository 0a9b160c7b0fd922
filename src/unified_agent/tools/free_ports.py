"""Ports that are free and stay so until somebody listens there.

A port that the system chooses (``bind`` to 0) comes from the range from which it also numbers outgoing connections: let
go again, it may be some connection's own port a moment later, and listening there fails. So what must be told to others
before it listens gets a port below that range.
"""

from __future__ import annotations

import contextlib
import random
import socket
from pathlib import Path
from typing import Final

#: Where Linux says from which ports outgoing connections are numbered, and what it says when nobody changed it.
_RANGE_FILE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_RANGE_USUAL: Final = (32_768, 60_999)
#: Below it are the well-known ports of the products that people run.
_LOWEST: Final = 10_240
_HIGHEST: Final = 65_535


def find_free_ports(count: int, host: str = "127.0.0.1", chance: random.Random | None = None) -> tuple[int, ...]:
    """Return so many ports on which nobody listens, each another one, that no outgoing connection will take.

    Args:
        count: how many.
        host: address on which they must be free.
        chance: where among them to look; two programs that look at the same time hardly meet.
    """
    offered = list(outside(outgoing_ports()))
    (chance or random.Random()).shuffle(offered)  # noqa: S311 - spreads, hides nothing
    found: list[int] = []
    with contextlib.ExitStack() as held:
        while len(found) < count:
            port = offered.pop()
            with contextlib.suppress(OSError):
                held.enter_context(socket.create_server((host, port)))
                found.append(port)
    return tuple(found)


def outgoing_ports(file: Path = _RANGE_FILE) -> tuple[int, int]:
    """Return the first and the last port that the system gives to outgoing connections."""
    try:
        first, last = map(int, file.read_text().split())
    except (OSError, ValueError):
        return _RANGE_USUAL
    return first, last


def outside(outgoing: tuple[int, int]) -> range:
    """Return the ports to choose from: the wider side of what is left beside those of outgoing connections."""
    first, last = outgoing
    below, above = range(_LOWEST, first), range(last + 1, _HIGHEST + 1)
    widest = max(below, above, key=len)
    return widest if len(widest) >= 1_000 else range(_LOWEST, _HIGHEST + 1)
