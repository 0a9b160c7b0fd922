from typing import Any

import pytest
from tests.unit.links.telephony.jtapi.java_world import (
    Call,
    FakeJvm,
    JavaError,
    Leg,
    Provider,
    StateInfo,
    Terminal,
    ToneLeg,
    VendorAgent,
    VendorCall,
    VendorError,
    put_call,
)

from unified_agent.domain.ids import Secret
from unified_agent.links.telephony.jtapi import provider as asked
from unified_agent.links.telephony.jtapi.constants import AgentState, ControlTerminal
from unified_agent.links.telephony.jtapi.java_calls import CallNames
from unified_agent.links.telephony.jtapi.observer import Observed
from unified_agent.links.telephony.jtapi.operations import NO_SUCH_CALL, Operations
from unified_agent.links.telephony.jtapi.provider import OperationFailed

OBSERVER = object()


class Desk:
    """Station 4001 with a held call 1 and an active call 2."""

    def __init__(self) -> None:
        self.provider = Provider()
        self.observed = Observed()
        self.operations = Operations(FakeJvm(), self.provider, OBSERVER, CallNames(), self.observed)
        terminal = self.provider.getTerminal("4001")
        assert terminal is not None
        self.terminal: Terminal = terminal
        self.held = put_call(VendorCall(1), terminal, ControlTerminal.HELD)
        self.active = put_call(VendorCall(2), terminal, ControlTerminal.TALKING)

    def call(self, leg: Leg) -> Call:
        return leg.getConnection().getCall()

    def perform(self, operation: asked.Operation) -> Any:
        return self.operations.perform(operation)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_station_is_observed_by_terminal_address_and_calls_once(desk):
    for _ in range(2):
        assert desk.perform(asked.ObserveStation(station="4001")) is None
    assert desk.terminal.observers == [OBSERVER]
    assert desk.terminal.call_observers == [OBSERVER]
    assert desk.provider.addresses["4001"].observers == [OBSERVER]


def test_agents_thought_to_be_there_are_asked_for_while_nobody_observes(desk):
    """Observed, the library would answer out of its memory."""
    observers_when_asked: list[int] = []

    class Asked(VendorAgent):
        def getStateInfo(self) -> StateInfo:
            observers_when_asked.append(len(desk.terminal.observers))
            return super().getStateInfo()

    agent = Asked(desk.terminal, "1001", AgentState.READY)
    desk.terminal.agents = [agent]
    for _ in range(2):
        desk.perform(asked.ObserveStation(station="4001"))
    assert observers_when_asked == [0]
    desk.observed.leave("4001")
    desk.terminal.getAgents = desk.terminal.agents.clear  # a library that cannot say
    desk.perform(asked.ObserveStation(station="4001"))


def test_observing_again_adds_only_what_was_ended(desk):
    desk.perform(asked.ObserveStation(station="4001"))
    desk.observed.drop("4001", "terminal")
    desk.perform(asked.ObserveStation(station="4001"))
    assert len(desk.terminal.observers) == 2
    assert len(desk.terminal.call_observers) == 1


def test_an_observer_that_was_refused_is_not_thought_to_be_there(desk):
    def refuse(_: object) -> None:
        raise VendorError("no", (2, 12))

    add, desk.terminal.addCallObserver = desk.terminal.addCallObserver, refuse
    with pytest.raises(OperationFailed) as failed:
        desk.perform(asked.ObserveStation(station="4001"))
    assert (failed.value.kind, failed.value.pair) == ("VendorError", (2, 12))
    desk.terminal.addCallObserver = add
    desk.perform(asked.ObserveStation(station="4001"))
    assert desk.terminal.call_observers == [OBSERVER]


def test_observers_are_removed_all_even_when_one_cannot_be(desk):
    desk.perform(asked.ObserveStation(station="4001"))

    def refuse(_: object) -> None:
        raise JavaError("gone")

    desk.terminal.removeCallObserver = refuse
    with pytest.raises(OperationFailed):
        desk.perform(asked.UnobserveStation(station="4001"))
    assert desk.terminal.observers == []
    assert desk.provider.addresses["4001"].observers == []
    assert len(desk.observed) == 0
    assert desk.perform(asked.UnobserveStation(station="4001")) is None


def test_a_station_that_is_not_there_is_an_argument_that_is_not_valid(desk):
    with pytest.raises(OperationFailed) as failed:
        desk.perform(asked.ObserveStation(station="nowhere"))
    assert failed.value.kind == "InvalidArgumentException"


