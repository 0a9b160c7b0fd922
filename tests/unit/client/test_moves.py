"""Why a server was lost, how soon to come back, what a move took."""

import random

import pytest
from tests.unit.client.fakes import Halfway

from unified_agent.client.moves import (
    MOVES_KEPT,
    ConnectionState,
    ConnectionStatus,
    Loss,
    Move,
    Whereabouts,
    comeback_delay_s,
)


def move(source: str = "http://a", target: str = "http://b", lost_at_s: float | None = 10.0, live_at_s: float = 12.5):
    return Move(
        source=source,
        target=target,
        reason="closed",
        lost_at_s=lost_at_s,
        noticed_at_s=lost_at_s,
        attached_at_s=live_at_s,
        live_at_s=live_at_s,
    )


@pytest.mark.parametrize(
    ("reason", "failures", "bound_s"),
    [
        (Loss.CLOSED, 0, 2.0),
        (Loss.SILENT, 0, 2.0),
        (Loss.MOVED, 0, 2.0),
        ("drain", 0, 2.0),
        (Loss.WITNESSED, 0, 0.5),
        (Loss.CLOSED, 1, 1.0),
        (Loss.WITNESSED, 2, 2.0),
        (Loss.GAP, 1, 1.0),
        (Loss.CLOSED, 4, 8.0),
        (Loss.CLOSED, 5, 10.0),
        (Loss.CLOSED, 1_000, 10.0),
    ],
)
def test_the_delay_is_drawn_evenly_up_to_a_bound(reason, failures, bound_s):
    chance = Halfway()
    assert comeback_delay_s(reason, failures, 2.0, chance) == bound_s / 2
    assert chance.asked == [(0.0, bound_s)]


def test_a_first_gap_is_mended_at_once():
    assert comeback_delay_s(Loss.GAP, 0, 2.0, random.Random(1)) == 0.0


def test_a_site_that_wants_them_back_sooner_gets_them_sooner():
    assert comeback_delay_s(Loss.WITNESSED, 0, 0.2, Halfway()) == 0.1
    assert comeback_delay_s(Loss.CLOSED, 0, 0.0, Halfway()) == 0.0


def test_an_outage_is_from_the_last_sign_of_life_to_the_view():
    assert (move().is_elsewhere, move().outage_s) == (True, 2.5)
    assert not move(target="http://a").is_elsewhere
    assert move(lost_at_s=None).outage_s == 0.0


def test_the_first_connection_is_no_move_and_the_newest_moves_are_kept():
    whereabouts = Whereabouts("http://a")
    whereabouts.moved(move())
    assert (whereabouts.connections, whereabouts.moves, whereabouts.server) == (1, [], "http://b")
    for number in range(MOVES_KEPT + 5):
        whereabouts.moved(move(live_at_s=20.0 + number))
    assert len(whereabouts.moves) == MOVES_KEPT
    assert whereabouts.moves[-1].live_at_s == 20.0 + MOVES_KEPT + 4


def test_listeners_are_told_of_changes_only_until_they_end_it():
    whereabouts = Whereabouts("http://a")
    told: list[ConnectionStatus] = []
    end = whereabouts.listen(told.append)
    whereabouts.tell(ConnectionState.LIVE, "", 1.0)
    whereabouts.tell(ConnectionState.LIVE, "", 2.0)
    whereabouts.tell(ConnectionState.SUSPECT, "silent", 3.0)
    end()
    end()
    whereabouts.tell(ConnectionState.LIVE, "", 4.0)
    assert [(each.state, each.reason, each.at_s) for each in told] == [("live", "", 1.0), ("suspect", "silent", 3.0)]
    assert whereabouts.status.state is ConnectionState.LIVE


def test_listeners_are_told_of_each_move_even_if_the_desk_was_live_all_the_time():
    whereabouts = Whereabouts("http://a")
    told: list[ConnectionStatus] = []
    whereabouts.listen(told.append)
    whereabouts.moved(move())
    whereabouts.moved(move(source="http://b", target="http://c", lost_at_s=None))
    assert [(each.state, each.server, each.at_s) for each in told] == [
        ("live", "http://b", 12.5),
        ("live", "http://c", 12.5),
    ]
