"""What happens at the switch is told with all that is known of it."""

from __future__ import annotations

from tests.unit.tools.simulators.aes.client import ANN, BOB, VDN, Client

from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.values import (
    CallId,
    ConnectionId,
    DeviceId,
)
from unified_agent.wire.csta.values import WorkMode as VendorMode


def test_after_call_work_is_told_with_what_follows() -> None:
    client = Client()
    client.ready(ANN)
    client.log_on(work_mode=VendorMode.MANUAL_IN)
    connection = client.call_in("8000")
    client.take()
    client.ask(csta.ClearConnection(call=connection))
    assert len(client.take(csta.AgentWorkingAfterCallEvent)) == 1


def test_busy_is_told_in_a_call() -> None:
    client = Client()
    client.ready(ANN)
    client.log_on(work_mode=VendorMode.AUTO_IN)
    client.call_in("8000")
    assert len(client.take(csta.AgentBusyEvent)) == 1


def test_older_release_tells_no_agent_events() -> None:
    client = Client(agent_events=False)
    client.ready(ANN)
    client.log_on(work_mode=VendorMode.AUTO_IN)
    client.call_in("8000")
    assert client.event_names() == ["DeliveredEvent", "EstablishedEvent"]


def test_call_is_delivered_with_all_that_is_known_of_it() -> None:
    client = Client()
    (monitor,) = client.ready(ANN)
    client.log_on(work_mode=VendorMode.AUTO_IN)
    client.take()
    client.simulator.switch.place_call("5559999", "8000", user_data=b"ACC=4711")
    (event,) = client.take(csta.DeliveredEvent)
    assert event.monitor_id == monitor
    assert (event.alerting.device, event.calling.device, event.called.device) == (ANN, "5559999:CM1::0", VDN)
    assert (event.user_data, event.acd_group, event.local_state) == (b"ACC=4711", "100:CM1::0", "alerting")
    assert event.distributing_vdn is not None
    assert event.distributing_vdn.device == VDN
    assert event.ucid is not None
    assert len(event.ucid) == 20


def test_transfer_answer_and_event_name_the_new_connections() -> None:
    client = Client()
    client.ready(ANN)
    first = client.call_in()
    consulted = client.ask(csta.ConsultationCall(existing_call=first, consulted_device=BOB))
    assert isinstance(consulted, csta.ConsultationCallResponse)
    assert consulted.call is not None
    second = consulted.call
    client.take()
    answer = client.ask(csta.TransferCall(held_call=first, active_call=second))
    assert isinstance(answer, csta.TransferCallResponse)
    assert answer.call == ConnectionId(second.call_id, BOB)
    (event,) = client.take(csta.TransferedEvent)
    news = [item.new for item in event.connections]
    assert news == [ConnectionId(second.call_id, DeviceId("5559999:CM1::0")), answer.call]
    assert (event.primary_old_call, event.secondary_old_call) == (first, second)


def test_failed_queued_and_diverted_calls_are_told() -> None:
    client = Client()
    client.ready(ANN)
    client.ask(csta.MakeCall(calling_device=ANN, called_number=DeviceId("5550001")))
    assert client.event_names()[-1] == "FailedEvent"
    (leg,) = client.simulator.switch.board.stations["2001"].legs
    client.ask(csta.ClearConnection(call=ConnectionId(CallId(leg.call.call_id), ANN)))
    client.ask(csta.MakeCall(calling_device=ANN, called_number=VDN))
    (queued,) = client.take(csta.QueuedEvent)
    assert (queued.queue.device, queued.number_queued) == ("100:CM1::0", 1)
    call_id = client.simulator.switch.place_call("5559998", "2001")
    client.ask(csta.DeflectCall(call=ConnectionId(CallId(call_id), ANN), new_destination=BOB))
    (diverted,) = client.take(csta.DivertedEvent)
    assert (diverted.diverting.device, diverted.new_destination.device) == (ANN, BOB)
