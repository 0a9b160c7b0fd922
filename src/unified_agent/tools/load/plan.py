"""How many agents with which numbers, how busy they are, and the settings of instance and simulators for that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from unified_agent.client import DiallerLogin
from unified_agent.errors import SettingsError
from unified_agent.tools.switch_choice import BY_DMCC, SwitchChoice

#: Names of the diallers in the instance's settings, in the order in which it prefers them.
DIALLER_NAMES: Final = ("dialler-1", "dialler-2")
JOB: Final = "LOAD"
#: The hunt group's number that callers dial.
VDN: Final = "8000"
#: Means of what customers do, seconds. What agents do is in ``presses``; together they make about a call a minute.
TALK_S: Final = 25.0
DIALLER_WAIT_S: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Who the agents are, by index from 0.

    Attributes:
        first_agent, first_station: numbers of the first one at the switch.
        password: of every agent at the switch.
        dialler_pattern: an agent's name at the dialler; ``{n}`` is the index.
        dialler_password: of every agent there.
        job: what those at the dialler join.
    """

    first_agent: int = 50_001
    first_station: int = 20_001
    password: str = "1234"  # noqa: S105 - a simulator's
    dialler_pattern: str = "agent{n:04d}"
    dialler_password: str = "secret"  # noqa: S105 - a simulator's
    job: str = JOB

    def agent(self, index: int) -> str:
        """The agent's id at the switch."""
        return str(self.first_agent + index)

    def station(self, index: int) -> str:
        """The agent's telephone."""
        return str(self.first_station + index)

    def dialler_login(self, index: int) -> DiallerLogin:
        """How the agent logs on to the dialler; its headset is the telephone."""
        return DiallerLogin(
            name=self.dialler_pattern.format(n=index),
            password=self.dialler_password,
            headset=self.station(index),
            job=self.job,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """What is put on the instance.

    Attributes:
        agents: how many, 1 to 9,999.
        share_on_dialler: how many of them work on a dialler's job, 0 to 1; the others take calls of the switch.
        calls_per_minute: of one agent who takes calls of the switch.
        numbers: who they are.
        switch: by what the instance reaches it.

    Raises:
        SettingsError: a value is out of its range.
    """

    agents: int = 1_000
    share_on_dialler: float = 0.5
    calls_per_minute: float = 1.0
    numbers: Numbers = Numbers()
    switch: SwitchChoice = BY_DMCC

    def __post_init__(self) -> None:
        if not 1 <= self.agents <= 9_999:
            raise SettingsError("--agents must be 1 to 9999")
        if not 0 <= self.share_on_dialler <= 1:
            raise SettingsError("--share-on-dialler must be between 0 and 1")
        if self.calls_per_minute <= 0:
            raise SettingsError("--calls-per-minute must be above 0")

    @property
    def on_dialler(self) -> int:
        """How many agents work on the dialler's job: every second one with a share of a half."""
        return round(self.agents * self.share_on_dialler)

    @property
    def calls_at_switch_per_minute(self) -> float:
        """How many callers ring in a minute."""
        return (self.agents - self.on_dialler) * self.calls_per_minute

    def uses_dialler(self, index: int) -> bool:
        """Say whether an agent works on the dialler's job; they are spread evenly among the others."""
        return (index + 1) * self.on_dialler // self.agents > index * self.on_dialler // self.agents


def aes_file(plan: LoadPlan) -> str:
    """Write the plan of the simulated AES. No callers yet: ``world`` starts them when the agents are there."""
    numbers = plan.numbers
    return f"""\
[numbers]
agents = {plan.agents}
first_station = {numbers.first_station}
first_agent = {numbers.first_agent}
password = "{numbers.password}"
vdn = "{VDN}"

[switch]
after_call_work = "always"

[[traffic]]
number = "{VDN}"
calls_per_minute = 0.0
talk = {{ kind = "lognormal", mean_s = {TALK_S}, spread_s = 10.0, least_s = 3.0 }}
"""


def apc_file(plan: LoadPlan) -> str:
    """Write the plan of a simulated dialler."""
    wait_s = DIALLER_WAIT_S / plan.calls_per_minute
    return f"""\
agent_pattern = 'agent\\d{{4}}'
password = "{plan.numbers.dialler_password}"
slots = 20000
agents_limit = 10000
headsets_limit = 10000

[[jobs]]
name = "{plan.numbers.job}"
type = "O"
records = {max(500, 3 * plan.agents)}
traffic = {{ arrivals = "paced", wait_s = {wait_s}, talk_s = {TALK_S}, answer_share = 1.0 }}
"""


def instance_file(plan: LoadPlan, aes: tuple[str, int], diallers: list[tuple[str, int]]) -> str:
    """Write the instance's settings: defaults, but for what a test from one address on free ports needs.

    Args:
        plan: what is put on it.
        aes: where the simulated AES listens, host and port.
        diallers: where the simulated diallers listen, in the order of ``DIALLER_NAMES``.
    """
    text = f"""\
instance = "load"

[http]
host = "127.0.0.1"
port = 0
login_rate_per_min = 1000000
drain_wait_s = 0.0
drain_rate_per_s = 100000.0
drain_limit_s = 5.0

{plan.switch.settings("aes-1", *aes)}
[sessions]
capacity = {plan.agents + 100}

[log]
level = "info"
json = true
"""
    for name, (host, port) in zip(DIALLER_NAMES, diallers, strict=False):
        text += f"""
[[diallers]]
name = "{name}"
host = "{host}"
port = {port}
key_field = "ACCTNUM"
fields = ["NAME", "ACCTNUM", "PHONE1", "CITY", "BAL"]
"""
    return text
