"""What is seen of one fault, at desktops that only show what they are told to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from tests.unit.tools.chaos.fakes import FakeCrowd, FakeWorld, scene
from tests.unit.tools.load.views import view

from unified_agent.client import ConnectionState, Settled
from unified_agent.domain.ids import AgentId, CommandId
from unified_agent.domain.session_state import Outcome
from unified_agent.tools.chaos import measure as measuring
from unified_agent.tools.chaos.faults import Scene, Struck
from unified_agent.tools.chaos.history_check import Told
from unified_agent.tools.chaos.measure import Telling, Watch, is_at_work, left_unknown, measure
from unified_agent.tools.chaos.report import Reaction
from unified_agent.tools.chaos.scenarios import Scenario
from unified_agent.tools.load.recovery import Agreement

A1 = frozenset({"a1"})


# --- looking at desktops


def test_a_desktop_is_at_work_while_it_is_in_step_and_shows_everything_known() -> None:
    crowd = FakeCrowd("a1")
    desk = crowd.desk(0)
    assert is_at_work(desk)  # type: ignore[arg-type]
    desk.state = ConnectionState.SUSPECT
    assert not is_at_work(desk)  # type: ignore[arg-type]
    desk.state, desk.view = ConnectionState.LIVE, view(agent__known=False)
    assert not is_at_work(desk)  # type: ignore[arg-type]
    assert not is_at_work(None)


def test_the_first_thing_shown_by_another_instance_is_taken_down_with_whether_it_was_greyed() -> None:
    crowd = FakeCrowd("a1")
    watch = Watch.begin(crowd.as_crowd())
    crowd.listen(watch.heard)
    crowd.tell(0, {"type": "agent-changed"})
    assert watch.tracks[0].attached_s is None
    crowd.desk(0).go("a2", at_s=1.0, noticed_s=0.5)
    crowd.desk(0).view = view(agent__known=False)
    crowd.tell(0, {"type": "snapshot"})
    first_s = watch.tracks[0].attached_s
    assert first_s is not None
    assert watch.tracks[0].greyed
    crowd.desk(0).view = view()
    crowd.tell(0, {"type": "snapshot"})
    assert watch.tracks[0].attached_s == first_s
    assert watch.tracks[0].greyed


def test_out_is_the_first_moment_and_back_the_last_return() -> None:
    crowd = FakeCrowd("a1")
    watch, track = Watch.begin(crowd.as_crowd()), None
    for now_s, state in enumerate("LSSLSL"):
        crowd.desk(0).state = ConnectionState.LIVE if state == "L" else ConnectionState.SUSPECT
        watch.look(crowd.as_crowd(), float(now_s))
    track = watch.tracks[0]
    assert (track.out_s, track.back_s) == (1.0, 5.0)


def test_nobody_is_through_before_being_at_work_elsewhere() -> None:
    crowd = FakeCrowd("a1", "a1")
    watch = Watch.begin(crowd.as_crowd())
    assert watch.waiting([0, 1]) == [0, 1]  # at work, but still where the fault is
    crowd.desk(0).go("a2", at_s=1.0, noticed_s=None)
    crowd.desk(0).view = view(agent__known=False)
    watch.look(crowd.as_crowd(), 1.0)
    assert watch.waiting([0, 1]) == [0, 1]
    crowd.desk(0).view = view()
    watch.look(crowd.as_crowd(), 2.0)
    assert watch.waiting([0, 1]) == [1]


def test_an_agent_who_had_to_log_in_again_is_through_when_at_work_and_its_session_has_ended() -> None:
    crowd = FakeCrowd("a1")
    watch = Watch.begin(crowd.as_crowd())
    crowd.agents[0].desk = None
    watch.look(crowd.as_crowd(), 1.0)
    assert watch.waiting([0]) == [0]
    crowd.agents[0].desk = FakeCrowd("a1").desk(0)
    watch.look(crowd.as_crowd(), 2.0)
    assert watch.waiting([0]) == []
    assert watch.tracks[0].has_ended


# --- what desktops are told of commands


def told(at_s: float, outcome: Outcome, command: str = "d-1") -> Told:
    return Told(mono_s=at_s, agent=AgentId("5001"), command=CommandId(command), outcome=outcome)


def test_a_command_is_left_unknown_when_no_end_was_told_in_time() -> None:
    unknown, done = told(10.0, Outcome.UNKNOWN), told(12.0, Outcome.DONE)
    assert left_unknown([unknown, done], 5.0, 30.0) == 0
    assert left_unknown([unknown, told(16.0, Outcome.REFUSED)], 5.0, 30.0) == 1
    assert left_unknown([unknown], 5.0, 14.0) == 0
    assert left_unknown([unknown], 5.0, 16.0) == 1
    assert left_unknown([done, told(11.0, Outcome.UNKNOWN, "d-2")], 5.0, 30.0) == 1


def test_while_an_agent_is_not_at_work_nobody_can_know_what_became_of_its_commands() -> None:
    unknown, done = told(10.0, Outcome.UNKNOWN), told(22.0, Outcome.DONE)
    assert left_unknown([unknown, done], 5.0, 30.0, {"5001": 20.0}) == 0
    assert left_unknown([unknown, done], 5.0, 30.0, {"5001": 16.0}) == 1
    assert left_unknown([unknown], 5.0, 30.0, {"5001": 20.0}) == 1


def test_notices_about_commands_are_kept_and_nothing_else() -> None:
    crowd, telling = FakeCrowd("a1"), Telling()
    crowd.listen(telling.heard)
    crowd.tell(0, {"type": "agent-changed", "data": {}})
    crowd.tell(0, {"type": "command-settled", "data": {"command": "d-1", "outcome": "done"}})
    assert [(each.agent, each.command, each.outcome) for each in telling.told] == [("50001", "d-1", Outcome.DONE)]


def test_the_end_of_a_press_is_kept_by_whichever_way_its_desktop_heard() -> None:
    crowd, telling = FakeCrowd("a1"), Telling()
    settled = Settled(id="d-2", type="answer-call", outcome="refused", error="e", detail="")
    telling.ended(crowd.agents[0], settled)  # type: ignore[arg-type]
    assert [(each.command, each.outcome) for each in telling.told] == [("d-2", Outcome.REFUSED)]


# --- a whole measurement


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    async def all_agree(world: object, crowd: Any, wanted: range, until_s: float) -> Agreement:
        return Agreement(truthful_s=dict.fromkeys(wanted, 1.0))

    monkeypatch.setattr(measuring, "become_truthful", all_agree)
    monkeypatch.setattr(measuring, "LOOK_S", 0.0)
    monkeypatch.setattr(measuring, "BACK_LIMIT_S", 0.2)


def scenario(begin: Callable[[Scene], Coroutine[None, None, Struck]], **options: Any) -> Scenario:
    async def heal(scene: Scene) -> None:
        return None

    return Scenario(
        **{"name": "made-up", "title": "made up", "begin": begin, "heal": heal, "back_limit_s": 10.0, **options}
    )


async def measured(
    crowd: FakeCrowd, begin: Callable[[Scene], Coroutine[None, None, Struck]], **options: Any
) -> Reaction:
    return await measure(scenario(begin, **options), scene(FakeWorld(), crowd), Telling())


@pytest.mark.asyncio
async def test_a_loss_is_measured_from_the_fault_for_those_it_strikes() -> None:
    crowd = FakeCrowd("a1", "a2")
    tasks: list[asyncio.Task[None]] = []

    async def strike(scene: Scene) -> Struck:
        desk = crowd.desk(0)
        desk.state = ConnectionState.CONNECTING

        async def come_back() -> None:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            desk.go("a2", at_s=time.monotonic(), noticed_s=time.monotonic())
            desk.state, desk.view = ConnectionState.LIVE, view(agent__known=False)
            crowd.tell(0, {"type": "snapshot"})
            await asyncio.sleep(0)
            desk.view = view()

        tasks.append(asyncio.create_task(come_back()))
        return A1

    reaction = await measured(crowd, strike)
    assert (reaction.struck, reaction.agents, reaction.others) == (["a1"], 1, 1)
    assert (reaction.noticed.count, reaction.attached.count, reaction.back.count) == (1, 1, 1)
    assert reaction.greyed == 1
    assert (reaction.lost, reaction.others_disturbed, reaction.moved_in_order) == (0, 0, 0)
    assert reaction.outage.count == 1
    assert reaction.truthful == reaction.truthful_after_healing == 2


@pytest.mark.asyncio
async def test_a_move_in_good_order_notices_no_loss() -> None:
    crowd = FakeCrowd("a1")

    async def order(scene: Scene) -> Struck:
        crowd.desk(0).go("a2", at_s=time.monotonic(), noticed_s=None)
        return A1

    reaction = await measured(crowd, order, planned=True)
    assert (reaction.moved_in_order, reaction.noticed.count, reaction.lost) == (1, 0, 0)
    assert reaction.outage.count == 0


@pytest.mark.asyncio
async def test_an_agent_who_does_not_come_back_is_lost() -> None:
    crowd = FakeCrowd("a1")

    async def strike(scene: Scene) -> Struck:
        crowd.desk(0).state = ConnectionState.CONNECTING
        return A1

    assert (await measured(crowd, strike)).lost == 1


@pytest.mark.asyncio
async def test_others_who_are_disturbed_for_a_moment_are_counted_with_how_long() -> None:
    crowd = FakeCrowd("a1", "b1")

    async def strike(scene: Scene) -> Struck:
        crowd.desk(1).state = ConnectionState.SUSPECT
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        crowd.desk(1).state = ConnectionState.LIVE
        return frozenset()

    reaction = await measured(crowd, strike, back_limit_s=None, hold_s=0.01)
    assert (reaction.agents, reaction.others, reaction.others_disturbed) == (0, 2, 1)
    assert reaction.others_out.count == 1


@pytest.mark.asyncio
async def test_who_is_disturbed_by_healing_is_counted_apart() -> None:
    crowd = FakeCrowd("a1")

    async def strike(scene: Scene) -> Struck:
        return frozenset()

    async def heal(scene: Scene) -> None:
        crowd.desk(0).state = ConnectionState.CONNECTING

    reaction = await measured(crowd, strike, heal=heal, back_limit_s=None)
    assert (reaction.others_disturbed, reaction.disturbed_by_healing) == (0, 1)


@pytest.mark.asyncio
async def test_sessions_that_the_system_ended_are_counted_from_the_fault_on() -> None:
    crowd = FakeCrowd("a1")
    crowd.tally["session ended: taken-over"] = 3

    async def strike(scene: Scene) -> Struck:
        crowd.tally["session ended: instance.draining"] += 1
        crowd.tally["answer-call"] += 1
        crowd.tally["answer-call: no answer"] += 1
        crowd.desk(0).gaps += 2
        return frozenset()

    reaction = await measured(crowd, strike, back_limit_s=None)
    assert reaction.sessions_ended == {"instance.draining": 1}
    assert (reaction.gaps, reaction.commands_unknown) == (2, 1)
