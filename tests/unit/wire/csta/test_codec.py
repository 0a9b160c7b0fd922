"""The worked examples of the reference, and what a peer may send otherwise."""

from __future__ import annotations

from pathlib import Path
from xml.dom.minidom import parseString

import pytest

from unified_agent.errors import LocalProtocolError, RemoteProtocolError
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta.codec import decode, encode, role_of
from unified_agent.wire.csta.framing import Frame, frame_bytes, take_frame
from unified_agent.wire.csta.values import (
    NOT_KNOWN,
    NOT_SPECIFIED,
    RESTRICTED,
    AgentState,
    CallId,
    Cause,
    ConnectionId,
    ConnectionListItem,
    DeviceId,
    LinkState,
    LocalState,
    MonitorId,
    Party,
    RequestedAgentState,
    Secret,
    SessionId,
    SwitchLink,
    SystemStatusValue,
    TalkState,
    TlinkStatus,
    WorkMode,
)
from unified_agent.wire.receive_buffer import ReceiveBuffer

VECTORS = Path(__file__).parents[3] / "vectors" / "csta"
CSTA = 'xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed3"'
STATION = DeviceId("2001:CM1::0")
AT_STATION = ConnectionId(CallId("179"), STATION)


def vector(number: int) -> bytes:
    [path] = VECTORS.glob(f"{number:02d}-*.xml")
    return path.read_bytes()


def examples() -> list[tuple[str, str, bytes, bytes]]:
    """Return (name, sender, header, payload) of every example."""
    rows = []
    for line in (VECTORS / "index.tsv").read_text().splitlines():
        if line.startswith("#"):
            continue
        name, sender, header, total, _ = line.split("\t")
        payload = (VECTORS / name).read_bytes()
        assert len(payload) + 8 == int(total)
        rows.append((name, sender, bytes.fromhex(header), payload))
    return rows


EXAMPLES = examples()
each_example = pytest.mark.parametrize(
    ("header", "payload"), [row[2:] for row in EXAMPLES], ids=[row[0] for row in EXAMPLES]
)


def frames_of(data: bytes, step: int) -> list[Frame]:
    buffer = ReceiveBuffer()
    frames = []
    for at in range(0, len(data), step):
        buffer.append(data[at : at + step])
        while (frame := take_frame(buffer)) is not None:
            frames.append(frame)
    return frames


def test_every_example_of_the_reference_is_here() -> None:
    assert len(EXAMPLES) == len(list(VECTORS.glob("*.xml"))) == 55


@each_example
def test_example_is_read_and_written_byte_for_byte_with_its_header(header: bytes, payload: bytes) -> None:
    message = decode(payload)
    assert not isinstance(message, csta.UnknownMessage)
    assert encode(message) == payload
    assert frame_bytes(int(header[4:]), encode(message)) == header + payload


@each_example
def test_example_comes_out_of_the_stream_whole_byte_by_byte_and_with_trailing_bytes(
    header: bytes, payload: bytes
) -> None:
    expected = Frame(int(header[4:]), payload)
    assert frames_of(header + payload, 1) == [expected]
    assert frames_of((header + payload) * 2 + header[:5], 10_000) == [expected, expected]
    assert frames_of(header + payload[:-1], 7) == []


@each_example
def test_example_that_is_pretty_printed_means_the_same(header: bytes, payload: bytes) -> None:
    assert decode(parseString(payload).toprettyxml(encoding="utf-8")) == decode(payload)


@each_example
def test_example_in_the_namespace_of_a_version_means_the_same(header: bytes, payload: bytes) -> None:
    assert decode(payload.replace(b'csta/ed3"', b'csta/ed3/priv6"')) == decode(payload)


@each_example
def test_example_cut_short_is_refused(header: bytes, payload: bytes) -> None:
    for end in range(0, len(payload), 17):
        with pytest.raises(RemoteProtocolError):
            decode(payload[:end])


