"""The view of a session and its place in the stream."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unified_agent.client.stream import Stream, Taken
from unified_agent.domain.limits import MESSAGES_KEPT


def envelope(epoch: int, seq: int, word: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"epoch": epoch, "seq": seq, "at": "2026-11-22T15:40:51.123Z", "type": word, "data": data}


def snapshot(epoch: int, seq: int, **view: Any) -> dict[str, Any]:
    return envelope(epoch, seq, "snapshot", {"view": view, "reason": "hello"})


def begun(**view: Any) -> Stream:
    stream = Stream()
    assert stream.take(snapshot(1, 4, **view)) is Taken.APPLIED
    return stream


def test_a_snapshot_is_the_view():
    stream = begun(agent={"mode": "ready"}, calls=[])
    assert stream.view == {"agent": {"mode": "ready"}, "calls": []}
    assert (stream.epoch, stream.seq) == (1, 4)


def test_a_change_takes_the_place_of_its_slice():
    stream = begun(agent={"mode": "ready", "reason": 1}, calls=[])
    assert stream.take(envelope(1, 5, "agent-changed", {"agent": {"mode": "talking"}})) is Taken.APPLIED
    assert stream.view == {"agent": {"mode": "talking"}, "calls": []}


def test_a_message_joins_the_end_and_the_oldest_leaves():
    stream = begun(messages=[{"text": "first"}])
    for number in range(MESSAGES_KEPT):
        stream.take(envelope(1, 5 + number, "message-arrived", {"message": {"text": str(number)}}))
    assert [each["text"] for each in stream.view["messages"]] == [str(number) for number in range(MESSAGES_KEPT)]


def test_what_was_there_before_changes_nothing():
    stream = begun(calls=[])
    assert stream.take(envelope(1, 4, "calls-changed", {"calls": [1]})) is Taken.DUPLICATE
    assert stream.view == {"calls": []}
    assert stream.duplicates == 1


@pytest.mark.parametrize(("epoch", "seq"), [(1, 6), (2, 5), (2, 1)])
def test_what_does_not_follow_is_a_gap_and_changes_nothing(epoch, seq):
    stream = begun(calls=[])
    assert stream.take(envelope(epoch, seq, "calls-changed", {"calls": [1]})) is Taken.GAP
    assert (stream.view, stream.epoch, stream.seq, stream.gaps) == ({"calls": []}, 1, 4, 1)


def test_nothing_is_taken_before_the_first_snapshot():
    stream = Stream()
    assert stream.take(envelope(1, 1, "calls-changed", {"calls": []})) is Taken.GAP
    assert stream.view == {}


def test_a_new_epoch_begins_with_its_snapshot():
    stream = begun(calls=[1])
    assert stream.take(snapshot(2, 0, calls=[])) is Taken.APPLIED
    assert stream.take(envelope(2, 1, "calls-changed", {"calls": [2]})) is Taken.APPLIED
    assert stream.view == {"calls": [2]}


def test_a_snapshot_from_before_is_dropped():
    stream = begun(calls=[1])
    assert stream.take(snapshot(1, 3, calls=[])) is Taken.DUPLICATE
    assert stream.view == {"calls": [1]}


def test_another_servers_first_snapshot_is_taken_whatever_its_number():
    stream = begun(calls=[1])
    assert stream.take(snapshot(1, 0, calls=[2]), fresh=True) is Taken.APPLIED
    assert (stream.view, stream.epoch, stream.seq) == ({"calls": [2]}, 1, 0)


def test_a_higher_term_is_taken_and_what_comes_with_a_lower_one_dropped():
    stream = begun(calls=[1])
    assert stream.take({**envelope(1, 5, "calls-changed", {"calls": [2]}), "term": 2}) is Taken.APPLIED
    assert stream.take({**envelope(1, 6, "calls-changed", {"calls": [3]}), "term": 1}) is Taken.STALE
    assert stream.take({**snapshot(9, 0, calls=[4]), "term": 1}, fresh=True) is Taken.STALE
    assert (stream.view, stream.term, stream.seq, stream.stale) == ({"calls": [2]}, 2, 5, 2)


def test_an_envelope_without_a_term_is_of_the_present_one():
    stream = begun(calls=[1])
    stream.take({**envelope(1, 5, "calls-changed", {"calls": [2]}), "term": 2})
    assert stream.take(envelope(1, 6, "calls-changed", {"calls": [3]})) is Taken.APPLIED
    assert stream.term == 2


@pytest.mark.parametrize("taken", [Taken.GAP, Taken.DUPLICATE])
def test_what_is_not_applied_raises_no_term(taken):
    stream = begun(calls=[1])
    seq = {Taken.GAP: 6, Taken.DUPLICATE: 4}[taken]
    assert stream.take({**envelope(1, seq, "calls-changed", {"calls": [2]}), "term": 2}) is taken
    assert stream.term == 0


def test_a_command_that_settled_counts_and_leaves_the_view():
    stream = begun(calls=[1])
    assert stream.take(envelope(1, 5, "command-settled", {"command": "c-1"})) is Taken.APPLIED
    assert (stream.view, stream.seq) == ({"calls": [1]}, 5)


@given(st.lists(st.integers(min_value=0, max_value=12), max_size=60))
def test_whatever_comes_again_or_out_of_order_the_view_is_that_of_the_last_number_taken(order):
    stream = Stream()
    stream.take(snapshot(1, 0, number=0))
    for seq in order:
        before = stream.seq
        assert before is not None
        taken = stream.take(envelope(1, seq, "number-changed", {"number": seq}))
        assert taken is (Taken.DUPLICATE if seq <= before else Taken.APPLIED if seq == before + 1 else Taken.GAP)
        assert stream.view == {"number": stream.seq}
