"""Any history of calls: what facts tell is what a fresh look at the switch tells, and every link tells the same."""

from __future__ import annotations

import random
from typing import Any

import pytest
from tests.contract.telephony_world import OUTSIDE_RULES, TelephonyWorld, agent_of, station_of
from tests.contract.telephony_worlds import KINDS, play

from unified_agent.domain import commands
from unified_agent.domain.call import Call, Calls
from unified_agent.domain.effects import ChangeMode, Snapshot
from unified_agent.domain.facts import CallSeen, StationSnapshot
from unified_agent.domain.ids import AgentId
from unified_agent.domain.states import LegState, SwitchMode
from unified_agent.tools.simulators.aes.plan import DEFAULT_OUTSIDE_RULES, MergedCallId
from unified_agent.tools.simulators.aes.sessions import AesSettings

VIRTUAL = [name for name, kind in KINDS.items() if kind.is_virtual]
OTHERS = [name for name in VIRTUAL if name != "dmcc-simulated"]
NUMBERS = (1, 2, 3, 4)
STATIONS = [station_of(each) for each in NUMBERS]


def _rules(chance: random.Random) -> dict[str, Any]:
    return {
        "merged_call_id": chance.choice(list(MergedCallId)),
        "aes": AesSettings(events_first=chance.choice([0.0, 0.5, 1.0])),
        "report_busy": chance.random() < 0.5,
        "auto_hold": chance.random() < 0.5,
        "outside_rules": DEFAULT_OUTSIDE_RULES,
    }


@pytest.mark.parametrize(
    ("kind", "seed"),
    [(kind, seed) for kind in VIRTUAL for seed in range(30)] + [("jtapi", 1), ("jtapi-awkward", 2)],
)
def test_calls_believed_from_facts_are_those_of_a_fresh_snapshot(kind: str, seed: int) -> None:
    chance = random.Random(seed)

    async def story(world: TelephonyWorld) -> None:
        for number in NUMBERS:
            await world.log_in(number, ready=True)
        for _ in range(40 if world.is_virtual else 15):
            number = chance.choice(NUMBERS)
            await world.ask(_some_command(chance, world.calls(number, looked=False)), number)
            if chance.random() < 0.25:
                world.place_call(chance.choice(["8000", "8000", *STATIONS]))
            for _ in range(chance.choice([1, 1, 3]) if world.is_virtual else 1):
                await world.rest()
            for each in NUMBERS:
                await _compare(world, each, seed)

    play(kind, story, seed=seed, **_rules(chance))


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("seed", range(30))
def test_every_link_tells_the_same_of_the_same_happenings(kind: str, seed: int) -> None:
    told: dict[str, list[dict[Any, Any]]] = {}
    for each in ("dmcc-simulated", kind):
        told[each] = _history(each, seed)
    asked = []
    for step, (ours, theirs) in enumerate(zip(told["dmcc-simulated"], told[kind], strict=True)):
        asked.append(theirs[0])
        differ = [f"{it}: {kind} tells {theirs[it]}, DMCC {ours[it]}" for it in ours if ours[it] != theirs[it]]
        assert not differ, f"seed {seed}, step {step}, after {asked[-4:]}: {'; '.join(differ)}"


def _history(kind: str, seed: int) -> list[dict[Any, Any]]:
    """Play one history, whose every step hangs on the switch's truth alone; return what was believed after each."""
    chance = random.Random(f"history {seed}")
    # Nothing happens by itself at a time that one link could miss by a moment.
    rules = {**_rules(chance), "outside_rules": OUTSIDE_RULES, "no_answer_s": 0.0, "tone_s": 10_000.0}
    believed: list[dict[Any, Any]] = []

    async def story(world: TelephonyWorld) -> None:
        for number in NUMBERS:
            await world.log_in(number, ready=True)
        for _ in range(40):
            number = chance.choice(NUMBERS)
            ask: Any = _some_command(chance, _calls_at_switch(world, number))
            if chance.random() < 0.15:
                mode = chance.choice([SwitchMode.READY, SwitchMode.NOT_READY])
                ask = ChangeMode(agent=AgentId(agent_of(number)), mode=mode, reason=None, may_wait=True)
            answer = await world.ask(ask, number)
            if chance.random() < 0.25:
                world.place_call(chance.choice(["8000", "8000", *STATIONS]))
            await world.rest()
            answered = (type(answer).__name__, getattr(answer, "id", None))
            believed.append({0: ask, "answer": answered, **_all_believed(world)})

    play(kind, story, seed=seed, **rules)
    return believed


def _calls_at_switch(world: TelephonyWorld, number: int) -> Calls:
    legs = {"alerting": LegState.ALERTING, "hold": LegState.HELD}
    calls = world.truth()["stations"].get(station_of(number), {}).get("calls", {})
    return tuple(Call(id=each, state=legs.get(state, LegState.ACTIVE)) for each, state in calls.items())


def _all_believed(world: TelephonyWorld) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number in NUMBERS:
        reported = world.reported(number)
        assert reported is not None
        calls = {
            each.id: (each.state, each.direction, sorted(it.number for it in each.parties), each.called, each.queue)
            for each in world.calls(number)
        }
        found[station_of(number)] = (calls, reported.mode, reported.reason, reported.pending_mode)
    return found


def _some_command(chance: random.Random, known: Calls) -> commands.CallCommand:
    number = chance.choice([*STATIONS, "8000", "02079460000", "02079460001", "02079460004"])
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


async def _compare(world: TelephonyWorld, number: int, seed: int) -> None:
    believed = {each.id: each for each in world.calls(number, looked=False)}
    snapshot = await world.do(Snapshot(agent=AgentId(agent_of(number))), number)
    assert isinstance(snapshot, StationSnapshot)
    seen = {each.call: each for each in snapshot.calls}
    said = f"seed {seed}, station {number}: {believed} believed, {seen} seen"
    assert believed.keys() == seen.keys(), said
    for call_id, known in believed.items():
        found = seen[call_id]
        if found.state in _NOT_THROUGH:
            # Neither a transfer to somebody who still rings nor a busy tone put on hold is told to those who stay.
            assert known.state in {*_NOT_THROUGH, LegState.ACTIVE}, said
            continue
        if _is_settled(known, found):
            assert known.state is found.state, said
            assert {each.number for each in known.parties} == {each.number for each in found.parties}, said
        else:
            assert _ALIKE.get(known.state, known.state) is _ALIKE.get(found.state, found.state), said


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
