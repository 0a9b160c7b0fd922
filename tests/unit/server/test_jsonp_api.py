"""Scripts as requests: envelopes, what is public, limits, and that nothing of a URL is logged."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs
from tests.unit.server.serving import SETTINGS, World

from unified_agent.domain.ids import InstanceId
from unified_agent.domain.topology import Next
from unified_agent.server.failures import RequestRefused
from unified_agent.settings import JsonpSettings, Settings

pytestmark = pytest.mark.asyncio

CRM = "https://crm.example"
SCRIPT = {"Referer": f"{CRM}/", "Sec-Fetch-Dest": "script", "Sec-Fetch-Site": "cross-site"}
READY = '{"type":"set-mode","mode":"ready"}'


def with_scripts(**changed: Any) -> Settings:
    return replace(SETTINGS, jsonp=JsonpSettings(**{"enabled": True, "callers": (CRM,), **changed}))


def envelope_of(body: str) -> dict[str, Any]:
    found = re.fullmatch(r"/\*\*/typeof f==='function'&&f\((.*)\);", body)
    assert found is not None, body
    return dict(msgspec.json.decode(found[1]))


class Page:
    """A page that asks a world by scripts."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.token = self.nonce = ""

    async def log_in(self) -> Any:
        session, bearer = await self.world.log_in()
        headers = {"Authorization": f"Bearer {bearer}", "Origin": CRM}
        async with self.world.client(headers=headers) as client:
            answer = await client.post("/v1/session/jsonp", json={"client": "c1"})
        assert answer.status_code == 200, answer.text
        assert answer.headers["access-control-allow-origin"] == CRM
        self.token, self.nonce = answer.json()["token"], answer.json()["nonce"]
        assert answer.json()["expires_s"] == 300.0
        return session

    async def get(self, path: str, **parameters: str) -> Any:
        async with self.world.client(headers=SCRIPT) as client:
            return await client.get(f"/v1/jsonp/{path}", params={"callback": "f", **parameters})

    async def ask(self, path: str, **parameters: str) -> dict[str, Any]:
        answer = await self.get(path, client="c1", token=self.token, **parameters)
        assert answer.status_code == 200, answer.text
        return envelope_of(answer.text)


async def paged(settings: Settings | None = None) -> tuple[Page, Any]:
    page = Page(World(settings or with_scripts()))
    return page, await page.log_in()


async def test_nothing_is_answered_where_it_is_not_enabled():
    page = Page(World())
    answer = await page.get("config")
    assert (answer.status_code, answer.json()["id"]) == (404, "jsonp.off")
    assert answer.headers["content-type"] == "application/problem+json"
    _, bearer = await page.world.log_in()
    async with page.world.client(headers={"Authorization": f"Bearer {bearer}"}) as client:
        refused = await client.post("/v1/session/jsonp", json={"client": "c1"})
    assert (refused.status_code, refused.json()["id"]) == (404, "jsonp.off")


async def test_only_the_token_of_a_session_gets_a_short_one():
    world = World(with_scripts())
    async with world.client() as client:
        without = await client.post("/v1/session/jsonp", json={"client": "c1"})
        wrong = await client.post("/v1/session/jsonp", json={"client": "c1"}, headers={"Authorization": "Bearer x"})
    assert (without.json()["id"], wrong.json()["id"]) == ("session.no-token", "session.unknown")


async def test_an_answer_has_the_described_members_in_their_order():
    page, _ = await paged()
    opened = await page.ask("poll", ack="0")
    members = ["ok", "events", "position", "reply", "next_token", "next_nonce", "more", "result", "closed"]
    assert list(opened) == [*members, "hold_s"]
    outcome = await page.ask("command", id="c1-1", command=READY, nonce=page.nonce)
    assert list(outcome) == members
    assert outcome["result"]["id"] == "c1-1"
    refused = await page.ask("command", id="c1-2", command=READY, nonce=page.nonce)
    assert list(refused) == ["ok", "error", "next_token", "next_nonce"]
    assert (refused["ok"], refused["error"]["id"], refused["error"]["status"]) == (False, "jsonp.nonce", 409)
    assert (await page.ask("outcome", id="c1-1"))["result"] == outcome["result"]
    assert (await page.ask("command", id="c1-2", command=READY, nonce=refused["next_nonce"]))["ok"]
    resolved = await page.ask("resolve", id="c9-9", command=READY, nonce=outcome["next_nonce"])
    assert resolved["result"]["id"] == "c9-9"


async def test_a_token_that_is_not_good_is_told_by_the_script_and_gets_nothing_to_go_on_with():
    page, _ = await paged()
    page.token = "guessed"
    for path in ("poll", "command", "outcome", "resolve"):
        told = await page.ask(path, ack="0", id="c1-1", command=READY, nonce=page.nonce)
        assert (told["ok"], told["error"]["id"]) == (False, "jsonp.token")
        assert told["next_nonce"] == told["next_token"] == ""


async def test_a_token_works_on_scripts_only_and_the_session_token_not_on_them():
    page, _ = await paged()
    async with page.world.client(headers={"Authorization": f"Bearer {page.token}"}) as client:
        assert (await client.get("/v1/session")).json()["id"] == "session.unknown"
        assert (await client.get("/v1/session", params={"token": page.token})).status_code == 401
    _, page.token = await page.world.log_in(agent="2002", station="4002")
    assert (await page.ask("poll", ack="0"))["error"]["id"] == "jsonp.token"


