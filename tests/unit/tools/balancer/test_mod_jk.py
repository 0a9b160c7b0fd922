"""mod_jk is told to find, leave and probe instances as measured."""

import pytest
from tests.unit.tools.balancer.described import PLACES, SECRET, TOPOLOGY, described, settings_of

from unified_agent.errors import SettingsError
from unified_agent.tools.balancer.mod_jk import ALL, ENTRY, WORKERS_FILE, write_mod_jk
from unified_agent.tools.balancer.topology import BalancedInstance


def workers(topology=TOPOLOGY):
    """Each worker's attributes, with those that it takes from a template."""
    found: dict[str, dict[str, str]] = {}
    for line in write_mod_jk(topology, PLACES)[WORKERS_FILE].splitlines():
        if line.startswith("worker.") and line.count(".") >= 2 and not line.startswith("worker.list"):
            key, _, value = line.partition("=")
            _, name, attribute = key.split(".", 2)
            found.setdefault(name, {})[attribute] = value

    def whole(name):
        own = found[name]
        reference = own.get("reference", "").removeprefix("worker.")
        return (whole(reference) if reference else {}) | own

    return {name: whole(name) for name in found}


def httpd(topology=TOPOLOGY):
    return write_mod_jk(topology, PLACES)["apache.conf"]


def test_every_instance_is_reached_by_ajp_under_its_route():
    for each in TOPOLOGY.instances:
        worker = workers()[each.name]
        assert worker["type"] == "ajp13"
        assert (worker["host"], worker["port"]) == (each.host, "8009")
        assert worker["route"] == each.name
        assert worker["secret"] == SECRET
        assert worker["max_packet_size"] == "8192"
    assert workers()[ALL]["balance_workers"] == "budapest-1,budapest-2,vienna-1"


def test_the_second_datacentre_is_asked_only_when_the_first_cannot_be_had():
    found = workers()
    assert [found[each.name].get("distance") for each in TOPOLOGY.instances] == [None, None, "1"]
    entries = found[ENTRY]["balance_workers"].split(",")
    assert [found[each].get("distance") for each in entries] == [None, None, "1"]


def test_no_request_that_an_instance_has_got_is_sent_again_but_for_the_choice_of_an_instance():
    found = workers()
    assert found["budapest-1"]["recovery_options"] == "7"
    entry = found[found[ENTRY]["balance_workers"].split(",")[0]]
    assert entry["recovery_options"] == "23"
    assert entry["host"] == "10.1.0.1"
    assert (entry["ping_timeout"], entry["reply_timeout"]) == ("500", "1500")


def test_a_frozen_instance_is_noticed_by_probes():
    worker = workers()["budapest-1"]
    assert worker["ping_mode"] == "A"
    assert int(worker["ping_timeout"]) == 2_000
    assert int(worker["socket_connect_timeout"]) == 1_000


def test_the_pool_gives_connections_up_before_instances_do():
    assert int(workers()["budapest-1"]["connection_pool_timeout"]) <= 60


def test_503_is_asked_of_another_instance_and_breaks_none():
    assert workers()["budapest-1"]["fail_on_status"] == "-503"


def test_sessions_stay_where_they_are_and_move_when_they_must():
    balancer = workers()[ALL]
    assert balancer["sticky_session"] == "true"
    assert balancer["sticky_session_force"] == "false"
    assert (balancer["session_cookie"], balancer["session_path"]) == ("JSESSIONID", ";jsessionid")
    assert workers()[ENTRY]["sticky_session"] == "false"


def test_polls_and_streams_may_last_longer_than_other_requests():
    mounts = dict(line.split(maxsplit=1) for line in settings_of(httpd(described(hold_s=12)), "JkMount"))
    assert mounts["/v1/events/poll"] == f"{ALL};reply_timeout=27000"
    assert mounts["/v1/jsonp/poll"] == f"{ALL};reply_timeout=27000"
    assert mounts["/v1/events"] == f"{ALL};reply_timeout=60000"
    assert mounts["/v1/entry"] == mounts["/v1/jsonp/entry"] == f"{ENTRY};stateless=1"


def test_the_file_that_tells_of_instances_by_hand_is_on_loopback_only():
    text = httpd()
    public, status = text.index("<VirtualHost *:443>"), text.index("<VirtualHost 127.0.0.1:9180>")
    assert public < text.index("</VirtualHost>") < status
    assert "UA_status" not in text[public : text.index("</VirtualHost>")]
    assert "Listen 127.0.0.1:9180" in text


def test_an_instance_without_an_ajp_port_is_told():
    without = BalancedInstance(name="a", host="10.0.0.1", http_port=8080)
    with pytest.raises(SettingsError, match=r"ajp_port is missing for a: set ajp\.port"):
        write_mod_jk(described(instances=(without,)), PLACES)


def test_an_instance_cannot_have_the_name_of_a_worker_of_ours():
    named = BalancedInstance(name="UA_all", host="10.0.0.1", http_port=8080, ajp_port=1)
    with pytest.raises(SettingsError, match="rename the instance"):
        write_mod_jk(described(instances=(named,)), PLACES)
