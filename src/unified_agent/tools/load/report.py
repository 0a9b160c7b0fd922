"""The figures of a run, as JSON and as a table, and which aims were missed."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from unified_agent.tools.load.scenarios import TOLD_AIM_S

#: From an envelope's ``at`` to its receipt, 99 of 100 within this, seconds: aimed at, while agents work.
DELAY_P99_AIM_S: Final = 0.050


class Spread(Struct, frozen=True, kw_only=True):
    """How a figure is spread, seconds; all zero when there is none."""

    count: int = 0
    p50_s: float = 0.0
    p99_s: float = 0.0
    most_s: float = 0.0

    @classmethod
    def of(cls, ordered: Sequence[float]) -> Spread:
        """Describe figures that are in ascending order."""
        if not ordered:
            return cls()
        last = len(ordered) - 1
        return cls(
            count=len(ordered),
            p50_s=round(ordered[round(last * 0.50)], 4),
            p99_s=round(ordered[round(last * 0.99)], 4),
            most_s=round(ordered[last], 4),
        )


class ProcessFigures(Struct, frozen=True, kw_only=True):
    """One process while the agents worked.

    Attributes:
        cpu_share: of one processor, 1.0 for all of it.
        resident_bytes, peak_bytes: memory at the end, and the most it ever held.
    """

    name: str
    cpu_share: float
    resident_bytes: int
    peak_bytes: int


class Phase(Struct, frozen=True, kw_only=True):
    """A time in which nothing was lost.

    Attributes:
        seconds: how long it took.
        notice_delay: from the envelopes' ``at`` to their receipt.
        processes: what each used.
        machine_busy: of all processors together, 1.0 for all of them: shows whether something else ran here.
        loop_lag_s: the worst lateness of the instance's loop that its status told of.
        pressed: what agents pressed and how it ended, and what went wrong, by how often.
    """

    seconds: float
    notice_delay: Spread
    processes: tuple[ProcessFigures, ...]
    machine_busy: float
    loop_lag_s: float
    pressed: dict[str, int]


class Recovery(Struct, frozen=True, kw_only=True):
    """One loss.

    Attributes:
        scenario, title: which.
        agents: how many it concerned; ``told`` and ``truthful``: how many of them were told, and were truthful at last.
        noticed_after_s: from the loss until the instance noticed; None when it never did.
        told_after_s: from then until the desktops were told.
        outage_s: from the loss until it was healed; 0 when it was for the instance alone to help itself.
        back_after_s: from healing until the desktops showed everything in its place.
        truthful_after_s: from healing until desktop, session, switch and dialler agreed about the last agent.
        notice_delay: of all notices meanwhile.
        instance_cpu_share: CPU of the instance meanwhile, of one processor; 0 when it cannot be watched.
        differences: what those differ in who never were truthful.
        late: what the last to become truthful differed in when they were asked about before.
        noticed_aim_s, back_aim_s: what was aimed at for ``noticed_after_s`` (None: nothing) and ``truthful_after_s``.
    """

    scenario: str
    title: str
    agents: int
    told: int
    truthful: int
    noticed_after_s: float | None
    told_after_s: Spread
    outage_s: float
    back_after_s: Spread
    truthful_after_s: float
    notice_delay: Spread
    instance_cpu_share: float
    differences: list[str]
    late: list[str]
    noticed_aim_s: float | None
    back_aim_s: float


class Machine(Struct, frozen=True, kw_only=True):
    """Where it ran."""

    processor: str
    processors: int
    memory_bytes: int
    system: str = platform.platform()
    python: str = platform.python_version()


class Report(Struct, frozen=True, kw_only=True):
    """A whole run.

    Attributes:
        version: of Unified Agent.
        began: RFC 3339.
        machine: where.
        agents, on_dialler, calls_per_minute: what was put on.
        logging_in: until all agents were at work.
        working: the time in which nothing was lost.
        agreed_while_working: of how many agents the four truths agreed at one asking or soon after, without a loss.
        recoveries: the losses.
        agreed_at_rest: of how many agents the four truths agreed at one moment, at the end, when nobody pressed.
        reconnects, gaps: over all desktops and the whole run: connections made again, and notices found missing.
    """

    version: str
    began: str
    machine: Machine
    agents: int
    on_dialler: int
    calls_per_minute: float
    logging_in: Phase
    working: Phase
    agreed_while_working: int
    recoveries: list[Recovery]
    agreed_at_rest: int
    reconnects: int
    gaps: int


def missed_aims(report: Report) -> list[str]:
    """Say which aims were missed, one sentence each."""
    return list(_missed(report))


def _missed(report: Report) -> Iterator[str]:
    delay = report.working.notice_delay
    if delay.p99_s > DELAY_P99_AIM_S:
        yield f"notice delay p99 {_ms(delay.p99_s)}, aim {_ms(DELAY_P99_AIM_S)}"
    for name, agreed in (("while working", report.agreed_while_working), ("at rest", report.agreed_at_rest)):
        if agreed < report.agents:
            yield f"truths agreed {name} for {agreed} of {report.agents} agents"
    for each in report.recoveries:
        if each.noticed_after_s is None:
            yield f"{each.scenario}: never noticed"
        elif each.noticed_aim_s is not None and each.noticed_after_s > each.noticed_aim_s:
            yield f"{each.scenario}: noticed after {each.noticed_after_s:.2f} s, aim {each.noticed_aim_s:.0f} s"
        if each.told < each.agents:
            yield f"{each.scenario}: {each.told} of {each.agents} desktops were told"
        elif each.told_after_s.most_s > TOLD_AIM_S:
            yield f"{each.scenario}: last desktop told after {each.told_after_s.most_s:.2f} s, aim {TOLD_AIM_S:.0f} s"
        if each.truthful < each.agents:
            yield f"{each.scenario}: {each.truthful} of {each.agents} agents were truthful again"
        elif each.truthful_after_s > each.back_aim_s:
            after_s, aim_s = each.truthful_after_s, each.back_aim_s
            yield f"{each.scenario}: last agent truthful after {after_s:.2f} s, aim {aim_s:.0f} s"


def as_json(report: Report) -> bytes:
    """Write it as JSON, with ``missed_aims`` beside the figures."""
    figures = {**msgspec.to_builtins(report), "missed_aims": missed_aims(report)}
    return msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n"


def as_table(report: Report) -> str:
    """Write it for people."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    machine = report.machine
    yield (
        f"{report.agents} agents, {report.on_dialler} of them at the dialler, {report.calls_per_minute:g} calls a "
        f"minute each; {machine.processors} × {machine.processor}, Python {machine.python}"
    )
    yield ""
    yield "                        seconds   notices     p50     p99    most   instance CPU   memory   machine"
    for name, phase in (("logging in", report.logging_in), ("working", report.working)):
        own = next((each for each in phase.processes if each.name == "instance"), None)
        cpu = f"{own.cpu_share:12.0%}   {own.resident_bytes / 1e6:4.0f} MB" if own else f"{'-':>12}   {'-':>7}"
        delay = phase.notice_delay
        yield (
            f"{name:20} {phase.seconds:10.1f} {delay.count:9} {_ms(delay.p50_s):>7} {_ms(delay.p99_s):>7} "
            f"{_ms(delay.most_s):>7} {cpu}   {phase.machine_busy:7.0%}"
        )
    others = [each for each in report.working.processes if each.name != "instance"]
    shares = ", ".join(f"{each.name} {each.cpu_share:.0%} {each.resident_bytes / 1e6:.0f} MB" for each in others)
    yield f"others while working: {shares}; instance's loop at most {_ms(report.working.loop_lag_s)} late"
    yield ""
    yield "                  agents  noticed      told      back   truthful   notice p99 instance CPU   after"
    for each in report.recoveries:
        noticed = "never" if each.noticed_after_s is None else f"{each.noticed_after_s:.2f} s"
        after = f"healing, {each.outage_s:.1f} s after the loss" if each.outage_s else "the loss"
        yield (
            f"{each.scenario:16} {each.agents:7} {noticed:>8} {each.told_after_s.most_s:7.2f} s "
            f"{each.back_after_s.most_s:7.2f} s {each.truthful_after_s:8.2f} s "
            f"{_ms(each.notice_delay.p99_s):>12} {each.instance_cpu_share:12.0%}   {after}"
        )
        yield from (f"    {line}" for line in each.differences)
        yield from (f"    a moment before the last: {line}" for line in each.late)
    yield ""
    yield (
        f"truths agreed for {report.agreed_while_working} agents while working, "
        f"for {report.agreed_at_rest} at rest, of {report.agents}; desktops reconnected {report.reconnects} times, "
        f"notices were missing {report.gaps} times"
    )
    for name, count in sorted(report.working.pressed.items()):
        yield f"    {count:7} × {name}"
    yield ""
    missed = missed_aims(report)
    yield "all aims met" if not missed else "aims missed:"
    yield from (f"    {line}" for line in missed)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
