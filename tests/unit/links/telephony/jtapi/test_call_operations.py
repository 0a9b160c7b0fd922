"""What sessions ask, in the words of JTAPI."""

from __future__ import annotations

from typing import Any

import pytest

from unified_agent.domain import commands
from unified_agent.domain.commands import CallCommand
from unified_agent.domain.effects import ChangeMode
from unified_agent.domain.ids import AgentId, CallId
from unified_agent.domain.states import SwitchMode
from unified_agent.errors import LocalProtocolError
from unified_agent.links.telephony.jtapi import provider
from unified_agent.links.telephony.jtapi.call_operations import call_operation, change_mode
from unified_agent.links.telephony.jtapi.constants import AgentState, WorkMode

A, B = CallId("7"), CallId("8")
AT: Any = {"station": "2001"}

ROWS: list[tuple[CallCommand, provider.Operation]] = [
    (commands.MakeCall(number="+44 (20) 7946-0.00/1"), provider.Dial(number="+442079460001", **AT)),
    (commands.AnswerCall(call=A), provider.Answer(call="7", **AT)),
    (commands.HoldCall(call=A), provider.Hold(call="7", **AT)),
    (commands.RetrieveCall(call=A), provider.Unhold(call="7", **AT)),
    (commands.HangUpCall(call=A), provider.HangUp(call="7", **AT)),
    (commands.ConsultCall(call=A, number="20 02"), provider.Consult(call="7", number="2002", **AT)),
    (commands.SwapCalls(held=A, active=B), provider.Swap(held="7", active="8", **AT)),
    (commands.ReconnectCall(held=A, active=B), provider.Reconnect(held="7", active="8", **AT)),
    (commands.TransferCall(held=A, active=B), provider.Transfer(held="7", active="8", **AT)),
    (commands.ConferenceCalls(held=A, active=B), provider.Conference(held="7", active="8", **AT)),
    (commands.BlindTransferCall(call=A, number="20-02"), provider.BlindTransfer(call="7", number="2002", **AT)),
    (commands.AddToCall(call=A, number="2002"), provider.AddParty(call="7", number="2002", **AT)),
    (commands.DeflectCall(call=A, number="2002"), provider.Redirect(call="7", number="2002", **AT)),
    (commands.SendDigits(call=A, digits="12#"), provider.SendTones(call="7", digits="12#", **AT)),
]


@pytest.mark.parametrize(("command", "operation"), ROWS, ids=[type(row[0]).__name__ for row in ROWS])
def test_command_becomes_its_operation(command: CallCommand, operation: provider.Operation) -> None:
    assert call_operation("2001", command) == operation


def test_every_call_command_has_an_operation() -> None:
    ours = {each for each in CallCommand.__subclasses__() if each.__module__ == commands.__name__}
    assert {type(row[0]) for row in ROWS} == ours


def test_command_without_a_row_is_refused() -> None:
    class Unheard(CallCommand, frozen=True, kw_only=True):
        pass

    with pytest.raises(LocalProtocolError):
        call_operation("2001", Unheard())


@pytest.mark.parametrize(
    ("mode", "state", "work_mode"),
    [
        (SwitchMode.READY, AgentState.READY, WorkMode.AUTO_IN),
        (SwitchMode.NOT_READY, AgentState.NOT_READY, WorkMode.NONE),
        (SwitchMode.WRAP_UP, AgentState.WORK_NOT_READY, WorkMode.NONE),
    ],
)
def test_mode_is_a_state_and_a_work_mode(mode: SwitchMode, state: AgentState, work_mode: WorkMode) -> None:
    ask = ChangeMode(agent=AgentId("5001"), mode=mode, reason=3, may_wait=True)
    assert change_mode("2001", ask) == provider.SetState(
        agent="5001", state=state, work_mode=work_mode, reason=3, may_wait=True, **AT
    )


def test_logged_out_is_asked_for_as_a_log_out() -> None:
    ask = ChangeMode(agent=AgentId("5001"), mode=SwitchMode.LOGGED_OUT, reason=3)
    assert change_mode("2001", ask) == provider.LogOut(agent="5001", reason=3, **AT)
