"""A small switch to test on: four stations, four agents, one hunt group behind a VDN, and callers outside."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.tools.simulators.aes.switch_invariants import check_switch

from unified_agent.tools.simulators.aes.events import AgentChanged, CallEvent, Observed, WorkMode
from unified_agent.tools.simulators.aes.plan import NumberPlan, SwitchPlan, fill_plan
from unified_agent.tools.simulators.aes.refusals import Refused
from unified_agent.tools.simulators.aes.switch import Switch

ANN, BOB, CAT, DAN = "2001", "2002", "2003", "2004"
VDN, GROUP = "8000", "100"
#: Outside numbers by what they do: answer, busy, never answer, unobtainable, hang up after 5 s.
FRIEND, BUSY, ABSENT, NOWHERE, HASTY = "5551234", "5550001", "5550002", "5550003", "5550004"
CALLER = "3001"


class Floor:
    """The switch with short names for what tests do, checking its invariants after each."""

    def __init__(self, **rules: Any) -> None:
        self.numbers = NumberPlan(agents=4, **{key: rules.pop(key) for key in ("auto_answer",) if key in rules})
        plan = fill_plan(replace(SwitchPlan(), **{"no_answer_s": 0.0, **rules}), self.numbers)
        self.switch = Switch(plan, chance=random.Random(1))
        self.board = self.switch.board
        self.events: list[Observed] = []

    def settle(self) -> list[Observed]:
        """Let what follows happen; return and keep the events."""
        new = self.switch.settle()
        self.events.extend(new)
        check_switch(self.switch)
        return new

    def wait(self, seconds: float) -> list[Observed]:
        """Let time pass."""
        self.switch.advance(self.board.now_s + seconds)
        return self.settle()

    def log_on(self, station: str, mode: WorkMode = WorkMode.AUX, reason: int | None = None) -> None:
        """Log the agent of a station on: 5001 at 2001 and so on."""
        self.switch.agents.log_on(station, self.agent_of(station), "1234", mode=mode, reason=reason)
        self.settle()

    def set_mode(self, station: str, mode: WorkMode, **rest: Any) -> bool:
        """Change the mode of the agent at a station."""
        pending = self.switch.agents.set_mode(station, mode, **rest)
        self.settle()
        return pending

    def agent_of(self, station: str) -> str:
        """Return the id of the agent who sits at a station."""
        return str(int(station) + 3000)

    def mode(self, station: str) -> WorkMode:
        """Return the mode of the agent who sits at a station."""
        return self.board.agents[self.agent_of(station)].mode

    def arrive(self, number: str = VDN, **rest: Any) -> str:
        """Let somebody call in; return the call id."""
        call_id = self.switch.place_call(rest.pop("caller", CALLER), number, **rest)
        self.settle()
        return call_id

    def ring(self, station: str) -> str:
        """Let somebody outside ring a station; return the call id."""
        return self.arrive(station, caller=f"30{station}{len(self.board.calls)}")

    def talk(self, station: str) -> str:
        """Bring a station into a call with somebody outside; return the call id."""
        call_id = self.ring(station)
        self.switch.calls.answer(station, call_id)
        self.settle()
        return call_id

    def hold(self, station: str) -> str:
        """Bring a station into a held call with somebody outside; return the call id."""
        call_id = self.talk(station)
        self.switch.calls.hold(station, call_id)
        self.settle()
        return call_id

    def consult(self, station: str, call_id: str, number: str, *, answered: bool = True) -> str:
        """Consult a number about a call; return the id of the new call."""
        new_id = self.switch.calls.consult(station, call_id, number).call_id
        if answered:
            self.switch.calls.answer(number, new_id)
        self.settle()
        return new_id

    def parties(self, call_id: str) -> dict[str, str]:
        """Return who is in a call and in which state."""
        return {leg.device: str(leg.state) for leg in self.board.calls[call_id].legs}

    def calls_at(self, station: str) -> dict[str, str]:
        """Return the calls at a station and their states."""
        return {leg.call.call_id: str(leg.state) for leg in self.board.stations[station].legs}


def names(events: list[Observed], observer: str) -> list[str]:
    """Return the names of the events that one device saw."""
    return [type(item.event).__name__ for item in events if item.observer == observer]


def states(events: list[Observed], observer: str) -> list[str]:
    """Return the agent states that one station was told."""
    return [
        str(item.event.state) for item in events if item.observer == observer and isinstance(item.event, AgentChanged)
    ]


def seen(events: list[Observed], observer: str, kind: type[CallEvent]) -> list[Any]:
    """Return the events of one kind that one device saw."""
    return [item.event for item in events if item.observer == observer and isinstance(item.event, kind)]


def refusal(action: Any, *arguments: Any, **rest: Any) -> str:
    """Return the error value with which an action is refused."""
    with pytest.raises(Refused) as caught:
        action(*arguments, **rest)
    return caught.value.value
