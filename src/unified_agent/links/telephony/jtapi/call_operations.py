"""What sessions ask, as operations of JTAPI. Pure: only an ask that is no more than one operation stands here.

Source: aes-jtapi reference, sections 4 and 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from unified_agent.domain import commands
from unified_agent.domain.commands import CallCommand
from unified_agent.domain.effects import ChangeMode, LogInAgent, LogOutAgent
from unified_agent.domain.states import SwitchMode
from unified_agent.errors import LocalProtocolError
from unified_agent.links.telephony.jtapi import provider
from unified_agent.links.telephony.jtapi.constants import AgentState, WorkMode

#: Separators that people write in numbers and no switch dials.
_SEPARATORS: Final = str.maketrans("", "", " ()./-")

_MODES: Final = {
    SwitchMode.READY: (AgentState.READY, WorkMode.AUTO_IN),
    SwitchMode.NOT_READY: (AgentState.NOT_READY, WorkMode.NONE),
    SwitchMode.WRAP_UP: (AgentState.WORK_NOT_READY, WorkMode.NONE),
}


def log_in(station: str, ask: LogInAgent) -> provider.LogIn:
    """Log an agent in, not ready."""
    return provider.LogIn(station=station, agent=ask.agent, password=ask.password, reason=ask.reason)


def log_out(station: str, ask: LogOutAgent) -> provider.LogOut:
    """Log an agent out; JTAPI wants no password for it."""
    return provider.LogOut(station=station, agent=ask.agent, reason=ask.reason)


def change_mode(station: str, ask: ChangeMode) -> provider.SetState | provider.LogOut:
    """Ask for a work mode.

    Raises:
        LocalProtocolError: a mode that nobody can ask for.
    """
    if ask.mode is SwitchMode.LOGGED_OUT:
        return provider.LogOut(station=station, agent=ask.agent, reason=ask.reason)
    if ask.mode not in _MODES:
        raise LocalProtocolError(f"the switch cannot be asked for {ask.mode}")
    state, work_mode = _MODES[ask.mode]
    return provider.SetState(
        station=station,
        agent=ask.agent,
        state=state,
        work_mode=work_mode,
        reason=ask.reason,
        may_wait=ask.may_wait,
    )


def call_operation(station: str, command: CallCommand) -> provider.Operation:
    """Say a command as an operation.

    Raises:
        LocalProtocolError: a command that has no row here.
    """
    make = _OPERATIONS.get(type(command))
    if make is None:
        raise LocalProtocolError(f"no JTAPI operation for {type(command).__name__}")
    return make(station, command)


def _dialled(number: str) -> str:
    return number.translate(_SEPARATORS)


_OPERATIONS: Final[dict[type[CallCommand], Callable[[str, Any], provider.Operation]]] = {
    commands.MakeCall: lambda at, it: provider.Dial(station=at, number=_dialled(it.number)),
    commands.AnswerCall: lambda at, it: provider.Answer(station=at, call=it.call),
    commands.HoldCall: lambda at, it: provider.Hold(station=at, call=it.call),
    commands.RetrieveCall: lambda at, it: provider.Unhold(station=at, call=it.call),
    commands.HangUpCall: lambda at, it: provider.HangUp(station=at, call=it.call),
    commands.ConsultCall: lambda at, it: provider.Consult(station=at, call=it.call, number=_dialled(it.number)),
    commands.SwapCalls: lambda at, it: provider.Swap(station=at, held=it.held, active=it.active),
    commands.ReconnectCall: lambda at, it: provider.Reconnect(station=at, held=it.held, active=it.active),
    commands.TransferCall: lambda at, it: provider.Transfer(station=at, held=it.held, active=it.active),
    commands.ConferenceCalls: lambda at, it: provider.Conference(station=at, held=it.held, active=it.active),
    commands.BlindTransferCall: lambda at, it: provider.BlindTransfer(
        station=at, call=it.call, number=_dialled(it.number)
    ),
    commands.AddToCall: lambda at, it: provider.AddParty(station=at, call=it.call, number=_dialled(it.number)),
    commands.DeflectCall: lambda at, it: provider.Redirect(station=at, call=it.call, number=_dialled(it.number)),
    commands.SendDigits: lambda at, it: provider.SendTones(station=at, call=it.call, digits=it.digits),
}
