"""The link and the simulated AES, on a clock set by hand: what facts tell is what the switch believes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.unit.links.telephony.world import SimulatedWorld

from unified_agent.domain import call as calls_at_station
from unified_agent.domain import commands
from unified_agent.domain.call import Call, Calls
from unified_agent.domain.effects import ChangeMode, LogInAgent, Observe, Snapshot
from unified_agent.domain.facts import (
    AgentStateReported,
    CallAlerting,
    CallFact,
    CallSeen,
    RequestDone,
    RequestRefused,
    StationSnapshot,
    StationUnobserved,
    TelephonyDown,
    TelephonyUp,
)
from unified_agent.domain.ids import AgentId, CallId, Secret
from unified_agent.domain.states import LegState, SwitchMode
from unified_agent.tools.simulators.aes.plan import MergedCallId, NumberPlan, SwitchPlan, fill_plan
from unified_agent.tools.simulators.aes.sessions import AesSettings
from unified_agent.tools.simulators.aes.simulator import SimulatorPlan


def simulated(
    play: Callable[[SimulatedWorld], Awaitable[Any]], *, seed: int = 1, aes: AesSettings | None = None, **rules: Any
) -> None:
    plan = SimulatorPlan(
        switch=fill_plan(SwitchPlan(**rules), NumberPlan(agents=4)), aes=aes or AesSettings(), traffic=()
    )

    async def go() -> None:
        world = SimulatedWorld(plan, seed)
        await world.start()
        assert world.link.is_up
        try:
            await play(world)
        finally:
            await world.stop()
        assert world.simulator.truth()["sessions"] == {}

    asyncio.run(go())


async def log_in(world: SimulatedWorld, number: int) -> None:
    """Log agent 5000 + number in at station 2000 + number, ready."""
    station, agent = str(2000 + number), AgentId(str(5000 + number))
    for ask in (
        Observe(),
        Snapshot(agent=agent),
        LogInAgent(agent=agent, password=Secret("1234"), reason=1),
        ChangeMode(agent=agent, mode=SwitchMode.READY),
    ):
        request = await world.ask(ask, station)
        assert isinstance(world.answers(request)[-1], RequestDone | StationSnapshot), world.answers(request)


def calls(world: SimulatedWorld, station: str) -> Calls:
    """Return the station's calls as a session would believe them from the facts alone."""
    believed: Calls = ()
    for fact in world.ears.facts:
        if isinstance(fact, CallFact) and fact.session == f"s-{station}":
            believed = calls_at_station.apply(believed, fact, world.clock.now_s())
    return believed


async def place(world: SimulatedWorld, number: str = "8000", **how: Any) -> CallId:
    call = world.simulator.act(lambda it: it.switch.place_call("0207940001", number, **how))
    await world.run(0.1)
    return CallId(call)


def one(world: SimulatedWorld, station: str) -> Call:
    (call,) = calls(world, station)
    return call


def test_agent_logs_in_takes_a_call_holds_it_and_it_ends() -> None:
    async def play(world: SimulatedWorld) -> None:
        await log_in(world, 1)
        reports = [(each.mode, each.reason) for each in world.ears.of(AgentStateReported)]
        assert list(dict.fromkeys(reports)) == [(SwitchMode.NOT_READY, 1), (SwitchMode.READY, None)]
        call = await place(world, user_data=b"ACC=4711")
        alerting = world.ears.of(CallAlerting)[-1]
        assert (alerting.number, alerting.called, alerting.queue, alerting.data) == (
            "0207940001",
            "8000",
            "8000",
            "ACC=4711",
        )
        assert len(alerting.ucid) == 20
        await world.ask(commands.AnswerCall(call=call))
        assert one(world, "2001").state is LegState.ACTIVE
        assert world.ears.of(AgentStateReported)[-1].talking
        await world.ask(commands.HoldCall(call=call))
        assert one(world, "2001").state is LegState.HELD
        await world.ask(commands.RetrieveCall(call=call))
        await world.ask(commands.HangUpCall(call=call))
        assert calls(world, "2001") == ()
        assert world.ears.of(AgentStateReported)[-1].talking is False

    simulated(play)


