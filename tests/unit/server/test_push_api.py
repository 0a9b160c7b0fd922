"""Requests of the event stream and the long poll, and what each refuses."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.server.serving import World

pytestmark = pytest.mark.asyncio


def hello(token: str, client: str = "c1") -> dict[str, Any]:
    return {"type": "hello", "token": token, "epoch": None, "seq": None, "client": client}


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def opened(world: World) -> tuple[Any, str, str]:
    session, token = await world.log_in()
    async with world.client() as client:
        reply = (await client.post("/v1/events/poll", json={"hello": hello(token)})).json()
    return session, token, reply["connection"]


async def test_a_poll_opens_says_and_is_told():
    world = World()
    _, token, connection = await opened(world)
    async with world.client(headers=bearing(token)) as client:
        held = asyncio.create_task(client.post("/v1/events/poll", json={"connection": connection, "ack": 1}))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not held.done()
        command = {"type": "command", "id": "c-1", "command": {"type": "refresh-jobs"}}
        said = await client.post("/v1/events/frames", json={"connection": connection, "frames": [command]})
        assert (said.status_code, said.json()) == (200, {})
        answer = await held
        assert answer.json()["reply"] == 2
        assert [each["type"] for each in answer.json()["frames"]] == ["answer"]
        assert int(answer.headers["content-length"]) == len(answer.content)
        assert answer.headers["cache-control"] == "no-store"


async def test_a_refused_hello_is_answered_with_its_end():
    async with World().client() as client:
        answer = await client.post("/v1/events/poll", json={"hello": hello("no token of ours")})
    assert answer.status_code == 200
    assert [each["type"] for each in answer.json()["frames"]] == ["refused"]
    assert answer.json()["closed"] == {"code": 4401, "reason": "session.unknown"}


@pytest.mark.parametrize("no_hello", [1, [], {}, {"type": "beat"}, {"type": "hello", "token": 5}])
async def test_a_hello_that_is_none_closes_with_4400(no_hello):
    async with World().client() as client:
        polled = (await client.post("/v1/events/poll", json={"hello": no_hello})).json()
        streamed = await client.post("/v1/events", json=no_hello)
    assert polled["closed"]["code"] == 4400
    assert streamed.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert '{"type":"closed","code":4400,"reason":"protocol.hello"}' in streamed.text


async def test_who_has_not_the_token_is_not_told_whether_there_is_such_a_connection():
    world = World()
    _, token, connection = await opened(world)
    _, other = await world.log_in(agent="2002", station="4002")
    body = {"connection": connection, "frames": [{"type": "beat"}]}
    async with world.client() as client:
        for path in ("/v1/events/frames", "/v1/events/poll"):
            without = await client.post(path, json=body)
            assert (without.status_code, without.json()["id"]) == (401, "session.no-token")
            told = [
                (answer.status_code, answer.json()["id"], answer.json()["detail"])
                for answer in (
                    await client.post(path, json=body, headers=bearing(other)),
                    await client.post(path, json={**body, "connection": "other"}, headers=bearing(token)),
                )
            ]
            assert set(told) == {(404, "connection.unknown", "open another one")}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/events/poll", b"{", 400),
        ("/v1/events/poll", b'{"ack":-1}', 400),
        ("/v1/events/poll", b'{"connection":"C","ack":7}', 400),
        ("/v1/events/poll", b'{"connection":"C","frames":1}', 400),
        ("/v1/events/frames", b'{"connection":"C"}', 400),
        ("/v1/events/frames", b'{"connection":"C","frames":[' + b",".join([b'{"type":"beat"}'] * 33) + b"]}", 400),
        ("/v1/events/frames", b'{"connection":"C","frames":[],"x":"\xff"}', 400),
        ("/v1/events/frames", b'{"connection":"C","frames":["' + b"x" * 65_536 + b'"]}', 413),
        ("/v1/events", b"\xff", 400),
    ],
)
async def test_what_is_not_as_described_is_refused_and_the_connection_stays(path, body, status):
    world = World()
    session, token, connection = await opened(world)
    headers = {**bearing(token), "Content-Type": "application/json"}
    async with world.client(headers=headers) as client:
        answer = await client.post(path, content=body.replace(b'"C"', f'"{connection}"'.encode()))
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert world.desks.is_shown(session)


@pytest.mark.parametrize("path", ["/v1/events", "/v1/events/poll", "/v1/events/frames"])
async def test_only_json_is_taken(path):
    async with World().client() as client:
        answer = await client.post(path, content=b"{}", headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()["id"]) == (415, "request.media-type")


async def test_a_frame_that_is_not_as_described_closes_with_4400():
    world = World()
    session, token, connection = await opened(world)
    async with world.client(headers=bearing(token)) as client:
        await client.post("/v1/events/frames", json={"connection": connection, "frames": [{"type": "nonsense"}]})
        assert not world.desks.is_shown(session)
        answer = await client.post("/v1/events/poll", json={"connection": connection, "ack": 1})
        assert [each["type"] for each in answer.json()["frames"]] == ["refused"]
        assert answer.json()["closed"] == {"code": 4400, "reason": "protocol.frame"}


async def test_a_stream_is_no_poll():
    world = World()
    _, token = await world.log_in()
    connections: Any = world.server.push.connections

    async def ask(connection: str) -> int:
        async with world.client(headers=bearing(token)) as client:
            body = {"connection": connection, "ack": 0}
            return (await client.post("/v1/events/poll", json=body)).status_code

    async with world.client() as client:
        streaming = asyncio.create_task(client.post("/v1/events", json=hello(token)))
        while not connections._held:  # noqa: ASYNC110 - the stream is opened by another task
            await asyncio.sleep(0)
        assert await ask(next(iter(connections._held))) == 404
        world.desks.close_all(1012, "restart")
        assert '"code":1012' in (await streaming).text


async def test_nothing_is_opened_by_a_foreign_page():
    world = World()
    _, token = await world.log_in()
    async with world.client(headers={"Origin": "https://evil.example"}) as client:
        for path in ("/v1/events", "/v1/events/poll", "/v1/events/frames"):
            assert (await client.post(path, json={"hello": hello(token)})).status_code == 403
