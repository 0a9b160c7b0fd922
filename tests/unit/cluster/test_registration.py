"""Our key in the store: made, renewed, changed, made anew, and taken back at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.unit.cluster.instances import Contrary, until
from tests.unit.cluster.stores.store_on_virtual_time import on_virtual_time

from unified_agent.clock import LoopClock
from unified_agent.cluster import tenure
from unified_agent.cluster.heartbeats import Stage
from unified_agent.cluster.lives import Life, Lives
from unified_agent.cluster.registration import REFUSED_RETRY_S, RENEWAL_INTERVAL_S, RETRY_S, Place, Registration
from unified_agent.cluster.stores.base import ABSENT, LeaseId, Revision
from unified_agent.cluster.stores.memory_engine import MemoryEngine
from unified_agent.cluster.tenure import TenureSettings
from unified_agent.cluster.transactions import Ended as Proof
from unified_agent.cluster.transactions import ended_key
from unified_agent.cluster.values import Node, read_value
from unified_agent.domain.ids import InstanceId
from unified_agent.history import Ended, HistoryList, Registered

A1 = InstanceId("a1")


class Told:
    """The guardian's end of the pipe."""

    def __init__(self) -> None:
        self.said: list[tuple[str, int]] = []

    def registered(self, *, datacentre: str, instance: InstanceId, incarnation: Revision, lease: LeaseId) -> None:
        assert (datacentre, instance) == ("east", A1)
        self.said.append(("registered", incarnation))

    def left(self, incarnation: Revision) -> None:
        self.said.append(("left", incarnation))


class Process:
    """One process that registers itself; another of the same name may follow."""

    def __init__(self, engine: MemoryEngine, process: str = "p1") -> None:
        self.engine = engine
        self.clock = LoopClock(asyncio.get_running_loop(), wall_s=lambda: 0.0)
        self.store = Contrary(engine, self.clock)
        self.store.about = "cluster/node/"
        self.place = Place(
            instance=A1,
            datacentre="east",
            other="",
            process=process,
            url="http://a1",
            peer_address="a1:7000",
            version="1",
            capacity=1_000,
        )
        self.lives = Lives()
        self.began: list[Life] = []
        self.changes = self.troubles = 0
        self.guardian = Told()
        self.history = HistoryList(A1, self.clock)
        self.registration = Registration(
            self.place,
            self.lives,
            self.store,
            self.clock,
            TenureSettings(lease_s=4.0),
            began=self.began.append,
            changed=self._changed,
            troubled=self._troubled,
            history=self.history,
            guarded=self.guardian,  # type: ignore[arg-type]
        )
        self.running = asyncio.get_running_loop().create_task(self.registration.run())

    def _changed(self) -> None:
        self.changes += 1

    def _troubled(self) -> None:
        self.troubles += 1

    @property
    def node(self) -> Node | None:
        entry = self.engine.get(self.place.key)
        return None if entry is None else read_value(Node, entry)

    @property
    def proven(self) -> int:
        entry = self.engine.get(ended_key("east", A1))
        return 0 if entry is None else read_value(Proof, entry).incarnation

    def kill(self) -> None:
        self.running.cancel()


def plays(doing: Callable[[MemoryEngine], Awaitable[None]]) -> None:
    on_virtual_time(doing)


def test_it_makes_our_key_on_a_lease_and_tells_everybody() -> None:
    async def play(engine: MemoryEngine) -> None:
        one = Process(engine)
        assert one.registration.said == "has not registered yet"
        await asyncio.sleep(0.01)
        entry = engine.get(one.place.key)
        assert entry is not None
        assert one.node == Node(
            process="p1", url="http://a1", peer_address="a1:7000", version="1", capacity=1_000, stage=Stage.JOINING
        )
        (life,) = one.began
        assert life is one.lives.current
        assert (life.incarnation, life.lease) == (entry.created, entry.lease)
        assert one.guardian.said == [("registered", life.incarnation)]
        assert [each.event for each in one.history.entries] == [Registered(incarnation=life.incarnation)]
        assert one.registration.said == f"is registered as incarnation {life.incarnation}"

    plays(play)


def test_it_stays_registered_and_may_act_for_as_long_as_it_runs() -> None:
    async def play(engine: MemoryEngine) -> None:
        one = Process(engine)
        await asyncio.sleep(0.01)
        for _ in range(600):
            await asyncio.sleep(0.1)
            assert one.lives.may_act(one.began[0].incarnation, one.clock.now_s())
        assert len(one.began) == 1
        assert one.troubles == 0

    plays(play)


def test_a_renewal_counts_from_when_it_was_sent() -> None:
    async def play(engine: MemoryEngine) -> None:
        one = Process(engine)
        one.store.faults.delay_s = 0.4
        await asyncio.sleep(1.0)
        life = one.lives.current
        assert life is not None
        before_s = life.tenure.renewed_s
        await until(lambda: life.tenure.renewed_s > before_s)
        assert one.clock.now_s() - life.tenure.renewed_s == pytest.approx(0.4, abs=0.02)
        assert tenure.act_until_s(life.tenure) == pytest.approx(life.tenure.renewed_s + 4.0 * 2 / 3)

    plays(play)


