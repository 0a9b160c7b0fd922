"""Jobs: which, who may work in them, leaving them, and how they end."""

from __future__ import annotations

import pytest
from tests.unit.tools.simulators.apc.bench import JOBS, Bench, job

from unified_agent.tools.simulators.apc import happenings
from unified_agent.tools.simulators.apc.plan import PeerQuirks


def end(bench: Bench, name: str, linked_to: str = "") -> None:
    bench.happen(lambda floor: happenings.end_job(floor, happenings.find_job(floor, name), linked_to))


def test_jobs_are_listed_by_type_and_status() -> None:
    bench = Bench(jobs=(job("SPRING25"), job("CAREBLD"), job("PREVW01", active=False)))
    agent = bench.connect().log_on()
    everything = "D ListJobs 0 M00001 O,SPRING25,A B,CAREBLD,A M,PREVW01,I"
    assert agent.say("ListJobs", "A") == [everything, "R ListJobs 0 M00000"]
    assert agent.say("ListJobs", "M")[0] == "D ListJobs 0 M00001 M,PREVW01,I"
    assert agent.say("ListJobs", "I")[0] == "D ListJobs 0 M00001"
    assert agent.say("ListJobs", "A", "I")[0] == "D ListJobs 0 M00001 M,PREVW01,I"
    assert agent.say("ListJobs", "X") == ["R ListJobs 1 E70003"]


@pytest.mark.parametrize(
    ("job_name", "work_class", "answer"),
    [
        ("SPRING25", "O", "0 M00000"),
        ("SPRING25", "P", "0 M00000"),
        ("SPRING25", "I", "1 E28817"),
        ("SPRING25", "B", "1 E28817"),
        ("SPRING25", "M", "1 E28814"),
        ("HELPIN", "I", "0 M00000"),
        ("HELPIN", "O", "1 E28816"),
        ("CAREBLD", "B", "0 M00000"),
        ("CAREBLD", "O", "0 M00000"),
        ("CAREBLD", "I", "0 M00000"),
        ("CAREBLD", "M", "1 E28814"),
        ("PREVW01", "M", "0 M00000"),
        ("PREVW01", "O", "1 E29000"),
    ],
)
def test_class_that_cannot_work_in_a_job_is_refused_when_joining(job_name: str, work_class: str, answer: str) -> None:
    agent = Bench().connect().log_on().take_headset()
    agent.say("SetWorkClass", work_class)
    assert agent.say("AttachJob", job_name) == ["R AttachJob 0 M00000"]
    assert agent.say("AvailWork") == ["P AvailWork 0 S28833", f"R AvailWork {answer}"]


def test_work_class_may_be_a_word_and_must_exist() -> None:
    agent = Bench().connect().log_on()
    assert agent.say("SetWorkClass", "OUTBOUND") == ["R SetWorkClass 0 M00000"]
    assert agent.say("SetWorkClass", "X") == ["R SetWorkClass 1 E28883"]


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"dialling": False}, "E28805"),
        ({"units": ("NORTH",)}, "E70006"),
        ({"agents_limit": 0}, "E28813"),
    ],
)
def test_job_that_cannot_be_joined_now(changes: dict[str, object], answer: str) -> None:
    agent = Bench(jobs=(job("SPRING25", **changes),)).connect().log_on().take_headset()
    agent.say("AttachJob", "SPRING25")
    assert agent.say("AvailWork")[-1] == f"R AvailWork 1 {answer}"


def test_joining_needs_a_connected_headset_and_is_done_once() -> None:
    agent = Bench().connect().log_on()
    agent.say("AttachJob", "SPRING25")
    assert agent.say("AvailWork")[-1] == "R AvailWork 1 E28896"
    agent.take_headset()
    agent.say("AvailWork", wait_s=0.0)
    assert agent.say("AvailWork") == ["R AvailWork 1 E28897", "R AvailWork 0 M00000"]


def test_job_unknown_or_not_running_is_refused() -> None:
    agent = Bench(jobs=(job("SPRING25"), job("PREVW01", active=False))).connect().log_on()
    assert agent.say("AttachJob", "NOSUCH") == ["R AttachJob 1 E28804"]
    assert agent.say("AttachJob", "PREVW01") == ["R AttachJob 1 E28804"]


def test_job_that_ended_between_attaching_and_joining_is_gone() -> None:
    bench = Bench()
    agent = bench.connect().log_on().take_headset()
    agent.say("AttachJob", "SPRING25")
    end(bench, "SPRING25")
    assert agent.say("AvailWork")[-1] == "R AvailWork 1 E28898"


