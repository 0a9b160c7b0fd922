"""Call ids are unique among living calls, and universal call ids have their parts."""

from __future__ import annotations

import pytest

from unified_agent.tools.simulators.aes.calls import CALL_ID_LIMIT, CallNumbers


def test_ids_count_up_and_begin_again_past_those_in_use() -> None:
    numbers = CallNumbers(first=CALL_ID_LIMIT - 1)
    taken = {"1"}
    given = []
    for _ in range(3):
        given.append(numbers.next_id(taken))
        taken.add(given[-1])
    assert given == ["65534", "65535", "2"]


def test_universal_id_is_node_call_and_seconds() -> None:
    numbers = CallNumbers(node=1, epoch_s=1_428_242_000.0)
    assert numbers.ucid("179", 51.9) == "00001001791428242051"


def test_more_calls_than_ids_is_impossible() -> None:
    with pytest.raises(AssertionError):
        CallNumbers().next_id({str(number) for number in range(CALL_ID_LIMIT)})
