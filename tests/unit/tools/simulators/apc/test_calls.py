"""Calls: when they come, to whom, and how they end."""

from __future__ import annotations

import pytest
from tests.unit.tools.simulators.apc.bench import Bench, job

from unified_agent.tools.simulators.apc import happenings


def arriving(arrivals: str, **traffic: object) -> Bench:
    return Bench(jobs=(job("HELPIN", traffic={"arrivals": arrivals, **traffic}), job("SPRING25")))


def test_ready_agent_waits_the_paced_time() -> None:
    bench = Bench()
    agent = bench.connect().join()
    agent.say("ReadyNextItem", wait_s=0.0)
    bench.wait(0.98)
    assert (agent.state(), agent.stage) == ("D ListState 0 S70001,SPRING25", "E")
    bench.wait(0.01)
    assert agent.state() == "N CallNotify 0 M00001 " + str(bench.truth()["calls"][0]["record"]["fields"]["NAME"]) + (
        " OUTBOUND"
    )
    assert agent.state() == "D ListState 0 S70000,SPRING25"


def test_agent_who_left_and_came_back_gets_one_call_not_two() -> None:
    bench = Bench()
    agent = bench.connect().join()
    agent.say("ReadyNextItem", wait_s=0.5)
    agent.say("NoFurtherWork")
    agent.say("AvailWork")
    agent.say("ReadyNextItem", wait_s=0.0)
    bench.wait(0.9)
    assert agent.stage == "E"
    bench.wait(0.1)
    assert agent.stage == "F"
    bench.wait(10.0)
    assert bench.truth()["counters"]["calls_delivered"] == 1


def test_customer_hangs_up_after_the_talk_and_the_line_goes_by_itself() -> None:
    bench = Bench(jobs=(job("SPRING25", traffic={"talk_s": 60.0}),))
    agent = bench.connect().join().get_call()
    bench.wait(60.0)
    assert agent.lines() == ["N AutoReleaseLine 0 M00000"]
    assert agent.stage == "W"
    assert agent.say("ReleaseLine") == ["R ReleaseLine 1 E28866"]
    assert agent.say("FinishedItem", "20") == ["R FinishedItem 0 M00000"]


def test_customer_of_a_finished_call_hangs_up_nowhere() -> None:
    bench = Bench(jobs=(job("SPRING25", traffic={"talk_s": 60.0}),))
    agent = bench.connect().join().get_call()
    agent.say("FinishedItem", "20")
    agent.get_call()
    bench.wait(59.0)
    assert agent.lines() == []


def test_line_that_is_not_dropped_by_itself_stays_until_released() -> None:
    bench = Bench(jobs=(job("SPRING25", auto_release_line=False, traffic={"talk_s": 60.0}),))
    agent = bench.connect().join().get_call()
    bench.wait(60.0)
    assert agent.lines() == []
    assert bench.truth()["calls"][0]["line"] == "open"
    assert agent.say("ReleaseLine")[-1] == "R ReleaseLine 0 M00000"


def test_numbers_that_nobody_answers_never_reach_an_agent() -> None:
    bench = Bench(jobs=(job("SPRING25", records=200, traffic={"answer_share": 0.3}),))
    agent = bench.connect().join()
    for _ in range(20):
        agent.get_call().say("FinishedItem", "20")
    counters = bench.truth()["counters"]
    assert counters["calls_delivered"] == 20
    assert counters["numbers_dialled"] == 20 + sum(counters.get(f"completion_{code}", 0) for code in (11, 13, 15))
    assert counters["numbers_dialled"] > 40


def test_blend_job_brings_both_directions() -> None:
    bench = Bench(jobs=(job("CAREBLD", records=50),))
    agent = bench.connect().join("CAREBLD", "B")
    seen = set()
    for _ in range(30):
        agent.say("ReadyNextItem")
        bench.wait(1.0)
        seen.add(agent.lines()[0].rsplit(" ", 1)[1])
        agent.say("FinishedItem", "20")
    assert seen == {"OUTBOUND", "INBOUND"}