def test_units_are_listed_and_chosen() -> None:
    agent = Bench(jobs=(job("SPRING25", units=("NORTH", "SOUTH")),)).connect().log_on().take_headset()
    agent.say("AttachJob", "SPRING25")
    assert agent.say("ListUnits")[0] == "D ListUnits 0 M00001 NORTH,SOUTH"
    assert agent.say("SetUnit", "WEST") == ["R SetUnit 1 E28888"]
    assert agent.say("SetUnit", "NORTH|SOUTH") == ["R SetUnit 0 M00000"]
    assert agent.say("AvailWork")[-1] == "R AvailWork 0 M00000"


def test_detaching_forgets_fields_and_unit() -> None:
    bench = Bench()
    agent = bench.connect().log_on()
    agent.say("AttachJob", "SPRING25")
    agent.say("SetNotifyKeyField", "O", "ACCTNUM")
    agent.say("SetDataField", "O", "BAL")
    assert agent.say("DetachJob") == ["R DetachJob 0 M00000"]
    agent.say("AttachJob", "SPRING25")
    [told] = bench.truth()["agents"]
    assert (told["key_fields"], told["data_fields"], told["state"]) == ({}, {}, "S70003")


def test_leaving_while_idle_is_answered_at_once() -> None:
    agent = Bench().connect().join()
    assert agent.say("NoFurtherWork") == ["P NoFurtherWork 0 S28833", "R NoFurtherWork 0 M00000"]
    assert agent.state() == "D ListState 0 S70003,SPRING25"


def test_leaving_during_a_call_is_answered_after_it_is_finished() -> None:
    agent = Bench().connect().join().get_call()
    assert agent.say("NoFurtherWork") == ["P NoFurtherWork 0 S28833"]
    assert agent.say("NoFurtherWork") == ["R NoFurtherWork 1 E28904"]
    assert agent.say("DetachJob") == ["R DetachJob 1 E28915"]
    assert agent.say("FinishedItem", "22") == ["R FinishedItem 0 M00000", "R NoFurtherWork 0 M00000"]
    assert agent.say("DetachJob") == ["R DetachJob 0 M00000"]


def test_agent_who_leaves_while_ready_may_get_one_more_call() -> None:
    bench = Bench(late_call_share=1.0)
    agent = bench.connect().join()
    agent.say("ReadyNextItem", wait_s=0.0)
    lines = agent.say("NoFurtherWork")
    assert lines[0] == "P NoFurtherWork 0 S28833"
    assert lines[1].startswith("N CallNotify")
    assert agent.stage == "F"
    assert agent.say("FinishedItem", "20")[-1] == "R NoFurtherWork 0 M00000"


def test_last_agent_serves_the_callers_who_still_wait() -> None:
    bench = Bench(jobs=(job("HELPIN", traffic={"arrivals": "poisson", "calls_per_minute": 0.0}),))
    agent = bench.connect().join("HELPIN", "I")
    bench.happen(lambda floor: happenings.call_in(floor, floor.jobs["HELPIN"], 2))
    assert agent.say("NoFurtherWork") == ["P NoFurtherWork 0 S28833"]
    for _ in range(2):
        assert agent.say("ReadyNextItem")[0] == "R ReadyNextItem 0 M00000"
        assert agent.stage == "F"
        last = agent.say("FinishedItem", "20")
    assert last == ["R FinishedItem 0 M00000", "R NoFurtherWork 0 M00000"]


def test_queue_that_emptied_by_itself_is_answered_with_an_error_and_the_way_out() -> None:
    bench = Bench(jobs=(job("HELPIN", traffic={"arrivals": "poisson", "calls_per_minute": 0.0, "patience_s": 5.0}),))
    agent = bench.connect().join("HELPIN", "I")
    bench.happen(lambda floor: happenings.call_in(floor, floor.jobs["HELPIN"], 1))
    agent.say("NoFurtherWork")
    bench.wait(5.0)
    assert agent.say("ReadyNextItem") == ["R ReadyNextItem 1 E28904", "R NoFurtherWork 0 M00000"]


def test_job_end_takes_idle_agents_out_and_busy_ones_after_their_record() -> None:
    bench = Bench()
    idle, busy = bench.connect().join(), bench.connect().join()
    busy.get_call()
    idle.say("ReadyNextItem", wait_s=0.0)
    idle.lines()
    end(bench, "SPRING25")
    assert idle.lines() == ["N JobEnd 0 M00000", "R NoFurtherWork 0 M00000"]
    assert busy.lines() == ["N JobEnd 0 M00000"]
    assert idle.say("DetachJob") == ["R DetachJob 0 M00000"]
    assert busy.say("FinishedItem", "20") == ["R FinishedItem 0 M00000", "R NoFurtherWork 0 M00000"]
    bench.wait(100.0)
    assert idle.lines() == busy.lines() == []


