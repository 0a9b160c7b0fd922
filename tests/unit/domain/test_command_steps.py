from __future__ import annotations

from tests.unit.domain.desk import JOB, SESSION, Desk

from unified_agent.domain import commands as c
from unified_agent.domain import facts as f
from unified_agent.domain.effects import AskDialler, AskSwitch, Settle, Tell
from unified_agent.domain.ids import CallId, RequestId
from unified_agent.domain.job import Draft
from unified_agent.domain.limits import COMMAND_MEMORY_S, COMMANDS_REMEMBERED
from unified_agent.domain.notices import AgentChanged, CommandSettled, ItemChanged
from unified_agent.domain.session_state import Outcome
from unified_agent.domain.states import ItemKind, SwitchMode


def test_a_press_changes_nothing_but_what_is_asked():
    desk = Desk().log_in()
    before = desk.state.agent
    desk.command(c.SetMode(mode=c.AskedMode.READY))
    assert desk.state.agent == before
    shown = desk.told(AgentChanged)[0].agent
    assert (shown.mode, shown.asked) == ("not-ready", "ready")
    desk.reported(SwitchMode.READY)
    desk.done("mode:ready")
    assert desk.told(AgentChanged)[-1].agent.asked is None


def test_a_repeated_press_sets_nothing_in_motion():
    desk = Desk().log_in()
    desk.command(c.MakeCall(number="3001"), "x")
    desk.command(c.MakeCall(number="3001"), "x")
    assert desk.latest == []
    assert len(desk.state.commands) == 1


def test_a_command_ends_once_and_only_then_is_it_counted():
    desk = Desk().log_in()
    desk.command(c.MakeCall(number="3001"), "x")
    assert not any(isinstance(each, Settle) for each in desk.latest)
    desk.done("make-call")
    assert sum(isinstance(each, Settle) for each in desk.latest) == 1
    desk.command(c.AnswerCall(call=CallId("7")), "y")
    assert sum(isinstance(each, Settle) for each in desk.latest) == 1, "refused at once"


def test_a_call_command_goes_to_the_switch_as_it_is():
    desk = Desk().log_in()
    desk.give(f.CallAlerting(session=SESSION, call=CallId("1"), number="3001"))
    command = c.AnswerCall(call=CallId("1"))
    assert desk.command(command).outcome is Outcome.ACCEPTED
    asked = next(each for each in desk.latest if isinstance(each, AskSwitch))
    assert asked.ask is command
    assert asked.station == "2001"


def test_the_answer_settles_the_command_once_and_tells_the_desktop():
    desk = Desk().log_in()
    desk.command(c.MakeCall(number="3001"), "x")
    request = desk.request("make-call")
    desk.give(f.RequestRefused(session=SESSION, request=request, id="switch.busy", detail="words"))
    told = desk.told(CommandSettled)
    assert [(t.command, t.command_type, t.outcome, t.error, t.detail) for t in told] == [
        ("x", "make-call", "refused", "switch.busy", "words")
    ]
    assert any(isinstance(each, Settle) for each in desk.latest)
    desk.give(f.RequestDone(session=SESSION, request=request))
    assert desk.record("x").outcome is Outcome.REFUSED


def test_a_refused_command_is_remembered_with_its_reason_and_asks_nobody():
    desk = Desk().log_in()
    record = desk.command(c.AnswerCall(call=CallId("7")), "x")
    assert (record.outcome, record.error) == (Outcome.REFUSED, "no-such-call")
    assert not any(isinstance(each, AskSwitch | AskDialler) for each in desk.latest)
    assert not any(isinstance(each, Tell) for each in desk.latest), "the answer to the command says it"


def test_memory_of_commands_is_bounded_in_number_and_time():
    desk = Desk().log_in()
    for _ in range(COMMANDS_REMEMBERED + 10):
        desk.command(c.AnswerCall(call=CallId("7")))
    assert len(desk.state.commands) == COMMANDS_REMEMBERED
    desk.now_s += COMMAND_MEMORY_S
    desk.command(c.AnswerCall(call=CallId("7")))
    assert len(desk.state.commands) == 1


def test_a_draft_is_kept_with_the_item_and_shown():
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.give(f.ItemArrived(session=SESSION, kind=ItemKind.OUTBOUND, title="PAT", preview=False))
    assert desk.command(c.SaveDraft(notes="pays", code="20")).outcome is Outcome.DONE
    item = desk.told(ItemChanged)[0].item
    assert item is not None
    assert item.draft == Draft(notes="pays", code="20")


def test_wrap_up_asked_of_the_switch_is_not_a_mode_to_come_back_to():
    desk = Desk().log_in()
    desk.command(c.SetMode(mode=c.AskedMode.WRAP_UP))
    assert desk.state.telephony.wanted is SwitchMode.NOT_READY


def test_ready_takes_the_place_of_what_we_kept_pending():
    desk = Desk().log_in()
    desk.give(f.CallEstablished(session=SESSION, call=CallId("1"), number="3001", incoming=True))
    desk.command(c.SetMode(mode=c.AskedMode.NOT_READY, reason=3))
    desk.give(f.RequestRefused(session=SESSION, request=desk.request("mode:not-ready"), id="switch.refused"))
    assert desk.state.agent.pending is not None
    desk.command(c.SetMode(mode=c.AskedMode.READY))
    assert desk.state.agent.pending is None


def test_cancel_takes_back_everything_that_we_keep():
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.give(f.ItemArrived(session=SESSION, kind=ItemKind.OUTBOUND, title="PAT", preview=False))
    desk.command(c.LeaveJob())
    desk.command(c.LogOut())
    assert desk.command(c.CancelPending()).outcome is Outcome.DONE
    desk.give(f.ItemFinished(session=SESSION))
    assert desk.asked() == []
    assert desk.command(c.CancelPending()).error == "nothing-pending"


def test_numbers_of_requests_never_repeat():
    desk = Desk().log_in()
    numbers = [each.request for each in desk.effects if isinstance(each, AskSwitch)]
    assert numbers == [RequestId(each) for each in range(1, len(numbers) + 1)]
