"""Logon, slots, lost sessions, headsets and blending."""

from __future__ import annotations

import pytest
from tests.unit.tools.simulators.apc.bench import Bench

from unified_agent.tools.simulators.apc import happenings
from unified_agent.tools.simulators.apc.plan import AgentPlan


def refuse_logons(bench: Bench, code: str) -> None:
    bench.floor.refuse_logons = code


def test_greeting_carries_a_process_number_of_its_own() -> None:
    bench = Bench(process_number=999_999)
    first, second = bench.connect(), bench.connect()
    assert first.lines() == second.lines() == ["N START 0 AGENT_STARTUP"]
    assert [seat.process for seat in bench.floor.seats.values()] == [999_999, 1]


def test_connection_above_the_slots_is_refused_and_closed() -> None:
    bench = Bench(slots=1)
    bench.connect()
    refused = bench.connect()
    assert refused.lines() == ["N START 1 E28858,20818"]
    assert refused.closed
    assert len(bench.floor.seats) == 1


def test_logon_is_pending_first() -> None:
    agent = Bench().connect()
    assert agent.say("Logon", "ann", "pw")[1:] == ["P Logon 0 S28833", "R Logon 0 M00000"]
    assert agent.state() == "D ListState 0 S70004"


@pytest.mark.parametrize(
    ("name", "password", "answer"),
    [
        ("agent0042", "secret", "0 M00000"),
        ("agent0042", "wrong", "1 E28926"),
        ("agent42", "secret", "1 E28926"),
        ("jsmith", "Pa55word", "0 M00000"),
        ("jsmith", "secret", "1 E28926"),
        ("", "secret", "1 E28926"),
        ("agent0013", "secret", "1 E70012"),
        ("north\\agent0042", "secret", "0 M00000"),
        ("south\\agent0042", "secret", "1 E58007"),
    ],
)
def test_names_and_passwords(name: str, password: str, answer: str) -> None:
    bench = Bench(
        accept_any=False,
        agents=(AgentPlan(name="jsmith", password="Pa55word"),),
        expired_agents=("agent0013",),
        tenants=("north",),
    )
    assert bench.connect().say("Logon", name, password, "PCAPI_5.1.0.0.4")[-1] == f"R Logon {answer}"


def test_name_that_is_logged_on_elsewhere_is_refused() -> None:
    bench = Bench()
    bench.connect().log_on("ann")
    assert bench.connect().say("Logon", "ann", "pw")[-1] == "R Logon 1 E28812"


def test_second_logon_while_the_first_works_is_refused() -> None:
    agent = Bench().connect()
    agent.say("Logon", "ann", "pw", wait_s=0.0)
    assert agent.say("Logon", "ann", "pw") == ["R Logon 1 E28925", "R Logon 0 M00000"]


def test_lost_session_keeps_its_name_for_a_while() -> None:
    bench = Bench(stale_logon_s=30.0)
    bench.connect().log_on("ann").leave_without_logoff()
    assert bench.truth()["stale_logons"] == {"ann": 30.0}
    agent = bench.connect()
    assert agent.say("Logon", "ann", "pw")[-1] == "R Logon 1 E28812"
    bench.wait(30.0)
    assert agent.say("Logon", "ann", "pw")[-1] == "R Logon 0 M00000"
    assert bench.truth()["stale_logons"] == {}


def test_logoff_frees_name_and_headset_and_closes() -> None:
    bench = Bench(stale_logon_s=30.0)
    agent = bench.connect().log_on("ann").take_headset("52001")
    assert agent.say("Logoff") == ["R Logoff 0 M00000"]
    assert agent.closed
    agent.leave_without_logoff()
    again = bench.connect().log_on("ann")
    assert again.say("ReserveHeadset", "52001")[-1] == "R ReserveHeadset 0 M00000"
    assert bench.truth()["counters"].get("sessions_lost") is None


