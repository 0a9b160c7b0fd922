"""A whole instance on a virtual loop: its start, its beats, its drain, its end."""

from __future__ import annotations

import asyncio
import itertools
import json
from random import Random
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from tests.simulation.network import SimNetwork
from tests.simulation.virtual_loop import VirtualLoop, run
from websockets.datastructures import Headers
from websockets.http11 import Request

from unified_agent.assembly import Instance
from unified_agent.clock import LoopClock
from unified_agent.domain.ids import LinkId
from unified_agent.settings import AesServerSettings, HttpSettings, SessionsSettings, Settings, TelephonySettings
from unified_agent.tools.simulators.aes.plan import numbered_plan
from unified_agent.tools.simulators.aes.server import AesServer
from unified_agent.tools.simulators.aes.simulator import SimulatorPlan

SETTINGS = Settings(
    http=HttpSettings(drain_wait_s=5.0, drain_rate_per_s=50.0, drain_limit_s=60.0),
    telephony=TelephonySettings(
        servers=(AesServerSettings(name=LinkId("aes-1"), host="aes"),), user="ctiuser", password="secret"
    ),
    sessions=SessionsSettings(relogin_rate_per_s=10.0),
)


class Place:
    """A loop with a network, an AES with two agents on it if wanted, and an instance."""

    def __init__(self, settings: Settings = SETTINGS, *, with_aes: bool = True) -> None:
        self.loop = asyncio.get_running_loop()
        assert isinstance(self.loop, VirtualLoop)
        self.clock = LoopClock(self.loop, wall_s=lambda: 1_767_225_600.0)
        self.network = SimNetwork(Random(1))
        self.aes: AesServer | None = None
        if with_aes:
            self.aes = AesServer(SimulatorPlan(switch=numbered_plan(agents=4)), clock=self.clock, chance=Random(2))
            self.network.listen("aes", 4721, self.aes.new_socket)
        numbers = itertools.count()
        self.instance = Instance(
            settings,
            clock=self.clock,
            chance=Random(3),
            network=self.network.at("us"),
            make_secret=lambda size: f"secret-{size}-{next(numbers)}",
            listen=False,
        )

    def client(self) -> httpx.AsyncClient:
        application: Any = self.instance.server.application
        return httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://ua")

    async def log_in(self, number: int) -> Page:
        async with self.client() as client:
            body = {"agent": f"500{number}", "station": f"200{number}", "password": "1234"}
            answer = await client.post("/v1/session", json=body)
        assert answer.status_code == 201, answer.text
        return Page(self.instance, answer.json()["token"])

    async def close(self) -> None:
        if self.aes is not None:
            await self.aes.close()


class Page:
    """A desktop's end of a connection."""

    def __init__(self, instance: Instance, token: str) -> None:
        self.frames: list[dict[str, Any]] = []
        self.code: int | None = None
        decision: Any = instance.server.desks.route(Request("/v1/events", Headers(Host="ua")))
        self.handler = decision
        decision.opened(self)
        self.say({"type": "hello", "token": token, "client": "c"})

    def say(self, frame: dict[str, Any]) -> None:
        self.handler.text_received(json.dumps(frame).encode())

    def send(self, data: bytes) -> bool:
        self.frames.append(json.loads(data))
        return True

    def beat(self, data: bytes) -> None:
        self.send(data)

    def close(self, code: int = 1000, reason: str = "") -> None:
        self.code = code if self.code is None else self.code

    def abort(self) -> None:
        self.code = 1006

    def of(self, word: str) -> list[dict[str, Any]]:
        return [each for each in self.frames if each["type"] == word]


async def pass_time(seconds: float, *pages: Page) -> None:
    """Let time pass, while pages give their beats."""
    while seconds > 0:
        await asyncio.sleep(min(5.0, seconds))
        seconds -= 5.0
        for page in pages:
            page.say({"type": "beat"})


async def ready(place: Place) -> tuple[int, list[str]]:
    async with place.client() as client:
        answer = await client.get("/readyz")
    return answer.status_code, answer.json()["reasons"]


def test_an_instance_serves_before_any_peer_answers_and_leaves_no_task_behind():
    async def main() -> None:
        place = Place(with_aes=False)
        assert await ready(place) == (503, ["starting"])
        async with place.instance.running():
            assert await ready(place) == (200, [])
            page = await place.log_in(1)
            await pass_time(60.0, page)
            (status,) = place.instance.links()
            assert (status.kind, status.state) == ("telephony", "down")
            assert "cannot be reached" in status.doing
            assert page.of("snapshot")[0]["data"]["view"]["links"]["telephony"]["state"] == "down"
        assert page.code == 1012
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left

    run(main())


def test_a_desktop_hears_a_beat_every_second():
    async def main() -> None:
        place = Place(with_aes=False)
        async with place.instance.running():
            page = await place.log_in(1)
            await pass_time(30.0, page)
            beats = page.of("beat")
            assert 29 <= len(beats) <= 31

    run(main())


def test_a_silent_desktop_is_closed_in_time():
    async def main() -> None:
        place = Place(with_aes=False)
        async with place.instance.running():
            page = await place.log_in(1)
            await asyncio.sleep(14.9)
            assert page.code is None
            await asyncio.sleep(2.2)
            assert page.code == 4408

    run(main())


