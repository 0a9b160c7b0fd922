"""The switch's memory, and the few moves that everything else is made of: add a leg, change it, drop it, tell it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from unified_agent.tools.simulators.aes import refusals
from unified_agent.tools.simulators.aes.agents import Agent
from unified_agent.tools.simulators.aes.calls import Call, CallNumbers, Leg, LegKind
from unified_agent.tools.simulators.aes.events import (
    CallCleared,
    ConnectionCleared,
    Observed,
    ServiceChanged,
    SwitchEvent,
)
from unified_agent.tools.simulators.aes.hunt_groups import HuntGroup, Vdn
from unified_agent.tools.simulators.aes.plan import SwitchPlan
from unified_agent.tools.simulators.aes.timers import Timers
from unified_agent.wire.csta.values import Cause, LocalState


@dataclass(slots=True, kw_only=True, eq=False)
class Station:
    """One telephone.

    Attributes:
        number: its extension.
        auto_answer: answers calls of hunt groups by itself.
        in_service: False when unplugged.
        legs: its part in calls, oldest first.
        agent: who is logged on here, or None.
        acd_ended: a hunt group's call that was answered here ended and the agent was not yet dealt with.
    """

    number: str
    auto_answer: bool = False
    in_service: bool = True
    legs: list[Leg] = field(default_factory=list)
    agent: Agent | None = None
    acd_ended: bool = False

    def active_leg(self) -> Leg | None:
        """Return the leg that has the ear: connected or off hook; None when idle, ringing or holding only."""
        for leg in self.legs:
            if leg.state in {LocalState.CONNECTED, LocalState.INITIATED}:
                return leg
        return None

    def in_call(self) -> bool:
        """Tell whether a call is more than ringing here."""
        return any(leg.state is not LocalState.ALERTING for leg in self.legs)


class Switchboard:
    """Stations, agents, groups and calls of one switch, its clock as last told, and the events not yet taken.

    Args:
        plan: what there is.
        chance: every random choice of the switch comes from here.
        numbers: gives out call ids.
        now_s: the time at the start.

    Attributes:
        now_s: what the time is; set before anything is done.
        dirty: stations whose agent may have to be told of, in the order in which they were touched.
        available: agents who wait for a call, longest idle first.
        counters: what has happened since the start, by name.
    """

    def __init__(self, plan: SwitchPlan, *, chance: random.Random, numbers: CallNumbers, now_s: float = 0.0) -> None:
        self.plan = plan
        self.chance = chance
        self.numbers = numbers
        self.now_s = now_s
        self.stations = {
            item.number: Station(number=item.number, auto_answer=item.auto_answer) for item in plan.stations
        }
        self.agents = {
            item.agent_id: Agent(agent_id=item.agent_id, password=item.password, groups=item.groups, since_s=now_s)
            for item in plan.agents
        }
        self.groups = {item.number: HuntGroup(item.number, item.name) for item in plan.groups}
        self.vdns = {item.number: Vdn(item.number, item.group) for item in plan.vdns}
        self.calls: dict[str, Call] = {}
        self.timers = Timers()
        self.dirty: dict[str, Station] = {}
        self.available: dict[str, Agent] = {}
        self.counters: Counter[str] = Counter()
        self._events: list[Observed] = []
        self._idle_turns = 0

    # Looking things up

    def station(self, number: str) -> Station:
        """Return a station.

        Raises:
            Refused: operation invalidDeviceID.
        """
        station = self.stations.get(number)
        if station is None:
            raise refusals.operation("invalidDeviceID")
        return station

    def working_station(self, number: str) -> Station:
        """Return a station that is in service.

        Raises:
            Refused: operation invalidDeviceID, systemResourceAvailibility deviceOutOfService.
        """
        station = self.station(number)
        if not station.in_service:
            raise refusals.resource("deviceOutOfService")
        return station

    def call(self, call_id: str) -> Call:
        """Return a living call.

        Raises:
            Refused: operation invalidCallID.
        """
        call = self.calls.get(call_id)
        if call is None:
            raise refusals.operation("invalidCallID")
        return call

    def station_leg(self, station: str, call_id: str) -> Leg:
        """Return the leg of a working station in a call.

        Raises:
            Refused: as ``working_station`` and ``call``; operation invalidConnectionID when it is not in the call.
        """
        self.working_station(station)
        leg = self.call(call_id).leg_of(station)
        if leg is None or leg.kind is not LegKind.STATION:
            raise refusals.operation("invalidConnectionID")
        return leg

    # Telling

    def observe(self, observer: str, event: SwitchEvent, local: LocalState | None = None) -> None:
        """Note that one device saw an event."""
        self._events.append(Observed(observer=observer, local=local, event=event))

    def tell(self, call: Call, event: SwitchEvent, *, gone: Iterable[Leg] = ()) -> None:
        """Note that everybody in a call saw an event: its stations, those just gone, and the VDNs it came by."""
        for leg in gone:
            if leg.kind is LegKind.STATION:
                self.observe(leg.device, event)
        for leg in call.station_legs():
            self.observe(leg.device, event, leg.state)
        for follower in call.followers:
            self.observe(follower, event)

    def take_events(self) -> list[Observed]:
        """Return the events since the last time, oldest first, and forget them."""
        events, self._events = self._events, []
        return events

    # Moving legs

    def new_call(self, *, calling: str, called: str | None, user_data: bytes | None = None) -> Call:
        """Begin a call with nobody in it yet."""
        call_id = self.numbers.next_id(self.calls)
        call = Call(
            call_id=call_id,
            ucid=self.numbers.ucid(call_id, self.now_s),
            created_s=self.now_s,
            calling=calling,
            called=called,
            user_data=user_data,
        )
        self.calls[call_id] = call
        self.counters["calls_begun"] += 1
        return call

    def rename(self, call: Call, call_id: str, ucid: str) -> None:
        """Give a living call another id."""
        del self.calls[call.call_id]
        call.call_id, call.ucid = call_id, ucid
        self.calls[call_id] = call

    def add_leg(self, call: Call, device: str, kind: LegKind, leg_state: LocalState) -> Leg:
        """Add a party to a call. Nobody is told."""
        assert call.leg_of(device) is None, "a device is in a call once at most"
        leg = Leg(call=call, device=device, kind=kind, state=leg_state, since_s=self.now_s)
        call.legs.append(leg)
        if kind is LegKind.STATION:
            station = self.stations[device]
            station.legs.append(leg)
            if station.agent is not None:  # at once: the call just begun may be for the agent's own group
                self.set_available(station.agent, available=False)
            self.touch(device)
        return leg

    def set_state(self, leg: Leg, leg_state: LocalState) -> None:
        """Change the state of a leg. Nobody is told."""
        leg.state = leg_state
        leg.since_s = self.now_s
        if leg_state is LocalState.CONNECTED:
            leg.answered = True
        if leg.kind is LegKind.STATION:
            self.touch(leg.device)

    def take_out(self, leg: Leg) -> None:
        """Remove a leg from its call, its station and its queue. Nobody is told."""
        leg.call.legs.remove(leg)
        if leg.kind is LegKind.STATION:
            station = self.stations[leg.device]
            station.legs.remove(leg)
            if leg.acd and leg.answered:
                station.acd_ended = True
            self.touch(leg.device)
        elif leg.kind is LegKind.QUEUE:
            self.groups[leg.device].leave(leg)

    def drop(self, leg: Leg, cause: Cause = Cause.NORMAL_CLEARING) -> None:
        """End one party's part in a call, and the whole call when too few are left. Everybody is told."""
        self._clear_leg(leg, cause)
        self.end_if_alone(leg.call)

    def end_if_alone(self, call: Call) -> None:
        """End a call in which too few are left to talk."""
        if not call.can_live():
            self.end(call)

    def end(self, call: Call, cause: Cause = Cause.NORMAL_CLEARING) -> None:
        """End a call for everybody in it."""
        if self.calls.get(call.call_id) is not call:
            return
        for leg in list(call.legs):
            self._clear_leg(leg, cause)
        del self.calls[call.call_id]
        event = CallCleared(call=call.facts(), cause=cause, call_id=call.call_id)
        for follower in call.followers:
            self.observe(follower, event)
        self.counters["calls_ended"] += 1

    def _clear_leg(self, leg: Leg, cause: Cause) -> None:
        """Take a leg out and tell it. A queue is not told of: nobody was there."""
        self.take_out(leg)
        if leg.kind is not LegKind.QUEUE:
            event = ConnectionCleared(call=leg.call.facts(), cause=cause, connection=leg.connection())
            self.tell(leg.call, event, gone=(leg,))

    # Agents' availability

    def touch(self, number: str) -> None:
        """Remember that the agent at a station may have to be dealt with when this command is done."""
        self.dirty[number] = self.stations[number]

    def set_available(self, agent: Agent, *, available: bool) -> None:
        """Note that an agent waits for calls from now on, or does not. The last to come is the last to be served."""
        if available and agent.idle_turn is None:
            self._idle_turns += 1
            agent.idle_turn = self._idle_turns
            self.available[agent.agent_id] = agent
        elif not available and agent.idle_turn is not None:
            agent.idle_turn = None
            del self.available[agent.agent_id]

    def change_service(self, station: Station, *, in_service: bool) -> None:
        """Put a station out of service or back, and tell it."""
        if station.in_service is in_service:
            return
        station.in_service = in_service
        self.observe(station.number, ServiceChanged(station=station.number, in_service=in_service))
        self.touch(station.number)