@pytest.mark.parametrize("merged", list(MergedCallId))
def test_consult_and_transfer_are_seen_rightly_by_all_three(merged: MergedCallId) -> None:
    async def play(world: SimulatedWorld) -> None:
        await log_in(world, 1)
        await log_in(world, 2)
        await world.ask(ChangeMode(agent=AgentId("5002"), mode=SwitchMode.NOT_READY), "2002")
        call = await place(world)
        await world.ask(commands.AnswerCall(call=call))
        await world.ask(commands.ConsultCall(call=call, number="2002"))
        held, consult = calls(world, "2001")
        assert (held.state, consult.state) == (LegState.HELD, LegState.DIALLING)
        await world.ask(commands.AnswerCall(call=consult.id), "2002")
        await world.ask(commands.TransferCall(held=held.id, active=consult.id))
        assert calls(world, "2001") == ()
        transferred = one(world, "2002")
        assert [each.number for each in transferred.parties] == ["0207940001"]
        assert transferred.state is LegState.ACTIVE
        world.simulator.act(lambda it: it.switch.hang_up_outside(transferred.id))
        await world.run(0.1)
        assert calls(world, "2002") == ()

    simulated(play, merged_call_id=merged)


def test_transfer_while_the_other_still_rings() -> None:
    async def play(world: SimulatedWorld) -> None:
        await log_in(world, 1)
        await log_in(world, 2)
        await world.ask(ChangeMode(agent=AgentId("5002"), mode=SwitchMode.NOT_READY), "2002")
        call = await place(world)
        await world.ask(commands.AnswerCall(call=call))
        await world.ask(commands.ConsultCall(call=call, number="2002"))
        held, consult = calls(world, "2001")
        request = await world.ask(commands.TransferCall(held=held.id, active=consult.id))
        assert isinstance(world.answers(request)[0], RequestDone)
        ringing = one(world, "2002")
        assert ringing.state is LegState.ALERTING
        assert [each.number for each in ringing.parties] == ["0207940001"]

    simulated(play)


def test_conference_grows_and_shrinks() -> None:
    async def play(world: SimulatedWorld) -> None:
        await log_in(world, 1)
        await log_in(world, 2)
        await world.ask(ChangeMode(agent=AgentId("5002"), mode=SwitchMode.NOT_READY), "2002")
        call = await place(world)
        await world.ask(commands.AnswerCall(call=call))
        await world.ask(commands.ConsultCall(call=call, number="2002"))
        held, consult = calls(world, "2001")
        await world.ask(commands.AnswerCall(call=consult.id), "2002")
        await world.ask(commands.ConferenceCalls(held=held.id, active=consult.id))
        for station, others in (("2001", {"0207940001", "2002"}), ("2002", {"0207940001", "2001"})):
            conference = one(world, station)
            assert conference.state is LegState.CONFERENCED
            assert {each.number for each in conference.parties} == others
        await world.ask(commands.HangUpCall(call=one(world, "2002").id), "2002")
        assert one(world, "2001").state is LegState.ACTIVE
        assert calls(world, "2002") == ()

    simulated(play)


@pytest.mark.parametrize(
    ("station", "agent", "password", "refused"),
    [
        ("2001", "5001", "9999", "switch.wrong-password"),
        ("2001", "7777", "1234", "switch.unknown-agent"),
        ("2002", "5001", "1234", "switch.station-in-use"),
    ],
)
def test_refused_log_in_says_what_is_wrong(station: str, agent: str, password: str, refused: str) -> None:
    async def play(world: SimulatedWorld) -> None:
        await log_in(world, 2)
        await world.ask(Observe(), station, session="new")
        login = LogInAgent(agent=AgentId(agent), password=Secret(password))
        request = await world.ask(login, station, session="new")
        (answer,) = world.answers(request)
        assert isinstance(answer, RequestRefused)
        assert (answer.id, answer.fatal) == (refused, True)

    simulated(play)


