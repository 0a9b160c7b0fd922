"""The time from a link's return to the last session in line is observed once; ``test_host`` plays it with a switch."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from tests.unit.domain.desk import SESSION, Desk
from tests.unit.links.fakes import ManualClock

from unified_agent.domain.ids import SessionId
from unified_agent.domain.session_state import SessionState
from unified_agent.domain.states import TelephonyStage
from unified_agent.observe import Metrics
from unified_agent.sessions.catching_up import CatchingUp

OTHER = SessionId("other")


class Course:
    def __init__(self) -> None:
        self.clock, self.metrics = ManualClock(), Metrics()
        self.catching_up = CatchingUp(self.clock, self.metrics)

    def observed(self) -> tuple[float | None, float | None]:
        read = self.metrics.registry.get_sample_value
        labels = {"kind": "telephony"}
        return read("ua_link_resync_seconds_count", labels), read("ua_link_resync_seconds_sum", labels)


def at(stage: TelephonyStage, session: SessionId = SESSION) -> SessionState:
    state = Desk().log_in().state
    return replace(state, id=session, telephony=replace(state.telephony, stage=stage))


@pytest.mark.parametrize("stage", list(TelephonyStage))
def test_a_session_is_in_line_when_it_has_nothing_more_to_do(stage: TelephonyStage):
    course = Course()
    course.catching_up.link_returned([SESSION])
    course.clock.advance(3)
    course.catching_up.look(at(stage))
    is_in_line = stage in {TelephonyStage.UP, TelephonyStage.REFUSED, TelephonyStage.OUT}
    assert course.observed() == ((1.0, 3.0) if is_in_line else (None, None))


def test_the_last_one_counts_and_those_who_came_later_do_not():
    course = Course()
    course.catching_up.link_returned([SESSION, OTHER])
    course.clock.advance(1)
    course.catching_up.look(at(TelephonyStage.UP))
    course.catching_up.look(at(TelephonyStage.UP, SessionId("new")))
    assert course.observed() == (None, None)
    course.clock.advance(1)
    course.catching_up.look(at(TelephonyStage.UP, OTHER))
    course.clock.advance(1)
    course.catching_up.look(at(TelephonyStage.UP))
    assert course.observed() == (1.0, 2.0)


def test_one_that_is_over_holds_nothing_up():
    course = Course()
    course.catching_up.link_returned([SESSION])
    course.clock.advance(4)
    course.catching_up.done(SESSION)
    assert course.observed() == (1.0, 4.0)


def test_a_link_that_is_lost_again_was_never_caught_up_with():
    course = Course()
    course.catching_up.link_returned([SESSION])
    course.catching_up.link_lost()
    course.catching_up.look(at(TelephonyStage.UP))
    assert course.observed() == (None, None)
