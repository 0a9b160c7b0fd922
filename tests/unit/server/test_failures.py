from __future__ import annotations

import json

import pytest

from unified_agent.server.auth import TokenRefusal
from unified_agent.server.failures import FAILURES, RequestRefused, Retry, encode_problem, problem


@pytest.mark.parametrize("failure", FAILURES)
def test_every_failure_becomes_a_problem_with_its_id_status_and_a_link_to_its_description(failure: str) -> None:
    row = FAILURES[failure]
    written = json.loads(encode_problem(problem(failure, "about this case", "c-1")))
    assert written == {
        "type": f"/docs/errors#{failure}",
        "title": row.title,
        "status": int(row.status),
        "detail": "about this case",
        "id": failure,
        "retry": row.retry.value,
        "correlation": "c-1",
    }


def test_a_problem_without_words_of_its_own_has_its_title_for_them() -> None:
    assert problem("station.in-use", "", "").detail == FAILURES["station.in-use"].title


def test_an_id_without_a_row_is_our_fault_and_says_so() -> None:
    assert problem("no-such-row", "", "c-1").id == "internal"
    assert problem("no-such-row", "", "c-1").status == 500


def test_every_failure_is_of_the_client_or_of_ours_and_only_others_are_worth_trying_elsewhere() -> None:
    assert all(400 <= row.status < 600 for row in FAILURES.values())
    assert {name for name, row in FAILURES.items() if row.retry is Retry.ELSEWHERE} == {
        "instance.full",
        "instance.draining",
        "instance.elsewhere",
        "datacentre.passive",
        "session.moved",
    }


def test_every_refusal_of_a_token_has_its_row() -> None:
    assert {each.value for each in TokenRefusal} <= set(FAILURES)


def test_a_refused_request_keeps_its_id_its_words_and_when_to_ask_again() -> None:
    refused = RequestRefused("login.too-many", "try again in 30 s", retry_after_s=30.0)
    assert (refused.id, refused.detail, refused.retry_after_s) == ("login.too-many", "try again in 30 s", 30.0)
    assert refused.code == "request-refused"
