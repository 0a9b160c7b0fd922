"""Session initiation: one request, and a desktop knows where to log in."""

from __future__ import annotations

import pytest
from tests.unit.server.serving import LOGIN, World, with_sessions
from tests.unit.sessions.rooms import Claims

from unified_agent.domain.ids import InstanceId
from unified_agent.domain.topology import Chosen, Elsewhere, Next
from unified_agent.server.initiation import PROMISE_S, Promises

pytestmark = pytest.mark.asyncio

THERE = Next(id=InstanceId("ua-2"), url="http://ua-2")


async def test_it_answers_with_the_instance_its_url_a_ticket_and_all_instances():
    world = World()
    async with world.client() as client:
        answer = await client.get("/v1/entry", params={"agent": "2001"})
        topology = (await client.get("/v1/topology")).json()
    assert answer.status_code == 200
    body = answer.json()
    assert body["instance"] == {"id": "ua-1", "url": "http://ua.test"}
    assert body["topology"] == topology
    assert body["ticket_s"] == 60.0
    assert body["reason"]
    assert answer.headers["cache-control"] == "no-store"
    assert world.where.asked == [("2001", {})]


async def test_whoever_does_not_say_who_they_are_gets_a_place_by_chance():
    world = World()
    async with world.client() as client:
        assert (await client.get("/v1/entry")).status_code == 200
    assert world.where.asked == [(None, {})]


async def test_the_cookie_has_balancers_send_the_desktop_to_the_chosen_instance():
    world = World()
    world.where.chosen = Chosen(next=THERE, reason="it has the agent already")
    async with world.client() as client:
        first = await client.get("/v1/entry", params={"agent": "2001"})
        cookie = first.headers["set-cookie"]
        assert cookie.partition(";")[0].endswith(".ua-2")
        assert first.json()["instance"] == {"id": "ua-2", "url": "http://ua-2"}
        again = await client.get("/v1/entry", params={"agent": "2001"})
        assert "set-cookie" not in again.headers, "it has it already"


async def test_a_desktop_that_comes_with_another_route_gets_ours_when_it_logs_in():
    world = World()
    async with world.client(headers={"Cookie": "JSESSIONID=x.ua-9"}) as client:
        entered = await client.post("/v1/session", json=LOGIN)
        plain = await client.get("/v1/config")
    assert entered.headers["set-cookie"].partition(";")[0].endswith(".ua-1")
    assert "set-cookie" not in plain.headers


@pytest.mark.parametrize(
    ("chosen", "failure", "retry_after"),
    [
        (Chosen(next=None, reason="all 3 ready instances of dc1 are full", is_full=True), "cluster.full", "15"),
        (Chosen(next=None, reason="no instance of dc1 is ready (joining)"), "cluster.not-serving", "2"),
    ],
)
async def test_a_cluster_that_can_take_nobody_says_so_and_why(chosen: Chosen, failure: str, retry_after: str):
    world = World()
    world.where.chosen = chosen
    async with world.client() as client:
        answer = await client.get("/v1/entry")
    assert (answer.status_code, answer.json()["id"]) == (503, failure)
    assert answer.json()["detail"] == chosen.reason
    assert answer.headers["retry-after"] == retry_after
    assert "set-cookie" not in answer.headers
    outcome = failure.removeprefix("cluster.")
    assert world.metrics.registry.get_sample_value("ua_initiations_total", {"outcome": outcome}) == 1.0


@pytest.mark.parametrize("agent", ["abc", "1" * 16, "2001\n", "20 01"])
async def test_an_agent_is_digits(agent: str):
    async with World().client() as client:
        answer = await client.get("/v1/entry", params={"agent": agent})
    assert (answer.status_code, answer.json()["id"]) == (400, "request.invalid")


async def test_those_who_were_sent_there_a_moment_ago_count():
    world = World()
    async with world.client() as client:
        for agent in ("2001", "2002", "2003"):
            await client.get("/v1/entry", params={"agent": agent})
    assert world.where.asked[-1] == ("2003", {"ua-1": 2})


async def test_a_promise_is_kept_until_the_instance_must_have_counted_it_itself():
    now_s = 100.0
    promises = Promises(lambda: now_s)
    promises.add(InstanceId("ua-1"))
    now_s += PROMISE_S / 2
    promises.add(InstanceId("ua-1"))
    assert promises.counts()[InstanceId("ua-1")] == 2
    now_s += PROMISE_S / 2
    assert promises.counts()[InstanceId("ua-1")] == 1
    now_s += PROMISE_S
    assert promises.counts()[InstanceId("ua-1")] == 0


async def test_a_login_with_its_ticket_is_let_in_without_asking_again_who_has_the_agent():
    world = World(claims=Claims())
    async with world.client() as client:
        ticket = (await client.get("/v1/entry", params={"agent": LOGIN["agent"]})).json()["ticket"]
        world.where.home = Elsewhere(THERE)
        without = await client.post("/v1/session", json=LOGIN)
        assert (without.status_code, without.json()["id"]) == (421, "instance.elsewhere")
        wrong = await client.post("/v1/session", json={**LOGIN, "entry": ticket[:-2]})
        assert wrong.status_code == 421, "a ticket that is not good is as none"
        assert (await client.post("/v1/session", json={**LOGIN, "entry": ticket})).status_code == 201


async def test_an_instance_that_is_being_stopped_sends_on_whoever_has_a_ticket_for_it():
    world = World(claims=Claims())
    async with world.client() as client:
        ticket = (await client.get("/v1/entry", params={"agent": LOGIN["agent"]})).json()["ticket"]
        world.where.home = Elsewhere(THERE)
        world.host.draining = True
        answer = await client.post("/v1/session", json={**LOGIN, "entry": ticket})
    assert (answer.status_code, answer.json()["next"]) == (421, {"id": "ua-2", "url": "http://ua-2"})


async def test_an_instance_alone_says_when_it_is_full_or_being_stopped():
    world = World(with_sessions(capacity=1))
    await world.log_in()
    async with world.client() as client:
        assert (await client.get("/v1/entry")).json()["id"] == "cluster.full"
        world.whole.draining = True
        assert (await client.get("/v1/entry")).json()["id"] == "cluster.not-serving"
