from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace
from tests.unit.domain.desk import AES, JOB, SESSION, Desk

from unified_agent.domain import commands as c
from unified_agent.domain import facts as f
from unified_agent.domain.ids import CallId
from unified_agent.domain.states import DiallerStage, ItemKind, LinkState, Side, SwitchMode, TelephonyStage
from unified_agent.domain.view import rfc3339, view_of


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "1970-01-01T00:00:00.000Z"), (1_764_000_000.1234, "2025-11-24T16:00:00.123Z")],
)
def test_times_are_utc_with_milliseconds(seconds: float, text: str):
    assert rfc3339(seconds) == text


def test_no_password_is_ever_in_the_view_or_in_a_repr():
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    for text in (msgspec.json.encode(view_of(desk.state)).decode(), repr(desk.state), repr(desk.effects)):
        assert "1234" not in text
        assert "pw" not in text


@pytest.mark.parametrize("stage", TelephonyStage)
def test_every_stage_at_the_switch_has_a_word_for_its_link(stage: TelephonyStage):
    state = Desk().state
    shown = view_of(replace(state, telephony=replace(state.telephony, stage=stage))).links.telephony.state
    up = {TelephonyStage.UP, TelephonyStage.LOGGING_OUT, TelephonyStage.OUT}
    down = {TelephonyStage.WAITING, TelephonyStage.REFUSED}
    assert shown is (LinkState.UP if stage in up else LinkState.DOWN if stage in down else LinkState.CHECKING)


@pytest.mark.parametrize("stage", DiallerStage)
def test_every_stage_at_the_dialler_has_a_word_for_its_link(stage: DiallerStage):
    state = Desk(dialler=True).state
    shown = view_of(replace(state, dialler=replace(state.dialler, stage=stage))).links.dialler.state
    assert (shown is LinkState.UNUSED) == (stage is DiallerStage.OFF)
    assert (shown is LinkState.DOWN) == (stage in {DiallerStage.WAITING, DiallerStage.REFUSED})


def test_what_is_lost_is_shown_as_the_last_known_with_the_time_of_the_loss():
    desk = Desk().log_in()
    desk.command(c.SetMode(mode=c.AskedMode.READY))
    desk.done("mode:ready")
    desk.reported(SwitchMode.READY)
    since = view_of(desk.state).agent.since
    desk.give(f.TelephonyDown(link=AES, reason="silent"))
    view = view_of(desk.state)
    assert (view.agent.mode, view.agent.known, view.agent.since) == ("ready", False, since)
    assert view.links.telephony.lost == rfc3339(desk.now_s)
    assert view.links.telephony.trouble == "silent"


def test_everything_that_waits_is_shown_as_pending():
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.give(f.CallEstablished(session=SESSION, call=CallId("1"), number="3001", incoming=True))
    desk.give(f.ItemArrived(session=SESSION, kind=ItemKind.OUTBOUND, title="PAT", preview=False))
    desk.reported(SwitchMode.NOT_READY, pending_mode=SwitchMode.READY)
    desk.command(c.LeaveJob())
    desk.command(c.LogOut(reason=2))
    assert [(each.what, each.reason) for each in view_of(desk.state).agent.pending] == [
        ("ready", None),
        ("leave-job", None),
        ("log-out", 2),
    ]


def test_a_turn_to_log_in_is_shown_while_it_is_waited_for():
    desk = Desk(dialler=True, job=JOB)
    desk.give(f.TurnPlanned(session=SESSION, side=Side.TELEPHONY, at_s=2_000_000.0))
    assert view_of(desk.state).login.turn_at == rfc3339(2_000_000.0)
    desk.log_in()
    assert view_of(desk.state).login.turn_at is None
    desk.give(f.TurnPlanned(session=SESSION, side=Side.DIALLER, at_s=3_000_000.0))
    assert view_of(desk.state).login.turn_at == rfc3339(3_000_000.0)


def test_the_item_shows_its_record_and_line():
    desk = Desk(dialler=True, job=JOB).log_in().log_on().join()
    desk.give(f.ItemArrived(session=SESSION, kind=ItemKind.INBOUND, title="IN", preview=False, waited="11-20 SECS."))
    item = view_of(desk.state).item
    assert item is not None
    assert (item.kind, item.stage, item.waited, item.since) == (
        "inbound",
        "on-call",
        "11-20 SECS.",
        rfc3339(desk.now_s),
    )
