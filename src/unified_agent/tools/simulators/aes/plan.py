"""What the simulated switch is built from: its numbers, people and rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from unified_agent.errors import SettingsError


class AfterCallWork(StrEnum):
    """Which agents go to after-call work when a call of a hunt group ends."""

    MANUAL_IN = "manual-in"
    ALWAYS = "always"
    NEVER = "never"


class MergedCallId(StrEnum):
    """Which id a call has after transfer and conference: that of the active call, of the held one, or a new one.

    The aes-dmcc reference shows ACTIVE; clients must take the id from the event, so the others find those who guess.
    """

    ACTIVE = "active"
    HELD = "held"
    NEW = "new"


class OutsideBehaviour(StrEnum):
    """What an outside number does when it is called."""

    ANSWER = "answer"
    NO_ANSWER = "no-answer"
    BUSY = "busy"
    UNOBTAINABLE = "unobtainable"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideRule:
    """What outside numbers with a certain ending do; the first rule that fits counts.

    Attributes:
        ends_with: last digits; empty fits every number.
        behaviour: see ``OutsideBehaviour``.
        ring_s: shortest and longest ringing before an answer, uniform.
        talk_s: shortest and longest talk before the far end hangs up, uniform; None: it never does.
    """

    ends_with: str
    behaviour: OutsideBehaviour = OutsideBehaviour.ANSWER
    ring_s: tuple[float, float] = (1.0, 4.0)
    talk_s: tuple[float, float] | None = None


DEFAULT_OUTSIDE_RULES = (
    OutsideRule(ends_with="0001", behaviour=OutsideBehaviour.BUSY),
    OutsideRule(ends_with="0002", behaviour=OutsideBehaviour.NO_ANSWER),
    OutsideRule(ends_with="0003", behaviour=OutsideBehaviour.UNOBTAINABLE),
    OutsideRule(ends_with="0004", ring_s=(1.0, 1.0), talk_s=(5.0, 5.0)),
    OutsideRule(ends_with=""),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StationPlan:
    """One station.

    Attributes:
        number: its extension.
        auto_answer: calls of hunt groups are answered by themselves, as with a headset in auto-answer.
    """

    number: str
    auto_answer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPlan:
    """One agent: login id, password (digits) and the hunt groups served."""

    agent_id: str
    password: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPlan:
    """One hunt group."""

    number: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VdnPlan:
    """One number whose calls go to a hunt group."""

    number: str
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchPlan:
    """The whole switch.

    Attributes:
        name: switch name, part of every device id.
        stations, agents, groups, vdns: what there is.
        appearances: calls a station can have at once; one more finds it busy.
        auto_hold: answering or retrieving puts the active call on hold; without it such a request is refused.
        report_busy: an agent in a call is told as ``agentBusy``, not as ``agentReady``.
        no_answer_s: a group's call that rings this long goes back to the head of its queue, and the agent to AUX;
            0: it rings until somebody does something.
        no_answer_reason: the reason code of that AUX.
        after_call_work: see ``AfterCallWork``.
        timed_work_s: after-call work of an auto-in agent ends by itself after this long; None: the agent ends it.
        auto_answer_s: how long a call rings at a station in auto-answer.
        lift_s: how long a person takes to lift the handset when a call is made with prompt.
        tone_s: how long a caller hears the busy tone before the switch clears the call.
        outside_digits: unknown numbers with at least this many digits are outside.
        outside_rules: what outside numbers do.
        merged_call_id: see ``MergedCallId``.
        node: switch node number in universal call ids.

    Raises:
        SettingsError: two things have one number, or something refers to a group that is not there.
    """

    name: str = "CM1"
    stations: tuple[StationPlan, ...] = ()
    agents: tuple[AgentPlan, ...] = ()
    groups: tuple[GroupPlan, ...] = ()
    vdns: tuple[VdnPlan, ...] = ()
    appearances: int = 3
    auto_hold: bool = False
    report_busy: bool = True
    no_answer_s: float = 30.0
    no_answer_reason: int = 0
    after_call_work: AfterCallWork = AfterCallWork.MANUAL_IN
    timed_work_s: float | None = None
    auto_answer_s: float = 1.0
    lift_s: float = 2.0
    tone_s: float = 30.0
    outside_digits: int = 5
    outside_rules: tuple[OutsideRule, ...] = DEFAULT_OUTSIDE_RULES
    merged_call_id: MergedCallId = MergedCallId.ACTIVE
    node: int = 1

    def __post_init__(self) -> None:
        numbers = [
            *(station.number for station in self.stations),
            *(agent.agent_id for agent in self.agents),
            *(group.number for group in self.groups),
            *(vdn.number for vdn in self.vdns),
        ]
        if len(numbers) != len(set(numbers)):
            twice = sorted({number for number in numbers if numbers.count(number) > 1})
            raise SettingsError(f"numbers given twice in the switch plan: {', '.join(twice[:5])}")
        known = {group.number for group in self.groups}
        wanted = {vdn.group for vdn in self.vdns} | {number for agent in self.agents for number in agent.groups}
        if wanted - known:
            raise SettingsError(f"hunt groups not in the switch plan: {', '.join(sorted(wanted - known))}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberPlan:
    """Stations and agents numbered in a row, with one hunt group behind one VDN.

    Attributes:
        agents: how many, each with a station.
        first_station: number of the first station.
        first_agent: id of the first agent. Where the rows would meet, agents begin at ten times this number.
        password: of every agent; ``{id}`` in it stands for the agent's id.
        group: number of the hunt group.
        vdn: number of the VDN.
        auto_answer: every station answers calls of the group by itself.
    """

    agents: int = 100
    first_station: int = 2001
    first_agent: int = 5001
    password: str = "1234"  # noqa: S105 - the default that the documentation names
    group: str = "100"
    vdn: str = "8000"
    auto_answer: bool = False

    def __post_init__(self) -> None:
        if self.agents < 0 or self.first_station < 1 or self.first_agent < 1:
            raise SettingsError("numbers: agents must be 0 or more, first_station and first_agent 1 or more")


def fill_plan(rules: SwitchPlan, numbers: NumberPlan) -> SwitchPlan:
    """Return a switch with the rules of one plan and the stations, agents, group and VDN of numbers in a row.

    Raises:
        SettingsError: the rows overlap each other or the numbers of group and VDN.
    """
    first = numbers.first_agent
    if numbers.first_station < first < numbers.first_station + numbers.agents:
        first *= 10
    rows = range(numbers.agents)
    return replace(
        rules,
        stations=tuple(
            StationPlan(number=str(numbers.first_station + index), auto_answer=numbers.auto_answer) for index in rows
        ),
        agents=tuple(
            AgentPlan(
                agent_id=str(first + index),
                password=numbers.password.replace("{id}", str(first + index)),
                groups=(numbers.group,),
            )
            for index in rows
        ),
        groups=(GroupPlan(number=numbers.group, name="Sales"),),
        vdns=(VdnPlan(number=numbers.vdn, group=numbers.group),),
    )


def numbered_plan(*, agents: int = 10) -> SwitchPlan:
    """Return the switch of default rules and numbers with so many agents."""
    return fill_plan(SwitchPlan(), NumberPlan(agents=agents))
