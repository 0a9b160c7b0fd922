import msgspec
import pytest
from tests.unit.server.serving import LOGIN, Desktop, World, with_http, with_sessions
from tests.unit.sessions.rooms import Claims

from unified_agent.server import app

pytestmark = pytest.mark.asyncio


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_the_login_page_learns_what_it_needs_without_a_token():
    async with World().client() as client:
        answer = await client.get("/v1/config")
    assert answer.status_code == 200
    assert answer.json()["instance"] == "ua-1"
    assert answer.json()["uses_dialler"] is False
    assert answer.json()["languages"] == ["en", "hu"]
    assert answer.headers["cache-control"] == "no-store"


async def test_a_login_opens_a_session_whose_view_can_be_read():
    world = World()
    session, token = await world.log_in()
    async with world.client(headers=bearer(token)) as client:
        answer = await client.get("/v1/session")
    body = answer.json()
    assert answer.status_code == 200
    assert body["view"]["session"]["agent"] == "2001"
    outbox = world.host.outbox(session)
    assert outbox is not None
    assert (body["epoch"], body["seq"]) == (outbox.epoch, outbox.seq)
    assert "1234" not in answer.text


async def test_a_token_is_long_and_of_its_own():
    world = World()
    _, one = await world.log_in()
    _, two = await world.log_in(agent="2002", station="4002")
    assert one != two
    assert len(one) >= 43


async def test_the_same_login_again_takes_the_session_over():
    world = World()
    session, old_token = await world.log_in()
    desktop = Desktop(world)
    desktop.hello(old_token)
    again, token = await world.log_in()
    assert again == session
    assert desktop.frames[-1] == {"type": "refused", "id": "taken-over", "reason": "", "detail": ""}
    assert desktop.close_code == 4409
    async with world.client() as client:
        assert (await client.get("/v1/session", headers=bearer(token))).status_code == 200
        refused = await client.get("/v1/session", headers=bearer(old_token))
    assert refused.status_code == 423
    assert refused.json()["id"] == "taken-over"


async def refused_login(world: World, **changed) -> tuple[int, dict]:
    async with world.client() as client:
        answer = await client.post("/v1/session", json={**LOGIN, **changed})
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()


async def test_another_agent_at_the_same_station_is_refused():
    world = World()
    await world.log_in()
    status, problem = await refused_login(world, agent="2002")
    assert (status, problem["id"], problem["retry"]) == (409, "station.in-use", "never")
    assert problem["detail"] == "4001"


async def test_the_same_agent_at_another_station_is_refused():
    world = World()
    await world.log_in()
    status, problem = await refused_login(world, station="4009")
    assert (status, problem["id"]) == (409, "agent.already-logged-in")


async def test_a_full_instance_sends_agents_elsewhere():
    world = World(with_sessions(capacity=1))
    await world.log_in()
    status, problem = await refused_login(world, agent="2002", station="4002")
    assert (status, problem["id"], problem["retry"]) == (503, "instance.full", "elsewhere")


async def test_a_draining_instance_sends_agents_elsewhere():
    world = World()
    world.host.draining = True
    status, problem = await refused_login(world)
    assert (status, problem["id"]) == (503, "instance.draining")


async def test_a_busy_instance_takes_no_new_login():
    world = World()
    world.whole.lag_s = 0.3
    status, problem = await refused_login(world)
    assert (status, problem["id"], problem["retry"]) == (503, "instance.busy", "later")


