import tomllib
from pathlib import Path

import msgspec
import pytest

from unified_agent.settings import Settings
from unified_agent.settings_file import read_settings
from unified_agent.tools.demo.plan import (
    AGENTS,
    DIALLER_NAMES,
    INSTANCE_NAMES,
    JOB,
    LOGINS,
    ClusterPlan,
    aes_file,
    foreign_origin,
    instance_file,
    url_at,
)
from unified_agent.tools.simulators.aes.plan_file import read_plan_file
from unified_agent.tools.simulators.apc.plan import load_plan
from unified_agent.tools.switch_choice import SwitchChoice

DIALLERS = (("127.0.0.1", 22700), ("127.0.0.1", 22701))


URLS = {name: url_at(port) for name, port in zip(INSTANCE_NAMES, (8080, 8081, 8082), strict=True)}
CLUSTER = ClusterPlan(urls=URLS, store=2379, keys_file=Path("/tmp/cluster.keys"))


def settings(name: str = "ua-1", cluster: ClusterPlan | None = None) -> Settings:
    text = instance_file(name, 8080, ("127.0.0.1", 4721), DIALLERS, cluster)

    def decode(kind: type, value: str) -> Path:
        assert kind is Path
        return Path(value)

    return msgspec.convert(tomllib.loads(text), Settings, dec_hook=decode)


def test_an_instance_alone_has_no_store() -> None:
    assert settings().cluster.is_alone


@pytest.mark.parametrize("name", INSTANCE_NAMES)
def test_the_instances_of_a_cluster_share_all_but_their_names_and_addresses(name: str) -> None:
    one = settings(name, CLUSTER)
    assert (one.instance, one.cluster.url) == (name, URLS[name])
    assert one.cluster.store.endpoints == ("127.0.0.1:2379",)
    assert one.cluster.keys_file == Path("/tmp/cluster.keys")


def test_the_sample_page_may_use_scripts_of_every_instance_also_under_another_name() -> None:
    alone = instance_file("ua-1", 8080, ("127.0.0.1", 4721), DIALLERS)
    of_three = instance_file("ua-2", 8081, ("127.0.0.1", 4721), DIALLERS, CLUSTER, 8080)
    assert tomllib.loads(alone)["jsonp"] == {"enabled": True, "callers": [foreign_origin(8080)]}
    callers = [foreign_origin(8080), *URLS.values()]
    assert tomllib.loads(of_three)["jsonp"] == {"enabled": True, "callers": callers}


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


def test_an_instance_over_jtapi_has_the_client_library_that_was_given(tmp_path: Path) -> None:
    switch = SwitchChoice(kind="jtapi", class_path=("/sdk/peer.jar",), peer="org.example.Peer")
    file = tmp_path / "instance.toml"
    file.write_text(instance_file("ua-1", 8080, ("127.0.0.1", 4721), DIALLERS, switch=switch))
    telephony = read_settings(file, {}).settings.telephony
    assert (telephony.kind, telephony.jtapi.class_path) == ("jtapi", (Path("/sdk/peer.jar"),))
    assert (telephony.servers[0].host, telephony.servers[0].port) == ("127.0.0.1", 4721)
