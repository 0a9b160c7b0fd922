"""The simulated switch: one object that owns the parts and the clock.

A caller tells the time with ``advance``, gives commands through ``agents``, ``calls`` and ``joining``, which act at
that time, and then takes what happened with ``settle``:

    switch.advance(now_s)
    switch.calls.answer("2001", "17")
    for observed in switch.settle():
        ...

Nothing here reads a clock or throws dice of its own.
"""

from __future__ import annotations

import random

from unified_agent.tools.simulators.aes import refusals
from unified_agent.tools.simulators.aes.agent_desk import AgentDesk
from unified_agent.tools.simulators.aes.call_control import CallControl
from unified_agent.tools.simulators.aes.call_joining import CallJoining
from unified_agent.tools.simulators.aes.calls import CallNumbers, LegKind
from unified_agent.tools.simulators.aes.events import (
    Observed,
)
from unified_agent.tools.simulators.aes.plan import SwitchPlan
from unified_agent.tools.simulators.aes.routing import Routing
from unified_agent.tools.simulators.aes.switchboard import Switchboard


class Switch:
    """A Communication Manager in miniature.

    Args:
        plan: stations, agents, groups, rules.
        chance: every random choice comes from here.
        now_s: seconds on any clock that never goes back.
        epoch_s: seconds since 1970 at ``now_s`` zero, for universal call ids.
        first_call_id: where call ids begin.

    Attributes:
        board: what is remembered; to be read by those who show or check it.
        agents, calls, joining: the commands.
    """

    def __init__(
        self,
        plan: SwitchPlan,
        *,
        chance: random.Random,
        now_s: float = 0.0,
        epoch_s: float = 0.0,
        first_call_id: int = 1,
    ) -> None:
        numbers = CallNumbers(node=plan.node, epoch_s=epoch_s, first=first_call_id)
        self.board = Switchboard(plan, chance=chance, numbers=numbers, now_s=now_s)
        self.agents = AgentDesk(self.board)
        self.routing = Routing(self.board, self.agents)
        self.calls = CallControl(self.board, self.routing)
        self.joining = CallJoining(self.board, self.routing, self.calls)

    def next_timer(self) -> float | None:
        """Return when ``advance`` wants to be called next, or None."""
        return self.board.timers.next_timer()

    def advance(self, now_s: float) -> None:
        """Let the time be ``now_s``, after doing what was due until then, each at its own time."""
        while (due := self.board.timers.take_due(now_s)) is not None:
            due_s, action = due
            self.board.now_s = max(self.board.now_s, due_s)
            action()
            self._settle_agents()
        self.board.now_s = max(self.board.now_s, now_s)

    def settle(self) -> list[Observed]:
        """Do what follows from the commands just given, and return everything that happened since the last time."""
        self._settle_agents()
        return self.board.take_events()

    def place_call(
        self,
        caller: str,
        number: str,
        *,
        user_data: bytes | None = None,
        patience_s: float | None = None,
        talk_s: float | None = None,
    ) -> str:
        """Let somebody outside call in; see ``CallControl.begin_outside_call``. Returns the call id."""
        call = self.calls.begin_outside_call(caller, number, user_data=user_data, patience_s=patience_s, talk_s=talk_s)
        return call.call_id

    def hang_up_outside(self, call_id: str, device: str | None = None) -> None:
        """Let an outside party hang up.

        Args:
            call_id: which call.
            device: their number; None for the first outside party.

        Raises:
            Refused: operation invalidCallID, invalidConnectionID.
        """
        call = self.board.call(call_id)
        for leg in call.legs:
            if leg.kind is LegKind.OUTSIDE and device in {None, leg.device}:
                self.board.drop(leg)
                return
        raise refusals.operation("invalidConnectionID")

    def set_service(self, station_number: str, *, in_service: bool) -> None:
        """Unplug a station (its calls end and its agent is logged off), or plug it in again.

        Assumed: the log-off; Communication Manager does so for agents at telephones that unregister.

        Raises:
            Refused: operation invalidDeviceID.
        """
        station = self.board.station(station_number)
        if not in_service:
            for leg in list(station.legs):
                if leg in station.legs:
                    self.board.drop(leg)
            self.agents.force_off(station)
        self.board.change_service(station, in_service=in_service)

    def _settle_agents(self) -> None:
        board = self.board
        moved = True
        while board.dirty or moved:
            while board.dirty:
                number = next(iter(board.dirty))
                self.agents.settle(board.dirty.pop(number))
            moved = self.routing.distribute()
