"""A line between two sites that delays and loses what goes over it. Run inside the router's namespace as a program.

The router sends what is to suffer into a TUN device; this program gives it back after a while, or not at all. It does
what ``tc netem`` would, on kernels that were built without it. Order is kept: what goes over one line does not
overtake.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
import struct
import sys
from collections import deque
from collections.abc import Sequence
from typing import Final

from unified_agent.domain.ports import Chance

#: Source: linux/if_tun.h.
_TUNSETIFF: Final = 0x400454CA
_IFF_TUN: Final = 0x0001
_IFF_NO_PI: Final = 0x1000
_PACKET_LIMIT_BYTES: Final = 65_536
#: Packets on the line at one time; what comes beyond is lost, as in any router.
QUEUE_LIMIT: Final = 20_000


class Line:
    """Pure: which packets come out, and when."""

    def __init__(self, *, delay_s: float, jitter_s: float, loss: float, chance: Chance) -> None:
        """Begin with an empty line.

        Args:
            delay_s: that each packet takes at least.
            jitter_s: and so much more at most, by chance.
            loss: share of the packets that are lost, 0 to 1.
            chance: where both come from.
        """
        self._delay_s = delay_s
        self._jitter_s = jitter_s
        self._loss = loss
        self._chance = chance
        self._waiting: deque[tuple[float, bytes]] = deque()

    def put(self, packet: bytes, now_s: float) -> None:
        """Take a packet at one end."""
        if self._chance.uniform(0.0, 1.0) < self._loss or len(self._waiting) >= QUEUE_LIMIT:
            return
        due_s = now_s + self._delay_s + self._chance.uniform(0.0, self._jitter_s)
        if self._waiting:
            due_s = max(due_s, self._waiting[-1][0])
        self._waiting.append((due_s, packet))

    def take(self, now_s: float) -> list[bytes]:
        """Return what has come out at the other end by now, in order."""
        out = []
        while self._waiting and self._waiting[0][0] <= now_s:
            out.append(self._waiting.popleft()[1])
        return out

    @property
    def next_s(self) -> float | None:
        """When the next packet comes out; None while the line is empty."""
        return self._waiting[0][0] if self._waiting else None


def open_device(name: str) -> int:
    """Attach to a TUN device of this namespace; packets come and go whole, without a header before them."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    return device


async def run(device: int, line: Line) -> None:
    """Carry packets until cancelled."""
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()

    def receive() -> None:
        try:
            while True:
                line.put(os.read(device, _PACKET_LIMIT_BYTES), loop.time())
        except BlockingIOError:
            changed.set()

    loop.add_reader(device, receive)
    try:
        while True:
            changed.clear()
            for packet in line.take(loop.time()):
                os.write(device, packet)
            due_s = line.next_s
            limit_s = None if due_s is None else max(0.0, due_s - loop.time())
            try:
                async with asyncio.timeout(limit_s):
                    await changed.wait()
            except TimeoutError:
                continue
    finally:
        loop.remove_reader(device)


def main(arguments: Sequence[str]) -> int:
    """Run with ``DEVICE DELAY_S JITTER_S LOSS``; says ``ready``, and ends by a signal."""
    name, delay_s, jitter_s, loss = arguments
    line = Line(
        delay_s=float(delay_s),
        jitter_s=float(jitter_s),
        loss=float(loss),
        chance=random.Random(),  # noqa: S311 - which packets are lost
    )
    device = open_device(name)
    print("ready", flush=True)
    asyncio.run(run(device, line))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
