"""mod_proxy_ajp is told to find, leave and probe instances as measured."""

import re

from tests.unit.tools.balancer.described import PLACES, SECRET, TOPOLOGY, described, settings_of

from unified_agent.tools.balancer.proxy_ajp import write_proxy_ajp


def members(text, balancer):
    """Return each member's words of one balancer, by its route."""
    (block,) = re.findall(rf'<Proxy "balancer://{balancer}">(.*?)</Proxy>', text, re.DOTALL)
    found = {}
    for line in settings_of(block, "BalancerMember"):
        url, *words = line.split()
        options = dict(word.split("=", 1) for word in words)
        found[options["route"]] = options | {"url": url}
    return found


def httpd(topology=TOPOLOGY):
    return write_proxy_ajp(topology, PLACES)["apache.conf"]


def test_every_instance_is_a_member_of_both_balancers_under_its_route():
    for balancer in ("ua", "ua-entry"):
        found = members(httpd(), balancer)
        assert [found[each.name]["url"] for each in TOPOLOGY.instances] == [
            f"ajp://{each.host}:8009" for each in TOPOLOGY.instances
        ]
        assert {each["secret"] for each in found.values()} == {SECRET}


def test_every_member_is_probed_and_left_soon():
    for member in members(httpd(), "ua").values():
        assert member["ping"] == member["connectiontimeout"] == "1s"
        assert (member["hcmethod"], member["hcinterval"], member["hcfails"]) == ("CPING", "2", "1")
        assert member["retry"] == "5"
        assert int(member["ttl"]) < 75


def test_choosing_an_instance_waits_for_none_of_them_long():
    for member in members(httpd(), "ua-entry").values():
        assert (member["ping"], member["timeout"]) == ("500ms", "1500ms")
    assert {each["timeout"] for each in members(httpd(), "ua").values()} == {"60s"}


def test_the_second_datacentre_stands_by():
    found = members(httpd(), "ua")
    assert [found[each.name].get("status") for each in TOPOLOGY.instances] == [None, None, "+H"]


def test_sessions_stay_by_cookie_and_path():
    assert "stickysession=JSESSIONID|jsessionid" in httpd()


def test_the_host_of_the_page_reaches_the_instance_and_content_lengths_reach_the_agent():
    text = httpd()
    assert settings_of(text, "ProxyPreserveHost") == ["On"]
    assert "ap_trust_cgilike_cl yes" in settings_of(text, "SetEnv")
    assert settings_of(text, "ProxyRequests") == ["Off"]


def test_the_longer_path_comes_first():
    passed = settings_of(httpd(), "ProxyPass")
    assert passed[:3] == [
        '"/v1/entry" "balancer://ua-entry/v1/entry"',
        '"/v1/jsonp/entry" "balancer://ua-entry/v1/jsonp/entry"',
        '"/" "balancer://ua/"',
    ]


def test_packets_have_the_size_that_instances_take():
    assert settings_of(httpd(described(ajp_packet_size_bytes=16_384)), "ProxyIOBufferSize") == ["16384"]


def test_its_own_pages_are_on_loopback_only():
    text = httpd()
    assert text.index("balancer-manager") > text.index("<VirtualHost 127.0.0.1:9180>")
    assert text.count("balancer-manager") == 1