@pytest.mark.parametrize(
    ("operation", "done"),
    [
        (asked.Answer(station="4001", call="2"), ["answer"]),
        (asked.Hold(station="4001", call="2"), ["hold"]),
        (asked.Unhold(station="4001", call="2"), ["unhold"]),
    ],
)
def test_what_is_asked_of_the_terminals_part_goes_there(desk, operation, done):
    assert desk.perform(operation) is None
    assert desk.active.done == done
    assert desk.held.done == []


@pytest.mark.parametrize(
    ("operation", "done"),
    [
        (asked.HangUp(station="4001", call="2"), ["disconnect"]),
        (asked.Redirect(station="4001", call="2", number="4002"), ["redirect 4002"]),
    ],
)
def test_what_is_asked_of_the_connection_goes_there(desk, operation, done):
    desk.perform(operation)
    assert desk.active.getConnection().done == done


def test_dialling_connects_a_new_call_from_the_station(desk):
    desk.perform(asked.Dial(station="4001", number="5001"))
    assert desk.provider.created[0].done == [("connect", "4001", "4001", "5001")]


def test_consulting_is_done_by_a_new_call(desk):
    desk.perform(asked.Consult(station="4001", call="2", number="4002"))
    assert desk.provider.created[0].done == [("consult", desk.active, "4002")]


def test_swapping_holds_before_it_takes_back(desk):
    order: list[str] = []
    desk.active.hold = lambda: order.append("hold")
    desk.held.unhold = lambda: order.append("unhold")
    desk.perform(asked.Swap(station="4001", held="1", active="2"))
    assert order == ["hold", "unhold"]


def test_reconnecting_drops_the_active_call_and_takes_the_held_one_back(desk):
    desk.perform(asked.Reconnect(station="4001", held="1", active="2"))
    assert desk.active.getConnection().done == ["disconnect"]
    assert desk.held.done == ["unhold"]


def test_a_transfer_and_a_conference_join_the_active_call_to_the_held_one(desk):
    held, active = desk.call(desk.held), desk.call(desk.active)
    desk.perform(asked.Transfer(station="4001", held="1", active="2"))
    assert held.done == [("controller", desk.held), ("transfer", active)]
    held.done.clear()
    desk.perform(asked.Conference(station="4001", held="1", active="2"))
    assert held.done == [("controller", desk.held), ("conference", active)]


def test_a_blind_transfer_and_a_further_party_need_one_call(desk):
    active = desk.call(desk.active)
    desk.perform(asked.BlindTransfer(station="4001", call="2", number="4002"))
    desk.perform(asked.AddParty(station="4001", call="2", number="4003"))
    assert active.done == [("controller", desk.active), ("transfer", "4002"), ("add", "4003")]


def test_tones_are_sent_where_the_library_can(desk):
    put_call(VendorCall(3), desk.terminal, leg_class=ToneLeg)
    desk.perform(asked.SendTones(station="4001", call="3", digits="12#"))
    assert desk.terminal.legs is not None
    assert desk.terminal.legs[-1].done == ["tones 12#"]
    with pytest.raises(OperationFailed) as failed:
        desk.perform(asked.SendTones(station="4001", call="2", digits="1"))
    assert failed.value.kind == "MethodNotSupportedException"


def test_a_call_that_is_not_at_the_terminal_is_said_to_be_none(desk):
    desk.active.state = ControlTerminal.DROPPED
    for call in ("2", "77"):
        with pytest.raises(OperationFailed) as failed:
            desk.perform(asked.Answer(station="4001", call=call))
        assert failed.value.pair == NO_SUCH_CALL
        assert call in failed.value.detail


def test_calls_and_agents_are_read_and_states_told(desk):
    calls = desk.perform(asked.ReadCalls(station="4001"))
    assert [each.call for each in calls] == ["1", "2"]
    assert desk.perform(asked.ReadAgent(station="4001")) is None
    desk.perform(asked.LogIn(station="4001", agent="1001", password=Secret("42")))
    found = desk.perform(asked.ReadAgent(station="4001"))
    assert (found.agent, found.state) == ("1001", AgentState.NOT_READY)
    pending = desk.perform(asked.SetState(station="4001", agent="1001", state=4, work_mode=1))
    assert pending is False
    assert desk.perform(asked.LogOut(station="4001", agent="1001")) is None
    assert desk.perform(asked.ReadAgent(station="4001")) is None


def test_a_probe_asks_the_provider_itself(desk):
    desk.provider.state = 16
    assert desk.perform(asked.Probe()) == 16


def test_every_operation_can_be_performed():
    operations = {each for each in vars(asked).values() if isinstance(each, type) and issubclass(each, asked.Operation)}
    known = set(Desk().operations._table) | {asked.Probe, asked.Operation}
    assert operations == known
