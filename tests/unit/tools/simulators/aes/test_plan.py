"""Numbers in a row, and plans that contradict themselves."""

from __future__ import annotations

import pytest

from unified_agent.errors import SettingsError
from unified_agent.tools.simulators.aes.plan import (
    NumberPlan,
    StationPlan,
    SwitchPlan,
    VdnPlan,
    fill_plan,
    numbered_plan,
)


def test_default_numbers_are_those_of_the_documentation() -> None:
    plan = numbered_plan(agents=1000)
    assert (plan.stations[0].number, plan.stations[-1].number) == ("2001", "3000")
    assert (plan.agents[0].agent_id, plan.agents[-1].agent_id) == ("5001", "6000")
    assert (plan.vdns[0].number, plan.groups[0].number, plan.agents[0].password) == ("8000", "100", "1234")


def test_rows_that_would_meet_are_moved_apart() -> None:
    plan = numbered_plan(agents=4000)
    assert (plan.stations[-1].number, plan.agents[0].agent_id) == ("6000", "50010")


def test_password_rule_can_hold_the_agents_id() -> None:
    plan = fill_plan(SwitchPlan(), NumberPlan(agents=2, password="7{id}"))
    assert [agent.password for agent in plan.agents] == ["75001", "75002"]


def test_numbers_given_twice_and_groups_not_there_are_refused() -> None:
    with pytest.raises(SettingsError, match="given twice in the switch plan: 1"):
        SwitchPlan(stations=(StationPlan(number="1"), StationPlan(number="1")))
    with pytest.raises(SettingsError, match="not in the switch plan: 9"):
        SwitchPlan(vdns=(VdnPlan(number="1", group="9"),))
