"""A whole contact centre as processes: a simulated AES, two simulated diallers, and an instance, on free ports."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.browser.programs import Programs, programs

SETTINGS: Final = """\
instance = "{name}"
[http]
port = {port}
login_rate_per_min = 100000
drain_wait_s = 0.0
[telephony]
user = "ctiuser"
password = "secret"
[[telephony.servers]]
name = "aes-1"
host = "127.0.0.1"
port = {aes}
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
#: So that a silent AES is noticed within moments.
QUICK_LINK: Final = """\
[telephony.link]
heartbeat_interval_s = 1.0
silence_limit_s = 2.0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peers:
    """What instances are linked to.

    Attributes:
        aes, diallers: the ports for instances.
        aes_control, dialler_controls: the control ports' addresses.
    """

    aes: int
    diallers: tuple[int, ...]
    aes_control: str
    dialler_controls: tuple[str, ...]


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
def centre(folder: Path, further: str = "") -> Iterator[Centre]:
    """Start it, and stop it whatever happens.

    Args:
        folder: for settings and logs.
        further: settings of the instance besides.
    """
    with programs(folder) as running:
        peers = start_peers(running)
        file = folder / "settings.toml"
        file.write_text(settings_text("desk-1", 0, peers) + QUICK_LINK + further)
        instance = running.start("instance", "serve", str(file))
        yield Centre(desktop=instance.told["http"], aes=peers.aes_control, diallers=peers.dialler_controls, logs=folder)


def start_peers(running: Programs) -> Peers:
    """Start the switch and the diallers. Nobody waits long for a customer, and no customer hangs up by himself."""
    ports = ("--port", "0", "--control-port", "0")
    aes = running.begin("aes", "simulate", "aes", "--agents", "20", *ports)
    diallers = [
        running.begin(
            f"dialler-{seed}", "simulate", "apc", *ports, "--wait-s", "1", "--talk-s", "0", "--seed", f"{seed}"
        )
        for seed in (1, 2)
    ]
    for each in (aes, *diallers):
        each.wait_until_ready()
    return Peers(
        aes=aes.port("plain"),
        diallers=tuple(each.port("plain") for each in diallers),
        aes_control=aes.told["control"],
        dialler_controls=tuple(each.told["control"] for each in diallers),
    )


def settings_text(name: str, port: int, peers: Peers) -> str:
    """Write an instance's settings.

    Args:
        name: of the instance.
        port: of its pages; 0 takes a free one.
        peers: what it is linked to.
    """
    return SETTINGS.format(name=name, port=port, aes=peers.aes, diallers=peers.diallers, fields=FIELDS)