def test_agent_on_another_station_is_refused_as_elsewhere() -> None:
    async def play(world: SimulatedWorld) -> None:
        await log_in(world, 2)
        await world.ask(Observe())
        request = await world.ask(LogInAgent(agent=AgentId("5002"), password=Secret("1234")))
        assert [each.id for each in world.answers(request) if isinstance(each, RequestRefused)] == [
            "switch.agent-elsewhere"
        ]

    simulated(play)


def test_unknown_station_is_refused_and_leaves_nothing_at_the_switch() -> None:
    async def play(world: SimulatedWorld) -> None:
        request = await world.ask(Observe(), "9999")
        (answer,) = world.answers(request)
        assert isinstance(answer, RequestRefused)
        assert (answer.id, answer.fatal) == ("switch.unknown-station", True)
        world.link.forget(answer.session)
        await world.run(0.1)
        (session,) = world.simulator.truth()["sessions"].values()
        assert (session["devices"], session["monitors"]) == (0, {})

    simulated(play)


def test_release_tells_agents_without_events_by_asking() -> None:
    async def play(world: SimulatedWorld) -> None:
        await log_in(world, 1)
        assert world.ears.of(AgentStateReported)[-1].mode is SwitchMode.READY
        call = await place(world)
        await world.ask(commands.AnswerCall(call=call))
        await world.ask(commands.HangUpCall(call=call))
        await world.run(0.1)
        assert world.ears.of(AgentStateReported)[-1].talking is False
        world.simulator.act(lambda it: it.switch.agents.force_off(it.switch.board.stations["2001"]))
        await world.run(21)
        assert world.ears.of(AgentStateReported)[-1].mode is SwitchMode.LOGGED_OUT

    simulated(play, aes=AesSettings(agent_events=False))


def test_link_down_at_the_switch_and_up_again() -> None:
    async def play(world: SimulatedWorld) -> None:
        await log_in(world, 1)
        world.simulator.act(lambda it: it.aes.set_link(up=False))
        await world.run(0.1)
        assert isinstance(world.ears.links[-1], TelephonyDown)
        await world.run(3)
        world.simulator.act(lambda it: it.aes.set_link(up=True))
        await world.run(0.1)
        assert world.ears.links[-1] == TelephonyUp(link=world.ears.links[-1].link)
        await world.ask(Observe())
        request = await world.ask(Snapshot(agent=AgentId("5001")))
        (snapshot,) = world.answers(request)
        assert isinstance(snapshot, StationSnapshot)
        assert (snapshot.agent, snapshot.mode) == ("5001", SwitchMode.READY)

    simulated(play)


def test_monitors_that_ended_while_the_socket_was_gone_are_found_missing() -> None:
    async def play(world: SimulatedWorld) -> None:
        await log_in(world, 1)
        world.simulator.cut(reset=True)
        world.simulator.act(lambda it: it.aes.set_link(up=False))
        world.simulator.act(lambda it: it.aes.set_link(up=True))
        await world.run(1)
        up = world.ears.links[-1]
        assert isinstance(up, TelephonyUp)
        assert up.resumed
        await world.ask(Observe())
        await world.run(0.5)
        assert [each.reason for each in world.ears.of(StationUnobserved)] == ["monitor-ended"]
        await world.ask(Observe())
        await place(world)
        assert one(world, "2001").state is LegState.ALERTING

    simulated(play)


def test_resumed_session_has_one_monitor_for_each_station() -> None:
    async def play(world: SimulatedWorld) -> None:
        await log_in(world, 1)
        world.simulator.cut(reset=True)
        await world.run(1)
        await world.ask(Observe())
        await world.run(0.5)
        (session,) = world.simulator.truth()["sessions"].values()
        assert list(session["monitors"].values()) == ["2001"]
        assert world.ears.of(StationUnobserved) == []
        world.ears.take()
        await place(world)
        assert len(world.ears.of(CallAlerting)) == 1

    simulated(play)


