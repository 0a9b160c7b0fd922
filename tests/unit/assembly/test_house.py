"""What the cluster asks of an instance: to serve and to stand down, to take agents over, to obey."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

from tests.simulation.virtual_loop import run
from tests.unit.assembly.cluster_place import ClusterPlace

from unified_agent.assembly.house import House, prover
from unified_agent.assembly.instance import Instance
from unified_agent.cluster.heartbeats import Stage
from unified_agent.cluster.peer_messages import AdoptAnswer, AdoptQuestion, OrderAnswer, OrderQuestion, StatusAnswer
from unified_agent.cluster.peer_messages import StatusQuestion as Status
from unified_agent.domain.ids import AgentId, Secret
from unified_agent.domain.states import ClaimStage
from unified_agent.sealing import Keyring


def test_only_the_active_side_has_its_links_open_and_is_ready():
    async def main() -> None:
        place = ClusterPlace("e1", "w1")
        async with place.running():
            ready, passive = place.instances["e1"], place.instances["w1"]
            assert (ready.telephony.is_up, passive.telephony.is_up) == (True, False)
            assert [(await place.ask(name, "GET", "/readyz")).status_code for name in place.instances] == [200, 503]
            assert ready.cluster is not None
            assert passive.cluster is not None
            assert ready.cluster.report().stage is Stage.READY
            assert passive.cluster.report().stage is Stage.JOINING

    run(main())


def test_who_begins_to_serve_has_its_ports_looked_at_before_its_links_are_opened():
    done: list[object] = []
    listeners = SimpleNamespace(look_again=lambda: done.append("ports"))
    instance = cast("Instance", SimpleNamespace(listeners=listeners, start_links=done.append))
    asyncio.run(House(instance, Keyring.random()).begin(7))
    assert done == ["ports", 7]


def test_a_report_says_draining_as_soon_as_that_is_ordered_and_ready_when_it_is_taken_back():
    async def main() -> None:
        place = ClusterPlace("e1", "e2")
        async with place.running():
            cluster = place.instances["e1"].cluster
            assert cluster is not None
            assert await cluster.house.obey(OrderQuestion(order="drain")) == OrderAnswer(done=True)
            assert cluster.report().stage is Stage.DRAINING
            await asyncio.sleep(1.0)
            topology = (await place.ask("e2", "GET", "/v1/topology")).json()
            assert {each["id"]: each["state"] for each in topology["instances"]} == {"e1": "draining", "e2": "ready"}
            await cluster.house.obey(OrderQuestion(order="resume"))
            assert cluster.report().stage is Stage.READY

    run(main())


def test_a_drain_hands_the_session_of_an_absent_desktop_to_another_instance():
    async def main() -> None:
        place = ClusterPlace("e1", "e2")
        async with place.running():
            await place.log_in("e1")
            cluster = place.instances["e1"].cluster
            assert cluster is not None
            await cluster.house.obey(OrderQuestion(order="drain"))
            await asyncio.sleep(3.0)
            assert (place.agents("e1"), place.agents("e2")) == ([], ["5001"])
            state = next(iter(place.instances["e2"].host.sessions()))
            assert state.claim.stage is ClaimStage.HELD
            assert place.aes.truth()["agents"]["5001"]["station"] == "2001", "the agent was logged out for it"
            told = await cluster.house.tell(Status())
            assert told == StatusAnswer(status={"draining": True, "left": 0, "moved": 1, "waiting_for_items": 0})

    run(main())


def test_a_ticket_that_is_none_is_not_adopted():
    async def main() -> None:
        place = ClusterPlace("e1")
        async with place.running():
            cluster = place.instances["e1"].cluster
            assert cluster is not None
            said = await cluster.house.adopt(AdoptQuestion(ticket="token.nonsense"))
            assert isinstance(said, AdoptAnswer)
            assert (said.done, said.id) == (False, "ticket.invalid")

    run(main())


def test_moving_somebody_who_is_not_there_is_refused_by_name():
    async def main() -> None:
        place = ClusterPlace("e1")
        async with place.running():
            cluster = place.instances["e1"].cluster
            assert cluster is not None
            said = await cluster.house.obey(OrderQuestion(order="move", agent=AgentId("5009")))
            assert said == OrderAnswer(done=False, id="agent.not-logged-in", detail="5009")

    run(main())


def test_a_proof_tells_nothing_of_the_password_and_differs_by_agent_and_key():
    one, other = prover(Keyring.random()), prover(Keyring.random())
    proof = one(AgentId("5001"), Secret("1234"))
    assert proof == one(AgentId("5001"), Secret("1234"))
    assert "1234" not in proof
    assert len({proof, one(AgentId("5002"), Secret("1234")), other(AgentId("5001"), Secret("1234"))}) == 3
