"""The simulated AES towards its clients: sessions, devices, monitors, system status, the link, and requests."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from unified_agent.tools.simulators.aes.aes import HangUp, Outgoing
from unified_agent.tools.simulators.aes.events import WorkMode
from unified_agent.tools.simulators.aes.plan import numbered_plan
from unified_agent.tools.simulators.aes.sessions import AesSettings
from unified_agent.tools.simulators.aes.simulator import Simulator, SimulatorPlan
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.codec import decode, encode
from unified_agent.wire.csta.error_messages import ErrorClass
from unified_agent.wire.csta.session_messages import PROTOCOL_VERSION_BASE, SessionError
from unified_agent.wire.csta.shapes import Message, UnknownMessage
from unified_agent.wire.csta.values import (
    AgentState,
    AutoOriginate,
    CallEventKind,
    CallId,
    ConnectionId,
    DeviceId,
    MonitorId,
    MonitorType,
    Participation,
    RequestedAgentState,
    Secret,
    SessionId,
    StatusKind,
    SystemStatusValue,
    TalkState,
    TlinkStatus,
)
from unified_agent.wire.csta.values import WorkMode as VendorMode

MessageT = TypeVar("MessageT", bound=Message)

ANN, BOB, VDN = DeviceId("2001:CM1::0"), DeviceId("2002:CM1::0"), DeviceId("8000:CM1::0")
START = csta.StartApplicationSession(
    application_id="test",
    user_name="ctiuser",
    password=Secret("secret"),
    protocol_versions=(PROTOCOL_VERSION_BASE + "ed3/priv7",),
    requested_duration_s=180,
    cleanup_delay_s=60,
)


class Client:
    """A client on one or more sockets of a simulator, on a clock set by hand."""

    def __init__(self, **settings: Any) -> None:
        plan = SimulatorPlan(
            switch=replace(numbered_plan(agents=4), no_answer_s=0.0), aes=AesSettings(**settings), traffic=()
        )
        self.simulator = Simulator(plan, chance=random.Random(1), now_s=1_000.0)
        self.now_s = 1_000.0
        self.outgoing: list[Outgoing | HangUp] = []

    def ask(self, request: Message, connection: int = 1) -> Message:
        """Send a request, as bytes there and back, and return its answer; events are kept."""
        self.simulator.receive(connection, 17, decode(encode(request)), self.now_s)
        new = self.simulator.take_outgoing()
        answers = [item for item in new if isinstance(item, Outgoing) and item.invoke_id == 17]
        self.outgoing.extend(item for item in new if item not in answers)
        (answer,) = answers
        assert answer.connection == connection
        return decode(encode(answer.message))

    def start(self, connection: int = 1, **changes: Any) -> SessionId:
        """Begin a session; return its id."""
        values = {name: getattr(START, name) for name in START.__struct_fields__} | changes
        answer = self.ask(csta.StartApplicationSession(**values), connection)
        assert isinstance(answer, csta.StartApplicationSessionPosResponse)
        return answer.session_id

    def ready(self, *devices: DeviceId) -> list[MonitorId]:
        """Begin a session that may use stations and the VDN, and monitor some; return the monitors."""
        self.start()
        for number in ("2001", "2002", "2003", "8000"):
            self.ask(csta.GetThirdPartyDeviceId(switch_name="CM1", extension=number))
        return [self.monitor(device) for device in devices]

    def monitor(self, device: DeviceId, **rest: Any) -> MonitorId:
        answer = self.ask(csta.MonitorStart(device=device, **rest))
        assert isinstance(answer, csta.MonitorStartResponse)
        return answer.monitor_id

    def log_on(self, device: DeviceId = ANN, agent: str = "5001", **rest: Any) -> Message:
        return self.ask(
            csta.SetAgentState(
                device=device,
                state=RequestedAgentState.LOGGED_ON,
                agent_id=agent,
                password=Secret("1234"),
                **rest,
            )
        )

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.simulator.advance(self.now_s)
        self.outgoing.extend(self.simulator.take_outgoing())

    def call_in(self, number: str = "2001") -> ConnectionId:
        """Let somebody call Ann and be answered; return Ann's connection."""
        call_id = self.simulator.switch.place_call("5559999", number, user_data=b"ACC=4711")
        connection = ConnectionId(CallId(call_id), ANN)
        assert isinstance(self.ask(csta.AnswerCall(call=connection)), csta.AnswerCallResponse)
        return connection

    def take(self, kind: type[MessageT] | None = None) -> list[MessageT]:
        """Return the events so far, as a client reads them, and forget them."""
        self.outgoing.extend(self.simulator.take_outgoing())
        outgoing, self.outgoing = self.outgoing, []
        events = [decode(encode(item.message)) for item in outgoing if isinstance(item, Outgoing)]
        return [event for event in events if kind is None or isinstance(event, kind)]  # type: ignore[misc]

    def event_names(self) -> list[str]:
        return [type(event).__name__ for event in self.take(Message)]


