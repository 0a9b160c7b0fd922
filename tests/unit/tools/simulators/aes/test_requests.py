"""Requests about agents and calls are carried out, or refused with the value for their fault."""

from __future__ import annotations

import pytest
from tests.unit.tools.simulators.aes.client import ANN, BOB, VDN, Client, error

from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.error_messages import ErrorClass
from unified_agent.wire.csta.session_messages import PROTOCOL_VERSION_BASE
from unified_agent.wire.csta.values import (
    AgentState,
    AutoOriginate,
    CallId,
    ConnectionId,
    DeviceId,
    Participation,
    RequestedAgentState,
    Secret,
    TalkState,
)
from unified_agent.wire.csta.values import WorkMode as VendorMode


def test_agent_logs_on_works_and_logs_off_as_events_and_queries_tell() -> None:
    client = Client()
    client.ready(ANN)
    assert isinstance(client.log_on(work_mode=VendorMode.AUX_WORK, reason_code=1), csta.SetAgentStateResponse)
    assert client.event_names() == ["AgentLoggedOnEvent", "AgentNotReadyEvent"]
    ready = csta.SetAgentState(
        device=ANN, state=RequestedAgentState.READY, agent_id="5001", work_mode=VendorMode.MANUAL_IN
    )
    client.ask(ready)
    assert client.event_names() == ["AgentReadyEvent"]
    connection = client.call_in("8000")
    pending = client.ask(
        csta.SetAgentState(
            device=ANN, state=RequestedAgentState.NOT_READY, agent_id="5001", reason_code=3, enable_pending=True
        )
    )
    assert isinstance(pending, csta.SetAgentStateResponse)
    assert (pending.is_pending, pending.pending_state) == (True, AgentState.NOT_READY)
    answer = client.ask(csta.GetAgentState(device=ANN))
    assert isinstance(answer, csta.GetAgentStateResponse)
    (entry,) = answer.agents
    assert (entry.agent_id, entry.state, entry.groups[0].pending_state) == (
        "5001",
        AgentState.BUSY,
        AgentState.NOT_READY,
    )
    assert (answer.work_mode, answer.talk_state, answer.pending_reason_code) == (
        VendorMode.MANUAL_IN,
        TalkState.ON_CALL,
        3,
    )
    client.take()
    client.ask(csta.ClearConnection(call=connection))
    (not_ready,) = client.take(csta.AgentNotReadyEvent)
    assert not_ready.reason_code == 3
    client.ask(csta.SetAgentState(device=ANN, state=RequestedAgentState.LOGGED_OFF, agent_id="5001", reason_code=9))
    (off,) = client.take(csta.AgentLoggedOffEvent)
    assert off.reason_code == 9
    answer = client.ask(csta.GetAgentState(device=ANN))
    assert isinstance(answer, csta.GetAgentStateResponse)
    assert answer.agents[0].state is AgentState.NULL


@pytest.mark.parametrize(
    ("state", "mode"),
    [
        (RequestedAgentState.READY, VendorMode.AUX_WORK),
        (RequestedAgentState.READY, VendorMode.AFTER_CALL_WORK),
        (RequestedAgentState.NOT_READY, VendorMode.AUTO_IN),
        (RequestedAgentState.WORKING_AFTER_CALL, VendorMode.AUX_WORK),
    ],
)
def test_state_and_work_mode_that_contradict_are_refused(state: RequestedAgentState, mode: VendorMode) -> None:
    client = Client()
    client.ready()
    client.log_on()
    answer = client.ask(csta.SetAgentState(device=ANN, state=state, agent_id="5001", work_mode=mode))
    assert error(answer) == ("operation", "invalidParameterValue")


def test_reason_codes_have_one_digit_before_private_version_7() -> None:
    client = Client()
    client.start(protocol_versions=(PROTOCOL_VERSION_BASE + "ed3/priv6",))
    client.ask(csta.GetThirdPartyDeviceId(switch_name="CM1", extension="2001"))
    assert error(client.log_on(reason_code=10)) == ("operation", "valueOutOfRange")
    assert isinstance(client.log_on(reason_code=9), csta.SetAgentStateResponse)


def test_wrong_password_is_refused_with_the_references_value() -> None:
    client = Client()
    client.ready()
    wrong = csta.SetAgentState(
        device=ANN, state=RequestedAgentState.LOGGED_ON, agent_id="5001", password=Secret("9999")
    )
    assert error(client.ask(wrong)) == ("operation", "invalidAgentPassword")
    nobody = csta.SetAgentState(device=ANN, state=RequestedAgentState.LOGGED_ON)
    assert error(client.ask(nobody)) == ("operation", "invalidAgentIdentifier")


