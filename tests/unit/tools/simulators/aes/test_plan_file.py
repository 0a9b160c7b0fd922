"""The TOML file is read whole or refused with the place of the fault, and a plan prints as a file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unified_agent.errors import SettingsError
from unified_agent.tools.simulators.aes.plan import (
    AgentPlan,
    GroupPlan,
    NumberPlan,
    StationPlan,
    SwitchPlan,
    VdnPlan,
)
from unified_agent.tools.simulators.aes.plan_file import PlanFile, print_plan, read_plan_file
from unified_agent.tools.simulators.aes.sessions import AesSettings
from unified_agent.tools.simulators.aes.traffic import Duration, DurationKind, TrafficPlan

PAGE = (Path(__file__).parents[5] / "docs" / "reference" / "simulate-aes.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
EXAMPLE = PlanFile(
    numbers=NumberPlan(agents=3, password="{id}"),
    switch=SwitchPlan(
        name="CM2",
        stations=(StationPlan(number="1"), StationPlan(number="2", auto_answer=True)),
        agents=(AgentPlan(agent_id="3", password="9", groups=("4",)),),
        groups=(GroupPlan(number="4", name='say "hello"'),),
        vdns=(VdnPlan(number="5", group="4"),),
        timed_work_s=12.5,
    ),
    aes=AesSettings(agent_events=False, duration_limits_s=(20, 40)),
    traffic=(TrafficPlan(calls_per_minute=3.0, talk=Duration(kind=DurationKind.FIXED, mean_s=9.0)), TrafficPlan()),
)


def write(folder: Path, text: str) -> Path:
    file = folder / "plan.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize("plan", [PlanFile(), EXAMPLE], ids=["defaults", "all-set"])
def test_printed_plan_reads_back_as_the_same(plan: PlanFile, tmp_path: Path) -> None:
    assert read_plan_file(write(tmp_path, print_plan(plan))) == plan


def test_empty_file_means_the_defaults(tmp_path: Path) -> None:
    assert read_plan_file(write(tmp_path, "")) == PlanFile()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[numbers]\nagent = 3", "numbers.agent is not a known key; did you mean 'agents'?"),
        ("[zebra]", "zebra is not a known key; known are aes, numbers, switch, traffic"),
        ("[[traffic]]\n[traffic.talk]\nmean = 3", "traffic.talk.mean is not a known key; did you mean 'mean_s'?"),
        ("[[switch.stations]]\nname = '1'", "switch.stations.name is not a known key"),
        ('[switch]\nno_answer_s = "x"', "Expected `float`, got `str` - at `switch.no_answer_s`"),
        ('[[traffic]]\narrivals = "never"', "Invalid enum value 'never' - at `traffic[0].arrivals`"),
        ("[aes]\nevents_first = 3.0", "events_first is a probability"),
        ("[aes]\nnewest_version = 'priv0'", "newest_version 'priv0' is not one of"),
        ("[aes]\nduration_limits_s = [9, 3]", "duration_limits_s must be"),
        ("[numbers]\nagents = -1", "agents must be 0 or more"),
        ("[switch", "is not valid TOML"),
        ("switch = 3", "Expected `object`, got `int`"),
    ],
)
def test_fault_in_the_file_is_named_with_its_place(text: str, sentence: str, tmp_path: Path) -> None:
    file = write(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        read_plan_file(file)
    assert sentence in str(caught.value)
    assert str(file) in str(caught.value)


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none\.toml cannot be read"):
        read_plan_file(tmp_path / "none.toml")


def test_numbers_fill_the_switch_unless_it_has_stations() -> None:
    assert len(PlanFile(numbers=NumberPlan(agents=7)).plan().switch.stations) == 7
    assert EXAMPLE.plan().switch == EXAMPLE.switch


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_file_is_a_valid_plan(example: str, tmp_path: Path) -> None:
    file = tmp_path / "example.toml"
    file.write_text(example, encoding="utf-8")
    assert read_plan_file(file).plan().switch.stations
