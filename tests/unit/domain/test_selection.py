"""Which instance takes an agent: its owner, else one that all choosers agree on, never a full or passive one."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unified_agent.domain.ids import AgentId, InstanceId
from unified_agent.domain.selection import (
    LOAD_SPREAD,
    Candidate,
    Choice,
    Standing,
    choose_instance,
    order_instances,
    rank,
)

AGENT = AgentId("100")


def candidate(name: str, sessions: int = 0, *, datacentre: str = "east", capacity: int = 1000, **more) -> Candidate:
    more.setdefault("standing", Standing.READY)
    return Candidate(instance=InstanceId(name), datacentre=datacentre, sessions=sessions, capacity=capacity, **more)


def choose(*candidates: Candidate, agent: AgentId = AGENT, owner: str | None = None) -> Choice:
    return choose_instance(
        agent, candidates, active_datacentre="east", owner=InstanceId(owner) if owner is not None else None
    )


CANDIDATES = st.lists(
    st.builds(
        Candidate,
        instance=st.sampled_from("abcdefg").map(InstanceId),
        datacentre=st.sampled_from(["east", "west"]),
        standing=st.sampled_from(Standing),
        sessions=st.integers(0, 12),
        capacity=st.integers(1, 10),
        lacks_link=st.booleans(),
        is_suspect=st.booleans(),
    ),
    unique_by=lambda each: each.instance,
)


@given(CANDIDATES, st.randoms(use_true_random=False), st.sampled_from([None, "a", "b"]))
def test_all_choosers_agree_and_nobody_who_cannot_is_chosen(candidates, chance, owner):
    said = choose(*candidates, owner=owner)
    shuffled = list(candidates)
    chance.shuffle(shuffled)
    assert choose(*shuffled, owner=owner) == said
    could = [
        each
        for each in candidates
        if each.datacentre == "east"
        and each.standing is Standing.READY
        and (each.sessions < each.capacity or each.instance == owner)
    ]
    chosen = [each for each in could if each.instance == said.instance]
    assert bool(chosen) == (said.instance is not None)
    free = [each for each in could if each.sessions < each.capacity]
    assert chosen or not free
    if chosen and any(not each.is_suspect and not each.lacks_link for each in free):
        assert not chosen[0].is_suspect
        assert not chosen[0].lacks_link


@pytest.mark.parametrize(
    ("change", "stays"),
    [
        ({}, True),
        ({"sessions": 1000}, True),
        ({"standing": Standing.DRAINING}, False),
        ({"standing": Standing.DOWN}, False),
        ({"datacentre": "west"}, False),
        ({"is_suspect": True}, False),
        ({"lacks_link": True}, False),
    ],
)
def test_present_owner_keeps_the_agent_while_it_is_well(change, stays):
    owner = msgspec.structs.replace(candidate("a"), **change)
    assert (choose(owner, candidate("b"), owner="a").instance == "a") is stays


@pytest.mark.parametrize(
    ("candidates", "word"),
    [
        ((), "is known"),
        ((candidate("b", datacentre="west"),), "is known"),
        ((candidate("a", standing=Standing.DRAINING), candidate("b", standing=Standing.DOWN)), "(down, draining)"),
        ((candidate("a", 5, capacity=5),), "all 1 ready instances of east are full"),
    ],
)
def test_nobody_is_chosen_and_it_is_said_why(candidates, word):
    said = choose(*candidates)
    assert said.instance is None
    assert word in said.reason


def test_agents_spread_evenly_and_only_those_of_a_lost_instance_move():
    five = [candidate(name) for name in "abcde"]
    agents = [AgentId(str(number)) for number in range(2000)]
    before = {agent: choose(*five, agent=agent).instance for agent in agents}
    assert all(340 <= count <= 460 for count in Counter(before.values()).values())
    after = {agent: choose(*five[1:], agent=agent).instance for agent in agents}
    moved = [agent for agent in agents if before[agent] != after[agent]]
    assert {before[agent] for agent in moved} == {"a"}
    assert all(60 <= count <= 140 for count in Counter(after[agent] for agent in moved).values())


def test_nobody_gets_much_above_the_average_load():
    sessions = Counter({"a": 0, "b": 0, "c": 300})
    for number in range(600):
        said = choose(*(candidate(name, count) for name, count in sessions.items()), agent=AgentId(str(number)))
        sessions[str(said.instance)] += 1
    assert max(sessions.values()) <= LOAD_SPREAD * 300 + 1


def test_those_who_were_promised_count_as_load_and_never_fill_an_instance():
    agents = [AgentId(str(number)) for number in range(200)]
    chosen = {choose(candidate("a", 10, promised=50), candidate("b", 10), agent=agent).instance for agent in agents}
    assert chosen == {"b"}
    for number in (5, 5_000):
        assert choose(candidate("a", 4, capacity=5, promised=number)).instance == "a"
    assert choose(candidate("a", 5, capacity=5)).is_full


def test_desktop_tries_ready_then_lacking_then_draining_then_the_other_side_then_the_rest():
    listed = [
        candidate("down", standing=Standing.DOWN),
        candidate("far", datacentre="west"),
        candidate("draining", standing=Standing.DRAINING),
        candidate("suspect", is_suspect=True),
        candidate("well"),
    ]
    assert order_instances(AGENT, listed, active_datacentre="east") == ("well", "suspect", "draining", "far", "down")


def test_rank_is_the_same_everywhere():
    """Source: printf '100\\0a1' | sha256sum, its first 16 digits."""
    assert f"{rank(AGENT, InstanceId('a1')):016x}" == "4865767e094f173e"
