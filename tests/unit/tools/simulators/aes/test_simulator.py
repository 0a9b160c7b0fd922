"""Switch, callers and AES share one clock, and repeat themselves from one seed."""

from __future__ import annotations

import random

from unified_agent.tools.simulators.aes.plan import NumberPlan, SwitchPlan, fill_plan, numbered_plan
from unified_agent.tools.simulators.aes.simulator import Simulator, SimulatorPlan
from unified_agent.tools.simulators.aes.traffic import Arrivals, TrafficPlan

STEADY = TrafficPlan(calls_per_minute=60.0, arrivals=Arrivals.STEADY)


def test_several_streams_are_placed_in_order_of_time() -> None:
    other = TrafficPlan(number="100", calls_per_minute=40.0, arrivals=Arrivals.STEADY, caller_prefix="077009")
    plan = SimulatorPlan(switch=numbered_plan(agents=1), traffic=(STEADY, other))
    simulator = Simulator(plan, chance=random.Random(1), now_s=0.0)
    simulator.advance(3.2)
    created = [(call.created_s, call.called) for call in simulator.switch.board.calls.values()]
    assert created == [(1.0, "8000"), (1.5, "100"), (2.0, "8000"), (3.0, "8000"), (3.0, "100")]


def test_time_never_goes_back() -> None:
    simulator = Simulator(SimulatorPlan(traffic=()), chance=random.Random(1), now_s=10.0)
    simulator.advance(20.0)
    simulator.advance(15.0)
    assert simulator.now_s == simulator.switch.board.now_s == 20.0


def test_next_timer_is_the_earliest_of_all() -> None:
    simulator = Simulator(SimulatorPlan(traffic=(STEADY,)), chance=random.Random(1), now_s=0.0)
    assert simulator.next_timer() == 1.0
    simulator.switch.place_call("5550100", "2001", patience_s=0.5)
    assert simulator.next_timer() == 0.5


def test_same_seed_gives_the_same_truth() -> None:
    def truth() -> object:
        switch = fill_plan(SwitchPlan(), NumberPlan(agents=20, auto_answer=True))
        plan = SimulatorPlan(switch=switch, traffic=(TrafficPlan(calls_per_minute=120.0),))
        simulator = Simulator(plan, chance=random.Random(7), now_s=0.0)
        for station in list(simulator.switch.board.stations)[:10]:
            simulator.switch.agents.log_on(station, str(int(station) + 3000), "1234")
        simulator.advance(300.0)
        return simulator.truth()

    assert truth() == truth()