def test_direction_of_an_example_agrees_with_the_role_of_its_message() -> None:
    for name, sender, header, payload in EXAMPLES:
        role = role_of(decode(payload))
        if sender == "client":
            assert role is csta.Role.REQUEST, name
        elif header.endswith(b"9999"):
            assert role is csta.Role.EVENT or "monitor-stop" in name
        else:
            assert role in (csta.Role.ANSWER, csta.Role.REFUSAL), name


UCID = "00001001791428242051"
ALERTED = Party(STATION)
CALLER = Party(DeviceId("3001:CM1::0"))
VDN = Party(DeviceId("8000:CM1::0"))
#: What the examples mean, by number.
MEANINGS: list[tuple[int, csta.Message]] = [
    (
        9,
        csta.StartApplicationSession(
            application_id="ua-server-1",
            user_name="ctiuser",
            password=Secret("secret"),
            protocol_versions=(csta.PROTOCOL_VERSION_BASE + "ed3/priv7",),
            requested_duration_s=180,
            cleanup_delay_s=60,
            old_session_id=SessionId("70D3EC70C80B476C-1"),
        ),
    ),
    (3, csta.StartApplicationSessionNegResponse(error=csta.SessionError.VERSION_NOT_SUPPORTED)),
    (
        6,
        csta.ApplicationSessionTerminated(
            session_id=SessionId("70D3EC70C80B476C-1"), reason=csta.TerminationReason.TIMER_EXPIRED
        ),
    ),
    (7, csta.StopApplicationSession(session_id=SessionId("70D3EC70C80B476C-1"))),
    (12, csta.SystemRegister(switch_name="CM1")),
    (
        13,
        csta.SystemRegisterResponse(
            register_id="500046", status_filter=csta.SystemRegister().status_filter, invert_filter=True
        ),
    ),
    (14, csta.RequestSystemStatus(register_id="500046", switch_name="CM1")),
    (
        16,
        csta.SystemStatus(
            status=SystemStatusValue.DISABLED,
            register_id="500046",
            links=(SwitchLink("CM1", TlinkStatus.DOWN),),
        ),
    ),
    (17, csta.MonitorStop(monitor_id=MonitorId("1"))),
    (18, csta.CSTAErrorCode(csta.ErrorClass.SYSTEM_RESOURCE, csta.ResourceError.RESOURCE_OUT_OF_SERVICE)),
    (20, csta.GetThirdPartyDeviceId(switch_name="CM1", extension="2001")),
    (23, csta.MonitorStart(device=STATION)),
    (
        25,
        csta.SetAgentState(
            device=STATION,
            state=RequestedAgentState.LOGGED_ON,
            agent_id="5001",
            password=Secret("1234"),
            work_mode=WorkMode.AUX_WORK,
            reason_code=1,
        ),
    ),
    (31, csta.SetAgentStateResponse(pending_state=AgentState.NOT_READY, is_pending=True)),
    (
        33,
        csta.GetAgentStateResponse(
            agents=(
                csta.AgentEntry(
                    agent_id="5001",
                    logged_on=True,
                    groups=(csta.AgentGroupState(state=AgentState.NOT_READY),),
                ),
            ),
            work_mode=WorkMode.AUX_WORK,
            talk_state=TalkState.IDLE,
            reason_code=3,
        ),
    ),
    (
        34,
        csta.AgentNotReadyEvent(monitor_id=MonitorId("1"), device=Party(STATION), agent_id="5001", reason_code=3),
    ),
    (
        35,
        csta.DeliveredEvent(
            monitor_id=MonitorId("1"),
            connection=AT_STATION,
            alerting=ALERTED,
            calling=CALLER,
            called=VDN,
            last_redirection=NOT_KNOWN,
            cause=Cause.NEW_CALL,
            local_state=LocalState.ALERTING,
            user_data=b"ACC=4711",
            ucid=UCID,
            acd_group=DeviceId("100:CM1::0"),
            distributing_vdn=VDN,
        ),
    ),
    (
        45,
        csta.MakeCallResponse(call=ConnectionId(CallId("181"), STATION), ucid="00001001811428242099"),
    ),
    (
        50,
        csta.TransferedEvent(
            monitor_id=MonitorId("1"),
            primary_old_call=AT_STATION,
            secondary_old_call=ConnectionId(CallId("180"), STATION),
            transferring=Party(STATION),
            transferred_to=Party(DeviceId("2002:CM1::0")),
            connections=(
                ConnectionListItem(new=ConnectionId(CallId("180"), DeviceId("3001:CM1::0"))),
                ConnectionListItem(new=ConnectionId(CallId("180"), DeviceId("2002:CM1::0"))),
            ),
            cause=Cause.TRANSFER,
        ),
    ),
    (
        52,
        csta.SnapshotDeviceResponse(
            calls=(
                csta.SnapshotDeviceEntry(connection=AT_STATION, states=(LocalState.CONNECTED, LocalState.CONNECTED)),
            )
        ),
    ),
    (53, csta.SnapshotDeviceResponse()),
]


