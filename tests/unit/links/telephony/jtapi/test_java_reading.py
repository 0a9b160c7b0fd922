import pytest
from tests.unit.links.telephony.jtapi.java_world import (
    Agent,
    Call,
    Connection,
    Leg,
    Named,
    Text,
    VendorAgent,
    VendorCall,
    VendorTerminal,
    event,
    put_call,
)

from unified_agent.links.telephony.jtapi.constants import (
    AgentEventId,
    AgentState,
    CallEventId,
    Cause,
    ControlConnection,
    ControlTerminal,
    LucentWorkMode,
    Meta,
)
from unified_agent.links.telephony.jtapi.java_calls import CallNames
from unified_agent.links.telephony.jtapi.java_reading import agent_event, agent_read, call_event, calls_at
from unified_agent.links.telephony.jtapi.provider import AgentRead, CallEvent, CallRead, LegRead


def test_a_call_event_with_a_terminal_connection_is_read_whole():
    terminal = VendorTerminal("4001")
    call = VendorCall(17)
    leg = put_call(call, terminal)
    found = event(
        getID=219,
        getCause=100,
        getCallControlCause=214,
        getMetaCode=129,
        getCall=call,
        getTerminalConnection=leg,
        getCallingAddress=Named("5001"),
        getCalledAddress=Named("7000"),
        getLastRedirectedAddress=None,
        getDistributingAddress=Named("7001"),
        getUserToUserInfo=Text(" customer\x00 7"),
        getUCID=Text("0001"),
    )
    assert call_event(found, CallNames().name_of) == CallEvent(
        id=CallEventId.TERMINAL_TALKING,
        cause=Cause.NORMAL,
        control_cause=Cause.UNHOLD,
        meta=Meta.CALL_PROGRESS,
        call="17",
        address="4001",
        terminal="4001",
        calling="5001",
        called="7000",
        queue="7001",
        data="customer 7",
        ucid="0001",
    )


def test_an_event_of_a_plain_library_has_what_it_tells_and_no_more():
    call = Call()
    connection = Connection(call, Named("4001"), ControlConnection.ALERTING)
    found = call_event(event(getID=203, getCall=call, getConnection=connection), CallNames().name_of)
    assert found == CallEvent(id=CallEventId.CONTROL_ALERTING, call="j1", address="4001")
    over = call_event(event(getID=102, getCall=call), CallNames().name_of)
    assert over == CallEvent(id=CallEventId.INVALID, call="j1")


def test_the_acd_group_stands_for_the_vdn_that_is_not_told():
    found = event(getID=203, getCall=None, getDistributingAddress=None, getDeliveringACDAddress=Named("7100"))
    assert call_event(found, CallNames().name_of).queue == "7100"


def test_calls_at_a_terminal_are_read_with_everybody_on_them():
    terminal = VendorTerminal("4001")
    call = VendorCall(17)
    put_call(call, terminal, ControlTerminal.HELD)
    assert call.connections is not None
    gone = Connection(call, Named("9"), ControlConnection.DISCONNECTED)
    call.connections.append(gone)
    put_call(VendorCall(18), terminal, ControlTerminal.DROPPED)
    assert calls_at(terminal, CallNames().name_of) == (
        CallRead(
            call="17",
            legs=(
                LegRead(address="4001", connection=ControlConnection.ESTABLISHED, terminal=ControlTerminal.HELD),
                LegRead(address="6001", connection=ControlConnection.ESTABLISHED),
            ),
            calling="5001",
            queue="7000",
            data="customer 7",
            ucid="00001000071500000001",
        ),
    )


def test_null_for_no_calls_is_none():
    assert calls_at(VendorTerminal("4001"), CallNames().name_of) == ()


class CoreConnection:
    """Of a library without call control."""

    def __init__(self, call: Call, state: int) -> None:
        self.call, self.state = call, state

    def getCall(self) -> Call:
        return self.call

    def getAddress(self) -> Named:
        return Named("4001")

    def getState(self) -> int:
        return self.state

    def getTerminalConnections(self) -> list[Leg] | None:
        return None


def test_states_of_the_core_package_are_told_in_words_of_call_control():
    terminal = VendorTerminal("4001")
    call = Call()
    put_call(call, terminal)
    call.connections = [CoreConnection(call, 51), CoreConnection(call, 52), CoreConnection(call, 99)]  # type: ignore[list-item]
    (found,) = calls_at(terminal, CallNames().name_of)
    assert [each.connection for each in found.legs] == [ControlConnection.ESTABLISHED, ControlConnection.UNKNOWN]


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (308, AgentState.BUSY),
        (309, AgentState.LOG_OUT),
        (310, AgentState.LOG_IN),
        (311, AgentState.NOT_READY),
        (312, AgentState.READY),
        (313, AgentState.UNKNOWN),
        (314, AgentState.WORK_NOT_READY),
        (315, AgentState.WORK_READY),
    ],
)
def test_an_agent_events_state_is_its_id_and_nobody_is_asked(number, state):
    found = event(getID=number, getAgentID=Text("1001"))
    assert agent_event(found) == AgentRead(agent="1001", state=state)
    assert not hasattr(found, "getState")


def test_private_data_of_an_agent_event_tells_reason_and_work_mode():
    private = event(getReasonCode=3, getWorkMode=2)
    found = event(getID=AgentEventId.READY, getAgentID=Text("1001"), getPrivateData=private)
    read = agent_event(found)
    assert (read.reason, read.work_mode) == (3, LucentWorkMode.MANUAL_IN)


def agent(**info: int) -> VendorAgent:
    made = VendorAgent(VendorTerminal("4001"), "1001", AgentState.NOT_READY)
    made.info = info
    return made


@pytest.mark.parametrize(
    ("info", "found"),
    [
        ({}, AgentRead(agent="1001", state=3, reason=4)),
        ({"lucentWorkMode": 1}, AgentRead(agent="1001", state=3, work_mode=1, reason=4)),
        ({"state": 4, "workMode": 1}, AgentRead(agent="1001", state=4, work_mode=3, reason=4)),
        ({"state": 4, "workMode": 2, "lucentWorkMode": -1}, AgentRead(agent="1001", state=4, work_mode=4, reason=4)),
        (
            {"state": 7, "pendingState": 3, "pendingReasonCode": 2},
            AgentRead(agent="1001", state=7, reason=4, pending_state=3, pending_reason=2),
        ),
    ],
)
def test_the_vendors_state_info_is_read_by_its_fields(info, found):
    assert agent_read(agent(**info)) == found


def test_a_standard_agent_tells_only_its_state():
    plain = Agent(VendorTerminal("4001"), "1001", AgentState.READY)
    assert agent_read(plain) == AgentRead(agent="1001", state=AgentState.READY)
