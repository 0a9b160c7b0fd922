"""Joining a job, leaving it, and being taken out of it."""

from __future__ import annotations

import pytest
from tests.unit.links.dialler.flow_bench import CALL, FIELDS, SESSION, SPRING, FlowBench

from unified_agent.domain.commands import FinishItem, JoinJob, LeaveJob, PauseItems, RefreshJobs, TakeItems
from unified_agent.domain.facts import (
    DiallerLost,
    ItemArrived,
    ItemFinished,
    JobEnding,
    JobJoined,
    JobLeft,
    JobsListed,
    RequestDone,
    RequestRefused,
    RequestUnknown,
)
from unified_agent.domain.ids import JobName
from unified_agent.domain.job import CompletionKey, Job
from unified_agent.links.dialler.actions import End
from unified_agent.links.dialler.job_flow import ENDING_WAIT_S, HEADSET_WAIT_S, QUEUED_WAIT_S, STARTING_WAITS_S
from unified_agent.links.dialler.seat import Place
from unified_agent.wire.apc import events
from unified_agent.wire.apc.commands import Command


def refusal(bench: FlowBench, request: int) -> RequestRefused:
    (answer,) = bench.answers(request)  # type: ignore[arg-type]
    assert isinstance(answer, RequestRefused)
    return answer


def test_joining_sets_class_key_and_the_fields_the_list_has_then_becomes_available():
    bench = FlowBench().log_on()
    bench.sent.clear()
    request = bench.ask(JoinJob(job=SPRING))
    bench.answer_join()

    assert bench.sent == [
        (Command.SET_WORK_CLASS, ("O",)),
        (Command.ATTACH_JOB, ("SPRING25",)),
        (Command.LIST_KEYS, ()),
        (Command.LIST_DATA_FIELDS, ("O",)),
        (Command.SET_NOTIFY_KEY_FIELD, ("O", "ACCTNUM")),
        (Command.SET_DATA_FIELD, ("O", "BAL")),
        (Command.SET_DATA_FIELD, ("O", "PAYDAY")),
        (Command.AVAIL_WORK, ()),
    ]
    assert bench.steps()[-3:] == ["attaching", "reading-fields", "becoming-available"]
    assert bench.news() == [
        JobJoined(
            session=SESSION,
            request=request,
            job=SPRING,
            keys=(CompletionKey(code="19", text="Recall release"), CompletionKey(code="20", text="Promise to pay")),
        )
    ]
    assert [note.event for note in bench.notes] == ["dialler_field_missing"]


@pytest.mark.parametrize(
    ("job", "letter", "lists"),
    [("Spring", "O", ["O"]), ("CAREBLD", "B", ["I", "O"]), ("PREVW01", "M", ["O"]), ("HELP", "I", ["I"])],
)
def test_class_and_lists_follow_from_the_type_of_the_job(job: str, letter: str, lists: list[str]):
    bench = FlowBench().log_on()
    bench.ask(JoinJob(job=JobName(job)))
    bench.answer_join()
    assert (Command.SET_WORK_CLASS, (letter,)) in bench.sent
    assert [segments[0] for command, segments in bench.sent if command is Command.LIST_DATA_FIELDS] == lists


def test_a_job_not_on_the_list_is_looked_up_once_more_before_it_is_refused():
    bench = FlowBench().log_on()
    request = bench.ask(JoinJob(job=JobName("NEW01")))
    bench.ok(Command.LIST_JOBS, "O,NEW01,A")
    bench.answer_join()
    assert isinstance(bench.answers(request)[0], JobJoined)

    bench = FlowBench().log_on()
    request = bench.ask(JoinJob(job=JobName("NEW01")))
    bench.ok(Command.LIST_JOBS, "O,SPRING25,A")
    assert refusal(bench, request).id == "dialler.no-such-job"


