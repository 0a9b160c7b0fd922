from __future__ import annotations

from tests.unit.domain.desk import AES, DIALLER, JOB, SESSION, Desk

from unified_agent.domain import commands as c
from unified_agent.domain import facts as f
from unified_agent.domain.effects import AskDialler, LogOnDialler
from unified_agent.domain.ids import JobName
from unified_agent.domain.job import RecordField
from unified_agent.domain.session_state import Outcome
from unified_agent.domain.states import DiallerStage, HeadsetState, ItemKind, ItemStage, Phase, Side

FIELDS = (RecordField(name="NAME", value="PAT LEE"), RecordField(name="BAL", value="118.20", editable=True, length=10))


def working() -> Desk:
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.command(c.TakeItems())
    desk.done("take-items")
    arrive(desk)
    return desk


def arrive(desk: Desk, *, preview: bool = False) -> None:
    kind = ItemKind.MANAGED if preview else ItemKind.OUTBOUND
    desk.give(f.ItemArrived(session=SESSION, kind=kind, title="PAT LEE", preview=preview, fields=FIELDS))


def refused(desk: Desk, what: str, reason: str, *, fatal: bool = False) -> None:
    desk.give(f.RequestRefused(session=SESSION, request=desk.request(what), id=reason, detail="E00000", fatal=fatal))


def lost(desk: Desk) -> None:
    desk.give(f.DiallerLost(session=SESSION, dialler=DIALLER, reason="closed"))


def test_the_dialler_is_logged_on_once_the_telephone_is_and_the_wanted_job_joined_unasked():
    desk = Desk(dialler=True, job=JOB)
    assert not desk.state.dialler_queued
    desk.log_in()
    assert desk.state.dialler_queued
    desk.log_on()
    assert desk.asked() == ["JoinJob"]
    desk.join()
    assert desk.state.dialler.stage is DiallerStage.JOINED
    assert [key.code for key in desk.state.dialler.keys] == ["20", "22"]


def test_without_a_wanted_job_the_agent_chooses_from_the_list():
    desk = Desk(dialler=True).log_in().log_on()
    assert desk.asked() == []
    assert desk.command(c.JoinJob(job=JOB), "join").outcome is Outcome.ACCEPTED
    desk.join()
    assert desk.record("join").outcome is Outcome.DONE


def test_an_item_is_worked_and_the_next_taken_without_asking_again():
    desk = working()
    assert desk.state.item is not None
    assert desk.state.item.stage is ItemStage.ON_CALL
    desk.give(f.LineGone(session=SESSION, by="customer"))
    assert desk.state.item.stage is ItemStage.LINE_GONE
    desk.command(c.FinishItem(code="20"))
    desk.give(f.ItemFinished(session=SESSION))
    assert desk.state.item is None
    assert desk.asked() == ["TakeItems"]


def test_an_unknown_completion_code_is_refused_here_and_asks_nobody():
    desk = working()
    record = desk.command(c.FinishItem(code="99"))
    assert (record.outcome, record.error) == (Outcome.REFUSED, "unknown-completion-code")
    assert desk.asked() == []


def test_a_code_suggested_by_the_dialler_may_be_used_though_it_is_not_on_the_list():
    desk = working()
    desk.give(f.LineGone(session=SESSION, by="dialler", suggested_code="13"))
    assert desk.command(c.FinishItem(code="13")).outcome is Outcome.ACCEPTED


def test_leaving_the_job_during_an_item_waits_and_can_be_taken_back():
    desk = working()
    desk.command(c.LeaveJob())
    assert desk.asked() == []
    desk.command(c.CancelPending())
    desk.give(f.ItemFinished(session=SESSION))
    assert desk.state.dialler.job == JOB


def test_leaving_the_job_happens_when_the_item_is_finished():
    desk = working()
    desk.command(c.LeaveJob())
    desk.give(f.ItemFinished(session=SESSION))
    assert desk.asked() == ["LeaveJob"]
    desk.give(f.JobLeft(session=SESSION, why="asked"))
    assert desk.state.dialler.stage is DiallerStage.LOGGED_ON
    assert desk.asked() == []


def test_pausing_while_waiting_for_an_item_leaves_the_job_and_joins_it_again_not_ready():
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.command(c.TakeItems())
    desk.done("take-items")
    desk.command(c.PauseItems())
    assert desk.asked() == ["LeaveJob"]
    desk.give(f.JobLeft(session=SESSION, why="asked"))
    assert desk.asked() == ["JoinJob"]
    desk.done("leave-job")
    desk.join()
    assert desk.asked() == []


def test_a_call_delivered_while_leaving_is_worked_to_its_end():
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.command(c.TakeItems())
    desk.done("take-items")
    desk.command(c.LeaveJob())
    arrive(desk)
    assert desk.state.item is not None
    desk.give(f.ItemFinished(session=SESSION), f.JobLeft(session=SESSION, why="asked"))
    assert desk.state.dialler.stage is DiallerStage.LOGGED_ON


def test_a_preview_is_dialled_by_the_agent_or_finished_without_a_call():
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    arrive(desk, preview=True)
    assert desk.state.item is not None
    assert desk.state.item.stage is ItemStage.PREVIEWING
    desk.command(c.DialItem())
    assert desk.state.item.stage is ItemStage.DIALLING
    desk.give(f.ItemDialled(session=SESSION, connected=False, result="BUSY"))
    assert desk.state.item.stage is ItemStage.LINE_GONE


