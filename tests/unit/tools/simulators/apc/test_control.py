"""The control port, asked as a client would, without a port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx
import pytest
from tests.unit.tools.simulators.apc.bench import job
from tests.unit.tools.simulators.apc.fake_network import Net, NetClient

from unified_agent.tools.simulators.apc.control import ControlPort

pytestmark = pytest.mark.asyncio


class Desk:
    """A control port and the dialler behind it."""

    def __init__(self, http: httpx.AsyncClient, net: Net, ended: list[bool]) -> None:
        self.http, self.net, self.ended = http, net, ended

    async def get(self, path: str) -> Any:
        answer = await self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, **body: Any) -> Any:
        answer = await self.http.post(path, json=body)
        assert answer.status_code in {200, 202}, answer.text
        return answer.json()

    async def refused(self, path: str, **body: Any) -> tuple[int, str]:
        answer = await self.http.post(path, json=body)
        return answer.status_code, answer.json()["id"]

    def ready(self, name: str, job_name: str = "SPRING25", work_class: str = "O") -> NetClient:
        """An agent in stage E."""
        client = self.net.connect().log_on(name)
        client.say("ReserveHeadset", str(50000 + client.socket.number))
        client.say("ConnHeadset", wait_s=0.5)
        client.say("SetWorkClass", work_class)
        client.say("AttachJob", job_name)
        client.say("AvailWork")
        assert client.say("ReadyNextItem", wait_s=0.0) == ["R ReadyNextItem 0 M00000"]
        return client


@asynccontextmanager
async def desk(**changes: Any) -> AsyncIterator[Desk]:
    net = Net(**changes)
    ended: list[bool] = []
    control = ControlPort(net.server, shut_down=lambda: ended.append(True))
    transport = httpx.ASGITransport(app=cast("Any", control.application()))
    async with httpx.AsyncClient(transport=transport, base_url="http://control") as http:
        yield Desk(http, net, ended)


async def test_truth_tells_agents_jobs_and_faults() -> None:
    async with desk() as it:
        it.ready("ann")
        told = await it.get("/truth")
        [agent] = told["agents"]
        assert (agent["name"], agent["stage"], agent["state"], agent["job"]) == ("ann", "E", "S70001", "SPRING25")
        assert agent["headset"] == {"id": "50001", "state": "connected"}
        assert [each["name"] for each in told["jobs"]] == ["SPRING25", "CAREBLD", "PREVW01", "HELPIN"]
        assert told["faults"]["accepting"]
        assert (await it.get("/truth/agents/ann"))["state_text"] == "ready, waiting for a call"
        assert (await it.get("/truth/records/SPRING25/O/1"))["fields"]["NAME"]
        assert (await it.get("/health")) == {"status": "ok", "accepting": True}
        for path in (
            "/truth/agents/bob",
            "/truth/records/SPRING25/I/1",
            "/truth/records/SPRING25/O/99",
            "/certificate",
        ):
            assert (await it.http.get(path)).status_code == 404


async def test_every_route_is_described() -> None:
    async with desk() as it:
        described = await it.get("/openapi.json")
        assert len(described["paths"]) >= 30
        for path, methods in described["paths"].items():
            for method in methods.values():
                assert method.get("description") or method.get("summary"), path


async def test_faults_of_connections() -> None:
    async with desk() as it:
        ann = it.ready("ann")
        assert await it.post("/connections/silence", silent=True, agents=["ann"]) == {"connections": 1}
        assert ann.socket.is_silent
        await it.post("/connections/silence", silent=False)
        await it.post("/connections/delay", delay_s=1.5)
        assert ann.socket.delay_s == 1.5
        await it.post("/connections/part-size", part_size_bytes=100)
        assert (await it.get("/truth"))["faults"]["part_size_bytes"] == 100
        await it.post("/connections/accept", accept=False)
        assert it.net.connect().transport.aborted
        await it.post("/connections/accept", accept=True)
        assert await it.post("/connections/cut", how="close") == {"connections": 1}
        assert ann.transport.closed


async def test_faults_of_the_dialler() -> None:
    async with desk() as it:
        await it.post("/logons", error="E28926")
        client = it.net.connect()
        assert client.say("Logon", "ann", "pw")[-1] == "R Logon 1 E28926"
        await it.post("/logons")
        client.log_on("ann")
        assert await it.post("/slots", slots=1) == {"slots": 1, "taken": 1}
        assert it.net.connect().lines()[0].startswith("N START 1 E28858")
        await it.post("/slots", slots=100)
        await it.post("/stale-logons", seconds=10.0, names=["bob"])
        assert it.net.connect().say("Logon", "bob", "pw")[-1] == "R Logon 1 E28812"
        await it.post("/answers", drop=1, agents=["ann"])
        assert client.say("ListState") == ["D ListState 0 S70004"]
        await it.post("/headsets/answering", answer=False)
        assert not it.net.server.dialler.floor.headset_answers
        await it.post("/system-error", error="E70002,AGTReleaseLine_RESP(LNREL)", agents=["ann"])
        assert client.lines() == ["N SystemError 1 E70002,AGTReleaseLine_RESP(LNREL)"]
        assert (await it.post("/dialler/down", announce=True))["connections"] == 2
        assert client.lines() == ["N SystemError 1 E28921"]
        assert await it.post("/shut-down") == {"shutting_down": True}
        assert it.ended == [True]


async def test_jobs() -> None:
    async with desk() as it:
        ann = it.ready("ann")
        assert await it.post("/jobs/link", job="SPRING25", to="CAREBLD") == {"agents": 1}
        assert ann.lines()[0] == "N JobTransLink 0 M00001 CAREBLD"
        assert await it.refused("/jobs/end", job="SPRING25") == (409, "simulator-conflict")
        await it.post("/jobs/start", job="SPRING25")
        await it.post("/jobs/dialling", job="SPRING25", dialling=False)
        assert ann.say("AvailWork")[-1] == "R AvailWork 1 E28805"
        await it.post("/jobs/rate", job="HELPIN", calls_per_minute=6.0)
        assert await it.post("/jobs/end-unit", job="SPRING25") == {"agents": 0}
        assert await it.post("/jobs/end", job="CAREBLD") == {"agents": 0}


async def test_calls_and_agents() -> None:
    async with desk(jobs=(job("SPRING25"), job("CAREBLD"), job("HELPIN"))) as it:
        ann = it.ready("ann")
        await it.post("/agents/message", text="Team meeting", agents=["ann"])
        assert ann.lines()[0] == "N ReceiveMessage 0 M00001 Team meeting"
        assert await it.post("/calls", agent="ann", fields={"NAME": "ZOE ZHANG"}) == {"call": 1}
        assert ann.lines()[0] == "N CallNotify 0 M00001 ZOE ZHANG OUTBOUND"
        await it.post("/calls/machine", agent="ann")
        assert ann.lines()[0] == "N AutorelToReady 0 M00001 13"
        await it.post("/calls/hang-up", agent="ann")
        assert ann.lines() == ["N AutoReleaseLine 0 M00000"]
        await it.post("/agents/move", agent="ann", job="CAREBLD")
        assert (await it.get("/truth/agents/ann"))["move_to"] == "CAREBLD"
        await it.post("/agents/headset", agent="ann", broken=True)
        await it.post("/agents/headset", agent="ann", broken=False)
        assert ann.lines() == ["N HeadsetConnBroken 1 E28880", "N HeadsetConnBroken 1 E28881"]
        await it.post("/agents/own-recall", agent="ann", customer="PAT LEE", job="CAREBLD")
        assert ann.lines()[0] == "N AORNotify 0 M00001 PAT LEE CAREBLD  SPRING25"
        await it.post("/agents/notice", agent="ann", keyword="AGTNew", segments=["0", "M00000"])
        assert ann.lines() == ["N New 0 M00000"]
        assert await it.post("/calls/arrive", job="HELPIN", count=2) == {"calls": 2}
        assert await it.refused("/agents/blend", agent="ann", acquired=True) == (409, "simulator-conflict")


async def test_what_is_not_understood_is_refused() -> None:
    async with desk() as it:
        assert await it.refused("/jobs/end", job="NOSUCH") == (404, "simulator-unknown")
        assert await it.refused("/calls/hang-up", agent="bob") == (404, "simulator-unknown")
        assert await it.refused("/connections/cut", hwo="reset") == (400, "not-understood")
        assert await it.refused("/connections/delay", delay_s=-1) == (400, "not-understood")
        assert await it.refused("/system-error", error="bad") == (400, "not-understood")
        it.net.connect().log_on("ann")
        assert await it.refused("/agents/notice", agent="ann", keyword="AGTX", segments=["\x03"]) == (
            400,
            "local-protocol",
        )