async def test_what_is_public_is_the_same_as_by_rest():
    world = World(with_scripts())
    world.where.others = [Next(id=InstanceId("ua-2"), url="http://ua-2")]
    page = Page(world)
    async with world.client() as client:
        for path, rest in (("config", "/v1/config"), ("topology", "/v1/topology"), ("health", "/readyz")):
            assert envelope_of((await page.get(path)).text)["result"] == (await client.get(rest)).json()
        witness = (await client.get("/v1/witness", params={"instance": "ua-2"})).json()
        entry = (await client.get("/v1/entry", params={"agent": "2001"})).json()
    assert envelope_of((await page.get("witness", instance="ua-2")).text)["result"] == witness
    answer = await page.get("entry", agent="2001")
    begun = envelope_of(answer.text)["result"]
    assert {**begun, "ticket": "", "reason": ""} == {**entry, "ticket": "", "reason": ""}
    assert "set-cookie" not in answer.headers


async def test_an_instance_that_is_not_ready_says_so_by_the_script():
    world = World(with_scripts())
    world.whole.draining = True
    answer = await Page(world).get("health")
    assert answer.status_code == 200
    assert envelope_of(answer.text)["result"]["reasons"] == ["draining"]


@pytest.mark.parametrize(
    ("path", "parameters"),
    [("witness", {}), ("witness", {"instance": ""}), ("witness", {"instance": "x" * 65}), ("entry", {"agent": "20x1"})],
)
async def test_a_question_that_is_not_as_described_is_refused_by_the_script(path, parameters):
    answer = await Page(World(with_scripts())).get(path, **parameters)
    assert envelope_of(answer.text)["error"]["id"] == "request.invalid"


async def test_a_refusal_says_where_to_go():
    world = World(with_scripts())

    async def nobody(*_: Any, **__: Any) -> Any:
        raise RequestRefused("datacentre.passive", next_instance=Next(id=InstanceId("ua-9"), url="http://x"), epoch=4)

    world.server.jsonp.initiation.begin = nobody  # type: ignore[method-assign]
    told = envelope_of((await Page(world).get("entry")).text)
    assert told["error"]["next"] == {"id": "ua-9", "url": "http://x"}
    assert told["error"]["epoch"] == 4


async def test_limits_are_kept_per_page_and_per_address():
    page, _ = await paged(with_scripts(token_rate_per_min=3))
    told = [await page.ask("outcome", id="c1-1") for _ in range(4)]
    assert [each["error"]["id"] for each in told] == ["command.unknown"] * 3 + ["jsonp.too-many"]
    assert told[-1]["error"]["retry"] == "later"
    other = Page(World(with_scripts(address_rate_per_min=2)))
    answers = [envelope_of((await other.get("config")).text)["ok"] for _ in range(3)]
    assert answers == [True, True, False]


async def test_our_own_fault_is_told_by_the_script_without_what_it_was():
    page, _ = await paged()

    def fail(*_: Any) -> Any:
        raise RuntimeError("a secret of ours")

    page.world.host.command = fail  # type: ignore[method-assign,assignment]
    told = await page.ask("outcome", id="c1-1")
    assert told["error"]["id"] == "internal"
    assert "secret of ours" not in str(told)


async def test_refusals_are_counted_by_their_cause():
    page, _ = await paged()
    await page.get("config", callback="alert(1)")
    await page.ask("outcome", id="c1-1")
    page.token = "guessed"
    await page.ask("poll", ack="0")
    text = page.world.metrics.render().decode()
    for cause in ("jsonp.callback", "command.unknown", "jsonp.token"):
        assert f'ua_jsonp_rejected_total{{cause="{cause}"}} 1.0' in text


async def test_looking_with_head_does_nothing():
    page, session = await paged()
    parameters = {"callback": "f", "client": "c1", "token": page.token, "nonce": page.nonce}
    async with page.world.client(headers=SCRIPT) as client:
        answer = await client.head("/v1/jsonp/command", params={**parameters, "id": "c1-1", "command": READY})
        post = await client.post("/v1/jsonp/command", params={**parameters, "id": "c1-1", "command": READY})
    assert (answer.status_code, post.status_code) == (405, 405)
    assert page.world.state(session).commands == ()
    assert (await page.ask("command", id="c1-1", command=READY, nonce=page.nonce))["ok"]


async def test_nothing_of_a_url_is_logged_whatever_happens():
    with capture_logs() as lines:
        page, _ = await paged()
        token, nonce = page.token, page.nonce
        await page.ask("poll", ack="0")
        await page.ask("command", id="c1-1", command=READY, nonce=nonce)
        await page.ask("command", id="c1-2", command="{}", nonce=nonce)
        await page.get("poll", callback="alert(1)", token=token)
        await page.get("poll", token=token, client="c2")

        def fail(*_: Any) -> Any:
            raise RuntimeError("boom")

        page.world.host.command = fail  # type: ignore[method-assign,assignment]
        await page.ask("outcome", id="c1-1")
    events = {each["event"] for each in lines}
    assert {"request_failed", "request_refused"} <= events
    for secret in (token, nonce, "c1-2", "alert"):
        assert secret not in str(lines)
