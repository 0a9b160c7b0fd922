"""What is true at the switch, as JSON values: for tests that compare desktop, session and switch, and for people."""

from __future__ import annotations

from typing import Any

from unified_agent.tools.simulators.aes.agent_desk import talk_state
from unified_agent.tools.simulators.aes.agents import Agent
from unified_agent.tools.simulators.aes.calls import Call
from unified_agent.tools.simulators.aes.events import (
    WorkMode,
)
from unified_agent.tools.simulators.aes.switch import Switch
from unified_agent.tools.simulators.aes.switchboard import Station

#: A value that JSON can carry.
Json = dict[str, Any]


def switch_truth(switch: Switch, now_s: float) -> Json:
    """Describe the whole switch.

    Args:
        switch: the switch; not changed.
        now_s: the time, for how long things have lasted.

    Returns:
        ``switch``, ``agents`` (by agent id; only those logged on), ``agents_logged_off`` (how many), ``stations`` (by
        number; only those with a call, an agent or a fault), ``calls`` (by call id), ``groups`` (by number),
        ``counters``.
    """
    board = switch.board
    logged_on = {
        agent_id: agent_truth(switch, agent, now_s)
        for agent_id, agent in board.agents.items()
        if agent.mode is not WorkMode.LOGGED_OFF
    }
    return {
        "switch": board.plan.name,
        "agents": logged_on,
        "agents_logged_off": len(board.agents) - len(logged_on),
        "stations": {
            number: station_truth(station)
            for number, station in board.stations.items()
            if station.legs or station.agent is not None or not station.in_service
        },
        "calls": {call_id: call_truth(call, now_s) for call_id, call in board.calls.items()},
        "groups": {
            number: {
                "queue_length": len(group.waiting),
                "waiting_calls": [leg.call.call_id for leg in group.waiting],
                "longest_wait_s": round(now_s - min(leg.since_s for leg in group.waiting), 3) if group.waiting else 0.0,
                "agents_available": sum(number in agent.groups for agent in board.available.values()),
                "agents_logged_on": sum(number in board.agents[agent_id].groups for agent_id in logged_on),
            }
            for number, group in board.groups.items()
        },
        "counters": dict(sorted(board.counters.items())),
    }


def agent_truth(switch: Switch, agent: Agent, now_s: float) -> Json:
    """Describe one agent who is logged on."""
    station = switch.board.stations[agent.station or ""]
    pending = agent.pending
    return {
        "station": agent.station,
        "state": switch.agents.reported(station),
        "work_mode": agent.mode,
        "reason": agent.reason,
        "since_s": round(agent.since_s, 3),
        "for_s": round(now_s - agent.since_s, 3),
        "talk_state": talk_state(station),
        "pending": None if pending is None else {"work_mode": pending.mode, "reason": pending.reason},
        "calls": [leg.call.call_id for leg in station.legs],
        "groups": list(agent.groups),
    }


def station_truth(station: Station) -> Json:
    """Describe one station."""
    return {
        "in_service": station.in_service,
        "agent": station.agent.agent_id if station.agent is not None else None,
        "calls": {leg.call.call_id: leg.state for leg in station.legs},
    }


def call_truth(call: Call, now_s: float) -> Json:
    """Describe one call with its legs."""
    return {
        "ucid": call.ucid,
        "calling": call.calling,
        "called": call.called,
        "vdn": call.vdn,
        "group": call.group,
        "user_data": call.user_data.decode("utf-8", "replace") if call.user_data is not None else None,
        "for_s": round(now_s - call.created_s, 3),
        "legs": [
            {
                "device": leg.device,
                "kind": leg.kind,
                "state": leg.state,
                "since_s": round(leg.since_s, 3),
                "for_s": round(now_s - leg.since_s, 3),
            }
            for leg in call.legs
        ],
        "digits": [{"from": device, "digits": digits} for device, digits in call.digits],
    }
