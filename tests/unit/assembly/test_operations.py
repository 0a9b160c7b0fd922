"""What operators ask of a cluster through any of its instances."""

from __future__ import annotations

import asyncio

import pytest
from tests.simulation.virtual_loop import run
from tests.unit.assembly.cluster_place import LOGIN, ClusterPlace


def test_each_instance_tells_of_all():
    async def main() -> None:
        place = ClusterPlace("e1", "e2", "w1")
        async with place.running():
            await place.log_in("e1")
            told = (await place.ask("w1", "GET", "/v1/cluster")).json()
            assert (told["active"], told["epoch"], told["datacentre"]) == ("east", 1, "west")
            assert told["activation"]["decision"] == "stay"
            assert told["active_since"].startswith("2026-01-01T00:00:00"), "seen within the first second"
            rows = {each["id"]: (each["state"], each["verdict"], each["is_me"]) for each in told["instances"]}
            assert rows == {
                "e1": ("ready", "alive", False),
                "e2": ("ready", "alive", False),
                "w1": ("joining", "alive", True),
            }
            assert {each["id"]: each["sessions"] for each in told["instances"]} == {"e1": 1, "e2": 0, "w1": 0}

    run(main())


def test_an_order_for_another_instance_goes_there():
    async def main() -> None:
        place = ClusterPlace("e1", "e2")
        async with place.running():
            assert (await place.ask("e2", "POST", "/v1/cluster/instances/e1/drain", {})).status_code == 202
            assert place.instances["e1"].draining
            await asyncio.sleep(1.0)
            told = (await place.ask("e2", "GET", "/v1/cluster")).json()
            drain = {each["id"]: each["drain"] for each in told["instances"]}
            assert drain == {"e1": {"left": 0, "moved": 0, "waiting_for_items": 0}, "e2": None}
            await place.ask("e2", "POST", "/v1/cluster/instances/e1/resume")
            assert not place.instances["e1"].draining

    run(main())


@pytest.mark.parametrize(
    ("path", "failure"),
    [
        ("/v1/cluster/instances/e9/drain", "cluster.no-such-instance"),
        ("/v1/cluster/agents/5009/move", "agent.not-logged-in"),
    ],
)
def test_what_is_not_there_is_refused_by_name(path: str, failure: str):
    async def main() -> None:
        place = ClusterPlace("e1", "e2")
        async with place.running():
            assert (await place.ask("e2", "POST", path, {})).json()["id"] == failure

    run(main())


def test_a_planned_switch_moves_the_service_only_with_the_word_of_the_present_situation():
    async def main() -> None:
        place = ClusterPlace("e1", "w1")
        async with place.running():
            logged_in = await place.log_in("e1")
            first = (await place.ask("e1", "POST", "/v1/cluster/activate", {"datacentre": "west"})).json()
            assert (first["ordered"], first["plan"]["kind"], first["plan"]["agents"]) == (False, "switch", 1)
            wrong = {"datacentre": "west", "confirm": first["plan"]["confirm"][:-1] + "~"}
            assert (await place.ask("e1", "POST", "/v1/cluster/activate", wrong)).json()["id"] == "activation.confirm"
            assert place.instances["e1"].whereabouts.serves
            right = {"datacentre": "west", "confirm": first["plan"]["confirm"]}
            assert (await place.ask("e1", "POST", "/v1/cluster/activate", right)).json()["ordered"]
            await asyncio.sleep(2.0)
            assert [each.whereabouts.serves for each in place.instances.values()] == [False, True]
            assert place.agents("e1") == []
            sent_on = await place.ask("e1", "POST", "/v1/session", LOGIN)
            assert (sent_on.status_code, sent_on.json()["next"]["id"]) == (421, "w1")
            ticket = {name: logged_in[name] for name in ("ticket", "token")}
            assert (await place.ask("w1", "POST", "/v1/session/resume", ticket)).status_code == 200

    run(main())


def test_the_active_datacentre_cannot_be_activated_twice():
    async def main() -> None:
        place = ClusterPlace("e1", "w1")
        async with place.running():
            plan = (await place.ask("w1", "POST", "/v1/cluster/activate", {"datacentre": "east"})).json()["plan"]
            assert (plan["kind"], plan["confirm"]) == ("nothing", "")

    run(main())