def test_the_dialler_lost_resets_the_desktop_and_leaves_the_telephone_alone():
    desk = working()
    desk.command(c.SaveDraft(notes="pays on Friday"))
    lost(desk)
    assert desk.reset == "dialler-lost"
    assert desk.state.phase is Phase.ACTIVE
    assert desk.state.item is None
    assert desk.state.left_item is not None
    assert desk.state.left_item.draft.notes == "pays on Friday", "what was typed is lost"
    assert desk.state.dialler_queued, "the way back was not begun"


def test_a_logon_after_a_loss_says_so_because_the_dialler_may_still_hold_the_name():
    said = []
    for desk in (Desk(dialler=True).log_in(), working()):
        if desk.state.dialler.stage is DiallerStage.WORKING:
            lost(desk)
        desk.give(f.TurnGiven(session=SESSION, side=Side.DIALLER))
        asks = [each.ask for each in desk.latest if isinstance(each, AskDialler)]
        said += [ask.after_loss for ask in asks if isinstance(ask, LogOnDialler)]
    assert said == [False, True]


def test_after_a_short_loss_the_agent_takes_items_again_in_the_same_job():
    desk = working()
    lost(desk)
    desk.log_on()
    assert desk.asked() == ["JoinJob"]
    desk.join()
    assert desk.asked() == ["TakeItems"]


def test_after_a_long_loss_the_agent_is_in_the_job_but_takes_nothing():
    desk = working()
    lost(desk)
    desk.now_s += 31
    desk.log_on().join()
    assert desk.asked() == []
    assert desk.state.dialler.stage is DiallerStage.JOINED


def test_when_no_dialler_is_up_the_session_waits_for_one():
    desk = Desk(dialler=True, job=JOB).log_in()
    desk.give(f.TurnGiven(session=SESSION, side=Side.DIALLER))
    refused(desk, "log-on-dialler", "dialler.none-up")
    assert desk.state.dialler.stage is DiallerStage.WAITING
    assert desk.state.dialler.trouble == "dialler.none-up"
    desk.give(f.DiallerUp(link=DIALLER))
    assert desk.state.dialler_queued


def test_a_wrong_dialler_password_at_the_first_login_ends_the_session_in_good_order():
    desk = Desk(dialler=True, job=JOB).log_in()
    desk.give(f.TurnGiven(session=SESSION, side=Side.DIALLER))
    refused(desk, "log-on-dialler", "dialler.wrong-password", fatal=True)
    assert desk.asked() == ["LogOutAgent"]
    desk.done("log-out-agent")
    assert desk.closed == "dialler.wrong-password"
    assert desk.state.close_detail == "E00000"


def test_a_job_that_cannot_be_joined_is_said_and_the_agent_chooses_another():
    desk = Desk(dialler=True, job="GONE").log_in().log_on()
    refused(desk, "join-job", "dialler.no-such-job")
    assert desk.state.dialler.stage is DiallerStage.LOGGED_ON
    assert desk.state.dialler.trouble == "dialler.no-such-job"
    assert desk.open == []


def test_a_linked_job_is_joined_and_items_are_taken_on():
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.command(c.TakeItems())
    desk.done("take-items")
    desk.give(f.JobEnding(session=SESSION, why="linked", next_job=JobName("SUMMER25")))
    assert desk.asked() == []
    desk.give(f.JobLeft(session=SESSION, why="linked", next_job=JobName("SUMMER25")))
    assert desk.asked() == ["JoinJob"]
    assert desk.state.dialler.take_items


def test_a_job_that_ends_leaves_the_agent_to_choose_another():
    desk = working()
    desk.give(f.JobEnding(session=SESSION, why="ended"))
    assert desk.state.item is not None, "an open record is finished first"
    desk.give(f.ItemFinished(session=SESSION), f.JobLeft(session=SESSION, why="ended"))
    assert desk.state.dialler.wanted_job is None
    assert desk.state.dialler.stage is DiallerStage.LOGGED_ON


def test_while_the_telephone_cannot_be_seen_no_new_item_is_taken_but_the_open_one_stays():
    desk = working()
    desk.give(f.TelephonyDown(link=AES, reason="silent"))
    assert desk.state.item is not None
    desk.give(f.ItemFinished(session=SESSION))
    assert desk.asked() == ["LeaveJob"]
    desk.give(f.JobLeft(session=SESSION, why="asked"))
    assert desk.asked() == []
    assert desk.state.dialler.wanted_job == JOB


def test_a_broken_headset_stops_new_items_until_it_is_back():
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.give(f.HeadsetBroke(session=SESSION))
    assert desk.command(c.TakeItems()).error == "headset-broken"
    desk.command(c.ReconnectHeadset())
    desk.give(f.HeadsetConnected(session=SESSION))
    assert desk.state.dialler.headset is HeadsetState.CONNECTED


def test_log_out_leaves_the_job_then_the_dialler_then_the_switch():
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.command(c.LogOut())
    assert desk.asked() == ["LogOffDialler"]
    desk.give(f.DiallerLoggedOff(session=SESSION))
    assert desk.asked() == ["LogOutAgent"]
    desk.done("log-out-agent")
    assert desk.closed == "agent"


def test_log_out_during_an_item_waits_for_its_end():
    desk = working()
    desk.command(c.LogOut())
    assert desk.asked() == []
    desk.give(f.ItemFinished(session=SESSION))
    assert "LogOffDialler" in desk.asked()