@pytest.mark.parametrize(("number", "message"), MEANINGS, ids=[str(number) for number, _ in MEANINGS])
def test_example_means(number: int, message: csta.Message) -> None:
    assert decode(vector(number)) == message


def test_password_of_an_agent_is_not_in_the_repr_of_the_request() -> None:
    assert "1234" not in repr(decode(vector(25)))


def test_elements_come_in_any_order() -> None:
    document = (
        f"<HeldEvent {CSTA}><cause>normal</cause><localConnectionInfo>hold</localConnectionInfo>"
        "<holdingDevice><restricted/></holdingDevice>"
        "<heldConnection><deviceID>2001:CM1::0</deviceID><callID>179</callID></heldConnection>"
        "<monitorCrossRefID>1</monitorCrossRefID></HeldEvent>"
    )
    assert decode(document.encode()) == csta.HeldEvent(
        monitor_id=MonitorId("1"),
        connection=AT_STATION,
        holding=RESTRICTED,
        cause="normal",
        local_state=LocalState.HOLD,
    )


def test_connection_is_read_without_regard_to_case() -> None:
    document = (
        "<AnswerCall><callToBeAnswered><CallId>179</CallId><DEVICEID>2001:CM1::0</DEVICEID>"
        "</callToBeAnswered></AnswerCall>"
    )
    assert decode(document.encode()) == csta.AnswerCall(call=AT_STATION)


def test_elements_that_we_do_not_know_or_of_another_namespace_are_passed_over() -> None:
    document = (
        f'<MonitorStop {CSTA} xmlns:o="urn:other"><o:monitorCrossRefID>9</o:monitorCrossRefID>'
        "<novelty><monitorCrossRefID>8</monitorCrossRefID></novelty>"
        "<monitorCrossRefID>1</monitorCrossRefID></MonitorStop>"
    )
    assert decode(document.encode()) == csta.MonitorStop(monitor_id=MonitorId("1"))


def test_private_data_is_found_beside_other_private_data() -> None:
    document = (
        f"<AgentLoggedOffEvent {CSTA}><monitorCrossRefID>1</monitorCrossRefID>"
        "<extensions><security/><privateData><private><Other><reasonCode>7</reasonCode></Other></private>"
        "<private><AgentLoggedOffEventPrivateData><reasonCode>4</reasonCode></AgentLoggedOffEventPrivateData>"
        "</private></privateData></extensions></AgentLoggedOffEvent>"
    )
    assert decode(document.encode()) == csta.AgentLoggedOffEvent(
        monitor_id=MonitorId("1"), device=NOT_KNOWN, reason_code=4
    )


