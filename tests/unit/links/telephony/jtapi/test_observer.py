import pytest
from tests.unit.links.telephony.jtapi.java_world import Call, Named, Text, VendorCall, VendorTerminal, event, put_call

from unified_agent.links.telephony.jtapi.constants import (
    AgentState,
    CallEventId,
    Cause,
    EndedEvent,
    ProviderEvent,
    ProviderState,
)
from unified_agent.links.telephony.jtapi.java_calls import CallNames
from unified_agent.links.telephony.jtapi.observer import Observed, Observer
from unified_agent.links.telephony.jtapi.provider import (
    AgentChanged,
    AgentRead,
    CallEvents,
    ObservationEnded,
    ProviderChanged,
)


class Told:
    def __init__(self) -> None:
        self.events: list[object] = []
        self.names = CallNames()
        self.observed = Observed()
        self.observer = Observer(self.events.append, self.names, self.observed)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (ProviderEvent.IN_SERVICE, ProviderState.IN_SERVICE),
        (ProviderEvent.OUT_OF_SERVICE, ProviderState.OUT_OF_SERVICE),
        (ProviderEvent.SHUTDOWN, ProviderState.SHUTDOWN),
        (ProviderEvent.OBSERVATION_ENDED, ProviderState.SHUTDOWN),
    ],
)
def test_the_providers_state_is_told_by_its_events_alone(told, number, state):
    told.observer.providerChangedEvent([event(getID=number)])
    assert told.events == [ProviderChanged(state=state)]


def test_private_events_of_the_provider_say_nothing(told):
    told.observer.providerChangedEvent([event(getID=602, getPrivateData=event(getTsapiState=0))])
    assert told.events == []


def test_an_overload_is_told_where_private_data_says_so(told):
    told.observer.providerChangedEvent([event(getID=113, getPrivateData=event(isOverload=True))])
    assert told.events == [ProviderChanged(state=17, overload=True)]


def test_call_events_that_come_together_are_told_together_and_core_events_are_left_out(told):
    terminal, call = VendorTerminal("4001"), VendorCall(5)
    leg = put_call(call, terminal)
    told.observer.callChangedEvent(
        [
            event(getID=105, getCall=call, getConnection=leg.getConnection()),
            event(getID=203, getCall=call, getConnection=leg.getConnection(), getCause=Cause.SNAPSHOT),
            event(getID=217, getCall=call, getTerminalConnection=leg),
            event(getID=218, getCall=call, getTerminalConnection=leg),
        ]
    )
    (found,) = told.events
    assert isinstance(found, CallEvents)
    assert [(each.id, each.terminal, each.cause) for each in found.events] == [
        (CallEventId.CONTROL_ALERTING, "", Cause.SNAPSHOT),
        (CallEventId.TERMINAL_INUSE, "4001", 0),
        (CallEventId.TERMINAL_RINGING, "4001", 0),
    ]


def test_an_event_that_cannot_be_read_does_not_take_the_others_along(told):
    class Broken:
        def getID(self) -> int:
            raise ValueError("of Java's")

    told.observer.callChangedEvent([Broken(), event(getID=101, getCall=VendorCall(5))])
    told.observer.callChangedEvent(None)
    told.observer.providerChangedEvent(7)
    (found,) = told.events
    assert isinstance(found, CallEvents)
    assert [each.id for each in found.events] == [CallEventId.ACTIVE]


def test_a_call_that_became_invalid_keeps_its_name_in_that_delivery(told):
    call = Call()
    told.observer.callChangedEvent([event(getID=101, getCall=call), event(getID=102, getCall=call)])
    told.observer.callChangedEvent([event(getID=102, getCall=call)])
    names = [each.call for delivery in told.events for each in delivery.events]
    assert names == ["j1", "j1", "j1"]


def test_an_agent_event_is_told_for_its_station(told):
    told.observer.terminalChangedEvent([event(getID=312, getTerminal=Named("4001"), getAgentID=Text("1001"))])
    assert told.events == [AgentChanged(station="4001", id=312, found=AgentRead(agent="1001", state=AgentState.READY))]


def ends(told: Told) -> None:
    """Have every kind of observation at 4001 ended, in Java's words."""
    told.observer.addressChangedEvent([event(getID=EndedEvent.ADDRESS, getAddress=Named("4001"))])
    told.observer.terminalChangedEvent([event(getID=EndedEvent.TERMINAL, getTerminal=Named("4001"))])
    told.observer.callChangedEvent([event(getID=EndedEvent.CALL, getCall=None, getEndedObject=Named("4001"))])


def test_ends_of_observation_that_nobody_asked_for_are_told_once_for_each_observer(told):
    for kind in ("address", "terminal", "call"):
        told.observed.add("4001", kind)
    told.observed.add("4002", "terminal")
    ends(told)
    ends(told)
    assert told.events == [ObservationEnded(station="4001")] * 3
    assert len(told.observed) == 1


def test_ends_of_observation_that_we_asked_for_are_not_told(told):
    told.observed.add("4001", "terminal")
    assert told.observed.leave("4001") == {"terminal"}
    ends(told)
    assert told.events == []


def test_that_a_call_is_observed_no_more_is_no_end_of_a_stations_observation(told):
    told.observed.add("4001", "call")
    told.observer.callChangedEvent([event(getID=EndedEvent.CALL, getCall=None, getEndedObject=VendorCall(5))])
    told.observer.callChangedEvent([event(getID=EndedEvent.CALL, getCall=None)])
    assert told.events == []
    assert len(told.observed) == 1


def test_an_observer_is_noted_once():
    observed = Observed()
    assert observed.add("4001", "call")
    assert not observed.add("4001", "call")
    assert observed.drop("4001", "call")
    assert not observed.drop("4001", "call")
    assert len(observed) == 0
