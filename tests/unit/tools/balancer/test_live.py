"""An instance that runs tells of all, so that one command is enough."""

import httpx
import msgspec
import pytest

from unified_agent.domain.ids import InstanceId
from unified_agent.domain.selection import Standing
from unified_agent.domain.topology import InstanceEntry, Topology
from unified_agent.errors import SettingsError
from unified_agent.tools.balancer.live import ask_topology, describe
from unified_agent.tools.cluster.access import AccessOptions


def entry(name, url, datacentre="", state=Standing.READY):
    return InstanceEntry(id=InstanceId(name), url=url, datacentre=datacentre, state=state, weight=1)


def told(*instances, active="two"):
    return Topology(
        cluster="main", epoch=3, version=1, active=active, reconnect_window_ms=2_000, instances=tuple(instances)
    )


WHOLE = told(
    entry("a", "http://10.0.0.1:8080/", "one"),
    entry("c", "http://10.1.0.2:8080/", "two"),
    entry("b", "http://10.1.0.1:8080/", "two", Standing.DOWN),
)


def ask(answer, url="http://10.0.0.1:8080"):
    asked = []

    def handle(request):
        asked.append(str(request.url))
        if isinstance(answer, Exception):
            raise answer
        return answer

    found = ask_topology(AccessOptions(url=url), httpx.MockTransport(handle))
    assert asked == [f"{url}/v1/topology"]
    return found


def test_what_an_instance_tells_is_the_topology():
    assert ask(httpx.Response(200, content=msgspec.json.encode(WHOLE))) == WHOLE


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            httpx.ConnectError("refused"),
            r"no instance answers at http://10\.0\.0\.1:8080 \(refused\): name another one",
        ),
        (httpx.Response(404), "answers 404 to /v1/topology and is no instance of ours"),
        (httpx.Response(200, content=b"<html>"), "take the command of the same version"),
    ],
)
def test_what_came_of_asking_is_told(answer, said):
    with pytest.raises(SettingsError, match=said):
        ask(answer)


def test_a_url_that_is_none_is_told():
    with pytest.raises(SettingsError, match="is no URL of an instance"):
        ask_topology(AccessOptions(url="10.0.0.1"))


def test_all_instances_are_described_those_of_the_active_datacentre_first():
    described = describe(WHOLE, ajp_port=8009)
    assert [each.name for each in described.instances] == ["b", "c", "a"]
    assert [each.host for each in described.instances] == ["10.1.0.1", "10.1.0.2", "10.0.0.1"]
    assert {each.http_port for each in described.instances} == {8080}
    assert {each.ajp_port for each in described.instances} == {8009}
    assert [described.is_preferred(each) for each in described.instances] == [True, True, False]
    assert (described.cluster, described.port, described.instances_https) == ("main", 8080, False)


def test_ports_that_urls_leave_out_are_the_usual_ones():
    described = describe(told(entry("a", "https://a.example/", "two")), instances_ca_file="/ca.pem")
    assert described.instances[0].http_port == 443
    assert described.instances_https
    assert describe(told(entry("a", "http://a.example/", "two"))).instances[0].http_port == 80


@pytest.mark.parametrize(
    ("instances", "said"),
    [
        ((entry("a", "http://10.0.0.1:1/", "two"), entry("b", "https://10.0.0.2:1/", "two")), "some by http"),
        ((entry("a", "", "two"),), "instance a tells '' as its URL, which leads nowhere"),
        ((entry("a", "http://10.0.0.1:99999/", "two"),), "which leads nowhere"),
        ((entry("a.b", "http://10.0.0.1:80/", "two"),), "cannot be a route"),
        ((), "name at least one instance"),
    ],
)
def test_what_no_balancer_can_stand_before_is_told(instances, said):
    with pytest.raises(SettingsError, match=said):
        describe(told(*instances))
