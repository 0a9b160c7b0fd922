"""What happens without an agent's doing."""

from __future__ import annotations

import pytest
from tests.unit.tools.simulators.apc.bench import Bench

from unified_agent.tools.simulators.apc import happenings


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
