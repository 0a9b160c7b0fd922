"""An instance that is alone: every agent lives here, and there is nowhere else."""

from __future__ import annotations

import asyncio

from unified_agent.domain.ids import AgentId, InstanceId
from unified_agent.domain.selection import Standing
from unified_agent.domain.topology import Chosen, InstanceEntry, Next, Topology, Witness, WitnessVerdict
from unified_agent.server.alone import Alone

ME, OTHER, AGENT = InstanceId("ua-1"), InstanceId("ua-2"), AgentId("5001")


class House:
    draining = False
    sessions = 0

    def __init__(self) -> None:
        self.url = ""
        self.alone = Alone(
            "default",
            ME,
            "dc1",
            lambda: self.url,
            capacity=1_000,
            reconnect_window_ms=2_000,
            is_draining=lambda: self.draining,
            sessions=lambda: self.sessions,
        )


def test_its_topology_is_itself_where_it_listens_by_now():
    house = House()
    house.url = "http://ua-1"
    entry = InstanceEntry(id=ME, url="http://ua-1", datacentre="dc1", state=Standing.READY, weight=1_000)
    assert house.alone.topology() == Topology(
        cluster="default", epoch=0, version=0, active="dc1", reconnect_window_ms=2_000, instances=(entry,)
    )


def test_a_drain_is_told_as_something_newer():
    house = House()
    before = house.alone.topology()
    house.draining = True
    after = house.alone.topology()
    assert after.instances[0].state is Standing.DRAINING
    assert (after.epoch, after.version) > (before.epoch, before.version)


def test_it_always_serves_and_everybody_is_welcome():
    alone = House().alone
    assert (alone.serves, alone.why_not(), alone.epoch) == (True, "", 0)
    assert asyncio.run(alone.home_of(AGENT)) is None
    assert alone.not_serving(AGENT) is None
    assert asyncio.run(alone.carried(AGENT)) is None


def test_there_is_nobody_else():
    alone = House().alone
    assert alone.best_for(AGENT) is None
    assert alone.best_for(AGENT, without=frozenset({ME})) is None
    assert alone.find(ME) is None
    assert alone.find(OTHER) is None
    assert alone.urls() == frozenset()


def test_it_vouches_for_itself_and_knows_nobody():
    alone = House().alone
    assert alone.witness(ME, None) == Witness(instance=ME, verdict=WitnessVerdict.ALIVE, can_take=False, next=None)
    assert alone.witness(OTHER, AGENT).verdict is WitnessVerdict.UNKNOWN


def test_it_is_chosen_for_everybody_unless_it_is_full_or_being_stopped():
    house = House()
    house.url = "http://ua-1"

    def choose() -> Chosen:
        return asyncio.run(house.alone.choose(AGENT, {}, is_known=True))

    assert choose().next == Next(id=ME, url="http://ua-1")
    house.sessions = 1_000
    assert (choose().next, choose().is_full) == (None, True)
    house.draining = True
    assert (choose().next, choose().is_full) == (None, False)