def test_lost_session_ends_its_record_with_code_49() -> None:
    bench = Bench()
    agent = bench.connect().join().get_call()
    call = bench.floor.seats[1].call
    assert call is not None
    agent.leave_without_logoff()
    assert call.record.completion == 49
    assert not call.record.held
    assert bench.truth()["calls"] == []
    assert bench.truth()["headsets"] == {}
    bench.wait(1000.0)


def test_limits_of_the_system() -> None:
    bench = Bench(agents_limit=1, headsets_limit=1)
    bench.connect().log_on("ann").take_headset("52001")
    second = bench.connect()
    assert second.say("Logon", "bob", "pw")[-1] == "R Logon 1 E50100"
    bench = Bench(headsets_limit=1)
    bench.connect().log_on("ann").take_headset("52001")
    assert bench.connect().log_on("bob").say("ReserveHeadset", "52002")[-1] == "R ReserveHeadset 1 E50612"


def test_all_logons_can_be_refused() -> None:
    bench = Bench()
    refuse_logons(bench, "E70014")
    agent = bench.connect()
    assert agent.say("Logon", "ann", "pw")[-1] == "R Logon 1 E70014"
    refuse_logons(bench, "")
    agent.log_on()


def test_headset_goes_through_its_states() -> None:
    bench = Bench()
    agent = bench.connect().log_on()
    assert agent.say("ConnHeadset") == ["R ConnHeadset 1 E28873"]
    assert agent.say("DisconnHeadset") == ["R DisconnHeadset 1 E28873"]
    assert agent.say("FreeHeadset") == ["R FreeHeadset 1 E28873"]
    assert agent.say("ReserveHeadset", "12a") == ["R ReserveHeadset 1 E28871"]
    agent.say("ReserveHeadset", "52001", wait_s=0.0)
    assert agent.say("ReserveHeadset", "52001") == ["R ReserveHeadset 1 E28870", "R ReserveHeadset 0 M00000"]
    assert agent.say("DisconnHeadset") == ["R DisconnHeadset 1 E28876"]
    assert agent.say("ConnHeadset") == ["P ConnHeadset 0 S28833"]
    assert agent.say("ConnHeadset") == ["R ConnHeadset 1 E28874"]
    bench.wait(0.5)
    assert agent.lines() == ["R ConnHeadset 0 M00000"]
    agent.say("DisconnHeadset", wait_s=0.0)
    assert agent.say("DisconnHeadset") == ["R DisconnHeadset 1 E28877", "R DisconnHeadset 0 M00000"]
    assert agent.say("FreeHeadset") == ["R FreeHeadset 0 M00000"]
    assert bench.truth()["headsets"] == {}


def test_headset_that_is_taken_is_named() -> None:
    bench = Bench()
    bench.connect().log_on("ann").take_headset("52001")
    agent = bench.connect().log_on("bob")
    assert agent.say("ReserveHeadset", "52001")[-1] == "R ReserveHeadset 1 E28923 52001"
    agent.take_headset("52002")


def test_headset_that_nobody_picks_up_ends_in_a_system_error() -> None:
    bench = Bench(headset_answers=False, headset_limit_s=30.0)
    agent = bench.connect().log_on()
    agent.say("ReserveHeadset", "52001")
    assert agent.say("ConnHeadset") == ["P ConnHeadset 0 S28833"]
    bench.wait(30.0)
    assert agent.lines() == ["N SystemError 1 E70002,AGTConnHeadset_RESP(MAKECONN)"]
    bench.floor.headset_answers = True
    assert agent.say("ConnHeadset", wait_s=0.5)[-1] == "R ConnHeadset 0 M00000"


