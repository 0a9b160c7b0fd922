"""Calls: when they come, to whom, how they end; managed calls, lines, transfers, searches."""

from __future__ import annotations

import pytest
from tests.unit.tools.simulators.apc.bench import Agent, Bench, job

from unified_agent.tools.simulators.apc import happenings
from unified_agent.tools.simulators.apc.plan import PeerQuirks


def preview(**changes: object) -> Agent:
    bench = Bench(jobs=(job("PREVW01", **changes), job("HELPIN")), dial_s=3.0)
    return bench.connect().join("PREVW01", "M").get_call()


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


def test_call_can_be_placed_at_an_agent_with_data_of_ones_own() -> None:
    bench = Bench()
    agent = bench.connect().join()
    with pytest.raises(happenings.Conflict, match="not ready"):
        bench.happen(lambda floor: happenings.place_call(floor, floor.agents["agent1"], "", {}))
    agent.say("ReadyNextItem", wait_s=0.0)
    bench.happen(lambda floor: happenings.place_call(floor, floor.agents["agent1"], "O", {"NAME": "ZOE ZHANG"}))
    assert "N CallNotify 0 M00001 ZOE ZHANG OUTBOUND" in agent.lines()
    with pytest.raises(happenings.Conflict):
        bench.happen(lambda floor: happenings.place_call(floor, floor.agents["agent1"], "I", {}))


def test_customer_hang_up_and_machine_by_command() -> None:
    bench = Bench()
    agent = bench.connect().join().get_call()
    bench.happen(lambda floor: happenings.reach_machine(floor, floor.agents["agent1"], 13))
    assert agent.lines() == ["N AutorelToReady 0 M00001 13", "N AutorelToReady 0 M00000"]
    bench.happen(lambda floor: happenings.hang_up_customer(floor, floor.agents["agent1"]))
    assert agent.lines() == ["N AutoReleaseLine 0 M00000"]
    with pytest.raises(happenings.Conflict):
        bench.happen(lambda floor: happenings.hang_up_customer(floor, floor.agents["agent1"]))


# -- managed


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


def test_preview_search_walks_through_what_it_found() -> None:
    agent = preview(records=5, given_records=({"CITY": "OSLO"}, {"CITY": "OSLO"}, {"CITY": "ROME"}))
    assert agent.say("FindNextRecord", "N") == ["R FindNextRecord 1 E29954"]
    assert agent.say("FindFirstRecord", "NOWHERE") == ["R FindFirstRecord 1 E12156"]
    agent.say("SetNotifyKeyField", "O", "CITY")
    agent.say("SetDataField", "O", "CITY")
    lines = agent.say("FindFirstRecord", "OSLO")
    assert lines[0] == "P FindFirstRecord 0 S28833"
    assert lines[1] == "D FindFirstRecord 0 S12153,2,1"
    assert lines[2].endswith("(Preview) MANAGED CITY,OSLO")
    assert lines[3] == "D FindFirstRecord 0 M00001 CITY,OSLO"
    assert lines[4] == "R FindFirstRecord 0 M00000"
    assert agent.say("FindFirstRecord", "OSLO") == ["R FindFirstRecord 1 E29956"]
    assert agent.say("FindNextRecord", "P") == ["R FindNextRecord 1 E12152"]
    assert agent.say("FindNextRecord", "N")[1] == "D FindNextRecord 0 S12153,2,2"
    assert agent.say("FindNextRecord", "N") == ["R FindNextRecord 1 E12153"]
    assert agent.say("CancelSearch")[-1] == "R CancelSearch 0 M00000"
    held = [record.number for record in agent.bench.floor.jobs["PREVW01"].lists["O"].records if record.held]
    assert held == [2]


def test_search_can_be_switched_off() -> None:
    assert preview(search=False).say("FindFirstRecord", "x") == ["R FindFirstRecord 1 E29953"]


# -- the line


def test_hold_and_back() -> None:
    agent = Bench().connect().join().get_call()
    assert agent.say("UnholdCall") == ["R UnholdCall 1 E28867"]
    assert agent.say("HoldCall") == ["R HoldCall 0 M00000"]
    assert agent.say("HoldCall") == ["R HoldCall 1 E28867"]
    assert agent.say("DialDigit", "5") == ["R DialDigit 1 E28867"]
    assert agent.say("UnholdCall") == ["R UnholdCall 0 M00000"]
    assert agent.say("DialDigit", "55") == ["R DialDigit 1 E28843"]


def test_transfer_to_a_number_and_conference() -> None:
    agent = Bench().connect().join().get_call()
    assert agent.say("TransferCall", "") == ["R TransferCall 1 E28628"]
    assert agent.say("TransferCall", "2025550143") == ["R TransferCall 0 M00000"]
    assert agent.say("HoldCall") == ["R HoldCall 0 S28814"]
    assert agent.say("TransferCall", "2025550143") == ["R TransferCall 0 S28814"]
    assert agent.say("TransferCall", "") == ["R TransferCall 0 M00000"]
    assert agent.bench.truth()["calls"][0]["transfer"] == "conference"
    assert agent.say("HangupCall") == ["R HangupCall 0 M00000"]
    assert agent.bench.truth()["calls"][0]["transfer"] == "none"


