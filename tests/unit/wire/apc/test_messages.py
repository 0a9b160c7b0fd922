"""Answers split into status, code, detail and values."""

from __future__ import annotations

import pytest

from unified_agent.wire.apc.messages import Message, MessageType, read_answer


@pytest.mark.parametrize(
    ("segments", "ok", "code", "detail"),
    [
        (("0", "M00000"), True, "M00000", ""),
        (("1", "E28842,B"), False, "E28842", "B"),
        (("1", "E28923", "52001"), False, "E28923", "52001"),
        (("1", "E28900,a,b", "c"), False, "E28900", "a,b,c"),
        (("0", "E28926"), False, "E28926", ""),
        (("0", "S70000,SPRING25"), True, "S70000", "SPRING25"),
        ((), False, "", ""),
        (("0",), False, "0", ""),
    ],
)
def test_answers_are_read(segments: tuple[str, ...], ok: bool, code: str, detail: str) -> None:
    answer = read_answer(Message(keyword="AGTX", type=MessageType.RESPONSE, segments=segments))
    assert (answer.ok, answer.code, answer.detail) == (ok, code, detail)
