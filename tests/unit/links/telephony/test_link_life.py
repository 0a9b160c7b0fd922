from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.unit.links.fakes import ManualClock
from tests.unit.links.telephony.world import Ears

from unified_agent.domain.facts import TelephonyDown, TelephonyUp
from unified_agent.domain.ids import LinkId
from unified_agent.errors import SettingsError
from unified_agent.links.telephony.link_life import (
    SWITCH_DOWN_LIMIT_S,
    News,
    Patience,
    at_work,
    read_password,
    request_counter,
    without_switch,
)
from unified_agent.observe import Metrics
from unified_agent.settings import TelephonySettings

AES_1, AES_2 = LinkId("aes-1"), LinkId("aes-2")


class Told:
    def __init__(self) -> None:
        self.ears = Ears()
        self.metrics = Metrics()
        self.news = News(self.ears, self.metrics, [AES_1, AES_2])

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, {"kind": "telephony", **labels})


def test_every_aes_has_its_gauge_from_the_start() -> None:
    told = Told()
    assert [told.value("ua_link_up", link=each) for each in (AES_1, AES_2)] == [0, 0]


def test_up_and_down_reach_sessions_log_and_counters() -> None:
    told = Told()
    with capture_logs() as logs:
        told.news.up(AES_1, resumed=True)
        assert told.value("ua_link_up", link=AES_1) == 1
        told.news.down(AES_1, "silent", "nothing for 9 s")
    assert told.value("ua_link_up", link=AES_1) == 0
    assert told.ears.links == [TelephonyUp(link=AES_1, resumed=True), TelephonyDown(link=AES_1, reason="silent")]
    assert [(each["event"], each["log_level"]) for each in logs] == [("link_up", "info"), ("link_down", "warning")]
    assert logs[1]["why"] == "nothing for 9 s"
    assert [told.value("ua_link_transitions_total", link=AES_1, to=each) for each in ("up", "down")] == [1, 1]


def test_why_it_does_not_come_up_is_told_once_for_each_reason_until_it_is_up() -> None:
    told = Told()
    for reason in ("unreachable", "unreachable", "refused", "refused"):
        told.news.absent(AES_1, reason)
    assert [each.reason for each in told.ears.links if isinstance(each, TelephonyDown)] == ["unreachable", "refused"]
    told.news.up(AES_1, resumed=False)
    told.news.absent(AES_1, "refused")
    assert told.ears.links[-1] == TelephonyDown(link=AES_1, reason="refused")


def test_what_a_loss_has_told_is_not_told_again() -> None:
    told = Told()
    told.news.up(AES_1, resumed=False)
    told.news.down(AES_1, "closed", "")
    told.news.absent(AES_1, "closed")
    assert len(told.ears.links) == 2


def test_patience_ends_once_and_only_where_there_is_another_aes() -> None:
    for servers, lost in ((1, 0), (2, 1)):
        clock = ManualClock()
        calls: list[int] = []
        patience = Patience(clock, servers, lambda calls=calls: calls.append(1))  # type: ignore[misc]
        patience.begin()
        clock.advance(SWITCH_DOWN_LIMIT_S - 0.1)
        patience.begin()
        assert calls == []
        clock.advance(0.2)
        assert len(calls) == lost
        clock.advance(100)
        assert len(calls) == lost


def test_patience_that_was_ended_loses_nothing() -> None:
    clock = ManualClock()
    calls: list[int] = []
    patience = Patience(clock, 2, lambda: calls.append(1))
    patience.begin()
    patience.end()
    patience.end()
    clock.advance(100)
    assert calls == []


def test_requests_are_counted_by_outcome_with_their_seconds() -> None:
    told = Told()
    count = request_counter(told.metrics, AES_1)
    count("done", 1.5)
    count("unknown", 10.0)
    assert told.value("ua_link_requests_total", link=AES_1, outcome="done") == 1
    assert told.value("ua_link_requests_total", link=AES_1, outcome="unknown") == 1
    assert told.value("ua_link_request_seconds_sum") == 11.5


def test_a_password_comes_from_its_file_if_there_is_one(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("from-file\n")
    assert read_password(TelephonySettings(password="given")) == "given"
    assert read_password(TelephonySettings(password="given", password_file=file)) == "from-file"
    with pytest.raises(SettingsError, match="cannot be read"):
        read_password(TelephonySettings(password_file=tmp_path / "gone"))


def test_what_a_link_does_is_said_in_a_sentence() -> None:
    assert without_switch(LinkId("dmcc"), AES_1) == "dmcc: connected to aes-1, which has no link to the switch"
    calm, loaded = (at_work("up", observed=3, in_flight=2, waiting=1, overloaded=each) for each in (False, True))
    assert calm == "up; 3 stations observed, 2 requests under way, 1 waiting"
    assert loaded == f"{calm}, AES is overloaded"
