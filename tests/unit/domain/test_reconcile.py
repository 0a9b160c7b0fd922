from __future__ import annotations

import itertools

import pytest
from msgspec.structs import replace
from tests.unit.domain.desk import SESSION, Desk

from unified_agent.domain.call import Call
from unified_agent.domain.facts import CallSeen, StationSnapshot
from unified_agent.domain.ids import AgentId, CallId, RequestId
from unified_agent.domain.reconcile import Verdict, calls_accounted_for, judge, mode_to_restore
from unified_agent.domain.session_state import SessionState
from unified_agent.domain.states import LegState, Presence, SwitchMode


def state(*, wanted: SwitchMode = SwitchMode.READY, verified: bool = True, absent: bool = False) -> SessionState:
    base = Desk().log_in().state
    telephony = replace(base.telephony, wanted=wanted, verified=verified)
    return replace(base, telephony=telephony, presence=Presence.ABSENT if absent else Presence.CONNECTED)


def seen(agent: str | None, mode: SwitchMode, *, on_call: bool = False, talking: bool = False) -> StationSnapshot:
    calls = (CallSeen(call=CallId("1"), state=LegState.ACTIVE),) if on_call else ()
    found = AgentId(agent) if agent else None
    return StationSnapshot(session=SESSION, request=RequestId(1), calls=calls, agent=found, mode=mode, talking=talking)


@pytest.mark.parametrize(
    ("snapshot", "verified", "verdict"),
    [
        (seen(None, SwitchMode.LOGGED_OUT), True, Verdict.LOG_IN),
        (seen(None, SwitchMode.UNKNOWN), False, Verdict.LOG_IN),
        (seen("5001", SwitchMode.LOGGED_OUT), False, Verdict.LOG_IN),
        (seen("5009", SwitchMode.READY), True, Verdict.TAKEN),
        (seen("5009", SwitchMode.READY), False, Verdict.TAKEN),
        (seen("5001", SwitchMode.READY), True, Verdict.TAKE_OVER),
        (seen("5001", SwitchMode.READY, on_call=True), True, Verdict.TAKE_OVER),
        (seen("5001", SwitchMode.NOT_READY), False, Verdict.PROVE),
        (seen("5001", SwitchMode.READY, on_call=True), False, Verdict.ON_A_CALL),
        (seen("5001", SwitchMode.READY, talking=True), False, Verdict.ON_A_CALL),
    ],
)
def test_every_verdict_on_the_agent_found_at_a_station(snapshot: StationSnapshot, verified: bool, verdict: Verdict):
    assert judge(state(verified=verified), snapshot) is verdict


def test_a_call_that_went_unseen_is_not_accounted_for():
    one, two = Call(id=CallId("1"), state=LegState.ACTIVE), Call(id=CallId("2"), state=LegState.HELD)
    assert calls_accounted_for((), (one,))
    assert calls_accounted_for((one,), (two, one))
    assert not calls_accounted_for((one, two), (one,))


@pytest.mark.parametrize(
    ("wanted", "found", "outage_s", "accounted", "absent"),
    list(
        itertools.product(
            [SwitchMode.READY, SwitchMode.NOT_READY],
            [SwitchMode.READY, SwitchMode.NOT_READY, SwitchMode.WRAP_UP],
            [1.0, 30.0],
            [True, False],
            [True, False],
        )
    ),
)
def test_nobody_is_ready_after_a_loss_who_should_not_be_and_who_should_is(
    wanted: SwitchMode, found: SwitchMode, outage_s: float, accounted: bool, absent: bool
):
    before = state(wanted=wanted, absent=absent)
    restore = mode_to_restore(before, found=found, outage_s=outage_s, accounted=accounted)
    after = restore[0] if restore is not None else found
    should_be_ready = wanted is SwitchMode.READY and outage_s < 30 and accounted and not absent
    assert (after is SwitchMode.READY) == should_be_ready
    if restore is not None:
        assert restore[0] is not found, "what is so already is not asked for"
        assert (restore[1] == "") == should_be_ready, "a change against the agent's wish says why"
