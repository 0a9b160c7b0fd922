from __future__ import annotations

import pytest

from unified_agent.errors import LocalProtocolError
from unified_agent.wire.csta.request_table import SET_ASIDE_LIMIT, RequestTable


def table(in_flight_limit: int = 2, queue_limit: int = 100) -> RequestTable:
    return RequestTable(in_flight_limit=in_flight_limit, queue_limit=queue_limit)


def ids_of_a_whole_round(requests: RequestTable) -> set[int]:
    seen = set()
    for _ in range(9_998):
        requests.add(b"", 1e9)
        [(invoke_id, _)] = requests.take_sendable()
        seen.add(invoke_id)
        requests.take_answered(invoke_id)
    return seen


def test_invoke_ids_run_from_1_to_9998_and_begin_again() -> None:
    requests = table()
    seen = []
    for _ in range(9_999):
        requests.add(b"", 1.0)
        [(invoke_id, _document)] = requests.take_sendable()
        seen.append(invoke_id)
        requests.take_answered(invoke_id)
    assert seen == [*range(1, 9_999), 1]


def test_invoke_id_in_flight_is_passed_over() -> None:
    requests = table(in_flight_limit=5)
    requests.add(b"first", 1e9)
    [(held, _)] = requests.take_sendable()
    for _ in range(20_000):
        requests.add(b"", 1e9)
        [(invoke_id, _)] = requests.take_sendable()
        assert invoke_id != held
        requests.take_answered(invoke_id)


def test_invoke_id_of_a_timed_out_request_is_set_aside_until_its_late_answer() -> None:
    requests = table()
    requests.add(b"", 1.0)
    list(requests.take_sendable())
    assert len(requests.take_expired(1.0)) == 1
    assert 1 not in ids_of_a_whole_round(requests)
    assert requests.take_answered(1) is None
    assert 1 in ids_of_a_whole_round(requests)


def test_no_more_than_the_limit_is_set_aside() -> None:
    requests = table(in_flight_limit=1)
    for round_number in range(3 * SET_ASIDE_LIMIT):
        requests.add(b"", float(round_number))
        assert len(list(requests.take_sendable())) == 1
        requests.take_expired(float(round_number))
    assert requests.in_flight == 0


def test_requests_go_oldest_first_and_never_more_than_the_limit() -> None:
    requests = table(in_flight_limit=2)
    for document in (b"a", b"b", b"c"):
        requests.add(document, 9.0)
    assert [document for _, document in requests.take_sendable()] == [b"a", b"b"]
    assert (requests.in_flight, requests.waiting) == (2, 1)
    requests.take_answered(2)
    assert [document for _, document in requests.take_sendable()] == [b"c"]


def test_expiry_is_in_order_of_deadline_and_tells_each_once() -> None:
    requests = table(in_flight_limit=1)
    late, early = requests.add(b"", 3.0), requests.add(b"", 2.0)
    list(requests.take_sendable())
    assert requests.next_deadline() == 2.0
    assert requests.take_expired(5.0) == [early, late]
    assert requests.take_expired(5.0) == []
    assert requests.next_deadline() is None


def test_deadline_of_an_answered_request_is_forgotten() -> None:
    requests = table()
    requests.add(b"", 1.0)
    requests.add(b"", 2.0)
    list(requests.take_sendable())
    requests.take_answered(1)
    assert requests.next_deadline() == 2.0


def test_queue_is_full_at_its_limit_and_not_before() -> None:
    requests = table(in_flight_limit=1, queue_limit=2)
    requests.add(b"", 1.0)
    list(requests.take_sendable())
    requests.add(b"", 1.0)
    assert not requests.is_full
    requests.add(b"", 1.0)
    assert requests.is_full
    requests.take_expired(1.0)
    assert not requests.is_full


@pytest.mark.parametrize("limit", [0, 5_001])
def test_limit_that_leaves_no_invoke_ids_is_refused(limit: int) -> None:
    with pytest.raises(LocalProtocolError):
        table(in_flight_limit=limit)
