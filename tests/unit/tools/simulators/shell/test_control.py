"""What the control port of every simulator answers, whatever is simulated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, cast

import httpx
import pytest
from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from unified_agent.tools.simulators.shell.control import ControlFrame, Json

pytestmark = pytest.mark.asyncio


class Server:
    accepting = True


class Lost(Exception):
    pass


class Lamps(Controller):
    @get("/lamps/{number:int}", sync_to_thread=False)
    def lamp(self, server: NamedDependency[Server], number: FromPath[int]) -> Json:
        """Tell one lamp."""
        if number > 9:
            raise Lost(number)
        return {"number": number, "lit": server.accepting}


def _lost(_: Request[Any, Any, Any], error: Lost) -> Response[Json]:
    return Response({"id": "lost", "detail": str(error)}, status_code=404)


class Port(ControlFrame):
    title = "Lamps"
    controllers = (Lamps,)
    answers = MappingProxyType({Lost: _lost})


@asynccontextmanager
async def client(certificate: str | None = None, ended: list[bool] | None = None) -> AsyncIterator[httpx.AsyncClient]:
    told = [] if ended is None else ended
    control = Port(Server(), shut_down=lambda: told.append(True), certificate=certificate)
    transport = httpx.ASGITransport(app=cast("Any", control.application()))
    async with httpx.AsyncClient(transport=transport, base_url="http://control") as http:
        yield http


async def test_simulators_own_route_is_given_its_server_and_answers_its_own_errors() -> None:
    async with client() as http:
        assert (await http.get("/lamps/3")).json() == {"number": 3, "lit": True}
        lost = await http.get("/lamps/10")
        assert (lost.status_code, lost.json()) == (404, {"id": "lost", "detail": "10"})


async def test_health_tells_whether_clients_are_let_in() -> None:
    async with client() as http:
        assert (await http.get("/health")).json() == {"status": "ok", "accepting": True}


async def test_certificate_is_given_when_one_was_made() -> None:
    async with client() as http:
        assert (await http.get("/certificate")).status_code == 404
    async with client("PEM") as http:
        answer = await http.get("/certificate")
        assert (answer.status_code, answer.text) == (200, "PEM")
        assert answer.headers["content-type"].startswith("application/x-pem-file")


async def test_asking_for_the_end_ends_the_program_after_the_answer() -> None:
    ended: list[bool] = []
    async with client(ended=ended) as http:
        answer = await http.post("/shut-down")
    assert (answer.status_code, answer.json(), ended) == (202, {"shutting_down": True}, [True])


async def test_what_is_not_understood_is_answered_with_an_id() -> None:
    async with client() as http:
        for path, status in (("/lamps/many", 404), ("/lamps", 404)):
            answer = await http.get(path)
            assert (answer.status_code, answer.json()["id"]) == (status, "not-understood")


async def test_document_names_the_routes_of_both() -> None:
    async with client() as http:
        document = (await http.get("/openapi.json")).json()
    assert document["info"]["title"] == "Lamps"
    assert set(document["paths"]) == {"/health", "/certificate", "/shut-down", "/lamps/{number}"}