async def test_logins_from_one_address_are_counted():
    world = World(with_http(login_rate_per_min=2))
    async with world.client() as client:
        assert (await client.post("/v1/session", json=LOGIN)).status_code == 201
        assert (await client.post("/v1/session", json=LOGIN)).status_code == 201
        refused = await client.post("/v1/session", json=LOGIN)
        assert refused.json()["id"] == "login.too-many"
        assert refused.headers["retry-after"] == "30"
        world.clock.advance(30.0)
        assert (await client.post("/v1/session", json=LOGIN)).status_code == 201
    async with world.client(address="10.0.0.8") as client:
        assert (await client.post("/v1/session", json=LOGIN)).status_code == 201


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "truncated"),
        (b"[]", "Expected `object`"),
        (b'{"agent":"2001"}', "station"),
        (b'{"agent":"twenty","station":"4001","password":"x"}', "$.agent"),
        (b'{"agent":"2001","station":"4001","password":5}', "$.password"),
        (b'{"agent":"2001","station":"4001","password":"s3cret","dialler":{}}', "$.dialler"),
    ],
)
async def test_a_malformed_login_is_told_what_is_wrong_and_never_repeated(body, said):
    async with World().client() as client:
        answer = await client.post("/v1/session", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["id"] == "request.invalid"
    assert said in answer.json()["detail"]
    assert "s3cret" not in answer.text


async def test_an_oversized_body_is_refused():
    async with World().client() as client:
        answer = await client.post("/v1/session", json={**LOGIN, "padding": "x" * 70_000})
    assert (answer.status_code, answer.json()["id"]) == (413, "request.too-large")


@pytest.mark.parametrize(
    ("headers", "failure"),
    [
        ({}, "session.no-token"),
        ({"Authorization": "Basic eDp5"}, "session.no-token"),
        ({"Authorization": "Bearer nonsense"}, "session.unknown"),
    ],
)
async def test_a_request_without_a_good_token_is_refused(headers, failure):
    async with World().client(headers=headers) as client:
        answers = [
            await client.get("/v1/session"),
            await client.delete("/v1/session"),
            await client.post("/v1/session/commands", json={"id": "c-1", "command": {"type": "refresh-jobs"}}),
            await client.get("/v1/session/commands/c-1"),
        ]
    assert [(answer.status_code, answer.json()["id"]) for answer in answers] == [(401, failure)] * 4
    assert answers[0].headers["www-authenticate"] == "Bearer"


async def test_a_command_is_answered_and_its_repeat_from_memory():
    world = World()
    _, token = await world.log_in()
    body = {"id": "c-1", "command": {"type": "set-mode", "mode": "ready"}}
    async with world.client(headers=bearer(token)) as client:
        first = await client.post("/v1/session/commands", json=body)
        second = await client.post("/v1/session/commands", json=body)
        asked = await client.get("/v1/session/commands/c-1")
        unknown = await client.get("/v1/session/commands/c-2")
    assert first.status_code == 200
    assert first.json()["outcome"] == "refused"
    assert first.json()["type"] == "set-mode"
    assert first.json() == second.json() == asked.json()
    assert (unknown.status_code, unknown.json()["id"]) == (404, "command.unknown")


@pytest.mark.parametrize(
    "command",
    [{}, {"type": "fly"}, {"type": "make-call", "number": "abc"}, {"type": "make-call", "number": "1", "x": 1}],
)
async def test_a_malformed_command_is_refused(command):
    world = World()
    _, token = await world.log_in()
    async with world.client(headers=bearer(token)) as client:
        answer = await client.post("/v1/session/commands", json={"id": "c-1", "command": command})
    assert (answer.status_code, answer.json()["id"]) == (400, "request.invalid")


async def test_deleting_the_session_logs_out():
    world = World()
    session, token = await world.log_in()
    async with world.client(headers=bearer(token)) as client:
        answer = await client.delete("/v1/session")
        assert answer.status_code == 202
        assert answer.json()["type"] == "log-out"
        assert world.host.state(session) is None
        ended = await client.get("/v1/session")
    assert (ended.status_code, ended.json()["id"]) == (410, "session.ended")


async def test_a_failure_of_ours_is_told_with_its_correlation_only(monkeypatch):
    world = World()
    _, token = await world.log_in()
    monkeypatch.setattr(world.host, "view", lambda session: 1 / 0)
    async with world.client(headers=bearer(token)) as client:
        answer = await client.get("/v1/session")
    assert answer.status_code == 500
    assert answer.json()["id"] == "internal"
    assert answer.json()["correlation"] == answer.headers["x-correlation-id"]
    assert "division" not in answer.text


async def test_every_problem_is_complete():
    async with World().client() as client:
        answer = await client.get("/v1/session")
    problem = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "id", "retry", "correlation"}
    assert problem["status"] == answer.status_code
    assert msgspec.json.decode(answer.content)["type"].startswith("/docs/errors#")


