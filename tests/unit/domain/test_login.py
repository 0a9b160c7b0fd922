from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.unit.domain.desk import JOB, Desk

from unified_agent.domain.login import StepState, login_steps
from unified_agent.domain.states import DiallerStage, TelephonyStage

ORDER = ["link", "turn", "station", "state", "agent"]


@pytest.mark.parametrize(
    ("stage", "at"),
    [
        (TelephonyStage.WAITING, 0),
        (TelephonyStage.QUEUED, 1),
        (TelephonyStage.OBSERVING, 2),
        (TelephonyStage.CHECKING, 3),
        (TelephonyStage.LOGGING_IN, 4),
        (TelephonyStage.UP, 5),
        (TelephonyStage.LOGGING_OUT, 5),
        (TelephonyStage.OUT, 5),
    ],
)
def test_steps_before_are_done_and_steps_after_are_to_do(stage: TelephonyStage, at: int):
    state = Desk().state
    steps = login_steps(replace(state, telephony=replace(state.telephony, stage=stage)))
    assert [each.name for each in steps] == ORDER
    for index, each in enumerate(steps):
        wanted = StepState.DONE if index < at else StepState.UNDER_WAY if index == at else StepState.TO_DO
        assert each.state is wanted


def test_a_refusal_is_a_failed_step():
    state = Desk().state
    steps = login_steps(replace(state, telephony=replace(state.telephony, stage=TelephonyStage.REFUSED)))
    assert steps[-1].state is StepState.FAILED


@pytest.mark.parametrize(
    ("stage", "dialler", "job"),
    [
        (DiallerStage.WAITING, StepState.UNDER_WAY, StepState.TO_DO),
        (DiallerStage.LOGGING_ON, StepState.UNDER_WAY, StepState.TO_DO),
        (DiallerStage.REFUSED, StepState.FAILED, StepState.TO_DO),
        (DiallerStage.LOGGED_ON, StepState.DONE, StepState.UNDER_WAY),
        (DiallerStage.JOINING, StepState.DONE, StepState.UNDER_WAY),
        (DiallerStage.JOINED, StepState.DONE, StepState.DONE),
        (DiallerStage.READY, StepState.DONE, StepState.DONE),
        (DiallerStage.WORKING, StepState.DONE, StepState.DONE),
        (DiallerStage.LEAVING, StepState.DONE, StepState.DONE),
        (DiallerStage.LOGGING_OFF, StepState.DONE, StepState.DONE),
        (DiallerStage.OFF, StepState.TO_DO, StepState.TO_DO),
    ],
)
def test_the_diallers_steps_in_every_stage(stage: DiallerStage, dialler: StepState, job: StepState):
    state = Desk(dialler=True, job=JOB).state
    steps = {each.name: each for each in login_steps(replace(state, dialler=replace(state.dialler, stage=stage)))}
    assert (steps["dialler"].state, steps["job"].state) == (dialler, job)


def test_what_the_dialler_is_doing_is_said_within_its_step():
    state = Desk(dialler=True, job=JOB).state
    dialler = replace(state.dialler, stage=DiallerStage.LOGGING_ON, step="ringing-headset")
    steps = {each.name: each for each in login_steps(replace(state, dialler=dialler))}
    assert steps["dialler"].doing == "ringing-headset"
    assert steps["job"].doing == ""


def test_an_agent_who_chose_no_job_is_not_kept_waiting_for_one():
    state = Desk(dialler=True).log_in().log_on().state
    assert [each.name for each in login_steps(state)] == [*ORDER, "dialler"]
