"""What is said and given; the processes themselves: integration/test_jtapi_worker.py."""

from __future__ import annotations

import signal

import pytest
from structlog.testing import capture_logs
from tests.unit.links.fakes import ManualClock

from unified_agent.domain.ids import LinkId
from unified_agent.links.telephony.jtapi.worker import (
    LINE_LIMIT,
    LINES_LIMIT,
    LINES_WINDOW_S,
    Words,
    environment_of,
    how_it_ended,
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def words(clock: ManualClock) -> Words:
    return Words(LinkId("aes-1"), clock)


def test_lines_go_to_our_log_whole_however_they_come(words: Words) -> None:
    with capture_logs() as logs:
        for byte in b"first\n\nsec\xffond \n":
            words.take(bytes([byte]))
        words.take(b"third")
    assert [each["words"] for each in logs] == ["first", "sec\N{REPLACEMENT CHARACTER}ond"]
    assert {each["link"] for each in logs} == {"aes-1"}
    assert words.last == "sec\N{REPLACEMENT CHARACTER}ond"


def test_a_line_without_an_end_is_cut(words: Words) -> None:
    with capture_logs() as logs:
        for _ in range(1000):
            words.take(b"x" * 1000)
        words.take(b"\n")
    assert [len(each["words"]) for each in logs] == [LINE_LIMIT]
    assert len(words._rest) == 0


def test_lines_of_our_process_keep_their_level_and_words(words: Words) -> None:
    with capture_logs() as logs:
        words.take(b'{"at":"now","level":"error","event":"jvm_not_started","room":"links","why":"no Java"}\n')
        words.take(b'{"level":"fatal","event":"x"}\n[1]\n')
    assert [(each["log_level"], each["words"]) for each in logs] == [
        ("error", "jvm_not_started why=no Java"),
        ("info", '{"level":"fatal","event":"x"}'),
        ("info", "[1]"),
    ]


def test_the_password_is_not_written(words: Words) -> None:
    words.hide("pass-word")
    with capture_logs() as logs:
        words.take(b"AVAYA#CM1#CSTA#AES1;login=cti;passwd=pass-word\n")
    assert logs[0]["words"] == "AVAYA#CM1#CSTA#AES1;login=cti;passwd=(hidden)"
    assert "pass-word" not in words.last


def test_more_lines_than_anybody_reads_are_counted_only(words: Words, clock: ManualClock) -> None:
    with capture_logs() as logs:
        words.take(b"line\n" * (LINES_LIMIT + 50))
        clock.advance(LINES_WINDOW_S)
        words.take(b"again\n")
    assert len([each for each in logs if each["event"] == "jtapi_process_said"]) == LINES_LIMIT + 1
    assert [each["lines"] for each in logs if each["event"] == "jtapi_lines_left_out"] == [50]
    assert words.last == "again"


def test_the_process_gets_no_setting_of_ours() -> None:
    given = {"PATH": "/bin", "UA_TELEPHONY__PASSWORD": "x", "UNIFIED_AGENT_GUARDIAN_FD": "5", "JAVA_HOME": "/java"}
    assert environment_of(given) == {"PATH": "/bin", "JAVA_HOME": "/java"}


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "ended with status 0"),
        (2, "ended with status 2"),
        (-signal.SIGSEGV, "was ended by SIGSEGV"),
        (-99, "was ended by signal 99"),
    ],
)
def test_how_a_process_ended_is_said_in_words(status: int, words: str) -> None:
    assert how_it_ended(status) == words
