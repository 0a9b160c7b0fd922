from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest
from tests.unit.links.fakes import FixedChance, ManualClock, settle

from unified_agent.domain.ids import LinkId
from unified_agent.errors import LinkNotReady, LinkRefused
from unified_agent.links.supervisor import Rota, Supervisor
from unified_agent.settings import LinkSettings

SETTINGS = LinkSettings(backoff_base_s=1.0, backoff_cap_s=4.0, refused_retry_s=30.0)


class TestRota:
    def test_servers_are_tried_in_order_without_a_wait_and_then_with_one(self) -> None:
        rota = Rota(3, SETTINGS, FixedChance())
        plans = [rota.first(100.0)]
        for _ in range(6):
            plans.append(rota.after_failure(plans[-1].at_s))
        assert [(plan.server, plan.at_s) for plan in plans] == [
            (0, 100.0),
            (1, 100.0),
            (2, 100.0),
            (0, 101.0),
            (1, 101.0),
            (2, 101.0),
            (0, 103.0),
        ]

    def test_waits_double_up_to_the_cap(self) -> None:
        chance = FixedChance()
        rota = Rota(1, SETTINGS, chance)
        rota.first(0.0)
        for _ in range(5):
            rota.after_failure(0.0)
        assert [bound for _, bound in chance.asked] == [1.0, 2.0, 4.0, 4.0, 4.0]

    def test_server_that_worked_is_tried_first_after_a_loss(self) -> None:
        rota = Rota(2, SETTINGS, FixedChance(0.0))
        rota.first(0.0)
        assert rota.after_failure(0.0).server == 1
        rota.came_up(0.0)
        assert rota.after_loss(50.0).server == 1
        assert rota.after_failure(50.0).server == 0

    def test_server_that_worked_and_cannot_be_used_any_more_is_left_for_the_next(self) -> None:
        rota = Rota(2, SETTINGS, FixedChance(0.0))
        rota.first(0.0)
        rota.came_up(0.0)
        assert rota.after_failure(50.0).server == 1

    def test_link_that_fails_again_at_once_waits_longer_each_time(self) -> None:
        chance = FixedChance(0.0)
        rota = Rota(1, SETTINGS, chance)
        rota.first(0.0)
        for _ in range(3):
            rota.came_up(10.0)
            rota.after_loss(10.1)
        assert [bound for _, bound in chance.asked] == [1.0, 2.0, 4.0]

    def test_link_that_stayed_up_begins_with_the_shortest_wait(self) -> None:
        chance = FixedChance(0.0)
        rota = Rota(1, SETTINGS, chance)
        rota.first(0.0)
        for now_s in range(0, 50, 10):
            rota.came_up(now_s)
            rota.after_loss(now_s + 5)
        assert {bound for _, bound in chance.asked} == {1.0}

    def test_server_that_refused_is_left_alone_while_others_are_tried(self) -> None:
        rota = Rota(2, SETTINGS, FixedChance(0.0))
        rota.first(0.0)
        assert rota.after_refusal(0.0).server == 1
        tried = [rota.after_failure(float(now_s)).server for now_s in range(29)]
        assert set(tried) == {1}
        assert 0 in [rota.after_failure(31.0).server for _ in range(2)]

    def test_when_all_refuse_the_wait_is_the_long_one(self) -> None:
        rota = Rota(2, SETTINGS, FixedChance(0.0))
        rota.first(0.0)
        rota.after_refusal(0.0)
        plan = rota.after_refusal(1.0)
        assert (plan.server, plan.at_s) == (0, 30.0)

    @pytest.mark.parametrize("seed", range(20))
    def test_no_server_is_forgotten_and_no_wait_exceeds_its_bound(self, seed: int) -> None:
        chance = random.Random(seed)
        servers = chance.randint(1, 4)
        rota = Rota(servers, SETTINGS, chance)
        now_s, tried, plan = 0.0, set(), rota.first(0.0)
        for _ in range(200):
            assert now_s <= plan.at_s <= now_s + max(SETTINGS.backoff_cap_s, SETTINGS.refused_retry_s)
            now_s = plan.at_s + chance.uniform(0, 1)
            tried.add(plan.server)
            what = chance.random()
            if what < 0.2:
                plan = rota.after_refusal(now_s)
                continue
            if what < 0.5:
                rota.came_up(now_s)
                now_s += chance.uniform(0, 10)
                plan = rota.after_loss(now_s)
                continue
            plan = rota.after_failure(now_s)
        assert tried == set(range(servers))


