"""No sequence of commands, losses and happenings breaks the simulated dialler."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.tools.simulators.apc.bench import Bench, job
from tests.unit.tools.simulators.apc.test_legality import PARAMETERS

from unified_agent.errors import UnifiedAgentError
from unified_agent.tools.simulators.apc import happenings
from unified_agent.tools.simulators.apc.floor import Floor
from unified_agent.tools.simulators.apc.seats import JOINED_STAGES, RECORD_STAGES, Headset, Line, Stage
from unified_agent.wire.apc.commands import Command

JOBS = (
    job("SPRING25", records=4, traffic={"talk_s": 20.0, "answer_share": 0.7}),
    job("CAREBLD", records=4, traffic={"talk_s": 20.0, "arrivals": "steady", "calls_per_minute": 20.0}),
    job("PREVW01", records=4, preview_limit_s=5.0, traffic={"answer_share": 0.7}),
    job("HELPIN", records=4, traffic={"arrivals": "poisson", "calls_per_minute": 20.0, "patience_s": 8.0}),
)
CHOICES = {
    "SetWorkClass": ["O", "I", "B", "M", "P"],
    "AttachJob": [each.name for each in JOBS],
    "ReserveHeadset": ["1", "2"],
    "FinishedItem": ["20", "98", "7"],
    "MoFlashBlind": ["HELPIN", "CAREBLD"],
    "TransferCall": ["2025550143", ""],
}


def check(floor: Floor) -> None:
    """What must be true after every event."""
    held = [id(seat.call.record) for seat in floor.seats.values() if seat.call is not None]
    assert len(held) == len(set(held)), "two agents hold one record"
    for name, seat in floor.agents.items():
        assert seat.name == name
        assert floor.seats[seat.connection] is seat
    for number, seat in floor.headsets.items():
        assert seat.headset_id == number
        assert not seat.gone
    for seat in floor.seats.values():
        assert (seat.stage is Stage.CONNECTED) == (seat.name == "")
        assert (seat.call is not None) == (seat.stage in RECORD_STAGES)
        assert bool(seat.job) == (seat.stage not in {Stage.CONNECTED, Stage.LOGGED_ON})
        assert not seat.leaving or seat.stage in JOINED_STAGES
        assert seat.leave_command is None or seat.leaving
        assert (seat.headset in {Headset.NONE, Headset.RESERVING}) == (seat.headset_id == "")
        if seat.call is not None:
            assert seat.call.record.held
            assert not seat.call.is_over
            assert floor.calls[seat.call.number] is seat.call
            assert (seat.stage is Stage.WRAPPING) == (seat.call.line is Line.GONE)
    for each in floor.jobs.values():
        ready = [seat for seat in floor.seats.values() if seat.job == each.plan.name and seat.stage is Stage.READY]
        assert sorted(each.ready) == [seat.connection for seat in ready]
        assert all(not call.is_over for call in each.queue)
    waiting = {call.number for each in floor.jobs.values() for call in each.queue}
    carried = {seat.call.number for seat in floor.seats.values() if seat.call is not None}
    assert set(floor.calls) == waiting | carried
    assert not waiting & carried


def step(bench: Bench, chance: random.Random) -> None:
    """One thing happens."""
    names = list(bench.floor.agents)
    living = [agent for agent in bench.agents.values() if agent.connection in bench.floor.seats]
    kind = chance.random()
    if not living or kind < 0.02:
        if len(living) < 4:
            bench.connect()
    elif kind < 0.04:
        chance.choice(living).leave_without_logoff()
    elif kind < 0.08 and names:
        name = chance.choice(names)
        action = chance.choice(
            (
                lambda floor: happenings.break_headset(floor, floor.agents[name]),
                lambda floor: happenings.restore_headset(floor, floor.agents[name]),
                lambda floor: happenings.move_agent(floor, floor.agents[name], "CAREBLD"),
                lambda floor: happenings.place_call(floor, floor.agents[name], "", {}),
                lambda floor: happenings.hang_up_customer(floor, floor.agents[name]),
                lambda floor: happenings.end_job(floor, floor.jobs["SPRING25"], "CAREBLD"),
                lambda floor: happenings.end_job(floor, floor.jobs["HELPIN"]),
                lambda floor: happenings.start_job(floor, floor.jobs["SPRING25"]),
                lambda floor: happenings.start_job(floor, floor.jobs["HELPIN"]),
            )
        )
        try:
            bench.happen(action)
        except UnifiedAgentError:
            bench.perform(bench.dialler.advance(bench.now_s))
    elif kind < 0.3:
        bench.wait(chance.choice((0.01, 0.5, 3.0, 10.0)))
    else:
        agent = chance.choice(living)
        seat = bench.floor.seats[agent.connection]
        name = likely(seat.stage, seat.headset, chance)
        values = PARAMETERS.get(name, ())
        if name == "Logon":
            values = (f"agent{agent.connection % 3}", "pw")
        elif name in CHOICES:
            values = (chance.choice(CHOICES[name]),)
        agent.say(name, *(value.format(job=seat.job, account="1") for value in values), wait_s=0.0)
        if agent.closed:
            agent.leave_without_logoff()


def likely(stage: Stage, headset: Headset, chance: random.Random) -> str:
    """A command: usually one that leads on, so that calls are reached."""
    if chance.random() < 0.3:
        return chance.choice(list(Command)).removeprefix("AGT")
    if headset is Headset.NONE and stage is not Stage.CONNECTED:
        return "ReserveHeadset"
    if headset in {Headset.RESERVED, Headset.BROKEN}:
        return "ConnHeadset"
    onward = {
        Stage.CONNECTED: ("Logon",),
        Stage.LOGGED_ON: ("SetWorkClass", "AttachJob"),
        Stage.ATTACHED: ("AvailWork", "SetWorkClass", "DetachJob"),
        Stage.AVAILABLE: ("ReadyNextItem",),
        Stage.READY: ("ListState", "NoFurtherWork"),
        Stage.PREVIEWING: ("ManagedCall", "ReleaseLine", "FinishedItem"),
        Stage.ON_CALL: ("ReleaseLine", "FinishedItem", "MoFlashBlind", "TransferCall", "HangupCall"),
        Stage.WRAPPING: ("FinishedItem",),
    }
    return chance.choice(onward[stage])


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32))
def test_invariants_hold_whatever_happens(seed: int) -> None:
    chance = random.Random(seed)
    bench = Bench(seed=seed, jobs=JOBS, stale_logon_s=chance.choice((0.0, 5.0)), late_call_share=0.3, dial_s=1.0)
    bench.floor.headset_answers = chance.random() < 0.9
    for _ in range(250):
        step(bench, chance)
        check(bench.floor)
    for agent in list(bench.agents.values()):
        agent.leave_without_logoff()
    bench.wait(100.0)
    check(bench.floor)
    assert bench.truth()["agents"] == []
    assert bench.truth()["headsets"] == {}


@settings(deadline=None, max_examples=5)
@given(st.integers(0, 2**32))
def test_same_seed_same_story(seed: int) -> None:
    def story() -> list[object]:
        chance = random.Random(seed)
        bench = Bench(seed=seed, jobs=JOBS)
        told: list[object] = []
        for _ in range(200):
            step(bench, chance)
            told.append([agent.lines() for agent in bench.agents.values()])
        return [told, bench.truth()]

    assert story() == story()