def test_each_request_on_calls_is_carried_out_and_answered() -> None:
    client = Client()
    client.ready(ANN)
    first = client.call_in()
    assert isinstance(client.ask(csta.GenerateDigits(call=first, digits="1")), csta.GenerateDigitsResponse)
    assert isinstance(client.ask(csta.HoldCall(call=first)), csta.HoldCallResponse)
    assert isinstance(client.ask(csta.RetrieveCall(call=first)), csta.RetrieveCallResponse)
    consulted = client.ask(csta.ConsultationCall(existing_call=first, consulted_device=BOB))
    assert isinstance(consulted, csta.ConsultationCallResponse)
    second = consulted.call
    assert second is not None
    client.ask(csta.AnswerCall(call=ConnectionId(second.call_id, BOB)))
    pair = {"held_call": first, "active_call": second}
    assert isinstance(client.ask(csta.AlternateCall(**pair)), csta.AlternateCallResponse)
    back = {"held_call": second, "active_call": first}
    assert isinstance(client.ask(csta.AlternateCall(**back)), csta.AlternateCallResponse)
    joined = client.ask(csta.ConferenceCall(**pair))
    assert isinstance(joined, csta.ConferenceCallResponse)
    assert joined.call == second
    third = client.ask(
        csta.SingleStepConferenceCall(
            active_call=second, device_to_join=DeviceId("2003:CM1::0"), participation=Participation.ACTIVE
        )
    )
    assert isinstance(third, csta.SingleStepConferenceCallResponse)
    assert third.call == ConnectionId(second.call_id, DeviceId("2003:CM1::0"))
    away = client.ask(csta.SingleStepTransferCall(active_call=second, transferred_to=DeviceId("2004")))
    assert isinstance(away, csta.SingleStepTransferCallResponse)
    assert away.call == ConnectionId(second.call_id, DeviceId("2004:CM1::0"))
    names = client.event_names()
    assert names.count("ConferencedEvent") == 2
    assert names.count("TransferedEvent") == 1


def test_reconnect_and_deflect_are_carried_out() -> None:
    client = Client()
    client.ready()
    first = client.call_in()
    consulted = client.ask(csta.ConsultationCall(existing_call=first, consulted_device=BOB))
    assert isinstance(consulted, csta.ConsultationCallResponse)
    assert consulted.call is not None
    answer = client.ask(csta.ReconnectCall(active_call=consulted.call, held_call=first))
    assert isinstance(answer, csta.ReconnectCallResponse)
    call_id = client.simulator.switch.place_call("5559998", "2002")
    deflect = csta.DeflectCall(call=ConnectionId(CallId(call_id), BOB), new_destination=DeviceId("2003:CM1::0"))
    assert isinstance(client.ask(deflect), csta.DeflectCallResponse)


def test_two_stations_cannot_be_named_in_one_transfer() -> None:
    client = Client()
    client.ready()
    first = client.call_in()
    other = ConnectionId(first.call_id, BOB)
    assert error(client.ask(csta.TransferCall(held_call=first, active_call=other))) == ("operation", "notSameDevice")


@pytest.mark.parametrize(
    ("originate", "names"),
    [
        (AutoOriginate.DO_NOT_PROMPT, ["ServiceInitiatedEvent", "OriginatedEvent", "DeliveredEvent"]),
        (AutoOriginate.PROMPT, ["ServiceInitiatedEvent"]),
    ],
)
def test_call_is_made_with_its_universal_id(originate: AutoOriginate, names: list[str]) -> None:
    client = Client()
    client.ready(ANN)
    answer = client.ask(csta.MakeCall(calling_device=ANN, called_number=BOB, auto_originate=originate))
    assert isinstance(answer, csta.MakeCallResponse)
    assert answer.ucid == client.simulator.switch.board.calls[answer.call.call_id].ucid
    assert client.event_names() == names


def test_snapshots_tell_calls_and_parties() -> None:
    client = Client()
    client.ready()
    empty = client.ask(csta.SnapshotDevice(device=ANN))
    assert isinstance(empty, csta.SnapshotDeviceResponse)
    assert empty.calls == ()
    connection = client.call_in()
    device = client.ask(csta.SnapshotDevice(device=ANN))
    assert isinstance(device, csta.SnapshotDeviceResponse)
    assert [(entry.connection, entry.states) for entry in device.calls] == [(connection, ("connected", "connected"))]
    for named in (connection, ConnectionId(connection.call_id)):
        call = client.ask(csta.SnapshotCall(call=named))
        assert isinstance(call, csta.SnapshotCallResponse)
        assert [party.device.device for party in call.parties] == ["5559999:CM1::0", ANN]
    group = client.ask(csta.SnapshotDevice(device=VDN))
    assert isinstance(group, csta.SnapshotDeviceResponse)
    assert group.calls == ()


def test_refused_request_answers_class_and_value_of_the_switch() -> None:
    client = Client()
    client.ready()
    answer = client.ask(csta.AnswerCall(call=ConnectionId(CallId("9"), ANN)))
    assert answer == csta.CSTAErrorCode(ErrorClass.OPERATION, "invalidCallID")