def test_broken_headset_ends_the_call_and_blocks_work_until_it_is_back() -> None:
    bench = Bench()
    agent = bench.connect().join().get_call()
    call = bench.floor.seats[1].call
    assert call is not None
    bench.happen(lambda floor: happenings.break_headset(floor, happenings.find_agent(floor, "agent1")))
    assert agent.lines() == ["N HeadsetConnBroken 1 E28880"]
    assert (agent.stage, call.record.completion) == ("W", 50)
    assert agent.say("FinishedItem", "20") == ["R FinishedItem 0 M00000"]
    assert agent.say("ReadyNextItem") == ["R ReadyNextItem 1 E28896"]
    assert agent.say("ConnHeadset", wait_s=0.5) == ["P ConnHeadset 0 S28833", "R ConnHeadset 0 M00000"]
    assert agent.say("ReadyNextItem") == ["R ReadyNextItem 0 M00000"]
    bench.happen(lambda floor: happenings.break_headset(floor, happenings.find_agent(floor, "agent1")))
    assert agent.stage == "D"
    bench.happen(lambda floor: happenings.restore_headset(floor, happenings.find_agent(floor, "agent1")))
    assert agent.lines() == ["N HeadsetConnBroken 1 E28880", "N HeadsetConnBroken 1 E28881"]
    assert agent.say("ReadyNextItem") == ["R ReadyNextItem 0 M00000"]


def test_blending_agent_works_only_while_acquired() -> None:
    bench = Bench(blending=True, acquire_s=5.0)
    agent = bench.connect().log_on("ann")
    agent.say("ReserveHeadset", "52001")
    agent.say("AttachJob", "SPRING25")
    assert agent.say("LogonAcd", "52001", "1", wait_s=0.5) == ["P LogonAcd 0 S28833", "R LogonAcd 0 M00000"]
    assert agent.say("AvailWork")[-1] == "R AvailWork 1 E28946"
    bench.wait(5.0)
    assert agent.lines() == ["N IicbFeNotif 0 S28971", "N IicbOnline 0 M00000"]
    assert agent.say("AvailWork")[-1] == "R AvailWork 0 M00000"
    bench.happen(lambda floor: happenings.blend(floor, floor.agents["ann"], acquired=False))
    assert agent.lines() == ["R NoFurtherWork 0 M00000", "N IicbOffline 0 M00000", "N IicbFeNotif 0 S28972"]
    assert agent.stage == "C"
    assert agent.say("LogoffAcd")[-1] == "R LogoffAcd 0 M00000"


def test_tenant_is_chosen_once_and_before_a_job() -> None:
    bench = Bench(tenants=("north", "south"))
    agent = bench.connect().log_on()
    assert agent.say("ListTenants")[0] == "D ListTenants 0 M00001 north,south"
    assert agent.say("AttachJob", "SPRING25") == ["R AttachJob 1 E58021"]
    assert agent.say("SetTenant", "west") == ["R SetTenant 1 E58007"]
    assert agent.say("SetTenant", "north")[-1] == "R SetTenant 0 M00000"
    assert agent.say("SetTenant", "south") == ["R SetTenant 1 E58018"]
    assert agent.say("AttachJob", "SPRING25") == ["R AttachJob 0 M00000"]


def test_messages_and_passwords_of_agents() -> None:
    bench = Bench()
    agent = bench.connect().log_on("ann")
    agent.say("SendMessage", "need help")
    assert bench.truth()["agent_messages"] == [{"agent": "ann", "text": "need help"}]
    assert agent.say("SetPassword", "bob", "pw", "new") == ["R SetPassword 1 E70015"]
    assert agent.say("SetPassword", "ann", "pw", "x") == ["R SetPassword 1 E70017"]
    strict = Bench(accept_any=False).connect()
    strict.say("Logon", "agent0001", "secret")
    assert strict.say("SetPassword", "agent0001", "wrong", "new") == ["R SetPassword 1 E70016"]


def test_dialler_tells_its_mode() -> None:
    assert Bench().connect().log_on().say("DialerMode")[0] == "D DialerMode 0 M00001 DIGITAL"
    assert Bench(soft_dialler=True).connect().log_on().say("DialerMode")[0] == "D DialerMode 0 M00001 SOFTDIALER"
