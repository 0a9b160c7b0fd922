"""A whole contact centre as processes: a simulated AES, two simulated diallers, and an instance, on free ports."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

#: Each process must be ready within this, seconds; two shared cores may be busy.
START_LIMIT_S: Final = 30.0
STOP_LIMIT_S: Final = 10.0

SETTINGS: Final = """\
instance = "desk-1"
[http]
port = 0
login_rate_per_min = 100000
[telephony]
user = "ctiuser"
password = "secret"
[[telephony.servers]]
name = "aes-1"
host = "127.0.0.1"
port = {aes}
[telephony.link]
heartbeat_interval_s = 1.0
silence_limit_s = 2.0
[[diallers]]
name = "pc-1"
host = "127.0.0.1"
port = {diallers[0]}
{fields}
[[diallers]]
name = "pc-2"
host = "127.0.0.1"
port = {diallers[1]}
{fields}
[pool]
probe_down_interval_s = 0.5
[sessions.policy]
reason_required = true
[[sessions.not_ready_reasons]]
code = 1
label = {{ en = "Break", hu = "Szünet" }}
maximum_min = 15
[[sessions.not_ready_reasons]]
code = 2
label = {{ en = "Lunch", hu = "Ebéd" }}
[[sessions.log_out_reasons]]
code = 1
label = {{ en = "End of shift", hu = "Műszak vége" }}
"""
FIELDS: Final = """\
fields = ["NAME", "ACCTNUM", "BAL", "PHONE1", "PHONE2"]
editable_fields = ["BAL", "PHONE2"]
key_field = "ACCTNUM"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One started process, and the addresses it told: ``plain``, ``control``, ``http``."""

    process: subprocess.Popen[str]
    reader: threading.Thread
    told: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """Where everything is.

    Attributes:
        desktop: the page.
        aes, diallers: their control ports.
        logs: what each process said, for the one who looks into a failure.
    """

    desktop: str
    aes: str
    diallers: tuple[str, ...]
    logs: Path

    def as_json(self) -> str:
        """Tell a story where everything is."""
        return json.dumps({"desktop": self.desktop, "aes": self.aes, "diallers": self.diallers})


@contextlib.contextmanager
def centre(folder: Path) -> Iterator[Centre]:
    """Start it, and stop it whatever happens."""
    started: list[Program] = []
    try:
        aes = _start(started, folder, "aes", "simulate", "aes", "--agents", "20", "--port", "0", "--control-port", "0")
        diallers = [
            _start(started, folder, f"dialler-{number}", "simulate", "apc", *_dialler_options(number))
            for number in (1, 2)
        ]
        file = folder / "settings.toml"
        ports = [_port(each.told["plain"]) for each in diallers]
        file.write_text(SETTINGS.format(aes=_port(aes.told["plain"]), diallers=ports, fields=FIELDS))
        instance = _start(started, folder, "instance", "serve", str(file))
        yield Centre(
            desktop=instance.told["http"],
            aes=aes.told["control"],
            diallers=tuple(each.told["control"] for each in diallers),
            logs=folder,
        )
    finally:
        for program in reversed(started):
            _stop(program.process)
            program.reader.join(STOP_LIMIT_S)


def _dialler_options(seed: int) -> Sequence[str]:
    # Nobody waits long for a customer, and no customer hangs up by himself.
    return ("--port", "0", "--control-port", "0", "--wait-s", "1", "--talk-s", "0", "--seed", str(seed))


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])


def _start(started: list[Program], folder: Path, name: str, *arguments: str) -> Program:
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import sys; from unified_agent.tools.cli import main; sys.exit(main())",
                *arguments,
            ],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    told: dict[str, str] = {}
    assert process.stdout is not None
    lines: queue.Queue[str] = queue.Queue()
    reader = threading.Thread(target=_read_all, args=(process.stdout, lines), daemon=True)
    reader.start()
    started.append(Program(process=process, reader=reader, told=told))
    limit_s = time.monotonic() + START_LIMIT_S
    while (left_s := limit_s - time.monotonic()) > 0:
        try:
            line = lines.get(timeout=left_s).strip()
        except queue.Empty:
            break
        if line == "ready":
            return started[-1]
        if not line:
            break
        word, _, rest = line.partition(" ")
        told[word] = rest
    raise AssertionError(f"{name} did not start: {(folder / f'{name}.log').read_text()[-2000:]}")


def _read_all(output: TextIO, lines: queue.Queue[str]) -> None:
    """Read to the end, so that the process never waits for somebody to listen."""
    with output:
        for line in output:
            lines.put(line)
    lines.put("")


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
