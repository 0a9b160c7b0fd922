"""Calling lists and invented customers."""

from __future__ import annotations

import random
import re

from unified_agent.tools.simulators.apc.plan import JobPlan
from unified_agent.tools.simulators.apc.records import CallList


def test_customers_have_fictitious_numbers_and_values_that_fit() -> None:
    plan = JobPlan(name="SPRING25", records=200)
    records = CallList(plan, "O", random.Random(1)).records
    assert len(records) == 200
    lengths = {field.name: field.length for field in plan.fields}
    for record in records:
        assert re.fullmatch(r"\d{3}55501\d\d", record.fields["PHONE1"])
        assert all(len(value) <= lengths[name] for name, value in record.fields.items())
    assert len({record.fields["ACCTNUM"] for record in records}) == 200


def test_list_goes_round_and_invents_when_all_are_held() -> None:
    calling = CallList(JobPlan(name="A", records=2), "O", random.Random(1))
    first, second, third = calling.take(), calling.take(), calling.take()
    assert first is not None
    assert second is not None
    assert third is not None
    assert third.number == 3
    first.held = False
    assert calling.take() is first


def test_list_that_is_not_recycled_ends() -> None:
    calling = CallList(JobPlan(name="A", records=1, recycle=False), "O", random.Random(1))
    record = calling.take()
    assert record is not None
    record.held = False
    assert calling.take() is None
