"""What the guardian knows and decides, with the time as an argument; and how it insists on a proof."""

from __future__ import annotations

import asyncio
import random

import pytest
from tests.unit.cluster.stores.store_on_virtual_time import connect, on_virtual_time

from unified_agent import guardian
from unified_agent.cluster.guarded import LINE_LIMIT_BYTES, Alive, Left, Message, Registered, write_line
from unified_agent.cluster.stores.base import ABSENT, Committed, LeaseId, PutValue, Revision
from unified_agent.cluster.stores.memory import MemoryStore
from unified_agent.cluster.stores.memory_engine import MemoryEngine
from unified_agent.cluster.transactions import Ended, ended_key, instance_key
from unified_agent.cluster.values import read_value
from unified_agent.domain.ids import InstanceId
from unified_agent.guardian import LOOK_LATE_S, WARM_S, Lines, Ward, exit_status, hear, keep_warm, look, prove

ME = InstanceId("a1")
NODE, PROOF = instance_key("dc1", ME), ended_key("dc1", ME)
STUCK_S = 3.0


def registered(incarnation: int, lease: int = 9) -> Registered:
    return Registered(datacentre="dc1", instance=ME, incarnation=Revision(incarnation), lease=LeaseId(lease))


def left(incarnation: int) -> Left:
    return Left(incarnation=Revision(incarnation))


def looked_until(ward: Ward, until_s: float, step_s: float = 0.25) -> Ward:
    while ward.looked_s < until_s:
        ward = look(ward, min(until_s, ward.looked_s + step_s), STUCK_S)
    return ward


# --- what is to be proven


def test_nothing_is_to_be_proven_of_a_process_that_never_registered() -> None:
    assert hear(Ward(looked_s=0.0), Alive(), 1.0).registered is None


def test_what_was_registered_last_is_to_be_proven() -> None:
    ward = hear(Ward(looked_s=0.0), registered(17), 1.0)
    assert ward.registered == registered(17)
    assert hear(ward, registered(30), 2.0).registered == registered(30)


def test_nothing_is_to_be_proven_of_a_process_that_left_in_order() -> None:
    ward = hear(hear(Ward(looked_s=0.0), registered(17), 1.0), left(17), 2.0)
    assert ward.registered is None
    assert ward.has_left


def test_leaving_an_earlier_registration_does_not_cover_a_later_one() -> None:
    ward = hear(hear(Ward(looked_s=0.0), registered(30), 1.0), left(17), 2.0)
    assert ward.registered == registered(30)
    assert not ward.has_left
    assert ward.heard_s == 2.0


def test_whoever_registers_anew_after_leaving_is_guarded_anew() -> None:
    ward = hear(hear(Ward(looked_s=0.0), registered(17), 1.0), left(17), 2.0)
    ward = hear(ward, registered(30), 3.0)
    assert ward.registered == registered(30)
    assert looked_until(ward, 6.0).is_condemned


# --- who is stuck


def test_a_process_is_stuck_when_it_says_nothing_for_so_long() -> None:
    ward = hear(Ward(looked_s=10.0), registered(17), 10.0)
    assert not looked_until(ward, 12.9).is_condemned
    assert looked_until(ward, 13.0).is_condemned


def test_every_word_begins_the_time_anew() -> None:
    ward = hear(Ward(looked_s=10.0), registered(17), 10.0)
    ward = hear(looked_until(ward, 12.5), Alive(), 12.5)
    assert not looked_until(ward, 15.25).is_condemned
    assert looked_until(ward, 15.5).is_condemned


def test_a_process_that_has_not_said_a_word_yet_may_take_its_time() -> None:
    assert not looked_until(Ward(looked_s=0.0), 600.0).is_condemned


def test_a_process_that_hangs_before_it_registers_is_stuck_too() -> None:
    assert looked_until(hear(Ward(looked_s=0.0), Alive(), 1.0), 4.0).is_condemned


def test_a_process_that_has_left_may_take_its_time_to_end() -> None:
    ward = hear(hear(Ward(looked_s=0.0), registered(17), 1.0), left(17), 2.0)
    assert not looked_until(hear(ward, Alive(), 2.5), 600.0).is_condemned


def test_whoever_was_found_stuck_stays_condemned() -> None:
    ward = looked_until(hear(Ward(looked_s=0.0), registered(17), 0.0), 4.0)
    assert look(hear(ward, Alive(), 4.1), 4.2, STUCK_S).is_condemned


def test_time_in_which_the_guardian_stood_still_is_nobodys_silence() -> None:
    ward = hear(Ward(looked_s=10.0), registered(17), 10.0)
    ward = look(ward, 30.0, STUCK_S)
    assert not ward.is_condemned
    assert not looked_until(ward, 32.9).is_condemned
    assert looked_until(ward, 33.0).is_condemned


def test_a_guardian_that_is_a_little_late_does_not_give_more_time() -> None:
    ward = hear(Ward(looked_s=10.0), registered(17), 10.0)
    assert looked_until(ward, 13.0, step_s=LOOK_LATE_S).is_condemned


# --- lines and statuses


def test_messages_are_found_however_the_bytes_come() -> None:
    messages: list[Message] = [registered(17), Alive(), left(17)]
    data = b"".join(map(write_line, messages))
    assert Lines().receive(data) == messages
    one_by_one = Lines()
    assert [found for byte in data for found in one_by_one.receive(bytes([byte]))] == messages


