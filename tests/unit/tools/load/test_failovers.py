"""How long an agent was without a desktop."""

import pytest

from unified_agent.client import Move
from unified_agent.tools.load.failovers import Failover


def move(lost_at_s: float | None = 10.0, noticed_at_s: float | None = 11.5) -> Move:
    return Move(
        source="http://a",
        target="http://b",
        reason="witnessed",
        lost_at_s=lost_at_s,
        noticed_at_s=noticed_at_s,
        attached_at_s=12.0,
        live_at_s=12.25,
    )


def test_all_is_counted_from_the_last_sign_of_life():
    failover = Failover(agent=7, move=move(), back_at_s=14.0)
    assert (failover.noticed_after_s, failover.outage_s, failover.back_after_s) == (1.5, 2.25, 4.0)


def test_an_agent_who_is_not_back_has_no_figure_for_it():
    assert Failover(agent=7, move=move()).back_after_s is None


def test_after_a_planned_move_it_is_counted_from_the_new_view():
    failover = Failover(agent=7, move=move(None, None), back_at_s=12.75)
    assert (failover.noticed_after_s, failover.outage_s) == (0.0, 0.0)
    assert failover.back_after_s == pytest.approx(0.5)
