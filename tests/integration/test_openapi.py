"""Schemathesis against the OpenAPI document that an instance serves: with a session's token, with an operator's, with
none.

No answer may be a fault of ours, and each must be one of those described. An instance that says that it is too busy is
no fault: the machine may be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.integration.house import house, play

from unified_agent.settings import JsonpSettings

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

CONFORMS = (status_code_conformance, content_type_conformance, response_schema_conformance)
EXAMPLES = 25
#: What an operation is asked with.
CALLERS = ("nobody", "agent", "operator")


def is_busy(answer: Any) -> bool:
    return bool(answer.status_code == 503 and answer.json().get("id") == "instance.busy")


def try_operation(operation: Any, headers: Any, answered: dict[int, int]) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        answer = case.call(headers=headers(), timeout=20.0)
        answered[answer.status_code] = answered.get(answer.status_code, 0) + 1
        if not is_busy(answer):
            checks = [*CONFORMS] if answer.status_code == 503 else [not_a_server_error, *CONFORMS]
            case.validate_response(answer, checks=checks)

    ask()


def operations(url: str) -> Iterator[Any]:
    for found in schemathesis.openapi.from_url(f"{url}/openapi.json").get_all_operations():
        assert isinstance(found, Ok), found
        yield found.ok()


@pytest.mark.parametrize("caller", CALLERS)
def test_every_operation_answers_as_described_whatever_it_is_asked(caller: str, tmp_path: Path) -> None:
    async def main() -> None:
        (tmp_path / "operators").write_text("let-me-in\n")
        scripts = JsonpSettings(enabled=True, allow_unknown_callers=True)
        operators = tmp_path / "operators"
        async with house(tmp_path, tls=False, jsonp=scripts, operators_token_file=operators) as there:
            url = there.url.rstrip("/")

            def headers() -> dict[str, str]:
                """A token that is good now: some operations end the session."""
                if caller == "nobody":
                    return {}
                if caller == "operator":
                    return {"Authorization": "Bearer let-me-in"}
                body = {"agent": "5001", "station": "2001", "password": "1234"}
                answer = httpx.post(f"{url}/v1/session", json=body, timeout=20.0)
                return {"Authorization": f"Bearer {answer.json()['token']}"} if answer.is_success else {}

            def try_all() -> dict[int, int]:
                answered: dict[int, int] = {}
                for operation in operations(url):
                    try_operation(operation, headers, answered)
                return answered

            answered = await asyncio.to_thread(try_all)
            assert answered.get(200, 0) > 0
            assert answered.get(400, 0) > 0
            if caller == "nobody":
                assert answered.get(401, 0) > 0

    play(main())
