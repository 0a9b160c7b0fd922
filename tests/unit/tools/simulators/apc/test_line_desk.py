"""The line of a call: hold, dial, transfer, conference, volume."""

from __future__ import annotations

from tests.unit.tools.simulators.apc.bench import Agent, Bench, job

from unified_agent.tools.simulators.apc import happenings


def preview(**changes: object) -> Agent:
    bench = Bench(jobs=(job("PREVW01", **changes), job("HELPIN")), dial_s=3.0)
    return bench.connect().join("PREVW01", "M").get_call()


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