def test_what_is_no_message_is_passed_over_and_bounded() -> None:
    lines = Lines()
    assert lines.receive(b"nonsense\n" + write_line(Alive()) + b"\xff") == [Alive()]
    assert lines.receive(b"x" * 10 * LINE_LIMIT_BYTES) == []
    assert len(lines._rest) <= LINE_LIMIT_BYTES
    assert lines.receive(b"\n" + write_line(Alive())) == [Alive()]


@pytest.mark.parametrize(("returncode", "status"), [(0, 0), (2, 2), (-9, 137), (-15, 143)])
def test_a_status_is_passed_on_as_a_shell_would(returncode, status) -> None:
    assert exit_status(returncode) == status


# --- insisting on a proof


@pytest.fixture
def said(monkeypatch) -> list[str]:
    events: list[str] = []
    monkeypatch.setattr(guardian, "log_event", lambda _, event, **__: events.append(event))
    return events


async def live(store: MemoryStore) -> Registered:
    """Register, with a second key on the same lease."""
    lease = await store.grant_lease(4.0)
    made = await store.put_if(NODE, b"here", ABSENT, lease.lease)
    await store.transact([], [PutValue("digest/a1", b"", lease.lease)])
    assert isinstance(made, Committed)
    return registered(made.revision, lease.lease)


async def prove_it(store: MemoryStore, ended: Registered, limit_s: float = 12.0) -> bool:
    return await prove(store, ended, clock=store.engine.clock, chance=random.Random(1), limit_s=limit_s)


async def proven(store: MemoryStore) -> int | None:
    entry = await store.get(PROOF)
    return None if entry is None else read_value(Ended, entry).incarnation


def test_an_end_is_proven_at_once_and_all_that_was_on_the_lease_goes(said) -> None:
    async def play(engine: MemoryEngine) -> None:
        store = connect(engine)
        ended = await live(store)
        began_s = engine.clock.now_s()
        assert await prove_it(store, ended)
        assert engine.clock.now_s() == began_s
        assert await proven(store) == ended.incarnation
        assert await store.get(NODE) is None
        assert await store.get("digest/a1") is None

    on_virtual_time(play)
    assert said == ["end_proven"]


def test_an_end_is_proven_as_soon_as_the_store_is_back(said) -> None:
    async def play(engine: MemoryEngine) -> None:
        store, other = connect(engine), connect(engine)
        ended = await live(store)
        store.faults.down = True
        engine.clock.call_at(engine.clock.now_s() + 5.0, lambda: setattr(store.faults, "down", False))
        assert await prove_it(store, ended)
        assert engine.clock.now_s() <= 8.5  # at most one attempt of 1.5 s and one wait of 1 s after its return
        assert await proven(other) == ended.incarnation

    on_virtual_time(play)
    assert said == ["end_proven"]


def test_an_end_whose_proof_was_written_unseen_is_proven(said) -> None:
    async def play(engine: MemoryEngine) -> None:
        store = connect(engine)
        ended = await live(store)
        store.faults.deaf = True
        engine.clock.call_at(engine.clock.now_s() + 4.0, lambda: setattr(store.faults, "deaf", False))
        assert await prove_it(store, ended)
        assert await proven(store) == ended.incarnation

    on_virtual_time(play)
    assert said == ["end_proven"]


@pytest.mark.parametrize("fault", ["down", "refused"])
def test_a_proof_is_given_up_after_its_limit(said, fault) -> None:
    async def play(engine: MemoryEngine) -> None:
        store, other = connect(engine), connect(engine)
        ended = await live(store)
        setattr(store.faults, fault, True)
        began_s = engine.clock.now_s()
        assert not await prove_it(store, ended)
        assert engine.clock.now_s() - began_s == pytest.approx(12.0)
        assert await proven(other) is None

    on_virtual_time(play)
    assert said == ["end_not_proven"]


class NeverRevokes(MemoryStore):
    """A store that goes away when the proof has been written."""

    async def revoke(self, lease: LeaseId) -> None:
        self.faults.down = True
        await super().revoke(lease)


def test_a_lease_that_cannot_be_ended_does_not_unmake_the_proof(said) -> None:
    async def play(engine: MemoryEngine) -> None:
        ended = await live(connect(engine))
        assert await prove_it(NeverRevokes(engine), ended)
        assert await proven(connect(engine)) == ended.incarnation

    on_virtual_time(play)
    assert said == ["end_proven", "lease_not_ended"]


def test_a_refusing_store_is_not_hammered(said) -> None:
    async def play(engine: MemoryEngine) -> None:
        asked = 0

        class Counting(MemoryStore):
            async def _ask(self, act, unanswered):
                nonlocal asked
                asked += 1
                return await super()._ask(act, unanswered)

        ended = await live(connect(engine))
        store = Counting(engine)
        store.faults.refused = True
        assert not await prove_it(store, ended)
        assert asked <= 12

    on_virtual_time(play)


def test_a_store_that_does_not_answer_is_told_of_before_it_is_needed_and_once_each_time(said) -> None:
    async def play(engine: MemoryEngine) -> None:
        store = connect(engine)
        warming = asyncio.ensure_future(keep_warm(store))
        await asyncio.sleep(2.5 * WARM_S)
        assert said == []
        store.faults.down = True
        await asyncio.sleep(3 * WARM_S)
        assert said == ["guardian_without_store"]
        store.faults.down = False
        await asyncio.sleep(2 * WARM_S)
        store.faults.refused = True
        await asyncio.sleep(2 * WARM_S)
        assert said == 2 * ["guardian_without_store"]
        warming.cancel()
        await asyncio.wait([warming])

    on_virtual_time(play)
