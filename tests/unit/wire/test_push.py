"""Frames as events of a stream, and as calls in scripts; what node makes of those is told by property/test_push.py."""

import json
import re

import pytest

from unified_agent.wire.push import (
    CALLBACK_LIMIT_CHARS,
    PARAMETERS_LIMIT,
    QueryRefused,
    escape_json,
    is_callback,
    read_query,
    write_call,
    write_event,
)


def test_a_frame_is_one_event():
    assert write_event(b'{"type":"beat"}') == b'data: {"type":"beat"}\n\n'


@pytest.mark.parametrize("gap", [b"\n", b"\r", b"\r\n", b"\n\n"])
def test_no_line_end_within_a_frame_can_end_its_event(gap):
    frame = b'{"a":' + gap + b'"x\\ny"}'
    event = write_event(frame)
    assert event.count(b"\n") == 2
    assert event.endswith(b"\n\n")
    assert b"\r" not in event
    assert json.loads(event.removeprefix(b"data: ")) == {"a": "x\ny"}


@pytest.mark.parametrize(
    "name",
    ["f", "$", "_", "__ua_1", "a.b.c.d", "x" * 64, "a" * 63 + "." + "b" * 64, "Object.x", "iffy", "of", "get.set"],
)
def test_identifiers_joined_by_dots_may_be_called(name):
    assert is_callback(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "a.b.c.d.e",
        "1a",
        "a-b",
        "a b",
        "a\n",
        "a\r",
        "\ufeffa",
        "a[0]",
        "a['b']",
        "a()",
        "a;alert(1)",
        "a//",
        "alert(1)//",
        "<script>",
        "a%2e",
        "é",
        "\u0430",
        "a\u200b",
        "a\u2028b",
        "a\x00",
        "\\u0061",
        "x" * 65,
        ".".join(["x" * 33] * 4),
        *(["CWSMIKI0hCD0Up0IZUnnnnnnnnnnnnnnnnnnnUU5nnnnnn3Snn7YNqdIbeUUUfV13333333333333333s03sDTVqefXAxooooD0C"]),
    ],
)
def test_anything_else_may_not(name):
    assert not is_callback(name)


WORDS = re.findall(
    r"\w+",
    """if this null true eval arguments function class let await yield enum static undefined NaN Infinity constructor
    prototype __proto__ new delete import with""",
)


@pytest.mark.parametrize("word", WORDS)
def test_no_word_of_the_language_is_part_of_a_callback(word):
    for name in (word, f"a.{word}", f"{word}.a", f"a.{word}.b"):
        assert not is_callback(name)
    assert is_callback(f"{word}s_{word}")


def test_the_longest_callback_is_taken_and_one_character_more_is_not():
    name = f"{'a' * 62}.{'b' * 63}.c"
    assert len(name) == CALLBACK_LIMIT_CHARS
    assert is_callback(name)
    assert not is_callback(f"{name}c")


def test_a_call_begins_with_a_comment_and_is_made_only_if_there_is_a_function():
    assert write_call("ua.f", b'{"ok":true}') == b"/**/typeof ua.f==='function'&&ua.f({\"ok\":true});"


def test_what_would_mean_something_in_html_or_an_old_script_is_escaped():
    text = json.dumps({"</script><!--": "a&b\u2028\u2029"}, ensure_ascii=False).encode()
    escaped = escape_json(text)
    assert escaped == (b'{"\\u003c/script\\u003e\\u003c!--": "a\\u0026b\\u2028\\u2029"}')
    assert json.loads(escaped) == json.loads(text)
    assert escape_json(escaped) == escaped


def test_a_query_is_read():
    assert read_query(b"a=1&b=&c=%C3%A9+x%26") == {"a": "1", "b": "", "c": "é x&"}
    assert read_query(b"") == {}


@pytest.mark.parametrize(
    "query",
    [b"a=1&a=1", b"a=1&b=2&%61=3", b"a=%FF", b"a=\xff", b"&".join(b"p%d=1" % n for n in range(PARAMETERS_LIMIT + 1))],
)
def test_a_query_with_repeats_or_of_other_bytes_is_refused_without_repeating_it(query):
    with pytest.raises(QueryRefused) as caught:
        read_query(query)
    assert "1" not in str(caught.value)
