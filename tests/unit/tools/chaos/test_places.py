"""Hosts, sites and addresses."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from unified_agent.tools.chaos.places import HOSTS, INSTANCES, MEMBERS, ROUTER_ADDRESS, THIRD, WEST, addresses_of, at


def test_every_host_has_a_name_and_an_address_of_its_own() -> None:
    assert len({host.name for host in HOSTS}) == len({host.address for host in HOSTS}) == len(HOSTS)
    assert ROUTER_ADDRESS not in {host.address for host in HOSTS}


def test_the_name_of_a_host_can_be_that_of_its_link() -> None:
    assert max(len(host.name) for host in HOSTS) <= 15  # IFNAMSIZ, without the end


def test_a_site_holds_the_addresses_of_its_hosts_and_of_no_other() -> None:
    for host in HOSTS:
        sites = {each.site for each in HOSTS}
        holding = [site for site in sites if ip_address(host.address) in ip_network(addresses_of(site))]
        assert holding == [host.site]


def test_a_host_is_one_address_and_an_empty_place_is_everywhere() -> None:
    assert addresses_of("b2") == "10.77.2.2/32"
    assert ip_network(addresses_of("")).num_addresses == 2**32


def test_the_store_outlives_the_loss_of_either_datacentre() -> None:
    for site in {host.site for host in INSTANCES}:
        left = [host for host in MEMBERS if host.site != site]
        assert len(left) > len(MEMBERS) / 2
    assert len(at(THIRD, MEMBERS)) == 1
    assert [host.name for host in at(WEST, INSTANCES)] == ["b1", "b2"]
