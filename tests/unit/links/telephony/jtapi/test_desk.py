"""What sessions ask over JTAPI and hear, and what becomes of losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.links.telephony.jtapi.desk_world import (
    IN_SERVICE,
    OUT_OF_SERVICE,
    SETTINGS,
    SHUTDOWN,
    DeskWorld,
    ScriptedProvider,
    leaves,
    over,
    rings,
    talks,
    together,
)

from unified_agent.domain import commands
from unified_agent.domain.effects import (
    AskSwitch,
    ChangeMode,
    LogInAgent,
    LogOutAgent,
    Observe,
    QueryAgent,
    ReleaseStation,
    Snapshot,
)
from unified_agent.domain.facts import (
    AgentStateReported,
    CallAlerting,
    CallEnded,
    CallsMerged,
    ModePending,
    RequestDone,
    RequestRefused,
    RequestUnknown,
    StationSnapshot,
    StationUnobserved,
)
from unified_agent.domain.ids import AgentId, CallId, RequestId, Secret, SessionId, StationId
from unified_agent.domain.states import Direction, LegState, SwitchMode
from unified_agent.errors import RemoteProtocolError
from unified_agent.links.telephony.jtapi import messages, provider
from unified_agent.links.telephony.jtapi.constants import AgentEventId, AgentState, Cause, LucentWorkMode, ProviderState
from unified_agent.links.telephony.jtapi.desk import STALE_AGE_S, JtapiDesk
from unified_agent.links.telephony.jtapi.provider import AgentChanged, AgentRead, CallRead, LegRead, OperationFailed

AGENT = AgentId("5001")
LOG_IN = LogInAgent(agent=AGENT, password=Secret("1234"), reason=3)
NEVER = ScriptedProvider.NEVER
READY_READ = AgentRead(agent="5001", state=AgentState.READY, work_mode=LucentWorkMode.AUTO_IN)
CALLER = {"calling": "3001", "called": "2001"}


def observed(*stations: str) -> DeskWorld:
    world = DeskWorld()
    world.observe(*(stations or ("2001",)))
    return world


def arriving(call: str = "7", at: str = "2001", **fields: Any) -> provider.CallEvents:
    return together(*talks(call, "3001", **CALLER), *rings(call, at, **{**CALLER, **fields}))


def changed(number: AgentEventId, station: str = "2001", **fields: Any) -> AgentChanged:
    found = {"agent": "5001", "state": AgentState.UNKNOWN, "work_mode": LucentWorkMode.NONE, **fields}
    return AgentChanged(station=station, id=int(number), found=AgentRead(**found))


# --- up and down


def test_up_is_said_with_the_first_in_service_and_again_after_each_loss() -> None:
    world = DeskWorld(is_open=False)
    world.provider.state = ProviderState.OUT_OF_SERVICE
    world.desk.open(world.provider)
    world.provider.turn()
    assert world.said == []
    world.tell(IN_SERVICE, IN_SERVICE)
    world.tell(provider.ProviderChanged(state=ProviderState.OUT_OF_SERVICE, overload=False))
    world.tell(IN_SERVICE)
    assert [type(each) for each in world.said] == [messages.Up, messages.Down, messages.Up]
    assert [each.generation for each in world.said] == [1, 1, 2]
    assert (world.said[1].reason, world.said[1].lost) == ("switch-link-down", False)


def test_events_before_the_desk_is_open_count() -> None:
    world = DeskWorld(is_open=False)
    world.provider.state = ProviderState.OUT_OF_SERVICE
    world.tell(IN_SERVICE)
    assert world.said == []
    world.desk.open(world.provider)
    assert world.said == [messages.Up(generation=1)]


def test_state_is_asked_for_once_the_desk_is_open() -> None:
    world = DeskWorld(is_open=False)
    world.desk.open(world.provider)
    assert world.said == []
    world.provider.turn()
    assert world.said == [messages.Up(generation=1)]


def test_ask_while_down_is_refused_in_the_generation_in_which_it_was_asked() -> None:
    world = observed()
    world.provider.state = ProviderState.OUT_OF_SERVICE
    world.tell(provider.ProviderChanged(state=ProviderState.OUT_OF_SERVICE, overload=False))
    world.said.clear()
    world.ask(Observe())
    (told,) = world.said
    assert told.generation == 1
    fact = messages.fact_of(told)
    assert isinstance(fact, RequestRefused)
    assert fact.id == "switch.link-down"


def test_ask_of_an_older_generation_is_refused_and_touches_nothing() -> None:
    world = observed()
    world.tell(provider.ProviderChanged(state=ProviderState.OUT_OF_SERVICE, overload=False))
    world.tell(IN_SERVICE)
    world.said.clear()
    world.ask(Observe(), generation=1)
    (told,) = world.said
    assert told.generation == 1
    assert world.desk.observed == 0
    assert world.provider.operations == []


def test_what_is_no_ask_of_this_version_breaks_the_protocol() -> None:
    world = observed()
    message = messages.ask_of(1, _effect(Observe()))
    other = messages.Ask(
        generation=1,
        session=message.session,
        station=message.station,
        request=message.request,
        what="X",
        ask=message.ask,
    )
    with pytest.raises(RemoteProtocolError):
        world.desk.ask(other)


def _effect(ask: Any) -> Any:
    return AskSwitch(session=SessionId("s-2001"), station=StationId("2001"), request=RequestId(99), ask=ask)


def test_nothing_is_observed_in_a_new_generation_and_old_calls_are_forgotten() -> None:
    world = observed("2001", "2002", "2003")
    world.tell(arriving())
    world.tell(*(provider.ObservationEnded(station=each) for each in ("2001", "2002", "2003")))
    world.provider.state = ProviderState.OUT_OF_SERVICE
    world.tell(OUT_OF_SERVICE)
    assert isinstance(world.said[-1], messages.Down)
    world.provider.state = ProviderState.IN_SERVICE
    world.tell(IN_SERVICE)
    assert world.desk.observed == 0
    world.take()
    world.observe("2001")
    world.tell(together(*talks("7", "2001", **CALLER)))
    assert [type(each).__name__ for each in world.facts] == ["CallEstablished"]


# --- observing


def test_observing_twice_asks_once() -> None:
    world = DeskWorld()
    first, second = world.ask(Observe()), world.ask(Observe())
    assert [type(each) for each in (*world.answers(first), *world.answers(second))] == [RequestDone, RequestDone]
    assert world.provider.operations == [provider.ObserveStation(station="2001")]
    assert world.desk.observed == 1


def test_unknown_station_is_refused_for_good_and_leaves_nothing_behind() -> None:
    world = DeskWorld()
    world.provider.replies[provider.ObserveStation] = OperationFailed("InvalidArgumentException", "no terminal 9999")
    request = world.ask(Observe(), "9999")
    (answer,) = world.answers(request)
    assert isinstance(answer, RequestRefused)
    assert (answer.id, answer.fatal, answer.detail) == ("switch.unknown-station", True, "no terminal 9999")
    world.desk.forget(SessionId("s-9999"))
    world.provider.turn()
    assert world.provider.of(provider.UnobserveStation) == []


def test_release_ends_the_observation() -> None:
    world = observed()
    request = world.ask(ReleaseStation())
    assert [type(each) for each in world.answers(request)] == [RequestDone]
    assert world.provider.operations == [provider.UnobserveStation(station="2001")]
    assert world.desk.observed == 0
    world.tell(arriving())
    assert world.of(CallAlerting) == []


def test_release_that_is_refused_counts_as_done() -> None:
    world = observed()
    world.provider.replies[provider.UnobserveStation] = OperationFailed("PlatformException")
    request = world.ask(ReleaseStation())
    assert [type(each) for each in world.answers(request)] == [RequestDone]


def test_new_user_of_a_station_waits_until_the_old_one_is_given_back() -> None:
    world = observed()
    world.provider.replies[provider.UnobserveStation] = NEVER
    world.desk.forget(SessionId("s-2001"))
    request = world.ask(Observe(), session="new")
    assert world.answers(request) == []
    world.provider.tell(provider.UnobserveStation)
    assert [type(each) for each in world.answers(request)] == [RequestDone]
    assert [type(each) for each in world.provider.operations] == [provider.UnobserveStation, provider.ObserveStation]
    world.tell(arriving())
    assert [each.session for each in world.of(CallAlerting)] == ["new"]


def test_station_that_somebody_takes_is_not_given_back() -> None:
    world = observed()
    world.provider.replies[provider.ReadCalls] = NEVER
    world.ask(Observe(), session="new")
    world.desk.forget(SessionId("s-2001"))
    assert world.provider.operations == []
    assert world.desk.observed == 1


def test_forgotten_session_hears_nothing_more() -> None:
    world = observed()
    world.provider.replies[provider.Dial] = NEVER
    world.ask(commands.MakeCall(number="2002"))
    world.desk.forget(SessionId("s-2001"))
    world.provider.tell(provider.Dial)
    world.tell(arriving(), changed(AgentEventId.READY))
    assert world.facts == []


def test_ask_at_a_station_that_was_never_observed_is_refused() -> None:
    world = DeskWorld()
    (answer,) = world.answers(world.ask(QueryAgent(agent=AGENT)))
    assert isinstance(answer, RequestRefused)
    assert answer.id == "switch.invalid-state"


def test_station_that_is_observed_late_after_all_is_observed() -> None:
    world = DeskWorld()
    world.provider.replies[provider.ObserveStation] = NEVER
    request = world.ask(Observe())
    world.pass_time(11)
    assert [type(each) for each in world.answers(request)] == [RequestUnknown]
    world.provider.tell(provider.ObserveStation)
    assert world.desk.observed == 1
    assert [type(each) for each in world.answers(request)] == [RequestUnknown]
    world.provider.replies.clear()
    world.ask(Observe())
    assert len(world.provider.of(provider.ObserveStation)) == 1


def test_station_that_is_observed_late_for_nobody_is_given_back() -> None:
    world = DeskWorld()
    world.provider.replies[provider.ObserveStation] = NEVER
    world.ask(Observe())
    world.pass_time(11)
    world.desk.forget(SessionId("s-2001"))
    world.provider.tell(provider.ObserveStation)
    assert world.provider.operations[-1] == provider.UnobserveStation(station="2001")
    assert world.desk.observed == 0


def test_station_that_was_observed_in_a_lost_generation_is_not_called_observed() -> None:
    world = DeskWorld()
    world.provider.replies[provider.ObserveStation] = NEVER
    world.ask(Observe())
    world.tell(provider.ProviderChanged(state=ProviderState.OUT_OF_SERVICE, overload=False), IN_SERVICE)
    world.ask(QueryAgent(agent=AGENT))
    world.said.clear()
    world.provider.tell(provider.ObserveStation)
    assert world.desk.observed == 0
    assert world.said == []


# --- snapshots


def test_snapshot_tells_calls_and_agent_in_one_fact() -> None:
    world = observed()
    world.provider.replies[provider.ReadCalls] = (
        CallRead(
            call="7",
            legs=(LegRead(address="2001", connection=88, terminal=99), LegRead(address="3001", connection=88)),
            calling="3001",
            called="2001",
        ),
        CallRead(
            call="8",
            legs=(LegRead(address="2001", connection=88, terminal=98), LegRead(address="2002", connection=83)),
            calling="2001",
            called="2002",
        ),
    )
    world.provider.replies[provider.ReadAgent] = READY_READ
    request = world.ask(Snapshot(agent=AGENT))
    (snapshot,) = world.answers(request)
    assert isinstance(snapshot, StationSnapshot)
    assert (snapshot.agent, snapshot.mode, snapshot.talking) == ("5001", SwitchMode.READY, False)
    assert [(each.call, each.state, each.direction) for each in snapshot.calls] == [
        ("7", LegState.HELD, Direction.IN),
        ("8", LegState.DIALLING, Direction.OUT),
    ]
    assert [[party.number for party in each.parties] for each in snapshot.calls] == [["3001"], ["2002"]]


def test_snapshot_ends_calls_of_which_the_end_was_missed() -> None:
    world = observed()
    world.tell(arriving())
    request = world.ask(Snapshot(agent=AGENT))
    (snapshot,) = world.answers(request)
    assert isinstance(snapshot, StationSnapshot)
    assert snapshot.calls == ()
    assert world.calls() == ()


def test_event_that_comes_during_a_snapshot_is_in_it() -> None:
    world = observed()
    world.provider.replies[provider.ReadCalls] = NEVER
    request = world.ask(Snapshot(agent=AGENT))
    world.tell(arriving())
    assert world.facts == []
    world.provider.tell(provider.ReadCalls, ())
    (snapshot,) = world.answers(request)
    assert isinstance(snapshot, StationSnapshot)
    assert [each.state for each in snapshot.calls] == [LegState.ALERTING]
    world.tell(together(*talks("7", "2001", **CALLER)))
    assert [each.state for each in world.calls()] == [LegState.ACTIVE]


@pytest.mark.parametrize("kind", [provider.ReadCalls, provider.ReadAgent])
def test_events_follow_a_refused_snapshot(kind: type[provider.Operation]) -> None:
    world = observed()
    world.provider.replies[kind] = NEVER
    request = world.ask(Snapshot(agent=AGENT))
    world.tell(arriving())
    world.provider.tell(kind, OperationFailed("ResourceUnavailableException", "no"))
    assert [type(each) for each in world.facts] == [CallAlerting, RequestRefused]
    assert [type(each) for each in world.answers(request)] == [RequestRefused]


def test_operation_that_fails_on_its_way_may_have_been_carried_out() -> None:
    world = observed()
    world.provider.replies[provider.Dial] = NEVER
    request = world.ask(commands.MakeCall(number="2002"))
    world.provider.tell(provider.Dial, OperationFailed("PlatformException", "the link to AES was lost"))
    assert [type(each) for each in world.answers(request)] == [RequestUnknown]


# --- agents


def test_log_in_asks_once_and_for_not_ready() -> None:
    world = observed()
    request = world.ask(LOG_IN)
    assert [type(each) for each in world.answers(request)] == [RequestDone]
    assert world.provider.operations[0] == provider.LogIn(
        station="2001", agent="5001", password=Secret("1234"), reason=3
    )


def test_log_out_needs_no_password() -> None:
    world = observed()
    world.ask(LogOutAgent(agent=AGENT, password=Secret("1234"), reason=2))
    assert world.provider.operations[0] == provider.LogOut(station="2001", agent="5001", reason=2)


def test_mode_that_nobody_can_ask_for_is_refused() -> None:
    world = observed()
    (answer,) = world.answers(world.ask(ChangeMode(agent=AGENT, mode=SwitchMode.UNKNOWN)))
    assert isinstance(answer, RequestRefused)
    assert answer.id == "switch.refused"


def test_pending_change_is_told_as_pending() -> None:
    world = observed()
    world.provider.replies[provider.SetState] = True
    request = world.ask(ChangeMode(agent=AGENT, mode=SwitchMode.NOT_READY, reason=3, may_wait=True))
    assert world.answers(request) == [
        ModePending(session=SessionId("s-2001"), request=request, mode=SwitchMode.NOT_READY, reason=3)
    ]


def test_query_tells_the_mode_and_is_answered() -> None:
    world = observed()
    world.provider.replies[provider.ReadAgent] = READY_READ
    request = world.ask(QueryAgent(agent=AGENT))
    assert [type(each) for each in world.facts] == [AgentStateReported, RequestDone]
    assert world.of(AgentStateReported)[0].mode is SwitchMode.READY
    assert [type(each) for each in world.answers(request)] == [RequestDone]


def test_what_was_read_of_the_mode_before_an_own_change_is_not_believed() -> None:
    world = observed()
    world.tell(changed(AgentEventId.READY))
    world.said.clear()
    world.provider.replies[provider.ReadAgent] = NEVER
    request = world.ask(QueryAgent(agent=AGENT))
    world.ask(ChangeMode(agent=AGENT, mode=SwitchMode.NOT_READY, reason=1))
    world.provider.tell(provider.ReadAgent, READY_READ)
    assert world.of(AgentStateReported) == []
    assert [type(each) for each in world.answers(request)] == [RequestDone]


def test_agent_events_are_reported_to_the_station_that_is_observed() -> None:
    world = observed()
    world.tell(changed(AgentEventId.NOT_READY, reason=3), changed(AgentEventId.READY, station="2002"))
    (report,) = world.of(AgentStateReported)
    assert (report.session, report.mode, report.reason) == ("s-2001", SwitchMode.NOT_READY, 3)


def test_reason_that_no_event_tells_is_read() -> None:
    world = observed()
    world.provider.replies[provider.ReadAgent] = AgentRead(agent="5001", state=AgentState.NOT_READY, reason=4)
    world.tell(changed(AgentEventId.NOT_READY, work_mode=None))
    (report,) = world.of(AgentStateReported)
    assert (report.mode, report.reason) == (SwitchMode.NOT_READY, 4)


def test_event_is_reported_as_it_is_when_no_reason_can_be_read() -> None:
    world = observed()
    world.provider.replies[provider.ReadAgent] = OperationFailed("PlatformException")
    world.tell(changed(AgentEventId.NOT_READY, work_mode=None))
    (report,) = world.of(AgentStateReported)
    assert (report.mode, report.reason) == (SwitchMode.NOT_READY, None)


def test_provider_that_never_told_a_mode_is_asked_after_own_changes_and_ended_calls() -> None:
    world = observed()
    world.provider.replies[provider.ReadAgent] = READY_READ
    world.ask(ChangeMode(agent=AGENT, mode=SwitchMode.READY))
    assert [each.mode for each in world.of(AgentStateReported)] == [SwitchMode.READY]
    world.tell(changed(AgentEventId.LOGGED_ON), arriving())
    world.said.clear()
    world.tell(together(*leaves("7", "2001", cause=Cause.NORMAL)))
    assert [type(each) for each in world.facts] == [CallEnded, AgentStateReported]
    world.tell(changed(AgentEventId.READY))
    world.said.clear()
    world.ask(ChangeMode(agent=AGENT, mode=SwitchMode.READY))
    assert world.of(AgentStateReported) == []


def test_agents_are_polled_once_per_interval_until_the_first_mode_is_told() -> None:
    world = observed("2001", "2002")
    for each in ("2001", "2002"):
        world.ask(QueryAgent(agent=AGENT), each)
    world.provider.operations.clear()
    world.pass_time(30)
    read = [each.station for each in world.provider.of(provider.ReadAgent)]
    assert 4 <= len(read) <= 6
    assert set(read) == {"2001", "2002"}
    world.tell(changed(AgentEventId.BUSY))
    world.provider.operations.clear()
    world.pass_time(30)
    assert world.provider.of(provider.ReadAgent) == []


# --- calls


def test_calls_are_asked_for_and_answered() -> None:
    world = observed()
    request = world.ask(commands.MakeCall(number="+44 (20) 7946-0001"))
    assert world.provider.operations == [provider.Dial(station="2001", number="+442079460001")]
    assert [type(each) for each in world.answers(request)] == [RequestDone]


def test_refused_call_says_why() -> None:
    world = observed()
    world.provider.replies[provider.Answer] = OperationFailed("InvalidStateException", "it is gone", (2, 28))
    (answer,) = world.answers(world.ask(commands.AnswerCall(call=CallId("7"))))
    assert isinstance(answer, RequestRefused)
    assert (answer.id, answer.detail, answer.fatal) == ("switch.no-such-call", "it is gone", False)


def test_each_observed_station_is_told_its_own_side() -> None:
    world = observed("2001", "2002")
    call = {"calling": "2001", "called": "2002"}
    world.tell(together(*talks("7", "2001", **call), *rings("7", "2002", **call)))
    world.tell(together(*talks("7", "2002", **call)))
    assert [each.parties[0].number for each in world.calls("2001")] == ["2002"]
    assert [each.parties[0].number for each in world.calls("2002")] == ["2001"]
    assert {each.state for station in ("2001", "2002") for each in world.calls(station)} == {LegState.ACTIVE}


def test_late_repeats_of_a_call_that_is_over_change_nothing() -> None:
    world = observed()
    history = [arriving(), together(*talks("7", "2001", **CALLER)), together(*leaves("7", "2001"), over("7"))]
    world.tell(*history)
    world.said.clear()
    world.tell(*history)
    assert world.facts == []


def test_call_that_was_to_become_another_ends_after_a_while() -> None:
    world = observed()
    transfer = {"control_cause": Cause.TRANSFER}
    world.tell(arriving(), together(*talks("7", "2001", **CALLER)))
    world.said.clear()
    world.tell(together(*leaves("7", "2001", **transfer), *leaves("7", "3001", **transfer), over("7", **transfer)))
    assert world.facts == []
    world.pass_time(0.2, 0.05)
    assert [type(each) for each in world.facts if not isinstance(each, AgentStateReported)] == [CallEnded]


def test_call_that_becomes_another_in_the_next_delivery_does_not_end() -> None:
    world = observed()
    transfer = {"control_cause": Cause.TRANSFER}
    world.tell(arriving(), together(*talks("7", "2001", **CALLER)))
    world.tell(together(*leaves("7", "2001", **transfer), *leaves("7", "3001", **transfer), over("7", **transfer)))
    world.tell(together(*talks("9", "2001", **transfer), *talks("9", "3005", **transfer)))
    world.pass_time(1)
    assert len(world.of(CallsMerged)) == 1
    assert [(each.id, each.parties[0].number) for each in world.calls()] == [("9", "3005")]


# --- limits


def test_operation_without_an_outcome_is_unknown_after_the_limit_and_its_late_outcome_is_void() -> None:
    world = observed()
    world.provider.replies[provider.Dial] = NEVER
    request = world.ask(commands.MakeCall(number="2002"))
    world.pass_time(9.5)
    assert world.answers(request) == []
    world.pass_time(1)
    assert [type(each) for each in world.answers(request)] == [RequestUnknown]
    world.provider.tell(provider.Dial)
    assert [type(each) for each in world.answers(request)] == [RequestUnknown]


def test_no_more_than_the_limit_are_at_the_provider_and_a_place_is_left_for_the_probe() -> None:
    world = observed()
    world.provider.replies[provider.SendTones] = NEVER
    for _ in range(20):
        world.ask(commands.SendDigits(call=CallId("7"), digits="1"))
    assert (world.desk.in_flight, world.desk.waiting) == (SETTINGS.in_flight_limit - 1, 13)
    world.pass_time(5)
    assert world.lost == 0
    world.provider.replies.clear()
    world.provider.turn()
    assert (world.desk.in_flight, world.desk.waiting) == (0, 0)


def test_what_waits_too_long_for_a_place_is_refused_as_busy() -> None:
    world = observed()
    world.provider.replies[provider.SendTones] = NEVER
    requests = [world.ask(commands.SendDigits(call=CallId("7"), digits="1")) for _ in range(8)]
    world.pass_time(11)
    (answer,) = world.answers(requests[-1])
    assert isinstance(answer, RequestRefused)
    assert answer.id == "switch.busy"
    assert [type(each) for each in world.answers(requests[0])] == [RequestUnknown]


def test_operation_that_the_client_library_lost_may_have_happened() -> None:
    world = observed()
    world.provider.replies[provider.Dial] = OperationFailed("PlatformException", "the link to AES was lost", (4, 0))
    (answer,) = world.answers(world.ask(commands.MakeCall(number="2002")))
    assert isinstance(answer, RequestUnknown)
    assert answer.detail == "the link to AES was lost"


# --- losses


def test_single_station_that_is_observed_no_more_is_told_alone() -> None:
    world = observed("2001", "2002", "2003")
    world.tell(provider.ObservationEnded(station="2002"), provider.ObservationEnded(station="2002"))
    assert world.desk.observed == 2
    world.pass_time(1)
    assert world.facts == [StationUnobserved(session=SessionId("s-2002"), reason="monitor-ended")]
    world.ask(Observe(), "2002")
    assert world.provider.of(provider.ObserveStation) == [provider.ObserveStation(station="2002")]


def test_nearly_all_that_are_observed_no_more_are_a_loss() -> None:
    world = observed(*(str(number) for number in range(2001, 2011)))
    world.provider.replies[provider.Probe] = NEVER
    world.tell(*(provider.ObservationEnded(station=str(number)) for number in range(2001, 2010)))
    assert world.said == []
    world.pass_time(1)
    assert [type(each) for each in world.said] == [messages.Down]


@pytest.mark.parametrize("order", [1, -1], ids=["ended-first", "status-first"])
def test_observation_that_ends_with_out_of_service_is_a_loss_at_once(order: int) -> None:
    world = observed("2001", "2002", "2003")
    world.provider.state = ProviderState.OUT_OF_SERVICE
    world.provider.replies[provider.Probe] = NEVER
    events: list[provider.Event] = [provider.ObservationEnded(station="2001"), OUT_OF_SERVICE]
    world.tell(*events[::order])
    (down,) = world.said
    assert (down.reason, down.lost, down.generation) == ("switch-link-down", False, 1)
    assert world.desk.observed == 0


def test_overload_that_is_told_is_no_loss() -> None:
    world = observed()
    world.provider.state = ProviderState.OUT_OF_SERVICE
    world.tell(provider.ProviderChanged(state=ProviderState.OUT_OF_SERVICE, overload=True))
    world.pass_time(60)
    assert world.desk.is_up
    assert world.desk.is_overloaded
    assert not any(isinstance(each, messages.Down) for each in world.said)
    world.provider.state = ProviderState.IN_SERVICE
    world.tell(IN_SERVICE)
    assert not world.desk.is_overloaded
    assert not any(isinstance(each, messages.Up) for each in world.said)


def test_overload_that_is_not_told_is_known_by_what_stays_observed() -> None:
    world = observed()
    world.provider.state = ProviderState.OUT_OF_SERVICE
    world.tell(OUT_OF_SERVICE)
    world.pass_time(10)
    assert (world.desk.is_up, world.desk.is_overloaded) == (True, True)
    world.tell(arriving())
    assert len(world.of(CallAlerting)) == 1


def test_out_of_service_with_nothing_observed_is_a_loss_after_the_grace() -> None:
    world = DeskWorld()
    world.provider.state = ProviderState.OUT_OF_SERVICE
    world.tell(OUT_OF_SERVICE)
    world.pass_time(2)
    assert world.said == []
    world.pass_time(2)
    assert [type(each) for each in world.said] == [messages.Down]


def test_short_absence_of_service_is_nothing() -> None:
    world = DeskWorld()
    world.tell(OUT_OF_SERVICE, IN_SERVICE)
    world.pass_time(10)
    assert world.said == []


def test_request_refused_for_want_of_a_link_makes_an_untold_absence_a_loss() -> None:
    world = observed()
    world.provider.state = ProviderState.OUT_OF_SERVICE
    world.tell(OUT_OF_SERVICE)
    world.provider.replies[provider.Dial] = OperationFailed("ResourceUnavailableException", "", (2, 34))
    request = world.ask(commands.MakeCall(number="2002"))
    assert [type(each) for each in world.answers(request)] == [RequestRefused]
    assert isinstance(world.said[-1], messages.Down)


def test_end_of_the_loss_is_found_by_asking_too() -> None:
    world = observed()
    world.provider.state = ProviderState.OUT_OF_SERVICE
    world.tell(provider.ProviderChanged(state=ProviderState.OUT_OF_SERVICE, overload=False))
    world.pass_time(3)
    assert not world.desk.is_up
    world.provider.state = ProviderState.IN_SERVICE
    world.pass_time(3)
    assert world.said[-1] == messages.Up(generation=2)


def test_answer_that_an_event_has_overtaken_changes_nothing() -> None:
    world = observed()
    world.provider.replies[provider.Probe] = NEVER
    world.pass_time(5.5)
    world.tell(provider.ProviderChanged(state=ProviderState.OUT_OF_SERVICE, overload=False))
    world.provider.tell(provider.Probe, ProviderState.IN_SERVICE)
    assert not world.desk.is_up


def test_down_answers_all_that_was_asked() -> None:
    world = observed()
    world.provider.replies[provider.Dial] = NEVER
    request = world.ask(commands.MakeCall(number="2002"))
    world.tell(provider.ProviderChanged(state=ProviderState.OUT_OF_SERVICE, overload=False), IN_SERVICE)
    world.provider.tell(provider.Dial)
    world.pass_time(20)
    assert world.answers(request) == []
    assert [type(each) for each in world.said] == [messages.Down, messages.Up]


@pytest.mark.parametrize(
    ("happen", "reason"),
    [
        (lambda world: world.tell(SHUTDOWN), "closed"),
        (lambda world: (world.provider.replies.update({provider.Probe: NEVER}), world.pass_time(20)), "silent"),
    ],
    ids=["shut-down", "silent"],
)
def test_provider_that_is_dead_is_lost_once(happen: Callable[[DeskWorld], Any], reason: str) -> None:
    world = observed()
    world.provider.replies[provider.Dial] = NEVER
    world.ask(commands.MakeCall(number="2002"))
    happen(world)
    down = world.said[-1]
    assert (down.reason, down.lost, world.lost) == (reason, True, 1)
    world.said.clear()
    world.tell(SHUTDOWN, IN_SERVICE, arriving())
    world.provider.tell(provider.Dial)
    world.ask(Observe())
    world.pass_time(60)
    assert (world.said, world.lost) == ([], 1)


def test_provider_that_shuts_down_before_it_was_in_service_is_lost() -> None:
    world = DeskWorld(is_open=False)
    world.provider.state = ProviderState.OUT_OF_SERVICE
    world.desk.open(world.provider)
    world.tell(SHUTDOWN)
    assert [(each.generation, each.lost) for each in world.said] == [(0, True)]


def test_aes_that_tells_events_is_not_silent() -> None:
    world = observed()
    world.provider.replies[provider.Probe] = NEVER
    for _ in range(10):
        world.pass_time(5)
        world.tell(arriving())
    assert world.lost == 0
    world.pass_time(13)
    assert world.lost == 1


def test_failed_probe_is_an_answer() -> None:
    world = observed()
    world.provider.replies[provider.Probe] = OperationFailed("PlatformException")
    world.pass_time(60)
    assert world.lost == 0


def test_closed_desk_says_nothing_and_plans_nothing() -> None:
    world = observed()
    world.desk.close()
    world.tell(SHUTDOWN, arriving())
    world.pass_time(60)
    assert (world.said, world.lost) == ([], 0)
    assert world.clock.planned == []


# --- agents that only the client library knows

STALE = OperationFailed("StaleAgent", "the library says that the agent is in, and the switch not")


def test_stale_agent_after_a_loss_replaces_the_provider() -> None:
    world = observed()
    world.tell(provider.ProviderChanged(state=ProviderState.OUT_OF_SERVICE, overload=False), IN_SERVICE)
    world.observe("2001")
    world.provider.replies[provider.LogIn] = STALE
    request = world.ask(LOG_IN)
    assert world.answers(request) == []
    assert [(each.reason, each.lost) for each in world.said] == [("stale-agent", True)]
    assert world.lost == 1


def test_stale_agent_of_a_fresh_provider_is_refused_so_that_providers_are_not_replaced_for_ever() -> None:
    world = observed()
    world.provider.replies[provider.LogIn] = STALE
    (answer,) = world.answers(world.ask(LOG_IN))
    assert isinstance(answer, RequestRefused)
    assert (answer.id, answer.fatal) == ("switch.refused", False)
    world.pass_time(STALE_AGE_S, 5.0)
    world.ask(LOG_IN)
    assert world.lost == 1


def test_desk_keeps_nothing_of_sessions_that_are_gone() -> None:
    world = observed("2001", "2002")
    for each in ("2001", "2002"):
        world.ask(Snapshot(agent=AGENT), each)
        world.desk.forget(SessionId(f"s-{each}"))
    world.provider.turn()
    assert (world.desk.observed, world.desk.in_flight, world.desk.waiting) == (0, 0, 0)
    assert _stations(world.desk) == 0


def _stations(desk: JtapiDesk) -> int:
    return len(desk._stations)


def test_provider_that_shuts_down_after_aes_fell_silent_is_lost_by_silence() -> None:
    world = observed()
    world.provider.replies[provider.Probe] = NEVER
    world.pass_time(8)
    world.tell(SHUTDOWN)
    assert [(each.reason, each.lost) for each in world.said] == [("silent", True)]


def test_reason_of_a_log_out_that_no_event_tells_is_the_one_that_was_asked() -> None:
    world = observed()
    world.tell(changed(AgentEventId.READY))
    world.ask(LogOutAgent(agent=AGENT, password=Secret("1234"), reason=5))
    world.said.clear()
    world.tell(changed(AgentEventId.LOGGED_OFF))
    assert [(each.mode, each.reason) for each in world.of(AgentStateReported)] == [(SwitchMode.LOGGED_OUT, 5)]


def test_mode_that_the_switch_still_holds_is_told_when_the_library_did_not_ask_for_another() -> None:
    world = observed()
    world.tell(changed(AgentEventId.READY))
    world.provider.replies[provider.SetState] = True
    world.ask(ChangeMode(agent=AGENT, mode=SwitchMode.NOT_READY, reason=3, may_wait=True))
    world.provider.replies[provider.SetState] = False
    world.provider.replies[provider.ReadAgent] = AgentRead(
        agent="5001", state=AgentState.BUSY, work_mode=LucentWorkMode.AUTO_IN, pending_state=AgentState.NOT_READY
    )
    world.said.clear()
    world.ask(ChangeMode(agent=AGENT, mode=SwitchMode.READY))
    assert [type(each) for each in world.facts] == [RequestDone, AgentStateReported]
    assert world.of(AgentStateReported)[0].pending_mode is SwitchMode.NOT_READY
