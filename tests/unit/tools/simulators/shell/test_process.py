"""How a simulator begins and ends: certificates, chance, ports and the first lines."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest

from unified_agent.errors import SettingsError
from unified_agent.tools.simulators.shell import process
from unified_agent.tools.simulators.shell.control import ControlFrame
from unified_agent.tools.simulators.shell.process import Port, Start, given, prepare, run_alone, run_until_told


@dataclass(frozen=True, kw_only=True)
class Wanted:
    host: str = "127.0.0.1"
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_self_signed: bool = False
    control_port: int = 0
    seed: int | None = None
    log_level: str = "error"


class Server:
    """Takes any port but 99, and remembers which, and that it was closed."""

    accepting = True

    def __init__(self) -> None:
        self.done: list[str] = []

    async def start_listening(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        if port == 99:
            raise OSError(98, "Address already in use")
        self.done.append(f"{host} {port} {'plain' if tls is None else 'tls'}")
        return port + 1000

    async def close(self) -> None:
        self.done.append("closed")


class Frame(ControlFrame):
    title = "Nothing"
    controllers = ()
    answers = MappingProxyType({})


@pytest.fixture(autouse=True)
def _logging_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "configure_logging", lambda **_: None)


def start(options: Wanted) -> Start:
    async def begin() -> Start:
        return prepare(options)

    return asyncio.run(begin())


def serve(server: Server, ports: list[Port], options: Wanted) -> None:
    """Run until told, which is as soon as everything stands."""

    def control(stop: Callable[[], None]) -> ControlFrame:
        stop()
        return Frame(server, shut_down=stop)

    asyncio.run(run_until_told(server, ports, options, control))


def test_seed_repeats_all_chance_and_is_invented_when_left_out() -> None:
    first, second = start(Wanted(seed=7)), start(Wanted(seed=7))
    assert (first.seed, first.chance.random()) == (7, second.chance.random())
    assert start(Wanted()).seed != start(Wanted()).seed


def test_tls_is_spoken_only_with_a_certificate() -> None:
    plain = start(Wanted())
    assert (plain.tls, plain.certificate) == (None, None)
    made = start(Wanted(tls_self_signed=True))
    assert made.tls is not None
    assert made.certificate is not None


@pytest.mark.parametrize("half", [Wanted(tls_cert=Path("c.pem")), Wanted(tls_key=Path("k.pem"))])
def test_half_a_certificate_is_refused(half: Wanted) -> None:
    with pytest.raises(SettingsError, match="--tls-cert and --tls-key belong together"):
        start(half)


def test_first_lines_name_the_ports_then_tell_ready(capsys: pytest.CaptureFixture[str]) -> None:
    server = Server()
    serve(server, [Port("plain", 1, None), Port("tls", 2, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))], Wanted())
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["plain 127.0.0.1:1001", "tls 127.0.0.1:1002"]
    assert lines[2].startswith("control http://127.0.0.1:")
    assert lines[3:] == ["ready"]
    assert server.done == ["127.0.0.1 1 plain", "127.0.0.1 2 tls", "closed"]


def test_port_that_cannot_be_had_is_named_and_the_server_closed() -> None:
    server = Server()
    with pytest.raises(SettingsError, match=r"tls port 127\.0\.0\.1:99 cannot be had: Address already in use"):
        serve(server, [Port("plain", 1, None), Port("tls", 99, None)], Wanted())
    assert server.done[-1] == "closed"


def test_control_port_that_is_taken_is_named_and_the_server_closed() -> None:
    server = Server()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"control port 127.0.0.1:{number} cannot be had"):
            serve(server, [], Wanted(control_port=number))
    assert server.done == ["closed"]


def test_only_options_that_were_given_are_returned() -> None:
    assert given(agents=3, password=None, auto_answer=False) == {"agents": 3, "auto_answer": False}


def test_program_ends_with_a_sentence_when_a_setting_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    async def wrong() -> None:
        raise SettingsError("the plug is missing")

    with pytest.raises(SystemExit) as ended:
        run_alone(wrong())
    assert (ended.value.code, capsys.readouterr().err) == (2, "the plug is missing\n")
