"""What carries frames to desktops besides the WebSocket, as bytes: events of a stream, and scripts (JSONP).

A script runs in somebody else's page with all its rights, so what it says is bounded here: one call of one function
whose name is a plain path of identifiers, with one argument that is plain data wherever it may end up.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl

#: Characters of a callback.
CALLBACK_LIMIT_CHARS: Final = 128
#: Parameters of one request.
PARAMETERS_LIMIT: Final = 16

_LINE_ENDS: Final = bytes.maketrans(b"\r\n", b"  ")
_SEGMENT: Final = r"[A-Za-z_$][A-Za-z0-9_$]{0,63}"
_CALLBACK: Final = re.compile(rf"{_SEGMENT}(?:\.{_SEGMENT}){{0,3}}\Z")
#: Words that are no identifiers, in any version or mode of ECMAScript; those that name values of the language; and
#: those that lead out of an object to its maker.
_RESERVED: Final = frozenset(
    re.findall(
        r"\w+",
        """
        abstract arguments await boolean break byte case catch char class const constructor continue debugger default
        delete do double else enum eval export extends false final finally float for function goto if implements import
        in instanceof int interface let long native new null package private protected prototype public return short
        static super switch synchronized this throw throws transient true try typeof undefined var void volatile while
        with yield Infinity NaN __proto__
        """,
    )
)
#: In JSON these stand only within strings, where an escape means the same. ``<``, ``>`` and ``&`` would mean something
#: in HTML, the two line separators ended a string of a script before 2019.
_ESCAPED: Final = (
    (b"<", b"\\u003c"),
    (b">", b"\\u003e"),
    (b"&", b"\\u0026"),
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
)


class QueryRefused(ValueError):
    """A query is not as described. The words never repeat what was in it."""


def write_event(frame: bytes) -> bytes:
    """Write one frame, a JSON text, as an event of a ``text/event-stream``.

    A line end would end the event. In JSON it can only stand between values, where a space means the same.
    """
    if b"\n" in frame or b"\r" in frame:
        frame = frame.translate(_LINE_ENDS)
    return b"data: " + frame + b"\n\n"


def is_callback(name: str) -> bool:
    """Say whether a name may be called: one to four identifiers joined by dots, none of them a word of the language."""
    if len(name) > CALLBACK_LIMIT_CHARS or _CALLBACK.match(name) is None:
        return False
    return _RESERVED.isdisjoint(name.split("."))


def escape_json(text: bytes) -> bytes:
    """Write a JSON text so that it means nothing else in HTML or in an old script; the value is the same."""
    for raw, escaped in _ESCAPED:
        if raw in text:
            text = text.replace(raw, escaped)
    return text


def write_call(callback: str, argument: bytes) -> bytes:
    """Write the script that hands a JSON text to a function, if there is one of that name.

    The comment at its beginning keeps the caller from choosing its first bytes.

    Args:
        callback: a name that ``is_callback`` accepts.
        argument: JSON in UTF-8.
    """
    name = callback.encode()
    return b"/**/typeof " + name + b"==='function'&&" + name + b"(" + escape_json(argument) + b");"


def read_query(query: bytes) -> dict[str, str]:
    """Read the parameters of a request.

    Raises:
        QueryRefused: one comes twice, there are too many, or it is no UTF-8.
    """
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS_LIMIT
        )
    except ValueError:
        raise QueryRefused("the query is not percent-encoded UTF-8, or has too many parameters") from None
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise QueryRefused("a parameter is given more than once")
    return parameters