@pytest.mark.parametrize(
    ("code", "expected"),
    [("E28804", "dialler.job-not-running"), ("E58021", "dialler.wrong-tenant"), ("E29206", "dialler.unusable")],
)
def test_a_job_that_cannot_be_attached_leaves_the_agent_logged_on(code: str, expected: str):
    bench = FlowBench().log_on()
    request = bench.ask(JoinJob(job=SPRING))
    bench.ok(Command.SET_WORK_CLASS)
    bench.no(Command.ATTACH_JOB, code)
    bench.no(Command.DETACH_JOB, "E28913")
    assert refusal(bench, request).id == expected
    assert bench.ended is None
    assert bench.flow.seat.place is Place.LOGGED_ON


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("E28813", "dialler.job-full"),
        ("E28816", "dialler.wrong-class"),
        ("E29000", "dialler.wrong-class"),
        ("E28896", "dialler.headset-broken"),
        ("E28898", "dialler.job-not-running"),
        ("E70006", "dialler.unit-needed"),
        ("E28946", "dialler.refused"),
    ],
)
def test_a_job_that_does_not_take_the_agent_is_detached_before_the_refusal(code: str, expected: str):
    bench = FlowBench().log_on()
    request = bench.ask(JoinJob(job=SPRING))
    _answer_until_avail(bench)
    bench.no(Command.AVAIL_WORK, code)
    assert bench.answers(request) == []
    bench.ok(Command.DETACH_JOB)
    assert refusal(bench, request).id == expected


def _answer_until_avail(bench: FlowBench) -> None:
    while bench.waiting[0].command is not Command.AVAIL_WORK:
        command = bench.waiting[0].command
        bench.ok(command, *(FIELDS if command is Command.LIST_DATA_FIELDS else ()))


def test_a_job_that_does_not_dial_yet_is_asked_again_for_half_a_minute():
    bench = FlowBench().log_on()
    request = bench.ask(JoinJob(job=SPRING))
    _answer_until_avail(bench)
    for wait_s in STARTING_WAITS_S:
        bench.no(Command.AVAIL_WORK, "E28805")
        bench.wait(wait_s)
    bench.no(Command.AVAIL_WORK, "E28805")
    bench.ok(Command.DETACH_JOB)
    assert refusal(bench, request).id == "dialler.job-not-running"


def test_an_unusable_dialler_is_held_off_and_kept_when_there_is_no_other():
    bench = FlowBench().log_on()
    request = bench.ask(JoinJob(job=SPRING))
    _answer_until_avail(bench)
    bench.no(Command.AVAIL_WORK, "E29952")
    bench.ok(Command.DETACH_JOB)
    assert refusal(bench, request).id == "dialler.unusable"
    assert [each.code for each in bench.hold_offs] == ["E29952"]
    assert bench.ended is None


def test_an_unusable_dialler_is_left_in_good_order_for_another():
    bench = FlowBench().log_on()
    bench.flow.has_alternative = True
    request = bench.ask(JoinJob(job=SPRING))
    _answer_until_avail(bench)
    bench.no(Command.AVAIL_WORK, "E29952")
    for command in (Command.DETACH_JOB, Command.DISCONN_HEADSET, Command.FREE_HEADSET, Command.LOGOFF):
        bench.ok(command)
    assert bench.ended is not None
    assert (bench.ended.end, bench.ended.logged_on) == (End.UNUSABLE, True)
    # the loss comes first: a refusal would make the session give the job up
    assert [type(each) for each in bench.news()] == [DiallerLost, RequestUnknown]
    assert [type(each) for each in bench.answers(request)] == [RequestUnknown]


