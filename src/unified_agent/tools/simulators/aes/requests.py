"""What a client may ask of the switch, as CSTA requests; each is carried out and answered, or refused.

Source: aes-dmcc reference, sections 7 (agents), 8 (calls) and 10 (snapshots).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unified_agent.tools.simulators.aes import events, refusals
from unified_agent.tools.simulators.aes.agent_desk import talk_state
from unified_agent.tools.simulators.aes.calls import Call
from unified_agent.tools.simulators.aes.event_messages import PENDING_STATES, EventMessages, vendor_mode
from unified_agent.tools.simulators.aes.sessions import TWO_DIGIT_REASONS_FROM, Session
from unified_agent.tools.simulators.aes.switch import Switch
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.agent_messages import AgentEntry, AgentGroupState
from unified_agent.wire.csta.shapes import Message
from unified_agent.wire.csta.snapshot_messages import SnapshotCallEntry, SnapshotDeviceEntry
from unified_agent.wire.csta.values import (
    AgentState,
    AutoOriginate,
    ConnectionId,
    DeviceId,
    Participation,
    RequestedAgentState,
    TalkState,
    WorkMode,
    extension_of,
    third_party_device_id,
)

_ALLOWED_MODES: dict[RequestedAgentState, dict[WorkMode | None, events.WorkMode]] = {
    RequestedAgentState.LOGGED_ON: {
        None: events.WorkMode.AUX,
        WorkMode.AUX_WORK: events.WorkMode.AUX,
        WorkMode.AUTO_IN: events.WorkMode.AUTO_IN,
        WorkMode.MANUAL_IN: events.WorkMode.MANUAL_IN,
        WorkMode.AFTER_CALL_WORK: events.WorkMode.AFTER_CALL_WORK,
    },
    RequestedAgentState.LOGGED_OFF: dict.fromkeys((None, *WorkMode), events.WorkMode.LOGGED_OFF),
    RequestedAgentState.NOT_READY: {None: events.WorkMode.AUX, WorkMode.AUX_WORK: events.WorkMode.AUX},
    RequestedAgentState.READY: {
        None: events.WorkMode.AUTO_IN,
        WorkMode.AUTO_IN: events.WorkMode.AUTO_IN,
        WorkMode.MANUAL_IN: events.WorkMode.MANUAL_IN,
    },
    RequestedAgentState.WORKING_AFTER_CALL: dict.fromkeys(
        (None, WorkMode.AFTER_CALL_WORK), events.WorkMode.AFTER_CALL_WORK
    ),
}


class SwitchRequests:
    """Carries out requests on the switch.

    Args:
        switch: where; its time must have been told.
        names: how devices and connections are called on the wire.
        strict_devices: the device that commands must be one that the session asked for.
    """

    def __init__(self, switch: Switch, names: EventMessages, *, strict_devices: bool) -> None:
        self._switch = switch
        self._names = names
        self._strict_devices = strict_devices
        self._handlers: dict[type[Message], Callable[[Session, Any], Message]] = {
            csta.SetAgentState: self._set_agent_state,
            csta.GetAgentState: self._get_agent_state,
            csta.MakeCall: self._make_call,
            csta.AnswerCall: self._answer,
            csta.HoldCall: self._hold,
            csta.RetrieveCall: self._retrieve,
            csta.ClearConnection: self._clear_connection,
            csta.ConsultationCall: self._consult,
            csta.TransferCall: self._transfer,
            csta.ConferenceCall: self._conference,
            csta.AlternateCall: self._alternate,
            csta.ReconnectCall: self._reconnect,
            csta.SingleStepConferenceCall: self._single_step_conference,
            csta.SingleStepTransferCall: self._single_step_transfer,
            csta.DeflectCall: self._deflect,
            csta.GenerateDigits: self._generate_digits,
            csta.SnapshotDevice: self._snapshot_device,
            csta.SnapshotCall: self._snapshot_call,
        }

    def knows(self, request: Message) -> bool:
        """Tell whether a request is one for the switch."""
        return type(request) in self._handlers

    def perform(self, session: Session, request: Message) -> Message:
        """Carry out a request and return its answer.

        Raises:
            Refused: it cannot be carried out; nothing was changed.
        """
        return self._handlers[type(request)](session, request)

    def number(self, session: Session, device: DeviceId) -> str:
        """Return the extension of a device that commands or is observed.

        Raises:
            Refused: operation invalidDeviceID for another switch's, or one that the session never asked for.
        """
        extension = extension_of(device)
        own_id = third_party_device_id(extension, self._switch.board.plan.name)
        if own_id.casefold() != device.casefold() or (self._strict_devices and not session.knows(device)):
            raise refusals.operation("invalidDeviceID")
        return extension

    def _connection(self, session: Session, connection: ConnectionId) -> tuple[str, str]:
        return self.number(session, connection.device_id), str(connection.call_id)

    def _pair(self, session: Session, held: ConnectionId, active: ConnectionId) -> tuple[str, str, str]:
        station, held_id = self._connection(session, held)
        other, active_id = self._connection(session, active)
        if station != other:
            raise refusals.operation("notSameDevice")
        return station, held_id, active_id

    # Agents

    def _set_agent_state(self, session: Session, request: csta.SetAgentState) -> Message:
        station = self.number(session, request.device)
        mode = _ALLOWED_MODES[request.state].get(request.work_mode)
        if mode is None:
            raise refusals.operation("invalidParameterValue")
        reason = request.reason_code
        if reason is not None and reason > 9 and session.version < TWO_DIGIT_REASONS_FROM:
            raise refusals.operation("valueOutOfRange")
        desk = self._switch.agents
        if request.state is RequestedAgentState.LOGGED_ON:
            password = request.password.value if request.password is not None else ""
            desk.log_on(station, request.agent_id or "", password, mode=mode, reason=reason)
            return csta.SetAgentStateResponse(is_pending=False)
        pending = desk.set_mode(
            station,
            mode,
            agent_id=request.agent_id,
            reason=reason,
            enable_pending=bool(request.enable_pending),
        )
        return csta.SetAgentStateResponse(pending_state=PENDING_STATES[mode] if pending else None, is_pending=pending)

    def _get_agent_state(self, session: Session, request: csta.GetAgentState) -> Message:
        station = self._switch.board.working_station(self.number(session, request.device))
        agent = station.agent
        if agent is None:
            entry = AgentEntry(logged_on=False, groups=(AgentGroupState(state=AgentState.NULL),))
            return csta.GetAgentStateResponse(agents=(entry,))
        pending = agent.pending
        group = AgentGroupState(
            state=self._switch.agents.reported(station),
            pending_state=PENDING_STATES[pending.mode] if pending is not None else None,
        )
        return csta.GetAgentStateResponse(
            agents=(AgentEntry(logged_on=True, agent_id=agent.agent_id, groups=(group,)),),
            work_mode=vendor_mode(agent.mode),
            talk_state=TalkState(talk_state(station)),
            reason_code=agent.reason,
            pending_reason_code=pending.reason if pending is not None else None,
        )

    # Calls

    def _make_call(self, session: Session, request: csta.MakeCall) -> Message:
        connection = self._switch.calls.make_call(
            self.number(session, request.calling_device),
            extension_of(request.called_number),
            user_data=request.user_data,
            prompt=request.auto_originate is AutoOriginate.PROMPT,
        )
        call = self._switch.board.call(connection.call_id)
        return csta.MakeCallResponse(call=self._names.connection(connection), ucid=call.ucid)

    def _answer(self, session: Session, request: csta.AnswerCall) -> Message:
        self._switch.calls.answer(*self._connection(session, request.call))
        return csta.AnswerCallResponse()

    def _hold(self, session: Session, request: csta.HoldCall) -> Message:
        self._switch.calls.hold(*self._connection(session, request.call))
        return csta.HoldCallResponse()

    def _retrieve(self, session: Session, request: csta.RetrieveCall) -> Message:
        self._switch.calls.retrieve(*self._connection(session, request.call))
        return csta.RetrieveCallResponse()

    def _clear_connection(self, session: Session, request: csta.ClearConnection) -> Message:
        self._switch.calls.clear_connection(*self._connection(session, request.call))
        return csta.ClearConnectionResponse()

    def _consult(self, session: Session, request: csta.ConsultationCall) -> Message:
        station, call_id = self._connection(session, request.existing_call)
        connection = self._switch.calls.consult(
            station, call_id, extension_of(request.consulted_device), user_data=request.user_data
        )
        return csta.ConsultationCallResponse(call=self._names.connection(connection))

    def _transfer(self, session: Session, request: csta.TransferCall) -> Message:
        left = self._switch.joining.transfer(*self._pair(session, request.held_call, request.active_call))
        return csta.TransferCallResponse(call=self._names.connection(left[-1]))

    def _conference(self, session: Session, request: csta.ConferenceCall) -> Message:
        parties = self._switch.joining.conference(*self._pair(session, request.held_call, request.active_call))
        return csta.ConferenceCallResponse(call=self._names.connection(parties[0]))

    def _alternate(self, session: Session, request: csta.AlternateCall) -> Message:
        self._switch.joining.alternate(*self._pair(session, request.held_call, request.active_call))
        return csta.AlternateCallResponse()

    def _reconnect(self, session: Session, request: csta.ReconnectCall) -> Message:
        self._switch.joining.reconnect(*self._pair(session, request.held_call, request.active_call))
        return csta.ReconnectCallResponse()

    def _single_step_conference(self, session: Session, request: csta.SingleStepConferenceCall) -> Message:
        parties = self._switch.joining.single_step_conference(
            *self._connection(session, request.active_call),
            extension_of(request.device_to_join),
            silent=request.participation is not Participation.ACTIVE,
        )
        return csta.SingleStepConferenceCallResponse(call=self._names.connection(parties[-1]))

    def _single_step_transfer(self, session: Session, request: csta.SingleStepTransferCall) -> Message:
        left = self._switch.joining.single_step_transfer(
            *self._connection(session, request.active_call), extension_of(request.transferred_to)
        )
        return csta.SingleStepTransferCallResponse(call=self._names.connection(left[-1]))

    def _deflect(self, session: Session, request: csta.DeflectCall) -> Message:
        self._switch.calls.deflect(*self._connection(session, request.call), extension_of(request.new_destination))
        return csta.DeflectCallResponse()

    def _generate_digits(self, session: Session, request: csta.GenerateDigits) -> Message:
        self._switch.calls.send_digits(*self._connection(session, request.call), request.digits)
        return csta.GenerateDigitsResponse()

    # Snapshots

    def _snapshot_device(self, session: Session, request: csta.SnapshotDevice) -> Message:
        """Tell a station's calls. A hunt group or VDN has none of its own (Assumed: an empty answer)."""
        number = self.number(session, request.device)
        board = self._switch.board
        if number in board.groups or number in board.vdns:
            return csta.SnapshotDeviceResponse()
        station = board.station(number)
        return csta.SnapshotDeviceResponse(
            calls=tuple(
                SnapshotDeviceEntry(
                    connection=self._names.connection(leg.connection()),
                    states=(leg.state, *(other.state for other in leg.call.others(leg))),
                )
                for leg in station.legs
            )
        )

    def _snapshot_call(self, session: Session, request: csta.SnapshotCall) -> Message:
        call: Call
        if request.call.device_id:
            station, call_id = self._connection(session, request.call)
            call = self._switch.board.station_leg(station, call_id).call
        else:
            call = self._switch.board.call(str(request.call.call_id))
        return csta.SnapshotCallResponse(
            parties=tuple(
                SnapshotCallEntry(
                    device=self._names.party(leg.device),
                    connection=self._names.connection(leg.connection()),
                    local_state=leg.state,
                )
                for leg in call.legs
            )
        )
