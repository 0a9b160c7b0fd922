"""Options of sockets, on a pair of them."""

import asyncio
import socket
from typing import Any

from unified_agent.server.sockets import USER_TIMEOUT_MS, cut_off, find_vanished


class Pipe(asyncio.Transport):
    """A transport around a socket, or around none."""

    def __init__(self, own: socket.socket | None) -> None:
        super().__init__({"socket": own})
        self.ended = ""

    def abort(self) -> None:
        self.ended = "aborted"


def test_a_vanished_peer_is_found_by_the_kernel_and_a_cut_throws_away_what_it_holds():
    with socket.socket() as own:
        pipe: Any = Pipe(own)
        find_vanished(pipe)
        assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == USER_TIMEOUT_MS
        cut_off(pipe)
        assert own.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8) == b"\1\0\0\0\0\0\0\0"
        assert pipe.ended == "aborted"


def test_without_a_socket_or_on_one_that_is_closed_nothing_fails():
    for own in (None, socket.socket()):
        if own is not None:
            own.close()
        pipe: Any = Pipe(own)
        find_vanished(pipe)
        cut_off(pipe)
        assert pipe.ended == "aborted"
