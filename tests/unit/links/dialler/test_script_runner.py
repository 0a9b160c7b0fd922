from __future__ import annotations

import pytest
from tests.unit.links.dialler.flow_bench import SESSION, SETTINGS

from unified_agent.domain.ids import RequestId
from unified_agent.links.dialler.actions import Send
from unified_agent.links.dialler.script_runner import ScriptRunner
from unified_agent.links.dialler.scripts import Script, Signal, ask, pause, wait_for
from unified_agent.links.dialler.seat import Seat
from unified_agent.settings import PoolSettings
from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.events import Outcome, Replied


class Bench:
    def __init__(self) -> None:
        self.seat = Seat(session=SESSION, settings=SETTINGS, pool=PoolSettings(), now_s=100.0)
        self.runner = ScriptRunner(self.seat)
        self.said: list[object] = []

    def sent(self) -> list[Send]:
        actions, self.seat.actions = self.seat.actions, []
        return [each for each in actions if isinstance(each, Send)]

    def asking(self, *commands: Command, limit_s: float | None = None) -> Script[None]:
        for command in commands:
            reply = yield from ask(command, limit_s=limit_s)
            self.said.append(reply.outcome)

    def waiting(self, signal: Signal, limit_s: float | None = None) -> Script[None]:
        self.said.append((yield from wait_for(signal, limit_s)))

    def pausing(self, seconds: float) -> Script[None]:
        yield from pause(seconds)
        self.said.append("paused")

    def at(self, now_s: float) -> None:
        self.seat.now_s = now_s
        self.runner.handle_timer(now_s)


def answer(send: Send) -> Replied:
    return Replied(token=send.token, command=send.command, outcome=Outcome.ANSWERED, code="M00000")


def test_a_script_goes_on_with_the_answer_of_its_own_command_only() -> None:
    bench = Bench()
    bench.runner.start(bench.asking(Command.LIST_STATE), "one")
    bench.runner.start(bench.asking(Command.LIST_JOBS), "two")
    first, second = bench.sent()
    assert first.token != second.token
    bench.runner.answer(answer(second))
    assert (bench.runner.named("two"), len(bench.runner.named("one"))) == ((), 1)
    assert bench.runner.awaits_answer
    bench.runner.answer(answer(first))
    assert bench.said == [Outcome.ANSWERED] * 2
    assert not bench.runner.awaits_answer


def test_a_command_without_an_answer_in_time_is_told_so_and_its_late_answer_passed_over() -> None:
    bench = Bench()
    bench.runner.start(bench.asking(Command.LIST_STATE, Command.LIST_JOBS, limit_s=5.0), "one")
    [late] = bench.sent()
    assert bench.runner.next_timer() == 105.0
    bench.at(104.9)
    assert bench.said == []
    bench.at(105.0)
    assert bench.said == [Outcome.TIMED_OUT]
    bench.runner.answer(answer(late))
    assert bench.said == [Outcome.TIMED_OUT]
    assert [each.command for each in bench.sent()] == [Command.LIST_JOBS]


def test_a_signal_wakes_all_who_wait_for_it_and_no_other() -> None:
    bench = Bench()
    bench.runner.start(bench.waiting(Signal.ITEM_CLOSED), "one")
    bench.runner.start(bench.waiting(Signal.ITEM_CLOSED, 5.0), "two")
    bench.runner.start(bench.waiting(Signal.WORK_ENDED, 5.0), "three")
    bench.runner.deliver(Signal.ITEM_CLOSED)
    assert bench.said == [True, True]
    bench.at(105.0)
    assert bench.said == [True, True, False]


def test_a_pause_ends_by_time_and_not_by_a_signal() -> None:
    bench = Bench()
    bench.runner.start(bench.pausing(3.0), "one")
    bench.runner.deliver(Signal.ITEM_CLOSED)
    assert bench.said == []
    bench.at(103.0)
    assert bench.said == ["paused"]
    assert bench.runner.next_timer() is None


def test_who_takes_the_lane_stops_whoever_held_it() -> None:
    bench = Bench()
    bench.runner.start_in_lane(bench.asking(Command.LIST_STATE), "logging-on")
    [first] = bench.sent()
    bench.runner.start_in_lane(bench.pausing(1.0), "leaving")
    assert bench.runner.lane == "leaving"
    bench.runner.answer(answer(first))
    assert bench.said == []
    bench.at(101.0)
    assert (bench.runner.lane, bench.said) == ("", ["paused"])


def test_stopped_scripts_do_nothing_more() -> None:
    bench = Bench()
    bench.runner.start_in_lane(bench.pausing(1.0), "one")
    bench.runner.start(bench.pausing(1.0), "two")
    bench.runner.stop_all()
    assert (bench.runner.lane, bench.runner.next_timer()) == ("", None)
    bench.at(200.0)
    assert bench.said == []


def test_a_script_that_ends_without_answering_its_request_is_a_defect() -> None:
    bench = Bench()
    request = RequestId(1)
    bench.seat.open_requests[request] = None
    bench.runner.start(bench.pausing(1.0), "one", request)
    with pytest.raises(AssertionError, match="one has not answered its request"):
        bench.at(101.0)
