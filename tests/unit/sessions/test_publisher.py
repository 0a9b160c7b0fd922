"""What another instance would need is handed on when it has changed, and only then."""

from __future__ import annotations

from msgspec.structs import replace
from tests.unit.domain.desk import JOB, SESSION, Desk
from tests.unit.sessions.rooms import Claims

from unified_agent.domain import facts as f
from unified_agent.domain.carry import carry_of
from unified_agent.domain.session_state import ClaimState
from unified_agent.domain.states import ClaimStage, DiallerStage, Side
from unified_agent.sessions.publisher import Publisher


def test_what_has_changed_is_handed_on_once():
    claims, desk = Claims(), Desk().log_in()
    publisher = Publisher(claims)
    publisher.look(desk.state)
    publisher.look(desk.state)
    assert claims.published == [carry_of(desk.state)]
    desk.give(f.MessageReceived(session=SESSION, text="x", sender="supervisor"))
    publisher.look(replace(desk.state, messages=(*desk.state.messages, *desk.state.messages)))
    desk.give(f.DesktopDetached(session=SESSION))
    publisher.look(desk.state)
    assert len(claims.published) == 2


def test_what_nobody_needs_is_not_handed_on():
    claims, desk = Claims(), Desk()
    publisher = Publisher(claims)
    publisher.look(desk.state)
    desk.give(f.TurnPlanned(session=SESSION, side=Side.TELEPHONY, at_s=desk.now_s + 9))
    publisher.look(desk.state)
    assert len(claims.published) == 1


def test_nothing_is_handed_on_before_the_claim_nor_by_an_instance_alone():
    claims = Claims()
    waiting = Desk(claim=ClaimState(stage=ClaimStage.ASKED, term=0))
    Publisher(claims).look(waiting.state)
    assert claims.published == []
    Publisher(None).look(Desk().state)


def test_a_session_that_leaves_keeps_what_it_had_at_the_dialler():
    claims, desk = Claims(), Desk(dialler=True, job=JOB).log_in().log_on().join()
    publisher = Publisher(claims)
    publisher.look(desk.state)
    desk.give(f.MoveAsked(session=SESSION, reason="move"))
    publisher.look(desk.state)
    desk.give(f.DiallerLoggedOff(session=SESSION))
    publisher.look(desk.state)
    last = claims.published[-1]
    assert (last.close_reason, last.dialler.stage, last.dialler.wanted_job) == ("moved", DiallerStage.JOINED, JOB)
    assert desk.state.dialler.stage is DiallerStage.OFF


def test_a_dialler_that_is_not_reached_yet_is_wanted_on():
    claims, desk = Claims(), Desk(dialler=True, job=JOB).log_in()
    publisher = Publisher(claims)
    publisher.look(desk.state)
    desk.give(f.MoveAsked(session=SESSION, reason="move"))
    publisher.look(desk.state)
    last = claims.published[-1]
    assert (last.close_reason, last.dialler.stage) == ("moved", DiallerStage.WAITING)


def test_a_session_that_is_over_and_comes_again_is_handed_on_anew():
    claims, desk = Claims(), Desk().log_in()
    publisher = Publisher(claims)
    publisher.look(desk.state)
    publisher.forget(SESSION)
    publisher.look(desk.state)
    assert len(claims.published) == 2
