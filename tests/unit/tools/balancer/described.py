"""A cluster as a site would describe it, for the tests of all generators."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from unified_agent.tools.balancer.topology import BalancedInstance, BalancerTopology, Places

SECRET = "0123456789abcdef0123456789abcdef"

TOPOLOGY = BalancerTopology(
    cluster="main",
    name="ua.example",
    port=443,
    agents=1_000,
    ajp_secret=SECRET,
    instances=(
        BalancedInstance(name="budapest-1", host="10.1.0.1", http_port=8080, ajp_port=8009, datacentre="budapest"),
        BalancedInstance(name="budapest-2", host="10.1.0.2", http_port=8080, ajp_port=8009, datacentre="budapest"),
        BalancedInstance(name="vienna-1", host="10.2.0.1", http_port=8080, ajp_port=8009, datacentre="vienna"),
    ),
)
PLACES = Places(conf="/etc/balancer", run="/run/balancer", log="/var/log/balancer", user="www-data")


def described(**other: Any) -> BalancerTopology:
    """The usual cluster, with something else about it."""
    return replace(TOPOLOGY, **other)


def certificates(folder: Path) -> tuple[str, str]:
    """Make a certificate and its key that every product takes; HAProxy finds NAME.key beside NAME.crt."""
    cert, key = f"{folder}/ua.crt", f"{folder}/ua.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *(
                "-subj",
                "/CN=ua.example",
                "-addext",
                "subjectAltName=DNS:ua.example",
                "-days",
                "2",
                "-keyout",
                key,
                "-out",
                cert,
            ),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    return cert, key


def settings_of(text: str, start: str) -> list[str]:
    """Lines of a configuration that begin with a word, comments left out, without it."""
    lines = (line.strip() for line in text.splitlines())
    return [line.removeprefix(start).strip() for line in lines if line.startswith(f"{start} ") or line == start]
