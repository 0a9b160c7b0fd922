"""Fields, screens, callbacks, do-not-call."""

from __future__ import annotations

import pytest
from tests.unit.tools.simulators.apc.bench import Agent, Bench, job

from unified_agent.tools.simulators.apc.records import Record

GIVEN = ({"NAME": "PAT LEE", "ACCTNUM": "7001234", "PHONE1": "2025550143", "PHONE2": "", "NOTE": "one, two"},)


def on_call(**changes: object) -> Agent:
    return Bench(jobs=(job("SPRING25", records=3, given_records=GIVEN, **changes),)).connect().join().get_call()


def record_of(agent: Agent) -> Record:
    call = agent.bench.floor.seats[agent.connection].call
    assert call is not None
    return call.record


def test_fields_are_listed_with_length_and_type() -> None:
    agent = on_call()
    line = agent.say("ListDataFields", "O")[0]
    assert line.startswith("D ListDataFields 0 M00001 NAME,20,C,F ACCTNUM,7,N,F PHONE1,10,N,F")
    assert agent.say("ListCallFields", "SPRING25_O")[0].endswith(line.removeprefix("D ListDataFields"))
    assert agent.say("ListCallLists")[0] == "D ListCallLists 0 M00001 SPRING25_O"
    assert agent.say("ListCallFields", "NOSUCH") == ["R ListCallFields 1 E00518"]


def test_field_of_the_record_is_read_and_changed() -> None:
    agent = on_call()
    assert agent.say("ReadField", "O", "PHONE1")[0] == "D ReadField 0 M00001 PHONE1,N,10,2025550143"
    assert agent.say("ReadField", "O", "NOTE")[0] == "D ReadField 0 M00001 NOTE,A,60,one, two"
    assert agent.say("UpdateField", "O", "ACCTNUM", "123456789") == ["R UpdateField 0 M00000"]
    assert agent.say("ReadField", "O", "ACCTNUM")[0] == "D ReadField 0 M00001 ACCTNUM,N,7,1234567"


@pytest.mark.parametrize(
    ("job_name", "parameters", "code"),
    [
        ("SPRING25", ("X", "NAME"), "E28891"),
        ("SPRING25", ("I", "NAME"), "E28892"),
        ("HELPIN", ("O", "NAME"), "E28893"),
        ("SPRING25", ("O", "NOSUCH"), "E28894"),
    ],
)
@pytest.mark.parametrize("command", ["SetNotifyKeyField", "SetDataField"])
def test_list_or_field_that_is_not_there(command: str, job_name: str, parameters: tuple[str, str], code: str) -> None:
    agent = Bench().connect().log_on()
    agent.say("AttachJob", job_name)
    assert agent.say(command, *parameters) == [f"R {command} 1 {code}"]


def test_call_carries_the_fields_asked_for_in_order_and_by_direction() -> None:
    bench = Bench(jobs=(job("CAREBLD", records=1, given_records=GIVEN),))
    agent = bench.connect().join("CAREBLD", "O")
    agent.say("SetNotifyKeyField", "O", "ACCTNUM")
    agent.say("SetNotifyKeyField", "I", "NAME")
    for field in ("PHONE1", "CURPHONE", "NOTE", "PHONE1"):
        agent.say("SetDataField", "O", field)
    agent.say("ReadyNextItem")
    bench.wait(1.0)
    assert agent.lines() == [
        "N CallNotify 0 M00001 PAT LEE OUTBOUND ACCTNUM,7001234",
        "N CallNotify 0 M00001 PHONE1,2025550143 CURPHONE,01 NOTE,one, two",
        "N CallNotify 0 M00000",
    ]
    agent.say("FinishedItem", "20")
    agent.say("ClearDataSet", "O")
    agent.say("ReadyNextItem")
    bench.wait(1.0)
    assert len(agent.lines()) == 2


def test_record_of_the_other_direction_is_not_there() -> None:
    agent = Bench().connect().join("CAREBLD", "O").get_call()
    assert agent.say("ReadField", "I", "NAME") == ["R ReadField 1 E28912"]
    assert agent.say("UpdateField", "I", "NAME", "x") == ["R UpdateField 1 E28912"]


