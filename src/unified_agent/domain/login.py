"""The steps of logging in, and of the way back after a loss, as the desktop shows them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from unified_agent.domain.session_state import SessionState
from unified_agent.domain.states import ClaimStage, DiallerStage, TelephonyStage


class StepState(StrEnum):
    """How one step stands."""

    TO_DO = "to-do"
    UNDER_WAY = "under-way"
    DONE = "done"
    FAILED = "failed"


class LoginStep(Struct, frozen=True, kw_only=True):
    """One step.

    Attributes:
        name: ``claim`` while another instance may still have the agent; ``link``, ``turn``, ``station``, ``state``,
            ``agent`` at the switch; ``dialler``, ``job`` at the dialler.
        state: how it stands.
        doing: what is being done within it (the dialler's steps), or empty.
    """

    name: str
    state: StepState
    doing: str = ""


_TELEPHONY: Final = (
    ("link", TelephonyStage.WAITING),
    ("turn", TelephonyStage.QUEUED),
    ("station", TelephonyStage.OBSERVING),
    ("state", TelephonyStage.CHECKING),
    ("agent", TelephonyStage.LOGGING_IN),
)

_DIALLER_AT: Final = {
    DiallerStage.WAITING: 0,
    DiallerStage.REFUSED: 0,
    DiallerStage.LOGGING_ON: 0,
    DiallerStage.LOGGED_ON: 1,
    DiallerStage.JOINING: 1,
}


def login_steps(state: SessionState) -> tuple[LoginStep, ...]:
    """List the steps in the order they are gone, with how each stands. The dialler's are absent if unused."""
    steps = []
    awaited = state.claim.stage is ClaimStage.ASKED
    if awaited:
        steps.append(LoginStep(name="claim", state=StepState.UNDER_WAY, doing=state.claim.trouble))
    stage = state.telephony.stage
    order = [each for _, each in _TELEPHONY]
    failed = stage is TelephonyStage.REFUSED
    at = order.index(stage) if stage in order else (len(order) - 1 if failed else len(order))
    at = -1 if awaited else at
    for index, (name, _) in enumerate(_TELEPHONY):
        steps.append(LoginStep(name=name, state=_state(index, at, failed=failed and index == at)))
    if state.identity.dialler is None:
        return tuple(steps)
    dialler = state.dialler
    failed = dialler.stage is DiallerStage.REFUSED
    at = -1 if dialler.stage is DiallerStage.OFF else _DIALLER_AT.get(dialler.stage, 2)
    joining = dialler.stage is DiallerStage.LOGGED_ON and dialler.wanted_job is None
    names = ("dialler",) if joining else ("dialler", "job")
    for index, name in enumerate(names):
        doing = dialler.step if index == at else ""
        steps.append(LoginStep(name=name, state=_state(index, at, failed=failed and index == at), doing=doing))
    return tuple(steps)


def _state(index: int, at: int, *, failed: bool) -> StepState:
    if failed:
        return StepState.FAILED
    if index < at:
        return StepState.DONE
    return StepState.UNDER_WAY if index == at else StepState.TO_DO
