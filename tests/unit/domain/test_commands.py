from __future__ import annotations

import msgspec
import pytest

from unified_agent.domain.commands import AnyCommand, AskedMode, SetMode, TakeItems, kebab

DECODER = msgspec.json.Decoder(AnyCommand)


@pytest.mark.parametrize(("name", "word"), [("SetMode", "set-mode"), ("DialLineDigit", "dial-line-digit"), ("X", "x")])
def test_a_commands_word_is_its_name(name: str, word: str):
    assert kebab(name) == word


def test_commands_are_read_by_their_type():
    assert DECODER.decode(b'{"type":"take-items"}') == TakeItems()
    read = DECODER.decode(b'{"type":"set-mode","mode":"not-ready","reason":3}')
    assert read == SetMode(mode=AskedMode.NOT_READY, reason=3)


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"no-such"}',
        '{"type":"take-items","extra":1}',
        '{"type":"make-call","number":""}',
        '{"type":"make-call","number":"12a"}',
        '{"type":"make-call","number":"' + "1" * 44 + '"}',
        '{"type":"make-call","number":"3001\\n"}',
        '{"type":"send-digits","call":"1","digits":"12\\n"}',
        '{"type":"finish-item","code":"20\\n"}',
        '{"type":"dial-line-digit","digit":"1\\n"}',
        '{"type":"set-callback","date":"2026-12-01\\n","time":"10:00","phone":1}',
        '{"type":"set-callback","date":"2026-12-01","time":"10:00\\n","phone":1}',
        '{"type":"set-callback","date":"2026-12-0\\u0663","time":"10:00","phone":1}',
        '{"type":"set-mode","mode":"on-fire"}',
        '{"type":"set-mode","mode":"not-ready","reason":100}',
        '{"type":"finish-item","code":"20\\u0003"}',
        '{"type":"send-message","text":"' + "x" * 80 + '"}',
        '{"type":"set-callback","date":"1.12.2026","time":"10:00","phone":1}',
        '{"type":"dial-line-digit","digit":"12"}',
    ],
)
def test_what_no_peer_would_take_is_refused_at_the_door(text: str):
    with pytest.raises(msgspec.ValidationError):
        DECODER.decode(text)
