"""Which servers a desk tries, in which order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unified_agent.client.servers import AVOID_S, HOLD_S, LEAVING_S, SWITCHES_S, Servers
from unified_agent.client.topology import InstanceEntry, Topology
from unified_agent.domain.ids import AgentId, InstanceId
from unified_agent.domain.selection import rank

AGENT = "5001"
NAMES = tuple("abcdef")
#: The same names in the agent's own order.
RANKED = sorted(NAMES, key=lambda name: -rank(AgentId(AGENT), InstanceId(name)))


def entry(name: str, datacentre: str = "east", state: str = "ready", weight: int = 100) -> InstanceEntry:
    return InstanceEntry(id=name, url=f"http://{name}/", datacentre=datacentre, state=state, weight=weight)


def topology(*instances: InstanceEntry, version: int = 1, **more: Any) -> Topology:
    return Topology(cluster="c", epoch=1, version=version, active="east", instances=instances, **more)


def knowing(*instances: InstanceEntry, seeds: tuple[str, ...] = ("http://seed",)) -> Servers:
    servers = Servers(seeds, AGENT)
    assert servers.learn(topology(*instances))
    return servers


def named(urls: tuple[str, ...]) -> list[str]:
    return [url.removeprefix("http://") for url in urls]


def test_seeds_are_tried_in_the_order_given_each_once():
    assert named(Servers(["http://b/", "http://a", "http://b"], AGENT).order(0.0)) == ["b", "a"]


def test_without_a_server_there_is_nothing_to_try():
    with pytest.raises(ValueError, match="at least one"):
        Servers([], AGENT)


def test_ready_ones_of_the_active_datacentre_come_first_in_the_agents_order():
    assert named(knowing(*map(entry, NAMES)).order(0.0)) == [*RANKED, "seed"]


def test_the_order_of_places_is_that_of_every_desktop():
    servers = knowing(
        entry("down", state="down"),
        entry("joining", state="joining"),
        entry("strange", state="?"),
        entry("far", "west"),
        entry("draining", state="draining"),
        entry("lacking", weight=0),
        entry("ready"),
        entry("good"),
        entry("suggested", "west"),
    )
    servers.succeeded("http://good")
    assert servers.suggest("http://suggested")
    order = named(servers.order(0.0))
    assert order[:7] == ["good", "suggested", "ready", "lacking", "draining", "seed", "far"]
    assert set(order[7:]) == {"down", "joining", "strange"}


def test_one_that_takes_fewer_lacks_nothing():
    servers = knowing(*(entry(name, weight=1 + place) for place, name in enumerate(NAMES)))
    assert named(servers.order(0.0)) == [*RANKED, "seed"]


def test_a_list_of_one_does_not_take_the_place_of_the_way_that_the_caller_knows():
    assert named(knowing(entry("a")).order(0.0)) == ["seed", "a"]


def test_a_seed_that_is_an_instance_has_that_place():
    servers = knowing(entry("a", state="draining"), entry("b"), seeds=("http://a",))
    assert named(servers.order(0.0)) == ["b", "a"]


def test_what_failed_is_tried_after_all_else_for_a_while():
    servers = knowing(*map(entry, NAMES))
    servers.succeeded(f"http://{RANKED[0]}")
    servers.failed(f"http://{RANKED[0]}/", 100.0)
    assert named(servers.order(100.0)) == [*RANKED[1:], "seed", RANKED[0]]
    assert named(servers.order(100.0 + AVOID_S)) == [*RANKED, "seed"]
    servers.failed(f"http://{RANKED[0]}", 200.0)
    servers.succeeded(f"http://{RANKED[0]}")
    assert named(servers.order(200.0))[0] == RANKED[0]


def test_of_those_that_failed_the_longest_ago_is_first_and_one_that_said_goodbye_last():
    servers = Servers(["http://a", "http://b", "http://c"], AGENT)
    servers.leaves("http://a", 0.0)
    servers.failed("http://c", 1.0)
    servers.failed("http://b", 2.0)
    assert named(servers.order(2.0)) == ["c", "b", "a"]
    assert named(servers.order(2.0 + AVOID_S)) == ["b", "c", "a"]
    assert named(servers.order(LEAVING_S)) == ["a", "b", "c"]


def test_a_suggestion_lasts_until_it_was_of_use_or_failed():
    servers = knowing(*map(entry, NAMES))
    last = RANKED[-1]
    servers.suggest(f"http://{last}")
    assert named(servers.order(0.0))[0] == last
    servers.succeeded(f"http://{RANKED[2]}")
    assert named(servers.order(0.0))[:2] == [RANKED[2], RANKED[0]]
    servers.suggest(f"http://{last}")
    servers.failed(f"http://{last}", 0.0)
    assert named(servers.order(0.0))[-1] == last


def test_a_suggestion_is_tried_even_if_it_failed_before():
    servers = knowing(*map(entry, NAMES))
    servers.failed("http://a", 0.0)
    servers.suggest("http://a")
    assert named(servers.order(0.0))[0] == "a"


def test_who_was_given_secured_servers_only_is_never_led_out():
    servers = Servers(["https://seed"], AGENT)
    servers.learn(topology(entry("a"), entry("b"), InstanceEntry(id="c", url="https://c", datacentre="east")))
    assert not servers.suggest("http://a")
    assert servers.order(0.0) == ("https://seed", "https://c")


def test_a_list_that_is_not_newer_is_not_taken():
    servers = knowing(entry("a"), entry("b"))
    assert not servers.learn(topology(entry("c")))
    assert servers.learn(topology(entry("c"), entry("d"), version=2, reconnect_window_ms=500))
    assert {*named(servers.order(0.0))} == {"c", "d", "seed"}
    assert servers.window_s == 0.5
    assert Servers(["http://a"], AGENT).window_s == 2.0


def test_a_busy_server_is_left_alone_until_its_time():
    servers = Servers(["http://a", "http://b"], AGENT)
    servers.busy("http://a", 5.0, 0.0)
    assert named(servers.order(0.0)) == ["b"]
    assert servers.free_at_s(0.0) == 0.0
    servers.busy("http://b", 3.0, 1.0)
    assert servers.order(1.0) == ()
    assert servers.free_at_s(1.0) == 3.0
    assert named(servers.order(5.0)) == ["a", "b"]


def test_after_three_switches_in_a_minute_the_present_server_is_kept_for_a_while():
    servers = knowing(*map(entry, NAMES))
    servers.succeeded("http://a")
    for now_s in (0.0, 20.0, 40.0):
        servers.switched(now_s)
    assert named(servers.order(40.0)) == ["a"]
    assert len(servers.order(40.0 + HOLD_S)) == 7
    servers.switched(70.0)
    assert named(servers.order(70.0)) == ["a"]
    servers.switched(70.0 + SWITCHES_S)
    assert len(servers.order(70.0 + SWITCHES_S)) == 7


def test_a_server_that_is_busy_is_not_kept():
    servers = knowing(*map(entry, NAMES))
    servers.succeeded("http://a")
    for _ in range(3):
        servers.switched(0.0)
    servers.busy("http://a", 5.0, 0.0)
    assert len(servers.order(0.0)) == 6


def test_whoever_is_asked_to_go_goes_to_a_ready_one():
    servers = knowing(*map(entry, NAMES), entry("x", state="draining"), entry("y", "west"))
    servers.failed(f"http://{RANKED[1]}", 0.0)
    assert named(servers.instead_of(f"http://{RANKED[0]}/", 0.0)) == RANKED[2:]
    assert Servers(["http://a", "http://b"], AGENT).instead_of("http://a", 0.0) == ()


def test_two_others_who_are_there_are_asked_about_a_silent_one():
    servers = knowing(*map(entry, NAMES), entry("x", state="down"))
    assert named(servers.witnesses(RANKED[0])) == RANKED[1:3]
    assert named(servers.witnesses("")) == RANKED[:2]
    assert knowing(entry("a"), entry("x", state="down")).witnesses("a") == ()


@given(
    st.lists(st.sampled_from([f"http://{name}" for name in (*NAMES, "seed")]), max_size=6),
    st.lists(st.sampled_from(["ready", "draining", "joining", "down"]), min_size=len(NAMES), max_size=len(NAMES)),
)
def test_whatever_failed_every_server_has_its_turn_and_none_has_two(failed, states):
    servers = knowing(*(entry(name, state=state) for name, state in zip(NAMES, states, strict=True)))
    for url in failed:
        servers.failed(url, 0.0)
    order = named(servers.order(0.0))
    assert sorted(order) == sorted([*NAMES, "seed"])
    assert {*order[len(order) - len(set(failed)) :]} == {*named(tuple(failed))}