def test_own_leave_during_job_end_is_answered_with_its_own_answer() -> None:
    bench = Bench()
    agent = bench.connect().join().get_call()
    end(bench, "SPRING25")
    assert agent.say("NoFurtherWork") == ["N JobEnd 0 M00000", "P NoFurtherWork 0 S28833"]
    assert agent.say("FinishedItem", "20") == ["R FinishedItem 0 M00000", "R NoFurtherWork 0 M00000"]


def test_linked_job_is_named_in_two_messages_or_in_one() -> None:
    bench = Bench()
    agent = bench.connect().join()
    end(bench, "SPRING25", "CAREBLD")
    assert agent.lines() == [
        "N JobTransLink 0 M00001 CAREBLD",
        "N JobTransLink 0 M00000",
        "R NoFurtherWork 0 M00000",
    ]
    bench = Bench(quirks=PeerQuirks(one_frame_links=True))
    agent = bench.connect().join()
    end(bench, "SPRING25", "CAREBLD")
    assert agent.lines()[0] == "N JobTransLink 0 M00000 CAREBLD"


def test_supervisor_moves_a_ready_agent_at_once_and_another_after_ready() -> None:
    bench = Bench()
    ready, busy = bench.connect().join(), bench.connect().join()
    ready.say("ReadyNextItem", wait_s=0.0)
    ready.lines()
    for name in ("agent1", "agent2"):
        bench.happen(lambda floor, name=name: happenings.move_agent(floor, floor.agents[name], "CAREBLD"))  # type: ignore[misc]
    moved = ["N JobTransRequest 0 M00001 CAREBLD", "N JobTransRequest 0 M00000", "R NoFurtherWork 0 M00000"]
    assert ready.lines() == moved
    assert busy.lines() == []
    assert busy.say("ReadyNextItem") == ["R ReadyNextItem 0 M00000", *moved]


def test_what_cannot_happen_is_a_conflict() -> None:
    bench = Bench()
    bench.connect().log_on("ann")
    with pytest.raises(happenings.Conflict):
        bench.happen(lambda floor: happenings.move_agent(floor, floor.agents["ann"], "CAREBLD"))
    with pytest.raises(happenings.Unknown):
        bench.happen(lambda floor: happenings.find_agent(floor, "bob"))
    with pytest.raises(happenings.Unknown):
        bench.happen(lambda floor: happenings.find_job(floor, "NOSUCH"))
    end(bench, "SPRING25")
    with pytest.raises(happenings.Conflict):
        end(bench, "SPRING25")
    with pytest.raises(happenings.Conflict):
        end(bench, "CAREBLD", "SPRING25")


def test_job_without_recycling_ends_when_its_list_is_used_up() -> None:
    bench = Bench(jobs=(job("SPRING25", records=1, recycle=False), *JOBS[1:]))
    agent = bench.connect().join().get_call()
    agent.say("FinishedItem", "20")
    agent.say("ReadyNextItem")
    bench.wait(1.0)
    assert agent.lines() == ["N JobEnd 0 M00000", "R NoFurtherWork 0 M00000"]
    bench.happen(lambda floor: happenings.start_job(floor, floor.jobs["SPRING25"]))
    assert bench.truth()["jobs"][0]["active"]


def test_units_that_run_out_end_the_work() -> None:
    bench = Bench(jobs=(job("SPRING25", units=("NORTH",)),))
    agent = bench.connect().log_on("agent1").take_headset()
    agent.say("AttachJob", "SPRING25")
    agent.say("SetUnit", "NORTH")
    agent.say("AvailWork")
    bench.happen(lambda floor: happenings.end_unit(floor, floor.jobs["SPRING25"]))
    assert agent.lines() == ["N UnitEnd 0 M00000", "R NoFurtherWork 0 M00000"]


def test_manual_job_says_so_at_joining() -> None:
    agent = Bench(jobs=(job("PREVW01", manual_mode=True),)).connect().log_on().take_headset()
    agent.say("SetWorkClass", "M")
    agent.say("AttachJob", "PREVW01")
    assert agent.say("AvailWork")[-1] == "N JobMode 0 S28996 1 0"