def test_failed_renewals_are_repeated_soon_and_told_of() -> None:
    async def play(engine: MemoryEngine) -> None:
        one = Process(engine)
        await asyncio.sleep(0.75)
        one.store.faults.down = True
        await asyncio.sleep(1.0)
        one.store.faults.down = False
        await asyncio.sleep(1.0)
        assert one.troubles == 1
        assert "cannot reach the store" in one.registration.said
        assert one.began[0].tenure.renewed_s == pytest.approx(2.6, abs=0.01), "sent at 1.0, given up at 2.5"

    plays(play)


def test_a_lost_lease_is_never_used_again_and_a_new_life_begins() -> None:
    async def play(engine: MemoryEngine) -> None:
        one = Process(engine)
        await asyncio.sleep(1.0)
        (first,) = one.began
        assert first.lease is not None
        engine.end_lease(first.lease)
        await asyncio.sleep(RENEWAL_INTERVAL_S + 0.01)
        assert len(one.began) == 2
        second = one.began[1]
        assert first.lease is None
        assert one.lives.current is second
        assert second.incarnation > first.incarnation
        assert tuple(one.lives) == (first, second), "the first may still live on promises"
        assert one.changes == 1
        assert not tenure.may_act(first.tenure, one.clock.now_s()), "it has no listing, so nobody has promised anything"

    plays(play)


def test_an_outage_longer_than_the_lease_ends_in_a_new_life() -> None:
    async def play(engine: MemoryEngine) -> None:
        one = Process(engine)
        await asyncio.sleep(1.0)
        one.store.faults.down = True
        await asyncio.sleep(20.0)
        assert one.node is None
        one.store.faults.down = False
        await asyncio.sleep(3.0)
        assert len(one.began) == 2
        assert one.node is not None

    plays(play)


def test_one_that_has_stepped_down_clears_its_own_key_and_begins_a_new_life() -> None:
    async def play(engine: MemoryEngine) -> None:
        one = Process(engine)
        await asyncio.sleep(0.75)
        one.store.faults.down = True
        await asyncio.sleep(2.6)
        ((ended, _),) = one.lives.end_passed(one.clock.now_s())
        one.store.faults.down = False
        await asyncio.sleep(2.0 + RENEWAL_INTERVAL_S)
        assert [each.incarnation for each in one.began] == [ended.incarnation, one.began[1].incarnation]
        assert one.lives.current is one.began[1]

    plays(play)


# --- our name is taken


def test_a_registration_whose_answer_was_lost_is_cleared_and_made_anew() -> None:
    async def play(engine: MemoryEngine) -> None:
        one = Process(engine)
        one.store.fates = ["lost"]
        await asyncio.sleep(0.01)
        stranded = engine.get(one.place.key)
        assert stranded is not None
        assert one.began == []
        await asyncio.sleep(0.5 + 2 * RETRY_S + 0.1)
        (life,) = one.began
        assert life.incarnation > stranded.created
        entry = engine.get(one.place.key)
        assert entry is not None
        assert (entry.created, entry.lease) == (life.incarnation, life.lease)

    plays(play)


def test_a_registration_that_arrives_late_does_not_harm_the_one_that_followed() -> None:
    async def play(engine: MemoryEngine) -> None:
        one = Process(engine)
        one.store.fates, one.store.late_s = ["late"], 3.0
        await asyncio.sleep(10.0)
        (life,) = one.began
        entry = engine.get(one.place.key)
        assert entry is not None
        assert entry.created == life.incarnation

    plays(play)


def test_another_process_of_our_name_is_waited_for_until_its_lease_has_ended() -> None:
    async def play(engine: MemoryEngine) -> None:
        first = Process(engine, "p1")
        await asyncio.sleep(1.0)
        second = Process(engine, "p2")
        await asyncio.sleep(10.0)
        assert second.began == []
        assert "waits until an earlier process of the name a1" in second.registration.said
        first.kill()
        await asyncio.sleep(4.0 + RENEWAL_INTERVAL_S + 0.1)
        assert len(second.began) == 1
        assert second.node is not None
        assert second.node.process == "p2"

    plays(play)


def test_leases_granted_in_vain_are_given_back() -> None:
    async def play(engine: MemoryEngine) -> None:
        Process(engine, "p1")
        await asyncio.sleep(1.0)
        before = engine.revision
        Process(engine, "p2")
        await asyncio.sleep(60.0)
        assert engine.revision == before, "nothing was made, so nothing has ended"
        lease, _ = engine.grant(4.0)
        assert lease > 100, "it tried all the time"

    plays(play)


def test_a_key_that_nobody_can_read_is_somebody_else_s() -> None:
    async def play(engine: MemoryEngine) -> None:
        one = Process(engine)
        one.kill()
        lease, _ = engine.grant(4.0)
        await one.store.put_if(one.place.key, b"nonsense", ABSENT, lease)
        two = Process(engine)
        await asyncio.sleep(3.0)
        assert two.began == []
        await asyncio.sleep(3.0)
        assert len(two.began) == 1

    plays(play)


