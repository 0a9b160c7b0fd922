"""Dates and times of callbacks."""

from __future__ import annotations

import pytest
from tests.unit.tools.simulators.apc.bench import NOON

from unified_agent.tools.simulators.apc.callbacks import due_in_s
from unified_agent.tools.simulators.apc.floor import Refused


@pytest.mark.parametrize(
    ("date", "time", "code"),
    [
        ("01.12.2026", "0930", "E28832"),
        ("tomorrow", "0930", "E28831"),
        ("2026/13/01", "0930", "E28833"),
        ("1999/12/01", "0930", "E28834"),
        ("2026/12/32", "0930", "E28835"),
        ("2026/02/30", "0930", "E28835"),
        ("2026/12/01", "noon", "E28836"),
        ("2026/12/01", "2430", "E28837"),
        ("2026/12/01", "13:00p", "E28837"),
        ("2026/12/01", "0960", "E28838"),
        ("2026/12/01", "9:30", "E28840"),
        ("2026/12/01", "2130", "E28848"),
    ],
)
def test_date_and_time_that_cannot_be(date: str, time: str, code: str) -> None:
    with pytest.raises(Refused, match=code):
        due_in_s(date, time, NOON, (8, 21))


@pytest.mark.parametrize(
    ("date", "time", "hours"),
    [("2026/11/23", "1330", 1.5), ("2026/11/23", "0130p", 1.5), ("2026/11/24", "12:00a", 12.0), ("", "02:00+", 2.0)],
)
def test_callback_is_due_when_it_says(date: str, time: str, hours: float) -> None:
    assert due_in_s(date, time, NOON, (0, 24)) == hours * 3600
