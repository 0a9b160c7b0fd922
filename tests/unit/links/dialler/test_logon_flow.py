"""Logging on and saying goodbye, step by step."""

from __future__ import annotations

import pytest
from tests.unit.links.dialler.flow_bench import DIALLER, LOGON, SESSION, SPRING, FlowBench

from unified_agent.domain.commands import FinishItem, LeaveJob, SendMessage, TakeItems
from unified_agent.domain.effects import LogOffDialler
from unified_agent.domain.facts import (
    DiallerLoggedOff,
    DiallerLoggedOn,
    HeadsetBroke,
    ItemFinished,
    RequestRefused,
    RequestUnknown,
)
from unified_agent.domain.job import Job
from unified_agent.links.dialler.actions import End
from unified_agent.links.dialler.logon_flow import SIGN_OFF_LIMIT_S
from unified_agent.settings import DiallerSettings
from unified_agent.wire.apc import events
from unified_agent.wire.apc.commands import Command
from unified_agent.wire.apc.events import LossReason


def test_logon_goes_from_the_greeting_to_the_job_list_and_tells_each_step():
    bench = FlowBench()
    assert bench.sent == []
    bench.event(events.Greeted(process_id="20817"))
    assert bench.sent == [(Command.LOGON, ("jsmith", "Pa55word", "PCAPI_5.1.0.0.4"))]
    bench.ok(Command.LOGON)
    bench.ok(Command.RESERVE_HEADSET)
    bench.ok(Command.CONN_HEADSET)
    bench.ok(Command.LIST_JOBS, "O,SPRING25,A", "M,PREVW01,I", "X,ODD,A")

    assert bench.sent[1:] == [
        (Command.RESERVE_HEADSET, ("52001",)),
        (Command.CONN_HEADSET, ()),
        (Command.LIST_JOBS, ("A",)),
    ]
    assert bench.steps() == ["connecting", "logging-on", "reserving-headset", "ringing-headset", "listing-jobs"]
    assert bench.news() == [
        DiallerLoggedOn(
            session=SESSION,
            request=LOGON,
            dialler=DIALLER,
            jobs=(
                Job(name=SPRING, kind="outbound", active=True),
                Job(name="PREVW01", kind="managed", active=False),  # type: ignore[arg-type]
                Job(name="ODD", kind="X", active=True),  # type: ignore[arg-type]
            ),
        )
    ]


def test_old_diallers_get_no_version():
    bench = FlowBench(DiallerSettings(name=DIALLER, host="old", version=""))
    bench.event(events.Greeted(process_id="1"))
    assert bench.sent == [(Command.LOGON, ("jsmith", "Pa55word"))]


def test_the_password_is_in_no_repr():
    bench = FlowBench()
    bench.event(events.Greeted(process_id="1"))
    assert "Pa55word" not in repr(bench.waiting)


@pytest.mark.parametrize(
    ("code", "refusal", "fatal", "end"),
    [
        ("E28926", "dialler.wrong-password", True, End.REFUSED),
        ("E70012", "dialler.password-expired", True, End.REFUSED),
        ("E28812", "dialler.logged-on-elsewhere", False, End.REFUSED),
        ("E58022", "dialler.wrong-tenant", True, End.REFUSED),
        ("E28925", "dialler.refused", False, End.REFUSED),
        ("E50100", "dialler.full", False, End.UNUSABLE),
    ],
)
def test_a_refused_name_ends_the_attempt_without_a_goodbye(code: str, refusal: str, fatal: bool, end: End):
    bench = FlowBench()
    bench.event(events.Greeted(process_id="1"))
    bench.no(Command.LOGON, code)
    assert bench.ended is not None
    assert bench.ended.refusal is not None
    assert (bench.ended.end, bench.ended.refusal.id, bench.ended.refusal.fatal) == (end, refusal, fatal)
    assert bench.ended.refusal.detail.startswith(code)
    assert not bench.ended.logged_on
    assert bench.waiting == type(bench.waiting)()
    assert bench.news() == []  # the answer is the pool's to give


