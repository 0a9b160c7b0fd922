"""A port is bound, or a sentence says why not."""

from __future__ import annotations

import errno
import socket

import pytest

from unified_agent.errors import SettingsError
from unified_agent.server.binding import bind_port


def test_a_bound_port_is_ours_and_not_yet_open() -> None:
    with bind_port("127.0.0.1", 0, "ajp") as bound:
        port = bound.getsockname()[1]
        with socket.socket() as client, pytest.raises(ConnectionRefusedError):
            client.connect(("127.0.0.1", port))
        bound.listen()
        with pytest.raises(SettingsError, match=rf"port {port} on 127\.0\.0\.1 is in use .* another ajp\.port"):
            bind_port("127.0.0.1", port, "ajp")


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(SettingsError, match=r"ajp\.host '192\.0\.2\.1' is not an address of this machine"):
        bind_port("192.0.2.1", 0, "ajp")


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.EACCES, "from 1024 on as http.port"), (errno.ENOBUFS, "cannot listen on 127.0.0.1 port 80: ")],
)
def test_every_other_refusal_says_what_to_do(monkeypatch: pytest.MonkeyPatch, number: int, words: str) -> None:
    class Refusing(socket.socket):
        def bind(self, address: object) -> None:
            raise OSError(number, "words of the system")

    monkeypatch.setattr(socket, "socket", Refusing)
    with pytest.raises(SettingsError, match=words):
        bind_port("127.0.0.1", 80, "http")
