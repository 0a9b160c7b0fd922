"""Options of the simulator."""

from __future__ import annotations

import pytest
from tests.unit.wire.apc.vectors import FOLDER

from unified_agent.errors import SettingsError
from unified_agent.tools.simulators.apc.command import ApcOptions, plan_of
from unified_agent.tools.simulators.apc.plan import Arrivals


def test_options_win_over_the_plan() -> None:
    plan = plan_of(ApcOptions(config=FOLDER / "canonical.toml", accept_any=True, wait_s=9.0, stale_logon_s=3.0))
    assert plan.accept_any
    assert plan.stale_logon_s == 3.0
    assert {job.traffic.wait_s for job in plan.jobs} == {9.0}
    assert plan.jobs[0].traffic.answer_share == 1.0
    rated = plan_of(ApcOptions(calls_per_minute=120.0))
    assert {(job.traffic.arrivals, job.traffic.calls_per_minute) for job in rated.jobs} == {(Arrivals.POISSON, 120.0)}


def test_option_that_cannot_be_is_refused() -> None:
    with pytest.raises(SettingsError):
        plan_of(ApcOptions(wait_s=-1.0))