def test_root_that_we_do_not_know_is_an_unknown_message() -> None:
    assert decode(b"<Novelty/>") == csta.UnknownMessage("Novelty")
    assert decode(b'<MonitorStop xmlns="urn:other"/>') == csta.UnknownMessage("urn:other MonitorStop")


def test_event_without_parties_and_cause_is_read_all_the_same() -> None:
    document = (
        f"<DeliveredEvent {CSTA}><monitorCrossRefID>1</monitorCrossRefID>"
        "<connection><callID>179</callID></connection><alertingDevice/></DeliveredEvent>"
    )
    assert decode(document.encode()) == csta.DeliveredEvent(
        monitor_id=MonitorId("1"),
        connection=ConnectionId(CallId("179")),
        alerting=NOT_KNOWN,
        calling=NOT_KNOWN,
        called=NOT_KNOWN,
        last_redirection=NOT_KNOWN,
        cause=None,
    )


def test_value_of_an_enumeration_that_we_do_not_know_is_none() -> None:
    document = f"<SystemStatus {CSTA}><systemStatus>dreaming</systemStatus></SystemStatus>"
    assert decode(document.encode()) == csta.SystemStatus(status=None)


def test_cause_that_we_do_not_name_is_kept() -> None:
    message = decode(vector(40).replace(b"<cause>normal<", b"<cause>babble<"))
    assert isinstance(message, csta.HeldEvent)
    assert message.cause == "babble"


def test_redirection_is_a_dialled_number_or_a_reason() -> None:
    for spelled, meant in (
        ("<numberDialed>2001:CM1::0</numberDialed>", Party(STATION)),
        ("<deviceIdentifier>2001:CM1::0</deviceIdentifier>", Party(STATION)),
        ("<notSpecified/>", NOT_SPECIFIED),
    ):
        message = decode(vector(38).replace(b"<notKnown/>", spelled.encode()))
        assert isinstance(message, csta.EstablishedEvent)
        assert message.last_redirection == meant


def test_error_of_a_class_that_we_do_not_know_is_unspecified() -> None:
    assert decode(b"<CSTAErrorCode><novel>x</novel></CSTAErrorCode>") == csta.CSTAErrorCode(csta.ErrorClass.UNSPECIFIED)


def test_error_class_spelled_right_is_the_one_spelled_wrong() -> None:
    document = b"<CSTAErrorCode><systemResourceAvailability>generic</systemResourceAvailability></CSTAErrorCode>"
    assert decode(document) == csta.CSTAErrorCode(csta.ErrorClass.SYSTEM_RESOURCE, "generic")


def test_monitor_filter_of_a_sender_outside_the_schemas_order_is_read() -> None:
    document = (
        f"<MonitorStart {CSTA}><monitorType>device</monitorType><requestedMonitorFilter><logicalDeviceFeature>"
        "<agentReady>1</agentReady><agentBusy>false</agentBusy></logicalDeviceFeature><callcontrol><held>true</held>"
        "</callcontrol></requestedMonitorFilter><monitorObject><deviceObject>2001:CM1::0</deviceObject>"
        "</monitorObject><extensions><privateData><private><AvayaEvents xmlns=''><invertFilter>true</invertFilter>"
        "</AvayaEvents></private></privateData></extensions></MonitorStart>"
    )
    message = decode(document.encode())
    assert isinstance(message, csta.MonitorStart)
    assert {str(kind) for kind in message.wanted_call_events()} == {"held"}
    assert {str(kind) for kind in message.wanted_agent_events()} == {"agentReady"}


