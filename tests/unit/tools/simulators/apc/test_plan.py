"""Plans read from TOML."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unified_agent.errors import SettingsError
from unified_agent.tools.simulators.apc.plan import load_plan, read_plan

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