@pytest.mark.parametrize(
    ("code", "refusal", "fatal", "end"),
    [
        ("E28923", "dialler.headset-in-use", False, End.REFUSED),
        ("E50611", "dialler.headset-in-use", False, End.REFUSED),
        ("E28871", "dialler.headset-unknown", True, End.REFUSED),
        ("E50612", "dialler.full", False, End.UNUSABLE),
        ("E50613", "dialler.unusable", False, End.UNUSABLE),
    ],
)
def test_a_refused_headset_logs_off_in_good_order(code: str, refusal: str, fatal: bool, end: End):
    bench = FlowBench()
    bench.event(events.Greeted(process_id="1"))
    bench.ok(Command.LOGON)
    bench.no(Command.RESERVE_HEADSET, code)
    assert bench.ended is None
    bench.ok(Command.LOGOFF)
    assert bench.ended is not None
    assert bench.ended.refusal is not None
    assert (bench.ended.end, bench.ended.refusal.id, bench.ended.refusal.fatal) == (end, refusal, fatal)


def test_a_headset_nobody_answers_is_freed_before_the_refusal():
    bench = FlowBench()
    bench.event(events.Greeted(process_id="1"))
    bench.ok(Command.LOGON)
    bench.ok(Command.RESERVE_HEADSET)
    bench.kill(Command.CONN_HEADSET)
    bench.ok(Command.FREE_HEADSET)
    bench.ok(Command.LOGOFF)
    assert bench.ended is not None
    assert bench.ended.refusal is not None
    assert bench.ended.refusal.id == "dialler.headset-not-answered"
    assert bench.ended.end is End.REFUSED


def test_a_headset_that_rings_too_long_counts_as_not_answered():
    bench = FlowBench()
    bench.event(events.Greeted(process_id="1"))
    bench.ok(Command.LOGON)
    bench.ok(Command.RESERVE_HEADSET)
    bench.time_out(Command.CONN_HEADSET)
    bench.ok(Command.FREE_HEADSET)
    bench.ok(Command.LOGOFF)
    assert bench.ended is not None
    assert bench.ended.refusal is not None
    assert bench.ended.refusal.id == "dialler.headset-not-answered"


def test_a_headset_connected_already_is_fine():
    bench = FlowBench()
    bench.event(events.Greeted(process_id="1"))
    bench.ok(Command.LOGON)
    bench.ok(Command.RESERVE_HEADSET)
    bench.no(Command.CONN_HEADSET, "E28872")
    bench.ok(Command.LIST_JOBS)
    assert isinstance(bench.news()[-1], DiallerLoggedOn)


def test_only_a_repeated_operator_monitor_error_makes_a_dialler_unusable():
    bench = FlowBench()
    bench.event(events.Greeted(process_id="1"))
    bench.ok(Command.LOGON)
    bench.no(Command.RESERVE_HEADSET, "E28850")
    bench.wait(1.0)
    bench.ok(Command.RESERVE_HEADSET)

    bench = FlowBench()
    bench.event(events.Greeted(process_id="1"))
    bench.ok(Command.LOGON)
    bench.no(Command.RESERVE_HEADSET, "E28850")
    bench.wait(1.0)
    bench.no(Command.RESERVE_HEADSET, "E28850")
    bench.ok(Command.LOGOFF)
    assert bench.ended is not None
    assert bench.ended.end is End.UNUSABLE


def test_a_stale_name_is_asked_for_again_after_2_4_8_seconds_until_the_limit():
    bench = FlowBench(after_loss=True)
    bench.event(events.Greeted(process_id="1"))
    asked_s = []
    while bench.ended is None:
        asked_s.append(bench.now_s - 1000.0)
        bench.no(Command.LOGON, "E28812")
        before = len(bench.sent)
        while bench.ended is None and len(bench.sent) == before:
            bench.wait(1.0)
    assert asked_s == [0.0, 2.0, 6.0, 14.0, 22.0, 30.0, 38.0, 46.0, 54.0]  # the next would pass 60 s
    assert bench.steps()[2:] == ["waiting-for-old-session"] * 8
    assert bench.ended.end is End.REFUSED


def test_a_stale_name_that_comes_free_is_taken():
    bench = FlowBench(after_loss=True)
    bench.event(events.Greeted(process_id="1"))
    bench.no(Command.LOGON, "E28812")
    bench.wait(2.0)
    bench.ok(Command.LOGON)
    bench.no(Command.RESERVE_HEADSET, "E28923")  # the old session's headset comes free a little later
    bench.wait(2.0)
    bench.ok(Command.RESERVE_HEADSET)
    bench.ok(Command.CONN_HEADSET)
    bench.ok(Command.LIST_JOBS)
    assert isinstance(bench.news()[-1], DiallerLoggedOn)


