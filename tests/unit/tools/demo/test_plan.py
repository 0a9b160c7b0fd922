import tomllib

import msgspec
import pytest

from unified_agent.settings import Settings
from unified_agent.tools.demo.plan import AGENTS, DIALLER_NAMES, JOB, LOGINS, aes_file, instance_file
from unified_agent.tools.simulators.aes.plan_file import read_plan_file
from unified_agent.tools.simulators.apc.plan import load_plan

DIALLERS = (("127.0.0.1", 22700), ("127.0.0.1", 22701))


def settings() -> Settings:
    return msgspec.convert(tomllib.loads(instance_file(0, ("127.0.0.1", 4721), DIALLERS)), Settings)


def test_the_instance_knows_both_diallers_in_order_and_what_may_be_edited() -> None:
    diallers = settings().diallers
    assert [each.name for each in diallers] == list(DIALLER_NAMES)
    assert [(each.host, each.port) for each in diallers] == list(DIALLERS)
    assert all(set(each.editable_fields) < set(each.fields) and each.key_field in each.fields for each in diallers)


def test_every_reason_has_a_label_in_both_languages_of_the_page() -> None:
    sessions = settings().sessions
    reasons = (*sessions.not_ready_reasons, *sessions.log_out_reasons)
    assert len(reasons) > 4
    assert all(set(each.label) == {"en", "hu"} for each in reasons)


def test_the_switch_takes_its_plan_and_has_every_agent_who_is_printed(tmp_path: pytest.TempPathFactory) -> None:
    path = tmp_path / "aes.toml"  # type: ignore[operator]
    path.write_text(aes_file())
    switch = read_plan_file(path).plan().switch
    assert len(switch.agents) == AGENTS
    assert {each.agent for each in LOGINS} <= {agent.agent_id for agent in switch.agents}
    assert {each.station for each in LOGINS} <= {station.number for station in switch.stations}


def test_the_diallers_know_every_name_and_job_that_is_printed() -> None:
    plan = load_plan()
    logins = [each for each in LOGINS if each.dialler_name]
    assert all(plan.password_of(each.dialler_name) == "secret" for each in logins)
    assert {JOB, *(each.job for each in logins)} <= {job.name for job in plan.jobs}


def test_every_field_of_the_record_is_one_that_the_diallers_have() -> None:
    known = {field.name for job in load_plan().jobs for field in job.fields}
    assert all(set(each.fields) <= known for each in settings().diallers)