def error(answer: Message) -> tuple[str, str]:
    assert isinstance(answer, csta.CSTAErrorCode), answer
    return str(answer.error_class), answer.value


# Sessions


def test_session_starts_with_what_was_asked_for() -> None:
    answer = Client().ask(START)
    assert isinstance(answer, csta.StartApplicationSessionPosResponse)
    assert answer.actual_protocol_version == PROTOCOL_VERSION_BASE + "ed3/priv7"
    assert answer.actual_duration_s == 180


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"password": Secret("wrong")}, SessionError.INVALID_APPLICATION_INFO),
        ({"user_name": "somebody"}, SessionError.INVALID_APPLICATION_INFO),
        ({"protocol_versions": ("ed9",)}, SessionError.VERSION_NOT_SUPPORTED),
        ({"protocol_versions": ()}, SessionError.VERSION_NOT_SUPPORTED),
        ({"old_session_id": SessionId("gone")}, SessionError.INVALID_APPLICATION_INFO),
    ],
)
def test_start_is_refused_with_its_reason(changes: dict[str, Any], why: SessionError) -> None:
    client = Client()
    values = {name: getattr(START, name) for name in START.__struct_fields__} | changes
    answer = client.ask(csta.StartApplicationSession(**values))
    assert isinstance(answer, csta.StartApplicationSessionNegResponse)
    assert answer.error == why
    assert client.outgoing == []
    assert len(client.simulator.aes.sessions) == 0


def test_refused_start_closes_the_socket_when_set_so() -> None:
    client = Client(close_refused=True, session_limit=0)
    answer = client.ask(START)
    assert isinstance(answer, csta.StartApplicationSessionNegResponse)
    assert answer.error == SessionError.TOO_MANY_SESSIONS
    assert client.outgoing == [HangUp(1)]


def test_newer_version_than_known_is_refused_and_an_older_one_taken() -> None:
    client = Client(newest_version="priv4")
    versions = tuple(PROTOCOL_VERSION_BASE + f"ed3/{name}" for name in ("priv7", "priv3"))
    assert client.start(protocol_versions=versions)
    (session,) = client.simulator.aes.sessions
    assert session.version == 4


def test_second_start_on_a_socket_is_refused() -> None:
    client = Client()
    client.start()
    assert isinstance(client.ask(START), csta.StartApplicationSessionNegResponse)


def test_logins_are_refused_while_that_is_wanted() -> None:
    client = Client()
    client.simulator.aes.refuse_logins = SessionError.SERVER_RESOURCES_BUSY
    answer = client.ask(START)
    assert isinstance(answer, csta.StartApplicationSessionNegResponse)
    assert answer.error == SessionError.SERVER_RESOURCES_BUSY
    client.simulator.aes.refuse_logins = None
    client.start()


def test_session_without_keep_alive_ends_at_its_time() -> None:
    client = Client()
    name = client.start()
    client.wait(179.9)
    assert client.take() == []
    client.wait(0.2)
    (ended,) = client.take(csta.ApplicationSessionTerminated)
    assert (ended.session_id, ended.reason) == (name, "sessionTimerExpired")
    assert error(client.ask(csta.SnapshotDevice(device=ANN))) == ("security", "generic")


def test_keep_alive_lengthens_the_session_and_duration_is_kept_in_limits() -> None:
    client = Client(duration_limits_s=(20, 60))
    name = client.start()
    client.wait(50)
    answer = client.ask(csta.ResetApplicationSessionTimer(session_id=name, requested_duration_s=5))
    assert isinstance(answer, csta.ResetApplicationSessionTimerPosResponse)
    assert answer.actual_duration_s == 20
    client.wait(19)
    assert len(client.simulator.aes.sessions) == 1
    client.wait(2)
    assert len(client.simulator.aes.sessions) == 0


def test_keep_alive_of_another_session_is_refused() -> None:
    client = Client()
    client.start()
    answer = client.ask(csta.ResetApplicationSessionTimer(session_id=SessionId("other")))
    assert isinstance(answer, csta.ResetApplicationSessionTimerNegResponse)
    assert answer.error == SessionError.INVALID_SESSION_ID


