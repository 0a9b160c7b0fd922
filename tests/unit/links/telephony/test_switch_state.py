from __future__ import annotations

import pytest

from unified_agent.links.telephony.switch_state import Load, Verdict, is_link_loss, load_of, verdict_of
from unified_agent.wire.csta.values import SwitchLink, SystemStatusValue, TlinkStatus

OURS_UP, OURS_DOWN = SwitchLink("CM1", TlinkStatus.UP), SwitchLink("cm1", TlinkStatus.DOWN)
OURS_AWAY = SwitchLink("CM1", TlinkStatus.UNAVAILABLE)
OTHER_DOWN = SwitchLink("CM2", TlinkStatus.DOWN)
V = SystemStatusValue


@pytest.mark.parametrize(
    ("status", "links", "verdict"),
    [
        (V.NORMAL, (), Verdict.UP),
        (V.ENABLED, (), Verdict.UP),
        (V.NORMAL, (OURS_UP,), Verdict.UP),
        (V.NORMAL, (OURS_DOWN,), Verdict.DOWN),
        (V.NORMAL, (OURS_AWAY,), Verdict.DOWN),
        (V.DISABLED, (), Verdict.DOWN),
        (V.DISABLED, (OURS_DOWN,), Verdict.DOWN),
        (V.DISABLED, (OTHER_DOWN,), Verdict.UNSAID),
        (V.PARTIALLY_DISABLED, (), Verdict.UNSAID),
        (V.PARTIALLY_DISABLED, (OURS_UP, OTHER_DOWN), Verdict.UP),
        (V.PARTIALLY_DISABLED, (OTHER_DOWN, OURS_DOWN), Verdict.DOWN),
        (V.OVERLOAD_REACHED, (), Verdict.UNSAID),
        (V.OVERLOAD_REACHED, (OURS_UP,), Verdict.UP),
        (V.INITIALIZING, (), Verdict.UNSAID),
        (None, (), Verdict.UNSAID),
        (None, (OURS_UP,), Verdict.UP),
    ],
)
def test_status_says_whether_our_switch_can_be_asked(
    status: V | None, links: tuple[SwitchLink, ...], verdict: Verdict
) -> None:
    assert verdict_of(status, links, "CM1") is verdict


@pytest.mark.parametrize(
    ("status", "load"),
    [
        (V.OVERLOAD_IMMINENT, Load.OVERLOADED),
        (V.OVERLOAD_REACHED, Load.OVERLOADED),
        (V.OVERLOAD_RELIEVED, Load.RELIEVED),
        (V.NORMAL, Load.RELIEVED),
        (V.ENABLED, Load.NO_CHANGE),
        (None, Load.NO_CHANGE),
    ],
)
def test_status_says_whether_to_slow_down(status: V | None, load: Load) -> None:
    assert load_of(status) is load


@pytest.mark.parametrize(
    ("ended", "before", "loss"),
    [(1, 1, False), (2, 2, False), (3, 3, True), (9, 10, True), (8, 10, False), (900, 1000, True), (1, 1000, False)],
)
def test_nearly_all_monitors_at_once_mean_the_link(ended: int, before: int, loss: bool) -> None:
    assert is_link_loss(ended, before) is loss
