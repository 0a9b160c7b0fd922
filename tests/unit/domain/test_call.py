"""Every report in every state of the station's leg."""

from __future__ import annotations

import itertools

import pytest

from unified_agent.domain import facts as f
from unified_agent.domain.call import EXPECTED, Call, apply, find, from_snapshot, is_expected
from unified_agent.domain.ids import CallId, SessionId
from unified_agent.domain.limits import CALLS_PER_STATION
from unified_agent.domain.states import Direction, LegState

S = SessionId("s")
ONE, TWO = CallId("1"), CallId("2")
PARTY = f.PartySeen(number="3001")

REPORTS: dict[str, f.CallFact] = {
    "alerting": f.CallAlerting(session=S, call=ONE, number="3001", called="8000", queue="100", data="ACC", ucid="u"),
    "dialling": f.CallDialling(session=S, call=ONE, number="3001"),
    "established": f.CallEstablished(session=S, call=ONE, number="3001", incoming=True),
    "held": f.CallHeld(session=S, call=ONE),
    "held by them": f.CallHeld(session=S, call=ONE, number="3001"),
    "retrieved": f.CallRetrieved(session=S, call=ONE),
    "retrieved by them": f.CallRetrieved(session=S, call=ONE, number="3001"),
    "dropped": f.CallDropped(session=S, call=ONE, number="3001"),
    "ended": f.CallEnded(session=S, call=ONE),
    "failed": f.CallFailed(session=S, call=ONE, cause="busy"),
    "merged": f.CallsMerged(session=S, call=ONE, old=(TWO,), parties=(PARTY, f.PartySeen(number="3002"))),
}

#: What the own leg is after each report, by what it was; "same" where the report is about the other party, and "none"
#: where there is no call after it. A report begins a call that we did not know, unless it says too little of it.
AFTER: dict[str, dict[LegState | None, str]] = {
    "alerting": dict.fromkeys([None, *LegState], "alerting"),
    "dialling": dict.fromkeys([None, *LegState], "dialling"),
    "established": dict.fromkeys([None, *LegState], "active"),
    "held": {None: "none", **dict.fromkeys(LegState, "held")},
    "held by them": {None: "none", **dict.fromkeys(LegState, "same")},
    "retrieved": {None: "none", **dict.fromkeys(LegState, "active")},
    "retrieved by them": {None: "none", **dict.fromkeys(LegState, "same")},
    "dropped": {None: "none", **dict.fromkeys(LegState, "same"), LegState.CONFERENCED: "active"},
    "ended": dict.fromkeys([None, *LegState], "none"),
    "failed": dict.fromkeys([None, *LegState], "failed"),
    "merged": dict.fromkeys([None, *LegState], "conferenced"),
}


@pytest.mark.parametrize(("report", "leg"), list(itertools.product(REPORTS, [None, *LegState])))
def test_every_report_in_every_state(report: str, leg: LegState | None):
    before = () if leg is None else (Call(id=ONE, state=leg, parties=(PARTY,), since_s=1.0, state_since_s=1.0),)
    after = find(apply(before, REPORTS[report], 9.0), ONE)
    wanted = AFTER[report][leg]
    if wanted == "none":
        assert after is None
        return
    assert after is not None
    assert after.state == (leg if wanted == "same" else wanted)
    changed = leg is None or after.state is not leg
    assert after.state_since_s == (9.0 if changed else 1.0), "a report that changes nothing must not restart the timer"


@pytest.mark.parametrize("report", REPORTS)
def test_a_repeated_report_changes_nothing_more(report: str):
    before = (Call(id=ONE, state=LegState.ACTIVE, parties=(PARTY,)),)
    once = apply(before, REPORTS[report], 1.0)
    assert apply(once, REPORTS[report], 2.0) == once


def test_every_report_has_a_row_of_expected_states():
    assert {type(each) for each in REPORTS.values()} == set(EXPECTED)
    assert not is_expected((), REPORTS["held"])
    assert is_expected((Call(id=ONE, state=LegState.ACTIVE),), REPORTS["held"])


def test_an_incoming_call_keeps_its_story_when_it_is_answered():
    calls = apply(apply((), REPORTS["alerting"], 1.0), REPORTS["established"], 2.0)
    call = calls[0]
    assert (call.direction, call.called, call.queue, call.data, call.ucid) == (Direction.IN, "8000", "100", "ACC", "u")
    assert [each.number for each in call.parties] == ["3001"]


def test_a_party_whose_number_is_withheld_is_one_party():
    alerting = f.CallAlerting(session=S, call=ONE, number="")
    answered = f.CallEstablished(session=S, call=ONE, number="", incoming=True)
    assert len(apply(apply((), alerting, 1.0), answered, 2.0)[0].parties) == 1


def test_a_conference_takes_the_place_of_both_calls_and_keeps_the_age_of_the_first():
    before = (
        Call(id=TWO, state=LegState.HELD, since_s=1.0, data="ACC"),
        Call(id=ONE, state=LegState.ACTIVE, since_s=5.0),
        Call(id=CallId("3"), state=LegState.ALERTING),
    )
    after = apply(before, REPORTS["merged"], 9.0)
    assert [each.id for each in after] == [ONE, "3"]
    assert (after[0].since_s, after[0].data) == (1.0, "ACC")


def test_a_conference_that_shrinks_to_two_is_a_call_again():
    calls = apply((), REPORTS["merged"], 1.0)
    left = apply(calls, f.CallDropped(session=S, call=ONE, number="3002"), 2.0)
    assert left[0].state is LegState.ACTIVE


def test_a_station_has_no_more_calls_than_a_station_can_have():
    calls: tuple[Call, ...] = ()
    for number in range(CALLS_PER_STATION + 5):
        calls = apply(calls, f.CallAlerting(session=S, call=CallId(str(number)), number="1"), 1.0)
    assert len(calls) == CALLS_PER_STATION


def test_a_snapshot_decides_which_calls_there_are():
    before = (Call(id=ONE, state=LegState.ACTIVE, data="ACC"), Call(id=TWO, state=LegState.HELD))
    seen = (f.CallSeen(call=ONE, state=LegState.ACTIVE), f.CallSeen(call=CallId("7"), state=LegState.ALERTING))
    after = from_snapshot(before, seen, 9.0)
    assert [(each.id, each.state, each.data) for each in after] == [(ONE, "active", "ACC"), ("7", "alerting", "")]


def test_whoever_answers_takes_the_place_of_the_number_that_was_dialled():
    calls = apply((), f.CallDialling(session=S, call=ONE, number="8000"), 1.0)
    calls = apply(calls, f.CallEstablished(session=S, call=ONE, number="2002", incoming=False, called="8000"), 2.0)
    assert calls[0].parties == (f.PartySeen(number="2002"),)
    assert (calls[0].state, calls[0].called) == (LegState.ACTIVE, "8000")


def test_a_call_that_was_handed_on_while_it_rang_keeps_its_new_caller_when_it_is_answered():
    calls = apply((), f.CallAlerting(session=S, call=ONE, number="2002"), 1.0)
    calls = apply(calls, f.CallDropped(session=S, call=ONE, number="2002"), 2.0)
    calls = apply(calls, f.CallAlerting(session=S, call=ONE, number="3001"), 2.0)
    calls = apply(calls, f.CallEstablished(session=S, call=ONE, number="2002", incoming=True), 3.0)
    assert calls[0].parties == (f.PartySeen(number="3001"),)
    assert calls[0].state is LegState.ACTIVE
