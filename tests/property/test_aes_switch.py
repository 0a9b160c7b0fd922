"""Whatever is asked of the simulated switch, it stays whole, and tells each change once."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.tools.simulators.aes.switch_invariants import check_switch

from unified_agent.tools.simulators.aes.events import (
    AgentChanged,
    Delivered,
    Observed,
    WorkMode,
)
from unified_agent.tools.simulators.aes.plan import (
    AfterCallWork,
    AgentPlan,
    GroupPlan,
    MergedCallId,
    StationPlan,
    SwitchPlan,
    VdnPlan,
)
from unified_agent.tools.simulators.aes.refusals import Refused
from unified_agent.tools.simulators.aes.switch import Switch

STATIONS = ("2001", "2002", "2003", "2004")
AGENTS = ("5001", "5002", "5003", "5004")
NUMBERS = (
    *STATIONS,
    "5001",
    "5002",
    "100",
    "101",
    "8000",
    "8001",
    "5551234",
    "5550001",
    "5550003",
    "5550004",
    "77",
    "x",
)
CALLERS = ("3001", "3002", "3003")


def _plan(chance: random.Random) -> SwitchPlan:
    return SwitchPlan(
        stations=tuple(StationPlan(number=number, auto_answer=number == "2004") for number in STATIONS),
        agents=tuple(
            AgentPlan(agent_id=agent_id, password="1234", groups=("100", "101") if index % 2 else ("100",))
            for index, agent_id in enumerate(AGENTS)
        ),
        groups=(GroupPlan(number="100"), GroupPlan(number="101")),
        vdns=(VdnPlan(number="8000", group="100"), VdnPlan(number="8001", group="101")),
        appearances=chance.choice([2, 3]),
        auto_hold=chance.random() < 0.5,
        report_busy=chance.random() < 0.5,
        no_answer_s=chance.choice([0.0, 5.0]),
        after_call_work=chance.choice(list(AfterCallWork)),
        timed_work_s=chance.choice([None, 3.0]),
        tone_s=8.0,
        merged_call_id=chance.choice(list(MergedCallId)),
    )


def random_command(switch: Switch, chance: random.Random) -> Callable[[], object]:
    """Choose something that somebody may ask of the switch now; often something impossible."""
    station = chance.choice(STATIONS)
    ids = [*switch.board.calls, "999"]
    here = [leg.call.call_id for leg in switch.board.stations[station].legs] or ids
    call_id = chance.choice(here if chance.random() < 0.9 else ids)
    other_id = chance.choice(here if chance.random() < 0.9 else ids)
    number = chance.choice(NUMBERS)
    agent_id = chance.choice(AGENTS)
    mode = chance.choice(list(WorkMode))
    reason = chance.choice([None, 0, 3, 100])
    calls, joining, agents = switch.calls, switch.joining, switch.agents
    commands: list[Callable[[], object]] = [
        lambda: agents.log_on(station, agent_id, chance.choice(["1234", "bad", None]), mode=mode, reason=reason),
        lambda: agents.log_on(station, AGENTS[STATIONS.index(station)], "1234", mode=WorkMode.AUTO_IN),
        lambda: agents.set_mode(station, mode, reason=reason, enable_pending=chance.random() < 0.5),
        lambda: agents.set_mode(station, WorkMode.MANUAL_IN, enable_pending=chance.random() < 0.5),
        lambda: calls.make_call(station, number, prompt=chance.random() < 0.3),
        lambda: calls.answer(station, call_id),
        lambda: calls.answer(station, call_id),
        lambda: calls.hold(station, call_id),
        lambda: calls.retrieve(station, call_id),
        lambda: calls.clear_connection(station, call_id),
        lambda: calls.clear_call(call_id, chance.choice([None, station])),
        lambda: calls.consult(station, call_id, number),
        lambda: calls.consult(station, call_id, number),
        lambda: calls.deflect(station, call_id, number),
        lambda: calls.send_digits(station, call_id, chance.choice(["12#", "", "x"])),
        lambda: joining.transfer(station, call_id, other_id),
        lambda: joining.transfer(station, other_id, call_id),
        lambda: joining.conference(station, call_id, other_id),
        lambda: joining.conference(station, other_id, call_id),
        lambda: joining.single_step_transfer(station, call_id, number),
        lambda: joining.single_step_conference(station, call_id, number, silent=chance.random() < 0.5),
        lambda: joining.alternate(station, call_id, other_id),
        lambda: joining.reconnect(station, call_id, other_id),
        lambda: switch.place_call(chance.choice(CALLERS), number, patience_s=chance.choice([None, 4.0]), talk_s=6.0),
        lambda: switch.place_call(chance.choice(CALLERS), "8000", patience_s=chance.choice([None, 4.0]), talk_s=None),
        lambda: switch.hang_up_outside(call_id),
        lambda: switch.set_service(station, in_service=chance.random() < 0.7),
    ]
    return chance.choice(commands)


def _picture(switch: Switch) -> object:
    board = switch.board
    return (
        [(call.call_id, [(leg.device, leg.state) for leg in call.legs]) for call in board.calls.values()],
        [(agent.mode, agent.reason, agent.pending, agent.station) for agent in board.agents.values()],
        [station.in_service for station in board.stations.values()],
    )


def _check_events(events: list[Observed], told: dict[str, AgentChanged]) -> None:
    for observed in events:
        if isinstance(observed.event, AgentChanged):
            before = told.get(observed.event.agent_id)
            assert before != observed.event, "a state is told when it changes"
            told[observed.event.agent_id] = observed.event
        if isinstance(observed.event, Delivered) and observed.observer == observed.event.connection.device:
            assert observed.local is not None


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_switch_stays_whole_under_random_commands(seed: int) -> None:
    chance = random.Random(seed)
    switch = Switch(_plan(chance), chance=random.Random(seed))
    told: dict[str, AgentChanged] = {}
    now_s = 0.0
    for _ in range(150):
        if chance.random() < 0.3:
            now_s += chance.expovariate(0.5)
            switch.advance(now_s)
            _check_events(switch.settle(), told)
            check_switch(switch)
        command = random_command(switch, chance)
        before = _picture(switch)
        try:
            command()
        except Refused:
            assert _picture(switch) == before, "a refused command changes nothing"
        _check_events(switch.settle(), told)
        check_switch(switch)


@pytest.mark.parametrize("seed", range(3))
def test_same_seed_gives_the_same_history(seed: int) -> None:
    def history() -> list[Observed]:
        chance = random.Random(seed)
        switch = Switch(_plan(chance), chance=random.Random(seed))
        events: list[Observed] = []
        for step in range(200):
            switch.advance(step * 0.7)
            with contextlib.suppress(Refused):
                random_command(switch, chance)()
            events.extend(switch.settle())
        return events

    assert history() == history()
