"""One name has the address of every instance, and each instance a name of its own."""

import pytest
from tests.unit.tools.balancer.described import PLACES, TOPOLOGY, described, settings_of

from unified_agent.errors import SettingsError
from unified_agent.tools.balancer.dns import write_dns
from unified_agent.tools.balancer.topology import BalancedInstance

NAMED = described(port=8080)


def test_the_name_has_all_addresses_and_each_instance_its_own_name():
    lines = [line.split() for line in write_dns(NAMED, PLACES)["instances.hosts"].splitlines() if line[0] != "#"]
    assert [address for address, name in lines if name == "ua.example"] == ["10.1.0.1", "10.1.0.2", "10.2.0.1"]
    assert ["10.2.0.1", "vienna-1.ua.example"] in lines


def test_the_zone_has_the_same():
    six = BalancedInstance(name="six", host="fd00::1", http_port=8080)
    zone = write_dns(described(port=8080, instances=(*TOPOLOGY.instances, six)), PLACES)["instances.zone"]
    assert "ua.example. 5 IN A 10.1.0.1" in zone
    assert "six.ua.example. 5 IN AAAA fd00::1" in zone


def test_nothing_else_is_answered_and_answers_are_not_kept_for_long():
    text = write_dns(NAMED, PLACES)["dnsmasq.conf"]
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert {"no-resolv", "no-hosts", "local-ttl=5", "local=/ua.example/", "bind-interfaces", "port=53"} <= set(lines)
    assert "addn-hosts=/etc/balancer/instances.hosts" in lines
    assert settings_of(text, "listen-address") == []
    assert "listen-address=10.0.0.9" in write_dns(described(port=8080, listen="10.0.0.9"), PLACES)["dnsmasq.conf"]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"name": "", "port": 8080}, "dns needs the public name"),
        ({}, "here port is 443, and http_port 8080"),
        (
            {"port": 8080, "instances": (BalancedInstance(name="a", host="a.example", http_port=8080),)},
            "give host of a as one",
        ),
        (
            {
                "port": 8080,
                "instances": (
                    BalancedInstance(name="a", host="10.0.0.1", http_port=8080),
                    BalancedInstance(name="b", host="10.0.0.2", http_port=8081),
                ),
            },
            "http_port 8080 and 8081",
        ),
    ],
)
def test_what_a_name_cannot_do_is_refused(other, said):
    with pytest.raises(SettingsError, match=said):
        write_dns(described(**other), PLACES)
