from __future__ import annotations

from typing import Any

import pytest
from tests.unit.server.serving import World, with_http

from unified_agent.domain.ids import AgentId, InstanceId
from unified_agent.server.cluster_ports import (
    ActivationPlan,
    ActivationStatus,
    Affected,
    ClusterStatus,
    Decision,
    InstanceState,
    InstanceStatus,
    Kind,
    Moving,
    StoreStatus,
    Verdict,
    confirmation,
)
from unified_agent.server.failures import RequestRefused

pytestmark = pytest.mark.asyncio

ORDERS = {
    "/v1/cluster/instances/ua-1/drain": {},
    "/v1/cluster/instances/ua-1/resume": {},
    "/v1/cluster/agents/2001/move": {},
    "/v1/cluster/activate": {"datacentre": "west"},
}


def affected(incarnation: int = 7) -> Affected:
    return Affected(
        id=InstanceId("ua-1"),
        datacentre="east",
        state=InstanceState.READY,
        incarnation=incarnation,
        sessions=300,
        becomes="closes its 300 sessions and stands down",
    )


class Cluster:
    """Carries nothing out, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.refusal: RequestRefused | None = None
        self.hinders: tuple[str, ...] = ()
        self.live = (affected(),)

    async def status(self) -> ClusterStatus:
        me = InstanceStatus(
            id=InstanceId("ua-1"),
            datacentre="east",
            state=InstanceState.READY,
            verdict=Verdict.ALIVE,
            version="1.0",
            sessions=300,
            capacity=1200,
            url="https://ua-1.test",
            incarnation=7,
            epoch=4,
            is_me=True,
        )
        return ClusterStatus(
            cluster="prod",
            now="2026-01-01T00:00:00Z",
            datacentre="east",
            epoch=4,
            active="east",
            activation=ActivationStatus(decision=Decision.SERVE, reason="east is active"),
            store=StoreStatus(up=True, said="renewed", heard_s=0.2),
            instances=(me,),
        )

    async def drain(self, name: InstanceId, rate_per_s: float | None) -> None:
        self._note("drain", name, rate_per_s)

    async def resume(self, name: InstanceId) -> None:
        self._note("resume", name)

    async def move(self, agent: AgentId, to: InstanceId | None) -> Moving:
        self._note("move", agent, to)
        return Moving(agent=agent, source=InstanceId("ua-1"), target=to or InstanceId("ua-2"))

    async def plan_activation(self, datacentre: str) -> ActivationPlan:
        if datacentre != "west":
            raise RequestRefused("cluster.no-such-datacentre", "there are east and west")
        return ActivationPlan(
            datacentre=datacentre,
            kind=Kind.SWITCH,
            epoch=4,
            active="east",
            says="east stands down, west takes over",
            hinders=self.hinders,
            agents=300,
            instances=self.live,
            confirm=confirmation(datacentre, Kind.SWITCH, 4, self.live),
        )

    async def activate(self, datacentre: str, confirm: str) -> None:
        self._note("activate", datacentre, confirm)

    def _note(self, *asked: Any) -> None:
        self.asked.append(asked)
        if self.refusal is not None:
            raise self.refusal


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


async def post(world: World, path: str, body: Any) -> Any:
    async with world.client(address="127.0.0.1") as client:
        return await client.post(path, json=body)


async def test_operators_are_told_how_the_cluster_is(cluster):
    async with World(cluster=cluster).client(address="127.0.0.1") as client:
        answer = await client.get("/v1/cluster")
    told = answer.json()
    assert answer.status_code == 200
    assert (told["active"], told["epoch"], told["activation"]) == (
        "east",
        4,
        {"decision": "serve", "reason": "east is active"},
    )
    assert told["instances"][0]["is_me"] is True
    assert told["instances"][0]["drain"] is None


async def test_an_instance_alone_tells_of_itself():
    world = World()
    await world.log_in()
    world.whole.draining = True
    async with world.client(address="127.0.0.1") as client:
        told = (await client.get("/v1/cluster")).json()
    (me,) = told["instances"]
    assert (me["id"], me["state"], me["sessions"], me["links_down"]) == ("ua-1", "draining", 1, ["aes-1"])
    assert told["store"] == {"up": False, "said": "there is none: this instance is alone", "heard_s": None}


@pytest.mark.parametrize(("started", "state"), [(False, "joining"), (True, "ready")])
async def test_an_instance_alone_is_ready_once_it_has_started(started, state):
    world = World()
    world.whole.started = started
    async with world.client(address="127.0.0.1") as client:
        assert (await client.get("/v1/cluster")).json()["instances"][0]["state"] == state


@pytest.mark.parametrize("path", ORDERS)
async def test_an_instance_alone_carries_no_order_out(path):
    answer = await post(World(), path, ORDERS[path])
    assert (answer.status_code, answer.json()["id"]) == (409, "cluster.alone")


@pytest.mark.parametrize("path", ORDERS)
async def test_orders_are_taken_from_operators_only(path, cluster):
    async with World(cluster=cluster).client(address="10.0.0.7") as client:
        answer = await client.post(path, json=ORDERS[path])
        told = await client.get("/v1/cluster")
    assert (answer.status_code, answer.json()["id"]) == (401, "operator.unauthorised")
    assert told.status_code == 401
    assert cluster.asked == []


async def test_with_an_operators_token_orders_come_from_anywhere(cluster, tmp_path):
    file = tmp_path / "operators"
    file.write_text("open sesame\n")
    async with World(with_http(operators_token_file=file), cluster=cluster).client() as client:
        answer = await client.post("/v1/cluster/instances/ua-2/resume", headers={"Authorization": "Bearer open sesame"})
    assert answer.status_code == 202
    assert cluster.asked == [("resume", "ua-2")]


@pytest.mark.parametrize(
    ("path", "body", "asked"),
    [
        ("/v1/cluster/instances/ua-2/drain", {}, ("drain", "ua-2", None)),
        ("/v1/cluster/instances/ua-2/drain", {"rate_per_s": 20}, ("drain", "ua-2", 20.0)),
        ("/v1/cluster/instances/ua-2/resume", {}, ("resume", "ua-2")),
        ("/v1/cluster/agents/2001/move", {}, ("move", "2001", None)),
        ("/v1/cluster/agents/2001/move", {"to": "ua-3"}, ("move", "2001", "ua-3")),
    ],
)
async def test_an_order_is_passed_on_as_it_was_given(path, body, asked, cluster):
    answer = await post(World(cluster=cluster), path, body)
    assert answer.status_code == 202
    assert cluster.asked == [asked]


async def test_a_drain_is_answered_with_how_the_cluster_stands_then(cluster):
    told = (await post(World(cluster=cluster), "/v1/cluster/instances/ua-1/drain", {})).json()
    assert told["cluster"] == "prod"


async def test_a_move_says_from_where_and_to_where(cluster):
    told = (await post(World(cluster=cluster), "/v1/cluster/agents/2001/move", {})).json()
    assert told == {"agent": "2001", "source": "ua-1", "target": "ua-2"}


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        ("agent.not-logged-in", 404),
        ("agent.in-item", 409),
        ("cluster.no-such-instance", 404),
        ("cluster.unreachable", 503),
    ],
)
async def test_a_refusal_keeps_its_id_and_its_words(failure, status, cluster):
    cluster.refusal = RequestRefused(failure, "about this case")
    answer = await post(World(cluster=cluster), "/v1/cluster/agents/2001/move", {})
    assert (answer.status_code, answer.json()["id"], answer.json()["detail"]) == (status, failure, "about this case")


@pytest.mark.parametrize("rate", [0, -1, 1_001, "fast"])
async def test_a_rate_that_is_none_is_refused_before_anybody_is_moved(rate, cluster):
    answer = await post(World(cluster=cluster), "/v1/cluster/instances/ua-1/drain", {"rate_per_s": rate})
    assert (answer.status_code, answer.json()["id"]) == (400, "request.invalid")
    assert cluster.asked == []


async def test_the_first_call_says_what_would_happen_and_the_second_does_it(cluster):
    world = World(cluster=cluster)
    first = (await post(world, "/v1/cluster/activate", {"datacentre": "west"})).json()
    assert first["ordered"] is False
    assert cluster.asked == []
    word = first["plan"]["confirm"]
    second = await post(world, "/v1/cluster/activate", {"datacentre": "west", "confirm": word})
    assert (second.status_code, second.json()["ordered"]) == (200, True)
    assert cluster.asked == [("activate", "west", word)]


async def test_a_dry_run_changes_nothing_whatever_it_brings(cluster):
    world = World(cluster=cluster)
    word = confirmation("west", Kind.SWITCH, 4, cluster.live)
    body = {"datacentre": "west", "confirm": word, "dry_run": True}
    assert (await post(world, "/v1/cluster/activate", body)).json()["ordered"] is False
    assert cluster.asked == []


async def test_a_word_is_void_once_an_instance_has_started_anew(cluster):
    world = World(cluster=cluster)
    word = (await post(world, "/v1/cluster/activate", {"datacentre": "west"})).json()["plan"]["confirm"]
    cluster.live = (affected(incarnation=8),)
    answer = await post(world, "/v1/cluster/activate", {"datacentre": "west", "confirm": word})
    assert (answer.status_code, answer.json()["id"]) == (409, "activation.confirm")
    assert answer.json()["detail"] == "now it would be so: east stands down, west takes over"
    assert cluster.asked == []


async def test_a_word_of_no_answer_is_void_also_with_letters_beyond_ascii(cluster):
    answer = await post(World(cluster=cluster), "/v1/cluster/activate", {"datacentre": "west", "confirm": "igen, őket"})
    assert answer.json()["id"] == "activation.confirm"


async def test_what_is_in_the_way_is_said_and_not_passed_over(cluster):
    cluster.hinders = ("the store has no quorum", "ua-9 is not known")
    word = confirmation("west", Kind.SWITCH, 4, cluster.live)
    answer = await post(World(cluster=cluster), "/v1/cluster/activate", {"datacentre": "west", "confirm": word})
    assert (answer.status_code, answer.json()["id"]) == (409, "activation.refused")
    assert answer.json()["detail"] == "the store has no quorum; ua-9 is not known"
    assert cluster.asked == []


async def test_a_datacentre_that_is_none_is_named_as_such(cluster):
    answer = await post(World(cluster=cluster), "/v1/cluster/activate", {"datacentre": "north"})
    assert (answer.status_code, answer.json()["id"]) == (404, "cluster.no-such-datacentre")