def test_customer_who_hangs_up_during_a_transfer_does_not_release_the_line() -> None:
    agent = Bench().connect().join().get_call()
    agent.say("TransferCall", "2025550143")
    agent.bench.happen(lambda floor: happenings.hang_up_customer(floor, floor.agents["agent1"]))
    assert agent.lines() == ["N XferCustHangup 0 M00000"]
    assert agent.stage == "F"


def test_manual_call_replaces_the_customer() -> None:
    bench = Bench(dial_s=3.0)
    agent = bench.connect().join().get_call()
    assert agent.say("ManualCall", "bad") == ["R ManualCall 1 E28843"]
    assert agent.say("ManualCall", "2025550143") == ["R ManualCall 0 M00000"]
    assert bench.truth()["calls"][0]["line"] == "dialling"
    bench.wait(3.0)
    assert bench.truth()["calls"][0]["line"] == "talking"
    assert agent.lines() == []


def test_manual_call_of_a_managed_job_is_announced_when_answered() -> None:
    agent = preview()
    agent.say("ManagedCall", wait_s=3.0)
    agent.say("ManualCall", "2025550143")
    agent.bench.wait(3.0)
    assert agent.lines() == ["N ManCallAnswered 0 M00000"]


def test_customer_is_passed_on_to_another_job_with_the_record() -> None:
    bench = Bench()
    sender, receiver = bench.connect().join(), bench.connect().join("HELPIN", "I")
    sender.get_call()
    name = bench.truth()["calls"][0]["record"]["fields"]["NAME"]
    assert sender.say("MoFlashBlind") == ["R MoFlashBlind 1 E70008"]
    assert sender.say("MoFlashBlind", "SPRING25") == ["R MoFlashBlind 1 E28942"]
    assert sender.say("MoFlashBlind", "HELPIN") == ["P MoFlashBlind 0 S28833", "R MoFlashBlind 0 M00000"]
    assert sender.stage == "W"
    receiver.say("SetNotifyKeyField", "I", "NAME")
    assert receiver.say("ReadyNextItem")[1] == f"N CallNotify 0 M00001 TRANSFER CALL INBOUND NAME,{name}"
    assert receiver.say("MoFlashBlind", "HELPIN") == ["R MoFlashBlind 1 E70007"]


def test_supervised_transfer_to_a_job_needs_somebody_there() -> None:
    bench = Bench()
    sender, receiver = bench.connect().join(), bench.connect().join("HELPIN", "I")
    sender.get_call()
    assert sender.say("MoFlashSupv", "HELPIN") == ["R MoFlashSupv 1 E28868"]
    receiver.say("ReadyNextItem", wait_s=0.0)
    assert sender.say("MoFlashSupv", "HELPIN")[-1] == "R MoFlashSupv 0 M00000"
    assert sender.say("MoFlashSupv", "")[-1] == "R MoFlashSupv 0 M00000"
    assert sender.say("MoFlashSupv", "HELPIN") == ["R MoFlashSupv 1 E70010"]
    receiver.lines()
    sender.say("FinishedItem", "20")
    assert any("TRANSFER CALL" in line for line in receiver.lines())


def test_headset_volume() -> None:
    agent = Bench().connect().join().get_call()
    assert agent.say("AdjustHeadset", "E", "8") == ["R AdjustHeadset 0 M00000"]
    assert agent.say("AdjustHeadset", "M", "9") == ["R AdjustHeadset 1 E28869"]
    assert agent.say("GetHeadsetVol")[0] == "D GetHeadsetVol 0 M00001 8 4"
    assert agent.say("ManualPhone", "(202) 555-0143")[0] == "D ManualPhone 0 M00001 12025550143"


# -- spoilt answers and habits of others


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


def test_fatal_system_error_closes_and_another_does_not() -> None:
    bench = Bench()
    first, second = bench.connect().log_on("ann"), bench.connect().log_on("bob")
    bench.happen(
        lambda floor: happenings.report_system_error(
            floor, happenings.seats_of(floor, ["ann"]), "E70002,AGTReleaseLine_RESP(LNREL)"
        )
    )
    assert first.lines() == ["N SystemError 1 E70002,AGTReleaseLine_RESP(LNREL)"]
    assert not first.closed
    bench.happen(lambda floor: happenings.report_system_error(floor, happenings.seats_of(floor, []), "E28921"))
    assert first.lines() == second.lines() == ["N SystemError 1 E28921"]
    assert first.closed
    assert second.closed


def test_supervisor_speaks_to_one_or_to_all() -> None:
    bench = Bench()
    first, second = bench.connect().log_on("ann"), bench.connect().log_on("bob")
    bench.connect()
    told: list[int] = []
    bench.happen(
        lambda floor: told.append(
            happenings.send_supervisor_message(floor, happenings.seats_of(floor, ["ann"]), "x" * 90)
        )
    )
    bench.happen(
        lambda floor: told.append(happenings.send_supervisor_message(floor, happenings.seats_of(floor, []), "all"))
    )
    assert told == [1, 2]
    assert first.lines()[0] == "N ReceiveMessage 0 M00001 " + "x" * 79
    assert second.lines() == ["N ReceiveMessage 0 M00001 all", "N ReceiveMessage 0 M00000"]
