from __future__ import annotations

import msgspec
from msgspec.structs import replace
from tests.unit.domain.desk import Desk

from unified_agent.domain.limits import MESSAGES_KEPT
from unified_agent.domain.notices import (
    AgentChanged,
    CommandSettled,
    MessageArrived,
    Notice,
    SessionChanged,
    apply,
    changes,
    encode_data,
)
from unified_agent.domain.view import MessageView, View, view_of


def view() -> View:
    return view_of(Desk().log_in().state)


def message(text: str) -> MessageView:
    return MessageView(text=text, sender="supervisor", at="2026-01-01T00:00:00.000Z")


def test_what_did_not_change_is_not_told():
    assert changes(view(), view()) == ()


def test_each_changed_slice_is_one_notice_that_carries_the_whole_slice():
    before = view()
    after = replace(before, agent=replace(before.agent, asked="ready"))
    assert changes(before, after) == (AgentChanged(agent=after.agent),)
    assert apply(before, AgentChanged(agent=after.agent)) == after


def test_messages_are_told_one_by_one_even_when_old_ones_fall_out():
    before = replace(view(), messages=tuple(message(str(each)) for each in range(MESSAGES_KEPT)))
    after = replace(before, messages=(*before.messages[2:], message("a"), message("b")))
    notices = changes(before, after)
    assert [each.message.text for each in notices if isinstance(each, MessageArrived)] == ["a", "b"]
    for notice in notices:
        before = apply(before, notice)
    assert before == after


def test_a_message_like_the_one_before_is_a_message_of_its_own():
    before = replace(view(), messages=(message("x"),))
    after = replace(before, messages=(message("x"), message("x")))
    assert len(changes(before, after)) == 1


def test_notices_that_are_not_about_the_view_leave_it_alone():
    before = view()
    settled = CommandSettled(command="c", command_type="make-call", outcome="done", error="", detail="")
    assert apply(before, settled) is before


def test_the_type_of_every_notice_is_its_name_and_its_data_are_its_fields():
    words = {each.__name__: each for each in _all(Notice)}
    session = view().session
    assert SessionChanged(session=session).type == "session-changed"
    assert msgspec.json.decode(encode_data(SessionChanged(session=session)))["session"]["agent"] == "5001"
    assert {"AgentChanged", "MessageArrived", "SessionEnded", "BlockedChanged"} <= set(words)


def _all(kind: type[Notice]) -> list[type[Notice]]:
    return [each for sub in kind.__subclasses__() for each in (sub, *_all(sub))]