# --- several instances


async def test_the_topology_is_for_everybody():
    async with World().client() as client:
        answer = await client.get("/v1/topology")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["cluster"], told["active"], told["reconnect_window_ms"]) == ("test", "dc1", 2_000)
    assert told["instances"] == [
        {"id": "ua-1", "url": "http://ua.test", "datacentre": "dc1", "state": "ready", "weight": 1_200}
    ]


async def test_a_witness_is_heard_by_everybody_and_not_too_often(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(app, "WITNESS_RATE_PER_MIN", 3)
    world = World()
    async with world.client() as client:
        answer = await client.get("/v1/witness", params={"instance": "ua-9"})
        assert answer.json() == {"instance": "ua-9", "verdict": "unknown", "can_take": False, "next": None}
        for _ in range(3):
            answer = await client.get("/v1/witness", params={"instance": "ua-1"})
        assert (answer.status_code, answer.json()["id"]) == (429, "login.too-many")
        assert int(answer.headers["retry-after"]) >= 1
    async with world.client("10.0.0.8") as client:
        assert (await client.get("/v1/witness", params={"instance": "ua-1"})).json()["verdict"] == "alive"
        assert (await client.get("/v1/witness")).status_code == 400
        assert (await client.get("/v1/witness", params={"instance": "x" * 65})).status_code == 400


@pytest.mark.parametrize(
    "body", [{}, {"ticket": "", "token": "t"}, {"ticket": "t"}, {"ticket": "t" * 8_193, "token": "t"}]
)
async def test_a_malformed_ticket_is_a_malformed_request(body):
    async with World().client() as client:
        answer = await client.post("/v1/session/resume", json=body)
    assert (answer.status_code, answer.json()["id"]) == (400, "request.invalid")


async def test_what_became_of_a_command_is_found_out_and_it_is_not_performed():
    world = World(claims=Claims())
    session, token = await world.log_in()
    world.grant(session)
    async with world.client() as client:
        path, body = "/v1/session/commands/c-1/resolve", {"command": {"type": "make-call", "number": "3001"}}
        for _ in range(2):
            answer = await client.post(path, json=body, headers=bearer(token))
            assert answer.status_code == 200
            assert answer.json() == {
                "id": "c-1",
                "type": "make-call",
                "outcome": "unknown",
                "error": "instance-lost",
                "detail": "",
            }
        assert (await client.get("/v1/session/commands/c-1", headers=bearer(token))).json()["outcome"] == "unknown"
        bad = await client.post(path, json={"command": {"type": "nonsense"}}, headers=bearer(token))
        assert (bad.status_code, bad.json()["id"]) == (400, "request.invalid")
        nobody = await client.post(path, json=body, headers=bearer("nonsense"))
        assert nobody.json()["id"] == "session.unknown"
    assert world.telephony.asked == []


@pytest.mark.parametrize(
    ("reason", "status", "failure"),
    [("moved", 421, "session.moved"), ("passive", 421, "session.moved"), ("taken-over", 423, "taken-over")],
)
async def test_an_old_token_says_what_became_of_the_session(reason: str, status: int, failure: str):
    world = World(claims=Claims())
    session, token = await world.log_in()
    world.grant(session)
    world.host.lose([session], reason)
    async with world.client() as client:
        answer = await client.get("/v1/session", headers=bearer(token))
    assert (answer.status_code, answer.json()["id"]) == (status, failure)
