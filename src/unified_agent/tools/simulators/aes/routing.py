"""Where calls go: stations, outside numbers, queues, and from queues to the agent who has been idle longest."""

from __future__ import annotations

from unified_agent.tools.simulators.aes import refusals
from unified_agent.tools.simulators.aes.agent_desk import AgentDesk
from unified_agent.tools.simulators.aes.agents import Agent
from unified_agent.tools.simulators.aes.calls import Call, Leg, LegKind
from unified_agent.tools.simulators.aes.events import (
    Delivered,
    Diverted,
    Established,
    Failed,
    Queued,
)
from unified_agent.tools.simulators.aes.hunt_groups import HuntGroup, longest_idle
from unified_agent.tools.simulators.aes.plan import OutsideBehaviour, OutsideRule
from unified_agent.tools.simulators.aes.switchboard import Switchboard
from unified_agent.wire.csta.values import Cause, LocalState


class Routing:
    """Brings calls to their destinations. Every move acts at the switchboard's present time."""

    def __init__(self, board: Switchboard, desk: AgentDesk) -> None:
        self._board = board
        self._desk = desk

    def check_destination(self, number: str, *, call: Call | None = None, not_from: str | None = None) -> None:
        """Check that a number can be called.

        Args:
            number: what would be dialled.
            call: the call it would be added to; its parties cannot be added again.
            not_from: the station that would dial; it cannot call itself.

        Raises:
            Refused: operation invalidDestination.
        """
        inside = self.is_inside(number)
        outside = number.isascii() and number.isdigit() and len(number) >= self._board.plan.outside_digits
        station = self._station_for(number)
        own = station is not None and station == not_from
        vdn = self._board.vdns.get(number)
        reached = {number, station, vdn.group if vdn is not None else number}
        again = call is not None and any(leg.device in reached for leg in call.legs)
        if not (inside or outside) or own or again:
            raise refusals.operation("invalidDestination")

    def is_inside(self, number: str) -> bool:
        """Tell whether a number is one of this switch: a station, agent, hunt group or VDN."""
        board = self._board
        return any(number in known for known in (board.stations, board.groups, board.vdns, board.agents))

    def offer(self, call: Call, number: str, cause: Cause) -> str:
        """Bring a call to a number that was checked.

        Returns:
            The device that the call is at now: a station, an outside number, or the hunt group whose queue it is in.
        """
        board = self._board
        vdn = board.vdns.get(number)
        if vdn is not None:
            call.vdn = vdn.number
            if vdn.number not in call.followers:
                call.followers.append(vdn.number)
            return self._offer_group(call, board.groups[vdn.group], cause)
        if number in board.groups:
            return self._offer_group(call, board.groups[number], cause)
        station = self._station_for(number)
        if station is not None:
            return self._offer_station(call, station, cause)
        if number in board.agents:  # not logged on
            return self._fail(call, number, Cause.DESTINATION_NOT_OBTAINABLE)
        return self._offer_outside(call, number, cause)

    def answer(self, leg: Leg, cause: Cause = Cause.NEW_CALL) -> None:
        """Connect a leg that rings, and tell it."""
        self._board.set_state(leg, LocalState.CONNECTED)
        if leg.acd:
            self._board.counters["acd_calls_answered"] += 1
        event = Established(call=leg.call.facts(), cause=cause, connection=leg.connection())
        self._board.tell(leg.call, event)
        self.start_talking(leg.call)

    def start_talking(self, call: Call) -> None:
        """Let the time run after which outside parties hang up, from the moment somebody talks to them."""
        if not call.is_talking():
            return
        for leg in call.legs:
            if leg.talk_limit_s is not None and leg.state is LocalState.CONNECTED:
                limit_s, leg.talk_limit_s = leg.talk_limit_s, None
                self._hang_up_later(leg, limit_s)

    def divert(self, leg: Leg, number: str, cause: Cause) -> None:
        """Take a call that rings at a station away to another number that was checked."""
        call = leg.call
        event = Diverted(call=call.facts(), cause=cause, connection=leg.connection(), new_destination=number)
        self._board.take_out(leg)
        call.last_redirection = leg.device
        self._board.tell(call, event, gone=(leg,))
        self.offer(call, number, cause)

    def distribute(self) -> bool:
        """Bring waiting calls to available agents; return whether any call moved."""
        moved = False
        for group in self._board.groups.values():
            while group.waiting:
                agent = longest_idle(self._board.available.values(), group.number)
                if agent is None:
                    break
                leg = group.waiting[0]
                self._board.take_out(leg)
                self._ring_agent(leg.call, agent, group.number)
                moved = True
        return moved

    def give_up_later(self, leg: Leg, patience_s: float) -> None:
        """Let an outside caller hang up if nobody has talked to it after ``patience_s``."""

        def give_up() -> None:
            if leg in leg.call.legs and leg.state is LocalState.CONNECTED and not self._was_served(leg):
                self._board.counters["calls_abandoned"] += 1
                self._board.drop(leg)

        self._board.timers.at(self._board.now_s + patience_s, give_up)

    def _was_served(self, leg: Leg) -> bool:
        return any(other.answered for other in leg.call.others(leg))

    def _station_for(self, number: str) -> str | None:
        """Return the station behind a number: itself, or where the agent with this id is."""
        if number in self._board.stations:
            return number
        agent = self._board.agents.get(number)
        return agent.station if agent is not None else None

    def _offer_station(self, call: Call, number: str, cause: Cause) -> str:
        station = self._board.stations[number]
        if not station.in_service:
            return self._fail(call, number, Cause.DESTINATION_OUT_OF_ORDER)
        if len(station.legs) >= self._board.plan.appearances:
            return self._fail(call, number, Cause.BUSY)
        leg = self._board.add_leg(call, number, LegKind.STATION, LocalState.ALERTING)
        self._tell_delivered(leg, cause)
        return number

    def _offer_outside(self, call: Call, number: str, cause: Cause) -> str:
        board = self._board
        rule = next(
            (rule for rule in board.plan.outside_rules if number.endswith(rule.ends_with)),
            OutsideRule(ends_with=""),
        )
        match rule.behaviour:
            case OutsideBehaviour.BUSY:
                return self._fail(call, number, Cause.BUSY)
            case OutsideBehaviour.UNOBTAINABLE:
                return self._fail(call, number, Cause.DESTINATION_NOT_OBTAINABLE)
            case _:
                pass
        leg = board.add_leg(call, number, LegKind.OUTSIDE, LocalState.ALERTING)
        if rule.talk_s is not None:
            leg.talk_limit_s = board.chance.uniform(*rule.talk_s)
        self._tell_delivered(leg, cause)
        if rule.behaviour is OutsideBehaviour.ANSWER:
            board.timers.at(board.now_s + board.chance.uniform(*rule.ring_s), lambda: self._answer_if_ringing(leg))
        return number

    def _offer_group(self, call: Call, group: HuntGroup, cause: Cause, *, first: bool = False) -> str:
        call.group = group.number
        self._board.counters["acd_calls_offered"] += not first
        agent = None if group.waiting else longest_idle(self._board.available.values(), group.number)
        if agent is not None:
            return self._ring_agent(call, agent, group.number, cause)
        leg = self._board.add_leg(call, group.number, LegKind.QUEUE, LocalState.QUEUED)
        position = group.join(leg, first=first)
        event = Queued(
            call=call.facts(),
            cause=Cause.ENTERING_DISTRIBUTION,
            connection=leg.connection(),
            position=1 if first else position,
        )
        self._board.tell(call, event)
        return group.number

    def _ring_agent(self, call: Call, agent: Agent, group: str, cause: Cause = Cause.NEW_CALL) -> str:
        board = self._board
        assert agent.station is not None, "an available agent is at a station"
        station = board.stations[agent.station]
        assert not station.legs, "an available agent has no call"
        leg = board.add_leg(call, station.number, LegKind.STATION, LocalState.ALERTING)
        leg.group = group
        self._tell_delivered(leg, cause)
        if station.auto_answer:
            board.timers.at(board.now_s + board.plan.auto_answer_s, lambda: self._answer_if_ringing(leg))
        if board.plan.no_answer_s > 0:
            board.timers.at(board.now_s + board.plan.no_answer_s, lambda: self._take_back(leg))
        return station.number

    def _take_back(self, leg: Leg) -> None:
        """Put a group's call that nobody answered back to the head of its queue, and the agent to AUX."""
        if leg not in leg.call.legs or leg.state is not LocalState.ALERTING:
            return
        call, board = leg.call, self._board
        assert leg.group is not None, "only a group's call is taken back"
        group = board.groups[leg.group]
        board.counters["acd_calls_not_answered"] += 1
        destination = call.vdn or group.number
        event = Diverted(
            call=call.facts(),
            cause=Cause.CALL_FORWARD_NO_ANSWER,
            connection=leg.connection(),
            new_destination=destination,
        )
        board.take_out(leg)
        call.last_redirection = leg.device
        board.tell(call, event, gone=(leg,))
        self._desk.no_answer(board.stations[leg.device])
        if call.leg_of(group.number) is not None:  # it waits there already, on behalf of another party
            return
        self._offer_group(call, group, Cause.REDIRECTED, first=True)

    def _answer_if_ringing(self, leg: Leg) -> None:
        if leg not in leg.call.legs or leg.state is not LocalState.ALERTING:
            return
        if leg.kind is LegKind.STATION and self._board.stations[leg.device].active_leg() is not None:
            return
        self.answer(leg)

    def _hang_up_later(self, leg: Leg, after_s: float) -> None:
        def hang_up() -> None:
            if leg in leg.call.legs:
                self._board.drop(leg)

        self._board.timers.at(self._board.now_s + after_s, hang_up)

    def _fail(self, call: Call, device: str, cause: Cause) -> str:
        """Let the call hear a tone instead of ``device``, for a while."""
        board = self._board
        leg = board.add_leg(call, device, LegKind.TONE, LocalState.FAIL)
        event = Failed(call=call.facts(), cause=cause, connection=leg.connection())
        board.tell(call, event)
        self._hang_up_later(leg, board.plan.tone_s)
        return device

    def _tell_delivered(self, leg: Leg, cause: Cause) -> None:
        event = Delivered(call=leg.call.facts(), cause=cause, connection=leg.connection())
        self._board.tell(leg.call, event)
