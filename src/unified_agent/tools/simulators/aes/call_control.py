"""What a station can do with its calls: make, answer, hold, retrieve, clear, consult, deflect, send digits."""

from __future__ import annotations

from unified_agent.tools.simulators.aes import refusals
from unified_agent.tools.simulators.aes.calls import Call, Leg, LegKind
from unified_agent.tools.simulators.aes.events import (
    Connection,
    Held,
    Originated,
    Retrieved,
    ServiceInitiated,
)
from unified_agent.tools.simulators.aes.routing import Routing
from unified_agent.tools.simulators.aes.switchboard import Station, Switchboard
from unified_agent.wire.csta.values import Cause, LocalState

DIGITS = frozenset("0123456789*#ABCD")


class CallControl:
    """Commands on calls. Each checks first and then acts, so that a refused one has changed nothing.

    All raise ``Refused`` with operation invalidDeviceID, invalidCallID or invalidConnectionID for what does not exist,
    and systemResourceAvailibility deviceOutOfService for a station that is unplugged; what else is said there.
    """

    def __init__(self, board: Switchboard, routing: Routing) -> None:
        self._board = board
        self._routing = routing

    def make_call(
        self, station_number: str, number: str, *, user_data: bytes | None = None, prompt: bool = False
    ) -> Connection:
        """Call a number from a station.

        Args:
            station_number: who calls.
            number: station, agent id, hunt group, VDN or outside number.
            user_data: travels with the call.
            prompt: the telephone rings its owner first; the call goes out when the handset is lifted.

        Returns:
            The caller's connection.

        Raises:
            Refused: operation invalidDestination; stateIncompatibility invalidDeviceState when the station is in an
                active call or has no free appearance (Assumed: this value).
        """
        station = self._board.working_station(station_number)
        self._routing.check_destination(number, not_from=station_number)
        self._check_free(station)
        leg = self._begin(station, number, user_data)
        if prompt:
            self._lift_later(leg, number)
        else:
            self._dial(leg, number, Cause.NEW_CALL)
        return leg.connection()

    def answer(self, station_number: str, call_id: str) -> None:
        """Answer a call that rings.

        Raises:
            Refused: stateIncompatibility noCallToAnswer, or connectedCallExists when the station is in an active call
                and the plan has no ``auto_hold`` (Assumed: this value).
        """
        leg = self._board.station_leg(station_number, call_id)
        if leg.state is not LocalState.ALERTING:
            raise refusals.state("noCallToAnswer")
        self._make_room(self._board.stations[station_number])
        self._routing.answer(leg)

    def hold(self, station_number: str, call_id: str) -> None:
        """Put a connected call on hold.

        Raises:
            Refused: stateIncompatibility invalidConnectionState when held already, noActiveCall otherwise.
        """
        leg = self._board.station_leg(station_number, call_id)
        self._check_connected(leg)
        self.put_on_hold(leg, Cause.NORMAL)

    def retrieve(self, station_number: str, call_id: str) -> None:
        """Take a call from hold.

        Raises:
            Refused: stateIncompatibility noHeldCall, or connectedCallExists as for ``answer``.
        """
        leg = self._board.station_leg(station_number, call_id)
        if leg.state is not LocalState.HOLD:
            raise refusals.state("noHeldCall")
        self._make_room(self._board.stations[station_number])
        self.take_from_hold(leg, Cause.NORMAL)

    def clear_connection(self, station_number: str, call_id: str) -> None:
        """Leave a call.

        Raises:
            Refused: stateIncompatibility noCallToClear while the call only rings here (Assumed: a ringing call can be
                deflected but not cleared).
        """
        leg = self._board.station_leg(station_number, call_id)
        if leg.state is LocalState.ALERTING:
            raise refusals.state("noCallToClear")
        self._board.drop(leg)

    def clear_call(self, call_id: str, station_number: str | None = None) -> None:
        """End a call for everybody.

        Args:
            call_id: which call.
            station_number: who asks, if that was said; must be in the call.
        """
        if station_number is None:
            self._board.end(self._board.call(call_id))
        else:
            self._board.end(self._board.station_leg(station_number, call_id).call)

    def consult(self, station_number: str, call_id: str, number: str, *, user_data: bytes | None = None) -> Connection:
        """Put a call on hold, if it is not yet, and call somebody about it.

        Returns:
            The station's connection in the new call.

        Raises:
            Refused: operation invalidDestination; stateIncompatibility noActiveCall when the call is neither connected
                nor held, invalidDeviceState as for ``make_call``.
        """
        leg = self._board.station_leg(station_number, call_id)
        station = self._board.stations[station_number]
        self._routing.check_destination(number, not_from=station_number)
        if leg.state is LocalState.CONNECTED:
            if len(station.legs) >= self._board.plan.appearances:
                raise refusals.state("invalidDeviceState")
            self.put_on_hold(leg, Cause.CONSULTATION)
        elif leg.state is LocalState.HOLD:
            self._check_free(station)
        else:
            raise refusals.state("noActiveCall")
        data = user_data if user_data is not None else leg.call.user_data
        new_leg = self._begin(station, number, data)
        self._dial(new_leg, number, Cause.CONSULTATION)
        return new_leg.connection()

    def deflect(self, station_number: str, call_id: str, number: str) -> None:
        """Send a ringing call elsewhere.

        Raises:
            Refused: operation invalidDestination; stateIncompatibility invalidConnectionState when it does not ring.
        """
        leg = self._board.station_leg(station_number, call_id)
        if leg.state is not LocalState.ALERTING:
            raise refusals.state("invalidConnectionState")
        self._routing.check_destination(number, call=leg.call, not_from=station_number)
        self._routing.divert(leg, number, Cause.REDIRECTED)

    def send_digits(self, station_number: str, call_id: str, digits: str) -> None:
        """Send tones into a connected call.

        Raises:
            Refused: operation invalidParameterValue for anything but 0-9, *, #, A-D, or for nothing at all;
                stateIncompatibility as for ``hold``.
        """
        leg = self._board.station_leg(station_number, call_id)
        if not digits or not DIGITS.issuperset(digits.upper()):
            raise refusals.operation("invalidParameterValue")
        self._check_connected(leg)
        leg.call.digits.append((station_number, digits))

    def put_on_hold(self, leg: Leg, cause: Cause) -> None:
        """Hold a connected leg, and tell it."""
        self._board.set_state(leg, LocalState.HOLD)
        event = Held(call=leg.call.facts(), cause=cause, connection=leg.connection())
        self._board.tell(leg.call, event)

    def take_from_hold(self, leg: Leg, cause: Cause) -> None:
        """Connect a held leg, and tell it."""
        self._board.set_state(leg, LocalState.CONNECTED)
        event = Retrieved(call=leg.call.facts(), cause=cause, connection=leg.connection())
        self._board.tell(leg.call, event)
        self._routing.start_talking(leg.call)

    def begin_outside_call(
        self, caller: str, number: str, *, user_data: bytes | None, patience_s: float | None, talk_s: float | None
    ) -> Call:
        """Let somebody outside call in.

        Args:
            caller: their number.
            number: what they dialled.
            user_data: travels with the call.
            patience_s: they hang up when nobody answered for this long; None: they never do.
            talk_s: they hang up after having talked this long; None: they never do.

        Raises:
            Refused: operation invalidDestination when the number is not of this switch, invalidCallingDeviceID when the
                caller's number is.
        """
        if self._routing.is_inside(caller):
            raise refusals.operation("invalidCallingDeviceID")
        if not self._routing.is_inside(number):
            raise refusals.operation("invalidDestination")
        call = self._board.new_call(calling=caller, called=number, user_data=user_data)
        leg = self._board.add_leg(call, caller, LegKind.OUTSIDE, LocalState.CONNECTED)
        leg.talk_limit_s = talk_s
        self._routing.offer(call, number, Cause.NEW_CALL)
        if patience_s is not None:
            self._routing.give_up_later(leg, patience_s)
        return call

    def _begin(self, station: Station, number: str, user_data: bytes | None) -> Leg:
        call = self._board.new_call(calling=station.number, called=number, user_data=user_data)
        leg = self._board.add_leg(call, station.number, LegKind.STATION, LocalState.INITIATED)
        event = ServiceInitiated(call=call.facts(), cause=Cause.MAKE_CALL, connection=leg.connection())
        self._board.tell(call, event)
        return leg

    def _dial(self, leg: Leg, number: str, cause: Cause) -> None:
        self._board.set_state(leg, LocalState.CONNECTED)
        event = Originated(call=leg.call.facts(), cause=cause, connection=leg.connection())
        self._board.tell(leg.call, event)
        self._routing.offer(leg.call, number, cause)

    def _lift_later(self, leg: Leg, number: str) -> None:
        def lift() -> None:
            if leg not in leg.call.legs or leg.state is not LocalState.INITIATED:
                return
            try:
                self._routing.check_destination(number, call=leg.call)
            except refusals.Refused:  # the number is an agent's, who meanwhile logged on here
                self._board.drop(leg)
            else:
                self._dial(leg, number, Cause.NEW_CALL)

        self._board.timers.at(self._board.now_s + self._board.plan.lift_s, lift)

    def _check_free(self, station: Station) -> None:
        if station.active_leg() is not None or len(station.legs) >= self._board.plan.appearances:
            raise refusals.state("invalidDeviceState")

    def _check_connected(self, leg: Leg) -> None:
        if leg.state is LocalState.HOLD:
            raise refusals.state("invalidConnectionState")
        if leg.state is not LocalState.CONNECTED:
            raise refusals.state("noActiveCall")

    def _make_room(self, station: Station) -> None:
        """Hold the active call of a station if the plan says so; a call being dialled can never be held."""
        active = station.active_leg()
        if active is None:
            return
        if not self._board.plan.auto_hold or active.state is not LocalState.CONNECTED:
            raise refusals.state("connectedCallExists")
        self.put_on_hold(active, Cause.NORMAL)