def test_a_job_list_that_makes_no_sense_ends_the_attempt_in_good_order():
    bench = FlowBench()
    bench.event(events.Greeted(process_id="1"))
    bench.ok(Command.LOGON)
    bench.ok(Command.RESERVE_HEADSET)
    bench.ok(Command.CONN_HEADSET)
    bench.ok(Command.LIST_JOBS, "nonsense")
    for command in (Command.DISCONN_HEADSET, Command.FREE_HEADSET, Command.LOGOFF):
        bench.ok(command)
    assert bench.ended is not None
    assert bench.ended.end is End.REFUSED


def test_a_job_list_the_dialler_cannot_read_makes_it_unusable():
    bench = FlowBench()
    bench.event(events.Greeted(process_id="1"))
    bench.ok(Command.LOGON)
    bench.ok(Command.RESERVE_HEADSET)
    bench.ok(Command.CONN_HEADSET)
    bench.no(Command.LIST_JOBS, "E28884")
    for command in (Command.DISCONN_HEADSET, Command.FREE_HEADSET, Command.LOGOFF):
        bench.ok(command)
    assert bench.ended is not None
    assert bench.ended.end is End.UNUSABLE


@pytest.mark.parametrize(
    ("reason", "code", "end"),
    [
        (LossReason.NO_GREETING, "", End.UNREACHABLE),
        (LossReason.GREETING_REFUSED, "E28858", End.UNUSABLE),
        (LossReason.CLOSED_BY_PEER, "", End.LOST),
        (LossReason.SILENT, "", End.LOST),
        (LossReason.PROTOCOL, "", End.LOST),
        (LossReason.SYSTEM_ERROR, "E28862", End.LOST),
        (LossReason.SYSTEM_ERROR, "E28921", End.SHUTTING_DOWN),
    ],
)
def test_a_connection_lost_before_logon_tells_the_pool_alone(reason: LossReason, code: str, end: End):
    bench = FlowBench()
    bench.lose(reason, code)
    assert bench.ended is not None
    assert bench.ended.end is end
    assert bench.news() == []


def test_a_connection_that_cannot_be_made_is_unreachable():
    bench = FlowBench()
    bench.flow.not_reached("nobody listens", bench.now_s)
    bench._take()
    assert bench.ended is not None
    assert bench.ended.end is End.UNREACHABLE


def test_a_logon_command_without_an_answer_is_a_lost_attempt():
    bench = FlowBench()
    bench.event(events.Greeted(process_id="1"))
    bench.time_out(Command.LOGON)
    assert bench.ended is not None
    assert bench.ended.end is End.LOST


def test_the_goodbye_of_a_failed_logon_is_bounded():
    bench = FlowBench()
    bench.event(events.Greeted(process_id="1"))
    bench.ok(Command.LOGON)
    bench.no(Command.RESERVE_HEADSET, "E28923")
    bench.wait(SIGN_OFF_LIMIT_S)
    assert bench.ended is not None
    assert bench.ended.end is End.REFUSED


def test_asks_before_the_logon_are_refused():
    bench = FlowBench()
    request = bench.ask(TakeItems())
    assert [type(each) for each in bench.answers(request)] == [RequestRefused]


def test_logging_off_during_the_logon_calls_it_off():
    bench = FlowBench()
    bench.event(events.Greeted(process_id="1"))
    bench.ok(Command.LOGON)
    bench.ask(LogOffDialler())
    assert [type(each) for each in bench.answers(LOGON)] == [RequestRefused]
    bench.ok(Command.LOGOFF)
    assert isinstance(bench.news()[-1], DiallerLoggedOff)


def test_logging_off_before_the_greeting_closes_at_once():
    bench = FlowBench()
    bench.ask(LogOffDialler())
    assert isinstance(bench.news()[-1], DiallerLoggedOff)
    assert bench.ended is not None
    assert bench.ended.end is End.LOGGED_OFF


def test_logging_off_during_the_goodbye_of_a_failed_logon_is_answered_as_such():
    bench = FlowBench()
    bench.event(events.Greeted(process_id="1"))
    bench.ok(Command.LOGON)
    bench.no(Command.RESERVE_HEADSET, "E28923")
    bench.ask(LogOffDialler())
    bench.ok(Command.LOGOFF)
    assert [type(each) for each in bench.news()] == [RequestRefused, DiallerLoggedOff]