# --- what we do


def test_what_we_do_is_said_in_our_key_at_once_and_keeps_the_incarnation() -> None:
    async def play(engine: MemoryEngine) -> None:
        one = Process(engine)
        await asyncio.sleep(0.75)
        one.registration.say(Stage.READY)
        await asyncio.sleep(0.01)
        entry = engine.get(one.place.key)
        assert entry is not None
        assert one.node is not None
        assert (one.node.stage, entry.created) == (Stage.READY, one.began[0].incarnation)
        assert one.registration.stage is Stage.READY
        one.registration.say(Stage.JOINING, stood_down_epoch=5)
        await asyncio.sleep(0.01)
        assert one.node is not None
        assert (one.node.stage, one.node.stood_down_epoch) == (Stage.JOINING, 5)

    plays(play)


def test_what_is_so_already_is_not_written_again() -> None:
    async def play(engine: MemoryEngine) -> None:
        one = Process(engine)
        await asyncio.sleep(0.1)
        one.registration.say(Stage.READY)
        await asyncio.sleep(0.1)
        before = engine.revision
        one.registration.say(Stage.READY)
        await asyncio.sleep(30.0)
        assert engine.revision == before

    plays(play)


def test_what_could_not_be_said_is_said_as_soon_as_the_store_is_back() -> None:
    async def play(engine: MemoryEngine) -> None:
        one = Process(engine)
        await asyncio.sleep(1.0)
        one.store.faults.down = True
        one.registration.say(Stage.DRAINING)
        await asyncio.sleep(1.6)
        assert one.node is not None
        assert one.node.stage is Stage.JOINING
        one.store.faults.down = False
        await asyncio.sleep(1.8)
        assert one.node is not None
        assert one.node.stage is Stage.DRAINING

    plays(play)


def test_a_word_whose_answer_was_lost_is_said_again() -> None:
    async def play(engine: MemoryEngine) -> None:
        one = Process(engine)
        await asyncio.sleep(1.0)
        one.store.fates = ["never"]
        one.registration.say(Stage.READY)
        await asyncio.sleep(2.0)
        assert one.node is not None
        assert one.node.stage is Stage.READY

    plays(play)


def test_a_new_life_begins_with_what_was_said_last() -> None:
    async def play(engine: MemoryEngine) -> None:
        one = Process(engine)
        await asyncio.sleep(1.0)
        one.registration.say(Stage.READY)
        lease = one.began[0].lease
        assert lease is not None
        engine.end_lease(lease)
        await asyncio.sleep(2.0)
        assert one.node is not None
        assert (one.node.stage, len(one.began)) == (Stage.READY, 2)

    plays(play)


# --- refusals, and the end


def test_a_store_that_refuses_us_is_asked_rarely_and_a_person_is_told() -> None:
    async def play(engine: MemoryEngine) -> None:
        one = Process(engine)
        one.store.faults.refused = True
        await asyncio.sleep(60.0)
        assert one.began == []
        assert "a person must act" in one.registration.said
        one.store.faults.refused = False
        await asyncio.sleep(REFUSED_RETRY_S + 0.1)
        assert len(one.began) == 1

    plays(play)


def test_whoever_leaves_proves_the_end_and_nobody_waits_for_the_lease() -> None:
    async def play(engine: MemoryEngine) -> None:
        one = Process(engine)
        await asyncio.sleep(1.0)
        incarnation = one.began[0].incarnation
        one.kill()
        await one.registration.leave()
        assert (one.node, one.proven) == (None, incarnation)
        assert one.lives.latest is None
        assert one.guardian.said[-1] == ("left", incarnation)
        assert one.history.entries[-1].event == Ended(incarnation=incarnation)
        second = Process(engine, "p2")
        await asyncio.sleep(0.01)
        assert len(second.began) == 1

    plays(play)


def test_whoever_leaves_after_a_lost_lease_proves_the_end_of_every_life() -> None:
    async def play(engine: MemoryEngine) -> None:
        one = Process(engine)
        await asyncio.sleep(1.0)
        lease = one.began[0].lease
        assert lease is not None
        engine.end_lease(lease)
        await asyncio.sleep(1.0)
        one.kill()
        await one.registration.leave()
        assert one.proven == one.began[1].incarnation
        assert [word for word, _ in one.guardian.said].count("left") == 2

    plays(play)


def test_leaving_without_a_store_takes_no_longer_than_it_may_and_proves_nothing() -> None:
    async def play(engine: MemoryEngine) -> None:
        one = Process(engine)
        await asyncio.sleep(1.0)
        one.kill()
        one.store.faults.down = True
        began_s = asyncio.get_running_loop().time()
        await one.registration.leave()
        assert asyncio.get_running_loop().time() - began_s <= 3.0
        assert one.proven == 0
        assert ("left", one.began[0].incarnation) not in one.guardian.said, "the guardian proves it"
        assert one.lives.latest is None

    plays(play)
