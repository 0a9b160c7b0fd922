import io
import json
import logging
from typing import Any

import pytest
import structlog

from unified_agent.domain.ids import Secret
from unified_agent.domain.states import WorkMode
from unified_agent.observe import Metrics, configure_logging, get_logger, log_event


@pytest.fixture(autouse=True)
def _default_logging():
    handlers = logging.getLogger().handlers[:]
    level = logging.getLogger().level
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


def written(**options):
    stream = io.StringIO()
    configure_logging(stream=stream, now_s=lambda: 1_763_829_000.125, **options)
    return stream


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_time_level_event_and_fields():
    stream = written()
    log_event(get_logger("links.test"), "link_down", link="aes-1", silent_s=10.0, mode=WorkMode.READY)
    assert lines(stream) == [
        {
            "at": "2025-11-22T16:30:00.125Z",
            "level": "info",
            "event": "link_down",
            "room": "links.test",
            "link": "aes-1",
            "silent_s": 10.0,
            "mode": "ready",
        }
    ]


def test_lines_below_the_level_are_not_written():
    stream = written(level="warning")
    log_event(get_logger("x"), "calm")
    log_event(get_logger("x"), "look_today", level="warning")
    assert [line["event"] for line in lines(stream)] == ["look_today"]


@pytest.mark.parametrize("name", ["password", "token", "number", "phone", "value"])
def test_a_field_that_would_tell_a_secret_is_hidden(name):
    stream = written()
    fields: dict[str, Any] = {name: "0612345678"}
    log_event(get_logger("x"), "said", **fields)
    assert "0612345678" not in stream.getvalue()


def test_a_secret_in_any_field_is_hidden():
    stream = written()
    log_event(get_logger("x"), "said", ask=Secret("hunter2"), asks=[Secret("hunter2")])
    assert "hunter2" not in stream.getvalue()


def test_a_failure_carries_its_stack():
    stream = written()
    try:
        raise ValueError("broken")
    except ValueError as error:
        log_event(get_logger("x"), "failed", level="error", error=error)
    assert "ValueError: broken" in lines(stream)[0]["exception"]


def test_lines_of_foreign_libraries_take_our_form():
    stream = written()
    logging.getLogger("uvicorn.error").warning("backlog %d", 7)
    logging.getLogger("uvicorn.error").info("not of interest")
    assert [(line["event"], line["library"], line["words"]) for line in lines(stream)] == [
        ("library_said", "uvicorn.error", "backlog 7")
    ]


def test_a_person_at_a_terminal_gets_readable_lines():
    stream = written(as_json=False)
    log_event(get_logger("x"), "link_down", link="aes-1")
    assert "link_down" in stream.getvalue()
    assert "link=aes-1" in stream.getvalue()


def test_gauges_are_brought_up_to_date_before_each_reading():
    metrics = Metrics(version="1.2.3", started_s=5.0)
    count = iter([3, 4])
    metrics.before_render(lambda: metrics.sessions.labels(presence="connected").set(next(count)))
    assert b'ua_sessions{presence="connected"} 3.0' in metrics.render()
    assert b'ua_sessions{presence="connected"} 4.0' in metrics.render()


def test_two_instances_in_one_process_count_apart():
    one, two = Metrics(), Metrics()
    one.logins.labels(outcome="accepted").inc()
    assert b'ua_logins_total{outcome="accepted"} 1.0' in one.render()
    assert b"accepted" not in two.render()


def test_every_metric_has_our_prefix_a_help_line_and_no_created_series():
    text = Metrics(version="1.2.3").render().decode()
    names = [line.split()[2] for line in text.splitlines() if line.startswith("# HELP")]
    assert len(names) == 41
    assert all(name.startswith("ua_") for name in names)
    assert "_created" not in text
    assert 'ua_build_info{python="' in text