def test_stopped_session_is_gone_with_its_monitors() -> None:
    client = Client()
    client.ready(ANN)
    (session,) = client.simulator.aes.sessions
    answer = client.ask(csta.StopApplicationSession(session_id=session.session_id))
    assert isinstance(answer, csta.StopApplicationSessionPosResponse)
    assert len(client.simulator.aes.monitors) == 0
    answer = client.ask(csta.StopApplicationSession(session_id=session.session_id))
    assert isinstance(answer, csta.StopApplicationSessionNegResponse)


def test_lost_session_is_resumed_with_monitors_and_devices_within_the_cleanup_delay() -> None:
    client = Client()
    (monitor,) = client.ready(ANN)
    (session,) = client.simulator.aes.sessions
    client.simulator.aes.lose(1, client.now_s)
    client.wait(59)
    assert client.start(2, old_session_id=session.session_id) == session.session_id
    client.simulator.switch.place_call("5559999", "2001")
    (delivered,) = client.take(csta.DeliveredEvent)
    assert delivered.monitor_id == monitor
    assert isinstance(client.ask(csta.SnapshotDevice(device=ANN), 2), csta.SnapshotDeviceResponse)


def test_lost_session_is_gone_after_the_cleanup_delay() -> None:
    client = Client()
    client.ready(ANN)
    (session,) = client.simulator.aes.sessions
    client.simulator.aes.lose(1, client.now_s)
    client.wait(60.1)
    assert len(client.simulator.aes.monitors) == 0
    values = {name: getattr(START, name) for name in START.__struct_fields__}
    answer = client.ask(csta.StartApplicationSession(**values | {"old_session_id": session.session_id}), 2)
    assert isinstance(answer, csta.StartApplicationSessionNegResponse)


def test_resuming_takes_the_session_from_a_socket_that_only_seems_alive() -> None:
    client = Client()
    name = client.start(1)
    client.start(2, old_session_id=name)
    assert client.outgoing == [HangUp(1)]
    client.simulator.aes.lose(1, client.now_s)
    client.wait(100)
    assert len(client.simulator.aes.sessions) == 1


def test_server_can_end_a_session_by_itself() -> None:
    client = Client()
    name = client.start()
    assert client.simulator.aes.terminate(name, "maintenance")
    (ended,) = client.take(csta.ApplicationSessionTerminated)
    assert ended.text == "maintenance"
    assert not client.simulator.aes.terminate(name, "again")


def test_monitors_move_to_a_new_session_when_asked() -> None:
    client = Client()
    (monitor,) = client.ready(ANN)
    (old,) = client.simulator.aes.sessions
    client.simulator.aes.lose(1, client.now_s)
    new = client.start(2)
    move = csta.TransferMonitorObjects(from_session_id=old.session_id, to_session_id=new)
    assert isinstance(client.ask(move, 2), csta.TransferMonitorObjectsResponse)
    assert error(client.ask(move, 2)) == ("operation", "invalidParameterValue")
    client.simulator.switch.place_call("5559999", "2001")
    assert client.take(csta.DeliveredEvent)[0].monitor_id == monitor


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


# Devices


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


# Monitors


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


def test_monitors_have_a_limit_over_all_sessions() -> None:
    client = Client(monitor_limit=1)
    client.ready(ANN)
    answer = client.ask(csta.MonitorStart(device=BOB))
    assert error(answer) == ("systemResourceAvailibility", "overallMonitorLimitExceeded")


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


# The link


def register(client: Client, *kinds: StatusKind, invert: bool = True) -> str:
    answer = client.ask(csta.SystemRegister(status_filter=frozenset(kinds), invert_filter=invert, switch_name="CM1"))
    assert isinstance(answer, csta.SystemRegisterResponse)
    return answer.register_id


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


# Agents


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


# Calls


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


def test_truth_tells_agents_calls_sessions_and_counters() -> None:
    client = Client()
    client.ready(ANN)
    client.log_on(work_mode=VendorMode.AUTO_IN)
    connection = client.call_in("8000")
    client.simulator.switch.place_call("5559998", "8000")
    client.wait(5)
    truth = client.simulator.truth()
    agent = truth["agents"]["5001"]
    assert (agent["state"], agent["work_mode"], agent["talk_state"], agent["for_s"]) == (
        "agentBusy",
        WorkMode.AUTO_IN,
        "onCall",
        5.0,
    )
    legs = truth["calls"][connection.call_id]["legs"]
    assert [(leg["device"], leg["state"]) for leg in legs] == [("5559999", "connected"), ("2001", "connected")]
    assert truth["groups"]["100"]["queue_length"] == 1
    (session,) = truth["sessions"].values()
    assert session["monitors"] == {"1": "2001"}
    assert truth["counters"]["acd_calls_answered"] == 1
