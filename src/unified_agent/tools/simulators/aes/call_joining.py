"""What a station can do with two calls, or with one call and a new party: transfer, conference, alternate, reconnect.

After a transfer or conference the two calls are one. Its legs are the very legs the parties had, so that timers and
queue places go with them; its id is that of one of the old calls, or a new one, by ``SwitchPlan.merged_call_id``.
"""

from __future__ import annotations

from unified_agent.tools.simulators.aes import refusals
from unified_agent.tools.simulators.aes.call_control import CallControl
from unified_agent.tools.simulators.aes.calls import PARTY_LIMIT, Call, Leg, LegKind, connections
from unified_agent.tools.simulators.aes.events import (
    Conferenced,
    Connection,
    Established,
    Transferred,
)
from unified_agent.tools.simulators.aes.plan import MergedCallId
from unified_agent.tools.simulators.aes.routing import Routing
from unified_agent.tools.simulators.aes.switchboard import Switchboard
from unified_agent.wire.csta.values import Cause, LocalState


class CallJoining:
    """Commands that bring calls together. Each checks first and then acts; errors as for ``CallControl``."""

    def __init__(self, board: Switchboard, routing: Routing, control: CallControl) -> None:
        self._board = board
        self._routing = routing
        self._control = control

    def transfer(self, station: str, held_id: str, active_id: str) -> tuple[Connection, ...]:
        """Join the others of two calls and leave.

        Returns:
            Who is in the call now; the party transferred to comes last.

        Raises:
            Refused: stateIncompatibility noHeldCall, noActiveCall, or invalidConnectionState when one call has failed,
                nobody has answered in either, or one device is in both (Assumed: this value).
        """
        held, active = self._pair(station, held_id, active_id)
        self._check_joinable(held, active)
        primary, secondary, old_ucid = held.connection(), active.connection(), held.call.ucid
        to = active.call.others(active)[-1].device
        calling = self._caller_after(held)
        held_call, call = held.call, active.call
        self._board.take_out(held)
        self._board.take_out(active)
        self._merge(held_call, call)
        call.calling = calling
        call.last_redirection = station
        event = Transferred(
            call=call.facts(),
            cause=Cause.TRANSFER,
            primary_old=primary,
            secondary_old=secondary,
            by=station,
            to=to,
            connections=connections(call.legs),
            old_ucid=old_ucid,
        )
        self._board.tell(call, event, gone=(active,))
        self._board.counters["transfers"] += 1
        self._routing.start_talking(call)
        self._board.end_if_alone(call)
        return event.connections

    def conference(self, station: str, held_id: str, active_id: str) -> tuple[Connection, ...]:
        """Join two calls and stay.

        Returns:
            Who is in the call now, the station's own connection first.

        Raises:
            Refused: as for ``transfer``; also invalidConnectionState when nobody has answered in the active call
                (Assumed); systemResourceAvailibility conferenceMemberLimitExceeded.
        """
        held, active = self._pair(station, held_id, active_id)
        self._check_joinable(held, active)
        if not any(leg.state is LocalState.CONNECTED for leg in active.call.others(active)):
            raise refusals.state("invalidConnectionState")
        if len(held.call.legs) + len(active.call.legs) - 1 > PARTY_LIMIT:
            raise refusals.resource("conferenceMemberLimitExceeded")
        primary, secondary, old_ucid = held.connection(), active.connection(), held.call.ucid
        added = active.call.others(active)[-1].device
        held_call, call = held.call, active.call
        active.group = active.group or held.group
        held.group = None  # its work goes on in the joined leg
        self._board.take_out(held)
        self._merge(held_call, call)
        call.legs.remove(active)
        call.legs.insert(0, active)
        event = Conferenced(
            call=call.facts(),
            cause=Cause.CONFERENCE,
            primary_old=primary,
            secondary_old=secondary,
            by=station,
            added=added,
            connections=connections(call.legs),
            old_ucid=old_ucid,
        )
        self._board.tell(call, event)
        self._board.counters["conferences"] += 1
        self._routing.start_talking(call)
        return event.connections

    def single_step_transfer(self, station: str, call_id: str, number: str) -> tuple[Connection, ...]:
        """Send a connected call to a number and leave, without asking there first.

        Returns:
            Who is in the call now; the party transferred to comes last.

        Raises:
            Refused: operation invalidDestination; stateIncompatibility noActiveCall, invalidConnectionState when
                nobody else has answered.
        """
        leg = self._board.station_leg(station, call_id)
        call = leg.call
        self._routing.check_destination(number, call=call, not_from=station)
        self._check_talking(leg)
        primary, old_ucid = leg.connection(), call.ucid
        calling = self._caller_after(leg)
        self._board.take_out(leg)
        if self._board.plan.merged_call_id is MergedCallId.NEW:
            self._renumber(call)
        call.calling = calling
        call.last_redirection = station
        left = connections(call.legs)
        event = Transferred(
            call=call.facts(),
            cause=Cause.SINGLE_STEP_TRANSFER,
            primary_old=primary,
            secondary_old=None,
            by=station,
            to=number,
            connections=(*left, Connection(call.call_id, number)),
            old_ucid=old_ucid,
        )
        self._board.tell(call, event, gone=(leg,))
        self._board.counters["transfers"] += 1
        reached = self._routing.offer(call, number, Cause.SINGLE_STEP_TRANSFER)
        return (*left, Connection(call.call_id, reached))

    def single_step_conference(
        self, station: str, call_id: str, joining: str, *, silent: bool = False
    ) -> tuple[Connection, ...]:
        """Add a station to a connected call at once, without ringing it.

        Args:
            station: who asks, in the call.
            call_id: which call.
            joining: the station to add.
            silent: it only listens, and does not keep the call alive.

        Returns:
            Who is in the call now; the new party comes last.

        Raises:
            Refused: operation invalidDestination when it is no working, free station (Assumed: only stations can be
                added so); stateIncompatibility as for ``single_step_transfer``; conferenceMemberLimitExceeded.
        """
        leg = self._board.station_leg(station, call_id)
        call = leg.call
        self._routing.check_destination(joining, call=call, not_from=station)
        added = self._board.stations.get(joining)
        if added is None or not added.in_service or added.active_leg() is not None:
            raise refusals.operation("invalidDestination")
        if len(added.legs) >= self._board.plan.appearances:
            raise refusals.operation("invalidDestination")
        self._check_talking(leg)
        if len(call.legs) >= PARTY_LIMIT:
            raise refusals.resource("conferenceMemberLimitExceeded")
        new_leg = self._board.add_leg(call, joining, LegKind.STATION, LocalState.CONNECTED)
        new_leg.silent = silent
        new_leg.answered = True
        event = Conferenced(
            call=call.facts(),
            cause=Cause.SINGLE_STEP_CONFERENCE,
            primary_old=leg.connection(),
            secondary_old=None,
            by=station,
            added=joining,
            connections=connections(call.legs),
            old_ucid=call.ucid,
        )
        self._board.tell(call, event)
        established = Established(
            call=call.facts(), cause=Cause.SINGLE_STEP_CONFERENCE, connection=new_leg.connection()
        )
        self._board.tell(call, established)
        self._board.counters["conferences"] += 1
        return event.connections

    def alternate(self, station: str, held_id: str, active_id: str) -> None:
        """Hold the active call and take the held one from hold.

        Raises:
            Refused: stateIncompatibility noHeldCall, noActiveCall.
        """
        held, active = self._pair(station, held_id, active_id)
        self._control.put_on_hold(active, Cause.ALTERNATE)
        self._control.take_from_hold(held, Cause.ALTERNATE)

    def reconnect(self, station: str, held_id: str, active_id: str) -> None:
        """Leave the active call and take the held one from hold.

        Raises:
            Refused: stateIncompatibility noHeldCall, noActiveCall.
        """
        held, active = self._pair(station, held_id, active_id)
        self._board.drop(active)
        if held in held.call.legs:
            self._control.take_from_hold(held, Cause.NORMAL)

    def _pair(self, station: str, held_id: str, active_id: str) -> tuple[Leg, Leg]:
        held = self._board.station_leg(station, held_id)
        active = self._board.station_leg(station, active_id)
        if held.state is not LocalState.HOLD:
            raise refusals.state("noHeldCall")
        if active.state is not LocalState.CONNECTED:
            raise refusals.state("noActiveCall")
        return held, active

    def _check_joinable(self, held: Leg, active: Leg) -> None:
        rest = [*held.call.others(held), *active.call.others(active)]
        devices = {leg.device for leg in rest}
        failed = any(leg.kind is LegKind.TONE for leg in rest)
        answered = any(leg.state in {LocalState.CONNECTED, LocalState.HOLD} for leg in rest)
        if failed or not answered or len(devices) != len(rest) or not active.call.others(active):
            raise refusals.state("invalidConnectionState")

    def _check_talking(self, leg: Leg) -> None:
        if leg.state is not LocalState.CONNECTED:
            raise refusals.state("noActiveCall")
        if not any(other.state is LocalState.CONNECTED for other in leg.call.others(leg)):
            raise refusals.state("invalidConnectionState")

    def _caller_after(self, leaving: Leg) -> str | None:
        """Return who counts as the caller when a station leaves: the old one, or who is left if it was itself."""
        call = leaving.call
        others = call.others(leaving)
        if call.calling == leaving.device and others:
            return others[0].device
        return call.calling

    def _merge(self, gone: Call, call: Call) -> None:
        """Put everybody of ``gone`` in front of everybody of ``call``, and end ``gone`` without telling."""
        for leg in gone.legs:
            leg.call = call
        call.legs[:0] = gone.legs
        gone.legs.clear()
        call.followers.extend(number for number in gone.followers if number not in call.followers)
        call.digits[:0] = gone.digits
        call.vdn = call.vdn or gone.vdn
        call.group = call.group or gone.group
        call.user_data = call.user_data if call.user_data is not None else gone.user_data
        self._board.counters["calls_joined"] += 1
        del self._board.calls[gone.call_id]
        match self._board.plan.merged_call_id:
            case MergedCallId.ACTIVE:
                pass
            case MergedCallId.HELD:
                self._board.rename(call, gone.call_id, gone.ucid)
            case MergedCallId.NEW:
                self._renumber(call)

    def _renumber(self, call: Call) -> None:
        call_id = self._board.numbers.next_id(self._board.calls)
        self._board.rename(call, call_id, self._board.numbers.ucid(call_id, self._board.now_s))
