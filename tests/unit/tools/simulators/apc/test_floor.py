"""Answers that are spoilt, and the habits of other emulators."""

from __future__ import annotations

from tests.unit.tools.simulators.apc.bench import Bench

from unified_agent.tools.simulators.apc.plan import PeerQuirks


def test_answers_can_be_lost_busy_or_late() -> None:
    bench = Bench()
    agent = bench.connect().log_on()
    seat = bench.floor.seats[1]
    seat.drop_answers, seat.busy_answers = 1, 1
    assert agent.say("ListJobs", "A") == ["B ListJobs"]
    assert agent.say("ListState") == ["D ListState 0 S70004"]
    seat.answer_delay_s = 5.0
    assert agent.say("ListState") == ["D ListState 0 S70004"]
    bench.wait(5.0)
    assert agent.lines() == ["R ListState 0 M00000"]


def test_habits_of_other_emulators() -> None:
    quirks = PeerQuirks(
        good_status_on_errors=True, zero_invoke_ids=True, pending_on_finish=True, detached_leave_id=True
    )
    agent = Bench(quirks=quirks).connect().join().get_call()
    agent.say("NoFurtherWork")
    assert agent.say("ReadyNextItem") == ["R ReadyNextItem 0 E28902"]
    agent.bench.perform([])
    agent.say("FinishedItem", "20", wait_s=0.0)
    assert agent.stage == "C"
