"""The moves that everything is made of: look up, add, drop, end, tell, and who waits for calls."""

from __future__ import annotations

import random

import pytest
from tests.unit.tools.simulators.aes.floor import ANN, BOB, VDN, Floor, names, refusal

from unified_agent.tools.simulators.aes.calls import CallNumbers, LegKind
from unified_agent.tools.simulators.aes.plan import numbered_plan
from unified_agent.tools.simulators.aes.switchboard import Switchboard
from unified_agent.wire.csta.values import LocalState


def board() -> Switchboard:
    return Switchboard(numbered_plan(agents=3), chance=random.Random(1), numbers=CallNumbers())


def test_what_is_not_there_is_refused_by_name() -> None:
    it = board()
    assert refusal(it.station, "2999") == "invalidDeviceID"
    assert refusal(it.call, "1") == "invalidCallID"
    call = it.new_call(calling="3001", called=ANN)
    it.add_leg(call, "3001", LegKind.OUTSIDE, LocalState.CONNECTED)
    assert refusal(it.station_leg, ANN, call.call_id) == "invalidConnectionID"
    it.change_service(it.station(ANN), in_service=False)
    assert refusal(it.working_station, ANN) == "deviceOutOfService"


def test_a_device_cannot_be_in_a_call_twice() -> None:
    it = board()
    call = it.new_call(calling="3001", called=ANN)
    it.add_leg(call, ANN, LegKind.STATION, LocalState.ALERTING)
    with pytest.raises(AssertionError):
        it.add_leg(call, ANN, LegKind.STATION, LocalState.ALERTING)


def test_call_ends_when_one_party_is_left_and_once_only() -> None:
    it = board()
    call = it.new_call(calling="3001", called=ANN)
    outside = it.add_leg(call, "3001", LegKind.OUTSIDE, LocalState.CONNECTED)
    it.add_leg(call, ANN, LegKind.STATION, LocalState.CONNECTED)
    it.add_leg(call, BOB, LegKind.STATION, LocalState.CONNECTED)
    it.drop(outside)
    assert list(it.calls) == [call.call_id]
    it.drop(it.station_leg(ANN, call.call_id))
    assert it.calls == {}
    it.end(call)
    assert it.counters["calls_ended"] == 1
    assert names(it.take_events(), BOB) == ["ConnectionCleared"] * 3
    assert it.take_events() == []


def test_call_in_which_everybody_only_rings_is_over() -> None:
    it = board()
    call = it.new_call(calling="3001", called=ANN)
    outside = it.add_leg(call, "3001", LegKind.OUTSIDE, LocalState.CONNECTED)
    it.add_leg(call, ANN, LegKind.STATION, LocalState.ALERTING)
    it.add_leg(call, BOB, LegKind.STATION, LocalState.ALERTING)
    it.drop(outside)
    assert it.calls == {}


def test_availability_keeps_its_first_turn_until_it_ends() -> None:
    it = board()
    one, two = it.agents["5001"], it.agents["5002"]
    for agent in (two, one, two):
        it.set_available(agent, available=True)
    assert (two.idle_turn, one.idle_turn, list(it.available)) == (1, 2, ["5002", "5001"])
    it.set_available(two, available=False)
    it.set_available(two, available=False)
    it.set_available(two, available=True)
    assert list(it.available) == ["5001", "5002"]


def test_those_who_follow_a_number_are_told_of_its_calls() -> None:
    floor = Floor()
    call_id = floor.arrive()
    floor.switch.hang_up_outside(call_id)
    floor.settle()
    assert names(floor.events, VDN) == ["Queued", "ConnectionCleared", "CallCleared"]