def test_a_step_of_joining_without_an_answer_is_undone():
    bench = FlowBench().log_on()
    request = bench.ask(JoinJob(job=SPRING))
    _answer_until_avail(bench)
    bench.time_out(Command.AVAIL_WORK)
    bench.no(Command.DETACH_JOB, "E28914")  # so it had happened
    bench.ok(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    assert refusal(bench, request).id == "dialler.no-answer"


def test_a_dialler_that_does_not_let_go_of_a_job_is_left():
    bench = FlowBench().log_on()
    request = bench.ask(JoinJob(job=SPRING))
    _answer_until_avail(bench)
    bench.no(Command.AVAIL_WORK, "E28813")
    for _ in range(3):
        bench.no(Command.DETACH_JOB, "E28914")
        bench.wait(ENDING_WAIT_S)
    assert next(each for each in bench.news() if isinstance(each, DiallerLost)).reason == "out-of-step"
    assert [type(each) for each in bench.answers(request)] == [RequestUnknown]


def test_a_job_attached_already_is_detached_and_attached_again():
    bench = FlowBench().log_on()
    request = bench.ask(JoinJob(job=SPRING))
    bench.ok(Command.SET_WORK_CLASS)
    bench.no(Command.ATTACH_JOB, "E28889")
    bench.ok(Command.DETACH_JOB)
    bench.answer_join()
    assert isinstance(bench.answers(request)[0], JobJoined)


def test_lists_and_keys_a_job_does_not_have_are_no_obstacle():
    bench = FlowBench().log_on()
    request = bench.ask(JoinJob(job=JobName("CAREBLD")))
    bench.ok(Command.SET_WORK_CLASS)
    bench.ok(Command.ATTACH_JOB)
    bench.no(Command.LIST_KEYS, "E00518")
    bench.no(Command.LIST_DATA_FIELDS, "E28892")
    bench.ok(Command.LIST_DATA_FIELDS, *FIELDS)
    bench.no(Command.SET_NOTIFY_KEY_FIELD, "E28894")
    bench.answer_join()
    assert isinstance(bench.answers(request)[0], JobJoined)


@pytest.mark.parametrize(
    ("command", "values"),
    [(Command.LIST_KEYS, ("xx,Promise,call_complete",)), (Command.LIST_DATA_FIELDS, ("ACCTNUM",))],
)
def test_an_answer_that_makes_no_sense_refuses_the_join(command: Command, values: tuple[str, ...]):
    bench = FlowBench().log_on()
    request = bench.ask(JoinJob(job=SPRING))
    while bench.waiting[0].command is not command:
        bench.ok(bench.waiting[0].command)
    bench.ok(command, *values)
    bench.ok(Command.DETACH_JOB)
    assert isinstance(bench.answers(request)[0], RequestRefused)


def test_joining_twice_or_in_a_job_is_refused():
    bench = FlowBench().log_on()
    bench.ask(JoinJob(job=SPRING))
    second = bench.ask(JoinJob(job=JobName("HELP")))
    assert refusal(bench, second).id == "dialler.busy"
    bench.answer_join()
    third = bench.ask(JoinJob(job=JobName("HELP")))
    assert refusal(bench, third).id == "dialler.already-in-job"


# --- leaving


def test_leaving_reports_the_job_left_before_the_answer():
    bench = FlowBench().join()
    request = bench.ask(LeaveJob())
    bench.ok(Command.NO_FURTHER_WORK)
    assert bench.answers(request) == []
    bench.ok(Command.DETACH_JOB)
    assert bench.news() == [JobLeft(session=SESSION, why="asked"), RequestDone(session=SESSION, request=request)]
    assert bench.flow.seat.place is Place.LOGGED_ON


def test_one_more_call_may_come_after_no_further_work():
    bench = FlowBench().ready()
    request = bench.ask(LeaveJob())
    bench.event(CALL)
    assert isinstance(bench.news()[0], ItemArrived)
    bench.wait(60.0)  # never bounded
    bench.ask(FinishItem(code="20"))
    bench.ok(Command.FINISHED_ITEM)
    bench.ok(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    assert [type(each) for each in bench.news()] == [ItemFinished, RequestDone, JobLeft, RequestDone]
    assert [type(each) for each in bench.answers(request)] == [RequestDone]


def test_leaving_with_an_open_record_waits_for_its_end():
    bench = FlowBench().on_call()
    request = bench.ask(LeaveJob())
    assert bench.sent[-1] == (Command.NO_FURTHER_WORK, ())
    bench.ask(FinishItem(code="20"))
    bench.ok(Command.FINISHED_ITEM)
    bench.ok(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    assert isinstance(bench.answers(request)[0], RequestDone)


def test_the_last_agent_of_a_job_asks_for_the_calls_still_queued():
    bench = FlowBench().join()
    request = bench.ask(LeaveJob())
    bench.wait(QUEUED_WAIT_S)
    bench.ok(Command.READY_NEXT_ITEM)
    bench.event(CALL)
    bench.ask(FinishItem(code="20"))
    bench.ok(Command.FINISHED_ITEM)
    bench.wait(QUEUED_WAIT_S)
    bench.no(Command.READY_NEXT_ITEM, "E28904")  # the queue is empty
    bench.wait(60.0)
    assert bench.sent[-1] == (Command.READY_NEXT_ITEM, ())
    bench.ok(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    assert isinstance(bench.answers(request)[0], RequestDone)


def test_a_broken_headset_makes_the_queued_calls_wait_and_not_be_forgotten():
    bench = FlowBench().join()
    bench.ask(LeaveJob())
    bench.wait(QUEUED_WAIT_S)
    bench.no(Command.READY_NEXT_ITEM, "E28896")
    bench.wait(HEADSET_WAIT_S)
    bench.no(Command.READY_NEXT_ITEM, "E28896")
    bench.wait(HEADSET_WAIT_S)
    bench.ok(Command.READY_NEXT_ITEM)
    bench.event(CALL)
    assert isinstance(bench.news()[-1], ItemArrived)


def test_leaving_during_an_own_recall_is_refused_and_the_agent_stays():
    bench = FlowBench().on_call()
    request = bench.ask(LeaveJob())
    bench.no(Command.NO_FURTHER_WORK, "E28967")
    assert refusal(bench, request).id == "dialler.own-recall"
    assert bench.flow.seat.leaving is None
    again = bench.ask(LeaveJob())
    bench.ask(FinishItem(code="20"))
    bench.ok(Command.FINISHED_ITEM)
    bench.ok(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    assert isinstance(bench.answers(again)[0], RequestDone)


@pytest.mark.parametrize("code", ["E28917", "E28918"])
def test_leaving_goes_on_when_there_is_no_work_to_end(code: str):
    bench = FlowBench().join()
    request = bench.ask(LeaveJob())
    bench.no(Command.NO_FURTHER_WORK, code)
    bench.no(Command.DETACH_JOB, "E28913")
    assert isinstance(bench.answers(request)[0], RequestDone)


def test_detaching_waits_while_the_dialler_says_that_leaving_runs():
    bench = FlowBench().join()
    bench.ask(LeaveJob())
    bench.ok(Command.NO_FURTHER_WORK)
    bench.no(Command.DETACH_JOB, "E28915")
    bench.unasked(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    assert isinstance(bench.news()[0], JobLeft)


def test_a_job_that_cannot_be_left_at_all_ends_the_connection():
    bench = FlowBench().join()
    bench.ask(LeaveJob())
    bench.ok(Command.NO_FURTHER_WORK)
    while bench.ended is None:
        bench.no(Command.DETACH_JOB, "E28900")
        bench.wait(1.0)
    assert bench.ended.reason == "out-of-step"


def test_a_second_leave_is_answered_with_the_first():
    bench = FlowBench().join()
    first, second = bench.ask(LeaveJob()), bench.ask(LeaveJob())
    bench.ok(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    assert [type(each) for each in (*bench.answers(first), *bench.answers(second))] == [RequestDone, RequestDone]


def test_leaving_while_joining_happens_right_after():
    bench = FlowBench().log_on()
    join = bench.ask(JoinJob(job=SPRING))
    leave = bench.ask(LeaveJob())
    bench.answer_join()
    assert isinstance(bench.answers(join)[0], JobJoined)
    assert isinstance(bench.answers(leave)[0], RequestDone)
    assert [type(each) for each in bench.news()] == [JobJoined, JobLeft, RequestDone]


def test_leaving_while_a_join_fails_is_answered():
    bench = FlowBench().log_on()
    bench.ask(JoinJob(job=JobName("NEW01")))
    leave = bench.ask(LeaveJob())
    bench.ok(Command.LIST_JOBS)
    assert [type(each) for each in bench.answers(leave)] == [RequestDone]


def test_leaving_without_a_job_says_that_it_is_left():
    bench = FlowBench().log_on()
    bench.ask(LeaveJob())
    assert [type(each) for each in bench.news()] == [JobLeft, RequestDone]


def test_asks_for_items_while_leaving_are_refused():
    bench = FlowBench().join()
    bench.ask(LeaveJob())
    assert refusal(bench, bench.ask(TakeItems())).id == "dialler.leaving-job"
    assert refusal(bench, bench.ask(JoinJob(job=SPRING))).id == "dialler.leaving-job"


# --- pausing


def test_pausing_while_ready_leaves_the_job_and_joins_it_again():
    bench = FlowBench().ready()
    request = bench.ask(PauseItems())
    bench.ok(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    bench.answer_join()
    (answer,) = bench.answers(request)
    assert isinstance(answer, JobJoined)
    assert bench.flow.seat.place is Place.AVAILABLE
    assert not any(isinstance(each, JobLeft) for each in bench.told)


def test_pausing_when_not_ready_needs_nothing():
    bench = FlowBench().on_call()
    request = bench.ask(PauseItems())
    assert isinstance(bench.answers(request)[0], RequestDone)
    bench = FlowBench().log_on()
    assert refusal(bench, bench.ask(PauseItems())).id == "dialler.not-in-job"


def test_pausing_that_cannot_join_again_says_that_the_job_is_left():
    bench = FlowBench().ready()
    request = bench.ask(PauseItems())
    bench.ok(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    bench.ok(Command.SET_WORK_CLASS)
    bench.no(Command.ATTACH_JOB, "E28804")
    bench.ok(Command.DETACH_JOB)
    assert refusal(bench, request).id == "dialler.job-not-running"
    assert bench.news()[-1] == JobLeft(session=SESSION, why="asked")


def test_leaving_while_pausing_leaves_for_good():
    bench = FlowBench().ready()
    pause = bench.ask(PauseItems())
    leave = bench.ask(LeaveJob())
    bench.ok(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    assert [type(each) for each in bench.news()] == [JobLeft, RequestDone, RequestDone]
    assert bench.answers(pause)
    assert bench.answers(leave)


def test_a_job_that_ends_while_pausing_is_not_joined_again():
    bench = FlowBench().ready()
    request = bench.ask(PauseItems())
    bench.event(events.JobEnded())
    bench.ok(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    assert bench.news()[-2:] == [JobLeft(session=SESSION, why="ended"), RequestDone(session=SESSION, request=request)]


def test_a_job_that_ends_while_being_joined_again_answers_the_pause_all_the_same():
    bench = FlowBench().ready()
    request = bench.ask(PauseItems())
    bench.ok(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    bench.event(events.JobEnded())
    leave = bench.ask(LeaveJob())
    bench.answer_join()
    bench.unasked(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    assert isinstance(bench.answers(request)[0], JobJoined)
    assert isinstance(bench.answers(leave)[0], RequestDone)
    assert [type(each) for each in bench.news()] == [JobJoined, JobEnding, JobLeft, RequestDone]


# --- the dialler ends it

_ENDINGS = [
    (events.JobEnded(), "ended", None),
    (events.UnitEnded(), "no-records", None),
    (events.JobLinked(job="SPRING25"), "linked", SPRING),
    (events.JobTransferRequested(job="CAREBLD"), "moved", JobName("CAREBLD")),
]


@pytest.mark.parametrize(("event", "why", "next_job"), _ENDINGS)
def test_an_idle_agent_leaves_when_the_answer_of_no_further_work_comes(
    event: events.Event, why: str, next_job: JobName | None
):
    bench = FlowBench().ready()
    bench.event(event)
    assert bench.news() == [JobEnding(session=SESSION, why=why, next_job=next_job)]
    assert not bench.waiting
    bench.unasked(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    assert bench.news() == [JobLeft(session=SESSION, why=why, next_job=next_job)]
    assert Command.NO_FURTHER_WORK not in [command for command, _ in bench.sent]


@pytest.mark.parametrize(("event", "why", "next_job"), _ENDINGS)
def test_an_open_record_is_finished_before_the_job_is_left(event: events.Event, why: str, next_job: JobName | None):
    bench = FlowBench().on_call()
    bench.event(event)
    bench.wait(60.0)
    assert not bench.waiting
    bench.ask(FinishItem(code="20"))
    bench.ok(Command.FINISHED_ITEM)
    bench.unasked(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    assert bench.news()[-1] == JobLeft(session=SESSION, why=why, next_job=next_job)


def test_without_any_answer_detaching_is_tried_after_a_moment():
    bench = FlowBench().ready()
    bench.event(events.JobEnded())
    bench.wait(ENDING_WAIT_S)
    bench.ok(Command.DETACH_JOB)
    assert bench.news()[-1] == JobLeft(session=SESSION, why="ended")


def test_a_dialler_that_did_not_run_no_further_work_is_asked_to():
    bench = FlowBench().ready()
    bench.event(events.JobEnded())
    bench.wait(ENDING_WAIT_S)
    bench.no(Command.DETACH_JOB, "E28914")
    bench.ok(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    assert bench.news()[-1] == JobLeft(session=SESSION, why="ended")


def test_a_call_on_its_way_while_the_job_ends_is_worked_first():
    bench = FlowBench().ready()
    bench.event(events.JobEnded())
    bench.event(CALL)
    bench.wait(ENDING_WAIT_S)
    bench.no(Command.DETACH_JOB, "E28914")
    bench.ask(FinishItem(code="20"))
    bench.ok(Command.FINISHED_ITEM)
    bench.ok(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    assert bench.news()[-1] == JobLeft(session=SESSION, why="ended")


def test_no_further_work_out_of_the_blue_takes_the_agent_out_of_the_job():
    bench = FlowBench().ready()
    bench.unasked(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    assert [type(each) for each in bench.news()] == [JobEnding, JobLeft]


def test_a_job_that_ends_while_being_left_is_left_once():
    bench = FlowBench().ready()
    request = bench.ask(LeaveJob())
    bench.event(events.JobLinked(job="HELP"))
    bench.ok(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    assert bench.news()[1:] == [
        JobLeft(session=SESSION, why="linked", next_job=JobName("HELP")),
        RequestDone(session=SESSION, request=request),
    ]


def test_a_job_that_ends_while_being_joined_is_left_right_after():
    bench = FlowBench().log_on()
    bench.ask(JoinJob(job=SPRING))
    bench.event(events.JobEnded())
    bench.answer_join()
    bench.unasked(Command.NO_FURTHER_WORK)
    bench.ok(Command.DETACH_JOB)
    assert [type(each) for each in bench.news()] == [JobJoined, JobEnding, JobLeft]


def test_an_ending_without_a_job_means_nothing():
    bench = FlowBench().log_on()
    bench.event(events.JobEnded())
    assert bench.news() == []


# --- the list


def test_the_list_of_jobs_can_be_asked_for_again():
    bench = FlowBench().log_on()
    request = bench.ask(RefreshJobs())
    bench.ok(Command.LIST_JOBS, "O,SPRING25,I")
    job = Job(name=SPRING, kind="outbound", active=False)
    assert bench.news() == [JobsListed(session=SESSION, jobs=(job,)), RequestDone(session=SESSION, request=request)]

    request = bench.ask(RefreshJobs())
    bench.no(Command.LIST_JOBS, "E28884")
    assert refusal(bench, request).id == "dialler.unusable"
