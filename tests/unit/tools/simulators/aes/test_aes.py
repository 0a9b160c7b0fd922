"""Devices, monitors, system status and the link to the switch."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.tools.simulators.aes.client import ANN, BOB, VDN, Client, error

from unified_agent.tools.simulators.aes.aes import Outgoing
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.shapes import Message, UnknownMessage
from unified_agent.wire.csta.values import (
    CallEventKind,
    CallId,
    ConnectionId,
    DeviceId,
    MonitorType,
    StatusKind,
    SystemStatusValue,
    TlinkStatus,
)
from unified_agent.wire.csta.values import WorkMode as VendorMode


def register(client: Client, *kinds: StatusKind, invert: bool = True) -> str:
    answer = client.ask(csta.SystemRegister(status_filter=frozenset(kinds), invert_filter=invert, switch_name="CM1"))
    assert isinstance(answer, csta.SystemRegisterResponse)
    return answer.register_id


@pytest.mark.parametrize(
    "request_",
    [csta.SnapshotDevice(device=ANN), csta.GetThirdPartyDeviceId(switch_name="CM1", extension="2001")],
)
def test_request_without_session_is_refused(request_: Message) -> None:
    assert error(Client().ask(request_)) == ("security", "generic")


def test_unknown_request_is_answered_as_not_supported_and_answers_are_passed_over() -> None:
    client = Client()
    client.start()
    client.simulator.receive(1, 5, UnknownMessage("GetForwarding"), client.now_s)
    (item,) = client.simulator.take_outgoing()
    assert isinstance(item, Outgoing)
    assert error(item.message) == ("operation", "serviceNotSupported")
    client.simulator.receive(1, 6, csta.AnswerCallResponse(), client.now_s)
    assert client.simulator.take_outgoing() == []


@pytest.mark.parametrize("request_", [csta.GetThirdPartyDeviceId, csta.GetDeviceId])
def test_device_id_is_given_for_what_the_switch_has(request_: Any) -> None:
    client = Client()
    client.start()
    for number in ("2001", "8000", "100", "5001"):
        answer = client.ask(request_(switch_name="cm1", extension=number))
        assert getattr(answer, "device", None) == f"{number}:CM1::0"
    for name, number in (("CM1", "2999"), ("CM2", "2001")):
        assert error(client.ask(request_(switch_name=name, extension=number))) == ("operation", "invalidDeviceID")


def test_device_must_have_been_asked_for_and_can_be_given_back() -> None:
    client = Client()
    client.start()
    assert error(client.ask(csta.MonitorStart(device=ANN))) == ("operation", "invalidDeviceID")
    client.ask(csta.GetThirdPartyDeviceId(switch_name="CM1", extension="2001"))
    assert isinstance(client.ask(csta.GetAgentState(device=DeviceId("2001:cm1::0"))), csta.GetAgentStateResponse)
    assert isinstance(client.ask(csta.ReleaseDeviceId(device=ANN)), csta.ReleaseDeviceIdResponse)
    assert error(client.ask(csta.ReleaseDeviceId(device=ANN))) == ("operation", "invalidDeviceID")
    assert error(client.ask(csta.GetAgentState(device=ANN))) == ("operation", "invalidDeviceID")


def test_lenient_aes_takes_devices_that_nobody_asked_for() -> None:
    client = Client(strict_devices=False)
    client.start()
    assert isinstance(client.ask(csta.MonitorStart(device=ANN)), csta.MonitorStartResponse)
    assert error(client.ask(csta.GetAgentState(device=DeviceId("2001:CM9::0")))) == ("operation", "invalidDeviceID")


def test_monitor_tells_of_its_device_only_and_until_it_is_stopped() -> None:
    client = Client()
    (monitor,) = client.ready(ANN)
    client.simulator.switch.place_call("5559999", "2001")
    client.simulator.switch.place_call("5559998", "2002")
    assert [event.alerting.device for event in client.take(csta.DeliveredEvent)] == [ANN]
    assert isinstance(client.ask(csta.MonitorStop(monitor_id=monitor)), csta.MonitorStopResponse)
    client.simulator.switch.place_call("5559997", "2001")
    assert client.take() == []
    assert error(client.ask(csta.MonitorStop(monitor_id=monitor))) == ("operation", "invalidMonitorCrossRefID")


def test_filter_is_obeyed_inverted_and_not() -> None:
    client = Client()
    client.ready()
    held, delivered = CallEventKind.HELD, CallEventKind.DELIVERED
    client.monitor(ANN, call_events=frozenset({delivered}), agent_events=frozenset(), invert_filter=True)
    client.monitor(ANN, call_events=frozenset({delivered, held}), agent_events=frozenset(), invert_filter=None)
    connection = client.call_in()
    client.ask(csta.HoldCall(call=connection))
    assert client.event_names() == ["DeliveredEvent", "EstablishedEvent"]


@pytest.mark.parametrize(
    "request_",
    [
        csta.MonitorStart(call=ConnectionId(CallId("1"), ANN)),
        csta.MonitorStart(device=ANN, monitor_type=MonitorType.CALL),
        csta.MonitorStart(),
    ],
)
def test_monitor_of_what_cannot_be_observed_is_refused(request_: csta.MonitorStart) -> None:
    client = Client()
    client.ready()
    assert error(client.ask(request_)) == ("operation", "invalidMonitorObject")


def test_vdn_monitor_follows_the_call_to_its_end() -> None:
    client = Client()
    client.ready()
    client.monitor(VDN, monitor_type=MonitorType.CALL)
    call_id = client.simulator.switch.place_call("5559999", "8000")
    client.log_on(work_mode=VendorMode.AUTO_IN)
    client.ask(csta.AnswerCall(call=ConnectionId(CallId(call_id), ANN)))
    client.ask(csta.ClearConnection(call=ConnectionId(CallId(call_id), ANN)))
    names = ["QueuedEvent", "DeliveredEvent", "EstablishedEvent", *["ConnectionClearedEvent"] * 2, "CallClearedEvent"]
    assert client.event_names() == names


def test_session_monitor_is_accepted_and_silent() -> None:
    client = Client()
    client.ready()
    answer = client.ask(csta.MonitorStart(monitor_transfers=True, monitor_type=None))
    assert isinstance(answer, csta.MonitorStartResponse)


def test_link_down_is_told_then_every_monitor_ends_and_requests_fail() -> None:
    client = Client()
    monitors = client.ready(ANN, BOB)
    name = register(client, StatusKind.DISABLED, StatusKind.NORMAL)
    client.simulator.aes.set_link(up=False)
    client.simulator.aes.set_link(up=False)
    status, *stops = client.take(Message)
    assert isinstance(status, csta.SystemStatus)
    assert (status.register_id, status.status) == (name, SystemStatusValue.DISABLED)
    assert [(link.switch_name, link.status) for link in status.links] == [("CM1", TlinkStatus.DOWN)]
    assert [stop.monitor_id for stop in stops if isinstance(stop, csta.MonitorStop)] == monitors
    out = ("systemResourceAvailibility", "resourceOutOfService")
    for request in (csta.GetAgentState(device=ANN), csta.MonitorStart(device=ANN), csta.SnapshotDevice(device=ANN)):
        assert error(client.ask(request)) == out
    assert error(client.log_on()) == out
    answer = client.ask(csta.RequestSystemStatus(register_id=name, switch_name="CM1"))
    assert isinstance(answer, csta.RequestSystemStatusResponse)
    assert (answer.status, answer.links[0].status) == (SystemStatusValue.DISABLED, TlinkStatus.DOWN)


def test_link_up_is_told_and_nothing_is_monitored() -> None:
    client = Client()
    client.ready(ANN)
    register(client, StatusKind.DISABLED, StatusKind.NORMAL)
    client.simulator.aes.set_link(up=False)
    client.simulator.switch.place_call("5559999", "2001")
    client.take()
    client.simulator.aes.set_link(up=True)
    (status,) = client.take(Message)
    assert isinstance(status, csta.SystemStatus)
    assert (status.status, status.links[0].status) == (SystemStatusValue.NORMAL, TlinkStatus.UP)
    client.simulator.switch.place_call("5559998", "2001")
    assert client.take() == []
    assert len(client.simulator.switch.board.stations["2001"].legs) == 2
    client.monitor(ANN)


def test_monitors_of_one_device_end_by_themselves_and_the_link_lives() -> None:
    client = Client()
    ann, bob = client.ready(ANN, BOB)
    assert client.simulator.aes.end_monitors("2001") == 1
    assert client.simulator.aes.end_monitors("2001") == 0
    (stop,) = client.take(csta.MonitorStop)
    assert stop.monitor_id == ann
    client.simulator.switch.place_call("5559999", "2001")
    client.simulator.switch.place_call("5559998", "2002")
    assert {event.monitor_id for event in client.take(csta.DeliveredEvent)} == {bob}


def test_overload_is_told_to_those_who_asked_and_changes_nothing() -> None:
    client = Client()
    client.ready(ANN)
    register(client, StatusKind.DISABLED)
    quiet = register(client, StatusKind.DISABLED, invert=False)  # everything but disabled
    client.simulator.aes.set_status(SystemStatusValue.OVERLOAD_REACHED)
    (status,) = client.take(csta.SystemStatus)
    assert (status.register_id, status.status) == (quiet, SystemStatusValue.OVERLOAD_REACHED)
    assert isinstance(client.ask(csta.GetAgentState(device=ANN)), csta.GetAgentStateResponse)


def test_messages_lost_is_told_under_its_filters_other_spelling() -> None:
    client = Client()
    client.ready()
    register(client, StatusKind.MESSAGE_LOST)
    client.simulator.aes.set_status(SystemStatusValue.MESSAGES_LOST)
    assert len(client.take(csta.SystemStatus)) == 1


def test_link_of_an_unknown_switch_is_unavailable() -> None:
    client = Client()
    client.ready()
    answer = client.ask(csta.RequestSystemStatus(switch_name="CM9"))
    assert isinstance(answer, csta.RequestSystemStatusResponse)
    assert answer.links[0].status is TlinkStatus.UNAVAILABLE
    assert error(client.ask(csta.RequestSystemStatus(register_id="1"))) == ("operation", "invalidParameterValue")
    answer = client.ask(csta.GetLinkStatus())
    assert isinstance(answer, csta.GetLinkStatusResponse)
    assert answer.links[0].is_up
    assert error(client.ask(csta.GetLinkStatus(link_name="CM9"))) == ("operation", "invalidParameterValue")


def test_events_can_overtake_the_answer() -> None:
    for first, chance in (("HoldCallResponse", 0.0), ("HeldEvent", 1.0)):
        client = Client(events_first=chance)
        client.ready(ANN)
        connection = client.call_in()
        client.take()
        client.simulator.receive(1, 9, csta.HoldCall(call=connection), client.now_s)
        out = [type(item.message).__name__ for item in client.simulator.take_outgoing() if isinstance(item, Outgoing)]
        assert out[0] == first
        assert sorted(out) == ["HeldEvent", "HoldCallResponse"]
