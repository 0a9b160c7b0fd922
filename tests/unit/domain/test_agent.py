from __future__ import annotations

import itertools

import pytest

from unified_agent.domain.agent import EXPECTED_MOVES, AgentState, is_expected, shown_mode
from unified_agent.domain.call import Call
from unified_agent.domain.ids import CallId
from unified_agent.domain.job import WorkItem
from unified_agent.domain.states import ItemKind, ItemStage, LegState, SwitchMode, WorkMode

UNEXPECTED = {(SwitchMode.LOGGED_OUT, SwitchMode.WRAP_UP)}


@pytest.mark.parametrize(("before", "after"), list(itertools.product(SwitchMode, SwitchMode)))
def test_every_move_is_either_expected_or_known_to_be_odd(before: SwitchMode, after: SwitchMode):
    assert is_expected(before, after) == ((before, after) not in UNEXPECTED)
    assert len(EXPECTED_MOVES) + len(UNEXPECTED) == len(SwitchMode) ** 2


def call(leg: LegState) -> Call:
    return Call(id=CallId(leg.value), state=leg)


def item(stage: ItemStage) -> WorkItem:
    return WorkItem(number=1, kind=ItemKind.OUTBOUND, stage=stage)


@pytest.mark.parametrize("mode", SwitchMode)
def test_without_call_or_item_the_switchs_word_is_shown(mode: SwitchMode):
    assert shown_mode(AgentState(mode=mode), (), None).value == mode.value


@pytest.mark.parametrize(
    ("leg", "shown"),
    [
        (LegState.ALERTING, WorkMode.RESERVED),
        (LegState.DIALLING, WorkMode.TALKING),
        (LegState.ACTIVE, WorkMode.TALKING),
        (LegState.HELD, WorkMode.HOLDING),
        (LegState.CONFERENCED, WorkMode.TALKING),
        (LegState.FAILED, WorkMode.READY),
    ],
)
def test_a_call_says_more_than_the_mode_behind_it(leg: LegState, shown: WorkMode):
    assert shown_mode(AgentState(mode=SwitchMode.READY), (call(leg),), None) is shown


@pytest.mark.parametrize(
    ("stage", "shown"),
    [
        (ItemStage.PREVIEWING, WorkMode.PREVIEWING),
        (ItemStage.DIALLING, WorkMode.TALKING),
        (ItemStage.ON_CALL, WorkMode.TALKING),
        (ItemStage.ON_HOLD, WorkMode.HOLDING),
        (ItemStage.LINE_GONE, WorkMode.WRAP_UP),
    ],
)
def test_an_item_says_more_than_the_mode_behind_it(stage: ItemStage, shown: WorkMode):
    assert shown_mode(AgentState(mode=SwitchMode.NOT_READY), (), item(stage)) is shown


def test_talking_is_shown_before_anything_that_waits():
    both = (call(LegState.HELD), call(LegState.ALERTING), call(LegState.ACTIVE))
    assert shown_mode(AgentState(), both, item(ItemStage.LINE_GONE)) is WorkMode.TALKING
    assert shown_mode(AgentState(), both[:2], item(ItemStage.LINE_GONE)) is WorkMode.RESERVED