def test_filter_that_is_not_inverted_says_what_to_leave_out() -> None:
    request = csta.MonitorStart(device=STATION, invert_filter=None)
    assert not request.wanted_call_events() & csta.STATION_CALL_EVENTS
    assert not request.wanted_agent_events() & csta.STATION_AGENT_EVENTS
    register = csta.SystemRegister(invert_filter=None)
    assert not register.wanted() & register.status_filter
    assert csta.SystemRegister().wanted() == register.status_filter


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ("<AnswerCall/>", "AnswerCall comes without call"),
        ("<AnswerCall><callToBeAnswered><deviceID>1</deviceID></callToBeAnswered></AnswerCall>", "no callID"),
        ("<MonitorStop/>", "monitor_id"),
        ("<SetAgentState><device>1</device></SetAgentState>", "state"),
        (
            "<SetAgentState><device>1</device><requestedAgentState>tired</requestedAgentState></SetAgentState>",
            "state",
        ),
        (
            (
                "<SetAgentState><device>1</device><requestedAgentState>ready</requestedAgentState>"
                "<password>313</password></SetAgentState>"
            ),
            "password is not hexBinary",
        ),
        (
            (
                "<ResetApplicationSessionTimerPosResponse><actualSessionDuration>soon</actualSessionDuration>"
                "</ResetApplicationSessionTimerPosResponse>"
            ),
            "whole number",
        ),
        (
            "<ResetApplicationSessionTimerPosResponse><actualSessionDuration>"
            + "9" * 5000
            + "</actualSessionDuration></ResetApplicationSessionTimerPosResponse>",
            "whole number",
        ),
        (
            (
                "<GetAgentStateResponse><agentStateList><agentStateEntry><loggedOnState>perhaps</loggedOnState>"
                "</agentStateEntry></agentStateList></GetAgentStateResponse>"
            ),
            "true or false",
        ),
        (
            (
                "<AnswerCall><callToBeAnswered><callID>1</callID></callToBeAnswered><userData><string>0x</string>"
                "</userData></AnswerCall>"
            ),
            "string is not hexBinary",
        ),
    ],
)
def test_message_that_lacks_or_garbles_what_is_mandatory_is_refused(document: str, complaint: str) -> None:
    with pytest.raises(RemoteProtocolError, match=complaint):
        decode(document.encode())


def test_garbled_password_is_not_quoted_in_the_error() -> None:
    document = (
        "<SetAgentState><device>1</device><requestedAgentState>ready</requestedAgentState>"
        "<password>ff73</password></SetAgentState>"
    )
    with pytest.raises(RemoteProtocolError) as caught:
        decode(document.encode())
    assert "73" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_state_of_an_agent_entry_is_null_when_logged_off_and_none_when_not_told() -> None:
    ready = csta.AgentGroupState(state=AgentState.READY)
    assert csta.AgentEntry(logged_on=True, groups=(ready,)).state is AgentState.READY
    assert csta.AgentEntry(logged_on=False, groups=(ready,)).state is AgentState.NULL
    assert csta.AgentEntry(logged_on=True).state is None


def test_exception_carries_its_csta_error_in_the_csta_namespace() -> None:
    message = csta.CSTAException(exception_class="x.Y", code=csta.CSTAErrorCode(csta.ErrorClass.OPERATION, "generic"))
    assert (
        b'<c:CSTAErrorCode xmlns:c="http://www.ecma-international.org/standards/ecma-323/csta/ed3">'
        b"<c:operation>generic</c:operation></c:CSTAErrorCode></CSTAException>"
    ) in encode(message)
    assert decode(encode(message)) == message


def test_link_states_are_listed_without_a_wrapper() -> None:
    message = csta.GetLinkStatusResponse(links=(LinkState("one", True, False), LinkState("two", False, True)))
    assert encode(message).count(b"<linkList>") == 2
    assert decode(encode(message)) == message


def test_unknown_message_cannot_be_sent() -> None:
    with pytest.raises(LocalProtocolError, match="UnknownMessage"):
        encode(csta.UnknownMessage("Novelty"))


def test_markup_in_a_value_stays_text() -> None:
    message = csta.StartApplicationSessionNegResponse(text="<error>&amp; 'more'\r\n")
    assert decode(encode(message)) == message