@pytest.mark.parametrize(("arrivals", "least", "most"), [("steady", 60, 60), ("poisson", 30, 100), ("burst", 20, 140)])
def test_calls_arrive_at_the_rate_of_the_job(arrivals: str, least: int, most: int) -> None:
    bench = arriving(arrivals, calls_per_minute=6.0, patience_s=10_000.0)
    bench.wait(600.0)
    assert least <= bench.truth()["jobs"][0]["queue"] <= most


def test_caller_goes_to_the_longest_ready_agent_or_waits() -> None:
    bench = arriving("steady", calls_per_minute=0.0)
    first, second = bench.connect().join("HELPIN", "I"), bench.connect().join("HELPIN", "I")
    second.say("ReadyNextItem")
    first.say("ReadyNextItem")
    bench.happen(lambda floor: happenings.call_in(floor, floor.jobs["HELPIN"], 3))
    assert second.lines()[0] == first.lines()[0] == "N CallNotify 0 M00001 INBOUND CALL INBOUND"
    assert bench.truth()["jobs"][0]["queue"] == 1
    bench.wait(14.0)
    first.say("FinishedItem", "20")
    assert first.say("ReadyNextItem")[1] == "N CallNotify 0 M00001 INBOUND CALL*14 SECS. WAITING INBOUND"


def test_caller_gives_up_when_patience_ends() -> None:
    bench = arriving("steady", calls_per_minute=0.0, patience_s=20.0)
    bench.happen(lambda floor: happenings.call_in(floor, floor.jobs["HELPIN"], 1))
    bench.wait(20.0)
    told = bench.truth()
    assert (told["calls"], told["counters"]["callers_gave_up"], told["counters"]["completion_45"]) == ([], 1, 1)


def test_rate_can_be_changed_while_it_runs() -> None:
    bench = arriving("steady", calls_per_minute=0.0, patience_s=1e6)
    bench.wait(600.0)
    assert bench.truth()["jobs"][0]["queue"] == 0
    bench.happen(lambda floor: happenings.set_rate(floor, floor.jobs["HELPIN"], 60.0))
    bench.wait(10.0)
    bench.happen(lambda floor: happenings.set_rate(floor, floor.jobs["HELPIN"], 0.0))
    bench.wait(600.0)
    assert bench.truth()["jobs"][0]["queue"] == 10


def test_answered_number_without_a_free_agent_is_lost() -> None:
    bench = Bench(jobs=(job("SPRING25", traffic={"arrivals": "steady", "calls_per_minute": 0.0}),))
    bench.happen(lambda floor: happenings.call_in(floor, floor.jobs["SPRING25"], 1))
    assert bench.truth()["counters"].get("nobody_free") is None
    agent = bench.connect().join()
    bench.happen(lambda floor: happenings.call_in(floor, floor.jobs["SPRING25"], 1))
    assert bench.truth()["counters"]["completion_47"] == 1
    agent.say("ReadyNextItem")
    bench.happen(lambda floor: happenings.call_in(floor, floor.jobs["SPRING25"], 1))
    assert agent.stage == "F"


def test_person_to_person_agent_takes_outbound_calls_only_when_no_other_can() -> None:
    bench = Bench(jobs=(job("SPRING25", traffic={"arrivals": "steady", "calls_per_minute": 0.0}),))
    spare, outbound = bench.connect().join(work_class="P"), bench.connect().join(work_class="O")
    spare.say("ReadyNextItem")
    outbound.say("ReadyNextItem")
    for _ in range(2):
        bench.happen(lambda floor: happenings.call_in(floor, floor.jobs["SPRING25"], 1))
        stages = (outbound.stage, spare.stage)
        assert stages in {("F", "E"), ("F", "F")}
    assert stages == ("F", "F")
