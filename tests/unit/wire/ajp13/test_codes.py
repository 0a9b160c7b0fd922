"""The tables say what web servers and Tomcat say."""

import pytest

from unified_agent.wire.ajp13.codes import METHODS, REQUEST_HEADERS, RESPONSE_HEADERS, has_no_body, reason_phrase


def test_the_tables_are_as_long_as_the_protocol_says_and_name_nothing_twice() -> None:
    assert (len(METHODS), METHODS[1], METHODS[26]) == (27, "GET", "MKACTIVITY")
    assert (len(REQUEST_HEADERS), REQUEST_HEADERS[7], REQUEST_HEADERS[13]) == (14, b"content-length", b"user-agent")
    assert (len(RESPONSE_HEADERS), RESPONSE_HEADERS[6], RESPONSE_HEADERS[10]) == (
        11,
        b"set-cookie",
        b"www-authenticate",
    )
    for table in (METHODS, REQUEST_HEADERS, RESPONSE_HEADERS):
        assert len(set(table)) == len(table)


@pytest.mark.parametrize(("status", "words"), [(200, b"OK"), (426, b"Upgrade Required"), (299, b"299"), (599, b"599")])
def test_every_status_has_words_as_empty_ones_would_reach_the_browser(status: int, words: bytes) -> None:
    assert reason_phrase(status) == words


@pytest.mark.parametrize(
    ("method", "status", "without"),
    [
        ("GET", 200, False),
        ("HEAD", 200, True),
        ("GET", 204, True),
        ("POST", 205, True),
        ("GET", 304, True),
        ("GET", 103, True),
        ("GET", 404, False),
    ],
)
def test_some_answers_have_no_body(method: str, status: int, without: bool) -> None:
    assert has_no_body(method, status) is without
