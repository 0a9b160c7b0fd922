"""Calls go to who has been idle longest, and wait in order when nobody is free."""

from __future__ import annotations

from tests.unit.tools.simulators.aes.floor import ANN, BOB, CAT, GROUP, VDN, Floor, names, seen

from unified_agent.tools.simulators.aes.agents import Agent
from unified_agent.tools.simulators.aes.events import Delivered, Queued, WorkMode
from unified_agent.tools.simulators.aes.hunt_groups import longest_idle

AUTO = WorkMode.AUTO_IN


def test_longest_idle_takes_the_smallest_turn_of_its_group() -> None:
    def agent(name: str, turn: int | None, group: str = "100") -> Agent:
        return Agent(agent_id=name, password="", groups=(group,), idle_turn=turn)

    agents = [agent("a", 3), agent("b", 2), agent("c", 1, "101"), agent("d", None)]
    chosen = longest_idle(agents, "100")
    assert chosen is not None
    assert chosen.agent_id == "b"
    assert longest_idle(agents, "999") is None


def test_calls_go_round_the_agents_in_order_of_becoming_free() -> None:
    floor = Floor()
    for station in (BOB, ANN, CAT):
        floor.log_on(station, AUTO)
    served = []
    for _ in range(5):
        call_id = floor.arrive()
        (station,) = [leg.device for leg in floor.board.calls[call_id].station_legs()]
        served.append(station)
        floor.switch.calls.answer(station, call_id)
        floor.settle()
        floor.switch.hang_up_outside(call_id)
        floor.settle()
    assert served == [BOB, ANN, CAT, BOB, ANN]


def test_own_call_puts_an_agent_at_the_end_of_the_line() -> None:
    floor = Floor()
    floor.log_on(ANN, AUTO)
    floor.log_on(BOB, AUTO)
    floor.switch.calls.clear_connection(ANN, floor.talk(ANN))
    floor.settle()
    assert floor.calls_at(BOB) == {} == floor.calls_at(ANN)
    call_id = floor.arrive()
    assert floor.calls_at(BOB) == {call_id: "alerting"}


def test_only_free_ready_agents_are_rung() -> None:
    floor = Floor()
    floor.log_on(ANN, WorkMode.AUX)
    floor.log_on(BOB, AUTO)
    floor.talk(BOB)
    floor.log_on(CAT, WorkMode.AFTER_CALL_WORK)
    call_id = floor.arrive()
    assert floor.parties(call_id) == {"3001": "connected", GROUP: "queued"}


def test_waiting_calls_are_served_in_order_as_agents_come_free() -> None:
    floor = Floor()
    ids = [floor.arrive(caller=f"300{index}") for index in range(3)]
    queued = seen(floor.events, VDN, Queued)
    assert [event.position for event in queued] == [1, 2, 3]
    floor.log_on(ANN, AUTO)
    assert floor.calls_at(ANN) == {ids[0]: "alerting"}
    floor.log_on(BOB, AUTO)
    assert floor.calls_at(BOB) == {ids[1]: "alerting"}
    delivered = seen(floor.events, ANN, Delivered)[0]
    assert (delivered.call.vdn, delivered.call.group, delivered.call.called) == (VDN, GROUP, VDN)


def test_caller_who_hangs_up_while_waiting_is_out_of_the_queue() -> None:
    floor = Floor()
    call_id = floor.arrive()
    floor.switch.hang_up_outside(call_id)
    events = floor.settle()
    assert names(events, VDN) == ["ConnectionCleared", "CallCleared"]
    floor.log_on(ANN, AUTO)
    assert floor.calls_at(ANN) == {}


def test_impatient_caller_gives_up_only_while_nobody_answered() -> None:
    floor = Floor()
    waiting = floor.arrive(patience_s=10.0)
    floor.wait(10.0)
    assert waiting not in floor.board.calls
    assert floor.board.counters["calls_abandoned"] == 1
    floor.log_on(ANN, AUTO)
    served = floor.arrive(patience_s=10.0)
    floor.switch.calls.answer(ANN, served)
    floor.wait(60.0)
    assert served in floor.board.calls


def test_station_calling_a_busy_group_waits_in_its_queue() -> None:
    floor = Floor()
    connection = floor.switch.calls.make_call(ANN, VDN)
    floor.settle()
    assert floor.parties(connection.call_id) == {ANN: "connected", GROUP: "queued"}
    assert names(floor.events, ANN) == ["ServiceInitiated", "Originated", "Queued"]
    floor.log_on(BOB, AUTO)
    assert floor.parties(connection.call_id) == {ANN: "connected", BOB: "alerting"}


def test_agent_is_not_rung_by_the_agents_own_call_to_the_group() -> None:
    floor = Floor()
    floor.log_on(ANN, AUTO)
    connection = floor.switch.calls.make_call(ANN, VDN)
    floor.settle()
    assert floor.parties(connection.call_id) == {ANN: "connected", GROUP: "queued"}
