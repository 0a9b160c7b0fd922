"""What a desktop or a session asks, as CSTA requests.

Source: aes-dmcc reference, sections 7 and 8.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from unified_agent.domain import commands
from unified_agent.domain.commands import CallCommand
from unified_agent.domain.effects import ChangeMode, LogInAgent, LogOutAgent
from unified_agent.domain.ids import CallId
from unified_agent.domain.states import SwitchMode
from unified_agent.errors import LocalProtocolError
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta import values
from unified_agent.wire.csta.values import ConnectionId, DeviceId, RequestedAgentState, WorkMode

#: Separators that people write in numbers and no switch dials.
_SEPARATORS: Final = str.maketrans("", "", " ()./-")

_MODES: Final[dict[SwitchMode, tuple[RequestedAgentState, WorkMode | None]]] = {
    SwitchMode.READY: (RequestedAgentState.READY, WorkMode.AUTO_IN),
    SwitchMode.NOT_READY: (RequestedAgentState.NOT_READY, WorkMode.AUX_WORK),
    SwitchMode.WRAP_UP: (RequestedAgentState.WORKING_AFTER_CALL, WorkMode.AFTER_CALL_WORK),
    SwitchMode.LOGGED_OUT: (RequestedAgentState.LOGGED_OFF, None),
}


def log_in(device: DeviceId, ask: LogInAgent) -> csta.SetAgentState:
    """Log an agent in, not ready."""
    return csta.SetAgentState(
        device=device,
        state=RequestedAgentState.LOGGED_ON,
        agent_id=ask.agent,
        password=values.Secret(ask.password.value),
        work_mode=WorkMode.AUX_WORK,
        reason_code=ask.reason,
    )


def log_out(device: DeviceId, ask: LogOutAgent) -> csta.SetAgentState:
    """Log an agent out."""
    return csta.SetAgentState(
        device=device,
        state=RequestedAgentState.LOGGED_OFF,
        agent_id=ask.agent,
        password=values.Secret(ask.password.value),
        reason_code=ask.reason,
    )


def change_mode(device: DeviceId, ask: ChangeMode) -> csta.SetAgentState:
    """Ask for a work mode.

    Raises:
        LocalProtocolError: a mode that nobody can ask for.
    """
    if ask.mode not in _MODES:
        raise LocalProtocolError(f"the switch cannot be asked for {ask.mode}")
    state, work_mode = _MODES[ask.mode]
    return csta.SetAgentState(
        device=device,
        state=state,
        agent_id=ask.agent,
        work_mode=work_mode,
        reason_code=ask.reason,
        enable_pending=True if ask.may_wait else None,
    )


class Caller:
    """Makes call requests for one station.

    Args:
        device: the station's device id.
        switch_name: as AES calls the switch, for the ids of those who are dialled.
    """

    def __init__(self, device: DeviceId, switch_name: str) -> None:
        self._device = device
        self._switch_name = switch_name

    def request(self, command: CallCommand) -> csta.Message:
        """Say a command in CSTA.

        Raises:
            LocalProtocolError: a command that has no row here.
        """
        make = _CALL_REQUESTS.get(type(command))
        if make is None:
            raise LocalProtocolError(f"no CSTA request for {type(command).__name__}")
        return make(self, command)

    def own(self, call: CallId) -> ConnectionId:
        """Name the station's part in a call."""
        return ConnectionId(values.CallId(call), self._device)

    def dialled(self, number: str) -> DeviceId:
        """Name whoever answers at a number. Assumed: AES takes any dial string before the switch's name."""
        return values.third_party_device_id(number.translate(_SEPARATORS), self._switch_name)

    @property
    def device(self) -> DeviceId:
        """The station."""
        return self._device


_CALL_REQUESTS: Final[dict[type[CallCommand], Callable[[Caller, Any], csta.Message]]] = {
    commands.MakeCall: lambda own, it: csta.MakeCall(calling_device=own.device, called_number=own.dialled(it.number)),
    commands.AnswerCall: lambda own, it: csta.AnswerCall(call=own.own(it.call)),
    commands.HoldCall: lambda own, it: csta.HoldCall(call=own.own(it.call)),
    commands.RetrieveCall: lambda own, it: csta.RetrieveCall(call=own.own(it.call)),
    commands.HangUpCall: lambda own, it: csta.ClearConnection(call=own.own(it.call)),
    commands.ConsultCall: lambda own, it: csta.ConsultationCall(
        existing_call=own.own(it.call), consulted_device=own.dialled(it.number)
    ),
    commands.SwapCalls: lambda own, it: csta.AlternateCall(held_call=own.own(it.held), active_call=own.own(it.active)),
    commands.ReconnectCall: lambda own, it: csta.ReconnectCall(
        active_call=own.own(it.active), held_call=own.own(it.held)
    ),
    commands.TransferCall: lambda own, it: csta.TransferCall(
        held_call=own.own(it.held), active_call=own.own(it.active)
    ),
    commands.ConferenceCalls: lambda own, it: csta.ConferenceCall(
        held_call=own.own(it.held), active_call=own.own(it.active)
    ),
    commands.BlindTransferCall: lambda own, it: csta.SingleStepTransferCall(
        active_call=own.own(it.call), transferred_to=own.dialled(it.number)
    ),
    commands.AddToCall: lambda own, it: csta.SingleStepConferenceCall(
        active_call=own.own(it.call),
        device_to_join=own.dialled(it.number),
        participation=values.Participation.ACTIVE,
    ),
    commands.DeflectCall: lambda own, it: csta.DeflectCall(
        call=own.own(it.call), new_destination=own.dialled(it.number)
    ),
    commands.SendDigits: lambda own, it: csta.GenerateDigits(call=own.own(it.call), digits=it.digits),
}
