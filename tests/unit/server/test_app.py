"""The document at /openapi.json: sound in itself, and true of what we answer."""

import re
import typing
from typing import Any

import pytest
from tests.unit.server.serving import LOGIN, World

from unified_agent.domain.commands import AnyCommand, kebab
from unified_agent.server.failures import FAILURES

pytestmark = pytest.mark.asyncio

#: Answers of the edge around the application and of its listeners, possible for every request.
EVERYWHERE = {"request.upgrade", "request.method", "request.path", "internal", "desktop.not-built", "command.invalid"}
#: What anybody may ask.
PUBLIC = {"/v1/config", "/v1/entry", "/v1/topology", "/v1/witness", "/healthz", "/readyz", "/startupz", "/metrics"}
#: Told by a script, with status 200: a page hears of no other.
IN_SCRIPTS = {"jsonp.token", "jsonp.nonce", "jsonp.too-long", "jsonp.too-many"}
PUBLIC |= {f"/v1/jsonp/{each}" for each in ("config", "entry", "health", "topology", "witness")}
#: What is proved in the body: by a password, or by a ticket with its token.
ENTRANCES = {"logIn", "resume", "openStream"}


async def document() -> Any:
    async with World().client() as client:
        answer = await client.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def operations(doc: dict[str, Any]):
    for path, item in doc["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def references(node: Any):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


async def test_it_is_openapi_3_1_with_title_version_and_licence():
    doc = await document()
    assert doc["openapi"].startswith("3.1.")
    assert set(doc["info"]) >= {"title", "version", "license"}


async def test_every_reference_leads_somewhere():
    doc = await document()
    schemas = doc["components"]["schemas"]
    found = set(references(doc))
    assert found
    assert all(each.removeprefix("#/components/schemas/") in schemas for each in found)


async def test_every_operation_has_a_name_of_its_own_a_summary_and_described_answers():
    doc = await document()
    names = [operation["operationId"] for _, _, operation in operations(doc)]
    assert len(set(names)) == len(names) == 34
    for _, _, operation in operations(doc):
        assert operation["summary"]
        assert all(response["description"] for response in operation["responses"].values())
        assert not any("URL follows" in each["description"] for each in operation["responses"].values())


async def test_path_parameters_are_declared():
    for path, _, operation in operations(await document()):
        declared = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
        assert declared == set(re.findall(r"{(\w+)}", path))


async def test_security_names_schemes_that_are_declared():
    doc = await document()
    schemes = doc["components"]["securitySchemes"]
    for path, _, operation in operations(doc):
        used = {name for each in operation.get("security", []) for name in each}
        assert used <= set(schemes)
        public = path in PUBLIC or operation["operationId"] in ENTRANCES
        assert bool(used) is not public, path


async def test_every_failure_is_described_where_it_can_happen_as_a_problem():
    described: set[str] = set()
    for _, _, operation in operations(await document()):
        for status, response in operation["responses"].items():
            if int(status) < 400 or (status in {"404", "503"} and "Health" in str(response)):
                continue
            assert response["content"] == {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
            }
            for failure in re.findall(r"`([a-z.-]+)`:", response["description"]):
                assert FAILURES[failure].status == int(status)
                described.add(failure)
    assert set(FAILURES) - described == EVERYWHERE | IN_SCRIPTS


async def test_every_command_is_described_by_its_word_and_takes_no_other_fields():
    doc = await document()
    schemas = doc["components"]["schemas"]
    for command in typing.get_args(AnyCommand):
        schema = schemas[command.__name__]
        assert schema["properties"]["type"]["const"] == kebab(command.__name__)
        assert "type" in schema["required"]
        assert schema["additionalProperties"] is False
        assert schema["description"]


def check(schema: dict[str, Any], value: Any, schemas: dict[str, Any]) -> None:
    """Check a value against the part of JSON Schema that the document uses."""
    if "$ref" in schema:
        check(schemas[schema["$ref"].rpartition("/")[2]], value, schemas)
        return
    if "oneOf" in schema:
        fitting = 0
        for each in schema["oneOf"]:
            try:
                check(each, value, schemas)
            except AssertionError:
                continue
            fitting += 1
        assert fitting == 1, (value, schema)
        return
    kinds: dict[str, Any] = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
    }
    kind = schema["type"]
    if kind == "null":
        assert value is None
        return
    assert isinstance(value, kinds[kind]), (value, schema)
    if "enum" in schema:
        assert value in schema["enum"]
    if kind == "array" and "items" in schema:
        for each in value:
            check(schema["items"], each, schemas)
    if kind == "object":
        properties = schema.get("properties", {})
        assert set(schema.get("required", [])) <= set(value)
        if properties:
            assert set(value) <= set(properties), "a field that is not described"
        for name, each in value.items():
            further = schema.get("additionalProperties")
            if name in properties or isinstance(further, dict):
                check(properties.get(name, further), each, schemas)


async def test_what_we_answer_is_what_is_described():
    doc = await document()
    schemas = doc["components"]["schemas"]
    world = World()

    def described(path: str, method: str, answer: Any) -> None:
        response = doc["paths"][path][method]["responses"][str(answer.status_code)]
        ((media_type, content),) = response["content"].items()
        assert answer.headers["content-type"].partition(";")[0] == media_type
        check(content["schema"], answer.json(), schemas)

    async with world.client(address="127.0.0.1") as client:
        for path in ("/v1/config", "/healthz", "/readyz", "/startupz", "/v1/status"):
            described(path, "get", await client.get(path))
        world.whole.draining = True
        described("/readyz", "get", await client.get("/readyz"))
        described("/v1/session", "post", await client.post("/v1/session", json={}))
        dialler = {"name": "a", "password": "b", "headset": "1"}
        opened = await client.post("/v1/session", json={**LOGIN, "dialler": dialler})
        described("/v1/session", "post", opened)
        client.headers["Authorization"] = f"Bearer {opened.json()['token']}"
        described("/v1/session", "get", await client.get("/v1/session"))
        body = {"id": "c-1", "command": {"type": "refresh-jobs"}}
        described("/v1/session/commands", "post", await client.post("/v1/session/commands", json=body))
        path = "/v1/session/commands/{command_id}"
        described(path, "get", await client.get("/v1/session/commands/c-1"))
        described(path, "get", await client.get("/v1/session/commands/c-2"))
        described("/v1/session", "delete", await client.delete("/v1/session"))