def test_a_drain_is_seen_by_balancers_first_then_refuses_then_says_goodbye_and_logs_out():
    async def main() -> None:
        place = Place()
        async with place.instance.running():
            page = await place.log_in(1)
            await asyncio.sleep(3.0)
            assert place.aes is not None
            assert len(place.aes.truth()["agents"]) == 1
            drain = asyncio.ensure_future(place.instance.drain())
            await asyncio.sleep(4.9)
            assert await ready(place) == (404, ["draining"])
            late = await place.log_in(2)  # balancers may still send somebody for a period
            assert page.of("goodbye") == []
            await asyncio.sleep(0.2)
            async with place.client() as client:
                body = {"agent": "5003", "station": "2003", "password": "1234"}
                refused = await client.post("/v1/session", json=body)
            assert refused.json()["id"] == "instance.draining"
            await drain
            for each in (page, late):
                assert each.of("goodbye")[0]["reason"] == "drain"
                assert each.of("session-ended")[0]["data"]["reason"] == "instance.draining"
                assert each.code == 4410
            assert len(place.instance.host) == 0
            assert place.aes.truth()["agents"] == {}  # it lists those who are logged in
        await place.close()

    run(main())


def test_a_drain_waits_for_a_call_to_end():
    async def main() -> float:
        place = Place()
        async with place.instance.running():
            page = await place.log_in(1)
            await asyncio.sleep(3.0)
            page.say({"type": "command", "id": "c-1", "command": {"type": "make-call", "number": "2002"}})
            await asyncio.sleep(2.0)
            state = next(iter(place.instance.host.sessions()))
            assert state.calls
            began_s = place.loop.time()
            drain = asyncio.ensure_future(place.instance.drain())
            await pass_time(15.0, page)
            assert page.of("goodbye")
            assert page.of("session-ended") == []
            call = next(iter(place.instance.host.sessions())).calls[0].id
            page.say({"type": "command", "id": "c-2", "command": {"type": "hang-up-call", "call": call}})
            await drain
            assert page.of("session-ended")
            took_s = place.loop.time() - began_s
        await place.close()
        return took_s

    assert 15.0 <= run(main()) < 20.0


def test_a_drain_ends_within_its_limits_whatever_happens():
    async def main() -> float:
        place = Place()
        async with place.instance.running():
            page = await place.log_in(1)
            await asyncio.sleep(3.0)
            page.say({"type": "command", "id": "c-1", "command": {"type": "make-call", "number": "2002"}})
            await asyncio.sleep(2.0)
            place.network.silence("us", "aes")
            began_s = place.loop.time()
            await place.instance.drain()
            took_s = place.loop.time() - began_s
        await place.close()
        return took_s

    assert run(main()) <= 5.0 + 60.0 + 5.0 + 1.0


def test_a_second_signal_hurries_the_drain():
    async def main() -> float:
        place = Place()
        async with place.instance.running():
            page = await place.log_in(1)
            await asyncio.sleep(3.0)
            page.say({"type": "command", "id": "c-1", "command": {"type": "make-call", "number": "2002"}})
            await asyncio.sleep(2.0)
            hurry = asyncio.Event()
            began_s = place.loop.time()
            drain = asyncio.ensure_future(place.instance.drain(hurry))
            await asyncio.sleep(1.0)
            hurry.set()
            await drain
            took_s = place.loop.time() - began_s
            assert page.of("session-ended")
        await place.close()
        return took_s

    assert run(main()) < 3.0


def test_an_empty_instance_drains_at_once():
    async def main() -> float:
        place = Place(with_aes=False)
        async with place.instance.running():
            began_s = place.loop.time()
            await place.instance.drain()
            return place.loop.time() - began_s

    assert run(main()) < 1.0


def test_a_part_that_fails_ends_the_instance(monkeypatch: pytest.MonkeyPatch):
    async def main() -> None:
        place = Place(with_aes=False)

        async def fail() -> None:
            await asyncio.sleep(10.0)
            raise RuntimeError("a defect")

        monkeypatch.setattr(place.instance.server.desks, "look_after", fail)
        with pytest.raises(ExceptionGroup) as caught:
            async with place.instance.running():
                await asyncio.sleep(3_600.0)
        assert caught.group_contains(RuntimeError, match="a defect")
        assert place.loop.time() < 20.0

    run(main())


def test_a_late_loop_is_measured_and_takes_no_logins():
    async def main() -> None:
        place = Place(with_aes=False)
        loop: Any = place.loop
        async with place.instance.running():
            await asyncio.sleep(1.1)
            loop.now_s += 0.8  # as if something had held the loop
            await asyncio.sleep(0.01)
            assert place.instance.loop_lag_s() == pytest.approx(0.4, abs=0.05)
            assert (await ready(place))[1] == ["busy"]
            await asyncio.sleep(3.0)
            assert place.instance.loop_lag_s() < 0.001
            assert b"ua_loop_lag_seconds_count" in place.instance.metrics.render()

    run(main())


def test_settings_of_many_peers_are_all_joined():
    async def main() -> None:
        servers = tuple(AesServerSettings(name=LinkId(f"aes-{n}"), host=f"aes-{n}") for n in range(3))
        place = Place(replace(SETTINGS, telephony=replace(SETTINGS.telephony, servers=servers)), with_aes=False)
        async with place.instance.running():
            await asyncio.sleep(1.0)
            assert [each.kind for each in place.instance.links()] == ["telephony"]

    run(main())
