"""Who works in the demo, and the settings of its instances and its simulated switch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from unified_agent.tools.demo.ports import HOST
from unified_agent.tools.switch_choice import BY_DMCC, SwitchChoice

#: Names of the instances; one alone has the first.
INSTANCE_NAMES: Final = ("ua-1", "ua-2", "ua-3")
#: Names of the diallers, in the order in which the instance prefers them.
DIALLER_NAMES: Final = ("dialler-1", "dialler-2")
#: The number that outside callers dial; its calls go to whoever has been ready for longest.
VDN: Final = "8000"
#: Of every agent at the switch, and of every agent at a dialler.
PASSWORD: Final = "1234"  # noqa: S105 - a simulator's
DIALLER_PASSWORD: Final = "secret"  # noqa: S105 - a simulator's
#: Agents 5001, 5002 … at stations 2001, 2002 …
AGENTS: Final = 20
#: The job that is ended and started again.
JOB: Final = "SPRING25"
#: Mean wait of a ready agent for the dialler's next call, seconds: long enough to look around.
DIALLER_WAIT_S: Final = 6.0
#: How long a process that ended stays away, seconds: long enough to see what an agent sees.
AWAY_S: Final = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """One login that is printed.

    Attributes:
        work: what this agent does, in a word or two.
        agent, station: at the switch.
        dialler_name: at the dialler, empty for an agent who only takes calls of the switch.
        job: of the dialler.
    """

    work: str
    agent: str
    station: str
    dialler_name: str = ""
    job: str = ""


LOGINS: Final = (
    Login(work="calls that come in", agent="5001", station="2001"),
    Login(work="predictive calls", agent="5002", station="2002", dialler_name="agent5002", job=JOB),
    Login(work="preview calls", agent="5003", station="2003", dialler_name="agent5003", job="PREVW01"),
    Login(work="both directions", agent="5004", station="2004", dialler_name="agent5004", job="CAREBLD"),
)
#: The agent whose headset breaks.
ON_THE_JOB: Final = LOGINS[1]


def aes_file() -> str:
    """Write the plan of the simulated AES: callers now and then, who give up when nobody answers."""
    return f"""\
[numbers]
agents = {AGENTS}
first_station = 2001
first_agent = 5001
password = "{PASSWORD}"
vdn = "{VDN}"

[switch]
after_call_work = "always"
timed_work_s = 30.0

[[traffic]]
number = "{VDN}"
calls_per_minute = 1.0
arrivals = "poisson"
user_data = "ACC=70{{n}}"
talk = {{ kind = "lognormal", mean_s = 90.0, spread_s = 40.0, least_s = 20.0 }}
patience = {{ kind = "exponential", mean_s = 60.0, least_s = 20.0 }}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterPlan:
    """What the instances of a cluster have in common.

    Attributes:
        urls: of all instances, by name.
        store: port of the store.
        keys_file: with the keys that all share.
    """

    urls: Mapping[str, str]
    store: int
    keys_file: Path


def url_at(port: int) -> str:
    """Return where an instance with this port is reached, without a slash at its end."""
    return f"http://{HOST}:{port}"


def foreign_origin(port: int) -> str:
    """Return the origin of the same pages under another name: to a browser they are somebody else's."""
    return f"http://localhost:{port}"


def instance_file(
    name: str,
    port: int,
    aes: tuple[str, int],
    diallers: tuple[tuple[str, int], ...],
    cluster: ClusterPlan | None = None,
    page: int = 0,
    switch: SwitchChoice = BY_DMCC,
) -> str:
    """Write an instance's settings, in the form in which a site would write them.

    Args:
        name: of the instance.
        port: of the page; 0 takes a free one.
        aes: where the simulated AES listens, host and port.
        diallers: where the simulated diallers listen, in the order of ``DIALLER_NAMES``.
        cluster: that it is part of; None for an instance alone.
        page: port of the page that is printed first, whose other name may use scripts; 0 for this instance's own.
        switch: by what it reaches the switch.
    """
    text = f"""\
instance = "{name}"

[http]
host = "{HOST}"
port = {port}
drain_wait_s = 0.0          # nobody balances here
drain_limit_s = 3.0

[jsonp]
enabled = true              # for the sample page, also from another instance and under another name
callers = {json.dumps([foreign_origin(page or port), *(cluster.urls.values() if cluster else ())])}
{_cluster(name, cluster) if cluster is not None else ""}
{switch.settings("aes-1", *aes)}
[sessions]
capacity = 100

[[sessions.not_ready_reasons]]
code = 1
label = {{ en = "Break", hu = "Szünet" }}
maximum_min = 15

[[sessions.not_ready_reasons]]
code = 2
label = {{ en = "Lunch", hu = "Ebéd" }}
maximum_min = 45

[[sessions.not_ready_reasons]]
code = 3
label = {{ en = "Meeting", hu = "Megbeszélés" }}

[[sessions.not_ready_reasons]]
code = 4
label = {{ en = "Training", hu = "Képzés" }}

[[sessions.log_out_reasons]]
code = 1
label = {{ en = "End of shift", hu = "Műszak vége" }}

[[sessions.log_out_reasons]]
code = 2
label = {{ en = "Moving desk", hu = "Helyváltás" }}

[log]
level = "info"
json = false
"""
    for dialler, (host, dialler_port) in zip(DIALLER_NAMES, diallers, strict=True):
        text += f"""
[[diallers]]
name = "{dialler}"
host = "{host}"
port = {dialler_port}
key_field = "ACCTNUM"
fields = ["NAME", "ACCTNUM", "PHONE1", "PHONE2", "CITY", "BAL", "PAYDAY", "NOTE"]
editable_fields = ["PHONE2", "PAYDAY", "NOTE"]
"""
    return text


def _cluster(name: str, cluster: ClusterPlan) -> str:
    return f"""\

[cluster]
name = "demo"
url = "{cluster.urls[name]}"
keys_file = "{cluster.keys_file}"

[cluster.store]
endpoints = ["{HOST}:{cluster.store}"]
prefix = "/ua/demo/"
"""
