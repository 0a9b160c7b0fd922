"""Figures as table and JSON, and the aims that were missed."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from unified_agent.tools.load.report import (
    Machine,
    Phase,
    ProcessFigures,
    Recovery,
    Report,
    Spread,
    as_json,
    as_table,
    missed_aims,
)

QUICK = Spread(count=10, p50_s=0.001, p99_s=0.004, most_s=0.009)
RECOVERY = Recovery(
    scenario="aes-cut",
    title="AES is gone",
    agents=10,
    told=10,
    truthful=10,
    noticed_after_s=0.01,
    told_after_s=QUICK,
    outage_s=3.0,
    back_after_s=Spread(count=10, p50_s=3.0, p99_s=6.0, most_s=6.1),
    truthful_after_s=6.2,
    notice_delay=QUICK,
    instance_cpu_share=0.4,
    differences=[],
    late=["agent 4: call 7: switch says alerting, desktop shows none"],
    noticed_aim_s=None,
    back_aim_s=10.0,
)
PHASE = Phase(
    seconds=300.0,
    notice_delay=QUICK,
    processes=(
        ProcessFigures(name="instance", cpu_share=0.08, resident_bytes=110_000_000, peak_bytes=120_000_000),
        ProcessFigures(name="aes", cpu_share=0.02, resident_bytes=68_000_000, peak_bytes=68_000_000),
    ),
    machine_busy=0.3,
    loop_lag_s=0.01,
    pressed={"answer-call": 5},
)
REPORT = Report(
    version="0.1.0",
    began="2026-11-22T15:40:51.123Z",
    machine=Machine(processor="Some Processor", processors=2, memory_bytes=8_000_000_000),
    agents=10,
    on_dialler=5,
    calls_per_minute=1.0,
    logging_in=PHASE,
    working=PHASE,
    agreed_while_working=10,
    recoveries=[RECOVERY],
    agreed_at_rest=10,
    reconnects=0,
    gaps=0,
)


def with_recovery(**changed: Any) -> Report:
    return replace(REPORT, recoveries=[replace(RECOVERY, **changed)])


def test_a_good_run_misses_no_aim():
    assert missed_aims(REPORT) == []
    assert "all aims met" in as_table(REPORT)


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        (
            replace(REPORT, working=replace(PHASE, notice_delay=replace(QUICK, p99_s=0.051))),
            "notice delay p99 51 ms, aim 50 ms",
        ),
        (replace(REPORT, agreed_while_working=9), "truths agreed while working for 9 of 10 agents"),
        (replace(REPORT, agreed_at_rest=9), "truths agreed at rest for 9 of 10 agents"),
        (with_recovery(noticed_after_s=None), "aes-cut: never noticed"),
        (with_recovery(noticed_after_s=10.4, noticed_aim_s=10.0), "aes-cut: noticed after 10.40 s, aim 10 s"),
        (with_recovery(told=9), "aes-cut: 9 of 10 desktops were told"),
        (
            with_recovery(told_after_s=replace(QUICK, most_s=1.2)),
            "aes-cut: last desktop told after 1.20 s, aim 1 s",
        ),
        (with_recovery(truthful=9), "aes-cut: 9 of 10 agents were truthful again"),
        (with_recovery(truthful_after_s=11.0), "aes-cut: last agent truthful after 11.00 s, aim 10 s"),
    ],
)
def test_an_aim_that_is_missed_is_told_with_figure_and_aim(report, sentence):
    assert missed_aims(report) == [sentence]
    assert sentence in as_table(report)
    assert msgspec.json.decode(as_json(report))["missed_aims"] == [sentence]


def test_the_json_carries_every_figure():
    figures = msgspec.json.decode(as_json(REPORT))
    assert figures["recoveries"][0]["truthful_after_s"] == 6.2
    assert figures["working"]["processes"][0]["cpu_share"] == 0.08


def test_the_table_shows_the_losses_their_differences_and_what_was_pressed():
    table = as_table(with_recovery(noticed_after_s=None, differences=["agent 3: logged out"]))
    assert "agent 3: logged out" in table
    assert "a moment before the last: agent 4: call 7" in table
    assert "5 × answer-call" in table
    assert "healing, 3.0 s after the loss" in table
    assert "110 MB" in table


def test_a_world_that_is_not_ours_shows_no_cpu():
    assert "110 MB" not in as_table(
        replace(REPORT, logging_in=replace(PHASE, processes=()), working=replace(PHASE, processes=()))
    )


def test_a_spread_is_taken_of_ordered_figures():
    spread = Spread.of([each / 1000 for each in range(1, 102)])
    assert (spread.count, spread.p50_s, spread.p99_s, spread.most_s) == (101, 0.051, 0.1, 0.101)
    assert Spread.of([]) == Spread()
    assert Spread.of([2.0]).p99_s == 2.0
