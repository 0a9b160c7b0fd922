"""The client library that stands in for the vendor's: what it remembers and tells is what is so at the switch."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from typing import Any

import pytest
from tests.simulation.network import SimNetwork
from tests.simulation.simulated_jtapi import Habits, SimulatedJtapi
from tests.simulation.virtual_loop import run

from unified_agent.clock import LoopClock
from unified_agent.domain.ids import Secret
from unified_agent.links.telephony.jtapi import messages, provider
from unified_agent.links.telephony.jtapi.constants import (
    AgentState,
    CallEventId,
    ControlConnection,
    ControlTerminal,
    ProviderState,
    WorkMode,
)
from unified_agent.links.telephony.jtapi.provider import OperationFailed
from unified_agent.tools.simulators.aes.plan import MergedCallId, NumberPlan, SwitchPlan, fill_plan
from unified_agent.tools.simulators.aes.server import AesServer
from unified_agent.tools.simulators.aes.sessions import AesSettings
from unified_agent.tools.simulators.aes.simulator import SimulatorPlan
from unified_agent.wire.csta.values import SystemStatusValue

pytestmark = pytest.mark.simulation

STATIONS = ("2001", "2002", "2003", "2004")
NUMBERS = (*STATIONS, "8000", "02079460000", "02079460001", "02079460004")


class Site:
    """A provider in front of a simulated AES."""

    def __init__(self, seed: int = 1, habits: Habits | None = None, **rules: Any) -> None:
        self.loop = asyncio.get_running_loop()
        clock = LoopClock(self.loop)
        aes = rules.pop("aes", AesSettings())
        switch = fill_plan(SwitchPlan(**rules), NumberPlan(agents=4))
        plan = SimulatorPlan(switch=switch, aes=aes, traffic=())
        self.aes = AesServer(plan, clock=clock, chance=random.Random(seed))
        self.network = SimNetwork(random.Random(seed))
        self.network.listen("aes-1", 4721, self.aes.new_socket)
        self.events: list[provider.Event] = []
        opening = messages.Open(
            link="aes-1",
            peer="none",
            service="AVAYA#CM1#CSTA#AES1",
            user="ctiuser",
            password=Secret("secret"),
            parameters={"servers": "aes-1:4721"},
            open_limit_s=20.0,
            heartbeat_s=5,
            probe_interval_s=3.0,
            silence_limit_s=9.0,
            request_limit_s=10.0,
            poll_interval_s=10.0,
            threads=32,
        )
        self.provider = SimulatedJtapi(
            opening,
            network=self.network.at("ua-1"),
            clock=clock,
            random=random.Random(seed),
            is_station=lambda number: number in STATIONS,
            habits=habits or Habits(),
            on_event=self.events.append,
        )

    async def __aenter__(self) -> Site:
        await self.provider.open()
        await asyncio.sleep(1.0)
        assert self.events == [provider.ProviderChanged(state=ProviderState.IN_SERVICE)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.provider.close()
        await self.provider.closed()
        await self.aes.close()

    async def ask(self, operation: provider.Operation, rest_s: float = 1.0) -> Any:
        """Have an operation done; returns its result, also when it failed, after a while."""
        ended: asyncio.Future[Any] = self.loop.create_future()
        self.provider.submit(operation, ended.set_result)
        async with asyncio.timeout(60.0):
            result = await ended
        await asyncio.sleep(rest_s)
        return result

    def call_in(self, number: str) -> str:
        return self.aes.act(lambda it: it.switch.place_call("0207940001", number))

    def call_events(self) -> list[provider.CallEvent]:
        return [each for it in self.events if isinstance(it, provider.CallEvents) for each in it.events]

    def states(self) -> list[int]:
        return [each.state for each in self.events if isinstance(each, provider.ProviderChanged)]


def _some_operation(chance: random.Random, station: str, calls: Iterable[provider.CallRead]) -> provider.Operation:
    number = chance.choice(NUMBERS)
    known = list(calls)
    if not known or chance.random() < 0.1:
        return provider.Dial(station=station, number=number)
    call = chance.choice(known).call
    held = [each.call for each in known if _own(each, station) == ControlTerminal.HELD]
    active = [each.call for each in known if _own(each, station) == ControlTerminal.TALKING]
    if held and active and chance.random() < 0.7:
        kind = chance.choice([provider.Swap, provider.Reconnect, provider.Transfer, provider.Conference])
        return kind(station=station, held=chance.choice(held), active=chance.choice(active))
    one = chance.choice([provider.Answer, provider.Answer, provider.Hold, provider.Unhold, provider.HangUp])
    two = chance.choice([provider.Consult, provider.BlindTransfer, provider.AddParty, provider.Redirect])
    if chance.random() < 0.6:
        return one(station=station, call=call)
    return two(station=station, call=call, number=number)


def _own(call: provider.CallRead, station: str) -> int | None:
    return next(each.terminal for each in call.legs if each.address == station)


@pytest.mark.parametrize("seed", range(20))
def test_what_it_remembers_and_tells_is_what_is_so(seed: int) -> None:
    chance = random.Random(seed)

    async def walk() -> None:
        site = Site(
            seed,
            Habits.chosen(chance),
            merged_call_id=chance.choice(list(MergedCallId)),
            auto_hold=chance.random() < 0.5,
            aes=AesSettings(events_first=chance.choice([0.0, 0.5, 1.0])),
        )
        async with site:
            for station in STATIONS:
                await site.ask(provider.ObserveStation(station=station))
            for _ in range(40):
                station = chance.choice(STATIONS)
                calls = await site.ask(provider.ReadCalls(station=station))
                await site.ask(_some_operation(chance, station, calls))
                if chance.random() < 0.25:
                    number = chance.choice(["8000", *STATIONS])
                    site.call_in(number)
                await asyncio.sleep(chance.choice([0.5, 5.0]))
                for each in STATIONS:
                    await _compare(site, each)

    run(walk())


async def _compare(site: Site, station: str) -> None:
    """Compare memory with the switch; what happened just now may be on its way."""
    for left in (1, 0):
        read = {each.call: _legs(each) for each in await site.ask(provider.ReadCalls(station=station), 0.0)}
        truth = site.aes.truth()
        at_switch = truth["stations"].get(station, {}).get("calls", {})
        so = {
            call: {each["device"]: _TRUTH[each["state"]] for each in truth["calls"][call]["legs"]} for call in at_switch
        }
        if read == so:
            break
        assert left, f"{station}: {read} is remembered, {so} is so"
        await asyncio.sleep(0.3)
    told = _replay(site.call_events())
    assert {call: legs for call, legs in told.items() if legs.get(station, "failed") != "failed"} == read


def _legs(call: provider.CallRead) -> dict[str, str]:
    return {each.address: _word(each.connection, each.terminal) for each in call.legs}


def _word(connection: int, terminal: int | None) -> str:
    if terminal == ControlTerminal.HELD:
        return "held"
    return {
        ControlConnection.INITIATED: "initiated",
        ControlConnection.ALERTING: "alerting",
        ControlConnection.QUEUED: "queued",
        ControlConnection.ESTABLISHED: "connected",
        ControlConnection.FAILED: "failed",
    }[ControlConnection(connection)]


_TRUTH = {
    "initiated": "initiated",
    "alerting": "alerting",
    "connected": "connected",
    "hold": "held",
    "queued": "queued",
    "fail": "failed",
}
_WORDS = {
    CallEventId.CONTROL_INITIATED: "initiated",
    CallEventId.CONTROL_ALERTING: "alerting",
    CallEventId.CONTROL_QUEUED: "queued",
    CallEventId.CONTROL_ESTABLISHED: "connected",
    CallEventId.CONTROL_FAILED: "failed",
    CallEventId.TERMINAL_HELD: "held",
    CallEventId.TERMINAL_TALKING: "connected",
}


def _replay(events: list[provider.CallEvent]) -> dict[str, dict[str, str]]:
    """Say who is on which call from the events alone."""
    calls: dict[str, dict[str, str]] = {}
    for each in events:
        legs = calls.setdefault(each.call, {})
        if each.id == CallEventId.INVALID:
            del calls[each.call]
        elif each.id in {CallEventId.CONTROL_DISCONNECTED, CallEventId.TERMINAL_DROPPED}:
            legs.pop(each.address, None)
        elif each.id == CallEventId.TERMINAL_TALKING and legs.get(each.address) == "initiated":
            pass
        elif each.id in _WORDS:
            legs[each.address] = _WORDS[CallEventId(each.id)]
    return {call: legs for call, legs in calls.items() if legs}


def test_calls_that_were_there_before_are_told_with_the_observer() -> None:
    async def story() -> None:
        async with Site() as site:
            call = site.aes.act(lambda it: it.switch.place_call("0207940001", "2001"))
            assert await site.ask(provider.ObserveStation(station="2001")) is None
            assert _replay(site.call_events()) == {call: {"0207940001": "connected", "2001": "alerting"}}
            assert {each.cause for each in site.call_events()} == {110}

    run(story())


def test_a_call_that_ends_while_its_station_is_not_observed_is_not_remembered() -> None:
    async def story() -> None:
        async with Site() as site:
            assert await site.ask(provider.ObserveStation(station="2001")) is None
            call = site.call_in("2001")
            await asyncio.sleep(1.0)
            assert [each.call for each in await site.ask(provider.ReadCalls(station="2001"))] == [call]
            assert await site.ask(provider.UnobserveStation(station="2001")) is None
            site.aes.act(lambda it: it.switch.hang_up_outside(call, None))
            assert await site.ask(provider.ObserveStation(station="2001")) is None
            assert await site.ask(provider.ReadCalls(station="2001")) == ()

    run(story())


def test_agents_are_logged_in_read_changed_and_told() -> None:
    async def story() -> None:
        async with Site() as site:
            await site.ask(provider.ObserveStation(station="2001"))
            assert await site.ask(provider.ReadAgent(station="2001")) is None
            wrong = await site.ask(provider.LogIn(station="2001", agent="5001", password=Secret("1")))
            assert isinstance(wrong, OperationFailed)
            assert (wrong.kind, wrong.pair) == ("InvalidArgumentException", (2, 3))
            await site.ask(provider.LogIn(station="2001", agent="5001", password=Secret("1234"), reason=1))
            found = await site.ask(provider.ReadAgent(station="2001"))
            assert (found.agent, found.state, found.reason) == ("5001", AgentState.NOT_READY, 1)
            ready = provider.SetState(station="2001", agent="5001", state=AgentState.READY, work_mode=WorkMode.AUTO_IN)
            assert await site.ask(ready) is False
            told = [each for each in site.events if isinstance(each, provider.AgentChanged)]
            assert [each.found.state for each in told] == [AgentState.LOG_IN, AgentState.NOT_READY, AgentState.READY]
            await site.ask(provider.LogOut(station="2001", agent="5001", reason=3))
            assert "5001" not in site.aes.truth()["agents"]

    run(story())


def test_state_that_memory_has_already_is_not_asked_for() -> None:
    async def story() -> None:
        async with Site(habits=Habits(keeps_agents=True)) as site:
            await site.ask(provider.ObserveStation(station="2001"))
            await site.ask(provider.LogIn(station="2001", agent="5001", password=Secret("1234"), reason=1))
            asked = site.aes.truth()["aes"]["requests_answered"]
            again = provider.SetState(
                station="2001", agent="5001", state=AgentState.NOT_READY, work_mode=WorkMode.NONE, reason=1
            )
            assert await site.ask(again) is False
            assert site.aes.truth()["aes"]["requests_answered"] == asked

    run(story())


@pytest.mark.parametrize("ended_first", [False, True])
def test_switch_link_is_lost_and_back(ended_first: bool) -> None:
    async def story() -> None:
        async with Site(habits=Habits(ended_first=ended_first)) as site:
            await site.ask(provider.ObserveStation(station="2001"))
            site.events.clear()
            site.aes.act(lambda it: it.aes.set_link(up=False))
            await asyncio.sleep(1.0)
            lost = [provider.ProviderChanged(state=ProviderState.OUT_OF_SERVICE, overload=False)]
            ended = [provider.ObservationEnded(station="2001")]
            assert site.events == (ended + lost if ended_first else lost + ended)
            site.aes.act(lambda it: it.aes.set_link(up=True))
            await asyncio.sleep(1.0)
            assert site.states()[-1] == ProviderState.IN_SERVICE

    run(story())


def test_overload_puts_it_out_of_service_and_ends_no_observation() -> None:
    async def story() -> None:
        async with Site() as site:
            await site.ask(provider.ObserveStation(station="2001"))
            site.events.clear()
            site.aes.act(lambda it: it.aes.set_status(SystemStatusValue.OVERLOAD_REACHED))
            await asyncio.sleep(1.0)
            assert site.events == [provider.ProviderChanged(state=ProviderState.OUT_OF_SERVICE, overload=True)]
            assert await site.ask(provider.Probe()) == ProviderState.OUT_OF_SERVICE
            site.aes.act(lambda it: it.aes.set_status(SystemStatusValue.OVERLOAD_RELIEVED))
            await asyncio.sleep(1.0)
            assert site.states()[-1] == ProviderState.IN_SERVICE

    run(story())


@pytest.mark.parametrize(("sets_heartbeat", "within_s"), [(True, 11.0), (False, 41.0)])
def test_silence_shuts_it_down_after_two_heartbeats(sets_heartbeat: bool, within_s: float) -> None:
    async def story() -> None:
        site = Site(habits=Habits(sets_heartbeat=sets_heartbeat))
        async with site:
            await site.ask(provider.ObserveStation(station="2001"))
            site.aes.set_silent(silent=True)
            began_s = site.loop.time()
            while ProviderState.SHUTDOWN not in site.states():
                await asyncio.sleep(0.5)
                assert site.loop.time() - began_s < within_s
            assert site.loop.time() - began_s > within_s / 2
            assert isinstance(await site.ask(provider.ReadAgent(station="2001")), OperationFailed)

    run(story())
