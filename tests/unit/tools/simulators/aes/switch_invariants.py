"""What must be true of the simulated switch at every moment, whoever did what."""

from __future__ import annotations

from unified_agent.tools.simulators.aes.agents import READY_MODES
from unified_agent.tools.simulators.aes.calls import LegKind
from unified_agent.tools.simulators.aes.events import (
    WorkMode,
)
from unified_agent.tools.simulators.aes.switch import Switch
from unified_agent.wire.csta.values import LocalState


def check_switch(switch: Switch) -> None:
    """Raise AssertionError with a sentence for the first thing that is not as it must be."""
    _check_calls(switch)
    _check_stations(switch)
    _check_agents(switch)
    _check_queues(switch)


def _check_calls(switch: Switch) -> None:
    board = switch.board
    for call_id, call in board.calls.items():
        assert call.call_id == call_id, "a call is found by its own id"
        assert call.legs, "no call is without parties"
        for leg in call.legs:
            assert leg.call is call, "each leg is in one call"
            if leg.kind is LegKind.STATION:
                assert leg in board.stations[leg.device].legs, "a station knows its legs"
        devices = [leg.device for leg in call.legs]
        assert len(devices) == len(set(devices)), "a device is in a call once"
        only_lifting = len(call.legs) == 1 and call.legs[0].state is LocalState.INITIATED
        assert only_lifting or call.can_live(), "a call nobody can talk in is over"
    counted = board.counters
    assert counted["calls_begun"] == counted["calls_ended"] + counted["calls_joined"] + len(board.calls)


def _check_stations(switch: Switch) -> None:
    board = switch.board
    for station in board.stations.values():
        active = [leg for leg in station.legs if leg.state in {LocalState.CONNECTED, LocalState.INITIATED}]
        assert len(active) <= 1, "a station has one active call at most"
        assert len(station.legs) <= board.plan.appearances, "a station has no more calls than appearances"
        assert station.in_service or not station.legs, "a station out of service has no calls"
        for leg in station.legs:
            assert board.calls.get(leg.call.call_id) is leg.call, "a station's call lives"
            assert leg in leg.call.legs, "a station's leg is in its call"


def _check_agents(switch: Switch) -> None:
    board = switch.board
    for agent in board.agents.values():
        logged_on = agent.mode is not WorkMode.LOGGED_OFF
        assert logged_on == (agent.station is not None), "an agent is somewhere if and only if logged on"
        if agent.station is None:
            assert agent.idle_turn is None
            continue
        station = board.stations[agent.station]
        assert station.agent is agent, "a station knows its agent"
        free = agent.mode in READY_MODES and station.in_service and not station.legs
        assert (agent.idle_turn is not None) == free, "an agent waits for calls if and only if free"
        if agent.pending is not None:
            assert station.legs, "a pending change waits for a call, not for ever"
        assert agent.reported == (switch.agents.reported(station), agent.mode, agent.reason), "the last event is true"
    turns = [agent.idle_turn for agent in board.available.values()]
    assert turns == sorted(turn for turn in turns if turn is not None), "available agents stand longest idle first"
    for station in board.stations.values():
        assert station.agent is None or station.agent.station == station.number


def _check_queues(switch: Switch) -> None:
    board = switch.board
    queued = {id(leg) for call in board.calls.values() for leg in call.legs if leg.kind is LegKind.QUEUE}
    waiting = [leg for group in board.groups.values() for leg in group.waiting]
    assert queued == {id(leg) for leg in waiting}, "a call is queued if and only if it is in a queue"
    assert len(waiting) == len(queued), "a call is in a queue once"
    for group in board.groups.values():
        idle = [agent for agent in board.available.values() if group.number in agent.groups]
        assert not (group.waiting and idle), "no call waits while an agent of its group is available"
