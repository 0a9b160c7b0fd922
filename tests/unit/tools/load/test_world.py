"""An instance and its surroundings, over HTTP that the test answers."""

import os
from types import SimpleNamespace
from typing import Any, cast

import httpx
import msgspec
import pytest
from tests.unit.tools.load.views import seat, switch

from unified_agent.client import Desk
from unified_agent.tools.load import world as worlds
from unified_agent.tools.load.world import World, WorldUnreachable, attached_world

pytestmark = pytest.mark.asyncio

LINKS = [
    {"kind": "telephony", "name": "dmcc"},
    {"kind": "dialler", "name": "first"},
    {"kind": "dialler", "name": "second"},
]


class Answering:
    def __init__(self, **answers: Any) -> None:
        self.answers = {
            "aes/truth": switch(),
            "d1/truth": {"agents": [seat()]},
            "d2/truth": {"agents": []},
            "ua/v1/status": {"links": LINKS},
            **{name.replace("__", "/"): value for name, value in answers.items()},
        }
        self.heard: list[tuple[str, str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        place = f"{request.url.host}{request.url.path}"
        body = msgspec.json.decode(request.content) if request.content else None
        self.heard.append((request.method, place, body))
        answer = self.answers.get(place, {})
        if answer == "down":
            raise httpx.ConnectError("refused", request=request)
        return httpx.Response(answer) if isinstance(answer, int) else httpx.Response(200, json=answer)

    def world(self) -> World:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self), verify=False)
        return World("http://ua/", "http://aes/", {"first": "http://d1", "second": "http://d2/"}, http)


async def test_truths_are_asked_of_all_at_once():
    truths = await Answering().world().truths()
    assert truths.switch == switch()
    assert {name: list(agents) for name, agents in truths.diallers.items()} == {"first": ["agent0000"], "second": []}


async def test_a_dialler_that_is_down_is_left_out_and_a_switch_that_is_down_is_an_error():
    assert (await Answering(d1__truth="down").world().truths()).diallers.keys() == {"second"}
    for answer in ("down", 500):
        with pytest.raises(WorldUnreachable, match="http://aes/truth"):
            await Answering(aes__truth=answer).world().truths()


async def test_traffic_and_crashes_are_asked_of_the_control_ports():
    answering = Answering()
    world = answering.world()
    await world.set_traffic(250.0)
    await world.set_traffic(0.0)
    await world.kill_dialler("second")
    assert answering.heard == [
        ("POST", "aes/traffic", {"running": True, "calls_per_minute": 250.0}),
        ("POST", "aes/traffic", {"running": False, "calls_per_minute": 0.0}),
        ("POST", "d2/dialler/down", {"announce": False}),
    ]


async def test_of_several_instances_the_first_that_answers_tells_the_status():
    for down in ("down", 503):
        answering = Answering(ua__v1__status=down)
        http = httpx.AsyncClient(transport=httpx.MockTransport(answering), verify=False)
        answering.answers["ub/v1/status"] = {"links": LINKS, "loop_lag_s": 0.5}
        world = World(["http://ua/", "http://ub"], "http://aes", {}, http)
        assert world.urls == ("http://ua", "http://ub")
        assert (await world.status())["loop_lag_s"] == 0.5
        assert (await attached_world(world.urls, "http://aes", ["http://d1", "http://d2"], http)).urls == world.urls
        answering.answers["ub/v1/status"] = down
        with pytest.raises(WorldUnreachable, match="http://ub/v1/status"):
            await world.status()


async def test_a_session_is_asked_for_where_the_desk_is_served():
    answering = Answering(ub__v1__session={"epoch": 1, "seq": 2, "view": {}})
    http = httpx.AsyncClient(transport=httpx.MockTransport(answering), verify=False)
    world = World(["http://ua", "http://ub"], "http://aes", {}, http)
    desk = SimpleNamespace(server="http://ub", headers={"Authorization": "Bearer t"})
    assert (await world.session(cast("Desk", desk)))["seq"] == 2
    assert answering.heard == [("GET", "ub/v1/session", None)]


async def test_without_children_only_our_own_process_can_be_watched():
    world = Answering().world()
    assert world.pids == {"load": os.getpid()}
    world.check()


async def test_the_process_that_an_instance_has_for_jtapi_can_be_watched_too(monkeypatch: pytest.MonkeyPatch):
    children = {"instance": SimpleNamespace(pid=7, alive=True), "aes": SimpleNamespace(pid=8, alive=True)}
    world = World("http://ua", "http://aes", {}, httpx.AsyncClient(), cast("Any", children))
    monkeypatch.setattr(worlds, "children_of", {7: [9]}.get)
    assert world.pids == {"instance": 7, "aes": 8, "java": 9, "load": os.getpid()}
    monkeypatch.setattr(worlds, "children_of", {7: []}.get)
    assert world.pids == {"instance": 7, "aes": 8, "load": os.getpid()}


async def test_diallers_get_the_names_that_the_instance_has_for_them():
    http = httpx.AsyncClient(transport=httpx.MockTransport(Answering()), verify=False)
    world = await attached_world("http://ua", "http://aes", ["http://d1", "http://d2"], http)
    assert world.diallers == {"first": "http://d1", "second": "http://d2"}
    with pytest.raises(WorldUnreachable, match="there are 2 diallers"):
        await attached_world("http://ua", "http://aes", ["http://d1"], http)
