"""The link and the simulated AES, on a clock set by hand: what facts tell is what the switch believes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tests.unit.links.telephony.world import SimulatedWorld

from unified_agent.domain import call as calls_at_station
from unified_agent.domain.call import Call, Calls
from unified_agent.domain.effects import ChangeMode, LogInAgent, Observe, Snapshot
from unified_agent.domain.facts import (
    CallAlerting,
    CallFact,
    RequestDone,
    RequestRefused,
    StationSnapshot,
    StationUnobserved,
    TelephonyUp,
)
from unified_agent.domain.ids import AgentId, CallId, Secret
from unified_agent.domain.states import LegState, SwitchMode
from unified_agent.tools.simulators.aes.plan import NumberPlan, SwitchPlan, fill_plan
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
