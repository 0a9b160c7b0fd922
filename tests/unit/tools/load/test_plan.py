"""Who the agents are, and the files written for them: read back by those who will."""

import pytest

from unified_agent.errors import SettingsError
from unified_agent.settings_file import read_settings
from unified_agent.tools.load.plan import DIALLER_NAMES, JOB, LoadPlan, Numbers, aes_file, apc_file, instance_file
from unified_agent.tools.simulators.aes.plan_file import read_plan_file
from unified_agent.tools.simulators.apc.plan import read_plan
from unified_agent.tools.switch_choice import SwitchChoice


@pytest.mark.parametrize(("agents", "share"), [(1_000, 0.5), (10, 0.3), (7, 0.0), (7, 1.0), (1, 0.5), (333, 0.71)])
def test_those_at_the_dialler_are_as_many_as_said_and_spread_evenly(agents, share):
    plan = LoadPlan(agents=agents, share_on_dialler=share)
    there = [plan.uses_dialler(index) for index in range(agents)]
    assert sum(there) == plan.on_dialler
    half = there[: agents // 2]
    assert abs(sum(half) - plan.on_dialler * len(half) / agents) <= 1


def test_callers_ring_for_those_at_the_switch_only():
    assert LoadPlan(agents=100, share_on_dialler=0.25, calls_per_minute=2.0).calls_at_switch_per_minute == 150.0


@pytest.mark.parametrize(
    "wrong", [{"agents": 0}, {"agents": 10_000}, {"share_on_dialler": 1.5}, {"calls_per_minute": 0}]
)
def test_what_cannot_be_is_refused_by_the_name_of_its_option(wrong):
    name = next(iter(wrong)).replace("_", "-")
    with pytest.raises(SettingsError, match=f"--{name}"):
        LoadPlan(**wrong)


def test_the_simulated_switch_knows_every_agent_and_station(tmp_path):
    plan = LoadPlan(agents=40)
    file = tmp_path / "aes.toml"
    file.write_text(aes_file(plan))
    switch = read_plan_file(file).plan().switch
    last = plan.numbers.agent(39), plan.numbers.station(39)
    assert {(agent.agent_id, agent.password) for agent in switch.agents} >= {(last[0], plan.numbers.password)}
    assert last[1] in {station.number for station in switch.stations}


def test_the_simulated_dialler_knows_every_agent_and_the_job():
    plan = LoadPlan(agents=9_999)
    dialler = read_plan(apc_file(plan), "apc.toml")
    for index in (0, 9_998):
        login = plan.numbers.dialler_login(index)
        assert dialler.password_of(login.name) == login.password
    assert [job.name for job in dialler.jobs] == [JOB]


def test_the_instance_has_room_for_all_and_both_diallers_in_order(tmp_path):
    file = tmp_path / "instance.toml"
    file.write_text(instance_file(LoadPlan(agents=700), ("127.0.0.1", 4721), [("127.0.0.1", 1), ("127.0.0.1", 2)]))
    settings = read_settings(file, {}).settings
    assert settings.sessions.capacity >= 700
    assert [(each.name, each.port) for each in settings.diallers] == list(zip(DIALLER_NAMES, (1, 2), strict=True))
    assert settings.telephony.servers[0].port == 4721


def test_numbers_count_from_the_first():
    numbers = Numbers(first_agent=5_001, first_station=2_001)
    assert (numbers.agent(9), numbers.station(9)) == ("5010", "2010")
    assert numbers.dialler_login(9).name == "agent0009"
    assert numbers.dialler_login(9).headset == "2010"


def test_an_instance_over_jtapi_has_the_client_library_that_was_given(tmp_path):
    file = tmp_path / "instance.toml"
    plan = LoadPlan(switch=SwitchChoice(kind="jtapi", class_path=("/sdk/peer.jar",), peer="org.example.Peer"))
    file.write_text(instance_file(plan, ("127.0.0.1", 4721), []))
    telephony = read_settings(file, {}).settings.telephony
    assert (telephony.kind, telephony.jtapi.peer, telephony.servers[0].port) == ("jtapi", "org.example.Peer", 4721)
