"""The watch with an AES whose answers are given by hand."""

from __future__ import annotations

import pytest
from tests.unit.links.fakes import ManualClock

from unified_agent.domain.ids import StationId
from unified_agent.links.telephony.exchange import Exchange
from unified_agent.links.telephony.stations import Station
from unified_agent.links.telephony.switch_watch import (
    BATCH_ANSWER_S,
    BATCH_S,
    STATUS_POLL_S,
    UNREGISTERED_POLL_S,
    SwitchWatch,
)
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.connection_events import Answered, Failed
from unified_agent.wire.csta.request_table import Token
from unified_agent.wire.csta.values import SwitchLink, SystemStatusValue, TlinkStatus

UP = csta.RequestSystemStatusResponse(status=SystemStatusValue.NORMAL, links=(SwitchLink("CM1", TlinkStatus.UP),))
DOWN = csta.RequestSystemStatusResponse(status=SystemStatusValue.DISABLED, links=(SwitchLink("CM1", TlinkStatus.DOWN),))


class Bench:
    """Implements ``Watched`` and remembers."""

    def __init__(self) -> None:
        self.clock = ManualClock(0.0)
        self.asked: list[csta.Message] = []
        self.told: list[str] = []
        self.exchange = Exchange(self._send, self.clock, request_limit_s=10.0, count=lambda how, s: None)
        self.watch = SwitchWatch(self, self.exchange, self.clock, "CM1")

    def _send(self, request: csta.Message, limit_s: float) -> Token:
        self.asked.append(request)
        return Token(len(self.asked))

    def answer(self, message: csta.Message) -> None:
        self.exchange.answered(Answered(Token(len(self.asked)), message))

    def refuse(self, value: str) -> None:
        self.exchange.failed(Failed(Token(len(self.asked)), "operation", value))

    def begin(self, *, registered: bool = True, status: csta.RequestSystemStatusResponse = UP) -> Bench:
        self.watch.begin()
        if registered:
            self.answer(csta.SystemRegisterResponse(register_id="r1"))
        else:
            self.refuse("serviceNotSupported")
        self.answer(status)
        return self

    def status_requests(self) -> int:
        return sum(isinstance(each, csta.RequestSystemStatus) for each in self.asked)

    def tell(self, status: SystemStatusValue, link: TlinkStatus | None = None) -> None:
        links = (SwitchLink("CM1", link),) if link is not None else ()
        self.watch.take_status(csta.SystemStatus(status=status, register_id="r1", links=links))

    # --- Watched

    def switch_up(self) -> None:
        self.told.append("up")

    def switch_down(self) -> None:
        self.told.append("down")

    def switch_absent(self) -> None:
        self.told.append("absent")

    def stations_unobserved(self, stations: list[Station], reason: str) -> None:
        self.told.append(f"{len(stations)} {reason}")

    def messages_lost(self) -> None:
        self.told.append("messages lost")


def stations(count: int) -> list[Station]:
    return [Station(StationId(str(2001 + number))) for number in range(count)]


def test_a_switch_that_is_up_is_told_once_and_asked_no_more_where_aes_tells_changes() -> None:
    bench = Bench().begin()
    assert (bench.told, bench.watch.is_up) == (["up"], True)
    bench.clock.advance(600)
    assert bench.status_requests() == 1


def test_an_aes_that_tells_nothing_is_asked_now_and_again() -> None:
    bench = Bench().begin(registered=False)
    assert bench.told == ["up"]
    bench.clock.advance(UNREGISTERED_POLL_S)
    assert bench.status_requests() == 2
    bench.answer(DOWN)
    assert bench.told == ["up", "down"]


def test_a_switch_that_is_down_from_the_start_is_absent_and_asked_until_it_is_up() -> None:
    bench = Bench().begin(status=DOWN)
    assert bench.told == ["absent"]
    bench.clock.advance(STATUS_POLL_S)
    bench.answer(UP)
    assert bench.told == ["absent", "up"]


def test_a_change_that_aes_tells_takes_effect_at_once() -> None:
    bench = Bench().begin()
    bench.tell(SystemStatusValue.DISABLED, TlinkStatus.DOWN)
    assert bench.told == ["up", "down"]
    bench.tell(SystemStatusValue.NORMAL, TlinkStatus.UP)
    assert bench.told == ["up", "down", "up"]


def test_a_status_that_leaves_it_open_is_asked_about() -> None:
    bench = Bench().begin()
    bench.tell(SystemStatusValue.PARTIALLY_DISABLED)
    assert bench.status_requests() == 2
    bench.tell(SystemStatusValue.PARTIALLY_DISABLED)
    assert bench.status_requests() == 2, "one question at a time"


def test_overload_is_no_loss_and_passes() -> None:
    bench = Bench().begin()
    bench.tell(SystemStatusValue.OVERLOAD_REACHED)
    assert bench.watch.is_overloaded
    bench.tell(SystemStatusValue.OVERLOAD_RELIEVED)
    assert not bench.watch.is_overloaded
    assert bench.told == ["up"]


def test_lost_messages_are_told() -> None:
    bench = Bench().begin()
    bench.tell(SystemStatusValue.MESSAGES_LOST)
    assert bench.told == ["up", "messages lost"]


@pytest.mark.parametrize(("value", "told"), [("serviceNotSupported", ["up"]), ("resourceBusy", [])])
def test_an_aes_that_does_not_answer_the_question_speaks_for_the_switch_unless_it_is_busy(
    value: str, told: list[str]
) -> None:
    bench = Bench()
    bench.watch.begin()
    bench.answer(csta.SystemRegisterResponse(register_id="r1"))
    error_class = "systemResourceAvailibility" if value == "resourceBusy" else "operation"
    bench.exchange.failed(Failed(Token(len(bench.asked)), error_class, value))
    assert bench.told == told


def test_a_few_ended_monitors_are_those_stations_trouble_alone() -> None:
    bench = Bench().begin()
    ended = stations(2)
    for station in ended:
        bench.watch.monitor_ended(station, 100)
    bench.answer(UP)
    bench.clock.advance(BATCH_S)
    assert bench.told == ["up", "2 monitor-ended"]


def test_all_monitors_ended_at_once_are_a_lost_switch_though_nobody_answers() -> None:
    bench = Bench().begin()
    for station in stations(100):
        bench.watch.monitor_ended(station, 100)
    bench.clock.advance(BATCH_S)
    assert bench.told == ["up"], "the answer may still come"
    bench.clock.advance(BATCH_ANSWER_S)
    assert bench.told == ["up", "down"]
    bench.watch.monitor_ended(stations(1)[0], 1)
    bench.clock.advance(1)
    assert bench.told == ["up", "down"], "nothing follows from it while the switch is down"


def test_a_closed_watch_asks_and_tells_nothing() -> None:
    bench = Bench().begin(registered=False)
    bench.watch.monitor_ended(stations(1)[0], 1)
    bench.watch.close()
    bench.answer(DOWN)
    bench.watch.suspect()
    asked = len(bench.asked)
    bench.clock.advance(600)
    assert (bench.told, len(bench.asked)) == (["up"], asked)
