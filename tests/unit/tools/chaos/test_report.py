"""The figures of a run in words, and what is called wrong or missed."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from unified_agent.tools.chaos.report import (
    Aims,
    Broken,
    ChaosReport,
    Reaction,
    Times,
    as_json,
    as_table,
    missed,
    wrong,
)
from unified_agent.tools.load.report import Machine

WELL = Reaction(
    scenario="kill",
    title="a serving process is killed",
    struck=["a1"],
    agents=30,
    others=30,
    noticed=Times.of([0.01] * 30),
    attached=Times.of([1.0] * 30),
    greyed=12,
    back=Times.of([2.0] * 30),
    lost=0,
    truthful=60,
    moved_in_order=0,
    outage=Times.of([1.5] * 30),
    others_disturbed=0,
    others_out=Times(),
    disturbed_by_healing=0,
    sessions_ended={},
    gaps=0,
    commands_unknown=0,
    healing_s=3.0,
    truthful_after_healing=60,
    differences=[],
    back_limit_s=10.0,
    aims=Aims(back_p50_s=2.5, back_p95_s=3.0, back_p99_s=5.0, attached_p95_s=2.0),
    planned=False,
)


def report(*reactions: Reaction, broken: tuple[Broken, ...] = (), recorded: int = 500) -> ChaosReport:
    return ChaosReport(
        version="0.1.0",
        began="2026-01-01T00:00:00.000Z",
        machine=Machine(processor="made up", processors=2, memory_bytes=1),
        agents=60,
        on_dialler=30,
        calls_per_minute=1.0,
        lease_s=6.0,
        election_s=1.0,
        reactions=list(reactions),
        broken=list(broken),
        recorded=recorded,
    )


def test_times_say_how_many_waited_how_long() -> None:
    times = Times.of(number / 100 for number in range(100, 0, -1))
    assert (times.count, times.p50_s, times.p95_s, times.p99_s, times.most_s) == (100, 0.51, 0.95, 0.99, 1.0)
    assert Times.of([]) == Times()


def test_a_run_in_which_all_is_as_it_should_be_misses_nothing() -> None:
    assert wrong(report(WELL)) == missed(report(WELL)) == []
    assert "nothing went wrong\nall aims met" in as_table(report(WELL))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"lost": 2}, "kill: 2 of 30 agents were not at work again"),
        ({"back": Times.of([11.0] * 30)}, "kill: 99 of 100 agents at work after 11.0 s, limit 10 s"),
        ({"others_disturbed": 1}, "kill: 1 of 30 agents were disturbed who should not have been"),
        ({"planned": True}, "kill: a desktop moved in good order was out of step for 1.5 s, limit 1 s"),
        ({"disturbed_by_healing": 3}, "kill: 3 agents disturbed by healing"),
        ({"sessions_ended": {"idle": 1}}, "kill: 1 sessions ended by the system: idle"),
        ({"commands_unknown": 1}, "kill: 1 commands unknown after 5 s"),
        ({"truthful": 58}, "kill: 2 agents whose truths did not agree"),
        ({"truthful_after_healing": 59}, "kill: 1 agents whose truths did not agree after healing"),
    ],
)
def test_whatever_is_not_as_it_should_be_is_said_in_a_sentence(changes: dict[str, Any], sentence: str) -> None:
    assert wrong(report(replace(WELL, **changes))) == [sentence]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"back": Times.of([2.8] * 30)}, "kill: 50 of 100 agents at work after 2.8 s, aim 2.5 s"),
        ({"back": Times.of([2.0] * 25 + [4.0] * 5)}, "kill: 95 of 100 agents at work after 4.0 s, aim 3 s"),
        ({"back": Times.of([2.0] * 98 + [6.0] * 2)}, "kill: 99 of 100 agents at work after 6.0 s, aim 5 s"),
        ({"attached": Times.of([2.1] * 30)}, "kill: 95 of 100 agents attached after 2.1 s, aim 2 s"),
    ],
)
def test_an_aim_that_was_missed_is_told_and_nothing_wrong(changes: dict[str, Any], sentence: str) -> None:
    told = report(replace(WELL, **changes))
    assert missed(told) == [sentence]
    assert wrong(told) == []
    assert f"aims missed on this machine:\n    {sentence}" in as_table(told)


def test_a_broken_rule_is_wrong_and_told_with_its_proof() -> None:
    broken = Broken(kind="double-owner", sentence="a1 and a2", scenario="kill", proof=["1.0 a1 claimed"])
    told = report(WELL, broken=(broken,))
    assert wrong(told) == ["kill: double-owner: a1 and a2"]
    assert "1.0 a1 claimed" in as_table(told)


def test_histories_that_are_empty_prove_nothing_and_that_is_wrong() -> None:
    assert wrong(report(WELL, recorded=0)) == ["the instances recorded nothing, so nothing is proven"]


def test_the_json_holds_every_figure_and_what_was_missed() -> None:
    figures = msgspec.json.decode(as_json(report(replace(WELL, gaps=4))))
    assert figures["reactions"][0]["gaps"] == 4
    assert figures["wrong"] == figures["missed"] == []


def test_the_table_has_a_line_for_each_fault_and_what_differed() -> None:
    other = replace(WELL, scenario="switch", moved_in_order=29, differences=["agent 3: not back at work"])
    table = as_table(report(WELL, other))
    assert [line.split()[0] for line in table.splitlines() if line.startswith(("kill", "switch"))] == ["kill", "switch"]
    assert "agent 3: not back at work" in table
    assert "29 moved without being out of step, the others for 1.50 s, at most 1.50 s" in table