def test_screens_show_the_fields() -> None:
    agent = on_call()
    assert agent.say("ListScreens", "O")[0] == "D ListScreens 0 M00001 SPRING25_OUT"
    screen = agent.say("GetScreen", "SPRING25_OUT")[0]
    assert screen.startswith('D GetScreen 0 M00001 SPRING25_OUT L,2,1,20,"NAME" F,24,1,20,"NAME:N:N:C::N:"')
    assert agent.say("GetScreen", "NOSUCH") == ["R GetScreen 1 E00518"]


@pytest.mark.parametrize(
    ("parameters", "answer"),
    [
        (("2026/12/01", "05:00p", "1"), "0 M00000"),
        (("2026/12/01", "0930", "1", "J. Lee"), "0 M00000"),
        (("2026/12/01", "0930", "2", "", "2025550178"), "0 M00000"),
        (("", "00:30+", "1"), "0 M00000"),
        (("2026/12/01", "05:00p", "2", "J. Lee"), "1 E28842,B"),
        (("2026/12/01", "05:00p", "3"), "1 E28841"),
        (("2026/12/01", "05:00p", "x"), "1 E28841"),
        (("2026/12/01", "05:00p", "1", "", "20A"), "1 E28843"),
        (("2026/11/22", "0930", "1"), "1 E28847"),
        (("", "00:05+", "1"), "1 E28800 15"),
    ],
)
def test_callback_is_set_or_refused(parameters: tuple[str, ...], answer: str) -> None:
    agent = on_call(least_recall_minutes=15)
    assert agent.say("SetCallback", *parameters) == [f"R SetCallback {answer}"]


def test_callback_that_is_due_is_dialled_first_at_its_own_phone() -> None:
    agent = on_call()
    number = record_of(agent).number
    agent.say("SetCallback", "", "00:30+", "2", "J LEE", "2025550178")
    agent.say("FinishedItem", "20")
    agent.bench.wait(1800.0)
    agent.say("SetDataField", "O", "CURPHONE")
    agent.say("SetDataField", "O", "PHONE2")
    agent.say("ReadyNextItem")
    agent.bench.wait(1.0)
    assert agent.lines()[:2] == [
        "N CallNotify 0 M00001 J LEE OUTBOUND",
        "N CallNotify 0 M00001 CURPHONE,02 PHONE2,2025550178",
    ]
    assert record_of(agent).number == number


def test_own_recall_comes_back_to_its_owner_only() -> None:
    bench = Bench(jobs=(job("SPRING25", records=1, given_records=GIVEN),))
    owner, other = bench.connect().join(), bench.connect().join()
    owner.get_call().say("SetCallback", "", "00:30+", "1")
    owner.say("FinishedItem", "98")
    bench.wait(1800.0)
    other.get_call()
    assert record_of(other).number != 1
    owner.say("ReadyNextItem")
    bench.wait(1.0)
    assert owner.lines()[0] == "N CallNotify 0 M00001 Agent agent1 Owned Recall OUTBOUND"
    assert record_of(owner).number == 1


def test_no_callback_for_a_caller() -> None:
    agent = Bench().connect().join("HELPIN", "I").get_call()
    assert agent.say("SetCallback", "", "00:30+", "1") == ["R SetCallback 1 E28868"]


def test_callback_format_and_do_not_call() -> None:
    agent = on_call()
    assert agent.say("ListCallbackFmt")[0] == "D ListCallbackFmt 0 M00001 CCYY/MM/DD 2"
    assert agent.say("DoNotCall") == ["R DoNotCall 0 M00000"]
    record = record_of(agent)
    agent.say("FinishedItem", "20")
    for _ in range(5):
        agent.get_call()
        assert record_of(agent) is not record
        agent.say("FinishedItem", "20")


def test_completion_codes_of_the_job_are_listed() -> None:
    line = on_call().say("ListKeys")[0]
    assert "20,Promise to pay,call_complete" in line
