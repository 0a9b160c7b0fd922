"""Options of a desktop's socket that asyncio leaves to us. Without a socket, as in simulations, nothing happens."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import Final

#: ``SO_LINGER`` on, 0 s: an abort also throws away what the kernel still holds for a peer that takes nothing.
_NO_LINGER: Final = struct.pack("ii", 1, 0)
#: Unacknowledged bytes older than this end the connection, milliseconds: a peer that vanished is found by the kernel.
USER_TIMEOUT_MS: Final = 30_000


def find_vanished(transport: asyncio.BaseTransport) -> None:
    """Have the kernel end a connection whose peer acknowledges nothing for ``USER_TIMEOUT_MS``."""
    _set_option(transport, socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)


def cut_off(transport: asyncio.WriteTransport) -> None:
    """Cut a connection, with all that is unsent here and in the kernel."""
    _set_option(transport, socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()


def _set_option(transport: asyncio.BaseTransport, level: int, option: int, value: int | bytes) -> None:
    peer = transport.get_extra_info("socket")
    if peer is not None:
        with contextlib.suppress(OSError, AttributeError):
            peer.setsockopt(level, option, value)
