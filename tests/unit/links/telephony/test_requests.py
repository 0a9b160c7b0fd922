from __future__ import annotations

from typing import Any

import pytest

from unified_agent.domain import commands as c
from unified_agent.domain.commands import CallCommand
from unified_agent.domain.effects import ChangeMode, LogInAgent, LogOutAgent
from unified_agent.domain.ids import AgentId, CallId, Secret
from unified_agent.domain.states import SwitchMode
from unified_agent.errors import LocalProtocolError
from unified_agent.links.telephony.requests import Caller, change_mode, log_in, log_out
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta import values
from unified_agent.wire.csta.values import ConnectionId, RequestedAgentState, WorkMode

AGENT = AgentId("5001")
OWN = values.third_party_device_id("2001", "CM1")
OTHER = values.third_party_device_id("02079460123", "CM1")
ONE, TWO = CallId("1"), CallId("2")


def leg(call: CallId) -> ConnectionId:
    return ConnectionId(values.CallId(call), OWN)


@pytest.mark.parametrize(
    ("command", "request_"),
    [
        (c.MakeCall(number="020 7946-0123"), csta.MakeCall(calling_device=OWN, called_number=OTHER)),
        (c.AnswerCall(call=ONE), csta.AnswerCall(call=leg(ONE))),
        (c.HoldCall(call=ONE), csta.HoldCall(call=leg(ONE))),
        (c.RetrieveCall(call=ONE), csta.RetrieveCall(call=leg(ONE))),
        (c.HangUpCall(call=ONE), csta.ClearConnection(call=leg(ONE))),
        (
            c.ConsultCall(call=ONE, number="(020) 7946 0123"),
            csta.ConsultationCall(existing_call=leg(ONE), consulted_device=OTHER),
        ),
        (c.SwapCalls(active=ONE, held=TWO), csta.AlternateCall(held_call=leg(TWO), active_call=leg(ONE))),
        (c.ReconnectCall(active=ONE, held=TWO), csta.ReconnectCall(active_call=leg(ONE), held_call=leg(TWO))),
        (c.TransferCall(active=ONE, held=TWO), csta.TransferCall(held_call=leg(TWO), active_call=leg(ONE))),
        (c.ConferenceCalls(active=ONE, held=TWO), csta.ConferenceCall(held_call=leg(TWO), active_call=leg(ONE))),
        (
            c.BlindTransferCall(call=ONE, number="02079460123"),
            csta.SingleStepTransferCall(active_call=leg(ONE), transferred_to=OTHER),
        ),
        (
            c.AddToCall(call=ONE, number="02079460123"),
            csta.SingleStepConferenceCall(
                active_call=leg(ONE), device_to_join=OTHER, participation=values.Participation.ACTIVE
            ),
        ),
        (
            c.DeflectCall(call=ONE, number="02079460123"),
            csta.DeflectCall(call=leg(ONE), new_destination=OTHER),
        ),
        (c.SendDigits(call=ONE, digits="12#"), csta.GenerateDigits(call=leg(ONE), digits="12#")),
    ],
)
def test_each_command_about_calls_becomes_its_csta_request(command: CallCommand, request_: csta.Message) -> None:
    assert Caller(OWN, "CM1").request(command) == request_


def test_every_command_about_calls_has_a_request() -> None:
    kinds: list[Any] = CallCommand.__subclasses__()
    asked = {type(each[0]) for each in test_each_command_about_calls_becomes_its_csta_request.pytestmark[0].args[1]}  # type: ignore[attr-defined]
    assert asked == set(kinds)


def test_a_command_without_a_row_is_a_defect_of_ours() -> None:
    with pytest.raises(LocalProtocolError, match="CallCommand"):
        Caller(OWN, "CM1").request(CallCommand())


@pytest.mark.parametrize(
    ("mode", "state", "work_mode"),
    [
        (SwitchMode.READY, RequestedAgentState.READY, WorkMode.AUTO_IN),
        (SwitchMode.NOT_READY, RequestedAgentState.NOT_READY, WorkMode.AUX_WORK),
        (SwitchMode.WRAP_UP, RequestedAgentState.WORKING_AFTER_CALL, WorkMode.AFTER_CALL_WORK),
        (SwitchMode.LOGGED_OUT, RequestedAgentState.LOGGED_OFF, None),
    ],
)
def test_each_mode_is_asked_for_with_its_work_mode_and_reason(
    mode: SwitchMode, state: RequestedAgentState, work_mode: WorkMode | None
) -> None:
    asked = change_mode(OWN, ChangeMode(agent=AGENT, mode=mode, reason=3))
    assert asked == csta.SetAgentState(device=OWN, state=state, agent_id=AGENT, work_mode=work_mode, reason_code=3)


def test_a_change_that_may_wait_for_the_end_of_a_call_says_so() -> None:
    asked = change_mode(OWN, ChangeMode(agent=AGENT, mode=SwitchMode.NOT_READY, may_wait=True))
    assert asked.enable_pending is True


def test_a_mode_that_only_the_switch_can_give_is_not_asked_for() -> None:
    modes = set(SwitchMode) - {SwitchMode.READY, SwitchMode.NOT_READY, SwitchMode.WRAP_UP, SwitchMode.LOGGED_OUT}
    assert modes
    for mode in modes:
        with pytest.raises(LocalProtocolError):
            change_mode(OWN, ChangeMode(agent=AGENT, mode=mode))


def test_an_agent_logs_in_not_ready_and_the_password_is_hidden_from_every_repr() -> None:
    for asked, state in (
        (log_in(OWN, LogInAgent(agent=AGENT, password=Secret("hunter2"), reason=1)), RequestedAgentState.LOGGED_ON),
        (log_out(OWN, LogOutAgent(agent=AGENT, password=Secret("hunter2"), reason=1)), RequestedAgentState.LOGGED_OFF),
    ):
        assert (asked.state, asked.agent_id, asked.reason_code) == (state, AGENT, 1)
        assert asked.password is not None
        assert asked.password.value == "hunter2"
        assert "hunter2" not in repr(asked)
    assert log_in(OWN, LogInAgent(agent=AGENT, password=Secret("x"))).work_mode is WorkMode.AUX_WORK