class Peers:
    """What each try meets, in order; then it stays up until ``lose``."""

    def __init__(self, *script: Exception | str) -> None:
        self.script = list(script)
        self.tries: list[str] = []
        self.ended = asyncio.Event()
        self.cancelled = 0

    async def serve(self, server: str, came_up: Callable[[], None]) -> str:
        self.tries.append(server)
        if self.script:
            what = self.script.pop(0)
            if isinstance(what, Exception):
                raise what
            came_up()
            return what
        came_up()
        self.ended.clear()
        try:
            await self.ended.wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            self.cancelled += 1
            raise
        return "closed"


def make(peers: Peers, *names: str) -> tuple[Supervisor[str], ManualClock]:
    clock = ManualClock()
    servers = [(LinkId(name), name) for name in names or ("aes-1",)]
    supervisor = Supervisor(LinkId("aes"), servers, peers.serve, settings=SETTINGS, clock=clock, chance=FixedChance())
    return supervisor, clock


@pytest.mark.asyncio
async def test_supervisor_tries_again_until_the_link_is_up_and_says_what_it_does() -> None:
    peers = Peers(LinkNotReady("nobody there"), LinkNotReady("nobody there"))
    supervisor, clock = make(peers)
    assert supervisor.status == "aes: has not been started (for 0 s)"
    supervisor.start()
    await settle()
    assert supervisor.status == "aes: aes-1 is not ready: nobody there; next try in 1.0 s (for 0 s)"
    clock.advance(1.0)
    await settle()
    assert supervisor.tries == 2
    clock.advance(2.0)
    await settle()
    assert peers.tries == ["aes-1"] * 3
    clock.advance(7.0)
    assert supervisor.status == "aes: up on aes-1 (for 7 s)"
    assert supervisor.tries == 0
    await supervisor.stop()


@pytest.mark.asyncio
async def test_lost_link_is_brought_up_again() -> None:
    peers = Peers()
    supervisor, clock = make(peers)
    supervisor.start()
    await settle()
    peers.ended.set()
    await settle()
    assert supervisor.status.startswith("aes: lost aes-1: closed; next try in")
    clock.advance(1.0)
    await settle()
    assert peers.tries == ["aes-1", "aes-1"]
    await supervisor.stop()


@pytest.mark.asyncio
async def test_stop_returns_when_the_cancelled_task_has_ended() -> None:
    peers = Peers()
    supervisor, _ = make(peers)
    supervisor.start()
    await settle()
    await supervisor.stop()
    assert peers.cancelled == 1
    assert supervisor.status.startswith("aes: stopped")


@pytest.mark.asyncio
async def test_defect_while_closing_does_not_keep_the_house_from_stopping() -> None:
    async def serve(_: str, came_up: Callable[[], None]) -> str:
        came_up()
        try:
            await asyncio.Event().wait()
        finally:
            raise KeyError("oops")

    servers = [(LinkId("aes-1"), "aes-1")]
    supervisor = Supervisor(LinkId("aes"), servers, serve, settings=SETTINGS, clock=ManualClock(), chance=FixedChance())
    supervisor.start()
    await settle()
    await supervisor.stop()
    assert supervisor.status.startswith("aes: stopped")


@pytest.mark.asyncio
async def test_stop_before_start_is_harmless() -> None:
    supervisor, _ = make(Peers())
    await supervisor.stop()


@pytest.mark.asyncio
async def test_refused_link_waits_long_unless_a_person_says_try_now() -> None:
    peers = Peers(LinkRefused("wrong password"))
    supervisor, clock = make(peers)
    supervisor.start()
    await settle()
    assert "refused us: wrong password; a person must act; next try in 30.0 s" in supervisor.status
    clock.advance(20.0)
    await settle()
    assert len(peers.tries) == 1
    supervisor.retry_now()
    await settle()
    assert len(peers.tries) == 2
    await supervisor.stop()


@pytest.mark.asyncio
async def test_defect_of_ours_leaves_the_supervisor_alive() -> None:
    peers = Peers(KeyError("oops"))
    supervisor, clock = make(peers)
    supervisor.start()
    await settle()
    assert "a defect of ours" in supervisor.status
    clock.advance(1.0)
    await settle()
    assert supervisor.status.startswith("aes: up on aes-1")
    await supervisor.stop()


@pytest.mark.asyncio
async def test_next_server_is_tried_at_once() -> None:
    peers = Peers(LinkNotReady("nobody there"))
    supervisor, _ = make(peers, "aes-1", "aes-2")
    supervisor.start()
    await settle()
    assert peers.tries == ["aes-1", "aes-2"]
    assert supervisor.status.startswith("aes: up on aes-2")
    await supervisor.stop()
