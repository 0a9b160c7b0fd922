"""The settings of the instances: as advised for two datacentres, and otherwise the defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from unified_agent.tools.chaos.places import AES, DATACENTRES, DIALLERS, MEMBERS, Host, at
from unified_agent.tools.chaos.store import endpoint
from unified_agent.tools.load.plan import DIALLER_NAMES, LoadPlan, apc_file

HTTP_PORT: Final = 8080
PEER_PORT: Final = 8090
AES_PORT: Final = 4721
DIALLER_PORT: Final = 22_700
CONTROL_PORT: Final = 4780
#: For a store with an election timeout of 1 s: docs/explanation/one-owner.md. A stuck instance is killed after two
#: thirds of it.
LEASE_S: Final = 6.0
STUCK_S: Final = 4.0

#: When a simulated dialler notices that an instance's host is gone: until then it keeps agents logged on, and no other
#: instance logs on by their names. A real dialler's time is not known.
DEAD_CLIENT_S: Final = 5.0

KEYS_FILE: Final = "cluster.keys"
TOKEN_FILE: Final = "operators.token"  # noqa: S105 - a name


def url_of(host: Host) -> str:
    """Return where desktops reach an instance."""
    return f"http://{host.address}:{HTTP_PORT}"


def history_file(folder: Path, host: Host) -> Path:
    """Return where an instance keeps its history."""
    return folder / f"{host.name}.history"


def dialler_file(plan: LoadPlan) -> str:
    """Write the plan of a simulated dialler."""
    return f"dead_client_s = {DEAD_CLIENT_S}\n{apc_file(plan)}"


def instance_file(host: Host, plan: LoadPlan, folder: Path) -> str:
    """Write the settings of one instance.

    Args:
        host: where it runs; its datacentre is the site.
        plan: the agents, any of whom it may have to serve.
        folder: where the keys, the operators' token and the history are.
    """
    near = at(host.site, MEMBERS)
    endpoints = [endpoint(each) for each in (*near, *(each for each in MEMBERS if each not in near))]
    text = f"""\
instance = "{host.name}"

[http]
host = "{host.address}"
port = {HTTP_PORT}
operators_token_file = "{folder / TOKEN_FILE}"
login_rate_per_min = 1000000

{plan.switch.settings("aes-1", AES.address, AES_PORT)}
[sessions]
capacity = {plan.agents + 100}

[log]
level = "info"
json = true

[cluster]
name = "chaos"
datacentre = "{host.site}"
datacentres = {_listed(DATACENTRES)}
keys_file = "{folder / KEYS_FILE}"
url = "{url_of(host)}"
lease_s = {LEASE_S}
stuck_s = {STUCK_S}
history_file = "{history_file(folder, host)}"

[cluster.store]
endpoints = {_listed(endpoints)}
prefix = "/ua/chaos/"

[cluster.peers]
host = "{host.address}"
port = {PEER_PORT}
"""
    for name, dialler in zip(DIALLER_NAMES, DIALLERS, strict=True):
        text += f"""
[[diallers]]
name = "{name}"
host = "{dialler.address}"
port = {DIALLER_PORT}
key_field = "ACCTNUM"
fields = ["NAME", "ACCTNUM", "PHONE1", "CITY", "BAL"]
"""
    return text


def _listed(words: tuple[str, ...] | list[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"
