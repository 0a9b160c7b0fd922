from __future__ import annotations

import pytest

from unified_agent.domain.ids import JobName
from unified_agent.domain.job import DiallerState, leaves_after_item
from unified_agent.domain.states import DiallerStage


@pytest.mark.parametrize("stage", DiallerStage)
@pytest.mark.parametrize("wanted", [None, JobName("J1"), JobName("J2")])
def test_the_job_is_left_after_the_item_when_another_or_none_is_wanted(stage: DiallerStage, wanted: JobName | None):
    state = DiallerState(stage=stage, job=JobName("J1"), wanted_job=wanted)
    assert leaves_after_item(state) == (stage is DiallerStage.WORKING and wanted != "J1")
