"""What sessions ask and are told, on a link that stays up."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

import pytest
from tests.unit.links.telephony.world import ScriptedAes, World, device, leg, party, refusal, run_world

from unified_agent.domain import commands
from unified_agent.domain.commands import CallCommand
from unified_agent.domain.effects import (
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
    CallSeen,
    ModePending,
    PartySeen,
    RequestDone,
    RequestRefused,
    StationSnapshot,
)
from unified_agent.domain.ids import AgentId, CallId, Secret, SessionId
from unified_agent.domain.states import LegState, SwitchMode
from unified_agent.wire.csta import messages as csta
from unified_agent.wire.csta import values
from unified_agent.wire.csta.values import LocalState, MonitorId, RequestedAgentState, WorkMode

S = SessionId("s-2001")
US = AgentId("5001")
DEVICE = device("2001")


def observed(play: Callable[[World], Awaitable[Any]]) -> Callable[[], None]:
    """Make a play a test, in a world whose station 2001 is observed by monitor 1."""

    @wraps(play)
    def test() -> None:
        async def begin(world: World) -> None:
            await world.ask(Observe())
            world.aes.requests.clear()
            await play(world)

        run_world(begin)

    del test.__wrapped__  # or pytest takes ``world`` for a fixture
    return test


def alerting(call: str = "7", monitor: str = "1") -> csta.DeliveredEvent:
    return csta.DeliveredEvent(
        monitor_id=MonitorId(monitor),
        connection=leg(call, "2001"),
        alerting=party("2001"),
        calling=party("3001"),
        called=party("8000"),
        last_redirection=party(None),
        cause="newCall",
    )


def cleared(call: str = "7", monitor: str = "1") -> csta.ConnectionClearedEvent:
    return csta.ConnectionClearedEvent(
        monitor_id=MonitorId(monitor), connection=leg(call, "2001"), releasing=party("2001"), cause=None
    )


def not_ready(agent: str = "5001", reason: int = 3, monitor: str = "1") -> csta.AgentNotReadyEvent:
    return csta.AgentNotReadyEvent(
        monitor_id=MonitorId(monitor), device=party("2001"), agent_id=agent, reason_code=reason
    )


def state(answer: values.AgentState) -> csta.GetAgentStateResponse:
    group = csta.AgentGroupState(state=answer)
    return csta.GetAgentStateResponse(agents=(csta.AgentEntry(logged_on=True, agent_id="5001", groups=(group,)),))


# --- observing


@observed
async def test_observing_twice_asks_once(world: World) -> None:
    request = world.ask_now(Observe())
    assert world.answers(request) == [RequestDone(session=S, request=request)]
    assert world.aes.requests == []


@observed
async def test_unknown_station_is_refused_for_good_and_leaves_nothing_behind(world: World) -> None:
    world.aes.replies[csta.GetThirdPartyDeviceId] = refusal(csta.ErrorClass.OPERATION, "invalidDeviceID")
    request = await world.ask(Observe(), "9999")
    assert world.answers(request) == [
        RequestRefused(
            session=SessionId("s-9999"),
            request=request,
            id="switch.unknown-station",
            detail="operation invalidDeviceID",
            fatal=True,
        )
    ]
    world.link.forget(SessionId("s-9999"))
    await world.run(0.1)
    assert [type(each) for each in world.aes.requests] == [csta.GetThirdPartyDeviceId]


@observed
async def test_refused_monitor_gives_the_device_id_back_with_the_session(world: World) -> None:
    world.aes.replies[csta.MonitorStart] = refusal(csta.ErrorClass.SYSTEM_RESOURCE, "overallMonitorLimitExceeded")
    request = await world.ask(Observe(), "2002")
    assert [each.id for each in world.answers(request) if isinstance(each, RequestRefused)] == ["switch.limit-reached"]
    world.link.forget(SessionId("s-2002"))
    await world.run(0.1)
    assert world.aes.requests[-1] == csta.ReleaseDeviceId(device=device("2002"))


@observed
async def test_device_id_that_aes_forgot_is_asked_for_again(world: World) -> None:
    world.aes.tell(csta.MonitorStop(monitor_id=MonitorId("1")))
    await world.run(0.5)
    refused = iter([refusal(csta.ErrorClass.OPERATION, "invalidDeviceID")])
    usual = csta.MonitorStartResponse(monitor_id=MonitorId("5"))
    world.aes.replies[csta.MonitorStart] = lambda _: next(refused, usual)
    world.aes.requests.clear()
    request = await world.ask(Observe())
    assert [type(each) for each in world.answers(request)] == [RequestDone]
    assert [type(each) for each in world.aes.requests] == [
        csta.MonitorStart,
        csta.GetThirdPartyDeviceId,
        csta.MonitorStart,
    ]


@observed
async def test_release_ends_the_monitor_and_gives_the_device_id_back(world: World) -> None:
    request = await world.ask(ReleaseStation())
    assert [type(each) for each in world.answers(request)] == [RequestDone]
    assert world.aes.requests == [
        csta.MonitorStop(monitor_id=MonitorId("1")),
        csta.ReleaseDeviceId(device=DEVICE),
    ]
    world.link.forget(S)
    await world.run(0.1)
    assert len(world.aes.requests) == 2


@observed
async def test_release_that_aes_refuses_counts_as_done(world: World) -> None:
    world.aes.replies |= {
        csta.MonitorStop: refusal(csta.ErrorClass.OPERATION, "invalidMonitorCrossRefID"),
        csta.ReleaseDeviceId: refusal(csta.ErrorClass.OPERATION, "invalidDeviceID"),
    }
    request = await world.ask(ReleaseStation())
    assert [type(each) for each in world.answers(request)] == [RequestDone]


@observed
async def test_new_user_of_a_station_waits_until_the_old_one_is_given_back(world: World) -> None:
    world.aes.replies[csta.ReleaseDeviceId] = None
    world.link.forget(S)
    await world.run(0.05)
    request = await world.ask(Observe(), session="next")
    assert world.answers(request) == []
    world.aes.answer_now(csta.ReleaseDeviceId)
    await world.run(0.1)
    assert [type(each) for each in world.answers(request)] == [RequestDone]
    assert [type(each) for each in world.aes.requests] == [
        csta.MonitorStop,
        csta.ReleaseDeviceId,
        csta.GetThirdPartyDeviceId,
        csta.MonitorStart,
    ]


@observed
async def test_events_go_to_the_session_that_uses_the_station(world: World) -> None:
    await world.ask(Observe(), "2002")
    world.aes.tell(
        csta.HeldEvent(monitor_id=MonitorId("2"), connection=leg("8", "2002"), holding=party("2002"), cause=None)
    )
    world.aes.tell(alerting())
    await world.run(0.05)
    assert [each.session for each in world.ears.facts[-2:]] == ["s-2002", "s-2001"]


@observed
async def test_event_of_an_unknown_monitor_is_counted_and_the_monitor_ended(world: World) -> None:
    world.ears.take()
    world.aes.tell(alerting(monitor="66"))
    world.aes.tell(alerting(monitor="66"))
    await world.run(0.05)
    assert world.ears.take() == []
    assert world.aes.requests == [csta.MonitorStop(monitor_id=MonitorId("66"))]
    assert world.metric("ua_link_unexpected_reports_total", kind="telephony") == 1


# --- snapshots


@observed
async def test_snapshot_tells_calls_and_agent_in_one_fact(world: World) -> None:
    world.aes.replies |= {
        csta.SnapshotDevice: csta.SnapshotDeviceResponse(
            calls=(
                csta.SnapshotDeviceEntry(
                    connection=leg("7", "2001"), states=(LocalState.CONNECTED, LocalState.CONNECTED)
                ),
            )
        ),
        csta.SnapshotCall: csta.SnapshotCallResponse(
            parties=(
                csta.SnapshotCallEntry(device=party("2001"), local_state=LocalState.CONNECTED),
                csta.SnapshotCallEntry(device=party("3001"), local_state=LocalState.CONNECTED),
            )
        ),
        csta.GetAgentState: state(values.AgentState.BUSY),
    }
    request = await world.ask(Snapshot(agent=US))
    assert world.answers(request) == [
        StationSnapshot(
            session=S,
            request=request,
            calls=(CallSeen(call=CallId("7"), state=LegState.ACTIVE, parties=(PartySeen(number="3001"),)),),
            agent=US,
            mode=SwitchMode.READY,
            talking=True,
        )
    ]


@observed
async def test_call_that_ends_while_the_snapshot_is_taken_is_left_out(world: World) -> None:
    entries = tuple(csta.SnapshotDeviceEntry(connection=leg(call, "2001")) for call in ("7", "8"))
    world.aes.replies |= {
        csta.SnapshotDevice: csta.SnapshotDeviceResponse(calls=entries),
        csta.SnapshotCall: lambda it: refusal(
            csta.ErrorClass.OPERATION, "invalidCallID" if it.call.call_id == "7" else "serviceNotSupported"
        ),
    }
    request = await world.ask(Snapshot(agent=US))
    (snapshot,) = world.answers(request)
    assert isinstance(snapshot, StationSnapshot)
    assert snapshot.calls == (CallSeen(call=CallId("8"), state=LegState.ACTIVE),)


@observed
async def test_events_that_come_during_a_snapshot_follow_it(world: World) -> None:
    world.aes.replies[csta.GetAgentState] = None
    world.ears.take()
    request = await world.ask(Snapshot(agent=US))
    world.aes.tell(alerting())
    world.aes.tell(not_ready())
    await world.run(0.05)
    assert world.ears.facts == []
    world.aes.answer_now(csta.GetAgentState)
    await world.run(0.05)
    assert [type(each) for each in world.ears.take()] == [StationSnapshot, CallAlerting, AgentStateReported]
    assert request


@observed
async def test_events_follow_a_refused_snapshot_too(world: World) -> None:
    world.aes.replies[csta.GetAgentState] = None
    world.ears.take()
    await world.ask(Snapshot(agent=US))
    world.aes.tell(alerting())
    await world.run(0.05)
    world.aes.answer_now(csta.GetAgentState, refusal(csta.ErrorClass.STATE, "generic"))
    await world.run(0.05)
    assert [type(each) for each in world.ears.take()] == [RequestRefused, CallAlerting]


@observed
async def test_snapshot_in_segments_is_refused_rather_than_taken_for_empty(world: World) -> None:
    world.aes.replies[csta.SnapshotDevice] = csta.SnapshotDeviceResponse(segments_id="4")
    request = await world.ask(Snapshot(agent=US))
    assert [each.id for each in world.answers(request) if isinstance(each, RequestRefused)] == ["switch.refused"]


@observed
async def test_answer_of_the_wrong_kind_is_a_refusal_and_not_believed(world: World) -> None:
    world.aes.replies[csta.SnapshotDevice] = csta.HoldCallResponse()
    request = await world.ask(Snapshot(agent=US))
    (answer,) = world.answers(request)
    assert isinstance(answer, RequestRefused)
    assert answer.detail == "unexpected answer HoldCallResponse instead of SnapshotDeviceResponse"


# --- agents


@observed
async def test_log_in_asks_for_not_ready_with_its_reason(world: World) -> None:
    request = await world.ask(LogInAgent(agent=US, password=Secret("1234"), reason=1))
    assert [type(each) for each in world.answers(request)] == [RequestDone]
    assert world.aes.requests[0] == csta.SetAgentState(
        device=DEVICE,
        state=RequestedAgentState.LOGGED_ON,
        agent_id="5001",
        password=values.Secret("1234"),
        work_mode=WorkMode.AUX_WORK,
        reason_code=1,
    )


@pytest.mark.parametrize(
    ("value", "refused"),
    [
        ("invalidAgentPassword", "switch.wrong-password"),
        ("invalidAgentIdentifier", "switch.unknown-agent"),
    ],
)
def test_refused_log_in_says_what_is_wrong(value: str, refused: str) -> None:
    aes = ScriptedAes()
    aes.replies[csta.SetAgentState] = refusal(csta.ErrorClass.OPERATION, value)

    async def play(world: World) -> None:
        await world.ask(Observe())
        request = await world.ask(LogInAgent(agent=US, password=Secret("1")))
        (answer,) = world.answers(request)
        assert isinstance(answer, RequestRefused)
        assert (answer.id, answer.fatal) == (refused, True)
        assert csta.GetAgentState not in [type(each) for each in aes.requests]

    run_world(play, aes)


@pytest.mark.parametrize(
    ("ask", "sent"),
    [
        (
            LogOutAgent(agent=US, password=Secret("1"), reason=4),
            {"state": RequestedAgentState.LOGGED_OFF, "reason_code": 4, "password": values.Secret("1")},
        ),
        (
            ChangeMode(agent=US, mode=SwitchMode.READY),
            {"state": RequestedAgentState.READY, "work_mode": WorkMode.AUTO_IN},
        ),
        (
            ChangeMode(agent=US, mode=SwitchMode.NOT_READY, reason=3, may_wait=True),
            {
                "state": RequestedAgentState.NOT_READY,
                "work_mode": WorkMode.AUX_WORK,
                "reason_code": 3,
                "enable_pending": True,
            },
        ),
        (
            ChangeMode(agent=US, mode=SwitchMode.WRAP_UP),
            {"state": RequestedAgentState.WORKING_AFTER_CALL, "work_mode": WorkMode.AFTER_CALL_WORK},
        ),
        (
            ChangeMode(agent=US, mode=SwitchMode.LOGGED_OUT),
            {"state": RequestedAgentState.LOGGED_OFF},
        ),
    ],
)
def test_change_of_mode_is_asked_in_the_words_of_the_switch(ask: Any, sent: dict[str, Any]) -> None:
    async def play(world: World) -> None:
        await world.ask(Observe())
        request = await world.ask(ask)
        assert [type(each) for each in world.answers(request)] == [RequestDone]
        assert world.aes.of(csta.SetAgentState) == [csta.SetAgentState(device=DEVICE, agent_id="5001", **sent)]

    run_world(play)


@observed
async def test_mode_that_nobody_can_ask_for_is_refused(world: World) -> None:
    request = await world.ask(ChangeMode(agent=US, mode=SwitchMode.UNKNOWN))
    assert [type(each) for each in world.answers(request)] == [RequestRefused]


@observed
async def test_pending_change_is_told_as_pending(world: World) -> None:
    world.aes.replies[csta.SetAgentState] = csta.SetAgentStateResponse(
        pending_state=values.AgentState.NOT_READY, is_pending=True
    )
    request = await world.ask(ChangeMode(agent=US, mode=SwitchMode.NOT_READY, reason=3, may_wait=True))
    assert world.answers(request) == [ModePending(session=S, request=request, mode=SwitchMode.NOT_READY, reason=3)]


@observed
async def test_query_tells_the_mode_and_is_answered(world: World) -> None:
    world.aes.replies[csta.GetAgentState] = state(values.AgentState.READY)
    world.ears.take()
    request = await world.ask(QueryAgent(agent=US))
    assert world.ears.take() == [
        AgentStateReported(session=S, mode=SwitchMode.READY, agent=US),
        RequestDone(session=S, request=request),
    ]


@observed
async def test_answer_about_the_mode_that_an_own_change_overtook_is_not_believed(world: World) -> None:
    world.aes.replies[csta.GetAgentState] = None
    request = await world.ask(QueryAgent(agent=US))
    world.ears.take()
    await world.ask(ChangeMode(agent=US, mode=SwitchMode.READY))
    world.aes.answer_now(csta.GetAgentState, state(values.AgentState.NOT_READY))
    await world.run(0.05)
    assert world.ears.of(AgentStateReported) == []
    assert [type(each) for each in world.answers(request)] == [RequestDone]


@observed
async def test_agent_events_are_reported(world: World) -> None:
    world.ears.take()
    world.aes.tell(not_ready())
    await world.run(0.05)
    assert world.ears.take() == [AgentStateReported(session=S, mode=SwitchMode.NOT_READY, reason=3, agent=US)]


# --- polling


@observed
async def test_link_that_never_told_of_an_agent_is_asked_after_own_changes_and_ended_calls(world: World) -> None:
    world.aes.replies[csta.GetAgentState] = state(values.AgentState.READY)
    await world.ask(ChangeMode(agent=US, mode=SwitchMode.READY))
    assert len(world.aes.of(csta.GetAgentState)) == 1
    assert world.ears.of(AgentStateReported)[-1].mode is SwitchMode.READY
    world.aes.tell(alerting())
    await world.run(0.05)
    assert len(world.aes.of(csta.GetAgentState)) == 1
    world.aes.tell(cleared())
    await world.run(0.05)
    assert len(world.aes.of(csta.GetAgentState)) == 2


@observed
async def test_link_that_tells_of_agents_is_never_asked_by_itself(world: World) -> None:
    world.aes.tell(not_ready())
    await world.run(0.05)
    await world.ask(ChangeMode(agent=US, mode=SwitchMode.READY))
    world.aes.tell(cleared())
    await world.run(60)
    assert world.aes.of(csta.GetAgentState) == []


def test_agents_are_polled_evenly_and_at_most_once_per_interval_until_the_first_agent_event() -> None:
    async def play(world: World) -> None:
        for number in range(2001, 2006):
            await world.ask(Observe(), str(number))
            await world.ask(QueryAgent(agent=AgentId(str(number + 3000))), str(number))
        await world.run(10)
        world.aes.requests.clear()
        times: list[tuple[float, str]] = []

        def note(request: csta.GetAgentState) -> csta.Message:
            times.append((world.clock.now_s(), request.device))
            return csta.GetAgentStateResponse()

        world.aes.replies[csta.GetAgentState] = note
        await world.run(20)
        assert len(times) == 10
        gaps = [later - sooner for (sooner, _), (later, _) in itertools.pairwise(times)]
        assert all(1.9 < gap < 2.1 for gap in gaps)
        assert len({each for _, each in times[:5]}) == 5
        world.aes.tell(not_ready())
        await world.run(20)
        assert len(times) == 10

    run_world(play)


# --- calls


@pytest.mark.parametrize(
    ("command", "request_sent"),
    [
        (
            commands.MakeCall(number="+44 (20) 7946-0000"),
            csta.MakeCall(calling_device=DEVICE, called_number=device("+442079460000")),
        ),
        (commands.AnswerCall(call=CallId("7")), csta.AnswerCall(call=leg("7", "2001"))),
        (commands.HoldCall(call=CallId("7")), csta.HoldCall(call=leg("7", "2001"))),
        (commands.RetrieveCall(call=CallId("7")), csta.RetrieveCall(call=leg("7", "2001"))),
        (commands.HangUpCall(call=CallId("7")), csta.ClearConnection(call=leg("7", "2001"))),
        (
            commands.ConsultCall(call=CallId("7"), number="2002"),
            csta.ConsultationCall(existing_call=leg("7", "2001"), consulted_device=device("2002")),
        ),
        (
            commands.SwapCalls(held=CallId("7"), active=CallId("8")),
            csta.AlternateCall(held_call=leg("7", "2001"), active_call=leg("8", "2001")),
        ),
        (
            commands.ReconnectCall(held=CallId("7"), active=CallId("8")),
            csta.ReconnectCall(active_call=leg("8", "2001"), held_call=leg("7", "2001")),
        ),
        (
            commands.TransferCall(held=CallId("7"), active=CallId("8")),
            csta.TransferCall(held_call=leg("7", "2001"), active_call=leg("8", "2001")),
        ),
        (
            commands.ConferenceCalls(held=CallId("7"), active=CallId("8")),
            csta.ConferenceCall(held_call=leg("7", "2001"), active_call=leg("8", "2001")),
        ),
        (
            commands.BlindTransferCall(call=CallId("7"), number="2002"),
            csta.SingleStepTransferCall(active_call=leg("7", "2001"), transferred_to=device("2002")),
        ),
        (
            commands.AddToCall(call=CallId("7"), number="2002"),
            csta.SingleStepConferenceCall(
                active_call=leg("7", "2001"),
                device_to_join=device("2002"),
                participation=values.Participation.ACTIVE,
            ),
        ),
        (
            commands.DeflectCall(call=CallId("7"), number="2002"),
            csta.DeflectCall(call=leg("7", "2001"), new_destination=device("2002")),
        ),
        (
            commands.SendDigits(call=CallId("7"), digits="12#"),
            csta.GenerateDigits(call=leg("7", "2001"), digits="12#"),
        ),
    ],
    ids=lambda each: type(each).__name__,
)
def test_command_becomes_its_request(command: CallCommand, request_sent: csta.Message) -> None:
    async def play(world: World) -> None:
        await world.ask(Observe())
        world.aes.replies[type(request_sent)] = refusal(csta.ErrorClass.STATE, "noActiveCall")
        request = await world.ask(command)
        assert world.aes.requests[-1] == request_sent
        assert [each.id for each in world.answers(request) if isinstance(each, RequestRefused)] == [
            "switch.no-such-call"
        ]

    run_world(play)


def test_every_call_command_has_a_request() -> None:
    tested = {each for each in vars(commands).values() if isinstance(each, type) and issubclass(each, CallCommand)}
    rows = {type(row[0]) for row in _rows(test_command_becomes_its_request)}
    assert tested - {CallCommand} == rows


def _rows(test: Any) -> list[Any]:
    (mark,) = test.pytestmark
    return list(mark.args[1])


@observed
async def test_text_that_cannot_be_sent_is_refused(world: World) -> None:
    request = await world.ask(ChangeMode(agent=AgentId("50\x0001"), mode=SwitchMode.READY))
    (answer,) = world.answers(request)
    assert isinstance(answer, RequestRefused)
    assert answer.id == "switch.refused"


@observed
async def test_requests_are_counted_by_their_outcome(world: World) -> None:
    done = world.metric("ua_link_requests_total", kind="telephony", link="aes-1", outcome="done")
    await world.ask(commands.HoldCall(call=CallId("7")))
    world.aes.replies[csta.HoldCall] = refusal(csta.ErrorClass.STATE, "noActiveCall")
    await world.ask(commands.HoldCall(call=CallId("7")))
    assert world.metric("ua_link_requests_total", kind="telephony", link="aes-1", outcome="done") == done + 1
    assert world.metric("ua_link_requests_total", kind="telephony", link="aes-1", outcome="refused") == 1


@observed
async def test_ended_call_is_told_with_its_cause(world: World) -> None:
    world.ears.take()
    world.aes.tell(cleared())
    await world.run(0.05)
    assert world.ears.of(CallEnded) == [CallEnded(session=S, call=CallId("7"))]
