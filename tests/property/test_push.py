"""What node makes of our scripts and callbacks: the same values, called on the same name, and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unified_agent.wire.push import escape_json, is_callback, write_call, write_event

NODE = shutil.which("node")
#: Reads [callback, script] pairs, runs each script in a page of its own that has the callback, writes what it got.
RUNNER = """
const vm = require('vm');
const told = JSON.parse(require('fs').readFileSync(0, 'utf8')).map(([callback, script]) => {
  const got = [];
  const page = {};
  const path = callback.split('.');
  let at = page;
  for (const part of path.slice(0, -1)) at = at[part] = {};
  at[path[path.length - 1]] = (...given) => { got.push(given); };
  const before = Object.keys(page).join();
  vm.runInNewContext(script, page, { timeout: 1000 });
  return [got.length, got.length ? JSON.stringify(got[0]) : null, Object.keys(page).join() === before];
});
process.stdout.write(JSON.stringify(told));
"""
NASTY = [
    "</script>",
    "<!--",
    "]]>",
    "\u2028",
    "\u2029",
    "&lt;",
    "\\",
    '"',
    "'",
    "*/",
    "//",
    "\x00",
    "\x7f",
    "\ufeff",
    "😀",
]
TEXT = st.lists(st.one_of(st.sampled_from(NASTY), st.text(st.characters(exclude_categories=["Cs"])))).map("".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
IDENTIFIER = st.from_regex(r"[A-Za-z_$][A-Za-z0-9_$]{0,8}", fullmatch=True)
CALLBACK = st.lists(IDENTIFIER, min_size=1, max_size=4).map(".".join).filter(is_callback)


def run(samples: list[tuple[str, bytes]]) -> list[Any]:
    assert NODE is not None
    text = json.dumps([(callback, script.decode()) for callback, script in samples])
    done = subprocess.run([NODE, "-e", RUNNER], input=text.encode(), capture_output=True, timeout=100, check=True)
    return list(json.loads(done.stdout))


@given(JSON)
def test_an_escaped_text_has_none_of_those_characters_and_the_same_value(value: Any) -> None:
    text = msgspec.json.encode(value)
    escaped = escape_json(text)
    assert not set("<>&\u2028\u2029") & set(escaped.decode())
    assert json.loads(escaped) == json.loads(text)


@given(JSON)
def test_an_event_is_one_event_with_the_same_value(value: Any) -> None:
    event = write_event(msgspec.json.encode(value))
    assert event.count(b"\n") == 2
    assert json.loads(event.removeprefix(b"data: ")) == value


@pytest.mark.skipif(NODE is None, reason="needs node")
def test_node_calls_the_function_once_with_the_value_and_does_nothing_else() -> None:
    samples: list[tuple[str, Any]] = []

    @given(CALLBACK, JSON)
    def gather(callback: str, value: Any) -> None:
        samples.append((callback, value))

    gather()
    assert len(samples) > 10
    told = run([(callback, write_call(callback, msgspec.json.encode(value))) for callback, value in samples])
    for (callback, value), (calls, got, untouched) in zip(samples, told, strict=True):
        assert (calls, untouched) == (1, True), callback
        assert json.loads(got) == [value]


@pytest.mark.skipif(NODE is None, reason="needs node")
def test_without_the_function_nothing_happens() -> None:
    assert run([("here", write_call("there", b"{}"))]) == [[0, None, True]]
