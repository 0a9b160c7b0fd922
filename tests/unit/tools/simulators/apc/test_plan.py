"""Plans, options and invented customers."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from tests.unit.wire.apc.vectors import FOLDER

from unified_agent.errors import SettingsError
from unified_agent.tools.simulators.apc.command import ApcOptions, plan_of
from unified_agent.tools.simulators.apc.plan import Arrivals, JobPlan, load_plan, read_plan
from unified_agent.tools.simulators.apc.records import CallList

JOB = '[[jobs]]\nname = "SPRING25"\n'


def test_sample_has_a_job_of_each_kind_and_a_rule_for_passwords() -> None:
    plan = load_plan()
    assert [job.type for job in plan.jobs] == ["O", "B", "M", "I"]
    assert plan.password_of("agent0042") == "secret"
    assert plan.password_of("agent42") is None
    assert plan.password_of("jsmith") == "Pa55word"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stepp_s = 1\n" + JOB, "did you mean 'step_s'"),
        (JOB + "traffic = { wiat_s = 1.0 }", "did you mean 'wait_s'"),
        (JOB + 'fields = [{ name = "X", lenght = 3 }]', "did you mean 'length'"),
        ("", "at least one job"),
        (JOB + JOB, "name of its own"),
        (JOB + 'type = "X"', "type must be"),
        (JOB + "traffic = { jitter = 2.0 }", "between 0 and 1"),
        (JOB + "traffic = { answer_share = 0.0 }", "answer_share"),
        (JOB + "traffic = { wait_s = -1.0 }", "negative"),
        (JOB + "keys = [{ code = 201, text = 'x' }]", "between 0 and 200"),
        (JOB + "records = 0", "at least one record"),
        (JOB + "given_records = [{ NOSUCH = 'x' }]", "unknown fields"),
        (JOB + "fields = [{ name = 'A', type = 'Z' }]", "one of the types"),
        ("agent_pattern = '('\n" + JOB, "regular expression"),
        ("process_number = 1000000\n" + JOB, "6 digits"),
        ("step_s = -1.0\n" + JOB, "negative"),
        ("step_s = 'x'\n" + JOB, "step_s"),
        ("= 1", "line 1"),
    ],
)
def test_plan_that_is_wrong_names_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)) as refused:
        read_plan(text, "plan.toml")
    assert "plan.toml" in str(refused.value) or "settings" in refused.value.code


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"missing\.toml"):
        load_plan(tmp_path / "missing.toml")


def test_options_win_over_the_plan() -> None:
    plan = plan_of(ApcOptions(config=FOLDER / "canonical.toml", accept_any=True, wait_s=9.0, stale_logon_s=3.0))
    assert plan.accept_any
    assert plan.stale_logon_s == 3.0
    assert {job.traffic.wait_s for job in plan.jobs} == {9.0}
    assert plan.jobs[0].traffic.answer_share == 1.0
    rated = plan_of(ApcOptions(calls_per_minute=120.0))
    assert {(job.traffic.arrivals, job.traffic.calls_per_minute) for job in rated.jobs} == {(Arrivals.POISSON, 120.0)}


def test_option_that_cannot_be_is_refused() -> None:
    with pytest.raises(SettingsError):
        plan_of(ApcOptions(wait_s=-1.0))


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