def test_log_off_without_a_job_gives_headset_and_name_back():
    bench = FlowBench().log_on()
    bench.ask(LogOffDialler())
    for command in (Command.DISCONN_HEADSET, Command.FREE_HEADSET, Command.LOGOFF):
        bench.ok(command)
    assert bench.news() == [DiallerLoggedOff(session=SESSION)]
    assert bench.ended is not None
    assert (bench.ended.end, bench.ended.logged_on) == (End.LOGGED_OFF, True)


def test_log_off_from_ready_leaves_the_job_first():
    bench = FlowBench().ready()
    bench.ask(LogOffDialler())
    order = (
        Command.NO_FURTHER_WORK,
        Command.DETACH_JOB,
        Command.DISCONN_HEADSET,
        Command.FREE_HEADSET,
        Command.LOGOFF,
    )
    for command in order:
        bench.ok(command)
    assert bench.news() == [DiallerLoggedOff(session=SESSION)]


def test_log_off_goes_on_when_a_step_of_it_is_refused():
    bench = FlowBench().log_on()
    bench.ask(LogOffDialler())
    bench.no(Command.DISCONN_HEADSET, "E28876")
    bench.no(Command.FREE_HEADSET, "E28873")
    bench.ok(Command.LOGOFF)
    assert bench.news() == [DiallerLoggedOff(session=SESSION)]


def test_log_off_with_an_open_record_uses_the_code_the_session_gave_for_it():
    bench = FlowBench().on_call()
    finish = bench.ask(FinishItem(code="20"))
    bench.kill(Command.FINISHED_ITEM)
    assert isinstance(bench.answers(finish)[0], RequestRefused)
    bench.news()
    bench.ask(LogOffDialler())
    assert bench.sent[-1] == (Command.FINISHED_ITEM, ("20",))
    bench.ok(Command.FINISHED_ITEM)
    for command in (
        Command.NO_FURTHER_WORK,
        Command.DETACH_JOB,
        Command.DISCONN_HEADSET,
        Command.FREE_HEADSET,
        Command.LOGOFF,
    ):
        bench.ok(command)
    assert bench.news() == [ItemFinished(session=SESSION), DiallerLoggedOff(session=SESSION)]


def test_log_off_with_an_open_record_and_no_code_releases_the_customer_and_closes():
    bench = FlowBench().on_call()
    bench.ask(LogOffDialler())
    bench.ok(Command.RELEASE_LINE)
    assert Command.FINISHED_ITEM not in [command for command, _ in bench.sent]
    assert bench.ended is not None
    assert isinstance(bench.news()[-1], DiallerLoggedOff)


def test_log_off_waits_for_a_leave_that_is_under_way_and_answers_it():
    bench = FlowBench().ready()
    leave = bench.ask(LeaveJob())
    bench.ask(LogOffDialler())
    assert [command for command, _ in bench.sent].count(Command.NO_FURTHER_WORK) == 1
    bench.ok(Command.NO_FURTHER_WORK)
    for command in (Command.DETACH_JOB, Command.DISCONN_HEADSET, Command.FREE_HEADSET, Command.LOGOFF):
        bench.ok(command)
    assert isinstance(bench.news()[0], DiallerLoggedOff)
    assert [type(each) for each in bench.answers(leave)] == [RequestUnknown]


def test_log_off_is_bounded_when_the_dialler_does_not_answer():
    bench = FlowBench().ready()
    bench.ask(LogOffDialler())
    bench.wait(SIGN_OFF_LIMIT_S)
    assert bench.news() == [DiallerLoggedOff(session=SESSION)]
    assert bench.ended is not None


def test_a_connection_lost_while_logging_off_is_logged_off_all_the_same():
    bench = FlowBench().ready()
    bench.ask(LogOffDialler())
    bench.lose()
    assert bench.news() == [DiallerLoggedOff(session=SESSION)]


def test_asks_after_log_off_began_are_refused():
    bench = FlowBench().log_on()
    bench.ask(LogOffDialler())
    request = bench.ask(SendMessage(text="hello"))
    assert [type(each) for each in bench.answers(request)] == [RequestRefused]


def test_a_headset_that_broke_during_logon_is_told_after_it():
    bench = FlowBench()
    bench.event(events.Greeted(process_id="1"))
    bench.ok(Command.LOGON)
    bench.ok(Command.RESERVE_HEADSET)
    bench.ok(Command.CONN_HEADSET)
    bench.event(events.HeadsetBroken())
    bench.ok(Command.LIST_JOBS)
    assert [type(each) for each in bench.news()][-2:] == [DiallerLoggedOn, HeadsetBroke]
