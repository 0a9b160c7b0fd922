import pytest
from msgspec.structs import replace
from tests.unit.server.serving import LOGIN, SETTINGS, World, with_http

from unified_agent.server.edge import content_policy
from unified_agent.settings import JsonpSettings

pytestmark = pytest.mark.asyncio


async def test_every_answer_protects_the_page_and_carries_a_correlation():
    async with World().client() as client:
        for path in ("/v1/config", "/healthz", "/nowhere"):
            headers = (await client.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert "default-src 'self'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-correlation-id"]


async def test_only_samples_may_run_the_answers_of_other_instances_as_scripts():
    instances = ("http://ua-1.test", "http://ua-2.test/")
    assert "script-src" not in content_policy(instances)
    assert content_policy(instances, runs_answers=True).endswith(
        "; script-src 'self' http://ua-1.test http://ua-2.test"
    )
    assert content_policy((), runs_answers=True) == content_policy(())


async def test_our_own_pages_may_call_us_by_whatever_scheme_they_came():
    async with World().client() as client:
        for origin in ("http://ua.test", "https://ua.test", "HTTPS://UA.TEST"):
            assert (await client.post("/v1/session", json=LOGIN, headers={"Origin": origin})).status_code == 201


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://ua.test.evil.example", "ua.test"])
async def test_pages_of_other_origins_may_not(origin):
    async with World().client() as client:
        answer = await client.post("/v1/session", json=LOGIN, headers={"Origin": origin})
    assert (answer.status_code, answer.json()["id"]) == (403, "origin.refused")
    assert "access-control-allow-origin" not in answer.headers


async def test_an_allowed_origin_is_answered_with_permission_before_and_after():
    world = World(with_http(allowed_origins=("https://crm.example",)))
    async with world.client(headers={"Origin": "https://crm.example"}) as client:
        before = await client.options("/v1/session", headers={"Access-Control-Request-Method": "POST"})
        after = await client.post("/v1/session", json=LOGIN)
    assert before.status_code == 204
    assert "POST" in before.headers["access-control-allow-methods"]
    assert "authorization" in before.headers["access-control-allow-headers"]
    assert after.headers["access-control-allow-origin"] == "https://crm.example"
    assert "access-control-allow-credentials" not in after.headers


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nowhere", (404, "request.path")),
        ("GET", "/v1/nowhere", (404, "request.path")),
        ("PUT", "/v1/session", (405, "request.method")),
        ("DELETE", "/healthz", (405, "request.method")),
    ],
)
async def test_unknown_paths_and_methods_are_problems_too(method, path, expected):
    async with World().client() as client:
        answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["id"]) == expected
    assert answer.headers["content-type"] == "application/problem+json"


async def test_path_parameters_are_the_balancer_s_and_mean_nothing():
    async with World().client() as client:
        assert (await client.get("/v1/config;jsessionid=abc.ua-9")).status_code == 200
        assert (await client.get("/v1;x=1/topology")).status_code == 200
        assert (await client.get("/v1/status;/../v1/config")).status_code != 200


async def test_a_routing_cookie_is_kept_from_plain_connections_where_there_are_others():
    async with World().client(base_url="https://ua.test") as client:
        assert "; Secure" in (await client.get("/v1/entry")).headers["set-cookie"]
    async with World().client() as client:
        assert "; Secure" not in (await client.get("/v1/entry")).headers["set-cookie"]


SCRIPT_HEADERS = {
    "content-disposition": 'attachment; filename="f.txt"',
    "cross-origin-resource-policy": "cross-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


async def test_scripts_may_be_loaded_by_other_pages_and_are_saved_when_opened_by_themselves():
    world = World(replace(SETTINGS, jsonp=JsonpSettings(enabled=True, allow_unknown_callers=True)))
    async with world.client() as client:
        script = await client.get("/v1/jsonp/config", params={"callback": "f"})
        refused = await client.get("/v1/jsonp/config", params={"callback": "1"})
        unknown = await client.get("/v1/jsonp/nothing", params={"callback": "f"})
        other = await client.get("/v1/config")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    for answer in (script, refused, unknown):
        assert {name: answer.headers[name] for name in SCRIPT_HEADERS} == SCRIPT_HEADERS
    assert (refused.status_code, unknown.status_code) == (400, 404)
    assert other.headers["cross-origin-resource-policy"] == "same-origin"
    assert "content-disposition" not in other.headers


async def test_callers_of_scripts_may_call_rest_only_where_scripts_are_enabled():
    callers = ("https://crm.example",)
    for enabled, status in ((True, 201), (False, 403)):
        world = World(replace(SETTINGS, jsonp=JsonpSettings(enabled=enabled, callers=callers)))
        async with world.client(headers={"Origin": callers[0]}) as client:
            assert (await client.post("/v1/session", json=LOGIN)).status_code == status


async def test_the_client_library_may_be_loaded_by_other_pages(tmp_path):
    (tmp_path / "client").mkdir()
    (tmp_path / "client/ua-client.js").write_text("1;")
    world = World(with_http(allowed_origins=("https://crm.example",)), static=tmp_path)
    async with world.client() as client:
        plain = await client.get("/client/ua-client.js")
        module = await client.get("/client/ua-client.js", headers={"Origin": "https://crm.example"})
        foreign = await client.get("/client/ua-client.js", headers={"Origin": "https://evil.example"})
    assert plain.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "content-disposition" not in plain.headers
    assert module.headers["access-control-allow-origin"] == "https://crm.example"
    assert "origin" in plain.headers["vary"]
    assert foreign.status_code == 403
