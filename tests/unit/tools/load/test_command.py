"""Options of ``unified-agent load``."""

import resource

import pytest

from unified_agent.errors import SettingsError
from unified_agent.tools.load.command import LoadOptions, course_of, plan_of, take_descriptors
from unified_agent.tools.load.scenarios import SCENARIOS


def test_the_defaults_are_a_thousand_agents_for_five_minutes_and_every_loss():
    plan, course = plan_of(LoadOptions()), course_of(LoadOptions())
    assert (plan.agents, plan.on_dialler, course.work_s) == (1_000, 500, 300.0)
    assert course.scenarios == tuple(SCENARIOS.values())


def test_losses_are_chosen_in_the_order_given():
    course = course_of(LoadOptions(scenario=("dialler-kill", "aes-cut")))
    assert [each.name for each in course.scenarios] == ["dialler-kill", "aes-cut"]
    assert course_of(LoadOptions(scenario=("none",))).scenarios == ()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"scenario": ("aes-cutt",)}, "--scenario aes-cutt is not known; there are aes-blip"),
        ({"minutes": -1}, "times must not be negative"),
        ({"logins_per_second": 0}, "--logins-per-second must be above 0"),
        ({"url": ("http://127.0.0.1:8080",)}, "--url needs --aes-control"),
        ({"agents": 0}, "--agents must be 1 to 9999"),
    ],
)
def test_what_is_wrong_is_said_by_the_option(wrong, sentence):
    with pytest.raises(SettingsError, match=sentence):
        plan_of(LoadOptions(**wrong))


@pytest.mark.parametrize(
    ("soft", "hard", "set_to"),
    [
        (1_024, 1_048_576, 3_256),
        (1_024, resource.RLIM_INFINITY, 3_256),
        (1_024, 2_000, 2_000),
        (1_256, 1_256, None),
        (4_096, 4_096, None),
    ],
)
def test_there_are_sockets_for_each_agent_and_for_moving_as_far_as_allowed(monkeypatch, soft, hard, set_to):
    taken: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: taken.append(limits))
    take_descriptors(1_000)
    assert taken == ([] if set_to is None else [(set_to, hard)])


def test_too_few_sockets_are_said_before_anybody_comes(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1_024, 1_255))
    with pytest.raises(SettingsError, match="1000 agents need 1256 open files; the limit is 1255"):
        take_descriptors(1_000)


def test_numbers_are_ours_when_everything_is_and_given_when_attached():
    assert plan_of(LoadOptions(first_agent=7)).numbers.first_agent == 50_001
    attached = LoadOptions(url=("http://ua", "http://ub"), aes_control="http://aes", first_agent=7, job="SPRING25")
    assert (plan_of(attached).numbers.first_agent, plan_of(attached).numbers.job) == (7, "SPRING25")
