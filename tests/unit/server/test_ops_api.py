import pytest
from tests.unit.server.serving import SETTINGS, World, with_http, with_sessions

from unified_agent.server.ops_api import readiness

pytestmark = pytest.mark.asyncio

PROBES = ("/healthz", "/readyz", "/startupz")


@pytest.mark.parametrize("path", PROBES)
async def test_a_probe_of_a_well_instance_is_answered_with_ok(path):
    async with World().client() as client:
        answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "reasons": [],
        "instance": "ua-1",
        "version": answer.json()["version"],
        "sessions": 0,
        "capacity": SETTINGS.sessions.capacity,
    }
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", [*PROBES, "/metrics", "/v1/config"])
async def test_head_is_get_without_a_body(path):
    async with World().client() as client:
        answer = await client.head(path)
        assert answer.status_code == 200
        assert answer.content == b""
        assert answer.headers["content-type"] == (await client.get(path)).headers["content-type"]


async def test_an_instance_is_unready_while_it_starts_drains_is_full_or_busy():
    world = World(with_sessions(capacity=1))
    await world.log_in()
    world.whole.started = False
    world.whole.draining = True
    world.whole.lag_s = 0.3
    async with world.client() as client:
        ready = await client.get("/readyz")
        started = await client.get("/startupz")
        alive = await client.get("/healthz")
    assert (ready.status_code, ready.json()["reasons"]) == (503, ["starting", "draining", "full", "busy"])
    assert started.status_code == 503
    assert alive.status_code == 200


async def test_an_instance_is_unready_but_started_while_a_port_of_its_own_is_still_to_open():
    world = World()
    world.whole.opening = True
    async with world.client() as client:
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["reasons"]) == (503, ["starting"])
        assert (await client.get("/startupz")).status_code == 200
        world.whole.opening = False
        assert (await client.get("/readyz")).status_code == 200


@pytest.mark.parametrize(
    ("reasons", "status"),
    [
        ((), 200),
        (("full",), 200),
        (("busy",), 200),
        (("draining",), 404),
        (("draining", "full"), 404),
        (("starting",), 503),
        (("not-active",), 503),
        (("not-active", "draining"), 503),
    ],
)
async def test_a_balancer_is_told_to_send_desktops_only_their_own_or_none(reasons, status):
    assert readiness(reasons) == status


async def test_an_instance_that_is_full_is_ready_to_send_desktops_on():
    world = World(with_sessions(capacity=1))
    await world.log_in()
    async with world.client() as client:
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["reasons"]) == (200, ["full"])
        world.whole.draining = True
        assert (await client.get("/readyz")).status_code == 404


async def test_a_lost_switch_does_not_make_an_instance_unready():
    world = World()
    assert not world.telephony.is_up
    async with world.client() as client:
        assert (await client.get("/readyz")).status_code == 200


async def test_a_stuck_loop_is_not_alive():
    world = World()
    world.whole.lag_s = 6.0
    async with world.client() as client:
        answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["stuck"])


async def test_the_status_tells_operators_the_full_truth():
    world = World()
    await world.log_in()
    async with world.client(address="127.0.0.1") as client:
        status = (await client.get("/v1/status")).json()
    assert status["ready"] is True
    assert status["sessions"] == 1
    assert status["phases"] == {"logging-in": 1}
    assert status["links"] == [
        {"kind": "telephony", "name": "aes-1", "state": "down", "doing": "waits 0.3 s, then dials", "since": ""}
    ]


async def test_the_status_is_shut_to_others(tmp_path):
    async with World().client(address="10.0.0.7") as client:
        answer = await client.get("/v1/status")
    assert (answer.status_code, answer.json()["id"]) == (401, "operator.unauthorised")


async def test_with_an_operators_token_only_that_opens_the_status(tmp_path):
    file = tmp_path / "operators"
    file.write_text("open sesame\n")
    world = World(with_http(operators_token_file=file))
    async with world.client(address="127.0.0.1") as client:
        assert (await client.get("/v1/status")).status_code == 401
        assert (await client.get("/v1/status", headers={"Authorization": "Bearer sesame"})).status_code == 401
        assert (await client.get("/v1/status", headers={"Authorization": "Bearer open sesame"})).status_code == 200


async def test_metrics_name_no_agent_station_or_token():
    world = World()
    _, token = await world.log_in()
    async with world.client() as client:
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'ua_logins_total{outcome="accepted"} 1.0' in answer.text
    assert 'ua_sessions{presence="suspect"} 1.0' in answer.text
    for secret in ("2001", "4001", "1234", token):
        assert secret not in answer.text.replace("1.", "")
