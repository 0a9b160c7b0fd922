from __future__ import annotations

from tests.unit.domain.desk import JOB, Desk

from unified_agent.domain.effects import AskSwitch, Observe
from unified_agent.domain.ids import RequestId
from unified_agent.domain.limits import MESSAGES_KEPT, REQUESTS_OPEN
from unified_agent.domain.move import Move
from unified_agent.domain.states import DiallerStage, Side, TelephonyStage


def move() -> Move:
    return Move(Desk(dialler=True, job=JOB).state, 2_000_000.0)


def test_a_new_stage_gets_its_time_and_an_old_one_keeps_its_own():
    each = move()
    before_s = each.state.telephony.since_s
    each.set_telephony(trouble="x")
    assert each.state.telephony.since_s == before_s
    each.set_telephony(stage=TelephonyStage.UP)
    assert each.state.telephony.since_s == 2_000_000.0
    each.set_dialler(stage=DiallerStage.READY)
    assert each.state.dialler.since_s == 2_000_000.0


def test_what_is_asked_is_remembered_until_it_is_answered_once():
    each = move()
    each.ask_switch(Observe())
    asked = next(effect for effect in each.effects if isinstance(effect, AskSwitch))
    assert each.is_asked("observe")
    assert each.close_request(asked.request) is not None
    assert each.close_request(asked.request) is None
    assert not each.is_asked("observe")


def test_open_requests_and_messages_are_bounded_and_the_oldest_go():
    each = move()
    for _ in range(REQUESTS_OPEN + 5):
        each.ask_switch(Observe())
        each.add_message("x", "y")
    assert len(each.state.requests) == REQUESTS_OPEN
    assert each.state.requests[-1].id == RequestId(REQUESTS_OPEN + 5)
    assert len(each.state.messages) == MESSAGES_KEPT


def test_a_lost_side_takes_only_its_own_requests():
    each = move()
    each.ask_switch(Observe())
    each.lose_requests(Side.DIALLER, "closed")
    assert each.is_asked("observe")
    each.lose_requests(Side.TELEPHONY, "closed")
    assert each.state.requests == ()


def test_without_an_item_there_is_nothing_to_change_on_it():
    each = move()
    each.set_item(title="x")
    assert each.state.item is None
