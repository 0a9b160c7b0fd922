from __future__ import annotations

import msgspec
from tests.unit.domain.desk import Desk

from unified_agent.domain.limits import OUTBOX_AGE_S, OUTBOX_NOTICES
from unified_agent.domain.notices import MessageArrived
from unified_agent.domain.view import MessageView, view_of
from unified_agent.sessions.outbox import Outbox


class Now:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def message(text: str = "x") -> MessageArrived:
    return MessageArrived(message=MessageView(text=text, sender="supervisor", at="2026-01-01T00:00:00.000Z"))


def outbox(now: Now | None = None) -> Outbox:
    state = Desk().state
    return Outbox(lambda: view_of(state), now or Now())


def numbers(lines: list[bytes] | None) -> list[int]:
    assert lines is not None
    return [msgspec.json.decode(each)["seq"] for each in lines]


def test_notices_are_numbered_from_one_without_a_gap_and_say_what_they_are():
    box = outbox()
    box.append(message("first"))
    box.append(message("second"))
    lines = box.since(1, 0)
    assert numbers(lines) == [1, 2]
    assert msgspec.json.decode(lines[0]) == {  # type: ignore[index]
        "epoch": 1,
        "seq": 1,
        "at": "1970-01-01T00:16:40.000Z",
        "type": "message-arrived",
        "data": {"message": {"text": "first", "sender": "supervisor", "at": "2026-01-01T00:00:00.000Z"}},
        "term": 1,
    }


def test_a_reader_gets_what_follows_its_position_and_nothing_twice():
    box = outbox()
    for _ in range(5):
        box.append(message())
    assert numbers(box.since(1, 3)) == [4, 5]
    assert box.since(1, 5) == []


def test_a_position_of_another_epoch_or_of_the_future_needs_a_snapshot():
    box = outbox()
    box.append(message())
    assert box.since(2, 0) is None
    assert box.since(1, 2) is None
    assert box.since(None, None) is None
    assert box.since(1, -1) is None


def test_what_is_too_much_or_too_old_is_dropped_and_its_readers_need_a_snapshot():
    now = Now()
    box = outbox(now)
    for _ in range(OUTBOX_NOTICES + 1):
        box.append(message())
    assert box.since(1, 0) is None
    assert len(numbers(box.since(1, 1))) == OUTBOX_NOTICES
    now.now_s += OUTBOX_AGE_S + 1
    box.append(message())
    assert box.since(1, OUTBOX_NOTICES) is None
    assert numbers(box.since(1, OUTBOX_NOTICES + 1)) == [OUTBOX_NOTICES + 2]


def test_readers_hear_at_once_until_they_leave():
    box = outbox()
    heard: list[bytes] = []
    leave = box.subscribe(heard.append)
    box.append(message())
    leave()
    leave()
    box.append(message())
    assert numbers(heard) == [1]


def test_a_restart_begins_a_new_epoch_with_a_snapshot_and_voids_what_was():
    box = outbox()
    heard: list[bytes] = []
    box.subscribe(heard.append)
    box.append(message())
    box.restart("telephony-lost")
    box.append(message())
    told = [msgspec.json.decode(each) for each in heard]
    assert [(each["epoch"], each["seq"], each["type"]) for each in told] == [
        (1, 1, "message-arrived"),
        (2, 0, "snapshot"),
        (2, 1, "message-arrived"),
    ]
    assert told[1]["data"]["reason"] == "telephony-lost"
    assert box.since(1, 1) is None
    assert numbers(box.since(2, 0)) == [1]


def test_every_envelope_carries_the_term_under_which_it_was_told():
    now, terms = Now(), [3]
    state = Desk().state
    box = Outbox(lambda: view_of(state), now, term=lambda: terms[-1], first_epoch=7)
    box.append(message())
    terms.append(4)
    box.append(message())
    told = [msgspec.json.decode(each) for each in [*(box.since(7, 0) or []), box.snapshot("hello")]]
    assert [(each["epoch"], each["seq"], each["term"]) for each in told] == [(7, 1, 3), (7, 2, 4), (7, 2, 4)]