# --- what facts tell is what snapshots tell


@pytest.mark.parametrize("seed", range(30))
def test_calls_believed_from_facts_are_those_of_a_fresh_snapshot(seed: int) -> None:
    chance = random.Random(seed)

    async def play(world: SimulatedWorld) -> None:
        stations = [f"200{number}" for number in range(1, 5)]
        for number in range(1, 5):
            await log_in(world, number)
        for _ in range(40):
            station = chance.choice(stations)
            await world.ask(_some_command(chance, calls(world, station), stations), station)
            if chance.random() < 0.25:
                await place(world, chance.choice(["8000", "8000", *stations]))
            await world.run(chance.choice([0.1, 0.1, 5.0]))
            for each in stations:
                await _compare(world, each, seed)

    simulated(
        play,
        seed=seed,
        merged_call_id=chance.choice(list(MergedCallId)),
        aes=AesSettings(events_first=chance.choice([0.0, 0.5, 1.0])),
        report_busy=chance.random() < 0.5,
        auto_hold=chance.random() < 0.5,
    )


def _some_command(chance: random.Random, known: Calls, stations: list[str]) -> commands.CallCommand:
    number = chance.choice([*stations, "8000", "02079460000", "02079460001", "02079460004"])
    if not known or chance.random() < 0.1:
        return commands.MakeCall(number=number)
    call = chance.choice(known).id
    held = [each.id for each in known if each.state is LegState.HELD]
    active = [each.id for each in known if each.state not in {LegState.HELD, LegState.ALERTING}]
    if held and active and chance.random() < 0.7:
        kind = chance.choice(
            [commands.SwapCalls, commands.ReconnectCall, commands.TransferCall, commands.ConferenceCalls]
        )
        return kind(held=chance.choice(held), active=chance.choice(active))
    return chance.choice(
        [
            commands.AnswerCall(call=call),
            commands.AnswerCall(call=call),
            commands.HoldCall(call=call),
            commands.RetrieveCall(call=call),
            commands.HangUpCall(call=call),
            commands.ConsultCall(call=call, number=number),
            commands.ConsultCall(call=call, number=number),
            commands.BlindTransferCall(call=call, number=number),
            commands.AddToCall(call=call, number=number),
            commands.DeflectCall(call=call, number=number),
        ]
    )


async def _compare(world: SimulatedWorld, station: str, seed: int) -> None:
    request = await world.ask(Snapshot(agent=AgentId("5" + station[1:])), station)
    (snapshot,) = world.answers(request)
    assert isinstance(snapshot, StationSnapshot)
    believed = {each.id: each for each in calls(world, station)}
    seen = {each.call: each for each in snapshot.calls}
    said = f"seed {seed}, station {station}: {believed} believed, {seen} seen"
    assert believed.keys() == seen.keys(), said
    for call_id, known in believed.items():
        told = seen[call_id]
        if told.state in _NOT_THROUGH:
            # Neither a transfer to somebody who still rings nor a busy tone put on hold is told to those who stay.
            assert known.state in {*_NOT_THROUGH, LegState.ACTIVE}, said
            continue
        if _is_settled(known, told):
            assert known.state is told.state, said
            assert {each.number for each in known.parties} == {each.number for each in told.parties}, said
        else:
            assert _ALIKE.get(known.state, known.state) is _ALIKE.get(told.state, told.state), said


def _is_settled(known: Call, told: CallSeen) -> bool:
    """Say whether everybody in a call has been reached. Before, who is in it is told differently: events name the
    number dialled, and to a station that is rung only the caller; a snapshot names who rings and all who talk.
    """
    if LegState.ALERTING in {told.state, *(each.state for each in told.parties)}:
        return False
    if _NOT_THROUGH & {each.state for each in told.parties}:
        return False
    return not {"8000", "100"} & {each.number for each in known.parties}


_NOT_THROUGH = {LegState.DIALLING, LegState.FAILED}
_ALIKE = {LegState.CONFERENCED: LegState.ACTIVE}
