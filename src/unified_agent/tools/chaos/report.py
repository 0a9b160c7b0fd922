"""The figures of a run, as JSON and as a table: what went wrong, and which aims were missed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from msgspec import Struct

from unified_agent.tools.load.report import Machine

#: How long a desktop may be out of step while it is moved in good order, seconds: its old server may close before the
#: view of the new one has come.
PLANNED_OUTAGE_S: Final = 1.0
_WIDTH: Final = 21


class Times(Struct, frozen=True, kw_only=True):
    """How long something took for so many agents, seconds; all zero for none."""

    count: int = 0
    p50_s: float = 0.0
    p95_s: float = 0.0
    p99_s: float = 0.0
    most_s: float = 0.0

    @classmethod
    def of(cls, times_s: Iterable[float]) -> Times:
        """Describe times, in any order."""
        ordered = sorted(times_s)
        if not ordered:
            return cls()
        last = len(ordered) - 1
        p50_s, p95_s, p99_s = (round(ordered[round(last * share)], 3) for share in (0.50, 0.95, 0.99))
        return cls(count=len(ordered), p50_s=p50_s, p95_s=p95_s, p99_s=p99_s, most_s=round(ordered[last], 3))


class Aims(Struct, frozen=True, kw_only=True):
    """What is hoped for, seconds from the fault; None: nothing.

    Attributes:
        back_p50_s, back_p95_s, back_p99_s: until so many of 100 agents are at work again.
        attached_p95_s: until so many are shown what is so by another instance.
    """

    back_p50_s: float | None = None
    back_p95_s: float | None = None
    back_p99_s: float | None = None
    attached_p95_s: float | None = None


NO_AIMS: Final = Aims()


class Reaction(Struct, frozen=True, kw_only=True):
    """What one fault did to the agents. All times are counted from the fault.

    Attributes:
        scenario, title: which.
        struck: the instances that served nobody any more.
        agents: whose desktops were there; ``others``: all the rest.
        noticed: until the desktops knew that their instance was gone; none of those that were moved in good order.
        attached: until another instance had shown them what is so; ``greyed``: how many of them were shown that their
            agent is not known for a moment.
        back: until they showed their agent at work again. ``lost``: how many never did.
        truthful: of how many agents, ``others`` included, desktop, session, switch and dialler agreed then.
        moved_in_order: how many desktops changed their instance without being out of step; ``outage``: how long the
            others were, from the last sign of life to the next view.
        others_disturbed: how many of the others did not show their agent at work for a moment; ``others_out``: how
            long.
        disturbed_by_healing: how many of all did not, while the fault was being undone.
        sessions_ended: how many sessions the system ended, anybody's, by the reason it gave.
        gaps: notices found missing; each cost a snapshot.
        commands_unknown: commands whose desktop did not learn what became of them within 5 s of being at work again.
        healing_s: how long it took until the cluster was whole again.
        truthful_after_healing: of how many agents all agreed then.
        differences: what those differ in who never agreed.
        back_limit_s, aims, planned: what was asked for; see ``Scenario``.
    """

    scenario: str
    title: str
    struck: list[str]
    agents: int
    others: int
    noticed: Times
    attached: Times
    greyed: int
    back: Times
    lost: int
    truthful: int
    moved_in_order: int
    outage: Times
    others_disturbed: int
    others_out: Times
    disturbed_by_healing: int
    sessions_ended: dict[str, int]
    gaps: int
    commands_unknown: int
    healing_s: float
    truthful_after_healing: int
    differences: list[str]
    back_limit_s: float | None
    aims: Aims
    planned: bool


class Broken(Struct, frozen=True, kw_only=True):
    """A rule that the histories show broken: which, in a sentence, during which scenario, and the proof as recorded."""

    kind: str
    sentence: str
    scenario: str
    proof: list[str]


class ChaosReport(Struct, frozen=True, kw_only=True):
    """A whole run.

    Attributes:
        version: of Unified Agent.
        began: RFC 3339.
        machine: where; everything ran on it.
        agents, on_dialler, calls_per_minute: what was put on.
        lease_s, election_s: of instances and of the store.
        reactions: the faults, in order.
        broken: what the histories show.
        recorded: how many entries the histories have.
    """

    version: str
    began: str
    machine: Machine
    agents: int
    on_dialler: int
    calls_per_minute: float
    lease_s: float
    election_s: float
    reactions: list[Reaction]
    broken: list[Broken]
    recorded: int


def wrong(report: ChaosReport) -> list[str]:
    """Say what must not be, on any machine, one sentence each."""
    found = [f"{each.scenario}: {each.kind}: {each.sentence}" for each in report.broken]
    if not report.recorded:
        found.append("the instances recorded nothing, so nothing is proven")
    return found + [f"{each.scenario}: {line}" for each in report.reactions for line in _wrong(each)]


def missed(report: ChaosReport) -> list[str]:
    """Say which aims were missed, one sentence each."""
    return [f"{each.scenario}: {line}" for each in report.reactions for line in _missed(each)]


def _missed(each: Reaction) -> Iterator[str]:
    aims, back = each.aims, each.back
    for share, what, took_s, aim_s in (
        (50, "at work", back.p50_s, aims.back_p50_s),
        (95, "at work", back.p95_s, aims.back_p95_s),
        (99, "at work", back.p99_s, aims.back_p99_s),
        (95, "attached", each.attached.p95_s, aims.attached_p95_s),
    ):
        if aim_s is not None and took_s > aim_s:
            yield f"{share} of 100 agents {what} after {took_s:.1f} s, aim {aim_s:g} s"


def _wrong(each: Reaction) -> Iterator[str]:
    everyone = each.agents + each.others
    if each.lost:
        yield f"{each.lost} of {each.agents} agents were not at work again"
    elif each.back_limit_s is not None and each.back.p99_s > each.back_limit_s:
        yield f"99 of 100 agents at work after {each.back.p99_s:.1f} s, limit {each.back_limit_s:.0f} s"
    if each.others_disturbed:
        yield f"{each.others_disturbed} of {each.others} agents were disturbed who should not have been"
    if each.planned and each.outage.most_s > PLANNED_OUTAGE_S:
        limit_s = PLANNED_OUTAGE_S
        yield f"a desktop moved in good order was out of step for {each.outage.most_s:.1f} s, limit {limit_s:.0f} s"
    for reason, count in sorted(each.sessions_ended.items()):
        yield f"{count} sessions ended by the system: {reason}"
    for count, what in (
        (each.disturbed_by_healing, "agents disturbed by healing"),
        (each.commands_unknown, "commands unknown after 5 s"),
        (everyone - each.truthful, "agents whose truths did not agree"),
        (everyone - each.truthful_after_healing, "agents whose truths did not agree after healing"),
    ):
        if count:
            yield f"{count} {what}"


def as_json(report: ChaosReport) -> bytes:
    """Write it as JSON, with ``wrong`` and ``missed`` beside the figures."""
    figures = {**msgspec.to_builtins(report), "wrong": wrong(report), "missed": missed(report)}
    return msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n"


def as_table(report: ChaosReport) -> str:
    """Write it for people."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: ChaosReport) -> Iterator[str]:
    machine = report.machine
    yield (
        f"{report.agents} agents, {report.on_dialler} of them at the dialler, on four instances in two datacentres, "
        f"one active; lease {report.lease_s:g} s, election timeout {report.election_s:g} s"
    )
    yield f"all on {machine.processors} × {machine.processor}, Python {machine.python}"
    yield ""
    yield f"{'':{_WIDTH}} agents      noticed     attached        at work again, seconds      others   after healing"
    yield f"{'':{_WIDTH}}            p50   p99    p50   p99    p50    p95    p99   most   disturbed   truthful"
    for each in report.reactions:
        noticed, attached, back = each.noticed, each.attached, each.back
        yield (
            f"{each.scenario:{_WIDTH}} {each.agents:6} {noticed.p50_s:8.2f}{noticed.p99_s:6.2f} "
            f"{attached.p50_s:6.2f}{attached.p99_s:6.2f} {back.p50_s:6.2f} {back.p95_s:6.2f} {back.p99_s:6.2f} "
            f"{back.most_s:6.2f} {each.others_disturbed:11} {each.truthful_after_healing:10}"
        )
        if each.moved_in_order:
            yield f"    {each.moved_in_order} moved without being out of step, the others {_how_long(each.outage)}"
        yield from (f"    {line}" for line in each.differences)
    yield ""
    yield f"{report.recorded} claims, commands and deeds recorded; {len(report.broken)} rules broken"
    for broken in report.broken:
        yield f"    {broken.kind} during {broken.scenario}: {broken.sentence}"
        yield from (f"        {line}" for line in broken.proof)
    for found, well, ill in (
        (wrong(report), "nothing went wrong", "wrong:"),
        (missed(report), "all aims met", "aims missed on this machine:"),
    ):
        yield ill if found else well
        yield from (f"    {line}" for line in found)


def _how_long(outage: Times) -> str:
    return f"for {outage.p50_s:.2f} s, at most {outage.most_s:.2f} s" if outage.count else "are none"
