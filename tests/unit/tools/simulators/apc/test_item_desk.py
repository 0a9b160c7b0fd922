"""The agent's round: release, finish, managed calls."""

from __future__ import annotations

from tests.unit.tools.simulators.apc.bench import Agent, Bench, job


def preview(**changes: object) -> Agent:
    bench = Bench(jobs=(job("PREVW01", **changes), job("HELPIN")), dial_s=3.0)
    return bench.connect().join("PREVW01", "M").get_call()


def test_release_keeps_the_record_and_finish_closes_it() -> None:
    bench = Bench()
    agent = bench.connect().join().get_call()
    assert agent.say("ReleaseLine", wait_s=0.0) == ["P ReleaseLine 0 S28833"]
    assert agent.say("ReleaseLine") == ["R ReleaseLine 1 E28866", "R ReleaseLine 0 M00000"]
    assert agent.stage == "W"
    assert agent.say("FinishedItem", "0") == ["R FinishedItem 1 E28947"]
    assert agent.say("FinishedItem", "020") == ["R FinishedItem 0 M00000"]
    told = bench.truth()
    assert told["calls"] == []
    assert (told["counters"]["completion_20"], told["agents"][0]["finished"]) == (1, 1)


def test_finish_may_overtake_a_release_that_still_works() -> None:
    agent = Bench().connect().join().get_call()
    agent.say("ReleaseLine", wait_s=0.0)
    assert agent.say("FinishedItem", "20") == ["R FinishedItem 0 M00000", "R ReleaseLine 0 M00000"]
    assert agent.stage == "D"


def test_managed_call_is_placed_by_the_agent() -> None:
    agent = preview()
    assert agent.stage == "P"
    assert agent.say("ManagedCall") == ["P ManagedCall 0 S28833"]
    assert agent.say("ManagedCall") == ["R ManagedCall 1 E28909"]
    agent.bench.wait(3.0)
    assert agent.lines() == ["D ManagedCall 0 M00001 (CONNECT)", "R ManagedCall 0 M00000"]
    assert agent.stage == "F"


def test_managed_call_is_placed_by_the_dialler_when_the_preview_time_is_over() -> None:
    agent = preview(preview_limit_s=30.0)
    agent.bench.wait(33.0)
    heard = agent.heard
    assert {message.invoke_id for message in heard} == {str(agent._asked)}
    assert agent.lines() == [
        "P ManagedCall 0 S28833",
        "D ManagedCall 0 M00001 (CONNECT)",
        "R ManagedCall 0 M00000",
    ]
    assert agent.stage == "F"


def test_preview_may_be_finished_without_a_call() -> None:
    agent = preview()
    assert agent.say("FinishedItem", "35") == ["R FinishedItem 0 M00000"]
    agent.bench.wait(60.0)
    assert (agent.lines(), agent.stage) == ([], "D")


def test_dialling_of_a_preview_can_be_cancelled() -> None:
    agent = preview()
    agent.say("ManagedCall")
    assert agent.say("ReleaseLine") == ["P ReleaseLine 0 S28833", "R ReleaseLine 0 M00000"]
    agent.bench.wait(60.0)
    assert (agent.lines(), agent.stage) == ([], "W")


def test_number_that_is_not_reached_leaves_the_record_open() -> None:
    agent = preview(traffic={"answer_share": 1e-9})
    agent.say("ManagedCall")
    agent.bench.wait(3.0)
    assert agent.lines()[0] == "D ManagedCall 0 M00001 (NO ANSWER)"
    assert agent.stage == "W"
